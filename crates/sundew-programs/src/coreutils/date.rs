//! date(1).

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;
use crate::time::{Shown, Zone, parse};

const SPEC: Spec = Spec::gnu(
    "d:f:I::r:Rs:u",
    &[
        ("date", Arity::Required, "d"),
        ("debug", Arity::No, "debug"),
        ("file", Arity::Required, "f"),
        ("iso-8601", Arity::Optional, "I"),
        ("reference", Arity::Required, "r"),
        ("resolution", Arity::No, "resolution"),
        ("rfc-822", Arity::No, "R"),
        ("rfc-2822", Arity::No, "R"),
        ("rfc-email", Arity::No, "R"),
        ("rfc-3339", Arity::Required, "rfc-3339"),
        ("set", Arity::Required, "s"),
        ("uct", Arity::No, "u"),
        ("utc", Arity::No, "u"),
        ("universal", Arity::No, "u"),
    ],
);

/// What `date` prints of itself: the C locale's `date_fmt`.
const DEFAULT: &str = "%a %b %e %H:%M:%S %Z %Y";

const ISO: &[(&str, &str)] = &[
    ("hours", "%Y-%m-%dT%H%:z"),
    ("minutes", "%Y-%m-%dT%H:%M%:z"),
    ("date", "%Y-%m-%d"),
    ("seconds", "%Y-%m-%dT%H:%M:%S%:z"),
    ("ns", "%Y-%m-%dT%H:%M:%S,%N%:z"),
];

const RFC_3339: &[(&str, &str)] = &[
    ("date", "%Y-%m-%d"),
    ("seconds", "%Y-%m-%d %H:%M:%S%:z"),
    ("ns", "%Y-%m-%d %H:%M:%S.%N%:z"),
];

enum Source {
    Now,
    Text(Vec<u8>),
    Lines(Vec<u8>),
    File(Vec<u8>),
    Set(Vec<u8>),
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut format: Option<Vec<u8>> = None;
    let (mut source, mut sources, mut utc) = (Source::Now, 0, false);
    let mut set = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, &error, 1).await,
        };
        let new_format = match option.key {
            "d" | "f" | "r" => {
                let before = std::mem::discriminant(&source);
                source = match option.key {
                    "d" => Source::Text(option.value),
                    "f" => Source::Lines(option.value),
                    _ => Source::File(option.value),
                };
                // The same option again replaces what it said before.
                sources += i32::from(std::mem::discriminant(&source) != before);
                continue;
            }
            "s" => {
                set = Some(option.value);
                continue;
            }
            "u" => {
                utc = true;
                continue;
            }
            "debug" => continue,
            "resolution" => {
                // The clock's, whatever it shows.
                let _reported_at_exit = proc.print(b"0.000000001\n").await;
                return proc.status();
            }
            "R" => "%a, %d %b %Y %H:%M:%S %z",
            "I" if !option.has_value => "%Y-%m-%d",
            "I" => match input::choose(proc, "--iso-8601", &option.value, ISO).await {
                Some(format) => format,
                None => return proc.status(),
            },
            "rfc-3339" => match input::choose(proc, "--rfc-3339", &option.value, RFC_3339).await {
                Some(format) => format,
                None => return proc.status(),
            },
            key => return about::run(proc, key, "date").await,
        };
        if format.replace(new_format.into()).is_some() {
            proc.complain_text("multiple output formats specified")
                .await;
            return proc.status();
        }
    }
    if sources > 1 {
        return input::refuse_text(
            proc,
            "the options to specify dates for printing are mutually exclusive",
        )
        .await;
    }
    if let Some(text) = set {
        source = Source::Set(text);
    }
    for (at, word) in options.operands().into_iter().enumerate() {
        if let Some(text) = word.strip_prefix(b"+").filter(|_| at == 0) {
            if format.replace(text.to_vec()).is_some() {
                proc.complain_text("multiple output formats specified")
                    .await;
                return proc.status();
            }
        } else if at > 0 {
            return input::extra_operand(proc, &word).await;
        } else if sources > 0 || matches!(source, Source::Set(_)) {
            let shown = quote::text(proc, &word);
            let text = [
                b"the argument ".as_slice(),
                &shown,
                b" lacks a leading '+';\nwhen using an option to specify date(s), any non-option\n\
                argument must be a format string beginning with '+'",
            ]
            .concat();
            proc.complain_text(text).await;
            return try_help(proc, 1).await;
        } else {
            source = Source::Set(word);
        }
    }
    let zone = if utc {
        Zone::utc()
    } else {
        Zone::of(proc).await
    };
    show(
        proc,
        source,
        &zone,
        &format.unwrap_or_else(|| DEFAULT.into()),
    )
    .await
}

async fn show(proc: &mut Process, source: Source, zone: &Zone, format: &[u8]) -> ExitStatus {
    let now = proc.now();
    match source {
        Source::Now => put(proc, now, zone, format).await,
        Source::Text(text) => one(proc, &text, zone, format).await,
        Source::File(path) => match proc.stat(&path) {
            Ok(found) => put(proc, found.mtime, zone, format).await,
            Err(errno) => input::complain(proc, &path, errno).await,
        },
        Source::Lines(path) => {
            let fd = match input::open(proc, &path).await {
                Ok(fd) => fd,
                Err(errno) => {
                    input::complain(proc, &path, errno).await;
                    return proc.status();
                }
            };
            let mut lines = LineReader::new(proc, fd);
            while let Ok(Some(line)) = lines.next(proc, b'\n').await {
                one(
                    proc,
                    line.strip_suffix(b"\n").unwrap_or(&line),
                    zone,
                    format,
                )
                .await;
            }
        }
        Source::Set(text) => set(proc, &text, zone, format).await,
    }
    proc.status()
}

async fn one(proc: &mut Process, text: &[u8], zone: &Zone, format: &[u8]) {
    let (named, rest) = match parse::zone_prefix(text) {
        Some((name, rest)) => (Some(Zone::named(proc, &name).await), rest),
        None => (None, text),
    };
    match parse::parse(rest, proc.now(), named.as_ref().unwrap_or(zone)) {
        Some(moment) => put(proc, moment, zone, format).await,
        None => {
            input::complain_word(proc, "invalid date", text).await;
        }
    }
}

async fn put(proc: &mut Process, moment: Timestamp, zone: &Zone, format: &[u8]) {
    // Years are counted in 32 bits, from 1900.
    if i32::try_from(crate::time::fields(moment.secs).year - 1900).is_err() {
        let text = moment.secs.to_string();
        let shown = quote::text(proc, text.as_bytes());
        proc.complain_text([b"time ".as_slice(), &shown, b" is out of range"].concat())
            .await;
        return;
    }
    let mut line = Shown::new(moment, zone).format(format);
    line.push(b'\n');
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}

/// Pretends to set the clock, which belongs to the machine's owner: root sees the new time printed,
/// others the refusal.
async fn set(proc: &mut Process, text: &[u8], zone: &Zone, format: &[u8]) {
    let Some(moment) =
        digits(text, proc.now(), zone).or_else(|| parse::parse(text, proc.now(), zone))
    else {
        input::complain_word(proc, "invalid date", text).await;
        return;
    };
    if proc.credentials().uid != 0 {
        proc.complain(b"cannot set date", Errno::Eperm).await;
    }
    put(proc, moment, zone, format).await;
}

/// `MMDDhhmm[[CC]YY][.ss]`.
fn digits(text: &[u8], now: Timestamp, zone: &Zone) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, seconds) = text.split_once('.').unwrap_or((text, "0"));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year = match digits.len() {
        8 => i16::try_from(crate::time::fields(now.secs).year).ok()?,
        10 => digits.get(8..)?.parse::<i16>().ok()? + 2000,
        12 => digits.get(8..)?.parse().ok()?,
        _ => return None,
    };
    let field = |at: usize| {
        digits
            .get(at..at + 2)
            .and_then(|text| text.parse::<i8>().ok())
    };
    let second = seconds.parse().ok()?;
    let at =
        jiff::civil::DateTime::new(year, field(0)?, field(2)?, field(4)?, field(6)?, second, 0)
            .ok()?;
    let local = jiff::tz::Offset::UTC.to_timestamp(at).ok()?.as_second();
    Some(Timestamp {
        secs: zone.moment_of(local),
        nanos: 0,
    })
}
