//! `put`.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::join_all;
use rustix::fs::FileType;

use super::{Tally, manage, report, retried};
use crate::cli::Put;
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::local::{self, Folder};
use crate::session::{Worker, join};
use crate::text::printable;
use crate::transfer::blocking;
use crate::transfer::upload::{self, Job};
use crate::url::{TypeCode, Url};

pub(super) async fn run(context: &Context, put: &Put) -> Result<u8, Failure> {
    if put.files.len() > 1 && !put.url.is_directory() {
        let what = "several files go into a directory, and the URL names a file";
        return Err(Failure::new(Phase::Usage, what).hint(format!("{}/", put.url)));
    }
    let server = context.server(&put.url)?;
    let mut first = Worker::new(Arc::clone(&server));
    if put.parents {
        let directory = directory_of(&put.url);
        retried(context, &mut first, async |session| {
            manage::make_parents(session, &directory).await
        })
        .await?;
    }
    let at_once = usize::from(put.jobs).min(put.files.len());
    let waiting: Mutex<VecDeque<&Path>> = Mutex::new(put.files.iter().map(AsRef::as_ref).collect());
    let tally = Mutex::new(Tally::default());
    let work = |mut worker: Worker| {
        let (waiting, tally) = (&waiting, &tally);
        async move {
            loop {
                let next = waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some(file) = next else { break };
                let result = one(context, put, file, &mut worker).await;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                match result {
                    Ok(()) => tally.good(),
                    Err(failure) => {
                        let name = printable(file.as_os_str().as_bytes());
                        tally.bad(context, &failure.about(format!("put {name}")));
                    }
                }
            }
            worker.quit().await;
        }
    };
    let others = (1..at_once).map(|_| Worker::new(Arc::clone(&server)));
    join_all(std::iter::once(first).chain(others).map(work)).await;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(tally.status())
}

async fn one(
    context: &Context,
    put: &Put,
    file: &Path,
    worker: &mut Worker,
) -> Result<(), Failure> {
    let begun = Instant::now();
    if file.as_os_str() == "-" {
        let url = &put.url;
        if url.is_directory() {
            let what = "the standard input has no name, and the URL names a directory";
            return Err(Failure::new(Phase::Usage, what).hint("a URL with a name at its end"));
        }
        let stdin = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| Failure::local(file, &error))?;
        let meter = context.meter(&printable(&url.path), None, 0);
        let stdin = File::from(stdin);
        let outcome = if is_text(url) {
            upload::from_text(worker, &url.path, stdin, &meter).await
        } else {
            upload::from_stream(worker, &url.path, stdin, &meter).await
        };
        meter.bar().finish_and_clear();
        let outcome = outcome.map_err(|failure| homeless(put, failure, url))?;
        report(context, "up", url, None, &outcome, begun);
        return Ok(());
    }
    let is_directory =
        local::look(file).is_some_and(|stat| local::kind(&stat) == FileType::Directory);
    if is_directory {
        let what = "it is a directory";
        return Err(Failure::new(Phase::Local, what).hint(format!(
            "sundew ftp mirror {} {}",
            file.display(),
            put.url
        )));
    }
    // Through a link: the folder below follows none that lead out of it.
    let real = std::fs::canonicalize(file).map_err(|error| Failure::local(file, &error))?;
    let (directory, path) = local::split(&real)?;
    let folder = Folder::open(&directory, false)?;
    let name = file.file_name().unwrap_or_default().as_bytes();
    let remote = if put.url.is_directory() {
        join(&put.url.path, name)
    } else {
        put.url.path.clone()
    };
    let url = put.url.at(remote.clone());
    let meter = context.meter(&printable(name), None, 0);
    let outcome = if is_text(&put.url) {
        let opened = blocking(move || folder.read(&path)).await;
        let (text, _) = opened.map_err(|error| Failure::local(file, &error))?;
        upload::from_text(worker, &remote, text, &meter).await
    } else {
        let job = Job {
            folder,
            path,
            remote,
            there: None,
            force: put.force,
            restart: put.restart,
            verify: put.verify,
        };
        upload::from_folder(context, worker, &job, &meter).await
    };
    meter.bar().finish_and_clear();
    let local = file.as_os_str().as_bytes();
    let outcome = outcome.map_err(|failure| {
        let shown = printable(local);
        homeless(put, failure, &url).about(format!("put {shown} {url}"))
    })?;
    report(context, "up", &url, Some(local), &outcome, begun);
    Ok(())
}

/// Says what to try where the server takes no file of this name: its directory may be missing.
fn homeless(put: &Put, failure: Failure, url: &Url) -> Failure {
    let refused = failure.reply.as_ref().map(|reply| reply.code().number());
    let may_lack_directory = !put.parents && url.path.contains(&b'/');
    match refused {
        Some(550 | 553) if may_lack_directory => {
            failure.hint("-p makes directories that are missing")
        }
        _ => failure,
    }
}

/// `;type=a`.
fn is_text(url: &Url) -> bool {
    url.type_code == Some(TypeCode::Ascii)
}

fn directory_of(url: &Url) -> Vec<u8> {
    let end = url.path.iter().rposition(|byte| *byte == b'/');
    url.path
        .get(..end.unwrap_or(0))
        .unwrap_or_default()
        .to_vec()
}
