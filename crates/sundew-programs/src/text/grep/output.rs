//! Lines as grep prints them: prefixes, separators, colours.

use super::matcher::Compiled;
use super::options::Options;

/// The parts of `GREP_COLORS` that are not empty by default.
#[derive(Debug, Clone)]
pub(super) struct Colors {
    selected: Vec<u8>,
    context: Vec<u8>,
    name: Vec<u8>,
    line: Vec<u8>,
    offset: Vec<u8>,
    separator: Vec<u8>,
}

impl Colors {
    pub(super) fn new(variable: Option<&[u8]>) -> Self {
        let mut colors = Self {
            selected: b"01;31".to_vec(),
            context: b"01;31".to_vec(),
            name: b"35".to_vec(),
            line: b"32".to_vec(),
            offset: b"32".to_vec(),
            separator: b"36".to_vec(),
        };
        for part in variable.unwrap_or_default().split(|&byte| byte == b':') {
            let mut halves = part.splitn(2, |&byte| byte == b'=');
            let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
                continue;
            };
            let place = match name {
                b"mt" => {
                    colors.context = value.to_vec();
                    &mut colors.selected
                }
                b"ms" => &mut colors.selected,
                b"mc" => &mut colors.context,
                b"fn" => &mut colors.name,
                b"ln" => &mut colors.line,
                b"bn" => &mut colors.offset,
                b"se" => &mut colors.separator,
                _ => continue,
            };
            *place = value.to_vec();
        }
        colors
    }
}

/// How lines are dressed.
pub(super) struct Printer {
    colors: Option<Colors>,
    with_name: bool,
    line_number: bool,
    byte_offset: bool,
    tab: bool,
    null_name: bool,
    only_matching: bool,
    invert: bool,
    end: u8,
}

impl Printer {
    pub(super) fn new(options: &Options, colors: Option<Colors>, with_name: bool) -> Self {
        Self {
            colors,
            with_name,
            line_number: options.line_number,
            byte_offset: options.byte_offset,
            tab: options.tab,
            null_name: options.null_name,
            only_matching: options.only_matching,
            invert: options.invert,
            end: if options.null_data { 0 } else { b'\n' },
        }
    }

    /// Whether lines begin with the file's name.
    pub(super) fn names(&self) -> bool {
        self.with_name
    }

    fn painted(&self, out: &mut Vec<u8>, color: impl Fn(&Colors) -> &Vec<u8>, text: &[u8]) {
        match self.colors.as_ref().map(color) {
            Some(color) if !color.is_empty() => {
                out.extend_from_slice(b"\x1b[");
                out.extend_from_slice(color);
                out.extend_from_slice(b"m\x1b[K");
                out.extend_from_slice(text);
                out.extend_from_slice(b"\x1b[m\x1b[K");
            }
            _ => out.extend_from_slice(text),
        }
    }

    /// The name of a file on a line of its own, or before a count.
    pub(super) fn name(&self, out: &mut Vec<u8>, name: &[u8]) {
        self.painted(out, |colors| &colors.name, name);
    }

    pub(super) fn separator(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.painted(out, |colors| &colors.separator, text);
    }

    /// The prefix of a line; `mark` is `:` for selected lines and `-` for their context.
    fn head(&self, out: &mut Vec<u8>, name: &[u8], number: u64, offset: u64, mark: u8) {
        let start = out.len();
        if self.with_name {
            self.name(out, name);
            if self.null_name {
                out.push(0);
            } else {
                self.separator(out, &[mark]);
            }
        }
        if self.line_number {
            let text = if self.tab {
                format!("{number:>3}")
            } else {
                number.to_string()
            };
            self.painted(out, |colors| &colors.line, text.as_bytes());
            self.separator(out, &[mark]);
        }
        if self.byte_offset {
            let text = if self.tab {
                format!("{offset:>3}")
            } else {
                offset.to_string()
            };
            self.painted(out, |colors| &colors.offset, text.as_bytes());
            self.separator(out, &[mark]);
        }
        if self.tab && out.len() > start {
            out.push(b'\t');
        }
    }

    /// One line, or with `-o` its matches.
    pub(super) fn line(&self, out: &mut Vec<u8>, compiled: &Compiled, line: &Line<'_>) {
        let mark = if line.selected { b':' } else { b'-' };
        // With -v the context is what matches.
        let matching = line.selected != self.invert;
        if self.only_matching {
            if matching && line.selected {
                self.matches(out, compiled, line, mark);
            }
            return;
        }
        self.head(out, line.name, line.number, line.offset, mark);
        if matching && self.colors.is_some() {
            self.highlighted(out, compiled, line);
        } else {
            out.extend_from_slice(line.text);
        }
        out.push(self.end);
    }

    fn matches(&self, out: &mut Vec<u8>, compiled: &Compiled, line: &Line<'_>, mark: u8) {
        each_match(compiled, line.text, |start, end| {
            self.head(
                out,
                line.name,
                line.number,
                line.offset + start as u64,
                mark,
            );
            let text = line.text.get(start..end).unwrap_or_default();
            self.painted(out, |colors| &colors.selected, text);
            out.push(self.end);
        });
    }

    fn highlighted(&self, out: &mut Vec<u8>, compiled: &Compiled, line: &Line<'_>) {
        let mut printed = 0;
        each_match(compiled, line.text, |start, end| {
            out.extend_from_slice(line.text.get(printed..start).unwrap_or_default());
            let text = line.text.get(start..end).unwrap_or_default();
            if line.selected {
                self.painted(out, |colors| &colors.selected, text);
            } else {
                self.painted(out, |colors| &colors.context, text);
            }
            printed = end;
        });
        out.extend_from_slice(line.text.get(printed..).unwrap_or_default());
    }
}

/// One line of a file.
pub(super) struct Line<'a> {
    pub(super) name: &'a [u8],
    pub(super) text: &'a [u8],
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) selected: bool,
}

/// Calls `each` with the bounds of every nonempty match.
fn each_match(compiled: &Compiled, text: &[u8], mut each: impl FnMut(usize, usize)) {
    let mut at = 0;
    while at <= text.len() {
        let Some((start, end)) = compiled.find(text, at) else {
            return;
        };
        if start == end {
            at = end + 1;
        } else {
            each(start, end);
            at = end;
        }
    }
}
