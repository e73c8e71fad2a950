//! Command-line tool for the binary API of VPP: call, dump, watch, encode, decode, generate.

fn main() {}
