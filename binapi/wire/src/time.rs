//! Points in time and spans of time: seconds as floating-point numbers on the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Decoder, Encoder, FixedSize, Wire};

/// A point in time: seconds since the Unix epoch. VPP's `timestamp`, on the wire an `f64` in the host's byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Timestamp(pub f64);

/// A span of time in seconds. VPP's `timedelta`, on the wire an `f64` in the host's byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct TimeDelta(pub f64);

macro_rules! float_newtype {
    ($($name:ident),*) => {$(
        impl Wire for $name {
            const MIN_LEN: usize = 8;

            fn encode(&self, out: &mut Encoder<'_>) {
                self.0.encode(out);
            }

            fn decode(input: &mut Decoder<'_>) -> Self {
                Self(input.read())
            }
        }

        impl FixedSize for $name {}

        impl From<f64> for $name {
            fn from(seconds: f64) -> Self {
                Self(seconds)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    )*};
}

float_newtype!(Timestamp, TimeDelta);

impl Timestamp {
    /// The same point in time, to the nanosecond; `None` where the system's clock does not reach (or not a number).
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let span = Duration::try_from_secs_f64(self.0.abs()).ok()?;
        if self.0 < 0.0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        })
    }
}

impl TimeDelta {
    /// The same span; `None` for a negative one (or not a number).
    #[must_use]
    pub fn to_duration(self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.0).ok()
    }
}

impl From<Duration> for TimeDelta {
    fn from(span: Duration) -> Self {
        Self(span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_kept_both_ways() {
        let stamp = Timestamp(946_684_800.25);
        let time = stamp.to_system_time().unwrap();
        assert_eq!(time.duration_since(UNIX_EPOCH).unwrap().subsec_millis(), 250);
        assert_eq!(Timestamp::from(time), stamp);
        assert_eq!(Timestamp(-0.5).to_system_time().map(Timestamp::from), Some(Timestamp(-0.5)));
        assert_eq!(Timestamp(f64::NAN).to_system_time(), None);
        assert_eq!(TimeDelta::from(Duration::from_millis(1500)), TimeDelta(1.5));
        assert_eq!(TimeDelta(-1.0).to_duration(), None);
    }
}
