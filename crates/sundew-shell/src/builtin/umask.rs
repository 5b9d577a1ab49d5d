//! `umask`.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::getopt::{Found, Options};
use crate::shell::Shell;

const USAGE: &str = "umask: usage: umask [-p] [-S] [mode]";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut reusable, mut symbolic) = (false, false);
    let mut options = Options::new(args, if shell.is_bash() { b"pS" } else { b"S" });
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'p', _) => reusable = true,
            Found::Option(..) => symbolic = true,
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    let Some(mode) = options.operands().first() else {
        let mask = proc.umask();
        let text = if symbolic {
            symbols(mask)
        } else {
            format!("{mask:04o}")
        };
        let prefix = match (reusable, symbolic) {
            (true, true) => "umask -S ",
            (true, false) => "umask ",
            _ => "",
        };
        let _checked_at_flush = proc.print(format!("{prefix}{text}\n").as_bytes()).await;
        return Ok(0);
    };
    match new_mask(mode, proc.umask(), shell.dialect) {
        Ok(mask) => {
            proc.set_umask(mask);
            if symbolic && shell.is_bash() {
                let _checked_at_flush = proc.print(format!("{}\n", symbols(mask)).as_bytes()).await;
            }
            Ok(0)
        }
        Err(reason) => {
            let (text, status) = match shell.dialect {
                Dialect::Bash => (reason, 1),
                Dialect::Dash if mode.first().is_some_and(u8::is_ascii_digit) => {
                    ([b"Illegal number: ".as_slice(), mode].concat(), 2)
                }
                Dialect::Dash => ([b"Illegal mode: ".as_slice(), mode].concat(), 2),
                Dialect::Ash => ([b"illegal mode: ".as_slice(), mode].concat(), 2),
            };
            Ok(shell.builtin_error(proc, args, text, status).await)
        }
    }
}

/// `u=rwx,g=rx,o=rx`: what is allowed.
fn symbols(mask: u16) -> String {
    let part = |shift: u16| -> String {
        let allowed = !(mask >> shift);
        [(4, 'r'), (2, 'w'), (1, 'x')]
            .into_iter()
            .filter(|(bit, _)| allowed & bit != 0)
            .map(|(_, letter)| letter)
            .collect()
    };
    format!("u={},g={},o={}", part(6), part(3), part(0))
}

/// The mask that an octal or symbolic mode means, or bash's complaint.
fn new_mask(mode: &[u8], mask: u16, dialect: Dialect) -> Result<u16, Vec<u8>> {
    if !mode.first().is_some_and(u8::is_ascii_digit) {
        return symbolic_mask(mode, mask, dialect);
    }
    let mut value = 0u32;
    for &byte in mode {
        let digit = char::from(byte).to_digit(8);
        value = match digit.and_then(|digit| value.checked_mul(8)?.checked_add(digit)) {
            Some(next) => next,
            None => return Err([mode, b": octal number out of range"].concat()),
        };
    }
    if value > 0o7777 {
        return Err([mode, b": octal number out of range"].concat());
    }
    Ok(u16::try_from(value & 0o777).unwrap_or(0))
}

fn symbolic_mask(mode: &[u8], mask: u16, dialect: Dialect) -> Result<u16, Vec<u8>> {
    let bash = dialect == Dialect::Bash;
    let mut allowed = !mask & 0o777;
    for clause in mode.split(|&byte| byte == b',') {
        if clause.is_empty() && !bash && !mode.is_empty() {
            continue;
        }
        let who_length = clause
            .iter()
            .take_while(|byte| b"ugoa".contains(byte))
            .count();
        let (who, mut actions) = clause.split_at(who_length);
        let mut whose = 0;
        for letter in who {
            whose |= match letter {
                b'u' => 0o700,
                b'g' => 0o070,
                b'o' => 0o007,
                _ => 0o777,
            };
        }
        if whose == 0 {
            whose = 0o777;
        }
        loop {
            let Some((&operator, rest)) = actions.split_first() else {
                return Err(b"`\0': invalid symbolic mode operator".to_vec());
            };
            if !b"+-=".contains(&operator) {
                return Err([
                    b"`".as_slice(),
                    &[operator],
                    b"': invalid symbolic mode operator",
                ]
                .concat());
            }
            let length = rest
                .iter()
                .take_while(|byte| !b"+-=".contains(byte))
                .count();
            let (permissions, after) = rest.split_at(length);
            // BusyBox looks at what is left when `=` has taken all away.
            let seen = match (dialect, operator) {
                (Dialect::Ash, b'=') => allowed & !whose,
                _ => allowed,
            };
            let bits = permission_bits(permissions, seen, dialect)? & whose;
            match operator {
                b'+' => allowed |= bits,
                b'-' => allowed &= !bits,
                _ => allowed = allowed & !whose | bits,
            }
            actions = after;
            if actions.is_empty() {
                break;
            }
        }
    }
    Ok(!allowed & 0o777)
}

fn permission_bits(letters: &[u8], allowed: u16, dialect: Dialect) -> Result<u16, Vec<u8>> {
    let mut bits = 0;
    for &letter in letters {
        bits |= match letter {
            b'r' => 0o444,
            b'w' => 0o222,
            b'x' => 0o111,
            other if dialect == Dialect::Bash => {
                return Err([
                    b"`".as_slice(),
                    &[other],
                    b"': invalid symbolic mode character",
                ]
                .concat());
            }
            b'X' if allowed & 0o111 != 0 => 0o111,
            b'X' => 0,
            // A mask has no room for them, and only dash does not mind.
            b's' if dialect == Dialect::Dash => 0,
            b'u' => (allowed >> 6 & 7) * 0o111,
            b'g' => (allowed >> 3 & 7) * 0o111,
            b'o' => (allowed & 7) * 0o111,
            other => {
                return Err([
                    b"`".as_slice(),
                    &[other],
                    b"': invalid symbolic mode character",
                ]
                .concat());
            }
        };
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_modes_say_what_is_allowed() {
        assert_eq!(new_mask(b"u=rwx,g=,o=", 0o022, Dialect::Bash), Ok(0o077));
        assert_eq!(new_mask(b"g-w,o+r", 0o022, Dialect::Bash), Ok(0o022));
        assert_eq!(new_mask(b"27", 0, Dialect::Bash), Ok(0o027));
        assert_eq!(new_mask(b"a+rwx", 0o077, Dialect::Bash), Ok(0));
        assert_eq!(
            new_mask(b"999", 0, Dialect::Bash),
            Err(b"999: octal number out of range".to_vec())
        );
        assert_eq!(symbols(0o022), "u=rwx,g=rx,o=rx");
    }
}
