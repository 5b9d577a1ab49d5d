//! mv(1).

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};
use sundew_vfs::{Access, Metadata};

use super::backup::Kind;
use super::copy::{Copier, Force, Links, Preserve};
use super::walk::{Follow, Stage, Walk};
use super::{about, input, target};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::mode::permissions;
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "bfint:uvS:TZ",
    &[
        ("backup", Arity::Optional, "b"),
        ("context", Arity::No, "Z"),
        ("force", Arity::No, "f"),
        ("interactive", Arity::No, "i"),
        ("no-clobber", Arity::No, "n"),
        ("no-target-directory", Arity::No, "T"),
        ("strip-trailing-slashes", Arity::No, "strip"),
        ("suffix", Arity::Required, "S"),
        ("target-directory", Arity::Required, "t"),
        ("update", Arity::No, "u"),
        ("verbose", Arity::No, "v"),
    ],
);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Protected,
    Always,
    Never,
    /// Nothing is replaced.
    Refuse,
}

struct Options {
    ask: Ask,
    update: bool,
    verbose: bool,
    backup: Option<Vec<u8>>,
    kind: Kind,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        ask: Ask::Protected,
        update: false,
        verbose: false,
        backup: None,
        kind: Kind::Existing,
    };
    let mut place = target::Place::default();
    let mut strip = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("b", value)) => {
                match Kind::parse(proc, &value).await {
                    Some(kind) => settings.kind = kind,
                    None => return proc.status(),
                }
                settings.backup = Some(settings.backup.unwrap_or_else(|| b"~".to_vec()))
            }
            Ok(("S", value)) => settings.backup = Some(value),
            Ok(("f", _)) => settings.ask = Ask::Never,
            Ok(("i", _)) => settings.ask = Ask::Always,
            Ok(("n", _)) => settings.ask = Ask::Refuse,
            Ok(("T", _)) => place.no_directory = true,
            Ok(("t", value)) => place.directory = Some(value),
            Ok(("strip", _)) => strip = true,
            Ok(("u", _)) => settings.update = true,
            Ok(("v", _)) => settings.verbose = true,
            Ok(("Z", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "mv").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut operands = options.operands();
    if strip {
        operands = operands
            .iter()
            .map(|operand| input::trim_slashes(operand).to_vec())
            .collect();
    }
    let Some(jobs) = target::settle(proc, operands, &place, false).await else {
        return proc.status();
    };
    let mut answers = LineReader::new(proc, STDIN);
    for job in jobs {
        rename(proc, &job.source, &job.target, &settings, &mut answers).await;
    }
    proc.status()
}

async fn rename(
    proc: &mut Process,
    source: &[u8],
    target: &[u8],
    settings: &Options,
    answers: &mut LineReader,
) {
    let metadata = match proc.lstat(source) {
        Ok(metadata) => metadata,
        Err(errno) => return input::complain_about(proc, "cannot stat", source, errno).await,
    };
    let existing = proc.lstat(target).ok();
    let mut backup = Vec::new();
    if let Some(existing) = existing {
        if !may_replace(
            proc, source, target, &metadata, &existing, settings, answers,
        )
        .await
        {
            return;
        }
        if let Some(suffix) = settings.backup.as_ref()
            && settings.kind != Kind::Off
            && !existing.is_dir()
        {
            backup = settings.kind.name(proc, target, suffix);
            if let Err(errno) = proc.rename(target, &backup) {
                return input::complain_about(proc, "cannot backup", target, errno).await;
            }
        }
    }
    let (from, to) = (quote::always(proc, source), quote::always(proc, target));
    match proc.rename(source, target) {
        Ok(()) => {}
        Err(Errno::Einval) => {
            let text = [
                b"cannot move ".as_slice(),
                &from,
                b" to a subdirectory of itself, ",
                &to,
            ]
            .concat();
            return proc.complain_text(text).await;
        }
        Err(Errno::Exdev) => {
            if !across(proc, source, target).await {
                return;
            }
        }
        Err(errno) => {
            let text = [b"cannot move ".as_slice(), &from, b" to ", &to].concat();
            return proc.complain(&text, errno).await;
        }
    }
    if settings.verbose {
        let kept = if backup.is_empty() {
            Vec::new()
        } else {
            [
                b" (backup: ".as_slice(),
                &quote::always(proc, &backup),
                b")",
            ]
            .concat()
        };
        let line = [b"renamed ".as_slice(), &from, b" -> ", &to, &kept, b"\n"].concat();
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(&line).await;
    }
}

async fn may_replace(
    proc: &mut Process,
    source: &[u8],
    target: &[u8],
    metadata: &Metadata,
    existing: &Metadata,
    settings: &Options,
    answers: &mut LineReader,
) -> bool {
    let (from, to) = (quote::always(proc, source), quote::always(proc, target));
    if settings.ask != Ask::Refuse
        && (metadata.dev, metadata.ino) == (existing.dev, existing.ino)
        && proc.real_path(source) == proc.real_path(target)
    {
        proc.complain_text([from.as_slice(), b" and ", &to, b" are the same file"].concat())
            .await;
        return false;
    }
    if settings.ask == Ask::Refuse || (settings.update && existing.mtime >= metadata.mtime) {
        return false;
    }
    match (metadata.is_dir(), existing.is_dir()) {
        (true, false) => {
            let text = [
                b"cannot overwrite non-directory ".as_slice(),
                &to,
                b" with directory ",
                &from,
            ]
            .concat();
            proc.complain_text(text).await;
            return false;
        }
        (false, true) => {
            let text = [
                b"cannot overwrite directory ".as_slice(),
                &to,
                b" with non-directory",
            ]
            .concat();
            proc.complain_text(text).await;
            return false;
        }
        _ => {}
    }
    let protected = !existing.is_symlink() && proc.access(target, Access::Write).is_err();
    let question = match settings.ask {
        Ask::Always if !protected => [b"overwrite ".as_slice(), &to, b"? "].concat(),
        Ask::Always | Ask::Protected
            if protected && (settings.ask == Ask::Always || proc.is_terminal(STDIN)) =>
        {
            let mode = format!(
                ", overriding mode {:04o} ({})? ",
                existing.mode,
                permissions(existing.mode)
            );
            [b"replace ".as_slice(), &to, mode.as_bytes()].concat()
        }
        _ => return true,
    };
    let prompt = [proc.name(), b": ", &question].concat();
    proc.print_error(&prompt).await;
    let answer = answers.next(proc, b'\n').await;
    matches!(answer, Ok(Some(line)) if line.starts_with(b"y") || line.starts_with(b"Y"))
}

/// Between filesystems a move is a copy and a removal.
async fn across(proc: &mut Process, source: &[u8], target: &[u8]) -> bool {
    let mut copier = Copier::new(proc);
    copier.recursive = true;
    copier.links = Links::Keep;
    copier.preserve = Preserve::ALL;
    copier.force = Force::Remove;
    if !copier.copy_operand(proc, source, target).await {
        return false;
    }
    let mut walk = Walk::new(proc, source, Follow::Never, true);
    while let Some(visit) = walk.next(proc).await {
        let result = match visit.stage {
            Stage::Before | Stage::Unreadable(_) => continue,
            Stage::After => proc.remove_directory(&visit.path),
            Stage::File => proc.unlink(&visit.path),
            Stage::Missing(errno) => Err(errno),
        };
        if let Err(errno) = result {
            input::complain_about(proc, "cannot remove", &visit.path, errno).await;
            return false;
        }
    }
    true
}
