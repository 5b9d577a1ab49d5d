//! The editing of one line.

/// What one line leaves to the next.
#[derive(Debug, Clone, Default)]
pub struct Kept;
