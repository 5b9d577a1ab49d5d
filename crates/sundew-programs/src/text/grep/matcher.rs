//! The patterns of a grep, compiled.

use fancy_regex::{BytesMode, RegexBuilder};
use sundew_posix::regex::{Flags, Regex, Syntax, Whole};

use super::options::Options;
use crate::text::pattern_check;

/// Backtracking steps of a Perl pattern on one line; some tens of milliseconds.
const PERL_STEPS: usize = 1 << 19;

/// Which grammar the patterns have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Basic,
    Extended,
    Fixed,
    Perl,
}

impl Kind {
    /// Whether it may not be combined with another choice.
    pub(super) fn stands_alone(self) -> bool {
        matches!(self, Self::Fixed | Self::Perl)
    }
}

/// What a line is compared with.
pub(super) struct Compiled {
    posix: Vec<Regex>,
    perl: Option<fancy_regex::Regex>,
    /// Operators to warn of.
    pub(super) warnings: Vec<&'static str>,
}

impl Compiled {
    /// Compiles the patterns; the error is the complaint.
    pub(super) fn new(options: &Options) -> Result<Self, Vec<u8>> {
        let mut compiled = Self {
            posix: Vec::new(),
            perl: None,
            warnings: Vec::new(),
        };
        if !options.has_patterns() {
            return Ok(compiled);
        }
        if options.kind == Kind::Perl {
            compiled.perl = Some(perl(options)?);
            return Ok(compiled);
        }
        let syntax = match options.kind {
            Kind::Extended => Some(Syntax::Egrep),
            Kind::Fixed => None,
            Kind::Basic | Kind::Perl => Some(Syntax::Grep),
        };
        let whole = match (options.line, options.word) {
            (true, _) => Whole::Line,
            (false, true) => Whole::Word,
            (false, false) => Whole::No,
        };
        let flags = Flags {
            ignore_case: options.ignore_case,
            newline: options.null_data,
        };
        for pattern in options.patterns.split(|&byte| byte == b'\n') {
            let regex =
                Regex::whole(pattern, syntax, flags, whole).map_err(|error| error.message())?;
            if syntax.is_some() && pattern_check::has_bare_class(pattern) {
                return Err(b"character class syntax is [[:space:]], not [:space:]".to_vec());
            }
            if syntax == Some(Syntax::Egrep) {
                compiled
                    .warnings
                    .extend(pattern_check::leading_operators(pattern));
            }
            compiled.posix.push(regex);
        }
        Ok(compiled)
    }

    /// Whether the line matches.
    pub(super) fn matches(&self, line: &[u8]) -> bool {
        match &self.perl {
            Some(_) => self.find(line, 0).is_some(),
            None => self.posix.iter().any(|regex| regex.is_match(line)),
        }
    }

    /// Start and end of the leftmost longest match from `start` on.
    pub(super) fn find(&self, line: &[u8], start: usize) -> Option<(usize, usize)> {
        if let Some(perl) = &self.perl {
            // A search given up counts as none.
            let found = perl.find_from_pos(line, start).ok()??;
            return Some((found.start(), found.end()));
        }
        let spans = self
            .posix
            .iter()
            .filter_map(|regex| regex.find(line, start, false));
        spans
            .map(|groups| (groups.start(), groups.end()))
            .min_by_key(|&(start, end)| (start, std::cmp::Reverse(end)))
    }
}

fn perl(options: &Options) -> Result<fancy_regex::Regex, Vec<u8>> {
    if options.patterns.contains(&b'\n') {
        return Err(b"the -P option only supports a single pattern".to_vec());
    }
    let text = String::from_utf8_lossy(&options.patterns);
    let pattern = match (options.line, options.word) {
        (true, _) => format!("^(?:{text})$"),
        (false, true) => format!("(?<!\\w)(?:{text})(?!\\w)"),
        (false, false) => text.into_owned(),
    };
    if let Some(words) = perl_mistake(&options.patterns) {
        return Err(words.as_bytes().to_vec());
    }
    RegexBuilder::new(&pattern)
        .case_insensitive(options.ignore_case)
        .bytes_mode(BytesMode::Ascii)
        .backtrack_limit(PERL_STEPS)
        .build()
        .map_err(|error| perl_words(&error).as_bytes().to_vec())
}

/// PCRE2's words for the commonest mistakes.
fn perl_words(error: &fancy_regex::Error) -> &'static str {
    let text = error.to_string();
    if text.contains("nclosed") && text.contains("paren") || text.contains("Opening parenthesis") {
        "missing closing parenthesis"
    } else if text.contains("nclosed") || text.contains("class") {
        "missing terminating ] for character class"
    } else if text.contains("backslash") || text.contains("escape") {
        "\\ at end of pattern"
    } else if text.contains("repeat") || text.contains("repetition") {
        "quantifier does not follow a repeatable item"
    } else {
        "unrecognized character follows \\"
    }
}

/// PCRE2's words for mistakes that the library words otherwise, or not at all.
fn perl_mistake(pattern: &[u8]) -> Option<&'static str> {
    let mut rest = pattern;
    let mut class = false;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'\\' => {
                let Some((_, behind)) = rest.split_first() else {
                    return Some("\\ at end of pattern");
                };
                rest = behind;
            }
            b'[' if !class => {
                class = true;
                rest = rest.strip_prefix(b"^").unwrap_or(rest);
                rest = rest.strip_prefix(b"]").unwrap_or(rest);
            }
            b']' if class => class = false,
            low if class && low.is_ascii_alphanumeric() => {
                if let [b'-', high, ..] = rest
                    && high.is_ascii_alphanumeric()
                    && *high < low
                {
                    return Some("range out of order in character class");
                }
            }
            b'{' if !class => {
                let end = rest.iter().position(|&byte| byte == b'}');
                let inner = end.and_then(|end| std::str::from_utf8(rest.get(..end)?).ok());
                let bounds = inner.and_then(|inner| inner.split_once(','));
                if let Some((low, high)) = bounds
                    && let (Ok(low), Ok(high)) = (low.parse::<u64>(), high.parse::<u64>())
                    && high < low
                {
                    return Some("numbers out of order in {} quantifier");
                }
            }
            b'(' if !class => {
                if let Some(name) = rest.strip_prefix(b"?<")
                    && name.first().is_some_and(u8::is_ascii_alphabetic)
                    && !name.contains(&b'>')
                {
                    return Some("syntax error in subpattern name (missing terminator?)");
                }
            }
            _ => {}
        }
    }
    None
}
