"""Ten tasks of a program that controls VPP, with vpp_papi. Arguments: the API socket, and perhaps another VPP's.

The book puts them beside those of examples/ten_tasks.rs (docs/book/src/from-vpp-papi.md).
"""

# ANCHOR: use
import ipaddress
import queue
import sys

from vpp_papi import VPPApiClient

# ANCHOR_END: use


# ANCHOR: connect
def connect(socket):
    # The definitions are those that VPP tells itself (since 24.06); for an older one apidir names a folder.
    vpp = VPPApiClient(server_address=socket, use_socket=True, bootstrapapi=True)
    vpp.connect("ten-tasks")
    return vpp


# ANCHOR_END: connect


# ANCHOR: version
def version(vpp):
    return vpp.api.show_version().version


# ANCHOR_END: version


# ANCHOR: loopback
def create_loopback(vpp):
    reply = vpp.api.create_loopback()
    if reply.retval != 0:
        raise RuntimeError(f"create_loopback: {reply.retval}")
    loopback = reply.sw_if_index
    reply = vpp.api.sw_interface_set_flags(sw_if_index=loopback, flags=1)
    if reply.retval != 0:
        raise RuntimeError(f"sw_interface_set_flags: {reply.retval}")
    return loopback


# ANCHOR_END: loopback


# ANCHOR: interfaces
def interfaces(vpp):
    return [interface.interface_name for interface in vpp.api.sw_interface_dump()]


# ANCHOR_END: interfaces


# ANCHOR: route
def route(prefix, loopback):
    path = {
        "sw_if_index": loopback,
        "weight": 1,
        "proto": 0,
        "nh": {"address": {"ip4": "10.0.0.2"}},
        "n_labels": 0,
        "label_stack": [{"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}] * 16,
    }
    return {"table_id": 0, "prefix": prefix, "src": 0, "n_paths": 1, "paths": [path]}


def add_route(vpp, loopback):
    reply = vpp.api.ip_route_add_del_v2(is_add=True, is_multipath=False, route=route("10.1.0.0/16", loopback))
    if reply.retval != 0:
        raise RuntimeError(f"ip_route_add_del_v2: {reply.retval}")


# ANCHOR_END: route


# ANCHOR: routes
def add_routes(vpp, loopback, count):
    first = ipaddress.ip_address("11.0.0.0")
    # One round trip each: vpp_papi waits for a reply before it sends the next request.
    for offset in range(count):
        prefix = f"{first + offset}/32"
        reply = vpp.api.ip_route_add_del_v2(is_add=True, is_multipath=False, route=route(prefix, loopback))
        if reply.retval != 0:
            raise RuntimeError(f"ip_route_add_del_v2 {prefix}: {reply.retval}")
    return count


# ANCHOR_END: routes


# ANCHOR: events
def next_event(vpp, loopback):
    events = queue.Queue()
    vpp.register_event_callback(lambda name, event: events.put((name, event)))
    vpp.api.want_interface_events(enable_disable=1, pid=1)
    vpp.api.sw_interface_set_flags(sw_if_index=loopback, flags=0)
    name, event = events.get(timeout=10)
    vpp.api.want_interface_events(enable_disable=0, pid=1)
    vpp.register_event_callback(None)
    return name, event


# ANCHOR_END: events


# ANCHOR: refused
def refused(vpp):
    # A number in the reply: nothing happens to who does not look.
    reply = vpp.api.delete_loopback(sw_if_index=99999)
    if reply.retval == -2:
        return "no such interface"
    if reply.retval != 0:
        raise RuntimeError(f"delete_loopback: {reply.retval}")
    return "it was there"


# ANCHOR_END: refused


# ANCHOR: check
def check(vpp):
    # By name; whether a message has the fields that the program will give is seen when it is sent.
    required = ["create_loopback", "sw_interface_dump", "ip_route_add_del_v2"]
    return [name for name in required if not hasattr(vpp.api, name)]


# ANCHOR_END: check


# ANCHOR: releases
def names_on_any_release(vpp):
    # There are no types: what a reply holds is what this VPP's definitions say.
    return [getattr(interface, "interface_name", "") for interface in vpp.api.sw_interface_dump()]


# ANCHOR_END: releases


def main():
    vpp = connect(sys.argv[1])
    print("version:", version(vpp))
    loopback = create_loopback(vpp)
    print("interfaces:", ", ".join(interfaces(vpp)))
    add_route(vpp, loopback)
    print("routes:", add_routes(vpp, loopback, 10_000))
    name, event = next_event(vpp, loopback)
    assert (name, event.sw_if_index) == ("sw_interface_event", loopback), event
    print("event:", name)
    print("refused:", refused(vpp))
    assert check(vpp) == []
    print("good for this program")
    print("on this VPP:", ", ".join(names_on_any_release(vpp)))
    assert vpp.api.delete_loopback(sw_if_index=loopback).retval == 0
    vpp.disconnect()
    for socket in sys.argv[2:]:
        other = connect(socket)
        print("on the other:", ", ".join(names_on_any_release(other)))
        other.disconnect()


main()
