//! The users of a configuration: passwords by their hashes, the anonymous user, and a program or web
//! service that knows others.

pub mod external;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use ftp_proto::Argument;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use self::external::External;
use super::config::{Config, Fingerprint, Hash, Span, TlsKey, UserSection};
use super::program::Runner;
use crate::account::Members;
use crate::auth::{ANONYMOUS, Attempt, Authenticator, Denied, Secret, User};

/// Everybody who may log in.
#[derive(Debug)]
pub struct Logins {
    book: RwLock<Arc<Book>>,
    /// Counts outlive a reload.
    members: Members,
    /// Password checks at a time.
    checks: Arc<Semaphore>,
    memory: Arc<Memory>,
}

/// What is read from the configuration.
#[derive(Debug, Default)]
pub struct Book {
    users: HashMap<Vec<u8>, Entry>,
    anonymous: Option<UserSection>,
    external: Option<External>,
    /// What has to be under TLS for everybody.
    least_tls: TlsKey,
}

#[derive(Clone, Debug)]
struct Entry {
    /// `None` for somebody who comes with a certificate only.
    password: Option<Password>,
    section: UserSection,
}

#[derive(Clone, Debug)]
enum Password {
    Hash(Hash),
    /// From the command line.
    Clear(Secret),
}

impl Book {
    /// The users of a configuration and its users file, which is weaker.
    ///
    /// # Errors
    ///
    /// What is wrong with `login.authorities`.
    pub fn new(
        config: &Config,
        more: &BTreeMap<String, UserSection>,
        runner: &Runner,
    ) -> Result<Self, String> {
        let mut users = HashMap::new();
        for (name, section) in more.iter().chain(&config.user) {
            let entry = Entry {
                password: section.password.clone().map(Password::Hash),
                section: section.clone(),
            };
            users.insert(name.as_bytes().to_vec(), entry);
        }
        let anonymous = &config.anonymous;
        Ok(Self {
            users,
            anonymous: anonymous.enabled.then(|| anonymous.clone()),
            external: External::new(&config.login, runner)?,
            least_tls: config.tls.required,
        })
    }

    /// Adds a user whose password is known in clear; stronger than one of the configuration.
    pub fn add(&mut self, name: &Argument, password: Secret, section: UserSection) {
        let entry = Entry {
            password: Some(Password::Clear(password)),
            section,
        };
        self.users.insert(name.as_bytes().to_vec(), entry);
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether nobody can log in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.anonymous.is_none() && self.external.is_none()
    }
}

impl Logins {
    /// Logins by this book.
    #[must_use]
    pub fn new(book: Book) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            book: RwLock::new(Arc::new(book)),
            members: Members::default(),
            checks: Arc::new(Semaphore::new(cores.min(MAX_CHECKS))),
            memory: Arc::default(),
        }
    }

    /// From now on another book counts; sessions that are open keep their rules.
    pub fn reload(&self, book: Book) {
        let book = Arc::new(book);
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = book;
    }

    /// What everybody has used up.
    #[must_use]
    pub const fn members(&self) -> &Members {
        &self.members
    }

    fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn user(&self, name: &Argument, section: &UserSection, least: TlsKey, anonymous: bool) -> User {
        let key = if anonymous {
            b"anonymous"
        } else {
            name.as_bytes()
        };
        let mut user = User::new(name.clone(), section.permissions());
        user.rules = section.rules(least, anonymous);
        user.account = self.members.account(key, &section.allowance());
        user.idle = section.idle.map(|Span(idle)| idle);
        user.welcome.clone_from(&section.welcome);
        user
    }

    /// Whether a password fits; takes as long if there is nothing to fit.
    async fn fits(&self, password: Option<&Password>, given: &[u8]) -> bool {
        let hash = match password {
            Some(Password::Clear(secret)) => return secret.is(given),
            Some(Password::Hash(hash)) => Some(hash.clone()),
            None => None,
        };
        let Ok(permit) = Arc::clone(&self.checks).acquire_owned().await else {
            return false;
        };
        let (given, memory) = (given.to_vec(), Arc::clone(&self.memory));
        let check = tokio::task::spawn_blocking(move || {
            let fits = memory.verify(&given, hash.as_ref().map(Hash::as_str));
            drop(permit);
            fits
        });
        check.await.unwrap_or(false)
    }
}

impl Authenticator for Logins {
    async fn login(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        let book = self.book();
        let name = attempt.user.as_bytes();
        let entry = book.users.get(name);
        let is_anonymous = ANONYMOUS.contains(&name);
        if let (None, true, Some(section)) = (entry, is_anonymous, &book.anonymous) {
            return Ok(self.user(attempt.user, section, book.least_tls, true));
        }
        if let (None, Some(external)) = (entry, &book.external) {
            let section = external.ask(attempt).await?;
            return Ok(self.user(attempt.user, &section, book.least_tls, false));
        }
        let fits = self
            .fits(
                entry.and_then(|entry| entry.password.as_ref()),
                attempt.password,
            )
            .await;
        match entry {
            Some(entry) if fits && entry.section.enabled => {
                Ok(self.user(attempt.user, &entry.section, book.least_tls, false))
            }
            Some(_) | None => Err(Denied::Wrong),
        }
    }

    async fn login_by_certificate(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        let book = self.book();
        let entry = book.users.get(attempt.user.as_bytes());
        let shown = attempt.tls.and_then(|tls| tls.certificates.first());
        let (Some(entry), Some(shown)) = (entry, shown) else {
            return Err(Denied::Wrong);
        };
        let shown = Fingerprint(Sha256::digest(shown).into());
        if !entry.section.enabled || !entry.section.certificates.contains(&shown) {
            return Err(Denied::Wrong);
        }
        Ok(self.user(attempt.user, &entry.section, book.least_tls, false))
    }
}

/// Hashes a password, with what argon2's authors recommend.
///
/// # Errors
///
/// When the system has no randomness.
pub fn hash(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

/// Whether a password fits a hash; takes as long without a hash, which nothing fits. Blocks for some
/// tens of milliseconds, and takes the memory that the hash says.
#[must_use]
pub fn verify(password: &[u8], hash: Option<&str>) -> bool {
    Memory::default().verify(password, hash)
}

/// Memory of password checks, kept from one to the next: each takes some 20 MiB, and an allocator that has
/// had such a block from every thread in turn does not give them all back.
#[derive(Debug, Default)]
struct Memory(Mutex<Vec<Vec<Block>>>);

impl Memory {
    fn take(&self, count: usize) -> Vec<Block> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blocks = kept.pop().unwrap_or_default();
        drop(kept);
        if blocks.len() < count {
            // Not resized: that would copy what nobody needs.
            blocks = vec![Block::default(); count];
        }
        blocks
    }

    fn give_back(&self, blocks: Vec<Block>) {
        if blocks.len() <= MAX_KEPT_BLOCKS {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(blocks);
        }
    }

    /// As [`verify`].
    fn verify(&self, password: &[u8], hash: Option<&str>) -> bool {
        let fits = self.fits(password, hash.unwrap_or(NOBODY));
        fits.unwrap_or(false) && hash.is_some()
    }

    /// `None` for what is no hash of argon2.
    fn fits(&self, password: &[u8], hash: &str) -> Option<bool> {
        let hash = PasswordHash::new(hash).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash.version.map(Version::try_from).transpose().ok()?;
        let params = Params::try_from(&hash).ok()?;
        let count = params.block_count();
        let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), params);
        let mut made = vec![0; expected.len()];
        let mut blocks = self.take(count);
        let done = argon2.hash_password_into_with_memory(
            password,
            salt.as_ref(),
            &mut made,
            blocks.get_mut(..count)?,
        );
        self.give_back(blocks);
        done.ok()?;
        let pairs = made.iter().zip(expected.as_bytes());
        // All of it, so that the time does not tell how much was right.
        Some(pairs.fold(0, |differs, (one, other)| differs | (one ^ other)) == 0)
    }
}

/// Blocks of 1 KiB that are kept for the next check of the same kind.
const MAX_KEPT_BLOCKS: usize = 64 * 1024;

/// Password checks at a time, if there are as many processors: each holds its memory.
const MAX_CHECKS: usize = 8;

/// The hash that is checked for users that do not exist: of the usual cost, and nobody's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9i\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;
    use crate::connection::Peer;

    async fn login(logins: &Logins, user: &str, password: &str) -> Result<User, Denied> {
        let peer = Peer {
            id: 1,
            address: "127.0.0.1:1".parse().unwrap(),
            local: "127.0.0.1:2".parse().unwrap(),
            since: Instant::now(),
        };
        let attempt = Attempt {
            user: &Argument::try_from(user).unwrap(),
            password: password.as_bytes(),
            peer: &peer,
            tls: None,
        };
        logins.login(attempt).await
    }

    fn cheap(password: &[u8]) -> String {
        let params = Params::new(8, 1, 1, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password(password).unwrap().to_string()
    }

    fn book(text: &str) -> Book {
        let config = Config::parse(Path::new("f"), text.as_bytes()).unwrap();
        Book::new(&config, &BTreeMap::new(), &Runner::Here).unwrap()
    }

    #[test]
    fn the_hash_of_nobody_costs_what_ours_cost() {
        assert!(Hash::new(NOBODY).is_ok());
        let cost = |hash: &str| hash.split('$').nth(3).map(str::to_owned);
        assert_eq!(cost(NOBODY), cost(&hash(b"x").unwrap()));
    }

    #[test]
    fn memory_is_used_again_for_checks_of_any_cost() {
        let memory = Memory::default();
        let (cheap, ours) = (cheap(b"secret"), hash(b"secret").unwrap());
        for hash in [&ours, &cheap, &ours, &ours, &cheap] {
            assert!(memory.verify(b"secret", Some(hash)));
            assert!(!memory.verify(b"other", Some(hash)));
            assert!(!memory.verify(b"secret", None));
        }
        assert_eq!(memory.0.lock().unwrap().len(), 1);
        assert!(!memory.verify(b"secret", Some("$argon2id$v=19$m=8,t=1,p=1")));
    }

    #[tokio::test]
    async fn names_and_hashed_passwords_must_both_fit() {
        let (anna, bert) = (cheap(b"secret"), cheap(b"other"));
        let logins = Logins::new(book(&format!(
            "[anonymous]\nenabled = false\n\
             [user.anna]\npassword = '{anna}'\npermissions = 'elradfmw'\n\
             [user.bert]\npassword = '{bert}'\nenabled = false\n"
        )));
        let user = login(&logins, "anna", "secret").await.unwrap();
        assert_eq!(user.permissions.general().to_string(), "elradfmw");
        for (name, password) in [
            ("anna", "other"),
            ("anna", ""),
            ("bert", "other"),
            ("nobody", "secret"),
            ("ftp", "x"),
        ] {
            let denied = login(&logins, name, password).await;
            assert_eq!(denied.unwrap_err(), Denied::Wrong, "{name}");
        }
    }

    #[tokio::test]
    async fn a_reload_changes_who_may_come_and_keeps_what_was_counted() {
        let hash = cheap(b"secret");
        let text = format!("[user.anna]\npassword = '{hash}'\nsessions = 1\n");
        let logins = Logins::new(book(&text));
        let user = login(&logins, "anna", "secret").await.unwrap();
        let address = "127.0.0.1".parse().unwrap();
        let _seat = user.account.enter(address).unwrap();
        logins.reload(book(&text));
        let again = login(&logins, "anna", "secret").await.unwrap();
        assert!(again.account.enter(address).is_none());
        logins.reload(book(""));
        assert!(login(&logins, "anna", "secret").await.is_err());
        assert!(
            login(&logins, "anonymous", "x")
                .await
                .unwrap()
                .rules
                .is_anonymous
        );
    }

    #[tokio::test]
    async fn a_user_of_the_command_line_is_stronger_than_one_of_the_file() {
        let mut book = book(&format!("[user.anna]\npassword = '{}'\n", cheap(b"file")));
        let name = Argument::try_from("anna").unwrap();
        book.add(&name, Secret::new(*b"line"), UserSection::default());
        let logins = Logins::new(book);
        assert!(login(&logins, "anna", "line").await.is_ok());
        assert!(login(&logins, "anna", "file").await.is_err());
    }
}
