//! All releases at hand read, each with its counts.

use std::path::Path;

use vpp_schema::Api;

#[test]
fn folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vpp-api");
    for release in std::fs::read_dir(root).unwrap() {
        let path = release.unwrap().path();
        let start = std::time::Instant::now();
        let api = Api::read_dir(&path).unwrap_or_else(|error| panic!("{error}"));
        println!(
            "{} {} {} {} {:?}",
            path.display(),
            api.modules.len(),
            api.messages.len(),
            api.types.len(),
            start.elapsed()
        );
    }
}
