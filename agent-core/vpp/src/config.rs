//! The section `vpp` of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vpp_agent_kernel::PluginError;

/// The section `vpp`: the VPP at one socket, or several VPPs by name.
///
/// ```yaml
/// vpp:
///   socket: /run/vpp/api.sock
/// ```
///
/// ```yaml
/// vpp:
///   instances:
///     east: { socket: /run/vpp-east/api.sock }
///     west: { socket: /run/vpp-west/api.sock, transport: shared-memory }
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct VppConfig {
    /// VPP's API socket; /run/vpp/api.sock if not said.
    pub socket: Option<PathBuf>,
    /// What carries the messages: the socket if not said.
    pub transport: Option<Transport>,
    /// Several VPPs by name, in place of the one at `socket`.
    pub instances: BTreeMap<String, Endpoint>,
}

/// Where a VPP is to be found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Endpoint {
    /// Its API socket.
    pub socket: PathBuf,
    /// What carries the messages.
    #[serde(default)]
    pub transport: Transport,
}

/// What carries the messages. See [`vpp_conn::Transport`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// VPP's API socket.
    #[default]
    Socket,
    /// Shared memory that VPP makes, with the socket beside it.
    SharedMemory,
    /// Shared memory where VPP gives it, else the socket.
    Auto,
}

impl From<Transport> for vpp_conn::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Socket => Self::Socket,
            Transport::SharedMemory => Self::SharedMemory,
            Transport::Auto => Self::Auto,
        }
    }
}

/// The name of the VPP that is the only one.
pub(crate) const ONLY: &str = "vpp";

impl VppConfig {
    /// All VPPs, by name.
    pub(crate) fn endpoints(self) -> Result<BTreeMap<String, Endpoint>, PluginError> {
        if self.instances.is_empty() {
            let socket = self.socket.unwrap_or_else(|| vpp_conn::DEFAULT_SOCKET.into());
            let endpoint = Endpoint { socket, transport: self.transport.unwrap_or_default() };
            return Ok(BTreeMap::from([(ONLY.to_owned(), endpoint)]));
        }
        if self.socket.is_some() || self.transport.is_some() {
            return Err("vpp.socket and vpp.transport are of a VPP without a name: with vpp.instances each VPP says its own".into());
        }
        Ok(self.instances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_vpp_without_a_name_or_several_with() {
        let only = VppConfig::default().endpoints().unwrap();
        assert_eq!(only[ONLY].socket.to_str(), Some(vpp_conn::DEFAULT_SOCKET));
        let instances = BTreeMap::from([("east".to_owned(), only[ONLY].clone())]);
        let named = VppConfig { instances, ..VppConfig::default() };
        assert_eq!(named.clone().endpoints().unwrap().len(), 1);
        assert!(VppConfig { socket: Some("/x".into()), ..named }.endpoints().is_err());
    }
}
