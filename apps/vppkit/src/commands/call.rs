//! `vppkit call`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::Value;
use vpp_schema::{Answer, Api, MessageId};

use crate::cli::CallArgs;
use crate::input;
use crate::interrupt::or_interrupted;
use crate::output::{Format, Output, note, write_record};
use crate::running::{Running, refusal, with_running};

/// Sends a request, and prints its reply.
pub(crate) async fn run(arguments: &CallArgs, output: &mut Output) -> anyhow::Result<()> {
    let fields = input::fields(arguments.fields.as_deref())?;
    with_running(&arguments.socket, arguments.timeout, &arguments.definitions, async |running| {
        or_interrupted(call(running, &arguments.name, &fields, output)).await
    })
    .await
}

async fn call(running: &Running, name: &str, fields: &Value, output: &mut Output) -> anyhow::Result<()> {
    let api = running.api();
    let (request, message) = running.definitions.message(name)?;
    let reply = match api.answer(request) {
        Some(Answer::Reply(reply)) => reply,
        Some(Answer::Details(_) | Answer::Stream { .. }) => {
            bail!("{name} is answered by many messages; use: vppkit dump {name}")
        }
        Some(Answer::Nothing) => bail!("{name} is never answered; VPP has it for its own use"),
        None => bail!("{}", no_request(api, request)),
    };
    let known = running.raw(request)?;
    let payload = api.encode_payload(request, fields)?;
    let bytes = running.connection.raw().call(known, &payload, running.raw(reply)?).await?;
    let mut decoded = api.decode_payload(reply, &bytes).context("the reply cannot be read")?;
    let refused = refusal(name, &decoded);
    match output.format {
        Format::Json => output.json_pretty(&decoded)?,
        Format::Text if refused.is_some() => {}
        Format::Text => {
            decoded.shift_remove("retval");
            write_record(output, &decoded, 0)?;
        }
    }
    output.flush()?;
    if let Some((_, Some(successor))) = message.options.iter().find(|(key, _)| key == "replaced_by") {
        note(format_args!("{name} is replaced by {successor}"));
    }
    refused.map_or(Ok(()), |refused| Err(refused.into()))
}

/// Why a message cannot be sent as a request.
pub(super) fn no_request(api: &Api, message: MessageId) -> String {
    let name = &api.message(message).name;
    for service in api.modules.iter().flat_map(|module| &module.services) {
        let request = &api.message(service.request).name;
        if service.events.contains(&message) {
            return format!("{name} is an event; use: vppkit events {name}");
        }
        if service.stream_msg == Some(message) || (service.stream && service.reply == Some(message)) {
            return format!("{name} is what VPP sends; use: vppkit dump {request}");
        }
        if service.reply == Some(message) {
            return format!("{name} is what VPP sends; use: vppkit call {request}");
        }
    }
    format!("{name} is no request: no service is defined for it")
}
