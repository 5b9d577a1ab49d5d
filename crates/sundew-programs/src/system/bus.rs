//! `localectl`, `networkctl`, `busctl`: what systemd's services say.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::cli::{self, Order};
use super::systemd::{NOT_BOOTED, is_booted, no_authentication};

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
            let why = Errno::Enoent.message();
            super::fail(proc, format!("Failed to read list of keymaps: {why}\n"), 1).await
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

pub(super) async fn unknown_verb(proc: &mut Process, verb: &[u8]) -> ExitStatus {
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
