//! Programs for archives and compression: tar, gzip, bzip2, xz.

use sundew_kernel::program::Program;

mod beside;
mod bzip2;
mod codec;
mod cpio;
mod deflate;
mod gzip;
mod tar;
mod xz;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "cpio",
        run: |p| Box::pin(cpio::run(p)),
    },
    Program {
        name: "tar",
        run: |p| Box::pin(tar::run(p)),
    },
    Program {
        name: "bzip2",
        run: |p| Box::pin(bzip2::run(p)),
    },
    Program {
        name: "xz",
        run: |p| Box::pin(xz::run(p)),
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
