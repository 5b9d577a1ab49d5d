//! A backend of one's own: a directory of files that are made when they are asked for.
//!
//! `cargo run -p ftp-server --example custom_backend`, then `curl ftp://127.0.0.1:2121/square-12`.
//! Ctrl-C ends it.

use std::io;

use ftp_server::auth::{Accounts, User};
use ftp_server::backend::simple::{Content, Entries, NoWriter};
use ftp_server::backend::{Backend, Files};
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::listing::{Entry, Kind};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::ftp_proto::server::{FileError, Path};
use ftp_server::{Limits, Listener, Server};

// ANCHOR: backend
/// Squares: the file `square-N` holds N times N, for N up to 99.
#[derive(Clone, Copy)]
pub(crate) struct Squares;

impl Backend for Squares {
    type Files = Self;

    async fn enter(&self, _: &User) -> Result<Self, FileError> {
        Ok(*self)
    }
}

impl Files for Squares {
    type Reader = Content;
    type Writer = NoWriter;
    type Lister = Entries;

    async fn look(&self, path: &Path) -> Result<Entry, FileError> {
        let Some(name) = path.name() else {
            return Ok(Entry::new("/", Kind::Directory));
        };
        let mut entry = Entry::new(name, Kind::File);
        entry.size = Some(square(path)?.len() as u64);
        Ok(entry)
    }

    async fn list(&self, path: &Path) -> Result<Entries, FileError> {
        if path.name().is_some() {
            return Err(FileError::NotADirectory);
        }
        let names = (1..100).map(|number| Entry::new(format!("square-{number}"), Kind::File));
        Ok(Entries::new(names.collect()))
    }

    async fn read(&self, path: &Path, offset: u64) -> Result<(Option<u64>, Content), FileError> {
        Content::from_offset(square(path)?, offset)
    }
}
// ANCHOR_END: backend

fn square(path: &Path) -> Result<String, FileError> {
    let name = path.as_bytes().strip_prefix(b"/square-");
    let number = name.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
    match number {
        Some(number @ 1..100) => Ok(format!("{}\n", number * number)),
        _ => Err(FileError::NotFound),
    }
}

/// The service.
pub(crate) fn server() -> Server<impl ftp_server::Handler> {
    let accounts = Accounts::new().with_anonymous(Rights::READ);
    let files = FileServer::new(accounts, Squares, FileOptions::default());
    Server::new(files, Limits::default())
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();
    let server = server();
    let stop = server.stop_token();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    server.serve(Listener::dual_stack(2121)?).await
}
