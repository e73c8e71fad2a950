//! How long the socket rests while many answers are to come.

use std::time::{Duration, Instant};

/// With fewer calls under way their answers are waited for one by one.
const MANY: usize = 32;
/// The part of the calls under way whose answers come meanwhile: it is as much longer at most that each waits for its own, and
/// VPP never runs out of requests.
const PART: u32 = 4;
/// A shorter rest is none: to be woken costs about as much as to be told of some answers.
const SHORTEST: Duration = Duration::from_micros(50);
/// The longest that a call of somebody else, or an event, may have to wait.
const LONGEST: Duration = Duration::from_millis(1);

/// How long the socket rests, from how fast answers came before.
#[derive(Debug, Default)]
pub(super) struct Rests {
    /// When it was last looked at with many calls under way, and how many messages had come by then.
    looked: Option<(Instant, u64)>,
    /// How long VPP takes for an answer, lately.
    each: Option<Duration>,
}

impl Rests {
    /// All that has come is read: so many messages in all. So many calls are under way, with those that were answered just
    /// now. How long need nobody look?
    pub(super) fn after(
        &mut self,
        messages: u64,
        calls: usize,
        now: impl FnOnce() -> Instant,
    ) -> Option<Duration> {
        let last = self.looked.take();
        if calls < MANY {
            return None;
        }
        let now = now();
        self.looked = Some((now, messages));
        let (looked, before) = last?;
        let came = u32::try_from(messages.saturating_sub(before)).ok().filter(|came| *came > 0)?;
        let calls = calls.saturating_sub(came as usize);
        let each = now.saturating_duration_since(looked) / came;
        // Where VPP had nothing to do, or something else, the next answers tell.
        let each = self.each.map_or(each, |lately| each.min(lately * 5 / 4));
        self.each = Some(each);
        let rest = each.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX)) / PART;
        (rest >= SHORTEST).then_some(rest.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: Duration = Duration::from_micros(1);

    /// Looks at a VPP that takes so long for each of so many calls, which are sent anew when they are answered: how long each
    /// rest is.
    fn rests(each: Duration, calls: usize) -> Vec<Option<Duration>> {
        let (mut rests, mut now, mut messages) = (Rests::default(), Instant::now(), 0);
        let mut answers = 0;
        let mut look = || {
            let rest = rests.after(messages, calls + answers as usize, || now);
            // Without a rest somebody is woken by the next answer.
            answers = rest.map_or(1, |rest| (rest.as_nanos() / each.as_nanos()).max(1) as u32);
            now += each * answers;
            messages += u64::from(answers);
            rest
        };
        (0..10).map(|_| look()).collect()
    }

    #[test]
    fn a_quarter_of_the_answers_come_meanwhile() {
        let rests = rests(4 * MICRO, 256);
        assert_eq!(rests[0], None, "nothing is known yet");
        assert!(rests[1..].iter().all(|rest| *rest == Some(256 * MICRO)), "{rests:?}");
    }

    #[test]
    fn a_slow_vpp_is_looked_at_each_millisecond_and_few_calls_at_once() {
        assert_eq!(rests(100 * MICRO, 64).pop(), Some(Some(LONGEST)));
        assert_eq!(rests(4 * MICRO, 31).pop(), Some(None));
        assert_eq!(rests(MICRO, 128).pop(), Some(None), "it would be too short");
    }

    #[test]
    fn a_vpp_that_does_not_answer_is_waited_for() {
        let (mut rests, now) = (Rests::default(), Instant::now());
        rests.after(0, 100, || now);
        assert!(rests.after(50, 100, || now + 500 * MICRO).is_some());
        assert_eq!(rests.after(50, 50, || now + 600 * MICRO), None);
        // And what comes then says how long it takes.
        assert!(rests.after(60, 50, || now + 10_600 * MICRO).is_some());
    }

    #[test]
    fn time_in_which_nobody_asked_is_not_counted() {
        let (mut rests, mut now) = (Rests::default(), Instant::now());
        rests.after(0, 100, || now);
        rests.after(90, 10, || now);
        now += Duration::from_secs(60);
        assert_eq!(rests.after(90, 100, || now), None);
        let rest = rests.after(140, 100, || now + 200 * MICRO);
        assert_eq!(rest, Some(50 * MICRO));
    }
}
