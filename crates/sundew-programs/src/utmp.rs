//! Records of logins in glibc's x86-64 layout: utmp(5), and `lastlog`.

use sundew_kernel::Process;

use crate::text::input;

/// Bytes of one record of `wtmp`, `btmp` and `utmp`.
const RECORD_BYTES: usize = 384;
/// Bytes of one record of `lastlog`, indexed by user number.
const LASTLOG_BYTES: usize = 292;
/// Where the records of now are.
const PRESENT: &[u8] = b"/var/run/utmp";

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The machine came up.
    Boot,
    /// The machine went down.
    Shutdown,
    /// Another run level; the record's process number tells which, and which before.
    Level,
    /// A getty waits, or a login failed.
    Login,
    /// Somebody logged in.
    User,
    /// A session ended.
    Dead,
    /// Anything else.
    Other,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// What it tells.
    pub(crate) kind: Kind,
    /// Of which process.
    pub(crate) pid: u32,
    /// On which line: `pts/0`.
    pub(crate) line: Vec<u8>,
    /// What `init` calls the line: `ts/0`.
    pub(crate) id: Vec<u8>,
    /// Whose.
    pub(crate) user: Vec<u8>,
    /// From where.
    pub(crate) host: Vec<u8>,
    /// How the process ended: signal and status.
    pub(crate) exit: (u16, u16),
    /// Seconds since 1970.
    pub(crate) at: i64,
}

impl Record {
    /// Whether it tells of somebody who is here.
    pub(crate) fn is_user(&self) -> bool {
        self.kind == Kind::User && !self.user.is_empty()
    }
}

/// The records of `/run/utmp`, without those of users whose process is gone; none without the file.
pub(crate) async fn present(proc: &Process) -> Vec<Record> {
    let Ok((bytes, _memory)) = input::read_all(proc, PRESENT).await else {
        return Vec::new();
    };
    let mut found = records(&bytes);
    found.retain(|record| record.kind != Kind::User || proc.kill(record.pid, None).is_ok());
    found
}

/// All whole records.
pub(crate) fn records(bytes: &[u8]) -> Vec<Record> {
    bytes
        .chunks_exact(RECORD_BYTES)
        .filter_map(record)
        .collect()
}

fn record(bytes: &[u8]) -> Option<Record> {
    let user = text(bytes.get(44..76)?);
    let line = text(bytes.get(8..40)?);
    let half = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let kind = match u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]) {
        1 if user == b"shutdown" => Kind::Shutdown,
        1 => Kind::Level,
        2 => Kind::Boot,
        6 => Kind::Login,
        7 => Kind::User,
        8 => Kind::Dead,
        _ => Kind::Other,
    };
    Some(Record {
        kind,
        pid: u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?),
        line,
        id: text(bytes.get(40..44)?),
        user,
        host: text(bytes.get(76..332)?),
        exit: (half(332)?, half(334)?),
        at: i64::from(u32::from_le_bytes(bytes.get(340..344)?.try_into().ok()?)),
    })
}

fn text(field: &[u8]) -> Vec<u8> {
    field
        .iter()
        .copied()
        .take_while(|&byte| byte != 0)
        .collect()
}

/// When, on which line and from where a user was here last; `None` for never.
pub(crate) fn last_login(bytes: &[u8], uid: u32) -> Option<(i64, Vec<u8>, Vec<u8>)> {
    let start = usize::try_from(uid).ok()?.checked_mul(LASTLOG_BYTES)?;
    let record = bytes.get(start..start.checked_add(LASTLOG_BYTES)?)?;
    let at = u32::from_le_bytes(record.get(..4)?.try_into().ok()?);
    (at != 0).then(|| {
        (
            i64::from(at),
            text(record.get(4..36).unwrap_or_default()),
            text(record.get(36..).unwrap_or_default()),
        )
    })
}
