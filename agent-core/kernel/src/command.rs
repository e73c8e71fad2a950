//! Subcommands that plugins add to the agent's command line.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches};

use crate::needs::{Need, Started};
use crate::{Context, Needs, PluginError};

/// A subcommand of an agent: `edge-router plan router.yaml`. A plugin adds it by [`Plugin::commands`](crate::Plugin::commands).
///
/// An agent that is asked for a command does not run. Started are the plugins that the command needs, those that stand
/// on them (they may have registered what it is about), and what these need; none is made ready; all are stopped behind
/// it. A command that needs nothing starts nothing: it may ask the agent that runs.
pub trait Command: 'static {
    /// Its name on the command line.
    const NAME: &'static str;

    /// What it does, in a line.
    const ABOUT: &'static str;

    /// Its arguments: a struct with `#[derive(clap::Args)]`, or `()`.
    type Args: Args + Send;

    /// The plugins that it works with.
    type Needs: Needs;

    /// Does it. What it tells goes to standard output.
    ///
    /// # Errors
    /// Are shown, and the exit code is 1.
    fn run(
        args: Self::Args,
        needs: <Self::Needs as Needs>::Provided,
        cx: &Context,
    ) -> impl Future<Output = Result<ExitCode, PluginError>> + Send;
}

/// The commands of a plugin.
#[derive(Default)]
pub struct Commands(pub(crate) Vec<Entry>);

impl Commands {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// And this one.
    #[must_use]
    pub fn with<C: Command>(mut self) -> Self {
        let mut needs = Vec::new();
        C::Needs::list(&mut needs);
        self.0.push(Entry { name: C::NAME, clap: clap::<C>, needs, run: run::<C> });
        self
    }
}

type Outcome = Result<ExitCode, PluginError>;
type Run = fn(ArgMatches, Started, Context) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A command without its type.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) clap: fn() -> clap::Command,
    pub(crate) needs: Vec<Need>,
    pub(crate) run: Run,
}

fn clap<C: Command>() -> clap::Command {
    C::Args::augment_args(clap::Command::new(C::NAME).about(C::ABOUT))
}

fn run<C: Command>(
    args: ArgMatches,
    started: Started,
    cx: Context,
) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        let args = C::Args::from_arg_matches(&args)?;
        let needs = C::Needs::take(&started).ok_or("a plugin that the command needs has not started")?;
        C::run(args, needs, &cx).await
    })
}
