//! The two ways between bytes and JSON: by the definitions, or through the generated types (`--typed`).

use serde_json::{Map, Value};
use vpp_schema::{Api, MessageHead, MessageId};

/// How a message becomes JSON, and JSON a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// By its definition.
    Dynamic,
    /// Through its Rust type.
    #[cfg(feature = "typed")]
    Typed,
}

impl Way {
    /// The way that `--typed` or its absence asks for.
    pub(crate) fn of(typed: bool) -> anyhow::Result<Self> {
        match typed {
            false => Ok(Self::Dynamic),
            #[cfg(feature = "typed")]
            true => Ok(Self::Typed),
            #[cfg(not(feature = "typed"))]
            true => anyhow::bail!(
                "this vppkit has no generated types, so there is no --typed; build it with --features typed"
            ),
        }
    }

    /// A whole message.
    pub(crate) fn encode(
        self,
        api: &Api,
        message: MessageId,
        head: &MessageHead,
        fields: &Value,
    ) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Dynamic => Ok(api.encode_message(message, head, fields)?),
            #[cfg(feature = "typed")]
            Self::Typed => {
                let mut bytes = api.encode_head(message, head, fields)?;
                bytes.extend((entry(api, message)?.from_json)(fields)?);
                Ok(bytes)
            }
        }
    }

    /// The header and the fields of a whole message.
    pub(crate) fn decode(
        self,
        api: &Api,
        message: MessageId,
        bytes: &[u8],
    ) -> anyhow::Result<(MessageHead, Map<String, Value>)> {
        match self {
            Self::Dynamic => Ok(api.decode_message(message, bytes)?),
            #[cfg(feature = "typed")]
            Self::Typed => {
                let (head, payload) = api.split_message(message, bytes)?;
                match (entry(api, message)?.to_json)(payload)? {
                    Value::Object(fields) => Ok((head, fields)),
                    other => anyhow::bail!("a message is an object, not {other}"),
                }
            }
        }
    }
}

/// The type of a message: that of its release, else any with its name and CRC.
#[cfg(feature = "typed")]
fn entry(api: &Api, message: MessageId) -> anyhow::Result<&'static vpp_messages::registry::Entry> {
    use anyhow::Context as _;
    use vpp_messages::registry;

    let definition = api.message(message);
    let of_release = api.release.as_deref().and_then(|release| registry::find_in(release, &definition.name));
    of_release
        .filter(|entry| entry.info.crc == definition.crc)
        .or_else(|| registry::find(&definition.name, definition.crc))
        .with_context(|| {
            format!(
                "no pinned release has a {} with CRC {:08x}, so it has no type; leave out --typed",
                definition.name, definition.crc
            )
        })
}
