//! What is measured: a sensor we start, a peer we start, or a server that is already there.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::process::Usage;
use crate::ssh::Door;
use crate::tally::Shelf;

mod cowrie;

/// How to get a target.
#[derive(Debug, Clone)]
pub(crate) enum Recipe {
    /// Our sensor, by the path of its program.
    Sundew(PathBuf),
    /// Cowrie, by the virtual environment it is installed in.
    Cowrie(PathBuf),
    /// A server somebody else started.
    Running {
        door: Door,
        artifacts: Option<PathBuf>,
    },
}

/// A target that answers.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) door: Door,
    program: Option<Program>,
    artifacts: Option<PathBuf>,
    has_sidecars: bool,
    events: Option<PathBuf>,
}

/// A program we started and will end.
#[derive(Debug)]
struct Program {
    child: Child,
    directory: TempDir,
}

impl Recipe {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sundew(_) => "Sundew",
            Self::Cowrie(_) => "Cowrie",
            Self::Running { .. } => "the server",
        }
    }

    /// Starts it from nothing, with empty directories, and waits until it answers.
    pub(crate) async fn start(&self) -> Result<Target> {
        match self {
            Self::Sundew(sensor) => start_sundew(sensor).await,
            Self::Cowrie(venv) => cowrie::start(venv).await,
            Self::Running { door, artifacts } => Ok(Target {
                door: door.clone(),
                program: None,
                artifacts: artifacts.clone(),
                has_sidecars: true,
                events: None,
            }),
        }
    }
}

impl Target {
    /// What its process has used, when we know which it is.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.program
            .as_ref()
            .map(|program| Usage::of(program.child.id()))
    }

    /// Where its captures are.
    pub(crate) fn shelf(&self) -> Option<Shelf<'_>> {
        let directory = self.artifacts.as_deref()?;
        Some(if self.has_sidecars {
            Shelf::Sidecars(directory)
        } else {
            Shelf::Bare(directory)
        })
    }

    /// Its log of events, one JSON object a line.
    pub(crate) fn events(&self) -> Option<&Path> {
        self.events.as_deref()
    }

    /// Asks it to end and waits; says what was wrong with how it ended.
    pub(crate) async fn stop(&mut self) -> Option<String> {
        self.program.as_mut()?.stop().await
    }
}

impl Program {
    fn start(command: &mut Command, directory: TempDir) -> Result<Self> {
        let log = File::create(directory.path().join("output.log"))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, directory })
    }

    /// Waits until the port accepts; fails with the program's own words if it ends before.
    async fn ready(&mut self, address: SocketAddr) -> Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", self.output());
            }
            if Instant::now() > deadline {
                bail!(
                    "no answer on {address} within {START_WITHIN:?}:\n{}",
                    self.output()
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn output(&self) -> String {
        fs::read_to_string(self.directory.path().join("output.log")).unwrap_or_default()
    }

    async fn stop(&mut self) -> Option<String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM).unwrap_or_default();
        }
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return None,
                Ok(Some(status)) => return Some(format!("ended with {status} after SIGTERM")),
                Ok(None) => sleep(Duration::from_millis(20)).await,
                Err(error) => return Some(error.to_string()),
            }
        }
        Some(format!(
            "had not ended {} s after SIGTERM",
            STOP_WITHIN.as_secs()
        ))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already gone is fine.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

async fn start_sundew(sensor: &Path) -> Result<Target> {
    let directory = TempDir::with_prefix("sundew-bench-")?;
    let address = free_address()?;
    let data = directory.path().join("data");
    fs::create_dir_all(&data)?;
    // The servers of this run are on loopback, which is refused by default.
    fs::write(
        data.join("sundew.toml"),
        "[egress]\nallow = [\"127.0.0.1/32\"]\n",
    )?;
    let mut command = Command::new(sensor);
    command
        .arg("up")
        .arg("--data")
        .arg(&data)
        .args(["--ssh", &address.to_string()]);
    command.args(["--telnet", "off", "--ftp", "off", "--dashboard", "off"]);
    let mut program = Program::start(command.current_dir(directory.path()), directory)?;
    program
        .ready(address)
        .await
        .context("the sensor does not start")?;
    Ok(Target {
        door: Door {
            address,
            user: "root".into(),
            password: "hunter2".into(),
        },
        artifacts: Some(data.join("artifacts")),
        events: Some(data.join("log/cowrie.json")),
        has_sidecars: true,
        program: Some(program),
    })
}

/// A loopback port nobody listens on at the moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// How long a target may take to answer; Cowrie needs some seconds on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How long a target may take to end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(15);
