//! The step-by-step client.

use std::net::SocketAddr;
use std::time::Duration;

use ftp_client::Client;
use ftp_proto::Argument;
use ftp_proto::client::Step;
use ftp_proto::reply::Code;
use ftp_proto::transfer::Type;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peer::{Memory, play, pour};

fn argument(text: &str) -> Argument {
    Argument::try_from(text).unwrap()
}

fn server() -> SocketAddr {
    "192.0.2.1:21".parse().unwrap()
}

#[tokio::test]
async fn a_download_step_by_step() {
    let dial = Memory::default();
    let peer = play(
        dial.expect(),
        "S: 220-Welcome
         S: to this server
         S: 220 ready
         C: USER anna
         S: 331 password
         C: PASS secret
         S: 230 in
         C: TYPE I
         S: 200 ok
         C: EPSV
         S: 502 no
         C: PASV
         S: 227 Entering (10,9,8,7,19,136)
         C: SIZE dir/a b
         S: 213 9
         C: REST 4
         S: 350 ok
         C: RETR dir/a b
         S: 125 go
         S: 250 done
         C: QUIT
         S: 221 bye",
    );
    pour(dial.expect(), b" one\n");
    let mut client = Client::connect(&dial, server()).await.unwrap();
    let (user, password) = (argument("anna"), argument("secret"));
    client.login(&user, Some(&password)).await.unwrap();
    client.set_type(Type::Image).await.unwrap();
    let mut data = client.passive().await.unwrap();
    let path = argument("dir/a b");
    assert_eq!(client.size(&path).await.unwrap(), Some(9));
    assert!(client.rest(4).await.unwrap());
    client.retr(&path).await.unwrap();
    let mut body = Vec::new();
    data.read_to_end(&mut body).await.unwrap();
    assert_eq!(body, b" one\n");
    let last = client.finish(data).await.unwrap();
    assert_eq!(last.code(), Code::FILE_ACTION_OKAY);
    client.quit().await.unwrap();
    peer.await.unwrap();
    assert_eq!(dial.dialled(), ["192.0.2.1:21", "192.0.2.1:5000"]);
}

#[tokio::test]
async fn an_upload_sends_all_before_it_asks_for_the_end() {
    let dial = Memory::default();
    play(
        dial.expect(),
        "S: 220 ready
         C: EPSV
         S: 229 (|||5000|)
         C: STOR a
         S: 150 go
         S: 226 done",
    );
    let mut sink = dial.expect();
    let received = tokio::spawn(async move {
        let mut body = Vec::new();
        sink.read_to_end(&mut body).await.unwrap();
        body
    });
    let mut client = Client::connect(&dial, server()).await.unwrap();
    let mut data = client.passive().await.unwrap();
    client.stor(&argument("a")).await.unwrap();
    data.write_all(b"echo one\n").await.unwrap();
    client.finish(data).await.unwrap();
    assert_eq!(received.await.unwrap(), b"echo one\n");
}

#[tokio::test]
async fn failures_name_the_step_and_quote_the_server() {
    let cases = [
        ("S: 421 full", "greeting: unexpected reply: 421 full"),
        (
            "S: 220 ready
             C: USER anna
             S: 530 no",
            "USER: unexpected reply: 530 no",
        ),
        (
            "S: 220 ready
             C: USER anna
             S: 331 password
             C: PASS
             S: 530-no
             S: 530 never",
            "PASS: unexpected reply: 530 never",
        ),
    ];
    for (transcript, expected) in cases {
        let dial = Memory::default();
        play(dial.expect(), transcript);
        let result = match Client::connect(&dial, server()).await {
            Ok(mut client) => client.login(&argument("anna"), None).await.map(drop),
            Err(error) => Err(error),
        };
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    let dial = Memory::default();
    let result = Client::connect(&dial, server()).await;
    assert_eq!(
        result.err().unwrap().to_string(),
        "cannot connect: No route to host"
    );
}

#[tokio::test]
async fn a_refused_size_or_restart_is_an_answer() {
    let dial = Memory::default();
    play(
        dial.expect(),
        "S: 220 ready
         C: SIZE a
         S: 550 no
         C: REST 4
         S: 502 no",
    );
    let mut client = Client::connect(&dial, server()).await.unwrap();
    assert_eq!(client.size(&argument("a")).await.unwrap(), None);
    assert!(!client.rest(4).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_reply_given_up_in_the_middle_is_not_lost() {
    let dial = Memory::default();
    let mut peer = dial.expect();
    peer.write_all(b"220 ready\r\n211-Feat").await.unwrap();
    let mut client = Client::connect(&dial, server()).await.unwrap();
    let wait = tokio::time::timeout(Duration::from_millis(20), client.reply(Step::Final));
    assert!(wait.await.is_err(), "half a reply is none");
    peer.write_all(b"ures\r\n211 End\r\n").await.unwrap();
    let reply = client.reply(Step::Final).await.unwrap();
    assert_eq!(reply.lines().next(), Some(&b"Features"[..]));
}
