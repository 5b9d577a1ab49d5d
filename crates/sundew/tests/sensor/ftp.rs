//! An FTP server that stops in the middle of a file until it is told to go on.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What it serves under every name.
pub(crate) fn sample() -> Vec<u8> {
    (0..40_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// A running server.
pub(crate) struct Ftp {
    pub(crate) address: SocketAddr,
    /// Told when half of the file was sent.
    pub(crate) half: Arc<Notify>,
    /// Tell it to send the other half.
    pub(crate) go_on: Arc<Notify>,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

impl Ftp {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (half, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (reached, wait) = (Arc::clone(&half), Arc::clone(&go_on));
        let task = tokio::spawn(async move {
            let (control, _) = listener.accept().await.unwrap();
            serve(control, &reached, &wait).await;
        });
        Self {
            address,
            half,
            go_on,
            _task: tokio_util::task::AbortOnDropHandle::new(task),
        }
    }

    pub(crate) fn port(&self) -> String {
        self.address.port().to_string()
    }
}

async fn serve(control: TcpStream, half: &Notify, go_on: &Notify) {
    let mut control = BufReader::new(control);
    let mut data = None;
    let mut reply = "220 ready".to_owned();
    loop {
        control
            .get_mut()
            .write_all(format!("{reply}\r\n").as_bytes())
            .await
            .unwrap();
        let mut line = String::new();
        if control.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let verb = line.split_whitespace().next().unwrap_or_default();
        reply = match verb {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "SIZE" => format!("213 {}", sample().len()),
            "EPSV" => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let port = listener.local_addr().unwrap().port();
                data = Some(listener);
                format!("229 Entering (|||{port}|)")
            }
            "RETR" => {
                control.get_mut().write_all(b"150 here\r\n").await.unwrap();
                let (mut socket, _) = data.take().unwrap().accept().await.unwrap();
                let sample = sample();
                let (first, second) = sample.split_at(sample.len() / 2);
                socket.write_all(first).await.unwrap();
                half.notify_one();
                go_on.notified().await;
                socket.write_all(second).await.unwrap();
                drop(socket);
                "226 done".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "200 fine".to_owned(),
        };
    }
}
