//! The shortest or longest part at one end of a text that a pattern matches, a few steps at a time.
//!
//! All ways through the pattern are followed at once, so that each byte of the text is looked at once for
//! each token that may stand there. Patterns with extended ones inside are tried at every length instead,
//! within a bound.

use super::{MAX_STEPS, Matcher, Pattern, Token, one};
use crate::character::first_character;

/// Which end of the text the part is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `${x#pattern}`.
    Prefix,
    /// `${x%pattern}`.
    Suffix,
}

/// Where a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More,
    /// The length of the part in bytes, if there is one.
    Done(Option<usize>),
}

/// Longest character in bytes, and one: how far apart the ways through a pattern are.
const REACH: usize = 5;

/// A search that is under way.
#[derive(Debug)]
pub struct Search<'a> {
    pattern: &'a Pattern,
    text: &'a [u8],
    side: Side,
    longest: bool,
    /// Bytes from the end it began at.
    at: usize,
    best: Option<usize>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// For each of the next distances the tokens that come next there.
    Ways {
        next: [Vec<usize>; REACH],
        /// For each distance and token the distance at which it was last noted, and one.
        noted: Vec<usize>,
    },
    Tries {
        steps: u32,
    },
}

impl Pattern {
    /// Begins to look for the shortest or longest part at an end of `text` that matches.
    #[must_use]
    pub fn search<'a>(&'a self, text: &'a [u8], side: Side, longest: bool) -> Search<'a> {
        let extended = |token: &Token| matches!(token, Token::Extended(..));
        let mut search = Search {
            pattern: self,
            text,
            side,
            longest,
            at: 0,
            best: None,
            work: Work::Tries { steps: MAX_STEPS },
        };
        if !self.tokens.iter().any(extended) {
            search.work = Work::Ways {
                next: Default::default(),
                noted: vec![0; (self.tokens.len() + 1) * REACH],
            };
            search.note(0, 0);
        }
        search
    }

    /// Whether a text that begins like this can match at all; cheap, and wrong only by saying yes.
    #[must_use]
    pub fn may_begin(&self, text: &[u8]) -> bool {
        match (self.tokens.first(), text.first()) {
            (Some(Token::Byte(byte)), Some(first)) => byte.eq_ignore_ascii_case(first),
            _ => true,
        }
    }
}

impl Search<'_> {
    /// Goes on for about so many steps.
    pub fn run(&mut self, steps: usize) -> Progress {
        match self.work {
            Work::Ways { .. } => self.follow(steps),
            Work::Tries { .. } => self.attempt(steps),
        }
    }

    /// The token that comes next when so many are behind.
    fn token(&self, behind: usize) -> Option<&Token> {
        let tokens = &self.pattern.tokens;
        match self.side {
            Side::Prefix => tokens.get(behind),
            Side::Suffix => tokens.get(tokens.len().checked_sub(behind + 1)?),
        }
    }

    /// Notes that the token may come next at a distance, and the one behind a star as well.
    fn note(&mut self, mut behind: usize, distance: usize) {
        loop {
            let star = self.token(behind) == Some(&Token::AnyString);
            let Work::Ways { next, noted } = &mut self.work else {
                return;
            };
            let slot = distance % REACH;
            let Some(place) = noted.get_mut(behind * REACH + slot) else {
                return;
            };
            if *place == distance + 1 {
                return;
            }
            *place = distance + 1;
            if let Some(next) = next.get_mut(slot) {
                next.push(behind);
            }
            if !star {
                return;
            }
            behind += 1;
        }
    }

    /// The length of what a token takes at the current distance.
    fn taken(&self, token: &Token) -> Option<usize> {
        let options = self.pattern.options;
        match self.side {
            Side::Prefix => {
                let text = self.text.get(self.at..)?;
                match token {
                    Token::AnyString => Some(first_character(text).1).filter(|length| *length > 0),
                    token => one(options, token, text),
                }
            }
            Side::Suffix => {
                let text = self.text.get(..self.text.len() - self.at)?;
                let length = match token {
                    Token::Byte(_) => 1.min(text.len()),
                    _ => last_character(text),
                };
                let last = text.get(text.len() - length..).filter(|_| length > 0)?;
                match token {
                    Token::AnyString => Some(length),
                    token => one(options, token, last).filter(|taken| *taken == length),
                }
            }
        }
    }

    fn follow(&mut self, mut steps: usize) -> Progress {
        let all = self.pattern.tokens.len();
        let ends_in_star = all > 0 && self.token(all - 1) == Some(&Token::AnyString);
        loop {
            let Work::Ways { next, .. } = &mut self.work else {
                return Progress::Done(None);
            };
            let ways = next.get_mut(self.at % REACH).map(std::mem::take);
            let ways = ways.unwrap_or_default();
            if ways.contains(&all) {
                self.best = Some(self.at);
                if !self.longest {
                    return Progress::Done(self.best);
                }
                if ends_in_star {
                    return Progress::Done(Some(self.text.len()));
                }
            }
            for &behind in &ways {
                let token = self.token(behind);
                let Some((star, length)) =
                    token.and_then(|token| Some((*token == Token::AnyString, self.taken(token)?)))
                else {
                    continue;
                };
                self.note(behind + usize::from(!star), self.at + length);
            }
            let Work::Ways { next, .. } = &self.work else {
                return Progress::Done(None);
            };
            if next.iter().all(Vec::is_empty) {
                return Progress::Done(self.best);
            }
            self.at += 1;
            match steps.checked_sub(ways.len() + 1) {
                Some(left) => steps = left,
                None => return Progress::More,
            }
        }
    }

    fn attempt(&mut self, most: usize) -> Progress {
        let Work::Tries { steps } = &mut self.work else {
            return Progress::Done(None);
        };
        let begun = *steps;
        while self.at <= self.text.len() && *steps > 0 {
            let length = if self.longest {
                self.text.len() - self.at
            } else {
                self.at
            };
            self.at += 1;
            let part = match self.side {
                Side::Prefix => self.text.get(..length),
                Side::Suffix => self.text.get(self.text.len() - length..),
            };
            let mut matcher = Matcher {
                options: self.pattern.options,
                steps: *steps,
            };
            let found = matcher.matches(&self.pattern.tokens, part.unwrap_or_default());
            *steps = matcher.steps.min(steps.saturating_sub(1));
            if found {
                return Progress::Done(Some(length));
            }
            if (begun - *steps) as usize > most {
                return Progress::More;
            }
        }
        Progress::Done(None)
    }
}

/// The length of the last character; a byte that belongs to none is one.
fn last_character(text: &[u8]) -> usize {
    let fits = |length: &usize| {
        let tail = text
            .len()
            .checked_sub(*length)
            .and_then(|at| text.get(at..));
        tail.is_some_and(|tail| first_character(tail).1 == *length)
    };
    let whole = (2..REACH).find(fits);
    whole.unwrap_or(1).min(text.len())
}

/// The whole search at once, for texts that are known to be short.
#[cfg(test)]
pub(super) fn all(pattern: &Pattern, text: &[u8], side: Side, longest: bool) -> Option<usize> {
    let mut search = pattern.search(text, side, longest);
    loop {
        if let Progress::Done(found) = search.run(7) {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Options;
    use super::*;

    /// Every length, tried one after the other.
    fn tried(pattern: &Pattern, text: &[u8], side: Side, longest: bool) -> Option<usize> {
        let fits = |&length: &usize| match side {
            Side::Prefix => pattern.matches(&text[..length]),
            Side::Suffix => pattern.matches(&text[text.len() - length..]),
        };
        let mut lengths: Vec<usize> = (0..=text.len()).collect();
        if longest {
            lengths.reverse();
        }
        lengths.into_iter().find(fits)
    }

    #[test]
    fn a_long_text_takes_a_step_a_byte() {
        let text = vec![b'a'; 100_000];
        for (pattern, expected) in [("a*b", None), ("*", Some(100_000)), ("aaa", Some(3))] {
            let pattern = Pattern::from_bytes(pattern.as_bytes(), Options::default());
            let mut search = pattern.search(&text, Side::Prefix, true);
            assert_eq!(search.run(text.len() * 3), Progress::Done(expected));
        }
    }

    proptest! {
        #[test]
        fn every_length_tried_gives_the_same(
            pattern in "[ab*?ü\\[\\]!-]{0,8}",
            text in "[abü]{0,12}",
            suffix: bool,
            longest: bool,
        ) {
            let side = if suffix { Side::Suffix } else { Side::Prefix };
            let pattern = Pattern::from_bytes(pattern.as_bytes(), Options::default());
            let found = all(&pattern, text.as_bytes(), side, longest);
            // A part that ends within a character is none for a person, and both may differ there.
            let expected = tried(&pattern, text.as_bytes(), side, longest);
            let inside = |length: Option<usize>| length.is_some_and(|length| {
                let at = if suffix { text.len() - length } else { length };
                !text.is_char_boundary(at)
            });
            prop_assume!(!inside(expected));
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_search_ends(pattern: Vec<u8>, text: Vec<u8>, suffix: bool, longest: bool) {
            let side = if suffix { Side::Suffix } else { Side::Prefix };
            let options = Options { extended: true, ignore_case: true };
            all(&Pattern::from_bytes(&pattern, options), &text, side, longest);
        }
    }
}
