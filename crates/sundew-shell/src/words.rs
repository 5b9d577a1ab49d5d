//! Words in memory that is paid for: a command's, a loop's, the positional parameters, file names.
//!
//! A variable may hold megabytes, and a line may name it thousands of times; what its words take is
//! charged to the machine while they live, and whoever has no room for more is killed, as the system
//! kills the process that takes too much.

use std::ops::{Deref, DerefMut};

use sundew_kernel::budget::Memory;
use sundew_kernel::{Errno, Process};

/// What a word takes beside its bytes: its place in the list and the allocator's share.
const WORD_BYTES: usize = 48;

/// Bytes that are not worth an account: most commands never open one.
const FREE_BYTES: usize = 4096;

/// Words between two looks at whether others are due.
const PER_TICK: usize = 64;

/// Memory held for something that grows.
#[derive(Debug, Default)]
pub struct Held {
    memory: Option<Memory>,
    paid: usize,
}

impl Held {
    /// Pays for `used` bytes in all, if that is noticeably more than was paid before.
    ///
    /// # Errors
    ///
    /// [`Errno::Enomem`]: the machine, or the process's own limit, has no room for it.
    pub fn pay(&mut self, proc: &Process, used: usize) -> Result<(), Errno> {
        if used <= self.paid.saturating_add(FREE_BYTES) {
            return Ok(());
        }
        let memory = self.memory.get_or_insert_with(|| proc.memory());
        memory.grow(used.saturating_sub(self.paid))?;
        self.paid = used;
        Ok(())
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Words {
    list: Vec<Vec<u8>>,
    used: usize,
    held: Held,
}

impl Words {
    /// No words.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of these.
    pub async fn copy(proc: &Process, words: &[Vec<u8>]) -> Self {
        let mut copy = Self::new();
        for word in words {
            copy.push(proc, word.clone()).await;
        }
        copy
    }

    /// A copy of these at once.
    ///
    /// # Errors
    ///
    /// [`Errno::Enomem`]: there is no room for it.
    pub fn try_copy(proc: &Process, words: &[Vec<u8>]) -> Result<Self, Errno> {
        let used = words.iter().map(|word| cost(word)).sum();
        let mut held = Held::default();
        held.pay(proc, used)?;
        Ok(Self {
            list: words.to_vec(),
            used,
            held,
        })
    }

    /// Adds a word. A process that has no memory for it is killed.
    pub async fn push(&mut self, proc: &Process, word: Vec<u8>) {
        self.used = self.used.saturating_add(cost(&word));
        if self.held.pay(proc, self.used).is_err() {
            proc.out_of_memory().await;
        }
        self.list.push(word);
        if self.list.len().is_multiple_of(PER_TICK) {
            proc.tick().await;
        }
    }

    /// Adds all of these.
    pub async fn append(&mut self, proc: &Process, words: Self) {
        for word in words.list {
            self.push(proc, word).await;
        }
    }

    /// The words, and what is to be held as long as they live.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Vec<u8>>, Held) {
        (self.list, self.held)
    }
}

/// Words that somebody else pays for.
impl From<Vec<Vec<u8>>> for Words {
    fn from(list: Vec<Vec<u8>>) -> Self {
        Self {
            list,
            ..Self::default()
        }
    }
}

impl Deref for Words {
    type Target = Vec<Vec<u8>>;
    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.list
    }
}

fn cost(word: &[u8]) -> usize {
    word.len().saturating_add(WORD_BYTES)
}
