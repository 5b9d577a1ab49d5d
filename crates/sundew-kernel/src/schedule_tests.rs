//! Pipes, FIFOs and signals under schedules drawn at random: what is written is read, in order and to
//! the last byte, however often both sides are stopped, interrupted and made to wait.

use std::time::Duration;

use proptest::prelude::*;
use sundew_vfs::FileType;

use crate::budget::Limits;
use crate::descriptor::OpenFlags;
use crate::process::WaitFor;
use crate::program::Program;
use crate::signal::Disposition;
use crate::status::ChildEvent;
use crate::testing::{Draw, argument, run};
use crate::{Errno, ExitStatus, Fd, Process, Signal};

const PROGRAMS: &[Program] = &[
    Program {
        name: "through",
        run: |p| Box::pin(through(p)),
    },
    Program {
        name: "killed",
        run: |p| Box::pin(killed(p)),
    },
];

/// The byte at this place of the stream.
fn byte_at(place: u64) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]
}

/// Rests for a moment, or gives way, or does neither.
async fn dawdle(proc: &Process, draw: &mut Draw) {
    match draw.below(4) {
        0 => drop(proc.sleep(Duration::from_micros(draw.below(500))).await),
        1 => proc.tick().await,
        _ => {}
    }
}

async fn write_stream(proc: &Process, fd: Fd, total: u64, draw: &mut Draw) -> ExitStatus {
    let mut at = 0;
    while at < total {
        let count = (1 + draw.below(9000)).min(total - at);
        let bytes: Vec<u8> = (at..at + count).map(byte_at).collect();
        match proc.write(fd, &bytes).await {
            Ok(written) => at += written as u64,
            Err(Errno::Eintr) => while proc.take_signal().is_some() {},
            Err(_) => return ExitStatus::FAILURE,
        }
        dawdle(proc, draw).await;
    }
    ExitStatus::SUCCESS
}

/// Reads to the end; the number of bytes, or `None` when one is not as it was written.
async fn read_stream(proc: &Process, fd: Fd, draw: &mut Draw) -> Option<u64> {
    let mut at = 0;
    loop {
        let size = usize::try_from(1 + draw.below(5000)).unwrap_or(1);
        let mut buffer = vec![0; size];
        match proc.read(fd, &mut buffer).await {
            Ok(0) => return Some(at),
            Ok(count) => {
                for &byte in &buffer[..count] {
                    if byte != byte_at(at) {
                        return None;
                    }
                    at += 1;
                }
            }
            Err(Errno::Eintr) => while proc.take_signal().is_some() {},
            Err(_) => return None,
        }
        dawdle(proc, draw).await;
    }
}

/// `through SEED TOTAL FIFO SIGNALS`: sends TOTAL bytes through a pipe or FIFO between two children and
/// disturbs them with signals; prints how many arrived.
async fn through(proc: &mut Process) -> ExitStatus {
    let (seed, total) = (argument(proc, 1), argument(proc, 2));
    let (fifo, signals) = (argument(proc, 3) == 1, argument(proc, 4));
    let ends = if fifo {
        let made = proc.make_node(b"/tmp/fifo", FileType::Fifo, 0o600, (0, 0));
        assert_eq!(made, Ok(()));
        None
    } else {
        Some(proc.pipe().unwrap())
    };
    // A caught signal interrupts what waits, as one does in a program with handlers.
    proc.set_disposition(Signal::USR1, Disposition::Catch);
    let writer = proc
        .fork(move |child| {
            Box::pin(async move {
                let mut draw = Draw(seed ^ 0x55);
                let fd = open(&child, ends.map(|(_, to)| to), OpenFlags::WRITE).await;
                close(&child, ends.map(|(from, _)| from));
                write_stream(&child, fd, total, &mut draw).await
            })
        })
        .unwrap();
    let reader = proc
        .fork(move |mut child| {
            Box::pin(async move {
                let mut draw = Draw(seed ^ 0xaa);
                let fd = open(&child, ends.map(|(from, _)| from), OpenFlags::READ).await;
                close(&child, ends.map(|(_, to)| to));
                let count = read_stream(&child, fd, &mut draw).await;
                let text = count.map_or("damaged".to_owned(), |count| count.to_string());
                child.print(text.as_bytes()).await.unwrap();
                child.flush().await.unwrap();
                ExitStatus::SUCCESS
            })
        })
        .unwrap();
    close(proc, ends.map(|(from, _)| from));
    close(proc, ends.map(|(_, to)| to));
    let mut draw = Draw(seed);
    for _ in 0..signals {
        let target = if draw.below(2) == 0 { writer } else { reader };
        let signal = [Signal::STOP, Signal::CONT, Signal::USR1][draw.below(3) as usize];
        // Whoever is done already cannot be disturbed.
        let _gone = proc.kill(target, Some(signal));
        dawdle(proc, &mut draw).await;
    }
    for child in [writer, reader] {
        let _gone = proc.kill(child, Some(Signal::CONT));
    }
    for child in [writer, reader] {
        loop {
            match proc.wait(WaitFor::Pid(child), false, true).await {
                Ok(Some((_, ChildEvent::Ended(ExitStatus::Exited(0))))) => break,
                Err(Errno::Eintr) => while proc.take_signal().is_some() {},
                _ => return ExitStatus::FAILURE,
            }
        }
    }
    ExitStatus::SUCCESS
}

async fn open(proc: &Process, end: Option<Fd>, flags: OpenFlags) -> Fd {
    loop {
        match end {
            Some(fd) => return fd,
            None => match proc.open(b"/tmp/fifo", flags, 0).await {
                Ok(fd) => return fd,
                Err(Errno::Eintr) => while proc.take_signal().is_some() {},
                Err(errno) => panic!("{errno}"),
            },
        }
    }
}

fn close(proc: &Process, end: Option<Fd>) {
    if let Some(fd) = end {
        proc.close(fd).unwrap();
    }
}

/// `killed SEED`: a writer without end whose reader goes away; prints what ended it.
async fn killed(proc: &mut Process) -> ExitStatus {
    let seed = argument(proc, 1);
    let (from, to) = proc.pipe().unwrap();
    let writer = proc
        .fork(move |child| {
            Box::pin(async move {
                let mut draw = Draw(seed);
                child.close(from).unwrap();
                write_stream(&child, to, u64::MAX, &mut draw).await
            })
        })
        .unwrap();
    proc.close(to).unwrap();
    let mut draw = Draw(seed ^ 1);
    let mut buffer = vec![0; 4096];
    for _ in 0..draw.below(20) {
        let read = proc.read(from, &mut buffer).await;
        assert!(read.is_ok_and(|count| count > 0));
    }
    proc.close(from).unwrap();
    match proc.wait(WaitFor::Pid(writer), false, true).await {
        Ok(Some((_, ChildEvent::Ended(ExitStatus::Signaled(Signal::PIPE))))) => ExitStatus::SUCCESS,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read_whatever_disturbs_it(
        seed: u64,
        total in 0u64..300_000,
        fifo: bool,
        signals in 0u64..60,
    ) {
        let fifo = u8::from(fifo).to_string();
        let (seed, sent, signals) = (seed.to_string(), total.to_string(), signals.to_string());
        let args = ["through", &seed, &sent, &fifo, &signals];
        let finished = run(PROGRAMS, &args, b"", Limits::default());
        prop_assert_eq!(finished.status, Some(ExitStatus::SUCCESS), "{:?}", finished);
        prop_assert_eq!(String::from_utf8(finished.stdout).unwrap(), total.to_string());
    }

    #[test]
    fn a_writer_without_a_reader_is_ended_by_sigpipe(seed: u64) {
        let seed = seed.to_string();
        let finished = run(PROGRAMS, &["killed", &seed], b"", Limits::default());
        prop_assert_eq!(finished.status, Some(ExitStatus::SUCCESS), "{:?}", finished);
    }
}
