//! The least that a client can do: the smallest loops over plain system calls, to compare with.

mod memory;
mod socket;

pub(crate) use memory::RawMemory;
pub(crate) use socket::RawSocket;
