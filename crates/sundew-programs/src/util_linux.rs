//! Programs of this origin.

use sundew_kernel::program::Program;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[];
