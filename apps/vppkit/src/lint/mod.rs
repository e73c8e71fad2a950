//! What authors of an API should do otherwise: rules, each a function over definitions.

mod layout;
mod life;

use vpp_schema::{Api, Field, Module, TypeKind};

/// Something a rule found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule.
    pub(crate) rule: &'static str,
    pub(crate) module: String,
    /// The definition, with its field where it is about one; `None` for the module.
    pub(crate) item: Option<String>,
    /// What is to be changed, and why.
    pub(crate) text: String,
}

/// A rule of its name.
struct Rule {
    name: &'static str,
    about: &'static str,
    look: fn(&Api, &mut Report<'_>),
}

/// Every rule, those about the life of an API first.
const RULES: &[Rule] = &[
    Rule { name: "file-basics", about: "a module has a version of three numbers", look: life::file_basics },
    Rule {
        name: "deprecate-older",
        about: "a message with a newer version is marked as deprecated",
        look: life::deprecate_older,
    },
    Rule {
        name: "same-status",
        about: "a request and its answers are marked alike",
        look: life::same_status,
    },
    Rule { name: "unused-message", about: "every message is part of a service", look: life::unused_message },
    Rule { name: "unused-type", about: "every type is part of a message", look: life::unused_type },
    Rule {
        name: "reply-without-retval",
        about: "the reply to a request can tell of a failure",
        look: life::reply_without_retval,
    },
    Rule {
        name: "variable-not-last",
        about: "what has no fixed size stands last",
        look: layout::variable_not_last,
    },
    Rule { name: "name-collision", about: "two names stay two in CamelCase", look: layout::name_collision },
    Rule {
        name: "enum-without-zero",
        about: "a field that nobody sets has a value that its enum knows",
        look: layout::enum_without_zero,
    },
    Rule {
        name: "default-out-of-range",
        about: "a default fits its field, and is one of its enumerators",
        look: layout::default_out_of_range,
    },
    Rule {
        name: "union-without-discriminator",
        about: "a field before a union says which member is meant",
        look: layout::union_without_discriminator,
    },
    Rule {
        name: "uneven-union",
        about: "the members of a union take the same bytes",
        look: layout::uneven_union,
    },
    Rule {
        name: "header-words",
        about: "client_index and context stand first, in this order",
        look: layout::header_words,
    },
    Rule {
        name: "field-name",
        about: "a field's name is lower case and no keyword of Rust or C",
        look: layout::field_name,
    },
];

/// The names of all rules, with what they are about.
pub(crate) fn names() -> Vec<clap::builder::PossibleValue> {
    RULES.iter().map(|rule| clap::builder::PossibleValue::new(rule.name).help(rule.about)).collect()
}

/// What the rules of these names find, all rules where none is named; by module, item, rule.
pub(crate) fn findings(api: &Api, wanted: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        if wanted.is_empty() || wanted.iter().any(|name| name == rule.name) {
            (rule.look)(api, &mut Report { rule: rule.name, findings: &mut findings });
        }
    }
    findings
        .sort_by(|a, b| (&a.module, &a.item, a.rule, &a.text).cmp(&(&b.module, &b.item, b.rule, &b.text)));
    findings
}

/// Where a rule tells what it finds.
struct Report<'a> {
    rule: &'static str,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    fn module(&mut self, module: &Module, text: impl Into<String>) {
        self.push(module, None, text.into());
    }

    fn item(&mut self, module: &Module, item: impl Into<String>, text: impl Into<String>) {
        self.push(module, Some(item.into()), text.into());
    }

    fn push(&mut self, module: &Module, item: Option<String>, text: String) {
        self.findings.push(Finding { rule: self.rule, module: module.name.clone(), item, text });
    }
}

/// Every block of fields of a module: messages and structs, with their names.
fn blocks<'a>(api: &'a Api, module: &'a Module) -> impl Iterator<Item = (&'a str, &'a [Field])> {
    let messages =
        module.messages.iter().map(|&id| (api.message(id).name.as_str(), &*api.message(id).fields));
    let structs = module.types.iter().filter_map(|&id| match &api.ty(id).kind {
        TypeKind::Struct(fields) => Some((api.ty(id).name.as_str(), &**fields)),
        TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::Alias(_) => None,
    });
    messages.chain(structs)
}

/// The name of a message without its version, and its version: `x_v2_reply` is the second `x_reply`.
pub(crate) fn versioned(name: &str) -> (Stem<'_>, u32) {
    for end in ["_reply", "_details", "_dump", "_get", ""] {
        let Some(stem) = name.strip_suffix(end) else { continue };
        let version = stem
            .rsplit_once("_v")
            .and_then(|(stem, digits)| Some((stem, u32::from(digits.parse::<u16>().ok()?))));
        if let Some((stem, version)) = version {
            return (Stem { stem, end }, version);
        }
    }
    let end = ["_reply", "_details"].into_iter().find(|end| name.ends_with(end)).unwrap_or("");
    (Stem { stem: name.strip_suffix(end).unwrap_or(name), end }, 1)
}

/// A name without its version: what stands before and behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stem<'a> {
    stem: &'a str,
    end: &'a str,
}

/// The name of a version.
pub(crate) fn with_version(stem: Stem<'_>, version: u32) -> String {
    let Stem { stem, end } = stem;
    if version == 1 { format!("{stem}{end}") } else { format!("{stem}_v{version}{end}") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use vpp_schema::{Group, Source};

    use super::*;

    /// What a rule finds in a module.
    fn found(rule: &str, module: Value) -> Vec<String> {
        let source = Source {
            name: "test".to_owned(),
            group: Group::Other,
            origin: "test".to_owned(),
            text: module.to_string(),
        };
        let api = Api::from_sources(&[source]).unwrap();
        let findings = findings(&api, &[rule.to_owned()]);
        findings.into_iter().map(|it| format!("{}: {}", it.item.unwrap_or(it.module), it.text)).collect()
    }

    fn message(name: &str, fields: Value, options: Value) -> Value {
        let mut line = vec![json!(name), json!(["u16", "_vl_msg_id"])];
        line.extend(fields.as_array().unwrap().iter().cloned());
        line.push(json!({"crc": "0x00000001", "options": options}));
        json!(line)
    }

    fn words() -> Value {
        json!([["u32", "client_index"], ["u32", "context"]])
    }

    #[test]
    fn versions_are_read_from_names() {
        let name = |name| {
            let (stem, version) = versioned(name);
            (with_version(stem, 1), version)
        };
        assert_eq!(name("ip_route_add_del_v2"), ("ip_route_add_del".to_owned(), 2));
        assert_eq!(name("ip_route_v2_dump"), ("ip_route_dump".to_owned(), 2));
        assert_eq!(name("ip_route_add_del_v2_reply"), ("ip_route_add_del_reply".to_owned(), 2));
        assert_eq!(name("show_version"), ("show_version".to_owned(), 1));
    }

    #[test]
    fn file_basics() {
        assert_eq!(
            found("file-basics", json!({"messages": []})),
            ["test: has no version; write: option version = \"1.0.0\";"]
        );
        assert_eq!(found("file-basics", json!({"messages": [], "options": {"version": "1.2"}})).len(), 1);
        assert!(found("file-basics", json!({"messages": [], "options": {"version": "1.2.0"}})).is_empty());
    }

    #[test]
    fn older_versions_are_to_be_deprecated() {
        let module = |options: Value| {
            json!({"messages": [
                message("set", words(), options), message("set_v2", words(), json!({})),
                message("set_v3", words(), json!({"in_progress": null})),
            ]})
        };
        assert_eq!(
            found("deprecate-older", module(json!({}))),
            ["set: is not marked as deprecated, and there is set_v2"]
        );
        assert!(found("deprecate-older", module(json!({"deprecated": null}))).is_empty());
    }

    #[test]
    fn requests_and_answers_are_marked_alike() {
        let module = |options: Value| {
            json!({
                "messages": [message("set", words(), json!({"deprecated": null})),
                    message("set_reply", json!([["u32", "context"], ["i32", "retval"]]), options)],
                "services": {"set": {"reply": "set_reply"}},
            })
        };
        assert_eq!(found("same-status", module(json!({}))), ["set_reply: is not deprecated, and set is"]);
        assert!(found("same-status", module(json!({"deprecated": null}))).is_empty());
    }

    #[test]
    fn what_nobody_uses() {
        let module = json!({
            "types": [["inner", ["u8", "a"]], ["outer", ["vl_api_inner_t", "a"]], ["idle", ["vl_api_idler_t", "a"]], ["idler", ["u8", "a"]]],
            "messages": [message("set", json!([["u32", "client_index"], ["u32", "context"], ["vl_api_outer_t", "o"]]), json!({})),
                message("set_reply", json!([["u32", "context"]]), json!({})),
                message("lost", words(), json!({}))],
            "services": {"set": {"reply": "set_reply"}},
        });
        assert_eq!(found("unused-message", module.clone()), ["lost: is part of no service"]);
        assert_eq!(
            found("unused-type", module.clone()),
            ["idle: is part of no message", "idler: is part of no message"]
        );
        assert_eq!(
            found("reply-without-retval", module),
            ["set_reply: has no i32 retval, so set cannot tell of a failure"]
        );
    }

    #[test]
    fn hazards_of_the_layout() {
        let set = |fields: Value| {
            let mut all = words().as_array().unwrap().clone();
            all.extend(fields.as_array().unwrap().iter().cloned());
            json!(all)
        };
        let module = json!({
            "enums": [["kind", ["ONE", 1], ["TWO", 2], {"enumtype": "u8"}]],
            "unions": [["any", ["u8", "one"], ["u32", "two"]]],
            "types": [["a_b", ["u8", "a"]], ["a__b", ["u8", "a"]]],
            "messages": [
                message("set", set(json!([
                    ["u8", "n"], ["u8", "list", 0, "n"], ["u8", "behind"], ["vl_api_kind_t", "kind"],
                    ["vl_api_kind_t", "good", {"default": 1}], ["vl_api_kind_t", "bad", {"default": 7}],
                    ["u16", "big", {"default": 4294967295_u32}], ["u16", "all", {"default": 65535}],
                    ["vl_api_any_t", "un"], ["u8", "Mixed"], ["u8", "type"],
                ])), json!({})),
                message("odd", json!([["u32", "context"], ["u32", "client_index"]]), json!({})),
            ],
        });
        let expected = [
            (
                "variable-not-last",
                vec!["set.list: has no fixed size and is not last: fields behind it have no fixed place"],
            ),
            ("name-collision", vec!["a__b: is called AB in Rust, as a_b is"]),
            (
                "enum-without-zero",
                vec![
                    "set.kind: is zero when nobody sets it, and kind has no enumerator of that value; give it a default",
                ],
            ),
            (
                "default-out-of-range",
                vec![
                    "set.bad: defaults to 7, which is no enumerator of kind",
                    "set.big: defaults to 4294967295, which no u16 holds",
                ],
            ),
            ("union-without-discriminator", vec!["set.un: nothing says which member of any is meant"]),
            (
                "uneven-union",
                vec!["any: has members of 1 to 4 bytes: what is behind the shorter ones is undefined"],
            ),
            ("header-words", vec!["odd.client_index: stands behind the header and is taken for payload"]),
            ("field-name", vec!["set.Mixed: is not lower case", "set.type: is a keyword"]),
        ];
        for (rule, expected) in expected {
            assert_eq!(found(rule, module.clone()), expected, "{rule}");
        }
    }

    #[test]
    fn a_release_is_linted_and_rules_are_chosen() {
        let api = vpp_api_json::api("26.06").unwrap();
        let all = findings(api, &[]);
        let one = findings(api, &["file-basics".to_owned()]);
        assert!(all.len() > one.len());
        assert!(one.iter().all(|finding| finding.rule == "file-basics"));
    }
}
