//! Who was here before: `/var/log/wtmp`, `/run/utmp`, `/var/log/lastlog` in glibc's x86-64 layout.
//!
//! utmp(5); `struct lastlog` of `<lastlog.h>`. A reader for `last` and `who` belongs to the programs.

use std::net::{IpAddr, Ipv4Addr};

use sundew_kernel::facts::Facts;

use crate::facts::Origin;

/// Bytes of one record of `wtmp` and `utmp`.
pub const UTMP_BYTES: usize = 384;
/// Bytes of one record of `lastlog`.
pub const LASTLOG_BYTES: usize = 292;

const RUN_LVL: u16 = 1;
const BOOT_TIME: u16 = 2;
const LOGIN_PROCESS: u16 = 6;
const USER_PROCESS: u16 = 7;
const DEAD_PROCESS: u16 = 8;

/// Number of the getty on the console, shared with the process list.
pub(crate) fn getty_pid(origin: &Origin) -> u32 {
    u32::try_from(origin.seed.between("getty", 520, 610)).unwrap_or(560)
}

/// The boots and logins of the machine's life.
pub(crate) fn wtmp(origin: &Origin, facts: &Facts) -> Vec<u8> {
    let installed = origin.installed() + 900;
    let mut out = boot(origin, facts, installed);
    out.extend(boot(origin, facts, facts.boot_time.secs));
    for login in logins(origin, facts) {
        out.extend(login.record(USER_PROCESS, login.from));
        out.extend(login.record(DEAD_PROCESS, login.until));
    }
    out
}

/// The logins that failed: what guesses passwords on a public address, since the log was last rotated.
pub(crate) fn btmp(origin: &Origin) -> Vec<u8> {
    let seed = &origin.seed;
    let count = i64::try_from(seed.between("failed logins", 120, 600)).unwrap_or(120);
    let days = i64::try_from(seed.between("days of failed logins", 4, 20)).unwrap_or(4);
    let (start, end) = (origin.born.secs - days * 86_400, origin.born.secs - 60);
    let start = start.max(origin.installed() + 3600).min(end - count);
    let step = ((end - start) / count).max(1);
    let mut out = Vec::new();
    for number in 0..count {
        // One address tries a handful of names, then the next one comes.
        let guesser = format!("guesser {}", number / 7);
        let octet = |part: u8| {
            let label = format!("{guesser} octet {part}");
            u8::try_from(seed.between(&label, 1, 254)).unwrap_or(1)
        };
        let first = seed.bytes(&guesser, 1).first().copied().unwrap_or(0);
        let first = GUESSERS.get(usize::from(first) % GUESSERS.len());
        let host = Ipv4Addr::new(first.copied().unwrap_or(45), octet(2), octet(3), octet(4));
        let shown = host.to_string();
        let draw = seed.bytes(&format!("guess {number}"), 4);
        let value = draw
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let user = usize::try_from(value).unwrap_or(0) % (2 * GUESSED.len());
        let offset = i64::from(value >> 8) % step;
        let record = Record {
            kind: LOGIN_PROCESS,
            pid: 1200 + value % 300_000,
            line: b"ssh:notty",
            id: b"",
            user: GUESSED.get(user).map_or(b"root", |name| name.as_bytes()),
            host: shown.as_bytes(),
            at: start + number * step + offset,
            address: Some(host.into()),
        };
        out.extend(record.encode());
    }
    out
}

/// First octets of networks where guessers rent their machines.
const GUESSERS: &[u8] = &[
    43, 45, 61, 79, 80, 92, 101, 103, 116, 121, 134, 139, 146, 157, 159, 165, 178, 180, 185, 193,
    194, 202, 206, 218,
];
/// What they try besides root, which is half of it.
const GUESSED: &[&str] = &[
    "admin",
    "ubuntu",
    "user",
    "test",
    "oracle",
    "postgres",
    "git",
    "ftpuser",
    "guest",
    "support",
    "pi",
    "deploy",
    "ubnt",
    "hadoop",
    "nagios",
    "mysql",
    "www",
    "dev",
    "minecraft",
    "steam",
    "debian",
    "centos",
    "ec2-user",
    "jenkins",
    "es",
    "zabbix",
];

/// Who is logged in when the machine is made: nobody, a getty waits.
pub(crate) fn utmp(origin: &Origin, facts: &Facts) -> Vec<u8> {
    boot(origin, facts, facts.boot_time.secs)
}

/// When root was last here.
pub(crate) fn lastlog(origin: &Origin, facts: &Facts) -> Vec<u8> {
    let Some(login) = logins(origin, facts).pop() else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(LASTLOG_BYTES);
    out.extend(seconds(login.from));
    field(&mut out, b"pts/0", 32);
    field(&mut out, login.host.to_string().as_bytes(), 256);
    out
}

/// A login on a terminal, as sshd records it.
#[derive(Debug, Clone)]
pub struct Login {
    /// The process of the daemon that serves it.
    pub pid: u32,
    /// `pts/0`.
    pub line: Vec<u8>,
    /// Who.
    pub user: Vec<u8>,
    /// From where.
    pub address: IpAddr,
}

impl Login {
    /// The record for `utmp` and `wtmp` when it begins at `at`, in seconds since 1970.
    pub fn begun(&self, at: i64) -> Vec<u8> {
        let host = self.address.to_string();
        self.record(USER_PROCESS, &self.user, host.as_bytes(), at)
    }

    /// The record when it ends.
    pub fn ended(&self, at: i64) -> Vec<u8> {
        self.record(DEAD_PROCESS, b"", b"", at)
    }

    /// The record for `lastlog`, which stands at [`LASTLOG_BYTES`] times the user's number.
    pub fn last(&self, at: i64) -> Vec<u8> {
        let mut out = Vec::with_capacity(LASTLOG_BYTES);
        out.extend(seconds(at));
        field(&mut out, &self.line, 32);
        field(&mut out, self.address.to_string().as_bytes(), 256);
        out
    }

    /// Where its record belongs in this `utmp`: over an earlier one of its terminal, or at the end.
    pub fn place(&self, utmp: &[u8]) -> usize {
        let own = |record: &[u8]| {
            let line = record.get(8..40).unwrap_or_default();
            line.split(|&byte| byte == 0).next() == Some(&self.line)
        };
        let records = utmp.chunks_exact(UTMP_BYTES);
        let count = records.len();
        utmp.chunks_exact(UTMP_BYTES)
            .position(own)
            .unwrap_or(count)
            .saturating_mul(UTMP_BYTES)
    }

    fn record(&self, kind: u16, user: &[u8], host: &[u8], at: i64) -> Vec<u8> {
        // The last four bytes of the line, as init's entries are told apart.
        let id = self.line.len().saturating_sub(4);
        Record {
            kind,
            pid: self.pid,
            line: &self.line,
            id: self.line.get(id..).unwrap_or_default(),
            user,
            host,
            at,
            address: (kind == USER_PROCESS).then_some(self.address),
        }
        .encode()
    }
}

struct Session {
    pid: u32,
    from: i64,
    until: i64,
    host: Ipv4Addr,
}

impl Session {
    fn record(&self, kind: u16, at: i64) -> Vec<u8> {
        let (user, host) = match kind {
            DEAD_PROCESS => (b"".as_slice(), String::new()),
            _ => (b"root".as_slice(), self.host.to_string()),
        };
        let id: &[u8] = if kind == DEAD_PROCESS { b"" } else { b"ts/0" };
        Record {
            kind,
            pid: self.pid,
            line: b"pts/0",
            id,
            user,
            host: host.as_bytes(),
            at,
            address: Some(self.host.into()),
        }
        .encode()
    }
}

/// A few short visits of an administrator from the next machine, none of them still there.
fn logins(origin: &Origin, facts: &Facts) -> Vec<Session> {
    let seed = &origin.seed;
    let (start, end) = (facts.boot_time.secs + 600, origin.born.secs - 7200);
    let count = i64::try_from(seed.between("visits", 2, 7)).unwrap_or(2);
    let [a, b, c, _] = facts.gateway.octets();
    let host = Ipv4Addr::new(
        a,
        b,
        c,
        u8::try_from(seed.between("administrator", 2, 4)).unwrap_or(2),
    );
    let span = ((end - start) / count).max(1);
    (0..count)
        .map(|number| {
            let number_text = format!("visit {number}");
            let offset = i64::try_from(seed.number(&number_text))
                .unwrap_or(0)
                .rem_euclid(span);
            let from = start + number * span + offset;
            let long = i64::try_from(seed.between(&format!("{number_text} length"), 40, 5400))
                .unwrap_or(600);
            let pid = 1200 + u32::try_from(seed.between(&number_text, 0, 300_000)).unwrap_or(0);
            Session {
                pid,
                from,
                until: from + long,
                host,
            }
        })
        .collect()
}

fn boot(origin: &Origin, facts: &Facts, at: i64) -> Vec<u8> {
    let host = facts.kernel_release.as_slice();
    let record = |kind, pid, line, id, user, at| Record {
        kind,
        pid,
        line,
        id,
        user,
        host,
        at,
        address: None,
    };
    let mut out = record(BOOT_TIME, 0, b"~", b"~~", b"reboot", at).encode();
    let getty = Record {
        host: b"",
        ..record(
            LOGIN_PROCESS,
            getty_pid(origin),
            b"tty1",
            b"tty1",
            b"LOGIN",
            at + 9,
        )
    };
    out.extend(getty.encode());
    // The previous level in the high byte, this one in the low: none and '5'.
    out.extend(record(RUN_LVL, u32::from(b'5'), b"~", b"~~", b"runlevel", at + 11).encode());
    out
}

struct Record<'a> {
    kind: u16,
    pid: u32,
    line: &'a [u8],
    id: &'a [u8],
    user: &'a [u8],
    host: &'a [u8],
    at: i64,
    address: Option<IpAddr>,
}

impl Record<'_> {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(UTMP_BYTES);
        out.extend(u32::from(self.kind).to_le_bytes());
        out.extend(self.pid.to_le_bytes());
        field(&mut out, self.line, 32);
        field(&mut out, self.id, 4);
        field(&mut out, self.user, 32);
        field(&mut out, self.host, 256);
        // Exit status and session.
        out.extend([0; 8]);
        out.extend(seconds(self.at));
        out.extend(
            u32::try_from(self.at.unsigned_abs() * 7919 % 1_000_000)
                .unwrap_or(0)
                .to_le_bytes(),
        );
        match self.address {
            Some(IpAddr::V4(address)) => out.extend(address.octets()),
            Some(IpAddr::V6(address)) => out.extend(address.octets()),
            None => {}
        }
        out.resize(UTMP_BYTES, 0);
        out
    }
}

fn seconds(at: i64) -> [u8; 4] {
    u32::try_from(at).unwrap_or(0).to_le_bytes()
}

fn field(out: &mut Vec<u8>, text: &[u8], width: usize) {
    let end = out.len() + width;
    out.extend(text.iter().take(width));
    out.resize(end, 0);
}
