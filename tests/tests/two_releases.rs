//! The crates of two releases in one program, and one source for both.

#![allow(clippy::duplicate_mod)] // that is what is tested

use std::any::TypeId;

use vpp_conn::Connection;
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

#[path = "two_releases"]
mod on_25_10 {
    pub(crate) use vpp_25_10 as vpp;
    #[path = "plugin.rs"]
    pub(crate) mod plugin;
}

#[path = "two_releases"]
mod on_26_06 {
    pub(crate) use vpp_26_06 as vpp;
    #[path = "plugin.rs"]
    pub(crate) mod plugin;
}

#[tokio::test(flavor = "current_thread")]
async fn one_source_compiled_against_either_runs_on_both() {
    for release in ["25.10", "26.06"] {
        let sim = Sim::release(release).start().await.unwrap();
        let vpp = Connection::connect(sim.socket()).await.unwrap();
        let (version, up) = on_26_06::plugin::run(&vpp).await.unwrap();
        assert_eq!((version, up), (format!("{release}-release"), vec!["loop0".to_owned()]));
        let (_, up) = on_25_10::plugin::run(&vpp).await.unwrap();
        assert_eq!(up, ["loop0", "loop1"]);
        vpp.close().await.unwrap();
    }
}

/// `VPP_BIN` may be of any release between them, and is best of 25.10: the crate of 26.06 is the other release then.
#[tokio::test(flavor = "current_thread")]
#[allow(clippy::print_stderr)] // a test says what it leaves out
async fn one_source_compiled_against_either_runs_on_a_real_vpp() {
    if PrivateVpp::find().is_none() {
        eprintln!(
            "skipped: one_source_compiled_against_either_runs_on_a_real_vpp, since there is no VPP (VPP_BIN)"
        );
        return;
    }
    let real = PrivateVpp::builder().start().unwrap();
    let vpp = Connection::connect(real.socket()).await.unwrap();
    let (version, up) = on_26_06::plugin::run(&vpp).await.unwrap();
    println!("ran on VPP {version}");
    assert_eq!(up, ["loop0"]);
    let (_, up) = on_25_10::plugin::run(&vpp).await.unwrap();
    assert_eq!(up, ["loop0", "loop1"]);
    vpp.close().await.unwrap();
}

/// A message that both crates have under one CRC has one layout, and a VPP of 25.10 takes it from a program of 26.06.
#[test]
fn every_message_of_the_same_crc_is_the_same() {
    let (old, new) = (vpp_api_json::api("25.10").unwrap(), vpp_api_json::api("26.06").unwrap());
    let rows: Vec<_> =
        (100..).zip(vpp_25_10::MANIFEST.iter().map(|(name, crc)| format!("{name}_{crc:08x}"))).collect();
    let table = vpp_conn::MessageTable::new(rows.iter().map(|(id, row)| (*id, row.as_str())));
    let mut same = 0;
    for (name, crc) in vpp_26_06::MANIFEST {
        let ((id, _), known) = (new.find_message(name).unwrap(), old.find_message(name));
        match known.filter(|(_, message)| message.crc == *crc) {
            Some((old_id, _)) => {
                same += 1;
                assert!(table.id_of_named(name, *crc).is_ok(), "{name}");
                assert_eq!(new.layout_hash(id), old.layout_hash(old_id), "{name}");
            }
            None => assert!(table.id_of_named(name, *crc).is_err(), "{name}"),
        }
    }
    println!("{same} of {} messages of 26.06 are those of 25.10", vpp_26_06::MANIFEST.len());
    assert!(same > 1900, "{same}");
}

/// Compiles only if both are one type.
fn same<T: 'static>(one: fn() -> T, other: fn() -> T) -> TypeId {
    let _ = (one, other);
    TypeId::of::<T>()
}

#[test]
fn what_did_not_change_is_one_type() {
    same(vpp_25_10::interface::CreateLoopback::default, vpp_26_06::interface::CreateLoopback::default);
    same(vpp_25_10::interface::SwInterfaceDump::default, vpp_26_06::interface::SwInterfaceDump::default);
    same(vpp_25_10::ip::IpTableAddDel::default, vpp_26_06::ip::IpTableAddDel::default);
    same(vpp_20_09::ip::IpTableDetails::default, vpp_26_06::ip::IpTableDetails::default);
}

#[test]
fn what_changed_has_its_own_name_in_both() {
    use vpp_messages::interface::{SwInterfaceDetails, SwInterfaceDetailsUntil2009};

    let of = (
        TypeId::of::<vpp_20_09::interface::SwInterfaceDetails>(),
        TypeId::of::<vpp_26_06::interface::SwInterfaceDetails>(),
    );
    assert_eq!(of, (TypeId::of::<SwInterfaceDetailsUntil2009>(), TypeId::of::<SwInterfaceDetails>()));
    assert_ne!(of.0, of.1);
}

#[test]
fn an_enum_that_was_renumbered_has_the_values_of_its_release() {
    use vpp_20_09::punt::PuntType as Old;
    use vpp_26_06::punt::PuntType as New;

    assert_ne!(TypeId::of::<Old>(), TypeId::of::<New>());
    assert_eq!((Old::L4.0, Old::EXCEPTION.0), (1, 3));
    assert_eq!((New::L4.0, New::EXCEPTION.0), (0, 2));
}
