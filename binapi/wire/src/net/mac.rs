//! `vl_api_mac_address_t`.

use std::fmt;
use std::str::FromStr;

use super::ParseAddressError;
use crate::{Decoder, Encoder, FixedSize, Wire};

/// An Ethernet address: six bytes.
///
/// ```
/// use vpp_wire::MacAddress;
///
/// let mac: MacAddress = "02:fe:00:00:00:01".parse()?;
/// assert_eq!(mac, MacAddress([2, 0xfe, 0, 0, 0, 1]));
/// assert_eq!(mac.to_string(), "02:fe:00:00:00:01");
/// # Ok::<(), vpp_wire::ParseAddressError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// All zeros: where a request lets VPP choose.
    pub const ZERO: Self = Self([0; 6]);
}

impl Wire for MacAddress {
    const MIN_LEN: usize = 6;

    fn encode(&self, out: &mut Encoder<'_>) {
        out.bytes(&self.0);
    }

    fn decode(input: &mut Decoder<'_>) -> Self {
        Self(input.bytes())
    }
}

impl FixedSize for MacAddress {}

impl From<[u8; 6]> for MacAddress {
    fn from(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

impl From<MacAddress> for [u8; 6] {
    fn from(mac: MacAddress) -> Self {
        mac.0
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Six two-digit hexadecimal numbers with `:` or `-` between, or VPP's `0200.0000.0001` form.
impl FromStr for MacAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let bad = || ParseAddressError::new(text, "a MAC address (02:fe:00:00:00:01)");
        let (separator, width) = if text.contains('.') {
            ('.', 4)
        } else if text.contains('-') {
            ('-', 2)
        } else {
            (':', 2)
        };
        let mut digits = [0; 12];
        let mut len = 0;
        for group in text.split(separator) {
            let group = group.as_bytes();
            if group.len() != width || len + width > 12 || !group.iter().all(u8::is_ascii_hexdigit) {
                return Err(bad());
            }
            digits[len..len + width].copy_from_slice(group);
            len += width;
        }
        if len != 12 {
            return Err(bad());
        }
        let value = |digit: u8| char::from(digit).to_digit(16).map_or(0, |value| value as u8);
        Ok(Self(std::array::from_fn(|i| value(digits[2 * i]) << 4 | value(digits[2 * i + 1]))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_both_ways() {
        for text in ["b7:b9:bb:a1:5c:af", "47:4b:c7:3e:06:c8", "a7:cc:9f:10:18:e3"] {
            assert_eq!(text.parse::<MacAddress>().unwrap().to_string(), text);
        }
        assert_eq!("02FE.0000.0001".parse(), Ok(MacAddress([2, 0xfe, 0, 0, 0, 1])));
        assert_eq!("02-fe-00-00-00-01".parse(), Ok(MacAddress([2, 0xfe, 0, 0, 0, 1])));
        for bad in [
            "",
            "02:fe:00:00:00",
            "02:fe:00:00:00:01:02",
            "2:fe:00:00:00:01",
            "02:fe:00:00:00:0g",
            "+1:fe:00:00:00:01",
        ] {
            assert!(bad.parse::<MacAddress>().is_err(), "{bad}");
        }
    }
}
