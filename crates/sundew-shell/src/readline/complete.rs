//! What the word before the cursor can become: commands, files, variables, users.
//!
//! Bash 5.2 without bash-completion, with readline's default settings.

use std::collections::BTreeSet;

use sundew_kernel::Process;
use sundew_posix::pattern::{Options as PatternOptions, Piece};

use super::editor::{Among, Completion, Shown};
use crate::builtin;
use crate::shell::Shell;

/// Matches that are looked at; what is over it is not listed.
const MAX_MATCHES: usize = 20_000;

/// Characters that end a word.
const BREAKS: &[u8] = b" \t\n\"'><=;|&(:@";

/// Reserved words, which complete like commands.
const RESERVED: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
];

/// The word to complete.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    /// Where it begins in the line, behind an opening quote.
    start: usize,
    /// The open quote.
    quote: Option<u8>,
    /// Its text without quoting.
    text: Vec<u8>,
    /// Whether a command is expected here.
    command: bool,
    /// Whether an `@` stands before it.
    host: bool,
    /// Whether it stands behind a backquote, and nothing is put behind it.
    backquoted: bool,
    /// Whether it is an argument of `cd`.
    of_cd: bool,
    /// Whether its last `$` stands for itself.
    escaped_dollar: bool,
}

/// A match: the whole word it makes, and what the list shows of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    word: Vec<u8>,
    directory: bool,
    /// A link, which gets its `/` only when it was typed whole.
    link: bool,
    /// What `visible-stats` shows behind it.
    sign: Option<u8>,
}

impl Match {
    fn plain(word: Vec<u8>) -> Self {
        Self {
            word,
            directory: false,
            link: false,
            sign: None,
        }
    }
}

impl Shell {
    /// What the end of `line` can become.
    pub(super) async fn complete(
        &mut self,
        proc: &mut Process,
        line: &[u8],
        among: Among,
    ) -> Completion {
        let word = word_at_end(line);
        let (matches, kind) = match among {
            Among::Anything => match self.specified(proc, &word, line).await {
                Some(completion) => return completion,
                None => self.matches(proc, &word).await,
            },
            Among::Commands => (self.commands_like(proc, &word.text).await, Kind::Command),
            Among::Files => (self.files_like(proc, &word.text), Kind::File),
            Among::Hosts => (hosts_like(proc, &word.text).await, Kind::Command),
            Among::Users => match word.text.strip_prefix(b"~") {
                Some(name) => (users_like(proc, name).await, Kind::File),
                None => {
                    let users = users_like(proc, &word.text).await.into_iter();
                    let names =
                        users.filter_map(|user| user.word.strip_prefix(b"~").map(<[u8]>::to_vec));
                    (names.map(Match::plain).collect(), Kind::Command)
                }
            },
            Among::Variables => {
                let at = variable_start(&word.text).unwrap_or(0);
                (self.variables_like(proc, &word.text, at), Kind::Variable)
            }
            Among::Globbed => (self.globbed(proc, &word.text, false).await, Kind::File),
            Among::GlobbedStart => (self.globbed(proc, &word.text, true).await, Kind::File),
        };
        if !self.is_bash() {
            return finish_plainly(&word, matches, kind);
        }
        let mut completion = finish(&word, matches, kind);
        if kind == Kind::Command {
            for shown in &mut completion.shown {
                shown.directory = is_directory(proc, &shown.name);
            }
        }
        completion
    }

    /// The files that a pattern matches; with `start`, those that begin so.
    async fn globbed(&mut self, proc: &mut Process, text: &[u8], start: bool) -> BTreeSet<Match> {
        let mut pattern = self.expand_tilde(proc, text);
        if start
            && !pattern
                .iter()
                .any(|byte| matches!(byte, b'*' | b'?' | b'['))
        {
            pattern.push(b'*');
        }
        let pieces: Vec<Piece> = pattern
            .iter()
            .map(|&byte| Piece {
                byte,
                quoted: false,
            })
            .collect();
        let found = self.glob(proc, &pieces, PatternOptions::default()).await;
        found
            .into_iter()
            .take(MAX_MATCHES)
            .map(|word| {
                let kind = proc.stat(&word).map(|data| data.file_type);
                Match {
                    directory: kind == Ok(sundew_vfs::FileType::Directory),
                    ..Match::plain(word)
                }
            })
            .collect()
    }

    async fn matches(&self, proc: &Process, word: &Word) -> (BTreeSet<Match>, Kind) {
        let text = word.text.as_slice();
        if word.host {
            let hosts = hosts_like(proc, text).await;
            if !hosts.is_empty() {
                return (hosts, Kind::Command);
            }
        }
        if self.is_bash()
            && word.quote != Some(b'\'')
            && !word.escaped_dollar
            && let Some(at) = variable_start(text)
        {
            let found = self.variables_like(proc, text, at);
            if !found.is_empty() {
                return (found, Kind::Variable);
            }
        }
        if text.first() == Some(&b'~') && !text.contains(&b'/') && word.quote.is_none() {
            let users = users_like(proc, text.get(1..).unwrap_or_default()).await;
            if !users.is_empty() {
                return (users, Kind::File);
            }
        }
        if word.command && !text.contains(&b'/') {
            let found = self.commands_like(proc, text).await;
            if text.is_empty() || !found.is_empty() {
                return (found, Kind::Command);
            }
            // Nothing of that name can be run: a directory may be meant.
            let mut files = self.files_like(proc, text);
            files.retain(|found| found.directory);
            return (files, Kind::File);
        }
        let mut files = self.files_like(proc, text);
        if word.of_cd && !self.is_bash() {
            files.retain(|found| found.directory);
        }
        if word.command {
            files.retain(|found| {
                found.directory || is_executable(proc, &self.expand_tilde(proc, &found.word))
            });
        }
        (files, Kind::File)
    }

    fn variables_like(&self, proc: &Process, text: &[u8], at: usize) -> BTreeSet<Match> {
        let (before, name) = text.split_at(at);
        let brace = before.ends_with(b"{");
        let visible = self.variables.visible();
        let named = visible
            .iter()
            .filter(|(known, variable)| known.starts_with(name) && variable.value.is_some());
        named
            .map(|(known, variable)| {
                let end: &[u8] = if brace { b"}" } else { b"" };
                let path = variable.scalar().unwrap_or_default();
                Match {
                    directory: is_directory(proc, path),
                    ..Match::plain([before, known, end].concat())
                }
            })
            .collect()
    }

    async fn commands_like(&self, proc: &Process, prefix: &[u8]) -> BTreeSet<Match> {
        let mut found = BTreeSet::new();
        let mut add = |name: &[u8]| {
            if name.starts_with(prefix) && found.len() < MAX_MATCHES {
                found.insert(Match::plain(name.to_vec()));
            }
        };
        for name in self.aliases.keys().chain(self.functions.keys()) {
            add(name);
        }
        for entry in builtin::TABLE
            .iter()
            .filter(|entry| entry.dialects.contains(&self.dialect))
        {
            add(entry.name.as_bytes());
        }
        if self.is_bash() {
            for name in RESERVED {
                add(name.as_bytes());
            }
        }
        let path = self.variables.scalar(b"PATH").unwrap_or_default();
        for directory in path.split(|&byte| byte == b':') {
            let directory: &[u8] = if directory.is_empty() {
                b"."
            } else {
                directory
            };
            for entry in proc.read_directory(directory).unwrap_or_default() {
                let matching = entry.name.starts_with(prefix);
                if matching && is_executable(proc, &[directory, b"/", &entry.name].concat()) {
                    add(&entry.name);
                }
            }
            proc.tick().await;
        }
        found
    }

    fn files_like(&self, proc: &Process, text: &[u8]) -> BTreeSet<Match> {
        let split = text
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |at| at + 1);
        let (directory, prefix) = text.split_at(split);
        let opened = self.expand_variable(&self.expand_tilde(proc, directory));
        let signs = self.keys.is_on("visible-stats");
        let any_case = self.keys.is_on("completion-ignore-case");
        let fits = |name: &[u8]| match name.get(..prefix.len()) {
            Some(start) if any_case => start.eq_ignore_ascii_case(prefix),
            start => start == Some(prefix),
        };
        let opened: &[u8] = if opened.is_empty() { b"." } else { &opened };
        let mut names: Vec<Vec<u8>> = proc
            .read_directory(opened)
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.name.to_vec())
            .collect();
        if prefix.starts_with(b".") {
            names.push(b".".to_vec());
            names.push(b"..".to_vec());
        }
        let shown = names.into_iter().filter(|name| fits(name));
        shown
            .take(MAX_MATCHES)
            .map(|name| {
                let path = [opened, b"/", &name].concat();
                let directory = proc
                    .stat(&path)
                    .is_ok_and(|data| data.file_type == sundew_vfs::FileType::Directory);
                let link = proc
                    .lstat(&path)
                    .is_ok_and(|data| data.file_type == sundew_vfs::FileType::Symlink);
                let sign = if link {
                    Some(b'@')
                } else if directory {
                    Some(b'/')
                } else {
                    (signs && is_executable(proc, &path)).then_some(b'*')
                };
                Match {
                    word: [text.get(..split).unwrap_or_default(), &name].concat(),
                    directory,
                    link,
                    sign,
                }
            })
            .collect()
    }

    /// `$NAME` at the start of a path.
    fn expand_variable(&self, path: &[u8]) -> Vec<u8> {
        let Some(rest) = path.strip_prefix(b"$") else {
            return path.to_vec();
        };
        let end = rest
            .iter()
            .position(|&byte| byte == b'/')
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let name = name
            .strip_prefix(b"{")
            .and_then(|name| name.strip_suffix(b"}"))
            .unwrap_or(name);
        match self.variables.scalar(name) {
            Some(value) => [value, rest].concat(),
            None => path.to_vec(),
        }
    }

    /// `~` and `~user` at the start of a path.
    pub(super) fn expand_tilde(&self, proc: &Process, path: &[u8]) -> Vec<u8> {
        let Some(rest) = path.strip_prefix(b"~") else {
            return path.to_vec();
        };
        let end = rest
            .iter()
            .position(|&byte| byte == b'/')
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let home = if name.is_empty() {
            self.variables.scalar(b"HOME").map(<[u8]>::to_vec)
        } else {
            home_of(proc, name)
        };
        home.map_or_else(|| path.to_vec(), |home| [home.as_slice(), rest].concat())
    }
}

/// What the matches are, for the suffix and the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Command,
    File,
    Variable,
}

/// Finds the word at the end of `line` and whether it stands where a command does.
fn word_at_end(line: &[u8]) -> Word {
    let mut quote = None;
    let mut start = 0;
    let mut quoted_from = 0;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        match (quote, byte) {
            (None | Some(b'"'), b'\\') => at += 1,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                quoted_from = at + 1;
            }
            (None, _) if BREAKS.contains(&byte) => start = at + 1,
            (None, _) => {}
        }
        at += 1;
    }
    let mut start = if quote.is_some() {
        quoted_from
    } else {
        start.min(line.len())
    };
    let backquoted = quote.is_none() && line.get(start) == Some(&b'`');
    start += usize::from(backquoted);
    let before = line
        .get(..start - usize::from(quote.is_some()))
        .unwrap_or_default();
    let raw = line.get(start..).unwrap_or_default();
    Word {
        start,
        quote,
        text: without_quotes(raw, quote),
        command: command_follows(before),
        host: before.ends_with(b"@"),
        backquoted,
        of_cd: before.trim_ascii_end() == b"cd",
        escaped_dollar: raw
            .iter()
            .rposition(|&byte| byte == b'$')
            .and_then(|at| at.checked_sub(1))
            .is_some_and(|at| raw.get(at) == Some(&b'\\')),
    }
}

/// Whether what follows `before` is a command's name.
fn command_follows(before: &[u8]) -> bool {
    let trimmed = before.trim_ascii_end();
    let Some(&last) = trimmed.last() else {
        return true;
    };
    if matches!(last, b';' | b'|' | b'&' | b'(' | b'`' | b'{')
        && !trimmed.ends_with(b">&")
        && !trimmed.ends_with(b">|")
    {
        return true;
    }
    if trimmed.len() == before.len() {
        return false;
    }
    // Assignments may stand before it. After `if` or `!` bash 5.2 expects no command.
    let word = trimmed
        .rsplit(|byte| byte.is_ascii_whitespace())
        .next()
        .unwrap_or_default();
    let rest = trimmed
        .get(..trimmed.len() - word.len())
        .unwrap_or_default();
    let name = word
        .iter()
        .position(|&byte| byte == b'=')
        .and_then(|at| word.get(..at));
    name.is_some_and(crate::variable::is_name) && command_follows(rest)
}

fn without_quotes(raw: &[u8], quote: Option<u8>) -> Vec<u8> {
    if quote == Some(b'\'') {
        return raw.to_vec();
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    let mut inner = None;
    while let Some(byte) = bytes.next() {
        match (inner, byte) {
            (Some(b'\''), b'\'') => inner = None,
            (Some(b'\''), _) => text.push(byte),
            (_, b'\\') => text.extend(bytes.next()),
            (None, b'\'' | b'"') if quote.is_none() => inner = Some(byte),
            (Some(b'"'), b'"') => inner = None,
            _ => text.push(byte),
        }
    }
    text
}

/// Where the name of an unfinished `$name` or `${name` at the end of `text` begins.
fn variable_start(text: &[u8]) -> Option<usize> {
    let dollar = text.iter().rposition(|&byte| byte == b'$')?;
    let name = dollar + 1 + usize::from(text.get(dollar + 1) == Some(&b'{'));
    let plain = text
        .get(name..)?
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    plain.then_some(name)
}

async fn users_like(proc: &Process, prefix: &[u8]) -> BTreeSet<Match> {
    proc.tick().await;
    let passwd = passwd(proc).await;
    let names = passwd
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split(|&byte| byte == b':').next());
    names
        .filter(|name| !name.is_empty() && name.starts_with(prefix))
        .take(MAX_MATCHES)
        .map(|name| Match {
            word: [b"~".as_slice(), name].concat(),
            directory: home_of(proc, name).is_some_and(|home| is_directory(proc, &home)),
            link: false,
            sign: None,
        })
        .collect()
}

fn is_directory(proc: &Process, path: &[u8]) -> bool {
    proc.stat(path)
        .is_ok_and(|data| data.file_type == sundew_vfs::FileType::Directory)
}

/// The hosts of `/etc/hosts`, behind an `@` if the word has one.
async fn hosts_like(proc: &Process, text: &[u8]) -> BTreeSet<Match> {
    proc.tick().await;
    let (at, prefix): (&[u8], &[u8]) = match text.strip_prefix(b"@") {
        Some(prefix) => (b"@", prefix),
        None => (b"", text),
    };
    let hosts = small_file(proc, b"/etc/hosts").await;
    let lines = hosts.split(|&byte| byte == b'\n');
    let names = lines
        .filter(|line| !line.starts_with(b"#"))
        .flat_map(|line| {
            line.split(|byte| byte.is_ascii_whitespace())
                .filter(|word| !word.is_empty())
                .skip(1)
                .take_while(|word| !word.starts_with(b"#"))
        });
    names
        .filter(|name| name.starts_with(prefix))
        .take(MAX_MATCHES)
        .map(|name| Match::plain([at, name].concat()))
        .collect()
}

/// Bytes of `/etc/passwd` that are looked at.
const MAX_PASSWD_BYTES: usize = 256 * 1024;

async fn passwd(proc: &Process) -> Vec<u8> {
    small_file(proc, b"/etc/passwd").await
}

async fn small_file(proc: &Process, path: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let Ok(fd) = proc
        .open(path, sundew_kernel::descriptor::OpenFlags::READ, 0)
        .await
    else {
        return text;
    };
    let mut chunk = [0; 4096];
    while text.len() < MAX_PASSWD_BYTES {
        match proc.read(fd, &mut chunk).await {
            Ok(count) if count > 0 => {
                text.extend_from_slice(chunk.get(..count).unwrap_or_default())
            }
            _ => break,
        }
    }
    let _was_open = proc.close(fd);
    text
}

fn home_of(proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
    // Reading files waits for nothing on this machine: the future is ready at once.
    let passwd = futures_util::FutureExt::now_or_never(passwd(proc))?;
    let line = passwd
        .split(|&byte| byte == b'\n')
        .find(|line| line.split(|&byte| byte == b':').next() == Some(name))?;
    line.split(|&byte| byte == b':').nth(5).map(<[u8]>::to_vec)
}

fn is_executable(proc: &Process, path: &[u8]) -> bool {
    proc.stat(path)
        .is_ok_and(|data| data.file_type == sundew_vfs::FileType::Regular)
        && proc.access(path, sundew_vfs::Access::Execute).is_ok()
}

/// Makes of the matches what the editor needs.
fn finish(word: &Word, matches: BTreeSet<Match>, kind: Kind) -> Completion {
    let common = common_prefix(&matches);
    let suffix = match matches.first() {
        Some(only) if matches.len() == 1 => suffix(word, only),
        _ => Vec::new(),
    };
    let quoted = |text: &[u8]| {
        let slash = text.iter().rposition(|&byte| byte == b'/');
        match slash.filter(|_| word.quote.is_none() && text.starts_with(b"$")) {
            _ if kind == Kind::Variable => text.to_vec(),
            // The variable that stands for the directory stays one.
            Some(slash) => {
                let (directory, name) = text.split_at(slash + 1);
                [directory, &quote(name, None)].concat()
            }
            None => quote(text, word.quote),
        }
    };
    let shown = matches.iter().map(|found| {
        let body = found.word.strip_suffix(b"/").unwrap_or(&found.word);
        let start = body.iter().rposition(|&byte| byte == b'/');
        let last = found
            .word
            .get(start.map_or(0, |at| at + 1)..)
            .unwrap_or(&found.word);
        match kind {
            Kind::File => Shown {
                name: last.to_vec(),
                directory: found.directory,
                sign: found.sign,
            },
            Kind::Command | Kind::Variable => Shown {
                name: found.word.clone(),
                directory: false,
                sign: None,
            },
        }
    });
    Completion {
        start: word.start,
        common: quoted(&common),
        suffix,
        shown: shown.collect(),
        quoted: matches.iter().map(|found| quoted(&found.word)).collect(),
    }
}

/// The same for BusyBox, which closes no quotes.
fn finish_plainly(word: &Word, matches: BTreeSet<Match>, kind: Kind) -> Completion {
    let plain = Word {
        quote: None,
        text: word.text.clone(),
        ..*word
    };
    let mut completion = finish(&plain, matches, kind);
    completion.start = word.start;
    completion
}

/// What follows the only match.
fn suffix(word: &Word, only: &Match) -> Vec<u8> {
    match word.quote {
        _ if word.backquoted => Vec::new(),
        Some(quote)
            if only.directory && only.word.contains(&b'$') && !only.word.contains(&b'/') =>
        {
            vec![quote, b'/']
        }
        _ if only.directory && only.link && only.word != word.text => Vec::new(),
        _ if only.directory => b"/".to_vec(),
        Some(quote) => vec![quote, b' '],
        None => b" ".to_vec(),
    }
}

fn common_prefix(matches: &BTreeSet<Match>) -> Vec<u8> {
    // In a sorted set the first and the last differ earliest.
    let (Some(first), Some(last)) = (matches.first(), matches.last()) else {
        return Vec::new();
    };
    let mut len = first
        .word
        .iter()
        .zip(&last.word)
        .take_while(|(one, other)| one == other)
        .count();
    while len > 0
        && len < first.word.len()
        && first
            .word
            .get(len)
            .is_some_and(|byte| (0x80..0xc0).contains(byte))
    {
        len -= 1;
    }
    first.word.get(..len).unwrap_or_default().to_vec()
}

/// Quotes what the shell would not take as it is.
fn quote(text: &[u8], open: Option<u8>) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for (index, &byte) in text.iter().enumerate() {
        let special = match open {
            Some(b'\'') => {
                if byte == b'\'' {
                    quoted.extend_from_slice(b"'\\'");
                }
                false
            }
            Some(_) => matches!(byte, b'"' | b'$' | b'`' | b'\\'),
            None => {
                matches!(
                    byte,
                    b' ' | b'\t'
                        | b'\n'
                        | b'\\'
                        | b'"'
                        | b'\''
                        | b'|'
                        | b'&'
                        | b';'
                        | b'('
                        | b')'
                        | b'<'
                        | b'>'
                        | b'!'
                        | b'{'
                        | b'}'
                        | b'*'
                        | b'['
                        | b'?'
                        | b']'
                        | b'^'
                        | b'$'
                        | b'`'
                        | b'@'
                        | b'='
                        | b':'
                        | b','
                ) && !matches!(byte, b'@' | b'=' | b':')
                    || (byte == b'#' && index == 0)
            }
        };
        if special {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}

impl Shell {
    /// What `complete` was told of the command that the word belongs to.
    async fn specified(
        &mut self,
        proc: &mut Process,
        word: &Word,
        line: &[u8],
    ) -> Option<Completion> {
        if word.command || self.completions.is_empty() || !self.is_bash() {
            return None;
        }
        let before = line.get(..word.start).unwrap_or_default();
        let command = before
            .rsplit(|byte| matches!(byte, b';' | b'|' | b'&' | b'(' | b'`'))
            .next()
            .unwrap_or_default();
        let mut words: Vec<Vec<u8>> = super::history::words(command)
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        let assignments = words
            .iter()
            .take_while(|word| {
                let name = word.split(|&byte| byte == b'=').next();
                word.contains(&b'=') && name.is_some_and(crate::variable::is_name)
            })
            .count();
        words.drain(..assignments);
        let name = words.first()?.clone();
        let last = name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let specification = self
            .completions
            .get(&name)
            .or_else(|| self.completions.get(last))
            .or_else(|| self.completions.get(b"-D".as_slice()))?
            .clone();
        words.push(word.text.clone());
        let found = builtin::specified(self, proc, &specification, &words, line).await?;
        let directory = |name: &[u8]| found.files && is_directory(proc, name);
        let matches: BTreeSet<Match> = found
            .words
            .into_iter()
            .take(MAX_MATCHES)
            .map(|name| Match {
                directory: directory(&name),
                ..Match::plain(name)
            })
            .collect();
        if matches.is_empty() && found.fall_back {
            return None;
        }
        let kind = if found.files {
            Kind::File
        } else {
            Kind::Variable
        };
        let mut completion = finish(word, matches, kind);
        if found.no_space {
            completion.suffix.retain(|byte| *byte != b' ');
        }
        Some(completion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_cursor_is_found_in_quotes_and_behind_operators() {
        let word = |line: &str| word_at_end(line.as_bytes());
        assert_eq!(
            word("ls al"),
            Word {
                start: 3,
                quote: None,
                text: b"al".to_vec(),
                command: false,
                host: false,
                backquoted: false,
                of_cd: false,
                escaped_dollar: false,
            }
        );
        assert!(word("ls; al").command);
        assert!(word("a | b").command);
        assert!(!word("if tr").command);
        assert!(word("A=1 B=2 tr").command);
        assert!(!word("echo if tr").command);
        assert!(!word("ls > al").command);
        assert_eq!(word("ls \"be").start, 4);
        assert_eq!(word("ls \"be").quote, Some(b'"'));
        assert_eq!(word("ls be\\ f").text, b"be f");
        assert_eq!(word("A=al").start, 2);
    }

    #[test]
    fn names_are_quoted_as_the_word_is() {
        assert_eq!(quote(b"it's a", None), b"it\\'s\\ a");
        assert_eq!(quote(b"b$x a", Some(b'"')), b"b\\$x a");
        assert_eq!(quote(b"beta file", Some(b'\'')), b"beta file");
    }

    #[test]
    fn one_match_gets_its_suffix() {
        let word = word_at_end(b"ls s");
        let one = BTreeSet::from([Match {
            word: b"sub".to_vec(),
            directory: true,
            link: false,
            sign: None,
        }]);
        let completion = finish(&word, one, Kind::File);
        assert_eq!(
            (completion.common.as_slice(), completion.suffix.as_slice()),
            (b"sub".as_slice(), b"/".as_slice())
        );
    }
}
