//! The command line of `ps`.

use std::cmp::Ordering;

use sundew_kernel::Pid;
use sundew_kernel::process::Summary;

use super::column::{Column, Scene};
use crate::users::Directory;

/// Processes to show; several add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    All,
    WithTerminal,
    Own,
    TerminalNoLeaders,
    NoLeaders,
    ThisTerminal,
    Pids(Vec<Pid>),
    Parents(Vec<Pid>),
    Sessions(Vec<Pid>),
    Groups(Vec<u32>),
    Users(Vec<u32>),
    Names(Vec<Vec<u8>>),
    Terminals(Vec<Vec<u8>>),
}

/// How parents and children are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Forest {
    #[default]
    No,
    /// Indented: `-H`.
    Indented,
    /// With lines: `f`.
    Lines,
}

#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) choices: Vec<Choice>,
    pub(super) columns: Vec<Column>,
    pub(super) forest: Forest,
    pub(super) no_headers: bool,
    pub(super) negated: bool,
    pub(super) running: bool,
    pub(super) widened: u32,
    pub(super) version: bool,
    pub(super) help: bool,
    pub(super) shows_arguments: bool,
    /// Lists of user and group names, looked up later.
    user_lists: Vec<Vec<u8>>,
    group_lists: Vec<Vec<u8>>,
    sort: Vec<(Column, bool)>,
    formats: Vec<Vec<u8>>,
    bsd: Vec<u8>,
    unix: Vec<u8>,
}

/// Letters that take a value.
const UNIX_VALUES: &[u8] = b"CGOUgopqstuw";
const BSD_VALUES: &[u8] = b"OUkopqt";

impl Options {
    /// Reads the words; what is wrong with them otherwise.
    pub(super) fn read(args: &[Vec<u8>]) -> Result<Self, Vec<u8>> {
        let mut options = Self::default();
        let mut words = args.iter().skip(1).cloned().collect::<Vec<_>>();
        words.reverse();
        while let Some(word) = words.pop() {
            if let Some(long) = word.strip_prefix(b"--") {
                options.long(long, &mut words)?;
            } else if let Some(letters) = word.strip_prefix(b"-") {
                // `ps -aux` means `ps aux` unless somebody is called x.
                if letters.contains(&b'x') {
                    options.letters(letters, true, &mut words)?;
                } else {
                    options.letters(letters, false, &mut words)?;
                }
            } else if word
                .iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b',')
            {
                options.choices.push(Choice::Pids(pids(&word)?));
                // A bare number is BSD's way to name a process.
                options.bsd.push(b'p');
            } else {
                options.letters(&word, true, &mut words)?;
            }
        }
        options.finish()?;
        Ok(options)
    }

    fn letters(
        &mut self,
        letters: &[u8],
        bsd: bool,
        words: &mut Vec<Vec<u8>>,
    ) -> Result<(), Vec<u8>> {
        let values = if bsd { BSD_VALUES } else { UNIX_VALUES };
        for (at, &letter) in letters.iter().enumerate() {
            if values.contains(&letter) && letter != b'w' {
                let rest = letters.get(at + 1..).unwrap_or_default();
                let value = if rest.is_empty() {
                    words.pop()
                } else {
                    Some(rest.to_vec())
                };
                let value = match value {
                    Some(value) => value,
                    // BSD `u`, `t` and the like stand alone.
                    None if bsd && letter == b't' => {
                        self.choices.push(Choice::ThisTerminal);
                        return Ok(());
                    }
                    None => return Err(missing(letter, bsd)),
                };
                return self.valued(letter, bsd, &value);
            }
            self.flag(letter, bsd)?;
        }
        Ok(())
    }

    fn flag(&mut self, letter: u8, bsd: bool) -> Result<(), Vec<u8>> {
        match (bsd, letter) {
            (false, b'e' | b'A') => self.choices.push(Choice::All),
            (false, b'a') => self.choices.push(Choice::TerminalNoLeaders),
            (false, b'd') => self.choices.push(Choice::NoLeaders),
            (false, b'N') => self.negated = true,
            (false, b'H') => self.forest = Forest::Indented,
            (false, b'V') | (true, b'V') => self.version = true,
            (_, b'w') => self.widened += 1,
            (false, b'f' | b'F' | b'l' | b'j' | b'L' | b'T' | b'y' | b'Z' | b'M' | b'P' | b'm') => {
                self.unix.push(letter)
            }
            (true, b'a' | b'x' | b'u' | b'j' | b'l' | b'v' | b's' | b'X') => self.bsd.push(letter),
            (true, b'f') => self.forest = Forest::Lines,
            (true, b'h') => self.no_headers = true,
            (true, b'r') => self.running = true,
            (true, b'T') => self.choices.push(Choice::ThisTerminal),
            (false, b'x') => return Err(b"must set personality to get -x option".to_vec()),
            (true, b'e' | b'c' | b'g' | b'n' | b'S' | b'm' | b'H' | b'L' | b'Z' | b'M') => {}
            (true, _) => return Err(b"unsupported option (BSD syntax)".to_vec()),
            (false, _) => return Err(b"unsupported SysV option".to_vec()),
        }
        Ok(())
    }

    fn valued(&mut self, letter: u8, bsd: bool, value: &[u8]) -> Result<(), Vec<u8>> {
        match (letter, bsd) {
            (b'o', _) => self.formats.push(value.to_vec()),
            (b'O', _) => self
                .formats
                .push([b"pid,".as_slice(), value, b",state,tname,time,command"].concat()),
            (b'p' | b'q', _) => self.choices.push(Choice::Pids(pids(value)?)),
            (b's' | b'g', false) => self.choices.push(Choice::Sessions(pids(value)?)),
            (b'C', _) => self.choices.push(Choice::Names(list(value))),
            (b't', _) => self.choices.push(Choice::Terminals(terminals(value)?)),
            (b'u' | b'U', _) => self.user_lists.push(value.to_vec()),
            (b'G', _) => self.group_lists.push(value.to_vec()),
            (b'k', _) => self.sort_by(value)?,
            _ => {}
        }
        Ok(())
    }

    fn long(&mut self, text: &[u8], words: &mut Vec<Vec<u8>>) -> Result<(), Vec<u8>> {
        let (name, value) = match text.iter().position(|&byte| byte == b'=') {
            Some(at) => (
                text.get(..at).unwrap_or_default(),
                text.get(at + 1..).map(<[u8]>::to_vec),
            ),
            None => (text, None),
        };
        let mut take = || {
            value
                .clone()
                .or_else(|| words.pop())
                .ok_or_else(|| [b"option --".as_slice(), name, b" requires an argument"].concat())
        };
        match name {
            b"forest" => self.forest = Forest::Lines,
            b"no-headers" | b"no-heading" | b"no-headings" | b"noheader" | b"noheaders"
            | b"noheading" | b"noheadings" => self.no_headers = true,
            b"headers" | b"heading" | b"headings" | b"cumulative" => {}
            b"deselect" => self.negated = true,
            b"version" | b"info" => self.version = true,
            b"help" => self.help = true,
            b"sort" => {
                let value = take()?;
                self.sort_by(&value)?;
            }
            b"format" => self.formats.push(take()?),
            b"pid" | b"quick-pid" => self.choices.push(Choice::Pids(pids(&take()?)?)),
            b"ppid" => self.choices.push(Choice::Parents(pids(&take()?)?)),
            b"sid" => self.choices.push(Choice::Sessions(pids(&take()?)?)),
            b"tty" => self.choices.push(Choice::Terminals(terminals(&take()?)?)),
            b"user" | b"User" => self.user_lists.push(take()?),
            b"group" | b"Group" => self.group_lists.push(take()?),
            b"cols" | b"columns" | b"width" | b"rows" | b"lines" => drop(take()?),
            _ => return Err(b"unknown gnu long option".to_vec()),
        }
        Ok(())
    }

    fn sort_by(&mut self, keys: &[u8]) -> Result<(), Vec<u8>> {
        for key in list(keys) {
            let down = key.starts_with(b"-");
            let name = key
                .strip_prefix(b"-")
                .or_else(|| key.strip_prefix(b"+"))
                .unwrap_or(&key);
            let name = String::from_utf8_lossy(name).into_owned();
            let column = Column::named(&name).ok_or_else(|| b"unknown sort specifier".to_vec())?;
            self.sort.push((column, down));
        }
        Ok(())
    }

    /// What the letters mean together: processes and columns.
    fn finish(&mut self) -> Result<(), Vec<u8>> {
        match (self.bsd.contains(&b'a'), self.bsd.contains(&b'x')) {
            (true, true) => self.choices.push(Choice::All),
            (true, false) => self.choices.push(Choice::WithTerminal),
            (false, true) => self.choices.push(Choice::Own),
            (false, false) => {}
        }
        if self.unix.contains(&b'y') && !self.unix.contains(&b'l') {
            return Err(b"modifier -y without format -l makes no sense".to_vec());
        }
        let bsd = !self.bsd.is_empty() || self.forest == Forest::Lines && self.unix.is_empty();
        self.shows_arguments = bsd
            || self.unix.iter().any(|letter| b"fF".contains(letter))
            || !self.formats.is_empty();
        if self.formats.is_empty() {
            self.columns = self
                .standard(bsd)
                .split(' ')
                .filter_map(Column::named)
                .collect();
            return Ok(());
        }
        for format in std::mem::take(&mut self.formats) {
            self.add_format(&format)?;
        }
        Ok(())
    }

    fn standard(&self, bsd: bool) -> &'static str {
        let unix = |letter: u8| self.unix.contains(&letter);
        if self.bsd.contains(&b'u') {
            "user pid %cpu %mem vsz rss tty stat start_time bsdtime args"
        } else if self.bsd.contains(&b'j') {
            "ppid pid pgid sid tty tpgid stat uid bsdtime args"
        } else if self.bsd.contains(&b'l') {
            "f uid pid ppid pri ni vsz rss wchan stat tty bsdtime args"
        } else if bsd {
            "pid tty stat bsdtime args"
        } else if unix(b'F') {
            "user_as_uid pid ppid c sz rss psr stime tty time cmd"
        } else if unix(b'f') && unix(b'L') {
            "user_as_uid pid ppid lwp c nlwp stime tty time cmd"
        } else if unix(b'l') && unix(b'f') {
            "f s user_as_uid pid ppid c opri ni addr sz wchan stime tty time cmd"
        } else if unix(b'f') && unix(b'j') {
            "user_as_uid pid ppid pgid sid c stime tty time cmd"
        } else if unix(b'f') {
            "user_as_uid pid ppid c stime tty time cmd"
        } else if unix(b'l') {
            "f s uid pid ppid c opri ni addr sz wchan tty time ucmd"
        } else if unix(b'j') {
            "pid pgid sid tty time ucmd"
        } else if unix(b'L') {
            "pid lwp tty time ucmd"
        } else if unix(b'T') {
            "pid spid tty time ucmd"
        } else if unix(b'Z') || unix(b'M') {
            "label pid tty time ucmd"
        } else {
            "pid tty time ucmd"
        }
    }

    fn add_format(&mut self, format: &[u8]) -> Result<(), Vec<u8>> {
        // The last name's header may hold blanks and commas.
        let (names, header) = match format.iter().position(|&byte| byte == b'=') {
            Some(at) => (format.get(..at).unwrap_or_default(), format.get(at + 1..)),
            None => (format, None),
        };
        let mut rest = header;
        if let Some(text) = header
            && let Some(at) = text.windows(2).position(|pair| {
                pair.first() == Some(&b',') && pair.last().is_some_and(u8::is_ascii_lowercase)
            })
            && text.get(at..).is_some_and(|more| more.contains(&b'='))
        {
            rest = text.get(..at);
            self.columns_of(names, rest)?;
            return self.add_format(text.get(at + 1..).unwrap_or_default());
        }
        if rest.is_some_and(<[u8]>::is_empty) {
            rest = Some(b"");
        }
        self.columns_of(names, rest)
    }

    fn columns_of(&mut self, names: &[u8], header: Option<&[u8]>) -> Result<(), Vec<u8>> {
        let names = list(names);
        let count = names.len();
        for (number, name) in names.into_iter().enumerate() {
            let text = String::from_utf8_lossy(&name).into_owned();
            let unknown = || {
                [
                    b"unknown user-defined format specifier \"".as_slice(),
                    &name,
                    b"\"",
                ]
                .concat()
            };
            let mut column = Column::named(&text).ok_or_else(unknown)?;
            if number + 1 == count
                && let Some(header) = header
            {
                column.header = header.to_vec();
                column.width = column.width.max(header.len());
            }
            self.columns.push(column);
        }
        Ok(())
    }

    /// The terminals asked for by name.
    pub(super) fn terminals(&self) -> impl Iterator<Item = &[u8]> {
        let lists = self.choices.iter().filter_map(|choice| match choice {
            Choice::Terminals(names) => Some(names),
            _ => None,
        });
        lists.flatten().map(Vec::as_slice)
    }

    /// Looks names of users and groups up.
    pub(super) fn resolve(&mut self, users: &Directory) -> Result<(), Vec<u8>> {
        for text in std::mem::take(&mut self.user_lists) {
            let mut ids = Vec::new();
            for name in list(&text) {
                let id = users
                    .user(&name)
                    .map(|user| user.uid)
                    .or_else(|| crate::procps::number(&name));
                ids.push(id.ok_or_else(|| b"user name does not exist".to_vec())?);
            }
            self.choices.push(Choice::Users(ids));
        }
        for text in std::mem::take(&mut self.group_lists) {
            let mut ids = Vec::new();
            for name in list(&text) {
                let id = users
                    .group(&name)
                    .map(|group| group.gid)
                    .or_else(|| crate::procps::number(&name));
                ids.push(id.ok_or_else(|| b"group name does not exist".to_vec())?);
            }
            self.choices.push(Choice::Groups(ids));
        }
        Ok(())
    }

    /// Puts processes in the order that was asked for.
    pub(super) fn sort(&self, scene: &Scene, all: &mut [Summary]) {
        if self.sort.is_empty() {
            return;
        }
        all.sort_by(|one, other| {
            for (column, down) in &self.sort {
                let (a, b) = (
                    column.value(scene, one, b""),
                    column.value(scene, other, b""),
                );
                let order = match (number(&a), number(&b)) {
                    (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
                    _ => a.cmp(&b),
                };
                let order = if *down { order.reverse() } else { order };
                if order != Ordering::Equal {
                    return order;
                }
            }
            Ordering::Equal
        });
    }
}

fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Words between commas and blanks.
fn list(text: &[u8]) -> Vec<Vec<u8>> {
    let words = text.split(|&byte| byte == b',' || byte == b' ');
    words
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// Names of terminals; what looks like none is none.
fn terminals(text: &[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let names = list(text);
    if names.is_empty() {
        return Err(missing(b't', false));
    }
    let known = |name: &Vec<u8>| {
        let name = name.strip_prefix(b"/dev/").unwrap_or(name);
        let number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        matches!(name, b"-" | b"?" | b"console" | b"tty")
            || number(name)
            || name.strip_prefix(b"pts/").is_some_and(number)
            || name
                .strip_prefix(b"tty")
                .or_else(|| name.strip_prefix(b"S"))
                .is_some_and(|rest| number(rest.strip_prefix(b"S").unwrap_or(rest)))
    };
    if names.iter().all(known) {
        Ok(names)
    } else {
        Err(b"TTY could not be found".to_vec())
    }
}

fn pids(text: &[u8]) -> Result<Vec<Pid>, Vec<u8>> {
    let words = list(text);
    if words.is_empty() {
        return Err(b"process ID list syntax error".to_vec());
    }
    words
        .iter()
        .map(|word| {
            crate::procps::number(word).ok_or_else(|| b"process ID list syntax error".to_vec())
        })
        .collect()
}

fn missing(letter: u8, bsd: bool) -> Vec<u8> {
    let what: &[u8] = match letter {
        b'p' | b'q' => b"list of process IDs",
        b'u' | b'U' => b"list of users",
        b'G' => b"list of real groups",
        b'C' => b"list of command names",
        b't' => b"list of terminals (pty, tty...)",
        b'k' => return b"long sort specification must follow 'k'".to_vec(),
        b's' => b"list of session leaders OR effective group names",
        _ => b"format specification",
    };
    let dash: &[u8] = if bsd { b"" } else { b"-" };
    [what, b" must follow ", dash, &[letter]].concat()
}
