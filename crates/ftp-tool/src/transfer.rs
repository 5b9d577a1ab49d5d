//! One file, down or up: resumed, retried, checked.
//!
//! ```text
//!  facts ─▶ same already? ─▶ partial file ─▶ ┌ RETR from offset ─▶ bytes ┐ ─▶ size, checksum ─▶ in place
//!                                            └──── wait ◀── lost ◀───────┘
//! ```

use std::fs::File;
use std::io;
use std::time::Duration;

use ftp_proto::hash::Algorithm;

use crate::checksum;
use crate::cli::Verify;
use crate::console::{Checksum, hex};
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::meter::Meter;
use crate::mover::MoveError;
use crate::retry::Retry;
use crate::session::{Worker, failure};

pub mod between;
pub mod download;
pub mod segment;
pub mod upload;

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was transferred.
    Done {
        /// Bytes moved by this run.
        bytes: u64,
        /// Bytes that were there before.
        resumed_from: u64,
        /// The checksum both sides agree on, if it was compared.
        checksum: Option<Checksum>,
    },
    /// Both sides were the same already.
    Unchanged,
}

/// Does something again and again, as long as it may help: a failure that will not pass, or was met too
/// often without a byte gained (the meter tells), is the result.
///
/// # Errors
///
/// The last failure.
pub async fn persist<T>(
    context: &Context,
    worker: &mut Worker,
    meter: Option<&Meter>,
    mut attempt: impl AsyncFnMut(&mut Worker) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut retry = Retry::new(context.policy());
    let total = || meter.map_or(0, Meter::total);
    loop {
        let before = total();
        let failure = match attempt(worker).await {
            Ok(value) => return Ok(value),
            Err(failure) if !failure.may_pass => return Err(failure),
            Err(failure) => failure,
        };
        worker.lose();
        let Some(wait) = retry.failed(total() > before, dice()) else {
            return Err(failure);
        };
        let text = format!("{}; once more in {:.1} s", failure.what, wait.as_secs_f64());
        context.console.note(&text);
        tokio::time::sleep(wait).await;
    }
}

/// Compares a local file with the server's checksum; `None` if that was not wanted or not possible.
///
/// # Errors
///
/// [`Phase::Verify`] if they differ, or if it was wanted [`Verify::Always`] and the server cannot.
pub async fn verify(
    worker: &mut Worker,
    remote: &[u8],
    file: File,
    length: u64,
    when: Verify,
) -> Result<Option<Checksum>, Failure> {
    if when == Verify::Never {
        return Ok(None);
    }
    let session = worker.session().await?;
    let offered = session.hash_algorithms().await.map_err(failure)?;
    let Some(&algorithm) = offered.first() else {
        if when == Verify::Auto {
            return Ok(None);
        }
        let what = "the server offers no checksum we know";
        return Err(Failure::new(Phase::Verify, what).hint("--verify auto"));
    };
    let theirs = match session.hash(remote, algorithm).await {
        Ok(found) => found.value,
        // Announced and refused: as good as not offered.
        Err(error) if when == Verify::Auto && !error.ends_session() => return Ok(None),
        Err(error) => return Err(failure(error)),
    };
    let mine = blocking(move || checksum::of_file(algorithm, &file, length))
        .await
        .map_err(|error| Failure::new(Phase::Local, format!("reading back: {error}")))?;
    agreed(algorithm, (&theirs, "there"), (&mine, "here")).map(Some)
}

/// The checksum of both sides, if it is one.
fn agreed(
    algorithm: Algorithm,
    (one, at): (&[u8], &str),
    (other, there): (&[u8], &str),
) -> Result<Checksum, Failure> {
    let name = algorithm.name();
    if one != other {
        let what = format!("the {name} is {} {at} and {} {there}", hex(one), hex(other));
        return Err(Failure::new(Phase::Verify, what).hint("--restart"));
    }
    Ok(Checksum {
        algorithm: name.to_owned(),
        value: hex(one),
    })
}

/// Runs a call that may block where it may.
///
/// # Errors
///
/// The call's.
pub async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(_panicked_or_cancelled) => Err(io::Error::other("the call did not end")),
    }
}

/// A number between 0 and 1 that differs between processes and moments; nothing depends on it but
/// that clients do not come back all at once.
#[must_use]
fn dice() -> f64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    f64::from(since.subsec_nanos() ^ (std::process::id() << 10) & 0x3fff_ffff) / f64::from(u32::MAX)
}

/// What moving bytes past the client met, in our words.
#[must_use]
pub fn move_failure(error: MoveError) -> Failure {
    match error {
        MoveError::Socket(error) => {
            let words = ftp_client::dial::words(&error);
            Failure::new(Phase::Transfer, format!("the data connection: {words}")).passing()
        }
        MoveError::File(error) => {
            let words = ftp_client::dial::words(&error);
            Failure::new(Phase::Local, format!("the local file: {words}"))
        }
        MoveError::Stalled(limit) => {
            let text = format!("nothing came for {} s", limit.as_secs_f64());
            Failure::new(Phase::Transfer, text).passing()
        }
    }
}
