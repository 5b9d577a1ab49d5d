//! sleep(1).

use std::time::Duration;

use sundew_kernel::{ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Getopt, Spec, refuse, try_help};
use crate::quote;

/// Longest wait, in seconds: the program would be killed for its age long before.
const MAX_SECONDS: f64 = 1e9;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "sleep").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    let mut total = 0.0;
    for word in &operands {
        match interval(word) {
            Some(seconds) => total += seconds,
            None => {
                let word = quote::text(proc, word);
                proc.complain_text([b"invalid time interval ", word.as_slice()].concat())
                    .await;
            }
        }
    }
    if proc.status() != ExitStatus::SUCCESS {
        return try_help(proc, 1).await;
    }
    // No signal is caught, so nothing interrupts this but the end.
    let _slept = proc
        .sleep(Duration::from_secs_f64(total.min(MAX_SECONDS)))
        .await;
    proc.status()
}

/// Seconds of `1.5`, `2m`, `inf`.
pub(super) fn interval(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?.trim_start();
    let (number, factor) = match text.as_bytes().last()? {
        b's' => (text.strip_suffix('s')?, 1.0),
        b'm' => (text.strip_suffix('m')?, 60.0),
        b'h' => (text.strip_suffix('h')?, 3600.0),
        b'd' => (text.strip_suffix('d')?, 86_400.0),
        _ => (text, 1.0),
    };
    let value: f64 = number.parse().ok()?;
    (value >= 0.0).then_some(value * factor)
}
