//! To be written.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    Ok(shell.builtin_error(proc, args, "not yet", 1).await)
}
