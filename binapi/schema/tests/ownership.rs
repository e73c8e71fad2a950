//! Which module a type belongs to.

mod definitions;

use definitions::{owners, read};
use serde_json::{Value, json};
use vpp_schema::{Api, ReadError, TypeKind};

/// A file that imports others and holds one-field types, given as name and field type.
fn file(imports: &[&str], types: &[(&str, &str)]) -> Value {
    let types: Vec<Value> = types.iter().map(|(name, field)| json!([name, [field, "x"]])).collect();
    json!({"types": types, "imports": imports})
}

fn without_imports(types: &[(&str, &str)]) -> Value {
    let mut file = file(&[], types);
    file.as_object_mut().expect("an object").remove("imports");
    file
}

fn read_all(files: &[(&str, Value)]) -> Api {
    let api = read(files).unwrap_or_else(|error| panic!("{error}"));
    let turned: Vec<(&str, Value)> = files.iter().rev().cloned().collect();
    assert!(read(&turned).expect("files in any order") == api, "the order of files decides nothing");
    let again = Api::from_sources(&api.to_pins()).unwrap_or_else(|error| panic!("{error}"));
    assert!(again == api, "pins mean the same");
    api
}

#[test]
fn the_imported_module_owns_what_importers_repeat() {
    let address = ("address", "u32");
    let api = read_all(&[
        ("a_user", file(&["vnet/ip/z_types.api"], &[address, ("own", "vl_api_address_t")])),
        ("z_types", file(&[], &[address])),
        ("b_user", file(&["z_types.api", "z_types.api"], &[address])),
    ]);
    assert_eq!(owners(&api, "address"), ["z_types"]);
    assert_eq!(owners(&api, "own"), ["a_user"]);
    assert_eq!(api.find_module("b_user").unwrap().1.imports, ["z_types"]);
}

#[test]
fn imports_reach_through_other_modules() {
    let api = read_all(&[
        ("a", file(&["m.api"], &[("address", "u32"), ("pair", "vl_api_address_t")])),
        ("m", file(&["z.api"], &[("address", "u32"), ("pair", "vl_api_address_t")])),
        ("z", file(&[], &[("address", "u32")])),
    ]);
    assert_eq!((owners(&api, "address"), owners(&api, "pair")), (vec!["z"], vec!["m"]));
    assert_eq!(api.find_module("a").unwrap().1.imports, ["m", "z"]);
}

#[test]
fn two_unrelated_modules_may_define_a_name_differently() {
    let api = read_all(&[
        (
            "one",
            json!({"types": [["state", ["u8", "x"]]], "imports": [],
            "messages": [["m1", ["vl_api_state_t", "s"], {"crc": "0x1"}]]}),
        ),
        (
            "two",
            json!({"types": [["state", ["u64", "x"]]], "imports": [],
            "messages": [["m2", ["vl_api_state_t", "s"], {"crc": "0x1"}]]}),
        ),
    ]);
    assert_eq!(owners(&api, "state"), ["one", "two"]);
    let size = |name: &str| api.layout_of(api.find_message(name).unwrap().1.fields[0].ty).min_len();
    assert_eq!((size("m1"), size("m2")), (1, 8));
}

#[test]
fn two_unrelated_modules_may_define_a_name_equally() {
    let api = read_all(&[("one", file(&[], &[("state", "u8")])), ("two", file(&[], &[("state", "u8")]))]);
    assert_eq!(owners(&api, "state"), ["one", "two"]);
}

#[test]
fn equal_text_over_different_types_is_different() {
    let api = read_all(&[
        ("one", file(&[], &[("inner", "u8"), ("outer", "vl_api_inner_t")])),
        ("two", file(&[], &[("inner", "u16"), ("outer", "vl_api_inner_t")])),
    ]);
    assert_eq!(owners(&api, "outer"), ["one", "two"]);
}

#[test]
fn without_imports_the_smallest_module_owns() {
    let address = ("address", "u32");
    let api = read_all(&[
        ("a_user", without_imports(&[address, ("own", "vl_api_address_t")])),
        ("b_user", without_imports(&[address, ("other", "u8")])),
        ("ip_types", without_imports(&[address])),
    ]);
    assert_eq!(owners(&api, "address"), ["ip_types"]);
    assert_eq!(api.find_module("a_user").unwrap().1.imports, ["ip_types"]);
    assert_eq!(api.find_module("ip_types").unwrap().1.imports, Vec::<String>::new());
}

#[test]
fn among_equally_small_modules_one_without_messages_owns() {
    let mut user = without_imports(&[("address", "u32")]);
    user["messages"] = json!([["m", ["vl_api_address_t", "a"], {"crc": "0x1"}]]);
    let api = read_all(&[("a_user", user), ("z_types", without_imports(&[("address", "u32")]))]);
    assert_eq!(owners(&api, "address"), ["z_types"]);
}

#[test]
fn importers_of_a_module_that_is_not_there_share() {
    let address = ("address", "u32");
    let api = read_all(&[
        ("a_user", file(&["ip_types.api"], &[address, ("own", "u8")])),
        ("b_user", file(&["ip_types.api"], &[address])),
    ]);
    assert_eq!(owners(&api, "address"), ["b_user"]);
    assert_eq!(api.find_module("a_user").unwrap().1.imports, ["b_user"]);
}

#[test]
fn without_imports_nobody_borrows_from_a_module_that_means_something_else() {
    let api = read_all(&[
        ("one", without_imports(&[("address", "u32"), ("state", "u8")])),
        ("two", without_imports(&[("address", "u32"), ("state", "u16")])),
    ]);
    assert_eq!(owners(&api, "address"), ["one", "two"]);
}

#[test]
fn modules_that_import_each_other_find_an_owner() {
    let types = [("a_type", "u8"), ("b_type", "u16")];
    let api = read_all(&[("a", file(&["b.api"], &types)), ("b", file(&["a.api"], &types))]);
    assert_eq!(owners(&api, "a_type").len(), 1);
    assert_eq!(api.types.len(), 2);
}

#[test]
fn a_type_that_is_not_repeated_comes_from_an_import() {
    let api = read_all(&[
        ("plugin", file(&["ip_types"], &[("mine", "vl_api_address_t")])),
        ("ip_types", file(&[], &[("address", "u32")])),
    ]);
    let mine = api.types.iter().find(|ty| ty.name == "mine").unwrap();
    let TypeKind::Struct(fields) = &mine.kind else { panic!("a struct") };
    assert_eq!(api.layout_of(fields[0].ty).min_len(), 4);
}

#[test]
fn a_copy_that_differs_is_refused_with_both_files() {
    let error = read(&[
        ("user", file(&["ip_types.api"], &[("address", "u64"), ("pair", "vl_api_address_t")])),
        ("ip_types", file(&[], &[("address", "u32"), ("pair", "vl_api_address_t")])),
    ])
    .unwrap_err();
    // The innermost difference is told.
    assert!(matches!(&error, ReadError::DifferentCopy { name, .. } if name == "address"), "{error}");
    let text = error.to_string();
    assert!(text.contains("user.api.json") && text.contains("ip_types.api.json"), "{text}");
}

#[test]
fn types_stand_in_the_order_of_modules_and_of_their_file() {
    let api = read_all(&[
        ("b", file(&["a.api"], &[("z", "u8"), ("from_a", "u8"), ("y", "vl_api_from_a_t")])),
        ("a", file(&[], &[("from_a", "u8")])),
    ]);
    let names: Vec<&str> = api.types.iter().map(|ty| ty.name.as_str()).collect();
    assert_eq!(names, ["from_a", "z", "y"]);
    let modules: Vec<&str> = api.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(modules, ["a", "b"]);
}
