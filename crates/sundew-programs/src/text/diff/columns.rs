//! Both files beside each other: `-y`.

use super::Settings;
use super::report::Lines;
use super::script::Change;

/// Columns between the halves at least.
const GUTTER: usize = 3;

/// Where the halves lie.
#[derive(Debug, Clone, Copy)]
struct Layout {
    half: usize,
    second: usize,
    tab: usize,
    expand: bool,
}

impl Layout {
    fn of(settings: &Settings) -> Self {
        let (width, tab) = (settings.width, settings.tab_size);
        let unit = if settings.expand_tabs { 1 } else { tab };
        let padded = unit + GUTTER;
        let rough = (width >> 1) + (padded >> 1) + (width & padded & 1);
        let off = rough - rough % unit;
        let half = off.saturating_sub(GUTTER).min(width.saturating_sub(off));
        Self {
            half,
            second: if half == 0 { width } else { off },
            tab,
            expand: settings.expand_tabs,
        }
    }

    /// Blanks from one column to another, tabs where they fit.
    fn blanks(self, mut from: usize, to: usize, out: &mut Vec<u8>) -> usize {
        if !self.expand {
            let mut stop = from + self.tab - from % self.tab;
            while stop <= to {
                out.push(b'\t');
                from = stop;
                stop += self.tab;
            }
        }
        out.extend(std::iter::repeat_n(b' ', to.saturating_sub(from)));
        to
    }

    /// A line's beginning, as much as fits a half; the column it ends at, counted from `indent`.
    fn half(self, line: &[u8], indent: usize, out: &mut Vec<u8>) -> usize {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (mut read, mut written) = (0, 0);
        for chunk in line.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character == '\t' {
                    let blanks = self.tab - read % self.tab;
                    if read == written {
                        let stop = written + blanks;
                        if self.expand {
                            let stop = stop.min(self.half);
                            out.extend(std::iter::repeat_n(b' ', stop.saturating_sub(written)));
                            written = stop;
                        } else if stop < self.half {
                            out.push(b'\t');
                            written = stop;
                        }
                    }
                    read += blanks;
                    continue;
                }
                read += sundew_posix::width::columns(character);
                if read <= self.half {
                    written = read;
                    let mut buffer = [0; 4];
                    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                }
            }
            for &byte in chunk.invalid() {
                if read < self.half {
                    out.push(byte);
                }
            }
        }
        indent + written
    }

    fn row(self, left: Option<&[u8]>, mark: u8, right: Option<&[u8]>, out: &mut Vec<u8>) {
        let ended = |line: Option<&[u8]>| line.is_some_and(|line| line.ends_with(b"\n"));
        let mut column = left.map_or(0, |line| self.half(line, 0, out));
        if mark != b' ' {
            let to = (self.half + self.second - 1) / 2;
            column = self.blanks(column, to, out) + 1;
            let mark = match (mark, ended(left), ended(right)) {
                (b'|', true, false) => b'/',
                (b'|', false, true) => b'\\',
                _ => mark,
            };
            out.push(mark);
        }
        if let Some(line) = right
            && line != b"\n"
        {
            let column = self.blanks(column, self.second, out);
            self.half(line, column, out);
        }
        if ended(left) || ended(right) {
            out.push(b'\n');
        }
    }
}

/// Both files whole, or only what differs.
pub(super) fn show(
    settings: &Settings,
    old: &Lines<'_>,
    new: &Lines<'_>,
    changes: &[Change],
) -> Vec<u8> {
    let layout = Layout::of(settings);
    let mut out = Vec::new();
    let (mut left, mut right) = (0, 0);
    let common = |to: (usize, usize), left: &mut usize, right: &mut usize, out: &mut Vec<u8>| {
        while *left < to.0 || *right < to.1 {
            let (a, b) = (old.get(*left).copied(), new.get(*right).copied());
            if !settings.suppress_common {
                if settings.left_column {
                    layout.row(a, b'(', None, out);
                } else {
                    layout.row(a, b' ', b, out);
                }
            }
            *left += 1;
            *right += 1;
        }
    };
    for change in changes.iter().filter(|change| !change.ignored) {
        common(
            (change.old.0, change.new.0),
            &mut left,
            &mut right,
            &mut out,
        );
        while left < change.old.1 && right < change.new.1 {
            layout.row(
                old.get(left).copied(),
                b'|',
                new.get(right).copied(),
                &mut out,
            );
            left += 1;
            right += 1;
        }
        while right < change.new.1 {
            layout.row(None, b'>', new.get(right).copied(), &mut out);
            right += 1;
        }
        while left < change.old.1 {
            layout.row(old.get(left).copied(), b'<', None, &mut out);
            left += 1;
        }
    }
    common((old.len(), new.len()), &mut left, &mut right, &mut out);
    out
}
