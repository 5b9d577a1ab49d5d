//! `write`: lines for another user's terminal.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Fd, Process, STDERR, STDIN, STDOUT};

use crate::getopt::{Arity, Spec, try_help};
use crate::time::{Shown, Zone};
use crate::users::Directory;
use crate::utmp;

const SPEC: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// Others may write to a terminal if its group may.
const GROUP_WRITE: u16 = 0o020;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "write", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let (user, asked) = match line.operands.as_slice() {
        [user] => (user.clone(), None),
        [user, terminal] => {
            let terminal = terminal.strip_prefix(b"/dev/").unwrap_or(terminal);
            (user.clone(), Some(terminal.to_vec()))
        }
        _ => return try_help(proc, 1).await,
    };
    let own = [STDIN, STDOUT, STDERR]
        .into_iter()
        .find_map(|fd| proc.terminal_path(fd).ok());
    let own = own.and_then(|path| path.strip_prefix(b"/dev/").map(<[u8]>::to_vec));
    let open_to_us = |terminal: &[u8]| {
        let path = [b"/dev/", terminal].concat();
        let metadata = proc.stat(&path).ok();
        proc.credentials().uid == 0 || metadata.is_some_and(|found| found.mode & GROUP_WRITE != 0)
    };
    let mut lines: Vec<Vec<u8>> = utmp::present(proc)
        .await
        .into_iter()
        .filter(|record| record.is_user() && record.user == user)
        .map(|record| record.line)
        .collect();
    let target = if let Some(terminal) = asked {
        if !lines.contains(&terminal) {
            let text = [&user, b" is not logged in on ".as_slice(), &terminal].concat();
            return super::fail(proc, text).await;
        }
        if !open_to_us(&terminal) {
            let text = [&user, b" has messages disabled on ".as_slice(), &terminal].concat();
            return super::fail(proc, text).await;
        }
        terminal
    } else {
        if lines.is_empty() {
            return super::fail(proc, [&user, b" is not logged in".as_slice()].concat()).await;
        }
        lines.retain(|terminal| open_to_us(terminal));
        let others: Vec<&Vec<u8>> = lines
            .iter()
            .filter(|terminal| own.as_ref() != Some(terminal))
            .collect();
        let Some(target) = others.first().copied().or_else(|| lines.first()) else {
            return super::fail(proc, [&user, b" has messages disabled".as_slice()].concat()).await;
        };
        if others.len() > 1 {
            let text = [
                &user,
                b" is logged in more than once; writing to ".as_slice(),
                target,
            ];
            let text = text.concat();
            let target = target.clone();
            proc.complain_text(text).await;
            target
        } else {
            target.clone()
        }
    };
    let path = [b"/dev/".as_slice(), &target].concat();
    let fd = match proc.open(&path, OpenFlags::WRITE, 0).await {
        Ok(fd) => fd,
        Err(errno) => {
            proc.complain(&path, errno).await;
            return ExitStatus::FAILURE;
        }
    };
    let status = converse(proc, fd, own.as_deref()).await;
    // What was written is on the screen.
    let _closed = proc.close(fd);
    status
}

/// The greeting, every line, the farewell.
async fn converse(proc: &mut Process, fd: Fd, own: Option<&[u8]>) -> ExitStatus {
    let uid = proc.credentials().uid;
    let users = Directory::load(proc).await;
    let now = Shown::new(proc.now(), &Zone::of(proc).await).format(b"%H:%M");
    let greeting = [
        b"\r\n\x07\x07\x07Message from ".as_slice(),
        users.user_name(uid).unwrap_or(b"???"),
        b"@",
        &proc.hostname(),
        b" on ",
        own.unwrap_or(b"<no tty>"),
        b" at ",
        &now,
        b" ...\r\n",
    ];
    let mut failed = proc.write_all(fd, &greeting.concat()).await.is_err();
    let mut reader = LineReader::new(proc, STDIN);
    while !failed && let Ok(Some(line)) = reader.next(proc, b'\n').await {
        failed = proc.write_all(fd, &visible(&line)).await.is_err();
    }
    failed |= proc.write_all(fd, b"EOF\r\n").await.is_err();
    ExitStatus::Exited(u8::from(failed))
}

/// A line whose control characters cannot do anything to the terminal.
fn visible(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in line {
        match byte {
            b'\n' => out.extend_from_slice(b"\r\n"),
            b'\t' | 0x07 | 0x08 | b'\r' => out.push(*byte),
            byte if byte.is_ascii_control() => out.extend([b'^', byte ^ 0x40]),
            byte => out.push(*byte),
        }
    }
    out
}
