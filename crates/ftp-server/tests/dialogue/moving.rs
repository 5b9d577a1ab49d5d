//! Transfers in every TYPE, STRU and MODE, parts of files, and listings.

use ftp_server::ftp_proto::transfer::{Decoder, Encoder, Encoding, Framing, Progress};

use crate::harness::Running;

const TEXT: &[u8] = b"one\ntwo\n\xffthree\nfour";

/// What md5sum says of it.
const TEXT_MD5: &str = "250 8428532EBC850124AC1B5C321FA46F15\r\n";

fn encode(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    let (mut encoder, mut wire) = (Encoder::new(encoding), Vec::new());
    encoder.encode(bytes, &mut wire);
    encoder.finish(&mut wire);
    wire
}

fn decode(encoding: Encoding, mut wire: &[u8]) -> Vec<u8> {
    let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
    while decoder.decode(&mut wire, &mut out).unwrap() == Progress::Full {}
    decoder.finish(&mut out).unwrap();
    out
}

#[tokio::test]
async fn a_file_travels_in_every_type_structure_and_mode() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    for (kind, ascii) in [("I", false), ("A", true)] {
        for (structure, records) in [("F", false), ("R", true)] {
            for (mode, framing) in [
                ("S", Framing::Stream),
                ("B", Framing::Block),
                ("Z", Framing::Deflate { level: 6 }),
            ] {
                let encoding = Encoding {
                    ascii,
                    records,
                    framing,
                };
                for line in [
                    format!("TYPE {kind}"),
                    format!("STRU {structure}"),
                    format!("MODE {mode}"),
                ] {
                    assert_eq!(client.ask(line).await, 200);
                }
                let wire = encode(encoding, TEXT);
                assert_eq!(client.put("STOR file", &wire).await, 226, "{encoding:?}");
                let (code, got) = client.get("RETR file").await;
                assert_eq!(
                    (code, &decode(encoding, &got)[..]),
                    (226, TEXT),
                    "{encoding:?}"
                );
                assert_eq!(client.tell("XMD5 file").await.1, TEXT_MD5, "{encoding:?}");
                let (code, listing) = client.get("NLST").await;
                let plain = Encoding {
                    framing,
                    ..Encoding::PLAIN
                };
                assert_eq!(
                    (code, &decode(plain, &listing)[..]),
                    (226, &b"file\r\n"[..])
                );
            }
        }
    }
}

#[tokio::test]
async fn an_upload_cut_before_its_marked_end_is_no_success() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    for mode in ["B", "Z"] {
        assert_eq!(client.ask(format!("MODE {mode}")).await, 200);
        assert_eq!(client.put("STOR file", b"").await, 426);
    }
    assert_eq!(client.ask("MODE Z").await, 200);
    assert_eq!(client.put("STOR file", b"no deflate stream").await, 451);
    client.is_in_step().await;
}

#[tokio::test]
async fn parts_are_sent_taken_up_and_refused_behind_the_end() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    assert_eq!(client.put("STOR file", b"0123456789").await, 226);
    assert_eq!(client.ask("REST 4").await, 350);
    assert_eq!(client.get("RETR file").await, (226, b"456789".to_vec()));
    assert_eq!(client.get("RETR file").await, (226, b"0123456789".to_vec()));
    assert_eq!(client.ask("RANG 2 5").await, 350);
    assert_eq!(client.get("RETR file").await, (226, b"2345".to_vec()));
    assert_eq!(client.ask("REST 11").await, 350);
    assert_eq!(client.get("RETR file").await.0, 554);
    assert_eq!(client.ask("REST 4").await, 350);
    assert_eq!(client.put("STOR file", b"xy").await, 226);
    assert_eq!(client.get("RETR file").await, (226, b"0123xy".to_vec()));
    assert_eq!(client.put("APPE file", b"z").await, 226);
    assert_eq!(client.get("RETR file").await, (226, b"0123xyz".to_vec()));
    // Over a part and no further.
    assert_eq!(client.ask("RANG 2 3").await, 350);
    assert_eq!(client.put("STOR file", b"ab").await, 226);
    assert_eq!(client.get("RETR file").await, (226, b"01abxyz".to_vec()));
    assert_eq!(client.ask("RANG 2 3").await, 350);
    assert_eq!(client.put("STOR file", b"cde").await, 552);
    assert_eq!(client.get("RETR file").await, (226, b"01abxyz".to_vec()));
    assert_eq!(client.ask("RANG 8 9").await, 350);
    assert_eq!(client.put("STOR file", b"x").await, 554);
    for line in ["APPE file", "STOU file"] {
        assert_eq!(client.ask("RANG 2 3").await, 350);
        assert_eq!(client.put(line, b"x").await, 504, "{line}");
    }
    // Nothing is made where there is nothing to go on with.
    assert_eq!(client.ask("REST 4").await, 350);
    assert_eq!(client.put("STOR new", b"xy").await, 553);
    assert_eq!(client.ask("SIZE new").await, 550);
    assert_eq!(client.ask("RETR none").await, 550);
    assert_eq!(client.ask("RETR file").await, 425);
}

#[tokio::test]
async fn stou_says_which_name_it_has_chosen() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    for _ in 0..2 {
        let data = client.data().await;
        let (code, text) = client.tell("STOU name").await;
        assert_eq!(code, 150);
        let name = text
            .trim_end()
            .strip_prefix("150 FILE: ")
            .unwrap()
            .to_owned();
        drop(data);
        assert_eq!(client.code().await, 226);
        assert_eq!(client.ask(format!("DELE {name}")).await, 250);
    }
}

#[tokio::test]
async fn listings_take_options_and_patterns_and_give_names_for_retr() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    assert_eq!(client.ask("MKD sub").await, 257);
    for name in ["sub/a.txt", "sub/b.txt", "sub/c", "sub/[x]"] {
        assert_eq!(client.put(&format!("STOR {name}"), b"1").await, 226);
    }
    for (line, names) in [
        ("NLST", "sub\r\n"),
        ("NLST sub", "sub/[x]\r\nsub/a.txt\r\nsub/b.txt\r\nsub/c\r\n"),
        (
            "NLST -r sub/",
            "sub/c\r\nsub/b.txt\r\nsub/a.txt\r\nsub/[x]\r\n",
        ),
        ("NLST sub/*.txt", "sub/a.txt\r\nsub/b.txt\r\n"),
        ("NLST sub/c", "sub/c\r\n"),
        ("NLST sub/[x]", "sub/[x]\r\n"),
        ("NLST -d sub", "sub\r\n"),
        ("NLST sub/*.none", ""),
    ] {
        let (code, text) = client.get(line).await;
        assert_eq!(
            (code, &*String::from_utf8(text).unwrap()),
            (226, names),
            "{line}"
        );
    }
    assert_eq!(client.get("NLST none").await.0, 550);
    assert_eq!(client.get("MLSD sub/c").await.0, 501);
    let (_, text) = client.get("LIST -laR").await;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\r\n\r\n./sub:\r\n-rw-r--r--"), "{text}");
    let (code, text) = client.tell("STAT sub").await;
    assert_eq!(code, 212);
    assert_eq!(text.lines().count(), 6, "{text}");
    assert_eq!(client.ask("STAT sub/c").await, 213);
    assert_eq!(client.ask("STAT sub/*.txt").await, 213);
}

#[tokio::test]
async fn active_mode_dials_the_control_peer_alone() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let listener = client.active().await;
    assert_eq!(client.ask("NLST").await, 150);
    drop(listener.accept().await.unwrap());
    assert_eq!(client.code().await, 226);
    for line in [
        "PORT 10,0,0,1,8,1",
        "PORT 127,0,0,1,0,25",
        "EPRT |1|10.0.0.1|2049|",
        "EPRT |1|127.0.0.1|80|",
    ] {
        assert_eq!(client.ask(line).await, 501, "{line}");
    }
    assert_eq!(client.ask("EPSV ALL").await, 200);
    for line in ["PORT 127,0,0,1,8,1", "PASV", "EPRT |1|127.0.0.1|2049|"] {
        assert_eq!(client.ask(line).await, 503, "{line}");
    }
    assert_eq!(client.ask("EPSV").await, 229);
}
