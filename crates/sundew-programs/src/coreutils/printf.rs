//! printf(1), the program.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{about, escape, float};
use crate::getopt::try_help;
use crate::quote;

/// Widest field, in bytes: `printf %999999999d` costs no more.
const MAX_WIDTH: usize = 1 << 16;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut args: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match args.first().map(Vec::as_slice) {
        Some(b"--help") if args.len() == 1 => return about::run(proc, "help", "printf").await,
        Some(b"--version") if args.len() == 1 => {
            return about::run(proc, "version", "printf").await;
        }
        Some(b"--") => {
            args.remove(0);
        }
        _ => {}
    }
    if args.is_empty() {
        proc.complain_text("missing operand").await;
        return try_help(proc, 1).await;
    }
    let format = args.remove(0);
    let mut words = Words { words: args, at: 0 };
    loop {
        let before = words.at;
        if once(proc, &format, &mut words).await.is_err() {
            return proc.status();
        }
        proc.tick().await;
        if words.at >= words.words.len() {
            break;
        }
        if words.at == before {
            let extra = quote::text(proc, words.next());
            let line = [
                proc.name(),
                b": warning: ignoring excess arguments, starting with ",
                &extra,
                b"\n",
            ]
            .concat();
            proc.print_error(&line).await;
            break;
        }
    }
    proc.status()
}

struct Words {
    words: Vec<Vec<u8>>,
    at: usize,
}

impl Words {
    fn next(&mut self) -> &[u8] {
        let word = self
            .words
            .get(self.at)
            .map_or(b"".as_slice(), Vec::as_slice);
        self.at = (self.at + 1).min(self.words.len());
        word
    }

    fn has_next(&self) -> bool {
        self.at < self.words.len()
    }
}

/// The end of all output: `\c`, an error, or a closed pipe.
struct Stop;

/// One pass over the format.
async fn once(proc: &mut Process, format: &[u8], words: &mut Words) -> Result<(), Stop> {
    let mut rest = format;
    let mut out = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'\\' => {
                let (bytes, length, stop) = match format_escape(after) {
                    Ok(escape) => escape,
                    Err(text) => {
                        // What was printed before is lost in no other case.
                        let _reported_at_exit = proc.print(&out).await;
                        let mut text = text.as_bytes().to_vec();
                        if let Some(&letter) = after.first()
                            && text.starts_with(b"invalid universal")
                        {
                            let length = if letter == b'u' { 5 } else { 9 };
                            text.extend_from_slice(b" \\");
                            text.extend_from_slice(after.get(..length).unwrap_or(after));
                        }
                        proc.complain_text(text).await;
                        return Err(Stop);
                    }
                };
                out.extend(bytes);
                if stop {
                    let _reported_at_exit = proc.print(&out).await;
                    return Err(Stop);
                }
                rest = after.get(length..).unwrap_or_default();
            }
            b'%' if after.first() == Some(&b'%') => {
                out.push(b'%');
                rest = after.get(1..).unwrap_or_default();
            }
            b'%' => {
                proc.print(&out).await.map_err(|_| Stop)?;
                out.clear();
                let (directive, length) = Directive::read(proc, after, words).await?;
                directive.print(proc, words).await?;
                rest = after.get(length..).unwrap_or_default();
            }
            byte => {
                out.push(byte);
                rest = after;
            }
        }
    }
    proc.print(&out).await.map_err(|_| Stop)
}

/// An escape of the format behind its backslash: bytes, length, whether it was `\c`.
fn format_escape(text: &[u8]) -> Result<(Vec<u8>, usize, bool), &'static str> {
    let Some(&letter) = text.first() else {
        return Ok((b"\\".to_vec(), 0, false));
    };
    match letter {
        b'0'..=b'7' => {
            let (value, length) = escape::octal(text, 3);
            Ok((vec![value], length, false))
        }
        b'x' => {
            let (value, length) = escape::hex(text.get(1..).unwrap_or_default(), 2);
            if length == 0 {
                return Err("missing hexadecimal number in escape");
            }
            Ok((
                vec![u8::try_from(value).unwrap_or_default()],
                length + 1,
                false,
            ))
        }
        b'u' | b'U' => {
            let most = if letter == b'u' { 4 } else { 8 };
            let (value, length) = escape::hex(text.get(1..).unwrap_or_default(), most);
            if length < most {
                return Err("missing hexadecimal number in escape");
            }
            if value < 0xa0 && !matches!(value, 0x24 | 0x40 | 0x60) {
                return Err("invalid universal character name");
            }
            let char = char::from_u32(value).unwrap_or('\u{fffd}');
            Ok((char.to_string().into_bytes(), length + 1, false))
        }
        b'c' => Ok((Vec::new(), 1, true)),
        b'"' => Ok((b"\"".to_vec(), 1, false)),
        letter => match escape::single(letter) {
            Some(byte) => Ok((vec![byte], 1, false)),
            None => Ok((vec![b'\\', letter], 1, false)),
        },
    }
}

#[derive(Debug, Default)]
struct Directive {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    letter: u8,
}

impl Directive {
    /// Reads a directive behind its `%`, and how long it is.
    async fn read(
        proc: &mut Process,
        text: &[u8],
        words: &mut Words,
    ) -> Result<(Self, usize), Stop> {
        let mut directive = Self::default();
        let mut at = 0;
        let peek = |at: usize| text.get(at).copied();
        while let Some(flag @ (b'-' | b'+' | b' ' | b'0' | b'#' | b'\'')) = peek(at) {
            match flag {
                b'-' => directive.left = true,
                b'+' => directive.plus = true,
                b' ' => directive.blank = true,
                b'0' => directive.zero = true,
                b'#' => directive.alternate = true,
                _ => {}
            }
            at += 1;
        }
        if peek(at) == Some(b'*') {
            let width = integer(proc, words.next()).await;
            directive.left |= width < 0;
            directive.width = usize::try_from(width.unsigned_abs())
                .unwrap_or(MAX_WIDTH)
                .min(MAX_WIDTH);
            at += 1;
        } else {
            let (width, length) = digits(text.get(at..).unwrap_or_default());
            directive.width = width.min(MAX_WIDTH);
            at += length;
        }
        if peek(at) == Some(b'.') {
            at += 1;
            if peek(at) == Some(b'*') {
                let precision = integer(proc, words.next()).await;
                directive.precision = usize::try_from(precision)
                    .ok()
                    .map(|precision| precision.min(MAX_WIDTH));
                at += 1;
            } else {
                let (precision, length) = digits(text.get(at..).unwrap_or_default());
                directive.precision = Some(precision.min(MAX_WIDTH));
                at += length;
            }
        }
        while matches!(peek(at), Some(b'l' | b'L' | b'h' | b'j' | b't' | b'z')) {
            at += 1;
        }
        match peek(at) {
            Some(letter) if b"bcdiouxXfFeEgGaAsq".contains(&letter) => {
                directive.letter = letter;
                Ok((directive, at + 1))
            }
            other => {
                let shown = text
                    .get(..at + usize::from(other.is_some()))
                    .unwrap_or_default();
                let line = [
                    b"%".as_slice(),
                    shown,
                    b": invalid conversion specification",
                ]
                .concat();
                proc.complain_text(line).await;
                Err(Stop)
            }
        }
    }

    async fn print(&self, proc: &mut Process, words: &mut Words) -> Result<(), Stop> {
        let has_word = words.has_next();
        let word = words.next().to_vec();
        let mut stop = false;
        let text = match self.letter {
            b'b' => {
                let (text, ended) = escape::echo(&word);
                stop = ended;
                self.cut(text)
            }
            b'q' => self.cut(quote::shell(&word, quote::Locale::of(proc), false)),
            b's' => self.cut(word),
            b'c' => word.get(..1).unwrap_or_default().to_vec(),
            b'd' | b'i' => {
                let value = integer(proc, &word).await;
                self.number(value.unsigned_abs().to_string(), value < 0)
            }
            b'o' | b'u' | b'x' | b'X' => {
                let value = unsigned(proc, &word).await;
                let (digits, prefix) = match self.letter {
                    b'o' => (format!("{value:o}"), "0"),
                    b'x' => (format!("{value:x}"), "0x"),
                    b'X' => (format!("{value:X}"), "0X"),
                    _ => (value.to_string(), ""),
                };
                let prefix = if self.alternate && value != 0 {
                    prefix
                } else {
                    ""
                };
                let mut text = Self {
                    plus: false,
                    blank: false,
                    ..*self
                }
                .padded_digits(digits);
                text.insert_str(0, prefix);
                self.zeros(text.into_bytes(), prefix.len())
            }
            _ => {
                let value = if has_word {
                    real(proc, &word).await
                } else {
                    0.0
                };
                let text = float::format(value.abs(), self.letter, self.precision, self.alternate);
                let sign = self.sign(value.is_sign_negative());
                self.zeros([sign, &text].concat().into_bytes(), sign.len())
            }
        };
        let pad = self.width.saturating_sub(text.len());
        let mut out = text;
        if self.left {
            out.extend(std::iter::repeat_n(b' ', pad));
        } else {
            out.splice(..0, std::iter::repeat_n(b' ', pad));
        }
        proc.print(&out).await.map_err(|_| Stop)?;
        if stop { Err(Stop) } else { Ok(()) }
    }

    fn cut(&self, mut text: Vec<u8>) -> Vec<u8> {
        if let Some(precision) = self.precision {
            text.truncate(precision);
        }
        text
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.blank) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    /// Digits with the zeros that a precision asks for.
    fn padded_digits(&self, digits: String) -> String {
        match self.precision {
            Some(0) if digits == "0" => String::new(),
            Some(precision) => format!("{digits:0>precision$}"),
            None => digits,
        }
    }

    fn number(&self, digits: String, negative: bool) -> Vec<u8> {
        let sign = self.sign(negative);
        let text = [sign, &self.padded_digits(digits)].concat();
        self.zeros(text.into_bytes(), sign.len())
    }

    /// Fills the field with zeros behind the sign or prefix, where `0` asks for it.
    fn zeros(&self, mut text: Vec<u8>, behind: usize) -> Vec<u8> {
        let integer = b"diouxX".contains(&self.letter);
        if self.zero && !self.left && !(integer && self.precision.is_some()) {
            let pad = self.width.saturating_sub(text.len());
            text.splice(behind..behind, std::iter::repeat_n(b'0', pad));
        }
        text
    }
}

fn digits(text: &[u8]) -> (usize, usize) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(text.get(..length).unwrap_or_default()).unwrap_or_default();
    (
        if length == 0 {
            0
        } else {
            number.parse().unwrap_or(usize::MAX)
        },
        length,
    )
}

/// `'a` is the number of a character.
fn character(word: &[u8]) -> Option<u32> {
    let [b'\'' | b'"', rest @ ..] = word else {
        return None;
    };
    let first = rest
        .utf8_chunks()
        .next()
        .and_then(|chunk| chunk.valid().chars().next());
    first
        .map(u32::from)
        .or_else(|| rest.first().map(|byte| u32::from(*byte)))
}

/// Sign, magnitude and how many bytes of a C integer.
fn c_integer(word: &[u8]) -> Option<(bool, Option<u64>, usize)> {
    let text = String::from_utf8_lossy(word);
    let start = text.len() - text.trim_start().len();
    let body = text.get(start..)?;
    let signs = usize::from(body.starts_with(['-', '+']));
    let negative = body.starts_with('-');
    let body = body.get(signs..)?;
    let (radix, skip) = match body.as_bytes() {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, 2),
        [b'0', ..] => (8, 0),
        _ => (10, 0),
    };
    let digits = body.get(skip..)?;
    let length = digits
        .bytes()
        .take_while(|byte| char::from(*byte).is_digit(radix))
        .count();
    if length == 0 {
        return None;
    }
    let value = u64::from_str_radix(digits.get(..length)?, radix).ok();
    Some((negative, value, start + signs + skip + length))
}

async fn unconverted(proc: &mut Process, word: &[u8], used: Option<usize>) {
    let shown = quote::text(proc, word);
    let text: &[u8] = match used {
        None if word.is_empty() => return,
        None => b": expected a numeric value",
        Some(used) if used < word.len() => b": value not completely converted",
        Some(_) => return,
    };
    proc.complain_text([shown.as_slice(), text].concat()).await;
}

async fn integer(proc: &mut Process, word: &[u8]) -> i64 {
    if let Some(char) = character(word) {
        return i64::from(char);
    }
    let Some((negative, value, used)) = c_integer(word) else {
        unconverted(proc, word, None).await;
        return 0;
    };
    let value = value
        .map(i128::from)
        .map(|value| if negative { -value } else { value });
    match value.and_then(|value| i64::try_from(value).ok()) {
        Some(value) => {
            unconverted(proc, word, Some(used)).await;
            value
        }
        None => {
            let shown = quote::text(proc, word);
            proc.complain(&shown, Errno::Erange).await;
            if negative { i64::MIN } else { i64::MAX }
        }
    }
}

async fn unsigned(proc: &mut Process, word: &[u8]) -> u64 {
    if let Some(char) = character(word) {
        return u64::from(char);
    }
    let Some((negative, value, used)) = c_integer(word) else {
        unconverted(proc, word, None).await;
        return 0;
    };
    match value {
        Some(value) => {
            unconverted(proc, word, Some(used)).await;
            if negative {
                value.wrapping_neg()
            } else {
                value
            }
        }
        None => {
            let shown = quote::text(proc, word);
            proc.complain(&shown, Errno::Erange).await;
            u64::MAX
        }
    }
}

async fn real(proc: &mut Process, word: &[u8]) -> f64 {
    if let Some(char) = character(word) {
        return f64::from(char);
    }
    let text = String::from_utf8_lossy(word).into_owned();
    let parsed = float::parse(&text);
    unconverted(proc, word, parsed.map(|parsed| parsed.1)).await;
    parsed.map_or(0.0, |parsed| parsed.0)
}
