//! A file to the server.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

use ftp_client::{Phase as Step, Upload};
use ftp_proto::time::Timestamp;
use ftp_proto::transfer::{Format, ToNetwork, Type};
use ftp_proto::{Argument, Command, Verb};
use tokio::io::AsyncWriteExt as _;

use super::{Outcome, blocking, move_failure, persist, verify};
use crate::cli::Verify;
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::local::Folder;
use crate::meter::Meter;
use crate::mover::{self, MoveError};
use crate::route::Route;
use crate::session::{self, Facts, Session, Worker, stream_failure};
use crate::tree::RelPath;

/// The buffer of transfers that sendfile cannot do, in bytes.
pub(super) const BUFFER_BYTES: usize = 256 * 1024;

/// What is to be uploaded, and where to.
#[derive(Clone, Debug)]
pub struct Job {
    /// Directory here.
    pub folder: Folder,
    /// Name in it.
    pub path: RelPath,
    /// Path on the server.
    pub remote: Vec<u8>,
    /// What a listing has told already; `Some(None)`: there is no such file.
    pub there: Option<Option<Facts>>,
    /// Upload even what is there already.
    pub force: bool,
    /// Start over instead of going on.
    pub restart: bool,
    /// Whether checksums are compared.
    pub verify: Verify,
}

/// Uploads a file.
///
/// # Errors
///
/// [`Failure`], which says how much the server has.
pub async fn from_folder(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let mut begun = false;
    persist(context, worker, Some(meter), async |worker| {
        let result = attempt(context, worker, job, meter, &mut begun).await;
        result.map_err(|mut failure| {
            if meter.total() > 0 {
                let kept = "what the server has; the same command goes on from there";
                failure.kept = Some(kept.to_owned());
            }
            failure
        })
    })
    .await
}

async fn attempt(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    meter: &Meter,
    begun: &mut bool,
) -> Result<Outcome, Failure> {
    let (folder, path) = (job.folder.clone(), job.path.clone());
    let (file, stat) = blocking(move || folder.read(&path))
        .await
        .map_err(|error| Failure::local(&job.folder.display_path(&job.path), &error))?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let changed = Timestamp::from_unix(stat.st_mtime);
    meter.bar().set_length(size);
    let there = there(worker, job, *begun).await?;
    let rules = Rules {
        force: job.force,
        restart: job.restart,
        begun: *begun,
    };
    let Start::At(mut offset) = rules.start((Some(size), Some(changed)), there) else {
        return Ok(Outcome::Unchanged);
    };
    let session = worker.session().await?;
    let mut upload = match session.store_from(&job.remote, offset).await {
        Ok(upload) => upload,
        Err(error) if error.phase() == Step::Command(Verb::Rest) && !error.ends_session() => {
            context
                .console
                .note("the server does not resume; from the beginning");
            offset = 0;
            let session = worker.session().await?;
            let stored = session.store(&job.remote).await;
            stored.map_err(session::failure)?
        }
        Err(error) => return Err(session::failure(error)),
    };
    *begun = true;
    meter.bar().set_position(offset);
    let copy = file
        .try_clone()
        .map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
    push_file(context, &mut upload, copy, offset, meter).await?;
    upload.finish().await.map_err(session::failure)?;
    let checksum = verify(worker, &job.remote, file, size, job.verify).await?;
    keep_time(worker.session().await?, &job.remote, changed).await?;
    Ok(Outcome::Done {
        bytes: meter.total(),
        resumed_from: offset,
        checksum,
    })
}

/// What was asked for, as far as it bears on where an upload begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) force: bool,
    pub(super) restart: bool,
    /// This very run has begun to write there.
    pub(super) begun: bool,
}

/// Where an upload begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nowhere: the server has the file.
    Same,
    At(u64),
}

impl Rules {
    /// Compares the source's size and time with what is there.
    pub(super) fn start(
        self,
        (size, changed): (Option<u64>, Option<Timestamp>),
        there: Option<Facts>,
    ) -> Start {
        let (Some(size), Some(there)) = (size, there) else {
            return Start::At(0);
        };
        let is_later = there
            .modified
            .zip(changed)
            .is_some_and(|(there, changed)| there >= changed);
        if there.size == Some(size) && is_later && !self.force && !self.begun {
            return Start::Same;
        }
        // Shorter, and written after the source was: the beginning of it, unless somebody else was at
        // work. What this very run has begun needs no such guess.
        let goes_on = self.begun || (is_later && !self.restart && !self.force);
        let part = there.size.filter(|there| goes_on && *there < size);
        Start::At(part.unwrap_or(0))
    }
}

/// What is there; asked anew once an attempt has begun.
async fn there(worker: &mut Worker, job: &Job, begun: bool) -> Result<Option<Facts>, Failure> {
    if job.force && !begun {
        return Ok(None);
    }
    match job.there {
        Some(known) if !begun => Ok(known),
        _ => facts_of_file(worker, &job.remote).await.map(Some),
    }
}

/// What is known of a file to be written.
pub(super) async fn facts_of_file(worker: &mut Worker, remote: &[u8]) -> Result<Facts, Failure> {
    let facts = session::facts(worker.session().await?, remote).await?;
    if facts.is_directory {
        let what = "there is a directory of this name";
        return Err(Failure::new(Phase::Command, what).hint("a URL that ends with /"));
    }
    Ok(facts)
}

/// The server keeps our time where it can: a later run then sees that it is the same file.
pub(super) async fn keep_time(
    session: &mut Session,
    remote: &[u8],
    time: Timestamp,
) -> Result<(), Failure> {
    if !session
        .features()
        .await
        .map_err(session::failure)?
        .has("MFMT")
    {
        return Ok(());
    }
    match session.set_modified(remote, time).await {
        Err(error) if error.ends_session() => Err(session::failure(error)),
        // Some users may write and not set times.
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn push_file(
    context: &Context,
    upload: &mut Upload<'_, Route>,
    file: File,
    offset: u64,
    meter: &Meter,
) -> Result<(), Failure> {
    let socket = upload
        .clear_socket()
        .map(|socket| socket.as_fd().try_clone_to_owned());
    if let Some(Ok(socket)) = socket {
        let (meter, stall) = (meter.clone(), context.common.timeout);
        let sent = tokio::task::spawn_blocking(move || {
            mover::upload(&file, offset, socket.as_fd(), stall, &meter)
        });
        let sent = tokio::select! {
            sent = sent => sent,
            never = upload.attend() => match never {},
        };
        let Ok(sent) = sent else {
            return Err(Failure::new(Phase::Transfer, "the thread did not end"));
        };
        return match sent {
            Ok(count) => {
                upload.note_moved(count);
                Ok(())
            }
            // The server closed its end: its last word says why.
            Err(MoveError::Socket(error)) => Err(last_word(upload, error).await),
            Err(error) => Err(move_failure(error)),
        };
    }
    let mut at = offset;
    let mut buffer = vec![0; BUFFER_BYTES];
    let file = std::sync::Arc::new(file);
    loop {
        let most = meter.piece().min(BUFFER_BYTES);
        let copy = std::sync::Arc::clone(&file);
        let (count, back) = blocking(move || {
            let space = buffer.get_mut(..most).unwrap_or_default();
            let count = copy.read_at(space, at)?;
            Ok((count, buffer))
        })
        .await
        .map_err(|error| move_failure(MoveError::File(error)))?;
        buffer = back;
        if count == 0 {
            return Ok(());
        }
        push(upload, buffer.get(..count).unwrap_or_default(), meter).await?;
        at += count as u64;
    }
}

/// Uploads what can be read only once: neither resumed nor tried again.
///
/// # Errors
///
/// [`Failure`].
pub async fn from_stream(
    worker: &mut Worker,
    remote: &[u8],
    mut stream: File,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let session = worker.session().await?;
    let mut upload = session.store(remote).await.map_err(session::failure)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let most = meter.piece().min(BUFFER_BYTES);
        let (count, stream_back, back) = blocking(move || {
            let space = buffer.get_mut(..most).unwrap_or_default();
            let count = read_once(&mut stream, space)?;
            Ok((count, stream, buffer))
        })
        .await
        .map_err(|error| move_failure(MoveError::File(error)))?;
        (stream, buffer) = (stream_back, back);
        if count == 0 {
            break;
        }
        push(&mut upload, buffer.get(..count).unwrap_or_default(), meter).await?;
    }
    upload.finish().await.map_err(session::failure)?;
    Ok(Outcome::Done {
        bytes: meter.total(),
        resumed_from: 0,
        checksum: None,
    })
}

/// Uploads a text, its line ends made those of the network: neither resumed nor compared, since its size
/// there is another one.
///
/// # Errors
///
/// [`Failure`].
pub async fn from_text(
    worker: &mut Worker,
    remote: &[u8],
    mut stream: File,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let path =
        Argument::new(remote).map_err(|error| Failure::new(Phase::Usage, error.to_string()))?;
    let session = worker.session().await?;
    let ascii = Type::Ascii(Format::NonPrint);
    session.set_type(ascii).await.map_err(session::failure)?;
    let upload = session.store_by(Command::Stor(path)).await;
    let mut upload = upload.map_err(session::failure)?;
    let mut text = ToNetwork::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut converted = Vec::new();
    loop {
        let (count, stream_back, back) = blocking(move || {
            let count = read_once(&mut stream, &mut buffer)?;
            Ok((count, stream, buffer))
        })
        .await
        .map_err(|error| move_failure(MoveError::File(error)))?;
        (stream, buffer) = (stream_back, back);
        if count == 0 {
            break;
        }
        converted.clear();
        text.convert(buffer.get(..count).unwrap_or_default(), &mut converted);
        push(&mut upload, &converted, meter).await?;
    }
    upload.finish().await.map_err(session::failure)?;
    Ok(Outcome::Done {
        bytes: meter.total(),
        resumed_from: 0,
        checksum: None,
    })
}

fn read_once(stream: &mut File, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(space) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Why an upload broke: what the server says, or what the connection met.
async fn last_word(upload: &mut Upload<'_, Route>, error: io::Error) -> Failure {
    match upload.shutdown().await {
        Err(error) => stream_failure(error),
        Ok(()) => move_failure(MoveError::Socket(error)),
    }
}

pub(super) async fn push(
    upload: &mut Upload<'_, Route>,
    bytes: &[u8],
    meter: &Meter,
) -> Result<(), Failure> {
    upload.write_all(bytes).await.map_err(stream_failure)?;
    meter.moved(bytes.len());
    tokio::time::sleep(meter.wait(bytes.len())).await;
    Ok(())
}
