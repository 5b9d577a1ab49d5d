//! Disks that are full, limits of the system and quotas that are met half way: the whole program, on a
//! small file system of its own.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use ftp_server::ftp_proto::transfer::{Encoder, Encoding, Framing};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::harness::{Client, Running};

/// Far more than fits, and more than goes through our memory before the kernel moves it.
const TOO_MUCH: usize = 2 << 20;

struct Daemon {
    child: Child,
    running: Running,
    _directory: TempDir,
}

impl Daemon {
    /// Starts ftpd behind another command, with this configuration and a directory to serve.
    fn start(before: &[&str], config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let file = directory.path().join("ftpd.toml");
        let listen = "[listen]\naddresses = ['127.0.0.1:0']\n";
        std::fs::write(&file, format!("{listen}{config}")).unwrap();
        let line = [before, &[env!("CARGO_BIN_EXE_ftpd")]].concat();
        let mut child = Command::new(line[0])
            .args(&line[1..])
            .arg("--config")
            .arg(&file)
            .args(["--write", "--user", "anna:pw"])
            .arg(&root)
            .env("ROOT", &root)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        stdout.read_line(&mut text).unwrap();
        let port: u16 = text.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        Self {
            child,
            running: Running {
                address: (Ipv4Addr::LOCALHOST, port).into(),
            },
            _directory: directory,
        }
    }

    /// On a file system of half a mebibyte that nobody else sees.
    fn on_a_small_disk(config: &str) -> Self {
        let script = "mount -t tmpfs -o size=512k tmpfs \"$ROOT\" && exec \"$0\" \"$@\"";
        Self::start(&["unshare", "-Urm", "sh", "-c", script], config)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Sends more than the server takes; gives the last code.
async fn overfill(client: &mut Client, line: &str, bytes: usize) -> u16 {
    let mut data = client.data().await;
    assert_eq!(client.ask(line).await, 150);
    let mut left = bytes;
    while left > 0 {
        // A server that has seen enough closes.
        match data.write(&[b'x'; 65_536][..left.min(65_536)]).await {
            Ok(count) => left -= count,
            Err(_) => break,
        }
    }
    drop(data);
    client.code().await
}

async fn free(client: &mut Client) -> u64 {
    let (code, text) = client.tell("AVBL").await;
    assert_eq!(code, 213, "{text}");
    text[4..].trim().parse().unwrap()
}

#[tokio::test]
async fn a_disk_that_fills_is_452_and_the_part_is_as_the_operator_wants() {
    for (atomic, partial, is_kept) in [
        (false, "keep", true),
        (false, "remove", false),
        (true, "remove", false),
    ] {
        let config = format!("[uploads]\natomic = {atomic}\npartial = '{partial}'\n");
        let server = Daemon::on_a_small_disk(&config);
        let mut client = server.running.logged_in().await;
        let empty = free(&mut client).await;
        assert_eq!(
            overfill(&mut client, "STOR file", TOO_MUCH).await,
            452,
            "{config}"
        );
        assert_eq!(client.ask("SIZE file").await == 213, is_kept, "{config}");
        if is_kept {
            assert_eq!(free(&mut client).await, 0);
            assert_eq!(overfill(&mut client, "APPE file", TOO_MUCH).await, 452);
            assert_eq!(client.ask("DELE file").await, 250);
        }
        assert_eq!(free(&mut client).await, empty, "{config}");
        assert_eq!(client.put("STOR small", b"fits").await, 226);
        // What was announced and is not there is not even begun.
        assert_eq!(client.ask("ALLO 1000000").await, 504);
        assert_eq!(client.ask("ALLO 300000").await, 200);
        let mut other = server.running.logged_in().await;
        assert_eq!(overfill(&mut other, "STOR most", 400_000).await, 226);
        assert_eq!(client.put("STOR announced", b"x").await, 452);
        assert_eq!(client.get("RETR small").await, (226, b"fits".to_vec()));
    }
}

#[tokio::test]
async fn a_file_larger_than_the_system_lets_us_write_is_552_and_ends_nobody() {
    let server = Daemon::start(
        &["prlimit", "--fsize=300000"],
        "[uploads]\npartial = 'remove'\n",
    );
    let mut client = server.running.logged_in().await;
    for bytes in [310_000, TOO_MUCH] {
        assert_eq!(overfill(&mut client, "STOR file", bytes).await, 552);
        assert_eq!(client.ask("SIZE file").await, 550);
    }
    assert_eq!(client.put("STOR file", &[0; 300_000]).await, 226);
    client.is_in_step().await;
}

#[tokio::test]
async fn what_a_deflated_upload_becomes_is_held_to_the_quota() {
    let config = "[anonymous]\npermissions = 'elradfmw'\nquota_bytes = '1MiB'\n";
    let server = Daemon::start(&["env"], config);
    let mut client = server.running.client().await;
    assert_eq!(client.ask("USER ftp").await, 331);
    assert_eq!(client.ask("PASS x").await, 230);
    for line in ["TYPE I", "MODE Z"] {
        assert_eq!(client.ask(line).await, 200);
    }
    let deflated = |count| {
        let framing = Framing::Deflate { level: 9 };
        let mut encoder = Encoder::new(Encoding {
            framing,
            ..Encoding::PLAIN
        });
        let mut out = Vec::new();
        encoder.encode(&vec![0; count], &mut out);
        encoder.finish(&mut out);
        out
    };
    // A few kilobytes that would be far more.
    let bomb = deflated(32 << 20);
    assert!(bomb.len() < 100_000);
    assert_eq!(client.put("STOR bomb", &bomb).await, 552);
    let (_, size) = client.tell("SIZE bomb").await;
    let size: u64 = size[4..].trim().parse().unwrap();
    assert!(size <= 2 << 20, "{size}");
    assert_eq!(client.ask("DELE bomb").await, 250);
    // What it had counted is given back.
    assert_eq!(client.put("STOR fits", &deflated(900_000)).await, 226);
    assert_eq!(client.put("STOR more", &deflated(200_000)).await, 552);
}

#[tokio::test]
async fn names_and_sizes_are_held_to_what_the_operator_wants() {
    let config = "[names]\ndeny = ['*.exe', '.ht*']\nhide = ['.*']\n\
                  [uploads]\nmax_bytes = '600k'\npartial = 'remove'\n";
    let server = Daemon::start(&["env"], config);
    let mut client = server.running.logged_in().await;
    for (line, code) in [
        ("STOR virus.exe", 553),
        ("STOR .htaccess", 553),
        ("APPE virus.exe", 550),
        ("STOR .profile", 226),
        ("STOR good", 226),
    ] {
        assert_eq!(client.put(line, b"x").await, code, "{line}");
    }
    for (line, code) in [
        ("MKD .htdocs", 550),
        ("RNFR virus.exe", 550),
        ("RNFR good", 350),
        ("RNTO good.exe", 550),
        ("SITE COPY good good.exe", 550),
        ("CWD .htdocs/x", 550),
        ("SIZE .profile", 213),
    ] {
        assert_eq!(client.ask(line).await, code, "{line}");
    }
    assert_eq!(client.get("NLST").await, (226, b"good\r\n".to_vec()));
    let (_, text) = client.tell("STAT .").await;
    assert!(text.contains("good") && !text.contains("profile"), "{text}");
    assert_eq!(overfill(&mut client, "STOR large", TOO_MUCH).await, 552);
    assert_eq!(client.ask("SIZE large").await, 550);
    assert_eq!(client.put("STOR large", &[0; 600 * 1024]).await, 226);
    assert_eq!(client.ask("REST 600000").await, 350);
    assert_eq!(client.put("STOR large", &[0; 20_000]).await, 552);
}
