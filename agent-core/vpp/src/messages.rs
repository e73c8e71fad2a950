//! The messages that a kind of item needs, as a list that a VPP can be asked for.

use vpp_wire::{Dump, Event, Message, MessageInfo, Request};

/// Makes [`Messages`] of the requests, dumps and events that a descriptor uses; their answers come by themselves.
///
/// ```
/// use vpp_26_06::interface::{SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags};
///
/// let needed = vpp_agent_vpp::messages![SwInterfaceDump, SwInterfaceSetFlags, SwInterfaceEvent];
/// assert_eq!(needed.iter().count(), 5);
/// ```
#[macro_export]
macro_rules! messages {
    ($($message:ty),* $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::exchange::{OfDump as _, OfEvent as _, OfRequest as _};
        $crate::Messages::new(&[$(<$message>::EXCHANGE),*])
    }};
}

/// Messages without which nothing can be done for a kind of item. Made by [`messages!`](crate::messages).
#[derive(Clone, Copy, Debug)]
pub struct Messages(&'static [&'static [MessageInfo]]);

impl Messages {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(exchanges: &'static [&'static [MessageInfo]]) -> Self {
        Self(exchanges)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static MessageInfo> + use<> {
        self.0.iter().copied().flatten()
    }
}

/// What goes to and fro for a message. A message is a request, a dump or an event, so its name means one of these.
#[doc(hidden)]
pub mod exchange {
    use super::{Dump, Event, Message, MessageInfo, Request};

    pub trait OfRequest: Request {
        const EXCHANGE: &'static [MessageInfo] = &[Self::INFO, <Self::Reply as Message>::INFO];
    }
    impl<M: Request> OfRequest for M {}

    pub trait OfDump: Dump {
        const EXCHANGE: &'static [MessageInfo] = &[Self::INFO, <Self::Details as Message>::INFO];
    }
    impl<M: Dump> OfDump for M {}

    pub trait OfEvent: Event {
        const EXCHANGE: &'static [MessageInfo] = &[Self::INFO];
    }
    impl<M: Event> OfEvent for M {}
}
