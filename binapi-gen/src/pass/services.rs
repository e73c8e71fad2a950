//! What answers a request, and what a message is to the requests that name it.

use vpp_schema::{Answer, Api, Field, FieldType, MessageId, Scalar, TypeRef};

/// The part that each message of an API plays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    /// How it is answered, where it is a request.
    pub(crate) answer: Option<Answer>,
    /// Events that it switches on.
    pub(crate) events: Vec<MessageId>,
    /// What it is to requests.
    pub(crate) received: Vec<Received>,
    /// Where it is an event that a request with nothing to choose switches on: that request.
    pub(crate) registration: Option<MessageId>,
}

/// What a message is to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// The one reply.
    Reply(MessageId),
    /// An element of the stream.
    Element(MessageId),
    /// The end of the stream.
    End(MessageId),
    /// An event it switches on.
    Event(MessageId),
}

/// The roles of all messages, by [`MessageId`].
pub(crate) fn roles(api: &Api) -> Vec<Role> {
    let mut roles = vec![Role::default(); api.messages.len()];
    for service in api.modules.iter().flat_map(|module| &module.services) {
        let request = service.request;
        let events: Vec<_> = api.events(request).collect();
        let answer = api.answer(request);
        match answer {
            Some(Answer::Reply(reply)) => receive(&mut roles, reply, Received::Reply(request)),
            Some(Answer::Details(details)) => receive(&mut roles, details, Received::Element(request)),
            Some(Answer::Stream { details, reply }) => {
                receive(&mut roles, details, Received::Element(request));
                receive(&mut roles, reply, Received::End(request));
            }
            Some(Answer::Nothing) | None => {}
        }
        for event in &events {
            receive(&mut roles, *event, Received::Event(request));
            if subscription(api, request).is_some() {
                roles[event.0 as usize].registration.get_or_insert(request);
            }
        }
        let role = &mut roles[request.0 as usize];
        role.answer = answer;
        role.events = events;
    }
    roles
}

fn receive(roles: &mut [Role], message: MessageId, what: Received) {
    roles[message.0 as usize].received.push(what);
}

/// The field that switches events on or off, of a request that has nothing but it and `pid`.
pub(crate) fn subscription(api: &Api, request: MessageId) -> Option<&Field> {
    let [switch, pid] = &api.message(request).fields[..] else { return None };
    let is = |field: &Field, scalars: &[Scalar]| matches!(field.ty, FieldType::One(TypeRef::Scalar(scalar)) if scalars.contains(&scalar));
    let fits = matches!(switch.name.as_str(), "enable" | "enable_disable")
        && is(switch, &[Scalar::Bool, Scalar::U8, Scalar::U32])
        && pid.name == "pid"
        && is(pid, &[Scalar::U32]);
    fits.then_some(switch)
}
