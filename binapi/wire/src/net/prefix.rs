//! `vl_api_prefix_t` and its kin of one family.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Address, ParseAddressError};
use crate::{Decoder, Encoder, FixedSize, Wire};

/// An address and the bits that count: VPP's `prefix` and `address_with_prefix`, 18 bytes since VPP 20.05.
///
/// Host bits are kept as they are, so the same type stands for a network (`10.0.0.0/24`) and for an interface's
/// address in it (`10.0.0.1/24`).
///
/// ```
/// use vpp_wire::Prefix;
///
/// let address: Prefix = "10.0.0.1/24".parse()?;
/// assert_eq!(address.to_string(), "10.0.0.1/24");
/// assert_eq!(address.network().to_string(), "10.0.0.0/24");
/// # Ok::<(), vpp_wire::ParseAddressError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// The address.
    pub address: Address,
    /// Leading bits that belong to the network: 0 to 32 or 0 to 128. VPP checks it.
    pub len: u8,
}

impl Prefix {
    /// The prefix of an address and its length in bits; `None` when the address has fewer.
    #[must_use]
    pub fn new(address: impl Into<Address>, len: u8) -> Option<Self> {
        let address = address.into();
        (len <= address.bits()).then_some(Self { address, len })
    }

    /// The same prefix with its host bits cleared.
    #[must_use]
    pub fn network(self) -> Self {
        let address = match self.address {
            Address::V4(address) => Address::V4(network_v4(address, self.len)),
            Address::V6(address) => Address::V6(network_v6(address, self.len)),
            unknown @ Address::Unknown { .. } => unknown,
        };
        Self { address, len: self.len }
    }
}

/// VPP's `ip4_prefix` and `ip4_address_with_prefix`: 5 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ip4Prefix {
    /// The address, host bits kept.
    pub address: Ipv4Addr,
    /// Leading bits that belong to the network: 0 to 32.
    pub len: u8,
}

impl Ip4Prefix {
    /// The same prefix with its host bits cleared.
    #[must_use]
    pub fn network(self) -> Self {
        Self { address: network_v4(self.address, self.len), len: self.len }
    }
}

/// VPP's `ip6_prefix` and `ip6_address_with_prefix`: 17 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ip6Prefix {
    /// The address, host bits kept.
    pub address: Ipv6Addr,
    /// Leading bits that belong to the network: 0 to 128.
    pub len: u8,
}

impl Ip6Prefix {
    /// The same prefix with its host bits cleared.
    #[must_use]
    pub fn network(self) -> Self {
        Self { address: network_v6(self.address, self.len), len: self.len }
    }
}

fn network_v4(address: Ipv4Addr, len: u8) -> Ipv4Addr {
    let host = u32::MAX.checked_shr(len.into()).unwrap_or(0);
    Ipv4Addr::from_bits(address.to_bits() & !host)
}

fn network_v6(address: Ipv6Addr, len: u8) -> Ipv6Addr {
    let host = u128::MAX.checked_shr(len.into()).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & !host)
}

/// The length behind `/`; without one, all bits of the address.
fn parse<A: FromStr>(
    text: &str,
    bits: impl Fn(&A) -> u8,
    expected: &'static str,
) -> Result<(A, u8), ParseAddressError> {
    let bad = || ParseAddressError::new(text, expected);
    let (address, len) = match text.split_once('/') {
        Some((address, len)) => (address, Some(len)),
        None => (text, None),
    };
    let address: A = address.parse().map_err(|_| bad())?;
    let len = match len {
        Some(len) if len.bytes().all(|byte| byte.is_ascii_digit()) => len.parse().map_err(|_| bad())?,
        Some(_) => return Err(bad()),
        None => bits(&address),
    };
    if len > bits(&address) { Err(bad()) } else { Ok((address, len)) }
}

macro_rules! prefixes {
    ($($name:ident of $address:ty, $len:literal bytes, $bits:expr, $expected:literal;)*) => {$(
        impl Wire for $name {
            const MIN_LEN: usize = $len;

            fn encode(&self, out: &mut Encoder<'_>) {
                out.write(&self.address);
                out.write(&self.len);
            }

            fn decode(input: &mut Decoder<'_>) -> Self {
                Self { address: input.read(), len: input.read() }
            }
        }

        impl FixedSize for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.address, self.len)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// `address/len`; without a length, all bits of the address.
        impl FromStr for $name {
            type Err = ParseAddressError;

            fn from_str(text: &str) -> Result<Self, ParseAddressError> {
                let (address, len) = parse::<$address>(text, $bits, $expected)?;
                Ok(Self { address, len })
            }
        }
    )*};
}

prefixes! {
    Prefix of Address, 18 bytes, |address| address.bits(), "a prefix (10.0.0.0/24, 2001:db8::/32)";
    Ip4Prefix of Ipv4Addr, 5 bytes, |_| 32, "an IPv4 prefix (10.0.0.0/24)";
    Ip6Prefix of Ipv6Addr, 17 bytes, |_| 128, "an IPv6 prefix (2001:db8::/32)";
}

/// All bits of the address: a host.
impl From<IpAddr> for Prefix {
    fn from(address: IpAddr) -> Self {
        let address = Address::from(address);
        Self { address, len: address.bits() }
    }
}

impl From<Ip4Prefix> for Prefix {
    fn from(prefix: Ip4Prefix) -> Self {
        Self { address: prefix.address.into(), len: prefix.len }
    }
}

impl From<Ip6Prefix> for Prefix {
    fn from(prefix: Ip6Prefix) -> Self {
        Self { address: prefix.address.into(), len: prefix.len }
    }
}

impl Default for Ip4Prefix {
    fn default() -> Self {
        Self { address: Ipv4Addr::UNSPECIFIED, len: 0 }
    }
}

impl Default for Ip6Prefix {
    fn default() -> Self {
        Self { address: Ipv6Addr::UNSPECIFIED, len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_and_length_are_kept() {
        for text in ["192.168.0.1/24", "aac1:0:ab45::/96", "0.0.0.0/0", "::/0", "10.0.0.1/32"] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), text);
        }
        assert_eq!("192.168.0.1".parse::<Prefix>().unwrap().to_string(), "192.168.0.1/32");
        assert_eq!("aac1:0:ab45::".parse::<Prefix>().unwrap().to_string(), "aac1:0:ab45::/128");
        assert_eq!("10.1.2.3/8".parse::<Ip4Prefix>().unwrap().to_string(), "10.1.2.3/8");
        for bad in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/24/1", "/24", "::/129", "x/8"] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
        assert!("2001:db8::/32".parse::<Ip4Prefix>().is_err());
    }

    #[test]
    fn networks() {
        for (text, network) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3/0", "0.0.0.0/0"),
            ("10.1.2.3/32", "10.1.2.3/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
        ] {
            assert_eq!(text.parse::<Prefix>().unwrap().network().to_string(), network);
        }
        // A peer may send any length.
        let odd = Prefix { address: Address::default(), len: 200 };
        assert_eq!(odd.network(), odd);
    }

    #[test]
    fn the_wire_form_is_the_address_then_the_length() {
        let prefix: Prefix = "aac1:0:ab45::/96".parse().unwrap();
        let bytes = crate::encode_to_vec(&prefix).unwrap();
        assert_eq!(bytes[..3], [1, 0xaa, 0xc1]);
        assert_eq!((bytes.len(), bytes[17]), (18, 96));
        assert_eq!(
            crate::encode_to_vec(&"10.0.0.0/8".parse::<Ip4Prefix>().unwrap()).unwrap(),
            [10, 0, 0, 0, 8]
        );
    }
}
