//! Programs that run another: nice(1), nohup(1), timeout(1), stdbuf(1), chroot(1), runcon(1).

use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::WaitFor;
use sundew_kernel::signal::Disposition;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDIN, STDOUT, Signal};

use super::{about, input, launch, sleep};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote::{self, Locale};

/// What `nice COMMAND` adds.
const DEFAULT_ADJUSTMENT: i64 = 10;

pub(crate) async fn run_nice(proc: &mut Process) -> ExitStatus {
    let mut args = proc.args().to_vec();
    // `nice -5 CMD`: an old way to write `-n 5`.
    let digits = args
        .get(1)
        .and_then(|word| word.strip_prefix(b"-"))
        .map(<[u8]>::to_vec);
    if let Some(digits) = digits
        && digits
            .strip_prefix(b"-")
            .unwrap_or(&digits)
            .first()
            .is_some_and(u8::is_ascii_digit)
    {
        args.splice(1..2, [b"-n".to_vec(), digits]);
    }
    let mut options = Getopt::new(
        &Spec::gnu("+n:", &[("adjustment", Arity::Required, "n")]),
        &args,
    );
    let mut adjustment = None;
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("n", value)) => {
                let number = std::str::from_utf8(&value).ok();
                adjustment = number.and_then(|text| text.parse::<i64>().ok());
                if adjustment.is_none() {
                    input::complain_word(proc, "invalid adjustment", &value).await;
                    return ExitStatus::Exited(125);
                }
            }
            Ok((key, _)) => return about::run(proc, key, "nice").await,
            Err(error) => return refuse(proc, &error, 125).await,
        }
    }
    let command = options.operands();
    if command.is_empty() {
        if adjustment.is_some() {
            input::refuse_text(proc, "a command must be given with an adjustment").await;
            return ExitStatus::Exited(125);
        }
        // A closed output is reported when the program ends.
        let nice = proc.niceness(0).unwrap_or_default();
        let _reported_at_exit = proc.print(format!("{nice}\n").as_bytes()).await;
        return proc.status();
    }
    let adjustment = adjustment.unwrap_or(DEFAULT_ADJUSTMENT).clamp(-39, 39);
    let wanted = i64::from(proc.niceness(0).unwrap_or_default()) + adjustment;
    let wanted = i32::try_from(wanted).unwrap_or_default();
    if let Err(errno) = proc.set_niceness(0, wanted) {
        proc.complain(b"cannot set niceness", errno).await;
    }
    launch::launch(proc, Locale::of(proc), "", command).await
}

pub(crate) async fn run_nohup(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("+", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "nohup").await,
            Err(error) => refuse(proc, &error, 125).await,
        };
    }
    let command = options.operands();
    if command.is_empty() {
        input::missing_operand(proc).await;
        return ExitStatus::Exited(125);
    }
    let ignoring = proc.is_terminal(STDIN);
    let (out, err) = (proc.is_terminal(STDOUT), proc.is_terminal(STDERR));
    if ignoring && let Ok(null) = proc.open(b"/dev/null", OpenFlags::WRITE, 0).await {
        // Descriptor 0 is open: it can be replaced.
        let _replaced = proc.duplicate_to(null, STDIN);
        let _closed = proc.close(null);
    }
    if !out && ignoring {
        let what: &[u8] = if err {
            b"ignoring input and redirecting stderr to stdout"
        } else {
            b"ignoring input"
        };
        let line = [proc.name(), b": ", what, b"\n"].concat();
        proc.print_error(&line).await;
    }
    if out && !redirect(proc, ignoring).await {
        return ExitStatus::Exited(125);
    }
    if err {
        // Both are open.
        let _replaced = proc.duplicate_to(STDOUT, STDERR);
    }
    proc.set_disposition(Signal::HUP, Disposition::Ignore);
    let name = command.first().cloned().unwrap_or_default();
    let errno = launch::become_command(proc, command).await;
    let shown = quote::always(proc, &name);
    proc.complain(
        &[b"failed to run command ", shown.as_slice()].concat(),
        errno,
    )
    .await;
    ExitStatus::Exited(if errno == Errno::Enoent { 127 } else { 126 })
}

/// Output that would go to the terminal goes to `nohup.out`, here or at home.
async fn redirect(proc: &mut Process, ignoring: bool) -> bool {
    let home = proc
        .env()
        .value(b"HOME")
        .map(|home| input::join(home, b"nohup.out"));
    for path in [Some(b"nohup.out".to_vec()), home].into_iter().flatten() {
        if let Ok(fd) = proc.open(&path, OpenFlags::APPEND, 0o600).await {
            let shown = quote::always(proc, &path);
            let what: &[u8] = if ignoring {
                b"ignoring input and appending output to "
            } else {
                b"appending output to "
            };
            let line = [proc.name(), b": ", what, &shown, b"\n"].concat();
            proc.print_error(&line).await;
            let replaced = proc.duplicate_to(fd, STDOUT);
            let _closed = proc.close(fd);
            return replaced.is_ok();
        }
    }
    input::complain_about(proc, "failed to open", b"nohup.out", Errno::Eacces).await;
    false
}

pub(crate) async fn run_timeout(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "+k:s:v",
        &[
            ("kill-after", Arity::Required, "k"),
            ("signal", Arity::Required, "s"),
            ("verbose", Arity::No, "v"),
            ("foreground", Arity::No, "foreground"),
            ("preserve-status", Arity::No, "preserve-status"),
        ],
    );
    let (mut signal, mut kill_after, mut verbose, mut preserve) =
        (Signal::TERM, None, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("k", value)) => match sleep::interval(&value) {
                Some(seconds) => kill_after = Some(seconds),
                None => return invalid_interval(proc, &value).await,
            },
            Ok(("s", value)) => {
                let number = input::decimal(&value).and_then(|number| u32::try_from(number).ok());
                match number
                    .and_then(Signal::from_number)
                    .or_else(|| Signal::from_name(&value))
                {
                    Some(known) => signal = known,
                    None => {
                        let shown = quote::text(proc, &value);
                        proc.complain_text([shown.as_slice(), b": invalid signal"].concat())
                            .await;
                        return try_help(proc, 125).await;
                    }
                }
            }
            Ok(("v", _)) => verbose = true,
            Ok(("foreground", _)) => {}
            Ok(("preserve-status", _)) => preserve = true,
            Ok((key, _)) => return about::run(proc, key, "timeout").await,
            Err(error) => return refuse(proc, &error, 125).await,
        }
    }
    let mut command = options.operands();
    if command.len() < 2 {
        return try_help(proc, 125).await;
    }
    let word = command.remove(0);
    let Some(limit) = sleep::interval(&word) else {
        return invalid_interval(proc, &word).await;
    };
    watch(
        proc,
        command,
        Limits {
            limit,
            signal,
            kill_after,
            verbose,
            preserve,
        },
    )
    .await
}

struct Limits {
    limit: f64,
    signal: Signal,
    kill_after: Option<f64>,
    verbose: bool,
    preserve: bool,
}

async fn invalid_interval(proc: &mut Process, word: &[u8]) -> ExitStatus {
    input::complain_word(proc, "invalid time interval", word).await;
    try_help(proc, 125).await
}

async fn watch(proc: &mut Process, command: Vec<Vec<u8>>, limits: Limits) -> ExitStatus {
    let name = command.first().cloned().unwrap_or_default();
    let forked = proc.fork(move |mut child| {
        Box::pin(async move {
            child.discard_output();
            let locale = Locale::of(&child);
            launch::launch(&mut child, locale, "failed to run command ", command).await
        })
    });
    let child = match forked {
        Ok(child) => child,
        Err(errno) => {
            proc.complain(b"fork system call failed", errno).await;
            return ExitStatus::Exited(125);
        }
    };
    let mut timed_out = false;
    let mut wait = (limits.limit > 0.0).then_some(limits.limit);
    let mut signal = limits.signal;
    let ended = loop {
        let ended = proc.wait(WaitFor::Pid(child), false, true);
        let event = match wait {
            Some(seconds) => {
                let timer = proc.sleep(Duration::from_secs_f64(seconds.min(1e9)));
                match futures_util::future::select(std::pin::pin!(ended), std::pin::pin!(timer))
                    .await
                {
                    futures_util::future::Either::Left((event, _)) => Some(event),
                    futures_util::future::Either::Right(_) => None,
                }
            }
            None => Some(ended.await),
        };
        match event {
            Some(Ok(Some((_, ChildEvent::Ended(status))))) => break status,
            Some(Ok(_)) => {}
            Some(Err(_)) => break ExitStatus::Exited(125),
            None => {
                timed_out = true;
                if limits.verbose {
                    let shown = quote::text(proc, &name);
                    let text = format!("sending signal {} to command ", signal.name());
                    let line = [proc.name(), b": ", text.as_bytes(), &shown, b"\n"].concat();
                    proc.print_error(&line).await;
                }
                // It may have ended by itself just now.
                let _gone = proc.kill(child, Some(signal));
                if signal != Signal::KILL {
                    let _gone = proc.kill(child, Some(Signal::CONT));
                }
                wait = limits.kill_after.filter(|_| signal != Signal::KILL);
                signal = Signal::KILL;
            }
        }
    };
    match (timed_out, ended) {
        (true, ExitStatus::Signaled(killed)) if killed == Signal::KILL => ExitStatus::Exited(137),
        (true, _) if !limits.preserve => ExitStatus::Exited(124),
        (_, status) => ExitStatus::Exited(status.code()),
    }
}

pub(crate) async fn run_stdbuf(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "+i:o:e:",
        &[
            ("input", Arity::Required, "i"),
            ("output", Arity::Required, "o"),
            ("error", Arity::Required, "e"),
        ],
    );
    let mut any = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("i" | "o" | "e", value)) => {
                any = true;
                if value != b"L" && crate::size::number(&value, b"kKmMGTPEZY0").is_err() {
                    input::complain_word(proc, "invalid mode", &value).await;
                    return ExitStatus::Exited(125);
                }
            }
            Ok((key, _)) => return about::run(proc, key, "stdbuf").await,
            Err(error) => return refuse(proc, &error, 125).await,
        }
    }
    let command = options.operands();
    if command.is_empty() {
        input::missing_operand(proc).await;
        return ExitStatus::Exited(125);
    }
    if !any {
        input::refuse_text(proc, "you must specify a buffering mode option").await;
        return ExitStatus::Exited(125);
    }
    launch::launch(proc, Locale::of(proc), "failed to run command ", command).await
}

pub(crate) async fn run_chroot(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "+",
        &[
            ("groups", Arity::Required, "ignored"),
            ("userspec", Arity::Required, "ignored"),
            ("skip-chdir", Arity::No, "ignored"),
        ],
    );
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) if option.key == "ignored" => {}
            Ok(option) => return about::run(proc, option.key, "chroot").await,
            Err(error) => return refuse(proc, &error, 125).await,
        }
    }
    let mut command = options.operands();
    if command.is_empty() {
        input::missing_operand(proc).await;
        return ExitStatus::Exited(125);
    }
    let root = command.remove(0);
    let refused = match proc.stat(&root) {
        Err(errno) => Some(errno),
        Ok(_) if proc.credentials().uid != 0 => Some(Errno::Eperm),
        Ok(found) if !found.is_dir() => Some(Errno::Enotdir),
        Ok(_) => None,
    };
    if let Some(errno) = refused {
        input::complain_about(proc, "cannot change root directory to", &root, errno).await;
        return ExitStatus::Exited(125);
    }
    if command.is_empty() {
        let shell = proc.env().value(b"SHELL").unwrap_or(b"/bin/sh").to_vec();
        command = vec![shell, b"-i".to_vec()];
    }
    // Only the root itself can be changed to; elsewhere there is rarely a system to run.
    let is_root = proc.real_path(&root).is_ok_and(|path| path == b"/");
    let name = command.first().cloned().unwrap_or_default();
    if !is_root {
        let shown = quote::text(proc, &name);
        proc.complain(
            &[b"failed to run command ", shown.as_slice()].concat(),
            Errno::Enoent,
        )
        .await;
        return ExitStatus::Exited(127);
    }
    launch::launch(proc, Locale::of(proc), "failed to run command ", command).await
}
