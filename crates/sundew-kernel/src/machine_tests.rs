//! The machine with tiny programs: what one process does to another, and to nobody else.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::budget::{Account, Holder, Limits, SourceCpu, Together, Totals};
use crate::descriptor::OpenFlags;
use crate::machine::Machine;
use crate::observe::{Capture, Download, NoObserver, Observation, Observer};
use crate::process::WaitFor;
use crate::program::{Program, ProgramTable};
use crate::scheduler::Scheduler;
use crate::signal::Disposition;
use crate::status::ChildEvent;
use crate::testing::{Finished, ManualClock, drive, drive_on, login, machine, run};
use crate::tty::WindowSize;
use crate::{ExitStatus, Process, STDIN, STDOUT, Signal, lock, testing};

const PROGRAMS: &[Program] = &[
    Program {
        name: "cat",
        run: |p| Box::pin(cat(p)),
    },
    Program {
        name: "spin",
        run: |p| Box::pin(spin(p)),
    },
    Program {
        name: "stubborn",
        run: |p| Box::pin(stubborn(p)),
    },
    Program {
        name: "yes",
        run: |p| Box::pin(yes(p)),
    },
    Program {
        name: "pipeline",
        run: |p| Box::pin(pipeline(p)),
    },
    Program {
        name: "bomb",
        run: bomb,
    },
    Program {
        name: "hog",
        run: |p| Box::pin(hog(p)),
    },
    Program {
        name: "again",
        run: |p| Box::pin(again(p)),
    },
    Program {
        name: "hold",
        run: |p| Box::pin(hold(p)),
    },
    Program {
        name: "flood",
        run: |p| Box::pin(flood(p)),
    },
    Program {
        name: "brood",
        run: |p| Box::pin(brood(p)),
    },
    Program {
        name: "rivals",
        run: |p| Box::pin(rivals(p)),
    },
    Program {
        name: "napper",
        run: |p| Box::pin(napper(p)),
    },
];

async fn cat(proc: &mut Process) -> ExitStatus {
    let path = proc.args().get(1).cloned();
    let fd = match path {
        Some(path) => match proc.open(&path, OpenFlags::READ, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                proc.complain(&path, errno).await;
                return proc.status();
            }
        },
        None => STDIN,
    };
    let mut buf = [0; 1000];
    loop {
        match proc.read(fd, &mut buf).await {
            Ok(0) => return proc.status(),
            Ok(count) => proc.print(&buf[..count]).await.unwrap(),
            Err(errno) => {
                proc.complain(b"-", errno).await;
                return proc.status();
            }
        }
    }
}

async fn spin(proc: &mut Process) -> ExitStatus {
    loop {
        proc.tick().await;
    }
}

/// A shell that is given one endless loop after the other, and at "deaf" one that nothing interrupts.
async fn stubborn(proc: &mut Process) -> ExitStatus {
    proc.set_disposition(Signal::INT, Disposition::Catch);
    let mut line = [0; 100];
    loop {
        while proc.take_signal().is_none() {
            proc.tick().await;
        }
        proc.write_all(STDOUT, b"stopped\n").await.unwrap();
        let count = proc.read(STDIN, &mut line).await.unwrap();
        if line.get(..count) == Some(b"deaf\n") {
            spin(proc).await;
        }
    }
}

async fn yes(proc: &mut Process) -> ExitStatus {
    while proc.print(b"y\n").await.is_ok() {}
    ExitStatus::FAILURE
}

/// `yes | cat`, where cat ends after one read: what a shell does for `yes | head -1`.
async fn pipeline(proc: &mut Process) -> ExitStatus {
    let (read, write) = proc.pipe().unwrap();
    let left = proc
        .fork(move |mut child| {
            Box::pin(async move {
                child.duplicate_to(write, STDOUT).unwrap();
                child.close(read).unwrap();
                child.close(write).unwrap();
                child
                    .exec(b"/bin/yes", vec![b"yes".to_vec()], child.env().clone())
                    .await;
                ExitStatus::Exited(126)
            })
        })
        .unwrap();
    proc.close(write).unwrap();
    let mut buf = [0; 2];
    assert_eq!(proc.read(read, &mut buf).await, Ok(2));
    proc.close(read).unwrap();
    let ended = proc.wait(WaitFor::Pid(left), false, true).await.unwrap();
    assert_eq!(
        ended,
        Some((left, ChildEvent::Ended(ExitStatus::Signaled(Signal::PIPE))))
    );
    proc.print(&buf).await.unwrap();
    ExitStatus::SUCCESS
}

fn bomb(proc: &mut Process) -> BoxFuture<'_, ExitStatus> {
    Box::pin(async move {
        loop {
            let copy = |mut child: Process| -> crate::process::exec::ChildFuture {
                Box::pin(async move { bomb(&mut child).await })
            };
            if proc.fork(copy).is_err() {
                return ExitStatus::Exited(254);
            }
            proc.tick().await;
        }
    })
}

async fn hog(proc: &mut Process) -> ExitStatus {
    let mut memory = proc.memory();
    while memory.grow(1 << 20).is_ok() {
        proc.tick().await;
    }
    proc.out_of_memory().await
}

/// Replaces itself without end.
async fn again(proc: &mut Process) -> ExitStatus {
    let (args, env) = (proc.args().to_vec(), proc.env().clone());
    proc.exec(b"/bin/again", args, env).await;
    ExitStatus::Exited(126)
}

async fn napper(proc: &mut Process) -> ExitStatus {
    proc.sleep(Duration::from_secs(1000)).await.unwrap();
    proc.print(b"awake\n").await.unwrap();
    ExitStatus::SUCCESS
}

fn run_one(args: &[&str], stdin: &[u8]) -> Finished {
    run(PROGRAMS, args, stdin, Limits::default())
}

#[test]
fn bytes_go_in_and_come_out() {
    let input: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let finished = run_one(&["cat"], &input);
    assert_eq!(finished.stdout, input);
    assert_eq!(finished.status, Some(ExitStatus::SUCCESS));
}

#[test]
fn a_complaint_names_program_subject_and_reason() {
    let finished = run_one(&["cat", "nope"], b"");
    assert_eq!(finished.stderr, b"cat: nope: No such file or directory\n");
    assert_eq!(finished.status, Some(ExitStatus::FAILURE));
}

#[test]
fn a_writer_without_reader_gets_sigpipe() {
    assert_eq!(run_one(&["pipeline"], b"").stdout, b"y\n");
}

#[test]
fn standard_input_has_a_path() {
    assert_eq!(run_one(&["cat", "/dev/stdin"], b"hello").stdout, b"hello");
    assert_eq!(run_one(&["cat", "/proc/self/comm"], b"").stdout, b"cat\n");
    assert_eq!(
        run_one(&["cat", "/proc/sys/kernel/hostname"], b"").stdout,
        b"web01\n"
    );
}

#[test]
fn what_proc_says_of_a_process_is_there_and_in_the_form_of_linux() {
    for name in [
        "stat",
        "status",
        "io",
        "limits",
        "maps",
        "smaps",
        "mounts",
        "mountinfo",
        "cgroup",
        "oom_score",
        "oom_score_adj",
        "sched",
        "schedstat",
        "loginuid",
        "sessionid",
        "autogroup",
        "wchan",
        "statm",
        "environ",
        "syscall",
    ] {
        let path = format!("/proc/self/{name}");
        let finished = run_one(&["cat", &path], b"");
        assert!(
            !finished.stdout.is_empty() && finished.stderr.is_empty(),
            "{finished:?}"
        );
    }
    let rollup = run_one(&["cat", "/proc/self/smaps_rollup"], b"").stdout;
    let rollup = String::from_utf8(rollup).unwrap();
    assert!(
        rollup.lines().next().unwrap().ends_with("[rollup]"),
        "{rollup}"
    );
    let kib = |name: &str| -> u64 {
        let line = rollup.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert_eq!(kib("Rss:"), kib("Shared_Clean:") + kib("Private_Dirty:"));
    assert_eq!(
        run_one(&["cat", "/proc/self/oom_score"], b"").stdout,
        b"666\n"
    );
}

#[test]
fn time_passes_for_sleepers() {
    assert_eq!(run_one(&["napper"], b"").stdout, b"awake\n");
}

#[test]
fn a_loop_is_killed_when_its_cpu_budget_is_spent() {
    let limits = Limits {
        process_cpu: Duration::from_millis(50),
        ..Limits::default()
    };
    let finished = run(PROGRAMS, &["spin"], b"", limits);
    assert_eq!(finished.status, Some(ExitStatus::Signaled(Signal::KILL)));
}

#[test]
fn a_shell_whose_command_spent_its_budget_is_interrupted_once_and_killed_the_second_time() {
    let limits = Limits {
        process_cpu: Duration::from_millis(20),
        ..Limits::default()
    };
    let clock = ManualClock::new(Duration::from_micros(5));
    let (machine, scheduler) = machine(PROGRAMS, &clock, limits);
    let master = machine.open_terminal(WindowSize::default());
    let leader = machine
        .login_on_terminal(login(&["stubborn"]), &master)
        .unwrap();
    let outside = async {
        for _line in 0..3 {
            assert_eq!(master.output().await.unwrap(), b"stopped\r\n");
            master.input(b"go on\r").await;
            assert_eq!(master.output().await.unwrap(), b"go on\r\n");
        }
        assert_eq!(master.output().await.unwrap(), b"stopped\r\n");
        master.input(b"deaf\r").await;
        leader.wait().await
    };
    let status = drive(&clock, scheduler, outside);
    assert_eq!(status, Some(ExitStatus::Signaled(Signal::KILL)));
}

#[test]
fn a_busy_machine_is_held_to_its_share() {
    let limits = Limits {
        process_cpu: Duration::from_millis(20),
        cpu_burst: Duration::from_millis(1),
        cpu_share_percent: 10,
        ..Limits::default()
    };
    let clock = ManualClock::new(Duration::from_nanos(200));
    let (machine, scheduler) = machine(PROGRAMS, &clock, limits);
    let began = clock.now();
    let (leader, _streams) = machine.login_on_pipes(login(&["spin"])).unwrap();
    let status = drive(&clock, scheduler, leader.wait());
    assert_eq!(status, Some(ExitStatus::Signaled(Signal::KILL)));
    // 20 ms of CPU at a tenth of a core take about 200 ms.
    assert!(clock.now() - began > Duration::from_millis(150));
}

/// Parent and child compute until one of them has done enough; succeeds if the other did about as much.
async fn rivals(proc: &mut Process) -> ExitStatus {
    async fn compute(proc: &Process, own: &AtomicU32, other: &AtomicU32) {
        while own
            .load(Ordering::Relaxed)
            .max(other.load(Ordering::Relaxed))
            < 200_000
        {
            own.fetch_add(1, Ordering::Relaxed);
            proc.tick().await;
        }
    }
    let done: Arc<[AtomicU32; 2]> = Arc::default();
    let shared = Arc::clone(&done);
    let child = proc.fork(move |child| {
        Box::pin(async move {
            compute(&child, &shared[1], &shared[0]).await;
            ExitStatus::SUCCESS
        })
    });
    assert!(child.is_ok());
    compute(proc, &done[0], &done[1]).await;
    let turns = done.each_ref().map(|turns| turns.load(Ordering::Relaxed));
    ExitStatus::Exited(u8::from(turns[0].abs_diff(turns[1]) > 50_000))
}

#[test]
fn two_processes_that_never_wait_have_their_turns_in_turn() {
    let finished = run(PROGRAMS, &["rivals"], b"", Limits::default());
    assert_eq!(finished.status, Some(ExitStatus::SUCCESS));
}

#[test]
fn endless_exec_neither_grows_nor_escapes_the_budget() {
    let limits = Limits {
        process_cpu: Duration::from_millis(3),
        ..Limits::default()
    };
    let finished = run(PROGRAMS, &["again"], b"", limits);
    assert_eq!(finished.status, Some(ExitStatus::Signaled(Signal::KILL)));
}

#[test]
fn a_fork_bomb_meets_the_process_limit_and_ends() {
    let limits = Limits {
        processes: 20,
        machine_cpu: Duration::from_millis(5),
        ..Limits::default()
    };
    assert!(run(PROGRAMS, &["bomb"], b"", limits).status.is_some());
}

#[test]
fn memory_past_the_budget_kills() {
    let finished = run_one(&["hog"], b"");
    assert_eq!(finished.status, Some(ExitStatus::Signaled(Signal::KILL)));
}

#[test]
fn a_terminal_echoes_edits_and_interrupts() {
    let clock = ManualClock::new(Duration::from_nanos(200));
    let (machine, scheduler) = machine(PROGRAMS, &clock, Limits::default());
    let master = machine.open_terminal(WindowSize::default());
    let leader = machine.login_on_terminal(login(&["cat"]), &master).unwrap();
    let outside = async {
        master.input(b"hellp\x7fo\r").await;
        let mut shown = Vec::new();
        while !shown.ends_with(b"hello\r\n") {
            shown.extend(master.output().await.unwrap());
        }
        master.input(b"\x03").await;
        let status = leader.wait().await;
        (shown, status)
    };
    let (shown, status) = drive(&clock, scheduler, outside).unwrap();
    assert_eq!(shown, b"hellp\x08 \x08o\r\nhello\r\n");
    assert_eq!(status, ExitStatus::Signaled(Signal::INT));
}

#[test]
fn a_dropped_machine_ends_its_processes() {
    let clock = ManualClock::new(Duration::from_nanos(200));
    let (machine, scheduler) = machine(PROGRAMS, &clock, Limits::default());
    let (leader, _streams) = machine.login_on_pipes(login(&["napper"])).unwrap();
    drop(scheduler);
    let (_other, other) = testing::machine(PROGRAMS, &clock, Limits::default());
    let status = drive(&clock, other, async { leader.wait().await });
    assert_eq!(status, Some(ExitStatus::Signaled(Signal::KILL)));
}

/// Remembers the programs that were missed.
#[derive(Debug, Default)]
struct Missed(Mutex<Vec<Vec<u8>>>);

impl Observer for Missed {
    fn observe(&self, observation: Observation) {
        match observation {
            Observation::MissingProgram { path, args, .. } => {
                let line = [path, args.join(&b' ')].join(&b'|');
                lock(&self.0).push(line);
            }
            Observation::ForeignExecutable { path, .. } => {
                lock(&self.0).push([b"foreign|".as_slice(), &path].concat());
            }
            _ => {}
        }
    }
    fn download(&self, download: Download) -> Box<dyn Capture> {
        NoObserver.download(download)
    }
}

#[test]
fn a_program_of_the_image_that_is_not_emulated_may_not_be_run_and_is_told_of() {
    // Every executable of the image is there, the program table has one of them.
    let clock = ManualClock::new(Duration::from_nanos(200));
    let mut config = testing::config(PROGRAMS, &clock, Limits::default());
    config.programs = Arc::new(ProgramTable::new([Program {
        name: "again",
        run: |p| Box::pin(try_all(p)),
    }]));
    let missed = Arc::new(Missed::default());
    config.observer = Arc::clone(&missed) as Arc<dyn Observer>;
    let (machine, scheduler) = Machine::new(config);
    let (leader, mut streams) = machine.login_on_pipes(login(&["again"])).unwrap();
    let mut said = Vec::new();
    let outside = async {
        while let Some(bytes) = streams.stdout.read().await {
            said.extend(bytes);
        }
        leader.wait().await
    };
    drive(&clock, scheduler, outside).unwrap();
    assert_eq!(said, b"Permission denied\nPermission denied\n");
    let seen = lock(&missed.0).clone();
    assert_eq!(
        seen,
        [
            b"/usr/bin/cat|cat -v".to_vec(),
            b"/tmp/copy|cat -v".to_vec()
        ]
    );
}

/// Runs a program that is missing, then a copy of it.
async fn try_all(proc: &mut Process) -> ExitStatus {
    let mut head = vec![0; 2000];
    let from = proc
        .open(b"/usr/bin/cat", OpenFlags::READ, 0)
        .await
        .unwrap();
    let count = proc.read(from, &mut head).await.unwrap();
    let flags = OpenFlags {
        write: true,
        create: true,
        ..OpenFlags::READ
    };
    let to = proc.open(b"/tmp/copy", flags, 0o755).await.unwrap();
    proc.write_all(to, &head[..count]).await.unwrap();
    for path in [b"/usr/bin/cat".as_slice(), b"/tmp/copy"] {
        let args = vec![b"cat".to_vec(), b"-v".to_vec()];
        let env = proc.env().clone();
        let why = proc.exec(path, args, env).await;
        proc.print(format!("{}\n", why.message()).as_bytes())
            .await
            .unwrap();
    }
    proc.status()
}

/// Two machines of one source, then one of another, on one clock; each with its scheduler.
fn neighbours(
    limits: &Limits,
    together: Together,
    cpu: SourceCpu,
) -> ([Pair; 3], Arc<ManualClock>) {
    let clock = ManualClock::new(Duration::from_nanos(500));
    let all = Totals::new(Holder::Sensor, Together::all(), None);
    let account = || {
        Arc::new(Account::new(
            Totals::new(Holder::Source, together, Some(&all)),
            cpu,
        ))
    };
    let (first, second) = (account(), account());
    let machines = [&first, &first, &second].map(|account| {
        let mut config = testing::config(PROGRAMS, &clock, limits.clone());
        account.totals().count(&mut lock(&config.vfs));
        config.source = Some(Arc::clone(account));
        Machine::new(config)
    });
    (machines, clock)
}

type Pair = (Machine, Scheduler);

/// Holds 20 MiB until its input ends.
async fn hold(proc: &mut Process) -> ExitStatus {
    let mut memory = proc.memory();
    if memory.grow(20 << 20).is_err() {
        proc.out_of_memory().await;
    }
    proc.write_all(STDOUT, b"held\n").await.unwrap();
    let mut rest = [0; 8];
    while proc
        .read(STDIN, &mut rest)
        .await
        .is_ok_and(|count| count > 0)
    {}
    ExitStatus::SUCCESS
}

#[test]
fn memory_and_processes_are_counted_for_the_source_and_not_for_its_neighbour() {
    let together = Together {
        processes: 2,
        memory_bytes: 30 << 20,
        ..Together::default()
    };
    let (machines, clock) = neighbours(&Limits::default(), together, SourceCpu::default());
    let [
        (one, mut one_runs),
        (two, mut two_runs),
        (other, mut other_runs),
    ] = machines;
    let (first, mut streams) = one.login_on_pipes(login(&["hold"])).unwrap();
    let held = drive_on(&clock, &mut one_runs, streams.stdout.read());
    assert_eq!(held.flatten().as_deref(), Some(b"held\n".as_slice()));

    let (second, second_streams) = two.login_on_pipes(login(&["hold"])).unwrap();
    assert!(
        one.login_on_pipes(login(&["cat"])).is_err(),
        "a third process of the source"
    );
    let ended = drive_on(&clock, &mut two_runs, second.wait());
    assert_eq!(ended, Some(ExitStatus::Signaled(Signal::KILL)));
    drop(second_streams);

    let (third, mut others) = other.login_on_pipes(login(&["hold"])).unwrap();
    let held = drive_on(&clock, &mut other_runs, others.stdout.read());
    assert_eq!(held.flatten().as_deref(), Some(b"held\n".as_slice()));
    drop(others.stdin);
    let ended = drive_on(&clock, &mut other_runs, third.wait());
    assert_eq!(ended, Some(ExitStatus::SUCCESS));

    // What a machine held is free when it is gone.
    drop((one, one_runs, first, streams));
    let (_again, mut streams) = two.login_on_pipes(login(&["hold"])).unwrap();
    let held = drive_on(&clock, &mut two_runs, streams.stdout.read());
    assert_eq!(held.flatten().as_deref(), Some(b"held\n".as_slice()));
}

#[test]
fn cpu_time_is_counted_for_the_source_and_not_for_its_neighbour() {
    let cpu = SourceCpu {
        time: Duration::from_millis(60),
        burst: Duration::from_millis(10),
        share_percent: 10,
    };
    let limits = Limits {
        process_cpu: Duration::from_secs(5),
        cpu_share_percent: 100,
        ..Limits::default()
    };
    let (machines, clock) = neighbours(&limits, Together::default(), cpu);
    let [
        (one, mut one_runs),
        (two, mut two_runs),
        (other, mut other_runs),
    ] = machines;
    let began = clock.now();
    let (_shell, _streams) = one.login_on_pipes(login(&["brood"])).unwrap();
    let (_other_shell, mut streams) = one.login_on_pipes(login(&["brood"])).unwrap();
    let ended = drive_on(&clock, &mut one_runs, streams.stdout.read());
    assert_eq!(ended.flatten().as_deref(), Some(b"killed\n".as_slice()));
    // The tenth of a core, but for what may be used at once.
    assert!(clock.now() - began > Duration::from_millis(400));
    let (_third, mut streams) = two.login_on_pipes(login(&["brood"])).unwrap();
    let refused = drive_on(&clock, &mut two_runs, streams.stdout.read());
    assert_eq!(refused.flatten().as_deref(), Some(b"no fork\n".as_slice()));
    let began = clock.now();
    let (_fourth, mut streams) = other.login_on_pipes(login(&["cat"])).unwrap();
    drop(streams.stdin);
    let said = drive_on(&clock, &mut other_runs, streams.stdout.read());
    assert_eq!(said, Some(None));
    assert!(clock.now() - began < Duration::from_millis(5));
}

/// Writes until it is killed.
async fn flood(proc: &mut Process) -> ExitStatus {
    while proc.write_all(STDOUT, &[b'x'; 4096]).await.is_ok() {}
    ExitStatus::FAILURE
}

#[test]
fn output_without_a_terminal_is_counted_for_the_source_and_not_for_its_neighbour() {
    let together = Together {
        output_bytes: 100_000,
        ..Together::default()
    };
    let (machines, clock) = neighbours(&Limits::default(), together, SourceCpu::default());
    let mut sent = Vec::new();
    for (machine, mut runs) in machines {
        let (leader, mut streams) = machine.login_on_pipes(login(&["flood"])).unwrap();
        let flooded = drive_on(&clock, &mut runs, async {
            let mut count = 0;
            while let Some(bytes) = streams.stdout.read().await {
                count += bytes.len();
            }
            (count, leader.wait().await)
        });
        let (count, ended) = flooded.unwrap();
        assert_eq!(ended, ExitStatus::Signaled(Signal::KILL));
        sent.push(count.div_ceil(10_000));
    }
    assert_eq!(sent, [11, 0, 11]);
}

/// Has a child compute until it is killed.
async fn brood(proc: &mut Process) -> ExitStatus {
    let child = proc.fork(|mut child| Box::pin(async move { spin(&mut child).await }));
    let Ok(child) = child else {
        proc.write_all(STDOUT, b"no fork\n").await.unwrap();
        return ExitStatus::FAILURE;
    };
    let ended = proc.wait(WaitFor::Pid(child), false, true).await.unwrap();
    let killed = ChildEvent::Ended(ExitStatus::Signaled(Signal::KILL));
    assert_eq!(ended, Some((child, killed)));
    proc.write_all(STDOUT, b"killed\n").await.unwrap();
    ExitStatus::SUCCESS
}
