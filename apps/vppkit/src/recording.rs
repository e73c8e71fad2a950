//! Messages that were recorded: by VPP in either of its forms, or by this program.

use std::path::Path;

use anyhow::{Context, bail};
use bytes::Bytes;
use serde_json::{Map, Value};
use vpp_conn::MessageTable;
use vpp_conn::trace::ApiTrace;

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
    /// Reads a file: of `api trace save`, of `api trace save-json`, or lines of JSON as `vppkit trace --json` prints.
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
            match value? {
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
        let Value::Object(fields) = value else { bail!("a message is to be a JSON object; got {value}") };
        let Some(name) = fields.get("_msgname").and_then(Value::as_str) else {
            bail!("a message has no _msgname: {}", Value::Object(fields));
        };
        let crc = fields.get("_crc").and_then(Value::as_str);
        let crc = crc.and_then(|crc| u32::from_str_radix(crc.trim_start_matches("0x"), 16).ok());
        Ok(Self { name: name.to_owned(), crc, content: Content::Fields(fields) })
    }
}
