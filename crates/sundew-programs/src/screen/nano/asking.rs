//! What nano asks in the row above its keys.

use sundew_kernel::{Errno, Process, STDIN};

use super::picture::{centred, padded, reversed};
use super::{
    ANSWER, Answer, Editor, HELP, MAX_ANSWER_BYTES, SEARCH, Shortcuts, TAB, WRITE, counted, read,
    text, write,
};
use crate::screen::{Key, shown, size};

impl Editor {
    /// `^X`: whether the reader is still there, when the file is left.
    pub(super) async fn leave(&mut self, proc: &mut Process) -> Option<bool> {
        if !self.modified {
            return Some(true);
        }
        loop {
            self.ask_to_save(proc).await;
            match self.keys.next(proc).await {
                Key::Byte(b'y' | b'Y') => {
                    return match self.write_out(proc).await {
                        Some(true) => Some(true),
                        Some(false) => Some(false),
                        None => None,
                    };
                }
                Key::Byte(b'n' | b'N') => return Some(true),
                Key::Byte(3) => {
                    self.message = b"Cancelled".to_vec();
                    return None;
                }
                Key::HangUp => return Some(false),
                _ => {}
            }
        }
    }

    /// Asks where to, and writes; `None` if it was not written.
    pub(super) async fn write_out(&mut self, proc: &mut Process) -> Option<bool> {
        let name = self.name.clone();
        let to = match self.ask(proc, b"File Name to Write: ", &name, WRITE).await {
            Answer::Text(to) if !to.is_empty() => to,
            Answer::HangUp => return Some(false),
            Answer::Text(_) | Answer::Cancelled => {
                self.message = b"Cancelled".to_vec();
                return None;
            }
        };
        if to != self.name && proc.stat(&to).is_ok() {
            let question = [b"File \"".as_slice(), &to, b"\" exists; OVERWRITE? "].concat();
            self.ask_yes_or_no(proc, &question).await;
            if !matches!(self.keys.next(proc).await, Key::Byte(b'y' | b'Y')) {
                self.message = b"Cancelled".to_vec();
                return None;
            }
        }
        let (bytes, lines) = self.text.to_bytes();
        match write(proc, &to, &bytes).await {
            Ok(()) => {
                self.message = counted("Wrote", lines);
                self.name = to;
                self.modified = false;
                Some(true)
            }
            Err(errno) => {
                let why = errno.message().as_bytes();
                self.message = [b"Error writing ".as_slice(), &to, b": ", why].concat();
                None
            }
        }
    }

    pub(super) async fn read_in(&mut self, proc: &mut Process) -> bool {
        let question = b"File to insert [from ./]: ";
        match self.ask(proc, question, b"", ANSWER).await {
            Answer::HangUp => return false,
            Answer::Cancelled => self.message = b"Cancelled".to_vec(),
            Answer::Text(name) => match read(proc, &name).await {
                Ok(bytes) => {
                    self.keep();
                    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
                    for &byte in &bytes {
                        self.insert(if byte == b'\n' { b'\r' } else { byte });
                    }
                    self.message = counted("Read", lines);
                }
                Err(Errno::Enoent) => {
                    self.message = [b"File \"".as_slice(), &name, b"\" not found"].concat();
                }
                Err(errno) => {
                    let why = errno.message().as_bytes();
                    self.message = [b"Error reading ".as_slice(), &name, b": ", why].concat();
                }
            },
        }
        true
    }

    pub(super) async fn search(&mut self, proc: &mut Process) -> bool {
        let question = if self.searched.is_empty() {
            b"Search: ".to_vec()
        } else {
            [b"Search [".as_slice(), &self.searched, b"]: "].concat()
        };
        match self.ask(proc, &question, b"", SEARCH).await {
            Answer::HangUp => return false,
            Answer::Cancelled => self.message = b"Cancelled".to_vec(),
            Answer::Text(text) => {
                if !text.is_empty() {
                    self.searched = text;
                }
                self.find();
            }
        }
        true
    }

    pub(super) fn find(&mut self) {
        if self.searched.is_empty() {
            self.message = b"No current search pattern".to_vec();
            return;
        }
        self.message = match self.text.find(&self.searched) {
            text::Found::Nowhere => [b"\"".as_slice(), &self.searched, b"\" not found"].concat(),
            text::Found::OnlyHere => b"This is the only occurrence".to_vec(),
            text::Found::Wrapped => b"Search Wrapped".to_vec(),
            text::Found::Ahead => Vec::new(),
        };
    }

    pub(super) async fn go_to(&mut self, proc: &mut Process) -> bool {
        let question = b"Enter line number, column number: ";
        match self.ask(proc, question, b"", ANSWER).await {
            Answer::HangUp => return false,
            Answer::Cancelled => self.message = b"Cancelled".to_vec(),
            Answer::Text(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                let number = text
                    .split(',')
                    .next()
                    .and_then(|text| text.trim().parse().ok());
                match number {
                    Some(line) => self.text.go_to_line(line),
                    None => self.message = b"Invalid line or column number".to_vec(),
                }
            }
        }
        true
    }

    pub(super) async fn help(&mut self, proc: &mut Process) -> bool {
        let (columns, rows) = size(proc, STDIN);
        let mut out = b"\x1b[?25l".to_vec();
        for row in 1..=rows {
            let line = row.checked_sub(1).and_then(|at| HELP.get(at));
            let line = line.copied().unwrap_or_default();
            let text = if row == 1 {
                reversed(&centred(line.as_bytes(), columns))
            } else if row == rows {
                b"\x1b(B\x1b[0;7m^X\x1b(B\x1b[m Close".to_vec()
            } else {
                shown(line.as_bytes(), 0, columns, TAB)
            };
            self.rows.update(row, text, &mut out);
        }
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
        loop {
            match self.keys.next(proc).await {
                Key::Byte(0x18 | b'q') => return true,
                Key::HangUp => return false,
                _ => {}
            }
        }
    }

    pub(super) async fn ask(
        &mut self,
        proc: &mut Process,
        question: &[u8],
        begin: &[u8],
        shortcuts: Shortcuts,
    ) -> Answer {
        let mut answer = begin.to_vec();
        loop {
            if !self.keys.waiting(proc) {
                let line = [question, &answer].concat();
                self.show(proc, shortcuts, Some(&line)).await;
            }
            match self.keys.next(proc).await {
                Key::HangUp => return Answer::HangUp,
                Key::Byte(3) => return Answer::Cancelled,
                Key::Byte(b'\r' | b'\n') => return Answer::Text(answer),
                Key::Byte(8 | 0x7f) => {
                    answer.pop();
                    while answer.last().is_some_and(|byte| byte & 0xc0 == 0x80) {
                        answer.pop();
                    }
                }
                Key::Byte(11 | 21) => answer.clear(),
                Key::Byte(byte @ 0x20..) if answer.len() < MAX_ANSWER_BYTES => answer.push(byte),
                Key::Resize => self.rows.forget(),
                _ => {}
            }
        }
    }

    pub(super) async fn ask_to_save(&mut self, proc: &mut Process) {
        self.ask_yes_or_no(proc, b"Save modified buffer? ").await;
    }

    pub(super) async fn ask_yes_or_no(&mut self, proc: &mut Process, question: &[u8]) {
        let (columns, rows) = size(proc, STDIN);
        let mut out = b"\x1b[?25l".to_vec();
        let line = reversed(&padded(question, columns));
        self.rows.update(rows - 2, line, &mut out);
        let yes = b"\x1b(B\x1b[0;7m Y\x1b(B\x1b[m Yes".to_vec();
        self.rows.update(rows - 1, yes, &mut out);
        let no =
            b"\x1b(B\x1b[0;7m N\x1b(B\x1b[m No            \x1b(B\x1b[0;7m^C\x1b(B\x1b[m Cancel"
                .to_vec();
        self.rows.update(rows, no, &mut out);
        let at = question.len() + 1;
        out.extend_from_slice(format!("\x1b[{};{at}H\x1b[?12l\x1b[?25h", rows - 2).as_bytes());
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
    }
}
