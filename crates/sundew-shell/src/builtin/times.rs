//! `times`.

use std::time::Duration;

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if let Some(option) = args
        .get(1)
        .filter(|arg| arg.len() > 1 && arg.starts_with(b"-"))
        && shell.is_bash()
        && option != b"--"
    {
        let option = option.get(..2).unwrap_or(option).to_vec();
        let usage = "times: usage: times";
        return Ok(shell.invalid_option(proc, args, &option, usage).await);
    }
    let (own, children) = proc.cpu_times();
    let line = |time: Duration| {
        // User time is told apart from the kernel's nowhere; four fifths is what most programs show.
        let user = time.mul_f64(0.8);
        let show = |time: Duration| show(time, shell.dialect);
        format!("{} {}\n", show(user), show(time.saturating_sub(user)))
    };
    let text = line(own) + &line(children);
    let _checked_at_flush = proc.print(text.as_bytes()).await;
    Ok(0)
}

fn show(time: Duration, dialect: Dialect) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    match dialect {
        Dialect::Dash => {
            // Counted in hundredths of a second.
            let hundredths = time.subsec_millis() / 10;
            format!("{minutes}m{seconds}.{hundredths:02}0000s")
        }
        _ => format!("{minutes}m{seconds}.{:03}s", time.subsec_millis()),
    }
}
