//! Entry points for fuzzers: each takes any bytes and must return.
//!
//! A fuzz target is one line around one of these; they also run under the property tests.

use std::sync::Arc;

use crate::ast::{Command, CommandKind, List};
use crate::error::ErrorKind;
use crate::option::{Dialect, Options};
use crate::parser::{Outcome, Parser};
use crate::{arithmetic, braces, unparse};

/// Parses a whole text in every dialect, as last text and as a beginning.
pub fn parse(text: &[u8]) {
    for dialect in [Dialect::Bash, Dialect::Dash, Dialect::Ash] {
        for last in [true, false] {
            let options = Options {
                dialect,
                last,
                extended_globs: last,
                ..Options::default()
            };
            let mut parser = Parser::new(text, &options);
            while let Outcome::Command(_) = parser.next_command() {}
        }
    }
}

/// Prints what was parsed as a function's body, parses that, and checks that printing it again
/// changes nothing, where that is so in bash.
///
/// # Panics
///
/// If printing is not a fixpoint: that is the finding.
pub fn unparse(text: &[u8]) {
    let mut parser = Parser::new(text, &Options::default());
    while let Outcome::Command(line) = parser.next_command() {
        let printed = definition(line.list);
        let mut again = Parser::new(&printed, &Options::default());
        let mut second = Vec::new();
        let end = loop {
            match again.next_command() {
                Outcome::Command(line) => second.extend_from_slice(&unparse::list(&line.list)),
                end => break end,
            }
            second.push(b'\n');
        };
        if matches!(&end, Outcome::Error(error) if error.kind == ErrorKind::TooDeep) {
            // The function is one level more.
            continue;
        }
        let second = second.strip_prefix(b"function ").unwrap_or(&second);
        // A here-document ends its line, so what shared the line stands on the next one.
        assert!(
            words(second) == words(&printed) || bash_reads_another(&printed),
            "printed {:?}, then {:?}",
            String::from_utf8_lossy(&printed),
            String::from_utf8_lossy(second)
        );
    }
}

/// A function with this body, as `declare -f` prints it.
fn definition(list: Arc<List>) -> Vec<u8> {
    let body = Command {
        line: 1,
        kind: CommandKind::Group(list),
        redirects: Vec::new(),
    };
    let mut printed = unparse::function(b"f", &body);
    printed.push(b'\n');
    printed
}

/// Whether bash may print this and read another list or none: `;` and `&` get lost behind a
/// here-document, a delimiter may have lines of its own, and no `!` or `time` alone may stand
/// before a `)`.
fn bash_reads_another(text: &[u8]) -> bool {
    let all = words(text);
    let empty = |word: &[u8]| {
        let ends = [b"!".as_slice(), b"time", b"-p"];
        ends.iter().any(|end| word.ends_with(end))
    };
    text.windows(2).any(|two| two == b"<<")
        // The operator in two parts, in a text that is printed as it was typed.
        || text.windows(4).any(|parts| parts == b"<\\\n<")
        || all
            .iter()
            .zip(all.iter().skip(1))
            .any(|(word, next)| empty(word) && next.starts_with(b")"))
}

fn words(text: &[u8]) -> Vec<&[u8]> {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Most words that are made of one.
const MAX_WORDS: usize = 1 << 16;

/// Expands the braces of every word, and parses the text as an arithmetic expression.
pub fn expand(text: &[u8]) {
    let _any: Result<_, _> = arithmetic::parse(text);
    let word = crate::ast::Word {
        parts: vec![crate::ast::Part::Literal(text.into())],
    };
    let _words = braces::expand(&word).take(MAX_WORDS).count();
}
