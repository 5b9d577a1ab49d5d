//! What the word before the cursor can become: commands, files, variables, users.
//!
//! Bash 5.2 without bash-completion, with readline's default settings.

mod finish;
mod names;
mod word;

use std::collections::BTreeSet;

use sundew_kernel::Process;
use sundew_posix::pattern::{Options as PatternOptions, Piece};

use super::editor::{Among, Completion};
use crate::builtin;
use crate::shell::Shell;
use finish::{finish, finish_plainly};
use names::{home_of, hosts_like, is_directory, is_executable, users_like};
use word::{Word, variable_start, word_at_end};

/// Matches that are looked at; what is over it is not listed.
const MAX_MATCHES: usize = 20_000;

/// Reserved words, which complete like commands.
const RESERVED: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
];

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
                if word.host {
                    shown.name.insert(0, b'@');
                }
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
        let (found, _held) = found.into_parts();
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
