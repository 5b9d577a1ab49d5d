//! Names in messages and listings, quoted as GNU programs quote them (gnulib's quotearg).
//!
//! Three ways: [`file`] quotes for a shell only where needed, [`always`] does so always, and
//! [`text`] puts ‘’ or '' around and escapes as C does.

use sundew_kernel::Process;
use sundew_posix::escape::single_quoted;
use sundew_posix::width;

/// Which characters there are: the part of setlocale(3) that programs show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locale {
    /// Bytes; only ASCII prints.
    C,
    /// `C.UTF-8`, the only other one that a fresh Debian has.
    Utf8,
}

impl Locale {
    /// From `LC_ALL`, `LC_CTYPE`, `LANG`.
    pub(crate) fn of(proc: &Process) -> Self {
        let names: [&[u8]; 3] = [b"LC_ALL", b"LC_CTYPE", b"LANG"];
        let values = names.iter().filter_map(|name| proc.env().value(name));
        match values.into_iter().find(|value| !value.is_empty()) {
            Some(b"C.UTF-8" | b"C.utf8" | b"C.UTF8" | b"C.utf-8") => Self::Utf8,
            _ => Self::C,
        }
    }
}

/// One character of a name, or a byte that is none.
enum Piece<'a> {
    Char(&'a [u8]),
    Unprintable(u8),
}

fn pieces(bytes: &[u8], locale: Locale) -> Vec<Piece<'_>> {
    let mut out = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for (at, char) in chunk.valid().char_indices() {
            let encoded = chunk
                .valid()
                .as_bytes()
                .get(at..at + char.len_utf8())
                .unwrap_or_default();
            let prints = if char.is_ascii() {
                char == ' ' || char.is_ascii_graphic()
            } else {
                locale == Locale::Utf8 && !char.is_control()
            };
            if prints {
                out.push(Piece::Char(encoded));
            } else {
                out.extend(encoded.iter().map(|&byte| Piece::Unprintable(byte)));
            }
        }
        out.extend(chunk.invalid().iter().map(|&byte| Piece::Unprintable(byte)));
    }
    out
}

/// A name in a message: quoted for a shell where that or a colon makes it necessary.
pub(crate) fn file(proc: &Process, name: &[u8]) -> Vec<u8> {
    shell(name, Locale::of(proc), name.contains(&b':'))
}

/// A name in a message, quoted for a shell in any case.
pub(crate) fn always(proc: &Process, name: &[u8]) -> Vec<u8> {
    shell(name, Locale::of(proc), true)
}

/// A word in a message, between the locale's quotation marks.
pub(crate) fn text(proc: &Process, word: &[u8]) -> Vec<u8> {
    text_in(Locale::of(proc), word)
}

/// The same in a locale that was looked up before.
pub(crate) fn text_in(locale: Locale, word: &[u8]) -> Vec<u8> {
    let (left, right): (&[u8], &[u8]) = match locale {
        Locale::C => (b"'", b"'"),
        Locale::Utf8 => ("‘".as_bytes(), "’".as_bytes()),
    };
    let mut out = left.to_vec();
    for piece in pieces(word, locale) {
        match piece {
            Piece::Char(char) => {
                if char == right || char == b"\\" {
                    out.push(b'\\');
                }
                out.extend_from_slice(char);
            }
            Piece::Unprintable(byte) => escape(byte, &mut out),
        }
    }
    out.extend_from_slice(right);
    out
}

/// Quotes for a shell if needed, or if `force`.
pub(crate) fn shell(name: &[u8], locale: Locale, force: bool) -> Vec<u8> {
    let pieces = pieces(name, locale);
    if !force
        && !name.is_empty()
        && pieces
            .iter()
            .enumerate()
            .all(|(at, piece)| plain(piece, at, name))
    {
        return name.to_vec();
    }
    if name.contains(&b'\'')
        && pieces
            .iter()
            .enumerate()
            .all(|(at, piece)| double(piece, at, name))
    {
        return [b"\"".as_slice(), name, b"\""].concat();
    }
    let mut out = vec![b'\''];
    let mut escaping = false;
    for piece in pieces {
        match piece {
            Piece::Char(b"'") => {
                out.extend_from_slice(b"'\\''");
                escaping = false;
            }
            Piece::Char(char) => {
                if std::mem::take(&mut escaping) {
                    out.extend_from_slice(b"''");
                }
                out.extend_from_slice(char);
            }
            Piece::Unprintable(byte) => {
                if !std::mem::replace(&mut escaping, true) {
                    out.extend_from_slice(b"'$'");
                }
                escape(byte, &mut out);
            }
        }
    }
    out.push(b'\'');
    out
}

/// As [`shell`], but control characters stay as they are.
pub(crate) fn shell_raw(name: &[u8], locale: Locale, force: bool) -> Vec<u8> {
    let breaks = |byte: &u8| b"\n\t\r".contains(byte);
    let printable: Vec<u8> = name
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_control())
        .collect();
    let quoted = shell(&printable, locale, force || name.iter().any(breaks));
    if printable.len() == name.len() {
        return quoted;
    }
    // Between the marks nothing but the mark itself is written otherwise.
    if quoted == printable {
        return name.to_vec();
    }
    single_quoted(name)
}

/// Whether a shell takes this character for itself, unquoted.
fn plain(piece: &Piece<'_>, at: usize, name: &[u8]) -> bool {
    let Piece::Char(char) = piece else {
        return false;
    };
    match *char {
        [b'{' | b'}'] => name.len() > 1,
        [b'#' | b'~'] => at > 0,
        [byte] => !b"? !\"$&()*;<=>[^`|'\\".contains(byte),
        _ => true,
    }
}

/// Whether a character stands for itself between double quotes, in C and in a shell.
fn double(piece: &Piece<'_>, at: usize, name: &[u8]) -> bool {
    match piece {
        Piece::Char(b" " | b"'") => true,
        Piece::Char([b'#' | b'~' | b'{' | b'}']) => false,
        piece => plain(piece, at, name),
    }
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    out.push(b'\\');
    match byte {
        7 => out.push(b'a'),
        8 => out.push(b'b'),
        9 => out.push(b't'),
        10 => out.push(b'n'),
        11 => out.push(b'v'),
        12 => out.push(b'f'),
        13 => out.push(b'r'),
        _ => out.extend_from_slice(format!("{byte:03o}").as_bytes()),
    }
}

/// C escapes without quotes: `ls -b`, where a blank is escaped too.
pub(crate) fn c_escaped(name: &[u8], locale: Locale) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces(name, locale) {
        match piece {
            Piece::Char(char) => {
                if matches!(char, b" " | b"\\") {
                    out.push(b'\\');
                }
                out.extend_from_slice(char);
            }
            Piece::Unprintable(byte) => escape(byte, &mut out),
        }
    }
    out
}

/// A C string with its double quotes: `ls -Q`.
pub(crate) fn c_string(name: &[u8], locale: Locale) -> Vec<u8> {
    let mut out = vec![b'"'];
    for piece in pieces(name, locale) {
        match piece {
            Piece::Char(char) => {
                if matches!(char, b"\"" | b"\\") {
                    out.push(b'\\');
                }
                out.extend_from_slice(char);
            }
            Piece::Unprintable(byte) => escape(byte, &mut out),
        }
    }
    out.push(b'"');
    out
}

/// Columns that a name takes on a terminal.
pub(crate) fn width(name: &[u8], locale: Locale) -> usize {
    match locale {
        Locale::C => name.len(),
        Locale::Utf8 => name
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().map(width::columns).sum::<usize>())
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_for_a_shell_as_ls_does() {
        for (name, expected) in [
            ("plain-name.txt", "plain-name.txt"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "\"it's\""),
            ("it's $5", "'it'\\''s $5'"),
            ("a\nb", "'a'$'\\n''b'"),
            ("\x01", "''$'\\001'"),
            ("~x", "'~x'"),
            ("x~", "x~"),
            ("{}", "{}"),
            ("{", "'{'"),
            ("a=b", "'a=b'"),
            ("é", "é"),
        ] {
            assert_eq!(
                shell(name.as_bytes(), Locale::Utf8, false),
                expected.as_bytes(),
                "{name:?}"
            );
        }
        assert_eq!(shell(b"\xff", Locale::Utf8, false), b"''$'\\377'");
        assert_eq!(shell("é".as_bytes(), Locale::C, false), b"''$'\\303\\251'");
    }
}
