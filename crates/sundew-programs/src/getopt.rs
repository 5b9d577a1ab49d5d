//! Options of command lines: getopt_long(3), with the words of glibc 2.36.
//!
//! A program states its options as a [`Spec`] and takes them one by one, in the order given:
//!
//! ```text
//! const SPEC: Spec = Spec::new("abw:", &[("all", Arity::No, "a"), ("width", Arity::Required, "w")]);
//!
//! let mut options = Getopt::new(&SPEC, proc.args());
//! while let Some(option) = options.next() {
//!     match option {
//!         Ok(Opt { key: "a", .. }) => all = true,
//!         Ok(Opt { key: "w", value, .. }) => width = Some(value),
//!         Ok(_) => {}
//!         Err(error) => return refuse(proc, &error, 1).await,
//!     }
//! }
//! let files = options.operands();
//! ```
//!
//! What a program prints for `--help` and `--version` is its own business.

use sundew_kernel::{ExitStatus, Process};

/// Whether an option takes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    /// Never: `no_argument`.
    No,
    /// Always: `required_argument`.
    Required,
    /// Only behind `=`, or behind the letter in the same word: `optional_argument`.
    Optional,
}

/// A long option: its name, its arity, and the key it is known by to the program (the letter of the
/// short option it stands for, or else its own name).
pub(crate) type Long = (&'static str, Arity, &'static str);

/// What options a program knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// As for getopt(3): `a` a flag, `a:` with an argument, `a::` with an optional one. A leading `+`
    /// ends the options at the first operand, a leading `-` hands operands out in order with the
    /// key `""`.
    short: &'static str,
    long: &'static [Long],
    standard: bool,
}

/// What every GNU program knows.
const STANDARD: &[Long] = &[
    ("help", Arity::No, "help"),
    ("version", Arity::No, "version"),
];

impl Spec {
    /// Options by letters and by names.
    pub(crate) const fn new(short: &'static str, long: &'static [Long]) -> Self {
        Self {
            short,
            long,
            standard: false,
        }
    }

    /// The same, with `--help` and `--version` besides.
    pub(crate) const fn gnu(short: &'static str, long: &'static [Long]) -> Self {
        Self {
            short,
            long,
            standard: true,
        }
    }

    fn long(&self) -> impl Iterator<Item = &'static Long> + use<> {
        self.long
            .iter()
            .chain(if self.standard { STANDARD } else { &[] })
    }

    fn letters(&self) -> &'static str {
        self.short.trim_start_matches(['+', '-'])
    }

    fn short(&self, letter: u8) -> Option<(&'static str, Arity)> {
        let letters = self.letters();
        if letter == b':' || letter == b';' || !letter.is_ascii() {
            return None;
        }
        let at = letters.bytes().position(|known| known == letter)?;
        let key = letters.get(at..=at)?;
        let behind = letters.get(at + 1..).unwrap_or_default();
        let arity = if behind.starts_with("::") {
            Arity::Optional
        } else if behind.starts_with(':') {
            Arity::Required
        } else {
            Arity::No
        };
        Some((key, arity))
    }
}

/// One option of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opt {
    /// The letter of a short option; for a long one the key of its table row; `""` for an operand
    /// handed out in order.
    pub(crate) key: &'static str,
    /// Its argument; empty if it has none.
    pub(crate) value: Vec<u8>,
    /// Whether it has an argument: tells `--color` from `--color=`.
    pub(crate) has_value: bool,
}

/// Why a command line was refused. The words are getopt_long's; the program's name goes before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Error {
    /// A letter that is no option.
    Invalid(u8),
    /// A letter without its argument.
    Missing(u8),
    /// A long name that is no option, with whatever stood behind it.
    Unrecognized(Vec<u8>),
    /// The beginning of several long names.
    Ambiguous(Vec<u8>, Vec<&'static str>),
    /// A long option with an argument it does not take.
    Unwanted(&'static str),
    /// A long option without its argument.
    MissingLong(&'static str),
}

impl Error {
    /// The text behind `NAME: `, without a newline.
    pub(crate) fn text(&self) -> Vec<u8> {
        match self {
            Self::Invalid(letter) => [b"invalid option -- '".as_slice(), &[*letter], b"'"].concat(),
            Self::Missing(letter) => [
                b"option requires an argument -- '".as_slice(),
                &[*letter],
                b"'",
            ]
            .concat(),
            Self::Unrecognized(text) => {
                [b"unrecognized option '--".as_slice(), text, b"'"].concat()
            }
            Self::Ambiguous(text, names) => {
                let mut line = [
                    b"option '--".as_slice(),
                    text,
                    b"' is ambiguous; possibilities:",
                ]
                .concat();
                for name in names {
                    line.extend_from_slice(format!(" '--{name}'").as_bytes());
                }
                line
            }
            Self::Unwanted(name) => {
                format!("option '--{name}' doesn't allow an argument").into_bytes()
            }
            Self::MissingLong(name) => {
                format!("option '--{name}' requires an argument").into_bytes()
            }
        }
    }
}

/// Takes a command line apart.
#[derive(Debug, Clone)]
pub(crate) struct Getopt {
    spec: Spec,
    /// Not yet looked at, the next one last.
    rest: Vec<Vec<u8>>,
    /// Letters of the current word that are left.
    letters: Vec<u8>,
    operands: Vec<Vec<u8>>,
    ended: bool,
}

impl Getopt {
    /// For a whole argument vector, the program's name first.
    pub(crate) fn new(spec: &Spec, args: &[Vec<u8>]) -> Self {
        Self::of(spec, args.get(1..).unwrap_or_default().to_vec())
    }

    /// For arguments without a name in front.
    pub(crate) fn of(spec: &Spec, mut args: Vec<Vec<u8>>) -> Self {
        args.reverse();
        Self {
            spec: *spec,
            rest: args,
            letters: Vec::new(),
            operands: Vec::new(),
            ended: false,
        }
    }

    /// The next option, or what is wrong with it; `None` when only operands are left.
    ///
    /// Not an [`Iterator`]: [`Getopt::operands`] is wanted afterwards.
    pub(crate) fn next(&mut self) -> Option<Result<Opt, Error>> {
        if !self.letters.is_empty() {
            return Some(self.next_letter());
        }
        loop {
            if self.ended {
                return None;
            }
            let word = self.rest.pop()?;
            if word == b"--" {
                self.ended = true;
                return None;
            }
            if !is_option(&word) {
                if self.spec.short.starts_with('-') {
                    return Some(Ok(Opt {
                        key: "",
                        value: word,
                        has_value: true,
                    }));
                }
                if self.spec.short.starts_with('+') {
                    self.rest.push(word);
                    self.ended = true;
                    return None;
                }
                self.operands.push(word);
                continue;
            }
            if let Some(long) = word.strip_prefix(b"--") {
                return Some(self.next_long(long));
            }
            self.letters = word.get(1..).unwrap_or_default().to_vec();
            return Some(self.next_letter());
        }
    }

    /// The operands, once [`Getopt::next`] has answered `None`.
    pub(crate) fn operands(mut self) -> Vec<Vec<u8>> {
        self.rest.reverse();
        self.operands.append(&mut self.rest);
        self.operands
    }

    fn next_letter(&mut self) -> Result<Opt, Error> {
        let letter = self.letters.remove(0);
        let Some((key, arity)) = self.spec.short(letter) else {
            return Err(Error::Invalid(letter));
        };
        let (value, has_value) = match arity {
            Arity::No => (Vec::new(), false),
            Arity::Optional => {
                let value = std::mem::take(&mut self.letters);
                let has_value = !value.is_empty();
                (value, has_value)
            }
            Arity::Required if !self.letters.is_empty() => {
                (std::mem::take(&mut self.letters), true)
            }
            Arity::Required => (self.rest.pop().ok_or(Error::Missing(letter))?, true),
        };
        Ok(Opt {
            key,
            value,
            has_value,
        })
    }

    fn next_long(&mut self, text: &[u8]) -> Result<Opt, Error> {
        let (name, value) = match text.iter().position(|&byte| byte == b'=') {
            Some(at) => {
                let (name, value) = text.split_at(at);
                (name, value.get(1..).map(<[u8]>::to_vec))
            }
            None => (text, None),
        };
        let (name, arity, key) = self.find_long(name, text)?;
        let has_value = value.is_some() || arity == Arity::Required;
        let value = match (arity, value) {
            (Arity::No, Some(_)) => return Err(Error::Unwanted(name)),
            (Arity::Required, None) => self.rest.pop().ok_or(Error::MissingLong(name))?,
            (_, value) => value.unwrap_or_default(),
        };
        Ok(Opt {
            key,
            value,
            has_value,
        })
    }

    fn find_long(&self, name: &[u8], text: &[u8]) -> Result<Long, Error> {
        if let Some(long) = self.spec.long().find(|long| long.0.as_bytes() == name) {
            return Ok(*long);
        }
        let mut matching = self
            .spec
            .long
            .iter()
            .filter(|long| long.0.as_bytes().starts_with(name));
        let Some(first) = matching.next() else {
            return Err(Error::Unrecognized(text.to_vec()));
        };
        // Two names of one option do not make its beginning ambiguous.
        if matching.all(|other| (other.1, other.2) == (first.1, first.2)) {
            return Ok(*first);
        }
        let names = self.spec.long().map(|long| long.0);
        let names = names
            .filter(|long| long.as_bytes().starts_with(name))
            .collect();
        Err(Error::Ambiguous(text.to_vec(), names))
    }
}

fn is_option(word: &[u8]) -> bool {
    word.len() > 1 && word.starts_with(b"-")
}

/// Complains about a command line as GNU programs do, with the pointer to `--help`; the status to end
/// with.
pub(crate) async fn refuse(proc: &mut Process, error: &Error, status: u8) -> ExitStatus {
    proc.complain_text(error.text()).await;
    try_help(proc, status).await
}

/// `Try 'NAME --help' for more information.` on standard error; the status to end with.
pub(crate) async fn try_help(proc: &mut Process, status: u8) -> ExitStatus {
    let line = [b"Try '", proc.name(), b" --help' for more information.\n"].concat();
    proc.print_error(&line).await;
    proc.set_status(status);
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec::new(
        "ab:c::",
        &[
            ("all", Arity::No, "a"),
            ("almost-all", Arity::No, "A"),
            ("size", Arity::Required, "b"),
            ("color", Arity::Optional, "color"),
            ("colour", Arity::Optional, "color"),
        ],
    );

    fn parse(spec: &Spec, words: &[&str]) -> (Vec<String>, Vec<String>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut options = Getopt::of(
            spec,
            words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        );
        let mut seen = Vec::new();
        while let Some(option) = options.next() {
            seen.push(match option {
                Ok(option) if option.has_value => format!("{}={}", option.key, text(&option.value)),
                Ok(option) => option.key.to_owned(),
                Err(error) => text(&error.text()),
            });
        }
        (
            seen,
            options.operands().iter().map(|word| text(word)).collect(),
        )
    }

    #[test]
    fn operands_and_options_may_mix() {
        let (options, operands) =
            parse(&SPEC, &["x", "-ab", "1", "y", "-c2", "-c", "--", "-a", "z"]);
        assert_eq!(options, ["a", "b=1", "c=2", "c"]);
        assert_eq!(operands, ["x", "y", "-a", "z"]);
    }

    #[test]
    fn a_plus_ends_the_options_at_the_first_operand() {
        let (options, operands) = parse(&Spec::new("+a", &[]), &["-a", "-", "-a"]);
        assert_eq!(options, ["a"]);
        assert_eq!(operands, ["-", "-a"]);
    }

    #[test]
    fn a_minus_hands_operands_out_in_order() {
        let (options, operands) = parse(&Spec::new("-a", &[]), &["x", "-a", "y", "--", "z"]);
        assert_eq!(options, ["=x", "a", "=y"]);
        assert_eq!(operands, ["z"]);
    }

    #[test]
    fn long_names_may_be_cut_short() {
        let (options, _) = parse(
            &SPEC,
            &[
                "--si=3", "--size", "4", "--col", "--color=", "--all", "--al=x",
            ],
        );
        assert_eq!(
            options,
            [
                "b=3",
                "b=4",
                "color",
                "color=",
                "a",
                "option '--al=x' is ambiguous; possibilities: '--all' '--almost-all'",
            ]
        );
    }

    #[test]
    fn complaints_are_worded_as_glibc_words_them() {
        let (options, _) = parse(&SPEC, &["-x", "--nope=1", "--all=2", "--size"]);
        assert_eq!(
            options,
            [
                "invalid option -- 'x'",
                "unrecognized option '--nope=1'",
                "option '--all' doesn't allow an argument",
                "option '--size' requires an argument",
            ]
        );
        assert_eq!(
            parse(&SPEC, &["-b"]).0,
            ["option requires an argument -- 'b'"]
        );
    }
}
