//! The client's dialogue, command by command.

use std::sync::Arc;
use std::time::Duration;

use ftp_client::{Cause, Client, Config, Login, Phase, Pipelining};
use ftp_proto::{Command, Verb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peer::{Memory, play, pour};

pub(crate) type Session = Client<Arc<Memory>>;

/// A configuration whose host needs no looking up, with one command at a time.
pub(crate) fn config() -> Config {
    let mut config = Config::new("192.0.2.1");
    config.pipelining = Pipelining::Off;
    config
}

pub(crate) async fn connect(dial: &Arc<Memory>) -> Result<Session, ftp_client::Error> {
    Client::connect(dial.clone(), config()).await
}

#[tokio::test]
async fn a_download_with_everything_before_and_after_it() {
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        "S: 120 in a moment
         S: 220-Welcome
         S: to this server
         S: 220 ready
         C: USER anna
         S: 331 password
         C: PASS secret
         S: 230 in
         C: FEAT
         S: 211-Features:
         S:  UTF8
         S: 211 End
         C: OPTS UTF8 ON
         S: 200 always
         C: TYPE I
         S: 200 ok
         C: SIZE dir/a b
         S: 213 9
         C: EPSV
         S: 502 no
         C: PASV
         S: 227 Entering (10,9,8,7,19,136)
         C: REST 4
         S: 350 ok
         C: RETR dir/a b
         S: 125 go
         S: 250 done
         C: QUIT
         S: 221 bye",
    );
    pour(dial.expect(), b" one\n");
    let mut client = connect(&dial).await.unwrap();
    client.login(&Login::new("anna", "secret")).await.unwrap();
    assert_eq!(client.size("dir/a b").await.unwrap(), Some(9));
    let mut data = client.retrieve_from("dir/a b", 4).await.unwrap();
    assert_eq!(data.offset(), 4);
    let mut body = Vec::new();
    data.read_to_end(&mut body).await.unwrap();
    assert_eq!(body, b" one\n");
    assert_eq!(data.finish().await.unwrap().code().number(), 250);
    client.quit().await.unwrap();
    peer.await.unwrap();
    assert_eq!(dial.dialled(), ["192.0.2.1:21", "192.0.2.1:5000"]);
}

#[tokio::test]
async fn an_upload_sends_all_before_it_asks_for_the_end() {
    let dial = Arc::new(Memory::default());
    play(
        dial.expect(),
        "S: 220 ready
         C: TYPE I
         S: 200 ok
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
    let mut client = connect(&dial).await.unwrap();
    let mut data = client.store("a").await.unwrap();
    data.write_all(b"echo one\n").await.unwrap();
    data.finish().await.unwrap();
    assert_eq!(received.await.unwrap(), b"echo one\n");
}

#[tokio::test]
async fn login_takes_the_turns_servers_take() {
    let cases = [
        // No password wanted.
        "C: USER anna
         S: 230 in",
        // An account on top, as RFC 959 section 5.4 has it.
        "C: USER anna
         S: 331 password
         C: PASS secret
         S: 332 account
         C: ACCT dept
         S: 230 in",
        "C: USER anna
         S: 332 account
         C: ACCT dept
         S: 202 not needed",
        "C: USER anna
         S: 331-one
         S: 331 two
         C: PASS secret
         S: 202 superfluous",
    ];
    for case in cases {
        let dial = Arc::new(Memory::default());
        let script = format!("S: 220 ready\n{case}\nC: FEAT\nS: 500 what");
        let peer = play(dial.expect(), Box::leak(script.into_boxed_str()));
        let mut client = connect(&dial).await.unwrap();
        let mut login = Login::new("anna", "secret");
        login.account = Some(b"dept".to_vec());
        client.login(&login).await.expect(case);
        drop(client);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn failures_name_the_phase_and_quote_the_server() {
    let cases = [
        ("S: 421 full", "greeting: the server said: 421 full"),
        (
            "S: 220 ready
             C: USER anna
             S: 530 no",
            "login: the server said: 530 no",
        ),
        (
            "S: 220 ready
             C: USER anna
             S: 331 password
             C: PASS
             S: 530-no
             S: 530 never",
            "login: the server said: 530 never",
        ),
        (
            "S: 220 ready
             C: USER anna
             S: 332 account",
            "login: the server said: 332 account",
        ),
    ];
    for (transcript, expected) in cases {
        let dial = Arc::new(Memory::default());
        play(dial.expect(), transcript);
        let result = match connect(&dial).await {
            Ok(mut client) => client.login(&Login::new("anna", "")).await.map(drop),
            Err(error) => Err(error),
        };
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    let dial = Arc::new(Memory::default());
    let error = connect(&dial).await.unwrap_err();
    assert_eq!(error.to_string(), "connecting: No route to host");
    let error = Client::connect(dial, Config::new("nowhere.example"))
        .await
        .unwrap_err();
    assert_eq!(error.phase(), Phase::Resolve);
}

#[tokio::test]
async fn a_login_may_be_tried_again() {
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        "S: 220 ready
         C: USER anna
         S: 331 password
         C: PASS wrong
         S: 530 no
         C: USER anna
         S: 331 password
         C: PASS right
         S: 230 in
         C: FEAT
         S: 211 no features",
    );
    let mut client = connect(&dial).await.unwrap();
    let refused = client.login(&Login::new("anna", "wrong")).await;
    assert_eq!(refused.unwrap_err().code().unwrap().number(), 530);
    client.login(&Login::new("anna", "right")).await.unwrap();
    drop(client);
    peer.await.unwrap();
}

#[tokio::test]
async fn a_refused_size_or_restart_is_an_answer() {
    let dial = Arc::new(Memory::default());
    play(
        dial.expect(),
        "S: 220 ready
         C: TYPE I
         S: 200 ok
         C: SIZE a
         S: 550 no
         C: EPSV
         S: 229 (|||5000|)
         C: REST 4
         S: 502 no
         C: RETR a
         S: 150 all of it
         S: 226 done",
    );
    pour(dial.expect(), b"echo one\n");
    let mut client = connect(&dial).await.unwrap();
    assert_eq!(client.size("a").await.unwrap(), None);
    let mut download = client.retrieve_from("a", 4).await.unwrap();
    assert_eq!(download.offset(), 0);
    let mut body = Vec::new();
    download.read_to_end(&mut body).await.unwrap();
    assert_eq!(body, b"echo one\n");
}

#[tokio::test]
async fn an_upload_that_cannot_be_continued_overwrites_nothing() {
    let dial = Arc::new(Memory::default());
    let peer = play(
        dial.expect(),
        "S: 220 ready
         C: TYPE I
         S: 200 ok
         C: EPSV
         S: 229 (|||5000|)
         C: REST 4
         S: 502 no",
    );
    let _data = dial.expect();
    let mut client = connect(&dial).await.unwrap();
    let error = client.store_from("a", 4).await.err().unwrap();
    assert_eq!(error.phase(), Phase::Command(Verb::Rest));
    drop(client);
    peer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_command_given_up_in_the_middle_does_not_shift_the_replies() {
    let dial = Arc::new(Memory::default());
    let mut peer = dial.expect();
    peer.write_all(b"220 ready\r\n").await.unwrap();
    let mut client = connect(&dial).await.unwrap();
    let wait = tokio::time::timeout(Duration::from_millis(20), client.noop());
    assert!(wait.await.is_err(), "nobody answered");
    peer.write_all(b"200-half\r\n").await.unwrap();
    let wait = tokio::time::timeout(Duration::from_millis(20), client.working_directory());
    assert!(wait.await.is_err(), "half a reply is none");
    peer.write_all(b"200 ok\r\n").await.unwrap();
    let answer = async {
        let mut commands = [0; 11];
        peer.read_exact(&mut commands).await.unwrap();
        assert_eq!(&commands, b"NOOP\r\nPWD\r\n");
        let reply = b"257 \"/a \"\"b\"\"\" is it\r\n";
        peer.write_all(reply).await.unwrap();
    };
    let (path, ()) = tokio::join!(client.working_directory(), answer);
    assert_eq!(path.unwrap(), b"/a \"b\"");
}

#[tokio::test(start_paused = true)]
async fn commands_go_ahead_of_their_replies_unless_the_server_is_known_to_lose_them() {
    for (greeting, ahead) in [("ready", true), ("Microsoft FTP Service", false)] {
        let dial = Arc::new(Memory::default());
        let mut peer = dial.expect();
        let session = tokio::spawn(async move {
            peer.write_all(format!("220 {greeting}\r\n").as_bytes())
                .await
                .unwrap();
            let mut line = [0; 8];
            peer.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"DELE a\r\n");
            let second = peer.read_exact(&mut line);
            let came = tokio::time::timeout(Duration::from_millis(200), second)
                .await
                .is_ok();
            peer.write_all(b"250 one\r\n").await.unwrap();
            if !came {
                peer.read_exact(&mut line).await.unwrap();
            }
            assert_eq!(&line, b"DELE b\r\n");
            peer.write_all(b"250 two\r\n").await.unwrap();
            (came, peer)
        });
        let mut client = Client::connect(dial.clone(), Config::new("192.0.2.1"))
            .await
            .unwrap();
        let delete = |name| Command::Dele(ftp_proto::Argument::try_from(name).unwrap());
        let replies = client.commands(&[delete("a"), delete("b")]).await.unwrap();
        assert_eq!(replies.len(), 2);
        assert_eq!(session.await.unwrap().0, ahead, "{greeting}");
    }
}

#[tokio::test]
async fn an_abort_is_over_however_often_the_server_answers() {
    for answers in [
        "S: 426 cut\nS: 226 aborted",
        "S: 226 done\nS: 226 nothing to abort",
        "S: 225 aborted",
        "S: 226 aborted",
    ] {
        let dial = Arc::new(Memory::default());
        let script = format!(
            "S: 220 ready\nC: TYPE I\nS: 200 ok\nC: EPSV\nS: 229 (|||5000|)\nC: RETR a\nS: 150 go
             C: \u{0}ABOR\n{answers}\nC: NOOP\nS: 200 ok\nC: PWD\nS: 257 \"/\""
        );
        let peer = play(dial.expect(), Box::leak(script.into_boxed_str()));
        let _data = dial.expect();
        let mut client = connect(&dial).await.unwrap();
        let download = client.retrieve("a").await.unwrap();
        download.abort().await.unwrap();
        assert_eq!(client.working_directory().await.unwrap(), b"/", "{answers}");
        drop(client);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let dial = Arc::new(Memory::default());
    let peer = play(dial.expect(), "S: 220 ready");
    let mut client = connect(&dial).await.unwrap();
    for path in ["a\r\nDELE b", "a\nb", "a\0b"] {
        let errors = [
            client.size(path).await.unwrap_err(),
            client.retrieve(path).await.err().unwrap(),
            client.store(path).await.err().unwrap(),
            client.rename("a", path).await.unwrap_err(),
            client.list(path).await.err().unwrap(),
            client.quote(path).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error.cause(), Cause::Argument(_)), "{error}");
        }
    }
    drop(client);
    peer.await.unwrap();
}
