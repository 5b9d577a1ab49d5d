//! `--transform`: names of members changed by sed's `s` command.

use sundew_posix::regex::{Flags, Groups, Regex, Syntax};

/// Most names that one expression is applied to within a name, so that `g` ends.
const MAX_MATCHES: usize = 4096;

/// A letter case that a replacement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Group(usize),
    /// From here on, until `\E`.
    Case(Option<Case>),
    /// Of the next letter only.
    Next(Case),
}

/// One `s/REGEX/REPLACEMENT/FLAGS`.
#[derive(Debug)]
pub(super) struct Rename {
    regex: Regex,
    parts: Vec<Part>,
    all: bool,
    number: usize,
    /// Whether it applies to members' names, and to targets of links.
    names: bool,
    links: bool,
}

impl Rename {
    /// Reads a list of expressions with `;` between them; `None` if one is none.
    pub(super) fn parse(text: &[u8]) -> Option<Vec<Self>> {
        let mut out = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (one, after) = Self::one(rest)?;
            out.push(one);
            rest = after;
        }
        Some(out)
    }

    fn one(text: &[u8]) -> Option<(Self, &[u8])> {
        let (&delimiter, rest) = text.strip_prefix(b"s")?.split_first()?;
        let (pattern, rest) = section(rest, delimiter)?;
        let (replacement, mut rest) = section(rest, delimiter)?;
        let (mut all, mut number, mut syntax) = (false, 0usize, Syntax::Basic);
        let mut flags = Flags::default();
        let (mut names, mut links) = (true, true);
        while let Some((&flag, after)) = rest.split_first() {
            rest = after;
            match flag {
                b'g' => all = true,
                b'i' => flags.ignore_case = true,
                b'x' => syntax = Syntax::Extended,
                b'0'..=b'9' => number = (number * 10 + usize::from(flag - b'0')).min(MAX_MATCHES),
                b'r' => names = true,
                b'R' => names = false,
                b's' | b'h' => links = true,
                b'S' | b'H' => links = false,
                b';' => break,
                _ => return None,
            }
        }
        let one = Self {
            regex: Regex::new(&pattern, syntax, flags).ok()?,
            parts: parts(&replacement),
            all,
            number: number.max(1),
            names,
            links,
        };
        Some((one, rest))
    }

    fn apply(&self, name: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let (mut at, mut count) = (0, 0);
        while count < MAX_MATCHES
            && let Some(found) = self.regex.find(name, at, at > 0)
        {
            count += 1;
            out.extend_from_slice(name.get(at..found.start()).unwrap_or_default());
            let wanted = count == self.number || (self.all && count > self.number);
            if wanted {
                self.replacement(&found, name, &mut out);
            } else {
                out.extend_from_slice(name.get(found.start()..found.end()).unwrap_or_default());
            }
            at = found.end();
            if found.start() == found.end() {
                out.extend(name.get(at));
                at += 1;
            }
            if at > name.len() || (count >= self.number && !self.all) {
                break;
            }
        }
        out.extend_from_slice(name.get(at..).unwrap_or_default());
        out
    }

    fn replacement(&self, found: &Groups, name: &[u8], out: &mut Vec<u8>) {
        let (mut case, mut next) = (None, None);
        for part in &self.parts {
            let mut text = match part {
                Part::Text(text) => text.clone(),
                Part::Group(group) => found.bytes(*group, name).unwrap_or_default().to_vec(),
                Part::Case(new) => {
                    case = *new;
                    continue;
                }
                Part::Next(new) => {
                    next = Some(*new);
                    continue;
                }
            };
            match case {
                Some(Case::Upper) => text.make_ascii_uppercase(),
                Some(Case::Lower) => text.make_ascii_lowercase(),
                None => {}
            }
            if let Some(first) = text.first_mut()
                && let Some(case) = next.take()
            {
                match case {
                    Case::Upper => first.make_ascii_uppercase(),
                    Case::Lower => first.make_ascii_lowercase(),
                }
            }
            out.extend_from_slice(&text);
        }
    }
}

/// Up to the delimiter, which a backslash makes a plain letter, and what stands behind it.
fn section(text: &[u8], delimiter: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        if byte == delimiter {
            return Some((out, rest));
        }
        if byte == b'\\'
            && let Some((&next, after)) = rest.split_first()
        {
            rest = after;
            if next != delimiter {
                out.push(b'\\');
            }
            out.push(next);
            continue;
        }
        out.push(byte);
    }
}

fn parts(text: &[u8]) -> Vec<Part> {
    let mut out = Vec::new();
    let mut plain = Vec::new();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let part = match byte {
            b'&' => Part::Group(0),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => Part::Group(usize::from(digit - b'0')),
                Some(b'U') => Part::Case(Some(Case::Upper)),
                Some(b'L') => Part::Case(Some(Case::Lower)),
                Some(b'E') => Part::Case(None),
                Some(b'u') => Part::Next(Case::Upper),
                Some(b'l') => Part::Next(Case::Lower),
                Some(b'n') => Part::Text(b"\n".to_vec()),
                Some(other) => {
                    plain.push(other);
                    continue;
                }
                None => {
                    plain.push(b'\\');
                    continue;
                }
            },
            byte => {
                plain.push(byte);
                continue;
            }
        };
        if !plain.is_empty() {
            out.push(Part::Text(std::mem::take(&mut plain)));
        }
        out.push(part);
    }
    if !plain.is_empty() {
        out.push(Part::Text(plain));
    }
    out
}

/// A member's name as all expressions leave it.
pub(super) fn name(renames: &[Rename], name: &[u8]) -> Vec<u8> {
    let wanted = renames.iter().filter(|one| one.names);
    wanted.fold(name.to_vec(), |name, one| one.apply(&name))
}

/// A link's target as all expressions leave it.
pub(super) fn link(renames: &[Rename], target: &[u8]) -> Vec<u8> {
    let wanted = renames.iter().filter(|one| one.links);
    wanted.fold(target.to_vec(), |name, one| one.apply(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_changed_as_sed_changes_them() {
        for (expression, before, after) in [
            ("s/^d/e/", "d/a", "e/a"),
            ("s,d/,x/,;s/a/b/", "d/a", "x/b"),
            ("s/a/b/g", "a/a/a", "b/b/b"),
            ("s/a/b/2", "a/a/a", "a/b/a"),
            ("s/\\(.*\\)/\\U\\1/", "ab", "AB"),
            ("s/(a)(b)/\\2\\1/x", "ab", "ba"),
            ("s/.*/\\u&/", "ab", "Ab"),
        ] {
            let renames = Rename::parse(expression.as_bytes()).unwrap();
            assert_eq!(name(&renames, before.as_bytes()), after.as_bytes());
        }
        assert!(Rename::parse(b"x/a/b/").is_none());
        assert!(Rename::parse(b"s/a/b").is_none());
    }
}
