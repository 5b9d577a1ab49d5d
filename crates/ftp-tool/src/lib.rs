//! `sundew ftp`: get, put, ls, mirror and more, for people.
//!
//! The protocol is `ftp-client`'s; here is what surrounds it: who to be, where bytes go, when to try
//! again, what to say. One entry, [`run`], is called by the `sundew` program.
//!
//! - What is asked for: [`cli`], [`url`], [`netrc`], [`credential`], [`secret`],
//!   [`conceal`], [`context`]
//! - What there is and what to do: [`tree`], [`filter`], [`plan`]
//! - This computer's files: [`local`], [`part`], [`checksum`]
//! - Sessions and bytes: [`session`], [`route`], [`transfer`], [`mover`], [`retry`], [`rate`], [`meter`]
//! - What is said: [`console`], [`failure`], [`text`]

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a program for people: their files, their environment, their clock"
)]

use std::process::ExitCode;

pub mod checksum;
pub mod cli;
mod command;
pub mod conceal;
pub mod console;
pub mod context;
pub mod credential;
pub mod failure;
pub mod filter;
pub mod local;
pub mod meter;
pub mod mover;
pub mod netrc;
pub mod part;
pub mod plan;
pub mod rate;
pub mod retry;
pub mod route;
pub mod secret;
pub mod session;
pub mod text;
pub mod transfer;
pub mod tree;
pub mod url;

use crate::cli::Arguments;
use crate::context::Context;
use crate::failure::{Failure, Phase};

/// Does what the command line says; the exit status is one of those in `sundew ftp --help`.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let context = Context::new(arguments.command.common());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(Phase::Local, format!("no runtime: {error}"));
            context.console.failure(&failure);
            return ExitCode::from(failure.phase.status());
        }
    };
    let status = runtime.block_on(async {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => {
                let what = "stopped by Ctrl-C; what came is kept";
                let failure = Failure::new(Phase::Interrupted, what);
                context.console.failure(&failure.hint("the same command goes on from there"));
                Phase::Interrupted.status()
            }
            status = command::run(&arguments.command, &context) => status,
        }
    });
    // A thread may still wait for a server, or for a name.
    runtime.shutdown_background();
    ExitCode::from(status)
}
