//! `ftpd` as an operator uses it: configuration, users, limits, bans, logs, metrics, hooks, signals.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of a test fail the test"
)]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the program is run from outside, on files of the host"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;

#[path = "support/client.rs"]
mod client;

use client::{Client, PATIENCE};

#[test]
fn a_mistake_in_the_configuration_is_one_line_with_its_place_and_status_78() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ftpd.toml");
    fs::write(&file, "[limits]\nconections = 3\n").unwrap();
    let file = file.to_str().unwrap();
    for arguments in [vec!["check", file], vec!["--config", file]] {
        let output = ftpd(&arguments, "");
        assert_eq!(output.status.code(), Some(78));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!("ftpd: {file}:2:1: unknown key `conections`, did you mean `connections`?\n")
        );
    }
    fs::write(file, "root = '/nonexistent'\n").unwrap();
    let output = ftpd(&["check", file], "");
    assert_eq!(output.status.code(), Some(66));
}

#[test]
fn the_template_is_a_good_configuration() {
    let template = ftpd(&["template"], "");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ftpd.toml");
    fs::write(&file, template.stdout).unwrap();
    let output = ftpd(&["check", file.to_str().unwrap()], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.ends_with(": good: no root of its own, users: 0, no TLS\n"),
        "{text}"
    );
}

#[test]
fn users_have_their_own_root_permissions_and_quota() {
    let server = Daemon::start(&format!(
        "[user.anna]\npassword = '{}'\nroot = 'HERE/anna'\npermissions = 'elradfmw'\n\
         directories = {{ '/pub' = 'elr' }}\nquota_bytes = '100k'\nsessions = 1\n\
         [anonymous]\nratio = '1:1'\nratio_credit = 10\n",
        hash("secret")
    ));
    let mut anna = server.client();
    anna.log_in("anna", "secret");
    assert_eq!(anna.fetch("RETR own"), "of anna\n");
    anna.store("STOR new", &[b'x'; 50_000], "226 ");
    anna.store("STOR big", &[b'x'; 90_000], "552 ");
    anna.ask("DELE big", "250 ");
    anna.store("STOR new", &[b'x'; 90_000], "226 ");
    let data = anna.data();
    anna.ask("STOR pub/x", "55");
    drop(data);
    anna.ask("SITE CHMOD 600 new", "55");
    let mut again = server.client();
    again.expect("220 ");
    again.ask("USER anna", "331 ");
    again.ask("PASS secret", "421 Too many sessions");
    again.ends();
    let mut anybody = server.client();
    anybody.log_in("ftp", "x");
    assert_eq!(anybody.fetch("RETR common"), "of all\n");
    // Seven of ten bytes were taken, and nothing was given.
    let data = anybody.data();
    anybody.ask("RETR common", "550 ");
    drop(data);
    anybody.ask("DELE common", "550 ");
}

#[test]
fn transfers_logins_and_sessions_can_be_watched() {
    let mut server = Daemon::start(&format!(
        "[user.anna]\npassword = '{}'\npermissions = 'elradfmw'\n\
         [log]\ntransfers = 'HERE/xferlog'\nevents = 'HERE/events'\n\
         [metrics]\nlisten = '127.0.0.1:0'\n[process]\ncontrol = 'HERE/control'\n",
        hash("secret")
    ));
    let metrics = server.stderr_line("metrics on http://");
    let metrics = metrics.rsplit(' ').next().unwrap().to_owned();
    let mut anna = server.client();
    anna.log_in("anna", "secret");
    anna.store("STOR new file", b"12345", "226 ");
    assert_eq!(anna.fetch("RETR common"), "of all\n");
    let control = server.path("control");
    let who = ftpd(&["who", "--control", &control], "");
    let who = String::from_utf8(who.stdout).unwrap();
    assert!(who.lines().nth(1).unwrap().contains(" anna "), "{who}");

    let who = anna.ask("SITE WHO", "2");
    assert!(who.starts_with("200-") || who.starts_with("21"), "{who}");
    assert!(anna.expect(" anna ").contains("SITE"));
    anna.expect("2");

    let page = Command::new("curl")
        .args(["-sS", &metrics])
        .output()
        .unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    for line in [
        "ftpd_sessions 1",
        "ftpd_logins_total{result=\"in\"} 1",
        "ftpd_commands_total{verb=\"STOR\"} 1",
        "ftpd_transfer_bytes_total{direction=\"received\"} 5",
        "ftpd_transfers_total{direction=\"sent\",result=\"complete\"} 1",
    ] {
        assert!(page.lines().any(|other| other == line), "{line} in {page}");
    }
    anna.ask("QUIT", "221 ");
    anna.ends();
    assert!(server.end("TERM").success());
    let xferlog = fs::read_to_string(server.path("xferlog")).unwrap();
    let lines: Vec<_> = xferlog.lines().collect();
    assert!(
        lines[0].ends_with(" 127.0.0.1 5 /new_file b _ i r anna ftp 0 * c"),
        "{xferlog}"
    );
    assert!(
        lines[1].ends_with(" 127.0.0.1 7 /common b _ o r anna ftp 0 * c"),
        "{xferlog}"
    );
    let events = fs::read_to_string(server.path("events")).unwrap();
    let names: Vec<_> = events
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .filter(|name| name != "command")
        .collect();
    let expected = [
        "connect",
        "login",
        "transfer",
        "transferred",
        "transfer",
        "transferred",
        "disconnect",
    ];
    assert_eq!(names, expected);
    assert!(!events.contains("secret"));
}

#[test]
fn a_guesser_is_banned_until_the_ban_is_lifted() {
    let server =
        Daemon::start("[bans]\ndelay = '1ms'\nfailures = 2\n[process]\ncontrol = 'HERE/control'\n");
    let mut guesser = server.client();
    guesser.expect("220 ");
    for name in ["anna", "bert"] {
        guesser.ask(&format!("USER {name}"), "331 ");
        guesser.ask("PASS x", "530 ");
    }
    let mut banned = server.client();
    banned.expect("421 ");
    banned.ends();
    let control = server.path("control");
    let bans = ftpd(&["bans", "--control", &control], "");
    assert!(
        String::from_utf8(bans.stdout)
            .unwrap()
            .starts_with("127.0.0.1 ")
    );
    let lifted = ftpd(&["unban", "127.0.0.1", "--control", &control], "");
    assert_eq!(lifted.stdout, b"lifted\n");
    server.client().expect("220 ");
}

#[test]
fn a_hangup_reads_users_again_and_a_mistake_changes_nothing() {
    let mut server =
        Daemon::start("users_file = 'HERE/users'\n[bans]\nfailures = 0\ndelay = '1ms'\n");
    let mut client = server.client();
    client.expect("220 ");
    client.ask("USER anna", "331 ");
    client.ask("PASS one", "530 ");
    let users = server.path("users");
    fs::write(&users, format!("[anna]\npassword = '{}'\n", hash("one"))).unwrap();
    server.signal("HUP");
    server.stderr_line("configuration read again");
    let mut client = server.client();
    client.log_in("anna", "one");
    fs::write(&users, "[anna]\npasword = 'x'\n").unwrap();
    server.signal("HUP");
    let told = server.stderr_line("configuration not taken over");
    assert!(told.contains("users:2:1: unknown key `pasword`"), "{told}");
    let mut client = server.client();
    client.log_in("anna", "one");
}

#[test]
fn a_program_of_the_operator_decides_about_logins() {
    let script = "read -r question; case $question in \
        *'\"password\":\"open sesame\"'*) echo '{\"allow\": true, \"permissions\": \"el\"}';; \
        *) echo '{\"allow\": false}';; esac";
    let server = Daemon::start(&format!(
        "[login]\ncommand = ['/bin/sh', '-c', '''{script}''']\n[bans]\ndelay = '1ms'\n"
    ));
    let mut client = server.client();
    client.expect("220 ");
    client.ask("USER ali", "331 ");
    client.ask("PASS open barley", "530 ");
    client.log_in_now("ali", "open sesame");
    assert!(client.fetch("NLST").contains("common"));
    client.ask("SIZE common", "213 ");
    let data = client.data();
    client.ask("RETR common", "550 ");
    drop(data);
}

#[test]
fn a_program_of_the_operator_refuses_a_command_and_hears_of_transfers() {
    let server = Daemon::start(
        "[anonymous]\npermissions = 'elradfmw'\n[hooks]\nverbs = ['DELE']\n\
         before = ['/bin/sh', '-c', 'echo \"$FTP_ARGUMENT stays.\"; exit 1']\n\
         transfer = ['/bin/sh', '-c', 'echo $FTP_DIRECTION $FTP_BYTES $FTP_PATH > HERE/told.new; mv HERE/told.new HERE/told']\n",
    );
    let mut client = server.client();
    client.log_in("ftp", "x");
    client.ask("DELE common", "550 common stays.");
    assert_eq!(client.fetch("RETR common"), "of all\n");
    let told = server.path("told");
    let until = Instant::now() + PATIENCE;
    while !PathBuf::from(&told).exists() {
        assert!(Instant::now() < until, "the program was not run");
        std::thread::yield_now();
    }
    assert_eq!(fs::read_to_string(told).unwrap(), "sent 7 /common\n");
}

#[test]
fn a_transfer_under_way_is_finished_before_the_program_ends() {
    let mut server = Daemon::start("");
    let mut client = server.client();
    client.log_in("ftp", "x");
    let mut data = client.data();
    client.ask("RETR big", "150 ");
    let mut first = [0; 1000];
    data.read_exact(&mut first).unwrap();
    server.signal("TERM");
    server.stderr_line("stopping");
    let mut rest = Vec::new();
    data.read_to_end(&mut rest).unwrap();
    assert_eq!(first.len() + rest.len(), BIG_BYTES);
    client.expect("226 ");
    client.expect("421 ");
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn tls_can_be_required_and_the_second_line_says_how_to_connect() {
    let server = Daemon::start("[tls]\nself_signed = true\nrequired = 'both'\n");
    assert!(
        server
            .hint
            .contains("curl --ssl-reqd --insecure ftp://127.0.0.1:"),
        "{}",
        server.hint
    );
    let mut clear = server.client();
    clear.expect("220 ");
    clear.ask("USER ftp", "5");
    let url = format!("ftp://127.0.0.1:{}/common", server.port);
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "20", "--ssl-reqd", "--insecure", &url])
        .output()
        .unwrap();
    assert_eq!(
        output.stdout,
        b"of all\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn nobody_answers_is_status_69() {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control");
    let output = ftpd(&["who", "--control", control.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(69));
}

/// More than the buffers of a connection take.
const BIG_BYTES: usize = 20_000_000;

/// Runs the program to its end.
fn ftpd(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Most commands read nothing.
    let _written = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The hash of a password, as the program makes it.
fn hash(password: &str) -> String {
    let output = ftpd(&["hash"], &format!("{password}\n"));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The program with a configuration, killed at the end.
struct Daemon {
    child: Child,
    stderr: BufReader<ChildStderr>,
    port: u16,
    /// The second line it has printed.
    hint: String,
    dir: TempDir,
}

impl Daemon {
    /// Starts it; `HERE/` in the configuration stands for its directory.
    fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path();
        for directory in ["common", "anna", "anna/pub"] {
            fs::create_dir(here.join(directory)).unwrap();
        }
        fs::write(here.join("common/common"), "of all\n").unwrap();
        fs::write(here.join("common/big"), vec![b'x'; BIG_BYTES]).unwrap();
        fs::write(here.join("anna/own"), "of anna\n").unwrap();
        fs::write(here.join("users"), "").unwrap();
        let mut text = String::from("root = 'HERE/common'\n");
        // Keys without a section have to come first.
        let (head, sections) = config.split_at(config.find('[').unwrap_or(config.len()));
        let head_is_list = head.trim_start().starts_with("users_file");
        let (head, sections) = if head_is_list {
            (head, sections)
        } else {
            ("", config)
        };
        write!(
            text,
            "{head}[listen]\naddresses = ['127.0.0.1:0']\n{sections}"
        )
        .unwrap();
        let file = here.join("ftpd.toml");
        fs::write(
            &file,
            text.replace("HERE/", &format!("{}/", here.display())),
        )
        .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut line, mut hint) = (String::new(), String::new());
        stdout.read_line(&mut line).unwrap();
        stdout.read_line(&mut hint).unwrap();
        let port = line.trim_end().rsplit(' ').next().unwrap().parse();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            port: port.expect("the port stands at the end of the first line"),
            child,
            stderr,
            hint,
            dir,
        }
    }

    fn client(&self) -> Client {
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, self.port).into();
        Client::connect(address)
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    fn end(&mut self, signal: &str) -> std::process::ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    /// Reads the log up to a line that has this in it.
    fn stderr_line(&mut self, part: &str) -> String {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            let count = self.stderr.read_line(&mut line).unwrap();
            assert!(count > 0, "the log ends before {part:?}");
        }
        line.trim_end().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
