//! What is decided before a line is written. Each pass is named after what it decides.

pub(crate) mod features;
pub(crate) mod layout;
pub(crate) mod names;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod reuse;
pub(crate) mod services;
pub(crate) mod unions;
