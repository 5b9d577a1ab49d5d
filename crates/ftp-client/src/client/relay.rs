//! A file from one server to another, past us: RFC 959 §5.2, with TLS as SSCN and CPSV have it.
//!
//! ```text
//!  us ── PASV ──▶ source            the source listens, the target dials
//!  us ── PORT, STOR ──▶ target
//!  us ── RETR ──▶ source ═══ bytes ═══▶ target
//! ```
//!
//! Servers refuse this unless they are told otherwise, since it lets a stranger make them dial third
//! parties (RFC 2577 §3); both have to be willing.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[cfg(feature = "tls")]
use ftp_proto::command::Protection;
use ftp_proto::command::Switch;
use ftp_proto::reply::Class;
use ftp_proto::transfer::Type;
use ftp_proto::{Command, Reply, Verb, address};

use super::{Client, accepted, argument};
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

/// How long two servers may take where [`crate::Limits::whole`] sets no end.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl<D: Dial> Client<D> {
    /// Has this server send a file to another server, straight from one to the other. Both sessions are
    /// in clear text or both protect their data; under TLS one of the two has to know CPSV or SSCN.
    ///
    /// # Errors
    ///
    /// [`Error`] of whichever side failed; the other one is aborted, and may keep a part.
    pub async fn relay<T: Dial>(
        &mut self,
        from: impl AsRef<[u8]>,
        target: &mut Client<T>,
        to: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        let from = argument(Phase::Command(Verb::Retr), from)?;
        let to = argument(Phase::Command(Verb::Stor), to)?;
        self.set_type(Type::Image).await?;
        target.set_type(Type::Image).await?;
        let listens = self.relay_listens(target).await?;
        let reply = accepted(
            Phase::Command(listens.verb()),
            self.relay_ask(listens).await?,
        )?;
        let announced = address::scan_passive(reply.text()).filter(|found| found.port() != 0);
        let Some(mut announced) = announced else {
            return Err(Error::new(
                Phase::Command(Verb::Pasv),
                Cause::Malformed(reply),
            ));
        };
        // 0.0.0.0 is what servers say that do not know their own address.
        if announced.ip().is_unspecified()
            && let IpAddr::V4(peer) = self.peer.ip().to_canonical()
        {
            announced.set_ip(peer);
        }
        let port = Command::Port(announced);
        if self.config.data_address == crate::DataAddress::ControlPeer
            && IpAddr::V4(*announced.ip()) != self.peer.ip().to_canonical()
        {
            let cause = Cause::ForeignAddress(SocketAddr::V4(announced));
            return Err(Error::new(Phase::DataConnect(Verb::Retr), cause));
        }
        target.ask(port).await?;
        let limit = self.config.limits.whole.unwrap_or(LONGEST);
        self.unfinished = Some(0);
        target.unfinished = Some(0);
        // STOR first: a target that refuses has then cost nothing.
        target.wire.queue(&Command::Stor(to));
        target.relay_begun(Verb::Stor).await?;
        self.wire.queue(&Command::Retr(from));
        if let Err(error) = self.relay_begun(Verb::Retr).await {
            target.relay_abort().await;
            return Err(error);
        }
        // One after the other is soon enough: neither can end well without the other.
        let sent = self.relay_ended(Verb::Retr, limit).await;
        let stored = target.relay_ended(Verb::Stor, limit).await;
        self.relay_forget().await;
        target.relay_forget().await;
        sent.and(stored)
    }

    /// The command that makes this server listen, after whatever TLS between two servers takes.
    async fn relay_listens<T: Dial>(&mut self, target: &mut Client<T>) -> Result<Command, Error> {
        let (ours, theirs) = (self.protects().await?, target.protects().await?);
        if ours != theirs {
            let cause = Cause::Unsupported("one server in clear text and one under TLS");
            return Err(Error::new(Phase::Secure, cause));
        }
        if !ours {
            return Ok(Command::Pasv);
        }
        if self.features().await?.has("CPSV") {
            return Ok(Command::Cpsv);
        }
        let on = Command::Sscn(Some(Switch::On));
        if target.features().await?.has("SSCN") {
            target.ask(on).await?;
            target.dials_as_client = true;
        } else if self.features().await?.has("SSCN") {
            self.ask(on).await?;
            self.dials_as_client = true;
        } else {
            let cause = Cause::Unsupported("neither server knows CPSV or SSCN");
            return Err(Error::new(Phase::Secure, cause));
        }
        Ok(Command::Pasv)
    }

    async fn relay_ask(&mut self, command: Command) -> Result<Reply, Error> {
        let phase = Phase::Command(command.verb());
        self.exchange(phase, &command).await
    }

    /// Whether data connections are protected.
    #[cfg(feature = "tls")]
    async fn protects(&mut self) -> Result<bool, Error> {
        self.protect_data().await?;
        Ok(self.protection == Some(Protection::Private))
    }

    #[cfg(not(feature = "tls"))]
    async fn protects(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// The server's word that it begins.
    async fn relay_begun(&mut self, verb: Verb) -> Result<(), Error> {
        let limit = self.config.limits.first_byte;
        let phase = Phase::Command(verb);
        let wire = &mut self.wire;
        let next = std::future::poll_fn(|cx| wire.poll_exchange(cx));
        let result = match tokio::time::timeout(limit, next).await {
            Ok(result) => result,
            Err(_elapsed) => Err(Cause::Timeout(limit)),
        };
        match result {
            Ok(reply) if reply.code().class() == Class::Preliminary => Ok(()),
            Ok(reply) => {
                self.transfer_is_over();
                Err(self.fail(phase, Cause::Refused(reply)))
            }
            Err(cause) => Err(self.fail(phase, cause)),
        }
    }

    async fn relay_ended(&mut self, verb: Verb, limit: Duration) -> Result<(), Error> {
        let phase = Phase::Final(verb);
        let reply = self.next_final_within(phase, limit).await?;
        self.transfer_is_over();
        accepted(phase, reply).map(drop)
    }

    /// Takes SSCN back, which would hold for our own transfers too.
    async fn relay_forget(&mut self) {
        if std::mem::take(&mut self.dials_as_client) {
            // A session that does not come back to this shows it with the next transfer.
            self.ask(Command::Sscn(Some(Switch::Off))).await.ok();
        }
    }

    /// The other side will not begin.
    async fn relay_abort(&mut self) {
        let phase = Phase::Command(Verb::Abor);
        // Should it not hear, the next command finds out.
        if self.send_abort(phase).await.is_ok() {
            self.fence(phase).await.ok();
        }
    }
}
