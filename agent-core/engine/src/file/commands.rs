//! What files would change: on the command line, in a process that changes nothing.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use vpp_agent_kernel::document::ConfigErrors;
use vpp_agent_kernel::{Command, Context, PluginError};

use super::FileSource;
use super::look::Look;
use super::source::read;
use crate::documents::Items;
use crate::{Engine, Journal, Resync};

#[derive(clap::Args)]
pub(super) struct Documents {
    /// Files and directories; what the configuration says if none is given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Documents {
    fn read(&self, engine: &Engine, source: &FileSource) -> Result<Result<Items, ConfigErrors>, PluginError> {
        let paths = if self.paths.is_empty() { source.config.path.list() } else { self.paths.clone() };
        if paths.is_empty() {
            return Err("which documents? Name a file or directory".into());
        }
        Ok(read(engine, &Look::at(&paths)))
    }
}

/// What the agent remembers, as far as it can be read beside one that runs; and why not.
fn journal(engine: &Engine) -> (Option<Box<dyn Journal>>, Option<String>) {
    #[cfg(feature = "redb")]
    if let Some(path) = engine.state.as_ref().filter(|path| path.exists()) {
        return match crate::RedbJournal::open(&**path) {
            Ok(journal) => (Some(Box::new(journal)), None),
            Err(error) => (None, Some(error.to_string())),
        };
    }
    let _ = engine;
    (None, None)
}

fn show(text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// `plan`
pub(super) struct PlanCommand;

#[derive(clap::Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    documents: Documents,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// As a graph in Graphviz's language
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// How long to wait for what the kinds of items are in
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    wait: f64,
}

impl Command for PlanCommand {
    const NAME: &'static str = "plan";
    const ABOUT: &'static str = "Shows what documents would change now, and changes nothing";
    type Args = PlanArgs;
    type Needs = (Engine, FileSource);

    async fn run(
        args: PlanArgs,
        (engine, source): (Arc<Engine>, Arc<FileSource>),
        _: &Context,
    ) -> Result<ExitCode, PluginError> {
        let items = match args.documents.read(&engine, &source)? {
            Ok(items) => items,
            Err(errors) => {
                show(errors)?;
                return Ok(ExitCode::FAILURE);
            }
        };
        let (journal, unread) = journal(&engine);
        let unobserved = engine.look(journal, Duration::try_from_secs_f64(args.wait)?).await;
        let wanted = items.iter().map(|item| (item.key.clone(), Some(item.value.clone())));
        let transaction = engine.transaction().source(FileSource::SOURCE).set_values(wanted);
        let plan = transaction.resync(Resync::Desired).plan();
        if args.json {
            show(serde_json::to_string_pretty(&plan)?)?;
        } else if args.dot {
            write!(io::stdout(), "{}", plan.dot())?;
        } else {
            show(plan.located(|key| items.origin(key).map(ToString::to_string)))?;
        }
        for why in &unobserved {
            writeln!(io::stderr(), "not known, and so not in the plan: {why}")?;
        }
        if let Some(why) = unread {
            writeln!(
                io::stderr(),
                "what is there and not wanted any more is not in the plan, since the journal cannot be read: {why}"
            )?;
        }
        let whole = unobserved.is_empty() && plan.errors.is_empty();
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// `check`
pub(super) struct CheckCommand;

impl Command for CheckCommand {
    const NAME: &'static str = "check";
    const ABOUT: &'static str = "Reads documents and tells all that is wrong with them";
    type Args = Documents;
    type Needs = (Engine, FileSource);

    async fn run(
        args: Documents,
        (engine, source): (Arc<Engine>, Arc<FileSource>),
        _: &Context,
    ) -> Result<ExitCode, PluginError> {
        let errors = match args.read(&engine, &source)? {
            Ok(items) => match engine.unknown_references(items.iter()) {
                unknown if unknown.is_empty() => {
                    show(format_args!("{} items", items.len()))?;
                    return Ok(ExitCode::SUCCESS);
                }
                unknown => ConfigErrors(unknown),
            },
            Err(errors) => errors,
        };
        show(errors)?;
        Ok(ExitCode::FAILURE)
    }
}

/// `schema`
pub(super) struct SchemaCommand;

impl Command for SchemaCommand {
    const NAME: &'static str = "schema";
    const ABOUT: &'static str = "Prints the JSON schema of documents";
    type Args = ();
    // Plugins that register kinds stand on the engine.
    type Needs = Engine;

    async fn run((): (), engine: Arc<Engine>, _: &Context) -> Result<ExitCode, PluginError> {
        show(format_args!("{:#}", engine.document_schema()))?;
        Ok(ExitCode::SUCCESS)
    }
}
