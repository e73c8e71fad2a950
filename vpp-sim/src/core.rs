//! One life of a VPP: takes messages, keeps state, says what is sent. Knows no sockets.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use vpp_conn::frame;
use vpp_schema::{Answer as Shape, Api, MessageHead, MessageId};
use vpp_wire::{ApiError, Decoder, Header};

use crate::answer::{Answer, Behaviour};
use crate::clients::{Clients, ConnectionId, Outgoing};
use crate::fault::{Effect, Faults};
use crate::handlers::{self, Call, Handler, Server};
use crate::message_table::{Deviations, MessageTable};
use crate::request::Fields;
use crate::state::{CountedChange, Vpp};
use crate::stats::SharedSegment;

/// What VPP leaves in the words of a frame header that mean nothing: a pointer of its own.
const JUNK_QUEUE: [u8; 8] = [0xc0, 0x34, 0x05, 0x30, 0x01, 0x7f, 0, 0];
/// As [`JUNK_QUEUE`].
const JUNK_MARK: [u8; 4] = [0x12, 0, 0, 0];

/// The message that makes a connection a client's.
const CREATE: &str = "sockclnt_create";
/// The message that ends a client.
const DELETE: &str = "sockclnt_delete";
/// What clients are told of interfaces.
const INTERFACE_EVENT: &str = "sw_interface_event";
/// What VPP answers to [`DELETE`] when it worked.
const DELETED: i32 = 1;

/// The stand-in without its socket.
pub(crate) struct Core {
    pub(crate) api: Cow<'static, Api>,
    pub(crate) deviations: Deviations,
    pub(crate) chunk: u32,
    pub(crate) vpp: Vpp,
    pub(crate) clients: Clients,
    pub(crate) faults: Faults,
    /// How often each message came.
    pub(crate) calls: HashMap<String, u64>,
    table: MessageTable,
    /// By [`MessageId`].
    handlers: Vec<Option<Handler>>,
    /// What tests gave goes before.
    given: HashMap<MessageId, Behaviour>,
    /// Clients that asked for an event by a request that a test answers, with the `pid` that each gave.
    subscribers: HashMap<MessageId, BTreeMap<[u8; 4], u64>>,
    stats: SharedSegment,
}

/// The fields by which requests switch their events on and off. One without any switches on.
const SWITCHES: [&str; 3] = ["enable_disable", "enable", "is_add"];

impl Core {
    pub(crate) fn new(
        api: Cow<'static, Api>,
        deviations: Deviations,
        chunk: u32,
        stats: SharedSegment,
    ) -> Self {
        let mut handlers = vec![None; api.messages.len()];
        for (name, handler) in handlers::all() {
            // Not every release has every message.
            if let Some((id, _)) = api.find_message(name) {
                handlers[id.0 as usize] = Some(handler);
            }
        }
        Self {
            table: MessageTable::new(&api, &deviations),
            api,
            deviations,
            chunk,
            vpp: Vpp::new(),
            clients: Clients::new(),
            faults: Faults::default(),
            calls: HashMap::new(),
            handlers,
            given: HashMap::new(),
            subscribers: HashMap::new(),
            stats,
        }
    }

    /// Takes a test's behaviour for a message; false where there is no such message.
    pub(crate) fn give(&mut self, message: &str, behaviour: Behaviour) -> bool {
        let Some((id, _)) = self.api.find_message(message) else { return false };
        self.given.insert(id, behaviour);
        true
    }

    /// Begins a new life: nothing is left but what the test ordered.
    pub(crate) fn restart(&mut self) {
        self.table = MessageTable::new(&self.api, &self.deviations);
        // The host outlives VPP.
        let host_devices = std::mem::take(&mut self.vpp.host_devices);
        self.vpp = Vpp::new();
        self.vpp.host_devices = host_devices;
        self.clients = Clients::new();
        self.subscribers.clear();
    }

    /// A connection ended, for whatever reason.
    pub(crate) fn disconnected(&mut self, connection: ConnectionId) {
        if let Some(index) = self.clients.disconnected(connection) {
            self.vpp.interface_watchers.remove(&index);
            self.subscribers.values_mut().for_each(|subscribers| {
                subscribers.remove(&index);
            });
        }
    }

    /// Asks the clients of shared memory whether they live: `{u16 id, u32 client_index, u32 context}`, the numbers as VPP
    /// leaves them.
    pub(crate) fn send_keepalives(&self) -> usize {
        const KEEPALIVE: u16 = 21;
        let clients = self.clients.in_memory().filter_map(|(index, connection)| {
            let message = [&KEEPALIVE.to_be_bytes()[..], &index, &index].concat();
            self.clients.outgoing(connection)?.send(Outgoing::Bytes(framed(message))).ok()
        });
        clients.count()
    }

    /// Counts a message that is not for [`Core::receive`].
    pub(crate) fn count(&mut self, message: &str) {
        *self.calls.entry(message.to_owned()).or_default() += 1;
    }

    /// Takes a message. What VPP does not understand it drops without a word to the client, and so does this.
    pub(crate) fn receive(&mut self, connection: ConnectionId, message: &[u8]) {
        let id = message.first_chunk().map(|id| u16::from_be_bytes(*id));
        let Some(request) = id.and_then(|id| self.table.message(id)) else {
            tracing::debug!(?id, "no message has this number");
            return;
        };
        let definition = self.api.message(request);
        let name = definition.name.clone();
        *self.calls.entry(name.clone()).or_default() += 1;
        let (head, fields) = match self.api.decode_message(request, message) {
            Ok(decoded) => decoded,
            Err(error) => {
                tracing::debug!(%error, "a message was dropped");
                return;
            }
        };
        let effect = self.faults.strike(&name);
        if let Some(Effect::Ignore) = effect {
            return;
        }
        match name.as_str() {
            CREATE => {
                let index = self.clients.create(connection);
                let reply = self.created(head.context, index);
                self.answer(Some(connection), vec![reply], effect);
            }
            DELETE => self.delete(connection, &head, message, effect),
            _ => self.handle(request, &head, &fields, effect),
        }
    }

    /// Sends what clients are to know that they did not ask for. VPP does this behind each burst of requests.
    pub(crate) fn flush_events(&mut self) {
        let changes = self.vpp.take_interface_changes();
        let Some((event, _)) = self.api.find_message(INTERFACE_EVENT) else { return };
        for change in changes {
            for (client_index, pid) in &self.vpp.interface_watchers {
                let fields = json!({
                    "pid": pid,
                    "sw_if_index": change.sw_if_index,
                    "flags": change.flags,
                    "deleted": change.deleted,
                });
                let head = MessageHead { client_index: *client_index, ..MessageHead::default() };
                if let Some(message) = self.encode(event, head, fields) {
                    self.send(self.clients.connection(*client_index), Outgoing::Bytes(framed(message)));
                }
            }
        }
    }

    /// Sends an event to the clients that asked for it; one that no request switches on, to all of them.
    pub(crate) fn send_event(&self, event: MessageId, fields: &Value) {
        let mut receivers = BTreeMap::new();
        let mut services = self.api.modules.iter().flat_map(|module| &module.services);
        if !services.any(|service| self.api.events(service.request).any(|switched| switched == event)) {
            receivers.extend(self.clients.iter().map(|(client_index, _)| (client_index, 0)));
        }
        if self.api.message(event).name == INTERFACE_EVENT {
            let watchers = &self.vpp.interface_watchers;
            receivers.extend(watchers.iter().map(|(client_index, pid)| (*client_index, u64::from(*pid))));
        }
        receivers.extend(self.subscribers.get(&event).into_iter().flatten());
        for (client_index, pid) in receivers {
            let mut fields = fields.clone();
            // As plugins do it.
            if let Some(fields) = fields.as_object_mut() {
                fields.entry("pid").or_insert_with(|| pid.into());
            }
            let head = MessageHead { client_index, ..MessageHead::default() };
            if let Some(message) = self.encode(event, head, fields) {
                self.send(self.clients.connection(client_index), Outgoing::Bytes(framed(message)));
            }
        }
    }

    /// Notes who is to get the events of a request that a test answered well.
    fn subscribe(&mut self, request: MessageId, client_index: [u8; 4], fields: &Value, answer: &Answer) {
        let Answer::Reply(reply) = answer else { return };
        if reply["retval"].as_i64().is_some_and(|retval| retval < 0) {
            return;
        }
        let switch = SWITCHES.iter().find_map(|name| fields.get(name));
        let is_on = switch.is_none_or(|switch| switch.as_bool().unwrap_or(switch.as_u64() != Some(0)));
        for event in self.api.events(request) {
            let subscribers = self.subscribers.entry(event).or_default();
            if is_on {
                subscribers.insert(client_index, fields["pid"].as_u64().unwrap_or(0));
            } else {
                subscribers.remove(&client_index);
            }
        }
    }

    /// Makes the statistics know of interfaces that came and went. VPP does this before it replies.
    fn follow_interfaces(&mut self) {
        let changes = self.vpp.take_counted_changes();
        if changes.is_empty() {
            return;
        }
        let mut segment = self.stats.lock();
        for change in changes {
            match change {
                CountedChange::Created(index, name) => segment.put_interface(index, &name),
                CountedChange::Deleted(index) => segment.remove_interface(index),
            }
        }
    }

    /// `sockclnt_create_reply`: the client's index and the message table.
    fn created(&self, context: u32, index: [u8; 4]) -> Vec<u8> {
        let (client_index, response) = ([0; 4], 0i32.to_be_bytes());
        let words = [client_index, context.to_be_bytes(), response, index].concat();
        [&16u16.to_be_bytes()[..], &words, &self.table.rows].concat()
    }

    fn delete(
        &mut self,
        connection: ConnectionId,
        head: &MessageHead,
        message: &[u8],
        effect: Option<Effect>,
    ) {
        let Some((reply, _)) = self.api.find_message("sockclnt_delete_reply") else { return };
        // Four opaque bytes, though the definition calls them an integer.
        let index = Decoder::new(message.get(Header::ClientContext.len()..).unwrap_or_default()).bytes();
        let ended = self.clients.connection(index);
        let response = if ended.is_some() { DELETED } else { -1 };
        let context = MessageHead { context: head.context, ..MessageHead::default() };
        let messages = self.encode(reply, context, json!({"response": response})).into_iter().collect();
        self.answer(Some(connection), messages, effect);
        self.send(ended, Outgoing::Close);
    }

    fn handle(
        &mut self,
        request: MessageId,
        head: &MessageHead,
        fields: &Map<String, Value>,
        effect: Option<Effect>,
    ) {
        let Some(shape) = self.api.answer(request) else {
            tracing::debug!(message = self.api.message(request).name, "no request");
            return;
        };
        let receiver = self.clients.connection(head.client_index);
        let answer = match (&effect, self.handlers.get(request.0 as usize).copied().flatten()) {
            (Some(Effect::CloseInstead), _) => return self.send(receiver, Outgoing::Close),
            (Some(Effect::Refuse(retval)), _) => refusal(shape, ApiError(*retval)),
            _ if self.given.contains_key(&request) => {
                let fields = Value::Object(fields.clone());
                let answer = self.given[&request](&fields);
                self.subscribe(request, head.client_index, &fields, &answer);
                answer
            }
            (_, Some(handler)) => handler(&mut Call {
                vpp: &mut self.vpp,
                server: Server { api: &self.api, table: &self.table, chunk: self.chunk },
                request: Fields(fields),
                client_index: head.client_index,
            }),
            (_, None) => refusal(shape, ApiError::UNIMPLEMENTED),
        };
        self.follow_interfaces();
        let messages = self.encode_answer(shape, answer, head.context);
        self.answer(receiver, messages, effect);
    }

    /// The messages of an answer. One that does not fit the request's shape in this release is none at all.
    fn encode_answer(&self, shape: Shape, answer: Answer, context: u32) -> Vec<Vec<u8>> {
        let head = MessageHead { context, ..MessageHead::default() };
        let encode = |message, fields| self.encode(message, head, fields);
        match (shape, answer) {
            (Shape::Reply(reply), Answer::Reply(fields)) => encode(reply, fields).into_iter().collect(),
            (Shape::Details(details), Answer::Details(elements)) => {
                elements.into_iter().filter_map(|fields| encode(details, fields)).collect()
            }
            (Shape::Stream { details, reply }, Answer::Stream { details: elements, reply: end }) => elements
                .into_iter()
                .filter_map(|fields| encode(details, fields))
                .chain(encode(reply, end))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A message of this life of VPP. Fields that a release does not have yet are left out; a reply that cannot say
    /// that it is a refusal is none.
    fn encode(&self, message: MessageId, head: MessageHead, mut fields: Value) -> Option<Vec<u8>> {
        let definition = self.api.message(message);
        let is_known = |name: &str| definition.fields.iter().any(|field| field.name == name);
        let refused = fields["retval"].as_i64().is_some_and(|retval| retval < 0);
        if refused && !is_known("retval") {
            return None;
        }
        if let Some(fields) = fields.as_object_mut() {
            fields.retain(|name, _| is_known(name));
        }
        let head = MessageHead { id: self.table.id(message)?, ..head };
        let bytes = self.api.encode_message(message, &head, &fields);
        bytes.inspect_err(|error| tracing::error!(%error, "an answer could not be written")).ok()
    }

    /// Sends the answers to a request, with what is ordered to go wrong.
    fn answer(&self, receiver: Option<ConnectionId>, mut messages: Vec<Vec<u8>>, effect: Option<Effect>) {
        let mut close = false;
        match effect {
            Some(Effect::DropReply | Effect::Ignore) => return,
            Some(Effect::CloseInstead) => return self.send(receiver, Outgoing::Close),
            Some(Effect::Garbage(bytes)) => return self.send(receiver, Outgoing::Bytes(bytes)),
            Some(Effect::Delay(by)) => self.send(receiver, Outgoing::Wait(by)),
            Some(Effect::Overtaken(by)) => return self.send_later(receiver, messages, by),
            Some(Effect::WrongReplyId) => messages.iter_mut().for_each(|message| message[1] ^= 1),
            Some(Effect::ShortReply) => {
                messages.iter_mut().for_each(|message| message.truncate(message.len().saturating_sub(1)));
            }
            Some(Effect::CloseBehind) => close = true,
            Some(Effect::Refuse(_)) | None => {}
        }
        for message in messages {
            self.send(receiver, Outgoing::Bytes(framed(message)));
        }
        if close {
            self.send(receiver, Outgoing::Close);
        }
    }

    fn send_later(&self, receiver: Option<ConnectionId>, messages: Vec<Vec<u8>>, by: std::time::Duration) {
        let Some(outgoing) = receiver.and_then(|receiver| self.clients.outgoing(receiver)).cloned() else {
            return;
        };
        tokio::spawn(async move {
            tokio::time::sleep(by).await;
            for message in messages {
                // The client may be gone by now.
                let _ = outgoing.send(Outgoing::Bytes(framed(message)));
            }
        });
    }

    /// Sends to a connection. An index that no client has leads nowhere, as in VPP.
    fn send(&self, receiver: Option<ConnectionId>, what: Outgoing) {
        if let Some(outgoing) = receiver.and_then(|receiver| self.clients.outgoing(receiver)) {
            // A connection that just ended takes nothing more.
            let _ = outgoing.send(what);
        }
    }
}

/// The answer that refuses a request, where its shape has a place for it: a dump has none and is empty.
fn refusal(shape: Shape, error: ApiError) -> Answer {
    let reply = json!({"retval": error.0});
    match shape {
        Shape::Details(_) | Shape::Nothing => Answer::Details(Vec::new()),
        Shape::Stream { .. } => Answer::Stream { details: Vec::new(), reply },
        Shape::Reply(_) => Answer::Reply(reply),
    }
}

/// A message behind its frame header, with VPP's junk in it.
pub(crate) fn framed(message: Vec<u8>) -> Vec<u8> {
    // Messages are far below what no header can tell.
    let mut header = frame::header(message.len()).unwrap_or_default();
    header[..8].copy_from_slice(&JUNK_QUEUE);
    header[12..].copy_from_slice(&JUNK_MARK);
    [&header[..], &message].concat()
}
