//! The examples, run against our own server.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::ours::Ours;

/// Longest run of an example.
const PATIENCE: Duration = Duration::from_secs(40);

impl Ours {
    /// Runs an example, which has to succeed.
    async fn run(&self, name: &str, words: &[&str]) -> String {
        let output = self.outcome(name, words).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {said}");
        String::from_utf8(output.stdout).unwrap() + &said
    }

    async fn outcome(&self, name: &str, words: &[&str]) -> Output {
        // Cargo builds the examples of a package before it runs the package's tests.
        let test = std::env::current_exe().unwrap();
        let built = test
            .ancestors()
            .nth(2)
            .map(|top| top.join("examples").join(name));
        let program = built.filter(|path| path.exists());
        let program = program.expect("run `cargo build --examples -p ftp-client`, or all tests");
        let child = tokio::process::Command::new(program)
            .args(words)
            .current_dir(self.here(""))
            .env("SSL_CERT_FILE", self.directory.path().join("ca.pem"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, child).await;
        output.expect("the example hangs").unwrap()
    }
}

fn body(size: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(size).collect()
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_download_shows_progress_and_goes_on_where_it_was() {
    let ours = Ours::start();
    let whole = body(500_000);
    std::fs::write(ours.there("file"), &whole).unwrap();
    let said = ours.run("download", &[&ours.place(), "file"]).await;
    assert!(said.contains("500000 of 500000 bytes"), "{said}");
    assert!(read(ours.here("file")) == whole);
    // The beginning is not asked for again.
    let mut part = whole[..300_000].to_vec();
    part[0] = b'!';
    std::fs::write(ours.here("part"), part).unwrap();
    ours.run("download", &[&ours.place(), "file", "part"]).await;
    let came = read(ours.here("part"));
    assert!(came[0] == b'!' && came[1..] == whole[1..]);
    let refused = ours.outcome("download", &[&ours.place(), "nope"]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("550"), "{said}");
}

#[tokio::test]
async fn a_directory_is_mirrored() {
    let ours = Ours::start();
    std::fs::create_dir_all(ours.there("pub/deep/er")).unwrap();
    for number in 0..20 {
        let name = format!("pub/deep/f{number}");
        std::fs::write(ours.there(&name), body(number * 1000)).unwrap();
    }
    std::fs::write(ours.there("pub/deep/er/last"), "x").unwrap();
    ours.run("mirror", &[&ours.place(), "pub"]).await;
    for number in 0..20 {
        assert!(read(ours.here(&format!("deep/f{number}"))) == body(number * 1000));
    }
    assert_eq!(read(ours.here("deep/er/last")), b"x");
}

#[tokio::test]
async fn commands_of_ones_own_are_answered() {
    let ours = Ours::start();
    let said = ours
        .run(
            "custom_command",
            &[&ours.place(), "NOOP", "XYZZY", "SITE HELP"],
        )
        .await;
    assert!(
        said.contains("200 ") && said.contains("500 ") && said.contains("CHMOD"),
        "{said}"
    );
}

#[tokio::test]
async fn a_file_goes_up_over_tls_without_async() {
    let ours = Ours::start();
    std::fs::write(ours.here("file"), body(700_000)).unwrap();
    let words = [&ours.place(), "anonymous", "a@b", "file", "stored"];
    ours.run("blocking", &words).await;
    assert!(read(ours.there("stored")) == body(700_000));
}

#[tokio::test]
async fn a_socks5_proxy_is_gone_through_for_names_and_both_connections() {
    let ours = Ours::start();
    std::fs::write(ours.there("file"), "12345").unwrap();
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = proxy.local_addr().unwrap().to_string();
    let target = ours.port;
    let serving = tokio::spawn(async move {
        let mut count = 0;
        loop {
            let (client, _) = proxy.accept().await.unwrap();
            count += 1;
            tokio::spawn(relay(client, (count == 1).then_some(target)));
        }
    });
    let place = format!("ftp.example:{target}");
    let said = ours.run("through_socks5", &[&address, &place]).await;
    assert!(said.contains("5 file"), "{said}");
    serving.abort();
}

/// One connection of a SOCKS5 proxy that knows `ftp.example` to be this computer.
async fn relay(mut client: TcpStream, expected: Option<u16>) {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await.unwrap();
    client
        .read_exact(&mut vec![0; greeting[1].into()])
        .await
        .unwrap();
    client.write_all(&[5, 0]).await.unwrap();
    let mut request = [0; 5];
    client.read_exact(&mut request).await.unwrap();
    assert_eq!(request[3], 3, "a name, not an address");
    let mut name = vec![0; request[4].into()];
    client.read_exact(&mut name).await.unwrap();
    assert_eq!(name, b"ftp.example");
    let port = client.read_u16().await.unwrap();
    assert!(expected.is_none_or(|expected| expected == port));
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    client
        .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    tokio::io::copy_bidirectional(&mut client, &mut server)
        .await
        .ok();
}
