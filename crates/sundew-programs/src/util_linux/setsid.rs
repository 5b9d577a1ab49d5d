//! `setsid`: a program in a session of its own.

use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::text::shell;

const SPEC: Spec = Spec::new(
    "+Vhcfw",
    &[
        ("ctty", Arity::No, "c"),
        ("fork", Arity::No, "f"),
        ("wait", Arity::No, "w"),
        ("version", Arity::No, "V"),
        ("help", Arity::No, "h"),
    ],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut fork, mut wait) = (false, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option {
            Ok(option) => match option.key {
                "f" => fork = true,
                "w" => wait = true,
                "V" => {
                    // The kernel reports a failed write at exit.
                    let _reported = proc.print(b"setsid from util-linux 2.38.1\n").await;
                    return ExitStatus::SUCCESS;
                }
                _ => {}
            },
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let words = getopt.operands();
    if words.is_empty() {
        proc.complain_text(b"no command specified").await;
        return try_help(proc, 1).await;
    }
    if fork || proc.group() == proc.pid() {
        // A leader of a group cannot start a session; its child can.
        let started = proc.fork(move |mut child| {
            Box::pin(async move {
                let _own_session = child.new_session();
                super::become_command(&mut child, words).await
            })
        });
        return match started {
            Ok(pid) if wait => shell::wait(proc, pid).await,
            Ok(_) => ExitStatus::SUCCESS,
            Err(errno) => {
                proc.complain(b"fork", errno).await;
                proc.status()
            }
        };
    }
    let _own_session = proc.new_session();
    super::become_command(proc, words).await
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn the_command_takes_over() {
        assert_eq!(run(&["setsid", "-w", "rev"], b"ab\n").0, "ba\n");
        let text = "setsid: failed to execute nosuch: No such file or directory\n";
        assert_eq!(
            run(&["setsid", "-w", "nosuch"], b""),
            (String::new(), text.into(), 127)
        );
    }
}
