//! Programs for archives and compression: tar, gzip.

use sundew_kernel::program::Program;

mod deflate;
mod gzip;
mod tar;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "tar",
        run: |p| Box::pin(tar::run(p)),
    },
    Program {
        name: "gzip",
        run: |p| Box::pin(gzip::run(p)),
    },
    Program {
        name: "gunzip",
        run: |p| Box::pin(gzip::run_decompress(p)),
    },
    Program {
        name: "zcat",
        run: |p| Box::pin(gzip::run_cat(p)),
    },
];
