//! Where definitions are looked at: a release, a folder, or a running VPP with what it has.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use vpp_schema::SourceOptions;

use crate::cli::{DefinitionArgs, PlaceArgs, SocketArgs};
use crate::definitions::Definitions;
use crate::interrupt::or_interrupted;
use crate::running::with_running;

/// The definitions of a place that options name; the newest pinned release where none does.
pub(crate) async fn of_options(arguments: &PlaceArgs) -> anyhow::Result<Definitions> {
    match &arguments.socket {
        Some(socket) => of_socket(socket).await,
        None => Definitions::offline(&arguments.definitions),
    }
}

/// The definitions of a place that one word names: a pinned release, a folder, or a socket.
pub(crate) async fn of_word(word: &str) -> anyhow::Result<Definitions> {
    if vpp_api_json::releases().contains(&word) {
        return Definitions::release(word);
    }
    let path = Path::new(word);
    let Ok(metadata) = path.metadata() else {
        bail!(
            "{word} is no release that this program knows ({}), and there is no folder or socket of that name",
            vpp_api_json::releases().join(", ")
        );
    };
    if metadata.is_dir() {
        Definitions::of_folder(path)
    } else if path.extension().is_some_and(|ending| ending == "api") {
        Definitions::sources(&[path.to_owned()], &SourceOptions::default())
    } else if metadata.file_type().is_socket() {
        of_socket(path).await.with_context(|| format!("cannot ask the VPP at {word}"))
    } else {
        bail!("{word} is neither a folder of definitions, nor an .api file, nor a socket")
    }
}

/// What a running VPP has.
async fn of_socket(socket: &Path) -> anyhow::Result<Definitions> {
    let socket = SocketArgs { socket: socket.to_owned() };
    with_running(&socket, None, &DefinitionArgs::default(), async |running| {
        or_interrupted(async { Ok(Definitions::running(running.present()?)) }).await
    })
    .await
}

/// Where statistics are when only the API socket is said: `stats.sock` beside `api.sock`, as VPP has it; else
/// `a-stats.sock` beside `a.sock`.
pub(crate) fn stats_beside(socket: &Path) -> PathBuf {
    match socket.file_stem().and_then(|stem| stem.to_str()) {
        Some("api") | None => socket.with_file_name("stats.sock"),
        Some(stem) => socket.with_file_name(format!("{stem}-stats.sock")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_beside_the_api() {
        let beside = |socket: &str| stats_beside(Path::new(socket));
        assert_eq!(beside(vpp_conn::DEFAULT_SOCKET), Path::new(vpp_conn::stats::DEFAULT_SOCKET));
        assert_eq!(beside("/tmp/one.sock"), Path::new("/tmp/one-stats.sock"));
        assert_eq!(beside("here"), Path::new("here-stats.sock"));
    }
}
