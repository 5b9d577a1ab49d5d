//! Downloads by everything else that fetches: `tftp`, `curl`, `wget`, over UDP, TLS and FTP.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use ftp_server::auth::Accounts;
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::{Limits, Listener, Server};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use crate::client::{Client, text};
use crate::download::{ALLOW, artifact};
use crate::event::{check, only};
use crate::ftp::sample;
use crate::sensor::Sensor;

/// Checks that the one download was kept whole, under its hash.
fn kept(sensor: &Sensor, events: &[Value], url: &str) {
    sensor.lines().iter().for_each(|line| check(line));
    let event = only(events, "cowrie.session.file_download");
    assert_eq!(event["url"], url);
    assert_eq!(event["complete"], true, "{event}");
    assert_eq!(artifact(sensor, event), sample());
    let mut hash = String::new();
    for byte in Sha256::digest(sample()) {
        write!(hash, "{byte:02x}").unwrap();
    }
    assert_eq!(event["shasum"], hash);
}

/// A TFTP server (RFC 1350, 2347 to 2349) that serves one sample, each block once more than it must.
async fn tftp_server() -> (u16, AbortOnDropHandle<()>) {
    let door = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = door.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut buffer = [0; 1024];
        loop {
            let (count, from) = door.recv_from(&mut buffer).await.unwrap();
            let fields: Vec<&[u8]> = buffer[2..count].split(|byte| *byte == 0).collect();
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.connect(from).await.unwrap();
            if fields[0] != b"bot" {
                socket.send(b"\0\x05\0\x01No such thing\0").await.unwrap();
                continue;
            }
            let mut block = 512;
            let mut agreed = vec![0, 6];
            for pair in fields[2..].chunks_exact(2) {
                let value = match pair[0] {
                    b"blksize" => {
                        block = text(pair[1]).parse().unwrap();
                        pair[1].to_vec()
                    }
                    b"tsize" => sample().len().to_string().into_bytes(),
                    _ => continue,
                };
                agreed.extend([pair[0], b"\0", &value, b"\0"].concat());
            }
            socket.send(&agreed).await.unwrap();
            socket.recv(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..4], [0, 4, 0, 0]);
            let sample = sample();
            let pieces = sample.chunks(block).chain(
                [b"".as_slice()]
                    .into_iter()
                    .filter(|_| sample.len().is_multiple_of(block)),
            );
            for (number, piece) in (1_u16..).zip(pieces) {
                let packet = [&[0, 3], number.to_be_bytes().as_slice(), piece].concat();
                socket.send(&packet).await.unwrap();
                if number % 64 == 0 {
                    // The network doubles a packet; its acknowledgements are read with the next.
                    socket.send(&packet).await.unwrap();
                }
                loop {
                    let count = socket.recv(&mut buffer).await.unwrap();
                    if count == 4 && buffer[2..4] == number.to_be_bytes() {
                        break;
                    }
                }
            }
        }
    });
    (port, AbortOnDropHandle::new(task))
}

#[tokio::test]
async fn tftp_brings_a_file_over_udp_to_the_machine_and_to_the_store() {
    let (port, _server) = tftp_server().await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let size = sample().len();
    let command = format!(
        "cd /tmp; busybox tftp -g -r bot -l x 127.0.0.1 {port} 2>/dev/null; echo $?; stat -c %s x"
    );
    let output = client.exec(&command).await;
    assert_eq!(text(&output.stdout), format!("0\n{size}\n"), "{output:?}");
    let events = sensor.stop().await;
    kept(&sensor, &events, &format!("tftp://127.0.0.1:{port}/bot"));
}

#[tokio::test]
async fn curl_speaks_tftp_with_the_options_it_asks_for() {
    let (port, _server) = tftp_server().await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let size = sample().len();
    let output = client
        .exec(&format!("curl -s tftp://127.0.0.1:{port}/bot | wc -c"))
        .await;
    assert_eq!(text(&output.stdout), format!("{size}\n"), "{output:?}");
    let events = sensor.stop().await;
    kept(&sensor, &events, &format!("tftp://127.0.0.1:{port}/bot"));
}

#[tokio::test]
async fn a_tftp_server_that_has_no_such_file_leaves_a_failed_download() {
    let (port, _server) = tftp_server().await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let output = client
        .exec(&format!("busybox tftp -g -r nope 127.0.0.1 {port}"))
        .await;
    assert_eq!(
        text(&output.stderr),
        "tftp: server error: (1) No such thing\n"
    );
    assert_eq!(output.status.code(), Some(1));
    let events = sensor.stop().await;
    let failed = only(&events, "cowrie.session.file_download.failed");
    assert_eq!(failed["error"], "TFTP error 1");
}

/// Answers every request on a connection with the sample.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.unwrap_or(0) > 0 {
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let from = text
            .split("bytes=")
            .nth(1)
            .and_then(|range| range.split('-').next())
            .map(|from| from.parse::<usize>().unwrap());
        let whole = sample();
        let body = whole[from.unwrap_or(0)..].to_vec();
        let status = match from {
            None => "200 OK".to_owned(),
            Some(from) => format!(
                "206 Partial Content\r\nContent-Range: bytes {from}-{}/{}",
                whole.len() - 1,
                whole.len()
            ),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        if !request.starts_with(b"HEAD") {
            stream.write_all(&body).await.unwrap();
        }
        stream.flush().await.unwrap();
        request.clear();
    }
}

async fn web_server(acceptor: Option<TlsAcceptor>) -> (u16, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            match &acceptor {
                None => answer(stream).await,
                // A client that does not like the certificate leaves.
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        answer(stream).await;
                    }
                }
            }
        }
    });
    (port, AbortOnDropHandle::new(task))
}

#[tokio::test]
async fn curl_and_wget_fetch_over_tls_when_told_to_trust_anybody() {
    let made = rcgen::generate_simple_self_signed(vec!["evil.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (port, _server) = web_server(Some(TlsAcceptor::from(Arc::new(config)))).await;
    for fetch in ["curl -sk -o x", "wget -q --no-check-certificate -O x"] {
        let mut sensor = Sensor::start_with(ALLOW).await;
        let client = Client::of(&sensor);
        let url = format!("https://127.0.0.1:{port}/bot");
        let output = client
            .exec(&format!(
                "cd /tmp; curl -s {url}; echo $?; {fetch} {url}; stat -c %s x"
            ))
            .await;
        let size = sample().len();
        assert_eq!(text(&output.stdout), format!("60\n{size}\n"), "{output:?}");
        let events = sensor.stop().await;
        kept(&sensor, &events, &url);
        only(&events, "cowrie.session.file_download.failed");
    }
}

#[tokio::test]
async fn wget_takes_over_the_servers_time_and_asks_only_once() {
    let (port, _server) = web_server(None).await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let url = format!("http://127.0.0.1:{port}/bot");
    let command = format!(
        "cd /tmp; wget -q -P a/b {url}; stat -c %y a/b/bot; wget -nc -P a/b {url}; wget --spider -nv {url}; echo $?"
    );
    let output = client.exec(&command).await;
    assert_eq!(
        text(&output.stdout),
        "2023-11-14 22:13:20.000000000 +0000\n0\n",
        "{output:?}"
    );
    assert_eq!(
        text(&output.stderr),
        "File ‘a/b/bot’ already there; not retrieving.\n\n"
    );
    let events = sensor.stop().await;
    kept(&sensor, &events, &url);
}

#[tokio::test]
async fn the_rest_of_a_download_does_not_pass_for_the_whole() {
    let (port, _server) = web_server(None).await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let url = format!("http://127.0.0.1:{port}/bot");
    let command = format!(
        "cd /tmp; wget -q {url}; md5sum <bot; truncate -s 5 bot; wget -q -c {url}; md5sum <bot"
    );
    let output = text(&client.exec(&command).await.stdout);
    let sums: Vec<&str> = output.lines().collect();
    assert!(sums.len() == 2 && sums[0] == sums[1], "{output}");
    let events = sensor.stop().await;
    let downloads: Vec<_> = events
        .iter()
        .filter(|event| event["eventid"] == "cowrie.session.file_download")
        .collect();
    let [first, second] = downloads[..] else {
        panic!("{downloads:?}");
    };
    assert_eq!(
        (&first["complete"], &second["complete"]),
        (&true.into(), &false.into())
    );
    assert_eq!(second["incomplete_reason"], "part");
}

#[tokio::test]
async fn wget_and_curl_and_busybox_speak_ftp() {
    let files = tempfile::tempdir().unwrap();
    std::fs::create_dir(files.path().join("pub")).unwrap();
    std::fs::write(files.path().join("pub/bot"), sample()).unwrap();
    let accounts = Accounts::new().with_anonymous(Rights::READ);
    let server = Server::new(
        FileServer::new(
            accounts,
            Disk::open(files.path()).unwrap(),
            FileOptions::default(),
        ),
        Limits::default(),
    );
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = Listener::bind(&[any]).unwrap();
    let port = listener.addresses().unwrap()[0].port();
    let stop = server.stop_token();
    let serving = tokio::spawn(server.serve(listener));
    let size = sample().len();
    let url = format!("ftp://127.0.0.1:{port}/pub/bot");
    let said = format!(
        "           => ‘bot’\nConnecting to 127.0.0.1:{port}... connected.\nLogging in as anonymous ... Logged in!\n==> SYST ... done.    ==> PWD ... done.\n==> TYPE I ... done.  ==> CWD (1) /pub ... done.\n==> SIZE bot ... {size}\n==> PASV ... done.    ==> RETR bot ... done.\nLength: {size} (156K) (unauthoritative)\n"
    );
    let commands = [
        (format!("wget {url} 2>&1 | sed -n 2,9p"), said),
        (format!("curl -s -O {url}"), String::new()),
        (format!("busybox wget -q {url}"), String::new()),
        (
            format!("curl -sS -o bot {url}x 2>&1; curl -s -o bot {url}"),
            "curl: (78) The file does not exist\n".to_owned(),
        ),
    ];
    for (command, expected) in commands {
        let mut sensor = Sensor::start_with(ALLOW).await;
        let client = Client::of(&sensor);
        let output = client
            .exec(&format!("cd /tmp; {command}; stat -c %s bot"))
            .await;
        assert_eq!(
            text(&output.stdout),
            format!("{expected}{size}\n"),
            "{output:?}"
        );
        let events = sensor.stop().await;
        kept(&sensor, &events, &url);
    }
    stop.cancel();
    serving.await.unwrap().unwrap();
}
