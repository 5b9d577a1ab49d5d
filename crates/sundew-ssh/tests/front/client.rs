//! The real OpenSSH client, run within a time.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};

use sundew_transcript::openssh::OpenSsh;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::sensor::{LONG, PASSWORD};

pub(crate) struct Client(OpenSsh);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self::with_passwords(address, &[PASSWORD])
    }

    pub(crate) fn with_passwords(address: SocketAddr, passwords: &[&str]) -> Self {
        Self(OpenSsh::new(address, passwords).unwrap())
    }

    /// `ssh` with these arguments, ready to be started.
    pub(crate) fn command(&self, options: &[&str], command: &[&str]) -> Command {
        let mut ssh = Command::from(self.0.command(options, command));
        ssh.kill_on_drop(true);
        ssh
    }

    /// Runs one command to its end, without input.
    pub(crate) async fn run(&self, options: &[&str], command: &[&str]) -> Output {
        let child = start(&mut self.command(options, command));
        finish(child).await
    }

    /// Runs one command as another user than root.
    pub(crate) async fn run_as(&self, user: &str, options: &[&str], command: &[&str]) -> Output {
        self.run(&[options, &["-l", user]].concat(), command).await
    }

    /// Runs one command and gives it this input.
    pub(crate) async fn run_with_input(
        &self,
        options: &[&str],
        command: &[&str],
        input: Vec<u8>,
    ) -> Output {
        let mut child = start(self.command(options, command).stdin(Stdio::piped()));
        let mut stdin = child.stdin.take().unwrap();
        let write = async move { stdin.write_all(&input).await };
        let (written, output) = tokio::join!(write, finish(child));
        if let Err(error) = written {
            panic!("{error}: {output:?}");
        }
        output
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.home()
    }
}

pub(crate) fn start(command: &mut Command) -> Child {
    match command.spawn() {
        Ok(child) => child,
        Err(error) => panic!("ssh: {error} (Debian package openssh-client)"),
    }
}

pub(crate) async fn finish(child: Child) -> Output {
    timeout(LONG, child.wait_with_output())
        .await
        .expect("the client hangs")
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
