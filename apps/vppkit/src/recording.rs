//! Messages that were recorded: by VPP in either of its forms, or by this program.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use vpp_conn::trace::{ApiTrace, Direction, Traced};
use vpp_conn::{Connection, MessageTable};
use vpp_schema::Api;

use crate::commands::decode::decode;
use crate::commands::typed::Way;
use crate::input;
use crate::output::note;
use crate::similar::most_like;

/// Bytes of messages that are kept of one connection until they are written.
const ROOM: usize = 256 << 20;

/// How often they are written: a program that is killed leaves all but the last of them.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// What `--trace` writes of a message and its definition does not have: which way it went, and when, in seconds since
/// 1970.
const DIRECTION: &str = "_direction";
const TIME: &str = "_time";

/// Where `--trace` has messages written. It is the program's, as standard error is.
static FILE: OnceLock<Mutex<File>> = OnceLock::new();

/// Has the messages of all connections written to a file, from now on.
pub(crate) fn begin(path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    // This is called once.
    FILE.get_or_init(|| Mutex::new(file));
    Ok(())
}

/// How many bytes of its messages a connection is to keep, if any.
pub(crate) fn room() -> Option<usize> {
    FILE.get().map(|_| ROOM)
}

/// Has what goes over a connection written from time to time, where that is wanted.
pub(crate) fn follow(
    connection: impl Fn() -> Option<Connection> + Send + 'static,
    api: Option<Cow<'static, Api>>,
) {
    if FILE.get().is_none() {
        return;
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            if let Some(connection) = connection() {
                write(&connection, api.as_deref());
            }
        }
    });
}

/// Writes what went over a connection since the last time, where that is wanted. Messages that the definitions do not have are looked for in
/// those of the release that the VPP is most like.
pub(crate) fn write(connection: &Connection, api: Option<&Api>) {
    let Some(file) = FILE.get() else { return };
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    let (messages, given_up) = connection.take_traced();
    if given_up > 0 {
        note(format_args!("the trace lacks {given_up} messages, for which there was no room"));
    }
    if messages.is_empty() {
        return;
    }
    let like = vpp_api_json::api(most_like(connection.table(), vpp_api_json::releases())).ok();
    let known: Vec<&Api> = api.into_iter().chain(like).collect();
    let mut lines = Vec::new();
    let written = messages.iter().try_for_each(|message| write_line(&mut lines, message, &known));
    // At once, so that who reads meanwhile sees whole lines.
    if let Err(error) = written.and_then(|()| file.write_all(&lines)) {
        note(format_args!("the trace cannot be written: {error}"));
    }
}

fn write_line(file: &mut impl Write, message: &Traced, known: &[&Api]) -> io::Result<()> {
    let fields = known.iter().find_map(|api| {
        let (id, _) = api.find_message(&message.name).filter(|(_, known)| message.crc == Some(known.crc))?;
        decode(api, Way::Dynamic, id, &message.bytes, true).ok()
    });
    let mut fields = fields.unwrap_or_else(|| {
        let mut hex = String::new();
        input::push_hex(&message.bytes, &mut hex);
        let crc = message.crc.map(|crc| Value::from(format!("{crc:08x}")));
        Map::from_iter([
            ("_msgname".to_owned(), json!(*message.name)),
            ("_crc".to_owned(), crc.unwrap_or_default()),
            ("hex".to_owned(), hex.into()),
        ])
    });
    let direction = match message.direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    };
    fields.insert(DIRECTION.to_owned(), direction.into());
    let time = message.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    fields.insert(TIME.to_owned(), time.as_secs_f64().into());
    serde_json::to_writer(&mut *file, &fields)?;
    file.write_all(b"\n")
}

/// What a file of recorded messages holds.
pub(crate) struct Recording {
    /// Older messages were overwritten.
    pub(crate) is_wrapped: bool,
    /// Oldest first.
    pub(crate) messages: Vec<Recorded>,
    /// The messages of the VPP that recorded, where the file tells them.
    pub(crate) table: Option<MessageTable>,
}

/// A message that was recorded.
pub(crate) struct Recorded {
    /// Its name, as far as the recording tells it.
    pub(crate) name: String,
    /// The CRC of its definition, where the recording tells it.
    pub(crate) crc: Option<u32>,
    pub(crate) content: Content,
}

/// What a message says.
pub(crate) enum Content {
    /// The whole message, from its id on.
    Bytes(Bytes),
    /// VPP's JSON form.
    Fields(Map<String, Value>),
}

impl Recording {
    /// Reads a file: of `api trace save`, of `api trace save-json`, or lines of JSON as `vppkit trace --json` prints and
    /// `--trace` writes.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_json = matches!(content.trim_ascii_start().first(), Some(b'[' | b'{'));
        let recording = if is_json { Self::json(&content) } else { Self::binary(content) };
        recording.with_context(|| format!("{} holds no recorded messages", path.display()))
    }

    fn binary(content: Vec<u8>) -> anyhow::Result<Self> {
        let trace = ApiTrace::parse(content.into())?;
        let messages = trace.messages().iter().map(|message| {
            let id = message.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            let entry = trace.table().by_id(id);
            Recorded {
                name: entry.map_or_else(|| format!("message {id}"), |entry| entry.name.to_string()),
                crc: entry.map(|entry| entry.crc),
                content: Content::Bytes(message.clone()),
            }
        });
        let (is_wrapped, messages) = (trace.is_wrapped(), messages.collect());
        Ok(Self { is_wrapped, messages, table: Some(trace.into_table()) })
    }

    fn json(content: &[u8]) -> anyhow::Result<Self> {
        let mut messages = Vec::new();
        for value in serde_json::Deserializer::from_slice(content).into_iter::<Value>() {
            let value = match value {
                // Whoever wrote it was killed while it did.
                Err(error) if error.is_eof() && !messages.is_empty() => {
                    note("the last message of the file is cut off, and left out");
                    break;
                }
                value => value?,
            };
            match value {
                Value::Array(array) => {
                    for value in array {
                        messages.push(Recorded::json(value)?);
                    }
                }
                value => messages.push(Recorded::json(value)?),
            }
        }
        Ok(Self { is_wrapped: false, messages, table: None })
    }
}

impl Recorded {
    /// A message in VPP's JSON form.
    pub(crate) fn json(value: Value) -> anyhow::Result<Self> {
        let Value::Object(mut fields) = value else { bail!("a message is to be a JSON object; got {value}") };
        let Some(name) = fields.get("_msgname").and_then(Value::as_str) else {
            bail!("a message has no _msgname: {}", Value::Object(fields));
        };
        let crc = fields.get("_crc").and_then(Value::as_str);
        let crc = crc.and_then(|crc| u32::from_str_radix(crc.trim_start_matches("0x"), 16).ok());
        let name = name.to_owned();
        fields.retain(|name, _| name != DIRECTION && name != TIME);
        let content = match fields.get("hex").and_then(Value::as_str) {
            // No definition was known when it was written.
            Some(hex)
                if fields.keys().all(|name| name == "hex" || name == "error" || name.starts_with('_')) =>
            {
                Content::Bytes(input::bytes(hex)?.into())
            }
            _ => Content::Fields(fields),
        };
        Ok(Self { name, crc, content })
    }
}
