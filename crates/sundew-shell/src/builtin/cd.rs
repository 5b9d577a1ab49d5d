//! `cd`.

use sundew_kernel::{Errno, Process};
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::shell::Shell;

impl Shell {
    /// `$PWD` if it is right, else what the kernel says.
    pub(crate) fn current_directory(
        &self,
        proc: &Process,
        physical: bool,
    ) -> Result<Vec<u8>, Errno> {
        let real = proc.directory();
        if !physical
            && let Some(logical) = self.variables.scalar(b"PWD")
            && logical.starts_with(b"/")
            && let (Ok(logical_at), Ok(here)) = (proc.stat(logical), proc.stat(b"."))
            && (logical_at.ino, logical_at.dev) == (here.ino, here.dev)
        {
            return Ok(logical.to_vec());
        }
        real
    }

    /// Changes the directory and `$PWD`, `$OLDPWD`.
    ///
    /// # Errors
    ///
    /// Whatever chdir(2) answers.
    pub(crate) fn change_directory(
        &mut self,
        proc: &Process,
        target: &[u8],
        physical: bool,
    ) -> Result<Vec<u8>, Errno> {
        let mut before = self.current_directory(proc, false).ok();
        if before.is_none() && !self.is_bash() {
            // Of a directory that was removed the others remember the name.
            before = self.variables.scalar(b"PWD").map(<[u8]>::to_vec);
        }
        let logical = if target.starts_with(b"/") {
            normalise(target)
        } else {
            normalise(&[before.as_deref().unwrap_or(b"/"), b"/", target].concat())
        };
        // `cd link/..` goes back to where the link is, unless that leads nowhere.
        if physical || target.is_empty() || proc.change_directory(&logical).is_err() {
            proc.change_directory(target)?;
        }
        let now = if physical { proc.directory()? } else { logical };
        if let Some(before) = before {
            self.set_directory_variable(b"OLDPWD", before);
        }
        self.set_directory_variable(b"PWD", now.clone());
        Ok(now)
    }

    fn set_directory_variable(&mut self, name: &[u8], value: Vec<u8>) {
        self.variables.set_own(name, value);
        if self.is_bash() {
            self.variables
                .modify(name, |variable| variable.attributes.exported = true);
        }
    }
}

/// Resolves `.` and `..` by text. Two slashes at the beginning stay two: POSIX leaves open what they mean.
fn normalise(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let two = path.starts_with(b"//") && !path.starts_with(b"///");
    let root: &[u8] = if two { b"//" } else { b"/" };
    [root, &parts.join(&b'/')].concat()
}

/// Whether links are followed at once, and the operands; or what is no option.
fn options(args: &[Vec<u8>], usual: bool) -> Result<(bool, &[Vec<u8>]), &[u8]> {
    let mut physical = usual;
    let mut rest = args.get(1..).unwrap_or_default();
    while let Some((option, after)) = rest.split_first() {
        match option.as_slice() {
            b"-L" | b"-eL" => physical = false,
            b"-P" | b"-Pe" | b"-eP" => physical = true,
            b"-e" => {}
            b"--" => return Ok((physical, after)),
            option if option.starts_with(b"-") && option.len() > 1 => return Err(option),
            _ => break,
        }
        rest = after;
    }
    Ok((physical, rest))
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.is_restricted() {
        return Ok(shell.builtin_error(proc, args, "restricted", 1).await);
    }
    let usual = shell.options.is_set("physical");
    let (physical, rest) = match options(args, usual) {
        Ok(read) => read,
        Err(option) => {
            let usage = "cd: usage: cd [-L|[-P [-e]] [-@]] [dir]";
            return Ok(shell.invalid_option(proc, args, option, usage).await);
        }
    };
    if rest.len() > 1 && shell.is_bash() {
        return Ok(shell
            .builtin_error(proc, args, "too many arguments", 1)
            .await);
    }
    let mut show = false;
    let target = match rest.first().map(Vec::as_slice) {
        None => match shell.variables.scalar(b"HOME") {
            Some(home) => home.to_vec(),
            None if shell.is_bash() => {
                return Ok(shell.builtin_error(proc, args, "HOME not set", 1).await);
            }
            None => return Ok(0),
        },
        Some(b"-") => match shell.variables.scalar(b"OLDPWD") {
            Some(old) => {
                show = true;
                old.to_vec()
            }
            None if shell.is_bash() => {
                return Ok(shell.builtin_error(proc, args, "OLDPWD not set", 1).await);
            }
            // The others stay where they are, and say so.
            None => {
                show = true;
                shell.current_directory(proc, false).unwrap_or_default()
            }
        },
        Some(target) => target.to_vec(),
    };
    if target.is_empty() {
        if shell.is_bash()
            && let Ok(here) = shell.current_directory(proc, physical)
        {
            // Nowhere is here.
            shell.set_directory_variable(b"OLDPWD", here);
        }
        return Ok(0);
    }
    let result = match from_cdpath(shell, proc, &target, physical) {
        Some(found) => {
            show = true;
            Ok(found)
        }
        None => shell.change_directory(proc, &target, physical),
    };
    let named = shell.variables.scalar(&target).filter(|_| result.is_err());
    let result = match named.map(<[u8]>::to_vec) {
        Some(named) if shell.options.shopt("cdable_vars") => {
            show = true;
            shell.change_directory(proc, &named, physical).or(result)
        }
        _ => result,
    };
    match result {
        Ok(now) => {
            if show {
                let _checked_at_flush = proc.print(&[now.as_slice(), b"\n"].concat()).await;
            }
            Ok(0)
        }
        Err(errno) => failed(shell, proc, args, &target, errno).await,
    }
}

async fn failed(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    target: &[u8],
    errno: Errno,
) -> Answer {
    let words = errno.message().as_bytes();
    let (text, status) = match shell.dialect {
        Dialect::Bash => ([target, b": ", words].concat(), 1),
        Dialect::Dash => ([b"can't cd to ".as_slice(), target].concat(), 2),
        Dialect::Ash => (
            [b"can't cd to ".as_slice(), target, b": ", words].concat(),
            2,
        ),
    };
    Ok(shell.builtin_error(proc, args, text, status).await)
}

/// A directory below one of `$CDPATH`.
fn from_cdpath(
    shell: &mut Shell,
    proc: &Process,
    target: &[u8],
    physical: bool,
) -> Option<Vec<u8>> {
    if target.starts_with(b"/")
        || target.starts_with(b"./")
        || target.starts_with(b"../")
        || matches!(target, b"." | b"..")
    {
        return None;
    }
    let path = shell.variables.scalar(b"CDPATH")?.to_vec();
    for directory in path
        .split(|&byte| byte == b':')
        .filter(|directory| !directory.is_empty())
    {
        if let Ok(now) = shell.change_directory(proc, &[directory, b"/", target].concat(), physical)
        {
            return Some(now);
        }
    }
    None
}
