//! A stand-in for VPP that speaks its API protocol, and a launcher of private VPP instances, for tests.
