//! Faults that a test orders.

use std::time::Duration;

/// Something that goes wrong on order. By default always; see [`Fault::once`] and [`Fault::times`].
///
/// ```
/// use std::time::Duration;
/// use vpp_sim::Fault;
///
/// let lost = Fault::drop_reply("sw_interface_set_flags").once();
/// let slow = Fault::delay("show_version", Duration::from_millis(50)).times(3);
/// # let _ = (lost, slow);
/// ```
///
/// | Fault | The request is carried out | What the client sees |
/// |---|---|---|
/// | [`drop_reply`](Self::drop_reply) | yes | nothing |
/// | [`delay`](Self::delay) | yes | all that comes after waits, too: a handler that takes long |
/// | [`overtaken`](Self::overtaken) | yes | what comes after is not held up: a handler that answers later |
/// | [`refuse`](Self::refuse) | no | the return code |
/// | [`wrong_reply_id`](Self::wrong_reply_id) | yes | another message with the request's context |
/// | [`short_reply`](Self::short_reply) | yes | the last byte of the reply is missing |
/// | [`garbage`](Self::garbage) | yes | these bytes instead of a frame |
/// | [`close_on`](Self::close_on) | no | the end of the connection |
/// | [`hang`](Self::hang) | no | nothing, whatever it sends |
/// | [`close_after`](Self::close_after) | yes | the end of the connection after that many messages |
#[derive(Clone, Debug)]
pub struct Fault {
    /// The request it waits for; `None` for any.
    message: Option<String>,
    pub(crate) effect: Effect,
    /// Messages that go by first.
    skip: u64,
    /// How often it still strikes; `None` for always.
    left: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Ignore,
    DropReply,
    Delay(Duration),
    Overtaken(Duration),
    Refuse(i32),
    WrongReplyId,
    ShortReply,
    Garbage(Vec<u8>),
    CloseInstead,
    CloseBehind,
}

impl Fault {
    /// The answers to a request get lost.
    #[must_use]
    pub fn drop_reply(message: &str) -> Self {
        Self::of(message, Effect::DropReply)
    }

    /// The answers to a request, and all that its connection is sent behind them, come later.
    #[must_use]
    pub fn delay(message: &str, by: Duration) -> Self {
        Self::of(message, Effect::Delay(by))
    }

    /// The answers to a request come later; others overtake them.
    #[must_use]
    pub fn overtaken(message: &str, by: Duration) -> Self {
        Self::of(message, Effect::Overtaken(by))
    }

    /// A request is refused with a return code, without being carried out.
    #[must_use]
    pub fn refuse(message: &str, retval: i32) -> Self {
        Self::of(message, Effect::Refuse(retval))
    }

    /// The answers to a request carry the number of another message.
    #[must_use]
    pub fn wrong_reply_id(message: &str) -> Self {
        Self::of(message, Effect::WrongReplyId)
    }

    /// The answers to a request lack their last byte.
    #[must_use]
    pub fn short_reply(message: &str) -> Self {
        Self::of(message, Effect::ShortReply)
    }

    /// Bytes are sent instead of the answers to a request, as they are.
    #[must_use]
    pub fn garbage(message: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(message, Effect::Garbage(bytes.into()))
    }

    /// A request is not answered; its connection is closed.
    #[must_use]
    pub fn close_on(message: &str) -> Self {
        Self::of(message, Effect::CloseInstead)
    }

    /// It hangs: connections stay open and are taken, and nothing is answered, until the faults are cleared.
    #[must_use]
    pub fn hang() -> Self {
        Self { message: None, effect: Effect::Ignore, skip: 0, left: None }
    }

    /// The connection that sends the `messages`th message from now on is closed behind its answers.
    #[must_use]
    pub fn close_after(messages: u64) -> Self {
        Self { message: None, effect: Effect::CloseBehind, skip: messages.saturating_sub(1), left: Some(1) }
    }

    /// It strikes once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// It strikes so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.left = Some(times);
        self
    }

    /// It lets so many of its messages go by first.
    #[must_use]
    pub fn after(mut self, messages: u64) -> Self {
        self.skip = messages;
        self
    }

    fn of(message: &str, effect: Effect) -> Self {
        Self { message: Some(message.to_owned()), effect, skip: 0, left: None }
    }

    fn concerns(&self, message: &str) -> bool {
        self.left != Some(0) && self.message.as_deref().is_none_or(|name| name == message)
    }
}

/// The faults that are ordered.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What strikes a message: at most one fault, the one ordered first.
    pub(crate) fn strike(&mut self, message: &str) -> Option<Effect> {
        let mut effect = None;
        for fault in self.0.iter_mut().filter(|fault| fault.concerns(message)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if effect.is_none() {
                fault.left = fault.left.map(|left| left - 1);
                effect = Some(fault.effect.clone());
            }
        }
        self.0.retain(|fault| fault.left != Some(0));
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_its_message_as_often_as_ordered() {
        let mut faults = Faults::default();
        faults.add(Fault::drop_reply("a").after(1).times(2));
        let struck: Vec<bool> =
            ["b", "a", "a", "b", "a", "a"].iter().map(|name| faults.strike(name).is_some()).collect();
        assert_eq!(struck, [false, false, true, false, true, false]);
        assert!(faults.0.is_empty());
    }

    #[test]
    fn close_after_counts_every_message() {
        let mut faults = Faults::default();
        faults.add(Fault::close_after(3));
        assert!(faults.strike("a").is_none() && faults.strike("b").is_none());
        assert!(matches!(faults.strike("c"), Some(Effect::CloseBehind)));
        assert!(faults.strike("d").is_none());
    }
}
