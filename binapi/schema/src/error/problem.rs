//! What is wrong with a definition, in whatever form it is written.

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file as a whole has another shape than VPP's.
    #[error("{what} should be {expected}; is this one of VPP's *.api.json?")]
    NotDefinitions {
        /// The part: `"messages"`.
        what: String,
        /// Its shape: `a list`.
        expected: &'static str,
    },
    /// A part of a definition has another shape than VPP's.
    #[error("{what} should be {expected}")]
    Shape {
        /// The part: `a field`.
        what: String,
        /// Its shape: `a list [type, name, …]`.
        expected: &'static str,
    },
    /// A name that could not be one in C.
    #[error("{name:?} is no name; names are made of letters, digits and _")]
    Name {
        /// The name.
        name: String,
    },
    /// A name is defined twice in one file, differently.
    #[error("defined twice, differently; keep one definition")]
    DefinedTwice,
    /// Two fields or enumerators of one name.
    #[error("{name} occurs twice")]
    Repeated {
        /// The name.
        name: String,
    },
    /// No file defines a type.
    #[error("type {name} is defined neither here nor by an import; add the file that defines it")]
    UnknownType {
        /// The type as it is written.
        name: String,
    },
    /// Two imports define a type differently.
    #[error("type {name} is defined differently by {first} and by {second}, which are both imported")]
    AmbiguousType {
        /// The type.
        name: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A type contains itself.
    #[error("type {name} would contain itself")]
    Cycle {
        /// The type.
        name: String,
    },
    /// Types within types without end.
    #[error("types are nested deeper than {limit}")]
    TooDeep {
        /// The deepest allowed.
        limit: usize,
    },
    /// `crc` is missing or no hexadecimal number of 32 bits.
    #[error("its CRC should be eight hexadecimal digits, as in \"0x51077d14\"; found {found}")]
    Crc {
        /// What stands there.
        found: String,
    },
    /// The length of an array is 0, and no field counts it.
    #[error("an array needs a length or the field that counts it")]
    NoLength,
    /// A length or limit that is no number of 32 bits.
    #[error("{found} is not a length")]
    Length {
        /// What stands there.
        found: String,
    },
    /// The elements of an array take no bytes.
    #[error("its elements would take no bytes")]
    EmptyElement,
    /// The field that counts an array is missing.
    #[error("there is no field {name} before it that could count it")]
    NoCount {
        /// The count field.
        name: String,
    },
    /// The field that counts an array is not an integer.
    #[error("the field {name} that counts it is not an integer")]
    CountType {
        /// The count field.
        name: String,
    },
    /// A discriminator is missing.
    #[error("there is no field {name} before it that could be its discriminator")]
    NoDiscriminator {
        /// The discriminator.
        name: String,
    },
    /// A discriminator is not an enum.
    #[error("its discriminator {name} is not an enum")]
    DiscriminatorType {
        /// The discriminator.
        name: String,
    },
    /// A discriminator on something that is no union.
    #[error("has a discriminator, but is not a union")]
    NotUnion,
    /// A `case` names no enumerator of the discriminator.
    #[error(
        "the case {case} of the union's member {member} is no enumerator of the discriminator {discriminator}"
    )]
    Case {
        /// The case.
        case: String,
        /// The union's member.
        member: String,
        /// The discriminator.
        discriminator: String,
    },
    /// Two members of a union have the same `case`.
    #[error("two members of the union have the case {case}")]
    RepeatedCase {
        /// The case.
        case: String,
    },
    /// A member of a union that a discriminator selects has no `case`.
    #[error("has a discriminator, but the union's member {member} has no case")]
    NoCase {
        /// The union's member.
        member: String,
    },
    /// A member of a union of variable size.
    #[error("a member of a union cannot be of variable size")]
    VariableMember,
    /// The backing type of an enum is no integer.
    #[error("an enum's type is an integer, not {found}")]
    EnumType {
        /// What stands there.
        found: String,
    },
    /// An enumerator that does not fit its enum's type.
    #[error("{name} = {value} does not fit {repr}")]
    EnumValue {
        /// The enumerator.
        name: String,
        /// Its value.
        value: String,
        /// The enum's type.
        repr: &'static str,
    },
    /// A default that the field cannot have.
    #[error("the default {found} does not fit the type")]
    Default {
        /// What stands there.
        found: String,
    },
    /// A service names a message that does not exist.
    #[error("names message {name}, which is not defined")]
    UnknownMessage {
        /// The message.
        name: String,
    },
}
