//! Who is connected: kept while the server runs, and asked through a Unix socket.
//!
//! One line is asked, lines come back, then the end. `who` gives a JSON object a session, `bans` one a
//! ban, `unban ADDRESS` says whether there was one, `ban ADDRESS SECONDS` makes one, `kick session
//! NUMBER`, `kick user NAME` and `kick address ADDRESS` end sessions and give a JSON object for each,
//! `recount` forgets what users' files hold.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::login::Logins;
use crate::Controls;
use crate::connection::Peer;
use crate::event::{Event, Observer};
use crate::throttle::Throttle;

/// The sessions that are open.
#[derive(Debug, Default)]
pub struct Sessions {
    /// By number; several tables, so that sessions seldom wait for each other.
    shards: [Mutex<HashMap<u64, Live>>; SHARDS],
}

#[derive(Debug)]
struct Live {
    address: SocketAddr,
    since: Instant,
    user: Option<String>,
    verb: &'static str,
    /// The last command, or the last end of a transfer.
    last: Instant,
    transfer: Option<String>,
}

/// One session, as `who` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its number, which logs show.
    pub session: u64,
    /// Where from.
    pub address: SocketAddr,
    /// Who, once logged in.
    pub user: Option<String>,
    /// How long it has been open, in seconds.
    pub open_seconds: u64,
    /// Since when nothing has been said, in seconds.
    pub idle_seconds: u64,
    /// The last command, or what is being transferred.
    pub doing: String,
}

/// One ban, as `bans` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRow {
    /// The address; of IPv6 the first one of its /64.
    pub address: IpAddr,
    /// How much longer, in seconds.
    pub left_seconds: u64,
}

impl Sessions {
    /// All sessions, the oldest first.
    #[must_use]
    pub fn rows(&self, now: Instant) -> Vec<Row> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            for (&session, live) in &*lock(shard) {
                let is_moving = live.transfer.is_some();
                let idle = now.saturating_duration_since(live.last).as_secs();
                rows.push(Row {
                    session,
                    address: live.address,
                    user: live.user.clone(),
                    open_seconds: now.saturating_duration_since(live.since).as_secs(),
                    idle_seconds: if is_moving { 0 } else { idle },
                    doing: live
                        .transfer
                        .clone()
                        .unwrap_or_else(|| live.verb.to_owned()),
                });
            }
        }
        rows.sort_unstable_by_key(|row| row.session);
        rows
    }

    /// Who is logged in and what they do, for SITE WHO. Where from is nobody else's business.
    #[must_use]
    pub fn lines(&self, now: Instant) -> Vec<String> {
        let rows = self.rows(now).into_iter();
        rows.filter_map(|row| {
            let (user, open) = (row.user?, span(row.open_seconds));
            Some(format!("{user} {open} {}", row.doing))
        })
        .take(MAX_WHO_LINES)
        .collect()
    }

    fn change(&self, peer: &Peer, change: impl FnOnce(&mut Live)) {
        if let Some(live) = lock(self.shard(peer.id)).get_mut(&peer.id) {
            change(live);
        }
    }

    fn shard(&self, id: u64) -> &Mutex<HashMap<u64, Live>> {
        let [first, ..] = &self.shards;
        let index = usize::try_from(id % SHARDS as u64).unwrap_or(0);
        self.shards.get(index).unwrap_or(first)
    }
}

impl Observer for Sessions {
    fn observe(&self, peer: &Peer, event: &Event<'_>) {
        match event {
            Event::Accepted => {
                let live = Live {
                    address: peer.address,
                    since: peer.since,
                    user: None,
                    verb: "",
                    last: peer.since,
                    transfer: None,
                };
                lock(self.shard(peer.id)).insert(peer.id, live);
            }
            Event::Request(request) => {
                let verb = request
                    .command
                    .as_ref()
                    .map_or("?", |command| command.verb().name());
                let now = Instant::now();
                self.change(peer, |live| (live.verb, live.last) = (verb, now));
            }
            Event::LoggedIn(user) => {
                let name = user.name.as_bytes().escape_ascii().to_string();
                self.change(peer, |live| live.user = Some(name));
            }
            Event::TransferBegan(start) => {
                let path = start.path.as_bytes().escape_ascii();
                let text = format!("{} {path}", start.direction.word());
                self.change(peer, |live| live.transfer = Some(text));
            }
            Event::TransferEnded(_) => {
                let now = Instant::now();
                self.change(peer, |live| (live.transfer, live.last) = (None, now));
            }
            Event::Disconnected(_) => {
                lock(self.shard(peer.id)).remove(&peer.id);
            }
            Event::Refused(_)
            | Event::Reply(_)
            | Event::Answered { .. }
            | Event::LoginFailed { .. } => {}
        }
    }
}

/// What the control socket gives access to.
#[derive(Clone, Debug)]
pub struct Control {
    /// The sessions.
    pub sessions: Arc<Sessions>,
    /// The bans.
    pub throttle: Arc<Throttle>,
    /// The way to end sessions.
    pub controls: Controls,
    /// The users, with what they have used up.
    pub logins: Arc<Logins>,
}

impl Control {
    /// Answers questions until it is dropped.
    pub async fn serve(self, listener: UnixListener) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if clients.len() < MAX_CLIENTS => {
                        let control = self.clone();
                        clients.spawn(async move {
                            if let Ok(Err(error)) = timeout(PATIENCE, control.answer(stream)).await {
                                tracing::debug!(%error, "control socket");
                            }
                        });
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "control socket: accept failed");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = clients.join_next() => {}
            }
        }
    }

    async fn answer(&self, stream: UnixStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        (&mut stream)
            .take(MAX_QUESTION_BYTES)
            .read_line(&mut line)
            .await?;
        let text = self.say(line.trim(), Instant::now());
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await
    }

    /// The answer to one line.
    fn say(&self, question: &str, now: Instant) -> String {
        fn lines<T: Serialize>(rows: impl IntoIterator<Item = T>) -> String {
            let rows = rows
                .into_iter()
                .filter_map(|row| serde_json::to_string(&row).ok());
            rows.flat_map(|row| [row, "\n".to_owned()]).collect()
        }
        match question.split_once(' ') {
            None if question == "who" => lines(self.sessions.rows(now)),
            None if question == "bans" => lines(self.throttle.bans(now).iter().map(|ban| BanRow {
                address: ban.address,
                left_seconds: ban.left.as_secs(),
            })),
            None if question == "recount" => self.recount(None),
            Some(("recount", user)) => self.recount(Some(user)),
            Some(("kick", which)) => match Which::new(which) {
                Some(which) => lines(self.kick(&which, now)),
                None => "not understood\n".to_owned(),
            },
            Some(("ban", rest)) => match ban(rest) {
                Some((address, time)) => {
                    self.throttle.ban(address, time, now);
                    let is_one = |row: &Row| same_host(row.address.ip(), address);
                    let rows = self.sessions.rows(now).into_iter();
                    lines(rows.filter(is_one).filter(|row| self.end(row)))
                }
                None => "not understood\n".to_owned(),
            },
            Some(("unban", address)) => match address.parse() {
                Ok(address) if self.throttle.lift(address) => "lifted\n".to_owned(),
                Ok(_) => "not banned\n".to_owned(),
                Err(_) => "not an address\n".to_owned(),
            },
            _ => "not understood\n".to_owned(),
        }
    }
}

impl Control {
    /// Ends sessions; gives those that are ended.
    fn kick(&self, which: &Which<'_>, now: Instant) -> Vec<Row> {
        let rows = self.sessions.rows(now).into_iter();
        rows.filter(|row| which.is(row) && self.end(row)).collect()
    }

    fn recount(&self, user: Option<&str>) -> String {
        let count = self.logins.members().recount(user.map(str::as_bytes));
        format!("quotas to be counted again: {count}\n")
    }

    fn end(&self, row: &Row) -> bool {
        self.controls.disconnect(row.session)
    }
}

/// The sessions somebody means.
enum Which<'a> {
    Session(u64),
    User(&'a str),
    Address(IpAddr),
}

impl<'a> Which<'a> {
    fn new(text: &'a str) -> Option<Self> {
        match text.split_once(' ')? {
            ("session", number) => number.parse().ok().map(Self::Session),
            ("user", name) => Some(Self::User(name)),
            ("address", address) => address.parse().ok().map(Self::Address),
            _ => None,
        }
    }

    fn is(&self, row: &Row) -> bool {
        match self {
            Self::Session(number) => row.session == *number,
            Self::User(name) => row.user.as_deref() == Some(name),
            Self::Address(address) => same_host(row.address.ip(), *address),
        }
    }
}

fn same_host(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical() == other.to_canonical()
}

fn ban(text: &str) -> Option<(IpAddr, Duration)> {
    let (address, seconds) = text.split_once(' ')?;
    let seconds = seconds.parse().ok().map(Duration::from_secs)?;
    Some((address.parse().ok()?, seconds))
}

/// Asks a server that is running.
///
/// # Errors
///
/// The socket's; [`io::ErrorKind::TimedOut`].
pub async fn ask(socket: &Path, question: &str) -> io::Result<String> {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        let mut answer = String::new();
        let mut bounded = stream.take(MAX_ANSWER_BYTES);
        bounded.read_to_string(&mut answer).await?;
        Ok(answer)
    };
    timeout(PATIENCE, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Sessions as a table for people.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:>7} {:<16} {:<40} {:>8} {:>8}  DOING\n",
        "SESSION", "USER", "FROM", "OPEN", "IDLE"
    );
    for row in rows {
        let from = row.address.to_string();
        let (open, idle) = (span(row.open_seconds), span(row.idle_seconds));
        let user = row.user.as_deref().unwrap_or("-");
        let line = format!(
            "{:>7} {user:<16} {from:<40} {open:>8} {idle:>8}  {}\n",
            row.session, row.doing
        );
        text.push_str(&line);
    }
    text
}

/// `75` as `1:15`.
#[must_use]
pub fn span(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A row that is half changed is still a row.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lines of SITE WHO, which are kept until they are sent.
const MAX_WHO_LINES: usize = 1000;

/// Tables of sessions.
const SHARDS: usize = 16;

/// Questions at a time.
const MAX_CLIENTS: usize = 16;

/// Longest question: two words and a user, whose name was a command line and is escaped.
const MAX_QUESTION_BYTES: u64 = 8192;

/// Longest answer that is read: some 100,000 sessions.
const MAX_ANSWER_BYTES: u64 = 32 << 20;

/// How long a question or its answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause after a failed accept, which fails when descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use ftp_proto::Argument;
    use ftp_proto::permission::Rights;

    use super::*;
    use crate::auth::User;
    use crate::daemon::login::Book;
    use crate::handler::{Disconnect, Request};
    use crate::throttle::ThrottleOptions;
    use crate::{Limits, Server};

    struct Mute;

    impl crate::Handler for Mute {
        type Session = ();

        async fn on_connect(&self, _: &mut crate::Connection) -> io::Result<()> {
            Ok(())
        }

        async fn on_request(
            &self,
            (): &mut (),
            _: Request,
            _: &mut crate::Connection,
        ) -> io::Result<crate::Answer> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn peer(id: u64, since: Instant) -> Peer {
        Peer {
            id,
            address: "192.0.2.1:5".parse().unwrap(),
            local: "127.0.0.1:2".parse().unwrap(),
            since,
        }
    }

    #[test]
    fn a_session_is_shown_from_its_beginning_to_its_end() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        for id in [40, 3] {
            sessions.observe(&peer(id, now), &Event::Accepted);
        }
        let user = User::new(Argument::try_from("an\x1bna").unwrap(), Rights::READ);
        let request = Request::new(b"NOOP".to_vec());
        sessions.observe(&peer(3, now), &Event::LoggedIn(&user));
        sessions.observe(&peer(3, now), &Event::Request(&request));
        let rows = sessions.rows(now + Duration::from_secs(75));
        assert_eq!((rows[0].session, rows[1].session), (3, 40));
        assert_eq!(rows[0].user.as_deref(), Some("an\\x1bna"));
        assert_eq!((rows[0].open_seconds, rows[0].doing.as_str()), (75, "NOOP"));
        let shown = table(&rows);
        assert!(shown.lines().nth(1).unwrap().contains(" 1:15 "), "{shown}");
        let why = Disconnect::Client;
        sessions.observe(&peer(3, now), &Event::Disconnected(&why));
        assert_eq!(sessions.rows(now).len(), 1);
    }

    #[tokio::test]
    async fn a_running_server_is_asked_through_its_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control");
        let control = Control {
            sessions: Arc::default(),
            throttle: Arc::new(Throttle::new(ThrottleOptions {
                failures: 1,
                ..ThrottleOptions::default()
            })),
            controls: Server::new(Mute, Limits::default()).controls(),
            logins: Arc::new(Logins::new(Book::default())),
        };
        let now = Instant::now();
        control.sessions.observe(&peer(9, now), &Event::Accepted);
        control
            .throttle
            .failed("192.0.2.9".parse().unwrap(), b"x", now);
        let server = control.serve(UnixListener::bind(&path).unwrap());
        let questions = async {
            let who = ask(&path, "who").await.unwrap();
            let row: Row = serde_json::from_str(who.trim()).unwrap();
            assert_eq!(row.session, 9);
            let bans = ask(&path, "bans").await.unwrap();
            let ban: BanRow = serde_json::from_str(bans.trim()).unwrap();
            assert_eq!(ban.address, IpAddr::from([192, 0, 2, 9]));
            assert_eq!(ask(&path, "unban 192.0.2.9").await.unwrap(), "lifted\n");
            assert_eq!(ask(&path, "unban 192.0.2.9").await.unwrap(), "not banned\n");
            assert_eq!(ask(&path, "unban x").await.unwrap(), "not an address\n");
            assert_eq!(ask(&path, "ban 192.0.2.8 60").await.unwrap(), "");
            let bans = ask(&path, "bans").await.unwrap();
            assert!(bans.contains("192.0.2.8"), "{bans}");
            // Session 9 is none of a server.
            for nobody in ["kick session 9", "kick user anna", "kick address ::1"] {
                assert_eq!(ask(&path, nobody).await.unwrap(), "");
            }
            for odd in ["kick 9", "kick session x", "ban x 1", "ban ::1 x"] {
                assert_eq!(ask(&path, odd).await.unwrap(), "not understood\n");
            }
            assert_eq!(ask(&path, "halt").await.unwrap(), "not understood\n");
        };
        tokio::select! {
            () = server => {}
            () = questions => {}
        }
    }
}
