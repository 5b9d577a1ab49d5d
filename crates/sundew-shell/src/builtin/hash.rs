//! `hash`: where programs were found.

use sundew_kernel::Process;

use super::getopt::{Found, Options};
use super::{Answer, find};
use crate::shell::Shell;

const USAGE: &str = "hash: usage: hash [-lr] [-p pathname] [-dt] [name ...]";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut delete, mut list, mut tell, mut reset) = (false, false, false, false);
    let mut path = None;
    let mut options = Options::new(args, if shell.is_bash() { b"dlp:rt" } else { b"r" });
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'd', _) => delete = true,
            Found::Option(b'l', _) => list = true,
            Found::Option(b'p', value) if shell.is_restricted() && value.contains(&b'/') => {
                let text = [value, b": restricted"].concat();
                return Ok(shell.builtin_error(proc, args, text, 1).await);
            }
            Found::Option(b'p', value) => path = Some(value),
            Found::Option(b'r', _) => reset = true,
            Found::Option(..) => tell = true,
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    if reset {
        shell.hashed.clear();
    }
    let names = options.operands();
    if tell && names.is_empty() {
        return Ok(shell
            .builtin_error(proc, args, "-t: option requires an argument", 1)
            .await);
    }
    if names.is_empty() {
        if !reset {
            show(shell, proc, list).await;
        }
        return Ok(0);
    }
    let mut status = 0;
    for name in names {
        proc.tick().await;
        let known = if tell {
            show_one(shell, proc, name, names.len() > 1, list).await
        } else if delete {
            shell.hashed.is_empty() || shell.hashed.remove(name).is_some()
        } else if let Some(path) = path {
            shell.hashed.insert(name.clone(), (path.to_vec(), 0));
            true
        } else {
            remember(shell, proc, name)
        };
        if !known {
            status = shell
                .builtin_error(proc, args, [name.as_slice(), b": not found"].concat(), 1)
                .await;
        }
    }
    Ok(status)
}

async fn show(shell: &Shell, proc: &mut Process, reusable: bool) {
    let mut text = Vec::new();
    if shell.is_bash() && shell.hashed.is_empty() && !reusable {
        text.extend_from_slice(b"hash: hash table empty\n");
    } else if shell.is_bash() && !reusable {
        text.extend_from_slice(b"hits\tcommand\n");
    }
    let mut hashed: Vec<_> = shell.hashed.iter().collect();
    if shell.is_bash() {
        // In the order of bash's hash table, which has 256 buckets.
        hashed.sort_by_key(|(name, _)| super::hash_of(name) & 0xff);
    }
    for (name, (path, hits)) in hashed {
        if reusable {
            text.extend([b"builtin hash -p ".as_slice(), path, b" ", name, b"\n"].concat());
        } else if shell.is_bash() {
            text.extend(format!("{hits:4}\t").into_bytes());
            text.extend([path.as_slice(), b"\n"].concat());
        } else {
            text.extend([path.as_slice(), b"\n"].concat());
        }
    }
    let _checked_at_flush = proc.print(&text).await;
}

async fn show_one(
    shell: &Shell,
    proc: &mut Process,
    name: &[u8],
    several: bool,
    reusable: bool,
) -> bool {
    let Some((path, _)) = shell.hashed.get(name) else {
        return false;
    };
    let text = if reusable {
        [b"builtin hash -p ".as_slice(), path, b" ", name, b"\n"].concat()
    } else if several {
        [name, b"\t", path, b"\n"].concat()
    } else {
        [path.as_slice(), b"\n"].concat()
    };
    let _checked_at_flush = proc.print(&text).await;
    true
}

/// Looks a program up and remembers it as not yet used.
fn remember(shell: &mut Shell, proc: &Process, name: &[u8]) -> bool {
    if name.contains(&b'/') || shell.functions.contains_key(name) || find(shell, name).is_some() {
        return true;
    }
    shell.hashed.remove(name);
    let Some(path) = shell.search_path(proc, name) else {
        return false;
    };
    shell.hashed.insert(name.to_vec(), (path, 0));
    true
}
