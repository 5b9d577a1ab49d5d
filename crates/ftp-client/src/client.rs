//! One FTP session, step by step: for programs that script FTP.
//!
//! Replies are judged by `ftp_proto::client` as RFC 959 §5.4 asks, by their first digit; a failed
//! step names the step and carries the server's reply. [`crate::busybox`] does not go through here,
//! because it has to read replies as loosely as BusyBox does.
//!
//! ```text
//! connect ─▶ login ─▶ set_type ─▶ ┌ passive ─▶ [size] ─▶ [rest] ─▶ retr │ stor ─▶ bytes ─▶ finish ┐ ─▶ quit
//!                                 └───────────────◀──────────────────────────────────────◀────────┘
//! ```
//!
//! No method sets a deadline. Dropping a future between two replies leaves a session whose next
//! reply belongs to the command that was given up: only closing it is safe then, and dropping the
//! [`Client`] does that. [`Client::reply`] alone is cancel-safe.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use ftp_proto::client::{ClientError, Manner, Step, Verdict, verdict};
use ftp_proto::command::ExtendedPassive;
use ftp_proto::reply::{Code, Decoder, Grammar, MAX_REPLY_BYTES, ReplyError};
use ftp_proto::transfer::Type;
use ftp_proto::{Argument, Command, Reply, address};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::control::Control;
use crate::data;
use crate::dial::{ConnectError, Dial};

/// Most preliminary replies waited out before the one that counts. RFC 959 knows one per command;
/// past the limit the step fails with the last of them.
pub const MAX_PRELIMINARY_REPLIES: usize = 16;

/// Most bytes read without a reply coming out: the longest reply and as much again for line ends and
/// Telnet options. Past the limit: [`ReplyError::TooLong`].
pub const MAX_UNANSWERED_BYTES: usize = 2 * MAX_REPLY_BYTES;

/// A session with one server.
pub struct Client<'a, D: Dial> {
    dial: &'a D,
    server: SocketAddr,
    control: Control<D::Stream>,
    replies: Decoder,
    /// Bytes read since the last reply.
    unanswered: usize,
}

/// Why a step failed.
#[derive(Debug)]
pub enum Error {
    /// No control connection.
    Connect(ConnectError),
    /// The server offered a data connection that cannot be made.
    DataConnect(ConnectError),
    /// The dialogue broke: an unexpected reply, an unreadable one, or the server closed.
    Dialogue(ClientError),
    /// The control connection failed.
    Io(io::Error),
}

impl<'a, D: Dial> Client<'a, D> {
    /// Connects and reads the greeting.
    ///
    /// # Errors
    ///
    /// [`Error`]; a server that says 421 is an unexpected reply to [`Step::Greeting`].
    pub async fn connect(dial: &'a D, server: SocketAddr) -> Result<Self, Error> {
        let stream = dial.connect(server).await.map_err(Error::Connect)?;
        let mut client = Self {
            dial,
            server,
            control: Control::new(stream),
            replies: Decoder::new(Grammar::Standard),
            unanswered: 0,
        };
        client.settle(Step::Greeting).await?.accepted()?;
        Ok(client)
    }

    /// USER, and PASS if the server asks for it.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refused login is an unexpected reply to [`Step::User`] or [`Step::Pass`].
    pub async fn login(
        &mut self,
        user: &Argument,
        password: Option<&Argument>,
    ) -> Result<Reply, Error> {
        let reply = self.ask(Step::User, &Command::User(user.clone())).await?;
        if reply.code() != Code::NEED_PASSWORD {
            return Ok(reply);
        }
        self.ask(Step::Pass, &Command::Pass(password.cloned()))
            .await
    }

    /// TYPE.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_type(&mut self, representation: Type) -> Result<(), Error> {
        self.ask(Step::Type, &Command::Type(representation)).await?;
        Ok(())
    }

    /// EPSV, or PASV if that is refused, and the data connection: to the server's own address, with
    /// the announced port.
    ///
    /// # Errors
    ///
    /// [`Error::DataConnect`], and the others.
    pub async fn passive(&mut self) -> Result<D::Stream, Error> {
        self.send(&Command::Epsv(ExtendedPassive::Default)).await?;
        let port = match self.settle(Step::Epsv).await? {
            Settled::Accepted(reply) => address::scan_extended_passive(reply.text())
                .ok_or_else(|| bad_address(Step::Epsv, reply))?,
            Settled::Refused(..) => {
                let reply = self.ask(Step::Pasv, &Command::Pasv).await?;
                address::scan_passive(reply.text())
                    .map(|announced| announced.port())
                    .ok_or_else(|| bad_address(Step::Pasv, reply))?
            }
        };
        data::connect(self.dial, self.server, port)
            .await
            .map_err(Error::DataConnect)
    }

    /// SIZE; `None` if the server does not say.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal is none.
    pub async fn size(&mut self, path: &Argument) -> Result<Option<u64>, Error> {
        self.send(&Command::Size(path.clone())).await?;
        Ok(match self.settle(Step::Size).await? {
            Settled::Accepted(reply) => parse_size(reply.text()),
            Settled::Refused(..) => None,
        })
    }

    /// REST; `false` if the server refuses it and the whole file will come.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal is none.
    pub async fn rest(&mut self, offset: u64) -> Result<bool, Error> {
        self.send(&Command::Rest(offset)).await?;
        Ok(matches!(
            self.settle(Step::Rest).await?,
            Settled::Accepted(_)
        ))
    }

    /// RETR: when it returns, the bytes are to be read from the connection [`Client::passive`] gave,
    /// until its end; then [`Client::finish`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn retr(&mut self, path: &Argument) -> Result<Reply, Error> {
        self.ask(Step::Retr, &Command::Retr(path.clone())).await
    }

    /// STOR: when it returns, the bytes are to be written to the connection [`Client::passive`]
    /// gave; then [`Client::finish`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn stor(&mut self, path: &Argument) -> Result<Reply, Error> {
        self.ask(Step::Stor, &Command::Stor(path.clone())).await
    }

    /// Closes the data connection and reads the final reply: only that says the transfer was whole.
    ///
    /// # Errors
    ///
    /// [`Error`]; 426 and 451 are unexpected replies to [`Step::Final`].
    pub async fn finish(&mut self, mut data: impl AsyncWrite + Unpin) -> Result<Reply, Error> {
        // The peer may be gone already; what counts is what it says on the control connection.
        data.shutdown().await.ok();
        drop(data);
        self.settle(Step::Final).await?.accepted()
    }

    /// QUIT, the server's answer, and the end of the connection.
    ///
    /// # Errors
    ///
    /// [`Error`]; all work is done by then and most callers ignore it.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.ask(Step::Quit, &Command::Quit).await?;
        self.control.shutdown().await.map_err(Error::Io)
    }

    /// Sends any command, without waiting for its reply.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn send(&mut self, command: &Command) -> Result<(), Error> {
        self.control
            .send(&command.to_wire())
            .await
            .map_err(Error::Io)
    }

    /// Reads one reply, joining continuation lines; its length is bounded by
    /// [`ftp_proto::reply::MAX_REPLY_BYTES`] and [`ftp_proto::reply::MAX_REPLY_LINES`].
    ///
    /// Cancel-safe: a partly read reply is kept for the next call. `step` is only used in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`ClientError::Closed`] and [`ClientError::Unreadable`].
    pub async fn reply(&mut self, step: Step) -> Result<Reply, Error> {
        loop {
            let bytes = self.control.fill().await.map_err(Error::Io)?;
            let mut rest = bytes;
            let decoded = if bytes.is_empty() {
                self.replies.finish()
            } else {
                self.replies.decode(&mut rest)
            };
            let (closed, used) = (bytes.is_empty(), bytes.len() - rest.len());
            self.control.consume(used);
            self.unanswered = self.unanswered.saturating_add(used);
            match decoded {
                Ok(Some(reply)) => {
                    self.unanswered = 0;
                    return Ok(reply);
                }
                // The decoder bounds what it keeps; a line that never ends it skips for ever.
                Ok(None) if self.unanswered > MAX_UNANSWERED_BYTES => {
                    let error = ReplyError::TooLong;
                    return Err(ClientError::Unreadable { step, error }.into());
                }
                Ok(None) if closed => return Err(ClientError::Closed { step }.into()),
                Ok(None) => {}
                Err(error) => return Err(ClientError::Unreadable { step, error }.into()),
            }
        }
    }

    async fn ask(&mut self, step: Step, command: &Command) -> Result<Reply, Error> {
        self.send(command).await?;
        self.settle(step).await?.accepted()
    }

    /// Reads replies until one decides the step.
    async fn settle(&mut self, step: Step) -> Result<Settled, Error> {
        for _ in 0..MAX_PRELIMINARY_REPLIES {
            let reply = self.reply(step).await?;
            match verdict(Manner::Standard, step, reply.code()) {
                Verdict::Accept => return Ok(Settled::Accepted(reply)),
                Verdict::Refused => return Ok(Settled::Refused(step, reply)),
                Verdict::Wait => {}
                Verdict::Fail => return Err(ClientError::UnexpectedReply { step, reply }.into()),
            }
        }
        let reply = self.reply(step).await?;
        Err(ClientError::UnexpectedReply { step, reply }.into())
    }
}

/// What a SIZE reply says: digits, blanks around them ignored.
pub(crate) fn parse_size(text: &[u8]) -> Option<u64> {
    let digits = text.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

enum Settled {
    Accepted(Reply),
    /// Refused in a way the caller may go round.
    Refused(Step, Reply),
}

impl Settled {
    fn accepted(self) -> Result<Reply, Error> {
        match self {
            Self::Accepted(reply) => Ok(reply),
            Self::Refused(step, reply) => Err(ClientError::UnexpectedReply { step, reply }.into()),
        }
    }
}

fn bad_address(step: Step, reply: Reply) -> Error {
    ClientError::BadAddress { step, reply }.into()
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Dialogue(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::DataConnect(error) => write!(f, "cannot open the data connection: {error}"),
            Self::Dialogue(error) => error.fmt(f),
            Self::Io(error) => write!(f, "control connection: {error}"),
        }
    }
}

impl std::error::Error for Error {}
