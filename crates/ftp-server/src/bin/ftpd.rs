//! `ftpd`: see `ftp_server::daemon`.

#![allow(clippy::disallowed_methods, reason = "a program reads its arguments")]

use std::process::ExitCode;

fn main() -> ExitCode {
    ftp_server::daemon::main(std::env::args_os())
}
