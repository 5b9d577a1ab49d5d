//! cat(1).

use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDOUT};
use sundew_vfs::FileType;

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "benstuvAET",
    &[
        ("number-nonblank", Arity::No, "b"),
        ("number", Arity::No, "n"),
        ("squeeze-blank", Arity::No, "s"),
        ("show-nonprinting", Arity::No, "v"),
        ("show-ends", Arity::No, "E"),
        ("show-tabs", Arity::No, "T"),
        ("show-all", Arity::No, "A"),
    ],
);

#[derive(Debug, Default)]
struct Style {
    number: bool,
    number_nonblank: bool,
    squeeze: bool,
    ends: bool,
    tabs: bool,
    nonprinting: bool,
}

impl Style {
    fn is_plain(&self) -> bool {
        !(self.number
            || self.number_nonblank
            || self.squeeze
            || self.ends
            || self.tabs
            || self.nonprinting)
    }
}

/// What goes on from file to file.
#[derive(Debug)]
struct State {
    line: u64,
    at_start: bool,
    blank_lines: u32,
    /// A `\r` whose follower is not known yet: with `-E`, `\r\n` shows as `^M$`.
    pending_return: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut style = Style::default();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("b") => style.number_nonblank = true,
            Ok("e") => (style.ends, style.nonprinting) = (true, true),
            Ok("n") => style.number = true,
            Ok("s") => style.squeeze = true,
            Ok("t") => (style.tabs, style.nonprinting) = (true, true),
            Ok("u") => {}
            Ok("v") => style.nonprinting = true,
            Ok("A") => (style.ends, style.tabs, style.nonprinting) = (true, true, true),
            Ok("E") => style.ends = true,
            Ok("T") => style.tabs = true,
            Ok(key) => return about::run(proc, key, "cat").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut state = State {
        line: 0,
        at_start: true,
        blank_lines: 0,
        pending_return: false,
    };
    if !proc.is_open(STDOUT) {
        proc.complain(b"standard output", Errno::Ebadf).await;
        return proc.status();
    }
    let mut standard_input = false;
    for name in input::or_stdin(options.operands()) {
        standard_input |= name == b"-";
        let result = match input::open(proc, &name).await {
            Ok(fd) => {
                if is_output(proc, fd) {
                    let name = quote::file(proc, &name);
                    proc.complain_text([&name, b": input file is output file".as_slice()].concat())
                        .await;
                    input::close(proc, fd);
                    continue;
                }
                let result = copy(proc, fd, &style, &mut state).await;
                input::close(proc, fd);
                result
            }
            Err(errno) => Err(Failed::Read(errno)),
        };
        match result {
            Ok(()) => {}
            Err(Failed::Read(errno)) => input::complain(proc, &name, errno).await,
            Err(Failed::Write) => return proc.status(),
        }
    }
    if standard_input && !proc.is_open(sundew_kernel::STDIN) {
        proc.complain(b"closing standard input", Errno::Ebadf).await;
    }
    if state.pending_return {
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(b"\r").await;
    }
    proc.status()
}

enum Failed {
    Read(Errno),
    Write,
}

/// Whether reading this would feed the output back to itself.
fn is_output(proc: &Process, fd: Fd) -> bool {
    match (proc.fstat(fd), proc.fstat(STDOUT)) {
        (Ok(input), Ok(output)) => {
            input.file_type == FileType::Regular
                && (input.dev, input.ino) == (output.dev, output.ino)
                && input.size > 0
        }
        _ => false,
    }
}

async fn copy(proc: &mut Process, fd: Fd, style: &Style, state: &mut State) -> Result<(), Failed> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = proc.read(fd, &mut chunk).await.map_err(Failed::Read)?;
        if count == 0 {
            return Ok(());
        }
        let data = chunk.get(..count).unwrap_or_default();
        let written = if style.is_plain() {
            proc.print(data).await
        } else {
            let shown = show(data, style, state);
            proc.print(&shown).await
        };
        written.map_err(|_| Failed::Write)?;
        // What is there is shown at once, as by write(2).
        proc.flush().await.map_err(|_| Failed::Write)?;
    }
}

fn show(data: &[u8], style: &Style, state: &mut State) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + data.len() / 4);
    for &byte in data {
        if state.at_start {
            let blank = byte == b'\n';
            state.blank_lines = if blank {
                state.blank_lines.saturating_add(1)
            } else {
                0
            };
            if blank && style.squeeze && state.blank_lines > 1 {
                continue;
            }
            if (style.number_nonblank && !blank) || (style.number && !style.number_nonblank) {
                state.line += 1;
                out.extend_from_slice(format!("{:6}\t", state.line).as_bytes());
            }
        }
        if std::mem::take(&mut state.pending_return) {
            out.extend_from_slice(if byte == b'\n' { b"^M" } else { b"\r" });
        }
        state.at_start = byte == b'\n';
        match byte {
            b'\n' => out.extend_from_slice(if style.ends { b"$\n" } else { b"\n" }),
            b'\t' if style.tabs => out.extend_from_slice(b"^I"),
            b'\t' => out.push(b'\t'),
            b'\r' if style.ends && !style.nonprinting => state.pending_return = true,
            byte if style.nonprinting => nonprinting(byte, &mut out),
            byte => out.push(byte),
        }
    }
    out
}

/// `^A`, `M-x`, `M-^A`, `^?`.
fn nonprinting(byte: u8, out: &mut Vec<u8>) {
    let low = byte & 0x7f;
    if byte >= 0x80 {
        out.extend_from_slice(b"M-");
    }
    match low {
        0..=31 => out.extend([b'^', low + 64]),
        127 => out.extend_from_slice(b"^?"),
        low => out.push(low),
    }
}
