//! Typed messages of our own VPP plugin. What it imports from VPP comes from the crate of a release.

fn main() -> Result<(), binapi_gen::GenerateError> {
    binapi_gen::Builder::new().input("api/sampler.api").reuse("vpp_26_06").out_dir("sampler")?;
    Ok(())
}
