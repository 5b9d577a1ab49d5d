//! A file from one server to another: straight between them where both are willing (FXP), else past us.

use ftp_client::Phase as Step;
use ftp_proto::Verb;
use tokio::io::AsyncReadExt as _;

use super::upload::{BUFFER_BYTES, Rules, Start, facts_of_file, keep_time, push};
use super::{Outcome, agreed, persist};
use crate::cli::{By, Verify};
use crate::console::Checksum;
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::meter::Meter;
use crate::session::{self, Facts, Worker, failure, stream_failure};

/// What is to be copied, and how.
#[derive(Clone, Debug)]
pub struct Job {
    /// Path on the server it comes from.
    pub from: Vec<u8>,
    /// Path on the server it goes to.
    pub to: Vec<u8>,
    /// Which way the bytes go.
    pub by: By,
    /// Copy even what is there already.
    pub force: bool,
    /// Start over instead of going on.
    pub restart: bool,
    /// Whether checksums are compared.
    pub verify: Verify,
}

/// Copies a file.
///
/// # Errors
///
/// [`Failure`] of whichever server it was.
pub async fn copy(
    context: &Context,
    source: &mut Worker,
    target: &mut Worker,
    job: &Job,
    meter: &Meter,
) -> Result<Outcome, Failure> {
    let mut begun = false;
    let mut by = job.by;
    persist(context, source, Some(meter), async |source| {
        let result = attempt(context, source, target, job, meter, (&mut begun, &mut by)).await;
        if result.is_err() {
            target.lose();
        }
        result
    })
    .await
}

async fn attempt(
    context: &Context,
    source: &mut Worker,
    target: &mut Worker,
    job: &Job,
    meter: &Meter,
    (begun, by): (&mut bool, &mut By),
) -> Result<Outcome, Failure> {
    let facts = session::facts(source.session().await?, &job.from).await?;
    if facts.is_directory {
        let what = "it is a directory";
        return Err(Failure::new(Phase::Command, what)
            .hint("sundew ftp mirror to a directory of this computer, and from there"));
    }
    if let Some(size) = facts.size {
        meter.bar().set_length(size);
    }
    let there = if job.force && !*begun {
        None
    } else {
        Some(facts_of_file(target, &job.to).await?)
    };
    let rules = Rules {
        force: job.force,
        restart: job.restart,
        begun: *begun,
    };
    let Start::At(mut offset) = rules.start((facts.size, facts.modified), there) else {
        return Ok(Outcome::Unchanged);
    };
    let mut bytes = None;
    // The target opens its file first: a source that may have nothing must not cost what is there.
    let can_be_direct = facts.size.is_some() && offset == 0;
    if *by == By::Direct || (*by == By::Auto && can_be_direct) {
        *begun = true;
        offset = 0;
        match direct(source, target, job).await {
            Ok(()) => bytes = Some(facts.size.unwrap_or(0)),
            Err(error) if *by == By::Direct => {
                return Err(error.hint("without --by direct the bytes go through this computer"));
            }
            Err(error) => {
                let text = format!(
                    "not straight from server to server ({}); through this computer",
                    error.what
                );
                context.console.note(&text);
                *by = By::Through;
                // Where they stand after that is not worth guessing.
                source.lose();
                target.lose();
            }
        }
    }
    let bytes = match bytes {
        Some(bytes) => bytes,
        None => {
            through(source, target, job, &mut offset, meter, begun).await?;
            meter.total()
        }
    };
    let checksum = verify(source, target, job).await?;
    if let Some(modified) = facts.modified {
        keep_time(target.session().await?, &job.to, modified).await?;
    }
    whole(target, job, facts).await?;
    Ok(Outcome::Done {
        bytes,
        resumed_from: offset,
        checksum,
    })
}

async fn direct(source: &mut Worker, target: &mut Worker, job: &Job) -> Result<(), Failure> {
    let target = target.session().await?;
    let source = source.session().await?;
    let relayed = source.relay(&job.from, target, &job.to).await;
    relayed.map_err(failure)
}

async fn through(
    source: &mut Worker,
    target: &mut Worker,
    job: &Job,
    offset: &mut u64,
    meter: &Meter,
    begun: &mut bool,
) -> Result<(), Failure> {
    // The source first: nothing is overwritten before it has agreed to send.
    let mut download = match source
        .session()
        .await?
        .retrieve_from(&job.from, *offset)
        .await
    {
        Ok(download) => download,
        Err(error) if cannot_resume(&error) => {
            *offset = 0;
            let again = source.session().await?.retrieve(&job.from).await;
            again.map_err(failure)?
        }
        Err(error) => return Err(failure(error)),
    };
    let mut upload = match target.session().await?.store_from(&job.to, *offset).await {
        Ok(upload) => upload,
        Err(error) if cannot_resume(&error) => {
            // The next attempt begins anew.
            *begun = false;
            let failure = failure(error).hint("--restart");
            return Err(failure);
        }
        Err(error) => return Err(failure(error)),
    };
    *begun = true;
    meter.bar().set_position(*offset);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let most = meter.piece().min(BUFFER_BYTES);
        let space = buffer.get_mut(..most).unwrap_or_default();
        let count = download.read(space).await.map_err(stream_failure)?;
        if count == 0 {
            break;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        push(&mut upload, bytes, meter).await?;
    }
    download.finish().await.map_err(failure)?;
    upload.finish().await.map_err(failure)?;
    Ok(())
}

fn cannot_resume(error: &ftp_client::Error) -> bool {
    error.phase() == Step::Command(Verb::Rest) && !error.ends_session()
}

/// Compares the checksums of both servers, by an algorithm that both offer.
async fn verify(
    source: &mut Worker,
    target: &mut Worker,
    job: &Job,
) -> Result<Option<Checksum>, Failure> {
    if job.verify == Verify::Never {
        return Ok(None);
    }
    let (source, target) = (source.session().await?, target.session().await?);
    let ours = source.hash_algorithms().await.map_err(failure)?;
    let theirs = target.hash_algorithms().await.map_err(failure)?;
    let Some(algorithm) = ours.into_iter().find(|one| theirs.contains(one)) else {
        if job.verify == Verify::Auto {
            return Ok(None);
        }
        let what = "the servers offer no checksum that both know";
        return Err(Failure::new(Phase::Verify, what).hint("--verify auto"));
    };
    let one = source.hash(&job.from, algorithm).await;
    let other = target.hash(&job.to, algorithm).await;
    match (one, other) {
        (Ok(one), Ok(other)) => {
            let sides = ((&*one.value, "at the source"), (&*other.value, "there"));
            agreed(algorithm, sides.0, sides.1).map(Some)
        }
        // Announced and refused: as good as not offered.
        (Err(error), _) | (_, Err(error))
            if job.verify == Verify::Auto && !error.ends_session() =>
        {
            Ok(None)
        }
        (Err(error), _) | (_, Err(error)) => Err(failure(error)),
    }
}

/// Whether all of it is there, as far as both say how long it is.
async fn whole(target: &mut Worker, job: &Job, facts: Facts) -> Result<(), Failure> {
    let there = facts_of_file(target, &job.to).await?.size;
    match (facts.size, there) {
        (Some(sent), Some(there)) if sent != there => {
            let what = format!("the source has {sent} bytes and the copy {there}");
            Err(Failure::new(Phase::Verify, what).hint("--restart"))
        }
        _ => Ok(()),
    }
}
