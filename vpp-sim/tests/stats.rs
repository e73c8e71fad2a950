//! The statistics of a stand-in follow its interfaces.

#![allow(clippy::unwrap_used)]

use serde_json::json;
use vpp_26_06::interface::{CreateLoopback, DeleteLoopback, SwInterfaceDump, SwInterfaceSetInterfaceName};
use vpp_conn::Connection;
use vpp_conn::stats::Stats;
use vpp_sim::{Answer, Sim};

/// Number, name and received packets of each interface.
fn seen(stats: &Stats) -> Vec<(u32, String, u64)> {
    let interfaces = stats.interfaces().unwrap();
    let row = |interface: vpp_conn::stats::Interface<'_>| {
        (interface.sw_if_index(), interface.name().to_owned(), interface.rx().sum().packets)
    };
    interfaces.iter().map(row).collect()
}

fn rows(rows: &[(u32, &str, u64)]) -> Vec<(u32, String, u64)> {
    rows.iter().map(|(index, name, packets)| (*index, (*name).to_owned(), *packets)).collect()
}

#[tokio::test]
async fn interfaces_are_there_when_the_reply_is() {
    let sim = Sim::release("26.06").start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    let stats = Stats::connect(sim.stats_socket()).unwrap();
    let mut loopbacks = Vec::new();
    for _ in 0..2 {
        loopbacks.push(vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index);
    }
    sim.count_rx("loop0", 3, 180);
    sim.count_rx("loop0", 1, 60);
    sim.count_tx("loop1", 9, 900);
    sim.count("/if/drops", "loop1", &[2]);
    assert_eq!(seen(&stats), rows(&[(0, "local0", 0), (1, "loop0", 4), (2, "loop1", 0)]));
    let interfaces = stats.interfaces().unwrap();
    let loop1 = interfaces.get(2).unwrap();
    assert_eq!((loop1.tx().sum().bytes, loop1.drops().sum()), (900, 2));

    // VPP keeps the name in its statistics that an interface was created with.
    let renamed = SwInterfaceSetInterfaceName { sw_if_index: loopbacks[0], name: "uplink".into() };
    vpp.call(&renamed).await.unwrap();
    let dumped = vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap();
    assert_eq!(dumped[1].interface_name.to_string(), "uplink");
    sim.count_rx("uplink", 1, 60);
    assert_eq!(seen(&stats)[1], (1, "loop0".to_owned(), 5));

    // A number that is used again begins at zero, with its links.
    vpp.call(&DeleteLoopback { sw_if_index: loopbacks[0] }).await.unwrap();
    assert_eq!(seen(&stats), rows(&[(0, "local0", 0), (2, "loop1", 0)]));
    assert!(stats.select("/interfaces/loop0/").unwrap().is_empty());
    vpp.call(&CreateLoopback::default()).await.unwrap();
    assert_eq!(seen(&stats), rows(&[(0, "local0", 0), (1, "loop0", 0), (2, "loop1", 0)]));
    assert_eq!(stats.select("/interfaces/loop0/").unwrap().len(), 17);
}

#[tokio::test]
async fn a_new_life_has_new_statistics() {
    let sim = Sim::release("25.10").start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    vpp.call(&CreateLoopback::default()).await.unwrap();
    sim.count_error("ip4-input", "ip4 ttl <= 1", 4);
    sim.count_error("ip4-input", "ip4 ttl <= 1", 1);
    let stats = Stats::connect(sim.stats_socket()).unwrap();
    let errors = stats.errors().unwrap();
    let error = errors.iter().next().unwrap();
    assert_eq!((error.node, error.reason, error.count.sum()), ("ip4-input", "ip4 ttl <= 1", 5));
    let mut system = stats.system().unwrap();
    assert_eq!(system.worker_threads(), Some(0));
    assert!(system.boottime().unwrap() > 1_750_000_000);

    sim.crash();
    assert!(system.refresh().is_err());
    assert!(!sim.stats_socket().exists());
    sim.start_again().unwrap();
    system.refresh().unwrap();
    assert_eq!(seen(&stats), rows(&[(0, "local0", 0)]));
    let folder = sim.stats_socket().parent().unwrap().to_owned();
    drop(sim);
    assert!(!folder.exists());
}

#[tokio::test]
async fn many_interfaces_come_and_go() {
    let sim = Sim::release("26.06").start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    let stats = Stats::connect(sim.stats_socket()).unwrap();
    let mut interfaces = stats.interfaces().unwrap();
    for _ in 0..3 {
        let mut made = Vec::new();
        for _ in 0..80 {
            made.push(vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index);
            interfaces.refresh().unwrap();
        }
        assert_eq!(interfaces.iter().count(), 81);
        for sw_if_index in made {
            vpp.call(&DeleteLoopback { sw_if_index }).await.unwrap();
        }
    }
    interfaces.refresh().unwrap();
    assert_eq!(interfaces.iter().count(), 1);
}

/// What a plugin sends goes to who registered for it, and to nobody who unregistered.
#[tokio::test]
async fn events_of_a_tests_own_messages_go_to_those_who_asked() {
    use vpp_26_06::interface::{SwInterfaceEvent, WantInterfaceEvents};
    let sim = Sim::release("26.06")
        .on("want_interface_events", |request| {
            let refused = request["pid"] == 13;
            Answer::Reply(json!({"retval": if refused { -4 } else { 0 }}))
        })
        .start()
        .await
        .unwrap();
    let [one, two] = [Connection::connect(sim.socket()).await, Connection::connect(sim.socket()).await];
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut of_one = one.listen::<SwInterfaceEvent>().unwrap();
    let mut of_two = two.listen::<SwInterfaceEvent>().unwrap();
    let want = |enable_disable, pid| WantInterfaceEvents { enable_disable, pid };
    let send = |sw_if_index: u32| sim.send_event("sw_interface_event", &json!({"sw_if_index": sw_if_index}));
    one.call(&want(1, 1)).await.unwrap();
    two.call(&want(1, 13)).await.unwrap_err();
    send(1);
    two.call(&want(1, 2)).await.unwrap();
    one.call(&want(0, 1)).await.unwrap();
    send(2);
    two.call(&want(0, 2)).await.unwrap();
    one.call(&want(1, 1)).await.unwrap();
    send(3);
    let first = of_two.next().await.unwrap();
    assert_eq!((first.sw_if_index, first.pid), (2, 2));
    assert_eq!(of_one.next().await.unwrap().sw_if_index, 1);
    assert_eq!(of_one.next().await.unwrap().sw_if_index, 3);
}
