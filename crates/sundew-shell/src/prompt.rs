//! What stands in front of the line to be typed: bash(1), PROMPTING.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Process, STDIN};
use sundew_sh_syntax::Dialect;

use crate::shell::Shell;

/// Which prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// Before a command.
    Ps1,
    /// Before the rest of a command.
    Ps2,
    /// In front of a command that `set -x` shows.
    Ps4,
    /// After a command was read.
    Ps0,
}

impl PromptKind {
    fn variable(self) -> &'static [u8] {
        match self {
            Self::Ps0 => b"PS0",
            Self::Ps1 => b"PS1",
            Self::Ps2 => b"PS2",
            Self::Ps4 => b"PS4",
        }
    }
}

/// Longest prompt, in bytes; a longer one is cut.
const MAX_PROMPT_BYTES: usize = 8 * 1024;

impl Shell {
    /// The prompt, its escapes and, under `promptvars`, its variables and commands expanded. What
    /// takes no room stands between `\x01` and `\x02` for [`Shell::read_line`], if lines are edited.
    pub async fn prompt(&mut self, proc: &mut Process, kind: PromptKind) -> Vec<u8> {
        let text = self
            .variables
            .scalar(kind.variable())
            .unwrap_or_default()
            .to_vec();
        self.prompt_text(proc, text).await
    }

    /// The same for any text: `$PS0`, `${x@P}`.
    pub(crate) async fn prompt_text(&mut self, proc: &mut Process, text: Vec<u8>) -> Vec<u8> {
        let editing = self.edits_lines(proc);
        let decoded = match self.dialect {
            Dialect::Dash => text,
            Dialect::Bash | Dialect::Ash => {
                let user = user_name(proc).await;
                Decoder {
                    shell: self,
                    proc,
                    user,
                    editing,
                    quotes: self.expands_prompts(),
                }
                .decode(&text)
            }
        };
        let mut prompt = decoded;
        if self.expands_prompts() {
            // A prompt's commands leave no trace in `$?`.
            let status = self.status;
            let expanded = self.expand_text(proc, &prompt).await;
            self.status = status;
            if let Ok(expanded) = expanded {
                prompt = expanded;
            }
        }
        prompt.truncate(MAX_PROMPT_BYTES);
        prompt
    }

    fn expands_prompts(&self) -> bool {
        !self.is_bash() || self.options.shopt("promptvars")
    }

    /// Whether the line after the prompt is edited by the shell and not by the terminal.
    pub(crate) fn edits_lines(&self, proc: &Process) -> bool {
        proc.is_terminal(STDIN)
            && match self.dialect {
                Dialect::Bash => self.options.is_set("emacs") || self.options.is_set("vi"),
                Dialect::Ash => true,
                Dialect::Dash => false,
            }
    }

    /// The working directory with the home directory as `~`.
    fn short_directory(&self, proc: &Process) -> Vec<u8> {
        let directory = match self.variables.scalar(b"PWD") {
            Some(directory) => directory.to_vec(),
            None => proc.directory().unwrap_or_default(),
        };
        let home = self.variables.scalar(b"HOME").unwrap_or_default();
        let short = match directory.strip_prefix(home) {
            Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with(b"/")) => {
                [b"~".as_slice(), rest].concat()
            }
            _ => directory,
        };
        let kept = self
            .variables
            .scalar(b"PROMPT_DIRTRIM")
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(|value| value.trim().parse::<usize>().ok())
            .filter(|kept| *kept > 0 && self.is_bash());
        match kept {
            Some(kept) => last_directories(&short, kept),
            None => short,
        }
    }
}

/// The last `kept` components of a path behind `...`, if that leaves any out.
fn last_directories(path: &[u8], kept: usize) -> Vec<u8> {
    let head: &[u8] = if path.starts_with(b"~") { b"~/" } else { b"" };
    let rest = path.strip_prefix(head).unwrap_or(path);
    let slashes: Vec<usize> = rest
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| at)
        .collect();
    // The slash behind `~` is a component's too.
    let all = slashes.len() + usize::from(!head.is_empty());
    let from = all
        .checked_sub(kept)
        .filter(|left_out| *left_out > 0)
        .and_then(|_| slashes.get(slashes.len() - kept.min(slashes.len())));
    match from.and_then(|at| rest.split_at_checked(*at)) {
        // What is left out must be longer than the dots.
        Some((left_out, last)) if left_out.len() > 3 => [head, b"...", last].concat(),
        _ => path.to_vec(),
    }
}

struct Decoder<'a> {
    shell: &'a Shell,
    proc: &'a Process,
    user: Vec<u8>,
    editing: bool,
    /// Whether what is put in must survive another expansion.
    quotes: bool,
}

impl Decoder<'_> {
    fn decode(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            at += 1;
            let bang = byte == b'!' && self.shell.options.is_set("posix");
            if bang {
                out.extend_from_slice(self.shell.history.next_number().to_string().as_bytes());
                continue;
            }
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let Some(&letter) = text.get(at) else {
                out.push(b'\\');
                break;
            };
            if (b'0'..=b'7').contains(&letter) {
                let digits: Vec<u8> = text
                    .iter()
                    .skip(at)
                    .take(3)
                    .take_while(|byte| (b'0'..=b'7').contains(byte))
                    .copied()
                    .collect();
                at += digits.len();
                let value = digits
                    .iter()
                    .fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                out.push(value.to_le_bytes()[0]);
                continue;
            }
            at += 1;
            if letter == b'D' && text.get(at) == Some(&b'{') {
                let rest = text.get(at + 1..).unwrap_or_default();
                let end = rest
                    .iter()
                    .position(|&byte| byte == b'}')
                    .unwrap_or(rest.len());
                self.put(
                    &mut out,
                    self.time(rest.get(..end).unwrap_or_default()).as_bytes(),
                );
                at += end + 2;
                continue;
            }
            self.letter(letter, &mut out);
        }
        out
    }

    fn letter(&self, letter: u8, out: &mut Vec<u8>) {
        let hostname = self.proc.hostname();
        let hostname = hostname.as_slice();
        match letter {
            b'u' => self.put(out, &self.user),
            b'h' => self.put(
                out,
                hostname
                    .split(|&byte| byte == b'.')
                    .next()
                    .unwrap_or(hostname),
            ),
            b'H' => self.put(out, hostname),
            b'w' => self.put(out, &self.shell.short_directory(self.proc)),
            b'W' => {
                // `$PROMPT_DIRTRIM` does not matter for the last one.
                let directory = self.shell.short_directory(self.proc);
                let last = directory
                    .rsplit(|&byte| byte == b'/')
                    .next()
                    .filter(|last| !last.is_empty());
                self.put(out, last.unwrap_or(b"/"));
            }
            b'$' => {
                let sign: &[u8] = if self.proc.credentials().uid == 0 {
                    b"#"
                } else {
                    b"$"
                };
                self.put(out, sign);
            }
            b's' => {
                let name = self.shell.arg0.as_slice();
                self.put(
                    out,
                    name.rsplit(|&byte| byte == b'/').next().unwrap_or(name),
                );
            }
            b'v' => out.extend_from_slice(b"5.2"),
            b'V' => out.extend_from_slice(b"5.2.15"),
            b't' => out.extend_from_slice(self.time(b"%H:%M:%S").as_bytes()),
            b'T' => out.extend_from_slice(self.time(b"%I:%M:%S").as_bytes()),
            b'@' => out.extend_from_slice(self.time(b"%I:%M %p").as_bytes()),
            b'A' => out.extend_from_slice(self.time(b"%H:%M").as_bytes()),
            b'd' => out.extend_from_slice(self.time(b"%a %b %d").as_bytes()),
            b'j' => out.extend_from_slice(self.shell.jobs.iter().count().to_string().as_bytes()),
            b'l' => {
                let path = self
                    .proc
                    .terminal_path(STDIN)
                    .unwrap_or_else(|_| b"tty".to_vec());
                self.put(
                    out,
                    path.rsplit(|&byte| byte == b'/').next().unwrap_or(&path),
                );
            }
            b'!' => out.extend_from_slice(self.shell.history.next_number().to_string().as_bytes()),
            b'#' => out.extend_from_slice(self.shell.commands_typed.to_string().as_bytes()),
            // Under line editing bash goes to the first column by itself: there is no line discipline
            // to rely on for the editor's idea of the screen.
            b'n' if self.editing && self.shell.is_bash() => out.extend_from_slice(b"\r\n"),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b'e' => out.push(0x1b),
            b'a' => out.push(7),
            b'[' if self.editing => out.push(1),
            b']' if self.editing => out.push(2),
            b'[' | b']' => {}
            b'\\' => self.put(out, b"\\"),
            other => {
                self.put(out, b"\\");
                out.push(other);
            }
        }
    }

    /// Puts in what is to be shown as it is.
    fn put(&self, out: &mut Vec<u8>, text: &[u8]) {
        for &byte in text {
            if self.quotes && matches!(byte, b'$' | b'`' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
    }

    /// The time of day as strftime(3) puts it.
    fn time(&self, format: &[u8]) -> String {
        let format = String::from_utf8_lossy(if format.is_empty() { b"%X" } else { format });
        let format = format
            .replace("%X", "%H:%M:%S")
            .replace("%x", "%m/%d/%y")
            .replace("%c", "%a %b %e %H:%M:%S %Y");
        let now = jiff::Timestamp::from_second(self.proc.now().secs).unwrap_or_default();
        let now = now.to_zoned(jiff::tz::TimeZone::UTC);
        jiff::fmt::strtime::format(&format, &now).unwrap_or(format)
    }
}

/// Bytes of `/etc/passwd` that are looked at.
const MAX_PASSWD_BYTES: usize = 256 * 1024;

/// The name of the user, as `/etc/passwd` has it now.
async fn user_name(proc: &Process) -> Vec<u8> {
    let unknown = b"I have no name!".to_vec();
    let Ok(fd) = proc.open(b"/etc/passwd", OpenFlags::READ, 0).await else {
        return unknown;
    };
    let mut text = Vec::new();
    let mut chunk = [0; 1024];
    while text.len() < MAX_PASSWD_BYTES {
        match proc.read(fd, &mut chunk).await {
            Ok(count) if count > 0 => {
                text.extend_from_slice(chunk.get(..count).unwrap_or_default())
            }
            _ => break,
        }
    }
    let _was_open = proc.close(fd);
    let uid = proc.credentials().uid.to_string();
    let line = text
        .split(|&byte| byte == b'\n')
        .find(|line| line.split(|&byte| byte == b':').nth(2) == Some(uid.as_bytes()));
    line.and_then(|line| line.split(|&byte| byte == b':').next())
        .map_or(unknown, <[u8]>::to_vec)
}
