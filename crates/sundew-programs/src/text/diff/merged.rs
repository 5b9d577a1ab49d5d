//! Both files in one text: `-D` and the formats of groups and lines.

use super::report::Lines;
use super::script::Change;

/// What each kind of group and line is shown as; what was not asked for follows from the others.
#[derive(Debug, Default, Clone)]
pub(super) struct Formats {
    pub(super) old_group: Option<Vec<u8>>,
    pub(super) new_group: Option<Vec<u8>>,
    pub(super) same_group: Option<Vec<u8>>,
    pub(super) changed_group: Option<Vec<u8>>,
    pub(super) old_line: Option<Vec<u8>>,
    pub(super) new_line: Option<Vec<u8>>,
    pub(super) same_line: Option<Vec<u8>>,
}

impl Formats {
    /// The preprocessor's lines of `-D NAME`.
    pub(super) fn preprocessor(name: &[u8]) -> Self {
        let fill = |text: &str| {
            let parts: Vec<&[u8]> = text.as_bytes().split(|&byte| byte == b'@').collect();
            Some(parts.join(name))
        };
        Self {
            old_group: fill("#ifndef @\n%<#endif /* ! @ */\n"),
            new_group: fill("#ifdef @\n%>#endif /* @ */\n"),
            same_group: fill("%="),
            changed_group: fill("#ifndef @\n%<#else /* @ */\n%>#endif /* @ */\n"),
            ..Self::default()
        }
    }

    /// Sets the format that an option names.
    pub(super) fn set(&mut self, option: &str, value: &[u8]) {
        let value = || Some(value.to_vec());
        match option {
            "old-group-format" => self.old_group = value(),
            "new-group-format" => self.new_group = value(),
            "unchanged-group-format" => self.same_group = value(),
            "changed-group-format" => self.changed_group = value(),
            "old-line-format" => self.old_line = value(),
            "new-line-format" => self.new_line = value(),
            "unchanged-line-format" => self.same_line = value(),
            _ => {
                self.old_line = value();
                self.new_line = value();
                self.same_line = value();
            }
        }
    }

    /// Whether files that are the same show nothing.
    pub(super) fn hides_same(&self) -> bool {
        match self.same_group.as_deref() {
            Some(b"") => true,
            None | Some(b"%=") => self.same_line.as_deref() == Some(b""),
            _ => false,
        }
    }
}

type Range = (usize, usize);

struct Group<'l, 'a> {
    formats: &'l Formats,
    files: [&'l Lines<'a>; 2],
    old: Range,
    new: Range,
}

/// All of both files, group by group.
pub(super) fn show(
    formats: &Formats,
    old: &Lines<'_>,
    new: &Lines<'_>,
    changes: &[Change],
) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut at_old, mut at_new) = (0, 0);
    let group = |old_range: Range, new_range: Range| Group {
        formats,
        files: [old, new],
        old: old_range,
        new: new_range,
    };
    for change in changes.iter().filter(|change| !change.ignored) {
        group((at_old, change.old.0), (at_new, change.new.0)).same(&mut out);
        group(change.old, change.new).changed(&mut out);
        (at_old, at_new) = (change.old.1, change.new.1);
    }
    group((at_old, old.len()), (at_new, new.len())).same(&mut out);
    out
}

impl Group<'_, '_> {
    fn same(&self, out: &mut Vec<u8>) {
        if self.old.0 < self.old.1 {
            let format = self.formats.same_group.as_deref().unwrap_or(b"%=");
            self.fill(format, out);
        }
    }

    fn changed(&self, out: &mut Vec<u8>) {
        let formats = self.formats;
        let changed = formats.changed_group.as_deref();
        let old = formats.old_group.as_deref().or(changed).unwrap_or(b"%<");
        let new = formats.new_group.as_deref().or(changed).unwrap_or(b"%>");
        if self.new.0 == self.new.1 {
            self.fill(old, out);
        } else if self.old.0 == self.old.1 {
            self.fill(new, out);
        } else if let Some(changed) = changed {
            self.fill(changed, out);
        } else {
            self.fill(old, out);
            self.fill(new, out);
        }
    }

    /// Fills in a group's format.
    fn fill(&self, format: &[u8], out: &mut Vec<u8>) {
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                out.push(byte);
                continue;
            }
            let formats = self.formats;
            match after.first() {
                Some(b'<') => self.lines(0, self.old, formats.old_line.as_deref(), out),
                Some(b'=') => self.lines(0, self.old, formats.same_line.as_deref(), out),
                Some(b'>') => self.lines(1, self.new, formats.new_line.as_deref(), out),
                Some(b'(') => {
                    let Some(behind) = self.choice(after, out) else {
                        out.push(b'%');
                        continue;
                    };
                    rest = behind;
                    continue;
                }
                _ => {
                    match plain(after, |letter| self.number(letter), out) {
                        Some(behind) => rest = behind,
                        None => out.push(b'%'),
                    }
                    continue;
                }
            }
            rest = after.get(1..).unwrap_or_default();
        }
    }

    /// `(A=B?THEN:ELSE)`; what stands behind it.
    fn choice<'f>(&self, format: &'f [u8], out: &mut Vec<u8>) -> Option<&'f [u8]> {
        let close = format.iter().position(|&byte| byte == b')')?;
        let inside = format.get(1..close)?;
        let question = inside.iter().position(|&byte| byte == b'?')?;
        let (test, branches) = inside.split_at(question);
        let branches = branches.get(1..)?;
        let equals = test.iter().position(|&byte| byte == b'=')?;
        let (left, right) = (test.get(..equals)?, test.get(equals + 1..)?);
        let value = |text: &[u8]| match text {
            [letter] if letter.is_ascii_alphabetic() => self.number(*letter),
            text => std::str::from_utf8(text).ok()?.parse().ok(),
        };
        let holds = value(left)? == value(right)?;
        let colon = branches.iter().position(|&byte| byte == b':');
        let colon = colon.unwrap_or(branches.len());
        let (then, otherwise) = branches.split_at(colon);
        let branch = if holds {
            then
        } else {
            otherwise.get(1..).unwrap_or_default()
        };
        self.fill(branch, out);
        format.get(close + 1..)
    }

    fn number(&self, letter: u8) -> Option<usize> {
        let (first, last) = if letter.is_ascii_lowercase() {
            self.old
        } else {
            self.new
        };
        Some(match letter.to_ascii_lowercase() {
            b'e' => first,
            b'f' => first + 1,
            b'l' => last,
            b'm' => last + 1,
            b'n' => last - first,
            _ => return None,
        })
    }

    fn lines(&self, file: usize, (start, end): Range, format: Option<&[u8]>, out: &mut Vec<u8>) {
        let lines = self.files.get(file).and_then(|file| file.get(start..end));
        for (at, line) in lines.unwrap_or_default().iter().enumerate() {
            let Some(format) = format else {
                out.extend_from_slice(line);
                continue;
            };
            let mut rest = format;
            while let Some((&byte, after)) = rest.split_first() {
                rest = after;
                if byte != b'%' {
                    out.push(byte);
                    continue;
                }
                match after.first() {
                    Some(b'L') => out.extend_from_slice(line),
                    Some(b'l') => out.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line)),
                    _ => {
                        let number = |letter| (letter == b'n').then_some(start + at + 1);
                        match plain(after, number, out) {
                            Some(behind) => rest = behind,
                            None => out.push(b'%'),
                        }
                        continue;
                    }
                }
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
}

/// `%%`, `%c'X'` and numbers, as both kinds of format have them; what stands behind.
fn plain<'f>(
    format: &'f [u8],
    number: impl Fn(u8) -> Option<usize>,
    out: &mut Vec<u8>,
) -> Option<&'f [u8]> {
    /// Widest number, in columns.
    const MAX_WIDTH: usize = 4096;
    match format {
        [b'%', rest @ ..] => {
            out.push(b'%');
            return Some(rest);
        }
        [b'c', b'\'', b'\\', digits @ ..] => {
            let count = digits
                .iter()
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let (octal, rest) = digits.split_at_checked(count)?;
            let rest = rest.strip_prefix(b"'")?;
            out.push(u8::from_str_radix(std::str::from_utf8(octal).ok()?, 8).ok()?);
            return Some(rest);
        }
        [b'c', b'\'', byte, b'\'', rest @ ..] => {
            out.push(*byte);
            return Some(rest);
        }
        _ => {}
    }
    let run = |text: &[u8], class: fn(&u8) -> bool| text.iter().take_while(|b| class(b)).count();
    let (flags, rest) = format.split_at_checked(run(format, |byte| b"-'".contains(byte)))?;
    let (width, rest) = rest.split_at_checked(run(rest, u8::is_ascii_digit))?;
    let (precision, rest) = match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at_checked(run(rest, u8::is_ascii_digit))?,
        None => (b"".as_slice(), rest),
    };
    let [kind, letter, rest @ ..] = rest else {
        return None;
    };
    let value = number(*letter)?;
    let text = match kind {
        b'd' => value.to_string(),
        b'o' => format!("{value:o}"),
        b'x' => format!("{value:x}"),
        b'X' => format!("{value:X}"),
        _ => return None,
    };
    let parse = |digits: &[u8]| {
        let text = std::str::from_utf8(digits).unwrap_or_default();
        text.parse::<usize>().unwrap_or(0).min(MAX_WIDTH)
    };
    let text = format!("{text:0>width$}", width = parse(precision));
    let zeros = width.starts_with(b"0") && precision.is_empty();
    let width = parse(width);
    let text = match (flags.contains(&b'-'), zeros) {
        (true, _) => format!("{text:<width$}"),
        (false, true) => format!("{text:0>width$}"),
        (false, false) => format!("{text:>width$}"),
    };
    out.extend_from_slice(text.as_bytes());
    Some(rest)
}
