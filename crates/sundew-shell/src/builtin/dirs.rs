//! `dirs`, `pushd`, `popd`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

const DIRS_USAGE: &str = "dirs: usage: dirs [-clpv] [+N] [-N]\n";
const PUSHD_USAGE: &str = "pushd: usage: pushd [-n] [+N | -N | dir]\n";
const POPD_USAGE: &str = "popd: usage: popd [-n] [+N | -N]\n";

/// Most directories that are kept; real stacks are bounded by memory alone.
const MAX_DIRECTORIES: usize = 4096;

/// `+N` counts from the left of what `dirs` shows, `-N` from the right.
#[derive(Debug, Clone, Copy)]
enum Place {
    FromLeft(usize),
    FromRight(usize),
}

impl Place {
    /// `None` if it is no number.
    fn parse(text: &[u8]) -> Option<Self> {
        let (&sign, digits) = text.split_first()?;
        let number = std::str::from_utf8(digits).ok()?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = number.parse().unwrap_or(usize::MAX);
        Some(if sign == b'-' {
            Self::FromRight(number)
        } else {
            Self::FromLeft(number)
        })
    }

    /// The index among `count` directories, the current one first.
    fn index(self, count: usize) -> Option<usize> {
        match self {
            Self::FromLeft(number) => Some(number).filter(|index| *index < count),
            Self::FromRight(number) => count.checked_sub(1)?.checked_sub(number),
        }
    }
}

/// The current directory and those below it.
fn all(shell: &Shell, proc: &Process) -> Vec<Vec<u8>> {
    let mut all = vec![
        shell
            .current_directory(proc, false)
            .unwrap_or_else(|_| b".".to_vec()),
    ];
    all.extend(shell.directory_stack.iter().cloned());
    all
}

/// With `~` for the home directory.
fn short(shell: &Shell, path: &[u8]) -> Vec<u8> {
    let home = shell.variables.scalar(b"HOME").unwrap_or_default();
    match path.strip_prefix(home) {
        Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with(b"/")) => {
            [b"~", rest].concat()
        }
        _ => path.to_vec(),
    }
}

async fn print_stack(shell: &Shell, proc: &mut Process) {
    let shown: Vec<Vec<u8>> = all(shell, proc)
        .iter()
        .map(|path| short(shell, path))
        .collect();
    let _checked_at_flush = proc
        .print(&[shown.join(&b' ').as_slice(), b"\n"].concat())
        .await;
}

/// Complains of an argument, then the usage; status 2.
async fn misuse(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    arg: &[u8],
    what: &str,
    usage: &str,
) -> Answer {
    shell
        .builtin_error(proc, args, [arg, b": ", what.as_bytes()].concat(), 2)
        .await;
    proc.print_error(usage.as_bytes()).await;
    Ok(2)
}

/// A place that there is none at; status 1.
async fn out_of_range(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], shown: &[u8]) -> Answer {
    let text = if shell.directory_stack.is_empty() {
        b"directory stack empty".to_vec()
    } else {
        [shown, b": directory stack index out of range"].concat()
    };
    Ok(shell.builtin_error(proc, args, text, 1).await)
}

pub(super) async fn run_dirs(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut long, mut lines, mut numbers, mut clear) = (false, false, false, false);
    let mut place = None;
    for arg in args.iter().skip(1) {
        match arg.as_slice() {
            b"-l" => long = true,
            b"-p" => lines = true,
            b"-v" => (lines, numbers) = (true, true),
            b"-c" => clear = true,
            b"--" => break,
            [b'+' | b'-', digits @ ..] => match Place::parse(arg) {
                Some(found) => place = Some((found, digits)),
                None => return misuse(shell, proc, args, arg, "invalid number", DIRS_USAGE).await,
            },
            _ => return misuse(shell, proc, args, arg, "invalid option", DIRS_USAGE).await,
        }
    }
    if clear {
        shell.directory_stack.clear();
        return Ok(0);
    }
    let all = all(shell, proc);
    let show = |path: &[u8]| {
        if long {
            path.to_vec()
        } else {
            short(shell, path)
        }
    };
    let mut text = Vec::new();
    if let Some((place, digits)) = place {
        let Some((index, path)) = place
            .index(all.len())
            .and_then(|index| Some((index, all.get(index)?)))
        else {
            return out_of_range(shell, proc, args, digits).await;
        };
        if numbers {
            text.extend(format!("{index:2}  ").into_bytes());
        }
        text.extend([show(path).as_slice(), b"\n"].concat());
    } else if lines {
        for (index, path) in all.iter().enumerate() {
            if numbers {
                text.extend(format!("{index:2}  ").into_bytes());
            }
            text.extend([show(path).as_slice(), b"\n"].concat());
        }
    } else {
        text = all
            .iter()
            .map(|path| show(path))
            .collect::<Vec<_>>()
            .join(&b' ');
        text.push(b'\n');
    }
    let _checked_at_flush = proc.print(&text).await;
    Ok(0)
}

/// Goes to a directory; the status if that fails.
async fn go(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    path: &[u8],
) -> Result<(), u8> {
    let physical = shell.options.is_set("physical");
    match shell.change_directory(proc, path, physical) {
        Ok(_) => Ok(()),
        Err(errno) => {
            let text = [path, b": ", errno.message().as_bytes()].concat();
            Err(shell.builtin_error(proc, args, text, 1).await)
        }
    }
}

pub(super) async fn run_pushd(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut stay = false;
    if shell.is_restricted() && args.get(1).is_none_or(|first| first != b"-n") {
        return Ok(shell.builtin_error(proc, args, "restricted", 1).await);
    }
    let mut rest = args.get(1..).unwrap_or_default();
    let mut place = None;
    while let Some((arg, after)) = rest.split_first() {
        match arg.as_slice() {
            b"--" => {
                rest = after;
                break;
            }
            b"-n" => stay = true,
            b"-" => break,
            [b'+' | b'-', ..] => match Place::parse(arg) {
                Some(found) => place = Some((found, arg)),
                None => return misuse(shell, proc, args, arg, "invalid number", PUSHD_USAGE).await,
            },
            _ => break,
        }
        rest = after;
    }
    if let Some((place, arg)) = place {
        return rotate(shell, proc, args, place, arg, stay).await;
    }
    let Some((directory, more)) = rest.split_first() else {
        if stay {
            return Ok(0);
        }
        if shell.directory_stack.is_empty() {
            return Ok(shell
                .builtin_error(proc, args, "no other directory", 1)
                .await);
        }
        return rotate(shell, proc, args, Place::FromLeft(1), b"+1", false).await;
    };
    if !more.is_empty() {
        return Ok(shell
            .builtin_error(proc, args, "too many arguments", 1)
            .await);
    }
    if shell.directory_stack.len() >= MAX_DIRECTORIES {
        return Ok(shell
            .builtin_error(proc, args, "cannot allocate memory", 1)
            .await);
    }
    if stay {
        shell.directory_stack.insert(0, directory.clone());
    } else {
        let before = all(shell, proc).swap_remove(0);
        let mut target = directory.clone();
        if directory == b"-" {
            let Some(old) = shell.variables.scalar(b"OLDPWD") else {
                return Ok(shell.builtin_error(proc, args, "OLDPWD not set", 1).await);
            };
            target = old.to_vec();
        }
        if let Err(status) = go(shell, proc, args, &target).await {
            return Ok(status);
        }
        if directory == b"-" {
            let _checked_at_flush = proc.print(&[target.as_slice(), b"\n"].concat()).await;
        }
        shell.directory_stack.insert(0, before);
    }
    print_stack(shell, proc).await;
    Ok(0)
}

/// `pushd +N`: the directory there comes first. Without arguments only the first two change places.
async fn rotate(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    place: Place,
    shown: &[u8],
    stay: bool,
) -> Answer {
    let mut directories = all(shell, proc);
    let Some(index) = place.index(directories.len()) else {
        return out_of_range(shell, proc, args, shown).await;
    };
    if args.len() == 1 {
        directories.swap(0, 1);
    } else {
        directories.rotate_left(index);
    }
    let first = directories.remove(0);
    if !stay && let Err(status) = go(shell, proc, args, &first).await {
        return Ok(status);
    }
    shell.directory_stack = directories;
    if !stay {
        print_stack(shell, proc).await;
    }
    Ok(0)
}

pub(super) async fn run_popd(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut stay = false;
    let mut place = (Place::FromLeft(0), b"+0".as_slice());
    for arg in args.iter().skip(1) {
        match arg.as_slice() {
            b"--" => break,
            b"-n" => stay = true,
            [b'+' | b'-', ..] => match Place::parse(arg) {
                Some(found) => place = (found, arg),
                None => return misuse(shell, proc, args, arg, "invalid number", POPD_USAGE).await,
            },
            _ => return misuse(shell, proc, args, arg, "invalid argument", POPD_USAGE).await,
        }
    }
    let count = shell.directory_stack.len() + 1;
    let index = place.0.index(count).filter(|_| count > 1);
    let Some(index) = index else {
        return out_of_range(shell, proc, args, place.1).await;
    };
    match index.checked_sub(1) {
        Some(below) => drop(shell.directory_stack.remove(below)),
        // The current directory is not on the list: with `-n` the one after it goes.
        None if stay => drop(shell.directory_stack.remove(0)),
        None => {
            let target = shell.directory_stack.first().cloned().unwrap_or_default();
            if let Err(status) = go(shell, proc, args, &target).await {
                return Ok(status);
            }
            shell.directory_stack.remove(0);
        }
    }
    print_stack(shell, proc).await;
    Ok(0)
}
