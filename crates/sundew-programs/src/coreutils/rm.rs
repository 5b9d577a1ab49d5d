//! rm(1).

use std::collections::HashSet;

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};
use sundew_vfs::{Access, FileType, Metadata};

use super::walk::{Follow, Stage, Visit, Walk};
use super::{about, input};
use crate::getopt::{Arity, Error, Getopt, Spec, refuse, try_help};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "dfirvIR",
    &[
        ("force", Arity::No, "f"),
        ("interactive", Arity::Optional, "interactive"),
        ("one-file-system", Arity::No, "one-file-system"),
        ("no-preserve-root", Arity::No, "no-preserve-root"),
        ("preserve-root", Arity::Optional, "preserve-root"),
        ("recursive", Arity::No, "r"),
        ("dir", Arity::No, "d"),
        ("verbose", Arity::No, "v"),
    ],
);

/// When to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Never,
    /// For what cannot be written, on a terminal.
    Protected,
    Once,
    Always,
}

struct Options {
    ask: Ask,
    force: bool,
    recursive: bool,
    directories: bool,
    verbose: bool,
    preserve_root: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        ask: Ask::Protected,
        force: false,
        recursive: false,
        directories: false,
        verbose: false,
        preserve_root: true,
    };
    let args = proc.args().to_vec();
    let mut options = Getopt::new(&SPEC, &args);
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.has_value, option.value)) {
            Ok(("d", ..)) => settings.directories = true,
            Ok(("f", ..)) => (settings.ask, settings.force) = (Ask::Never, true),
            Ok(("i", ..)) => (settings.ask, settings.force) = (Ask::Always, false),
            Ok(("I", ..)) => (settings.ask, settings.force) = (Ask::Once, false),
            Ok(("r" | "R", ..)) => settings.recursive = true,
            Ok(("v", ..)) => settings.verbose = true,
            Ok(("interactive", true, value)) => {
                const WORDS: &[(&str, Ask)] = &[
                    ("never", Ask::Never),
                    ("no", Ask::Never),
                    ("none", Ask::Never),
                    ("once", Ask::Once),
                    ("always", Ask::Always),
                    ("yes", Ask::Always),
                ];
                match input::choose(proc, "--interactive", &value, WORDS).await {
                    Some(ask) => (settings.ask, settings.force) = (ask, false),
                    None => return proc.status(),
                }
            }
            Ok(("interactive", ..)) => (settings.ask, settings.force) = (Ask::Always, false),
            Ok(("one-file-system", ..)) => {}
            Ok(("no-preserve-root", ..)) => settings.preserve_root = false,
            Ok(("preserve-root", ..)) => settings.preserve_root = true,
            Ok((key, ..)) => return about::run(proc, key, "rm").await,
            Err(error) => return refuse_hyphen(proc, &args, &error).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return if settings.force {
            proc.status()
        } else {
            input::missing_operand(proc).await
        };
    }
    let mut answers = LineReader::new(proc, STDIN);
    if settings.ask == Ask::Once && (settings.recursive || operands.len() > 3) {
        let count = operands.len();
        let plural = if count == 1 { "" } else { "s" };
        let how = if settings.recursive {
            " recursively"
        } else {
            ""
        };
        let question = format!("remove {count} argument{plural}{how}? ");
        if !yes(proc, &mut answers, question.as_bytes()).await {
            return proc.status();
        }
    }
    for path in operands {
        remove(proc, &path, &settings, &mut answers).await;
    }
    proc.status()
}

/// A file whose name begins with a hyphen may be meant.
async fn refuse_hyphen(proc: &mut Process, args: &[Vec<u8>], error: &Error) -> ExitStatus {
    let meant = args
        .iter()
        .skip(1)
        .find(|arg| arg.len() > 1 && arg.starts_with(b"-") && proc.lstat(arg).is_ok());
    let Some(meant) = meant else {
        return refuse(proc, error, 1).await;
    };
    proc.complain_text(error.text()).await;
    let typed = quote::shell(
        &[b"./", meant.as_slice()].concat(),
        quote::Locale::of(proc),
        false,
    );
    let shown = quote::always(proc, meant);
    let line = [
        b"Try '".as_slice(),
        proc.name(),
        b" ",
        &typed,
        b"' to remove the file ",
        &shown,
        b".\n",
    ]
    .concat();
    proc.print_error(&line).await;
    try_help(proc, 1).await
}

async fn yes(proc: &mut Process, answers: &mut LineReader, question: &[u8]) -> bool {
    let prompt = [proc.name(), b": ", question].concat();
    proc.print_error(&prompt).await;
    let answer = answers.next(proc, b'\n').await;
    matches!(answer, Ok(Some(line)) if line.starts_with(b"y") || line.starts_with(b"Y"))
}

async fn remove(proc: &mut Process, path: &[u8], settings: &Options, answers: &mut LineReader) {
    if settings.recursive {
        let base = path
            .rsplit(|&byte| byte == b'/')
            .find(|part| !part.is_empty());
        if matches!(base, Some(b"." | b"..")) {
            let shown = quote::always(proc, path);
            let text = [
                b"refusing to remove '.' or '..' directory: skipping ".as_slice(),
                &shown,
            ]
            .concat();
            proc.complain_text(text).await;
            return;
        }
        if settings.preserve_root && is_root(proc, path) {
            let same = if path == b"/" {
                Vec::new()
            } else {
                b" (same as '/')".to_vec()
            };
            let shown = quote::always(proc, path);
            let text = [
                b"it is dangerous to operate recursively on ".as_slice(),
                &shown,
                &same,
            ]
            .concat();
            proc.complain_text(text).await;
            proc.complain_text("use --no-preserve-root to override this failsafe")
                .await;
            return;
        }
    }
    let mut walk = Walk::new(proc, path, Follow::Never, settings.recursive);
    // Directories in which something stays: they stay, without another word.
    let mut kept: HashSet<Vec<u8>> = HashSet::new();
    while let Some(visit) = walk.next(proc).await {
        if !step(proc, &mut walk, &visit, settings, answers, &kept).await {
            let mut parent = visit.path.as_slice();
            while let Some(slash) = parent.iter().rposition(|&byte| byte == b'/') {
                parent = parent.get(..slash).unwrap_or_default();
                if parent.len() < path.len() || !kept.insert(parent.to_vec()) {
                    break;
                }
            }
        }
    }
}

fn is_root(proc: &Process, path: &[u8]) -> bool {
    match (proc.lstat(path), proc.lstat(b"/")) {
        (Ok(found), Ok(root)) => (found.dev, found.ino) == (root.dev, root.ino),
        _ => false,
    }
}

/// One visit; whether the file is gone or will be.
async fn step(
    proc: &mut Process,
    walk: &mut Walk,
    visit: &Visit,
    settings: &Options,
    answers: &mut LineReader,
    kept: &HashSet<Vec<u8>>,
) -> bool {
    let path = visit.path.as_slice();
    let (metadata, leaving) = match (&visit.stage, visit.metadata) {
        (Stage::Missing(Errno::Enoent), _) if settings.force => return true,
        (Stage::Missing(Errno::Enotdir), _) if settings.force => return true,
        (Stage::Missing(errno) | Stage::Unreadable(errno), _) => {
            input::complain_about(proc, "cannot remove", path, *errno).await;
            return false;
        }
        (Stage::Before, Some(metadata)) if !settings.recursive => {
            if !settings.directories {
                input::complain_about(proc, "cannot remove", path, Errno::Eisdir).await;
                return false;
            }
            (metadata, true)
        }
        (Stage::Before, Some(metadata)) => {
            let is_empty = proc
                .read_directory(path)
                .is_ok_and(|entries| entries.is_empty());
            if !is_empty && !agreed(proc, path, &metadata, "descend into", settings, answers).await
            {
                walk.skip();
                return false;
            }
            return true;
        }
        (Stage::After, Some(metadata)) => (metadata, true),
        (_, Some(metadata)) => (metadata, false),
        (_, None) => return false,
    };
    if leaving && kept.contains(path) {
        return false;
    }
    if !agreed(proc, path, &metadata, "remove", settings, answers).await {
        return false;
    }
    let result = if leaving {
        proc.remove_directory(path)
    } else {
        proc.unlink(path)
    };
    match result {
        Ok(()) => {
            if settings.verbose {
                let what: &[u8] = if leaving {
                    b"removed directory "
                } else {
                    b"removed "
                };
                let line = [what, &quote::always(proc, path), b"\n"].concat();
                // A closed output is reported when the program ends.
                let _reported_at_exit = proc.print(&line).await;
            }
            true
        }
        Err(Errno::Enoent) if settings.force => true,
        Err(errno) => {
            input::complain_about(proc, "cannot remove", path, errno).await;
            false
        }
    }
}

/// Whether it may go: asks where that was wanted.
async fn agreed(
    proc: &mut Process,
    path: &[u8],
    metadata: &Metadata,
    verb: &str,
    settings: &Options,
    answers: &mut LineReader,
) -> bool {
    let protected = !metadata.is_symlink() && proc.access(path, Access::Write).is_err();
    let ask = match settings.ask {
        Ask::Never => false,
        Ask::Protected | Ask::Once => protected && proc.is_terminal(STDIN),
        Ask::Always => true,
    };
    if !ask {
        return true;
    }
    let guard = if protected { "write-protected " } else { "" };
    let kind = if verb == "descend into" {
        "directory"
    } else {
        kind(metadata)
    };
    let shown = quote::always(proc, path);
    let question = [format!("{verb} {guard}{kind} ").as_bytes(), &shown, b"? "].concat();
    yes(proc, answers, &question).await
}

/// The type of a file in words: gnulib's file_type.
pub(super) fn kind(metadata: &Metadata) -> &'static str {
    match metadata.file_type {
        FileType::Regular if metadata.size == 0 => "regular empty file",
        FileType::Regular => "regular file",
        FileType::Directory => "directory",
        FileType::Symlink => "symbolic link",
        FileType::CharDevice => "character special file",
        FileType::BlockDevice => "block special file",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
    }
}
