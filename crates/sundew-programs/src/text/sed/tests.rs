//! What the real one does, asked of ours.

use crate::text::testing::run;

fn sed(args: &[&str], input: &str) -> String {
    let args: Vec<&str> = ["sed"].iter().chain(args).copied().collect();
    run(&args, input.as_bytes()).0
}

#[test]
fn commands_do_what_gnu_sed_does() {
    for (script, input, expected) in [
        ("s/a/b/g", "aaa\n", "bbb\n"),
        ("s#/usr#/opt#", "/usr/bin\n", "/opt/bin\n"),
        ("s/b*/X/g", "abc\n", "XaXcX\n"),
        ("s/l/L/2", "hello\n", "helLo\n"),
        ("s/l/&&/2g", "hello\n", "helllo\n"),
        (
            "s/\\(h\\)\\(.\\)/\\u\\2\\1\\U\\2x\\Ey/",
            "hello\n",
            "EhEXyllo\n",
        ),
        ("1!G;h;$!d", "a\nb\nc\n", "c\nb\na\n"),
        ("$!N;P;D", "a\nb\nc\n", "a\nb\nc\n"),
        (":a;N;$!ba;s/\\n/,/g", "a\nb\nc", "a,b,c"),
        ("n;d", "1\n2\n3\n", "1\n3\n"),
        ("1~2d", "1\n2\n3\n", "2\n"),
        ("2,+1d", "1\n2\n3\n4\n", "1\n4\n"),
        ("0,/a/d", "a\na\n", "a\n"),
        ("/b/,$c x", "a\nb\nc\n", "a\nx\n"),
        ("1i\\  foo", "a\n", "  foo\na\n"),
        ("a foo\\\nbar", "a\n", "a\nfoo\nbar\n"),
        ("$a end", "a", "a\nend\n"),
        ("y/helo/HELO/", "hello\n", "HELLO\n"),
        ("s/[/]/x/", "a/b\n", "axb\n"),
        ("s/\\x26/[\\x26]/", "a&b\n", "a[&]b\n"),
        ("s/a\\|e/X/", "hello\n", "hXllo\n"),
        ("/x/{s/x/y/;tend\n};s/$/!/;:end", "x\nz\n", "y\nz!\n"),
        ("=", "a\n", "1\na\n"),
        ("2q", "1\n2\n3\n", "1\n2\n"),
        ("s/\\t/ /;s/$/\\t|/", "a\tb\n", "a b\t|\n"),
        ("#n\np", "a\n", "a\n"),
    ] {
        assert_eq!(sed(&[script], input), expected, "{script}");
    }
    assert_eq!(sed(&["-n", "l 3"], "hello\n"), "he\\\nll\\\no$\n");
    assert_eq!(sed(&["-E", "s/(b)/[\\1]/"], "abc\n"), "a[b]c\n");
    assert_eq!(sed(&["-z", "s/\\n/,/g"], "a\nb\n"), "a,b,");
    assert_eq!(sed(&["-n", "-e", "/a/p", "-e", "$="], "a\nb\n"), "a\n2\n");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_are_placed_and_worded_as_in_gnu_sed() {
    for (script, expected, status) in [
        (
            "s/a",
            "-e expression #1, char 3: unterminated `s' command",
            1,
        ),
        ("k", "-e expression #1, char 1: unknown command: `k'", 1),
        (
            "y/abc/d/",
            "-e expression #1, char 8: strings for `y' command are different lengths",
            1,
        ),
        (
            "s/a/b/gg",
            "-e expression #1, char 8: multiple `g' options to `s' command",
            1,
        ),
        (
            "s/a/b/0",
            "-e expression #1, char 7: number option to `s' command may not be zero",
            1,
        ),
        ("b foo", "can't find label for jump to `foo'", 4),
        ("}", "-e expression #1, char 1: unexpected `}'", 1),
        ("{p", "-e expression #1, char 0: unmatched `{'", 1),
        (":", "-e expression #1, char 1: \":\" lacks a label", 1),
        (
            "a",
            "-e expression #1, char 1: expected \\ after `a', `c' or `i'",
            1,
        ),
        (
            "p p",
            "-e expression #1, char 3: extra characters after command",
            1,
        ),
        (
            "/a",
            "-e expression #1, char 2: unterminated address regex",
            1,
        ),
        ("1,", "-e expression #1, char 2: unexpected `,'", 1),
        ("3!!p", "-e expression #1, char 3: multiple `!'s", 1),
        (
            "r",
            "-e expression #1, char 1: missing filename in r/R/w/W commands",
            1,
        ),
        (
            "s/\\(a/b/",
            "-e expression #1, char 8: Unmatched ( or \\(",
            1,
        ),
        (
            "s/a/\\1/",
            "-e expression #1, char 7: invalid reference \\1 on `s' command's RHS",
            1,
        ),
        (
            "0p",
            "-e expression #1, char 2: invalid usage of line address 0",
            1,
        ),
        (
            "1,2q",
            "-e expression #1, char 4: command only uses one address",
            1,
        ),
        (
            "s/a/b/x",
            "-e expression #1, char 7: unknown option to `s'",
            1,
        ),
    ] {
        let (_, error, code) = run(&["sed", script], b"");
        assert_eq!(
            (error, code),
            (format!("sed: {expected}\n"), status),
            "{script}"
        );
    }
    let (_, error, status) = run(&["sed", "p", "/nope"], b"");
    assert_eq!(
        (error.as_str(), status),
        ("sed: can't read /nope: No such file or directory\n", 2)
    );
}

#[test]
fn files_are_edited_in_place() {
    let (out, error, status) = run(&["sed", "-i", "s/root/toor/", "/etc/passwd", "/nope"], b"");
    assert_eq!(
        (out.as_str(), error.as_str(), status),
        ("", "sed: can't read /nope: No such file or directory\n", 2)
    );
}

#[test]
fn an_endless_script_is_stopped_by_its_budget() {
    let limits = sundew_kernel::budget::Limits {
        process_cpu: std::time::Duration::from_millis(2),
        ..Default::default()
    };
    let programs: Vec<_> = crate::table::programs().collect();
    let finished = sundew_kernel::testing::run(&programs, &["sed", ":a;s/^/x/;ba"], b"y\n", limits);
    assert_eq!(
        finished.status.map(sundew_kernel::ExitStatus::code),
        Some(137)
    );
}
