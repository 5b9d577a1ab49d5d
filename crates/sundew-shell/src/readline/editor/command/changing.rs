//! Text that becomes another: turned about, in another case, typed by a macro, a line of history.

use std::ops::Range;

use crate::readline::editor::Editor;
use crate::readline::history::History;
use crate::readline::key::Command;
use crate::readline::width;

impl Editor {
    pub(super) fn start_macro(&mut self) {
        if self.kept.recording.take().is_some() {
            return self.ding();
        }
        let old = if self.argument.is_some() {
            self.kept.keyboard_macro.clone()
        } else {
            Vec::new()
        };
        self.kept.recording = Some(old);
    }

    pub(super) fn end_macro(&mut self, count: i64) {
        match self.kept.recording.take() {
            Some(recording) => self.kept.keyboard_macro = recording,
            None => return self.ding(),
        }
        if count > 1 {
            self.call_macro(count - 1);
        }
    }

    pub(super) fn call_macro(&mut self, count: i64) {
        if self.kept.recording.is_some() || self.kept.keyboard_macro.is_empty() {
            return self.ding();
        }
        let text = self.kept.keyboard_macro.clone();
        for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
            self.type_text(&text);
        }
    }

    pub(super) fn transpose(&mut self, mut count: i64) {
        let mut point = self.buffer.point();
        if point == 0 || self.buffer.next(0) >= self.buffer.text().len() {
            return self.ding();
        }
        if self.buffer.at_end() {
            point = self.buffer.previous(point);
            count = 1;
        }
        let from = self.buffer.previous(point);
        self.buffer.begin_group();
        let before = self.buffer.delete(from, point);
        let mut to = from;
        for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
            to = self.buffer.next(to);
        }
        self.buffer.set_point(to);
        self.buffer.insert(&before);
        self.buffer.end_group();
    }

    pub(super) fn transpose_words(&mut self, count: i64) {
        let second_end = self.words_away(count);
        let second = self.buffer.word_start(second_end);
        let first = self.words_from(second, -count);
        let first_end = self.buffer.word_end(first);
        self.swap(first..first_end, second..second_end);
    }

    /// Lets two words change places; dings where there are no two.
    fn swap(&mut self, first: Range<usize>, second: Range<usize>) {
        if first.start == second.start || second.start < first.end {
            return self.ding();
        }
        let text = self.buffer.text();
        let whole = first.start..second.end;
        let parts = [second.clone(), first.end..second.start, first];
        let swapped = parts
            .map(|part| text.get(part).unwrap_or_default())
            .concat();
        self.buffer.replace(whole.start, whole.end, &swapped);
    }

    pub(super) fn change_case(&mut self, command: Command, count: i64) {
        let point = self.buffer.point();
        let away = self.words_away(count);
        let (from, to) = (point.min(away), point.max(away));
        let text = cased(
            self.buffer.text().get(from..to).unwrap_or_default(),
            command,
        );
        if from < to {
            self.buffer.replace(from, to, &text);
        }
        self.buffer.set_point(if count < 0 { point } else { to });
    }

    pub(super) fn move_in_history(&mut self, command: Command, count: i64, history: &History) {
        let last = history.len();
        let to = match command {
            Command::BeginningOfHistory => 0,
            Command::EndOfHistory => last,
            _ => {
                let down = (command == Command::NextHistory) == (count >= 0);
                let steps = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
                if down {
                    self.index.saturating_add(steps).min(last)
                } else {
                    self.index.saturating_sub(steps)
                }
            }
        };
        if to == self.index {
            // Only the way back from a history without lines is silent.
            if last > 0 || (command == Command::NextHistory) == (count >= 0) {
                self.ding();
            }
            return;
        }
        self.go_to_line(to, history);
    }

    /// Page up and down: the next line that begins with what stands before the cursor, or has it
    /// anywhere.
    pub(super) fn search_typed(&mut self, forward: bool, begins: bool, history: &History) {
        let typed = self.buffer.before().to_vec();
        if typed.is_empty() {
            let command = if forward {
                Command::NextHistory
            } else {
                Command::PreviousHistory
            };
            return self.move_in_history(command, 1, history);
        }
        let mut index = self.index;
        loop {
            let next = if forward {
                Some(index + 1).filter(|next| *next <= history.len())
            } else {
                index.checked_sub(1)
            };
            let Some(next) = next else { return self.ding() };
            index = next;
            let line = self.line_at(index, history);
            let at = if begins {
                line.starts_with(&typed).then_some(0)
            } else {
                line.windows(typed.len()).rposition(|part| part == typed)
            };
            if let Some(at) = at.filter(|_| line != self.buffer.text()) {
                self.go_to_line(index, history);
                self.buffer.set_point(at + typed.len());
                return;
            }
        }
    }

    /// `M-^T`: the word of the shell at the cursor changes places with the one before it.
    pub(super) fn transpose_shell_words(&mut self) {
        let second_end = self.shell_word_end(self.buffer.point());
        let second = self.shell_word_start(second_end);
        let first = self.shell_word_start(second);
        let first_end = self.shell_word_end(first);
        self.swap(first..first_end, second..second_end);
    }
}

/// Text in another case; characters of UTF-8 change if their length does not.
fn cased(text: &[u8], command: Command) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut within = false;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let len = width::character(rest, true).0.max(1);
        let bytes = rest.get(..len).unwrap_or(rest);
        at += bytes.len();
        let Some(letter) = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.chars().next())
        else {
            out.extend_from_slice(bytes);
            continue;
        };
        let up = command == Command::UpcaseWord || (command == Command::CapitalizeWord && !within);
        within = letter.is_alphanumeric();
        let changed: String = if up {
            letter.to_uppercase().collect()
        } else {
            letter.to_lowercase().collect()
        };
        out.extend_from_slice(if changed.len() == bytes.len() {
            changed.as_bytes()
        } else {
            bytes
        });
    }
    out
}
