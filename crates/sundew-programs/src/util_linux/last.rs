//! `last`, `lastb`: the records of logins in `/var/log/wtmp` and `/var/log/btmp`; utmp(5).

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Timestamp;

use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;
use crate::time::{Shown, Zone};
use crate::utmp::{self, Kind, Record};

const SPEC: Spec = Spec::new(
    "0123456789adf:FhiNn:pRs:t:wxV",
    &[
        ("hostlast", Arity::No, "a"),
        ("dns", Arity::No, "d"),
        ("file", Arity::Required, "f"),
        ("fulltimes", Arity::No, "F"),
        ("fullnames", Arity::No, "w"),
        ("help", Arity::No, "h"),
        ("ip", Arity::No, "i"),
        ("limit", Arity::Required, "n"),
        ("nohostname", Arity::No, "R"),
        ("present", Arity::Required, "p"),
        ("since", Arity::Required, "s"),
        ("system", Arity::No, "x"),
        ("time-format", Arity::Required, "time"),
        ("until", Arity::Required, "t"),
        ("version", Arity::No, "V"),
    ],
);

#[derive(Debug, Default)]
struct Options {
    /// Failed logins, which are records of another kind.
    bad: bool,
    full_times: bool,
    wide: bool,
    no_host: bool,
    host_last: bool,
    system: bool,
    limit: Option<usize>,
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let bad = proc.base_name() == b"lastb";
    let mut path = format!("/var/log/{}tmp", if bad { 'b' } else { 'w' }).into_bytes();
    let mut options = Options {
        bad,
        ..Options::default()
    };
    let mut digits = String::new();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return super::refuse(proc, &error).await,
        };
        match option.key {
            "a" => options.host_last = true,
            "f" => path = option.value,
            "F" => options.full_times = true,
            "w" => options.wide = true,
            "R" => options.no_host = true,
            "x" => options.system = true,
            "time" => match option.value.as_slice() {
                b"short" => options.full_times = false,
                b"full" => options.full_times = true,
                b"notime" | b"iso" => {}
                other => {
                    let text = [b"unknown time format: ".as_slice(), other].concat();
                    proc.complain_text(text).await;
                    return ExitStatus::FAILURE;
                }
            },
            "n" => {
                let number = std::str::from_utf8(&option.value)
                    .ok()
                    .and_then(|text| text.parse().ok());
                let Some(number) = number else {
                    let text =
                        [b"failed to parse number: '", option.value.as_slice(), b"'"].concat();
                    proc.complain_text(text).await;
                    return ExitStatus::FAILURE;
                };
                options.limit = Some(number);
            }
            "h" => return super::help(proc, "last").await,
            "V" => return super::version(proc).await,
            digit if digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit() => {
                digits.push_str(digit)
            }
            _ => {}
        }
    }
    if !digits.is_empty() {
        options.limit = digits.parse().ok();
    }
    let names = getopt.operands();
    let (bytes, _memory) = match input::read_all(proc, &path).await {
        Ok(read) => read,
        Err(errno) => {
            let text = [
                b"cannot open ",
                path.as_slice(),
                b": ",
                errno.message().as_bytes(),
            ]
            .concat();
            proc.complain_text(text).await;
            return ExitStatus::FAILURE;
        }
    };
    let records = utmp::records(&bytes);
    let zone = Zone::of(proc).await;
    show(proc, &options, &records, &names, &zone).await;
    let begins = records.first().map_or_else(
        || {
            proc.stat(&path)
                .map(|metadata| metadata.ctime)
                .unwrap_or_default()
        },
        |first| Timestamp {
            secs: first.at,
            nanos: 0,
        },
    );
    let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(&path);
    let when = Shown::new(begins, &zone).format(b"%a %b %e %H:%M:%S %Y");
    let line = [b"\n", base, b" begins ", &when, b"\n"].concat();
    let _reported_at_exit = proc.print(&line).await;
    proc.status()
}

/// How a session ended.
enum End {
    At(i64),
    Crash(i64),
    Down(i64),
    StillIn,
    Running,
    Gone,
}

async fn show(
    proc: &mut Process,
    options: &Options,
    records: &[Record],
    names: &[Vec<u8>],
    zone: &Zone,
) {
    let mut left = options.limit.unwrap_or(usize::MAX);
    // What comes later, read from the end: when each line was given up, and the next boot.
    let mut ends: std::collections::HashMap<Vec<u8>, i64> = std::collections::HashMap::new();
    let mut down: Option<(i64, bool)> = None;
    for record in records.iter().rev() {
        if left == 0 {
            break;
        }
        proc.tick().await;
        let line = record.line.clone();
        let (user, line, end) = match record.kind {
            Kind::Boot => {
                let end = down.map_or(End::Running, |(at, _)| End::At(at));
                down = Some((record.at, true));
                ends.clear();
                (b"reboot".to_vec(), b"system boot".to_vec(), end)
            }
            Kind::Shutdown => {
                down = Some((record.at, false));
                ends.clear();
                if !options.system {
                    continue;
                }
                (
                    b"shutdown".to_vec(),
                    b"system down".to_vec(),
                    End::At(record.at),
                )
            }
            Kind::Dead => {
                ends.insert(line, record.at);
                continue;
            }
            Kind::User | Kind::Login
                if options.bad == (record.kind == Kind::Login) && !record.user.is_empty() =>
            {
                let end = match (ends.get(&line), down) {
                    (Some(&at), _) => End::At(at),
                    (None, Some((at, true))) => End::Crash(at),
                    (None, Some((at, false))) => End::Down(at),
                    (None, None) if line.starts_with(b"ssh") => End::At(record.at),
                    (None, None) if proc.kill(record.pid, None).is_ok() => End::StillIn,
                    (None, None) => End::Gone,
                };
                ends.insert(line.clone(), record.at);
                (record.user.clone(), line, end)
            }
            _ => continue,
        };
        if !names.is_empty() && !names.contains(&user) && !names.contains(&line) {
            continue;
        }
        let text = row(options, record, &user, &line, &end, zone);
        if proc.print(&text).await.is_err() {
            return;
        }
        left -= 1;
    }
}

fn row(
    options: &Options,
    record: &Record,
    user: &[u8],
    line: &[u8],
    end: &End,
    zone: &Zone,
) -> Vec<u8> {
    let moment =
        |secs: i64, format: &[u8]| Shown::new(Timestamp { secs, nanos: 0 }, zone).format(format);
    let (login, logout): (&[u8], &[u8]) = if options.full_times {
        (b"%a %b %e %H:%M:%S %Y", b"%a %b %e %H:%M:%S %Y")
    } else {
        (b"%a %b %e %H:%M", b"%H:%M")
    };
    let length = |at: i64| {
        let seconds = (at - record.at).max(0);
        let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
        if days > 0 {
            format!("({days}+{hours:02}:{minutes:02})")
        } else {
            format!(" ({hours:02}:{minutes:02})")
        }
    };
    let (until, took) = match end {
        End::At(at) => (
            [b"- ".as_slice(), &moment(*at, logout)].concat(),
            length(*at),
        ),
        End::Crash(at) => (b"- crash".to_vec(), length(*at)),
        End::Down(at) => (b"- down ".to_vec(), length(*at)),
        End::StillIn => (b"  still logged in".to_vec(), String::new()),
        End::Running => (b"  still running".to_vec(), String::new()),
        End::Gone => (b"   gone - no logout".to_vec(), String::new()),
    };
    let cut = |text: &[u8], width: usize| {
        let most = if options.wide {
            text.len().max(width)
        } else {
            width
        };
        let mut out: Vec<u8> = text.iter().copied().take(most).collect();
        out.resize(out.len().max(width), b' ');
        out
    };
    let mut out = cut(user, 8);
    out.push(b' ');
    out.extend(cut(line, 12));
    out.push(b' ');
    if !options.no_host && !options.host_last {
        out.extend(cut(&record.host, 16));
        out.push(b' ');
    }
    out.extend(moment(record.at, login));
    out.push(b' ');
    out.extend_from_slice(&until);
    if !took.is_empty() {
        out.push(b' ');
        out.extend_from_slice(took.as_bytes());
    }
    if options.host_last {
        out.push(b' ');
        out.extend_from_slice(&record.host);
    }
    out.push(b'\n');
    out
}
