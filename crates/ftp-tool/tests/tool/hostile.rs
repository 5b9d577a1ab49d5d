//! Servers that lie: a few lines of script each, over real sockets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use crate::server::run;

/// Answers commands with what `answer` says, and data connections with `data`. Serves a few sessions.
fn server(listing: &'static str, data: &'static [u8], last: &'static str) -> u16 {
    let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = control.local_addr().unwrap().port();
    // Ends with the test's process; each session ends with its client.
    thread::spawn(move || {
        for stream in control.incoming().flatten() {
            thread::spawn(move || session(stream, listing, data, last));
        }
    });
    port
}

fn session(mut stream: TcpStream, listing: &str, data: &[u8], last: &str) -> Option<()> {
    let passive = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    let port = passive.local_addr().ok()?.port();
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut said = "220 hello".to_owned();
    loop {
        stream.write_all(format!("{said}\r\n").as_bytes()).ok()?;
        let line = lines.next()?.ok()?;
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        said = match verb.as_str() {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "EPSV" => format!("229 (|||{port}|)"),
            "SIZE" => "213 100".to_owned(),
            "MDTM" => "213 20240102030405".to_owned(),
            "REST" => "350 go on".to_owned(),
            "TYPE" | "NOOP" | "CWD" => "200 fine".to_owned(),
            "LIST" | "RETR" => {
                stream.write_all(b"150 coming\r\n").ok()?;
                let (mut out, _) = passive.accept().ok()?;
                let bytes = if verb == "LIST" {
                    listing.as_bytes()
                } else {
                    data
                };
                out.write_all(bytes).ok()?;
                drop(out);
                last.to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "500 what".to_owned(),
        };
    }
}

#[test]
fn names_from_the_server_never_leave_the_directory() {
    let listing = "-rw-r--r-- 1 a a 4 Jan  1 2024 ../escaped\r\n\
                   -rw-r--r-- 1 a a 4 Jan  1 2024 /tmp/escaped\r\n\
                   -rw-r--r-- 1 a a 4 Jan  1 2024 back\\slash\r\n\
                   drwxr-xr-x 1 a a 4 Jan  1 2024 ..\r\n\
                   -rw-r--r-- 1 a a 4 Jan  1 2024 good\r\n";
    let port = server(listing, b"evil", "226 done");
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ftp://127.0.0.1:{port}/");
    let words = ["mirror", "--delete", &url, "m"].map(str::to_owned);
    std::fs::create_dir(directory.path().join("m")).unwrap();
    std::fs::write(directory.path().join("m/kept"), "x").unwrap();
    let output = run(directory.path(), &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("left out").count(), 3, "{said}");
    let mut left: Vec<_> = std::fs::read_dir(directory.path().join("m"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    // What is left out may be what `kept` stands for, so nothing is deleted.
    assert_eq!(left, ["good", "kept"], "{said}");
    assert!(!directory.path().join("escaped").exists());
}

#[test]
fn what_came_of_a_broken_download_is_kept_and_said() {
    let port = server("", b"only this", "426 cable cut");
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ftp://127.0.0.1:{port}/x");
    std::fs::write(directory.path().join("x"), "before").unwrap();
    let words = ["get", "--retries", "0", &url].map(str::to_owned);
    let output = run(directory.path(), &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("426 cable cut"), "{said}");
    assert_eq!(
        std::fs::read(directory.path().join("x")).unwrap(),
        b"before"
    );
}

#[test]
fn escape_sequences_of_the_server_do_not_reach_the_terminal() {
    let listing = "-rw-r--r-- 1 a a 4 Jan  1 2024 a\x1b[2Jb\r\n";
    let port = server(listing, b"", "226 done");
    let directory = tempfile::tempdir().unwrap();
    let words = ["ls", &format!("ftp://127.0.0.1:{port}/")].map(str::to_owned);
    let output = run(directory.path(), &words);
    assert!(output.status.success());
    assert!(!output.stdout.contains(&0x1b));
}
