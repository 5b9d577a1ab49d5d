//! `coproc`: a background command with a pipe to and from it.

use std::sync::Arc;

use sundew_kernel::{Fd, Process, STDIN, STDOUT};
use sundew_sh_syntax::ast::Coprocess;
use sundew_sh_syntax::unparse;

use super::Place;
use crate::shell::{Run, Shell};
use crate::variable::is_name;

/// Where bash puts its ends of the first coprocess: what is read, what is written.
const ENDS: [Fd; 2] = [63, 60];

impl Shell {
    /// Starts the command; `NAME[0]` is read from, `NAME[1]` written to, `NAME_PID` tells who it is.
    pub(super) async fn run_coprocess(&mut self, proc: &mut Process, coprocess: &Coprocess) -> Run {
        if !is_name(&coprocess.name) {
            let name: &[u8] = &coprocess.name;
            let text = [b"`", name, b"': not a valid identifier"].concat();
            self.complain(proc, text).await;
            self.status = 1;
            return Ok(());
        }
        if let Some((pid, name)) = &self.coprocess
            && self
                .jobs
                .of_pid(*pid)
                .is_some_and(|job| job.state() == crate::job::JobState::Running)
        {
            let head = format!("warning: execute_coproc: coproc [{pid}:");
            let text = [head.as_bytes(), name, b"] still exists"].concat();
            self.complain(proc, text).await;
        }
        self.forget_coprocess(proc, true);
        let (input, to_it) = self.new_pipe(proc).await?;
        let (from_it, output) = self.new_pipe(proc).await?;
        let mut ours = [from_it, to_it];
        for (end, wanted) in ours.iter_mut().zip(ENDS) {
            if proc.duplicate_to(*end, wanted).is_ok() {
                let _just_opened = proc.close(*end);
                *end = wanted;
            }
        }
        let mut shell = self.to_subshell(proc);
        shell.subshell = self.subshell + 1;
        let body = Arc::clone(&coprocess.body);
        let job_control = self.job_control();
        let forked = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.enter_child(&mut child, job_control, None);
                    for (fd, standard) in [(input, STDIN), (output, STDOUT)] {
                        let _open = child.duplicate_to(fd, standard);
                        let _open = child.close(fd);
                    }
                    for fd in ours {
                        let _open = child.close(fd);
                    }
                    let run = shell.run_command(&mut child, &body, Place::Last).await;
                    shell.finish(&mut child, run).await
                })
            })
            .await;
        for fd in [input, output] {
            let _open = proc.close(fd);
        }
        let pid = forked?;
        self.place_child(proc, pid, pid, false);
        let name = coprocess.name.to_vec();
        let numbers = ours.map(|fd| fd.to_string().into_bytes());
        self.variables.set_own_array(&name, numbers);
        let name_of_pid = [name.as_slice(), b"_PID"].concat();
        self.variables.set_own(&name_of_pid, pid.to_string());
        self.coprocess = Some((pid, name));
        let text = [
            b"coproc ".as_slice(),
            &coprocess.name,
            b" ",
            &unparse::command(&coprocess.body),
        ];
        self.started_background(proc, &[pid], vec![text.concat()])
            .await;
        Ok(())
    }

    /// A coprocess that has ended takes its variables and descriptors with it.
    pub(crate) fn forget_coprocess(&mut self, proc: &mut Process, always: bool) {
        let Some((pid, name)) = self.coprocess.take() else {
            return;
        };
        let job = self.jobs.of_pid(pid);
        let runs = job.is_some_and(|job| job.state() == crate::job::JobState::Running);
        if runs && !always {
            self.coprocess = Some((pid, name));
            return;
        }
        for number in self.elements(&name) {
            let fd = std::str::from_utf8(&number)
                .ok()
                .and_then(|text| text.parse().ok());
            if let Some(fd) = fd {
                let _may_be_closed = proc.close(fd);
            }
        }
        self.variables.unset(&name);
        self.variables.unset(&[name.as_slice(), b"_PID"].concat());
    }
}
