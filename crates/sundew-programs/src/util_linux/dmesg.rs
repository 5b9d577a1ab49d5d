//! `dmesg`: what the kernel said when it came up, made from the facts of the machine.

use sundew_kernel::facts::Facts;
use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;

mod arm;
mod pc;

const SPEC: Spec = Spec::new(
    "CcDdEeF:f:HhJkL::l:n:PpruSs:TtuVwWx",
    &[
        ("clear", Arity::No, "C"),
        ("read-clear", Arity::No, "c"),
        ("console-off", Arity::No, "D"),
        ("console-on", Arity::No, "E"),
        ("facility", Arity::Required, "f"),
        ("human", Arity::No, "H"),
        ("help", Arity::No, "h"),
        ("kernel", Arity::No, "k"),
        ("color", Arity::Optional, "L"),
        ("level", Arity::Required, "l"),
        ("console-level", Arity::Required, "n"),
        ("nopager", Arity::No, "P"),
        ("raw", Arity::No, "r"),
        ("ctime", Arity::No, "T"),
        ("notime", Arity::No, "t"),
        ("userspace", Arity::No, "u"),
        ("version", Arity::No, "V"),
        ("follow", Arity::No, "w"),
        ("decode", Arity::No, "x"),
    ],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut show, mut times, mut calendar, mut levels) = (true, true, false, None);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("C" | "D" | "E" | "n" | "u", _)) => show = false,
            Ok(("T" | "H" | "e", _)) => calendar = true,
            Ok(("t", _)) => times = false,
            Ok(("l", value)) => levels = Some(value),
            Ok(("h", _)) => return super::help(proc, "dmesg").await,
            Ok(("V", _)) => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    if !getopt.operands().is_empty() {
        return super::bad_usage(proc).await;
    }
    if proc.credentials().uid != 0 {
        let text = format!(
            "read kernel buffer failed: {}",
            sundew_kernel::Errno::Eperm.message()
        );
        proc.complain_text(text).await;
        return ExitStatus::FAILURE;
    }
    if !show {
        return ExitStatus::SUCCESS;
    }
    let zone = crate::time::Zone::of(proc).await;
    let boot = proc.facts().boot_time.secs;
    let mut all = messages(proc).await;
    let boot_nanos = proc.facts().boot_time.nanos;
    let start = u64::try_from(boot).unwrap_or(0) * 1_000_000 + u64::from(boot_nanos / 1000);
    // What the kernel said since: refusals of its security module.
    let since = proc.journal().unwrap_or_default().into_iter();
    all.extend(
        since
            .filter(|entry| entry.identifier == b"kernel")
            .map(|entry| {
                let warning = entry.priority <= 4;
                (
                    entry.micros.saturating_sub(start),
                    warning,
                    text(&entry.message),
                )
            }),
    );
    for (micros, warning, text) in all {
        if levels
            .as_ref()
            .is_some_and(|levels| !wanted(levels, warning))
        {
            continue;
        }
        let stamp = if !times {
            String::new()
        } else if calendar {
            let moment = sundew_vfs::Timestamp {
                secs: boot.saturating_add_unsigned(micros / 1_000_000),
                nanos: 0,
            };
            let shown = crate::time::Shown::new(moment, &zone).format(b"%a %b %e %H:%M:%S %Y");
            format!("[{}] ", String::from_utf8_lossy(&shown))
        } else {
            format!("[{:5}.{:06}] ", micros / 1_000_000, micros % 1_000_000)
        };
        if proc
            .print(format!("{stamp}{text}\n").as_bytes())
            .await
            .is_err()
        {
            break;
        }
    }
    proc.status()
}

fn wanted(levels: &[u8], warning: bool) -> bool {
    levels.split(|&byte| byte == b',').any(|level| match level {
        b"warn" => warning,
        b"info" | b"notice" => !warning,
        _ => false,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A line of the ring buffer: microseconds after boot, whether it is a warning, and the words.
pub(crate) type Line = (u64, bool, String);

/// What the kernel says first, whatever it runs on.
fn banner(facts: &Facts) -> String {
    format!(
        "Linux version {} {} {}",
        text(&facts.kernel_release),
        text(&facts.kernel_builder),
        text(&facts.kernel_version)
    )
}

/// All that was said when the machine came up.
pub(crate) async fn messages(proc: &Process) -> Vec<Line> {
    let facts = proc.facts();
    let command_line = input::read_all(proc, b"/proc/cmdline")
        .await
        .map(|(text, _memory)| text)
        .unwrap_or_default();
    let command_line = text(command_line.trim_ascii());
    if facts.flash.is_empty() {
        pc::messages(facts, &command_line)
    } else {
        arm::messages(facts, &command_line)
    }
}
