//! Our `ftpget` and `ftpput` beside the real ones, against the same scripted servers.
//!
//! The truth is the installed `busybox` (1.35 of Debian 12): each case runs both programs and
//! compares standard output, standard error, exit status, the files left and every byte the server
//! received. Only the port number differs between two runs. Without `busybox` these tests fail.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests prepare and inspect files"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]
#![allow(clippy::too_many_lines, reason = "the tables are long, not the code")]

mod run;
mod server;

use run::{Case, Until, get, put, same, verbose};
use server::{Answer, Script, script};

fn big() -> Script {
    script().body(big_body(200_000))
}

/// Bytes of every value, so that nothing on the way may be text.
fn big_body(size: usize) -> Vec<u8> {
    (0..=255_u8).cycle().take(size).collect()
}

#[tokio::test]
async fn command_lines_are_read_alike() {
    let lines = [
        "",
        "h",
        "h a b c",
        "-",
        "- a b c",
        "--",
        "--help",
        "--help x",
        "-h",
        "-x h a",
        "-vx h a",
        "-xy",
        "-v- h a",
        "--foo",
        "--foo=bar h",
        "-P",
        "-vP",
        "h a -P",
        "-u",
        "--port",
        "--cont",
        "--p x h a",
        "--p=x h a",
        "--pa x",
        "--po",
        "--u",
        "--v --",
        "--verbose=1 h",
        "--verb= h",
        "--=x",
        "--c",
        "-- -v a",
        "-c",
        "-cv",
        "--continue h a",
        "--username",
        "-\u{1}",
        "--continue= -P {port} 127.0.0.1 a",
        "-P {port} 127.0.0.1 -- -a",
        "127.0.0.1:{port} a -u bob -v",
        "127.0.0.1:{port} -vu bob -pX a",
        "--user=bob --pass=q --verb 127.0.0.1:{port} a",
        "--verbose --username bob --password secret --port {port} 127.0.0.1 b a",
        "-u '' -p '' -v -P {port} 127.0.0.1 a",
        "-u a -u b -v -P 1 -P {port} 127.0.0.1 a",
        "-v -P {port} 127.0.0.1 '' a",
        "-v -P {port} 127.0.0.1 ''",
    ];
    same(lines.into_iter().map(get)).await;
    let lines = [
        "",
        "h",
        "h a b c",
        "--help",
        "-c",
        "-x",
        "--p",
        "--continue h a",
        "-cP",
    ];
    same(lines.into_iter().map(put)).await;
}

#[tokio::test]
async fn hosts_and_ports_are_read_alike() {
    let ports = [
        "ftp",
        "tftp",
        "notaport",
        "0",
        "70000",
        "65536",
        "021",
        "+21",
        "-1",
        "0x15",
        "21x",
        "''",
        "99999999999999999999",
        "ftp-data",
    ];
    same(ports.map(|port| get(&format!("-v -P {port} 127.0.0.1 a")))).await;
    same(ports.map(|port| get(&format!("-v 127.0.0.1:{port} a")))).await;
    let hosts = [
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.1",
        "127.0.1",
        "127.0.0.01",
        "127.0.0.08",
        "127.0.0.1.",
        "127.65537",
        "256.1.1.1",
        "1.2.3.4.5",
        "''",
        "localhost",
        "[127.0.0.1]",
        "[localhost]",
        "[]",
        "[",
        "[::1",
        "[::1]x",
        "no.such.host.invalid",
        "a:b:c",
        "::1:2:",
        "127.0.0.1\tx",
        "\u{b}",
        "-",
        "0x7f.0x0.0x0.0x1",
        "0x",
        "0x.1",
        "127..1",
        "\u{ff}.invalid",
    ];
    same(hosts.map(|host| get(&format!("-v -P {{port}} {host} a")))).await;
    let ours = [
        "127.0.0.1:{port}",
        "localhost:{port}",
        "[127.0.0.1]:{port}",
        "[localhost]:{port}",
        "127.0.0.1:0{port}",
        "127.0.0.1:",
        ":{port}",
        "[]:{port}",
        "[127.0.0.1]:",
        "[::1]:x",
        "[::1]:99999",
        "no.such.host.invalid:1",
        "no.such.host.invalid:x",
    ];
    same(ours.map(|host| get(&format!("-v {host} a")))).await;
    same([
        get("-v -P {port} ::1 a").server(script().on_ipv6()),
        get("-v [::1]:{port} a").server(script().on_ipv6()),
        get("-v -P {port} [::1] a").server(script().on_ipv6()),
        get("-v -P 1 ::1 a"),
        get("-v -P 1 ::ffff:127.0.0.1 a"),
        get("-v -P 1 [::ffff:127.0.0.1] a"),
        get("-v -P zz 127.0.0.1:{port} a"),
        get("-v -P zz 127.0.0.1:x a"),
        get("-v -P 1 127.0.0.1:{port} a"),
        get("-v -P {port} 127.0.0.1").raw_argument(b"\xff\x01\xff"),
        get("-v -P {port}")
            .raw_argument(b"127.0.0.1 x")
            .raw_argument(b"a b "),
        get("-v").raw_argument(b"127.0.0.1: 1").raw_argument(b"a"),
        get("-v").raw_argument(b" 127.0.0.1").raw_argument(b"a"),
    ])
    .await;
}

#[tokio::test]
async fn good_servers_get_the_same_commands() {
    same([
        get("-P {port} 127.0.0.1 ftp1.sh ftp1.sh"),
        get("-P {port} 127.0.0.1 ftp1.sh"),
        verbose("ftp1.sh ftp1.sh"),
        verbose("-u bob -p secret out.sh ftp1.sh"),
        verbose("-u anonymous -p anonymous a a"),
        verbose("-u bob out.sh ftp1.sh"),
        verbose("n.txt sub/n.txt"),
        verbose("sub/n.txt"),
        verbose("sub/n.txt").directory("sub"),
        verbose("n.txt /sub/n.txt"),
        get("-P {port} 127.0.0.1 - ftp1.sh"),
        verbose("- ftp1.sh"),
        verbose("-"),
        verbose("empty").server(script().body("")),
        verbose("big").server(big()),
        get("-P {port} 127.0.0.1 - a").server(big()),
        get("-P {port} 127.0.0.1 a").file("a", b"something longer than the body"),
        verbose("a").server(script().greeting("220-hi\r\n220-there\r\n 220 x\r\n220 ok\r\n")),
        verbose("a").server(script().greeting("220-hi\r\nhello\r\n220 ok\r\n")),
        verbose("a").server(script().line("USER", "230 in")),
        verbose("a").server(script().line("PASS", "230-Welcome\r\n230-to\r\n230 us")),
        verbose("a").server(script().line("RETR", "125 already open")),
        verbose("a").server(script().line("TYPE", "500 no")),
        verbose("a").server(script().line("SIZE", "550 no")),
        verbose("a").server(script().line("SIZE", "213 xyz")),
        verbose("a").server(script().line("EPSV", "500 no")),
        verbose("a").server(script().line("QUIT", "500 no")),
        verbose("a").server(
            script()
                .answer("PASS", Answer::say("230 ok\n"))
                .greeting("220 bare\n"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn continuing_looks_at_the_local_file_at_the_same_moment() {
    let resume = |args: &str| get(&format!("-v -c -P {{port}} 127.0.0.1 {args}"));
    same([
        resume("ftp1.sh").file("ftp1.sh", b"echo"),
        resume("ftp1.sh").file("ftp1.sh", b"echo one\n"),
        resume("ftp1.sh").file("ftp1.sh", b"a file longer than the other"),
        resume("ftp1.sh").file("ftp1.sh", b""),
        resume("ftp1.sh"),
        resume("no/x ftp1.sh"),
        resume("-"),
        resume("d a").directory("d"),
        resume("a")
            .file("a", b"echo")
            .server(script().line("SIZE", "550 no")),
        resume("a").server(script().line("SIZE", "550 no")),
        resume("a")
            .file("a", b"echo")
            .server(script().line("REST", "500 no")),
        resume("a")
            .file("a", b"echo")
            .server(script().line("RETR", "550 no")),
    ])
    .await;
}

#[tokio::test]
async fn refusals_are_quoted_alike() {
    let steps: &[(&str, &[&str])] = &[
        (
            "USER",
            &[
                "530 go away",
                "332 account",
                "200 x",
                "500 x",
                "220 x",
                "421 busy",
            ],
        ),
        (
            "PASS",
            &[
                "530 Authentication failed.",
                "332 account",
                "202 x",
                "200 x",
                "331 again",
            ],
        ),
        ("TYPE", &["421 bye", "999 x", "5x0 x"]),
        ("SIZE", &["421 bye", "21x x"]),
        (
            "RETR",
            &[
                "550 No such file or directory.",
                "151 x",
                "226 x",
                "425 x",
                "999 x",
            ],
        ),
        ("QUIT", &["99a x", "5 y x", "421 x", "220-x\r\n221 x"]),
    ];
    let cases = steps.iter().flat_map(|(verb, lines)| {
        lines.iter().map(move |line| {
            let server = script().line(verb, line);
            verbose("a").server(server).named(format!("{verb}: {line}"))
        })
    });
    same(cases).await;
    same([
        get("-P {port} 127.0.0.1 a").server(script().line("RETR", "550 no")),
        get("-u eve -p x -P {port} 127.0.0.1 a").server(script().line("USER", "530 go away")),
        get("-P 1 127.0.0.1 a"),
        get("-v -P 1 127.0.0.1 a"),
    ])
    .await;
}

#[tokio::test]
async fn passive_replies_are_read_alike_and_the_address_is_never_believed() {
    let lines = [
        "229 ok",
        "229 foo|bar",
        "229 foo|1|bar",
        "229 (|||abc|)",
        "229 (|||70000|)",
        "229 (|||+5|)",
        "229 (|||-5|)",
        "229 (||||)",
        "229 (|||0|)",
        "229 (|||1|)",
        "229 (|||5k|)",
        "229 (||| 5|)",
        "229 (|||99999999999|)",
        "229 (!!!5!)",
        "229 |{port}|",
        "229 x|{port}|x|",
        "229 |||{port}|x",
        "229 ||",
        "229 |0{port}|",
        "200 (|||{port}|)",
        "22x (|||{port}|)",
        "229-(|||{port}|)\r\n229 x",
        "228 x",
        "421 x",
        "229 (|2|10.1.2.3|{port}|)",
    ];
    same(lines.map(|line| {
        let server = script().line("EPSV", line).body(line);
        verbose("a").server(server).named(line)
    }))
    .await;
    let lines = [
        "227 (127,0,0,1,{high},{low})",
        "227 127,0,0,1,{high},{low}",
        "227 (10,1,2,3,{high},{low})",
        "227 (8,8,8,8,{high},{low}).",
        "227 =1,{high},{low}",
        "227 ,{high},{low}",
        "227 (1,2)",
        "227 (1,2,3,4,5,999)",
        "227 (1,2,3,4,999,5)",
        "227 ok",
        "227 1,2",
        "227 7,",
        "227 (9)",
        "227 (,)",
        "227 (a,b)",
        "227 (1,2,3,4,0,1) (x)",
        "227 (1,2,3,4,0,1",
        "227 1,2,3.",
        "227 1,2,3 ",
        "227 (1,2,3,4,+0,1)",
        "227 (1,2,3,4,0x0,1)",
        "227 (1,2,3,4,00,01)",
        "227 ,1",
        "227 1,2,3\r",
        "227 )1,2,3(",
        "500 no",
        "229 (|||5|)",
        "226 x",
        "227 (1,2,3,4,0,0)",
        "227 (1,2,3,4,4294967296,1)",
    ];
    same(lines.map(|line| {
        let server = script().line("EPSV", "500 no").line("PASV", line);
        verbose("a").server(server).named(line)
    }))
    .await;
}

#[tokio::test]
async fn garbage_from_the_server_is_cut_and_skipped_alike() {
    let greetings: &[&[u8]] = &[
        b"421 too many\r\n",
        b"120 soon\r\n220 hi\r\n",
        b"421 a\tb\r\n",
        b"421 a\xffb\r\n",
        b"421 a\0b\r\n",
        b"421 \r\n",
        b"421\r\n421 x\r\n",
        b"hello\r\n421 x\r\n",
        b"4xx x\r\n",
        b"4x1 x\r\n",
        b"999 x\r\n",
        b"000 x\r\n",
        b"22 0 x\r\n220 \r\n",
        b"220\r\n220 hi\r\n",
        b"\n\n\n421 y\n",
        b"+21 x\r\n421 z\r\n",
        b"4-1 x\r\n",
        b"4\r1 x\r\n",
        b"42\r x\r\n",
        b"\xff\xfb\x01421 telnet\r\n421 second\r\n",
        b"42\0 hello\r\n",
        b"4\0\0 hello\r\n",
        b"4\xff1 hello\r\n",
        b"\x00421 x\r\n422 y\r\n",
        b"421 a\rb\r\n",
        b"421 a\rb\n",
        b"421 x\x7fy\r\n",
        b"421 x\x1b[31m\r\n",
        b"0x1 x\r\n",
        b"1e1 x\r\n",
        b"421-a\r\n421 \r\n",
        b"220 a b\xc3\xa9\r\n",
        b"2200 x\r\n421 y\r\n",
        b"1\r\n12\r\n123\r\n421 z\r\n",
    ];
    same(greetings.iter().map(|bytes| {
        let case = verbose("a").server(script().greeting(bytes));
        case.named(bytes.escape_ascii().to_string())
    }))
    .await;

    // What lies behind the longest piece of a line counts as the next one.
    let numbers: String = (1..2000).map(|number| format!("{number:04} ")).collect();
    let pieces = (0..5).map(|shift| {
        let line = format!("{}{numbers}\r\n421 end\r\n", "a".repeat(shift));
        verbose("a")
            .server(script().greeting(line))
            .named(format!("pieces {shift}"))
    });
    same(pieces).await;
    let long = [980, 981, 982, 5000].map(|size| {
        let line = format!("421 {}\r\n", "x".repeat(size - 4));
        verbose("a")
            .server(script().greeting(line))
            .named(format!("long {size}"))
    });
    same(long).await;
    let silent_close = |bytes: &'static [u8]| {
        let server = script().greeting(bytes).answer("USER", Answer::Close);
        verbose("a")
            .server(server)
            .named(bytes.escape_ascii().to_string())
    };
    same([
        silent_close(b"220 x\r\n"),
        silent_close(b"220 x\r\n331 early"),
        silent_close(b"220 x\r\n331 early\r\n"),
        silent_close(b"220 x\r\n\r\n"),
    ])
    .await;
}

#[tokio::test]
async fn broken_transfers_end_alike_and_leave_what_came() {
    let cut = || script().body(big_body(70_000)).line("SIZE", "213 200000");
    let steps = ["USER", "PASS", "TYPE", "EPSV", "SIZE", "RETR", "QUIT"];
    same(steps.map(|verb| {
        verbose("a")
            .server(script().answer(verb, Answer::Close))
            .named(verb)
    }))
    .await;
    same([
        verbose("a").server(cut().last(Answer::Close)).named("cut"),
        verbose("a").server(cut().last(Answer::say("426 broken\r\n"))),
        verbose("a").server(cut()).named("short, but confirmed"),
        verbose("a")
            .server(big().last(Answer::Close))
            .named("no 226"),
        verbose("a").server(script().last(Answer::say("225 x\r\n"))),
        verbose("a").server(script().last(Answer::say("250 x\r\n"))),
        verbose("a")
            .server(script().last(Answer::say("226")))
            .interrupted(Until::Stderr("a\nftpget: cmd (null)")),
        verbose("a").server(script().last(Answer::say("226-x\r\n226 y\r\n"))),
        verbose("a").server(script().reset()).named("reset"),
        verbose("a").server(
            script()
                .line("RETR", "150 x\r\n226 y")
                .last(Answer::say("")),
        ),
        verbose("a").server(script().line("RETR", "150 x\r\n226 y")),
        verbose("a").server(script().last(Answer::say("226 y\r\n221 early\r\n"))),
        verbose("/dev/full a"),
        get("-v -P {port} 127.0.0.1 - a").through(r#"exec "$@" >/dev/full"#),
        verbose("a").through(r#"exec "$@" >/dev/full"#),
        verbose("- a").through(r#"exec "$@" 2>&1"#),
        verbose("a").through(r#"umask 077; exec "$@""#),
        verbose("nodir/x a"),
        verbose("d a").directory("d"),
        verbose("x/ a"),
        verbose("/proc/x a"),
    ])
    .await;
}

#[tokio::test]
async fn an_interrupt_kills_at_once_and_leaves_what_came() {
    let silent = |verb| script().answer(verb, Answer::Silence);
    same([
        verbose("a")
            .server(script().greeting(""))
            .interrupted(Until::Stderr("cmd (null) (null)\n")),
        verbose("a")
            .server(silent("EPSV"))
            .interrupted(Until::Silence),
        verbose("a")
            .server(big().stalled())
            .interrupted(Until::FileHas("a", 200_000)),
    ])
    .await;
}

#[tokio::test]
async fn uploads_are_made_alike() {
    let upload =
        |args: &str| put(&format!("-v -P {{port}} 127.0.0.1 {args}")).file("a", b"hello\n");
    let stored = |line: &str| {
        upload("r a")
            .server(script().line("STOR", line))
            .named(line)
    };
    same([
        put("-P {port} 127.0.0.1 r a").file("a", b"hello\n"),
        upload("r a"),
        upload("a"),
        upload("-u bob -p secret dir/r a"),
        upload("r nope"),
        upload("'' a"),
        upload("r ''"),
        upload("r ."),
        upload("r e").file("e", b""),
        upload("r -").through(r#"echo hi | exec "$@""#),
        upload("-").through(r#"echo hi | exec "$@""#),
        upload("-c r a"),
        stored("125 go"),
        stored("120 go"),
        stored("200 go"),
        stored("550 no"),
        upload("r a").server(script().last(Answer::Close)),
        upload("r a").server(script().last(Answer::say("552 full\r\n"))),
        upload("r a").server(script().line("EPSV", "500 no").line("PASV", "500 no")),
        upload("r a").server(script().answer("QUIT", Answer::Close)),
        put("-v -P 1 127.0.0.1 a"),
        put("-v -P x 127.0.0.1 a"),
    ])
    .await;
}

#[tokio::test]
async fn odd_servers_are_borne_alike() {
    // Replies out of turn: preliminary ones everywhere, two at once, several lines, none of ours.
    let said = [
        ("USER", "120 wait\r\n331 go"),
        ("USER", "331-a\r\n331 b"),
        ("USER", "331 a\r\n230 in"),
        ("USER", "230 in\r\n230 in again"),
        ("PASS", "150 x\r\n230 in"),
        ("PASS", "230 in\r\n200 ok"),
        ("PASS", "230\r\n230 in"),
        ("TYPE", "150 x"),
        ("TYPE", "200 ok\r\n229 (|||{port}|)"),
        ("SIZE", "213 9 bytes"),
        ("SIZE", "213 -9"),
        ("SIZE", "213 99999999999999999999"),
        ("SIZE", "213  9"),
        ("SIZE", "150 9"),
        ("SIZE", "500 a\r\n213 9"),
        ("RETR", "120 wait\r\n150 go"),
        ("RETR", "150-a\r\n150 go"),
        ("RETR", "150 go\r\n150 really"),
        ("RETR", "200 go"),
        ("RETR", "350 go"),
        ("RETR", "450 busy"),
    ];
    let cases = said.map(|(verb, line)| {
        let server = script().line(verb, line);
        verbose("a").server(server).named(format!("{verb}: {line}"))
    });
    same(cases).await;
    // The same on upload, and what becomes of it.
    let cases = [
        "150-a\r\n150 go",
        "150 go\r\n150 really",
        "150 go\r\n226 done",
        "225 go",
        "350 go",
        "452 full",
    ]
    .map(|line| {
        put("-v -P {port} 127.0.0.1 r a")
            .file("a", b"hello\n")
            .server(script().line("STOR", line))
            .named(format!("STOR: {line}"))
    });
    same(cases).await;
    // By PASV over IPv6, where its address can be no address; by EPSV, refused there in every way.
    let six = |epsv: &str| script().on_ipv6().line("EPSV", epsv);
    same([
        get("-v -P {port} ::1 a").server(six("500 no")),
        get("-v -P {port} ::1 a").server(six("522 use (1)")),
        get("-v -P {port} ::1 a").server(six("229 ok")),
        get("-v -c -P {port} ::1 a")
            .file("a", b"echo")
            .server(script().on_ipv6()),
        get("-v -u bob -p '' -P {port} ::1 - a").server(script().on_ipv6()),
        put("-v -P {port} ::1 r a")
            .file("a", b"hello\n")
            .server(script().on_ipv6()),
        put("-v -P {port} ::1 r a")
            .file("a", b"hello\n")
            .server(six("500 no")),
    ])
    .await;
    // Going on, where the server does not, or says more than it has.
    let resume = |server: Script| {
        get("-v -c -P {port} 127.0.0.1 a")
            .file("a", b"echo")
            .server(server)
    };
    same([
        resume(script().line("REST", "200 ok")),
        resume(script().line("REST", "350-a\r\n350 b")),
        resume(script().line("REST", "150 x")),
        resume(script().answer("REST", Answer::Close)),
        resume(script().line("SIZE", "213 2")),
        resume(script().last(Answer::Close)),
        resume(script().last(Answer::say("426 cut\r\n"))),
        resume(script().body("ec")),
    ])
    .await;
    // Users and passwords as they come, through pipes and to nowhere.
    same([
        verbose("-u '' a"),
        verbose("-p '' a"),
        verbose("-u 'a b' -p 'c d' a"),
        verbose("-u bob a").server(script().line("USER", "230 in")),
        verbose("-u '%s' -p '%n' a"),
        get("-u bob -p secret -P {port} 127.0.0.1 - a").through(r#"exec "$@" | cat"#),
        get("-c -P {port} 127.0.0.1 - a").through(r#"exec "$@" | cat"#),
        put("-u bob -p secret -P {port} 127.0.0.1 r -").through(r#"exec "$@" </dev/null"#),
        put("-v -P {port} 127.0.0.1 r -").through(r#"head -c 100000 /dev/zero | "$@""#),
        put("-v -P {port} 127.0.0.1 r d").directory("d"),
    ])
    .await;
}

#[tokio::test]
async fn line_ends_in_an_operand_reach_the_server_as_question_marks() {
    let case: Case = verbose("").raw_argument(b"x\r\nDELE b");
    let wire = run::wire_of_ours(&case).await;
    assert!(wire.contains(&r"RETR x??DELE b\r\n".to_owned()), "{wire:?}");
}
