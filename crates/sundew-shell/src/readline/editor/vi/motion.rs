//! Where the keys of vi's command mode go.

use super::super::Editor;

/// How a character is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Find {
    /// `f`
    Forward,
    /// `t`
    Before,
    /// `F`
    Backward,
    /// `T`
    After,
}

impl Find {
    pub(super) fn of_key(key: u8) -> Option<Self> {
        Some(match key {
            b'f' => Self::Forward,
            b't' => Self::Before,
            b'F' => Self::Backward,
            b'T' => Self::After,
            _ => return None,
        })
    }

    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Before => Self::After,
            Self::Backward => Self::Forward,
            Self::After => Self::Before,
        }
    }
}

/// What a byte is for `w`: nothing beyond the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Blank,
    Word,
    Other,
}

/// How the words of a motion are made.
#[derive(Clone, Copy)]
struct Words<'a> {
    text: &'a [u8],
    /// Only blanks part words.
    big: bool,
}

impl Words<'_> {
    fn kind(self, at: usize) -> Kind {
        match self.text.get(at) {
            None => Kind::Nothing,
            Some(b' ' | b'\t') => Kind::Blank,
            Some(byte) if self.big || byte.is_ascii_alphanumeric() || *byte == b'_' => Kind::Word,
            Some(_) => Kind::Other,
        }
    }

    fn skip(self, mut at: usize, kind: Kind) -> usize {
        while self.kind(at) == kind && kind != Kind::Nothing {
            at += 1;
        }
        at
    }

    fn skip_back(self, mut at: usize, kind: Kind) -> usize {
        while at > 0 && self.kind(at - 1) == kind {
            at -= 1;
        }
        at
    }

    fn next(self, at: usize) -> usize {
        let kind = self.kind(at);
        let end = if kind == Kind::Blank {
            at
        } else {
            self.skip(at, kind)
        };
        self.skip(end, Kind::Blank)
    }

    fn previous(self, at: usize) -> usize {
        let at = self.skip_back(at, Kind::Blank);
        match at.checked_sub(1) {
            Some(before) => self.skip_back(at, self.kind(before)),
            None => 0,
        }
    }

    fn end(self, at: usize) -> usize {
        let start = if self.kind(at) == Kind::Blank {
            at
        } else {
            at + 1
        };
        let start = self.skip(start, Kind::Blank);
        match self.kind(start) {
            Kind::Nothing => self.text.len(),
            kind => self.skip(start, kind) - 1,
        }
    }
}

impl Editor {
    /// A motion that needs nothing but its key.
    pub(in super::super) fn move_vi(&mut self, key: u8, count: i64) {
        let point = self.buffer.point();
        match key {
            b'h' => self.move_characters(-count),
            b'l' | b' ' => self.move_right(count),
            b'0' => self.buffer.set_point(0),
            b'$' => self.buffer.set_point(usize::MAX),
            b'^' => {
                let text = self.buffer.text();
                let blanks = text
                    .iter()
                    .take_while(|byte| matches!(byte, b' ' | b'\t'))
                    .count();
                self.buffer.set_point(blanks);
            }
            b'|' => {
                let columns = usize::try_from(count).unwrap_or(0);
                if columns > self.buffer.text().len() {
                    self.buffer.set_point(usize::MAX);
                } else {
                    let to = (1..columns).fold(0, |at, _| self.buffer.next(at));
                    self.buffer.set_point(to);
                }
            }
            b'%' => match self.partner() {
                Some(at) => self.buffer.set_point(at),
                None => self.ding(),
            },
            b'w' | b'W' | b'b' | b'B' => {
                let forward = (key.eq_ignore_ascii_case(&b'w')) == (count >= 0);
                let last = self.buffer.text().len().saturating_sub(1);
                if (forward && point >= last) || (!forward && point == 0) {
                    return self.ding();
                }
                self.move_words(
                    count,
                    |words, at| {
                        if forward {
                            words.next(at)
                        } else {
                            words.previous(at)
                        }
                    },
                    key.is_ascii_uppercase(),
                    forward,
                );
            }
            b'e' | b'E' if count < 0 => self.ding(),
            b'e' | b'E' => self.move_words(
                count,
                |words, at| words.end(at),
                key.is_ascii_uppercase(),
                true,
            ),
            _ => {}
        }
    }

    fn move_words(
        &mut self,
        count: i64,
        step: impl Fn(Words<'_>, usize) -> usize,
        big: bool,
        forward: bool,
    ) {
        let mut at = self.buffer.point();
        let words = Words {
            text: self.buffer.text(),
            big,
        };
        for _ in 0..count.unsigned_abs().min(u64::from(u16::MAX)) {
            let stop = if forward {
                at + 1 >= words.text.len()
            } else {
                at == 0
            };
            if stop {
                break;
            }
            at = step(words, at);
        }
        self.buffer.set_point(at);
    }

    /// `l`: the last character is as far as it goes.
    fn move_right(&mut self, count: i64) {
        if count < 0 {
            return self.move_characters(count);
        }
        let point = self.buffer.point();
        let (mut to, _) = self.characters_away(count);
        if to >= self.buffer.text().len() {
            to = self.buffer.previous(to);
        }
        if to == point {
            self.ding();
        }
        self.buffer.set_point(to);
    }

    /// The bracket that belongs to the next one in the line.
    fn partner(&self) -> Option<usize> {
        const PAIRS: &[(u8, u8)] = &[(b'(', b')'), (b'[', b']'), (b'{', b'}')];
        let text = self.buffer.text();
        let is_bracket = |byte: &u8| PAIRS.iter().any(|pair| pair.0 == *byte || pair.1 == *byte);
        let point = self.buffer.point();
        let at = point + text.iter().skip(point).position(is_bracket)?;
        let bracket = *text.get(at)?;
        let (open, close) = PAIRS
            .iter()
            .copied()
            .find(|pair| pair.0 == bracket || pair.1 == bracket)?;
        let mut depth = 0_usize;
        let mut closes = |byte: u8, here: u8, other: u8| {
            if byte == here {
                depth += 1;
            } else if byte == other {
                depth -= 1;
            }
            depth == 0
        };
        if bracket == open {
            let found = text
                .iter()
                .skip(at)
                .position(|&byte| closes(byte, open, close))?;
            Some(at + found)
        } else {
            text.iter()
                .take(at + 1)
                .rposition(|&byte| closes(byte, close, open))
        }
    }

    pub(super) fn find_character(&mut self, find: Find, target: &[u8], count: i64) {
        let forward = matches!(find, Find::Forward | Find::Before);
        let mut at = self.buffer.point();
        for _ in 0..count.max(1) {
            loop {
                let next = if forward {
                    self.buffer.next(at)
                } else {
                    self.buffer.previous(at)
                };
                let text = self.buffer.text();
                if next == at || next >= text.len() {
                    return self.ding();
                }
                at = next;
                if text.get(at..).is_some_and(|rest| rest.starts_with(target)) {
                    break;
                }
            }
            let to = match find {
                Find::Forward | Find::Backward => at,
                Find::Before => self.buffer.previous(at),
                Find::After => self.buffer.next(at),
            };
            self.buffer.set_point(to);
        }
    }

    /// Where what `^W` rubs out begins.
    pub(super) fn vi_rubout_start(&self, count: i64) -> usize {
        let text = self.buffer.text();
        let blank = |at: usize| text.get(at).is_some_and(|b| matches!(b, b' ' | b'\t'));
        let boundary = |at: usize| {
            text.get(at)
                .is_some_and(|b| matches!(b, b' ' | b'\t') || b.is_ascii_punctuation())
        };
        let mut at = self.buffer.point();
        for _ in 0..count.max(1) {
            while at == text.len() && at > 0 && blank(at - 1) {
                at -= 1;
                while at > 0 && blank(at - 1) {
                    at -= 1;
                }
            }
            if at > 0 && !boundary(at) && boundary(at - 1) {
                at -= 1;
            }
            if at > 0 && boundary(at) {
                while at > 0 && boundary(at - 1) {
                    at -= 1;
                }
            } else {
                while at > 0 && !boundary(at - 1) {
                    at -= 1;
                }
            }
        }
        at
    }
}
