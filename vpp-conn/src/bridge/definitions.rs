//! Where definitions come from.

use std::sync::Arc;

use vpp_schema::{Answer, Api, MessageDef, MessageId};

use crate::connection::Connection;
use crate::raw::RawMessage;

/// The first release in which equal names and CRCs are equal definitions: 20.01 has 78 messages whose CRC a later
/// release carries with other bytes.
const FIRST_SOUND: (u16, u16) = (20, 9);

/// The definitions at hand on one connection.
#[derive(Debug)]
pub(super) struct Definitions {
    /// What the program gave.
    given: Vec<Arc<Api>>,
    /// What VPP told.
    told: Option<Api>,
    /// VPP's release: `26.06`.
    release: Option<String>,
}

impl Definitions {
    /// Asks VPP for its release and its definitions. What it does not tell is done without.
    pub(super) async fn gather(given: Vec<Arc<Api>>, connection: &Connection) -> Self {
        let release = show_version(connection).await.as_deref().and_then(release);
        let told = match api_json(connection).await {
            Some(json) => read(json, release.clone()).await,
            None => None,
        };
        tracing::debug!(?release, told = told.is_some(), "definitions of this VPP");
        Self { given, told, release }
    }

    pub(super) fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// A message of the program.
    pub(super) fn mine(&self, name: &str, crc: u32) -> Option<(&Api, MessageId)> {
        let given = self.given.iter().map(|api| &**api);
        find(given.chain(pins()).chain(&self.told), name, crc)
    }

    /// A message of this VPP.
    pub(super) fn theirs(&self, name: &str, crc: u32) -> Option<(&Api, MessageId)> {
        let given = self.given.iter().map(|api| &**api);
        let own: Option<&Api> = self.release.as_deref().and_then(|release| vpp_api_json::api(release).ok());
        let is_sound = self.release.as_deref().and_then(number).is_some_and(|release| release >= FIRST_SOUND);
        let pinned = pins().filter(|_| is_sound);
        find(self.told.iter().chain(given).chain(own).chain(pinned), name, crc)
    }
}

fn find<'a>(mut apis: impl Iterator<Item = &'a Api>, name: &str, crc: u32) -> Option<(&'a Api, MessageId)> {
    apis.find_map(|api| {
        let (id, message) = api.find_message(name)?;
        (message.crc == crc).then_some((api, id))
    })
}

/// The pinned releases that are compiled in, the newest first; each is read when it is first asked for.
fn pins<'a>() -> impl Iterator<Item = &'a Api> {
    vpp_api_json::releases().iter().rev().filter_map(|release| vpp_api_json::api(release).ok())
}

/// The release that a version is of: `26.06` of `26.06-rc0~12-g1234`.
fn release(version: &str) -> Option<String> {
    let release: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let (year, month) = number(&release)?;
    Some(format!("{year:02}.{month:02}"))
}

fn number(release: &str) -> Option<(u16, u16)> {
    let mut parts = release.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

async fn show_version(connection: &Connection) -> Option<String> {
    text_of(connection, "show_version", "version").await
}

async fn api_json(connection: &Connection) -> Option<String> {
    text_of(connection, "get_api_json", "json").await
}

/// A text in the reply to a request without fields, as the newest pins define both.
async fn text_of(connection: &Connection, request: &str, field: &str) -> Option<String> {
    let api = vpp_api_json::api(vpp_api_json::newest()).ok()?;
    let (id, message) = api.find_message(request)?;
    let Some(Answer::Reply(reply)) = api.answer(id) else { return None };
    let raw = |message: &'static MessageDef| RawMessage {
        name: &message.name,
        crc: message.crc,
        header: message.header,
    };
    if connection.table().get(request)?.crc != message.crc {
        return None;
    }
    let answer = connection.raw().call(raw(message), &[], raw(api.message(reply))).await;
    let payload = answer.inspect_err(|error| tracing::warn!(%error, "bridging does without it")).ok()?;
    let mut fields = api.decode_payload(reply, &payload).ok()?;
    match (fields.get("retval").and_then(serde_json::Value::as_i64), fields.remove(field)) {
        (Some(0), Some(serde_json::Value::String(text))) => Some(text),
        _ => None,
    }
}

/// Reads what VPP told, beside the runtime, which it would hold up.
async fn read(json: String, release: Option<String>) -> Option<Api> {
    let read = tokio::task::spawn_blocking(move || {
        let newest = || vpp_api_json::api(vpp_api_json::newest());
        let pins = release.as_deref().map_or_else(newest, vpp_api_json::api).or_else(|_| newest()).ok();
        Api::from_running(&json, pins)
    });
    match read.await {
        Ok(Ok(api)) => Some(api),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the definitions that VPP tells cannot be read");
            None
        }
        // The runtime ends.
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_the_start_of_a_version() {
        for (version, expected) in [
            ("26.06-release", Some("26.06")),
            ("25.10-rc2~3-gabcdef", Some("25.10")),
            ("23.02", Some("23.02")),
            ("20.9.1", Some("20.09")),
            ("unknown", None),
            ("26", None),
            ("", None),
        ] {
            assert_eq!(release(version).as_deref(), expected, "{version}");
        }
        assert!(number("20.01").unwrap() < FIRST_SOUND && number("20.09").unwrap() >= FIRST_SOUND);
    }
}
