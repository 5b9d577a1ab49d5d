//! A server in memory and a client that says what it is told to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ftp_server::auth::{Accounts, Secret};
use ftp_server::backend::Backend;
use ftp_server::backend::memory::Memory;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::Argument;
use ftp_server::ftp_proto::permission::{Permissions, Rights};
use ftp_server::{Limits, Listener, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// Nothing here takes that long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The server; it ends with the runtime of the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
}

impl Running {
    /// With user anna, password pw, who may do everything.
    pub(crate) fn start() -> Self {
        Self::with(Rights::ALL, FileOptions::default())
    }

    pub(crate) fn with(permissions: impl Into<Permissions>, options: FileOptions) -> Self {
        Self::over(Memory::new(64 << 20), permissions, options)
    }

    /// Over files of another kind.
    pub(crate) fn over(
        backend: impl Backend,
        permissions: impl Into<Permissions>,
        options: FileOptions,
    ) -> Self {
        let name = Argument::try_from("anna").unwrap();
        let owner = Argument::try_from("owner").unwrap();
        let accounts = Accounts::new()
            .with_user(name, Secret::new(*b"pw"), permissions)
            .with_user(owner, Secret::new(*b"pw"), Rights::ALL);
        let options = FileOptions {
            login_delay: Duration::ZERO,
            ..options
        };
        let files = FileServer::new(accounts, backend, options);
        let listener = Listener::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
        let address = listener.addresses().unwrap()[0];
        tokio::spawn(Server::new(files, Limits::default()).serve(listener));
        Self { address }
    }

    pub(crate) async fn client(&self) -> Client {
        self.client_from([127, 0, 0, 1]).await
    }

    async fn client_from(&self, address: [u8; 4]) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((IpAddr::from(address), 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Client(BufReader::new(stream));
        assert_eq!(client.code().await, 220);
        client
    }

    pub(crate) async fn logged_in(&self) -> Client {
        self.logged_in_as("anna").await
    }

    /// As anna, from another address of this machine.
    pub(crate) async fn logged_in_from(&self, address: [u8; 4]) -> Client {
        self.client_from(address).await.log_in("anna").await
    }

    /// As anna, or as owner, who may do everything.
    pub(crate) async fn logged_in_as(&self, name: &str) -> Client {
        self.client().await.log_in(name).await
    }
}

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    async fn log_in(mut self, name: &str) -> Self {
        let client = &mut self;
        assert_eq!(client.ask(format!("USER {name}")).await, 331);
        assert_eq!(client.ask("PASS pw").await, 230);
        assert_eq!(client.ask("TYPE I").await, 200);
        self
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The code of the next reply, which may have several lines; 0 at the end.
    pub(crate) async fn code(&mut self) -> u16 {
        self.reply().await.0
    }

    pub(crate) async fn reply(&mut self) -> (u16, String) {
        let mut text = String::new();
        loop {
            let mut line = Vec::new();
            let read = self.0.read_until(b'\n', &mut line);
            let count = timeout(PATIENCE, read)
                .await
                .expect("no reply")
                .unwrap_or(0);
            if count == 0 {
                return (0, text);
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            text.push_str(&line);
            let (code, rest) = line.split_at(line.len().min(3));
            if rest.starts_with(' ') && code.bytes().all(|byte| byte.is_ascii_digit()) {
                return (code.parse().unwrap(), text);
            }
        }
    }

    pub(crate) async fn ask(&mut self, line: impl AsRef<[u8]>) -> u16 {
        self.tell(line).await.0
    }

    pub(crate) async fn tell(&mut self, line: impl AsRef<[u8]>) -> (u16, String) {
        self.say([line.as_ref(), b"\r\n"].concat()).await;
        self.reply().await
    }

    /// A data connection of passive mode.
    pub(crate) async fn data(&mut self) -> TcpStream {
        let (code, text) = self.tell("EPSV").await;
        assert_eq!(code, 229, "{text}");
        let port = text.split('|').nth(3).unwrap().parse().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpStream::connect(address).await.unwrap()
    }

    /// A port of ours that the server is told of.
    pub(crate) async fn active(&mut self) -> TcpListener {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = format!("PORT 127,0,0,1,{},{}", port / 256, port % 256);
        assert_eq!(self.ask(line).await, 200);
        listener
    }

    pub(crate) async fn put(&mut self, line: &str, bytes: &[u8]) -> u16 {
        let mut data = self.data().await;
        let code = self.ask(line).await;
        if code != 150 {
            return code;
        }
        data.write_all(bytes).await.unwrap();
        data.shutdown().await.unwrap();
        self.code().await
    }

    pub(crate) async fn get(&mut self, line: &str) -> (u16, Vec<u8>) {
        let mut data = self.data().await;
        let code = self.ask(line).await;
        if code != 150 {
            return (code, Vec::new());
        }
        let mut bytes = Vec::new();
        let read = data.read_to_end(&mut bytes);
        timeout(PATIENCE, read).await.expect("no end").unwrap();
        (self.code().await, bytes)
    }

    /// The session is alive, and no reply is left over from before.
    pub(crate) async fn is_in_step(&mut self) {
        let (code, text) = self.tell("SYST").await;
        assert_eq!(code, 215, "out of step: {text}");
    }
}
