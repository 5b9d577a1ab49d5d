//! `--transform`: names of members changed by sed's `s` command.

use sundew_posix::regex::{Flags, Regex, Syntax};

use crate::replacement::{Part, expand, parts};

/// Most names that one expression is applied to within a name, so that `g` ends.
const MAX_MATCHES: usize = 4096;
/// Longest name that is made, in bytes; paths end at 4096.
const MAX_NAME_BYTES: usize = 64 * 1024;

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
            parts: parts(&newlines(&replacement)),
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
                // A name that becomes too long for anything stays as it is.
                if expand(&self.parts, &found, name, &mut out).is_err()
                    || out.len() > MAX_NAME_BYTES
                {
                    return name.to_vec();
                }
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

/// `\n` is a newline.
fn newlines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, rest.split_first()) {
            (b'\\', Some((&next, after))) => {
                rest = after;
                match next {
                    b'n' => out.push(b'\n'),
                    next => out.extend([b'\\', next]),
                }
            }
            _ => out.push(byte),
        }
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
