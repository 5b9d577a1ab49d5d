//! The file server: a [`Handler`] that lets users log in and move files.
//!
//! The dialogue is `ftp_proto::server`; this carries out what it asks for. Who may come in is an
//! [`Authenticator`]'s business, where files are a [`Backend`]'s, and how active mode gets out a
//! [`Dial`]'s.

mod ledger;
mod list;
mod presence;
mod transfer;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ftp_proto::server::{
    Abilities, Endpoints, FileError, Outcome, Path, Refusal as LoginRefusal, Response, Session,
    Settings, Task, Then, TlsRules,
};
use ftp_proto::time::Timestamp;
use ftp_proto::{Argument, Code, Reply};
use tokio::time::sleep_until;

use self::presence::{Presence, Present};
use crate::auth::{Attempt, Authenticator, Denied, User};
use crate::backend::{Backend, Files};
use crate::connection::{Connection, Deadline};
use crate::data::{self, DataOptions, Dial, Port, SharedPorts, TcpDial};
use crate::event::{Event, Refusal};
use crate::handler::{Answer, Disconnect, Handler, Request};
use crate::hook::{Hook, Visitor};
use crate::live::Live;
use crate::tls::TlsInfo;

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// The dialogue: greeting, deadlines, failed logins.
    pub settings: Settings,
    /// Data connections.
    pub data: DataOptions,
    /// Names that listings leave out, as patterns of `*`, `?` and `[…]`, besides those that
    /// [`Settings::denied_names`] refuses; who knows them can use them.
    pub hidden_names: Vec<Vec<u8>>,
    /// How long the answer to a wrong login is held back, so that guessing is slow (RFC 2577 §5).
    pub login_delay: Duration,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            data: DataOptions::default(),
            hidden_names: Vec::new(),
            login_delay: Duration::from_secs(1),
        }
    }
}

/// Serves the files of a backend to the users of an authenticator.
pub struct FileServer<A, B, D = TcpDial> {
    authenticator: A,
    backend: B,
    dial: D,
    controls: FileControls,
    who: Option<Who>,
    presence: Arc<Presence>,
    shared: SharedPorts,
}

/// Changes a [`FileServer`] while it runs. Clones are the same one.
#[derive(Clone, Debug)]
pub struct FileControls {
    abilities: Abilities,
    current: Arc<Live<Ways>>,
}

impl FileControls {
    fn new(abilities: Abilities, options: FileOptions, hook: Option<Arc<dyn Hook>>) -> Self {
        let ways = Ways::new(abilities, options, hook);
        Self {
            abilities,
            current: Arc::new(Live::new(ways)),
        }
    }

    /// From now on new sessions follow these options and this hook; sessions that are open keep those
    /// they began with.
    pub fn change(&self, options: FileOptions, hook: Option<Arc<dyn Hook>>) {
        self.current.store(Ways::new(self.abilities, options, hook));
    }
}

/// What a session follows from its beginning to its end.
struct Ways {
    options: FileOptions,
    /// Those of the options with what the backend can do.
    settings: Shared,
    /// What listings leave out.
    hidden: Arc<[Vec<u8>]>,
    hook: Option<Arc<dyn Hook>>,
}

impl Ways {
    fn new(abilities: Abilities, options: FileOptions, hook: Option<Arc<dyn Hook>>) -> Self {
        let settings = Settings {
            abilities,
            ..options.settings.clone()
        };
        let hidden = options.hidden_names.iter().chain(&settings.denied_names);
        Self {
            hidden: hidden.cloned().collect(),
            settings: Shared::new(settings),
            options,
            hook,
        }
    }
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ways")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Who is logged in, as lines for SITE WHO.
pub type Who = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

impl<A: Authenticator, B: Backend> FileServer<A, B> {
    /// A server that dials over the host's network in active mode.
    pub fn new(authenticator: A, backend: B, options: FileOptions) -> Self {
        Self::with_dial(authenticator, backend, TcpDial::ANY_PORT, options)
    }
}

impl<A: Authenticator, B: Backend, D: Dial> FileServer<A, B, D> {
    /// A server that dials its own way.
    pub fn with_dial(authenticator: A, backend: B, dial: D, options: FileOptions) -> Self {
        Self {
            controls: FileControls::new(backend.abilities(), options, None),
            authenticator,
            backend,
            dial,
            shared: SharedPorts::default(),
            who: None,
            presence: Arc::default(),
        }
    }

    /// The way to change options and hook while the server runs.
    #[must_use]
    pub fn controls(&self) -> FileControls {
        self.controls.clone()
    }

    /// Serves SITE WHO with these lines; without them it shows the users of this server, and from
    /// where and since when they are here.
    #[must_use]
    pub fn with_who(mut self, who: Who) -> Self {
        self.who = Some(who);
        self
    }

    /// Calls this around each command.
    #[must_use]
    pub fn with_hook(self, hook: Arc<dyn Hook>) -> Self {
        let options = self.controls.current.load().options.clone();
        self.controls.change(options, Some(hook));
        self
    }
}

impl<A, B, D> fmt::Debug for FileServer<A, B, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileServer")
            .field("controls", &self.controls)
            .finish_non_exhaustive()
    }
}

/// The settings of all sessions, by how they begin.
#[derive(Debug)]
struct Shared {
    /// The server has no certificate.
    clear: Arc<Settings>,
    /// TLS begins with AUTH.
    explicit: Arc<Settings>,
    /// TLS has begun.
    implicit: Arc<Settings>,
}

impl Shared {
    fn new(settings: Settings) -> Self {
        let rules = settings.tls.unwrap_or_default();
        let with = |tls| {
            let settings = settings.clone();
            Arc::new(Settings { tls, ..settings })
        };
        let implicit = |implicit| Some(TlsRules { implicit, ..rules });
        Self {
            clear: with(None),
            explicit: with(implicit(false)),
            implicit: with(implicit(true)),
        }
    }

    fn of(&self, connection: &Connection) -> Arc<Settings> {
        Arc::clone(match (connection.offers_tls(), connection.tls()) {
            (false, _) => &self.clear,
            (true, None) => &self.explicit,
            (true, Some(_)) => &self.implicit,
        })
    }
}

/// One client of a [`FileServer`].
#[derive(Debug)]
pub struct FileSession<F> {
    ways: Arc<Ways>,
    dialogue: Session,
    /// `None` until somebody has logged in.
    files: Option<F>,
    /// Who that is; their place among the sessions that may be lives in it.
    user: Option<User>,
    /// Their line in SITE WHO.
    present: Option<Present>,
    /// The transfer under way.
    watch: Option<ledger::Watch>,
    /// The port of passive mode, until a transfer takes it.
    listener: Option<Port>,
    /// Lines that had to wait for a transfer.
    waiting: VecDeque<Request>,
}

impl<F> FileSession<F> {
    /// After REIN or another USER nothing of the old login is to be held.
    fn let_go(&mut self) {
        if self.files.is_some() && self.dialogue.user().is_none() {
            (self.files, self.user, self.present) = (None, None, None);
        }
    }

    /// What there is to do when a response was carried out.
    fn next(&mut self) -> Next {
        self.let_go();
        self.waiting.pop_front().map_or(Next::Read, Next::Again)
    }
}

/// What to do after a response was carried out.
enum Next {
    Read,
    /// A line that had to wait for a transfer.
    Again(Request),
    Close,
}

impl<A: Authenticator, B: Backend, D: Dial> Handler for FileServer<A, B, D> {
    type Session = FileSession<B::Files>;

    async fn on_connect(&self, connection: &mut Connection) -> io::Result<Self::Session> {
        let peer = connection.peer();
        if !self.authenticator.admits(peer) {
            tracing::warn!(id = peer.id, peer = %peer.address, "turned away");
            connection.report(&Event::Refused(Refusal::Address));
            let text = "Service not available, closing control connection.";
            let reply = Reply::new(Code::SERVICE_UNAVAILABLE, text);
            connection.reply(&reply).await?;
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let endpoints = Endpoints {
            local: peer.local,
            peer: peer.address,
        };
        let ways = self.controls.current.load();
        let settings = ways.settings.of(connection);
        let mut session = FileSession {
            ways,
            dialogue: Session::new(settings, endpoints, peer.since),
            files: None,
            user: None,
            present: None,
            watch: None,
            listener: None,
            waiting: VecDeque::new(),
        };
        if let Some(tls) = connection.tls() {
            session.dialogue.secured(tls.is_certified());
        }
        send(&session.dialogue.greet().replies, connection).await?;
        set_deadline(&session.dialogue, connection);
        Ok(session)
    }

    async fn on_request(
        &self,
        session: &mut Self::Session,
        request: Request,
        connection: &mut Connection,
    ) -> io::Result<Answer> {
        // What is boxed here is large, and the memory of a session that waits for its next command
        // would hold room for it.
        let close = if session.ways.hook.is_some() {
            match Box::pin(self.hooked(session, request, connection)).await? {
                Ok(close) => close,
                Err(answer) => return Ok(answer),
            }
        } else {
            let now = Instant::now();
            let response = session.dialogue.handle_command(request.command, now);
            if matches!(response.then, Then::Read) && session.waiting.is_empty() {
                send(&response.replies, connection).await?;
                session.let_go();
                false
            } else {
                Box::pin(self.go_on(session, response, connection)).await?
            }
        };
        set_deadline(&session.dialogue, connection);
        Ok(Answer { reply: None, close })
    }

    fn on_close(&self, session: &mut Self::Session, why: &Disconnect) -> Option<Reply> {
        let response = match why {
            Disconnect::Idle => session.dialogue.handle_timeout(Instant::now()),
            _ => session.dialogue.shut_down(),
        };
        response.replies.first().cloned()
    }
}

impl<A: Authenticator, B: Backend, D: Dial> FileServer<A, B, D> {
    /// Carries out a response, and after it the lines that had to wait; says whether the connection
    /// is closed then.
    async fn go_on(
        &self,
        session: &mut FileSession<B::Files>,
        mut response: Response,
        connection: &mut Connection,
    ) -> io::Result<bool> {
        loop {
            match self.carry_out(session, response, connection).await? {
                Next::Read => return Ok(false),
                Next::Close => return Ok(true),
                Next::Again(request) => {
                    let now = Instant::now();
                    response = session.dialogue.handle_command(request.command, now);
                }
            }
        }
    }

    /// Like [`FileServer::go_on`], with the operator's hook around each command; `Err` is what it has
    /// answered instead.
    async fn hooked(
        &self,
        session: &mut FileSession<B::Files>,
        mut request: Request,
        connection: &mut Connection,
    ) -> io::Result<Result<bool, Answer>> {
        let Some(hook) = session.ways.hook.clone() else {
            return Ok(Ok(false));
        };
        loop {
            let visitor_before = visitor(session, connection);
            if let Some(answer) = hook.before(visitor_before, &request).await {
                set_deadline(&session.dialogue, connection);
                return Ok(Err(answer));
            }
            let now = Instant::now();
            let command = request.command.clone();
            let response = session.dialogue.handle_command(command, now);
            let next = self.carry_out(session, response, connection).await?;
            // The client has its answer before the hook has its time.
            connection.flush().await?;
            let visitor_after = visitor(session, connection);
            let code = connection.last_code();
            hook.after(visitor_after, &request, code).await;
            match next {
                Next::Read => return Ok(Ok(false)),
                Next::Close => return Ok(Ok(true)),
                Next::Again(held) => request = held,
            }
        }
    }

    async fn carry_out(
        &self,
        session: &mut FileSession<B::Files>,
        mut response: Response,
        connection: &mut Connection,
    ) -> io::Result<Next> {
        loop {
            send(&response.replies, connection).await?;
            response = match response.then {
                Then::Perform(Task::Transfer(transfer)) => {
                    Box::pin(self.watched_transfer(session, transfer, connection)).await?
                }
                Then::Perform(task) => {
                    if takes_long(&task) {
                        connection.flush().await?;
                    }
                    let outcome = Box::pin(self.perform(session, task, connection)).await;
                    session.dialogue.complete(outcome, Instant::now())
                }
                Then::Close => return Ok(Next::Close),
                Then::CloseData => {
                    session.listener = None;
                    return Ok(session.next());
                }
                Then::StartTls => {
                    session.listener = None;
                    session.waiting.clear();
                    if let Err(error) = Box::pin(connection.start_tls()).await {
                        tracing::warn!(id = connection.peer().id, %error, "no tls");
                        return Ok(Next::Close);
                    }
                    let certified = connection.tls().is_some_and(TlsInfo::is_certified);
                    session.dialogue.secured(certified);
                    return Ok(Next::Read);
                }
                Then::EndTls => {
                    session.listener = None;
                    session.waiting.clear();
                    Box::pin(connection.end_tls()).await?;
                    return Ok(Next::Read);
                }
                // The last three come only within `transfer`.
                Then::Read | Then::Hold | Then::AbortTransfer | Then::ReportProgress => {
                    return Ok(session.next());
                }
            };
        }
    }

    async fn perform(
        &self,
        session: &mut FileSession<B::Files>,
        task: Task,
        connection: &Connection,
    ) -> Outcome {
        let result = match task {
            Task::Login { user, password, .. } => {
                return self
                    .login(session, &user, Some(&password), connection)
                    .await;
            }
            Task::LoginByCertificate { user } => {
                return self.login(session, &user, None, connection).await;
            }
            Task::Listen => self.listen(session, connection).await,
            Task::Who => match &self.who {
                // Names of users are not for whoever comes by.
                _ if session
                    .user
                    .as_ref()
                    .is_none_or(|user| user.rules.is_anonymous) =>
                {
                    Err(FileError::Denied)
                }
                who => {
                    let lines = match who {
                        Some(who) => who(),
                        None => self.presence.lines(Instant::now()),
                    };
                    let lines = lines.into_iter().map(String::into_bytes);
                    Ok(Outcome::Lines(lines.collect()))
                }
            },
            task => match &session.files {
                Some(files) => {
                    let hidden = &session.ways.hidden;
                    ledger::perform(session.user.as_ref(), files, hidden, task).await
                }
                None => Err(FileError::Denied),
            },
        };
        result.unwrap_or_else(Outcome::Failed)
    }

    async fn login(
        &self,
        session: &mut FileSession<B::Files>,
        user: &Argument,
        password: Option<&[u8]>,
        connection: &Connection,
    ) -> Outcome {
        let (peer, asked) = (connection.peer(), Instant::now());
        (session.files, session.user, session.present) = (None, None, None);
        let attempt = Attempt {
            user,
            password: password.unwrap_or_default(),
            peer,
            tls: connection.tls(),
        };
        let found = match password {
            Some(_) => self.authenticator.login(attempt).await,
            None => self.authenticator.login_by_certificate(attempt).await,
        };
        let entered = match found {
            Ok(user) => match self.backend.enter(&user).await {
                Ok(files) => Ok((user, files)),
                Err(_) => Err(Denied::Unavailable),
            },
            Err(why) => Err(why),
        };
        match entered {
            Ok((user, files)) => {
                tracing::info!(id = peer.id, user = %user.name, "logged in");
                connection.report(&Event::LoggedIn(&user));
                let grant = user.grant();
                session.present = Some(self.presence.enter(peer, &user.name));
                (session.files, session.user) = (Some(files), Some(user));
                Outcome::LoggedIn(grant)
            }
            // Without a password nothing was wrong yet: it is asked for now.
            Err(_) if password.is_none() => Outcome::LoginFailed,
            Err(why) => {
                tracing::warn!(id = peer.id, %user, %why, "login failed");
                connection.report(&Event::LoginFailed { user, why });
                let delay = self.authenticator.failure_delay(peer, user, why);
                let delay = delay.unwrap_or(session.ways.options.login_delay);
                // Counted from the question, so that the time does not tell how the answer was found.
                if let Some(moment) = asked.checked_add(delay) {
                    sleep_until(moment.into()).await;
                }
                refused(why)
            }
        }
    }

    async fn listen(
        &self,
        session: &mut FileSession<B::Files>,
        connection: &Connection,
    ) -> Result<Outcome, FileError> {
        // The old port first: a range may hold no other.
        session.listener = None;
        let (options, peer) = (&session.ways.options.data, connection.peer());
        let local = peer.local.ip();
        let port = match &options.ports {
            Some(ports) if options.shared => {
                Port::share(&self.shared, ports, local, peer.address.ip())
            }
            ports => Port::open(local, ports.as_ref()),
        };
        let port = port.map_err(|error| data::listen_error(&error))?;
        let announce = &options.announce;
        let address = announce.shown(peer.address.ip(), port.address()).await;
        session.listener = Some(port);
        Ok(Outcome::Listening(address))
    }
}

/// Whether replies to earlier lines should not wait for this.
const fn takes_long(task: &Task) -> bool {
    matches!(
        task,
        Task::Login { .. }
            | Task::LoginByCertificate { .. }
            | Task::Hash { .. }
            | Task::Usage(_)
            | Task::Copy { .. }
            | Task::Combine { .. }
            | Task::RemoveTree(_)
            | Task::Site(_)
    )
}

async fn perform_on(
    files: &impl Files,
    hidden: &Arc<[Vec<u8>]>,
    task: Task,
) -> Result<Outcome, FileError> {
    use ftp_proto::listing::Kind;

    match task {
        Task::CheckDirectory(path) => match files.look(&path).await?.kind {
            Kind::Directory | Kind::Current | Kind::Parent => {}
            Kind::File | Kind::Link { .. } | Kind::Other => return Err(FileError::NotADirectory),
        },
        Task::CheckExists(path) => {
            files.look(&path).await?;
        }
        Task::MakeDirectory(path) => files.make_directory(&path).await?,
        Task::RemoveDirectory(path) => files.remove_directory(&path).await?,
        Task::Delete(path) => files.delete(&path).await?,
        Task::Rename { from, to } => files.rename(&from, &to).await?,
        Task::Change { path, change } => files.change(&path, change).await?,
        Task::MakeDirectories(path) => files.make_directories(&path).await?,
        Task::RemoveTree(path) => files.remove_tree(&path).await?,
        Task::Copy { from, to } => files.copy(&from, &to).await?,
        Task::Combine { from, to } => files.combine(&from, &to).await?,
        Task::MakeLink { target, path } => files.make_link(target.as_bytes(), &path).await?,
        Task::Look(path) => return files.look(&path).await.map(Outcome::Entry),
        Task::Hash {
            path,
            algorithm,
            first,
            end,
        } => {
            let (digest, end) = files.hash(&path, algorithm, first, end).await?;
            return Ok(Outcome::Hash { digest, first, end });
        }
        Task::Space(path) => return files.space(&path).await.map(Outcome::Number),
        Task::Usage(path) => return files.usage(&path).await.map(Outcome::Number),
        Task::Allocate(bytes) => {
            if files.space(&Path::root()).await? < bytes {
                return Err(FileError::NoSpace);
            }
        }
        Task::Umask(mask) => {
            let old = files.umask(mask).await?;
            return Ok(Outcome::Number(old.into()));
        }
        Task::ListHere(path) => {
            let (is_directory, lines) = list::here(files, &path, hidden).await?;
            return Ok(Outcome::Status {
                is_directory,
                lines,
            });
        }
        Task::Who | Task::Quota | Task::Site(_) => return Err(FileError::Unsupported),
        // These never get here; see `perform` and `carry_out`.
        Task::Login { .. } | Task::LoginByCertificate { .. } | Task::Listen | Task::Transfer(_) => {
            return Err(FileError::Other);
        }
    }
    Ok(Outcome::Done)
}

/// What a client is told. Only who knew the password learns that there are too many sessions.
fn refused(why: Denied) -> Outcome {
    match why {
        Denied::TooMany => Outcome::LoginRefused(LoginRefusal {
            code: Code::SERVICE_UNAVAILABLE,
            text: "Too many sessions of this user.".to_owned(),
            close: true,
        }),
        Denied::Wrong
        | Denied::Network
        | Denied::NotSecure
        | Denied::Banned
        | Denied::Unavailable => Outcome::LoginFailed,
    }
}

fn visitor<'a, F>(session: &'a FileSession<F>, connection: &'a Connection) -> Visitor<'a> {
    Visitor {
        peer: connection.peer(),
        user: session.user.as_ref().map(|user| &user.name),
        directory: session.dialogue.directory().as_bytes(),
    }
}

async fn send(replies: &[Reply], connection: &mut Connection) -> io::Result<()> {
    for reply in replies {
        connection.reply(reply).await?;
    }
    Ok(())
}

fn set_deadline(dialogue: &Session, connection: &mut Connection) {
    let deadline = dialogue.next_timeout();
    connection.set_deadline(deadline.map_or(Deadline::Never, Deadline::At));
}

/// The time of the host's clock, to the second.
pub(crate) fn timestamp() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}
