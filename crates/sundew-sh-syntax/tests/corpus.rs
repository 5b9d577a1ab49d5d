//! What real shells say about a few hundred texts, word for word, and how bash prints functions.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use sundew_sh_syntax::ast::CommandKind;
use sundew_sh_syntax::{Dialect, Options, Outcome, Parser, unparse};

/// The blocks of a corpus file: text and what was printed.
fn blocks(corpus: &str) -> Vec<(&str, &str)> {
    let body = corpus
        .split_once("%%\n")
        .map(|_| corpus)
        .unwrap_or_default();
    let start = body.find("\n").map_or(0, |_| {
        body.lines()
            .take_while(|line| line.starts_with("# "))
            .map(|line| line.len() + 1)
            .sum()
    });
    body[start..]
        .split_terminator("%%\n")
        .map(|block| {
            let (text, printed) = block.split_once("\n--\n").expect("a line `--`");
            (text, printed)
        })
        .collect()
}

fn complaint(text: &str, dialect: Dialect) -> String {
    let options = Options {
        dialect,
        ..Options::default()
    };
    let mut parser = Parser::new(text.as_bytes(), &options);
    loop {
        match parser.next_command() {
            Outcome::Command(_) => {}
            Outcome::End => return String::new(),
            Outcome::Incomplete(unfinished) => panic!("{text:?} is incomplete: {unfinished:?}"),
            Outcome::Error(error) => {
                let front = match dialect {
                    Dialect::Bash => format!("bash: -c: line {}: ", error.line),
                    Dialect::Dash => format!("dash: {}: ", error.line),
                    Dialect::Ash => "ash: ".to_owned(),
                };
                let messages = error.messages(dialect, false);
                let lines = messages
                    .iter()
                    .map(|message| String::from_utf8_lossy(message));
                return lines.map(|line| format!("{front}{line}\n")).collect();
            }
        }
    }
}

fn compare(corpus: &str, dialect: Dialect) {
    let blocks = blocks(corpus);
    assert!(blocks.len() > 400);
    let wrong: Vec<_> = blocks
        .into_iter()
        .filter(|(text, printed)| complaint(text, dialect) != *printed)
        .map(|(text, printed)| format!("{text}\nreal: {printed}ours: {}", complaint(text, dialect)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bash_accepts_and_complains_like_this() {
    compare(include_str!("corpus/bash.txt"), Dialect::Bash);
}

#[test]
fn dash_accepts_and_complains_like_this() {
    compare(include_str!("corpus/dash.txt"), Dialect::Dash);
}

#[test]
fn busybox_ash_accepts_and_complains_like_this() {
    compare(include_str!("corpus/ash.txt"), Dialect::Ash);
}

#[test]
fn functions_print_as_bash_declares_them() {
    let blocks = blocks(include_str!("corpus/declare.txt"));
    assert!(blocks.len() > 400);
    for (text, expected) in blocks {
        let mut parser = Parser::new(text.as_bytes(), &Options::default());
        let Outcome::Command(line) = parser.next_command() else {
            panic!("{text}")
        };
        let CommandKind::Function(function) = &line.list.items[0].and_or.first.commands[0].kind
        else {
            panic!("{text}")
        };
        let printed = unparse::function(&function.name, &function.body);
        assert_eq!(String::from_utf8_lossy(&printed) + "\n", expected, "{text}");
    }
}
