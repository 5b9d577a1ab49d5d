//! `.session` transcripts: commands, and what a machine answered.
//!
//! ```text
//! # origin: bash 5.2, GNU coreutils 9.1
//!
//! $ printf 'one\ntwo\n' | wc -l
//! 2
//!
//! $ wc -l nope
//! ! wc: nope: No such file or directory
//! ? 1
//! ```
//!
//! Each `$` line is one command, run by a fresh `bash -c` in the same machine and the same starting
//! directory: files survive from step to step, variables do not. The grammar is in [`parse`](mod@parse);
//! [`check_directory`] compares and rewrites.

use std::future::Future;
use std::io;

mod check;
mod text;

pub mod parse;

pub use check::{Check, check_directory, check_file};
pub use parse::{ParseError, Session, Step};

/// What a transcript can be run on.
pub trait System {
    /// Runs one command to its end, as `bash -c COMMAND` from the starting directory.
    ///
    /// # Errors
    ///
    /// When the system itself failed, not the command: the step is then reported with this error.
    fn run(&mut self, command: Command<'_>) -> impl Future<Output = io::Result<Output>>;
}

/// One command to run.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// What stands after `$ `; continuation lines are joined by newlines.
    pub text: &'a [u8],
    /// What the command can read from its standard input before end of file.
    pub stdin: &'a [u8],
}

/// What one command answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit status as `$?` shows it: 128 plus the number for a signal.
    pub status: i32,
}
