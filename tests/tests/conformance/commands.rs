//! VPP about itself, and its command line.

use vpp_26_06::interface::CreateLoopback;
use vpp_26_06::memclnt::{ControlPing, GetApiJson};
use vpp_26_06::vlib::{CliInband, CliInbandReply};
use vpp_26_06::vpe::{ShowVersion, ShowVpeSystemTime};
use vpp_conn::Connection;
use vpp_schema::Api;

pub(super) async fn version_and_ping(vpp: &Connection) {
    let version = vpp.call(&ShowVersion).await.unwrap();
    assert_eq!(version.program, "vpe");
    assert!(version.version.starts_with("26.06"), "{}", version.version);
    assert!(!version.build_date.is_empty() && !version.build_directory.is_empty());

    let first = vpp.call(&ControlPing).await.unwrap();
    let second = vpp.call(&ControlPing).await.unwrap();
    assert!(first.vpe_pid > 1);
    assert_eq!(first.vpe_pid, second.vpe_pid);

    let time = vpp.call(&ShowVpeSystemTime).await.unwrap().vpe_system_time;
    let ours = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!((ours.as_secs_f64() - time.0).abs() < 60.0, "{time:?}");
}

async fn run(vpp: &Connection, command: &str) -> CliInbandReply {
    vpp.call(&CliInband { cmd: command.to_owned() }).unchecked().await.unwrap()
}

pub(super) async fn the_command_line_prints_what_it_prints(vpp: &Connection) {
    assert!(run(vpp, "show version").await.reply.starts_with("vpp v26.06"));
    assert_eq!(run(vpp, "sh ver").await, run(vpp, "show version").await);

    vpp.call(&CreateLoopback::default()).await.unwrap();
    let head = "              Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter          Count     \n";
    let local = "local0                            0     down          0/0/0/0       \n";
    let loopback = "loop0                             1     down         9000/0/0/0     \n";
    assert_eq!(run(vpp, "show interface").await.reply, [head, local, loopback].concat());
    assert_eq!(run(vpp, "show interface loop0").await.reply, [head, loopback].concat());
    assert_eq!(run(vpp, "show interface addr").await.reply, "local0 (dn):\nloop0 (dn):\n");

    let fib = run(vpp, "show ip fib").await.reply;
    assert!(fib.starts_with("ipv4-VRF:0, fib_index:0, flow hash:["), "{fib}");
    let drop = "240.0.0.0/4\n  unicast-ip4-chain\n  [@0]: dpo-load-balance: [proto:ip4 index:3 ";
    assert!(fib.contains(drop), "{fib}");
}

pub(super) async fn the_command_line_complains(vpp: &Connection) {
    for (command, complaint) in [
        ("blah", "unknown input `blah'\n"),
        ("blah and more", "unknown input `blah and more'\n"),
        ("show blah", "show: unknown input `blah'\n"),
        ("", "unknown input `'\n"),
        ("show", "show: unknown input `'\n"),
        ("show interface nonexist", "show interface: unknown input `nonexist'\n"),
    ] {
        let reply = run(vpp, command).await;
        assert_eq!((reply.retval, reply.reply.as_str()), (-1, complaint));
    }
}

pub(super) async fn definitions_of_the_running_vpp(vpp: &Connection) {
    let json = vpp.call(&GetApiJson).await.unwrap().json;
    let files: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let names: Vec<&str> = files.iter().filter_map(|file| file["module"].as_str()).collect();
    assert!(names.contains(&"interface") && names.contains(&"ip"));
    assert!(!names.contains(&"memclnt") && !names.contains(&"ip_types"), "these are not told");

    let pinned = vpp_api_json::api("26.06").unwrap();
    let running = Api::from_running(&json, Some(pinned)).unwrap();
    for name in ["sw_interface_details", "ip_route_add_del_v2", "bridge_domain_details", "cli_inband"] {
        let (id, message) = running.find_message(name).unwrap();
        let (pinned_id, pinned_message) = pinned.find_message(name).unwrap();
        assert_eq!(message.crc, pinned_message.crc, "{name}");
        assert_eq!(running.layout_hash(id), pinned.layout_hash(pinned_id), "{name}");
        assert_eq!(vpp.table().get(name).map(|entry| entry.crc), Some(message.crc), "{name}");
    }
}
