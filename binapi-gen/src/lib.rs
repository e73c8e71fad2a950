//! Generator of typed Rust messages from the API definitions of a VPP.
