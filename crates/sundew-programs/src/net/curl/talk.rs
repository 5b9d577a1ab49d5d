//! Protocols of which curl's users see little but whether somebody listens: `telnet`, and what else has a
//! port of its own. Both directions are copied as telnet does.

use std::net::SocketAddr;

use sundew_kernel::{Process, STDOUT};

use super::super::pipe;
use super::{Failure, Job};

/// Schemes and their ports.
const SCHEMES: [(&str, u16); 18] = [
    ("telnet", 23),
    ("dict", 2628),
    ("ldap", 389),
    ("ldaps", 636),
    ("gopher", 70),
    ("gophers", 70),
    ("imap", 143),
    ("imaps", 993),
    ("pop3", 110),
    ("pop3s", 995),
    ("smtp", 25),
    ("smtps", 465),
    ("rtsp", 554),
    ("mqtt", 1883),
    ("smb", 445),
    ("smbs", 445),
    ("scp", 22),
    ("sftp", 22),
];

/// Whom to talk to.
pub(super) struct Place {
    host: Vec<u8>,
    port: u16,
    /// Over SSH, whose host keys are nowhere.
    ssh: bool,
}

impl Place {
    /// The place of a URL with such a scheme; `None` if it has another.
    pub(super) fn read(text: &[u8]) -> Result<Option<Self>, Failure> {
        let bad = || Failure(3, "URL using bad/illegal format or missing URL".to_owned());
        let Some(at) = text.windows(3).position(|window| window == b"://") else {
            return Ok(None);
        };
        let (scheme, rest) = text.split_at(at);
        let scheme = String::from_utf8_lossy(scheme).to_ascii_lowercase();
        let Some((name, usual)) = SCHEMES.iter().find(|(name, _)| *name == scheme) else {
            return Ok(None);
        };
        let rest = rest.get(3..).unwrap_or_default();
        let mut parts = rest.splitn(2, |&byte| byte == b'/');
        let authority = parts.next().unwrap_or_default();
        let path = parts.next().unwrap_or_default();
        if name.starts_with("smb") && !path.contains(&b'/') {
            let text = "missing share in URL path for SMB";
            return Err(Failure(3, text.to_owned()));
        }
        let place = authority.rsplit(|&byte| byte == b'@').next();
        let place = String::from_utf8_lossy(place.unwrap_or_default()).into_owned();
        let (host, port) = match place.rsplit_once(':') {
            Some((host, digits)) => (host.to_owned(), digits.parse().map_err(|_| bad())?),
            None => (place, *usual),
        };
        if host.is_empty() {
            return Err(bad());
        }
        Ok(Some(Self {
            host: host.into_bytes(),
            port,
            ssh: usual == &22,
        }))
    }
}

impl Job<'_> {
    /// Connects, and copies both ways until the other side closes.
    pub(super) async fn talk(&mut self, proc: &mut Process, place: &Place) -> Result<(), Failure> {
        let Place { host, port, ssh } = place;
        if *ssh && !self.options.silent {
            proc.print_error(b"Warning: Couldn't find a known_hosts file!")
                .await;
        }
        if !self.options.silent && !proc.is_terminal(STDOUT) {
            self.begin_meter(proc).await;
        }
        let started = proc.monotonic();
        let host = String::from_utf8_lossy(host).into_owned();
        let found = proc.network().resolve(host.as_bytes()).await;
        let Some(ip) = found.ok().and_then(|all| all.first().copied()) else {
            return Err(Failure(6, format!("Could not resolve host: {host}")));
        };
        let target = SocketAddr::new(ip, *port);
        self.tell(proc, format!("*   Trying {target}...\n")).await;
        let connect = proc.network().connect(target);
        let stream = match proc.interruptible(connect).await {
            Ok(Ok(stream)) => stream,
            refused => {
                let errno = refused.map_or_else(
                    |errno| errno,
                    |answer| match answer {
                        Err(errno) => errno,
                        Ok(_) => sundew_kernel::Errno::Econnrefused,
                    },
                );
                let why = errno.message();
                self.tell(
                    proc,
                    format!("* connect to {ip} port {port} failed: {why}\n"),
                )
                .await;
                let waited = proc.monotonic().saturating_sub(started).as_millis();
                let text = format!(
                    "Failed to connect to {host} port {port} after {waited} ms: Couldn't connect to server"
                );
                return Err(Failure(7, text));
            }
        };
        self.tell(
            proc,
            format!("* Connected to {host} ({ip}) port {port} (#0)\n"),
        )
        .await;
        pipe::run(proc, stream, pipe::AtEnd::Close).await;
        if self.meter {
            self.row(proc).await;
            proc.print_error(b"\n").await;
        }
        self.tell(proc, "* Closing connection 0\n").await;
        Ok(())
    }
}
