//! Listings, on the data connection and on the control connection.

use std::time::Duration;

use ftp_proto::listing::{Entry, mlsx, unix};
use ftp_proto::server::{FileError, ListForm, ListOptions, Path, TransferEnd};
use ftp_proto::time::Timestamp;

use crate::backend::{Files, Lister};
use crate::data::DataStream;

/// Most entries STAT shows, since they go over the control connection and are kept until sent.
const MAX_STATUS_LINES: usize = 1000;

/// What a listing goes over.
pub(super) enum Source<L> {
    Directory(L),
    /// The path is a file: the listing is of it alone.
    File(Entry),
}

/// Opens what is to be listed. RFC 3659 §7.2 wants a directory for MLSD.
pub(super) async fn open<F: Files>(
    files: &F,
    path: &Path,
    form: &ListForm,
) -> Result<Source<F::Lister>, FileError> {
    match files.list(path).await {
        Ok(lister) => Ok(Source::Directory(lister)),
        Err(FileError::NotADirectory) if !matches!(form, ListForm::Facts { .. }) => {
            Ok(Source::File(files.look(path).await?))
        }
        Err(error) => Err(error),
    }
}

/// Sends a listing to its end.
pub(super) async fn send<L: Lister>(
    mut stream: DataStream,
    mut source: Source<L>,
    form: &ListForm,
    idle: Duration,
) -> TransferEnd {
    let now = super::timestamp();
    loop {
        let (batch, is_last) = match &mut source {
            Source::File(entry) => (vec![entry.clone()], true),
            Source::Directory(lister) => match lister.next().await {
                Ok(Some(batch)) => (batch, false),
                Ok(None) => (Vec::new(), true),
                Err(error) => return TransferEnd::Failed(error),
            },
        };
        let mut text = Vec::new();
        for entry in &batch {
            write(entry, form, now, &mut text);
        }
        if stream.write_all(&text, idle).await.is_err() {
            return TransferEnd::Cut;
        }
        if is_last {
            return stream.finish(idle).await;
        }
    }
}

/// The lines STAT shows.
pub(super) async fn here(files: &impl Files, path: &Path) -> Result<Vec<Vec<u8>>, FileError> {
    let now = super::timestamp();
    let line = |entry: &Entry| {
        let mut text = Vec::new();
        unix::write(entry, now, &mut text);
        text.truncate(text.len().saturating_sub(2));
        text
    };
    let mut lister = match open(files, path, &ListForm::Unix(ListOptions::default())).await? {
        Source::File(entry) => return Ok(vec![line(&entry)]),
        Source::Directory(lister) => lister,
    };
    let mut lines = Vec::new();
    while let Some(batch) = lister.next().await? {
        let left = MAX_STATUS_LINES - lines.len();
        lines.extend(batch.iter().take(left).map(line));
        if lines.len() == MAX_STATUS_LINES {
            break;
        }
    }
    Ok(lines)
}

fn write(entry: &Entry, form: &ListForm, now: Timestamp, out: &mut Vec<u8>) {
    match form {
        ListForm::Unix(_) => unix::write(entry, now, out),
        ListForm::Names(_) => {
            // A name with a line end in it cannot be told from two names, and is not asked for.
            if !entry.name.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                out.extend_from_slice(&entry.name);
                out.extend(*b"\r\n");
            }
        }
        ListForm::Facts { facts, rights } => {
            mlsx::write(entry, facts, *rights, out);
            out.extend(*b"\r\n");
        }
    }
}
