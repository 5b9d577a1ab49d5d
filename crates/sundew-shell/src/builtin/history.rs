//! `history`: lists, edits, reads and writes the lines typed before.

use sundew_kernel::Process;
use sundew_kernel::descriptor::OpenFlags;
use sundew_posix::pattern::{Options as PatternOptions, Pattern};

use super::Answer;
use super::printf::time_text;
use crate::readline::history::Control;
use crate::shell::Shell;

const USAGE: &str = "history: usage: history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if !shell.is_bash() {
        return list_all(shell, proc).await;
    }
    shell.apply_history_size();
    shell.history.set_clock(proc.now().secs);
    let mut rest = args.get(1..).unwrap_or_default();
    let mut letters: Vec<u8> = Vec::new();
    let mut offset = None;
    while let Some(argument) = rest.first() {
        let Some(options) = argument
            .strip_prefix(b"-")
            .filter(|options| !options.is_empty())
        else {
            break;
        };
        rest = rest.get(1..).unwrap_or_default();
        if options == b"-" {
            break;
        }
        for (index, &letter) in options.iter().enumerate() {
            match letter {
                b'c' | b'a' | b'n' | b'r' | b'w' | b'p' | b's' => letters.push(letter),
                b'd' => {
                    let attached = options.get(index + 1..).unwrap_or_default();
                    if attached.is_empty() {
                        let Some((next, others)) = rest.split_first() else {
                            shell
                                .complain(proc, "history: -d: option requires an argument")
                                .await;
                            return usage(proc).await;
                        };
                        offset = Some(next.clone());
                        rest = others;
                    } else {
                        offset = Some(attached.to_vec());
                    }
                    break;
                }
                _ => {
                    let text = [b"history: -".as_slice(), &[letter], b": invalid option"].concat();
                    shell.complain(proc, text).await;
                    return usage(proc).await;
                }
            }
        }
    }
    if letters
        .iter()
        .filter(|letter| matches!(letter, b'a' | b'n' | b'r' | b'w'))
        .count()
        > 1
    {
        shell
            .complain(proc, "history: cannot use more than one of -anrw")
            .await;
        return Ok(1);
    }
    if letters.contains(&b'c') {
        shell.history.clear();
        if rest.is_empty() && letters == b"c" && offset.is_none() {
            return Ok(0);
        }
    }
    if let Some(offset) = offset {
        return delete(shell, proc, &offset).await;
    }
    match letters.iter().find(|letter| **letter != b'c') {
        Some(b's') => {
            if !rest.is_empty() {
                shell.history.pop();
                shell.history.add(&rest.join(&b' '), Control::default());
            }
            Ok(0)
        }
        Some(b'p') => print_expanded(shell, proc, rest).await,
        Some(letter) => file(shell, proc, *letter, rest.first()).await,
        None => list(shell, proc, rest).await,
    }
}

/// As BusyBox lists: counted from 0, and whatever the arguments.
async fn list_all(shell: &Shell, proc: &mut Process) -> Answer {
    let lines = shell.history.iter().enumerate();
    let text: Vec<Vec<u8>> = lines
        .map(|(at, (_, line))| [format!("{at:4} ").as_bytes(), line, b"\n"].concat())
        .collect();
    let _checked_at_flush = proc.print(&text.concat()).await;
    Ok(0)
}

async fn usage(proc: &mut Process) -> Answer {
    proc.print_error([USAGE.as_bytes(), b"\n"].concat().as_slice())
        .await;
    Ok(2)
}

async fn list(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut count = shell.history.len();
    if let Some(argument) = args.first() {
        let Some(number) = std::str::from_utf8(argument)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
        else {
            let text = [
                b"history: ".as_slice(),
                argument,
                b": numeric argument required",
            ]
            .concat();
            shell.complain(proc, text).await;
            return Ok(1);
        };
        if args.len() > 1 {
            shell.complain(proc, "history: too many arguments").await;
            return Ok(1);
        }
        count = count.min(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX));
    }
    let skip = shell.history.len() - count;
    let mut lines = Vec::new();
    let format = shell
        .variables
        .scalar(b"HISTTIMEFORMAT")
        .filter(|format| !format.is_empty());
    for (number, line) in shell.history.iter().skip(skip) {
        lines.extend_from_slice(format!("{number:5}  ").as_bytes());
        if let Some(format) = format {
            lines.extend(match shell.history.time(number) {
                Some(time) => time_text(format, time),
                None => b"??".to_vec(),
            });
        }
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    Ok(u8::from(proc.print(&lines).await.is_err()))
}

async fn delete(shell: &mut Shell, proc: &mut Process, offset: &[u8]) -> Answer {
    let text = std::str::from_utf8(offset).unwrap_or_default();
    let (from, to) = match text
        .char_indices()
        .skip(1)
        .find(|(_, letter)| *letter == '-')
    {
        Some((at, _)) => text
            .split_at_checked(at)
            .map_or((text, text), |(from, to)| {
                (from, to.trim_start_matches('-'))
            }),
        None => (text, text),
    };
    let next = i64::try_from(shell.history.next_number()).unwrap_or(i64::MAX);
    let resolve = |text: &str| {
        text.parse::<i64>()
            .ok()
            .map(|number| if number < 0 { next + number } else { number })
    };
    let range = resolve(from).zip(resolve(to)).and_then(|(from, to)| {
        let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
        let valid = from >= shell.history.first() && to < shell.history.next_number() && from <= to;
        valid.then_some((from, to))
    });
    let Some((from, to)) = range else {
        // Of a range the first number is named.
        let numbers = from != to && resolve(from).is_some() && resolve(to).is_some();
        let shown = if numbers { from.as_bytes() } else { offset };
        let text = [
            b"history: ".as_slice(),
            shown,
            b": history position out of range",
        ]
        .concat();
        shell.complain(proc, text).await;
        return Ok(1);
    };
    for number in (from..=to).rev() {
        shell.history.delete(number);
    }
    Ok(0)
}

async fn print_expanded(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    shell.history.pop();
    let mut status = 0;
    for argument in args {
        match shell.history.expand(argument, None) {
            Ok(Some(expanded)) => proc
                .print(&[expanded.line.as_slice(), b"\n"].concat())
                .await
                .unwrap_or_default(),
            Ok(None) => proc
                .print(&[argument.as_slice(), b"\n"].concat())
                .await
                .unwrap_or_default(),
            Err(error) => {
                let _said_shorter = error;
                let failed = b": history expansion failed";
                let text = [b"history: ".as_slice(), argument, failed].concat();
                shell.complain(proc, text).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

async fn file(shell: &mut Shell, proc: &mut Process, letter: u8, name: Option<&Vec<u8>>) -> Answer {
    let path = match name {
        Some(name) if shell.is_restricted() && name.contains(&b'/') => {
            let text = [b"history: ".as_slice(), name, b": restricted"].concat();
            shell.complain(proc, text).await;
            return Ok(1);
        }
        Some(name) => name.clone(),
        None => shell.history_file(),
    };
    if path.is_empty() && name.is_none() {
        return Ok(0);
    }
    let result = match letter {
        b'a' => shell.append_history_to(proc, &path).await,
        b'w' => shell.write_history_to(proc, &path).await,
        _ => shell.read_history_from(proc, &path).await,
    };
    let Err(errno) = result else { return Ok(0) };
    if letter == b'a' || letter == b'w' {
        let what: &[u8] = if letter == b'a' {
            b": cannot create: "
        } else {
            b": "
        };
        let reason = errno.message().as_bytes();
        let text = [b"history: ".as_slice(), &path, what, reason].concat();
        shell.complain(proc, text).await;
    }
    // Bash has no word for a file that cannot be read.
    Ok(1)
}

impl Shell {
    /// Whether history files get the times of their lines.
    fn writes_times(&self) -> bool {
        self.variables.is_set(b"HISTTIMEFORMAT")
    }

    /// `$HISTFILE`.
    fn history_file(&self) -> Vec<u8> {
        self.variables
            .scalar(b"HISTFILE")
            .unwrap_or_default()
            .to_vec()
    }

    /// At the start of an interactive shell: reads `$HISTFILE`, as far as `$HISTSIZE` goes. Call it
    /// when the startup files have run; a file that is not there is no error.
    pub async fn load_history(&mut self, proc: &mut Process) {
        self.apply_history_size();
        let path = self.history_file();
        if !path.is_empty() {
            let _not_there = self.read_history_from(proc, &path).await;
        }
    }

    /// At the end of an interactive shell: writes `$HISTFILE` if lines were added.
    pub async fn save_history(&mut self, proc: &mut Process) {
        let path = self.history_file();
        if path.is_empty() || self.history.new_lines() == 0 {
            return;
        }
        // Bash rewrites the file only when `histappend` is off and everything since the start is
        // still in memory; either way the lines typed now are its last.
        let _nobody_is_told = if self.options.shopt("histappend") {
            self.append_history_to(proc, &path).await
        } else {
            self.write_history_to(proc, &path).await
        };
    }

    /// Takes `$HISTSIZE` as it is now.
    pub fn apply_history_size(&mut self) {
        let size = self.variables.scalar(b"HISTSIZE").map(<[u8]>::to_vec);
        let Some(size) = size else {
            return self
                .history
                .set_limit(Some(super::super::readline::history::DEFAULT_LINES));
        };
        let number = std::str::from_utf8(&size)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok());
        self.history
            .set_limit(number.and_then(|number| usize::try_from(number).ok()));
    }

    /// Adds a line that was typed, as `$HISTCONTROL` and `$HISTIGNORE` allow; whether it was kept.
    pub fn remember_line(&mut self, line: &[u8]) -> bool {
        if line.is_empty() {
            return false;
        }
        if !self.is_bash() {
            // BusyBox keeps no line twice in a row.
            return self.history.add(line, Control::read(b"ignoredups"));
        }
        if !self.options.is_set("history") {
            return false;
        }
        self.apply_history_size();
        let control = Control::read(self.variables.scalar(b"HISTCONTROL").unwrap_or_default());
        if self.is_ignored(line) {
            return false;
        }
        self.history.add(line, control)
    }

    /// Whether `$HISTIGNORE` has a pattern for the whole line; `&` in it is the line before.
    fn is_ignored(&self, line: &[u8]) -> bool {
        let Some(patterns) = self.variables.scalar(b"HISTIGNORE") else {
            return false;
        };
        let before = self.history.last().unwrap_or_default();
        let mut at = 0;
        patterns.split(|&byte| byte == b':').any(|pattern| {
            at += 1;
            let mut text = Vec::with_capacity(pattern.len());
            for (index, &byte) in pattern.iter().enumerate() {
                let escaped = index > 0 && pattern.get(index - 1) == Some(&b'\\');
                match byte {
                    b'&' if escaped => {
                        text.pop();
                        text.push(b'&');
                    }
                    b'&' => text.extend_from_slice(before),
                    _ => text.push(byte),
                }
            }
            !text.is_empty() && Pattern::from_bytes(&text, PatternOptions::default()).matches(line)
        })
    }

    async fn read_history_from(
        &mut self,
        proc: &mut Process,
        path: &[u8],
    ) -> Result<(), sundew_kernel::Errno> {
        let fd = proc.open(path, OpenFlags::READ, 0).await?;
        let mut file = Vec::new();
        let mut chunk = [0; 4096];
        let result = loop {
            match proc.read(fd, &mut chunk).await {
                Ok(0) => break Ok(()),
                Ok(count) => file.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(errno) => break Err(errno),
            }
            // Only the end of a file that is too large will be kept.
            let over = file
                .len()
                .saturating_sub(crate::readline::history::MAX_BYTES);
            file.drain(..over);
            proc.tick().await;
        };
        proc.close(fd)?;
        self.history.load(&file);
        result
    }

    async fn write_history_to(
        &mut self,
        proc: &mut Process,
        path: &[u8],
    ) -> Result<(), sundew_kernel::Errno> {
        let bytes = self.history.to_bytes(self.writes_times());
        write_file(
            proc,
            path,
            &bytes,
            OpenFlags {
                create: true,
                truncate: true,
                ..OpenFlags::WRITE
            },
        )
        .await?;
        self.history.mark_saved();
        Ok(())
    }

    async fn append_history_to(
        &mut self,
        proc: &mut Process,
        path: &[u8],
    ) -> Result<(), sundew_kernel::Errno> {
        let bytes = self.history.new_to_bytes(self.writes_times());
        write_file(
            proc,
            path,
            &bytes,
            OpenFlags {
                create: true,
                append: true,
                ..OpenFlags::WRITE
            },
        )
        .await?;
        self.history.mark_saved();
        Ok(())
    }
}

/// Writes a file that nobody else may read.
pub(super) async fn write_new(
    proc: &Process,
    path: &[u8],
    bytes: &[u8],
) -> Result<(), sundew_kernel::Errno> {
    let flags = OpenFlags {
        create: true,
        truncate: true,
        ..OpenFlags::WRITE
    };
    write_file(proc, path, bytes, flags).await
}

async fn write_file(
    proc: &Process,
    path: &[u8],
    bytes: &[u8],
    flags: OpenFlags,
) -> Result<(), sundew_kernel::Errno> {
    // Bash makes its history file readable for its owner alone.
    let fd = proc.open(path, flags, 0o600).await?;
    let result = proc.write_all(fd, bytes).await;
    proc.close(fd)?;
    result
}
