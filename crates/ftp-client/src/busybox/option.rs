//! The command line: glibc's `getopt_long(3)` with the table of these two programs.
//!
//! Operands may stand before options, `--` ends them, long names may be shortened. `--continue`
//! takes an argument although `-c` takes none: so it is in BusyBox 1.35, for both programs.

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) resume: bool,
    pub(super) verbose: bool,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) port: Option<Vec<u8>>,
    pub(super) host: Vec<u8>,
    /// Second operand.
    pub(super) first: Vec<u8>,
    /// Third operand, or the second again.
    pub(super) second: Vec<u8>,
}

/// How the command line was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Run(Options),
    /// `--help` and nothing else: the usage text, and success.
    Help,
    /// The usage text, and failure; without a complaint when the operands are too few or too many.
    Usage {
        complaint: Option<Vec<u8>>,
    },
}

pub(super) fn parse(args: &[Vec<u8>]) -> Parsed {
    if let [only] = args
        && only == b"--help"
    {
        return Parsed::Help;
    }
    match scan(args) {
        Err(complaint) => Parsed::Usage {
            complaint: Some(complaint),
        },
        Ok((settings, operands)) => match with_operands(settings, operands) {
            Some(options) => Parsed::Run(options),
            None => Parsed::Usage { complaint: None },
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Continue,
    Verbose,
    Username,
    Password,
    Port,
}

struct Long {
    text: &'static str,
    takes_argument: bool,
    name: Name,
}

/// In the order in which an ambiguity lists them.
const LONG: &[Long] = &[
    Long {
        text: "continue",
        takes_argument: true,
        name: Name::Continue,
    },
    Long {
        text: "verbose",
        takes_argument: false,
        name: Name::Verbose,
    },
    Long {
        text: "username",
        takes_argument: true,
        name: Name::Username,
    },
    Long {
        text: "password",
        takes_argument: true,
        name: Name::Password,
    },
    Long {
        text: "port",
        takes_argument: true,
        name: Name::Port,
    },
];

const fn short(letter: u8) -> Option<(Name, bool)> {
    Some(match letter {
        b'c' => (Name::Continue, false),
        b'v' => (Name::Verbose, false),
        b'u' => (Name::Username, true),
        b'p' => (Name::Password, true),
        b'P' => (Name::Port, true),
        _ => return None,
    })
}

#[derive(Default)]
struct Settings {
    resume: bool,
    verbose: bool,
    user: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    port: Option<Vec<u8>>,
}

impl Settings {
    fn set(&mut self, name: Name, value: &[u8]) {
        match name {
            Name::Continue => self.resume = true,
            Name::Verbose => self.verbose = true,
            Name::Username => self.user = Some(value.to_vec()),
            Name::Password => self.password = Some(value.to_vec()),
            Name::Port => self.port = Some(value.to_vec()),
        }
    }
}

type Operands<'a> = Vec<&'a Vec<u8>>;

fn scan(args: &[Vec<u8>]) -> Result<(Settings, Operands<'_>), Vec<u8>> {
    let mut settings = Settings::default();
    let mut operands = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_slice() {
            b"--" => operands.extend(args.by_ref()),
            [b'-', b'-', long @ ..] => take_long(long, &mut args, &mut settings)?,
            [b'-', letters @ ..] if !letters.is_empty() => {
                take_short(letters, &mut args, &mut settings)?;
            }
            _ => operands.push(arg),
        }
    }
    Ok((settings, operands))
}

fn take_short<'a>(
    mut letters: &[u8],
    args: &mut impl Iterator<Item = &'a Vec<u8>>,
    settings: &mut Settings,
) -> Result<(), Vec<u8>> {
    while let Some((&letter, rest)) = letters.split_first() {
        let Some((name, takes_argument)) = short(letter) else {
            return Err([b"invalid option -- '", &[letter][..], b"'"].concat());
        };
        if !takes_argument {
            settings.set(name, b"");
            letters = rest;
            continue;
        }
        let value = match (rest, args) {
            ([], args) => args.next().map(Vec::as_slice).ok_or_else(|| {
                [b"option requires an argument -- '", &[letter][..], b"'"].concat()
            })?,
            (rest, _) => rest,
        };
        settings.set(name, value);
        return Ok(());
    }
    Ok(())
}

fn take_long<'a>(
    long: &[u8],
    args: &mut impl Iterator<Item = &'a Vec<u8>>,
    settings: &mut Settings,
) -> Result<(), Vec<u8>> {
    let equals = long.iter().position(|&byte| byte == b'=');
    let (name, value) = match equals.and_then(|at| long.split_at_checked(at)) {
        Some((name, value)) => (name, value.strip_prefix(b"=")),
        None => (long, None),
    };
    let option = find_long(name, long)?;
    let complaint = |text: &str| format!("option '--{}' {text}", option.text).into_bytes();
    let value = match (option.takes_argument, value) {
        (false, Some(_)) => return Err(complaint("doesn't allow an argument")),
        (false, None) => b"",
        (true, Some(value)) => value,
        (true, None) => args
            .next()
            .ok_or_else(|| complaint("requires an argument"))?,
    };
    settings.set(option.name, value);
    Ok(())
}

/// The option with this name or the only one that begins so; `typed` is for the complaint.
fn find_long(name: &[u8], typed: &[u8]) -> Result<&'static Long, Vec<u8>> {
    let mut candidates = LONG
        .iter()
        .filter(|long| long.text.as_bytes().starts_with(name));
    let Some(first) = candidates.next() else {
        return Err([b"unrecognized option '--", typed, b"'"].concat());
    };
    let others: Vec<_> = candidates.collect();
    // None of the names is the beginning of another, so there is no exact one to prefer.
    if others.is_empty() {
        return Ok(first);
    }
    let mut complaint = [b"option '--", typed, b"' is ambiguous; possibilities:"].concat();
    for long in std::iter::once(first).chain(others) {
        complaint.extend(format!(" '--{}'", long.text).into_bytes());
    }
    Err(complaint)
}

fn with_operands(settings: Settings, operands: Operands<'_>) -> Option<Options> {
    let (host, first, second) = match *operands.as_slice() {
        [host, file] => (host, file, file),
        [host, first, second] => (host, first, second),
        _ => return None,
    };
    let Settings {
        resume,
        verbose,
        user,
        password,
        port,
    } = settings;
    Some(Options {
        resume,
        verbose,
        user,
        password,
        port,
        host: host.clone(),
        first: first.clone(),
        second: second.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    fn complaint(line: &str) -> String {
        match parse(&words(line)) {
            Parsed::Usage {
                complaint: Some(text),
            } => String::from_utf8(text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operands_and_options_may_stand_in_any_order() {
        let expected = parse(&words("-v -u bob -pX h a"));
        assert!(matches!(expected, Parsed::Run(_)));
        assert_eq!(parse(&words("h -vubob a -p X")), expected);
        assert_eq!(parse(&words("h --user=bob --verb --pass X -- a")), expected);
    }

    #[test]
    fn continue_swallows_the_next_word_when_it_is_long() {
        let Parsed::Run(options) = parse(&words("--continue --port=1 h a")) else {
            panic!();
        };
        assert_eq!((options.resume, options.port), (true, None));
    }

    #[test]
    fn complaints_are_worded_as_glibc_does() {
        assert_eq!(complaint("-xy h"), "invalid option -- 'x'");
        assert_eq!(complaint("-vP"), "option requires an argument -- 'P'");
        assert_eq!(complaint("--foo=1 h"), "unrecognized option '--foo=1'");
        assert_eq!(
            complaint("--p x"),
            "option '--p' is ambiguous; possibilities: '--password' '--port'"
        );
    }
}
