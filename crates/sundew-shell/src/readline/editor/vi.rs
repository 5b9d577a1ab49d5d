//! Readline's vi mode: the keys of command mode, and what `.` repeats.
//!
//! readline(3), "VI Command Mode functions". Keys that emacs mode has too are in [`super::command`].

mod motion;

use super::{Argument, Editor, Last, MAX_KILLS, Mode, Outcome};
use crate::readline::history::History;
use crate::readline::key::Command;
use crate::readline::keymap::Which;
use crate::readline::width;
pub(super) use motion::Find;

/// What vi mode knows from one line to the next.
#[derive(Debug, Clone, Default)]
pub struct Vi {
    /// What `;` repeats.
    find: Option<(Find, Vec<u8>)>,
    /// What `.` repeats: the key, and its count.
    last: Option<(u8, Option<Argument>)>,
    /// The motion of the last operator.
    last_motion: u8,
    /// What `r` put last.
    last_replacement: Vec<u8>,
    /// What the last insertion inserted.
    inserted: Vec<u8>,
    marks: [Option<usize>; 26],
    /// The key that led into insert mode.
    before_insert: u8,
    /// Whether the insertion is one with what was deleted before it.
    doing_insert: bool,
    /// `.` is at work.
    redoing: bool,
    /// Command mode was entered in this line.
    was_commanding: bool,
    /// Characters that `R` has replaced.
    replaced: usize,
    /// Groups of changes that are open.
    groups: u32,
}

/// Bytes of inserted text that `.` keeps.
const MAX_INSERTED_BYTES: usize = 4096;

/// An operator that waits for its motion.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator {
    /// `d`, `c` or `y`; a capital is one with its motion.
    key: u8,
    count: i64,
    /// A count between operator and motion.
    argument: Option<i64>,
}

/// What a key of vi mode waits for.
#[derive(Debug)]
pub(super) enum Awaited {
    Motion(Operator),
    Find(Find, i64, Option<Operator>, Vec<u8>),
    Replacement(i64, Vec<u8>),
    SetMark,
    GoToMark(Option<Operator>),
}

impl Editor {
    /// Whether keys are those of vi's command mode.
    pub(super) fn commands(&self) -> bool {
        self.keymap == Which::ViCommand
    }

    /// In command mode the cursor is on a character, not behind the last.
    pub(super) fn vi_check(&mut self) {
        if self.commands() && self.buffer.at_end() {
            self.buffer
                .set_point(self.buffer.previous(self.buffer.point()));
        }
    }

    pub(super) fn begin_vi_line(&mut self) {
        let vi = &mut self.kept.vi;
        vi.before_insert = b'i';
        vi.doing_insert = false;
        vi.was_commanding = false;
        vi.groups = 0;
    }

    /// Changes the keymap; a prompt that shows the mode follows.
    pub(super) fn set_keymap(&mut self, keymap: Which) {
        self.keymap = keymap;
        self.prompt = self.prompt_with_mode();
    }

    /// The prompt, behind the sign of the mode if that is wanted.
    pub(super) fn prompt_with_mode(&self) -> Vec<u8> {
        if !self.settings.is_on("show-mode-in-prompt") {
            return self.bare_prompt.clone();
        }
        let name = match self.keymap {
            Which::Emacs => "emacs-mode-string",
            Which::ViInsert if !self.replacing => "vi-ins-mode-string",
            Which::ViInsert | Which::ViCommand => "vi-cmd-mode-string",
        };
        let sign = crate::readline::keymap::inputrc::unescape(self.settings.variable(name));
        let last = self.bare_prompt.iter().rposition(|&byte| byte == b'\n');
        let (head, tail) = self.bare_prompt.split_at(last.map_or(0, |at| at + 1));
        [head, &sign, tail].concat()
    }

    /// Notes what `.` will repeat.
    pub(super) fn note_vi_key(&mut self, keys: &[u8]) {
        const CHANGING: &[u8] = b"_*\\AaIiCcDdPpYyRrSsXx~";
        if let [key] = keys
            && CHANGING.contains(key)
            && self.commands()
            && !self.kept.vi.redoing
        {
            self.kept.vi.last = Some((*key, self.argument));
        }
    }

    /// Runs a command of vi mode; `None` if it is none.
    pub(super) fn run_vi(
        &mut self,
        command: Command,
        key: u8,
        history: &mut History,
    ) -> Option<Outcome> {
        let count = self.count();
        match command {
            Command::ViMovementMode => self.leave_insert(),
            Command::ViInsertionMode => self.start_inserting(key),
            Command::ViInsertBeg => {
                self.buffer.set_point(0);
                self.start_inserting(key);
            }
            Command::ViAppendMode => {
                self.step_right();
                self.start_inserting(key);
            }
            Command::ViAppendEol => {
                self.buffer.set_point(usize::MAX);
                self.start_inserting(key);
            }
            Command::ViReplace => {
                self.kept.vi.replaced = 0;
                self.kept.vi.before_insert = b'R';
                self.replacing = true;
                self.set_keymap(Which::ViInsert);
            }
            Command::ViDeleteTo | Command::ViChangeTo | Command::ViYankTo => {
                return Some(self.operate(key, count));
            }
            Command::ViSubst => return Some(self.substitute(key, count)),
            Command::ViChangeChar => {
                if self.kept.vi.redoing {
                    let with = self.kept.vi.last_replacement.clone();
                    self.replace_characters(&with, count);
                } else {
                    return Some(self.await_vi(Awaited::Replacement(count, Vec::new())));
                }
            }
            Command::ViCharSearch => return Some(self.char_search(key, count, None)),
            Command::ViSetMark => return Some(self.await_vi(Awaited::SetMark)),
            Command::ViGotoMark => return Some(self.await_vi(Awaited::GoToMark(None))),
            Command::ViNextWord
            | Command::ViPrevWord
            | Command::ViEndWord
            | Command::ViMatch
            | Command::ViColumn
            | Command::ViFirstPrint
            | Command::ViBackToIndent => self.move_vi(key, count),
            Command::ViEofMaybe => return Some(self.accept()),
            Command::ViRedo => return Some(self.redo(history)),
            Command::ViSearch => {
                self.ask_vi_search(key);
                return Some(Outcome::Continue);
            }
            Command::ViSearchAgain => {
                let forward = key == b'N';
                self.search_again(forward, history);
            }
            _ => {
                let last = self.change_vi(command, key, count, history)?;
                return Some(self.done(last));
            }
        }
        Some(self.done(Last::Other))
    }

    /// Commands that change the text and need no further key.
    fn change_vi(
        &mut self,
        command: Command,
        key: u8,
        count: i64,
        history: &mut History,
    ) -> Option<Last> {
        match command {
            Command::ViDelete => return Some(self.delete_under(count)),
            Command::ViRubout => return Some(self.delete_under(-count)),
            Command::ViPut => {
                if key == b'p' {
                    self.step_right();
                }
                for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
                    self.yank();
                }
                self.buffer
                    .set_point(self.buffer.previous(self.buffer.point()));
            }
            Command::ViChangeCase => self.swap_case(count),
            Command::ViUnixWordRubout => {
                let point = self.buffer.point();
                if point == 0 {
                    self.ding();
                    return Some(Last::Other);
                }
                let start = self.vi_rubout_start(count);
                return Some(self.vi_kill(point, start));
            }
            Command::ViFetchHistory => {
                // As readline computes it: right from the new line only.
                let to = self.argument.map_or(0, |argument| {
                    let here = i64::try_from(self.index).unwrap_or(0);
                    let first = i64::try_from(history.first()).unwrap_or(1);
                    let back = first + here - argument.count();
                    if back > 0 {
                        usize::try_from(here - back).unwrap_or(0)
                    } else {
                        0
                    }
                });
                if to == self.index {
                    self.ding();
                }
                self.go_to_line(to, history);
                self.buffer.set_point(0);
            }
            Command::ViYankArg => {
                self.step_right();
                self.start_inserting(key);
                self.buffer.insert(b" ");
                let nth = self.argument.map(|argument| argument.count() - 1);
                return Some(self.yank_word(nth, history));
            }
            _ => return None,
        }
        Some(Last::Other)
    }

    fn await_vi(&mut self, awaited: Awaited) -> Outcome {
        self.argument = None;
        self.mode = Mode::Vi(awaited);
        Outcome::Continue
    }

    /// Takes the byte that a key of vi mode waits for.
    pub(super) fn awaited(&mut self, awaited: Awaited, byte: u8) -> Outcome {
        match awaited {
            Awaited::Motion(operator) => self.motion_key(operator, byte),
            Awaited::Find(find, count, operator, mut target) => {
                target.push(byte);
                if !self.is_whole(&target) {
                    return self.await_vi(Awaited::Find(find, count, operator, target));
                }
                self.kept.vi.find = Some((find, target.clone()));
                match operator {
                    Some(operator) => self.apply(operator, |editor| {
                        editor.find_character(find, &target, count);
                    }),
                    None => {
                        self.find_character(find, &target, count);
                        self.done(Last::Other)
                    }
                }
            }
            Awaited::Replacement(count, mut with) => {
                with.push(byte);
                if !self.is_whole(&with) {
                    return self.await_vi(Awaited::Replacement(count, with));
                }
                self.kept.vi.last_replacement.clone_from(&with);
                if !matches!(byte, 0x1b | 3) {
                    self.replace_characters(&with, count);
                }
                self.done(Last::Other)
            }
            Awaited::SetMark => {
                let point = self.buffer.point();
                match mark_of(byte).and_then(|at| self.kept.vi.marks.get_mut(at)) {
                    Some(mark) => *mark = Some(point),
                    None => self.ding(),
                }
                self.done(Last::Other)
            }
            Awaited::GoToMark(operator) => {
                let mark = mark_of(byte).and_then(|at| *self.kept.vi.marks.get(at)?);
                let Some(mark) = mark else {
                    self.ding();
                    return self.done(Last::Other);
                };
                match operator {
                    Some(operator) => self.apply(operator, |editor| editor.buffer.set_point(mark)),
                    None => {
                        self.buffer.set_point(mark);
                        self.done(Last::Other)
                    }
                }
            }
        }
    }

    fn is_whole(&self, character: &[u8]) -> bool {
        let first = character.first().copied().unwrap_or_default();
        !self.buffer.utf8 || character.len() >= width::expected_len(first)
    }

    // ---- insert mode -----------------------------------------------------------------------------

    pub(super) fn start_inserting(&mut self, key: u8) {
        let vi = &mut self.kept.vi;
        vi.before_insert = key;
        vi.groups += 1;
        self.buffer.begin_group();
        self.replacing = false;
        self.set_keymap(Which::ViInsert);
    }

    fn leave_insert(&mut self) {
        let point = self.buffer.point();
        self.buffer.set_point(self.buffer.previous(point));
        self.done_inserting();
        let first = !std::mem::replace(&mut self.kept.vi.was_commanding, true);
        if first {
            self.buffer.forget_undo();
        }
        self.replacing = false;
        self.set_keymap(Which::ViCommand);
    }

    /// Keeps what was inserted for `.`, and makes it one change.
    pub(super) fn done_inserting(&mut self) {
        let inserted = self.buffer.last_inserted();
        if inserted.len() <= MAX_INSERTED_BYTES {
            let inserted = inserted.to_vec();
            let vi = &mut self.kept.vi;
            if vi.doing_insert || b"iIaAR".contains(&vi.before_insert) {
                vi.inserted = inserted;
            }
        }
        self.kept.vi.doing_insert = false;
        for _ in 0..std::mem::take(&mut self.kept.vi.groups) {
            self.buffer.end_group();
        }
    }

    /// A character typed after `R`.
    pub(super) fn overstrike(&mut self, character: &[u8]) {
        if !self.kept.vi.doing_insert {
            self.kept.vi.doing_insert = true;
            self.kept.vi.groups += 1;
            self.buffer.begin_group();
        }
        let point = self.buffer.point();
        self.buffer.begin_group();
        self.buffer.delete(point, self.buffer.next(point));
        self.buffer.insert(character);
        self.buffer.end_group();
        self.kept.vi.replaced += 1;
    }

    /// Backspace after `R`: what was there before is there again.
    pub(super) fn overstrike_back(&mut self, count: i64) {
        for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
            if self.kept.vi.replaced == 0 {
                return self.ding();
            }
            if self.buffer.undo() {
                self.kept.vi.replaced -= 1;
            }
        }
    }

    // ---- changes ---------------------------------------------------------------------------------

    /// Kills without joining what was killed before.
    fn vi_kill(&mut self, from: usize, to: usize) -> Last {
        let removed = self.buffer.delete(from, to);
        if removed.is_empty() {
            return Last::Kill;
        }
        let kills = &mut self.kept.kills;
        if self.last == Last::Kill {
            kills.pop();
        } else if kills.len() == MAX_KILLS {
            kills.remove(0);
        }
        kills.push(removed);
        Last::Kill
    }

    fn delete_under(&mut self, count: i64) -> Last {
        let point = self.buffer.point();
        let nothing = if count >= 0 {
            self.buffer.text().is_empty()
        } else {
            point == 0
        };
        if nothing {
            self.ding();
            return Last::Other;
        }
        let (to, _) = self.characters_away(count);
        let last = self.vi_kill(point, to);
        self.vi_check();
        last
    }

    fn step_right(&mut self) {
        let next = self.buffer.next(self.buffer.point());
        self.buffer.set_point(next);
    }

    /// To behind the word under the cursor, whose completion is asked for.
    pub(super) fn go_to_end_of_word(&mut self) {
        let text = self.buffer.text();
        let rest = text.get(self.buffer.point()..).unwrap_or_default();
        let len = rest
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\t'))
            .unwrap_or(rest.len());
        self.buffer.set_point(self.buffer.point() + len);
    }

    fn swap_case(&mut self, count: i64) {
        for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
            let point = self.buffer.point();
            let end = self.buffer.next(point);
            let Some(bytes) = self.buffer.text().get(point..end).filter(|b| !b.is_empty()) else {
                return;
            };
            let letter = std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.chars().next());
            let swapped: Option<String> = letter.and_then(|letter| {
                if letter.is_uppercase() {
                    Some(letter.to_lowercase().collect())
                } else if letter.is_lowercase() {
                    Some(letter.to_uppercase().collect())
                } else {
                    None
                }
            });
            match swapped.filter(|swapped| swapped.len() == end - point) {
                Some(swapped) => {
                    self.buffer.begin_group();
                    self.vi_kill(point, end);
                    self.buffer.set_point(point);
                    self.buffer.insert(swapped.as_bytes());
                    self.buffer.end_group();
                }
                None => self.buffer.set_point(end),
            }
            if self.buffer.at_end() {
                return;
            }
        }
    }

    fn replace_characters(&mut self, with: &[u8], count: i64) {
        self.buffer.begin_group();
        for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
            if self.buffer.at_end() {
                break;
            }
            let point = self.buffer.point();
            let end = self.buffer.next(point);
            self.vi_kill(point, end);
            self.buffer.set_point(point);
            self.buffer.insert(with);
        }
        self.buffer.end_group();
        self.buffer
            .set_point(self.buffer.previous(self.buffer.point()));
    }

    fn substitute(&mut self, key: u8, count: i64) -> Outcome {
        let operator = Operator {
            key: b'c',
            count,
            argument: None,
        };
        if key == b'S' {
            self.whole_line(operator)
        } else {
            self.apply_motion(operator, b'l')
        }
    }

    fn redo(&mut self, history: &mut History) -> Outcome {
        let (key, argument) = self.kept.vi.last.unwrap_or((b'i', None));
        if self.argument.is_none() {
            self.argument = argument;
        }
        let inserted = self.kept.vi.inserted.clone();
        if b"iIaAR".contains(&key) && !inserted.is_empty() {
            match key {
                b'I' => self.buffer.set_point(0),
                b'a' => self.step_right(),
                b'A' => self.buffer.set_point(usize::MAX),
                _ => {}
            }
            let point = self.buffer.point();
            self.buffer.begin_group();
            if key == b'R' {
                let end = (point + inserted.len()).min(self.buffer.text().len());
                self.buffer.delete(point, end);
            }
            let times = usize::try_from(self.count()).unwrap_or(1).clamp(1, 1000);
            self.insert_or_ding(&inserted.repeat(times));
            self.buffer.end_group();
            self.buffer
                .set_point(self.buffer.previous(self.buffer.point()));
            return self.done(Last::Other);
        }
        self.kept.vi.redoing = true;
        let outcome = self.keys(vec![key], false, false, history);
        self.kept.vi.redoing = false;
        outcome
    }

    // ---- operators -------------------------------------------------------------------------------

    fn operate(&mut self, key: u8, count: i64) -> Outcome {
        let operator = Operator {
            key: key.to_ascii_lowercase(),
            count,
            argument: None,
        };
        if key.is_ascii_uppercase() {
            self.kept.vi.last_motion = b'$';
            let capital = Operator { key, ..operator };
            return self.apply_motion(capital, b'$');
        }
        if self.kept.vi.redoing {
            let motion = self.kept.vi.last_motion;
            return if motion == key {
                self.whole_line(operator)
            } else {
                self.motion_key(operator, motion)
            };
        }
        self.await_vi(Awaited::Motion(operator))
    }

    fn motion_key(&mut self, mut operator: Operator, byte: u8) -> Outcome {
        let counting = operator.argument.is_some();
        if byte.is_ascii_digit() && (counting || byte != b'0') {
            let value = operator.argument.unwrap_or(0) * 10 + i64::from(byte - b'0');
            operator.argument = Some(value.min(super::MAX_ARGUMENT));
            self.message = Some(format!("(arg: {value}) ").into_bytes());
            self.show();
            return self.await_vi(Awaited::Motion(operator));
        }
        if let Some(more) = operator.argument.take() {
            operator.count = operator.count.saturating_mul(more).min(super::MAX_ARGUMENT);
            self.message = None;
            self.show();
        }
        if byte == operator.key {
            self.kept.vi.last_motion = byte;
            return self.whole_line(operator);
        }
        if !b" hl^0$ftFT;,%wbeWBE|`".contains(&byte) {
            return self.done(Last::Other);
        }
        self.kept.vi.last_motion = byte;
        match byte {
            b'f' | b't' | b'F' | b'T' | b';' | b',' => {
                self.char_search(byte, operator.count, Some(operator))
            }
            b'`' => self.await_vi(Awaited::GoToMark(Some(operator))),
            _ => self.apply_motion(operator, byte),
        }
    }

    fn char_search(&mut self, key: u8, count: i64, operator: Option<Operator>) -> Outcome {
        let (find, target) = match (Find::of_key(key), self.kept.vi.find.clone()) {
            (Some(find), Some((_, target))) if self.kept.vi.redoing => (find, target),
            (Some(find), _) => {
                return self.await_vi(Awaited::Find(find, count, operator, Vec::new()));
            }
            (None, Some((find, target))) if key == b',' => (find.reversed(), target),
            (None, Some(found)) => found,
            (None, None) => return self.done(Last::Other),
        };
        match operator {
            Some(operator) => self.apply(operator, |editor| {
                editor.find_character(find, &target, count);
            }),
            None => {
                self.find_character(find, &target, count);
                self.done(Last::Other)
            }
        }
    }

    fn apply_motion(&mut self, operator: Operator, motion: u8) -> Outcome {
        self.kept.vi.last_motion = motion;
        self.apply(operator, |editor| editor.move_vi(motion, operator.count))
    }

    /// Moves, then does to what lies between what the operator says.
    fn apply(&mut self, operator: Operator, go: impl FnOnce(&mut Self)) -> Outcome {
        let motion = self.kept.vi.last_motion;
        let start = self.buffer.point();
        // A blank behind the line lets motions reach its end.
        self.buffer.push_blank();
        go(self);
        self.buffer.pop_blank();
        let mut point = self.buffer.point();
        let change = operator.key.eq_ignore_ascii_case(&b'c');
        if point == start && !change {
            self.ding();
            return self.done(Last::Other);
        }
        let word = motion.eq_ignore_ascii_case(&b'w');
        if word && point > start && point < self.buffer.text().len() && !self.buffer.blank_at(point)
        {
            point -= 1;
        }
        if operator.key == b'c' && word && point >= start && point != start {
            while point > start && self.buffer.blank_at(point) {
                point -= 1;
            }
            if point == start
                || (point + 1 < self.buffer.text().len() && !self.buffer.blank_at(point))
            {
                point = self.buffer.next(point);
            }
        }
        let (from, mut to) = (start.min(point), start.max(point));
        let as_they_are: &[u8] = match operator.key {
            b'c' => b" hl|wWh^0bBFT`",
            b'y' => b" l|h^0%bBFT`",
            _ => b" l|h^0bBFT`",
        };
        if !as_they_are.contains(&motion) && from >= start && to > from {
            to = self.buffer.next(to);
        }
        self.carry_out(operator, from, to)
    }

    fn whole_line(&mut self, operator: Operator) -> Outcome {
        self.kept.vi.last_motion = operator.key;
        self.carry_out(operator, 0, self.buffer.text().len())
    }

    fn carry_out(&mut self, operator: Operator, from: usize, to: usize) -> Outcome {
        let point = self.buffer.point();
        let start = point;
        let last = match operator.key.to_ascii_lowercase() {
            b'y' => {
                self.buffer.begin_group();
                let last = self.vi_kill(from, to);
                self.buffer.end_group();
                self.buffer.undo();
                let stay = if operator.key == b'Y' { start } else { from };
                self.buffer.set_point(stay);
                last
            }
            b'c' if self.kept.vi.redoing => {
                let inserted = self.kept.vi.inserted.clone();
                self.buffer.begin_group();
                self.buffer.delete(from, to);
                self.buffer.set_point(from);
                self.insert_or_ding(&inserted);
                self.buffer.end_group();
                Last::Other
            }
            b'c' => {
                self.buffer.begin_group();
                self.kept.vi.groups += 1;
                let last = self.vi_kill(from, to);
                self.buffer.set_point(from);
                self.kept.vi.doing_insert = operator.key == b'c';
                self.start_inserting(operator.key);
                last
            }
            _ => {
                let last = self.vi_kill(from, to);
                self.buffer.set_point(from);
                last
            }
        };
        self.done(last)
    }
}

fn mark_of(byte: u8) -> Option<usize> {
    byte.is_ascii_lowercase().then(|| usize::from(byte - b'a'))
}
