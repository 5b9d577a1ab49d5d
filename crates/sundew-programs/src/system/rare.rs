//! Programs of which nearly every call on a machine like this one ends with a word about the command line, or
//! with one about what the machine does not have: what they say stands in `rare.txt`.

use sundew_kernel::program::Program;
use sundew_kernel::{ExitStatus, Process};

/// `=== PROGRAM`, then answers: `--- STATUS CALL…` and lines, `>` to standard output, `!` to standard error; a
/// line that ends in `\\c` has no end. A CALL is `-` for no argument, an option or operand, `-?` or `--?` for one that is not
/// known, `*` for an operand; its text stands for `«letter»`, `«long»`, `«word»`.
const TABLE_TEXT: &str = include_str!("rare.txt");

macro_rules! programs {
    ($($name:literal,)*) => {
        /// The programs of this sort.
        pub(crate) const TABLE: &[Program] =
            &[$(Program { name: $name, run: |proc| Box::pin(answer(proc, $name)) },)*];
    };
}

programs! {
    "agetty",
    "arpd",
    "blkdeactivate",
    "bridge",
    "bzexe",
    "bzip2recover",
    "cvtsudoers",
    "dbus-cleanup-sockets",
    "dbus-daemon",
    "dbus-monitor",
    "dbus-send",
    "dbus-update-activation-environment",
    "dcb",
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "debconf",
    "debconf-communicate",
    "debconf-copydb",
    "debconf-escape",
    "debconf-set-selections",
    "debconf-show",
    "devlink",
    "dhclient",
    "dmsetup",
    "dpkg-fsys-usrunmess",
    "dpkg-maintscript-helper",
    "dpkg-preconfigure",
    "dpkg-reconfigure",
    "e2scrub",
    "e2scrub_all",
    "faillock",
    "genl",
    "gpgv",
    "gzexe",
    "installkernel",
    "ipmaddr",
    "iptables-apply",
    "iptunnel",
    "kernel-install",
    "lcf",
    "lesskey",
    "login",
    "lzmainfo",
    "mkhomedir_helper",
    "mt-gnu",
    "nameif",
    "nstat",
    "pam_getenv",
    "pam_namespace_helper",
    "pam_timestamp_check",
    "plipconfig",
    "pwhistory_helper",
    "rarp",
    "rdma",
    "rmt",
    "rtacct",
    "rtmon",
    "setpci",
    "slattach",
    "sudo_logsrvd",
    "sudo_sendlog",
    "sudoreplay",
    "tipc",
    "tzselect",
    "ucf",
    "ucfr",
    "update-pciids",
    "vdpa",
    "znew",
}

/// One answer.
struct Answer<'a> {
    status: u8,
    calls: Vec<&'a str>,
    body: &'a str,
}

fn answers(name: &str) -> Vec<Answer<'static>> {
    let mut sections = TABLE_TEXT.split("\n=== ");
    let section = sections.find_map(|section| {
        let section = section.strip_prefix("=== ").unwrap_or(section);
        section.strip_prefix(name)?.strip_prefix("\n--- ")
    });
    let parts = section.unwrap_or_default().split("\n--- ");
    let answer = |part: &'static str| {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        let mut words = head.split(' ');
        Some(Answer {
            status: words.next()?.parse().ok()?,
            calls: words.collect(),
            body,
        })
    };
    parts.filter_map(answer).collect()
}

/// What a program says to one call, standard output and standard error in one.
pub(crate) fn text(name: &str, call: &str) -> String {
    let all = answers(name);
    let found = all.iter().find(|answer| answer.calls.contains(&call));
    found.map_or_else(String::new, |answer| said(answer.body, ['>', '!']))
}

/// The lines with one of these signs.
fn said(body: &str, signs: [char; 2]) -> String {
    let mut out = String::new();
    for line in body.lines() {
        let Some(text) = signs.iter().find_map(|&sign| line.strip_prefix(sign)) else {
            continue;
        };
        match text.strip_suffix("\\c") {
            Some(open) => out.push_str(open),
            None => {
                out.push_str(text);
                out.push('\n');
            }
        }
    }
    out
}

pub(crate) async fn answer(proc: &mut Process, name: &str) -> ExitStatus {
    let all = answers(name);
    let word = proc
        .args()
        .get(1)
        .map(|word| super::text(word))
        .unwrap_or_default();
    let exact = all
        .iter()
        .find(|answer| answer.calls.contains(&word.as_str()));
    let call = match word.as_str() {
        "" => "-",
        long if long.starts_with("--") && long.len() > 2 => "--?",
        short if short.starts_with('-') && short.len() > 1 => "-?",
        _ => "*",
    };
    let of = |call: &str| all.iter().find(|answer| answer.calls.contains(&call));
    let exact = exact.filter(|_| word != "-" && word != "*");
    let Some(found) = exact
        .or_else(|| of(call))
        .or_else(|| of("*"))
        .or_else(|| of("-"))
    else {
        return ExitStatus::FAILURE;
    };
    let letter: String = word.chars().nth(1).into_iter().collect();
    let long = word.trim_start_matches('-').to_owned();
    let fill = |text: String| {
        text.replace("«word»", &word)
            .replace("«long»", &long)
            .replace("«letter»", &letter)
    };
    let out = fill(said(found.body, ['>', '>']));
    let err = fill(said(found.body, ['!', '!']));
    let status = found.status;
    super::put(proc, out).await;
    if !err.is_empty() {
        let _flushed = proc.flush().await;
        proc.print_error(err.as_bytes()).await;
    }
    proc.set_status(status);
    ExitStatus::Exited(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_of_the_table_has_an_answer_to_a_bare_call_or_an_operand() {
        for program in TABLE {
            let all = answers(program.name);
            let calls: Vec<&str> = all.iter().flat_map(|answer| answer.calls.clone()).collect();
            assert!(
                calls.contains(&"-") || calls.contains(&"*"),
                "{}",
                program.name
            );
        }
    }

    #[test]
    fn both_streams_and_an_open_end_are_told_apart() {
        let body = ">out\n!err\n>open\\c\n";
        assert_eq!(said(body, ['>', '>']), "out\nopen");
        assert_eq!(said(body, ['!', '!']), "err\n");
    }
}
