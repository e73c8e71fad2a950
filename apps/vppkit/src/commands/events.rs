//! `vppkit events`.

use std::io::Write;
use std::pin::pin;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};
use vpp_conn::{EventError, RawEvents};
use vpp_schema::{Answer, Api, FieldType, MessageId, Scalar, Service, TypeRef};

use crate::cli::EventsArgs;
use crate::input;
use crate::interrupt::Interrupt;
use crate::output::{Format, Output, note, write_record};
use crate::running::{Running, refusal, with_running};

/// Subscribes to an event, and prints each until it is interrupted or has seen enough.
pub(crate) async fn run(arguments: &EventsArgs, output: &mut Output) -> anyhow::Result<()> {
    let fields = input::fields(arguments.fields.as_deref())?;
    let Value::Object(fields) = fields else { bail!("the fields are to be a JSON object") };
    with_running(&arguments.socket, None, &arguments.definitions, async |running| {
        let (event, _) = running.definitions.message(&arguments.name)?;
        let registration = Registration::of(running.api(), event, &fields)?;
        let events = running.connection.raw().listen(running.raw(event)?)?;
        let interrupt = Interrupt::new()?;
        registration.send(running, true).await?;
        let watched = watch(running, event, events, interrupt, arguments, output).await;
        let switched_off = registration.send(running, false).await;
        watched.and(switched_off)
    })
    .await
}

/// Prints events until it is interrupted or has seen enough.
async fn watch(
    running: &Running,
    event: MessageId,
    mut events: RawEvents,
    mut interrupt: Interrupt,
    arguments: &EventsArgs,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut timed_out = pin!(async {
        match arguments.timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    });
    let mut seen = 0;
    loop {
        let received = tokio::select! {
            biased;
            () = interrupt.wait() => return Ok(()),
            () = &mut timed_out => match arguments.count {
                Some(count) => bail!("{}: {seen} of {count} came in time", arguments.name),
                None => return Ok(()),
            },
            received = events.next() => received,
        };
        match received {
            Ok(payload) => {
                let event = running.api().decode_payload(event, &payload);
                print(output, &event.context("an event cannot be read")?)?;
            }
            Err(error @ EventError::Overrun { .. }) => {
                note(error);
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        seen += 1;
        if arguments.count == Some(seen) {
            return Ok(());
        }
    }
}

fn print(output: &mut Output, event: &Map<String, Value>) -> anyhow::Result<()> {
    match output.format {
        Format::Json => output.json_line(event)?,
        Format::Text => {
            write_record(output, event, 0)?;
            writeln!(output)?;
        }
    }
    output.flush()?;
    Ok(())
}

/// The request that switches events on and off.
struct Registration<'a> {
    /// The request, its reply, and its fields; none where an event comes without.
    request: Option<(MessageId, MessageId, Map<String, Value>)>,
    /// The field that says on or off.
    switch: Option<&'a str>,
}

impl<'a> Registration<'a> {
    fn of(api: &'a Api, event: MessageId, fields: &Map<String, Value>) -> anyhow::Result<Self> {
        let name = &api.message(event).name;
        let Some(service) = service_with(api, event) else {
            if let Some(reason) = no_event(api, event) {
                bail!(reason);
            }
            ensure!(
                fields.is_empty(),
                "{name} has no request that subscribes to it, so there are no fields to give"
            );
            note(format_args!("no request subscribes to {name}; waiting for it"));
            return Ok(Self { request: None, switch: None });
        };
        let request = api.message(service.request);
        let Some(Answer::Reply(reply)) = api.answer(service.request) else {
            bail!("{name} comes in answer to {0}; use: vppkit dump {0}", request.name);
        };
        let switch = ["enable_disable", "enable"]
            .into_iter()
            .find_map(|switch| request.fields.iter().find(|field| field.name == switch))
            .map(|field| field.name.as_str());
        ensure!(
            switch.is_some() || !fields.is_empty(),
            "{name} comes after {0}, which does more than subscribe: give the fields of {0}",
            request.name
        );
        let mut fields = fields.clone();
        let has_pid = request
            .fields
            .iter()
            .any(|field| field.name == "pid" && field.ty == FieldType::One(TypeRef::Scalar(Scalar::U32)));
        if has_pid {
            fields.entry("pid").or_insert_with(|| std::process::id().into());
        }
        Ok(Self { request: Some((service.request, reply, fields)), switch })
    }

    /// Switches the events on or off. What has no switch is only ever switched on.
    async fn send(&self, running: &Running, on: bool) -> anyhow::Result<()> {
        let Some((request, reply, fields)) = &self.request else { return Ok(()) };
        let mut fields = fields.clone();
        match self.switch {
            Some(switch) => {
                fields.insert(switch.to_owned(), u8::from(on).into());
            }
            None if !on => return Ok(()),
            None => {}
        }
        let api = running.api();
        let message = api.message(*request);
        let payload = api.encode_payload(*request, &Value::Object(fields))?;
        let bytes =
            running.connection.raw().call(running.raw(*request)?, &payload, running.raw(*reply)?).await?;
        let decoded = api.decode_payload(*reply, &bytes).context("the reply cannot be read")?;
        refusal(&message.name, &decoded).map_or(Ok(()), |refused| Err(refused.into()))
    }
}

fn service_with(api: &Api, event: MessageId) -> Option<&Service> {
    api.modules.iter().flat_map(|module| &module.services).find(|service| service.events.contains(&event))
}

/// Why a message that no request subscribes to is nothing to wait for, if it is not.
fn no_event(api: &Api, message: MessageId) -> Option<String> {
    let name = &api.message(message).name;
    if let Some(service) = api.service(message) {
        return Some(match service.events.first() {
            Some(&event) => {
                format!("{name} subscribes to events; use: vppkit events {}", api.message(event).name)
            }
            None => format!("{name} is a request and no event"),
        });
    }
    let mut services = api.modules.iter().flat_map(|module| &module.services);
    services
        .any(|service| service.reply == Some(message) || service.stream_msg == Some(message))
        .then(|| format!("{name} answers a request and is no event"))
}
