//! The three outcomes, positions, lines, warnings, aliases and here-documents.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use sundew_sh_syntax::ast::{CommandKind, RedirectKind, Value};
use sundew_sh_syntax::{Aliases, CommandLine, Dialect, Open, Options, Outcome, Parser, unparse};

fn more(text: &str) -> Outcome {
    let options = Options {
        last: false,
        ..Options::default()
    };
    Parser::new(text.as_bytes(), &options).next_command()
}

fn command(text: &str) -> CommandLine {
    match Parser::new(text.as_bytes(), &Options::default()).next_command() {
        Outcome::Command(line) => line,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn printed(text: &str) -> String {
    String::from_utf8(unparse::list(&command(text).list)).expect("text")
}

#[test]
fn what_is_open_is_named() {
    for text in [
        "if true\n",
        "if true; then\n",
        "for i in a\n",
        "{\n",
        "a &&\n",
        "a |\n",
        "a \\\n",
        "( a\n",
        "case x in\n",
        "f()\n",
        "while :; do\n",
        "[[ a &&\n",
        "a",
        "if",
        "a &",
    ] {
        match more(text) {
            Outcome::Incomplete(unfinished) => {
                assert_eq!(unfinished.open, Open::Command, "{text:?}")
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    for (text, closer) in [
        ("echo 'a\n", b'\''),
        ("echo \"a\n", b'"'),
        ("echo `a\n", b'`'),
        ("echo ${a\n", b'}'),
        ("echo $((1\n", b')'),
        ("a=(1\n", b')'),
        ("echo $'a\n", b'\''),
        ("for ((i=0\n", b')'),
    ] {
        match more(text) {
            Outcome::Incomplete(unfinished) => {
                assert_eq!(unfinished.open, Open::Closer(closer), "{text:?}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn a_here_document_waits_for_its_delimiter_only() {
    let Outcome::Incomplete(unfinished) = more("cat <<-EOF\na\n") else {
        panic!("not incomplete")
    };
    assert!(!unfinished.may_close_with(b"some line\n"));
    assert!(unfinished.may_close_with(b"EOF\n"));
    assert!(unfinished.may_close_with(b"\t\tEOF"));
}

#[test]
fn an_error_is_an_error_even_if_more_could_follow() {
    for text in ["echo )\n", "fi\n", "a | | b\n", "if; then\n"] {
        assert!(matches!(more(text), Outcome::Error(_)), "{text:?}");
    }
}

#[test]
fn an_incomplete_command_is_left_unread() {
    let options = Options {
        last: false,
        ..Options::default()
    };
    let mut parser = Parser::new(b"echo a\nif b\n", &options);
    assert!(matches!(parser.next_command(), Outcome::Command(_)));
    assert_eq!(parser.consumed(), 7);
    assert!(matches!(parser.next_command(), Outcome::Incomplete(_)));
    assert_eq!((parser.consumed(), parser.line()), (7, 2));
}

#[test]
fn lines_before_an_error_are_commands() {
    let mut parser = Parser::new(b"a\nb\nfi\nc\n", &Options::default());
    assert!(matches!(parser.next_command(), Outcome::Command(_)));
    assert!(matches!(parser.next_command(), Outcome::Command(_)));
    let Outcome::Error(error) = parser.next_command() else {
        panic!("no error")
    };
    assert_eq!(error.line, 3);
    // Interactive shells go on.
    assert!(matches!(parser.next_command(), Outcome::Command(_)));
    assert_eq!(parser.next_command(), Outcome::End);
}

#[test]
fn commands_know_their_line() {
    let line = command("a; {\nb\n\nc \\\nd\n}\n");
    let items = &line.list.items;
    assert_eq!(items[0].and_or.first.commands[0].line, 1);
    let CommandKind::Group(list) = &items[1].and_or.first.commands[0].kind else {
        panic!("group")
    };
    let lines: Vec<_> = list
        .items
        .iter()
        .map(|item| item.and_or.first.commands[0].line)
        .collect();
    // The second is known when the word behind its name has been read, as bash has it.
    assert_eq!(lines, [2, 5]);
}

#[test]
fn here_documents_keep_their_order_and_quoting() {
    let line = command("cat <<A <<-'B'\n$x\nA\n\t$y\n\tB\nnext\n");
    let redirects = &line.list.items[0].and_or.first.commands[0].redirects;
    let bodies: Vec<_> = redirects
        .iter()
        .map(|redirect| match &redirect.kind {
            RedirectKind::HereDocument(document) => (
                document.quoted,
                String::from_utf8(unparse::word(document.body())).expect("text"),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        bodies,
        [(false, "$x\n".to_owned()), (true, "$y\n".to_owned())]
    );
}

#[test]
fn a_here_document_cut_by_the_end_is_a_warning() {
    let line = command("cat <<EOF\na\n");
    assert_eq!(
        line.warnings[0].message(),
        b"warning: here-document at line 1 delimited by end-of-file (wanted `EOF')"
    );
    assert_eq!(line.warnings[0].line(), 2);
}

#[test]
fn assignments_are_found_before_and_behind_the_command() {
    let line = command("a=1 b[2]+=x c=(p [q]=r) export D=~/x:~y e=(z)\n");
    let CommandKind::Simple(simple) = &line.list.items[0].and_or.first.commands[0].kind else {
        panic!("simple")
    };
    let names: Vec<_> = simple
        .assignments
        .iter()
        .map(|one| (&*one.name, one.append))
        .collect();
    assert_eq!(
        names,
        [(&b"a"[..], false), (&b"b"[..], true), (&b"c"[..], false)]
    );
    assert!(matches!(&simple.assignments[2].value, Value::Array(elements) if elements.len() == 2));
    let d = simple.words[1].to_assignment().expect("an assignment");
    assert_eq!(&*d.name, b"D");
    let Value::Scalar(value) = d.value else {
        panic!("scalar")
    };
    assert_eq!(value.parts.len(), 3);
    let e = simple.words[2].to_assignment().expect("an assignment");
    assert!(matches!(e.value, Value::Array(_)));
}

struct Table;

impl Aliases for Table {
    fn lookup(&self, name: &[u8]) -> Option<Vec<u8>> {
        let text: &[u8] = match name {
            b"ll" => b"ls -l",
            b"ls" => b"ls --color",
            b"sudo" => b"sudo ",
            b"loop" => b"loop2 x",
            b"loop2" => b"loop y",
            b"two" => b"a; b",
            b"when" => b"if",
            _ => return None,
        };
        Some(text.to_vec())
    }
}

#[test]
fn aliases_replace_words_in_command_position_once() {
    let options = Options {
        aliases: Some(&Table),
        ..Options::default()
    };
    for (text, expected) in [
        ("ll x\n", "ls --color -l x"),
        ("ls ls\n", "ls --color ls"),
        ("sudo ll\n", "sudo ls --color -l"),
        ("loop z\n", "loop y x z"),
        ("two c | ll\n", "a; b c | ls --color -l"),
        ("'ll' \\ll\n", "'ll' \\ll"),
        ("x=1 ll\n", "x=1 ls --color -l"),
        ("echo ll\n", "echo ll"),
    ] {
        let mut parser = Parser::new(text.as_bytes(), &options);
        let Outcome::Command(line) = parser.next_command() else {
            panic!("{text}")
        };
        assert_eq!(
            String::from_utf8_lossy(&unparse::list(&line.list)),
            expected
        );
        assert_eq!(parser.consumed(), text.len());
    }
    let mut parser = Parser::new(b"when a; then b; fi\nc\n", &options);
    assert!(matches!(parser.next_command(), Outcome::Command(_)));
    assert_eq!(parser.consumed(), 19);
}

#[test]
fn binary_bytes_pass_through_words() {
    let text = b"echo \xff\xfe '\x00\x80'\n";
    let Outcome::Command(line) = Parser::new(text, &Options::default()).next_command() else {
        panic!("a command")
    };
    assert_eq!(unparse::list(&line.list), b"echo \xff\xfe '\x00\x80'");
}

#[test]
fn ansi_quotes_are_decoded() {
    assert_eq!(
        printed(r"echo $'a\tb\x41\101\u20ac\cA\q\'\e'"),
        "echo 'a\tbAA€\u{1}\\q'\\''\u{1b}'"
    );
}

#[test]
fn dash_has_no_arrays_and_no_double_brackets() {
    let options = Options {
        dialect: Dialect::Dash,
        ..Options::default()
    };
    let mut parser = Parser::new(b"[[ a == b ]]\na=(1)\n", &options);
    assert!(matches!(parser.next_command(), Outcome::Command(_)));
    let Outcome::Error(error) = parser.next_command() else {
        panic!("no error")
    };
    assert_eq!(
        error.messages(Dialect::Dash, false),
        [b"Syntax error: \"(\" unexpected"]
    );
}
