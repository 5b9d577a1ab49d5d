//! Through proxies, from a pool, and without async.

use std::sync::Arc;

use ftp_client::dial::Dial;
use ftp_client::proxy::{HttpConnect, Socks5};
use ftp_client::{Client, Config, Login, Pool, blocking};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::client::config;
use crate::peer::{Memory, play, pour};

const PROXY: &str = "192.0.2.9:1080";

async fn expect(stream: &mut DuplexStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(
        read.escape_ascii().to_string(),
        bytes.escape_ascii().to_string()
    );
}

#[tokio::test]
async fn socks5_is_told_the_name_for_both_connections() {
    let dial = Arc::new(Memory::default());
    let (mut control, mut data) = (dial.expect(), dial.expect());
    let server = tokio::spawn(async move {
        for (stream, port) in [(&mut control, [0, 21]), (&mut data, [0x13, 0x88])] {
            expect(stream, b"\x05\x02\x00\x02").await;
            stream.write_all(b"\x05\x02").await.unwrap();
            expect(stream, b"\x01\x01u\x02pw").await;
            stream.write_all(b"\x01\x00").await.unwrap();
            expect(stream, b"\x05\x01\x00\x03\x0bftp.example").await;
            expect(stream, &port).await;
            stream
                .write_all(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
                .await
                .unwrap();
            if port == [0, 21] {
                stream.write_all(b"220 r\r\n").await.unwrap();
                expect(stream, b"FEAT\r\n").await;
                stream.write_all(b"500 no\r\n").await.unwrap();
                expect(stream, b"EPSV\r\n").await;
                stream.write_all(b"229 (|||5000|)\r\n").await.unwrap();
            }
        }
        expect(&mut control, b"NLST\r\n").await;
        control.write_all(b"150 go\r\n226 done\r\n").await.unwrap();
        data.write_all(b"one\r\n").await.unwrap();
        control
    });
    let through = Socks5::new(dial.clone(), PROXY.parse().unwrap()).with_credentials("u", "pw");
    let mut config = config();
    config.host = "ftp.example".into();
    let mut client = Client::connect(through, config).await.unwrap();
    client.features().await.unwrap();
    assert_eq!(client.names("").await.unwrap(), [b"one"]);
    server.await.unwrap();
    assert_eq!(dial.dialled(), [PROXY, PROXY]);
}

#[tokio::test]
async fn refusals_of_proxies_are_in_words() {
    let dial = Arc::new(Memory::default());
    let answers = [
        &b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"[..],
        b"HTTP/1.1 407 Who are you\r\nA: b\r\n\r\n",
    ];
    for answer in answers {
        let mut proxy = dial.expect();
        tokio::spawn(async move {
            proxy.write_all(answer).await.unwrap();
            proxy.read_to_end(&mut Vec::new()).await.ok();
        });
    }
    let through = Socks5::new(dial.clone(), PROXY.parse().unwrap());
    let target = "192.0.2.1:21".parse().unwrap();
    let error = through.connect(target).await.err().unwrap();
    assert_eq!(error.words(), "Connection refused");
    let through = HttpConnect::new(dial.clone(), PROXY.parse().unwrap());
    let error = through.connect(target).await.err().unwrap();
    assert_eq!(error.words(), "HTTP proxy: HTTP/1.1 407 Who are you");
    // An answer without end, and one that is no HTTP.
    crate::peer::flood(dial.expect(), b"x");
    let error = through.connect(target).await.err().unwrap();
    assert_eq!(error.words(), "HTTP proxy: the answer is too long");
}

#[tokio::test]
async fn http_connect_names_the_host_and_leaves_what_follows_the_headers() {
    let dial = Arc::new(Memory::default());
    let mut control = dial.expect();
    let server = tokio::spawn(async move {
        expect(
            &mut control,
            b"CONNECT ftp.example:21 HTTP/1.1\r\nHost: ftp.example:21\r\n\
              Proxy-Authorization: Basic dTpwdw==\r\n\r\n",
        )
        .await;
        control
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n220 ready\r\n")
            .await
            .unwrap();
        control
    });
    let through = HttpConnect::new(dial, PROXY.parse().unwrap()).with_credentials("u", "pw");
    let client = Client::connect(through, Config::new("ftp.example"))
        .await
        .unwrap();
    assert_eq!(client.greeting().text(), b"ready");
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pool_lends_again_and_makes_do_with_fewer_sessions_than_wanted() {
    let script = "S: 220 r
        C: USER a
        S: 230 in
        C: FEAT
        S: 500 no
        C: PWD
        S: 257 \"/\"
        C: PWD
        S: 257 \"/\"";
    let dial = Arc::new(Memory::default());
    let peer = play(dial.expect(), script);
    for _ in 0..2 {
        pour(dial.expect(), b"421 too many connections\r\n");
    }
    let mut config = config();
    config.keep_alive = None;
    let pool = Pool::new(dial.clone(), config, Login::new("a", "b"), 3);
    let mut first = pool.session().await.unwrap();
    first.working_directory().await.unwrap();
    // The second is refused by the server and waits for the first.
    let other = pool.clone();
    let second = tokio::spawn(async move {
        let mut second = other.session().await.unwrap();
        second.working_directory().await.unwrap()
    });
    tokio::task::yield_now().await;
    while pool.size() > 1 {
        tokio::task::yield_now().await;
    }
    drop(first);
    assert_eq!(second.await.unwrap(), b"/");
    assert_eq!(pool.size(), 1);
    drop(pool);
    peer.await.unwrap();
}

#[test]
fn the_blocking_client_is_the_same_one() {
    use std::io::{Read, Write};
    // Its peers need a runtime of their own.
    let peers = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let dial = Arc::new(Memory::default());
    let _guard = peers.enter();
    play(
        dial.expect(),
        "S: 220 r
         C: TYPE I
         S: 200 ok
         C: EPSV
         S: 229 (|||5000|)
         C: RETR a
         S: 150 go
         S: 226 done
         C: EPSV
         S: 229 (|||5000|)
         C: STOR b
         S: 150 go
         S: 226 done
         C: SIZE a
         S: 213 4
         C: QUIT
         S: 221 bye",
    );
    pour(dial.expect(), b"body");
    let _sink = dial.expect();
    let mut client = blocking::Client::connect_through(dial, config()).unwrap();
    let mut body = String::new();
    let mut download = client.retrieve("a", 0).unwrap();
    download.read_to_string(&mut body).unwrap();
    download.finish().unwrap();
    assert_eq!(body, "body");
    let mut upload = client.store("b", 0).unwrap();
    upload.write_all(b"up").unwrap();
    upload.finish().unwrap();
    let size = client.wait(async |client| client.size("a").await);
    assert_eq!(size.unwrap(), Some(4));
    client.quit().unwrap();
}
