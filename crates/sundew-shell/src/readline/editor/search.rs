//! Searching the history while typing what to search for: `^R` and `^S`.

use super::{Editor, Mode, Outcome};
use crate::readline::buffer::Buffer;
use crate::readline::history::History;
use crate::readline::key::{self, Command};
use crate::readline::width;

/// Longest text searched for, in bytes.
const MAX_SEARCH_BYTES: usize = 1024;

/// A search that goes on.
#[derive(Debug)]
pub(super) struct Search {
    forward: bool,
    text: Vec<u8>,
    failed: bool,
    origin: usize,
    /// The line that was being edited; what is found stands in its place meanwhile.
    original: Buffer,
    /// The first bytes of a character.
    partial: Vec<u8>,
    /// The line being looked at.
    index: usize,
    /// Where in it; below 0 when it has been looked through.
    at: isize,
    found_index: usize,
    found_line: Option<Vec<u8>>,
}

/// A text to search for that is being typed in place of the line.
#[derive(Debug)]
pub(super) struct Asked {
    forward: bool,
    original: Buffer,
    point: usize,
    /// It was asked for in vi's command mode: `^` anchors the text.
    vi: bool,
}

impl Editor {
    /// `M-p` and `M-n`: asks for a text behind a colon.
    pub(super) fn ask_search(&mut self, forward: bool) {
        self.ask_text(forward, b':', false);
    }

    /// `/` and `?` of vi's command mode.
    pub(super) fn ask_vi_search(&mut self, key: u8) {
        self.ask_text(key == b'?', key, true);
    }

    fn ask_text(&mut self, forward: bool, sign: u8, vi: bool) {
        let empty = Buffer::new(self.buffer.utf8);
        let asked = Asked {
            forward,
            vi,
            point: self.buffer.point(),
            original: std::mem::replace(&mut self.buffer, empty),
        };
        self.argument = None;
        self.last = super::Last::Other;
        self.message = Some([self.prompt.as_slice(), &[sign]].concat());
        self.show();
        self.mode = Mode::AskSearch(asked);
    }

    pub(super) fn asked_key(&mut self, asked: Asked, byte: u8, history: &mut History) -> Outcome {
        match key::plain(byte) {
            Command::AcceptLine => return self.search_asked(asked, history),
            Command::Abort => {
                self.ding();
                self.leave_asked(asked);
                return self.done(super::Last::Other);
            }
            Command::BackwardDeleteChar if self.buffer.text().is_empty() => {
                self.leave_asked(asked);
                return self.done(super::Last::Other);
            }
            Command::BackwardDeleteChar => {
                let point = self.buffer.point();
                self.buffer.delete(self.buffer.previous(point), point);
            }
            Command::UnixWordRubout => {
                let point = self.buffer.point();
                self.buffer
                    .delete(self.buffer.blank_word_start(point), point);
            }
            Command::UnixLineDiscard => {
                self.buffer.delete(0, self.buffer.point());
            }
            Command::SelfInsert if self.buffer.text().len() < MAX_SEARCH_BYTES => {
                self.partial.push(byte);
                let first = self.partial.first().copied().unwrap_or(byte);
                if !self.buffer.utf8 || self.partial.len() >= width::expected_len(first) {
                    let character = std::mem::take(&mut self.partial);
                    self.buffer.insert(&character);
                }
            }
            _ => self.ding(),
        }
        self.show();
        self.mode = Mode::AskSearch(asked);
        Outcome::Continue
    }

    fn leave_asked(&mut self, asked: Asked) {
        self.buffer = asked.original;
        self.buffer.set_point(asked.point);
        self.message = None;
    }

    fn search_asked(&mut self, asked: Asked, history: &History) -> Outcome {
        let mut wanted = self.buffer.take();
        if wanted.is_empty() {
            wanted = self.kept.last_search.clone().unwrap_or_default();
        }
        let (forward, vi, point) = (asked.forward, asked.vi, asked.point);
        self.leave_asked(asked);
        self.search_text(wanted, forward, vi.then_some(0), Some(point), history);
        self.done(super::Last::Other)
    }

    /// `n` and `N` of vi's command mode.
    pub(super) fn search_again(&mut self, forward: bool, history: &History) {
        match self.kept.last_search.clone() {
            Some(wanted) => {
                let index = self.index;
                self.search_text(wanted, forward, Some(0), None, history);
                if index == self.index {
                    self.ding();
                }
            }
            None => self.ding(),
        }
    }

    /// Goes to the next line with a text; `vi` is where the cursor goes then, in vi mode.
    fn search_text(
        &mut self,
        wanted: Vec<u8>,
        forward: bool,
        vi: Option<usize>,
        point: Option<usize>,
        history: &History,
    ) {
        // `n` leaves a line that it finds nothing for as it is.
        let (again, point) = (point.is_none(), point.unwrap_or(0));
        let (anchored, text) = match wanted.strip_prefix(b"^").filter(|_| vi.is_some()) {
            Some(text) => (true, text),
            None => (false, wanted.as_slice()),
        };
        let mut index = self.index;
        let found = loop {
            let next = if forward {
                Some(index + 1).filter(|next| *next < history.len())
            } else {
                index.checked_sub(1)
            };
            let Some(next) = next.filter(|_| !wanted.is_empty()) else {
                break None;
            };
            index = next;
            let line = self.line_at(index, history);
            let at = if anchored {
                line.starts_with(text).then_some(0)
            } else {
                line.windows(text.len().max(1))
                    .position(|window| window == text)
            };
            if let Some(at) = at {
                break Some((index, at));
            }
        };
        let Some((index, at)) = found else {
            if !again {
                self.buffer.set_point(usize::MAX);
                self.show();
            }
            self.ding();
            self.buffer.set_point(vi.unwrap_or(point));
            return;
        };
        self.go_to_line(index, history);
        if let Some(start) = vi {
            self.buffer.set_point(start);
            self.kept.last_search = Some(wanted);
            return;
        }
        self.buffer.set_point(at);
        self.buffer.mark = at + wanted.len();
        self.region = true;
        self.kept.last_search = Some(wanted);
    }

    pub(super) fn begin_search(&mut self, forward: bool) {
        let (text, point) = self.line();
        let mut shown = Buffer::new(self.buffer.utf8);
        shown.load(text);
        shown.set_point(point);
        let search = Search {
            forward,
            text: Vec::new(),
            failed: false,
            origin: self.index,
            original: std::mem::replace(&mut self.buffer, shown),
            partial: Vec::new(),
            index: self.index,
            at: isize::try_from(point).unwrap_or(0),
            found_index: self.index,
            found_line: None,
        };
        self.argument = None;
        self.last = super::Last::Other;
        self.show_search(&search);
        self.mode = Mode::Search(search);
    }

    fn show_search(&mut self, search: &Search) {
        let failed = if search.failed { "failed " } else { "" };
        let reverse = if search.forward { "" } else { "reverse-" };
        let head = format!("({failed}{reverse}i-search)`");
        self.display.quick = search.text.is_empty();
        self.message = Some([head.as_bytes(), &search.text, b"': "].concat());
        self.show();
    }

    pub(super) fn search_key(
        &mut self,
        mut search: Search,
        byte: u8,
        more: bool,
        history: &mut History,
    ) -> Outcome {
        match key::plain(byte) {
            Command::ReverseSearchHistory | Command::ForwardSearchHistory => {
                search.forward = key::plain(byte) == Command::ForwardSearchHistory;
                if search.text.is_empty() {
                    let Some(last) = self.kept.last_search.clone() else {
                        // Nothing was ever searched for.
                        self.mode = Mode::Search(search);
                        return Outcome::Continue;
                    };
                    search.text = last;
                    self.show_search(&search);
                } else {
                    search.at += if search.forward { 1 } else { -1 };
                }
            }
            Command::Abort => {
                self.buffer = search.original;
                return self.end_search(None);
            }
            Command::BackwardDeleteChar => {
                if search.text.pop().is_none() {
                    self.ding();
                }
            }
            Command::SelfInsert if search.text.len() < MAX_SEARCH_BYTES => {
                search.partial.push(byte);
                let first = search.partial.first().copied().unwrap_or(byte);
                if self.buffer.utf8 && search.partial.len() < width::expected_len(first) {
                    self.mode = Mode::Search(search);
                    return Outcome::Continue;
                }
                search.text.append(&mut search.partial);
            }
            Command::UnixWordRubout | Command::Yank => {
                self.take_from_line(&mut search, key::plain(byte) == Command::Yank)
            }
            command => {
                let text = std::mem::take(&mut search.text);
                let point = usize::try_from(search.at).unwrap_or(0);
                self.settle(search, point, history);
                let shown = self.end_search(Some(text));
                if byte == b'\n' {
                    return shown;
                }
                if command == Command::Meta {
                    self.mode = Mode::Keys(vec![byte]);
                    return Outcome::Continue;
                }
                return self.feed(byte, more, history);
            }
        }
        self.search_on(&mut search, history);
        self.mode = Mode::Search(search);
        Outcome::Continue
    }

    /// Leaves the search; a text that was searched for is remembered.
    fn end_search(&mut self, text: Option<Vec<u8>>) -> Outcome {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.kept.last_search = Some(text);
        }
        self.region = false;
        self.message = None;
        self.show();
        Outcome::Continue
    }

    /// Adds to the text searched for what follows it in the line found: a word, or the rest.
    fn take_from_line(&mut self, search: &mut Search, rest: bool) {
        let line = self.buffer.text();
        let start = self.buffer.point() + search.text.len();
        let end = if rest {
            line.len()
        } else {
            self.buffer.word_end(start)
        };
        match line.get(start..end) {
            Some(more)
                if !more.is_empty() && search.text.len() + more.len() <= MAX_SEARCH_BYTES =>
            {
                search.text.extend_from_slice(more);
            }
            _ => self.ding(),
        }
    }

    /// Makes the line found the one being edited.
    fn settle(&mut self, search: Search, point: usize, history: &History) {
        self.buffer = search.original;
        self.go_to_line(search.found_index, history);
        self.buffer.set_point(point);
    }

    fn search_on(&mut self, search: &mut Search, history: &History) {
        search.failed = !self.find_next(search, history);
        if search.failed {
            self.ding();
            search.index = search.found_index;
            self.region = false;
        } else {
            let line = self.searched_line(search, search.index, history).to_vec();
            let at = usize::try_from(search.at).unwrap_or(0);
            self.buffer.load(&line);
            self.buffer.set_point(at);
            self.buffer.mark = at + search.text.len();
            self.region = !search.text.is_empty();
            search.found_index = search.index;
            search.found_line = Some(line);
        }
        self.show_search(search);
    }

    fn searched_line<'a>(
        &'a self,
        search: &'a Search,
        index: usize,
        history: &'a History,
    ) -> &'a [u8] {
        if index == search.origin {
            return search.original.text();
        }
        self.edited
            .get(&index)
            .map_or_else(|| history.at(index).unwrap_or_default(), Buffer::text)
    }

    fn find_next(&self, search: &mut Search, history: &History) -> bool {
        if search.text.is_empty() {
            return false;
        }
        loop {
            let line = self.searched_line(search, search.index, history);
            let room = isize::try_from(line.len()).unwrap_or(isize::MAX)
                - isize::try_from(search.text.len()).unwrap_or(0);
            let step = if search.forward { 1 } else { -1 };
            let mut at = search.at;
            let mut found = false;
            while at >= 0 && (!search.forward || at <= room) {
                let here = usize::try_from(at).ok().and_then(|at| line.get(at..));
                found = here.is_some_and(|here| here.starts_with(&search.text));
                if found {
                    break;
                }
                at += step;
            }
            search.at = at.max(0);
            if found {
                return true;
            }
            loop {
                let next = if search.forward {
                    Some(search.index + 1).filter(|next| *next <= history.len())
                } else {
                    search.index.checked_sub(1)
                };
                let Some(next) = next else { return false };
                search.index = next;
                let line = self.searched_line(search, next, history);
                if search.found_line.as_deref() != Some(line) && line.len() >= search.text.len() {
                    let end = isize::try_from(line.len() - search.text.len()).unwrap_or(0);
                    search.at = if search.forward { 0 } else { end };
                    break;
                }
            }
        }
    }
}
