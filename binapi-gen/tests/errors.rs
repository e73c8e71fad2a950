//! What has no Rust form is refused with module, item and reason.

mod definitions;

use std::fs;

use binapi_gen::{Builder, CrateOptions};
use definitions::{Module, api};

fn refused(json: &str) -> String {
    let error =
        Builder::new().api(api(&[Module { name: "m", json }])).modules().expect_err("it has no Rust form");
    error.to_string()
}

#[test]
fn names_that_meet() {
    assert_eq!(
        refused(r#"{"types": [["foo_2", ["u8", "a"]], ["foo2", ["u8", "a"]]]}"#),
        "cannot generate m.foo2: its Rust name Foo2 is that of foo_2 too; give one of them another name"
    );
    assert_eq!(
        refused(r#"{"types": [["a", ["u8", "x_Y"], ["u8", "x_y"]]]}"#),
        "cannot generate m.a: x_Y and x_y are both called x_y in Rust; give one of them another name"
    );
    assert_eq!(
        refused(r#"{"enums": [["e", ["E_A", 0], ["E_a", 1], {"enumtype": "u8"}]]}"#),
        "cannot generate m.e: E_A and E_a are both called A in Rust; give one of them another name"
    );
    let view = r#"{"types": [["x_view", ["u8", "a"]]], "messages": [["x", ["u16", "_vl_msg_id"], ["u32", "context"], {"crc": "0x1"}], ["y", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], {"crc": "0x2"}]], "services": {"y": {"reply": "x"}}}"#;
    assert_eq!(
        refused(view),
        "cannot generate m.x: its Rust name XView is that of x_view too; give one of them another name"
    );
}

#[test]
fn constructs_without_a_rust_form() {
    assert_eq!(
        refused(r#"{"types": [["a", ["u8", "n"], ["u8", "x", 0, "n"], ["u8", "y", 0, "n"]]]}"#),
        "cannot generate m.a: lists x and y share the count n"
    );
    let union = r#"{"enums": [["k", ["K_A", 0], {"enumtype": "u8"}], ["l", ["K_A", 0], {"enumtype": "u16"}]], "unions": [["u", ["u8", "x", {"case": "K_A"}]]],
        "types": [["one", ["vl_api_k_t", "k"], ["vl_api_u_t", "u", {"discriminator": "k"}]], ["two", ["vl_api_l_t", "l"], ["vl_api_u_t", "u", {"discriminator": "l"}]]]}"#;
    assert_eq!(refused(union), "cannot generate m.u: it is selected by k in one place and by l in another");
    assert_eq!(
        refused(
            r#"{"messages": [["a", ["u16", "_vl_msg_id"], ["string", "x", 4, {"default": "long"}], {"crc": "0x1"}]]}"#
        ),
        "cannot generate m.a: x cannot have the default \"long\""
    );
}

#[test]
fn input_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let missing = dir.path().join("none");
    let error = Builder::new().input(&missing).out_dir(&out).unwrap_err().to_string();
    assert!(error.contains("none"), "{error}");
    let error = Builder::new().out_dir(&out).unwrap_err().to_string();
    assert_eq!(error, "nothing to generate from: give a folder of *.api.json files or an API");
    fs::write(dir.path().join("x.api.json"), "{").unwrap();
    let error = Builder::new().input(dir.path()).out_dir(&out).unwrap_err().to_string();
    assert!(error.contains("x.api.json"), "{error}");
    assert!(!out.exists(), "nothing is half-written");
}

#[test]
fn a_crate_has_all_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let json = r#"{"types": [["a", ["u8", "x"]]]}"#;
    let options = CrateOptions {
        name: "my-vpp".to_owned(),
        version: "1.2.3".to_owned(),
        runtime_dependency: "{ path = \"../wire\" }".to_owned(),
        reused_dependencies: Vec::new(),
    };
    let builder = Builder::new().api(api(&[Module { name: "m", json }])).command("vppkit gen");
    let written = builder.crate_dir(dir.path(), &options).unwrap();
    assert_eq!(written.changed.len(), 4);
    insta::assert_snapshot!(
        ["Cargo.toml", "src/lib.rs", "src/manifest.rs"]
            .map(|path| format!("=== {path}\n{}", fs::read_to_string(dir.path().join(path)).unwrap()))
            .concat()
    );
}
