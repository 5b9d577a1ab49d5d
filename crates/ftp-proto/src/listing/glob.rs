//! Patterns for names, as clients send them to NLST for `mget *.txt`.
//!
//! `*`, `?` and `[...]` within one name; no braces, no recursion: those are what made patterns a way
//! to keep a server busy (CVE-2010-2632, CVE-2011-0418, CVE-2011-0762). Matching takes at most the
//! product of both lengths.

/// Whether a name is a pattern at all.
#[must_use]
pub fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Whether a name fits a pattern; one that begins with a dot only if the pattern does.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.starts_with(b".") && !pattern.starts_with(b".") {
        return false;
    }
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on if what follows the last star does not fit: one byte later.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (pattern.split_first(), name.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, name));
                pattern = rest;
                continue;
            }
            (None, None) => return true,
            (Some(_), Some((&byte, behind))) => one(pattern, byte).map(|rest| (rest, behind)),
            (None, Some(_)) | (Some(_), None) => None,
        };
        (pattern, name) = match (step, retry) {
            (Some(step), _) => step,
            (None, Some((rest, [_, behind @ ..]))) => {
                retry = Some((rest, behind));
                (rest, behind)
            }
            (None, _) => return false,
        };
    }
}

/// What is left of the pattern if its first element fits the byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (&first, rest) = pattern.split_first()?;
    match first {
        b'?' => Some(rest),
        b'[' => match class(rest, byte) {
            Some((fits, rest)) => fits.then_some(rest),
            // Without its end it is an ordinary byte.
            None => (byte == b'[').then_some(rest),
        },
        b'\\' => match rest.split_first() {
            Some((&quoted, rest)) => (quoted == byte).then_some(rest),
            None => (byte == b'\\').then_some(rest),
        },
        other => (other == byte).then_some(rest),
    }
}

/// Whether a byte is in the class that begins here, and what stands behind it.
fn class(text: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (is_not, mut text) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        text => (false, text),
    };
    let mut found = false;
    let mut is_first = true;
    loop {
        text = match text {
            [b']', rest @ ..] if !is_first => return Some((found != is_not, rest)),
            [low, b'-', high, rest @ ..] if *high != b']' => {
                found |= (*low..=*high).contains(&byte);
                rest
            }
            [one, rest @ ..] => {
                found |= *one == byte;
                rest
            }
            [] => return None,
        };
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_fit_as_a_shell_has_them() {
        for (pattern, name, fits) in [
            ("*", "a", true),
            ("*", ".a", false),
            (".*", ".a", true),
            ("*.txt", "a.b.txt", true),
            ("*.txt", "a.txt.c", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*b*", "xxaxxbxx", true),
            ("", "", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = b"*a".repeat(1000);
        let name = vec![b'a'; 255];
        assert!(!matches(&pattern, &name));
        assert!(!matches(&[&b"*a".repeat(100)[..], b"b"].concat(), &name));
    }

    proptest! {
        #[test]
        fn a_name_without_specials_fits_itself_alone(name in "[a-z]{1,8}", other in "[a-z]{1,8}") {
            prop_assert!(matches(name.as_bytes(), name.as_bytes()));
            prop_assert_eq!(matches(name.as_bytes(), other.as_bytes()), name == other);
        }

        #[test]
        fn foreign_patterns_are_read_without_panic(pattern in "[*?a\\[\\]!\\\\-]{0,12}", name in "[a\\]*-]{0,12}") {
            let fits = matches(pattern.as_bytes(), name.as_bytes());
            prop_assert!(!fits || !pattern.is_empty() || name.is_empty());
        }
    }
}
