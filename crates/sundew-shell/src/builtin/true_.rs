//! `:`, `true`, `false`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(_shell: &mut Shell, _proc: &mut Process, _args: &[Vec<u8>]) -> Answer {
    Ok(0)
}

pub(super) async fn run_false(
    _shell: &mut Shell,
    _proc: &mut Process,
    _args: &[Vec<u8>],
) -> Answer {
    Ok(1)
}
