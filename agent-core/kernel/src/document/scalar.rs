//! Plain scalars of YAML.

use super::Value;

/// What a plain scalar is by the core schema (YAML 1.2.2, section 10.3.2).
pub(super) fn resolved(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let number = matches!(text.as_bytes()[0], b'0'..=b'9' | b'+' | b'-' | b'.');
    number.then(|| number_of(text)).flatten().unwrap_or_else(|| Value::String(text.to_owned()))
}

fn number_of(text: &str) -> Option<Value> {
    // Most that begin as numbers and are none are addresses.
    if text.bytes().filter(|byte| matches!(byte, b'.' | b':' | b'/')).count() > 1 {
        return None;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(Value::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let digits = |of: &str| !of.is_empty() && of.bytes().all(|byte| byte.is_ascii_digit());
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        // Without a sign.
        if let Some(of) = text.strip_prefix(prefix).filter(|of| of.bytes().all(|b| b.is_ascii_alphanumeric()))
        {
            let value = u64::from_str_radix(of, radix).ok()?;
            return Some(i64::try_from(value).map_or(Value::Unsigned(value), Value::Signed));
        }
    }
    if digits(unsigned) {
        let signed = text.parse().map(Value::Signed);
        // One that fits neither is told by whoever reads it.
        let integer = signed.or_else(|_| text.parse().map(Value::Unsigned));
        return integer.ok().or_else(|| text.parse().ok().map(Value::Float));
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let plain = |of: &str| of.is_empty() || digits(of);
    let is_float = plain(whole) && plain(fraction) && !(whole.is_empty() && fraction.is_empty());
    (is_float && exponent.is_none_or(digits)).then(|| text.parse().ok().map(Value::Float))?
}
