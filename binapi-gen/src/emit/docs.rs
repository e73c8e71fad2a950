//! Documentation: what VPP's definition says, what we know of a name, else what the type says.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use vpp_schema::{Answer, DefaultValue, FieldType, Layout, MessageDef, MessageId, Scalar, TypeKind, TypeRef};

use super::block::{Context, Kind, Part};
use super::comment::{Comment, escape};
use super::defaults::cut;
use super::format::fill;
use crate::pass::plan::{Definition, Plan};
use crate::pass::services::{Received, Role};
use crate::special_cases;

/// The widest line of documentation.
const WIDTH: usize = 100;

/// Paragraphs (empty lines between are elements of their own) as `#[doc]` attributes.
pub(super) fn lines(paragraphs: &[String]) -> TokenStream {
    let mut docs = TokenStream::new();
    for paragraph in paragraphs {
        let text = fill(paragraph.split_whitespace().map(str::to_owned), " ", WIDTH);
        for line in text.lines() {
            let line = Literal::string(line.trim_end());
            docs.extend(quote!(#[doc = #line]));
        }
    }
    docs
}

impl<'a> Context<'_, 'a, '_> {
    /// The documentation of the item.
    pub(super) fn item_docs(&self) -> Vec<String> {
        let mut paragraphs = Vec::new();
        match (self.plan.message_def(self.item), self.plan.type_def(self.item)) {
            (Some(message), _) => self.message_docs(message, &mut paragraphs),
            (_, Some(definition)) => {
                paragraphs.push(format!("`{}`: {}.", definition.name, self.type_docs(&definition.kind)));
                paragraphs.extend(text_docs(&definition.name, definition.comment.as_deref()));
                paragraphs.push(String::new());
                paragraphs.push(format!("{}.", self.found_in()));
            }
            (None, None) => {}
        }
        paragraphs
    }

    /// What kind of type it is, and its bytes.
    fn type_docs(&self, kind: &TypeKind) -> String {
        let bytes = |count: usize| format!("{count} byte{}", if count == 1 { "" } else { "s" });
        let size = match self.item.definition {
            Definition::Type(id) => match self.api.layout_of_type(id) {
                Layout::Fixed(len) => bytes(len),
                Layout::Variable(len) => format!("{} or more", bytes(len)),
            },
            Definition::Message(_) => String::new(),
        };
        match (kind, &self.item.enumeration) {
            (TypeKind::Enum(_), Some(definition)) if definition.is_flags => {
                format!("a set of flags, on the wire a `{}`", definition.repr)
            }
            (TypeKind::Enum(definition), _) => format!("an enum, on the wire a `{}`", definition.repr),
            (TypeKind::Union(_), _) => format!("a union of {size}"),
            (TypeKind::Struct(_) | TypeKind::Alias(_), _) => size,
        }
    }

    fn message_docs(&self, message: &MessageDef, paragraphs: &mut Vec<String>) {
        let role = self.plan.role(self.item);
        let what = role.map_or_else(|| "message".to_owned(), |role| self.role_docs(role));
        paragraphs.push(format!("`{}`: {what}.", message.name));
        paragraphs.extend(text_docs(&message.name, message.comment.as_deref()));
        paragraphs.push(String::new());
        paragraphs.push(format!("CRC `{:08x}`. {}.", message.crc, self.found_in()));
        paragraphs.extend(status_docs(message));
    }

    fn role_docs(&self, role: &Role) -> String {
        let mut text = match role.answer {
            Some(Answer::Reply(reply)) => format!("request, answered by {}", self.link(reply)),
            Some(Answer::Details(details)) => {
                format!("request, answered by a stream of {} that a `control_ping` ends", self.link(details))
            }
            Some(Answer::Stream { details, reply }) => {
                format!(
                    "request, answered by a stream of {} that {} ends",
                    self.link(details),
                    self.link(reply)
                )
            }
            Some(Answer::Nothing) => "request that nothing answers".to_owned(),
            None => String::new(),
        };
        if !role.events.is_empty() {
            let events: Vec<_> = role.events.iter().map(|event| self.link(*event)).collect();
            text.push_str(&format!("; switches {} on", events.join(", ")));
        }
        for received in &role.received {
            let what = match received {
                Received::Reply(request) => format!("reply to {}", self.link(*request)),
                Received::Element(request) => format!("element of the answer to {}", self.link(*request)),
                Received::End(request) => format!("end of the answer to {}", self.link(*request)),
                Received::Event(request) => format!("event, switched on by {}", self.link(*request)),
            };
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&what);
        }
        if text.is_empty() { "message that no service names".to_owned() } else { text }
    }

    /// A link to a message of the same module; others may be switched off.
    fn link(&self, id: MessageId) -> String {
        let item = self.plan.message_item(self.item, id);
        if item.module == self.item.module {
            format!("[`{}`]", item.name)
        } else {
            format!("`{}`", item.vpp_name)
        }
    }

    fn found_in(&self) -> String {
        found_in(self.plan, &self.item.releases)
    }

    /// The documentation of a field: never empty.
    pub(super) fn field_docs(&self, part: &Part<'a>, parts: &[Part<'a>]) -> Vec<String> {
        let comment = match (self.plan.message_def(self.item), self.plan.type_def(self.item)) {
            (Some(message), _) => message.comment.as_deref(),
            (_, definition) => definition.and_then(|definition| definition.comment.as_deref()),
        };
        let comment = comment.map(Comment::parse).unwrap_or_default();
        let name = part.field.name.as_str();
        let mut text = match (comment.param(name), special_cases::field_note(&self.item.vpp_name, name)) {
            (Some(text), _) => sentence(&escape(text)),
            (None, Some(note)) => note.to_owned(),
            (None, None) => self.derived_docs(part),
        };
        for fact in self.facts(part, parts) {
            text.push(' ');
            text.push_str(&fact);
        }
        vec![text]
    }

    /// What name and type say.
    fn derived_docs(&self, part: &Part<'a>) -> String {
        let name = part.field.name.as_str();
        let scalar = match part.resolved {
            FieldType::One(TypeRef::Scalar(scalar)) => Some(scalar),
            _ => None,
        };
        if let (Some(scalar), Some(rest)) = (scalar, name.strip_prefix("is_")) {
            let values = if scalar == Scalar::Bool { "" } else { ": 1, or 0" };
            return format!("Whether it is {}{values}.", words(rest));
        }
        for (start, text) in [("n_", "Number of"), ("num_", "Number of"), ("nb_", "Number of")] {
            if let (Some(_), Some(rest)) = (scalar, name.strip_prefix(start)) {
                return format!("{text} {}.", words(rest));
            }
        }
        for (end, text) in [
            ("_sw_if_index", "Index of the interface"),
            ("_index", "Index in VPP of the"),
            ("_name", "Name of the"),
            ("_id", "Number of the"),
        ] {
            if let Some(rest) = name.strip_suffix(end) {
                let colon = if end == "_sw_if_index" { ":" } else { "" };
                return format!("{text}{colon} {}.", words(rest));
            }
        }
        let meaning = capital(&words(name));
        match part.field.ty {
            // The Rust type says it by name.
            FieldType::One(TypeRef::Named(_)) | FieldType::FixedString(_) | FieldType::LongString => {
                format!("{meaning}.")
            }
            ty => format!("{meaning} (`{}`).", self.vpp_type(ty)),
        }
    }

    /// VPP's name of a type.
    fn vpp_type(&self, ty: FieldType) -> String {
        let of = |element| match element {
            TypeRef::Scalar(scalar) => Scalar::name(scalar).to_owned(),
            TypeRef::Named(id) => self.api.ty(id).name.clone(),
        };
        match ty {
            FieldType::One(element) => of(element),
            FieldType::Array(element, count) => format!("{}[{count}]", of(element)),
            FieldType::List(element, _) => format!("{}[]", of(element)),
            FieldType::FixedString(_) | FieldType::LongString => "string".to_owned(),
        }
    }

    /// What the wire allows, and the default.
    fn facts(&self, part: &Part<'a>, parts: &[Part<'a>]) -> Vec<String> {
        let mut facts = Vec::new();
        match part.kind {
            Kind::Text(len) => facts.push(format!("At most {} bytes.", len.saturating_sub(1))),
            Kind::List { count, .. } | Kind::ByteList { count } => {
                if let Kind::Count { repr: Scalar::U8, .. } = parts[count].kind {
                    facts.push("At most 255.".to_owned());
                }
            }
            _ => {}
        }
        let default = match &part.field.default {
            Some(DefaultValue::Int(value)) => match part.resolved {
                FieldType::One(TypeRef::Scalar(Scalar::Bool)) => {
                    Some((cut(Scalar::U8, *value) != 0).to_string())
                }
                FieldType::One(TypeRef::Scalar(scalar)) => Some(number(cut(scalar, *value))),
                FieldType::One(TypeRef::Named(id)) => match &self.api.ty(id).kind {
                    TypeKind::Enum(definition) => {
                        let value = cut(definition.repr, *value);
                        let member = definition
                            .members
                            .iter()
                            .find(|(_, known)| cut(definition.repr, *known) == value);
                        Some(member.map_or_else(|| number(value), |(name, _)| name.clone()))
                    }
                    _ => None,
                },
                _ => None,
            },
            Some(DefaultValue::Float(value)) => Some(value.to_string()),
            Some(DefaultValue::Bool(value)) => Some(value.to_string()),
            Some(DefaultValue::Text(text)) => Some(format!("{text:?}")),
            None => None,
        };
        // Zero is the default of everything.
        if let Some(default) = default.filter(|default| !matches!(default.as_str(), "0" | "false" | "\"\"")) {
            facts.push(format!("Default: `{default}`."));
        }
        facts
    }
}

/// `In VPP 26.06`, or the first and last of several.
pub(super) fn found_in(plan: &Plan<'_>, releases: &[usize]) -> String {
    match releases {
        [] => "In no VPP".to_owned(),
        [only] => match plan.releases[*only].name {
            // An API that is of no release is called by its files.
            name if name.ends_with(".api") || name.ends_with(".json") => format!("In {name}"),
            name => format!("In VPP {name}"),
        },
        _ => {
            // Newest first; gaps are told.
            let mut spans: Vec<(usize, usize)> = Vec::new();
            for release in releases.iter().rev() {
                match spans.last_mut() {
                    Some((_, newest)) if *release + 1 == *newest => *newest = *release,
                    _ => spans.push((*release, *release)),
                }
            }
            let name = |release: usize| plan.releases[release].name;
            let spans: Vec<String> = spans
                .into_iter()
                .map(|(oldest, newest)| match oldest == newest {
                    true => name(oldest).to_owned(),
                    false => format!("{} to {}", name(oldest), name(newest)),
                })
                .collect();
            format!("In VPP {}", spans.join(", "))
        }
    }
}

/// What VPP's comment says of an item, else what we know of it; each paragraph behind an empty line.
fn text_docs(name: &str, comment: Option<&str>) -> Vec<String> {
    let mut text = comment.map(Comment::parse).unwrap_or_default().text;
    text.iter_mut().for_each(|text| *text = sentence(&escape(text)));
    if text.is_empty() {
        text.extend(special_cases::item_note(name).map(str::to_owned));
    }
    text.into_iter().flat_map(|text| [String::new(), text]).collect()
}

/// Options that say how long a message stays.
fn status_docs(message: &MessageDef) -> Vec<String> {
    let mut status = Vec::new();
    let in_progress =
        message.option("in_progress").is_some() || message.option("status") == Some(Some("in_progress"));
    if let Some(why) = message.option("deprecated") {
        let successor = message.option("replaced_by").flatten().or(why).filter(|text| !text.is_empty());
        status.push(String::new());
        status.push(match successor {
            Some(text) => format!("Deprecated: {}.", escape(text).trim_end_matches('.')),
            None => "Deprecated: VPP may drop it.".to_owned(),
        });
    }
    if in_progress {
        status.push(String::new());
        status.push("In progress: may change in any release of VPP.".to_owned());
    }
    status
}

/// Tokens that are read as other words.
const WORDS: &[(&str, &str)] = &[
    ("addr", "address"),
    ("addrs", "addresses"),
    ("api", "API"),
    ("auth", "authentication"),
    ("bd", "bridge domain"),
    ("cfg", "configuration"),
    ("crypto", "encryption"),
    ("del", "delete"),
    ("dev", "device"),
    ("dst", "destination"),
    ("encap", "encapsulation"),
    ("ext", "external"),
    ("hw", "hardware"),
    ("id", "number"),
    ("idx", "index"),
    ("if", "interface"),
    ("iface", "interface"),
    ("ip", "IP"),
    ("ip4", "IPv4"),
    ("ip6", "IPv6"),
    ("ipv4", "IPv4"),
    ("ipv6", "IPv6"),
    ("l2", "L2"),
    ("l3", "L3"),
    ("lcl", "local"),
    ("len", "length"),
    ("mac", "MAC"),
    ("max", "maximum"),
    ("min", "minimum"),
    ("mpls", "MPLS"),
    ("nat", "NAT"),
    ("nh", "next hop"),
    ("num", "number"),
    ("pkt", "packet"),
    ("pkts", "packets"),
    ("prev", "previous"),
    ("proto", "protocol"),
    ("rmt", "remote"),
    ("rx", "receive"),
    ("seq", "sequence"),
    ("src", "source"),
    ("sw", "software"),
    ("sz", "size"),
    ("tbl", "table"),
    ("tcp", "TCP"),
    ("tx", "transmit"),
    ("udp", "UDP"),
    ("vlan", "VLAN"),
];

fn words(name: &str) -> String {
    let word = |token: &str| {
        WORDS
            .binary_search_by(|(known, _)| (*known).cmp(token))
            .map_or_else(|_| token.to_owned(), |at| WORDS[at].1.to_owned())
    };
    let words: Vec<_> = name.split('_').filter(|token| !token.is_empty()).map(word).collect();
    words.join(" ")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// A text of VPP's as a sentence: a capital first, a full stop behind.
fn sentence(text: &str) -> String {
    let text = capital(text);
    if text.ends_with(['.', '!', '?', ':']) { text } else { format!("{text}.") }
}

/// All-ones and large numbers are read better in hexadecimal.
fn number(value: i128) -> String {
    if value > 65_535 { format!("{value:#x}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_words() {
        assert!(WORDS.is_sorted());
        assert_eq!(words("max_tx_pkts"), "maximum transmit packets");
        assert_eq!(sentence("1 to add"), "1 to add.");
        assert_eq!(number(0xffff_ffff), "0xffffffff");
    }
}
