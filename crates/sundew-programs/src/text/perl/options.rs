//! perl's command line, and the loops that `-n` and `-p` put around a program.

const VERSION: &[u8] = b"\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n(with 60 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n\nPerl may be copied only under the terms of either the Artistic License or the\nGNU General Public License, which may be found in the Perl 5 source kit.\n\nComplete documentation for Perl, including FAQ lists, should be found on\nthis system using \"man perl\" or \"perldoc perl\".  If you have access to the\nInternet, point your browser at https://www.perl.org/, the Perl Home Page.\n\n";

/// The command line.
#[derive(Default)]
pub(super) struct Options {
    pub(super) code: Option<Vec<u8>>,
    before: Vec<u8>,
    loops: bool,
    prints: bool,
    splits: bool,
    chomps: bool,
    separator: Option<Vec<u8>>,
    pub(super) in_place: Option<Vec<u8>>,
    /// `$\\`.
    pub(super) ends: Option<Vec<u8>>,
    /// `$/`; none inside is the whole file.
    pub(super) record: Option<Option<Vec<u8>>>,
    pub(super) checks: bool,
    pub(super) finds_start: bool,
    pub(super) includes: Vec<Vec<u8>>,
    pub(super) operands: Vec<Vec<u8>>,
}

/// What reading the command line leads to.
pub(super) enum Read {
    Run(Box<Options>),
    Print(std::borrow::Cow<'static, [u8]>),
    Refuse(Vec<u8>, u8),
}

/// What became of one word of switches.
enum Word {
    Done,
    Answer(Read),
}

pub(super) fn read(args: &[Vec<u8>]) -> Read {
    let mut options = Options::default();
    let mut words = args.iter().skip(1).cloned();
    while let Some(word) = words.next() {
        let letters = word
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty());
        let Some(letters) = letters else {
            options.operands.push(word);
            break;
        };
        if letters == b"-" {
            break;
        }
        if let Word::Answer(read) = options.switches(letters, &mut words) {
            return read;
        }
    }
    options.operands.extend(words);
    Read::Run(Box::new(options))
}

fn unknown(word: &[u8]) -> Read {
    let word = String::from_utf8_lossy(word).into_owned();
    let text = format!("Unrecognized switch: -{word}  (-h will show valid options).\n");
    Read::Refuse(text.into_bytes(), 29)
}

impl Options {
    /// Switches of a script's first line; what only the command line can say is left alone.
    pub(super) fn take_switches(&mut self, words: &[Vec<u8>]) {
        for word in words.iter().skip(1) {
            if let Some(letters) = word.strip_prefix(b"-")
                && !letters.contains(&b'e')
            {
                let _ignored = self.switches(letters, &mut std::iter::empty());
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each letter")]
    fn switches(&mut self, letters: &[u8], words: &mut dyn Iterator<Item = Vec<u8>>) -> Word {
        let mut at = 0;
        while let Some(&letter) = letters.get(at) {
            at += 1;
            let rest = letters.get(at..).unwrap_or_default();
            match letter {
                b'e' | b'E' => {
                    let text = if rest.is_empty() {
                        words.next()
                    } else {
                        Some(rest.to_vec())
                    };
                    let Some(text) = text else {
                        let text = format!("No code specified for -{}.\n", char::from(letter));
                        return Word::Answer(Read::Refuse(text.into_bytes(), 29));
                    };
                    let own = self.code.get_or_insert_with(Vec::new);
                    own.extend(text);
                    own.push(b'\n');
                    return Word::Done;
                }
                b'n' => self.loops = true,
                b'p' => (self.loops, self.prints) = (true, true),
                b'a' => (self.loops, self.splits) = (true, true),
                b'F' => {
                    self.separator = Some(rest.to_vec());
                    (self.loops, self.splits) = (true, true);
                    return Word::Done;
                }
                b'i' => {
                    self.in_place = Some(rest.to_vec());
                    return Word::Done;
                }
                b'l' => {
                    let (number, digits) = octal(rest);
                    self.chomps = true;
                    self.ends = Some(match (digits, &self.record) {
                        (0, Some(record)) => record.clone().unwrap_or_default(),
                        (0, None) => b"\n".to_vec(),
                        _ => vec![u8::try_from(number & 0xff).unwrap_or(0)],
                    });
                    at += digits;
                }
                b'0' => {
                    let (number, digits) = octal(rest);
                    self.record = Some(match number {
                        0 if digits > 0 => Some(Vec::new()),
                        0o777 => None,
                        number => Some(vec![u8::try_from(number & 0xff).unwrap_or(0)]),
                    });
                    at += digits;
                }
                b'M' | b'm' => {
                    let module = if rest.is_empty() {
                        words.next().unwrap_or_default()
                    } else {
                        rest.to_vec()
                    };
                    if module.is_empty() {
                        let text = format!("Missing argument to -{}\n", char::from(letter));
                        return Word::Answer(Read::Refuse(text.into_bytes(), 2));
                    }
                    self.module(&module);
                    return Word::Done;
                }
                b'I' => {
                    let place = if rest.is_empty() {
                        words.next().unwrap_or_default()
                    } else {
                        rest.to_vec()
                    };
                    self.includes.push(place);
                    return Word::Done;
                }
                b'x' => {
                    self.finds_start = true;
                    return Word::Done;
                }
                b'c' => self.checks = true,
                b'v' => return Word::Answer(Read::Print(VERSION.into())),
                b'h' => {
                    return Word::Answer(Read::Print(include_bytes!("help.txt").as_slice().into()));
                }
                b'V' if rest.starts_with(b":") => {
                    let name = rest.get(1..).unwrap_or_default();
                    return Word::Answer(Read::Print(setting(name).into()));
                }
                b'V' => return Word::Answer(Read::Print(SUMMARY.into())),
                b'd' | b'D' | b'C' => return Word::Done,
                b'w' | b'W' | b'X' | b't' | b'T' | b's' | b'S' | b'u' | b'U' | b'f' | b'-'
                | b'\r' => {
                    if letter == b'-' && at == 1 {
                        return Word::Answer(unknown(letters));
                    }
                }
                _ => return Word::Answer(unknown(letters.get(at - 1..).unwrap_or_default())),
            }
        }
        Word::Done
    }

    /// The number of the first line of what [`Options::wrapped`] gives.
    pub(super) fn first_line(&self) -> usize {
        usize::from(self.before.is_empty() && !self.loops)
    }

    /// `-MName=list`, `-M-Name`, `-M'Name qw(list)'`.
    fn module(&mut self, text: &[u8]) {
        let (word, text): (&[u8], &[u8]) = match text.strip_prefix(b"-") {
            Some(text) => (b"no ", text),
            None => (b"use ", text),
        };
        self.before.extend_from_slice(word);
        match text.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                let (name, list) = text.split_at(at);
                self.before.extend_from_slice(name);
                self.before.extend_from_slice(b" split(/,/,q\0");
                self.before
                    .extend_from_slice(list.get(1..).unwrap_or_default());
                self.before.extend_from_slice(b"\0)");
            }
            None => self.before.extend_from_slice(text),
        }
        self.before.extend_from_slice(b"; ");
    }

    /// The program with what the switches put around it, on the lines it had.
    pub(super) fn wrapped(&self, code: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.before.is_empty() {
            // On a line of their own, which counts as line 0.
            out.extend_from_slice(&self.before);
            if !self.loops {
                out.push(b'\n');
            }
        }
        if self.loops {
            out.extend_from_slice(b"LINE: while (defined($_ = readline ARGV)) {");
            if self.chomps {
                out.extend_from_slice(b"chomp;");
            }
            if self.splits {
                out.extend_from_slice(b"our @F=split(");
                match &self.separator {
                    None => out.extend_from_slice(b"' '"),
                    Some(own) if matches!(own.first(), Some(b'/' | b'"' | b'\'')) => {
                        out.extend_from_slice(own);
                    }
                    Some(own) => {
                        out.extend_from_slice(b"q\0");
                        out.extend_from_slice(own);
                        out.push(0);
                    }
                }
                out.extend_from_slice(b");");
            }
            // The head of the loop counts as line 0, too.
            out.push(b'\n');
            out.extend_from_slice(code);
            out.extend_from_slice(b";\n}");
            if self.prints {
                out.extend_from_slice(b" continue { print or die \"-p destination: $!\\n\"; }");
            }
        } else {
            out.extend_from_slice(code);
        }
        out.push(b'\n');
        out
    }
}

/// A number in octal (or hexadecimal behind `x`) and its length.
fn octal(text: &[u8]) -> (u32, usize) {
    if matches!(text.first(), Some(b'x' | b'X')) {
        let digits = text
            .iter()
            .skip(1)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let own = String::from_utf8_lossy(text.get(1..=digits).unwrap_or_default()).into_owned();
        return (u32::from_str_radix(&own, 16).unwrap_or(0), digits + 1);
    }
    let digits = text
        .iter()
        .take(4)
        .take_while(|byte| (b'0'..=b'7').contains(*byte))
        .count();
    let own = String::from_utf8_lossy(text.get(..digits).unwrap_or_default()).into_owned();
    (u32::from_str_radix(&own, 8).unwrap_or(0), digits)
}

/// What `-V:NAME` says of a setting of the build.
fn setting(name: &[u8]) -> Vec<u8> {
    const SETTINGS: [(&str, &str); 26] = [
        ("version", "5.36.0"),
        ("osname", "linux"),
        ("osvers", "4.19.0"),
        ("archname", "x86_64-linux-gnu-thread-multi"),
        ("usethreads", "define"),
        ("useithreads", "define"),
        ("use64bitint", "define"),
        ("use64bitall", "define"),
        ("ivsize", "8"),
        ("uvsize", "8"),
        ("nvsize", "8"),
        ("ptrsize", "8"),
        ("intsize", "4"),
        ("longsize", "8"),
        ("byteorder", "12345678"),
        ("cc", "x86_64-linux-gnu-gcc"),
        ("perlpath", "/usr/bin/perl"),
        ("path_sep", ":"),
        ("sh", "/bin/sh"),
        ("installbin", "/usr/bin"),
        ("sitelib", "/usr/local/share/perl/5.36.0"),
        ("privlib", "/usr/share/perl/5.36"),
        ("archlib", "/usr/lib/x86_64-linux-gnu/perl/5.36"),
        ("d_fork", "define"),
        ("useshrplib", "true"),
        ("libperl", "libperl.so.5.36"),
    ];
    let name = String::from_utf8_lossy(name);
    let known = SETTINGS.iter().find(|(known, _)| *known == name);
    let value = known.map_or("UNKNOWN", |(_, value)| value);
    format!("{name}='{value}';\n").into_bytes()
}

/// The beginning of `-V`.
const SUMMARY: &[u8] =
    b"Summary of my perl5 (revision 5 version 36 subversion 0) configuration:\n   \n";
