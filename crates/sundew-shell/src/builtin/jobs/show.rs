//! The lines of `jobs`.

use sundew_kernel::ExitStatus;
use sundew_sh_syntax::Dialect;

use crate::job::{Job, JobState};
use crate::shell::Shell;

/// Width of the state in bash's listing: the longest description of a signal.
const STATE_WIDTH: usize = 24;

/// Column at which dash and ash print the command.
const PLAIN_TEXT_COLUMN: usize = 33;

/// How a job is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtin) enum Form {
    Short,
    Long,
    PidOnly,
}

/// The state of a job in words. bash names the signal that stopped it only with `-l`.
fn state_text(job: &Job, long: bool) -> String {
    match job.state() {
        JobState::Stopped(signal) if long => signal.description(),
        JobState::Stopped(_) => "Stopped".to_owned(),
        _ => job.state_text(),
    }
}

/// The commands of a pipeline, one for each process, if they can be told apart.
fn commands(job: &Job) -> Vec<Vec<u8>> {
    if job.parts.len() == job.members.len() {
        return job.parts.clone();
    }
    let text = job.text.as_slice();
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, window) in text.windows(3).enumerate() {
        if window == b" | " {
            parts.push(text.get(from..at).unwrap_or_default().to_vec());
            from = at + 3;
        }
    }
    parts.push(text.get(from..).unwrap_or_default().to_vec());
    if parts.len() == job.members.len() {
        parts
    } else {
        vec![job.text.clone()]
    }
}

pub(in crate::builtin) fn bash_lines(shell: &Shell, job: &Job, form: Form) -> Vec<u8> {
    let number = job.number;
    let pid = job.members.first().map_or(0, |member| member.pid);
    let ampersand: &[u8] = if job.state() == JobState::Running && !job.foreground {
        b" &"
    } else {
        b""
    };
    let mark = shell.jobs.mark(number);
    match form {
        Form::PidOnly => format!("{pid}\n").into_bytes(),
        Form::Short => {
            let head = format!("[{number}]{mark}  {:<STATE_WIDTH$}", state_text(job, false));
            [head.as_bytes(), &job.text, ampersand, b"\n"].concat()
        }
        Form::Long => {
            let mut text = format!(
                "[{number}]{mark} {pid:5} {:<STATE_WIDTH$}",
                state_text(job, true)
            )
            .into_bytes();
            let commands = commands(job);
            for (index, command) in commands.iter().enumerate() {
                if let Some(member) = job.members.get(index).filter(|_| index > 0) {
                    text.extend(
                        format!("\n     {:5} {:2$}| ", member.pid, "", STATE_WIDTH - 2)
                            .into_bytes(),
                    );
                }
                text.extend_from_slice(command);
            }
            [text.as_slice(), ampersand, b"\n"].concat()
        }
    }
}

/// dash keeps the text of a job only where there is job control.
pub(super) fn plain_lines(shell: &Shell, job: &Job, form: Form) -> Vec<u8> {
    let pid = job.members.first().map_or(0, |member| member.pid);
    if form == Form::PidOnly {
        return format!("{pid}\n").into_bytes();
    }
    let dash = shell.dialect == Dialect::Dash;
    let commands: Vec<Vec<u8>> = if shell.job_control() {
        commands(job)
    } else {
        vec![Vec::new(); job.members.len().max(1)]
    };
    let state = match job.state() {
        JobState::Done(ExitStatus::Exited(code)) if code > 0 => format!("Done({code})"),
        _ => state_text(job, true),
    };
    let mark = shell.jobs.mark(job.number);
    let mut head = if dash {
        format!("[{}] {mark} ", job.number)
    } else {
        format!("[{}]{mark}  ", job.number)
    };
    let indent = head.len();
    if form == Form::Long {
        head.push_str(&format!("{pid} "));
    }
    head.push_str(&state);
    let mut text = format!("{head:<PLAIN_TEXT_COLUMN$}").into_bytes();
    for (index, command) in commands.iter().enumerate() {
        if index > 0 {
            match (form, job.members.get(index)) {
                (Form::Long, Some(member)) => {
                    let start = format!("{:indent$}{} ", "", member.pid);
                    text.extend_from_slice(if dash { b" |\n" } else { b"\n" });
                    text.extend(format!("{start:<PLAIN_TEXT_COLUMN$}").into_bytes());
                    text.extend_from_slice(if dash { b"" } else { b"| " });
                }
                _ => text.extend_from_slice(b" | "),
            }
        }
        text.extend_from_slice(command);
    }
    text.push(b'\n');
    text
}
