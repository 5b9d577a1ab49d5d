//! Programs for text: grep, sed, mawk, findutils, diffutils, file, less.

use sundew_kernel::program::Program;

mod awk;
mod cmp;
pub(crate) mod command;
mod diff;
mod file;
mod find;
mod grep;
pub(crate) mod input;
mod pattern_check;
mod perl;
mod sed;
pub(crate) mod shell;
#[cfg(test)]
pub(crate) mod testing;
mod xargs;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "grep",
        run: |p| Box::pin(grep::run(p)),
    },
    Program {
        name: "egrep",
        run: |p| Box::pin(grep::run_extended(p)),
    },
    Program {
        name: "fgrep",
        run: |p| Box::pin(grep::run_fixed(p)),
    },
    Program {
        name: "sed",
        run: |p| Box::pin(sed::run(p)),
    },
    Program {
        name: "mawk",
        run: |p| Box::pin(awk::run(p)),
    },
    Program {
        name: "find",
        run: |p| Box::pin(find::run(p)),
    },
    Program {
        name: "perl",
        run: |p| Box::pin(perl::run(p)),
    },
    Program {
        name: "xargs",
        run: |p| Box::pin(xargs::run(p)),
    },
    Program {
        name: "cmp",
        run: |p| Box::pin(cmp::run(p)),
    },
    Program {
        name: "lessecho",
        run: |p| Box::pin(crate::util_linux::lessecho(p)),
    },
    Program {
        name: "less",
        run: |p| Box::pin(crate::util_linux::less(p)),
    },
    Program {
        name: "nano",
        run: |p| Box::pin(crate::screen::nano::run(p)),
    },
    Program {
        name: "file",
        run: |p| Box::pin(file::run(p)),
    },
    Program {
        name: "diff",
        run: |p| Box::pin(diff::run(p)),
    },
];
