//! `cmp` of diffutils 3.8.

use sundew_kernel::{Errno, ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec, try_help};
use crate::text::input;

const SPEC: Spec = Spec::new(
    "bci:ln:sv",
    &[
        ("print-bytes", Arity::No, "b"),
        ("bytes", Arity::Required, "n"),
        ("verbose", Arity::No, "l"),
        ("quiet", Arity::No, "s"),
        ("silent", Arity::No, "s"),
    ],
);

/// Trouble, as opposed to a difference.
const TROUBLE: u8 = 2;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut silent, mut verbose, mut limit) = (false, false, usize::MAX);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option {
            Ok(option) => match option.key {
                "s" => silent = true,
                "l" => verbose = true,
                "n" => {
                    let number = std::str::from_utf8(&option.value)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    limit = number.unwrap_or(usize::MAX);
                }
                _ => {}
            },
            Err(error) => {
                proc.complain_text(error.text()).await;
                return try_help(proc, TROUBLE).await;
            }
        }
    }
    let mut operands = getopt.operands();
    if operands.is_empty() {
        let text = [b"missing operand after '", proc.name(), b"'"].concat();
        proc.complain_text(text).await;
        return try_help(proc, TROUBLE).await;
    }
    if operands.len() == 1 {
        operands.push(b"-".to_vec());
    }
    let mut contents = Vec::new();
    for path in operands.iter().take(2) {
        match input::read_all(proc, path).await {
            Ok(content) => contents.push(content),
            Err(Errno::Enomem) => proc.out_of_memory().await,
            Err(errno) => {
                if !silent {
                    proc.complain(path, errno).await;
                }
                return ExitStatus::Exited(TROUBLE);
            }
        }
    }
    let [(first, _), (second, _)] = contents.as_slice() else {
        return ExitStatus::Exited(TROUBLE);
    };
    let first = first.get(..first.len().min(limit)).unwrap_or_default();
    let second = second.get(..second.len().min(limit)).unwrap_or_default();
    let [name, other] = operands.as_slice() else {
        return ExitStatus::Exited(TROUBLE);
    };
    compare(proc, (name, first), (other, second), silent, verbose).await
}

async fn compare(
    proc: &mut Process,
    (name, first): (&[u8], &[u8]),
    (other, second): (&[u8], &[u8]),
    silent: bool,
    verbose: bool,
) -> ExitStatus {
    let mut different = false;
    for (at, (left, right)) in first.iter().zip(second).enumerate() {
        if left == right {
            continue;
        }
        different = true;
        if silent {
            return ExitStatus::FAILURE;
        }
        let line = 1 + first.iter().take(at).filter(|byte| **byte == b'\n').count();
        let text = if verbose {
            let width = first.len().min(second.len()).to_string().len();
            format!("{:>width$} {left:>3o} {right:>3o}\n", at + 1).into_bytes()
        } else {
            let place = format!(" differ: byte {}, line {line}\n", at + 1);
            [name, b" ", other, place.as_bytes()].concat()
        };
        if proc.print(&text).await.is_err() || !verbose {
            return ExitStatus::FAILURE;
        }
        proc.tick().await;
    }
    if first.len() == second.len() {
        return if different {
            ExitStatus::FAILURE
        } else {
            ExitStatus::SUCCESS
        };
    }
    if !silent {
        let (short, content) = if first.len() < second.len() {
            (name, first)
        } else {
            (other, second)
        };
        let lines = content.iter().filter(|byte| **byte == b'\n').count();
        let place = match content.last() {
            None => " which is empty".to_owned(),
            _ if verbose => format!(" after byte {}", content.len()),
            Some(b'\n') => format!(" after byte {}, line {lines}", content.len()),
            Some(_) => format!(" after byte {}, in line {}", content.len(), lines + 1),
        };
        let text = [b"EOF on ".as_slice(), short, place.as_bytes()].concat();
        proc.complain_text(text).await;
    }
    ExitStatus::FAILURE
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(
            run(&["cmp", "/etc/hostname", "-"], b"web01\n"),
            (String::new(), String::new(), 0)
        );
        assert_eq!(
            run(&["cmp", "/etc/hostname", "-"], b"web02\n").0,
            "/etc/hostname - differ: byte 5, line 1\n"
        );
        assert_eq!(
            run(&["cmp", "-", "/etc/hostname"], b"web").1,
            "cmp: EOF on - after byte 3, in line 1\n"
        );
        assert_eq!(run(&["cmp", "/nope", "/etc/group"], b"").2, 2);
    }
}
