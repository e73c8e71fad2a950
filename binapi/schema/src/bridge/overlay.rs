//! Which messages took over from which.
//!
//! VPP evolves a message by adding another one, `x_v2`. Whether the two mean the same by fields of the same name is
//! nothing that definitions tell, so each pair that does is declared here, with the reason why fields that only one of
//! them has may be left to what says nothing. A pair that is missing has fields whose meaning moved: the flags of
//! `af_packet_create_v3`, of which the earlier message always sets two; the `bd_id` that only the reply to
//! `bridge_domain_add_del_v2` tells; the table of `urpf_update_v2`, where the earlier message takes table 0 and the
//! default is another; the ports of `vxlan_tunnel_v2_details`, which would read as 0; keys and anti-replay windows of IPsec.

/// A message and the one that took over from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Successor {
    /// The earlier message.
    pub earlier: &'static str,
    /// The later one.
    pub later: &'static str,
    /// Why one may stand in for the other.
    pub why: &'static str,
}

const fn pair(earlier: &'static str, later: &'static str, why: &'static str) -> Successor {
    Successor { earlier, later, why }
}

/// Read in the handlers of VPP 26.06; where a message is gone there, in the definitions of the last release that has it.
const SUCCESSORS: &[Successor] = &[
    pair(
        "af_packet_create",
        "af_packet_create_v2",
        "frame sizes of zero are VPP's own; the flags are not looked at",
    ),
    pair("af_xdp_create", "af_xdp_create_v2", "no namespace is that of VPP"),
    pair("bpf_trace_filter_set", "bpf_trace_filter_set_v2", "the filter is optimized by default"),
    pair("create_vhost_user_if", "create_vhost_user_if_v2", "event index is off"),
    pair(
        "crypto_set_async_dispatch",
        "crypto_set_async_dispatch_v2",
        "not adaptive is what the earlier one is",
    ),
    pair("gre_tunnel_add_del", "gre_tunnel_add_del_v2", "a key of zero is none"),
    pair("gre_tunnel_dump", "gre_tunnel_dump_v2", "a key of zero is none"),
    pair("gre_tunnel_dump_v2", "gre_tunnel_v2_dump", "the same fields"),
    pair("gtpu_add_del_tunnel", "gtpu_add_del_tunnel_v2", "no PDU extension"),
    pair("http_static_enable", "http_static_enable_v2", "the default is what the earlier one does"),
    pair("http_static_enable_v2", "http_static_enable_v3", "the default is what the earlier one does"),
    pair("http_static_enable_v3", "http_static_enable_v4", "the default is what the earlier one does"),
    pair("http_static_enable_v4", "http_static_enable_v5", "the default is what the earlier one does"),
    pair("ip_route_add_del", "ip_route_add_del_v2", "a source of zero is the API's own"),
    pair("ip_route_dump", "ip_route_v2_dump", "a source of zero is every source"),
    pair("ip_route_lookup", "ip_route_lookup_v2", "a source of zero is not told"),
    pair(
        "ip_session_redirect_add",
        "ip_session_redirect_add_v2",
        "the protocol follows from the path by default",
    ),
    pair("ip_table_add_del", "ip_table_add_del_v2", "a table for multicast comes with it by default"),
    pair("lb_add_del_vip", "lb_add_del_vip_v2", "not sticky is what the earlier one is"),
    pair("lcp_itf_pair_get", "lcp_itf_pair_get_v2", "an index of all ones is every pair"),
    pair("memif_create", "memif_create_v2", "no DMA"),
    pair("modify_vhost_user_if", "modify_vhost_user_if_v2", "event index is off"),
    pair("nat44_add_del_static_mapping", "nat44_add_del_static_mapping_v2", "no pool is matched"),
    pair("pg_create_interface", "pg_create_interface_v2", "a mode of zero is Ethernet"),
    pair("rdma_create_v2", "rdma_create_v3", "defaults are declared"),
    pair("rdma_create_v3", "rdma_create_v4", "the same fields"),
    pair("tap_create_v2", "tap_create_v3", "one queue by default"),
    pair("vxlan_add_del_tunnel", "vxlan_add_del_tunnel_v2", "ports of zero are 4789"),
    pair("vxlan_add_del_tunnel_v2", "vxlan_add_del_tunnel_v3", "a tunnel carries frames by default"),
    pair("vxlan_gpe_add_del_tunnel", "vxlan_gpe_add_del_tunnel_v2", "ports of zero are 4790"),
];

/// Every declared pair, by the name of the earlier message.
#[must_use]
pub fn successors() -> &'static [Successor] {
    SUCCESSORS
}

/// The messages that may stand in for one that a VPP does not have, those that are nearest first: its successors, then
/// its predecessors.
#[must_use]
pub fn counterparts(message: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut next = message;
    while let Some(pair) = SUCCESSORS.iter().find(|pair| pair.earlier == next) {
        found.push(pair.later);
        next = pair.later;
    }
    next = message;
    while let Some(pair) = SUCCESSORS.iter().find(|pair| pair.later == next) {
        found.push(pair.earlier);
        next = pair.earlier;
    }
    found
}
