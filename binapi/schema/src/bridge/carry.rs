//! A plan carried out on a payload.

use super::compile::shown;
use super::{Convert, Elements, Extent, Obstacle, Plan, Room, Target, Text, Write, fits};
use vpp_wire::json::MAX_PAYLOAD as MAX_LEN;

use crate::codec::number;
use crate::model::Scalar;

/// What stands in the way of a payload.
pub(super) struct Fault {
    /// Where, the innermost first.
    steps: Vec<Step>,
    pub(super) obstacle: Obstacle,
}

enum Step {
    Field(String),
    Index(usize),
}

type Carried<T> = Result<T, Box<Fault>>;

impl Fault {
    fn new(obstacle: Obstacle) -> Box<Self> {
        Box::new(Self { steps: Vec::new(), obstacle })
    }

    fn in_field(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.steps.push(Step::Field(name.to_owned()));
        self
    }

    fn at_index(mut self: Box<Self>, index: usize) -> Box<Self> {
        self.steps.push(Step::Index(index));
        self
    }

    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// Carries one payload over.
pub(super) struct Carrier<'a> {
    plan: &'a Plan,
    input: &'a [u8],
    out: Vec<u8>,
    /// Where the fields of the blocks begin that are being read, the outermost block first.
    starts: Vec<usize>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(plan: &'a Plan, input: &'a [u8]) -> Self {
        Self { plan, input, out: Vec::with_capacity(input.len() + 32), starts: Vec::with_capacity(32) }
    }

    pub(super) fn run(mut self, root: usize) -> Carried<Vec<u8>> {
        self.block(root, 0, self.input.len())?;
        Ok(self.out)
    }

    fn block(&mut self, block: usize, mut at: usize, end: usize) -> Carried<()> {
        let block = &self.plan.blocks[block];
        let base = self.starts.len();
        for (name, extent) in &block.source {
            self.starts.push(at);
            at = self.reach(extent, at, end, base).map_err(|fault| fault.in_field(name))?;
        }
        self.starts.push(at);
        for (index, neutral) in &block.dropped {
            let given = &self.input[self.starts[base + index]..self.starts[base + index + 1]];
            if given != neutral {
                let obstacle = Obstacle::Dropped { value: shown(given), neutral: shown(neutral) };
                return Err(Fault::new(obstacle).in_field(&block.source[*index].0));
            }
        }
        for Target { name, write } in &block.target {
            self.write(write, base).map_err(|fault| fault.in_field(name))?;
        }
        self.starts.truncate(base);
        Ok(())
    }

    fn write(&mut self, write: &Write, base: usize) -> Carried<()> {
        match write {
            Write::Constant(bytes) => self.push(bytes),
            Write::Count { elements, repr } => {
                let len = self.count(*elements, base)?;
                if !fits(*repr, len as i128) {
                    let max = (1 << (8 * repr.size() - usize::from(repr.is_signed()))) - 1;
                    return Err(Fault::new(Obstacle::TooLong { what: "elements", len, max }));
                }
                number::write(*repr, len as i128, &mut self.out);
                Ok(())
            }
            Write::Field { at, how } => {
                let (start, stop) = (self.starts[base + at], self.starts[base + at + 1]);
                self.convert(how, start, stop, base)
            }
        }
    }

    /// What stands from `at` up to `stop`.
    fn convert(&mut self, how: &Convert, at: usize, stop: usize, base: usize) -> Carried<()> {
        match how {
            Convert::Copy => self.push(&self.input[at..stop]),
            Convert::Integer { from, to, names } => {
                let value = number::read(*from, &self.input[at..stop]);
                let value = match (names, from) {
                    (Some(names), _) => self.named(*names, *from, value)?,
                    (None, Scalar::Bool) => i128::from(value != 0),
                    (None, _) => value,
                };
                // Bits above the sign are the same bits.
                let is_flags = names.is_some_and(|names| self.plan.enums[names].is_flags);
                let limit = if is_flags { value >> (8 * to.size()) == 0 } else { fits(*to, value) };
                if !limit {
                    return Err(Fault::new(Obstacle::TooLarge { value, to: to.name() }));
                }
                number::write(*to, number::wrap(*to, value), &mut self.out);
                Ok(())
            }
            Convert::Struct(block) => self.block(*block, at, stop),
            Convert::Union { map, discriminator, repr } => {
                self.union(*map, self.starts[base + discriminator], *repr, at)
            }
            Convert::Text { from, to } => self.text(*from, *to, &self.input[at..stop]),
            Convert::Elements { elements, extent, how, room } => {
                let len = self.count(*elements, base)?;
                self.elements(len, extent, how, room, at, stop, base)
            }
        }
    }

    fn named(&self, names: usize, from: Scalar, value: i128) -> Carried<i128> {
        let names = &self.plan.enums[names];
        let value = if names.is_flags { value & ((1 << (8 * from.size())) - 1) } else { value };
        names.map(value).map_err(Fault::new)
    }

    fn union(&mut self, map: usize, discriminator: usize, repr: Scalar, at: usize) -> Carried<()> {
        let map = &self.plan.unions[map];
        let stop = at + map.from_len;
        let value = self.integer(discriminator, repr)?;
        let end = self.out.len() + map.to_len;
        match map.cases.iter().find(|(case, ..)| *case == value) {
            Some((_, name, Some(how), extent)) => {
                // A member is the only field of its block.
                let base = self.starts.len();
                self.starts.push(at);
                let member = self.reach(extent, at, stop, base);
                member
                    .and_then(|stop| self.convert(how, at, stop, base))
                    .map_err(|fault| fault.in_field(name))?;
                self.starts.truncate(base);
            }
            Some((_, name, None, _)) => {
                return Err(Fault::new(Obstacle::NoMember { member: name.clone() }));
            }
            None if self.input[at..stop].iter().all(|byte| *byte == 0) => {}
            None => return Err(Fault::new(Obstacle::NoMember { member: value.to_string() })),
        }
        self.pad(end)
    }

    fn text(&mut self, from: Text, to: Text, bytes: &[u8]) -> Carried<()> {
        let bytes = match from {
            // Behind the NUL is what was there before.
            Text::Fixed(_) => until_nul(bytes),
            Text::Bytes(_) | Text::Long => {
                let bytes = if matches!(from, Text::Long) { &bytes[4..] } else { bytes };
                let text = until_nul(bytes);
                if bytes[text.len()..].iter().any(|byte| *byte != 0) {
                    return Err(Fault::new(Obstacle::NotText));
                }
                text
            }
        };
        let max = match to {
            Text::Fixed(len) => len.saturating_sub(1),
            Text::Bytes(len) => len,
            Text::Long => MAX_LEN,
        };
        if bytes.len() > max {
            return Err(Fault::new(Obstacle::TooLong { what: "bytes", len: bytes.len(), max }));
        }
        let start = self.out.len();
        match to {
            Text::Fixed(len) | Text::Bytes(len) => {
                self.push(bytes)?;
                self.pad(start + len)
            }
            Text::Long => {
                number::write(Scalar::U32, bytes.len() as i128, &mut self.out);
                self.push(bytes)
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // what an array is, and where it stands
    fn elements(
        &mut self,
        len: usize,
        extent: &Extent,
        how: &Convert,
        room: &Room,
        mut at: usize,
        stop: usize,
        base: usize,
    ) -> Carried<()> {
        let too_long = |max| Fault::new(Obstacle::TooLong { what: "elements", len, max });
        let kept = match room {
            Room::List => len,
            Room::Exactly(exactly) if *exactly == len => len,
            Room::Exactly(max) => return Err(too_long(*max)),
            Room::Padded(max, _) => len.min(*max),
        };
        for index in 0..len {
            let next = self.reach(extent, at, stop, base).map_err(|fault| fault.at_index(index))?;
            if index < kept {
                self.convert(how, at, next, base).map_err(|fault| fault.at_index(index))?;
            } else if self.input[at..next].iter().any(|byte| *byte != 0) {
                return Err(too_long(kept));
            }
            at = next;
        }
        if let Room::Padded(max, pad) = room {
            for _ in kept..*max {
                self.push(pad)?;
            }
        }
        Ok(())
    }

    /// Where a value ends that begins at `at`.
    fn reach(&mut self, extent: &Extent, mut at: usize, end: usize, base: usize) -> Carried<usize> {
        let truncated = || Fault::new(Obstacle::Truncated);
        let room = end - at;
        match extent {
            Extent::Fixed(len) if *len <= room => Ok(at + len),
            Extent::Fixed(_) => Err(truncated()),
            Extent::LongString => {
                let len = self.input[at..end].first_chunk().copied().map(u32::from_be_bytes);
                let len = len.ok_or_else(truncated)? as usize;
                if len > room - 4 { Err(truncated()) } else { Ok(at + 4 + len) }
            }
            Extent::Measured(measure) => {
                let base = self.starts.len();
                for extent in &self.plan.measures[*measure] {
                    self.starts.push(at);
                    at = self.reach(extent, at, end, base)?;
                }
                self.starts.truncate(base);
                Ok(at)
            }
            Extent::Array(len, min_len, element) => self.several(*len, *min_len, element, at, end, base),
            Extent::List { count, repr, min_len, element } => {
                let len = self.count(Elements::Counted { count: *count, repr: *repr }, base)?;
                self.several(len, *min_len, element, at, end, base)
            }
        }
    }

    fn several(
        &mut self,
        len: usize,
        min_len: usize,
        element: &Extent,
        mut at: usize,
        end: usize,
        base: usize,
    ) -> Carried<usize> {
        // Before anything is made of it, for a peer may claim any number.
        let least = len.saturating_mul(min_len.max(1));
        if least > end - at {
            return Err(Fault::new(Obstacle::Truncated));
        }
        if matches!(element, Extent::Fixed(_)) {
            return Ok(at + len * min_len);
        }
        for _ in 0..len {
            at = self.reach(element, at, end, base)?;
        }
        Ok(at)
    }

    fn count(&self, elements: Elements, base: usize) -> Carried<usize> {
        match elements {
            Elements::Fixed(len) => Ok(len),
            Elements::Counted { count, repr } => {
                let start = self.starts.get(base + count);
                let start = *start.ok_or_else(|| Fault::new(Obstacle::Truncated))?;
                // A negative one counts nothing.
                Ok(usize::try_from(self.integer(start, repr)?).unwrap_or(0))
            }
        }
    }

    fn integer(&self, at: usize, repr: Scalar) -> Carried<i128> {
        let bytes = self.input.get(at..at + repr.size());
        bytes.map(|bytes| number::read(repr, bytes)).ok_or_else(|| Fault::new(Obstacle::Truncated))
    }

    fn push(&mut self, bytes: &[u8]) -> Carried<()> {
        if bytes.len() > MAX_LEN - self.out.len().min(MAX_LEN) {
            return Err(Fault::new(Obstacle::TooMuch { max: MAX_LEN }));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Zeros up to that length.
    fn pad(&mut self, len: usize) -> Carried<()> {
        if len > MAX_LEN {
            return Err(Fault::new(Obstacle::TooMuch { max: MAX_LEN }));
        }
        self.out.resize(len.max(self.out.len()), 0);
        Ok(())
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.iter().position(|byte| *byte == 0).map_or(bytes, |len| &bytes[..len])
}
