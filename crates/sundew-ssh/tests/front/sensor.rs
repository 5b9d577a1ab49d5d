//! A listener on loopback with a small made-up shell behind the boundary, and what it was told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sundew_ssh::boundary::{
    BoxFuture, Channel, CloseReason, Connection, DirectTcpip, Door, Ends, ExitStatus, Forward,
    KexOffer, OfferedKey, Output, PtyRequest, Start, Started,
};
use sundew_ssh::{HostKeys, Limits, Listener, Profile};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine; only a hang runs into it.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// The one password that is right.
pub(crate) const PASSWORD: &str = "open sesame";

/// A running listener; dropping it closes everything.
pub(crate) struct Sensor {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the boundary was told, and what the test tells the shell.
pub(crate) struct Seen {
    lines: watch::Sender<Vec<String>>,
    pub(crate) offers: Mutex<Vec<KexOffer>>,
    /// Bytes a program has got rid of.
    pub(crate) written: AtomicU64,
    /// Lets a program that holds go on.
    pub(crate) go: Notify,
    pub(crate) hangup: CancellationToken,
}

impl Seen {
    fn note(&self, line: String) {
        self.lines.send_modify(|lines| lines.push(line));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Waits until a line starts like this and gives it.
    pub(crate) async fn line(&self, start: &str) -> String {
        let mut lines = self.lines.subscribe();
        let find = |lines: &Vec<String>| lines.iter().find(|line| line.starts_with(start)).cloned();
        let found = timeout(LONG, lines.wait_for(|lines| find(lines).is_some())).await;
        match found {
            Ok(lines) => find(&lines.unwrap()).unwrap(),
            Err(_) => panic!("no {start:?} in {:#?}", self.lines()),
        }
    }
}

pub(crate) async fn sensor() -> Sensor {
    sensor_with(&["127.0.0.1:0"], Limits::default()).await
}

pub(crate) async fn sensor_with(addresses: &[&str], limits: Limits) -> Sensor {
    let addresses: Vec<SocketAddr> = addresses
        .iter()
        .map(|address| address.parse().unwrap())
        .collect();
    let keys = HostKeys::ephemeral().unwrap();
    let listener =
        Listener::bind(&addresses, Profile::openssh_9_2_debian_12(), &keys, limits).unwrap();
    let seen = Arc::new(Seen {
        lines: watch::Sender::default(),
        offers: Mutex::default(),
        written: AtomicU64::new(0),
        go: Notify::new(),
        hangup: CancellationToken::new(),
    });
    let stop = CancellationToken::new();
    let addresses = listener.addresses().to_vec();
    let door = Arc::new(TestDoor(Arc::clone(&seen)));
    let task = tokio::spawn(listener.serve(door, stop.clone()));
    Sensor {
        addresses,
        seen,
        stop,
        task,
    }
}

struct TestDoor(Arc<Seen>);

impl Door for TestDoor {
    fn open(&self, ends: Ends) -> Option<Arc<dyn Connection>> {
        self.0.note(format!("open {}", ends.client.ip()));
        Some(Arc::new(TestConnection(Arc::clone(&self.0))))
    }

    fn turned_away(&self, ends: Ends) {
        self.0.note(format!("turned away {}", ends.client.ip()));
    }
}

struct TestConnection(Arc<Seen>);

impl Connection for TestConnection {
    fn identified(&self, line: &[u8]) {
        self.0.note(format!("identified {}", line.escape_ascii()));
    }

    fn key_exchange(&self, offer: &KexOffer) {
        self.0.offers.lock().unwrap().push(offer.clone());
        self.0.note(format!("kex {}", offer.hassh()));
    }

    fn none(&self, user: &[u8]) {
        self.0.note(format!("none {}", user.escape_ascii()));
    }

    fn password<'a>(&'a self, user: &'a [u8], password: &'a [u8]) -> BoxFuture<'a, bool> {
        self.0.note(format!(
            "password {} {}",
            user.escape_ascii(),
            password.escape_ascii()
        ));
        Box::pin(async move {
            match user {
                b"slow" => std::future::pending().await,
                b"faulty" => panic!("a fault of the boundary"),
                _ => password == PASSWORD.as_bytes(),
            }
        })
    }

    fn public_key<'a>(&'a self, user: &'a [u8], key: &'a OfferedKey) -> BoxFuture<'a, bool> {
        let user = user.escape_ascii();
        let line = key.openssh();
        self.0.note(format!(
            "key {user} {} {} {line} {}",
            key.proved,
            key.algorithm,
            key.md5_fingerprint()
        ));
        Box::pin(async move { user.to_string() == "keyed" })
    }

    fn channel(&self) -> Option<Arc<dyn Channel>> {
        self.0.note("channel".to_owned());
        let (size, _) = watch::channel((0, 0));
        Some(Arc::new(TestChannel {
            seen: Arc::clone(&self.0),
            size,
        }))
    }

    fn direct_tcpip(&self, request: &DirectTcpip) -> Forward {
        self.0.note(format!(
            "forward {} {}",
            request.host.escape_ascii(),
            request.port
        ));
        if request.port == 25 {
            Forward::Swallow
        } else {
            Forward::Refuse
        }
    }

    fn direct_tcpip_data(&self, request: &DirectTcpip, data: &[u8]) {
        self.0.note(format!(
            "forwarded {} {}",
            request.port,
            data.escape_ascii()
        ));
    }

    fn hangup(&self) -> CancellationToken {
        self.0.hangup.clone()
    }

    fn closed(&self, reason: CloseReason) {
        self.0.note(format!("closed {reason}"));
    }
}

struct TestChannel {
    seen: Arc<Seen>,
    size: watch::Sender<(u32, u32)>,
}

impl Drop for TestChannel {
    fn drop(&mut self) {
        self.seen.note("channel closed".to_owned());
    }
}

impl Channel for TestChannel {
    fn env(&self, name: &[u8], value: &[u8]) -> bool {
        self.seen.note(format!(
            "env {} {}",
            name.escape_ascii(),
            value.escape_ascii()
        ));
        name.starts_with(b"LC_")
    }

    fn pty(&self, request: PtyRequest) -> bool {
        self.size.send_replace((request.columns, request.rows));
        // ECHO is 53.
        let echo = request
            .modes
            .iter()
            .find(|(mode, _)| *mode == 53)
            .map(|(_, value)| *value);
        let term = request.term.escape_ascii();
        self.seen.note(format!(
            "pty {term} {}x{} echo {echo:?}",
            request.columns, request.rows
        ));
        true
    }

    fn resize(&self, columns: u32, rows: u32) {
        self.size.send_replace((columns, rows));
        self.seen.note(format!("resize {columns}x{rows}"));
    }

    fn start(&self, start: Start) -> Option<Started> {
        self.seen.note(match &start {
            Start::Shell => "shell".to_owned(),
            Start::Exec(command) => format!("exec {}", command.escape_ascii()),
            Start::Subsystem(name) => format!("subsystem {}", name.escape_ascii()),
        });
        let command = match start {
            Start::Shell => "cat".to_owned(),
            Start::Exec(command) => String::from_utf8(command).unwrap(),
            Start::Subsystem(_) => return None,
        };
        assert_ne!(command, "fault", "a fault of the boundary");
        let (input, stdin) = mpsc::channel(4);
        let (stdout, output) = mpsc::channel(4);
        let program = Program {
            stdin,
            stdout,
            seen: Arc::clone(&self.seen),
            size: self.size.subscribe(),
        };
        tokio::spawn(program.run(command));
        Some(Started { input, output })
    }

    fn signal(&self, name: &str) {
        self.seen.note(format!("signal {name}"));
    }
}

/// The commands of the made-up shell.
struct Program {
    stdin: mpsc::Receiver<Bytes>,
    stdout: mpsc::Sender<Output>,
    seen: Arc<Seen>,
    size: watch::Receiver<(u32, u32)>,
}

impl Program {
    async fn run(mut self, command: String) {
        let (name, argument) = command.split_once(' ').unwrap_or((command.as_str(), ""));
        let status = match name {
            "echo" => {
                self.print(format!("{argument}\n")).await;
                ExitStatus::Code(0)
            }
            "both" => {
                self.print("to stdout\n").await;
                self.send(Output::Stderr("to stderr\n".into())).await;
                ExitStatus::Code(3)
            }
            "killed" => ExitStatus::Signal {
                name: argument.to_owned(),
                core: false,
            },
            "cat" => {
                while let Some(bytes) = self.stdin.recv().await {
                    self.send(Output::Stdout(bytes)).await;
                }
                ExitStatus::Code(0)
            }
            "count" => self.count().await,
            "hold" => {
                self.seen.go.notified().await;
                self.count().await
            }
            "talk" => {
                self.pattern(argument.parse().unwrap()).await;
                self.count().await
            }
            "pattern" => {
                self.pattern(argument.parse().unwrap()).await;
                ExitStatus::Code(0)
            }
            "resized" => {
                let (columns, rows) = *self.size.wait_for(|size| *size == (100, 30)).await.unwrap();
                self.print(format!("{columns}x{rows}\r\n")).await;
                ExitStatus::Code(0)
            }
            other => panic!("{other}"),
        };
        self.send(Output::Exit(status)).await;
    }

    /// Reads everything and says on standard error how much and what.
    async fn count(&mut self) -> ExitStatus {
        let (mut bytes, mut sum) = (0, 0);
        while let Some(piece) = self.stdin.recv().await {
            bytes += piece.len();
            sum = checksum(sum, &piece);
        }
        self.send(Output::Stderr(format!("{bytes} {sum}").into()))
            .await;
        ExitStatus::Code(0)
    }

    async fn pattern(&mut self, mut left: usize) {
        while left > 0 {
            let piece = pattern(left.min(100_000));
            left -= piece.len();
            self.seen
                .written
                .fetch_add(piece.len() as u64, Ordering::Relaxed);
            self.send(Output::Stdout(piece.into())).await;
        }
    }

    async fn print(&self, text: impl Into<String>) {
        self.send(Output::Stdout(text.into().into())).await;
    }

    /// A channel that is gone is noticed by nothing else here.
    async fn send(&self, piece: Output) {
        if self.stdout.send(piece).await.is_err() {
            self.seen.note("output gone".to_owned());
            std::future::pending::<()>().await;
        }
    }
}

/// Bytes that differ from their neighbours.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

/// Depends on order, so that a swap is noticed.
pub(crate) fn checksum(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    })
}
