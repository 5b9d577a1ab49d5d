//! Names that administrators give to servers.

use std::net::Ipv4Addr;

use crate::seed::Seed;

/// A host name for this seed: one of the habits seen in the wild, none of them common enough to be a
/// mark of ours.
pub(crate) fn hostname(seed: &Seed, address: Ipv4Addr) -> String {
    let role = seed.pick("role", ROLES).copied().unwrap_or("web");
    let site = seed.pick("site", SITES).copied().unwrap_or("fra");
    let stage = seed.pick("stage", STAGES).copied().unwrap_or("prod");
    let number = seed.between("host number", 1, 24);
    match seed.between("host name style", 0, 9) {
        0 => format!("{role}{number:02}"),
        1 => format!("{role}-{number:02}"),
        2 => format!("{role}{number}-{site}"),
        3 => format!("{site}-{role}{number}"),
        4 => format!("{stage}-{role}-{number}"),
        5 => format!("{role}-{stage}{number:02}"),
        6 => format!("vps-{}", seed.hex("host digits", 8)),
        7 => format!("vm{}", seed.between("host digits", 10_000, 989_999)),
        8 => {
            let word = seed.pick("host word", WORDS).copied().unwrap_or("vega");
            if number < 12 {
                format!("{word}-{role}")
            } else {
                format!("{word}{number}")
            }
        }
        _ => {
            let [a, b, c, d] = address.octets();
            format!("ip-{a}-{b}-{c}-{d}")
        }
    }
}

const ROLES: &[&str] = &[
    "web", "www", "app", "api", "db", "mysql", "pg", "redis", "cache", "mail", "mx", "smtp", "git",
    "build", "ci", "backup", "files", "nas", "proxy", "lb", "edge", "gw", "vpn", "dns", "ns",
    "mon", "log", "node", "worker", "srv", "shop", "cms", "wiki", "stage", "jump", "monitor",
    "docs", "media", "queue",
];
const SITES: &[&str] = &[
    "fra", "ams", "lon", "par", "nyc", "sfo", "sgp", "hel", "nbg", "waw", "mad", "mil", "tor",
    "syd", "blr", "dc1", "dc2", "eu1", "us2", "rz1",
];
const STAGES: &[&str] = &["prod", "prd", "live", "dev", "test", "stg", "uat", "int"];
const WORDS: &[&str] = &[
    "vega", "orion", "lyra", "titan", "rhea", "juno", "ceres", "pallas", "atlas", "hydra",
    "kepler", "tycho", "falke", "amsel", "milan", "heron", "osprey", "maple", "birch", "cedar",
    "larch", "basalt", "granite", "onyx", "cobalt", "argon", "neon", "radon", "pluto", "goofy",
    "gandalf", "frodo", "zeus", "hera", "odin", "thor", "loki",
];
