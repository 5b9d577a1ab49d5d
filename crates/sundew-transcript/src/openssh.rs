//! The real OpenSSH client as a peer: passwords by way of an askpass script, no configuration but
//! its own.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A visitor with a home of their own for the client's files.
#[derive(Debug)]
pub struct OpenSsh {
    home: TempDir,
    server: SocketAddr,
}

impl OpenSsh {
    /// A client of the server at this address. Each password is given once, in this order, and the
    /// last one again and again.
    ///
    /// # Errors
    ///
    /// When the home cannot be written.
    pub fn new(server: SocketAddr, passwords: &[&str]) -> io::Result<Self> {
        let home = tempfile::tempdir()?;
        let list = format!("{}\n", passwords.join("\n"));
        std::fs::write(home.path().join("passwords"), list)?;
        let askpass = home.path().join("askpass");
        std::fs::write(&askpass, ASKPASS)?;
        std::fs::set_permissions(&askpass, std::fs::Permissions::from_mode(0o700))?;
        Ok(Self { home, server })
    }

    /// Where the client's files are.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// `scp` or `sftp` with these arguments, ready to be started; a place on the server is
    /// `root@ADDRESS:PATH`.
    pub fn copy(&self, program: &str, args: &[&str]) -> Command {
        let mut copy = self.program(program);
        copy.args(["-P", &self.server.port().to_string()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        copy
    }

    fn program(&self, name: &str) -> Command {
        let mut ssh = Command::new(name);
        ssh.env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home())
            .env("SSH_ASKPASS", self.home().join("askpass"))
            .env("SSH_ASKPASS_REQUIRE", "force")
            .args(["-F", "none"]);
        for option in [
            "StrictHostKeyChecking=no",
            "LogLevel=ERROR",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "IdentityFile=none",
        ] {
            ssh.args(["-o", option]);
        }
        ssh
    }

    /// `ssh` as root with these arguments, ready to be started: no input, output through pipes. A
    /// `-l` among the options comes first and so counts.
    pub fn command(&self, options: &[&str], command: &[&str]) -> Command {
        let mut ssh = self.program("ssh");
        ssh.args(["-p", &self.server.port().to_string()])
            .args(options)
            .args(["-l", "root"])
            .arg(self.server.ip().to_string())
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        ssh
    }
}

/// Prints the first line and drops it, unless it is the last.
const ASKPASS: &str = "#!/bin/sh
cd \"${0%/*}\" || exit 1
head -n 1 passwords
[ \"$(wc -l <passwords)\" -gt 1 ] && sed -i 1d passwords
exit 0
";
