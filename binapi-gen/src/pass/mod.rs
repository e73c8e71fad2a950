//! What is decided before a line is written. Each pass is named after what it decides.

pub(crate) mod features;
pub(crate) mod layout;
pub(crate) mod names;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod reuse;
pub(crate) mod services;
pub(crate) mod unions;

use self::plan::{Plan, Release};
use crate::error::GenerateError;

/// Decides everything. `releases` are newest first.
pub(crate) fn decide(releases: Vec<Release<'_>>) -> Result<Plan<'_>, GenerateError> {
    if releases.is_empty() {
        return Err(GenerateError::NoInput);
    }
    let mut plan = Plan::undecided(releases);
    pool::collect(&mut plan)?;
    unions::decide(&mut plan)?;
    layout::decide(&mut plan);
    pool::name(&mut plan)?;
    features::decide(&mut plan);
    Ok(plan)
}
