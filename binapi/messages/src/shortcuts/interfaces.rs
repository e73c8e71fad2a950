//! Interfaces.

use vpp_wire::Prefix;

use crate::interface::{
    CreateLoopbackInstance, SwInterfaceAddDelAddress, SwInterfaceDetails, SwInterfaceSetFlags,
};
use crate::interface_types::IfStatusFlags;

impl CreateLoopbackInstance {
    /// The loopback of a number: VPP names it `loop` and the number, 0 to 16383.
    #[must_use]
    pub fn numbered(instance: u32) -> Self {
        Self { is_specified: true, user_instance: instance, ..Self::default() }
    }
}

impl SwInterfaceSetFlags {
    /// Switches an interface on or off.
    #[must_use]
    pub fn admin(sw_if_index: u32, is_up: bool) -> Self {
        let flags = if is_up { IfStatusFlags::ADMIN_UP } else { IfStatusFlags(0) };
        Self { sw_if_index, flags }
    }
}

impl SwInterfaceDetails {
    /// Whether the interface is switched on.
    #[must_use]
    pub const fn is_admin_up(&self) -> bool {
        self.flags.contains(IfStatusFlags::ADMIN_UP)
    }
}

impl SwInterfaceAddDelAddress {
    /// Gives an interface an address.
    #[must_use]
    pub const fn add(sw_if_index: u32, prefix: Prefix) -> Self {
        Self { sw_if_index, is_add: true, del_all: false, prefix }
    }

    /// Takes an address from an interface.
    #[must_use]
    pub const fn delete(sw_if_index: u32, prefix: Prefix) -> Self {
        Self { sw_if_index, is_add: false, del_all: false, prefix }
    }
}
