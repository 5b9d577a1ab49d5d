//! The whole of BusyBox 1.35 `ftpget` and `ftpput`, written once over a [`Dial`] and a [`Host`].
//!
//! Every text, the order of commands and the moment each file is touched were observed on a real
//! BusyBox (`v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1)`); `tests/busybox.rs` runs both side by side.
//!
//! Differences, all wanted:
//!
//! - CR and LF in an operand go to the server as `?`. The original sends them, and with them any
//!   command to any line-based service; a program that strangers can start must not be a relay.
//! - A server that never comes to the point is taken for closed after [`MAX_SKIPPED_BYTES`].
//! - Where the original dies of SIGPIPE, the exit status is [`BROKEN_PIPE`] and nothing is printed.
//! - A scope in an address literal (`fe80::1%eth0`) is what the [`Dial`] makes of it.

mod address;
mod failure;
mod host;
mod option;
mod response;
mod session;
mod transfer;

pub use self::address::service_port;
pub use self::failure::Failure;
pub use self::host::{Host, Sink, Source, TransferEvent, Words};
pub use self::response::MAX_SKIPPED_BYTES;
pub use self::transfer::Remote;

use self::option::Parsed;
use crate::dial::Dial;

/// The first line of every usage text.
pub const BANNER: &str = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.";

/// Exit status of a program killed by SIGPIPE, as a shell shows it.
pub const BROKEN_PIPE: u8 = 128 + 13;

/// Runs `ftpget` with these arguments (without the program's name) and returns its exit status.
///
/// Dropping the future closes the connections; what was written so far stays with the host.
pub async fn ftpget<D: Dial, H: Host>(dial: &D, host: &mut H, args: &[Vec<u8>]) -> u8 {
    run(Applet::Ftpget, dial, host, args).await
}

/// Runs `ftpput` with these arguments (without the program's name) and returns its exit status.
///
/// Dropping the future closes the connections; the server may keep a part of the file.
pub async fn ftpput<D: Dial, H: Host>(dial: &D, host: &mut H, args: &[Vec<u8>]) -> u8 {
    run(Applet::Ftpput, dial, host, args).await
}

/// Which of the two programs runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Applet {
    Ftpget,
    Ftpput,
}

impl Applet {
    const fn name(self) -> &'static str {
        match self {
            Self::Ftpget => "ftpget",
            Self::Ftpput => "ftpput",
        }
    }

    const fn usage(self) -> &'static str {
        match self {
            Self::Ftpget => concat!(
                "Usage: ftpget [OPTIONS] HOST [LOCAL_FILE] REMOTE_FILE\n\n",
                "Download a file via FTP\n\n",
                "\t-c\tContinue previous transfer\n",
                "\t-v\tVerbose\n",
                "\t-u USER\tUsername\n",
                "\t-p PASS\tPassword\n",
                "\t-P PORT\n",
            ),
            Self::Ftpput => concat!(
                "Usage: ftpput [OPTIONS] HOST [REMOTE_FILE] LOCAL_FILE\n\n",
                "Upload a file to a FTP server\n\n",
                "\t-v\tVerbose\n",
                "\t-u USER\tUsername\n",
                "\t-p PASS\tPassword\n",
                "\t-P PORT\n",
            ),
        }
    }
}

async fn run<D: Dial, H: Host>(applet: Applet, dial: &D, host: &mut H, args: &[Vec<u8>]) -> u8 {
    let options = match option::parse(args) {
        Parsed::Run(options) => options,
        Parsed::Help => {
            print_usage(applet, host).await;
            return 0;
        }
        Parsed::Usage { complaint } => {
            if let Some(complaint) = complaint {
                complain(applet, host, &complaint).await;
            }
            print_usage(applet, host).await;
            return 1;
        }
    };
    match transfer::run(applet, dial, host, options).await {
        Ok(()) => 0,
        Err(Failure::BrokenPipe) => BROKEN_PIPE,
        Err(failure) => {
            complain(applet, host, &failure.text()).await;
            1
        }
    }
}

async fn print_usage<H: Host>(applet: Applet, host: &mut H) {
    let text = format!("{BANNER}\n\n{}", applet.usage());
    host.stderr(text.as_bytes()).await;
}

/// One line on stderr, behind the program's name.
async fn complain<H: Host>(applet: Applet, host: &mut H, text: &[u8]) {
    let line = [applet.name().as_bytes(), b": ", text, b"\n"].concat();
    host.stderr(&line).await;
}
