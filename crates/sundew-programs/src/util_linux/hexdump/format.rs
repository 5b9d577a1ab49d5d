//! Format strings of hexdump(1): parsed once, applied to blocks of bytes.

/// Bytes that one block may have: a stranger chooses iteration and byte counts.
const MAX_BLOCK_BYTES: usize = 4096;

/// One `-e` string.
#[derive(Debug)]
pub(super) struct Format {
    units: Vec<Unit>,
}

/// `ITERATIONS/BYTES "TEXT"`.
#[derive(Debug)]
struct Unit {
    /// How often; `None` until the block's size is known.
    times: Option<usize>,
    pieces: Vec<Piece>,
    bytes: usize,
    ends_only: bool,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(Vec<u8>),
    /// A conversion of so many bytes; 0 for an address.
    Value {
        spec: Conversion,
        bytes: usize,
    },
}

#[derive(Debug, Clone, Default)]
struct Conversion {
    flags: Vec<u8>,
    width: Option<usize>,
    precision: Option<usize>,
    kind: Vec<u8>,
}

impl Format {
    /// Reads a format; the complaint if it is none.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Vec<u8>> {
        let bad = || [b"bad format {".as_slice(), text, b"}"].concat();
        let mut units = Vec::new();
        let mut rest = text.trim_ascii_start();
        while !rest.is_empty() {
            let (times, behind) = digits(rest);
            rest = behind.trim_ascii_start();
            let mut bytes = None;
            if let Some(behind) = rest.strip_prefix(b"/") {
                let (count, behind) = digits(behind.trim_ascii_start());
                bytes = count;
                rest = behind.trim_ascii_start();
            }
            rest = rest.strip_prefix(b"\"").ok_or_else(bad)?;
            let end = rest.iter().position(|&byte| byte == b'"').ok_or_else(bad)?;
            let (quoted, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default().trim_ascii_start();
            units.push(Unit::parse(&unescaped(quoted), times, bytes)?);
        }
        Ok(Self { units })
    }

    fn bytes(&self) -> usize {
        self.units
            .iter()
            .map(|unit| unit.bytes.saturating_mul(unit.times.unwrap_or(1)))
            .fold(0, usize::saturating_add)
    }
}

fn digits(text: &[u8]) -> (Option<usize>, &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (
        std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse().ok()),
        rest,
    )
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'0') => 0,
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(&other) => other,
            None => b'\\',
        });
    }
    out
}

impl Unit {
    fn parse(text: &[u8], times: Option<usize>, count: Option<usize>) -> Result<Self, Vec<u8>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
            let (before, behind) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_vec()));
            }
            let behind = behind.get(1..).unwrap_or_default();
            if let Some(behind) = behind.strip_prefix(b"%") {
                pieces.push(Piece::Text(b"%".to_vec()));
                rest = behind;
                continue;
            }
            let (spec, behind) = Conversion::parse(behind)?;
            let bytes = spec.bytes(count)?;
            pieces.push(Piece::Value { spec, bytes });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_vec()));
        }
        let taken: usize = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Value { bytes, .. } => *bytes,
                Piece::Text(_) => 0,
            })
            .sum();
        let ends_only = pieces.iter().any(
            |piece| matches!(piece, Piece::Value { spec, .. } if spec.kind.starts_with(b"_A")),
        );
        let bytes = if taken == 0 {
            count.unwrap_or(0)
        } else {
            taken
        };
        // An iteration count without bytes to take shows its text that often.
        Ok(Self {
            times: times.or((bytes == 0).then_some(1)),
            pieces,
            bytes,
            ends_only,
        })
    }
}

impl Conversion {
    fn parse(text: &[u8]) -> Result<(Self, &[u8]), Vec<u8>> {
        let end = text
            .iter()
            .position(|byte| !b" -+#0".contains(byte))
            .unwrap_or(text.len());
        let (flags, rest) = text.split_at(end);
        let (width, mut rest) = digits(rest);
        let mut precision = None;
        if let Some(behind) = rest.strip_prefix(b".") {
            let (number, behind) = digits(behind);
            (precision, rest) = (Some(number.unwrap_or(0)), behind);
        }
        let length = match rest {
            [b'_', b'a' | b'A', ..] => 3,
            [b'_', ..] => 2,
            _ => 1,
        };
        let (kind, behind) = rest.split_at(length.min(rest.len()));
        let known = matches!(
            kind,
            [b'c'
                | b'd'
                | b'i'
                | b'o'
                | b'u'
                | b'x'
                | b'X'
                | b's'
                | b'e'
                | b'E'
                | b'f'
                | b'g'
                | b'G']
                | [b'_', b'c' | b'p' | b'u']
                | [b'_', b'a' | b'A', b'd' | b'o' | b'x']
        );
        if !known {
            return Err([b"bad conversion character %".as_slice(), kind].concat());
        }
        let widest = MAX_BLOCK_BYTES;
        let spec = Self {
            flags: flags.to_vec(),
            width: width.map(|width| width.min(widest)),
            precision: precision.map(|precision| precision.min(widest)),
            kind: kind.to_vec(),
        };
        Ok((spec, behind))
    }

    /// Bytes that it takes, with the unit's byte count if there is one.
    fn bytes(&self, count: Option<usize>) -> Result<usize, Vec<u8>> {
        let bad = || {
            let kind = String::from_utf8_lossy(&self.kind).into_owned();
            format!("bad byte count for conversion character {kind}").into_bytes()
        };
        match self.kind.as_slice() {
            [b'_', b'a' | b'A', ..] => Ok(0),
            [b'c'] | [b'_', ..] => match count {
                None | Some(1) => Ok(1),
                Some(_) => Err(bad()),
            },
            [b's'] => count
                .or(self.precision)
                .filter(|bytes| *bytes <= MAX_BLOCK_BYTES)
                .ok_or_else(|| b"%s requires a precision or a byte count".to_vec()),
            [b'e' | b'E' | b'f' | b'g' | b'G'] => match count {
                None => Ok(8),
                Some(bytes @ (4 | 8)) => Ok(bytes),
                Some(_) => Err(bad()),
            },
            _ => match count {
                None => Ok(4),
                Some(bytes @ (1 | 2 | 4 | 8)) => Ok(bytes),
                Some(_) => Err(bad()),
            },
        }
    }

    fn show(&self, bytes: &[u8], address: u64) -> Vec<u8> {
        let number = bytes
            .iter()
            .rev()
            .fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        let byte = bytes.first().copied().unwrap_or(0);
        match self.kind.as_slice() {
            [b'_', b'a' | b'A', base] => self.integer(address, *base),
            [b'_', b'p'] => self.padded(vec![if printable(byte) { byte } else { b'.' }]),
            [b'_', b'c'] => self.padded(c_name(byte)),
            [b'_', b'u'] => self.padded(u_name(byte)),
            b"c" => self.padded(vec![byte]),
            b"s" => {
                let end = bytes
                    .iter()
                    .position(|&byte| byte == 0)
                    .unwrap_or(bytes.len());
                let most = self.precision.unwrap_or(end).min(end);
                self.padded(bytes.get(..most).unwrap_or_default().to_vec())
            }
            [b'e' | b'E' | b'f' | b'g' | b'G'] => self.float(bytes, number),
            [b'd' | b'i'] => {
                let bits = 64 - 8 * u32::try_from(bytes.len().clamp(1, 8)).unwrap_or(8);
                let value = (number << bits).cast_signed() >> bits;
                self.signed(value)
            }
            [base] => self.integer(number, *base),
            _ => Vec::new(),
        }
    }

    fn float(&self, bytes: &[u8], number: u64) -> Vec<u8> {
        let value = if bytes.len() == 4 {
            f64::from(f32::from_bits(
                u32::try_from(number & 0xffff_ffff).unwrap_or(0),
            ))
        } else {
            f64::from_bits(number)
        };
        let precision = self.precision.unwrap_or(6);
        let text = match self.kind.as_slice() {
            b"f" => format!("{value:.precision$}"),
            _ => format!("{value}"),
        };
        self.padded(text.into_bytes())
    }

    fn signed(&self, value: i64) -> Vec<u8> {
        let sign: &[u8] = if value < 0 {
            b"-"
        } else if self.flags.contains(&b'+') {
            b"+"
        } else if self.flags.contains(&b' ') {
            b" "
        } else {
            b""
        };
        self.number(sign, value.unsigned_abs().to_string().into_bytes())
    }

    fn integer(&self, value: u64, base: u8) -> Vec<u8> {
        let alternate = self.flags.contains(&b'#') && value != 0;
        let (prefix, digits): (&[u8], String) = match base {
            b'o' => (if alternate { b"0" } else { b"" }, format!("{value:o}")),
            b'x' => (if alternate { b"0x" } else { b"" }, format!("{value:x}")),
            b'X' => (if alternate { b"0X" } else { b"" }, format!("{value:X}")),
            _ => (b"", value.to_string()),
        };
        self.number(prefix, digits.into_bytes())
    }

    fn number(&self, prefix: &[u8], mut digits: Vec<u8>) -> Vec<u8> {
        let mut least = self.precision.unwrap_or(0);
        if self.precision.is_none() && self.flags.contains(&b'0') && !self.flags.contains(&b'-') {
            least = self.width.unwrap_or(0).saturating_sub(prefix.len());
        }
        while digits.len() < least {
            digits.insert(0, b'0');
        }
        self.padded([prefix, &digits].concat())
    }

    fn padded(&self, mut text: Vec<u8>) -> Vec<u8> {
        let width = self.width.unwrap_or(0);
        let left = self.flags.contains(&b'-');
        while text.len() < width {
            if left {
                text.push(b' ');
            } else {
                text.insert(0, b' ');
            }
        }
        text
    }
}

fn printable(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

fn c_name(byte: u8) -> Vec<u8> {
    let text: &[u8] = match byte {
        0 => b"\\0",
        7 => b"\\a",
        8 => b"\\b",
        12 => b"\\f",
        b'\n' => b"\\n",
        b'\r' => b"\\r",
        b'\t' => b"\\t",
        11 => b"\\v",
        byte if printable(byte) => return vec![byte],
        byte => return format!("{byte:03o}").into_bytes(),
    };
    text.to_vec()
}

fn u_name(byte: u8) -> Vec<u8> {
    const NAMES: [&str; 33] = [
        "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "lf", "vt", "ff", "cr",
        "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub",
        "esc", "fs", "gs", "rs", "us", "sp",
    ];
    match byte {
        0..=31 => NAMES
            .get(usize::from(byte))
            .map_or_else(Vec::new, |name| name.as_bytes().to_vec()),
        127 => b"del".to_vec(),
        byte if printable(byte) => vec![byte],
        byte => format!("{byte:02x}").into_bytes(),
    }
}

/// All formats of a command line: each block is shown by every one of them.
#[derive(Debug)]
pub(super) struct Line {
    formats: Vec<Format>,
    block: usize,
}

impl Line {
    /// Settles the block's size, and how often units without a count are used.
    pub(super) fn new(mut formats: Vec<Format>) -> Self {
        let block = formats
            .iter()
            .map(Format::bytes)
            .max()
            .unwrap_or(0)
            .clamp(1, MAX_BLOCK_BYTES);
        for format in &mut formats {
            let fixed = format.bytes();
            if let Some(last) = format.units.last_mut()
                && last.times.is_none()
                && last.bytes > 0
            {
                // The last unit without a count fills the block.
                let left = block.saturating_sub(fixed);
                last.times = Some(1 + left / last.bytes);
            }
            for unit in &mut format.units {
                unit.times = Some(unit.times.unwrap_or(1));
            }
        }
        Self { formats, block }
    }

    pub(super) fn block_bytes(&self) -> usize {
        self.block
    }

    /// One block; what lies behind its end is shown as blanks.
    pub(super) fn show(&self, bytes: &[u8], address: u64) -> Vec<u8> {
        let mut padded = bytes.to_vec();
        padded.resize(self.block, 0);
        let mut out = Vec::new();
        for format in &self.formats {
            let mut at = 0;
            for unit in format.units.iter().filter(|unit| !unit.ends_only) {
                let times = unit.times.unwrap_or(1);
                for time in 0..times {
                    if at >= self.block && unit.bytes > 0 {
                        break;
                    }
                    show_unit(
                        unit,
                        (&padded, bytes.len()),
                        &mut at,
                        address,
                        times > 1 && time + 1 == times,
                        &mut out,
                    );
                }
            }
        }
        out
    }

    /// What stands after everything: the offset.
    pub(super) fn end(&self, address: u64) -> Vec<u8> {
        let mut out = Vec::new();
        for unit in self
            .formats
            .iter()
            .flat_map(|format| &format.units)
            .filter(|unit| unit.ends_only)
        {
            for piece in &unit.pieces {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Value { spec, .. } => out.extend(spec.show(b"", address)),
                }
            }
        }
        out
    }
}

fn show_unit(
    unit: &Unit,
    (padded, length): (&[u8], usize),
    at: &mut usize,
    address: u64,
    last: bool,
    out: &mut Vec<u8>,
) {
    let start = *at;
    for (number, piece) in unit.pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                let mut text = text.as_slice();
                // Blanks at the end of a repeated unit are left out the last time.
                if last && number + 1 == unit.pieces.len() {
                    let end = text.iter().rposition(|byte| !byte.is_ascii_whitespace());
                    text = text.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
                }
                out.extend_from_slice(text);
            }
            Piece::Value { spec, bytes: 0 } => out.extend(spec.show(b"", address + *at as u64)),
            Piece::Value { spec, bytes } => {
                if *at >= length {
                    out.extend(spec.padded(Vec::new()));
                } else {
                    let value = padded.get(*at..*at + bytes).unwrap_or_default();
                    out.extend(spec.show(value, address + *at as u64));
                }
                *at += bytes;
            }
        }
    }
    // A unit with a byte count passes over what its conversions did not take.
    *at = (*at).max(start + unit.bytes);
}
