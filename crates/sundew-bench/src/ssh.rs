//! Attackers: SSH clients, each from a loopback address of its own.
//!
//! A sensor may keep one machine per source address, and limits per source; clients that share an
//! address would measure each other.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle};
use russh::{Channel, ChannelMsg, Preferred};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::stats::GIVE_UP;

/// How to get in.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Which attacker: decides the source address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attacker(pub(crate) u16);

/// Why an attacker's step failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was refused, or the connection broke.
    Broken(&'static str, String),
    /// It took longer than [`GIVE_UP`].
    TooSlow(&'static str),
}

type Result<T> = std::result::Result<T, Failure>;

/// A connection that is logged in.
pub(crate) struct Login {
    handle: Handle<AnyHostKey>,
}

/// An interactive shell.
pub(crate) struct Shell {
    channel: Channel<client::Msg>,
    /// What came since the last command was typed, without escape sequences.
    screen: String,
    /// Keeps the connection open.
    _login: Login,
}

/// How a command that was executed ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) status: Option<u32>,
    pub(crate) stderr: Vec<u8>,
}

struct AnyHostKey;

impl client::Handler for AnyHostKey {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &russh::keys::PublicKeyOrCertificate,
    ) -> std::result::Result<bool, Self::Error> {
        Ok(true)
    }
}

impl Door {
    /// Connects, and no more.
    pub(crate) async fn connect(&self, who: Attacker) -> Result<TcpStream> {
        let connected = async {
            let socket = TcpSocket::new_v4()?;
            if self.address.ip().is_loopback() {
                socket.bind(who.source())?;
            }
            let stream = socket.connect(self.address).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        };
        bounded("connect", connected).await
    }

    /// Connects, exchanges keys and logs in with the password.
    pub(crate) async fn login(&self, who: Attacker) -> Result<Login> {
        let config = Arc::new(client::Config {
            preferred: Preferred {
                // The same key exchange with everybody, so that logins compare.
                kex: Cow::Owned(vec![
                    russh::kex::CURVE25519,
                    russh::kex::CURVE25519_PRE_RFC_8731,
                    russh::kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
                ]),
                ..Preferred::DEFAULT
            },
            nodelay: true,
            ..client::Config::default()
        });
        let stream = self.connect(who).await?;
        let mut handle = bounded(
            "key exchange",
            client::connect_stream(config, stream, AnyHostKey),
        )
        .await?;
        let password = handle.authenticate_password(&self.user, &self.password);
        if !bounded("login", password).await?.success() {
            return Err(Failure::Broken("login", "password refused".into()));
        }
        Ok(Login { handle })
    }

    /// Logs in and waits for a prompt.
    pub(crate) async fn shell(&self, who: Attacker) -> Result<Shell> {
        let login = self.login(who).await?;
        let channel = bounded("channel", login.handle.channel_open_session()).await?;
        bounded("pty", channel.request_pty(true, "xterm", 80, 24, 0, 0, &[])).await?;
        bounded("shell", channel.request_shell(true)).await?;
        let mut shell = Shell {
            channel,
            screen: String::new(),
            _login: login,
        };
        bounded("prompt", shell.prompt()).await?;
        Ok(shell)
    }
}

impl Login {
    /// Starts a command without a terminal.
    pub(crate) async fn start(&self, command: &[u8]) -> Result<Channel<client::Msg>> {
        let channel = bounded("channel", self.handle.channel_open_session()).await?;
        bounded("exec", channel.exec(true, command)).await?;
        Ok(channel)
    }
}

/// Reads a command's output until the server closes the channel. No limit of time: the caller's.
pub(crate) async fn end_of(mut channel: Channel<client::Msg>) -> Ended {
    let mut ended = Ended::default();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::ExtendedData { data, .. } => ended.stderr.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => ended.status = Some(exit_status),
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    ended
}

impl Shell {
    /// Types one key and waits until it appears.
    pub(crate) async fn key(&mut self, key: char) -> Result<()> {
        self.screen.clear();
        self.send(key.to_string().into_bytes()).await?;
        let shown = async {
            while !self.screen.contains(key) {
                self.more().await?;
            }
            Ok::<_, Failure>(())
        };
        bounded("echo", shown).await
    }

    /// Rubs one key out and waits for whatever the terminal does about it.
    pub(crate) async fn rub_out(&mut self) -> Result<()> {
        self.send(vec![0x7f]).await?;
        bounded("rub out", self.more()).await
    }

    /// Types a line.
    pub(crate) async fn line(&mut self, line: &str) -> Result<()> {
        self.screen.clear();
        self.send(format!("{line}\r").into_bytes()).await
    }

    /// Waits for a prompt after a line's end. No limit of time: the caller's.
    pub(crate) async fn prompt(&mut self) -> Result<()> {
        while !ends_in_prompt(&self.screen) {
            self.more().await?;
        }
        Ok(())
    }

    async fn send(&self, bytes: Vec<u8>) -> Result<()> {
        let sent = timeout(GIVE_UP, self.channel.data_bytes(bytes)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::Broken("typing", error.to_string())),
            Err(_) => Err(Failure::TooSlow("typing")),
        }
    }

    /// Waits for some output.
    async fn more(&mut self) -> Result<()> {
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    self.screen.push_str(&without_escapes(&data));
                    if self.screen.len() > MAX_SCREEN_BYTES {
                        self.screen.clear();
                    }
                    return Ok(());
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => {
                    return Err(Failure::Broken("shell", "closed by the server".into()));
                }
                Some(_) => {}
            }
        }
    }
}

impl Attacker {
    /// An address of 127.0.0.0/8, which Linux accepts as a source without configuration.
    fn source(self) -> SocketAddr {
        let [high, low] = self.0.to_be_bytes();
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 1, high, low)), 0)
    }
}

/// Bounds a step and names it in its failure.
async fn bounded<T, E: fmt::Display>(
    what: &'static str,
    step: impl Future<Output = std::result::Result<T, E>>,
) -> Result<T> {
    match timeout(GIVE_UP, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::Broken(what, error.to_string())),
        Err(_) => Err(Failure::TooSlow(what)),
    }
}

/// True when the text ends like a shell that waits: `$`, `#` or `>` and a blank.
fn ends_in_prompt(text: &str) -> bool {
    let line = text.rsplit(['\n', '\r']).next().unwrap_or(text);
    line.ends_with("# ") || line.ends_with("$ ") || line.ends_with("> ")
}

/// Drops escape sequences and bytes that are not ASCII text.
fn without_escapes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match (byte, rest.peek()) {
            (0x1b, Some(b'[')) => {
                rest.next();
                // A control sequence ends at its first letter or sign from `@` on.
                rest.find(|byte| (0x40..=0x7e).contains(byte));
            }
            (0x1b, Some(b']')) => {
                rest.find(|byte| *byte == 0x07);
            }
            (0x1b, Some(b'E')) => {
                // "Next line", which Cowrie's terminal uses.
                rest.next();
                text.push('\n');
            }
            (b' '..=b'~' | b'\n' | b'\r', _) => text.push(char::from(byte)),
            _ => {}
        }
    }
    text
}

/// Screen text kept while waiting for a prompt, in bytes; a command that prints more is flooding.
const MAX_SCREEN_BYTES: usize = 64 * 1024;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(what, why) => write!(f, "{what}: {why}"),
            Self::TooSlow(what) => write!(
                f,
                "{what}: nothing within {} s",
                Duration::as_secs(&GIVE_UP)
            ),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_seen_through_escapes() {
        for text in [
            &b"\x1b[?2004hroot@web01:~# "[..],
            b"\x1b]0;title\x07$ ",
            b"x\x1bEroot@svr04:~# ",
        ] {
            assert!(
                ends_in_prompt(&without_escapes(text)),
                "{}",
                text.escape_ascii()
            );
        }
        assert!(!ends_in_prompt("root@web01:~# ls"));
        assert!(!ends_in_prompt("# comment\r\n"));
    }

    #[test]
    fn attackers_come_from_different_addresses() {
        assert_eq!(Attacker(1).source().to_string(), "127.1.0.1:0");
        assert_eq!(Attacker(300).source().to_string(), "127.1.1.44:0");
    }
}
