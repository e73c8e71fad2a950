//! Desired state from files: watched, applied when they change, and pruned: what they do not name any more goes.
//!
//! ```yaml
//! # The agent's configuration
//! file:
//!   path: /etc/edge-router/router.yaml
//! ```
//!
//! ```yaml
//! # router.yaml: edit and save; the agent follows
//! loopbacks:
//!   - { name: loop-a, addresses: [10.0.0.1/24] }
//! routes:
//!   - { prefix: 10.1.0.0/16, via: 10.0.0.2, interface: loop-a }
//! ```
//!
//! A document is a table with a section for each kind of item, called as the kind or its plural, and a section is a list of
//! the kind's values. A path may be a file or a directory; all documents in it (`.yaml`, `.yml`, `.json`, `.toml`, no hidden
//! ones, none in directories below) are one desired state.
//!
//! Documents that are wrong or not there change nothing: what was wanted stays wanted, the plugin's health says what is
//! wrong, and when that is mended it is applied. To want nothing, write an empty document.

mod commands;
mod look;
mod source;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vpp_agent_kernel::{Commands, Context, Origin, Plugin, PluginError};

pub use self::source::FileStore;
use crate::documents::Items;
use crate::{Apply, Engine, Key};

/// Section `file`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct FileConfig {
    /// The file or directory, or a list of them.
    pub path: Paths,
    /// Where another source wants the same item, the one with the higher priority has it.
    pub priority: i32,
    /// What is done where not all can be applied.
    pub apply: Apply,
    /// What is done where an item needs one that no document wants.
    pub unknown_references: UnknownReferences,
    /// Seconds from one look at the files to the next, beside what the system tells about them; 0: only that. File systems
    /// of other machines tell nothing.
    pub check_every: u64,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self {
            path: Paths::default(),
            priority: 0,
            apply: Apply::default(),
            unknown_references: UnknownReferences::default(),
            check_every: 10,
        }
    }
}

/// Files and directories.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Paths {
    /// One.
    One(PathBuf),
    /// Several, which together are one desired state.
    Several(Vec<PathBuf>),
}

impl Default for Paths {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Paths {
    fn list(&self) -> Vec<PathBuf> {
        match self {
            Self::One(path) => vec![path.clone()],
            Self::Several(paths) => paths.clone(),
        }
    }
}

/// What is done where an item of a document needs one that no document wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownReferences {
    /// It is pending until another source wants what it needs, or that is there by itself. The log tells.
    #[default]
    Pending,
    /// The documents are wrong: they have to name all that they need.
    Reject,
}

/// The items of the documents that were read last.
type Origins = Arc<RwLock<Arc<Items>>>;

/// The plugin: files as a source of the engine, by the name `file`.
pub struct FileSource {
    engine: Arc<Engine>,
    config: FileConfig,
    origins: Origins,
}

impl FileSource {
    /// The name of the source.
    pub const SOURCE: &'static str = "file";

    /// The document and line of an item, if a document wants it.
    pub fn origin(&self, key: &Key) -> Option<Origin> {
        self.origins.read().unwrap_or_else(PoisonError::into_inner).origin(key).cloned()
    }
}

impl Plugin for FileSource {
    const NAME: &'static str = "file";
    type Config = FileConfig;
    type Needs = Engine;

    async fn start(config: FileConfig, engine: Arc<Engine>, cx: &Context) -> Result<Self, PluginError> {
        engine.set_priority(Self::SOURCE, config.priority);
        cx.health().waiting("waits for the other plugins");
        Ok(Self { engine, config, origins: Origins::default() })
    }

    async fn ready(&self, cx: &Context) -> Result<(), PluginError> {
        let paths = self.config.path.list();
        if paths.is_empty() {
            return Err(
                "no file to follow: give one as field `path` of section `file`, or leave the plugin out"
                    .into(),
            );
        }
        let engine = (*self.engine).clone();
        let mut store = FileStore::new(engine.clone(), paths);
        store.origins = self.origins.clone();
        store.references = self.config.unknown_references;
        store.check_every =
            (self.config.check_every > 0).then(|| Duration::from_secs(self.config.check_every));
        let (health, apply) = (cx.health().clone(), self.config.apply);
        cx.health().waiting("reads the documents");
        cx.spawn_until_stop("follow", async move {
            engine.follow(Self::SOURCE, store, apply, |state| health.set(state)).await;
        });
        Ok(())
    }

    fn commands() -> Commands {
        Commands::none()
            .with::<commands::PlanCommand>()
            .with::<commands::CheckCommand>()
            .with::<commands::SchemaCommand>()
    }
}
