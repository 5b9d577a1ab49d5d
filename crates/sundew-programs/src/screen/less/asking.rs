//! Commands of `less` that ask for more: patterns, options, files, an editor.

use sundew_kernel::process::{Spawn, WaitFor};
use sundew_kernel::signal::Disposition;
use sundew_kernel::{Process, Signal};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::{CLEAR, File, MAX_PATTERN_BYTES, Pager, Row, read};
use crate::screen::{Key, Keys, Raw};
use crate::text::shell;

/// What was typed at a question.
enum Typed {
    Text(Vec<u8>),
    /// The question was taken back.
    Nothing,
    /// Nobody is there any more.
    Gone,
}

impl Pager {
    pub(super) fn compile(&self, pattern: &[u8]) -> Option<Regex> {
        let flags = Flags {
            ignore_case: self.wish.ignore_all_case
                || (self.wish.ignore_case && !pattern.iter().any(u8::is_ascii_uppercase)),
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
        let text = match self.typed(proc, keys).await {
            Typed::Gone => return false,
            Typed::Nothing => return true,
            Typed::Text(text) => text,
        };
        self.forward = sign == b'/';
        if text.is_empty() {
            self.search(proc, keys, self.forward).await;
            return true;
        }
        self.pattern = None;
        self.show_again();
        self.pattern = self.compile(&text);
        self.dark = false;
        self.show_again();
        let from = if self.forward {
            self.top
        } else {
            (self.top + self.height).min(self.rows.len())
        };
        match self.search_from(from, self.forward) {
            Some(row) => self.leap(row),
            None => self.tell(proc, keys, b"Pattern not found").await,
        }
        true
    }

    /// `n` and `N`.
    pub(super) async fn again(&mut self, proc: &mut Process, keys: &mut Keys, sign: u8) {
        let forward = self.forward == (sign == b'n');
        self.out.push(if forward { b'/' } else { b'?' });
        self.out.extend_from_slice(CLEAR);
        self.search(proc, keys, forward).await;
    }

    async fn search(&mut self, proc: &mut Process, keys: &mut Keys, forward: bool) {
        if self.pattern.is_none() {
            self.tell(proc, keys, b"No previous regular expression")
                .await;
            return;
        }
        if std::mem::take(&mut self.dark) {
            self.show_again();
        }
        let from = if forward { self.top + 1 } else { self.top };
        match self.search_from(from, forward) {
            Some(row) => self.leap(row),
            None => self.tell(proc, keys, b"Pattern not found").await,
        }
    }

    /// Reads a line behind a question that was sent.
    async fn typed(&mut self, proc: &mut Process, keys: &mut Keys) -> Typed {
        let mut text = Vec::new();
        loop {
            self.send(proc).await;
            match keys.next(proc).await {
                Key::HangUp => return Typed::Gone,
                Key::Byte(b'\r' | b'\n') => break,
                Key::Byte(8 | 0x7f) => {
                    if text.pop().is_none() {
                        self.clean = false;
                        return Typed::Nothing;
                    }
                    self.out.extend_from_slice(b"\x08\x1b[K");
                }
                Key::Interrupt => {
                    self.out.push(7);
                    self.repaint();
                    return Typed::Nothing;
                }
                Key::Byte(3 | 7) | Key::Escape => {
                    self.clean = false;
                    return Typed::Nothing;
                }
                Key::Byte(byte) if text.len() < MAX_PATTERN_BYTES => {
                    text.push(byte);
                    self.echo(byte);
                }
                _ => {}
            }
        }
        self.out.extend_from_slice(CLEAR);
        Typed::Text(text)
    }

    /// `&`: only lines with a pattern; `false` if nobody is there any more.
    pub(super) async fn ask_filter(&mut self, proc: &mut Process, keys: &mut Keys) -> bool {
        self.out.extend_from_slice(b"&/");
        let text = match self.typed(proc, keys).await {
            Typed::Gone => return false,
            Typed::Nothing => return true,
            Typed::Text(text) => text,
        };
        let line = self.line_at(self.top);
        self.filter = if text.is_empty() {
            None
        } else {
            self.compile(&text)
        };
        self.lay_out();
        self.top = self.rows.partition_point(|row| row.line < line);
        self.changed = true;
        true
    }

    /// `!`: a command of the shell.
    pub(super) async fn shell(&mut self, proc: &mut Process, keys: &mut Keys, raw: &Raw) {
        self.out.push(b'!');
        let Typed::Text(command) = self.typed(proc, keys).await else {
            return;
        };
        self.run(proc, raw, &command, None).await;
        self.out.extend_from_slice(b"!done  (press RETURN)");
        self.send(proc).await;
        let _any_key = keys.next(proc).await;
        self.out.push(b'\n');
        self.out.extend_from_slice(self.begins());
        self.named = true;
        self.skip_to(self.top);
    }

    /// `|`: what is between here and a mark, to a command.
    pub(super) async fn pipe(&mut self, proc: &mut Process, keys: &mut Keys, raw: &Raw) {
        self.out.extend_from_slice(b"|mark: ");
        self.send(proc).await;
        let mark = keys.next(proc).await;
        self.out.extend_from_slice(CLEAR);
        let last = self.rows.len().saturating_sub(1);
        let bottom = (self.top + self.height)
            .min(self.rows.len())
            .saturating_sub(1);
        let (from, to) = match mark {
            Key::Byte(b'.' | b'\r' | b'\n') => (self.top, bottom),
            Key::Byte(b'^') => (0, bottom),
            Key::Byte(b'$') => (self.top, last),
            Key::Byte(name) => {
                let Some(&(_, line)) = self.marks.named.get(&name) else {
                    self.tell(proc, keys, b"Mark not set").await;
                    return;
                };
                let row = self.row_of_line(line + 1);
                (row.min(self.top), row.max(bottom))
            }
            _ => return,
        };
        self.out.push(b'!');
        let Typed::Text(command) = self.typed(proc, keys).await else {
            return;
        };
        let start = self.rows.get(from).map_or(0, |row| row.bytes.start);
        let end = match self.rows.get(to + 1) {
            Some(next) => next.bytes.start,
            None => self.bytes().len(),
        };
        let text = self.bytes().get(start..end).unwrap_or_default().to_vec();
        self.run(proc, raw, &command, Some(text)).await;
        self.out.extend_from_slice(self.begins());
        self.changed = true;
        self.tell(proc, keys, b"|done").await;
    }

    async fn run(&mut self, proc: &mut Process, raw: &Raw, command: &[u8], input: Option<Vec<u8>>) {
        self.out.extend([CLEAR, b"!", command, b"\n"].concat());
        self.out.extend_from_slice(self.ends());
        self.send(proc).await;
        raw.pause(proc);
        let interactive = proc.env().value(b"SHELL").unwrap_or(b"/bin/sh").to_vec();
        let command = if command.is_empty() {
            interactive.as_slice()
        } else {
            command
        };
        match input {
            None => {
                let _its_status_is_not_ours = shell::system(proc, command).await;
            }
            Some(text) => feed(proc, command, &text).await,
        }
        raw.again(proc, true);
    }

    /// `h`.
    pub(super) async fn help(&mut self, proc: &mut Process, keys: &mut Keys) {
        let text = include_bytes!("help.txt").to_vec();
        let kept = (
            std::mem::replace(
                &mut self.files,
                vec![File {
                    name: Vec::new(),
                    bytes: text,
                }],
            ),
            std::mem::take(&mut self.at),
            self.top,
            self.filter.take(),
        );
        self.lay_out();
        self.skip_to(0);
        loop {
            if !self.clean {
                self.out.extend_from_slice(CLEAR);
            }
            let then: &[u8] = if self.at_end() {
                b"HELP -- END -- Press g to see it again, or q when done"
            } else {
                b"HELP -- Press RETURN for more, or q when done"
            };
            self.out
                .extend([b"\x1b[7m".as_slice(), then, b"\x1b[27m\x1b[K"].concat());
            self.send(proc).await;
            match keys.next(proc).await {
                Key::Byte(b'q' | b'Q') | Key::HangUp => break,
                key => {
                    self.out.extend_from_slice(CLEAR);
                    self.clean = true;
                    self.go(key, None);
                }
            }
        }
        (self.files, self.at, self.top, self.filter) = kept;
        self.lay_out();
        self.named = true;
        self.skip_to(self.top);
    }

    /// Sends the rows as they are, for other highlights.
    pub(super) fn show_again(&mut self) {
        self.fill();
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

    /// How far the last row is into the file.
    pub(super) fn percent(&self) -> usize {
        let all = self.bytes().len().max(1);
        let next = self.rows.get(self.top + self.height);
        let to = next.map_or(all, |next| next.bytes.start);
        (to * 100 + all / 2) / all
    }

    pub(super) fn lines_shown(&self) -> String {
        let bottom = (self.top + self.height).min(self.rows.len());
        let line = |row: usize| self.rows.get(row).map_or(0, |row| row.line + 1);
        format!(
            " lines {}-{}/{}",
            line(self.top),
            line(bottom.saturating_sub(1)),
            line(self.rows.len().saturating_sub(1))
        )
    }

    pub(super) fn position(&self) -> Vec<u8> {
        let bottom = (self.top + self.height).min(self.rows.len());
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
            format!(" {}%", self.percent())
        };
        let lines = self.lines_shown();
        let rest = format!("{of}{lines} byte {to}/{all}{percent}{end}");
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
            Key::Byte(b'd') if self.files.len() > 1 => {
                self.echo(b'd');
                self.files.remove(self.at);
                let to = self.at.min(self.files.len() - 1);
                self.show_file(to);
                return true;
            }
            Key::Byte(b'e') => {
                self.echo(b'e');
                return self.examine(proc, keys).await;
            }
            Key::Interrupt => {
                self.out.push(7);
                self.repaint();
                return true;
            }
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
            Some(to) if to == self.at => self.clean = false,
            Some(to) => self.show_file(to),
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

    fn show_file(&mut self, to: usize) {
        self.at = to;
        self.top = 0;
        self.named = true;
        self.lay_out();
        self.skip_to(0);
    }

    /// `:e`: another file; `false` if nobody is there any more.
    async fn examine(&mut self, proc: &mut Process, keys: &mut Keys) -> bool {
        self.out.extend([CLEAR, b"Examine: "].concat());
        let text = match self.typed(proc, keys).await {
            Typed::Gone => return false,
            Typed::Nothing => return true,
            Typed::Text(text) => text,
        };
        let name = text.trim_ascii().to_vec();
        if name.is_empty() {
            return true;
        }
        match read(proc, &name).await {
            Ok(bytes) => {
                let to = self.at + 1;
                self.files.insert(to, File { name, bytes });
                self.show_file(to);
            }
            Err(errno) => {
                let why = errno.message().as_bytes();
                let text = [name.as_slice(), b": ", why].concat();
                self.tell(proc, keys, &text).await;
            }
        }
        true
    }

    /// `_`: how an option stands.
    pub(super) async fn tell_option(&mut self, proc: &mut Process, keys: &mut Keys) {
        self.out.push(b'_');
        self.send(proc).await;
        let Key::Byte(letter) = keys.next(proc).await else {
            self.clean = false;
            return;
        };
        let text = match (letter, self.wish.tell(letter)) {
            (b'N', Some(_)) if !self.wish.numbers => b"Use line numbers",
            (_, Some(text)) => text,
            (_, None) => b"There is no such option",
        };
        self.tell(proc, keys, text).await;
    }

    pub(super) async fn toggle(&mut self, proc: &mut Process, keys: &mut Keys) {
        self.out.push(b'-');
        self.send(proc).await;
        let Key::Byte(letter) = keys.next(proc).await else {
            self.clean = false;
            return;
        };
        let Some((text, changed)) = self.wish.turn(letter) else {
            self.tell(proc, keys, b"There is no such option").await;
            return;
        };
        if changed {
            let line = self.line_at(self.top);
            self.lay_out();
            self.top = self.row_of_line(line + 1);
            self.changed = true;
            self.fill();
        } else if matches!(letter, b'i' | b'I') {
            self.show_again();
            self.show_again();
        }
        self.tell(proc, keys, text).await;
    }

    pub(super) async fn edit(&mut self, proc: &mut Process, raw: &Raw) {
        let Some(file) = self.files.get(self.at).filter(|file| !file.name.is_empty()) else {
            self.out.push(7);
            return;
        };
        let name = file.name.clone();
        let middle = self.line_at(self.top + self.height.min(self.rows.len()) / 2) + 1;
        let line = format!(" +{middle} ").into_bytes();
        let editor = [b"VISUAL".as_slice(), b"EDITOR"]
            .iter()
            .find_map(|name| proc.env().value(name))
            .unwrap_or(b"/usr/bin/editor")
            .to_vec();
        self.out.extend(
            [
                b"!\r\x1b[K\r\x1b[K!".as_slice(),
                &editor,
                &line,
                &name,
                b"\n",
            ]
            .concat(),
        );
        self.out.extend_from_slice(self.ends());
        self.send(proc).await;
        raw.pause(proc);
        let command = [editor.as_slice(), &line, &name].concat();
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
        self.out.extend_from_slice(self.begins());
        self.repaint();
    }

    /// `F`: waits for what is added, until a key.
    pub(super) async fn follow(&mut self, proc: &mut Process, keys: &mut Keys) {
        const EACH: std::time::Duration = std::time::Duration::from_secs(1);
        self.jump_to_end();
        loop {
            self.out.extend_from_slice(
                b"\r\x1b[K\x1b[7mWaiting for data... (interrupt to abort)\x1b[27m",
            );
            self.send(proc).await;
            loop {
                if keys.waiting(proc) || proc.sleep(EACH).await.is_err() || proc.has_signal() {
                    while proc.take_signal().is_some() {}
                    self.out.extend([CLEAR, b"\x07"].concat());
                    let end = (self.top + self.height).min(self.rows.len());
                    self.out.extend_from_slice(b"\x1b[H\x1b[2J\x1b[H");
                    self.print_rows(self.top..end);
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

/// Runs a command whose input is a text.
async fn feed(proc: &mut Process, command: &[u8], text: &[u8]) {
    let Ok(pipe) = shell::open(proc, command, true) else {
        return;
    };
    let pipe_signal = proc.set_disposition(Signal::PIPE, Disposition::Ignore);
    let mut rest = text;
    while let Ok(count @ 1..) = proc.write(pipe.fd, rest).await {
        rest = rest.get(count..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
    }
    proc.set_disposition(Signal::PIPE, pipe_signal);
    let _its_status_is_not_ours = shell::close(proc, pipe).await;
}
