"""Drives a VPP with vpp_papi, VPP's own Python client. Argument: the API socket.

The definitions come from the VPP itself (get_api_json), so this also checks that they can be used.
"""

import queue
import sys

from vpp_papi import VPPApiClient

vpp = VPPApiClient(server_address=sys.argv[1], use_socket=True, bootstrapapi=True, read_timeout=10)
assert vpp.connect("papi") == 0
api = vpp.api

version = api.show_version()
assert version.program == "vpe" and version.version.startswith("26.06"), version
assert api.control_ping().vpe_pid > 0

events = queue.Queue()
vpp.register_event_callback(lambda name, event: events.put((name, event)))


def event():
    """The next event: interface, flags, whether it is deleted."""
    name, event = events.get(timeout=10)
    assert name == "sw_interface_event" and event.pid == 4321, (name, event)
    return event.sw_if_index, int(event.flags), event.deleted


assert api.want_interface_events(enable_disable=1, pid=4321).retval == 0
assert api.want_interface_events(enable_disable=1, pid=4321).retval == -31

loopback = api.create_loopback(mac_address="02:fe:00:00:00:01").sw_if_index
assert event() == (loopback, 0, False)
assert api.sw_interface_set_flags(sw_if_index=loopback, flags=1).retval == 0
assert event() == (loopback, 3, False)
assert api.sw_interface_add_del_address(sw_if_index=loopback, is_add=True, prefix="10.0.0.1/24").retval == 0
assert api.sw_interface_add_del_address(sw_if_index=loopback, is_add=True, prefix="10.0.0.1/24").retval == -105

interfaces = {details.interface_name: details for details in api.sw_interface_dump()}
assert set(interfaces) == {"local0", "loop0"}, interfaces
assert str(interfaces["loop0"].l2_address) == "02:fe:00:00:00:01"
assert interfaces["loop0"].mtu == [9000, 0, 0, 0]
(address,) = api.ip_address_dump(sw_if_index=loopback)
assert str(address.prefix) == "10.0.0.1/24", address

path = {
    "sw_if_index": loopback,
    "weight": 1,
    "proto": 0,
    "nh": {"address": {"ip4": "10.0.0.2"}},
    "n_labels": 0,
    "label_stack": [{"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}] * 16,
}
route = {"table_id": 0, "prefix": "10.1.0.0/16", "src": 0, "n_paths": 1, "paths": [path]}
added = api.ip_route_add_del_v2(is_add=True, is_multipath=False, route=route)
assert added.retval == 0
(found,) = api.ip_route_v2_dump(table={"table_id": 0, "is_ip6": False}, src=8)
assert str(found.route.prefix) == "10.1.0.0/16" and found.route.stats_index == added.stats_index, found
assert str(found.route.paths[0].nh.address.ip4) == "10.0.0.2", found
assert len(api.ip_route_dump(table={"table_id": 0, "is_ip6": True})) == 2

assert api.bridge_domain_add_del_v2(bd_id=5, is_add=True, flood=True, bd_tag="papi").bd_id == 5
assert api.sw_interface_set_l2_bridge(rx_sw_if_index=loopback, bd_id=5, enable=True).retval == 0
(domain,) = api.bridge_domain_dump(bd_id=0xFFFFFFFF)
assert domain.bd_tag == "papi" and domain.sw_if_details[0].sw_if_index == loopback, domain

# A stream with a cursor.
for last in range(1, 6):
    pmtu = {"table_id": 0, "nh": f"10.0.0.{last}", "path_mtu": 1400 + last}
    assert api.ip_path_mtu_update(pmtu=pmtu).retval == 0
mtus, cursor = [], 0
while True:
    reply, details = api.ip_path_mtu_get(cursor=cursor)
    mtus += [entry.pmtu.path_mtu for entry in details]
    if reply.retval != -165:
        break
    cursor = reply.cursor
assert mtus == [1401, 1402, 1403, 1404, 1405], mtus

assert "loop0" in api.cli_inband(cmd="show interface").reply

assert api.delete_loopback(sw_if_index=99).retval == -2
vpp.disconnect()
print("done")
