//! Documents: YAML, JSON and TOML as trees in which each value knows where it was written, and trees as types.
//!
//! The configuration of an agent is read by this, and so is whatever else people write for one: an error names document,
//! line, field and reason, whoever finds it.
//!
//! ```
//! use vpp_agent_kernel::document::{Format, parse};
//! use vpp_agent_kernel::serde::Deserialize;
//!
//! #[derive(Deserialize, Debug)]
//! #[serde(crate = "vpp_agent_kernel::serde")]
//! struct Uplink {
//!     name: String,
//!     mtu: u16,
//! }
//!
//! let text = "[uplink]\nname = 'wan'\nmtu = 90000";
//! let document = &parse("net.toml", text, Format::Toml).unwrap()[0];
//! let uplink = document.get("uplink").unwrap();
//! let error = uplink.read::<Uplink>("uplink").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "net.toml:3: uplink.mtu: this is integer `90000`, and should be an integer from 0 to 65535"
//! );
//! ```

mod deserialize;
mod error;
mod json;
mod lines;
mod lists;
mod node;
#[cfg(feature = "yaml")]
mod plain;
mod read;
#[cfg(feature = "yaml")]
mod scalar;
mod schema;
mod table;
mod toml;
#[cfg(feature = "yaml")]
mod yaml;

pub use self::error::{ConfigError, ConfigErrors};
pub use self::lists::Lists;
pub use self::node::{Entry, Node, Origin, Value};
pub use self::read::{Format, load, load_lists, parse, parse_lists};
pub use self::schema::schema;
pub(crate) use self::schema::{property, section as section_schema};
pub(crate) use self::toml::value as toml_value;

/// What was probably meant, and what there is: the end of a sentence about a `name` that is not among those that are known.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, what: &str) -> String {
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    // Two letters in the wrong order, or one too many, are a typo in a short name too.
    let typo = |other: &str| other.len() > 2 && strsim::damerau_levenshtein(name, other) == 1;
    let near = |other: &str| strsim::jaro_winkler(name, other).max(if typo(other) { 0.9 } else { 0.0 });
    let close = known.iter().map(|other| (near(other), *other));
    let close = close.filter(|(nearness, _)| *nearness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    match close {
        Some((_, other)) => format!("; did you mean `{other}`?"),
        None if known.is_empty() => format!("; there are no {what}"),
        None => format!(
            "; {what} are {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Names are the same when they differ in nothing but case, dashes and underscores.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    plain(one) == plain(other)
}
