//! `exit`, `logout`.

use sundew_kernel::Process;

use super::Answer;
use crate::job::JobState;
use crate::shell::{Flow, Shell};

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.interactive && shell.is_bash() && shell.subshell == 0 {
        let word: &[u8] = if shell.login { b"logout\n" } else { b"exit\n" };
        proc.print_error(word).await;
    }
    if shell.warned_of_jobs(proc).await {
        return Ok(1);
    }
    leave(shell, proc, args).await
}

pub(super) async fn run_logout(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if !shell.login {
        return Ok(shell
            .builtin_error(proc, args, "not login shell: use `exit'", 1)
            .await);
    }
    if shell.warned_of_jobs(proc).await {
        return Ok(1);
    }
    leave(shell, proc, args).await
}

impl Shell {
    /// A person who leaves stopped jobs behind is told once: leaving again at once is meant.
    pub(crate) async fn warned_of_jobs(&mut self, proc: &mut Process) -> bool {
        if !self.interactive {
            return false;
        }
        let listed = self.is_bash() && self.listed_jobs_at + 1 == self.typed_lines;
        if listed || self.warned_at + 1 == self.typed_lines {
            return false;
        }
        self.reap(proc).await;
        let stopped = self
            .jobs
            .iter()
            .any(|job| matches!(job.state(), JobState::Stopped(_)));
        let running = self.is_bash()
            && self.options.shopt("checkjobs")
            && self.jobs.iter().any(|job| job.state() == JobState::Running);
        if stopped || running {
            let text: &[u8] = if !self.is_bash() {
                b"You have stopped jobs.\n"
            } else if stopped {
                b"There are stopped jobs.\n"
            } else {
                b"There are running jobs.\n"
            };
            proc.print_error(text).await;
            self.warned_at = self.typed_lines;
        }
        stopped || running
    }
}

async fn leave(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if let Some(text) = args.get(1).filter(|_| !shell.is_bash()) {
        match super::plain_number(text) {
            Some(status) => shell.status = status.to_le_bytes()[0],
            None => return shell.illegal_number(proc, args, text).await,
        }
    } else if let Some(text) = args.get(1) {
        match std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok())
        {
            Some(_) if args.len() > 2 => {
                return shell.too_many_arguments(proc, args).await;
            }
            Some(status) => shell.status = status.to_le_bytes()[0],
            None => {
                let text = [text.as_slice(), b": numeric argument required"].concat();
                shell.status = shell.builtin_error(proc, args, text, 2).await;
            }
        }
    }
    Err(Flow::Exit)
}
