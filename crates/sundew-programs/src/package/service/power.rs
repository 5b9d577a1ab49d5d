//! `reboot`, `halt`, `poweroff`, `shutdown`, `telinit`: the end of the machine.

use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::daemon::Power;
use sundew_kernel::{ExitStatus, Process, STDERR, STDIN, STDOUT};

use super::{fail, print};
use crate::time::{Shown, Zone};

/// What others are told before the end.
fn word(power: Power) -> &'static str {
    match power {
        Power::Reboot => "reboot",
        Power::Off => "power off",
        Power::Halt => "halt",
    }
}

fn of_name(name: &[u8]) -> Power {
    match name {
        b"reboot" | b"kexec" | b"soft-reboot" => Power::Reboot,
        b"halt" => Power::Halt,
        _ => Power::Off,
    }
}

/// `systemctl reboot` and its kin.
pub(super) async fn now(proc: &mut Process, verb: &[u8]) -> ExitStatus {
    end(proc, of_name(verb), None).await
}

/// The commands by their own names.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let name = proc.base_name().to_vec();
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let has = |letters: &[&str]| {
        words
            .iter()
            .any(|word| letters.iter().any(|letter| word == letter.as_bytes()))
    };
    if has(&["--help"]) {
        let name = String::from_utf8_lossy(&name).into_owned();
        return print(proc, super::super::help(&name)).await;
    }
    match name.as_slice() {
        b"telinit" => match words.first().map(Vec::as_slice) {
            Some(b"0") => end(proc, Power::Off, None).await,
            Some(b"6") => end(proc, Power::Reboot, None).await,
            Some(b"q" | b"Q" | b"u" | b"U" | b"1" | b"2" | b"3" | b"4" | b"5" | b"s" | b"S") => {
                ExitStatus::SUCCESS
            }
            _ => fail(proc, "telinit: required argument missing.\n", 1).await,
        },
        b"shutdown" => shutdown(proc, &words).await,
        name => {
            if has(&["-w", "--wtmp-only"]) {
                return ExitStatus::SUCCESS;
            }
            let power = if has(&["-p", "--poweroff"]) {
                Power::Off
            } else if has(&["--reboot"]) {
                Power::Reboot
            } else if has(&["--halt"]) {
                Power::Halt
            } else {
                of_name(name)
            };
            end(proc, power, None).await
        }
    }
}

async fn shutdown(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let (mut power, mut quiet, mut cancel, mut operands) = (Power::Off, false, false, Vec::new());
    for word in words {
        match word.as_slice() {
            b"-r" | b"--reboot" => power = Power::Reboot,
            b"-H" | b"--halt" => power = Power::Halt,
            b"-P" | b"-h" | b"--poweroff" => power = Power::Off,
            b"-c" => cancel = true,
            b"--no-wall" => quiet = true,
            b"-k" => {}
            word if word.starts_with(b"-") && word.len() > 1 => {
                let text = [
                    b"shutdown: invalid option -- '".as_slice(),
                    word.get(1..2).unwrap_or_default(),
                    b"'\n",
                ];
                return fail(proc, text.concat(), 1).await;
            }
            word => operands.push(word.to_vec()),
        }
    }
    if proc.credentials().uid != 0 {
        return denied(proc, power).await;
    }
    if cancel {
        if proc.unlink(SCHEDULED).is_ok() && !quiet {
            broadcast(proc, "The system shutdown has been cancelled").await;
        }
        return ExitStatus::SUCCESS;
    }
    let minutes = match operands.first().map(Vec::as_slice) {
        Some(b"now" | b"+0" | b"0") => 0,
        None => 1,
        Some(text) => {
            let shown = String::from_utf8_lossy(text).into_owned();
            match minutes_until(&shown, proc.now().secs) {
                Some(minutes) => minutes,
                None => {
                    let text = format!("Failed to parse time specification: {shown}\n");
                    return fail(proc, text, 1).await;
                }
            }
        }
    };
    let words = operands.get(1..).unwrap_or_default().join(&b' ');
    if minutes == 0 {
        return end(proc, power, Some(words)).await;
    }
    schedule(proc, power, minutes, quiet).await
}

/// `+5`, `23:10`.
fn minutes_until(text: &str, now: i64) -> Option<i64> {
    if let Some((hour, minute)) = text.split_once(':') {
        let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
            return None;
        }
        let today = now.rem_euclid(86_400) / 60;
        return Some((hour * 60 + minute - today - 1).rem_euclid(1440) + 1);
    }
    text.strip_prefix('+')
        .unwrap_or(text)
        .parse()
        .ok()
        .filter(|minutes| (0..=MAX_MINUTES).contains(minutes))
}

async fn schedule(proc: &mut Process, power: Power, minutes: i64, quiet: bool) -> ExitStatus {
    let at = proc.now().secs + minutes * 60;
    let zone = Zone::of(proc).await;
    let moment = sundew_vfs::Timestamp { secs: at, nanos: 0 };
    let shown = Shown::new(moment, &zone).format(b"%a %Y-%m-%d %H:%M:%S %Z");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let what = match power {
        Power::Reboot => "Reboot",
        Power::Off | Power::Halt => "Shutdown",
    };
    let text = format!("{what} scheduled for {shown}, use 'shutdown -c' to cancel.\n");
    proc.print_error(text.as_bytes()).await;
    if !quiet {
        broadcast(
            proc,
            &format!("The system will {} at {shown}!", word(power)),
        )
        .await;
    }
    let text = format!(
        "USEC={at}000000\nWARN_WALL=1\nMODE={}\n",
        word(power).replace(' ', "")
    );
    let _full = super::super::write(proc, SCHEDULED, text.as_bytes(), 0o644).await;
    // Whoever waits is no child of the shell any more.
    let _full = proc.fork(move |child| {
        Box::pin(async move {
            let _session = child.new_session();
            let seconds = u64::try_from(minutes * 60).unwrap_or(0);
            for fd in [STDIN, STDOUT, STDERR] {
                let _closed = child.close(fd);
            }
            if child.sleep(Duration::from_secs(seconds)).await.is_ok()
                && child.stat(SCHEDULED).is_ok()
            {
                let _root = child.power(power);
            }
            ExitStatus::SUCCESS
        })
    });
    ExitStatus::SUCCESS
}

async fn denied(proc: &mut Process, power: Power) -> ExitStatus {
    let call = match power {
        Power::Reboot => "Reboot",
        Power::Off => "PowerOff",
        Power::Halt => "Halt",
    };
    let text = format!(
        "Failed to set wall message, ignoring: Interactive authentication required.\nCall to {call} failed: Interactive authentication required.\n"
    );
    fail(proc, text, 1).await
}

async fn end(proc: &mut Process, power: Power, message: Option<Vec<u8>>) -> ExitStatus {
    if proc.credentials().uid != 0 {
        return denied(proc, power).await;
    }
    let mut text = format!("The system will {} now!", word(power));
    if let Some(message) = message.filter(|message| !message.is_empty()) {
        text = format!("{}\n\n{text}", String::from_utf8_lossy(&message));
    }
    broadcast(proc, &text).await;
    let text = format!("The system will {} now!", word(power));
    proc.log_as(
        sundew_kernel::journal::facility::AUTH,
        6,
        b"systemd-logind",
        text.into_bytes(),
        b"systemd-logind.service",
    );
    let _flushed = proc.flush().await;
    match proc.power(power) {
        Ok(()) => ExitStatus::SUCCESS,
        Err(_) => denied(proc, power).await,
    }
}

/// What systemd-logind writes to every terminal.
async fn broadcast(proc: &mut Process, text: &str) {
    let zone = Zone::of(proc).await;
    let now = Shown::new(proc.now(), &zone).format(b"%a %Y-%m-%d %H:%M:%S %Z");
    let host = String::from_utf8_lossy(&proc.hostname()).into_owned();
    let tty = [STDIN, STDOUT, STDERR]
        .into_iter()
        .find_map(|fd| proc.terminal_path(fd).ok());
    let place = tty.map_or_else(String::new, |tty| {
        let tty = tty.strip_prefix(b"/dev/").unwrap_or(&tty);
        format!(" on {}", String::from_utf8_lossy(tty))
    });
    let banner = format!(
        "\r\nBroadcast message from root@{host}{place} ({}):\r\n\r\n{}\r\n\r\n",
        String::from_utf8_lossy(&now),
        text.replace('\n', "\r\n")
    );
    for entry in proc.read_directory(b"/dev/pts").unwrap_or_default() {
        let path = [b"/dev/pts/".as_slice(), &entry.name].concat();
        let write = OpenFlags {
            read: false,
            write: true,
            ..OpenFlags::READ
        };
        if entry.name.iter().all(u8::is_ascii_digit)
            && let Ok(fd) = proc.open(&path, write, 0).await
        {
            let _hung_up = proc.write_all(fd, banner.as_bytes()).await;
            let _open = proc.close(fd);
        }
    }
}

/// Where systemd-logind keeps what it was asked for.
const SCHEDULED: &[u8] = b"/run/systemd/shutdown/scheduled";
/// Furthest that a shutdown is put off, in minutes: a year.
const MAX_MINUTES: i64 = 525_600;
