//! A directory of a million files is listed in memory that does not know how many they are. By itself,
//! since it measures the process.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of a test fail the test, and it reads what the system says of it"
)]

use std::net::Ipv4Addr;
use std::time::Duration;

use ftp_server::auth::{Accounts, User};
use ftp_server::backend::simple::{Content, NoWriter};
use ftp_server::backend::{Backend, Files, Lister};
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::listing::{Entry, Kind};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::ftp_proto::server::{FileError, Path};
use ftp_server::{Limits, Listener, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const FILES: usize = 1_000_000;

/// In the directory below, for the forms that take longer to write.
const FEWER: usize = 100_000;

/// Entries the made-up directory gives at a time, as a disk does.
const BATCH: usize = 500;

/// What a listing may cost; all entries together would take more than a hundred mebibytes.
const MAX_GROWTH_KIB: u64 = 24 * 1024;

/// Nothing here takes that long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory that holds a million files and nothing of them.
#[derive(Clone)]
struct Endless;

/// How many are to come.
struct Part(usize);

impl Backend for Endless {
    type Files = Self;

    async fn enter(&self, _: &User) -> Result<Self, FileError> {
        Ok(Self)
    }
}

impl Files for Endless {
    type Reader = Content;
    type Writer = NoWriter;
    type Lister = Part;

    async fn look(&self, _: &Path) -> Result<Entry, FileError> {
        Ok(Entry::new("/", Kind::Directory))
    }

    async fn list(&self, path: &Path) -> Result<Part, FileError> {
        Ok(Part(if path.name().is_none() { FILES } else { FEWER }))
    }

    async fn read(&self, _: &Path, _: u64) -> Result<(Option<u64>, Content), FileError> {
        Err(FileError::NotFound)
    }
}

impl Lister for Part {
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, FileError> {
        if self.0 == 0 {
            return Ok(None);
        }
        self.0 -= BATCH;
        let name = |number| format!("a-file-with-a-name-of-some-length-{number:07}");
        let entries = (self.0..self.0 + BATCH).map(|number| Entry::new(name(number), Kind::File));
        Ok(Some(entries.collect()))
    }
}

/// Most memory this process has had at once since it was last forgotten, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

async fn expect(control: &mut BufReader<TcpStream>, start: &str) -> String {
    let mut line = String::new();
    let read = control.read_line(&mut line);
    timeout(PATIENCE, read).await.unwrap().unwrap();
    assert!(line.starts_with(start), "{line:?} instead of {start:?}");
    line
}

#[tokio::test]
async fn a_million_files_are_listed_in_bounded_memory() {
    let accounts = Accounts::new().with_anonymous(Rights::ALL);
    let files = FileServer::new(accounts, Endless, FileOptions::default());
    let listener = Listener::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
    let address = listener.addresses().unwrap()[0];
    tokio::spawn(Server::new(files, Limits::default()).serve(listener));
    let mut control = BufReader::new(TcpStream::connect(address).await.unwrap());
    expect(&mut control, "220 ").await;
    for (line, start) in [("USER ftp", "331 "), ("PASS x", "230 ")] {
        control
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .unwrap();
        expect(&mut control, start).await;
    }
    // Forgets the peak; see proc(5).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    for (line, count) in [
        ("NLST", FILES),
        ("LIST -t below", FEWER),
        ("MLSD below", FEWER),
    ] {
        control.write_all(b"EPSV\r\n").await.unwrap();
        let reply = expect(&mut control, "229 ").await;
        let port: u16 = reply.split('|').nth(3).unwrap().parse().unwrap();
        let mut data = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        control
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .unwrap();
        expect(&mut control, "150 ").await;
        let (mut lines, mut buffer) = (0, vec![0; 65_536]);
        loop {
            let read = data.read(&mut buffer);
            let got = timeout(PATIENCE, read).await.unwrap().unwrap();
            if got == 0 {
                break;
            }
            lines += buffer[..got].iter().filter(|byte| **byte == b'\n').count();
        }
        expect(&mut control, "226 ").await;
        assert_eq!(lines, count, "{line}");
        let growth = peak().saturating_sub(before);
        assert!(growth < MAX_GROWTH_KIB, "{line} took {growth} KiB");
    }
}
