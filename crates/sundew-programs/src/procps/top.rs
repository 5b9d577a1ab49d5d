//! `top`: batch mode; on a terminal one screen after the other until `q`.

use std::time::Duration;

use sundew_kernel::process::Summary;
use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT};

use super::number;
use crate::users::Directory;

/// Columns in batch mode when nothing says otherwise.
const BATCH_COLUMNS: usize = 512;

/// `top`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut batch, mut rounds, mut delay) = (false, None, 3.0_f64);
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        let letters = word.strip_prefix(b"-").unwrap_or(&word).to_vec();
        for (at, letter) in letters.iter().enumerate() {
            let mut value = || {
                let rest = letters.get(at + 1..).unwrap_or_default().to_vec();
                if rest.is_empty() {
                    words.next().unwrap_or_default()
                } else {
                    rest
                }
            };
            match letter {
                b'b' => batch = true,
                b'n' => {
                    rounds = number::<u64>(&value());
                    break;
                }
                b'd' => {
                    delay = number(&value()).unwrap_or(delay);
                    break;
                }
                b'u' | b'U' | b'p' | b'o' | b'w' | b'E' | b'e' => {
                    value();
                    break;
                }
                b'v' | b'V' => return super::print_version(proc, "  procps-ng").await,
                b'h' => {
                    let text = b"  procps-ng 4.0.2\nUsage:\n  top -hv | -bcEeHiOSs1 -d secs -n max -u|U user -p pid(s) -o field -w [cols]\n";
                    let _closed = proc.print(text).await;
                    return proc.status();
                }
                b'c' | b'H' | b'i' | b'O' | b'S' | b's' | b'1' | b'-' => {}
                other => {
                    let text = [b"unknown option '".as_slice(), &[*other], b"'\nUsage:\n  top -hv | -bcEeHiOSs1 -d secs -n max -u|U user -p pid(s) -o field -w [cols]"].concat();
                    proc.complain_text(text).await;
                    return ExitStatus::FAILURE;
                }
            }
        }
    }
    if !batch && !proc.is_terminal(STDOUT) {
        proc.complain_text("failed tty get").await;
        return ExitStatus::FAILURE;
    }
    let users = Directory::load(proc).await;
    let mut left = rounds.unwrap_or(u64::MAX);
    while left > 0 {
        let text = screen(proc, &users, batch).await;
        if proc.print(text.as_bytes()).await.is_err() || proc.flush().await.is_err() {
            break;
        }
        left -= 1;
        if left == 0 || pause(proc, batch, delay).await {
            break;
        }
    }
    if !batch {
        let _closed = proc.print(b"\x1b[?25h\n").await;
    }
    proc.status()
}

/// Waits for the next round; whether somebody has pressed `q`.
async fn pause(proc: &Process, batch: bool, delay: f64) -> bool {
    let wait = Duration::from_secs_f64(delay.clamp(0.1, 86_400.0));
    if batch {
        return proc.sleep(wait).await.is_err();
    }
    let press = async {
        let mut key = [0];
        !matches!(proc.read(STDIN, &mut key).await, Ok(1)) || key.first() == Some(&b'q')
    };
    match futures_util::future::select(std::pin::pin!(proc.sleep(wait)), std::pin::pin!(press))
        .await
    {
        futures_util::future::Either::Left((slept, _)) => slept.is_err(),
        futures_util::future::Either::Right((quit, _)) => quit,
    }
}

async fn screen(proc: &Process, users: &Directory, batch: bool) -> String {
    let mut all = proc.processes();
    let count = |states: &[u8]| all.iter().filter(|one| states.contains(&one.state)).count();
    let memory = proc.memory_use();
    let swap = proc.facts().swap_total_kib;
    let mib = |kib: u64| format!("{:8.1}", kib as f64 / 1024.0);
    let busy = f64::from(proc.load().first().copied().unwrap_or(0).min(1000)) / 10.0;
    let mut lines = vec![
        format!("top -{}", super::uptime::line(proc).await),
        format!(
            "Tasks: {:>3} total, {:>3} running, {:>3} sleeping, {:>3} stopped, {:>3} zombie",
            all.len(),
            count(b"R"),
            count(b"SDI"),
            count(b"T"),
            count(b"Z")
        ),
        format!(
            "%Cpu(s): {busy:4.1} us,  0.0 sy,  0.0 ni,{:5.1} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st ",
            100.0 - busy
        ),
        format!(
            "MiB Mem :{} total,{} free,{} used,{} buff/cache     ",
            mib(memory.total),
            mib(memory.free),
            mib(memory.total.saturating_sub(memory.available)),
            mib(memory.buffers + memory.cached)
        ),
        format!(
            "MiB Swap:{} total,{} free,{} used.{} avail Mem ",
            mib(swap),
            mib(swap),
            mib(0),
            mib(memory.available)
        ),
        String::new(),
        "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND".to_owned(),
    ];
    all.sort_by_key(|one| (one.state != b'R', one.pid));
    lines.extend(all.iter().map(|one| row(proc, users, one)));
    let size = proc.window_size(STDOUT).ok();
    let rows = size
        .filter(|_| !batch)
        .map_or(usize::MAX, |size| usize::from(size.rows.max(2)) - 1);
    let columns = size
        .filter(|size| size.columns > 0)
        .map_or(BATCH_COLUMNS, |size| usize::from(size.columns));
    let mut text = String::from(if batch { "" } else { "\x1b[?25l\x1b[H\x1b[2J" });
    for line in lines.iter().take(rows) {
        text.extend(line.chars().take(columns));
        text.push_str(if batch { "\n" } else { "\r\n" });
    }
    text
}

fn row(proc: &Process, users: &Directory, one: &Summary) -> String {
    let user = String::from_utf8_lossy(&users.user_text(one.uid)).into_owned();
    let user = if user.len() > 8 {
        user.chars().take(7).chain(['+']).collect()
    } else {
        user
    };
    let nice = one.nice;
    let hundredths = one.cpu.as_millis() / 10;
    let time = format!(
        "{}:{:02}.{:02}",
        hundredths / 6000,
        hundredths / 100 % 60,
        hundredths % 100
    );
    let share = one.rss_kib as f64 * 100.0 / proc.facts().memory_total_kib.max(1) as f64;
    let name: String = String::from_utf8_lossy(&one.name).into_owned();
    format!(
        "{:>7} {user:<8} {:>3} {nice:>3} {:>7} {:>6} {:>6} {} {:>5.1} {share:>5.1} {time:>9} {name}",
        one.pid,
        20 + nice,
        one.vsz_kib,
        one.rss_kib,
        one.rss_kib * 6 / 10,
        char::from(one.state),
        0.0
    )
}
