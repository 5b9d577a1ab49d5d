//! Moving bytes between a channel and what runs on it, and keeping them.
//!
//! Each function here is one task of the session's, ends when the login ended or the client is
//! gone, and then puts away what was recorded.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sundew_capture::{ArtifactWriter, Outcome, Recorder, RecordingMeta};
use sundew_events::EventKind;
use sundew_events::event::{Captured, DownloadSource, LogClosed};
use sundew_kernel::machine::{Leader, Machine, Streams};
use sundew_kernel::pipe::{OutsideReader, OutsideWriter};
use sundew_kernel::tty::Master;
use sundew_kernel::{ExitStatus, Pid};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_util::sync::CancellationToken;

use super::Session;
use super::account::Visit;
use super::channel::{Exit, Output};
use crate::lock;
use crate::record::{Reporter, path_text};

/// Where a login runs and whom it talks to.
pub(super) struct Place<O> {
    pub(super) machine: Machine,
    pub(super) keeper: Arc<Keeper>,
    pub(super) gone: CancellationToken,
    pub(super) from_client: Receiver<Bytes>,
    pub(super) to_client: Sender<O>,
    /// The machine lives as long as its channels.
    pub(super) _hold: Arc<Session>,
}

/// A login on a terminal.
pub(super) struct Terminal {
    pub(super) master: Arc<Master>,
    pub(super) leader: Arc<Leader>,
    pub(super) daemon: Option<Pid>,
    /// What was written into the accounting files.
    pub(super) visit: Option<Visit>,
    pub(super) clock: Arc<dyn sundew_kernel::clock::Clock>,
    /// Shown before anything else.
    pub(super) greeting: Vec<u8>,
}

/// A login on pipes.
pub(super) struct Pipes {
    pub(super) streams: Streams,
    pub(super) leader: Arc<Leader>,
    pub(super) daemon: Option<Pid>,
    /// Goes to standard error before anything else.
    pub(super) complaint: Vec<u8>,
    /// Whether standard input is kept: a payload, not what somebody types into a shell.
    pub(super) keep_stdin: bool,
}

/// Runs a login on a terminal to its end.
pub(super) async fn terminal<O: From<Output>>(mut place: Place<O>, login: Terminal) {
    let Terminal {
        master,
        leader,
        daemon,
        visit,
        clock,
        greeting,
    } = login;
    let (keeper, to_client) = (&place.keeper, &place.to_client);
    let typing = async {
        while let Some(bytes) = place.from_client.recv().await {
            keeper.ready().await;
            keeper.input(&bytes);
            master.input(&bytes).await;
        }
        // A terminal has no end of file: what is closed is one direction of the channel.
        std::future::pending::<()>().await;
    };
    let showing = async {
        if !greeting.is_empty() && !keeper.show(to_client, Output::Stdout, greeting).await {
            return;
        }
        loop {
            let shown = tokio::select! {
                biased;
                shown = master.output() => shown,
                status = leader.wait() => {
                    // The leader's end hangs the terminal up for everybody, as vhangup(2).
                    let rest = master.pending_output();
                    if rest.is_empty() || keeper.show(to_client, Output::Stdout, rest).await {
                        tell_exit(to_client, status).await;
                    }
                    return;
                }
            };
            let Some(shown) = shown else {
                return;
            };
            if !keeper.show(to_client, Output::Stdout, shown).await {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = place.gone.cancelled() => {}
        () = to_client.closed() => {}
        () = showing => {}
        () = typing => {}
    }
    drop(master);
    if let Some(visit) = visit {
        visit.end(&place.machine, clock.wall());
    }
    finish(place, daemon, None).await;
}

/// Runs a login on pipes to its end: until it has ended and nobody holds its output any more.
pub(super) async fn pipes<O: From<Output>>(mut place: Place<O>, login: Pipes) {
    let Pipes {
        streams,
        leader,
        daemon,
        complaint,
        keep_stdin,
    } = login;
    let Streams {
        stdin,
        stdout,
        stderr,
    } = streams;
    let (keeper, to_client) = (&place.keeper, &place.to_client);
    let mut kept = keep_stdin.then(|| keeper.reporter.begin(None, None));
    let feeding = async {
        feed(&mut place.from_client, stdin, keeper, kept.as_mut()).await;
        std::future::pending::<()>().await;
    };
    let answering = async {
        if !complaint.is_empty() {
            keeper.show(to_client, Output::Stderr, complaint).await;
        }
        let exit = async {
            let status = leader.wait().await;
            tell_exit(to_client, status).await;
        };
        tokio::join!(
            drain(stdout, keeper, to_client, Output::Stdout),
            drain(stderr, keeper, to_client, Output::Stderr),
            exit,
        );
    };
    tokio::select! {
        biased;
        () = place.gone.cancelled() => {}
        () = to_client.closed() => {}
        () = answering => {}
        () = feeding => {}
    }
    finish(place, daemon, kept).await;
}

/// Standard input, until the client ends it.
async fn feed(
    from_client: &mut Receiver<Bytes>,
    stdin: OutsideWriter,
    keeper: &Keeper,
    mut kept: Option<&mut ArtifactWriter>,
) {
    let mut stdin = Some(stdin);
    while let Some(bytes) = from_client.recv().await {
        keeper.ready().await;
        keeper.input(&bytes);
        if let Some(writer) = &mut kept {
            writer.write(&bytes).await;
        }
        // When nobody reads it any more the rest is taken all the same: it is kept.
        if let Some(writer) = &mut stdin
            && writer.write(&bytes).await.is_err()
        {
            stdin = None;
        }
    }
}

async fn drain<O: From<Output>>(
    mut reader: OutsideReader,
    keeper: &Keeper,
    to_client: &Sender<O>,
    stream: fn(Bytes) -> Output,
) {
    while let Some(bytes) = reader.read().await {
        if !keeper.show(to_client, stream, bytes).await {
            return;
        }
    }
}

async fn tell_exit<O: From<Output>>(to_client: &Sender<O>, status: ExitStatus) {
    let exit = match status {
        ExitStatus::Exited(code) => Exit::Code(code),
        ExitStatus::Signaled(signal) => {
            let name = signal.name();
            Exit::Signal(name.strip_prefix("SIG").unwrap_or(&name).to_owned())
        }
    };
    if to_client.send(Output::Exit(exit).into()).await.is_err() {
        tracing::trace!("the client did not wait for the exit status");
    }
}

/// Puts away what a channel leaves. The client is let go first.
async fn finish<O>(place: Place<O>, daemon: Option<Pid>, stdin: Option<ArtifactWriter>) {
    let Place {
        machine,
        keeper,
        to_client,
        from_client,
        ..
    } = place;
    drop((to_client, from_client));
    if let Some(pid) = daemon {
        machine.remove_resident(pid);
    }
    let reporter = &keeper.reporter;
    if let Some(writer) = stdin {
        reporter.finish(writer, Outcome::Complete, DownloadSource::Stdin, None);
    }
    reporter.keep_redirects().await;
    reporter.settle().await;
    keeper.close().await;
}

/// Records a channel.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) reporter: Arc<Reporter>,
    recorder: Mutex<Option<Recorder>>,
    resizes: AtomicU32,
}

impl Keeper {
    pub(super) fn new(reporter: &Arc<Reporter>, meta: RecordingMeta) -> Arc<Self> {
        let recorder = reporter.sensor.parts.store.record(meta, reporter.now());
        Arc::new(Self {
            reporter: Arc::clone(reporter),
            recorder: Mutex::new(Some(recorder)),
            resizes: AtomicU32::new(0),
        })
    }

    /// Waits while the journal is behind: its slowness slows those who fill it.
    async fn ready(&self) {
        self.reporter.sensor.parts.events.ready().await;
    }

    fn input(&self, bytes: &[u8]) {
        let now = self.reporter.now();
        if let Some(recorder) = &mut *lock(&self.recorder) {
            recorder.input(bytes, now);
        }
    }

    /// Records a window size; whether it is one of the first, which are told of.
    pub(super) fn resize(&self, columns: u32, rows: u32) -> bool {
        let now = self.reporter.now();
        if let Some(recorder) = &mut *lock(&self.recorder) {
            recorder.resize(columns, rows, now);
        }
        self.resizes.fetch_add(1, Ordering::Relaxed) < MAX_RESIZE_EVENTS
    }

    /// Records and sends; `false` when the client is gone.
    async fn show<O: From<Output>>(
        &self,
        to_client: &Sender<O>,
        stream: fn(Bytes) -> Output,
        bytes: Vec<u8>,
    ) -> bool {
        let now = self.reporter.now();
        if let Some(recorder) = &mut *lock(&self.recorder) {
            recorder.output(&bytes, now);
        }
        to_client.send(stream(bytes.into()).into()).await.is_ok()
    }

    async fn close(&self) {
        let Some(recorder) = lock(&self.recorder).take() else {
            return;
        };
        match recorder.close(self.reporter.now()).await {
            Ok(closed) => self
                .reporter
                .event(EventKind::LogClosed(Box::new(LogClosed {
                    ttylog: path_text(&closed.ttylog),
                    size: closed.size,
                    shasum: closed.shasum,
                    duplicate: closed.duplicate,
                    duration_ms: u64::try_from(closed.duration.as_millis()).unwrap_or(u64::MAX),
                    asciicast: path_text(&closed.asciicast),
                    incomplete: closed.incomplete.map(|reason| reason.as_str().into()),
                }))),
            Err(lost) => self.reporter.lost(Captured::Recording, lost),
        }
    }
}

/// Changes of the window size of one channel that are told of: a person drags a corner and makes
/// dozens, the recording has them all.
const MAX_RESIZE_EVENTS: u32 = 16;
