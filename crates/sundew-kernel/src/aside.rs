//! Work that cannot be cut into slices, such as a hash that is slow on purpose: done where it keeps no
//! other machine waiting.

use std::fmt;
use std::sync::Arc;

/// A piece of work.
pub type Work = Box<dyn FnOnce() + Send>;

/// How long a piece may take, which decides whom it keeps waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A tenth of a second, as for the hash of a password.
    Short,
    /// Some seconds, as for a key: it waits for others of its kind, and nothing short waits for it.
    Long,
}

/// Takes work that would hold a thread of the runtime; given by whoever owns the threads.
#[derive(Clone)]
pub struct Aside(Arc<dyn Fn(Work, Length) + Send + Sync>);

impl Aside {
    /// `run` gets each piece once, and must not do it on the thread it was called on.
    pub fn new(run: impl Fn(Work, Length) + Send + Sync + 'static) -> Self {
        Self(Arc::new(run))
    }

    /// Hands over a piece.
    pub fn run(&self, work: Work, length: Length) {
        (self.0)(work, length);
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}
