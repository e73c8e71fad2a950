//! A stand-in with another plugin, and with behaviour that a test gives.

#![allow(clippy::unwrap_used)] // what is outside of the test functions is test code, too

use serde_json::json;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{Connection, RawMessage};
use vpp_schema::{Api, Group, MessageId, Source, SourceOptions};
use vpp_sim::{Answer, Fault, Sim, StartError};

const PAINTER: &str = "import \"vnet/interface_types.api\";
autoreply define paint { u32 client_index; u32 context; vl_api_interface_index_t sw_if_index; };";

/// The plugin's definitions, and two of its messages as the connection takes them.
fn painter() -> Api {
    let release = vpp_api_json::api("26.06").unwrap();
    let options = SourceOptions { known: release.import_texts(), ..SourceOptions::default() };
    let source = Source {
        name: "painter".to_owned(),
        group: Group::Plugins,
        origin: "painter.api".to_owned(),
        text: PAINTER.to_owned(),
    };
    Api::from_api_texts(&[source], &options).unwrap()
}

fn raw(api: &Api, message: MessageId) -> RawMessage<'_> {
    let message = api.message(message);
    RawMessage { name: &message.name, crc: message.crc, header: message.header }
}

/// The `retval` that `paint` gets for an interface.
async fn paint(sim: &Sim, sw_if_index: u32) -> i32 {
    let api = painter();
    let [(request, _), (reply, _)] = ["paint", "paint_reply"].map(|name| api.find_message(name).unwrap());
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    let payload = sw_if_index.to_be_bytes();
    let answer = vpp.raw().call(raw(&api, request), &payload, raw(&api, reply)).await.unwrap();
    i32::from_be_bytes(answer[..4].try_into().unwrap())
}

#[tokio::test]
async fn a_plugin_is_there_beside_what_the_release_has() {
    let sim = Sim::release("26.06").plugin(painter()).start().await.unwrap();
    // Known, and without behaviour: refused as any other.
    assert_eq!(paint(&sim, 1).await, -9);
    assert_eq!(sim.calls("paint"), 1);
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    assert_eq!(vpp.call(&ShowVersion).await.unwrap().version, "26.06-release");
}

#[tokio::test]
async fn a_test_says_what_answers() {
    let sim = Sim::release("26.06")
        .plugin(painter())
        .on("paint", |request| {
            Answer::Reply(json!({"retval": if request["sw_if_index"] == 7 { 0 } else { -2 }}))
        })
        .on("show_version", |_| Answer::Reply(json!({"program": "vpe", "version": "another"})))
        .start()
        .await
        .unwrap();
    assert_eq!((paint(&sim, 7).await, paint(&sim, 8).await), (0, -2));
    // What is ordered to go wrong goes wrong all the same.
    sim.fault(Fault::refuse("paint", -5).once());
    assert_eq!((paint(&sim, 7).await, paint(&sim, 7).await), (-5, 0));
    // Messages with behaviour of their own, too, and also in the next life.
    sim.restart().unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    assert_eq!(vpp.call(&ShowVersion).await.unwrap().version, "another");
}

#[tokio::test]
async fn what_does_not_fit_does_not_start() {
    let error = Sim::release("26.06").on("paint", |_| Answer::Details(Vec::new())).start().await.unwrap_err();
    assert!(matches!(&error, StartError::UnknownMessage { message } if message == "paint"), "{error}");

    let json = r#"{"messages": [["show_version", ["u16", "_vl_msg_id"], {"crc": "0x1"}]]}"#;
    let source = Source {
        name: "twice".to_owned(),
        group: Group::Plugins,
        origin: "twice.api.json".to_owned(),
        text: json.to_owned(),
    };
    let twice = Api::from_sources(&[source]).unwrap();
    let error = Sim::release("26.06").plugin(twice).start().await.unwrap_err().to_string();
    assert!(error.contains("show_version"), "{error}");
}
