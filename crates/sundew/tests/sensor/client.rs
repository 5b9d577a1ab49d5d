//! OpenSSH's client, which gets its password from a script.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::sensor::{PATIENCE, Sensor};

/// A visitor; each password is tried once, in this order, the last again and again.
pub(crate) struct Client {
    directory: TempDir,
    port: u16,
}

impl Client {
    pub(crate) fn of(sensor: &Sensor) -> Self {
        Self::with_passwords(sensor, &["toor"])
    }

    pub(crate) fn with_passwords(sensor: &Sensor, passwords: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::write(
            path.join("passwords"),
            format!("{}\n", passwords.join("\n")),
        )
        .unwrap();
        let askpass = path.join("askpass");
        let script = "#!/bin/sh\ncd \"${0%/*}\" || exit 1\nhead -n 1 passwords\n\
                      [ \"$(wc -l <passwords)\" -gt 1 ] && sed -i 1d passwords\nexit 0\n";
        std::fs::write(&askpass, script).unwrap();
        std::fs::set_permissions(&askpass, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self {
            directory,
            port: sensor.address.port(),
        }
    }

    /// `ssh` with these options, started, with pipes on all sides.
    pub(crate) fn start(&self, options: &[&str], command: &[&str]) -> Child {
        let path = self.directory.path();
        Command::new("ssh")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", path)
            .env("TERM", "xterm")
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
            .args(["-o", "IdentitiesOnly=yes", "-p", &self.port.to_string()])
            .args(options)
            .args(["-l", "root", "127.0.0.1"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
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

    /// Runs one command line without input.
    pub(crate) async fn exec(&self, command: &str) -> Output {
        self.run(&[], &[command], "").await
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
