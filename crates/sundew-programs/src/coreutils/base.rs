//! base64(1) and base32(1).

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
#[derive(Debug, Clone, Copy)]
struct Code {
    name: &'static str,
    letters: &'static [u8],
    bits: u32,
    group: usize,
}

const BASE64: Code = Code {
    name: "base64",
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    group: 4,
};
const BASE32: Code = Code {
    name: "base32",
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    bits: 5,
    group: 8,
};

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    convert(proc, BASE64).await
}

pub(crate) async fn run_32(proc: &mut Process) -> ExitStatus {
    convert(proc, BASE32).await
}

async fn convert(proc: &mut Process, code: Code) -> ExitStatus {
    let (mut decode, mut ignore, mut wrap) = (false, false, 76);
    let mut options = Getopt::new(&SPEC, proc.args());
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
            Ok((key, _)) => return about::run(proc, key, code.name).await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if let Some(extra) = operands.get(1) {
        return input::extra_operand(proc, extra).await;
    }
    let name = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
    let Some((bytes, mut memory)) = input::read_all(proc, name).await else {
        return proc.status();
    };
    if memory.grow(bytes.len() * 2).is_err() {
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
    let (mut buffer, mut held) = (0u32, 0);
    let mask = (1 << code.bits) - 1;
    let letter = |value: u32| {
        code.letters
            .get(value as usize & mask)
            .copied()
            .unwrap_or(b'=')
    };
    for &byte in bytes {
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
        let known = byte == b'=' || code.letters.contains(&byte);
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
    let end = group
        .iter()
        .position(|&byte| byte == b'=')
        .unwrap_or(group.len());
    let padded_well =
        group.iter().skip(end).all(|&byte| byte == b'=') && (end >= 2 || group.is_empty());
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
            out.push(low);
        }
    }
    padded_well
}
