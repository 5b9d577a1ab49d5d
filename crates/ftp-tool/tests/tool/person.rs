//! What a person meets: prompts, bars, the shell's line, complaints; and what nobody may see.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::server::{Kind, Running, command, finish, run};

/// Longest wait for a line.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that lets nobody in, and tells what it heard.
fn doorkeeper() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || attend(stream, &tell));
        }
    });
    (port, heard)
}

fn attend(mut stream: TcpStream, tell: &mpsc::Sender<String>) -> Option<()> {
    stream.write_all(b"220 who is there\r\n").ok()?;
    for line in BufReader::new(stream.try_clone().ok()?).lines() {
        let line = line.ok()?;
        let reply = match line.split(' ').next()? {
            "USER" => "331 password",
            "QUIT" => "221 bye",
            _ => "530 no",
        };
        tell.send(line).ok()?;
        stream.write_all(reply.as_bytes()).ok()?;
        stream.write_all(b"\r\n").ok()?;
    }
    None
}

fn hear(heard: &Receiver<String>, begin: &str) -> String {
    loop {
        let line = heard.recv_timeout(PATIENCE).expect(begin);
        if let Some(rest) = line.strip_prefix(begin) {
            return rest.to_owned();
        }
    }
}

/// Runs a script of expect(1), in which `$program` is the program, with a terminal of its own.
fn expect(server: &Running, script: &str) -> String {
    let program = env!("CARGO_BIN_EXE_sundew-ftp");
    let script = format!("set timeout 20\nset program {program}\n{script}\n");
    let child = Command::new("expect")
        .args(["-c", &script])
        .current_dir(server.here(""))
        .env_clear()
        .env("HOME", server.here(""))
        .env("TERM", "xterm")
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = finish(child);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Ends the script with the program's status.
const STATUS: &str = "expect eof\nset ended [wait]\nputs \"\\nstatus [lindex $ended 3]\"";

/// Waits for a text.
fn until(text: &str) -> String {
    format!(
        "expect {{\n-ex {{{text}}} {{}}\ntimeout {{ puts lost; exit 9 }}\neof {{ puts ended; exit 8 }}\n}}\n"
    )
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let server = Running::start(Kind::Ours);
    let (port, heard) = doorkeeper();
    let script = format!(
        "spawn $program ls ftp://bob@127.0.0.1:{port}/\n{}send \"hunx\\x7fter2\\r\"\n{STATUS}",
        until("Password for bob on 127.0.0.1: ")
    );
    let said = expect(&server, &script);
    assert_eq!(hear(&heard, "PASS "), "hunter2");
    assert!(!said.contains("hun"), "{said}");
    assert!(said.contains("status 5"), "{said}");
}

#[test]
fn ctrl_c_at_the_prompt_ends_the_program_and_gives_the_terminal_back() {
    let server = Running::start(Kind::Ours);
    let shell = "$program ls ftp://bob@127.0.0.1:1/; echo left $?; stty -a";
    let script = format!(
        "spawn sh -c \"{}\"\n{}send \"hun\\x03\"\n{}{STATUS}",
        shell.replace("$?", "\\$?"),
        until("Password for bob on 127.0.0.1: "),
        until("left 130"),
    );
    let said = expect(&server, &script);
    assert!(!said.contains("hun") && said.contains(" icanon"), "{said}");
    assert!(said.contains(" echo "), "{said}");
}

#[test]
fn passwords_of_urls_and_proxies_do_not_stand_in_the_list_of_processes() {
    // One that never speaks, so that the program can be looked at.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ftp://bob:hunter2@127.0.0.1:{port}/");
    let mut child = command(directory.path(), &["ls".to_owned(), url])
        .spawn()
        .unwrap();
    let (_held, _) = silent.accept().unwrap();
    let shown = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    let shown = String::from_utf8_lossy(&shown).into_owned();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(shown.contains("ftp://bob:***@127.0.0.1"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    // It is the right one that is sent all the same.
    let (port, heard) = doorkeeper();
    let url = format!("ftp://bob:hun%20ter:2@127.0.0.1:{port}/");
    let output = run(directory.path(), &["ls".to_owned(), url]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(hear(&heard, "PASS "), "hun ter:2");
}

#[test]
fn the_environment_and_netrc_say_who_comes_and_show_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (port, heard) = doorkeeper();
    let words = ["ls", "-v", "--json", &format!("ftp://127.0.0.1:{port}/")].map(str::to_owned);
    let child = command(directory.path(), &words)
        .env("SUNDEW_FTP_USER", "anna")
        .env("SUNDEW_FTP_PASSWORD", "hunter2")
        .spawn()
        .unwrap();
    let output = finish(child);
    assert_eq!(hear(&heard, "USER "), "anna");
    assert_eq!(hear(&heard, "PASS "), "hunter2");
    let netrc = "machine 127.0.0.1 login carl password hunter2 account hunter3\n";
    fs::write(directory.path().join(".netrc"), netrc).unwrap();
    let second = run(directory.path(), &words);
    assert_eq!(hear(&heard, "USER "), "carl");
    assert_eq!(hear(&heard, "PASS "), "hunter2");
    for output in [output, second] {
        assert_eq!(output.status.code(), Some(5));
        for said in [output.stdout, output.stderr] {
            assert!(!String::from_utf8_lossy(&said).contains("hunter"));
        }
    }
}

#[test]
fn a_command_line_that_is_wrong_is_explained_without_its_password() {
    let directory = tempfile::tempdir().unwrap();
    for bad in [
        "ftp://bob:hunter2@127.0.0.1:x/",
        "ftp://bob:hunter2@h/%00",
        "sftp://bob:hunter2@h/",
        "ftp://bob:hunter2@h/a;type=q",
    ] {
        for words in [vec!["ls", bad], vec!["get", bad], vec!["mirror", bad, "x"]] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let output = run(directory.path(), &words);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
    let proxy = "--proxy=http://u:hunter2@nowhere.invalid:1";
    let words = ["ls", proxy, "ftp://127.0.0.1:1/"].map(str::to_owned);
    let output = run(directory.path(), &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn bars_are_drawn_on_a_terminal_and_nowhere_else() {
    let server = Running::start(Kind::Ours);
    server.put_there("big", vec![7; 900_000]);
    let url = server.url("big");
    let script = format!("spawn $program get --limit-rate 600k {url}\n{STATUS}");
    let said = expect(&server, &script);
    assert!(
        said.contains("KiB/s") && said.contains("status 0"),
        "{said}"
    );
    assert!(fs::read(server.here("big")).unwrap().len() == 900_000);
    let quiet = format!("spawn $program get -q --force --limit-rate 900k {url}\n{STATUS}");
    let said = expect(&server, &quiet);
    assert!(!said.contains("KiB"), "{said}");
    let output = server.run(&["get", "--force", "--limit-rate", "900k", "URL/big"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains("KiB/s"), "{said}");
}

#[test]
fn the_shell_completes_names_and_remembers_lines() {
    let server = Running::start(Kind::Ours);
    server.put_there("pub/a long name", "in it\n");
    let url = server.url("");
    let script = [
        format!("spawn $program shell {url}\n"),
        until("> "),
        "send \"cd pu\\t\\r\"\n".to_owned(),
        until("/pub> "),
        "send \"cat a\\t\\r\"\n".to_owned(),
        until("in it"),
        until("/pub> "),
        "send \"quote PASS hunter2\\r\"\n".to_owned(),
        until("/pub> "),
        "send \"pwd\\r\"\n".to_owned(),
        until("\n/pub"),
        "send \"exit\\r\"\n".to_owned(),
        STATUS.to_owned(),
    ];
    let said = expect(&server, &script.concat());
    assert!(said.contains("status 0"), "{said}");
    // What is written out is not mixed with a bar.
    assert!(!said.contains("B/s"), "{said}");
    let history = fs::read_to_string(server.here(".local/state/sundew/ftp-history")).unwrap();
    assert!(
        history.contains("cat a\\ long\\ name") && history.contains("pwd"),
        "{history}"
    );
    assert!(!history.contains("hunter2"), "{history}");
    // The next shell offers it again.
    let script = [
        format!("spawn $program shell {url}\n"),
        until("> "),
        "send \"\\x10\\x10\"\n".to_owned(),
        until("pwd"),
        "send \"\\x15exit\\r\"\n".to_owned(),
        STATUS.to_owned(),
    ];
    expect(&server, &script.concat());
}

#[test]
fn the_shell_stays_who_it_was_at_the_beginning() {
    let server = Running::start(Kind::Ours);
    server.put_there("pub/x", "in it\n");
    let url = server.url("").replace("ftp://", "ftp://bob:secret@");
    let mut child = command(&server.here(""), &["shell".to_owned(), url])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let script = "ls\ncd pub\ncat x\nget x\nput\nmkdir d\nmv x d/y\nls d\nrm -r d\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = finish(child);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(shown, "pub/\nin it\ny\n", "{said}");
    // Only `put` without a file was wrong.
    assert_eq!(said.matches("failed").count(), 1, "{said}");
    assert!(said.contains("not provided: <FILE>"), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(server.here("x").exists() && !server.there("pub/d").exists());
}

#[test]
fn complaints_say_what_to_try() {
    let server = Running::start(Kind::Ours);
    server.put_there("pub/file", "x");
    let there = server.url("pub/");
    for (status, words, hint) in [
        (
            6,
            vec!["ls", "URL/pub/nope/"],
            format!("sundew ftp ls {there}"),
        ),
        (
            7,
            vec!["get", "URL/pub/nope"],
            format!("sundew ftp ls {there}"),
        ),
        (6, vec!["get", "URL/pub"], "sundew ftp mirror".to_owned()),
        (6, vec!["mkdir", "URL/no/no"], "-p".to_owned()),
        (6, vec!["rm", "URL/pub/"], "-r".to_owned()),
        (7, vec!["put", "here", "URL/no/x"], "-p".to_owned()),
        (3, vec!["ls", "ftp://127.0.0.1:1/"], "check host".to_owned()),
        (5, vec!["ls", "ftp://bob@127.0.0.1:1/"], "netrc".to_owned()),
    ] {
        fs::write(server.here("here"), "x").unwrap();
        let said = server.bad(status, &words);
        let tried = said.split("try: ").nth(1);
        assert!(
            tried.is_some_and(|tried| tried.contains(&hint)),
            "{words:?}: {said}"
        );
    }
    // A file is listed as itself, not refused.
    assert_eq!(server.good(&["ls", "URL/pub/file"]), "file\n");
    assert!(server.good(&["ls", "-l", "URL/pub/file"]).contains(" 1 "));
    // TLS where there is none.
    let said = server.bad(
        4,
        &["ls", &there.replace("ftp://", "ftps://"), "--insecure"],
    );
    assert!(said.contains("ftpes://"), "{said}");
}

#[test]
fn a_port_that_speaks_another_protocol_is_named() {
    for greeting in ["SSH-2.0-OpenSSH_9.2p1", "HTTP/1.1 400 Bad Request"] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                stream.write_all(format!("{greeting}\r\n").as_bytes()).ok();
                // SSH waits for the client's word; others go.
                if greeting.starts_with("SSH") {
                    BufReader::new(stream).lines().next();
                }
            }
        });
        let directory = tempfile::tempdir().unwrap();
        let words = ["ls", &format!("ftp://127.0.0.1:{port}/")].map(str::to_owned);
        let output = run(directory.path(), &words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains(greeting) && said.contains("no FTP server"),
            "{said}"
        );
    }
}
