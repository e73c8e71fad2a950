//! Runs the program.

use std::process::Command;

#[test]
fn the_program_speaks_with_its_plugin() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-plugin")).output().expect("the program starts");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        text,
        "IP_API_PROTO_TCP 10.0.0.1:40000 > 2001:db8::1:443, 12 packets, 1200 bytes https\n\
         ended: IP_API_PROTO_TCP 10.0.0.1:40000 > 2001:db8::1:443, 12 packets, 1500 bytes\n"
    );
}
