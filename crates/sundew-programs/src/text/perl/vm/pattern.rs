//! `m//`, `s///`, `tr///`, `qr//` and `split`, on fancy-regex with a bound on backtracking.

use std::collections::VecDeque;

use fancy_regex::{BytesMode, RegexBuilder};

use super::*;

mod dialect;

/// Steps of backtracking in one search.
const MAX_STEPS: usize = 200_000;
/// Patterns kept compiled.
const MAX_PATTERNS: usize = 256;
/// Longest pattern.
const MAX_PATTERN_BYTES: usize = 32 << 10;

/// A substitution under way.
pub(super) struct Substitute {
    pub(super) regex: Arc<Regex>,
    pub(super) text: Arc<Vec<u8>>,
    pub(super) place: Scalar,
    pub(super) flags: Arc<str>,
    pub(super) out: Vec<u8>,
    pub(super) start: usize,
    pub(super) copied: usize,
    /// Where the match being replaced ends.
    pub(super) end: usize,
    pub(super) count: usize,
}

/// A value's text, shared if it is one.
fn text_of(value: &Value) -> Arc<Vec<u8>> {
    match value {
        Value::Text(text) | Value::Pattern(text) => Arc::clone(text),
        other => Arc::new(other.bytes()),
    }
}

impl Vm<'_> {
    /// `qr//`.
    pub(super) fn compiled(&mut self, flags: &str) {
        let text = self.pop_value().bytes();
        let flags: String = flags
            .chars()
            .filter(|flag| "imsx".contains(*flag))
            .collect();
        let text = [format!("(?^{flags}:").as_bytes(), &text, b")"].concat();
        self.push(Value::Pattern(Arc::new(text)));
    }

    pub(super) fn regex(&mut self, text: &Arc<Vec<u8>>, flags: &Arc<str>) -> Res<Arc<Regex>> {
        let key = (Arc::clone(text), Arc::clone(flags));
        if let Some(known) = self.patterns.get(&key) {
            return Ok(Arc::clone(known));
        }
        let shown = || String::from_utf8_lossy(text).into_owned();
        if text.len() > MAX_PATTERN_BYTES {
            return self.die("Regexp too big");
        }
        let built = RegexBuilder::new(&dialect::translated(text, flags.contains('m')))
            .case_insensitive(flags.contains('i'))
            .multi_line(flags.contains('m'))
            .dot_matches_new_line(flags.contains('s'))
            .verbose_mode(flags.contains('x'))
            .bytes_mode(BytesMode::Ascii)
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(1 << 20)
            .delegate_dfa_size_limit(1 << 20)
            .build();
        let Ok(regex) = built else {
            let words = dialect::fault(&shown());
            return self.die(words);
        };
        if self.patterns.len() >= MAX_PATTERNS {
            self.patterns.clear();
        }
        self.made(text.len() * 64)?;
        let regex = Arc::new(regex);
        self.patterns.insert(key, Arc::clone(&regex));
        Ok(regex)
    }

    /// A group of the last match.
    pub(super) fn group(&self, number: usize) -> Value {
        let span = self.matched.groups.get(number).copied().flatten();
        span.and_then(|(start, end)| self.matched.text.get(start..end))
            .map_or(Value::Undef, Value::text)
    }

    /// One search; remembers the groups when it finds. The whole match's span.
    fn search(
        &mut self,
        regex: &Regex,
        text: &Arc<Vec<u8>>,
        start: usize,
    ) -> Option<(usize, usize)> {
        if start > text.len() {
            return None;
        }
        // A search given up counts as none.
        let captures = regex
            .captures_from_pos(text.as_slice(), start)
            .ok()
            .flatten()?;
        let groups: Vec<Option<(usize, usize)>> = (0..captures.len())
            .map(|group| {
                captures
                    .get(group)
                    .map(|found| (found.start(), found.end()))
            })
            .collect();
        let whole = groups.first().copied().flatten()?;
        let names = regex
            .capture_names()
            .enumerate()
            .filter_map(|(group, name)| Some((name?.to_owned(), group)))
            .collect();
        self.matched = Arc::new(Matched {
            text: Arc::clone(text),
            groups,
            names,
        });
        Some(whole)
    }

    pub(super) fn match_op(&mut self, flags: &Arc<str>, negated: bool, want: Want) -> Res {
        let place = self.pop_place();
        let pattern = text_of(&self.pop_value());
        let regex = self.regex(&pattern, flags)?;
        let text = text_of(&place.get());
        let list = self.wants_list(want) && !negated;
        let values = if flags.contains('g') {
            self.match_all(&place, &regex, &text, flags, list)?
        } else {
            match self.search(&regex, &text, 0) {
                Some(_) if list && self.matched.groups.len() > 1 => (1..self.matched.groups.len())
                    .map(|group| self.group(group))
                    .collect(),
                Some(_) => vec![Value::Int(1)],
                None if list => Vec::new(),
                None => vec![Value::truth(false)],
            }
        };
        if negated {
            let found = values.first().is_some_and(Value::is_true);
            self.push(Value::truth(!found));
        } else if list {
            self.stack.extend(values);
        } else {
            let first = values.into_iter().next();
            self.push(first.unwrap_or_else(|| Value::truth(false)));
        }
        Ok(())
    }

    /// `m//g`: all matches for a list, else the next one.
    fn match_all(
        &mut self,
        place: &Scalar,
        regex: &Regex,
        text: &Arc<Vec<u8>>,
        flags: &str,
        list: bool,
    ) -> Res<Vec<Value>> {
        let address = Arc::as_ptr(place).addr();
        let next = |(start, end): (usize, usize)| if end > start { end } else { end + 1 };
        let known = self.positions.get(&address);
        let begin = known
            .filter(|(own, _)| own == text)
            .map_or(0, |(_, at)| *at);
        if !list {
            let found = self.search(regex, text, begin);
            match found {
                Some(span) => {
                    if self.positions.len() >= MAX_PATTERNS {
                        self.positions.clear();
                    }
                    self.positions
                        .insert(address, (Arc::clone(text), next(span)));
                }
                None if flags.contains('c') => {}
                None => drop(self.positions.remove(&address)),
            }
            return Ok(vec![Value::truth(found.is_some())]);
        }
        self.positions.remove(&address);
        let (mut out, mut start) = (Vec::new(), begin);
        while let Some(span) = self.search(regex, text, start) {
            let groups = self.matched.groups.len();
            if groups > 1 {
                out.extend((1..groups).map(|group| self.group(group)));
            } else {
                out.push(self.group(0));
            }
            start = next(span);
            self.made(96)?;
            if out.len() > MAX_LIST {
                return Self::out_of_memory();
            }
        }
        Ok(out)
    }

    // ---- substitution --------------------------------------------------------------------------

    pub(super) fn enter_substitute(&mut self, flags: &Arc<str>) -> Res {
        let place = self.pop_place();
        let pattern = text_of(&self.pop_value());
        let regex = self.regex(&pattern, flags)?;
        let text = text_of(&place.get());
        self.unwinds.push(Unwind::Substitute(Box::new(Substitute {
            regex,
            text,
            place,
            flags: Arc::clone(flags),
            out: Vec::new(),
            start: 0,
            copied: 0,
            end: 0,
            count: 0,
        })));
        Ok(())
    }

    /// Finds what is replaced next, or ends.
    pub(super) fn next_substitute(&mut self, exit: usize) -> Res {
        let Some(Unwind::Substitute(own)) = self.unwinds.last() else {
            return Ok(());
        };
        if own.count > 0 && !own.flags.contains('g') {
            self.go_to(exit);
            return Ok(());
        }
        let (regex, text, start) = (Arc::clone(&own.regex), Arc::clone(&own.text), own.start);
        let Some((from, to)) = self.search(&regex, &text, start) else {
            self.go_to(exit);
            return Ok(());
        };
        let Some(Unwind::Substitute(own)) = self.unwinds.last_mut() else {
            return Ok(());
        };
        own.out
            .extend_from_slice(text.get(own.copied..from).unwrap_or_default());
        own.copied = to;
        own.end = to;
        own.start = if to > from { to } else { to + 1 };
        own.count += 1;
        Ok(())
    }

    pub(super) fn take_substitute(&mut self) -> Res {
        let with = self.pop_value().bytes();
        self.made(with.len() + 32)?;
        let Some(Unwind::Substitute(own)) = self.unwinds.last_mut() else {
            return Ok(());
        };
        own.out.extend(with);
        if own.out.len() > MAX_TEXT {
            return Self::out_of_memory();
        }
        Ok(())
    }

    pub(super) fn leave_substitute(&mut self) -> Res {
        let Some(Unwind::Substitute(mut own)) = self.unwinds.pop() else {
            return Ok(());
        };
        let returns = own.flags.contains('r');
        if own.count == 0 {
            self.push(if returns {
                Value::Text(own.text)
            } else {
                Value::truth(false)
            });
            return Ok(());
        }
        let rest = own.text.get(own.copied..).unwrap_or_default();
        own.out.extend_from_slice(rest);
        let new = self.text(own.out)?;
        if returns {
            self.push(new);
        } else {
            own.place.set(new);
            self.push(Value::count(own.count));
        }
        Ok(())
    }

    pub(super) fn translate(&mut self, own: &Arc<(Vec<u8>, Vec<u8>, String)>) -> Res {
        let (from, to, flags) = &**own;
        let place = self.pop_place();
        let text = place.get().bytes();
        let (new, count) = dialect::transliterate(&text, from, to, flags);
        if flags.contains('r') {
            let new = self.text(new)?;
            self.push(new);
            return Ok(());
        }
        if new != text {
            let new = self.text(new)?;
            place.set(new);
        }
        self.push(Value::count(count));
        Ok(())
    }

    /// Pieces of a text between matches: `split`.
    pub(super) fn split(&mut self, values: &[Value], list: bool) -> Res<Vec<Value>> {
        let pattern = values.first().cloned().unwrap_or_default();
        let text = values.get(1).cloned().unwrap_or_default();
        let limit = values.get(2).map_or(0, Value::integer);
        let mut awk = false;
        let own = match &pattern {
            Value::Pattern(text) if text.as_slice() == b"(?^:^)" => Arc::new(b"(?m:^)".to_vec()),
            Value::Pattern(text) => Arc::clone(text),
            other => {
                let text = other.bytes();
                awk = text == b" ";
                Arc::new(if awk { b"\\s+".to_vec() } else { text })
            }
        };
        let regex = self.regex(&own, &Arc::from(""))?;
        let text = text.bytes();
        let text = if awk { text.trim_ascii_start() } else { &text };
        let mut out: VecDeque<Value> = VecDeque::new();
        let (mut start, mut from, mut pieces) = (0, 0, 1_i64);
        while !text.is_empty() && start <= text.len() && (limit <= 0 || pieces < limit) {
            let Some(found) = regex.captures_from_pos(text, start).ok().flatten() else {
                break;
            };
            let Some((at, to)) = found.get(0).map(|whole| (whole.start(), whole.end())) else {
                break;
            };
            if to == at {
                // Nothing between two characters: between them the text is cut.
                if at >= text.len() {
                    break;
                }
                if at == from {
                    start = at + 1;
                    continue;
                }
            }
            out.push_back(Value::text(text.get(from..at).unwrap_or_default()));
            pieces += 1;
            for group in 1..found.len() {
                let piece = found
                    .get(group)
                    .and_then(|own| text.get(own.start()..own.end()));
                out.push_back(piece.map_or(Value::Undef, Value::text));
            }
            from = to;
            start = if to > at { to } else { to + 1 };
            self.made(64)?;
            if out.len() > MAX_LIST {
                return Self::out_of_memory();
            }
        }
        if !text.is_empty() {
            out.push_back(Value::text(text.get(from..).unwrap_or_default()));
        }
        if limit == 0 {
            while out.back().is_some_and(|last| last.bytes().is_empty()) {
                out.pop_back();
            }
        }
        Ok(if list {
            out.into()
        } else {
            vec![Value::count(out.len())]
        })
    }
}
