//! `ssh-keyscan`, `ssh-agent` and `ssh-add`.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{Either, select};
use sundew_kernel::network::Stream;
use sundew_kernel::secure_shell::{HostKey, HostKeyQuestion};
use sundew_kernel::{ExitStatus, Process, Signal};
use sundew_vfs::FileType;
use tokio::io::AsyncReadExt as _;
use tokio::sync::oneshot;

use super::known;

const SCAN_USAGE: &str = "usage: ssh-keyscan [-46cDHv] [-f file] [-p port] [-T timeout] [-t type]\n\t\t   [host | addrlist namelist]\n";
const AGENT_USAGE: &str = "usage: ssh-agent [-c | -s] [-Dd] [-a bind_address] [-E fingerprint_hash]\n                 [-O option] [-P allowed_providers] [-t life]\n       ssh-agent [-a bind_address] [-E fingerprint_hash] [-O option]\n                 [-P allowed_providers] [-t life] command [arg ...]\n       ssh-agent [-c | -s] -k\n";
/// The longest first line of a server, in bytes.
const MAX_BANNER_BYTES: usize = 256;
/// Hosts that are asked in one go.
const MAX_HOSTS: usize = 256;
/// How long a host is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

async fn say(proc: &mut Process, line: &str) {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(format!("{line}\n").as_bytes()).await;
}

/// `ssh-keyscan`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(in crate::net) async fn scan(proc: &mut Process) -> ExitStatus {
    let (mut port, mut hashed, mut kinds, mut hosts) =
        (22_u16, false, "rsa,ecdsa,ed25519".to_owned(), Vec::new());
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            hosts.push(word);
            continue;
        };
        for (at, &letter) in letters.iter().enumerate() {
            if b"fpTtO".contains(&letter) {
                let rest = letters.get(at + 1..).unwrap_or_default();
                let value = if rest.is_empty() {
                    words.next()
                } else {
                    Some(rest.to_vec())
                };
                let Some(value) = value else {
                    let text = format!(
                        "option requires an argument -- {}\r\n{SCAN_USAGE}",
                        char::from(letter)
                    );
                    proc.print_error(text.as_bytes()).await;
                    return ExitStatus::FAILURE;
                };
                let text = String::from_utf8_lossy(&value).into_owned();
                match letter {
                    b'p' => match text.parse() {
                        Ok(number) if number > 0 => port = number,
                        _ => {
                            proc.print_error(format!("Bad port '{text}'\n").as_bytes())
                                .await;
                            return ExitStatus::FAILURE;
                        }
                    },
                    b't' => kinds = text,
                    b'f' => {
                        let list = crate::net::read_file(proc, &value).await;
                        let names = list.split(u8::is_ascii_whitespace);
                        hosts.extend(names.filter(|name| !name.is_empty()).map(<[u8]>::to_vec));
                    }
                    _ => {}
                }
                break;
            }
            if !b"46cDHv".contains(&letter) {
                let text = format!("unknown option -- {}\r\n{SCAN_USAGE}", char::from(letter));
                proc.print_error(text.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
            hashed |= letter == b'H';
        }
    }
    if hosts.is_empty() {
        proc.print_error(SCAN_USAGE.as_bytes()).await;
        return ExitStatus::FAILURE;
    }
    let mut found = false;
    for host in hosts.into_iter().take(MAX_HOSTS) {
        for kind in kinds.split(',') {
            let (shown, name) = (
                String::from_utf8_lossy(&host).into_owned(),
                known::entry_name(&host, port),
            );
            let Some((banner, key)) = key_of(proc, &host, port, kind).await else {
                continue;
            };
            proc.print_error(format!("# {shown}:{port} {banner}\n").as_bytes())
                .await;
            if let Some(key) = key {
                found = true;
                let name = if hashed {
                    known::hashed(proc, &name)
                } else {
                    name
                };
                let line = known::line(&name, &key);
                let _closed = proc.print(&line).await;
            }
        }
    }
    if found {
        proc.status()
    } else {
        ExitStatus::FAILURE
    }
}

async fn dial(proc: &mut Process, host: &[u8], port: u16) -> Option<Box<dyn Stream>> {
    let network = proc.network();
    let Ok(addresses) = proc.interruptible(network.resolve(host)).await.ok()? else {
        let shown = String::from_utf8_lossy(host).into_owned();
        let text = format!("getaddrinfo {shown}: Name or service not known\r\n");
        proc.print_error(text.as_bytes()).await;
        return None;
    };
    for address in addresses {
        let target = SocketAddr::new(address, port);
        let dialling = network.connect(target);
        let waiting = Box::pin(proc.sleep(PATIENCE));
        if let Either::Left((Ok(stream), _)) = select(dialling, waiting).await {
            return Some(stream);
        }
    }
    None
}

/// What a server calls itself, and its key of this kind.
async fn key_of(
    proc: &mut Process,
    host: &[u8],
    port: u16,
    kind: &str,
) -> Option<(String, Option<HostKey>)> {
    let mut stream = dial(proc, host, port).await?;
    let mut banner = vec![0; MAX_BANNER_BYTES];
    let count = {
        let reading = Box::pin(stream.read(&mut banner));
        let waiting = Box::pin(proc.sleep(PATIENCE));
        match select(reading, waiting).await {
            Either::Left((Ok(count), _)) => count,
            _ => 0,
        }
    };
    drop(stream);
    let line = banner.get(..count).unwrap_or_default();
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
    if !line.starts_with("SSH-") {
        return None;
    }
    let Some(shell) = proc.secure_shell() else {
        return Some((line, None));
    };
    let stream = dial(proc, host, port).await?;
    let (ask, asked) = oneshot::channel();
    let (_refuse, answer) = oneshot::channel();
    let question = HostKeyQuestion {
        ask,
        answer,
        kind: Some(kind.to_owned()),
    };
    let opening = shell.open(stream, question);
    let key = match proc.interruptible(select(opening, asked)).await {
        Ok(Either::Right((Ok(key), _))) => Some(key),
        _ => None,
    };
    Some((line, key))
}

/// `ssh-agent`. Keys it holds nowhere: what is added to it is for whoever watches.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(in crate::net) async fn agent(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let has = |word: &[u8]| words.iter().any(|one| one == word);
    if has(b"-k") {
        let pid = proc.env().value(b"SSH_AGENT_PID").map(<[u8]>::to_vec);
        let Some(pid) = pid else {
            proc.print_error(b"SSH_AGENT_PID not set, cannot kill agent\n")
                .await;
            return ExitStatus::FAILURE;
        };
        let shown = String::from_utf8_lossy(&pid).into_owned();
        let killed = shown
            .parse()
            .is_ok_and(|pid| proc.kill(pid, Some(Signal::TERM)).is_ok());
        if !killed {
            let text = format!("kill: {}\n", sundew_kernel::Errno::Esrch.message());
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
        say(
            proc,
            &format!("unset SSH_AUTH_SOCK;\nunset SSH_AGENT_PID;\necho Agent pid {shown} killed;"),
        )
        .await;
        return proc.status();
    }
    let mut command = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_slice() {
            b"-s" | b"-c" | b"-D" | b"-d" => {}
            b"-a" | b"-t" | b"-E" | b"-O" | b"-P" => drop(rest.next()),
            option if option.starts_with(b"-") => {
                proc.print_error(AGENT_USAGE.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
            _ => {
                command.push(word.clone());
                command.extend(rest.by_ref().cloned());
            }
        }
    }
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut directory = b"/tmp/ssh-".to_vec();
    for _ in 0..12 {
        let draw = usize::try_from(proc.random() % letters.len() as u64).unwrap_or(0);
        directory.push(letters.get(draw).copied().unwrap_or(b'X'));
    }
    let socket = [
        directory.as_slice(),
        format!("/agent.{}", proc.pid()).as_bytes(),
    ]
    .concat();
    let made = proc
        .make_directory(&directory, 0o700)
        .and_then(|()| proc.make_node(&socket, FileType::Socket, 0o600, (0, 0)));
    if let Err(errno) = made {
        let text = format!("mkdtemp: private socket dir: {}\n", errno.message());
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::FAILURE;
    }
    let child = proc.fork(|child| {
        Box::pin(async move {
            for fd in child.descriptors() {
                // They were listed.
                let _open = child.close(fd);
            }
            // A child of its own has no group to lead yet.
            let _session = child.new_session();
            std::future::pending().await
        })
    });
    let Ok(child) = child else {
        return ExitStatus::FAILURE;
    };
    let shown = String::from_utf8_lossy(&socket).into_owned();
    if !command.is_empty() {
        let mut env = proc.env().clone();
        env.set(b"SSH_AUTH_SOCK", socket);
        env.set(b"SSH_AGENT_PID", child.to_string());
        let name = command.first().cloned().unwrap_or_default();
        let path = if name.contains(&b'/') {
            name.clone()
        } else {
            [b"/usr/bin/".as_slice(), &name].concat()
        };
        let errno = proc.exec(&path, command, env).await;
        proc.complain(&name, errno).await;
        return ExitStatus::FAILURE;
    }
    let text = if has(b"-c") {
        format!(
            "setenv SSH_AUTH_SOCK {shown};\nsetenv SSH_AGENT_PID {child};\necho Agent pid {child};"
        )
    } else {
        format!(
            "SSH_AUTH_SOCK={shown}; export SSH_AUTH_SOCK;\nSSH_AGENT_PID={child}; export SSH_AGENT_PID;\necho Agent pid {child};"
        )
    };
    say(proc, &text).await;
    proc.status()
}

/// `ssh-add`.
pub(in crate::net) async fn add(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let socket = proc.env().value(b"SSH_AUTH_SOCK").map(<[u8]>::to_vec);
    let Some(socket) = socket else {
        proc.print_error(b"Could not open a connection to your authentication agent.\n")
            .await;
        return ExitStatus::Exited(2);
    };
    if let Err(errno) = proc.stat(&socket) {
        let text = format!("Error connecting to agent: {}\n", errno.message());
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(2);
    }
    let has = |word: &[u8]| words.iter().any(|one| one == word);
    if has(b"-l") || has(b"-L") {
        say(proc, "The agent has no identities.").await;
        return ExitStatus::FAILURE;
    }
    if has(b"-D") {
        proc.print_error(b"All identities removed.\n").await;
        return ExitStatus::SUCCESS;
    }
    let mut paths: Vec<Vec<u8>> = words
        .iter()
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    let named = !paths.is_empty();
    if !named {
        let home = super::home(proc);
        let names = ["id_rsa", "id_ecdsa", "id_ed25519"];
        paths.extend(names.map(|name| [home.as_slice(), b"/.ssh/", name.as_bytes()].concat()));
    }
    let mut added = false;
    for path in paths {
        let shown = String::from_utf8_lossy(&path).into_owned();
        if let Err(errno) = proc.stat(&path) {
            if named {
                let text = format!("{shown}: {}\n", errno.message());
                proc.print_error(text.as_bytes()).await;
            }
            continue;
        }
        let public = crate::net::read_file(proc, &[path.as_slice(), b".pub"].concat()).await;
        let public = String::from_utf8_lossy(&public).into_owned();
        let comment = public
            .split_ascii_whitespace()
            .nth(2)
            .map_or_else(|| shown.clone(), str::to_owned);
        let text = format!("Identity added: {shown} ({comment})\n");
        proc.print_error(text.as_bytes()).await;
        added = true;
    }
    if added {
        proc.status()
    } else {
        ExitStatus::FAILURE
    }
}
