//! Copies of files and trees, for cp, install, and mv between filesystems.

use std::collections::HashMap;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, Fd, Process, STDIN};
use sundew_vfs::{FileType, InodeId, Metadata};

use super::backup::Kind;
use super::input::{self, CHUNK, join};
use crate::quote;

/// What is done about symbolic links in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// They are copied as links: `-P`.
    Keep,
    /// Operands are followed, others kept: `-H`.
    FollowOperands,
    /// What they lead to is copied: `-L`.
    Follow,
}

/// What is done about a target that cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    No,
    /// It is removed and made anew: `-f`.
    Retry,
    /// It is removed in any case.
    Remove,
}

/// Attributes that a copy keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Preserve {
    pub(super) mode: bool,
    pub(super) owner: bool,
    pub(super) times: bool,
    pub(super) links: bool,
}

impl Preserve {
    /// `-p`.
    pub(super) const DEFAULT: Self = Self {
        mode: true,
        owner: true,
        times: true,
        links: false,
    };
    /// `-a`.
    pub(super) const ALL: Self = Self {
        links: true,
        ..Self::DEFAULT
    };

    /// From `--preserve=LIST`, added to what is kept already; `None` after a complaint.
    pub(super) async fn parse(proc: &mut Process, list: &[u8], mut kept: Self) -> Option<Self> {
        const WORDS: &[(&str, char)] = &[
            ("mode", 'm'),
            ("timestamps", 't'),
            ("ownership", 'o'),
            ("links", 'l'),
            ("context", 'c'),
            ("xattr", 'x'),
            ("all", 'a'),
        ];
        if list.is_empty() {
            return Some(Self {
                links: kept.links,
                ..Self::DEFAULT
            });
        }
        for word in list.split(|&byte| byte == b',') {
            match input::choose(proc, "--preserve", word, WORDS).await? {
                'm' => kept.mode = true,
                't' => kept.times = true,
                'o' => kept.owner = true,
                'l' => kept.links = true,
                'a' => kept = Self::ALL,
                _ => {}
            }
        }
        Some(kept)
    }
}

/// How to copy.
pub(super) struct Copier {
    pub(super) recursive: bool,
    pub(super) links: Links,
    pub(super) preserve: Preserve,
    pub(super) force: Force,
    pub(super) interactive: bool,
    pub(super) no_clobber: bool,
    pub(super) update: bool,
    pub(super) verbose: bool,
    pub(super) backup: bool,
    pub(super) backup_kind: Kind,
    pub(super) suffix: Vec<u8>,
    pub(super) make_hard_links: bool,
    pub(super) make_symlinks: bool,
    pub(super) attributes_only: bool,
    /// New files get the mode that any new file gets.
    pub(super) fresh_mode: bool,
    answers: LineReader,
    /// Where files with several names were copied to.
    copied: HashMap<(u64, InodeId), Vec<u8>>,
}

/// A file still to be copied.
struct Step {
    source: Vec<u8>,
    target: Vec<u8>,
    is_operand: bool,
    /// A directory whose entries are done: its attributes are set now.
    finished: Option<Metadata>,
}

impl Copier {
    /// One that copies single files' contents and keeps nothing.
    pub(super) fn new(proc: &Process) -> Self {
        Self {
            recursive: false,
            links: Links::Follow,
            preserve: Preserve::default(),
            force: Force::No,
            interactive: false,
            no_clobber: false,
            update: false,
            verbose: false,
            backup: false,
            backup_kind: Kind::Existing,
            fresh_mode: false,
            suffix: b"~".to_vec(),
            make_hard_links: false,
            make_symlinks: false,
            attributes_only: false,
            answers: LineReader::new(proc, STDIN),
            copied: HashMap::new(),
        }
    }

    /// Copies an operand and what is below it; whether all went well.
    pub(super) async fn copy_operand(
        &mut self,
        proc: &mut Process,
        source: &[u8],
        target: &[u8],
    ) -> bool {
        let mut memory = proc.memory();
        let mut made: Option<(u64, InodeId)> = None;
        let mut well = true;
        let first = Step {
            source: source.to_vec(),
            target: target.to_vec(),
            is_operand: true,
            finished: None,
        };
        let mut steps = vec![first];
        while let Some(step) = steps.pop() {
            proc.tick().await;
            if let Some(metadata) = step.finished {
                self.attributes(proc, &step.target, &metadata).await;
                continue;
            }
            match self.copy(proc, &step, &mut made, source, target).await {
                Copied::Done => {}
                Copied::Failed => well = false,
                Copied::Directory(metadata) => {
                    let entries = match proc.read_directory(&step.source) {
                        Ok(entries) => entries,
                        Err(errno) => {
                            input::complain_about(proc, "cannot access", &step.source, errno).await;
                            well = false;
                            continue;
                        }
                    };
                    let done = Step {
                        source: Vec::new(),
                        target: step.target.clone(),
                        is_operand: false,
                        finished: Some(metadata),
                    };
                    steps.push(done);
                    for entry in entries.into_iter().rev() {
                        let (source, target) = (
                            join(&step.source, &entry.name),
                            join(&step.target, &entry.name),
                        );
                        if memory
                            .grow(size_of::<Step>() + source.len() + target.len())
                            .is_err()
                        {
                            proc.out_of_memory().await;
                        }
                        steps.push(Step {
                            source,
                            target,
                            is_operand: false,
                            finished: None,
                        });
                    }
                }
            }
        }
        well
    }

    fn look(&self, proc: &Process, path: &[u8], is_operand: bool) -> Result<Metadata, Errno> {
        match self.links {
            Links::Keep => proc.lstat(path),
            Links::FollowOperands if !is_operand => proc.lstat(path),
            _ => proc.stat(path),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one thing from top to bottom, in the order of the manual"
    )]
    async fn copy(
        &mut self,
        proc: &mut Process,
        step: &Step,
        made: &mut Option<(u64, InodeId)>,
        top_source: &[u8],
        top_target: &[u8],
    ) -> Copied {
        let (source, target) = (step.source.as_slice(), step.target.as_slice());
        let metadata = match self.look(proc, source, step.is_operand) {
            Ok(metadata) => metadata,
            Err(errno) => return complain(proc, "cannot stat", source, errno).await,
        };
        if metadata.is_dir() && !self.recursive {
            let shown = quote::always(proc, source);
            return say(
                proc,
                &[b"-r not specified; omitting directory ", shown.as_slice()].concat(),
            )
            .await;
        }
        if metadata.is_dir() && *made == Some((metadata.dev, metadata.ino)) {
            let (from, to) = (
                quote::always(proc, top_source),
                quote::always(proc, top_target),
            );
            let text = [
                b"cannot copy a directory, ".as_slice(),
                &from,
                b", into itself, ",
                &to,
            ]
            .concat();
            return say(proc, &text).await;
        }
        let follow_target =
            !metadata.is_symlink() && self.force != Force::Remove && !self.make_symlinks;
        let existing = if follow_target {
            proc.stat(target)
        } else {
            proc.lstat(target)
        }
        .ok();
        if let Some(existing) = existing {
            match self
                .may_replace(proc, source, target, &metadata, &existing)
                .await
            {
                Some(true) => {}
                Some(false) => return Copied::Done,
                None => return Copied::Failed,
            }
        }
        let mut backup = Vec::new();
        let mut existing = existing;
        if self.backup && existing.is_some_and(|existing| !existing.is_dir()) {
            backup = self.backup_kind.name(proc, target, &self.suffix);
            if let Err(errno) = proc.rename(target, &backup) {
                return complain(proc, "cannot backup", target, errno).await;
            }
            existing = None;
        }
        if self.verbose && !(metadata.is_dir() && existing.is_some()) {
            announce(proc, source, target, &backup).await;
        }
        if metadata.is_dir() {
            if existing.is_none() {
                if let Err(errno) = proc.make_directory(target, metadata.mode & 0o777 | 0o700) {
                    return complain(proc, "cannot create directory", target, errno).await;
                }
                if step.is_operand {
                    *made = proc.stat(target).ok().map(|new| (new.dev, new.ino));
                }
            }
            let wanted = metadata.mode & 0o777 & !proc.umask();
            let mode = if self.preserve.mode {
                metadata.mode
            } else {
                wanted
            };
            let mode = if existing.is_some() && !self.preserve.mode {
                proc.stat(target).map_or(mode, |found| found.mode)
            } else {
                mode
            };
            return Copied::Directory(Metadata { mode, ..metadata });
        }
        if self
            .copy_node(proc, source, target, &metadata, existing)
            .await
        {
            Copied::Done
        } else {
            Copied::Failed
        }
    }

    /// Whether an existing target may be replaced; `None` after a complaint.
    async fn may_replace(
        &mut self,
        proc: &mut Process,
        source: &[u8],
        target: &[u8],
        metadata: &Metadata,
        existing: &Metadata,
    ) -> Option<bool> {
        let same = (metadata.dev, metadata.ino) == (existing.dev, existing.ino);
        if same && self.make_hard_links {
            return Some(false);
        }
        if same && (!self.backup || metadata.is_dir()) {
            let (from, to) = (quote::always(proc, source), quote::always(proc, target));
            say(
                proc,
                &[from.as_slice(), b" and ", &to, b" are the same file"].concat(),
            )
            .await;
            return None;
        }
        if !metadata.is_dir()
            && (self.no_clobber || (self.update && existing.mtime >= metadata.mtime))
        {
            return Some(false);
        }
        match (metadata.is_dir(), existing.is_dir()) {
            (false, true) => {
                let shown = quote::always(proc, target);
                say(
                    proc,
                    &[
                        b"cannot overwrite directory ",
                        shown.as_slice(),
                        b" with non-directory",
                    ]
                    .concat(),
                )
                .await;
                return None;
            }
            (true, false) => {
                let (from, to) = (quote::always(proc, source), quote::always(proc, target));
                let text = [
                    b"cannot overwrite non-directory ".as_slice(),
                    &to,
                    b" with directory ",
                    &from,
                ]
                .concat();
                say(proc, &text).await;
                return None;
            }
            (true, true) => return Some(true),
            (false, false) => {}
        }
        if self.interactive {
            let shown = quote::always(proc, target);
            return Some(
                self.ask(proc, &[b"overwrite ", shown.as_slice(), b"? "].concat())
                    .await,
            );
        }
        Some(true)
    }

    async fn ask(&mut self, proc: &mut Process, question: &[u8]) -> bool {
        let prompt = [proc.name(), b": ", question].concat();
        proc.print_error(&prompt).await;
        let answer = self.answers.next(proc, b'\n').await;
        matches!(answer, Ok(Some(line)) if line.starts_with(b"y") || line.starts_with(b"Y"))
    }

    /// Copies what is not a directory.
    async fn copy_node(
        &mut self,
        proc: &mut Process,
        source: &[u8],
        target: &[u8],
        metadata: &Metadata,
        existing: Option<Metadata>,
    ) -> bool {
        if self.make_symlinks || self.make_hard_links {
            return self
                .make_link(proc, source, target, existing.is_some())
                .await;
        }
        let identity = (metadata.dev, metadata.ino);
        if self.preserve.links && metadata.nlink > 1 {
            if let Some(first) = self.copied.get(&identity).cloned() {
                if existing.is_some() {
                    // A failure shows when the link is made.
                    let _shown_below = proc.unlink(target);
                }
                return match proc.link(&first, target, false) {
                    Ok(()) => true,
                    Err(errno) => complained(proc, "cannot create hard link", target, errno).await,
                };
            }
            self.copied.insert(identity, target.to_vec());
        }
        let as_contents = !self.recursive || metadata.file_type == FileType::Regular;
        let done = match metadata.file_type {
            FileType::Symlink => copy_symlink(proc, source, target, existing.is_some()).await,
            _ if as_contents => {
                self.copy_contents(proc, source, target, metadata, existing.is_some())
                    .await
            }
            kind => {
                if existing.is_some() {
                    // A failure shows when the node is made.
                    let _shown_below = proc.unlink(target);
                }
                match proc.make_node(target, kind, metadata.mode, metadata.rdev) {
                    Ok(()) => true,
                    Err(errno) => {
                        let what = if kind == FileType::Fifo {
                            "cannot create fifo"
                        } else {
                            "cannot create special file"
                        };
                        complained(proc, what, target, errno).await
                    }
                }
            }
        };
        if done {
            self.attributes(proc, target, metadata).await;
        }
        done
    }

    async fn make_link(
        &self,
        proc: &mut Process,
        source: &[u8],
        target: &[u8],
        exists: bool,
    ) -> bool {
        if self.make_symlinks && !source.starts_with(b"/") && target.contains(&b'/') {
            let shown = quote::file(proc, target);
            let text = b": can make relative symbolic links only in current directory";
            proc.complain_text([shown.as_slice(), text].concat()).await;
            return false;
        }
        if exists && self.force != Force::No {
            // A failure shows when the link is made.
            let _shown_below = proc.unlink(target);
        }
        let (what, result) = if self.make_symlinks {
            ("cannot create symbolic link", proc.symlink(source, target))
        } else {
            (
                "cannot create hard link",
                proc.link(source, target, self.links == Links::Follow),
            )
        };
        match result {
            Ok(()) => true,
            Err(errno) => {
                let (from, to) = (quote::always(proc, source), quote::always(proc, target));
                let text = [what.as_bytes(), b" ", &to, b" to ", &from].concat();
                proc.complain(&text, errno).await;
                false
            }
        }
    }

    async fn copy_contents(
        &self,
        proc: &mut Process,
        source: &[u8],
        target: &[u8],
        metadata: &Metadata,
        exists: bool,
    ) -> bool {
        let from = match proc.open(source, OpenFlags::READ, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                let shown = quote::always(proc, source);
                proc.complain(
                    &[b"cannot open ", shown.as_slice(), b" for reading"].concat(),
                    errno,
                )
                .await;
                return false;
            }
        };
        if !exists
            && proc.lstat(target).is_ok_and(|found| found.is_symlink())
            && self.force != Force::Remove
        {
            let shown = quote::always(proc, target);
            proc.complain_text(
                [b"not writing through dangling symlink ", shown.as_slice()].concat(),
            )
            .await;
            input::close(proc, from);
            return false;
        }
        if exists && self.force == Force::Remove {
            // A failure shows when the file is opened.
            let _shown_below = proc.unlink(target);
        }
        let truncate = !self.attributes_only;
        let flags = OpenFlags {
            truncate,
            ..OpenFlags::CREATE
        };
        let mode = if self.fresh_mode {
            0o666
        } else {
            metadata.mode & 0o777
        };
        let mut opened = proc.open(target, flags, mode).await;
        if opened.is_err() && exists && self.force == Force::Retry && proc.unlink(target).is_ok() {
            opened = proc.open(target, flags, mode).await;
        }
        let done = match opened {
            Ok(to) => {
                let done = self.attributes_only || pour(proc, from, to, source, target).await;
                // Everything was written by then; what failed was told.
                let _closed = proc.close(to);
                done
            }
            Err(errno) => {
                let errno = if errno == Errno::Eisdir && target.ends_with(b"/") {
                    Errno::Enotdir
                } else {
                    errno
                };
                complained(proc, "cannot create regular file", target, errno).await
            }
        };
        input::close(proc, from);
        done
    }

    /// Gives a copy the attributes that are to be kept.
    async fn attributes(&self, proc: &mut Process, target: &[u8], metadata: &Metadata) {
        let link = metadata.is_symlink();
        if self.preserve.times {
            let (accessed, modified) = (Some(metadata.atime), Some(metadata.mtime));
            if let Err(errno) = proc.set_times(target, accessed, modified, !link) {
                input::complain_about(proc, "preserving times for", target, errno).await;
            }
        }
        if self.preserve.owner && (metadata.uid, metadata.gid) != owner(proc, target) {
            let changed = proc.change_owner(target, Some(metadata.uid), Some(metadata.gid), !link);
            // Who is not root keeps the file for himself, silently.
            if let Err(errno) = changed
                && proc.credentials().uid == 0
            {
                input::complain_about(proc, "failed to preserve ownership for", target, errno)
                    .await;
            }
        }
        if (self.preserve.mode || metadata.is_dir())
            && !link
            && let Err(errno) = proc.change_mode(target, metadata.mode)
        {
            input::complain_about(proc, "preserving permissions for", target, errno).await;
        }
    }
}

enum Copied {
    Done,
    Failed,
    /// A directory that now exists, with the attributes it gets in the end.
    Directory(Metadata),
}

fn owner(proc: &Process, path: &[u8]) -> (u32, u32) {
    proc.lstat(path)
        .map_or((0, 0), |found| (found.uid, found.gid))
}

async fn complain(proc: &mut Process, what: &str, path: &[u8], errno: Errno) -> Copied {
    input::complain_about(proc, what, path, errno).await;
    Copied::Failed
}

async fn complained(proc: &mut Process, what: &str, path: &[u8], errno: Errno) -> bool {
    input::complain_about(proc, what, path, errno).await;
    false
}

async fn say(proc: &mut Process, text: &[u8]) -> Copied {
    proc.complain_text(text).await;
    Copied::Failed
}

/// `'a' -> 'b'`, with the backup if one was made.
pub(super) async fn announce(proc: &mut Process, source: &[u8], target: &[u8], backup: &[u8]) {
    let (from, to) = (quote::always(proc, source), quote::always(proc, target));
    let kept = if backup.is_empty() {
        Vec::new()
    } else {
        [b" (backup: ".as_slice(), &quote::always(proc, backup), b")"].concat()
    };
    let line = [from.as_slice(), b" -> ", &to, &kept, b"\n"].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}

async fn copy_symlink(proc: &mut Process, source: &[u8], target: &[u8], exists: bool) -> bool {
    let leads_to = match proc.read_link(source) {
        Ok(leads_to) => leads_to,
        Err(errno) => return complained(proc, "cannot read symbolic link", source, errno).await,
    };
    if exists {
        // A failure shows when the link is made.
        let _shown_below = proc.unlink(target);
    }
    match proc.symlink(&leads_to, target) {
        Ok(()) => true,
        Err(errno) => complained(proc, "cannot create symbolic link", target, errno).await,
    }
}

/// Moves all bytes from one descriptor to another.
async fn pour(proc: &mut Process, from: Fd, to: Fd, source: &[u8], target: &[u8]) -> bool {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match proc.read(from, &mut chunk).await {
            Ok(0) => return true,
            Ok(count) => count,
            Err(errno) => return complained(proc, "error reading", source, errno).await,
        };
        if let Err(errno) = proc
            .write_all(to, chunk.get(..count).unwrap_or_default())
            .await
        {
            return complained(proc, "error writing", target, errno).await;
        }
    }
}

/// Makes below `directory` the directories that `source` lies in: `cp --parents`.
pub(super) async fn make_parents(proc: &mut Process, source: &[u8], directory: &[u8]) -> bool {
    let source = input::trim_slashes(source);
    for (at, _) in source.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let part = source.get(..at).unwrap_or_default();
        let made = join(directory, part);
        match proc.make_directory(&made, 0o777) {
            Ok(()) | Err(Errno::Eexist) => {}
            Err(errno) => return complained(proc, "cannot make directory", &made, errno).await,
        }
    }
    true
}
