//! Received messages read in place.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::{Count, DecodeError, Decoder, FixedSize, Union, Wire};

/// A type whose received bytes can be read in place.
pub trait Viewed: Sized {
    /// The view.
    type View<'a>: View<'a, Owned = Self>;
}

/// Accessors over the bytes of a received message.
pub trait View<'a>: Copy + fmt::Debug {
    /// The owned struct of the same message.
    type Owned;

    /// The view of a payload that is all zeros.
    const ZERO: Self;

    /// The next message of `input` in place.
    fn read(input: &mut Decoder<'a>) -> Self;

    /// The owned struct.
    fn into_owned(self) -> Self::Owned;

    /// Checks a payload once, so that no accessor has to fail. Bytes after the end are ignored.
    ///
    /// # Errors
    ///
    /// When the payload is shorter than the message.
    fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(payload);
        let view = Self::read(&mut input);
        input.finish()?;
        Ok(view)
    }
}

/// The next `N` bytes of a message in place; all zeros when they are not there.
pub trait Span<'a> {
    /// Takes them.
    fn span<const N: usize>(&mut self) -> &'a [u8; N];
}

impl<'a> Span<'a> for Decoder<'a> {
    #[inline]
    fn span<const N: usize>(&mut self) -> &'a [u8; N] {
        self.slice(N).first_chunk().unwrap_or(const { &[0; N] })
    }
}

/// The `N` bytes at `at` of a message's fixed part.
#[inline]
#[must_use]
pub fn array_at<const N: usize, const LEN: usize>(fixed: &[u8; LEN], at: usize) -> [u8; N] {
    fixed[at..].first_chunk().copied().unwrap_or([0; N])
}

/// The floating-point number at `at` of a message's fixed part.
#[inline]
#[must_use]
pub fn f64_at<const LEN: usize>(fixed: &[u8; LEN], at: usize) -> f64 {
    f64::from_ne_bytes(array_at(fixed, at))
}

/// The value at `at` of a message's fixed part.
#[inline]
#[must_use]
pub fn value_at<T: FixedSize, const LEN: usize>(fixed: &[u8; LEN], at: usize) -> T {
    T::decode(&mut Decoder::new(fixed.get(at..).unwrap_or_default()))
}

/// The count at `at` of a message's fixed part.
#[inline]
#[must_use]
pub fn count_at<C: Count, const LEN: usize>(fixed: &[u8; LEN], at: usize) -> usize {
    value_at::<C, LEN>(fixed, at).to_len()
}

/// The union at `at` of a message's fixed part, whose discriminator is at `discriminator`.
#[inline]
#[must_use]
pub fn union_at<U: Union, const LEN: usize>(fixed: &[u8; LEN], discriminator: usize, at: usize) -> U {
    U::decode_member(value_at(fixed, discriminator), &mut Decoder::new(fixed.get(at..).unwrap_or_default()))
}

/// The view of the value at `at` of a message's fixed part.
#[inline]
#[must_use]
pub fn view_at<'a, V: View<'a>, const LEN: usize>(fixed: &'a [u8; LEN], at: usize) -> V {
    V::read(&mut Decoder::new(fixed.get(at..).unwrap_or_default()))
}

/// The text of a string field: up to its first NUL. Bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn text(field: &[u8]) -> Cow<'_, str> {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end])
}

/// A list of fixed-size elements read in place.
pub struct Items<'a, T> {
    bytes: &'a [u8],
    element: PhantomData<fn() -> T>,
}

impl<'a, T: FixedSize> Items<'a, T> {
    /// The whole elements in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, element: PhantomData }
    }

    /// Number of elements.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.bytes.len().checked_div(T::MIN_LEN) {
            Some(len) => len,
            None => 0,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        let at = index.checked_mul(T::MIN_LEN)?;
        let bytes = self.bytes.get(at..)?.get(..T::MIN_LEN)?;
        (index < self.len()).then(|| T::decode(&mut Decoder::new(bytes)))
    }

    /// The elements in their order.
    #[must_use]
    pub fn iter(&self) -> ItemsIter<'a, T> {
        ItemsIter { input: Decoder::new(self.bytes), left: self.len(), element: PhantomData }
    }

    /// The elements as a vector.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }
}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Items<'_, T> {}

impl<T: FixedSize + fmt::Debug> fmt::Debug for Items<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: FixedSize> IntoIterator for Items<'a, T> {
    type Item = T;
    type IntoIter = ItemsIter<'a, T>;

    fn into_iter(self) -> ItemsIter<'a, T> {
        self.iter()
    }
}

/// The elements of [`Items`].
pub struct ItemsIter<'a, T> {
    input: Decoder<'a>,
    left: usize,
    element: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for ItemsIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemsIter").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<T: Wire> Iterator for ItemsIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        Some(T::decode(&mut self.input))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Wire> ExactSizeIterator for ItemsIter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_read_each_element_by_itself() {
        let items = Items::<u16>::new(&[0, 1, 0, 2, 9]);
        assert_eq!((items.len(), items.get(1), items.get(2)), (2, Some(2), None));
        assert_eq!(items.to_vec(), [1, 2]);
        assert_eq!(items.get(usize::MAX), None);
    }

    #[test]
    fn a_span_that_is_not_there_is_zeros_and_a_fault() {
        let mut input = Decoder::new(&[1, 2]);
        assert_eq!(input.span::<3>(), &[0; 3]);
        assert!(input.finish().is_err());
    }
}
