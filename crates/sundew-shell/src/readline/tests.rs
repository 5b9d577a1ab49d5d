//! A whole bash on a terminal of a test machine: what is typed, what is shown.
//!
//! Expected bytes were recorded from bash 5.2.15 on Debian 12 (`bash --norc`, `PS1='$ '`), ash's from
//! BusyBox 1.35.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use sundew_kernel::budget::Limits;
use sundew_kernel::clock::Clock;
use sundew_kernel::program::Program;
use sundew_kernel::testing::{ManualClock, SharedClock, drive, login, machine};
use sundew_kernel::tty::{Master, WindowSize};
use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT};

/// `cat` of standard input.
async fn cat(proc: &mut Process) -> ExitStatus {
    let mut buf = [0; 1000];
    loop {
        match proc.read(STDIN, &mut buf).await {
            Ok(0) | Err(_) => return proc.status(),
            Ok(count) => proc.write_all(STDOUT, &buf[..count]).await.unwrap(),
        }
    }
}

fn programs() -> Vec<Program> {
    let mut programs = crate::PROGRAMS.to_vec();
    programs.push(Program {
        name: "cat",
        run: |p| Box::pin(cat(p)),
    });
    programs
}

/// Everything shown until nothing more comes: the machine is idle when its clock jumps.
async fn shown(master: &Master, clock: &Arc<ManualClock>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let quiet = SharedClock(Arc::clone(clock)).sleep(Duration::from_secs(1));
        let output = std::pin::pin!(master.output());
        match select(output, quiet).await {
            Either::Left((Some(bytes), _)) => all.extend(bytes),
            Either::Left((None, _)) | Either::Right(_) => return all,
        }
    }
}

/// Types each step after the one before was answered; what was shown after each, the first prompt
/// first.
fn converse(term: &str, args: &[&str], steps: &[&[u8]]) -> Vec<String> {
    let programs = programs();
    let clock = ManualClock::new(Duration::from_nanos(200));
    let (machine, scheduler) = machine(&programs, &clock, Limits::default());
    let master = machine.open_terminal(WindowSize::default());
    let mut login = login(args);
    login.env = [
        ("PATH", "/usr/bin"),
        ("HOME", "/root"),
        ("TERM", term),
        ("LANG", "C.UTF-8"),
        ("PS1", "$ "),
    ]
    .into_iter()
    .collect();
    let _leader = machine.login_on_terminal(login, &master).unwrap();
    let outside = async {
        let mut answers = vec![shown(&master, &clock).await];
        for step in steps {
            if let Some(size) = step.strip_prefix(b"resize ") {
                let columns = std::str::from_utf8(size).unwrap().parse().unwrap();
                master.resize(WindowSize { columns, rows: 24 });
            } else {
                master.input(step).await;
            }
            answers.push(shown(&master, &clock).await);
        }
        answers
    };
    let answers = drive(&clock, scheduler, outside).unwrap();
    answers
        .iter()
        .map(|answer| answer.escape_ascii().to_string())
        .collect()
}

fn bash(steps: &[&[u8]]) -> Vec<String> {
    let mut answers = converse("xterm", &["bash", "--norc"], steps);
    assert_eq!(answers.remove(0), "\\x1b[?2004h$ ");
    answers
}

#[test]
fn a_line_is_echoed_run_and_followed_by_a_prompt() {
    assert_eq!(
        bash(&[b"echo hi\r", b"\r", b"echo a\recho b\r"]),
        [
            "echo hi\\r\\n\\x1b[?2004l\\rhi\\r\\n\\x1b[?2004h$ ",
            "\\r\\n\\x1b[?2004l\\r\\x1b[?2004h$ ",
            "echo a\\r\\n\\x1b[?2004l\\ra\\r\\n\\x1b[?2004h$ echo b\\r\\n\\x1b[?2004l\\rb\\r\\n\\x1b[?2004h$ ",
        ]
    );
}

#[test]
fn an_interrupt_shows_itself_and_gives_a_new_prompt() {
    assert_eq!(
        bash(&[b"abc", b"\x03", b"echo $?\r"]),
        [
            "abc",
            "^C\\x1b[?2004l\\r\\x1b[?2004h\\x1b[?2004l\\r\\r\\n\\x1b[?2004h$ ",
            "echo $?\\r\\n\\x1b[?2004l\\r130\\r\\n\\x1b[?2004h$ ",
        ]
    );
}

#[test]
fn end_of_file_on_an_empty_line_says_exit() {
    assert_eq!(bash(&[b"\x04"]), ["\\x1b[?2004l\\r\\r\\nexit\\r\\n"]);
}

#[test]
fn an_open_quote_asks_for_more() {
    assert_eq!(
        bash(&[b"echo \"abc\r", b"def\"\r"]),
        [
            "echo \\\"abc\\r\\n\\x1b[?2004l\\r\\x1b[?2004h> ",
            "def\\\"\\r\\n\\x1b[?2004l\\rabc\\r\\ndef\\r\\n\\x1b[?2004h$ ",
        ]
    );
}

#[test]
fn lines_come_back_with_the_arrow_and_with_an_exclamation_mark() {
    assert_eq!(
        bash(&[
            b"echo one\r",
            b"echo two\r",
            b"\x1b[A\x1b[A\r",
            b"!!\r",
            b"!zz\r"
        ])[2..],
        [
            "echo two\\x08\\x08\\x08one\\r\\n\\x1b[?2004l\\rone\\r\\n\\x1b[?2004h$ ",
            "!!\\r\\n\\x1b[?2004l\\recho one\\r\\none\\r\\n\\x1b[?2004h$ ",
            "!zz\\r\\n\\x1b[?2004l\\rbash: !zz: event not found\\r\\n\\x1b[?2004h$ ",
        ]
    );
}

#[test]
fn what_is_typed_ahead_is_left_for_the_program() {
    // Typed while the terminal hands over bytes as they come, they stay as they came.
    assert_eq!(
        bash(&[b"cat\rline for cat\r\x04echo after\r", b"\x04", b"echo x\r"]),
        [
            "cat\\r\\n\\x1b[?2004l\\rline for cat\\r\\x04echo after\\r",
            "\\x1b[?2004h$ ",
            "echo x\\r\\n\\x1b[?2004l\\rx\\r\\n\\x1b[?2004h$ ",
        ]
    );
}

#[test]
fn words_are_completed() {
    assert_eq!(
        bash(&[
            b"echo /etc/hostn\t",
            b"\x15comp\t",
            b"\t",
            b"\x15echo $HOSTN\t",
            b"\x15echo \"$HOSTN\t",
            b"\x15./nope\t",
            b"\x15/bi\t",
            b"\t",
            b"\x15cd /et\t"
        ]),
        [
            "echo /etc/hostname ",
            "\\r\\x1b[C\\x1b[C\\x1b[Kcomp\\x07",
            "\\r\\ncompgen   complete  compopt   \\r\\n$ comp",
            "\\r\\x1b[C\\x1b[C\\x1b[Kecho $HOSTNAME ",
            "\\r\\x1b[C\\x1b[C\\x1b[Kecho \\\"$HOSTNAME\\\" ",
            "\\r\\x1b[C\\x1b[C\\x1b[K./nope\\x07",
            "\\r\\x1b[C\\x1b[C\\x1b[K/bin",
            "/",
            "\\r\\x1b[C\\x1b[C\\x1b[Kcd /etc/",
        ]
    );
}

#[test]
fn a_dumb_terminal_gets_no_sequences() {
    let answers = converse(
        "dumb",
        &["bash", "--norc"],
        &[b"echo d\r", b"ab", b"\x03", b"\x04"],
    );
    assert_eq!(
        answers,
        [
            "$ ",
            "echo d\\r\\nd\\r\\n$ ",
            "ab",
            "^C\\r\\n$ ",
            "exit\\r\\n"
        ]
    );
}

#[test]
fn the_line_is_shown_anew_on_a_terminal_of_another_size() {
    assert_eq!(
        bash(&[b"hello world", b"resize 40", b"x"]),
        ["hello world", "\\r\\x1b[K\\r$ hello world", "x"]
    );
}

#[test]
fn ash_asks_where_the_cursor_is_and_interrupts() {
    let steps: &[&[u8]] = &[
        b"PS1='$ '\r",
        b"echo hi\r",
        b"ab\x02",
        b"\x03",
        b"echo a\recho b\r",
    ];
    let answers = converse("vt100", &["ash"], steps);
    assert_eq!(
        answers[2..],
        [
            "echo hi\\r\\nhi\\r\\n$ \\x1b[6n",
            "ab\\x08",
            "^C\\r\\n$ \\x1b[6n",
            "echo a\\r\\na\\r\\n$ echo b\\r\\nb\\r\\n$ \\x1b[6n",
        ]
    );
}

#[test]
fn dash_leaves_editing_to_the_terminal() {
    let answers = converse(
        "xterm",
        &["dash"],
        &[b"echo hx\x7fi\r", b"abc\x03", b"if true\r", b"\x04"],
    );
    assert_eq!(
        answers[1..4],
        [
            "echo hx\\x08 \\x08i\\r\\nhi\\r\\n# ",
            // What was typed together with it has not been seen.
            "^C\\r\\n# ",
            "if true\\r\\n> "
        ]
        .map(|text| text.replace("# ", &answers[0]))
    );
}

#[test]
fn an_interrupt_ends_the_loop_around_a_substitution() {
    assert_eq!(
        bash(&[
            b"until false; do x=$(cat); done\r",
            b"\x03",
            b"echo $?\r",
            b"(cat)\r",
            b"\x03"
        ]),
        [
            "until false; do x=$(cat); done\\r\\n\\x1b[?2004l\\r",
            "^C\\r\\n\\x1b[?2004h$ ",
            "echo $?\\r\\n\\x1b[?2004l\\r130\\r\\n\\x1b[?2004h$ ",
            "(cat)\\r\\n\\x1b[?2004l\\r",
            "^C\\r\\n\\x1b[?2004h$ ",
        ]
    );
}
