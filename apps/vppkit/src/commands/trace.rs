//! `vppkit trace`.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use vpp_conn::Connection;
use vpp_schema::Api;

use super::cli::Cli;
use super::decode::decode;
use super::typed::Way;
use crate::cli::TraceArgs;
use crate::definitions::Definitions;
use crate::input;
use crate::interrupt::Interrupt;
use crate::output::{Format, Output, note};
use crate::recording::{self, Content, Recorded, Recording};
use crate::running::{close, connect};
use crate::similar::most_like;

/// How often VPP is asked for what it recorded.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Messages of VPP's trace from which on it is begun anew, since VPP tells all of them each time.
const LONG: usize = 4096;

/// Prints what VPP recorded.
pub(crate) async fn run(arguments: &TraceArgs, output: &mut Output) -> anyhow::Result<()> {
    let Some(file) = &arguments.file else { return live(arguments, output).await };
    let recording = Recording::read(file)?;
    if recording.is_wrapped {
        note("VPP gave up older messages; the first of this trace is not the first that was sent");
    }
    let definitions = match (Definitions::named(&arguments.definitions)?, &recording.table) {
        (Some(definitions), _) => definitions,
        (None, Some(table)) => Definitions::release(most_like(table, vpp_api_json::releases()))?,
        (None, None) => Definitions::offline(&arguments.definitions)?,
    };
    let limit = arguments.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    for (index, message) in recording.messages.iter().enumerate().take(limit) {
        print(output, index, message, &definitions.api)?;
    }
    output.flush()?;
    Ok(())
}

/// One message on one line.
fn print(output: &mut Output, index: usize, message: &Recorded, api: &Api) -> anyhow::Result<()> {
    let fields = match &message.content {
        Content::Fields(fields) => Ok(fields.clone()),
        Content::Bytes(bytes) => read(api, message, bytes).map_err(|error| (error, bytes)),
    };
    match (output.format, fields) {
        (Format::Json, Ok(fields)) => output.json_line(&fields)?,
        (Format::Json, Err((error, bytes))) => {
            let mut hex = String::new();
            input::push_hex(bytes, &mut hex);
            output.json_line(&serde_json::json!({
                "_msgname": message.name, "_crc": message.crc.map(|crc| format!("{crc:08x}")),
                "hex": hex, "error": error.to_string(),
            }))?;
        }
        (Format::Text, Ok(mut fields)) => {
            let mut word = |name: &str| fields.shift_remove(name).and_then(|word| word.as_u64());
            let _id = word("_vl_msg_id");
            let client = word("client_index").map_or(String::new(), |client| format!("{client:08x}"));
            let context = word("context").map_or(String::new(), |context| context.to_string());
            fields.retain(|name, _| !name.starts_with('_'));
            let fields = if fields.is_empty() { String::new() } else { Value::Object(fields).to_string() };
            writeln!(output, "{index:>6}  {client:8}  {context:>10}  {}  {fields}", message.name)?;
        }
        (Format::Text, Err((error, bytes))) => {
            let mut hex = String::new();
            input::push_hex(bytes, &mut hex);
            writeln!(output, "{index:>6}  {:8}  {:>10}  {}  {hex} ({error})", "", "", message.name)?;
        }
    }
    Ok(())
}

/// A recorded message in VPP's JSON form, header included.
fn read(api: &Api, message: &Recorded, bytes: &[u8]) -> anyhow::Result<Map<String, Value>> {
    let known = api.find_message(&message.name).filter(|(_, known)| message.crc == Some(known.crc));
    let Some((id, _)) = known else { bail!("not among the definitions") };
    decode(api, Way::Dynamic, id, bytes, true)
}

/// Prints what clients send to a running VPP, until it is interrupted.
async fn live(arguments: &TraceArgs, output: &mut Output) -> anyhow::Result<()> {
    let connection = connect(&arguments.socket.socket, None).await?;
    let recorded = connection.clone();
    recording::follow(move || Some(recorded.clone()), None);
    let mut trace = VppTrace::begin(&connection).await?;
    let watched = watch(&mut trace, arguments, output).await;
    let ended = trace.end().await;
    close(connection, None).await;
    watched.and(ended)
}

async fn watch(trace: &mut VppTrace, arguments: &TraceArgs, output: &mut Output) -> anyhow::Result<()> {
    let api = vpp_api_json::api(vpp_api_json::newest())?;
    let mut interrupt = Interrupt::new()?;
    let mut seen = 0;
    loop {
        for message in trace.news().await? {
            print(output, seen, &message, api)?;
            seen += 1;
            if arguments.count.is_some_and(|count| seen as u64 >= count) {
                output.flush()?;
                return Ok(());
            }
        }
        output.flush()?;
        tokio::select! {
            biased;
            () = interrupt.wait() => return Ok(()),
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
    }
}

/// VPP's own recording of what its clients send.
struct VppTrace {
    cli: Cli,
    /// It was off before, and is to be off again.
    is_ours: bool,
    /// How many of its messages were seen.
    seen: usize,
}

impl VppTrace {
    async fn begin(connection: &Connection) -> anyhow::Result<Self> {
        let cli = Cli::on(connection.clone())?;
        let status = said(&cli, "api trace status").await?;
        let is_ours = !status.contains("is enabled");
        if is_ours {
            said(&cli, "api trace on").await?;
        }
        let mut trace = Self { cli, is_ours, seen: 0 };
        // What was recorded before is not news.
        trace.seen = trace.all().await?.len();
        Ok(trace)
    }

    /// All that VPP has recorded.
    async fn all(&self) -> anyhow::Result<Vec<Value>> {
        let text = said(&self.cli, "api trace dump-json").await?;
        serde_json::Deserializer::from_str(&text)
            .into_iter()
            .collect::<Result<_, _>>()
            .context("what VPP recorded cannot be read")
    }

    /// What came since this was last asked, without what this program sends itself.
    async fn news(&mut self) -> anyhow::Result<Vec<Recorded>> {
        let mut all = self.all().await?;
        let len = all.len();
        if len < self.seen {
            note("VPP's trace was begun anew; some messages are not shown");
            self.seen = 0;
        }
        let news = all.drain(self.seen..).map(Recorded::json).collect::<anyhow::Result<Vec<_>>>()?;
        self.seen = len;
        if self.is_ours && len >= LONG {
            said(&self.cli, "api trace free").await?;
            said(&self.cli, "api trace on").await?;
            self.seen = 0;
            note("VPP's trace was begun anew; messages of this moment may be missing");
        }
        Ok(news.into_iter().filter(|message| !self.is_own(message)).collect())
    }

    /// Whether this is a question of ours.
    fn is_own(&self, message: &Recorded) -> bool {
        let Content::Fields(fields) = &message.content else { return false };
        message.name == "cli_inband"
            && fields.get("cmd").and_then(Value::as_str).is_some_and(|cmd| cmd.starts_with("api trace "))
    }

    async fn end(self) -> anyhow::Result<()> {
        if self.is_ours {
            said(&self.cli, "api trace free").await?;
        }
        Ok(())
    }
}

/// What VPP's debug CLI says to a command.
async fn said(cli: &Cli, command: &str) -> anyhow::Result<String> {
    let (text, _, refused) = cli.ask(command).await?;
    match refused {
        Some(refused) => Err(refused.into()),
        None => Ok(text),
    }
}
