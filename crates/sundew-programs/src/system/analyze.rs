//! `systemd-analyze`: how the machine was booted, and systemd's words for times.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::bus::unknown_verb;
use super::cli::{self, Order};
use super::systemd::{NOT_BOOTED, is_booted};
use crate::time::{Shown, Zone};

/// A length of time as systemd writes it.
fn span(mut micros: u64) -> String {
    const UNITS: &[(&str, u64)] = &[
        ("y", 31_557_600_000_000),
        ("month", 2_629_800_000_000),
        ("w", 604_800_000_000),
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("min", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1000),
        ("us", 1),
    ];
    if micros == 0 {
        return "0".to_owned();
    }
    let mut parts = Vec::new();
    for (name, size) in UNITS {
        let count = micros / size;
        if count > 0 {
            parts.push(format!("{count}{name}"));
            micros %= size;
        }
    }
    parts.join(" ")
}

/// Microseconds of `1h30m`; a bare number counts seconds.
fn read_span(text: &str) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("", 1_000_000),
        ("s", 1_000_000),
        ("sec", 1_000_000),
        ("second", 1_000_000),
        ("seconds", 1_000_000),
        ("m", 60_000_000),
        ("min", 60_000_000),
        ("minute", 60_000_000),
        ("minutes", 60_000_000),
        ("h", 3_600_000_000),
        ("hr", 3_600_000_000),
        ("hour", 3_600_000_000),
        ("hours", 3_600_000_000),
        ("d", 86_400_000_000),
        ("day", 86_400_000_000),
        ("days", 86_400_000_000),
        ("w", 604_800_000_000),
        ("week", 604_800_000_000),
        ("weeks", 604_800_000_000),
        ("M", 2_629_800_000_000),
        ("month", 2_629_800_000_000),
        ("months", 2_629_800_000_000),
        ("y", 31_557_600_000_000),
        ("year", 31_557_600_000_000),
        ("years", 31_557_600_000_000),
        ("ms", 1000),
        ("msec", 1000),
        ("us", 1),
        ("usec", 1),
        ("\u{b5}s", 1),
    ];
    let mut rest = text.trim();
    let mut total = 0u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let tail = tail.trim_start();
        let letters = tail
            .find(|letter: char| letter.is_ascii_digit() || letter.is_whitespace())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let size = UNITS.iter().find(|row| row.0 == unit)?.1;
        total = total.checked_add(number.checked_mul(size)?)?;
        rest = tail.trim_start();
    }
    Some(total)
}

/// Microseconds that the machine took to start: kernel, then programs.
const STARTED: (u64, u64) = (2_314_000, 5_871_000);
/// Units by the time they took, in milliseconds.
const BLAME: &[(u64, &str)] = &[
    (2391, "networking.service"),
    (812, "dev-vda1.device"),
    (401, "apparmor.service"),
    (322, "systemd-journald.service"),
    (268, "ssh.service"),
    (251, "systemd-udev-trigger.service"),
    (233, "keyboard-setup.service"),
    (187, "systemd-logind.service"),
    (163, "systemd-udevd.service"),
    (121, "dbus.service"),
    (97, "systemd-tmpfiles-setup.service"),
    (84, "systemd-modules-load.service"),
    (71, "systemd-tmpfiles-setup-dev.service"),
    (62, "systemd-sysctl.service"),
    (57, "systemd-journal-flush.service"),
    (51, "systemd-random-seed.service"),
    (43, "systemd-remount-fs.service"),
    (38, "systemd-sysusers.service"),
    (31, "systemd-update-utmp.service"),
    (26, "systemd-user-sessions.service"),
    (19, "ifupdown-pre.service"),
    (12, "systemd-update-utmp-runlevel.service"),
    (9, "modprobe@fuse.service"),
];

fn seconds(micros: u64) -> String {
    format!("{}.{:03}s", micros / 1_000_000, micros % 1_000_000 / 1000)
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn analyze(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-analyze", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let verb = line
        .operands
        .first()
        .cloned()
        .unwrap_or_else(|| b"time".to_vec());
    let rest = line.operands.get(1..).unwrap_or_default();
    match verb.as_slice() {
        b"timespan" | b"calendar" | b"timestamp" if rest.is_empty() => {
            super::fail(proc, "Too few arguments.\n", 1).await
        }
        b"timespan" => {
            for (at, word) in rest.iter().enumerate() {
                let word = super::text(word);
                let Some(micros) = read_span(&word) else {
                    let why = Errno::Einval.message();
                    let text = format!(
                        "Failed to parse time span '{word}': {why}\nHint: this expression is a valid timestamp. Use 'systemd-analyze timestamp \"{word}\"' instead?\n"
                    );
                    let text = text.split_inclusive('\n').next().unwrap_or_default();
                    return super::fail(proc, text, 1).await;
                };
                let blank = if at > 0 { "\n" } else { "" };
                let out = format!(
                    "{blank}Original: {word}\n      \u{3bc}s: {micros}\n   Human: {}\n",
                    span(micros)
                );
                super::put(proc, out).await;
            }
            proc.status()
        }
        b"calendar" => calendar(proc, rest).await,
        b"time" | b"blame" | b"critical-chain" if !is_booted(proc) => {
            super::fail(proc, NOT_BOOTED, 1).await
        }
        b"time" => {
            let (kernel, user) = STARTED;
            let out = format!(
                "Startup finished in {} (kernel) + {} (userspace) = {} \ngraphical.target reached after {} in userspace.\n",
                seconds(kernel),
                seconds(user),
                seconds(kernel + user),
                seconds(user - 12_000)
            );
            super::put(proc, out).await
        }
        b"blame" => {
            let rows = BLAME.iter().map(|(millis, unit)| {
                let time = if *millis >= 1000 {
                    seconds(millis * 1000)
                } else {
                    format!("{millis}ms")
                };
                format!("{time:>6} {unit}\n")
            });
            super::put(proc, rows.collect::<String>()).await
        }
        b"critical-chain" => {
            let out = "The time when unit became active or started is printed after the \"@\" character.\nThe time the unit took to start is printed after the \"+\" character.\n\ngraphical.target @5.859s\n\u{2514}\u{2500}multi-user.target @5.858s\n  \u{2514}\u{2500}ssh.service @5.588s +268ms\n    \u{2514}\u{2500}network.target @5.583s\n      \u{2514}\u{2500}networking.service @3.189s +2.391s\n        \u{2514}\u{2500}apparmor.service @2.781s +401ms\n          \u{2514}\u{2500}local-fs.target @2.776s\n            \u{2514}\u{2500}run-rpc_pipefs.mount\n              \u{2514}\u{2500}systemd-tmpfiles-setup-dev.service @1.203s +71ms\n                \u{2514}\u{2500}systemd-sysusers.service @1.161s +38ms\n                  \u{2514}\u{2500}systemd-remount-fs.service @1.111s +43ms\n                    \u{2514}\u{2500}systemd-journald.socket @1.087s\n                      \u{2514}\u{2500}-.mount @1.031s\n                        \u{2514}\u{2500}-.slice @1.031s\n";
            super::put(proc, out).await
        }
        b"unit-paths" => {
            let out = "/etc/systemd/system.control\n/run/systemd/system.control\n/run/systemd/transient\n/run/systemd/generator.early\n/etc/systemd/system\n/etc/systemd/system.attached\n/run/systemd/system\n/run/systemd/system.attached\n/run/systemd/generator\n/usr/local/lib/systemd/system\n/lib/systemd/system\n/usr/lib/systemd/system\n/run/systemd/generator.late\n";
            super::put(proc, out).await
        }
        b"verify" | b"condition" | b"dump" | b"plot" | b"dot" | b"security" | b"log-level"
        | b"log-target" | b"service-watchdogs" | b"cat-config" | b"exit-status" | b"capability"
        | b"syscall-filter" | b"filesystems" | b"inspect-elf" | b"unit-files"
        | b"compare-versions" | b"timestamp" => {
            if verb == b"log-level" {
                return super::put(proc, "info\n").await;
            }
            if verb == b"log-target" {
                return super::put(proc, "journal-or-kmsg\n").await;
            }
            if verb == b"service-watchdogs" {
                return super::put(proc, "yes\n").await;
            }
            if rest.is_empty() && matches!(verb.as_slice(), b"verify" | b"cat-config") {
                return super::fail(proc, "Too few arguments.\n", 1).await;
            }
            proc.status()
        }
        b"help" => super::put(proc, cli::section("systemd-analyze")).await,
        verb => unknown_verb(proc, verb).await,
    }
}

/// Calendar expressions by their short names.
const CALENDAR: &[(&str, &str)] = &[
    ("minutely", "*-*-* *:*:00"),
    ("hourly", "*-*-* *:00:00"),
    ("daily", "*-*-* 00:00:00"),
    ("weekly", "Mon *-*-* 00:00:00"),
    ("monthly", "*-*-01 00:00:00"),
    ("quarterly", "*-01,04,07,10-01 00:00:00"),
    ("semiannually", "*-01,07-01 00:00:00"),
    ("yearly", "*-01-01 00:00:00"),
    ("annually", "*-01-01 00:00:00"),
];

pub(super) async fn calendar(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    const MINUTE: i64 = 60;
    const DAY: i64 = 86_400;
    let zone = Zone::of(proc).await;
    for (at, word) in words.iter().enumerate() {
        let word = super::text(word);
        let Some((name, normal)) = CALENDAR.iter().find(|row| row.0 == word || row.1 == word)
        else {
            let why = Errno::Einval.message();
            let text = format!("Failed to parse calendar specification '{word}': {why}\n");
            return super::fail(proc, text, 1).await;
        };
        let now = proc.now().secs;
        // The first of January 1970 was a Thursday.
        let next = match *name {
            "minutely" => (now / MINUTE + 1) * MINUTE,
            "hourly" => (now / 3600 + 1) * 3600,
            "daily" => (now / DAY + 1) * DAY,
            "weekly" => {
                let monday = (now / DAY + 3) / 7 * 7 - 3;
                (monday + 7) * DAY
            }
            name => {
                let months: &[i64] = match name {
                    "monthly" => &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
                    "quarterly" => &[1, 4, 7, 10],
                    "semiannually" => &[1, 7],
                    _ => &[1],
                };
                let mut day = now / DAY + 1;
                loop {
                    let date = crate::time::fields(day * DAY);
                    if date.day == 1 && months.contains(&date.month) {
                        break day * DAY;
                    }
                    day += 1;
                }
            }
        };
        let moment = sundew_vfs::Timestamp {
            secs: next,
            nanos: 0,
        };
        let shown = Shown::new(moment, &zone).format(b"%a %Y-%m-%d %H:%M:%S %Z");
        let left = u64::try_from(next - now).unwrap_or(0);
        let left = span(left * 1_000_000);
        let left = left.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let blank = if at > 0 { "\n" } else { "" };
        let original = if word == *normal {
            String::new()
        } else {
            format!("  Original form: {word}\n")
        };
        let out = format!(
            "{blank}{original}Normalized form: {normal}\n    Next elapse: {}\n       From now: {left} left\n",
            super::text(&shown)
        );
        super::put(proc, out).await;
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        assert_eq!(read_span("1h30m"), Some(5_400_000_000));
        assert_eq!(read_span("2 days 3"), Some(172_803_000_000));
        assert_eq!(read_span("x"), None);
        assert_eq!(span(5_400_000_000), "1h 30min");
        assert_eq!(span(0), "0");
    }
}
