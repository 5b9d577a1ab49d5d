//! Programs that speak to the network, or about it.

use sundew_kernel::program::Program;

pub(crate) mod http;
pub(crate) mod pipe;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[];
