//! EPRT and PORT: the server dials. RFC 2428 §2, RFC 959 §4.1.2.

use std::net::{IpAddr, SocketAddr};

use ftp_proto::command::ExtendedAddress;
use ftp_proto::reply::Class;
use ftp_proto::{Command, Verb};

use super::{Client, accepted, within};
use crate::config::DataAddress;
use crate::dial::{Dial, Listening};
use crate::error::{Cause, Error, Phase};

/// Strangers turned away while the server is awaited. RFC 2577 §6: ports can be guessed.
const MAX_STRANGERS: usize = 16;

impl<D: Dial> Client<D> {
    /// Listens and tells the server where.
    pub(super) async fn active(
        &mut self,
        verb: Verb,
        announce: Option<IpAddr>,
    ) -> Result<Listening<D::Stream>, Error> {
        let phase = Phase::DataConnect(verb);
        let Some(control) = self.wire.transport.socket() else {
            return Err(Error::new(phase, Cause::Closed));
        };
        let listening = self.dial.listen(control);
        let listening = async { listening.await.map_err(Cause::Connect) };
        let listening = within(phase, self.config.limits.connect, listening).await?;
        let mut address = listening.address;
        if let Some(ip) = announce {
            address.set_ip(ip);
        }
        address.set_ip(address.ip().to_canonical());
        self.announce_address(address).await?;
        Ok(listening)
    }

    /// EPRT, and PORT where that is refused and the address allows it.
    async fn announce_address(&mut self, address: SocketAddr) -> Result<(), Error> {
        let eprt = Command::Eprt(ExtendedAddress::new(address));
        let SocketAddr::V4(v4) = address else {
            return self.ask(eprt).await.map(drop);
        };
        // For IPv4 PORT is what every server knows; EPRT is for the few that refuse it.
        let phase = Phase::Command(Verb::Port);
        let reply = self.exchange(phase, &Command::Port(v4)).await?;
        match reply.code().class() {
            Class::Completion => Ok(()),
            Class::PermanentFailure if self.ask(eprt).await.is_ok() => Ok(()),
            _ => accepted(phase, reply).map(drop),
        }
    }
}

/// Waits for the server; strangers are turned away.
pub(super) async fn accept<S>(
    mut listening: Listening<S>,
    peer: IpAddr,
    rule: DataAddress,
) -> Result<S, Cause> {
    let mut stranger = listening.address;
    for _ in 0..MAX_STRANGERS {
        let (stream, from) = (listening.accept)().await.map_err(Cause::Connect)?;
        if rule == DataAddress::Any || from.ip().to_canonical() == peer.to_canonical() {
            return Ok(stream);
        }
        stranger = from;
    }
    Err(Cause::ForeignAddress(stranger))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::dial::ConnectError;

    /// Accepts from these addresses in turn; the stream is the address's number.
    fn listening(from: &[&str]) -> Listening<usize> {
        let mut from: VecDeque<_> = from
            .iter()
            .enumerate()
            .map(|(index, from)| (index, SocketAddr::new(from.parse().unwrap(), 20)))
            .collect();
        Listening {
            address: SocketAddr::from(([127, 0, 0, 1], 4000)),
            accept: Box::new(move || {
                let next = from.pop_front();
                Box::pin(async move { next.ok_or_else(|| ConnectError::new("no more")) })
            }),
        }
    }

    #[tokio::test]
    async fn only_the_server_may_dial_in() {
        let peer = "192.0.2.1".parse().unwrap();
        let found = accept(
            listening(&["198.51.100.1", "::ffff:192.0.2.1"]),
            peer,
            DataAddress::ControlPeer,
        );
        assert_eq!(found.await.unwrap(), 1);
        let found = accept(listening(&["198.51.100.1"]), peer, DataAddress::Any).await;
        assert_eq!(found.unwrap(), 0);
        let strangers = ["198.51.100.1"; MAX_STRANGERS];
        let error = accept(listening(&strangers), peer, DataAddress::ControlPeer).await;
        assert!(matches!(error, Err(Cause::ForeignAddress(_))));
    }
}
