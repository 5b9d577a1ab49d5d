//! Any bytes are parsed without a panic, and printing is a fixpoint.

use proptest::prelude::*;
use sundew_sh_syntax::fuzz;

/// Pieces of shell between `¦`, so that random texts get somewhere.
const PIECES: &str = concat!(
    " ¦\n¦;¦&¦&&¦||¦|¦|&¦(¦)¦{ ¦}¦<¦>¦>>¦<<E\n¦<<-E\n¦\nE\n¦<<<¦>&¦2>&1¦&>¦{x}>¦",
    "<(¦>(¦$(¦${¦$((¦))¦((¦$x¦$1¦$@¦${x}¦${x:-¦${x/¦${x:¦${#¦${!¦[¦]¦[[ ¦ ]]¦",
    "=¦+=¦a=(¦a¦b c¦if ¦then ¦else ¦elif ¦fi¦for x in ¦for ((¦do ¦done¦while ¦",
    "until ¦case x in ¦a) ¦;;¦;&¦;;&¦esac¦select x in ¦function f ¦f() ¦coproc ¦",
    "time ¦! ¦'¦\"¦`¦\\¦$'¦$\"¦#¦~¦*¦!(¦=~ ¦-f ¦==¦declare a=(¦\\\n¦\0¦{a,b}¦",
    "{1..3}¦\t¦$[¦if a; then b; fi¦{ a; }¦(a)¦x=y ¦export ¦\"$x\"¦'a b'¦$(a)¦",
    "`a`¦1+2¦5¦",
);

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static str> = PIECES.split_terminator('¦').collect();
    prop_oneof![
        8 => prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn any_bytes_are_parsed_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz::parse(&text);
        fuzz::expand(&text);
    }

    #[test]
    fn any_shell_like_text_is_parsed_without_a_panic(text in text()) {
        fuzz::parse(&text);
        fuzz::expand(&text);
    }

    #[test]
    fn what_is_printed_parses_and_prints_the_same(text in text()) {
        fuzz::unparse(&text);
    }
}

#[test]
fn a_function_with_a_blank_in_its_name_can_be_read_back() {
    fuzz::unparse(b"a[ 1]x() { b; }");
    fuzz::unparse(b"f() { a[ 1;2 ]x() { b; }; }");
    fuzz::unparse(b"ec[\0ho {3.. ]c\x0c\0=\xd7a()((c i;~ ./$i & )\n$ ) )\0\xff");
}

#[test]
fn an_empty_pipeline_at_the_end_of_a_subshell_is_printed_as_bash_does() {
    fuzz::unparse(b"( !\n ) ; ( time\n ) ; $( time -p\n ) & ( a; !\n )");
    fuzz::unparse(b"s\n\n(!\n\nJ]\x84\n\n!\n\n)\n");
}

#[test]
fn an_operator_behind_a_here_document_is_printed_as_bash_does() {
    fuzz::unparse(b"a || cat <<E & echo b <<F\nx\nE\ny\nF\n");
    fuzz::unparse(b"a; b | cat <<E && echo b || c <<F & d\nx\nE\ny\nF\n");
}
