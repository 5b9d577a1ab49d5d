//! Perl's patterns as the engine reads them, and `tr`.

/// Perl's pattern as fancy-regex reads it: `$` before a last newline, `\Z`, `\h`, bytes, lone braces.
pub(super) fn translated(text: &[u8], multi_line: bool) -> String {
    let mut out = String::new();
    let mut at = 0;
    let mut class = false;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        match byte {
            b'\\' => {
                at += 1;
                match next {
                    Some(b'Z') => out.push_str("(?=\\n?\\z)"),
                    Some(b'h') => out.push_str(if class { " \\t" } else { "[ \\t]" }),
                    Some(b'e') => out.push_str("\\x1b"),
                    Some(
                        letter @ (b'<' | b'>' | b'/' | b'"' | b'\'' | b'@' | b'%' | b',' | b'='
                        | b':' | b';' | b'`' | b'_' | b'!'),
                    ) => {
                        if letter == b'_' {
                            out.push('_');
                        } else {
                            out.push_str(&format!("\\x{letter:02x}"));
                        }
                    }
                    Some(letter) if letter >= 0x80 => out.push_str(&format!("\\x{letter:02x}")),
                    Some(letter) => {
                        out.push('\\');
                        out.push(char::from(letter));
                    }
                    None => out.push_str("\\\\"),
                }
            }
            b'[' if !class => {
                class = true;
                out.push('[');
                if next == Some(b'^') {
                    out.push('^');
                    at += 1;
                }
                if text.get(at + 1) == Some(&b']') {
                    out.push_str("\\]");
                    at += 1;
                }
            }
            b'[' if next == Some(b':') => out.push('['),
            b'[' => out.push_str("\\["),
            b']' if class => {
                // The end of `[:alpha:]` is not the class's.
                let named = at > 0 && text.get(at - 1) == Some(&b':') && out.contains("[:");
                class = named && text.get(at + 1..).is_some_and(|rest| rest.contains(&b']'));
                out.push(']');
            }
            b'&' | b'~' if class && next == Some(byte) => out.push_str(&format!("\\x{byte:02x}")),
            b'$' if !class && !multi_line => out.push_str("(?=\\n?\\z)"),
            b'{' if !class => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let end = rest
                    .iter()
                    .position(|byte| !byte.is_ascii_digit() && *byte != b',');
                let counts = rest.first().is_some_and(u8::is_ascii_digit)
                    && end.is_some_and(|end| rest.get(end) == Some(&b'}'));
                // `\x{…}` and `\p{…}` keep theirs.
                let escaped = at > 1
                    && text.get(at - 2) == Some(&b'\\')
                    && matches!(
                        text.get(at - 1),
                        Some(b'x' | b'p' | b'P' | b'k' | b'g' | b'o')
                    );
                out.push_str(if counts || escaped { "{" } else { "\\{" });
            }
            b'(' if text.get(at..).is_some_and(|rest| rest.starts_with(b"(?^")) => {
                out.push_str("(?");
                at += 2;
            }
            byte if byte >= 0x80 => out.push_str(&format!("\\x{byte:02x}")),
            byte => out.push(char::from(byte)),
        }
        at += 1;
    }
    out
}

/// `tr`: the new text and how many were found.
pub(super) fn transliterate(text: &[u8], from: &[u8], to: &[u8], flags: &str) -> (Vec<u8>, usize) {
    let (complement, delete, squeeze) = (
        flags.contains('c'),
        flags.contains('d'),
        flags.contains('s'),
    );
    let to: &[u8] = if to.is_empty() && !delete {
        if complement { b"" } else { from }
    } else {
        to
    };
    let (mut out, mut count, mut last) = (Vec::new(), 0, None);
    for &byte in text {
        let place = from.iter().position(|own| *own == byte);
        let place = if complement {
            if place.is_none() {
                Some(usize::MAX)
            } else {
                None
            }
        } else {
            place
        };
        let Some(place) = place else {
            out.push(byte);
            last = None;
            continue;
        };
        count += 1;
        let new = match to.get(place) {
            Some(new) => Some(*new),
            None if delete => None,
            None => Some(to.last().copied().unwrap_or(byte)),
        };
        if let Some(new) = new {
            if !(squeeze && last == Some(new)) {
                out.push(new);
            }
            last = Some(new);
        }
    }
    (out, count)
}

/// What is wrong with a pattern, as perl words it.
pub(super) fn fault(pattern: &str) -> String {
    let mut depth = Vec::new();
    let mut bytes = pattern.bytes().enumerate().peekable();
    let mut before = None;
    let mark = |at: usize| {
        let (left, right) = pattern.split_at(at.min(pattern.len()));
        format!("{left} <-- HERE {right}")
    };
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'(' => depth.push(at),
            b')' if depth.pop().is_none() => {
                return format!(
                    "Unmatched ) in regex; marked by <-- HERE in m/{}/",
                    mark(at)
                );
            }
            b'*' | b'+' | b'?' if matches!(before, None | Some(b'(' | b'|')) => {
                return format!(
                    "Quantifier follows nothing in regex; marked by <-- HERE in m/{}/",
                    mark(at + 1)
                );
            }
            b'[' if !pattern.get(at + 1..).is_some_and(|rest| rest.contains(']')) => {
                return format!(
                    "Unmatched [ in regex; marked by <-- HERE in m/{}/",
                    mark(at + 1)
                );
            }
            _ => {}
        }
        before = Some(byte);
    }
    match depth.first() {
        Some(at) => format!(
            "Unmatched ( in regex; marked by <-- HERE in m/{}/",
            mark(at + 1)
        ),
        None => format!("Invalid pattern in regex; marked by <-- HERE in m/{pattern} <-- HERE /"),
    }
}
