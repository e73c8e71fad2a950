//! What the stand-in does at each request: one function per message, one file per topic.
//!
//! A handler reads the request's fields, changes the state, and says the answer. It knows nothing of bytes, clients or
//! contexts.

mod addresses;
mod af_packet;
mod api_json;
mod bridge_domains;
mod cli;
mod cli_fib;
mod core;
mod interfaces;
mod path_mtu;
mod routes;
mod tables;

use vpp_schema::Api;

use crate::answer::Answer;
use crate::message_table::MessageTable;
use crate::request::Fields;
use crate::state::Vpp;

/// A request that is being handled.
pub(crate) struct Call<'a> {
    pub(crate) vpp: &'a mut Vpp,
    pub(crate) server: Server<'a>,
    pub(crate) request: Fields<'a>,
    /// Who asks.
    pub(crate) client_index: [u8; 4],
}

/// What handlers know of the stand-in itself.
#[derive(Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) api: &'a Api,
    pub(crate) table: &'a MessageTable,
    /// Elements of a cursor stream that are sent before the client must ask for more.
    pub(crate) chunk: u32,
}

/// Answers a request.
pub(crate) type Handler = fn(&mut Call<'_>) -> Answer;

/// Every message with behaviour.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Handler)> {
    [
        core::HANDLERS,
        interfaces::HANDLERS,
        af_packet::HANDLERS,
        addresses::HANDLERS,
        tables::HANDLERS,
        routes::HANDLERS,
        bridge_domains::HANDLERS,
        path_mtu::HANDLERS,
        cli::HANDLERS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
