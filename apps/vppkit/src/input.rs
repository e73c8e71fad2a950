//! What a user types: fields as JSON, bytes as hex digits.

use std::io::Read;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};

/// The fields of a message from the command line: a JSON object, `-` for one from standard input; nothing for none.
pub(crate) fn fields(argument: Option<&str>) -> anyhow::Result<Value> {
    let Some(argument) = argument else {
        return Ok(Value::Object(Map::new()));
    };
    let value: Value = if argument == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        serde_json::from_str(&text).context("standard input is not JSON")?
    } else {
        serde_json::from_str(argument).with_context(|| {
            format!("the fields are not JSON: {argument}; give an object, like '{{\"sw_if_index\": 1}}'")
        })?
    };
    ensure!(
        value.is_object(),
        "the fields are to be a JSON object, like '{{\"sw_if_index\": 1}}'; got {value}"
    );
    Ok(value)
}

/// Bytes from hex digits of either case. White space between digits and a `0x` before them do not count.
pub(crate) fn bytes(text: &str) -> anyhow::Result<Vec<u8>> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut high = None;
    for (at, c) in digits.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let Some(digit) = c.to_digit(16) else {
            bail!("{c:?} at {at} is no hex digit");
        };
        // A hex digit is below 16.
        let digit = digit as u8;
        match high.take() {
            None => high = Some(digit),
            Some(first) => bytes.push(first << 4 | digit),
        }
    }
    ensure!(high.is_none(), "an odd number of hex digits; a byte takes two");
    Ok(bytes)
}

/// Appends bytes as hex digits, two each.
pub(crate) fn push_hex(bytes: &[u8], text: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.reserve(2 * bytes.len());
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back_as_they_were_written() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        push_hex(&all, &mut text);
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"));
        assert_eq!(bytes(&text).unwrap(), all);
        assert_eq!(bytes(" 0x0A ff\n0b ").unwrap(), [10, 255, 11]);
        assert!(bytes("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_byte_is_said() {
        assert_eq!(bytes("0g").unwrap_err().to_string(), "'g' at 1 is no hex digit");
        assert_eq!(bytes("abc").unwrap_err().to_string(), "an odd number of hex digits; a byte takes two");
        assert_eq!(bytes("é0").unwrap_err().to_string(), "'é' at 0 is no hex digit");
    }

    #[test]
    fn fields_are_an_object() {
        assert_eq!(fields(None).unwrap(), serde_json::json!({}));
        assert_eq!(fields(Some(r#"{"a": 1}"#)).unwrap(), serde_json::json!({"a": 1}));
        assert!(fields(Some("[1]")).unwrap_err().to_string().contains("got [1]"));
        assert!(fields(Some("{a: 1}")).unwrap_err().to_string().contains("{a: 1}"));
    }
}
