//! How a JSON object of fields may go on that a user has begun to type.

use vpp_schema::{Api, Field, FieldType, Scalar, TypeId, TypeKind, TypeRef};

/// Types that VPP's JSON form writes as text, though they are structs.
const WRITTEN_AS_TEXT: [&str; 11] = [
    "address",
    "ip4_address",
    "ip6_address",
    "prefix",
    "ip4_prefix",
    "ip6_prefix",
    "address_with_prefix",
    "ip4_address_with_prefix",
    "ip6_address_with_prefix",
    "mac_address",
    "mprefix",
];

/// A way to go on: the whole text with it, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Continuation {
    pub(super) text: String,
    pub(super) help: String,
    /// Whether the object ends with it.
    pub(super) is_end: bool,
}

/// The ways in which `typed`, the beginning of an object of `fields`, may go on. None where it is no JSON.
pub(super) fn continuations(api: &Api, fields: &[Field], typed: &str) -> Vec<Continuation> {
    let mut scan = Scan { api, levels: Vec::new(), expected: Expected::Start };
    match scan.read(fields, typed) {
        Some(token) => scan.offer(fields, &typed[..token], &typed[token..]),
        None => Vec::new(),
    }
}

struct Scan<'a> {
    api: &'a Api,
    levels: Vec<Level<'a>>,
    expected: Expected,
}

/// An object or array that is open.
enum Level<'a> {
    Object { fields: &'a [Field], used: Vec<&'a str>, current: Option<FieldType> },
    Array { element: Option<FieldType> },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Start,
    Key,
    Colon,
    Value,
    CommaOrEnd,
    Nothing,
}

impl<'a> Scan<'a> {
    /// Reads what is typed; the offset of the word that is not finished, or the end. None for what is no JSON.
    fn read(&mut self, fields: &'a [Field], typed: &str) -> Option<usize> {
        let mut at = 0;
        while let Some(c) = typed[at..].chars().next() {
            if c.is_whitespace() {
                at += c.len_utf8();
                continue;
            }
            match (self.expected, c) {
                (Expected::Start, '{') => {
                    self.open(Level::Object { fields, used: Vec::new(), current: None })
                }
                (Expected::Key, '"') => {
                    let Some(len) = string_len(&typed[at..]) else { return Some(at) };
                    self.key(&typed[at + 1..at + len - 1]);
                    at += len;
                    continue;
                }
                (Expected::Colon, ':') => self.expected = Expected::Value,
                (Expected::Value, '{') => {
                    let fields = self.wanted().map_or(&[][..], |ty| self.block(ty));
                    self.open(Level::Object { fields, used: Vec::new(), current: None });
                }
                (Expected::Value, '[') => {
                    let element = self.wanted().and_then(|ty| self.element(ty));
                    self.open(Level::Array { element });
                }
                (Expected::Value, '"') => {
                    let Some(len) = string_len(&typed[at..]) else { return Some(at) };
                    at += len;
                    self.expected = Expected::CommaOrEnd;
                    continue;
                }
                (Expected::CommaOrEnd, ',') => self.next(),
                (Expected::Key | Expected::CommaOrEnd | Expected::Value, '}' | ']') => {
                    self.levels.pop()?;
                    self.expected =
                        if self.levels.is_empty() { Expected::Nothing } else { Expected::CommaOrEnd };
                }
                (Expected::Value, _) => {
                    let Some(len) = typed[at..].find([',', '}', ']', ' ']) else { return Some(at) };
                    at += len;
                    self.expected = Expected::CommaOrEnd;
                    continue;
                }
                _ => return None,
            }
            at += c.len_utf8();
        }
        Some(at)
    }

    fn open(&mut self, level: Level<'a>) {
        self.levels.push(level);
        self.next();
    }

    fn next(&mut self) {
        self.expected = match self.levels.last() {
            Some(Level::Object { .. }) => Expected::Key,
            _ => Expected::Value,
        };
    }

    fn key(&mut self, name: &str) {
        self.expected = Expected::Colon;
        if let Some(Level::Object { fields, used, current }) = self.levels.last_mut() {
            let field = fields.iter().find(|field| field.name == name);
            used.extend(field.map(|field| field.name.as_str()));
            *current = field.map(|field| field.ty);
        }
    }

    /// The type of the value that comes next.
    fn wanted(&self) -> Option<FieldType> {
        match self.levels.last()? {
            Level::Object { current, .. } => *current,
            Level::Array { element } => *element,
        }
    }

    /// The fields of a struct or members of a union.
    fn block(&self, ty: FieldType) -> &'a [Field] {
        match self.definition(ty).map(|id| &self.api.ty(id).kind) {
            Some(TypeKind::Struct(fields) | TypeKind::Union(fields)) => fields,
            _ => &[],
        }
    }

    /// What the elements of a value are; of flags, which are written as an array, flags again.
    fn element(&self, ty: FieldType) -> Option<FieldType> {
        match self.api.resolve(ty) {
            FieldType::Array(element, _) | FieldType::List(element, _) => Some(FieldType::One(element)),
            resolved => self.is_flags(resolved).then_some(resolved),
        }
    }

    fn is_flags(&self, ty: FieldType) -> bool {
        self.definition(ty).is_some_and(
            |id| matches!(&self.api.ty(id).kind, TypeKind::Enum(definition) if definition.is_flags),
        )
    }

    fn definition(&self, ty: FieldType) -> Option<TypeId> {
        match self.api.resolve(ty) {
            FieldType::One(TypeRef::Named(id)) => Some(id),
            _ => None,
        }
    }

    fn offer(&self, fields: &'a [Field], before: &str, word: &str) -> Vec<Continuation> {
        let offers = match self.expected {
            Expected::Start => keys(self.api, "{", fields, &[]),
            Expected::Key => match self.levels.last() {
                Some(Level::Object { fields, used, .. }) => keys(self.api, "", fields, used),
                _ => Vec::new(),
            },
            Expected::Colon => vec![(":".to_owned(), String::new())],
            Expected::Value => self.wanted().map_or_else(Vec::new, |ty| self.values(ty)),
            Expected::CommaOrEnd => self.after(),
            Expected::Nothing => Vec::new(),
        };
        let is_outermost = self.expected == Expected::CommaOrEnd && self.levels.len() == 1;
        offers
            .into_iter()
            .filter(|(offer, _)| offer.starts_with(word))
            .map(|(offer, help)| Continuation {
                is_end: is_outermost && offer == "}",
                text: format!("{before}{offer}"),
                help,
            })
            .collect()
    }

    /// How a finished value goes on: with the next of its kind, or the end.
    fn after(&self) -> Vec<(String, String)> {
        match self.levels.last() {
            Some(Level::Object { fields, used, .. }) => {
                let mut offers = keys(self.api, ",", fields, used);
                offers.push(("}".to_owned(), "end".to_owned()));
                offers
            }
            Some(Level::Array { .. }) => {
                vec![(",".to_owned(), "more".to_owned()), ("]".to_owned(), "end".to_owned())]
            }
            None => Vec::new(),
        }
    }

    fn values(&self, ty: FieldType) -> Vec<(String, String)> {
        let resolved = self.api.resolve(ty);
        match resolved {
            FieldType::One(TypeRef::Scalar(Scalar::Bool)) => {
                ["true", "false"].map(|value| (value.to_owned(), "bool".to_owned())).into()
            }
            FieldType::One(TypeRef::Named(id)) => {
                let definition = self.api.ty(id);
                match &definition.kind {
                    TypeKind::Enum(kind) => {
                        // Flags are an array of names.
                        let is_inside = matches!(self.levels.last(), Some(Level::Array { .. }));
                        let open = if kind.is_flags && !is_inside { "[" } else { "" };
                        let members = kind.members.iter();
                        members
                            .map(|(name, value)| (format!("{open}\"{name}\""), value.to_string()))
                            .collect()
                    }
                    _ if WRITTEN_AS_TEXT.contains(&definition.name.as_str()) => Vec::new(),
                    _ => vec![("{".to_owned(), definition.name.clone())],
                }
            }
            FieldType::Array(TypeRef::Scalar(Scalar::U8), _)
            | FieldType::List(TypeRef::Scalar(Scalar::U8), _) => Vec::new(),
            FieldType::Array(..) | FieldType::List(..) => vec![("[".to_owned(), "array".to_owned())],
            _ => Vec::new(),
        }
    }
}

/// The keys that are still free. Counts are no keys: they are as many as there are elements.
fn keys(api: &Api, open: &str, fields: &[Field], used: &[&str]) -> Vec<(String, String)> {
    let is_count = |index: usize| {
        fields.iter().any(|field| matches!(field.ty, FieldType::List(_, count) if count == index))
    };
    fields
        .iter()
        .enumerate()
        .filter(|(index, field)| !is_count(*index) && !used.contains(&field.name.as_str()))
        .map(|(_, field)| (format!("{open}\"{}\":", field.name), describe(api, field.ty)))
        .collect()
}

/// A type in a few letters.
fn describe(api: &Api, ty: FieldType) -> String {
    let name = |element| match element {
        TypeRef::Scalar(scalar) => scalar.name().to_owned(),
        TypeRef::Named(id) => api.ty(id).name.clone(),
    };
    match ty {
        FieldType::One(element) => name(element),
        FieldType::Array(element, count) => format!("{}[{count}]", name(element)),
        FieldType::List(element, _) => format!("{}[]", name(element)),
        FieldType::FixedString(len) => format!("string[{len}]"),
        FieldType::LongString => "string".to_owned(),
    }
}

/// Bytes of the string literal that `text` starts with, its quotes included; none where it is not closed.
fn string_len(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return Some(at + 1),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the beginning of a message's fields may go on.
    fn texts(message: &str, typed: &str) -> Vec<String> {
        let api = vpp_api_json::api(vpp_api_json::newest()).unwrap();
        let (_, message) = api.find_message(message).unwrap();
        continuations(api, &message.fields, typed).into_iter().map(|continuation| continuation.text).collect()
    }

    #[test]
    fn keys_of_the_message_and_of_what_is_nested() {
        assert_eq!(texts("sw_interface_set_flags", ""), [r#"{"sw_if_index":"#, r#"{"flags":"#]);
        assert_eq!(texts("sw_interface_set_flags", r#"{"f"#), [r#"{"flags":"#]);
        assert_eq!(texts("sw_interface_set_flags", r#"{"flags":1,"#), [r#"{"flags":1,"sw_if_index":"#]);
        let typed = r#"{"is_add": true, "route": {"pa"#;
        assert_eq!(texts("ip_route_add_del", typed), [r#"{"is_add": true, "route": {"paths":"#]);
        let typed = r#"{"route": {"paths": [{"weight": 1}, {"we"#;
        assert_eq!(texts("ip_route_add_del", typed), [format!(r#"{typed}ight":"#)]);
    }

    #[test]
    fn enumerators_flags_and_bools() {
        let typed = r#"{"flags":"IF_STATUS_API_FLAG_L"#;
        assert_eq!(texts("sw_interface_set_flags", typed), [format!("{typed}INK_UP\"")]);
        let typed = r#"{"flow_hash_config":"#;
        assert_eq!(texts("set_ip_flow_hash_v2", typed)[0], format!("{typed}[\"IP_API_FLOW_HASH_SRC_IP\""));
        let typed = r#"{"flow_hash_config":["IP_API_FLOW_HASH_SRC_IP", "IP_API_FLOW_HASH_R"#;
        assert_eq!(texts("set_ip_flow_hash_v2", typed), [format!("{typed}EVERSE\"")]);
        assert_eq!(texts("ip_route_add_del", r#"{"is_add":t"#), [r#"{"is_add":true"#]);
        let typed = r#"{"route":{"paths":[{"type":"FIB_API_PATH_TYPE_DR"#;
        assert_eq!(texts("ip_route_add_del", typed), [format!("{typed}OP\"")]);
    }

    #[test]
    fn the_end_is_offered_and_counts_are_not() {
        let offered = texts("sw_interface_set_flags", r#"{"sw_if_index":1 "#);
        assert_eq!(offered, [r#"{"sw_if_index":1 ,"flags":"#, r#"{"sw_if_index":1 }"#]);
        assert!(texts("sw_interface_set_flags", r#"{"sw_if_index":1}"#).is_empty());
        assert!(texts("ip_route_add_del", r#"{"route":{"n_p"#).is_empty());
    }

    #[test]
    fn what_is_no_json_goes_on_in_no_way() {
        for typed in ["[", "x", "{x", r#"{"a" "b"#, "}", r#"{"a":1}}"#] {
            assert!(texts("sw_interface_set_flags", typed).is_empty(), "{typed}");
        }
    }
}
