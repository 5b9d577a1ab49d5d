//! pwd(1), the program.

use sundew_kernel::{ExitStatus, Process};

use super::about;
use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu(
    "LP",
    &[("logical", Arity::No, "L"), ("physical", Arity::No, "P")],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut logical = proc.env().value(b"POSIXLY_CORRECT").is_some();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("L") => logical = true,
            Ok("P") => logical = false,
            Ok(key) => return about::run(proc, key, "pwd").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if !options.operands().is_empty() {
        let line = [proc.name(), b": ignoring non-option arguments\n"].concat();
        proc.print_error(&line).await;
    }
    let named = proc
        .env()
        .value(b"PWD")
        .map(<[u8]>::to_vec)
        .filter(|_| logical);
    let path = match named.filter(|path| is_here(proc, path)) {
        Some(path) => path,
        None => match proc.directory() {
            Ok(path) => path,
            Err(errno) => {
                proc.complain(
                    b"couldn't find directory entry in '..' with matching i-node",
                    errno,
                )
                .await;
                return proc.status();
            }
        },
    };
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&[path.as_slice(), b"\n"].concat()).await;
    proc.status()
}

/// Whether `$PWD` is an absolute path of the working directory without dots.
fn is_here(proc: &Process, path: &[u8]) -> bool {
    let dotless = !path
        .split(|&byte| byte == b'/')
        .any(|part| part == b"." || part == b"..");
    let same = match (proc.stat(path), proc.stat(b".")) {
        (Ok(there), Ok(here)) => (there.dev, there.ino) == (here.dev, here.ino),
        _ => false,
    };
    path.starts_with(b"/") && dotless && same
}
