//! `vppkit dump`.

use std::io::{self, Write};

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use vpp_conn::{RawEnd, RawStream};
use vpp_schema::{Answer, MessageId};
use vpp_wire::Cursor;

use super::call::no_request;
use crate::cli::CallArgs;
use crate::input;
use crate::interrupt::or_interrupted;
use crate::output::{Format, Output, Table, write_record};
use crate::running::{Running, with_running};

/// Sends a request that is answered by many messages, and prints them.
pub(crate) async fn run(arguments: &CallArgs, output: &mut Output) -> anyhow::Result<()> {
    let fields = input::fields(arguments.fields.as_deref())?;
    with_running(&arguments.socket, arguments.timeout, &arguments.definitions, async |running| {
        or_interrupted(dump(running, &arguments.name, &fields, output)).await
    })
    .await
}

async fn dump(running: &Running, name: &str, fields: &Value, output: &mut Output) -> anyhow::Result<()> {
    let api = running.api();
    let (request, _) = running.definitions.message(name)?;
    let payload = api.encode_payload(request, fields)?;
    let (mut stream, (details, reply)) = details(running, name, request, &payload)?;

    let mut rows = Rows::new(output);
    while let Some(bytes) = stream.next().await? {
        rows.push(
            api.decode_payload(details, &bytes)
                .with_context(|| format!("{name}: an answer cannot be read"))?,
        )?;
    }
    if let (Some(reply), Some(bytes)) = (reply, stream.reply()) {
        rows.end(
            api.decode_payload(reply, bytes).with_context(|| format!("{name}: the reply cannot be read"))?,
        )?;
    }
    rows.finish()?;
    Ok(())
}

/// Sends a request that is answered by many messages: these, and what a reply that ends them is.
pub(super) fn details(
    running: &Running,
    name: &str,
    request: MessageId,
    payload: &[u8],
) -> anyhow::Result<(RawStream, (MessageId, Option<MessageId>))> {
    let api = running.api();
    let (details, reply) = match api.answer(request) {
        Some(Answer::Details(details)) => (details, None),
        Some(Answer::Stream { details, reply }) => (details, Some(reply)),
        Some(Answer::Reply(_)) => bail!("{name} is answered by one message; use: vppkit call {name}"),
        Some(Answer::Nothing) => bail!("{name} is never answered; VPP has it for its own use"),
        None => bail!("{}", no_request(api, request)),
    };
    let end = match reply {
        Some(reply) => end(running, request, reply)?,
        None => RawEnd::ControlPing,
    };
    let raw = running.connection.raw();
    let stream = raw.dump(running.raw(request)?, payload, running.raw(details)?, end)?;
    Ok((stream, (details, reply)))
}

/// How a stream ends that has a reply of its own.
fn end(running: &Running, request: MessageId, reply: MessageId) -> anyhow::Result<RawEnd<'_>> {
    let api = running.api();
    let places = api.message(request).cursor(api).zip(api.message(reply).cursor(api));
    let cursor = places.map(|(request, reply)| Cursor { request, reply });
    Ok(RawEnd::Reply { reply: running.raw(reply)?, retval: api.message(reply).retval(api), cursor })
}

/// The answers on their way out: JSON as they come, a table when all are there.
struct Rows<'a> {
    output: &'a mut Output,
    table: Table,
    /// The reply that ended the stream, where it says more than that.
    reply: Option<Map<String, Value>>,
    written: usize,
}

impl<'a> Rows<'a> {
    fn new(output: &'a mut Output) -> Self {
        Self { output, table: Table::default(), reply: None, written: 0 }
    }

    fn push(&mut self, message: Map<String, Value>) -> io::Result<()> {
        match self.output.format {
            Format::Json => self.element(&message),
            Format::Text => {
                self.table.push(message);
                Ok(())
            }
        }
    }

    /// Takes the reply that ends a stream. In VPP's JSON form it is the last element.
    fn end(&mut self, mut reply: Map<String, Value>) -> io::Result<()> {
        match self.output.format {
            Format::Json => self.element(&reply),
            Format::Text => {
                reply.retain(|name, _| !name.starts_with('_') && name != "retval" && name != "cursor");
                self.reply = (!reply.is_empty()).then_some(reply);
                Ok(())
            }
        }
    }

    fn element(&mut self, message: &Map<String, Value>) -> io::Result<()> {
        self.output.write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
        self.written += 1;
        serde_json::to_writer(&mut *self.output, message)?;
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        match self.output.format {
            Format::Json => {
                self.output.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
            }
            Format::Text => {
                let width = self.output.width;
                self.table.write(self.output, width)?;
                if let Some(reply) = &self.reply {
                    write_record(self.output, reply, 0)?;
                }
            }
        }
        self.output.flush()
    }
}
