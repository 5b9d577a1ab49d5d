//! Commands for `/bin/sh -c`: system(3) and popen(3).

use sundew_kernel::process::{Spawn, WaitFor};
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{Errno, ExitStatus, Fd, Pid, Process, STDIN, STDOUT};

/// A command at the other end of a pipe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipe {
    /// Our end.
    pub(crate) fd: Fd,
    pid: Pid,
}

/// Starts `/bin/sh -c command`.
fn start(proc: &Process, command: &[u8]) -> Result<Pid, Errno> {
    // mawk starts the shell by its whole path, the C library by its name.
    let name: &[u8] = match proc.base_name() {
        b"awk" | b"mawk" | b"nawk" => b"/bin/sh",
        _ => b"sh",
    };
    proc.spawn(Spawn {
        path: b"/bin/sh".to_vec(),
        args: vec![name.to_vec(), b"-c".to_vec(), command.to_vec()],
        env: proc.env().clone(),
    })
}

/// Waits for a child to end.
pub(crate) async fn wait(proc: &Process, pid: Pid) -> ExitStatus {
    loop {
        match proc.wait(WaitFor::Pid(pid), false, true).await {
            Ok(Some((_, ChildEvent::Ended(status)))) => return status,
            Ok(_) | Err(Errno::Eintr) => {}
            Err(_) => return ExitStatus::Exited(127),
        }
    }
}

/// Runs a command with our own descriptors: system(3).
///
/// # Errors
///
/// Whatever fork(2) and execve(2) answer.
pub(crate) async fn system(proc: &Process, command: &[u8]) -> Result<ExitStatus, Errno> {
    let pid = start(proc, command)?;
    Ok(wait(proc, pid).await)
}

/// Starts a command whose output, or with `write` whose input, is a pipe: popen(3).
///
/// # Errors
///
/// Whatever pipe(2), fork(2) and execve(2) answer.
pub(crate) fn open(proc: &Process, command: &[u8], write: bool) -> Result<Pipe, Errno> {
    let (read_end, write_end) = proc.pipe()?;
    let (ours, theirs, place) = if write {
        (write_end, read_end, STDIN)
    } else {
        (read_end, write_end, STDOUT)
    };
    let result = redirected(proc, command, theirs, place, ours);
    let closed = proc.close(theirs);
    match (result, closed) {
        (Ok(pid), Ok(())) => Ok(Pipe { fd: ours, pid }),
        (Err(errno), _) | (_, Err(errno)) => {
            proc.close(ours)?;
            Err(errno)
        }
    }
}

fn redirected(
    proc: &Process,
    command: &[u8],
    theirs: Fd,
    place: Fd,
    ours: Fd,
) -> Result<Pid, Errno> {
    // A child inherits what we have open: our place is lent to the pipe while it is started.
    proc.set_close_on_exec(ours, true)?;
    proc.set_close_on_exec(theirs, true)?;
    let saved = proc.duplicate_from(place, 10).ok();
    if let Some(saved) = saved {
        proc.set_close_on_exec(saved, true)?;
    }
    proc.duplicate_to(theirs, place)?;
    let result = start(proc, command);
    match saved {
        Some(saved) => {
            proc.duplicate_to(saved, place)?;
            proc.close(saved)?;
        }
        None => proc.close(place)?,
    }
    result
}

/// Closes a pipe and waits for its command: pclose(3).
pub(crate) async fn close(proc: &Process, pipe: Pipe) -> ExitStatus {
    // It was open; the command's end is what counts.
    let _closed = proc.close(pipe.fd);
    wait(proc, pipe.pid).await
}

/// What a command prints.
///
/// # Errors
///
/// As [`open`], and what reading answers.
pub(crate) async fn output_of(proc: &Process, command: &[u8]) -> Result<Vec<u8>, Errno> {
    let pipe = open(proc, command, false)?;
    let result = proc.read_to_end(pipe.fd).await;
    close(proc, pipe).await;
    result.map(|(bytes, _memory)| bytes)
}
