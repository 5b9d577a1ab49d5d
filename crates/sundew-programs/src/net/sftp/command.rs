//! The commands of an `sftp` session.

use sundew_kernel::observe::Download;
use sundew_kernel::process::{Spawn, WaitFor};
use sundew_kernel::{ExitStatus, Process};

use super::link::{Fault, Link};
use super::{Place, expand, get_file, put_file};
use crate::net::scp::join;
use crate::net::scp::trips::Trips;
use crate::net::sftp_server::wire;

const HELP: &str = include_str!("help.txt");
/// How deep directories may be in each other.
const MAX_DEPTH: usize = 64;

/// A session.
pub(super) struct Talk<'a> {
    pub(super) link: &'a mut Link,
    pub(super) place: Place,
    pub(super) directory: Vec<u8>,
    pub(super) batch: bool,
    pub(super) shown: bool,
}

/// What comes after a command.
pub(super) enum Next {
    Go,
    Failed,
    End,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The words of a line, quoted ones whole.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let (mut quote, mut open, mut escaped) = (None, false, false);
    for &byte in line {
        if escaped {
            escaped = false;
        } else if byte == b'\\' && quote != Some(b'\'') {
            escaped = true;
            continue;
        } else if quote == Some(byte) {
            quote = None;
            continue;
        } else if quote.is_none() && matches!(byte, b'"' | b'\'') {
            quote = Some(byte);
            if !std::mem::replace(&mut open, true) {
                out.push(Vec::new());
            }
            continue;
        } else if quote.is_none() && matches!(byte, b' ' | b'\t') {
            open = false;
            continue;
        }
        if !std::mem::replace(&mut open, true) {
            out.push(Vec::new());
        }
        if let Some(word) = out.last_mut() {
            word.push(byte);
        }
    }
    out
}

fn base(path: &[u8]) -> Vec<u8> {
    let mut parts = path.rsplit(|&byte| byte == b'/');
    parts.find(|part| !part.is_empty()).unwrap_or(b"/").to_vec()
}

fn is_directory(mode: Option<u16>) -> bool {
    mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000)
}

impl Talk<'_> {
    /// A path there, from the directory somebody is in.
    pub(super) fn there(&self, path: &[u8]) -> Vec<u8> {
        if path.starts_with(b"/") {
            path.to_vec()
        } else {
            join(&self.directory, path)
        }
    }

    async fn say(&self, proc: &mut Process, line: &str) {
        // A reader that is gone ends the session by its own means.
        let _closed = proc.print(format!("{line}\n").as_bytes()).await;
        let _closed = proc.flush().await;
    }

    async fn complain(&self, proc: &mut Process, line: &str) -> Next {
        proc.print_error(format!("{line}\r\n").as_bytes()).await;
        Next::Failed
    }

    /// Runs one line.
    #[expect(
        clippy::too_many_lines,
        reason = "one command line and what it leads to, read top-down"
    )]
    pub(super) async fn run(&mut self, proc: &mut Process, line: &[u8]) -> Next {
        let line = line.strip_prefix(b"-").unwrap_or(line).trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return Next::Go;
        }
        if let Some(command) = line.strip_prefix(b"!") {
            return self.local(proc, command).await;
        }
        let all = words(line);
        let Some((name, rest)) = all.split_first() else {
            return Next::Go;
        };
        let (options, operands): (Vec<_>, Vec<_>) = rest
            .iter()
            .cloned()
            .partition(|word| word.starts_with(b"-") && word.len() > 1);
        let letters = options.concat();
        let has = |letter| letters.contains(&letter);
        let (first, second) = (operands.first(), operands.get(1));
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match (name.as_str(), first) {
            ("bye" | "exit" | "quit", _) => return Next::End,
            ("help" | "?", _) => {
                let _closed = proc.print(HELP.as_bytes()).await;
            }
            ("version", _) => self.say(proc, "SFTP protocol version 3").await,
            ("pwd", _) => {
                let path = text(&self.directory);
                self.say(proc, &format!("Remote working directory: {path}"))
                    .await;
            }
            ("lpwd", _) => {
                let path = text(&proc.directory().unwrap_or_default());
                self.say(proc, &format!("Local working directory: {path}"))
                    .await;
            }
            ("cd", path) => {
                let path = path.map_or(b"/".to_vec(), |path| self.there(path));
                return self.enter(proc, &path).await;
            }
            ("lcd", Some(path)) => {
                if let Err(errno) = proc.change_directory(path) {
                    let text = format!(
                        "Couldn't change local directory to \"{}\": {}",
                        text(path),
                        errno.message()
                    );
                    return self.complain(proc, &text).await;
                }
            }
            ("lls", _) => {
                return self
                    .local(proc, &[b"ls".as_slice(), b" ", &rest.join(&b' ')].concat())
                    .await;
            }
            ("lmkdir", Some(path)) => {
                if let Err(errno) = proc.make_directory(path, 0o777) {
                    let text = format!(
                        "Couldn't create local directory \"{}\": {}",
                        text(path),
                        errno.message()
                    );
                    return self.complain(proc, &text).await;
                }
            }
            ("ls" | "dir", path) => {
                let path = path.cloned();
                return self
                    .list(proc, path.as_deref(), has(b'l'), has(b'1'), has(b'a'))
                    .await;
            }
            ("get" | "reget" | "mget", Some(path)) => {
                let ended = self
                    .get(
                        proc,
                        path,
                        second.map(Vec::as_slice),
                        has(b'r') || has(b'R'),
                    )
                    .await;
                return if ended.is_success() {
                    Next::Go
                } else {
                    Next::Failed
                };
            }
            ("put" | "reput" | "mput", Some(path)) => {
                return self
                    .put(
                        proc,
                        path,
                        second.map(Vec::as_slice),
                        has(b'r') || has(b'R'),
                    )
                    .await;
            }
            ("get" | "reget" | "put" | "reput", None) => {
                let text = format!("You must specify at least one path after a {name} command.");
                return self.complain(proc, &text).await;
            }
            ("mkdir", Some(path)) => {
                return self.change(proc, wire::MKDIR, path, "remote mkdir").await;
            }
            ("rmdir", Some(path)) => {
                return self.change(proc, wire::RMDIR, path, "remote rmdir").await;
            }
            ("rm" | "delete", Some(path)) => {
                let path = self.there(path);
                let found = match expand(proc, self.link, &path).await {
                    Ok(found) if !found.is_empty() => found,
                    _ => vec![path],
                };
                for path in found {
                    if !self.batch {
                        self.say(proc, &format!("Removing {}", text(&path))).await;
                    }

                    if let Next::Failed = self
                        .change(proc, wire::REMOVE, &path, "remote delete")
                        .await
                    {
                        return Next::Failed;
                    }
                }
            }
            ("rename" | "ren", Some(from)) if second.is_some() => {
                let (from, to) = (
                    self.there(from),
                    self.there(second.map_or(b"", Vec::as_slice)),
                );
                if let Err(fault) = self.link.rename(proc, &from, &to, wire::RENAME).await {
                    let text = format!(
                        "remote rename \"{}\" to \"{}\": {}",
                        text(&from),
                        text(&to),
                        fault.text()
                    );
                    return self.complain(proc, &text).await;
                }
            }
            ("chmod", Some(mode)) if second.is_some() => {
                let path = self.there(second.map_or(b"", Vec::as_slice));
                let Some(mode) = std::str::from_utf8(mode)
                    .ok()
                    .and_then(|mode| u16::from_str_radix(mode, 8).ok())
                else {
                    return self
                        .complain(
                            proc,
                            "You must supply a numeric argument to the chmod command.",
                        )
                        .await;
                };
                if !self.batch {
                    self.say(proc, &format!("Changing mode on {}", text(&path)))
                        .await;
                }

                if let Err(fault) = self.link.set_mode(proc, &path, mode).await {
                    let text = format!("remote setstat \"{}\": {}", text(&path), fault.text());
                    return self.complain(proc, &text).await;
                }
            }
            ("progress", _) => {
                self.shown = !self.shown;
                let how = if self.shown { "enabled" } else { "disabled" };
                self.say(proc, &format!("Progress meter {how}")).await;
            }
            (
                "mkdir" | "rmdir" | "rm" | "lmkdir" | "rename" | "chmod" | "chown" | "chgrp"
                | "lcd" | "ln" | "symlink" | "cp" | "copy",
                _,
            ) => {
                let text = format!("You must specify a path after a {name} command.");
                return self.complain(proc, &text).await;
            }
            _ => return self.complain(proc, "Invalid command.").await,
        }
        Next::Go
    }

    /// Runs something on this machine.
    async fn local(&self, proc: &mut Process, command: &[u8]) -> Next {
        let mut args = vec![b"/bin/bash".to_vec()];
        if !command.trim_ascii().is_empty() {
            args.extend([b"-c".to_vec(), command.to_vec()]);
        }
        let env = proc.env().clone();
        let spawned = proc.spawn(Spawn {
            path: b"/bin/bash".to_vec(),
            args,
            env,
        });
        match spawned {
            Ok(pid) => {
                // Its status is nobody's concern here.
                let _ended = proc.wait(WaitFor::Pid(pid), false, true).await;
                Next::Go
            }
            Err(_) => Next::Failed,
        }
    }

    async fn enter(&mut self, proc: &mut Process, path: &[u8]) -> Next {
        let real = match self.link.real_path(proc, path).await {
            Ok(real) => real,
            Err(fault) => {
                let text = format!("realpath {}: {}", text(path), fault.text());
                return self.complain(proc, &text).await;
            }
        };
        match self.link.stat(proc, &real).await {
            Ok(attributes) if is_directory(attributes.mode) => {
                self.directory = real;
                Next::Go
            }
            Ok(_) => {
                let text = format!(
                    "Can't change directory: \"{}\" is not a directory",
                    text(&real)
                );
                self.complain(proc, &text).await
            }
            Err(fault) => {
                let text = format!("stat remote: {}", fault.text());
                self.complain(proc, &text).await
            }
        }
    }

    async fn change(&mut self, proc: &mut Process, kind: u8, path: &[u8], what: &str) -> Next {
        let path = self.there(path);
        match self.link.change(proc, kind, &path).await {
            Ok(()) => Next::Go,
            Err(fault) => {
                let text = format!("{what} \"{}\": {}", text(&path), fault.text());
                self.complain(proc, &text).await
            }
        }
    }

    async fn list(
        &mut self,
        proc: &mut Process,
        path: Option<&[u8]>,
        long: bool,
        single: bool,
        all: bool,
    ) -> Next {
        let place = path.map_or_else(|| self.directory.clone(), |path| self.there(path));
        let missing = format!("Can't ls: \"{}\" not found", text(&place));
        let found = match expand(proc, self.link, &place).await {
            Ok(found) if !found.is_empty() => found,
            _ => return self.complain(proc, &missing).await,
        };
        let prefix = path.filter(|path| *path != b".");
        let mut rows: Vec<(Vec<u8>, String)> = Vec::new();
        for one in found {
            let attributes = self.link.stat(proc, &one).await;
            let lists = attributes
                .as_ref()
                .is_ok_and(|found| is_directory(found.mode));
            if !lists {
                rows.push((one.clone(), text(&one)));
                continue;
            }
            let entries = match self.link.list(proc, &one).await {
                Ok(entries) => entries,
                Err(fault) => {
                    let text = format!("remote readdir(\"{}\"): {}", text(&one), fault.text());
                    return self.complain(proc, &text).await;
                }
            };
            for entry in entries {
                if entry.name.starts_with(b".") && !all {
                    continue;
                }
                let name = match prefix {
                    Some(prefix) => join(prefix, &entry.name),
                    None => entry.name.clone(),
                };
                // How many names a file has does not go over the wire.
                let long = text(&entry.long);
                let head: String = long.chars().take(10).collect();
                let tail = long.get(head.len()..).unwrap_or_default().trim_start();
                let tail = tail
                    .trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '?');
                let long = format!("{head}    ?{tail}");
                let long = long
                    .strip_suffix(&text(&entry.name))
                    .map_or_else(|| long.clone(), |head| format!("{head}{}", text(&name)));
                rows.push((name, long));
            }
        }
        if long || single {
            for (name, line) in &rows {
                let line = if long { line.clone() } else { text(name) };
                self.say(proc, &line).await;
            }
            return Next::Go;
        }
        let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let columns = proc
            .window_size(1)
            .map_or(80, |size| usize::from(size.columns));
        let per_row = (columns / (widest + 2)).max(1);
        let width = columns / per_row;
        let mut line = String::new();
        for (number, (name, _)) in rows.iter().enumerate() {
            line += &format!("{:<width$}", text(name));
            if (number + 1) % per_row == 0 {
                self.say(proc, &line).await;
                line.clear();
            }
        }
        if !line.is_empty() {
            self.say(proc, &line).await;
        }
        Next::Go
    }

    /// Fetches files.
    pub(super) async fn get(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        to: Option<&[u8]>,
        recursive: bool,
    ) -> ExitStatus {
        let there = self.there(path);
        let found = match expand(proc, self.link, &there).await {
            Ok(found) if !found.is_empty() => found,
            _ => {
                let text = format!("File \"{}\" not found.", text(&there));
                self.complain(proc, &text).await;
                return ExitStatus::FAILURE;
            }
        };
        let into = to.is_none_or(|to| proc.stat(to).is_ok_and(|metadata| metadata.is_dir()));
        let mut waiting = Trips::new(proc);
        for one in found.into_iter().rev() {
            let name = base(&one);
            let destination = match to {
                Some(to) if into => join(to, &name),
                Some(to) => to.to_vec(),
                None => name,
            };
            waiting.add(proc, one, destination, 0).await;
        }
        while let Some((from, to, depth)) = waiting.pop() {
            let attributes = match self.link.stat(proc, &from).await {
                Ok(attributes) => attributes,
                Err(fault) => {
                    let text = format!("stat remote \"{}\": {}", text(&from), fault.text());
                    self.complain(proc, &text).await;
                    return ExitStatus::FAILURE;
                }
            };
            if depth == 0 && !self.batch {
                self.say(proc, &format!("Fetching {} to {}", text(&from), text(&to)))
                    .await;
            }
            if is_directory(attributes.mode) {
                if !recursive || depth >= MAX_DEPTH {
                    let text = format!("download {}: not a regular file", text(&from));
                    self.complain(proc, &text).await;
                    return ExitStatus::FAILURE;
                }
                // It is there already, or what goes into it fails.
                let _there = proc.make_directory(&to, 0o777);
                let entries = self.link.list(proc, &from).await.unwrap_or_default();
                let names = entries.iter().map(|entry| &*entry.name);
                waiting.below(proc, &from, &to, names, depth + 1).await;
                continue;
            }
            let download = Download {
                url: self.place.url(b"sftp", &from),
                destination: to.clone(),
            };
            let got = get_file(
                proc,
                self.link,
                &from,
                &to,
                &attributes,
                download,
                self.shown,
            )
            .await;
            if let Err((what, fault)) = got {
                self.complain(proc, &format!("{what}: {}", fault.text()))
                    .await;
                return ExitStatus::FAILURE;
            }
        }
        ExitStatus::SUCCESS
    }

    async fn put(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        to: Option<&[u8]>,
        recursive: bool,
    ) -> Next {
        let target = to.map(|to| self.there(to));
        let into = match &target {
            Some(target) => {
                let found = self.link.stat(proc, target).await;
                found.is_ok_and(|found| is_directory(found.mode))
            }
            None => false,
        };
        let name = base(path);
        let destination = match target {
            Some(target) if into => join(&target, &name),
            Some(target) => target,
            None => self.there(&name),
        };
        let mut waiting = Trips::new(proc);
        waiting.add(proc, path.to_vec(), destination, 0).await;
        while let Some((from, to, depth)) = waiting.pop() {
            let metadata = match proc.stat(&from) {
                Ok(metadata) => metadata,
                Err(errno) => {
                    let text = format!("stat {}: {}", text(&from), errno.message());
                    return self.complain(proc, &text).await;
                }
            };
            if depth == 0 && !self.batch {
                self.say(proc, &format!("Uploading {} to {}", text(&from), text(&to)))
                    .await;
            }
            if metadata.is_dir() {
                if !recursive || depth >= MAX_DEPTH {
                    let text = format!("\"{}\" is not a regular file", text(&from));
                    return self.complain(proc, &text).await;
                }
                // As above.
                let _there = self.link.change(proc, wire::MKDIR, &to).await;
                let entries = proc.read_directory(&from).unwrap_or_default();
                let names = entries.iter().map(|entry| &*entry.name);
                waiting.below(proc, &from, &to, names, depth + 1).await;
                continue;
            }
            let put = put_file(proc, self.link, &from, &to, &metadata, self.shown).await;
            if let Err((what, fault)) = put {
                if fault == Fault::Gone {
                    proc.print_error(b"Connection closed\r\n").await;
                    return Next::End;
                }
                return self
                    .complain(proc, &format!("{what}: {}", fault.text()))
                    .await;
            }
        }
        Next::Go
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        let split = words(b"get \"a b\" c\\ d 'e f'");
        assert_eq!(
            split,
            [&b"get"[..], b"a b", b"c d", b"e f"].map(<[u8]>::to_vec)
        );
    }
}
