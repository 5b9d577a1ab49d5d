//! `journalctl` of systemd 252: journalctl(1).
//!
//! Without its pager: what it shows goes straight to the terminal.

use std::time::Duration;

use sundew_kernel::journal::Entry;
use sundew_kernel::{Errno, ExitStatus, Process};

use self::output::Format;
use super::service::unit::full_name;
use super::{fail, help, print};
use crate::getopt::{self, Arity, Getopt, Spec};
use crate::time::{Zone, parse};
use crate::users::Directory;

mod output;

const SPEC: Spec = Spec::new(
    "hefo:aln::qmb::kD:p:g:c:S:U:t:u:M:F:NxrVi:",
    &[
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
        ("no-pager", Arity::No, "no-pager"),
        ("pager-end", Arity::No, "e"),
        ("follow", Arity::No, "f"),
        ("output", Arity::Required, "o"),
        ("output-fields", Arity::Required, "ignored-value"),
        ("all", Arity::No, "a"),
        ("full", Arity::No, "l"),
        ("no-full", Arity::No, "a"),
        ("lines", Arity::Optional, "n"),
        ("no-tail", Arity::No, "no-tail"),
        ("quiet", Arity::No, "q"),
        ("merge", Arity::No, "m"),
        ("boot", Arity::Optional, "b"),
        ("list-boots", Arity::No, "list-boots"),
        ("dmesg", Arity::No, "k"),
        ("system", Arity::No, "a"),
        ("user", Arity::No, "user"),
        ("directory", Arity::Required, "D"),
        ("file", Arity::Required, "D"),
        ("root", Arity::Required, "D"),
        ("header", Arity::No, "a"),
        ("priority", Arity::Required, "p"),
        ("facility", Arity::Required, "facility"),
        ("grep", Arity::Required, "g"),
        ("case-sensitive", Arity::Optional, "ignored"),
        ("cursor", Arity::Required, "ignored-value"),
        ("after-cursor", Arity::Required, "ignored-value"),
        ("show-cursor", Arity::No, "ignored"),
        ("since", Arity::Required, "S"),
        ("until", Arity::Required, "U"),
        ("identifier", Arity::Required, "t"),
        ("unit", Arity::Required, "u"),
        ("user-unit", Arity::Required, "user-unit"),
        ("machine", Arity::Required, "M"),
        ("fields", Arity::No, "N"),
        ("field", Arity::Required, "F"),
        ("catalog", Arity::No, "x"),
        ("reverse", Arity::No, "r"),
        ("utc", Arity::No, "utc"),
        ("no-hostname", Arity::No, "no-hostname"),
        ("disk-usage", Arity::No, "disk-usage"),
        ("rotate", Arity::No, "quiet-action"),
        ("flush", Arity::No, "quiet-action"),
        ("sync", Arity::No, "quiet-action"),
        ("relinquish-var", Arity::No, "quiet-action"),
        ("smart-relinquish-var", Arity::No, "quiet-action"),
        ("vacuum-size", Arity::Required, "vacuum"),
        ("vacuum-files", Arity::Required, "vacuum"),
        ("vacuum-time", Arity::Required, "vacuum"),
        ("verify", Arity::No, "verify"),
        ("setup-keys", Arity::No, "ignored"),
        ("list-catalog", Arity::No, "ignored"),
        ("update-catalog", Arity::No, "ignored"),
        ("namespace", Arity::Required, "ignored-value"),
    ],
);

/// What to show and how.
#[derive(Default)]
struct Query {
    format: Format,
    utc: bool,
    no_hostname: bool,
    follow: bool,
    reverse: bool,
    quiet: bool,
    tail: Option<usize>,
    units: Vec<Vec<u8>>,
    identifiers: Vec<Vec<u8>>,
    matches: Vec<(Vec<u8>, Vec<u8>)>,
    facilities: Vec<u8>,
    kernel: bool,
    /// Levels from 0 up to here.
    priority: Option<(u8, u8)>,
    grep: Option<Vec<u8>>,
    since: Option<u64>,
    until: Option<u64>,
    /// Another boot than this one: nothing is known of it.
    other_boot: Option<Vec<u8>>,
    field: Option<Vec<u8>>,
}

/// What is done instead of showing lines.
enum Action {
    Show,
    Help,
    Version,
    Usage,
    Boots,
    Vacuum,
    Verify,
    Fields,
    Nothing,
}

pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let zone = Zone::of(proc).await;
    let (query, action) = match read(proc, &zone) {
        Ok(read) => read,
        Err(Refusal::Option(error)) => {
            proc.complain_text(error.text()).await;
            return ExitStatus::FAILURE;
        }
        Err(Refusal::Text(text)) => return fail(proc, text, 1).await,
    };
    match action {
        Action::Help => return print(proc, help("journalctl")).await,
        Action::Version => return print(proc, super::service::VERSION).await,
        Action::Nothing => return proc.status(),
        Action::Fields => return print(proc, FIELDS).await,
        Action::Usage => return usage(proc).await,
        Action::Vacuum => return vacuum(proc).await,
        Action::Verify => {
            let path = journal_path(proc);
            let text = [b"PASS: ".as_slice(), &path, b"\n"].concat();
            return fail(proc, text, 0).await;
        }
        Action::Boots | Action::Show => {}
    }
    if !may_read(proc).await {
        let text = "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n";
        if !query.quiet {
            proc.print_error(text.as_bytes()).await;
        }
        return fail(
            proc,
            "No journal files were opened due to insufficient permissions.\n",
            1,
        )
        .await;
    }
    let Some(all) = entries(proc).await else {
        if !query.quiet {
            proc.print_error(b"No journal files were found.\n").await;
        }
        return print(proc, "-- No entries --\n").await;
    };
    match action {
        Action::Boots => boots(proc, &all, &zone).await,
        _ => show(proc, &query, all, &zone).await,
    }
}

/// Everything, the kernel's messages among it.
async fn entries(proc: &Process) -> Option<Vec<Entry>> {
    let mut all = proc.journal()?;
    let boot = proc.facts().boot_time;
    let start = u64::try_from(boot.secs).unwrap_or(0) * 1_000_000 + u64::from(boot.nanos / 1000);
    let oldest = all.first().map_or(start, |entry| entry.micros);
    // A journal that was cut knows nothing of the boot any more.
    if oldest <= start + 20_000_000 {
        let mut kernel = Vec::new();
        for (micros, warning, text) in crate::util_linux::dmesg::messages(proc).await {
            let (identifier, pid, message) = match text.strip_prefix("systemd[1]: ") {
                Some(rest) => ("systemd", 1, rest.to_owned()),
                None => ("kernel", 0, text),
            };
            kernel.push(Entry {
                // journald starts a little later and keeps when it read them.
                micros: start + micros,
                priority: if warning { 4 } else { 6 },
                identifier: identifier.into(),
                pid,
                message: message.into_bytes(),
                ..Entry::default()
            });
        }
        all.extend(kernel);
        all.sort_by_key(|entry| entry.micros);
    }
    Some(all)
}

async fn may_read(proc: &Process) -> bool {
    let creds = proc.credentials();
    if creds.uid == 0 {
        return true;
    }
    let directory = Directory::load(proc).await;
    let mut groups = creds.groups.iter().chain([&creds.gid]);
    groups.any(|gid| {
        let name = directory.group_text(*gid);
        matches!(name.as_slice(), b"adm" | b"systemd-journal")
    })
}

async fn show(proc: &mut Process, query: &Query, all: Vec<Entry>, zone: &Zone) -> ExitStatus {
    if let Some(boot) = &query.other_boot {
        let text = [
            b"Data from the specified boot (".as_slice(),
            boot,
            b") is not available: No such boot ID in journal\n",
        ];
        return fail(proc, text.concat(), 1).await;
    }
    let utc = Zone::utc();
    let zone = if query.utc { &utc } else { zone };
    let mut newest = all.last().map_or(0, |entry| entry.micros);
    let mut chosen: Vec<Entry> = all.into_iter().filter(|entry| query.wants(entry)).collect();
    if let Some(field) = &query.field {
        let mut values: Vec<Vec<u8>> = Vec::new();
        for entry in &chosen {
            if let Some(value) = value(entry, field)
                && !values.contains(&value)
            {
                proc.tick().await;
                values.push(value);
            }
        }
        let mut out = values.join(&b'\n');
        if !out.is_empty() {
            out.push(b'\n');
        }
        return print(proc, out).await;
    }
    if let Some(tail) = query.tail {
        let start = chosen.len().saturating_sub(tail);
        chosen.drain(..start);
    }
    if query.reverse {
        chosen.reverse();
    }
    if chosen.is_empty() && !query.follow && query.format.is_short() && !query.quiet {
        return print(proc, "-- No entries --\n").await;
    }
    let machine = output::Machine::of(proc).await;
    for entry in &chosen {
        proc.tick().await;
        let line = machine.line(entry, query.format, zone, query.no_hostname);
        if proc.print(&line).await.is_err() {
            return proc.status();
        }
    }
    if !query.follow {
        return proc.status();
    }
    loop {
        if proc.flush().await.is_err() || proc.sleep(Duration::from_millis(500)).await.is_err() {
            break;
        }
        let fresh = proc.journal().unwrap_or_default();
        let fresh = fresh.into_iter().filter(|entry| entry.micros > newest);
        let fresh: Vec<Entry> = fresh.collect();
        for entry in &fresh {
            newest = newest.max(entry.micros);
            if !query.wants(entry) {
                continue;
            }
            let line = machine.line(entry, query.format, zone, query.no_hostname);
            if proc.print(&line).await.is_err() {
                return proc.status();
            }
        }
    }
    proc.status()
}

impl Query {
    fn wants(&self, entry: &Entry) -> bool {
        let contains = |text: &[u8], part: &[u8]| {
            !part.is_empty() && text.windows(part.len()).any(|window| window == part)
        };
        let of_unit = |unit: &Vec<u8>| {
            entry.unit == *unit || (entry.pid == 1 && contains(&entry.message, unit))
        };
        let grep = |pattern: &Vec<u8>| {
            // Without an upper-case letter in it the pattern matches either.
            if pattern.iter().any(u8::is_ascii_uppercase) {
                contains(&entry.message, pattern)
            } else {
                contains(&entry.message.to_ascii_lowercase(), pattern)
            }
        };
        (self.units.is_empty() || self.units.iter().any(of_unit))
            && (self.identifiers.is_empty() || self.identifiers.contains(&entry.identifier))
            && (self.facilities.is_empty() || self.facilities.contains(&entry.facility))
            && (!self.kernel || entry.identifier == b"kernel")
            && self
                .priority
                .is_none_or(|(low, high)| (low..=high).contains(&entry.priority))
            && self.grep.as_ref().is_none_or(grep)
            && self.since.is_none_or(|since| entry.micros >= since)
            && self.until.is_none_or(|until| entry.micros <= until)
            && self
                .matches
                .iter()
                .all(|(field, wanted)| value(entry, field).is_some_and(|found| found == *wanted))
    }
}

/// The value of a field.
fn value(entry: &Entry, field: &[u8]) -> Option<Vec<u8>> {
    Some(match field {
        b"MESSAGE" => entry.message.clone(),
        b"PRIORITY" => entry.priority.to_string().into_bytes(),
        b"SYSLOG_FACILITY" => entry.facility.to_string().into_bytes(),
        b"SYSLOG_IDENTIFIER" => entry.identifier.clone(),
        b"_COMM" if entry.pid != 0 => match entry.identifier.as_slice() {
            b"CRON" => b"cron".to_vec(),
            name => name.get(..name.len().min(15))?.to_vec(),
        },
        b"_PID" | b"SYSLOG_PID" if entry.pid != 0 => entry.pid.to_string().into_bytes(),
        b"_UID" | b"_GID" if entry.pid != 0 => entry.uid.to_string().into_bytes(),
        b"_SYSTEMD_UNIT" if !entry.unit.is_empty() => entry.unit.clone(),
        b"_TRANSPORT" => output::transport(entry).as_bytes().to_vec(),
        _ => return None,
    })
}

enum Refusal {
    Option(getopt::Error),
    Text(Vec<u8>),
}

/// Reads the command line.
#[expect(
    clippy::too_many_lines,
    reason = "one command line, an arm for each option"
)]
fn read(proc: &Process, zone: &Zone) -> Result<(Query, Action), Refusal> {
    let mut query = Query::default();
    let mut action = Action::Show;
    let said =
        |text: &[u8], value: &[u8], end: &[u8]| Refusal::Text([text, value, end, b"\n"].concat());
    let mut getopt = Getopt::of(&SPEC, with_values(proc.args().get(1..).unwrap_or_default()));
    while let Some(option) = getopt.next() {
        let option = option.map_err(Refusal::Option)?;
        let value = option.value;
        match option.key {
            "h" => action = Action::Help,
            "V" => action = Action::Version,
            "list-boots" => action = Action::Boots,
            "disk-usage" => action = Action::Usage,
            "vacuum" => action = Action::Vacuum,
            "verify" => action = Action::Verify,
            "quiet-action" => action = Action::Nothing,
            "N" => action = Action::Fields,
            "e" => query.tail = query.tail.or(Some(1000)),
            "f" => {
                query.follow = true;
                query.tail = query.tail.or(Some(10));
            }
            "no-tail" => query.tail = None,
            "n" => {
                query.tail = match value.as_slice() {
                    b"" => Some(10),
                    b"all" => None,
                    number => Some(
                        number_of(number)
                            .ok_or_else(|| said(b"Failed to parse lines '", number, b"'"))?,
                    ),
                }
            }
            "o" => {
                query.format = Format::of(&value)
                    .ok_or_else(|| said(b"Unknown output format '", &value, b"'."))?;
            }
            "q" => query.quiet = true,
            "k" => query.kernel = true,
            "b" => {
                query.other_boot = Some(value)
                    .filter(|boot| !matches!(boot.as_slice(), b"" | b"0" | b"-0" | b"all" | b"1"));
            }
            "p" => {
                query.priority =
                    Some(levels(&value).ok_or_else(|| said(b"Unknown log level ", &value, b""))?);
            }
            "facility" => {
                for name in value.split(|&byte| byte == b',') {
                    let number = FACILITIES
                        .iter()
                        .position(|known| known.as_bytes() == name)
                        .or_else(|| number_of(name))
                        .and_then(|number| u8::try_from(number).ok())
                        .ok_or_else(|| said(b"Bad --facility= argument \"", name, b"\"."))?;
                    query.facilities.push(number);
                }
            }
            "g" => query.grep = Some(value),
            "S" | "U" => {
                let moment = moment(&value, proc, zone)
                    .ok_or_else(|| said(b"Failed to parse timestamp: ", &value, b""))?;
                if option.key == "S" {
                    query.since = Some(moment);
                } else {
                    query.until = Some(moment);
                }
            }
            "t" => query.identifiers.push(value),
            "u" => query.units.push(full_name(&value)),
            "user-unit" => query.units.push(b"\0".to_vec()),
            "F" => query.field = Some(value),
            "r" => query.reverse = true,
            "utc" => query.utc = true,
            "no-hostname" => query.no_hostname = true,
            _ => {}
        }
    }
    for word in getopt.operands() {
        let Some(at) = word.iter().position(|&byte| byte == b'=') else {
            let end = format!("': {}", Errno::Einval.message());
            return Err(said(b"Failed to add match '", &word, end.as_bytes()));
        };
        let (field, wanted) = word.split_at(at);
        let wanted = wanted.get(1..).unwrap_or_default();
        query.matches.push((field.to_vec(), wanted.to_vec()));
    }
    Ok((query, action))
}

/// `-n 5` and `-b -1` take the next word although their argument is optional.
fn with_values(args: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for word in args {
        let number = word.iter().enumerate().all(|(at, byte)| {
            byte.is_ascii_digit() || (at == 0 && matches!(byte, b'-' | b'+')) && word.len() > 1
        }) && !word.is_empty();
        match out.last_mut() {
            Some(before)
                if (number || word == b"all")
                    && matches!(
                        before.as_slice(),
                        b"-n" | b"-b" | b"-fn" | b"-rn" | b"-en" | b"-xn"
                    ) =>
            {
                before.extend_from_slice(word);
            }
            Some(before) if number && matches!(before.as_slice(), b"--lines" | b"--boot") => {
                before.push(b'=');
                before.extend_from_slice(word);
            }
            _ => out.push(word.clone()),
        }
    }
    out
}

fn number_of(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `err`, `3`, `warning..emerg`.
fn levels(text: &[u8]) -> Option<(u8, u8)> {
    let one = |name: &[u8]| {
        let position = LEVELS
            .iter()
            .position(|names| names.iter().any(|known| known.as_bytes() == name));
        let number = position.or_else(|| number_of(name).filter(|number| *number < 8))?;
        u8::try_from(number).ok()
    };
    let text = String::from_utf8_lossy(text);
    match text.split_once("..") {
        Some((from, to)) => {
            let (from, to) = (one(from.as_bytes())?, one(to.as_bytes())?);
            Some((from.min(to), from.max(to)))
        }
        None => Some((0, one(text.as_bytes())?)),
    }
}

const LEVELS: [&[&str]; 8] = [
    &["emerg"],
    &["alert"],
    &["crit"],
    &["err", "error"],
    &["warning", "warn"],
    &["notice"],
    &["info"],
    &["debug"],
];

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "12", "13", "14", "15", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7",
];

/// systemd.time(7), in microseconds.
fn moment(text: &[u8], proc: &Process, zone: &Zone) -> Option<u64> {
    let now = proc.now();
    let shown = String::from_utf8_lossy(text).trim().to_owned();
    let moment = match shown.as_str() {
        "" => return None,
        "now" => now,
        "today" | "yesterday" | "tomorrow" => {
            let words = format!("{shown} 00:00");
            parse::parse(words.as_bytes(), now, zone)?
        }
        text => match text.strip_prefix('-').or_else(|| text.strip_suffix(" ago")) {
            Some(span) => {
                let secs = span_secs(span.trim())?;
                sundew_vfs::Timestamp {
                    secs: now.secs.saturating_sub(secs),
                    ..now
                }
            }
            None => parse::parse(text.as_bytes(), now, zone)?,
        },
    };
    let secs = u64::try_from(moment.secs).unwrap_or(0);
    Some(
        secs.saturating_mul(1_000_000)
            .saturating_add(u64::from(moment.nanos / 1000)),
    )
}

/// `1h30min`, `2 days`; in seconds.
fn span_secs(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(end);
        let number: i64 = digits.parse().ok()?;
        let behind = behind.trim_start();
        let end = behind
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let factor = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            "M" | "month" | "months" => 2_629_800,
            "y" | "year" | "years" => 31_557_600,
            _ => return None,
        };
        sum = sum.saturating_add(number.saturating_mul(factor));
        rest = behind.trim_start();
    }
    Some(sum)
}

fn journal_path(proc: &Process) -> Vec<u8> {
    proc.journal_path().unwrap_or_default().to_vec()
}

async fn usage(proc: &mut Process) -> ExitStatus {
    let path = journal_path(proc);
    let bytes = proc.stat(&path).map_or(0, |meta| meta.size);
    // Always one digit behind the point.
    let tenths = bytes.saturating_mul(10) >> 20;
    let text = match bytes {
        0 => "0B".to_owned(),
        1..1_048_576 => format!("{}.{}K", bytes >> 10, ((bytes * 10) >> 10) % 10),
        _ => format!("{}.{}M", tenths / 10, tenths % 10),
    };
    let line = format!("Archived and active journals take up {text} in the file system.\n");
    print(proc, line).await
}

async fn vacuum(proc: &mut Process) -> ExitStatus {
    let path = journal_path(proc);
    let folder = path
        .rsplitn(2, |&byte| byte == b'/')
        .nth(1)
        .unwrap_or_default();
    let mut text = Vec::new();
    for folder in [folder, b"/var/log/journal".as_slice(), b"/run/log/journal"] {
        if proc.stat(folder).is_ok() {
            text.extend_from_slice(b"Vacuuming done, freed 0B of archived journals from ");
            text.extend_from_slice(folder);
            text.extend_from_slice(b".\n");
        }
    }
    fail(proc, text, 0).await
}

async fn boots(proc: &mut Process, all: &[Entry], zone: &Zone) -> ExitStatus {
    let machine = output::Machine::of(proc).await;
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return fail(proc, "No boots found in journal.\n", 1).await;
    };
    let [first, last] = [first, last].map(|entry| output::weekday(entry.micros, zone));
    let width = first.len();
    let text = format!(
        "IDX BOOT ID                          {:<width$} LAST ENTRY\n  0 {} {first} {last}\n",
        "FIRST ENTRY", machine.boot
    );
    print(proc, text).await
}

const FIELDS: &str = "_SYSTEMD_SLICE\n_TRANSPORT\n_MACHINE_ID\n_CMDLINE\n_HOSTNAME\n_SYSTEMD_CGROUP\n_BOOT_ID\nSYSLOG_FACILITY\n_PID\n_UID\n_GID\n_COMM\n_EXE\nPRIORITY\nSYSLOG_IDENTIFIER\nSYSLOG_PID\n_SYSTEMD_UNIT\nMESSAGE\n_CAP_EFFECTIVE\n_SELINUX_CONTEXT\n_SOURCE_REALTIME_TIMESTAMP\n";
