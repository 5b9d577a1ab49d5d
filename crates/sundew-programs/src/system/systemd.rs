//! systemd's tools, as on a machine that systemd runs: what its processes, units and files say.

use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::cli::{self, Line, Order};
use crate::text::{command, shell};
use crate::time::{Shown, Zone};

/// Becomes the command, with systemd's words if there is none.
async fn become_command(proc: &mut Process, words: Vec<Vec<u8>>, what: &str) -> ExitStatus {
    let name = words.first().cloned().unwrap_or_default();
    let errno = match command::search(proc, &name) {
        Ok(path) => {
            let env = proc.env().clone();
            proc.exec(&path, words, env).await
        }
        Err(errno) => errno,
    };
    let text = [what.as_bytes(), b": ", errno.message().as_bytes(), b"\n"].concat();
    super::fail(proc, text, 1).await
}

/// Whether systemd is the first process.
fn is_booted(proc: &Process) -> bool {
    proc.stat(b"/run/systemd/system").is_ok()
}

const NOT_BOOTED: &str = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";

/// What asking a service that wants more than a reader's rights ends with.
async fn no_authentication(proc: &mut Process, what: &str) -> ExitStatus {
    let text = format!("{what}: Interactive authentication required.\n");
    super::fail(proc, text, 1).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-run", 1, Order::OptionsFirst).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let timer = [
        "on-active",
        "on-boot",
        "on-calendar",
        "on-startup",
        "on-unit-active",
    ]
    .iter()
    .any(|name| line.has(name));
    if line.operands.is_empty() && !line.has("unit") && !line.has("shell") && !timer {
        return super::fail(proc, "Command line to execute required.\n", 1).await;
    }
    if !is_booted(proc) {
        return super::fail(proc, NOT_BOOTED, 1).await;
    }
    if proc.credentials().uid != 0 && !line.has("user") {
        let what = "Failed to start transient service unit";
        return no_authentication(proc, what).await;
    }
    let mut words = line.operands.clone();
    if line.has("shell") {
        words = vec![proc.env().value(b"SHELL").unwrap_or(b"/bin/bash").to_vec()];
    }
    let name = words.first().cloned().unwrap_or_default();
    let path = match command::search(proc, &name) {
        Ok(path) => path,
        Err(errno) => {
            let text = [
                b"Failed to find executable ".as_slice(),
                &name,
                b": ",
                errno.message().as_bytes(),
                b"\n",
            ];
            return super::fail(proc, text.concat(), 1).await;
        }
    };
    let unit = match line.value("unit") {
        Some(unit) if unit.contains(&b'.') => super::text(unit),
        Some(unit) => format!(
            "{}.{}",
            super::text(unit),
            if timer { "timer" } else { "service" }
        ),
        None if timer => format!("run-u{}.timer", proc.pid() % 1000),
        None if line.has("scope") => {
            format!("run-r{:016x}{:016x}.scope", proc.random(), proc.random())
        }
        None => format!("run-u{}.service", proc.pid() % 1000),
    };
    if !line.has("quiet") {
        let text = if timer {
            let service = unit.replace(".timer", ".service");
            format!("Running timer as unit: {unit}\nWill run service as unit: {service}\n")
        } else if line.has("scope") {
            format!("Running scope as unit: {unit}\n")
        } else {
            format!("Running as unit: {unit}\n")
        };
        proc.print_error(text.as_bytes()).await;
    }
    if timer {
        return proc.status();
    }
    if line.has("scope") {
        return become_command(proc, words, "Failed to execute").await;
    }
    let wait = ["wait", "pty", "pipe", "shell"]
        .iter()
        .any(|name| line.has(name));
    let attached = ["pty", "pipe", "shell"].iter().any(|name| line.has(name));
    let started = proc.fork(move |mut child| {
        Box::pin(async move {
            let _own_session = child.new_session();
            if !attached {
                // Services have neither terminal nor caller.
                let null = child
                    .open(
                        b"/dev/null",
                        sundew_kernel::descriptor::OpenFlags::READ_WRITE,
                        0,
                    )
                    .await;
                if let Ok(null) = null {
                    for fd in 0..=2 {
                        let _moved = child.duplicate_to(null, fd);
                    }
                }
            }
            let env = child.env().clone();
            let errno = child.exec(&path, words, env).await;
            let _unheard = errno;
            ExitStatus::Exited(203)
        })
    });
    match started {
        Ok(pid) if wait => shell::wait(proc, pid).await,
        Ok(_) => proc.status(),
        Err(errno) => {
            let text = format!(
                "Failed to start transient service unit: {}\n",
                errno.message()
            );
            super::fail(proc, text, 1).await
        }
    }
}

pub(super) async fn cat(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-cat", 1, Order::OptionsFirst).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        // The journal takes whatever comes.
        let mut chunk = vec![0; 4096];
        while proc.read(STDIN, &mut chunk).await.is_ok_and(|got| got > 0) {}
        return proc.status();
    }
    let null = proc
        .open(b"/dev/null", sundew_kernel::descriptor::OpenFlags::WRITE, 0)
        .await;
    if let Ok(null) = null {
        for fd in [1, 2] {
            let _moved = proc.duplicate_to(null, fd);
        }
    }
    become_command(proc, line.operands, "Failed to execute process").await
}

pub(super) async fn inhibit(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-inhibit", 1, Order::OptionsFirst).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        return super::put(proc, "No inhibitors.\n").await;
    }
    if proc.credentials().uid != 0 {
        return super::fail(proc, "Failed to inhibit: Access denied\n", 1).await;
    }
    become_command(proc, line.operands, "Failed to execute").await
}

pub(super) async fn notify(proc: &mut Process) -> ExitStatus {
    if proc.args().len() < 2 {
        let text = cli::section("systemd-notify");
        super::put(proc, text).await;
        return ExitStatus::FAILURE;
    }
    let line = match cli::read(proc, "systemd-notify", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("booted") {
        return if is_booted(proc) {
            ExitStatus::SUCCESS
        } else {
            ExitStatus::FAILURE
        };
    }
    if proc.env().value(b"NOTIFY_SOCKET").is_none() {
        let text = "No status data could be sent: $NOTIFY_SOCKET was not set\n";
        return super::fail(proc, text, 1).await;
    }
    proc.status()
}

pub(super) async fn localectl(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "localectl", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if !is_booted(proc) {
        return super::fail(proc, NOT_BOOTED, 1).await;
    }
    match line.operands.first().map(Vec::as_slice) {
        None | Some(b"status") => {
            let text = proc
                .read_small_file(b"/etc/default/locale")
                .unwrap_or_default();
            let lang = super::text(&text)
                .lines()
                .find(|line| line.starts_with("LANG="))
                .map_or_else(|| "LANG=C.UTF-8".to_owned(), str::to_owned);
            let lang = lang.replace('"', "");
            let out = format!(
                "System Locale: {lang}\n    VC Keymap: n/a\n   X11 Layout: us\n    X11 Model: pc105\n"
            );
            super::put(proc, out).await
        }
        Some(b"list-locales") => super::put(proc, "C.UTF-8\n").await,
        Some(b"list-keymaps") => {
            let text = "Failed to read list of keymaps: No such file or directory\n";
            // tidy-allow(errno-word): the words of a service, not of a call
            super::fail(proc, text, 1).await
        }
        Some(b"set-locale" | b"set-keymap" | b"set-x11-keymap") if line.operands.len() < 2 => {
            super::fail(proc, "Too few arguments.\n", 1).await
        }
        Some(b"set-locale") if proc.credentials().uid == 0 => {
            let words = line.operands.get(1..).unwrap_or_default();
            let text = [words.join(&b'\n').as_slice(), b"\n"].concat();
            match super::write(proc, b"/etc/default/locale", &text, 0o644).await {
                Ok(()) => proc.status(),
                Err(errno) => {
                    let text = format!("Failed to issue method call: {}\n", errno.message());
                    super::fail(proc, text, 1).await
                }
            }
        }
        Some(b"set-locale" | b"set-keymap" | b"set-x11-keymap") => {
            no_authentication(proc, "Failed to issue method call").await
        }
        Some(verb) => unknown_verb(proc, verb).await,
    }
}

async fn unknown_verb(proc: &mut Process, verb: &[u8]) -> ExitStatus {
    let text = [b"Unknown command verb ".as_slice(), verb, b".\n"].concat();
    super::fail(proc, text, 1).await
}

/// `networkctl`: networkd does not run; links are only listed.
pub(super) async fn networkctl(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "networkctl", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let verb = line.operands.first().cloned();
    match verb.as_deref() {
        None | Some(b"list") => {
            proc.print_error(
                b"WARNING: systemd-networkd is not running, output will be incomplete.\n\n",
            )
            .await;
            let mut out = String::new();
            let rows: Vec<[String; 5]> = proc
                .facts()
                .interfaces
                .iter()
                .enumerate()
                .map(|(at, interface)| {
                    let name = super::text(&interface.name);
                    let kind = if name == "lo" { "loopback" } else { "ether" };
                    [
                        (at + 1).to_string(),
                        name,
                        kind.to_owned(),
                        "n/a".to_owned(),
                        "unmanaged".to_owned(),
                    ]
                })
                .collect();
            let width = rows
                .iter()
                .map(|row| row[1].len())
                .max()
                .unwrap_or(0)
                .max(4);
            if !line.has("no-legend") {
                out.push_str(&format!(
                    "IDX {:<width$} TYPE     OPERATIONAL SETUP\n",
                    "LINK"
                ));
            }
            let count = rows.len();
            for [index, name, kind, state, setup] in rows {
                out.push_str(&format!(
                    "{index:>3} {name:<width$} {kind:<8} {state:<11} {setup}\n"
                ));
            }
            if !line.has("no-legend") {
                out.push_str(&format!("\n{count} links listed.\n"));
            }
            super::put(proc, out).await
        }
        Some(
            b"status" | b"lldp" | b"label" | b"delete" | b"up" | b"down" | b"renew" | b"forcerenew"
            | b"reconfigure" | b"reload",
        ) => {
            let text = "Failed to query link bit rates: Unit dbus-org.freedesktop.network1.service not found.\n";
            super::fail(proc, text, 1).await
        }
        Some(verb) => unknown_verb(proc, verb).await,
    }
}

/// Names on the bus that daemons of the machine own, with their units.
const BUS_NAMES: &[(&str, &str, &str, &str)] = &[
    ("org.freedesktop.DBus", "systemd", "1", "init.scope"),
    (
        "org.freedesktop.login1",
        "systemd-logind",
        "",
        "systemd-logind.service",
    ),
    ("org.freedesktop.systemd1", "systemd", "1", "init.scope"),
];
/// Names that can be had by asking.
const ACTIVATABLE: &[&str] = &[
    "org.freedesktop.hostname1",
    "org.freedesktop.locale1",
    "org.freedesktop.timedate1",
];

pub(super) async fn busctl(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "busctl", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    match line.operands.first().map(Vec::as_slice) {
        None | Some(b"list") => {}
        Some(b"help") => return super::put(proc, cli::section("busctl")).await,
        Some(
            verb @ (b"status" | b"monitor" | b"capture" | b"tree" | b"introspect" | b"call"
            | b"emit" | b"get-property" | b"set-property"),
        ) => {
            let text = if verb == b"call" || line.operands.len() < 2 {
                "Too few arguments.\n"
            } else {
                "Failed to introspect object: Access denied\n"
            };
            return super::fail(proc, text, 1).await;
        }
        Some(verb) => return unknown_verb(proc, verb).await,
    }
    if !is_booted(proc) {
        let reason = Errno::Enoent.message();
        return super::fail(proc, format!("Failed to connect to bus: {reason}\n"), 1).await;
    }
    let all = proc.processes();
    let mut out = String::new();
    if !line.has("no-legend") {
        out.push_str(&format!(
            "{:<28} {:>4} {:<15} {:<5} {:<13} {:<23} {:<7} DESCRIPTION\n",
            "NAME", "PID", "PROCESS", "USER", "CONNECTION", "UNIT", "SESSION"
        ));
    }
    for (at, (name, process, pid, unit)) in BUS_NAMES.iter().enumerate() {
        let comm: Vec<u8> = process.bytes().take(15).collect();
        let number = all
            .iter()
            .find(|one| one.name == comm)
            .map(|one| one.pid.to_string());
        let pid = if pid.is_empty() {
            number.unwrap_or_default()
        } else {
            (*pid).to_owned()
        };
        let connection = if *name == "org.freedesktop.DBus" {
            "-".to_owned()
        } else {
            format!(":1.{at}")
        };
        out.push_str(&format!(
            "{name:<28} {pid:>4} {:<15} {:<5} {connection:<13} {unit:<23} {:<7} -\n",
            super::text(&comm),
            "root",
            "-"
        ));
    }
    for name in ACTIVATABLE {
        out.push_str(&format!(
            "{name:<28} {:>4} {:<15} {:<5} {:<13} {:<23} {:<7} -\n",
            "-", "-", "-", "(activatable)", "-", "-"
        ));
    }
    super::put(proc, out).await
}

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
                    let text = format!(
                        "Failed to parse time span '{word}': Invalid argument\nHint: this expression is a valid timestamp. Use 'systemd-analyze timestamp \"{word}\"' instead?\n"
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

async fn calendar(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    const MINUTE: i64 = 60;
    const DAY: i64 = 86_400;
    let zone = Zone::of(proc).await;
    for (at, word) in words.iter().enumerate() {
        let word = super::text(word);
        let Some((name, normal)) = CALENDAR.iter().find(|row| row.0 == word || row.1 == word)
        else {
            let text =
                format!("Failed to parse calendar specification '{word}': Invalid argument\n");
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
                let months: &[i8] = match name {
                    "monthly" => &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
                    "quarterly" => &[1, 4, 7, 10],
                    "semiannually" => &[1, 7],
                    _ => &[1],
                };
                let mut day = now / DAY + 1;
                loop {
                    let date = crate::time::civil(day * DAY);
                    if date.day() == 1 && months.contains(&date.month()) {
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

/// Control groups of the machine's processes, in the order of their paths.
fn groups(proc: &Process) -> Vec<(String, Vec<(u32, String)>)> {
    let mut found: Vec<(String, Vec<(u32, String)>)> = Vec::new();
    for one in proc.processes() {
        if one.kernel_thread {
            continue;
        }
        let path = format!("/proc/{}/cgroup", one.pid);
        let text = proc.read_small_file(path.as_bytes()).unwrap_or_default();
        let text = super::text(&text);
        let group = text.trim().trim_start_matches("0::").to_owned();
        let command = if one.args.is_empty() {
            format!("[{}]", super::text(&one.name))
        } else {
            super::text(&one.args.join(&b' '))
        };
        match found.iter_mut().find(|row| row.0 == group) {
            Some(row) => row.1.push((one.pid, command)),
            None => found.push((group, vec![(one.pid, command)])),
        }
    }
    found.sort();
    found
}

pub(super) async fn cgls(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-cgls", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let all = groups(proc);
    let mut out = String::new();
    if line.operands.is_empty() {
        out.push_str("Control group /:\n-.slice\n");
        tree(&all, "", "", &mut out);
    }
    for word in &line.operands {
        let name = super::text(word);
        let base = format!("/{}", name.trim_matches('/'));
        if !all
            .iter()
            .any(|row| row.0 == base || row.0.starts_with(&format!("{base}/")))
        {
            super::put(proc, out).await;
            let reason = Errno::Enoent.message();
            let text = format!("Failed to list cgroup tree: {reason}\n");
            return super::fail(proc, text, 1).await;
        }
        out.push_str(&format!("Control group {base}:\n"));
        tree(&all, &base, "", &mut out);
    }
    super::put(proc, out).await
}

/// The groups below `base`, then its processes, with lines.
fn tree(all: &[(String, Vec<(u32, String)>)], base: &str, indent: &str, out: &mut String) {
    let prefix = format!("{base}/");
    let mut children: Vec<String> = Vec::new();
    for (path, _) in all {
        let Some(rest) = path.strip_prefix(&prefix) else {
            continue;
        };
        let name = rest.split('/').next().unwrap_or_default().to_owned();
        if !name.is_empty() && !children.contains(&name) {
            children.push(name);
        }
    }
    let own = all
        .iter()
        .find(|row| row.0 == base)
        .map(|row| row.1.clone());
    let own = own.unwrap_or_default();
    let width = own
        .iter()
        .map(|row| row.0.to_string().len())
        .max()
        .unwrap_or(0);
    let total = children.len() + own.len();
    let mut at = 0;
    for (pid, command) in own {
        at += 1;
        let mark = if at == total {
            "\u{2514}\u{2500}"
        } else {
            "\u{251c}\u{2500}"
        };
        out.push_str(&format!("{indent}{mark}{pid:>width$} {command}\n"));
    }
    for child in children {
        at += 1;
        let last = at == total;
        let mark = if last {
            "\u{2514}\u{2500}"
        } else {
            "\u{251c}\u{2500}"
        };
        out.push_str(&format!("{indent}{mark}{child} \n"));
        let deeper = format!("{indent}{}", if last { "  " } else { "\u{2502} " });
        tree(all, &format!("{base}/{child}"), &deeper, out);
    }
}

pub(super) async fn cgtop(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-cgtop", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let all = groups(proc);
    let mut rows: Vec<(String, usize)> = Vec::new();
    for (path, members) in &all {
        let mut at = String::new();
        let mut places = vec!["/".to_owned()];
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if !at.is_empty() {
                at.push('/');
            }
            at.push_str(part);
            places.push(at.clone());
        }
        for place in places {
            match rows.iter_mut().find(|row| row.0 == place) {
                Some(row) => row.1 += members.len(),
                None => rows.push((place, members.len())),
            }
        }
    }
    rows.sort();
    let width = rows
        .iter()
        .map(|row| row.0.len())
        .max()
        .unwrap_or(0)
        .max(13);
    let rounds: u32 = line
        .value("iterations")
        .and_then(super::number)
        .unwrap_or(1);
    for round in 0..rounds.clamp(1, 1000) {
        let mut out = format!(
            "{:<width$} {:>7} {:>6} {:>8} {:>8} {:>8}\n",
            "Control Group", "Tasks", "%CPU", "Memory", "Input/s", "Output/s"
        );
        for (path, count) in &rows {
            out.push_str(&format!(
                "{path:<width$} {count:>7} {:>6} {:>8} {:>8} {:>8}\n",
                "-", "-", "-", "-"
            ));
        }
        super::put(proc, out).await;
        if round + 1 < rounds && proc.sleep(std::time::Duration::from_secs(1)).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// `systemd-delta`: what extends the vendor's units.
pub(super) async fn delta(proc: &mut Process) -> ExitStatus {
    let _line = match cli::read(proc, "systemd-delta", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut out = String::new();
    let mut count = 0;
    for base in ["/etc/systemd/system", "/usr/lib/systemd/system"] {
        let entries = proc.read_directory(base.as_bytes()).unwrap_or_default();
        let mut names: Vec<String> = entries
            .iter()
            .map(|entry| super::text(&entry.name))
            .collect();
        names.sort();
        for name in names {
            let Some(unit) = name.strip_suffix(".d") else {
                continue;
            };
            let directory = format!("{base}/{name}");
            let inside = proc
                .read_directory(directory.as_bytes())
                .unwrap_or_default();
            let mut files: Vec<String> = inside
                .iter()
                .map(|entry| super::text(&entry.name))
                .filter(|name| name.ends_with(".conf"))
                .collect();
            files.sort();
            for file in files {
                count += 1;
                out.push_str(&format!(
                    "[EXTENDED]   /usr/lib/systemd/system/{unit} \u{2192} {directory}/{file}\n"
                ));
            }
        }
    }
    out.push_str(&format!(
        "\n{count} overridden configuration files found.\n"
    ));
    super::put(proc, out).await
}

pub(super) async fn ask_password(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-ask-password", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if !proc.is_terminal(STDIN) {
        let text = "Failed to query password: Timer expired\n";
        return super::fail(proc, text, 1).await;
    }
    let message = match line.operands.join(&b' ') {
        words if words.is_empty() => "Password:".to_owned(),
        words => super::text(&words),
    };
    proc.print_error(format!("\u{1f510} {message} (press TAB for no echo) ").as_bytes())
        .await;
    let mut lines = sundew_kernel::process::LineReader::new(proc, STDIN);
    match lines.next(proc, b'\n').await {
        Ok(Some(answer)) => super::put(proc, answer).await,
        _ => ExitStatus::FAILURE,
    }
}

/// Programs that have nothing to do on a machine that is set up, or that lack what they need.
pub(super) async fn small(proc: &mut Process) -> ExitStatus {
    let name = super::text(proc.base_name());
    let line = match cli::read(proc, &name, 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let empty = line.operands.is_empty();
    let text = match name.as_str() {
        "systemd-creds" => match line.operands.first().map(Vec::as_slice) {
            None | Some(b"list") => {
                "No credentials passed. (i.e. $CREDENTIALS_DIRECTORY not set.)\n".to_owned()
            }
            Some(b"has-tpm2") => {
                return super::put(proc, "no\n-firmware\n-driver\n+system\n").await;
            }
            Some(verb) => format!("Unknown command verb {}.\n", super::text(verb)),
        },
        "systemd-cryptenroll" if empty => "No block device node specified, refusing.\n".to_owned(),
        "systemd-hwdb" if empty => "Command verb required.\n".to_owned(),
        "systemd-mount" | "systemd-umount" if empty && !line.has("list") => {
            "At least one argument required.\n".to_owned()
        }
        "systemd-socket-activate" if empty => {
            "systemd-socket-activate: command to execute is missing.\n".to_owned()
        }
        "systemd-stdio-bridge" => {
            // The bus asks for credentials that a pipe does not carry.
            format!("Failed to start bus client: {}\n", Errno::Enoent.message())
        }
        "systemd-sysext" => {
            let out =
                "HIERARCHY EXTENSIONS SINCE\n/opt      none       -\n/usr      none       -\n";
            return super::put(proc, out).await;
        }
        "systemd-repart" => {
            let text = "Didn't find any partition definition files, nothing to do.\n";
            proc.print_error(text.as_bytes()).await;
            return proc.status();
        }
        "systemd-tmpfiles" => {
            if !["create", "clean", "remove", "cat-config"]
                .iter()
                .any(|verb| line.has(verb))
            {
                "You need to specify at least one of --clean, --create or --remove.\n".to_owned()
            } else {
                return proc.status();
            }
        }
        _ => return privileged(proc, &name, &line).await,
    };
    super::fail(proc, text, 1).await
}

/// What only root may do.
async fn privileged(proc: &mut Process, name: &str, line: &Line) -> ExitStatus {
    let changes = matches!(
        name,
        "systemd-mount" | "systemd-umount" | "systemd-cryptenroll" | "systemd-hwdb"
    );
    if changes && proc.credentials().uid != 0 {
        let text = match name {
            "systemd-hwdb" => format!(
                "Failed to write database /etc/udev/hwdb.bin: {}\n",
                Errno::Eacces.message()
            ),
            _ => "Failed to start transient mount unit: Interactive authentication required.\n"
                .to_owned(),
        };
        return super::fail(proc, text, 1).await;
    }
    if let Some(path) = line
        .operands
        .first()
        .filter(|_| changes && name != "systemd-hwdb")
    {
        let errno = proc.stat(path).err().unwrap_or(Errno::Ebusy);
        let shown = super::text(path);
        let text = format!("Failed to stat {shown}: {}\n", errno.message());
        return super::fail(proc, text, 1).await;
    }
    proc.status()
}

/// Commands of udevadm that change nothing here.
const QUIET: &[&str] = &["settle", "control", "trigger", "hwdb", "wait", "lock"];

pub(super) async fn udevadm(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "udevadm", 1, Order::OptionsFirst).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let verb = super::text(line.operands.first().map_or(b"".as_slice(), Vec::as_slice));
    let mut words = line.operands.iter().skip(1).map(|word| super::text(word));
    match verb.as_str() {
        "" => super::fail(proc, "Command verb required.\n", 1).await,
        "help" => super::put(proc, cli::section("udevadm")).await,
        "version" => super::put(proc, "252\n").await,
        "info" => {
            let (mut name, mut path, mut query) = (None, None, "all".to_owned());
            while let Some(word) = words.next() {
                match word.as_str() {
                    "-n" | "--name" => name = words.next(),
                    "-p" | "--path" => path = words.next(),
                    "-q" | "--query" => query = words.next().unwrap_or_default(),
                    "-a" | "--attribute-walk" => query = "walk".to_owned(),
                    "-e" | "--export-db" => query = "all".to_owned(),
                    word => {
                        if let Some(value) = word.strip_prefix("--name=") {
                            name = Some(value.to_owned());
                        } else if let Some(value) = word.strip_prefix("--path=") {
                            path = Some(value.to_owned());
                        } else if let Some(value) = word.strip_prefix("--query=") {
                            query = value.to_owned();
                        } else if word.starts_with("/dev/") {
                            name = Some(word.to_owned());
                        } else if word.starts_with('/') {
                            path = Some(word.to_owned());
                        }
                    }
                }
            }
            info(proc, name, path, &query).await
        }
        verb if QUIET.contains(&verb) => {
            if matches!(verb, "control" | "trigger") && proc.credentials().uid != 0 {
                let reason = Errno::Eacces.message();
                let text = format!("Failed to send control message: {reason}\n");
                return super::fail(proc, text, 1).await;
            }
            proc.status()
        }
        "monitor" => {
            let out = "monitor will print the received events for:\nUDEV - the event which udev sends out after rule processing\nKERNEL - the kernel uevent\n\n";
            super::put(proc, out).await;
            let _flushed = proc.flush().await;
            let day = std::time::Duration::from_secs(86_400);
            while proc.sleep(day).await.is_ok() {}
            proc.status()
        }
        "test" | "test-builtin" => super::fail(proc, "syspath parameter missing.\n", 2).await,
        verb => {
            let text = format!("Unknown command verb {verb}.\n");
            super::fail(proc, text, 1).await
        }
    }
}

async fn info(
    proc: &mut Process,
    name: Option<String>,
    path: Option<String>,
    query: &str,
) -> ExitStatus {
    let Some(place) = name.clone().or(path) else {
        let text = "A device name or path is required\n";
        return super::fail(proc, text, 1).await;
    };
    let node = if name.is_some() && !place.starts_with('/') {
        format!("/dev/{place}")
    } else {
        place.clone()
    };
    let metadata = match proc.stat(node.as_bytes()) {
        Ok(metadata) => metadata,
        Err(errno) => {
            let text = format!("Unknown device \"{place}\": {}\n", errno.message());
            return super::fail(proc, text, 1).await;
        }
    };
    let base = node.rsplit('/').next().unwrap_or_default().to_owned();
    let block = metadata.file_type == sundew_vfs::FileType::BlockDevice;
    let (subsystem, devpath) = if !block {
        ("misc", format!("/devices/virtual/misc/{base}"))
    } else if base.ends_with(|letter: char| letter.is_ascii_digit()) {
        let disk = base.trim_end_matches(|letter: char| letter.is_ascii_digit());
        (
            "block",
            format!("/devices/pci0000:00/0000:00:04.0/virtio1/block/{disk}/{base}"),
        )
    } else {
        (
            "block",
            format!("/devices/pci0000:00/0000:00:04.0/virtio1/block/{base}"),
        )
    };
    let kind = if devpath.ends_with(&format!("{base}/{base}")) || devpath.matches('/').count() > 6 {
        "partition"
    } else {
        "disk"
    };
    let (major, minor) = metadata.rdev;
    let properties = format!(
        "DEVPATH={devpath}\nDEVNAME=/dev/{base}\nDEVTYPE={kind}\nMAJOR={major}\nMINOR={minor}\nSUBSYSTEM={subsystem}\n"
    );
    let out = match query {
        "name" => format!("{base}\n"),
        "path" => format!("{devpath}\n"),
        "symlink" => "\n".to_owned(),
        "property" => properties,
        "walk" => format!(
            "\nUdevadm info starts with the device specified by the devpath and then\nwalks up the chain of parent devices. It prints for every device\nfound, all possible attributes in the udev rules key format.\nA rule to match, can be composed by the attributes of the device\nand the attributes from one single parent device.\n\n  looking at device '{devpath}':\n    KERNEL==\"{base}\"\n    SUBSYSTEM==\"{subsystem}\"\n    DRIVER==\"\"\n\n"
        ),
        _ => {
            let lines: String = properties
                .lines()
                .map(|line| format!("E: {line}\n"))
                .collect();
            format!(
                "P: {devpath}\nM: {base}\nU: {subsystem}\nT: {kind}\nD: {} {major}:{minor}\nN: {base}\nL: 0\n{lines}\n",
                if block { "b" } else { "c" }
            )
        }
    };
    super::put(proc, out).await
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
