//! Where files are in a tree of sources.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::SourceOptions;
use super::dialect::Dialect;
use crate::error::ReadError;
use crate::model::Group;

/// How far below a root files are looked for; VPP's are six folders deep.
const MAX_DEPTH: usize = 16;

/// The files below the roots, in order, and what they become part of.
pub(super) fn files(roots: &[PathBuf]) -> Result<Vec<(PathBuf, Group)>, ReadError> {
    let mut files = Vec::new();
    for root in roots {
        let before = files.len();
        if root.is_file() {
            files.push(root.clone());
        } else {
            list(&sources(root), MAX_DEPTH, &mut files)?;
        }
        if files.len() == before {
            return Err(ReadError::NoSources { path: root.clone() });
        }
    }
    files.sort();
    files.dedup();
    Ok(files
        .into_iter()
        .map(|path| {
            let group = group(&path);
            (path, group)
        })
        .collect())
}

/// Folders that imports are looked for in.
pub(super) fn include(roots: &[PathBuf]) -> Vec<PathBuf> {
    let below = |root: &PathBuf| ["src", "src/plugins", "", "plugins"].map(|folder| root.join(folder));
    let folders = roots.iter().filter(|root| root.is_dir()).flat_map(below);
    folders.filter(|folder| folder.is_dir()).collect()
}

/// The dialect of the tree of VPP's sources that a path is in or above of, with the numbering that the options name.
pub(super) fn dialect(roots: &[PathBuf], options: &SourceOptions) -> Dialect {
    let of_tree = || {
        let paths = roots.iter().chain(&options.include);
        let paths = paths.filter_map(|path| std::path::absolute(path).ok());
        paths.into_iter().find_map(|path| {
            path.ancestors()
                .find_map(|folder| Dialect::of_tree(folder).or_else(|| Dialect::of_tree(&folder.join("src"))))
        })
    };
    let mut dialect = of_tree().unwrap_or_default();
    dialect.numbering = options.numbering.unwrap_or(dialect.numbering);
    dialect
}

/// Of a checkout of VPP the folder that is built: beside it are examples and what is no longer kept.
fn sources(root: &Path) -> PathBuf {
    let src = root.join("src");
    if is_vpp(&src) { src } else { root.to_owned() }
}

/// Whether a folder is the `src` of VPP, or its installed headers.
fn is_vpp(folder: &Path) -> bool {
    folder.join("vnet").is_dir()
}

/// In VPP's own tree all but plugins are part of its core; elsewhere there are only plugins.
fn group(path: &Path) -> Group {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let vpp = path.ancestors().skip(1).find(|folder| is_vpp(folder));
    match vpp.and_then(|folder| path.strip_prefix(folder).ok()) {
        Some(path) if path.iter().all(|part| part != OsStr::new("plugins")) => Group::Core,
        _ => Group::Plugins,
    }
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let failed = |source: io::Error| ReadError::Folder { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // Links to folders are not followed: they may lead in a circle.
        if entry.file_type().map_err(failed)?.is_dir() {
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if depth > 0 && !is_hidden {
                list(&path, depth - 1, files)?;
            }
        } else if path.extension() == Some(OsStr::new("api")) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
