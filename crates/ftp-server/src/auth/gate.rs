//! What every login has to pass, whoever checks the password: bans, networks, TLS, sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ftp_proto::Argument;
use ipnet::IpNet;

use super::{Attempt, Authenticator, Denied, User};
use crate::connection::Peer;
use crate::live::Live;
use crate::throttle::Throttle;

/// An authenticator with bans, and with the rules of each user applied.
#[derive(Debug)]
pub struct Gate<A> {
    inner: A,
    throttle: Arc<Throttle>,
    networks: Live<Networks>,
}

/// Who is greeted at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// Networks that are let in; empty for all.
    pub allow: Vec<IpNet>,
    /// Networks that are not, stronger than the others.
    pub deny: Vec<IpNet>,
}

impl Networks {
    /// Whether an address is let in.
    #[must_use]
    pub fn admit(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_in = |networks: &[IpNet]| networks.iter().any(|net| net.contains(&address));
        !is_in(&self.deny) && (self.allow.is_empty() || is_in(&self.allow))
    }
}

impl<A> Gate<A> {
    /// Puts the gate before an authenticator.
    pub fn new(inner: A, throttle: Arc<Throttle>, networks: Networks) -> Self {
        Self {
            inner,
            throttle,
            networks: Live::new(networks),
        }
    }

    /// From now on these are greeted; sessions that are open go on.
    pub fn set_networks(&self, networks: Networks) {
        self.networks.store(networks);
    }

    /// Turns down a session that was open when a ban came. The password is not even looked at, or the
    /// ban would only slow the guessing down.
    fn may_try(&self, attempt: Attempt<'_>) -> Result<(), Denied> {
        match self
            .throttle
            .is_banned(attempt.peer.address.ip(), Instant::now())
        {
            true => Err(Denied::Banned),
            false => Ok(()),
        }
    }

    /// Holds somebody who has shown who they are to their rules.
    fn admit(&self, mut user: User, attempt: Attempt<'_>) -> Result<User, Denied> {
        let address = attempt.peer.address.ip();
        if !user.rules.allow(address) {
            return Err(Denied::Network);
        }
        if user.rules.tls.control() && attempt.tls.is_none() {
            return Err(Denied::NotSecure);
        }
        let seat = user.account.enter(address).ok_or(Denied::TooMany)?;
        user.seat = Some(Arc::new(seat));
        self.throttle.succeeded(address);
        Ok(user)
    }
}

impl<A: Authenticator> Authenticator for Gate<A> {
    async fn login(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        self.may_try(attempt)?;
        self.admit(self.inner.login(attempt).await?, attempt)
    }

    async fn login_by_certificate(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        self.may_try(attempt)?;
        self.admit(self.inner.login_by_certificate(attempt).await?, attempt)
    }

    fn admits(&self, peer: &Peer) -> bool {
        let address = peer.address.ip();
        self.networks.load().admit(address)
            && !self.throttle.is_banned(address, Instant::now())
            && self.inner.admits(peer)
    }

    fn failure_delay(&self, peer: &Peer, user: &Argument, why: Denied) -> Option<Duration> {
        let address = peer.address.ip();
        Some(if why.is_guess() {
            self.throttle
                .failed(address, user.as_bytes(), Instant::now())
        } else {
            self.throttle.options().delay
        })
    }
}
