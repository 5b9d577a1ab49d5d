//! `uptime` of procps 4.0.2, and the line that `w` and `top` begin with.

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::{print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::time::{Shown, Zone};
use crate::utmp;

const SPEC: Spec = Spec::new(
    "phsV",
    &[
        ("pretty", Arity::No, "p"),
        ("help", Arity::No, "h"),
        ("since", Arity::No, "s"),
        ("version", Arity::No, "V"),
    ],
);

/// `uptime`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut pretty, mut since) = (false, false);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "p", .. }) => pretty = true,
            Ok(Opt { key: "s", .. }) => since = true,
            Ok(Opt { key: "V", .. }) => return print_version(proc, "uptime").await,
            Ok(_) => return print_help(proc, "uptime").await,
            Err(error) => return refuse(proc, "uptime", Some(&error)).await,
        }
    }
    if !options.operands().is_empty() {
        return refuse(proc, "uptime", None).await;
    }
    let text = if since {
        let up = i64::try_from(proc.uptime().as_secs()).unwrap_or(0);
        let zone = Zone::of(proc).await;
        let started = Timestamp {
            secs: proc.now().secs - up,
            nanos: 0,
        };
        let mut text = Shown::new(started, &zone).format(b"%Y-%m-%d %H:%M:%S");
        text.push(b'\n');
        text
    } else if pretty {
        pretty_text(proc.uptime().as_secs()).into_bytes()
    } else {
        format!("{}\n", line(proc).await).into_bytes()
    };
    let _closed = proc.print(&text).await;
    proc.status()
}

/// `up 3 days, 4 hours, 5 minutes`.
fn pretty_text(seconds: u64) -> String {
    let minutes = seconds / 60;
    let parts = [
        (minutes / 525_600, "year"),
        (minutes % 525_600 / 10_080, "week"),
        (minutes % 10_080 / 1440, "day"),
        (minutes % 1440 / 60, "hour"),
        (minutes % 60, "minute"),
    ];
    let mut shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if shown.is_empty() {
        shown.push("0 minutes".to_owned());
    }
    format!("up {}\n", shown.join(", "))
}

/// ` 10:00:00 up 3 days,  4:05,  1 user,  load average: 0.00, 0.01, 0.05`.
pub(super) async fn line(proc: &Process) -> String {
    let zone = Zone::of(proc).await;
    let time = Shown::new(proc.now(), &zone).format(b"%H:%M:%S");
    let minutes = proc.uptime().as_secs() / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let mut text = format!(" {} up ", String::from_utf8_lossy(&time));
    if days > 0 {
        text += &format!("{days} day{}, ", if days == 1 { "" } else { "s" });
    }
    text += &if hours > 0 {
        format!("{hours:>2}:{rest:02}, ")
    } else {
        format!("{rest} min, ")
    };
    let present = utmp::present(proc).await;
    let users = present.iter().filter(|record| record.is_user()).count();
    let [one, five, fifteen] = proc
        .load()
        .map(|load| format!("{}.{:02}", load / 100, load % 100));
    text += &format!(
        "{users:>2} user{},  load average: {one}, {five}, {fifteen}",
        if users > 1 { "s" } else { "" }
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_uptime_leaves_out_what_is_zero() {
        assert_eq!(pretty_text(6120), "up 1 hour, 42 minutes\n");
        assert_eq!(pretty_text(86_400 * 8), "up 1 week, 1 day\n");
        assert_eq!(pretty_text(3), "up 0 minutes\n");
    }
}
