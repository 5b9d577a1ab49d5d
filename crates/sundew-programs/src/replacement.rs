//! The replacement of an `s` command: text, what was matched, and changes of case.

use sundew_posix::regex::Groups;

/// Longest text that replacements may make, in bytes: a few letters can ask for any amount.
const MAX_RESULT_BYTES: usize = 32 << 20;

/// A text that is longer than any may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// A part of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Vec<u8>),
    /// `\1`; `&` is 0.
    Group(usize),
    Case(Case),
}

/// `\U`, `\L`, `\u`, `\l`, `\E`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
    UpperNext,
    LowerNext,
    End,
}

/// Reads a replacement: `&`, `\1`, `\U` and their kin.
pub(crate) fn parts(text: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let part = match byte {
            b'&' => Part::Group(0),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => Part::Group(usize::from(digit - b'0')),
                Some(b'U') => Part::Case(Case::Upper),
                Some(b'L') => Part::Case(Case::Lower),
                Some(b'u') => Part::Case(Case::UpperNext),
                Some(b'l') => Part::Case(Case::LowerNext),
                Some(b'E') => Part::Case(Case::End),
                Some(other) => {
                    plain.push(other);
                    continue;
                }
                None => {
                    plain.push(b'\\');
                    continue;
                }
            },
            byte => {
                plain.push(byte);
                continue;
            }
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(part);
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

/// Bytes of the first character; one for what is none.
pub(crate) fn character_length(text: &[u8]) -> usize {
    let length = match text.first() {
        None => return 0,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => 1,
    };
    match text.get(..length) {
        Some(bytes) if std::str::from_utf8(bytes).is_ok() => length,
        _ => 1,
    }
}

/// Adds what the parts make of a match in `line`.
///
/// # Errors
///
/// [`TooLong`]: with it `out` would be longer than any line may be.
pub(crate) fn expand(
    parts: &[Part],
    groups: &Groups,
    line: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), TooLong> {
    let mut mode = Case::End;
    let mut next: Option<Case> = None;
    for part in parts {
        let text = match part {
            Part::Text(text) => text.as_slice(),
            Part::Group(group) => groups.bytes(*group, line).unwrap_or_default(),
            Part::Case(case @ (Case::UpperNext | Case::LowerNext)) => {
                next = Some(*case);
                continue;
            }
            Part::Case(case) => {
                mode = *case;
                continue;
            }
        };
        if out.len().saturating_add(text.len()) > MAX_RESULT_BYTES {
            return Err(TooLong);
        }
        if mode == Case::End && next.is_none() {
            out.extend_from_slice(text);
            continue;
        }
        let mut rest = text;
        if !rest.is_empty()
            && let Some(case) = next.take()
        {
            let (first, after) = rest.split_at(character_length(rest));
            change_case(first, case, out);
            rest = after;
        }
        change_case(rest, mode, out);
    }
    Ok(())
}

fn change_case(text: &[u8], case: Case, out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        match case {
            Case::Upper | Case::UpperNext => {
                out.extend_from_slice(chunk.valid().to_uppercase().as_bytes())
            }
            Case::Lower | Case::LowerNext => {
                out.extend_from_slice(chunk.valid().to_lowercase().as_bytes())
            }
            Case::End => out.extend_from_slice(chunk.valid().as_bytes()),
        }
        out.extend_from_slice(chunk.invalid());
    }
}

#[cfg(test)]
mod tests {
    use sundew_posix::regex::{Flags, Groups, Regex, Syntax};

    use super::{MAX_RESULT_BYTES, TooLong, expand, parts};

    fn found(pattern: &[u8], line: &[u8]) -> Groups {
        let regex = Regex::new(pattern, Syntax::Extended, Flags::default()).unwrap();
        regex.find(line, 0, false).unwrap()
    }

    fn replaced(replacement: &[u8]) -> Vec<u8> {
        let line = b"foul";
        let groups = found(b"(o)(u*)", line);
        let mut out = Vec::new();
        expand(&parts(replacement), &groups, line, &mut out).unwrap();
        out
    }

    #[test]
    fn a_replacement_names_what_was_matched() {
        assert_eq!(replaced(br"<&\2\9\&\n>"), b"<ouu&n>");
    }

    #[test]
    fn case_changes_until_its_end_or_for_one_character() {
        assert_eq!(replaced(br"\Uab\Ecd"), b"ABcd");
        assert_eq!(replaced(br"\u\L&B"), b"Oub");
        assert_eq!(replaced(br"\lAB"), b"aB");
    }

    #[test]
    fn a_text_longer_than_any_may_be_is_an_error() {
        let groups = found(b"x*", b"x");
        let mut out = vec![0; MAX_RESULT_BYTES];
        assert_eq!(expand(&parts(b"&"), &groups, b"x", &mut out), Err(TooLong));
        assert_eq!(out.len(), MAX_RESULT_BYTES);
    }
}
