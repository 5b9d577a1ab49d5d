//! `sundew ftp` as a program of its own, without the sensor around it.

use std::process::ExitCode;

use clap::Parser;
use ftp_tool::cli::Arguments;

/// FTP for people: get, put, list, mirror; resumes, retries, checks.
#[derive(Debug, Parser)]
#[command(name = "sundew-ftp", bin_name = "sundew-ftp", version)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    ftp_tool::run(&ftp_tool::conceal::parse::<Cli>().arguments)
}
