//! Two definitions become a plan.

use std::collections::HashMap;

use super::neutral::{self, Neutral};
use super::{
    Block, Convert, Elements, EnumMap, Extent, MappingError, Obstacle, Plan, Room, Rules, Target, Text,
    UnionMap, Write, fits,
};
use crate::codec::number;
use crate::compare::{integer, is_count};
use crate::model::{Api, EnumDef, Field, FieldType, MessageId, Scalar, TypeId, TypeKind, TypeRef};

/// The plan, and what has to hold for payloads.
pub(super) fn compile(
    from: &Api,
    message: MessageId,
    to: &Api,
    counterpart: MessageId,
    rules: Rules,
) -> Result<(Plan, Vec<String>), MappingError> {
    let (source, target) = (from.message(message), to.message(counterpart));
    let mut compiler = Compiler {
        from,
        to,
        rules,
        plan: Plan::default(),
        conditions: Vec::new(),
        blocks: HashMap::new(),
        identical: HashMap::new(),
        measured: HashMap::new(),
        path: Vec::new(),
    };
    let compiled = if source.header.context().is_some() != target.header.context().is_some() {
        Err(Obstacle::Header)
    } else if compiler.is_identical_block(&source.fields, &target.fields) {
        Ok(None)
    } else {
        compiler.block(&source.fields, &target.fields).map(Some)
    };
    match compiled {
        Ok(root) => Ok((Plan { root, ..compiler.plan }, compiler.conditions)),
        Err(obstacle) => Err(MappingError {
            message: source.name.clone(),
            counterpart: target.name.clone(),
            path: compiler.path(),
            obstacle: Box::new(obstacle),
        }),
    }
}

struct Compiler<'a> {
    from: &'a Api,
    to: &'a Api,
    rules: Rules,
    plan: Plan,
    conditions: Vec<String>,
    /// Pairs of structs that have a block: each is made once, for a type may hold another many times, level upon level.
    blocks: HashMap<(TypeId, TypeId), usize>,
    identical: HashMap<(TypeId, TypeId), bool>,
    measured: HashMap<TypeId, usize>,
    /// Where in the message the compiler is; kept as it is when it fails.
    path: Vec<String>,
}

/// The field that tells which member of a union counts.
#[derive(Clone, Copy)]
struct Selector {
    at: usize,
    repr: Scalar,
    ty: FieldType,
}

impl Compiler<'_> {
    fn path(&self) -> String {
        self.path.concat()
    }

    fn enter(&mut self, name: &str) {
        self.path.push(if self.path.is_empty() { name.to_owned() } else { format!(".{name}") });
    }

    fn condition(&mut self, text: &str) {
        let condition = format!("{} {text}", self.path());
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }

    fn block(&mut self, from: &[Field], to: &[Field]) -> Result<usize, Obstacle> {
        let mut block = Block::default();
        let is_common = |field: &Field| to.iter().any(|other| other.name == field.name);
        if !from.is_empty() && !to.is_empty() && !from.iter().any(is_common) {
            return Err(Obstacle::NothingInCommon);
        }
        for (at, field) in from.iter().enumerate() {
            let extent = self.extent(field.ty, from)?;
            block.source.push((field.name.clone(), extent));
            if !is_common(field) && !is_count(from, at) && self.rules != Rules::Answer {
                self.enter(&field.name);
                let neutral = neutral::neutral(self.from, field)
                    .map_err(|why| Obstacle::Missing { ty: self.from.type_text(field.ty, from), why })?;
                self.condition(&format!("is {}", shown(&neutral.bytes)));
                block.dropped.push((at, neutral.bytes));
                self.path.pop();
            }
        }
        for (at, field) in to.iter().enumerate() {
            self.enter(&field.name);
            let write = self.write(from, to, at)?;
            block.target.push(Target { name: field.name.clone(), write });
            self.path.pop();
        }
        self.plan.blocks.push(block);
        Ok(self.plan.blocks.len() - 1)
    }

    fn write(&mut self, from: &[Field], to: &[Field], there: usize) -> Result<Write, Obstacle> {
        let field = &to[there];
        let mut lists = to.iter().filter(|list| matches!(list.ty, FieldType::List(_, at) if at == there));
        if let Some(list) = lists.next() {
            let elements = self.elements(from, list);
            // One count of two lists, of which the source has one: no number is right.
            if lists.any(|other| self.elements(from, other) != elements) {
                return Err(Obstacle::Types {
                    from: "one list".to_owned(),
                    to: "two lists with one count".to_owned(),
                });
            }
            let repr = self.to.integer_repr(field.ty).unwrap_or(Scalar::U32);
            return Ok(Write::Count { elements, repr });
        }
        match from.iter().position(|source| source.name == field.name) {
            Some(at) => Ok(Write::Field { at, how: self.field(from, at, to, there)? }),
            None => self.absent(field, to).map(Write::Constant),
        }
    }

    /// What a field is that the source does not have.
    fn absent(&self, field: &Field, block: &[Field]) -> Result<Vec<u8>, Obstacle> {
        let missing = |why| Obstacle::Missing { ty: self.to.type_text(field.ty, block), why };
        let Neutral { bytes, has_index, has_unnamed, is_declared } =
            neutral::neutral(self.to, field).map_err(missing)?;
        let is_answer = self.rules != Rules::Request;
        if has_unnamed {
            return Err(missing("no member of the enum is zero"));
        }
        if has_index && !is_answer {
            return Err(missing("an index that the program did not write may name any object"));
        }
        if is_answer && field.name == "retval" {
            return Err(missing("it says whether the request was refused"));
        }
        if self.rules == Rules::StrictAnswer && !is_declared {
            return Err(missing("it has no declared default"));
        }
        Ok(bytes)
    }

    /// How many elements a list of the target gets.
    fn elements(&self, from: &[Field], list: &Field) -> Elements {
        let Some(source) = from.iter().find(|source| source.name == list.name) else {
            return Elements::Fixed(0);
        };
        match self.from.resolve(source.ty) {
            FieldType::Array(_, len) => Elements::Fixed(len as usize),
            FieldType::List(_, count) => {
                let repr = from.get(count).and_then(|count| self.from.integer_repr(count.ty));
                Elements::Counted { count, repr: repr.unwrap_or(Scalar::U32) }
            }
            // What else stands there does not become a list.
            _ => Elements::Fixed(0),
        }
    }

    fn field(&mut self, from: &[Field], at: usize, to: &[Field], there: usize) -> Result<Convert, Obstacle> {
        let (source, target) = (&from[at], &to[there]);
        if self.is_identical(source.ty, target.ty) {
            return Ok(Convert::Copy);
        }
        let selector = self.selector(from, source, to, target);
        let types = (self.from.resolve(source.ty), self.to.resolve(target.ty));
        let texts = (text(types.0), text(types.1));
        if let (Some(mine), Some(theirs)) = texts
            && !matches!((mine, theirs), (Text::Bytes(_), Text::Bytes(_)))
        {
            match theirs {
                Text::Fixed(len) => self.condition(&format!("is text of less than {len} bytes")),
                Text::Bytes(len) => self.condition(&format!("is text of at most {len} bytes")),
                Text::Long => {}
            }
            return Ok(Convert::Text { from: mine, to: theirs });
        }
        let (mine, theirs, elements, room) = match types {
            (FieldType::One(mine), FieldType::One(theirs)) => {
                return self.one(mine, theirs, selector);
            }
            (FieldType::Array(mine, len), FieldType::Array(theirs, other)) => {
                let pad = Field {
                    name: String::new(),
                    ty: FieldType::One(theirs),
                    default: None,
                    limit: None,
                    discriminator: None,
                    case: None,
                    completed: None,
                };
                let pad =
                    neutral::neutral(self.to, &pad).map_err(|_| Obstacle::TooMuch { max: 1 << 16 })?.bytes;
                if other < len {
                    self.condition(&format!("is zero behind the first {other} elements"));
                }
                (mine, theirs, Elements::Fixed(len as usize), Room::Padded(other as usize, pad))
            }
            (FieldType::List(mine, _), FieldType::Array(theirs, len)) => {
                self.condition(&format!("has {len} elements"));
                (mine, theirs, self.elements(from, source), Room::Exactly(len as usize))
            }
            (FieldType::Array(mine, _) | FieldType::List(mine, _), FieldType::List(theirs, _)) => {
                (mine, theirs, self.elements(from, source), Room::List)
            }
            _ => {
                return Err(Obstacle::Types {
                    from: self.from.type_text(source.ty, from),
                    to: self.to.type_text(target.ty, to),
                });
            }
        };
        self.path.push("[]".to_owned());
        let how = Box::new(self.one(mine, theirs, selector)?);
        let extent = Box::new(self.extent(FieldType::One(mine), from)?);
        self.path.pop();
        Ok(Convert::Elements { elements, extent, how, room })
    }

    /// Which field of the source tells the member of a union. A definition that does not say takes what the other side
    /// says, by names.
    fn selector(&self, from: &[Field], source: &Field, to: &[Field], target: &Field) -> Option<Selector> {
        let theirs = target.discriminator.map(|at| to[at].name.as_str());
        let mine = source.discriminator.map(|at| from[at].name.as_str());
        let name = match (mine, theirs) {
            (Some(mine), Some(theirs)) if mine != theirs => return None,
            (mine, theirs) => mine.or(theirs)?,
        };
        let at = from.iter().position(|field| field.name == name)?;
        // The target's discriminator is written from the same field.
        to.iter().find(|field| field.name == name)?;
        Some(Selector { at, repr: self.from.integer_repr(from[at].ty)?, ty: from[at].ty })
    }

    fn one(
        &mut self,
        mine: TypeRef,
        theirs: TypeRef,
        selector: Option<Selector>,
    ) -> Result<Convert, Obstacle> {
        let types = (self.from.resolve(FieldType::One(mine)), self.to.resolve(FieldType::One(theirs)));
        if self.is_identical(types.0, types.1) {
            return Ok(Convert::Copy);
        }
        let different = |this: &Self| Obstacle::Types {
            from: this.from.type_text(FieldType::One(mine), &[]),
            to: this.to.type_text(FieldType::One(theirs), &[]),
        };
        let (FieldType::One(mine), FieldType::One(theirs)) = types else { return Err(different(self)) };
        if let (Some(from), Some(to)) = (integer(self.from, mine), integer(self.to, theirs)) {
            let names = match (enum_of(self.from, mine), enum_of(self.to, theirs)) {
                (Some(from), Some(to)) => Some(self.names(from, to)),
                _ => None,
            };
            if !covers(from, to) {
                self.condition(&format!("fits {to}"));
            }
            return Ok(Convert::Integer { from, to, names });
        }
        let (TypeRef::Named(mine), TypeRef::Named(theirs)) = (mine, theirs) else {
            return Err(different(self));
        };
        // The definitions outlive the compiler's borrow of itself.
        let (from, to) = (self.from, self.to);
        match (&from.ty(mine).kind, &to.ty(theirs).kind) {
            (TypeKind::Struct(source), TypeKind::Struct(target)) => {
                if let Some(&block) = self.blocks.get(&(mine, theirs)) {
                    return Ok(Convert::Struct(block));
                }
                let block = self.block(source, target)?;
                self.blocks.insert((mine, theirs), block);
                Ok(Convert::Struct(block))
            }
            (TypeKind::Union(source), TypeKind::Union(target)) => {
                let lens = (from.layout_of_type(mine).min_len(), to.layout_of_type(theirs).min_len());
                self.union(source, target, lens, selector.ok_or(Obstacle::NoDiscriminator)?)
            }
            _ => Err(different(self)),
        }
    }

    fn union(
        &mut self,
        from: &[Field],
        to: &[Field],
        (from_len, to_len): (usize, usize),
        selector: Selector,
    ) -> Result<Convert, Obstacle> {
        let mut cases = Vec::new();
        for member in from {
            let namesake = to.iter().find(|other| other.name == member.name);
            let case = member.case.as_deref().or(namesake.and_then(|other| other.case.as_deref()));
            let case = case.ok_or(Obstacle::NoDiscriminator)?;
            let value = self.from.case_value(selector.ty, case).ok_or(Obstacle::NoDiscriminator)?;
            let theirs = to.iter().find(|other| other.case.as_deref() == Some(case)).or(namesake);
            self.enter(&member.name);
            let extent = self.extent(member.ty, from)?;
            let how = match theirs {
                Some(theirs) => {
                    Some(self.field(std::slice::from_ref(member), 0, std::slice::from_ref(theirs), 0)?)
                }
                None => {
                    self.condition("is not the member that counts");
                    None
                }
            };
            self.path.pop();
            cases.push((value, member.name.clone(), how, extent));
        }
        self.plan.unions.push(UnionMap { from_len, to_len, cases });
        let map = self.plan.unions.len() - 1;
        Ok(Convert::Union { map, discriminator: selector.at, repr: selector.repr })
    }

    /// The values of one enum by the names of the other.
    fn names(&mut self, from: &EnumDef, to: &EnumDef) -> usize {
        let is_open = self.rules == Rules::Answer;
        let is_flags = from.is_flags && to.is_flags;
        let bits = |repr: Scalar, value: i128| {
            let value = number::wrap(repr, value);
            if is_flags { value & ((1 << (8 * repr.size())) - 1) } else { value }
        };
        let mut members = Vec::with_capacity(from.members.len());
        let mut lacking = Vec::new();
        for (name, value) in &from.members {
            let theirs = to.members.iter().find(|(other, _)| other == name);
            if theirs.is_none() {
                lacking.push(name.as_str());
            }
            let theirs = theirs.map(|(_, value)| bits(to.repr, *value));
            members.push((bits(from.repr, *value), name.clone(), theirs));
        }
        if !lacking.is_empty() && !is_open {
            self.condition(&format!("is not {}", lacking.join(" or ")));
        }
        let taken = to.members.iter().map(|(_, value)| bits(to.repr, *value)).filter(|value| *value != 0);
        let taken = if is_flags {
            taken.collect()
        } else {
            to.members.iter().map(|(_, value)| bits(to.repr, *value)).collect()
        };
        self.plan.enums.push(EnumMap { is_flags, members, taken, is_open });
        self.plan.enums.len() - 1
    }

    fn extent(&mut self, ty: FieldType, block: &[Field]) -> Result<Extent, Obstacle> {
        if let Some(len) = self.from.layout_of(ty).fixed_len() {
            return Ok(Extent::Fixed(len));
        }
        Ok(match self.from.resolve(ty) {
            FieldType::LongString => Extent::LongString,
            FieldType::List(element, count) => {
                let repr = block.get(count).and_then(|count| self.from.integer_repr(count.ty));
                let no_count = || Obstacle::Types { from: "a list".to_owned(), to: "no count".to_owned() };
                Extent::List {
                    count,
                    repr: repr.ok_or_else(no_count)?,
                    min_len: self.from.layout_of_ref(element).min_len(),
                    element: Box::new(self.extent(FieldType::One(element), block)?),
                }
            }
            FieldType::Array(element, len) => {
                let min_len = self.from.layout_of_ref(element).min_len();
                Extent::Array(len as usize, min_len, Box::new(self.extent(FieldType::One(element), block)?))
            }
            FieldType::One(TypeRef::Named(id)) => Extent::Measured(self.measure(id)?),
            FieldType::One(TypeRef::Scalar(scalar)) => Extent::Fixed(scalar.size()),
            FieldType::FixedString(len) => Extent::Fixed(len as usize),
        })
    }

    fn measure(&mut self, id: TypeId) -> Result<usize, Obstacle> {
        if let Some(&measured) = self.measured.get(&id) {
            return Ok(measured);
        }
        let from = self.from;
        let mut extents = Vec::new();
        // Unions and enums have one size.
        if let TypeKind::Struct(fields) = &from.ty(id).kind {
            for field in fields {
                extents.push(self.extent(field.ty, fields)?);
            }
        }
        self.plan.measures.push(extents);
        self.measured.insert(id, self.plan.measures.len() - 1);
        Ok(self.plan.measures.len() - 1)
    }

    fn is_identical_block(&mut self, from: &[Field], to: &[Field]) -> bool {
        from.len() == to.len()
            && from
                .iter()
                .zip(to)
                .all(|(mine, theirs)| mine.name == theirs.name && self.is_identical(mine.ty, theirs.ty))
    }

    /// Whether the bytes of two types stand alike and mean the same. The elements of a list, whatever counts them.
    fn is_identical(&mut self, from: FieldType, to: FieldType) -> bool {
        match (self.from.resolve(from), self.to.resolve(to)) {
            (FieldType::One(mine), FieldType::One(theirs))
            | (FieldType::List(mine, _), FieldType::List(theirs, _)) => self.is_same(mine, theirs),
            (FieldType::Array(mine, len), FieldType::Array(theirs, other)) => {
                len == other && self.is_same(mine, theirs)
            }
            (mine, theirs) => mine == theirs,
        }
    }

    fn is_same(&mut self, mine: TypeRef, theirs: TypeRef) -> bool {
        let (mine, theirs) = match (mine, theirs) {
            (TypeRef::Named(mine), TypeRef::Named(theirs)) => (mine, theirs),
            (TypeRef::Scalar(mine), TypeRef::Scalar(theirs)) => return mine == theirs,
            // Another name for a base type on one side.
            _ => {
                let types =
                    (self.from.resolve(FieldType::One(mine)), self.to.resolve(FieldType::One(theirs)));
                return matches!(types, (
                    FieldType::One(TypeRef::Scalar(mine)), FieldType::One(TypeRef::Scalar(theirs)),
                ) if mine == theirs);
            }
        };
        if let Some(&is_same) = self.identical.get(&(mine, theirs)) {
            return is_same;
        }
        let (from, to) = (self.from, self.to);
        let is_same = match (&from.ty(mine).kind, &to.ty(theirs).kind) {
            (TypeKind::Struct(mine), TypeKind::Struct(theirs))
            | (TypeKind::Union(mine), TypeKind::Union(theirs)) => self.is_identical_block(mine, theirs),
            (TypeKind::Enum(mine), TypeKind::Enum(theirs)) => {
                mine.repr == theirs.repr && mine.members.iter().all(|member| theirs.members.contains(member))
            }
            (TypeKind::Alias(mine), theirs_kind) => {
                let other = match theirs_kind {
                    TypeKind::Alias(target) => *target,
                    _ => FieldType::One(TypeRef::Named(theirs)),
                };
                self.is_identical(*mine, other)
            }
            (_, TypeKind::Alias(target)) => self.is_identical(FieldType::One(TypeRef::Named(mine)), *target),
            _ => false,
        };
        self.identical.insert((mine, theirs), is_same);
        is_same
    }
}

impl PartialEq for Elements {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fixed(mine), Self::Fixed(theirs)) => mine == theirs,
            (Self::Counted { count: mine, .. }, Self::Counted { count: theirs, .. }) => mine == theirs,
            _ => false,
        }
    }
}

fn text(ty: FieldType) -> Option<Text> {
    match ty {
        FieldType::FixedString(len) => Some(Text::Fixed(len as usize)),
        FieldType::LongString => Some(Text::Long),
        FieldType::Array(TypeRef::Scalar(Scalar::U8), len) => Some(Text::Bytes(len as usize)),
        _ => None,
    }
}

fn enum_of(api: &Api, ty: TypeRef) -> Option<&EnumDef> {
    match ty {
        TypeRef::Named(id) => match &api.ty(id).kind {
            TypeKind::Enum(definition) => Some(definition),
            _ => None,
        },
        TypeRef::Scalar(_) => None,
    }
}

/// Whether every number of one scalar is one of the other.
fn covers(from: Scalar, to: Scalar) -> bool {
    let (from_bits, to_bits) = (8 * from.size() as u32, 8 * to.size() as u32);
    match (from, to) {
        (Scalar::Bool, _) => true,
        (_, Scalar::Bool) => false,
        _ if from.is_signed() == to.is_signed() => to_bits >= from_bits,
        _ => !from.is_signed() && to_bits > from_bits && fits(to, (1 << from_bits) - 1),
    }
}

/// Bytes as a person reads them: a number, or hexadecimal.
pub(super) fn shown(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    match bytes {
        [] => "empty".to_owned(),
        _ if bytes.iter().all(|byte| *byte == 0) => "zero".to_owned(),
        _ if bytes.len() <= 8 => {
            bytes.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte)).to_string()
        }
        _ => {
            let hex: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
            let rest = if bytes.len() > SHOWN { "…" } else { "" };
            format!("0x{hex}{rest}")
        }
    }
}
