//! The client side, for `ssh` on the machine: the kernel's [`SecureShell`] over the SSH library.
//!
//! It dials nothing: the connection it gets is one that the way out has let through. It says it is the
//! client of the release that the machine pretends to run, and offers of that client's lists what the
//! library has.
//!
//! A server that means ill chooses how much there is to compute, so the protocol runs on threads of its
//! own, a connection is not read from while it owes too much of their time (`toll`), and long groups and
//! keys are left out.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use russh::client::{
    AuthResult, Config, GexParams, Handle, Handler, KeyboardInteractiveAuthResponse, Msg, Session,
    connect_stream,
};
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::keys::{PublicKeyBase64 as _, PublicKeyOrCertificate, decode_secret_key};
use russh::{
    AlgorithmKind, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, MethodSet, Preferred, SshId, kex,
};
use sundew_kernel::network::Stream;
use sundew_kernel::secure_shell::{
    Answer, Connection, Failure, Halves, HostKey, HostKeyQuestion, Proof, Purpose, Received,
    Receiver, SecureShell, Sender, Wanted,
};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use crate::toll::{Account, Toll, Tolled};

/// What the client calls itself.
const IDENTIFICATION: &str = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10";
/// A connection on which nothing has come for so long is given up; it bounds the library's own task.
const SILENCE: Duration = Duration::from_secs(600);
/// Messages of a channel that wait to be taken, each a packet at most.
const QUEUED_MESSAGES: usize = 16;
/// Most bytes kept of what a server says before a login.
const MAX_BANNER_BYTES: usize = 16 * 1024;
/// Threads that carry the protocol of all clients; the system shares the processor out among them and
/// what serves the sensor's own visitors.
const THREADS: usize = 2;
/// Longest text of a private key, in bytes; a key of [`MAX_RSA_BITS`] has a fifth of it.
const MAX_KEY_BYTES: usize = 16 * 1024;
/// Longest RSA key that is signed with, in bits: each doubling takes eight times as long.
const MAX_RSA_BITS: u32 = 4096;
/// Sizes of a group that a server chooses: least, wanted and most bits.
const GROUP_BITS: [usize; 3] = [2048, 2048, 3072];

const KEX: &str = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,\
                   ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";
const CIPHERS: &str = "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,\
                       aes128-gcm@openssh.com,aes256-gcm@openssh.com";
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,\
                    hmac-sha1-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1";

/// SSH as a client.
#[derive(Clone)]
pub struct Client {
    config: Arc<Config>,
    threads: Arc<Threads>,
}

/// The threads that carry the protocol, begun with the first connection.
#[derive(Default)]
struct Threads(OnceLock<Runtime>);

impl Threads {
    fn get(&self) -> Result<&Runtime, Failure> {
        if self.0.get().is_none() {
            let built = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("ssh-client")
                .enable_time()
                .build();
            match built {
                Ok(runtime) => {
                    if let Err(second) = self.0.set(runtime) {
                        second.shutdown_background();
                    }
                }
                Err(error) => tracing::warn!(%error, "no threads for clients of SSH"),
            }
        }
        self.0.get().ok_or(Failure::Closed)
    }

    /// Runs it there; it ends when the caller stops waiting.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let task = AbortOnDropHandle::new(self.get()?.spawn(work));
        task.await.map_err(|_panicked| Failure::Protocol)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A runtime that is dropped waits, which no task may.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

fn known<'a, T: TryFrom<&'a str>>(names: &'a str) -> Vec<T> {
    names
        .split(',')
        .filter_map(|name| T::try_from(name).ok())
        .collect()
}

impl Client {
    /// A client of OpenSSH 9.2p1 of Debian 12.
    #[must_use]
    pub fn new() -> Self {
        Self {
            config: Arc::new(Self::config(None)),
            threads: Arc::default(),
        }
    }

    /// What is offered; of keys only those of this kind, if one is wanted.
    fn config(kind: Option<&str>) -> Config {
        let mut exchanges: Vec<kex::Name> = known(KEX);
        exchanges.push(kex::EXTENSION_SUPPORT_AS_CLIENT);
        exchanges.push(kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT);
        let ecdsa = |curve| Algorithm::Ecdsa { curve };
        let rsa = |hash| Algorithm::Rsa { hash };
        let mut keys = vec![
            Algorithm::Ed25519,
            ecdsa(EcdsaCurve::NistP256),
            ecdsa(EcdsaCurve::NistP384),
            ecdsa(EcdsaCurve::NistP521),
            rsa(Some(HashAlg::Sha512)),
            rsa(Some(HashAlg::Sha256)),
        ];
        match kind {
            Some("rsa") => keys.retain(|key| matches!(key, Algorithm::Rsa { .. })),
            Some("ecdsa") => keys.retain(|key| matches!(key, Algorithm::Ecdsa { .. })),
            Some(_) => keys.retain(|key| matches!(key, Algorithm::Ed25519)),
            None => {}
        }
        let preferred = Preferred {
            kex: Cow::Owned(exchanges),
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Owned(known(CIPHERS)),
            mac: Cow::Owned(known(MACS)),
            compression: Cow::Owned(known("none,zlib@openssh.com")),
        };
        let [least, wanted, most] = GROUP_BITS;
        Config {
            client_id: SshId::Standard(Cow::Borrowed(IDENTIFICATION)),
            inactivity_timeout: Some(SILENCE),
            channel_buffer_size: QUEUED_MESSAGES,
            preferred,
            gex: GexParams::new(least, wanted, most).unwrap_or_default(),
            ..Config::default()
        }
    }
}

impl SecureShell for Client {
    fn open(
        &self,
        stream: Box<dyn Stream>,
        question: HostKeyQuestion,
    ) -> BoxFuture<'static, Result<Box<dyn Connection>, Failure>> {
        let config = match &question.kind {
            Some(kind) => Arc::new(Self::config(Some(kind))),
            None => Arc::clone(&self.config),
        };
        let threads = Arc::clone(&self.threads);
        Box::pin(async move {
            let said = Arc::new(Mutex::new(Vec::new()));
            let toll = Toll::new(Arc::new(Account::default()));
            let watcher = Watcher {
                question: Some((question.ask, question.answer)),
                said: Arc::clone(&said),
                toll: Arc::clone(&toll),
            };
            let stream = Tolled::new(stream, toll);
            let handle = threads
                .run(connect_stream(config, stream, watcher))
                .await?
                .map_err(|error| failure(&error))?;
            Ok(Box::new(Open {
                handle,
                said,
                threads,
            }) as Box<dyn Connection>)
        })
    }
}

/// What the library asks while it runs a connection.
struct Watcher {
    question: Option<(oneshot::Sender<HostKey>, oneshot::Receiver<bool>)>,
    said: Arc<Mutex<Vec<u8>>>,
    toll: Arc<Toll>,
}

impl Handler for Watcher {
    type Error = russh::Error;

    async fn auth_banner(
        &mut self,
        banner: &str,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_BANNER_BYTES.saturating_sub(said.len());
        said.extend(banner.bytes().take(room));
        Ok(())
    }

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        let Some((ask, answer)) = self.question.take() else {
            // At a later exchange the server shows the key it was accepted with; the library sees to it.
            return Ok(true);
        };
        let shown = HostKey {
            algorithm: key.algorithm().to_string().into_bytes(),
            blob: key.public_key_bytes(),
        };
        self.toll.rest();
        if ask.send(shown).is_err() {
            return Ok(false);
        }
        Ok(answer.await.unwrap_or(false))
    }
}

/// A connection whose keys are exchanged.
struct Open {
    handle: Handle<Watcher>,
    said: Arc<Mutex<Vec<u8>>>,
    threads: Arc<Threads>,
}

impl Open {
    /// A login with a private key.
    async fn with_key(&mut self, user: String, text: &[u8]) -> Result<Answer, Failure> {
        let text = text.to_vec();
        let key = self.threads.run(async move { private_key(&text) }).await?;
        let key = key.ok_or(Failure::BadKey)?;
        let hash = if matches!(key.algorithm(), Algorithm::Rsa { .. }) {
            let best = self.handle.best_supported_rsa_hash().await;
            best.ok().flatten().unwrap_or(Some(HashAlg::Sha256))
        } else {
            None
        };
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        let result = self.handle.authenticate_publickey(user, key).await;
        plain(result)
    }
}

impl Connection for Open {
    fn authenticate<'a>(
        &'a mut self,
        user: &'a [u8],
        proof: Proof,
    ) -> BoxFuture<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            let user = String::from_utf8_lossy(user).into_owned();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let asked = match proof {
                Proof::None => return plain(self.handle.authenticate_none(user).await),
                Proof::Password(word) => {
                    let result = self.handle.authenticate_password(user, text(&word)).await;
                    return plain(result);
                }
                Proof::Key(key) => return self.with_key(user, &key).await,
                Proof::Questions => {
                    self.handle
                        .authenticate_keyboard_interactive_start(user, None::<String>)
                        .await
                }
                Proof::Answers(answers) => {
                    let answers = answers.iter().map(|one| text(one)).collect();
                    self.handle
                        .authenticate_keyboard_interactive_respond(answers)
                        .await
                }
            };
            Ok(match asked.map_err(|error| failure(&error))? {
                KeyboardInteractiveAuthResponse::Success => Answer::Accepted,
                KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods, ..
                } => denied(&remaining_methods),
                KeyboardInteractiveAuthResponse::InfoRequest {
                    instructions,
                    prompts,
                    ..
                } => Answer::Asked {
                    instruction: instructions.into_bytes(),
                    questions: prompts
                        .into_iter()
                        .map(|one| (one.prompt.into_bytes(), one.echo))
                        .collect(),
                },
            })
        })
    }

    fn banner(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn session<'a>(&'a mut self, wanted: Wanted) -> BoxFuture<'a, Result<Halves, Failure>> {
        Box::pin(async move {
            let lost = |error: russh::Error| failure(&error);
            let channel = self.handle.channel_open_session().await.map_err(lost)?;
            if let Some(terminal) = &wanted.terminal {
                let name = String::from_utf8_lossy(&terminal.name).into_owned();
                let (columns, rows) = terminal.size;
                channel
                    .request_pty(false, &name, columns.into(), rows.into(), 0, 0, &[])
                    .await
                    .map_err(lost)?;
            }
            match wanted.purpose {
                Purpose::Shell => channel.request_shell(true).await,
                Purpose::Command(command) => channel.exec(true, command).await,
                Purpose::Subsystem(name) => {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    channel.request_subsystem(true, name).await
                }
            }
            .map_err(lost)?;
            let (read, write) = channel.split();
            let pair: Halves = (Box::new(Writing(write)), Box::new(Reading(read)));
            Ok(pair)
        })
    }
}

struct Writing(ChannelWriteHalf<Msg>);

impl Sender for Writing {
    fn send<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Failure>> {
        let bytes = bytes.to_vec();
        Box::pin(async move {
            let sent = self.0.data_bytes(bytes).await;
            sent.map_err(|error| failure(&error))
        })
    }

    fn end(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // Who is gone needs no end.
            let _gone = self.0.eof().await;
        })
    }

    fn resize(&mut self, (columns, rows): (u16, u16)) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // As above.
            let _gone = self
                .0
                .window_change(columns.into(), rows.into(), 0, 0)
                .await;
        })
    }
}

struct Reading(ChannelReadHalf);

impl Receiver for Reading {
    fn next(&mut self) -> BoxFuture<'_, Option<Received>> {
        Box::pin(async move {
            loop {
                return Some(match self.0.wait().await? {
                    ChannelMsg::Data { data } => Received::Output(data.to_vec()),
                    ChannelMsg::ExtendedData { data, .. } => Received::Error(data.to_vec()),
                    ChannelMsg::ExitStatus { exit_status } => Received::Status(exit_status),
                    ChannelMsg::ExitSignal { signal_name, .. } => {
                        Received::Signal(format!("{signal_name:?}"))
                    }
                    ChannelMsg::Failure | ChannelMsg::OpenFailure(_) => Received::Refused,
                    ChannelMsg::Close => return None,
                    _ => continue,
                });
            }
        })
    }
}

/// The key of a file, if it is one and not too long to be used.
fn private_key(text: &[u8]) -> Option<PrivateKey> {
    if text.len() > MAX_KEY_BYTES {
        return None;
    }
    let key = decode_secret_key(std::str::from_utf8(text).ok()?, None).ok()?;
    let short = match key.key_data() {
        KeypairData::Rsa(pair) => pair.key_size() <= MAX_RSA_BITS,
        _ => true,
    };
    short.then_some(key)
}

fn plain(result: Result<AuthResult, russh::Error>) -> Result<Answer, Failure> {
    match result {
        Ok(AuthResult::Success) => Ok(Answer::Accepted),
        Ok(AuthResult::Failure {
            remaining_methods, ..
        }) => Ok(denied(&remaining_methods)),
        Err(error) => Err(failure(&error)),
    }
}

fn denied(methods: &MethodSet) -> Answer {
    Answer::Denied {
        methods: methods.iter().map(String::from).collect(),
    }
}

fn failure(error: &russh::Error) -> Failure {
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => Failure::NoCommon {
            kind: match kind {
                AlgorithmKind::Kex => "key exchange method",
                AlgorithmKind::Key => "host key type",
                AlgorithmKind::Cipher => "cipher",
                AlgorithmKind::Compression => "compression method",
                AlgorithmKind::Mac => "MAC",
            },
            theirs: theirs.join(","),
        },
        russh::Error::Version => Failure::NotSsh,
        russh::Error::UnknownKey => Failure::HostKey,
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            Failure::Reset
        }
        russh::Error::ChannelOpenFailure(_) => Failure::Refused,
        russh::Error::IO(_)
        | russh::Error::Disconnect
        | russh::Error::HUP
        | russh::Error::SendError
        | russh::Error::RecvError
        | russh::Error::ConnectionTimeout
        | russh::Error::InactivityTimeout
        | russh::Error::KeepaliveTimeout => Failure::Closed,
        _ => Failure::Protocol,
    }
}
