//! `ftpd DIR`: serves a directory over FTP.
//!
//! Anonymous users may read. Prints one line with the port, then logs to standard error. SIGINT or
//! SIGTERM stops it: open sessions are told, transfers get a grace; a second signal ends it at once.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program speaks to its terminal and lives on its host"
)]

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ftp_server::auth::{Accounts, Secret};
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::Argument;
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::{Limits, Listener, Server};
use tokio::signal::unix::{SignalKind, signal};

/// Serve a directory over FTP.
#[derive(Parser)]
#[command(name = "ftpd", version)]
struct Options {
    /// The directory; nothing outside of it can be reached
    dir: PathBuf,
    /// Port on all addresses, IPv4 and IPv6; 0 takes any free one
    #[arg(long, default_value_t = 2121)]
    port: u16,
    /// Listen on this address only; can be given several times
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "port")]
    listen: Vec<SocketAddr>,
    /// A user with a password; can be given several times
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = account)]
    user: Vec<(Argument, Secret)>,
    /// Let users change files; anonymous ones too if there are no others
    #[arg(long)]
    write: bool,
    /// Let nobody in without a password
    #[arg(long)]
    no_anonymous: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ftpd: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(options: Options) -> io::Result<()> {
    let dir = options.dir.display();
    let disk = Disk::open(&options.dir)
        .map_err(|error| io::Error::new(error.kind(), format!("{dir}: {error}")))?;
    let listener = if options.listen.is_empty() {
        Listener::dual_stack(options.port)
    } else {
        Listener::bind(&options.listen)
    };
    let listener = listener.map_err(|error| {
        let text = format!("cannot listen: {error} (another port: --port N)");
        io::Error::new(error.kind(), text)
    })?;
    // Before the line that says we are there: whoever reads it may stop us at once.
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    for address in listener.addresses()? {
        writeln!(io::stdout(), "ftpd: {dir} on port {}", address.port())?;
    }
    let files = FileServer::new(accounts(&options), disk, FileOptions::default());
    let server = Server::new(files, Limits::default());
    let stop = server.stop_token();
    let signals = async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stop.is_cancelled() {
                return;
            }
            stop.cancel();
        }
    };
    tokio::select! {
        result = server.serve(listener) => result,
        () = signals => Ok(()),
    }
}

fn accounts(options: &Options) -> Accounts {
    let rights = |may_write| {
        if may_write { Rights::ALL } else { Rights::READ }
    };
    let mut accounts = Accounts::new();
    if !options.no_anonymous {
        accounts = accounts.with_anonymous(rights(options.write && options.user.is_empty()));
    }
    for (name, password) in &options.user {
        accounts = accounts.with_user(name.clone(), password.clone(), rights(options.write));
    }
    accounts
}

fn account(text: &str) -> Result<(Argument, Secret), String> {
    let (name, password) = text.split_once(':').ok_or("expected NAME:PASSWORD")?;
    let name = Argument::try_from(name).map_err(|error| error.to_string())?;
    Ok((name, Secret::new(password.as_bytes())))
}
