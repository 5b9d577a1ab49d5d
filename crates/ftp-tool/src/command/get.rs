//! `get` and `cat`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::join_all;
use rustix::fs::FileType;

use super::{Tally, absent, file_of, report, same_server, worker};
use crate::cli::Get;
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::local::{self, Folder};
use crate::mover::Place;
use crate::session::Worker;
use crate::text::printable;
use crate::transfer::download::{self, Job};
use crate::transfer::{Outcome, blocking};
use crate::tree::RelPath;
use crate::url::{TypeCode, Url};

/// Where a file goes.
#[derive(Debug)]
enum Target {
    /// The standard output, or something that is no regular file.
    Stream(File),
    /// A file in a directory.
    File(Folder, RelPath),
}

pub(super) async fn run(context: &Context, get: &Get) -> Result<u8, Failure> {
    // One file takes the connections for its segments, several share them.
    let at_once = usize::from(get.jobs).min(get.urls.len());
    let segments = if get.urls.len() == 1 { get.jobs } else { 1 };
    let waiting: Mutex<VecDeque<&Url>> = Mutex::new(get.urls.iter().collect());
    let tally = Mutex::new(Tally::default());
    let work = || async {
        let mut worker: Option<Worker> = None;
        loop {
            let next = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(url) = next else { break };
            let result = one(context, get, url, segments, &mut worker).await;
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(()) => tally.good(),
                Err(failure) => tally.bad(context, &failure.about(format!("get {url}"))),
            }
        }
        if let Some(worker) = &mut worker {
            worker.quit().await;
        }
    };
    join_all((0..at_once).map(|_| work())).await;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(tally.status())
}

async fn one(
    context: &Context,
    get: &Get,
    url: &Url,
    segments: u16,
    held: &mut Option<Worker>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    if url.type_code == Some(TypeCode::Directory) {
        return super::list::names(context, url).await;
    }
    let name = file_of(url)?;
    let target = {
        let (output, name) = (get.output.clone(), name.to_vec());
        let several = get.urls.len() > 1;
        match tokio::task::spawn_blocking(move || target(output.as_deref(), &name, several)).await {
            Ok(target) => target?,
            Err(_) => return Err(Failure::new(Phase::Local, "the thread did not end")),
        }
    };
    let worker = session_for(context, url, held)?;
    let (outcome, local) = match target {
        Target::Stream(file) => {
            let outcome = to_stream(context, worker, url, &file).await?;
            (outcome, None)
        }
        Target::File(folder, path) => {
            let local = folder.display_path(&path);
            let meter = context.meter(&printable(path.name()), None, 0);
            let outcome = if url.type_code == Some(TypeCode::Ascii) {
                text_file(worker, url, &folder, &path, &meter).await?
            } else {
                let job = Job {
                    remote: url.path.clone(),
                    folder,
                    path,
                    facts: None,
                    force: get.force,
                    restart: get.restart,
                    segments,
                    verify: get.verify,
                };
                download::to_folder(context, worker, &job, &meter)
                    .await
                    .map_err(|failure| absent(failure, url))?
            };
            meter.bar().finish_and_clear();
            (outcome, Some(local))
        }
    };
    let local = local.as_ref().map(|path| path.as_os_str().as_bytes());
    // The lines of a summary do not belong into the file that is written out.
    if local.is_some() {
        report(context, "down", url, local, &outcome, begun);
    }
    Ok(())
}

/// A session with the server of this URL: the one that is held, if it is with the same.
fn session_for<'w>(
    context: &Context,
    url: &Url,
    held: &'w mut Option<Worker>,
) -> Result<&'w mut Worker, Failure> {
    if held
        .as_ref()
        .is_some_and(|worker| !same_server(&worker.server().url, url))
    {
        *held = None;
    }
    match held {
        Some(worker) => Ok(worker),
        held @ None => Ok(held.insert(worker(context, url)?)),
    }
}

async fn to_stream(
    context: &Context,
    worker: &mut Worker,
    url: &Url,
    file: &File,
) -> Result<Outcome, Failure> {
    let meter = if file.is_terminal() {
        context.meter_without_bar()
    } else {
        context.meter(&printable(&url.path), None, 0)
    };
    if url.type_code == Some(TypeCode::Ascii) {
        let copy = file
            .try_clone()
            .map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
        let session = worker.session().await?;
        let bytes = download::pump_text(session, &url.path, Place::Stream(copy), &meter).await?;
        return Ok(Outcome::Done {
            bytes,
            resumed_from: 0,
            checksum: None,
        });
    }
    let outcome = download::to_stream(context, worker, &url.path, file, &meter)
        .await
        .map_err(|failure| absent(failure, url));
    meter.bar().finish_and_clear();
    outcome
}

/// A text file with its line ends made ours.
async fn text_file(
    worker: &mut Worker,
    url: &Url,
    folder: &Folder,
    path: &RelPath,
    meter: &crate::meter::Meter,
) -> Result<Outcome, Failure> {
    use crate::part::{Part, Version};
    let local_failure = |error: &io::Error| Failure::local(&folder.display_path(path), error);
    let part = {
        let (folder, path) = (folder.clone(), path.clone());
        blocking(move || Part::open(&folder, &path, Version::default(), false)).await
    };
    let (part, _) = part.map_err(|error| local_failure(&error))?;
    let file = part.clone_file().map_err(|error| local_failure(&error))?;
    let session = worker.session().await?;
    let text = download::pump_text(session, &url.path, Place::At(file, 0), meter).await;
    let bytes = match text {
        Ok(bytes) => bytes,
        Err(failure) => {
            // A text of another length than the server's cannot be gone on from.
            part.discard();
            return Err(absent(failure, url));
        }
    };
    blocking(move || part.finish())
        .await
        .map_err(|error| local_failure(&error))?;
    Ok(Outcome::Done {
        bytes,
        resumed_from: 0,
        checksum: None,
    })
}

/// Where a file goes: `name` is the server's, and only used if it is plain.
fn target(output: Option<&Path>, name: &[u8], several: bool) -> Result<Target, Failure> {
    let Some(output) = output else {
        let path = server_name(name)?;
        return Ok(Target::File(Folder::open(Path::new("."), false)?, path));
    };
    if output.as_os_str() == "-" {
        return stdout().map(Target::Stream);
    }
    let ends_with_slash = output.as_os_str().as_bytes().ends_with(b"/");
    let kind = local::look(output).map(|stat| local::kind(&stat));
    match kind {
        Some(FileType::Directory) => {
            let path = server_name(name)?;
            Ok(Target::File(Folder::open(output, false)?, path))
        }
        None if ends_with_slash || several => {
            let path = server_name(name)?;
            Ok(Target::File(Folder::open(output, true)?, path))
        }
        _ if several => Err(Failure::new(
            Phase::Usage,
            format!(
                "{}: not a directory, and there are several files",
                output.display()
            ),
        )),
        Some(FileType::RegularFile) => {
            // Through a link, the file it leads to is replaced, not the link.
            let real =
                std::fs::canonicalize(output).map_err(|error| Failure::local(output, &error))?;
            let (directory, path) = local::split(&real)?;
            Ok(Target::File(Folder::open(&directory, false)?, path))
        }
        None => {
            let (directory, path) = local::split(output)?;
            Ok(Target::File(Folder::open(&directory, false)?, path))
        }
        // A device or a pipe is written to, never replaced.
        Some(_) => File::options()
            .write(true)
            .open(output)
            .map(Target::Stream)
            .map_err(|error| Failure::local(output, &error)),
    }
}

fn server_name(name: &[u8]) -> Result<RelPath, Failure> {
    RelPath::top()
        .join(name)
        .map_err(|error| Failure::new(Phase::Local, error.to_string()).hint("-o NAME"))
}

pub(super) fn stdout() -> Result<File, Failure> {
    io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map(File::from)
        .map_err(|error| Failure::local(&PathBuf::from("-"), &error))
}

pub(super) async fn cat(context: &Context, urls: &[Url]) -> Result<u8, Failure> {
    let file = stdout()?;
    let mut tally = Tally::default();
    let mut held = None;
    for url in urls {
        let result = match session_for(context, url, &mut held) {
            Ok(worker) => to_stream(context, worker, url, &file).await,
            Err(failure) => Err(failure),
        };
        match result {
            Ok(_) => tally.good(),
            Err(failure) => tally.bad(context, &failure.about(format!("cat {url}"))),
        }
    }
    if let Some(worker) = &mut held {
        worker.quit().await;
    }
    Ok(tally.status())
}
