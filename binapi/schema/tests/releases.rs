//! All releases at hand, each read from VPP's files and from its pins.

use std::path::Path;

use vpp_schema::Api;

fn without_comments(mut api: Api) -> Api {
    for ty in &mut api.types {
        ty.comment = None;
    }
    for message in &mut api.messages {
        message.comment = None;
    }
    for counter in api.modules.iter_mut().flat_map(|m| &mut m.counters).flat_map(|set| &mut set.elements) {
        counter.description = None;
    }
    api
}

#[test]
fn folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vpp-api");
    for release in std::fs::read_dir(root).unwrap() {
        let path = release.unwrap().path();
        let start = std::time::Instant::now();
        let api = Api::read_dir(&path).unwrap_or_else(|error| panic!("{error}"));
        let read = start.elapsed();
        let api = without_comments(api);
        let pins = api.to_pins();
        let start = std::time::Instant::now();
        let again = Api::from_sources(&pins).unwrap_or_else(|error| panic!("{error}"));
        println!(
            "{} {} {} {} {read:?} {:?} {}",
            path.display(),
            api.modules.len(),
            api.messages.len(),
            api.types.len(),
            start.elapsed(),
            pins.iter().map(|p| p.text.len()).sum::<usize>()
        );
        for (a, b) in again.modules.iter().zip(&api.modules) {
            assert_eq!(a, b);
        }
        assert!(api == again, "{}", path.display());
    }
}
