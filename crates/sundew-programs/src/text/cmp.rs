//! `cmp` of diffutils 3.8.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::diff::{hint, refuse, version};
use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;

const SPEC: Spec = Spec::gnu(
    "bci:ln:sv",
    &[
        ("print-bytes", Arity::No, "b"),
        ("print-chars", Arity::No, "b"),
        ("ignore-initial", Arity::Required, "i"),
        ("verbose", Arity::No, "l"),
        ("bytes", Arity::Required, "n"),
        ("quiet", Arity::No, "s"),
        ("silent", Arity::No, "s"),
    ],
);

/// Trouble, as opposed to a difference.
const TROUBLE: u8 = 2;

#[derive(Debug, Default)]
struct Settings {
    silent: bool,
    verbose: bool,
    bytes: bool,
    skip: (usize, usize),
    limit: Option<usize>,
}

/// A number of bytes with a suffix such as `k` or `MB`.
fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, suffix) = text.split_at_checked(digits)?;
    let number: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let unit: usize = match suffix {
        b"" => 1,
        b"kB" => 1000,
        b"k" | b"K" => 1 << 10,
        b"MB" => 1_000_000,
        b"M" => 1 << 20,
        b"GB" => 1_000_000_000,
        b"G" => 1 << 30,
        _ => return None,
    };
    Some(number.saturating_mul(unit))
}

/// `SKIP` or `SKIP1:SKIP2`.
fn skips(text: &[u8]) -> Option<(usize, usize)> {
    match text.iter().position(|&byte| byte == b':') {
        Some(at) => Some((number(text.get(..at)?)?, number(text.get(at + 1..)?)?)),
        None => number(text).map(|skip| (skip, skip)),
    }
}

async fn usage(proc: &mut Process, text: impl AsRef<[u8]> + Send) -> ExitStatus {
    proc.complain_text(text).await;
    hint(proc).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Settings::default();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, &error).await,
        };
        match option.key {
            "s" => settings.silent = true,
            "l" => settings.verbose = true,
            "b" | "c" => settings.bytes = true,
            "n" => match number(&option.value) {
                Some(limit) => settings.limit = Some(limit.min(settings.limit.unwrap_or(limit))),
                None => {
                    let text = [b"invalid --bytes value '", option.value.as_slice(), b"'"];
                    return usage(proc, text.concat()).await;
                }
            },
            "i" => match skips(&option.value) {
                Some(skip) => settings.skip = skip,
                None => {
                    let what: &[u8] = b"invalid --ignore-initial value '";
                    return usage(proc, [what, &option.value, b"'"].concat()).await;
                }
            },
            "help" => {
                let text = b"Usage: cmp [OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]\n";
                let _reported_at_exit = proc.print(text).await;
                return ExitStatus::SUCCESS;
            }
            _ => return version(proc, "cmp", "Torbjorn Granlund and David MacKenzie").await,
        }
    }
    if settings.verbose && settings.silent {
        return usage(proc, "options -l and -s are incompatible").await;
    }
    let operands = getopt.operands();
    let mut operands = operands.iter();
    let Some(first) = operands.next() else {
        let text = [b"missing operand after '", proc.name(), b"'"].concat();
        return usage(proc, text).await;
    };
    let dash = b"-".to_vec();
    let second = operands.next().unwrap_or(&dash);
    for place in 0..2 {
        let Some(word) = operands.next() else { break };
        let Some(skip) = number(word) else {
            let what: &[u8] = b"invalid --ignore-initial value '";
            return usage(proc, [what, word, b"'"].concat()).await;
        };
        if place == 0 {
            settings.skip.0 = settings.skip.0.max(skip);
        } else {
            settings.skip.1 = settings.skip.1.max(skip);
        }
    }
    if let Some(extra) = operands.next() {
        return usage(proc, [b"extra operand '".as_slice(), extra, b"'"].concat()).await;
    }
    let mut contents = Vec::new();
    for path in [first, second] {
        match input::read_all(proc, path).await {
            Ok(content) => contents.push(content),
            Err(Errno::Enomem) => proc.out_of_memory().await,
            Err(errno) => {
                if !settings.silent || errno != Errno::Enoent {
                    proc.complain(path, errno).await;
                }
                return ExitStatus::Exited(TROUBLE);
            }
        }
    }
    let [(left, _), (right, _)] = contents.as_slice() else {
        return ExitStatus::Exited(TROUBLE);
    };
    let part = |content: &[u8], skip: usize| {
        let rest = content.get(skip..).unwrap_or_default();
        rest.len().min(settings.limit.unwrap_or(usize::MAX))
    };
    let (left_length, right_length) = (part(left, settings.skip.0), part(right, settings.skip.1));
    let left = left.get(settings.skip.0..).unwrap_or_default();
    let right = right.get(settings.skip.1..).unwrap_or_default();
    let left = left.get(..left_length).unwrap_or_default();
    let right = right.get(..right_length).unwrap_or_default();
    compare(proc, &settings, (first, left), (second, right)).await
}

/// A byte as `cat -v` shows it.
fn visible(byte: u8) -> String {
    let low = byte & 0x7f;
    let meta = if byte < 0x80 { "" } else { "M-" };
    match low {
        0x7f => format!("{meta}^?"),
        0..0x20 => format!("{meta}^{}", char::from(low + 0x40)),
        _ => format!("{meta}{}", char::from(low)),
    }
}

async fn compare(
    proc: &mut Process,
    settings: &Settings,
    (name, first): (&[u8], &[u8]),
    (other, second): (&[u8], &[u8]),
) -> ExitStatus {
    let (silent, verbose) = (settings.silent, settings.verbose);
    let mut different = false;
    let longest = first.len().max(second.len());
    let width = settings.limit.unwrap_or(longest).min(longest);
    let width = width.to_string().len();
    for (at, (left, right)) in first.iter().zip(second).enumerate() {
        if left == right {
            continue;
        }
        different = true;
        if silent {
            return ExitStatus::FAILURE;
        }
        let text = if verbose {
            if settings.bytes {
                format!(
                    "{:>width$} {left:>3o} {:<4} {right:>3o} {}\n",
                    at + 1,
                    visible(*left),
                    visible(*right)
                )
            } else {
                format!("{:>width$} {left:>3o} {right:>3o}\n", at + 1)
            }
            .into_bytes()
        } else {
            let line = 1 + first.iter().take(at).filter(|byte| **byte == b'\n').count();
            let bytes = if settings.bytes {
                format!(
                    " is {left:>3o} {} {right:>3o} {}",
                    visible(*left),
                    visible(*right)
                )
            } else {
                String::new()
            };
            let unit = match crate::quote::Locale::of(proc) {
                crate::quote::Locale::C => "char",
                crate::quote::Locale::Utf8 => "byte",
            };
            let place = format!(" differ: {unit} {}, line {line}{bytes}\n", at + 1);
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
            "/etc/hostname - differ: char 5, line 1\n"
        );
        assert_eq!(
            run(&["cmp", "-", "/etc/hostname"], b"web").1,
            "cmp: EOF on - after byte 3, in line 1\n"
        );
        assert_eq!(run(&["cmp", "/nope", "/etc/group"], b"").2, 2);
    }
}
