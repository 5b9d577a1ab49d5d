//! The promises of the driver that no ordinary client puts to the test, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of a test fail the test"
)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ftp_server::auth::Accounts;
use ftp_server::backend::memory::Memory;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::ftp_proto::server::Settings;
use ftp_server::ftp_proto::{Code, Command, Reply};
use ftp_server::{Answer, Connection, Handler, Limits, Listener, Request, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything on this machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    fn start<H: Handler>(handler: H, limits: Limits) -> Self {
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::bind(&[any]).unwrap();
        let address = listener.addresses().unwrap()[0];
        let server = Server::new(handler, limits);
        Self {
            address,
            stop: server.stop_token(),
            task: tokio::spawn(server.serve(listener)),
        }
    }

    fn files(options: FileOptions, limits: Limits) -> Self {
        let accounts = Accounts::new().with_anonymous(Rights::ALL);
        Self::start(
            FileServer::new(accounts, Memory::new(1 << 20), options),
            limits,
        )
    }

    async fn client(&self) -> Client {
        let mut client = Client(BufReader::new(
            TcpStream::connect(self.address).await.unwrap(),
        ));
        client.expect("220 ").await;
        client
    }

    async fn logged_in(&self) -> Client {
        let mut client = self.client().await;
        client.ask("USER ftp", "331 ").await;
        client.ask("PASS x", "230 ").await;
        client.ask("TYPE I", "200 ").await;
        client
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads one line, which must begin so.
    async fn expect(&mut self, start: &str) -> String {
        let line = self.line().await;
        assert!(line.starts_with(start), "{line:?} instead of {start:?}");
        line
    }

    async fn ask(&mut self, line: &str, start: &str) -> String {
        self.say(format!("{line}\r\n")).await;
        self.expect(start).await
    }

    /// One line, or nothing at the end.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.0.read_line(&mut line)).await;
        match read {
            Ok(Ok(_)) => line,
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => line,
            other => panic!("{other:?}"),
        }
    }

    async fn data_port(&mut self) -> SocketAddr {
        let line = self.ask("EPSV", "229 ").await;
        let port = line.split('|').nth(3).unwrap().parse().unwrap();
        (Ipv4Addr::LOCALHOST, port).into()
    }
}

#[tokio::test]
async fn a_line_too_long_is_answered_and_the_session_goes_on() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.client().await;
    client.say(vec![b'a'; 1_000_000]).await;
    client.ask("", "500 ").await;
    client.ask("NOOP", "200 ").await;
}

#[tokio::test]
async fn commands_sent_at_once_and_byte_by_byte_are_answered_in_order() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.client().await;
    client
        .say("NOOP\r\nSYST\nUSER ftp\r\nPASS x\r\nPWD\r\nFOO\r\nQUIT\r\nNOOP\r\n")
        .await;
    for start in ["200 ", "215 ", "331 ", "230 ", "257 ", "500 ", "221 "] {
        client.expect(start).await;
    }
    assert_eq!(client.line().await, "");
    let mut client = server.client().await;
    for byte in *b"NOOP\r\n" {
        client.say([byte]).await;
    }
    client.expect("200 ").await;
}

#[tokio::test]
async fn a_silent_client_is_told_and_closed() {
    let settings = Settings {
        login: Duration::from_millis(50),
        ..Settings::default()
    };
    let options = FileOptions {
        settings,
        ..FileOptions::default()
    };
    let server = Running::files(options, Limits::default());
    let mut client = server.client().await;
    client.expect("421 Control connection timed out.").await;
    assert_eq!(client.line().await, "");
}

#[tokio::test]
async fn one_connection_too_many_is_told_and_closed_and_makes_room_when_it_goes() {
    let limits = Limits {
        connections_per_address: 1,
        ..Limits::default()
    };
    let server = Running::files(FileOptions::default(), limits);
    let mut first = server.client().await;
    let mut second = Client(BufReader::new(
        TcpStream::connect(server.address).await.unwrap(),
    ));
    second.expect("421 Too many").await;
    assert_eq!(second.line().await, "");
    first.ask("QUIT", "221 ").await;
    assert_eq!(first.line().await, "");
    drop(first);
    // The place is free once the task is reaped, which nothing outside can see.
    for _ in 0..1000 {
        let stream = TcpStream::connect(server.address).await.unwrap();
        if Client(BufReader::new(stream))
            .line()
            .await
            .starts_with("220 ")
        {
            return;
        }
    }
    panic!("the place was never free");
}

#[tokio::test]
async fn nobody_else_gets_into_a_data_connection() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    let port = client.data_port().await;
    let thief = TcpSocket::new_v4().unwrap();
    thief.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
    let mut thief = thief.connect(port).await.unwrap();
    client.ask("STOR mine", "150 ").await;
    let mut stolen = Vec::new();
    // Closed or reset, as the server pleases, without a byte.
    let read = timeout(PATIENCE, thief.read_to_end(&mut stolen))
        .await
        .unwrap();
    assert!(stolen.is_empty(), "{read:?}");
    let mut owner = TcpStream::connect(port).await.unwrap();
    owner.write_all(b"mine").await.unwrap();
    drop(owner);
    client.expect("226 ").await;
    client.ask("SIZE mine", "213 4").await;
}

#[tokio::test]
async fn active_mode_goes_to_the_client_and_to_nobody_else() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [high, low] = listener.local_addr().unwrap().port().to_be_bytes();
    client
        .ask(&format!("PORT 127,0,0,2,{high},{low}"), "501 ")
        .await;
    client.ask("STOR x", "425 ").await;
    client
        .ask(&format!("PORT 127,0,0,1,{high},{low}"), "200 ")
        .await;
    client.ask("STOR x", "150 ").await;
    let (mut data, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    data.write_all(b"12").await.unwrap();
    drop(data);
    client.expect("226 ").await;
}

#[tokio::test]
async fn a_data_connection_nobody_makes_is_given_up() {
    let mut options = FileOptions::default();
    options.data.connect = Duration::from_millis(50);
    let server = Running::files(options, Limits::default());
    let mut client = server.logged_in().await;
    client.data_port().await;
    client.ask("STOR x", "150 ").await;
    client.expect("425 ").await;
    client.ask("NOOP", "200 ").await;
}

#[tokio::test]
async fn lines_sent_during_a_transfer_wait_for_it_and_status_does_not() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    let port = client.data_port().await;
    let mut data = TcpStream::connect(port).await.unwrap();
    client.ask("STOR x", "150 ").await;
    client.ask("STAT", "211 Transfer").await;
    client.say("SIZE x\r\nNOOP\r\n").await;
    data.write_all(b"123").await.unwrap();
    drop(data);
    client.expect("226 ").await;
    client.expect("213 3").await;
    client.expect("200 ").await;
}

#[tokio::test]
async fn a_transfer_is_aborted_behind_a_telnet_interrupt() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    let port = client.data_port().await;
    let mut data = TcpStream::connect(port).await.unwrap();
    client.ask("STOR x", "150 ").await;
    client.say(b"\xff\xf4\xff\xf2ABOR\r\n").await;
    client.expect("426 ").await;
    client.expect("226 ").await;
    let mut rest = Vec::new();
    let closed = timeout(PATIENCE, data.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(rest.is_empty(), "{closed:?}");
    client.ask("NOOP", "200 ").await;
}

#[tokio::test]
async fn text_travels_with_crlf_and_is_kept_with_lf() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    client.ask("TYPE A", "200 ").await;
    let port = client.data_port().await;
    let mut data = TcpStream::connect(port).await.unwrap();
    client.ask("STOR x", "150 ").await;
    data.write_all(b"a\r\nb\r\n\r").await.unwrap();
    drop(data);
    client.expect("226 ").await;
    for (representation, expected) in [("I", &b"a\nb\n\r"[..]), ("A", b"a\r\nb\r\n\r")] {
        client.ask(&format!("TYPE {representation}"), "200 ").await;
        let port = client.data_port().await;
        let mut data = TcpStream::connect(port).await.unwrap();
        client.ask("RETR x", "150 ").await;
        let mut taken = Vec::new();
        timeout(PATIENCE, data.read_to_end(&mut taken))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(taken, expected);
        client.expect("226 ").await;
    }
}

#[tokio::test]
async fn a_full_backend_is_told_as_such() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    let port = client.data_port().await;
    let mut data = TcpStream::connect(port).await.unwrap();
    client.ask("STOR x", "150 ").await;
    // More than the memory takes; the server may close before it has everything.
    let sent = data.write_all(&vec![0; 3 << 20]).await;
    client.expect("452 ").await;
    drop(sent);
    client.ask("NOOP", "200 ").await;
}

#[tokio::test]
async fn stopping_tells_the_idle_and_lets_a_transfer_end() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut idle = server.logged_in().await;
    let mut busy = server.logged_in().await;
    let port = busy.data_port().await;
    let mut data = TcpStream::connect(port).await.unwrap();
    busy.ask("STOR x", "150 ").await;
    server.stop.cancel();
    idle.expect("421 ").await;
    assert_eq!(idle.line().await, "");
    data.write_all(b"123").await.unwrap();
    drop(data);
    busy.expect("226 ").await;
    busy.expect("421 ").await;
    drop((idle, busy));
    timeout(PATIENCE, server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let limits = Limits {
        grace: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Running::files(FileOptions::default(), limits);
    let mut client = server.logged_in().await;
    client.data_port().await;
    client.ask("STOR x", "150 ").await;
    server.stop.cancel();
    timeout(PATIENCE, server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_no_other() {
    struct Fragile;

    impl Handler for Fragile {
        type Session = ();

        async fn on_connect(&self, connection: &mut Connection) -> io::Result<()> {
            connection.reply(&Reply::new(Code::READY, "careful")).await
        }

        async fn on_request(
            &self,
            _: &mut (),
            request: Request,
            _: &mut Connection,
        ) -> io::Result<Answer> {
            match request.command {
                Ok(Command::Noop) => Ok(Answer::reply(Code::OKAY, "ok")),
                _ => panic!("as a test"),
            }
        }
    }

    let server = Running::start(Fragile, Limits::default());
    let mut other = server.client().await;
    let mut client = server.client().await;
    client.ask("FOO", "421 ").await;
    assert_eq!(client.line().await, "");
    other.ask("NOOP", "200 ").await;
}

#[tokio::test]
async fn lines_that_come_together_are_answered_in_order_and_none_is_lost() {
    let server = Running::files(FileOptions::default(), Limits::default());
    let mut client = server.logged_in().await;
    client.say("NOOP\r\nPWD\r\nFOO\r\n".repeat(1000)).await;
    for _ in 0..1000 {
        client.expect("200 ").await;
        client.expect("257 ").await;
        client.expect("500 ").await;
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_who_the_client_is() {
    let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let listener = Listener::bind(&[any]).unwrap();
    let address = listener.addresses().unwrap()[0];
    let accounts = Accounts::new().with_anonymous(Rights::ALL);
    let files = FileServer::new(accounts, Memory::new(1 << 20), FileOptions::default());
    let loopback = "127.0.0.0/8".parse().unwrap();
    let server = Server::new(files, Limits::default()).behind([loopback].into_iter().collect());
    let stop = server.stop_token();
    let task = tokio::spawn(server.serve(listener));
    for header in [
        &b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 21\r\n"[..],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x0f\xa0\0\x15",
    ] {
        let mut client = Client(BufReader::new(TcpStream::connect(address).await.unwrap()));
        // The header and the first command in one segment.
        client.say([header, b"USER ftp\r\n"].concat()).await;
        client.expect("220 ").await;
        client.expect("331 ").await;
        client.ask("PASS x", "230 ").await;
        client.ask("PORT 192,0,2,7,15,160", "200 ").await;
        client.ask("PORT 127,0,0,1,15,160", "50").await;
    }
    // Whoever says nothing of the kind is not served.
    let mut client = Client(BufReader::new(TcpStream::connect(address).await.unwrap()));
    client.say("USER ftp\r\n").await;
    assert_eq!(client.line().await, "");
    stop.cancel();
    task.await.unwrap().unwrap();
}
