//! Who is here: who(1), users(1), tty(1), hostid(1), sync(1).

mod line;

use sundew_kernel::{ExitStatus, Process, STDIN};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::text::input::read_all;
use crate::time::Zone;
use crate::utmp::{self, Record};

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
            ("boot", Arity::No, "b"),
            ("count", Arity::No, "q"),
            ("dead", Arity::No, "d"),
            ("heading", Arity::No, "H"),
            ("login", Arity::No, "l"),
            ("lookup", Arity::No, "lookup"),
            ("message", Arity::No, "T"),
            ("mesg", Arity::No, "T"),
            ("process", Arity::No, "p"),
            ("runlevel", Arity::No, "r"),
            ("short", Arity::No, "s"),
            ("time", Arity::No, "t"),
            ("users", Arity::No, "u"),
            ("writable", Arity::No, "T"),
        ],
    );
    let (seen, operands) = match options(proc, "who", &SPEC, 1).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    if let Some(extra) = operands.get(2) {
        return input::extra_operand(proc, extra).await;
    }
    let (records, operand) = match operands.as_slice() {
        [path] => match read_all(proc, path).await {
            Ok((bytes, _memory)) => (utmp::records(&bytes), 1),
            Err(errno) => {
                let text = [path.as_slice(), b": ", errno.message().as_bytes()].concat();
                proc.complain_text(text).await;
                return ExitStatus::FAILURE;
            }
        },
        operands => (utmp::present(proc).await, operands.len()),
    };
    if seen.contains('q') {
        let text = [
            names(&records),
            format!("\n# users={}\n", count(&records)).into_bytes(),
        ];
        return put(proc, &text.concat()).await;
    }
    let columns = line::Columns::of(&seen);
    // `who am i`, with whatever words.
    let mine = (seen.contains('m') || operand == 2).then(|| {
        let path = proc.terminal_path(STDIN).unwrap_or_default();
        path.strip_prefix(b"/dev/").unwrap_or(&path).to_vec()
    });
    let zone = Zone::of(proc).await;
    let mut text = Vec::new();
    if seen.contains('H') {
        text.extend(columns.heading());
    }
    for record in &records {
        if mine
            .as_ref()
            .is_none_or(|mine| *mine == record.line && !mine.is_empty())
        {
            text.extend(columns.row(proc, record, &zone));
        }
    }
    put(proc, &text).await
}

/// The names of those who are here, as the records have them.
fn names(records: &[Record]) -> Vec<u8> {
    let users = records.iter().filter(|record| record.is_user());
    let names: Vec<&[u8]> = users.map(|record| record.user.as_slice()).collect();
    names.join(&b' ')
}

fn count(records: &[Record]) -> usize {
    records.iter().filter(|record| record.is_user()).count()
}

pub(crate) async fn run_users(proc: &mut Process) -> ExitStatus {
    let operands = match options(proc, "users", &Spec::gnu("", &[]), 1).await {
        Ok((_, operands)) => operands,
        Err(status) => return status,
    };
    let mut records = match operands.as_slice() {
        [] => utmp::present(proc).await,
        [path] => match read_all(proc, path).await {
            Ok((bytes, _memory)) => utmp::records(&bytes),
            Err(errno) => {
                let text = [path.as_slice(), b": ", errno.message().as_bytes()].concat();
                proc.complain_text(text).await;
                return ExitStatus::FAILURE;
            }
        },
        [_, extra, ..] => return input::extra_operand(proc, extra).await,
    };
    records.sort_by(|one, other| one.user.cmp(&other.user));
    let mut text = names(&records);
    if !text.is_empty() {
        text.push(b'\n');
    }
    put(proc, &text).await
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
    let (flags, operands) = match options(proc, "sync", &SPEC, 1).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    if operands.is_empty() && flags.contains('d') {
        proc.complain_text("--data needs at least one argument")
            .await;
        return proc.status();
    }
    for path in operands {
        if let Err(errno) = proc.stat(&path) {
            input::complain_about(proc, "error opening", &path, errno).await;
        }
    }
    proc.status()
}
