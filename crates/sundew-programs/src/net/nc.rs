//! `nc.traditional` 1.10-47.

use std::net::SocketAddr;
use std::time::Duration;

use sundew_kernel::{Errno, ExitStatus, Process};

use super::pipe;

/// `nc`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut listen, mut verbose, mut scan, mut program, mut limit, mut operands) =
        (false, 0, false, None, None, Vec::new());
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        let Some(letters) = word
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            operands.push(word);
            continue;
        };
        for (at, letter) in letters.iter().enumerate() {
            if b"ceigGopqswT".contains(letter) {
                let rest = letters.get(at + 1..).unwrap_or_default().to_vec();
                let Some(value) = (if rest.is_empty() {
                    words.next()
                } else {
                    Some(rest)
                }) else {
                    let text = format!(
                        "nc: option requires an argument -- '{}'\nnc -h for help\n",
                        char::from(*letter)
                    );
                    proc.print_error(text.as_bytes()).await;
                    return ExitStatus::FAILURE;
                };
                match letter {
                    b'e' => program = Some(vec![value]),
                    b'c' => program = Some(vec![b"/bin/sh".to_vec(), b"-c".to_vec(), value]),
                    b'w' => {
                        limit = std::str::from_utf8(&value)
                            .ok()
                            .and_then(|text| text.parse::<u64>().ok())
                    }
                    _ => {}
                }
                break;
            }
            match letter {
                b'l' => listen = true,
                b'v' => verbose += 1,
                b'z' => scan = true,
                b'h' => {
                    proc.print_error(b"[v1.10-47]\nconnect to somewhere:\tnc [-options] hostname port[s] [ports] ... \nlisten for inbound:\tnc -l -p port [-options] [hostname] [port]\n").await;
                    return proc.status();
                }
                b'n' | b'r' | b'u' | b't' | b'k' | b'b' | b'C' | b'd' | b'N' => {}
                other => {
                    let text = format!(
                        "nc: invalid option -- '{}'\nnc -h for help\n",
                        char::from(*other)
                    );
                    proc.print_error(text.as_bytes()).await;
                    return ExitStatus::FAILURE;
                }
            }
        }
    }
    if listen {
        // Nobody gets in from outside; whoever listens waits until they give up.
        if verbose > 0 {
            proc.print_error(b"listening on [any] 4444 ...\n").await;
        }
        while proc.sleep(Duration::from_secs(3600)).await.is_ok() {}
        return ExitStatus::FAILURE;
    }
    let Some(host) = operands.first().cloned() else {
        proc.print_error(b"Cmd line: ").await;
        return proc.status();
    };
    let Some(ports) = operands.get(1).cloned() else {
        proc.print_error(b"no port[s] to connect to\n").await;
        return ExitStatus::FAILURE;
    };
    let network = proc.network();
    let shown = String::from_utf8_lossy(&host).into_owned();
    let Some(ip) = network
        .resolve(&host)
        .await
        .ok()
        .and_then(|found| found.first().copied())
    else {
        proc.print_error(format!("{shown}: forward host lookup failed: Unknown host\n").as_bytes())
            .await;
        return ExitStatus::FAILURE;
    };
    let name = if shown.parse::<std::net::IpAddr>().is_ok() {
        of_hosts(proc, &shown).await
    } else {
        shown
    };
    let Some((first, last)) = range(&ports) else {
        proc.print_error(&[b"invalid port ".as_slice(), &ports, b"\n"].concat())
            .await;
        return ExitStatus::FAILURE;
    };
    let services = read_services(proc).await;
    let mut reached = false;
    for port in first..=last {
        let service = services
            .iter()
            .find(|(_, known)| *known == port)
            .map_or("?", |(name, _)| name.as_str())
            .to_owned();
        let connect = network.connect(SocketAddr::new(ip, port));
        let result = match limit {
            None => proc.interruptible(connect).await,
            Some(seconds) => {
                let sleep = std::pin::pin!(proc.sleep(Duration::from_secs(seconds.max(1))));
                match futures_util::future::select(connect, sleep).await {
                    futures_util::future::Either::Left((result, _)) => Ok(result),
                    futures_util::future::Either::Right(_) => Ok(Err(Errno::Etimedout)),
                }
            }
        };
        match result.unwrap_or(Err(Errno::Eintr)) {
            Ok(stream) => {
                reached = true;
                if verbose > 0 {
                    proc.print_error(format!("{name} [{ip}] {port} ({service}) open\n").as_bytes())
                        .await;
                }
                if scan {
                    continue;
                }
                if let Some(program) = program {
                    return pipe::run_program(proc, stream, program).await;
                }
                pipe::run(proc, stream, pipe::AtEnd::KeepReading).await;
                return proc.status();
            }
            Err(errno) if first == last || verbose > 1 => {
                proc.print_error(
                    format!("{name} [{ip}] {port} ({service}) : {}\n", errno.message()).as_bytes(),
                )
                .await;
            }
            Err(_) => {}
        }
        proc.tick().await;
    }
    if reached {
        proc.status()
    } else {
        ExitStatus::FAILURE
    }
}

fn range(text: &[u8]) -> Option<(u16, u16)> {
    let text = std::str::from_utf8(text).ok()?;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

async fn read_services(proc: &Process) -> Vec<(String, u16)> {
    let Ok(fd) = proc
        .open(
            b"/etc/services",
            sundew_kernel::descriptor::OpenFlags::READ,
            0,
        )
        .await
    else {
        return Vec::new();
    };
    let text = proc
        .read_to_end(fd)
        .await
        .map(|(text, _)| text)
        .unwrap_or_default();
    // Opened above.
    let _open = proc.close(fd);
    let rows = String::from_utf8_lossy(&text).into_owned();
    rows.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            let port = words.next()?.strip_suffix("/tcp")?.parse().ok()?;
            Some((name.to_owned(), port))
        })
        .collect()
}

/// The name that `/etc/hosts` has for an address: nobody else is asked.
async fn of_hosts(proc: &Process, address: &str) -> String {
    let hosts = super::read_file(proc, b"/etc/hosts").await;
    let line = hosts.split(|&byte| byte == b'\n').find_map(|line| {
        let text = std::str::from_utf8(line).ok()?;
        let mut words = text.split_ascii_whitespace();
        (words.next()? == address).then(|| words.next().map(str::to_owned))?
    });
    line.unwrap_or_else(|| "(UNKNOWN)".to_owned())
}
