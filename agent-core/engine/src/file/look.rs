//! Which documents are at some paths, and whether they are still those.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use vpp_agent_kernel::Origin;
use vpp_agent_kernel::document::{self, ConfigError, Format, Lists, Node};

/// What is at some paths. Two that are equal hold the same documents, as far as the file system tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Look {
    files: Vec<(PathBuf, Stamp)>,
    /// Paths that cannot be looked at, and why.
    errors: Vec<(PathBuf, String)>,
}

/// What changes with a file's content.
#[derive(Clone, Debug, PartialEq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

impl Look {
    pub(super) fn at(paths: &[PathBuf]) -> Self {
        let mut look = Self { files: Vec::new(), errors: Vec::new() };
        for path in paths {
            if let Err(error) = look.add(path) {
                look.errors.push((path.clone(), error.to_string()));
            }
        }
        look
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        let file = fs::metadata(path)?;
        if !file.is_dir() {
            self.files.push((path.to_owned(), Stamp::of(&file)));
            return Ok(());
        }
        let mut documents = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?.path();
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || Format::of(&name).is_none() {
                continue;
            }
            // One that has gone meanwhile, or points to nothing, is none.
            if let Ok(file) = fs::metadata(&entry)
                && file.is_file()
            {
                documents.push((entry, Stamp::of(&file)));
            }
        }
        documents.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.files.extend(documents);
        Ok(())
    }

    /// Whether this is one of the documents, by whatever name.
    pub(super) fn has(&self, path: &Path) -> bool {
        let Ok(file) = fs::metadata(path) else { return false };
        self.files.iter().any(|(_, stamp)| (stamp.device, stamp.inode) == (file.dev(), file.ino()))
    }

    /// Reads the documents: those that can be read, and what is wrong with the others.
    pub(super) fn load<T: Send, M: Fn(&Node) -> T + Sync>(
        &self,
        make: impl Fn(&str) -> M,
    ) -> (Vec<Lists<T>>, Vec<ConfigError>) {
        let gone = |(path, why): &(PathBuf, String)| {
            ConfigError::new(Origin::Nowhere, "", format_args!("cannot read {}: {why}", path.display()))
        };
        let mut errors: Vec<ConfigError> = self.errors.iter().map(gone).collect();
        let mut documents = Vec::new();
        for (path, _) in &self.files {
            match document::load_lists(path, &make) {
                Ok(lists) => documents.extend(lists),
                Err(error) => errors.push(error),
            }
        }
        (documents, errors)
    }
}
