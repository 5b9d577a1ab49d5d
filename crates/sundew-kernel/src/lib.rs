//! A small Unix: processes, descriptors, pipes, signals, terminals, budgets.
//!
//! A [`Machine`] is a handle; the [`Scheduler`](scheduler::Scheduler) that comes with it is the one future that polls every
//! process of that machine. Dropping it ends them all. Nothing in here touches the host: the clock,
//! the network, the place where observations go and the programs are handed over in
//! [`machine::Config`].
//!
//! Start with [`process::Process`]: it is everything a program can see.
//!
//! | module | what it holds |
//! |---|---|
//! | [`machine`] | one machine: its configuration, its doors (terminals, pipes), its process table |
//! | [`scheduler`] | the machine's future, its CPU share, the task around each process |
//! | [`process`] | what a program can ask for: the system calls |
//! | [`program`] | the program table: which function runs which executable |
//! | [`descriptor`], [`pipe`], [`tty`], [`device`] | what a descriptor can refer to |
//! | [`signal`], [`status`] | signals, dispositions and wait statuses |
//! | [`budget`], [`rlimit`] | the limits of one machine, and those a process sets itself |
//! | [`procfs`] | `/proc` and `/dev/pts`, derived from the process table |
//! | [`socket`] | the sockets that its users can list |
//! | [`journal`] | what daemons and the kernel say |
//! | [`facts`], [`clock`], [`network`], [`secure_shell`], [`observe`] | what is handed in from outside |
//! | [`executable`] | how an executable file names its program |

mod allowance;
pub mod aside;
pub mod budget;
pub mod clock;
pub mod descriptor;
pub mod device;
pub mod environment;
pub mod executable;
pub mod facts;
pub mod journal;
mod load;
pub mod machine;
pub mod network;
pub mod observe;
mod own_host;
pub mod pipe;
pub mod process;
pub mod procfs;
pub mod program;
pub mod rlimit;
pub mod scheduler;
pub mod secure_shell;
pub mod signal;
pub mod socket;
pub mod status;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tty;
mod wait_queue;

#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod machine_tests;
#[cfg(test)]
mod pipe_tests;
#[cfg(test)]
mod rlimit_tests;
#[cfg(test)]
mod schedule_tests;

pub use machine::Machine;
pub use process::Process;
pub use signal::Signal;
pub use status::ExitStatus;
pub use sundew_vfs::Errno;

/// A process, process group or session number.
pub type Pid = u32;
/// A descriptor number.
pub type Fd = u32;
/// Standard input.
pub const STDIN: Fd = 0;
/// Standard output.
pub const STDOUT: Fd = 1;
/// Standard error.
pub const STDERR: Fd = 2;

/// Locks a mutex whose holder cannot have left it half-changed: every critical section here is
/// short and does not panic, so a poisoned lock still guards a sound value.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
