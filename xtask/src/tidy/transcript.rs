//! Transcripts can be read, and every program has one.

use std::collections::BTreeSet;

use sundew_transcript::session::Session;
use sundew_transcript::trace::Trace;

use super::Finding;
use super::source::{Checkout, File};

/// Where the programs are listed, each by the paths it is found under.
const TABLE: &str = "crates/sundew-programs/src/table.rs";

const SESSIONS: &str = "tests/sessions/";

/// Dialogues; traces elsewhere are a crate's own business.
const TRACES: &str = "tests/traces/";

pub(super) fn parse(checkout: &Checkout) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &checkout.files {
        let error = if file.path.ends_with(".session") {
            Session::parse(file.text.as_bytes())
                .err()
                .map(|error| (error.line, error.kind.to_string()))
        } else if file.path.starts_with(TRACES) && file.path.ends_with(".trace") {
            Trace::parse(file.text.as_bytes())
                .err()
                .map(|error| (error.line, error.to_string()))
        } else {
            None
        };
        if let Some((line, text)) = error {
            findings.push(Finding::failure("transcript", &file.path, line, text));
        }
    }
    findings
}

pub(super) fn programs(checkout: &Checkout) -> Vec<Finding> {
    let Some(table) = checkout.file(TABLE) else {
        return Vec::new();
    };
    let sessions: BTreeSet<&str> = checkout.files.iter().filter_map(session).collect();
    let lacking = listed(table)
        .into_iter()
        .filter(|(_, program)| !sessions.contains(program.as_str()));
    lacking
        .map(|(line, program)| {
            let text =
                format!("no {SESSIONS}programs/{program}.session: write what the real one answers");
            Finding::failure("transcript", TABLE, line, text)
        })
        .collect()
}

/// The name of a transcript, for files that are one.
fn session(file: &File) -> Option<&str> {
    let name = file.path.strip_prefix(SESSIONS)?.rsplit('/').next()?;
    name.strip_suffix(".session")
}

/// The programs named in the table, each once, with the line of their first mention.
fn listed(table: &File) -> Vec<(usize, String)> {
    let mut seen = BTreeSet::new();
    let mut programs = Vec::new();
    for (number, line) in table.shipped_lines("transcript") {
        for literal in line.split('"').skip(1).step_by(2) {
            let Some((directory, name)) = literal.rsplit_once('/') else {
                continue;
            };
            // `[` is `test` under another name, and busybox's applets have theirs.
            let name = if name == "[" { "test" } else { name };
            if directory.ends_with("bin") && !name.is_empty() && seen.insert(name) {
                programs.push((number, name.to_owned()));
            }
        }
    }
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_that_cannot_be_read_is_found() {
        let checkout = Checkout::of(&[
            ("tests/sessions/a.session", "$ true\n"),
            ("tests/sessions/b.session", "# origin: bash 5.2\n\n$ true\n"),
            ("tests/traces/c.trace", "S: 220\n"),
        ]);
        let paths: Vec<_> = parse(&checkout)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["tests/sessions/a.session", "tests/traces/c.trace"]);
    }

    #[test]
    fn a_program_without_a_transcript_is_found() {
        let table = "//! Programs.\n    Program { path: \"/bin/cat\", run },\n    Program { path: \"/usr/bin/[\", run },\n\
                     \x20   Program { path: \"/sbin/lost\", run },\n    say(\"usage: a/b\");\n";
        let checkout = Checkout::of(&[
            (TABLE, table),
            ("tests/sessions/programs/cat.session", ""),
            ("tests/sessions/programs/test.session", ""),
        ]);
        let findings = programs(&checkout);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 4);
        assert!(findings[0].text.contains("programs/lost.session"));
    }
}
