//! An agent as a process: flags, logs, signals, exit code.

use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Builder;
use crate::AgentError;
use crate::config::{self, Settings};
use crate::error::chain;

/// The exit code where nothing has started because of what was written.
const WRONG: u8 = 2;

pub(super) fn main(agent: Builder) -> ExitCode {
    let name = agent.name;
    // Before anything is read: a list of plugins that does not fit is no matter of flags.
    let outcome = agent.wire().and_then(|_| match flags(&agent).try_get_matches() {
        Ok(matches) => obey(agent, &matches),
        Err(error) => {
            let _ = error.print();
            Ok(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG)))
        }
    });
    outcome.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{name}: {error}");
        match error {
            AgentError::Config(_) | AgentError::Wiring { .. } => ExitCode::from(WRONG),
            _ => ExitCode::FAILURE,
        }
    })
}

fn flags(agent: &Builder) -> clap::Command {
    let prefix = config::environment_prefix(agent.name);
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
    let file = match cfg!(feature = "yaml") {
        true => "Configuration in TOML, YAML or JSON",
        false => "Configuration in TOML or JSON",
    };
    let mut command = clap::Command::new(agent.name)
        .arg(flag("config", file).short('c').value_name("FILE").global(true))
        .arg(
            flag("set", "Sets a field over file and environment: vpp.socket=/run/vpp/api.sock")
                .value_name("FIELD=VALUE")
                .action(ArgAction::Append)
                .global(true),
        )
        .arg(flag("verbose", "Logs more; twice, everything").short('v').action(ArgAction::Count).global(true))
        .arg(flag("print-schema", "Prints the JSON schema of the configuration").action(ArgAction::SetTrue))
        .arg(
            flag(
                "print-config",
                "Checks the configuration and prints it, each value with where it comes from",
            )
            .action(ArgAction::SetTrue),
        )
        .after_help(environment(&prefix));
    if !agent.version.is_empty() {
        command = command.version(agent.version);
    }
    command
        .subcommands(agent.plugins.iter().flat_map(|plugin| &plugin.commands).map(|command| (command.clap)()))
}

/// What the environment does, for `--help`.
fn environment(prefix: &str) -> String {
    let field = format!("{prefix}__SECTION__FIELD");
    let width = field.len() + 2;
    let file = format!("{prefix}_CONFIG");
    format!(
        "Environment:\n  {file:width$}The same as --config\n  {field:width$}Sets a field over the file\n  \
         {:width$}What is logged, instead of -v",
        "RUST_LOG"
    )
}

/// Does what the flags say.
fn obey(mut agent: Builder, matches: &ArgMatches) -> Result<ExitCode, AgentError> {
    if matches.get_flag("print-schema") {
        return Ok(show(&format!("{:#}\n", agent.schema())));
    }
    let settings = settings(agent.name, matches);
    if matches.get_flag("print-config") {
        let configured = agent.configure(&settings)?;
        let sections = agent.plugins.iter().map(|plugin| plugin.name).zip(&configured.sections);
        return Ok(show(&config::print(sections, &configured.schema)));
    }
    let command =
        matches.subcommand().and_then(|(name, args)| Some((agent.take_command(name)?, args.clone())));
    start_logs(matches.get_count("verbose"), command.is_some());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| AgentError::Setup { attempted: "start the async runtime", source })?;
    let outcome = runtime.block_on(async {
        let mut signals =
            Signals::new().map_err(|source| AgentError::Setup { attempted: "receive signals", source })?;
        let first = tokio_util::sync::CancellationToken::new();
        let told = first.clone();
        let listener = async move {
            let signal = signals.next().await;
            tracing::info!("{signal} received");
            told.cancel();
            signals.next().await
        };
        let work = async {
            match command {
                Some((command, args)) => agent.run_command(&settings, command, args, first.cancelled()).await,
                None => agent.run(settings, first.cancelled()).await.map(|()| ExitCode::SUCCESS),
            }
        };
        tokio::select! {
            outcome = work => outcome,
            signal = listener => {
                tracing::error!("{signal} received again: ends at once");
                Ok(ExitCode::FAILURE)
            }
        }
    });
    // A thread that a plugin blocks does not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

impl Builder {
    /// The command of this name; the plugin that had it goes on without it.
    fn take_command(&mut self, name: &str) -> Option<crate::command::Entry> {
        self.plugins.iter_mut().find_map(|plugin| {
            let place = plugin.commands.iter().position(|command| command.name == name)?;
            Some(plugin.commands.remove(place))
        })
    }

    async fn run_command(
        self,
        settings: &Settings,
        command: crate::command::Entry,
        args: ArgMatches,
        shutdown: impl Future<Output = ()>,
    ) -> Result<ExitCode, AgentError> {
        let mut life = self.life_for(settings, &command)?;
        let cx = life.context(command.name);
        let work = async {
            life.start().await?;
            let outcome = (command.run)(args, life.started().clone(), cx.clone()).await;
            Ok(outcome.unwrap_or_else(|error| {
                let _ = writeln!(io::stderr(), "{}: {}", command.name, chain(error.as_ref()));
                ExitCode::FAILURE
            }))
        };
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = shutdown => Ok(ExitCode::FAILURE),
        };
        cx.tasks.end(Duration::ZERO).await;
        let stopped = life.stop().await;
        outcome.and_then(|code| stopped.map(|()| code))
    }
}

fn settings(agent: &str, matches: &ArgMatches) -> Settings {
    let variables: Vec<_> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let of_environment = format!("{}_CONFIG", config::environment_prefix(agent));
    let of_environment = variables.iter().find(|(name, _)| *name == of_environment).map(|(_, value)| value);
    let file = matches.get_one::<String>("config").or(of_environment);
    let settings = file.map_or_else(Settings::none, Settings::file).variables(variables.iter().cloned());
    matches.get_many::<String>("set").into_iter().flatten().cloned().fold(settings, Settings::set)
}

/// Logs go to standard error. A panic is a line of them, in the span of the plugin whose it is.
fn start_logs(verbosity: u8, is_command: bool) {
    let level = match (verbosity, is_command) {
        (0, true) => "warn",
        (0, false) | (1, true) => "info",
        (1, false) | (2, true) => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let is_terminal = io::stderr().is_terminal();
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(is_terminal);
    // Another subscriber of the program's own goes before.
    let _ = logs.try_init();
    std::panic::set_hook(Box::new(|panic| {
        let text = crate::tasks::panic_text(panic.payload());
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("panicked at {place}: {text}");
    }));
}

fn show(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads to the end, as with `| head`.
        Err(_) => ExitCode::FAILURE,
    }
}

/// The signals that ask a process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
