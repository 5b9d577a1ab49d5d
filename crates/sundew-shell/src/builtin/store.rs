//! How builtins assign to variables that their caller names: `read x`, `printf -v a[1]`.

use sundew_kernel::Process;

use super::Answer;
use crate::expand::parameter::split_index;
use crate::shell::Shell;
use crate::variable::is_name;

/// Whether `target` is a name or, in bash, a name with an index.
pub(super) fn is_target(shell: &Shell, target: &[u8]) -> bool {
    let (name, index) = split_index(target);
    is_name(name) && index.is_none_or(|index| shell.is_bash() && !index.is_empty())
}

/// Assigns to a name or an element. A variable that may not be changed is complained of and fails the
/// builtin, not the shell: status 1.
pub(super) async fn store(shell: &mut Shell, proc: &mut Process, target: &[u8], value: Vec<u8>) -> Answer {
    let (name, index) = split_index(target);
    if !is_writable(shell, proc, name).await {
        return Ok(1);
    }
    match index {
        Some(index) => shell.assign_element(proc, name, index, value).await?,
        None => shell.assign(proc, name, value).await?,
    }
    Ok(0)
}

/// Whether a variable may be changed; if not, that was complained of.
pub(super) async fn is_writable(shell: &Shell, proc: &mut Process, name: &[u8]) -> bool {
    if !shell.variables.variable(name).is_some_and(|variable| variable.attributes.readonly) {
        return true;
    }
    let text: &[u8] = if shell.is_bash() { b": readonly variable" } else { b": is read only" };
    shell.complain(proc, [name, text].concat()).await;
    false
}
