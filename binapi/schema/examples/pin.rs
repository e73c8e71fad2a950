//! Pins the definitions of an installed VPP: `pin <folder of *.api.json> <release> <api-json> <where it came from>`.

use std::path::Path;

use vpp_schema::{Api, pins};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [from, release, to, made_from] = args.as_slice() else {
        return Err("four arguments: folder of definitions, release, folder of pins, source".into());
    };
    let api = Api::read_dir(Path::new(from))?;
    let to = Path::new(to);
    pins::write(&to.join(release), &pins::files(&api, release, made_from))?;
    std::fs::write(to.join("src/embedded.rs"), pins::embedded(&[(release, &api)]))?;
    Ok(())
}
