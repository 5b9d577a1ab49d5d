//! Users, logs, metrics, bans, programs, signals: what the guide says, tried.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::client::PATIENCE;
use crate::daemon::{BIG_BYTES, Daemon, ftpd, hash};

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
    let metrics = server.log_line("metrics on http://");
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
        "ftpd_answers_total{verb=\"STOR\",code=\"226\"} 1",
        "ftpd_answers_total{verb=\"PASS\",code=\"230\"} 1",
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
fn the_filter_of_the_guide_finds_guessers_in_the_events_and_nobody_else() {
    let mut server = Daemon::start(
        "[user.anna]\ncertificates = ['00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00']\n\
         [tls]\nself_signed = true\n[anonymous]\ntls = 'control'\n\
         [bans]\ndelay = '1ms'\n[log]\nevents = 'HERE/events'\n",
    );
    let mut client = server.client();
    client.expect("220 ");
    // A name that looks like the end of a line, and one that may not come without TLS.
    for name in ["x\",\"address\":\"192.0.2.1", "anna", "ftp"] {
        client.ask(&format!("USER {name}"), "");
        client.ask("PASS x", "5");
    }
    assert!(server.end("TERM").success());
    let filter = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/guide/fail2ban-ftpd.conf"
    );
    // fail2ban takes the time out of the line, and reads <HOST> as an address.
    let script = format!(
        "import re\n\
         rule = next(l for l in open('{filter}') if l.startswith('failregex')).split('=', 1)[1].strip()\n\
         rule = re.compile(rule.replace('<HOST>', r'(?P<host>[0-9a-f.:]+)'))\n\
         for line in open('{}'):\n\
         \x20   line = re.sub(r'\"time\":\"[^\"]*\"', '', line, count=1).rstrip()\n\
         \x20   found = rule.search(line)\n\
         \x20   if found: print(found['host'])\n",
        server.path("events")
    );
    let found = Command::new("python3").args(["-c", &script]).output();
    assert_eq!(found.unwrap().stdout, b"127.0.0.1\n127.0.0.1\n");
}

#[test]
fn a_hangup_reads_users_again_and_a_mistake_changes_nothing() {
    let server = Daemon::start("users_file = 'HERE/users'\n[bans]\nfailures = 0\ndelay = '1ms'\n");
    let mut client = server.client();
    client.expect("220 ");
    client.ask("USER anna", "331 ");
    client.ask("PASS one", "530 ");
    let users = server.path("users");
    fs::write(&users, format!("[anna]\npassword = '{}'\n", hash("one"))).unwrap();
    server.signal("HUP");
    server.log_line("configuration read again");
    let mut client = server.client();
    client.log_in("anna", "one");
    fs::write(&users, "[anna]\npasword = 'x'\n").unwrap();
    server.signal("HUP");
    let told = server.log_line("configuration not taken over");
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
    server.log_line("stopping");
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
