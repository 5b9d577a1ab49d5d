//! uname(1) and arch(1).

use sundew_kernel::{ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu(
    "asnrvmpio",
    &[
        ("all", Arity::No, "a"),
        ("kernel-name", Arity::No, "s"),
        ("sysname", Arity::No, "s"),
        ("nodename", Arity::No, "n"),
        ("kernel-release", Arity::No, "r"),
        ("release", Arity::No, "r"),
        ("kernel-version", Arity::No, "v"),
        ("machine", Arity::No, "m"),
        ("processor", Arity::No, "p"),
        ("hardware-platform", Arity::No, "i"),
        ("operating-system", Arity::No, "o"),
    ],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut wanted = String::new();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok(key @ ("help" | "version")) => return about::run(proc, key, "uname").await,
            Ok(key) => wanted.push_str(key),
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if let Some(word) = options.operands().first() {
        return input::extra_operand(proc, word).await;
    }
    if wanted.is_empty() {
        wanted.push('s');
    }
    let (facts, hostname) = (proc.facts(), proc.hostname());
    // Debian's kernels do not say what processor and platform they are: `-a` leaves both out.
    let rows: [(char, &[u8]); 8] = [
        ('s', b"Linux"),
        ('n', &hostname),
        ('r', &facts.kernel_release),
        ('v', &facts.kernel_version),
        ('m', &facts.machine),
        ('p', b"unknown"),
        ('i', b"unknown"),
        ('o', b"GNU/Linux"),
    ];
    let all = wanted.contains('a');
    let shown = |letter: char| {
        if all {
            !"pi".contains(letter)
        } else {
            wanted.contains(letter)
        }
    };
    let words: Vec<&[u8]> = rows
        .iter()
        .filter(|row| shown(row.0))
        .map(|row| row.1)
        .collect();
    let line = [words.join(b" ".as_slice()).as_slice(), b"\n"].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
    proc.status()
}

pub(crate) async fn run_arch(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "arch").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    if let Some(word) = options.operands().first() {
        return input::extra_operand(proc, word).await;
    }
    let line = [proc.facts().machine.as_slice(), b"\n"].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
    proc.status()
}
