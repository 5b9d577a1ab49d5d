//! A hostile or broken server: one case for each thing users of other clients have met.
//!
//! The numbers are CVEs and reports of curl, basic-ftp, lftp, wget, aioftp, FluentFTP and others.

use std::sync::Arc;
use std::time::Duration;

use ftp_client::{Cause, Client, Config, DataMode, Error, Limits, Phase};
use ftp_proto::Verb;
use ftp_proto::reply::ReplyError;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::client::{Session, config, connect};
use crate::peer::{Memory, flood, play, pour};

/// More than any deadline below; time is paused where deadlines are tested.
const PATIENCE: Duration = Duration::from_secs(600);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(PATIENCE, what).await;
    ended.expect("the client waits for ever")
}

/// Greeting and passive mode, up to the reply to RETR.
fn up_to_retr(rest: &str) -> &'static str {
    let text = format!(
        "S: 220 ready\nC: TYPE I\nS: 200 ok\nC: EPSV\nS: 229 (|||5000|)\nC: RETR a\n{rest}"
    );
    Box::leak(text.into_boxed_str())
}

fn up_to_list(rest: &str) -> &'static str {
    let text = format!(
        "S: 220 ready\nC: FEAT\nS: 211-\nS:  MLST type*;\nS: 211 End\nC: EPSV\nS: 229 (|||5000|)
         C: MLSD\n{rest}"
    );
    Box::leak(text.into_boxed_str())
}

/// Reads the whole of `a`; the server keeps the control connection open.
async fn download(script: &'static str, data: &'static [u8]) -> Result<Vec<u8>, Error> {
    let dial = Arc::new(Memory::default());
    play(dial.expect(), script);
    pour(dial.expect(), data);
    let mut client = connect(&dial).await?;
    read_all(&mut client).await
}

async fn read_all(client: &mut Session) -> Result<Vec<u8>, Error> {
    let mut download = client.retrieve("a").await?;
    let mut body = Vec::new();
    // What reading meets, `finish` tells in full.
    let read = download.read_to_end(&mut body).await;
    let end = download.finish().await.map(|_| body);
    assert_eq!(read.is_ok(), end.is_ok());
    end
}

fn refused(error: &Error, code: u16) -> bool {
    matches!(error.cause(), Cause::Refused(reply) if reply.code().number() == code)
}

#[tokio::test]
async fn replies_and_banners_without_end_are_too_long() {
    for bytes in [
        &b"220-x\r\n"[..],
        b"\n",
        b"x",
        b"220-",
        b"\0",
        b"\xff\xfb\x01",
    ] {
        let dial = Arc::new(Memory::default());
        flood(dial.expect(), bytes);
        let error = soon(connect(&dial)).await.unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Unreadable(ReplyError::TooLong)),
            "{error}"
        );
        assert_eq!(error.phase(), Phase::Greeting);
    }
    let dial = Arc::new(Memory::default());
    flood(dial.expect(), b"120 soon\r\n");
    let error = soon(connect(&dial)).await.unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Unreadable(ReplyError::TooLong)),
        "{error}"
    );
}

#[tokio::test]
async fn listings_without_end_stop_at_their_limits() {
    for (line, limit) in [
        (&b"type=file; x\r\n"[..], "listing_entries"),
        (b"x", "listing_bytes"),
        (b"what\n", "listing_entries"),
    ] {
        let dial = Arc::new(Memory::default());
        play(dial.expect(), up_to_list("S: 150 go"));
        flood(dial.expect(), line);
        let mut client = connect(&dial).await.unwrap();
        client.config_mut().limits.listing_entries = 100;
        client.config_mut().limits.listing_bytes = 1_000_000;
        let error = soon(client.list("")).await.unwrap_err();
        assert!(
            matches!(error.cause(), Cause::TooMuch { limit: found, .. } if *found == limit),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_wait_has_its_deadline() {
    let limits = Limits::default();
    // Nothing at all.
    let dial = Arc::new(Memory::default());
    let _silent = dial.expect();
    let error = soon(connect(&dial)).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Timeout(limit) if *limit == limits.reply));
    assert_eq!(error.phase(), Phase::Greeting);

    // No reply to RETR; agreed, but no byte; some bytes, then none; all bytes, but no last reply;
    // confirmed, but the data never ends.
    let cases = [
        ("", 0, Phase::DataConnect(Verb::Retr), limits.first_byte),
        (
            "S: 150 go",
            0,
            Phase::Transfer(Verb::Retr),
            limits.first_byte,
        ),
        ("S: 150 go", 9, Phase::Transfer(Verb::Retr), limits.stall),
        (
            "S: 150 go\nS: 226 done",
            9,
            Phase::Transfer(Verb::Retr),
            limits.after_final,
        ),
    ];
    for (replies, bytes, phase, limit) in cases {
        let dial = Arc::new(Memory::default());
        let script = up_to_retr(replies);
        let server = play(dial.expect(), script);
        let mut data = dial.expect();
        data.write_all(&vec![b'x'; bytes]).await.unwrap();
        let mut client = connect(&dial).await.unwrap();
        client.config_mut().keep_alive = None;
        let error = soon(read_all(&mut client)).await.unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Timeout(found) if *found == limit),
            "{replies}: {error}"
        );
        assert_eq!(error.phase(), phase, "{replies}");
        server.abort();
    }
    let dial = Arc::new(Memory::default());
    play(dial.expect(), up_to_retr("S: 150 go"));
    pour(dial.expect(), b"all");
    let mut client = connect(&dial).await.unwrap();
    let error = soon(read_all(&mut client)).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Final(Verb::Retr));
    assert!(matches!(error.cause(), Cause::Timeout(_)), "{error}");

    // A server that drips bytes for ever meets the deadline for the whole.
    let dial = Arc::new(Memory::default());
    play(dial.expect(), up_to_retr("S: 150 go"));
    drip(dial.expect());
    let mut client = connect(&dial).await.unwrap();
    client.config_mut().keep_alive = None;
    client.config_mut().limits.whole = Some(Duration::from_secs(300));
    let error = soon(read_all(&mut client)).await.unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Timeout(limit) if limit.as_secs() == 300),
        "{error}"
    );
}

fn drip(mut stream: DuplexStream) {
    tokio::spawn(async move {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    });
}

#[tokio::test]
async fn an_address_in_a_227_is_ignored_and_nonsense_is_no_address() {
    // Third party, private, zero, multicast, own loopback: CVE-2020-8284, CVE-2021-4189.
    for address in ["10,0,0,1", "0,0,0,0", "127,0,0,1", "224,0,0,1", "8,8,8,8"] {
        let dial = Arc::new(Memory::default());
        let script = format!(
            "S: 220 ready\nC: TYPE I\nS: 200 ok\nC: PASV\nS: 227 ok ({address},19,136)\nC: RETR a
             S: 150 go\nS: 226 done"
        );
        play(dial.expect(), Box::leak(script.into_boxed_str()));
        pour(dial.expect(), b"x");
        let mut client = connect(&dial).await.unwrap();
        client.config_mut().data_mode = DataMode::PassiveV4;
        read_all(&mut client).await.unwrap();
        assert_eq!(dial.dialled()[1], "192.0.2.1:5000", "{address}");
    }
    for text in [
        "ok",
        "(1,2,3,4,5)",
        "(1,2,3,4,0,0)",
        "(256,0,0,1,1,1)",
        "(1,2,3,4,5,999)",
    ] {
        let dial = Arc::new(Memory::default());
        let script = format!("S: 220 ready\nC: TYPE I\nS: 200 ok\nC: PASV\nS: 227 {text}");
        play(dial.expect(), Box::leak(script.into_boxed_str()));
        let mut client = connect(&dial).await.unwrap();
        client.config_mut().data_mode = DataMode::PassiveV4;
        let error = read_all(&mut client).await.unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Malformed(_)),
            "{text}: {error}"
        );
        assert_eq!(dial.dialled().len(), 1, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn epsv_that_is_refused_swallowed_or_leads_nowhere_gives_way_to_pasv_in_time() {
    let pasv = "C: PASV\nS: 227 (1,2,3,4,19,136)\nC: RETR a\nS: 150 go\nS: 226 done\nC: PASV
                S: 227 (1,2,3,4,19,137)\nC: RETR a\nS: 150 go\nS: 226 done";
    for epsv in [
        "S: 500 what",
        "S: 522 network protocol",
        "S: 229 (nonsense)",
        "S: 229 (|||0|)",
        // Swallowed; late.
        "",
    ] {
        let dial = Arc::new(Memory::default());
        let script = format!("S: 220 ready\nC: TYPE I\nS: 200 ok\nC: EPSV\n{epsv}\n{pasv}");
        let peer = play(dial.expect(), Box::leak(script.into_boxed_str()));
        pour(dial.expect(), b"x");
        pour(dial.expect(), b"y");
        let mut client = connect(&dial).await.unwrap();
        let began = tokio::time::Instant::now();
        assert_eq!(soon(read_all(&mut client)).await.expect(epsv), b"x");
        assert!(
            began.elapsed() <= Limits::default().extended_passive * 2,
            "{epsv}"
        );
        assert_eq!(soon(read_all(&mut client)).await.expect(epsv), b"y");
        drop(client);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn epsv_that_failed_is_remembered_for_the_host() {
    let dial = Arc::new(Memory::default());
    let config = config();
    for script in [
        "S: 220 ready\nC: TYPE I\nS: 200 ok\nC: EPSV\nS: 502 no\nC: PASV\nS: 227 (1,2,3,4,19,136)
         C: RETR a\nS: 150 go\nS: 226 done",
        "S: 220 ready\nC: TYPE I\nS: 200 ok\nC: PASV\nS: 227 (1,2,3,4,19,136)
         C: RETR a\nS: 150 go\nS: 226 done",
    ] {
        let peer = play(dial.expect(), script);
        pour(dial.expect(), b"x");
        let mut client = Client::connect(dial.clone(), config.clone()).await.unwrap();
        read_all(&mut client).await.unwrap();
        drop(client);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn the_orders_servers_answer_a_transfer_in_are_all_read() {
    let orders = [
        "S: 150 go\nS: 226 done",
        "S: 125 go\nS: 250 done",
        // No word before the data.
        "S: 226 done",
        // Twice.
        "S: 150 go\nS: 150 really\nS: 226 done",
        "S: 150-go\nS: 226 not yet\nS: 150 go\nS: 226-done\nS: 226 done",
    ];
    for order in orders {
        assert_eq!(
            download(up_to_retr(order), b"body").await.expect(order),
            b"body"
        );
        assert_eq!(download(up_to_retr(order), b"").await.expect(order), b"");
    }
}

#[tokio::test]
async fn a_transfer_the_server_calls_broken_is_an_error_and_so_is_silence_at_the_end() {
    for (last, code) in [
        ("S: 426 cut", 426),
        ("S: 451 disk", 451),
        ("S: 550 gone", 550),
    ] {
        let error = download(up_to_retr(&format!("S: 150 go\n{last}")), b"body")
            .await
            .unwrap_err();
        assert!(refused(&error, code), "{error}");
        assert_eq!(error.phase(), Phase::Final(Verb::Retr));
    }
    // The data broke off and the reason comes on the control connection (NLST of a wrong path).
    let error = download(up_to_retr("S: 550 nothing there"), b"")
        .await
        .unwrap_err();
    assert_eq!(error.phase(), Phase::Command(Verb::Retr));
    assert!(refused(&error, 550));

    // Closed instead of a last word.
    let dial = Arc::new(Memory::default());
    let mut peer = dial.expect();
    tokio::spawn(async move {
        peer.write_all(b"220 r\r\n").await.unwrap();
        for reply in ["200 ok\r\n", "229 (|||5000|)\r\n", "150 go\r\n"] {
            peer.read_buf(&mut Vec::new()).await.unwrap();
            peer.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    pour(dial.expect(), b"body");
    let mut client = connect(&dial).await.unwrap();
    let error = read_all(&mut client).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Closed), "{error}");
    assert!(client.is_lost());
}

#[tokio::test]
async fn fewer_bytes_than_expected_are_truncated_though_the_server_is_content() {
    let dial = Arc::new(Memory::default());
    play(dial.expect(), up_to_retr("S: 150 go\nS: 226 done"));
    pour(dial.expect(), b"body");
    let mut client = connect(&dial).await.unwrap();
    let mut download = client.retrieve("a").await.unwrap().expecting(9);
    download.read_to_end(&mut Vec::new()).await.unwrap_err();
    let error = download.finish().await.unwrap_err();
    assert!(
        matches!(
            error.cause(),
            Cause::Truncated {
                received: 4,
                expected: Some(9)
            }
        ),
        "{error}"
    );
    assert!(error.is_temporary() && !error.ends_session());
}

#[tokio::test(start_paused = true)]
async fn a_long_silence_in_a_transfer_is_bridged_with_noop() {
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        up_to_retr(
            "S: 150 go\nC: NOOP\nS: 200 ok\nC: NOOP\nS: 226 done\nS: 200 ok\nC: PWD\nS: 257 \"/\"",
        ),
    );
    let mut data = dial.expect();
    tokio::spawn(async move {
        for _ in 0..4 {
            data.write_all(b"x").await.unwrap();
            tokio::time::sleep(Duration::from_secs(25)).await;
        }
    });
    let mut client = connect(&dial).await.unwrap();
    client.config_mut().keep_alive = Some(Duration::from_secs(45));
    let body = soon(read_all(&mut client)).await.unwrap();
    assert_eq!(body, b"xxxx");
    assert_eq!(soon(client.working_directory()).await.unwrap(), b"/");
    drop(client);
    peer.await.unwrap();
}

#[tokio::test]
async fn names_a_server_gives_are_told_apart_from_names_to_use() {
    // CVE-2026-27699, CVE-2010-2251, CVE-2010-2252.
    let dial = Arc::new(Memory::default());
    play(dial.expect(), up_to_list("S: 150 go\nS: 226 done"));
    pour(
        dial.expect(),
        b"type=file; ../../etc/passwd\r\ntype=file; ..\\x\r\ntype=file; C:x\r\ntype=file; a\x1b[2J\r\n\
          type=dir; ..\r\ntype=file; good\r\nsize=99999999999999999999;type=file; big\r\n\0\r\nnonsense\r\n",
    );
    let mut client = connect(&dial).await.unwrap();
    let listing = client.list("").await.unwrap();
    assert_eq!(listing.unknown, 2);
    assert_eq!(listing.entries.len(), 6);
    let usable: Vec<_> = listing
        .entries
        .iter()
        .filter(|entry| entry.is_plain_name())
        .map(|entry| (entry.name.as_slice(), entry.size))
        .collect();
    assert_eq!(usable, [(&b"good"[..], None), (b"big", None)]);
}

#[tokio::test]
async fn odd_bytes_in_replies_stay_in_the_reply() {
    let dial = Arc::new(Memory::default());
    pour(dial.expect(), b"530 a\0b\x1b[2Jc\xff\xffd\r\n");
    let error = connect(&dial).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.bytes().all(|byte| (b' '..0x7f).contains(&byte)),
        "{text}"
    );
    // A 257 without its closing quote: CVE-2017-1000254.
    let dial = Arc::new(Memory::default());
    play(
        dial.expect(),
        "S: 220 ready\nC: PWD\nS: 257 \"/never closed",
    );
    let mut client = connect(&dial).await.unwrap();
    let error = client.working_directory().await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Malformed(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_is_full_is_told_from_a_wrong_password() {
    for (script, crowded) in [
        ("S: 421 too many connections", true),
        (
            "S: 220 r\nC: USER a\nS: 530 Sorry, the maximum number of clients is reached",
            true,
        ),
        ("S: 220 r\nC: USER a\nS: 530 Login incorrect", false),
    ] {
        let dial = Arc::new(Memory::default());
        play(dial.expect(), script);
        let error = match connect(&dial).await {
            Err(error) => error,
            Ok(mut client) => client
                .login(&ftp_client::Login::new("a", "b"))
                .await
                .unwrap_err(),
        };
        assert_eq!(error.is_crowded(), crowded, "{script}");
    }
}

#[cfg(feature = "tls")]
mod tls {
    use super::*;
    use ftp_client::{Security, TlsOptions};

    fn explicit() -> Config {
        let mut config = config();
        config.security = Security::Explicit(TlsOptions::insecure());
        config
    }

    #[tokio::test]
    async fn a_server_that_refuses_tls_gets_no_clear_text() {
        let dial = Arc::new(Memory::default());
        let peer = play(
            dial.expect(),
            "S: 220 ready\nC: AUTH TLS\nS: 500 what\nC: AUTH SSL\nS: 534 policy",
        );
        let error = Client::connect(dial, explicit()).await.unwrap_err();
        assert!(refused(&error, 500), "{error}");
        assert_eq!(error.phase(), Phase::Secure);
        peer.await.unwrap();
    }

    #[tokio::test]
    async fn an_ok_without_tls_behind_it_and_replies_in_clear_are_not_believed() {
        // CVE-2021-22946: 2xx and no handshake. CVE-2021-22947: replies sent along with the 234.
        for bytes in [
            &b"220 r\r\n200 ok\r\n200 ok\r\n"[..],
            b"220 r\r\n230 you are in\r\n230 in\r\n",
            b"220 r\r\n234 go\r\n331 password\r\n230 in\r\n200 ok\r\n",
        ] {
            let dial = Arc::new(Memory::default());
            let mut peer = dial.expect();
            tokio::spawn(async move {
                peer.write_all(bytes).await.unwrap();
                let mut said = Vec::new();
                peer.read_to_end(&mut said).await.ok();
                let clear = said.windows(4).any(|window| window == b"USER");
                assert!(!clear, "the user's name went in clear");
            });
            let mut config = explicit();
            config.limits.connect = Duration::from_millis(200);
            config.limits.reply = Duration::from_millis(200);
            let error = soon(Client::connect(dial, config)).await.unwrap_err();
            assert_eq!(error.phase(), Phase::Secure, "{error}");
        }
    }
}
