//! Programs that make and use keys, hashes and ciphers: `ssh-keygen` of OpenSSH, `openssl`.

use sundew_kernel::program::Program;

mod key;
mod keygen;
mod openssl;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "openssl",
        run: |p| Box::pin(openssl::run(p)),
    },
    Program {
        name: "ssh-keygen",
        run: |p| Box::pin(keygen::run(p)),
    },
];
