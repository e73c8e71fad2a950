//! Messages that VPP has otherwise than the program.
//!
//! A message that VPP has with the program's name and CRC goes the way it always goes. Only where the table of the
//! connection does not have it is it looked up here: what the program's definition is, what VPP's is, and how one is
//! carried over to the other ([`vpp_schema::bridge`]). That is found out once per message and connection.
//!
//! Definitions come from three places. VPP's own word (`get_api_json`, 24.06 and later) is asked for when the connection
//! is made. The pins of `vpp-api-json` tell what the program's messages are, and what VPP's are where it does not say: a
//! name and a CRC are one definition in all releases since 20.09. What a program gives itself goes before both.

mod definitions;
mod error;
mod resolve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use vpp_schema::Api;
use vpp_schema::bridge::{Mapping, MappingError, Rules};
use vpp_wire::MessageInfo;

use crate::dump::End;
use crate::mux::MessageKind;
use crate::payload::Payload;
use crate::table::{Incompatible, MessageTable};
use definitions::Definitions;

pub use error::BridgeError;

/// How messages are bridged that VPP has otherwise than the program: what [`Builder::bridge`](crate::Builder::bridge)
/// takes.
///
/// The definitions of the program's messages are needed as well as VPP's. Those of the newest release are compiled in;
/// a program of another release turns on its feature in `vpp-api-json` (`v25_10`), and one that is to talk to VPPs
/// before 24.06, which do not tell their definitions, those of their releases (`all-releases` has them all).
///
/// ```no_run
/// use vpp_26_06::ip::IpRouteV2Dump;
/// use vpp_conn::{Bridge, Connection};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let vpp = Connection::builder().bridge(Bridge::pinned()).connect("/run/vpp/api.sock").await?;
/// // On a VPP 20.09 this goes out as an ip_route_dump.
/// let routes = vpp.dump(&IpRouteV2Dump::default()).collect().await?;
/// # Ok(())
/// # }
/// ```
///
/// # What is carried over
///
/// The rules are those of [`vpp_schema::bridge`]: by the names of fields, enumerators and union members. A request is
/// refused where VPP has no place for something that the program wrote. In answers, what the program has no field for is
/// left out, and what VPP does not tell reads as what says nothing ([`Bridge::strict`] refuses both). A `_v2` message
/// that VPP does not have yet, or no longer, is replaced by a declared predecessor or successor
/// ([`vpp_schema::bridge::successors`]).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Bridge {
    strict: bool,
    given: Vec<Arc<Api>>,
}

impl Bridge {
    /// With the pinned definitions that are compiled in.
    pub fn pinned() -> Self {
        Self::default()
    }

    /// Definitions of messages that are not pinned, such as those of a plugin of one's own.
    pub fn definitions(mut self, api: impl Into<Arc<Api>>) -> Self {
        self.given.push(api.into());
        self
    }

    /// Answers are read whole or not at all: a field that the program does not know has to say nothing, and one that VPP
    /// does not tell needs a declared default.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

/// The bridging of one connection.
#[derive(Debug)]
pub(crate) struct Bridging {
    strict: bool,
    definitions: Definitions,
    calls: Cache<BridgedCall>,
    dumps: Cache<BridgedDump>,
    events: Cache<BridgedEvent>,
}

/// What was found out, by names and CRCs of the program's messages.
type Cache<T> = Mutex<HashMap<[(&'static str, u32); 2], Result<Arc<T>, Incompatible>>>;

/// A message on its way.
#[derive(Debug)]
pub(crate) struct Hop {
    /// As VPP knows it.
    pub(crate) kind: MessageKind,
    mapping: Mapping,
}

/// A request and its reply.
#[derive(Debug)]
pub(crate) struct BridgedCall {
    pub(crate) request: Hop,
    pub(crate) reply: Hop,
    /// Where VPP's reply has its `retval`, from the start of the payload.
    pub(crate) retval: Option<usize>,
}

/// A dump.
#[derive(Debug)]
pub(crate) struct BridgedDump {
    pub(crate) request: Hop,
    pub(crate) details: Hop,
    pub(crate) end: BridgedEnd,
}

/// What ends a dump at this VPP.
#[derive(Debug)]
pub(crate) enum BridgedEnd {
    ControlPing,
    /// With the reply as the program knows it, where it knows one.
    Reply {
        end: End,
        reply: Option<Box<Hop>>,
    },
}

/// An event.
#[derive(Debug)]
pub(crate) struct BridgedEvent(pub(crate) Hop);

impl Hop {
    /// Carries a payload over.
    pub(crate) fn carry(&self, payload: &[u8]) -> Result<Vec<u8>, Box<MappingError>> {
        self.mapping.carry(payload).map_err(Box::new)
    }

    /// Carries what came over.
    pub(crate) fn receive(&self, payload: &[u8]) -> Result<Payload, Box<MappingError>> {
        self.carry(payload).map(|bytes| Bytes::from(bytes).into())
    }
}

impl Bridging {
    pub(crate) async fn new(bridge: Bridge, connection: &crate::Connection) -> Self {
        Self {
            strict: bridge.strict,
            definitions: Definitions::gather(bridge.given, connection).await,
            calls: Cache::default(),
            dumps: Cache::default(),
            events: Cache::default(),
        }
    }

    /// What is done with answers.
    fn rules(&self) -> Rules {
        if self.strict { Rules::StrictAnswer } else { Rules::Answer }
    }

    pub(crate) fn call(
        &self,
        table: &MessageTable,
        request: &MessageInfo,
        reply: &MessageInfo,
    ) -> Result<Arc<BridgedCall>, Incompatible> {
        cached(&self.calls, [request, reply], || {
            self.resolve_call(table, (request.name, request.crc), (reply.name, reply.crc))
        })
    }

    /// `end` is the reply that ends the dump as the program knows it.
    pub(crate) fn dump(
        &self,
        table: &MessageTable,
        request: &MessageInfo,
        details: &MessageInfo,
        end: Option<&MessageInfo>,
    ) -> Result<Arc<BridgedDump>, Incompatible> {
        cached(&self.dumps, [request, details], || {
            let end = end.map(|end| (end.name, end.crc));
            self.resolve_dump(table, (request.name, request.crc), (details.name, details.crc), end)
        })
    }

    pub(crate) fn event(
        &self,
        table: &MessageTable,
        event: &MessageInfo,
    ) -> Result<Arc<BridgedEvent>, Incompatible> {
        cached(&self.events, [event, event], || self.resolve_event(table, (event.name, event.crc)))
    }

    /// Whether a message can be bridged: a request with its answers, something received as it is received.
    pub(crate) fn check(&self, table: &MessageTable, name: &str, crc: u32) -> Result<(), Incompatible> {
        self.resolve_any(table, (name, crc)).map_err(|error| Incompatible::Unbridgeable(Box::new(error)))
    }
}

fn cached<T>(
    cache: &Cache<T>,
    [first, second]: [&MessageInfo; 2],
    resolve: impl FnOnce() -> Result<T, BridgeError>,
) -> Result<Arc<T>, Incompatible> {
    let key = [(first.name, first.crc), (second.name, second.crc)];
    let lock = || cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(&key) {
        return known.clone();
    }
    let resolved = resolve().map(Arc::new).map_err(|error| Incompatible::Unbridgeable(Box::new(error)));
    match &resolved {
        Ok(_) => tracing::debug!(message = first.name, "VPP has another definition: bridged"),
        Err(error) => tracing::debug!(message = first.name, %error, "cannot be bridged"),
    }
    lock().entry(key).or_insert(resolved).clone()
}
