//! Copies a directory of a server, four files at a time, into the working directory.
//!
//! ```text
//! cargo run -p ftp-client --example mirror -- ftp.example.org pub/dir
//! ```

#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for people"
)]

use std::error::Error;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ftp_client::ftp_proto::listing::Kind;
use ftp_client::{Config, Login, Pool, dial::Tcp};

/// Sessions with the server. Many allow no more from one address.
const SESSIONS: usize = 4;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let (Some(host), Some(path)) = (words.next(), words.next()) else {
        return Err("usage: mirror HOST DIRECTORY".into());
    };
    let pool = Pool::new(Tcp, Config::at(&host), Login::anonymous(), SESSIONS);
    let mut directories = vec![(path.into_bytes(), PathBuf::from("."))];
    let mut files = tokio::task::JoinSet::new();
    while let Some((remote, local)) = directories.pop() {
        tokio::fs::create_dir_all(&local).await?;
        let listing = pool.session().await?.list(&remote).await?;
        for entry in listing.entries {
            // The server chooses the names; they must not choose the place.
            if !entry.is_plain_name() {
                eprintln!("skipped: {}", entry.name.escape_ascii());
                continue;
            }
            let from = [&remote[..], b"/", &entry.name].concat();
            let to = local.join(OsStr::from_bytes(&entry.name));
            match entry.kind {
                Kind::Directory => directories.push((from, to)),
                Kind::File => {
                    let pool = pool.clone();
                    files.spawn(async move { fetch(&pool, &from, &to).await });
                }
                Kind::Link { .. } | Kind::Other | Kind::Current | Kind::Parent => {}
            }
        }
    }
    while let Some(fetched) = files.join_next().await {
        fetched??;
    }
    pool.close().await;
    Ok(())
}

async fn fetch(pool: &Pool<Tcp>, from: &[u8], to: &Path) -> Result<(), Failure> {
    let mut session = pool.session().await?;
    let mut body = session.retrieve(from).await?;
    let mut file = tokio::fs::File::create(to).await?;
    tokio::io::copy(&mut body, &mut file).await?;
    body.finish().await?;
    eprintln!("{}", to.display());
    Ok(())
}
