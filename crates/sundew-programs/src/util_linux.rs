//! Programs of util-linux 2.38.1 that need no device.

use sundew_kernel::program::Program;

mod lscpu;
mod more;
mod rev;
mod setsid;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "lscpu",
        run: |p| Box::pin(lscpu::run(p)),
    },
    Program {
        name: "more",
        run: |p| Box::pin(more::run(p)),
    },
    Program {
        name: "rev",
        run: |p| Box::pin(rev::run(p)),
    },
    Program {
        name: "setsid",
        run: |p| Box::pin(setsid::run(p)),
    },
];

/// `less` comes from a package of its own, but without a terminal does what `more` does.
pub(crate) async fn less(proc: &mut sundew_kernel::Process) -> sundew_kernel::ExitStatus {
    more::run_less(proc).await
}
