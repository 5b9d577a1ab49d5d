//! base64(1), base32(1) and basenc(1).

use sundew_kernel::{ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu(
    "diw:",
    &[
        ("decode", Arity::No, "d"),
        ("wrap", Arity::Required, "w"),
        ("ignore-garbage", Arity::No, "i"),
    ],
);

/// Bits of a letter, letters of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Code {
    name: &'static str,
    letters: &'static [u8],
    bits: u32,
    group: usize,
    kind: Kind,
}

/// What is special about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `=` fills the last group.
    Padded,
    /// Letters of whole bytes: nothing to fill.
    Whole,
    /// The same, with each byte's bits from the lowest up.
    Mirrored,
    /// Four bytes are five letters of base 85.
    Z85,
}

const BASE64: Code = Code {
    name: "base64",
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    group: 4,
    kind: Kind::Padded,
};
const BASE32: Code = Code {
    name: "base32",
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    bits: 5,
    group: 8,
    kind: Kind::Padded,
};
const BASE64URL: Code = Code {
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    ..BASE64
};
const BASE32HEX: Code = Code {
    letters: b"0123456789ABCDEFGHIJKLMNOPQRSTUV",
    ..BASE32
};
const BASE16: Code = Code {
    name: "basenc",
    letters: b"0123456789ABCDEF",
    bits: 4,
    group: 2,
    kind: Kind::Whole,
};
const BASE2MSBF: Code = Code {
    letters: b"01",
    bits: 1,
    group: 8,
    ..BASE16
};
const BASE2LSBF: Code = Code {
    kind: Kind::Mirrored,
    ..BASE2MSBF
};
const Z85: Code = Code {
    letters:
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    bits: 0,
    group: 5,
    kind: Kind::Z85,
    ..BASE16
};

/// basenc's own options besides those of base64.
const BASENC: Spec = Spec::gnu(
    "diw:",
    &[
        ("decode", Arity::No, "d"),
        ("wrap", Arity::Required, "w"),
        ("ignore-garbage", Arity::No, "i"),
        ("base64", Arity::No, "base64"),
        ("base64url", Arity::No, "base64url"),
        ("base32", Arity::No, "base32"),
        ("base32hex", Arity::No, "base32hex"),
        ("base16", Arity::No, "base16"),
        ("base2msbf", Arity::No, "base2msbf"),
        ("base2lsbf", Arity::No, "base2lsbf"),
        ("z85", Arity::No, "z85"),
    ],
);

/// Codes by basenc's options.
const CODES: &[(&str, Code)] = &[
    ("base64", BASE64),
    ("base64url", BASE64URL),
    ("base32", BASE32),
    ("base32hex", BASE32HEX),
    ("base16", BASE16),
    ("base2msbf", BASE2MSBF),
    ("base2lsbf", BASE2LSBF),
    ("z85", Z85),
];

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    convert(proc, "base64", &SPEC, Some(BASE64)).await
}

pub(crate) async fn run_32(proc: &mut Process) -> ExitStatus {
    convert(proc, "base32", &SPEC, Some(BASE32)).await
}

pub(crate) async fn run_basenc(proc: &mut Process) -> ExitStatus {
    convert(proc, "basenc", &BASENC, None).await
}

async fn convert(
    proc: &mut Process,
    program: &str,
    spec: &Spec,
    mut code: Option<Code>,
) -> ExitStatus {
    let (mut decode, mut ignore, mut wrap) = (false, false, 76);
    let mut options = Getopt::new(spec, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("d", _)) => decode = true,
            Ok(("i", _)) => ignore = true,
            Ok(("w", value)) => {
                match input::decimal(&value).and_then(|width| usize::try_from(width).ok()) {
                    Some(width) => wrap = width,
                    None => return input::complain_word(proc, "invalid wrap size:", &value).await,
                }
            }
            Ok((key, _)) => match CODES.iter().find(|row| row.0 == key) {
                Some(row) => code = Some(row.1),
                None => return about::run(proc, key, program).await,
            },
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let Some(code) = code else {
        return input::refuse_text(proc, "missing encoding type").await;
    };
    let operands = options.operands();
    if let Some(extra) = operands.get(1) {
        return input::extra_operand(proc, extra).await;
    }
    let name = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
    let Some((bytes, mut memory)) = input::read_all(proc, name).await else {
        return proc.status();
    };
    if memory
        .grow(
            bytes
                .len()
                .saturating_mul(if code.bits == 1 { 9 } else { 2 }),
        )
        .is_err()
    {
        input::exhausted(proc).await;
        return proc.status();
    }
    if decode {
        let (out, whole) = decoded(&bytes, code, ignore);
        if proc.print(&out).await.is_ok() && !whole {
            proc.complain_text("invalid input").await;
        }
        return proc.status();
    }
    if code.kind == Kind::Z85 && !bytes.len().is_multiple_of(4) {
        let text = "invalid input (length must be multiple of 4 characters)";
        proc.complain_text(text).await;
        return proc.status();
    }
    let text = encoded(&bytes, code);
    let width = if wrap == 0 { text.len().max(1) } else { wrap };
    for line in text.chunks(width) {
        proc.tick().await;
        let end: &[u8] = if wrap == 0 { b"" } else { b"\n" };
        if proc.print(line).await.is_err() || proc.print(end).await.is_err() {
            break;
        }
    }
    proc.status()
}

fn encoded(bytes: &[u8], code: Code) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    if code.kind == Kind::Z85 {
        for four in bytes.chunks(4) {
            let value = four
                .iter()
                .fold(0, |value: u32, byte| value << 8 | u32::from(*byte));
            let places = [85u32.pow(4), 85u32.pow(3), 85 * 85, 85, 1];
            out.extend(
                places
                    .iter()
                    .filter_map(|place| code.letters.get((value / place % 85) as usize).copied()),
            );
        }
        return out;
    }
    let (mut buffer, mut held) = (0u32, 0);
    let mask = (1 << code.bits) - 1;
    let letter = |value: u32| {
        code.letters
            .get(value as usize & mask)
            .copied()
            .unwrap_or(b'=')
    };
    for &byte in bytes {
        let byte = if code.kind == Kind::Mirrored {
            byte.reverse_bits()
        } else {
            byte
        };
        buffer = buffer << 8 | u32::from(byte);
        held += 8;
        while held >= code.bits {
            held -= code.bits;
            out.push(letter(buffer >> held));
        }
        buffer &= (1 << held) - 1;
    }
    if held > 0 {
        out.push(letter(buffer << (code.bits - held)));
    }
    while !out.len().is_multiple_of(code.group) {
        out.push(b'=');
    }
    out
}

/// The bytes up to what is no code, and whether all of it was.
fn decoded(text: &[u8], code: Code, ignore: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut group: Vec<u8> = Vec::with_capacity(code.group);
    for &byte in text {
        let padding = byte == b'=' && code.kind == Kind::Padded;
        let known = padding || code.letters.contains(&byte);
        if byte == b'\n' || (ignore && !known) {
            continue;
        }
        if !known {
            flush(&mut group, code, &mut out);
            return (out, false);
        }
        group.push(byte);
        if group.len() == code.group && !flush(&mut group, code, &mut out) {
            return (out, false);
        }
    }
    // A last group may lack its padding, but then the end is not right.
    let whole = group.is_empty();
    flush(&mut group, code, &mut out);
    (out, whole)
}

/// Decodes a group; whether its padding is where it may be.
fn flush(group: &mut Vec<u8>, code: Code, out: &mut Vec<u8>) -> bool {
    if code.kind == Kind::Z85 {
        return flush_z85(group, code, out);
    }
    let padded = code.kind == Kind::Padded;
    let end = group
        .iter()
        .position(|&byte| byte == b'=' && padded)
        .unwrap_or(group.len());
    let padded_well =
        group.iter().skip(end).all(|&byte| byte == b'=') && (end >= 2 || group.is_empty());
    if !padded && group.len() < code.group {
        // Half a byte is none.
        let whole = group.is_empty();
        group.clear();
        return whole;
    }
    let (mut buffer, mut held) = (0u64, 0);
    for byte in group.drain(..).take(end) {
        let value = code
            .letters
            .iter()
            .position(|known| *known == byte)
            .unwrap_or(0) as u64;
        buffer = buffer << code.bits | value;
        held += code.bits;
        if held >= 8 {
            held -= 8;
            let [low, ..] = (buffer >> held).to_le_bytes();
            out.push(if code.kind == Kind::Mirrored {
                low.reverse_bits()
            } else {
                low
            });
        }
    }
    padded_well
}

/// The same for five letters of Z85; fewer or more than 32 bits are none.
fn flush_z85(group: &mut Vec<u8>, code: Code, out: &mut Vec<u8>) -> bool {
    if group.is_empty() {
        return true;
    }
    let whole = group.len() == code.group;
    let value = group.drain(..).fold(0u64, |value, byte| {
        let digit = code.letters.iter().position(|known| *known == byte);
        value * 85 + digit.unwrap_or(0) as u64
    });
    match u32::try_from(value) {
        Ok(value) if whole => {
            out.extend_from_slice(&value.to_be_bytes());
            true
        }
        _ => false,
    }
}
