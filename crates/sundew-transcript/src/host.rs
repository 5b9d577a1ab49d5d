//! This computer's own bash as a [`System`]: where transcripts come from.
//!
//! Commands run for real, as whoever runs the test, in a fresh temporary directory that is also
//! their home. Nothing else is fenced off: a transcript that changes the system carries
//! `# oracle: no, REASON` and is not replayed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::task::{Context, Poll, Waker};

use tempfile::TempDir;

use crate::session::{self, Check, Command, Output, Session, System};

/// How long one command may run, in seconds; then it is killed and its status is 124.
pub const MAX_SECONDS: u32 = 20;

/// Most bytes kept of each stream of one command; the rest is not read.
pub const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// A temporary directory and the shell to run in it.
#[derive(Debug)]
pub struct HostBash {
    home: TempDir,
    streams: TempDir,
}

impl HostBash {
    /// Makes the directories; both are gone when the value is dropped.
    ///
    /// # Errors
    ///
    /// When the system's temporary directory cannot be written.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            home: TempDir::new()?,
            streams: TempDir::new()?,
        })
    }

    fn run_now(&self, command: Command<'_>) -> io::Result<Output> {
        // Files, not pipes: a job left in the background would hold a pipe open for ever.
        let path = |name: &str| self.streams.path().join(name);
        fs::write(path("stdin"), command.stdin)?;
        let status = std::process::Command::new("timeout")
            .args(["-k", "1", &MAX_SECONDS.to_string(), "bash", "-c"])
            .arg(OsStr::from_bytes(command.text))
            .env_clear()
            .env("HOME", self.home.path())
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(self.home.path())
            .stdin(File::open(path("stdin"))?)
            .stdout(Stdio::from(File::create(path("stdout"))?))
            .stderr(Stdio::from(File::create(path("stderr"))?))
            .status()?;
        Ok(Output {
            stdout: read_start(&path("stdout"))?,
            stderr: read_start(&path("stderr"))?,
            status: status
                .code()
                .or_else(|| status.signal().map(|signal| 128 + signal))
                .unwrap_or(-1),
        })
    }
}

impl System for HostBash {
    async fn run(&mut self, command: Command<'_>) -> io::Result<Output> {
        self.run_now(command)
    }
}

/// Replays one file on the real shell, or nothing if its head says `oracle: no`.
#[must_use]
pub fn check_file(file: &Path) -> Option<Check> {
    if let Ok(bytes) = fs::read(file)
        && let Ok(session) = Session::parse(&bytes)
        && session
            .head("oracle")
            .is_some_and(|value| value.starts_with("no"))
    {
        return None;
    }
    let check = pin!(session::check_file(
        file,
        async |_: &Session| HostBash::new()
    ));
    // Nothing in it waits: the shell is run to its end before the future returns.
    match check.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(check) => Some(check),
        Poll::Pending => None,
    }
}

fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(
        &mut io::Read::take(File::open(path)?, MAX_OUTPUT_BYTES),
        &mut bytes,
    )?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, stdin: &str) -> Output {
        let command = Command {
            text: text.as_bytes(),
            stdin: stdin.as_bytes(),
        };
        HostBash::new().unwrap().run_now(command).unwrap()
    }

    #[test]
    fn streams_and_status_come_apart() {
        let output = run("cat; echo err >&2; exit 7", "in\n");
        assert_eq!(
            output,
            Output {
                stdout: b"in\n".to_vec(),
                stderr: b"err\n".to_vec(),
                status: 7
            }
        );
    }

    #[test]
    fn files_survive_from_step_to_step_and_variables_do_not() {
        let bash = HostBash::new().unwrap();
        let run = |text: &str| {
            bash.run_now(Command {
                text: text.as_bytes(),
                stdin: b"",
            })
            .unwrap()
        };
        run("x=1; echo kept > f; cd /");
        assert_eq!(run("cat f; echo $x").stdout, b"kept\n\n");
    }

    #[test]
    fn a_job_left_in_the_background_holds_nothing_up() {
        assert_eq!(run("sleep 15 & echo here", "").stdout, b"here\n");
    }
}
