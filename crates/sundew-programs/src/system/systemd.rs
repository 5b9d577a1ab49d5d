//! systemd's tools, as on a machine that systemd runs: what its processes, units and files say.

use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::cli::{self, Line, Order};
use crate::text::{command, shell};

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
pub(super) fn is_booted(proc: &Process) -> bool {
    proc.stat(b"/run/systemd/system").is_ok()
}

pub(super) const NOT_BOOTED: &str = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";

/// What asking a service that wants more than a reader's rights ends with.
pub(super) async fn no_authentication(proc: &mut Process, what: &str) -> ExitStatus {
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
