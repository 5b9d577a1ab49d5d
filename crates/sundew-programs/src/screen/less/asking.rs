//! Commands of `less` that ask for more: patterns, options, files, an editor.

use sundew_kernel::Process;
use sundew_kernel::process::{Spawn, WaitFor};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::{BEGIN, CLEAR, END, MAX_PATTERN_BYTES, Pager, Row, read};
use crate::screen::{Key, Keys, Raw};

impl Pager {
    pub(super) fn compile(&self, pattern: &[u8]) -> Option<Regex> {
        let flags = Flags {
            ignore_case: self.ignore_case,
            ..Flags::default()
        };
        Regex::new(pattern, Syntax::Extended, flags)
            .or_else(|_| Regex::literal(pattern, flags))
            .ok()
    }

    /// Reads the pattern of a search and goes there; `false` if nobody is there any more.
    pub(super) async fn ask_pattern(
        &mut self,
        proc: &mut Process,
        keys: &mut Keys,
        sign: u8,
    ) -> bool {
        self.out.push(sign);
        let mut text = Vec::new();
        loop {
            self.send(proc).await;
            match keys.next(proc).await {
                Key::HangUp => return false,
                Key::Byte(b'\r' | b'\n') => break,
                Key::Byte(8 | 0x7f) => {
                    if text.pop().is_none() {
                        self.clean = false;
                        return true;
                    }
                    self.out.extend_from_slice(b"\x08\x1b[K");
                }
                Key::Byte(3 | 7) | Key::Escape => {
                    self.clean = false;
                    return true;
                }
                Key::Byte(byte) if text.len() < MAX_PATTERN_BYTES => {
                    text.push(byte);
                    self.echo(byte);
                }
                _ => {}
            }
        }
        self.out.extend_from_slice(CLEAR);
        self.forward = sign == b'/';
        if !text.is_empty() {
            self.pattern = None;
            self.show_again();
            self.pattern = self.compile(&text);
            self.show_again();
        }
        if self.pattern.is_none() {
            self.tell(proc, keys, b"No previous regular expression")
                .await;
            return true;
        }
        let from = if self.forward {
            self.top
        } else {
            (self.top + self.height).min(self.rows.len())
        };
        match self.search_from(from, self.forward) {
            Some(row) => self.jump(row),
            None => self.tell(proc, keys, b"Pattern not found").await,
        }
        true
    }

    /// Sends the rows as they are, for other highlights.
    pub(super) fn show_again(&mut self) {
        for index in 0..self.height {
            let row = self.row(self.top + index);
            self.out
                .extend_from_slice(format!("\x1b[{};1H", index + 1).as_bytes());
            self.out.extend_from_slice(&row);
            self.out.push(b'\n');
            // Below the end there is nothing to highlight.
            if self.top + index >= self.rows.len() {
                break;
            }
        }
        self.go_to_bottom();
    }

    pub(super) fn search_from(&self, from: usize, forward: bool) -> Option<usize> {
        let pattern = self.pattern.as_ref()?;
        let bytes = self.bytes();
        let hit = |row: &Row| pattern.is_match(bytes.get(row.bytes.clone()).unwrap_or_default());
        if forward {
            let found = self.rows.iter().skip(from).position(hit)?;
            Some(from + found)
        } else {
            self.rows.iter().take(from).rposition(hit)
        }
    }

    /// Shows a message until a key; `RETURN` does nothing else.
    pub(super) async fn tell(&mut self, proc: &mut Process, keys: &mut Keys, text: &[u8]) {
        self.out.extend_from_slice(CLEAR);
        self.out
            .extend([b"\x1b[7m".as_slice(), text, b"  (press RETURN)\x1b[27m"].concat());
        self.send(proc).await;
        let key = keys.next(proc).await;
        self.go_to_bottom();
        self.out.extend_from_slice(b"\x1b[K");
        if let Key::Byte(byte) = key
            && !matches!(byte, b'\r' | b'\n')
        {
            keys.put_back(byte);
        }
    }

    pub(super) fn position(&self) -> Vec<u8> {
        let bottom = (self.top + self.height).min(self.rows.len());
        let line = |row: usize| self.rows.get(row).map_or(0, |row| row.line + 1);
        let lines = line(self.rows.len().saturating_sub(1));
        let all = self.bytes().len();
        let to = self.rows.get(bottom).map_or(all, |next| next.bytes.start);
        let name = self.files.get(self.at).map_or(&[][..], |file| &file.name);
        let of = if self.files.len() > 1 {
            format!(" (file {} of {})", self.at + 1, self.files.len())
        } else {
            String::new()
        };
        let end = if self.at_end() { " (END)" } else { "" };
        let percent = if self.at_end() {
            String::new()
        } else {
            format!(" {}%", to * 100 / all.max(1))
        };
        let rest = format!(
            "{of} lines {}-{}/{lines} byte {to}/{all}{percent}{end}",
            line(self.top),
            line(bottom.saturating_sub(1)),
        );
        [name, rest.as_bytes()].concat()
    }

    /// `:n`, `:p`, `:q`; `false` to leave.
    pub(super) async fn colon(&mut self, proc: &mut Process, keys: &mut Keys) -> bool {
        self.out.extend_from_slice(b" \x1b[K:\x08:");
        self.send(proc).await;
        let key = keys.next(proc).await;
        let to = match key {
            Key::Byte(b'q' | b'Q') | Key::HangUp => return false,
            Key::Byte(b'n') => Some(self.at + 1),
            Key::Byte(b'p') => self.at.checked_sub(1),
            Key::Byte(b'x') => Some(0),
            Key::Byte(b'f') => {
                let text = self.position();
                self.tell(proc, keys, &text).await;
                return true;
            }
            _ => {
                self.out.push(7);
                self.clean = false;
                return true;
            }
        };
        if let Key::Byte(byte) = key {
            self.echo(byte);
        }
        match to.filter(|to| *to < self.files.len()) {
            Some(to) => {
                self.at = to;
                self.top = 0;
                self.named = true;
                self.lay_out();
                self.out.extend_from_slice(b"...skipping...\n");
                self.print_rows(0..self.height);
            }
            None => {
                let text: &[u8] = if key == Key::Byte(b'n') {
                    b"No next file"
                } else {
                    b"No previous file"
                };
                self.tell(proc, keys, text).await;
            }
        }
        true
    }

    pub(super) async fn toggle(&mut self, proc: &mut Process, keys: &mut Keys) {
        self.out.push(b'-');
        self.send(proc).await;
        let text: &[u8] = match keys.next(proc).await {
            Key::Byte(b'N') => {
                self.numbers = !self.numbers;
                if self.numbers {
                    b"Constantly display line numbers"
                } else {
                    b"Don't use line numbers"
                }
            }
            Key::Byte(b'S') => {
                self.chop = !self.chop;
                if self.chop {
                    b"Chop long lines"
                } else {
                    b"Fold long lines"
                }
            }
            Key::Byte(b'i') => {
                self.ignore_case = !self.ignore_case;
                if self.ignore_case {
                    b"Ignore case in searches"
                } else {
                    b"Case is significant in searches"
                }
            }
            _ => b"There is no such option",
        };
        let line = self.rows.get(self.top).map_or(0, |row| row.line);
        self.lay_out();
        self.top = self.row_of_line(line + 1);
        self.changed = true;
        self.tell(proc, keys, text).await;
    }

    pub(super) async fn edit(&mut self, proc: &mut Process, raw: &Raw) {
        let Some(file) = self.files.get(self.at).filter(|file| !file.name.is_empty()) else {
            self.out.push(7);
            return;
        };
        let name = file.name.clone();
        let editor = [b"VISUAL".as_slice(), b"EDITOR"]
            .iter()
            .find_map(|name| proc.env().value(name))
            .unwrap_or(b"/usr/bin/editor")
            .to_vec();
        self.out.extend(
            [
                b"!\r\x1b[K\r\x1b[K!".as_slice(),
                &editor,
                b"  ",
                &name,
                b"\n",
            ]
            .concat(),
        );
        self.out
            .extend_from_slice(END.get(CLEAR.len()..).unwrap_or_default());
        self.send(proc).await;
        raw.pause(proc);
        let command = [editor.as_slice(), b" ", &name].concat();
        let spawned = proc.spawn(Spawn {
            path: b"/bin/sh".to_vec(),
            args: vec![b"sh".to_vec(), b"-c".to_vec(), command],
            env: proc.env().clone(),
        });
        if let Ok(pid) = spawned {
            // Whatever became of it, the file is shown again.
            let _ended = proc.wait(WaitFor::Pid(pid), false, true).await;
        }
        raw.again(proc, true);
        if let Ok(bytes) = read(proc, &name).await
            && let Some(file) = self.files.get_mut(self.at)
        {
            file.bytes = bytes;
        }
        self.lay_out();
        self.top = self.top.min(self.last_top());
        self.out.extend_from_slice(BEGIN);
        self.repaint();
    }

    /// `F`: waits for what is added, until a key.
    pub(super) async fn follow(&mut self, proc: &mut Process, keys: &mut Keys) {
        const EACH: std::time::Duration = std::time::Duration::from_secs(1);
        self.jump_to_end();
        loop {
            self.out.extend_from_slice(
                b"\r\x1b[K\x1b[7mWaiting for data... (interrupt to abort)\x1b[27m\x1b[K",
            );
            self.send(proc).await;
            loop {
                if keys.waiting(proc) || proc.sleep(EACH).await.is_err() || proc.has_signal() {
                    while proc.take_signal().is_some() {}
                    self.clean = false;
                    return;
                }
                let Some(file) = self.files.get(self.at) else {
                    return;
                };
                let name = file.name.clone();
                let known = file.bytes.len() as u64;
                let grown = proc.stat(&name).is_ok_and(|data| data.size > known);
                if grown && let Ok(bytes) = read(proc, &name).await {
                    if let Some(file) = self.files.get_mut(self.at) {
                        file.bytes = bytes;
                    }
                    break;
                }
            }
            let shown = self.rows.len();
            self.lay_out();
            self.out.extend_from_slice(CLEAR);
            self.print_rows(shown..self.rows.len());
            self.top = self.last_top();
        }
    }
}
