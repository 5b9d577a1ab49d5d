//! true(1) and false(1).

use sundew_kernel::{ExitStatus, Process};

use super::about;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    answer(proc, "true", 0).await
}

pub(crate) async fn run_false(proc: &mut Process) -> ExitStatus {
    answer(proc, "false", 1).await
}

async fn answer(proc: &mut Process, name: &str, status: u8) -> ExitStatus {
    proc.set_status(status);
    match proc.args() {
        [_, only] if only == b"--help" => about::run(proc, "help", name).await,
        [_, only] if only == b"--version" => about::run(proc, "version", name).await,
        _ => proc.status(),
    }
}
