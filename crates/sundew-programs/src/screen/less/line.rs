//! How `less` draws a line: controls and what is no character in reverse, overstruck letters bold
//! or underlined.

use std::ops::Range;

use crate::screen::character;

/// Columns between tab stops.
const TAB: usize = 8;
/// Longest sequence of colours, in bytes.
const MAX_COLOUR_BYTES: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Bold,
    Underlined,
    Reverse,
}

impl Look {
    fn begins(self) -> &'static [u8] {
        match self {
            Self::Plain => b"",
            Self::Bold => b"\x1b[1m",
            Self::Underlined => b"\x1b[4m",
            Self::Reverse => b"\x1b[7m",
        }
    }

    fn ends(self) -> &'static [u8] {
        match self {
            Self::Plain => b"",
            Self::Bold => b"\x1b[0m",
            Self::Underlined => b"\x1b[24m",
            Self::Reverse => b"\x1b[27m",
        }
    }
}

struct Cell {
    /// How many bytes of the file it is, and how many columns.
    bytes: usize,
    width: usize,
    text: Vec<u8>,
    look: Look,
}

fn cell(rest: &[u8], column: usize, colours: bool) -> Option<Cell> {
    let make = |bytes: usize, width: usize, text: &[u8], look: Look| {
        Some(Cell {
            bytes,
            width,
            text: text.to_vec(),
            look,
        })
    };
    match rest {
        [] => None,
        [a, 8, b, ..] if a == b && *a > b' ' => make(3, 1, &[*a], Look::Bold),
        [b'_', 8, b @ 0x20..=0x7e, ..] => make(3, 1, &[*b], Look::Underlined),
        [b'\t', ..] => {
            let width = TAB - column % TAB;
            make(1, width, &vec![b' '; width], Look::Plain)
        }
        [0x1b, b'[', more @ ..] if colours => {
            let len = more
                .iter()
                .take(MAX_COLOUR_BYTES)
                .take_while(|byte| byte.is_ascii_digit() || **byte == b';')
                .count();
            let text = rest.get(..len + 3).unwrap_or(rest);
            let shown = if text.ends_with(b"m") { text } else { b"" };
            make(text.len(), 0, shown, Look::Plain)
        }
        [0x1b, ..] => make(1, 3, b"ESC", Look::Reverse),
        [byte @ (0..0x20 | 0x7f), ..] => make(1, 2, &[b'^', byte ^ 0x40], Look::Reverse),
        [byte @ 0x20..0x7f, ..] => make(1, 1, &[*byte], Look::Plain),
        [byte, ..] => {
            let len = character(rest);
            if len == 1 {
                let text = format!("<{byte:02X}>");
                return make(1, text.len(), text.as_bytes(), Look::Reverse);
            }
            let text = rest.get(..len)?;
            let width = crate::screen::column_of(text, len, TAB);
            make(len, width, text, Look::Plain)
        }
    }
}

fn cells(line: &[u8], colours: bool) -> impl Iterator<Item = Cell> + '_ {
    let (mut at, mut column) = (0, 0);
    std::iter::from_fn(move || {
        let next = cell(line.get(at..)?, column, colours)?;
        at += next.bytes;
        column += next.width;
        Some(next)
    })
}

/// How many bytes of a line fit into so many columns; at least one character.
pub(super) fn fits(line: &[u8], columns: usize, colours: bool) -> usize {
    let (mut done, mut column) = (0, 0);
    for cell in cells(line, colours) {
        if column + cell.width > columns && done > 0 {
            break;
        }
        done += cell.bytes;
        column += cell.width;
    }
    done
}

/// How many columns a line takes.
pub(super) fn width(line: &[u8], colours: bool) -> usize {
    cells(line, colours).map(|cell| cell.width).sum()
}

/// A line as it is sent, with the matches in reverse; one that is too long ends in a mark.
pub(super) fn drawn(
    line: &[u8],
    columns: usize,
    colours: bool,
    matches: &[Range<usize>],
) -> Vec<u8> {
    let chopped = width(line, colours) > columns;
    let room = columns.saturating_sub(usize::from(chopped));
    let mut out = Vec::new();
    let mut look = Look::Plain;
    let (mut at, mut column) = (0, 0);
    let mut coloured = false;
    let mut turn = |out: &mut Vec<u8>, to: Look| {
        if look != to {
            out.extend_from_slice(look.ends());
            out.extend_from_slice(to.begins());
            look = to;
        }
    };
    for cell in cells(line, colours) {
        if column + cell.width > room {
            break;
        }
        let found = matches.iter().any(|range| range.contains(&at));
        turn(&mut out, if found { Look::Reverse } else { cell.look });
        coloured |= cell.width == 0 && !cell.text.is_empty();
        out.extend_from_slice(&cell.text);
        at += cell.bytes;
        column += cell.width;
    }
    if coloured {
        turn(&mut out, Look::Plain);
        out.extend_from_slice(b"\x1b[m");
    }
    if chopped {
        turn(&mut out, Look::Reverse);
        out.push(b'>');
    }
    turn(&mut out, Look::Plain);
    out
}

/// Whether a file is one that `less` asks about first.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    /// So many bytes are looked at, and so many strange ones of them are too many.
    const LOOKED_AT: usize = 256;
    const TOO_MANY: usize = 5;
    let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let mut at = 0;
    let mut strange = 0;
    while let Some(rest) = head.get(at..).filter(|rest| !rest.is_empty()) {
        let len = character(rest);
        // What is cut off at the end of the look is not held against it.
        let cut = len == 1 && rest.len() < 4 && bytes.len() > head.len();
        strange += match rest {
            [8 | b'\t' | b'\n' | 12 | b'\r' | 0x1b | 0x20..0x7f, ..] => 0,
            _ if len > 1 || cut => 0,
            _ => 1,
        };
        at += len;
    }
    strange > TOO_MANY
}

#[cfg(test)]
mod tests {
    use super::{drawn, fits, is_binary};

    #[test]
    fn controls_and_broken_characters_are_in_reverse() {
        assert_eq!(
            drawn(b"a\x01b\x80\xc3\xa9\tz\x1b", 80, false, &[]),
            b"a\x1b[7m^A\x1b[27mb\x1b[7m<80>\x1b[27m\xc3\xa9       z\x1b[7mESC\x1b[27m"
        );
    }

    #[test]
    fn overstruck_letters_are_bold_and_underlined_ones_underlined() {
        assert_eq!(
            drawn(b"x\x08xy_\x08z", 80, false, &[]),
            b"\x1b[1mx\x1b[0my\x1b[4mz\x1b[24m"
        );
    }

    #[test]
    fn matches_side_by_side_are_one() {
        assert_eq!(drawn(b"33", 80, false, &[0..1, 1..2]), b"\x1b[7m33\x1b[27m");
    }

    #[test]
    fn a_row_has_at_least_one_character() {
        assert_eq!(fits(b"\x80\x80", 3, false), 1);
        assert_eq!(fits(b"abcd", 3, false), 3);
    }

    #[test]
    fn a_few_strange_bytes_are_no_binary() {
        assert!(is_binary(&[0; 6]));
        assert!(!is_binary(b"a\0\0text\n"));
    }
}
