//! Services: `systemctl` of systemd 252, `service`, `update-rc.d`.
//!
//! Systemd is the first process of the machine, so its tools speak to it: units are files, enabling
//! one makes a link, starting one that a visitor wrote runs its command.

use sundew_kernel::{ExitStatus, Process};

use self::unit::{State, Unit, full_name};
use super::{fail, print};
use crate::time::{Shown, Zone};

mod daemon;
mod power;
pub(super) mod unit;

/// What `--version` prints.
pub(super) const VERSION: &str = "systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified\n";

/// What `enable` says of a unit that nothing pulls in.
const NO_INSTALL: &str = "The unit files have no installation config (WantedBy=, RequiredBy=, Also=,\nAlias= settings in the [Install] section, and DefaultInstance= for template\nunits). This means they are not meant to be enabled using systemctl.\n \nPossible reasons for having this kind of units are:\n• A unit may be statically enabled by being symlinked from another unit's\n  .wants/ or .requires/ directory.\n• A unit's purpose may be to act as a helper for some other unit which has\n  a requirement dependency on it.\n• A unit may be started when needed via activation (socket, path, timer,\n  D-Bus, udev, scripted systemctl call, ...).\n• In case of template units, the unit is meant to be enabled with some\n  instance name specified.\n";

/// `systemctl`, also as `reboot`, `halt`, `poweroff`, `shutdown`, `runlevel`, `telinit`.
pub(super) async fn systemctl(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    let has = |proc: &Process, option: &[u8]| proc.args().iter().any(|word| word == option);
    match proc.base_name() {
        b"runlevel" => return print(proc, "N 5\n").await,
        b"reboot" | b"halt" | b"poweroff" | b"telinit" | b"shutdown" => {
            return power::run(proc).await;
        }
        _ => {}
    }
    if has(proc, b"--version") {
        return print(proc, VERSION).await;
    }
    let now = has(proc, b"--now");
    let verb = words
        .first()
        .cloned()
        .unwrap_or_else(|| b"list-units".to_vec());
    let names: Vec<Vec<u8>> = words.iter().skip(1).map(|name| full_name(name)).collect();
    match verb.as_slice() {
        b"daemon-reload" | b"daemon-reexec" | b"reset-failed" | b"set-default" | b"preset" => {
            ExitStatus::SUCCESS
        }
        b"reboot" | b"poweroff" | b"halt" | b"kexec" | b"soft-reboot" => {
            power::now(proc, &verb).await
        }
        b"suspend" | b"hibernate" | b"hybrid-sleep" => {
            let text = format!(
                "Failed to {} system via logind: Sleep verb \"{0}\" not supported\n",
                String::from_utf8_lossy(&verb)
            );
            fail(proc, text, 1).await
        }
        b"is-system-running" => print(proc, "running\n").await,
        b"get-default" => print(proc, "graphical.target\n").await,
        b"list-units" | b"list-unit-files" | b"list-timers" | b"list-sockets" => {
            list(proc, &verb).await
        }
        b"status" if names.is_empty() => {
            let host = String::from_utf8_lossy(&proc.hostname()).into_owned();
            let text = format!(
                "● {host}\n    State: running\n    Units: 214 loaded (incl. loaded aliases)\n     Jobs: 0 queued\n   Failed: 0 units\n"
            );
            print(proc, text).await
        }
        b"enable" | b"disable" | b"reenable" | b"mask" | b"unmask" | b"start" | b"stop"
        | b"restart" | b"reload" | b"try-restart" | b"reload-or-restart" | b"kill"
        | b"is-enabled" | b"is-active" | b"is-failed" | b"status" | b"cat" | b"show" => {
            if names.is_empty() {
                return fail(proc, "Too few arguments.\n", 1).await;
            }
            let mut status = 0;
            for name in &names {
                let one = one(proc, &verb, name, now).await;
                status = if verb == b"is-active" && names.len() > 1 {
                    status.min(one)
                } else {
                    status.max(one)
                };
            }
            ExitStatus::Exited(status)
        }
        _ => {
            let text = [b"Unknown command verb ".as_slice(), &verb, b".\n"].concat();
            fail(proc, text, 1).await
        }
    }
}

/// One verb on one unit; the exit status.
#[expect(
    clippy::too_many_lines,
    reason = "an arm for each verb, and what each says of a unit that is not there"
)]
async fn one(proc: &mut Process, verb: &[u8], name: &[u8], now: bool) -> u8 {
    let shown = String::from_utf8_lossy(name).into_owned();
    let word = String::from_utf8_lossy(verb).into_owned();
    let unit = Unit::find(proc, name).await;
    let changes = !matches!(
        verb,
        b"is-enabled" | b"is-active" | b"is-failed" | b"status" | b"cat" | b"show"
    );
    if changes && proc.credentials().uid != 0 {
        let text = format!(
            "Failed to {word} {shown}: Interactive authentication required.\nSee system logs and 'systemctl status {shown}' for details.\n"
        );
        proc.print_error(text.as_bytes()).await;
        return 4;
    }
    let Some(unit) = unit else {
        let (text, status) = match verb {
            b"enable" | b"disable" | b"reenable" | b"mask" | b"unmask" => (
                format!("Failed to {word} unit: Unit file {shown} does not exist.\n"),
                1,
            ),
            b"is-enabled" => (
                // tidy-allow(errno-word): part of a sentence that no system call answered
                format!("Failed to get unit file state for {shown}: No such file or directory\n"),
                1,
            ),
            b"status" => (format!("Unit {shown} could not be found.\n"), 4),
            b"is-active" | b"is-failed" => {
                let _closed = proc.print(b"inactive\n").await;
                return 3;
            }
            b"cat" => (format!("No files found for {shown}.\n"), 1),
            b"show" => return 0,
            b"stop" | b"kill" => (
                format!("Failed to {word} {shown}: Unit {shown} not loaded.\n"),
                5,
            ),
            _ => (
                format!("Failed to {word} {shown}: Unit {shown} not found.\n"),
                5,
            ),
        };
        proc.print_error(text.as_bytes()).await;
        return status;
    };
    match verb {
        b"enable" | b"disable" | b"reenable" => {
            let status = install(proc, verb, &unit).await;
            if now && status == 0 {
                if verb == b"disable" {
                    daemon::stop(proc, &unit).await;
                } else {
                    daemon::start(proc, &unit).await;
                }
            }
            status
        }
        b"is-enabled" => {
            let state = unit.state(proc);
            let _closed = proc.print(format!("{}\n", state.word()).as_bytes()).await;
            u8::from(matches!(state, State::Disabled | State::Masked))
        }
        b"is-active" | b"is-failed" => {
            let runs = running(proc, &unit).await.is_some();
            let _closed = proc
                .print(if runs { b"active\n" } else { b"inactive\n" })
                .await;
            if runs == (verb == b"is-active") { 0 } else { 3 }
        }
        b"status" => status(proc, &unit).await,
        b"cat" => {
            let text = [b"# ".as_slice(), &unit.path, b"\n", &unit.text()].concat();
            let _closed = proc.print(&text).await;
            0
        }
        b"start" => daemon::start(proc, &unit).await,
        b"restart" => {
            daemon::stop(proc, &unit).await;
            daemon::start(proc, &unit).await
        }
        b"try-restart" if running(proc, &unit).await.is_some() => {
            daemon::stop(proc, &unit).await;
            daemon::start(proc, &unit).await
        }
        b"reload-or-restart" if running(proc, &unit).await.is_none() => {
            daemon::start(proc, &unit).await
        }
        b"stop" | b"kill" => daemon::stop(proc, &unit).await,
        _ => 0,
    }
}

/// `enable` and `disable`.
async fn install(proc: &mut Process, verb: &[u8], unit: &Unit) -> u8 {
    let stem = unit
        .name
        .strip_suffix(b".service")
        .unwrap_or(&unit.name)
        .to_vec();
    if proc
        .stat(&[b"/etc/init.d/".as_slice(), &stem].concat())
        .is_ok()
    {
        let (name, stem, verb) = (
            String::from_utf8_lossy(&unit.name).into_owned(),
            String::from_utf8_lossy(&stem).into_owned(),
            String::from_utf8_lossy(verb).into_owned(),
        );
        let text = format!(
            "Synchronizing state of {name} with SysV service script with /lib/systemd/systemd-sysv-install.\nExecuting: /lib/systemd/systemd-sysv-install {verb} {stem}\n"
        );
        proc.print_error(text.as_bytes()).await;
    }
    if unit.links().is_empty() {
        if verb == b"enable" {
            proc.print_error(NO_INSTALL.as_bytes()).await;
        }
        return 0;
    }
    let changed = if verb == b"disable" {
        unit.disable(proc)
    } else {
        unit.enable(proc)
    };
    match changed {
        Ok(links) => {
            for link in links {
                let text = if verb == b"disable" {
                    [b"Removed \"".as_slice(), &link, b"\".\n"].concat()
                } else {
                    let arrow = " \u{2192} ".as_bytes();
                    [
                        b"Created symlink ".as_slice(),
                        &link,
                        arrow,
                        &unit.path,
                        b".\n",
                    ]
                    .concat()
                };
                proc.print_error(&text).await;
            }
            0
        }
        Err(errno) => {
            let word = String::from_utf8_lossy(verb).into_owned();
            let text = format!("Failed to {word} unit: {}\n", errno.message());
            proc.print_error(text.as_bytes()).await;
            1
        }
    }
}

/// The process of a unit's daemon: its number and name.
async fn running(proc: &Process, unit: &Unit) -> Option<(sundew_kernel::Pid, Vec<u8>)> {
    let command = unit.values(b"ExecStart").last()?;
    let path = command.split(u8::is_ascii_whitespace).next()?;
    let path = path.trim_ascii_start().strip_prefix(b"-").unwrap_or(path);
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let short = name.get(..name.len().min(15))?;
    let unit_name = unit.real_name(proc);
    let instance = instance_of(&unit_name).is_some();
    for one in proc.processes() {
        if !instance && one.name != short {
            continue;
        }
        // A daemon of the machine belongs to one unit. What a visitor has started belongs to a login, but
        // systemd has taken it over.
        let known = unit_of(proc, one.pid).await;
        if known.map_or(one.ppid == 1 && one.name == short, |known| {
            known == unit_name
        }) {
            return Some((one.pid, one.name));
        }
    }
    None
}

/// The unit that a process belongs to, by its cgroup; `None` for those of a login.
async fn unit_of(proc: &Process, pid: sundew_kernel::Pid) -> Option<Vec<u8>> {
    let path = format!("/proc/{pid}/cgroup");
    let text = super::read(proc, path.as_bytes()).await.ok()?;
    let text = text.trim_ascii_end();
    if text.starts_with(b"0::/user.slice/") {
        return None;
    }
    let last = text.rsplit(|&byte| byte == b'/').next();
    last.map(<[u8]>::to_vec)
}

async fn status(proc: &mut Process, unit: &Unit) -> u8 {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let zone = Zone::of(proc).await;
    let (name, path) = (text(&unit.name), text(&unit.path));
    let state = unit.state(proc).word();
    let description = text(&unit.description());
    let loaded = match state {
        "static" => format!("{path}; static"),
        state => format!("{path}; {state}; preset: enabled"),
    };
    let Some((pid, daemon)) = running(proc, unit).await else {
        let out = format!(
            "○ {name} - {description}\n     Loaded: loaded ({loaded})\n     Active: inactive (dead)\n"
        );
        let _closed = proc.print(out.as_bytes()).await;
        return 3;
    };
    let since = sundew_vfs::Timestamp {
        secs: proc.now().secs - i64::try_from(proc.uptime().as_secs()).unwrap_or(0) + 6,
        nanos: 0,
    };
    let days = proc.uptime().as_secs() / 86_400;
    let ago = match (days, proc.uptime().as_secs() / 3600) {
        (2.., _) => format!("{days} days ago"),
        (1, _) => "1 day ago".to_owned(),
        (0, hours) => format!("{hours}h ago"),
    };
    let since = text(&Shown::new(since, &zone).format(b"%a %Y-%m-%d %H:%M:%S %Z"));
    let mut out = format!(
        "● {name} - {description}\n     Loaded: loaded ({loaded})\n     Active: active (running) since {since}; {ago}\n"
    );
    for (number, page) in unit
        .values(b"Documentation")
        .flat_map(|value| value.split(u8::is_ascii_whitespace))
        .enumerate()
    {
        let label = if number == 0 {
            "       Docs: "
        } else {
            "             "
        };
        out += &format!("{label}{}\n", text(page));
    }
    let command = super::read(proc, format!("/proc/{pid}/cmdline").as_bytes()).await;
    let command = text(&command.unwrap_or_default()).replace('\0', " ");
    out += &format!(
        "   Main PID: {pid} ({})\n      Tasks: 1 (limit: 1131)\n     Memory: 5.6M\n        CPU: 105ms\n     CGroup: /system.slice/{name}\n             └─{pid} {}\n",
        text(&daemon),
        command.trim_end()
    );
    let _closed = proc.print(out.as_bytes()).await;
    0
}

/// `list-units` and `list-unit-files`.
async fn list(proc: &mut Process, verb: &[u8]) -> ExitStatus {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let files = verb == b"list-unit-files";
    for directory in [b"/etc/systemd/system".as_slice(), b"/lib/systemd/system"] {
        let entries = proc.read_directory(directory).unwrap_or_default();
        // What runs has its own name, not another's, and is made from a template if it is an instance.
        let real = |entry: &&sundew_vfs::DirEntry| {
            let template = entry.name.ends_with(b"@.service");
            files || entry.file_type == sundew_vfs::FileType::Regular && !template
        };
        names.extend(entries.iter().filter(real).map(|entry| entry.name.to_vec()));
    }
    names.retain(|name| full_name(name) == *name);
    if !files {
        for one in proc.processes() {
            let unit = unit_of(proc, one.pid).await.unwrap_or_default();
            names.extend(Some(unit).filter(|unit| instance_of(unit).is_some()));
        }
    }
    names.sort();
    names.dedup();
    let mut rows = Vec::new();
    for name in &names {
        proc.tick().await;
        let Some(unit) = Unit::find(proc, name).await else {
            continue;
        };
        let shown = String::from_utf8_lossy(name).into_owned();
        if verb == b"list-unit-files" {
            let state = unit.state(proc).word().to_owned();
            rows.push((shown, state, "enabled".to_owned()));
        } else if name.ends_with(b".service") && running(proc, &unit).await.is_some() {
            let text = String::from_utf8_lossy(&unit.description()).into_owned();
            let instance = instance_of(name).map_or(b"".as_slice(), |(_, instance)| instance);
            let text = text.replace("%I", &String::from_utf8_lossy(instance));
            rows.push((shown, "loaded active running".to_owned(), text));
        }
    }
    rows.sort();
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(9).max(9);
    let (first, count) = (verb == b"list-unit-files", rows.len());
    let mut out = if first {
        format!("{:<width$} {:<15} PRESET\n", "UNIT FILE", "STATE")
    } else {
        format!("  {:<width$} LOAD   ACTIVE SUB     DESCRIPTION\n", "UNIT")
    };
    for (name, state, rest) in rows {
        out += &if first {
            let preset = if state == "static" { "-" } else { &rest };
            format!("{name:<width$} {state:<15} {preset}\n")
        } else {
            format!("  {name:<width$} {state} {rest}\n")
        };
    }
    out += &if first {
        format!("\n{count} unit files listed.\n")
    } else {
        format!(
            "\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n{count} loaded units listed. Pass --all to see loaded but inactive units, too.\nTo show all installed unit files use 'systemctl list-unit-files'.\n"
        )
    };
    print(proc, out).await
}

/// `getty@tty1.service` as the name of its template and its own.
fn instance_of(unit: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = unit.strip_suffix(b".service")?;
    let at = name.iter().position(|&byte| byte == b'@')?;
    let (stem, rest) = name.split_at(at);
    Some((stem, rest.get(1..).filter(|rest| !rest.is_empty())?))
}

/// `service`.
pub(super) async fn service(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let usage = "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n";
    let Some(name) = words.first() else {
        return fail(proc, usage, 1).await;
    };
    let running = |proc: &Process, name: &[u8]| {
        let program = match name {
            b"ssh" => b"sshd".as_slice(),
            b"udev" => b"systemd-udevd",
            b"dbus" => b"dbus-daemon",
            name => name,
        };
        proc.processes().iter().any(|one| one.name == program)
    };
    if matches!(name.as_slice(), b"--help" | b"-h") {
        return fail(proc, usage, 0).await;
    }
    if matches!(name.as_slice(), b"--version" | b"-V") {
        return fail(proc, "service ver. 1.65.2+deb12u1\n", 0).await;
    }
    if name == b"--status-all" {
        let mut names: Vec<Vec<u8>> = proc
            .read_directory(b"/etc/init.d")
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.name.to_vec())
            .collect();
        names.sort();
        for name in names {
            if matches!(name.as_slice(), b"hwclock.sh" | b"networking") {
                // The script sends what it cannot tell to standard error.
                let line = [b" [ ? ]  ".as_slice(), &name, b"\n"].concat();
                proc.print_error(&line).await;
                continue;
            }
            let mark: &[u8] = if running(proc, &name) {
                b" [ + ]  "
            } else {
                b" [ - ]  "
            };
            print(proc, [mark, &name, b"\n"].concat()).await;
        }
        return proc.status();
    }
    // With systemd running the script hands over to systemctl.
    match words.get(1).map(Vec::as_slice) {
        Some(
            verb @ (b"start" | b"stop" | b"restart" | b"reload" | b"status" | b"force-reload"),
        ) => {
            let verb: &[u8] = if verb == b"force-reload" {
                b"reload-or-restart"
            } else {
                verb
            };
            let name = full_name(name);
            ExitStatus::Exited(one(proc, verb, &name, false).await)
        }
        _ => {
            let script = [b"/etc/init.d/".as_slice(), name].concat();
            if proc.stat(&script).is_err() {
                let text = [name.as_slice(), b": unrecognized service\n"].concat();
                return fail(proc, text, 1).await;
            }
            if name == b"ssh" {
                let usage = "Usage: /etc/init.d/ssh {start|stop|reload|force-reload|restart|try-restart|status}.\n";
                print(proc, usage).await;
                return ExitStatus::FAILURE;
            }
            let usage = b" {start|stop|status|restart|reload|force-reload}.\n".as_slice();
            print(proc, [b"Usage: ".as_slice(), &script, usage].concat()).await;
            ExitStatus::Exited(2)
        }
    }
}

/// `update-rc.d`.
pub(super) async fn update_rc(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| word.as_slice() != b"-f")
        .cloned()
        .collect();
    let (Some(name), Some(_)) = (words.first(), words.get(1)) else {
        let text = "update-rc.d: error: not enough arguments\nusage: update-rc.d [-f] <basename> remove\n       update-rc.d [-f] <basename> defaults\n       update-rc.d [-f] <basename> defaults-disabled\n       update-rc.d <basename> disable|enable [S|2|3|4|5]\n\t\t-f: force\n\nThe disable|enable API is not stable and might change in the future.\n";
        return fail(proc, text, 1).await;
    };
    let script = [b"/etc/init.d/".as_slice(), name].concat();
    let forced = proc.args().iter().any(|word| word == b"-f");
    if forced && words.get(1).is_some_and(|verb| verb == b"remove") {
        return proc.status();
    }
    if proc.stat(&script).is_err() {
        return fail(
            proc,
            [
                b"update-rc.d: error: unable to read ".as_slice(),
                &script,
                b"\n",
            ]
            .concat(),
            1,
        )
        .await;
    }
    proc.status()
}
