//! od(1).

use sundew_kernel::{ExitStatus, Fd, Process};

use super::input::{self, CHUNK};
use super::{about, float};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;
use crate::size::number;

const SPEC: Spec = Spec::gnu(
    "A:aBbcDdeFfHhIij:LlN:OoS:st:vw::Xx",
    &[
        ("skip-bytes", Arity::Required, "j"),
        ("address-radix", Arity::Required, "A"),
        ("read-bytes", Arity::Required, "N"),
        ("format", Arity::Required, "t"),
        ("output-duplicates", Arity::No, "v"),
        ("strings", Arity::Optional, "S"),
        ("traditional", Arity::No, "traditional"),
        ("width", Arity::Optional, "w"),
        ("endian", Arity::Required, "endian"),
    ],
);

/// Widest line, in bytes.
const MAX_WIDTH: usize = 1 << 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Named,
    Character,
    Decimal,
    Unsigned,
    Octal,
    Hex,
    Float,
}

#[derive(Debug, Clone, Copy)]
struct Format {
    kind: Kind,
    size: usize,
    /// Columns of one value, the blank in front not counted.
    width: usize,
    text: bool,
}

struct Options {
    formats: Vec<Format>,
    radix: u8,
    skip: u64,
    count: Option<u64>,
    duplicates: bool,
    width: Option<usize>,
    big: bool,
    /// Least length of the strings that are shown instead of numbers.
    strings: Option<usize>,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        formats: Vec::new(),
        radix: b'o',
        skip: 0,
        count: None,
        duplicates: false,
        width: None,
        big: false,
        strings: None,
    };
    // Options that the old way of giving an offset does not know.
    let mut modern = false;
    let mut traditional = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return refuse(proc, &error, 1).await,
        };
        modern |= matches!(key, "A" | "j" | "N" | "S" | "t" | "v" | "w" | "endian");
        let old = match key {
            "a" => "a",
            "b" => "o1",
            "c" => "c",
            "D" => "u4",
            "d" => "u2",
            "e" | "F" => "fD",
            "f" => "fF",
            "H" | "X" => "x4",
            "h" | "x" => "x2",
            "I" | "L" | "l" => "dL",
            "i" => "dI",
            "O" => "o4",
            "o" | "B" => "o2",
            "s" => "d2",
            _ => "",
        };
        match key {
            _ if !old.is_empty() => {
                if let Ok(mut formats) = parse_formats(old.as_bytes()) {
                    settings.formats.append(&mut formats);
                }
            }
            "t" => match parse_formats(&value) {
                Ok(mut formats) => settings.formats.append(&mut formats),
                Err(Wrong::Size(size, float)) => {
                    let shown = quote::text(proc, &value);
                    let kind = if float { "floating point" } else { "integral" };
                    let text = format!(";\nthis system doesn't provide a {size}-byte {kind} type");
                    let text = [b"invalid type string ", shown.as_slice(), text.as_bytes()];
                    proc.complain_text(text.concat()).await;
                    return proc.status();
                }
                Err(Wrong::Letter(letter)) => {
                    let shown = quote::text(proc, &value);
                    let text = [
                        b"invalid character '".as_slice(),
                        &[letter],
                        b"' in type string ",
                        &shown,
                    ]
                    .concat();
                    proc.complain_text(text).await;
                    return proc.status();
                }
            },
            "A" => match value.first() {
                Some(radix @ (b'd' | b'o' | b'x' | b'n')) => settings.radix = *radix,
                other => {
                    let other = other.copied().unwrap_or_default();
                    let text = [
                        b"invalid output address radix '".as_slice(),
                        &[other],
                        b"'; it must be one character from [doxn]",
                    ]
                    .concat();
                    proc.complain_text(text).await;
                    return proc.status();
                }
            },
            "j" | "N" => match amount(&value) {
                Some(amount) if key == "j" => settings.skip = amount,
                Some(amount) => settings.count = Some(amount),
                None => {
                    let shown = quote::always(proc, &value);
                    let text = [format!("invalid -{key} argument ").as_bytes(), &shown].concat();
                    proc.complain_text(text).await;
                    return proc.status();
                }
            },
            "v" => settings.duplicates = true,
            "w" => {
                let width = if value.is_empty() {
                    Some(32)
                } else {
                    input::decimal(&value)
                };
                match width
                    .and_then(|width| usize::try_from(width).ok())
                    .filter(|width| *width > 0)
                {
                    Some(width) => settings.width = Some(width.min(MAX_WIDTH)),
                    None => {
                        let shown = quote::always(proc, &value);
                        proc.complain_text([b"invalid -w argument ", shown.as_slice()].concat())
                            .await;
                        return proc.status();
                    }
                }
            }
            "endian" => settings.big = value.starts_with(b"b"),
            "traditional" => traditional = true,
            "S" if value.is_empty() => settings.strings = Some(3),
            "S" => match amount(&value).and_then(|least| usize::try_from(least).ok()) {
                Some(least) => settings.strings = Some(least),
                None => {
                    let shown = quote::always(proc, &value);
                    let text = [b"invalid -S argument ", shown.as_slice()].concat();
                    proc.complain_text(text).await;
                    return proc.status();
                }
            },
            key => return about::run(proc, key, "od").await,
        }
    }
    if settings.formats.is_empty()
        && let Ok(formats) = parse_formats(b"o2")
    {
        settings.formats = formats;
    }
    let mut operands = options.operands();
    if !modern || traditional {
        let offset = match operands.as_slice() {
            [only] if only.starts_with(b"+") || (traditional && offset(only).is_some()) => {
                offset(only)
            }
            [_, last]
                if last
                    .first()
                    .is_some_and(|byte| b"+0123456789".contains(byte)) =>
            {
                offset(last)
            }
            _ => None,
        };
        if let Some(offset) = offset {
            operands.pop();
            settings.skip = offset;
        }
    }
    let names = input::or_stdin(operands);
    match settings.strings {
        Some(least) => strings(proc, names, &settings, least).await,
        None => dump(proc, names, &settings).await,
    }
}

/// An offset as od took it before it had options: octal, or with a dot decimal, `b` for blocks.
fn offset(text: &[u8]) -> Option<u64> {
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let (text, factor) = match text {
        [rest @ .., b'b'] => (rest, 512),
        [rest @ .., b'B'] => (rest, 1024),
        text => (text, 1),
    };
    let (text, radix) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (rest, 16),
        [rest @ .., b'.'] => (rest, 10),
        text => (text, 8),
    };
    let value = u64::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok()?;
    value.checked_mul(factor)
}

/// `-S`: the texts that a NUL byte ends, each behind its place.
async fn strings(
    proc: &mut Process,
    names: Vec<Vec<u8>>,
    settings: &Options,
    least: usize,
) -> ExitStatus {
    /// Longest text that is kept; what is longer is no text.
    const MAX_BYTES: usize = 1 << 20;
    let (mut skip, mut left) = (settings.skip, settings.count.unwrap_or(u64::MAX));
    let mut address = skip;
    let mut text: Vec<u8> = Vec::new();
    let mut memory = proc.memory();
    if memory.grow(MAX_BYTES).is_err() {
        proc.out_of_memory().await;
    }
    for name in names {
        let fd = match input::open(proc, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                continue;
            }
        };
        while left > 0 {
            let data = match next(proc, fd, &mut skip, &mut left).await {
                Ok(Some(data)) => data,
                Ok(None) => break,
                Err(errno) => {
                    input::complain(proc, &name, errno).await;
                    break;
                }
            };
            for byte in data {
                if byte == 0 && text.len() >= least {
                    let start = address - text.len() as u64;
                    let mut line = label(start, settings.radix);
                    if !line.is_empty() {
                        line.push(b' ');
                    }
                    for &byte in &text {
                        line.extend(character(byte).trim_start().as_bytes());
                        if byte == b' ' {
                            line.push(b' ');
                        }
                    }
                    line.push(b'\n');
                    if proc.print(&line).await.is_err() {
                        return proc.status();
                    }
                }
                address += 1;
                let goes_on = matches!(byte, 32..=126 | 7..=13) && text.len() < MAX_BYTES;
                if goes_on {
                    text.push(byte);
                } else {
                    text.clear();
                }
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

/// Why a type string was refused.
enum Wrong {
    Letter(u8),
    /// No such size, in bytes; whether of a floating point number.
    Size(usize, bool),
}

/// A number in C's notation with a unit.
fn amount(text: &[u8]) -> Option<u64> {
    if let Some(hex) = text.strip_prefix(b"0x") {
        return u64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok();
    }
    if text.len() > 1
        && text.starts_with(b"0")
        && text.iter().all(|byte| (b'0'..=b'7').contains(byte))
    {
        return u64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok();
    }
    number(text, b"bkKmMGTPEZY0").ok()
}

/// `x1z`, `o2d4`.
fn parse_formats(text: &[u8]) -> Result<Vec<Format>, Wrong> {
    let mut formats = Vec::new();
    let mut rest = text;
    while let Some((&letter, after)) = rest.split_first() {
        rest = after;
        let kind = match letter {
            b'a' => Kind::Named,
            b'c' => Kind::Character,
            b'd' => Kind::Decimal,
            b'u' => Kind::Unsigned,
            b'o' => Kind::Octal,
            b'x' => Kind::Hex,
            b'f' => Kind::Float,
            letter => return Err(Wrong::Letter(letter)),
        };
        let mut size = match kind {
            Kind::Named | Kind::Character => 1,
            Kind::Float => 8,
            _ => 4,
        };
        if !matches!(kind, Kind::Named | Kind::Character) {
            let named = match (rest.first(), kind) {
                (Some(b'C'), _) => Some(1),
                (Some(b'S'), _) => Some(2),
                (Some(b'I'), _) | (Some(b'F'), Kind::Float) => Some(4),
                (Some(b'L' | b'D'), _) => Some(8),
                _ => None,
            };
            if let Some(named) = named {
                size = named;
                rest = rest.get(1..).unwrap_or_default();
            } else {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (number, after) = rest.split_at(digits);
                if digits > 0 {
                    size = input::decimal(number)
                        .and_then(|size| usize::try_from(size).ok())
                        .unwrap_or(0);
                    rest = after;
                }
            }
            let fits = if kind == Kind::Float {
                matches!(size, 4 | 8)
            } else {
                matches!(size, 1 | 2 | 4 | 8)
            };
            if !fits {
                return Err(Wrong::Size(size, kind == Kind::Float));
            }
        }
        let mut shows_text = false;
        while let Some(after) = rest.strip_prefix(b"z") {
            (shows_text, rest) = (true, after);
        }
        let width = match (kind, size) {
            (Kind::Named | Kind::Character, _) => 3,
            (Kind::Hex, size) => size * 2,
            (Kind::Octal, size) => (size * 8).div_ceil(3),
            (Kind::Decimal, 1) => 4,
            (Kind::Decimal, 2) => 6,
            (Kind::Decimal, 4) => 11,
            (Kind::Unsigned, 1) => 3,
            (Kind::Unsigned, 2) => 5,
            (Kind::Unsigned, 4) => 10,
            (Kind::Float, 4) => 15,
            (Kind::Float, _) => 24,
            _ => 20,
        };
        formats.push(Format {
            kind,
            size,
            width,
            text: shows_text,
        });
    }
    Ok(formats)
}

#[expect(clippy::too_many_lines, reason = "one pass over the input, in order")]
async fn dump(proc: &mut Process, names: Vec<Vec<u8>>, settings: &Options) -> ExitStatus {
    let unit = settings
        .formats
        .iter()
        .map(|format| format.size)
        .max()
        .unwrap_or(1);
    let width = match settings.width {
        None => 16,
        Some(width) if width.is_multiple_of(unit) => width,
        Some(width) => {
            let text = format!(": warning: invalid width {width}; using {unit} instead\n");
            let line = [proc.name(), text.as_bytes()].concat();
            proc.print_error(&line).await;
            unit
        }
    };
    let (mut skip, mut left) = (settings.skip, settings.count.unwrap_or(u64::MAX));
    let mut address = skip;
    let mut pending: Vec<u8> = Vec::new();
    let mut previous: Option<Vec<u8>> = None;
    let mut starred = false;
    let mut opened = false;
    for name in names {
        let fd = match input::open(proc, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                continue;
            }
        };
        opened = true;
        while left > 0 {
            let data = match next(proc, fd, &mut skip, &mut left).await {
                Ok(Some(data)) => data,
                Ok(None) => break,
                Err(errno) => {
                    input::complain(proc, &name, errno).await;
                    break;
                }
            };
            pending.extend(data);
            let whole = pending.len() / width * width;
            let rest = pending.split_off(whole);
            let blocks = std::mem::replace(&mut pending, rest);
            for block in blocks.chunks_exact(width) {
                if !settings.duplicates && previous.as_deref() == Some(block) {
                    if !std::mem::replace(&mut starred, true) && proc.print(b"*\n").await.is_err() {
                        return proc.status();
                    }
                } else {
                    starred = false;
                    if proc
                        .print(&lines(block, address, width, unit, settings))
                        .await
                        .is_err()
                    {
                        return proc.status();
                    }
                    previous = Some(block.to_vec());
                }
                address += width as u64;
            }
        }
        input::close(proc, fd);
    }
    if !opened {
        return proc.status();
    }
    if skip > 0 {
        proc.complain_text("cannot skip past end of combined input")
            .await;
        return proc.status();
    }
    let mut text = Vec::new();
    if !pending.is_empty() {
        text = lines(&pending, address, width, unit, settings);
        address += pending.len() as u64;
    }
    text.extend(label(address, settings.radix));
    if settings.radix != b'n' {
        text.push(b'\n');
    }
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&text).await;
    proc.status()
}

/// The next bytes to show, after those to skip; `None` at the end.
async fn next(
    proc: &Process,
    fd: Fd,
    skip: &mut u64,
    left: &mut u64,
) -> Result<Option<Vec<u8>>, sundew_kernel::Errno> {
    loop {
        let want = if *skip > 0 { *skip } else { *left };
        let most = usize::try_from(want).unwrap_or(CHUNK).min(CHUNK);
        let mut data = vec![0; most];
        let got = proc.read(fd, &mut data).await?;
        if got == 0 {
            return Ok(None);
        }
        if *skip > 0 {
            *skip -= got as u64;
            continue;
        }
        data.truncate(got);
        *left -= got as u64;
        return Ok(Some(data));
    }
}

fn label(address: u64, radix: u8) -> Vec<u8> {
    match radix {
        b'd' => format!("{address:07}"),
        b'x' => format!("{address:06x}"),
        b'n' => String::new(),
        _ => format!("{address:07o}"),
    }
    .into_bytes()
}

/// One line for each format.
fn lines(block: &[u8], address: u64, width: usize, unit: usize, settings: &Options) -> Vec<u8> {
    let label = label(address, settings.radix);
    // Formats line up: each takes as much room for a unit as the widest.
    let room = |format: &Format| (format.width + 1) * (unit / format.size);
    let widest = settings.formats.iter().map(room).max().unwrap_or(0);
    let mut out = Vec::new();
    for (at, format) in settings.formats.iter().enumerate() {
        if at == 0 {
            out.extend_from_slice(&label);
        } else {
            out.extend(std::iter::repeat_n(b' ', label.len()));
        }
        let fields = unit / format.size;
        let spare = widest - room(format);
        let mut columns = 0;
        for (index, value) in block.chunks(format.size).enumerate() {
            let field = index % fields;
            // What is spare is spread over the fields of a unit, the later ones first.
            let pad = spare * (fields - field) / fields - spare * (fields - field - 1) / fields;
            let text = show(value, format, settings.big);
            let gap = (pad + 1 + format.width).saturating_sub(text.len());
            out.extend(std::iter::repeat_n(b' ', gap));
            out.extend_from_slice(text.as_bytes());
            columns += gap + text.len();
        }
        if format.text {
            let whole = widest * width / unit;
            out.extend(std::iter::repeat_n(b' ', whole.saturating_sub(columns)));
            out.extend_from_slice(b"  >");
            out.extend(block.iter().map(|byte| {
                if byte.is_ascii_graphic() || *byte == b' ' {
                    *byte
                } else {
                    b'.'
                }
            }));
            out.push(b'<');
        }
        out.push(b'\n');
    }
    out
}

fn show(value: &[u8], format: &Format, big: bool) -> String {
    let byte = value.first().copied().unwrap_or_default();
    let mut bytes = [0; 8];
    for (slot, byte) in bytes.iter_mut().zip(value) {
        *slot = *byte;
    }
    if big && let Some(used) = bytes.get_mut(..format.size) {
        used.reverse();
    }
    let unsigned = u64::from_le_bytes(bytes);
    let shift = 64 - 8 * u32::try_from(format.size).unwrap_or(8);
    match format.kind {
        Kind::Named => named(byte),
        Kind::Character => character(byte),
        Kind::Decimal => ((unsigned.cast_signed() << shift) >> shift).to_string(),
        Kind::Unsigned => unsigned.to_string(),
        Kind::Octal => format!("{unsigned:0width$o}", width = format.width),
        Kind::Hex => format!("{unsigned:0width$x}", width = format.width),
        Kind::Float if format.size == 4 => {
            let bits = u32::try_from(unsigned & 0xffff_ffff).unwrap_or_default();
            let value = f32::from_bits(bits);
            let least = if value.is_subnormal() { 1 } else { 6 };
            shortest(f64::from(value), least..=9, |text| {
                text.parse::<f32>()
                    .is_ok_and(|value| value.to_bits() == bits)
            })
        }
        Kind::Float => {
            let value = f64::from_bits(unsigned);
            let least = if value.is_subnormal() { 1 } else { 15 };
            shortest(value, least..=17, |text| {
                text.parse::<f64>()
                    .is_ok_and(|value| value.to_bits() == unsigned)
            })
        }
    }
}

/// The fewest digits that read back as the same number.
fn shortest(
    value: f64,
    digits: std::ops::RangeInclusive<usize>,
    same: impl Fn(&str) -> bool,
) -> String {
    let most = *digits.end();
    digits
        .map(|digits| float::format(value, b'g', Some(digits), false))
        .find(|text| same(text))
        .unwrap_or_else(|| float::format(value, b'g', Some(most), false))
}

fn character(byte: u8) -> String {
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        9 => "\\t".to_owned(),
        10 => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        13 => "\\r".to_owned(),
        32..=126 => char::from(byte).to_string(),
        byte => format!("{byte:03o}"),
    }
}

fn named(byte: u8) -> String {
    const NAMES: [&str; 33] = [
        "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr",
        "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub",
        "esc", "fs", "gs", "rs", "us", "sp",
    ];
    let byte = byte & 0x7f;
    match NAMES.get(usize::from(byte)) {
        Some(name) => (*name).to_owned(),
        None if byte == 127 => "del".to_owned(),
        None => char::from(byte).to_string(),
    }
}
