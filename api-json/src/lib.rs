//! Pinned definitions of the binary API of VPP releases.
