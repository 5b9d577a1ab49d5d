//! Load against a sensor, and what it does to everybody else.
//!
//! A development tool behind `cargo xtask bench`. It starts the sensor (or a peer to compare with, or
//! talks to an SSH server that is already there), plays attackers over SSH and FTP servers they
//! download from, and prints Markdown tables. Everything stays on loopback; every loop is bounded in
//! count or time.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a load generator: it starts programs, opens sockets, reads the clock and prints"
)]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod carry;
mod ftp;
mod ftp_client;
mod ftpd;
mod nonblocking;
mod process;
mod ssh;
mod stats;
mod tally;
mod target;

/// Load against a sensor, and what it does to everybody else.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// What one attacker's load does to another's keystrokes and logins.
    Nonblocking(Box<nonblocking::Options>),
    /// Our FTP server beside others: speed, and what it costs.
    Ftp(Box<ftpd::Options>),
    /// The least an FTP server can do, to compare with; started by `ftp`.
    #[command(hide = true)]
    FtpLimit(ftpd::LimitOptions),
    /// Our FTP clients beside those people use: rate, processor time, memory.
    FtpClient(Box<ftp_client::Options>),
    /// The slow line between two tun devices; started by `bench/latency.py`.
    #[command(hide = true)]
    Carry(carry::Options),
}

fn main() -> ExitCode {
    let result = process::raise_descriptor_limit().and_then(|()| match Arguments::parse().task {
        Task::Nonblocking(options) => run(&options),
        Task::Ftp(options) => ftpd::run(&options),
        Task::FtpClient(options) => ftp_client::run(&options),
        Task::Carry(options) => carry::run(&options),
        Task::FtpLimit(options) => ftpd::limit::serve(&options),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sundew-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &nonblocking::Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(nonblocking::run(options))
}
