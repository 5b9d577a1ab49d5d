//! `!!` and its relatives: bash(1), HISTORY EXPANSION.

use sundew_posix::escape::single_quoted;

use super::History;

/// Longest line that an expansion may make, in bytes: `!!!!!!` typed again and again doubles it.
const MAX_EXPANDED_BYTES: usize = 64 * 1024;

/// A line that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// What it is now. Bash shows it before running it.
    pub line: Vec<u8>,
    /// `:p`: it goes into the history and is not run.
    pub print_only: bool,
}

/// Why a line could not be expanded; bash says it behind its own name and drops the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandError(pub Vec<u8>);

/// What `!?string?`, `:&` and `!%` remember.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    search: Option<Vec<u8>>,
    /// Index of the word that the last `!?string?` found.
    matched: Option<Vec<u8>>,
    substitution: Option<(Vec<u8>, Vec<u8>)>,
}

impl History {
    /// Expands `!` and `^` in a line; `None` if there is nothing to expand. `open_quote` is the quote that
    /// the lines before it left open.
    ///
    /// # Errors
    ///
    /// An event that is not in the history, words that the event does not have, a modifier that
    /// does not exist or finds nothing.
    pub fn expand(
        &mut self,
        line: &[u8],
        open_quote: Option<u8>,
    ) -> Result<Option<Expanded>, ExpandError> {
        if line.first() == Some(&b'^') {
            let command = [b"!!:s".as_slice(), line].concat();
            return Expansion::new(self, &command).scan().map(Some);
        }
        if !line.contains(&b'!') {
            return Ok(None);
        }
        let mut expansion = Expansion::new(self, line);
        expansion.quote = open_quote;
        if !expansion.looks_expandable() {
            return Ok(None);
        }
        let expanded = expansion.scan()?;
        Ok(expansion.any.then_some(expanded))
    }
}

struct Expansion<'a> {
    history: &'a mut History,
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
    print_only: bool,
    any: bool,
    /// The quote that is open at the start.
    quote: Option<u8>,
}

impl<'a> Expansion<'a> {
    fn new(history: &'a mut History, text: &'a [u8]) -> Self {
        Self {
            history,
            text,
            at: 0,
            out: Vec::new(),
            print_only: false,
            any: false,
            quote: None,
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Readline's first look at a line: whether a `!` stands there that is not quoted. Here a backslash
    /// quotes whatever stands before it, so that `\\\\!x` alone is left as it is.
    fn looks_expandable(&self) -> bool {
        let (mut single, mut double) = (self.quote == Some(b'\''), self.quote == Some(b'"'));
        let mut at = 0;
        while let Some(&byte) = self.text.get(at) {
            let next = self.text.get(at + 1);
            match byte {
                b'\\' if single => {}
                b'\\' if matches!(next, Some(b'!')) => at += 1,
                b'\\' if double && next == Some(&b'"') => at += 1,
                b'\\' if !double && next == Some(&b'\'') => at += 1,
                b'\'' if !double => single = !single,
                b'"' if !single => double = !double,
                b'!' if !single => return true,
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// Copies the line, expanding what is not quoted.
    fn scan(&mut self) -> Result<Expanded, ExpandError> {
        let (mut single, mut double) = (self.quote == Some(b'\''), self.quote == Some(b'"'));
        let mut previous = 0;
        while let Some(byte) = self.peek(0) {
            if self.out.len() > MAX_EXPANDED_BYTES {
                return Err(ExpandError(b"history expansion failed".to_vec()));
            }
            match byte {
                b'\\' if !single => {
                    let pair = self.rest();
                    self.out.extend_from_slice(pair.get(..2).unwrap_or(pair));
                    self.at += 2;
                    previous = b'\\';
                    continue;
                }
                b'\'' if !double => single = !single,
                b'"' if !single => double = !double,
                b'!' if !single && self.expands_here(previous, double) => {
                    self.any = true;
                    let start = self.at;
                    self.at += 1;
                    self.event(start)?;
                    previous = b'x';
                    continue;
                }
                _ => {}
            }
            self.out.push(byte);
            previous = byte;
            self.at += 1;
        }
        Ok(Expanded {
            line: std::mem::take(&mut self.out),
            print_only: self.print_only,
        })
    }

    /// Whether the `!` here means an event: not before a blank, `=`, or a quote that ends its
    /// string, and not in `$!`, `${!x}` and `[!x]`.
    fn expands_here(&self, previous: u8, double: bool) -> bool {
        match self.peek(1) {
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'=') => return false,
            Some(b'"') if double => return false,
            _ => {}
        }
        match previous {
            b'$' => false,
            b'{' => !self.out.ends_with(b"${"),
            b'[' => !self.rest().contains(&b']'),
            _ => true,
        }
    }

    /// `!!`, `!n`, `!-n`, `!string`, `!?string?`, `!#`, and what follows them.
    fn event(&mut self, start: usize) -> Result<(), ExpandError> {
        let line = match self.peek(0) {
            Some(b'(') => None,
            Some(b'!') => {
                self.at += 1;
                self.back(1)
            }
            Some(b'#') => {
                self.at += 1;
                Some(self.out.clone())
            }
            Some(b'^' | b'$' | b'*' | b'%' | b':') => self.back(1),
            Some(b'-') if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => {
                self.at += 1;
                let count = self.number();
                self.back(count)
            }
            Some(b'0'..=b'9') => {
                let number = self.number();
                self.history.line(number).map(<[u8]>::to_vec)
            }
            Some(b'?') => {
                self.at += 1;
                self.containing()
            }
            _ => self.beginning(),
        };
        let Some(line) = line else {
            let named = self.text.get(start..self.at).unwrap_or_default();
            return Err(ExpandError([named, b": event not found"].concat()));
        };
        let chosen = self.words(line)?;
        let modified = self.modifiers(chosen)?;
        self.out.extend_from_slice(&modified);
        Ok(())
    }

    fn back(&self, count: usize) -> Option<Vec<u8>> {
        let index = self.history.len().checked_sub(count)?;
        self.history.at(index).map(<[u8]>::to_vec)
    }

    fn number(&mut self) -> usize {
        let mut number = 0_usize;
        while let Some(byte @ b'0'..=b'9') = self.peek(0) {
            number = number
                .saturating_mul(10)
                .saturating_add(usize::from(byte - b'0'));
            self.at += 1;
        }
        number
    }

    fn containing(&mut self) -> Option<Vec<u8>> {
        let rest = self.rest();
        let end = rest.iter().position(|byte| matches!(byte, b'?' | b'\n'));
        let mut wanted = rest
            .get(..end.unwrap_or(rest.len()))
            .unwrap_or_default()
            .to_vec();
        self.at += end.map_or(rest.len(), |end| end + 1);
        if wanted.is_empty() {
            wanted = self.history.expansion.search.clone()?;
        }
        let line = self
            .history
            .iter()
            .rev()
            .find(|(_, line)| position(line, &wanted).is_some())?
            .1
            .to_vec();
        self.history.expansion.matched = words(&line)
            .into_iter()
            .find(|word| position(word, &wanted).is_some())
            .map(<[u8]>::to_vec);
        self.history.expansion.search = Some(wanted);
        Some(line)
    }

    fn beginning(&mut self) -> Option<Vec<u8>> {
        let rest = self.rest();
        let ends = |byte: &u8| {
            matches!(
                byte,
                b' ' | b'\t' | b'\n' | b':' | b';' | b'&' | b'(' | b')' | b'|' | b'<' | b'>' | b'"'
            )
        };
        let special = |byte: &u8| ends(byte) || matches!(byte, b'^' | b'$' | b'*' | b'%' | b'-');
        let mut len = rest.iter().position(special).unwrap_or(rest.len());
        if rest.get(len) == Some(&b'-') {
            len = rest.iter().position(ends).unwrap_or(rest.len());
        }
        let wanted = rest.get(..len).unwrap_or_default();
        self.at += len;
        if wanted.is_empty() {
            // `!"` and `!;` mean the line before, as bash has it.
            return self.back(1);
        }
        self.history
            .iter()
            .rev()
            .find(|(_, line)| line.starts_with(wanted))
            .map(|(_, line)| line.to_vec())
    }

    /// The word designator, if there is one.
    fn words(&mut self, line: Vec<u8>) -> Result<Vec<u8>, ExpandError> {
        let start = self.at;
        let colon = self.peek(0) == Some(b':');
        let first = self.peek(usize::from(colon));
        let designates = match first {
            Some(b'^' | b'$' | b'*' | b'%') => true,
            Some(b'0'..=b'9' | b'-') => colon,
            _ => false,
        };
        if !designates {
            return Ok(line);
        }
        self.at += usize::from(colon);
        let words = words(&line);
        let last = words.len().saturating_sub(1);
        let (from, to) = match self.peek(0) {
            Some(b'*') => {
                self.at += 1;
                if last == 0 {
                    return Ok(Vec::new());
                }
                (1, last)
            }
            Some(b'%') => {
                self.at += 1;
                return self
                    .history
                    .expansion
                    .matched
                    .clone()
                    .ok_or_else(|| self.bad_word(start));
            }
            _ => self.range(last),
        };
        if from > to || to > last || words.is_empty() {
            return Err(self.bad_word(start));
        }
        let chosen = words.get(from..=to).ok_or_else(|| self.bad_word(start))?;
        Ok(chosen.join(&b' '))
    }

    fn bad_word(&self, start: usize) -> ExpandError {
        let named = self.text.get(start..self.at).unwrap_or_default();
        ExpandError([named, b": bad word specifier"].concat())
    }

    /// `n`, `n-m`, `n-`, `n*`, `-m`, `^`, `$`.
    fn range(&mut self, last: usize) -> (usize, usize) {
        let from = match self.peek(0) {
            Some(b'-') => 0,
            _ => self.word_number(last).unwrap_or(0),
        };
        match self.peek(0) {
            Some(b'*') => {
                self.at += 1;
                (from, last.max(from))
            }
            Some(b'-') => {
                self.at += 1;
                let to = self.word_number(last).unwrap_or(last.saturating_sub(1));
                (from, to)
            }
            _ => (from, from),
        }
    }

    fn word_number(&mut self, last: usize) -> Option<usize> {
        match self.peek(0) {
            Some(b'^') => {
                self.at += 1;
                Some(1)
            }
            Some(b'$') => {
                self.at += 1;
                Some(last)
            }
            Some(b'0'..=b'9') => Some(self.number()),
            _ => None,
        }
    }

    /// `:h`, `:t`, `:r`, `:e`, `:p`, `:q`, `:x`, `:s/old/new/`, `:&`, with `g`, `a`, `G` in front.
    fn modifiers(&mut self, mut text: Vec<u8>) -> Result<Vec<u8>, ExpandError> {
        while self.peek(0) == Some(b':') {
            let start = self.at;
            self.at += 1;
            let mut everywhere = false;
            let mut each_word = false;
            loop {
                match self.peek(0) {
                    Some(b'g' | b'a') => everywhere = true,
                    Some(b'G') => each_word = true,
                    _ => break,
                }
                self.at += 1;
            }
            let Some(letter) = self.peek(0) else { break };
            self.at += 1;
            text = match letter {
                b'h' => match text.iter().rposition(|&byte| byte == b'/') {
                    Some(0) => b"/".to_vec(),
                    Some(slash) => text.get(..slash).unwrap_or_default().to_vec(),
                    None => text,
                },
                b't' => after_last(&text, b'/', 1).unwrap_or(text),
                b'r' => match text.iter().rposition(|&byte| byte == b'.') {
                    Some(dot) => text.get(..dot).unwrap_or_default().to_vec(),
                    None => text,
                },
                b'e' => after_last(&text, b'.', 0).unwrap_or(text),
                b'p' => {
                    self.print_only = true;
                    text
                }
                b'q' => single_quoted(&text),
                b'x' => text
                    .split(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
                    .map(single_quoted)
                    .collect::<Vec<_>>()
                    .join(&b' '),
                b's' | b'&' => {
                    if letter == b's' {
                        self.read_substitution();
                    }
                    self.substitute(&text, everywhere, each_word, start)?
                }
                other => {
                    return Err(ExpandError(
                        [&[other], b": unrecognized history modifier".as_slice()].concat(),
                    ));
                }
            };
        }
        Ok(text)
    }

    fn read_substitution(&mut self) {
        let Some(delimiter) = self.peek(0) else {
            return;
        };
        self.at += 1;
        let old = self.part(delimiter);
        let replacement = self.part(delimiter);
        let old = if old.is_empty() {
            let memory = &self.history.expansion;
            memory
                .substitution
                .as_ref()
                .map(|(old, _)| old.clone())
                .or_else(|| memory.search.clone())
                .unwrap_or_default()
        } else {
            old
        };
        let mut new = Vec::new();
        let mut bytes = replacement.into_iter().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' if bytes.peek() == Some(&b'&') => new.extend(bytes.next()),
                b'&' => new.extend_from_slice(&old),
                _ => new.push(byte),
            }
        }
        self.history.expansion.substitution = Some((old, new));
    }

    fn part(&mut self, delimiter: u8) -> Vec<u8> {
        let mut part = Vec::new();
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            if byte == delimiter {
                break;
            }
            if byte == b'\\' && self.peek(0) == Some(delimiter) {
                self.at += 1;
                part.push(delimiter);
            } else {
                part.push(byte);
            }
        }
        part
    }

    fn substitute(
        &self,
        text: &[u8],
        everywhere: bool,
        each_word: bool,
        start: usize,
    ) -> Result<Vec<u8>, ExpandError> {
        let failed = || {
            let named = self.text.get(start..self.at).unwrap_or_default();
            ExpandError([named, b": substitution failed"].concat())
        };
        let Some((old, new)) = self
            .history
            .expansion
            .substitution
            .as_ref()
            .filter(|(old, _)| !old.is_empty())
        else {
            return Err(failed());
        };
        let mut out = Vec::new();
        let mut rest = text;
        let mut found = false;
        while let Some(at) = position(rest, old) {
            found = true;
            out.extend_from_slice(rest.get(..at).unwrap_or_default());
            out.extend_from_slice(new);
            rest = rest.get(at + old.len()..).unwrap_or_default();
            if out.len() > MAX_EXPANDED_BYTES {
                return Err(failed());
            }
            if each_word {
                let end = rest
                    .iter()
                    .position(|byte| matches!(byte, b' ' | b'\t'))
                    .unwrap_or(rest.len());
                out.extend_from_slice(rest.get(..end).unwrap_or_default());
                rest = rest.get(end..).unwrap_or_default();
            } else if !everywhere {
                break;
            }
        }
        if !found {
            return Err(failed());
        }
        out.extend_from_slice(rest);
        Ok(out)
    }
}

fn after_last(text: &[u8], byte: u8, skip: usize) -> Option<Vec<u8>> {
    let at = text.iter().rposition(|&other| other == byte)?;
    text.get(at + skip..).map(<[u8]>::to_vec)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// The words of a line as history sees them: quotes hold together, operators are words.
pub fn words(line: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < line.len() {
        if line
            .get(at)
            .is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
        {
            at += 1;
            continue;
        }
        let end = word_end(line, at);
        words.extend(line.get(at..end));
        at = end;
    }
    words
}

fn word_end(line: &[u8], start: usize) -> usize {
    let byte = |at: usize| line.get(at).copied();
    let mut at = start;
    while byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
        at += 1;
    }
    if !matches!(byte(at), Some(b'<' | b'>')) {
        at = start;
    }
    match byte(at) {
        Some(b'(' | b')' | b'\n') => return at + 1,
        Some(operator @ (b'<' | b'>' | b';' | b'&' | b'|')) => {
            return match (operator, byte(at + 1), byte(at + 2)) {
                (b'<', Some(b'<'), Some(b'-' | b'<')) => at + 3,
                (first, Some(second), _) if first == second => at + 2,
                (b'<' | b'>', Some(b'&'), _)
                | (b'&', Some(b'>'), _)
                | (b'>', Some(b'|'), _)
                | (b'|', Some(b'&'), _) => at + 2,
                _ => at + 1,
            };
        }
        _ => {}
    }
    let mut quote = None;
    while let Some(here) = byte(at) {
        match (quote, here) {
            (None | Some(b'"'), b'\\') => at += 1,
            (Some(open), _) if open == here => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"' | b'`') => quote = Some(here),
            (None, b' ' | b'\t' | b'\n' | b'(' | b')' | b'<' | b'>' | b';' | b'&' | b'|') => break,
            (None, _) => {}
        }
        at += 1;
    }
    at.min(line.len()).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::super::Control;
    use super::*;

    fn history(lines: &[&str]) -> History {
        let mut history = History::default();
        for line in lines {
            history.add(line.as_bytes(), Control::default());
        }
        history
    }

    /// The answers of bash 5.2 after these lines.
    fn check(lines: &[&str], cases: &[(&str, Result<Option<&str>, &str>)]) {
        for (typed, expected) in cases {
            let got = history(lines).expand(typed.as_bytes(), None);
            let got = got.map(|some| some.map(|some| String::from_utf8(some.line).unwrap()));
            let got = got.map_err(|error| String::from_utf8(error.0).unwrap());
            let expected = expected
                .map(|some| some.map(str::to_owned))
                .map_err(str::to_owned);
            assert_eq!(got, expected, "{typed}");
        }
    }

    #[test]
    fn events_words_and_modifiers_are_those_of_bash() {
        check(
            &[
                "echo a \"b c\" d>/dev/null",
                "echo /a/b.c",
                "ls -l; echo x y z",
            ],
            &[
                ("!!", Ok(Some("ls -l; echo x y z"))),
                ("!1:2", Ok(Some("\"b c\""))),
                ("!echo", Ok(Some("echo /a/b.c"))),
                ("!?b c?", Ok(Some("echo a \"b c\" d>/dev/null"))),
                ("!-2:$", Ok(Some("/a/b.c"))),
                ("cat !$", Ok(Some("cat z"))),
                ("cat !^ !*", Ok(Some("cat -l -l ; echo x y z"))),
                ("!!:1-2", Ok(Some("-l ;"))),
                ("!-2:$:h", Ok(Some("/a"))),
                ("!-2:$:t", Ok(Some("b.c"))),
                ("!-2:$:r", Ok(Some("/a/b"))),
                ("!-2:$:e", Ok(Some(".c"))),
                ("!!:s/x/q/", Ok(Some("ls -l; echo q y z"))),
                ("^l^k^", Ok(Some("ks -l; echo x y z"))),
                ("!zz", Err("!zz: event not found")),
                ("!99", Err("!99: event not found")),
                ("!!:19", Err(":19: bad word specifier")),
                ("!!:s/zz/y/", Err(":s/zz/y/: substitution failed")),
                ("^q^r^", Err(":s^q^r^: substitution failed")),
                ("!!:zz", Err("z: unrecognized history modifier")),
                ("echo \"a!b\"", Err("!b: event not found")),
            ],
        );
    }

    #[test]
    fn quotes_blanks_and_expansions_keep_the_exclamation_mark() {
        let plain = [
            "echo \"hi!\"",
            "echo '!!'",
            "echo a!=b ! x $!",
            "echo [!a]",
            "echo ${!HOME}",
            "echo \\!\\!",
            "!",
        ];
        let cases: Vec<_> = plain.iter().map(|line| (*line, Ok(None))).collect();
        check(&["true"], &cases);
    }

    #[test]
    fn printing_only_is_told_apart() {
        let expanded = history(&["true"]).expand(b"!!:p", None).unwrap().unwrap();
        assert_eq!(
            expanded,
            Expanded {
                line: b"true".to_vec(),
                print_only: true
            }
        );
    }

    #[test]
    fn doubling_a_line_again_and_again_ends() {
        let mut history = history(&["x"]);
        for _ in 0..40 {
            match history.expand(b"!!!!!!!!", None) {
                Ok(Some(expanded)) => history.push(&expanded.line),
                _ => return,
            }
        }
        panic!("it never ended");
    }
}
