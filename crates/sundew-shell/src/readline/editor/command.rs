//! What keys do to the line.

mod changing;
mod killing;
mod moving;

use super::{Among, Editor, Last, Mode, Outcome, Want};
use crate::readline::history::History;
use crate::readline::key::Command;

/// What `^X^V` shows.
const VERSION: &[u8] = b"GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n\r";

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
                self.display
                    .clear_screen(&picture, command == Command::ClearDisplay);
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
            | Command::MagicSpace
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
            Command::HistorySearchBackward => self.search_typed(false, true, history),
            Command::HistorySearchForward => self.search_typed(true, true, history),
            Command::HistorySubstringSearchBackward => self.search_typed(false, false, history),
            Command::HistorySubstringSearchForward => self.search_typed(true, false, history),
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
            Command::ShellTransposeWords => {
                self.transpose_shell_words();
                Last::Other
            }
            _ => {
                self.ding();
                Last::Other
            }
        }
    }
}
