//! What the real one does, asked of ours.

use proptest::prelude::*;

use super::*;

fn span(pattern: &str, syntax: Syntax, subject: &str) -> Option<(usize, usize)> {
    let regex = Regex::new(pattern.as_bytes(), syntax, Flags::default()).unwrap();
    regex
        .find(subject.as_bytes(), 0, false)
        .map(|groups| (groups.start(), groups.end()))
}

#[test]
fn the_leftmost_longest_match_is_found() {
    use Syntax::{Basic, Egrep, Extended, Grep};
    for (pattern, syntax, subject, expected) in [
        ("a|ab|abc", Extended, "xabcd", Some((1, 4))),
        ("x*", Extended, "aaa", Some((0, 0))),
        ("(a|ab)(c|bcd)(d*)", Extended, "abcd", Some((0, 4))),
        ("a\\+b", Basic, "caab", Some((1, 4))),
        ("a+b", Basic, "caab a+b", Some((5, 8))),
        ("*a", Basic, "x*a", Some((1, 3))),
        ("\\(*a\\)", Basic, "x*a", Some((1, 3))),
        ("^*a", Basic, "*a", Some((0, 2))),
        ("a^b", Basic, "a^b", Some((0, 3))),
        ("a$b", Basic, "a$b", Some((0, 3))),
        ("\\(^a\\)", Basic, "ba", None),
        ("a\\{2,3\\}", Basic, "aaaa", Some((0, 3))),
        ("a{,2}", Extended, "aaaa", Some((0, 2))),
        ("\\(.\\)\\1", Basic, "abccd", Some((2, 4))),
        ("(a*)*\\1", Extended, "aaaa", Some((0, 4))),
        ("\\<b\\w*\\>", Basic, "abc bcd", Some((4, 7))),
        ("[[:digit:]]+", Extended, "ab123c", Some((2, 5))),
        ("[]a]*", Extended, "]a]b", Some((0, 3))),
        ("[^]a]", Extended, "]ab", Some((2, 3))),
        ("[a-]", Extended, "-", Some((0, 1))),
        (".", Extended, "ü", Some((0, 2))),
        ("^.$", Extended, "ü", Some((0, 2))),
        ("[ä-ü]", Extended, "xö", Some((1, 3))),
        ("a{1", Egrep, "a{1", Some((0, 3))),
        ("*a", Egrep, "xa", Some((1, 2))),
        ("a)", Egrep, "a)", Some((0, 2))),
        ("a\nb", Grep, "xb", Some((1, 2))),
        ("a||b", Extended, "b", Some((0, 1))),
        ("()", Extended, "b", Some((0, 0))),
        ("(^|x)a", Extended, "xa", Some((0, 2))),
        ("a\\|b", Basic, "b", Some((0, 1))),
        ("\\.", Basic, "a.", Some((1, 2))),
        ("a\\/b", Basic, "a/b", Some((0, 3))),
        ("(b$|c)d*", Extended, "b", Some((0, 1))),
    ] {
        assert_eq!(
            span(pattern, syntax, subject),
            expected,
            "{pattern} in {subject}"
        );
    }
}

#[test]
fn errors_are_those_of_glibc() {
    use Syntax::{Awk, Basic, Egrep, Extended, Grep};
    for (pattern, syntax, expected) in [
        ("[", Basic, Error::BadPattern),
        ("[a", Basic, Error::Bracket),
        ("[a-", Basic, Error::Bracket),
        ("[[:al", Basic, Error::Bracket),
        ("[[:foo:]]", Basic, Error::ClassName),
        ("[[=ab=]]", Basic, Error::Collation),
        ("[z-a]", Basic, Error::Range),
        ("[a-z-9]", Basic, Error::Range),
        ("a\\", Basic, Error::TrailingBackslash),
        ("\\(", Basic, Error::Parenthesis),
        ("\\)", Basic, Error::ClosingParenthesis),
        ("\\)", Grep, Error::ClosingParenthesis),
        ("(a", Extended, Error::Parenthesis),
        ("a)", Extended, Error::ClosingParenthesis),
        ("*a", Extended, Error::Repetition),
        ("a|*b", Extended, Error::Repetition),
        ("\\{1\\}", Basic, Error::Repetition),
        ("a{2,1}", Egrep, Error::BraceContent),
        ("a{1", Extended, Error::Brace),
        ("a\\{99999\\}", Basic, Error::TooBig),
        ("\\1", Basic, Error::BackReference),
        ("*a", Awk, Error::Repetition),
        ("((a{1000}){1000}){1000}", Extended, Error::Memory),
    ] {
        let result = Regex::new(pattern.as_bytes(), syntax, Flags::default());
        assert_eq!(result.err(), Some(expected), "{pattern}");
    }
}

#[test]
fn groups_are_byte_offsets() {
    let regex = Regex::new(b"(b+)(x)?", Syntax::Extended, Flags::default()).unwrap();
    let groups = regex.find(b"abbc", 0, false).unwrap();
    assert_eq!(
        (groups.span(0), groups.span(1), groups.span(2)),
        (Some((1, 3)), Some((1, 3)), None)
    );
    assert_eq!(regex.group_count(), 2);
}

#[test]
fn flags_change_what_matches() {
    let folded = Flags {
        ignore_case: true,
        newline: false,
    };
    for (pattern, subject) in [
        ("hello", "HeLLo"),
        ("[a-c]x", "BX"),
        ("ÜBER", "über"),
        ("[[:upper:]]", "a"),
    ] {
        assert!(
            Regex::new(pattern.as_bytes(), Syntax::Basic, folded)
                .unwrap()
                .is_match(subject.as_bytes()),
            "{pattern}"
        );
    }
    let lines = Flags {
        ignore_case: false,
        newline: true,
    };
    let regex = Regex::new(b"^b.$", Syntax::Basic, lines).unwrap();
    assert_eq!(
        regex
            .find(b"a\nbc\nd", 0, false)
            .map(|groups| groups.start()),
        Some(2)
    );
    let regex = Regex::new(b"^a", Syntax::Basic, Flags::default()).unwrap();
    assert_eq!(regex.find(b"aa", 1, false), None);
    assert_eq!(regex.find(b"aa", 0, true), None);
}

#[test]
fn nasty_patterns_end() {
    let subject = "a".repeat(3000);
    for pattern in [
        "(a*)*b",
        "(a|a)*b",
        "(a*)*\\1b",
        "((a*)*)*b",
        "(a|aa)+$b",
        ".*.*.*.*b",
        "(.*)(.*)(.*)\\3\\2\\1b",
    ] {
        let regex = Regex::new(pattern.as_bytes(), Syntax::Extended, Flags::default()).unwrap();
        assert!(!regex.is_match(subject.as_bytes()), "{pattern}");
    }
    for pattern in [
        "(".repeat(100_000),
        "a".to_owned() + &"{0,3}".repeat(100_000),
        "*".repeat(100_000),
        "a".repeat(1_000_000),
    ] {
        assert!(Regex::new(pattern.as_bytes(), Syntax::Extended, Flags::default()).is_err());
    }
    assert!(
        Regex::new(
            ("a".to_owned() + &"*+?".repeat(100_000)).as_bytes(),
            Syntax::Extended,
            Flags::default()
        )
        .is_ok()
    );
}

proptest! {
    #[test]
    fn any_pattern_on_any_bytes_ends(data in proptest::collection::vec(any::<u8>(), 0..80)) {
        fuzz(&data);
    }

    #[test]
    fn any_plausible_pattern_ends(choice: u8, pattern in "[ab(){}|*+?\\\\^$.0-3,\\[\\]:-]{0,24}", subject in "[ab\n]{0,40}") {
        fuzz(&[&[choice], pattern.as_bytes(), &[0], subject.as_bytes()].concat());
    }

    #[test]
    fn literal_text_matches_itself(text in proptest::collection::vec(any::<u8>(), 0..60)) {
        let regex = Regex::literal(&text, Flags::default()).unwrap();
        let groups = regex.find(&text, 0, false).unwrap();
        prop_assert_eq!((groups.start(), groups.end()), (0, text.len()));
    }

    #[test]
    fn the_end_is_the_furthest_that_one_could_reach(subject in "[ab]{0,12}") {
        // `(a|ab)(b|ba|a)*` by hand: the longest of all prefixes that match as a whole.
        let whole = Regex::new(b"^(a|ab)(b|ba|a)*$", Syntax::Extended, Flags::default()).unwrap();
        let prefix = Regex::new(b"^(a|ab)(b|ba|a)*", Syntax::Extended, Flags::default()).unwrap();
        let longest = (0..=subject.len()).rev().find(|&end| whole.is_match(&subject.as_bytes()[..end]));
        prop_assert_eq!(prefix.find(subject.as_bytes(), 0, false).map(|groups| groups.end()), longest);
    }
}
