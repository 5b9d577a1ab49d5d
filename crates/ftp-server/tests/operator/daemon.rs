//! `ftpd` as a process, with a configuration and a directory of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{Client, PATIENCE};

/// More than the buffers of a connection take.
pub(crate) const BIG_BYTES: usize = 20_000_000;

/// Runs the program to its end.
pub(crate) fn ftpd(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Most commands read nothing.
    let _written = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The hash of a password, as the program makes it.
pub(crate) fn hash(password: &str) -> String {
    let output = ftpd(&["hash"], &format!("{password}\n"));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The program with a configuration, killed at the end.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    /// Lines of its log, read by a thread so that it never waits for us.
    log: Mutex<Receiver<String>>,
    pub(crate) port: u16,
    /// The second line it has printed.
    pub(crate) hint: String,
    pub(crate) dir: TempDir,
}

impl Daemon {
    /// Starts it; `HERE/` in the configuration stands for its directory.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_ftpd")), config)
    }

    /// Starts it by a command that ends with its name, or with that of something that starts it.
    pub(crate) fn start_by(mut command: Command, config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path();
        for directory in ["common", "anna", "anna/pub"] {
            fs::create_dir(here.join(directory)).unwrap();
        }
        fs::write(here.join("common/common"), "of all\n").unwrap();
        fs::write(here.join("common/big"), vec![b'x'; BIG_BYTES]).unwrap();
        fs::write(here.join("anna/own"), "of anna\n").unwrap();
        fs::write(here.join("users"), "").unwrap();
        let file = here.join("ftpd.toml");
        fs::write(&file, whole(here, config)).unwrap();
        command
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut line, mut hint) = (String::new(), String::new());
        stdout.read_line(&mut line).unwrap();
        stdout.read_line(&mut hint).unwrap();
        let log = follow(child.stderr.take().unwrap());
        let port = line.trim_end().rsplit(' ').next().unwrap().parse();
        let Ok(port) = port else {
            let log: Vec<_> = log.iter().collect();
            panic!("it did not start: {line}{hint}{}", log.join("\n"));
        };
        Self {
            port,
            child,
            log: Mutex::new(log),
            hint,
            dir,
        }
    }

    /// Writes another configuration and has it read.
    pub(crate) fn reload(&mut self, config: &str) -> String {
        let file = self.dir.path().join("ftpd.toml");
        fs::write(&file, whole(self.dir.path(), config)).unwrap();
        self.signal("HUP");
        self.log_line("configuration ")
    }

    pub(crate) fn client(&self) -> Client {
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, self.port).into();
        Client::connect(address)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn end(&mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    /// Descriptors the process has open.
    pub(crate) fn descriptors(&self) -> usize {
        let directory = format!("/proc/{}/fd", self.child.id());
        fs::read_dir(directory).unwrap().count()
    }

    /// Memory the process holds, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.unwrap().parse().unwrap()
    }

    /// Waits until no more descriptors are open than so many.
    pub(crate) fn settles_at(&self, most: usize) {
        let until = Instant::now() + PATIENCE;
        while self.descriptors() > most {
            let open = self.descriptors();
            assert!(
                Instant::now() < until,
                "{open} descriptors, more than {most}"
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Reads the log up to a line that has this in it.
    pub(crate) fn log_line(&self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut seen = String::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.log.lock().unwrap().recv_timeout(left) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen = seen + &line + "\n",
                Err(error) => panic!("no {part:?} in the log ({error}):\n{seen}"),
            }
        }
    }
}

/// A configuration with its directory, and a port that is free unless it names one.
fn whole(here: &Path, config: &str) -> String {
    let lines: Vec<_> = config.lines().collect();
    let split = lines.iter().position(|line| line.starts_with('['));
    let (head, sections) = lines.split_at(split.unwrap_or(lines.len()));
    let mut text = head.join("\n") + "\n";
    if !head.iter().any(|line| line.starts_with("root")) {
        text.push_str("root = 'HERE/common'\n");
    }
    if !sections.contains(&"[listen]") {
        text.push_str("[listen]\naddresses = ['127.0.0.1:0']\n");
    }
    text = text + &sections.join("\n") + "\n";
    text.replace("HERE/", &format!("{}/", here.display()))
}

fn follow(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // The test may be over.
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
