//! Applets that run, time, find or end other programs: time, timeout, start-stop-daemon, pidof,
//! cttyhack, linux32, unshare, nuke, usleep.

use std::time::Duration;

use sundew_kernel::process::WaitFor;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{Errno, ExitStatus, Pid, Process, Signal};

use super::daemon::pid_in;
use super::{complain, printed, usage};
use crate::getopt::{Getopt, Spec};
use crate::text::command;

/// Longest sleep that is asked for, in seconds: some thirty years.
const MAX_SLEEP_SECONDS: f64 = 1e9;

pub(super) async fn run(proc: &mut Process, name: &[u8]) -> ExitStatus {
    match name {
        b"usleep" => usleep(proc).await,
        b"pidof" => pidof(proc).await,
        b"time" => time(proc).await,
        b"timeout" => timeout(proc).await,
        b"start-stop-daemon" => start_stop(proc).await,
        b"nuke" => {
            let mut words = vec![b"rm".to_vec(), b"-rf".to_vec(), b"--".to_vec()];
            words.extend(proc.args().iter().skip(1).cloned());
            become_program(proc, "nuke", words).await
        }
        _ => {
            let applet = String::from_utf8_lossy(name).into_owned();
            let words = proc.args().iter().skip(1);
            let mut words: Vec<_> = words
                .skip_while(|word| word.starts_with(b"-"))
                .cloned()
                .collect();
            if words.is_empty() {
                if name == b"cttyhack" {
                    return ExitStatus::FAILURE;
                }
                words = vec![b"/bin/sh".to_vec()];
            }
            become_program(proc, &applet, words).await
        }
    }
}

/// Becomes the program that these words name; complains if there is none.
async fn become_program(proc: &mut Process, applet: &str, words: Vec<Vec<u8>>) -> ExitStatus {
    let name = words.first().cloned().unwrap_or_default();
    let errno = match command::search(proc, &name) {
        Ok(path) => {
            let env = proc.env().clone();
            proc.exec(&path, words, env).await
        }
        Err(errno) => errno,
    };
    let reason = errno.message().as_bytes();
    let text = [b"can't execute '", name.as_slice(), b"': ", reason].concat();
    complain(proc, applet, text).await;
    ExitStatus::Exited(if errno == Errno::Enoent { 127 } else { 126 })
}

async fn usleep(proc: &mut Process) -> ExitStatus {
    let Some(word) = proc.args().get(1).cloned() else {
        return usage::refuse(proc, b"usleep").await;
    };
    let text = String::from_utf8_lossy(&word).into_owned();
    let Ok(micros) = text.parse::<u64>() else {
        return complain(proc, "usleep", format!("invalid number '{text}'")).await;
    };
    let _interrupted = proc.sleep(Duration::from_micros(micros)).await;
    ExitStatus::SUCCESS
}

/// Whether a process goes by this name: its own, or that of its first argument or executable.
fn answers_to(proc: &Process, pid: Pid, comm: &[u8], args: &[Vec<u8>], name: &[u8]) -> bool {
    let short = name.get(..15).unwrap_or(name);
    if comm == short {
        return true;
    }
    if let Some(first) = args.first() {
        let base = first.rsplit(|&byte| byte == b'/').next().unwrap_or(first);
        if base == name {
            return true;
        }
    }
    let link = format!("/proc/{pid}/exe");
    name.starts_with(b"/")
        && proc
            .read_link(link.as_bytes())
            .is_ok_and(|target| target == name)
}

fn processes_named(proc: &Process, name: &[u8]) -> Vec<Pid> {
    let own = proc.pid();
    proc.processes()
        .iter()
        .filter(|one| one.pid != own && answers_to(proc, one.pid, &one.name, &one.args, name))
        .map(|one| one.pid)
        .collect()
}

async fn pidof(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("so:", &[]);
    let (mut single, mut omitted) = (false, Vec::new());
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) if option.key == "s" => single = true,
            Ok(option) => {
                let text = String::from_utf8_lossy(&option.value).into_owned();
                omitted.push(if text == "%PPID" {
                    proc.ppid()
                } else {
                    text.parse().unwrap_or(0)
                });
            }
            Err(error) => return usage::refuse_option(proc, b"pidof", &error).await,
        }
    }
    let mut found: Vec<String> = Vec::new();
    for name in options.operands() {
        let pids = processes_named(proc, &name);
        found.extend(
            pids.into_iter()
                .filter(|pid| !omitted.contains(pid))
                .map(|pid| pid.to_string()),
        );
    }
    if single {
        found.truncate(1);
    }
    if found.is_empty() {
        return ExitStatus::FAILURE;
    }
    printed(proc, format!("{}\n", found.join(" ")).as_bytes()).await
}

/// `time PROG`: how long it took, on standard error.
async fn time(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let (mut portable, mut verbose) = (false, false);
    while let Some(word) = words.first().filter(|word| word.starts_with(b"-")).cloned() {
        words.remove(0);
        portable |= word.contains(&b'p');
        verbose |= word.contains(&b'v');
        if word.contains(&b'o') && !words.is_empty() {
            words.remove(0);
        }
    }
    if words.is_empty() {
        return usage::refuse(proc, b"time").await;
    }
    let shown = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
    let start = proc.monotonic();
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            child.discard_output();
            become_program(&mut child, "time", words).await
        })
    });
    let Ok(pid) = child else {
        return complain(proc, "time", Errno::Eagain.message()).await;
    };
    let status = match proc.wait(WaitFor::Pid(pid), false, true).await {
        Ok(Some((_, ChildEvent::Ended(status)))) => status,
        _ => ExitStatus::FAILURE,
    };
    let real = proc.monotonic().saturating_sub(start);
    let mut text = match status {
        ExitStatus::Exited(0) => String::new(),
        ExitStatus::Exited(code) => format!("Command exited with non-zero status {code}\n"),
        ExitStatus::Signaled(signal) => {
            format!("Command terminated by signal {}\n", signal.number())
        }
    };
    let hundredths = real.as_millis() / 10;
    let (seconds, hundredths) = (hundredths / 100, hundredths % 100);
    text += &if verbose {
        format!(
            "\tCommand being timed: \"{shown}\"\n\tUser time (seconds): 0.00\n\tSystem time (seconds): 0.00\n\tPercent of CPU this job got: 0%\n\tElapsed (wall clock) time (h:mm:ss or m:ss): {}m {:02}.{hundredths:02}s\n\tAverage shared text size (kbytes): 0\n\tAverage unshared data size (kbytes): 0\n\tAverage stack size (kbytes): 0\n\tAverage total size (kbytes): 0\n\tMaximum resident set size (kbytes): 2432\n\tAverage resident set size (kbytes): 0\n\tMajor (requiring I/O) page faults: 0\n\tMinor (reclaiming a frame) page faults: 38\n\tVoluntary context switches: 1\n\tInvoluntary context switches: 0\n\tSwaps: 0\n\tFile system inputs: 0\n\tFile system outputs: 0\n\tSocket messages sent: 0\n\tSocket messages received: 0\n\tSignals delivered: 0\n\tPage size (bytes): 4096\n\tExit status: {}\n",
            seconds / 60,
            seconds % 60,
            status.code()
        )
    } else if portable {
        format!("real {seconds}.{hundredths:02}\nuser 0.00\nsys 0.00\n")
    } else {
        format!(
            "real\t{}m {}.{hundredths:02}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n",
            seconds / 60,
            seconds % 60
        )
    };
    proc.print_error(text.as_bytes()).await;
    ExitStatus::Exited(status.code())
}

/// `1.5m` in seconds.
fn seconds(text: &str) -> Option<f64> {
    let (number, factor) = match text.chars().last()? {
        's' => (text.get(..text.len() - 1)?, 1.0),
        'm' => (text.get(..text.len() - 1)?, 60.0),
        'h' => (text.get(..text.len() - 1)?, 3600.0),
        'd' => (text.get(..text.len() - 1)?, 86_400.0),
        _ => (text, 1.0),
    };
    let sane = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = number.parse().ok().filter(|_| sane)?;
    Some((value * factor).min(MAX_SLEEP_SECONDS))
}

/// `timeout`: a grandchild watches, so that the program is this very process.
async fn timeout(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("+s:k:", &[]);
    let (mut signal, mut kill_after) = (Signal::TERM, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, b"timeout", &error).await,
        };
        let text = String::from_utf8_lossy(&option.value).into_owned();
        if option.key == "k" {
            kill_after = seconds(&text);
            continue;
        }
        let by_number = text.parse().ok().and_then(Signal::from_number);
        match by_number.or_else(|| Signal::from_name(text.as_bytes())) {
            Some(found) => signal = found,
            None => return complain(proc, "timeout", format!("unknown signal '{text}'")).await,
        }
    }
    let mut words = options.operands();
    if words.is_empty() {
        return usage::refuse(proc, b"timeout").await;
    }
    let text = String::from_utf8_lossy(&words.remove(0)).into_owned();
    let Some(limit) = seconds(&text) else {
        return complain(proc, "timeout", format!("invalid number '{text}'")).await;
    };
    if words.is_empty() {
        return usage::refuse(proc, b"timeout").await;
    }
    let watched = proc.pid();
    let between = proc.fork(move |mut child| {
        Box::pin(async move {
            child.discard_output();
            let _watcher = child.fork(move |watcher| {
                Box::pin(async move {
                    let _interrupted = watcher.sleep(Duration::from_secs_f64(limit)).await;
                    let _gone = watcher.kill(watched, Some(signal));
                    if let Some(more) = kill_after {
                        let _interrupted = watcher.sleep(Duration::from_secs_f64(more)).await;
                        let _gone = watcher.kill(watched, Some(Signal::KILL));
                    }
                    ExitStatus::SUCCESS
                })
            });
            ExitStatus::SUCCESS
        })
    });
    if let Ok(pid) = between {
        let _reaped = proc.wait(WaitFor::Pid(pid), false, true).await;
    }
    become_program(proc, "timeout", words).await
}

/// What start-stop-daemon was told.
#[derive(Default)]
struct Service {
    stops: bool,
    starts: bool,
    background: bool,
    quiet: bool,
    fails_never: bool,
    only_tests: bool,
    writes_pid: bool,
    program: Option<Vec<u8>>,
    shown_as: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    pid_file: Option<Vec<u8>>,
    signal: Option<Signal>,
}

impl Service {
    async fn running(&self, proc: &Process) -> Vec<Pid> {
        if let Some(path) = &self.pid_file {
            let alive = |pid: &Pid| proc.processes().iter().any(|one| one.pid == *pid);
            return pid_in(proc, path).await.filter(alive).into_iter().collect();
        }
        let name = self.program.as_ref().or(self.name.as_ref());
        name.map(|name| processes_named(proc, name))
            .unwrap_or_default()
    }

    /// How a message names it.
    fn shown(&self) -> Vec<u8> {
        match (&self.pid_file, &self.program, &self.name) {
            (Some(path), ..) => [b"process in pidfile '", path.as_slice(), b"'"].concat(),
            (None, Some(name), _) | (None, None, Some(name)) => name.clone(),
            (None, None, None) => Vec::new(),
        }
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn start_stop(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "KSbqtma:n:s:u:c:x:p:ovN:R:d:",
        &[
            ("stop", crate::getopt::Arity::No, "K"),
            ("start", crate::getopt::Arity::No, "S"),
            ("background", crate::getopt::Arity::No, "b"),
            ("quiet", crate::getopt::Arity::No, "q"),
            ("test", crate::getopt::Arity::No, "t"),
            ("make-pidfile", crate::getopt::Arity::No, "m"),
            ("oknodo", crate::getopt::Arity::No, "o"),
            ("verbose", crate::getopt::Arity::No, "v"),
            ("startas", crate::getopt::Arity::Required, "a"),
            ("name", crate::getopt::Arity::Required, "n"),
            ("signal", crate::getopt::Arity::Required, "s"),
            ("user", crate::getopt::Arity::Required, "u"),
            ("chuid", crate::getopt::Arity::Required, "c"),
            ("exec", crate::getopt::Arity::Required, "x"),
            ("pidfile", crate::getopt::Arity::Required, "p"),
            ("nicelevel", crate::getopt::Arity::Required, "N"),
            ("retry", crate::getopt::Arity::Required, "R"),
        ],
    );
    let mut service = Service::default();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => {
                return usage::refuse_option(proc, b"start-stop-daemon", &error).await;
            }
        };
        let value = option.value;
        match option.key {
            "K" => service.stops = true,
            "S" => service.starts = true,
            "b" => service.background = true,
            "q" => service.quiet = true,
            "o" => service.fails_never = true,
            "t" => service.only_tests = true,
            "m" => service.writes_pid = true,
            "x" => service.program = Some(value),
            "a" => service.shown_as = Some(value),
            "n" => service.name = Some(value),
            "p" => service.pid_file = Some(value),
            "s" => service.signal = Signal::from_name(&value),
            _ => {}
        }
    }
    let operands = options.operands();
    let nameless = service.program.is_none() && service.name.is_none();
    if service.stops == service.starts || (nameless && service.pid_file.is_none()) {
        return usage::refuse(proc, b"start-stop-daemon").await;
    }
    let running = service.running(proc).await;
    if service.stops {
        return stop(proc, &service, &running).await;
    }
    let refusal = if service.fails_never {
        ExitStatus::SUCCESS
    } else {
        ExitStatus::FAILURE
    };
    let Some(program) = service.shown_as.clone().or(service.program.clone()) else {
        return usage::refuse(proc, b"start-stop-daemon").await;
    };
    if !running.is_empty() {
        if !service.quiet {
            let _closed = proc
                .print(&[&program, b" is already running\n".as_slice()].concat())
                .await;
        }
        return refusal;
    }
    if let Err(errno) = proc.access(&program, sundew_vfs::Access::Execute) {
        let reason = errno.message().as_bytes();
        let text = [b"can't execute '", program.as_slice(), b"': ", reason].concat();
        return complain(proc, "start-stop-daemon", text).await;
    }
    if service.only_tests {
        return ExitStatus::SUCCESS;
    }
    let mut words = vec![program];
    words.extend(operands);
    if !service.background {
        write_pid(proc, &service, proc.pid()).await;
        return become_program(proc, "start-stop-daemon", words).await;
    }
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            child.discard_output();
            let _already_leads = child.new_session();
            become_program(&mut child, "start-stop-daemon", words).await
        })
    });
    match child {
        Ok(pid) => {
            write_pid(proc, &service, pid).await;
            ExitStatus::SUCCESS
        }
        Err(errno) => complain(proc, "start-stop-daemon", errno.message()).await,
    }
}

async fn write_pid(proc: &Process, service: &Service, pid: Pid) {
    use sundew_kernel::descriptor::OpenFlags;
    let Some(path) = service.pid_file.as_ref().filter(|_| service.writes_pid) else {
        return;
    };
    if let Ok(fd) = proc.open(path, OpenFlags::CREATE, 0o644).await {
        let _full = proc.write_all(fd, format!("{pid}\n").as_bytes()).await;
        let _open = proc.close(fd);
    }
}

async fn stop(proc: &mut Process, service: &Service, running: &[Pid]) -> ExitStatus {
    let shown = service.shown();
    if running.is_empty() {
        if !service.quiet {
            let line = [b"no ".as_slice(), &shown, b" found; none killed\n"].concat();
            let _closed = proc.print(&line).await;
        }
        return if service.fails_never {
            ExitStatus::SUCCESS
        } else {
            ExitStatus::FAILURE
        };
    }
    let mut killed = Vec::new();
    for &pid in running {
        if service.only_tests {
            continue;
        }
        match proc.kill(pid, Some(service.signal.unwrap_or(Signal::TERM))) {
            Ok(()) => killed.push(pid.to_string()),
            Err(errno) => {
                let text = format!("warning: killing process {pid}: {}", errno.message());
                complain(proc, "start-stop-daemon", text).await;
            }
        }
    }
    if !service.quiet && !killed.is_empty() {
        let pids = killed.join(" ");
        let line = [
            b"stopped ".as_slice(),
            &shown,
            format!(" (pid {pids})\n").as_bytes(),
        ]
        .concat();
        let _closed = proc.print(&line).await;
    }
    ExitStatus::SUCCESS
}
