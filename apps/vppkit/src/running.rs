//! A running VPP and the definitions of its messages.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use vpp_conn::{ConnectError, Connection, MessageTable, RawMessage};
use vpp_schema::{Answer, Api, MessageDef, MessageId};
use vpp_wire::{ApiError, Header};

use crate::cli::{DefinitionArgs, SocketArgs};
use crate::definitions::Definitions;
use crate::failure::Refused;
use crate::output::note;
use crate::recording;
use crate::similar;

/// The name that `show api clients` shows.
const CLIENT_NAME: &str = "vppkit";

/// A running VPP and the definitions of its messages.
pub(crate) struct Running {
    pub(crate) connection: Connection,
    pub(crate) definitions: Definitions,
}

impl Running {
    /// Connects, and finds the definitions: those that the command line names, else VPP's own.
    async fn connect(
        socket: &SocketArgs,
        timeout: Option<Duration>,
        definitions: &DefinitionArgs,
    ) -> anyhow::Result<Self> {
        // What the command line says wrong is said before anything is sent.
        let named = Definitions::named(definitions)?;
        let connection = connect(&socket.socket, timeout).await?;
        let definitions = match named {
            Some(definitions) => definitions,
            None => own_definitions(&connection).await?,
        };
        Ok(Self { connection, definitions })
    }

    pub(crate) fn api(&self) -> &Api {
        &self.definitions.api
    }

    /// What this VPP has: its definitions without the messages that its table lacks, and with the CRCs of the table.
    pub(crate) fn present(&self) -> anyhow::Result<Api> {
        let mut sources = self.api().to_pins();
        for source in &mut sources {
            let mut module: Value = serde_json::from_str(&source.text)?;
            let table = self.connection.table();
            if let Some(Value::Array(messages)) = module.get_mut("messages") {
                messages.retain_mut(|message| present(message, table));
            }
            if let Some(Value::Object(services)) = module.get_mut("services") {
                services.retain(|request, service| {
                    table.get(request).is_some() && service.names().all(|name| table.get(name).is_some())
                });
            }
            source.text = module.to_string();
        }
        Api::from_sources(&sources).context("what this VPP has cannot be told from its definitions")
    }

    /// A message as the connection wants it told, if this VPP has it.
    pub(crate) fn raw(&self, id: MessageId) -> anyhow::Result<RawMessage<'_>> {
        let message = self.api().message(id);
        let MessageDef { name, crc, .. } = message;
        match self.connection.table().get(name) {
            Some(entry) if entry.crc == *crc => Ok(raw(message)),
            Some(entry) => bail!(
                "this VPP has another {name}: {:08x}, where {} has {crc:08x}; \
                 its own definition is used without --api-dir and --release",
                entry.crc,
                self.definitions.origin()
            ),
            None => {
                let module = &self.api().module(message.module).name;
                bail!("this VPP has no {name}: module {module} is not loaded, or is of another release")
            }
        }
    }
}

/// Whether a VPP has a message of a module's file; then with its CRC.
fn present(message: &mut Value, table: &MessageTable) -> bool {
    let name = message.get(0).and_then(Value::as_str);
    let Some(entry) = name.and_then(|name| table.get(name)) else { return false };
    if let Some(Value::Object(trailer)) = message.as_array_mut().and_then(|line| line.last_mut()) {
        trailer.insert("crc".to_owned(), format!("{:#010x}", entry.crc).into());
    }
    true
}

/// The messages that a service of a module's file names.
trait ServiceNames {
    fn names(&self) -> impl Iterator<Item = &str>;
}

impl ServiceNames for Value {
    fn names(&self) -> impl Iterator<Item = &str> {
        let events = self.get("events").and_then(Self::as_array).into_iter().flatten();
        let answers = ["reply", "stream_msg"].into_iter().filter_map(|key| self.get(key));
        // VPP writes `null` for the reply of a request without one.
        answers.chain(events).filter_map(Self::as_str).filter(|name| *name != "null")
    }
}

/// Connects to the VPP at a socket.
pub(crate) async fn connect(socket: &Path, timeout: Option<Duration>) -> Result<Connection, ConnectError> {
    let mut builder = Connection::builder().name(CLIENT_NAME);
    if let Some(timeout) = timeout {
        builder = builder.connect_timeout(timeout).deadline(timeout);
    }
    if let Some(room) = recording::room() {
        builder = builder.trace(room);
    }
    builder.connect(socket).await
}

/// Tells VPP that this client is done. What was asked is answered by now, so a failure to say goodbye is none. What was
/// to be recorded is written with these definitions, as far as they know it.
pub(crate) async fn close(connection: Connection, api: Option<&Api>) {
    recording::write(&connection, api);
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "closing");
    }
}

/// Connects, does the work, and whatever comes of it tells VPP that this client is done. `timeout` is for each answer
/// of VPP's, the first included.
pub(crate) async fn with_running<T>(
    socket: &SocketArgs,
    timeout: Option<Duration>,
    definitions: &DefinitionArgs,
    work: impl AsyncFnOnce(&Running) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let running = Running::connect(socket, timeout, definitions).await?;
    let recorded = running.connection.clone();
    recording::follow(move || Some(recorded.clone()), Some(running.definitions.api.clone()));
    let result = work(&running).await;
    close(running.connection, Some(&running.definitions.api)).await;
    result
}

/// A message as the connection wants it told.
pub(crate) fn raw(message: &MessageDef) -> RawMessage<'_> {
    RawMessage { name: &message.name, crc: message.crc, header: message.header }
}

/// The refusal that a decoded reply tells of, if it does.
pub(crate) fn refusal(request: &str, reply: &serde_json::Map<String, Value>) -> Option<Refused> {
    let retval = reply.get("retval").and_then(Value::as_i64)?;
    let code = ApiError::from_retval(i32::try_from(retval).ok()?)?;
    Some(Refused { message: request.to_owned(), code })
}

/// The definitions of a running VPP: those it tells, completed by the pinned release that is most like it; the
/// pinned ones alone where it tells none (before 24.06).
async fn own_definitions(connection: &Connection) -> anyhow::Result<Definitions> {
    let version = version(connection).await;
    let like = similar::most_like(
        connection.table(),
        &similar::releases(version.as_deref(), vpp_api_json::releases()),
    );
    let pins = vpp_api_json::api(like)?;
    let told = match pins.find_message("get_api_json") {
        Some((id, message)) if similar::has(connection.table(), message) => {
            Some(api_json(connection, pins, id).await?)
        }
        _ => None,
    };
    let Some(told) = told else {
        note(format_args!(
            "this VPP does not tell its definitions (before 24.06); taking those of {like}, which are most like it"
        ));
        return Definitions::release(like);
    };
    let api =
        Api::from_running(&told, Some(pins)).context("the definitions that VPP tells cannot be read")?;
    Ok(Definitions::running(api))
}

/// What VPP says of its version, if it does.
async fn version(connection: &Connection) -> Option<String> {
    // The same in every release, 20.09 to 26.06.
    let request = RawMessage { name: "show_version", crc: 0x5107_7d14, header: Header::ClientContext };
    let reply = RawMessage { name: "show_version_reply", crc: 0xc919_bde1, header: Header::Context };
    let payload = connection.raw().call(request, &[], reply).await;
    let payload = payload.map_err(|error| tracing::debug!(%error, "the version of VPP is not known")).ok()?;
    // Behind retval and `string program[32]`: `string version[32]`.
    let version = payload.get(36..68)?.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(version).into_owned())
}

/// VPP's own description of its API.
async fn api_json(connection: &Connection, pins: &Api, request: MessageId) -> anyhow::Result<String> {
    let message = pins.message(request);
    let Some(Answer::Reply(reply)) = pins.answer(request) else {
        bail!("{} has no reply in the pinned definitions", message.name);
    };
    let payload = connection.raw().call(raw(message), &[], raw(pins.message(reply))).await?;
    let mut reply = pins.decode_payload(reply, &payload)?;
    if let Some(refused) = refusal(&message.name, &reply) {
        return Err(refused.into());
    }
    match reply.remove("json") {
        Some(Value::String(json)) => Ok(json),
        _ => bail!("{} came back without its text", message.name),
    }
}
