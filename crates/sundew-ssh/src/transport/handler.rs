//! The library's callbacks, turned into calls of the boundary.
//!
//! They run in the task that moves the connection's packets. Whenever one waits, it waits for
//! `Life::stop` as well.

use std::sync::Arc;

use russh::kex::dh::groups::{DH_GROUP14, DH_GROUP15, DH_GROUP16, DhGroup};
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey,
};
use russh::{Channel as Wire, ChannelId, ChannelOpenFailure, Disconnect, Pty, Sig};

use super::front::{Failure, Front, SessionChannel};
use super::outlet::signal_name;
use super::{PACKET_BYTES, WINDOW_BYTES};
use crate::backlog::{Backlog, Pressure};
use crate::boundary::{CloseReason, DirectTcpip, Forward, PtyRequest, Start};

/// Swallowed TCP connections one connection may have at a time. OpenSSH names none; a browser behind a
/// SOCKS proxy stays under this.
const MAX_TUNNELS: usize = 64;

/// A refill this small keeps the client's window as good as shut, and can still be followed by a
/// larger one: the library refills only when data arrive.
const TRICKLE_BYTES: u32 = 2;

/// What OpenSSH answers to a session channel it does not open, and to a forward nobody answers.
const OPEN_FAILED: u32 = 2;

impl Handler for Front {
    type Error = Failure;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        self.connection.none(user.as_bytes());
        self.failed(true).await
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        let accepted = self
            .unless_stopped(
                self.connection
                    .password(user.as_bytes(), password.as_bytes()),
            )
            .await?;
        self.answer(accepted).await
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        let accepted = self
            .ask_key(user, offer.public_key, offer.algorithm, false)
            .await?;
        self.answer(accepted).await
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        let accepted = self
            .ask_key(user, key.public_key, key.algorithm, true)
            .await?;
        self.answer(accepted).await
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        _response: Option<Response<'a>>,
    ) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        self.failed(false).await
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Failure> {
        self.life.log_in();
        Ok(())
    }

    async fn lookup_dh_gex_group(
        &mut self,
        wanted: &russh::client::GexParams,
    ) -> Result<Option<DhGroup>, Failure> {
        // The smallest fixed group that is allowed: each doubling costs this task eight times as long,
        // and the client chooses.
        let sizes = wanted.min_group_size()..=wanted.max_group_size();
        let groups = [(2048, DH_GROUP14), (3072, DH_GROUP15), (4096, DH_GROUP16)];
        let fitting = groups.into_iter().find(|(bits, _)| sizes.contains(bits));
        Ok(fitting.map(|(_, group)| group))
    }

    async fn channel_open_session(
        &mut self,
        channel: Wire<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        let taken = if self.sessions.len() < self.max_sessions {
            self.connection.channel()
        } else {
            None
        };
        let Some(taken) = taken else {
            reply.reject(open_failed("open failed")).await;
            return Ok(());
        };
        let id = channel.id();
        // The reading half is dropped: everything comes through callbacks, and an unread half would
        // stall the connection.
        let (_, half) = channel.split();
        let session = SessionChannel {
            channel: taken,
            outlet: Some(half),
            backlog: Arc::new(Backlog::new(self.held.clone())),
            terminal: false,
            closed: self.pumps.child_token(),
        };
        self.sessions.insert(id, session);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Wire<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        originator_address: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        self.tunnels_opened = self.tunnels_opened.saturating_add(1);
        let request = DirectTcpip {
            id: self.tunnels_opened,
            host: host_to_connect.as_bytes().to_vec(),
            port: port_to_connect,
            originator_host: originator_address.as_bytes().to_vec(),
            originator_port,
        };
        let answer = self.connection.direct_tcpip(&request);
        if answer == Forward::Swallow && self.tunnels.len() < MAX_TUNNELS {
            self.tunnels.insert(channel.id(), request);
            reply.accept().await;
        } else {
            reply.reject(open_failed("Connection refused")).await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        self.sessions.remove(&channel);
        self.tunnels.remove(&channel);
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        if let Some(session) = self.sessions.get(&channel) {
            session.backlog.end();
        }
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Failure> {
        if let Some(session) = self.sessions.get(&channel) {
            session.backlog.push(data);
            let backlog = Arc::clone(&session.backlog);
            return self.brake(&backlog).await;
        }
        if let Some(request) = self.tunnels.get(&channel) {
            self.connection.direct_tcpip_data(request, data);
        }
        Ok(())
    }

    fn adjust_window(&mut self, _channel: ChannelId, _current: u32) -> u32 {
        // The library has one target for all channels of a connection, so one that is stuck slows the
        // refills of the others.
        if self
            .sessions
            .values()
            .all(|session| session.backlog.pressure() == Pressure::None)
        {
            WINDOW_BYTES
        } else {
            TRICKLE_BYTES
        }
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let taken = self
            .sessions
            .get(&channel)
            .filter(|session| session.outlet.is_some())
            .is_some_and(|session| session.channel.env(name.as_bytes(), value.as_bytes()));
        reply(session, channel, taken)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Failure> {
        let Some(waiting) = self
            .sessions
            .get_mut(&channel)
            .filter(|session| session.outlet.is_some())
        else {
            return reply(session, channel, false);
        };
        if waiting.terminal {
            self.shared().judge(CloseReason::Protocol);
            let text = "Protocol error: you already have a pty.";
            return Ok(session.disconnect(Disconnect::ProtocolError, text, "")?);
        }
        let request = PtyRequest {
            term: term.as_bytes().to_vec(),
            columns,
            rows,
            modes: modes
                .iter()
                .map(|(mode, value)| (*mode as u8, *value))
                .filter(|(mode, _)| *mode != 0)
                .collect(),
        };
        waiting.terminal = waiting.channel.pty(request);
        let taken = waiting.terminal;
        reply(session, channel, taken)
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let known = self.sessions.get(&channel);
        if let Some(resized) = known {
            resized.channel.resize(columns, rows);
        }
        let taken = known.is_some();
        reply(session, channel, taken)
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Failure> {
        self.start(channel, Start::Shell, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Failure> {
        self.start(channel, Start::Exec(data.to_vec()), session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Failure> {
        self.start(channel, Start::Subsystem(name.as_bytes().to_vec()), session)
    }

    async fn signal(
        &mut self,
        channel: ChannelId,
        signal: Sig,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let known = self.sessions.get(&channel);
        if let Some(signalled) = known {
            signalled.channel.signal(signal_name(&signal));
        }
        let taken = known.is_some();
        reply(session, channel, taken)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Failure> {
        // sshd without xauth refuses; the library would not answer at all.
        reply(session, channel, false)
    }

    async fn agent_request(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<bool, Failure> {
        // On by default in sshd. The agent is the client's; nothing is ever asked of it.
        Ok(self.sessions.contains_key(&channel))
    }
}

fn open_failed(text: &str) -> ChannelOpenFailure {
    ChannelOpenFailure::Other {
        code: OPEN_FAILED,
        reason: text.to_owned(),
    }
}

fn reply(session: &mut Session, channel: ChannelId, taken: bool) -> Result<(), Failure> {
    if taken {
        session.channel_success(channel)?;
    } else {
        session.channel_failure(channel)?;
    }
    Ok(())
}

const _: () = assert!(PACKET_BYTES <= WINDOW_BYTES);
