//! Reads a script on standard input and prints what a shell would say about its syntax, or the
//! script again in bash's format.
//!
//! `check [bash|dash|ash] [print|tree]`; the message's front is that of `bash -c`.

#![expect(clippy::print_stdout, reason = "a program")]
#![allow(
    clippy::disallowed_methods,
    reason = "a developer's tool, not part of the machine"
)]

use std::io::{Read as _, Write as _};

use sundew_sh_syntax::ast::CommandKind;
use sundew_sh_syntax::{Dialect, Options, Outcome, Parser, unparse};

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
    loop {
        match parser.next_command() {
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
