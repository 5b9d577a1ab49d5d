//! Brace expansion and arithmetic errors, compared with bash's.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use sundew_sh_syntax::arithmetic::{self, BinaryOperator, Expression, UnaryOperator};
use sundew_sh_syntax::ast::{CommandKind, Part, Word};
use sundew_sh_syntax::{Options, Outcome, Parser, braces, unparse};

fn words(text: &str) -> Vec<Word> {
    // As an argument: in front of a command, `a={b,c}` would be an assignment.
    let text = format!("for i in {text}; do a; done");
    let Outcome::Command(line) = Parser::new(text.as_bytes(), &Options::default()).next_command()
    else {
        panic!("{text}")
    };
    let CommandKind::For(command) = &line.list.items[0].and_or.first.commands[0].kind else {
        panic!("{text}")
    };
    command.words.clone().expect("words")
}

fn expanded(text: &str) -> Vec<String> {
    let words = words(text);
    let expanded = words.iter().flat_map(braces::expand);
    expanded
        .map(|word| String::from_utf8_lossy(&unparse::word(&word)).into_owned())
        .collect()
}

#[test]
fn braces_expand_as_in_bash() {
    for line in include_str!("corpus/braces.txt").lines().skip(1) {
        let mut fields = line.split('\t');
        let word = fields.next().unwrap_or_default();
        let expected: Vec<_> = fields.collect();
        let mut found = expanded(word);
        // The shell drops the empty ones later.
        found.retain(|word| !word.is_empty());
        assert_eq!(found, expected, "{word}");
    }
}

#[test]
fn quotes_hide_braces_and_stay() {
    assert_eq!(expanded("\"{a,b}\""), ["\"{a,b}\""]);
    assert_eq!(expanded("{\"a,b\",c}$x"), ["\"a,b\"$x", "c$x"]);
    assert_eq!(expanded("\\{a,b}"), ["\\{a,b}"]);
    assert_eq!(expanded("${x}{a,b}"), ["${x}a", "${x}b"]);
}

#[test]
fn the_words_of_braces_are_made_as_they_are_asked_for() {
    let mut last = None;
    for text in [
        "{a,b}".repeat(100),
        "{1..2000000000}{1..2000000000}{1..9}".into(),
    ] {
        let word = &words(&text)[0];
        let mut all = braces::expand(word);
        assert_eq!(all.left(), u64::MAX);
        let found = all.by_ref().take(3).collect::<Vec<_>>();
        assert_eq!(all.left(), u64::MAX - 3);
        last = found.last().map(unparse::word);
    }
    assert_eq!(last.as_deref(), Some(b"113".as_slice()));
    assert_eq!(expanded("{1..100000}{a,b}").len(), 200_000);
    assert_eq!(expanded("{1..2147483647}x"), ["{1..2147483647}x"]);
    let nested = format!("{}a,b{}", "{".repeat(20_000), "}".repeat(20_000));
    assert!(!expanded(&nested).is_empty());
}

#[test]
fn a_tilde_may_come_out_of_braces() {
    let words: Vec<_> = words("{~,x}/y").iter().flat_map(braces::expand).collect();
    assert!(matches!(words[0].parts[0], Part::Tilde(_)));
}

#[test]
fn arithmetic_complains_as_bash_does() {
    for line in include_str!("corpus/arithmetic.txt").lines().skip(1) {
        let (text, expected) = line.split_once('\t').expect("a tab");
        let found = match arithmetic::parse(text.as_bytes()) {
            Ok(_) => String::new(),
            Err(error) => format!(
                "{} (error token is \"{}\")",
                error.kind.message(),
                String::from_utf8_lossy(error.token(text.as_bytes()))
            ),
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn operators_bind_as_in_c() {
    let parse = |text: &str| arithmetic::parse(text.as_bytes()).expect(text);
    assert_eq!(parse("1+2*3"), parse("1+(2*3)"));
    assert_eq!(parse("1-2-3"), parse("(1-2)-3"));
    assert_eq!(parse("2**3**2"), parse("2**(3**2)"));
    assert_eq!(parse("1<<2+3"), parse("1<<(2+3)"));
    assert_eq!(parse("1|2^3&4"), parse("1|(2^(3&4))"));
    assert_eq!(parse("1==2<3"), parse("1==(2<3)"));
    assert_eq!(parse("1||2&&3"), parse("1||(2&&3)"));
    assert_eq!(parse("1?2:3?4:5"), parse("1?2:(3?4:5)"));
    assert_eq!(parse("a=b=1"), parse("a=(b=1)"));
    assert_eq!(parse("16#fF"), Expression::Number(255));
    assert_eq!(parse("0x1f"), Expression::Number(31));
    assert_eq!(parse("010"), Expression::Number(8));
    assert_eq!(parse(" "), Expression::Number(0));
    // Unlike in C, a sign binds tighter than a power.
    let minus = Expression::Unary(UnaryOperator::Minus, Box::new(Expression::Number(2)));
    let square = Box::new(Expression::Number(2));
    assert_eq!(
        parse("-2**2"),
        Expression::Binary(Box::new(minus), BinaryOperator::Power, square)
    );
}
