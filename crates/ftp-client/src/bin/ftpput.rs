//! `ftpput`: uploads a file via FTP, exactly as BusyBox does.

#[path = "support/host.rs"]
mod host;

use std::process::ExitCode;

use ftp_client::busybox;
use ftp_client::dial::Tcp;

fn main() -> ExitCode {
    host::run(async |host, args| busybox::ftpput(&Tcp, host, args).await)
}
