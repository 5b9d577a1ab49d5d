//! Long transfers: signs of life on the control connection, on real servers.

use std::time::Duration;

use ftp_client::{Client, Config, dial::Tcp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{Kind, Server};

/// A whole transfer: this is a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Far less than a transfer below takes.
const OFTEN: Duration = Duration::from_millis(50);

/// Turns of a transfer, each longer than [`OFTEN`].
const TURNS: usize = 4;

/// More than the sockets hold, so that the server is still at it.
const PIECE: usize = 3 * 1024 * 1024;

async fn start(server: &Server, config: Config) -> Client<Tcp> {
    let mut client = Client::connect(Tcp, config).await.unwrap();
    client.login(&server.login()).await.unwrap();
    client
}

/// Slowly down, slowly up, and then what else a session does.
async fn work(server: &Server, mut config: Config) {
    let kind = server.kind;
    config.keep_alive = Some(OFTEN);
    let mut client = start(server, config).await;
    let home = client.working_directory().await.unwrap();
    let large = vec![b'x'; TURNS * PIECE];
    std::fs::write(server.data().join("large"), &large).unwrap();
    // The second time the client knows what the server thinks of it.
    for turn in 0..2 {
        let mut download = client.retrieve("large").await.unwrap();
        let mut total = 0;
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            // What is looked after meanwhile is looked after as beside a thread that splices.
            tokio::select! {
                () = tokio::time::sleep(OFTEN * 5 / 4) => {}
                never = download.attend() => match never {},
            }
            piece.clear();
            let mut part = (&mut download).take(PIECE as u64);
            match part.read_to_end(&mut piece).await {
                Ok(0) => break,
                Ok(count) => total += count,
                Err(error) => panic!("{kind:?} down, turn {turn}: {error}"),
            }
        }
        assert_eq!(total, large.len(), "{kind:?}");
        download.finish().await.unwrap();

        let mut upload = client.store("slow").await.unwrap();
        for _ in 0..TURNS {
            upload.write_all(&large[..1000]).await.unwrap();
            upload.flush().await.unwrap();
            tokio::select! {
                () = tokio::time::sleep(OFTEN * 5 / 4) => {}
                never = upload.attend() => match never {},
            }
        }
        let end = upload.finish().await;
        end.unwrap_or_else(|error| panic!("{kind:?} up, turn {turn}: {error}"));
        let stored = std::fs::metadata(server.data().join("slow")).unwrap();
        assert_eq!(stored.len(), 1000 * TURNS as u64, "{kind:?}");
        assert_eq!(client.working_directory().await.unwrap(), home, "{kind:?}");
        client.delete("slow").await.unwrap();
    }
    client.quit().await.unwrap();
}

#[tokio::test]
async fn signs_of_life_disturb_no_transfer_on_any_server() {
    for kind in Kind::ALL {
        let server = Server::start(kind).await;
        for config in [server.config(), server.secured(server.tls())] {
            let work = tokio::time::timeout(PATIENCE, work(&server, config)).await;
            work.unwrap_or_else(|_| panic!("{kind:?} hangs"));
        }
    }
}
