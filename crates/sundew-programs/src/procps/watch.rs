//! `watch`: the command again and again; on a terminal, as curses shows what changed.

use std::time::Duration;

use sundew_kernel::process::{Spawn, WaitFor};
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::termios::ECHO;
use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT, Signal};

use super::{help, print_help, print_version};
use crate::screen::{byte_at, shown, size};
use crate::text::shell;
use crate::time::{Shown, Zone};

/// `watch`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    let mut seconds = 2.0_f64;
    let mut titled = true;
    while let Some(option) = words.next_if(|word| word.starts_with(b"-")) {
        match option.as_slice() {
            b"--help" | b"-h" => return print_help(proc, "watch").await,
            b"--version" | b"-v" => return print_version(proc, "watch").await,
            b"-n" | b"--interval" => {
                seconds = words
                    .next()
                    .and_then(|word| super::number(&word))
                    .unwrap_or(seconds)
            }
            short if short.starts_with(b"-n") => {
                seconds = super::number(short.get(2..).unwrap_or_default()).unwrap_or(seconds)
            }
            b"-t" | b"--no-title" => titled = false,
            _ => {}
        }
    }
    let command: Vec<Vec<u8>> = words.collect();
    if command.is_empty() {
        proc.print_error(help("watch")).await;
        return ExitStatus::FAILURE;
    }
    if proc.env().value(b"TERM").is_none() {
        proc.print_error(b"Error opening terminal: unknown.\n")
            .await;
        return ExitStatus::FAILURE;
    }
    let command = command.join(&b' ');
    let wish = Wish {
        seconds,
        command,
        titled,
    };
    if proc.is_terminal(STDOUT) {
        on_screen(proc, &wish).await
    } else {
        blindly(proc, &wish).await
    }
}

/// One round after the other on the same screen, until a signal ends it.
async fn on_screen(proc: &mut Process, wish: &Wish) -> ExitStatus {
    for signal in [Signal::INT, Signal::TERM, Signal::WINCH] {
        proc.set_disposition(signal, Disposition::Catch);
    }
    let before = proc.termios(STDIN).ok();
    if let Some(mut quiet) = before.clone() {
        quiet.local &= !ECHO;
        let _not_a_terminal_any_more = proc.set_termios(STDIN, quiet, false);
    }
    let (columns, rows) = size(proc, STDOUT);
    let mut screen = Screen::new(columns, rows);
    let _closed = proc.print(screen.begin().as_bytes()).await;
    loop {
        let shown = round(proc, wish, &screen).await;
        let changes = screen.update(shown);
        if proc.print(&changes).await.is_err() || proc.flush().await.is_err() {
            break;
        }
        let pause = Duration::from_secs_f64(wish.seconds.clamp(0.1, 4_294_967.0));
        if proc.sleep(pause).await.is_err() {
            let mut ends = false;
            while let Some(signal) = proc.take_signal() {
                ends |= signal != Signal::WINCH;
            }
            if ends {
                break;
            }
            let (columns, rows) = size(proc, STDOUT);
            screen = Screen::new(columns, rows);
            let _closed = proc.print(b"\x1b[H\x1b[2J").await;
        }
    }
    let end = format!("\x1b[{rows};1H\x1b[?1049l\x1b[23;0;0t\r\x1b[?1l\x1b>");
    let _closed = proc.print(end.as_bytes()).await;
    let _closed = proc.flush().await;
    if let Some(before) = before {
        let _not_a_terminal_any_more = proc.set_termios(STDIN, before, false);
    }
    proc.status()
}

/// What is repeated, and how.
struct Wish {
    seconds: f64,
    command: Vec<u8>,
    titled: bool,
}

/// The rows of one round: the title, and what the command says.
async fn round(proc: &mut Process, wish: &Wish, screen: &Screen) -> Vec<Vec<u8>> {
    let command = [b"{ ".as_slice(), &wish.command, b"\n} 2>&1"].concat();
    let output = shell::output_of(proc, &command).await.unwrap_or_default();
    let mut rows = Vec::new();
    if wish.titled {
        let zone = Zone::of(proc).await;
        let time = Shown::new(proc.now(), &zone).format(b"%a %b %e %H:%M:%S %Y");
        let right = [proc.hostname().as_slice(), b": ", &time].concat();
        let head = format!("Every {:.1}s: ", wish.seconds);
        let mut title = [head.as_bytes(), &wish.command].concat();
        let room = screen.columns.saturating_sub(right.len());
        if title.len() >= room {
            title.truncate(room.saturating_sub(4));
            title.extend_from_slice(b"...");
        }
        title.resize(room, b' ');
        title.extend_from_slice(&right);
        rows.extend([title, Vec::new()]);
    }
    for line in output
        .strip_suffix(b"\n")
        .unwrap_or(&output)
        .split(|&byte| byte == b'\n')
    {
        let mut rest = line;
        loop {
            if rows.len() >= screen.rows.len() {
                return rows;
            }
            let fits = byte_at(rest, screen.columns, 8);
            let (now, later) = rest.split_at(if fits == 0 { rest.len() } else { fits });
            rows.push(shown(now, 0, screen.columns, 8));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
    }
    rows
}

/// The screen as curses keeps it: only what changed is sent.
struct Screen {
    rows: Vec<Vec<u8>>,
    columns: usize,
    /// Where the cursor is, if that is known: row and column, from 0.
    cursor: Option<(usize, usize)>,
}

impl Screen {
    fn new(columns: usize, rows: usize) -> Self {
        Self {
            rows: vec![Vec::new(); rows],
            columns,
            cursor: Some((0, 0)),
        }
    }

    fn begin(&self) -> String {
        let rows = self.rows.len();
        format!("\x1b[?1049h\x1b[22;0;0t\x1b[1;{rows}r\x1b(B\x1b[m\x1b[4l\x1b[?7h\x1b[H\x1b[2J")
    }

    /// Puts other rows in place of those that are there.
    fn update(&mut self, mut rows: Vec<Vec<u8>>) -> Vec<u8> {
        rows.resize(self.rows.len(), Vec::new());
        let mut out = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let old = self.rows.get(index).cloned().unwrap_or_default();
            self.change(index, &old, row.trim_ascii_end(), &mut out);
        }
        let rows = rows.into_iter();
        self.rows = rows.map(|row| row.trim_ascii_end().to_vec()).collect();
        self.go(
            self.rows.len().saturating_sub(1),
            self.columns.saturating_sub(1),
            &mut out,
        );
        out
    }

    fn change(&mut self, row: usize, old: &[u8], new: &[u8], out: &mut Vec<u8>) {
        if old == new {
            return;
        }
        let ascii = old.is_ascii() && new.is_ascii();
        let mut at = 0;
        while at < new.len() {
            let same = new
                .iter()
                .skip(at)
                .zip(old.iter().skip(at).chain(std::iter::repeat(&b' ')))
                .take_while(|(new, old)| ascii && new == old)
                .count();
            if same > 0 && (at == 0 || same > INLINE || at + same == new.len()) {
                at += same;
                continue;
            }
            let to = (at + same.max(1)).min(new.len());
            let part = new.get(at..to).unwrap_or_default();
            if ascii {
                self.go(row, at, out);
                out.extend_from_slice(part);
                self.moved(row, to);
                at = to;
            } else {
                self.go(row, 0, out);
                out.extend_from_slice(new);
                self.cursor = None;
                at = new.len();
            }
        }
        if old.len() > new.len() {
            self.go(row, new.len(), out);
            out.extend_from_slice(b"\x1b[K");
        }
    }

    fn moved(&mut self, row: usize, column: usize) {
        // Behind the last column it is nowhere.
        self.cursor = (column < self.columns).then_some((row, column));
    }

    fn go(&mut self, row: usize, column: usize, out: &mut Vec<u8>) {
        let (line, place) = (row + 1, column + 1);
        let text = match self.cursor {
            Some(here) if here == (row, column) => String::new(),
            Some((there, 1)) if there + 1 == row && column == 0 => format!("\x1b[{line}d\x08"),
            Some((there, _)) if there + 1 == row && column == 0 => format!("\r\x1b[{line}d"),
            Some((there, _)) if there == row && row > 0 => format!("\x1b[{place}G"),
            _ => format!("\x1b[{line};{place}H"),
        };
        out.extend_from_slice(text.as_bytes());
        self.cursor = Some((row, column));
    }
}

/// Cells that are the same and are sent again all the same: a move would be longer.
const INLINE: usize = 5;

/// Without a terminal: one round after the other.
async fn blindly(proc: &mut Process, wish: &Wish) -> ExitStatus {
    let host = proc.facts().hostname.clone();
    loop {
        let head = [
            format!("\x1b[H\x1b[2J\x1b[3JEvery {:.1}s: ", wish.seconds).as_bytes(),
            &wish.command,
            b"    ",
            &host,
            b"\n\n",
        ]
        .concat();
        if proc.print(&head).await.is_err() || proc.flush().await.is_err() {
            return proc.status();
        }
        let args = [b"sh".as_slice(), b"-c", &wish.command]
            .map(<[u8]>::to_vec)
            .to_vec();
        match proc.spawn(Spawn {
            path: b"/bin/sh".to_vec(),
            args,
            env: proc.env().clone(),
        }) {
            // Whatever became of it, the next round comes.
            Ok(pid) => drop(proc.wait(WaitFor::Pid(pid), false, true).await),
            Err(_) => return ExitStatus::FAILURE,
        }
        let pause = Duration::from_secs_f64(wish.seconds.clamp(0.1, 4_294_967.0));
        if proc.sleep(pause).await.is_err() {
            return proc.status();
        }
    }
}
