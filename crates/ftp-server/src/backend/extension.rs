//! What a [`Files`] can do by means of its simplest methods; a backend that knows a shorter way
//! overrides the method.

use bytes::Bytes;
use ftp_proto::hash::Algorithm;
use ftp_proto::listing::Kind;
use ftp_proto::server::{FileError, Path, Placement};

use super::{Files, Lister, Reader, Writer};
use crate::backend::hash::Hasher;

/// Deepest directory that is gone down to when a tree is removed or measured. A backend in which a
/// directory could be below itself would otherwise be walked for ever.
const MAX_DEPTH: usize = 128;

/// Most entries that one removal or measurement looks at; more is answered as busy. It is work that
/// one command can ask for.
const MAX_ENTRIES: usize = 1_000_000;

pub(super) async fn copy<F: Files>(files: &F, from: &Path, to: &Path) -> Result<(), FileError> {
    let (_, reader) = files.read(from, 0).await?;
    let writer = files.write(to, Placement::Replace).await?;
    pump(reader, writer).await
}

pub(super) async fn combine<F: Files>(
    files: &F,
    from: &[Path],
    to: &Path,
) -> Result<(), FileError> {
    // Missing parts are found before anything is changed.
    for part in from {
        let (_, _) = files.read(part, 0).await?;
    }
    for part in from {
        let (_, reader) = files.read(part, 0).await?;
        let writer = files.write(to, Placement::Append).await?;
        pump(reader, writer).await?;
        files.delete(part).await?;
    }
    Ok(())
}

async fn pump(mut reader: impl Reader, mut writer: impl Writer) -> Result<(), FileError> {
    while let Some(bytes) = reader.read().await? {
        writer.write(bytes).await?;
    }
    writer.finish().await
}

pub(super) async fn make_directories<F: Files>(files: &F, path: &Path) -> Result<(), FileError> {
    let mut here = Path::root();
    let mut made = Err(FileError::Exists);
    for name in path.components() {
        here = here.join(name)?;
        made = files.make_directory(&here).await;
        match made {
            Ok(()) | Err(FileError::Exists) => {}
            Err(error) => return Err(error),
        }
    }
    made
}

pub(super) async fn remove_tree<F: Files>(files: &F, path: &Path) -> Result<(), FileError> {
    let mut found = Vec::new();
    walk(files, path, |path, is_directory, _| {
        found.push((path, is_directory));
    })
    .await?;
    // What is found later lies deeper or beside.
    for (path, is_directory) in found.into_iter().rev() {
        if is_directory {
            files.remove_directory(&path).await?;
        } else {
            files.delete(&path).await?;
        }
    }
    files.remove_directory(path).await
}

pub(super) async fn usage<F: Files>(files: &F, path: &Path) -> Result<u64, FileError> {
    let mut total = 0_u64;
    walk(files, path, |_, _, size| {
        total = total.saturating_add(size);
    })
    .await?;
    Ok(total)
}

/// Visits all below a directory, each directory before what it holds. Links are not followed.
pub(crate) async fn walk<F: Files>(
    files: &F,
    path: &Path,
    mut visit: impl FnMut(Path, bool, u64) + Send,
) -> Result<(), FileError> {
    let mut waiting = vec![(path.clone(), 0_usize)];
    let mut count = 0_usize;
    while let Some((directory, depth)) = waiting.pop() {
        let mut lister = files.list(&directory).await?;
        while let Some(batch) = lister.next().await? {
            for entry in batch {
                count += 1;
                if count > MAX_ENTRIES {
                    return Err(FileError::Busy);
                }
                let path = directory.join(&entry.name)?;
                let is_directory = entry.kind == Kind::Directory;
                if is_directory {
                    if depth == MAX_DEPTH {
                        return Err(FileError::NameNotAllowed);
                    }
                    waiting.push((path.clone(), depth + 1));
                }
                let size = match entry.kind {
                    Kind::File => entry.size.unwrap_or(0),
                    _ => 0,
                };
                visit(path, is_directory, size);
            }
        }
    }
    Ok(())
}

/// The hash, and the offset behind the last byte that went into it.
pub(super) async fn hash<F: Files>(
    files: &F,
    path: &Path,
    algorithm: Algorithm,
    first: u64,
    end: Option<u64>,
) -> Result<(Vec<u8>, u64), FileError> {
    let (_, mut reader) = files.read(path, first).await?;
    let mut hasher = Hasher::new(algorithm);
    let mut at = first;
    while end.is_none_or(|end| at < end) {
        let Some(bytes) = reader.read().await? else {
            break;
        };
        let left = end.map_or(u64::MAX, |end| end - at);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        hasher = update(hasher, bytes.slice(..count)).await?;
        at += count as u64;
    }
    // A range that goes on behind the end of the file is not a range of it.
    if end.is_some_and(|end| at < end) {
        return Err(FileError::BadOffset);
    }
    Ok((hasher.finish(), at))
}

/// Hashing a chunk takes the processor for a moment, which is not for a thread that serves others.
async fn update(mut hasher: Hasher, bytes: Bytes) -> Result<Hasher, FileError> {
    tokio::task::spawn_blocking(move || {
        hasher.update(&bytes);
        hasher
    })
    .await
    .map_err(|_| FileError::Other)
}
