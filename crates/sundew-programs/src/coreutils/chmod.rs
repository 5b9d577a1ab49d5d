//! chmod(1).

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Metadata;

use super::walk::{Follow, Stage, Walk};
use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::mode::{Change, permissions};
use crate::quote;

/// Letters of modes are options too: `chmod -x file`.
const SPEC: Spec = Spec::gnu(
    "Rcfvr::w::x::X::s::t::u::g::o::a::,::+::=::0::1::2::3::4::5::6::7::",
    &[
        ("changes", Arity::No, "c"),
        ("recursive", Arity::No, "R"),
        ("no-preserve-root", Arity::No, "no-preserve-root"),
        ("preserve-root", Arity::No, "preserve-root"),
        ("quiet", Arity::No, "f"),
        ("reference", Arity::Required, "reference"),
        ("silent", Arity::No, "f"),
        ("verbose", Arity::No, "v"),
    ],
);

/// What is told of each file; chown uses it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verbosity {
    Quiet,
    Failures,
    Changes,
    All,
}

struct Job {
    change: Change,
    /// The mode came as an option: `-w` may leave bits that the mask protects, which is told.
    diagnose: bool,
    verbosity: Verbosity,
    umask: u16,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut verbosity = Verbosity::Failures;
    let (mut recursive, mut preserve_root) = (false, false);
    let (mut mode, mut reference): (Option<Vec<u8>>, _) = (None, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("R", _)) => recursive = true,
            Ok(("c", _)) => verbosity = Verbosity::Changes,
            Ok(("f", _)) => verbosity = Verbosity::Quiet,
            Ok(("v", _)) => verbosity = Verbosity::All,
            Ok(("no-preserve-root", _)) => preserve_root = false,
            Ok(("preserve-root", _)) => preserve_root = true,
            Ok(("reference", value)) => reference = Some(value),
            Ok((key @ ("help" | "version"), _)) => return about::run(proc, key, "chmod").await,
            Ok((letter, value)) => {
                let text = mode.get_or_insert_default();
                if !text.is_empty() {
                    text.push(b',');
                }
                text.extend_from_slice(&[b"-", letter.as_bytes(), &value].concat());
            }
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut operands = options.operands();
    let diagnose = mode.is_some();
    if reference.is_some() && mode.is_some() {
        return input::refuse_text(proc, "cannot combine mode and --reference options").await;
    }
    let mut last = None;
    if mode.is_none() && reference.is_none() && !operands.is_empty() {
        mode = Some(operands.remove(0));
        last.clone_from(&mode);
    }
    if operands.is_empty() {
        return match last {
            None => input::missing_operand(proc).await,
            Some(word) => input::refuse_word(proc, "missing operand after", &word).await,
        };
    }
    let change = match (reference, mode) {
        (Some(reference), _) => match proc.stat(&reference) {
            Ok(found) => Change::to(found.mode),
            Err(errno) => {
                input::complain_about(proc, "failed to get attributes of", &reference, errno).await;
                return proc.status();
            }
        },
        (None, mode) => {
            let mode = mode.unwrap_or_default();
            match Change::parse(&mode) {
                Some(change) => change,
                None => return input::refuse_word(proc, "invalid mode:", &mode).await,
            }
        }
    };
    let job = Job {
        change,
        diagnose,
        verbosity,
        umask: proc.umask(),
    };
    for path in operands {
        if recursive && preserve_root && path == b"/" {
            refuse_root(proc).await;
            continue;
        }
        let mut walk = Walk::new(proc, &path, Follow::Operand, recursive);
        while let Some(visit) = walk.next(proc).await {
            match (&visit.stage, visit.metadata) {
                (Stage::After, _) => {}
                (Stage::Missing(errno), _) if verbosity == Verbosity::Quiet => {
                    proc.set_status(1);
                    let _unsaid = errno;
                }
                (Stage::Missing(errno), _) => {
                    input::complain_about(proc, "cannot access", &visit.path, *errno).await;
                }
                (Stage::Unreadable(errno), _) => {
                    input::complain_about(proc, "cannot read directory", &visit.path, *errno).await;
                }
                (_, Some(metadata)) if metadata.is_symlink() => {
                    if visit.depth == 0 {
                        let shown = quote::always(proc, &visit.path);
                        let text =
                            [b"cannot operate on dangling symlink ", shown.as_slice()].concat();
                        proc.complain_text(text).await;
                    }
                }
                (_, Some(metadata)) => apply(proc, &visit.path, &metadata, &job).await,
                (_, None) => {}
            }
        }
    }
    proc.status()
}

/// The refusal to change all of the machine.
pub(super) async fn refuse_root(proc: &mut Process) {
    proc.complain_text("it is dangerous to operate recursively on '/'")
        .await;
    proc.complain_text("use --no-preserve-root to override this failsafe")
        .await;
}

async fn apply(proc: &mut Process, path: &[u8], metadata: &Metadata, job: &Job) {
    let old = metadata.mode;
    let new = job.change.apply(old, metadata.is_dir(), job.umask);
    if let Err(errno) = proc.change_mode(path, new) {
        if job.verbosity == Verbosity::Quiet {
            proc.set_status(1);
        } else {
            input::complain_about(proc, "changing permissions of", path, errno).await;
        }
        if job.verbosity == Verbosity::All {
            tell(proc, path, "failed to change mode of ", old, Some(new)).await;
        }
        return;
    }
    match job.verbosity {
        Verbosity::All | Verbosity::Changes if old != new => {
            tell(proc, path, "mode of ", old, Some(new)).await;
        }
        Verbosity::All => tell(proc, path, "mode of ", old, None).await,
        _ => {}
    }
    if job.diagnose {
        let naive = job.change.apply(old, metadata.is_dir(), 0);
        if new & !naive != 0 {
            let shown = quote::file(proc, path);
            let (new, naive) = (permissions(new), permissions(naive));
            let text = format!(": new permissions are {new}, not {naive}");
            proc.complain_text([shown.as_slice(), text.as_bytes()].concat())
                .await;
        }
    }
}

async fn tell(proc: &mut Process, path: &[u8], what: &str, old: u16, new: Option<u16>) {
    let shown = quote::always(proc, path);
    let old_text = format!("{old:04o} ({})", permissions(old));
    let rest = match new {
        Some(new) => {
            let verb = if what.starts_with("failed") {
                ""
            } else {
                "changed "
            };
            format!(
                " {verb}from {old_text} to {new:04o} ({})\n",
                permissions(new)
            )
        }
        None => format!(" retained as {old_text}\n"),
    };
    let line = [what.as_bytes(), &shown, rest.as_bytes()].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}
