//! Rules about the life of an API: versions, deprecation, what nobody uses.

use std::collections::{BTreeMap, HashSet};

use vpp_schema::{Answer, Api, MessageDef, MessageId, TypeId, TypeKind};

use super::{Report, Stem, versioned};

/// A module has a version of three numbers.
pub(super) fn file_basics(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        let is_version = |version: &str| {
            let numbers: Vec<&str> = version.split('.').collect();
            numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
        };
        match module.option("version") {
            None => report.module(module, "has no version; write: option version = \"1.0.0\";"),
            Some(version) if !is_version(version) => {
                report.module(module, format!("has the version {version:?}, which is not three numbers"));
            }
            Some(_) => {}
        }
    }
}

/// A message with a newer version that is ready for use is deprecated.
pub(super) fn deprecate_older(api: &Api, report: &mut Report<'_>) {
    let mut versions: BTreeMap<Stem<'_>, Vec<(u32, &MessageDef)>> = BTreeMap::new();
    for message in &api.messages {
        let (stem, version) = versioned(&message.name);
        versions.entry(stem).or_default().push((version, message));
    }
    for mut versions in versions.into_values() {
        versions.sort_by_key(|(version, _)| *version);
        let newest = versions.iter().rev().find(|(_, message)| !is_in_progress(message));
        let Some(&(newest_version, newest)) = newest else { continue };
        for (version, message) in &versions {
            if *version < newest_version && message.option("deprecated").is_none() {
                let text = format!("is not marked as deprecated, and there is {}", newest.name);
                report.item(api.module(message.module), &message.name, text);
            }
        }
    }
}

fn is_in_progress(message: &MessageDef) -> bool {
    message.option("in_progress").is_some() || message.option("status") == Some(Some("in_progress"))
}

/// A request and its answers are marked alike.
pub(super) fn same_status(api: &Api, report: &mut Report<'_>) {
    for service in api.modules.iter().flat_map(|module| &module.services) {
        let request = api.message(service.request);
        for answer in service.reply.iter().chain(&service.stream_msg).map(|&id| api.message(id)) {
            // One answer may serve several requests of different age.
            if answers_several(api, answer) {
                continue;
            }
            for (word, of) in [
                ("deprecated", (|message| message.option("deprecated").is_some()) as fn(&MessageDef) -> bool),
                ("in progress", is_in_progress),
            ] {
                let text = match (of(request), of(answer)) {
                    (true, false) => format!("is not {word}, and {} is", request.name),
                    (false, true) => format!("is {word}, and {} is not", request.name),
                    _ => continue,
                };
                report.item(api.module(answer.module), &answer.name, text);
            }
        }
    }
}

fn answers_several(api: &Api, answer: &MessageDef) -> bool {
    let services = api.modules.iter().flat_map(|module| &module.services);
    let is_it = |id: &MessageId| api.message(*id).name == answer.name;
    services.filter(|it| it.reply.iter().chain(&it.stream_msg).any(is_it)).count() > 1
}

/// Every message is part of a service.
pub(super) fn unused_message(api: &Api, report: &mut Report<'_>) {
    let mut used: HashSet<MessageId> = HashSet::new();
    for service in api.modules.iter().flat_map(|module| &module.services) {
        used.insert(service.request);
        used.extend(service.reply);
        used.extend(service.stream_msg);
        used.extend(&service.events);
    }
    for module in &api.modules {
        for id in module.messages.iter().filter(|id| !used.contains(id)) {
            report.item(module, &api.message(*id).name, "is part of no service");
        }
    }
}

/// Every type is part of a message, at any depth. Types of a module without messages are there for others.
pub(super) fn unused_type(api: &Api, report: &mut Report<'_>) {
    let mut open: Vec<TypeId> = api
        .messages
        .iter()
        .flat_map(|message| &message.fields)
        .filter_map(|field| field.ty.named())
        .collect();
    let mut used: HashSet<TypeId> = HashSet::new();
    while let Some(id) = open.pop() {
        if used.insert(id) {
            match &api.ty(id).kind {
                TypeKind::Struct(fields) | TypeKind::Union(fields) => {
                    open.extend(fields.iter().filter_map(|field| field.ty.named()));
                }
                TypeKind::Alias(target) => open.extend(target.named()),
                TypeKind::Enum(_) => {}
            }
        }
    }
    for module in api.modules.iter().filter(|module| !module.messages.is_empty()) {
        for id in module.types.iter().filter(|id| !used.contains(id)) {
            report.item(module, &api.ty(*id).name, "is part of no message");
        }
    }
}

/// The reply to a request can tell of a failure.
pub(super) fn reply_without_retval(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for service in &module.services {
            let reply = match api.answer(service.request) {
                Some(Answer::Reply(reply) | Answer::Stream { reply, .. }) => api.message(reply),
                Some(Answer::Details(_) | Answer::Nothing) | None => continue,
            };
            if reply.retval(api).is_none() {
                let request = &api.message(service.request).name;
                let text = format!("has no i32 retval, so {request} cannot tell of a failure");
                report.item(api.module(reply.module), &reply.name, text);
            }
        }
    }
    // One reply may serve several requests.
    let mut seen = HashSet::new();
    report.findings.retain(|it| it.rule != report.rule || seen.insert((it.module.clone(), it.item.clone())));
}
