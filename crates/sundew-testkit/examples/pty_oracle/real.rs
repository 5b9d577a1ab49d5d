//! This computer's shells on a terminal of their own.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use sundew_testkit::terminal::{Act, Conversation};

/// How patiently the next step waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// For keys, which a shell that is not busy answers at once.
    Quick,
    /// For what waits for clocks, too.
    Slow,
}

impl Pace {
    /// How long a terminal shows nothing, with no process busy, before the next step.
    fn quiet(self) -> Duration {
        Duration::from_millis(match self {
            Self::Quick => 30,
            Self::Slow => 120,
        })
    }
}

/// Longest wait for that.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Makes the namespace a machine, then becomes `$3...` called `$2`; `$0` is the
/// root directory, `$1` the host's name.
const SET_UP: &str = r#"
root=$0 host=$1 name=$2; shift 2
unset OLDPWD
hostname "$host"
echo 15360 > /proc/sys/kernel/ns_last_pid
for file in .bashrc .profile; do
    IFS= read -rd '' "v${file#.}" < "$root/root/$file"
done
if [ "$root" != / ]; then
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
fi
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0700 tmpfs "$root/root"
printf %s "$vbashrc" > "$root/root/.bashrc"
printf %s "$vprofile" > "$root/root/.profile"
cd "${root%/}/root"
if [ "$root" != / ]; then
    exec chroot "$root" bash -c 'cd; name=$1; shift; exec -a "$name" "$@"' _ "$name" "$@"
fi
exec -a "$name" "$@"
"#;

/// What the terminal showed: first what came unasked, then an answer to each step.
pub(crate) fn converse(
    conversation: &Conversation,
    host: &str,
    pace: Pace,
) -> io::Result<Vec<Vec<u8>>> {
    let mut terminal = Terminal::start(conversation, host, pace)?;
    terminal.wait_for_greeting()?;
    let mut answers = vec![terminal.shown()?];
    for act in conversation.acts() {
        match act {
            Act::Type(bytes) => terminal.send(bytes)?,
            Act::Wait(time) => terminal.look(*time)?,
            Act::Resize { columns, rows } => terminal.resize(*columns, *rows)?,
        }
        answers.push(terminal.shown()?);
    }
    Ok(answers)
}

struct Terminal {
    master: OwnedFd,
    child: Child,
    /// Seen while looking on.
    seen: Vec<u8>,
    quiet: Duration,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _dead_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Terminal {
    fn start(conversation: &Conversation, host: &str, pace: Pace) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        set_size(&master, 80, 24)?;
        let path = ptsname(&master, Vec::new())?;
        let slave = rustix::fs::open(
            path.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let name = conversation
            .args
            .first()
            .map_or(b"bash".as_slice(), Vec::as_slice);
        let file = name.strip_prefix(b"-").unwrap_or(name);
        let root = std::env::var("ORACLE_ROOT").unwrap_or_else(|_| "/".to_owned());
        let child = Command::new("unshare")
            .args([
                "--mount",
                "--uts",
                "--ipc",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ])
            .args(["setsid", "--ctty", "bash", "-c", SET_UP, &root])
            .arg(host)
            .arg(OsStr::from_bytes(name))
            .arg(OsStr::from_bytes(file))
            .args(
                conversation
                    .args
                    .iter()
                    .skip(1)
                    .map(|arg| OsStr::from_bytes(arg)),
            )
            .env_clear()
            .envs([
                ("HOME", "/root"),
                ("USER", "root"),
                ("LOGNAME", "root"),
                ("SHELL", "/bin/bash"),
                ("LANG", "C.UTF-8"),
                (
                    "PATH",
                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                ),
            ])
            .envs(
                conversation
                    .env
                    .iter()
                    .map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
            )
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .spawn()?;
        Ok(Self {
            master,
            child,
            seen: Vec::new(),
            quiet: pace.quiet(),
        })
    }

    fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = rustix::io::write(&self.master, bytes)?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn resize(&self, columns: u16, rows: u16) -> io::Result<()> {
        set_size(&self.master, columns, rows)
    }

    /// Reads for so long.
    fn look(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if !self.read(left)? {
                // Nobody holds the terminal any more.
                std::thread::sleep(left.min(self.quiet));
            }
        }
        Ok(())
    }

    /// Namespaces and a shell take their time to begin.
    fn wait_for_greeting(&mut self) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.seen.is_empty() && Instant::now() < end {
            self.look(self.quiet)?;
        }
        Ok(())
    }

    /// Everything until it is quiet.
    fn shown(&mut self) -> io::Result<Vec<u8>> {
        let end = Instant::now() + PATIENCE;
        loop {
            let before = self.seen.len();
            self.look(self.quiet)?;
            let late = Instant::now() >= end;
            if late || (self.seen.len() == before && !self.is_busy()) {
                return Ok(std::mem::take(&mut self.seen));
            }
        }
    }

    /// Reads once, waiting so long at most; `false` at the end.
    fn read(&mut self, wait: Duration) -> io::Result<bool> {
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        if poll(&mut ready, Some(&wait))? == 0 {
            return Ok(true);
        }
        let mut chunk = [0; 65536];
        match rustix::io::read(&self.master, &mut chunk) {
            Ok(count) if count > 0 => {
                self.seen.extend(chunk.iter().take(count));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether a process below ours runs or waits for a disk.
    fn is_busy(&self) -> bool {
        let mut family = vec![self.child.id().to_string()];
        let mut at = 0;
        while let Some(pid) = family.get(at).cloned() {
            at += 1;
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = state.rsplit(')').next().unwrap_or_default().trim_start();
            if state.starts_with(['R', 'D']) {
                return true;
            }
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            family.extend(
                children
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned),
            );
        }
        false
    }
}

fn set_size(master: &OwnedFd, columns: u16, rows: u16) -> io::Result<()> {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(master, size)?)
}
