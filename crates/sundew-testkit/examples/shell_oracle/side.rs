//! The two sides: this computer's shells, and ours on an emulated machine.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sundew_testkit::machine::Debian;

use crate::{Mode, Shell, generate};

/// The search path of both sides.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The script's name in the directory.
const SCRIPT: &str = "s.sh";

/// What a shell answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) status: i32,
}

/// This computer's shells.
pub(crate) struct Real {
    // Removed when dropped.
    base: PathBuf,
    directory: PathBuf,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _gone_already = fs::remove_dir_all(&self.base);
    }
}

impl Real {
    pub(crate) fn new() -> io::Result<Self> {
        let base = std::env::temp_dir().join(format!("shell-oracle-{}", std::process::id()));
        fs::create_dir_all(&base)?;
        Ok(Self {
            directory: base.join("w"),
            base,
        })
    }

    /// The directory that both sides work in.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn run(&self, shell: Shell, mode: Mode, text: &str) -> io::Result<Answer> {
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory)?;
        }
        fs::create_dir_all(&self.directory)?;
        let mut files = Command::new("sh");
        files.args(["-c", generate::FILES]);
        files.current_dir(&self.directory).status()?;
        let streams = ["in", "out", "err"].map(|name| self.base.join(name));
        let (args, stdin) = invocation(shell, mode, text);
        fs::write(&streams[0], stdin)?;
        if mode == Mode::Script {
            fs::write(self.directory.join(SCRIPT), text)?;
        }
        // Its own network namespace, where that is allowed.
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "10"]).args(args);
        let status = command
            .env_clear()
            .envs([
                ("HOME", self.directory.as_os_str()),
                ("PATH", PATH.as_ref()),
                ("LANG", "C.UTF-8".as_ref()),
                ("USER", "root".as_ref()),
            ])
            .current_dir(&self.directory)
            .stdin(File::open(&streams[0])?)
            .stdout(Stdio::from(File::create(&streams[1])?))
            .stderr(Stdio::from(File::create(&streams[2])?))
            .status()?;
        Ok(Answer {
            stdout: fs::read(&streams[1])?,
            stderr: fs::read(&streams[2])?,
            status: status
                .code()
                .or_else(|| status.signal().map(|signal| 128 + signal))
                .unwrap_or(-1),
        })
    }
}

/// Ours, on a fresh machine.
pub(crate) fn ours(directory: &Path, shell: Shell, mode: Mode, text: &str) -> Answer {
    let run = || -> io::Result<Answer> {
        let mut machine = Debian::new()?;
        let path = directory.display();
        let stage = format!(
            "mkdir -p {path}; cd {path}; {}; cat > {SCRIPT}",
            generate::FILES
        );
        machine.run_now(stage.as_bytes(), text.as_bytes())?;
        if mode != Mode::Script {
            machine.run_now(format!("rm {path}/{SCRIPT}").as_bytes(), b"")?;
        }
        let (args, stdin) = invocation(shell, mode, text);
        let mut all: Vec<&[u8]> = Vec::new();
        let home = format!("HOME={path}");
        let search = format!("PATH={PATH}");
        let at = path.to_string();
        for word in [
            "env",
            "-i",
            "-C",
            &at,
            &home,
            &search,
            "LANG=C.UTF-8",
            "USER=root",
        ] {
            all.push(word.as_bytes());
        }
        all.extend(args.iter().map(|arg| arg.as_bytes()));
        let output = machine.run_program(&all, &stdin)?;
        Ok(Answer {
            stdout: output.stdout,
            stderr: output.stderr,
            status: output.status,
        })
    };
    let failed = |what: String| Answer {
        stdout: Vec::new(),
        stderr: what.into_bytes(),
        status: -1,
    };
    match std::panic::catch_unwind(run) {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => failed(format!("FAILED: {error}")),
        Err(_) => failed("PANIC".to_owned()),
    }
}

/// The command line and standard input of one run.
fn invocation(shell: Shell, mode: Mode, text: &str) -> (Vec<String>, Vec<u8>) {
    let name: &[&str] = match shell {
        Shell::Bash => &["bash"],
        Shell::Dash => &["dash"],
        Shell::Ash => &["busybox", "ash"],
    };
    let mut args: Vec<String> = name.iter().map(|&word| word.to_owned()).collect();
    let mut stdin = Vec::new();
    match mode {
        Mode::CommandString => args.extend(["-c".to_owned(), text.to_owned()]),
        Mode::Script => args.push(SCRIPT.to_owned()),
        Mode::Stdin => {
            stdin.extend_from_slice(text.as_bytes());
            stdin.push(b'\n');
        }
    }
    (args, stdin)
}
