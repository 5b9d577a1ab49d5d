//! What another parser of bash's grammar takes and refuses, beside ours: brush-parser.
//!
//! Where the two differ, the real bash was asked; `corpus/brush.txt` holds those texts with what it said.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "reads transcripts from the checkout, whose absence fails the test"
)]

use std::collections::BTreeSet;
use std::io::Cursor;

use sundew_sh_syntax::{Options, Outcome, Parser};

/// Texts deeper than this are not shown to the other parser, which recurses without end.
const MAX_OPENERS: usize = 60;

fn is_ours(text: &str) -> bool {
    let options = Options::default();
    let mut parser = Parser::new(text.as_bytes(), &options);
    loop {
        match parser.next_command() {
            Outcome::Command(_) => {}
            Outcome::End => return true,
            Outcome::Incomplete(_) | Outcome::Error(_) => return false,
        }
    }
}

/// `None` where it panics, as on a number of a descriptor that is too large.
fn is_theirs(text: &str) -> Option<bool> {
    // It wants a newline at the end.
    let text = format!("{text}\n");
    std::panic::catch_unwind(|| {
        let options = brush_parser::ParserOptions {
            enable_extended_globbing: false,
            ..Default::default()
        };
        brush_parser::Parser::new(Cursor::new(text), &options)
            .parse_program()
            .is_ok()
    })
    .ok()
}

/// The texts that the real bash was asked about, and the commands of the transcripts.
fn texts() -> BTreeSet<String> {
    let corpus = include_str!("corpus/bash.txt");
    let body = corpus
        .split("%%\n")
        .filter_map(|block| block.split_once("\n--\n"));
    let mut all: BTreeSet<String> = body.map(|(text, _)| text.to_owned()).collect();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sessions/shell");
    for file in std::fs::read_dir(directory).expect("the transcripts") {
        let path = file.expect("a transcript").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.starts_with("bash-") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a transcript");
        let commands = text.lines().filter_map(|line| line.strip_prefix("$ "));
        // A line of a here-document is not the whole text.
        let whole = commands.filter(|text| !text.replace("<<<", "").contains("<<"));
        all.extend(whole.map(str::to_owned));
    }
    all.retain(|text| text.matches(['(', '{', '`']).count() < MAX_OPENERS);
    all
}

#[test]
fn another_parser_differs_only_where_the_real_bash_agrees_with_ours() {
    let all = texts();
    assert!(all.len() > 700, "{}", all.len());
    let known = include_str!("corpus/brush.txt");
    let known: BTreeSet<&str> = known
        .split("%%\n")
        .skip(1)
        .map(|block| block.trim_end_matches('\n'))
        .collect();
    let differ: BTreeSet<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|text| is_theirs(text).is_some_and(|theirs| theirs != is_ours(text)))
        .collect();
    let news: Vec<_> = differ
        .difference(&known)
        .map(|text| {
            format!(
                "{} {text}",
                if is_ours(text) {
                    "ours takes"
                } else {
                    "ours refuses"
                }
            )
        })
        .collect();
    let gone: Vec<_> = known.difference(&differ).collect();
    if !news.is_empty() || !gone.is_empty() {
        panic!(
            "{} of {} differ anew:\n{}\nno longer: {gone:?}",
            news.len(),
            all.len(),
            news.join("\n")
        );
    }
}
