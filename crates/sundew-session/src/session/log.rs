//! What sshd and systemd-logind leave behind of one connection: lines of the journal, records of `btmp`, a
//! session below `/run/systemd`. Once for a connection, however many channels it opens.

use std::net::IpAddr;

use sundew_events::Connection;
use sundew_kernel::Pid;
use sundew_kernel::journal::{Entry, facility};
use sundew_kernel::machine::Machine;
use sundew_kernel::machine::admin::Owned;
use sundew_persona::accounting::failed_login;
use sundew_persona::users::User;
use sundew_persona::{Model, Persona};
use sundew_vfs::Timestamp;

/// Passwords of one connection that were wrong; sshd closes it after six.
const MAX_FAILURES: usize = 6;

/// A password that was wrong.
#[derive(Debug)]
pub(super) struct Failure {
    user: Vec<u8>,
    at: Timestamp,
}

/// What happened before there was a machine to tell it.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<Failure>);

impl Failures {
    pub(super) fn add(&mut self, user: &[u8], at: Timestamp) {
        if self.0.len() < MAX_FAILURES {
            let user = user.iter().take(MAX_USER_BYTES).copied().collect();
            self.0.push(Failure { user, at });
        }
    }
}

/// Bytes of a user's name that are logged.
const MAX_USER_BYTES: usize = 128;

/// A login that the journal knows.
#[derive(Debug)]
pub(super) struct Logged {
    pid: Pid,
    /// systemd-logind's number.
    number: u32,
    user: Vec<u8>,
    src: (IpAddr, u16),
}

/// What is needed to tell of a login.
pub(super) struct Place<'a> {
    pub(super) machine: &'a Machine,
    pub(super) persona: &'a Persona,
    pub(super) user: &'a User,
    pub(super) connection: &'a Connection,
    pub(super) pid: Pid,
    pub(super) number: u32,
    pub(super) tty: Option<&'a [u8]>,
    pub(super) now: Timestamp,
}

impl Logged {
    /// Tells of a login; `None` on a machine that keeps no journal.
    pub(super) fn begin(place: &Place<'_>, failures: &Failures) -> Option<Self> {
        if place.persona.model != Model::Debian12 {
            return None;
        }
        let src = place.connection.src();
        let (address, port) = src;
        let logged = Self {
            pid: place.pid,
            number: place.number,
            user: place.user.name.clone(),
            src,
        };
        let known = |name: &[u8]| place.persona.user(name).is_some();
        for failure in &failures.0 {
            let user = &failure.user;
            let invalid = if known(user) { "" } else { "invalid user " };
            let at = micros(failure.at);
            logged.say(
                place.machine,
                at,
                "sshd",
                &[
                    b"Failed password for ".as_slice(),
                    invalid.as_bytes(),
                    user,
                    format!(" from {address} port {port} ssh2").as_bytes(),
                ],
            );
            let record = failed_login(place.pid, user, address, failure.at.secs);
            told(place.machine.write_file(b"/var/log/btmp", None, &record));
        }
        let now = micros(place.now);
        let (user, uid, number) = (&place.user.name, place.user.uid, place.number);
        let say = |after: u64, who: &str, parts: &[&[u8]]| {
            logged.say(place.machine, now + after, who, parts);
        };
        let from = format!(" from {address} port {port} ssh2");
        say(
            0,
            "sshd",
            &[b"Accepted password for ", user, from.as_bytes()],
        );
        let by = format!("(uid={uid}) by (uid=0)");
        say(
            2_100,
            "sshd",
            &[
                b"pam_unix(sshd:session): session opened for user ",
                user,
                by.as_bytes(),
            ],
        );
        let new = format!("New session {number} of user ");
        say(9_400, "systemd-logind", &[new.as_bytes(), user, b"."]);
        let scope = format!("Started session-{number}.scope - Session {number} of User ");
        say(14_800, "systemd", &[scope.as_bytes(), user, b"."]);
        place.run_file();
        Some(logged)
    }

    /// Tells of its end.
    pub(super) fn end(&self, machine: &Machine, now: Timestamp) {
        let now = micros(now);
        let (address, port) = self.src;
        let (user, number) = (&self.user, self.number);
        let received =
            format!("Received disconnect from {address} port {port}:11: disconnected by user");
        self.say(machine, now, "sshd", &[received.as_bytes()]);
        let left = format!(" {address} port {port}");
        self.say(
            machine,
            now + 300,
            "sshd",
            &[b"Disconnected from user ", user, left.as_bytes()],
        );
        self.say(
            machine,
            now + 900,
            "sshd",
            &[b"pam_unix(sshd:session): session closed for user ", user],
        );
        let scope = format!("session-{number}.scope: Deactivated successfully.");
        self.say(machine, now + 12_000, "systemd", &[scope.as_bytes()]);
        let out = format!("Session {number} logged out. Waiting for processes to exit.");
        self.say(machine, now + 12_900, "systemd-logind", &[out.as_bytes()]);
        let gone = format!("Removed session {number}.");
        self.say(machine, now + 14_000, "systemd-logind", &[gone.as_bytes()]);
        let _gone = machine.remove_file(&run_path(number));
    }

    fn say(&self, machine: &Machine, micros: u64, who: &str, parts: &[&[u8]]) {
        let (pid, unit) = match who {
            "systemd" => (1, "init.scope"),
            "systemd-logind" => (
                machine.resident_named(b"systemd-logind").unwrap_or(1),
                "systemd-logind.service",
            ),
            _ => (self.pid, "ssh.service"),
        };
        let facility = if who == "systemd" {
            facility::DAEMON
        } else {
            facility::AUTH
        };
        machine.log(Entry {
            micros,
            priority: 6,
            facility,
            identifier: who.into(),
            pid,
            uid: 0,
            unit: unit.into(),
            message: parts.concat(),
        });
    }
}

impl Place<'_> {
    /// `/run/systemd/sessions/N`, as systemd-logind keeps it.
    fn run_file(&self) {
        let (number, uid) = (self.number, self.user.uid);
        let user = String::from_utf8_lossy(&self.user.name);
        let (address, _) = self.connection.src();
        let tty = self.tty.map_or_else(String::new, |tty| {
            let tty = tty.strip_prefix(b"/dev/").unwrap_or(tty);
            format!("TTY={}\n", String::from_utf8_lossy(tty))
        });
        let text = format!(
            "# This is private data. Do not parse.\nUID={uid}\nUSER={user}\nACTIVE=1\nIS_DISPLAY=1\nSTATE=active\nREMOTE=1\nTYPE=tty\nORIGINAL_TYPE=tty\nCLASS=user\nSCOPE=session-{number}.scope\nFIFO=/run/systemd/sessions/{number}.ref\n{tty}REMOTE_HOST={address}\nSERVICE=sshd\nLEADER={}\nAUDIT={number}\nREALTIME={}\n",
            self.pid,
            micros(self.now),
        );
        told(
            self.machine
                .make_file(&run_path(number), text.as_bytes(), Owned::ROOT),
        );
    }
}

fn run_path(number: u32) -> Vec<u8> {
    format!("/run/systemd/sessions/{number}").into_bytes()
}

fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.secs).unwrap_or(0) * 1_000_000 + u64::from(time.nanos / 1000)
}

/// Whoever removed the files or filled the disk is not recorded, as on the real machine.
fn told(result: Result<(), sundew_vfs::Errno>) {
    if let Err(errno) = result {
        tracing::trace!(?errno, "a login was not recorded");
    }
}
