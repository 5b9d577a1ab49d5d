//! Starting and ending what a unit runs.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::journal::facility::{AUTH, DAEMON};
use sundew_kernel::{ExitStatus, Pid, Process, STDERR, STDIN, STDOUT, Signal};

use super::running;
use super::unit::Unit;

/// What systemd says of a unit.
fn say(proc: &Process, before: &str, unit: &Unit, after: &str) {
    let text = [
        before.as_bytes(),
        &unit.name,
        b" - ",
        &unit.description(),
        after.as_bytes(),
    ];
    proc.log_as(DAEMON, 6, b"systemd", text.concat(), b"init.scope");
}

/// What sshd says when it begins and ends; others say nothing.
fn sshd(proc: &Process, unit: &Unit, texts: &[&str]) {
    if unit.name == b"ssh.service" {
        for text in texts {
            proc.log_as(AUTH, 6, b"sshd", text.as_bytes().to_vec(), &unit.name);
        }
    }
}

/// Ends what a unit runs; a unit that does not run is no error.
pub(super) async fn stop(proc: &mut Process, unit: &Unit) -> u8 {
    let Some((pid, _)) = running(proc, unit).await else {
        return 0;
    };
    say(proc, "Stopping ", unit, "...");
    sshd(proc, unit, &["Received signal 15; terminating."]);
    let _gone = proc.kill(pid, Some(Signal::TERM));
    let text = [unit.name.as_slice(), b": Deactivated successfully."].concat();
    proc.log_as(DAEMON, 6, b"systemd", text, b"init.scope");
    say(proc, "Stopped ", unit, ".");
    0
}

/// Runs the command of a unit as systemd does: in a session of its own, without a terminal. A daemon that
/// the machine booted with comes back as it was.
pub(super) async fn start(proc: &mut Process, unit: &Unit) -> u8 {
    if running(proc, unit).await.is_some() {
        return 0;
    }
    let Some(command) = unit.values(b"ExecStart").last().map(<[u8]>::to_vec) else {
        return 0;
    };
    let command = command.trim_ascii_start();
    let command = command.strip_prefix(b"-").unwrap_or(command).to_vec();
    say(proc, "Starting ", unit, "...");
    let path = command
        .split(u8::is_ascii_whitespace)
        .next()
        .unwrap_or_default()
        .to_vec();
    let there = proc.stat(&path).is_ok_and(|meta| meta.mode & 0o111 != 0);
    if there && let Ok(Some(pid)) = proc.start_daemon(&path) {
        sshd(
            proc,
            unit,
            &[
                "Server listening on 0.0.0.0 port 22.",
                "Server listening on :: port 22.",
            ],
        );
        write_pid(proc, &path, pid).await;
        say(proc, "Started ", unit, ".");
        return 0;
    }
    fork(proc, command);
    say(proc, "Started ", unit, ".");
    0
}

/// The file with the daemon's number, where it has one.
async fn write_pid(proc: &mut Process, path: &[u8], pid: Pid) {
    let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let name: &[u8] = if base == b"cron" { b"crond" } else { base };
    let file = [b"/run/".as_slice(), name, b".pid"].concat();
    if proc.stat(&file).is_ok() {
        let _full = super::super::write(proc, &file, format!("{pid}\n").as_bytes(), 0o644).await;
    }
}

fn fork(proc: &Process, command: Vec<u8>) {
    // A machine that is full of processes starts no more; systemd says so in its log only.
    let _full = proc.fork(move |mut child| {
        Box::pin(async move {
            let _session = child.new_session();
            let _root = child.change_directory(b"/");
            let both = OpenFlags {
                write: true,
                ..OpenFlags::READ
            };
            if let Ok(null) = child.open(b"/dev/null", both, 0).await {
                for fd in [STDIN, STDOUT, STDERR] {
                    let _open = child.duplicate_to(null, fd);
                }
            }
            let env = child.env().clone();
            let line = [b"exec ".as_slice(), &command].concat();
            let args = vec![b"sh".to_vec(), b"-c".to_vec(), line];
            let _why = child.exec(b"/bin/sh", args, env).await;
            ExitStatus::Exited(203)
        })
    });
}
