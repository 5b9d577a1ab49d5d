//! Accounts and their records: who a visitor is on the machine, and what `w`, `last` and the next
//! login's greeting say of the visit.

use std::net::IpAddr;

use sundew_kernel::Pid;
use sundew_kernel::machine::admin::Owned;
use sundew_kernel::machine::{Machine, SharedVfs};
use sundew_persona::accounting::{self, LASTLOG_BYTES, Login};
use sundew_persona::users::{self, User};
use sundew_persona::{Model, Persona};
use sundew_vfs::{Context, Credentials, Errno, NoSynthetic, Timestamp};

use crate::lock;

/// The user of this name, from the machine's own files.
///
/// One whom the policy lets in although the machine does not know them gets an account, as
/// useradd(8) makes it: whoever asks `id` or `ls -ld ~` finds what any user finds.
pub(super) fn user(machine: &Machine, persona: &Persona, name: &[u8]) -> User {
    let passwd = machine
        .read_file(PASSWD, MAX_PASSWD_BYTES)
        .unwrap_or_default();
    let known = users::passwd(&passwd);
    if let Some(user) = known.iter().find(|user| user.name == name) {
        return user.clone();
    }
    let taken = |id: u32| known.iter().any(|user| user.uid == id);
    let uid = (FIRST_USER..LAST_USER)
        .find(|id| !taken(*id))
        .unwrap_or(LAST_USER);
    let shell: &[u8] = match persona.model {
        Model::Debian12 => b"/bin/bash",
        Model::Camera => b"/bin/sh",
    };
    let user = User {
        name: name.to_vec(),
        uid,
        gid: uid,
        gecos: Vec::new(),
        home: [b"/home/", name].concat(),
        shell: shell.to_vec(),
    };
    if is_account_name(name)
        && let Err(errno) = add(machine, persona, &user)
    {
        tracing::debug!(?errno, "an account could not be made");
    }
    user
}

/// Whether passwd(5) can hold it and `/home` too. Others log in as well, as users without a name.
fn is_account_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    name.len() <= MAX_NAME_BYTES
        && name.iter().all(plain)
        && name
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn add(machine: &Machine, persona: &Persona, user: &User) -> Result<(), Errno> {
    let name = String::from_utf8_lossy(&user.name).into_owned();
    let (uid, gid) = (user.uid, user.gid);
    let shell = String::from_utf8_lossy(&user.shell).into_owned();
    let line = format!("{name}:x:{uid}:{gid}::/home/{name}:{shell}\n");
    machine.write_file(PASSWD, None, line.as_bytes())?;
    machine.write_file(b"/etc/group", None, format!("{name}:x:{gid}:\n").as_bytes())?;
    let hash = persona.password_hash(&user.name);
    let day = persona.facts.boot_time.secs.div_euclid(86_400) - 3;
    let line = format!("{name}:{hash}:{day}:0:99999:7:::\n");
    machine.write_file(b"/etc/shadow", None, line.as_bytes())?;
    let own = |mode| Owned { mode, uid, gid };
    machine.make_directory(&user.home, own(0o755))?;
    for file in machine.list_directory(SKELETON).unwrap_or_default() {
        let from = [SKELETON, b"/", &file].concat();
        let to = [user.home.as_slice(), b"/", &file].concat();
        let content = machine
            .read_file(&from, MAX_SKELETON_BYTES)
            .unwrap_or_default();
        machine.make_file(&to, &content, own(0o644))?;
    }
    Ok(())
}

/// A login that stands in the accounting files.
#[derive(Debug)]
pub(super) struct Visit {
    login: Login,
    /// Where its record begins in utmp.
    at: u64,
}

impl Visit {
    /// Records a login on a terminal; `None` on a machine that keeps no such records.
    pub(super) fn begin(
        machine: &Machine,
        persona: &Persona,
        user: &User,
        address: IpAddr,
        (pid, tty): (Pid, &[u8]),
        now: Timestamp,
    ) -> Option<Self> {
        if persona.model != Model::Debian12 {
            return None;
        }
        let login = Login {
            pid,
            line: tty.strip_prefix(b"/dev/").unwrap_or(tty).to_vec(),
            user: user.name.clone(),
            address,
        };
        let utmp = machine.read_file(UTMP, MAX_UTMP_BYTES).unwrap_or_default();
        let visit = Self {
            at: u64::try_from(login.place(&utmp)).unwrap_or(0),
            login,
        };
        visit.note(machine, &visit.login.begun(now.secs));
        let place = u64::from(user.uid) * LASTLOG_BYTES as u64;
        let last = visit.login.last(now.secs);
        told(machine.write_file(b"/var/log/lastlog", Some(place), &last));
        Some(visit)
    }

    /// Records its end.
    pub(super) fn end(&self, machine: &Machine, now: Timestamp) {
        self.note(machine, &self.login.ended(now.secs));
    }

    fn note(&self, machine: &Machine, record: &[u8]) {
        told(machine.write_file(UTMP, Some(self.at), record));
        told(machine.write_file(b"/var/log/wtmp", None, record));
    }
}

/// When a kept machine was last booted, by its own `utmp`.
pub(super) fn booted(kept: &SharedVfs) -> Option<i64> {
    let fs = lock(kept);
    let root = Credentials::root();
    let cx = Context {
        creds: &root,
        synthetic: &NoSynthetic,
        cwd: fs.root(),
        now: Timestamp::default(),
    };
    let ino = fs.resolve(&cx, UTMP, true).ok()?;
    let mut utmp = vec![0; MAX_UTMP_BYTES];
    let count = fs.read_at(ino, 0, &mut utmp).ok()?;
    accounting::booted(utmp.get(..count)?)
}

/// What the files of a machine say when it is up again: nobody is logged in, and when it was booted.
pub(super) fn reboot(machine: &Machine, persona: &Persona, now: Timestamp) {
    // Debian's systemd-tmpfiles empties `/tmp` at boot; the camera's is in memory.
    machine.power_cycle(&[b"/tmp"]);
    let (utmp, wtmp) = persona.rebooted(now.secs, now.secs + BOOT_SECS);
    told(machine.replace_file(UTMP, &utmp));
    told(machine.write_file(b"/var/log/wtmp", None, &wtmp));
}

/// How long a virtual server takes from its end to its new beginning.
const BOOT_SECS: i64 = 21;

/// Whoever removed the records or filled the disk is not recorded, as with the real sshd.
fn told(result: Result<(), Errno>) {
    if let Err(errno) = result {
        tracing::trace!(?errno, "a login was not recorded");
    }
}

const PASSWD: &[u8] = b"/etc/passwd";
const SKELETON: &[u8] = b"/etc/skel";
const UTMP: &[u8] = b"/run/utmp";
/// The first number that adduser(8) gives, and the last.
const FIRST_USER: u32 = 1000;
const LAST_USER: u32 = 59_999;
/// Longest name useradd(8) takes.
const MAX_NAME_BYTES: usize = 32;
/// Bytes read of `/etc/passwd`: an attacker may have written to it.
const MAX_PASSWD_BYTES: usize = 256 * 1024;
/// Bytes copied of each file in `/etc/skel`.
const MAX_SKELETON_BYTES: usize = 64 * 1024;
/// Bytes read of utmp: some hundred logins.
const MAX_UTMP_BYTES: usize = 64 * 1024;
