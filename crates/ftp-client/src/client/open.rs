//! The beginning of a transfer: command, data connection and the server's word, in whichever order
//! they come.
//!
//! ```text
//!  data:    (dialling ─▶ handshake ─▶ open │ accepting ─▶ …)        both at once, since servers
//!  control: [REST ─▶ 350] command ─▶ 1xx │ 2xx at once │ 4xx, 5xx   differ in what they wait for
//! ```
//!
//! A server may leave out its 150, send its 226 together with it, or say why it refuses only after
//! the data connection broke: all of that is settled here.

use std::future::poll_fn;
use std::pin::Pin;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ftp_proto::command::ExtendedPassive;
#[cfg(feature = "tls")]
use ftp_proto::command::Protection;
use ftp_proto::reply::{Class, Code};
use ftp_proto::{Command, Reply, Verb};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::active::accept;
use super::{Client, accepted, argument};
use crate::config::DataMode;
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};
use crate::transport::Transport;
use crate::wire::Wire;

/// Bytes read from the data connection while the server's word is awaited: enough to see that it
/// sends without one.
const AHEAD_BYTES: usize = 4096;

/// How long the server may take to say why, after the data connection could not be made.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the server.
    In,
    /// To the server.
    Out,
}

/// A transfer that has begun.
pub(crate) struct Opened<S> {
    /// `None` if the server has closed it already.
    pub(crate) data: Option<Transport<S>>,
    /// What was read of it already.
    pub(crate) ahead: Vec<u8>,
    /// The 1xx reply.
    pub(crate) began: Option<Reply>,
    /// The final reply, if it came this early.
    pub(crate) last: Option<Reply>,
    /// REST was accepted.
    pub(crate) restarted: bool,
}

type Making<'d, S> = Pin<Box<dyn Future<Output = Result<Transport<S>, Cause>> + Send + 'd>>;

impl<D: Dial> Client<D> {
    /// Sends the command with all that has to come before it, and makes the data connection.
    pub(crate) async fn begin(
        &mut self,
        command: Command,
        offset: u64,
        way: Way,
    ) -> Result<Opened<D::Stream>, Error> {
        let verb = command.verb();
        #[cfg(feature = "tls")]
        self.protect_data().await?;
        self.announce_command(&command).await?;
        let plan = self.plan(verb).await?;
        let restart = self.restart(offset, way).await?;
        self.wire.queue(&command);
        self.unfinished = Some(0);
        self.ask_ahead();
        let limit = self.config.limits.first_byte;
        let peer = self.peer.ip();
        let rule = self.config.data_address;
        let connect_limit = self.config.limits.connect;
        #[cfg(feature = "tls")]
        let tls = self
            .tls
            .as_ref()
            .filter(|_| self.protection == Some(Protection::Private));
        #[cfg(not(feature = "tls"))]
        let tls: Option<()> = None;
        let dial = &self.dial;
        let making: Making<'_, D::Stream> = Box::pin(async move {
            let stream = match plan {
                Plan::Made(stream) => stream,
                Plan::Dial(target) => {
                    let made = tokio::time::timeout(connect_limit, dial.connect(target)).await;
                    let made = made.map_err(|_elapsed| Cause::Timeout(connect_limit))?;
                    made.map_err(Cause::Connect)?
                }
                Plan::Listen(listening) => accept(listening, peer, rule).await?,
            };
            secure(stream, tls).await
        });
        let beginning = Beginning {
            wire: &mut self.wire,
            making: Some(making),
            data: None,
            ended: false,
            failure: None,
            last_words: None,
            ahead: Vec::new(),
            began: None,
            last: None,
            restart,
            way,
            verb,
        };
        let opened = match tokio::time::timeout(limit, beginning.run()).await {
            Ok(opened) => opened,
            Err(_elapsed) => Err(Error::new(Phase::DataConnect(verb), Cause::Timeout(limit))),
        };
        match opened {
            Ok(opened) => {
                #[cfg(feature = "tls")]
                if let Some(Transport::Tls(stream)) = &opened.data {
                    self.last_data_tls = Some(crate::tls::info(stream));
                }
                self.data_proven = true;
                Ok(opened)
            }
            Err(error) => {
                if error.reply().is_some() {
                    self.transfer_is_over();
                }
                self.learn_from(&error);
                self.lost |= error.ends_session();
                Err(error)
            }
        }
    }

    /// REST. An upload in the wrong place destroys; a download says where it begins.
    async fn restart(&mut self, offset: u64, way: Way) -> Result<Restart, Error> {
        let command = Command::Rest(offset);
        if offset == 0 {
            return Ok(Restart::None);
        }
        if way == Way::In && self.pipelines {
            self.wire.queue(&command);
            return Ok(Restart::Asked);
        }
        let phase = Phase::Command(Verb::Rest);
        let reply = self.exchange(phase, &command).await?;
        match (reply.code(), way) {
            (Code::PENDING, _) => Ok(Restart::Accepted),
            (_, Way::In) => Ok(Restart::None),
            (_, Way::Out) => Err(Error::new(phase, Cause::Refused(reply))),
        }
    }

    /// Notes what a failed data connection says about the way.
    pub(crate) fn learn_from(&mut self, error: &Error) {
        if matches!(error.phase(), Phase::DataConnect(_)) {
            self.data_proven = false;
            // Perhaps for want of a ticket: the next session will not depend on them.
            #[cfg(feature = "tls")]
            if self.control_tls().is_some_and(|info| info.is_tls13) {
                self.config.lessons.avoid_tls13();
            }
        }
    }

    /// PRET, for servers that have to know what will be asked before they say where to connect.
    async fn announce_command(&mut self, command: &Command) -> Result<(), Error> {
        let wanted = self
            .features
            .as_ref()
            .is_some_and(|features| features.has("PRET"));
        if !wanted {
            return Ok(());
        }
        let mut line = Vec::new();
        command.encode(&mut line);
        let command = argument(Phase::Command(Verb::Pret), line)?;
        let pret = Command::Pret(command);
        if self.pipelines && self.data_proven && self.prefers_extended_passive() {
            // Both at once: a file costs a round trip less.
            let epsv = Command::Epsv(ExtendedPassive::Default);
            let phase = Phase::Command(Verb::Pret);
            let mut replies = self.exchange_all(phase, &[pret, epsv]).await?.into_iter();
            let (prepared, passive) = (replies.next(), replies.next());
            if let Some(prepared) = prepared {
                accepted(phase, prepared)?;
            }
            self.passive_reply = passive;
            return Ok(());
        }
        self.ask(pret).await.map(drop)
    }

    /// Agrees with the server on who connects where. The connection itself is made at once on a way
    /// that is not proven, so that there is another way; later together with the command.
    async fn plan(&mut self, verb: Verb) -> Result<Plan<D::Stream>, Error> {
        if let DataMode::Active { announce } = self.config.data_mode {
            return Ok(Plan::Listen(self.active(verb, announce).await?));
        }
        let proven = self.data_proven && self.pipelines;
        let target = self.passive().await?;
        if proven {
            return Ok(Plan::Dial(target.address));
        }
        Ok(Plan::Made(self.connect_passive(verb, target).await?))
    }
}

enum Plan<S> {
    Made(S),
    Dial(std::net::SocketAddr),
    Listen(crate::dial::Listening<S>),
}

/// What became of REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restart {
    None,
    /// Its reply is the next one.
    Asked,
    Accepted,
}

struct Beginning<'c, 'd, S> {
    wire: &'c mut Wire<S>,
    making: Option<Making<'d, S>>,
    data: Option<Transport<S>>,
    /// The data connection was open and is at its end.
    ended: bool,
    /// Why there is no data connection.
    failure: Option<Cause>,
    last_words: Option<Pin<Box<Sleep>>>,
    ahead: Vec<u8>,
    began: Option<Reply>,
    last: Option<Reply>,
    restart: Restart,
    way: Way,
    verb: Verb,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Beginning<'_, '_, S> {
    async fn run(mut self) -> Result<Opened<S>, Error> {
        poll_fn(|cx| self.poll(cx)).await?;
        Ok(Opened {
            data: self.data,
            ahead: self.ahead,
            began: self.began,
            last: self.last,
            restarted: self.restart == Restart::Accepted,
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_data(cx);
        loop {
            match self.wire.poll_exchange(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(reply)) => self.take(reply)?,
                // Agreed and then gone: what it has sent before is good all the same, and the transfer
                // finds out what is missing.
                Poll::Ready(Err(_gone)) if self.agreed() && self.failure.is_none() => break,
                Poll::Ready(Err(cause)) => {
                    let phase = Phase::Command(self.verb);
                    return Poll::Ready(Err(Error::new(phase, cause)));
                }
            }
            if self.last.is_some() {
                break;
            }
        }
        // The 226 may have come first, so the connection is looked at again.
        let is_there = self.data.is_some() || self.ended;
        if is_there && self.agreed() && self.restart != Restart::Asked {
            return Poll::Ready(Ok(()));
        }
        self.poll_failure(cx)
    }

    /// Whether the server has said, or shown, that it does what was asked.
    fn agreed(&self) -> bool {
        self.began.is_some() || self.last.is_some() || !self.ahead.is_empty()
    }

    /// Goes on with the data connection as far as it goes.
    fn poll_data(&mut self, cx: &mut Context<'_>) {
        if let Some(making) = &mut self.making {
            match making.as_mut().poll(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(data)) => self.data = Some(data),
                Poll::Ready(Err(cause)) => self.failure = Some(cause),
            }
            self.making = None;
        }
        let Some(data) = &mut self.data else {
            return;
        };
        if self.way == Way::Out || self.began.is_some() || !self.ahead.is_empty() {
            return;
        }
        let mut space = [0; AHEAD_BYTES];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(data).poll_read(cx, &mut buffer) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                self.ahead.extend(buffer.filled());
            }
            // Empty, or refused: the control connection tells. A reset is told apart later.
            Poll::Ready(Ok(()) | Err(_)) => {
                self.data = None;
                self.ended = true;
            }
        }
    }

    fn take(&mut self, reply: Reply) -> Result<(), Error> {
        let code = reply.code();
        if self.restart == Restart::Asked && code.class() != Class::Preliminary {
            self.restart = match code {
                Code::PENDING => Restart::Accepted,
                _ => Restart::None,
            };
            return Ok(());
        }
        match code.class() {
            Class::Preliminary => {
                self.began.get_or_insert(reply);
                Ok(())
            }
            Class::Completion => {
                self.last = Some(reply);
                Ok(())
            }
            _ => {
                let about_data = matches!(code.number(), 425 | 426 | 435 | 522);
                let phase = if about_data {
                    Phase::DataConnect(self.verb)
                } else {
                    Phase::Command(self.verb)
                };
                Err(Error::new(phase, Cause::Refused(reply)))
            }
        }
    }

    /// Without a data connection there is nothing to wait for but the server's last words.
    fn poll_failure(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(failure) = &self.failure else {
            return Poll::Pending;
        };
        let until = Instant::now() + LAST_WORDS;
        let sleep = self
            .last_words
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if self.last.is_none() && sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let error = Error::new(Phase::DataConnect(self.verb), failure.clone());
        Poll::Ready(Err(error))
    }
}

#[cfg(feature = "tls")]
async fn secure<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    tls: Option<&crate::tls::TlsSession>,
) -> Result<Transport<S>, Cause> {
    match tls {
        None => Ok(Transport::Plain(stream)),
        Some(session) => match session.handshake(stream).await {
            Ok(stream) => Ok(Transport::Tls(Box::new(stream))),
            Err(error) => Err(Cause::Tls(Arc::new(error))),
        },
    }
}

#[cfg(not(feature = "tls"))]
async fn secure<S>(stream: S, _tls: Option<()>) -> Result<Transport<S>, Cause> {
    Ok(Transport::Plain(stream))
}
