//! The columns of who(1): which records are wanted and how one is shown.

use sundew_kernel::Process;
use sundew_vfs::Timestamp;

use crate::time::{Shown, Zone};
use crate::utmp::{Kind, Record};

/// What the options ask for.
pub(super) struct Columns {
    kinds: Vec<Kind>,
    message: bool,
    idle: bool,
    exit: bool,
    short: bool,
}

/// The text of one line, column by column.
#[derive(Default)]
struct Row<'a> {
    user: &'a [u8],
    message: &'a str,
    line: &'a [u8],
    time: Vec<u8>,
    idle: String,
    pid: String,
    comment: Vec<u8>,
    exit: String,
}

impl Columns {
    /// The letters of the options that were given.
    pub(super) fn of(seen: &str) -> Self {
        let all = seen.contains('a');
        let has = |letter: char| all || seen.contains(letter);
        let wanted = [
            ('b', Kind::Boot),
            ('d', Kind::Dead),
            ('l', Kind::Login),
            ('r', Kind::Level),
            ('u', Kind::User),
        ];
        let mut kinds: Vec<Kind> = wanted
            .into_iter()
            .filter(|(letter, _)| has(*letter))
            .map(|(_, kind)| kind)
            .collect();
        let nothing = kinds.is_empty() && !seen.contains(['p', 't']);
        if nothing {
            kinds.push(Kind::User);
        }
        let exit = has('d');
        Self {
            kinds,
            message: has('T') || seen.contains('w'),
            idle: has('d') || has('l') || has('r') || has('u'),
            exit,
            short: (nothing || seen.contains('s')) && !exit,
        }
    }

    /// What `-H` begins with.
    pub(super) fn heading(&self) -> Vec<u8> {
        self.show(&Row {
            user: b"NAME",
            message: " ",
            line: b"LINE",
            time: b"TIME".to_vec(),
            idle: "IDLE".to_owned(),
            pid: "PID".to_owned(),
            comment: b"COMMENT".to_vec(),
            exit: "EXIT".to_owned(),
        })
    }

    /// A record's line; nothing for one that is not wanted.
    pub(super) fn row(&self, proc: &Process, record: &Record, zone: &Zone) -> Vec<u8> {
        if !self.kinds.contains(&record.kind) {
            return Vec::new();
        }
        let at = Timestamp {
            secs: record.at,
            nanos: 0,
        };
        let row = Row {
            message: " ",
            line: &record.line,
            time: Shown::new(at, zone).format(b"%Y-%m-%d %H:%M"),
            ..Row::default()
        };
        let pid = record.pid.to_string();
        let id = [b"id=", record.id.as_slice()].concat();
        let level;
        let row = match record.kind {
            Kind::User if record.user.is_empty() => return Vec::new(),
            Kind::User => {
                let host = record.host.as_slice();
                let comment = if host.is_empty() {
                    Vec::new()
                } else {
                    [b"(", host, b")"].concat()
                };
                let (message, idle) = terminal(proc, &record.line);
                Row {
                    user: &record.user,
                    message,
                    idle,
                    pid,
                    comment,
                    ..row
                }
            }
            Kind::Boot => Row {
                line: b"system boot",
                ..row
            },
            Kind::Level => {
                let [now, before, ..] = record.pid.to_le_bytes();
                level = format!("run-level {}", char::from(now));
                let comment = if before == 0 {
                    Vec::new()
                } else {
                    let before = if before == b'N' { b'S' } else { before };
                    format!("last={}", char::from(before)).into_bytes()
                };
                Row {
                    line: level.as_bytes(),
                    comment,
                    ..row
                }
            }
            Kind::Login => Row {
                user: b"LOGIN",
                pid,
                comment: id,
                ..row
            },
            Kind::Dead => Row {
                pid,
                comment: id,
                exit: format!("term={} exit={}", record.exit.0, record.exit.1),
                ..row
            },
            Kind::Shutdown | Kind::Other => return Vec::new(),
        };
        self.show(&row)
    }

    fn show(&self, row: &Row<'_>) -> Vec<u8> {
        let padded = |text: &[u8], width: usize| {
            let mut text = text.to_vec();
            text.resize(text.len().max(width), b' ');
            text
        };
        let mut out = padded(row.user, 8);
        if self.message {
            out.extend([b" ", row.message.as_bytes()].concat());
        }
        out.push(b' ');
        out.extend(padded(row.line, 12));
        out.push(b' ');
        out.extend(padded(&row.time, 16));
        if self.idle && !self.short {
            out.extend(format!(" {:<6}", row.idle).into_bytes());
        }
        if !self.short {
            out.extend(format!(" {:>10}", row.pid).into_bytes());
        }
        out.push(b' ');
        out.extend(padded(&row.comment, 8));
        if self.exit {
            out.extend(format!(" {:<12}", row.exit).into_bytes());
        }
        let length = out
            .iter()
            .rposition(|&byte| byte != b' ')
            .map_or(0, |last| last + 1);
        out.truncate(length);
        out.push(b'\n');
        out
    }
}

/// Whether others may write to a terminal, and how long nobody typed on it.
fn terminal(proc: &Process, line: &[u8]) -> (&'static str, String) {
    const GROUP_MAY_WRITE: u32 = 0o020;
    match proc.stat(&[b"/dev/", line].concat()) {
        Ok(metadata) if u32::from(metadata.mode) & GROUP_MAY_WRITE != 0 => {
            ("+", "  .  ".to_owned())
        }
        Ok(_) => ("-", "  .  ".to_owned()),
        Err(_) => ("?", "  ?  ".to_owned()),
    }
}
