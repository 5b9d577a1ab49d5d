//! The table as a whole: what is read, what is refused and with which code.

use proptest::prelude::*;

use super::*;

fn argument(text: &str) -> Argument {
    Argument::try_from(text).unwrap()
}

#[test]
fn verbs_are_read_in_any_case() {
    for line in [&b"NOOP"[..], b"noop", b"NoOp", b"NOOP ", b"NOOP   "] {
        assert_eq!(Command::parse(line), Ok(Command::Noop));
    }
    assert_eq!(
        Command::parse(b"NOOP x"),
        Err(CommandError::Superfluous(Verb::Noop))
    );
}

#[test]
fn everything_behind_the_first_blank_is_the_argument() {
    assert_eq!(
        Command::parse(b"RETR  a b "),
        Ok(Command::Retr(argument(" a b ")))
    );
}

#[test]
fn an_unknown_verb_is_told_from_a_bad_argument() {
    let cases: &[(&[u8], CommandError, u16)] = &[
        (b"", CommandError::Empty, 500),
        (b"FOO", CommandError::UnknownVerb, 500),
        (b" NOOP", CommandError::UnknownVerb, 500),
        (b"GET / HTTP/1.1", CommandError::UnknownVerb, 500),
        (b"\x16\x03\x01", CommandError::UnknownVerb, 500),
        (b"USER", CommandError::MissingArgument(Verb::User), 501),
        (b"USER ", CommandError::MissingArgument(Verb::User), 501),
        (b"CWD a\0b", CommandError::BadArgument(Verb::Cwd), 501),
        (b"PORT 1,2,3", CommandError::BadArgument(Verb::Port), 501),
        (b"REST -1", CommandError::BadArgument(Verb::Rest), 501),
        (
            b"REST 18446744073709551616",
            CommandError::BadArgument(Verb::Rest),
            501,
        ),
        (b"TYPE X", CommandError::UnknownParameter(Verb::Type), 504),
        (b"MODE X", CommandError::UnknownParameter(Verb::Mode), 504),
        (
            b"EPRT |7|x|1|",
            CommandError::UnknownProtocol(Verb::Eprt),
            522,
        ),
        (b"EPSV 3", CommandError::UnknownProtocol(Verb::Epsv), 522),
        (b"EPSV x", CommandError::BadArgument(Verb::Epsv), 501),
        (
            b"LPRT 9,1,1",
            CommandError::UnknownProtocol(Verb::Lprt),
            521,
        ),
    ];
    for (line, error, code) in cases {
        assert_eq!(Command::parse(line), Err(*error), "{}", line.escape_ascii());
        assert_eq!(error.code().number(), *code);
    }
}

#[test]
fn an_empty_password_is_a_password() {
    assert_eq!(Command::parse(b"PASS"), Ok(Command::Pass(None)));
    assert_eq!(Command::parse(b"PASS "), Ok(Command::Pass(None)));
}

#[test]
fn a_checksum_of_a_part_has_its_path_quoted() {
    let Ok(Command::Xcrc(checksum)) = Command::parse(b"XCRC \"a \"\"b\" 0 100") else {
        panic!("XCRC was not read");
    };
    assert_eq!(checksum.path, argument("a \"b"));
    assert_eq!(checksum.part, Some((0, Some(100))));
}

#[test]
fn verbs_have_distinct_names_of_two_to_seven_capitals() {
    let mut names: Vec<_> = Verb::ALL.iter().map(|verb| verb.name()).collect();
    for name in &names {
        assert!((3..=7).contains(&name.len()), "{name}");
        assert_eq!(
            Verb::parse(name.to_lowercase().as_bytes()).map(Verb::name),
            Some(*name)
        );
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Verb::ALL.len());
}

proptest! {
    #[test]
    fn what_we_write_we_read(command in any::command()) {
        let mut line = Vec::new();
        command.encode(&mut line);
        prop_assert_eq!(Command::parse(&line), Ok(command));
    }

    #[test]
    fn what_is_read_from_any_argument_is_written_and_read_again(
        verb in prop::sample::select(Verb::ALL),
        argument in prop::collection::vec(prop::sample::select(&b"0123456789,|.:;=\"ARIaz \xff\r"[..]), 0..40),
    ) {
        let line = [verb.name().as_bytes(), b" ", &argument].concat();
        if let Ok(command) = Command::parse(&line) {
            let mut again = Vec::new();
            command.encode(&mut again);
            prop_assert_eq!(Command::parse(&again), Ok(command));
        }
    }

    #[test]
    fn foreign_bytes_are_read_without_panic(line in prop::collection::vec(any::<u8>(), 0..80)) {
        crate::fuzz::command(&line);
    }
}
