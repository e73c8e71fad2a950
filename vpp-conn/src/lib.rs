//! A connection to a running VPP: async, multiplexed, never hanging.
