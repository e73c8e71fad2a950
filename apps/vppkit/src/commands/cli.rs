//! `vppkit cli`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};
use serde_json::{Value, json};
use vpp_conn::Connection;
use vpp_schema::{Answer, Api};

use crate::cli::CliArgs;
use crate::failure::{Refused, sentence};
use crate::interrupt::or_interrupted;
use crate::output::{Format, Output, error};
use crate::recording;
use crate::running::{close, connect, raw, refusal};

const PROMPT: &str = "vpp# ";

/// Lines of the prompt that are kept.
const HISTORY: usize = 1000;

/// Runs one command, those of standard input, or those of a prompt.
pub(crate) async fn run(arguments: &CliArgs, output: &mut Output) -> anyhow::Result<()> {
    let connection = connect(&arguments.socket.socket, arguments.timeout).await?;
    let recorded = connection.clone();
    recording::follow(move || Some(recorded.clone()), None);
    let cli = Cli::on(connection)?;
    let result = if !arguments.command.is_empty() {
        cli.command(&arguments.command.join(" "), output).await
    } else if io::stdin().is_terminal() {
        cli.prompt(output).await
    } else {
        cli.lines(arguments.keep_going, output).await
    };
    close(cli.connection, None).await;
    result
}

/// VPP's debug CLI, over a connection.
pub(super) struct Cli {
    connection: Connection,
    /// Definitions with `cli_inband`, which all releases since 20.01 share.
    api: &'static Api,
}

impl Cli {
    pub(super) fn on(connection: Connection) -> anyhow::Result<Self> {
        Ok(Self { connection, api: vpp_api_json::api(vpp_api_json::newest())? })
    }

    /// Runs a command and prints what VPP says. A refusal is an error.
    async fn command(&self, command: &str, output: &mut Output) -> anyhow::Result<()> {
        let (text, retval, refused) = or_interrupted(self.ask(command)).await?;
        match output.format {
            Format::Json => {
                output.json_line(&json!({"command": command, "retval": retval, "reply": text}))?;
            }
            Format::Text => {
                write_safely(output, &text)?;
                if !text.is_empty() && !text.ends_with('\n') {
                    writeln!(output)?;
                }
            }
        }
        output.flush()?;
        refused.map_or(Ok(()), |refused| Err(refused.into()))
    }

    /// What VPP prints, its return code, and whether it refused.
    pub(super) async fn ask(&self, command: &str) -> anyhow::Result<(String, Value, Option<Refused>)> {
        let Some((id, request)) = self.api.find_message("cli_inband") else {
            bail!("there is no definition of cli_inband");
        };
        let Some(Answer::Reply(reply_id)) = self.api.answer(id) else {
            bail!("{} has no reply", request.name);
        };
        let payload = self.api.encode_payload(id, &json!({"cmd": command}))?;
        let reply = self.api.message(reply_id);
        let bytes = self.connection.raw().call(raw(request), &payload, raw(reply)).await?;
        let mut decoded = self.api.decode_payload(reply_id, &bytes).context("the reply cannot be read")?;
        let refused = refusal(command, &decoded);
        let text = match decoded.remove("reply") {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        Ok((text, decoded.remove("retval").unwrap_or_default(), refused))
    }

    /// Runs the lines of standard input. Ends at the first that VPP refuses, or goes on and tells at the end.
    async fn lines(&self, keep_going: bool, output: &mut Output) -> anyhow::Result<()> {
        let mut first: Option<anyhow::Error> = None;
        let mut lines = io::BufReader::new(io::stdin());
        let (mut line, mut number) = (String::new(), 0_u64);
        loop {
            line.clear();
            if lines.read_line(&mut line).context("cannot read standard input")? == 0 {
                break;
            }
            number += 1;
            let Some(command) = command_of(&line) else { continue };
            let Err(failed) = self.command(command, output).await else { continue };
            let is_refused = failed.is::<Refused>();
            let failed = failed.context(format!("line {number}"));
            if !keep_going || !is_refused {
                return Err(failed);
            }
            if first.is_none() {
                first = Some(failed);
            } else {
                error(sentence(&failed));
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Runs the commands of a prompt until Ctrl-D, `quit` or `exit`. A refusal is told and is no end.
    async fn prompt(&self, output: &mut Output) -> anyhow::Result<()> {
        let config = Config::builder().max_history_size(HISTORY)?.history_ignore_space(true).build();
        let mut editor: Editor<(), FileHistory> = Editor::with_config(config)?;
        let history = history_file();
        if let Some(history) = &history {
            // There is none the first time.
            let _ = editor.load_history(history);
        }
        loop {
            // Waiting for a person must not keep the connection from its work.
            let (line, back) = tokio::task::spawn_blocking(move || {
                let line = editor.readline(PROMPT);
                (line, editor)
            })
            .await?;
            editor = back;
            let line = match line {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error).context("cannot read the prompt"),
            };
            let Some(command) = command_of(&line) else { continue };
            if matches!(command, "quit" | "exit" | "q") {
                break;
            }
            editor.add_history_entry(command)?;
            match self.command(command, output).await {
                Ok(()) => {}
                Err(failed) if failed.is::<Refused>() => error(sentence(&failed)),
                Err(failed) => return Err(failed),
            }
        }
        if let Some(history) = &history {
            if let Some(folder) = history.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make {}", folder.display()))?;
            }
            editor
                .save_history(history)
                .with_context(|| format!("cannot write the history {}", history.display()))?;
        }
        Ok(())
    }
}

/// The command of a line; `None` for an empty one and a remark.
fn command_of(line: &str) -> Option<&str> {
    let line = line.trim();
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

/// Text of VPP: lines and tabs are as they are, other control characters must not reach a terminal.
fn write_safely(output: &mut Output, text: &str) -> io::Result<()> {
    let text = text.trim_end_matches('\0').replace("\r\n", "\n");
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    output.write_all(safe.as_bytes())
}

/// Where the lines of the prompt are kept: in the folder for a user's state.
fn history_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("vppkit/cli_history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_and_remarks_are_no_commands() {
        assert_eq!(command_of(" show version \n"), Some("show version"));
        assert_eq!(command_of("\n"), None);
        assert_eq!(command_of("  # show version"), None);
    }
}
