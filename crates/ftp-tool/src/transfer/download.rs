//! A file from the server.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::Duration;

use ftp_client::Download;
use ftp_proto::transfer::{Format, FromNetwork, Type};
use ftp_proto::{Argument, Command};
use rustix::fs::FileType;
use tokio::io::AsyncReadExt as _;

use super::{Outcome, blocking, move_failure, persist, segment, verify};
use crate::cli::Verify;
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::local::{self, Folder};
use crate::meter::Meter;
use crate::mover::{self, Place};
use crate::part::{NOTED_FROM_BYTES, Part, Range, Version, missing};
use crate::route::Route;
use crate::session::{self, Facts, Session, Worker, stream_failure};
use crate::text::{human_size, printable};
use crate::tree::RelPath;

/// Bodies up to this size are read to their end before the file is made: one call to the system's
/// slow side instead of several. In bytes.
const SMALL_BYTES: usize = 64 * 1024;

/// The buffer of transfers that cannot be spliced, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// What is to be downloaded, and where to.
#[derive(Clone, Debug)]
pub struct Job {
    /// Path on the server.
    pub remote: Vec<u8>,
    /// Directory here.
    pub folder: Folder,
    /// Name in it.
    pub path: RelPath,
    /// What a listing has told already.
    pub facts: Option<Facts>,
    /// Download even what is here already.
    pub force: bool,
    /// Start over instead of going on.
    pub restart: bool,
    /// Segments at once.
    pub segments: u16,
    /// Whether checksums are compared.
    pub verify: Verify,
}

/// Downloads a file into its folder.
///
/// # Errors
///
/// [`Failure`], which says what is kept.
pub async fn to_folder(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let mut resumed_from = None;
    persist(context, worker, Some(meter), async |worker| {
        attempt(context, worker, job, meter, &mut resumed_from).await
    })
    .await
}

async fn attempt(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    meter: &Meter,
    resumed_from: &mut Option<u64>,
) -> Result<Outcome, Failure> {
    let facts = match job.facts {
        Some(facts) => facts,
        None => session::facts(worker.session().await?, &job.remote).await?,
    };
    if facts.is_directory {
        let what = "it is a directory";
        return Err(Failure::new(Phase::Command, what).hint("sundew ftp mirror"));
    }
    if !job.force && is_same(job, facts).await {
        return Ok(Outcome::Unchanged);
    }
    let version = Version {
        size: facts.size,
        modified: facts.modified,
    };
    if let Some(size) = facts.size {
        meter.bar().set_length(size);
        if size <= SMALL_BYTES as u64
            && let Some(bytes) = small(worker, &job.remote).await?
        {
            meter.moved(bytes.len());
            let before = resumed_from.unwrap_or(0);
            return write_small(worker, job, version, bytes, before, meter).await;
        }
    }
    let (part, done) = {
        let (job, restart) = (job.clone(), job.restart && resumed_from.is_none());
        blocking(move || Part::open(&job.folder, &job.path, version, !restart)).await
    }
    .map_err(|error| job.local_failure(&error))?;
    let part = Arc::new(part);
    let here = done.iter().map(|range| range.end - range.start).sum();
    let resumed_from = *resumed_from.get_or_insert(here);
    meter.bar().set_position(here);
    match fill(context, worker, job, &part, &done, meter).await {
        Ok(()) => conclude(worker, job, part, resumed_from, meter).await,
        Err(failure) => Err(keep(job, &part, failure).await),
    }
}

/// Gets what is missing of the partial file.
async fn fill(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    part: &Arc<Part>,
    done: &[Range],
    meter: &Meter,
) -> Result<(), Failure> {
    let version = part.version();
    if let Some(size) = version.size {
        let gaps = missing(size, done);
        let is_one = matches!(gaps.as_slice(), [] | [Range { .. }])
            && gaps.first().is_none_or(|gap| gap.end == size);
        if !is_one || (job.segments > 1 && size >= segment::WORTHWHILE_BYTES) {
            return segment::fill(context, worker, job, part, gaps, meter).await;
        }
    }
    let offset = done.first().map_or(0, |range| range.end);
    if version.size.is_none_or(|size| size >= NOTED_FROM_BYTES) {
        let part = Arc::clone(part);
        blocking(move || part.write_note(None))
            .await
            .map_err(|error| job.local_failure(&error))?;
    }
    if version.size == Some(offset) && offset > 0 {
        return Ok(());
    }
    let file = part
        .clone_file()
        .map_err(|error| job.local_failure(&error))?;
    let session = worker.session().await?;
    let mut download = session
        .retrieve_from(&job.remote, offset)
        .await
        .map_err(session::failure)?;
    let begin = download.offset();
    if begin != offset {
        // It comes from the beginning, and what was here before is written over.
        context
            .console
            .note("the server does not resume; from the beginning");
        meter.bar().set_position(0);
    }
    let place = Place::At(file, begin);
    let moved = pump(
        &mut download,
        place,
        u64::MAX,
        context.common.timeout,
        meter,
    )
    .await?;
    download.finish().await.map_err(session::failure)?;
    match version.size {
        Some(size) if begin + moved < size => {
            let what = format!("{} of {size} bytes came", begin + moved);
            Err(Failure::new(Phase::Transfer, what).passing())
        }
        // One that grew meanwhile is as good as one that was asked for later.
        _ => Ok(()),
    }
}

/// Moves a body (or `limit` bytes of it) into a place, by the shortest way there is.
///
/// # Errors
///
/// Transfer and local.
pub async fn pump(
    download: &mut Download<'_, Route>,
    mut place: Place,
    limit: u64,
    stall: Duration,
    meter: &Meter,
) -> Result<u64, Failure> {
    let mut moved = 0;
    let ahead = download.take_ahead();
    if !ahead.is_empty() {
        let most = usize::try_from(limit).map_or(ahead.len(), |limit| limit.min(ahead.len()));
        let (result, back) = write(place, ahead, most).await;
        place = back;
        result?;
        meter.moved(most);
        moved = most as u64;
    }
    let socket = download
        .clear_socket()
        .map(|socket| socket.as_fd().try_clone_to_owned());
    if let Some(Ok(socket)) = socket {
        let meter = meter.clone();
        let rest = limit - moved;
        let spliced = tokio::task::spawn_blocking(move || {
            mover::download(socket.as_fd(), &mut place, rest, stall, &meter)
        });
        let ended = tokio::select! {
            ended = spliced => ended,
            never = download.attend() => match never {},
        };
        let count = match ended {
            Ok(result) => result.map_err(move_failure),
            Err(_) => Err(Failure::new(Phase::Transfer, "the thread did not end")),
        };
        // How much came is in the meter; the client only has to know that something did.
        let count = count?;
        download.note_moved(count);
        return Ok(moved + count);
    }
    let mut buffer = Vec::new();
    while moved < limit {
        buffer.resize(BUFFER_BYTES, 0);
        let most =
            usize::try_from(limit - moved).map_or(BUFFER_BYTES, |left| left.min(BUFFER_BYTES));
        let most = most.min(meter.piece());
        let count = read_full(download, buffer.get_mut(..most).unwrap_or_default()).await?;
        if count == 0 {
            break;
        }
        let (result, back) = write(place, buffer, count).await;
        place = back;
        buffer = result?;
        meter.moved(count);
        moved += count as u64;
        tokio::time::sleep(meter.wait(count)).await;
    }
    Ok(moved)
}

/// A text file, its line ends made ours. Neither resumed nor compared: its size here is another one.
///
/// # Errors
///
/// Transfer and local.
pub async fn pump_text(
    session: &mut Session,
    remote: &[u8],
    mut place: Place,
    meter: &Meter,
) -> Result<u64, Failure> {
    let path =
        Argument::new(remote).map_err(|error| Failure::new(Phase::Usage, error.to_string()))?;
    session
        .set_type(Type::Ascii(Format::NonPrint))
        .await
        .map_err(session::failure)?;
    let mut download = session
        .retrieve_by(Command::Retr(path))
        .await
        .map_err(session::failure)?;
    let mut text = FromNetwork::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut moved = 0;
    loop {
        let count = read_full(&mut download, &mut buffer).await?;
        let mut converted = Vec::with_capacity(count);
        if count == 0 {
            text.finish(&mut converted);
        } else {
            text.convert(buffer.get(..count).unwrap_or_default(), &mut converted);
        }
        let most = converted.len();
        let (result, back) = write(place, converted, most).await;
        place = back;
        result?;
        meter.moved(count);
        moved += count as u64;
        if count == 0 {
            break;
        }
    }
    download.finish().await.map_err(session::failure)?;
    Ok(moved)
}

/// Downloads into a stream; after a loss it goes on where it was, as long as it is the same file.
///
/// # Errors
///
/// [`Failure`].
pub async fn to_stream(
    context: &Context,
    worker: &mut Worker,
    remote: &[u8],
    stream: &File,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let mut first: Option<Facts> = None;
    persist(context, worker, Some(meter), async |worker| {
        stream_once(context, worker, remote, stream, meter, &mut first).await
    })
    .await?;
    Ok(Outcome::Done {
        bytes: meter.total(),
        resumed_from: 0,
        checksum: None,
    })
}

async fn stream_once(
    context: &Context,
    worker: &mut Worker,
    remote: &[u8],
    stream: &File,
    meter: &Meter,
    first: &mut Option<Facts>,
) -> Result<(), Failure> {
    let offset = meter.total();
    let session = worker.session().await?;
    let facts = session::facts(session, remote).await?;
    if let Some(size) = facts.size {
        meter.bar().set_length(size);
    }
    if *first.get_or_insert(facts) != facts {
        let what = "the file changed on the server, and part of it is written out already";
        return Err(Failure::new(Phase::Transfer, what));
    }
    let mut download = session
        .retrieve_from(remote, offset)
        .await
        .map_err(session::failure)?;
    if download.offset() != offset {
        let what = "the server does not resume, and part of the file is written out already";
        return Err(Failure::new(Phase::Transfer, what));
    }
    let copy = stream
        .try_clone()
        .map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
    let place = Place::Stream(copy);
    pump(
        &mut download,
        place,
        u64::MAX,
        context.common.timeout,
        meter,
    )
    .await?;
    download.finish().await.map_err(session::failure)?;
    Ok(())
}

/// Reads until the buffer is full or the body ends.
async fn read_full(
    download: &mut Download<'_, Route>,
    buffer: &mut [u8],
) -> Result<usize, Failure> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match download.read(space).await {
            Ok(0) => break,
            Ok(count) => filled += count,
            // What came before it is good.
            Err(_) if filled > 0 => break,
            Err(error) => return Err(stream_failure(error)),
        }
    }
    Ok(filled)
}

/// Writes the first bytes of a buffer; gives place and buffer back.
async fn write(
    mut place: Place,
    bytes: Vec<u8>,
    count: usize,
) -> (Result<Vec<u8>, Failure>, Place) {
    let spare = Place::Nowhere;
    let written = tokio::task::spawn_blocking(move || {
        let result = place.write(bytes.get(..count).unwrap_or_default());
        (result.map(|()| bytes), place)
    });
    match written.await {
        Ok((result, place)) => (
            result.map_err(|error| move_failure(mover::MoveError::File(error))),
            place,
        ),
        Err(_) => (
            Err(Failure::new(Phase::Local, "the thread did not end")),
            spare,
        ),
    }
}

/// A short body; `None` if it is longer than it was said to be.
async fn small(worker: &mut Worker, remote: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let session = worker.session().await?;
    let mut download = session.retrieve(remote).await.map_err(session::failure)?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        match download.read_buf(&mut bytes).await {
            Ok(0) => break,
            Ok(_) if bytes.len() > SMALL_BYTES => {
                download.abort().await.map_err(session::failure)?;
                return Ok(None);
            }
            Ok(_) => {}
            Err(error) => return Err(stream_failure(error)),
        }
    }
    download.finish().await.map_err(session::failure)?;
    Ok(Some(bytes))
}

/// Puts a short body into its file, in one call where nothing is to be compared first.
async fn write_small(
    worker: &mut Worker,
    job: &Job,
    version: Version,
    bytes: Vec<u8>,
    resumed_from: u64,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    if let Some(size) = version.size
        && (bytes.len() as u64) < size
    {
        let what = format!("{} of {size} bytes came", bytes.len());
        return Err(Failure::new(Phase::Transfer, what).passing());
    }
    let copy = job.clone();
    let written = blocking(move || {
        let (part, _) = Part::open(&copy.folder, &copy.path, version, false)?;
        Place::At(part.clone_file()?, 0).write(&bytes)?;
        if copy.verify != Verify::Never {
            return Ok(Some(part));
        }
        part.finish()?;
        Ok(None)
    });
    match written.await.map_err(|error| job.local_failure(&error))? {
        Some(part) => conclude(worker, job, Arc::new(part), resumed_from, meter).await,
        None => Ok(Outcome::Done {
            bytes: meter.total(),
            resumed_from,
            checksum: None,
        }),
    }
}

/// All bytes are here: compares checksums and puts the file in its place.
async fn conclude(
    worker: &mut Worker,
    job: &Job,
    part: Arc<Part>,
    resumed_from: u64,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let file = part
        .clone_file()
        .map_err(|error| job.local_failure(&error))?;
    let length = match &job.verify {
        Verify::Never => 0,
        _ => file
            .metadata()
            .map_err(|error| job.local_failure(&error))?
            .len(),
    };
    let checksum = match verify(worker, &job.remote, file, length, job.verify).await {
        Ok(checksum) => checksum,
        Err(failure) if failure.phase == Phase::Verify => {
            // It cannot be gone on from.
            blocking(move || {
                part.discard();
                Ok(())
            })
            .await
            .map_err(|error| job.local_failure(&error))?;
            return Err(failure);
        }
        Err(failure) => return Err(keep(job, &part, failure).await),
    };
    blocking(move || part.finish())
        .await
        .map_err(|error| job.local_failure(&error))?;
    Ok(Outcome::Done {
        bytes: meter.total(),
        resumed_from,
        checksum,
    })
}

/// Keeps what has come for a later attempt, and says so.
async fn keep(job: &Job, part: &Arc<Part>, mut failure: Failure) -> Failure {
    let part = Arc::clone(part);
    let kept = blocking(move || part.keep()).await;
    match kept {
        Ok(0) => {}
        Ok(bytes) => {
            let path = job.folder.display_path(&job.path);
            let path = printable(path.as_os_str().as_bytes());
            failure.kept = Some(format!(
                "{} of {path}; the same command goes on from there",
                human_size(bytes)
            ));
        }
        // The failure at hand matters more.
        Err(_) => {}
    }
    failure
}

async fn is_same(job: &Job, facts: Facts) -> bool {
    let (folder, path) = (job.folder.clone(), job.path.clone());
    let Ok(stat) = blocking(move || folder.stat(&path)).await else {
        return false;
    };
    let same_size = facts.size.is_some() && facts.size == u64::try_from(stat.st_size).ok();
    let same_time = facts
        .modified
        .is_some_and(|modified| modified.to_unix() == stat.st_mtime);
    local::kind(&stat) == FileType::RegularFile && same_size && same_time
}

impl Job {
    fn local_failure(&self, error: &io::Error) -> Failure {
        Failure::local(&self.folder.display_path(&self.path), error)
    }
}
