//! Bridge domains and their ports.

use vpp_wire::ApiError;

/// The highest number of a bridge domain.
const MAX_ID: u32 = (1 << 24) - 1;

/// All bridge domains.
#[derive(Debug)]
pub(crate) struct BridgeDomains {
    /// By internal number. The lowest free one is used first; number 0 belongs to bridge domain 0, where VPP keeps
    /// interfaces that are in none.
    slots: Vec<Option<BridgeDomain>>,
}

/// A bridge domain.
#[derive(Clone, Debug)]
pub(crate) struct BridgeDomain {
    pub(crate) id: u32,
    pub(crate) settings: Settings,
    pub(crate) ports: Vec<Port>,
    /// The port towards VPP itself. It is also among the ports.
    pub(crate) bvi: Option<u32>,
    /// Where frames to unknown addresses go. It is not among the ports.
    pub(crate) uu_forward: Option<u32>,
}

/// What a bridge domain does.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) flood: bool,
    pub(crate) uu_flood: bool,
    pub(crate) forward: bool,
    pub(crate) learn: bool,
    pub(crate) arp_term: bool,
    pub(crate) arp_ufwd: bool,
    /// Minutes; zero: never.
    pub(crate) mac_age: u8,
    pub(crate) tag: String,
}

/// A port of a bridge domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) sw_if_index: u32,
    /// Split-horizon group.
    pub(crate) shg: u8,
}

/// What a port is for, with VPP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortKind {
    Normal = 0,
    Bvi = 1,
    UnknownUnicast = 2,
}

impl Default for Settings {
    /// Those of a bridge domain that comes to be because a port is put into it.
    fn default() -> Self {
        Self {
            flood: true,
            uu_flood: true,
            forward: true,
            learn: true,
            arp_term: false,
            arp_ufwd: false,
            mac_age: 0,
            tag: String::new(),
        }
    }
}

impl BridgeDomain {
    fn new(id: u32, settings: Settings) -> Self {
        Self { id, settings, ports: Vec::new(), bvi: None, uu_forward: None }
    }
}

impl BridgeDomains {
    pub(crate) fn new() -> Self {
        Self { slots: vec![Some(BridgeDomain::new(0, Settings::default()))] }
    }

    /// All that clients made, in the order of their internal numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &BridgeDomain> {
        self.slots.iter().flatten().filter(|domain| domain.id != 0)
    }

    /// A number that no bridge domain has.
    pub(crate) fn unused_id(&self) -> Option<u32> {
        (1..=MAX_ID).find(|id| self.position(*id).is_none())
    }

    pub(crate) fn add(&mut self, id: u32, settings: Settings) -> Result<(), ApiError> {
        if self.position(id).is_some() {
            return Err(ApiError::BD_ALREADY_EXISTS);
        }
        if id > MAX_ID {
            return Err(ApiError::BD_ID_EXCEED_MAX);
        }
        self.insert(BridgeDomain::new(id, settings));
        Ok(())
    }

    pub(crate) fn delete(&mut self, id: u32) -> Result<(), ApiError> {
        let position = self.position(id).ok_or(ApiError::NO_SUCH_ENTRY)?;
        if position == 0 {
            return Err(ApiError::BD_NOT_MODIFIABLE);
        }
        if self.slots[position].as_ref().is_some_and(|domain| !domain.ports.is_empty()) {
            return Err(ApiError::BD_IN_USE);
        }
        self.slots[position] = None;
        Ok(())
    }

    /// Puts an interface into a bridge domain, which is made if it is not there.
    pub(crate) fn set_port(&mut self, id: u32, port: Port, kind: PortKind) -> Result<(), ApiError> {
        if id > MAX_ID {
            return Err(ApiError::BD_ID_EXCEED_MAX);
        }
        self.remove_port(port.sw_if_index);
        let position =
            self.position(id).unwrap_or_else(|| self.insert(BridgeDomain::new(id, Settings::default())));
        let Some(domain) = &mut self.slots[position] else { return Ok(()) };
        match kind {
            PortKind::Normal => domain.ports.push(port),
            PortKind::Bvi if domain.bvi.is_some() => return Err(ApiError::BD_ALREADY_HAS_BVI),
            PortKind::Bvi => {
                domain.bvi = Some(port.sw_if_index);
                domain.ports.insert(0, port);
            }
            PortKind::UnknownUnicast => domain.uu_forward = Some(port.sw_if_index),
        }
        Ok(())
    }

    /// Takes an interface out of its bridge domain, if it is in one.
    pub(crate) fn remove_port(&mut self, sw_if_index: u32) {
        for domain in self.slots.iter_mut().flatten() {
            domain.ports.retain(|port| port.sw_if_index != sw_if_index);
            domain.bvi.take_if(|bvi| *bvi == sw_if_index);
            domain.uu_forward.take_if(|port| *port == sw_if_index);
        }
    }

    /// Internal number and bridge domain of a port.
    pub(crate) fn of_port(&self, sw_if_index: u32) -> Option<(usize, &BridgeDomain, Port)> {
        self.slots.iter().enumerate().find_map(|(index, domain)| {
            let domain = domain.as_ref()?;
            let port = domain.ports.iter().find(|port| port.sw_if_index == sw_if_index)?;
            Some((index, domain, *port))
        })
    }

    fn position(&self, id: u32) -> Option<usize> {
        self.slots.iter().position(|slot| slot.as_ref().is_some_and(|domain| domain.id == id))
    }

    fn insert(&mut self, domain: BridgeDomain) -> usize {
        match self.slots.iter().position(Option::is_none) {
            Some(position) => {
                self.slots[position] = Some(domain);
                position
            }
            None => {
                self.slots.push(Some(domain));
                self.slots.len() - 1
            }
        }
    }
}
