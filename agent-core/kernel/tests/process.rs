//! An agent as a process: flags, exit codes, signals, subcommands. This program is the agent where a variable says so.

#![allow(clippy::print_stdout, reason = "the agent tells the test what it does")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitCode, Output, Stdio};

use libtest_mimic::{Arguments, Trial};
use rustix::process::{Pid, Signal, kill_process};
use schemars::JsonSchema;
use serde::Deserialize;
use vpp_agent_kernel::{Agent, Commands, Context, Needs, Plugin, PluginError, Provided};

const AS_AGENT: &str = "KERNEL_TEST_IS_AGENT";

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
struct BaseConfig {
    greeting: String,
    hang_at_stop: bool,
    fail_later: bool,
}

/// Says what happens on standard output.
struct Base {
    hang_at_stop: bool,
}

impl Plugin for Base {
    const NAME: &'static str = "base";
    type Config = BaseConfig;
    type Needs = ();

    async fn start(config: BaseConfig, (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        println!("base starts {}", config.greeting);
        if config.fail_later {
            let context = cx.clone();
            cx.spawn("fails", async move { context.give_up("it is over") });
        }
        Ok(Self { hang_at_stop: config.hang_at_stop })
    }

    async fn ready(&self, _: &Context) -> Result<(), PluginError> {
        println!("base ready");
        Ok(())
    }

    async fn stop(&self, _: &Context) {
        println!("base stops");
        if self.hang_at_stop {
            std::future::pending().await
        }
    }

    fn commands() -> Commands {
        Commands::none().with::<Status>().with::<Plan>()
    }
}

/// Stands on the base.
struct Top;

impl Plugin for Top {
    const NAME: &'static str = "top";
    type Config = ();
    type Needs = Base;

    async fn start(_: (), _: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        println!("top starts");
        Ok(Self)
    }

    async fn ready(&self, _: &Context) -> Result<(), PluginError> {
        println!("top ready");
        Ok(())
    }

    async fn stop(&self, _: &Context) {
        println!("top stops");
    }
}

/// Stands on nothing, and nothing on it.
struct Beside;

impl Plugin for Beside {
    const NAME: &'static str = "beside";
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        println!("beside starts");
        Ok(Self)
    }
}

struct Status;

impl vpp_agent_kernel::Command for Status {
    const NAME: &'static str = "status";
    const ABOUT: &'static str = "Asks the agent that runs";
    type Args = ();
    type Needs = ();

    async fn run(_: (), (): (), cx: &Context) -> Result<ExitCode, PluginError> {
        println!("status of {}", cx.agent());
        Ok(ExitCode::from(3))
    }
}

#[derive(clap::Args)]
struct PlanArgs {
    /// The file to plan.
    file: String,
}

struct Plan;

impl vpp_agent_kernel::Command for Plan {
    const NAME: &'static str = "plan";
    const ABOUT: &'static str = "Shows what would be done";
    type Args = PlanArgs;
    type Needs = Base;

    async fn run(args: PlanArgs, _: <Base as Needs>::Provided, _: &Context) -> Result<ExitCode, PluginError> {
        println!("plan of {}", args.file);
        if args.file == "bad" {
            return Err("cannot plan".into());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn main() -> ExitCode {
    if std::env::var_os(AS_AGENT).is_some() {
        return Agent::builder("edge-router")
            .version("1.2.3")
            .plugin::<Top>()
            .plugin::<Base>()
            .plugin::<Beside>()
            .main();
    }
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        trial("signals_stop_in_reverse", signals_stop_in_reverse),
        trial("what_is_logged_changes_nothing_else", what_is_logged_changes_nothing_else),
        trial("a_second_signal_ends_at_once", a_second_signal_ends_at_once),
        trial("giving_up_is_a_failure", giving_up_is_a_failure),
        trial("wrong_configurations_start_nothing", wrong_configurations_start_nothing),
        trial("file_environment_and_flags", file_environment_and_flags),
        trial("flags_tell_without_starting", flags_tell_without_starting),
        trial("commands_start_what_they_need", commands_start_what_they_need),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn agent(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(arguments).env(AS_AGENT, "1").env_remove("RUST_LOG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn outcome(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = agent(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

/// Runs until a line of its output, then gets a signal; what else it says.
fn signalled(child: &mut Child, output: &mut impl BufRead, until: &str, signal: Signal) {
    let mut line = String::new();
    while line.trim_end() != until {
        line.clear();
        assert_ne!(output.read_line(&mut line).expect("read"), 0, "ended before `{until}`");
    }
    let pid = Pid::from_child(child);
    kill_process(pid, signal).expect("it is there");
}

fn signals_stop_in_reverse() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let mut child = agent(&[]).spawn().expect("runs");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        signalled(&mut child, &mut output, "top ready", signal);
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("read");
        let Output { status, stderr, .. } = child.wait_with_output().expect("ends");
        assert_eq!(rest, "top stops\nbase stops\n");
        assert_eq!(status.code(), Some(0));
        assert!(String::from_utf8_lossy(&stderr).contains(&format!("{name} received")));
    }
}

fn what_is_logged_changes_nothing_else() {
    let mut child = agent(&[]).env("RUST_LOG", "off").spawn().expect("runs");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    signalled(&mut child, &mut output, "top ready", Signal::TERM);
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("read");
    let Output { status, stderr, .. } = child.wait_with_output().expect("ends");
    assert_eq!(
        (rest.as_str(), status.code(), stderr.as_slice()),
        ("top stops\nbase stops\n", Some(0), &b""[..])
    );
}

fn a_second_signal_ends_at_once() {
    let mut child = agent(&["--set", "base.hang-at-stop=true"]).spawn().expect("runs");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    signalled(&mut child, &mut output, "top ready", Signal::TERM);
    signalled(&mut child, &mut output, "base stops", Signal::INT);
    let Output { status, stderr, .. } = child.wait_with_output().expect("ends");
    assert_eq!(status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stderr).contains("SIGINT received again"));
}

fn giving_up_is_a_failure() {
    let (code, output, errors) = outcome(&["--set", "base.fail-later=true"]);
    assert_eq!(code, Some(1));
    assert!(output.ends_with("base stops\n"), "{output}");
    assert!(errors.ends_with("edge-router: plugin `base` gave up: it is over\n"), "{errors}");
}

fn wrong_configurations_start_nothing() {
    let (code, output, errors) = outcome(&["--set", "base.greting=x"]);
    assert_eq!((code, output.as_str()), (Some(2), ""));
    let expected =
        "edge-router: --set base.greting=x: base.greting: there is no such field; did you mean `greeting`?\n";
    assert_eq!(errors, expected);
    let (code, _, errors) = outcome(&["--confg", "x"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--config"), "the nearest flag: {errors}");
}

fn file_environment_and_flags() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("edge.yaml");
    std::fs::write(&file, "base:\n  greeting: file\n  fail-later: true\n").expect("written");
    let file = file.to_str().expect("text");
    let first_line = |mut command: Command| {
        let output = command.output().expect("runs");
        String::from_utf8(output.stdout)
            .expect("text")
            .lines()
            .find(|line| line.starts_with("base"))
            .map(str::to_owned)
    };
    let started = |text: &str| Some(format!("base starts {text}"));
    assert_eq!(first_line(agent(&["--config", file])), started("file"));
    let mut command = agent(&[]);
    command.env("EDGE_ROUTER_CONFIG", file);
    assert_eq!(first_line(command), started("file"));
    let mut command = agent(&["-c", file]);
    command.env("EDGE_ROUTER__BASE__GREETING", "environment");
    assert_eq!(first_line(command), started("environment"));
    let mut command = agent(&["-c", file, "--set", "base.greeting=flag"]);
    command.env("EDGE_ROUTER__BASE__GREETING", "environment");
    assert_eq!(first_line(command), started("flag"));

    let mut command = agent(&["-c", file, "--set", "base.greeting=flag", "--print-config"]);
    command.env("EDGE_ROUTER__BASE__FAIL_LATER", "false");
    let printed = String::from_utf8(command.output().expect("runs").stdout).expect("text");
    let expected = "[top]\n\n[base]\n\
                    greeting = \"flag\"     # --set base.greeting=flag\n\
                    fail-later = false    # environment variable EDGE_ROUTER__BASE__FAIL_LATER\n\
                    hang-at-stop = false  # default\n\n[beside]\n";
    assert_eq!(printed, expected);
}

fn flags_tell_without_starting() {
    assert_eq!(outcome(&["--version"]), (Some(0), "edge-router 1.2.3\n".to_owned(), String::new()));
    let (code, output, _) = outcome(&["--help"]);
    assert_eq!(code, Some(0));
    for part in ["--config", "--set", "--print-schema", "EDGE_ROUTER__SECTION__FIELD", "plan", "status"] {
        assert!(output.contains(part), "no {part} in {output}");
    }
    let (code, output, _) = outcome(&["--print-schema"]);
    assert_eq!(code, Some(0));
    let schema: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(schema["properties"]["base"]["properties"]["fail-later"]["type"], "boolean");
}

fn commands_start_what_they_need() {
    assert_eq!(outcome(&["status"]), (Some(3), "status of edge-router\n".to_owned(), String::new()));
    // What stands on the base has started, nothing is ready, and what has no part in it does not start.
    let (code, output, _) = outcome(&["plan", "router.yaml"]);
    let expected = "base starts \ntop starts\nplan of router.yaml\ntop stops\nbase stops\n";
    assert_eq!((code, output.as_str()), (Some(0), expected));
    let (code, output, errors) = outcome(&["plan", "bad", "--set", "base.greeting=x"]);
    assert_eq!((code, errors.as_str()), (Some(1), "plan: cannot plan\n"));
    assert!(output.starts_with("base starts x\n") && output.ends_with("base stops\n"));
    assert_eq!(outcome(&["plan"]).0, Some(2));
}
