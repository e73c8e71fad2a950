//! `vppkit replay`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use vpp_schema::{Answer, MessageDef, MessageId};

use super::call::no_request;
use super::dump::details;
use crate::cli::ReplayArgs;
use crate::failure::{Refused, sentence};
use crate::interrupt::or_interrupted;
use crate::output::{Format, Output, note};
use crate::recording::{Content, Recorded, Recording};
use crate::running::{Running, refusal, with_running};

/// Sends recorded requests, one after another, and prints what came of each.
pub(crate) async fn run(arguments: &ReplayArgs, output: &mut Output) -> anyhow::Result<()> {
    let recording = Recording::read(&arguments.file)?;
    if recording.is_wrapped {
        note("VPP gave up older messages; what the first of this trace need may be missing");
    }
    with_running(&arguments.socket, arguments.timeout, &arguments.definitions, async |running| {
        or_interrupted(replay(running, &recording, arguments.keep_going, output)).await
    })
    .await
}

/// How many messages came to what.
#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    skipped: usize,
}

async fn replay(
    running: &Running,
    recording: &Recording,
    keep_going: bool,
    output: &mut Output,
) -> anyhow::Result<()> {
    let (mut tally, mut first) = (Tally::default(), None);
    for (index, message) in recording.messages.iter().enumerate() {
        if let Some(why) = no_replay(running, message) {
            tally.skipped += 1;
            print(output, index, message, "skipped", why)?;
            continue;
        }
        match send(running, message).await {
            Ok(answer) => {
                tally.done += 1;
                print(output, index, message, "done", answer)?;
            }
            Err(error) => {
                tally.failed += 1;
                print(output, index, message, "failed", sentence(&error).into())?;
                output.flush()?;
                let is_fatal = !error.is::<Refused>() && running.connection.lost().is_some();
                let error = error.context(format!("message {index}"));
                if !keep_going || is_fatal {
                    return Err(error);
                }
                first.get_or_insert(error);
            }
        }
    }
    output.flush()?;
    let Tally { done, failed, skipped } = tally;
    note(format_args!("{done} done, {failed} failed, {skipped} skipped"));
    first.map_or(Ok(()), Err)
}

fn print(
    output: &mut Output,
    index: usize,
    message: &Recorded,
    outcome: &str,
    more: Value,
) -> anyhow::Result<()> {
    match output.format {
        Format::Json => {
            output.json_line(&json!({"index": index, "name": message.name, outcome: more}))?;
        }
        Format::Text => {
            let more = match more {
                Value::String(text) => text,
                Value::Object(fields) if fields.is_empty() => String::new(),
                more => more.to_string(),
            };
            writeln!(output, "{index:>6}  {:7}  {}  {more}", outcome, message.name)?;
        }
    }
    Ok(())
}

/// Why a message is left out: it was about the connection that it came over, or VPP sent it.
fn no_replay(running: &Running, message: &Recorded) -> Option<Value> {
    let api = running.api();
    let (id, definition) = api.find_message(&message.name)?;
    let is_ping = message.name == "control_ping";
    if api.module(definition.module).name == "memclnt" && !is_ping {
        return Some("is about the connection it came over".into());
    }
    match api.answer(id) {
        Some(Answer::Nothing) => Some("is never answered; VPP has it for its own use".into()),
        None => Some(no_request(api, id).into()),
        Some(_) => None,
    }
}

/// Sends a request, and gives what VPP answered: the reply's fields, or the number of details.
async fn send(running: &Running, message: &Recorded) -> anyhow::Result<Value> {
    let api = running.api();
    let Some((request, definition)) = api.find_message(&message.name) else {
        bail!(
            "this VPP has no {}; the plugin that defines it is not loaded, or its release is another",
            message.name
        )
    };
    let payload = payload(running, message, request, definition)?;
    match api.answer(request) {
        Some(Answer::Reply(reply)) => {
            let bytes =
                running.connection.raw().call(running.raw(request)?, &payload, running.raw(reply)?).await?;
            let mut fields = api.decode_payload(reply, &bytes).context("the reply cannot be read")?;
            if let Some(refused) = refusal(&message.name, &fields) {
                return Err(refused.into());
            }
            fields.retain(|name, _| !name.starts_with('_') && name != "retval");
            Ok(Value::Object(fields))
        }
        _ => {
            let (mut stream, _) = details(running, &message.name, request, &payload)?;
            let mut count = 0_u64;
            while stream.next().await?.is_some() {
                count += 1;
            }
            Ok(json!({ "details": count }))
        }
    }
}

/// The payload of a recorded request as this VPP takes it.
fn payload(
    running: &Running,
    message: &Recorded,
    request: MessageId,
    definition: &MessageDef,
) -> anyhow::Result<Vec<u8>> {
    let same = message.crc.is_none_or(|crc| crc == definition.crc);
    match &message.content {
        Content::Bytes(bytes) if same => {
            bytes.get(definition.header.len()..).map(<[u8]>::to_vec).context("ends within its header")
        }
        Content::Bytes(_) => bail!(
            "this VPP speaks another {}: it has {:08x}; save the trace with `vppkit trace --json` where it was \
             recorded, and replay that",
            message.name,
            definition.crc
        ),
        Content::Fields(fields) => {
            // Another CRC is no reason to refuse: names of fields that are not there are.
            let mut fields: Map<String, Value> = fields.clone();
            fields.remove("_crc");
            Ok(running.api().encode_payload(request, &Value::Object(fields))?)
        }
    }
}
