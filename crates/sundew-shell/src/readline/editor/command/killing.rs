//! What is taken out of the line, and what is put back.

use crate::readline::editor::{Argument, Editor, Last, MAX_KILLS, MAX_LINE_BYTES};
use crate::readline::history::{History, words};
use crate::readline::key::Command;

/// Which way killed text joins what was killed just before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    After,
    Before,
}

impl Editor {
    pub(super) fn delete_characters(&mut self, count: i64) -> Last {
        let point = self.buffer.point();
        let nothing = if count > 0 {
            self.buffer.at_end()
        } else {
            point == 0
        };
        if nothing {
            self.ding();
            return Last::Other;
        }
        let (to, stopped) = self.characters_away(count);
        if stopped && count < 0 {
            self.ding();
        }
        if self.argument.is_some() {
            return self.kill(point, to);
        }
        self.buffer.delete(point, to);
        Last::Other
    }

    pub(super) fn kill_by(&mut self, command: Command, count: i64) -> Last {
        let point = self.buffer.point();
        let end = self.buffer.text().len();
        let to = match command {
            Command::KillLine => {
                if count < 0 {
                    0
                } else {
                    end
                }
            }
            Command::BackwardKillLine => {
                if count < 0 {
                    end
                } else {
                    0
                }
            }
            Command::UnixLineDiscard => 0,
            Command::KillWord => self.words_away(count),
            Command::BackwardKillWord => self.words_away(-count),
            _ => {
                let mut at = point;
                for _ in 0..count.max(1) {
                    let next = self.buffer.blank_word_start(at);
                    if next == at {
                        break;
                    }
                    at = next;
                }
                at
            }
        };
        let rings = matches!(
            command,
            Command::UnixLineDiscard | Command::BackwardKillLine | Command::UnixWordRubout
        );
        if point == 0 && rings {
            self.ding();
            return Last::Other;
        }
        self.kill(point, to)
    }

    /// Removes what lies between and keeps it for yanking.
    pub(super) fn kill(&mut self, from: usize, to: usize) -> Last {
        if from == to {
            return Last::Kill;
        }
        let join = if to < from { Join::Before } else { Join::After };
        let removed = self.buffer.delete(from, to);
        match self.kept.kills.last_mut() {
            Some(top) if self.last == Last::Kill && top.len() + removed.len() <= MAX_LINE_BYTES => {
                match join {
                    Join::After => top.extend_from_slice(&removed),
                    Join::Before => *top = [removed.as_slice(), top].concat(),
                }
            }
            _ => {
                if self.kept.kills.len() == MAX_KILLS {
                    self.kept.kills.remove(0);
                }
                self.kept.kills.push(removed);
            }
        }
        Last::Kill
    }

    pub(super) fn delete_blanks(&mut self) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let (text, point) = self.line();
        let before = text
            .iter()
            .take(point)
            .rev()
            .take_while(|byte| blank(byte))
            .count();
        let after = text
            .iter()
            .skip(point)
            .take_while(|byte| blank(byte))
            .count();
        self.buffer.delete(point - before, point + after);
    }

    pub(in crate::readline::editor) fn insert_or_ding(&mut self, text: &[u8]) -> bool {
        let fits = self.buffer.insert(text);
        if !fits {
            self.ding();
        }
        fits
    }

    pub(in crate::readline::editor) fn yank(&mut self) -> Last {
        let start = self.buffer.point();
        let Some(text) = self.kept.kills.last().cloned() else {
            self.ding();
            return Last::Other;
        };
        self.buffer.mark = start;
        self.insert_or_ding(&text);
        Last::Yank { depth: 0, start }
    }

    pub(super) fn yank_pop(&mut self) -> Last {
        let Last::Yank { depth, start } = self.last else {
            self.ding();
            return Last::Other;
        };
        let kills = self.kept.kills.len();
        let depth = if depth + 1 < kills { depth + 1 } else { 0 };
        let Some(text) = self
            .kept
            .kills
            .get(kills.saturating_sub(depth + 1))
            .cloned()
        else {
            return Last::Other;
        };
        self.buffer.delete(start, self.buffer.point());
        self.insert_or_ding(&text);
        Last::Yank { depth, start }
    }

    pub(super) fn yank_argument(&mut self, history: &History) -> Last {
        let (back, start, nth) = match self.last {
            Last::YankArg {
                back,
                start,
                inserted,
                nth,
            } => {
                if inserted {
                    self.buffer.undo();
                }
                (back + 1, start, nth)
            }
            _ => {
                let nth = self.argument.map(Argument::count);
                (1, self.buffer.point(), nth)
            }
        };
        let line = self
            .index
            .checked_sub(back)
            .map(|index| self.line_at(index, history));
        let word = line.and_then(|line| {
            let words = words(line);
            let word = match nth {
                Some(nth) => words.get(word_index(nth, words.len())?),
                None => words.last(),
            };
            word.map(|word| word.to_vec())
        });
        let Some(word) = word else {
            self.ding();
            return Last::YankArg {
                back: back.min(self.index),
                start,
                inserted: false,
                nth,
            };
        };
        self.buffer.begin_group();
        let inserted = self.insert_or_ding(&word);
        self.buffer.end_group();
        Last::YankArg {
            back,
            start,
            inserted,
            nth,
        }
    }

    pub(super) fn yank_nth(&mut self, history: &History) -> Last {
        let nth = self.argument.map_or(1, Argument::count);
        self.yank_word(Some(nth), history)
    }

    /// Inserts a word of the line before, the last one if `nth` does not say which.
    pub(in crate::readline::editor) fn yank_word(
        &mut self,
        nth: Option<i64>,
        history: &History,
    ) -> Last {
        let line = self
            .index
            .checked_sub(1)
            .map(|index| self.line_at(index, history));
        let word = line.and_then(|line| {
            let words = words(line);
            let word = match nth {
                Some(nth) => words.get(word_index(nth, words.len())?),
                None => words.last(),
            };
            word.map(|word| word.to_vec())
        });
        match word {
            Some(word) => {
                self.insert_or_ding(&word);
            }
            None => self.ding(),
        }
        Last::Other
    }
}

/// Which word `nth` means; below 0 they count from the end.
fn word_index(nth: i64, words: usize) -> Option<usize> {
    usize::try_from(nth)
        .ok()
        .or_else(|| words.checked_sub(usize::try_from(nth.checked_neg()?).ok()? + 1))
}
