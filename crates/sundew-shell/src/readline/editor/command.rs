//! What keys do to the line.

use super::{Among, Editor, Last, MAX_KILLS, Mode, Outcome, Want};
use crate::readline::history::History;
use crate::readline::history::words;
use crate::readline::key::Command;
use crate::readline::width;

/// What `^X^V` shows.
const VERSION: &[u8] = b"GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n\r";

/// What parts words of the shell for `M-^F` and the like.
const SHELL_BREAKS: &[u8] = b" \t\n;&()|<>";

/// Which way killed text joins what was killed just before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    After,
    Before,
}

impl Editor {
    /// Runs a command and shows what it did.
    pub(super) fn run(&mut self, command: Command, byte: u8, history: &mut History) -> Outcome {
        let had_region = std::mem::take(&mut self.region);
        match command {
            Command::AcceptLine => self.accept(),
            Command::OperateAndGetNext => {
                self.kept.next_index = Some(self.index + 1);
                self.accept()
            }
            Command::InsertComment => {
                let comment = self.settings.variable("comment-begin").to_vec();
                self.buffer.set_point(0);
                if self.argument.is_some() && self.buffer.text().starts_with(&comment) {
                    self.buffer.delete(0, comment.len());
                } else {
                    self.buffer.insert(&comment);
                }
                self.accept()
            }
            Command::DisplayShellVersion => {
                self.display.below();
                self.display.out.extend_from_slice(VERSION);
                self.display.on_new_line();
                self.done(Last::Other)
            }
            Command::RedrawCurrentLine => self.refresh(),
            Command::ClearScreen if self.argument.is_some() => self.refresh(),
            Command::QuotedInsert => {
                self.mode = Mode::Quoted;
                Outcome::Continue
            }
            Command::CharacterSearch | Command::CharacterSearchBackward => {
                let count = self.count();
                self.argument = None;
                self.mode = Mode::Find {
                    forward: (command == Command::CharacterSearch) == (count >= 0),
                    count: count.saturating_abs(),
                };
                Outcome::Continue
            }
            Command::BracketedPasteBegin => {
                self.region = had_region;
                self.mode = Mode::Paste(Vec::new());
                Outcome::Continue
            }
            Command::ReverseSearchHistory | Command::ForwardSearchHistory => {
                self.begin_search(command == Command::ForwardSearchHistory);
                Outcome::Continue
            }
            Command::SelfInsert => self.self_insert(byte, false),
            Command::ClearScreen | Command::ClearDisplay => {
                self.last = Last::Other;
                self.argument = None;
                let prompt = self.prompt.clone();
                let picture = super::picture(&prompt, &self.buffer, false);
                self.display.clear_screen(&picture);
                Outcome::Continue
            }
            Command::MenuComplete | Command::MenuCompleteBackward
                if matches!(self.last, Last::Menu(_)) =>
            {
                let count = self.count();
                if let Last::Menu(menu) = std::mem::replace(&mut self.last, Last::Other) {
                    let forward = command == Command::MenuComplete;
                    self.turn_menu(menu, if forward { count } else { -count });
                }
                Outcome::Continue
            }
            _ => self.run_other(command, byte, had_region, history),
        }
    }

    fn run_other(
        &mut self,
        command: Command,
        byte: u8,
        had_region: bool,
        history: &mut History,
    ) -> Outcome {
        if let Some((want, among)) = self.completion_asked(command, byte) {
            if had_region {
                self.show();
            }
            self.argument = None;
            self.completing = self.is_tab(command).then_some(among);
            return Outcome::Complete(want, among);
        }
        if let Some(outcome) = self.asks(command) {
            return outcome;
        }
        if let Some(outcome) = self.run_vi(command, byte, history) {
            return outcome;
        }
        let last = self.act(command, history);
        self.done(last)
    }

    /// Commands for which somebody else has to do or say something.
    fn asks(&mut self, command: Command) -> Option<Outcome> {
        match command {
            Command::ShellExpandLine
            | Command::HistoryExpandLine
            | Command::AliasExpandLine
            | Command::HistoryAndAliasExpandLine
            | Command::TildeExpand
            | Command::EditAndExecuteCommand
            | Command::ViEditAndExecuteCommand
            | Command::ReReadInitFile
            | Command::DumpFunctions
            | Command::DumpVariables
            | Command::DumpMacros => {
                self.argument = None;
                Some(Outcome::Ask(command))
            }
            Command::NonIncrementalReverseSearchHistory => {
                self.ask_search(false);
                Some(Outcome::Continue)
            }
            Command::NonIncrementalForwardSearchHistory => {
                self.ask_search(true);
                Some(Outcome::Continue)
            }
            _ => None,
        }
    }

    /// What a command of completion wants, and among what.
    fn completion_asked(&mut self, command: Command, key: u8) -> Option<(Want, Among)> {
        let mut tab = Want::Insert;
        if command == Command::ViComplete {
            self.go_to_end_of_word();
            if key == b'=' {
                return Some((Want::List, Among::GlobbedStart));
            }
            self.start_inserting(key);
            let want = if key == b'*' { Want::All } else { Want::Insert };
            return Some((want, Among::GlobbedStart));
        }
        if let Last::Complete { changed: false, by } = self.last
            && by.is_some()
            && self
                .completion_of(command, Want::Insert)
                .is_some_and(|(want, among)| want == Want::Insert && by == Some(among))
        {
            tab = Want::List;
        }
        self.completion_of(command, tab)
    }

    /// Whether this command lists at its second press only.
    fn is_tab(&self, command: Command) -> bool {
        self.completion_of(command, Want::Insert)
            .is_some_and(|(want, _)| want == Want::Insert)
    }

    fn completion_of(&self, command: Command, tab: Want) -> Option<(Want, Among)> {
        Some(match command {
            Command::Complete => (tab, Among::Anything),
            Command::PossibleCompletions => (Want::List, Among::Anything),
            Command::InsertCompletions => (Want::All, Among::Anything),
            Command::CompleteCommand => (tab, Among::Commands),
            Command::CompleteFilename => (tab, Among::Files),
            Command::CompleteHostname => (tab, Among::Hosts),
            Command::CompleteUsername => (tab, Among::Users),
            Command::CompleteVariable => (tab, Among::Variables),
            Command::PossibleCommandCompletions => (Want::List, Among::Commands),
            Command::PossibleFilenameCompletions => (Want::List, Among::Files),
            Command::PossibleHostnameCompletions => (Want::List, Among::Hosts),
            Command::PossibleUsernameCompletions => (Want::List, Among::Users),
            Command::PossibleVariableCompletions => (Want::List, Among::Variables),
            Command::GlobCompleteWord => (tab, Among::GlobbedStart),
            Command::GlobExpandWord => (Want::All, Among::Globbed),
            Command::GlobListExpansions => (Want::List, Among::Globbed),
            Command::MenuComplete => (Want::Next(self.count()), Among::Anything),
            Command::MenuCompleteBackward => (Want::Next(-self.count()), Among::Anything),
            _ => return None,
        })
    }

    fn refresh(&mut self) -> Outcome {
        self.last = Last::Other;
        self.argument = None;
        let prompt = self.prompt.clone();
        let picture = super::picture(&prompt, &self.buffer, false);
        self.display.refresh(&picture);
        Outcome::Continue
    }

    fn act(&mut self, command: Command, history: &mut History) -> Last {
        let count = self.count();
        match command {
            Command::BeginningOfLine => self.buffer.set_point(0),
            Command::EndOfLine => self.buffer.set_point(usize::MAX),
            Command::ForwardChar if self.commands() => self.move_vi(b'l', count),
            Command::ForwardChar => self.move_characters(count),
            Command::BackwardChar => self.move_characters(-count),
            Command::ForwardWord | Command::BackwardWord => {
                let words = if command == Command::ForwardWord {
                    count
                } else {
                    -count
                };
                let to = self.words_away(words);
                self.buffer.set_point(to);
            }
            Command::DeleteChar => return self.delete_characters(count),
            Command::BackwardDeleteChar if self.replacing => self.overstrike_back(count),
            Command::BackwardDeleteChar => return self.delete_characters(-count),
            Command::KillLine
            | Command::UnixLineDiscard
            | Command::BackwardKillLine
            | Command::KillWord
            | Command::BackwardKillWord
            | Command::UnixWordRubout => return self.kill_by(command, count),
            Command::Yank => return self.yank(),
            Command::YankPop => return self.yank_pop(),
            Command::YankLastArg => return self.yank_argument(history),
            Command::YankNthArg => return self.yank_nth(history),
            _ => return self.act_on_text(command, count, history),
        }
        Last::Other
    }

    /// Commands that change the text, and those that take another line.
    fn act_on_text(&mut self, command: Command, count: i64, history: &mut History) -> Last {
        match command {
            Command::TransposeChars => self.transpose(count),
            Command::TransposeWords => self.transpose_words(count),
            Command::TabInsert => {
                self.insert_or_ding(b"\t");
            }
            Command::SkipCsiSequence => {}
            Command::StartKbdMacro => self.start_macro(),
            Command::EndKbdMacro => self.end_macro(count),
            Command::CallLastKbdMacro => self.call_macro(count),
            Command::UpcaseWord | Command::DowncaseWord | Command::CapitalizeWord => {
                self.change_case(command, count)
            }
            Command::PreviousHistory
            | Command::NextHistory
            | Command::BeginningOfHistory
            | Command::EndOfHistory => {
                self.move_in_history(command, count, history);
            }
            Command::HistorySearchBackward => self.search_prefix(false, history),
            Command::HistorySearchForward => self.search_prefix(true, history),
            Command::Undo => {
                for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
                    if !self.buffer.undo() {
                        self.ding();
                        break;
                    }
                }
            }
            Command::RevertLine => {
                if !self.buffer.changed() {
                    self.ding();
                }
                self.buffer.revert();
                if self.commands() {
                    self.buffer.set_point(0);
                }
            }
            Command::SetMark => self.buffer.mark = self.buffer.point(),
            Command::ExchangePointAndMark => {
                let mark = self.buffer.mark.min(self.buffer.text().len());
                self.buffer.mark = self.buffer.point();
                self.buffer.set_point(mark);
                self.region = true;
            }
            Command::OverwriteMode => self.overwrite = !self.overwrite,
            Command::DeleteHorizontalSpace => self.delete_blanks(),
            Command::Abort => {
                self.kept.recording = None;
                self.kept.typing.clear();
                self.message = None;
                self.ding();
            }
            _ => return self.act_on_region(command, count),
        }
        Last::Other
    }

    /// Commands of the region and of the shell's words.
    fn act_on_region(&mut self, command: Command, count: i64) -> Last {
        match command {
            Command::ForwardByte | Command::BackwardByte => {
                let sign = if command == Command::ForwardByte {
                    1
                } else {
                    -1
                };
                self.move_characters(count * sign);
                Last::Other
            }
            Command::ForwardBackwardDeleteChar => {
                let sign = if self.buffer.at_end() { -1 } else { 1 };
                self.delete_characters(count * sign)
            }
            Command::CopyForwardWord | Command::CopyBackwardWord => {
                let point = self.buffer.point();
                let forward = command == Command::CopyForwardWord;
                let to = self.words_away(if forward { count } else { -count });
                let last = self.kill(point, to);
                self.buffer.undo();
                self.buffer.set_point(point);
                last
            }
            Command::UnixFilenameRubout => {
                let point = self.buffer.point();
                let text = self.buffer.text();
                let parts = |at: usize| text.get(at).is_some_and(|b| b" \t/".contains(b));
                let mut to = point;
                while to > 0 && parts(to - 1) {
                    to -= 1;
                }
                while to > 0 && !parts(to - 1) {
                    to -= 1;
                }
                if point == 0 {
                    self.ding();
                    return Last::Other;
                }
                self.kill(point, to)
            }
            Command::KillWholeLine => self.kill(0, self.buffer.text().len()),
            Command::KillRegion | Command::CopyRegionAsKill => {
                let (mark, point) = (self.buffer.mark, self.buffer.point());
                let last = self.kill(mark.min(point), mark.max(point));
                if command == Command::CopyRegionAsKill {
                    // Only a copy is taken.
                    self.buffer.undo();
                    self.buffer.set_point(point);
                }
                last
            }
            Command::ShellForwardWord => {
                let to = self.shell_word_end(self.buffer.point());
                self.buffer.set_point(to);
                Last::Other
            }
            Command::ShellBackwardWord => {
                let to = self.shell_word_start(self.buffer.point());
                self.buffer.set_point(to);
                Last::Other
            }
            Command::ShellKillWord => {
                let point = self.buffer.point();
                self.kill(point, self.shell_word_end(point))
            }
            Command::ShellBackwardKillWord => {
                let point = self.buffer.point();
                self.kill(point, self.shell_word_start(point))
            }
            _ => {
                self.ding();
                Last::Other
            }
        }
    }

    // ---- moving ------------------------------------------------------------------------------

    pub(super) fn characters_away(&self, count: i64) -> (usize, bool) {
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

    pub(super) fn move_characters(&mut self, count: i64) {
        let (at, stopped) = self.characters_away(count);
        if stopped {
            self.ding();
        }
        self.buffer.set_point(at);
    }

    fn words_away(&self, count: i64) -> usize {
        self.words_from(self.buffer.point(), count)
    }

    fn words_from(&self, mut at: usize, count: i64) -> usize {
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

    pub(super) fn find(&mut self, byte: u8, forward: bool, count: i64) {
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

    // ---- words of the shell --------------------------------------------------------------------

    fn shell_word_end(&self, mut at: usize) -> usize {
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

    fn shell_word_start(&self, at: usize) -> usize {
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

    // ---- keyboard macros -------------------------------------------------------------------------

    fn start_macro(&mut self) {
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

    fn end_macro(&mut self, count: i64) {
        match self.kept.recording.take() {
            Some(recording) => self.kept.keyboard_macro = recording,
            None => return self.ding(),
        }
        if count > 1 {
            self.call_macro(count - 1);
        }
    }

    fn call_macro(&mut self, count: i64) {
        if self.kept.recording.is_some() || self.kept.keyboard_macro.is_empty() {
            return self.ding();
        }
        let text = self.kept.keyboard_macro.clone();
        for _ in 0..count.clamp(0, i64::from(u16::MAX)) {
            self.type_text(&text);
        }
    }

    // ---- deleting ----------------------------------------------------------------------------

    fn delete_characters(&mut self, count: i64) -> Last {
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

    fn kill_by(&mut self, command: Command, count: i64) -> Last {
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
    fn kill(&mut self, from: usize, to: usize) -> Last {
        if from == to {
            return Last::Kill;
        }
        let join = if to < from { Join::Before } else { Join::After };
        let removed = self.buffer.delete(from, to);
        match self.kept.kills.last_mut() {
            Some(top)
                if self.last == Last::Kill
                    && top.len() + removed.len() <= super::MAX_LINE_BYTES =>
            {
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

    fn delete_blanks(&mut self) {
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

    // ---- yanking -----------------------------------------------------------------------------

    pub(super) fn insert_or_ding(&mut self, text: &[u8]) -> bool {
        let fits = self.buffer.insert(text);
        if !fits {
            self.ding();
        }
        fits
    }

    pub(super) fn yank(&mut self) -> Last {
        let start = self.buffer.point();
        let Some(text) = self.kept.kills.last().cloned() else {
            self.ding();
            return Last::Other;
        };
        self.buffer.mark = start;
        self.insert_or_ding(&text);
        Last::Yank { depth: 0, start }
    }

    fn yank_pop(&mut self) -> Last {
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

    fn yank_argument(&mut self, history: &History) -> Last {
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
                let nth = self.argument.map(super::Argument::count);
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

    fn yank_nth(&mut self, history: &History) -> Last {
        let nth = self.argument.map_or(1, super::Argument::count);
        self.yank_word(Some(nth), history)
    }

    /// Inserts a word of the line before, the last one if `nth` does not say which.
    pub(super) fn yank_word(&mut self, nth: Option<i64>, history: &History) -> Last {
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

    // ---- changing ----------------------------------------------------------------------------

    fn transpose(&mut self, mut count: i64) {
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

    fn transpose_words(&mut self, count: i64) {
        let second_end = self.words_away(count);
        let second = self.buffer.word_start(second_end);
        let first = self.words_from(second, -count);
        let first_end = self.buffer.word_end(first);
        if first == second || second < first_end {
            return self.ding();
        }
        let text = self.buffer.text();
        let parts = [
            text.get(second..second_end),
            text.get(first_end..second),
            text.get(first..first_end),
        ];
        let swapped = parts.map(Option::unwrap_or_default).concat();
        self.buffer.replace(first, second_end, &swapped);
    }

    fn change_case(&mut self, command: Command, count: i64) {
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

    // ---- history -----------------------------------------------------------------------------

    fn move_in_history(&mut self, command: Command, count: i64, history: &History) {
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

    /// Page up and down: the next line that begins with what stands before the cursor.
    fn search_prefix(&mut self, forward: bool, history: &History) {
        let prefix = self.buffer.before().to_vec();
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
            if line.starts_with(&prefix) && line != self.buffer.text() {
                self.go_to_line(index, history);
                self.buffer.set_point(prefix.len());
                return;
            }
        }
    }
}

/// Which word `nth` means; below 0 they count from the end.
fn word_index(nth: i64, words: usize) -> Option<usize> {
    usize::try_from(nth)
        .ok()
        .or_else(|| words.checked_sub(usize::try_from(nth.checked_neg()?).ok()? + 1))
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
