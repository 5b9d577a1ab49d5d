//! The tables: curl, lftp, ncftp, tnftp, wget, BusyBox, Python's ftplib and basic-ftp.

use super::Bytes::{Big, Text};
use super::Kind::{Clear, Resuming, Secure};
use super::Want::{Gone, Here, Mentions, Says, Status, There};
use super::{Kind, Row, Table, Want, Way};

const ONE_TWO: &str = "one\ntwo\n";
const UP: &str = "up\nand up\n";
const LISTED: &str = "#hash\n[x]\na b\na'b\na;b\n\u{e4}\u{f6}\n";

const fn way<'a>(name: &'a str, host: &'a str, server: Kind, options: &'a [&'a str]) -> Way<'a> {
    Way {
        name,
        host,
        server,
        options,
    }
}

const fn row<'a>(name: &'a str, arguments: &'a [&'a str], wants: &'a [Want]) -> Row<'a> {
    Row {
        name,
        arguments,
        input: "",
        wants,
    }
}

const fn told<'a>(
    name: &'a str,
    arguments: &'a [&'a str],
    input: &'a str,
    wants: &'a [Want],
) -> Row<'a> {
    Row {
        name,
        arguments,
        input,
        wants,
    }
}

const V4: &str = "127.0.0.1";
const V6: &str = "[::1]";

#[test]
fn curl() {
    Table {
        program: "curl",
        first: &["-sS", "--globoff", "-k", "--max-time", "50", "{way}"],
        preamble: "",
        ways: &[
            way("EPSV", V4, Clear, &[]),
            way("PASV", V4, Clear, &["--disable-epsv"]),
            way("EPRT", V4, Clear, &["--ftp-port", "-"]),
            way("PORT", V4, Clear, &["--ftp-port", "-", "--disable-eprt"]),
            way("IPv6 EPSV", V6, Clear, &[]),
            way("IPv6 EPRT", V6, Clear, &["--ftp-port", "-"]),
            way("TLS 1.2", V4, Resuming, &["--ssl-reqd", "--tls-max", "1.2"]),
            way("TLS 1.3", V6, Resuming, &["--ssl-reqd", "--tlsv1.3"]),
        ],
        rows: CURL,
    }
    .run();
}

const CURL: &[Row<'_>] = &[
    row(
        "get",
        &["ftp://anna:secret@{host}:{port}/{there}/text"],
        &[Says(ONE_TWO)],
    ),
    row(
        "blank",
        &["ftp://anna:secret@{host}:{port}/{there}/odd/a%20b"],
        &[Says("a b")],
    ),
    row(
        "hash",
        &["ftp://anna:secret@{host}:{port}/{there}/odd/%23hash"],
        &[Says("#hash")],
    ),
    row(
        "empty",
        &["ftp://anna:secret@{host}:{port}/{there}/empty"],
        &[Says("")],
    ),
    row(
        "one CWD",
        &[
            "--ftp-method",
            "singlecwd",
            "ftp://anna:secret@{host}:{port}/{there}/odd/%5Bx%5D",
        ],
        &[Says("[x]")],
    ),
    row(
        "no CWD",
        &[
            "--ftp-method",
            "nocwd",
            "ftp://anna:secret@{host}:{port}/{there}/odd/a%3Bb",
        ],
        &[Says("a;b")],
    ),
    row(
        "big",
        &["ftp://anna:secret@{host}:{port}/{there}/big", "-o", "b"],
        &[Here("b", Big)],
    ),
    row(
        "resume",
        &["-C", "4", "ftp://anna:secret@{host}:{port}/{there}/text"],
        &[Says("two\n")],
    ),
    row(
        "range",
        &["-r", "4-6", "ftp://anna:secret@{host}:{port}/{there}/text"],
        &[Says("two")],
    ),
    row(
        "head",
        &["-I", "ftp://anna:secret@{host}:{port}/{there}/text"],
        &[Mentions("Content-Length: 8"), Mentions("Last-Modified: ")],
    ),
    // It takes the CRs out again.
    row(
        "ascii",
        &["-B", "ftp://anna:secret@{host}:{port}/{there}/text"],
        &[Says(ONE_TWO)],
    ),
    row(
        "names",
        &["-l", "ftp://anna:secret@{host}:{port}/{there}/odd/"],
        &[Says(LISTED)],
    ),
    row(
        "list",
        &["ftp://anna:secret@{host}:{port}/{there}/"],
        &[Mentions("        8 ")],
    ),
    row(
        "put",
        &[
            "-T",
            "up",
            "ftp://anna:secret@{host}:{port}/{there}/new%20name",
        ],
        &[There("new name", Text(UP))],
    ),
    row(
        "put ascii",
        &[
            "-B",
            "-T",
            "up",
            "ftp://anna:secret@{host}:{port}/{there}/new",
        ],
        &[There("new", Text(UP))],
    ),
    row(
        "put empty",
        &[
            "-T",
            "up-empty",
            "ftp://anna:secret@{host}:{port}/{there}/new",
        ],
        &[There("new", Text(""))],
    ),
    row(
        "put big",
        &[
            "-T",
            "up-big",
            "ftp://anna:secret@{host}:{port}/{there}/new",
        ],
        &[There("new", Big)],
    ),
    row(
        "append",
        &[
            "-a",
            "-T",
            "up",
            "ftp://anna:secret@{host}:{port}/{there}/text",
        ],
        &[There("text", Text("one\ntwo\nup\nand up\n"))],
    ),
    row(
        "make directories",
        &[
            "--ftp-create-dirs",
            "-T",
            "up",
            "ftp://anna:secret@{host}:{port}/{there}/x/y/new",
        ],
        &[There("x/y/new", Text(UP))],
    ),
    row(
        "quote",
        &[
            "-Q",
            "RNFR {there}/text",
            "-Q",
            "RNTO {there}/moved",
            "-Q",
            "DELE {there}/empty",
            "-Q",
            "SITE CHMOD 600 {there}/moved",
            "ftp://anna:secret@{host}:{port}/{there}/moved",
        ],
        &[Says(ONE_TWO), Gone("text"), Gone("empty")],
    ),
    // 78: "the resource referenced in the URL does not exist".
    row(
        "none",
        &["ftp://anna:secret@{host}:{port}/{there}/none"],
        &[Status(78)],
    ),
    // 9: it goes to the directory first, "access denied".
    row(
        "link out",
        &["ftp://anna:secret@{host}:{port}/{there}/../out/secret"],
        &[Status(9)],
    ),
];

#[test]
fn lftp() {
    Table {
        program: "lftp",
        first: &["--norc"],
        preamble: "set net:max-retries 4; set net:reconnect-interval-base 1; set net:timeout 20; set cmd:fail-exit yes\n\
                   set ssl:verify-certificate no; {way}\n\
                   open -u anna,secret ftp://{host}:{port}/{there}\n",
        ways: &[
            way("passive", V4, Clear, &["set ftp:ssl-allow no"]),
            way("active", V4, Clear, &["set ftp:passive-mode no"]),
            way("IPv6", V6, Clear, &["set ftp:ssl-allow no"]),
            // It says `EPRT |2|::|…|`, is refused, and goes on in passive mode.
            way("IPv6 active", V6, Clear, &["set ftp:passive-mode no"]),
            way(
                "TLS 1.2",
                V4,
                Resuming,
                &["set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS1.2; set ftp:ssl-protect-data yes"],
            ),
            way(
                "TLS 1.3",
                V6,
                Resuming,
                &["set ftp:ssl-force yes; set ftp:ssl-protect-data yes"],
            ),
        ],
        rows: LFTP,
    }
    .run();
}

const LFTP: &[Row<'_>] = &[
    told(
        "mirror",
        &[],
        "mirror odd down; cls -1 odd",
        &[
            Here("down/a b", Text("a b")),
            Here("down/#hash", Text("#hash")),
            Mentions("odd/\u{e4}\u{f6}\n"),
        ],
    ),
    told(
        "mirror in parallel",
        &[],
        "mirror -P 4 . down",
        &[
            Here("down/odd/[x]", Text("[x]")),
            Here("down/big", Big),
            Here("down/empty", Text("")),
        ],
    ),
    told(
        "mirror back",
        &[],
        "mkdir -p x/y; mirror -R . x/y",
        &[There("x/y/up", Text(UP)), There("x/y/up-big", Big)],
    ),
    told(
        "mirror back in parallel",
        &[],
        "mirror -R -P 3 . x",
        &[There("x/up-big", Big)],
    ),
    told("pget", &[], "pget -n 4 big -o b", &[Here("b", Big)]),
    told(
        "get on",
        &[],
        "get -c text -o part",
        &[Here("part", Text(ONE_TWO))],
    ),
    told(
        "put on",
        &[],
        "put part -o new; put -c up-big -o new2",
        &[There("new", Text("one\n")), There("new2", Big)],
    ),
    told(
        "change",
        &[],
        "mv text moved; rm empty; mkdir d; rmdir d; chmod 600 moved; cat moved",
        &[Says(ONE_TWO), Gone("text"), Gone("empty"), Gone("d")],
    ),
    told(
        "ascii",
        &[],
        "get -a text -o t; put -a up -o new",
        &[Here("t", Text(ONE_TWO)), There("new", Text(UP))],
    ),
    told(
        "find and du",
        &[],
        "find; du -s",
        &[Mentions("./odd/a'b\n")],
    ),
];

/// Four programs, one table: the first argument says which.
#[test]
fn ncftp() {
    Table {
        program: "sh",
        first: &[
            "-c",
            "program=$1; shift; exec $program {way} -u anna -p secret -P {port} \"$@\"",
            "sh",
        ],
        preamble: "",
        ways: &[
            way("passive", V4, Clear, &["-F"]),
            way("active", V4, Clear, &["-E"]),
        ],
        rows: NCFTP,
    }
    .run();
}

const NCFTP: &[Row<'_>] = &[
    row(
        "get",
        &[
            "ncftpget",
            "{host}",
            ".",
            "/{there}/text",
            "/{there}/odd/a b",
        ],
        &[Here("text", Text(ONE_TWO)), Here("a b", Text("a b"))],
    ),
    row(
        "get tree",
        &["ncftpget", "-R", "{host}", ".", "/{there}"],
        &[],
    ),
    row(
        "get ascii",
        &["ncftpget", "-a", "-V", "{host}", ".", "/{there}/text"],
        &[Here("text", Text(ONE_TWO))],
    ),
    row(
        "get big",
        &["ncftpget", "{host}", ".", "/{there}/big"],
        &[Here("big", Big)],
    ),
    row(
        "to standard output",
        &["ncftpget", "-c", "{host}", "/{there}/text"],
        &[Says(ONE_TWO)],
    ),
    row(
        "put",
        &[
            "ncftpput",
            "{host}",
            "/{there}/odd",
            "up",
            "up-empty",
            "up-big",
        ],
        &[
            There("odd/up", Text(UP)),
            There("odd/up-empty", Text("")),
            There("odd/up-big", Big),
        ],
    ),
    row(
        "put tree",
        &["ncftpput", "-R", "-m", "{host}", "/{there}/new", "{here}"],
        &[],
    ),
    row(
        "append",
        &["ncftpput", "-A", "{host}", "/{there}/odd", "up"],
        &[There("odd/up", Text(UP))],
    ),
    row(
        "names",
        &["ncftpls", "-1", "ftp://{host}/{there}/odd/"],
        &[Mentions("a;b\n"), Mentions("#hash\n")],
    ),
    row(
        "list",
        &["ncftpls", "-l", "ftp://{host}/{there}/"],
        &[Mentions(" 8 ")],
    ),
];

#[test]
fn tnftp() {
    Table {
        program: "tnftp",
        first: &["{way}"],
        preamble: "",
        ways: &[
            way("passive", V4, Clear, &["-p"]),
            way("active", V4, Clear, &["-A"]),
            way("IPv6", V6, Clear, &["-p"]),
            way("IPv6 active", V6, Clear, &["-A"]),
        ],
        rows: TNFTP,
    }
    .run();
}

const TNFTP: &[Row<'_>] = &[
    row(
        "get",
        &["-o", "t", "ftp://anna:secret@{host}:{port}/{there}/text"],
        &[Here("t", Text(ONE_TWO))],
    ),
    row(
        "get ascii",
        &[
            "-o",
            "t",
            "ftp://anna:secret@{host}:{port}/{there}/text;type=a",
        ],
        &[Here("t", Text(ONE_TWO))],
    ),
    row(
        "get big",
        &["-o", "b", "ftp://anna:secret@{host}:{port}/{there}/big"],
        &[Here("b", Big)],
    ),
    row(
        "put",
        &["-u", "ftp://anna:secret@{host}:{port}/{there}/new", "up"],
        &[There("new", Text(UP))],
    ),
    told(
        "by hand",
        &["-n", "-i", "-v", "{ip}", "{port}"],
        "user anna secret\ncd {there}\nbinary\nreget text part\nput up new\nappend up new\n\
                 mput up-*\nmkdir d\nrmdir d\nrename empty moved\ndelete text\nmodtime big\nsize big\n\
                 ls odd\nmlsd odd\npwd\nsystem\nrstatus\nquit\n",
        &[
            Here("part", Text(ONE_TWO)),
            There("new", Text("up\nand up\nup\nand up\n")),
            There("up-big", Big),
            There("moved", Text("")),
            Gone("text"),
            Gone("empty"),
            Mentions("2000000"),
            Mentions("a;b"),
            Mentions("221 "),
        ],
    ),
];

#[test]
fn wget() {
    Table {
        program: "wget",
        first: &["-nv", "--no-check-certificate", "--tries=2", "{way}"],
        preamble: "",
        ways: &[
            way("passive", V4, Clear, &["--timeout=30"]),
            way("active", V4, Clear, &["--no-passive-ftp"]),
            way("IPv6", V6, Clear, &["--timeout=30"]),
            way("IPv6 active", V6, Clear, &["--no-passive-ftp"]),
            way("TLS 1.2", V4, Resuming, &["--secure-protocol=TLSv1_2"]),
            way("TLS 1.3", V4, Secure, &["--secure-protocol=TLSv1_3"]),
        ],
        rows: WGET,
    }
    .run();
}

const WGET: &[Row<'_>] = &[
    row(
        "get",
        &["-O", "-", "ftp{s}://anna:secret@{host}:{port}/{there}/text"],
        &[Says(ONE_TWO)],
    ),
    row(
        "get big",
        &["-O", "b", "ftp{s}://anna:secret@{host}:{port}/{there}/big"],
        &[Here("b", Big)],
    ),
    row(
        "get on",
        &[
            "-c",
            "-O",
            "part",
            "ftp{s}://anna:secret@{host}:{port}/{there}/text",
        ],
        &[Here("part", Text(ONE_TWO))],
    ),
    row(
        "ascii",
        &[
            "-O",
            "-",
            "ftp{s}://anna:secret@{host}:{port}/{there}/text;type=a",
        ],
        &[],
    ),
    row(
        "tree",
        &[
            "-r",
            "-nH",
            "--cut-dirs=1",
            "-P",
            "down",
            "ftp{s}://anna:secret@{host}:{port}/{there}/",
        ],
        &[
            Here("down/text", Text(ONE_TWO)),
            Here("down/big", Big),
            Here("down/empty", Text("")),
            Here("down/odd/a b", Text("a b")),
            Here("down/odd/a'b", Text("a'b")),
            Here("down/odd/[x]", Text("[x]")),
        ],
    ),
    row(
        "pattern",
        &[
            "-nH",
            "-P",
            "down",
            "ftp{s}://anna:secret@{host}:{port}/{there}/odd/a*",
        ],
        &[Here("down/a b", Text("a b")), Here("down/a;b", Text("a;b"))],
    ),
    row(
        "newer",
        &["-N", "ftp{s}://anna:secret@{host}:{port}/{there}/text"],
        &[Here("text", Text(ONE_TWO))],
    ),
    row(
        "none",
        &["-O", "-", "ftp{s}://anna:secret@{host}:{port}/{there}/none"],
        &[Status(8)],
    ),
];

#[test]
fn busybox() {
    Table {
        program: "busybox",
        first: &[],
        preamble: "",
        ways: &[way("IPv4", V4, Clear, &[]), way("IPv6", V6, Clear, &[])],
        rows: BUSYBOX,
    }
    .run();
}

const BUSYBOX: &[Row<'_>] = &[
    row(
        "get",
        &[
            "ftpget",
            "-u",
            "anna",
            "-p",
            "secret",
            "-P",
            "{port}",
            "{ip}",
            "-",
            "{there}/odd/a b",
        ],
        &[Says("a b")],
    ),
    row(
        "get big",
        &[
            "ftpget",
            "-u",
            "anna",
            "-p",
            "secret",
            "-P",
            "{port}",
            "{ip}",
            "b",
            "{there}/big",
        ],
        &[Here("b", Big)],
    ),
    row(
        "get on",
        &[
            "ftpget",
            "-c",
            "-u",
            "anna",
            "-p",
            "secret",
            "-P",
            "{port}",
            "{ip}",
            "part",
            "{there}/text",
        ],
        &[Here("part", Text(ONE_TWO))],
    ),
    row(
        "put",
        &[
            "ftpput",
            "-u",
            "anna",
            "-p",
            "secret",
            "-P",
            "{port}",
            "{ip}",
            "{there}/new",
            "up",
        ],
        &[There("new", Text(UP))],
    ),
    row(
        "put big",
        &[
            "ftpput",
            "-u",
            "anna",
            "-p",
            "secret",
            "-P",
            "{port}",
            "{ip}",
            "{there}/new",
            "up-big",
        ],
        &[There("new", Big)],
    ),
    row(
        "none",
        &[
            "ftpget",
            "-u",
            "anna",
            "-p",
            "secret",
            "-P",
            "{port}",
            "{ip}",
            "x",
            "{there}/none",
        ],
        &[
            Status(1),
            Mentions("unexpected server response to RETR: 550 No such file or directory."),
        ],
    ),
];

/// Python's ftplib does not resume TLS sessions.
#[test]
fn ftplib() {
    Table {
        program: "python3",
        first: &[
            "-c",
            include_str!("ftplib.py"),
            "{ip}",
            "{port}",
            "{there}",
            "{way}",
        ],
        preamble: "",
        ways: &[
            way("IPv4", V4, Clear, &["clear"]),
            way("IPv6", V6, Clear, &["clear"]),
            way("TLS 1.2", V4, Secure, &["1.2"]),
            way("TLS 1.3", V6, Secure, &["1.3"]),
        ],
        rows: &[row("everything", &[], &[Says("done\n")])],
    }
    .run();
}

#[test]
fn basic_ftp() {
    Table {
        program: "node",
        first: &[
            "-e",
            include_str!("basic_ftp.js"),
            "--",
            "{ip}",
            "{port}",
            "{there}",
            "{way}",
        ],
        preamble: "",
        ways: &[
            way("IPv4", V4, Clear, &["clear"]),
            way("IPv6", V6, Clear, &["clear"]),
            way("TLS 1.2", V4, Resuming, &["TLSv1.2"]),
            way("TLS 1.3", V6, Resuming, &["TLSv1.3"]),
        ],
        rows: &[row(
            "everything",
            &[],
            &[
                Says("done\n"),
                Here("down/odd/a b", Text("a b")),
                Here("down/big", Big),
                There("tree/odd/[x]", Text("[x]")),
                There("tree/big", Big),
                Gone("text"),
            ],
        )],
    }
    .run();
}
