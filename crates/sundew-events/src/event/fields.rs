//! The own fields of each kind: names and values in the order in which Cowrie writes them.
//!
//! Every writer of events (JSON, later SQL and ECS) walks this one list. Sundew's additions come
//! after Cowrie's fields of the same event and say so with [`Origin::Sundew`].

use std::fmt::Display;

use super::{
    Credential, DownloadSource, Event, EventKind, FileDownload, FileUpload, Kex, LogClosed, Login,
    PublicKey, Stored, Target,
};
use crate::catalogue::Origin;
use crate::text::{Escaped, Literal, Lossy};

/// The value of one field.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Text, shown by its type.
    Text(&'a dyn Display),
    /// A whole number.
    Int(u64),
    /// True or false.
    Bool(bool),
    /// A list of texts.
    List(&'a [Lossy]),
}

/// One field of an event.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// Its key.
    pub name: &'static str,
    /// Its value.
    pub value: Value<'a>,
    /// Whose field it is.
    pub origin: Origin,
}

/// Receives the fields one after the other.
pub type Visit<'v> = dyn FnMut(Field<'_>) + 'v;

impl Event {
    /// Calls `visit` with each own field of the event, in order.
    ///
    /// `dst_ip` and `dst_port` of forwarding events are not among them: they replace the
    /// envelope's, see [`EventKind::destination`].
    pub fn visit_fields(&self, visit: &mut Visit<'_>) {
        let mut walk = Walk {
            visit,
            origin: self.kind.id().origin(),
            cut: Vec::new(),
        };
        self.kind.walk(&mut walk);
        let Walk { visit, cut, .. } = walk;
        if !cut.is_empty() {
            let value = Value::List(&cut);
            visit(Field {
                name: "sundew_cut",
                value,
                origin: Origin::Sundew,
            });
        }
    }
}

impl EventKind {
    /// The destination that takes the place of the envelope's `dst_ip` and `dst_port`.
    #[must_use]
    pub const fn destination(&self) -> Option<&Target> {
        match self {
            Self::DirectTcpipRequest { target, .. } | Self::DirectTcpipData { target, .. } => {
                Some(target)
            }
            _ => None,
        }
    }

    fn walk(&self, walk: &mut Walk<'_, '_>) {
        match self {
            Self::SessionConnect => {}
            Self::SessionClosed { duration_ms } => walk.int("duration_ms", *duration_ms),
            Self::SessionParams { arch } => walk.text("arch", arch),
            Self::ClientVersion { version } => walk.escaped("version", version),
            Self::ClientKex(kex) => kex.walk(walk),
            Self::ClientFingerprint { username, key } => {
                walk.escaped("username", username);
                key.walk(walk);
            }
            Self::ClientSize { width, height } | Self::WindowChange { width, height } => {
                walk.int("width", u64::from(*width));
                walk.int("height", u64::from(*height));
            }
            Self::ClientVar { name, value } => {
                walk.lossy("name", name);
                walk.lossy("value", value);
            }
            Self::LoginSuccess(login) | Self::LoginFailed(login) => login.walk(walk),
            Self::CommandInput { realm, input } => {
                if let Some(realm) = realm {
                    walk.text("realm", realm);
                }
                walk.lossy("input", input);
            }
            Self::CommandFailed { command, arguments } => walk_failed(walk, command, arguments),
            Self::FileDownload(download) => download.walk(walk),
            Self::FileDownloadFailed { url, error } => {
                walk.lossy("url", url);
                if let Some(error) = error {
                    walk.lossy("error", error);
                }
            }
            Self::FileUpload(upload) => upload.walk(walk),
            Self::LogClosed(log) => log.walk(walk),
            Self::DirectTcpipRequest { origin, .. } => {
                walk.lossy("orig_ip", &origin.host);
                walk.int("orig_port", u64::from(origin.port));
            }
            Self::DirectTcpipData { data, channel, .. } => {
                walk.literal("data", data);
                walk.int("id", u64::from(*channel));
            }
            Self::CommandUnimplemented {
                program,
                input,
                origin,
            } => {
                walk.lossy("program", program);
                walk.lossy("input", input);
                walk.text("origin", origin);
            }
            Self::BudgetSpent { budget, of } => {
                walk.text("budget", budget);
                walk.text("of", of);
            }
            Self::CaptureLost {
                what,
                reason,
                bytes,
            } => {
                walk.text("what", what);
                walk.text("reason", reason);
                walk.int("bytes", *bytes);
            }
            Self::EgressRefused {
                target,
                address,
                reason,
            } => {
                walk.lossy("target_host", &target.host);
                walk.int("target_port", u64::from(target.port));
                if let Some(address) = address {
                    walk.text("target_ip", address);
                }
                walk.text("reason", reason);
            }
        }
    }
}

/// Command, a blank, arguments: with no argument the text ends in the blank, and consumers know it.
fn walk_failed(walk: &mut Walk<'_, '_>, command: &Lossy, arguments: &Lossy) {
    if command.is_cut() || arguments.is_cut() {
        walk.cut.push(Lossy::from("input"));
    }
    walk.text("input", &format_args!("{command} {arguments}"));
}

impl Kex {
    fn walk(&self, walk: &mut Walk<'_, '_>) {
        walk.text("hassh", &self.hassh);
        walk.lossy("hasshAlgorithms", &self.algorithms);
        walk.list("kexAlgs", &self.kex);
        walk.list("keyAlgs", &self.host_key);
        walk.list("encCS", &self.cipher);
        walk.list("macCS", &self.mac);
        walk.list("compCS", &self.compression);
        walk.list("langCS", &self.language);
    }
}

impl PublicKey {
    fn walk(&self, walk: &mut Walk<'_, '_>) {
        walk.text("fingerprint", &self.fingerprint);
        walk.lossy("key", &self.key);
        walk.lossy("type", &self.algorithm);
        walk.additions(|walk| walk.text("fingerprint_sha256", &self.fingerprint_sha256));
    }
}

impl Login {
    fn walk(&self, walk: &mut Walk<'_, '_>) {
        walk.escaped("username", &self.username);
        match &self.credential {
            Credential::Password(password) => walk.escaped("password", password),
            Credential::PublicKey(key) => key.walk(walk),
            Credential::Nothing => {}
        }
    }
}

impl Stored {
    fn walk_additions(&self, walk: &mut Walk<'_, '_>) {
        walk.additions(|walk| {
            walk.int("size", self.size);
            walk_completeness(walk, self.incomplete.as_ref());
        });
    }
}

fn walk_completeness(walk: &mut Walk<'_, '_>, incomplete: Option<&impl Display>) {
    walk.bool("complete", incomplete.is_none());
    if let Some(reason) = incomplete {
        walk.text("incomplete_reason", reason);
    }
}

impl FileDownload {
    fn walk(&self, walk: &mut Walk<'_, '_>) {
        let stored = &self.stored;
        match &self.source {
            DownloadSource::Url { url, destfile } => {
                walk.lossy("url", url);
                walk.text("outfile", &stored.outfile);
                walk.text("shasum", &stored.shasum);
                if let Some(destfile) = destfile {
                    walk.lossy("destfile", destfile);
                }
                walk.bool("duplicate", stored.duplicate);
            }
            DownloadSource::Stdin => walk_saved(walk, stored, &Lossy::default()),
            DownloadSource::Redirect { destfile } => walk_saved(walk, stored, destfile),
        }
        stored.walk_additions(walk);
    }
}

fn walk_saved(walk: &mut Walk<'_, '_>, stored: &Stored, destfile: &Lossy) {
    walk.bool("duplicate", stored.duplicate);
    walk.text("outfile", &stored.outfile);
    walk.text("shasum", &stored.shasum);
    walk.lossy("destfile", destfile);
}

impl FileUpload {
    fn walk(&self, walk: &mut Walk<'_, '_>) {
        walk.lossy("filename", &self.filename);
        walk.bool("duplicate", self.stored.duplicate);
        walk.lossy("url", &self.path);
        walk.text("outfile", &self.stored.outfile);
        walk.text("shasum", &self.stored.shasum);
        walk.lossy("destfile", &self.path);
        self.stored.walk_additions(walk);
    }
}

impl LogClosed {
    fn walk(&self, walk: &mut Walk<'_, '_>) {
        walk.text("ttylog", &self.ttylog);
        walk.int("size", self.size);
        walk.text("shasum", &self.shasum);
        walk.bool("duplicate", self.duplicate);
        walk.int("duration_ms", self.duration_ms);
        walk.additions(|walk| {
            walk.text("asciicast", &self.asciicast);
            walk_completeness(walk, self.incomplete.as_ref());
        });
    }
}

/// Hands fields to the visitor and remembers which of them were cut.
struct Walk<'w, 'v> {
    visit: &'w mut Visit<'v>,
    origin: Origin,
    cut: Vec<Lossy>,
}

impl Walk<'_, '_> {
    fn text(&mut self, name: &'static str, value: &dyn Display) {
        self.field(name, Value::Text(value));
    }

    fn escaped(&mut self, name: &'static str, value: &Escaped) {
        self.note_cut(name, value.is_cut());
        self.text(name, value);
    }

    fn lossy(&mut self, name: &'static str, value: &Lossy) {
        self.note_cut(name, value.is_cut());
        self.text(name, value);
    }

    fn literal(&mut self, name: &'static str, value: &Literal) {
        self.note_cut(name, value.is_cut());
        self.text(name, value);
    }

    fn int(&mut self, name: &'static str, value: u64) {
        self.field(name, Value::Int(value));
    }

    fn bool(&mut self, name: &'static str, value: bool) {
        self.field(name, Value::Bool(value));
    }

    fn list(&mut self, name: &'static str, value: &[Lossy]) {
        self.field(name, Value::List(value));
    }

    fn additions(&mut self, fields: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.origin, Origin::Sundew);
        fields(self);
        self.origin = before;
    }

    fn field(&mut self, name: &'static str, value: Value<'_>) {
        (self.visit)(Field {
            name,
            value,
            origin: self.origin,
        });
    }

    fn note_cut(&mut self, name: &'static str, cut: bool) {
        if cut {
            self.cut.push(Lossy::from(name));
        }
    }
}
