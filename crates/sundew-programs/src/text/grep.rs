//! `grep` 3.8: lines that match patterns.
//!
//! Patterns come in the C library's grammars and, with `-P`, as good as another library knows
//! Perl's. Files are read as a stream, so that a line typed at a terminal is answered at once.

mod matcher;
mod options;
mod output;
mod search;
mod walk;

use sundew_kernel::{ExitStatus, Process};

use matcher::{Compiled, Kind};
use options::{Options, Refusal};

const HELP: &[u8] = include_bytes!("help/grep.txt");
const VERSION: &[u8] = include_bytes!("help/grep-version.txt");

/// Trouble, as opposed to no match.
const TROUBLE: u8 = 2;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    run_as(proc, None).await
}

pub(crate) async fn run_extended(proc: &mut Process) -> ExitStatus {
    run_as(proc, Some(Kind::Extended)).await
}

pub(crate) async fn run_fixed(proc: &mut Process) -> ExitStatus {
    run_as(proc, Some(Kind::Fixed)).await
}

async fn run_as(proc: &mut Process, preset: Option<Kind>) -> ExitStatus {
    if preset.is_some() {
        // The scripts of these names call grep, which then speaks of itself by that name.
        let mut args = proc.args().to_vec();
        if let Some(name) = args.first_mut() {
            *name = b"grep".to_vec();
        }
        proc.set_args(args);
    }
    let mut options = match Options::read(proc, preset) {
        Ok(options) => options,
        Err(refusal) => return refuse(proc, refusal).await,
    };
    if let Err(path_error) = options.load_pattern_files(proc).await {
        let (path, errno) = path_error;
        proc.complain(&path, errno).await;
        return ExitStatus::Exited(TROUBLE);
    }
    let compiled = match Compiled::new(&options) {
        Ok(compiled) => compiled,
        Err(text) => {
            proc.complain_text(text).await;
            return ExitStatus::Exited(TROUBLE);
        }
    };
    for operator in &compiled.warnings {
        let text = format!("warning: {operator} at start of expression");
        proc.complain_text(text).await;
    }
    proc.set_status(0);
    if options.max_count == Some(0) && !options.list_without {
        return ExitStatus::FAILURE;
    }
    let mut grep = search::Grep::new(proc, options, compiled);
    grep.run(proc).await
}

async fn refuse(proc: &mut Process, refusal: Refusal) -> ExitStatus {
    const USAGE: &[u8] =
        b"Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n";
    match refusal {
        Refusal::Help => {
            // The kernel reports a failed write at exit.
            let _reported = proc.print(HELP).await;
            return ExitStatus::SUCCESS;
        }
        Refusal::Version => {
            let _reported = proc.print(VERSION).await;
            return ExitStatus::SUCCESS;
        }
        Refusal::Usage(text) => {
            if let Some(text) = text {
                proc.complain_text(text).await;
            }
            proc.print_error(USAGE).await;
        }
        Refusal::Text(text) => proc.complain_text(text).await,
        Refusal::Choice(text) => {
            proc.complain_text(text).await;
            proc.print_error(USAGE).await;
            return ExitStatus::FAILURE;
        }
    }
    ExitStatus::Exited(TROUBLE)
}

#[cfg(test)]
mod tests;
