//! `dmesg`: what the kernel said when it came up, made from the facts of the machine.

use sundew_kernel::facts::Facts;
use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;

mod arm;
mod pc;

const SPEC: Spec = Spec::new(
    "CcDdEeF:f:HhJkL::l:n:PpruSs:TtuVwWx",
    &[
        ("clear", Arity::No, "C"),
        ("read-clear", Arity::No, "c"),
        ("console-off", Arity::No, "D"),
        ("console-on", Arity::No, "E"),
        ("facility", Arity::Required, "f"),
        ("human", Arity::No, "H"),
        ("help", Arity::No, "h"),
        ("kernel", Arity::No, "k"),
        ("color", Arity::Optional, "L"),
        ("level", Arity::Required, "l"),
        ("console-level", Arity::Required, "n"),
        ("nopager", Arity::No, "P"),
        ("raw", Arity::No, "r"),
        ("reltime", Arity::No, "e"),
        ("show-delta", Arity::No, "d"),
        ("syslog", Arity::No, "S"),
        ("file", Arity::Required, "F"),
        ("buffer-size", Arity::Required, "s"),
        ("json", Arity::No, "J"),
        ("follow-new", Arity::No, "W"),
        ("force-prefix", Arity::No, "p"),
        ("time-format", Arity::Required, "time-format"),
        ("since", Arity::Required, "since"),
        ("until", Arity::Required, "until"),
        ("ctime", Arity::No, "T"),
        ("notime", Arity::No, "t"),
        ("userspace", Arity::No, "u"),
        ("version", Arity::No, "V"),
        ("follow", Arity::No, "w"),
        ("decode", Arity::No, "x"),
    ],
);

/// How the moment of a line is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    /// `[    1.234567] `.
    Seconds,
    No,
    /// `[Sun Nov 22 00:25:52 2026] `.
    Calendar,
    /// `2026-11-22T00:25:52,592708+00:00 `.
    Iso,
    /// `[    1.234567 <    0.000000>] `.
    Delta,
    /// `[Nov22 00:25] ` once a minute, `[  +0.011879] ` in it.
    Relative,
}

impl Time {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"delta" => Self::Delta,
            b"reltime" => Self::Relative,
            b"ctime" => Self::Calendar,
            b"notime" => Self::No,
            b"iso" => Self::Iso,
            _ => return None,
        })
    }
}

/// Names of the severities, the gravest first.
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];

/// Names of the facilities that can be asked for; the kernel's own is the first.
const FACILITIES: [&str; 12] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp",
];

/// A list of names as bits; the name that is none otherwise.
fn bits(list: &[u8], names: &[&str]) -> Result<u32, Vec<u8>> {
    let mut bits = 0;
    for name in list.split(|&byte| byte == b',') {
        let at = names.iter().position(|known| known.as_bytes() == name);
        bits |= 1 << at.ok_or_else(|| name.to_vec())?;
    }
    Ok(bits)
}

/// What the command line asks for.
struct Request {
    show: bool,
    time: Time,
    decode: bool,
    raw: bool,
    levels: u32,
    facilities: u32,
}

impl Request {
    /// Takes one option; the complaint otherwise.
    fn take(&mut self, key: &str, value: &[u8]) -> Result<(), Vec<u8>> {
        let unknown = |what: &str, name: Vec<u8>| {
            [b"unknown ".as_slice(), what.as_bytes(), b" '", &name, b"'"].concat()
        };
        match key {
            "C" | "D" | "E" => self.show = false,
            "n" => {
                let number = value.first().is_some_and(u8::is_ascii_digit);
                if !number {
                    bits(value, &LEVELS).map_err(|name| unknown("level", name))?;
                }
                self.show = false;
            }
            "u" => self.facilities = !1,
            "k" => self.facilities = 1,
            "T" => self.time = Time::Calendar,
            "t" => self.time = Time::No,
            "d" => self.time = Time::Delta,
            "H" | "e" => self.time = Time::Relative,
            "time-format" => {
                self.time =
                    Time::named(value).ok_or_else(|| [b"unknown time format: ", value].concat())?;
            }
            "l" => self.levels = bits(value, &LEVELS).map_err(|name| unknown("level", name))?,
            "f" => {
                self.facilities =
                    bits(value, &FACILITIES).map_err(|name| unknown("facility", name))?;
            }
            "r" => self.raw = true,
            "x" => self.decode = true,
            _ => {}
        }
        Ok(())
    }
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut request = Request {
        show: true,
        time: Time::Seconds,
        decode: false,
        raw: false,
        levels: u32::MAX,
        facilities: u32::MAX,
    };
    let mut exclusive = Vec::new();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return super::refuse(proc, &error).await,
        };
        if matches!(key, "C" | "D" | "E" | "c" | "n" | "r") && !exclusive.contains(&key) {
            exclusive.push(key);
        }
        if exclusive.len() > 1 {
            let text = "mutually exclusive arguments: --clear --console-off --console-on --read-clear --console-level --raw";
            return super::fail(proc, text).await;
        }
        match key {
            "h" => return super::help(proc, "dmesg").await,
            "V" => return super::version(proc).await,
            _ => {}
        }
        if let Err(complaint) = request.take(key, &value) {
            return super::fail(proc, complaint).await;
        }
    }
    if !getopt.operands().is_empty() {
        return super::bad_usage(proc).await;
    }
    if proc.credentials().uid != 0 {
        let text = format!(
            "read kernel buffer failed: {}",
            sundew_kernel::Errno::Eperm.message()
        );
        proc.complain_text(text).await;
        return ExitStatus::FAILURE;
    }
    if request.show && request.facilities & 1 != 0 {
        show(proc, &request).await;
    }
    proc.status()
}

async fn show(proc: &mut Process, request: &Request) {
    let mut all = messages(proc).await;
    let boot = proc.facts().boot_time;
    let start = u64::try_from(boot.secs).unwrap_or(0) * 1_000_000 + u64::from(boot.nanos / 1000);
    // What the kernel said since: refusals of its security module.
    let since = proc.journal().unwrap_or_default().into_iter();
    all.extend(
        since
            .filter(|entry| entry.identifier == b"kernel")
            .map(|entry| {
                let warning = entry.priority <= 4;
                (
                    entry.micros.saturating_sub(start),
                    warning,
                    text(&entry.message),
                )
            }),
    );
    let mut stamps = Stamps {
        zone: crate::time::Zone::of(proc).await,
        boot: boot.secs,
        before: None,
        minute: None,
    };
    for (micros, warning, text) in all {
        let level = if warning { 4 } else { 6 };
        if request.levels & (1 << level) == 0 {
            continue;
        }
        let mark = match LEVELS.get(level) {
            Some(name) if request.decode => format!("kern  :{name:<6}: "),
            _ => String::new(),
        };
        let line = if request.raw {
            format!(
                "<{level}>[{:5}.{:06}] {text}\n",
                micros / 1_000_000,
                micros % 1_000_000
            )
        } else {
            format!("{mark}{}{text}\n", stamps.of(micros, request.time))
        };
        if proc.print(line.as_bytes()).await.is_err() {
            break;
        }
    }
}

/// Makes the stamps of one line after the other.
struct Stamps {
    zone: crate::time::Zone,
    /// Seconds since 1970.
    boot: i64,
    /// Microseconds of the line before.
    before: Option<u64>,
    /// The minute last shown.
    minute: Option<i64>,
}

impl Stamps {
    fn of(&mut self, micros: u64, time: Time) -> String {
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        let moment = sundew_vfs::Timestamp {
            secs: self.boot.saturating_add_unsigned(seconds),
            nanos: 0,
        };
        let shown =
            |format: &[u8]| text(&crate::time::Shown::new(moment, &self.zone).format(format));
        let passed = micros.saturating_sub(self.before.unwrap_or(micros));
        let stamp = match time {
            Time::Seconds => format!("[{seconds:5}.{rest:06}] "),
            Time::No => String::new(),
            Time::Calendar => format!("[{}] ", shown(b"%a %b %e %H:%M:%S %Y")),
            Time::Iso => format!(
                "{},{rest:06}{} ",
                shown(b"%Y-%m-%dT%H:%M:%S"),
                shown(b"%:z")
            ),
            Time::Delta => format!(
                "[{seconds:5}.{rest:06} <{:5}.{:06}>] ",
                passed / 1_000_000,
                passed % 1_000_000
            ),
            Time::Relative if self.minute == Some(moment.secs.div_euclid(60)) => {
                format!("[{:>+5}.{:06}] ", passed / 1_000_000, passed % 1_000_000)
            }
            Time::Relative => format!("[{}] ", shown(b"%b%e %H:%M")),
        };
        self.minute = Some(moment.secs.div_euclid(60));
        self.before = Some(micros);
        stamp
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A line of the ring buffer: microseconds after boot, whether it is a warning, and the words.
pub(crate) type Line = (u64, bool, String);

/// What the kernel says first, whatever it runs on.
fn banner(facts: &Facts) -> String {
    format!(
        "Linux version {} {} {}",
        text(&facts.kernel_release),
        text(&facts.kernel_builder),
        text(&facts.kernel_version)
    )
}

/// All that was said when the machine came up.
pub(crate) async fn messages(proc: &Process) -> Vec<Line> {
    let facts = proc.facts();
    let command_line = input::read_all(proc, b"/proc/cmdline")
        .await
        .map(|(text, _memory)| text)
        .unwrap_or_default();
    let command_line = text(command_line.trim_ascii());
    if facts.flash.is_empty() {
        pc::messages(facts, &command_line)
    } else {
        arm::messages(facts, &command_line)
    }
}
