//! What downloads and uploads share: both connections watched at once, deadlines, and the end.

mod watch;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ftp_proto::client::answer;
use ftp_proto::reply::{Class, Code};
use ftp_proto::{Command, Reply, Verb};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use self::watch::{Event, Watch};
use crate::client::{Client, Opened};
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};
use crate::transport::Transport;

/// How long the server may take to say goodbye on the data connection of an upload it has confirmed.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long data of a download that was aborted is still taken, for the server to end it by itself.
const DRAIN: Duration = Duration::from_millis(500);

/// Bytes of it taken at once.
const DRAIN_CHUNK_BYTES: usize = 64 * 1024;

pub(super) struct Flow<'c, D: Dial> {
    client: &'c mut Client<D>,
    data: Option<Transport<D::Stream>>,
    verb: Verb,
    state: State,
    moved: u64,
    expected: Option<u64>,
    began: Option<Reply>,
    /// The final reply, which may come before the end of the data.
    last: Option<Reply>,
    /// What was wrong with the data, until the server has said what it thinks of it.
    suspicion: Option<Cause>,
    /// What is wrong with the control connection; the data may go on for a while.
    control: Option<Cause>,
    /// Keep-alives that were not answered yet.
    keep_alives: usize,
    watch: Watch,
    /// For whatever is awaited after the data.
    patience: Option<Pin<Box<Sleep>>>,
}

enum State {
    Moving,
    /// Our goodbye on the data connection is being said.
    Closing,
    /// The server's goodbye is awaited, and with it fresh TLS sessions.
    Parting,
    Waiting,
    Done(Reply),
    Failed(Error),
}

impl<'c, D: Dial> Flow<'c, D> {
    pub(super) fn new(client: &'c mut Client<D>, opened: Opened<D::Stream>, verb: Verb) -> Self {
        let config = client.config();
        let keep_alive = config.keep_alive;
        let keep_alive = keep_alive.filter(|_| !config.lessons.avoids_keep_alive());
        let watch = Watch::new(&config.limits, keep_alive);
        let state = if opened.data.is_some() {
            State::Moving
        } else {
            State::Waiting
        };
        Self {
            client,
            data: opened.data,
            verb,
            state,
            moved: 0,
            expected: None,
            began: opened.began,
            last: opened.last,
            suspicion: None,
            control: None,
            keep_alives: 0,
            watch,
            patience: None,
        }
    }

    pub(super) const fn moved(&self) -> u64 {
        self.moved
    }

    pub(super) const fn began(&self) -> Option<&Reply> {
        self.began.as_ref()
    }

    /// The data connection, while it is open and in clear text.
    pub(super) fn clear_socket(&self) -> Option<&D::Stream> {
        match (&self.state, &self.data) {
            (State::Moving, Some(data)) if data.is_clear() => data.socket(),
            _ => None,
        }
    }

    pub(super) const fn expect(&mut self, bytes: u64) {
        self.expected = Some(bytes);
    }

    pub(super) const fn note_moved(&mut self, count: usize) {
        self.moved = self.moved.saturating_add(count as u64);
        self.watch.progress();
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let (State::Moving, Some(data)) = (&self.state, &mut self.data) {
            let before = buf.filled().len();
            match Pin::new(data).poll_read(cx, buf) {
                Poll::Ready(Ok(())) => {
                    let count = buf.filled().len() - before;
                    if count > 0 {
                        self.note_moved(count);
                        return Poll::Ready(Ok(()));
                    }
                    if buf.remaining() == 0 {
                        return Poll::Ready(Ok(()));
                    }
                    self.state = State::Closing;
                }
                Poll::Ready(Err(error)) => self.doubt(error),
                Poll::Pending => {
                    ready!(self.poll_beside(cx))?;
                }
            }
        }
        let ended = ready!(self.poll_finish(cx));
        Poll::Ready(ended.map(drop).map_err(io::Error::from))
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let (State::Moving, Some(data)) = (&self.state, &mut self.data) {
            match Pin::new(data).poll_write(cx, buf) {
                Poll::Ready(Ok(count)) => {
                    self.note_moved(count);
                    return Poll::Ready(Ok(count));
                }
                Poll::Ready(Err(error)) => self.doubt(error),
                Poll::Pending => {
                    ready!(self.poll_beside(cx))?;
                }
            }
        }
        // There is nobody to write to: the server's last reply says why.
        Poll::Ready(Err(match ready!(self.poll_finish(cx)) {
            Ok(_confirmed) => io::ErrorKind::BrokenPipe.into(),
            Err(error) => error.into(),
        }))
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (State::Moving, Some(data)) = (&self.state, &mut self.data) else {
            return Poll::Ready(Ok(()));
        };
        match Pin::new(data).poll_flush(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => {
                ready!(self.poll_beside(cx))?;
                Poll::Ready(Ok(()))
            }
        }
    }

    pub(super) async fn finish(&mut self) -> Result<Reply, Error> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    /// Goes through the states to the end; the same result every time it is asked.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, Error>> {
        loop {
            match &self.state {
                State::Moving => ready!(self.poll_stop(cx)),
                State::Closing => ready!(self.poll_close(cx)),
                State::Parting => ready!(self.poll_part(cx)),
                State::Waiting => ready!(self.poll_last(cx)),
                State::Done(reply) => return Poll::Ready(Ok(reply.clone())),
                State::Failed(error) => return Poll::Ready(Err(error.clone())),
            }
        }
    }

    /// The caller wants no more. A download that is at its end without knowing it has to notice.
    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_download()
            && let Some(data) = &mut self.data
        {
            let mut space = [0; 1];
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(data).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {}
                Poll::Ready(Ok(())) => {
                    // The rest is given up; the server will find nobody to send to.
                    self.data = None;
                    self.state = State::Waiting;
                    return Poll::Ready(());
                }
                Poll::Ready(Err(error)) => {
                    self.doubt(error);
                    return Poll::Ready(());
                }
                Poll::Pending => match ready!(self.poll_beside(cx)) {
                    Ok(()) | Err(_) => return Poll::Ready(()),
                },
            }
        }
        self.state = State::Closing;
        Poll::Ready(())
    }

    /// TLS's goodbye and the end of our half of the connection.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(data) = &mut self.data {
            match Pin::new(data).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => {}
                // A download is complete without our goodbye. An upload that could not be flushed
                // is not.
                Poll::Ready(Err(error)) => {
                    if !self.is_download() {
                        self.doubt(error);
                        return Poll::Ready(());
                    }
                }
                Poll::Pending if self.last.is_some() => {}
                Poll::Pending => {
                    if ready!(self.poll_beside(cx)).is_err() {
                        return Poll::Ready(());
                    }
                }
            }
        }
        let parts = self
            .data
            .as_ref()
            .is_some_and(|data| !data.is_clear() && !self.is_download());
        self.state = if parts {
            State::Parting
        } else {
            self.data = None;
            State::Waiting
        };
        Poll::Ready(())
    }

    /// Reads up to the server's goodbye: its TLS 1.3 tickets come on the way, and the next data
    /// connection needs one.
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(data) = &mut self.data {
            let mut space = [0; 512];
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(data).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(Ok(()) | Err(_)) => self.data = None,
                Poll::Pending => {
                    let was_confirmed = self.last.is_some();
                    self.listen(cx);
                    if self.last.is_some() && !was_confirmed {
                        self.patience = None;
                    }
                    let limit = if self.last.is_some() {
                        GOODBYE
                    } else {
                        self.client.config().limits.reply
                    };
                    if self.control.is_none() && self.poll_patience(cx, limit).is_pending() {
                        return Poll::Pending;
                    }
                    self.data = None;
                }
            }
        }
        self.patience = None;
        self.state = State::Waiting;
        Poll::Ready(())
    }

    /// The server's last word.
    fn poll_last(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.data = None;
        self.listen(cx);
        let phase = Phase::Final(self.verb);
        if let Some(reply) = self.last.take() {
            self.client.transfer_is_over();
            self.client.note_late_keep_alives(self.keep_alives);
            self.state = self.judge(reply);
            if let State::Failed(error) = &self.state {
                self.client.learn_from(error);
            }
        } else if let Some(cause) = self.control.clone() {
            self.state = State::Failed(self.client.fail(phase, cause));
        } else {
            let limit = self.client.config().limits.reply;
            ready!(self.poll_patience(cx, limit));
            let cause = Cause::Timeout(limit);
            self.state = State::Failed(self.client.fail(phase, cause));
        }
        Poll::Ready(())
    }

    fn judge(&self, reply: Reply) -> State {
        let phase = Phase::Final(self.verb);
        if reply.code().class() != Class::Completion {
            let phase = match reply.code().number() {
                425 | 435 | 522 => Phase::DataConnect(self.verb),
                _ => phase,
            };
            return State::Failed(Error::new(phase, Cause::Refused(reply)));
        }
        let received = self.moved;
        // What the 150 said counts as evidence that a connection without goodbye was complete.
        let announced = self.began.as_ref().and_then(answer::announced_size);
        let is_whole = self.expected.or(announced) == Some(received);
        match (&self.suspicion, self.expected) {
            (_, Some(expected)) if self.is_download() && received < expected => {
                let expected = Some(expected);
                State::Failed(Error::new(phase, Cause::Truncated { received, expected }))
            }
            (Some(cause), _) if !(self.is_download() && is_whole) => {
                State::Failed(Error::new(Phase::Transfer(self.verb), cause.clone()))
            }
            _ => State::Done(reply),
        }
    }

    /// The data connection broke. Whether that matters, and why, the server may say.
    fn doubt(&mut self, error: io::Error) {
        let cause = match error.kind() {
            io::ErrorKind::UnexpectedEof => Cause::Truncated {
                received: self.moved,
                expected: self.expected,
            },
            io::ErrorKind::InvalidData => Cause::Tls(Arc::new(error)),
            _ => Cause::Io(Arc::new(error)),
        };
        self.suspicion = Some(cause);
        self.data = None;
        self.state = State::Waiting;
    }

    /// What happens while the data connection is silent: replies, keep-alives, deadlines. Ready once
    /// the transfer cannot go on; the error is kept.
    fn poll_beside(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let had_last = self.last.is_some();
        self.listen(cx);
        let refused = self
            .last
            .as_ref()
            .is_some_and(|reply| reply.code().class() != Class::Completion);
        if refused {
            // Nothing more will come (or be read).
            self.data = None;
            self.state = State::Waiting;
            return Poll::Ready(Ok(()));
        }
        if self.last.is_some() && !had_last {
            self.watch
                .confirmed(self.client.config().limits.after_final);
        }
        while let Poll::Ready(event) = self.watch.poll(cx) {
            let limit = match event {
                Event::KeepAlive => {
                    self.keep_alive(cx);
                    continue;
                }
                Event::Over(limit) => limit,
            };
            let error = self
                .client
                .fail(Phase::Transfer(self.verb), Cause::Timeout(limit));
            self.data = None;
            self.state = State::Failed(error.clone());
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }

    /// Looks after the control connection while somebody else moves the bytes: replies are read and
    /// kept, keep-alives sent. Never ready.
    pub(super) fn poll_attend(&mut self, cx: &mut Context<'_>) -> Poll<Infallible> {
        self.listen(cx);
        while self.watch.poll_keep_alive(cx).is_ready() {
            self.keep_alive(cx);
        }
        Poll::Pending
    }

    fn keep_alive(&mut self, cx: &mut Context<'_>) {
        if self.control.is_none() && self.last.is_none() {
            self.keep_alives += 1;
            self.client.note_keep_alive();
            self.client.queue(&Command::Noop);
            self.listen(cx);
        }
    }

    /// Reads what the server says on the control connection, without waiting.
    fn listen(&mut self, cx: &mut Context<'_>) {
        while self.control.is_none() && self.last.is_none() {
            match self.client.poll_exchange(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(reply)) => self.hear(reply),
                Poll::Ready(Err(cause)) => self.control = Some(cause),
            }
        }
    }

    fn hear(&mut self, reply: Reply) {
        if reply.code().class() == Class::Preliminary {
            self.began.get_or_insert(reply);
        } else if self.keep_alives > 0 && self.answers_keep_alive(reply.code()) {
            self.keep_alives -= 1;
            self.client.note_keep_alive_answered();
            if reply.code() != Code::OKAY {
                // It takes nothing during a transfer; asking again would only fill its log.
                self.client.config().lessons.avoid_keep_alive();
                self.watch.leave_alone();
            }
        } else {
            if reply.code() == Code::SERVICE_UNAVAILABLE {
                let _closing = self
                    .client
                    .fail(Phase::Final(self.verb), Cause::Refused(reply.clone()));
            }
            self.last = Some(reply);
        }
    }

    /// Whether a reply is about a NOOP and not about the transfer. pure-ftpd (seen in 1.0.50) answers
    /// 500 to whatever comes during one, other servers 450, which is the transfer's own word only once
    /// the data is over.
    fn answers_keep_alive(&self, code: Code) -> bool {
        match code.number() {
            450 => matches!(self.state, State::Moving),
            225 | 226 | 250 => false,
            number => matches!(number, 200..=299 | 500..=504),
        }
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        patience.as_mut().poll(cx)
    }

    fn is_download(&self) -> bool {
        !matches!(self.verb, Verb::Stor | Verb::Appe | Verb::Stou)
    }

    /// ABOR, the end of the data connection, and a fence behind which no late reply can lie.
    pub(super) async fn abort(mut self) -> Result<(), Error> {
        // Nothing to abort; should replies be owed, the next command reads them.
        if self.last.is_some() || matches!(self.state, State::Done(_) | State::Failed(_)) {
            return Ok(());
        }
        let phase = Phase::Command(Verb::Abor);
        self.client.send_abort(phase).await?;
        // Some servers take a connection that breaks off for worse than an ABOR.
        if self.is_download()
            && let Some(data) = &mut self.data
        {
            let mut space = vec![0; DRAIN_CHUNK_BYTES];
            let drained =
                async { while data.read(&mut space).await.is_ok_and(|count| count > 0) {} };
            tokio::time::timeout(DRAIN, drained).await.ok();
        }
        self.data = None;
        self.client.fence(phase).await
    }
}
