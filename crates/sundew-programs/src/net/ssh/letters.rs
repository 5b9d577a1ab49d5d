//! Option words as OpenSSH's programs read them: letters in clusters, the last with its argument in the
//! same word or the next.

/// The options of one word, with their arguments.
pub(crate) type Letters = Vec<(u8, Option<Vec<u8>>)>;

/// Which letters a program knows.
pub(crate) struct Alphabet {
    /// Those that take an argument.
    pub(crate) with_value: &'static [u8],
    /// Those that stand for themselves.
    pub(crate) alone: &'static [u8],
}

impl Alphabet {
    /// Reads the letters of a word (without its `-`); an argument may be the next of `words`. The
    /// complaint is the line that goes before the usage.
    pub(crate) fn read<'a>(
        &self,
        letters: &[u8],
        words: &mut impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<Letters, String> {
        let mut read = Vec::new();
        for (at, &letter) in letters.iter().enumerate() {
            let shown = char::from(letter);
            if self.with_value.contains(&letter) {
                let rest = letters.get(at + 1..).unwrap_or_default();
                let value = if rest.is_empty() {
                    words.next().cloned()
                } else {
                    Some(rest.to_vec())
                };
                let value =
                    value.ok_or_else(|| format!("option requires an argument -- {shown}\r\n"))?;
                read.push((letter, Some(value)));
                break;
            }
            if !self.alone.contains(&letter) {
                return Err(format!("unknown option -- {shown}\r\n"));
            }
            read.push((letter, None));
        }
        Ok(read)
    }
}

/// What scp and sftp hand on to the ssh they start, of one option of theirs.
pub(crate) fn handed_on(letter: u8, value: Option<&[u8]>) -> Vec<Vec<u8>> {
    match (letter, value) {
        (b'c' | b'i' | b'F' | b'J' | b'o', Some(value)) => {
            vec![vec![b'-', letter], value.to_vec()]
        }
        (b'4' | b'6' | b'A' | b'C' | b'q' | b'v', None) => vec![vec![b'-', letter]],
        _ => Vec::new(),
    }
}
