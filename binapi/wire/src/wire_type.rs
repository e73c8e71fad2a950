//! Types with a place on the wire.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{Decoder, Encoder};

/// A type with VPP's wire encoding: packed, big endian (`f64` is the host's order, as VPP's is), no alignment.
pub trait Wire: Sized {
    /// The fewest bytes a value takes. A [`FixedSize`] value takes exactly these.
    const MIN_LEN: usize;

    /// The bytes this value takes.
    fn encoded_len(&self) -> usize {
        Self::MIN_LEN
    }

    /// Writes the value. A fault is remembered by the encoder and reported by [`Encoder::finish`].
    fn encode(&self, out: &mut Encoder<'_>);

    /// Reads a value. Past the end of the input everything is zero; [`Decoder::finish`] reports it.
    fn decode(input: &mut Decoder<'_>) -> Self;
}

/// A [`Wire`] type all of whose values take [`Wire::MIN_LEN`] bytes.
pub trait FixedSize: Wire {}

macro_rules! big_endian {
    ($($integer:ty),*) => {$(
        impl Wire for $integer {
            const MIN_LEN: usize = size_of::<Self>();

            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                out.bytes(&self.to_be_bytes());
            }

            #[inline]
            fn decode(input: &mut Decoder<'_>) -> Self {
                Self::from_be_bytes(input.bytes())
            }
        }

        impl FixedSize for $integer {}
    )*};
}

big_endian!(u8, i8, u16, i16, u32, i32, u64, i64);

/// The host's byte order: VPP does not swap floating-point numbers.
impl Wire for f64 {
    const MIN_LEN: usize = 8;

    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.bytes(&self.to_ne_bytes());
    }

    #[inline]
    fn decode(input: &mut Decoder<'_>) -> Self {
        Self::from_ne_bytes(input.bytes())
    }
}

impl FixedSize for f64 {}

/// One byte: written as 0 or 1, any other value reads as true.
impl Wire for bool {
    const MIN_LEN: usize = 1;

    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.bytes(&[u8::from(*self)]);
    }

    #[inline]
    fn decode(input: &mut Decoder<'_>) -> Self {
        input.bytes::<1>() != [0]
    }
}

impl FixedSize for bool {}

impl Wire for Ipv4Addr {
    const MIN_LEN: usize = 4;

    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.bytes(&self.octets());
    }

    #[inline]
    fn decode(input: &mut Decoder<'_>) -> Self {
        Self::from(input.bytes::<4>())
    }
}

impl FixedSize for Ipv4Addr {}

impl Wire for Ipv6Addr {
    const MIN_LEN: usize = 16;

    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.bytes(&self.octets());
    }

    #[inline]
    fn decode(input: &mut Decoder<'_>) -> Self {
        Self::from(input.bytes::<16>())
    }
}

impl FixedSize for Ipv6Addr {}

/// `N` elements without a count.
impl<T: Wire, const N: usize> Wire for [T; N] {
    const MIN_LEN: usize = T::MIN_LEN * N;

    fn encoded_len(&self) -> usize {
        self.iter().map(Wire::encoded_len).sum()
    }

    fn encode(&self, out: &mut Encoder<'_>) {
        for element in self {
            element.encode(out);
        }
    }

    fn decode(input: &mut Decoder<'_>) -> Self {
        std::array::from_fn(|_| T::decode(input))
    }
}

impl<T: FixedSize, const N: usize> FixedSize for [T; N] {}

/// An integer type that counts the elements of a list on the wire.
pub trait Count: FixedSize + Copy {
    /// The count, or `None` when the length does not fit the type.
    fn from_len(len: usize) -> Option<Self>;

    /// The number of elements; zero for a negative count.
    fn to_len(self) -> usize;
}

macro_rules! counts {
    ($($integer:ty),*) => {$(
        impl Count for $integer {
            fn from_len(len: usize) -> Option<Self> {
                Self::try_from(len).ok()
            }

            fn to_len(self) -> usize {
                usize::try_from(self).unwrap_or(0)
            }
        }
    )*};
}

counts!(u8, i8, u16, i16, u32, i32, u64, i64);
