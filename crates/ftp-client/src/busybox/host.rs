//! What the two programs need of the system they run on.

use std::borrow::Cow;
use std::future::Future;

use super::failure::Failure;
use super::transfer::Remote;

/// A failed system call in the words of `strerror(3)`: `No such file or directory`.
pub type Words = Cow<'static, str>;

/// Where a download goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink<'a> {
    /// The program's own output; the local name was `-`.
    Stdout,
    /// A file to be created, or emptied if it is there: `O_WRONLY|O_CREAT|O_TRUNC`, mode 0666.
    Create(&'a [u8]),
    /// A file that is there and will be continued: `O_WRONLY|O_APPEND`.
    Append(&'a [u8]),
}

/// Where an upload comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The program's own input; the local name was `-`.
    Stdin,
    /// A file, opened with `O_RDONLY`.
    File(&'a [u8]),
}

/// The system the program runs on: its output, its files, and whoever keeps what was transferred.
///
/// The program may outlive the process it seems to be: methods then succeed without doing anything.
pub trait Host: Send {
    /// Writes to standard output; failures are not noticed.
    fn stdout(&mut self, text: &[u8]) -> impl Future<Output = ()> + Send;

    /// Writes to standard error; failures are not noticed.
    fn stderr(&mut self, text: &[u8]) -> impl Future<Output = ()> + Send;

    /// The TCP port of a service, as `getservbyname(3)`; see [`super::service_port`].
    fn service(&mut self, name: &[u8]) -> impl Future<Output = Option<u16>> + Send;

    /// The size of a file, as `stat(2)`; asked for `-c` only.
    ///
    /// # Errors
    ///
    /// The words for what `stat(2)` answers.
    fn size_of(&mut self, path: &[u8]) -> impl Future<Output = Result<u64, Words>> + Send;

    /// Opens where the download goes; called once, after the server agreed to send.
    ///
    /// # Errors
    ///
    /// The words for what `open(2)` answers.
    fn create(&mut self, sink: Sink<'_>) -> impl Future<Output = Result<(), Words>> + Send;

    /// Writes all the bytes to what [`Host::create`] opened; never called with none.
    ///
    /// # Errors
    ///
    /// The words for what `write(2)` answers; the download ends. `Broken pipe` ends it as SIGPIPE
    /// would: silently.
    fn body(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Words>> + Send;

    /// Opens where the upload comes from; called once, before the server is asked to take it.
    ///
    /// # Errors
    ///
    /// The words for what `open(2)` answers.
    fn open(&mut self, source: Source<'_>) -> impl Future<Output = Result<(), Words>> + Send;

    /// Reads from what [`Host::open`] opened; 0 at its end.
    ///
    /// # Errors
    ///
    /// The words for what `read(2)` answers; the upload ends.
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = Result<usize, Words>> + Send;

    /// Takes note of how the transfer goes, for whoever keeps samples.
    ///
    /// A download begins with [`TransferEvent::Asked`]. Then it is called when the server agreed to
    /// send or take the file and [`Host::create`] has succeeded, and once at the end; or once only,
    /// with [`TransferEvent::Failed`]. A command line that could not be understood makes no event.
    fn transfer(&mut self, event: TransferEvent<'_>) -> impl Future<Output = ()> + Send;
}

/// How a transfer goes.
#[derive(Clone, Copy, Debug)]
pub enum TransferEvent<'a> {
    /// A download is wanted; nobody was dialled yet.
    Asked {
        /// What.
        remote: &'a Remote,
    },
    /// It ended before the first byte.
    Failed {
        /// What was asked for.
        remote: &'a Remote,
        /// Why.
        failure: &'a Failure,
    },
    /// The server sends; the sink is open.
    Downloading {
        /// What.
        remote: &'a Remote,
        /// Where to.
        sink: Sink<'a>,
        /// The size of the whole remote file, if the server told it.
        size: Option<u64>,
        /// How much of it was there before.
        offset: u64,
    },
    /// The server takes.
    Uploading {
        /// What.
        remote: &'a Remote,
        /// Where from.
        source: Source<'a>,
    },
    /// The server said that all is done, and nothing speaks against it.
    Complete {
        /// How many bytes went over the data connection.
        bytes: u64,
    },
    /// The server said that all is done, but fewer bytes came than SIZE had promised; the program
    /// does not notice and succeeds.
    Short {
        /// How many bytes went over the data connection.
        bytes: u64,
        /// How many it should have been.
        expected: u64,
    },
    /// The body was cut, or the server did not confirm it.
    Incomplete {
        /// How many bytes went over the data connection.
        bytes: u64,
        /// What happened.
        failure: &'a Failure,
    },
}
