//! Cowrie from its PyPI package, as an operator would run it, but for what this run needs.
//!
//! Two things differ from its defaults, both in its favour: loopback is not refused (a function is
//! replaced at start, there is no setting), and its limit of five downloads a minute and host is off.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use rustix::process::geteuid;
use tempfile::TempDir;

use super::{Program, Target, free_address};
use crate::ssh::Door;

/// Cowrie refuses to run as root; nobody's number on Debian.
const NOBODY: u32 = 65534;

const LAUNCHER: &str = "\
import sys
import cowrie.core.network as network
network._is_blocked = lambda ip: ip.is_multicast
from twisted.scripts.twistd import run
sys.argv = ['twistd', '--nodaemon', '--pidfile=', 'cowrie']
run()
";

pub(super) async fn start(venv: &Path) -> Result<Target> {
    let python = interpreter(venv)?;
    let directory = TempDir::with_prefix("sundew-bench-")?;
    let address = free_address()?;
    let home = directory.path();
    for made in [
        "etc",
        "var/log/cowrie",
        "var/lib/cowrie/downloads",
        "var/lib/cowrie/tty",
        "var/run",
    ] {
        fs::create_dir_all(home.join(made))?;
    }
    let port = address.port();
    fs::write(
        home.join("etc/cowrie.cfg"),
        format!(
            "[ssh]\nlisten_endpoints = tcp:{port}:interface=127.0.0.1\n\
             [shell]\nftpget_rate_limit_enabled = false\n"
        ),
    )?;
    let mut command = Command::new(python);
    command.args(["-c", LAUNCHER]).current_dir(home);
    if geteuid().is_root() {
        give_to_nobody(home)?;
        command.uid(NOBODY).gid(NOBODY);
    }
    let artifacts = home.join("var/lib/cowrie/downloads");
    let events = home.join("var/log/cowrie/cowrie.json");
    let mut program = Program::start(&mut command, directory)?;
    program
        .ready(address)
        .await
        .context("Cowrie does not start")?;
    Ok(Target {
        door: Door {
            address,
            user: "root".into(),
            password: "hunter2".into(),
        },
        program: Some(program),
        artifacts: Some(artifacts),
        events: Some(events),
        has_sidecars: false,
    })
}

/// Hands a directory and what is in it to the user Cowrie will run as.
fn give_to_nobody(directory: &Path) -> Result<()> {
    chown(directory, Some(NOBODY), Some(NOBODY))?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            give_to_nobody(&path)?;
        } else {
            chown(&path, Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(())
}

/// The environment's own python, as an absolute path; not resolved further, because the link's place
/// is how python finds the environment.
fn interpreter(venv: &Path) -> Result<PathBuf> {
    let missing = || format!("{} has no python: run ./scripts/test once", venv.display());
    let python = venv
        .canonicalize()
        .with_context(missing)?
        .join("bin/python");
    anyhow::ensure!(python.exists(), missing());
    Ok(python)
}
