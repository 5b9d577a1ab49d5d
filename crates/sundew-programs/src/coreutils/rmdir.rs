//! rmdir(1).

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "pv",
    &[
        ("ignore-fail-on-non-empty", Arity::No, "ignore"),
        ("path", Arity::No, "p"),
        ("parents", Arity::No, "p"),
        ("verbose", Arity::No, "v"),
    ],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut parents, mut verbose, mut ignore) = (false, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("p") => parents = true,
            Ok("v") => verbose = true,
            Ok("ignore") => ignore = true,
            Ok(key) => return about::run(proc, key, "rmdir").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    for operand in operands {
        let mut path = operand.as_slice();
        let mut what = "failed to remove";
        loop {
            if verbose {
                let line = [
                    proc.name(),
                    b": removing directory, ",
                    &quote::always(proc, path),
                    b"\n",
                ]
                .concat();
                // A closed output is reported when the program ends.
                let _reported_at_exit = proc.print(&line).await;
            }
            match proc.remove_directory(path) {
                Ok(()) => {}
                Err(Errno::Enotempty) if ignore => break,
                Err(Errno::Enotdir)
                    if path.ends_with(b"/")
                        && proc
                            .lstat(input::trim_slashes(path))
                            .is_ok_and(|found| found.is_symlink()) =>
                {
                    let quoted = quote::always(proc, path);
                    let text = [
                        b"failed to remove ".as_slice(),
                        &quoted,
                        b": Symbolic link not followed",
                    ]
                    .concat();
                    proc.complain_text(text).await;
                    break;
                }
                Err(errno) => {
                    input::complain_about(proc, what, path, errno).await;
                    break;
                }
            }
            what = "failed to remove directory";
            let trimmed = input::trim_slashes(path);
            let Some(slash) = trimmed
                .iter()
                .rposition(|&byte| byte == b'/')
                .filter(|_| parents)
            else {
                break;
            };
            path = if slash == 0 {
                b"/"
            } else {
                input::trim_slashes(trimmed.get(..slash).unwrap_or_default())
            };
            if trimmed == b"/" {
                break;
            }
        }
    }
    proc.status()
}
