//! `top` in BusyBox's own form: once, or again and again until it is told to end.

use std::cmp::Reverse;
use std::time::Duration;

use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT};

use super::{complain, usage};
use crate::getopt::{Getopt, Spec};
use crate::users::Directory;

/// Rows and columns without a terminal.
const NO_TERMINAL: (usize, usize) = (usize::MAX, usize::MAX);

pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("d:n:bHm", &[]);
    let (mut batch, mut count, mut pause) = (false, u64::MAX, 5);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, b"top", &error).await,
        };
        let text = String::from_utf8_lossy(&option.value).into_owned();
        match (option.key, text.parse::<u64>()) {
            ("b", _) => batch = true,
            ("n", Ok(number)) => count = number.max(1),
            ("d", Ok(number)) => pause = number.clamp(1, 3600),
            ("n" | "d", Err(_)) => {
                return complain(proc, "top", format!("invalid number '{text}'")).await;
            }
            _ => {}
        }
    }
    let terminal = !batch && proc.is_terminal(STDOUT) && proc.is_terminal(STDIN);
    let users = Directory::load(proc).await;
    let mut shown = 0;
    loop {
        let (rows, columns) = match proc.window_size(STDOUT) {
            Ok(size) if !batch => (usize::from(size.rows), usize::from(size.columns)),
            _ => NO_TERMINAL,
        };
        let mut text = page(proc, &users, rows, columns);
        if terminal {
            text = [b"\x1b[H\x1b[J".as_slice(), &text].concat();
        }
        if proc.print(&text).await.is_err() || proc.flush().await.is_err() {
            return proc.status();
        }
        shown += 1;
        if shown >= count || (!batch && !terminal) {
            return proc.status();
        }
        if proc.sleep(Duration::from_secs(pause)).await.is_err() {
            return proc.status();
        }
    }
}

/// One page: three lines of numbers, the column heads, the busiest processes.
#[expect(clippy::too_many_lines, reason = "one page from top to bottom")]
fn page(proc: &Process, users: &Directory, rows: usize, columns: usize) -> Vec<u8> {
    let memory = proc.memory_use();
    let used = memory.total.saturating_sub(memory.free);
    let mut processes = proc.processes();
    let uptime = proc.uptime().as_millis().max(1);
    let own = proc.pid();
    let share = |cpu: Duration, started: Duration| {
        let lived = uptime.saturating_sub(started.as_millis()).max(1000);
        // Of all cores together.
        let cores = u128::from(proc.facts().cpu.count.max(1));
        u64::try_from(cpu.as_millis() * 100 / lived / cores)
            .unwrap_or(0)
            .min(100)
    };
    processes.sort_by_key(|one| {
        (
            Reverse(share(one.cpu, one.started)),
            one.pid != own,
            one.pid,
        )
    });
    let busy: u64 = processes
        .iter()
        .map(|one| share(one.cpu, one.started))
        .sum();
    let busy = busy.min(96);
    let [one, five, fifteen] = proc
        .load()
        .map(|load| format!("{}.{:02}", load / 100, load % 100));
    let running = processes
        .iter()
        .filter(|one| one.state == b'R')
        .count()
        .max(1);
    let head = [
        format!(
            "Mem: {used}K used, {}K free, {}K shrd, {}K buff, {}K cached",
            memory.free, memory.shared, memory.buffers, memory.cached
        ),
        format!(
            "CPU: {:3}% usr {:3}% sys   0% nic {:3}% idle   0% io   0% irq   0% sirq",
            busy,
            busy / 4,
            100 - busy - busy / 4
        ),
        format!(
            "Load average: {one} {five} {fifteen} {running}/{} {}",
            processes.len(),
            processes.iter().map(|one| one.pid).max().unwrap_or(own)
        ),
    ];
    let mut out = Vec::new();
    let mut line = |text: &[u8]| {
        out.extend_from_slice(text.get(..columns).unwrap_or(text));
        out.push(b'\n');
    };
    for text in &head {
        line(text.as_bytes());
    }
    line(b"  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND");
    for one in processes.iter().take(rows.saturating_sub(5)) {
        let user = users.user_text(one.uid);
        let size = if one.vsz_kib > 99_999 {
            format!("{}m", one.vsz_kib / 1024)
        } else {
            one.vsz_kib.to_string()
        };
        let command = match one.args.as_slice() {
            [] => [b"[", one.name.as_slice(), b"]"].concat(),
            args => args.join(&b' '),
        };
        let mut row = format!(
            "{:5} {:5} {:<8.8} {}  {:>7} {:>3}% {:>3}% ",
            one.pid,
            one.ppid,
            String::from_utf8_lossy(&user),
            state(one.state, one.vsz_kib, one.nice),
            size,
            one.vsz_kib * 100 / memory.total.max(1),
            share(one.cpu, one.started)
        )
        .into_bytes();
        row.extend(command);
        line(&row);
    }
    out
}

/// The letter, `W` for what has no memory of its own, `N` or `<` for its niceness.
fn state(letter: u8, vsz_kib: u64, nice: i32) -> String {
    let swapped = if vsz_kib == 0 { 'W' } else { ' ' };
    let nice = match nice {
        0 => ' ',
        1.. => 'N',
        _ => '<',
    };
    format!("{}{swapped}{nice}", char::from(letter))
}
