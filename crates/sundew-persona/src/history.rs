//! What the journal of a Debian server tells without any visitor: its boot, cron, systemd's timers, the
//! administrator's logins, and guessed passwords.
//!
//! A Debian 12 server has no rsyslog unless somebody installed it: its log is the journal. The lines are
//! made when somebody reads them, the same ones each time.

use std::net::Ipv4Addr;
use std::sync::Arc;

use sundew_kernel::journal::{Entry, History, Journal, facility};

use crate::accounting::{Session, visits};
use crate::facts::Origin;
use crate::guesses::{Guess, Guesses, KEPT};
use crate::made::machine_id;
use crate::{processes, seed::Seed};

/// The journal of a machine.
pub(crate) fn journal(origin: &Origin, gateway: Ipv4Addr) -> Journal {
    Journal {
        path: journal_file(&origin.seed).into_bytes(),
        since: origin.boot_time().secs,
        history: Arc::new(Server {
            boot: origin.boot_time().secs,
            boot_nanos: origin.boot_time().nanos,
            guesses: Guesses::of(origin),
            sshd: processes::sshd_pid(origin),
            logind: processes::logind_pid(origin),
            cron: processes::cron_pid(origin),
            forks: origin.seed.between("forks per hour", 20, 90),
            noise: origin.seed.number("history"),
            visits: visits(origin, gateway),
            key: origin.seed.hex("administrator's key", 43),
        }),
    }
}

/// `/var/log/journal/MACHINE/system.journal`.
pub(crate) fn journal_file(seed: &Seed) -> String {
    format!("/var/log/journal/{}/system.journal", machine_id(seed))
}

struct Server {
    boot: i64,
    boot_nanos: u32,
    guesses: Guesses,
    sshd: u32,
    logind: u32,
    cron: u32,
    forks: u64,
    noise: u64,
    visits: Vec<Session>,
    key: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl History for Server {
    fn entries(&self, from: i64, to: i64) -> Vec<Entry> {
        let from = from.max(self.boot).max(to - KEPT);
        if to <= from {
            return Vec::new();
        }
        let mut out = Lines::default();
        if from < self.boot + 30 {
            self.booting(&mut out);
        }
        for (number, visit) in (2_u32..).zip(&self.visits) {
            self.visit(visit, number, &mut out);
        }
        for guess in self.guesses.between(from - 3600, to) {
            guessed(&guess, &mut out);
        }
        for hour in from.div_euclid(3600)..=to.div_euclid(3600) {
            self.hourly(hour * 3600, &mut out);
        }
        for day in from.div_euclid(86_400)..=to.div_euclid(86_400) {
            self.daily(day * 86_400, &mut out);
        }
        let (from, to) = (micros(from), micros(to));
        out.0.retain(|entry| (from..to).contains(&entry.micros));
        out.0.sort_by_key(|entry| entry.micros);
        out.0
    }
}

impl Server {
    /// The number of a process that was started at this time.
    fn pid_at(&self, at: i64) -> u32 {
        let up = u64::try_from(at - self.boot).unwrap_or(0);
        u32::try_from(1000 + up * self.forks / 3600).unwrap_or(1000)
    }

    fn jitter(&self, at: i64, range: u64) -> u64 {
        let mixed = (self.noise ^ at.unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 17) % range
    }

    fn booting(&self, out: &mut Lines) {
        let boot = micros(self.boot) + u64::from(self.boot_nanos / 1000);
        let mut say = |after_ms: u64, pid: u32, identifier: &str, unit: &str, text: String| {
            out.0.push(Entry {
                micros: boot + after_ms * 1000 + after_ms % 977,
                priority: 6,
                facility: facility::DAEMON,
                identifier: identifier.into(),
                pid,
                uid: 0,
                unit: unit.into(),
                message: text.into_bytes(),
            });
        };
        for (after, text) in BOOT {
            say(*after, 1, "systemd", "init.scope", (*text).to_owned());
        }
        say(
            7_102,
            self.cron,
            "cron",
            "cron.service",
            "(CRON) INFO (pidfile fd = 3)".to_owned(),
        );
        say(
            7_109,
            self.cron,
            "cron",
            "cron.service",
            "(CRON) INFO (Running @reboot jobs)".to_owned(),
        );
        say(
            7_188,
            self.logind,
            "systemd-logind",
            "systemd-logind.service",
            "New seat seat0.".to_owned(),
        );
        say(
            7_190,
            self.logind,
            "systemd-logind",
            "systemd-logind.service",
            "Watching system buttons on /dev/input/event0 (Power Button)".to_owned(),
        );
        for (after, address) in [(8_604, "0.0.0.0"), (8_605, "::")] {
            let text = format!("Server listening on {address} port 22.");
            say(after, self.sshd, "sshd", "ssh.service", text);
        }
    }

    fn visit(&self, visit: &Session, number: u32, out: &mut Lines) {
        let (pid, host) = (visit.pid, visit.host);
        let port = 40_000 + visit.pid % 20_000;
        let scope = format!("session-{number}.scope");
        let mut at = Clock(micros(visit.from) + self.jitter(visit.from, 900_000));
        out.sshd(
            &mut at,
            pid,
            format!(
                "Accepted publickey for root from {host} port {port} ssh2: ED25519 SHA256:{}",
                self.key
            ),
        );
        out.sshd(
            &mut at,
            pid,
            "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)".to_owned(),
        );
        out.logind(
            &mut at,
            self.logind,
            format!("New session {number} of user root."),
        );
        out.systemd(
            &mut at,
            format!("Started {scope} - Session {number} of User root."),
        );
        out.sshd(
            &mut at,
            pid,
            "pam_env(sshd:session): deprecated reading of user environment enabled".to_owned(),
        );
        let mut at = Clock(micros(visit.until) + self.jitter(visit.until, 900_000));
        out.sshd(
            &mut at,
            pid,
            format!("Received disconnect from {host} port {port}:11: disconnected by user"),
        );
        out.sshd(
            &mut at,
            pid,
            format!("Disconnected from user root {host} port {port}"),
        );
        out.sshd(
            &mut at,
            pid,
            "pam_unix(sshd:session): session closed for user root".to_owned(),
        );
        out.systemd(&mut at, format!("{scope}: Deactivated successfully."));
        out.logind(
            &mut at,
            self.logind,
            format!("Session {number} logged out. Waiting for processes to exit."),
        );
        out.logind(&mut at, self.logind, format!("Removed session {number}."));
    }

    /// `/etc/crontab` has run-parts of the hour at 17 past.
    fn hourly(&self, hour: i64, out: &mut Lines) {
        self.job(
            hour + 17 * 60 + 1,
            "cd / && run-parts --report /etc/cron.hourly",
            out,
        );
    }

    fn job(&self, at: i64, command: &str, out: &mut Lines) {
        let pid = self.pid_at(at);
        let mut clock = Clock(micros(at) + self.jitter(at, 40_000));
        out.cron(
            &mut clock,
            pid,
            facility::AUTHPRIV,
            "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
        );
        out.cron(
            &mut clock,
            pid + 1,
            facility::CRON,
            &format!("(root) CMD ({command})"),
        );
        out.cron(
            &mut clock,
            pid,
            facility::AUTHPRIV,
            "pam_unix(cron:session): session closed for user root",
        );
    }

    fn daily(&self, day: i64, out: &mut Lines) {
        // The first of 1970 was a Thursday.
        let weekday = (day / 86_400 + 4).rem_euclid(7);
        self.job(
            day + 3 * 3600 + 10 * 60 + 1,
            "test -e /run/systemd/system || SERVICE_MODE=1 /sbin/e2scrub_all -A -r",
            out,
        );
        self.job(
            day + 6 * 3600 + 25 * 60 + 1,
            "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }",
            out,
        );
        if weekday == 0 {
            self.job(day + 3 * 3600 + 30 * 60 + 1, "test -e /run/systemd/system || SERVICE_MODE=1 /usr/lib/x86_64-linux-gnu/e2fsprogs/e2scrub_all_cron", out);
            self.job(
                day + 6 * 3600 + 47 * 60 + 1,
                "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.weekly; }",
                out,
            );
        }
        let spread =
            |label: i64, range| i64::try_from(self.jitter(day + label, range)).unwrap_or(0);
        let boot_minute = (self.boot + 900).rem_euclid(86_400);
        let mut timers = vec![
            (1, "dpkg-db-backup", "Daily dpkg database backup service"),
            (
                boot_minute,
                "systemd-tmpfiles-clean",
                "Cleanup of Temporary Directories",
            ),
            (
                6 * 3600 + spread(1, 3600),
                "apt-daily-upgrade",
                "Daily apt upgrade and clean activities",
            ),
            (
                spread(2, 43_000),
                "apt-daily",
                "Daily apt download activities",
            ),
            (
                12 * 3600 + spread(3, 43_000),
                "apt-daily",
                "Daily apt download activities",
            ),
        ];
        if weekday == 1 {
            timers.push((
                3600 + spread(4, 6000),
                "fstrim",
                "Discard unused blocks on filesystems from /etc/fstab",
            ));
        }
        for (at, unit, text) in timers {
            let mut clock = Clock(micros(day + at) + self.jitter(day + at, 700_000));
            out.systemd(&mut clock, format!("Starting {unit}.service - {text}..."));
            clock.0 += 20_000 + self.jitter(at, 800_000);
            out.systemd(
                &mut clock,
                format!("{unit}.service: Deactivated successfully."),
            );
            out.systemd(&mut clock, format!("Finished {unit}.service - {text}."));
        }
    }
}

/// What sshd says of one password that was wrong.
fn guessed(guess: &Guess, out: &mut Lines) {
    let Guess {
        user,
        host,
        port,
        pid,
        ..
    } = guess;
    let mut at = Clock(micros(guess.at) + guess.draw % 800_000);
    let pid = *pid;
    if *user == "root" {
        out.pam(&mut at, pid, format!("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={host}  user=root"));
        at.0 += 1_600_000 + guess.draw % 700_000;
        out.sshd(
            &mut at,
            pid,
            format!("Failed password for root from {host} port {port} ssh2"),
        );
        at.0 += 200_000 + guess.draw % 90_000;
        out.sshd(
            &mut at,
            pid,
            format!("Received disconnect from {host} port {port}:11: Bye Bye [preauth]"),
        );
        out.sshd(
            &mut at,
            pid,
            format!("Disconnected from authenticating user root {host} port {port} [preauth]"),
        );
        return;
    }
    out.sshd(
        &mut at,
        pid,
        format!("Invalid user {user} from {host} port {port}"),
    );
    out.sshd(
        &mut at,
        pid,
        "pam_unix(sshd:auth): check pass; user unknown".to_owned(),
    );
    out.pam(&mut at, pid, format!("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={host}"));
    at.0 += 1_600_000 + guess.draw % 700_000;
    out.sshd(
        &mut at,
        pid,
        format!("Failed password for invalid user {user} from {host} port {port} ssh2"),
    );
    at.0 += 200_000 + guess.draw % 90_000;
    out.sshd(
        &mut at,
        pid,
        format!("Connection closed by invalid user {user} {host} port {port} [preauth]"),
    );
}

#[derive(Default)]
struct Lines(Vec<Entry>);

/// Microseconds since 1970; goes on with each line.
struct Clock(u64);

impl Clock {
    fn tick(&mut self) -> u64 {
        self.0 += 700 + self.0 % 5_300;
        self.0
    }
}

impl Lines {
    fn sshd(&mut self, at: &mut Clock, pid: u32, text: String) {
        self.add(at, (6, facility::AUTH), ("sshd", pid), "ssh.service", text);
    }

    fn pam(&mut self, at: &mut Clock, pid: u32, text: String) {
        self.add(
            at,
            (5, facility::AUTHPRIV),
            ("sshd", pid),
            "ssh.service",
            text,
        );
    }

    fn logind(&mut self, at: &mut Clock, pid: u32, text: String) {
        self.add(
            at,
            (6, facility::AUTH),
            ("systemd-logind", pid),
            "systemd-logind.service",
            text,
        );
    }

    fn systemd(&mut self, at: &mut Clock, text: String) {
        self.add(
            at,
            (6, facility::DAEMON),
            ("systemd", 1),
            "init.scope",
            text,
        );
    }

    fn cron(&mut self, at: &mut Clock, pid: u32, facility: u8, text: &str) {
        self.add(
            at,
            (6, facility),
            ("CRON", pid),
            "cron.service",
            text.to_owned(),
        );
    }

    fn add(
        &mut self,
        at: &mut Clock,
        (priority, facility): (u8, u8),
        (identifier, pid): (&str, u32),
        unit: &str,
        text: String,
    ) {
        self.0.push(Entry {
            micros: at.tick(),
            priority,
            facility,
            identifier: identifier.into(),
            pid,
            uid: 0,
            unit: unit.into(),
            message: text.into_bytes(),
        });
    }
}

fn micros(secs: i64) -> u64 {
    u64::try_from(secs).unwrap_or(0) * 1_000_000
}

/// Milliseconds after boot, and what systemd says then.
const BOOT: &[(u64, &str)] = &[
    (
        2_702,
        "Created slice system-getty.slice - Slice /system/getty.",
    ),
    (
        2_704,
        "Created slice system-modprobe.slice - Slice /system/modprobe.",
    ),
    (2_705, "Created slice user.slice - User and Session Slice."),
    (
        2_711,
        "Reached target cryptsetup.target - Local Encrypted Volumes.",
    ),
    (2_712, "Reached target paths.target - Path Units."),
    (2_714, "Reached target swap.target - Swaps."),
    (
        2_722,
        "Listening on systemd-journald.socket - Journal Socket.",
    ),
    (
        2_725,
        "Listening on systemd-udevd-kernel.socket - udev Kernel Socket.",
    ),
    (2_960, "Started systemd-journald.service - Journal Service."),
    (
        3_310,
        "Finished systemd-remount-fs.service - Remount Root and Kernel File Systems.",
    ),
    (
        3_340,
        "Started systemd-udevd.service - Rule-based Manager for Device Events and Files.",
    ),
    (
        3_702,
        "Finished systemd-journal-flush.service - Flush Journal to Persistent Storage.",
    ),
    (
        4_808,
        "Reached target local-fs.target - Local File Systems.",
    ),
    (
        4_830,
        "Starting systemd-tmpfiles-setup.service - Create Volatile Files and Directories...",
    ),
    (
        4_902,
        "Finished systemd-tmpfiles-setup.service - Create Volatile Files and Directories.",
    ),
    (
        4_960,
        "Reached target sysinit.target - System Initialization.",
    ),
    (
        4_962,
        "Started apt-daily.timer - Daily apt download activities.",
    ),
    (
        4_963,
        "Started apt-daily-upgrade.timer - Daily apt upgrade and clean activities.",
    ),
    (
        4_964,
        "Started dpkg-db-backup.timer - Daily dpkg database backup timer.",
    ),
    (
        4_966,
        "Started fstrim.timer - Discard unused blocks once a week.",
    ),
    (
        4_968,
        "Started systemd-tmpfiles-clean.timer - Daily Cleanup of Temporary Directories.",
    ),
    (4_970, "Reached target timers.target - Timer Units."),
    (
        4_974,
        "Listening on dbus.socket - D-Bus System Message Bus Socket.",
    ),
    (4_976, "Reached target sockets.target - Socket Units."),
    (4_978, "Reached target basic.target - Basic System."),
    (
        5_001,
        "Starting networking.service - Raise network interfaces...",
    ),
    (
        7_003,
        "Finished networking.service - Raise network interfaces.",
    ),
    (7_006, "Reached target network.target - Network."),
    (
        7_098,
        "Started cron.service - Regular background program processing daemon.",
    ),
    (7_120, "Started dbus.service - D-Bus System Message Bus."),
    (
        7_130,
        "Starting systemd-logind.service - User Login Management...",
    ),
    (
        7_210,
        "Started systemd-logind.service - User Login Management.",
    ),
    (8_390, "Started getty@tty1.service - Getty on tty1."),
    (8_395, "Reached target getty.target - Login Prompts."),
    (
        8_510,
        "Starting ssh.service - OpenBSD Secure Shell server...",
    ),
    (8_620, "Started ssh.service - OpenBSD Secure Shell server."),
    (
        8_625,
        "Reached target multi-user.target - Multi-User System.",
    ),
    (
        8_628,
        "Reached target graphical.target - Graphical Interface.",
    ),
    (
        8_690,
        "Finished systemd-update-utmp-runlevel.service - Record Runlevel Change in UTMP.",
    ),
    (
        8_702,
        "Startup finished in 2.519s (kernel) + 6.181s (userspace) = 8.701s.",
    ),
];

#[cfg(test)]
mod tests {
    use sundew_vfs::Timestamp;

    use super::*;

    #[test]
    fn any_stretch_of_time_tells_the_same_and_guesses_are_those_of_btmp() {
        let born = Timestamp {
            secs: 1_795_243_945,
            nanos: 0,
        };
        let origin = Origin::new([4; 32], born);
        let history = journal(&origin, Ipv4Addr::new(10, 0, 0, 1)).history;
        let (from, end) = (origin.boot_time().secs, born.secs + 5 * 86_400);
        let whole = history.entries(from, end);
        assert!(whole.is_sorted_by_key(|entry| entry.micros));
        let middle = born.secs + 4321;
        let parts = [history.entries(from, middle), history.entries(middle, end)].concat();
        assert_eq!(whole, parts);
        let failed = whole
            .iter()
            .filter(|entry| entry.message.starts_with(b"Failed password"));
        let guesses = Guesses::of(&origin);
        let count = guesses.between(0, end - 10).len();
        assert!(failed.count().abs_diff(count) <= 2);
    }
}
