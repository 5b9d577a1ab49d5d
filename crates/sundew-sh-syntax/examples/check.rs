//! Reads a script on standard input and prints what a shell would say about its syntax, or the
//! script again in bash's format.
//!
//! `check [bash|dash|ash] [print|tree]`; the message's front is that of `bash -c`.

#![expect(
    clippy::disallowed_methods,
    reason = "a developer's tool, not part of the machine"
)]

use std::io::{Read as _, Write as _};

use sundew_sh_syntax::ast::CommandKind;
use sundew_sh_syntax::{Dialect, Options, Outcome, Parser, arithmetic, braces, unparse};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let dialect = match () {
        () if has("dash") => Dialect::Dash,
        () if has("ash") => Dialect::Ash,
        () => Dialect::Bash,
    };
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let options = Options {
        dialect,
        ..Options::default()
    };
    let mut parser = Parser::new(&text, &options);
    let mut out = std::io::stdout().lock();
    if has("arithmetic") {
        match arithmetic::parse(&text) {
            Ok(expression) => writeln!(out, "{expression:?}")?,
            Err(error) => {
                let token = String::from_utf8_lossy(error.token(&text)).into_owned();
                let message = error.kind.message();
                writeln!(out, "{message} (error token is \"{token}\")")?;
            }
        }
        return Ok(());
    }
    loop {
        match parser.next_command() {
            Outcome::Command(line) if has("braces") => {
                let first = line
                    .list
                    .items
                    .first()
                    .map(|item| &item.and_or.first.commands);
                if let Some(CommandKind::Simple(simple)) = first
                    .and_then(|commands| commands.first())
                    .map(|command| &command.kind)
                {
                    for word in simple.words.iter().flat_map(braces::expand) {
                        out.write_all(&unparse::word(&word))?;
                        out.write_all(b"\n")?;
                    }
                }
            }
            Outcome::Command(line) if has("tree") => writeln!(out, "{line:#?}")?,
            Outcome::Command(line) if has("print") => {
                let first = line
                    .list
                    .items
                    .first()
                    .map(|item| &item.and_or.first.commands);
                match first
                    .and_then(|commands| commands.first())
                    .map(|command| &command.kind)
                {
                    Some(CommandKind::Function(function)) => {
                        out.write_all(&unparse::function(&function.name, &function.body))?;
                    }
                    _ => out.write_all(&unparse::list(&line.list))?,
                }
                out.write_all(b"\n")?;
            }
            Outcome::Command(_) => {}
            Outcome::End | Outcome::Incomplete(_) => return Ok(()),
            Outcome::Error(error) => {
                for message in error.messages(dialect, false) {
                    match dialect {
                        Dialect::Bash => write!(out, "bash: -c: line {}: ", error.line)?,
                        Dialect::Dash => write!(out, "dash: {}: ", error.line)?,
                        Dialect::Ash => write!(out, "ash: ")?,
                    }
                    out.write_all(&message)?;
                    out.write_all(b"\n")?;
                }
                return Ok(());
            }
        }
    }
}
