//! EPSV and PASV: where the data connection is to lead.
//!
//! RFC 2428, RFC 959 §4.1.2. EPSV comes first, since its reply names a port only and works for both
//! families. Where it is refused, not answered or leads nowhere, PASV is tried in time, and the
//! host is remembered for it.
//!
//! Where one transfer follows another, EPSV for the next one goes out behind the command of the last:
//! a server that reads its commands one by one answers both in one breath, and a file costs two round
//! trips (229 and SYN, SYN+ACK and data) instead of three.

use std::net::SocketAddr;

use ftp_proto::command::ExtendedPassive;
use ftp_proto::reply::{Class, Code};
use ftp_proto::{Command, Reply, Verb, address};

use super::{Client, accepted, within};
use crate::config::{DataAddress, DataMode};
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

/// Where a data connection is to lead, and how that was found out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) is_extended: bool,
}

impl<D: Dial> Client<D> {
    /// Asks the server to listen.
    pub(super) async fn passive(&mut self) -> Result<Target, Error> {
        let extended = self.config.data_mode != DataMode::PassiveV4
            && !self.config.lessons.avoids_extended_passive();
        if !extended {
            return self.pasv().await;
        }
        let phase = Phase::Command(Verb::Epsv);
        if let Some(reply) = self.passive_reply.take() {
            return self.extended_passive(reply).await;
        }
        if let Some(target) = self.asked_before().await? {
            return Ok(target);
        }
        self.settle(phase).await?;
        let epsv = Command::Epsv(ExtendedPassive::Default);
        self.wire.queue(&epsv);
        let limit = self.config.limits.extended_passive;
        let limit = if self.data_proven {
            self.config.limits.reply
        } else {
            limit.min(self.config.limits.reply)
        };
        let was_lost = self.lost;
        match self.next_final_within(phase, limit).await {
            Ok(reply) => self.extended_passive(reply).await,
            // Some routers swallow the reply to EPSV. It may still come, late.
            Err(error) if matches!(error.cause(), Cause::Timeout(_)) && !self.data_proven => {
                self.lost = was_lost;
                self.config.lessons.avoid_extended_passive();
                self.pasv_past_late_reply().await
            }
            Err(error) => Err(error),
        }
    }

    /// Whether EPSV is what a transfer would begin with.
    pub(super) fn prefers_extended_passive(&self) -> bool {
        self.config.data_mode == DataMode::Passive && !self.config.lessons.avoids_extended_passive()
    }

    /// What the reply to EPSV says, or PASV's.
    async fn extended_passive(&mut self, reply: Reply) -> Result<Target, Error> {
        let class = reply.code().class();
        let port = address::scan_extended_passive(reply.text()).filter(|port| *port != 0);
        match port.filter(|_| class == Class::Completion) {
            Some(port) => Ok(self.extended_target(port)),
            None => {
                // 5xx and nonsense are for good, 4xx may be a matter of the moment.
                if class != Class::TransientFailure {
                    self.config.lessons.avoid_extended_passive();
                }
                self.pasv().await
            }
        }
    }

    /// EPSV for the transfer after the one whose command was just queued, if that is wanted and safe.
    pub(super) fn ask_ahead(&mut self) {
        let wanted = self.config.look_ahead
            && self.pipelines
            && self.is_sequential
            && self.data_proven
            && self.prefers_extended_passive()
            && !self.config.lessons.avoids_look_ahead();
        // PRET has to come first, and names what is not known yet.
        let prepares = self.features.as_ref().is_some_and(|all| all.has("PRET"));
        if wanted && !prepares {
            let epsv = Command::Epsv(ExtendedPassive::Default);
            self.wire.queue(&epsv);
            self.asked_ahead = true;
        }
    }

    /// What came of the EPSV that was sent behind the last transfer's command. `None`: there was none,
    /// or it did not work and is not tried again.
    async fn asked_before(&mut self) -> Result<Option<Target>, Error> {
        if !self.asked_ahead || self.unfinished.is_some() || self.is_lost() {
            return Ok(None);
        }
        let phase = Phase::Command(Verb::Epsv);
        // Dropped in here, the next command finds an owed reply and reads it.
        self.asked_ahead = false;
        let reply = self.next_final(phase).await?;
        // Keep-alives were sent behind it.
        self.settle(phase).await?;
        let port = address::scan_extended_passive(reply.text()).filter(|port| *port != 0);
        match port.filter(|_| reply.code().class() == Class::Completion) {
            Some(port) => Ok(Some(self.extended_target(port))),
            None => {
                self.config.lessons.avoid_look_ahead();
                Ok(None)
            }
        }
    }

    /// PASV.
    pub(super) async fn pasv(&mut self) -> Result<Target, Error> {
        let reply = self.ask(Command::Pasv).await?;
        self.passive_target(reply)
    }

    /// PASV while EPSV is still owed a reply that may come or not.
    async fn pasv_past_late_reply(&mut self) -> Result<Target, Error> {
        let phase = Phase::Command(Verb::Pasv);
        self.wire.queue(&Command::Pasv);
        let mut reply = self.next_final(phase).await?;
        if reply.code() == Code::EXTENDED_PASSIVE {
            reply = self.next_final(phase).await?;
        }
        // Whatever EPSV is owed did not come before what was asked later, and will not come.
        self.wire.conversation.forgive();
        let reply = accepted(phase, reply)?;
        self.passive_target(reply)
    }

    /// The data connection, to PASV's address if EPSV's leads nowhere.
    pub(super) async fn connect_passive(
        &mut self,
        verb: Verb,
        target: Target,
    ) -> Result<D::Stream, Error> {
        let limits = self.config.limits;
        let first = target.is_extended && !self.data_proven;
        let limit = if first {
            limits.extended_passive.min(limits.connect)
        } else {
            limits.connect
        };
        let phase = Phase::DataConnect(verb);
        let made = async {
            let made = self.dial.connect(target.address).await;
            made.map_err(Cause::Connect)
        };
        match within(phase, limit, made).await {
            Ok(stream) => {
                self.data_proven = true;
                Ok(stream)
            }
            Err(_unreachable) if first => {
                let other = self.pasv().await?;
                let made = async {
                    let made = self.dial.connect(other.address).await;
                    made.map_err(Cause::Connect)
                };
                let stream = within(phase, limits.connect, made).await?;
                // Only now it is known that EPSV was to blame, not the network.
                self.config.lessons.avoid_extended_passive();
                self.data_proven = true;
                Ok(stream)
            }
            Err(error) => {
                self.data_proven = false;
                Err(error)
            }
        }
    }

    fn extended_target(&self, port: u16) -> Target {
        let mut address = self.peer;
        // `set_port` keeps the scope of a link-local address.
        address.set_port(port);
        Target {
            address,
            is_extended: true,
        }
    }

    fn passive_target(&self, reply: Reply) -> Result<Target, Error> {
        let announced = address::scan_passive(reply.text()).filter(|found| found.port() != 0);
        let Some(announced) = announced else {
            let phase = Phase::Command(Verb::Pasv);
            return Err(Error::new(phase, Cause::Malformed(reply)));
        };
        let mut address = self.peer;
        address.set_port(announced.port());
        // 0.0.0.0 is what servers say that do not know their own address.
        if self.config.data_address == DataAddress::Any && !announced.ip().is_unspecified() {
            address = SocketAddr::V4(announced);
        }
        Ok(Target {
            address,
            is_extended: false,
        })
    }
}
