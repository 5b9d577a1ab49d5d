//! `ftpget`: downloads a file via FTP, exactly as BusyBox does.

use std::process::ExitCode;

use ftp_client::program;

fn main() -> ExitCode {
    program::ftpget(&program::arguments())
}
