//! `ftpget` and `ftpput`: the transfer is a task of its own that outlives the program, so that a
//! sample is kept whole when whoever asked for it leaves.
//!
//! ```text
//!  engine (on the network)                program (a process)
//!  ftp_client::busybox::ftpget   ──call──▶  serves: prints, opens, writes, reads
//!   └ every piece also to the capture ◀─answer──┘
//! ```
//!
//! When the program is gone, calls succeed without doing anything and the download goes on.

use std::sync::Arc;

use ftp_client::busybox::{BROKEN_PIPE, ftpget, ftpput};
use sundew_kernel::network::Network;
use sundew_kernel::observe::Observer;
use sundew_kernel::{Errno, ExitStatus, Process};
use tokio::sync::mpsc;

use self::call::Call;
use self::dial::Door;
use self::host::Engine;

mod call;
mod dial;
mod host;
mod serve;
#[cfg(test)]
mod tests;

/// Calls that may wait for the program: one piece being written and one behind it.
const PENDING_CALLS: usize = 2;

/// `ftpget`.
pub(super) async fn get(proc: &mut Process) -> ExitStatus {
    run(proc, Applet::Get).await
}

/// `ftpput`.
pub(super) async fn put(proc: &mut Process) -> ExitStatus {
    run(proc, Applet::Put).await
}

#[derive(Debug, Clone, Copy)]
enum Applet {
    Get,
    Put,
}

async fn run(proc: &mut Process, applet: Applet) -> ExitStatus {
    let order = Order {
        applet,
        args: proc.args().get(1..).unwrap_or_default().to_vec(),
        network: proc.network(),
        observer: proc.observer(),
    };
    let (calls, mut inbox) = mpsc::channel(PENDING_CALLS);
    let transfer = Box::pin(order.clone().carry_out(calls));
    let status = match proc.network().run_transfer(transfer) {
        Ok(()) => serve::serve(proc, &mut inbox).await,
        // Too many already outlive their programs: this one ends with its own.
        Err(_) => {
            let (calls, mut inbox) = mpsc::channel(PENDING_CALLS);
            let engine = order.carry_out(calls);
            futures_util::future::join(engine, serve::serve(proc, &mut inbox))
                .await
                .1
        }
    };
    match status {
        Some(BROKEN_PIPE) => super::broken_pipe(proc).await,
        Some(status) => ExitStatus::Exited(status),
        // The network dropped the transfer: it took too long.
        None => super::complain(proc, applet.name(), Errno::Etimedout.message()).await,
    }
}

impl Applet {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "ftpget",
            Self::Put => "ftpput",
        }
    }
}

/// A transfer that somebody asked for.
#[derive(Clone)]
struct Order {
    applet: Applet,
    args: Vec<Vec<u8>>,
    network: Arc<dyn Network>,
    observer: Arc<dyn Observer>,
}

impl Order {
    async fn carry_out(self, calls: mpsc::Sender<Call>) {
        let mut engine = Engine::new(calls, self.observer);
        let door = Door(self.network);
        let status = match self.applet {
            Applet::Get => ftpget(&door, &mut engine, &self.args).await,
            Applet::Put => ftpput(&door, &mut engine, &self.args).await,
        };
        engine.finish(status).await;
    }
}
