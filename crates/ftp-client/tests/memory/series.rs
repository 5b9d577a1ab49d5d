//! One transfer after the other: what is asked ahead, and what becomes of it; the rest of what a session
//! can be told.

use std::sync::{Arc, Mutex};

use ftp_client::{Client, Config, Listener, Login, Said};
use ftp_proto::listing::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::client::Session;
use crate::peer::{Memory, play, pour};

async fn hear(stream: &mut DuplexStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

async fn say(stream: &mut DuplexStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

fn config() -> Config {
    let mut config = Config::new("192.0.2.1");
    config.look_ahead = true;
    config
}

async fn body(client: &mut Session, path: &str) -> Vec<u8> {
    let mut download = client.retrieve(path).await.unwrap();
    let mut body = Vec::new();
    download.read_to_end(&mut body).await.unwrap();
    body
}

#[tokio::test]
async fn the_next_data_connection_is_asked_for_behind_the_last_transfer_until_that_fails_once() {
    let dial = Arc::new(Memory::default());
    let mut peer = dial.expect();
    let server = tokio::spawn(async move {
        say(&mut peer, "220 (vsFTPd 3.0.3)\r\n").await;
        hear(&mut peer, "TYPE I\r\n").await;
        say(&mut peer, "200 ok\r\n").await;
        hear(&mut peer, "EPSV\r\n").await;
        say(&mut peer, "229 (|||5000|)\r\n").await;
        hear(&mut peer, "RETR a\r\nEPSV\r\n").await;
        say(&mut peer, "150 go\r\n226 done\r\n229 (|||5001|)\r\n").await;
        // A command between the two is answered, and what was asked ahead is forgotten.
        hear(&mut peer, "RETR b\r\nEPSV\r\n").await;
        say(&mut peer, "150 go\r\n226 done\r\n229 (|||5002|)\r\n").await;
        hear(&mut peer, "NOOP\r\n").await;
        say(&mut peer, "200 ok\r\n").await;
        hear(&mut peer, "EPSV\r\n").await;
        say(&mut peer, "229 (|||5003|)\r\n").await;
        hear(&mut peer, "RETR c\r\nEPSV\r\n").await;
        say(&mut peer, "150 go\r\n226 done\r\n450 not now\r\n").await;
        hear(&mut peer, "EPSV\r\n").await;
        say(&mut peer, "229 (|||5004|)\r\n").await;
        hear(&mut peer, "RETR d\r\n").await;
        say(&mut peer, "150 go\r\n226 done\r\n").await;
        hear(&mut peer, "QUIT\r\n").await;
        say(&mut peer, "221 bye\r\n").await;
    });
    for data in [&b"one"[..], b"two", b"three", b"four"] {
        pour(dial.expect(), data);
    }
    let mut client = Client::connect(dial.clone(), config()).await.unwrap();
    assert_eq!(body(&mut client, "a").await, b"one");
    assert_eq!(body(&mut client, "b").await, b"two");
    client.noop().await.unwrap();
    assert_eq!(body(&mut client, "c").await, b"three");
    assert_eq!(body(&mut client, "d").await, b"four");
    client.quit().await.unwrap();
    server.await.unwrap();
    let ports = [21, 5000, 5001, 5003, 5004].map(|port| format!("192.0.2.1:{port}"));
    assert_eq!(dial.dialled(), ports);
}

#[tokio::test]
async fn nothing_is_asked_ahead_of_servers_that_may_take_it_amiss() {
    for greeting in [
        "ready",
        "ProFTPD Server",
        "Pure-FTPd",
        "pyftpdlib 2.2.0 ready.",
    ] {
        let dial = Arc::new(Memory::default());
        let script = format!(
            "S: 220 {greeting}\nC: TYPE I\nS: 200 ok\nC: EPSV\nS: 229 (|||5000|)\nC: RETR a\nS: 150 go\n\
             S: 226 done\nC: EPSV\nS: 229 (|||5001|)\nC: RETR b\nS: 150 go\nS: 226 done"
        );
        let peer = play(dial.expect(), Box::leak(script.into_boxed_str()));
        pour(dial.expect(), b"one");
        pour(dial.expect(), b"two");
        let mut client = Client::connect(dial.clone(), config()).await.unwrap();
        assert_eq!(body(&mut client, "a").await, b"one", "{greeting}");
        assert_eq!(body(&mut client, "b").await, b"two", "{greeting}");
        drop(client);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn a_transfer_given_up_with_a_question_behind_it_leaves_the_session_in_step() {
    let dial = Arc::new(Memory::default());
    let mut peer = dial.expect();
    let server = tokio::spawn(async move {
        say(&mut peer, "220 (vsFTPd 3.0.3)\r\n").await;
        hear(&mut peer, "TYPE I\r\n").await;
        say(&mut peer, "200 ok\r\n").await;
        hear(&mut peer, "EPSV\r\n").await;
        say(&mut peer, "229 (|||5000|)\r\n").await;
        hear(&mut peer, "RETR a\r\nEPSV\r\n").await;
        say(&mut peer, "150 go\r\n").await;
        hear(&mut peer, "NOOP\r\n").await;
        say(&mut peer, "426 broken\r\n229 (|||5001|)\r\n200 ok\r\n").await;
        hear(&mut peer, "PWD\r\n").await;
        say(&mut peer, "257 \"/\"\r\n").await;
        peer
    });
    let _data = dial.expect();
    let mut client = Client::connect(dial.clone(), config()).await.unwrap();
    drop(client.retrieve("a").await.unwrap());
    assert_eq!(client.working_directory().await.unwrap(), b"/");
    server.await.unwrap();
}

#[tokio::test]
async fn what_one_session_learned_of_the_features_the_next_one_knows() {
    let dial = Arc::new(Memory::default());
    let config = Config::new("192.0.2.1");
    let first = play(
        dial.expect(),
        "S: 220 ready\nC: USER anna\nS: 230 in\nC: FEAT\nS: 211-Features:\nS:  MLST size*;\nS: 211 End",
    );
    let second = play(
        dial.expect(),
        "S: 220 ready\nC: USER anna\nS: 230 in\nC: MLST x\nS: 250-x\nS:  size=3;type=file; x\nS: 250 End",
    );
    let login = Login::new("anna", "");
    let mut client = Client::connect(dial.clone(), config.clone()).await.unwrap();
    client.login(&login).await.unwrap();
    drop(client);
    first.await.unwrap();
    let mut client = Client::connect(dial.clone(), config).await.unwrap();
    client.login(&login).await.unwrap();
    assert!(client.features().await.unwrap().has("MLST"));
    let entry = client.facts("x").await.unwrap();
    assert_eq!((entry.size, entry.kind), (Some(3), Kind::File));
    drop(client);
    second.await.unwrap();
}

#[tokio::test]
async fn a_listener_hears_everything_but_passwords() {
    let dial = Arc::new(Memory::default());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&heard);
    let mut config = Config::new("192.0.2.1");
    config.listener = Some(Listener::new(move |said| {
        let text = match said {
            Said::Client(line) => format!("C {}", String::from_utf8_lossy(line)),
            Said::Server(reply) => format!("S {}", reply.code()),
        };
        notes.lock().unwrap().push(text);
    }));
    let peer = play(
        dial.expect(),
        "S: 220 ready\nC: USER anna\nS: 331 password\nC: PASS secret\nS: 332 account\nC: ACCT hidden\n\
         S: 230 in\nC: FEAT\nS: 500 what\nC: NOOP\nS: 200 ok",
    );
    let mut client = Client::connect(dial.clone(), config).await.unwrap();
    let mut login = Login::new("anna", "secret");
    login.account = Some(b"hidden".to_vec());
    client.login(&login).await.unwrap();
    client.quote("NOOP").await.unwrap();
    drop(client);
    peer.await.unwrap();
    let expected = [
        "S 220",
        "C USER anna",
        "S 331",
        "C PASS …",
        "S 332",
        "C ACCT …",
        "S 230",
        "C FEAT",
        "S 500",
        "C NOOP",
        "S 200",
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}
