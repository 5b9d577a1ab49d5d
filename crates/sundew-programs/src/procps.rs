//! The packages procps (4.0.2) and psmisc (23.6): processes and resources.

use sundew_kernel::program::Program;
use sundew_kernel::{ExitStatus, Process};

use crate::getopt::Error;

mod free;
mod fuser;
mod kill;
mod killall;
mod pgrep;
mod pidof;
mod ps;
mod pstree;
mod pwdx;
mod sysctl;
mod top;
mod uptime;
mod vmstat;
mod w;
mod watch;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "free",
        run: |p| Box::pin(free::run(p)),
    },
    Program {
        name: "fuser",
        run: |p| Box::pin(fuser::run(p)),
    },
    Program {
        name: "pwdx",
        run: |p| Box::pin(pwdx::run(p)),
    },
    Program {
        name: "kill",
        run: |p| Box::pin(kill::run(p)),
    },
    Program {
        name: "killall",
        run: |p| Box::pin(killall::run(p)),
    },
    Program {
        name: "pgrep",
        run: |p| Box::pin(pgrep::run(p)),
    },
    Program {
        name: "killall5",
        run: |p| Box::pin(pidof::run(p)),
    },
    Program {
        name: "ps",
        run: |p| Box::pin(ps::run(p)),
    },
    Program {
        name: "pstree",
        run: |p| Box::pin(pstree::run(p)),
    },
    Program {
        name: "sysctl",
        run: |p| Box::pin(sysctl::run(p)),
    },
    Program {
        name: "top",
        run: |p| Box::pin(top::run(p)),
    },
    Program {
        name: "uptime",
        run: |p| Box::pin(uptime::run(p)),
    },
    Program {
        name: "vmstat",
        run: |p| Box::pin(vmstat::run(p)),
    },
    Program {
        name: "w",
        run: |p| Box::pin(w::run(p)),
    },
    Program {
        name: "watch",
        run: |p| Box::pin(watch::run(p)),
    },
];

/// Sections `=== NAME`, each followed by what `NAME --help` prints.
const HELP: &str = include_str!("procps/help.txt");

/// What `--help` prints.
fn help(name: &str) -> &'static [u8] {
    let section = HELP
        .split("=== ")
        .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    section.unwrap_or_default().as_bytes()
}

/// Prints the help text; status 0.
async fn print_help(proc: &mut Process, name: &str) -> ExitStatus {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(help(name)).await;
    proc.status()
}

/// Prints the help text as a complaint; status 1.
async fn refuse(proc: &mut Process, name: &str, error: Option<&Error>) -> ExitStatus {
    if let Some(error) = error {
        proc.complain_text(error.text()).await;
    }
    proc.print_error(help(name)).await;
    ExitStatus::FAILURE
}

/// `NAME from procps-ng 4.0.2`.
async fn print_version(proc: &mut Process, name: &str) -> ExitStatus {
    let _closed = proc
        .print(format!("{name} from procps-ng 4.0.2\n").as_bytes())
        .await;
    proc.status()
}

/// A whole number, nothing around it.
fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A signal by number or name; `Some(None)` for 0, which only asks.
fn signal_of(name: &[u8]) -> Option<Option<sundew_kernel::Signal>> {
    match number::<u32>(name) {
        Some(0) => Some(None),
        Some(number) => sundew_kernel::Signal::from_number(number).map(Some),
        None => sundew_kernel::Signal::from_name(name).map(Some),
    }
}
