//! `tc` of iproute2 6.1 as far as it shows what there is, `mii-tool` of net-tools 2.10 for interfaces that exist.

use sundew_kernel::{Errno, ExitStatus, Process};

use crate::system::rare;

#[expect(
    clippy::too_many_lines,
    reason = "one command line, and what it shows or refuses"
)]
pub(super) async fn tc(proc: &mut Process) -> ExitStatus {
    let (mut words, mut statistics) = (Vec::new(), false);
    for word in proc.args().iter().skip(1) {
        match word.as_slice() {
            b"-s" | b"-statistics" | b"-stats" => statistics = true,
            b"-d" | b"-r" | b"-p" | b"-c" | b"-o" | b"-N" | b"-br" => {}
            _ => words.push(String::from_utf8_lossy(word).into_owned()),
        }
    }
    let is = |at: usize, full: &str| {
        words
            .get(at)
            .is_some_and(|word| !word.is_empty() && full.starts_with(word.as_str()))
    };
    let named = words
        .iter()
        .position(|word| word == "dev")
        .and_then(|at| words.get(at + 1))
        .cloned();
    let known = |name: &str| {
        proc.facts()
            .interfaces
            .iter()
            .any(|one| one.name == name.as_bytes())
    };
    let shows = words.len() == 1 || is(1, "show") || is(1, "list") || is(1, "dev");
    let object = ["qdisc", "class", "filter", "chain"]
        .iter()
        .find(|object| is(0, object))
        .copied();
    if object.is_none() {
        return rare::answer(proc, "tc").await;
    }
    if let Some(name) = named.as_deref().filter(|name| !known(name)) {
        let text = format!("Cannot find device \"{name}\"\n");
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::FAILURE;
    }
    if !shows {
        let changes = ["add", "delete", "replace", "change"]
            .iter()
            .any(|verb| is(1, verb));
        let (text, status) = if changes && proc.credentials().uid != 0 {
            (
                format!("RTNETLINK answers: {}\n", Errno::Eperm.message()),
                2,
            )
        } else if is(1, "delete") {
            (
                "Error: Cannot delete qdisc with handle of zero.\n".to_owned(),
                2,
            )
        } else if changes {
            ("Error: Specified qdisc kind is unknown.\n".to_owned(), 2)
        } else {
            let (object, verb) = (
                object.unwrap_or_default(),
                words.get(1).cloned().unwrap_or_default(),
            );
            (
                format!("Command \"{verb}\" is unknown, try \"tc {object} help\".\n"),
                255,
            )
        };
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(status);
    }
    let mut out = String::new();
    if object == Some("qdisc") {
        for interface in &proc.facts().interfaces {
            let name = String::from_utf8_lossy(&interface.name).into_owned();
            if named.as_ref().is_some_and(|named| *named != name) {
                continue;
            }
            let device = if named.is_some() {
                String::new()
            } else {
                format!("dev {name} ")
            };
            let loopback = name == "lo";
            out += &if loopback {
                format!("qdisc noqueue 0: {device}root refcnt 2 \n")
            } else {
                format!(
                    "qdisc pfifo_fast 0: {device}root refcnt 2 bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1\n"
                )
            };
            if statistics {
                let traffic = proc.traffic(interface);
                let (bytes, packets) = if loopback {
                    (0, 0)
                } else {
                    (traffic.tx_bytes, traffic.tx_packets)
                };
                out += &format!(
                    " Sent {bytes} bytes {packets} pkt (dropped 0, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n"
                );
            }
        }
    }
    let _reported = proc.print(out.as_bytes()).await;
    proc.status()
}

pub(super) async fn mii_tool(proc: &mut Process) -> ExitStatus {
    let name = proc
        .args()
        .iter()
        .skip(1)
        .find(|word| !word.starts_with(b"-"))
        .cloned();
    let exists = |name: &Vec<u8>| proc.facts().interfaces.iter().any(|one| one.name == *name);
    match name.filter(exists) {
        Some(name) => {
            let name = String::from_utf8_lossy(&name).into_owned();
            // tidy-allow(errno-word): the answer of a driver that has no such registers
            let text = format!("SIOCGMIIPHY on '{name}' failed: Operation not supported\n");
            proc.print_error(text.as_bytes()).await;
            ExitStatus::FAILURE
        }
        None => rare::answer(proc, "mii-tool").await,
    }
}
