//! `mawk` 1.3.4-20200120, as Debian's `awk`: bytes, not characters; no intervals in patterns.
//!
//! A program is compiled to instructions for a stack machine in one pass, as mawk does, so that
//! neither long nor deep programs need a deep stack, and every instruction can tick.

mod builtin;
mod format;
mod lexer;
mod number;
mod op;
mod parser;
mod print;
mod record;
mod value;
mod vm;

use sundew_kernel::{ExitStatus, Process};

use crate::text::input;

const HELP: &[u8] = include_bytes!("help/mawk.txt");
const VERSION: &[u8] = include_bytes!("help/mawk-version.txt");

/// What mawk ends with when it cannot go on.
const FATAL: u8 = 2;

/// What the command line says.
#[derive(Debug, Default)]
struct CommandLine {
    separator: Option<Vec<u8>>,
    assignments: Vec<Vec<u8>>,
    program: Vec<u8>,
    operands: Vec<Vec<u8>>,
}

/// Why there is nothing to run.
enum Refusal {
    Version,
    Help,
    Fatal(Vec<u8>),
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match read_command_line(proc).await {
        Ok(line) => line,
        Err(Refusal::Help) => {
            proc.print_error(HELP).await;
            return ExitStatus::SUCCESS;
        }
        Err(Refusal::Version) => {
            // Who made it goes to one stream, how it was built to the other.
            let end = VERSION
                .windows(2)
                .position(|pair| pair == b"\n\n")
                .map_or(VERSION.len(), |at| at + 2);
            let (made, built) = VERSION.split_at(end);
            let _reported_at_exit = proc.print(made).await;
            proc.print_error(built).await;
            return ExitStatus::SUCCESS;
        }
        Err(Refusal::Fatal(text)) => return fatal(proc, &text).await,
    };
    let program = match parser::parse(&line.program) {
        Ok(program) => program,
        Err(text) => {
            // A complaint of two lines has the name before both.
            let name = [b"\n", proc.name(), b": "].concat();
            let text =
                String::from_utf8_lossy(&text).replace("\nmawk: ", &String::from_utf8_lossy(&name));
            return fatal(proc, text.as_bytes()).await;
        }
    };
    vm::run(
        proc,
        program,
        line.separator,
        &line.assignments,
        line.operands,
    )
    .await
}

async fn fatal(proc: &mut Process, text: &[u8]) -> ExitStatus {
    let line = [proc.name(), b": ", text, b"\n"].concat();
    proc.print_error(&line).await;
    ExitStatus::Exited(FATAL)
}

async fn read_command_line(proc: &mut Process) -> Result<CommandLine, Refusal> {
    let mut line = CommandLine::default();
    let mut args = proc
        .args()
        .get(1..)
        .unwrap_or_default()
        .to_vec()
        .into_iter();
    let mut from_file = false;
    let mut operands = Vec::new();
    while let Some(arg) = args.next() {
        if arg == b"--" {
            break;
        }
        if arg.len() < 2 || !arg.starts_with(b"-") {
            operands.push(arg);
            break;
        }
        let letter = arg.get(1).copied().unwrap_or_default();
        let rest = arg.get(2..).unwrap_or_default().to_vec();
        if !matches!(letter, b'F' | b'v' | b'f' | b'W') {
            return Err(Refusal::Fatal(
                [b"not an option: ".as_slice(), &arg].concat(),
            ));
        }
        let value = if rest.is_empty() {
            args.next()
        } else {
            Some(rest)
        };
        let Some(value) = value else {
            return Err(Refusal::Fatal(
                [b"option ".as_slice(), &arg, b" lacks argument"].concat(),
            ));
        };
        match letter {
            b'F' => line.separator = Some(value),
            b'v' => line.assignments.push(value),
            b'f' => {
                from_file = true;
                match input::read_all(proc, &value).await {
                    Ok((text, _memory)) => {
                        line.program.extend_from_slice(&text);
                        line.program.push(b'\n');
                    }
                    Err(errno) => {
                        let reason = errno.message().as_bytes();
                        return Err(Refusal::Fatal(
                            [b"cannot open ", value.as_slice(), b" (", reason, b")"].concat(),
                        ));
                    }
                }
            }
            _ if value.starts_with(b"v") => return Err(Refusal::Version),
            _ if value.starts_with(b"h") || value.starts_with(b"u") => {
                return Err(Refusal::Help);
            }
            _ => {}
        }
    }
    operands.extend(args);
    let mut operands = operands.into_iter();
    if !from_file {
        line.program = operands.next().ok_or(Refusal::Help)?;
    }
    line.operands = operands.collect();
    Ok(line)
}

#[cfg(test)]
mod tests;
