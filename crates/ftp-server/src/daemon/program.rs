//! Programs of the operator: run with a deadline, with bounded output, and never with a client's bytes
//! on their command line.

use std::ffi::OsStr;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::helper::Helper;

/// A program and its arguments, as the configuration names them.
#[derive(Clone, Debug)]
pub struct Program {
    path: String,
    arguments: Vec<String>,
    /// The helper that runs it, and its number there.
    helper: Option<(Helper, usize)>,
}

/// Who runs programs.
#[derive(Clone, Debug, Default)]
pub enum Runner {
    /// This process.
    #[default]
    Here,
    /// A process that was started before files were given up, for programs it was told of then.
    Helper(Helper),
}

impl Runner {
    /// Whether only programs that were known at the start can be run.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::Helper(_))
    }
}

/// A program that has ended in time.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// The first [`MAX_OUTPUT_BYTES`] of its standard output.
    pub stdout: Vec<u8>,
}

impl Finished {
    /// The output of a success.
    ///
    /// # Errors
    ///
    /// If it was none.
    pub fn output(self) -> io::Result<Vec<u8>> {
        if self.status.success() {
            Ok(self.stdout)
        } else {
            Err(io::Error::other(format!("program: {}", self.status)))
        }
    }
}

impl Program {
    /// `None` for an empty line.
    #[must_use]
    pub fn new(line: &[String], runner: &Runner) -> Option<Self> {
        let (path, arguments) = line.split_first()?;
        let helper = match runner {
            Runner::Here => None,
            // A number that is none is answered with an error, each time.
            Runner::Helper(helper) => {
                Some((helper.clone(), helper.find(line).unwrap_or(usize::MAX)))
            }
        };
        Some(Self {
            path: path.clone(),
            arguments: arguments.to_vec(),
            helper,
        })
    }

    /// The file that is run.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Runs it with this environment and nothing else but `PATH`, and these bytes as its input; its
    /// standard error is ours. Dropping the future kills it.
    ///
    /// # Errors
    ///
    /// The system's; [`io::ErrorKind::TimedOut`] after the time, and it is killed.
    pub async fn run(
        &self,
        environment: &[(&str, &OsStr)],
        input: Vec<u8>,
        time: Duration,
    ) -> io::Result<Finished> {
        if let Some((helper, number)) = &self.helper {
            return helper.run(*number, environment, input, time).await;
        }
        let mut child = Command::new(&self.path)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path)))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let talk = async {
            let write = async {
                if let Some(mut stdin) = stdin {
                    // A program need not read; then the pipe breaks, and its answer counts.
                    if let Err(error) = stdin.write_all(&input).await {
                        tracing::debug!(%error, "input not read");
                    }
                }
            };
            let read = async {
                let mut output = Vec::new();
                if let Some(stdout) = stdout {
                    let mut stdout = stdout.take(MAX_OUTPUT_BYTES);
                    stdout.read_to_end(&mut output).await?;
                }
                io::Result::Ok(output)
            };
            let ((), output) = tokio::join!(write, read);
            let stdout = output?;
            let status = child.wait().await?;
            Ok(Finished { status, stdout })
        };
        match timeout(time, talk).await {
            Ok(result) => result,
            Err(_) => {
                let text = format!("{}: no end after {time:?}", self.path);
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
        }
    }
}

/// Most output of a program that is read; one that writes more gets a broken pipe.
pub const MAX_OUTPUT_BYTES: u64 = 65_536;

/// Where programs look for others; what our own start had is none of their business.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn shell(script: &str) -> Program {
        let line = ["/bin/sh", "-c", script].map(str::to_owned);
        Program::new(&line, &Runner::Here).unwrap()
    }

    #[tokio::test]
    async fn a_program_sees_its_input_and_the_environment_it_is_given_and_nothing_else() {
        let program = shell("cat; echo \" $FTP_USER\"; env | grep -c ^CARGO; exit 3");
        let environment = [("FTP_USER", OsStr::new("anna; echo no"))];
        let run = program.run(&environment, b"hello".to_vec(), 20 * SECOND);
        let finished = run.await.unwrap();
        assert_eq!(finished.stdout, b"hello anna; echo no\n0\n");
        assert_eq!(finished.status.code(), Some(3));
        assert!(finished.output().is_err());
    }

    #[tokio::test]
    async fn one_that_does_not_read_or_writes_for_ever_or_hangs_does_no_harm() {
        let program = shell("echo done");
        let run = program.run(&[], vec![0; 1 << 20], 20 * SECOND).await;
        assert_eq!(run.unwrap().stdout, b"done\n");
        let program = shell("while echo xxxxxxxxxxxxxxxx; do :; done");
        let run = program.run(&[], vec![], 20 * SECOND).await;
        assert_eq!(run.unwrap().stdout.len() as u64, MAX_OUTPUT_BYTES);
        let program = shell("exec sleep 600");
        let run = program.run(&[], vec![], SECOND / 20).await;
        assert_eq!(run.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let none = Program::new(&["/nonexistent".to_owned()], &Runner::Here).unwrap();
        let error = none.run(&[], vec![], SECOND).await.unwrap_err();
        assert!(error.to_string().starts_with("/nonexistent: "));
    }
}
