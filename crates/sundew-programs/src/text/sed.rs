//! `sed` 4.9, GNU extensions included.

mod command;
mod execute;
mod input;
mod parse;
mod replace;

use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input as files;
use parse::{Chunk, Script};

const HELP: &[u8] = include_bytes!("help/sed.txt");
const REPORT_BUGS: &[u8] = b"E-mail bug reports to: <bug-sed@gnu.org>.\n";
const VERSION: &[u8] = include_bytes!("help/sed-version.txt");

/// A mistake in the script or the options: `EXIT_BAD_USAGE`.
const BAD_USAGE: u8 = 1;
/// An operand that cannot be read: `EXIT_BAD_INPUT`.
const BAD_INPUT: u8 = 2;
/// Everything else: `EXIT_PANIC`.
const PANIC: u8 = 4;

const SPEC: Spec = Spec::new(
    "bsnrzuEe:f:l:i::V:hs",
    &[
        ("binary", Arity::No, "b"),
        ("regexp-extended", Arity::No, "E"),
        ("debug", Arity::No, "debug"),
        ("in-place", Arity::Optional, "i"),
        ("expression", Arity::Required, "e"),
        ("file", Arity::Required, "f"),
        ("follow-symlinks", Arity::No, "follow"),
        ("line-length", Arity::Required, "l"),
        ("null-data", Arity::No, "z"),
        ("zero-terminated", Arity::No, "z"),
        ("quiet", Arity::No, "n"),
        ("posix", Arity::No, "posix"),
        ("silent", Arity::No, "n"),
        ("sandbox", Arity::No, "sandbox"),
        ("separate", Arity::No, "s"),
        ("unbuffered", Arity::No, "u"),
        ("version", Arity::No, "version"),
        ("help", Arity::No, "help"),
    ],
);

/// What the options say.
#[derive(Debug, Default)]
struct Options {
    quiet: bool,
    extended: bool,
    separate: bool,
    in_place: Option<Vec<u8>>,
    null_data: bool,
    unbuffered: bool,
    sandbox: bool,
    line_length: Option<usize>,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Options::default();
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => {
                proc.complain_text(error.text()).await;
                return usage(proc).await;
            }
        };
        match option.key {
            "n" => options.quiet = true,
            "E" | "r" => options.extended = true,
            "s" => options.separate = true,
            "z" => options.null_data = true,
            "u" => options.unbuffered = true,
            "sandbox" => options.sandbox = true,
            "i" => options.in_place = Some(option.value),
            "l" => {
                options.line_length = std::str::from_utf8(&option.value)
                    .ok()
                    .and_then(|text| text.parse().ok());
            }
            "e" => chunks.push(Chunk::expression(option.value, count(&chunks))),
            "f" => match files::read_all(proc, &option.value).await {
                Ok((text, _memory)) => chunks.push(Chunk::file(option.value, text)),
                Err(errno) => {
                    let path = option.value;
                    let reason = errno.message().as_bytes();
                    proc.complain_text(
                        [b"couldn't open file ", path.as_slice(), b": ", reason].concat(),
                    )
                    .await;
                    return ExitStatus::Exited(PANIC);
                }
            },
            "version" => return print(proc, VERSION).await,
            "help" => return print(proc, HELP).await,
            "h" => return usage(proc).await,
            _ => {}
        }
    }
    let mut operands = getopt.operands().into_iter();
    if chunks.is_empty() {
        let Some(script) = operands.next() else {
            return usage(proc).await;
        };
        chunks.push(Chunk::expression(script, 1));
    }
    let operands: Vec<Vec<u8>> = operands.collect();
    let script = match Script::parse(chunks, &options) {
        Ok(script) => script,
        Err((text, status)) => {
            proc.complain_text(text).await;
            return ExitStatus::Exited(status);
        }
    };
    options.quiet |= script.quiet;
    options.separate |= options.in_place.is_some();
    execute::run(proc, options, script, operands).await
}

fn count(chunks: &[Chunk]) -> usize {
    1 + chunks.iter().filter(|chunk| !chunk.is_file()).count()
}

async fn print(proc: &mut Process, text: &[u8]) -> ExitStatus {
    // The kernel reports a failed write at exit.
    let _reported = proc.print(text).await;
    ExitStatus::SUCCESS
}

async fn usage(proc: &mut Process) -> ExitStatus {
    // Where to write to is told to those who ask for help.
    let text = HELP.strip_suffix(REPORT_BUGS).unwrap_or(HELP);
    proc.print_error(text).await;
    ExitStatus::Exited(BAD_USAGE)
}

#[cfg(test)]
mod tests;
