//! Developer tasks, run as `cargo xtask TASK`.
//!
//! Everything a check needs beyond cargo is here, so that the hosted CI, the test script and a
//! person run the same command.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool: it reads the checkout, runs cargo and prints what it finds"
)]

use std::process::ExitCode;

mod bench;
mod ci;
mod fuzz;
mod oracle;
mod step;
mod tidy;
mod workspace;

const USAGE: &str = "\
usage: cargo xtask TASK

  ci [--quick]          every check in order, stopping at the first failure;
                        --quick leaves the fuzz targets out
  tidy                  what no compiler checks: heads, sizes, levels, transcripts, invariants
  fuzz [--afresh] [SECONDS] [TARGET]...
                        builds and runs the fuzz targets, each for SECONDS (default 60);
                        --afresh starts from the seeds alone and is repeatable, as in ci
  oracle FILE...        replays .session files on this computer's bash and shows the difference
  oracle shell bash|dash|ash SEED COUNT|FILE
                        random or given shell text on this computer's shell and on ours
  oracle pty FILE...    types what .terminal files say at this computer's shells and at ours, shows
                        the bytes that differ; BLESS=1 records those of the real ones
  bench machine [--write FILE]  start, memory and first write of an emulated machine, 10,000 resident
  bench shell           parsing, typing, and loops beside this computer's bash
  bench nonblocking [OPTION]...
                        one attacker's load against another's keystrokes; see its --help
  bench ftp [OPTION]... our FTP server beside others; see its --help. `--write docs/performance.md`
                        puts the table there
  bench ftp-client [OPTION]...
                        our FTP clients beside curl, lftp, wget, BusyBox, suppaftp and ftplib
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["ci"] => ci::run(ci::Extent::Full),
        ["ci", "--quick"] => ci::run(ci::Extent::Quick),
        ["tidy"] => tidy::run(),
        ["fuzz", rest @ ..] => fuzz::command(rest),
        ["oracle", "shell", rest @ ..] => oracle::shell(rest),
        ["oracle", "pty", files @ ..] if !files.is_empty() => oracle::pty(files),
        ["oracle", files @ ..] if !files.is_empty() => oracle::run(files),
        ["bench", "machine", rest @ ..] => bench::machine(rest),
        ["bench", "shell"] => bench::shell(),
        ["bench", "nonblocking", rest @ ..] => bench::nonblocking(rest),
        ["bench", "ftp", rest @ ..] => bench::ftp(rest),
        ["bench", "ftp-client", rest @ ..] => bench::ftp_client(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
