//! `vppkit encode`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use vpp_schema::{MessageHead, MessageId};

use super::batch;
use super::typed::Way;
use crate::cli::EncodeArgs;
use crate::definitions::Definitions;
use crate::input;
use crate::output::{Format, Output};

/// Writes a message as VPP gets it, or one for each line of standard input.
pub(crate) fn run(arguments: &EncodeArgs, output: &mut Output) -> anyhow::Result<()> {
    let definitions = Definitions::offline(&arguments.codec.definitions)?;
    let named =
        arguments.name.as_deref().map(|name| definitions.message(name)).transpose()?.map(|(id, _)| id);
    let way = Way::of(arguments.codec.typed)?;
    if arguments.batch {
        return batch::run(output, |line, out| {
            let value = serde_json::from_slice(line).context("the line is not JSON")?;
            encode_line(&definitions, way, named, value, out)
        });
    }
    let Some(message) = named else { bail!("no message is named") };
    let fields = input::fields(arguments.fields.as_deref())?;
    let bytes = way.encode(&definitions.api, message, &MessageHead::default(), &fields)?;
    let mut hex = String::new();
    input::push_hex(&bytes, &mut hex);
    match output.format {
        Format::Json => output.json_pretty(&serde_json::json!({
            "name": definitions.api.message(message).name, "hex": hex,
        }))?,
        Format::Text => writeln!(output, "{hex}")?,
    }
    output.flush()?;
    Ok(())
}

/// Encodes what a line says, and appends its hex digits.
fn encode_line(
    definitions: &Definitions,
    way: Way,
    named: Option<MessageId>,
    line: Value,
    out: &mut String,
) -> anyhow::Result<()> {
    let Value::Object(mut line) = line else { bail!("the line is no JSON object") };
    let mut head = MessageHead::default();
    let (name, fields) = match line.get("_msgname").cloned() {
        // A message as `decode` prints it, with its header or without.
        Some(name) => (Some(name), Value::Object(line)),
        None => {
            head.id = number(&mut line, "id")?;
            head.client_index = number::<u32>(&mut line, "client_index")?.to_be_bytes();
            head.context = number(&mut line, "context")?;
            let name = line.remove("name");
            let fields = line.remove("fields").unwrap_or_else(|| Value::Object(Map::new()));
            if let Some(other) = line.keys().next() {
                bail!("the line has {other:?}; known are name, fields, id, client_index and context");
            }
            (name, fields)
        }
    };
    let message = match (name, named) {
        (Some(Value::String(name)), _) => definitions.message(&name)?.0,
        (None, Some(named)) => named,
        (Some(other), _) => bail!("the name is no text: {other}"),
        (None, None) => bail!("the line has no name"),
    };
    let bytes = way.encode(&definitions.api, message, &head, &fields)?;
    input::push_hex(&bytes, out);
    Ok(())
}

/// Takes a word of the header out of a line; zero where it has none.
fn number<T: TryFrom<u64> + Default>(line: &mut Map<String, Value>, name: &str) -> anyhow::Result<T> {
    let Some(value) = line.remove(name) else { return Ok(T::default()) };
    let number = value.as_u64().and_then(|number| T::try_from(number).ok());
    number.with_context(|| format!("{name} is to be a number of {} bits; got {value}", 8 * size_of::<T>()))
}
