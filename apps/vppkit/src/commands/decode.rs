//! `vppkit decode`.

use std::io::{Read, Write};

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use vpp_schema::{Api, MessageHead, MessageId};
use vpp_wire::Header;

use super::batch;
use super::typed::Way;
use crate::cli::DecodeArgs;
use crate::definitions::Definitions;
use crate::input;
use crate::output::Output;

/// Reads a message from its bytes, or one from each line of standard input.
pub(crate) fn run(arguments: &DecodeArgs, output: &mut Output) -> anyhow::Result<()> {
    let definitions = Definitions::offline(&arguments.codec.definitions)?;
    let named =
        arguments.name.as_deref().map(|name| definitions.message(name)).transpose()?.map(|(id, _)| id);
    let way = Way::of(arguments.codec.typed)?;
    if arguments.batch {
        let mut json = Vec::new();
        return batch::run(output, |line, out| {
            let (message, bytes) = read_line(&definitions, named, line)?;
            let decoded = decode(&definitions.api, way, message, &bytes, arguments.header)?;
            json.clear();
            serde_json::to_writer(&mut json, &decoded)?;
            out.push_str(std::str::from_utf8(&json)?);
            Ok(())
        });
    }
    let (Some(message), Some(hex)) = (named, &arguments.hex) else { bail!("no message is named") };
    let bytes = if hex == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        input::bytes(&text)?
    } else {
        input::bytes(hex)?
    };
    output.json_pretty(&decode(&definitions.api, way, message, &bytes, arguments.header)?)?;
    output.flush()?;
    Ok(())
}

/// The message and the bytes of a line.
fn read_line(
    definitions: &Definitions,
    named: Option<MessageId>,
    line: &[u8],
) -> anyhow::Result<(MessageId, Vec<u8>)> {
    let text = std::str::from_utf8(line).context("the line is not UTF-8")?;
    let Some(json) = text.trim_start().starts_with('{').then(|| serde_json::from_str(text)) else {
        let message =
            named.context("the line has no name; give one with --name, or {\"name\": ..., \"hex\": ...}")?;
        return Ok((message, input::bytes(text)?));
    };
    let line: Map<String, Value> = json.context("the line is not JSON")?;
    let message = match (line.get("name"), named) {
        (Some(Value::String(name)), _) => definitions.message(name)?.0,
        (None, Some(named)) => named,
        (Some(other), _) => bail!("the name is no text: {other}"),
        (None, None) => bail!("the line has no name"),
    };
    match line.get("hex") {
        Some(Value::String(hex)) => Ok((message, input::bytes(hex)?)),
        Some(other) => bail!("hex is no text: {other}"),
        None => bail!("the line has no hex"),
    }
}

/// A message in VPP's JSON form; with its header where that is wanted.
pub(crate) fn decode(
    api: &Api,
    way: Way,
    message: MessageId,
    bytes: &[u8],
    with_header: bool,
) -> anyhow::Result<Map<String, Value>> {
    let (head, decoded) = way.decode(api, message, bytes)?;
    if !with_header {
        return Ok(decoded);
    }
    let mut all = Map::new();
    for (name, value) in decoded {
        let is_field = !name.starts_with('_');
        if is_field && !all.contains_key("_vl_msg_id") {
            insert_header(&mut all, &head, api.message(message).header);
        }
        all.insert(name, value);
    }
    if !all.contains_key("_vl_msg_id") {
        insert_header(&mut all, &head, api.message(message).header);
    }
    Ok(all)
}

fn insert_header(message: &mut Map<String, Value>, head: &MessageHead, header: Header) {
    message.insert("_vl_msg_id".to_owned(), head.id.into());
    if header.client_index().is_some() {
        message.insert("client_index".to_owned(), u32::from_be_bytes(head.client_index).into());
    }
    if header.context().is_some() {
        message.insert("context".to_owned(), head.context.into());
    }
}
