//! One sensor in a directory of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{interval, timeout};

/// Longest wait for anything on this computer, which may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running sensor. Dropping it kills it.
pub(crate) struct Sensor {
    pub(crate) directory: TempDir,
    pub(crate) address: SocketAddr,
    /// What it printed at its start.
    pub(crate) greeting: Vec<String>,
    child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// The program, ready to be started in this directory.
pub(crate) fn program(directory: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sundew"));
    command
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the program to an end that comes by itself.
pub(crate) async fn run(directory: &TempDir, arguments: &[&str]) -> Output {
    let child = program(directory).args(arguments).spawn().unwrap();
    timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("it does not end")
        .unwrap()
}

impl Sensor {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts with these lines in `sundew.toml`.
    pub(crate) async fn start_with(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("sundew-data")).unwrap();
        std::fs::write(directory.path().join("sundew-data/sundew.toml"), config).unwrap();
        Self::start_in(directory).await
    }

    pub(crate) async fn start_in(directory: TempDir) -> Self {
        let mut child = program(&directory)
            .args(["up", "--ssh", "127.0.0.1:0"])
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = Vec::new();
        while !greeting
            .last()
            .is_some_and(|line: &String| line.contains("stop it"))
        {
            let line = timeout(PATIENCE, stdout.next_line())
                .await
                .expect("no greeting")
                .unwrap();
            greeting.push(line.expect("it ended at its start"));
        }
        let address = greeting
            .iter()
            .find_map(|line| line.trim().strip_prefix("ssh "))
            .and_then(|rest| rest.trim().parse().ok())
            .expect("no address");
        Self {
            directory,
            address,
            greeting,
            child,
            _stdout: stdout,
        }
    }

    /// A path in the data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("sundew-data").join(name)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().expect("it has ended")).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    pub(crate) async fn end(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("it does not stop")
            .unwrap()
    }

    /// Stops it as an operator does, and gives the events: all of them are on disk then.
    pub(crate) async fn stop(&mut self) -> Vec<Value> {
        self.signal(Signal::TERM);
        let status = self.end().await;
        assert_eq!(status.code(), Some(0), "{status:?}");
        self.events()
    }

    /// The lines of the journal.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("log/cowrie.json")).unwrap_or_default();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        text[..whole].lines().map(ToOwned::to_owned).collect()
    }

    /// The events that are in the journal already.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.lines()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Waits for an event.
    pub(crate) async fn event(&self, id: &str) -> Value {
        until(id, || {
            self.events()
                .into_iter()
                .find(|event| event["eventid"] == id)
        })
        .await
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let mut tick = interval(Duration::from_millis(10));
    let answer = async {
        loop {
            tick.tick().await;
            if let Some(answer) = ask() {
                return answer;
            }
        }
    };
    timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_| panic!("{what} never came"))
}
