//! The client of VPP's statistics: on the stand-in's segments of every layout, and on a real VPP where there is one
//! (`VPP_BIN`), with VPP's own clients as judges.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "stats/hostile.rs"]
mod hostile;
#[path = "stats/judges.rs"]
mod judges;
#[path = "stats/lives.rs"]
mod lives;
#[path = "stats/shapes.rs"]
mod shapes;
