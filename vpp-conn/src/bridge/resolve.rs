//! From a message of the program to what this VPP has of it.

use vpp_schema::bridge::{Mapping, Rules, counterparts};
use vpp_schema::{Answer, Api, MessageId};
use vpp_wire::Cursor;

use super::{BridgeError, BridgedCall, BridgedDump, BridgedEnd, BridgedEvent, Bridging, Hop};
use crate::dump::{End, cursor_in_payloads};
use crate::mux::MessageKind;
use crate::table::MessageTable;

/// A message by name and CRC.
type Named<'a> = (&'a str, u32);

/// A message where it is defined.
type Defined<'a> = (&'a Api, MessageId);

impl Bridging {
    pub(super) fn resolve_call(
        &self,
        table: &MessageTable,
        request: Named<'_>,
        reply: Named<'_>,
    ) -> Result<BridgedCall, BridgeError> {
        let (mine, my_reply) = (self.mine(request)?, self.mine(reply)?);
        self.with_counterpart(table, request.0, |theirs| {
            let Some(Answer::Reply(their_reply)) = theirs.0.answer(theirs.1) else {
                return Err(self.other_answer(theirs));
            };
            let their_reply = self.theirs(table, &theirs.0.message(their_reply).name)?;
            Ok(BridgedCall {
                request: self.hop(table, mine, theirs, Rules::Request)?,
                reply: self.hop(table, their_reply, my_reply, self.rules())?,
                retval: payload_offset(their_reply, |(api, id)| api.message(id).retval(api)),
            })
        })
    }

    pub(super) fn resolve_dump(
        &self,
        table: &MessageTable,
        request: Named<'_>,
        details: Named<'_>,
        end: Option<Named<'_>>,
    ) -> Result<BridgedDump, BridgeError> {
        let (mine, my_details) = (self.mine(request)?, self.mine(details)?);
        let my_end = end.map(|end| self.mine(end)).transpose()?;
        self.with_counterpart(table, request.0, |theirs| {
            let (their_details, end) = match theirs.0.answer(theirs.1) {
                Some(Answer::Details(details)) => (details, BridgedEnd::ControlPing),
                Some(Answer::Stream { details, reply }) => {
                    let reply = self.theirs(table, &theirs.0.message(reply).name)?;
                    let to_mine = my_end
                        .map(|mine| self.hop(table, reply, mine, self.rules()))
                        .transpose()?
                        .map(Box::new);
                    (details, BridgedEnd::Reply { end: end_of(table, theirs, reply), reply: to_mine })
                }
                _ => return Err(self.other_answer(theirs)),
            };
            let their_details = self.theirs(table, &theirs.0.message(their_details).name)?;
            Ok(BridgedDump {
                request: self.hop(table, mine, theirs, Rules::Request)?,
                details: self.hop(table, their_details, my_details, self.rules())?,
                end,
            })
        })
    }

    pub(super) fn resolve_event(
        &self,
        table: &MessageTable,
        event: Named<'_>,
    ) -> Result<BridgedEvent, BridgeError> {
        let mine = self.mine(event)?;
        Ok(BridgedEvent(self.hop(table, self.theirs(table, event.0)?, mine, self.rules())?))
    }

    pub(super) fn resolve_any(&self, table: &MessageTable, message: Named<'_>) -> Result<(), BridgeError> {
        let (api, id) = self.mine(message)?;
        let named = |id: MessageId| {
            let message = api.message(id);
            (message.name.as_str(), message.crc)
        };
        let of_request = |request: MessageId| match api.answer(request) {
            Some(Answer::Reply(reply)) => self.resolve_call(table, named(request), named(reply)).map(drop),
            Some(Answer::Details(details)) => {
                self.resolve_dump(table, named(request), named(details), None).map(drop)
            }
            Some(Answer::Stream { details, reply }) => {
                self.resolve_dump(table, named(request), named(details), Some(named(reply))).map(drop)
            }
            Some(Answer::Nothing) | None => Err(self.absent(message.0)),
        };
        if api.answer(id).is_some() {
            return of_request(id);
        }
        if table.get(message.0).is_some() {
            return self.resolve_event(table, message).map(drop);
        }
        // What answers a request that is bridged by another name.
        let mut services = api.modules.iter().flat_map(|module| &module.services);
        let asked = services.find(|service| service.reply == Some(id) || service.stream_msg == Some(id));
        asked.map_or_else(|| Err(self.absent(message.0)), |service| of_request(service.request))
    }

    /// Tries VPP's message of the name; where it has none, those that may stand in for it.
    fn with_counterpart<T>(
        &self,
        table: &MessageTable,
        name: &str,
        resolve: impl Fn(Defined<'_>) -> Result<T, BridgeError>,
    ) -> Result<T, BridgeError> {
        if table.get(name).is_some() {
            return resolve(self.theirs(table, name)?);
        }
        let mut first = None;
        for name in counterparts(name).into_iter().filter(|name| table.get(name).is_some()) {
            match self.theirs(table, name).and_then(&resolve) {
                Ok(resolved) => return Ok(resolved),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| self.absent(name)))
    }

    fn mine(&self, (name, crc): Named<'_>) -> Result<Defined<'_>, BridgeError> {
        self.definitions.mine(name, crc).ok_or_else(|| BridgeError::UnknownMessage {
            message: name.to_owned(),
            crc,
            compiled_in: vpp_api_json::releases(),
        })
    }

    fn theirs(&self, table: &MessageTable, name: &str) -> Result<Defined<'_>, BridgeError> {
        let entry = table.get(name).ok_or_else(|| self.absent(name))?;
        self.definitions.theirs(name, entry.crc).ok_or_else(|| BridgeError::UntoldMessage {
            message: name.to_owned(),
            theirs: entry.crc,
            vpp: self.vpp(),
            compiled_in: vpp_api_json::releases(),
        })
    }

    /// A message carried over; one of the two is VPP's.
    fn hop(
        &self,
        table: &MessageTable,
        from: Defined<'_>,
        to: Defined<'_>,
        rules: Rules,
    ) -> Result<Hop, BridgeError> {
        let mapping = Mapping::new(from.0, from.1, to.0, to.1, rules)
            .map_err(|error| BridgeError::Refused { vpp: self.vpp(), error })?;
        let (api, id) = if rules == Rules::Request { to } else { from };
        Ok(Hop { kind: kind(table, (api, id)), mapping })
    }

    fn other_answer(&self, (api, id): Defined<'_>) -> BridgeError {
        BridgeError::OtherAnswer {
            message: api.message(id).name.clone(),
            vpp: self.vpp(),
            theirs: api.service(id).map_or_else(|| "nothing".to_owned(), |service| api.service_text(service)),
        }
    }

    fn absent(&self, name: &str) -> BridgeError {
        BridgeError::Absent { message: name.to_owned(), vpp: self.vpp(), counterparts: counterparts(name) }
    }

    fn vpp(&self) -> Option<String> {
        self.definitions.release().map(str::to_owned)
    }
}

/// A message as this VPP knows it.
fn kind(table: &MessageTable, (api, id): Defined<'_>) -> MessageKind {
    let message = api.message(id);
    // It was found by its entry in the table.
    let id = table.get(&message.name).map_or(u16::MAX, |entry| entry.id);
    MessageKind { id, header: message.header }
}

/// The end of a dump by a reply.
fn end_of(table: &MessageTable, request: Defined<'_>, reply: Defined<'_>) -> End {
    let (asked, answered) = (request.0.message(request.1), reply.0.message(reply.1));
    let cursor = asked.cursor(request.0).zip(answered.cursor(reply.0));
    End::Reply {
        reply: kind(table, reply),
        retval: payload_offset(reply, |(api, id)| api.message(id).retval(api)),
        cursor: cursor.map(|(request, reply)| {
            cursor_in_payloads(Cursor { request, reply }, asked.header, answered.header)
        }),
    }
}

fn payload_offset(message: Defined<'_>, offset: impl Fn(Defined<'_>) -> Option<usize>) -> Option<usize> {
    offset(message)?.checked_sub(message.0.message(message.1).header.len())
}
