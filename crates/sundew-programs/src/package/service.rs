//! Services: `systemctl` where systemd is installed and not running, `service`, `update-rc.d`.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, print};

const NO_SYSTEMD: &str = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";

/// What `--version` prints.
pub(super) const VERSION: &str = "systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified\n";

/// Programs that can only speak to a running systemd.
pub(super) async fn no_systemd(proc: &mut Process) -> ExitStatus {
    fail(proc, NO_SYSTEMD, 1).await
}

/// `systemctl`, also as `reboot`, `halt`, `poweroff`, `shutdown`, `runlevel`, `telinit`.
pub(super) async fn systemctl(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    match proc.base_name() {
        b"runlevel" => return print(proc, "unknown\n").await,
        b"reboot" | b"halt" | b"poweroff" | b"telinit" => {
            let text =
                format!("{NO_SYSTEMD}{NO_SYSTEMD}Failed to talk to init daemon: Host is down\n");
            return fail(proc, text, 1).await;
        }
        _ => {}
    }
    if proc.args().iter().any(|word| word == b"--version") {
        return print(proc, VERSION).await;
    }
    let verb = words.first().map(Vec::as_slice).unwrap_or_default();
    if matches!(
        verb,
        b"enable" | b"disable" | b"mask" | b"unmask" | b"is-enabled"
    ) {
        let offline = matches!(verb, b"is-enabled");
        for name in words.iter().skip(1) {
            let unit = if name.contains(&b'.') {
                name.clone()
            } else {
                [name.as_slice(), b".service"].concat()
            };
            let known = [b"/lib/systemd/system/".as_slice(), b"/etc/systemd/system/"]
                .iter()
                .any(|directory| proc.lstat(&[directory, unit.as_slice()].concat()).is_ok());
            if known && offline {
                print(proc, "enabled\n").await;
            } else if !known {
                let text = if offline {
                    [
                        b"Failed to get unit file state for ".as_slice(),
                        &unit,
                        // tidy-allow(errno-word): part of a sentence that no system call answered
                        b": No such file or directory\n",
                    ]
                    .concat()
                } else {
                    [
                        b"Failed to ".as_slice(),
                        verb,
                        b" unit, unit ",
                        &unit,
                        b" does not exist.\n",
                    ]
                    .concat()
                };
                return fail(proc, text, 1).await;
            }
        }
        return proc.status();
    }
    fail(proc, NO_SYSTEMD, 1).await
}

/// `service`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
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
    if name == b"--status-all" {
        let mut names: Vec<Vec<u8>> = proc
            .read_directory(b"/etc/init.d")
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.name.to_vec())
            .collect();
        names.sort();
        for name in names {
            let mark: &[u8] = if matches!(name.as_slice(), b"hwclock.sh" | b"networking") {
                b" [ ? ]  "
            } else if running(proc, &name) {
                b" [ + ]  "
            } else {
                b" [ - ]  "
            };
            print(proc, [mark, &name, b"\n"].concat()).await;
        }
        return proc.status();
    }
    let script = [b"/etc/init.d/".as_slice(), name].concat();
    if proc.stat(&script).is_err() {
        return fail(
            proc,
            [name.as_slice(), b": unrecognized service\n"].concat(),
            1,
        )
        .await;
    }
    let daemon = if name == b"ssh" {
        b"sshd".to_vec()
    } else {
        name.clone()
    };
    let what: &[u8] = match name.as_slice() {
        b"ssh" => b"OpenBSD Secure Shell server: sshd",
        b"cron" => b"periodic command scheduler: cron",
        other => other,
    };
    match words.get(1).map(Vec::as_slice) {
        Some(b"status") if running(proc, name) => {
            print(proc, [daemon.as_slice(), b" is running.\n"].concat()).await
        }
        Some(b"status") => {
            fail(
                proc,
                [daemon.as_slice(), b" is not running ... failed!\n"].concat(),
                3,
            )
            .await
        }
        Some(verb @ (b"start" | b"stop" | b"restart" | b"reload" | b"force-reload")) => {
            let verb: &[u8] = match verb {
                b"start" => b"Starting",
                b"stop" => b"Stopping",
                b"restart" => b"Restarting",
                _ => b"Reloading",
            };
            print(proc, [verb, b" ", what, b".\n"].concat()).await
        }
        _ => {
            fail(
                proc,
                [
                    b"Usage: ".as_slice(),
                    &script,
                    b" {start|stop|status|reload|force-reload|restart}\n",
                ]
                .concat(),
                1,
            )
            .await
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
