//! Signals, stops, ends and inheritance of processes, in an order drawn at random, against a model.

use proptest::prelude::*;

use crate::budget::Limits;
use crate::process::WaitFor;
use crate::program::Program;
use crate::signal::Disposition;
use crate::status::ChildEvent;
use crate::testing::{Draw, argument, run};
use crate::{Errno, ExitStatus, Fd, Pid, Process, Signal};

const PROGRAMS: &[Program] = &[
    Program {
        name: "family",
        run: |p| Box::pin(family(p)),
    },
    Program {
        name: "records",
        run: |p| Box::pin(records(p)),
    },
];

/// What the model knows of a child.
struct Child {
    pid: Pid,
    stopped: bool,
    /// A signal that ends it as soon as it goes on.
    doomed: Option<Signal>,
    /// What it says.
    says: Fd,
    /// What it is told.
    told: Fd,
}

/// A child: answers `SIGUSR1` with `u`, ignores `SIGUSR2`, and does what it is told: `x` and a byte ends it
/// with that status, `o` leaves an orphan behind, which says `o` when init is its parent.
async fn child_main(proc: Process, from: Fd, to: Fd) -> ExitStatus {
    loop {
        let mut order = [0; 2];
        match proc.read(from, &mut order).await {
            Ok(2) if order[0] == b'x' => return ExitStatus::Exited(order[1]),
            Ok(2) => {
                let orphan = proc.fork(move |orphan| {
                    Box::pin(async move {
                        while orphan.ppid() != 1 {
                            orphan.tick().await;
                        }
                        orphan.write_all(to, b"o").await.unwrap();
                        ExitStatus::SUCCESS
                    })
                });
                assert!(orphan.is_ok());
                return ExitStatus::Exited(order[1]);
            }
            Err(Errno::Eintr) => {
                while let Some(signal) = proc.take_signal() {
                    assert_eq!(signal, Signal::USR1);
                    proc.write_all(to, b"u").await.unwrap();
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn born(proc: &Process) -> Child {
    let ((from, told), (says, to)) = (proc.pipe().unwrap(), proc.pipe().unwrap());
    let pid = proc
        .fork(move |child| {
            Box::pin(async move {
                child.close(told).unwrap();
                child.close(says).unwrap();
                child.set_disposition(Signal::USR1, Disposition::Catch);
                child.set_disposition(Signal::USR2, Disposition::Ignore);
                child.write_all(to, b"b").await.unwrap();
                child_main(child, from, to).await
            })
        })
        .unwrap();
    proc.close(from).unwrap();
    proc.close(to).unwrap();
    proc.set_group(pid, 0).unwrap();
    let child = Child {
        pid,
        stopped: false,
        doomed: None,
        says,
        told,
    };
    child.heard(proc, b'b').await;
    child
}

impl Child {
    async fn heard(&self, proc: &Process, expected: u8) {
        let mut said = [0];
        let count = loop {
            match proc.read(self.says, &mut said).await {
                Err(Errno::Eintr) => assert_eq!(proc.take_signal(), Some(Signal::CHLD)),
                other => break other,
            }
        };
        assert_eq!((count, said[0]), (Ok(1), expected));
    }

    async fn event(&self, proc: &Process) -> ChildEvent {
        loop {
            match proc.wait(WaitFor::Pid(self.pid), true, true).await {
                Ok(Some((_, event))) => return event,
                // A child that stops or ends tells of it.
                Err(Errno::Eintr) => assert_eq!(proc.take_signal(), Some(Signal::CHLD)),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn nothing_happens(&self, proc: &Process) {
        for _ in 0..50 {
            proc.tick().await;
        }
        let seen = proc.wait(WaitFor::Pid(self.pid), true, false).await;
        assert_eq!(seen, Ok(None));
    }

    fn buried(&self, proc: &Process) {
        proc.close(self.says).unwrap();
        proc.close(self.told).unwrap();
        assert_eq!(proc.kill(self.pid, None), Err(Errno::Esrch));
    }

    /// One thing happens to it; whether it is still there.
    async fn step(&mut self, proc: &Process, draw: &mut Draw) -> bool {
        let send = |signal| {
            // A signal to its group of one is a signal to it.
            if signal == Signal::USR2 {
                proc.kill_group(self.pid, Some(signal)).unwrap();
            } else {
                proc.kill(self.pid, Some(signal)).unwrap();
            }
        };
        match draw.below(9) {
            0 if !self.stopped => {
                send(Signal::STOP);
                assert_eq!(self.event(proc).await, ChildEvent::Stopped(Signal::STOP));
                self.stopped = true;
            }
            1 if self.stopped => {
                send(Signal::CONT);
                self.stopped = false;
                if let Some(signal) = self.doomed {
                    let mut event = self.event(proc).await;
                    if event == ChildEvent::Continued {
                        event = self.event(proc).await;
                    }
                    assert_eq!(event, ChildEvent::Ended(ExitStatus::Signaled(signal)));
                    return false;
                }
                assert_eq!(self.event(proc).await, ChildEvent::Continued);
            }
            2 if !self.stopped => {
                send(Signal::CONT);
                self.nothing_happens(proc).await;
            }
            3 if !self.stopped => {
                send(Signal::USR1);
                self.heard(proc, b'u').await;
            }
            4 => {
                send(Signal::USR2);
                self.nothing_happens(proc).await;
            }
            5 if self.stopped => {
                send(Signal::TERM);
                self.doomed.get_or_insert(Signal::TERM);
                self.nothing_happens(proc).await;
            }
            6 if draw.below(3) == 0 => {
                send(Signal::KILL);
                let killed = ChildEvent::Ended(ExitStatus::Signaled(Signal::KILL));
                assert_eq!(self.event(proc).await, killed);
                return false;
            }
            7 if !self.stopped && draw.below(3) == 0 => {
                let code = draw.below(256).to_le_bytes()[0];
                proc.write_all(self.told, &[b'x', code]).await.unwrap();
                let ended = ChildEvent::Ended(ExitStatus::Exited(code));
                assert_eq!(self.event(proc).await, ended);
                return false;
            }
            8 if !self.stopped && draw.below(3) == 0 => {
                proc.write_all(self.told, b"o\x05").await.unwrap();
                let ended = ChildEvent::Ended(ExitStatus::Exited(5));
                assert_eq!(self.event(proc).await, ended);
                self.heard(proc, b'o').await;
                // Its end is the last one's, and comes after all that was said.
                while proc.take_signal().is_some() {}
                let mut said = [0];
                assert_eq!(proc.read(self.says, &mut said).await, Ok(0));
                return false;
            }
            _ => {}
        }
        true
    }
}

/// `family SEED STEPS`: as above with up to five children.
async fn family(proc: &mut Process) -> ExitStatus {
    let (seed, steps) = (argument(proc, 1), argument(proc, 2));
    proc.set_disposition(Signal::CHLD, Disposition::Catch);
    let mut draw = Draw(seed);
    let mut children: Vec<Child> = Vec::new();
    let proc = &*proc;
    for _ in 0..steps {
        let which = usize::try_from(draw.below(5)).unwrap();
        if which >= children.len() {
            // What was signalled before belongs to others.
            while proc.take_signal().is_some() {}
            children.push(born(proc).await);
            continue;
        }
        while proc.take_signal().is_some() {}
        if !children[which].step(proc, &mut draw).await {
            children.swap_remove(which).buried(proc);
        }
    }
    // All that are left, stopped or not, at once.
    for child in &children {
        proc.kill(child.pid, Some(Signal::KILL)).unwrap();
    }
    for _ in &children {
        while proc.take_signal().is_some() {}
        loop {
            match proc.wait(WaitFor::Any, false, true).await {
                Ok(Some((_, ChildEvent::Ended(ExitStatus::Signaled(Signal::KILL))))) => break,
                Err(Errno::Eintr) => while proc.take_signal().is_some() {},
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(
        proc.wait(WaitFor::Any, false, true).await,
        Err(Errno::Echild)
    );
    // No zombie is left, nor any orphan.
    let left: Vec<Pid> = proc
        .processes()
        .iter()
        .map(|process| process.pid)
        .filter(|pid| *pid >= 1000)
        .collect();
    assert_eq!(left, [proc.pid()]);
    ExitStatus::SUCCESS
}

/// Most bytes of a record with its head; the most that a pipe never mixes with others.
const RECORD: u64 = 4096;

/// Has a child stop, let go on and interrupt the others.
fn disturb(proc: &Process, pids: Vec<Pid>, from: Fd, seed: u64, count: u64) {
    proc.fork(move |child| {
        Box::pin(async move {
            child.close(from).unwrap();
            let mut draw = Draw(seed);
            for _ in 0..count * pids.len() as u64 {
                let pid = pids[usize::try_from(draw.below(pids.len() as u64)).unwrap()];
                let signals = [Signal::STOP, Signal::CONT, Signal::CONT, Signal::USR1];
                let signal = signals[usize::try_from(draw.below(4)).unwrap()];
                // It may be done already.
                let _gone = child.kill(pid, Some(signal));
                child.tick().await;
            }
            for pid in pids {
                let _gone = child.kill(pid, Some(Signal::CONT));
            }
            ExitStatus::SUCCESS
        })
    })
    .unwrap();
}

/// `records SEED WRITERS COUNT`: writers send records to one reader while signals disturb them all; every
/// record comes whole, those of one writer come in order, and the end comes after the last.
async fn records(proc: &mut Process) -> ExitStatus {
    let (seed, writers, count) = (argument(proc, 1), argument(proc, 2), argument(proc, 3));
    let (from, to) = proc.pipe().unwrap();
    proc.set_disposition(Signal::USR1, Disposition::Catch);
    let mut pids = Vec::new();
    for writer in 0..writers {
        let body = move |child: Process| -> crate::process::exec::ChildFuture {
            Box::pin(async move {
                let mut draw = Draw(seed ^ writer.wrapping_mul(77));
                child.close(from).unwrap();
                for number in 0..count {
                    let size = 4 + draw.below(RECORD - 3);
                    let mut record = vec![writer.to_le_bytes()[0]; usize::try_from(size).unwrap()];
                    record[1] = number.to_le_bytes()[0];
                    record[2..4].copy_from_slice(&size.to_le_bytes()[..2]);
                    loop {
                        match child.write(to, &record).await {
                            Ok(written) => break assert_eq!(written, record.len()),
                            Err(Errno::Eintr) => while child.take_signal().is_some() {},
                            Err(errno) => panic!("{errno}"),
                        }
                    }
                    if draw.below(3) == 0 {
                        child.tick().await;
                    }
                }
                ExitStatus::SUCCESS
            })
        };
        pids.push(proc.fork(body).unwrap());
    }
    proc.close(to).unwrap();
    disturb(proc, pids, from, seed, count);
    let mut draw = Draw(seed ^ 99);
    let (mut held, mut next) = (Vec::new(), vec![0_u64; usize::try_from(writers).unwrap()]);
    loop {
        let mut buffer = vec![0; usize::try_from(1 + draw.below(9000)).unwrap()];
        let got = proc.read(from, &mut buffer).await.unwrap();
        if got == 0 {
            break;
        }
        held.extend_from_slice(&buffer[..got]);
        while held.len() >= 4 {
            let size = usize::from(u16::from_le_bytes([held[2], held[3]]));
            if held.len() < size {
                break;
            }
            let record: Vec<u8> = held.drain(..size).collect();
            let writer = usize::from(record[0]);
            assert_eq!(u64::from(record[1]), next[writer]);
            assert!(record[4..].iter().all(|byte| usize::from(*byte) == writer));
            next[writer] += 1;
        }
    }
    assert!(held.is_empty() && next.iter().all(|seen| *seen == count));
    for _ in 0..=writers {
        let ended = proc.wait(WaitFor::Any, false, true).await;
        assert!(matches!(
            ended,
            Ok(Some((_, ChildEvent::Ended(ExitStatus::SUCCESS))))
        ));
    }
    ExitStatus::SUCCESS
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn children_are_as_the_model_has_them_whatever_happens_in_which_order(seed: u64) {
        let seed = seed.to_string();
        let finished = run(PROGRAMS, &["family", &seed, "120"], b"", Limits::default());
        prop_assert_eq!(finished.status, Some(ExitStatus::SUCCESS), "{:?}", finished);
    }

    #[test]
    fn records_come_whole_and_in_order_from_any_number_of_writers(
        seed: u64,
        writers in 1u64..6,
        count in 1u64..30,
    ) {
        let (seed, writers, count) = (seed.to_string(), writers.to_string(), count.to_string());
        let args = ["records", &seed, &writers, &count];
        let finished = run(PROGRAMS, &args, b"", Limits::default());
        prop_assert_eq!(finished.status, Some(ExitStatus::SUCCESS), "{:?}", finished);
    }
}
