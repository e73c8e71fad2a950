//! What a connection did so far, in numbers.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// What a connection did so far.
///
/// Counted where it happens, without locks of their own; reading them takes the connection's lock for a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Messages sent.
    pub sent: u64,
    /// Their bytes, without frame headers.
    pub sent_bytes: u64,
    /// Messages received.
    pub received: u64,
    /// Their bytes, without frame headers.
    pub received_bytes: u64,
    /// Calls and dumps that VPP answered to the end, refusals included.
    pub answered: u64,
    /// Calls and dumps that ended without: by their deadline, with the connection, by a wrong or too much answer.
    pub failed: u64,
    /// Calls and dumps that were dropped before they ended.
    pub given_up: u64,
    /// Calls and dumps that wait now.
    pub in_flight: u64,
    /// Events received that somebody was subscribed to.
    pub events: u64,
    /// Events given up because a subscriber did not read them; counted for each subscriber.
    pub events_lost: u64,
    /// Answers to calls that had ended before.
    pub late: u64,
    /// Messages that nothing waited for.
    pub unasked: u64,
    /// How long calls and dumps took from request to last answer.
    pub latency: Latency,
}

/// How long calls took, in classes of powers of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Class n holds those below 2^n microseconds and not below half of it; the last all that are longer.
    classes: [u64; Self::CLASSES],
    sum: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self { classes: [0; Self::CLASSES], sum: Duration::ZERO }
    }
}

impl Latency {
    /// Up to 2^24 microseconds: a little more than a deadline of ten seconds.
    const CLASSES: usize = 26;

    pub(crate) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = (u64::BITS - micros.leading_zeros()) as usize;
        self.classes[class.min(Self::CLASSES - 1)] += 1;
        self.sum += took;
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// How long they took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// How many took less than these times, which double from 1 microsecond on; those that took longer than the last
    /// are in [`Latency::count`] only.
    pub fn below(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut below = 0;
        self.classes[..Self::CLASSES - 1].iter().enumerate().map(move |(class, count)| {
            below += count;
            (Duration::from_micros(1 << class), below)
        })
    }

    /// A time that this part of all calls did not take, `0.5` for half of them; exact to a factor of two. `None` without
    /// calls, or when it is longer than 16 seconds.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        // Counts of calls are far below what a float holds exactly.
        let rank = (self.count() as f64 * part).ceil().max(1.0) as u64;
        self.below().find(|(_, below)| *below >= rank).map(|(time, _)| time)
    }
}

/// What two connections did together.
impl AddAssign<&Self> for Counters {
    fn add_assign(&mut self, other: &Self) {
        // By name, so that a counter that is added is not forgotten here.
        let Self {
            sent,
            sent_bytes,
            received,
            received_bytes,
            answered,
            failed,
            given_up,
            in_flight,
            events,
            events_lost,
            late,
            unasked,
            latency,
        } = self;
        *sent += other.sent;
        *sent_bytes += other.sent_bytes;
        *received += other.received;
        *received_bytes += other.received_bytes;
        *answered += other.answered;
        *failed += other.failed;
        *given_up += other.given_up;
        *in_flight += other.in_flight;
        *events += other.events;
        *events_lost += other.events_lost;
        *late += other.late;
        *unasked += other.unasked;
        for (class, more) in latency.classes.iter_mut().zip(other.latency.classes) {
            *class += more;
        }
        latency.sum += other.latency.sum;
    }
}

impl Counters {
    /// Appends the counters as Prometheus reads them (text format 0.0.4), each with these labels.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_prometheus(&self, out: &mut impl fmt::Write, labels: &[(&str, &str)]) -> fmt::Result {
        let mut text = String::new();
        for (name, value) in labels {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let comma = if text.is_empty() { "" } else { "," };
            text.push_str(&format!("{comma}{name}=\"{value}\""));
        }
        let braced = if text.is_empty() { String::new() } else { format!("{{{text}}}") };
        for (name, help, value) in [
            ("sent_messages", "Messages sent to VPP.", self.sent),
            ("sent_bytes", "Bytes of messages sent to VPP.", self.sent_bytes),
            ("received_messages", "Messages received from VPP.", self.received),
            ("received_bytes", "Bytes of messages received from VPP.", self.received_bytes),
            ("calls_answered", "Calls and dumps that VPP answered.", self.answered),
            ("calls_failed", "Calls and dumps that VPP did not answer to the end.", self.failed),
            ("calls_given_up", "Calls and dumps that were dropped before they ended.", self.given_up),
            ("events", "Events received.", self.events),
            ("events_lost", "Events given up because nobody read them.", self.events_lost),
            ("late_messages", "Answers to calls that had ended.", self.late),
            ("unasked_messages", "Messages that nothing waited for.", self.unasked),
        ] {
            writeln!(out, "# HELP vpp_conn_{name}_total {help}\n# TYPE vpp_conn_{name}_total counter")?;
            writeln!(out, "vpp_conn_{name}_total{braced} {value}")?;
        }
        writeln!(out, "# HELP vpp_conn_calls_in_flight Calls and dumps that wait.")?;
        writeln!(out, "# TYPE vpp_conn_calls_in_flight gauge")?;
        writeln!(out, "vpp_conn_calls_in_flight{braced} {}", self.in_flight)?;
        let name = "vpp_conn_call_duration_seconds";
        writeln!(out, "# HELP {name} How long calls and dumps took.\n# TYPE {name} histogram")?;
        let comma = if text.is_empty() { "" } else { "," };
        for (time, below) in self.latency.below() {
            writeln!(out, "{name}_bucket{{{text}{comma}le=\"{}\"}} {below}", time.as_secs_f64())?;
        }
        writeln!(out, "{name}_bucket{{{text}{comma}le=\"+Inf\"}} {}", self.latency.count())?;
        writeln!(out, "{name}_sum{braced} {}", self.latency.sum().as_secs_f64())?;
        writeln!(out, "{name}_count{braced} {}", self.latency.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_classed_by_powers_of_two() {
        let mut latency = Latency::default();
        assert_eq!(latency.quantile(0.5), None);
        for micros in [0, 1, 3, 60, 64, 100, 200, 5_000, 20_000_000] {
            latency.add(Duration::from_micros(micros));
        }
        latency.add(Duration::MAX / 2);
        assert_eq!(latency.count(), 10);
        assert_eq!(latency.quantile(0.5), Some(Duration::from_micros(128)));
        assert_eq!(latency.quantile(0.0), Some(Duration::from_micros(1)));
        assert_eq!(latency.quantile(0.8), Some(Duration::from_micros(8192)));
        assert_eq!(latency.quantile(1.0), None, "longer than is told apart");
        let below: Vec<_> = latency.below().collect();
        assert_eq!(below[0], (Duration::from_micros(1), 1));
        assert_eq!(below[6], (Duration::from_micros(64), 4), "64 is not below 64");
        assert_eq!(below.last(), Some(&(Duration::from_micros(1 << 24), 8)));
    }

    #[test]
    fn counters_of_two_connections_are_added() {
        let mut one = Counters { sent: 1, late: 2, ..Counters::default() };
        one.latency.add(Duration::from_micros(70));
        let mut both = Counters { sent: 10, unasked: 5, ..Counters::default() };
        both.latency.add(Duration::from_micros(60));
        both += &one;
        assert_eq!((both.sent, both.late, both.unasked), (11, 2, 5));
        assert_eq!((both.latency.count(), both.latency.sum()), (2, Duration::from_micros(130)));
        assert_eq!(both.latency.quantile(0.5), Some(Duration::from_micros(64)));
    }

    #[test]
    fn prometheus_reads_them() {
        let mut counters = Counters { sent: 3, in_flight: 1, ..Counters::default() };
        counters.latency.add(Duration::from_micros(70));
        let mut text = String::new();
        counters.write_prometheus(&mut text, &[("vpp", "a \"b\"\n\\"), ("n", "1")]).unwrap();
        assert!(
            text.contains("vpp_conn_sent_messages_total{vpp=\"a \\\"b\\\"\\n\\\\\",n=\"1\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("n=\"1\",le=\"0.000064\"} 0\n") && text.contains("le=\"0.000128\"} 1\n"),
            "{text}"
        );
        let mut bare = String::new();
        counters.write_prometheus(&mut bare, &[]).unwrap();
        assert!(bare.contains("\nvpp_conn_calls_in_flight 1\n"), "{bare}");
        assert!(bare.contains("\nvpp_conn_call_duration_seconds_bucket{le=\"+Inf\"} 1\n"), "{bare}");
        for line in bare.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("vpp_conn_") && value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
