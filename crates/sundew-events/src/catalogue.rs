//! Every event id with its fields, as data.
//!
//! The list is closed: a test compares it with [`EventKind`](crate::EventKind) and with the tables
//! of `docs/EVENTS.md`, and the JSON of every kind with it. The ids that Cowrie knows and Sundew
//! does not emit yet are not here.

/// The id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Id {
    /// `cowrie.session.connect`
    SessionConnect,
    /// `cowrie.session.closed`
    SessionClosed,
    /// `cowrie.session.params`
    SessionParams,
    /// `cowrie.client.version`
    ClientVersion,
    /// `cowrie.client.kex`
    ClientKex,
    /// `cowrie.client.fingerprint`
    ClientFingerprint,
    /// `cowrie.client.size`
    ClientSize,
    /// `cowrie.client.var`
    ClientVar,
    /// `cowrie.login.success`
    LoginSuccess,
    /// `cowrie.login.failed`
    LoginFailed,
    /// `cowrie.command.input`
    CommandInput,
    /// `cowrie.command.failed`
    CommandFailed,
    /// `cowrie.session.file_download`
    FileDownload,
    /// `cowrie.session.file_download.failed`
    FileDownloadFailed,
    /// `cowrie.session.file_upload`
    FileUpload,
    /// `cowrie.log.closed`
    LogClosed,
    /// `cowrie.direct-tcpip.request`
    DirectTcpipRequest,
    /// `cowrie.direct-tcpip.data`
    DirectTcpipData,
    /// `sundew.command.unimplemented`
    CommandUnimplemented,
    /// `sundew.budget.spent`
    BudgetSpent,
    /// `sundew.window.change`
    WindowChange,
    /// `sundew.capture.lost`
    CaptureLost,
    /// `sundew.egress.refused`
    EgressRefused,
}

impl Id {
    /// The value of the field `eventid`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionConnect => "cowrie.session.connect",
            Self::SessionClosed => "cowrie.session.closed",
            Self::SessionParams => "cowrie.session.params",
            Self::ClientVersion => "cowrie.client.version",
            Self::ClientKex => "cowrie.client.kex",
            Self::ClientFingerprint => "cowrie.client.fingerprint",
            Self::ClientSize => "cowrie.client.size",
            Self::ClientVar => "cowrie.client.var",
            Self::LoginSuccess => "cowrie.login.success",
            Self::LoginFailed => "cowrie.login.failed",
            Self::CommandInput => "cowrie.command.input",
            Self::CommandFailed => "cowrie.command.failed",
            Self::FileDownload => "cowrie.session.file_download",
            Self::FileDownloadFailed => "cowrie.session.file_download.failed",
            Self::FileUpload => "cowrie.session.file_upload",
            Self::LogClosed => "cowrie.log.closed",
            Self::DirectTcpipRequest => "cowrie.direct-tcpip.request",
            Self::DirectTcpipData => "cowrie.direct-tcpip.data",
            Self::CommandUnimplemented => "sundew.command.unimplemented",
            Self::BudgetSpent => "sundew.budget.spent",
            Self::WindowChange => "sundew.window.change",
            Self::CaptureLost => "sundew.capture.lost",
            Self::EgressRefused => "sundew.egress.refused",
        }
    }

    /// Whose id it is: Cowrie's are reused only where the meaning is the same.
    #[must_use]
    pub fn origin(self) -> Origin {
        if self.as_str().starts_with("sundew.") {
            Origin::Sundew
        } else {
            Origin::Cowrie
        }
    }
}

/// Whose word an id or a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Cowrie 3 writes it too, with the same meaning and type.
    Cowrie,
    /// Added by Sundew; consumers of Cowrie do not know it.
    Sundew,
}

/// The JSON type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// A string.
    Str,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// An array of strings.
    List,
}

/// One field of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its key.
    pub name: &'static str,
    /// Its type.
    pub field_type: FieldType,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whose field it is.
    pub origin: Origin,
}

/// One event of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its id.
    pub id: Id,
    /// When it is emitted, in one line.
    pub when: &'static str,
    /// Its own fields in the order in which they are written (`session.file_download` has several
    /// orders, see `docs/EVENTS.md`). Every event may have [`CUT`] after them.
    pub fields: &'static [FieldSpec],
}

/// Names the fields whose values were longer than
/// [`MAX_TEXT_BYTES`](crate::text::MAX_TEXT_BYTES); only present when there are any.
pub const CUT: FieldSpec = added("sundew_cut", FieldType::List).optional();

/// The catalogue, in the order of `docs/EVENTS.md`.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        id: Id::SessionConnect,
        when: "A connection was accepted; the first event of each.",
        fields: &[],
    },
    Entry {
        id: Id::SessionClosed,
        when: "A connection is gone; the last event of each but for `late` ones.",
        fields: &[field("duration_ms", FieldType::Int)],
    },
    Entry {
        id: Id::SessionParams,
        when: "A shell or exec channel got its machine.",
        fields: &[field("arch", FieldType::Str)],
    },
    Entry {
        id: Id::ClientVersion,
        when: "The client's identification string, valid or not.",
        fields: &[field("version", FieldType::Str)],
    },
    Entry {
        id: Id::ClientKex,
        when: "The client's KEXINIT, also on re-keying.",
        fields: &[
            field("hassh", FieldType::Str),
            field("hasshAlgorithms", FieldType::Str),
            field("kexAlgs", FieldType::List),
            field("keyAlgs", FieldType::List),
            field("encCS", FieldType::List),
            field("macCS", FieldType::List),
            field("compCS", FieldType::List),
            field("langCS", FieldType::List),
        ],
    },
    Entry {
        id: Id::ClientFingerprint,
        when: "A public key was offered, also by a probe without signature.",
        fields: &[
            field("username", FieldType::Str),
            field("fingerprint", FieldType::Str),
            field("key", FieldType::Str),
            field("type", FieldType::Str),
            added("fingerprint_sha256", FieldType::Str),
        ],
    },
    Entry {
        id: Id::ClientSize,
        when: "A terminal was asked for.",
        fields: &[
            field("width", FieldType::Int),
            field("height", FieldType::Int),
        ],
    },
    Entry {
        id: Id::ClientVar,
        when: "The client sent an environment variable.",
        fields: &[
            field("name", FieldType::Str),
            field("value", FieldType::Str),
        ],
    },
    Entry {
        id: Id::LoginSuccess,
        when: "A login was let in.",
        fields: &[
            field("username", FieldType::Str),
            field("password", FieldType::Str).optional(),
            field("fingerprint", FieldType::Str).optional(),
            field("key", FieldType::Str).optional(),
            field("type", FieldType::Str).optional(),
            added("fingerprint_sha256", FieldType::Str).optional(),
        ],
    },
    Entry {
        id: Id::LoginFailed,
        when: "A login was refused.",
        fields: &[
            field("username", FieldType::Str),
            field("password", FieldType::Str).optional(),
            field("fingerprint", FieldType::Str).optional(),
            field("key", FieldType::Str).optional(),
            field("type", FieldType::Str).optional(),
            added("fingerprint_sha256", FieldType::Str).optional(),
        ],
    },
    Entry {
        id: Id::CommandInput,
        when: "A line for the shell, an exec string, a script; with `realm`, a line for a program.",
        fields: &[
            field("realm", FieldType::Str).optional(),
            field("input", FieldType::Str),
        ],
    },
    Entry {
        id: Id::CommandFailed,
        when: "A word that resolves to nothing; `input` ends in a blank when there is no argument.",
        fields: &[field("input", FieldType::Str)],
    },
    Entry {
        id: Id::FileDownload,
        when: "Content came in by a fetch, a redirection or the input of an exec channel.",
        fields: &[
            field("url", FieldType::Str).optional(),
            field("outfile", FieldType::Str),
            field("shasum", FieldType::Str),
            field("destfile", FieldType::Str).optional(),
            field("duplicate", FieldType::Bool),
            added("size", FieldType::Int),
            added("complete", FieldType::Bool),
            added("incomplete_reason", FieldType::Str).optional(),
        ],
    },
    Entry {
        id: Id::FileDownloadFailed,
        when: "A fetch brought nothing.",
        fields: &[
            field("url", FieldType::Str),
            field("error", FieldType::Str).optional(),
        ],
    },
    Entry {
        id: Id::FileUpload,
        when: "A file came over SFTP, SCP or FTP.",
        fields: &[
            field("filename", FieldType::Str),
            field("duplicate", FieldType::Bool),
            field("url", FieldType::Str),
            field("outfile", FieldType::Str),
            field("shasum", FieldType::Str),
            field("destfile", FieldType::Str),
            added("size", FieldType::Int),
            added("complete", FieldType::Bool),
            added("incomplete_reason", FieldType::Str).optional(),
        ],
    },
    Entry {
        id: Id::LogClosed,
        when: "A terminal recording was finished, one per channel.",
        fields: &[
            field("ttylog", FieldType::Str),
            field("size", FieldType::Int),
            field("shasum", FieldType::Str),
            field("duplicate", FieldType::Bool),
            field("duration_ms", FieldType::Int),
            added("asciicast", FieldType::Str),
            added("complete", FieldType::Bool),
            added("incomplete_reason", FieldType::Str).optional(),
        ],
    },
    Entry {
        id: Id::DirectTcpipRequest,
        when: "A forwarded connection was asked for; `dst_*` of the envelope are its destination.",
        fields: &[
            field("dst_ip", FieldType::Str),
            field("dst_port", FieldType::Int),
            field("orig_ip", FieldType::Str),
            field("orig_port", FieldType::Int),
        ],
    },
    Entry {
        id: Id::DirectTcpipData,
        when: "Data came on a forwarded connection that leads nowhere; `dst_*` as above.",
        fields: &[
            field("dst_ip", FieldType::Str),
            field("dst_port", FieldType::Int),
            field("data", FieldType::Str),
            field("id", FieldType::Int),
        ],
    },
    Entry {
        id: Id::CommandUnimplemented,
        when: "A program was run that is not emulated: one of the machine's own (`origin` is `machine`; the visitor reads `Permission denied`) or a binary brought in (`visitor`; it seems to crash).",
        fields: &[
            added("program", FieldType::Str),
            added("input", FieldType::Str),
            added("origin", FieldType::Str),
        ],
    },
    Entry {
        id: Id::BudgetSpent,
        when: "A visitor's limit was reached; at most once for each limit and session.",
        fields: &[added("budget", FieldType::Str), added("of", FieldType::Str)],
    },
    Entry {
        id: Id::WindowChange,
        when: "The client's window changed its size.",
        fields: &[
            added("width", FieldType::Int),
            added("height", FieldType::Int),
        ],
    },
    Entry {
        id: Id::CaptureLost,
        when: "Evidence could not be kept, wholly or in part.",
        fields: &[
            added("what", FieldType::Str),
            added("reason", FieldType::Str),
            added("bytes", FieldType::Int),
        ],
    },
    Entry {
        id: Id::EgressRefused,
        when: "A connection the attacker asked for was not allowed to leave.",
        fields: &[
            added("target_host", FieldType::Str),
            added("target_port", FieldType::Int),
            added("target_ip", FieldType::Str).optional(),
            added("reason", FieldType::Str),
        ],
    },
];

impl FieldSpec {
    const fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }
}

const fn field(name: &'static str, field_type: FieldType) -> FieldSpec {
    FieldSpec {
        name,
        field_type,
        optional: false,
        origin: Origin::Cowrie,
    }
}

const fn added(name: &'static str, field_type: FieldType) -> FieldSpec {
    FieldSpec {
        name,
        field_type,
        optional: false,
        origin: Origin::Sundew,
    }
}
