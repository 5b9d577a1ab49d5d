//! What no transcript shows: hostile programs end, on a small stack, within the machine's memory.

use proptest::prelude::*;

use crate::text::testing::run;

/// Bytes of stack that every program has to do with: a runtime thread's.
const STACK_BYTES: usize = 2 << 20;

/// Runs a program on a thread of its own with a small stack; nothing it does takes the thread with it.
fn small(code: &str) -> (String, String, u8) {
    let code = code.to_owned();
    std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || run(&["perl", "-e", &code], b"one\ntwo\n"))
        .unwrap()
        .join()
        .unwrap()
}

#[test]
fn deep_texts_are_refused_or_run_on_a_small_stack() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{", "", "}"),
        ("-", "1", ""),
        ("!", "1", ""),
        ("\\", "1", ""),
        ("$", "x", ""),
        ("local ", "$x", ""),
        ("@$", "x", ""),
        ("++", "$x", ""),
        ("+", "1", ""),
        ("{;", "", "}"),
        ("<<A.", "1", ""),
        ("print {", "$x", "}"),
        ("return ", "1", ""),
        ("my (", "$x", ")"),
        ("sort {", "1", "} 1"),
        ("f ", "1", ""),
        ("defined ", "1", ""),
        ("s/a/", "b", "/e"),
        ("while (", "0", ") {}"),
        ("package P {", "1", "}"),
        ("qq{${\\ ", "1", "}}"),
        ("not ", "1", ""),
        ("-e ", "1", ""),
        ("sub {", "1", "}"),
        ("do {", "1", "}"),
        ("eval {", "1", "}"),
        ("if (1) {", "1", "}"),
        ("map { ", "1", " } 1"),
        ("f(", "1", ")"),
        ("$x->[", "0", "]"),
        ("@{", "$x", "}"),
        ("\"@{[", "1", "]}\""),
        ("1 ? ", "1", " : 0"),
        ("$x = ", "1", ""),
        ("q(", "", ")"),
        ("my $x = sub { ", "1", " };"),
    ] {
        for count in [20, 1500] {
            let code = format!("{}{middle}{}", open.repeat(count), close.repeat(count));
            small(&code);
        }
    }
    for (piece, last) in [
        ("1+", "1"),
        ("1 . ", "1"),
        ("1 && ", "1"),
        ("1 x ", "1"),
        ("2 ** ", "1"),
        ("1, ", "1"),
        ("$x =~ ", "/a/"),
        ("1 .. ", "2"),
        ("1 or ", "1"),
        ("not ", "1"),
        ("1; ", "1"),
    ] {
        small(&format!("{}{last}", piece.repeat(2_000)));
    }
    small(&format!("$x{}", "->[0]".repeat(2_000)));
    small(&format!("$x{}", "[0]".repeat(2_000)));
    small(&format!("if (0) {{}} {} ", "elsif (0) {}".repeat(5000)));
}

#[test]
fn recursion_and_long_chains_live_on_the_heap() {
    let (out, err, status) =
        small("sub d { my $n = shift; $n ? 1 + d($n - 1) : 0 } print d(20000)");
    assert_eq!((out.as_str(), err.as_str(), status), ("20000", "", 0));
    let (out, ..) = small("$x = [$x] for 1..200000; undef $x; print 'dropped'");
    assert_eq!(out, "dropped");
    let (out, ..) = small("$x = {a => $x} for 1..100000; print 'kept'");
    assert_eq!(out, "kept");
    let (out, ..) = small("$x = sub { $y = shift; sub { $y } }->($x) for 1..50000; print 'closed'");
    assert_eq!(out, "closed");
    let (out, ..) = small("$x = \\(my $z = $x) for 1..100000; print 'pointed'");
    assert_eq!(out, "pointed");
    let (_, err, status) = small("sub f { f() } f()");
    assert_eq!((err.as_str(), status), ("Out of memory!\n", 255));
    let (out, ..) = small("eval { sub f { f() } f() }; print $@");
    assert_eq!(out, "Out of memory!\n");
}

#[test]
fn what_grows_without_end_runs_out_of_memory() {
    for code in [
        "$x = 'a'; $x x= 1e9",
        "$x = 'a'; $x .= $x while 1",
        "@x = (1) x 1e9",
        "push @x, 'a' x 10000 while 1",
        "$h{$i++} = 'a' x 1000 while 1",
        "$x[1e9] = 1",
        "@x = 1..1e12",
        "my @l = map { (1) x 1000 } 1..100000",
        "sprintf('%1000000000d', 1) x 10000 while 0; $#x = 1e10",
        "$_ = 'a' x 1e6; s/a/$_/g",
        "my $s = join ',', 1..1e6; my @a = ($s) x 1000; my $t = join '', @a",
        "$x = [$x, 'a' x 1000] while 1",
    ] {
        let (_, err, status) = small(code);
        assert_eq!((err.as_str(), status), ("Out of memory!\n", 255), "{code}");
    }
}

#[test]
fn patterns_that_explode_give_up() {
    for code in [
        "('a' x 40) =~ /^(a+)+$b/; print 'x'",
        "('a' x 3000) =~ /(a*)*b/; print 'x'",
        "('a' x 40) =~ /^(?:(a)|a|\\1)*b/; print 'x'",
        "'x' =~ /(x{1,1000}){1,1000}/; print 'x'",
    ] {
        small(code);
    }
    small(&format!(
        "'a' =~ /{}a{}/",
        "(".repeat(5000),
        ")".repeat(5000)
    ));
    small(&format!("'a' =~ /{}/", "a|".repeat(10_000)));
}

/// Pieces that programs are made of.
#[expect(clippy::too_many_lines, reason = "a row for each piece")]
fn any_program() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "$x",
        "@a",
        "%h",
        "my ",
        "=",
        "=~",
        "+",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ";",
        ",",
        "=>",
        "->",
        "1",
        "'s'",
        "\"$x @a\"",
        "/a(.)/",
        "s/a/b/g",
        "sub ",
        "f",
        "print ",
        "for ",
        "if ",
        "while ",
        "<STDIN>",
        "local ",
        "return ",
        "next",
        "last",
        "eval ",
        "die ",
        "..",
        "x",
        "\\",
        "&f",
        "$_",
        "@_",
        "sort ",
        "map ",
        "keys ",
        "push ",
        "shift",
        "<<A\n",
        "\nA\n",
        "q(",
        "tr/a/b/",
        "? 1 :",
        "or ",
        "unless ",
        "do ",
        "ref ",
        "bless ",
        "package P;",
        "wantarray",
        "$#a",
        "@{$x}",
        "$$x",
        "${",
        "each ",
        "splice ",
        "split ",
        "join ",
        "sprintf ",
        "pos",
        "undef ",
        "delete ",
        "exists ",
        "$h{a}",
        "$a[0]",
        "@h{",
        "%$x",
        "qw(a b)",
        "fork",
        "exit",
        "open F, ",
        "close F",
        "`a`",
        "__END__",
        "#",
        "use strict;",
        "BEGIN ",
        "END ",
        "-e ",
        "!",
        "~",
        "**",
        "%",
        "'",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes_are_an_answer_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let code = String::from_utf8_lossy(&bytes).replace('\0', "");
        small(&code);
    }

    #[test]
    fn any_row_of_words_is_an_answer_and_no_panic(code in any_program()) {
        small(&code);
    }
}
