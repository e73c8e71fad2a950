//! Why a message cannot be bridged.

use vpp_schema::bridge::MappingError;

/// A message that this VPP has otherwise than the program, and that cannot be bridged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// VPP has neither the message nor one that is declared to stand in for it.
    #[error(
        "this VPP{} has no {message}{}: the plugin that defines it is not loaded, or its release is another",
        told(vpp),
        or(counterparts)
    )]
    Absent {
        /// The message.
        message: String,
        /// VPP's release, where it is known.
        vpp: Option<String>,
        /// The messages that could stand in for it.
        counterparts: Vec<&'static str>,
    },
    /// No definition of the program's message is at hand.
    #[error(
        "{message} ({crc:08x}) cannot be bridged: its definition is not at hand; turn on the feature of the program's \
         release in vpp-api-json (compiled in are {}), or give it with Bridge::definitions", compiled_in.join(", ")
    )]
    UnknownMessage {
        /// The message.
        message: String,
        /// The CRC the program knows.
        crc: u32,
        /// The releases whose pins are compiled in.
        compiled_in: &'static [&'static str],
    },
    /// No definition of VPP's message is at hand.
    #[error(
        "this VPP{} speaks another {message} ({theirs:08x}), of which it does not tell the definition; turn on the \
         feature of its release in vpp-api-json (compiled in are {})", told(vpp), compiled_in.join(", ")
    )]
    UntoldMessage {
        /// The message.
        message: String,
        /// VPP's CRC.
        theirs: u32,
        /// VPP's release, where it is known.
        vpp: Option<String>,
        /// The releases whose pins are compiled in.
        compiled_in: &'static [&'static str],
    },
    /// VPP answers the request in another manner.
    #[error("this VPP{} answers {message} with {theirs}, which is not how the program reads it", told(vpp))]
    OtherAnswer {
        /// The request as VPP knows it.
        message: String,
        /// VPP's release, where it is known.
        vpp: Option<String>,
        /// What VPP answers with, as definitions write it.
        theirs: String,
    },
    /// The definitions do not go into each other.
    #[error("this VPP{} speaks another {}, which cannot be bridged: {error}; build against its release", told(vpp), error.counterpart)]
    Refused {
        /// VPP's release, where it is known.
        vpp: Option<String>,
        /// The field and the reason.
        error: MappingError,
    },
}

fn told(version: &Option<String>) -> String {
    version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default()
}

fn or(counterparts: &[&str]) -> String {
    if counterparts.is_empty() { String::new() } else { format!(", nor {}", counterparts.join(", ")) }
}
