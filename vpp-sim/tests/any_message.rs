//! Every message of the API, good or bad: no false success, no panic, and the stand-in goes on.

#![allow(clippy::unwrap_used)] // what is outside of the test functions is test code, too

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::json;
use vpp_conn::frame::{self, FrameReader};
use vpp_schema::{Answer, Api, MessageHead, MessageId};
use vpp_sim::Sim;

/// The stand-in's number of `control_ping` and its reply, as in every VPP.
const PING: u16 = 23;
const PING_REPLY: u16 = 24;

/// A client written by hand, with the numbers of all messages.
struct Client {
    stream: UnixStream,
    frames: FrameReader,
    index: [u8; 4],
    ids: Vec<(u16, MessageId)>,
}

impl Client {
    fn connect(sim: &Sim, api: &Api) -> Self {
        let stream = UnixStream::connect(sim.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let frames = FrameReader::new(frame::DEFAULT_MAX_LEN);
        let mut client = Self { stream, frames, index: [0; 4], ids: Vec::new() };
        client.send(&[&15u16.to_be_bytes()[..], &[0; 68]].concat());
        let hello = client.receive();
        client.index.copy_from_slice(&hello[14..18]);
        for row in hello[20..].chunks(66) {
            let name = row[2..].split(|byte| *byte == 0).next().unwrap();
            let (name, _) = std::str::from_utf8(name).unwrap().rsplit_once('_').unwrap();
            let (message, _) = api.find_message(name).unwrap();
            client.ids.push((u16::from_be_bytes([row[0], row[1]]), message));
        }
        client.ids.sort_unstable();
        client
    }

    fn send(&mut self, message: &[u8]) {
        self.stream.write_all(&[&frame::header(message.len()).unwrap()[..], message].concat()).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        loop {
            if let Some(message) = self.frames.next_frame().unwrap() {
                return message.to_vec();
            }
            let mut piece = [0; 4096];
            let len = self.stream.read(&mut piece).unwrap();
            assert!(len > 0, "the stand-in closed the connection");
            self.frames.buffer().extend_from_slice(&piece[..len]);
        }
    }

    /// All that comes before the reply to a ping, which is sent now.
    fn receive_until_ping(&mut self) -> Vec<Vec<u8>> {
        self.send(&[&PING.to_be_bytes()[..], &self.index.clone(), b"ping"].concat());
        let mut messages = Vec::new();
        loop {
            let message = self.receive();
            if message[..2] == PING_REPLY.to_be_bytes() && &message[2..6] == b"ping" {
                return messages;
            }
            messages.push(message);
        }
    }

    fn name<'a>(&self, api: &'a Api, message: &[u8]) -> (MessageId, &'a str) {
        let id = u16::from_be_bytes([message[0], message[1]]);
        let (_, message) = self.ids[self.ids.binary_search_by_key(&id, |(id, _)| *id).unwrap()];
        (message, &api.message(message).name)
    }
}

/// What ends the client.
const ENDING: &str = "sockclnt_delete";

#[test]
fn a_message_without_behaviour_never_succeeds() {
    let api = vpp_api_json::api("26.06").unwrap();
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let mut client = Client::connect(&sim, api);
    let mut refused = 0;
    for (id, request) in client.ids.clone() {
        let definition = api.message(request);
        if definition.name == ENDING || HANDLED.contains(&definition.name.as_str()) {
            continue;
        }
        let head = MessageHead { id, client_index: client.index, context: 0x1234_5678 };
        client.send(&api.encode_message(request, &head, &json!({})).unwrap());
        for answer in client.receive_until_ping() {
            let (answer_id, name) = client.name(api, &answer);
            let (head, fields) = api.decode_message(answer_id, &answer).unwrap();
            assert_eq!(head.context, 0x1234_5678, "{name}");
            let is_end = match api.answer(request).expect("an answer to a request") {
                Answer::Reply(reply) | Answer::Stream { reply, .. } => reply == answer_id,
                Answer::Details(_) | Answer::Nothing => false,
            };
            assert!(is_end, "{name} answers {}", definition.name);
            assert_eq!(fields["retval"], -9, "{name}");
            refused += 1;
        }
    }
    assert!(refused > 700, "{refused} requests were refused");
    assert_eq!(sim.interfaces().len(), 1);
}

/// The messages with behaviour.
const HANDLED: &[&str] = &[
    "sockclnt_create",
    "sock_init_shm",
    "control_ping",
    "show_version",
    "show_vpe_system_time",
    "get_first_msg_id",
    "api_versions",
    "get_api_json",
    "get_f64_endian_value",
    "get_f64_increment_by_one",
    "cli_inband",
    "create_loopback",
    "create_loopback_instance",
    "delete_loopback",
    "sw_interface_dump",
    "sw_interface_set_flags",
    "sw_interface_set_interface_name",
    "sw_interface_tag_add_del",
    "sw_interface_set_mtu",
    "hw_interface_set_mtu",
    "sw_interface_get_mac_address",
    "sw_interface_set_mac_address",
    "want_interface_events",
    "sw_interface_add_del_address",
    "ip_address_dump",
    "ip_table_add_del",
    "ip_table_add_del_v2",
    "ip_table_allocate",
    "ip_table_dump",
    "ip_table_flush",
    "sw_interface_set_table",
    "sw_interface_get_table",
    "ip_route_add_del",
    "ip_route_add_del_v2",
    "ip_route_dump",
    "ip_route_v2_dump",
    "ip_route_lookup",
    "ip_route_lookup_v2",
    "bridge_domain_add_del",
    "bridge_domain_add_del_v2",
    "bridge_domain_dump",
    "sw_interface_set_l2_bridge",
    "ip_path_mtu_update",
    "ip_path_mtu_get",
    "af_packet_create",
    "af_packet_create_v2",
    "af_packet_create_v3",
    "af_packet_delete",
    "af_packet_dump",
    "fib_source_dump",
];

/// A small generator of numbers that look random; the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end
    }
}

#[test]
fn no_bytes_of_a_client_end_the_stand_in() {
    let api = vpp_api_json::api("26.06").unwrap();
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let mut client = Client::connect(&sim, api);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..3 {
        for (id, message) in client.ids.clone() {
            if api.message(message).name == ENDING {
                continue;
            }
            let head = MessageHead { id, client_index: client.index, context: round };
            let mut bytes = api.encode_message(message, &head, &json!({})).unwrap();
            // Behind the client's index: replies shall come here.
            for _ in 0..numbers.below(6) {
                let at = 6 + numbers.below(bytes.len().max(7) - 6);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = numbers.next().to_be_bytes()[0];
                }
            }
            if numbers.below(4) == 0 {
                bytes.truncate(numbers.below(bytes.len()));
            }
            client.send(&bytes);
            if id % 16 == 0 {
                client.receive_until_ping();
            }
        }
    }
    client.receive_until_ping();
}

#[test]
fn a_frame_that_claims_too_much_ends_its_connection_only() {
    let api = vpp_api_json::api("26.06").unwrap();
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let mut client = Client::connect(&sim, api);
    for claim in [0xffff_ffffu32, 0xffff_fff0, 1 << 30] {
        let mut stream = UnixStream::connect(sim.socket()).unwrap();
        stream.write_all(&[&[0; 8][..], &claim.to_be_bytes(), &[0; 4], &[1; 100]].concat()).unwrap();
        // What was not read when the end came is a reset.
        assert!(matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_)), "{claim:#x}");
        client.receive_until_ping();
    }
}
