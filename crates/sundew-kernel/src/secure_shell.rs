//! The client side of SSH, handed in: what `ssh` of the machine speaks over a connection that it was
//! let out for. The machine knows no cryptography and no wire format, and whoever implements this knows
//! no terminal and no file.

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::network::Stream;

/// Speaks SSH as a client.
pub trait SecureShell: Send + Sync + 'static {
    /// Exchanges identifications and keys over `stream`. The connection lives as long as what is returned.
    fn open(
        &self,
        stream: Box<dyn Stream>,
        question: HostKeyQuestion,
    ) -> BoxFuture<'static, Result<Box<dyn Connection>, Failure>>;
}

/// Where the other side's key goes, and from where the word comes whether it is the right one.
#[derive(Debug)]
pub struct HostKeyQuestion {
    /// Gets the key, once.
    pub ask: oneshot::Sender<HostKey>,
    /// Whether to go on; a sender that is gone means no.
    pub answer: oneshot::Receiver<bool>,
    /// The one kind of key that is wanted: `rsa`, `ecdsa`, `ed25519`.
    pub kind: Option<String>,
}

/// The key of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// `ssh-ed25519`.
    pub algorithm: Vec<u8>,
    /// The key as it goes over the wire: RFC 4253 §6.6.
    pub blob: Vec<u8>,
}

/// A connection whose keys are exchanged.
pub trait Connection: Send + Sync + 'static {
    /// Asks to be let in.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    fn authenticate<'a>(
        &'a mut self,
        user: &'a [u8],
        proof: Proof,
    ) -> BoxFuture<'a, Result<Answer, Failure>>;

    /// What the server has to say before a login, since the last time.
    fn banner(&mut self) -> Vec<u8>;

    /// Opens a session once the user is let in.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] when the server gives none.
    fn session<'a>(&'a mut self, wanted: Wanted) -> BoxFuture<'a, Result<Halves, Failure>>;
}

/// The two halves of a session.
pub type Halves = (Box<dyn Sender>, Box<dyn Receiver>);

/// What a user shows to be let in.
#[derive(Clone)]
pub enum Proof {
    /// Nothing: asks which ways there are.
    None,
    /// A password.
    Password(Vec<u8>),
    /// An OpenSSH or PEM private key without a passphrase, as text.
    Key(Vec<u8>),
    /// Wants to be asked.
    Questions,
    /// The answers to what was asked.
    Answers(Vec<Vec<u8>>),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof")
    }
}

/// What a server answers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The user is let in.
    Accepted,
    /// Not this way; these are left.
    Denied {
        /// `publickey`, `password`.
        methods: Vec<String>,
    },
    /// The server asks: RFC 4256 §3.2.
    Asked {
        /// Shown above.
        instruction: Vec<u8>,
        /// Each question, and whether its answer may be seen.
        questions: Vec<(Vec<u8>, bool)>,
    },
}

/// What is to run on the other side.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What.
    pub purpose: Purpose,
    /// On which terminal.
    pub terminal: Option<Terminal>,
}

/// What runs in a session.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// The user's shell.
    Shell,
    /// A command.
    Command(Vec<u8>),
    /// A subsystem: `sftp`.
    Subsystem(Vec<u8>),
}

/// The terminal of a session.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// `TERM`.
    pub name: Vec<u8>,
    /// Columns and rows.
    pub size: (u16, u16),
}

/// The sending half of a session.
pub trait Sender: Send + Sync + 'static {
    /// Sends bytes; waits while the other side takes none.
    ///
    /// # Errors
    ///
    /// When the session is over.
    fn send<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Failure>>;

    /// Nothing more comes.
    fn end(&mut self) -> BoxFuture<'_, ()>;

    /// The terminal has another size: columns and rows.
    fn resize(&mut self, size: (u16, u16)) -> BoxFuture<'_, ()>;
}

/// The receiving half of a session.
pub trait Receiver: Send + Sync + 'static {
    /// What comes next; `None` when the session is over.
    ///
    /// Cancel-safe.
    fn next(&mut self) -> BoxFuture<'_, Option<Received>>;
}

/// What comes from the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Standard output.
    Output(Vec<u8>),
    /// Standard error.
    Error(Vec<u8>),
    /// How it ended.
    Status(u32),
    /// The signal that ended it, without `SIG`.
    Signal(String),
    /// The server does not run what was wanted.
    Refused,
}

/// Why there is no connection, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The other side closed it.
    Closed,
    /// The network broke it.
    Reset,
    /// What answers speaks no SSH that we know.
    NotSsh,
    /// No algorithm that both sides know: `key exchange method`, and what the other side has.
    NoCommon {
        /// `key exchange method`, `cipher`, `MAC`, `host key type`, as OpenSSH names it.
        kind: &'static str,
        /// What the other side offers.
        theirs: String,
    },
    /// The key of the server was not accepted.
    HostKey,
    /// The private key cannot be used.
    BadKey,
    /// The server refuses.
    Refused,
    /// It broke the protocol.
    Protocol,
}
