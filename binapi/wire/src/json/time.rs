//! Points in time: seconds since the Unix epoch on the wire, RFC 3339 text in JSON.

use jiff::Timestamp;
use serde_json::Value;

use super::{JsonFault, float_from_json, float_to_json};

/// UTC text with microseconds, or as many digits more as it takes; the number of seconds where no text of nanoseconds is
/// exactly it.
pub(super) fn to_json(seconds: f64) -> Value {
    match to_text(seconds) {
        Some(text) => text.into(),
        None => float_to_json(seconds),
    }
}

/// Seconds from a number or text.
pub(super) fn from_json(value: &Value) -> Result<f64, JsonFault> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(_) => float_from_json(value),
        _ => Err(JsonFault::kind("seconds, or a time (2026-06-24T12:00:00.000000Z)", value)),
    }
}

/// Seconds from text: a point in time in any zone, or what [`float_to_json`] writes.
pub(super) fn parse(text: &str) -> Result<f64, JsonFault> {
    text.parse::<Timestamp>()
        .ok()
        .and_then(seconds_of)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| JsonFault::text(text, "a time (2026-06-24T12:00:00.000000Z)"))
}

/// The nearest number: read from decimal digits, since a division and an addition would round twice.
fn seconds_of(time: Timestamp) -> Option<f64> {
    let nanoseconds = time.as_nanosecond();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (seconds, rest) = (nanoseconds.abs() / 1_000_000_000, nanoseconds.abs() % 1_000_000_000);
    format!("{sign}{seconds}.{rest:09}").parse().ok()
}

fn to_text(seconds: f64) -> Option<String> {
    // Beyond, jiff has no time; and NaN is not in there.
    if !(-3e11..3e11).contains(&seconds) {
        return None;
    }
    let whole = seconds.floor();
    let fraction = ((seconds - whole) * 1e9).round();
    let time = Timestamp::from_nanosecond(whole as i128 * 1_000_000_000 + fraction as i128).ok()?;
    if seconds_of(time)?.to_bits() != seconds.to_bits() {
        return None;
    }
    // The fewest digits that are still exactly the number.
    (6..=9).find_map(|digits| {
        let text = format!("{time:.digits$}");
        (parse(&text).ok()?.to_bits() == seconds.to_bits()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_exact_or_it_is_a_number() {
        for (seconds, shown) in [
            (0.0, json!("1970-01-01T00:00:00.000000Z")),
            (946_684_800.25, json!("2000-01-01T00:00:00.250000Z")),
            (-0.5, json!("1969-12-31T23:59:59.500000Z")),
            (1_795_260_131.815_32, json!("2026-11-21T11:22:11.815320Z")),
            (1_795_260_131.815_321_2, json!("2026-11-21T11:22:11.8153212Z")),
            (-0.0, json!(-0.0)),
            (1e-12, json!(1e-12)),
            (f64::NAN, json!("NaN")),
            (f64::NEG_INFINITY, json!("-inf")),
            (f64::MAX, json!(f64::MAX)),
        ] {
            assert_eq!(to_json(seconds), shown);
            assert_eq!(from_json(&shown).unwrap().to_bits(), seconds.to_bits());
        }
    }

    #[test]
    fn any_zone_and_plain_numbers_are_read() {
        assert_eq!(from_json(&json!("2000-01-01T01:00:00+01:00")).unwrap(), 946_684_800.0);
        assert_eq!(from_json(&json!(1.5)).unwrap(), 1.5);
        assert_eq!(from_json(&json!("1.5")).unwrap(), 1.5);
        assert_eq!(
            from_json(&json!("yesterday")).unwrap_err().to_string(),
            "\"yesterday\" is not a time (2026-06-24T12:00:00.000000Z)"
        );
        assert!(from_json(&json!(true)).is_err());
    }
}
