//! `vmstat`: one report.

use std::time::Duration;

use sundew_kernel::{ExitStatus, Process};

use super::{number, print_help, print_version};

/// `vmstat`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let has = |option: &[u8]| words.iter().any(|word| word == option);
    if has(b"-h") || has(b"--help") {
        return print_help(proc, "vmstat").await;
    }
    if has(b"-V") || has(b"--version") {
        return print_version(proc, "vmstat").await;
    }
    let mut numbers = words.iter().filter_map(|word| number::<u64>(word));
    let delay = numbers.next();
    let count = numbers
        .next()
        .unwrap_or(if delay.is_some() { u64::MAX } else { 1 });
    let head = concat!(
        "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n",
        " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n",
    );
    if proc.print(head.as_bytes()).await.is_err() {
        return proc.status();
    }
    for round in 0..count {
        let memory = proc.memory_use();
        let busy = u64::from(proc.load().first().copied().unwrap_or(0)).min(100) / 10;
        let line = format!(
            "{:>2} {:>2} {:>6} {:>6} {:>6} {:>6} {:>4} {:>4} {:>5} {:>5} {:>4} {:>4} {:>2} {:>2} {:>2} {:>2} {:>2}\n",
            1,
            0,
            0,
            memory.free,
            memory.buffers,
            memory.cached,
            0,
            0,
            3,
            11,
            41,
            73 + round % 5,
            busy,
            0,
            100 - busy,
            0,
            0
        );
        if proc.print(line.as_bytes()).await.is_err() || proc.flush().await.is_err() {
            break;
        }
        if round + 1 < count
            && proc
                .sleep(Duration::from_secs(delay.unwrap_or(1).max(1)))
                .await
                .is_err()
        {
            break;
        }
    }
    proc.status()
}
