//! `iptables` 1.8.9 (nf_tables) with an empty rule set; rules are taken and forgotten.

use sundew_kernel::{ExitStatus, Process};

/// `iptables`, `ip6tables`, and their `-save` and `-restore`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let name = String::from_utf8_lossy(proc.base_name()).into_owned();
    if name.contains("-save") || name.contains("-restore") {
        return proc.status();
    }
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    if proc.credentials().uid != 0 {
        proc.print_error(format!("{name} v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n").as_bytes()).await;
        return ExitStatus::Exited(4);
    }
    let has = |short: &[u8], long: &[u8]| words.iter().any(|word| word == short || word == long);
    let nat = words.iter().any(|word| word == b"nat");
    let chains: &[&str] = if nat {
        &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]
    } else {
        &["INPUT", "FORWARD", "OUTPUT"]
    };
    let lists = words.iter().any(|word| {
        word == b"--list"
            || word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'L')
    });
    let text = if lists {
        let verbose = words
            .iter()
            .any(|word| word.starts_with(b"-") && word.contains(&b'v'));
        let head = if verbose {
            " pkts bytes target     prot opt in     out     source               destination         "
        } else {
            "target     prot opt source               destination         "
        };
        let policy = if verbose {
            "policy ACCEPT 0 packets, 0 bytes"
        } else {
            "policy ACCEPT"
        };
        chains
            .iter()
            .map(|chain| format!("Chain {chain} ({policy})\n{head}\n"))
            .collect::<Vec<_>>()
            .join("\n")
    } else if has(b"-S", b"--list-rules") {
        chains
            .iter()
            .map(|chain| format!("-P {chain} ACCEPT\n"))
            .collect()
    } else if has(b"-V", b"--version") {
        format!("{name} v1.8.9 (nf_tables)\n")
    } else if words.is_empty() {
        proc.print_error(format!("{name} v1.8.9 (nf_tables): no command specified\nTry `{name} -h' or '{name} --help' for more information.\n").as_bytes()).await;
        return ExitStatus::Exited(2);
    } else {
        return proc.status();
    };
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}
