//! `vl_api_address_t`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::ParseAddressError;
use crate::{Decoder, Encoder, FixedSize, Union, Wire};

/// An IP address: VPP's `address`, 17 bytes (family, then a union of both kinds), since VPP 20.05.
///
/// ```
/// use std::net::IpAddr;
/// use vpp_wire::Address;
///
/// let address = Address::from(IpAddr::from([10, 0, 0, 1]));
/// assert_eq!(address.to_string(), "10.0.0.1");
/// assert_eq!(address.ip(), Some(IpAddr::from([10, 0, 0, 1])));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// Family 0.
    V4(Ipv4Addr),
    /// Family 1.
    V6(Ipv6Addr),
    /// A family this toolkit does not know, with its bytes as they came.
    Unknown {
        /// The family on the wire.
        family: u8,
        /// The union's bytes.
        bytes: [u8; 16],
    },
}

impl Address {
    /// The address, unless its family is unknown.
    #[must_use]
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => Some(IpAddr::V4(address)),
            Self::V6(address) => Some(IpAddr::V6(address)),
            Self::Unknown { .. } => None,
        }
    }

    /// Bits of an address of this family: 32 or 128; 128 for an unknown one.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4(_) => 32,
            Self::V6(_) | Self::Unknown { .. } => 128,
        }
    }
}

/// `0.0.0.0`: what a message with all bytes zero holds.
impl Default for Address {
    fn default() -> Self {
        Self::V4(Ipv4Addr::UNSPECIFIED)
    }
}

impl Wire for Address {
    const MIN_LEN: usize = 17;

    fn encode(&self, out: &mut Encoder<'_>) {
        out.write(&self.discriminator());
        self.encode_member(out);
    }

    fn decode(input: &mut Decoder<'_>) -> Self {
        let family = input.read();
        Self::decode_member(family, input)
    }
}

impl FixedSize for Address {}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Self {
        Self::V4(address)
    }
}

impl From<Ipv6Addr> for Address {
    fn from(address: Ipv6Addr) -> Self {
        Self::V6(address)
    }
}

/// The address itself comes back when its family is unknown.
impl TryFrom<Address> for IpAddr {
    type Error = Address;

    fn try_from(address: Address) -> Result<Self, Address> {
        address.ip().ok_or(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
            Self::Unknown { family, bytes } => {
                write!(f, "family {family}:")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        text.parse::<IpAddr>()
            .map(Self::from)
            .map_err(|_| ParseAddressError::new(text, "an IP address (10.0.0.1, 2001:db8::1)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_of_neither_kind_survives_a_round_trip() {
        let mut bytes = [7; 17];
        bytes[0] = 9;
        let address: Address = crate::decode(&bytes).unwrap();
        assert_eq!(address.ip(), None);
        assert_eq!(crate::encode_to_vec(&address).unwrap(), bytes);
    }

    #[test]
    fn text_both_ways() {
        for text in ["192.168.0.1", "aac1:0:ab45::"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!(
            "10.0.0".parse::<Address>().unwrap_err().to_string(),
            "\"10.0.0\" is not an IP address (10.0.0.1, 2001:db8::1)"
        );
    }

    #[test]
    fn bytes_behind_an_ip4_address_are_ignored_and_written_as_zero() {
        let mut bytes = [0xaa; 17];
        bytes[..5].copy_from_slice(&[0, 10, 0, 0, 1]);
        let address: Address = crate::decode(&bytes).unwrap();
        assert_eq!(address, Address::V4(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(crate::encode_to_vec(&address).unwrap()[5..], [0; 12]);
    }
}
