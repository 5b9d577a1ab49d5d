//! What full-screen programs share: the terminal without its line discipline, keys, and rows that
//! are only sent when they changed.

pub(crate) mod less;
pub(crate) mod more;
pub(crate) mod nano;
pub(crate) mod vi;

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::Termios;
use sundew_kernel::tty::termios::{ECHO, ICANON, ICRNL, IEXTEN, ISIG, IXON, VMIN, VTIME};
use sundew_kernel::{Errno, Fd, Process, Signal};

/// How long an escape waits for the rest of a key.
const ESCAPE_WAIT: Duration = Duration::from_millis(50);
/// Longest sequence that a key sends, in bytes.
const MAX_KEY_BYTES: usize = 16;

/// A terminal that gives each byte at once.
pub(crate) struct Raw {
    fd: Fd,
    before: Termios,
    winch: Disposition,
    /// What `^Z` did before, if the program is told of it.
    stop: Option<Disposition>,
}

impl Raw {
    /// Takes the terminal; `signals` leaves `^C` and `^Z` their meaning.
    ///
    /// # Errors
    ///
    /// That `fd` is no terminal.
    pub(crate) fn begin(proc: &Process, fd: Fd, signals: bool) -> Result<Self, Errno> {
        let before = proc.termios(fd)?;
        let raw = Self {
            fd,
            before,
            winch: proc.set_disposition(Signal::WINCH, Disposition::Catch),
            stop: signals.then(|| proc.set_disposition(Signal::TSTP, Disposition::Catch)),
        };
        raw.again(proc, signals);
        Ok(raw)
    }

    /// Takes it again after another program had it.
    pub(crate) fn again(&self, proc: &Process, signals: bool) {
        let mut raw = self.before.clone();
        raw.local &= !(ICANON | ECHO | IEXTEN);
        if !signals {
            raw.local &= !ISIG;
        }
        raw.input &= !(ICRNL | IXON);
        raw.keys[VMIN] = 1;
        raw.keys[VTIME] = 0;
        let _not_a_terminal_any_more = proc.set_termios(self.fd, raw, false);
    }

    /// Leaves it for another program.
    pub(crate) fn pause(&self, proc: &Process) {
        let _not_a_terminal_any_more = proc.set_termios(self.fd, self.before.clone(), false);
    }

    /// Leaves it as it was.
    pub(crate) fn end(self, proc: &Process) {
        self.pause(proc);
        proc.set_disposition(Signal::WINCH, self.winch);
        if let Some(stop) = self.stop {
            proc.set_disposition(Signal::TSTP, stop);
        }
    }

    /// Answers [`Key::Suspend`]: leaves the terminal, stops, and takes it again when it goes on.
    pub(crate) async fn suspend(&self, proc: &Process) {
        self.pause(proc);
        let before = proc.set_disposition(Signal::TSTP, Disposition::Default);
        let _to_itself = proc.kill(proc.pid(), Some(Signal::TSTP));
        // It is stopped where it waits.
        let _woken = proc.sleep(Duration::ZERO).await;
        proc.set_disposition(Signal::TSTP, before);
        self.again(proc, self.stop.is_some());
    }
}

/// Columns and rows of the terminal.
pub(crate) fn size(proc: &Process, fd: Fd) -> (usize, usize) {
    let size = proc.window_size(fd).unwrap_or_default();
    let known = |value: u16, otherwise: usize| match usize::from(value) {
        0 => otherwise,
        value => value,
    };
    (known(size.columns, 80), known(size.rows, 24).max(4))
}

/// Something typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A byte.
    Byte(u8),
    /// A byte behind an escape.
    Meta(u8),
    Escape,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Insert,
    Delete,
    /// What is pasted begins, or ends.
    Paste,
    PasteEnd,
    /// The window has another size.
    Resize,
    /// `^Z`, of a terminal that makes signals.
    Suspend,
    /// `^C`, of a program that catches it.
    Interrupt,
    /// Nobody is there any more.
    HangUp,
}

/// Keys from a terminal.
pub(crate) struct Keys {
    fd: Fd,
    pending: VecDeque<u8>,
}

impl Keys {
    pub(crate) fn new(fd: Fd) -> Self {
        Self {
            fd,
            pending: VecDeque::new(),
        }
    }

    /// Whether a key waits.
    pub(crate) fn waiting(&self, proc: &Process) -> bool {
        !self.pending.is_empty()
            || proc
                .readable(self.fd)
                .now_or_never()
                .is_some_and(|ready| ready.is_ok())
    }

    /// Gives a byte back that was read too much.
    pub(crate) fn put_back(&mut self, byte: u8) {
        self.pending.push_front(byte);
    }

    /// Whether a byte was given back.
    pub(crate) fn has_given_back(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The next key.
    pub(crate) async fn next(&mut self, proc: &Process) -> Key {
        proc.tick().await;
        let first = match self.byte(proc).await {
            Ok(Some(byte)) => byte,
            Ok(None) => return Key::HangUp,
            Err(key) => return key,
        };
        if first != 0x1b {
            return Key::Byte(first);
        }
        let mut rest = Vec::new();
        loop {
            if !self.soon(proc).await {
                return match rest.as_slice() {
                    [] => Key::Escape,
                    [byte] => Key::Meta(*byte),
                    _ => Key::Escape,
                };
            }
            let Ok(Some(byte)) = self.byte(proc).await else {
                return Key::HangUp;
            };
            rest.push(byte);
            match rest.as_slice() {
                [b'[' | b'O'] => {}
                [b'[', middle @ .., last] if middle.is_empty() || rest.len() < MAX_KEY_BYTES => {
                    if last.is_ascii_alphabetic() || *last == b'~' {
                        return of_sequence(&rest);
                    }
                }
                [b'O', ..] => return of_sequence(&rest),
                [byte] => return Key::Meta(*byte),
                _ => return Key::Escape,
            }
        }
    }

    async fn byte(&mut self, proc: &Process) -> Result<Option<u8>, Key> {
        if let Some(byte) = self.pending.pop_front() {
            return Ok(Some(byte));
        }
        let mut byte = [0];
        match proc.read(self.fd, &mut byte).await {
            Ok(1..) => Ok(byte.first().copied()),
            Err(Errno::Eintr) => {
                let mut key = Key::Resize;
                while let Some(signal) = proc.take_signal() {
                    match signal {
                        Signal::TSTP => key = Key::Suspend,
                        Signal::INT => key = Key::Interrupt,
                        _ => {}
                    }
                }
                Err(key)
            }
            Ok(0) | Err(_) => Ok(None),
        }
    }

    /// Whether another byte comes at once.
    async fn soon(&self, proc: &Process) -> bool {
        if self.waiting(proc) {
            return true;
        }
        let ready = pin!(proc.readable(self.fd));
        match select(ready, pin!(proc.sleep(ESCAPE_WAIT))).await {
            Either::Left((ready, _)) => ready.is_ok(),
            Either::Right(_) => false,
        }
    }
}

fn of_sequence(rest: &[u8]) -> Key {
    match rest {
        b"[A" | b"OA" => Key::Up,
        b"[B" | b"OB" => Key::Down,
        b"[C" | b"OC" => Key::Right,
        b"[D" | b"OD" => Key::Left,
        b"[H" | b"OH" | b"[1~" | b"[7~" => Key::Home,
        b"[F" | b"OF" | b"[4~" | b"[8~" => Key::End,
        b"[2~" => Key::Insert,
        b"[3~" => Key::Delete,
        b"[5~" => Key::PageUp,
        b"[6~" => Key::PageDown,
        b"[200~" => Key::Paste,
        b"[201~" => Key::PasteEnd,
        _ => Key::Escape,
    }
}

/// A line as a terminal of so many columns shows it from column `from` on: tabs as blanks, controls
/// as `^X`, what is no character as `otherwise`.
pub(crate) fn shown(line: &[u8], from: usize, columns: usize, tab: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut column = 0;
    for (bytes, width, text) in cells(line, tab) {
        let _bytes_are_for_the_cursor = bytes;
        if column >= from && column + width <= from + columns {
            out.extend_from_slice(&text);
        } else if column >= from + columns {
            break;
        }
        column += width;
    }
    out
}

/// The column at which the byte `at` of a line stands.
pub(crate) fn column_of(line: &[u8], at: usize, tab: usize) -> usize {
    let mut done = 0;
    let mut column = 0;
    for (bytes, width, _) in cells(line, tab) {
        if done >= at {
            break;
        }
        done += bytes;
        column += width;
    }
    column
}

/// The byte of a line that stands at a column.
pub(crate) fn byte_at(line: &[u8], wanted: usize, tab: usize) -> usize {
    let mut done = 0;
    let mut column = 0;
    for (bytes, width, _) in cells(line, tab) {
        if column + width > wanted {
            break;
        }
        done += bytes;
        column += width;
    }
    done
}

/// Bytes of the character at the start.
pub(crate) fn character(bytes: &[u8]) -> usize {
    let expected = match bytes.first() {
        None => return 0,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => 1,
    };
    match bytes.get(..expected).map(std::str::from_utf8) {
        Some(Ok(_)) => expected,
        _ => 1,
    }
}

/// Each character: its bytes, its columns, and what is sent for it.
fn cells(line: &[u8], tab: usize) -> impl Iterator<Item = (usize, usize, Vec<u8>)> + '_ {
    let mut at = 0;
    let mut column = 0;
    std::iter::from_fn(move || {
        let rest = line.get(at..).filter(|rest| !rest.is_empty())?;
        let len = character(rest);
        let bytes = rest.get(..len)?;
        at += len;
        let (width, text) = match bytes {
            b"\t" => {
                let width = tab - column % tab;
                (width, vec![b' '; width])
            }
            [byte @ (0..0x20 | 0x7f)] => (2, vec![b'^', byte ^ 0x40]),
            [byte @ 0x20..0x7f] => (1, vec![*byte]),
            [_] => (1, "\u{fffd}".as_bytes().to_vec()),
            _ => {
                let wide = std::str::from_utf8(bytes)
                    .ok()
                    .and_then(|text| text.chars().next())
                    .map_or(1, sundew_posix::width::columns);
                (wide, bytes.to_vec())
            }
        };
        column += width;
        Some((len, width, text))
    })
}

/// The rows of the screen as they were sent.
#[derive(Default)]
pub(crate) struct Rows {
    sent: Vec<Vec<u8>>,
}

impl Rows {
    /// Forgets what is there: everything is sent again.
    pub(crate) fn forget(&mut self) {
        self.sent.clear();
    }

    /// Sends the rows that changed, counted from 1.
    pub(crate) fn update(&mut self, row: usize, text: Vec<u8>, out: &mut Vec<u8>) {
        if self.sent.len() < row {
            self.sent.resize(row, Vec::new());
        }
        let Some(place) = row.checked_sub(1).and_then(|at| self.sent.get_mut(at)) else {
            return;
        };
        if *place != text {
            out.extend_from_slice(format!("\x1b[{row};1H").as_bytes());
            out.extend_from_slice(&text);
            out.extend_from_slice(b"\x1b[K");
            *place = text;
        }
    }
}
