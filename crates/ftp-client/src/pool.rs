//! Several sessions with one host, for transfers side by side.
//!
//! Servers limit sessions per user and per address, and say so with 421 or 530 at the login. The
//! pool then makes do with the sessions it has, and waits between attempts if it has none.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::client::{Client, Login};
use crate::config::Config;
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

/// Idle time after which a session is asked whether it is still there before it is handed out.
const FRESH: Duration = Duration::from_secs(10);

/// Attempts for the first session with a server that is full.
const MAX_ATTEMPTS: u32 = 5;

/// Wait before the second of those attempts; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Sessions with one host, at most so many at a time.
pub struct Pool<D: Dial + Clone>(Arc<Inner<D>>);

struct Inner<D: Dial> {
    dial: D,
    config: Config,
    login: Login,
    idle: Mutex<Vec<Idle<D>>>,
    slots: Arc<Semaphore>,
    size: usize,
    /// Slots given up because the server has no room.
    given_up: Mutex<usize>,
}

struct Idle<D: Dial> {
    client: Client<D>,
    since: Instant,
}

/// A session lent by a [`Pool`]; dropping it gives it back.
pub struct Session<D: Dial> {
    client: Option<Client<D>>,
    pool: Arc<Inner<D>>,
    _slot: OwnedSemaphorePermit,
}

impl<D: Dial + Clone> Pool<D> {
    /// A pool of at most `size` sessions (at least one); none is made before it is asked for.
    #[must_use]
    pub fn new(dial: D, config: Config, login: Login, size: usize) -> Self {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            dial,
            config,
            login,
            idle: Mutex::default(),
            slots: Arc::new(Semaphore::new(size)),
            size,
            given_up: Mutex::new(0),
        }))
    }

    /// How many sessions there can be at a time, as far as the server has told.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size - *lock(&self.0.given_up)
    }

    /// A session, logged in; waits for one that is given back if all are lent.
    ///
    /// Dropping the future gives up nothing that others need.
    ///
    /// # Errors
    ///
    /// [`Error`] of connecting and logging in.
    pub async fn session(&self) -> Result<Session<D>, Error> {
        let mut attempts = 0;
        loop {
            let slot = self.0.slots.clone().acquire_owned().await;
            let Ok(slot) = slot else {
                return Err(Error::new(Phase::Connect, Cause::Closed));
            };
            match self.ready_client().await {
                Ok(client) => {
                    return Ok(Session {
                        client: Some(client),
                        pool: self.0.clone(),
                        _slot: slot,
                    });
                }
                Err(error) if !error.is_crowded() => return Err(error),
                Err(error) => {
                    let mut given_up = lock(&self.0.given_up);
                    if *given_up + 1 < self.0.size {
                        // Somebody else's session will do, once it is given back.
                        *given_up += 1;
                        slot.forget();
                        continue;
                    }
                    drop(given_up);
                    attempts += 1;
                    if attempts == MAX_ATTEMPTS {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(attempts - 1)).await;
        }
    }

    async fn ready_client(&self) -> Result<Client<D>, Error> {
        loop {
            let idle = lock(&self.0.idle).pop();
            let Some(mut idle) = idle else { break };
            if idle.since.elapsed() < FRESH || idle.client.noop().await.is_ok() {
                return Ok(idle.client);
            }
        }
        let mut client = Client::connect(self.0.dial.clone(), self.0.config.clone()).await?;
        client.login(&self.0.login).await?;
        Ok(client)
    }

    /// Ends the idle sessions with QUIT.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *lock(&self.0.idle));
        for idle in idle {
            // They end either way.
            idle.client.quit().await.ok();
        }
    }
}

impl<D: Dial + Clone> Clone for Pool<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Dial + Clone> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} of {})", self.0.config.host, self.size())
    }
}

impl<D: Dial> Session<D> {
    /// Takes the session out of the pool's hands; the pool may make another one.
    #[must_use]
    pub fn into_client(mut self) -> Option<Client<D>> {
        self.client.take()
    }
}

#[expect(
    clippy::expect_used,
    reason = "only `into_client` and `drop` take the client, and both consume the session"
)]
impl<D: Dial> Deref for Session<D> {
    type Target = Client<D>;

    fn deref(&self) -> &Client<D> {
        self.client.as_ref().expect("a session has its client")
    }
}

#[expect(
    clippy::expect_used,
    reason = "only `into_client` and `drop` take the client, and both consume the session"
)]
impl<D: Dial> DerefMut for Session<D> {
    fn deref_mut(&mut self) -> &mut Client<D> {
        self.client.as_mut().expect("a session has its client")
    }
}

impl<D: Dial> Drop for Session<D> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !client.is_lost()
        {
            let since = Instant::now();
            lock(&self.pool.idle).push(Idle { client, since });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
