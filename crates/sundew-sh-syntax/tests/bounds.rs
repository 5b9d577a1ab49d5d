//! Hostile texts: depth, time and memory stay within the named limits.

use sundew_sh_syntax::limit::MAX_DEPTH;
use sundew_sh_syntax::{Dialect, ErrorKind, Options, Outcome, Parser, arithmetic, fuzz};

/// What opens a level of nesting, and what closes it.
const NESTS: [(&str, &str); 22] = [
    ("( ", ")"),
    ("(", ")"),
    ("{ ", ";}"),
    ("$(", ")"),
    ("$((", "))"),
    ("((", "))"),
    ("\"$(", ")\""),
    ("${a:-", "}"),
    ("\"${a:-", "}\""),
    ("${a[", "]}"),
    ("${a/", "}"),
    ("a=(", ")"),
    ("a[", "]"),
    ("`", "`"),
    ("<(", ")"),
    ("if ", ";then a;fi"),
    ("while ", ";do a;done"),
    ("case x in a) ", ";;esac"),
    ("[[ ( ", " ) ]]"),
    ("[[ ! ", " ]]"),
    ("f() ", ""),
    ("$[", "]"),
];

fn outcome(text: &[u8], dialect: Dialect) -> (Outcome, u64) {
    let options = Options {
        dialect,
        ..Options::default()
    };
    let mut parser = Parser::new(text, &options);
    let outcome = parser.next_command();
    (outcome, parser.work())
}

#[test]
fn sixteen_kilobytes_of_any_nesting_end_in_bounded_work() {
    for (open, close) in NESTS {
        for tail in ["", "x", "x )"] {
            let count = 16 * 1024 / (open.len() + close.len()).max(1);
            let texts = [
                format!("{}{tail}", open.repeat(count)),
                format!("{}{tail}{}", open.repeat(count), close.repeat(count)),
            ];
            for text in texts {
                for dialect in [Dialect::Bash, Dialect::Dash, Dialect::Ash] {
                    let (_, work) = outcome(text.as_bytes(), dialect);
                    let bound = 12 * text.len() as u64 + 4096;
                    assert!(
                        work <= bound,
                        "{open:?} {tail:?} {dialect:?}: {work} of {bound}"
                    );
                }
            }
        }
    }
}

#[test]
fn nesting_up_to_the_limit_fits_a_two_mebibyte_stack_and_beyond_it_is_an_error() {
    for (open, close) in NESTS {
        for count in [
            MAX_DEPTH as usize / 3,
            MAX_DEPTH as usize - 2,
            MAX_DEPTH as usize + 2,
            5000,
        ] {
            let text = format!("{}x{}", open.repeat(count), close.repeat(count));
            let (outcome, _) = outcome(text.as_bytes(), Dialect::Bash);
            drop(outcome);
        }
    }
    let text = format!("{}x{}", "( ".repeat(300), ")".repeat(300));
    let (Outcome::Error(error), _) = outcome(text.as_bytes(), Dialect::Bash) else {
        panic!("not an error")
    };
    assert_eq!(error.kind, ErrorKind::TooDeep);
}

#[test]
fn mixed_nesting_fits_the_stack_too() {
    let mixed = "{ if ( while \"$(a=(${b:-$(case x in x) [[ ( ";
    for count in [10, 20, 40, 400] {
        fuzz::parse(mixed.repeat(count).as_bytes());
    }
}

#[test]
fn work_grows_in_proportion_to_the_text() {
    let pieces: [&str; 16] = [
        "a b c; ",
        "((a) ; (b)); ",
        "$(( (a) ; (b) )",
        "cat <<A <<B\n",
        "cat <<A\n$(cat <<B\nA\n",
        "echo $((1)) $((a) ) ",
        "\"a\\\"",
        "a=(b c) ",
        "x\\\n",
        "[[ a && ",
        "a[b]=c ",
        "${a#${b}",
        "a|",
        "\\",
        "for ((;;)",
        "#\n",
    ];
    for piece in pieces {
        let small = outcome(piece.repeat(1000).as_bytes(), Dialect::Bash).1;
        let large = outcome(piece.repeat(10_000).as_bytes(), Dialect::Bash).1;
        assert!(
            large <= 12 * small + 65_536,
            "{piece:?}: {small} then {large}"
        );
        assert!(
            large <= 24 * 10_000 * piece.len() as u64,
            "{piece:?}: {large}"
        );
    }
}

#[test]
fn long_chains_drop_without_recursion() {
    for piece in [
        "a && ", "a || ", "a | ", "a; ", "a & ", "! ", "time ", "a\n",
    ] {
        let text = format!("{}a", piece.repeat(100_000));
        drop(outcome(text.as_bytes(), Dialect::Bash));
    }
    for piece in ["a && ", "a || ", "! a && "] {
        let text = format!("[[ {}a ]]", piece.repeat(100_000));
        drop(outcome(text.as_bytes(), Dialect::Bash));
    }
    let elif = format!("if a; then b; {} fi", "elif a; then b; ".repeat(20_000));
    let (Outcome::Error(error), _) = outcome(elif.as_bytes(), Dialect::Bash) else {
        panic!("not an error")
    };
    assert_eq!(error.kind, ErrorKind::TooDeep);
}

#[test]
fn arithmetic_of_any_shape_is_bounded() {
    for piece in [
        "(", "-", "a+", "1?", "1?1:", "a=", "2**", "a[", "!", "a,", "++", "1-", "a&&",
    ] {
        for count in [10, 60, 100, 3000, 100_000] {
            let text = format!("{}1", piece.repeat(count));
            drop(arithmetic::parse(text.as_bytes()));
        }
    }
}
