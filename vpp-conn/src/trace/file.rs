//! The file that VPP's `api trace save` writes, and `api trace replay` reads.
//!
//! Seen on 26.06, numbers big endian unless said otherwise:
//!
//! | Bytes | Content |
//! |---|---|
//! | 4 | number of messages |
//! | 4 | length of the message table |
//! | 1 | whether older messages were overwritten |
//! | … | the message table: a count of 4 bytes, then for each message its id and `<name>_<crc>`, both in VPP's serialisation |
//! | … | for each message its length in 4 bytes and the message, from its id on |
//!
//! VPP's serialisation of a small number, little endian: one byte `2n + 1` below 2^7; two bytes `4(n - 2^7) + 2`; four
//! bytes `8(n - 2^7 - 2^14) + 4`; else a zero byte and eight bytes. A text is its length and its bytes.

use bytes::{Buf, BufMut, Bytes};

use crate::table::MessageTable;

/// Messages that VPP recorded, with the ids that VPP gave them.
#[derive(Debug)]
pub struct ApiTrace {
    is_wrapped: bool,
    table: MessageTable,
    messages: Vec<Bytes>,
}

/// Why a file is no API trace of VPP's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiTraceError {
    /// It ends within something. A trace that VPP was still writing looks like this.
    #[error(
        "the API trace ends within {within}, at byte {at}: the file was cut off, or is no `api trace save` file"
    )]
    CutOff {
        /// What is incomplete.
        within: &'static str,
        /// Where that begins, in bytes from the start of the file.
        at: usize,
    },
    /// A name of the message table is no text.
    #[error("the API trace has a name at byte {at} that is no text: the file is no `api trace save` file")]
    Name {
        /// Where, in bytes from the start of the file.
        at: usize,
    },
    /// A message is too short to have an id, or too long for the format.
    #[error("message {index} of the API trace has {len} bytes: the file is no `api trace save` file")]
    Length {
        /// The message's place, from 0.
        index: usize,
        /// Its length.
        len: usize,
    },
}

impl ApiTrace {
    /// Reads a file's content. Messages are not copied.
    ///
    /// # Errors
    ///
    /// When it is no API trace, or not all of one.
    pub fn parse(content: Bytes) -> Result<Self, ApiTraceError> {
        let mut input = Input { len: content.len(), rest: content };
        let count = input.u32("the header")?;
        let table_len = input.u32("the header")? as usize;
        let is_wrapped = input.take(1, "the header")?[0] != 0;
        let table_at = input.at();
        let table = input.take(table_len, "the message table")?;
        let table = read_table(Input { len: table_at + table.len(), rest: table })?;
        let mut messages = Vec::new();
        for index in 0..count as usize {
            let len = input.u32("a message's length")? as usize;
            if len < 2 {
                return Err(ApiTraceError::Length { index, len });
            }
            messages.push(input.take(len, "a message")?);
        }
        Ok(Self { is_wrapped, table, messages })
    }

    /// Whether older messages were overwritten, so that the trace does not begin with the first.
    #[must_use]
    pub fn is_wrapped(&self) -> bool {
        self.is_wrapped
    }

    /// The messages of the VPP that recorded, with the ids it gave them.
    #[must_use]
    pub fn table(&self) -> &MessageTable {
        &self.table
    }

    /// The messages of the VPP that recorded.
    #[must_use]
    pub fn into_table(self) -> MessageTable {
        self.table
    }

    /// What was recorded, oldest first: whole messages, from their id on.
    #[must_use]
    pub fn messages(&self) -> &[Bytes] {
        &self.messages
    }

    /// The file of messages that were recorded elsewhere. VPP reads it with `api trace replay`.
    ///
    /// # Errors
    ///
    /// When a message has no id, or more bytes than a length of 4 bytes tells.
    pub fn write<'a>(
        table: &MessageTable,
        messages: impl ExactSizeIterator<Item = &'a [u8]>,
        is_wrapped: bool,
    ) -> Result<Vec<u8>, ApiTraceError> {
        let mut rows = Vec::new();
        // A table has at most 2^16 messages, since ids have two bytes.
        rows.put_u32(table.len() as u32);
        for entry in table.iter() {
            put_small(&mut rows, u64::from(entry.id));
            let name = format!("{}_{:08x}", entry.name, entry.crc);
            put_small(&mut rows, name.len() as u64);
            rows.put_slice(name.as_bytes());
        }
        let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let mut file = Vec::new();
        file.put_u32(count);
        file.put_u32(rows.len() as u32);
        file.put_u8(is_wrapped.into());
        file.put_slice(&rows);
        for (index, message) in messages.take(count as usize).enumerate() {
            let len = u32::try_from(message.len()).ok().filter(|len| *len >= 2);
            file.put_u32(len.ok_or(ApiTraceError::Length { index, len: message.len() })?);
            file.put_slice(message);
        }
        Ok(file)
    }
}

fn read_table(mut input: Input) -> Result<MessageTable, ApiTraceError> {
    const WITHIN: &str = "the message table";
    let count = input.u32(WITHIN)?;
    let mut rows = Vec::new();
    for _ in 0..count {
        let id = input.small(WITHIN)?;
        let len = input.small(WITHIN)?;
        let at = input.at();
        let cut_off = ApiTraceError::CutOff { within: WITHIN, at };
        let name = input.take(usize::try_from(len).map_err(|_| cut_off)?, WITHIN)?;
        let name = String::from_utf8(name.to_vec()).map_err(|_| ApiTraceError::Name { at })?;
        // What has an id that no message can have cannot be in the trace.
        if let Ok(id) = u16::try_from(id) {
            rows.push((id, name));
        }
    }
    Ok(MessageTable::new(rows.iter().map(|(id, name)| (*id, name.as_str()))))
}

/// Bytes of a file that are not read yet.
struct Input {
    /// Of the file up to the end of `rest`.
    len: usize,
    rest: Bytes,
}

impl Input {
    /// Where `rest` begins in the file.
    fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    fn take(&mut self, len: usize, within: &'static str) -> Result<Bytes, ApiTraceError> {
        if len > self.rest.len() {
            return Err(ApiTraceError::CutOff { within, at: self.at() });
        }
        Ok(self.rest.split_to(len))
    }

    fn u32(&mut self, within: &'static str) -> Result<u32, ApiTraceError> {
        Ok(self.take(4, within)?.get_u32())
    }

    /// A number in VPP's serialisation.
    fn small(&mut self, within: &'static str) -> Result<u64, ApiTraceError> {
        let first = u64::from(self.take(1, within)?[0]);
        if first & 1 != 0 {
            return Ok(first / 2);
        }
        if first & 2 != 0 {
            let second = u64::from(self.take(1, within)?[0]);
            return Ok((1 << 7) + first / 4 + (second << 6));
        }
        if first & 4 != 0 {
            let rest = self.take(3, within)?.get_uint_le(3);
            return Ok((1 << 7) + (1 << 14) + first / 8 + (rest << 5));
        }
        Ok(self.take(8, within)?.get_u64_le())
    }
}

fn put_small(out: &mut Vec<u8>, number: u64) {
    const ONE: u64 = 1 << 7;
    const TWO: u64 = ONE + (1 << 14);
    const FOUR: u64 = TWO + (1 << 29);
    // The arms say that what is cut off is zero.
    match number {
        0..ONE => out.put_u8((2 * number + 1) as u8),
        ONE..TWO => out.put_u16_le((4 * (number - ONE) + 2) as u16),
        TWO..FOUR => out.put_u32_le((8 * (number - TWO) + 4) as u32),
        _ => {
            out.put_u8(0);
            out.put_u64_le(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table() -> MessageTable {
        MessageTable::new([(23, "control_ping_51077d14"), (910, "show_version_51077d14")])
    }

    #[test]
    fn the_format_is_vpps() {
        // Counted by hand; that VPP reads what is written and writes what is read is tested on a real one.
        let ping = [0, 23, 0x80, 0, 0, 1, 0, 0, 0, 42];
        let file = ApiTrace::write(&table(), [&ping[..]].into_iter(), true).unwrap();
        let row = |id: &[u8], name: &str| [id, &[43], name.as_bytes()].concat();
        // 910 = 128 + 782, 4 * 782 + 2 = 0x0c3a.
        let rows =
            [row(&[47], "control_ping_51077d14"), row(&[0x3a, 0x0c], "show_version_51077d14")].concat();
        let head = [&[0, 0, 0, 1, 0, 0, 0, 4 + rows.len() as u8, 1, 0, 0, 0, 2], &rows[..]].concat();
        assert_eq!(file, [&head[..], &[0, 0, 0, 10], &ping].concat());

        let trace = ApiTrace::parse(file.into()).unwrap();
        assert!(trace.is_wrapped());
        assert_eq!(trace.messages(), [Bytes::copy_from_slice(&ping)]);
        assert_eq!(trace.table().by_id(910).unwrap().name.as_ref(), "show_version");
    }

    #[test]
    fn a_file_that_is_cut_off_says_where() {
        let messages = [&[0, 23, 1][..], &[3, 142]];
        let file = Bytes::from(ApiTrace::write(&table(), messages.into_iter(), false).unwrap());
        for len in 0..file.len() {
            let error = ApiTrace::parse(file.slice(..len)).unwrap_err();
            let ApiTraceError::CutOff { at, .. } = error else { panic!("{error}") };
            assert!(at <= len, "{error} of {len}");
        }
        assert_eq!(
            ApiTrace::parse(file.slice(..6)).unwrap_err().to_string(),
            "the API trace ends within the header, at byte 4: the file was cut off, or is no `api trace save` file"
        );
        let short = ApiTrace::write(&table(), [&[1][..]].into_iter(), false).unwrap_err();
        assert_eq!(short, ApiTraceError::Length { index: 0, len: 1 });
    }

    proptest! {
        #[test]
        fn small_numbers_come_back(number: u64, shift in 0..64_u32) {
            let mut bytes = Vec::new();
            put_small(&mut bytes, number >> shift);
            let mut input = Input { len: bytes.len(), rest: bytes.into() };
            prop_assert_eq!(input.small("a number"), Ok(number >> shift));
            prop_assert!(input.rest.is_empty());
        }

        #[test]
        fn no_file_panics_or_asks_for_memory(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _trace = ApiTrace::parse(bytes.clone().into());
            // As far into the file as bytes by chance never come.
            let _trace = ApiTrace::parse([&[0, 0, 0, 9, 0, 0, 0, 40, 0, 0, 0, 0, 9][..], &bytes].concat().into());
        }
    }
}
