//! Typed messages of the plugin's API. What it imports from VPP is taken from the crate of a release: VPP's sources are
//! not needed, and an address is the same type everywhere.

fn main() -> Result<(), binapi_gen::GenerateError> {
    binapi_gen::Builder::new().input("api/flowmon.api").reuse("vpp_26_06").out_dir("flowmon")?;
    Ok(())
}
