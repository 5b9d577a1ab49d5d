//! `kill` as BusyBox 1.35 has it.

use sundew_kernel::{Process, Signal};

use super::{kill_job, number, send, signal_of};
use crate::shell::Shell;

/// BusyBox's `kill` is its applet, which complains in its own name.
pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut signal = Some(Signal::TERM);
    match rest.first().map(Vec::as_slice) {
        Some(b"-l") => return list_ash(proc, rest.get(1..).unwrap_or_default()).await,
        Some(b"--") => rest = rest.get(1..).unwrap_or_default(),
        Some([b'-', name @ ..]) if !name.is_empty() => {
            let (name, after) = match (name, rest.get(1)) {
                (b"s", Some(name)) => (name.as_slice(), 2),
                (name, _) => (name, 1),
            };
            let Some(found) = signal_of(name) else {
                return complain_as_applet(proc, &[b"bad signal name '", name, b"'"].concat())
                    .await;
            };
            signal = found;
            rest = rest.get(after..).unwrap_or_default();
        }
        _ => {}
    }
    if rest.is_empty() {
        return complain_as_applet(proc, b"you need to specify whom to kill").await;
    }
    let mut status = 0;
    // The shell turns job specifications into numbers first: one that is none ends it all.
    for spec in rest.iter().filter(|target| target.starts_with(b"%")) {
        if shell.find_job(spec).is_err() {
            return shell
                .builtin_error(proc, args, [spec, b": no such job".as_slice()].concat(), 2)
                .await;
        }
    }
    for target in rest {
        proc.tick().await;
        if target.starts_with(b"%") {
            status |= u8::from(!kill_job(shell, proc, args, target, signal).await);
            continue;
        }
        let Some(pid) = number::<i64>(target) else {
            status = complain_as_applet(
                proc,
                &[b"invalid number '", target.as_slice(), b"'"].concat(),
            )
            .await;
            continue;
        };
        if let Err(errno) = send(proc, pid, signal) {
            let text = format!("can't kill pid {pid}: {}", errno.message());
            status = complain_as_applet(proc, text.as_bytes()).await;
        }
    }
    status
}

async fn complain_as_applet(proc: &mut Process, text: &[u8]) -> u8 {
    let base = proc.base_name();
    let base = base.strip_prefix(b"-").unwrap_or(base);
    let applet = if matches!(base, b"busybox" | b"") {
        b"sh".to_vec()
    } else {
        base.to_vec()
    };
    proc.print_error(&[applet.as_slice(), b": ", text, b"\n"].concat())
        .await;
    1
}

async fn list_ash(proc: &mut Process, operands: &[Vec<u8>]) -> u8 {
    // BusyBox says POLL for 29.
    let name = |signal: Signal| {
        if signal == Signal::IO {
            "POLL".to_owned()
        } else {
            signal.name()
        }
    };
    if operands.is_empty() {
        let lines: String = Signal::all()
            .take_while(|signal| signal.number() < 32)
            .map(|signal| format!("{:2}) {}\n", signal.number(), name(signal)))
            .collect();
        let _checked_at_flush = proc.print(lines.as_bytes()).await;
        return 0;
    }
    let mut status = 0;
    for operand in operands {
        let line = match number::<u32>(operand) {
            Some(0) => "EXIT".to_owned(),
            Some(code) => {
                let signal = if code > 128 { code & 0x7f } else { code };
                let named = Signal::from_number(signal).filter(|signal| signal.number() < 32);
                named.map_or_else(|| signal.to_string(), name)
            }
            None => match signal_of(operand) {
                Some(signal) => signal.map_or(0, Signal::number).to_string(),
                None => {
                    status = complain_as_applet(
                        proc,
                        &[b"unknown signal '", operand.as_slice(), b"'"].concat(),
                    )
                    .await;
                    continue;
                }
            },
        };
        let _checked_at_flush = proc.print(format!("{line}\n").as_bytes()).await;
    }
    status
}
