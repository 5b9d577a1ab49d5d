//! `pidof` of procps.

use sundew_kernel::{ExitStatus, Process};

use super::{number, print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};

const SPEC: Spec = Spec::new(
    "sco:wqxS:hV",
    &[
        ("single-shot", Arity::No, "s"),
        ("omit-pid", Arity::Required, "o"),
        ("separator", Arity::Required, "S"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `pidof`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut single, mut quiet, mut scripts, mut omitted, mut separator) =
        (false, false, false, Vec::new(), b" ".to_vec());
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "s", .. }) => single = true,
            Ok(Opt { key: "q", .. }) => quiet = true,
            Ok(Opt { key: "x", .. }) => scripts = true,
            Ok(Opt {
                key: "S", value, ..
            }) => separator = value,
            Ok(Opt {
                key: "o", value, ..
            }) => {
                let parent = proc.ppid();
                let pids = value.split(|&byte| byte == b',').filter_map(|word| {
                    if word == b"%PPID" {
                        Some(parent)
                    } else {
                        number(word)
                    }
                });
                omitted.extend(pids);
            }
            Ok(Opt { key: "h", .. }) => return print_help(proc, "pidof").await,
            Ok(Opt { key: "V", .. }) => return print_version(proc, "pidof").await,
            Ok(_) => {}
            Err(error) => return refuse(proc, "pidof", Some(&error)).await,
        }
    }
    let own = proc.pid();
    let mut found = Vec::new();
    for name in options.operands() {
        let base = name
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or(&name)
            .to_vec();
        for one in proc.processes().into_iter().rev() {
            let Some(first) = one.args.first() else {
                continue;
            };
            let first = first.strip_prefix(b"-").unwrap_or(first);
            let own_base = first.rsplit(|&byte| byte == b'/').next().unwrap_or(first);
            let script = one.args.get(1).is_some_and(|word| {
                word.rsplit(|&byte| byte == b'/').next() == Some(base.as_slice())
            });
            let same = own_base == base || scripts && script || one.name == base;
            if same && one.pid != own && !omitted.contains(&one.pid) && !found.contains(&one.pid) {
                found.push(one.pid);
                if single {
                    break;
                }
            }
        }
    }
    if found.is_empty() {
        return ExitStatus::FAILURE;
    }
    if !quiet {
        let words: Vec<String> = found.iter().map(u32::to_string).collect();
        let line = words.join(&String::from_utf8_lossy(&separator)) + "\n";
        let _closed = proc.print(line.as_bytes()).await;
    }
    proc.status()
}
