//! What one attacker does to hurt the others.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::ssh::{self, Attacker, Door, Shell};
use crate::stats::{GIVE_UP, Samples, millis};

/// One thing an attacker does.
#[derive(Debug)]
pub(super) struct Offence {
    /// As it stands in the table.
    pub(super) name: &'static str,
    /// What is typed or executed.
    line: fn() -> String,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Typed once into a shell; goes on until something stops it.
    Endless,
    /// Short by itself, so it is done again and again from fresh connections.
    Repeated,
}

/// The offences, in the order of the table.
pub(super) const ALL: &[Offence] = &[
    Offence {
        name: "`yes >/dev/null`",
        line: || "yes >/dev/null".into(),
        style: Style::Endless,
    },
    Offence {
        name: "`while :; do :; done`",
        line: || "while :; do :; done".into(),
        style: Style::Endless,
    },
    Offence {
        name: "fork bomb",
        line: || ":(){ :|:& };:".into(),
        style: Style::Endless,
    },
    Offence {
        name: "`cat /dev/zero \\| sort`",
        line: || "cat /dev/zero | sort".into(),
        style: Style::Endless,
    },
    Offence {
        name: "`until [ $i -ge 2 ]` with `expr`",
        line: || "i=0; until [ $i -ge 2 ]; do i=$(expr $i + 0); done".into(),
        style: Style::Endless,
    },
    Offence {
        name: "16 KB of nested parentheses",
        line: parentheses,
        style: Style::Repeated,
    },
    Offence {
        name: "first write",
        line: || "echo hi > /tmp/f".into(),
        style: Style::Repeated,
    },
];

/// An offence as it runs.
pub(super) enum Running {
    Endless(JoinHandle<End>),
    Repeated(JoinHandle<(usize, Samples)>),
}

/// How an endless offence ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Prompt(Duration),
    /// The session went with it: the shell itself was what was stopped.
    Closed(Duration),
    Never(Duration),
}

/// Lets one attacker begin. What they started goes on while others are measured.
pub(super) async fn start(offence: &Offence, door: &Door, window: Duration) -> Result<Running> {
    let line = (offence.line)();
    let door = door.clone();
    Ok(match offence.style {
        Style::Endless => {
            let mut shell = door.shell(Attacker(10)).await?;
            shell.line(&line).await?;
            let typed = Instant::now();
            Running::Endless(tokio::spawn(end_of(shell, typed, window + PATIENCE)))
        }
        Style::Repeated => Running::Repeated(tokio::spawn(repeat(door, line, window))),
    })
}

impl Running {
    /// Waits for the end of it, within reason, and says what it was.
    pub(super) async fn finish(self) -> String {
        match self {
            Self::Endless(end) => match end.await {
                Ok(End::Prompt(time)) => format!("its prompt came back after {}", seconds(time)),
                Ok(End::Closed(time)) => format!("its session ended after {}", seconds(time)),
                Ok(End::Never(time)) => format!("still going after {}", seconds(time)),
                Err(error) => error.to_string(),
            },
            Self::Repeated(repeating) => match repeating.await {
                Ok((done, samples)) => {
                    let failure = samples
                        .first_failure()
                        .map(|why| format!(", {why}"))
                        .unwrap_or_default();
                    let summary = samples.summary();
                    let (p50, max) = (millis(summary.p50), millis(summary.max));
                    format!("done {done} times, p50 {p50}, worst {max}{failure}")
                }
                Err(error) => error.to_string(),
            },
        }
    }
}

/// Waits for the end of what was typed.
async fn end_of(mut shell: Shell, typed: Instant, patience: Duration) -> End {
    match timeout(patience, shell.prompt()).await {
        Ok(Ok(())) => End::Prompt(typed.elapsed()),
        Ok(Err(_)) => End::Closed(typed.elapsed()),
        Err(_) => End::Never(typed.elapsed()),
    }
}

/// Executes the line from fresh connections, one after the other, for as long as is measured.
async fn repeat(door: Door, line: String, window: Duration) -> (usize, Samples) {
    let mut samples = Samples::default();
    let mut done = 0;
    let end = Instant::now() + window + super::SETTLE;
    for number in 0..MAX_REPEATS {
        if Instant::now() >= end {
            break;
        }
        let once = async {
            let login = door.login(Attacker(3000 + number)).await?;
            let began = Instant::now();
            ssh::end_of(login.start(line.as_bytes()).await?).await;
            Ok::<_, ssh::Failure>(began.elapsed())
        };
        match timeout_at(Instant::now() + GIVE_UP, once).await {
            Ok(Ok(time)) => {
                done += 1;
                samples.add(time);
            }
            Ok(Err(failure)) => samples.fail(failure),
            Err(_) => samples.fail("it did not end"),
        }
    }
    (done, samples)
}

fn parentheses() -> String {
    format!(
        "{}{}",
        "(".repeat(PARENTHESES / 2),
        ")".repeat(PARENTHESES / 2)
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Length of the nested line, in bytes.
const PARENTHESES: usize = 16 * 1024;

/// How long after the window an endless offence may go on before it counts as never stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// Most fresh connections of a repeated offence.
const MAX_REPEATS: u16 = 20_000;
