//! `top` on a terminal: the picture with its emphasis, and the keys that change it: top(1), "INTERACTIVE
//! Commands". Fields are sorted by, not chosen.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use sundew_kernel::process::Summary;
use sundew_kernel::{ExitStatus, Pid, Process, STDIN, STDOUT, Signal};

use super::{HEADER, Options, Task, number, row, summary};
use crate::screen::{Key, Keys, Raw, size};
use crate::users::Directory;

const BOLD: &str = "\x1b[1m";
const REVERSE: &str = "\x1b[7m";
const OFF: &str = "\x1b(B\x1b[m";
const NORMAL: &str = "\x1b(B\x1b[m\x1b[39;49m";
const CLEAR: &str = "\x1b[K";
const HIDE_CURSOR: &str = "\x1b[?25l";

/// How long a message stays.
const MESSAGE_TIME: Duration = Duration::from_secs(2);

/// Longest answer to a question, in bytes.
const MAX_ANSWER_BYTES: usize = 64;

/// Columns in front of the command's.
const FIXED_COLUMNS: usize = 71;

/// What `h` shows; bold is between `«` and `»`, reverse between `‹` and `›`.
const HELP: &str = include_str!("help.txt");

/// What is shown and how.
struct View {
    /// Index of the field that is sorted by, as [`HEADER`] has them.
    field: usize,
    /// The smallest first.
    ascending: bool,
    /// Whole command lines.
    command_lines: bool,
    /// Also those that did nothing.
    idle: bool,
    /// The first line.
    load: bool,
    /// A line for each processor.
    each_cpu: bool,
    delay: f64,
    /// Tasks at most; 0 for all.
    most: usize,
    user: Option<u32>,
    /// Tasks scrolled over.
    from: usize,
    message: Option<String>,
    /// CPU time of each as it was, and when.
    before: HashMap<Pid, Duration>,
    looked: Option<Duration>,
    /// The one that `k` and `r` mean unless told otherwise.
    first: Pid,
    /// The row of questions and messages, counted from 1.
    message_row: usize,
}

/// Index of `%CPU`, `%MEM`, `TIME+` and `PID` among the fields.
const CPU: usize = 8;
const MEMORY: usize = 9;
const TIME: usize = 10;
const PID: usize = 0;
const FIELDS: usize = 12;

/// Shows one picture after the other until `q`.
pub(super) async fn run(proc: &mut Process, users: &Directory, options: &Options) -> ExitStatus {
    let Ok(raw) = Raw::begin(proc, STDIN, false) else {
        proc.complain_text("failed tty get").await;
        return ExitStatus::FAILURE;
    };
    let mut view = View {
        field: CPU,
        ascending: false,
        command_lines: false,
        idle: true,
        load: true,
        each_cpu: false,
        delay: options.delay,
        most: 0,
        user: options.user,
        from: 0,
        message: None,
        before: HashMap::new(),
        looked: None,
        first: 1,
        message_row: 6,
    };
    let mut keys = Keys::new(STDIN);
    let mut left = options.rounds.unwrap_or(u64::MAX);
    put(proc, "\x1b[?1h\x1b=\x1b[?25l\x1b[H\x1b[2J").await;
    loop {
        let picture = view.picture(proc, users, options).await;
        if !put(proc, &picture).await {
            break;
        }
        left -= 1;
        if left == 0 || view.wait(proc, users, &mut keys, &raw).await {
            break;
        }
    }
    let rows = size(proc, STDOUT).1;
    let end = format!(
        "\x1b[?1l\x1b>\x1b[{};1H\n\x1b[?12l\x1b[?25h{CLEAR}",
        rows + 1
    );
    put(proc, &end).await;
    raw.end(proc);
    proc.status()
}

/// Sends text; whether somebody is there to see it.
async fn put(proc: &mut Process, text: &str) -> bool {
    proc.print(text.as_bytes()).await.is_ok() && proc.flush().await.is_ok()
}

impl View {
    async fn picture(&mut self, proc: &Process, users: &Directory, options: &Options) -> String {
        let (columns, rows) = size(proc, STDOUT);
        let mut all = proc.processes();
        all.retain(|one| options.pids.is_empty() || options.pids.contains(&one.pid));
        let mut out = format!("{HIDE_CURSOR}\x1b[H{OFF}");
        let mut used = 0;
        for (at, line) in summary(proc, &all).await.into_iter().enumerate() {
            if at == 0 && !self.load {
                continue;
            }
            let processors = if at == 2 && self.each_cpu {
                proc.facts().cpu.count.max(1)
            } else {
                0
            };
            for processor in 0..processors.max(1) {
                for (place, (strong, text)) in line.iter().enumerate() {
                    match (place, processors) {
                        (0, 1..) => out.push_str(&format!("%Cpu{processor:<3}:{NORMAL}")),
                        (0, _) => out.push_str(&format!("{text}{NORMAL}")),
                        _ if *strong => out.push_str(&format!("{BOLD}{text}{NORMAL}")),
                        _ => out.push_str(&format!("{text}{NORMAL}")),
                    }
                }
                out.push_str(&format!("{NORMAL}{CLEAR}\n"));
                used += 1;
            }
        }
        self.message_row = used + 1;
        out.push_str(&format!("{CLEAR}\n"));
        let header = format!("{HEADER:<columns$}");
        let header: String = header.chars().take(columns).collect();
        out.push_str(&format!("{REVERSE}{header}{NORMAL}{CLEAR}"));
        used += 2;
        let tasks = self.tasks(proc, users, all);
        self.first = tasks.first().map_or(1, |(pid, _, _)| *pid);
        let room = rows.saturating_sub(used);
        for (_, runs, text) in tasks.iter().skip(self.from).take(room) {
            let strong = if *runs { BOLD } else { "" };
            let text: String = text.chars().take(columns).collect();
            out.push_str(&format!("\n{OFF}{strong}{text}{NORMAL}{CLEAR}"));
            used += 1;
        }
        for row in used + 1..=rows {
            out.push_str(&format!("\x1b[{row};1H{CLEAR}"));
        }
        if let Some(message) = &self.message {
            let row = self.message_row;
            out.push_str(&format!(
                "\x1b[{row};1H{REVERSE} {message} {HIDE_CURSOR}{NORMAL}{CLEAR}"
            ));
        }
        out
    }

    /// The tasks in their order: number, whether it runs, its row.
    fn tasks(
        &mut self,
        proc: &Process,
        users: &Directory,
        mut all: Vec<Summary>,
    ) -> Vec<(Pid, bool, String)> {
        let now = proc.monotonic();
        let passed = self.looked.map(|looked| now.saturating_sub(looked));
        let shares: HashMap<Pid, f64> = all
            .iter()
            .map(|one| {
                let before = self.before.get(&one.pid).copied().unwrap_or(one.cpu);
                let share = passed
                    .filter(|passed| !passed.is_zero())
                    .map_or(0.0, |passed| {
                        one.cpu.saturating_sub(before).as_secs_f64() * 100.0 / passed.as_secs_f64()
                    });
                // Who did next to nothing did nothing: the order would never rest.
                (one.pid, (share * 10.0).round() / 10.0)
            })
            .collect();
        let share = |one: &Summary| shares.get(&one.pid).copied().unwrap_or(0.0);
        self.before = all.iter().map(|one| (one.pid, one.cpu)).collect();
        self.looked = Some(now);
        all.retain(|one| self.user.is_none_or(|uid| one.uid == uid));
        all.retain(|one| self.idle || one.state == b'R' || share(one) > 0.0);
        all.sort_by(|one, other| {
            let order = match self.field {
                PID => one.pid.cmp(&other.pid),
                1 => users.user_text(one.uid).cmp(&users.user_text(other.uid)),
                2 | 3 => one.nice.cmp(&other.nice),
                4 => one.vsz_kib.cmp(&other.vsz_kib),
                5 | 6 | MEMORY => one.rss_kib.cmp(&other.rss_kib),
                7 => one.state.cmp(&other.state),
                CPU => share(one).total_cmp(&share(other)),
                TIME => one.cpu.cmp(&other.cpu),
                _ => one.name.cmp(&other.name),
            };
            let order = if self.ascending {
                order
            } else {
                order.reverse()
            };
            order.then(one.pid.cmp(&other.pid))
        });
        if self.most > 0 {
            all.truncate(self.most);
        }
        let width = size(proc, STDOUT).0.saturating_sub(FIXED_COLUMNS).max(2);
        let rows = all.iter().map(|one| {
            let task = Task {
                summary: one,
                share: share(one),
                command: self.command(one, width),
            };
            (one.pid, one.state == b'R', row(proc, users, &task))
        });
        rows.collect()
    }

    /// The name or the command line, cut to its column.
    fn command(&self, one: &Summary, width: usize) -> String {
        let name = String::from_utf8_lossy(&one.name).into_owned();
        let text = match one.args.join(&b' ') {
            _ if !self.command_lines => name,
            line if line.is_empty() => format!("[{name}]"),
            line => String::from_utf8_lossy(&line).into_owned(),
        };
        let cut = if text.chars().count() >= width {
            text.chars()
                .take(width.saturating_sub(2))
                .chain(['+'])
                .collect()
        } else {
            text
        };
        format!("{cut:<width$}")
    }

    /// Until the next picture is due; whether it was the last.
    async fn wait(
        &mut self,
        proc: &mut Process,
        users: &Directory,
        keys: &mut Keys,
        raw: &Raw,
    ) -> bool {
        let wait = match self.message.take() {
            Some(_) => MESSAGE_TIME,
            None => Duration::from_secs_f64(self.delay.clamp(0.1, 86_400.0)),
        };
        let key = {
            let pressed = pin!(keys.next(proc));
            match select(pressed, pin!(proc.sleep(wait))).await {
                Either::Left((key, _)) => key,
                // A signal is most likely the window's.
                Either::Right((Ok(()) | Err(_), _)) => return false,
            }
        };
        match key {
            Key::Byte(b'q' | 3) | Key::HangUp => return true,
            Key::Byte(0x1a) => {
                let rows = size(proc, STDOUT).1;
                let end = format!("\x1b[?1l\x1b>\x1b[{rows};1H\x1b[?12l\x1b[?25h{CLEAR}");
                put(proc, &end).await;
                raw.suspend(proc).await;
                put(proc, "\x1b[?1h\x1b=\x1b[?25l\x1b[H\x1b[2J").await;
            }
            Key::Byte(b'h' | b'?') => self.help(proc, keys).await,
            Key::Byte(b'd' | b's') => self.ask_delay(proc, keys).await,
            Key::Byte(b'k') => self.kill(proc, keys).await,
            Key::Byte(b'r') => self.renice(proc, keys).await,
            Key::Byte(b'u' | b'U') => self.ask_user(proc, users, keys).await,
            Key::Byte(b'n' | b'#') => self.ask_most(proc, keys).await,
            Key::Byte(byte) => self.toggle(byte),
            Key::Up => self.from = self.from.saturating_sub(1),
            Key::Down => self.from = self.from.saturating_add(1),
            Key::PageUp => self.from = self.from.saturating_sub(size(proc, STDOUT).1 / 2),
            Key::PageDown => self.from = self.from.saturating_add(size(proc, STDOUT).1 / 2),
            Key::Home => self.from = 0,
            _ => {}
        }
        // Never past the last one.
        self.from = self.from.min(proc.processes().len().saturating_sub(1));
        false
    }

    /// Keys that need nothing else.
    fn toggle(&mut self, byte: u8) {
        match byte {
            b' ' | b'\r' | b'\n' => {}
            b'M' => self.field = MEMORY,
            b'P' => self.field = CPU,
            b'T' => self.field = TIME,
            b'N' => self.field = PID,
            b'<' => self.field = self.field.saturating_sub(1),
            b'>' => self.field = (self.field + 1).min(FIELDS - 1),
            b'R' => self.ascending = !self.ascending,
            b'c' => self.command_lines = !self.command_lines,
            b'i' => self.idle = !self.idle,
            b'l' => self.load = !self.load,
            b'1' => self.each_cpu = !self.each_cpu,
            b'=' => (self.idle, self.most, self.user, self.from) = (true, 0, None, 0),
            _ => self.message = Some("Unknown command - try 'h' for help".to_owned()),
        }
    }

    /// Asks on the row of messages; `None` for an escape.
    async fn ask(&self, proc: &mut Process, keys: &mut Keys, question: &str) -> Option<String> {
        let row = self.message_row;
        let shown =
            format!("\x1b[{row};1H{BOLD}{question} \x1b[?12;25h{NORMAL}{CLEAR}\x1b[?12l\x1b[?25h");
        put(proc, &shown).await;
        let mut answer = String::new();
        loop {
            match keys.next(proc).await {
                Key::Byte(b'\r' | b'\n') => return Some(answer),
                Key::Byte(8 | 0x7f) if answer.pop().is_some() => {
                    put(proc, "\x08 \x08").await;
                }
                Key::Byte(byte @ 0x20..0x7f) if answer.len() < MAX_ANSWER_BYTES => {
                    answer.push(char::from(byte));
                    put(proc, &char::from(byte).to_string()).await;
                }
                Key::Byte(3) | Key::Escape | Key::HangUp => return None,
                _ => {}
            }
        }
    }

    async fn ask_delay(&mut self, proc: &mut Process, keys: &mut Keys) {
        let question = format!("Change delay from {:.1} to", self.delay);
        match self.ask(proc, keys, &question).await {
            Some(answer) if !answer.trim().is_empty() => {
                match number::<f64>(answer.trim().as_bytes()) {
                    Some(delay) if delay >= 0.0 => self.delay = delay,
                    _ => self.message = Some("Unacceptable floating point".to_owned()),
                }
            }
            _ => {}
        }
    }

    async fn ask_user(&mut self, proc: &mut Process, users: &Directory, keys: &mut Keys) {
        let Some(answer) = self.ask(proc, keys, "Which user (blank for all)").await else {
            return;
        };
        let name = answer.trim().as_bytes();
        if name.is_empty() {
            self.user = None;
            return;
        }
        match users
            .user(name)
            .map(|user| user.uid)
            .or_else(|| number(name))
        {
            Some(uid) => self.user = Some(uid),
            None => self.message = Some("Invalid user".to_owned()),
        }
    }

    async fn ask_most(&mut self, proc: &mut Process, keys: &mut Keys) {
        let question = format!("Maximum tasks = {}, change to (0 is unlimited)", self.most);
        match self.ask(proc, keys, &question).await {
            Some(answer) if !answer.trim().is_empty() => match number(answer.trim().as_bytes()) {
                Some(most) => self.most = most,
                None => self.message = Some("Unacceptable integer".to_owned()),
            },
            _ => {}
        }
    }

    /// Asks for a process; `None` if there is nothing to do.
    async fn ask_pid(&mut self, proc: &mut Process, keys: &mut Keys, what: &str) -> Option<Pid> {
        let question = format!("PID to {what} [default pid = {}]", self.first);
        let answer = self.ask(proc, keys, &question).await?;
        match answer.trim() {
            "" => Some(self.first),
            text => {
                let pid = number(text.as_bytes());
                if pid.is_none() {
                    self.message = Some("Unacceptable integer".to_owned());
                }
                pid
            }
        }
    }

    async fn kill(&mut self, proc: &mut Process, keys: &mut Keys) {
        let Some(pid) = self.ask_pid(proc, keys, "signal/kill").await else {
            return;
        };
        let question = format!("Send pid {pid} signal [15/sigterm]");
        let Some(answer) = self.ask(proc, keys, &question).await else {
            return;
        };
        let signal = match answer.trim() {
            "" => Some(Signal::TERM),
            text => match number::<u32>(text.as_bytes()) {
                // 0 asks for nothing to be sent.
                Some(0) => return,
                Some(number) => Signal::from_number(number),
                None => {
                    let name = text.to_ascii_uppercase();
                    Signal::from_name(name.strip_prefix("SIG").unwrap_or(&name).as_bytes())
                }
            },
        };
        let Some(signal) = signal else {
            self.message = Some("Invalid signal".to_owned());
            return;
        };
        if let Err(errno) = proc.kill(pid, Some(signal)) {
            let number = signal.number();
            let why = errno.message();
            self.message = Some(format!("Failed signal pid '{pid}' with '{number}': {why}"));
        }
    }

    async fn renice(&mut self, proc: &mut Process, keys: &mut Keys) {
        let Some(pid) = self.ask_pid(proc, keys, "renice").await else {
            return;
        };
        let question = format!("Renice PID {pid} to value");
        let Some(answer) = self.ask(proc, keys, &question).await else {
            return;
        };
        if answer.trim().is_empty() {
            return;
        }
        let Some(value) = number::<i32>(answer.trim().as_bytes()) else {
            self.message = Some("Unacceptable integer".to_owned());
            return;
        };
        if let Err(errno) = proc.set_niceness(pid, value) {
            let why = errno.message();
            self.message = Some(format!("Failed renice of PID {pid} to {value}: {why}"));
        }
    }

    /// The help screen, until it is left.
    async fn help(&self, proc: &mut Process, keys: &mut Keys) {
        let text = HELP
            .replace("@DELAY@", &format!("{:.1} secs", self.delay))
            .replace('«', BOLD)
            .replace('‹', REVERSE)
            .replace(['»', '›'], NORMAL)
            .replace('\n', &format!("{CLEAR}\n"));
        let text = text.trim_end_matches('\n').trim_end_matches(CLEAR);
        put(proc, &format!("\x1b[?12;25h\x1b[H\x1b[2J{text}\x1b[J")).await;
        while !matches!(
            keys.next(proc).await,
            Key::Byte(b'q' | 3) | Key::Escape | Key::HangUp
        ) {}
    }
}
