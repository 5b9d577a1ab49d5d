//! `ping` of iputils: no datagram comes back but from the machine itself.

use std::net::IpAddr;
use std::time::Duration;

use sundew_kernel::signal::Disposition;
use sundew_kernel::{ExitStatus, Process, Signal};

/// `ping`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut count, mut wait, mut host, mut quiet, mut interval) =
        (None, None, None, false, 1.0_f64);
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        let letter = word.get(1).copied().unwrap_or(0);
        if !word.starts_with(b"-") || letter == 0 {
            host = Some(word);
            continue;
        }
        if !b"46aAbBCcDdefhIiLlMmnOpqQRrStTUvVwWs".contains(&letter) {
            let text = format!("ping: invalid option -- '{}'\n", char::from(letter));
            return super::refuse(proc, &text, "ping", 2).await;
        }
        if letter == b'h' {
            return super::refuse(proc, "", "ping", 2).await;
        }
        if letter == b'V' {
            let text = b"ping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n";
            let _closed = proc.print(text).await;
            return proc.status();
        }
        if b"cwWisItSmMlpQTF".contains(&letter) {
            let rest = word.get(2..).unwrap_or_default().to_vec();
            let value = if rest.is_empty() {
                let Some(value) = words.next() else {
                    let letter = char::from(letter);
                    let text = format!("ping: option requires an argument -- '{letter}'\n");
                    return super::refuse(proc, &text, "ping", 2).await;
                };
                value
            } else {
                rest
            };
            let number = std::str::from_utf8(&value)
                .ok()
                .and_then(|text| text.parse::<f64>().ok());
            if number.is_none() && b"cwWist".contains(&letter) {
                let value = String::from_utf8_lossy(&value).into_owned();
                let text = format!("ping: invalid argument: '{value}'\n");
                proc.print_error(text.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
            match letter {
                b'c' => count = number.map(|number| number.max(1.0) as u64),
                b'w' => wait = number,
                b'i' => interval = number.unwrap_or(1.0),
                _ => {}
            }
        } else {
            quiet |= letter == b'q';
        }
    }
    let Some(host) = host else {
        proc.print_error(b"ping: usage error: Destination address required\n")
            .await;
        return ExitStatus::FAILURE;
    };
    let shown = String::from_utf8_lossy(&host).into_owned();
    let Some(address) = proc
        .network()
        .resolve(&host)
        .await
        .ok()
        .and_then(|found| found.first().copied())
    else {
        proc.print_error(format!("ping: {shown}: Name or service not known\n").as_bytes())
            .await;
        return ExitStatus::Exited(2);
    };
    let own = address.is_loopback()
        || proc
            .facts()
            .interfaces
            .iter()
            .any(|one| one.ipv4.is_some_and(|(ip, _)| IpAddr::V4(ip) == address));
    proc.set_disposition(Signal::INT, Disposition::Catch);
    let _closed = proc
        .print(format!("PING {shown} ({address}) 56(84) bytes of data.\n").as_bytes())
        .await;
    let (mut sent, mut received) = (0_u64, 0_u64);
    let pause = Duration::from_secs_f64(interval.clamp(0.2, 3600.0));
    let most = count.unwrap_or(wait.map_or(u64::MAX, |seconds| {
        (seconds / pause.as_secs_f64()).max(1.0) as u64
    }));
    while sent < most {
        sent += 1;
        if own {
            received += 1;
            if !quiet {
                let line = format!(
                    "64 bytes from {address}: icmp_seq={sent} ttl=64 time=0.0{} ms\n",
                    31 + proc.random() % 30
                );
                if proc.print(line.as_bytes()).await.is_err() {
                    return ExitStatus::FAILURE;
                }
            }
        }
        let _closed = proc.flush().await;
        let last = sent == most;
        if last && own {
            break;
        }
        // The last one is waited for.
        let rest = if last { Duration::from_secs(10) } else { pause };
        if proc.sleep(rest).await.is_err() {
            break;
        }
    }
    let loss = (sent - received) * 100 / sent.max(1);
    let time = (sent.saturating_sub(1)) * u64::try_from(pause.as_millis()).unwrap_or(1000)
        + if own || sent < 2 { 0 } else { 10 };
    let mut text = format!(
        "\n--- {shown} ping statistics ---\n{sent} packets transmitted, {received} received, {loss}% packet loss, time {time}ms\n"
    );
    text += if received > 0 {
        "rtt min/avg/max/mdev = 0.031/0.043/0.060/0.008 ms\n"
    } else {
        "\n"
    };
    let _closed = proc.print(text.as_bytes()).await;
    if received > 0 {
        ExitStatus::SUCCESS
    } else {
        ExitStatus::FAILURE
    }
}
