//! The columns that `ps` can show.

use std::time::Duration;

use sundew_kernel::process::Summary;
use sundew_vfs::Timestamp;

use crate::time::{Shown, Zone};
use crate::users::Directory;

/// Digits of the highest process number: 4194304.
const PID: usize = 7;

/// What all rows share.
pub(super) struct Scene {
    pub(super) users: Directory,
    pub(super) zone: Zone,
    pub(super) now: i64,
    pub(super) uptime: Duration,
    pub(super) memory_kib: u64,
    pub(super) boot: i64,
    pub(super) cpus: u32,
    /// Whether `cmd` shows arguments: BSD and full formats.
    pub(super) bsd_command: bool,
    pub(super) width: usize,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) key: &'static str,
    pub(super) header: Vec<u8>,
    pub(super) width: usize,
    pub(super) right: bool,
}

/// Names, key, header, width, whether to the right.
const COLUMNS: &[(&[&str], &str, &str, usize, bool)] = &[
    (&["pid", "tgid"], "pid", "PID", PID, true),
    (&["ppid"], "ppid", "PPID", PID, true),
    (&["pgid", "pgrp"], "pgid", "PGID", PID, true),
    (&["sid", "sess", "session"], "sid", "SID", PID, true),
    (&["tpgid"], "tpgid", "TPGID", PID, true),
    (&["lwp", "tid"], "pid", "LWP", PID, true),
    (&["spid"], "pid", "SPID", PID, true),
    (&["user", "euser", "uname"], "user", "USER", 8, false),
    (&["ruser"], "user", "RUSER", 8, false),
    (&["user_as_uid"], "user", "UID", 8, false),
    (&["uid", "euid"], "uid", "UID", 5, true),
    (&["ruid"], "uid", "RUID", 5, true),
    (&["gid", "egid"], "gid", "GID", 5, true),
    (&["group", "egroup", "gname"], "group", "GROUP", 8, false),
    (&["tty", "tname"], "tty", "TTY", 8, false),
    (&["tt"], "tty", "TT", 8, false),
    (&["stat"], "stat", "STAT", 4, false),
    (&["s", "state"], "s", "S", 1, false),
    (&["time", "cputime"], "time", "TIME", 8, true),
    (&["bsdtime"], "bsdtime", "TIME", 6, true),
    (&["cmd"], "args", "CMD", 27, false),
    (&["args", "command"], "args", "COMMAND", 27, false),
    (&["comm", "ucomm"], "comm", "COMMAND", 15, false),
    (&["ucmd"], "comm", "CMD", 15, false),
    (&["%cpu", "pcpu"], "pcpu", "%CPU", 4, true),
    (&["c"], "c", "C", 2, true),
    (&["%mem", "pmem"], "pmem", "%MEM", 4, true),
    (&["vsz", "vsize"], "vsz", "VSZ", 6, true),
    (&["rss", "rssize", "rsz"], "rss", "RSS", 5, true),
    (&["sz"], "sz", "SZ", 5, true),
    (&["size"], "vsz", "SIZE", 5, true),
    (&["start_time", "bsdstart"], "start_time", "START", 5, true),
    (&["stime"], "start_time", "STIME", 5, true),
    (&["start"], "start", "STARTED", 8, true),
    (&["lstart"], "lstart", "STARTED", 24, true),
    (&["etime"], "etime", "ELAPSED", 11, true),
    (&["etimes"], "etimes", "ELAPSED", 7, true),
    (&["times", "cputimes"], "times", "TIME", 8, true),
    (&["ni", "nice"], "ni", "NI", 3, true),
    (&["pri"], "pri", "PRI", 3, true),
    (&["opri"], "opri", "PRI", 3, true),
    (&["f", "flag", "flags"], "f", "F", 1, true),
    (&["addr"], "addr", "ADDR", 1, false),
    (&["wchan"], "wchan", "WCHAN", 6, false),
    (&["psr"], "psr", "PSR", 3, true),
    (&["nlwp", "thcount"], "nlwp", "NLWP", 4, true),
    (&["cls", "class", "policy"], "cls", "CLS", 3, false),
    (&["rtprio"], "addr", "RTPRIO", 6, true),
    (&["label", "context"], "label", "LABEL", 31, false),
];

impl Column {
    /// The column of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let row = COLUMNS.iter().find(|row| row.0.contains(&name))?;
        Some(Self {
            key: row.1,
            header: row.2.as_bytes().to_vec(),
            width: row.3,
            right: row.4,
        })
    }

    /// What stands in it.
    pub(super) fn value(&self, scene: &Scene, one: &Summary, prefix: &[u8]) -> Vec<u8> {
        let text = match self.key {
            "comm" => return [prefix, &command_name(one)].concat(),
            "args" if scene.bsd_command => return [prefix, &command_line(one)].concat(),
            "args" => return [prefix, &command_name(one)].concat(),
            "user" => return cut(scene.users.user_text(one.uid), self.width, one.uid),
            "group" => return cut(scene.users.group_text(one.gid), self.width, one.gid),
            "tty" => return one.tty.clone().unwrap_or_else(|| b"?".to_vec()),
            "stat" => return stat(one),
            "s" => return vec![one.state],
            "pid" => one.pid.to_string(),
            "ppid" => one.ppid.to_string(),
            "pgid" => one.group.to_string(),
            "sid" => one.session.to_string(),
            "tpgid" => {
                if one.tty.is_some() {
                    one.foreground.to_string()
                } else {
                    "-1".to_owned()
                }
            }
            "uid" => one.uid.to_string(),
            "gid" => one.gid.to_string(),
            "time" => clock(one.cpu.as_secs()),
            "bsdtime" => format!("{}:{:02}", one.cpu.as_secs() / 60, one.cpu.as_secs() % 60),
            "times" => one.cpu.as_secs().to_string(),
            "pcpu" => tenths(share(scene, one)),
            "c" => (share(scene, one) / 10).min(99).to_string(),
            "pmem" => tenths(one.rss_kib * 1000 / scene.memory_kib.max(1)),
            "vsz" => one.vsz_kib.to_string(),
            "rss" => one.rss_kib.to_string(),
            "sz" => (one.vsz_kib / 4).to_string(),
            "start_time" | "start" | "lstart" => started(scene, one, self.key),
            "etime" => elapsed(scene, one),
            "etimes" => scene
                .uptime
                .saturating_sub(one.started)
                .as_secs()
                .to_string(),
            "ni" => one.nice.to_string(),
            "pri" => (19 - one.nice).to_string(),
            "opri" => (80 + one.nice).to_string(),
            "f" => {
                if one.kernel_thread {
                    "1".to_owned()
                } else if one.uid == 0 {
                    "4".to_owned()
                } else {
                    "0".to_owned()
                }
            }
            "psr" => (one.pid % scene.cpus.max(1)).to_string(),
            "nlwp" => {
                if one.flags.contains(&b'l') {
                    "2".to_owned()
                } else {
                    "1".to_owned()
                }
            }
            "cls" => "TS".to_owned(),
            "label" => "unconfined".to_owned(),
            _ => "-".to_owned(),
        };
        text.into_bytes()
    }
}

/// A name that is too long is cut and marked; one without a name is its number anyway.
fn cut(mut name: Vec<u8>, width: usize, id: u32) -> Vec<u8> {
    if name.len() > width && name != id.to_string().as_bytes() {
        name.truncate(width - 1);
        name.push(b'+');
    }
    name
}

fn command_name(one: &Summary) -> Vec<u8> {
    let mut name = one.name.clone();
    if one.state == b'Z' {
        name.extend_from_slice(b" <defunct>");
    }
    name
}

/// The arguments; the name in brackets for those that have none.
pub(super) fn command_line(one: &Summary) -> Vec<u8> {
    if one.args.is_empty() {
        let mut name = [b"[", one.name.as_slice(), b"]"].concat();
        if one.state == b'Z' {
            name.extend_from_slice(b" <defunct>");
        }
        return name;
    }
    let mut line = one.args.join(&b' ');
    line.iter_mut()
        .filter(|byte| **byte < b' ' || **byte == 127)
        .for_each(|byte| *byte = b'?');
    line
}

fn stat(one: &Summary) -> Vec<u8> {
    let mut text = vec![one.state];
    text.extend(&one.flags);
    if one.session == one.pid && !one.flags.contains(&b's') {
        text.push(b's');
    }
    if one.tty.is_some() && one.foreground == one.group {
        text.push(b'+');
    }
    text
}

/// CPU time in thousandths of the time since the start.
fn share(scene: &Scene, one: &Summary) -> u64 {
    let alive = scene.uptime.saturating_sub(one.started).as_millis().max(1);
    u64::try_from(one.cpu.as_millis() * 1000 / alive).unwrap_or(0)
}

fn tenths(thousandths: u64) -> String {
    if thousandths > 999 {
        (thousandths / 10).to_string()
    } else {
        format!("{}.{}", thousandths / 10, thousandths % 10)
    }
}

/// `[DAYS-]HH:MM:SS`.
fn clock(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days > 0 {
        format!("{days}-{time}")
    } else {
        time
    }
}

/// `[[DAYS-]HH:]MM:SS`.
fn elapsed(scene: &Scene, one: &Summary) -> String {
    let seconds = scene.uptime.saturating_sub(one.started).as_secs();
    if seconds < 3600 {
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    } else {
        clock(seconds)
    }
}

fn started(scene: &Scene, one: &Summary, key: &str) -> String {
    let secs = scene.boot + i64::try_from(one.started.as_secs()).unwrap_or(0);
    let at = |secs, format: &[u8]| {
        let shown = Shown::new(Timestamp { secs, nanos: 0 }, &scene.zone).format(format);
        String::from_utf8_lossy(&shown).into_owned()
    };
    let format: &[u8] = match key {
        "lstart" => b"%a %b %e %H:%M:%S %Y",
        "start" if scene.now - secs < 86_400 => b"%H:%M:%S",
        "start" => b"  %b %d",
        _ if at(secs, b"%Y") != at(scene.now, b"%Y") => b"%Y",
        _ if at(secs, b"%j") != at(scene.now, b"%j") => b"%b%d",
        _ => b"%H:%M",
    };
    at(secs, format)
}
