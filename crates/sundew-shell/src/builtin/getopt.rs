//! Short options as the builtins of each dialect read them: getopt(3) without permutation.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use crate::shell::Shell;

/// One option, or what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A letter; its argument if it takes one.
    Option(u8, &'a [u8]),
    /// A letter that is not known.
    Unknown(u8),
    /// A letter whose argument is missing.
    Missing(u8),
}

/// Goes through the options of a builtin.
#[derive(Debug)]
pub(super) struct Options<'a> {
    rest: &'a [Vec<u8>],
    /// Letters of the current argument that are still to come.
    group: &'a [u8],
    /// Letters as getopt(3) takes them: those with an argument are followed by a colon.
    letters: &'static [u8],
}

impl<'a> Options<'a> {
    /// Over the arguments, the first of which is the builtin's name.
    pub(super) fn new(args: &'a [Vec<u8>], letters: &'static [u8]) -> Self {
        Self {
            rest: args.get(1..).unwrap_or_default(),
            group: &[],
            letters,
        }
    }

    /// What is left when there are no more options.
    pub(super) fn operands(&self) -> &'a [Vec<u8>] {
        self.rest
    }

    /// The next option.
    pub(super) fn next(&mut self) -> Option<Found<'a>> {
        if self.group.is_empty() {
            let (first, after) = self.rest.split_first()?;
            let letters = first
                .strip_prefix(b"-")
                .filter(|letters| !letters.is_empty())?;
            self.rest = after;
            if letters == b"-" {
                return None;
            }
            self.group = letters;
        }
        let (&letter, group) = self.group.split_first()?;
        self.group = group;
        let at = self
            .letters
            .iter()
            .position(|&known| known == letter && letter != b':');
        let Some(at) = at else {
            return Some(Found::Unknown(letter));
        };
        if self.letters.get(at + 1) != Some(&b':') {
            return Some(Found::Option(letter, &[]));
        }
        if !group.is_empty() {
            self.group = &[];
            return Some(Found::Option(letter, group));
        }
        let Some((value, after)) = self.rest.split_first() else {
            return Some(Found::Missing(letter));
        };
        self.rest = after;
        Some(Found::Option(letter, value))
    }
}

impl Shell {
    /// Complains of an option that [`Options::next`] did not like; the status to return.
    pub(super) async fn bad_option(
        &self,
        proc: &mut Process,
        args: &[Vec<u8>],
        found: Found<'_>,
        usage: &str,
    ) -> u8 {
        match found {
            Found::Option(letter, _) | Found::Unknown(letter) => {
                self.invalid_option(proc, args, &[b'-', letter], usage)
                    .await
            }
            Found::Missing(letter) => {
                let letter = char::from(letter);
                let text = match self.dialect {
                    Dialect::Bash => format!("-{letter}: option requires an argument"),
                    Dialect::Dash => format!("No arg for -{letter} option"),
                    Dialect::Ash => format!("no arg for -{letter} option"),
                };
                self.builtin_error(proc, args, text, 2).await;
                if self.is_bash() {
                    proc.print_error(format!("{usage}\n").as_bytes()).await;
                }
                2
            }
        }
    }
}

/// A decimal number with blanks around it, as strtoimax(3) reads it; `None` for anything else.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_up_to_the_first_operand() {
        let args: Vec<Vec<u8>> = ["read", "-rn3", "-p", "x", "--", "-a"]
            .map(|arg| arg.as_bytes().to_vec())
            .to_vec();
        let mut options = Options::new(&args, b"rn:p:");
        assert_eq!(options.next(), Some(Found::Option(b'r', b"")));
        assert_eq!(options.next(), Some(Found::Option(b'n', b"3")));
        assert_eq!(options.next(), Some(Found::Option(b'p', b"x")));
        assert_eq!(options.next(), None);
        assert_eq!(options.operands(), [b"-a".to_vec()]);
    }

    #[test]
    fn what_is_unknown_or_incomplete_is_told() {
        let args: Vec<Vec<u8>> = ["read", "-zn"].map(|arg| arg.as_bytes().to_vec()).to_vec();
        let mut options = Options::new(&args, b"n:");
        assert_eq!(options.next(), Some(Found::Unknown(b'z')));
        assert_eq!(options.next(), Some(Found::Missing(b'n')));
    }
}
