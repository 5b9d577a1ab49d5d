//! SIGHUP and SIGTERM, with clients there.

use std::fs;
use std::io::Read;
use std::process::Command;

use crate::daemon::{BIG_BYTES, Daemon, hash};

#[test]
fn a_reload_takes_over_all_but_sockets_and_files_and_names_what_needs_a_restart() {
    let mut server = Daemon::start("");
    let mut before = server.client();
    before.log_in("ftp", "x");
    let told = server.reload(
        "root = 'HERE/anna'\n\
         [listen]\naddresses = ['127.0.0.1:1']\n\
         [session]\ngreeting = 'Second.'\noff = ['MLSD']\n\
         [limits]\nconnections_per_address = 3\n\
         [bans]\nfailures = 1\ndelay = '1ms'\n\
         [data]\nactive = false\n\
         [log]\nfilter = 'debug'\nevents = 'HERE/events'\n\
         [metrics]\nlisten = '127.0.0.1:0'\n",
    );
    for section in ["root", "session", "limits", "bans", "data", "log"] {
        assert!(told.contains(section), "{section} in {told}");
    }
    let late = server.log_line("a restart is needed");
    for key in ["listen.addresses", "log.events", "metrics"] {
        assert!(late.contains(key), "{key} in {late}");
    }
    // Who was there goes on as before.
    before.ask("MLST common", "250-");
    before.expect(" ");
    before.expect("250 ");
    before.ask("EPRT |1|127.0.0.1|2000|", "200 ");
    let mut after = server.client();
    after.expect("220 Second.");
    after.log_in_now("ftp", "x");
    after.ask("SIZE own", "213 8");
    after.ask("MLSD", "502 ");
    after.ask("EPRT |1|127.0.0.1|2000|", "502 ");
    server.log_line("EPRT");
    let mut third = server.client();
    third.expect("220 ");
    let mut fourth = server.client();
    fourth.expect("421 ");
    third.ask("USER anna", "331 ");
    third.ask("PASS x", "530 ");
    drop(fourth);
    drop(third);
    let mut banned = server.client();
    banned.expect("421 ");
    before.ask("NOOP", "200 ");
}

#[test]
fn networks_and_programs_follow_a_reload_too() {
    let config = |rest: &str| format!("[process]\nlandlock = false\n{rest}");
    let mut server = Daemon::start(&config(""));
    server.reload(&config(
        "[hooks]\nverbs = ['SIZE']\nbefore = ['/bin/sh', '-c', 'exit 1']\n\
         [login]\ncommand = ['/bin/sh', '-c', 'echo \"{\\\"allow\\\": true}\"']\n",
    ));
    let mut client = server.client();
    client.log_in("whoever", "x");
    client.ask("SIZE common", "550 Refused.");
    server.reload(&config("[networks]\ndeny = ['127.0.0.0/8']\n"));
    server.client().expect("421 ");
    client.ask("NOOP", "200 ");
}

#[test]
fn a_mistake_or_a_missing_directory_changes_nothing() {
    let mut server = Daemon::start("[session]\ngreeting = 'First.'\n");
    for (config, wrong) in [
        ("[session]\ngreting = 'x'\n", "unknown key `greting`"),
        (
            "root = 'HERE/none'\n[session]\ngreeting = 'x'\n",
            "No such file",
        ),
        (
            "[session]\ngreeting = 'x'\n[log]\nfilter = 'ftp_server=loud'\n",
            "log filter",
        ),
    ] {
        let told = server.reload(config);
        assert!(told.contains(wrong), "{told}");
    }
    server.client().expect("220 First.");
}

#[test]
fn a_directory_out_of_reach_is_told_of_and_changes_nothing() {
    let server = Daemon::start("users_file = 'HERE/users'\n");
    let outside = tempfile::tempdir().unwrap();
    let password = hash("x");
    let root = outside.path().display();
    let users = format!("[bert]\npassword = '{password}'\nroot = '{root}'\n");
    fs::write(server.path("users"), users).unwrap();
    server.signal("HUP");
    let told = server.log_line("configuration ");
    assert!(
        told.contains("not taken over") && told.contains("may need a restart"),
        "{told}"
    );
}

#[test]
fn a_new_certificate_is_shown_to_new_clients_while_sessions_and_transfers_go_on() {
    let keys = tempfile::tempdir().unwrap();
    let (certificate, key) = (keys.path().join("c.pem"), keys.path().join("k.pem"));
    let make = |name: &str| {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", &format!("/CN={name}"), "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(made.status.success());
    };
    make("first.example");
    let config = format!(
        "[tls]\ncertificate = '{}'\nkey = '{}'\nrequire_resumption = false\n",
        certificate.display(),
        key.display()
    );
    let mut server = Daemon::start(&config);
    let script = format!(
        "import ftplib, ssl, sys\n\
         def connect():\n\
         \x20   c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n\
         \x20   f = ftplib.FTP_TLS(context=c, timeout=20); f.connect('127.0.0.1', {}); f.login('ftp', 'x'); f.prot_p()\n\
         \x20   der = f.sock.getpeercert(True)\n\
         \x20   return f, b'first.example' in der, b'second.example' in der\n\
         old, first, _ = connect()\n\
         data = old.transfercmd('RETR big')\n\
         got = len(data.recv(1000))\n\
         print('ready', first, flush=True)\n\
         sys.stdin.readline()\n\
         new, _, second = connect(); new.voidcmd('TYPE I')\n\
         print(second, new.size('common'))\n\
         while True:\n\
         \x20   more = data.recv(1 << 20)\n\
         \x20   got += len(more)\n\
         \x20   if not more: break\n\
         data.unwrap() if hasattr(data, 'unwrap') else None\n\
         data.close()\n\
         print(got, old.voidresp()[:3], old.voidcmd('NOOP')[:3])\n\
         lines = []; old.retrlines('NLST', lines.append)\n\
         print('common' in lines)\n",
        server.port
    );
    let mut python = Talk::start("timeout", &["60", "python3", "-c", &script]);
    assert_eq!(python.line(), "ready True");
    make("second.example");
    assert!(server.reload(&config).contains("read again"));
    python.say("go");
    assert_eq!(python.line(), "True 7");
    assert_eq!(python.line(), format!("{BIG_BYTES} 226 200"));
    assert_eq!(python.line(), "True");
    // A key that does not fit its certificate changes nothing.
    fs::write(&key, "nonsense").unwrap();
    assert!(server.reload(&config).contains("not taken over"));
}

#[test]
fn when_it_stops_idle_clients_and_further_transfers_are_told_421_and_nobody_else_gets_in() {
    let mut server = Daemon::start("");
    let mut idle = server.client();
    idle.log_in("ftp", "x");
    let mut busy = server.client();
    busy.log_in("ftp", "x");
    let mut data = busy.data();
    busy.ask("RETR big", "150 ");
    let mut first = [0; 1000];
    data.read_exact(&mut first).unwrap();
    busy.say("SIZE common");
    busy.say("RETR common");
    server.signal("TERM");
    server.log_line("stopping");
    idle.expect("421 ");
    idle.ends();
    let address = (std::net::Ipv4Addr::LOCALHOST, server.port);
    assert!(std::net::TcpStream::connect(address).is_err());
    let mut rest = Vec::new();
    data.read_to_end(&mut rest).unwrap();
    assert_eq!(first.len() + rest.len(), BIG_BYTES);
    busy.expect("226 ");
    // What was said behind the transfer: none of it begins another one.
    let mut last = busy.expect("");
    while !last.starts_with("421 ") {
        assert!(!last.starts_with("150 "), "{last}");
        last = busy.expect("");
    }
    busy.ends();
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_transfer_that_outlasts_the_grace_is_cut_and_a_second_signal_ends_at_once() {
    for second in [false, true] {
        let grace = if second { "10m" } else { "200ms" };
        let mut server = Daemon::start(&format!("[limits]\ngrace = '{grace}'\n"));
        let mut stuck = server.client();
        stuck.log_in("ftp", "x");
        let mut data = stuck.data();
        stuck.ask("RETR big", "150 ");
        server.signal("TERM");
        server.log_line("stopping");
        if second {
            server.signal("TERM");
        } else {
            server.log_line("closed after grace");
        }
        assert!(server.child.wait().unwrap().success());
        let mut rest = Vec::new();
        // Reset or end: in any case not all of it.
        let _cut = data.read_to_end(&mut rest);
        assert!(rest.len() < BIG_BYTES);
    }
}

/// A program that says lines.
struct Talk {
    child: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Talk {
    fn start(program: &str, arguments: &[&str]) -> Self {
        use std::io::BufRead;

        let mut child = Command::new(program)
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        Self {
            child,
            lines: std::io::BufReader::new(stdout).lines(),
        }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("one more line").unwrap()
    }

    fn say(&mut self, line: &str) {
        use std::io::Write;

        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
