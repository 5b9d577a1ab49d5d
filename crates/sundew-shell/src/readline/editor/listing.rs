//! What a completion does to the line, and the list of matches below it.

use super::{Editor, Last, Mode, Outcome, Want};
use crate::readline::width;

/// From this many matches on bash asks before it lists them: `completion-query-items`.
const ASK_FROM: usize = 100;

/// What the word before the cursor can become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where in the line the word begins.
    pub start: usize,
    /// What all matches have in common, quoted as the word is.
    pub common: Vec<u8>,
    /// Behind the only match: a blank, `/`, a closing quote.
    pub suffix: Vec<u8>,
    /// The matches as the list shows them, in order.
    pub shown: Vec<Shown>,
    /// The matches as they would be inserted.
    pub quoted: Vec<Vec<u8>>,
}

/// One match in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether a `/` follows, for which the list leaves no room.
    pub directory: bool,
    /// What follows under `visible-stats`: `*`, `@` and the like.
    pub sign: Option<u8>,
}

/// Matches that stand in the line one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    start: usize,
    /// What was typed, then the matches.
    words: Vec<Vec<u8>>,
    /// The one that stands there.
    at: usize,
}

/// What a key will answer.
#[derive(Debug)]
pub(super) struct Question {
    lines: Vec<Vec<u8>>,
    /// Lines shown since the last question; `None` if it is whether to show any.
    pager: bool,
}

impl Editor {
    /// Answers [`Outcome::Ask`]: the line has changed, the cursor is at its end.
    pub fn replace(&mut self, line: &[u8]) {
        self.set_line(line, usize::MAX);
        self.done(Last::Other);
    }

    /// A blank as it is typed.
    pub fn type_blank(&mut self) {
        self.insert_or_ding(b" ");
        self.done(Last::Other);
    }

    /// Clears the line to have something else shown there.
    pub fn clear_line(&mut self) {
        self.display.clear_rows();
    }

    /// Shows a line that was changed from outside.
    pub fn show_again_in_place(&mut self) {
        self.done(Last::Other);
    }

    /// Goes below the line, which stays on the screen.
    pub fn leave_below(&mut self) {
        self.display.below();
    }

    /// Shows the line again after something else was shown.
    pub fn show_again(&mut self) {
        self.display.on_new_line();
        self.done(Last::Other);
    }

    /// Text and cursor are set from outside: `bind -x`.
    pub fn set_line(&mut self, line: &[u8], point: usize) {
        if line != self.buffer.text() {
            self.buffer.begin_group();
            self.buffer.delete(0, self.buffer.text().len());
            self.buffer.set_point(0);
            if !self.buffer.insert(line) {
                self.display.out.push(7);
            }
            self.buffer.end_group();
        }
        self.buffer.set_point(point);
    }

    /// Answers [`Outcome::Complete`].
    pub fn complete(&mut self, want: Want, completion: &Completion) {
        let before = self.buffer.text().to_vec();
        let by = self.completing.take();
        let failed = std::mem::replace(
            &mut self.kept.completion_failed,
            completion.shown.is_empty(),
        );
        // A list of one is inserted where the last completion found nothing.
        let want = match want {
            Want::List if failed && completion.shown.len() == 1 => Want::Insert,
            want => want,
        };
        if completion.shown.is_empty() {
            self.ding();
            self.done(Last::Complete { changed: false, by });
            return;
        }
        match want {
            Want::List => {
                self.list(completion);
                self.last = Last::Complete { changed: false, by };
                return;
            }
            Want::Insert => {
                let several = completion.shown.len() > 1;
                let all = several && self.settings.is_on("show-all-if-ambiguous");
                let mut word = completion.common.clone();
                if completion.shown.len() == 1 {
                    word.extend_from_slice(&completion.suffix);
                }
                self.put_word(completion.start, &word);
                let unmodified = several
                    && self.settings.is_on("show-all-if-unmodified")
                    && self.buffer.text() == before;
                if all || unmodified {
                    if self.buffer.text() != before {
                        self.show();
                    }
                    self.list(completion);
                    self.last = Last::Complete { changed: false, by };
                    return;
                }
                if several {
                    self.ding();
                }
            }
            Want::Next(count) => return self.begin_menu(completion, count),
            Want::All => {
                let mut words = completion.quoted.join(&b' ');
                words.push(b' ');
                self.put_word(completion.start, &words);
            }
        }
        let changed = self.buffer.text() != before;
        self.done(Last::Complete { changed, by });
    }

    fn begin_menu(&mut self, completion: &Completion, count: i64) {
        let typed = self.buffer.before().get(completion.start..);
        let typed = typed.unwrap_or_default().to_vec();
        if let [only] = completion.quoted.as_slice() {
            let word = [only.as_slice(), &completion.suffix].concat();
            self.put_word(completion.start, &word);
            self.done(Last::Complete {
                changed: true,
                by: None,
            });
            return;
        }
        let mut words = vec![typed];
        let quoted = completion.quoted.iter().zip(&completion.shown);
        words.extend(quoted.map(|(word, shown)| {
            let end: &[u8] = if shown.directory { b"/" } else { b" " };
            [word.as_slice(), end].concat()
        }));
        let menu = Menu {
            start: completion.start,
            words,
            at: 0,
        };
        if self.settings.is_on("show-all-if-ambiguous") {
            self.list(completion);
        }
        self.turn_menu(menu, count);
    }

    /// Puts the match in the line that is so many further on.
    pub(super) fn turn_menu(&mut self, mut menu: Menu, count: i64) {
        let len = i64::try_from(menu.words.len()).unwrap_or(1).max(1);
        let at = i64::try_from(menu.at).unwrap_or(0);
        menu.at = usize::try_from((at + count).rem_euclid(len)).unwrap_or(0);
        let word = menu.words.get(menu.at).cloned().unwrap_or_default();
        if menu.at == 0 {
            self.ding();
        }
        self.put_word(menu.start, &word);
        self.done(Last::Menu(menu));
    }

    fn put_word(&mut self, start: usize, word: &[u8]) {
        let point = self.buffer.point();
        if self.buffer.text().get(start..point) == Some(word) {
            return;
        }
        self.buffer.begin_group();
        self.buffer.delete(start, point);
        self.buffer.set_point(start);
        if !self.buffer.insert(word) {
            self.ding();
        }
        self.buffer.end_group();
    }

    fn list(&mut self, completion: &Completion) {
        if let [only] = completion.shown.as_slice() {
            self.display.below();
            self.display.out.extend_from_slice(&only.name);
            if only.directory {
                self.display.out.push(b'/');
            }
            self.display.out.push(b'\n');
            return self.show_all_last_row();
        }
        let mut shown = completion.shown.clone();
        let signs = self.settings.is_on("visible-stats");
        for shown in &mut shown {
            let slash = shown.directory.then_some(b'/');
            shown.sign = shown.sign.filter(|_| signs).or(slash);
        }
        let across = self.settings.is_on("print-completions-horizontally");
        let lines = columns(&shown, self.display.columns(), self.buffer.utf8, across);
        self.display.below();
        let ask_from = std::str::from_utf8(self.settings.variable("completion-query-items"))
            .ok()
            .and_then(|value| value.parse().ok())
            .unwrap_or(ASK_FROM);
        if ask_from > 0 && completion.shown.len() >= ask_from {
            let question = format!(
                "Display all {} possibilities? (y or n)",
                completion.shown.len()
            );
            self.display.out.extend_from_slice(question.as_bytes());
            self.mode = Mode::Question(Question {
                lines,
                pager: false,
            });
            return;
        }
        self.print_lines(lines, self.page());
    }

    /// Lines that are listed at a time.
    fn page(&self) -> usize {
        if self.settings.is_on("page-completions") {
            usize::from(self.size.1) - 1
        } else {
            usize::MAX
        }
    }

    /// Prints up to `room` lines, then asks for more.
    fn print_lines(&mut self, mut lines: Vec<Vec<u8>>, room: usize) {
        let rest = lines.split_off(room.min(lines.len()));
        for line in lines {
            self.display.out.extend_from_slice(&line);
            self.display.out.push(b'\n');
        }
        if rest.is_empty() {
            return self.show_all_last_row();
        }
        self.display.out.extend_from_slice(b"--More--");
        self.mode = Mode::Question(Question {
            lines: rest,
            pager: true,
        });
    }

    fn show_all_last_row(&mut self) {
        self.display.on_new_line();
        self.vi_check();
        self.show();
    }

    pub(super) fn answer_question(&mut self, question: Question, byte: u8) -> Outcome {
        let erase = |editor: &mut Self| {
            let clear = editor.display.terminal().clear_line;
            editor.display.out.push(b'\r');
            editor.display.out.extend_from_slice(clear);
            editor.display.out.push(b'\r');
        };
        let page = self.page();
        match (question.pager, byte) {
            (false, b'y' | b'Y' | b' ') => {
                self.display.out.push(b'\n');
                self.print_lines(question.lines, page);
            }
            (true, b'y' | b'Y' | b' ') => {
                erase(self);
                self.print_lines(question.lines, page);
            }
            (true, b'\r' | b'\n') => {
                erase(self);
                self.print_lines(question.lines, 1);
            }
            (false, b'n' | b'N' | 0x7f) => {
                self.display.out.push(b'\n');
                self.show_all_last_row();
            }
            (true, b'n' | b'N' | b'q' | b'Q' | 0x7f) => {
                erase(self);
                self.show_all_last_row();
            }
            (_, 7) => {
                self.ding();
                self.display.out.push(b'\n');
                self.show_all_last_row();
            }
            _ => {
                self.ding();
                self.mode = Mode::Question(question);
            }
        }
        Outcome::Continue
    }
}

/// The list in columns, down before across, as `ls` does it.
fn columns(names: &[Shown], screen: usize, utf8: bool, in_rows: bool) -> Vec<Vec<u8>> {
    let widest = names
        .iter()
        .map(|shown| width::of(&shown.name, utf8))
        .max()
        .unwrap_or(0)
        + 2;
    let mut across = screen / widest;
    if across != 1 && across * widest == screen {
        across = across.saturating_sub(1);
    }
    let across = across.max(1);
    let down = names.len().div_ceil(across);
    let mut lines = Vec::with_capacity(down);
    for row in 0..down {
        let mut line = Vec::new();
        for column in 0..across {
            let index = if in_rows {
                row * across + column
            } else {
                column * down + row
            };
            let Some(shown) = names.get(index) else {
                break;
            };
            line.extend_from_slice(&shown.name);
            line.extend(shown.sign);
            if column + 1 < across && !(in_rows && index + 1 == names.len()) {
                let printed = width::of(&shown.name, utf8) + usize::from(shown.sign.is_some());
                let padding = widest.saturating_sub(printed).max(1);
                line.resize(line.len() + padding, b' ');
            }
        }
        lines.push(line);
    }
    lines
}
