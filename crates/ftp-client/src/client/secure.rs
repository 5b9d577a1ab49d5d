//! AUTH, PBSZ, PROT and the handshakes. RFC 4217.

use std::sync::Arc;

use ftp_proto::Command;
use ftp_proto::command::Protection;
use ftp_proto::reply::Class;

use super::{Client, argument};
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};
use crate::tls::{DataProtection, TlsInfo, TlsOptions, TlsSession, Versions, info};
use crate::transport::Transport;

impl<D: Dial> Client<D> {
    /// The versions to offer to this server.
    ///
    /// ProFTPD (seen in 1.3.8) wants every data connection to resume the session of the control
    /// connection, hands out two TLS 1.3 tickets for that and no new ones: it counts on clients that
    /// use a ticket twice, which rustls never does. Under 1.2 there is no such limit.
    fn versions(&self, options: &TlsOptions) -> Versions {
        const NAME: &[u8] = b"ProFTPD";
        let greeting = self.greeting.text();
        let runs_out = self.config.lessons.avoids_tls13()
            || greeting.windows(NAME.len()).any(|window| window == NAME);
        match options.versions {
            Versions::Any if runs_out => Versions::Only12,
            versions => versions,
        }
    }

    /// AUTH TLS and the handshake; a refusal is an error, never clear text.
    pub(super) async fn secure(&mut self, options: &TlsOptions) -> Result<(), Error> {
        let mut refused = None;
        // `SSL` is what servers older than RFC 4217 call it.
        for mechanism in ["TLS", "SSL"] {
            let mechanism = argument(Phase::Secure, mechanism)?;
            let reply = self
                .exchange(Phase::Secure, &Command::Auth(mechanism))
                .await?;
            if matches!(reply.code().number(), 234 | 334) {
                return self.handshake(options).await;
            }
            // The first refusal says why; the second one mostly does not know the word.
            refused.get_or_insert(reply);
        }
        let cause = refused.map_or(Cause::Unsupported("AUTH TLS"), Cause::Refused);
        Err(Error::new(Phase::Secure, cause))
    }

    /// The handshake of the control connection. What the server said before it is dropped.
    pub(super) async fn handshake(&mut self, options: &TlsOptions) -> Result<(), Error> {
        let fail = |error| Error::new(Phase::Secure, Cause::Tls(Arc::new(error)));
        let mut options = options.clone();
        options.versions = self.versions(&options);
        let session = TlsSession::new(&options, &self.config.host).map_err(fail)?;
        self.wire.conversation.drop_received();
        let Transport::Plain(stream) = std::mem::replace(&mut self.wire.transport, Transport::Gone)
        else {
            return Err(Error::new(Phase::Secure, Cause::Unsupported("TLS twice")));
        };
        self.lost = true;
        let limit = self.config.limits.connect;
        let shaken = tokio::time::timeout(limit, session.handshake(stream)).await;
        let stream = match shaken {
            Ok(stream) => stream.map_err(fail)?,
            Err(_elapsed) => return Err(Error::new(Phase::Secure, Cause::Timeout(limit))),
        };
        self.lost = false;
        self.wire.transport = Transport::Tls(Box::new(stream));
        self.tls = Some(session);
        Ok(())
    }

    /// PBSZ and PROT, once a session.
    pub(super) async fn protect_data(&mut self) -> Result<(), Error> {
        let level = match &self.tls {
            None => return Ok(()),
            Some(session) => match session.data {
                DataProtection::Private => Protection::Private,
                DataProtection::Clear => Protection::Clear,
            },
        };
        if self.protection == Some(level) {
            return Ok(());
        }
        let commands = [Command::Pbsz(0), Command::Prot(level)];
        let replies = self.exchange_all(Phase::Secure, &commands).await?;
        // PBSZ means nothing for TLS and is refused by servers that do not know it.
        match replies.into_iter().next_back() {
            Some(reply) if reply.code().class() == Class::Completion => {
                self.protection = Some(level);
                Ok(())
            }
            Some(reply) => Err(Error::new(Phase::Secure, Cause::Refused(reply))),
            None => Err(Error::new(Phase::Secure, Cause::Unsupported("PROT"))),
        }
    }

    /// CCC: the rest of the dialogue in clear text, so that routers can follow it; data connections
    /// stay as they are. RFC 4217 §12.3.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal leaves the session as it was.
    pub async fn clear_command_channel(&mut self) -> Result<(), Error> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        self.ask(Command::Ccc).await?;
        let phase = Phase::Command(ftp_proto::Verb::Ccc);
        let Transport::Tls(mut stream) =
            std::mem::replace(&mut self.wire.transport, Transport::Gone)
        else {
            return Err(Error::new(phase, Cause::Unsupported("CCC without TLS")));
        };
        self.lost = true;
        // Goodbye both ways, on TLS alone: the connection below stays open.
        let (_, connection) = stream.get_mut();
        connection.send_close_notify();
        let mut goodbye = Vec::new();
        while connection.wants_write() {
            let written = connection.write_tls(&mut goodbye);
            written.map_err(|error| Error::new(phase, Cause::Io(Arc::new(error))))?;
        }
        let limit = self.config.limits.connect;
        let ended = async {
            let (socket, _) = stream.get_mut();
            socket.write_all(&goodbye).await?;
            socket.flush().await?;
            // Reading up to the server's goodbye; what it answers next is clear text.
            while stream.read(&mut [0; 64]).await? != 0 {}
            Ok::<_, std::io::Error>(())
        };
        match tokio::time::timeout(limit, ended).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Error::new(phase, Cause::Tls(Arc::new(error)))),
            Err(_elapsed) => return Err(Error::new(phase, Cause::Timeout(limit))),
        }
        let (socket, _) = stream.into_inner();
        self.wire.transport = Transport::Plain(socket);
        self.lost = false;
        Ok(())
    }

    /// What TLS of the control connection came to; `None` in clear text.
    #[must_use]
    pub fn control_tls(&self) -> Option<TlsInfo> {
        match &self.wire.transport {
            Transport::Tls(stream) => Some(info(stream)),
            Transport::Plain(_) | Transport::Gone => None,
        }
    }
}
