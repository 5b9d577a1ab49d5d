//! Perl's values: cells, arrays, hashes, code, files.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, Fd};

use super::super::shell::Pipe;
use super::code::Chunk;
use super::number::{numeric, shown};

pub(super) type Scalar = Arc<Cell>;
pub(super) type Array = Arc<Node<VecDeque<Scalar>>>;
pub(super) type Hash = Arc<Node<Items>>;

/// A lock that nobody holds while panicking.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value.
#[derive(Clone, Default)]
pub(super) enum Value {
    #[default]
    Undef,
    Int(i64),
    Num(f64),
    Text(Arc<Vec<u8>>),
    /// `$!`: a number and its words.
    Errno(Errno),
    Scalar(Scalar),
    Array(Array),
    Hash(Hash),
    Code(Arc<Sub>),
    File(Arc<File>),
    /// `qr//`, as `(?^i:…)`.
    Pattern(Arc<Vec<u8>>),
    /// A place on the machine's stack, for who assigns; never stored in a cell.
    Place(Scalar),
}

/// A scalar variable or an element.
#[derive(Default)]
pub(super) struct Cell(Mutex<Value>);

/// Data behind a reference, and the class it was blessed into.
#[derive(Default)]
pub(super) struct Node<T> {
    data: Mutex<T>,
    class: Mutex<Option<Arc<str>>>,
}

/// A hash and where `each` goes on.
#[derive(Default)]
pub(super) struct Items {
    pub(super) map: BTreeMap<Vec<u8>, Scalar>,
    pub(super) last: Option<Vec<u8>>,
}

/// A sub and the variables it closes over, by their places in its pad.
pub(super) struct Sub {
    pub(super) chunk: Arc<Chunk>,
    pub(super) name: String,
    pub(super) captures: Mutex<Vec<(usize, Pad)>>,
    class: Mutex<Option<Arc<str>>>,
}

/// A lexical variable.
#[derive(Clone, Default)]
pub(super) enum Pad {
    #[default]
    Empty,
    Scalar(Scalar),
    Array(Array),
    Hash(Hash),
}

/// An open file, pipe or socket.
#[derive(Default)]
pub(super) struct File {
    pub(super) state: Mutex<FileState>,
}

#[derive(Default)]
pub(super) struct FileState {
    pub(super) fd: Option<Fd>,
    pub(super) reader: Option<LineReader>,
    pub(super) pipe: Option<Pipe>,
    /// A socket that `connect` has not been called for yet.
    pub(super) unconnected: bool,
    pub(super) lines: i64,
    /// A line that was read to see whether there is one.
    pub(super) ahead: Option<Vec<u8>>,
    /// Names of a directory, or lines of a string that is read as a file.
    pub(super) names: Option<VecDeque<Vec<u8>>>,
    /// A string that is written as a file.
    pub(super) into: Option<Scalar>,
}

// What a cell holds is dropped by a loop, not by recursion: `$x = [$x]` a million times over makes a chain
// that would take the host's stack with it. The rest waits here while the outermost drop of this thread runs.
thread_local! {
    static WAITING: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

impl Drop for Cell {
    fn drop(&mut self) {
        let value = std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
        if value.refers() {
            discard(value);
        }
    }
}

fn discard(value: Value) {
    let first = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        if let Some(waiting) = waiting.as_mut() {
            waiting.push(value);
            return None;
        }
        *waiting = Some(Vec::new());
        Some(value)
    });
    let Ok(Some(first)) = first else {
        return;
    };
    let mut next = Some(first);
    while let Some(value) = next {
        drop(value);
        next = WAITING.with(|waiting| waiting.borrow_mut().as_mut().and_then(Vec::pop));
    }
    WAITING.with(|waiting| *waiting.borrow_mut() = None);
}

impl Cell {
    pub(super) fn new(value: Value) -> Scalar {
        Arc::new(Self(Mutex::new(value)))
    }

    pub(super) fn get(&self) -> Value {
        lock(&self.0).clone()
    }

    pub(super) fn set(&self, value: Value) {
        let old = std::mem::replace(&mut *lock(&self.0), value);
        // Dropped with the lock open: a file's end may look at its own variable.
        drop(old);
    }

    pub(super) fn take(&self) -> Value {
        std::mem::take(&mut *lock(&self.0))
    }

    /// Bytes that its text takes.
    pub(super) fn len(&self) -> usize {
        match &*lock(&self.0) {
            Value::Text(text) | Value::Pattern(text) => text.capacity(),
            _ => 0,
        }
    }
}

impl<T> Node<T> {
    pub(super) fn new(data: T) -> Arc<Self> {
        Arc::new(Self {
            data: Mutex::new(data),
            class: Mutex::new(None),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        lock(&self.data)
    }

    pub(super) fn class(&self) -> Option<Arc<str>> {
        lock(&self.class).clone()
    }

    pub(super) fn bless(&self, class: Option<Arc<str>>) {
        *lock(&self.class) = class;
    }
}

impl Sub {
    pub(super) fn new(chunk: Arc<Chunk>, name: String, captures: Vec<(usize, Pad)>) -> Arc<Self> {
        Arc::new(Self {
            chunk,
            name,
            captures: Mutex::new(captures),
            class: Mutex::new(None),
        })
    }
}

impl Pad {
    pub(super) fn scalar(&mut self) -> Scalar {
        if let Self::Scalar(own) = self {
            return Arc::clone(own);
        }
        let own = Scalar::default();
        *self = Self::Scalar(Arc::clone(&own));
        own
    }

    pub(super) fn array(&mut self) -> Array {
        if let Self::Array(own) = self {
            return Arc::clone(own);
        }
        let own = Array::default();
        *self = Self::Array(Arc::clone(&own));
        own
    }

    pub(super) fn hash(&mut self) -> Hash {
        if let Self::Hash(own) = self {
            return Arc::clone(own);
        }
        let own = Hash::default();
        *self = Self::Hash(Arc::clone(&own));
        own
    }
}

impl Value {
    pub(super) fn text(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Text(Arc::new(bytes.into()))
    }

    pub(super) fn truth(yes: bool) -> Self {
        if yes { Self::Int(1) } else { Self::text(b"") }
    }

    /// A length or count.
    pub(super) fn count(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(super) fn is_defined(&self) -> bool {
        !matches!(self, Self::Undef)
    }

    /// Whether something else may be dropped with it.
    fn refers(&self) -> bool {
        matches!(
            self,
            Self::Scalar(_)
                | Self::Array(_)
                | Self::Hash(_)
                | Self::Code(_)
                | Self::File(_)
                | Self::Place(_)
        )
    }

    pub(super) fn is_reference(&self) -> bool {
        self.refers() && !matches!(self, Self::File(_) | Self::Place(_))
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Undef => false,
            Self::Int(number) => *number != 0,
            Self::Num(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty() && text.as_slice() != b"0",
            Self::Place(own) => own.get().is_true(),
            _ => true,
        }
    }

    /// The class a reference was blessed into.
    pub(super) fn class(&self) -> Option<Arc<str>> {
        match self {
            Self::Array(own) => own.class(),
            Self::Hash(own) => own.class(),
            Self::Code(own) => lock(&own.class).clone(),
            _ => None,
        }
    }

    pub(super) fn bless(&self, class: &str) {
        let class = Some(Arc::from(class));
        match self {
            Self::Array(own) => own.bless(class),
            Self::Hash(own) => own.bless(class),
            Self::Code(own) => *lock(&own.class) = class,
            _ => {}
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Undef => Vec::new(),
            Self::Int(number) => number.to_string().into_bytes(),
            Self::Num(number) => shown(*number).into_bytes(),
            Self::Text(text) | Self::Pattern(text) => text.to_vec(),
            Self::Errno(errno) => errno.message().as_bytes().to_vec(),
            Self::Place(own) => own.get().bytes(),
            Self::Scalar(_) | Self::Array(_) | Self::Hash(_) | Self::Code(_) | Self::File(_) => {
                let place = format!("{}(0x{:x})", self.kind(), self.address());
                match self.class() {
                    Some(class) => format!("{class}={place}").into_bytes(),
                    None => place.into_bytes(),
                }
            }
        }
    }

    /// What `ref` says of an unblessed one.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(inner) => {
                if inner.get().is_reference() {
                    "REF"
                } else {
                    "SCALAR"
                }
            }
            Self::Array(_) => "ARRAY",
            Self::Hash(_) => "HASH",
            Self::Code(_) => "CODE",
            Self::File(_) => "GLOB",
            Self::Pattern(_) => "Regexp",
            _ => "",
        }
    }

    pub(super) fn string(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Undef => 0.0,
            #[expect(clippy::cast_precision_loss, reason = "perl loses it as well")]
            Self::Int(number) => *number as f64,
            Self::Num(number) => *number,
            Self::Text(text) => numeric(text).0,
            Self::Errno(errno) => f64::from(errno.number()),
            Self::Place(own) => own.get().number(),
            #[expect(clippy::cast_precision_loss, reason = "an address")]
            other => other.address() as f64,
        }
    }

    /// Which thing a reference refers to.
    pub(super) fn address(&self) -> usize {
        match self {
            Self::Scalar(inner) | Self::Place(inner) => masked(Arc::as_ptr(inner).cast::<u8>()),
            Self::Array(inner) => masked(Arc::as_ptr(inner).cast::<u8>()),
            Self::Hash(inner) => masked(Arc::as_ptr(inner).cast::<u8>()),
            Self::Code(inner) => masked(Arc::as_ptr(inner).cast::<u8>()),
            Self::File(inner) => masked(Arc::as_ptr(inner).cast::<u8>()),
            _ => 0,
        }
    }

    /// As an integer, cut towards zero.
    pub(super) fn integer(&self) -> i64 {
        match self {
            Self::Int(number) => *number,
            Self::Text(_) => self.exact().unwrap_or_else(|| truncated(self.number())),
            other => truncated(other.number()),
        }
    }

    /// An integer if it is one exactly, for arithmetic.
    pub(super) fn exact(&self) -> Option<i64> {
        match self {
            Self::Undef => Some(0),
            Self::Int(number) => Some(*number),
            Self::Text(text) => std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok(),
            Self::Errno(errno) => Some(i64::from(errno.number())),
            Self::Place(own) => own.get().exact(),
            _ => None,
        }
    }
}

/// A float as perl's IV.
fn truncated(number: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, as perl's IV does"
    )]
    let whole = number as i64;
    whole
}

/// An address that tells nothing of the host's.
fn masked(pointer: *const u8) -> usize {
    0x5555_5500_0000 | (pointer.addr() & 0x00ff_ffff)
}
