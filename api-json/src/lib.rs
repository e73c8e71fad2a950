//! Pinned definitions of the binary API of VPP releases.
//!
//! Each release is a folder of normalised files (see [`vpp_schema::pins`]) compiled into this crate, and a `SOURCE.toml`
//! that says what they were made of. Parsing takes some ten milliseconds; it happens on first use, once.
//!
//! A release takes half a megabyte of the program, so what is compiled in is chosen by features: `v25_10` adds that
//! release, `all-releases` all of them. The newest is always there. A program that asks for a release by name should
//! turn on its feature, the newest's too: it stays when a newer one is pinned.
//!
//! ```
//! let api = vpp_api_json::api(vpp_api_json::newest())?;
//! let (id, message) = api.find_message("show_version").expect("every VPP has it");
//! assert_eq!(message.crc, 0x5107_7d14);
//! assert_eq!(api.layout_hash(id).to_string().len(), 16);
//! # Ok::<(), vpp_api_json::PinError>(())
//! ```

// Written by the generator, as the generator writes it.
#[rustfmt::skip]
mod embedded;

use std::sync::OnceLock;

use vpp_schema::{Api, Group, ReadError, Source};

/// Why a pinned release is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// The release is not pinned.
    #[error("VPP {release} is not pinned; pinned are {}", embedded::PINNED.join(", "))]
    UnknownRelease {
        /// The release asked for.
        release: String,
    },
    /// The release is pinned, but its feature is off.
    #[error(
        "the pinned definitions of VPP {release} are not compiled in; turn on the feature {} or all-releases of \
         vpp-api-json (compiled in are {})",
        vpp_schema::pins::feature(release),
        releases().join(", ")
    )]
    NotCompiledIn {
        /// The release asked for.
        release: &'static str,
    },
    /// The pinned files do not make an API: this crate was changed by hand.
    #[error("the pinned definitions of VPP {release} cannot be read: {source}")]
    Broken {
        /// The release.
        release: &'static str,
        /// Why.
        source: ReadError,
    },
}

/// The pinned releases that are compiled in, the newest last.
#[must_use]
pub fn releases() -> &'static [&'static str] {
    embedded::NAMES
}

/// The newest pinned release, which is always compiled in.
#[must_use]
pub fn newest() -> &'static str {
    embedded::NAMES[embedded::NAMES.len() - 1]
}

/// The API of a pinned release.
///
/// # Errors
///
/// When the release is not pinned, or not compiled in.
pub fn api(release: &str) -> Result<&'static Api, PinError> {
    let Some(release) = embedded::RELEASES.iter().find(|pinned| pinned.name == release) else {
        return Err(match embedded::PINNED.iter().find(|pinned| **pinned == release) {
            Some(release) => PinError::NotCompiledIn { release },
            None => PinError::UnknownRelease { release: release.to_owned() },
        });
    };
    if let Some(api) = release.api.get() {
        return Ok(api);
    }
    let api = release.parse().map_err(|source| PinError::Broken { release: release.name, source })?;
    Ok(release.api.get_or_init(|| api))
}

/// A pinned release.
struct Release {
    name: &'static str,
    /// Module and text.
    modules: &'static [(&'static str, &'static str)],
    api: OnceLock<Api>,
}

impl Release {
    const fn new(name: &'static str, modules: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, modules, api: OnceLock::new() }
    }

    fn parse(&self) -> Result<Api, ReadError> {
        let sources: Vec<Source> = self
            .modules
            .iter()
            .map(|&(module, text)| Source {
                name: module.to_owned(),
                group: Group::Other,
                origin: format!("pinned {}/{module}.json", self.name),
                text: text.to_owned(),
            })
            .collect();
        let mut api = Api::from_sources(&sources)?;
        api.release = Some(self.name.to_owned());
        Ok(api)
    }
}

#[cfg(test)]
mod tests {
    use vpp_schema::pins;

    use super::*;

    #[test]
    fn every_pinned_release_parses_once() {
        for release in releases() {
            let api = api(release).expect("pinned");
            assert_eq!(api.release.as_deref(), Some(*release));
            assert!(std::ptr::eq(api, super::api(release).expect("pinned")));
        }
        let newest = api(newest()).expect("pinned");
        assert_eq!((newest.modules.len(), newest.messages.len()), (151, 2095));
    }

    /// Folder, table of files and `SOURCE.toml` belong together: none was changed by hand.
    #[test]
    fn sources_tell_what_is_pinned() {
        for release in releases() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(release);
            let source = std::fs::read_to_string(folder.join(pins::SOURCE_FILE)).expect("a source");
            let api = api(release).expect("pinned");
            let files = pins::files(api, release, "");
            for file in &files {
                let text = std::fs::read_to_string(folder.join(&file.name)).expect(&file.name);
                if file.name != pins::SOURCE_FILE {
                    assert!(text == file.text, "{release}/{}", file.name);
                }
            }
            let made = files.iter().find(|file| file.name == pins::SOURCE_FILE).expect("a source");
            let facts = |text: &str| -> Vec<String> {
                text.lines().filter(|line| !line.starts_with("made-from")).map(str::to_owned).collect()
            };
            assert_eq!(facts(&source), facts(&made.text));
            let json = std::fs::read_dir(&folder).expect("a folder").count() - 1;
            assert_eq!(json, api.modules.len(), "files that are no pins");
        }
    }

    #[test]
    fn an_unpinned_release_is_refused_by_name() {
        let error = api("19.04").expect_err("not pinned").to_string();
        assert!(error.contains("19.04") && error.contains(newest()), "{error}");
    }

    #[test]
    fn a_release_is_there_if_its_feature_is_on() {
        for release in embedded::PINNED {
            match api(release) {
                Ok(_) => assert!(releases().contains(release)),
                Err(error @ PinError::NotCompiledIn { .. }) => {
                    let feature = pins::feature(release);
                    assert!(error.to_string().contains(&feature) && !releases().contains(release), "{error}");
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(releases().is_sorted() && releases().last() == embedded::PINNED.last());
        #[cfg(feature = "all-releases")]
        assert_eq!(releases(), embedded::PINNED);
    }
}
