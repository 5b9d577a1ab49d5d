//! `last`, `who` and `w`: records of logins in BusyBox's columns.

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::usage;
use crate::getopt::{Getopt, Opt, Spec};
use crate::text::input;
use crate::time::{Shown, Zone};
use crate::utmp::{self, Kind, Record};

/// Where the records of old are.
const WTMP: &[u8] = b"/var/log/wtmp";
/// Heading of `w` and `who -H`.
const HEADING: &[u8] = b"USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n";

fn moment(at: i64, zone: &Zone, format: &[u8]) -> String {
    let at = Timestamp { secs: at, nanos: 0 };
    String::from_utf8_lossy(&Shown::new(at, zone).format(format)).into_owned()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `last`: everybody but the first record of the file, which the original never gets to.
pub(super) async fn last(proc: &mut Process) -> ExitStatus {
    if proc.args().len() > 1 {
        return usage::refuse(proc, b"last").await;
    }
    let bytes = match input::read_all(proc, WTMP).await {
        Ok((bytes, _memory)) => bytes,
        Err(errno) => {
            let text = [b"can't open '".as_slice(), WTMP, b"': "].concat();
            let text = [text.as_slice(), errno.message().as_bytes()].concat();
            return super::complain(proc, "last", text).await;
        }
    };
    let heading = format!(
        "{:<10} {:<14} {:<18} {:<12} {}\n",
        "USER", "TTY", "HOST", "LOGIN", "TIME"
    );
    if proc.print(heading.as_bytes()).await.is_err() {
        return proc.status();
    }
    let zone = Zone::of(proc).await;
    for record in utmp::records(&bytes).iter().skip(1).rev() {
        proc.tick().await;
        let line = match record.kind {
            Kind::Boot => "system boot".to_owned(),
            Kind::User if !record.user.is_empty() => shown(&record.line),
            _ => continue,
        };
        let row = format!(
            "{:<10} {line:<14} {:<18} {}\n",
            shown(&record.user),
            shown(&record.host),
            moment(record.at, &zone, b"%b %e %H:%M")
        );
        if proc.print(row.as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// `who` and `w`.
pub(super) async fn who(proc: &mut Process, name: &[u8]) -> ExitStatus {
    const WHO: Spec = Spec::new("aH", &[]);
    const W: Spec = Spec::new("", &[]);
    let is_w = name == b"w";
    let (mut all, mut heading) = (false, is_w);
    let mut options = Getopt::new(if is_w { &W } else { &WHO }, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "a", .. }) => all = true,
            Ok(_) => heading = true,
            Err(error) => return usage::refuse_option(proc, name, &error).await,
        }
    }
    if !options.operands().is_empty() {
        return usage::refuse(proc, name).await;
    }
    if heading && proc.print(HEADING).await.is_err() {
        return proc.status();
    }
    let zone = Zone::of(proc).await;
    let wanted = |record: &Record| !record.user.is_empty() && (all || record.is_user());
    for record in utmp::present(proc)
        .await
        .iter()
        .filter(|record| wanted(record))
    {
        let row = format!(
            "{:<15} {:<15} {:<7} {:<16} {}\n",
            shown(&record.user),
            shown(&record.line),
            idle(proc, &record.line),
            moment(record.at, &zone, b"%b %e %H:%M:%S"),
            shown(&record.host),
        );
        let row = format!("{:<width$}\n", row.trim_end_matches('\n'), width = 65);
        if proc.print(row.as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// How long nothing was typed at a line.
fn idle(proc: &Process, line: &[u8]) -> String {
    let Ok(metadata) = proc.stat(&[b"/dev/", line].concat()) else {
        return "?".to_owned();
    };
    match proc.now().secs - metadata.atime.secs {
        ..60 => ".".to_owned(),
        seconds @ 60..86_400 => format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60),
        _ => "old".to_owned(),
    }
}
