//! Lines sent ahead of their replies, in any cut, and lines said while bytes move.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::Running;

#[tokio::test]
async fn a_hundred_commands_in_one_segment_are_answered_in_order() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    client.say("NOOP\r\nPWD\nSYST\r\nFOO\r\n".repeat(25)).await;
    for _ in 0..25 {
        for code in [200, 257, 215, 500] {
            assert_eq!(client.code().await, code);
        }
    }
    client.is_in_step().await;
}

#[tokio::test]
async fn lines_sent_behind_a_transfer_are_answered_behind_it() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    assert_eq!(client.put("STOR file", &vec![b'x'; 3_000_000]).await, 226);
    let mut data = client.data().await;
    client
        .say("RETR file\r\nNOOP\r\nMKD new\r\nSIZE file\r\nQUIT\r\n")
        .await;
    assert_eq!(client.code().await, 150);
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.len(), 3_000_000);
    for code in [226, 200, 257, 213, 221, 0] {
        assert_eq!(client.code().await, code);
    }
}

#[tokio::test]
async fn during_a_transfer_the_client_is_answered() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let mut data = client.data().await;
    assert_eq!(client.ask("STOR file").await, 150);
    data.write_all(b"1234").await.unwrap();
    assert_eq!(client.ask("NOOP").await, 200);
    assert_eq!(client.ask("STAT").await, 211);
    // It has to wait, and what is about the transfer overtakes it.
    client.say("DELE file\r\n").await;
    assert_eq!(client.ask("STAT").await, 211);
    drop(data);
    assert_eq!(client.code().await, 226);
    assert_eq!(client.code().await, 250);
    client.is_in_step().await;
}

#[tokio::test]
async fn abor_ends_a_transfer_with_and_without_synch_and_overtakes_lines_that_wait() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    for abort in [
        &b"ABOR\r\n"[..],
        b"\xff\xf4\xff\xf2ABOR\r\n",
        b"\xff\xf4\xf2abor\r\n",
        b"DELE none\r\nABOR\r\n",
    ] {
        let data = client.data().await;
        assert_eq!(client.ask("STOR file").await, 150);
        client.say(abort).await;
        assert_eq!(client.code().await, 426);
        assert_eq!(client.code().await, 226);
        if abort.starts_with(b"DELE") {
            assert_eq!(client.code().await, 550);
        }
        drop(data);
        client.is_in_step().await;
    }
    assert_eq!(client.ask("ABOR").await, 225);
    client.say(b"\xf4\xffabor\r\n").await;
    assert_eq!(client.code().await, 225);
}

#[tokio::test]
async fn quit_is_answered_at_once_and_the_transfer_goes_on() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let mut data = client.data().await;
    assert_eq!(client.ask("STOR file").await, 150);
    assert_eq!(client.ask("QUIT").await, 221);
    data.write_all(b"1234").await.unwrap();
    drop(data);
    assert_eq!(client.code().await, 226);
    assert_eq!(client.code().await, 0);
    let mut client = server.logged_in().await;
    assert_eq!(client.tell("SIZE file").await.1, "213 4\r\n");
}

#[tokio::test]
async fn rein_and_user_take_the_login_but_not_the_transfer() {
    let server = Running::start();
    for (line, code) in [("REIN", 220), ("USER anna", 331)] {
        let mut client = server.logged_in().await;
        let mut data = client.data().await;
        assert_eq!(client.ask("STOR file").await, 150);
        assert_eq!(client.ask(line).await, code);
        assert_eq!(client.ask("PASV").await, 530);
        data.write_all(b"1234").await.unwrap();
        drop(data);
        assert_eq!(client.code().await, 226);
        assert_eq!(client.ask("PWD").await, 530);
    }
}

#[tokio::test]
async fn names_keep_their_blanks_quotes_and_bytes() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    for name in [
        &b" a "[..],
        b"a\"b",
        b"\xe4\xf6",
        "\u{e4}".as_bytes(),
        b"-l",
        b"a*b",
    ] {
        assert_eq!(client.ask([b"MKD ", name].concat()).await, 257);
        let (code, _) = client.tell([b"CWD /", name].concat()).await;
        assert_eq!(code, 250, "{}", name.escape_ascii());
        assert_eq!(client.ask("CDUP").await, 200);
        assert_eq!(client.ask([b"RMD ", name].concat()).await, 250);
    }
    assert_eq!(client.ask("MKD a\"b").await, 257);
    let (_, text) = client.tell("CWD a\"b").await;
    assert!(text.contains("\"/a\"\"b\""), "{text}");
    // 255 is doubled on the wire.
    assert_eq!(client.ask(b"MKD /x\xff\xffy").await, 257);
    assert_eq!(client.ask(b"RMD /x\xff\xffy").await, 250);
}
