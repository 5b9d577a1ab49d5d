//! Speeds, on a clock that only moves when everybody waits.

use std::net::Ipv4Addr;
use std::num::NonZeroU64;
use std::time::Duration;

use ftp_server::account::{Account, Allowance};
use ftp_server::auth::{Attempt, Authenticator, Denied, User};
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::{Limits, Listener, Server};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Everybody is one user, whose sessions share what they may use up.
struct OneUser(Arc<Account>);

impl Authenticator for OneUser {
    async fn login(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        let mut user = User::new(attempt.user.clone(), Rights::ALL);
        user.account = Arc::clone(&self.0);
        Ok(user)
    }
}

const BYTES: usize = 1_000_000;
const DOWN: u64 = 100_000;
const UP: u64 = 50_000;

struct Session(BufReader<TcpStream>);

impl Session {
    async fn start(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        let mut session = Self(BufReader::new(stream));
        session.expect("220 ").await;
        for (line, answer) in [("USER a", "331 "), ("PASS b", "230 "), ("TYPE I", "200 ")] {
            session.ask(line, answer).await;
        }
        session
    }

    async fn ask(&mut self, line: &str, start: &str) -> String {
        let line = format!("{line}\r\n");
        self.0.get_mut().write_all(line.as_bytes()).await.unwrap();
        self.expect(start).await
    }

    async fn expect(&mut self, start: &str) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(start), "{line:?} instead of {start:?}");
        line
    }

    async fn data(&mut self) -> TcpStream {
        let reply = self.ask("EPSV", "229 ").await;
        let port: u16 = reply.split('|').nth(3).unwrap().parse().unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap()
    }

    async fn retrieve(&mut self) {
        let mut data = self.data().await;
        self.ask("RETR big", "150 ").await;
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), BYTES);
        self.expect("226 ").await;
    }

    async fn store(&mut self, name: &str) {
        let mut data = self.data().await;
        self.ask(&format!("STOR {name}"), "150 ").await;
        data.write_all(&vec![b'x'; BYTES]).await.unwrap();
        data.shutdown().await.unwrap();
        self.expect("226 ").await;
    }
}

/// Within a tenth of what a rate allows for so many bytes.
fn is_right(took: Duration, bytes: usize, rate: u64) -> bool {
    let right = Duration::from_secs(bytes as u64 / rate);
    took >= right - right / 10 && took <= right + right / 10
}

#[tokio::test(start_paused = true)]
async fn each_direction_keeps_to_its_rate_alone_and_together_within_a_tenth() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("big"), vec![b'x'; BYTES]).unwrap();
    let account = Account::new(Allowance {
        download_rate: NonZeroU64::new(DOWN),
        upload_rate: NonZeroU64::new(UP),
        ..Allowance::default()
    });
    let mut options = FileOptions::default();
    // A stopped clock jumps to the next alarm whenever it can; no other one is to be near.
    options.data.idle = Duration::from_secs(100_000);
    let disk = Disk::open(dir.path()).unwrap();
    let files = FileServer::new(OneUser(Arc::new(account)), disk, options);
    let listener = Listener::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
    let port = listener.addresses().unwrap()[0].port();
    tokio::spawn(Server::new(files, Limits::default()).serve(listener));

    let mut first = Session::start(port).await;
    let began = Instant::now();
    first.retrieve().await;
    let took = began.elapsed();
    assert!(is_right(took, BYTES, DOWN), "down: {took:?}");

    let began = Instant::now();
    first.store("new").await;
    let took = began.elapsed();
    assert!(is_right(took, BYTES, UP), "up: {took:?}");

    // Two sessions share a rate; the other direction has its own.
    let mut second = Session::start(port).await;
    let mut third = Session::start(port).await;
    let began = Instant::now();
    let downloads = async {
        tokio::join!(first.retrieve(), second.retrieve());
        began.elapsed()
    };
    let upload = async {
        third.store("other").await;
        began.elapsed()
    };
    let (down, up) = tokio::join!(downloads, upload);
    assert!(
        is_right(down, 2 * BYTES, DOWN),
        "down, two sessions: {down:?}"
    );
    assert!(is_right(up, BYTES, UP), "up beside them: {up:?}");
}
