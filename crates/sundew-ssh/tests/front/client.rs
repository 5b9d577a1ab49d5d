//! The real OpenSSH client, logging in by way of an askpass script.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::sensor::{LONG, PASSWORD};

/// A home for the client's files; each password is given once, in this order.
pub(crate) struct Client {
    pub(crate) directory: TempDir,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self::with_passwords(address, &[PASSWORD])
    }

    pub(crate) fn with_passwords(address: SocketAddr, passwords: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::write(
            path.join("passwords"),
            format!("{}\n", passwords.join("\n")),
        )
        .unwrap();
        // Prints the first line and drops it, unless it is the last.
        let script = "#!/bin/sh\ncd \"${0%/*}\" || exit 1\nhead -n 1 passwords\n\
                      [ \"$(wc -l <passwords)\" -gt 1 ] && sed -i 1d passwords\nexit 0\n";
        let askpass = path.join("askpass");
        std::fs::write(&askpass, script).unwrap();
        std::fs::set_permissions(&askpass, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { directory, address }
    }

    /// `ssh` with these arguments, ready to be started.
    pub(crate) fn command(&self, options: &[&str], command: &[&str]) -> Command {
        let path = self.directory.path();
        let mut ssh = Command::new("ssh");
        ssh.env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", path)
            .env("SSH_ASKPASS", path.join("askpass"))
            .env("SSH_ASKPASS_REQUIRE", "force")
            .args([
                "-F",
                "none",
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "LogLevel=ERROR",
            ])
            .args([
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "GlobalKnownHostsFile=/dev/null",
            ])
            .args(["-o", "IdentitiesOnly=yes"])
            .args(["-p", &self.address.port().to_string()])
            .args(options)
            .args(["-l", "root"])
            .arg(self.address.ip().to_string())
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
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
        self.directory.path()
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
