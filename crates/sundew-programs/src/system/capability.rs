//! `getcap`, `setcap`, `getpcaps`, `capsh` of libcap 2.66.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::cli;
use crate::text::command;
use crate::users::Directory;

/// Capabilities in the order of their numbers.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Files that have capabilities when they are installed.
const FILES: &[(&str, &str)] = &[
    ("/usr/bin/ping", "cap_net_raw=ep"),
    ("/bin/ping", "cap_net_raw=ep"),
];

fn is_name(text: &str) -> bool {
    let name = text.strip_prefix("cap_").unwrap_or_default();
    NAMES.contains(&name) || text == "all"
}

/// Whether cap_from_text(3) would take it.
fn is_valid(text: &[u8]) -> bool {
    let text = super::text(text).to_ascii_lowercase();
    !text.trim().is_empty()
        && text.split_whitespace().all(|clause| {
            let at = clause.find(['=', '+', '-']).unwrap_or(clause.len());
            let (names, flags) = clause.split_at(at);
            let names_fit = names.is_empty() || names.split(',').all(is_name);
            let flags_fit = flags.chars().all(|flag| "=+-eip".contains(flag));
            !flags.is_empty() && names_fit && flags_fit
        })
}

pub(super) async fn getcap(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let (mut recursive, mut verbose, mut paths) = (false, false, Vec::new());
    for word in words {
        match word.strip_prefix(b"-") {
            Some(letters) if !letters.is_empty() && paths.is_empty() => {
                for letter in letters {
                    match letter {
                        b'r' => recursive = true,
                        b'v' => verbose = true,
                        b'n' | b'l' => {}
                        b'h' => {
                            let text = cli::section("getcap usage");
                            return super::put(proc, text).await;
                        }
                        letter => {
                            let letter = char::from(*letter);
                            let text = format!("invalid option -- '{letter}'");
                            return cli::refuse(proc, "getcap", &text, 1).await;
                        }
                    }
                }
            }
            _ => paths.push(word),
        }
    }
    if paths.is_empty() {
        return super::fail(proc, cli::section("getcap usage"), 1).await;
    }
    for path in paths {
        if let Err(errno) = proc.lstat(&path) {
            let text = [path.as_slice(), b" (", errno.message().as_bytes(), b")\n"].concat();
            proc.print_error(&text).await;
            continue;
        }
        let mut rest = vec![path];
        while let Some(path) = rest.pop() {
            proc.tick().await;
            let Ok(metadata) = proc.lstat(&path) else {
                continue;
            };
            if metadata.is_dir() {
                if recursive {
                    let entries = proc.read_directory(&path).unwrap_or_default();
                    let entries = entries
                        .iter()
                        .rev()
                        .filter(|entry| !matches!(&*entry.name, b"." | b".."));
                    let slash: &[u8] = if path.ends_with(b"/") { b"" } else { b"/" };
                    rest.extend(
                        entries.map(|entry| [path.as_slice(), slash, &entry.name].concat()),
                    );
                }
                continue;
            }
            let real = proc.real_path(&path).unwrap_or_default();
            let known = FILES.iter().find(|row| {
                row.0.as_bytes() == real.as_slice() || row.0.as_bytes() == path.as_slice()
            });
            let known = known.filter(|_| !recursive || metadata.is_regular());
            match known {
                Some((_, text)) => {
                    super::put(
                        proc,
                        [path.as_slice(), b" ", text.as_bytes(), b"\n"].concat(),
                    )
                    .await;
                }
                None if verbose => {
                    super::put(proc, [path.as_slice(), b"\n"].concat()).await;
                }
                None => {}
            }
        }
    }
    proc.status()
}

pub(super) async fn setcap(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let usage = cli::section("setcap usage");
    if words.is_empty() {
        return super::fail(proc, usage, 1).await;
    }
    let mut words = words.into_iter();
    let (mut verify, mut quiet) = (false, false);
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-h" => return super::put(proc, usage).await,
            b"-q" => {
                quiet = true;
                continue;
            }
            b"-v" => {
                verify = true;
                continue;
            }
            b"-n" => {
                words.next();
                continue;
            }
            _ => {}
        }
        let remove = word == b"-r";
        if !remove && !is_valid(&word) {
            let text = format!("fatal error: {}\n{usage}", Errno::Einval.message());
            return super::fail(proc, text, 1).await;
        }
        let Some(path) = words.next() else {
            return super::fail(proc, usage, 1).await;
        };
        let shown = super::text(&path);
        let metadata = match proc.lstat(&path) {
            Ok(metadata) => metadata,
            Err(errno) => {
                let text = format!(
                    "Failed to set capabilities on file '{shown}': {}\n",
                    errno.message()
                );
                return super::fail(proc, text, 1).await;
            }
        };
        if verify {
            if !quiet {
                super::put(proc, format!("{shown} differs in [pe]\n")).await;
            }
            return ExitStatus::FAILURE;
        }
        if proc.credentials().uid != 0 {
            let reason = Errno::Eperm.message();
            let text = format!("unable to set CAP_SETFCAP effective capability: {reason}\n");
            return super::fail(proc, text, 1).await;
        }
        if !metadata.is_regular() {
            let reason = Errno::Einval.message();
            let text = format!("Failed to set capabilities on file '{shown}': {reason}\n");
            return super::fail(proc, text, 1).await;
        }
        if remove {
            let text = format!("File '{shown}' has no capablity to remove\n");
            return super::fail(proc, text, 1).await;
        }
    }
    proc.status()
}

pub(super) async fn getpcaps(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let usage = cli::section("getpcaps");
    if words.is_empty() {
        return super::fail(proc, usage, 1).await;
    }
    let mut failed = false;
    for word in words {
        match word.as_slice() {
            b"--help" | b"-h" | b"--usage" => return super::fail(proc, usage, 0).await,
            b"--verbose" | b"--ugly" | b"--legacy" | b"--iab" => continue,
            _ => {}
        }
        let shown = super::text(&word);
        let Some(pid) = super::number::<u32>(&word) else {
            let reason = Errno::Einval.message();
            return super::fail(proc, format!("Cannot parse pid {shown}: ({reason})\n"), 1).await;
        };
        match proc.processes().iter().find(|one| one.pid == pid) {
            Some(one) => {
                let set = if one.uid == 0 { "=ep" } else { "=" };
                super::put(proc, format!("{pid}: {set}\n")).await;
            }
            None => {
                failed = true;
                let reason = Errno::Esrch.message();
                let text = format!("Failed to get cap's for process {pid}: ({reason})\n");
                proc.print_error(text.as_bytes()).await;
            }
        }
    }
    if failed {
        ExitStatus::FAILURE
    } else {
        proc.status()
    }
}

fn list(mask: u64) -> String {
    let mut names = Vec::new();
    for bit in 0..64 {
        if mask >> bit & 1 == 1 {
            names.push(match NAMES.get(bit) {
                Some(name) => format!("cap_{name}"),
                None => bit.to_string(),
            });
        }
    }
    names.join(",")
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn capsh(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let root = proc.credentials().uid == 0;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let shown = super::text(&word);
        let (name, value) = shown.split_once('=').unwrap_or((&shown, ""));
        match name {
            "--help" | "-h" => return super::put(proc, cli::section("capsh")).await,
            "--print" => {
                let out = printed(proc).await;
                super::put(proc, out).await;
            }
            "--decode" => match u64::from_str_radix(value.trim_start_matches("0x"), 16) {
                Ok(mask) => {
                    super::put(proc, format!("0x{mask:016x}={}\n", list(mask))).await;
                }
                Err(_) => {
                    super::put(proc, format!("0x{:016x}=\n", 0)).await;
                }
            },
            "--supports" => {
                if !is_name(value) {
                    let text = format!("cap[{value}] not recognized by library\n");
                    return super::fail(proc, text, 1).await;
                }
            }
            "--current" => {
                let set = if root { "=ep" } else { "=" };
                super::put(proc, format!("Current: {set}\nCurrent IAB: \n")).await;
            }
            "--modes" => {
                super::put(proc, "Supported modes: NOPRIV PURE1E_INIT PURE1E HYBRID\n").await;
            }
            "--mode" if value.is_empty() => {
                super::put(proc, "Mode: HYBRID\n").await;
            }
            "--has-p" | "--has-b" => {
                if !root || !is_name(value) {
                    let text = format!("cap[{value}] not permitted\n");
                    return super::fail(proc, text, 1).await;
                }
            }
            "--has-i" | "--has-a" => {
                let kind = if name == "--has-i" {
                    "inheritable"
                } else {
                    "ambient"
                };
                return super::fail(proc, format!("cap[{value}] not {kind}\n"), 1).await;
            }
            "--user" => {
                let users = Directory::load(proc).await;
                let Some(user) = users.user(value.as_bytes()) else {
                    let text = format!("User [{value}] not known\n");
                    return super::fail(proc, text, 1).await;
                };
                if !root {
                    let text = format!(
                        "Failed to set uid={}(user={value}): {}\n",
                        user.uid,
                        Errno::Eperm.message()
                    );
                    return super::fail(proc, text, 1).await;
                }
                proc.set_credentials(sundew_vfs::Credentials {
                    uid: user.uid,
                    gid: user.gid,
                    groups: users.groups_of(user),
                });
            }
            "--" => {
                let mut args = vec![b"/bin/bash".to_vec()];
                args.extend(words);
                let env = proc.env().clone();
                let path = command::search(proc, b"/bin/bash").unwrap_or_default();
                let errno = proc.exec(&path, args, env).await;
                let text = format!("execve '/bin/bash' failed: {}\n", errno.message());
                return super::fail(proc, text, 1).await;
            }
            "--drop" | "--caps" | "--inh" | "--addamb" | "--delamb" | "--noamb" | "--iab"
            | "--keep" | "--secbits" | "--no-new-privs" | "--noenv" | "--quiet" | "--strict"
            | "--shell" | "--gid" | "--uid" | "--groups" | "--chroot" | "--is-uid" | "--is-gid"
            | "--has-ambient" | "--forkfor" | "--killit" => {
                if !root && matches!(name, "--drop" | "--gid" | "--uid" | "--groups" | "--chroot") {
                    let text = format!(
                        "unable to raise CAP_SETPCAP for BSET changes: {}\n",
                        Errno::Eperm.message()
                    );
                    return super::fail(proc, text, 1).await;
                }
            }
            _ => {
                super::put(proc, cli::section("capsh usage")).await;
                return ExitStatus::FAILURE;
            }
        }
    }
    proc.status()
}

async fn printed(proc: &Process) -> String {
    let users = Directory::load(proc).await;
    let own = proc.credentials();
    let (uid, gid) = proc.real_ids();
    let user = |uid: u32| {
        format!(
            "{uid}({})",
            super::text(users.user_name(uid).unwrap_or(b"???"))
        )
    };
    let group = |gid: u32| {
        format!(
            "{gid}({})",
            super::text(users.group_name(gid).unwrap_or(b"???"))
        )
    };
    let groups: Vec<String> = own.groups.iter().map(|gid| group(*gid)).collect();
    let current = if own.uid == 0 { "=ep" } else { "=" };
    let all = list((1 << NAMES.len()) - 1);
    format!(
        "Current: {current}\nBounding set ={all}\nAmbient set =\nCurrent IAB: \nSecurebits: 00/0x0/1'b0 (no-new-privs=0)\n secure-noroot: no (unlocked)\n secure-no-suid-fixup: no (unlocked)\n secure-keep-caps: no (unlocked)\n secure-no-ambient-raise: no (unlocked)\nuid={} euid={}\ngid={}\ngroups={}\nGuessed mode: HYBRID (4)\n",
        user(uid),
        user(own.uid),
        group(gid),
        groups.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_capabilities_are_checked() {
        for text in [
            "cap_net_raw+ep",
            "cap_net_raw,cap_chown=ep",
            "=ep",
            "all=eip cap_kill-e",
        ] {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
        for text in ["foo", "", "cap_foo+ep", "cap_net_raw"] {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        assert_eq!(list(0b11), "cap_chown,cap_dac_override");
    }
}
