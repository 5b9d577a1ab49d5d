//! The journal: what daemons and the kernel say, as `journalctl` shows it.
//!
//! What a visitor causes is appended to the journal's file in systemd's export format (blocks of
//! `FIELD=value` lines), so removing or cutting the file has the effect it has on a real machine. What the
//! machine said before and says beside him comes from a [`History`], made when it is asked for: it takes
//! neither memory nor time of a machine whose journal nobody reads.

use std::sync::Arc;

use sundew_vfs::{Context, Credentials};

use crate::machine::{Kernel, Machine};
use crate::procfs::View;
use crate::{Pid, lock};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// When, in microseconds since 1970.
    pub micros: u64,
    /// syslog(3)'s level, 0 to 7.
    pub priority: u8,
    /// syslog(3)'s facility number; 0 is the kernel's.
    pub facility: u8,
    /// `sshd`.
    pub identifier: Vec<u8>,
    /// The process that said it; 0 for none.
    pub pid: Pid,
    /// Its user.
    pub uid: u32,
    /// `ssh.service`; may be empty.
    pub unit: Vec<u8>,
    /// What it said.
    pub message: Vec<u8>,
}

/// syslog(3)'s facilities as far as they occur.
pub mod facility {
    /// The kernel.
    pub const KERN: u8 = 0;
    /// Programs of users.
    pub const USER: u8 = 1;
    /// Daemons.
    pub const DAEMON: u8 = 3;
    /// Logins.
    pub const AUTH: u8 = 4;
    /// cron.
    pub const CRON: u8 = 9;
    /// Logins, private.
    pub const AUTHPRIV: u8 = 10;
}

/// Most bytes kept of one message.
const MAX_MESSAGE_BYTES: usize = 2048;
/// Most bytes of own records that are read: the newest count.
const MAX_READ_BYTES: u64 = 4 << 20;

impl Entry {
    /// As it is written: a block of lines and a blank one.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let number = |name: &str, value: u64| format!("{name}={value}\n").into_bytes();
        let text = |name: &str, value: &[u8]| {
            let mut line = format!("{name}=").into_bytes();
            line.extend(
                value
                    .iter()
                    .take(MAX_MESSAGE_BYTES)
                    .map(|byte| if *byte == b'\n' { b' ' } else { *byte }),
            );
            line.push(b'\n');
            line
        };
        let mut out = number("__REALTIME_TIMESTAMP", self.micros);
        out.extend(number("PRIORITY", self.priority.into()));
        out.extend(number("SYSLOG_FACILITY", self.facility.into()));
        out.extend(text("SYSLOG_IDENTIFIER", &self.identifier));
        if self.pid != 0 {
            out.extend(number("_PID", self.pid.into()));
        }
        out.extend(number("_UID", self.uid.into()));
        if !self.unit.is_empty() {
            out.extend(text("_SYSTEMD_UNIT", &self.unit));
        }
        out.extend(text("MESSAGE", &self.message));
        out.push(b'\n');
        out
    }

    /// All records in these bytes; what is none is skipped.
    #[must_use]
    pub fn parse_all(bytes: &[u8]) -> Vec<Self> {
        let mut all = Vec::new();
        let mut open: Option<Self> = None;
        for line in bytes.split(|&byte| byte == b'\n') {
            if line.is_empty() {
                all.extend(open.take().filter(|entry| !entry.message.is_empty()));
                continue;
            }
            let Some(at) = line.iter().position(|&byte| byte == b'=') else {
                continue;
            };
            let (name, value) = line.split_at(at);
            let value = value.get(1..).unwrap_or_default();
            let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
            let small = || u8::try_from(number()?).ok();
            let middle = || u32::try_from(number()?).ok();
            if name == b"__REALTIME_TIMESTAMP" {
                open = number().map(|micros| Self {
                    micros,
                    ..Self::default()
                });
                continue;
            }
            let Some(entry) = &mut open else { continue };
            match name {
                b"PRIORITY" => entry.priority = small().unwrap_or(6).min(7),
                b"SYSLOG_FACILITY" => entry.facility = small().unwrap_or(1),
                b"SYSLOG_IDENTIFIER" => entry.identifier = value.to_vec(),
                b"_PID" => entry.pid = middle().unwrap_or(0),
                b"_UID" => entry.uid = middle().unwrap_or(0),
                b"_SYSTEMD_UNIT" => entry.unit = value.to_vec(),
                b"MESSAGE" => entry.message = value.to_vec(),
                _ => {}
            }
        }
        all
    }
}

/// What a machine says whether somebody visits it or not: boot, timers, guessers of passwords.
pub trait History: std::fmt::Debug + Send + Sync {
    /// The lines from `from` until before `to`, seconds since 1970, in order. The same for the same
    /// machine, whenever it is asked.
    fn entries(&self, from: i64, to: i64) -> Vec<Entry>;
}

/// A machine's journal.
#[derive(Debug, Clone)]
pub struct Journal {
    /// Its file.
    pub path: Vec<u8>,
    /// What is in it besides what was appended.
    pub history: Arc<dyn History>,
    /// The first moment it tells of, in seconds since 1970.
    pub since: i64,
}

impl Kernel {
    /// Appends a line. Where the file is gone or the disk full nothing is kept, as on a real machine.
    pub(crate) fn log(&self, entry: &Entry) {
        let Some(journal) = &self.facts.journal else {
            return;
        };
        let record = entry.encode();
        let root = Credentials::root();
        let view = View::new(self, 1);
        let mut fs = lock(&self.fs);
        let cx = Context {
            creds: &root,
            synthetic: &view,
            cwd: fs.root(),
            now: self.clock.wall(),
        };
        if let Ok(ino) = fs.resolve(&cx, &journal.path, true)
            && let Ok(end) = fs.size(ino)
        {
            let _full = fs.write_at(ino, end, &record, cx.now);
        }
    }

    /// The time as the journal counts it.
    pub(crate) fn micros(&self) -> u64 {
        let now = self.clock.wall();
        let secs = u64::try_from(now.secs).unwrap_or(0);
        secs * 1_000_000 + u64::from(now.nanos / 1000)
    }

    /// Everything the journal's file tells; `None` when it is gone.
    pub(crate) fn journal(&self) -> Option<Vec<Entry>> {
        let journal = self.facts.journal.as_ref()?;
        let (own, since) = {
            let root = Credentials::root();
            let view = View::new(self, 1);
            let fs = lock(&self.fs);
            let cx = Context {
                creds: &root,
                synthetic: &view,
                cwd: fs.root(),
                now: self.clock.wall(),
            };
            let ino = fs.resolve(&cx, &journal.path, true).ok()?;
            let meta = fs.metadata(&cx, ino).ok()?;
            // In front of the records lies what the image has; cut or replaced, that is lost.
            let base = fs.image_size(ino).filter(|base| *base <= meta.size);
            let from = base
                .unwrap_or(0)
                .max(meta.size.saturating_sub(MAX_READ_BYTES));
            let len = usize::try_from(meta.size - from).unwrap_or(0);
            let mut bytes = vec![0; len];
            let count = fs.read_at(ino, from, &mut bytes).ok()?;
            bytes.truncate(count);
            let own = Entry::parse_all(&bytes);
            let since = match (base, own.first()) {
                (Some(_), _) => journal.since,
                (None, Some(first)) => i64::try_from(first.micros / 1_000_000).unwrap_or(0),
                (None, None) => meta.mtime.secs,
            };
            (own, since)
        };
        let now = self.clock.wall().secs;
        let mut all = journal.history.entries(since, now.saturating_add(1));
        all.retain(|entry| entry.micros <= self.micros());
        all.extend(own);
        all.sort_by_key(|entry| entry.micros);
        Some(all)
    }
}

impl Machine {
    /// Says something to the journal in the name of a daemon, now.
    pub fn log(&self, mut entry: Entry) {
        if entry.micros == 0 {
            entry.micros = self.kernel.micros();
        }
        self.kernel.log(&entry);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            micros: u64, priority in 0_u8..8, facility: u8, pid: u32, uid: u32,
            identifier in "[a-zA-Z-]{1,20}", unit in "[a-z.]{0,12}", message in "[ -~]{1,200}",
        ) {
            let entry = Entry {
                micros, priority, facility, pid, uid,
                identifier: identifier.into(), unit: unit.into(), message: message.into(),
            };
            let twice = [entry.encode(), entry.encode()].concat();
            prop_assert_eq!(Entry::parse_all(&twice), [entry.clone(), entry]);
        }

        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let _entries = Entry::parse_all(&bytes);
        }
    }

    #[test]
    fn a_message_cannot_forge_another_record() {
        let entry = Entry {
            micros: 5,
            message: b"x\n\n__REALTIME_TIMESTAMP=9\nMESSAGE=forged\n".to_vec(),
            ..Entry::default()
        };
        let read = Entry::parse_all(&entry.encode());
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].micros, 5);
    }
}
