//! Whether somebody answers, in BusyBox's own form: ping, traceroute, nslookup, arping, rdate.

use std::net::IpAddr;
use std::time::Duration;

use sundew_kernel::signal::Disposition;
use sundew_kernel::{Errno, ExitStatus, Process, Signal};

use super::{complain, printed, usage};
use crate::getopt::{Getopt, Spec};

/// How long the last request is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(proc: &mut Process, name: &[u8]) -> ExitStatus {
    match name {
        b"ping" | b"ping6" => ping(proc, name == b"ping6").await,
        b"traceroute" | b"traceroute6" => traceroute(proc, name).await,
        b"nslookup" => nslookup(proc).await,
        b"arping" => arping(proc).await,
        _ => rdate(proc).await,
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first address of a host, or the complaint that it has none.
async fn address(proc: &mut Process, name: &str, host: &[u8]) -> Result<IpAddr, ExitStatus> {
    let found = proc.network().resolve(host).await.ok();
    match found.and_then(|found| found.first().copied()) {
        Some(address) => Ok(address),
        None => {
            let text = [b"bad address '", host, b"'"].concat();
            Err(complain(proc, name, text).await)
        }
    }
}

/// Whether the machine answers to this address itself.
fn is_own(proc: &Process, address: IpAddr) -> bool {
    let interfaces = &proc.facts().interfaces;
    address.is_loopback()
        || interfaces.iter().any(|one| {
            one.ipv4.is_some_and(|(ip, _)| IpAddr::V4(ip) == address)
                || one.ipv6.is_some_and(|(ip, _)| IpAddr::V6(ip) == address)
        })
}

/// `ping`: nobody answers but the machine itself.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn ping(proc: &mut Process, v6: bool) -> ExitStatus {
    const SPEC: Spec = Spec::new("46qc:i:I:s:t:w:W:p:A", &[]);
    let name = if v6 { "ping6" } else { "ping" };
    let (mut count, mut wait, mut last_wait, mut quiet) = (None, None, PATIENCE, false);
    let (mut size, mut interval) = (56_u64, 1.0_f64);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, name.as_bytes(), &error).await,
        };
        let text = shown(&option.value);
        let number = text.parse::<u64>().ok();
        if "cstwW".contains(option.key) && number.is_none() {
            return complain(proc, name, format!("invalid number '{text}'")).await;
        }
        match option.key {
            "c" => count = number,
            "w" => wait = number,
            "W" => last_wait = Duration::from_secs(number.unwrap_or(10).min(3600)),
            "s" => size = number.unwrap_or(56),
            "i" => match text.parse() {
                Ok(seconds) => interval = seconds,
                Err(_) => return complain(proc, name, format!("invalid number '{text}'")).await,
            },
            "q" => quiet = true,
            _ => {}
        }
    }
    let operands = options.operands();
    let [host] = operands.as_slice() else {
        return usage::refuse(proc, name.as_bytes()).await;
    };
    let address = match address(proc, name, host).await {
        Ok(address) => address,
        Err(status) => return status,
    };
    let host = shown(host);
    let own = is_own(proc, address);
    proc.set_disposition(Signal::INT, Disposition::Catch);
    let head = format!("PING {host} ({address}): {size} data bytes\n");
    let _closed = proc.print(head.as_bytes()).await;
    let pause = Duration::from_secs_f64(interval.clamp(0.002, 3600.0));
    let most = count.filter(|&count| count > 0).unwrap_or_else(|| {
        wait.map_or(u64::MAX, |seconds| {
            seconds.saturating_mul(1000) / u64::try_from(pause.as_millis().max(1)).unwrap_or(1000)
        })
    });
    let mut times = Vec::new();
    let mut sent = 0_u64;
    while sent < most {
        if own {
            let micros = 180 + proc.random() % 120;
            times.truncate(1000);
            times.push(micros);
            if !quiet {
                let line = format!(
                    "{} bytes from {address}: seq={sent} ttl=64 time={} ms\n",
                    size + 8,
                    millis(micros)
                );
                if proc.print(line.as_bytes()).await.is_err() {
                    return ExitStatus::FAILURE;
                }
            }
        }
        sent += 1;
        let _closed = proc.flush().await;
        let last = sent == most;
        if last && own {
            break;
        }
        if proc
            .sleep(if last { last_wait } else { pause })
            .await
            .is_err()
        {
            break;
        }
    }
    let received = if own { sent } else { 0 };
    let loss = (sent - received) * 100 / sent.max(1);
    let mut text = format!(
        "\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} packets received, {loss}% packet loss\n"
    );
    if let (Some(least), Some(greatest)) = (times.iter().min(), times.iter().max()) {
        let mean = times.iter().sum::<u64>() / u64::try_from(times.len()).unwrap_or(1).max(1);
        text += &format!(
            "round-trip min/avg/max = {}/{}/{} ms\n",
            millis(*least),
            millis(mean),
            millis(*greatest)
        );
    }
    let _closed = proc.print(text.as_bytes()).await;
    if received > 0 {
        ExitStatus::SUCCESS
    } else {
        ExitStatus::FAILURE
    }
}

fn millis(micros: u64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

/// `traceroute`: no router on the way says anything.
async fn traceroute(proc: &mut Process, name: &[u8]) -> ExitStatus {
    const SPEC: Spec = Spec::new("46FIlnrdvxt:i:m:p:q:s:w:z:f:", &[]);
    let applet = if name == b"traceroute6" {
        "traceroute6"
    } else {
        "traceroute"
    };
    let (mut hops, mut probes, mut wait, mut numeric) = (30_u64, 3_u64, 3_u64, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, name, &error).await,
        };
        let text = shown(&option.value);
        let number = text.parse::<u64>();
        if "mqwfp".contains(option.key) && number.is_err() {
            return complain(proc, applet, format!("invalid number '{text}'")).await;
        }
        match option.key {
            "m" => hops = number.unwrap_or(30).clamp(1, 255),
            "q" => probes = number.unwrap_or(3).clamp(1, 255),
            "w" => wait = number.unwrap_or(3).min(3600),
            "n" => numeric = true,
            _ => {}
        }
    }
    let operands = options.operands();
    let Some(host) = operands.first() else {
        return usage::refuse(proc, name).await;
    };
    let address = match address(proc, applet, host).await {
        Ok(address) => address,
        Err(status) => return status,
    };
    let host = shown(host);
    let head = format!("traceroute to {host} ({address}), {hops} hops max, 46 byte packets\n");
    let _closed = proc.print(head.as_bytes()).await;
    if is_own(proc, address) {
        let name = if numeric {
            address.to_string()
        } else {
            format!("{host} ({address})")
        };
        let times: String = (0..probes)
            .map(|_| format!("  0.{:03} ms", 60 + proc.random() % 90))
            .collect();
        return printed(proc, format!(" 1  {name}{times}\n").as_bytes()).await;
    }
    proc.set_disposition(Signal::INT, Disposition::Default);
    for hop in 1..=hops {
        let _closed = proc.print(format!("{hop:2}").as_bytes()).await;
        for _ in 0..probes {
            let _closed = proc.flush().await;
            let _interrupted = proc.sleep(Duration::from_secs(wait)).await;
            let _closed = proc.print(b"  *").await;
        }
        if proc.print(b"\n").await.is_err() {
            break;
        }
    }
    proc.status()
}

/// `nslookup`, as built with more query types.
async fn nslookup(proc: &mut Process) -> ExitStatus {
    let operands: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    let Some(host) = operands.first() else {
        return usage::refuse(proc, b"nslookup").await;
    };
    let own = super::borrowed::text_of(proc, b"/etc/resolv.conf").await;
    let own = shown(&own);
    let server = match operands.get(1) {
        Some(server) => shown(server),
        None => own
            .lines()
            .find_map(|line| line.strip_prefix("nameserver "))
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap_or("127.0.0.1")
            .to_owned(),
    };
    let found = proc.network().resolve(host).await.unwrap_or_default();
    let host = shown(host);
    let mut out = format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n");
    if found.is_empty() {
        out += &format!("** server can't find {host}: NXDOMAIN\n\n");
        out += &format!("** server can't find {host}: NXDOMAIN\n\n");
        let _closed = proc.print(out.as_bytes()).await;
        return ExitStatus::FAILURE;
    }
    for v6 in [false, true] {
        out += "Non-authoritative answer:\n";
        for address in found.iter().filter(|address| address.is_ipv6() == v6) {
            out += &format!("Name:\t{host}\nAddress: {address}\n");
        }
        out += "\n";
    }
    printed(proc, out.as_bytes()).await
}

/// `arping`: the gateway is silent.
async fn arping(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("UDAqfbc:w:I:s:", &[]);
    let (mut count, mut device) = (None, "eth0".to_owned());
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(Ok(option)) = options.next() {
        match option.key {
            "c" | "w" => count = shown(&option.value).parse::<u64>().ok(),
            "I" => device = shown(&option.value),
            _ => {}
        }
    }
    let own = proc
        .facts()
        .interfaces
        .iter()
        .find(|one| one.name == device.as_bytes())
        .and_then(|one| one.ipv4);
    let Some((own, _)) = own else {
        let text = format!("interface {device} not found: {}", Errno::Enodev.message());
        complain(proc, "arping", text).await;
        return ExitStatus::Exited(2);
    };
    let operands = options.operands();
    let Some(host) = operands.first() else {
        return usage::refuse(proc, b"arping").await;
    };
    let address = match address(proc, "arping", host).await {
        Ok(address) => address,
        Err(status) => return status,
    };
    let _closed = proc
        .print(format!("ARPING {address} from {own} {device}\n").as_bytes())
        .await;
    let _closed = proc.flush().await;
    let count = count.unwrap_or(u64::MAX);
    for _ in 0..count {
        if proc.sleep(Duration::from_secs(1)).await.is_err() {
            break;
        }
    }
    let text = format!(
        "Sent {count} probe(s) (1 broadcast(s))\nReceived 0 response(s) (0 request(s), 0 broadcast(s))\n"
    );
    let _closed = proc.print(text.as_bytes()).await;
    ExitStatus::FAILURE
}

/// `rdate`: no server of times is reached.
async fn rdate(proc: &mut Process) -> ExitStatus {
    let host = proc
        .args()
        .iter()
        .skip(1)
        .find(|word| !word.starts_with(b"-"))
        .cloned();
    let Some(host) = host else {
        return usage::refuse(proc, b"rdate").await;
    };
    match address(proc, "rdate", &host).await {
        Ok(_) => complain(proc, "rdate", "timeout connecting to time server").await,
        Err(status) => status,
    }
}
