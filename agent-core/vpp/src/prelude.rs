//! What a descriptor of VPP names: `use agent_core::vpp::prelude::*;`.

pub use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
pub use vpp_agent_engine::{
    Batch, Change, Derived, Descriptor, Engine, Entry, Failure, Family, Invalid, Key, Needs, Observed,
    Outcomes, Registered,
};
pub use vpp_wire::{MacAddress, Prefix};

pub use crate::{BATCH, Messages, Vpp, VppConnection, messages};
