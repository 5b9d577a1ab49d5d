//! `nc.traditional` 1.10-47.

use std::net::SocketAddr;
use std::time::Duration;

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::pipe;

/// `nc`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut listen, mut verbose, mut scan, mut program, mut limit, mut operands) =
        (false, 0, false, None, None, Vec::new());
    let (mut own_port, mut numeric) = (None, false);
    if proc.args().len() < 2 {
        // The original asks for a command line on its terminal.
        proc.print_error(b"Cmd line: ").await;
        let mut input = LineReader::new(proc, STDIN);
        let line = input.next(proc, b'\n').await.ok().flatten();
        let Some(line) = line.filter(|line| !line.trim_ascii().is_empty()) else {
            proc.print_error(b"wrong\n").await;
            return ExitStatus::FAILURE;
        };
        let words = line.split(u8::is_ascii_whitespace);
        let words = words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec);
        let args = [b"nc".to_vec()].into_iter().chain(words).collect();
        proc.set_args(args);
    }
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
                        let seconds = std::str::from_utf8(&value).unwrap_or_default();
                        limit = seconds.parse::<u64>().ok();
                        if limit.is_none() {
                            return refuse(proc, "invalid wait-time", &value).await;
                        }
                    }
                    b'p' => {
                        let services = read_services(proc).await;
                        own_port = port_of(&services, &value);
                        if own_port.is_none() {
                            return refuse(proc, "invalid local port", &value).await;
                        }
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
                    proc.print_error(super::help("nc").as_bytes()).await;
                    return proc.status();
                }
                b'n' => numeric = true,
                b'r' | b'u' | b't' | b'k' | b'b' | b'C' | b'd' | b'N' => {}
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
            // A port of the ephemeral range if none is named.
            let port = own_port.unwrap_or_else(|| 32_768 + (proc.random() % 28_232) as u16);
            proc.print_error(format!("listening on [any] {port} ...\n").as_bytes())
                .await;
        }
        while proc.sleep(Duration::from_secs(3600)).await.is_ok() {}
        return ExitStatus::FAILURE;
    }
    let Some(host) = operands.first().cloned() else {
        proc.print_error(b"no destination\n").await;
        return ExitStatus::FAILURE;
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
    let is_address = shown.parse::<std::net::IpAddr>().is_ok();
    let name = if is_address && verbose > 0 && !numeric {
        // Names are looked up only to be shown.
        of_hosts(proc, &shown).await
    } else if is_address {
        "(UNKNOWN)".to_owned()
    } else {
        shown
    };
    let services = read_services(proc).await;
    let Some((first, last)) = range(&services, &ports) else {
        return refuse(proc, "invalid port", &ports).await;
    };
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
            Err(errno) if verbose > 1 || first == last && (verbose > 0 || !scan) => {
                proc.print_error(
                    format!("{name} [{ip}] {port} ({service}) : {}\n", errno.message()).as_bytes(),
                )
                .await;
            }
            Err(_) => {}
        }
        proc.tick().await;
    }
    // Of a scan the status is that of the last port's close, which succeeds.
    if reached || (scan && (first != last || operands.len() > 2)) {
        proc.status()
    } else {
        ExitStatus::FAILURE
    }
}

async fn refuse(proc: &mut Process, what: &str, value: &[u8]) -> ExitStatus {
    proc.print_error(&[what.as_bytes(), b" ", value, b"\n"].concat())
        .await;
    ExitStatus::FAILURE
}

/// Ports from one to another; names of services count where there is no dash.
fn range(services: &[(String, u16)], text: &[u8]) -> Option<(u16, u16)> {
    if let Some(port) = port_of(services, text) {
        return Some((port, port));
    }
    let text = std::str::from_utf8(text).ok()?;
    let (first, last) = text.split_once('-')?;
    let first = port_of(services, first.as_bytes())?;
    Some((first, port_of(services, last.as_bytes())?))
}

/// A port by number, of which sixteen bits count, or by its service's name.
fn port_of(services: &[(String, u16)], text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    let by_number = || text.parse::<u32>().ok().map(|port| port as u16);
    let by_name = || {
        let service = services.iter().find(|(name, _)| name == text);
        service.map(|(_, port)| *port)
    };
    by_number().or_else(by_name).filter(|port| *port > 0)
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
