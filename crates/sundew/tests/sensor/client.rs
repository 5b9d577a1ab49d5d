//! The real OpenSSH client, run within a time.

use std::process::{Output, Stdio};

use sundew_transcript::openssh::OpenSsh;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::sensor::{PATIENCE, Sensor};

pub(crate) struct Client(OpenSsh);

impl Client {
    pub(crate) fn of(sensor: &Sensor) -> Self {
        Self::with_passwords(sensor, &["toor"])
    }

    pub(crate) fn with_passwords(sensor: &Sensor, passwords: &[&str]) -> Self {
        Self(OpenSsh::new(sensor.address, passwords).unwrap())
    }

    /// `ssh` with these options, started, with pipes on all sides.
    pub(crate) fn start(&self, options: &[&str], command: &[&str]) -> Child {
        Command::from(self.0.command(options, command))
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("ssh: {error} (Debian package openssh-client)"))
    }

    /// Runs to the end with this input.
    pub(crate) async fn run(&self, options: &[&str], command: &[&str], input: &str) -> Output {
        let mut child = self.start(options, command);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        timeout(PATIENCE, child.wait_with_output())
            .await
            .expect("the client hangs")
            .unwrap()
    }

    /// Runs `scp` or `sftp` with this input.
    pub(crate) async fn copy(&self, program: &str, args: &[&str], input: &str) -> Output {
        let mut child = Command::from(self.0.copy(program, args))
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error} (Debian package openssh-client)"));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        timeout(PATIENCE, child.wait_with_output())
            .await
            .expect("the client hangs")
            .unwrap()
    }

    /// Runs one command line without input.
    pub(crate) async fn exec(&self, command: &str) -> Output {
        self.run(&[], &[command], "").await
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
