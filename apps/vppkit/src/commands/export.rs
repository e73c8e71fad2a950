//! `vppkit export`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use flate2::{Compression, GzBuilder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use vpp_schema::Group;

use crate::cli::ExportArgs;
use crate::definitions::Definitions;
use crate::output::{Format, Output};
use crate::place;

/// What the definitions are and where they come from.
const SOURCE: &str = "SOURCE.toml";
/// Checksums of all files but itself, as `sha256sum --check` reads them.
const CHECKSUMS: &str = "SHA256SUMS";

/// How deep below a folder its definitions are, as the reader has it.
const DEEPEST: usize = 3;

/// Copies definitions to a folder or an archive. The same definitions give the same bytes.
pub(crate) async fn run(arguments: &ExportArgs, output: &mut Output) -> anyhow::Result<()> {
    let place = Place::of(&arguments.out)?;
    let definitions = place::of_options(&arguments.place).await?;
    let mut files = match definitions.source_folder() {
        Some(folder) => originals(folder)?,
        None => normalised(&definitions),
    };
    files.insert(SOURCE.to_owned(), source(&definitions, &files).into_bytes());
    let checksums = checksums(&files);
    files.insert(CHECKSUMS.to_owned(), checksums.into_bytes());
    match &place {
        Place::Folder(folder) => write_folder(folder, &files)?,
        Place::Archive(archive) => write_archive(archive, &files)?,
    }
    let api = &definitions.api;
    match output.format {
        Format::Json => output.json_pretty(&json!({
            "out": arguments.out.display().to_string(),
            "files": files.len(),
            "modules": api.modules.len(),
            "messages": api.messages.len(),
            "types": api.types.len(),
        }))?,
        Format::Text => writeln!(
            output,
            "{}: {} modules, {} messages, {} types of {}",
            arguments.out.display(),
            api.modules.len(),
            api.messages.len(),
            api.types.len(),
            definitions.origin(),
        )?,
    }
    output.flush()?;
    Ok(())
}

/// Where to.
enum Place {
    Folder(PathBuf),
    Archive(PathBuf),
}

impl Place {
    fn of(out: &Path) -> anyhow::Result<Self> {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            return Ok(Self::Archive(out.to_owned()));
        }
        if [".tar", ".zip", ".gz", ".xz", ".zst"].iter().any(|end| name.ends_with(end)) {
            bail!(
                "{} is no kind of archive that this program writes; name a folder or a .tar.gz",
                out.display()
            );
        }
        let is_empty = fs::read_dir(out).map_or(true, |mut entries| entries.next().is_none());
        ensure!(is_empty, "{} holds something already; choose another folder for --out", out.display());
        Ok(Self::Folder(out.to_owned()))
    }
}

/// The files of a folder as they are, comments and all, by their path in it.
fn originals(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    collect(folder, folder, DEEPEST, &mut files)?;
    Ok(files)
}

fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_dir() && depth > 0 {
            collect(root, &path, depth - 1, files)?;
        } else if path.to_string_lossy().ends_with(".api.json") && path.is_file() {
            let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(root).unwrap_or(&path);
            let name = name.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    Ok(())
}

/// Definitions that came from no files: in VPP's form, without comments, each type with the module that owns it.
fn normalised(definitions: &Definitions) -> BTreeMap<String, Vec<u8>> {
    let sources = definitions.api.to_pins().into_iter();
    sources
        .map(|source| {
            let folder = match source.group {
                Group::Core => "core/",
                Group::Plugins => "plugins/",
                Group::Other => "",
            };
            (format!("{folder}{}.api.json", source.name), source.text.into_bytes())
        })
        .collect()
}

/// What the definitions are, where they come from, and one checksum for all of them.
fn source(definitions: &Definitions, files: &BTreeMap<String, Vec<u8>>) -> String {
    let api = &definitions.api;
    let mut text = String::from("# Written by `vppkit export`.\n");
    let form = if definitions.source_folder().is_some() { "original" } else { "normalised" };
    // Writing to a String cannot fail. TOML escapes as JSON does.
    if let Some(release) = definitions.known_release() {
        let _ = writeln!(text, "release = {}", json!(release));
    }
    let _ = writeln!(text, "made-from = {}", json!(definitions.origin().to_string()));
    let _ = writeln!(text, "form = {}", json!(form));
    let _ = writeln!(text, "exporter = {}", json!(concat!("vppkit ", env!("CARGO_PKG_VERSION"))));
    for (key, count) in
        [("modules", api.modules.len()), ("messages", api.messages.len()), ("types", api.types.len())]
    {
        let _ = writeln!(text, "{key} = {count}");
    }
    let _ = writeln!(text, "# sha256sum of the lines of {CHECKSUMS} that are about *.api.json");
    let _ = writeln!(text, "sha256 = {}", json!(sha256(checksums(files).as_bytes())));
    text
}

fn checksums(files: &BTreeMap<String, Vec<u8>>) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    crate::input::push_hex(&Sha256::digest(bytes), &mut hex);
    hex
}

fn write_folder(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Files below a folder that is called as the archive. Nothing in it tells of the time or the user.
fn write_archive(archive: &Path, files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let folder = name.strip_suffix(".tar.gz").or_else(|| name.strip_suffix(".tgz")).unwrap_or(&name);
    ensure!(!folder.is_empty(), "{} is no name for an archive", archive.display());
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, format!("{folder}/{name}"), bytes.as_slice())?;
    }
    let bytes = tar.into_inner()?.finish()?;
    // All of it or nothing.
    let unfinished = archive.with_file_name(format!(".{name}.unfinished"));
    fs::write(&unfinished, bytes).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, archive).with_context(|| format!("cannot write {}", archive.display()))
}
