//! Definitions as a file, as pins, and as a running VPP tells them: an error or an API, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vpp_schema::{Api, Group, MessageId, Source};

fuzz_target!(|text: &str| {
    let source =
        Source { name: "test".to_owned(), group: Group::Other, origin: "test".to_owned(), text: text.to_owned() };
    let read = Api::from_sources(&[source]);
    let running = Api::from_running(text, None);
    for mut api in read.into_iter().chain(running) {
        for (id, message) in (0..).map(MessageId).zip(&api.messages) {
            let _ = (api.layout_hash(id), api.answer(id), message.retval(&api), message.cursor(&api));
            let _ = api.offsets(&message.fields, message.header.len());
        }
        let again = Api::from_sources(&api.to_pins()).expect("pins of what was read");
        for ty in &mut api.types {
            ty.comment = None;
        }
        for message in &mut api.messages {
            message.comment = None;
        }
        for counter in api.modules.iter_mut().flat_map(|m| &mut m.counters).flat_map(|set| &mut set.elements) {
            counter.description = None;
        }
        assert!(again == api, "pins mean the same");
    }
});
