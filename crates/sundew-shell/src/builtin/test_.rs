//! `test` and `[`: test(1p), with the grammar that bash, dash and ash each have for many arguments.
//!
//! The arguments are read into a postfix program first, so that nesting costs no stack when it runs.
//! All operands of `-a` and `-o` are evaluated, as in the real ones.

mod parse;

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::interp::conditional::{compare_files, compare_numbers};
use crate::shell::Shell;
use parse::Operation;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    evaluate(shell, proc, args, args.get(1..).unwrap_or_default()).await
}

pub(super) async fn run_bracket(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    match args.get(1..).and_then(<[Vec<u8>]>::split_last) {
        Some((last, operands)) if last == b"]" => evaluate(shell, proc, args, operands).await,
        _ => {
            let text = if shell.is_bash() {
                b"missing `]'".as_slice()
            } else {
                b"missing ]"
            };
            Ok(complain(shell, proc, args, text).await)
        }
    }
}

async fn evaluate(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operands: &[Vec<u8>],
) -> Answer {
    let (program, error) = parse::parse(operands, shell.dialect);
    let mut values: Vec<bool> = Vec::new();
    for operation in program {
        proc.tick().await;
        let value = match operation {
            Operation::Value(value) => value,
            Operation::Unary(b"-t", operand) if !shell.is_bash() => {
                match number(operand, shell.dialect) {
                    Ok(fd) => proc.is_terminal(u32::try_from(fd).unwrap_or(u32::MAX)),
                    Err(text) => return Ok(complain(shell, proc, args, &text).await),
                }
            }
            Operation::Unary(operator, operand) => shell
                .test_unary(proc, operator, operand)
                .await
                .unwrap_or(false),
            Operation::Binary(left, operator, right) => {
                match binary(proc, shell.dialect, left, operator, right) {
                    Ok(value) => value,
                    Err(text) => return Ok(complain(shell, proc, args, &text).await),
                }
            }
            Operation::Not => !values.pop().unwrap_or(false),
            Operation::And => {
                let (right, left) = (values.pop().unwrap_or(false), values.pop().unwrap_or(false));
                left && right
            }
            Operation::Or => {
                let (right, left) = (values.pop().unwrap_or(false), values.pop().unwrap_or(false));
                left || right
            }
        };
        values.push(value);
    }
    match error {
        Some(text) => Ok(complain(shell, proc, args, &text).await),
        None => Ok(u8::from(!values.pop().unwrap_or(false))),
    }
}

/// Status 2. BusyBox says the shell's name and neither the builtin nor the line.
async fn complain(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], text: &[u8]) -> u8 {
    if shell.dialect == Dialect::Ash {
        proc.print_error(&[shell.applet_name(), b": ", text, b"\n"].concat())
            .await;
        return 2;
    }
    shell.builtin_error(proc, args, text, 2).await
}

fn binary(
    proc: &Process,
    dialect: Dialect,
    left: &[u8],
    operator: &[u8],
    right: &[u8],
) -> Result<bool, Vec<u8>> {
    match operator {
        b"=" | b"==" => return Ok(left == right),
        b"!=" => return Ok(left != right),
        b"<" => return Ok(left < right),
        b">" => return Ok(left > right),
        _ => {}
    }
    if let Some(answer) = compare_files(proc, left, operator, right) {
        return Ok(answer);
    }
    let (left, right) = (number(left, dialect)?, number(right, dialect)?);
    Ok(compare_numbers(left, operator, right).unwrap_or(false))
}

/// A decimal number with blanks around it, or the complaint.
fn number(text: &[u8], dialect: Dialect) -> Result<i64, Vec<u8>> {
    super::getopt::integer(text).ok_or_else(|| match dialect {
        Dialect::Bash => [text, b": integer expression expected"].concat(),
        Dialect::Dash => [b"Illegal number: ".as_slice(), text].concat(),
        Dialect::Ash if text.is_empty() => b"bad number".to_vec(),
        Dialect::Ash => {
            let digits = text.trim_ascii();
            let digits = digits.strip_prefix(b"-").unwrap_or(digits);
            let too_large = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            [
                text,
                if too_large {
                    b": out of range".as_slice()
                } else {
                    b": bad number"
                },
            ]
            .concat()
        }
    })
}
