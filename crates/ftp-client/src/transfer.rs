//! Bytes on the way: [`Download`] and [`Upload`].
//!
//! ```text
//!              end of data               closed             final reply
//!  Moving ─────────────────▶ Closing ─────────────▶ Waiting ─────────────▶ Done
//!    │ deadline, reset, 4xx or 5xx │                    │
//!    └──────────────▶ Failed ◀─────┴────────────────────┘
//! ```
//!
//! The end of a transfer is what the server says it is: reading to the end (or shutting an upload
//! down) includes its last reply, so `tokio::io::copy` alone notices a download that was cut off.
//!
//! A transfer that is dropped is given up: its data connection is closed, the server answers with
//! 426 or 226, and the session's next method reads that first.

mod coding;
mod flow;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ftp_proto::client::answer;
use ftp_proto::{Reply, Verb};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::coding::{Inflow, Outflow};
use self::flow::Flow;
use crate::client::{Client, Opened};
use crate::dial::Dial;
use crate::error::Error;

/// A file (or listing) on its way from the server.
///
/// Reading is cancel-safe. The end comes only after the server has confirmed the transfer; what
/// fails before is an [`io::Error`] with an [`Error`] inside, and [`Download::finish`] gives the
/// latter. Bytes read before the failure are good and can be resumed from.
pub struct Download<'c, D: Dial> {
    flow: Flow<'c, D>,
    ahead: io::Cursor<Vec<u8>>,
    offset: u64,
    coding: Option<Inflow>,
    verb: Verb,
}

/// A file on its way to the server.
///
/// [`AsyncWrite::poll_shutdown`] (or [`Upload::finish`]) ends it and waits for the server's
/// confirmation; until then nothing is certain. How much of a partly written buffer went out when a
/// write is dropped is unknown.
pub struct Upload<'c, D: Dial> {
    flow: Flow<'c, D>,
    coding: Option<Outflow>,
}

impl<'c, D: Dial> Download<'c, D> {
    pub(crate) fn new(
        client: &'c mut Client<D>,
        opened: Opened<D::Stream>,
        verb: Verb,
        offset: u64,
    ) -> Self {
        let offset = if opened.restarted { offset } else { 0 };
        let ahead = opened.ahead.clone();
        let coding = client.deflate().map(Inflow::new);
        Self {
            flow: Flow::new(client, opened, verb),
            ahead: io::Cursor::new(ahead),
            offset,
            coding,
            verb,
        }
    }

    /// The offset the server begins at: the one asked for, or 0 if it refused to restart.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes read so far, without the offset.
    #[must_use]
    pub fn received(&self) -> u64 {
        let moved = self.flow.moved();
        self.coding.as_ref().map_or(moved, |coding| coding.received)
    }

    /// How much the server says will come, from the text of its 150. For progress bars only.
    #[must_use]
    pub fn announced(&self) -> Option<u64> {
        self.flow.began().and_then(answer::announced_size)
    }

    /// What was read of the data before the server's word had come; reading gives it first. To be taken
    /// before [`Download::clear_socket`] is used.
    pub fn take_ahead(&mut self) -> Vec<u8> {
        let ahead = std::mem::take(&mut self.ahead);
        let at = usize::try_from(ahead.position()).unwrap_or(usize::MAX);
        let bytes = ahead.into_inner();
        let rest = bytes.get(at..).unwrap_or_default().to_vec();
        self.flow.note_moved(rest.len());
        rest
    }

    /// The data connection itself, if it is in clear text and nothing was read ahead of it: for callers
    /// that move the bytes by a shorter way than through memory. They keep their own deadlines, and
    /// tell with [`Download::note_moved`].
    #[must_use]
    pub fn clear_socket(&self) -> Option<&D::Stream> {
        let is_plain = self.ahead.get_ref().is_empty() && self.coding.is_none();
        self.flow.clear_socket().filter(|_| is_plain)
    }

    /// Looks after the control connection while the bytes go past: keep-alives are sent, replies read.
    /// To be polled beside the moving and dropped after it; it never ends by itself.
    pub async fn attend(&mut self) -> Infallible {
        poll_fn(|cx| self.flow.poll_attend(cx)).await
    }

    /// So many bytes were read from [`Download::clear_socket`].
    pub fn note_moved(&mut self, bytes: u64) {
        self.flow
            .note_moved(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// Makes an end before so many bytes an error, even if the server says all is well.
    #[must_use]
    pub const fn expecting(mut self, bytes: u64) -> Self {
        if self.coding.is_none() {
            self.flow.expect(bytes);
        }
        self
    }

    /// The server's last reply. At the end of the data that is its confirmation; before it, the rest
    /// is given up.
    ///
    /// # Errors
    ///
    /// [`Error`] of the transfer, as reading met it.
    pub async fn finish(mut self) -> Result<Reply, Error> {
        self.flow.finish().await
    }

    /// Gives the rest up with ABOR, which leaves the session ready for the next command sooner than
    /// dropping does.
    ///
    /// # Errors
    ///
    /// [`Error`] of the control connection; a refused ABOR is none.
    pub async fn abort(self) -> Result<(), Error> {
        self.flow.abort().await
    }
}

impl<'c, D: Dial> Upload<'c, D> {
    pub(crate) fn new(client: &'c mut Client<D>, opened: Opened<D::Stream>, verb: Verb) -> Self {
        let coding = client.deflate().map(Outflow::new);
        Self {
            flow: Flow::new(client, opened, verb),
            coding,
        }
    }

    /// Bytes handed over so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        let moved = self.flow.moved();
        self.coding.as_ref().map_or(moved, |coding| coding.taken)
    }

    /// The data connection itself, if it is in clear text: for callers that move the bytes by a shorter
    /// way than through memory. They keep their own deadlines, and tell with [`Upload::note_moved`].
    #[must_use]
    pub fn clear_socket(&self) -> Option<&D::Stream> {
        let is_plain = self.coding.is_none();
        self.flow.clear_socket().filter(|_| is_plain)
    }

    /// Looks after the control connection while the bytes go past: keep-alives are sent, replies read.
    /// To be polled beside the moving and dropped after it; it never ends by itself.
    pub async fn attend(&mut self) -> Infallible {
        poll_fn(|cx| self.flow.poll_attend(cx)).await
    }

    /// So many bytes were written to [`Upload::clear_socket`].
    pub fn note_moved(&mut self, bytes: u64) {
        self.flow
            .note_moved(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// The name the server has chosen, after STOU.
    #[must_use]
    pub fn unique_name(&self) -> Option<Vec<u8>> {
        self.flow.began().and_then(answer::unique_name)
    }

    /// Ends the upload and gives the server's confirmation.
    ///
    /// # Errors
    ///
    /// [`Error`] of the transfer.
    pub async fn finish(mut self) -> Result<Reply, Error> {
        poll_fn(|cx| coding::poll_end(&mut self.coding, &mut self.flow, cx)).await
    }

    /// Gives the upload up with ABOR; the server may keep a part.
    ///
    /// # Errors
    ///
    /// [`Error`] of the control connection; a refused ABOR is none.
    pub async fn abort(self) -> Result<(), Error> {
        self.flow.abort().await
    }
}

impl<D: Dial> AsyncRead for Download<'_, D> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (flow, ahead) = (&mut this.flow, &mut this.ahead);
        match &mut this.coding {
            None => coding::read_raw(flow, ahead, cx, buf),
            Some(coding) => coding.poll_read(cx, buf, this.verb, |cx, space| {
                coding::read_raw(flow, ahead, cx, space)
            }),
        }
    }
}

impl<D: Dial> AsyncWrite for Upload<'_, D> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match &mut this.coding {
            None => this.flow.poll_write(cx, buf),
            Some(coding) => coding.poll_write(cx, buf, &mut this.flow),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(coding) = &mut this.coding {
            ready!(coding.poll_drain(cx, &mut this.flow))?;
        }
        this.flow.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let ended = ready!(coding::poll_end(&mut this.coding, &mut this.flow, cx));
        Poll::Ready(ended.map(drop).map_err(io::Error::from))
    }
}
