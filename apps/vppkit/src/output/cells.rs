//! Values as short text.

use serde_json::{Map, Value};

/// The fields of a message, one behind the other: a nested struct becomes `outer.inner`. What describes the message
/// (`_msgname`, `_crc`) is no field.
pub(super) fn flatten(message: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut cells = Vec::with_capacity(message.len());
    collect("", message, &mut cells);
    cells
}

fn collect<'a>(outer: &str, fields: &'a Map<String, Value>, cells: &mut Vec<(String, &'a Value)>) {
    for (name, value) in fields {
        if outer.is_empty() && name.starts_with('_') {
            continue;
        }
        let name = if outer.is_empty() { name.clone() } else { format!("{outer}.{name}") };
        match value {
            Value::Object(inner) if !inner.is_empty() => collect(&name, inner, cells),
            _ => cells.push((name, value)),
        }
    }
}

/// Whether a value is what a field is that nobody set: zero, or empty.
pub(super) fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => {
            text.is_empty()
                || matches!(text.as_str(), "00:00:00:00:00:00" | "0.0.0.0" | "::")
                || text.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|digit| digit == b'0'))
        }
        Value::Array(elements) => elements.iter().all(is_unset),
        Value::Object(fields) => fields.values().all(is_unset),
    }
}

/// A value on one line.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(element, out);
            }
        }
        Value::Object(fields) => {
            out.push('{');
            let mut first = true;
            for (name, value) in fields.iter().filter(|(_, value)| !is_unset(value)) {
                if !std::mem::take(&mut first) {
                    out.push_str(", ");
                }
                out.push_str(name);
                out.push_str(": ");
                let is_list = matches!(value, Value::Array(elements) if elements.len() > 1);
                out.push_str(if is_list { "[" } else { "" });
                write(value, out);
                out.push_str(if is_list { "]" } else { "" });
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

/// Text of a peer: control characters must not reach a terminal.
fn write_text(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            _ => panic!("not an object"),
        }
    }

    #[test]
    fn nested_structs_become_columns_and_descriptions_none() {
        let message = object(json!({
            "_msgname": "x", "_crc": "00000000", "route": {"prefix": "10.0.0.0/8", "paths": [{"weight": 1}]}, "index": 3,
        }));
        let names: Vec<_> = flatten(&message).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["route.prefix", "route.paths", "index"]);
    }

    #[test]
    fn lists_and_objects_fit_on_a_line_without_unset_fields() {
        assert_eq!(text(&json!([9000, 0, 0, 0])), "9000, 0, 0, 0");
        assert_eq!(
            text(&json!([{"sw_if_index": 1, "weight": 0, "labels": [1, 2], "nh": {"ip4": "10.0.0.1"}}, {}])),
            "{sw_if_index: 1, labels: [1, 2], nh: {ip4: 10.0.0.1}}, {}"
        );
    }

    #[test]
    fn control_characters_of_a_peer_are_escaped() {
        assert_eq!(text(&json!("a\u{1b}[31mb\nc")), "a\\u{1b}[31mb\\nc");
    }

    #[test]
    fn zeros_of_every_kind_are_unset() {
        for value in [
            json!(0),
            json!(0.0),
            json!(false),
            json!(""),
            json!([]),
            json!([0, 0]),
            json!("0x0000"),
            json!("::"),
        ] {
            assert!(is_unset(&value), "{value}");
        }
        for value in [json!(1), json!(true), json!("0x01"), json!([0, 1]), json!("0.0.0.0/0"), json!("NONE")]
        {
            assert!(!is_unset(&value), "{value}");
        }
    }
}
