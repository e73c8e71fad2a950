//! A VPP of 20.01, whose messages may have the CRC of a later release and other bytes: it is known by its message table,
//! and never sent a byte of these.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use vpp_20_09::interface::SwInterfaceAddDelAddress;
use vpp_20_09::ip::{IpAddressDetails, IpAddressDump};
use vpp_conn::{CallError, ConnectCause, Connection, Incompatible, MessageTable, RawMessage, frame};
use vpp_schema::{Api, FieldType, LayoutHash, MessageId, SourceOptions, TypeKind};
use vpp_wire::Message;

/// One of the messages by which such a VPP is known.
const MARK: (&str, u32) = ("get_node_index", 0x6c9a_495d);

fn pins() -> impl Iterator<Item = (&'static str, &'static Api)> {
    let releases = vpp_api_json::releases().iter();
    releases.map(|release| (*release, vpp_api_json::api(release).expect("pinned")))
}

fn ids(api: &Api) -> impl Iterator<Item = MessageId> {
    (0..api.messages.len() as u32).map(MessageId)
}

fn table<'a>(messages: impl IntoIterator<Item = (&'a str, u32)>) -> MessageTable {
    let rows = messages.into_iter().zip(100..).map(|((name, crc), id)| (id, format!("{name}_{crc:08x}")));
    let rows: Vec<_> = rows.collect();
    MessageTable::new(rows.iter().map(|(id, row)| (*id, row.as_str())))
}

fn pairs(api: &Api) -> impl Iterator<Item = (&str, u32)> {
    api.messages.iter().map(|message| (message.name.as_str(), message.crc))
}

fn is_refused(table: &MessageTable, (name, crc): (&str, u32)) -> bool {
    match table.id_of_named(name, crc) {
        Ok(_) => false,
        Err(Incompatible::OtherBytes { .. }) => true,
        Err(other) => panic!("{other}"),
    }
}

/// Whether an enum whose integer 20.05 changed is somewhere in a field.
fn holds_a_changed_enum(api: &Api, field: FieldType) -> bool {
    let Some(id) = field.named() else { return false };
    match &api.ty(id).kind {
        TypeKind::Enum(_) => ["address_family", "ip_proto"].contains(&api.ty(id).name.as_str()),
        TypeKind::Struct(fields) | TypeKind::Union(fields) => {
            fields.iter().any(|field| holds_a_changed_enum(api, field.ty))
        }
        TypeKind::Alias(target) => holds_a_changed_enum(api, *target),
    }
}

#[test]
fn of_no_pinned_release_anything_is_refused() {
    let mut listed = BTreeSet::new();
    for (release, api) in pins() {
        let own = table(pairs(api));
        let marked = table(pairs(api).filter(|(name, _)| *name != MARK.0).chain([MARK]));
        for message in &api.messages {
            let pair = (message.name.as_str(), message.crc);
            assert!(!is_refused(&own, pair), "{pair:x?} of {release}");
            if message.name != MARK.0 && is_refused(&marked, pair) {
                let mut fields = message.fields.iter();
                assert!(fields.any(|field| holds_a_changed_enum(api, field.ty)), "{pair:x?} of {release}");
                listed.insert(pair);
            }
        }
    }
    // The two others of 20.01 are those of the plugin gtpu, which only 20.05 has so.
    assert_eq!(listed.len(), 76, "{listed:x?}");
}

/// `VPP_OLD_API` names VPPs before 20.05, with `:` between: trees of sources of 20.01, or folders with the `*.api.json` that
/// VPP's `vppapigen` makes (20.01 was checked both ways, 19.04 to 19.08.3 so).
#[test]
#[allow(clippy::print_stderr)] // a test says what it leaves out
fn the_definitions_of_old_vpps_are_refused_exactly_where_their_bytes_are_others() {
    let Ok(folders) = std::env::var("VPP_OLD_API") else {
        eprintln!(
            "skipped: the list of messages of VPP 20.01, since VPP_OLD_API names neither its sources nor its *.api.json"
        );
        return;
    };
    let mut pinned: HashMap<(&str, u32), LayoutHash> = HashMap::new();
    for (_, api) in pins() {
        pinned.extend(pairs(api).zip(ids(api)).map(|(pair, id)| (pair, api.layout_hash(id))));
    }
    for folder in folders.split(':') {
        let path = Path::new(folder);
        let sources = || Api::read_api_sources(&[path.to_owned()], &SourceOptions::default());
        let read = if path.join("src").is_dir() { sources() } else { Api::read_dir(path) };
        let api = read.unwrap_or_else(|error| panic!("{error}"));
        let old = table(pairs(&api));
        let (mut same, mut refused) = (0, 0);
        for (pair, id) in pairs(&api).zip(ids(&api)) {
            match pinned.get(&pair) {
                Some(layout) => {
                    let differs = *layout != api.layout_hash(id);
                    assert_eq!(is_refused(&old, pair), differs, "{pair:x?} of {folder}");
                    if differs { refused += 1 } else { same += 1 }
                }
                None => refused += usize::from(is_refused(&old, pair)),
            }
        }
        println!("{folder}: {} messages, {same} are as pinned, {refused} are refused", api.messages.len());
    }
}

fn read_frame(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut header = [0; 16];
    stream.read_exact(&mut header).ok()?;
    let len = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    let mut message = vec![0; len as usize];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// Takes clients as a VPP with these messages does, and says the ids of what the last one sent.
fn serve(listener: &UnixListener, messages: &[(&str, u32)], clients: usize) -> Vec<u16> {
    let mut received = Vec::new();
    for _ in 0..clients {
        received.clear();
        let (mut stream, _) = listener.accept().expect("a client");
        read_frame(&mut stream).expect("sockclnt_create");
        let mut reply = [&[0, 16][..], &[0; 12], &[0x80, 0, 0, 1]].concat();
        reply.extend((messages.len() as u16).to_be_bytes());
        for ((name, crc), id) in messages.iter().zip(100_u16..) {
            let mut row = format!("{name}_{crc:08x}").into_bytes();
            row.resize(64, 0);
            reply.extend(id.to_be_bytes());
            reply.extend(row);
        }
        let header = frame::header(reply.len()).expect("short");
        stream.write_all(&[&header[..], &reply].concat()).expect("the client reads");
        while let Some(message) = read_frame(&mut stream) {
            received.push(u16::from_be_bytes([message[0], message[1]]));
        }
    }
    received
}

#[tokio::test(flavor = "current_thread")]
async fn no_byte_of_them_is_sent() {
    let infos = [
        SwInterfaceAddDelAddress::INFO,
        <SwInterfaceAddDelAddress as vpp_wire::Request>::Reply::INFO,
        IpAddressDump::INFO,
        IpAddressDetails::INFO,
    ];
    let mut messages: Vec<_> = infos.iter().map(|info| (info.name, info.crc)).collect();
    messages.push(MARK);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("api.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let served = std::thread::spawn(move || serve(&listener, &messages, 2));

    let builder = Connection::builder().require(&infos);
    let error = builder.connect(&socket).await.unwrap_err();
    let ConnectCause::Incompatible { lacking } = &error.cause else { panic!("{error}") };
    let names: Vec<_> = lacking
        .iter()
        .map(|lacking| match lacking {
            Incompatible::OtherBytes { name, .. } => name.as_str(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(names, ["sw_interface_add_del_address", "ip_address_details"]);

    let vpp = Connection::connect(&socket).await.unwrap();
    assert!(!vpp.supports::<SwInterfaceAddDelAddress>());
    assert!(vpp.supports::<IpAddressDump>(), "nothing in it changed");
    let refused = |result: Result<(), CallError>| {
        let CallError::Incompatible(Incompatible::OtherBytes { .. }) = result.unwrap_err() else { panic!() };
    };
    refused(vpp.call(&SwInterfaceAddDelAddress::default()).await.map(drop));
    // The request is good, its details are not.
    refused(vpp.dump(&IpAddressDump::default()).collect().await.map(drop));
    let raw =
        |info: &vpp_wire::MessageInfo| RawMessage { name: info.name, crc: info.crc, header: info.header };
    refused(vpp.raw().call(raw(&infos[0]), &[0; 30], raw(&infos[1])).await.map(drop));
    let mark = RawMessage { name: MARK.0, crc: MARK.1, header: vpp_wire::Header::ClientContext };
    refused(vpp.raw().call(mark, &[0; 64], raw(&infos[3])).await.map(drop));
    // This VPP confirms nothing; the socket is closed all the same.
    let _unconfirmed = vpp.close().await;
    let received = served.join().unwrap();
    assert!(received.iter().all(|id| *id == 17), "only the farewell was sent: {received:?}");
}
