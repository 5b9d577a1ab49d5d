//! Permission bits as text: `ls -l`'s ten letters, and what chmod(1) takes.

use sundew_vfs::{FileType, Metadata};

/// `drwxr-xr-x`.
pub(crate) fn letters(metadata: &Metadata) -> String {
    let kind = match metadata.file_type {
        FileType::Regular => '-',
        FileType::Directory => 'd',
        FileType::Symlink => 'l',
        FileType::CharDevice => 'c',
        FileType::BlockDevice => 'b',
        FileType::Fifo => 'p',
        FileType::Socket => 's',
    };
    format!("{kind}{}", permissions(metadata.mode))
}

/// `rwxr-xr-x`, with `s`, `S`, `t`, `T`.
pub(crate) fn permissions(mode: u16) -> String {
    let mut text = String::with_capacity(9);
    for (shift, special, set, unset) in [
        (6, 0o4000, 's', 'S'),
        (3, 0o2000, 's', 'S'),
        (0, 0o1000, 't', 'T'),
    ] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// A change of mode, read from an operand such as `755`, `u+x,go-w`, `a=rX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change(Vec<Clause>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Clause {
    /// An octal number; on a directory, set-id bits not named stay unless there are five digits.
    Octal {
        operator: u8,
        bits: u16,
        mentioned: u16,
    },
    Symbolic {
        who: u16,
        operator: u8,
        rights: Rights,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// `rwst` bits for all three classes, and whether `X` was among them.
    Bits { bits: u16, execute_if: bool },
    /// The bits of another class: `g=u`.
    CopyOf(u32),
}

const SET_IDS: u16 = 0o6000;
const ALL: u16 = 0o7777;

impl Change {
    /// The exact bits of a number.
    pub(crate) fn to(mode: u16) -> Self {
        Self(vec![Clause::Octal {
            operator: b'=',
            bits: mode,
            mentioned: ALL,
        }])
    }

    /// Reads an operand; `None` if it is none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text
            .first()
            .is_some_and(|byte| (b'0'..=b'7').contains(byte))
        {
            let bits = octal(text)?;
            let mentioned = if text.len() < 5 {
                (bits & (SET_IDS | 0o1000)) | 0o777
            } else {
                ALL
            };
            return Some(Self(vec![Clause::Octal {
                operator: b'=',
                bits,
                mentioned,
            }]));
        }
        let mut clauses = Vec::new();
        for part in text.split(|&byte| byte == b',') {
            clauses.append(&mut clause(part)?);
        }
        Some(Self(clauses))
    }

    /// The mode that `mode` becomes. Where no class is named, bits in `umask` stay as they are.
    pub(crate) fn apply(&self, mode: u16, is_directory: bool, umask: u16) -> u16 {
        let mut new = mode & ALL;
        for clause in &self.0 {
            let (operator, affected, value, kept) = match *clause {
                Clause::Octal {
                    operator,
                    bits,
                    mentioned,
                } => {
                    let kept = if is_directory {
                        SET_IDS & !mentioned
                    } else {
                        0
                    };
                    (operator, ALL, bits, kept)
                }
                Clause::Symbolic {
                    who,
                    operator,
                    rights,
                } => {
                    let affected = if who == 0 { ALL & !umask } else { who };
                    let value = rights.bits(new, is_directory);
                    let mentions_set_id =
                        matches!(rights, Rights::Bits { bits, .. } if bits & SET_IDS != 0);
                    let kept = if is_directory && !mentions_set_id {
                        SET_IDS
                    } else {
                        0
                    };
                    (operator, affected, value, kept)
                }
            };
            let value = value & affected;
            match operator {
                b'+' => new |= value & !kept,
                b'-' => new &= !(value & !kept),
                // Without a class, `=` clears what the mask covers as well.
                _ => {
                    let cleared = match clause {
                        Clause::Symbolic { who, .. } if *who != 0 => *who,
                        _ => ALL,
                    };
                    new = (new & (!cleared | kept)) | (value & !kept);
                }
            }
        }
        new
    }
}

impl Rights {
    fn bits(self, mode: u16, is_directory: bool) -> u16 {
        match self {
            Self::Bits { bits, execute_if }
                if execute_if && (is_directory || mode & 0o111 != 0) =>
            {
                bits | 0o111
            }
            Self::Bits { bits, .. } => bits,
            Self::CopyOf(shift) => {
                let class = (mode >> shift) & 7;
                class | class << 3 | class << 6
            }
        }
    }
}

fn octal(text: &[u8]) -> Option<u16> {
    let mut value: u16 = 0;
    for &byte in text {
        let digit = (b'0'..=b'7')
            .contains(&byte)
            .then(|| u16::from(byte - b'0'))?;
        value = value.checked_mul(8)?.checked_add(digit)?;
    }
    (value <= ALL).then_some(value)
}

/// One part between commas; `u+r-w` has two operators.
fn clause(part: &[u8]) -> Option<Vec<Clause>> {
    let mut who = 0;
    let mut rest = part;
    while let [letter @ (b'u' | b'g' | b'o' | b'a'), after @ ..] = rest {
        who |= match letter {
            b'u' => 0o4700,
            b'g' => 0o2070,
            b'o' => 0o1007,
            _ => ALL,
        };
        rest = after;
    }
    let mut clauses = Vec::new();
    while let [operator @ (b'+' | b'-' | b'='), after @ ..] = rest {
        if after
            .first()
            .is_some_and(|byte| (b'0'..=b'7').contains(byte))
        {
            let end = after
                .iter()
                .position(|byte| !(b'0'..=b'7').contains(byte))
                .unwrap_or(after.len());
            let (digits, after) = after.split_at(end);
            if who != 0 || !after.is_empty() {
                return None;
            }
            clauses.push(Clause::Octal {
                operator: *operator,
                bits: octal(digits)?,
                mentioned: ALL,
            });
            rest = after;
            continue;
        }
        let (rights, after) = rights(after);
        clauses.push(Clause::Symbolic {
            who,
            operator: *operator,
            rights,
        });
        rest = after;
    }
    (rest.is_empty() && !clauses.is_empty()).then_some(clauses)
}

fn rights(text: &[u8]) -> (Rights, &[u8]) {
    match text {
        [b'u', after @ ..] => return (Rights::CopyOf(6), after),
        [b'g', after @ ..] => return (Rights::CopyOf(3), after),
        [b'o', after @ ..] => return (Rights::CopyOf(0), after),
        _ => {}
    }
    let (mut bits, mut execute_if, mut rest) = (0, false, text);
    while let [
        letter @ (b'r' | b'w' | b'x' | b'X' | b's' | b't'),
        after @ ..,
    ] = rest
    {
        match letter {
            b'r' => bits |= 0o444,
            b'w' => bits |= 0o222,
            b'x' => bits |= 0o111,
            b's' => bits |= SET_IDS,
            b't' => bits |= 0o1000,
            _ => execute_if = true,
        }
        rest = after;
    }
    (Rights::Bits { bits, execute_if }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, mode: u16, is_directory: bool) -> u16 {
        Change::parse(text.as_bytes())
            .unwrap()
            .apply(mode, is_directory, 0o022)
    }

    #[test]
    fn modes_change_as_chmod_changes_them() {
        assert_eq!(changed("755", 0o644, false), 0o755);
        assert_eq!(changed("+x", 0o644, false), 0o755);
        assert_eq!(changed("+w", 0o444, false), 0o644);
        assert_eq!(changed("a+w", 0o444, false), 0o666);
        assert_eq!(changed("u+s", 0o755, false), 0o4755);
        assert_eq!(changed("+s", 0o755, false), 0o6755);
        assert_eq!(changed("g=u", 0o740, false), 0o770);
        assert_eq!(changed("go-rwx,u=rX", 0o644, false), 0o400);
        assert_eq!(changed("a=rX", 0o755, false), 0o555);
        assert_eq!(changed("u+r-w", 0o200, false), 0o400);
        assert_eq!(changed("755", 0o2700, true), 0o2755);
        assert_eq!(changed("00755", 0o2700, true), 0o755);
        assert_eq!(changed("+t", 0o777, true), 0o1777);
        assert_eq!(changed("4755", 0o644, false), 0o4755);
    }

    #[test]
    fn what_is_no_mode_is_refused() {
        for text in ["", "888", "u", "u+q", "10000", "rwx", "u+x,"] {
            assert_eq!(Change::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn letters_show_the_special_bits() {
        assert_eq!(permissions(0o4755), "rwsr-xr-x");
        assert_eq!(permissions(0o7000), "--S--S--T");
        assert_eq!(permissions(0o1777), "rwxrwxrwt");
    }
}
