//! mkdir(1).

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::mode::Change;
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "pm:vZ",
    &[
        ("context", Arity::Optional, "Z"),
        ("mode", Arity::Required, "m"),
        ("parents", Arity::No, "p"),
        ("verbose", Arity::No, "v"),
    ],
);

struct Options {
    parents: bool,
    verbose: bool,
    mode: Option<Change>,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        parents: false,
        verbose: false,
        mode: None,
    };
    let mut mode = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("p", _)) => settings.parents = true,
            Ok(("m", value)) => mode = Some(value),
            Ok(("v", _)) => settings.verbose = true,
            Ok(("Z", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "mkdir").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    if let Some(text) = mode {
        match Change::parse(&text) {
            Some(change) => settings.mode = Some(change),
            None => return input::complain_word(proc, "invalid mode", &text).await,
        }
    }
    for path in operands {
        let result = if settings.parents {
            make_parents(proc, &path, &settings).await
        } else {
            make(proc, &path, &settings)
                .await
                .map_err(|errno| (path.clone(), errno))
        };
        if let Err((path, errno)) = result {
            let path = quote::text(proc, &path);
            proc.complain(
                &[b"cannot create directory ", path.as_slice()].concat(),
                errno,
            )
            .await;
        }
    }
    proc.status()
}

/// Makes one directory, with its mode.
async fn make(proc: &mut Process, path: &[u8], settings: &Options) -> Result<(), Errno> {
    proc.make_directory(path, 0o777)?;
    if let Some(change) = &settings.mode {
        let umask = proc.umask();
        let base = proc.stat(path)?.mode & 0o7000;
        proc.change_mode(path, change.apply(0o777 | base, true, umask))?;
    }
    announce(proc, path, settings).await;
    Ok(())
}

async fn announce(proc: &mut Process, path: &[u8], settings: &Options) {
    if settings.verbose {
        let line = [
            proc.name(),
            b": created directory ",
            &quote::always(proc, path),
            b"\n",
        ]
        .concat();
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(&line).await;
    }
}

/// Makes what is missing on the way; what exists is fine if it is a directory.
async fn make_parents(
    proc: &mut Process,
    path: &[u8],
    settings: &Options,
) -> Result<(), (Vec<u8>, Errno)> {
    let is_directory =
        |proc: &Process, path: &[u8]| proc.stat(path).is_ok_and(|found| found.is_dir());
    let trimmed = input::trim_slashes(path);
    for (at, _) in trimmed
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'/' && *at > 0)
    {
        proc.tick().await;
        let parent = trimmed.get(..at).unwrap_or_default();
        if parent.ends_with(b"/") {
            continue;
        }
        match proc.make_directory(parent, 0o777) {
            Ok(()) => {
                // The owner must be able to go on, whatever the mask says.
                if let Ok(made) = proc.stat(parent)
                    && made.mode & 0o300 != 0o300
                {
                    proc.change_mode(parent, made.mode | 0o300)
                        .map_err(|errno| (parent.to_vec(), errno))?;
                }
                announce(proc, parent, settings).await;
            }
            Err(_) if is_directory(proc, parent) => {}
            Err(Errno::Eexist) => return Err((parent.to_vec(), Errno::Enotdir)),
            Err(errno) => return Err((parent.to_vec(), errno)),
        }
    }
    match make(proc, path, settings).await {
        Err(_) if is_directory(proc, path) => Ok(()),
        result => result.map_err(|errno| (path.to_vec(), errno)),
    }
}
