//! The command line of diff.

use sundew_posix::pattern::{self, Pattern};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::merged::Formats;
use super::report::Style;
use crate::getopt::{Arity, Getopt, Spec};

const SPEC: Spec = Spec::gnu(
    "0123456789abBcC:dD:eEfF:hHiI:lL:nNpPqrsS:tTuU:vwW:x:X:yZ",
    &[
        ("binary", Arity::No, "h"),
        ("brief", Arity::No, "q"),
        (
            "changed-group-format",
            Arity::Required,
            "changed-group-format",
        ),
        ("color", Arity::Optional, "color"),
        ("context", Arity::Optional, "context"),
        ("horizon-lines", Arity::Required, "horizon-lines"),
        ("ifdef", Arity::Required, "D"),
        ("line-format", Arity::Required, "line-format"),
        ("new-group-format", Arity::Required, "new-group-format"),
        ("new-line-format", Arity::Required, "new-line-format"),
        ("old-group-format", Arity::Required, "old-group-format"),
        ("old-line-format", Arity::Required, "old-line-format"),
        ("palette", Arity::Required, "palette"),
        (
            "unchanged-group-format",
            Arity::Required,
            "unchanged-group-format",
        ),
        (
            "unchanged-line-format",
            Arity::Required,
            "unchanged-line-format",
        ),
        ("ed", Arity::No, "e"),
        ("exclude", Arity::Required, "x"),
        ("expand-tabs", Arity::No, "t"),
        ("forward-ed", Arity::No, "f"),
        ("from-file", Arity::Required, "from-file"),
        ("ignore-all-space", Arity::No, "w"),
        ("ignore-blank-lines", Arity::No, "B"),
        ("ignore-case", Arity::No, "i"),
        ("ignore-file-name-case", Arity::No, "h"),
        ("ignore-matching-lines", Arity::Required, "I"),
        ("ignore-space-change", Arity::No, "b"),
        ("ignore-tab-expansion", Arity::No, "E"),
        ("ignore-trailing-space", Arity::No, "Z"),
        ("initial-tab", Arity::No, "T"),
        ("label", Arity::Required, "L"),
        ("left-column", Arity::No, "left-column"),
        ("minimal", Arity::No, "d"),
        ("new-file", Arity::No, "N"),
        ("no-dereference", Arity::No, "no-dereference"),
        ("normal", Arity::No, "normal"),
        ("rcs", Arity::No, "n"),
        ("recursive", Arity::No, "r"),
        ("report-identical-files", Arity::No, "s"),
        ("show-c-function", Arity::No, "p"),
        ("show-function-line", Arity::Required, "F"),
        ("side-by-side", Arity::No, "y"),
        ("speed-large-files", Arity::No, "H"),
        ("strip-trailing-cr", Arity::No, "strip-trailing-cr"),
        ("suppress-common-lines", Arity::No, "suppress-common-lines"),
        ("tabsize", Arity::Required, "tabsize"),
        ("text", Arity::No, "a"),
        ("to-file", Arity::Required, "to-file"),
        ("unidirectional-new-file", Arity::No, "P"),
        ("unified", Arity::Optional, "unified"),
        ("width", Arity::Required, "W"),
    ],
);

/// The widest side-by-side output that is believed; what a screen could ever show.
const MAX_WIDTH: usize = 4096;

/// How blanks count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spaces {
    /// Every one.
    Count,
    /// Any number like one, none at a line's end: `-b`.
    Amount,
    /// Not at all: `-w`.
    None,
}

/// What is to be done, and how.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct Settings {
    pub(super) style: Style,
    pub(super) context: usize,
    pub(super) brief: bool,
    pub(super) report: bool,
    pub(super) text: bool,
    pub(super) recursive: bool,
    pub(super) new_file: bool,
    pub(super) no_dereference: bool,
    pub(super) ignore_case: bool,
    pub(super) ignore_blank: bool,
    pub(super) ignore_tabs: bool,
    pub(super) ignore_trailing: bool,
    pub(super) strip_return: bool,
    pub(super) spaces: Spaces,
    pub(super) ignore: Option<Regex>,
    pub(super) function: Option<Regex>,
    pub(super) expand_tabs: bool,
    pub(super) initial_tab: bool,
    pub(super) tab_size: usize,
    pub(super) width: usize,
    pub(super) left_column: bool,
    pub(super) suppress_common: bool,
    pub(super) colour: bool,
    pub(super) labels: Vec<Vec<u8>>,
    pub(super) formats: Formats,
    pub(super) exclude: Vec<Pattern>,
    /// A file compared with every operand, and whether it comes first.
    pub(super) base: Option<(Vec<u8>, bool)>,
    /// The options as they were given.
    pub(super) words: Vec<Vec<u8>>,
}

/// What a command line asks for.
pub(crate) enum Asked {
    Compare(Box<Settings>, Vec<Vec<u8>>),
    Help,
    Version,
}

fn number(value: &[u8], what: &str) -> Result<usize, Vec<u8>> {
    let parsed = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<usize>().ok());
    parsed.ok_or_else(|| [b"invalid ", what.as_bytes(), b" '", value, b"'"].concat())
}

fn regex(pattern: &[u8]) -> Result<Regex, Vec<u8>> {
    Regex::new(pattern, Syntax::Grep, Flags::default())
        .map_err(|error| [pattern, b": ", error.message().as_ref()].concat())
}

/// Takes a command line apart; the error is the complaint.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, as the manual lists them"
)]
pub(super) fn parse(args: &[Vec<u8>]) -> Result<Asked, Vec<u8>> {
    let mut settings = Settings {
        style: Style::Normal,
        context: 3,
        brief: false,
        report: false,
        text: false,
        recursive: false,
        new_file: false,
        no_dereference: false,
        ignore_case: false,
        ignore_blank: false,
        ignore_tabs: false,
        ignore_trailing: false,
        strip_return: false,
        spaces: Spaces::Count,
        ignore: None,
        function: None,
        expand_tabs: false,
        initial_tab: false,
        tab_size: 8,
        width: 130,
        left_column: false,
        suppress_common: false,
        colour: false,
        labels: Vec::new(),
        formats: Formats::default(),
        exclude: Vec::new(),
        base: None,
        words: Vec::new(),
    };
    let mut style = None;
    let (mut digits, mut context) = (String::new(), None);
    let mut ignore: Vec<Vec<u8>> = Vec::new();
    let mut choose = |wanted: Style| match style.replace(wanted) {
        Some(before) if before != wanted => Err(b"conflicting output style options".to_vec()),
        _ => Ok(()),
    };
    let mut getopt = Getopt::new(&SPEC, args);
    while let Some(option) = getopt.next() {
        let option = option.map_err(|error| error.text())?;
        let value = option.value;
        match option.key {
            "a" => settings.text = true,
            "b" if settings.spaces == Spaces::Count => settings.spaces = Spaces::Amount,
            "w" => settings.spaces = Spaces::None,
            "B" => settings.ignore_blank = true,
            "c" => choose(Style::Context)?,
            "u" => choose(Style::Unified)?,
            "C" | "U" | "context" | "unified" => {
                if option.has_value {
                    let lines = number(&value, "context length")?;
                    context = Some(context.map_or(lines, |old: usize| old.max(lines)));
                }
                choose(if matches!(option.key, "C" | "context") {
                    Style::Context
                } else {
                    Style::Unified
                })?;
            }
            "e" => choose(Style::Ed)?,
            "f" => choose(Style::ForwardEd)?,
            "n" => choose(Style::Rcs)?,
            "y" => choose(Style::Columns)?,
            "normal" => choose(Style::Normal)?,
            "D" => {
                choose(Style::Merged)?;
                settings.formats = Formats::preprocessor(&value);
            }
            "horizon-lines" => {
                number(&value, "horizon length")?;
            }
            format if format.ends_with("-format") => {
                choose(Style::Merged)?;
                settings.formats.set(format, &value);
            }
            "E" => settings.ignore_tabs = true,
            "Z" => settings.ignore_trailing = true,
            "strip-trailing-cr" => settings.strip_return = true,
            "F" => settings.function = Some(regex(&value)?),
            "p" => settings.function = Some(regex(b"^[[:alpha:]$_]")?),
            "i" => settings.ignore_case = true,
            "I" => ignore.push(value),
            "L" => {
                if settings.labels.len() == 2 {
                    return Err(b"too many file label options".to_vec());
                }
                settings.labels.push(value);
            }
            "N" | "P" => settings.new_file = true,
            "q" => settings.brief = true,
            "r" => settings.recursive = true,
            "s" => settings.report = true,
            "t" => settings.expand_tabs = true,
            "T" => settings.initial_tab = true,
            "W" => {
                settings.width = match number(&value, "width")? {
                    0 => return Err([b"invalid width '", value.as_slice(), b"'"].concat()),
                    width => width.min(MAX_WIDTH),
                };
            }
            "tabsize" => {
                settings.tab_size = match number(&value, "tabsize")? {
                    0 => return Err([b"invalid tabsize '", value.as_slice(), b"'"].concat()),
                    size => size.min(MAX_WIDTH),
                };
            }
            "x" => settings
                .exclude
                .push(Pattern::from_bytes(&value, pattern::Options::default())),
            "left-column" => settings.left_column = true,
            "suppress-common-lines" => settings.suppress_common = true,
            "no-dereference" => settings.no_dereference = true,
            "color" => {
                settings.colour = match value.as_slice() {
                    b"always" => true,
                    b"" | b"auto" | b"never" => false,
                    _ => return Err([b"invalid color '", value.as_slice(), b"'"].concat()),
                };
            }
            "from-file" => settings.base = Some((value, true)),
            "to-file" => settings.base = Some((value, false)),
            "help" => return Ok(Asked::Help),
            "version" | "v" => return Ok(Asked::Version),
            digit if digit.len() == 1 && digit.as_bytes().iter().all(u8::is_ascii_digit) => {
                digits.push_str(digit);
            }
            _ => {}
        }
    }
    if !ignore.is_empty() {
        settings.ignore = Some(regex(&ignore.join(b"\\|".as_slice()))?);
    }
    settings.style = style.unwrap_or(
        if settings.function.is_some() && context.is_none() && digits.is_empty() {
            Style::Context
        } else {
            Style::Normal
        },
    );
    if let Some(lines) = digits.parse().ok().or(context) {
        settings.context = lines;
    }
    let operands = getopt.operands();
    let mut words: Vec<Vec<u8>> = args.get(1..).unwrap_or_default().to_vec();
    // Operands move behind the options.
    for operand in operands.iter().rev() {
        if let Some(place) = words.iter().rposition(|word| word == operand) {
            words.remove(place);
        }
    }
    settings.words = words;
    Ok(Asked::Compare(Box::new(settings), operands))
}
