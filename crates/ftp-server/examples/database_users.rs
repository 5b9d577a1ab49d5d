//! Virtual users from a database: names, hashes and permissions are rows of an SQLite table.
//!
//! `cargo run -p ftp-server --example database_users`, then `curl ftp://anna:secret@127.0.0.1:2121/`.
//! Ctrl-C ends it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ftp_server::auth::{Attempt, Authenticator, Denied, User};
use ftp_server::backend::memory::Memory;
use ftp_server::daemon::login;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::{Limits, Listener, Server};
use rusqlite::{Connection, OptionalExtension, params};

// ANCHOR: users
/// The users of a table.
#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

impl Database {
    /// A database in memory with one user.
    pub(crate) fn with_anna() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE user (name TEXT PRIMARY KEY, hash TEXT NOT NULL, rights TEXT NOT NULL)",
        )?;
        let hash = login::hash(b"secret").unwrap_or_default();
        let anna = "INSERT INTO user VALUES ('anna', ?1, 'elradfmwMT')";
        connection.execute(anna, params![hash])?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// The hash and the rights of a user.
    fn find(&self, name: &[u8]) -> rusqlite::Result<Option<(String, String)>> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The name is a parameter, whatever it says.
        let query = "SELECT hash, rights FROM user WHERE name = CAST(?1 AS TEXT)";
        let row = connection.query_row(query, params![name], |row| Ok((row.get(0)?, row.get(1)?)));
        row.optional()
    }
}

impl Authenticator for Database {
    async fn login(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        let (database, name) = (self.clone(), attempt.user.as_bytes().to_vec());
        let password = attempt.password.to_vec();
        // Both block: the database on its disk, the hash on purpose.
        let checked = tokio::task::spawn_blocking(move || {
            let found = database.find(&name).map_err(|_| Denied::Unavailable)?;
            let hash = found.as_ref().map(|(hash, _)| hash.as_str());
            // Takes as long without a hash, so the time does not tell which names there are.
            match (login::verify(&password, hash), found) {
                (true, Some((_, rights))) => Ok(rights),
                (_, _) => Err(Denied::Wrong),
            }
        });
        let rights = checked.await.map_err(|_| Denied::Unavailable)??;
        let rights: Rights = rights.parse().map_err(|_| Denied::Unavailable)?;
        Ok(User::new(attempt.user.clone(), rights))
    }
}
// ANCHOR_END: users

/// The service, with files in memory.
pub(crate) fn server() -> io::Result<Server<impl ftp_server::Handler>> {
    let users = Database::with_anna().map_err(io::Error::other)?;
    let files = FileServer::new(users, Memory::new(1 << 20), FileOptions::default());
    Ok(Server::new(files, Limits::default()))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();
    let server = server()?;
    let stop = server.stop_token();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    server.serve(Listener::dual_stack(2121)?).await
}
