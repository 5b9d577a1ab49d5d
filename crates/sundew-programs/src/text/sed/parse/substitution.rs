//! The commands `s` and `y`: delimiters, flags, the parts of a replacement.

use super::*;

impl Parser {
    pub(super) fn substitution(&mut self) -> Result<Action, Failure> {
        let unterminated = |parser: &Self| parser.fail(b"unterminated `s' command");
        let Some(delimiter) = self.next().filter(|byte| !matches!(byte, b'\n' | b'\\')) else {
            return unterminated(self);
        };
        let Some(pattern) = self.delimited(delimiter, true) else {
            return unterminated(self);
        };
        let Some(replacement) = self.delimited(delimiter, false) else {
            return unterminated(self);
        };
        let mut result = Substitution {
            regex: None,
            replacement: parts(&unescape(&replacement, false)),
            global: false,
            number: 0,
            print: false,
            execute: false,
            write: None,
        };
        let mut flags = Flags::default();
        while let Some(byte) = self.next() {
            match byte {
                b'g' if result.global => return self.fail(b"multiple `g' options to `s' command"),
                b'g' => result.global = true,
                b'p' if result.print => return self.fail(b"multiple `p' options to `s' command"),
                b'p' => result.print = true,
                b'i' | b'I' => flags.ignore_case = true,
                b'm' | b'M' => flags.newline = true,
                b'e' => result.execute = true,
                b'0'..=b'9' => {
                    self.at -= 1;
                    let number = self.number();
                    if result.number > 0 {
                        return self.fail(b"multiple number options to `s' command");
                    }
                    if number == 0 {
                        return self.fail(b"number option to `s' command may not be zero");
                    }
                    result.number = number;
                }
                b'w' => {
                    if self.sandbox {
                        return self.fail(b"e/r/w commands disabled in sandbox mode");
                    }
                    let name = self.file_name()?;
                    result.write = Some(self.sink(name));
                    break;
                }
                b'}' | b'#' => {
                    self.at -= 1;
                    break;
                }
                b'\n' | b';' => break,
                b' ' | b'\t' | b'\r' => {}
                _ => return self.fail(b"unknown option to `s'"),
            }
        }
        result.number = result.number.max(1);
        // The complaint about a pattern comes after the flags, with the place behind them.
        let end = self.at;
        if self.text.get(end.wrapping_sub(1)) == Some(&b';')
            || self.text.get(end.wrapping_sub(1)) == Some(&b'\n')
        {
            self.at -= 1;
        }
        result.regex = self.regex(&pattern, flags)?;
        let groups = result.regex.as_ref().map_or(9, Regex::group_count);
        let highest = result.replacement.iter().filter_map(|part| {
            if let Part::Group(group) = part {
                Some(*group)
            } else {
                None
            }
        });
        if let Some(group) = highest.max().filter(|group| *group > groups) {
            // What ended the command was read, too.
            self.at = end;
            return self.fail(format!("invalid reference \\{group} on `s' command's RHS"));
        }
        self.at = end;
        Ok(Action::Substitute(Box::new(result)))
    }

    pub(super) fn translation(&mut self) -> Result<Action, Failure> {
        let unterminated = |parser: &Self| parser.fail(b"unterminated `y' command");
        let Some(delimiter) = self.next() else {
            return unterminated(self);
        };
        let Some(from) = self.delimited(delimiter, false) else {
            return unterminated(self);
        };
        let Some(to) = self.delimited(delimiter, false) else {
            return unterminated(self);
        };
        let (from, to) = (
            characters(&unescape(&from, false)),
            characters(&unescape(&to, false)),
        );
        if from.len() != to.len() {
            return self.fail(b"strings for `y' command are different lengths");
        }
        Ok(Action::Translate(from.into_iter().zip(to).collect()))
    }
}

/// GNU's escapes for characters: `\t`, `\x41`, `\o101`, `\d065`, `\cA`. Those that would become
/// special keep a backslash.
pub(super) fn unescape(text: &[u8], regex: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&next) = text.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        let (base, digits) = match next {
            b'a' => {
                out.push(7);
                continue;
            }
            b'f' => {
                out.push(12);
                continue;
            }
            b't' => {
                out.push(b'\t');
                continue;
            }
            b'v' => {
                out.push(11);
                continue;
            }
            b'r' => {
                out.push(b'\r');
                continue;
            }
            b'n' if !regex => {
                out.extend_from_slice(b"\\\n");
                continue;
            }
            b'c' if text.get(at).is_some() => {
                let control = text
                    .get(at)
                    .copied()
                    .unwrap_or_default()
                    .to_ascii_uppercase()
                    ^ 0x40;
                at += 1;
                out.push(control);
                continue;
            }
            b'x' => (16, 2),
            b'd' => (10, 3),
            b'o' => (8, 3),
            next => {
                out.extend_from_slice(&[b'\\', next]);
                continue;
            }
        };
        let run: Vec<u32> = text
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take(digits)
            .map_while(|&byte| char::from(byte).to_digit(base))
            .collect();
        if run.is_empty() {
            out.extend_from_slice(&[b'\\', next]);
            continue;
        }
        at += run.len();
        let value = run.iter().fold(0u32, |value, digit| value * base + digit);
        let value = value.to_le_bytes().first().copied().unwrap_or_default();
        let special: &[u8] = if regex { b"^$.*[]\\" } else { b"&\\" };
        if special.contains(&value) {
            out.push(b'\\');
        }
        out.push(value);
    }
    out
}

pub(super) fn strip_backslashes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            out.extend(bytes.next())
        } else {
            out.push(byte)
        }
    }
    out
}

/// The characters of a `y` string.
pub(super) fn characters(text: &[u8]) -> Vec<Vec<u8>> {
    let text = strip_backslashes(text);
    let mut rest = text.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (first, after) = rest.split_at(character_length(rest).max(1));
        found.push(first.to_vec());
        rest = after;
    }
    found
}
