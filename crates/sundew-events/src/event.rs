//! What can happen, as types: the envelope every event has, and the closed enum of kinds.
//!
//! A kind owns exactly the facts its id promises; optional facts are variants, so an event with
//! half a public key cannot be made. How a kind is written stands in [`fields`] (names, order) and
//! `message` (the sentence); what is promised stands in [`crate::catalogue`].

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::catalogue::Id;
use crate::id::{SessionId, Sha256Sum};
use crate::text::{Escaped, Literal, Lossy};
use crate::timestamp::Timestamp;

pub mod fields;
mod kex;
mod message;
mod weight;

pub use kex::{Kex, KexLists};

/// One fact about one connection, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The connection it is about.
    pub connection: Arc<Connection>,
    /// The sensor that saw it.
    pub installation: Arc<Installation>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Whether the connection was closed already, as for a download that ends after its attacker
    /// has left.
    pub late: bool,
    /// What happened.
    pub kind: EventKind,
}

/// The identity of one connection, the same in all its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    session: SessionId,
    protocol: Protocol,
    src: (IpAddr, u16),
    dst: (IpAddr, u16),
}

impl Connection {
    /// Describes an accepted connection by its peer (`src`) and its local address (`dst`).
    ///
    /// IPv4 addresses that a dual-stack listener shows as `::ffff:a.b.c.d` become plain IPv4:
    /// consumers group by address, and one host must not appear under two names.
    #[must_use]
    pub const fn new(
        session: SessionId,
        protocol: Protocol,
        src: (IpAddr, u16),
        dst: (IpAddr, u16),
    ) -> Self {
        Self {
            session,
            protocol,
            src: (src.0.to_canonical(), src.1),
            dst: (dst.0.to_canonical(), dst.1),
        }
    }

    /// The session's id.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The protocol of the door it came through.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The attacker's address and port.
    #[must_use]
    pub const fn src(&self) -> (IpAddr, u16) {
        self.src
    }

    /// Our address and port.
    #[must_use]
    pub const fn dst(&self) -> (IpAddr, u16) {
        self.dst
    }
}

/// The door a connection came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// SSH.
    Ssh,
    /// Telnet.
    Telnet,
    /// FTP; Cowrie has none, its ids are reused where the meaning is the same.
    Ftp,
}

impl Protocol {
    /// The value of the field `protocol`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Telnet => "telnet",
            Self::Ftp => "ftp",
        }
    }
}

/// Which sensor writes: the same for all its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The operator's name for it, by default the host's name.
    pub sensor: String,
    /// The UUID made at the first start, in its usual text form.
    pub uuid: String,
}

/// What happened. The variants are in the order of `docs/EVENTS.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A connection was accepted; the first event of each.
    SessionConnect,
    /// A connection is gone.
    SessionClosed {
        /// How long it lasted, in milliseconds.
        duration_ms: u64,
    },
    /// A shell or exec channel got its machine.
    SessionParams {
        /// The machine's platform, as in `linux-x64-lsb`.
        arch: String,
    },
    /// The client's identification string, valid or not.
    ClientVersion {
        /// The first line, trimmed.
        version: Escaped,
    },
    /// The client's KEXINIT.
    ClientKex(Box<Kex>),
    /// A public key was offered, also by a probe without signature.
    ClientFingerprint {
        /// For which user.
        username: Escaped,
        /// Which key.
        key: PublicKey,
    },
    /// A terminal was asked for.
    ClientSize {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// An environment variable was sent.
    ClientVar {
        /// Its name.
        name: Lossy,
        /// Its value.
        value: Lossy,
    },
    /// A login that was let in.
    LoginSuccess(Login),
    /// A login that was refused.
    LoginFailed(Login),
    /// A line for the shell, an exec string, a script; or, with a realm, a line for a program.
    CommandInput {
        /// The program that read it, if it was not the shell.
        realm: Option<Cow<'static, str>>,
        /// The text, unexpanded.
        input: Lossy,
    },
    /// A word that resolves to nothing.
    CommandFailed {
        /// The command after expansion, without the blank that Cowrie puts after it: that one is
        /// added when the event is written.
        command: Lossy,
        /// The arguments after expansion, joined by blanks; empty if there are none.
        arguments: Lossy,
    },
    /// Content came into the machine.
    FileDownload(Box<FileDownload>),
    /// A fetch brought nothing.
    FileDownloadFailed {
        /// What was asked for.
        url: Lossy,
        /// Why it failed, where the program says so (ftpget, tftp).
        error: Option<Lossy>,
    },
    /// The client sent a file over a file protocol.
    FileUpload(Box<FileUpload>),
    /// A terminal recording was finished.
    LogClosed(Box<LogClosed>),
    /// A forwarded connection was asked for.
    DirectTcpipRequest {
        /// Where to.
        target: Target,
        /// Where the client says it comes from.
        origin: Target,
    },
    /// Data came on a forwarded connection that leads nowhere.
    DirectTcpipData {
        /// Where it was meant to go.
        target: Target,
        /// The data.
        data: Literal,
        /// The channel's number.
        channel: u32,
    },
    /// A program that exists on the machine but is not emulated, or an option of it.
    CommandUnimplemented {
        /// The program's path.
        program: Lossy,
        /// The command line as the program saw it.
        input: Lossy,
        /// Whose program it is: `machine`, one of the image; `visitor`, a binary brought in.
        origin: Cow<'static, str>,
    },
    /// A visitor's limit was reached.
    BudgetSpent {
        /// Which: `process_cpu`, `machine_cpu`, `source_cpu`, `memory`, `output`, `processes`, `files`,
        /// `inodes`, `descriptors`.
        budget: Cow<'static, str>,
        /// Whose: `process`, `machine`, `source`, `sensor`.
        of: Cow<'static, str>,
    },
    /// The client's window changed its size.
    WindowChange {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Evidence could not be kept, wholly or in part.
    CaptureLost {
        /// What it was part of.
        what: Captured,
        /// Why: `disk`, `quota`, `queue`.
        reason: Cow<'static, str>,
        /// How many bytes are lost, as far as is known.
        bytes: u64,
    },
    /// A connection the attacker asked for was not allowed to leave.
    EgressRefused {
        /// Where to, as the attacker wrote it.
        target: Target,
        /// The address it resolved to, if it came to that.
        address: Option<IpAddr>,
        /// The rule that refused it, as in `private-address`.
        reason: Cow<'static, str>,
    },
}

impl EventKind {
    /// The event's id.
    #[must_use]
    pub const fn id(&self) -> Id {
        match self {
            Self::SessionConnect => Id::SessionConnect,
            Self::SessionClosed { .. } => Id::SessionClosed,
            Self::SessionParams { .. } => Id::SessionParams,
            Self::ClientVersion { .. } => Id::ClientVersion,
            Self::ClientKex(_) => Id::ClientKex,
            Self::ClientFingerprint { .. } => Id::ClientFingerprint,
            Self::ClientSize { .. } => Id::ClientSize,
            Self::ClientVar { .. } => Id::ClientVar,
            Self::LoginSuccess(_) => Id::LoginSuccess,
            Self::LoginFailed(_) => Id::LoginFailed,
            Self::CommandInput { .. } => Id::CommandInput,
            Self::CommandFailed { .. } => Id::CommandFailed,
            Self::FileDownload(_) => Id::FileDownload,
            Self::FileDownloadFailed { .. } => Id::FileDownloadFailed,
            Self::FileUpload(_) => Id::FileUpload,
            Self::LogClosed(_) => Id::LogClosed,
            Self::DirectTcpipRequest { .. } => Id::DirectTcpipRequest,
            Self::DirectTcpipData { .. } => Id::DirectTcpipData,
            Self::CommandUnimplemented { .. } => Id::CommandUnimplemented,
            Self::BudgetSpent { .. } => Id::BudgetSpent,
            Self::WindowChange { .. } => Id::WindowChange,
            Self::CaptureLost { .. } => Id::CaptureLost,
            Self::EgressRefused { .. } => Id::EgressRefused,
        }
    }
}

/// A host and port as a peer wrote them: the host may be a name or anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address.
    pub host: Lossy,
    /// Port; SSH carries 32 bits.
    pub port: u32,
}

/// Who tried to log in, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub username: Escaped,
    /// What was shown for it.
    pub credential: Credential,
}

/// What was shown to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A password, typed or as an answer to a keyboard-interactive prompt.
    Password(Escaped),
    /// A public key.
    PublicKey(PublicKey),
    /// Nothing: the method `none`.
    Nothing,
}

/// An SSH public key that a client offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// MD5 of the key blob: lowercase pairs joined by colons, no prefix.
    pub fingerprint: String,
    /// SHA-256 of the key blob as OpenSSH prints it: `SHA256:` and unpadded base64.
    pub fingerprint_sha256: String,
    /// The one-line form of OpenSSH.
    pub key: Lossy,
    /// The algorithm's name.
    pub algorithm: Lossy,
}

/// A content that was kept: which one, where, and whether it is all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Path of the stored copy on the sensor.
    pub outfile: String,
    /// SHA-256 of what was kept.
    pub shasum: Sha256Sum,
    /// Whether the same content was stored already.
    pub duplicate: bool,
    /// Bytes kept.
    pub size: u64,
    /// Why it is not whole, if it is not: `limit`, `cut`, …
    pub incomplete: Option<Cow<'static, str>>,
}

/// Content that came in by any way but a file protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDownload {
    /// By which way.
    pub source: DownloadSource,
    /// What was kept.
    pub stored: Stored,
}

/// The ways in which content comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadSource {
    /// A program fetched it.
    Url {
        /// From where.
        url: Lossy,
        /// The name inside the machine; ftpget and tftp say it, wget and curl do not.
        destfile: Option<Lossy>,
    },
    /// The standard input of an exec channel.
    Stdin,
    /// A redirection of the shell.
    Redirect {
        /// The path inside the machine.
        destfile: Lossy,
    },
}

/// A file sent over a file protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUpload {
    /// Over which protocol.
    pub via: UploadProtocol,
    /// Base name.
    pub filename: Lossy,
    /// Full path inside the machine; written as `url` and `destfile`, as Cowrie does for SCP.
    pub path: Lossy,
    /// What was kept.
    pub stored: Stored,
}

/// The file protocols by which a client sends files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadProtocol {
    /// SFTP.
    Sftp,
    /// SCP.
    Scp,
    /// FTP.
    Ftp,
}

/// A finished terminal recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogClosed {
    /// Path of the recording in the UML format, which `playlog` plays.
    pub ttylog: String,
    /// Bytes of output recorded.
    pub size: u64,
    /// SHA-256 of the attacker's input.
    pub shasum: Sha256Sum,
    /// Whether the same input was seen before. Unlike Cowrie the recording is kept all the same
    /// and `ttylog` names it, not the older one.
    pub duplicate: bool,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Path of the same recording as asciicast.
    pub asciicast: String,
    /// Why it is not whole, if it is not.
    pub incomplete: Option<Cow<'static, str>>,
}

/// What a loss of evidence was part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Captured {
    /// A file.
    Artifact,
    /// A terminal recording.
    Recording,
}
