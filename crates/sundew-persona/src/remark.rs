//! Comments of configuration files: of Debian's own we know where they are and how long, not what they say.
//!
//! The data has a line `#%57` for a line of comment with 57 bytes, `;%57` and `//%57` for the like, and
//! `%%57` for a line of plain prose. Each becomes a line of that length in words of ours, so that `ls -l`,
//! `wc` and `grep -n` answer as they would on the real machine.

use std::sync::LazyLock;

/// Replaces the marks by lines of their lengths; all else is as it was.
pub(crate) fn fill(path: &[u8], text: &[u8]) -> Vec<u8> {
    if !text.windows(2).any(|pair| pair.ends_with(b"%")) {
        return text.to_vec();
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    // FNV-1a: another text for each file and line, the same on each machine.
    let mut state = path.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let (body, end) = match line.strip_suffix(b"\n") {
            Some(body) => (body, b"\n".as_slice()),
            None => (line, b"".as_slice()),
        };
        match mark(body) {
            Some((before, sign, len)) => {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(0x9e37_79b9_7f4a_7c15);
                out.extend_from_slice(before);
                out.extend(remark(sign, len, state >> 33));
            }
            None => out.extend_from_slice(body),
        }
        out.extend_from_slice(end);
    }
    out
}

/// Indentation, sign and length of a marked line.
fn mark(line: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let percent = line.iter().rposition(|&byte| byte == b'%')?;
    let digits = std::str::from_utf8(line.get(percent + 1..)?).ok()?;
    let len: usize = digits.parse().ok().filter(|&len| len <= MAX_LINE)?;
    let (before, sign) =
        line.split_at_checked(line.iter().position(|&b| b != b' ' && b != b'\t')?)?;
    let sign = sign.get(..percent.checked_sub(before.len())?)?;
    let known = !sign.is_empty()
        && (sign.iter().all(|byte| b"#;".contains(byte)) || sign == b"//" || sign == b"%");
    known.then_some((before, sign, len))
}

fn remark(sign: &[u8], len: usize, choice: u64) -> Vec<u8> {
    let mut line = if sign == b"%" {
        Vec::new()
    } else {
        sign.to_vec()
    };
    line.truncate(len);
    if !line.is_empty() && line.len() < len {
        line.push(b' ');
    }
    let rest = len - line.len();
    line.extend_from_slice(&prose(rest, choice));
    line
}

/// Sentences that are `len` bytes together; scraps only where sentences do not make it.
fn prose(len: usize, mut choice: u64) -> Vec<u8> {
    let (table, least) = if SENTENCES.get(len) == Some(&true) {
        (&SENTENCES, SENTENCE)
    } else {
        (&ANYTHING, 1)
    };
    let mut out: Vec<u8> = Vec::with_capacity(len);
    while out.len() < len {
        let blank = usize::from(!out.is_empty());
        let left = len - out.len() - blank;
        let fits = |phrase: &&&str| {
            phrase.len() >= least
                && (phrase.len() == left
                    || left
                        .checked_sub(phrase.len() + 1)
                        .is_some_and(|rest| table.get(rest) == Some(&true)))
        };
        // A sentence that ends the line, or one after which there is room for others.
        let some: Vec<_> = PHRASES.iter().filter(fits).collect();
        let at = usize::try_from(choice).unwrap_or(0) % some.len().max(1);
        let Some(phrase) = some.get(at) else {
            out.resize(len, b'-');
            break;
        };
        if blank == 1 {
            out.push(b' ');
        }
        out.extend_from_slice(phrase.as_bytes());
        choice = choice.wrapping_mul(31).wrapping_add(7) & 0x7fff_ffff;
    }
    out
}

/// Which lengths are the sum of sentences with a blank between them.
static SENTENCES: LazyLock<Vec<bool>> = LazyLock::new(|| sums(SENTENCE));

/// The same with scraps.
static ANYTHING: LazyLock<Vec<bool>> = LazyLock::new(|| sums(1));

fn sums(least: usize) -> Vec<bool> {
    let mut sums: Vec<bool> = Vec::with_capacity(MAX_LINE + 1);
    for len in 0..=MAX_LINE {
        let reached = PHRASES
            .iter()
            .filter(|phrase| phrase.len() >= least)
            .any(|phrase| {
                phrase.len() == len
                    || len
                        .checked_sub(phrase.len() + 1)
                        .is_some_and(|rest| sums.get(rest) == Some(&true))
            });
        sums.push(reached);
    }
    sums
}

/// Bytes of the longest line that is made.
const MAX_LINE: usize = 1024;

/// What is at least this long is a sentence.
const SENTENCE: usize = 12;

#[rustfmt::skip]
const PHRASES: &[&str] = &[
    "*", "--", "etc", "Note", "Also:", "Usage:", "Example", "Default:", "See below", "As needed.", "Local site",
    "Leave as is.", "Taken as is.", "May be empty.", "One per line.", "Use with care.", "Off by default.",
    "Read at startup.", "This is optional.", "Kept for upgrades.", "Change as required.", "Zero means no limit.",
    "Both forms are equal.", "Case does not matter.", "Order is significant.", "A sign turns it around.",
    "Blank lines are skipped.", "Names are looked up once.", "Relative paths do not work.",
    "The default should be fine.", "The first match decides it.", "Uncomment this to enable it.",
    "A later entry overrides this.", "Names are matched as written.", "Most systems do not need this.",
    "Numbers are counted in seconds.", "Values are separated by blanks.", "A higher number is more verbose.",
    "The manual page has the details.", "The old name still works here too.", "Wrong values are silently ignored.",
    "Changes apply to new sessions only.", "Some programs look at this at start.",
    "A missing file is not a mistake here.", "Only the administrator may edit this.",
    "This is what the installer has chosen.", "Everything after this sign is a remark.",
    "This affects everybody on this machine.", "All of these can be combined as desired.",
    "Remove the sign in front to activate it.", "Restart the service to make changes apply.",
    "Set it to no if you do not want that here.", "Lines that begin with this sign are ignored.",
    "Where nothing matches, the default is taken.", "An empty value switches the feature off again.",
    "Do not change this unless you know the reason.", "Old releases had a different default for this.",
    "Local changes survive the upgrade of the package.", "The same can be said on the command line instead.",
    "What is given here is used unless told otherwise.", "A site may have reasons of its own to change these.",
    "Further files are read in the order of their names.", "These are read from the top to the end of the file.",
    "Whoever needs more of them may add them at the end.", "It takes effect the next time the program is started.",
    "More than one of them may be given, one on each line.", "Settings of a single user take precedence over these.",
    "The value shown here is the one that was compiled in.", "This has been kept for the benefit of older programs.",
    "Please read the manual before you change any of these.",
    "The longest match wins, whatever its place in the list.",
    "The names of groups may be written in place of numbers.",
    "It has no effect on what has been set up by other means.",
    "Spaces before and after the sign of equality do no harm.",
    "Nothing else on this machine depends on the value of this.",
    "When in doubt, keep what the distribution has put in here.",
    "If nothing is set, the program decides for itself at start.",
    "Put changes of your own into a file of their own, not here.",
    "Some of these are explained at length in the documentation.",
    "A longer explanation can be found in the manual of the program.",
    "With more than one of them the last one is used by the program.",
    "It is safe to leave this alone unless something else asks for it.",
    "Whatever is not mentioned here is left at what was built into it.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_becomes_a_line_of_its_length_and_other_lines_stay() {
        let text = b"# kept\n#%57\n  ;%20\nPort 22\n//%33\n%%40\n\n#%3\n100%5\n%7";
        let filled = fill(b"/etc/x", text);
        let lines: Vec<&[u8]> = filled.split(|&byte| byte == b'\n').collect();
        let lens: Vec<usize> = lines.iter().map(|line| line.len()).collect();
        assert_eq!(lens, [6, 57, 22, 7, 33, 40, 0, 3, 5, 2]);
        assert!(lines[1].starts_with(b"# ") && lines[2].starts_with(b"  ; "));
        assert!(lines[4].starts_with(b"// ") && lines[5][0].is_ascii_uppercase());
        assert_eq!(
            (lines[8], lines[9]),
            (b"100%5".as_slice(), b"%7".as_slice())
        );
    }

    #[test]
    fn every_length_can_be_filled_with_words() {
        for len in 1..200 {
            let line = prose(len, 7 * len as u64);
            assert_eq!(line.len(), len);
            assert!(len < 4 || !line.ends_with(b"---"), "{len}");
        }
    }
}
