//! Definitions of VPP's binary API, as data: what generators, command-line tools, stand-ins and bridges stand on.
//!
//! | Part | What it does |
//! |---|---|
//! | [`Api::read_dir`], [`Api::from_sources`], [`Api::from_running`] | read VPP's `*.api.json`, pins, or what a running VPP tells |
//! | [`Api::read_api_sources`], [`ApiFile`] | read VPP's `*.api`, as its sources and those of plugins have them |
//! | [`Api`] | the model: modules, types, messages, services, every name resolved |
//! | [`Api::layout_of`], [`Api::offsets`], [`Api::layout_hash`] | where the bytes of a definition stand |
//! | [`Api::encode_message`], [`Api::decode_message`] | JSON to bytes and back for any message, without generated code |
//! | [`Api::compare`] | what differs between two APIs, field by field, and whether they understand each other |
//! | [`Api::subset`], [`Api::import_texts`] | a part with all it needs; types as `.api` texts for who imports them |
//! | [`pins`] | definitions of a release in a small normalised form to commit |
//!
//! ```
//! use serde_json::json;
//! use vpp_schema::{Answer, Api, Group, Layout, MessageHead, Source};
//!
//! let json = json!({
//!     "messages": [
//!         ["ping", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], ["u32", "repeat", {"default": 5}],
//!             {"crc": "0x51077d14"}],
//!         ["ping_reply", ["u16", "_vl_msg_id"], ["u32", "context"], ["i32", "retval"], {"crc": "0xf6b0b8ca"}],
//!     ],
//!     "services": {"ping": {"reply": "ping_reply"}},
//!     "imports": [],
//! });
//! // Usually a folder: Api::read_dir("/usr/share/vpp/api".as_ref())
//! let source = Source {
//!     name: "ping".to_owned(),
//!     group: Group::Plugins,
//!     origin: "ping.api.json".to_owned(),
//!     text: json.to_string(),
//! };
//! let api = Api::from_sources(&[source])?;
//!
//! let (ping, definition) = api.find_message("ping").expect("just read");
//! let (reply, reply_definition) = api.find_message("ping_reply").expect("just read");
//! assert_eq!(api.answer(ping), Some(Answer::Reply(reply)));
//! assert_eq!(api.layout_of(definition.fields[0].ty), Layout::Fixed(4));
//! assert_eq!(reply_definition.retval(&api), Some(6));
//!
//! // An absent field takes its default.
//! let bytes = api.encode_message(ping, &MessageHead::default(), &json!({}))?;
//! assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds for every `Api`
//!
//! * Each type is there once, in the module that owns it. The import graph decides who that is, never the order of files;
//!   two modules that define a name differently keep their own.
//! * Nothing contains itself, and types are nested at most 64 deep, so walks over types may recurse.
//! * A counted array counts by an integer before it in the same block. A discriminator is an enum before its union; each
//!   member of that union has a `case` of its own, which is one of the enumerators.
//! * What newer releases tell of a definition is in it, too: what selects a union, a default. [`Field::completed`] says so.
//! * Elements of arrays take bytes. Members of unions have a fixed size. Values of enums fit their integer.
//! * Names are made of letters, digits and `_`: they are safe as names of files and in programs.
//! * Lengths saturate: a definition may ask for more bytes than there can be.
//!
//! No input makes this crate panic: definitions and messages are read with an error that names the place.

pub mod bridge;
mod codec;
mod compare;
mod error;
mod idl;
mod layout;
mod measure;
mod model;
pub mod pins;
mod reader;
mod subset;

pub use codec::{ByteFault, CodecError, JsonFault, MessageHead};
pub use compare::{
    Changed, Comparison, Difference, DifferenceKind, Effect, Item, Modules, Moved, OptionChange, Section,
    ServiceChange, Services, Verdict,
};
pub use error::{LanguageError, LanguageFault, Problem, ReadError};
pub use idl::{ApiFile, Numbering, SourceOptions};
pub use layout::{Layout, LayoutHash};
pub use model::*;
pub use reader::Source;
pub use vpp_wire::Header;
