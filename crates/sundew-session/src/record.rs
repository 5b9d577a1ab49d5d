//! Observations to events, downloads to artifacts.
//!
//! The machine calls in here while it runs, so nothing waits: an event goes into a queue, the end of
//! an artifact into a task of the sensor's that outlives the session if need be.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_capture::{ArtifactWriter, Kept, Lost, Origin, Outcome, Reason, Taken};
use sundew_events::event::{
    Captured, DownloadSource, FileDownload, FileUpload, Stored, Target, UploadProtocol,
};
use sundew_events::{Connection, Event, EventKind, Lossy, Timestamp};
use sundew_kernel::observe::{
    self, Capture, Download, DownloadEnd, Observation, Observer, Upload, Written,
};
use sundew_kernel::process::daemon::Power;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::lifetime::Sensor;
use crate::lock;

/// Tells of one connection.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub(crate) sensor: Arc<Sensor>,
    pub(crate) connection: Connection,
    shared: Arc<Connection>,
    /// Whether the last event was sent. Held while sending, so that nothing slips in before it that
    /// should be marked late.
    over: Mutex<bool>,
    /// Artifacts that are being finished.
    finishing: Mutex<Vec<JoinHandle<()>>>,
    redirects: Mutex<Redirects>,
    /// Ends the connection.
    pub(crate) hangup: CancellationToken,
    /// How the machine ended, once somebody ended it.
    power: Mutex<Option<Power>>,
    /// Limits that were reached, each told of once.
    spent: Mutex<Vec<(&'static str, &'static str)>>,
}

/// The files that redirections wrote.
#[derive(Debug, Default)]
struct Redirects {
    /// How many were kept.
    kept: usize,
    /// Those that may grow further, in the order of their last write.
    waiting: Vec<Waiting>,
    /// Whether a task looks after them.
    watched: bool,
}

#[derive(Debug)]
struct Waiting {
    path: Vec<u8>,
    file: Arc<Written>,
    /// Monotonic time of its last write.
    since: Duration,
}

impl Reporter {
    pub(crate) fn new(sensor: &Arc<Sensor>, connection: Connection) -> Arc<Self> {
        Arc::new(Self {
            sensor: Arc::clone(sensor),
            shared: Arc::new(connection.clone()),
            connection,
            over: Mutex::new(false),
            finishing: Mutex::default(),
            redirects: Mutex::default(),
            hangup: CancellationToken::new(),
            power: Mutex::default(),
            spent: Mutex::default(),
        })
    }

    /// Sends an event.
    pub(crate) fn event(&self, kind: EventKind) {
        let over = lock(&self.over);
        self.send(kind, *over);
    }

    /// The machine goes down: its connection is closed after what sshd takes to end.
    fn power(self: &Arc<Self>, power: Power) {
        if lock(&self.power).replace(power).is_some() {
            return;
        }
        let reporter = Arc::clone(self);
        drop(self.sensor.spawn(async move {
            tokio::select! {
                () = reporter.sensor.parts.clock.sleep(GOING_DOWN) => {}
                () = reporter.hangup.cancelled() => {}
            }
            reporter.hangup.cancel();
        }));
    }

    /// How the machine ended, if somebody ended it.
    pub(crate) fn ended(&self) -> Option<Power> {
        *lock(&self.power)
    }

    /// Tells that a limit was reached, once for each: what a loop reaches, it reaches a thousand times.
    pub(crate) fn spent(&self, budget: &'static str, of: &'static str, pid: sundew_kernel::Pid) {
        let mut spent = lock(&self.spent);
        if spent.contains(&(budget, of)) {
            return;
        }
        spent.push((budget, of));
        drop(spent);
        let session = self.connection.session();
        tracing::info!(%session, pid, budget, "a budget is spent");
        self.event(EventKind::BudgetSpent {
            budget: budget.into(),
            of: of.into(),
        });
    }

    /// Sends the last event; those that come after it are late.
    pub(crate) fn last_event(&self, kind: EventKind) {
        let mut over = lock(&self.over);
        self.send(kind, *over);
        *over = true;
    }

    fn send(&self, kind: EventKind, late: bool) {
        self.sensor.parts.events.send(Event {
            connection: Arc::clone(&self.shared),
            installation: Arc::clone(&self.sensor.parts.installation),
            timestamp: self.now(),
            late,
            kind,
        });
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.sensor.now()
    }

    /// Begins to keep something that came in.
    pub(crate) fn begin(&self, url: Option<&[u8]>, name: Option<&[u8]>) -> ArtifactWriter {
        let origin = Origin {
            session: Some(self.connection.session()),
            source: Some(self.connection.src().0),
            url: url.map(Lossy::new),
            name: name.map(Lossy::new),
        };
        self.sensor.parts.store.begin(origin, self.now())
    }

    /// Finishes an artifact in the background and tells of it.
    pub(crate) fn finish(
        self: &Arc<Self>,
        writer: ArtifactWriter,
        outcome: Outcome,
        source: DownloadSource,
        failure: Option<String>,
    ) {
        let reporter = Arc::clone(self);
        let task = self.sensor.spawn(async move {
            let kept = writer.finish(outcome, reporter.now()).await;
            reporter.kept(kept, source, failure);
        });
        self.finishing(task);
    }

    fn kept(
        &self,
        kept: Result<Option<Kept>, Lost>,
        source: DownloadSource,
        failure: Option<String>,
    ) {
        match (kept, source) {
            (Ok(Some(kept)), source) => {
                let stored = stored(&kept);
                self.event(EventKind::FileDownload(Box::new(FileDownload {
                    source,
                    stored,
                })));
            }
            (Ok(None), DownloadSource::Url { url, .. }) => {
                let error = failure.map(Lossy::from);
                self.event(EventKind::FileDownloadFailed { url, error });
            }
            // Nothing was piped in, nothing was written.
            (Ok(None), DownloadSource::Stdin | DownloadSource::Redirect { .. }) => {}
            (Err(lost), _) => self.lost(Captured::Artifact, lost),
        }
    }

    /// Finishes what a client sent and tells of it.
    fn finish_upload(self: &Arc<Self>, writer: ArtifactWriter, outcome: Outcome, upload: &Upload) {
        let reporter = Arc::clone(self);
        let base = upload.path.rsplit(|&byte| byte == b'/').next();
        let (filename, path) = (
            Lossy::new(base.unwrap_or_default()),
            Lossy::new(&upload.path),
        );
        let via = match upload.via {
            observe::UploadProtocol::Sftp => UploadProtocol::Sftp,
            observe::UploadProtocol::Scp => UploadProtocol::Scp,
        };
        let task = self.sensor.spawn(async move {
            match writer.finish(outcome, reporter.now()).await {
                Ok(Some(kept)) => {
                    reporter.event(EventKind::FileUpload(Box::new(FileUpload {
                        via,
                        filename,
                        path,
                        stored: stored(&kept),
                    })));
                }
                Ok(None) => {}
                Err(lost) => reporter.lost(Captured::Artifact, lost),
            }
        });
        self.finishing(task);
    }

    pub(crate) fn lost(&self, what: Captured, lost: Lost) {
        self.event(EventKind::CaptureLost {
            what,
            reason: lost.reason.as_str().into(),
            bytes: lost.bytes,
        });
    }

    /// Waits until the artifacts that were being finished are on disk and told of.
    pub(crate) async fn settle(&self) {
        let finishing = std::mem::take(&mut *lock(&self.finishing));
        for task in finishing {
            if task.await.is_err() {
                tracing::error!("the end of an artifact was lost");
            }
        }
    }

    /// A file was written by a redirection. What `>` wrote is kept now; what `>>` wrote when it has
    /// been left alone for a while, so that a payload echoed line by line is one sample.
    fn redirected(self: &Arc<Self>, path: Vec<u8>, append: bool, file: Arc<Written>) {
        let mut redirects = lock(&self.redirects);
        if redirects.kept >= MAX_REDIRECTS {
            return;
        }
        redirects.waiting.retain(|waiting| waiting.path != path);
        let since = self.sensor.parts.clock.monotonic();
        if append {
            redirects.waiting.push(Waiting { path, file, since });
            if !std::mem::replace(&mut redirects.watched, true) {
                let watch = Arc::clone(self).watch_redirects();
                drop(self.sensor.spawn(watch));
            }
            return;
        }
        redirects.kept += 1;
        drop(redirects);
        self.keep(&path, &file);
    }

    /// Keeps the files that were left alone, until none waits.
    async fn watch_redirects(self: Arc<Self>) {
        loop {
            self.sensor.parts.clock.sleep(REDIRECT_QUIET).await;
            let now = self.sensor.parts.clock.monotonic();
            let quiet: Vec<_> = {
                let mut redirects = lock(&self.redirects);
                let quiet = redirects
                    .waiting
                    .extract_if(.., |waiting| {
                        now.saturating_sub(waiting.since) >= REDIRECT_QUIET
                    })
                    .collect();
                if redirects.waiting.is_empty() {
                    redirects.watched = false;
                }
                quiet
            };
            let over = {
                let mut redirects = lock(&self.redirects);
                redirects.kept += quiet.len();
                !redirects.watched
            };
            for waiting in quiet {
                self.keep(&waiting.path, &waiting.file);
            }
            if over {
                return;
            }
        }
    }

    /// Keeps what lies in the files that redirections wrote since the last time.
    pub(crate) async fn keep_redirects(self: &Arc<Self>) {
        let waiting = std::mem::take(&mut lock(&self.redirects).waiting);
        for waiting in waiting {
            self.keep(&waiting.path, &waiting.file);
        }
        self.settle().await;
    }

    fn keep(self: &Arc<Self>, path: &[u8], file: &Written) {
        // One byte more tells a file that is longer.
        let Ok(content) = file.read(MAX_REDIRECT_BYTES + 1) else {
            return;
        };
        if content.is_empty() {
            return;
        }
        let mut writer = self.begin(None, Some(path));
        let (reporter, destfile) = (Arc::clone(self), Lossy::new(path));
        let task = self.sensor.spawn(async move {
            let kept = content.get(..MAX_REDIRECT_BYTES);
            writer.write(kept.unwrap_or(&content)).await;
            let outcome = match kept {
                Some(_) if content.len() > MAX_REDIRECT_BYTES => Outcome::Incomplete(Reason::Limit),
                _ => Outcome::Complete,
            };
            let kept = writer.finish(outcome, reporter.now()).await;
            reporter.kept(kept, DownloadSource::Redirect { destfile }, None);
        });
        self.finishing(task);
    }

    fn finishing(&self, task: JoinHandle<()>) {
        let mut finishing = lock(&self.finishing);
        finishing.retain(|task| !task.is_finished());
        finishing.push(task);
    }
}

/// What the events say of something that was kept.
fn stored(kept: &Kept) -> Stored {
    Stored {
        outfile: path_text(&kept.path),
        shasum: kept.sha256,
        duplicate: kept.duplicate,
        size: kept.size,
        incomplete: kept.incomplete.map(|reason| reason.as_str().into()),
    }
}

/// A path of ours as events show it.
pub(crate) fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The observer of one connection's machine.
#[derive(Debug)]
pub(crate) struct Watcher(pub(crate) Arc<Reporter>);

impl Observer for Watcher {
    fn observe(&self, observation: Observation) {
        let kind = match observation {
            Observation::ShellInput { text, .. } => EventKind::CommandInput {
                realm: None,
                input: Lossy::from(text),
            },
            Observation::ProgramInput { program, text, .. } => EventKind::CommandInput {
                realm: Some(String::from_utf8_lossy(&program).into_owned().into()),
                input: Lossy::from(text),
            },
            Observation::CommandNotFound { args, .. } => {
                let mut words = args.into_iter();
                let command = words.next().unwrap_or_default();
                let rest: Vec<_> = words.collect();
                EventKind::CommandFailed {
                    command: Lossy::from(command),
                    arguments: Lossy::from(rest.join(&b' ')),
                }
            }
            Observation::ForeignExecutable { path, .. } => EventKind::CommandUnimplemented {
                program: Lossy::new(&path),
                input: Lossy::from(path),
                origin: "visitor".into(),
            },
            Observation::MissingProgram { path, args, .. } => EventKind::CommandUnimplemented {
                program: Lossy::from(path),
                input: Lossy::from(args.join(&b' ')),
                origin: "machine".into(),
            },
            Observation::RedirectWritten {
                path, append, file, ..
            } => {
                self.0.redirected(path, append, file);
                return;
            }
            Observation::Power { power, .. } => {
                self.0.power(power);
                return;
            }
            Observation::BudgetSpent { pid, budget, of } => {
                self.0.spent(budget.name(), of.name(), pid);
                return;
            }
            Observation::LongSlice {
                program, lasted, ..
            } => {
                let program = String::from_utf8_lossy(&program);
                tracing::debug!(%program, ?lasted, "a program computed in one piece");
                return;
            }
            // Every program of every pipeline would be too much; the line it stands in is told.
            Observation::Exec { .. } => return,
        };
        self.0.event(kind);
    }

    fn download(&self, download: Download) -> Box<dyn Capture> {
        let name = Some(&*download.destination).filter(|name| !name.is_empty());
        Box::new(Transfer {
            writer: Some(self.0.begin(Some(&download.url), name)),
            reporter: Arc::clone(&self.0),
            what: What::Download(download),
        })
    }

    fn upload(&self, upload: Upload) -> Box<dyn Capture> {
        Box::new(Transfer {
            writer: Some(self.0.begin(None, Some(&upload.path))),
            reporter: Arc::clone(&self.0),
            what: What::Upload(upload),
        })
    }
}

/// What is in flight.
enum What {
    Download(Download),
    Upload(Upload),
}

/// A download or upload in flight.
struct Transfer {
    reporter: Arc<Reporter>,
    /// Taken when it ends.
    writer: Option<ArtifactWriter>,
    what: What,
}

impl Transfer {
    fn finish(&mut self, outcome: Outcome, failure: Option<String>) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        match &self.what {
            What::Download(download) => {
                let source = DownloadSource::Url {
                    url: Lossy::new(&download.url),
                    destfile: Some(Lossy::new(&download.destination)),
                };
                self.reporter.finish(writer, outcome, source, failure);
            }
            What::Upload(upload) => self.reporter.finish_upload(writer, outcome, upload),
        }
    }
}

impl Capture for Transfer {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            match &mut self.writer {
                Some(writer) => writer.write(bytes).await == Taken::All,
                None => false,
            }
        })
    }

    fn end(mut self: Box<Self>, end: DownloadEnd) -> BoxFuture<'static, ()> {
        match end {
            DownloadEnd::Complete => self.finish(Outcome::Complete, None),
            DownloadEnd::Part => self.finish(
                Outcome::Incomplete(Reason::Part),
                Some(Reason::Part.as_str().to_owned()),
            ),
            DownloadEnd::Incomplete(why) => {
                self.finish(Outcome::Incomplete(Reason::Cut), Some(why));
            }
            DownloadEnd::Failed(why) => {
                // Whatever came before it failed is evidence; mostly there is nothing.
                self.finish(Outcome::Incomplete(Reason::Cut), Some(why));
            }
        }
        Box::pin(std::future::ready(()))
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        let reason = if self.reporter.sensor.is_stopping() {
            Reason::Shutdown
        } else {
            Reason::Cut
        };
        self.finish(
            Outcome::Incomplete(reason),
            Some(reason.as_str().to_owned()),
        );
    }
}

/// Tells of a connection that policy did not let out.
pub(crate) fn refusal(reporter: &Arc<Reporter>) -> sundew_egress::Refusal {
    let reporter = Arc::downgrade(reporter);
    Arc::new(move |target: SocketAddr| {
        let Some(reporter) = reporter.upgrade() else {
            return;
        };
        reporter.event(EventKind::EgressRefused {
            target: Target {
                host: Lossy::from(target.ip().to_string()),
                port: u32::from(target.port()),
            },
            address: Some(target.ip()),
            reason: "policy".into(),
        });
    })
}

/// Files written by redirections that are kept for one connection. A dropper writes a handful; a loop
/// that writes thousands writes much the same into each.
const MAX_REDIRECTS: usize = 64;

/// How long a file that is written piece by piece must be left alone before it is kept.
const REDIRECT_QUIET: Duration = Duration::from_secs(2);

/// How long a connection lives after `reboot`.
const GOING_DOWN: Duration = Duration::from_millis(900);

/// Bytes kept of one such file. What is written with `echo` and `printf` is small; a pipe into a
/// file of this length is no sample any more.
const MAX_REDIRECT_BYTES: usize = 8 << 20;
