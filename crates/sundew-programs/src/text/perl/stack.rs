//! How much of the host's stack a recursion takes, measured and not guessed.

use std::hint::black_box;

/// Bytes that reading or compiling a program may take of a runtime thread's 2 MiB; what nests deeper is
/// refused. A debug build's frames are several times a release build's, so levels alone would not bound it.
const MAX_BYTES: usize = 640 << 10;

/// Where a recursion began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stack(usize);

impl Stack {
    /// Here.
    pub(super) fn here() -> Self {
        let marker = black_box(0_u8);
        Self(std::ptr::from_ref(&marker).addr())
    }

    /// Whether the recursion has taken all it may.
    pub(super) fn is_spent(self) -> bool {
        self.0.abs_diff(Self::here().0) > MAX_BYTES
    }
}
