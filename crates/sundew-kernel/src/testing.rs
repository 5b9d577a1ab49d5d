//! A machine for tests: a clock that jumps to the next wake-up, a small image, no network.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_vfs::{
    Attributes, Content, Credentials, ImageBuilder, Limits as FsLimits, Mount, Timestamp, Vfs,
};

use crate::clock::Clock;
use crate::executable::elf_head;
use crate::facts::{Cpu, Disk, Facts, Interface, Os};
use crate::machine::{Config, Login, Machine};
use crate::network::NoNetwork;
use crate::observe::NoObserver;
use crate::procfs::{PROC_ROOT, PTS_ROOT};
use crate::program::{Program, ProgramTable};
use crate::scheduler::Scheduler;
use crate::{ExitStatus, Process, budget, lock};

/// A clock that stands still until nothing else can happen, then jumps to the next sleeper.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Seconds since 1970 when the clock began.
    start: i64,
    now: Duration,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next: u64,
    /// Nanoseconds that each look at the clock takes, so that CPU time passes.
    per_look: Duration,
}

impl ManualClock {
    /// A clock that advances by `per_look` whenever it is read.
    pub fn new(per_look: Duration) -> Arc<Self> {
        Self::starting_at(START, per_look)
    }

    /// The same, with the time of day at which it begins, in seconds since 1970.
    pub fn starting_at(start: i64, per_look: Duration) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            start,
            per_look,
            ..Inner::default()
        })))
    }

    /// Time since the clock began.
    pub fn now(&self) -> Duration {
        lock(&self.0).now
    }

    /// Jumps to the next wake-up; whether there was one.
    pub fn advance(&self) -> bool {
        let mut inner = lock(&self.0);
        let Some(((when, _), waker)) = inner.sleepers.pop_first() else {
            return false;
        };
        inner.now = inner.now.max(when);
        waker.wake();
        true
    }
}

/// 2024-11-20 10:00:00 UTC.
const START: i64 = 1_732_096_800;

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        let inner = lock(&self.0);
        let secs = i64::try_from(inner.now.as_secs()).unwrap_or(i64::MAX);
        Timestamp {
            secs: inner.start.saturating_add(secs),
            nanos: inner.now.subsec_nanos(),
        }
    }

    fn monotonic(&self) -> Duration {
        let mut inner = lock(&self.0);
        let step = inner.per_look;
        inner.now += step;
        inner.now
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        // Only `Arc<ManualClock>` can keep sleepers; see below.
        Box::pin(std::future::ready(()))
    }
}

/// The clock as a machine holds it.
#[derive(Debug, Clone)]
pub struct SharedClock(pub Arc<ManualClock>);

impl Clock for SharedClock {
    fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = Arc::clone(&self.0);
        let when = lock(&clock.0).now + duration;
        Box::pin(poll_fn(move |cx| {
            let mut inner = lock(&clock.0);
            if inner.now >= when {
                return Poll::Ready(());
            }
            inner.next += 1;
            let key = (when, inner.next);
            inner.sleepers.insert(key, cx.waker().clone());
            Poll::Pending
        }))
    }
}

/// Facts of a machine called `web01`.
pub fn facts() -> Facts {
    Facts {
        hostname: b"web01".to_vec(),
        kernel_release: b"6.1.0-28-amd64".to_vec(),
        kernel_version: b"#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)".to_vec(),
        kernel_builder: b"(debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40)".to_vec(),
        machine: b"x86_64".to_vec(),
        cpu: Cpu {
            vendor: b"GenuineIntel".to_vec(),
            model_name: b"Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz".to_vec(),
            family: 6,
            model: 79,
            stepping: 1,
            microcode: 1,
            count: 2,
            khz: 2_394_454,
            cache_kib: 35_840,
            flags: b"fpu vme de pse tsc msr".to_vec(),
            bugs: b"spectre_v1".to_vec(),
            board: Vec::new(),
        },
        command_line: b"BOOT_IMAGE=/boot/vmlinuz-6.1.0-28-amd64 root=/dev/vda1 ro quiet".to_vec(),
        modules: Vec::new(),
        flash: Vec::new(),
        memory_total_kib: 2_030_000,
        swap_total_kib: 0,
        boot_time: Timestamp { secs: START - 86_400 * 3, nanos: 0 },
        disks: vec![Disk {
            device: b"/dev/vda1".to_vec(),
            mount_point: b"/".to_vec(),
            fs_type: b"ext4".to_vec(),
            total_kib: 20_000_000,
            used_kib: 3_000_000,
            inodes: 1_280_000,
            inodes_used: 40_000,
        }],
        interfaces: vec![Interface {
            name: b"lo".to_vec(),
            mac: [0; 6],
            ipv4: Some((Ipv4Addr::LOCALHOST, 8)),
            ipv6: None,
            mtu: 65536,
        }],
        gateway: Ipv4Addr::new(10, 0, 0, 1),
        os: Os {
            pretty_name: b"Debian GNU/Linux 12 (bookworm)".to_vec(),
            id: b"debian".to_vec(),
            version: b"12".to_vec(),
            codename: b"bookworm".to_vec(),
        },
        arch: b"linux-x64-lsb".to_vec(),
        ssh_identification: b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n".to_vec(),
        journal: None,
    }
}

/// An image with an executable below `/usr/bin` for each program, `/bin` leading there, the usual
/// directories and devices, and users root and nobody.
///
/// # Panics
///
/// If the programs' names are no file names.
pub fn vfs(programs: &[Program]) -> Vfs {
    try_vfs(programs).unwrap_or_else(|error| unreachable!("the test image is sound: {error}"))
}

fn try_vfs(programs: &[Program]) -> Result<Vfs, Box<dyn std::error::Error>> {
    let mut image = ImageBuilder::new();
    let attributes = |mode| Attributes {
        mode,
        uid: 0,
        gid: 0,
        mtime: Timestamp {
            secs: START - 1_000_000,
            nanos: 0,
        },
    };
    for (directory, mode) in [
        ("/usr/bin", 0o755),
        ("/usr/sbin", 0o755),
        ("/usr/local/bin", 0o755),
        ("/etc", 0o755),
        ("/root", 0o700),
        ("/home", 0o755),
        ("/proc", 0o555),
        ("/dev/pts", 0o755),
        ("/var/log", 0o755),
        ("/tmp", 0o1777),
    ] {
        image.directory(directory.as_bytes(), attributes(mode))?;
    }
    image.symlink(b"/bin", attributes(0o777), b"usr/bin")?;
    image.symlink(b"/sbin", attributes(0o777), b"usr/sbin")?;
    for program in programs {
        let head = elf_head(program.name.as_bytes());
        let path = format!("/usr/bin/{}", program.name);
        let len = 40_000;
        let content = Content::Generated {
            head: head.into(),
            seed: 7,
            len,
        };
        image.file(path.as_bytes(), attributes(0o755), content)?;
    }
    for (path, text) in [
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        ),
        ("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
        ("/etc/hostname", "web01\n"),
    ] {
        image.file(
            path.as_bytes(),
            attributes(0o644),
            Content::Bytes(text.as_bytes().into()),
        )?;
    }
    for (path, rdev) in [
        ("/dev/null", (1, 3)),
        ("/dev/zero", (1, 5)),
        ("/dev/full", (1, 7)),
        ("/dev/urandom", (1, 9)),
        ("/dev/tty", (5, 0)),
    ] {
        image.device(
            path.as_bytes(),
            attributes(0o666),
            sundew_vfs::FileType::CharDevice,
            rdev,
        )?;
    }
    for (path, target) in [
        ("/dev/fd", "/proc/self/fd"),
        ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
    ] {
        image.symlink(path.as_bytes(), attributes(0o777), target.as_bytes())?;
    }
    let mut vfs = Vfs::new(image.finish(), FsLimits::default());
    for mount in mounts() {
        vfs.mount(mount)?;
    }
    Ok(vfs)
}

/// The mounts of `/proc` and `/dev/pts`.
pub fn mounts() -> Vec<Mount> {
    let mount = |source: &str, target: &str, fs_type: &str, dev, root| Mount {
        source: source.as_bytes().into(),
        target: target.as_bytes().into(),
        fs_type: fs_type.as_bytes().into(),
        options: b"rw,relatime".as_slice().into(),
        dev,
        root,
    };
    vec![
        mount(
            "proc",
            "/proc",
            "proc",
            22,
            sundew_vfs::MountRoot::Synthetic(PROC_ROOT),
        ),
        mount(
            "devpts",
            "/dev/pts",
            "devpts",
            23,
            sundew_vfs::MountRoot::Synthetic(PTS_ROOT),
        ),
    ]
}

/// A machine with these programs, whose clock is `clock`.
pub fn machine(
    programs: &[Program],
    clock: &Arc<ManualClock>,
    limits: budget::Limits,
) -> (Machine, Scheduler) {
    Machine::new(config(programs, clock, limits))
}

/// What such a machine is made from.
pub fn config(programs: &[Program], clock: &Arc<ManualClock>, limits: budget::Limits) -> Config {
    Config {
        vfs: Arc::new(Mutex::new(vfs(programs))),
        programs: Arc::new(ProgramTable::new(programs.iter().copied())),
        facts: Arc::new(facts()),
        clock: Arc::new(SharedClock(Arc::clone(clock))),
        network: Arc::new(NoNetwork),
        observer: Arc::new(NoObserver),
        limits,
        seed: 42,
        residents: crate::machine::Residents::default(),
        sockets: Vec::new(),
        last_pid: 1000,
        heavy: None,
        source: None,
        aside: None,
        secure_shell: None,
    }
}

/// A login of root.
pub fn login(args: &[&str]) -> Login {
    let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
    let name = args.first().cloned().unwrap_or_default();
    Login {
        path: if name.contains(&b'/') {
            name
        } else {
            [b"/usr/bin/".as_slice(), &name].concat()
        },
        args,
        env: [("PATH", "/usr/bin:/bin"), ("HOME", "/root")]
            .into_iter()
            .collect(),
        directory: b"/root".to_vec(),
        credentials: Credentials::root(),
        parent: 1,
        ignored: Vec::new(),
    }
}

/// A small generator for schedules: whoever draws has one of their own, so that a run can be repeated.
#[derive(Debug)]
pub struct Draw(pub u64);

impl Draw {
    /// The next number, below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound.max(1)
    }
}

/// A program's argument as a number; 0 if it is none.
pub fn argument(proc: &Process, index: usize) -> u64 {
    let text = proc.args().get(index).cloned().unwrap_or_default();
    String::from_utf8_lossy(&text).parse().unwrap_or(0)
}

/// What a run printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Status; `None` if it never ended although time passed.
    pub status: Option<ExitStatus>,
}

/// Runs one login on pipes to its end. Time jumps when nothing else can happen; a run that waits
/// for something that cannot come is given up.
pub fn run(programs: &[Program], args: &[&str], stdin: &[u8], limits: budget::Limits) -> Finished {
    let clock = ManualClock::new(Duration::from_nanos(200));
    let (machine, scheduler) = machine(programs, &clock, limits);
    let Ok((leader, mut streams)) = machine.login_on_pipes(login(args)) else {
        return Finished {
            stdout: Vec::new(),
            stderr: Vec::new(),
            status: None,
        };
    };
    let stdin = stdin.to_vec();
    let mut finished = Finished {
        stdout: Vec::new(),
        stderr: Vec::new(),
        status: None,
    };
    {
        let (stdout, stderr) = (&mut finished.stdout, &mut finished.stderr);
        let mut writer = streams.stdin;
        let outside = async move {
            let feed = async move {
                // A program that does not read its input closes it; that is its business.
                let _unread = writer.write(&stdin).await;
                drop(writer);
            };
            let read_out = async {
                while let Some(bytes) = streams.stdout.read().await {
                    stdout.extend(bytes)
                }
            };
            let read_err = async {
                while let Some(bytes) = streams.stderr.read().await {
                    stderr.extend(bytes)
                }
            };
            futures_util::future::join3(feed, read_out, read_err).await;
        };
        finished.status = drive(&clock, scheduler, async {
            futures_util::future::join(outside, leader.wait()).await.1
        });
    }
    finished
}

/// Polls a machine and `outside` until the latter is done; `None` when nothing can happen any more.
pub fn drive<T>(
    clock: &ManualClock,
    mut scheduler: Scheduler,
    outside: impl Future<Output = T>,
) -> Option<T> {
    drive_on(clock, &mut scheduler, outside)
}

/// The same with a machine that goes on afterwards.
pub fn drive_on<T>(
    clock: &ManualClock,
    scheduler: &mut Scheduler,
    outside: impl Future<Output = T>,
) -> Option<T> {
    use std::sync::atomic::{AtomicBool, Ordering};
    struct Flag(AtomicBool);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut cx = std::task::Context::from_waker(&waker);
    let mut outside = std::pin::pin!(outside);
    loop {
        while flag.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(value) = outside.as_mut().poll(&mut cx) {
                return Some(value);
            }
            match std::pin::Pin::new(&mut *scheduler).poll(&mut cx) {
                Poll::Ready(never) => match never {},
                Poll::Pending => {}
            }
        }
        if !clock.advance() {
            return None;
        }
    }
}
