//! The client for programs without async: the same [`Client`](crate::Client), waited for.
//!
//! There is no second implementation: each session has a small runtime of its own on the calling
//! thread, and every method runs the asynchronous one on it. [`Client::wait`] does that for whatever
//! has no method here. Not to be used on a thread of an asynchronous runtime.

use std::io::{self, Read, Write};

use ftp_proto::Reply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use crate::client::{self, Listing, Login};
use crate::config::Config;
use crate::dial::{ConnectError, Dial, Tcp};
use crate::error::{Cause, Error, Phase};
use crate::transfer;

/// A session with one server.
#[derive(Debug)]
pub struct Client<D: Dial = Tcp> {
    runtime: Runtime,
    inner: client::Client<D>,
}

/// A file on its way from the server; see [`crate::Download`].
pub struct Download<'c, D: Dial = Tcp> {
    runtime: &'c Runtime,
    inner: transfer::Download<'c, D>,
}

/// A file on its way to the server; see [`crate::Upload`].
pub struct Upload<'c, D: Dial = Tcp> {
    runtime: &'c Runtime,
    inner: transfer::Upload<'c, D>,
}

impl Client {
    /// Connects over TCP; see [`crate::Client::connect`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn connect(config: Config) -> Result<Self, Error> {
        Self::connect_through(Tcp, config)
    }
}

impl<D: Dial> Client<D> {
    /// Connects with any [`Dial`] that needs no other runtime.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn connect_through(dial: D, config: Config) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                let cause = Cause::Connect(ConnectError::from(error));
                Error::new(Phase::Connect, cause)
            })?;
        let inner = runtime.block_on(client::Client::connect(dial, config))?;
        Ok(Self { runtime, inner })
    }

    /// Runs anything of the asynchronous client to its end.
    ///
    /// ```no_run
    /// # fn example(client: &mut ftp_client::blocking::Client) -> Result<(), ftp_client::Error> {
    /// let size = client.wait(async |client| client.size("pub/README").await)?;
    /// # Ok(()) }
    /// ```
    pub fn wait<T>(&mut self, what: impl AsyncFnOnce(&mut client::Client<D>) -> T) -> T {
        self.runtime.block_on(what(&mut self.inner))
    }

    /// See [`crate::Client::login`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn login(&mut self, login: &Login) -> Result<Reply, Error> {
        self.wait(async |client| client.login(login).await)
    }

    /// See [`crate::Client::list`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list(&mut self, path: impl AsRef<[u8]>) -> Result<Listing, Error> {
        self.wait(async |client| client.list(path).await)
    }

    /// See [`crate::Client::retrieve_from`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn retrieve(
        &mut self,
        path: impl AsRef<[u8]>,
        offset: u64,
    ) -> Result<Download<'_, D>, Error> {
        let retrieve = self.inner.retrieve_from(path, offset);
        Ok(Download {
            inner: self.runtime.block_on(retrieve)?,
            runtime: &self.runtime,
        })
    }

    /// See [`crate::Client::store_from`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn store(&mut self, path: impl AsRef<[u8]>, offset: u64) -> Result<Upload<'_, D>, Error> {
        let store = self.inner.store_from(path, offset);
        Ok(Upload {
            inner: self.runtime.block_on(store)?,
            runtime: &self.runtime,
        })
    }

    /// See [`crate::Client::quit`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn quit(self) -> Result<(), Error> {
        self.runtime.block_on(self.inner.quit())
    }
}

impl<D: Dial> Download<'_, D> {
    /// See [`crate::Download::finish`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn finish(self) -> Result<Reply, Error> {
        self.runtime.block_on(self.inner.finish())
    }

    /// The asynchronous transfer, for what has no method here.
    #[must_use]
    pub const fn inner(&self) -> &transfer::Download<'_, D> {
        &self.inner
    }
}

impl<D: Dial> Upload<'_, D> {
    /// See [`crate::Upload::finish`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn finish(self) -> Result<Reply, Error> {
        self.runtime.block_on(self.inner.finish())
    }
}

impl<D: Dial> Read for Download<'_, D> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.inner.read(buf))
    }
}

impl<D: Dial> Write for Upload<'_, D> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.runtime.block_on(self.inner.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.runtime.block_on(self.inner.flush())
    }
}
