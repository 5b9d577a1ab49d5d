//! touch(1).

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::time::{Zone, days_of, fields, parse};

const SPEC: Spec = Spec::gnu(
    "acd:fhmr:t:",
    &[
        ("time", Arity::Required, "time"),
        ("no-create", Arity::No, "c"),
        ("date", Arity::Required, "d"),
        ("reference", Arity::Required, "r"),
        ("no-dereference", Arity::No, "h"),
    ],
);

#[derive(Debug, Default)]
struct Options {
    access: bool,
    modification: bool,
    no_create: bool,
    no_dereference: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options::default();
    let (mut date, mut reference, mut stamp) = (None, None, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("a", _)) => settings.access = true,
            Ok(("m", _)) => settings.modification = true,
            Ok(("c", _)) => settings.no_create = true,
            Ok(("h", _)) => settings.no_dereference = true,
            Ok(("f", _)) => {}
            Ok(("d", value)) => date = Some(value),
            Ok(("r", value)) => reference = Some(value),
            Ok(("t", value)) => stamp = Some(value),
            Ok(("time", value)) => {
                const WORDS: &[(&str, bool)] = &[
                    ("atime", true),
                    ("access", true),
                    ("use", true),
                    ("mtime", false),
                    ("modify", false),
                ];
                match input::choose(proc, "--time", &value, WORDS).await {
                    Some(true) => settings.access = true,
                    Some(false) => settings.modification = true,
                    None => return proc.status(),
                }
            }
            Ok((key, _)) => return about::run(proc, key, "touch").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if !settings.access && !settings.modification {
        (settings.access, settings.modification) = (true, true);
    }
    let Ok((access, modification)) = times(proc, date, reference, stamp).await else {
        return proc.status();
    };
    let operands = options.operands();
    if operands.is_empty() {
        proc.complain_text("missing file operand").await;
        return try_help(proc, 1).await;
    }
    let access = settings.access.then_some(access);
    let modification = settings.modification.then_some(modification);
    for path in operands {
        touch(proc, &path, &settings, access, modification).await;
    }
    proc.status()
}

/// The times to set; `Err` after a complaint.
async fn times(
    proc: &mut Process,
    date: Option<Vec<u8>>,
    reference: Option<Vec<u8>>,
    stamp: Option<Vec<u8>>,
) -> Result<(Timestamp, Timestamp), ()> {
    let now = proc.now();
    let zone = Zone::of(proc).await;
    if stamp.is_some() && (date.is_some() || reference.is_some()) {
        input::refuse_text(proc, "cannot specify times from more than one source").await;
        return Err(());
    }
    if let Some(stamp) = stamp {
        let Some(seconds) = parse_stamp(&stamp, now, &zone) else {
            input::complain_word(proc, "invalid date format", &stamp).await;
            return Err(());
        };
        let moment = Timestamp {
            secs: seconds,
            nanos: 0,
        };
        return Ok((moment, moment));
    }
    let mut base = (now, now);
    if let Some(reference) = reference {
        match proc.stat(&reference) {
            Ok(found) => base = (found.atime, found.mtime),
            Err(errno) => {
                input::complain_about(proc, "failed to get attributes of", &reference, errno).await;
                return Err(());
            }
        }
    }
    if let Some(date) = date {
        match (
            parse::parse(&date, base.0, &zone),
            parse::parse(&date, base.1, &zone),
        ) {
            (Some(access), Some(modification)) => base = (access, modification),
            _ => {
                input::complain_word(proc, "invalid date format", &date).await;
                return Err(());
            }
        }
    }
    Ok(base)
}

/// `[[CC]YY]MMDDhhmm[.ss]`.
fn parse_stamp(text: &[u8], now: Timestamp, zone: &Zone) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, seconds) = match text.split_once('.') {
        Some((digits, seconds)) => (digits, (seconds.len() == 2).then(|| seconds.parse().ok())??),
        None => (text, 0),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match digits.len() {
        8 => (
            fields(now.secs.saturating_add(zone.offset(now).0)).year,
            digits,
        ),
        10 => {
            let year: i64 = digits.get(..2)?.parse().ok()?;
            (
                if year < 69 { year + 2000 } else { year + 1900 },
                digits.get(2..)?,
            )
        }
        12 => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        _ => return None,
    };
    let field = |at: usize| {
        rest.get(at..at + 2)
            .and_then(|text| text.parse::<i64>().ok())
    };
    let (month, day, hour, minute) = (field(0)?, field(2)?, field(4)?, field(6)?);
    let seconds: i64 = seconds;
    let local = days_of(year, month, day)? * 86400 + hour * 3600 + minute * 60 + seconds;
    // What would carry over is no date; a leap second is one.
    let shown = fields(local - i64::from(seconds == 60));
    let same = (shown.year, shown.month, shown.day, shown.hour, shown.minute)
        == (year, month, day, hour, minute);
    (same && seconds <= 60).then(|| zone.moment_of(local))
}

async fn touch(
    proc: &mut Process,
    path: &[u8],
    settings: &Options,
    access: Option<Timestamp>,
    modification: Option<Timestamp>,
) {
    if path == b"-" {
        return;
    }
    let mut opened = Ok(());
    if !settings.no_create && !settings.no_dereference {
        let flags = OpenFlags {
            create: true,
            ..OpenFlags::WRITE
        };
        // Opening a FIFO would wait for a reader; what exists need not be opened.
        if proc.stat(path).is_err() {
            opened = match proc.open(path, flags, 0o666).await {
                Ok(fd) => proc.close(fd),
                Err(errno) => Err(errno),
            };
        }
    }
    match (
        proc.set_times(path, access, modification, !settings.no_dereference),
        opened,
    ) {
        (Ok(()), _) => {}
        (Err(_), Err(errno)) if errno != Errno::Eisdir => {
            input::complain_about(proc, "cannot touch", path, errno).await;
        }
        (Err(Errno::Enoent | Errno::Enotdir), _) if settings.no_create => {}
        (Err(errno), _) => input::complain_about(proc, "setting times of", path, errno).await,
    }
}
