//! The options that the apt programs share.

use sundew_kernel::Process;

/// Letters without a value, and those with one.
const LETTERS: &[u8] = b"hvqdbsyumfPVan";
const WITH_VALUE: &[u8] = b"toc";

/// Long options; `no-` may stand before any of them.
const LONG: &[&str] = &[
    "all-versions",
    "allow-change-held-packages",
    "allow-downgrades",
    "allow-insecure-repositories",
    "allow-releaseinfo-change",
    "allow-remove-essential",
    "allow-unauthenticated",
    "arch-only",
    "assume-no",
    "assume-yes",
    "auto-remove",
    "autoremove",
    "build",
    "build-profiles",
    "color",
    "compile",
    "config-file",
    "default-release",
    "diff-only",
    "download",
    "download-only",
    "dry-run",
    "dsc-only",
    "fix-broken",
    "fix-missing",
    "force-yes",
    "full",
    "generate",
    "help",
    "host-architecture",
    "ignore-hold",
    "ignore-missing",
    "important",
    "indep-only",
    "install-recommends",
    "install-suggests",
    "installed",
    "just-print",
    "list-cleanup",
    "manual-installed",
    "names-only",
    "no-act",
    "only-source",
    "only-upgrade",
    "option",
    "print-uris",
    "purge",
    "quiet",
    "recon",
    "recurse",
    "reinstall",
    "remove",
    "show-progress",
    "show-upgraded",
    "silent",
    "simulate",
    "solver",
    "tar-only",
    "target-release",
    "trivial-only",
    "upgradable",
    "upgrade",
    "upgradeable",
    "verbose",
    "verbose-versions",
    "version",
    "with-new-pkgs",
    "with-source",
    "yes",
];
const LONG_WITH_VALUE: &[&str] = &[
    "build-profiles",
    "config-file",
    "default-release",
    "host-architecture",
    "option",
    "solver",
    "target-release",
    "with-source",
];

/// A command line taken apart.
pub(super) struct Words {
    pub(super) operands: Vec<Vec<u8>>,
    pub(super) version: bool,
    pub(super) help: bool,
}

/// Takes a command line apart; the complaint otherwise.
pub(super) fn read(proc: &Process) -> Result<Words, Vec<u8>> {
    let mut read = Words {
        operands: Vec::new(),
        version: false,
        help: false,
    };
    let mut words = proc.args().iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix(b"--").filter(|long| !long.is_empty()) {
            let (name, value) = match long.iter().position(|&byte| byte == b'=') {
                Some(at) => (long.get(..at).unwrap_or_default(), true),
                None => (long, false),
            };
            let known = |name: &[u8]| LONG.iter().any(|own| own.as_bytes() == name);
            if !known(name) && !name.strip_prefix(b"no-").is_some_and(known) {
                return Err(unknown_long(word, name));
            }
            read.version |= name == b"version";
            read.help |= name == b"help";
            if !value && LONG_WITH_VALUE.iter().any(|own| own.as_bytes() == name) {
                words.next();
            }
            continue;
        }
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            read.operands.push(word.clone());
            continue;
        };
        for (at, letter) in letters.iter().enumerate() {
            if WITH_VALUE.contains(letter) {
                if at + 1 == letters.len() {
                    words.next();
                }
                break;
            }
            // The level of `-q=2`.
            if *letter == b'=' {
                break;
            }
            if !LETTERS.contains(letter) {
                let text = [
                    b"Command line option '".as_slice(),
                    &[*letter],
                    b"' [from ",
                    word,
                    b"] is not understood in combination with the other options.",
                ];
                return Err(text.concat());
            }
            read.version |= *letter == b'v';
            read.help |= *letter == b'h';
        }
    }
    Ok(read)
}

/// The words for a long option that is none: what stands behind a dash is taken for a switch that is
/// turned off.
fn unknown_long(word: &[u8], name: &[u8]) -> Vec<u8> {
    let behind = name.iter().position(|&byte| byte == b'-');
    let switch = behind.and_then(|at| name.get(at + 1..)).unwrap_or_default();
    let ending: &[u8] = if LONG_WITH_VALUE.iter().any(|own| own.as_bytes() == switch) {
        b" is not boolean"
    } else {
        b" is not understood in combination with the other options"
    };
    [b"Command line option ", word, ending].concat()
}
