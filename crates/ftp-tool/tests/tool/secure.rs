//! TLS, client certificates, texts, compression, credentials and proxies, through the program.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

use ftp_server::tls::ClientCertificates;

use crate::server::{Kind, Running};

fn body(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

/// A round trip of a file and a mirror with these options.
fn work(server: &Running, options: &[&str], scheme: &str) {
    let with = |words: &[&str]| {
        let url = server.url("").replace("ftp://", scheme);
        let words = words.iter().map(|word| word.replace("URL/", &url));
        let words: Vec<String> = words
            .chain(options.iter().map(ToString::to_string))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        server.good(&words)
    };
    fs::write(server.here("file"), body(1_500_000)).unwrap();
    with(&["put", "-q", "file", "URL/up/", "-p"]);
    assert!(fs::read(server.there("up/file")).unwrap() == body(1_500_000));
    fs::remove_file(server.here("file")).unwrap();
    with(&["get", "-q", "-j", "3", "URL/up/file"]);
    assert!(fs::read(server.here("file")).unwrap() == body(1_500_000));
    for number in 0..20 {
        server.put_there(
            &format!("tree/d{}/f{number}", number % 3),
            body(number * 700),
        );
    }
    with(&["mirror", "-q", "URL/tree/", "copy"]);
    for number in 0..20 {
        let name = format!("copy/d{}/f{number}", number % 3);
        assert!(
            fs::read(server.here(&name)).unwrap() == body(number * 700),
            "{name}"
        );
    }
}

#[test]
fn files_go_both_ways_under_tls_from_the_first_byte_or_the_first_command() {
    for (implicit, scheme) in [(false, "ftpes://"), (true, "ftps://")] {
        let (server, certificate) = Running::secured(implicit, ClientCertificates::Ignored);
        fs::write(server.here("ca.pem"), certificate).unwrap();
        let url = server.url("").replace("ftp://", scheme);
        // Nobody the system trusts has signed it.
        let said = server.bad(4, &["ls", &url]);
        assert!(
            said.contains("tls failed") && said.contains("try:"),
            "{said}"
        );
        work(&server, &["--ca", "ca.pem"], scheme);
        work(&server, &["--insecure"], scheme);
    }
}

#[test]
fn a_server_that_wants_to_know_who_comes_is_shown_a_certificate() {
    let own = rcgen::generate_simple_self_signed(["anna".to_owned()]).unwrap();
    let asks = ClientCertificates::Required(own.cert.pem().into_bytes());
    let (server, certificate) = Running::secured(false, asks);
    fs::write(server.here("ca.pem"), certificate).unwrap();
    fs::write(server.here("me.pem"), own.cert.pem()).unwrap();
    fs::write(server.here("me.key"), own.signing_key.serialize_pem()).unwrap();
    let url = server.url("").replace("ftp://", "ftpes://");
    let said = server.bad(4, &["ls", "--ca", "ca.pem", "--retries", "0", &url]);
    assert!(said.contains("try: --cert FILE --key FILE"), "{said}");
    let options = ["--ca", "ca.pem", "--cert", "me.pem", "--key", "me.key"];
    work(&server, &options, "ftpes://");
}

#[test]
fn texts_have_the_line_ends_of_each_side_and_come_back_the_same() {
    for kind in Kind::ALL {
        let server = Running::start(kind);
        let text = "one\ntwo\n\nlast line without an end";
        fs::write(server.here("text"), text).unwrap();
        server.good(&["put", "-q", "text", "URL/text;type=a"]);
        // A Unix server keeps lines as Unix does; had we sent bare LF, some would have kept that too.
        assert_eq!(
            fs::read_to_string(server.there("text")).unwrap(),
            text,
            "{kind:?}"
        );
        fs::remove_file(server.here("text")).unwrap();
        server.good(&["get", "-q", "URL/text;type=a"]);
        assert_eq!(
            fs::read_to_string(server.here("text")).unwrap(),
            text,
            "{kind:?}"
        );
        assert_eq!(server.good(&["cat", "URL/text;type=a"]), text, "{kind:?}");
    }
}

#[test]
fn compressed_bytes_are_the_same_bytes() {
    let server = Running::start(Kind::Ours);
    work(&server, &["--compress"], "ftp://");
    let said = server.run(&["ls", "-v", "--compress", "URL/"]).stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains("> MODE Z") && said.contains("< 200"),
        "{said}"
    );
    // One that cannot goes on without.
    work(&Running::start(Kind::Vsftpd), &["--compress"], "ftp://");
}

#[test]
fn the_dialogue_is_shown_without_the_password() {
    let server = Running::start(Kind::Ours);
    let url = server.url("").replace("ftp://", "ftp://anna:hunter2@");
    let output = server.run(&["ls", "--verbose", &url]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("> USER anna\n") && said.contains("> PASS …\n"),
        "{said}"
    );
    assert!(
        said.contains("< 530 ") && !said.contains("hunter2"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(5), "{said}");
}

#[test]
fn netrc_says_who_comes_and_a_broken_one_is_a_mistake_of_ours() {
    let server = Running::start(Kind::Vsftpd);
    server.put_there("pub/x", "1");
    let netrc = "machine 127.0.0.1 login anonymous password guest@\n";
    fs::write(server.here(".netrc"), netrc).unwrap();
    let said = server.run(&["ls", "-v", "URL/pub/"]).stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains("> USER anonymous") && !said.contains("guest@"),
        "{said}"
    );
    fs::write(server.here(".netrc"), "machine 127.0.0.1 login\n").unwrap();
    server.bad(2, &["ls", "URL/pub/"]);
    server.good(&["ls", "--no-netrc", "URL/pub/"]);
}

/// Bytes both ways until one side ends.
fn join(a: TcpStream, b: TcpStream) {
    for (mut from, mut to) in [(a.try_clone().unwrap(), b.try_clone().unwrap()), (b, a)] {
        thread::spawn(move || {
            std::io::copy(&mut from, &mut to).ok();
            to.shutdown(Shutdown::Write).ok();
        });
    }
}

/// A SOCKS5 proxy for addresses and the name `ftp.example`, which leads to this computer.
pub(crate) fn socks() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut bytes = |count: usize| {
                    let mut bytes = vec![0; count];
                    stream.read_exact(&mut bytes).map(|()| bytes)
                };
                let greeting = bytes(2)?;
                bytes(greeting[1].into())?;
                stream.write_all(&[5, 0])?;
                let mut bytes = |count: usize| {
                    let mut bytes = vec![0; count];
                    stream.read_exact(&mut bytes).map(|()| bytes)
                };
                match bytes(4)?[3] {
                    1 => assert_eq!(bytes(4)?, [127, 0, 0, 1]),
                    3 => {
                        let length = bytes(1)?[0];
                        assert_eq!(bytes(length.into())?, b"ftp.example");
                    }
                    other => panic!("address type {other}"),
                }
                let port = bytes(2)?;
                let port = u16::from_be_bytes([port[0], port[1]]);
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
                stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
                join(stream, server);
                Ok::<_, std::io::Error>(())
            });
        }
    });
    port
}

#[test]
fn both_connections_go_through_a_proxy_which_looks_up_the_name() {
    let server = Running::start(Kind::Ours);
    server.put_there("x", body(300_000));
    let proxy = format!("socks5://127.0.0.1:{}", socks());
    let url = format!("ftp://ftp.example:{}/x", server.port);
    server.good(&["get", "-q", "--proxy", &proxy, &url]);
    assert!(fs::read(server.here("x")).unwrap() == body(300_000));
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = format!("http://127.0.0.1:{}", gone.local_addr().unwrap().port());
    drop(gone);
    server.bad(3, &["get", "--proxy", &proxy, "--retries", "0", &url]);
}
