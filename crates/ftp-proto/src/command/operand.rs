//! What stands behind a verb, each form with its reading and its writing side by side.

use std::net::SocketAddr;

use super::{Argument, Mode, SocketAddrV4, Structure, Timestamp, Type};
use crate::address::{self, AddressError, parse_number};

/// Reads and writes the part of a line behind the verb; the two are inverses.
pub(super) trait Operand: Sized {
    /// `text` is what stands behind the first blank, `None` if that is nothing.
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError>;
    /// Appends a blank and the operand, or nothing.
    fn write(&self, out: &mut Vec<u8>);
}

/// [`super::CommandError`] without its verb.
#[derive(Debug)]
pub(super) enum OperandError {
    Missing,
    Superfluous,
    Bad,
    UnknownParameter,
    UnknownProtocol,
    UnreadableIpv6,
}

use OperandError::{Bad, Missing, UnknownParameter, UnknownProtocol};

/// `ALLO 1000` or `ALLO 1000 R 80`. RFC 959 §4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allocation {
    /// Bytes to reserve.
    pub bytes: u64,
    /// Largest record or page.
    pub record: Option<u64>,
}

/// First and last byte of a part, both included; `1 0` means the whole file. RANG draft §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte.
    pub last: u64,
}

/// A path, plain or quoted, and a part of it: the argument of the X-checksum verbs.
///
/// With numbers behind it the path is quoted (`XCRC "a b" 0 100`); without quotes everything is the
/// path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checksum {
    /// The file.
    pub path: Argument,
    /// First offset, and the end if one was given.
    pub part: Option<(u64, Option<u64>)>,
}

/// An address with any network protocol we know. RFC 2428 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtendedAddress(SocketAddr);

/// The same, written in numbers. RFC 1639 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LongAddress(SocketAddr);

/// The argument of EPSV. RFC 2428 §3 and §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtendedPassive {
    /// None: the protocol of the control connection.
    Default,
    /// `1`.
    V4,
    /// `2`.
    V6,
    /// `ALL`: from now on nothing but EPSV may set up data connections.
    All,
}

/// `OPTS UTF8 ON`: the command or feature, and what is set. RFC 2389 §4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OptionSetting {
    name: Argument,
    parameters: Option<Argument>,
}

/// The level of PROT. RFC 2228 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protection {
    /// `C`.
    Clear,
    /// `S`.
    Safe,
    /// `E`.
    Confidential,
    /// `P`.
    Private,
}

/// `ON` or `OFF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switch {
    /// `ON`.
    On,
    /// `OFF`.
    Off,
}

/// A time and the path to set it on. MFMT draft §3.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimedPath {
    /// The time to set.
    pub time: Timestamp,
    /// The path.
    pub path: Argument,
}

/// `name=value;` pairs, at least one, as MFF and MLST write them. RFC 3659 §7.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Facts(Vec<Fact>);

/// Name and value.
type Fact = (Box<[u8]>, Box<[u8]>);

/// Facts and the path to set them on. MFMT draft §5.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FactsForPath {
    /// What to set.
    pub facts: Facts,
    /// The path.
    pub path: Argument,
}

impl ExtendedAddress {
    /// Keeps address and port; flow and scope of an IPv6 address cannot be written and are dropped.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self(bare(address))
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl LongAddress {
    /// Keeps address and port; flow and scope of an IPv6 address cannot be written and are dropped.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self(bare(address))
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl OptionSetting {
    /// The setting, if the name holds no blank.
    #[must_use]
    pub fn new(name: Argument, parameters: Option<Argument>) -> Option<Self> {
        (!name.as_bytes().contains(&b' ')).then_some(Self { name, parameters })
    }

    /// The command or feature, as the client wrote it; compare without case.
    #[must_use]
    pub const fn name(&self) -> &Argument {
        &self.name
    }

    /// What stands behind the name.
    #[must_use]
    pub const fn parameters(&self) -> Option<&Argument> {
        self.parameters.as_ref()
    }
}

impl Facts {
    /// Reads `name=value;name=value;`; `None` unless it is exactly that.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let pairs = text.strip_suffix(b";")?.split(|&byte| byte == b';');
        let facts: Option<Vec<_>> = pairs
            .map(|pair| {
                let equals = pair.iter().position(|&byte| byte == b'=')?;
                let (name, value) = pair.split_at_checked(equals)?;
                let value = value.get(1..)?;
                let fits = !name.is_empty() && !pair.contains(&b' ');
                fits.then(|| (name.into(), value.into()))
            })
            .collect();
        facts.map(Self)
    }

    /// Name and value of each fact; names compare without case.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Appends `name=value;` for each.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in self.iter() {
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(value);
            out.push(b';');
        }
    }
}

impl Operand for Argument {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        Self::new(text.ok_or(Missing)?).map_err(|_| Bad)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        out.extend_from_slice(self.as_bytes());
    }
}

impl<O: Operand> Operand for Option<O> {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        text.map(|text| O::read(Some(text))).transpose()
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(operand) = self {
            operand.write(out);
        }
    }
}

/// For operands that are no paths: blanks around them mean nothing.
fn trimmed(text: Option<&[u8]>) -> Result<&[u8], OperandError> {
    match text.ok_or(Missing)?.trim_ascii() {
        [] => Err(Missing),
        text => Ok(text),
    }
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.push(b' ');
    out.extend_from_slice(text.as_bytes());
}

macro_rules! number_operand {
    ($($number:ty),*) => {$(
        impl Operand for $number {
            fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
                parse_number(trimmed(text)?).ok_or(Bad)
            }

            fn write(&self, out: &mut Vec<u8>) {
                push(out, &self.to_string());
            }
        }
    )*};
}

number_operand!(u32, u64);

impl Operand for SocketAddrV4 {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        address::parse_host_port(trimmed(text)?).ok_or(Bad)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        address::write_host_port(*self, out);
    }
}

impl From<AddressError> for OperandError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Malformed => Bad,
            AddressError::UnknownProtocol => UnknownProtocol,
            AddressError::UnreadableIpv6 => Self::UnreadableIpv6,
        }
    }
}

impl Operand for ExtendedAddress {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        Ok(Self(address::parse_extended(trimmed(text)?)?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        address::write_extended(self.0, out);
    }
}

impl Operand for LongAddress {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        Ok(Self(address::parse_long(trimmed(text)?)?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        address::write_long(self.0, out);
    }
}

impl Operand for ExtendedPassive {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        match text.map(<[u8]>::trim_ascii) {
            None | Some([]) => Ok(Self::Default),
            Some(b"1") => Ok(Self::V4),
            Some(b"2") => Ok(Self::V6),
            Some(all) if all.eq_ignore_ascii_case(b"ALL") => Ok(Self::All),
            Some(other) if parse_number::<u32>(other).is_some() => Err(UnknownProtocol),
            Some(_) => Err(Bad),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Default => {}
            Self::V4 => push(out, "1"),
            Self::V6 => push(out, "2"),
            Self::All => push(out, "ALL"),
        }
    }
}

impl Operand for Type {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        Self::parse(trimmed(text)?).ok_or(UnknownParameter)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        Self::write(*self, out);
    }
}

impl Operand for Structure {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        Self::parse(trimmed(text)?).ok_or(UnknownParameter)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend([b' ', self.letter()]);
    }
}

impl Operand for Mode {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        Self::parse(trimmed(text)?).ok_or(UnknownParameter)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend([b' ', self.letter()]);
    }
}

impl Operand for Protection {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        match trimmed(text)? {
            b"C" | b"c" => Ok(Self::Clear),
            b"S" | b"s" => Ok(Self::Safe),
            b"E" | b"e" => Ok(Self::Confidential),
            b"P" | b"p" => Ok(Self::Private),
            _ => Err(UnknownParameter),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        push(
            out,
            match self {
                Self::Clear => "C",
                Self::Safe => "S",
                Self::Confidential => "E",
                Self::Private => "P",
            },
        );
    }
}

impl Operand for Switch {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        match trimmed(text)? {
            on if on.eq_ignore_ascii_case(b"ON") => Ok(Self::On),
            off if off.eq_ignore_ascii_case(b"OFF") => Ok(Self::Off),
            _ => Err(UnknownParameter),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        push(
            out,
            match self {
                Self::On => "ON",
                Self::Off => "OFF",
            },
        );
    }
}

impl Operand for Allocation {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        let words: Vec<_> = words(trimmed(text)?).collect();
        let (bytes, record) = match words.as_slice() {
            [bytes] => (bytes, None),
            [bytes, b"R" | b"r", record] => (bytes, Some(parse_number(record).ok_or(Bad)?)),
            _ => return Err(Bad),
        };
        let bytes = parse_number(bytes).ok_or(Bad)?;
        Ok(Self { bytes, record })
    }

    fn write(&self, out: &mut Vec<u8>) {
        push(out, &self.bytes.to_string());
        if let Some(record) = self.record {
            push(out, &format!("R {record}"));
        }
    }
}

impl Operand for ByteRange {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        let mut words = words(trimmed(text)?).map(parse_number);
        let (Some(Some(first)), Some(Some(last)), None) =
            (words.next(), words.next(), words.next())
        else {
            return Err(Bad);
        };
        Ok(Self { first, last })
    }

    fn write(&self, out: &mut Vec<u8>) {
        push(out, &format!("{} {}", self.first, self.last));
    }
}

impl Checksum {
    /// The path and the part, if an unquoted path is taken to end before one or two numbers.
    #[must_use]
    pub fn unquoted_part(&self) -> Option<(Argument, u64, Option<u64>)> {
        let cut = |text: &[u8]| -> Option<(Vec<u8>, u64)> {
            let blank = text.iter().rposition(|&byte| byte == b' ')?;
            let (path, number) = text.split_at_checked(blank)?;
            let number = parse_number(number.get(1..)?)?;
            (!path.is_empty()).then(|| (path.to_vec(), number))
        };
        let (path, last) = cut(self.path.as_bytes())?;
        let (path, first, end) = match cut(&path) {
            Some((shorter, first)) if first <= last => (shorter, first, Some(last)),
            Some(_) | None => (path, last, None),
        };
        Some((Argument::new(path).ok()?, first, end))
    }
}

impl Operand for Checksum {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        let text = text.ok_or(Missing)?;
        let Some(quoted) = text.strip_prefix(b"\"") else {
            let path = Argument::new(text).map_err(|_| Bad)?;
            return Ok(Self { path, part: None });
        };
        let end = closing_quote(quoted).ok_or(Bad)?;
        let path = address::unquote(text).ok_or(Bad)?;
        let path = Argument::new(path).map_err(|_| Bad)?;
        let mut numbers = words(quoted.get(end + 1..).unwrap_or_default()).map(parse_number);
        let part = match (numbers.next(), numbers.next(), numbers.next()) {
            (None, None, None) => None,
            (Some(Some(first)), None, None) => Some((first, None)),
            (Some(Some(first)), Some(Some(last)), None) => Some((first, Some(last))),
            _ => return Err(Bad),
        };
        Ok(Self { path, part })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        if self.part.is_none() && !self.path.as_bytes().starts_with(b"\"") {
            out.extend_from_slice(self.path.as_bytes());
            return;
        }
        out.extend(address::quote(self.path.as_bytes()));
        if let Some((first, last)) = self.part {
            push(out, &first.to_string());
            if let Some(last) = last {
                push(out, &last.to_string());
            }
        }
    }
}

impl Operand for OptionSetting {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        let (name, parameters) = split_word(text.ok_or(Missing)?);
        let name = Argument::new(name).map_err(|_| Bad)?;
        let parameters = Operand::read(parameters)?;
        Self::new(name, parameters).ok_or(Bad)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.name.write(out);
        self.parameters.write(out);
    }
}

impl Operand for TimedPath {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        let (time, path) = split_word(text.ok_or(Missing)?);
        let time = Timestamp::parse(time).ok_or(Bad)?;
        let path = Operand::read(path)?;
        Ok(Self { time, path })
    }

    fn write(&self, out: &mut Vec<u8>) {
        push(out, &self.time.to_string());
        self.path.write(out);
    }
}

impl Operand for FactsForPath {
    fn read(text: Option<&[u8]>) -> Result<Self, OperandError> {
        let (facts, path) = split_word(text.ok_or(Missing)?);
        let facts = Facts::parse(facts).ok_or(Bad)?;
        let path = Operand::read(path)?;
        Ok(Self { facts, path })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        self.facts.write(out);
        self.path.write(out);
    }
}

const fn bare(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
}

/// The text up to the first blank, and what is behind it unless that is nothing.
fn split_word(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |&byte| byte == b' ');
    let word = parts.next().unwrap_or_default();
    (word, parts.next().filter(|rest| !rest.is_empty()))
}

/// Position of the quote that ends a quoted path whose opening quote is gone.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().enumerate().peekable();
    while let Some((at, &byte)) = bytes.next() {
        if byte == b'"' && bytes.next_if(|(_, next)| **next == b'"').is_none() {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
pub(super) use self::any::AnyOperand;

/// Strategies for every operand, so that the table of commands can make them all.
#[cfg(test)]
mod any {
    use std::net::IpAddr;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::transfer::Format;

    pub(in super::super) trait AnyOperand: Sized {
        fn any() -> BoxedStrategy<Self>;
    }

    fn argument_of(bytes: &'static [u8]) -> BoxedStrategy<Argument> {
        prop::collection::vec(select(bytes), 1..20)
            .prop_map(|bytes| Argument::new(bytes).unwrap())
            .boxed()
    }

    impl AnyOperand for Argument {
        fn any() -> BoxedStrategy<Self> {
            prop::collection::vec(any::<u8>(), 1..30)
                .prop_filter_map("forbidden byte", |bytes| Self::new(bytes).ok())
                .boxed()
        }
    }

    impl<O: AnyOperand + Clone + std::fmt::Debug + 'static> AnyOperand for Option<O> {
        fn any() -> BoxedStrategy<Self> {
            prop::option::of(O::any()).boxed()
        }
    }

    macro_rules! any_operand {
        ($($operand:ty: $strategy:expr;)*) => {$(
            impl AnyOperand for $operand {
                fn any() -> BoxedStrategy<Self> {
                    $strategy.boxed()
                }
            }
        )*};
    }

    fn format() -> impl Strategy<Value = Format> {
        select(vec![
            Format::NonPrint,
            Format::Telnet,
            Format::CarriageControl,
        ])
    }

    fn socket() -> impl Strategy<Value = SocketAddr> {
        any::<(IpAddr, u16)>().prop_map(SocketAddr::from)
    }

    any_operand! {
        u32: any::<u32>();
        u64: any::<u64>();
        SocketAddrV4: any::<Self>();
        ExtendedAddress: socket().prop_map(Self::new);
        LongAddress: socket().prop_map(Self::new);
        ExtendedPassive: select(vec![Self::Default, Self::V4, Self::V6, Self::All]);
        Type: prop_oneof![
            format().prop_map(Self::Ascii),
            format().prop_map(Self::Ebcdic),
            Just(Self::Image),
            (1_u8..).prop_map(Self::Local),
        ];
        Structure: select(vec![Self::File, Self::Record, Self::Page]);
        Mode: select(vec![Self::Stream, Self::Block, Self::Compressed, Self::Deflate]);
        Protection: select(vec![Self::Clear, Self::Safe, Self::Confidential, Self::Private]);
        Switch: select(vec![Self::On, Self::Off]);
        Allocation: any::<(u64, Option<u64>)>().prop_map(|(bytes, record)| Self { bytes, record });
        ByteRange: any::<(u64, u64)>().prop_map(|(first, last)| Self { first, last });
        Checksum: (argument_of(b"ab \"/"), any::<Option<(u64, Option<u64>)>>())
            .prop_map(|(path, part)| Self { path, part });
        OptionSetting: (argument_of(b"UTF8MLST"), Option::<Argument>::any())
            .prop_map(|(name, parameters)| Self { name, parameters });
        TimedPath: (0_i64..200_000_000_000, Argument::any())
            .prop_map(|(unix, path)| Self { time: Timestamp::from_unix(unix), path });
        FactsForPath: (prop::collection::vec(("[a-zA-Z.]{1,8}", "[a-z0-9=:.]{0,8}"), 1..4), Argument::any())
            .prop_map(|(facts, path)| {
                let facts = facts.into_iter().map(|(name, value)| (name.into_bytes().into(), value.into_bytes().into()));
                Self { facts: Facts(facts.collect()), path }
            });
    }
}
