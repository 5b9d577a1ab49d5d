//! Limits that a process sets itself: who may change them, who inherits them, what happens at each.

use std::time::Duration;

use sundew_vfs::{Credentials, Errno};

use crate::budget::Limits;
use crate::descriptor::OpenFlags;
use crate::process::WaitFor;
use crate::program::Program;
use crate::rlimit::{INFINITY, Limit, NR_OPEN, Resource};
use crate::signal::Disposition;
use crate::status::ChildEvent;
use crate::testing::{ManualClock, drive, login, machine, run};
use crate::{ExitStatus, Process, STDIN, Signal};

const PROGRAMS: &[Program] = &[Program {
    name: "limited",
    run: |p| Box::pin(limited(p)),
}];

fn soft(value: u64) -> Limit {
    Limit {
        soft: value,
        hard: INFINITY,
    }
}

fn nobody() -> Credentials {
    Credentials {
        uid: 65_534,
        gid: 65_534,
        groups: vec![65_534],
    }
}

/// Does what its argument says and exits 0 if everything was as it should be.
async fn limited(proc: &mut Process) -> ExitStatus {
    let case = proc.args()[1].clone();
    match case.as_slice() {
        b"change" => change(proc),
        b"inherit" => inherit(proc).await,
        b"files" => files(proc).await,
        b"processes" => processes(proc).await,
        b"size" => size(proc).await,
        b"size-ignored" => size_ignored(proc).await,
        b"memory" => memory(proc),
        b"cpu" => cpu(proc).await,
        b"cpu-caught" => cpu_caught(proc).await,
        _ => return ExitStatus::FAILURE,
    }
    ExitStatus::SUCCESS
}

fn ok(case: &str) -> Option<ExitStatus> {
    run(PROGRAMS, &["limited", case], b"", Limits::default()).status
}

fn change(proc: &Process) {
    assert_eq!(
        proc.limit(Resource::Descriptors),
        Limit {
            soft: 1024,
            hard: NR_OPEN
        }
    );
    let above = Limit { soft: 3, hard: 2 };
    assert_eq!(proc.set_limit(Resource::Core, above), Err(Errno::Einval));
    let beyond = Limit {
        soft: 3,
        hard: NR_OPEN + 1,
    };
    assert_eq!(
        proc.set_limit(Resource::Descriptors, beyond),
        Err(Errno::Eperm)
    );
    let both = |value| Limit {
        soft: value,
        hard: value,
    };
    proc.set_limit(Resource::Core, both(10)).unwrap();
    proc.set_limit(Resource::Core, both(11)).unwrap();
    proc.set_credentials(nobody());
    proc.set_limit(Resource::Core, both(10)).unwrap();
    assert_eq!(proc.set_limit(Resource::Core, both(11)), Err(Errno::Eperm));
    assert_eq!(
        proc.limit_of(999_999, Resource::Core, None),
        Err(Errno::Esrch)
    );
    let old = proc
        .limit_of(proc.pid(), Resource::Core, Some(both(4)))
        .unwrap();
    assert_eq!((old, proc.limit(Resource::Core)), (both(10), both(4)));
}

async fn inherit(proc: &mut Process) {
    proc.set_limit(Resource::Core, soft(77)).unwrap();
    let child = proc
        .fork(|child| {
            Box::pin(async move {
                assert_eq!(child.limit(Resource::Core).soft, 77);
                child.set_limit(Resource::Core, soft(78)).unwrap();
                ExitStatus::SUCCESS
            })
        })
        .unwrap();
    let ended = proc.wait(WaitFor::Pid(child), false, true).await.unwrap();
    let well = ChildEvent::Ended(ExitStatus::SUCCESS);
    assert_eq!(ended, Some((child, well)));
    assert_eq!(proc.limit(Resource::Core).soft, 77);
    let fd = proc
        .open(b"/proc/self/limits", OpenFlags::READ, 0)
        .await
        .unwrap();
    let mut text = vec![0; 4096];
    let count = proc.read(fd, &mut text).await.unwrap();
    let text = String::from_utf8_lossy(&text[..count]).into_owned();
    assert!(
        text.contains(
            "Max core file size        77                   unlimited            bytes     \n"
        ),
        "{text}"
    );
}

fn descriptors(soft: u64) -> Limit {
    Limit {
        soft,
        hard: NR_OPEN,
    }
}

async fn files(proc: &mut Process) {
    proc.set_limit(Resource::Descriptors, descriptors(4))
        .unwrap();
    assert_eq!(proc.duplicate_from(STDIN, 0), Ok(3));
    assert_eq!(proc.duplicate_from(STDIN, 0), Err(Errno::Emfile));
    assert_eq!(proc.duplicate_to(STDIN, 4), Err(Errno::Ebadf));
    proc.set_limit(Resource::Descriptors, descriptors(5))
        .unwrap();
    assert_eq!(proc.duplicate_from(STDIN, 0), Ok(4));
}

async fn processes(proc: &mut Process) {
    let child =
        |_| -> crate::process::exec::ChildFuture { Box::pin(async { ExitStatus::SUCCESS }) };
    proc.set_limit(Resource::Processes, soft(1)).unwrap();
    proc.fork(child).expect("root is exempt");
    proc.set_credentials(nobody());
    assert_eq!(proc.fork(child), Err(Errno::Eagain));
    proc.set_limit(Resource::Processes, soft(2)).unwrap();
    proc.fork(child).expect("room for one");
    assert_eq!(proc.fork(child), Err(Errno::Eagain));
}

async fn size(proc: &mut Process) {
    let fd = proc
        .open(b"/tmp/f", OpenFlags::CREATE, 0o644)
        .await
        .unwrap();
    proc.set_limit(Resource::FileSize, soft(10)).unwrap();
    assert_eq!(proc.write(fd, b"12345678").await, Ok(8));
    assert_eq!(proc.write(fd, b"12345678").await, Ok(2));
    let _killed = proc.write(fd, b"1").await;
}

async fn size_ignored(proc: &mut Process) {
    proc.set_disposition(Signal::XFSZ, Disposition::Ignore);
    proc.set_limit(Resource::FileSize, soft(10)).unwrap();
    let fd = proc
        .open(b"/tmp/f", OpenFlags::APPEND, 0o644)
        .await
        .unwrap();
    assert_eq!(proc.write_all(fd, &[0; 11]).await, Err(Errno::Efbig));
    assert_eq!(proc.truncate(fd, 11), Err(Errno::Efbig));
    proc.truncate(fd, 9).unwrap();
    assert_eq!(proc.write(fd, b"ab").await, Ok(1));
}

fn memory(proc: &Process) {
    let mut held = proc.memory();
    held.grow(5000).unwrap();
    proc.set_limit(Resource::Data, soft(6000)).unwrap();
    assert_eq!(proc.memory().grow(1001), Err(Errno::Enomem));
    proc.memory().grow(1000).unwrap();
    proc.set_limit(Resource::Data, soft(INFINITY)).unwrap();
    // Less than the program itself takes.
    proc.set_limit(Resource::AddressSpace, soft(4096)).unwrap();
    assert_eq!(proc.memory().grow(1), Err(Errno::Enomem));
}

async fn cpu(proc: &mut Process) {
    proc.set_limit(Resource::Cpu, soft(1)).unwrap();
    loop {
        proc.tick().await;
    }
}

async fn cpu_caught(proc: &mut Process) {
    proc.set_disposition(Signal::XCPU, Disposition::Catch);
    proc.set_limit(Resource::Cpu, Limit { soft: 1, hard: 2 })
        .unwrap();
    loop {
        proc.tick().await;
        if proc.take_signal() == Some(Signal::XCPU) {
            let seconds = proc.cpu_times().0.as_secs();
            proc.print_error(format!("{seconds}\n").as_bytes()).await;
        }
    }
}

#[test]
fn only_root_raises_a_hard_limit_and_nobody_the_kernels_own() {
    assert_eq!(ok("change"), Some(ExitStatus::SUCCESS));
}

#[test]
fn children_inherit_limits_and_change_their_own_only() {
    assert_eq!(ok("inherit"), Some(ExitStatus::SUCCESS));
}

#[test]
fn a_process_has_as_many_descriptors_as_its_limit_says() {
    assert_eq!(ok("files"), Some(ExitStatus::SUCCESS));
}

#[test]
fn a_user_has_as_many_processes_as_the_limit_says_and_root_more() {
    assert_eq!(ok("processes"), Some(ExitStatus::SUCCESS));
}

#[test]
fn a_file_that_grows_too_large_ends_its_writer() {
    assert_eq!(ok("size"), Some(ExitStatus::Signaled(Signal::XFSZ)));
    assert_eq!(ok("size-ignored"), Some(ExitStatus::SUCCESS));
}

#[test]
fn memory_past_the_own_limit_is_not_given() {
    assert_eq!(ok("memory"), Some(ExitStatus::SUCCESS));
}

#[test]
fn cpu_past_the_soft_limit_warns_each_second_and_past_the_hard_one_kills() {
    let run_long = |case| {
        // Large steps: seconds of the machine's time in a moment of ours.
        let clock = ManualClock::new(Duration::from_micros(50));
        let (machine, scheduler) = machine(PROGRAMS, &clock, Limits::default());
        let login = login(&["limited", case]);
        let (leader, mut streams) = machine.login_on_pipes(login).unwrap();
        let outside = async {
            let said = streams.stderr.read().await;
            (leader.wait().await, said)
        };
        drive(&clock, scheduler, outside).unwrap()
    };
    let killed = ExitStatus::Signaled(Signal::KILL);
    assert_eq!(run_long("cpu"), (ExitStatus::Signaled(Signal::XCPU), None));
    assert_eq!(run_long("cpu-caught"), (killed, Some(b"1\n".to_vec())));
}
