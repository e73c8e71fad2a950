//! `plan`, `check` and `schema` as a user calls them. This program is the agent where a variable says so.

#![allow(clippy::print_stderr, reason = "the agent tells the test what was called")]

#[path = "files/kinds.rs"]
mod kinds;

use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::sync::LazyLock;

use libtest_mimic::{Arguments, Trial};
use vpp_agent_engine::file::FileSource;
use vpp_agent_engine::{Engine, RedbJournal};
use vpp_agent_kernel::{Agent, Context, Plugin, PluginError};

use kinds::{Kinds, Loopbacks, Router};

const AS_AGENT: &str = "FILE_TEST_IS_AGENT";

/// Says at the end what was called.
struct Witness;

impl Plugin for Witness {
    const NAME: &'static str = "witness";
    type Config = ();
    type Needs = Kinds;

    async fn start(_: (), _: std::sync::Arc<Kinds>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self)
    }

    async fn stop(&self, _: &Context) {
        eprintln!("calls: {:?}", current().calls());
    }
}

static SOUTHBOUND: LazyLock<Router> = LazyLock::new(Router::new);

fn current() -> Router {
    SOUTHBOUND.clone()
}

fn agent() -> ExitCode {
    if std::env::var_os("WITH_LOOP_A").is_some() {
        let there = serde_json::from_value(serde_json::json!({ "name": "loop-a" })).expect("a loopback");
        current().put::<Loopbacks>(there);
    }
    let agent = Agent::builder("router").plugin::<Engine>().plugin::<Kinds>().plugin::<Witness>();
    agent.plugin::<FileSource>().main()
}

const ROUTER: &str = "\
loopbacks:
  - { name: loop-a, addresses: [10.0.0.1/24] }
routes:
  - { prefix: 10.1.0.0/16, via: 10.0.0.2, interface: loop-a }
";

const BROKEN: &str = "\
loopbacks:
  - { name: loop-a, mtu: 5 }
routes:
  - { prefix: 10.1.0.0/16, via: 10.0.0.2, interface: loop-b }
  - { prefix: 10.1.0.0/16, via: nowhere, interface: loop-a }
";

const UNKNOWN: &str = "\
routes:
  - { prefix: 10.1.0.0/16, via: 10.0.0.2, interface: loop-b }
";

fn run(folder: &Path, variables: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(AS_AGENT, "1").current_dir(folder).args(arguments);
    for variable in variables {
        command.env(variable, "1");
    }
    command.output().expect("runs")
}

fn told(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{}\n{}{errors}", output.status, String::from_utf8_lossy(&output.stdout))
}

fn main() -> ExitCode {
    if std::env::var_os(AS_AGENT).is_some() {
        return agent();
    }
    let test = |name: &str, variables: &'static [&'static str], arguments: &'static [&'static str]| {
        let snapshot = name.to_owned();
        Trial::test(name, move || {
            let folder = tempfile::tempdir()?;
            for (name, text) in [("router.yaml", ROUTER), ("broken.yaml", BROKEN), ("unknown.yaml", UNKNOWN)]
            {
                std::fs::write(folder.path().join(name), text)?;
            }
            std::fs::write(folder.path().join("half.yaml"), "loopbacks: [{ name: a")?;
            std::fs::write(folder.path().join("agent.toml"), "[file]\npath = 'router.yaml'\n")?;
            let output = run(folder.path(), variables, arguments);
            insta::assert_snapshot!(snapshot, told(&output));
            Ok(())
        })
    };
    let beside = Trial::test("plan_beside_an_agent_that_runs", || {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("router.yaml"), ROUTER)?;
        let agent = "[file]\npath = 'router.yaml'\n[engine]\nstate = 'state.redb'\n";
        std::fs::write(folder.path().join("agent.toml"), agent)?;
        let state = folder.path().join("state.redb");
        let plan = || run(folder.path(), &[], &["-c", "agent.toml", "plan"]);
        assert!(plan().status.success());
        assert!(!state.exists(), "a plan makes no journal");
        let journal = RedbJournal::open(&state)?;
        let told = told(&plan());
        assert!(told.starts_with("exit status: 0\n+ loopback/loop-a "), "{told}");
        assert!(told.contains("not in the plan, since the journal cannot be read"), "{told}");
        drop(journal);
        let whole = plan();
        assert_eq!(String::from_utf8_lossy(&whole.stderr), "calls: []\n");
        Ok(())
    });
    let tests = vec![
        beside,
        test("plan", &[], &["plan", "router.yaml"]),
        test("plan_of_the_configured_path", &[], &["--set", "file.path=router.yaml", "plan"]),
        test("plan_beside_what_is_there", &["WITH_LOOP_A"], &["-c", "agent.toml", "plan"]),
        test("plan_as_json", &[], &["plan", "unknown.yaml", "--json"]),
        test("plan_as_graph", &[], &["plan", "router.yaml", "--dot"]),
        test("plan_of_unknown_references", &[], &["plan", "unknown.yaml"]),
        test("plan_of_broken_documents", &[], &["plan", "broken.yaml"]),
        test("plan_of_nothing", &[], &["plan"]),
        test("check", &[], &["check", "router.yaml"]),
        test("check_of_broken_documents", &[], &["check", "broken.yaml", "half.yaml", "none.yaml"]),
        test("check_of_unknown_references", &[], &["check", "unknown.yaml"]),
        test("schema", &[], &["schema"]),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
