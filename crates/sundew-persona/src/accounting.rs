//! Who was here before: `/var/log/wtmp`, `/run/utmp`, `/var/log/lastlog` in glibc's x86-64 layout.
//!
//! utmp(5); `struct lastlog` of `<lastlog.h>`. A reader for `last` and `who` belongs to the programs.

use std::net::{IpAddr, Ipv4Addr};

use sundew_kernel::facts::Facts;

use crate::facts::Origin;
use crate::guesses::Guesses;

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
    let first = origin.kernel_at(installed).release().into_bytes();
    let mut out = boot(origin, &first, installed);
    out.extend(boot(origin, &facts.kernel_release, facts.boot_time.secs));
    for login in logins(origin, facts) {
        out.extend(login.record(USER_PROCESS, login.from));
        out.extend(login.record(DEAD_PROCESS, login.until));
    }
    out
}

/// The logins that failed until `now`: what guesses passwords on a public address, since the log was last
/// rotated.
pub(crate) fn btmp(origin: &Origin, now: i64) -> Vec<u8> {
    let guesses = Guesses::of(origin);
    let mut out = Vec::new();
    for guess in guesses.between(guesses.since, now) {
        let host = guess.host.to_string();
        out.extend(failed(
            guess.pid,
            guess.user.as_bytes(),
            host.as_bytes(),
            guess.host.into(),
            guess.at,
        ));
    }
    out
}

/// The record of `btmp` for one login over SSH that failed.
pub fn failed_login(pid: u32, user: &[u8], address: IpAddr, at: i64) -> Vec<u8> {
    failed(pid, user, address.to_string().as_bytes(), address, at)
}

fn failed(pid: u32, user: &[u8], host: &[u8], address: IpAddr, at: i64) -> Vec<u8> {
    Record {
        kind: LOGIN_PROCESS,
        pid,
        line: b"ssh:notty",
        id: b"",
        user,
        host,
        at,
        address: Some(address),
    }
    .encode()
}

/// The records of a machine that went down at `down` and is up again at `up`: those for `utmp`, and what
/// `wtmp` gets besides.
pub(crate) fn rebooted(origin: &Origin, facts: &Facts, down: i64, up: i64) -> (Vec<u8>, Vec<u8>) {
    let shutdown = Record {
        kind: RUN_LVL,
        pid: 0,
        line: b"~",
        id: b"~~",
        user: b"shutdown",
        host: &facts.kernel_release,
        at: down,
        address: None,
    };
    let boot = boot(origin, &facts.kernel_release, up);
    let log = [shutdown.encode(), boot.clone()].concat();
    (boot, log)
}

/// When the machine was last booted, by this `utmp`.
pub fn booted(utmp: &[u8]) -> Option<i64> {
    utmp.chunks_exact(UTMP_BYTES)
        .filter(|record| record.get(..4) == Some(&u32::from(BOOT_TIME).to_le_bytes()))
        .filter_map(|record| record.get(UTMP_TIME..)?.first_chunk::<4>())
        .map(|time| i64::from(u32::from_le_bytes(*time)))
        .max()
}

/// Where a record has its seconds.
const UTMP_TIME: usize = 340;

/// Who is logged in when the machine is made: nobody, a getty waits.
pub(crate) fn utmp(origin: &Origin, facts: &Facts) -> Vec<u8> {
    boot(origin, &facts.kernel_release, facts.boot_time.secs)
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

/// When these files were last written to: the administrator's last login and its end.
pub(crate) fn last_written(path: &[u8], origin: &Origin, facts: &Facts) -> Option<i64> {
    let login = logins(origin, facts).pop()?;
    match path {
        b"/var/log/lastlog" => Some(login.from),
        b"/var/log/wtmp" => Some(login.until),
        _ => None,
    }
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

/// A visit of the administrator's before anybody else came.
pub(crate) struct Session {
    pub(crate) pid: u32,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) host: Ipv4Addr,
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
    visits(origin, facts.gateway)
}

/// The same, by the router's address.
pub(crate) fn visits(origin: &Origin, gateway: Ipv4Addr) -> Vec<Session> {
    let seed = &origin.seed;
    let (start, end) = (origin.boot_time().secs + 600, origin.born.secs - 7200);
    let count = i64::try_from(seed.between("visits", 2, 7)).unwrap_or(2);
    let [a, b, c, _] = gateway.octets();
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

fn boot(origin: &Origin, host: &[u8], at: i64) -> Vec<u8> {
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
