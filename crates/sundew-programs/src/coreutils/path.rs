//! Paths as text: basename(1), dirname(1), readlink(1), realpath(1), pathchk(1).

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

/// Most links followed on the way, as Linux does.
const MAX_LINKS: usize = 40;

/// Which parts of a path may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// None: `-e`.
    None,
    /// The last: `-f`.
    Last,
    /// Any: `-m`.
    All,
}

/// The absolute path without links, of what need not exist.
pub(super) fn canonical(proc: &Process, path: &[u8], missing: Missing) -> Result<Vec<u8>, Errno> {
    if path.is_empty() {
        return Err(Errno::Enoent);
    }
    if let Ok(real) = proc.real_path(path) {
        return Ok(real);
    }
    let mut done: Vec<u8> = if path.starts_with(b"/") {
        Vec::new()
    } else {
        proc.directory()?
    };
    if done == b"/" {
        done.clear();
    }
    let mut parts: Vec<Vec<u8>> = path
        .split(|&byte| byte == b'/')
        .rev()
        .map(<[u8]>::to_vec)
        .collect();
    let mut links = 0;
    while let Some(part) = parts.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                let at = done.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                done.truncate(at);
                continue;
            }
            _ => {}
        }
        let next = [done.as_slice(), b"/", &part].concat();
        let is_last = parts.iter().all(|part| part.is_empty());
        match proc.read_link(&next) {
            Ok(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::Eloop);
                }
                if target.starts_with(b"/") {
                    done.clear();
                }
                parts.extend(target.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec));
                continue;
            }
            // It is there, and no link.
            Err(Errno::Einval) => {
                let is_directory = proc.stat(&next).is_ok_and(|found| found.is_dir());
                if !parts.is_empty() && !is_directory && missing != Missing::All {
                    return Err(Errno::Enotdir);
                }
            }
            Err(errno) => match missing {
                Missing::All => {}
                Missing::Last if is_last && errno == Errno::Enoent => {}
                _ => return Err(errno),
            },
        }
        done = next;
    }
    if done.is_empty() {
        done.push(b'/');
    }
    Ok(done)
}

/// Everything in front of the last component.
pub(super) fn parent(path: &[u8]) -> Vec<u8> {
    let trimmed = input::trim_slashes(path);
    match trimmed.iter().rposition(|&byte| byte == b'/') {
        None => b".".to_vec(),
        Some(at) => {
            let parent = input::trim_slashes(trimmed.get(..at).unwrap_or_default());
            if parent.is_empty() {
                b"/".to_vec()
            } else {
                parent.to_vec()
            }
        }
    }
}

/// An absolute path as seen from an absolute directory.
pub(super) fn relative(path: &[u8], from: &[u8]) -> Vec<u8> {
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    };
    let (path, from) = (parts(path), parts(from));
    let common = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let mut out: Vec<Vec<u8>> = vec![b"..".to_vec(); from.len() - common];
    out.extend(path.into_iter().skip(common));
    if out.is_empty() {
        b".".to_vec()
    } else {
        out.join(&b'/')
    }
}

/// Prints results, each with its end.
async fn put(proc: &mut Process, text: &[u8], zero: bool) {
    let line = [text, if zero { b"\0" } else { b"\n" }].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}

pub(crate) async fn run_basename(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "+as:z",
        &[
            ("multiple", Arity::No, "a"),
            ("suffix", Arity::Required, "s"),
            ("zero", Arity::No, "z"),
        ],
    );
    let (mut multiple, mut suffix, mut zero) = (false, Vec::new(), false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("a", _)) => multiple = true,
            Ok(("s", value)) => (multiple, suffix) = (true, value),
            Ok(("z", _)) => zero = true,
            Ok((key, _)) => return about::run(proc, key, "basename").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    if !multiple {
        if let Some(extra) = operands.get(2) {
            return input::extra_operand(proc, extra).await;
        }
        if operands.len() == 2 {
            suffix = operands.pop().unwrap_or_default();
        }
    }
    for path in operands {
        let name = input::base(&path);
        let cut = name
            .strip_suffix(suffix.as_slice())
            .filter(|cut| !cut.is_empty())
            .unwrap_or(name);
        put(proc, cut, zero).await;
    }
    proc.status()
}

pub(crate) async fn run_dirname(proc: &mut Process) -> ExitStatus {
    let mut zero = false;
    let mut options = Getopt::new(&Spec::gnu("z", &[("zero", Arity::No, "z")]), proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("z") => zero = true,
            Ok(key) => return about::run(proc, key, "dirname").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    for path in operands {
        put(proc, &parent(&path), zero).await;
    }
    proc.status()
}

pub(crate) async fn run_readlink(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "efmnqsvz",
        &[
            ("canonicalize", Arity::No, "f"),
            ("canonicalize-existing", Arity::No, "e"),
            ("canonicalize-missing", Arity::No, "m"),
            ("no-newline", Arity::No, "n"),
            ("quiet", Arity::No, "q"),
            ("silent", Arity::No, "q"),
            ("verbose", Arity::No, "v"),
            ("zero", Arity::No, "z"),
        ],
    );
    let (mut mode, mut newline, mut verbose, mut zero) = (None, true, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("e") => mode = Some(Missing::None),
            Ok("f") => mode = Some(Missing::Last),
            Ok("m") => mode = Some(Missing::All),
            Ok("n") => newline = false,
            Ok("q" | "s") => verbose = false,
            Ok("v") => verbose = true,
            Ok("z") => zero = true,
            Ok(key) => return about::run(proc, key, "readlink").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    if operands.len() > 1 && !newline {
        let line = [
            proc.name(),
            b": ignoring --no-newline with multiple arguments\n",
        ]
        .concat();
        proc.print_error(&line).await;
        newline = true;
    }
    for path in operands {
        let result = match mode {
            Some(missing) => canonical(proc, &path, missing),
            None => proc.read_link(&path),
        };
        match result {
            Ok(found) if newline => put(proc, &found, zero).await,
            Ok(found) => {
                // A closed output is reported when the program ends.
                let _reported_at_exit = proc.print(&found).await;
            }
            Err(errno) if verbose => input::complain(proc, &path, errno).await,
            Err(_) => proc.set_status(1),
        }
    }
    proc.status()
}

pub(crate) async fn run_realpath(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "eLmPqsz",
        &[
            ("canonicalize-existing", Arity::No, "e"),
            ("canonicalize-missing", Arity::No, "m"),
            ("relative-to", Arity::Required, "relative-to"),
            ("relative-base", Arity::Required, "relative-base"),
            ("quiet", Arity::No, "q"),
            ("strip", Arity::No, "s"),
            ("no-symlinks", Arity::No, "s"),
            ("zero", Arity::No, "z"),
            ("logical", Arity::No, "L"),
            ("physical", Arity::No, "P"),
        ],
    );
    let (mut missing, mut quiet, mut strip, mut zero) = (Missing::Last, false, false, false);
    let (mut to, mut base) = (None, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("e", _)) => missing = Missing::None,
            Ok(("m", _)) => missing = Missing::All,
            Ok(("L" | "P", _)) => {}
            Ok(("q", _)) => quiet = true,
            Ok(("s", _)) => strip = true,
            Ok(("z", _)) => zero = true,
            Ok(("relative-to", value)) => to = Some(value),
            Ok(("relative-base", value)) => base = Some(value),
            Ok((key, _)) => return about::run(proc, key, "realpath").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    let find = |proc: &Process, path: &[u8]| {
        if strip {
            Ok(proc.absolute(path))
        } else {
            canonical(proc, path, missing)
        }
    };
    let to = to.map(|path| find(proc, &path).unwrap_or(path));
    let base = base.map(|path| find(proc, &path).unwrap_or(path));
    for path in operands {
        match find(proc, &path) {
            Ok(found) => {
                let inside = base.as_ref().is_none_or(|base| {
                    found == *base
                        || found.starts_with(&[base.as_slice(), b"/"].concat())
                        || base == b"/"
                });
                let shown = match to.as_ref().or(base.as_ref()).filter(|_| inside) {
                    Some(from) => relative(&found, from),
                    None => found,
                };
                put(proc, &shown, zero).await;
            }
            Err(_) if quiet => proc.set_status(1),
            Err(errno) => input::complain(proc, &path, errno).await,
        }
    }
    proc.status()
}

pub(crate) async fn run_pathchk(proc: &mut Process) -> ExitStatus {
    /// Longest component and path on ext4: NAME_MAX and PATH_MAX.
    const NAME_MAX: usize = 255;
    const PATH_MAX: usize = 4096;
    let (mut portable, mut strict) = (false, false);
    let mut options = Getopt::new(
        &Spec::gnu("pP", &[("portability", Arity::No, "all")]),
        proc.args(),
    );
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("p") => portable = true,
            Ok("P") => strict = true,
            Ok("all") => (portable, strict) = (true, true),
            Ok(key) => return about::run(proc, key, "pathchk").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    let (name_max, path_max) = if portable {
        (14, 256)
    } else {
        (NAME_MAX, PATH_MAX)
    };
    for path in operands {
        let shown = quote::always(proc, &path);
        let odd = path
            .iter()
            .find(|byte| !(byte.is_ascii_alphanumeric() || b"._-/".contains(byte)))
            .filter(|_| portable);
        let long = path
            .split(|&byte| byte == b'/')
            .find(|part| part.len() > name_max);
        let hyphen = strict
            && path
                .split(|&byte| byte == b'/')
                .any(|part| part.starts_with(b"-"));
        if hyphen {
            proc.complain_text(
                [
                    b"leading '-' in a component of file name ",
                    shown.as_slice(),
                ]
                .concat(),
            )
            .await;
        } else if (portable || strict) && path.is_empty() {
            proc.complain_text("empty file name").await;
        } else if let Some(odd) = odd {
            let odd = quote::text(proc, &[*odd]);
            let text = [
                b"nonportable character ".as_slice(),
                &odd,
                b" in file name ",
                &shown,
            ]
            .concat();
            proc.complain_text(text).await;
        } else if path.is_empty() {
            proc.complain(b"''", Errno::Enoent).await;
        } else if path.len() >= path_max {
            let (limit, length) = (path_max - 1, path.len());
            let text = format!("limit {limit} exceeded by length {length} of file name ");
            proc.complain_text([text.as_bytes(), &shown].concat()).await;
        } else if let Some(long) = long {
            let part = quote::text(proc, long);
            let text = format!(
                "limit {name_max} exceeded by length {} of file name component ",
                long.len()
            );
            proc.complain_text([text.as_bytes(), &part].concat()).await;
        } else if let Err(errno @ (Errno::Enotdir | Errno::Eacces)) = proc.lstat(&path) {
            input::complain(proc, &path, errno).await;
        }
    }
    proc.status()
}
