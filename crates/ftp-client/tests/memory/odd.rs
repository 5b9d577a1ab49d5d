//! Servers that are not hostile but odd: replies out of turn, names of all kinds, keep-alives refused.

use std::sync::Arc;
use std::time::Duration;

use ftp_client::dial::Tcp;
use ftp_client::{Cause, Client, Config, DataMode, Error, Login, Phase, Pipelining};
use ftp_proto::reply::ReplyError;
use ftp_proto::time::Timestamp;
use ftp_proto::{Command, Verb};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::TcpListener;

use crate::client::{Session, config, connect};
use crate::peer::{Memory, play, pour};

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[tokio::test]
async fn logins_take_odd_turns_and_refusals_name_what_was_said() {
    let good = [
        "S: 220 r\nC: USER anna\nS: 120 a moment\nS: 331 password\nC: PASS secret\nS: 230 in",
        "S: 120 a moment\nS: 120 another\nS: 220 r\nC: USER anna\nS: 331 p\nC: PASS secret\nS: 230 in",
        "S: 220 r\nC: USER anna\nS: 331 p\nC: PASS secret\nS: 150 checking\nS: 230 in",
        "S: 220 r\nC: USER anna\nS: 230-in\nS: 530 no such thing\nS: 230 end",
    ];
    for script in good {
        let dial = Arc::new(Memory::default());
        play(dial.expect(), leak(format!("{script}\nC: FEAT\nS: 502 no")));
        let mut client = connect(&dial).await.unwrap();
        let login = client.login(&Login::new("anna", "secret")).await;
        login.unwrap_or_else(|error| panic!("{script}: {error}"));
    }
    // 4xx, 5xx, and what does not fit: each is the server's word in the phase of the login.
    for (reply, temporary) in [
        ("421 bye", true),
        ("450 later", true),
        ("500 what", false),
        ("530 no", false),
        ("534 TLS first", false),
        ("350 go on", false),
        ("631 sealed", false),
    ] {
        let dial = Arc::new(Memory::default());
        play(
            dial.expect(),
            leak(format!("S: 220 r\nC: USER anna\nS: {reply}")),
        );
        let mut client = connect(&dial).await.unwrap();
        let error = client.login(&Login::new("anna", "x")).await.unwrap_err();
        assert_eq!(error.phase(), Phase::Login);
        assert_eq!(error.code().unwrap().to_string(), reply[..3]);
        assert_eq!(error.is_temporary(), temporary, "{reply}");
        assert_eq!(error.ends_session(), reply.starts_with("421"), "{reply}");
    }
    for (greeting, code) in [("421 full", 421), ("530 banned", 530), ("554 no", 554)] {
        let dial = Arc::new(Memory::default());
        play(dial.expect(), leak(format!("S: {greeting}")));
        let error = connect(&dial).await.unwrap_err();
        assert_eq!(error.phase(), Phase::Greeting);
        assert_eq!(error.code().unwrap().number(), code);
    }
}

#[tokio::test]
async fn what_is_no_reply_is_unreadable_and_what_is_one_is_read_however_it_is_written() {
    let unreadable: [Vec<u8>; 4] = [
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n".to_vec(),
        b"99 x\r\n".to_vec(),
        [vec![b'x'; 1_000_000], b"\r\n".to_vec()].concat(),
    ];
    for bytes in unreadable {
        let shown = bytes
            .get(..20.min(bytes.len()))
            .unwrap()
            .escape_ascii()
            .to_string();
        let dial = Arc::new(Memory::default());
        pour(dial.expect(), Box::leak(bytes.into_boxed_slice()));
        let error = connect(&dial).await.unwrap_err();
        assert_eq!(error.phase(), Phase::Greeting, "{shown}");
        assert!(
            matches!(error.cause(), Cause::Unreadable(_)),
            "{shown}: {error}"
        );
    }
    // A million bytes of reply in lines that are fine one by one.
    let dial = Arc::new(Memory::default());
    let lines = "220-and so on and so forth\r\n".repeat(40_000);
    pour(dial.expect(), leak(lines).as_bytes());
    let error = connect(&dial).await.unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Unreadable(ReplyError::TooLong)),
        "{error}"
    );
    for greeting in [
        &b"220\r\n"[..],
        b"220 x\n",
        b"220-a\r\nb\r\n 220 c\r\n220 d\r\n",
        b"220-a\r\n220-b\r\n220\r\n",
        b"220 a\0b\xff\r\n",
    ] {
        let dial = Arc::new(Memory::default());
        let shown = greeting.escape_ascii().to_string();
        pour(dial.expect(), greeting);
        let client = connect(&dial).await.expect(&shown);
        assert_eq!(client.greeting().code().number(), 220, "{shown}");
    }
}

async fn hear(stream: &mut DuplexStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_may_be_refused_and_is_then_left_out() {
    // pure-ftpd answers 500 during a transfer, others 450 or 502; the transfer is none the worse.
    for answer in ["500 Unknown command", "502 no", "450 busy", "221 what"] {
        let dial = Arc::new(Memory::default());
        let (mut control, mut data) = (dial.expect(), dial.expect());
        let server = tokio::spawn(async move {
            control.write_all(b"220 r\r\n").await.unwrap();
            for (command, reply) in [
                ("TYPE I\r\n", "200 ok\r\n"),
                ("EPSV\r\n", "229 (|||5000|)\r\n"),
                ("RETR a\r\n", "150 go\r\n"),
            ] {
                hear(&mut control, command).await;
                control.write_all(reply.as_bytes()).await.unwrap();
            }
            for turn in 0..12 {
                data.write_all(b"x").await.unwrap();
                tokio::time::sleep(Duration::from_secs(25)).await;
                if turn == 1 {
                    hear(&mut control, "NOOP\r\n").await;
                    control.write_all(answer.as_bytes()).await.unwrap();
                    control.write_all(b"\r\n").await.unwrap();
                }
            }
            drop(data);
            control.write_all(b"226 done\r\n").await.unwrap();
            // No other NOOP in all that time.
            hear(&mut control, "PWD\r\n").await;
            control.write_all(b"257 \"/\"\r\n").await.unwrap();
            control
        });
        let mut client = connect(&dial).await.unwrap();
        client.config_mut().keep_alive = Some(Duration::from_secs(40));
        let mut body = Vec::new();
        let mut download = client.retrieve("a").await.unwrap();
        let read = download.read_to_end(&mut body).await;
        read.unwrap_or_else(|error| panic!("{answer}: {error}"));
        download.finish().await.unwrap();
        assert_eq!(body, [b'x'; 12], "{answer}");
        assert_eq!(client.working_directory().await.unwrap(), b"/", "{answer}");
        server.await.unwrap();
    }
}

/// Reads lines of one session and answers them; the data connections are reset after some bytes.
async fn resetting(listener: TcpListener, moved: &'static [u8], last: &'static str) {
    let (stream, _) = listener.accept().await.unwrap();
    let data = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = data.local_addr().unwrap().port();
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 r\r\n").await.unwrap();
    let mut line = String::new();
    while stream
        .read_line(&mut line)
        .await
        .is_ok_and(|count| count > 0)
    {
        let verb = line
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        line.clear();
        let reply = match verb.as_str() {
            "TYPE" => "200 ok".to_owned(),
            "EPSV" => format!("229 (|||{port}|)"),
            "PWD" => "257 \"/\"".to_owned(),
            "NLST" | "RETR" | "STOR" => {
                stream.write_all(b"150 go\r\n").await.unwrap();
                let (mut peer, _) = data.accept().await.unwrap();
                peer.write_all(moved).await.unwrap();
                if verb == "STOR" {
                    peer.read_exact(&mut [0; 100]).await.unwrap();
                }
                peer.set_zero_linger().unwrap();
                drop(peer);
                last.to_owned()
            }
            _ => "500 what".to_owned(),
        };
        stream
            .write_all(format!("{reply}\r\n").as_bytes())
            .await
            .unwrap();
    }
}

async fn reset_session(moved: &'static [u8], last: &'static str) -> Client<Tcp> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut config = Config::new("127.0.0.1");
    config.port = Some(listener.local_addr().unwrap().port());
    tokio::spawn(resetting(listener, moved, last));
    Client::connect(Tcp, config).await.unwrap()
}

async fn read_all(client: &mut Client<Tcp>) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    let mut download = client.retrieve("a").await?;
    download.read_to_end(&mut body).await.ok();
    download.finish().await.map(|_| body)
}

#[tokio::test]
async fn a_reset_data_connection_is_not_the_end_of_the_session() {
    // Servers that close without reading what we sent, or have nothing to list.
    let mut client = reset_session(b"", "550 no such directory").await;
    let error = client.names("nope").await.unwrap_err();
    assert_eq!(error.code().unwrap().number(), 550, "{error}");
    assert_eq!(client.working_directory().await.unwrap(), b"/");

    let mut client = reset_session(b"some", "226 done").await;
    // Whether the bytes before a reset arrive is the network's affair; that it is no success is ours.
    let error = read_all(&mut client).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Transfer(Verb::Retr), "{error}");
    assert!(matches!(error.cause(), Cause::Io(_)), "{error}");
    assert!(error.is_temporary() && !error.ends_session());
    assert_eq!(client.working_directory().await.unwrap(), b"/");

    let mut client = reset_session(b"", "552 quota exceeded").await;
    let mut upload = client.store("a").await.unwrap();
    let block = [b'x'; 4096];
    // The reset shows with some later write, or only at the end.
    for _ in 0..10_000 {
        if upload.write_all(&block).await.is_err() {
            break;
        }
    }
    let error = upload.finish().await.unwrap_err();
    assert_eq!(error.code().unwrap().number(), 552, "{error}");
    assert_eq!(client.working_directory().await.unwrap(), b"/");
}

#[tokio::test]
async fn what_a_server_sent_before_it_went_away_is_not_lost() {
    // All is on the way before the client looks: 150, data, and the end of both connections.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut config = Config::new("127.0.0.1");
    config.port = Some(listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let data = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 r\r\n").await.unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            let reply = match line.trim_end() {
                "TYPE I" => "200 ok\r\n".to_owned(),
                "EPSV" => format!("229 (|||{}|)\r\n", data.local_addr().unwrap().port()),
                _ => break,
            };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        let (mut body, _) = data.accept().await.unwrap();
        body.write_all(&[b'x'; 50_000]).await.unwrap();
        stream.write_all(b"150 go\r\n").await.unwrap();
    });
    let mut client = Client::connect(Tcp, config).await.unwrap();
    let mut download = client.retrieve("a").await.unwrap();
    server.await.unwrap();
    let mut body = Vec::new();
    let read = download.read_to_end(&mut body).await;
    assert_eq!(body.len(), 50_000);
    read.unwrap_err();
    let error = download.finish().await.unwrap_err();
    assert_eq!(error.phase(), Phase::Final(Verb::Retr), "{error}");
    assert!(matches!(error.cause(), Cause::Closed), "{error}");
    assert!(client.is_lost());
}

#[tokio::test]
async fn names_are_sent_and_read_as_the_bytes_they_are() {
    let dial = Arc::new(Memory::default());
    let mut peer = dial.expect();
    let server = tokio::spawn(async move {
        peer.write_all(b"220 r\r\n").await.unwrap();
        let mut expected = Vec::new();
        // Latin-1, with 255 doubled as Telnet wants it; blanks in front, behind and within; quotes.
        for name in [
            &b"gr\xfc\xdfe"[..],
            b"y\xff\xffm",
            b" in front",
            b"behind ",
            b"a \"b\"",
            "gr\u{fc}\u{df}e".as_bytes(),
            b"-rf",
            b"a\tb\x1b[2J",
        ] {
            expected.extend([b"DELE ", name, b"\r\n"].concat());
        }
        let mut said = vec![0; expected.len()];
        peer.read_exact(&mut said).await.unwrap();
        assert_eq!(
            said.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        for _ in 0..8 {
            peer.write_all(b"250 gone\r\n").await.unwrap();
        }
        peer
    });
    let mut client = Client::connect(dial.clone(), Config::new("192.0.2.1"))
        .await
        .unwrap();
    let names = [
        &b"gr\xfc\xdfe"[..],
        b"y\xffm",
        b" in front",
        b"behind ",
        b"a \"b\"",
        "gr\u{fc}\u{df}e".as_bytes(),
        b"-rf",
        b"a\tb\x1b[2J",
    ];
    let deletes: Vec<_> = names
        .iter()
        .map(|name| Command::Dele(ftp_proto::Argument::new(*name).unwrap()))
        .collect();
    assert_eq!(client.commands(&deletes).await.unwrap().len(), 8);
    server.await.unwrap();

    // And back: what a listing and a 257 say.
    let dial = Arc::new(Memory::default());
    play(
        dial.expect(),
        "S: 220 r\nC: PWD\nS: 257 \"/a \"\"b\"\" \" is here\nC: FEAT\n\
         S: 211-\nS:  MLST type*;\nS: 211 End\nC: EPSV\nS: 229 (|||5000|)\nC: MLSD\nS: 150 go\nS: 226 done",
    );
    pour(
        dial.expect(),
        b"type=file; gr\xfc\xdfe\r\ntype=file;  in front\r\ntype=file; behind \r\n",
    );
    let mut client = connect(&dial).await.unwrap();
    assert_eq!(client.working_directory().await.unwrap(), b"/a \"b\" ");
    let listing = client.list("").await.unwrap();
    let names: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| entry.name.as_slice())
        .collect();
    assert_eq!(names, [&b"gr\xfc\xdfe"[..], b" in front", b"behind "]);
}

#[tokio::test]
async fn utf8_is_asked_for_once_it_is_offered_and_a_refusal_changes_nothing() {
    for (feature, reply, asked) in [
        (" UTF8", "200 on", true),
        (" UTF8", "501 always", true),
        (" utf8", "202 on", true),
        (" MDTM", "", false),
    ] {
        let dial = Arc::new(Memory::default());
        let opts = if asked {
            format!("C: OPTS UTF8 ON\nS: {reply}\nC: TYPE I\nS: 200 ok\n")
        } else {
            String::new()
        };
        let peer = play(
            dial.expect(),
            leak(format!(
                "S: 220 r\nC: USER a\nS: 230 in\nC: FEAT\nS: 211-Features\nS: {feature}\nS: 211 End\n{opts}C: NOOP\nS: 200 ok"
            )),
        );
        let mut client = connect(&dial).await.unwrap();
        client.login(&Login::new("a", "b")).await.unwrap();
        client.noop().await.unwrap();
        drop(client);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn the_host_the_name_and_the_plan_are_told_where_they_are_wanted() {
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        "S: 220 r\nC: HOST ftp.example\nS: 220 welcome to it\nC: USER a\nS: 230 in\nC: FEAT\nS: 211-\n\
         S:  PRET\nS:  CLNT\nS: 211 End\nC: CLNT sundew\nS: 200 hello\nC: TYPE I\nS: 200 ok\n\
         C: PRET RETR a\nS: 200 ok\nC: PASV\nS: 227 (1,2,3,4,19,136)\nC: RETR a\nS: 150 go\nS: 226 done\n\
         C: PRET STOR b\nS: 530 not here",
    );
    pour(dial.expect(), b"body");
    let mut config = config();
    config.virtual_host = Some("ftp.example".into());
    config.client_name = Some("sundew".into());
    config.data_mode = DataMode::PassiveV4;
    let mut client = Client::connect(dial.clone(), config.clone()).await.unwrap();
    client.login(&Login::new("a", "b")).await.unwrap();
    let mut body = Vec::new();
    let mut download = client.retrieve("a").await.unwrap();
    download.read_to_end(&mut body).await.unwrap();
    drop(download);
    assert_eq!(body, b"body");
    let error = client.store("b").await.err().unwrap();
    assert_eq!(error.phase(), Phase::Command(Verb::Pret), "{error}");
    drop(client);
    peer.await.unwrap();
    // Where it is known to be borne, the plan and the question for a port go out together.
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        "S: 220 r\nC: USER a\nS: 230 in\nC: FEAT\nS: 211-\nS:  PRET\nS: 211 End\n\
         C: TYPE I\nS: 200 ok\nC: PRET RETR a\nS: 200 ok\nC: EPSV\nS: 229 (|||5001|)\n\
         C: RETR a\nS: 150 go\nS: 226 done\nC: PRET RETR b\nC: EPSV\nS: 200 ok\n\
         S: 229 (|||5002|)\nC: RETR b\nS: 150 go\nS: 226 done\nC: PRET RETR c\nC: EPSV\n\
         S: 550 nothing there\nS: 229 (|||5003|)\nC: NOOP\nS: 200 ok",
    );
    pour(dial.expect(), b"one");
    pour(dial.expect(), b"two");
    let mut piped = crate::client::config();
    piped.pipelining = Pipelining::Auto;
    let mut client = Client::connect(dial.clone(), piped).await.unwrap();
    client.login(&Login::new("a", "b")).await.unwrap();
    for (path, expected) in [("a", b"one"), ("b", b"two")] {
        let mut body = Vec::new();
        let mut download = client.retrieve(path).await.unwrap();
        download.read_to_end(&mut body).await.unwrap();
        drop(download);
        assert_eq!(body, expected);
    }
    let error = client.retrieve("c").await.err().unwrap();
    assert_eq!(error.phase(), Phase::Command(Verb::Pret), "{error}");
    client.noop().await.unwrap();
    drop(client);
    peer.await.unwrap();
    // A server without such a host is not mistaken for another one.
    let dial = Arc::new(Memory::default());
    play(
        dial.expect(),
        "S: 220 r\nC: HOST ftp.example\nS: 504 no such host",
    );
    let error = Client::connect(dial, config).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Command(Verb::Host), "{error}");
}

#[tokio::test]
async fn sizes_are_numbers_and_nothing_more() {
    let dial = Arc::new(Memory::default());
    play(
        dial.expect(),
        "S: 220 r\nC: TYPE I\nS: 200 ok\nC: SIZE a\nS: 213 18446744073709551615\nC: SIZE a\n\
         S: 213 18446744073709551616\nC: SIZE a\nS: 213 -1\nC: MDTM a\nS: 213 20240230000000\nC: EPSV\n\
         S: 229 (|||5000|)\nC: RETR a\nS: 150 go (18446744073709551615 bytes)\nS: 226 done",
    );
    pour(dial.expect(), b"body");
    let mut client = connect(&dial).await.unwrap();
    assert_eq!(client.size("a").await.unwrap(), Some(u64::MAX));
    assert_eq!(client.size("a").await.unwrap(), None);
    assert_eq!(client.size("a").await.unwrap(), None);
    assert_eq!(client.modified("a").await.unwrap(), None);
    let mut download = client.retrieve("a").await.unwrap();
    let mut body = Vec::new();
    download.read_to_end(&mut body).await.unwrap();
    assert_eq!(download.announced(), Some(u64::MAX));
    assert_eq!(body, b"body");
}

#[tokio::test]
async fn nothing_with_a_line_end_or_a_nul_is_ever_sent() {
    let dial = Arc::new(Memory::default());
    let peer = play(dial.expect(), "S: 220 ready");
    let mut client: Session = connect(&dial).await.unwrap();
    let time = Timestamp::from_unix(0);
    for path in ["a\r\nDELE b", "a\nb", "a\rb", "a\0b", "\r", "\n", "\0"] {
        let errors = [
            client.append(path).await.err(),
            client.change_directory(path).await.err(),
            client.delete(path).await.err(),
            client.facts(path).await.err(),
            client
                .hash(path, ftp_client::client::HashAlgorithm::Sha256)
                .await
                .err(),
            client.list(path).await.err(),
            client.list_by_list(path).await.err(),
            client.list_raw(path).await.err(),
            client.login(&Login::new(path, "x")).await.err(),
            client.make_directory(path).await.err(),
            client.mlsd(path).await.err(),
            client.modified(path).await.err(),
            client.names(path).await.err(),
            client.quote(path).await.err(),
            client.remove_directory(path).await.err(),
            client.rename(path, "b").await.err(),
            client.rename("a", path).await.err(),
            client.retrieve(path).await.err(),
            client.retrieve_from(path, 1).await.err(),
            client.retrieve_range(path, 1, 2).await.err(),
            client.set_modified(path, time).await.err(),
            client.site(path).await.err(),
            client.size(path).await.err(),
            client.size_and_modified(path).await.err(),
            client.store(path).await.err(),
            client.store_from(path, 1).await.err(),
        ];
        for (index, error) in errors.into_iter().enumerate() {
            let error = error.unwrap_or_else(|| panic!("number {index} sends {path:?}"));
            assert!(
                matches!(error.cause(), Cause::Argument(_)),
                "{index} {path:?}: {error}"
            );
        }
    }
    // Nor as a password, an account, the name of a host or our own.
    drop(client);
    peer.await.unwrap();
    for part in 0..4 {
        let dial = Arc::new(Memory::default());
        let script = match part {
            0 => "S: 220 r\nC: USER a\nS: 331 p",
            1 => "S: 220 r\nC: USER a\nS: 332 account",
            2 => "S: 220 r",
            _ => "S: 220 r\nC: USER a\nS: 230 in\nC: FEAT\nS: 211-\nS:  CLNT\nS: 211 End",
        };
        let peer = play(dial.expect(), script);
        let bad = "x\r\nDELE b";
        let mut config = config();
        let mut login = Login::new("a", "p");
        match part {
            0 => login.password = bad.into(),
            1 => login.account = Some(bad.into()),
            2 => config.virtual_host = Some(bad.into()),
            _ => config.client_name = Some(bad.into()),
        }
        let error = match Client::connect(dial, config).await {
            Ok(mut client) => client.login(&login).await.map(drop),
            Err(error) => Err(error),
        };
        let error = error.unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Argument(_)),
            "{part}: {error}"
        );
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn a_busybox_server_is_served_as_it_is() {
    // The words of networking/ftpd.c: no UTF8, no MLSD, no EPRT; `LIST` ends with CRLF lines of its own ls.
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        "S: 220 Operation successful
         C: USER anna
         S: 331 Specify password
         C: PASS secret
         S: 230 Operation successful
         C: FEAT
         S: 211-Features:
         S:  EPSV
         S:  PASV
         S:  REST STREAM
         S:  MDTM
         S:  SIZE
         S: 211 Ok
         C: PWD
         S: 257 \"/\"
         C: TYPE I
         S: 200 Operation successful
         C: SIZE a
         S: 213 9
         C: EPSV
         S: 229 EPSV ok (|||5000|)
         C: REST 4
         S: 350 Operation successful
         C: RETR a
         S: 150 Opening BINARY connection for a (9 bytes)
         S: 226 Operation successful
         C: EPSV
         S: 229 EPSV ok (|||5001|)
         C: LIST -a
         S: 150 Directory listing
         S: 226 Operation successful
         C: MDTM a
         S: 213 20240102030405
         C: DELE nope
         S: 550 Error
         C: QUIT
         S: 221 Operation successful",
    );
    pour(dial.expect(), b" one\n");
    pour(
        dial.expect(),
        b"total 4\r\ndrwxr-xr-x    2 0        0              4096 Jan  2 03:04 .\r\n\
          -rw-r--r--    1 0        0                 9 Jan  2 03:04 a\r\n",
    );
    let mut client = connect(&dial).await.unwrap();
    client.login(&Login::new("anna", "secret")).await.unwrap();
    assert_eq!(client.working_directory().await.unwrap(), b"/");
    assert_eq!(client.size("a").await.unwrap(), Some(9));
    let mut body = Vec::new();
    let mut download = client.retrieve_from("a", 4).await.unwrap();
    download.read_to_end(&mut body).await.unwrap();
    drop(download);
    assert_eq!(body, b" one\n");
    let listing = client.list("").await.unwrap();
    assert_eq!(listing.unknown, 0);
    assert_eq!(listing.entries.len(), 1);
    assert_eq!(listing.entries[0].size, Some(9));
    assert!(client.modified("a").await.unwrap().is_some());
    assert_eq!(
        client
            .delete("nope")
            .await
            .unwrap_err()
            .code()
            .unwrap()
            .number(),
        550
    );
    client.quit().await.unwrap();
    peer.await.unwrap();
}
