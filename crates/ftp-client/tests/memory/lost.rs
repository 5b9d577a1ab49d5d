//! The connection is lost at every byte of a session, and a second one completes the file.

use std::sync::Arc;

use ftp_client::{Client, Config, Error, Login};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::arbitrary;
use crate::peer::Memory;

const FILE: &[u8] = b"0123456789abcdefghij";

/// Serves FILE with SIZE and REST on one control and one data connection; closes both after having
/// sent so many bytes in all.
fn serve(dial: &Memory, mut budget: usize) {
    let mut control = dial.expect();
    let mut data = Some(dial.expect());
    tokio::spawn(async move {
        let mut offset = 0;
        let mut received = Vec::new();
        if !say(&mut control, b"220 ready\r\n", &mut budget).await {
            return;
        }
        loop {
            while let Some(end) = received.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = received.drain(..end + 2).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                let reply = match line.split_once(' ').unwrap_or((&line, "")) {
                    ("USER", _) => "331 password\r\n".to_owned(),
                    ("PASS", _) => "230 in\r\n".to_owned(),
                    ("TYPE", _) => "200 ok\r\n".to_owned(),
                    ("SIZE", _) => format!("213 {}\r\n", FILE.len()),
                    ("EPSV", _) => "229 (|||5000|)\r\n".to_owned(),
                    ("REST", at) => {
                        offset = at.parse().unwrap();
                        "350 ok\r\n".to_owned()
                    }
                    ("RETR", _) => "150 go\r\n".to_owned(),
                    ("QUIT", _) => "221 bye\r\n".to_owned(),
                    _ => "500 what\r\n".to_owned(),
                };
                if !say(&mut control, reply.as_bytes(), &mut budget).await {
                    return;
                }
                if line.starts_with("RETR") {
                    let mut stream = data.take().unwrap();
                    if !say(&mut stream, &FILE[offset..], &mut budget).await {
                        return;
                    }
                    drop(stream);
                    if !say(&mut control, b"226 done\r\n", &mut budget).await {
                        return;
                    }
                }
            }
            if control.read_buf(&mut received).await.unwrap_or(0) == 0 {
                return;
            }
        }
    });
}

async fn say(stream: &mut DuplexStream, bytes: &[u8], budget: &mut usize) -> bool {
    let count = bytes.len().min(*budget);
    *budget -= count;
    stream.write_all(&bytes[..count]).await.is_ok() && count == bytes.len()
}

/// Fetches what is missing; what came is in `file`, whatever happens.
async fn fetch(dial: &Arc<Memory>, file: &mut Vec<u8>) -> Result<(), Error> {
    let mut client = Client::connect(dial.clone(), Config::new("192.0.2.1")).await?;
    client.login(&Login::new("a", "b")).await?;
    let size = client.size("f").await?;
    if size == Some(file.len() as u64) {
        return Ok(());
    }
    let mut download = client.retrieve_from("f", file.len() as u64).await?;
    file.truncate(usize::try_from(download.offset()).unwrap());
    let read = download.read_to_end(file).await;
    download.finish().await?;
    assert!(read.is_ok());
    assert_eq!(size, Some(file.len() as u64), "complete, says the client");
    client.quit().await
}

#[tokio::test(start_paused = true)]
async fn a_session_cut_at_any_byte_leaves_a_good_beginning_and_the_next_one_the_file() {
    let mut cuts = 0;
    for budget in 0.. {
        let dial = Arc::new(Memory::default());
        serve(&dial, budget);
        let mut file = Vec::new();
        let first = fetch(&dial, &mut file).await;
        assert!(FILE.starts_with(&file), "cut after {budget} bytes");
        let whole = first.is_ok();
        assert!(!whole || file == FILE, "cut after {budget} bytes");
        let dial = Arc::new(Memory::default());
        serve(&dial, usize::MAX);
        fetch(&dial, &mut file).await.unwrap();
        assert_eq!(file, FILE, "cut after {budget} bytes");
        if whole {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 100, "{cuts}");
}

proptest! {
    #[test]
    fn a_server_may_say_anything(
        bytes in "(220 r\r\n(230|331|332|500|226|150|421|2[0-9]{2}|[1-5][0-9]{2}-?)[ -~]{0,12}\r?\n|[0-9 a|()-]{0,9}|\r\n){0,40}",
        raw in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        arbitrary::session(bytes.as_bytes());
        arbitrary::session(&raw);
        arbitrary::session(&[b"220 r\r\n230 in\r\n211 no\r\n", bytes.as_bytes()].concat());
    }
}
