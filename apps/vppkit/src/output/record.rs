//! One message, a field a line.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{NAME, cells};

/// Writes the fields of a message below each other, names padded to the same width; lists of structs go on in lines
/// of their own.
pub(crate) fn write_record(
    out: &mut impl Write,
    message: &Map<String, Value>,
    indent: usize,
) -> io::Result<()> {
    write_fields(out, message, indent, &|_| true)
}

/// The same for those fields whose name, `outer.inner`, is wanted.
pub(super) fn write_fields(
    out: &mut impl Write,
    message: &Map<String, Value>,
    indent: usize,
    is_wanted: &dyn Fn(&str) -> bool,
) -> io::Result<()> {
    let mut fields = cells::flatten(message);
    fields.retain(|(name, _)| is_wanted(name));
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in fields {
        let padding = width - name.chars().count();
        match value {
            Value::Array(elements) if elements.iter().any(Value::is_object) => {
                writeln!(out, "{:indent$}{NAME}{name}{NAME:#}", "")?;
                for (index, element) in elements.iter().enumerate() {
                    write_element(out, index, element, indent + 2)?;
                }
            }
            Value::String(text) if text.trim_end().contains('\n') => {
                writeln!(out, "{:indent$}{NAME}{name}{NAME:#}", "")?;
                for line in text.lines() {
                    let line = cells::text(&Value::String(line.replace('\t', "    ")));
                    writeln!(out, "{:width$}{line}", "", width = indent + 2)?;
                }
            }
            _ => {
                let text = match value {
                    Value::String(text) => cells::text(&text.trim_end().into()),
                    _ => cells::text(value),
                };
                let line = format!("{NAME}{name}{NAME:#}{:padding$}  {text}", "");
                writeln!(out, "{:indent$}{}", "", line.trim_end())?;
            }
        }
    }
    Ok(())
}

fn write_element(out: &mut impl Write, index: usize, element: &Value, indent: usize) -> io::Result<()> {
    match element {
        Value::Object(fields) => {
            writeln!(out, "{:indent$}{index}:", "")?;
            write_record(out, fields, indent + 2)
        }
        _ => writeln!(out, "{:indent$}{index}: {}", "", cells::text(element)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_structs_and_long_texts_get_lines_of_their_own() {
        let Value::Object(message) = json!({
            "_msgname": "cli_inband_reply", "retval": 0, "line": "one line\n", "reply": "one\n\ttwo\n",
            "paths": [{"weight": 1, "nh": {"ip4": "10.0.0.1"}}],
        }) else {
            panic!("not an object")
        };
        let mut out = Vec::new();
        write_record(&mut out, &message, 2).unwrap();
        let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
        assert_eq!(
            text,
            "  retval  0\n  line    one line\n  reply\n    one\n        two\n  paths\n    0:\n      weight  1\n      nh.ip4  10.0.0.1\n"
        );
    }
}
