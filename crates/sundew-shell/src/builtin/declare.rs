//! To be written.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    Ok(shell.builtin_error(proc, args, "not yet", 1).await)
}

pub(super) async fn run_export(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    Ok(shell.builtin_error(proc, args, "not yet", 1).await)
}

pub(super) async fn run_local(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    Ok(shell.builtin_error(proc, args, "not yet", 1).await)
}

pub(super) async fn run_readonly(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    Ok(shell.builtin_error(proc, args, "not yet", 1).await)
}

impl Shell {
    /// `${name@a}`
    pub(crate) fn attribute_letters(&self, _name: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    /// `${name@A}`
    pub(crate) fn declaration(&self, _name: &[u8], _short: bool) -> Vec<u8> {
        Vec::new()
    }
}
