//! What the real one does, asked of ours.

use crate::text::testing::run;

#[test]
fn files_are_found_by_their_properties() {
    let sorted = |args: &[&str]| {
        let (out, error, status) = run(args, b"");
        let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        (lines.join(" "), error, status)
    };
    let ok = |text: &str| (text.to_owned(), String::new(), 0);
    assert_eq!(
        sorted(&["find", "/etc", "-type", "f", "-name", "*s*"]),
        ok("/etc/hostname /etc/passwd")
    );
    assert_eq!(sorted(&["find", "/etc", "-maxdepth", "0"]), ok("/etc"));
    assert_eq!(
        sorted(&[
            "find", "/etc", "(", "-name", "group", "-o", "-name", "hostname", ")", "!", "-name",
            "g*"
        ]),
        ok("/etc/hostname")
    );
    assert_eq!(sorted(&["find", "/etc", "-name", "passwd", "-printf", "%f %h %m %y %u %P|%5s|\\n"]).0, "passwd /etc 644 f root passwd|   91|".replace("91", &"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n".len().to_string()));
    assert_eq!(
        sorted(&["find", "/etc", "-perm", "/111", "-type", "f"]),
        ok("")
    );
    assert_eq!(sorted(&["find", "/etc", "-size", "-1"]), ok(""));
    assert_eq!(
        sorted(&[
            "find",
            "/bin/grep",
            "-exec",
            "grep",
            "-c",
            "root",
            "/etc/group",
            ";"
        ]),
        ok("1")
    );
    assert_eq!(
        sorted(&[
            "find",
            "/etc/hostname",
            "/etc/group",
            "-exec",
            "grep",
            "-l",
            ".",
            "{}",
            "+"
        ]),
        ok("/etc/group /etc/hostname")
    );
}

#[test]
fn complaints_are_worded_as_find_words_them() {
    for (args, expected) in [
        (vec!["nope"], "‘nope’: No such file or directory"),
        (vec!["/etc", "-foo"], "unknown predicate `-foo'"),
        (vec!["-name"], "missing argument to `-name'"),
        (vec!["/etc", "-type", "q"], "Unknown argument to -type: q"),
        (vec!["/etc", "-exec", "echo"], "missing argument to `-exec'"),
        (
            vec!["/etc", "(", "-name", "a"],
            "invalid expression; I was expecting to find a ')' somewhere but did not see one.",
        ),
        (vec!["/etc", "-name", "a", ")"], "you have too many ')'"),
        (
            vec!["/etc", "-mtime", "x"],
            "invalid argument `x' to `-mtime'",
        ),
        (vec!["/etc", "-size", "1q"], "invalid -size type `q'"),
        (vec!["/etc", "!"], "expected an expression after '!'"),
        (
            vec!["/etc", "-user", "nosuch"],
            "‘nosuch’ is not the name of a known user",
        ),
        (
            vec!["/etc", "-maxdepth", "x"],
            "Expected a positive decimal integer argument to -maxdepth, but got ‘x’",
        ),
        (
            vec!["/etc/group", "-exec", "nosuch", ";"],
            "‘nosuch’: No such file or directory",
        ),
    ] {
        let args: Vec<&str> = std::iter::once("find").chain(args).collect();
        let (_, error, _) = run(&args, b"");
        assert_eq!(error, format!("find: {expected}\n"), "{args:?}");
    }
}

#[test]
fn deleting_takes_contents_first() {
    assert_eq!(run(&["find", "/etc", "-delete", "-print"], b"").2, 0);
}
