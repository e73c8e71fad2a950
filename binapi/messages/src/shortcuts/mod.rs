//! Short ways to say what programs say most, where the definitions alone give long ones. Written by hand.

#[cfg(feature = "fib_types")]
mod paths;
#[cfg(feature = "ip")]
mod routes;
