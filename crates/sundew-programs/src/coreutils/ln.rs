//! ln(1), link(1), unlink(1).

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::backup::Kind;
use super::{about, input, path, target};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "bdfinrst:vFLPS:T",
    &[
        ("backup", Arity::Optional, "b"),
        ("directory", Arity::No, "d"),
        ("no-dereference", Arity::No, "n"),
        ("no-target-directory", Arity::No, "T"),
        ("force", Arity::No, "f"),
        ("interactive", Arity::No, "i"),
        ("suffix", Arity::Required, "S"),
        ("target-directory", Arity::Required, "t"),
        ("logical", Arity::No, "L"),
        ("physical", Arity::No, "P"),
        ("relative", Arity::No, "r"),
        ("symbolic", Arity::No, "s"),
        ("verbose", Arity::No, "v"),
    ],
);

#[derive(Debug, Default)]
struct Options {
    symbolic: bool,
    force: bool,
    interactive: bool,
    logical: bool,
    relative: bool,
    verbose: bool,
    backup: Option<Vec<u8>>,
    kind: Kind,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options::default();
    let mut place = target::Place::default();
    let mut no_dereference = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("b", value)) => match Kind::parse(proc, &value).await {
                Some(Kind::Off) => settings.backup = None,
                Some(kind) => {
                    settings.kind = kind;
                    settings.backup = Some(settings.backup.unwrap_or_else(|| b"~".to_vec()));
                }
                None => return proc.status(),
            },
            Ok(("S", value)) => settings.backup = Some(value),
            Ok(("d" | "F" | "P", _)) => {}
            Ok(("f", _)) => (settings.force, settings.interactive) = (true, false),
            Ok(("i", _)) => (settings.force, settings.interactive) = (false, true),
            Ok(("L", _)) => settings.logical = true,
            Ok(("n", _)) => no_dereference = true,
            Ok(("r", _)) => settings.relative = true,
            Ok(("s", _)) => settings.symbolic = true,
            Ok(("t", value)) => place.directory = Some(value),
            Ok(("T", _)) => place.no_directory = true,
            Ok(("v", _)) => settings.verbose = true,
            Ok((key, _)) => return about::run(proc, key, "ln").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if settings.relative && !settings.symbolic {
        proc.complain_text("cannot do --relative without --symbolic")
            .await;
        return proc.status();
    }
    match operands.as_slice() {
        [only] if place.no_directory => {
            let quoted = quote::always(proc, only);
            let text = [
                b"missing destination file operand after ".as_slice(),
                &quoted,
            ]
            .concat();
            proc.complain_text(text).await;
            return crate::getopt::try_help(proc, 1).await;
        }
        [_] if place.directory.is_none() => place.directory = Some(b".".to_vec()),
        [_, last] if no_dereference && proc.lstat(last).is_ok_and(|found| found.is_symlink()) => {
            place.no_directory = true;
        }
        _ => {}
    }
    if operands.is_empty() {
        return input::refuse_text(proc, "missing file operand").await;
    }
    let Some(jobs) = target::settle(proc, operands, &place, false).await else {
        return proc.status();
    };
    let mut answers = LineReader::new(proc, STDIN);
    for mut job in jobs {
        // `ln FILE` makes it here, under its own name.
        if place.directory.as_deref() == Some(b".") {
            job.target = job
                .target
                .strip_prefix(b"./")
                .unwrap_or(&job.target)
                .to_vec();
        }
        link(proc, &job.source, &job.target, &settings, &mut answers).await;
    }
    proc.status()
}

async fn link(
    proc: &mut Process,
    source: &[u8],
    target: &[u8],
    settings: &Options,
    answers: &mut LineReader,
) {
    if !settings.symbolic {
        let found = if settings.logical {
            proc.stat(source)
        } else {
            proc.lstat(source)
        };
        match found {
            Ok(metadata) if metadata.is_dir() => {
                let shown = quote::file(proc, source);
                let text = [shown.as_slice(), b": hard link not allowed for directory"].concat();
                return proc.complain_text(text).await;
            }
            Ok(_) => {}
            Err(errno) => {
                return input::complain_about(proc, "failed to access", source, errno).await;
            }
        }
    }
    let mut backup = Vec::new();
    if let Ok(existing) = proc.lstat(target) {
        if existing.is_dir() {
            let shown = quote::file(proc, target);
            let text = [shown.as_slice(), b": cannot overwrite directory"].concat();
            if settings.force || settings.interactive || settings.backup.is_some() {
                return proc.complain_text(text).await;
            }
        } else if !settings.symbolic && settings.force && same_file(proc, source, target) {
            let (from, to) = (quote::always(proc, source), quote::always(proc, target));
            let text = [from.as_slice(), b" and ", &to, b" are the same file"].concat();
            return proc.complain_text(text).await;
        } else if settings.interactive {
            let shown = quote::always(proc, target);
            let prompt = [proc.name(), b": replace ", &shown, b"? "].concat();
            proc.print_error(&prompt).await;
            let answer = answers.next(proc, b'\n').await;
            if !matches!(answer, Ok(Some(line)) if line.starts_with(b"y") || line.starts_with(b"Y"))
            {
                return;
            }
        }
        if let Some(suffix) = settings.backup.as_ref().filter(|_| !existing.is_dir()) {
            backup = settings.kind.name(proc, target, suffix);
            if let Err(errno) = proc.rename(target, &backup) {
                return input::complain_about(proc, "cannot backup", target, errno).await;
            }
        } else if !existing.is_dir()
            && (settings.force || settings.interactive)
            && let Err(errno) = proc.unlink(target)
        {
            return input::complain_about(proc, "cannot remove", target, errno).await;
        }
    }
    let relative = settings.relative.then(|| relative(proc, source, target));
    let source = relative.as_deref().unwrap_or(source);
    let result = if settings.symbolic {
        proc.symlink(source, target)
    } else {
        proc.link(source, target, settings.logical)
    };
    if let Err(errno) = result {
        return refuse_link(proc, source, target, settings.symbolic, errno).await;
    }
    if settings.verbose {
        let arrow: &[u8] = if settings.symbolic { b" -> " } else { b" => " };
        let kept = if backup.is_empty() {
            Vec::new()
        } else {
            [quote::always(proc, &backup).as_slice(), b" ~ "].concat()
        };
        let (from, to) = (quote::always(proc, source), quote::always(proc, target));
        let line = [kept.as_slice(), &to, arrow, &from, b"\n"].concat();
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(&line).await;
    }
}

fn same_file(proc: &Process, source: &[u8], target: &[u8]) -> bool {
    proc.real_path(source)
        .is_ok_and(|path| proc.real_path(target) == Ok(path))
}

/// `source` as seen from the directory of `target`.
fn relative(proc: &Process, source: &[u8], target: &[u8]) -> Vec<u8> {
    let source =
        path::canonical(proc, source, path::Missing::All).unwrap_or_else(|_| proc.absolute(source));
    let directory = path::parent(&proc.absolute(target));
    let directory = proc.real_path(&directory).unwrap_or(directory);
    path::relative(&source, &directory)
}

async fn refuse_link(
    proc: &mut Process,
    source: &[u8],
    target: &[u8],
    symbolic: bool,
    errno: Errno,
) {
    let (from, to) = (quote::always(proc, source), quote::always(proc, target));
    let short = matches!(
        errno,
        Errno::Edquot | Errno::Eexist | Errno::Enospc | Errno::Erofs
    );
    let text = match (symbolic, errno) {
        (true, Errno::Enametoolong) => [
            b"failed to create symbolic link ".as_slice(),
            &to,
            b" -> ",
            &from,
        ]
        .concat(),
        (true, _) => [b"failed to create symbolic link ".as_slice(), &to].concat(),
        (false, Errno::Emlink) => [b"failed to create hard link to ".as_slice(), &from].concat(),
        (false, _) if short => [b"failed to create hard link ".as_slice(), &to].concat(),
        (false, _) => [
            b"failed to create hard link ".as_slice(),
            &to,
            b" => ",
            &from,
        ]
        .concat(),
    };
    proc.complain(&text, errno).await;
}

/// The operands of link and unlink, exactly `count`; `Err` is the status to end with.
async fn exactly(proc: &mut Process, name: &str, count: usize) -> Result<Vec<Vec<u8>>, ExitStatus> {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return Err(match option {
            Ok(option) => about::run(proc, option.key, name).await,
            Err(error) => refuse(proc, &error, 1).await,
        });
    }
    let operands = options.operands();
    if let Some(extra) = operands.get(count) {
        return Err(input::extra_operand(proc, extra).await);
    }
    if operands.len() < count {
        return Err(match operands.first() {
            Some(only) => input::refuse_word(proc, "missing operand after", only).await,
            None => input::missing_operand(proc).await,
        });
    }
    Ok(operands)
}

pub(crate) async fn run_link(proc: &mut Process) -> ExitStatus {
    let operands = match exactly(proc, "link", 2).await {
        Ok(operands) => operands,
        Err(status) => return status,
    };
    if let [source, target] = operands.as_slice()
        && let Err(errno) = proc.link(source, target, false)
    {
        let (from, to) = (quote::always(proc, source), quote::always(proc, target));
        proc.complain(
            &[b"cannot create link ", to.as_slice(), b" to ", &from].concat(),
            errno,
        )
        .await;
    }
    proc.status()
}

pub(crate) async fn run_unlink(proc: &mut Process) -> ExitStatus {
    let operands = match exactly(proc, "unlink", 1).await {
        Ok(operands) => operands,
        Err(status) => return status,
    };
    for path in operands {
        if let Err(errno) = proc.unlink(&path) {
            input::complain_about(proc, "cannot unlink", &path, errno).await;
        }
    }
    proc.status()
}
