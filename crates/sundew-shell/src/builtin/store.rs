//! How builtins assign to variables that their caller names: `read x`, `printf -v a[1]`.

use sundew_kernel::Process;

use super::Answer;
use crate::expand::parameter::split_index;
use crate::shell::{Flow, Shell};
use crate::variable::is_name;

/// Whether `target` is a name or, in bash, a name with an index.
pub(super) fn is_target(shell: &Shell, target: &[u8]) -> bool {
    let (name, index) = split_index(target);
    is_name(name) && index.is_none_or(|index| shell.is_bash() && !index.is_empty())
}

/// Assigns to a name or an element for the builtin called with `args`. A variable that may not be
/// changed is complained of and fails the builtin, not the shell.
pub(super) async fn store(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    target: &[u8],
    value: Vec<u8>,
) -> Answer {
    let (name, index) = split_index(target);
    let status = check_writable(shell, proc, args, name).await;
    if status != 0 {
        return Ok(status);
    }
    match index {
        Some(index) => match shell.assign_element(proc, name, index, value).await {
            // A subscript that may not be is the builtin's failure.
            Err(Flow::Discard) if shell.is_bash() => return Ok(1),
            assigned => assigned?,
        },
        None => shell.assign(proc, name, value).await?,
    }
    Ok(0)
}

/// The status of a builtin that wants to change a variable; if it may not, that was complained of.
pub(super) async fn check_writable(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    name: &[u8],
) -> u8 {
    if !shell
        .variables
        .variable(name)
        .is_some_and(|variable| variable.attributes.readonly)
    {
        return 0;
    }
    if shell.is_bash() {
        shell
            .complain(proc, [name, b": readonly variable"].concat())
            .await;
        return 1;
    }
    shell
        .builtin_error(proc, args, [name, b": is read only"].concat(), 2)
        .await
}
