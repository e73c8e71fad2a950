//! The typed messages of the binary API of VPP 26.06.
