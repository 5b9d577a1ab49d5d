//! Files down and up, mirrors both ways, and what is left when something breaks.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::server::{Kind, Running, command, finish};

fn body(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

#[test]
fn files_come_whole_from_every_server() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        server.put_there("pub/a b.txt", "blank\n");
        server.put_there("pub/big", body(3_000_000));
        server.put_there("pub/empty", "");
        server.good(&[
            "get",
            "-q",
            "URL/pub/a%20b.txt",
            "URL/pub/big",
            "URL/pub/empty",
        ]);
        assert_eq!(
            fs::read(server.here("a b.txt")).unwrap(),
            b"blank\n",
            "{kind:?}"
        );
        assert!(
            fs::read(server.here("big")).unwrap() == body(3_000_000),
            "{kind:?}"
        );
        assert_eq!(fs::read(server.here("empty")).unwrap(), b"", "{kind:?}");
        // Only what was asked for is left.
        assert_eq!(
            fs::read_dir(server.here("")).unwrap().count(),
            3,
            "{kind:?}"
        );
        assert_eq!(server.good(&["cat", "URL/pub/a%20b.txt"]), "blank\n");
        let said = server.run(&["get", "URL/pub/big"]).stderr;
        assert!(
            String::from_utf8_lossy(&said).contains("the same already"),
            "{kind:?}"
        );
    }
}

#[test]
fn segments_make_the_same_file() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        server.put_there("big", body(9_000_001));
        server.good(&["get", "-q", "-j", "4", "URL/big"]);
        assert!(
            fs::read(server.here("big")).unwrap() == body(9_000_001),
            "{kind:?}"
        );
        assert_eq!(
            fs::read_dir(server.here("")).unwrap().count(),
            1,
            "{kind:?}"
        );
    }
}

#[test]
fn files_go_up_and_the_second_time_they_are_there() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        fs::write(server.here("x"), body(2_000_000)).unwrap();
        fs::write(server.here("y"), "small").unwrap();
        server.good(&["put", "-q", "-p", "-j", "2", "x", "y", "URL/new/dir/"]);
        assert!(
            fs::read(server.there("new/dir/x")).unwrap() == body(2_000_000),
            "{kind:?}"
        );
        assert_eq!(
            fs::read(server.there("new/dir/y")).unwrap(),
            b"small",
            "{kind:?}"
        );
        let said = server.run(&["put", "x", "URL/new/dir/"]).stderr;
        assert!(
            String::from_utf8_lossy(&said).contains("the same already"),
            "{kind:?}"
        );
    }
}

#[test]
fn the_standard_streams_are_files_too() {
    let server = Running::start(Kind::Ours);
    let words = ["put", "-q", "-", &server.url("piped")].map(str::to_owned);
    let mut child = command(&server.here(""), &words)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"from a pipe")
        .unwrap();
    assert!(finish(child).status.success());
    assert_eq!(fs::read(server.there("piped")).unwrap(), b"from a pipe");
    assert_eq!(server.good(&["get", "-o", "-", "URL/piped"]), "from a pipe");
    server.good(&["get", "-o", "/dev/null", "URL/piped"]);
    assert!(fs::metadata("/dev/null").unwrap().len() == 0);
}

#[test]
fn an_interrupted_download_goes_on_only_with_the_same_file() {
    let server = Running::start(Kind::Ours);
    let whole = body(4_000_000);
    server.put_there("big", &whole);
    // What an earlier run left: its first million bytes, of which the first is made recognisable.
    let listing = server.good(&["ls", "--json", "URL/"]);
    let entry: Value = serde_json::from_str(listing.lines().next().unwrap()).unwrap();
    let modified: String = entry["modified"]
        .as_str()
        .unwrap()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let leave = |modified: &str| {
        let mut part = whole[..1_000_000].to_vec();
        part[0] = b'!';
        fs::write(server.here(".big.part"), part).unwrap();
        let note = format!(r#"{{"size":4000000,"modified":"{modified}","done":null}}"#);
        fs::write(server.here(".big.part.json"), note).unwrap();
    };
    leave(&modified);
    let report = server.good(&["get", "--json", "--verify", "never", "URL/big"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["resumed_from"], 1_000_000);
    assert_eq!(report["bytes"], 3_000_000);
    let came = fs::read(server.here("big")).unwrap();
    assert!(came[0] == b'!' && came[1..] == whole[1..]);
    // A checksum finds what a size cannot.
    leave(&modified);
    let said = server.bad(9, &["get", "--force", "URL/big"]);
    assert!(said.contains("SHA"), "{said}");
    assert!(!server.here(".big.part").exists());
    // Of another version nothing is used.
    leave("20010101000000");
    server.good(&["get", "-q", "--force", "URL/big"]);
    assert!(fs::read(server.here("big")).unwrap() == whole);
}

#[test]
fn a_mirror_goes_both_ways_and_is_done_then() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        server.put_there("pub/a/x", "1");
        server.put_there("pub/a/b/y", body(100_000));
        server.put_there("pub/z.tmp", "no");
        fs::create_dir_all(server.here("m/old")).unwrap();
        fs::write(server.here("m/old/f"), "gone").unwrap();
        let mirror = ["mirror", "-q", "--delete", "-x", "*.tmp", "URL/pub/", "m"];
        server.good(&mirror);
        assert_eq!(fs::read(server.here("m/a/x")).unwrap(), b"1", "{kind:?}");
        assert!(fs::read(server.here("m/a/b/y")).unwrap() == body(100_000));
        assert!(!server.here("m/old").exists() && !server.here("m/z.tmp").exists());
        let again = server.good(&["mirror", "--json", "-x", "*.tmp", "URL/pub/", "m"]);
        assert!(
            again.contains(r#""transferred":0,"unchanged":2"#),
            "{kind:?} {again}"
        );
        // And up, to a directory that is not there yet.
        server.good(&["mirror", "-q", "m", "URL/copy/deep"]);
        assert!(fs::read(server.there("copy/deep/a/b/y")).unwrap() == body(100_000));
        fs::remove_file(server.here("m/a/x")).unwrap();
        let planned = server.good(&["mirror", "-n", "--delete", "m", "URL/copy/deep"]);
        assert_eq!(planned, "remove a/x\n", "{kind:?}");
        server.good(&["mirror", "-q", "--delete", "m", "URL/copy/deep"]);
        assert!(!server.there("copy/deep/a/x").exists(), "{kind:?}");
        let again = server.good(&["mirror", "--json", "m", "URL/copy/deep"]);
        assert!(again.contains(r#""transferred":0"#), "{kind:?} {again}");
    }
}

#[test]
fn links_are_left_copied_or_followed() {
    use std::os::unix::fs::symlink;
    for kind in Kind::ALL {
        let server = Running::start(kind);
        server.put_there("tree/d/x", "eks");
        symlink("d/x", server.there("tree/file")).unwrap();
        symlink("d", server.there("tree/dir")).unwrap();
        symlink("..", server.there("tree/d/loop")).unwrap();
        symlink("/etc", server.there("tree/out")).unwrap();
        symlink("nowhere", server.there("tree/dangling")).unwrap();
        let url = server.url("tree/");
        let read = |path: &str| fs::read_to_string(server.here(path)).unwrap();
        // pyftpdlib lists what links lead to, so that there are none to be seen.
        if kind != Kind::Pyftpdlib {
            server.good(&["mirror", &url, "skip"]);
            assert!(!server.here("skip/file").exists() && !server.here("skip/dir").exists());
            server.good(&["mirror", "--links", "copy", &url, "copy"]);
            let link = |path: &str| fs::read_link(server.here(path)).ok();
            assert_eq!(link("copy/file").as_deref(), Some("d/x".as_ref()));
            assert_eq!(link("copy/dir").as_deref(), Some("d".as_ref()));
            assert_eq!(link("copy/dangling").as_deref(), Some("nowhere".as_ref()));
            assert_eq!(
                (read("copy/dir/x"), link("copy/out")),
                ("eks".to_owned(), None)
            );
            let again = server.good(&["mirror", "--json", "--links", "copy", &url, "copy"]);
            assert!(!again.contains("make_link"), "{again}");
            server.good(&["mirror", "--links", "follow", &url, "follow"]);
            assert_eq!(
                (read("follow/file"), read("follow/dir/x")),
                ("eks".into(), "eks".into())
            );
            assert!(!server.here("follow/d/loop/d/loop").exists(), "{kind:?}");
        }
        let up = server.url("up/");
        symlink("..", server.here("copy/d/round")).ok();
        if kind == Kind::Ours {
            server.good(&["mirror", "--links", "copy", "copy", &up]);
            assert_eq!(
                fs::read_link(server.there("up/file")).unwrap(),
                Path::new("d/x")
            );
            fs::remove_dir_all(server.there("up")).unwrap();
            server.good(&["mirror", "--links", "follow", "copy", &up]);
            assert_eq!(fs::read_to_string(server.there("up/dir/x")).unwrap(), "eks");
            assert!(!server.there("up/d/round").exists());
        }
    }
}

#[test]
fn a_source_that_is_not_there_deletes_nothing() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        fs::create_dir(server.here("m")).unwrap();
        fs::write(server.here("m/precious"), "x").unwrap();
        let output = server.run(&["mirror", "--delete", "URL/typo/", "m"]);
        assert!(!output.status.success(), "{kind:?}");
        assert!(server.here("m/precious").exists(), "{kind:?}");
        let words = String::from_utf8(output.stderr).unwrap();
        let hint = format!("try: sundew ftp ls {}", server.url(""));
        assert!(words.contains(&hint), "{kind:?}: {words}");
    }
}

#[test]
fn hashes_find_what_size_and_time_do_not() {
    let server = Running::start(Kind::Ours);
    server.put_there("pub/f", "right");
    fs::create_dir(server.here("m")).unwrap();
    fs::write(server.here("m/f"), "wrong").unwrap();
    server.good(&["mirror", "-q", "URL/pub/", "m"]);
    assert_eq!(fs::read(server.here("m/f")).unwrap(), b"wrong");
    server.good(&["mirror", "-q", "--compare", "hash", "URL/pub/", "m"]);
    assert_eq!(fs::read(server.here("m/f")).unwrap(), b"right");
    let again = server.good(&["mirror", "--json", "--compare", "hash", "URL/pub/", "m"]);
    assert!(
        again.contains(r#""transferred":0,"unchanged":1"#),
        "{again}"
    );
}

#[test]
fn names_are_managed_on_every_server() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        server.put_there("pub/f", "1");
        server.good(&["mkdir", "-p", "URL/pub/a/b/"]);
        server.good(&["mkdir", "-p", "URL/pub/a/b/"]);
        server.good(&["mv", "URL/pub/f", "g"]);
        server.good(&["mv", "URL/pub/g", "pub/a/b/h"]);
        assert!(server.there("pub/a/b/h").exists(), "{kind:?}");
        assert_eq!(server.good(&["ls", "URL/pub/"]), "a/\n");
        assert_eq!(
            server.good(&["tree", "URL/"]),
            "pub/\n  a/\n    b/\n      h\n"
        );
        server.bad(6, &["rm", "URL/pub/a/"]);
        server.good(&["rm", "-r", "URL/pub/a/"]);
        assert!(!server.there("pub/a").exists(), "{kind:?}");
    }
}

#[test]
fn a_failure_says_phase_reply_and_what_to_try_and_has_its_status() {
    let server = Running::start(Kind::Ours);
    let said = server.bad(7, &["get", "URL/pub/nope"]);
    assert!(
        said.contains("transfer failed") && said.contains("550"),
        "{said}"
    );
    assert!(said.contains("try: sundew ftp ls ftp://"), "{said}");
    let hidden = server.url("x").replace("ftp://", "ftp://bob:hunter2@");
    let said = server.bad(5, &["ls", &hidden]);
    assert!(
        said.contains("login failed") && said.contains("bob"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    assert!(
        !server
            .bad(5, &["ls", "--json", &hidden])
            .contains("hunter2")
    );
    server.bad(3, &["ls", "ftp://127.0.0.1:1/"]);
    server.bad(2, &["ls", "http://127.0.0.1/"]);
    server.bad(2, &["get", "URL/a%0d%0aDELE%20b"]);
    server.put_there("ok", "1");
    server.bad(1, &["get", "-q", "URL/ok", "URL/nope"]);
    assert!(!server.here("nope").exists() && !server.here(".nope.part").exists());
}

#[test]
fn the_netrc_file_is_read_and_not_where_it_is_not_wanted() {
    let server = Running::start(Kind::Ours);
    fs::write(
        server.here(".netrc"),
        "machine 127.0.0.1 login bob password hunter2\n",
    )
    .unwrap();
    let said = server.bad(5, &["ls", "URL/"]);
    assert!(
        said.contains("netrc") && !said.contains("hunter2"),
        "{said}"
    );
    server.good(&["ls", "--no-netrc", "URL/"]);
    fs::write(server.here(".netrc"), "machin 127.0.0.1\n").unwrap();
    assert!(server.bad(2, &["ls", "URL/"]).contains("line 1"));
}

#[test]
fn the_shell_does_what_the_commands_do() {
    let server = Running::start(Kind::Ours);
    server.put_there("pub/a b", "in\n");
    let words = ["shell", &server.url("")].map(str::to_owned);
    let mut child = command(&server.here(""), &words)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let script = "cd pub\npwd\nls\ncat 'a b'\nget a\\ b\nput 'a b'\nmkdir d\nmv 'a b' d/c\ncd d\nls\nquote NOOP\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = finish(child);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.starts_with("/pub\na b\nin\nc\n200 "),
        "{shown} {said}"
    );
    assert!(server.here("a b").exists() && server.there("pub/d/c").exists());
}

#[test]
fn a_rate_limit_is_kept() {
    let server = Running::start(Kind::Ours);
    server.put_there("x", body(300_000));
    let report = server.good(&["get", "--json", "--limit-rate", "300k", "URL/x"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let seconds = report["seconds"].as_f64().unwrap();
    assert!(seconds > 0.7, "{seconds}");
}
