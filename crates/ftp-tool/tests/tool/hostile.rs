//! Servers that lie: a few lines of script each, over real sockets.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::server::{finish, run};

/// What the server says and does.
#[derive(Clone, Copy)]
struct Play {
    listing: &'static str,
    /// What it sends of its file, from the offset asked for.
    data: &'static [u8],
    /// Its last word about a transfer.
    last: &'static str,
    size: &'static str,
    /// Its first word about RETR.
    retr: &'static str,
    /// Bytes after which it drops a session with its data connection.
    cut: usize,
}

const PLAY: Play = Play {
    listing: "",
    data: b"",
    last: "226 done",
    size: "100",
    retr: "150 coming",
    cut: usize::MAX,
};

/// Serves sessions until the test's process ends; each ends with its client.
fn server(play: Play) -> u16 {
    let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = control.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in control.incoming().flatten() {
            thread::spawn(move || session(stream, play));
        }
    });
    port
}

fn session(mut stream: TcpStream, play: Play) -> Option<()> {
    let passive = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    let port = passive.local_addr().ok()?.port();
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut said = "220 hello".to_owned();
    let mut offset = 0;
    loop {
        stream.write_all(format!("{said}\r\n").as_bytes()).ok()?;
        let line = lines.next()?.ok()?;
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        said = match verb {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "EPSV" => format!("229 (|||{port}|)"),
            "SIZE" => format!("213 {}", play.size),
            "MDTM" => "213 20240102030405".to_owned(),
            "REST" => {
                offset = argument.parse().ok()?;
                "350 go on".to_owned()
            }
            "TYPE" | "NOOP" | "CWD" => "200 fine".to_owned(),
            "RETR" if !play.retr.starts_with('1') => play.retr.to_owned(),
            "LIST" | "RETR" => {
                stream
                    .write_all(format!("{}\r\n", play.retr).as_bytes())
                    .ok()?;
                let (mut out, _) = passive.accept().ok()?;
                let bytes = match verb {
                    "LIST" => play.listing.as_bytes(),
                    _ => play.data.get(offset..).unwrap_or_default(),
                };
                out.write_all(bytes.get(..play.cut).unwrap_or(bytes)).ok()?;
                if bytes.len() > play.cut {
                    return None;
                }
                play.last.to_owned()
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
    let port = server(Play {
        listing,
        data: b"evil",
        ..PLAY
    });
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ftp://127.0.0.1:{port}/");
    let words = ["mirror", "--delete", &url, "m"].map(str::to_owned);
    fs::create_dir(directory.path().join("m")).unwrap();
    fs::write(directory.path().join("m/kept"), "x").unwrap();
    let output = run(directory.path(), &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("left out").count(), 3, "{said}");
    let mut left: Vec<_> = fs::read_dir(directory.path().join("m"))
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
    let port = server(Play {
        data: b"only this",
        last: "426 cable cut",
        ..PLAY
    });
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ftp://127.0.0.1:{port}/x");
    fs::write(directory.path().join("x"), "before").unwrap();
    let words = ["get", "--retries", "0", &url].map(str::to_owned);
    let output = run(directory.path(), &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("426 cable cut"), "{said}");
    assert_eq!(fs::read(directory.path().join("x")).unwrap(), b"before");
}

#[test]
fn escape_sequences_of_the_server_do_not_reach_the_terminal() {
    let listing = "-rw-r--r-- 1 a a 4 Jan  1 2024 a\x1b[2Jb\r\n";
    let port = server(Play { listing, ..PLAY });
    let directory = tempfile::tempdir().unwrap();
    let words = ["ls", &format!("ftp://127.0.0.1:{port}/")].map(str::to_owned);
    let output = run(directory.path(), &words);
    assert!(output.status.success());
    assert!(!output.stdout.contains(&0x1b));
}

fn get(directory: &Path, port: u16, options: &[&str]) -> (i32, String) {
    let url = format!("ftp://127.0.0.1:{port}/x");
    let mut words = vec!["get", "--retries", "0"];
    words.extend(options);
    words.push(&url);
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    let output = run(directory, &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("an exit status"), said)
}

#[test]
fn a_refusal_overwrites_nothing_and_a_broken_transfer_keeps_its_part() {
    let directory = tempfile::tempdir().unwrap();
    let there = directory.path().join("x");
    fs::write(&there, "before").unwrap();
    for retr in ["550 gone", "425 no way", "421 closing", "226 nothing"] {
        let port = server(Play { retr, ..PLAY });
        let (status, said) = get(directory.path(), port, &["--force", "--timeout", "1"]);
        assert!(status == 7, "{retr}: {status} {said}");
        assert_eq!(fs::read(&there).unwrap(), b"before", "{retr}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{retr}");
    }
    // Large enough not to go through memory.
    let data: &[u8] = Box::leak(vec![b'y'; 300_000].into_boxed_slice());
    let play = Play {
        data,
        size: "300000",
        cut: 200_000,
        ..PLAY
    };
    let port = server(play);
    let (status, said) = get(directory.path(), port, &["--force"]);
    assert_eq!(status, 7, "{said}");
    assert!(said.contains("kept: 195.31 KiB"), "{said}");
    assert_eq!(fs::read(&there).unwrap(), b"before");
    let part = fs::read(directory.path().join(".x.part")).unwrap();
    assert!(part == data[..200_000]);
    // The same command goes on from there.
    let (status, said) = get(directory.path(), port, &["--force"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("after 195.31 KiB from before"), "{said}");
    assert!(fs::read(&there).unwrap() == data);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn segments_cut_again_and_again_make_the_same_file() {
    let data: Vec<u8> = (0..=250).cycle().take(7_000_000).collect();
    let data: &[u8] = Box::leak(data.into_boxed_slice());
    let port = server(Play {
        data,
        size: "7000000",
        cut: 900_000,
        ..PLAY
    });
    let directory = tempfile::tempdir().unwrap();
    let mut runs = 0;
    loop {
        runs += 1;
        let (status, said) = get(directory.path(), port, &["-j", "3"]);
        if status == 0 {
            break;
        }
        assert_eq!(status, 7, "{said}");
        assert!(said.contains("goes on from there"), "{said}");
        assert!(runs < 20, "{said}");
    }
    assert!(runs > 1, "nothing was cut");
    assert!(fs::read(directory.path().join("x")).unwrap() == data);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_size_beyond_all_files_costs_neither_memory_nor_disk() {
    let port = server(Play {
        data: b"only this",
        size: "4611686018427387904",
        ..PLAY
    });
    for jobs in ["1", "4"] {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("ftp://127.0.0.1:{port}/x");
        // Kilobytes of address space.
        let script = "ulimit -v 4000000; exec \"$0\" \"$@\"";
        let child = Command::new("sh")
            .args([
                "-c",
                script,
                env!("CARGO_BIN_EXE_sundew-ftp"),
                "get",
                "--retries",
                "0",
            ])
            .args(["-j", jobs, &url])
            .current_dir(directory.path())
            .env("HOME", directory.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = finish(child);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(7 | 8)),
            "{jobs}: {said}"
        );
        for entry in fs::read_dir(directory.path()).unwrap() {
            let used = entry.unwrap().metadata().unwrap().blocks() * 512;
            assert!(used < 1_000_000, "{used} bytes of disk");
        }
    }
}
