//! Any bytes as VPP's API trace file: an error or messages, and what was read is written and read again as the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vpp_conn::trace::ApiTrace;

fuzz_target!(|content: &[u8]| {
    let Ok(trace) = ApiTrace::parse(Bytes::copy_from_slice(content)) else { return };
    let messages = trace.messages().iter().map(|message| &message[..]);
    let written = ApiTrace::write(trace.table(), messages, trace.is_wrapped()).expect("what was read can be written");
    let again = ApiTrace::parse(written.into()).expect("what was written can be read");
    assert_eq!(again.is_wrapped(), trace.is_wrapped());
    assert_eq!(again.messages(), trace.messages());
    assert_eq!(again.table().len(), trace.table().len());
    for entry in trace.table().iter() {
        assert_eq!(again.table().by_id(entry.id).map(|again| (&again.name, again.crc)), Some((&entry.name, entry.crc)));
    }
});
