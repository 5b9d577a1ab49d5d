//! `w`: who is logged in and what they do.

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::{print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::time::{Shown, Zone};
use crate::users::Directory;

const SPEC: Spec = Spec::new(
    "husfoVip",
    &[
        ("no-header", Arity::No, "h"),
        ("no-current", Arity::No, "u"),
        ("short", Arity::No, "s"),
        ("from", Arity::No, "f"),
        ("old-style", Arity::No, "o"),
        ("ip-addr", Arity::No, "i"),
        ("pids", Arity::No, "p"),
        ("help", Arity::No, "help"),
        ("version", Arity::No, "V"),
    ],
);

/// `w`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut header, mut short, mut from) = (true, false, true);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "h", .. }) => header = false,
            Ok(Opt { key: "s", .. }) => short = true,
            Ok(Opt { key: "f", .. }) => from = !from,
            Ok(Opt { key: "V", .. }) => return print_version(proc, "w").await,
            Ok(Opt { key: "help", .. }) => return print_help(proc, "w").await,
            Ok(_) => {}
            Err(error) => return refuse(proc, "w", Some(&error)).await,
        }
    }
    let mut text = Vec::new();
    if header {
        text.extend(format!("{}\n", super::uptime::line(proc).await).into_bytes());
        text.extend_from_slice(b"USER     TTY      ");
        text.extend_from_slice(if from { b"FROM             " } else { b"" });
        text.extend_from_slice(if short {
            b"  IDLE WHAT\n"
        } else {
            b"LOGIN@   IDLE   JCPU   PCPU WHAT\n"
        });
    }
    let users = Directory::load(proc).await;
    let zone = Zone::of(proc).await;
    let address = caller(proc);
    let all = proc.processes();
    for one in all.iter().filter(|one| one.pid == one.session) {
        let Some(tty) = &one.tty else { continue };
        let secs = proc.facts().boot_time.secs + i64::try_from(one.started.as_secs()).unwrap_or(0);
        let login = Shown::new(Timestamp { secs, nanos: 0 }, &zone).format(b"%H:%M");
        let front = all
            .iter()
            .rev()
            .find(|other| other.tty.as_ref() == Some(tty) && other.group == one.foreground)
            .unwrap_or(one);
        let user = String::from_utf8_lossy(&users.user_text(one.uid)).into_owned();
        let mut line = format!("{user:<8.8} {:<8} ", String::from_utf8_lossy(tty));
        if from {
            line += &format!("{address:<16.16} ");
        }
        let seconds = |time: std::time::Duration| {
            format!("{}.{:02}s", time.as_secs(), time.subsec_millis() / 10)
        };
        if !short {
            line += &format!("{}    ", String::from_utf8_lossy(&login));
        }
        line += &format!("{:>6} ", "0.00s");
        if !short {
            line += &format!("{:>6} {:>6} ", seconds(one.cpu), seconds(front.cpu));
        }
        text.extend(line.into_bytes());
        text.extend([front.args.join(&b' ').as_slice(), b"\n"].concat());
    }
    let _closed = proc.print(&text).await;
    proc.status()
}

/// Where the session comes from, as its environment has it.
fn caller(proc: &Process) -> String {
    let client = proc.env().value(b"SSH_CLIENT").unwrap_or(b"-");
    let address = client.split(|&byte| byte == b' ').next().unwrap_or(b"-");
    String::from_utf8_lossy(address).into_owned()
}
