//! Releases that are not pinned, older and newer: what is generated of them compiles.
//!
//! `VPP_SRC` names trees of VPP's sources, or folders of `*.api.json` for those before 20.01, whose language was another:
//! `23.02=/path/to/vpp`, several of them with `:` between. The crates are checked in a folder that later runs use again.

use std::path::{Path, PathBuf};
use std::process::Command;

use binapi_gen::{Builder, CrateOptions};

const TOOLKIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[allow(clippy::print_stderr)] // a test says what it leaves out
#[test]
fn the_crate_of_any_release_compiles() {
    let Ok(trees) = std::env::var("VPP_SRC") else {
        eprintln!("skipped: the_crate_of_any_release_compiles, since VPP_SRC names no tree of VPP's sources");
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trees");
    for (number, tree) in trees.split(':').enumerate() {
        let (release, path) = tree.split_once('=').unwrap_or(("unknown", tree));
        // As it is, and on top of a pinned release.
        for reused in [None, Some(vpp_api_json::newest())] {
            let name = format!("tree-{number}{}", if reused.is_some() { "-reuse" } else { "" });
            let out = folder.join(&name);
            let builder = Builder::new().input(path).release(release);
            let crate_name = reused.map(|release| format!("vpp_{}", release.replace('.', "_")));
            let builder = crate_name.iter().fold(builder, Builder::reuse);
            let path = |folder: String| format!("{{ path = {:?} }}", format!("{TOOLKIT}/binapi/{folder}"));
            let options = CrateOptions {
                name,
                version: "0.1.0".to_owned(),
                runtime_dependency: path("wire".to_owned()),
                reused_dependencies: crate_name
                    .iter()
                    .map(|name| (name.replace('_', "-"), path(name.replacen("vpp_", "v", 1))))
                    .collect(),
            };
            builder.crate_dir(&out, &options).unwrap_or_else(|error| panic!("{tree}: {error}"));
            check(&out, tree);
        }
    }
}

/// `cargo check` of a crate with all that it has, without the network.
fn check(folder: &Path, tree: &str) {
    // A workspace of its own, and the versions that are here already.
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("just written") + "\n[workspace]\n";
    std::fs::write(&manifest, text).expect("a file");
    std::fs::copy(Path::new(TOOLKIT).join("Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    let target: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trees-target");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--features", "all-modules"])
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-D warnings")
        .current_dir(folder)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{tree}: {}", String::from_utf8_lossy(&output.stderr));
}
