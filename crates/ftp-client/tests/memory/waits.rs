//! Each deadline where it is met: a peer that falls silent at every step of a session.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ftp_client::dial::{ConnectError, Dial, Listening, ResolveError};
use ftp_client::{Cause, Client, Config, DataMode, Error, Limits, Login, Phase};
use ftp_proto::Verb;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::client::{config, connect};
use crate::peer::{Memory, play};

/// A network that swallows what is asked of it, from the given step on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swallows {
    Names,
    Connections,
    DataConnections,
    /// Nobody dials in.
    Dials,
}

struct Swallowing(Memory, Swallows);

impl Dial for &Swallowing {
    type Stream = DuplexStream;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        if self.1 == Swallows::Names {
            std::future::pending::<()>().await;
        }
        self.0.resolve(host).await
    }

    async fn connect(&self, target: SocketAddr) -> Result<DuplexStream, ConnectError> {
        let is_data = !self.0.dialled().is_empty();
        let swallowed = match self.1 {
            Swallows::Connections => true,
            Swallows::DataConnections => is_data,
            Swallows::Names | Swallows::Dials => false,
        };
        if swallowed {
            std::future::pending::<()>().await;
        }
        self.0.connect(target).await
    }

    async fn listen(&self, _: &DuplexStream) -> Result<Listening<DuplexStream>, ConnectError> {
        Ok(Listening {
            address: SocketAddr::from(([192, 0, 2, 7], 4000)),
            accept: Box::new(|| Box::pin(std::future::pending())),
        })
    }
}

fn is_after(error: &Error, limit: Duration) -> bool {
    matches!(error.cause(), Cause::Timeout(found) if *found == limit)
}

async fn ask(dial: &Swallowing, config: Config) -> Result<(), Error> {
    let mut client = Client::connect(dial, config).await?;
    client.retrieve("a").await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn looking_up_connecting_and_making_a_data_connection_end_in_time() {
    let limits = Limits::default();
    let mut named = config();
    named.host = "ftp.example".into();
    let dial = Swallowing(Memory::default(), Swallows::Names);
    let error = ask(&dial, named.clone()).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Resolve);
    assert!(is_after(&error, limits.connect), "{error}");

    // Both addresses of the name are tried.
    let dial = Swallowing(Memory::default(), Swallows::Connections);
    let begun = tokio::time::Instant::now();
    let error = ask(&dial, named).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Connect);
    assert!(is_after(&error, limits.connect), "{error}");
    assert!(begun.elapsed() >= limits.connect * 2);

    // EPSV is given up sooner, since PASV may fare better; then that is.
    let dial = Swallowing(Memory::default(), Swallows::DataConnections);
    play(
        dial.0.expect(),
        "S: 220 r\nC: TYPE I\nS: 200 ok\nC: EPSV\nS: 229 (|||5000|)\nC: PASV\nS: 227 (1,2,3,4,19,136)",
    );
    let begun = tokio::time::Instant::now();
    let error = ask(&dial, config()).await.unwrap_err();
    assert_eq!(error.phase(), Phase::DataConnect(Verb::Retr));
    assert!(is_after(&error, limits.connect), "{error}");
    assert!(begun.elapsed() < limits.connect + limits.extended_passive * 2);

    let dial = Swallowing(Memory::default(), Swallows::Dials);
    play(
        dial.0.expect(),
        "S: 220 r\nC: TYPE I\nS: 200 ok\nC: PORT 192,0,2,7,15,160\nS: 200 ok\nC: RETR a\nS: 150 go",
    );
    let mut active = config();
    active.data_mode = DataMode::Active { announce: None };
    let error = ask(&dial, active).await.unwrap_err();
    assert_eq!(error.phase(), Phase::DataConnect(Verb::Retr));
    assert!(is_after(&error, limits.first_byte), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_does_not_come_ends_in_time_whatever_it_is_for() {
    let limits = Limits::default();
    let login = Login::new("anna", "secret");
    for (script, phase) in [
        ("S: 220 r\nC: USER anna", Phase::Login),
        ("S: 220 r\nC: USER anna\nS: 120 soon", Phase::Login),
        (
            "S: 220 r\nC: USER anna\nS: 331 p\nC: PASS secret",
            Phase::Login,
        ),
        (
            "S: 220 r\nC: USER anna\nS: 230 in\nC: FEAT",
            Phase::Command(Verb::Feat),
        ),
        (
            "S: 220 r\nC: USER anna\nS: 230 in\nC: FEAT\nS: 500 no\nC: TYPE I\nS: 200 ok\nC: SIZE a",
            Phase::Command(Verb::Size),
        ),
        (
            "S: 220 r\nC: USER anna\nS: 230 in\nC: FEAT\nS: 500 no\nC: TYPE I\nS: 200 ok\nC: SIZE a\nS: 213-half",
            Phase::Command(Verb::Size),
        ),
    ] {
        let dial = Arc::new(Memory::default());
        let server = play(dial.expect(), script);
        let mut client = connect(&dial).await.unwrap();
        let begun = tokio::time::Instant::now();
        let error = match client.login(&login).await {
            Err(error) => error,
            Ok(_) => client.size("a").await.unwrap_err(),
        };
        assert_eq!(error.phase(), phase, "{script}");
        assert!(is_after(&error, limits.reply), "{script}: {error}");
        assert!(begun.elapsed() < limits.reply * 2, "{script}");
        // What would come now belongs to nobody knows what.
        assert!(error.ends_session() && client.is_lost(), "{script}");
        let next = client.noop().await.unwrap_err();
        assert!(matches!(next.cause(), Cause::Closed), "{next}");
        server.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_nobody_takes_or_confirms_ends_in_time() {
    let limits = Limits::default();
    // Nothing is read; then all is read and nothing said.
    for (reads, phase, limit) in [
        (0, Phase::Transfer(Verb::Stor), limits.first_byte),
        (2000, Phase::Transfer(Verb::Stor), limits.stall),
        (usize::MAX, Phase::Final(Verb::Stor), limits.reply),
    ] {
        let dial = Arc::new(Memory::default());
        let server = play(
            dial.expect(),
            "S: 220 r\nC: TYPE I\nS: 200 ok\nC: EPSV\nS: 229 (|||5000|)\nC: STOR a\nS: 150 go",
        );
        let mut data = dial.expect();
        let sink = tokio::spawn(async move {
            let mut taken = vec![0; 1000];
            let mut total = 0;
            while total < reads && data.read(&mut taken).await.is_ok_and(|count| count > 0) {
                total += taken.len();
            }
            std::future::pending::<()>().await;
            drop(data);
        });
        let mut client = connect(&dial).await.unwrap();
        client.config_mut().keep_alive = None;
        let mut upload = client.store("a").await.unwrap();
        let begun = tokio::time::Instant::now();
        let written = upload.write_all(&[b'x'; 10_000]).await;
        assert_eq!(written.is_ok(), reads == usize::MAX);
        let error = upload.finish().await.unwrap_err();
        assert_eq!(error.phase(), phase);
        assert!(is_after(&error, limit), "{error}");
        assert!(begun.elapsed() <= limit * 2, "{error}");
        server.abort();
        sink.abort();
    }
}
