//! Listings, on the data connection and on the control connection.

use std::collections::VecDeque;
use std::sync::Arc;

use ftp_proto::listing::{Entry, Kind, glob, mlsx, unix};
use ftp_proto::server::{FileError, ListForm, ListOptions, Path, TransferEnd};
use ftp_proto::time::Timestamp;
use ftp_proto::transfer::Encoding;

use crate::backend::{CHUNK_BYTES, Files, Lister};
use crate::data::{Coder, DataStream, Traffic};

/// Most entries STAT shows, since they go over the control connection and are kept until sent.
const MAX_STATUS_LINES: usize = 1000;

/// Most entries that are kept to be sorted by time or size; of a longer listing each so many are
/// sorted among themselves.
const MAX_SORTED: usize = 10_000;

/// Deepest directory that LIST -R goes down to.
const MAX_DEPTH: usize = 32;

/// Most directories that LIST -R shows: one command is not to keep the server busy for hours.
const MAX_DIRECTORIES: usize = 10_000;

/// What a listing goes over.
pub(super) struct Source<F: Files> {
    files: F,
    /// What is open.
    from: From<F::Lister>,
    /// LIST -R: the directories to come, with what stands above their entries.
    below: VecDeque<Below>,
    shown: usize,
    here: Below,
    /// Kept entries of a listing that is sorted.
    kept: Vec<Entry>,
    /// What stands before each name of NLST.
    prefix: Vec<u8>,
    /// Patterns of names that are left out.
    hidden: Arc<[Vec<u8>]>,
}

enum From<L> {
    Directory(L),
    /// Those of a directory that fit.
    Pattern(L, Vec<u8>),
    /// The path is a file, or the directory itself is asked for: the listing is of it alone.
    One(Entry),
    End,
}

#[derive(Clone)]
struct Below {
    path: Path,
    title: Vec<u8>,
    depth: usize,
}

/// Opens what is to be listed. RFC 3659 §7.2 wants a directory for MLSD.
pub(super) async fn open<F: Files>(
    files: &F,
    path: &Path,
    form: &ListForm,
    hidden: &Arc<[Vec<u8>]>,
) -> Result<Source<F>, FileError> {
    let from = find(files, path, form).await?;
    let here = Below {
        path: path.clone(),
        title: b".".to_vec(),
        depth: 0,
    };
    let prefix = match form {
        ListForm::Names { written, .. } => prefix(written, matches!(from, From::Directory(_))),
        ListForm::Unix(_) | ListForm::Facts { .. } => Vec::new(),
    };
    Ok(Source {
        hidden: Arc::clone(hidden),
        prefix,
        files: files.clone(),
        from,
        below: VecDeque::new(),
        shown: 1,
        here,
        kept: Vec::new(),
    })
}

async fn find<F: Files>(
    files: &F,
    path: &Path,
    form: &ListForm,
) -> Result<From<F::Lister>, FileError> {
    let is_facts = matches!(form, ListForm::Facts { .. });
    if options(form).itself {
        return Ok(From::One(files.look(path).await?));
    }
    match files.list(path).await {
        Ok(lister) => Ok(From::Directory(lister)),
        Err(FileError::NotADirectory) if !is_facts => Ok(From::One(files.look(path).await?)),
        // Only what is not a name is a pattern: there are files with stars in their names.
        Err(FileError::NotFound) if !is_facts => match path.name() {
            Some(name) if glob::is_pattern(name) => {
                let lister = files.list(&path.parent()).await?;
                Ok(From::Pattern(lister, name.to_vec()))
            }
            Some(_) | None => Err(FileError::NotFound),
        },
        Err(error) => Err(error),
    }
}

/// The directory part of what the client wrote.
fn prefix(written: &[u8], is_directory: bool) -> Vec<u8> {
    if is_directory {
        return match written {
            b"" | [.., b'/'] => written.to_vec(),
            written => [written, b"/"].concat(),
        };
    }
    let slash = written.iter().rposition(|&byte| byte == b'/');
    let end = slash.map_or(0, |slash| slash + 1);
    written.get(..end).unwrap_or_default().to_vec()
}

const fn options(form: &ListForm) -> ListOptions {
    match form {
        ListForm::Unix(options) | ListForm::Names { options, .. } => *options,
        ListForm::Facts { .. } => ListOptions {
            all: true,
            recursive: false,
            itself: false,
            reverse: false,
            by_time: false,
            by_size: false,
        },
    }
}

impl<F: Files> Source<F> {
    /// Appends some more text; `false` at the end.
    async fn next(
        &mut self,
        form: &ListForm,
        now: Timestamp,
        text: &mut Vec<u8>,
    ) -> Result<bool, FileError> {
        match self.batch(form).await? {
            Some(batch) => {
                for entry in &batch {
                    write(entry, form, &self.prefix, now, text);
                }
                self.note_directories(form, &batch);
            }
            None => match self.below.pop_front() {
                None => return Ok(false),
                Some(below) => {
                    // One that is gone or closed to us meanwhile is shown as empty.
                    self.from = match self.files.list(&below.path).await {
                        Ok(lister) => From::Directory(lister),
                        Err(_) => From::End,
                    };
                    text.extend(*b"\r\n");
                    text.extend_from_slice(&one_line(&below.title));
                    text.extend(*b":\r\n");
                    self.here = below;
                }
            },
        }
        Ok(true)
    }

    /// Some more entries of what is open, in order; `None` at its end.
    async fn batch(&mut self, form: &ListForm) -> Result<Option<Vec<Entry>>, FileError> {
        let options = options(form);
        let is_sorted = options.by_time || options.by_size || options.reverse;
        loop {
            let batch = match &mut self.from {
                From::One(entry) => {
                    let batch = vec![entry.clone()];
                    self.from = From::End;
                    return Ok(Some(batch));
                }
                From::Directory(lister) => lister.next().await?,
                From::Pattern(lister, pattern) => lister.next().await?.map(|mut batch| {
                    batch.retain(|entry| glob::matches(pattern, &entry.name));
                    batch
                }),
                From::End => None,
            };
            let batch = batch.map(|mut batch| {
                if !self.hidden.is_empty() {
                    let is_hidden =
                        |name: &[u8]| self.hidden.iter().any(|hidden| glob::matches(hidden, name));
                    batch.retain(|entry| !is_hidden(&entry.name));
                }
                batch
            });
            match batch {
                Some(batch) if !is_sorted => return Ok(Some(batch)),
                Some(batch) => self.kept.extend(batch),
                None => {
                    self.from = From::End;
                    if self.kept.is_empty() {
                        return Ok(None);
                    }
                }
            }
            if self.kept.len() >= MAX_SORTED || matches!(self.from, From::End) {
                let mut kept = std::mem::take(&mut self.kept);
                sort(&mut kept, options);
                return Ok(Some(kept));
            }
        }
    }

    fn note_directories(&mut self, form: &ListForm, batch: &[Entry]) {
        if !options(form).recursive || self.here.depth == MAX_DEPTH {
            return;
        }
        for entry in batch {
            if entry.kind != Kind::Directory || self.shown == MAX_DIRECTORIES {
                continue;
            }
            let Ok(path) = self.here.path.join(&entry.name) else {
                continue;
            };
            self.shown += 1;
            self.below.push_back(Below {
                path,
                title: [&self.here.title[..], b"/", &entry.name].concat(),
                depth: self.here.depth + 1,
            });
        }
    }
}

fn sort(entries: &mut [Entry], options: ListOptions) {
    entries.sort_by(|a, b| {
        let order = if options.by_time {
            b.modified.cmp(&a.modified)
        } else if options.by_size {
            b.size.cmp(&a.size)
        } else {
            std::cmp::Ordering::Equal
        };
        order.then_with(|| a.name.cmp(&b.name))
    });
    if options.reverse {
        entries.reverse();
    }
}

/// Sends a listing to its end.
pub(super) async fn send<F: Files>(
    mut stream: DataStream,
    mut source: Source<F>,
    form: &ListForm,
    encoding: Encoding,
    traffic: &Traffic<'_>,
) -> TransferEnd {
    let sent = async {
        let now = super::timestamp();
        let mut coder = Coder::new(encoding);
        let mut text = Vec::new();
        loop {
            let more = source.next(form, now, &mut text).await;
            let is_last = !more.map_err(TransferEnd::Failed)?;
            if is_last || text.len() >= CHUNK_BYTES {
                coder.send(&mut stream, &text, traffic).await?;
                text.clear();
            }
            if is_last {
                return coder.finish(&mut stream, traffic).await;
            }
        }
    };
    match sent.await {
        Ok(()) => stream.finish(traffic.idle).await,
        Err(end) => end,
    }
}

/// What STAT shows: whether it is of a directory, and the lines.
pub(super) async fn here(
    files: &impl Files,
    path: &Path,
    hidden: &Arc<[Vec<u8>]>,
) -> Result<(bool, Vec<Vec<u8>>), FileError> {
    let now = super::timestamp();
    let form = ListForm::Unix(ListOptions::default());
    let mut source = open(files, path, &form, hidden).await?;
    let is_directory = matches!(source.from, From::Directory(_));
    let mut lines = Vec::new();
    while let Some(batch) = source.batch(&form).await? {
        for entry in &batch {
            if lines.len() == MAX_STATUS_LINES {
                return Ok((is_directory, lines));
            }
            let mut text = Vec::new();
            unix::write(entry, now, &mut text);
            text.truncate(text.len().saturating_sub(2));
            lines.push(text);
        }
    }
    Ok((is_directory, lines))
}

fn write(entry: &Entry, form: &ListForm, prefix: &[u8], now: Timestamp, out: &mut Vec<u8>) {
    match form {
        ListForm::Unix(_) => unix::write(entry, now, out),
        ListForm::Names { .. } => {
            // A name with a line end in it cannot be told from two names, and is not asked for.
            if !entry.name.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                out.extend_from_slice(prefix);
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

/// A path as one line of a listing.
fn one_line(path: &[u8]) -> Vec<u8> {
    let byte = |&byte: &u8| match byte {
        b'\r' | b'\n' | 0 => b'?',
        other => other,
    };
    path.iter().map(byte).collect()
}
