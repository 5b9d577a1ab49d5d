//! The `ftpd` program served to the clients people use: curl, lftp, BusyBox, Python's ftplib.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peers of this test are real programs and real files"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of a test fail the test"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

#[test]
fn curl_downloads_over_every_kind_of_data_connection() {
    let server = Daemon::start(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let v6 = format!("[::1]:{}", server.port);
    for (host, options) in [
        (&host, &["--disable-epsv"][..]),
        (&host, &[]),
        (&host, &["--ftp-port", "-"]),
        (&host, &["--ftp-port", "-", "--disable-eprt"]),
        (&v6, &[]),
        (&v6, &["--ftp-port", "-"]),
    ] {
        let url = format!("ftp://{host}/sub/a%20b");
        let output = server.run("curl", &[CURL, options, &[&url]].concat());
        assert_eq!(output.stdout, b"with a blank\n", "{options:?} {host}");
    }
}

#[test]
fn curl_resumes_and_is_told_what_is_missing() {
    let server = Daemon::start(&[]);
    let base = format!("ftp://127.0.0.1:{}", server.port);
    let curl = |options: &[&str], path: &str| {
        let url = format!("{base}/{path}");
        server.try_run("curl", &[CURL, options, &[&url]].concat())
    };
    assert_eq!(curl(&["-C", "4"], "text").stdout, b"two\n");
    // It takes the CRs out again.
    assert_eq!(curl(&["--use-ascii"], "text").stdout, b"one\ntwo\n");
    let big = fs::read(server.root.path().join("big")).unwrap();
    assert!(curl(&[], "big").stdout == big, "a megabyte was changed");
    // 78: "the resource referenced in the URL does not exist".
    assert_eq!(curl(&[], "nope").status.code(), Some(78));
    // 9: it goes to the directory first, "access denied".
    assert_eq!(curl(&[], "out/secret").status.code(), Some(9));
    assert_eq!(curl(&["-T", "/dev/null"], "new").status.code(), Some(25));
    assert!(!server.root.path().join("new").exists());
    let names = String::from_utf8(curl(&["--list-only"], "").stdout).unwrap();
    assert_eq!(names, "big\nout\nsub\ntext\n");
}

#[test]
fn lftp_mirrors_both_ways() {
    let server = Daemon::start(&["--write", "--user", "anna:secret"]);
    let home = tempfile::tempdir().unwrap();
    let script = format!(
        "set net:max-retries 1; set net:timeout 10; set ftp:ssl-allow no; \
         open -u anna,secret ftp://127.0.0.1:{}; lcd {}; \
         mirror --no-symlinks / down; mirror -R down/sub up; mv text text2; mkdir -p x/y; rmdir x/y; \
         rm big; cls -1 /; quit",
        server.port,
        home.path().display()
    );
    let output = server.run("lftp", &["--norc", "-c", &script]);
    let names = String::from_utf8(output.stdout).unwrap();
    assert_eq!(names, "/out@\n/sub/\n/text2\n/up/\n/x/\n");
    let read = |path: &str| fs::read_to_string(path).unwrap();
    let (local, remote) = (home.path().display(), server.root.path().display());
    assert_eq!(read(&format!("{local}/down/sub/a b")), "with a blank\n");
    assert_eq!(read(&format!("{remote}/up/a b")), "with a blank\n");
    assert_eq!(read(&format!("{remote}/text2")), "one\ntwo\n");
}

#[test]
fn busybox_gets_and_puts() {
    let server = Daemon::start(&["--write"]);
    let port = server.port.to_string();
    let here = server.work.path();
    server.run(
        "busybox",
        &["ftpget", "-P", &port, "127.0.0.1", "got", "sub/a b"],
    );
    assert_eq!(fs::read(here.join("got")).unwrap(), b"with a blank\n");
    fs::write(here.join("part"), "one\n").unwrap();
    server.run(
        "busybox",
        &["ftpget", "-c", "-P", &port, "127.0.0.1", "part", "text"],
    );
    assert_eq!(fs::read(here.join("part")).unwrap(), b"one\ntwo\n");
    server.run(
        "busybox",
        &["ftpput", "-P", &port, "127.0.0.1", "put", "got"],
    );
    let put = server.root.path().join("put");
    assert_eq!(fs::read(put).unwrap(), b"with a blank\n");
    let output = server.try_run("busybox", &["ftpget", "-P", &port, "127.0.0.1", "nope"]);
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "ftpget: unexpected server response to RETR: 550 No such file or directory.\n"
    );
}

#[test]
fn ftplib_does_everything_it_can() {
    let server = Daemon::start(&["--write", "--user", "anna:secret", "--no-anonymous"]);
    for host in ["127.0.0.1", "::1"] {
        let port = server.port.to_string();
        let output = server.run("python3", &["-c", FTPLIB, host, &port]);
        assert_eq!(output.stdout, b"done\n");
    }
}

#[test]
fn a_signal_ends_the_program_in_order() {
    let mut server = Daemon::start(&[]);
    let pid = server.child.id().to_string();
    server.run("kill", &["-TERM", &pid]);
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .args(["--port", "0", "/nonexistent"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(66));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        text,
        "ftpd: /nonexistent: No such file or directory (os error 2)\n"
    );
}

const CURL: &[&str] = &["--silent", "--globoff", "--max-time", "20"];

const FTPLIB: &str = r#"
import ftplib, io, sys
ftp = ftplib.FTP()
ftp.connect(sys.argv[1], int(sys.argv[2]), timeout=20)
try:
    ftp.login()
    raise SystemExit("anonymous was let in")
except ftplib.error_perm as error:
    assert str(error).startswith("530"), error
ftp.login("anna", "secret")
assert "MLST" in ftp.sendcmd("FEAT")
assert ftp.pwd() == "/"
assert ftp.nlst("sub") == ["sub/a b"]
facts = dict(ftp.mlsd("/", ["type", "size"]))
assert facts["text"] == {"type": "file", "size": "8"}, facts
ftp.storbinary("STOR n", io.BytesIO(b"hello"))
ftp.storbinary("APPE n", io.BytesIO(b" world"))
assert ftp.size("n") == 11
taken = io.BytesIO()
ftp.retrbinary("RETR n", taken.write, rest=6)
assert taken.getvalue() == b"world"
ftp.storlines("STOR l", io.BytesIO(b"a\nb\n"))
lines = []
ftp.retrlines("RETR l", lines.append)
assert lines == ["a", "b"], lines
ftp.voidcmd("TYPE I")
assert ftp.size("l") == 4
assert ftp.sendcmd("MFMT 20200102030405 l").startswith("213 Modify=20200102030405;")
assert ftp.sendcmd("MDTM l") == "213 20200102030405"
assert ftp.mkd('quo"ted') == '/quo"ted'
ftp.cwd('quo"ted')
assert ftp.pwd() == '/quo"ted'
ftp.cwd("..")
ftp.rmd('quo"ted')
ftp.rename("n", "m")
ftp.delete("m")
ftp.delete("l")
ftp.set_pasv(False)
taken = io.BytesIO()
ftp.retrbinary("RETR text", taken.write)
assert taken.getvalue() == b"one\ntwo\n"
ftp.set_pasv(True)
# ABOR as urgent data, in the middle of a transfer that does not fit into any buffer.
data = ftp.transfercmd("STOR aborted")
data.sendall(b"x" * 1000)
assert ftp.abort().startswith("426")
assert ftp.getresp().startswith("226")
data.close()
ftp.delete("aborted")
for bad in ("CWD /out", "RETR out/secret", "STOR out/new", "MKD out/new", "RNFR out/secret", "SIZE out/secret"):
    try:
        ftp.sendcmd("EPSV") if bad[:4] in ("RETR", "STOR") else None
        ftp.sendcmd(bad)
        raise SystemExit(bad + " led out")
    except ftplib.error_perm as error:
        assert str(error)[:3] in ("550", "553"), error
ftp.voidcmd("NOOP")
assert ftp.quit().startswith("221")
print("done")
"#;

/// The program, serving a directory of its own; killed at the end.
struct Daemon {
    child: Child,
    port: u16,
    root: TempDir,
    /// Where the clients run.
    work: TempDir,
    outside: TempDir,
}

impl Daemon {
    fn start(options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
        fs::write(root.path().join("text"), "one\ntwo\n").unwrap();
        let big: Vec<u8> = (0..1_000_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
            .collect();
        fs::write(root.path().join("big"), big).unwrap();
        fs::create_dir(root.path().join("sub")).unwrap();
        fs::write(root.path().join("sub/a b"), "with a blank\n").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
            .args(["--port", "0"])
            .args(options)
            .arg(root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(' ').next().unwrap();
        Self {
            child,
            port: port
                .parse()
                .expect("the port stands at the end of the line"),
            root,
            work: tempfile::tempdir().unwrap(),
            outside,
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = self.try_run(program, arguments);
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(&self.work)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| unreachable!("{program} must be installed: {error}"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
        let secret = fs::read(self.outside.path().join("secret"));
        if !std::thread::panicking() {
            assert_eq!(secret.ok().as_deref(), Some(&b"secret"[..]));
            assert_eq!(
                fs::read_dir(&self.outside).map(Iterator::count).ok(),
                Some(1)
            );
        }
    }
}
