//! What the editor makes of the matches: the text they share, quoted as the word is, and the list.

use std::collections::BTreeSet;

use super::word::Word;
use super::{Kind, Match};
use crate::readline::editor::{Completion, Shown};

/// Makes of the matches what the editor needs.
pub(super) fn finish(word: &Word, matches: BTreeSet<Match>, kind: Kind) -> Completion {
    let common = common_prefix(&matches);
    let suffix = match matches.first() {
        Some(only) if matches.len() == 1 => suffix(word, only),
        _ => Vec::new(),
    };
    let quoted = |text: &[u8]| {
        let slash = text.iter().rposition(|&byte| byte == b'/');
        match slash.filter(|_| word.quote.is_none() && text.starts_with(b"$")) {
            _ if kind == Kind::Variable => text.to_vec(),
            // The variable that stands for the directory stays one.
            Some(slash) => {
                let (directory, name) = text.split_at(slash + 1);
                [directory, &quote(name, None)].concat()
            }
            None => quote(text, word.quote),
        }
    };
    let shown = matches.iter().map(|found| {
        let body = found.word.strip_suffix(b"/").unwrap_or(&found.word);
        let start = body.iter().rposition(|&byte| byte == b'/');
        let last = found
            .word
            .get(start.map_or(0, |at| at + 1)..)
            .unwrap_or(&found.word);
        match kind {
            Kind::File => Shown {
                name: last.to_vec(),
                directory: found.directory,
                sign: found.sign,
            },
            Kind::Command | Kind::Variable => Shown {
                name: found.word.clone(),
                directory: false,
                sign: None,
            },
        }
    });
    Completion {
        start: word.start,
        common: quoted(&common),
        suffix,
        shown: shown.collect(),
        quoted: matches.iter().map(|found| quoted(&found.word)).collect(),
    }
}

/// The same for BusyBox, which closes no quotes.
pub(super) fn finish_plainly(word: &Word, matches: BTreeSet<Match>, kind: Kind) -> Completion {
    let plain = Word {
        quote: None,
        text: word.text.clone(),
        ..*word
    };
    let mut completion = finish(&plain, matches, kind);
    completion.start = word.start;
    completion
}

/// Characters for which bash quotes a file's name.
const QUOTED: &[u8] = b" \t\n\\\"'@<>=;|&()#$`?*[!:{~";

/// What follows the only match.
pub(super) fn suffix(word: &Word, only: &Match) -> Vec<u8> {
    match word.quote {
        _ if word.backquoted => Vec::new(),
        // What had to be quoted is closed.
        Some(quote) if only.directory && only.word.iter().any(|byte| QUOTED.contains(byte)) => {
            vec![quote, b'/']
        }
        _ if only.directory && only.link && only.word != word.text => Vec::new(),
        _ if only.directory => b"/".to_vec(),
        Some(quote) => vec![quote, b' '],
        None => b" ".to_vec(),
    }
}

pub(super) fn common_prefix(matches: &BTreeSet<Match>) -> Vec<u8> {
    // In a sorted set the first and the last differ earliest.
    let (Some(first), Some(last)) = (matches.first(), matches.last()) else {
        return Vec::new();
    };
    let mut len = first
        .word
        .iter()
        .zip(&last.word)
        .take_while(|(one, other)| one == other)
        .count();
    while len > 0
        && len < first.word.len()
        && first
            .word
            .get(len)
            .is_some_and(|byte| (0x80..0xc0).contains(byte))
    {
        len -= 1;
    }
    first.word.get(..len).unwrap_or_default().to_vec()
}

/// Quotes what the shell would not take as it is.
pub(super) fn quote(text: &[u8], open: Option<u8>) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for (index, &byte) in text.iter().enumerate() {
        let special = match open {
            Some(b'\'') => {
                if byte == b'\'' {
                    quoted.extend_from_slice(b"'\\'");
                }
                false
            }
            Some(_) => matches!(byte, b'"' | b'$' | b'`' | b'\\'),
            None => {
                matches!(
                    byte,
                    b' ' | b'\t'
                        | b'\n'
                        | b'\\'
                        | b'"'
                        | b'\''
                        | b'|'
                        | b'&'
                        | b';'
                        | b'('
                        | b')'
                        | b'<'
                        | b'>'
                        | b'!'
                        | b'{'
                        | b'}'
                        | b'*'
                        | b'['
                        | b'?'
                        | b']'
                        | b'^'
                        | b'$'
                        | b'`'
                        | b'@'
                        | b'='
                        | b':'
                        | b','
                ) && !matches!(byte, b'@' | b'=' | b':')
                    || (byte == b'#' && index == 0)
            }
        };
        if special {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::word::word_at_end;
    use super::*;

    #[test]
    fn names_are_quoted_as_the_word_is() {
        assert_eq!(quote(b"it's a", None), b"it\\'s\\ a");
        assert_eq!(quote(b"b$x a", Some(b'"')), b"b\\$x a");
        assert_eq!(quote(b"beta file", Some(b'\'')), b"beta file");
    }

    #[test]
    fn one_match_gets_its_suffix() {
        let word = word_at_end(b"ls s");
        let one = BTreeSet::from([Match {
            word: b"sub".to_vec(),
            directory: true,
            link: false,
            sign: None,
        }]);
        let completion = finish(&word, one, Kind::File);
        assert_eq!(
            (completion.common.as_slice(), completion.suffix.as_slice()),
            (b"sub".as_slice(), b"/".as_slice())
        );
    }
}
