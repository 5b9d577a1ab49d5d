//! From the connection to the moment somebody is let in.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{Either, select};
use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::network::{ResolveError, Stream};
use sundew_kernel::secure_shell::{Answer, Connection, Failure, HostKey, HostKeyQuestion, Proof};
use sundew_kernel::{Errno, Process};
use tokio::io::AsyncReadExt as _;
use tokio::sync::oneshot;

use super::known::{self, Known};
use super::option::{Level, Settings, Strict};

/// The longest first line we read of a server, in bytes; RFC 4253 §4.2 allows 255.
const MAX_BANNER_BYTES: usize = 256;
/// Keys that are tried without being named, below `~/.ssh`.
const USUAL_KEYS: &[&str] = &[
    "id_rsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_xmss",
    "id_dsa",
];
/// Questions a server may ask in one login.
const MAX_ROUNDS: u32 = 16;
const CHANGED: &str = "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Someone could be eavesdropping on you right now (man-in-the-middle attack)!\r
It is also possible that a host key has just been changed.\r
";

/// A connection on which somebody is let in.
pub(super) struct LoggedIn {
    pub(super) connection: Box<dyn Connection>,
    pub(super) peer: SocketAddr,
}

/// One attempt.
struct Attempt<'a> {
    proc: &'a mut Process,
    said: &'a Settings,
    host: &'a [u8],
    port: u16,
    user: Vec<u8>,
    /// Whether the host's key was changed and the server is used nevertheless.
    distrusted: bool,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Connects and logs in; everything that went wrong has been told.
pub(super) async fn log_in(proc: &mut Process, said: &Settings, host: &[u8]) -> Option<LoggedIn> {
    let user = match &said.user {
        Some(user) => user.clone(),
        None => {
            let (uid, _) = proc.real_ids();
            let users = crate::users::Directory::load(proc).await;
            users.user_text(uid)
        }
    };
    let mut attempt = Attempt {
        port: said.port.unwrap_or(22),
        proc,
        said,
        host,
        user,
        distrusted: false,
    };
    let stream = attempt.connect().await?;
    let peer = stream.peer();
    let mut connection = attempt.exchange(stream).await?;
    attempt
        .authenticate(&mut *connection, peer)
        .await
        .then_some(LoggedIn { connection, peer })
}

impl Attempt<'_> {
    fn level(&self) -> Level {
        self.said.level.unwrap_or(Level::Info)
    }

    /// Tells something, unless it is less than what is wanted.
    async fn tell(&mut self, level: Level, text: &str) {
        if self.level() >= level {
            self.proc.print_error(text.as_bytes()).await;
        }
    }

    async fn connect(&mut self) -> Option<Box<dyn Stream>> {
        let name = self.said.hostname.clone().unwrap_or(self.host.to_vec());
        let (shown, port) = (text(&name), self.port);
        let network = self.proc.network();
        let addresses = match self.proc.interruptible(network.resolve(&name)).await.ok()? {
            Ok(addresses) => addresses,
            Err(error) => {
                let reason = match error {
                    ResolveError::NotFound => "Name or service not known",
                    ResolveError::TimedOut => "Temporary failure in name resolution",
                };
                let text = format!("ssh: Could not resolve hostname {shown}: {reason}\r\n");
                self.tell(Level::Error, &text).await;
                return None;
            }
        };
        let mut last = Errno::Etimedout;
        for address in addresses {
            let text = format!("debug1: Connecting to {shown} [{address}] port {port}.\r\n");
            self.tell(Level::Debug, &text).await;
            let target = SocketAddr::new(address, port);
            let patience = self.said.timeout.filter(|seconds| *seconds > 0);
            let patience = Duration::from_secs(patience.unwrap_or(u64::from(u32::MAX)));
            let result = {
                let dialling = network.connect(target);
                let waiting = Box::pin(self.proc.sleep(patience));
                match select(dialling, waiting).await {
                    Either::Left((result, _)) => result,
                    Either::Right((Ok(()), _)) => Err(Errno::Etimedout),
                    Either::Right((Err(_), _)) => return None,
                }
            };
            last = match result {
                Ok(stream) => {
                    self.tell(Level::Debug, "debug1: Connection established.\r\n")
                        .await;
                    return Some(stream);
                }
                Err(errno) => errno,
            };
            let text = format!(
                "debug1: connect to address {address} port {port}: {}\r\n",
                last.message()
            );
            self.tell(Level::Debug, &text).await;
        }
        let text = format!(
            "ssh: connect to host {shown} port {port}: {}\r\n",
            last.message()
        );
        self.tell(Level::Error, &text).await;
        None
    }

    /// Exchanges keys and has the server's judged.
    async fn exchange(&mut self, stream: Box<dyn Stream>) -> Option<Box<dyn Connection>> {
        let peer = stream.peer();
        let Some(shell) = self.proc.secure_shell() else {
            self.nobody(stream).await;
            return None;
        };
        let (ask, asked) = oneshot::channel();
        let (tell, answer) = oneshot::channel();
        let opening = shell.open(
            stream,
            HostKeyQuestion {
                ask,
                answer,
                kind: None,
            },
        );
        let opened = match select(opening, asked).await {
            Either::Left((opened, _)) => opened,
            Either::Right((Ok(key), opening)) => {
                let accepted = self.judge(&key, peer).await;
                // Who asked may be gone; then the opening says so.
                let _gone = tell.send(accepted);
                if !accepted {
                    self.tell(Level::Error, "Host key verification failed.\r\n")
                        .await;
                    return None;
                }
                self.proc.interruptible(opening).await.ok()?
            }
            Either::Right((Err(_), opening)) => self.proc.interruptible(opening).await.ok()?,
        };
        match opened {
            Ok(connection) => Some(connection),
            Err(failure) => {
                self.failed(&failure, peer).await;
                None
            }
        }
    }

    /// What a client without the other half of the protocol sees: a server that hangs up.
    async fn nobody(&mut self, mut stream: Box<dyn Stream>) {
        let mut banner = vec![0; MAX_BANNER_BYTES];
        let read = self.proc.interruptible(stream.read(&mut banner)).await;
        let failure = match read {
            Ok(Ok(count)) if count > 0 => Failure::Closed,
            _ => Failure::Reset,
        };
        self.failed(&failure, stream.peer()).await;
    }

    async fn failed(&mut self, failure: &Failure, peer: SocketAddr) {
        let (address, port) = (peer.ip(), peer.port());
        let reset = Errno::Econnreset.message();
        let text = match failure {
            Failure::Reset => format!(
                "kex_exchange_identification: read: {reset}\r\nConnection reset by {address} port {port}\r\n"
            ),
            Failure::NotSsh => format!(
                "kex_exchange_identification: banner line contains invalid characters\r\nbanner exchange: Connection to {address} port {port}: invalid format\r\n"
            ),
            Failure::NoCommon { kind, theirs } => format!(
                "Unable to negotiate with {address} port {port}: no matching {kind} found. Their offer: {theirs}\r\n"
            ),
            Failure::Protocol => format!(
                "ssh_dispatch_run_fatal: Connection to {address} port {port}: invalid format\r\n"
            ),
            Failure::HostKey => "Host key verification failed.\r\n".to_owned(),
            Failure::Closed | Failure::BadKey | Failure::Refused => format!(
                "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by {address} port {port}\r\n"
            ),
        };
        self.tell(Level::Error, &text).await;
    }

    fn known_files(&self) -> Vec<Vec<u8>> {
        let home = super::home(self.proc);
        let expand = |path: &Vec<u8>| match path.strip_prefix(b"~") {
            Some(rest) => [home.as_slice(), rest].concat(),
            None => path.clone(),
        };
        match &self.said.known_hosts {
            Some(files) => files.iter().map(expand).collect(),
            None => ["known_hosts", "known_hosts2"]
                .iter()
                .map(|name| [home.as_slice(), b"/.ssh/", name.as_bytes()].concat())
                .collect(),
        }
    }

    /// Whether the server's key is the right one, as far as anybody knows.
    async fn judge(&mut self, key: &HostKey, peer: SocketAddr) -> bool {
        let name = known::entry_name(self.host, self.port);
        let (kind, print) = (known::kind(&key.algorithm), known::fingerprint(&key.blob));
        let text_of_key = format!(
            "debug1: Server host key: {} {print}\r\n",
            text(&key.algorithm)
        );
        self.tell(Level::Debug, &text_of_key).await;
        let files = self.known_files();
        let mut all = files.clone();
        all.push(b"/etc/ssh/ssh_known_hosts".to_vec());
        let strict = self.said.strict.unwrap_or(Strict::Ask);
        match known::look_up(self.proc, &all, &name, key).await {
            Known::Same => true,
            Known::Changed(path, number) => {
                let (shown, path) = (text(&name), text(&path));
                let own = files.first().map_or(String::new(), |own| text(own));
                self.tell(Level::Error, &format!(
                    "{CHANGED}The fingerprint for the {kind} key sent by the remote host is\n{print}.\r\nPlease contact your system administrator.\r\nAdd correct host key in {own} to get rid of this message.\r\nOffending {kind} key in {path}:{number}\r\n  remove with:\r\n  ssh-keygen -f \"{path}\" -R \"{shown}\"\r\n"
                )).await;
                if strict == Strict::No {
                    self.distrusted = true;
                    self.tell(Level::Error, "Password authentication is disabled to avoid man-in-the-middle attacks.\r\nKeyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.\r\nUpdateHostkeys is disabled because the host key is not trusted.\r\n").await;
                    return true;
                }
                self.tell(Level::Error, &format!("Host key for {shown} has changed and you have requested strict checking.\r\n")).await;
                false
            }
            Known::New(elsewhere) => {
                let accepted = match strict {
                    Strict::No | Strict::AcceptNew => true,
                    Strict::Yes => {
                        let shown = text(&name);
                        self.tell(Level::Error, &format!("No {kind} host key is known for {shown} and you have requested strict checking.\r\n")).await;
                        false
                    }
                    Strict::Ask if self.said.batch == Some(true) => false,
                    Strict::Ask => self.ask_about(&name, kind, &print, &elsewhere, peer).await,
                };
                if accepted {
                    self.remember(&files, &name, key, kind).await;
                }
                accepted
            }
        }
    }

    async fn ask_about(
        &mut self,
        name: &[u8],
        kind: &str,
        print: &str,
        elsewhere: &[(Vec<u8>, usize, Vec<u8>)],
        peer: SocketAddr,
    ) -> bool {
        let address = known::entry_name(peer.ip().to_string().as_bytes(), peer.port());
        let home = super::home(self.proc);
        let others = if elsewhere.is_empty() {
            "This key is not known by any other names.\n".to_owned()
        } else {
            let mut others =
                "This host key is known by the following other names/addresses:\n".to_owned();
            for (path, number, names) in elsewhere {
                let path = match path.strip_prefix(home.as_slice()) {
                    Some(rest) => [b"~".as_slice(), rest].concat(),
                    None => path.clone(),
                };
                let names = if names.starts_with(b"|") {
                    b"[hashed name]".as_slice()
                } else {
                    names
                };
                others += &format!("    {}:{number}: {}\n", text(&path), text(names));
            }
            others
        };
        let mut prompt = format!(
            "The authenticity of host '{} ({})' can't be established.\n{kind} key fingerprint is {print}.\n{others}Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            text(name),
            text(&address)
        );
        loop {
            let Some(answer) = super::ask(self.proc, prompt.as_bytes(), true).await else {
                return false;
            };
            let answer = answer.trim_ascii();
            if answer.is_empty() || answer.eq_ignore_ascii_case(b"no") {
                return false;
            }
            if answer.eq_ignore_ascii_case(b"yes") || answer == print.as_bytes() {
                return true;
            }
            "Please type 'yes', 'no' or the fingerprint: ".clone_into(&mut prompt);
        }
    }

    async fn remember(&mut self, files: &[Vec<u8>], name: &[u8], key: &HostKey, kind: &str) {
        let hashed = if self.said.hash_hosts == Some(true) {
            known::hashed(self.proc, name)
        } else {
            name.to_vec()
        };
        let line = known::line(&hashed, key);
        let Some(path) = files.first() else {
            return;
        };
        if self.said.known_hosts.is_none() {
            let directory = [super::home(self.proc).as_slice(), b"/.ssh"].concat();
            // It is there already, or the file will not be made either.
            let _there = self.proc.make_directory(&directory, 0o700);
        }
        let written = match self.proc.open(path, OpenFlags::APPEND, 0o600).await {
            Ok(fd) => {
                let written = self.proc.write_all(fd, &line).await;
                // Opened above.
                let _open = self.proc.close(fd);
                written
            }
            Err(errno) => Err(errno),
        };
        let text = match written {
            Ok(()) => format!(
                "Warning: Permanently added '{}' ({kind}) to the list of known hosts.\r\n",
                text(name)
            ),
            Err(_) => format!(
                "Failed to add the host to the list of known hosts ({}).\r\n",
                text(path)
            ),
        };
        self.tell(Level::Info, &text).await;
    }

    async fn authenticate(&mut self, connection: &mut dyn Connection, peer: SocketAddr) -> bool {
        match self.ways(connection).await {
            Ok(true) => true,
            Ok(false) => false,
            Err(failure) => {
                let (address, port) = (peer.ip(), peer.port());
                let how = match failure {
                    Failure::Reset => "reset",
                    _ => "closed",
                };
                self.tell(
                    Level::Error,
                    &format!("Connection {how} by {address} port {port}\r\n"),
                )
                .await;
                false
            }
        }
    }

    /// Tries all ways in, in OpenSSH's order.
    async fn ways(&mut self, connection: &mut dyn Connection) -> Result<bool, Failure> {
        let user = self.user.clone();
        let first = self.offer(connection, &user, Proof::None).await?;
        let said = connection.banner();
        if self.level() >= Level::Info {
            self.proc.print_error(&said).await;
        }
        let mut methods = match first {
            Answer::Accepted => return Ok(true),
            Answer::Denied { methods } => methods,
            Answer::Asked { .. } => Vec::new(),
        };
        let offers = |methods: &[String], name: &str| methods.iter().any(|one| one == name);
        if offers(&methods, "publickey") && self.said.keys != Some(false) {
            for key in self.keys().await {
                match self.offer(connection, &user, Proof::Key(key)).await {
                    Ok(Answer::Accepted) => return Ok(true),
                    Ok(Answer::Denied { methods: left }) => methods = left,
                    Ok(Answer::Asked { .. }) | Err(Failure::BadKey) => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        let batch = self.said.batch == Some(true) || self.distrusted;
        if offers(&methods, "keyboard-interactive") && self.said.questions != Some(false) && !batch
        {
            for _ in 0..self.said.prompts.unwrap_or(3) {
                match self.questions(connection, &user).await? {
                    Answer::Accepted => return Ok(true),
                    Answer::Denied { methods: left } => methods = left,
                    Answer::Asked { .. } => {}
                }
            }
        }
        if offers(&methods, "password") && self.said.passwords != Some(false) && !batch {
            let prompt = format!("{}@{}'s password: ", text(&user), text(self.host));
            for round in 0..self.said.prompts.unwrap_or(3) {
                if round > 0 {
                    self.tell(Level::Error, "Permission denied, please try again.\r\n")
                        .await;
                }
                // Without a terminal the empty password is tried.
                let word = super::ask(self.proc, prompt.as_bytes(), false).await;
                let proof = Proof::Password(word.unwrap_or_default());
                match self.offer(connection, &user, proof).await? {
                    Answer::Accepted => return Ok(true),
                    Answer::Denied { methods: left } => methods = left,
                    Answer::Asked { .. } => {}
                }
                if !offers(&methods, "password") {
                    break;
                }
            }
        }
        let (user, host) = (text(&user), text(self.host));
        // tidy-allow(errno-word): what OpenSSH calls the refusal of a server
        let text = format!(
            "{user}@{host}: Permission denied ({}).\r\n",
            methods.join(",")
        );
        self.tell(Level::Error, &text).await;
        Ok(false)
    }

    async fn offer(
        &mut self,
        connection: &mut dyn Connection,
        user: &[u8],
        proof: Proof,
    ) -> Result<Answer, Failure> {
        let asking = connection.authenticate(user, proof);
        self.proc
            .interruptible(asking)
            .await
            .unwrap_or(Err(Failure::Closed))
    }

    /// Lets the server ask until it has an answer.
    async fn questions(
        &mut self,
        connection: &mut dyn Connection,
        user: &[u8],
    ) -> Result<Answer, Failure> {
        let mut answer = self.offer(connection, user, Proof::Questions).await?;
        for _ in 0..MAX_ROUNDS {
            let Answer::Asked {
                instruction,
                questions,
            } = answer
            else {
                return Ok(answer);
            };
            if !instruction.is_empty() {
                self.tell(Level::Info, &format!("{}\r\n", text(&instruction)))
                    .await;
            }
            let mut answers = Vec::new();
            for (question, seen) in questions {
                let prompt = format!("({}@{}) {}", text(user), text(self.host), text(&question));
                let answer = super::ask(self.proc, prompt.as_bytes(), seen).await;
                answers.push(answer.unwrap_or_default());
            }
            answer = self
                .offer(connection, user, Proof::Answers(answers))
                .await?;
        }
        Err(Failure::Protocol)
    }

    /// The private keys there are, as text.
    async fn keys(&mut self) -> Vec<Vec<u8>> {
        let home = super::home(self.proc);
        let named = !self.said.identities.is_empty();
        let paths: Vec<Vec<u8>> = if named {
            let expand = |path: &Vec<u8>| match path.strip_prefix(b"~/") {
                Some(rest) => [home.as_slice(), b"/", rest].concat(),
                None => path.clone(),
            };
            self.said.identities.iter().map(expand).collect()
        } else {
            USUAL_KEYS
                .iter()
                .map(|name| [home.as_slice(), b"/.ssh/", name.as_bytes()].concat())
                .collect()
        };
        let mut keys = Vec::new();
        for path in paths {
            let Ok(metadata) = self.proc.stat(&path) else {
                continue;
            };
            let shown = text(&path);
            if metadata.mode & 0o077 != 0 && metadata.uid == self.proc.credentials().uid {
                let text = format!(
                    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\r\n@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\nPermissions 0{:o} for '{shown}' are too open.\r\nIt is required that your private key files are NOT accessible by others.\r\nThis private key will be ignored.\r\nLoad key \"{shown}\": bad permissions\r\n",
                    metadata.mode & 0o777
                );
                self.tell(Level::Error, &text).await;
                continue;
            }
            let key = crate::net::read_file(self.proc, &path).await;
            let begins = b"-----BEGIN";
            if key.windows(begins.len()).any(|part| part == begins) {
                keys.push(key);
            } else {
                let text = format!("Load key \"{shown}\": error in libcrypto\r\n");
                self.tell(Level::Error, &text).await;
            }
        }
        keys
    }
}
