//! The control connection: a [`Transport`] and a [`Conversation`] over it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ftp_proto::client::Conversation;
use ftp_proto::reply::ReplyError;
use ftp_proto::{Argument, Command, Reply};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::{Listener, Said};
use crate::error::Cause;
use crate::transport::Transport;

/// Bytes taken from the server at once. Replies are short; a flood is read piece by piece.
const READ_BYTES: usize = 4096;

#[derive(Debug)]
pub(crate) struct Wire<S> {
    pub(crate) transport: Transport<S>,
    pub(crate) conversation: Conversation,
    listener: Option<Listener>,
    end: End,
}

/// Whether the server still speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// It has closed; what it said before may not all be read.
    Closed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S, listener: Option<Listener>) -> Self {
        Self {
            transport: Transport::Plain(stream),
            conversation: Conversation::new(),
            listener,
            end: End::Open,
        }
    }

    /// Puts a command into the queue.
    pub(crate) fn queue(&mut self, command: &Command) {
        self.conversation.queue(command);
        self.tell_command(command);
    }

    /// Puts any line into the queue.
    pub(crate) fn queue_line(&mut self, line: &Argument) {
        self.conversation.queue_line(line);
        let Some(listener) = &self.listener else {
            return;
        };
        let words = line.as_bytes();
        let end = words.iter().position(|byte| *byte == b' ');
        let verb = words.get(..end.unwrap_or(words.len())).unwrap_or_default();
        let is_secret = verb.eq_ignore_ascii_case(b"PASS") || verb.eq_ignore_ascii_case(b"ACCT");
        if is_secret {
            listener.tell(Said::Client(&[verb, HIDDEN.as_bytes()].concat()));
        } else {
            listener.tell(Said::Client(words));
        }
    }

    /// Puts ABOR and the Synch before it into the queue, as [`Conversation::queue_abort`].
    pub(crate) fn queue_abort(&mut self) -> usize {
        self.tell_command(&Command::Abor);
        self.conversation.queue_abort()
    }

    fn tell_command(&self, command: &Command) {
        let Some(listener) = &self.listener else {
            return;
        };
        let mut line = Vec::new();
        match command {
            Command::Pass(_) | Command::Acct(_) => {
                line.extend(command.verb().name().as_bytes());
                line.extend(HIDDEN.as_bytes());
            }
            command => command.encode(&mut line),
        }
        listener.tell(Said::Client(&line));
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.end == End::Closed
    }

    /// Sends all that is queued. Cancel-safe: what is not sent stays queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        while !self.conversation.outgoing().is_empty() {
            let written =
                Pin::new(&mut self.transport).poll_write(cx, self.conversation.outgoing());
            match ready!(written) {
                Ok(0) => return Poll::Ready(Err(Cause::Closed)),
                Ok(count) => self.conversation.sent(count),
                Err(error) => return Poll::Ready(Err(self.failed(error))),
            }
        }
        let flushed = ready!(Pin::new(&mut self.transport).poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| self.failed(error)))
    }

    /// Sends what is queued up to the last `keep` bytes, which stay queued.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        keep: usize,
    ) -> Poll<Result<(), Cause>> {
        loop {
            let outgoing = self.conversation.outgoing();
            let count = outgoing.len().saturating_sub(keep);
            let Some(bytes) = outgoing.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Poll::Ready(Ok(()));
            };
            match ready!(Pin::new(&mut self.transport).poll_write(cx, bytes)) {
                Ok(0) => return Poll::Ready(Err(Cause::Closed)),
                Ok(count) => self.conversation.sent(count),
                Err(error) => return Poll::Ready(Err(self.failed(error))),
            }
        }
    }

    /// The next reply, preliminary or final. Cancel-safe: half a reply is kept.
    pub(crate) fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, Cause>> {
        loop {
            match self.conversation.next_reply() {
                Ok(Some(reply)) => {
                    if let Some(listener) = &self.listener {
                        listener.tell(Said::Server(&reply));
                    }
                    return Poll::Ready(Ok(reply));
                }
                Ok(None) if self.end == End::Closed => {
                    return Poll::Ready(match self.conversation.finish() {
                        Ok(Some(reply)) => Ok(reply),
                        Ok(None) => Err(self.stray().unwrap_or(Cause::Closed)),
                        Err(error) => Err(Cause::Unreadable(error)),
                    });
                }
                // It says no more until it has heard the same of us.
                Ok(None) if self.speaks_ssh() => {
                    return Poll::Ready(Err(self.stray().unwrap_or(Cause::Closed)));
                }
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(Cause::Unreadable(error))),
            }
            let mut space = [0; READ_BYTES];
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.transport).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => self.end = End::Closed,
                Ok(()) => self.conversation.receive(buffer.filled()),
                // A server that leaves without TLS's goodbye, or resets after its last word.
                Err(error) if is_end(&error) => self.end = End::Closed,
                Err(error) => return Poll::Ready(Err(self.failed(error))),
            }
        }
    }

    /// Sends all that is queued and reads the next reply, in whichever order the server likes.
    pub(crate) fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, Cause>> {
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            // A server that says why it closes before it closes.
            return match self.poll_reply(cx) {
                Poll::Ready(Ok(reply)) => Poll::Ready(Ok(reply)),
                _ => Poll::Ready(Err(error)),
            };
        }
        self.poll_reply(cx)
    }

    /// Why there is no reply, if the server has said something that is none.
    pub(crate) fn stray(&self) -> Option<Cause> {
        let line = self.conversation.stray()?.to_vec();
        Some(Cause::Unreadable(ReplyError::BadCode { line }))
    }

    fn speaks_ssh(&self) -> bool {
        let stray = self.conversation.stray();
        stray.is_some_and(|line| line.starts_with(b"SSH-"))
    }

    fn failed(&self, error: io::Error) -> Cause {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof => Cause::Closed,
            io::ErrorKind::InvalidData if !self.transport.is_clear() => Cause::Tls(Arc::new(error)),
            _ => Cause::Io(Arc::new(error)),
        }
    }
}

/// Stands for a password.
const HIDDEN: &str = " …";

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
    )
}
