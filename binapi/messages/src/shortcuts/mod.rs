//! Short ways to say what programs say most, where the definitions alone give long ones. Written by hand.

#[cfg(feature = "af_packet")]
mod af_packet;
#[cfg(feature = "interface")]
mod interfaces;
#[cfg(feature = "fib_types")]
mod paths;
#[cfg(feature = "ip")]
mod routes;
