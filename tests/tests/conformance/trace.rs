//! VPP's own record of the messages it received, against the bytes that were sent.
//!
//! The bytes were written by the typed messages. Here they are read with the definitions, independently of the typed
//! messages, and compared with what VPP says it understood.

use std::fs;

use bytes::Bytes;
use libtest_mimic::Failed;
use serde_json::{Map, Value, json};
use vpp_conn::MessageTable;
use vpp_sim::private_vpp::PrivateVpp;

/// What VPP records although no client sent it: the numbers of its modules.
const OF_VPP: &str = "trace_plugin_msg_ids";

/// What VPP does not record: the messages that make and end a client.
const NOT_RECORDED: [&str; 2] = ["sockclnt_create", "sockclnt_delete"];

/// What VPP prints of an enum's value that has no name.
const NAMELESS: &str = "Invalid ENUM";

/// Compares VPP's record with what its clients sent, each in its order.
pub(super) fn compare(vpp: &PrivateVpp, table: &MessageTable, sent: &[Vec<Bytes>]) -> Result<(), Failed> {
    let seen = seen(vpp)?;
    let meant: Vec<Vec<Value>> =
        sent.iter().map(|messages| meant(table, messages)).collect::<Result<_, _>>()?;
    if seen.is_empty() && meant.iter().any(|messages| !messages.is_empty()) {
        return Err("VPP recorded nothing".into());
    }
    // VPP takes the clients' messages in any mixture: each must be the next one of some client.
    let mut rest: Vec<&[Value]> = meant.iter().map(Vec::as_slice).collect();
    for message in &seen {
        let next =
            rest.iter_mut().find(|rest| rest.first().is_some_and(|next| differ(message, next).is_none()));
        match next {
            Some(next) => *next = &next[1..],
            None => {
                let nexts: Vec<String> =
                    rest.iter().filter_map(|rest| explain(message, rest.first()?)).collect();
                return Err(format!("VPP saw {message}\nbut next were {}", nexts.join("\nor ")).into());
            }
        }
    }
    match rest.iter().find_map(|rest| rest.first()) {
        Some(unseen) => Err(format!("VPP did not see {unseen}").into()),
        None => Ok(()),
    }
}

/// What VPP recorded, in its JSON form.
fn seen(vpp: &PrivateVpp) -> Result<Vec<Value>, Failed> {
    // VPP takes a name only, and writes to /tmp.
    let name = format!("vppkit-trace-{}", vpp.pid().unwrap_or_default());
    let command = format!("api trace save-json {name}");
    vpp.cli(&command)?;
    let file = std::path::Path::new("/tmp").join(name);
    let text = fs::read(&file)?;
    fs::remove_file(&file)?;
    let mut messages: Vec<Value> = serde_json::from_slice(&text)?;
    messages.retain(|message| message["_msgname"] != OF_VPP);
    // The command that saved the record came from the launcher.
    messages.pop_if(|message| message["cmd"] == command);
    Ok(messages)
}

/// What a client meant, in our JSON form. VPP records also what it then drops: of a message that is too short, only the
/// name can be compared.
fn meant(table: &MessageTable, messages: &[Bytes]) -> Result<Vec<Value>, Failed> {
    let api = vpp_api_json::api("26.06")?;
    let known = messages.iter().filter_map(|message| {
        let id = u16::from_be_bytes(*message.first_chunk()?);
        let name = &*table.by_id(id)?.name;
        let (definition, _) = api.find_message(name)?;
        let read = match api.decode_message(definition, message) {
            Ok((_, fields)) => Value::Object(fields),
            Err(_) => json!({"_msgname": name}),
        };
        (!NOT_RECORDED.contains(&name)).then_some(read)
    });
    Ok(known.collect())
}

fn explain(seen: &Value, meant: &Value) -> Option<String> {
    Some(format!("{meant} ({} differs)", differ(seen, meant)?))
}

/// Where both forms say something else. VPP's says less in places: values without a name are lost, and it shows all
/// members of a union where ours shows the selected one.
fn differ(seen: &Value, meant: &Value) -> Option<String> {
    let is_same = match (seen, meant) {
        (Value::Object(seen), Value::Object(meant)) => return differ_in_field(seen, meant),
        (Value::Array(seen), Value::Array(meant)) => {
            if seen.len() == meant.len() {
                return seen.iter().zip(meant).find_map(|(seen, meant)| differ(seen, meant));
            }
            false
        }
        (Value::String(text), Value::Number(_)) => text == NAMELESS,
        // A prefix that is too long for its address is text to VPP.
        (Value::String(text), Value::Object(prefix)) => {
            let address = prefix.get("address").and_then(Value::as_str).unwrap_or_default();
            prefix.get("len").is_some_and(|len| *text == format!("{address}/{len}"))
        }
        (Value::Number(seen), Value::Number(meant)) => seen.as_f64() == meant.as_f64(),
        (seen, meant) => seen == meant,
    };
    (!is_same).then(|| format!("{seen}"))
}

fn differ_in_field(seen: &Map<String, Value>, meant: &Map<String, Value>) -> Option<String> {
    meant.iter().find_map(|(name, meant)| {
        let difference = match seen.get(name) {
            Some(seen) => differ(seen, meant)?,
            // VPP takes fields of these names for header words wherever they stand.
            None if ["client_index", "context"].contains(&name.as_str()) => return None,
            None => "absence".to_owned(),
        };
        Some(format!("{name}: {difference}"))
    })
}
