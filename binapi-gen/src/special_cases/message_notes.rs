//! What messages do, in our words. The definitions hold no prose, and VPP's own comments are not pinned.

/// What a message does, by VPP's name. Sorted.
const NOTES: &[(&str, &str)] = &[
    ("acl_add_replace", "Creates an access list (`acl_index` 0xffffffff) or replaces the rules of one."),
    ("acl_del", "Deletes an access list that no interface uses."),
    ("acl_dump", "Lists one access list, or all (`acl_index` 0xffffffff)."),
    (
        "acl_interface_set_acl_list",
        "Replaces the access lists of an interface: the first `n_input` for input, the rest for output.",
    ),
    ("add_node_next", "Adds an edge between two nodes of the packet graph."),
    ("af_packet_create_v3", "Creates an interface on top of a network device of the host."),
    ("af_packet_delete", "Deletes the interface of a host's network device."),
    ("api_versions", "Lists the versions of VPP's API modules. Recent releases answer with an empty list."),
    ("bond_create2", "Creates a bond of interfaces."),
    ("bridge_domain_add_del_v2", "Creates, changes or deletes a bridge domain."),
    ("bridge_domain_dump", "Lists bridge domains with their ports."),
    ("cli", "Runs a debug command; input and output are pointers into shared memory. Use `cli_inband`."),
    ("cli_inband", "Runs a command of VPP's debug CLI and returns its output."),
    ("control_ping", "Does nothing. Its reply follows everything that VPP answered before: a fence."),
    (
        "create_loopback",
        "Creates a loopback interface with a MAC address, or one that VPP chooses (all zeros).",
    ),
    (
        "create_loopback_instance",
        "Creates a loopback interface, with an instance number of the caller's choice.",
    ),
    ("create_subif", "Creates a sub-interface that selects packets by their VLAN tags."),
    ("create_vlan_subif", "Creates a sub-interface for one VLAN id."),
    ("delete_loopback", "Deletes a loopback interface."),
    ("delete_subif", "Deletes a sub-interface."),
    (
        "get_api_json",
        "Returns the API definitions of the modules this VPP has loaded, as JSON. (It lacks `memclnt` itself.)",
    ),
    ("get_first_msg_id", "Returns the first message id of a module, by `<module>_<crc>`."),
    ("get_next_index", "Finds the edge that leads from one node of the packet graph to another."),
    ("get_node_graph", "Returns a pointer into shared memory: of no use over a socket."),
    ("get_node_index", "Finds a node of the packet graph by name."),
    (
        "graph_node_get",
        "Lists nodes of the packet graph. VPP crashes when it comes over a socket: use shared memory.",
    ),
    ("hw_interface_set_mtu", "Sets the largest frame that a hardware interface accepts."),
    ("interface_name_renumber", "Changes the number in an interface's name."),
    ("ip_address_dump", "Lists the addresses of an interface."),
    ("ip_details", "An interface and whether it forwards IPv6 or IPv4."),
    ("ip_dump", "Lists the interfaces that have IPv4 or IPv6 enabled."),
    ("ip_mroute_add_del", "Adds or removes a multicast route, or paths of it."),
    ("ip_mtable_dump", "Lists the multicast tables."),
    ("ip_neighbor_add_del", "Adds or removes a neighbour (ARP or ND entry)."),
    ("ip_neighbor_dump", "Lists the neighbours of an interface, or of all (`sw_if_index` 0xffffffff)."),
    ("ip_route_add_del", "Adds or removes a route, or paths of one (`is_multipath`)."),
    ("ip_route_add_del_v2", "Adds or removes a route of a chosen source, or paths of one (`is_multipath`)."),
    ("ip_route_dump", "Lists the routes of a table."),
    ("ip_route_lookup", "Finds the route of a prefix, exactly or by longest match."),
    ("ip_route_lookup_v2", "Finds the route of a prefix, exactly or by longest match."),
    ("ip_route_v2_dump", "Lists the routes of a table with their sources."),
    ("ip_table_add_del", "Creates or deletes a table of routes (VRF)."),
    ("ip_table_dump", "Lists the tables of routes (VRFs)."),
    ("ip_table_flush", "Removes all routes that the API added to a table."),
    (
        "ip_table_replace_begin",
        "Starts to replace a table: routes not added again until `ip_table_replace_end` go.",
    ),
    ("ip_table_replace_end", "Removes the routes that were not added again since `ip_table_replace_begin`."),
    ("ip_unnumbered_dump", "Lists interfaces that borrow the address of another."),
    ("l2_fib_clear_table", "Removes all learnt MAC addresses."),
    ("l2_fib_table_dump", "Lists the MAC addresses a bridge domain knows."),
    ("l2fib_add_del", "Adds or removes a MAC address of a bridge domain."),
    ("lcp_itf_pair_add_del_v2", "Mirrors an interface into the host as a tap, or ends it."),
    ("log_dump", "Lists VPP's log from a point in time."),
    ("memclnt_create", "Registers a client of the shared memory."),
    (
        "memclnt_create_v2",
        "Registers a client of the shared memory; its reply's `index` is the client's handle.",
    ),
    ("memclnt_delete", "Ends the registration of a shared-memory client."),
    ("memclnt_keepalive", "Sent by VPP to an idle shared-memory client, which has to answer."),
    ("memif_create_v2", "Creates a shared-memory interface to another process."),
    ("memif_delete", "Deletes a shared-memory interface."),
    ("memif_dump", "Lists the shared-memory interfaces."),
    (
        "memif_socket_filename_add_del_v2",
        "Names the control socket of shared-memory interfaces, or removes one.",
    ),
    ("memif_socket_filename_dump", "Lists the control sockets of shared-memory interfaces."),
    ("mpls_route_add_del", "Adds or removes a route of MPLS, or paths of it."),
    ("rpc_call", "Makes VPP call a function by address. Not for clients."),
    ("rx_thread_exit", "Ends the thread of a client's own library; nothing answers. Not for sockets."),
    ("set_ip_flow_hash", "Chooses the fields of a packet that select among equal paths."),
    ("show_version", "Tells program, version and build of VPP."),
    ("show_vpe_system_time", "Tells VPP's clock."),
    ("sock_init_shm", "Asks over a socket for a shared-memory segment, whose descriptor follows the reply."),
    (
        "sockclnt_create",
        "Opens a session on a socket; the reply holds the client's handle and the message table.",
    ),
    ("sockclnt_delete", "Ends a session on a socket in order."),
    ("sw_interface_add_del_address", "Adds or removes an address of an interface, or removes all."),
    (
        "sw_interface_address_replace_begin",
        "Starts to replace all addresses: those not added again until `sw_interface_address_replace_end` go.",
    ),
    (
        "sw_interface_address_replace_end",
        "Removes the addresses that were not added again since `sw_interface_address_replace_begin`.",
    ),
    ("sw_interface_details", "An interface: its name, kind, state and link."),
    ("sw_interface_dump", "Lists interfaces: all, one by index, or those whose name contains a text."),
    ("sw_interface_event", "An interface went up or down, or was deleted."),
    ("sw_interface_get_mac_address", "Tells the MAC address of an interface."),
    ("sw_interface_get_table", "Tells the table (VRF) of an interface."),
    ("sw_interface_rx_placement_dump", "Lists which worker polls which receive queue."),
    ("sw_interface_set_flags", "Sets an interface up or down."),
    ("sw_interface_set_l2_bridge", "Makes an interface a port of a bridge domain, or ends it."),
    ("sw_interface_set_l2_xconnect", "Forwards all frames of one interface to another, or ends it."),
    ("sw_interface_set_mac_address", "Sets the MAC address of an interface."),
    ("sw_interface_set_mtu", "Sets the MTU of an interface, in bytes: any packet, IPv4, IPv6, MPLS."),
    ("sw_interface_set_promisc", "Makes an interface accept frames of all MAC addresses, or ends it."),
    ("sw_interface_set_rx_mode", "Chooses between polling and interrupts for a receive queue."),
    ("sw_interface_set_rx_placement", "Chooses the worker that polls a receive queue."),
    ("sw_interface_set_table", "Puts an interface into a table (VRF). It must have no addresses."),
    ("sw_interface_set_unnumbered", "Makes an interface borrow the address of another, or ends it."),
    ("sw_interface_tag_add_del", "Sets or removes the text that a client attached to an interface."),
    ("tap_create_v3", "Creates a tap device of the host with an interface on VPP's side."),
    ("tap_delete_v2", "Deletes a tap device and its interface."),
    ("want_interface_events", "Switches events on or off that tell of interfaces going up, down or away."),
];

/// What a message does, by VPP's name.
pub(crate) fn message_note(name: &str) -> Option<&'static str> {
    NOTES.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|index| NOTES[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_are_sorted() {
        assert!(NOTES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
