//! The transfer's side: calls the program as long as there is one, and keeps the sample.

use std::sync::Arc;

use ftp_client::busybox::{Host, Sink, Source, TransferEvent, Words};
use sundew_kernel::Errno;
use sundew_kernel::observe::{Capture, Download, DownloadEnd, Observer};
use tokio::sync::{mpsc, oneshot};

use super::call::{Answer, Call};

/// Why a sample that grew over the limit is incomplete.
const OVER_LIMIT: &str = "limit";

/// What a running transfer knows.
pub(super) struct Engine {
    calls: mpsc::Sender<Call>,
    observer: Arc<dyn Observer>,
    /// What is asked for, until it comes or fails.
    asked: Option<Vec<u8>>,
    capture: Option<Box<dyn Capture>>,
    over_limit: bool,
}

impl Engine {
    pub(super) fn new(calls: mpsc::Sender<Call>, observer: Arc<dyn Observer>) -> Self {
        Self {
            calls,
            observer,
            asked: None,
            capture: None,
            over_limit: false,
        }
    }

    /// Tells the program that all is over.
    pub(super) async fn finish(mut self, status: u8) {
        self.end(DownloadEnd::Incomplete(
            "the transfer ended without a word".to_owned(),
        ))
        .await;
        // Nobody there: nobody to tell.
        let _gone = self.calls.send(Call::Finished(status)).await;
    }

    /// Asks the program; `None` when it is gone.
    async fn ask<T>(&mut self, call: impl FnOnce(Answer<T>) -> Call) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(call(answer)).await.ok()?;
        answered.await.ok()
    }

    async fn end(&mut self, end: DownloadEnd) {
        if let Some(capture) = self.capture.take() {
            capture.end(end).await;
        }
    }
}

fn words(errno: Errno) -> Words {
    errno.message().into()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Host for Engine {
    async fn stdout(&mut self, text: &[u8]) {
        self.ask(|answer| Call::Stdout(text.to_vec(), answer)).await;
    }

    async fn stderr(&mut self, text: &[u8]) {
        self.ask(|answer| Call::Stderr(text.to_vec(), answer)).await;
    }

    async fn service(&mut self, name: &[u8]) -> Option<u16> {
        self.ask(|answer| Call::Service(name.to_vec(), answer))
            .await?
    }

    async fn size_of(&mut self, path: &[u8]) -> Result<u64, Words> {
        let answer = self.ask(|answer| Call::SizeOf(path.to_vec(), answer)).await;
        // Nothing is there to be continued: the sample is wanted from its start.
        answer.unwrap_or(Ok(0)).map_err(words)
    }

    async fn create(&mut self, sink: Sink<'_>) -> Result<(), Words> {
        let answer = self.ask(|answer| Call::Create(sink.into(), answer)).await;
        answer.unwrap_or(Ok(())).map_err(words)
    }

    async fn body(&mut self, bytes: &[u8]) -> Result<(), Words> {
        if let Some(capture) = &mut self.capture
            && !capture.write(bytes).await
        {
            self.over_limit = true;
            return Err(words(Errno::Enospc));
        }
        let answer = self.ask(|answer| Call::Body(bytes.to_vec(), answer)).await;
        answer.unwrap_or(Ok(())).map_err(words)
    }

    async fn open(&mut self, source: Source<'_>) -> Result<(), Words> {
        let answer = self.ask(|answer| Call::Open(source.into(), answer)).await;
        answer.unwrap_or(Err(Errno::Eio)).map_err(words)
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Words> {
        let answer = self.ask(|answer| Call::Read(buffer.len(), answer)).await;
        let bytes = answer.unwrap_or(Err(Errno::Eio)).map_err(words)?;
        buffer
            .iter_mut()
            .zip(&bytes)
            .for_each(|(to, from)| *to = *from);
        Ok(bytes.len().min(buffer.len()))
    }

    async fn transfer(&mut self, event: TransferEvent<'_>) {
        match event {
            TransferEvent::Asked { remote } => self.asked = Some(remote.url()),
            TransferEvent::Failed { remote, failure } => {
                self.asked = None;
                let download = Download {
                    url: remote.url(),
                    destination: Vec::new(),
                };
                self.capture = Some(self.observer.download(download));
                self.end(DownloadEnd::Failed(text(&failure.text()))).await;
            }
            TransferEvent::Downloading { remote, sink, .. } => {
                self.asked = None;
                let destination = match sink {
                    Sink::Stdout => Vec::new(),
                    Sink::Create(path) | Sink::Append(path) => path.to_vec(),
                };
                let download = Download {
                    url: remote.url(),
                    destination,
                };
                self.capture = Some(self.observer.download(download));
            }
            TransferEvent::Uploading { .. } => {}
            TransferEvent::Complete { .. } => self.end(DownloadEnd::Complete).await,
            TransferEvent::Short { bytes, expected } => {
                let why = format!("{bytes} bytes of {expected}");
                self.end(DownloadEnd::Incomplete(why)).await;
            }
            TransferEvent::Incomplete { failure, .. } => {
                let why = if self.over_limit {
                    OVER_LIMIT.to_owned()
                } else {
                    text(&failure.text())
                };
                self.end(DownloadEnd::Incomplete(why)).await;
            }
        }
    }
}

impl Drop for Engine {
    /// A transfer that is dropped before its first byte, for its time is over or the sensor stops,
    /// has failed as well; a capture that is dropped tells so.
    fn drop(&mut self) {
        if let Some(url) = self.asked.take() {
            drop(self.observer.download(Download {
                url,
                destination: Vec::new(),
            }));
        }
    }
}
