//! The two sides: this computer's shells, and ours on an emulated machine.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sundew_testkit::machine::Emulated;

use crate::{Mode, Shell, generate};

/// The search path of both sides.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The search path of both sides on the camera.
const CAMERA_PATH: &str = "/sbin:/usr/sbin:/bin:/usr/bin";

/// Makes `root`, a root directory with BusyBox and its links, and what its applets look for.
const CAMERA_ROOT: &str = "\
for i in bin sbin usr/bin usr/sbin etc root proc dev tmp var/run var/log; do mkdir -p root/$i; done; \
for i in null zero full random urandom tty; do cp -a /dev/$i root/dev; done; \
cp \"$ORACLE_BUSYBOX\" root/bin/busybox && chroot root /bin/busybox --install -s; \
echo root:x:0:0:root:/root:/bin/sh > root/etc/passwd; echo root:x:0: > root/etc/group";

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
    pub(crate) fn new(shell: Shell) -> io::Result<Self> {
        let base = std::env::temp_dir().join(format!("shell-oracle-{}", std::process::id()));
        fs::create_dir_all(&base)?;
        let mut real = Self {
            directory: base.join("w"),
            base,
        };
        if shell == Shell::Camera {
            let made = Command::new("sh")
                .args(["-c", CAMERA_ROOT])
                .current_dir(&real.base)
                .status()?;
            if !made.success() {
                return Err(io::Error::other("ORACLE_BUSYBOX is no static BusyBox"));
            }
            real.directory = PathBuf::from("/root/w");
        }
        Ok(real)
    }

    /// The directory as this computer sees it.
    fn here(&self, shell: Shell) -> PathBuf {
        match shell {
            Shell::Camera => self.base.join("root/root/w"),
            Shell::Bash | Shell::Dash | Shell::Ash => self.directory.clone(),
        }
    }

    /// The directory that both sides work in.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn environment(&self, shell: Shell) -> [(&'static str, OsString); 4] {
        let (home, path) = match shell {
            Shell::Camera => (Path::new("/root"), CAMERA_PATH),
            Shell::Bash | Shell::Dash | Shell::Ash => (self.directory(), PATH),
        };
        [
            ("HOME", home.into()),
            ("PATH", path.into()),
            ("LANG", "C.UTF-8".into()),
            ("USER", "root".into()),
        ]
    }

    pub(crate) fn run(&self, shell: Shell, mode: Mode, text: &str) -> io::Result<Answer> {
        let here = self.here(shell);
        if here.exists() {
            fs::remove_dir_all(&here)?;
        }
        fs::create_dir_all(&here)?;
        let mut files = Command::new("sh");
        files.args(["-c", generate::FILES]);
        files.current_dir(&here).status()?;
        let streams = ["in", "out", "err"].map(|name| self.base.join(name));
        let (args, stdin) = invocation(shell, mode, text);
        fs::write(&streams[0], stdin)?;
        if mode == Mode::Script {
            fs::write(here.join(SCRIPT), text)?;
        }
        // Its own network namespace, where that is allowed.
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "10"]);
        if shell == Shell::Camera {
            let root = self.base.join("root");
            let root = root.display();
            command.args(["unshare", "-mpniuf", "sh", "-c"]);
            command.arg(format!(
                "mount -t proc proc {root}/proc; hostname cam01; exec chroot {root} /bin/sh -c \
                 'cd /root/w; exec \"$@\"' sh \"$@\""
            ));
            command.arg("sh");
        }
        command.args(args);
        let status = command
            .env_clear()
            .envs(self.environment(shell))
            .current_dir(&here)
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
        let mut machine = match shell {
            Shell::Camera => Emulated::camera()?,
            Shell::Bash | Shell::Dash | Shell::Ash => Emulated::debian()?,
        };
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
        let front: &[&str] = match shell {
            Shell::Camera => &["sh", "-c", "cd /root/w; exec \"$@\"", "sh"],
            Shell::Bash | Shell::Dash | Shell::Ash => &[
                "env",
                "-i",
                "-C",
                &at,
                &home,
                &search,
                "LANG=C.UTF-8",
                "USER=root",
            ],
        };
        all.extend(front.iter().map(|word| word.as_bytes()));
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
        Shell::Camera => &["sh"],
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
