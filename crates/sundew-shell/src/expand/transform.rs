//! What operations make of one value: replacing, case, slices, quoting.

use std::ops::Range;

use sundew_kernel::Process;
use sundew_posix::escape::single_quoted;
use sundew_posix::pattern::search::{Progress, Side};
use sundew_posix::pattern::{Pattern, Piece};
use sundew_sh_syntax::ast::{CaseChange, ReplaceWhere};

use super::MAX_FIELD_BYTES;
use crate::words::Held;

/// Steps of a search between two looks at whether others are due.
const STEPS_PER_TICK: usize = 4096;
/// Bytes gone through between two such looks where each is quickly done with.
const BYTES_PER_TICK: usize = 4096;

/// The characters of UTF-8; a byte that belongs to none is a character.
fn characters(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid();
        let whole = valid
            .char_indices()
            .filter_map(|(at, character)| valid.as_bytes().get(at..at + character.len_utf8()));
        whole.chain(chunk.invalid().chunks(1))
    })
}

/// The length of the part at an end of `value` that a pattern matches.
pub(super) async fn find(
    proc: &Process,
    pattern: &Pattern,
    value: &[u8],
    side: Side,
    longest: bool,
) -> Option<usize> {
    let mut search = pattern.search(value, side, longest);
    loop {
        match search.run(STEPS_PER_TICK) {
            Progress::Done(found) => return found,
            Progress::More => proc.tick().await,
        }
    }
}

/// What `${x/pattern/replacement}` puts where something matched.
pub(super) struct Replacement<'a> {
    pub(super) pieces: &'a [Piece],
    /// Whether an unquoted `&` in it stands for what matched.
    pub(super) ampersand: bool,
}

impl Replacement<'_> {
    fn fill(&self, matched: &[u8], out: &mut Vec<u8>) {
        for piece in self.pieces {
            if self.ampersand && piece.byte == b'&' && !piece.quoted {
                out.extend_from_slice(matched);
            } else {
                out.push(piece.byte);
            }
        }
    }
}

/// `${x/pattern/replacement}`. A process that has no memory for the result is killed.
pub(super) async fn replace(
    proc: &Process,
    value: &[u8],
    pattern: &Pattern,
    replacement: &Replacement<'_>,
    place: ReplaceWhere,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut held = Held::default();
    let (mut rest, mut done) = (value, false);
    match place {
        ReplaceWhere::Prefix => {
            if let Some(length) = find(proc, pattern, value, Side::Prefix, true).await {
                let (matched, after) = value.split_at(length);
                replacement.fill(matched, &mut out);
                rest = after;
            }
            out.extend_from_slice(rest);
            return out;
        }
        ReplaceWhere::Suffix => {
            let length = find(proc, pattern, value, Side::Suffix, true).await;
            let (before, matched) = value.split_at(value.len() - length.unwrap_or(0));
            out.extend_from_slice(before);
            if length.is_some() {
                replacement.fill(matched, &mut out);
            }
            return out;
        }
        ReplaceWhere::First | ReplaceWhere::All => {}
    }
    if value.is_empty() && !pattern.is_empty() && pattern.matches(b"") {
        replacement.fill(b"", &mut out);
    }
    while !rest.is_empty() && !done {
        if rest.len().is_multiple_of(BYTES_PER_TICK) {
            proc.tick().await;
        }
        let length = if pattern.may_begin(rest) {
            find(proc, pattern, rest, Side::Prefix, true).await
        } else {
            None
        };
        let length = length.filter(|length| *length > 0);
        let (taken, after) = rest.split_at(length.unwrap_or(1));
        if length.is_some() {
            replacement.fill(taken, &mut out);
            done = place == ReplaceWhere::First;
        } else {
            out.extend_from_slice(taken);
        }
        if out.len() > MAX_FIELD_BYTES || held.pay(proc, out.len()).is_err() {
            proc.out_of_memory().await;
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// `${x^}` and its kin.
pub(super) async fn case(
    proc: &Process,
    value: &[u8],
    change: CaseChange,
    pattern: Option<&Pattern>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for (index, chunk) in chunks(value).enumerate() {
        if index > 0 {
            proc.tick().await;
        }
        change_case(chunk, index == 0, change, pattern, &mut out);
    }
    out
}

/// A value in parts of some [`BYTES_PER_TICK`], none of which ends within a character.
fn chunks(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let mut end = rest.len().min(BYTES_PER_TICK);
        while rest.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) && end < rest.len() {
            end += 1;
        }
        let (chunk, after) = rest.split_at(end);
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn change_case(
    value: &[u8],
    at_start: bool,
    change: CaseChange,
    pattern: Option<&Pattern>,
    out: &mut Vec<u8>,
) {
    let first_only = matches!(
        change,
        CaseChange::UpperFirst | CaseChange::LowerFirst | CaseChange::ToggleFirst
    );
    for (index, character) in characters(value).enumerate() {
        let applies = (index == 0 && at_start || !first_only)
            && pattern.is_none_or(|pattern| pattern.matches(character));
        if !applies {
            out.extend_from_slice(character);
            continue;
        }
        out.extend(match change {
            CaseChange::UpperFirst | CaseChange::UpperAll => upper(character),
            CaseChange::LowerFirst | CaseChange::LowerAll => lower(character),
            CaseChange::ToggleFirst | CaseChange::ToggleAll => {
                let raised = upper(character);
                if raised == character {
                    lower(character)
                } else {
                    raised
                }
            }
        });
    }
}

fn map_text(value: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        out.extend(change(chunk.valid()).into_bytes());
        out.extend_from_slice(chunk.invalid());
    }
    out
}

/// `@U`
pub(crate) fn upper(value: &[u8]) -> Vec<u8> {
    map_text(value, str::to_uppercase)
}

/// `@L`
pub(crate) fn lower(value: &[u8]) -> Vec<u8> {
    map_text(value, str::to_lowercase)
}

/// `@u`
pub(crate) fn upper_first(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    change_case(value, true, CaseChange::UpperFirst, None, &mut out);
    out
}

/// `${x:offset:length}`; `None` when the end lies before the start.
pub(super) fn substring(value: &[u8], offset: i64, length: Option<i64>) -> Option<Vec<u8>> {
    let range = range(characters(value).count(), offset, length)?;
    let mut out = Vec::new();
    for character in characters(value).skip(range.start).take(range.len()) {
        out.extend_from_slice(character);
    }
    Some(out)
}

/// The same for the elements of an array.
pub(super) fn slice<T: Clone>(all: &[T], offset: i64, length: Option<i64>) -> Option<Vec<T>> {
    let range = range(all.len(), offset, length)?;
    Some(all.get(range).unwrap_or_default().to_vec())
}

/// Which of `count` things an offset and a length mean; `None` when the end lies before the start.
fn range(count: usize, offset: i64, length: Option<i64>) -> Option<Range<usize>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        offset.saturating_add(count)
    } else {
        offset
    };
    if start < 0 || start > count {
        return Some(0..0);
    }
    let end = match length {
        None => count,
        Some(length) if length < 0 => {
            let end = count.saturating_add(length);
            if end < start {
                return None;
            }
            end
        }
        Some(length) => start.saturating_add(length).min(count),
    };
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// Quotes a value so that the shell reads it back: `@Q`, `set`.
pub(crate) fn quote(value: &[u8]) -> Vec<u8> {
    if value.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) || std::str::from_utf8(value).is_err()
    {
        return ansi_quote(value);
    }
    single_quoted(value)
}

/// As `set -x` shows a word: single quotes around what the shell would take for something else, `$'…'`
/// only around what cannot be printed and is otherwise plain.
pub(crate) fn quote_for_trace(value: &[u8]) -> Vec<u8> {
    let mut before = None;
    let special = value.iter().any(|&byte| {
        let special = match byte {
            b'~' => matches!(before, None | Some(b'=' | b':')),
            b'#' => matches!(before, None | Some(b' ' | b'\t')),
            byte => b" \t\n'\"\\|&;()<>!{}*[]?^$`".contains(&byte),
        };
        before = Some(byte);
        special
    });
    if special || value.is_empty() {
        return single_quoted(value);
    }
    let unprintable = value.iter().any(u8::is_ascii_control) || std::str::from_utf8(value).is_err();
    if unprintable {
        ansi_quote(value)
    } else {
        value.to_vec()
    }
}

/// `"…"`, as `declare -p` shows values.
pub(crate) fn double_quote(value: &[u8]) -> Vec<u8> {
    if value.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) || std::str::from_utf8(value).is_err()
    {
        return ansi_quote(value);
    }
    let mut out = b"\"".to_vec();
    for &byte in value {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

/// `$'…'`
/// A name in a message: as it is, or quoted if it could not be printed.
pub(crate) fn printable(name: &[u8]) -> Vec<u8> {
    let prints = std::str::from_utf8(name)
        .is_ok_and(|name| !name.chars().any(|character| character.is_control()));
    if prints {
        name.to_vec()
    } else {
        ansi_quote(name)
    }
}

pub(crate) fn ansi_quote(value: &[u8]) -> Vec<u8> {
    let mut out = b"$'".to_vec();
    for chunk in value.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            match byte {
                b'\\' | b'\'' => out.extend_from_slice(&[b'\\', byte]),
                7 => out.extend_from_slice(b"\\a"),
                8 => out.extend_from_slice(b"\\b"),
                0x1b => out.extend_from_slice(b"\\E"),
                0x0c => out.extend_from_slice(b"\\f"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0x0b => out.extend_from_slice(b"\\v"),
                0..0x20 | 0x7f => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
                byte => out.push(byte),
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
        }
    }
    out.push(b'\'');
    out
}

/// Backslash escapes as `echo -e`, `$'…'` and `@E` take them. `\c` ends the text for `echo`: see
/// [`unescape_echo`].
pub(crate) fn unescape(value: &[u8]) -> Vec<u8> {
    unescape_with(value, false).0
}

/// Escapes as `echo -e` takes them: `\0nnn` for octal; whether `\c` ended the text.
pub(crate) fn unescape_echo(value: &[u8]) -> (Vec<u8>, bool) {
    unescape_with(value, true)
}

fn unescape_with(value: &[u8], echo: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&escape, after)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = after;
        match escape {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' | b'E' => out.push(0x1b),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(0x0b),
            b'\\' => out.push(b'\\'),
            b'\'' | b'"' | b'?' if !echo => out.push(escape),
            b'c' if echo => return (out, true),
            b'0' if echo => out.push(number(&mut rest, 8, 3).map_or(0, low_byte)),
            b'0'..=b'7' if !echo => {
                let mut digits = &value[value.len() - rest.len() - 1..];
                let code = number(&mut digits, 8, 3).unwrap_or(0);
                rest = digits;
                out.push(low_byte(code));
            }
            b'x' => match number(&mut rest, 16, 2) {
                Some(code) => out.push(low_byte(code)),
                None => out.extend_from_slice(b"\\x"),
            },
            b'u' | b'U' => {
                let most = if escape == b'u' { 4 } else { 8 };
                match number(&mut rest, 16, most) {
                    Some(code) => {
                        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => out.extend_from_slice(&[b'\\', escape]),
                }
            }
            other => out.extend_from_slice(&[b'\\', other]),
        }
    }
    (out, false)
}

fn low_byte(code: u32) -> u8 {
    code.to_le_bytes()[0]
}

/// Reads up to `most` digits; nothing when there is none.
fn number(rest: &mut &[u8], radix: u32, most: usize) -> Option<u32> {
    let mut code = None;
    for _ in 0..most {
        let Some((&byte, after)) = rest.split_first() else {
            break;
        };
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        code = Some(code.unwrap_or(0) * radix + digit);
        *rest = after;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_echo() {
        assert_eq!(unescape_echo(b"\\x41\\0101\\n\\q").0, b"AA\n\\q");
        assert_eq!(unescape_echo(b"a\\cb"), (b"a".to_vec(), true));
        assert_eq!(unescape(b"\\101\\u00fc"), "Aü".as_bytes());
    }

    #[test]
    fn quoting_is_read_back() {
        assert_eq!(quote(b"it's"), b"'it'\\''s'");
        assert_eq!(quote(b"a\nb"), b"$'a\\nb'");
        assert_eq!(quote(b""), b"''");
    }

    #[test]
    fn slices_count_from_both_ends() {
        assert_eq!(
            substring("aübc".as_bytes(), 1, Some(2)),
            Some("üb".as_bytes().to_vec())
        );
        assert_eq!(substring(b"abc", -2, None), Some(b"bc".to_vec()));
        assert_eq!(substring(b"abc", 2, Some(-2)), None);
    }
}
