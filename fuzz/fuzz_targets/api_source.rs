//! Definitions in VPP's API definition language: an error with its place, or an API that pins keep, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vpp_schema::{Api, Group, MessageId, ReadError, Source, SourceOptions};

fuzz_target!(|text: &str| {
    let source =
        Source { name: "test".to_owned(), group: Group::Other, origin: "test.api".to_owned(), text: text.to_owned() };
    match Api::from_api_texts(&[source], &SourceOptions::default()) {
        Ok(api) => {
            for (id, message) in (0..).map(MessageId).zip(&api.messages) {
                let _ = (api.layout_hash(id), api.answer(id), api.offsets(&message.fields, message.header.len()));
            }
            Api::from_sources(&api.to_pins()).expect("pins of what was read");
        }
        Err(ReadError::Language(error)) => {
            assert!(error.line >= 1 && error.column >= 1 && error.to_string().ends_with('^'));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
