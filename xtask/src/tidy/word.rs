//! Words that have one home: event names in `sundew-events`, errno texts in `sundew-vfs`.

use super::Finding;
use super::source::{Checkout, File};

/// How an event name starts as a literal; in two parts, so that this file does not hold one.
const EVENT: &str = concat!("\"cow", "rie.");

/// Crates whose failures are an `Errno`, which carries its own words.
const MACHINE: &[&str] = &[
    "sundew-vfs",
    "sundew-kernel",
    "sundew-shell",
    "sundew-programs",
    "sundew-egress",
];

/// Where the words of `strerror(3)` live.
const HOME: &str = "crates/sundew-vfs/src/errno.rs";

/// Those of `strerror(3)` that attackers see daily and that are nothing else: a broken pipe, for one,
/// is also the name of a signal.
const WORDS: &[&str] = &[
    "Operation not permitted",
    "No such file or directory",
    "No such process",
    "Input/output error",
    "Argument list too long",
    "Exec format error",
    "Bad file descriptor",
    "No child processes",
    "Resource temporarily unavailable",
    "Cannot allocate memory",
    "Permission denied",
    "Device or resource busy",
    "File exists",
    "Invalid cross-device link",
    "No such device",
    "Not a directory",
    "Is a directory",
    "Invalid argument",
    "Too many open files",
    "Inappropriate ioctl for device",
    "Text file busy",
    "No space left on device",
    "Illegal seek",
    "Read-only file system",
    "Too many links",
    "File name too long",
    "Directory not empty",
    "Too many levels of symbolic links",
    "Network is unreachable",
    "Connection reset by peer",
    "Connection timed out",
    "Connection refused",
    "No route to host",
    "Disk quota exceeded",
];

pub(super) fn event_names(checkout: &Checkout) -> Vec<Finding> {
    let elsewhere = |file: &&File| !file.is_test() && file.crate_name() != Some("sundew-events");
    let mut findings = Vec::new();
    for file in checkout.rust().filter(elsewhere) {
        for (line, _) in file
            .shipped_lines("event-name")
            .filter(|(_, text)| text.contains(EVENT))
        {
            let text = "event names exist in sundew-events alone";
            findings.push(Finding::failure("event-name", &file.path, line, text));
        }
    }
    findings
}

pub(super) fn errno_words(checkout: &Checkout) -> Vec<Finding> {
    let machine = |file: &&File| {
        !file.is_test()
            && file.path != HOME
            && file
                .crate_name()
                .is_some_and(|name| MACHINE.contains(&name))
    };
    let mut findings = Vec::new();
    for file in checkout.rust().filter(machine) {
        for (line, text) in file.shipped_lines("errno-word") {
            if let Some(word) = WORDS.iter().find(|word| ends_a_literal(text, word)) {
                let text = format!("\"{word}\" is the text of an `Errno`: return that");
                findings.push(Finding::failure("errno-word", &file.path, line, text));
            }
        }
    }
    findings
}

/// True when the words stand at the end of a message: before a quote or an escaped newline.
fn ends_a_literal(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let rest = line.get(at + word.len()..).unwrap_or_default();
        rest.starts_with('"') || rest.starts_with("\\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal() -> String {
        format!("//! A.\nconst A: &str = {EVENT}session.connect\";\n")
    }

    #[test]
    fn an_event_name_outside_its_crate_is_found() {
        let text = literal();
        let checkout = Checkout::of(&[
            ("crates/sundew-events/src/catalogue.rs", &text),
            ("crates/sundew-session/src/record.rs", &text),
            ("crates/sundew-session/tests/record.rs", &text),
        ]);
        let findings = event_names(&checkout);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].path.as_str(), findings[0].line),
            ("crates/sundew-session/src/record.rs", 2)
        );
    }

    #[test]
    fn an_errno_text_outside_errno_is_found() {
        let bad = "//! A.\nfn f() { say(\"cat: x: No such file or directory\\n\") }\n";
        let fine =
            "//! A.\n// prints No such file or directory\nlet a = \"Is a directory we like\";\n";
        let allowed = "//! A.\n// tidy-allow(errno-word): dropbear's own text\nlet a = \"Permission denied\";\n";
        let checkout = Checkout::of(&[
            (HOME, bad),
            ("crates/sundew-programs/src/coreutils/cat.rs", bad),
            ("crates/sundew-programs/src/coreutils/ls.rs", fine),
            ("crates/sundew-programs/src/net/ssh.rs", allowed),
            ("crates/ftp-proto/src/reply.rs", bad),
        ]);
        let findings = errno_words(&checkout);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(
            findings[0].path,
            "crates/sundew-programs/src/coreutils/cat.rs"
        );
    }
}
