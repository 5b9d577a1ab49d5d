//! Any bytes are parsed without a panic, and printing is a fixpoint.

use proptest::prelude::*;
use sundew_sh_syntax::fuzz;

/// Pieces of shell, so that random texts get somewhere.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b" ",
        b"\n",
        b";",
        b"&",
        b"&&",
        b"||",
        b"|",
        b"|&",
        b"(",
        b")",
        b"{ ",
        b"}",
        b"<",
        b">",
        b">>",
        b"<<E\n",
        b"<<-E\n",
        b"\nE\n",
        b"<<<",
        b">&",
        b"2>&1",
        b"&>",
        b"{x}>",
        b"<(",
        b">(",
        b"$(",
        b"${",
        b"$((",
        b"))",
        b"((",
        b"$x",
        b"$1",
        b"$@",
        b"${x}",
        b"${x:-",
        b"${x/",
        b"${x:",
        b"${#",
        b"${!",
        b"[",
        b"]",
        b"[[ ",
        b" ]]",
        b"=",
        b"+=",
        b"a=(",
        b"a",
        b"b c",
        b"if ",
        b"then ",
        b"else ",
        b"elif ",
        b"fi",
        b"for x in ",
        b"for ((",
        b"do ",
        b"done",
        b"while ",
        b"until ",
        b"case x in ",
        b"a) ",
        b";;",
        b";&",
        b";;&",
        b"esac",
        b"select x in ",
        b"function f ",
        b"f() ",
        b"coproc ",
        b"time ",
        b"! ",
        b"'",
        b"\"",
        b"`",
        b"\\",
        b"$'",
        b"$\"",
        b"#",
        b"~",
        b"*",
        b"!(",
        b"=~ ",
        b"-f ",
        b"==",
        b"declare a=(",
        b"\\\n",
        b"\xff",
        b"\0",
        b"{a,b}",
        b"{1..3}",
        b"\t",
        b"$[",
        b"if a; then b; fi",
        b"{ a; }",
        b"(a)",
        b"x=y ",
        b"export ",
        b"\"$x\"",
        b"'a b'",
        b"$(a)",
        b"`a`",
        b"1+2",
        b"5",
    ];
    prop_oneof![
        8 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
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
