//! IP prefixes as the state keeps them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(is_ip6: bool) -> Self {
        if is_ip6 { Self::V6 } else { Self::V4 }
    }

    pub(crate) fn is_ip6(self) -> bool {
        self == Self::V6
    }

    /// Bits of an address.
    pub(crate) fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// `0.0.0.0` or `::`.
    pub(crate) fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Self::V6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

/// An address with a length, which may exceed what the address has. Ordered by length first: the order of VPP's dumps
/// of IPv4 routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Prefix {
    pub(crate) len: u8,
    pub(crate) address: IpAddr,
}

impl Prefix {
    pub(crate) fn new(address: IpAddr, len: u8) -> Self {
        Self { len, address }
    }

    /// The address alone.
    pub(crate) fn host(address: IpAddr) -> Self {
        let family = Family::of(address.is_ipv6());
        Self { len: family.bits(), address }
    }

    pub(crate) fn family(self) -> Family {
        Family::of(self.address.is_ipv6())
    }

    /// Whether the length exists for this kind of address.
    pub(crate) fn is_valid(self) -> bool {
        self.len <= self.family().bits()
    }

    /// The first address, with the length.
    pub(crate) fn network(self) -> Self {
        Self { address: self.first(), ..self }
    }

    /// The address with all bits behind the length cleared.
    pub(crate) fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) & self.mask4()).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & self.mask6()).into(),
        }
    }

    /// The address with all bits behind the length set.
    pub(crate) fn last(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) | !self.mask4()).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) | !self.mask6()).into(),
        }
    }

    /// The other address of a prefix of two.
    pub(crate) fn other_of_two(self) -> IpAddr {
        if self.first() == self.address { self.last() } else { self.first() }
    }

    /// Whether the address lies in the prefix; never, for addresses of different kinds.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv6() == address.is_ipv6() && Self::new(address, self.len).first() == self.first()
    }

    fn mask4(self) -> u32 {
        u32::MAX.checked_shl(32u32.saturating_sub(self.len.into())).unwrap_or(0)
    }

    fn mask6(self) -> u128 {
        u128::MAX.checked_shl(128u32.saturating_sub(self.len.into())).unwrap_or(0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

/// Text that is no prefix.
#[derive(Debug)]
pub(crate) struct NotAPrefix;

impl FromStr for Prefix {
    type Err = NotAPrefix;

    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        let (address, len) = text.split_once('/').ok_or(NotAPrefix)?;
        let address = address.parse().map_err(|_| NotAPrefix)?;
        Ok(Self { address, len: len.parse().map_err(|_| NotAPrefix)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn ends_of_a_prefix() {
        assert_eq!(prefix("10.3.2.5/30").first().to_string(), "10.3.2.4");
        assert_eq!(prefix("10.3.2.5/30").last().to_string(), "10.3.2.7");
        assert_eq!(prefix("10.3.1.7/31").other_of_two().to_string(), "10.3.1.6");
        assert_eq!(prefix("10.3.1.7/0").network(), prefix("0.0.0.0/0"));
        assert_eq!(prefix("10.3.1.7/32").network(), prefix("10.3.1.7/32"));
        assert_eq!(prefix("10.3.1.7/200").network(), prefix("10.3.1.7/200"));
        assert_eq!(prefix("2001:db8:1:2::3/48").network().to_string(), "2001:db8:1::/48");
        assert_eq!(prefix("2001:db8::1/128").last().to_string(), "2001:db8::1");
    }

    #[test]
    fn a_prefix_contains_addresses_of_its_kind_only() {
        assert!(prefix("10.0.0.1/24").contains("10.0.0.200".parse().unwrap()));
        assert!(!prefix("10.0.0.1/24").contains("10.0.1.1".parse().unwrap()));
        assert!(!prefix("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(prefix("::/0").contains("::1".parse().unwrap()));
    }
}
