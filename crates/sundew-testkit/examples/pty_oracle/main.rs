//! `pty_oracle FILE...`: what `.terminal` files type, on this computer's shells and on ours; shows the
//! bytes that differ. With `BLESS=1` in the environment the files are rewritten with what the real
//! shells showed; one that only has the lines of what is done will do.
//!
//! `pty_oracle random bash|bash-vi|ash|ash-vi SEED COUNT`: random keys instead, and the screens too.
//!
//! The real shell has its own namespaces: it sees no other process, and its home and `/tmp` are empty.
//! That takes root. `ORACLE_ROOT` names the root directory of another system to do it in.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool"
)]

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sundew_testkit::machine::Emulated;
use sundew_testkit::terminal::{self, Conversation};

mod keys;
mod random;
mod real;

use keys::Editor;
use real::Pace;

/// Real shells that run at a time: they mostly wait.
const AT_ONCE: usize = 6;

/// Stack of the thread that runs our side, in bytes.
const STACK_BYTES: usize = 256 << 20;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = files.iter().map(String::as_str).collect();
    let random = match words.as_slice() {
        ["random", editor, seed, count] => {
            match (Editor::by_name(editor), seed.parse(), count.parse()) {
                (Some(editor), Ok(seed), Ok(count)) => Some((editor, seed, count)),
                _ => return usage(),
            }
        }
        [] | ["random", ..] => return usage(),
        _ => None,
    };
    let run = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let host = Emulated::debian()?.run_now(b"hostname", b"")?.stdout;
            let host = String::from_utf8_lossy(&host).trim_end().to_owned();
            if let Some((editor, seed, count)) = random {
                return random::compare(editor, seed, count, &host);
            }
            let mut bad = 0;
            for file in &files {
                bad += compare(file, &host)?;
            }
            io::Result::Ok(bad)
        });
    match run.map(|thread| thread.join()) {
        Ok(Ok(Ok(0))) => ExitCode::SUCCESS,
        Ok(Ok(Ok(_))) => ExitCode::FAILURE,
        other => {
            eprintln!("pty_oracle: {other:?}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: pty_oracle FILE... | random bash|bash-vi|ash|ash-vi SEED COUNT");
    ExitCode::from(2)
}

/// How many conversations of a file differ.
fn compare(file: &str, host: &str) -> io::Result<usize> {
    let text = std::fs::read_to_string(file)?;
    let conversations = terminal::parse(&text).map_err(io::Error::other)?;
    let answers = real_answers(&conversations, host, Pace::Slow)?;
    let mut bad = 0;
    let mut blessed = Vec::new();
    for (conversation, real) in conversations.iter().zip(&answers) {
        let ours = ours(conversation)?;
        let recorded = conversation.with_answers(real, &ours);
        let differences = recorded.differences(&ours);
        if !differences.is_empty() {
            bad += 1;
            println!("{file}:{}\n{differences}", conversation.line);
        }
        blessed.push(recorded);
    }
    println!("{file}: {bad} of {} differ", conversations.len());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, rewritten(&text, &blessed))?;
    }
    Ok(bad)
}

/// What a terminal showed: first what came unasked, then one text for each step.
type Answers = Vec<Vec<u8>>;

/// The answers of this computer's shells.
fn real_answers(
    conversations: &[Conversation],
    host: &str,
    pace: Pace,
) -> io::Result<Vec<Answers>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<io::Result<Answers>>>> =
        Mutex::new(conversations.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((index, conversation)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    conversations.get(index).map(|found| (index, found))
                } {
                    let answer = real::converse(conversation, host, pace);
                    if let Ok(mut done) = done.lock()
                        && let Some(place) = done.get_mut(index)
                    {
                        *place = Some(answer);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_default();
    done.into_iter()
        .map(|answer| answer.unwrap_or_else(|| Err(io::Error::other("a thread panicked"))))
        .collect()
}

fn ours(conversation: &Conversation) -> io::Result<Answers> {
    let args: Vec<&[u8]> = conversation.args.iter().map(Vec::as_slice).collect();
    let env: Vec<(&[u8], &[u8])> = conversation
        .env
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect();
    Emulated::debian()?.converse(&args, &env, &conversation.acts())
}

/// The file with other conversations; comments stay in front of theirs.
fn rewritten(text: &str, conversations: &[Conversation]) -> String {
    let mut out = String::new();
    let mut all = conversations.iter();
    for line in text.lines() {
        if line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        } else if line.starts_with("$ ")
            && let Some(conversation) = all.next()
        {
            if !out.ends_with("\n\n") && !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&conversation.to_string());
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
