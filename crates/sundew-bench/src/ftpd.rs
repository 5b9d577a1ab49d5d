//! `sundew-bench ftp`: our FTP server beside others, with the same load on each.
//!
//! Rates on a shared machine say little; the processor time a server has used for the same work
//! repeats. So every line has both, and a bare loop of epoll and sendfile ([`limit`]) runs in the same
//! series to say what this machine can do at all.

mod client;
mod data;
pub(crate) mod limit;
mod load;
mod meter;
mod network;
mod peer;
mod report;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use self::data::Data;
use self::load::Load;
use self::peer::Peer;
use self::report::Report;

/// Our FTP server beside others.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Our server
    #[arg(long, default_value = "target/release/ftpd")]
    ftpd: PathBuf,
    /// Times everything is measured; the table has medians
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// A tenth of the work: to see whether it runs, not to quote
    #[arg(long)]
    quick: bool,
    /// Only these servers: limit, ours, vsftpd, pure-ftpd, proftpd, busybox, pyftpdlib, libunftp
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only these lines of the table, by the beginning of their names
    #[arg(long, value_delimiter = ',')]
    lines: Vec<String>,
    /// Put the table into this file, between its two marks
    #[arg(long)]
    write: Option<PathBuf>,
    /// Where Debian's servers were unpacked that cannot be installed side by side
    #[arg(long, default_value = "target/peers/debian")]
    unpacked: PathBuf,
    /// The Python that has pyftpdlib
    #[arg(long, default_value = "target/peers/venv/bin/python3")]
    python: PathBuf,
    /// The program of bench/libunftp
    #[arg(long, default_value = "bench/libunftp/target/release/bench-libunftp")]
    libunftp: PathBuf,
}

/// The bare loop, as a program of its own.
#[derive(Debug, Args)]
pub(crate) struct LimitOptions {
    /// The directory
    root: PathBuf,
    /// The port on 127.0.0.1
    port: u16,
}

/// Runs everything and prints the table.
pub(crate) fn run(options: &Options) -> Result<()> {
    network::enter()?;
    let data = Data::make()?;
    let mut report = Report::default();
    for peer in Peer::all() {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == peer.name()) {
            continue;
        }
        let Some(plan) = peer.plan(options, &data)? else {
            eprintln!("{}: not found here", peer.name());
            report.missing(peer.name());
            continue;
        };
        let server = match plan.start() {
            Ok(server) => server,
            Err(error) => {
                eprintln!("{}: {error:#}", peer.name());
                report.missing(peer.name());
                continue;
            }
        };
        let load = Load::new(options, &data, &server);
        for round in 0..options.runs {
            for line in load::LINES {
                let wanted = options.lines.is_empty()
                    || options
                        .lines
                        .iter()
                        .any(|name| line.name.starts_with(name.as_str()));
                // Memory first and once: a server that has worked keeps what it grew to.
                if !wanted || (line.is_tls && !peer.has_tls()) || (line.is_once && round > 0) {
                    continue;
                }
                match (line.run)(&load) {
                    Ok(figures) => report.add(peer.name(), line, figures),
                    Err(error) => {
                        eprintln!("{}: {}: {error:#}", peer.name(), line.name);
                        report.failed(peer.name(), line);
                    }
                }
            }
            eprintln!(
                "{}: run {} of {} done",
                peer.name(),
                round + 1,
                options.runs
            );
            data.clean()?;
        }
    }
    let table = report.table(options.quick);
    println!("{table}");
    if let Some(path) = &options.write {
        report::put(path, &table).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
