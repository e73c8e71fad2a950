//! Running the program, as a user or another program would.

// Each test file uses a part of it.
#![allow(dead_code)]

use std::io::Write;
use std::process::{Command, Stdio};

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Standard output of a run that did what it should.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.stderr, "", "{self:?}");
        self.stdout
    }

    /// The one line that a failed run says.
    #[track_caller]
    pub(crate) fn error(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        let line = self.stderr.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {self:?}"));
        line.trim_end().to_owned()
    }

    /// Standard output of a run that did what it should, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// The program with these arguments, and nothing of the environment that would change what it does.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vppkit"));
    command
        .args(arguments)
        .env_remove("VPP_API_SOCKET")
        .env_remove("VPP_STATS_SOCKET")
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR");
    command.env_remove("CLICOLOR_FORCE").env_remove("COMPLETE");
    command
}

/// Runs the program.
pub(crate) fn vppkit(arguments: &[&str]) -> Outcome {
    with_input(arguments, "")
}

/// Runs the program on this standard input.
pub(crate) fn with_input(arguments: &[&str], input: &str) -> Outcome {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that ends before it read everything is what some tests are about.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
