//! `w`: who is logged in and what they do.

use std::time::Duration;

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::{print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::time::{Shown, Zone};
use crate::utmp;

const SPEC: Spec = Spec::new(
    "husfoVi",
    &[
        ("no-header", Arity::No, "h"),
        ("no-current", Arity::No, "u"),
        ("short", Arity::No, "s"),
        ("from", Arity::No, "f"),
        ("old-style", Arity::No, "o"),
        ("ip-addr", Arity::No, "i"),
        ("help", Arity::No, "help"),
        ("version", Arity::No, "V"),
    ],
);

/// `w`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut header, mut short, mut from, mut old) = (true, false, true, false);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "h", .. }) => header = false,
            Ok(Opt { key: "s", .. }) => short = true,
            Ok(Opt { key: "f", .. }) => from = !from,
            Ok(Opt { key: "o", .. }) => old = true,
            Ok(Opt { key: "V", .. }) => return print_version(proc, "w").await,
            Ok(Opt { key: "help", .. }) => return print_help(proc, "w").await,
            Ok(_) => {}
            Err(error) => return refuse(proc, "w", Some(&error)).await,
        }
    }
    let only = options.operands().into_iter().next();
    let mut text = Vec::new();
    if header {
        text.extend(format!("{}\n", super::uptime::line(proc).await).into_bytes());
        text.extend_from_slice(b"USER     TTY      ");
        text.extend_from_slice(if from { b"FROM            " } else { b"" });
        text.extend_from_slice(match (short, from) {
            (true, _) => b"  IDLE WHAT\n",
            (false, true) => b" LOGIN@   IDLE   JCPU   PCPU WHAT\n",
            (false, false) => b"  LOGIN@   IDLE   JCPU   PCPU WHAT\n",
        });
    }
    let zone = Zone::of(proc).await;
    let now = proc.now().secs;
    let all = proc.processes();
    for login in utmp::present(proc).await {
        if !login.is_user() || only.as_ref().is_some_and(|name| *name != login.user) {
            continue;
        }
        let here = || {
            let on_line = |tty: &Vec<u8>| *tty == login.line;
            all.iter()
                .filter(move |one| one.tty.as_ref().is_some_and(on_line))
        };
        // The last to come of those in front is what the user does.
        let front = here()
            .filter(|one| one.group == one.foreground)
            .max_by_key(|one| one.started)
            .or_else(|| here().max_by_key(|one| one.started));
        let column = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut line = format!("{:<8.8} {:<9.8}", column(&login.user), column(&login.line));
        if from {
            let host = if login.host.is_empty() {
                b"-"
            } else {
                login.host.as_slice()
            };
            line += &format!("{:<16.16}", column(host));
        }
        if !short {
            line += &since(login.at, now, &zone);
        }
        // Nobody is asked for keys longer than a keystroke takes: who types `w` is not idle.
        line += &length(Duration::ZERO, old);
        if !short {
            line += &length(here().map(|one| one.cpu).sum(), old);
            line += &front.map_or_else(|| "   ?   ".to_owned(), |one| length(one.cpu, old));
        }
        text.extend(line.into_bytes());
        let doing = front.map_or_else(|| b"-".to_vec(), |one| one.args.join(&b' '));
        text.extend([b" ", doing.as_slice(), b"\n"].concat());
    }
    let _closed = proc.print(&text).await;
    proc.status()
}

/// When somebody logged in: the time of today, the day of this week, or the date.
fn since(at: i64, now: i64, zone: &Zone) -> String {
    let shown = |secs, format: &[u8]| Shown::new(Timestamp { secs, nanos: 0 }, zone).format(format);
    let format: &[u8] = if now - at <= 12 * 3600 || shown(at, b"%j") == shown(now, b"%j") {
        b" %H:%M  "
    } else if now - at <= 6 * 86_400 {
        b" %a%H  "
    } else {
        b" %d%b%y"
    };
    String::from_utf8_lossy(&shown(at, format)).into_owned()
}

/// A length of time in seven columns; the old style knows no seconds.
fn length(time: Duration, old: bool) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if hours >= 48 {
        format!(" {days:>2}days")
    } else if old && hours >= 1 {
        format!(" {hours:>2}:{:02} ", minutes % 60)
    } else if old && seconds > 60 {
        format!(" {minutes:>2}m   ")
    } else if old {
        " ".repeat(7)
    } else if hours >= 1 {
        format!(" {hours:>2}:{:02}m", minutes % 60)
    } else if seconds > 60 {
        format!(" {minutes:>2}:{:02} ", seconds % 60)
    } else {
        format!(" {seconds:>2}.{:02}s", time.subsec_millis() / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_seven_columns() {
        let shown = |seconds| length(Duration::from_secs(seconds), false);
        assert_eq!(shown(0), "  0.00s");
        assert_eq!(shown(61), "  1:01 ");
        assert_eq!(shown(3_700), "  1:01m");
        assert_eq!(shown(400_000), "  4days");
        assert_eq!(length(Duration::ZERO, true), "       ");
    }

    #[test]
    fn logins_are_shown_by_their_age() {
        let (now, zone) = (1_795_271_210, Zone::utc());
        assert_eq!(since(now - 60, now, &zone), " 14:25  ");
        assert_eq!(since(now - 100_000, now, &zone), " Fri10  ");
        assert_eq!(since(now - 800_000, now, &zone), " 12Nov26");
    }
}
