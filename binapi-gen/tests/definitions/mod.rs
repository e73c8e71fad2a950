//! Definitions made up for tests.

use vpp_schema::{Api, Group, Source};

/// A definition file: only the keys that matter.
pub(crate) struct Module<'a> {
    pub(crate) name: &'a str,
    pub(crate) json: &'a str,
}

/// The API of some modules.
pub(crate) fn api(modules: &[Module<'_>]) -> Api {
    let sources: Vec<_> = modules
        .iter()
        .map(|module| Source {
            name: module.name.to_owned(),
            group: Group::Other,
            origin: format!("{}.api.json", module.name),
            text: module.json.to_owned(),
        })
        .collect();
    Api::from_sources(&sources).unwrap_or_else(|error| panic!("{error}"))
}
