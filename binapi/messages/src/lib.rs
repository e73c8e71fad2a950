//! Typed messages of the binary API of VPP releases, each definition once.
