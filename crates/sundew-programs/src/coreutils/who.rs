//! Who is here: who(1), users(1), tty(1), hostid(1), sync(1).
//!
//! The record of logins is empty: sessions without a terminal make none, and those with one are not
//! recorded yet.

use sundew_kernel::{ExitStatus, Process, STDIN};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};

/// Reads options that need no answer; `Err` is the status to end with.
async fn options(
    proc: &mut Process,
    name: &str,
    spec: &Spec,
    status: u8,
) -> Result<(String, Vec<Vec<u8>>), ExitStatus> {
    let mut seen = String::new();
    let mut options = Getopt::new(spec, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok(key @ ("help" | "version")) => return Err(about::run(proc, key, name).await),
            Ok(key) => seen.push_str(key),
            Err(error) => return Err(refuse(proc, &error, status).await),
        }
    }
    Ok((seen, options.operands()))
}

async fn put(proc: &mut Process, text: &[u8]) -> ExitStatus {
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(text).await;
    proc.status()
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "abdlmpqrstuwHT",
        &[
            ("all", Arity::No, "a"),
            ("count", Arity::No, "q"),
            ("heading", Arity::No, "H"),
            ("boot", Arity::No, "b"),
        ],
    );
    let (seen, operands) = match options(proc, "who", &SPEC, 1).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    if let Some(extra) = operands.get(2) {
        return input::extra_operand(proc, extra).await;
    }
    if seen.contains('q') {
        return put(proc, b"# users=0\n").await;
    }
    if seen.contains('H') {
        return put(proc, b"NAME     LINE         TIME             COMMENT\n").await;
    }
    proc.status()
}

pub(crate) async fn run_users(proc: &mut Process) -> ExitStatus {
    match options(proc, "users", &Spec::gnu("", &[]), 1).await {
        Ok((_, operands)) => match operands.get(1) {
            Some(extra) => input::extra_operand(proc, extra).await,
            None => proc.status(),
        },
        Err(status) => status,
    }
}

pub(crate) async fn run_tty(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "s",
        &[("silent", Arity::No, "s"), ("quiet", Arity::No, "s")],
    );
    let (silent, operands) = match options(proc, "tty", &SPEC, 2).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    if let Some(extra) = operands.first() {
        input::extra_operand(proc, extra).await;
        return ExitStatus::Exited(2);
    }
    let path = proc.terminal_path(STDIN).ok();
    proc.set_status(u8::from(path.is_none()));
    if !silent.is_empty() {
        return proc.status();
    }
    let mut line = path.unwrap_or_else(|| b"not a tty".to_vec());
    line.push(b'\n');
    put(proc, &line).await
}

pub(crate) async fn run_hostid(proc: &mut Process) -> ExitStatus {
    match options(proc, "hostid", &Spec::gnu("", &[]), 1).await {
        Ok((_, operands)) => {
            if let Some(extra) = operands.first() {
                return input::extra_operand(proc, extra).await;
            }
            // gethostid(3) turns the halves of the first address around.
            let address = proc
                .facts()
                .interfaces
                .iter()
                .rev()
                .find_map(|interface| interface.ipv4);
            let [a, b, c, d] = address.map_or([127, 0, 1, 1], |(address, _)| address.octets());
            put(proc, format!("{b:02x}{a:02x}{d:02x}{c:02x}\n").as_bytes()).await
        }
        Err(status) => status,
    }
}

pub(crate) async fn run_sync(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "df",
        &[("data", Arity::No, "d"), ("file-system", Arity::No, "f")],
    );
    let (_, operands) = match options(proc, "sync", &SPEC, 1).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    for path in operands {
        if let Err(errno) = proc.stat(&path) {
            input::complain_about(proc, "error opening", &path, errno).await;
        }
    }
    proc.status()
}
