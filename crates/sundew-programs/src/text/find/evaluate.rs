//! Tests and actions on one file.

use futures_util::future::BoxFuture;
use sundew_kernel::process::Spawn;
use sundew_kernel::{Errno, Process, STDIN};
use sundew_vfs::FileType;

use super::expression::{Exec, Node, Parsed, Time};
use super::format;
use super::walk::{Visit, complain};
use crate::text::command;

/// Bytes of arguments after which a batch runs.
const BATCH_BYTES: usize = 128 * 1024;

pub(super) struct Evaluator {
    pub(super) parsed: Parsed,
    pub(super) failed: bool,
    pub(super) prune: bool,
    pub(super) quit: bool,
    batches: Vec<Vec<Vec<u8>>>,
}

impl Evaluator {
    pub(super) fn new(parsed: Parsed) -> Self {
        let batches = vec![Vec::new(); parsed.batches.len()];
        Self {
            parsed,
            failed: false,
            prune: false,
            quit: false,
            batches,
        }
    }

    pub(super) async fn evaluate(&mut self, proc: &mut Process, visit: &Visit<'_>) {
        let root = std::mem::replace(&mut self.parsed.root, Node::True);
        self.holds(proc, &root, visit).await;
        self.parsed.root = root;
    }

    /// What is left to do at the end.
    pub(super) async fn finish(&mut self, proc: &mut Process) {
        for index in 0..self.batches.len() {
            self.run_batch(proc, index).await;
        }
        for (_, fd) in std::mem::take(&mut self.parsed.outputs) {
            crate::text::input::close(proc, fd);
        }
    }

    fn holds<'a>(
        &'a mut self,
        proc: &'a mut Process,
        node: &'a Node,
        visit: &'a Visit<'_>,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            match node {
                Node::And(nodes) => {
                    for node in nodes {
                        if self.quit || !self.holds(proc, node, visit).await {
                            return false;
                        }
                    }
                    true
                }
                Node::Or(nodes) => {
                    for node in nodes {
                        if self.holds(proc, node, visit).await {
                            return true;
                        }
                        if self.quit {
                            return false;
                        }
                    }
                    false
                }
                Node::List(nodes) => {
                    let mut last = false;
                    for node in nodes {
                        last = self.holds(proc, node, visit).await;
                    }
                    last
                }
                Node::Not(node) => !self.holds(proc, node, visit).await,
                Node::Prune => {
                    self.prune = true;
                    true
                }
                Node::Quit => {
                    self.quit = true;
                    false
                }
                Node::Print { .. } | Node::Printf(..) | Node::Ls(_) => {
                    self.print(proc, node, visit).await
                }
                Node::Delete => self.delete(proc, visit).await,
                Node::Exec(exec) => self.exec(proc, exec, visit).await,
                Node::Batch(index) => {
                    self.add_to_batch(proc, *index, visit).await;
                    true
                }
                test => self.test(proc, test, visit),
            }
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each test of find")]
    fn test(&self, proc: &Process, node: &Node, visit: &Visit<'_>) -> bool {
        let metadata = visit.metadata;
        match node {
            Node::True => true,
            Node::Name(pattern) => pattern.matches(base_name(visit.path)),
            Node::Path(pattern) => pattern.matches(visit.path),
            Node::LinkName(pattern) => {
                metadata.file_type == FileType::Symlink
                    && proc
                        .read_link(visit.path)
                        .is_ok_and(|target| pattern.matches(&target))
            }
            Node::Regex(regex) => regex.is_match(visit.path),
            Node::Type(types, false) => types.contains(&metadata.file_type),
            Node::Type(types, true) => {
                let other = proc
                    .stat(visit.path)
                    .map_or(metadata.file_type, |metadata| metadata.file_type);
                types.contains(&other)
            }
            Node::Size { range, unit } => {
                let size = i64::try_from(metadata.size).unwrap_or(i64::MAX);
                range.fits(size / unit + i64::from(size % unit != 0))
            }
            Node::Empty => match metadata.file_type {
                FileType::Regular => metadata.size == 0,
                FileType::Directory => proc
                    .read_directory(visit.path)
                    .is_ok_and(|entries| entries.is_empty()),
                _ => false,
            },
            Node::Age {
                time,
                range,
                seconds,
                now,
            } => {
                let age = now - self.time(*time, visit).secs;
                if *seconds == 60 {
                    // Minutes are compared exactly, days by whole days.
                    return match range.order {
                        std::cmp::Ordering::Greater => age > range.number.saturating_mul(60),
                        std::cmp::Ordering::Less => age < range.number.saturating_mul(60),
                        std::cmp::Ordering::Equal => (age + 59).div_euclid(60) == range.number,
                    };
                }
                range.fits(age.div_euclid(*seconds))
            }
            Node::Used(range) => {
                let age = metadata.atime.secs - metadata.ctime.secs;
                age >= 0 && range.fits(age.div_euclid(86_400))
            }
            Node::Newer { than, time } => self.time(*time, visit) > *than,
            Node::Permission(wanted, kind) => {
                let mode = metadata.mode & 0o7777;
                match kind {
                    '-' => mode & wanted == *wanted,
                    '/' => *wanted == 0 || mode & wanted != 0,
                    _ => mode == *wanted,
                }
            }
            Node::Owner(uid) => metadata.uid == *uid,
            Node::Group(gid) => metadata.gid == *gid,
            Node::UserNumber(range) => range.fits(i64::from(metadata.uid)),
            Node::GroupNumber(range) => range.fits(i64::from(metadata.gid)),
            Node::NoUser => self.parsed.users.user_name(metadata.uid).is_none(),
            Node::NoGroup => self.parsed.users.group_name(metadata.gid).is_none(),
            Node::Links(range) => range.fits(i64::from(metadata.nlink)),
            Node::Inode(range) => {
                range.fits(i64::try_from(metadata.ino.number()).unwrap_or(i64::MAX))
            }
            Node::Same(dev, ino) => (metadata.dev, metadata.ino.0) == (*dev, *ino),
            Node::Access(access) => proc.access(visit.path, *access).is_ok(),
            Node::FileSystem(name) => {
                let mounts = proc.mounts();
                let path = proc.absolute(visit.path);
                let under = |target: &[u8]| {
                    target == b"/"
                        || path
                            .strip_prefix(target)
                            .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
                };
                let mount = mounts
                    .iter()
                    .filter(|mount| under(&mount.target))
                    .max_by_key(|mount| mount.target.len());
                mount.is_some_and(|mount| mount.fs_type.as_ref() == name.as_slice())
            }
            _ => false,
        }
    }

    fn time(&self, time: Time, visit: &Visit<'_>) -> sundew_vfs::Timestamp {
        match time {
            Time::Access => visit.metadata.atime,
            Time::Change => visit.metadata.ctime,
            Time::Modification => visit.metadata.mtime,
        }
    }

    async fn print(&mut self, proc: &mut Process, node: &Node, visit: &Visit<'_>) -> bool {
        let (text, target) = match node {
            Node::Print { zero, target } => (
                [visit.path, if *zero { b"\0" } else { b"\n" }].concat(),
                *target,
            ),
            Node::Printf(text, target) => (
                format::printf(proc, text, visit, &self.parsed.users),
                *target,
            ),
            Node::Ls(target) => (format::listing(proc, visit, &self.parsed.users), *target),
            _ => return true,
        };
        let result = match target.and_then(|index| self.parsed.outputs.get(index)) {
            Some((_, fd)) => proc.write_all(*fd, &text).await,
            None => proc.print(&text).await,
        };
        if result.is_err() {
            // The kernel says so at the end.
            self.quit = true;
            self.failed = true;
        }
        true
    }

    async fn delete(&mut self, proc: &mut Process, visit: &Visit<'_>) -> bool {
        // The starting point "." stays.
        if visit.path == b"." {
            return true;
        }
        let result = if visit.metadata.is_dir() {
            proc.remove_directory(visit.path)
        } else {
            proc.unlink(visit.path)
        };
        match result {
            Ok(()) => true,
            Err(errno) => {
                self.failed = true;
                let text = [
                    "cannot delete ‘".as_bytes(),
                    visit.path,
                    "’: ".as_bytes(),
                    errno.message().as_bytes(),
                ]
                .concat();
                proc.complain_text(text).await;
                false
            }
        }
    }

    // ---- commands ------------------------------------------------------------------------------

    async fn exec(&mut self, proc: &mut Process, exec: &Exec, visit: &Visit<'_>) -> bool {
        let name = if exec.in_directory {
            [b"./", base_name(visit.path)].concat()
        } else {
            visit.path.to_vec()
        };
        let words: Vec<Vec<u8>> = exec
            .words
            .iter()
            .map(|word| replaced(word, &name))
            .collect();
        if exec.asks && !ask(proc, exec, &name).await {
            return false;
        }
        let directory = exec.in_directory.then(|| parent(visit.path).to_vec());
        self.command(proc, words, directory).await == Some(0)
    }

    /// Runs a command; its status, if it could be started.
    async fn command(
        &mut self,
        proc: &mut Process,
        words: Vec<Vec<u8>>,
        directory: Option<Vec<u8>>,
    ) -> Option<u8> {
        // Its output comes after ours.
        if proc.flush().await.is_err() {
            self.quit = true;
            return None;
        }
        let name = words.first().cloned().unwrap_or_default();
        let back = proc.directory().ok();
        if let Some(directory) = &directory
            && let Err(errno) = proc.change_directory(directory)
        {
            complain(proc, directory, errno).await;
            return None;
        }
        let started = start(proc, words);
        if directory.is_some()
            && let Some(back) = back
        {
            // It was our directory a moment ago.
            let _back = proc.change_directory(&back);
        }
        match started {
            Ok(pid) => Some(crate::text::shell::wait(proc, pid).await.code()),
            Err(errno) => {
                complain(proc, &name, errno).await;
                None
            }
        }
    }

    async fn add_to_batch(&mut self, proc: &mut Process, index: usize, visit: &Visit<'_>) {
        let in_directory = self
            .parsed
            .batches
            .get(index)
            .is_some_and(|exec| exec.in_directory);
        let name = if in_directory {
            [b"./", base_name(visit.path)].concat()
        } else {
            visit.path.to_vec()
        };
        let Some(batch) = self.batches.get_mut(index) else {
            return;
        };
        batch.push(name);
        let size: usize = batch.iter().map(|name| name.len() + 9).sum();
        if size > BATCH_BYTES {
            self.run_batch(proc, index).await;
        }
    }

    async fn run_batch(&mut self, proc: &mut Process, index: usize) {
        let names = self
            .batches
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default();
        let Some(exec) = self.parsed.batches.get(index) else {
            return;
        };
        if names.is_empty() {
            return;
        }
        let words: Vec<Vec<u8>> = exec.words.iter().cloned().chain(names).collect();
        if self.command(proc, words, None).await != Some(0) {
            self.failed = true;
        }
    }
}

fn start(proc: &Process, words: Vec<Vec<u8>>) -> Result<sundew_kernel::Pid, Errno> {
    let name = words.first().cloned().unwrap_or_default();
    let path = command::search(proc, &name)?;
    proc.spawn(Spawn {
        path,
        args: words,
        env: proc.env().clone(),
    })
}

/// `-ok`: asks on standard error, and takes an answer that begins with a `y`.
async fn ask(proc: &mut Process, exec: &Exec, name: &[u8]) -> bool {
    let command = exec.words.first().cloned().unwrap_or_default();
    let text = [b"< ".as_slice(), &command, b" ... ", name, b" > ? "].concat();
    proc.print_error(&text).await;
    let mut answer = Vec::new();
    let mut byte = [0];
    while let Ok(1) = proc.read(STDIN, &mut byte).await {
        if byte == *b"\n" || answer.len() > 4096 {
            break;
        }
        answer.extend_from_slice(&byte);
    }
    matches!(answer.first(), Some(b'y' | b'Y'))
}

/// The last part of a path; slashes at its end are no part of it.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |at| at + 1);
    let trimmed = path.get(..end).unwrap_or_default();
    if trimmed.is_empty() {
        return path.get(..1).unwrap_or_default();
    }
    trimmed
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or(trimmed)
}

/// What stands before the last part.
pub(super) fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) => b"/",
        Some(at) => path.get(..at).unwrap_or_default(),
        None => b".",
    }
}

fn replaced(word: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"{}") {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(name);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}
