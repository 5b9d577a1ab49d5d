//! Programs that speak to the network, or about it.

use sundew_kernel::program::Program;

mod curl;
pub(crate) mod http;
pub(crate) mod pipe;
mod wget;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "curl",
        run: |p| Box::pin(curl::run(p)),
    },
    Program {
        name: "wget",
        run: |p| Box::pin(wget::run(p)),
    },
];
