//! Services: those that a file writes, and those that names imply.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::compile::{Defined, names};
use super::syntax::{File, Name, Rpc, Statement};
use crate::error::{LanguageError, LanguageFault};

/// The services as JSON has them, by request: written ones first, then those that names imply.
pub(super) fn of(file: &File, messages: &[Defined<'_>]) -> Result<Map<String, Value>, Box<LanguageError>> {
    let mut services = Map::new();
    let mut written: HashMap<&str, &Rpc> = HashMap::new();
    let mut replies: HashSet<&str> = HashSet::new();
    for statement in &file.statements {
        let Statement::Service(rpcs) = statement else { continue };
        for rpc in rpcs {
            written.insert(&rpc.request.text, rpc);
            replies.insert(&rpc.reply.text);
            services.insert(rpc.request.text.clone(), service(rpc));
        }
    }
    let defined = names(messages);
    let mut events = HashSet::new();
    for statement in &file.statements {
        let Statement::Service(rpcs) = statement else { continue };
        for rpc in rpcs {
            check(file, rpc, &defined, &replies)?;
            events.extend(rpc.events.iter().map(|event| event.text.as_str()));
        }
    }
    for message in messages {
        let name = message.name.as_str();
        if events.contains(name) {
            continue;
        }
        if let Some((request, service)) =
            implied(name, &defined, &written).map_err(|fault| file.text.error(message.span, fault))?
        {
            services.insert(request, service);
        }
    }
    Ok(services)
}

fn service(rpc: &Rpc) -> Value {
    let mut service = Map::new();
    service.insert("reply".to_owned(), json!(rpc.reply.text));
    if rpc.stream {
        service.insert("stream".to_owned(), json!(true));
    }
    if let Some(message) = &rpc.stream_message {
        service.insert("stream_msg".to_owned(), json!(message.text));
    }
    if !rpc.events.is_empty() {
        service.insert("events".to_owned(), rpc.events.iter().map(|event| json!(event.text)).collect());
    }
    Value::Object(service)
}

/// The messages of a service are defined in its file.
fn check(
    file: &File,
    rpc: &Rpc,
    defined: &HashSet<&str>,
    replies: &HashSet<&str>,
) -> Result<(), Box<LanguageError>> {
    let known = |name: &Name| {
        if defined.contains(name.text.as_str()) {
            return Ok(());
        }
        let fault = LanguageFault::UnknownMessage { name: name.text.clone() };
        Err(file.text.error(name.span, fault))
    };
    known(&rpc.request)?;
    if rpc.reply.text != "null" {
        known(&rpc.reply)?;
    }
    rpc.stream_message.iter().chain(&rpc.events).try_for_each(known)?;
    if replies.contains(rpc.request.text.as_str()) {
        let fault = LanguageFault::ReplyAsRequest { name: rpc.request.text.clone() };
        return Err(file.text.error(rpc.request.span, fault));
    }
    Ok(())
}

/// The service that a message's name implies, if it is a request that no written service has.
fn implied(
    name: &str,
    defined: &HashSet<&str>,
    written: &HashMap<&str, &Rpc>,
) -> Result<Option<(String, Value)>, LanguageFault> {
    let is_written = |name: &str| written.contains_key(name);
    let is_defined = |name: &str| defined.contains(name);
    if let Some(request) = name.strip_suffix("_reply") {
        return if is_written(request) || is_defined(request) {
            Ok(None)
        } else {
            Err(LanguageFault::NoRequest { name: name.to_owned(), request: request.to_owned() })
        };
    }
    if let Some(stem) = name.strip_suffix("_dump") {
        let details = format!("{stem}_details");
        return if is_written(name) {
            Ok(None)
        } else if is_defined(&details) {
            Ok(Some((name.to_owned(), json!({"reply": details, "stream": true}))))
        } else {
            Err(LanguageFault::NoDetails { name: name.to_owned(), details })
        };
    }
    if let Some(stem) = name.strip_suffix("_details") {
        let get = format!("{stem}_get");
        return if is_defined(&get) {
            if is_written(&get) { Ok(None) } else { Err(LanguageFault::NoStream { stem: stem.to_owned() }) }
        } else if is_defined(&format!("{stem}_dump")) {
            Ok(None)
        } else {
            Err(LanguageFault::NoDump { name: name.to_owned(), stem: stem.to_owned() })
        };
    }
    let reply = format!("{name}_reply");
    if is_written(name) {
        Ok(None)
    } else if is_defined(&reply) {
        Ok(Some((name.to_owned(), json!({"reply": reply}))))
    } else {
        Err(LanguageFault::NoReply { name: name.to_owned() })
    }
}
