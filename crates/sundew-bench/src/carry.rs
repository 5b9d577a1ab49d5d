//! The slow line of `bench/latency.py`: packets between two tun devices, each a while late.
//!
//! The devices come as standard input and output, since opening one takes a call that only unsafe code
//! can make. Nothing is dropped or put out of order; the delay is exact to the kernel's timers.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// `carry`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How late each packet comes, one way, in microseconds
    #[arg(long)]
    delay_us: u64,
}

/// Longest packet a tun device hands over, in bytes.
const PACKET_BYTES: usize = 65_536;

/// Packets read from one device before the other has its turn.
const BURST: usize = 64;

/// One way of the line.
struct Way<'a> {
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
    late: VecDeque<(Instant, Box<[u8]>)>,
}

/// Carries packets until it is killed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let delay = Duration::from_micros(options.delay_us);
    let (input, output) = (io::stdin(), io::stdout());
    let (near, far) = (input.as_fd(), output.as_fd());
    for end in [near, far] {
        rustix::io::ioctl_fionbio(end, true).context("standard input and output must be tun")?;
    }
    let way = |from, to| Way {
        from,
        to,
        late: VecDeque::new(),
    };
    let mut ways = [way(near, far), way(far, near)];
    let mut space = vec![0; PACKET_BYTES];
    loop {
        let now = Instant::now();
        let mut due = None;
        for way in &mut ways {
            way.deliver(now)?;
            let next = way.late.front().map(|(at, _)| *at);
            due = due.min(next).or(due).or(next);
        }
        let wait = due.map(|at: Instant| at.saturating_duration_since(Instant::now()));
        let wait = wait.map(Timespec::try_from).transpose()?;
        let mut ends = [near, far].map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN));
        match poll(&mut ends, wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let readable = ends.each_ref().map(|end| !end.revents().is_empty());
        for (way, readable) in ways.iter_mut().zip(readable) {
            if readable {
                way.take(delay, &mut space)?;
            }
        }
    }
}

impl Way<'_> {
    fn deliver(&mut self, now: Instant) -> Result<()> {
        while let Some((at, packet)) = self.late.front() {
            if *at > now {
                break;
            }
            match rustix::io::write(self.to, packet) {
                // A device that is not up takes nothing, as a cable that hangs loose.
                Ok(_) | Err(Errno::AGAIN | Errno::IO | Errno::INVAL) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error).context("writing a packet"),
            }
            self.late.pop_front();
        }
        Ok(())
    }

    fn take(&mut self, delay: Duration, space: &mut [u8]) -> Result<()> {
        for _ in 0..BURST {
            match rustix::io::read(self.from, &mut *space) {
                Ok(count) => {
                    let packet = space.get(..count).unwrap_or_default();
                    self.late.push_back((Instant::now() + delay, packet.into()));
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("reading a packet"),
            }
        }
        Ok(())
    }
}
