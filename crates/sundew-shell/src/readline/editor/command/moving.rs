//! Where the cursor goes: characters, words, words of the shell.

use crate::readline::editor::Editor;

/// What parts words of the shell for `M-^F` and the like.
const SHELL_BREAKS: &[u8] = b" \t\n;&()|<>";

impl Editor {
    pub(in crate::readline::editor) fn characters_away(&self, count: i64) -> (usize, bool) {
        let mut at = self.buffer.point();
        for _ in 0..count.unsigned_abs() {
            let next = if count > 0 {
                self.buffer.next(at)
            } else {
                self.buffer.previous(at)
            };
            if next == at {
                return (at, true);
            }
            at = next;
        }
        (at, false)
    }

    pub(in crate::readline::editor) fn move_characters(&mut self, count: i64) {
        let (at, stopped) = self.characters_away(count);
        if stopped {
            self.ding();
        }
        self.buffer.set_point(at);
    }

    pub(super) fn words_away(&self, count: i64) -> usize {
        self.words_from(self.buffer.point(), count)
    }

    pub(super) fn words_from(&self, mut at: usize, count: i64) -> usize {
        for _ in 0..count.unsigned_abs() {
            let next = if count > 0 {
                self.buffer.word_end(at)
            } else {
                self.buffer.word_start(at)
            };
            if next == at {
                break;
            }
            at = next;
        }
        at
    }

    pub(in crate::readline::editor) fn find(&mut self, byte: u8, forward: bool, count: i64) {
        for _ in 0..count.min(i64::from(u16::MAX)) {
            let (text, point) = self.line();
            let found = if forward {
                text.iter()
                    .enumerate()
                    .skip(point + 1)
                    .find(|(_, other)| **other == byte)
                    .map(|(at, _)| at)
            } else {
                text.iter().take(point).rposition(|&other| other == byte)
            };
            match found {
                Some(at) => self.buffer.set_point(at),
                None => return self.ding(),
            }
        }
    }

    pub(super) fn shell_word_end(&self, mut at: usize) -> usize {
        let text = self.buffer.text();
        while text.get(at).is_some_and(|byte| SHELL_BREAKS.contains(byte)) {
            at += 1;
        }
        let mut quote = None;
        while let Some(&byte) = text.get(at) {
            match (quote, byte) {
                (None | Some(b'"'), b'\\') => at += 1,
                (Some(open), _) if open == byte => quote = None,
                (Some(_), _) => {}
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, _) if SHELL_BREAKS.contains(&byte) => break,
                (None, _) => {}
            }
            at += 1;
        }
        at.min(text.len())
    }

    pub(super) fn shell_word_start(&self, at: usize) -> usize {
        let mut start = 0;
        loop {
            let end = self.shell_word_end(start);
            let text = self.buffer.text();
            let blanks = |from: usize| {
                text.iter()
                    .skip(from)
                    .take_while(|byte| SHELL_BREAKS.contains(byte))
                    .count()
            };
            let word = start + blanks(start);
            if end + blanks(end) >= at || end == start {
                return if word < at { word } else { start };
            }
            start = end;
        }
    }
}
