//! What grep is told to do.

use sundew_kernel::{Errno, Process};
use sundew_posix::pattern::{self, Pattern};

use super::matcher::Kind;
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::text::input;

const SPEC: Spec = Spec::new(
    "0123456789A:B:C:D:EFGHILPTUVX:abcd:e:f:hiLlm:noqRrsuvwxyZz",
    &[
        ("basic-regexp", Arity::No, "G"),
        ("extended-regexp", Arity::No, "E"),
        ("fixed-regexp", Arity::No, "F"),
        ("fixed-strings", Arity::No, "F"),
        ("perl-regexp", Arity::No, "P"),
        ("after-context", Arity::Required, "A"),
        ("before-context", Arity::Required, "B"),
        ("binary-files", Arity::Required, "binary-files"),
        ("binary", Arity::No, "U"),
        ("byte-offset", Arity::No, "b"),
        ("context", Arity::Required, "C"),
        ("color", Arity::Optional, "color"),
        ("colour", Arity::Optional, "color"),
        ("count", Arity::No, "c"),
        ("devices", Arity::Required, "D"),
        ("directories", Arity::Required, "d"),
        ("exclude", Arity::Required, "exclude"),
        ("exclude-from", Arity::Required, "exclude-from"),
        ("exclude-dir", Arity::Required, "exclude-dir"),
        ("file", Arity::Required, "f"),
        ("files-with-matches", Arity::No, "l"),
        ("files-without-match", Arity::No, "L"),
        ("group-separator", Arity::Required, "group-separator"),
        ("help", Arity::No, "help"),
        ("include", Arity::Required, "include"),
        ("ignore-case", Arity::No, "i"),
        ("no-ignore-case", Arity::No, "no-ignore-case"),
        ("initial-tab", Arity::No, "T"),
        ("label", Arity::Required, "label"),
        ("line-buffered", Arity::No, "line-buffered"),
        ("line-number", Arity::No, "n"),
        ("line-regexp", Arity::No, "x"),
        ("max-count", Arity::Required, "m"),
        ("no-filename", Arity::No, "h"),
        ("no-group-separator", Arity::No, "no-group-separator"),
        ("no-messages", Arity::No, "s"),
        ("null", Arity::No, "Z"),
        ("null-data", Arity::No, "z"),
        ("only-matching", Arity::No, "o"),
        ("quiet", Arity::No, "q"),
        ("recursive", Arity::No, "r"),
        ("dereference-recursive", Arity::No, "R"),
        ("regexp", Arity::Required, "e"),
        ("invert-match", Arity::No, "v"),
        ("silent", Arity::No, "q"),
        ("text", Arity::No, "a"),
        ("unix-byte-offsets", Arity::No, "u"),
        ("version", Arity::No, "V"),
        ("with-filename", Arity::No, "H"),
        ("word-regexp", Arity::No, "w"),
    ],
);

/// What to do with files that are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Mention,
    Text,
    WithoutMatch,
}

/// What to do with directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directories {
    Read,
    Recurse { follow: bool },
    Skip,
}

/// Why the command line is not followed.
#[derive(Debug)]
pub(super) enum Refusal {
    Help,
    Version,
    /// A complaint, if any, and the usage.
    Usage(Option<Vec<u8>>),
    /// A complaint.
    Text(Vec<u8>),
    /// A complaint about a word out of a list, which ends with status 1.
    Choice(Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Options {
    pub(super) kind: Kind,
    pub(super) patterns: Vec<u8>,
    pattern_files: Vec<Vec<u8>>,
    has_patterns: bool,
    pub(super) files: Vec<Vec<u8>>,
    pub(super) after: usize,
    pub(super) before: usize,
    pub(super) separator: Option<Vec<u8>>,
    pub(super) ignore_case: bool,
    pub(super) invert: bool,
    pub(super) word: bool,
    pub(super) line: bool,
    pub(super) count: bool,
    pub(super) list_with: bool,
    pub(super) list_without: bool,
    pub(super) only_matching: bool,
    pub(super) quiet: bool,
    pub(super) silent: bool,
    pub(super) with_name: Option<bool>,
    pub(super) line_number: bool,
    pub(super) byte_offset: bool,
    pub(super) tab: bool,
    pub(super) null_name: bool,
    pub(super) null_data: bool,
    pub(super) line_buffered: bool,
    pub(super) max_count: Option<u64>,
    pub(super) binary: Binary,
    pub(super) directories: Directories,
    pub(super) skip_devices: bool,
    pub(super) color: bool,
    pub(super) label: Option<Vec<u8>>,
    pub(super) include: Vec<Pattern>,
    pub(super) exclude: Vec<Pattern>,
    pub(super) exclude_dir: Vec<Pattern>,
    exclude_files: Vec<Vec<u8>>,
}

impl Options {
    fn new() -> Self {
        Self {
            kind: Kind::Basic,
            patterns: Vec::new(),
            pattern_files: Vec::new(),
            has_patterns: false,
            files: Vec::new(),
            after: 0,
            before: 0,
            separator: Some(b"--".to_vec()),
            ignore_case: false,
            invert: false,
            word: false,
            line: false,
            count: false,
            list_with: false,
            list_without: false,
            only_matching: false,
            quiet: false,
            silent: false,
            with_name: None,
            line_number: false,
            byte_offset: false,
            tab: false,
            null_name: false,
            null_data: false,
            line_buffered: false,
            max_count: None,
            binary: Binary::Mention,
            directories: Directories::Read,
            skip_devices: false,
            color: false,
            label: None,
            include: Vec::new(),
            exclude: Vec::new(),
            exclude_dir: Vec::new(),
            exclude_files: Vec::new(),
        }
    }

    pub(super) fn read(proc: &Process, preset: Option<Kind>) -> Result<Self, Refusal> {
        let mut options = Self::new();
        let mut kind = preset;
        let mut digits: Vec<u8> = Vec::new();
        let (mut after, mut before, mut context) = (None, None, None);
        let mut getopt = Getopt::new(&SPEC, proc.args());
        while let Some(option) = getopt.next() {
            let option = option.map_err(|error| Refusal::Usage(Some(error.text())))?;
            match option.key {
                digit if digit.as_bytes().first().is_some_and(u8::is_ascii_digit) => {
                    digits.extend_from_slice(digit.as_bytes());
                    context = Some(length(&digits)?);
                }
                "A" => after = Some(length(&option.value)?),
                "B" => before = Some(length(&option.value)?),
                "C" => context = Some(length(&option.value)?),
                "E" => set_kind(&mut kind, Kind::Extended)?,
                "F" => set_kind(&mut kind, Kind::Fixed)?,
                "G" => set_kind(&mut kind, Kind::Basic)?,
                "P" => set_kind(&mut kind, Kind::Perl)?,
                "e" => options.add_patterns(&option.value),
                "help" => return Err(Refusal::Help),
                "V" => return Err(Refusal::Version),
                "color" => options.color = wants_color(proc, &option)?,
                _ => options.simple(proc, option)?,
            }
        }
        options.after = after.or(context).unwrap_or(0);
        options.before = before.or(context).unwrap_or(0);
        options.kind = kind.unwrap_or(Kind::Basic);
        let mut operands = getopt.operands().into_iter();
        if !options.has_patterns && options.pattern_files.is_empty() {
            let Some(patterns) = operands.next() else {
                return Err(Refusal::Usage(None));
            };
            options.add_patterns(&patterns);
        }
        options.files = operands.collect();
        Ok(options)
    }

    fn add_patterns(&mut self, patterns: &[u8]) {
        if std::mem::replace(&mut self.has_patterns, true) {
            self.patterns.push(b'\n');
        }
        self.patterns.extend_from_slice(patterns);
    }

    fn simple(&mut self, proc: &Process, option: Opt) -> Result<(), Refusal> {
        match option.key {
            "D" => match option.value.as_slice() {
                b"read" => self.skip_devices = false,
                b"skip" => self.skip_devices = true,
                _ => return Err(Refusal::Text(b"unknown devices method".to_vec())),
            },
            "d" => self.directories = directories(&option.value)?,
            "f" => self.pattern_files.push(option.value),
            "H" => self.with_name = Some(true),
            "h" => self.with_name = Some(false),
            "I" => self.binary = Binary::WithoutMatch,
            "a" => self.binary = Binary::Text,
            "i" | "y" => self.ignore_case = true,
            "no-ignore-case" => self.ignore_case = false,
            "L" => (self.list_without, self.list_with) = (true, false),
            "l" => (self.list_without, self.list_with) = (false, true),
            "m" => self.max_count = max_count(&option.value)?,
            "r" => self.directories = Directories::Recurse { follow: false },
            "R" => self.directories = Directories::Recurse { follow: true },
            "binary-files" => {
                self.binary = match option.value.as_slice() {
                    b"binary" => Binary::Mention,
                    b"text" => Binary::Text,
                    b"without-match" => Binary::WithoutMatch,
                    _ => return Err(Refusal::Text(b"unknown binary-files type".to_vec())),
                }
            }
            "label" => self.label = Some(option.value),
            "group-separator" => self.separator = Some(option.value),
            "no-group-separator" => self.separator = None,
            "include" => self.include.push(glob(&option.value)),
            "exclude" => self.exclude.push(glob(&option.value)),
            "exclude-dir" => self.exclude_dir.push(glob(trim_slashes(&option.value))),
            "exclude-from" => self.exclude_files.push(option.value),
            flag => self.flag(proc, flag),
        }
        Ok(())
    }

    fn flag(&mut self, _proc: &Process, flag: &str) {
        let place = match flag {
            "T" => &mut self.tab,
            "Z" => &mut self.null_name,
            "b" => &mut self.byte_offset,
            "c" => &mut self.count,
            "line-buffered" => &mut self.line_buffered,
            "n" => &mut self.line_number,
            "o" => &mut self.only_matching,
            "q" => &mut self.quiet,
            "s" => &mut self.silent,
            "v" => &mut self.invert,
            "w" => &mut self.word,
            "x" => &mut self.line,
            "z" => &mut self.null_data,
            _ => return,
        };
        *place = true;
    }

    /// Reads what `-f` and `--exclude-from` name.
    pub(super) async fn load_pattern_files(
        &mut self,
        proc: &Process,
    ) -> Result<(), (Vec<u8>, Errno)> {
        for path in std::mem::take(&mut self.pattern_files) {
            let (mut text, _memory) = input::read_all(proc, &path)
                .await
                .map_err(|errno| (path, errno))?;
            if text.is_empty() {
                continue;
            }
            if text.last() == Some(&b'\n') {
                text.pop();
            }
            self.add_patterns(&text);
        }
        for path in std::mem::take(&mut self.exclude_files) {
            let (text, _memory) = input::read_all(proc, &path)
                .await
                .map_err(|errno| (path, errno))?;
            let lines = text
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty());
            self.exclude.extend(lines.map(glob));
        }
        Ok(())
    }

    /// Whether there is any pattern; an empty `-f` file has none.
    pub(super) fn has_patterns(&self) -> bool {
        self.has_patterns
    }
}

fn set_kind(kind: &mut Option<Kind>, wanted: Kind) -> Result<(), Refusal> {
    match *kind {
        // Basic and extended may override each other; the others stand alone.
        Some(known) if known != wanted && (known.stands_alone() || wanted.stands_alone()) => {
            Err(Refusal::Text(b"conflicting matchers specified".to_vec()))
        }
        _ => {
            *kind = Some(wanted);
            Ok(())
        }
    }
}

fn length(text: &[u8]) -> Result<usize, Refusal> {
    let refusal = || Refusal::Text([text, b": invalid context length argument"].concat());
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(refusal());
    }
    Ok(std::str::from_utf8(text)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(usize::MAX))
}

fn max_count(text: &[u8]) -> Result<Option<u64>, Refusal> {
    let invalid = || Refusal::Text(b"invalid max count".to_vec());
    let text = std::str::from_utf8(text).map_err(|_| invalid())?;
    let count: i64 = text.trim_start().parse().map_err(|_| invalid())?;
    // Since 3.5 a negative number means no limit.
    Ok(u64::try_from(count).ok())
}

fn directories(word: &[u8]) -> Result<Directories, Refusal> {
    match word {
        b"read" => Ok(Directories::Read),
        b"recurse" => Ok(Directories::Recurse { follow: false }),
        b"skip" => Ok(Directories::Skip),
        _ => Err(Refusal::Choice(
            [
                "invalid argument ‘".as_bytes(),
                word,
                "’ for ‘--directories’\nValid arguments are:\n  - ‘read’\n  - ‘recurse’\n  - ‘skip’".as_bytes(),
            ]
            .concat(),
        )),
    }
}

fn wants_color(proc: &Process, option: &Opt) -> Result<bool, Refusal> {
    match option.value.as_slice() {
        b"always" | b"yes" | b"force" => Ok(true),
        b"never" | b"no" | b"none" => Ok(false),
        b"" | b"auto" | b"tty" | b"if-tty" => {
            let term = proc
                .env()
                .value(b"TERM")
                .is_some_and(|term| term != b"dumb");
            Ok(term && proc.is_terminal(sundew_kernel::STDOUT))
        }
        // As the original has it: an unknown word shows the help.
        _ => Err(Refusal::Help),
    }
}

fn glob(text: &[u8]) -> Pattern {
    Pattern::from_bytes(text, pattern::Options::default())
}

fn trim_slashes(mut text: &[u8]) -> &[u8] {
    while text.len() > 1
        && let Some(shorter) = text.strip_suffix(b"/")
    {
        text = shorter;
    }
    text
}
