//! The one home of exceptions: everything the generator knows about particular names of VPP.
//!
//! Each table says why it is there. A pass that meets a name looks here first; nothing else in this crate compares
//! with a name of VPP.

mod field_notes;
mod item_notes;

pub(crate) use field_notes::field_note;
pub(crate) use item_notes::item_note;

/// A type of VPP that stands for a type with behaviour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeType {
    /// Of the standard library: its module and name.
    Std(&'static str, &'static str),
    /// Of the runtime crate.
    Wire(&'static str),
}

/// Types that stand for a hand-written one: VPP's name, its bytes on the wire, the type. Releases before 20.05 have
/// other layouts under the same names, so the size has to agree too.
const RUNTIME_TYPES: &[(&str, usize, RuntimeType)] = &[
    ("address", 17, RuntimeType::Wire("Address")),
    ("ip4_address", 4, RuntimeType::Std("std::net", "Ipv4Addr")),
    ("ip4_prefix", 5, RuntimeType::Wire("Ip4Prefix")),
    ("ip6_address", 16, RuntimeType::Std("std::net", "Ipv6Addr")),
    ("ip6_prefix", 17, RuntimeType::Wire("Ip6Prefix")),
    ("mac_address", 6, RuntimeType::Wire("MacAddress")),
    ("prefix", 18, RuntimeType::Wire("Prefix")),
    ("timedelta", 8, RuntimeType::Wire("TimeDelta")),
    ("timestamp", 8, RuntimeType::Wire("Timestamp")),
];

/// The hand-written type that a type of this name and size stands for.
pub(crate) fn runtime_type(name: &str, size: usize) -> Option<RuntimeType> {
    RUNTIME_TYPES.iter().find(|(known, len, _)| *known == name && *len == size).map(|(_, _, ty)| *ty)
}

/// Unions that, behind a discriminator of so many bytes, stand for a hand-written type: an address whose family
/// stands apart.
pub(crate) fn runtime_union(name: &str, size: usize, discriminator: usize) -> Option<RuntimeType> {
    (name == "address_union" && size == 16 && discriminator == 1).then_some(RuntimeType::Wire("Address"))
}

/// Names whose CamelCase form is not what their tokens give.
const NAMES: &[(&str, &str)] = &[("timedelta", "TimeDelta")];

/// The Rust name of a message or type, where it is not what its tokens give.
pub(crate) fn rust_name(vpp_name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == vpp_name).map(|(_, name)| *name)
}

/// Enums that are sets of flags although the definition says `enum`: their handlers OR the members. (`enumflag` came
/// with VPP 21.01, and most definitions were not changed.)
const FLAG_SETS: &[&str] = &[
    "af_packet_flags",
    "bd_flags",
    "cnat_endpoint_tuple_flags",
    "cnat_snat_policy_flags",
    "cnat_translation_flags",
    "fib_path_flags",
    "flow_action",
    "flow_action_v2",
    "flowprobe_record_flags",
    "flowprobe_which_flags",
    "if_status_flags",
    "ip_neighbor_event_flags",
    "ip_neighbor_flags",
    "ipsec_sad_flags",
    "l2_intf_feat_flags",
    "mfib_entry_flags",
    "mfib_itf_flags",
    "nat44_config_flags",
    "nat44_ei_config_flags",
    "nat_config_flags",
    "node_flag",
    "pg_interface_flags",
    "pnat_mask",
    "sub_if_flags",
    "tap_flags",
    "tunnel_encap_decap_flags",
    "virtio_net_features_first_32",
    "virtio_net_features_last_32",
    "vrrp_vr_flags",
    "wireguard_peer_flags",
];

/// Whether an enum is a set of flags although the definition does not say so.
pub(crate) fn is_flag_set(name: &str) -> bool {
    FLAG_SETS.contains(&name)
}

/// What to strip from the members of an enum, where the tokens that all members share are not it. A member that does
/// not start so loses what all members share.
const MEMBER_PREFIXES: &[(&str, &str)] = &[
    ("cnat_endpoint_tuple_flags", "CNAT_EPT"),
    ("lb_encap_type", "LB_API_ENCAP_TYPE"),
    ("lb_srv_type", "LB_API_SRV_TYPE"),
    ("lb_vip_type", "LB_API_VIP_TYPE"),
    ("sr_behavior", "SR_BEHAVIOR_API"),
    ("wireguard_peer_flags", "WIREGUARD_PEER_STATUS"),
];

/// The prefix to strip from the members of an enum, where it is not what all of them share.
pub(crate) fn member_prefix(enum_name: &str) -> Option<&'static str> {
    MEMBER_PREFIXES.iter().find(|(known, _)| *known == enum_name).map(|(_, prefix)| *prefix)
}

/// Tokens that say nothing about an enum's only member, beside those of the enum's own name.
pub(crate) const EMPTY_TOKENS: &[&str] = &["API", "F", "FLAG", "FLAGS", "VL"];
