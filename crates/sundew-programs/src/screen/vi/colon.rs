//! The last line: `:` commands and searches.

use sundew_kernel::{Errno, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::super::Key;
use super::{MAX_COMMAND_BYTES, Next, Vi, write};

impl Vi {
    /// Reads a line on the last row; `None` if it was given up.
    async fn ask(&mut self, proc: &mut Process, sign: u8) -> Option<Vec<u8>> {
        let mut line = vec![sign];
        self.refresh();
        self.last_row(&line);
        loop {
            self.send(proc).await;
            match self.key(proc).await {
                Key::Byte(b'\r' | b'\n') => {
                    self.status.clear();
                    self.place();
                    self.place();
                    line.remove(0);
                    return Some(line);
                }
                Key::Byte(8 | 0x7f) => {
                    line.pop();
                    if line.is_empty() {
                        break;
                    }
                    self.out.extend_from_slice(b"\x08 \x08");
                }
                Key::Byte(3) | Key::Escape | Key::Meta(_) => break,
                Key::HangUp => {
                    self.gone = true;
                    break;
                }
                Key::Byte(byte) if line.len() < MAX_COMMAND_BYTES => {
                    line.push(byte);
                    self.out.push(byte);
                }
                _ => {}
            }
        }
        self.status.clear();
        self.place();
        None
    }

    pub(super) async fn ask_colon(&mut self, proc: &mut Process) -> Next {
        match self.ask(proc, b':').await {
            Some(line) => self.colon(proc, &line).await,
            None if self.gone => Next::Quit,
            None => Next::Go,
        }
    }

    pub(super) async fn ask_search(&mut self, proc: &mut Process, sign: u8) {
        let Some(line) = self.ask(proc, sign).await else {
            return;
        };
        if !line.is_empty() {
            self.searched = [&[sign][..], &line].concat();
        }
        self.search_on(true);
    }

    /// `n` and `N`.
    pub(super) fn search_on(&mut self, same: bool) {
        let Some((&sign, text)) = self.searched.split_first() else {
            return self.warn(b"No previous search pattern");
        };
        let forward = (sign == b'/') == same;
        let pattern = Regex::new(
            text,
            Syntax::Basic,
            Flags {
                newline: true,
                ..Flags::default()
            },
        );
        let Ok(pattern) = pattern else {
            return self.warn(b"Invalid pattern");
        };
        let found = if forward {
            pattern
                .find(&self.text, self.dot + 1, false)
                .map(|found| (found.start(), false))
                .or_else(|| {
                    pattern
                        .find(&self.text, 0, false)
                        .map(|found| (found.start(), true))
                })
        } else {
            let mut last = None;
            let mut before = None;
            let mut at = 0;
            while let Some(found) = pattern.find(&self.text, at, at > 0) {
                if found.start() < self.dot {
                    before = Some(found.start());
                }
                last = Some(found.start());
                at = found.end().max(found.start() + 1);
            }
            before
                .map(|at| (at, false))
                .or_else(|| last.map(|at| (at, true)))
        };
        match found {
            Some((at, wrapped)) => {
                self.dot = at;
                if wrapped {
                    let text: &[u8] = if forward {
                        b"search hit BOTTOM, continuing at TOP"
                    } else {
                        b"search hit TOP, continuing at BOTTOM"
                    };
                    self.message = Some(text.to_vec());
                }
            }
            None => self.say("Pattern not found"),
        }
    }

    pub(super) async fn save_and_quit(&mut self, proc: &mut Process) -> Next {
        if !self.modified {
            return Next::Quit;
        }
        let name = self.name.clone();
        if self.save(proc, &name, (1, usize::MAX)).await {
            self.message = None;
            Next::Quit
        } else {
            Next::Go
        }
    }

    async fn save(&mut self, proc: &mut Process, name: &[u8], lines: (usize, usize)) -> bool {
        if name.is_empty() {
            self.warn(b"No current filename");
            return false;
        }
        if self.read_only {
            self.warn(&[b"'".as_slice(), name, b"' is read only"].concat());
            return false;
        }
        let from = self.start_of(lines.0);
        let to = if lines.1 == usize::MAX {
            self.text.len()
        } else {
            (self.line_end(self.start_of(lines.1)) + 1).min(self.text.len())
        };
        let text = self.text.get(from..to).unwrap_or_default().to_vec();
        match write(proc, name, &text).await {
            Ok(()) => {
                let count = text.iter().filter(|&&byte| byte == b'\n').count();
                let rest = format!("' {count}L, {}C", text.len());
                self.message = Some([b"'".as_slice(), name, rest.as_bytes()].concat());
                self.modified = false;
                true
            }
            Err(errno) => {
                let why = errno.message().as_bytes();
                self.warn(&[b"'".as_slice(), name, b"' ", why].concat());
                false
            }
        }
    }

    /// A line number: `.`, `$`, digits; and how many bytes it takes.
    fn address(&self, line: &[u8]) -> Option<(usize, usize)> {
        match line.first()? {
            b'.' => Some((self.line_number(), 1)),
            b'$' => Some((self.line_count(), 1)),
            b'0'..=b'9' => {
                let len = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = std::str::from_utf8(line.get(..len)?).ok()?.parse().ok()?;
                Some((number, len))
            }
            _ => None,
        }
    }

    pub(super) async fn colon(&mut self, proc: &mut Process, line: &[u8]) -> Next {
        let mut rest = line.trim_ascii();
        let mut range: Option<(usize, usize)> = None;
        if let Some(after) = rest.strip_prefix(b"%") {
            range = Some((1, self.line_count()));
            rest = after;
        } else if let Some((first, len)) = self.address(rest) {
            rest = rest.get(len..).unwrap_or_default();
            range = Some((first, first));
            if let Some((last, len)) = rest.strip_prefix(b",").and_then(|rest| self.address(rest)) {
                rest = rest.get(len + 1..).unwrap_or_default();
                range = Some((first, last));
            }
        }
        let len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let (command, args) = rest.split_at(len);
        let force = args.starts_with(b"!");
        let args = args.strip_prefix(b"!").unwrap_or(args).trim_ascii();
        let name = if args.is_empty() {
            self.name.clone()
        } else {
            args.to_vec()
        };
        let lines = range.unwrap_or((1, usize::MAX));
        match command {
            b"" if rest.starts_with(b"!") => self.shell(proc, args).await,
            b"" => {
                if let Some((_, last)) = range {
                    self.dot = self.start_of(last.clamp(1, self.line_count().max(1)));
                }
            }
            b"q" | b"quit" => {
                if self.modified && !force {
                    self.warn(b"No write since last change (:q! overrides)");
                } else {
                    return Next::Quit;
                }
            }
            b"w" | b"write" => {
                if self.name.is_empty() {
                    self.name.clone_from(&name);
                }
                self.save(proc, &name, lines).await;
            }
            b"wq" | b"x" | b"wn" => {
                if command == b"x" && !self.modified {
                    return Next::Quit;
                }
                if self.save(proc, &name, lines).await {
                    return Next::Quit;
                }
            }
            b"e" | b"edit" => self.reopen(proc, name, force).await,
            b"r" | b"read" => self.read_in(proc, &name).await,
            b"d" | b"delete" => {
                let (first, last) = range.unwrap_or_else(|| {
                    let here = self.line_number();
                    (here, here)
                });
                self.keep();
                let from = self.start_of(first);
                let to = (self.line_end(self.start_of(last)) + 1).min(self.text.len());
                self.text.drain(from..to);
                self.dot = from;
            }
            b"s" => self.substitute(range, rest.get(1..).unwrap_or_default()),
            b"set" | b"se" => {}
            b"f" | b"file" => {
                let state = self.state();
                self.message = Some(state);
            }
            _ => {
                self.warn(&[b"':".as_slice(), line, b"' is not implemented"].concat());
            }
        }
        Next::Go
    }

    async fn reopen(&mut self, proc: &mut Process, name: Vec<u8>, force: bool) {
        if self.modified && !force {
            return self.warn(b"No write since last change (:e! overrides)");
        }
        let text = super::read(proc, &name).await;
        let (count, size) = text.as_ref().map_or((0, 0), |text| {
            (
                text.iter().filter(|&&byte| byte == b'\n').count(),
                text.len(),
            )
        });
        let new = if text.is_err() { " [New file]" } else { "" };
        let said = format!(
            "'{}'{new} {count}L, {size}C",
            String::from_utf8_lossy(&name)
        );
        self.say(&said);
        self.text = text.unwrap_or_default();
        self.name = name;
        self.dot = 0;
        self.top = 0;
        self.modified = false;
        self.undo.clear();
        self.settle();
    }

    async fn read_in(&mut self, proc: &mut Process, name: &[u8]) {
        match super::read(proc, name).await {
            Ok(text) if self.text.len() + text.len() <= super::MAX_FILE_BYTES => {
                self.keep();
                let at = (self.line_end(self.dot) + 1).min(self.text.len());
                let count = text.iter().filter(|&&byte| byte == b'\n').count();
                let rest = format!("' {count}L, {}C", text.len());
                self.message = Some([b"'".as_slice(), name, rest.as_bytes()].concat());
                self.text.splice(at..at, text);
                self.dot = at;
            }
            Ok(_) => self.out.push(7),
            Err(errno) => self.complain(name, errno),
        }
    }

    fn complain(&mut self, name: &[u8], errno: Errno) {
        let why = errno.message().as_bytes();
        self.warn(&[b"'".as_slice(), name, b"' ", why].concat());
    }

    /// `s/this/that/g`.
    fn substitute(&mut self, range: Option<(usize, usize)>, text: &[u8]) {
        let Some((&delimiter, rest)) = text.split_first() else {
            return self.warn(b"No previous search pattern");
        };
        let mut parts = rest.split(|&byte| byte == delimiter);
        let pattern = parts.next().unwrap_or_default();
        let with = parts.next().unwrap_or_default().to_vec();
        let all = parts.next().is_some_and(|flags| flags.contains(&b'g'));
        let Ok(pattern) = Regex::new(pattern, Syntax::Basic, Flags::default()) else {
            return self.warn(b"Invalid pattern");
        };
        let (first, last) = range.unwrap_or_else(|| (self.line_number(), self.line_number()));
        let from = self.start_of(first);
        let to = self.line_end(self.start_of(last));
        let mut out = Vec::new();
        let (mut subs, mut changed) = (0_usize, 0_usize);
        let old = self.text.get(from..to).unwrap_or_default().to_vec();
        for (index, line) in old.split(|&byte| byte == b'\n').enumerate() {
            if index > 0 {
                out.push(b'\n');
            }
            let mut at = 0;
            let before = subs;
            while let Some(found) = pattern.find(line, at, at > 0) {
                out.extend_from_slice(line.get(at..found.start()).unwrap_or_default());
                out.extend_from_slice(&with);
                subs += 1;
                at = found.end();
                if !all || found.end() == found.start() {
                    break;
                }
            }
            changed += usize::from(subs > before);
            out.extend_from_slice(line.get(at..).unwrap_or_default());
        }
        if subs == 0 {
            return self.say("No match");
        }
        if self.text.len() - old.len() + out.len() > super::MAX_FILE_BYTES {
            return self.out.push(7);
        }
        self.keep();
        self.text.splice(from..to, out);
        self.dot = from;
        if subs > 1 {
            self.say(&format!("{subs} substitutions on {changed} lines"));
        }
    }

    async fn shell(&mut self, proc: &mut Process, command: &[u8]) {
        let row = self.size.1;
        self.out
            .extend_from_slice(format!("\x1b[{row};1H\x1b[K").as_bytes());
        self.send(proc).await;
        let spawned = proc.spawn(sundew_kernel::process::Spawn {
            path: b"/bin/sh".to_vec(),
            args: vec![b"sh".to_vec(), b"-c".to_vec(), command.to_vec()],
            env: proc.env().clone(),
        });
        if let Ok(pid) = spawned {
            let wanted = sundew_kernel::process::WaitFor::Pid(pid);
            let _ended = proc.wait(wanted, false, true).await;
        }
        self.out.extend_from_slice(b"\r\n[Hit return to continue]");
        self.send(proc).await;
        while !matches!(
            self.key(proc).await,
            Key::Byte(b'\r' | b'\n' | b':') | Key::HangUp
        ) {}
        self.redraw();
    }
}
