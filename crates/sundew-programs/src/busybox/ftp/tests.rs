//! Transfers on a network in memory: what is printed, what is kept when the program goes.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_kernel::budget::Limits;
use sundew_kernel::machine::{Config, Leader, Machine, Streams};
use sundew_kernel::network::{Network, ResolveError, Stream};
use sundew_kernel::observe::{Capture, Download, DownloadEnd, Observation, Observer};
use sundew_kernel::program::ProgramTable;
use sundew_kernel::testing::{ManualClock, SharedClock, facts, login, vfs};
use sundew_kernel::{Errno, ExitStatus, Signal};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Longer than any of these takes; a hang fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

struct Wire(DuplexStream, SocketAddr);

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Stream for Wire {
    fn peer(&self) -> SocketAddr {
        self.1
    }
}

/// Prepared connections in order; refuses when there are none.
#[derive(Default)]
struct Wires {
    streams: Mutex<VecDeque<DuplexStream>>,
    takes_transfers: bool,
}

impl Network for Wires {
    fn resolve(&self, host: &[u8]) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let literal = std::str::from_utf8(host).unwrap().parse().ok();
        Box::pin(async move { literal.map(|ip| vec![ip]).ok_or(ResolveError::NotFound) })
    }

    fn connect(&self, target: SocketAddr) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        let next = self.streams.lock().unwrap().pop_front();
        Box::pin(async move {
            let stream: Box<dyn Stream> = Box::new(Wire(next.ok_or(Errno::Econnrefused)?, target));
            Ok(stream)
        })
    }

    fn run_transfer(&self, transfer: BoxFuture<'static, ()>) -> Result<(), Errno> {
        if !self.takes_transfers {
            return Err(Errno::Eagain);
        }
        drop(tokio::spawn(transfer));
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Kept {
    url: String,
    destination: String,
    bytes: Vec<u8>,
    end: DownloadEnd,
}

/// Hands finished captures to the test.
struct Keeper {
    limit: usize,
    kept: mpsc::UnboundedSender<Kept>,
}

struct Keeping {
    limit: usize,
    kept: mpsc::UnboundedSender<Kept>,
    download: Download,
    bytes: Vec<u8>,
}

impl Observer for Keeper {
    fn observe(&self, _observation: Observation) {}
    fn download(&self, download: Download) -> Box<dyn Capture> {
        Box::new(Keeping {
            limit: self.limit,
            kept: self.kept.clone(),
            download,
            bytes: Vec::new(),
        })
    }
}

impl Capture for Keeping {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, bool> {
        self.bytes.extend_from_slice(bytes);
        let within = self.bytes.len() <= self.limit;
        Box::pin(async move { within })
    }
    fn end(self: Box<Self>, end: DownloadEnd) -> BoxFuture<'static, ()> {
        let kept = Kept {
            url: String::from_utf8(self.download.url).unwrap(),
            destination: String::from_utf8(self.download.destination).unwrap(),
            bytes: self.bytes,
            end,
        };
        self.kept.send(kept).unwrap();
        Box::pin(async {})
    }
}

struct Bench {
    network: Wires,
    limit: usize,
}

struct Running {
    machine: Machine,
    leader: Leader,
    streams: Streams,
    kept: mpsc::UnboundedReceiver<Kept>,
    scheduler: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn new() -> Self {
        Self {
            network: Wires {
                takes_transfers: true,
                ..Wires::default()
            },
            limit: usize::MAX,
        }
    }

    /// The other end of the next connection.
    fn expect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1024);
        self.network.streams.lock().unwrap().push_back(ours);
        theirs
    }

    fn start(self, args: &[&str]) -> Running {
        let programs = super::super::TABLE;
        let (sender, kept) = mpsc::unbounded_channel();
        let (machine, scheduler) = Machine::new(Config {
            vfs: Arc::new(Mutex::new(vfs(programs))),
            programs: Arc::new(ProgramTable::new(programs.iter().copied())),
            facts: Arc::new(facts()),
            clock: Arc::new(SharedClock(ManualClock::new(Duration::from_nanos(200)))),
            network: Arc::new(self.network),
            observer: Arc::new(Keeper {
                limit: self.limit,
                kept: sender,
            }),
            limits: Limits::default(),
            seed: 1,
            residents: sundew_kernel::machine::Residents::default(),
            sockets: Vec::new(),
            last_pid: 1000,
            heavy: None,
            source: None,
            aside: None,
            secure_shell: None,
        });
        let mut line = login(args);
        line.path = b"/usr/bin/busybox".to_vec();
        let (leader, streams) = machine.login_on_pipes(line).unwrap();
        let scheduler = tokio::spawn(async move { match scheduler.await {} });
        Running {
            machine,
            leader,
            streams,
            kept,
            scheduler,
        }
    }
}

impl Running {
    /// Standard output, standard error and status.
    async fn finish(&mut self) -> (String, String, ExitStatus) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let read_out = async {
            while let Some(bytes) = self.streams.stdout.read().await {
                out.extend(bytes)
            }
        };
        let read_err = async {
            while let Some(bytes) = self.streams.stderr.read().await {
                err.extend(bytes)
            }
        };
        let all = futures_util::future::join3(read_out, read_err, self.leader.wait());
        let (.., status) = timeout(PATIENCE, all).await.unwrap();
        (
            String::from_utf8(out).unwrap(),
            String::from_utf8(err).unwrap(),
            status,
        )
    }

    async fn kept(&mut self) -> Kept {
        timeout(PATIENCE, self.kept.recv()).await.unwrap().unwrap()
    }
}

/// A server that gives its replies, one for each line after the greeting.
fn serve(
    mut stream: DuplexStream,
    replies: &'static [&'static str],
) -> tokio::task::JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut seen = Vec::new();
        for (number, reply) in replies.iter().enumerate() {
            // The greeting comes unasked, and so does the reply after a transfer.
            if number > 0 && !reply.starts_with("226") {
                let mut line = Vec::new();
                while !line.ends_with(b"\r\n") {
                    if stream.read_buf(&mut line).await.unwrap() == 0 {
                        return seen;
                    }
                }
                seen.push(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            stream
                .write_all(format!("{reply}\r\n").as_bytes())
                .await
                .unwrap();
        }
        let _until_closed = stream.read(&mut [0]).await;
        seen
    })
}

const GOOD: &[&str] = &[
    "220 ready",
    "331 password",
    "230 in",
    "200 binary",
    "229 (|||5000|)",
    "213 9",
    "150 go",
    "226 done",
    "221 bye",
];

#[tokio::test]
async fn a_download_prints_what_busybox_prints_and_is_kept() {
    let bench = Bench::new();
    let control = serve(bench.expect(), GOOD);
    let mut data = bench.expect();
    let mut run = bench.start(&[
        "ftpget",
        "-v",
        "-P",
        "24210",
        "127.0.0.1",
        "ftp1.sh",
        "ftp1.sh",
    ]);
    data.write_all(b"echo one\n").await.unwrap();
    drop(data);
    let (out, err, status) = run.finish().await;
    assert_eq!(out, "Connecting to 127.0.0.1 (127.0.0.1:24210)\n");
    assert_eq!(
        err,
        "ftpget: cmd (null) (null)\nftpget: cmd USER anonymous\nftpget: cmd PASS busybox\nftpget: cmd TYPE I (null)\n\
         ftpget: cmd EPSV (null)\nftpget: cmd SIZE ftp1.sh\nftpget: cmd RETR ftp1.sh\nftpget: cmd (null) (null)\nftpget: cmd QUIT (null)\n"
    );
    assert_eq!(status, ExitStatus::SUCCESS);
    let kept = run.kept().await;
    assert_eq!(
        (kept.url.as_str(), kept.destination.as_str()),
        ("ftp://127.0.0.1:24210/ftp1.sh", "ftp1.sh")
    );
    assert_eq!(
        (kept.bytes.as_slice(), kept.end),
        (b"echo one\n".as_slice(), DownloadEnd::Complete)
    );
    assert_eq!(
        run.machine.read_file(b"/root/ftp1.sh", 100),
        Ok(b"echo one\n".to_vec())
    );
    assert_eq!(control.await.unwrap().len(), 7);
    run.scheduler.abort();
}

/// A transfer in which the server has sent the first half.
async fn half_way(bench: Bench) -> (Running, DuplexStream) {
    drop(serve(bench.expect(), GOOD));
    let mut data = bench.expect();
    let mut run = bench.start(&["/bin/busybox", "ftpget", "127.0.0.1", "-", "a"]);
    data.write_all(b"echo").await.unwrap();
    let first = timeout(PATIENCE, run.streams.stdout.read()).await.unwrap();
    assert_eq!(first.as_deref(), Some(b"echo".as_slice()));
    (run, data)
}

#[tokio::test]
async fn a_program_killed_in_mid_transfer_does_not_lose_the_sample() {
    let (mut run, mut data) = half_way(Bench::new()).await;
    run.leader.signal(Signal::INT);
    assert_eq!(run.finish().await.2, ExitStatus::Signaled(Signal::INT));
    data.write_all(b" one\n").await.unwrap();
    drop(data);
    let kept = run.kept().await;
    assert_eq!(
        (kept.bytes.as_slice(), kept.end),
        (b"echo one\n".as_slice(), DownloadEnd::Complete)
    );
    run.scheduler.abort();
}

#[tokio::test]
async fn a_machine_that_is_dropped_does_not_lose_the_sample() {
    let (run, mut data) = half_way(Bench::new()).await;
    let Running {
        machine,
        leader,
        streams,
        mut kept,
        scheduler,
    } = run;
    scheduler.abort();
    assert!(timeout(PATIENCE, scheduler).await.unwrap().is_err());
    drop((machine, leader, streams));
    data.write_all(b" one\n").await.unwrap();
    drop(data);
    let kept = timeout(PATIENCE, kept.recv()).await.unwrap().unwrap();
    assert_eq!(
        (kept.bytes.as_slice(), kept.end),
        (b"echo one\n".as_slice(), DownloadEnd::Complete)
    );
}

#[tokio::test]
async fn a_program_killed_before_the_server_speaks_does_not_lose_the_sample() {
    let bench = Bench::new();
    let mut control = bench.expect();
    let mut data = bench.expect();
    let mut run = bench.start(&["ftpget", "-v", "127.0.0.1", "a"]);
    let greeted = Arc::new(Notify::new());
    let waiting = timeout(PATIENCE, run.streams.stderr.read()).await.unwrap();
    assert_eq!(
        waiting.as_deref(),
        Some(b"ftpget: cmd (null) (null)\n".as_slice())
    );
    run.leader.signal(Signal::KILL);
    run.finish().await;
    greeted.notify_one();
    drop(tokio::spawn(async move {
        control.write_all(b"220 ready\r\n").await.unwrap();
        serve_rest(control).await;
    }));
    data.write_all(b"x").await.unwrap();
    drop(data);
    let kept = run.kept().await;
    assert_eq!(
        (kept.bytes.as_slice(), kept.end),
        (b"x".as_slice(), DownloadEnd::Complete)
    );
    run.scheduler.abort();
}

async fn serve_rest(mut control: DuplexStream) {
    for reply in [
        "230 in",
        "200 ok",
        "229 (|||5000|)",
        "550 no",
        "150 go\r\n226 done",
        "221 bye",
    ] {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            assert_ne!(control.read_buf(&mut line).await.unwrap(), 0);
        }
        control
            .write_all(format!("{reply}\r\n").as_bytes())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_sample_over_the_limit_is_incomplete() {
    let mut bench = Bench::new();
    bench.limit = 2;
    drop(serve(bench.expect(), GOOD));
    let mut data = bench.expect();
    let mut run = bench.start(&["ftpget", "127.0.0.1", "a"]);
    data.write_all(b"echo").await.unwrap();
    assert_eq!(
        run.kept().await.end,
        DownloadEnd::Incomplete("limit".to_owned())
    );
    let (_, err, status) = run.finish().await;
    assert_eq!(
        (err.as_str(), status),
        (
            "ftpget: write error: No space left on device\n",
            ExitStatus::FAILURE
        )
    );
    run.scheduler.abort();
}

#[tokio::test]
async fn a_transfer_that_the_network_does_not_take_runs_with_its_program() {
    let mut bench = Bench::new();
    bench.network.takes_transfers = false;
    drop(serve(bench.expect(), GOOD));
    let mut data = bench.expect();
    let mut run = bench.start(&["ftpget", "127.0.0.1", "-", "a"]);
    data.write_all(b"hi\n").await.unwrap();
    drop(data);
    let (out, _, status) = run.finish().await;
    assert_eq!((out.as_str(), status), ("hi\n", ExitStatus::SUCCESS));
    // SIZE had promised nine.
    assert_eq!(
        run.kept().await.end,
        DownloadEnd::Incomplete("3 bytes of 9".to_owned())
    );
    run.scheduler.abort();
}

#[tokio::test]
async fn failures_are_worded_as_busybox_words_them() {
    for (args, said) in [
        (
            vec!["ftpget", "-P", "24999", "127.0.0.1", "a", "a"],
            "ftpget: can't connect to remote host (127.0.0.1): Connection refused\n",
        ),
        (
            vec!["ftpget", "-P", "24210", "no.such.host.invalid", "a", "a"],
            "ftpget: bad address 'no.such.host.invalid'\n",
        ),
        (
            vec!["ftpget", "-P", "notaport", "127.0.0.1", "a", "a"],
            "ftpget: bad port 'notaport'\n",
        ),
        (
            vec!["ftpput", "127.0.0.1", "a"],
            "ftpput: can't connect to remote host (127.0.0.1): Connection refused\n",
        ),
    ] {
        let mut run = Bench::new().start(&args);
        let (out, err, status) = run.finish().await;
        assert_eq!(
            (out.as_str(), err.as_str(), status),
            ("", said, ExitStatus::FAILURE)
        );
        if !said.contains("bad port") && args.first() == Some(&"ftpget") {
            assert!(matches!(run.kept().await.end, DownloadEnd::Failed(_)));
        }
        run.scheduler.abort();
    }
}

#[tokio::test]
async fn no_arguments_print_the_usage() {
    let mut run = Bench::new().start(&["ftpget"]);
    let (out, err, status) = run.finish().await;
    assert_eq!(
        (out.len(), err.len(), status),
        (0, 235, ExitStatus::FAILURE)
    );
    run.scheduler.abort();
}
