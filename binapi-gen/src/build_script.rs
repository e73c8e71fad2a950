//! What is different in a build script.

use std::env;
use std::path::{Path, PathBuf};

/// The folder that the build script may write to; `None` where this is none. `HOST` is set for build scripts alone.
fn out_dir() -> Option<PathBuf> {
    env::var_os("HOST").and(env::var_os("OUT_DIR")).map(PathBuf::from)
}

/// Where to write: in a build script below its folder.
pub(crate) fn place(path: &Path) -> PathBuf {
    out_dir().map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// Tells cargo of a file or folder that the output depends on, in a build script.
pub(crate) fn depends_on(path: &Path) {
    if out_dir().is_some() {
        // Standard output is how a build script talks to cargo.
        #[allow(clippy::print_stdout)]
        {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
}
