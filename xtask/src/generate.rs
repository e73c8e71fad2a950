//! `cargo xtask gen`: pins to generated crates; with `--api-dir`, an installed VPP to pins first.

mod version;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use binapi_gen::{Difference, Output, Release};
use vpp_schema::{Api, pins};

/// The folder of pinned definitions.
const PINS: &str = "api-json";
/// The pins as Rust.
const EMBEDDED: &str = "api-json/src/embedded.rs";

/// Generate the typed messages from the pinned definitions
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// First pin the definitions in this folder: /usr/share/vpp/api of an installed VPP
    #[arg(long, value_name = "DIR")]
    api_dir: Option<PathBuf>,
    /// The release these definitions are of, as 26.06; without it the installed VPP is asked
    #[arg(long, value_name = "V", requires = "api_dir")]
    vpp_version: Option<String>,
    /// What made the definitions, for SOURCE.toml
    #[arg(long, value_name = "TEXT", requires = "api_dir")]
    made_from: Option<String>,
    /// Write nothing; fail when a committed file is not as it would be generated
    #[arg(long, conflicts_with = "api_dir")]
    check: bool,
}

/// A pinned release.
struct Pinned {
    name: String,
    api: Api,
}

pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let mut pinned = read_pins(&root.join(PINS))?;
    let mut new_pins = None;
    if let Some(dir) = &arguments.api_dir {
        let name = match &arguments.vpp_version {
            Some(version) => version::parse(version)
                .with_context(|| format!("{version:?} is no VPP release; give it as 26.06"))?,
            None => version::of_folder(dir)?,
        };
        let made_from =
            arguments.made_from.clone().unwrap_or_else(|| format!("the API definitions of VPP {name}"));
        let files = pins::files(&Api::read_dir(dir)?, &name, &made_from);
        // What is generated comes from the pins, now as later.
        let api = Api::from_sources(&Api::read_dir(dir)?.to_pins())?;
        pinned.retain(|release| release.name != name);
        pinned.push(Pinned { name: name.clone(), api });
        new_pins = Some((name, files));
    }
    pinned.sort_by(|a, b| b.name.cmp(&a.name));
    let output = generate(root, &pinned)?;
    if arguments.check {
        return check(root, &output, &embedded(&pinned));
    }
    if let Some((name, files)) = new_pins {
        pins::write(&root.join(PINS).join(&name), &files)?;
        report(&format!("pinned VPP {name}: {} modules", files.len() - 1));
    }
    let path = root.join(EMBEDDED);
    let text = embedded(&pinned);
    if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let written = output.write(root)?;
    for path in written.changed.iter().chain(&written.removed) {
        report(&path.display().to_string());
    }
    report(&format!(
        "{} files written, {} removed, {} unchanged",
        written.changed.len(),
        written.removed.len(),
        written.unchanged
    ));
    Ok(())
}

/// All pinned releases.
fn read_pins(dir: &Path) -> Result<Vec<Pinned>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read the pins in {}", dir.display()))?;
    let mut pinned = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", dir.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.join("SOURCE.toml").exists() {
            pinned.push(Pinned { api: pins::read(&path)?, name });
        }
    }
    Ok(pinned)
}

fn generate(root: &Path, pinned: &[Pinned]) -> Result<Output> {
    if pinned.is_empty() {
        bail!("no release is pinned in {PINS}: run cargo xtask gen --api-dir DIR --vpp-version V");
    }
    let releases: Vec<_> =
        pinned.iter().map(|release| Release { name: &release.name, api: &release.api }).collect();
    Ok(binapi_gen::workspace(root, &releases)?)
}

/// The pins as Rust, oldest first.
fn embedded(pinned: &[Pinned]) -> String {
    let releases: Vec<_> = pinned.iter().rev().map(|release| (release.name.as_str(), &release.api)).collect();
    pins::embedded(&releases)
}

fn check(root: &Path, output: &Output, embedded: &str) -> Result<()> {
    let mut wrong: Vec<String> = output
        .differences(root)?
        .into_iter()
        .map(|difference| match difference {
            Difference::Missing(path) => format!("{}: missing", path.display()),
            Difference::Changed(path, line) => format!("{}:{line}: differs", path.display()),
            Difference::Stale(path) => format!("{}: nothing generates it any more", path.display()),
            other => format!("{other:?}"),
        })
        .collect();
    if fs::read_to_string(root.join(EMBEDDED)).ok().as_deref() != Some(embedded) {
        wrong.push(format!("{EMBEDDED}: differs"));
    }
    if wrong.is_empty() {
        report(&format!("{} files are as generated", output.files().count() + 1));
        return Ok(());
    }
    bail!("{}\n{} files are not as generated; run: cargo xtask gen", wrong.join("\n"), wrong.len())
}

#[allow(clippy::print_stdout)] // what the command is asked for
fn report(line: &str) {
    println!("{line}");
}
