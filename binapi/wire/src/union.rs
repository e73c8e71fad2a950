//! Unions: members of different types in the same place.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{Address, Decoder, EncodeError, Encoder, FixedSize, Wire};

/// A union whose member another field selects.
///
/// It is no [`Wire`] type by itself: whoever holds it writes and reads the discriminator, which stands elsewhere.
pub trait Union: Sized {
    /// What selects the member.
    type Discriminator: FixedSize + Copy + PartialEq;

    /// Bytes on the wire: those of the largest member.
    const LEN: usize;

    /// The value that selects the member held.
    fn discriminator(&self) -> Self::Discriminator;

    /// Writes the member held, and zeros up to [`Union::LEN`].
    fn encode_member(&self, out: &mut Encoder<'_>);

    /// Reads the member that `discriminator` selects, out of [`Union::LEN`] bytes.
    fn decode_member(discriminator: Self::Discriminator, input: &mut Decoder<'_>) -> Self;
}

/// An address whose family stands apart from it, as in VPP's `mprefix`.
impl Union for Address {
    type Discriminator = u8;
    const LEN: usize = 16;

    fn discriminator(&self) -> u8 {
        match self {
            Self::V4(_) => 0,
            Self::V6(_) => 1,
            Self::Unknown { family, .. } => *family,
        }
    }

    fn encode_member(&self, out: &mut Encoder<'_>) {
        match self {
            Self::V4(address) => {
                out.bytes(&address.octets());
                out.bytes(&[0; 12]);
            }
            Self::V6(address) => out.bytes(&address.octets()),
            Self::Unknown { bytes, .. } => out.bytes(bytes),
        }
    }

    fn decode_member(family: u8, input: &mut Decoder<'_>) -> Self {
        let bytes: [u8; 16] = input.bytes();
        match family {
            0 => {
                let [a, b, c, d, ..] = bytes;
                Self::V4(Ipv4Addr::new(a, b, c, d))
            }
            1 => Self::V6(Ipv6Addr::from(bytes)),
            _ => Self::Unknown { family, bytes },
        }
    }
}

/// The bytes of a union of `N` bytes that holds `member`, for unions that nothing says the member of.
///
/// # Errors
///
/// When a string or list in the member does not fit its field, or the member is larger than the union.
pub fn member_bytes<T: Wire, const N: usize>(member: &T) -> Result<[u8; N], EncodeError> {
    let mut bytes = [0; N];
    crate::encode(member, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_its_family_takes_sixteen_bytes() {
        for text in ["10.0.0.1", "2001:db8::1"] {
            let address: Address = text.parse().unwrap();
            let mut buffer = [0xff; 16];
            let mut out = Encoder::new(&mut buffer);
            address.encode_member(&mut out);
            assert_eq!(out.finish().unwrap(), Address::LEN);
            let read = Address::decode_member(address.discriminator(), &mut Decoder::new(&buffer));
            assert_eq!(read, address);
        }
    }

    #[test]
    fn the_rest_behind_a_member_is_zero() {
        assert_eq!(member_bytes::<_, 4>(&0x1234_u16).unwrap(), [0x12, 0x34, 0, 0]);
        assert!(member_bytes::<_, 1>(&0x1234_u16).is_err());
    }
}
