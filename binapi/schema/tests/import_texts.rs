//! Types of a release as `.api` texts: a plugin that imports them is defined as with VPP's own files.

mod definitions;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use definitions::pinned_by_release;
use vpp_schema::{Api, Field, FieldType, Group, Header, Module, Source, SourceOptions, TypeRef};

/// A module's messages in the language, its types by import.
fn text(api: &Api, module: &Module) -> String {
    let name = |element: TypeRef| match element {
        TypeRef::Scalar(scalar) => scalar.name().to_owned(),
        TypeRef::Named(id) => format!("vl_api_{}_t", api.ty(id).name),
    };
    let field = |field: &Field, block: &[Field]| {
        let at = &field.name;
        match field.ty {
            FieldType::One(of) => format!("{} {at};", name(of)),
            FieldType::Array(of, len) => format!("{} {at}[{len}];", name(of)),
            FieldType::List(of, count) => format!("{} {at}[{}];", name(of), block[count].name),
            FieldType::FixedString(len) => format!("string {at}[{len}];"),
            FieldType::LongString => format!("string {at}[];"),
        }
    };
    let messages = || module.messages.iter().map(|id| api.message(*id));
    let used = messages().flat_map(|message| &message.fields).filter_map(|field| field.ty.named());
    let imports: BTreeSet<&str> = used.map(|id| api.module(api.ty(id).module).name.as_str()).collect();
    let mut text: String =
        imports.iter().map(|name| format!("import \"some/where/{name}.api\";\n")).collect();
    for message in messages() {
        let words = match message.header {
            Header::Bare => "",
            Header::Context => "u32 context;",
            Header::Client => "u32 client_index;",
            Header::ClientContext => "u32 client_index; u32 context;",
        };
        let fields: String = message.fields.iter().map(|one| field(one, &message.fields)).collect();
        let _ = writeln!(text, "define {} {{ {words} {fields} }};", message.name);
    }
    // What answers does not enter CRCs.
    let services: String =
        messages().map(|message| format!("rpc {} returns null;\n", message.name)).collect();
    text + "service {\n" + &services + "};\n"
}

#[test]
fn every_message_of_every_release_has_its_crc_with_types_by_import() {
    let mut count = 0;
    let mut wrong = Vec::new();
    // What a program has of a release: without comments, without `backwards_compatible`.
    for (release, api) in pinned_by_release() {
        let options = SourceOptions { known: api.import_texts(), ..SourceOptions::default() };
        for module in api.modules.iter().filter(|module| !module.messages.is_empty()) {
            let source = Source {
                name: format!("{}_again", module.name),
                group: Group::Plugins,
                origin: format!("{}_again.api", module.name),
                text: text(&api, module),
            };
            let again = Api::from_api_texts(&[source], &options)
                .unwrap_or_else(|error| panic!("{release}: {}: {error}", module.name));
            for id in &module.messages {
                let message = api.message(*id);
                let (_, found) = again.find_message(&message.name).expect("defined again");
                // The compiler of 20.09 has a table of messages that keep an older CRC.
                if found.crc != message.crc && release != "20.09" {
                    wrong.push(format!("{release}: {}", message.name));
                }
                count += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
    assert!(count > 20_000, "{count} messages");
}
