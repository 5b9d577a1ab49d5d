//! What every command needs: options, console, credentials, limits.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ftp_client::tls::{TlsOptions, parse_fingerprint};
use ftp_client::{Config, DataMode, Security};
use indicatif::ProgressBar;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::cli::Common;
use crate::console::Console;
use crate::credential::{self, Answer, CredentialError, PASSWORD_VARIABLE, Sources, USER_VARIABLE};
use crate::failure::{Failure, Phase};
use crate::meter::Meter;
use crate::netrc::MAX_NETRC_BYTES;
use crate::rate::Bucket;
use crate::retry::Policy;
use crate::route::Route;
use crate::secret::Secret;
use crate::session::Server;
use crate::url::{Scheme, Url};

/// What every command needs.
#[derive(Debug)]
pub struct Context {
    /// Options.
    pub common: Common,
    /// Where things are said.
    pub console: Console,
    /// The rate limit of the whole run.
    limit: Option<Arc<Mutex<Bucket>>>,
    /// The server used last: a password is asked for once, what was learned of it is kept.
    last: Mutex<Option<Arc<Server>>>,
}

impl Context {
    /// From the options of the command line.
    #[must_use]
    pub fn new(common: &Common) -> Self {
        let bucket = |rate| Arc::new(Mutex::new(Bucket::new(rate, Instant::now())));
        Self {
            console: Console::new(common.json, common.quiet),
            limit: common.limit_rate.map(bucket),
            common: common.clone(),
            last: Mutex::default(),
        }
    }

    /// A meter with a bar for one transfer.
    #[must_use]
    pub fn meter(&self, label: &str, total: Option<u64>, begin: u64) -> Meter {
        Meter::new(self.console.bar(label, total, begin), self.limit.clone())
    }

    /// A meter without a bar: for what is shown on the terminal itself.
    #[must_use]
    pub fn meter_without_bar(&self) -> Meter {
        Meter::new(ProgressBar::hidden(), self.limit.clone())
    }

    /// How often to try.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            attempts: self.common.retries.saturating_add(1),
            ..Policy::default()
        }
    }

    /// The server of a URL, with the credential for it; asks for a password if it has to.
    ///
    /// # Errors
    ///
    /// Usage and login.
    pub fn server(&self, url: &Url) -> Result<Arc<Server>, Failure> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(server) if is_same(&server.url, url) => Ok(Arc::clone(server)),
            _ => {
                let server = Arc::new(self.new_server(url)?);
                *last = Some(Arc::clone(&server));
                Ok(server)
            }
        }
    }

    fn new_server(&self, url: &Url) -> Result<Server, Failure> {
        let netrc = self.netrc()?;
        let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
        let sources = Sources {
            user: self
                .common
                .user
                .as_ref()
                .map(|user| user.as_bytes().to_vec()),
            netrc: netrc.as_deref(),
            env_user: variable(USER_VARIABLE).filter(|user| !user.is_empty()),
            env_password: variable(PASSWORD_VARIABLE).map(Secret::new),
        };
        let credential = credential::choose(url, &sources, ask).map_err(|error| match error {
            CredentialError::Netrc(_) => {
                Failure::new(Phase::Usage, error.to_string()).hint("mend the file, or --no-netrc")
            }
            CredentialError::Interrupted => Failure::new(Phase::Interrupted, error.to_string()),
            CredentialError::NoPassword => Failure::new(Phase::Login, error.to_string())
                .hint(format!("an entry in ~/.netrc, or {PASSWORD_VARIABLE}")),
        })?;
        let mut config = Config::new(&*url.host);
        config.port = Some(url.port);
        config.security = self.security(url.scheme)?;
        if self.common.active {
            config.data_mode = DataMode::Active { announce: None };
        }
        config.listener = self.common.verbose.then(|| self.console.listener());
        let patience = self.common.timeout;
        config.limits.connect = patience;
        config.limits.stall = patience;
        config.limits.first_byte = patience;
        // Servers delay a refused login, and a checksum of a large file takes its time.
        config.limits.reply = patience.max(config.limits.reply.min(patience * 2));
        config.limits.extended_passive = config.limits.extended_passive.min(patience);
        let route = match &self.common.proxy {
            None => Route::Direct,
            Some(proxy) => Route::through(proxy)
                .map_err(|text| Failure::new(Phase::Usage, format!("--proxy: {text}")))?,
        };
        let mut server = Server::new(url.clone(), config, route, credential);
        server.compresses = self.common.compress;
        Ok(server)
    }

    fn security(&self, scheme: Scheme) -> Result<Security, Failure> {
        if !scheme.is_encrypted() {
            return Ok(Security::Plain);
        }
        let common = &self.common;
        let options = if let Some(path) = &common.ca {
            let pem = std::fs::read(path).map_err(|error| Failure::local(path, &error))?;
            TlsOptions::with_roots(&pem).map_err(|error| Failure::local(path, &error))?
        } else if let Some(text) = &common.pin {
            let pin = parse_fingerprint(text).ok_or_else(|| {
                Failure::new(Phase::Usage, "--pin: expected 64 hexadecimal digits")
            })?;
            TlsOptions::pinned([pin])
        } else if common.insecure {
            TlsOptions::insecure()
        } else {
            TlsOptions::system().map_err(|error| {
                Failure::new(Phase::Tls, error.to_string()).hint("--ca FILE, or --pin HEX")
            })?
        };
        let options = match (&common.cert, &common.key) {
            (Some(cert), Some(key)) => {
                let read =
                    |path: &Path| std::fs::read(path).map_err(|error| Failure::local(path, &error));
                let (chain, secret) = (read(cert)?, read(key)?);
                let identified = options.identified_by(&chain, &secret);
                identified.map_err(|error| Failure::local(key, &error))?
            }
            _ => options,
        };
        Ok(match scheme {
            Scheme::Ftps => Security::Implicit(options),
            Scheme::Ftp | Scheme::Ftpes => Security::Explicit(options),
        })
    }

    /// The netrc file. That there is none at the usual place is fine.
    fn netrc(&self) -> Result<Option<Vec<u8>>, Failure> {
        if self.common.no_netrc {
            return Ok(None);
        }
        let (path, is_named) = match &self.common.netrc_file {
            Some(path) => (path.clone(), true),
            None => match home() {
                Some(home) => (home.join(".netrc"), false),
                None => return Ok(None),
            },
        };
        match read_netrc(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if !is_named && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::local(&path, &error)),
        }
    }
}

/// Whether a URL leads to a server that is known. The shell's have no password: those are never written out.
fn is_same(known: &Url, url: &Url) -> bool {
    let (mut known, url) = (known.at(""), url.at(""));
    if url.password.is_none() {
        known.password = None;
    }
    known == url
}

/// The home directory, if the environment says.
#[must_use]
pub fn home() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

fn read_netrc(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    let count = file.take(MAX_NETRC_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(count).is_ok_and(|count| count > MAX_NETRC_BYTES) {
        return Err(io::Error::other("too large for a netrc file"));
    }
    Ok(bytes)
}

/// Asks at the terminal, without showing what is typed.
///
/// The keys are ours meanwhile: Ctrl-C has to end the question, and nobody else would hear of it.
fn ask(question: &str) -> Answer {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let Some(mut terminal) = terminal.ok().filter(|terminal| terminal.is_terminal()) else {
        return Answer::Nobody;
    };
    let Ok(shown) = tcgetattr(&terminal) else {
        return Answer::Nobody;
    };
    let mut hidden = shown.clone();
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    let asked = tcsetattr(&terminal, OptionalActions::Flush, &hidden)
        .is_ok()
        .then(|| terminal.write_all(question.as_bytes()));
    let typed = match asked {
        Some(Ok(())) => read_line(&mut terminal),
        Some(Err(_)) | None => Answer::Nobody,
    };
    // A terminal that cannot be set back cannot be told so either.
    tcsetattr(&terminal, OptionalActions::Flush, &shown).ok();
    terminal.write_all(b"\n").ok();
    typed
}

fn read_line(terminal: &mut impl io::Read) -> Answer {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < MAX_PASSWORD_BYTES {
        match terminal.read(&mut byte) {
            Ok(0) => return Answer::Nobody,
            Ok(_) => match byte {
                [b'\n' | b'\r'] => return Answer::Typed(Secret::new(line)),
                [CTRL_C] => return Answer::Interrupted,
                [CTRL_D] if line.is_empty() => return Answer::Nobody,
                [CTRL_D] => return Answer::Typed(Secret::new(line)),
                [BACKSPACE | DELETE] => rub_out(&mut line),
                [CTRL_U] => line.clear(),
                _ => line.extend(byte),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Answer::Nobody,
        }
    }
    Answer::Nobody
}

/// Takes the last character away, which in UTF-8 may be several bytes.
fn rub_out(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        if byte & 0xc0 != 0x80 {
            break;
        }
    }
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// Longest password that can be typed, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_typed_with_corrections_or_not_at_all() {
        let typed = |keys: &[u8]| read_line(&mut &keys[..]);
        let secret = |text: &str| Answer::Typed(Secret::new(text.as_bytes()));
        assert_eq!(typed(b"secret\n"), secret("secret"));
        assert_eq!(typed(b"secrex\x7ft\r"), secret("secret"));
        assert_eq!(typed("s\u{e4}\u{7f}e\n".as_bytes()), secret("se"));
        assert_eq!(typed(b"wrong\x15right\n"), secret("right"));
        assert_eq!(typed(b"half\x04"), secret("half"));
        assert_eq!(typed(b"\n"), secret(""));
        assert_eq!(typed(b"sec\x03ret\n"), Answer::Interrupted);
        assert_eq!(typed(b"\x04"), Answer::Nobody);
        assert_eq!(typed(b"no end"), Answer::Nobody);
    }
}
