//! What the real one does, asked of ours.

use crate::text::testing::run;

#[test]
fn lines_that_match_are_printed() {
    assert_eq!(
        run(&["grep", "l[lx]"], b"hello\nworld\n"),
        ("hello\n".into(), String::new(), 0)
    );
    assert_eq!(
        run(&["grep", "-n", "-o", "l*"], b"hello\nworld\n"),
        ("1:ll\n2:l\n".into(), String::new(), 0)
    );
    assert_eq!(
        run(&["grep", "-c", "-v", "x"], b"a\nx\nb"),
        ("2\n".into(), String::new(), 0)
    );
    assert_eq!(
        run(&["grep", "-E", "^(a|b)$"], b"a\nab\nb\n"),
        ("a\nb\n".into(), String::new(), 0)
    );
    assert_eq!(
        run(&["grep", "-w", "hell"], b"hello\nhell o\n"),
        ("hell o\n".into(), String::new(), 0)
    );
    assert_eq!(
        run(&["fgrep", "a.b"], b"axb\na.b\n"),
        ("a.b\n".into(), String::new(), 0)
    );
    assert_eq!(
        run(&["grep", "-P", "a(?=b)\\w"], b"ac\nab\n"),
        ("ab\n".into(), String::new(), 0)
    );
    assert_eq!(run(&["grep", "nothing"], b"a\n").2, 1);
}

#[test]
fn context_comes_in_groups() {
    let input = b"1\n2\nx\n4\n5\n6\n7\nx\n9\n";
    let expected = "2-2\n3:x\n4-4\n--\n7-7\n8:x\n9-9\n";
    assert_eq!(run(&["grep", "-nC1", "x"], input).0, expected);
    assert_eq!(run(&["grep", "-m1", "-A1", "x"], input).0, "x\n4\n");
}

#[test]
fn bytes_that_are_no_text_are_only_mentioned() {
    assert_eq!(
        run(&["grep", "x"], b"x\0y\n").1,
        "grep: (standard input): binary file matches\n"
    );
    assert_eq!(run(&["grep", "-a", "x"], b"x\0y\n").0, "x\0y\n");
    assert_eq!(run(&["grep", "-I", "x"], b"x\0y\n").2, 1);
}

#[test]
fn complaints_are_worded_as_grep_words_them() {
    assert_eq!(
        run(&["grep", "["], b"").1,
        "grep: Invalid regular expression\n"
    );
    assert_eq!(
        run(&["grep", "x", "/nope"], b""),
        (
            String::new(),
            "grep: /nope: No such file or directory\n".into(),
            2
        )
    );
    assert_eq!(
        run(&["grep", "x", "/etc"], b""),
        (String::new(), "grep: /etc: Is a directory\n".into(), 2)
    );
    assert_eq!(
        run(&["grep", "-E", "-F", "x"], b"").1,
        "grep: conflicting matchers specified\n"
    );
    let usage =
        "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n";
    assert_eq!(run(&["grep"], b""), (String::new(), usage.into(), 2));
    assert_eq!(
        run(&["grep", "-E", "*a"], b"a\n"),
        (
            "a\n".into(),
            "grep: warning: * at start of expression\n".into(),
            0
        )
    );
}

#[test]
fn directories_are_searched_below() {
    let (out, _, status) = run(&["grep", "-rl", "root:x:0", "/etc"], b"");
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!((lines, status), (vec!["/etc/group", "/etc/passwd"], 0));
    assert_eq!(
        run(
            &["grep", "-r", "--include=pass*", "-c", "root", "/etc"],
            b""
        )
        .0,
        "/etc/passwd:1\n"
    );
}
