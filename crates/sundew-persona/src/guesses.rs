//! Who guesses passwords on the machine: a stream of failed logins that goes on while nobody visits.
//!
//! `btmp` and the journal tell of the same guesses. Each hour is drawn for itself, so that any stretch of
//! time can be asked for and answers the same whenever it is asked.

use std::net::Ipv4Addr;

use crate::facts::Origin;

/// The guesses on one machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guesses {
    /// The first that the logs still know, seconds since 1970.
    pub(crate) since: i64,
    noise: u64,
}

/// One login that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess {
    /// Seconds since 1970.
    pub(crate) at: i64,
    pub(crate) pid: u32,
    pub(crate) user: &'static str,
    pub(crate) host: Ipv4Addr,
    pub(crate) port: u16,
    /// A number for whatever else is told of it.
    pub(crate) draw: u64,
}

impl Guesses {
    pub(crate) fn of(origin: &Origin) -> Self {
        let days = i64::try_from(origin.seed.between("days of failed logins", 4, 20)).unwrap_or(4);
        let since = origin.born.secs - days * 86_400;
        Self {
            since: since.max(origin.boot_time().secs + 60),
            noise: origin.seed.number("guesses"),
        }
    }

    /// The guesses from `from` until before `to`, in order; none from before the logs begin.
    pub(crate) fn between(&self, from: i64, to: i64) -> Vec<Guess> {
        let from = from.max(self.since).max(to - KEPT);
        let mut all = Vec::new();
        for hour in from.div_euclid(3600)..=(to - 1).max(from).div_euclid(3600) {
            self.hour(hour, &mut all);
        }
        all.retain(|guess| (from..to).contains(&guess.at));
        all.sort_by_key(|guess| guess.at);
        all
    }

    /// In a third of the hours nobody comes, in others one or two; each tries a handful of names.
    fn hour(&self, hour: i64, all: &mut Vec<Guess>) {
        let mut draws = Draws(self.noise ^ hour.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let guessers = [0, 1, 1, 1, 2, 0][draws.below(6)];
        for _ in 0..guessers {
            let mut octet = || u8::try_from(1 + draws.below(254)).unwrap_or(1);
            let (b, c, d) = (octet(), octet(), octet());
            let first = GUESSERS.get(draws.below(GUESSERS.len())).copied();
            let host = Ipv4Addr::new(first.unwrap_or(45), b, c, d);
            let mut at = hour * 3600 + i64::try_from(draws.below(2800)).unwrap_or(0);
            let mut pid = 1200 + u32::try_from(draws.below(300_000)).unwrap_or(0);
            for _ in 0..2 + draws.below(9) {
                // Root is half of what is tried.
                let user = GUESSED.get(draws.below(2 * GUESSED.len())).copied();
                all.push(Guess {
                    at,
                    pid,
                    user: user.unwrap_or("root"),
                    host,
                    port: 32_768 + u16::try_from(draws.below(28_000)).unwrap_or(0),
                    draw: draws.next(),
                });
                at += 3 + i64::try_from(draws.below(60)).unwrap_or(0);
                pid += 2 + u32::try_from(draws.below(3)).unwrap_or(0);
            }
        }
    }
}

/// How far back logs reach, in seconds: rotation and the journal's own limit take what is older.
pub(crate) const KEPT: i64 = 45 * 86_400;

/// SplitMix64.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count.max(1)).unwrap_or(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }
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

#[cfg(test)]
mod tests {
    use sundew_vfs::Timestamp;

    use super::*;

    #[test]
    fn a_stretch_of_time_has_the_same_guesses_however_it_is_asked_for() {
        let born = Timestamp {
            secs: 1_795_243_945,
            nanos: 0,
        };
        let guesses = Guesses::of(&Origin::new([3; 32], born));
        let end = born.secs + 20 * 86_400;
        let whole = guesses.between(0, end);
        assert!(whole.len() > 100, "{}", whole.len());
        assert!(whole.iter().all(|guess| guess.at >= guesses.since));
        let middle = born.secs + 12_345;
        let parts = [guesses.between(0, middle), guesses.between(middle, end)].concat();
        assert_eq!(whole, parts);
    }
}
