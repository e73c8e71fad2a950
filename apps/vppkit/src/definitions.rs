//! Where the definitions of messages come from: a folder, sources, a pinned release, or the VPP itself.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use vpp_schema::{Api, MessageDef, MessageId, ReadError, SourceOptions};

use crate::cli::DefinitionArgs;
use crate::suggest::did_you_mean;

/// Definitions, and where they come from.
pub(crate) struct Definitions {
    /// What they define.
    pub(crate) api: Cow<'static, Api>,
    origin: Origin,
}

/// Where definitions come from.
#[derive(Clone, Debug)]
enum Origin {
    Folder(PathBuf),
    Sources(Vec<PathBuf>),
    Release(String),
    Running,
}

impl Definitions {
    /// Those that the command line names, if it does.
    pub(crate) fn named(arguments: &DefinitionArgs) -> anyhow::Result<Option<Self>> {
        if let Some(folder) = &arguments.api_dir {
            return Self::folder(folder).map(Some);
        }
        if !arguments.api_src.is_empty() {
            return Self::sources(&arguments.api_src, &arguments.language.options()).map(Some);
        }
        arguments.release.as_deref().map(Self::release).transpose()
    }

    /// Those that the command line names, else the newest pinned release: what needs no VPP.
    pub(crate) fn offline(arguments: &DefinitionArgs) -> anyhow::Result<Self> {
        match Self::named(arguments)? {
            Some(definitions) => Ok(definitions),
            None => Self::release(vpp_api_json::newest()),
        }
    }

    /// A pinned release.
    pub(crate) fn release(release: &str) -> anyhow::Result<Self> {
        let api = vpp_api_json::api(known_release(release)?)
            .with_context(|| format!("the pinned definitions of VPP {release} cannot be read"))?;
        Ok(Self { api: Cow::Borrowed(api), origin: Origin::Release(release.to_owned()) })
    }

    /// What a running VPP told.
    pub(crate) fn running(api: Api) -> Self {
        Self { api: Cow::Owned(api), origin: Origin::Running }
    }

    /// The *.api.json files of a folder.
    pub(crate) fn folder(folder: &Path) -> anyhow::Result<Self> {
        let api = Api::read_dir(folder)?;
        Ok(Self { api: Cow::Owned(api), origin: Origin::Folder(folder.to_owned()) })
    }

    /// The *.api.json files of a folder, or where it has none the .api files below it.
    pub(crate) fn of_folder(folder: &Path) -> anyhow::Result<Self> {
        match Api::read_dir(folder) {
            Ok(api) => Ok(Self { api: Cow::Owned(api), origin: Origin::Folder(folder.to_owned()) }),
            Err(none @ ReadError::NoDefinitions { .. }) => {
                match Self::sources(&[folder.to_owned()], &SourceOptions::default()) {
                    Err(error) if is_without_definitions(&error) => Err(none.into()),
                    read => read,
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// `.api` files: trees of VPP's sources, folders of plugins, single files.
    pub(crate) fn sources(roots: &[PathBuf], options: &SourceOptions) -> anyhow::Result<Self> {
        let api = Api::read_api_sources(roots, options)?;
        Ok(Self { api: Cow::Owned(api), origin: Origin::Sources(roots.to_owned()) })
    }

    /// The release they are of, where that is known.
    pub(crate) fn known_release(&self) -> Option<&str> {
        self.api.release.as_deref()
    }

    /// The folder of *.api.json files they are of.
    pub(crate) fn source_folder(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Folder(folder) => Some(folder),
            Origin::Sources(_) | Origin::Release(_) | Origin::Running => None,
        }
    }

    /// Where they come from, for what is said to a person.
    pub(crate) fn origin(&self) -> impl fmt::Display {
        &self.origin
    }

    /// The message of a name.
    pub(crate) fn message(&self, name: &str) -> anyhow::Result<(MessageId, &MessageDef)> {
        self.api.find_message(name).ok_or_else(|| {
            let known = self.api.messages.iter().map(|message| message.name.as_str());
            anyhow!("{} has no message {name}{}", self.origin, did_you_mean(name, known))
        })
    }
}

fn is_without_definitions(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ReadError::NoDefinitions { .. } | ReadError::NoSources { .. }))
}

/// The release, if it is pinned.
pub(crate) fn known_release(release: &str) -> anyhow::Result<&'static str> {
    let releases = vpp_api_json::releases();
    releases.iter().copied().find(|known| *known == release).ok_or_else(|| {
        anyhow!(
            "VPP {release} is not among the releases this program knows ({}); \
             give the folder of its definitions with --api-dir or --api-src",
            releases.join(", ")
        )
    })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Sources(roots) => {
                let roots: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
                f.write_str(&roots.join(", "))
            }
            Self::Release(release) => write!(f, "VPP {release}"),
            Self::Running => f.write_str("the running VPP"),
        }
    }
}
