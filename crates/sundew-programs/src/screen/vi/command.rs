//! The keys of command mode.

use sundew_kernel::Process;

use super::super::{Key, character};
use super::{MAX_COUNT, Mode, Next, Vi, Yanked};

impl Vi {
    pub(super) async fn command(&mut self, proc: &mut Process, first: Key) -> Next {
        let mut key = first;
        let mut count: Option<usize> = None;
        while let Key::Byte(digit @ b'0'..=b'9') = key {
            if digit == b'0' && count.is_none() {
                break;
            }
            let value = count.unwrap_or(0) * 10 + usize::from(digit - b'0');
            count = Some(value.min(MAX_COUNT));
            key = self.key(proc).await;
        }
        let byte = match key {
            Key::Byte(byte) => byte,
            Key::Up => b'k',
            Key::Down => b'j',
            Key::Left => b'h',
            Key::Right => b'l',
            Key::Home => b'0',
            Key::End => b'$',
            Key::PageUp => 2,
            Key::PageDown => 6,
            Key::Delete => b'x',
            Key::Insert => b'i',
            Key::Meta(byte) => {
                self.keys.put_back(byte);
                return Next::Go;
            }
            _ => return Next::Go,
        };
        match byte {
            b':' => return self.ask_colon(proc).await,
            b'Z' => {
                if self.key(proc).await == Key::Byte(b'Z') {
                    return self.save_and_quit(proc).await;
                }
                self.out.push(7);
            }
            b'/' | b'?' => self.ask_search(proc, byte).await,
            b'd' | b'c' | b'y' | b'<' | b'>' => self.operate(proc, byte, count).await,
            b'r' => {
                if let Key::Byte(with) = self.key(proc).await {
                    self.replace_characters(with, count.unwrap_or(1));
                    self.remember();
                }
            }
            b'f' | b'F' | b't' | b'T' => {
                if let Key::Byte(target) = self.key(proc).await {
                    self.find = Some((byte, target));
                    self.find_character(byte, target);
                }
            }
            b'g' => match self.key(proc).await {
                Key::Byte(b'g') => self.go_to(count.unwrap_or(1)),
                _ => self.out.push(7),
            },
            b'.' => {
                let last = self.last.clone();
                self.typed.clear();
                self.replay.extend(last);
                return Next::Go;
            }
            b'm' | b'\'' | b'"' | b'z' | b'q' | b'@' => {
                self.key(proc).await;
            }
            27 => {}
            _ if self.move_to(byte, count) => {}
            _ => self.change(byte, count),
        }
        if self.mode == Mode::Command {
            self.typed.clear();
        }
        Next::Go
    }

    /// Keeps the keys of this change for `.`.
    fn remember(&mut self) {
        if self.replay.is_empty() && !self.typed.is_empty() {
            self.last = std::mem::take(&mut self.typed);
        }
    }

    /// Motions; `false` if the key is none.
    fn move_to(&mut self, key: u8, count: Option<usize>) -> bool {
        let times = count.unwrap_or(1);
        let height = self.size.1 - 1;
        match key {
            b'h' | 8 | 0x7f => {
                for _ in 0..times {
                    self.dot = self.before(self.dot);
                }
            }
            b'l' | b' ' => {
                for _ in 0..times {
                    let end = self.line_end(self.dot);
                    let len = character(self.text.get(self.dot..).unwrap_or_default());
                    self.dot = (self.dot + len).min(end);
                }
            }
            b'j' | 14 | 10 => self.vertical(true, times),
            b'k' | 16 => self.vertical(false, times),
            b'+' | b'\r' => {
                self.vertical(true, times);
                self.go_to_first_word();
            }
            b'-' => {
                self.vertical(false, times);
                self.go_to_first_word();
            }
            b'0' => self.dot = self.line_start(self.dot),
            b'^' => self.go_to_first_word(),
            b'$' => self.dot = self.line_end(self.dot),
            b'|' => {
                let start = self.line_start(self.dot);
                self.dot = (start + times - 1).min(self.line_end(start));
            }
            b'w' | b'W' => {
                for _ in 0..times {
                    self.dot = self.word_ahead(self.dot, key == b'W');
                }
            }
            b'b' | b'B' => {
                for _ in 0..times {
                    self.dot = self.word_back(self.dot, key == b'B');
                }
            }
            b'e' | b'E' => {
                for _ in 0..times {
                    self.dot = self.word_end(self.dot, key == b'E');
                }
            }
            b'G' => self.go_to(count.unwrap_or(usize::MAX)),
            b'H' => self.dot = self.top,
            b'L' => {
                self.dot = self.top;
                self.vertical_quietly(height - 1);
            }
            b'M' => {
                self.dot = self.top;
                self.vertical_quietly(height / 2);
            }
            6 => self.vertical(true, height - 2),
            2 => self.vertical(false, height - 2),
            4 => self.vertical(true, height / 2),
            21 => self.vertical(false, height / 2),
            12 | 18 => self.redraw(),
            b'%' => self.go_to_partner(),
            b';' | b',' => {
                if let Some((kind, target)) = self.find {
                    let turned = match kind {
                        b'f' => b'F',
                        b'F' => b'f',
                        b't' => b'T',
                        _ => b't',
                    };
                    self.find_character(if key == b',' { turned } else { kind }, target);
                }
            }
            b'n' => self.search_on(true),
            b'N' => self.search_on(false),
            b'}' | b'{' => self.go_to_paragraph(key == b'}'),
            _ => return false,
        }
        true
    }

    fn vertical_quietly(&mut self, lines: usize) {
        for _ in 0..lines {
            match self.next_line(self.dot) {
                Some(next) => self.dot = next,
                None => return,
            }
        }
    }

    fn go_to_paragraph(&mut self, ahead: bool) {
        loop {
            let next = if ahead {
                self.next_line(self.dot)
            } else {
                self.previous_line(self.dot)
            };
            match next {
                Some(next) => self.dot = next,
                None => return,
            }
            if self.text.get(self.dot) == Some(&b'\n') {
                return;
            }
        }
    }

    fn go_to_partner(&mut self) {
        const PAIRS: &[(u8, u8)] = &[(b'(', b')'), (b'[', b']'), (b'{', b'}')];
        let bracket = self.text.get(self.dot).copied().unwrap_or_default();
        let pair = PAIRS
            .iter()
            .find(|pair| pair.0 == bracket || pair.1 == bracket);
        let Some(&(open, close)) = pair else {
            return self.out.push(7);
        };
        let mut depth = 0_usize;
        let mut hit = |byte: u8, here: u8, other: u8| {
            if byte == here {
                depth += 1;
            } else if byte == other {
                depth -= 1;
            }
            depth == 0
        };
        let found = if bracket == open {
            let rest = self.text.iter().skip(self.dot);
            rest.copied()
                .position(|byte| hit(byte, open, close))
                .map(|at| self.dot + at)
        } else {
            let before = self.text.get(..=self.dot).unwrap_or_default();
            before.iter().rposition(|&byte| hit(byte, close, open))
        };
        match found {
            Some(at) => self.dot = at,
            None => self.out.push(7),
        }
    }

    fn go_to(&mut self, line: usize) {
        self.dot = self.start_of(line.min(self.line_count().max(1)));
        self.go_to_first_word();
    }

    fn go_to_first_word(&mut self) {
        let start = self.line_start(self.dot);
        let end = self.line_end(start);
        let line = self.text.get(start..end).unwrap_or_default();
        let blanks = line
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        self.dot = start + blanks;
    }

    fn kind(&self, at: usize, big: bool) -> u8 {
        match self.text.get(at) {
            None | Some(b' ' | b'\t' | b'\n') => 0,
            Some(byte) if big || byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80 => {
                1
            }
            Some(_) => 2,
        }
    }

    fn word_ahead(&self, mut at: usize, big: bool) -> usize {
        let last = self.text.len().saturating_sub(1);
        let kind = self.kind(at, big);
        while at < last && kind != 0 && self.kind(at, big) == kind {
            at += 1;
        }
        while at < last && self.kind(at, big) == 0 {
            at += 1;
        }
        at
    }

    fn word_back(&self, mut at: usize, big: bool) -> usize {
        while at > 0 && self.kind(at - 1, big) == 0 {
            at -= 1;
        }
        let kind = self.kind(at.saturating_sub(1), big);
        while at > 0 && self.kind(at - 1, big) == kind {
            at -= 1;
        }
        at
    }

    fn word_end(&self, at: usize, big: bool) -> usize {
        let last = self.text.len().saturating_sub(1);
        let mut at = (at + 1).min(last);
        while at < last && self.kind(at, big) == 0 {
            at += 1;
        }
        let kind = self.kind(at, big);
        while at < last && self.kind(at + 1, big) == kind && kind != 0 {
            at += 1;
        }
        at
    }

    fn find_character(&mut self, kind: u8, target: u8) {
        let (start, end) = (self.line_start(self.dot), self.line_end(self.dot));
        let found = if matches!(kind, b'f' | b't') {
            let from = self.dot + 1;
            let rest = self.text.get(from..end).unwrap_or_default();
            rest.iter()
                .position(|&byte| byte == target)
                .map(|at| from + at - usize::from(kind == b't'))
        } else {
            let before = self.text.get(start..self.dot).unwrap_or_default();
            before
                .iter()
                .rposition(|&byte| byte == target)
                .map(|at| start + at + usize::from(kind == b'T'))
        };
        match found {
            Some(at) => self.dot = at,
            None => self.out.push(7),
        }
    }

    // ---- changes ---------------------------------------------------------------------------------

    fn change(&mut self, key: u8, count: Option<usize>) {
        let times = count.unwrap_or(1);
        match key {
            b'i' | b'a' | b'I' | b'A' | b'o' | b'O' | b'R' => return self.begin_insert(key),
            b'x' | b'X' | b's' => {
                self.keep();
                for _ in 0..times {
                    let end = self.line_end(self.dot);
                    if key == b'X' {
                        let from = self.before(self.dot);
                        self.take(from, self.dot, false);
                        self.dot = from;
                    } else if self.dot < end {
                        let len = character(self.text.get(self.dot..).unwrap_or_default());
                        self.take(self.dot, self.dot + len, false);
                    }
                }
                if key == b's' {
                    self.mode = Mode::Insert;
                    return;
                }
            }
            b'D' | b'C' => {
                self.keep();
                self.take(self.dot, self.line_end(self.dot), false);
                if key == b'C' {
                    self.mode = Mode::Insert;
                    return;
                }
            }
            b'S' => {
                self.keep();
                let start = self.line_start(self.dot);
                self.take(start, self.line_end(start), false);
                self.dot = start;
                self.mode = Mode::Insert;
                return;
            }
            b'Y' => self.yank_lines(times),
            b'p' | b'P' => self.put(key == b'p', times),
            b'u' => self.undo(),
            b'J' => {
                self.keep();
                for _ in 0..times {
                    let end = self.line_end(self.dot);
                    if end + 1 >= self.text.len() {
                        break;
                    }
                    let blanks = self
                        .text
                        .iter()
                        .skip(end + 1)
                        .take_while(|byte| matches!(byte, b' ' | b'\t'))
                        .count();
                    self.text.splice(end..end + 1 + blanks, [b' ']);
                    self.dot = end;
                }
            }
            b'~' => {
                self.keep();
                for _ in 0..times {
                    if self.text.get(self.dot) == Some(&b'\n') {
                        break;
                    }
                    if let Some(byte) = self.text.get_mut(self.dot) {
                        *byte = if byte.is_ascii_uppercase() {
                            byte.to_ascii_lowercase()
                        } else {
                            byte.to_ascii_uppercase()
                        };
                    }
                    self.dot += 1;
                }
            }
            _ => return self.out.push(7),
        }
        self.remember();
    }

    fn begin_insert(&mut self, key: u8) {
        self.snapshot();
        self.mode = if key == b'R' {
            Mode::Replace
        } else {
            Mode::Insert
        };
        match key {
            b'a' if self.text.get(self.dot) != Some(&b'\n') => {
                self.dot += character(self.text.get(self.dot..).unwrap_or_default());
            }
            b'I' => self.go_to_first_word(),
            b'A' => self.dot = self.line_end(self.dot),
            b'o' => {
                self.dot = self.line_end(self.dot);
                self.text.insert(self.dot, b'\n');
                self.dot += 1;
                self.modified = true;
            }
            b'O' => {
                self.dot = self.line_start(self.dot);
                self.text.insert(self.dot, b'\n');
                self.modified = true;
            }
            _ => {}
        }
    }

    /// Deletes and keeps for `p`.
    fn take(&mut self, from: usize, to: usize, lines: bool) {
        let to = to.min(self.text.len());
        if from >= to {
            return;
        }
        let text = self.text.drain(from..to).collect();
        self.yanked = Yanked { text, lines };
    }

    fn yank_lines(&mut self, times: usize) {
        let start = self.line_start(self.dot);
        let end = self.lines_end(start, times);
        let text = self.text.get(start..end).unwrap_or_default().to_vec();
        self.report("Yank", &text);
        self.yanked = Yanked { text, lines: true };
    }

    /// Behind so many lines.
    fn lines_end(&self, start: usize, times: usize) -> usize {
        let mut end = self.line_end(start);
        for _ in 1..times {
            match self.next_line(end) {
                Some(next) => end = self.line_end(next),
                None => break,
            }
        }
        (end + 1).min(self.text.len())
    }

    fn report(&mut self, what: &str, text: &[u8]) {
        let lines = text.iter().filter(|&&byte| byte == b'\n').count();
        let said = format!("{what} {lines} lines ({} chars) from [D]", text.len());
        self.say(&said);
    }

    fn put(&mut self, behind: bool, times: usize) {
        if self.yanked.text.is_empty() {
            self.warn(b"Nothing in register D");
            return;
        }
        self.keep();
        let text = self.yanked.text.repeat(times.min(1000));
        if self.text.len() + text.len() > super::MAX_FILE_BYTES {
            return self.out.push(7);
        }
        let at = if self.yanked.lines {
            if behind {
                (self.line_end(self.dot) + 1).min(self.text.len())
            } else {
                self.line_start(self.dot)
            }
        } else if behind && self.text.get(self.dot) != Some(&b'\n') {
            self.dot + character(self.text.get(self.dot..).unwrap_or_default())
        } else {
            self.dot
        };
        self.text.splice(at..at, text.iter().copied());
        self.dot = if self.yanked.lines || text.contains(&b'\n') {
            at
        } else {
            at + text.len() - 1
        };
        self.report("Put", &text);
    }

    fn undo(&mut self) {
        match self.undo.pop() {
            Some((text, dot)) => {
                let (old, new) = (self.text.len(), text.len());
                let what = if new < old { "deleted" } else { "restored" };
                let count = self.undo.len().max(1);
                let chars = old.abs_diff(new);
                let pairs = self.text.iter().zip(&text);
                let position = pairs.take_while(|(old, new)| old == new).count();
                self.text = text;
                self.dot = dot;
                let said = format!("Undo [{count}] {what} {chars} chars at position {position}");
                self.say(&said);
                if self.undo.is_empty() {
                    self.modified = false;
                }
            }
            None => self.say("Already at oldest change"),
        }
    }

    fn replace_characters(&mut self, with: u8, times: usize) {
        let end = self.line_end(self.dot);
        if self.dot + times > end || matches!(with, 27) {
            return self.out.push(7);
        }
        self.keep();
        let with = if with == b'\r' { b'\n' } else { with };
        for _ in 0..times {
            let len = character(self.text.get(self.dot..).unwrap_or_default());
            self.text.splice(self.dot..self.dot + len, [with]);
            self.dot += 1;
        }
        self.dot -= 1;
    }

    /// `d`, `c`, `y`, `<`, `>` with what follows.
    async fn operate(&mut self, proc: &mut Process, operator: u8, count: Option<usize>) {
        let mut times = count.unwrap_or(1);
        let mut key = self.key(proc).await;
        let mut more: Option<usize> = None;
        while let Key::Byte(digit @ b'0'..=b'9') = key {
            if digit == b'0' && more.is_none() {
                break;
            }
            let value = more.unwrap_or(0) * 10 + usize::from(digit - b'0');
            more = Some(value.min(MAX_COUNT));
            key = self.key(proc).await;
        }
        times = times.saturating_mul(more.unwrap_or(1)).min(MAX_COUNT);
        let Key::Byte(motion) = key else {
            return self.out.push(7);
        };
        let dot = self.dot;
        let start = self.line_start(dot);
        let whole = motion == operator || matches!(motion, b'j' | b'k' | b'G' | b'+' | b'-');
        let (from, to) = if motion == operator {
            (start, self.lines_end(start, times))
        } else {
            if matches!(motion, b'f' | b'F' | b't' | b'T') {
                if let Key::Byte(target) = self.key(proc).await {
                    self.find = Some((motion, target));
                    self.find_character(motion, target);
                }
            } else if motion == b'w' && operator == b'c' {
                self.move_to(b'e', Some(times));
            } else if !self.move_to(
                motion,
                Some(times).filter(|_| motion != b'G' || more.is_some() || count.is_some()),
            ) {
                return self.out.push(7);
            }
            let (from, mut to) = (dot.min(self.dot), dot.max(self.dot));
            let including = matches!(motion, b'e' | b'E' | b'f' | b't' | b'%' | b';')
                || (motion == b'w' && operator == b'c');
            if whole {
                let start = self.line_start(from);
                (start, self.lines_end(to, 1))
            } else {
                if including && self.dot >= dot {
                    to += character(self.text.get(to..).unwrap_or_default());
                }
                // `w` does not reach into the next line.
                if motion.eq_ignore_ascii_case(&b'w') {
                    to = to.min(self.line_end(from).max(from + 1));
                }
                (from, to)
            }
        };
        self.dot = dot;
        self.carry_out(operator, (from, to), whole);
    }

    fn carry_out(&mut self, operator: u8, (from, to): (usize, usize), whole: bool) {
        match operator {
            b'y' => {
                let text = self.text.get(from..to).unwrap_or_default().to_vec();
                self.report("Yank", &text);
                self.yanked = Yanked { text, lines: whole };
            }
            b'<' | b'>' => {
                self.keep();
                self.shift(from, to, operator == b'>');
                self.remember();
            }
            b'c' => {
                self.keep();
                let to = if whole { to.saturating_sub(1) } else { to };
                self.take(from, to, whole);
                self.dot = from;
                self.mode = Mode::Insert;
            }
            _ => {
                self.keep();
                self.take(from, to, whole);
                self.dot = from;
                if whole {
                    if from >= self.text.len() {
                        self.dot = self.previous_line(self.text.len()).unwrap_or(0);
                    }
                    let text = self.yanked.text.clone();
                    self.report("Delete", &text);
                    self.settle();
                    self.go_to_first_word();
                }
                self.remember();
            }
        }
    }

    fn shift(&mut self, from: usize, to: usize, right: bool) {
        let lines = self.text.get(from..to).unwrap_or_default().to_vec();
        let mut shifted = Vec::new();
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            if right {
                if line != b"\n" {
                    shifted.push(b'\t');
                }
                shifted.extend_from_slice(line);
            } else {
                let tab = line.strip_prefix(b"\t");
                let blanks = line
                    .iter()
                    .take(8)
                    .take_while(|byte| **byte == b' ')
                    .count();
                shifted.extend_from_slice(tab.unwrap_or(line.get(blanks..).unwrap_or_default()));
            }
        }
        self.text.splice(from..to, shifted);
        self.dot = from;
        self.go_to_first_word();
    }
}
