//! Values of the JSON, and the place they stand in for errors.

use serde_json::{Map, Value};

use crate::error::{Problem, ReadError};
use crate::model::DefaultValue;

/// A place in a file, for errors.
#[derive(Clone)]
pub(super) struct At<'a> {
    origin: &'a str,
    item: Option<(&'a str, &'a str)>,
    field: Option<&'a str>,
}

impl<'a> At<'a> {
    pub(super) fn file(origin: &'a str) -> Self {
        Self { origin, item: None, field: None }
    }

    pub(super) fn item(&self, kind: &'a str, name: &'a str) -> Self {
        Self { origin: self.origin, item: Some((kind, name)), field: None }
    }

    pub(super) fn field(&self, name: &'a str) -> Self {
        Self { field: Some(name), ..self.clone() }
    }

    pub(super) fn error(&self, problem: Problem) -> ReadError {
        ReadError::Definition {
            origin: self.origin.to_owned(),
            item: self.item.map(|(kind, name)| format!("{kind} {name}")).unwrap_or_default(),
            field: self.field.map(str::to_owned),
            problem: Box::new(problem),
        }
    }

    pub(super) fn shape(&self, what: &str, expected: &'static str) -> ReadError {
        let what = what.to_owned();
        self.error(match self.item {
            None => Problem::NotDefinitions { what, expected },
            Some(_) => Problem::Shape { what, expected },
        })
    }
}

/// A list of an object; absent means empty.
pub(super) fn list<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    at: &At<'_>,
) -> Result<&'a [Value], ReadError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        // An empty object is how some versions of the writer spell an empty list.
        Some(Value::Object(map)) if map.is_empty() => Ok(&[]),
        Some(_) => Err(at.shape(&format!("\"{key}\""), "a list")),
    }
}

/// The entries of an object of an object; absent and `[]` mean none.
pub(super) fn entries<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    at: &At<'_>,
) -> Result<Vec<(&'a String, &'a Value)>, ReadError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => Ok(map.iter().collect()),
        Some(Value::Array(list)) if list.is_empty() => Ok(Vec::new()),
        Some(_) => Err(at.shape(&format!("\"{key}\""), "an object")),
    }
}

/// Options: names with a text, or without a value.
pub(super) fn options(
    value: Option<&Value>,
    at: &At<'_>,
) -> Result<Vec<(String, Option<String>)>, ReadError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) if list.is_empty() => Ok(Vec::new()),
        Some(Value::Object(options)) => Ok(options
            .iter()
            .map(|(key, value)| match value {
                Value::Null => (key.clone(), None),
                Value::String(text) => (key.clone(), Some(text.clone())),
                other => (key.clone(), Some(other.to_string())),
            })
            .collect()),
        Some(_) => Err(at.shape("\"options\"", "an object")),
    }
}

/// `"0x9a2b5c00"`.
pub(super) fn crc(value: &Value, at: &At<'_>) -> Result<u32, ReadError> {
    value
        .as_str()
        .map(|text| text.strip_prefix("0x").unwrap_or(text))
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| {
            let found = if value.is_null() { "none".to_owned() } else { value.to_string() };
            at.error(Problem::Crc { found })
        })
}

/// A number of bytes or elements.
pub(super) fn length(value: &Value, at: &At<'_>) -> Result<u32, ReadError> {
    integer(value)
        .and_then(|length| u32::try_from(length).ok())
        .ok_or_else(|| at.error(Problem::Length { found: value.to_string() }))
}

/// An integer; the writers of JSON may spell one `1.0`.
pub(super) fn integer(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
        .or_else(|| number.as_f64().and_then(whole))
}

/// A float without a fraction, as an integer.
pub(super) fn whole(float: f64) -> Option<i128> {
    // 2^64 in both directions: beyond it no field has a value.
    #[allow(clippy::cast_possible_truncation)]
    (float.fract() == 0.0 && float.abs() <= 18_446_744_073_709_551_616.0).then_some(float as i128)
}

/// The option `default` by its JSON alone; VPP's writer spells true as a string.
pub(super) fn default(value: Option<&Value>, at: &At<'_>) -> Result<Option<DefaultValue>, ReadError> {
    Ok(Some(match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Bool(value)) => DefaultValue::Bool(*value),
        Some(Value::String(text)) => DefaultValue::Text(text.clone()),
        Some(number @ Value::Number(literal)) => {
            match (literal.is_f64(), integer(number), literal.as_f64()) {
                (false, Some(value), _) => DefaultValue::Int(value),
                (_, _, Some(value)) => DefaultValue::Float(value),
                _ => return Err(at.error(Problem::Default { found: number.to_string() })),
            }
        }
        Some(other) => return Err(at.error(Problem::Default { found: other.to_string() })),
    }))
}

/// Names end up as names in programs and as names of files.
pub(super) fn check_name(name: &str, at: &At<'_>) -> Result<(), ReadError> {
    let first_fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if first_fits && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        Ok(())
    } else {
        Err(at.error(Problem::Name { name: name.to_owned() }))
    }
}
