//! What stands in front of the line to be typed.

use sundew_kernel::Process;

use crate::shell::Shell;

/// Which prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// Before a command.
    Ps1,
    /// Before the rest of a command.
    Ps2,
    /// In front of a command that `set -x` shows.
    Ps4,
    /// After a command was read.
    Ps0,
}

impl Shell {
    /// The prompt, its escapes and variables expanded.
    pub async fn prompt(&mut self, _proc: &mut Process, _kind: PromptKind) -> Vec<u8> {
        b"$ ".to_vec()
    }
}
