//! The far side of `scp` with the old protocol: `scp -t` takes files, `scp -f` gives them.
//!
//! ```text
//!  C0644 5 name\n   a file of five bytes; the bytes; a zero
//!  D0755 0 name\n   a directory; what follows is in it until  E\n
//!  T1700000000 0 1700000000 0\n   times of the next one
//! ```
//!
//! Every line and every file is answered with a zero, or with 1 or 2 and a line of complaint.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::observe::{DownloadEnd, Upload, UploadProtocol};
use sundew_kernel::{Errno, ExitStatus, Process, STDIN, STDOUT};
use sundew_vfs::Timestamp;

use crate::waiting::Waiting;

/// Longest line of the protocol, in bytes.
const MAX_LINE_BYTES: usize = 4096;
/// Bytes moved at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// How deep directories may be in each other.
const MAX_DEPTH: usize = 64;

/// What the near side asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) recursive: bool,
    pub(super) times: bool,
    /// The target has to be a directory.
    pub(super) directory: bool,
}

/// What a directory gets when all is in it: path, mode, times.
type End = (Vec<u8>, u16, Option<(Timestamp, Timestamp)>);

/// Bytes from the near side, some read ahead.
struct Wire {
    buffer: Vec<u8>,
}

impl Wire {
    async fn more(&mut self, proc: &Process) -> Result<(), Errno> {
        let mut chunk = vec![0; CHUNK_BYTES];
        match proc.read(STDIN, &mut chunk).await? {
            0 => Err(Errno::Epipe),
            count => {
                self.buffer
                    .extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }

    async fn byte(&mut self, proc: &Process) -> Result<u8, Errno> {
        while self.buffer.is_empty() {
            self.more(proc).await?;
        }
        Ok(self.buffer.remove(0))
    }

    /// A line without its end.
    async fn line(&mut self, proc: &Process) -> Result<Vec<u8>, Errno> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(line);
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                return Err(Errno::Einval);
            }
            self.more(proc).await?;
        }
    }

    /// At most so many bytes, at least one.
    async fn piece(&mut self, proc: &Process, most: u64) -> Result<Vec<u8>, Errno> {
        while self.buffer.is_empty() {
            self.more(proc).await?;
        }
        let count = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(self.buffer.len());
        let rest = self.buffer.split_off(count);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }
}

async fn acknowledge(proc: &Process) -> Result<(), Errno> {
    proc.write_all(STDOUT, b"\0").await
}

async fn complain(proc: &mut Process, path: &[u8], reason: &[u8]) -> Result<(), Errno> {
    let line = [b"\x01scp: ".as_slice(), path, b": ", reason, b"\n"].concat();
    proc.set_status(1);
    proc.write_all(STDOUT, &line).await
}

/// `scp -t TARGET`.
pub(super) async fn sink(proc: &mut Process, target: &[u8], wanted: Wanted) -> ExitStatus {
    let is_directory = proc.stat(target).is_ok_and(|file| file.is_dir());
    if wanted.directory && !is_directory {
        let reason = Errno::Enotdir.message().as_bytes();
        // Whoever does not listen is told nothing.
        let _gone = complain(proc, target, reason).await;
        return ExitStatus::FAILURE;
    }
    // The end of the near side is the end of the work.
    let _ended = receive(proc, target, wanted).await;
    proc.status()
}

async fn receive(proc: &mut Process, target: &[u8], wanted: Wanted) -> Result<(), Errno> {
    let mut wire = Wire { buffer: Vec::new() };
    // The directories that are open, the innermost last.
    let mut places = vec![target.to_vec()];
    let mut ends: Vec<End> = Vec::new();
    let mut times = None;
    acknowledge(proc).await?;
    loop {
        proc.tick().await;
        let line = wire.line(proc).await?;
        match line.split_first() {
            Some((1 | 2, text)) => {
                proc.set_status(1);
                proc.print_error(&[text, b"\n"].concat()).await;
            }
            Some((b'E', _)) if places.len() > 1 => {
                places.pop();
                if let Some((path, mode, when)) = ends.pop() {
                    settle(proc, &path, mode, when);
                }
                acknowledge(proc).await?;
            }
            Some((b'T', text)) => {
                times = parse_times(text);
                acknowledge(proc).await?;
            }
            Some((kind @ (b'C' | b'D'), text)) => {
                let Some((mode, size, name)) = parse_entry(text) else {
                    return complain(proc, b"protocol error", b"expected control record").await;
                };
                let place = places.last().map_or(target, Vec::as_slice);
                let path = if proc.stat(place).is_ok_and(|file| file.is_dir()) {
                    [place, b"/", &name].concat()
                } else {
                    place.to_vec()
                };
                let when = times.take();
                if *kind == b'C' {
                    acknowledge(proc).await?;
                    file(proc, &mut wire, &path, (mode, size, when)).await?;
                    continue;
                }
                let made = match proc.make_directory(&path, mode | 0o700) {
                    Err(Errno::Eexist) if proc.stat(&path).is_ok_and(|file| file.is_dir()) => {
                        Ok(())
                    }
                    other => other,
                };
                match made {
                    Ok(()) if wanted.recursive && places.len() < MAX_DEPTH => {
                        places.push(path.clone());
                        ends.push((path, mode, when));
                        acknowledge(proc).await?;
                    }
                    Ok(()) => return complain(proc, &path, b"received directory without -r").await,
                    Err(errno) => complain(proc, &path, errno.message().as_bytes()).await?,
                }
            }
            _ => return complain(proc, b"protocol error", b"unexpected record").await,
        }
    }
}

/// Mode and times of what came; as in the original, what cannot be set is no trouble.
fn settle(proc: &Process, path: &[u8], mode: u16, when: Option<(Timestamp, Timestamp)>) {
    let _mode = proc.change_mode(path, mode);
    if let Some((modified, accessed)) = when {
        let _times = proc.set_times(path, Some(accessed), Some(modified), true);
    }
}

async fn file(
    proc: &mut Process,
    wire: &mut Wire,
    path: &[u8],
    (mode, size, when): (u16, u64, Option<(Timestamp, Timestamp)>),
) -> Result<(), Errno> {
    let mask = if when.is_some() { 0 } else { proc.umask() };
    let opened = proc.open(path, OpenFlags::CREATE, mode & !mask).await;
    let mut failed = opened.err();
    let mut capture = proc.observer().upload(Upload {
        path: proc.absolute(path),
        via: UploadProtocol::Scp,
    });
    let mut left = size;
    while left > 0 {
        let piece = wire.piece(proc, left).await?;
        left -= piece.len() as u64;
        // Over its limit the sample is cut; the visitor's own file is not.
        let _more = capture.write(&piece).await;
        if let (Ok(fd), None) = (opened, failed) {
            failed = proc.write_all(fd, &piece).await.err();
        }
    }
    if size == 0 {
        capture.end(DownloadEnd::Failed("empty".to_owned())).await;
    } else {
        capture.end(DownloadEnd::Complete).await;
    }
    if let Ok(fd) = opened {
        // Opened above.
        let _open = proc.close(fd);
        settle(proc, path, mode & !mask, when);
    }
    wire.byte(proc).await?;
    match failed {
        None => acknowledge(proc).await,
        Some(errno) => complain(proc, path, errno.message().as_bytes()).await,
    }
}

/// `0644 5 name`.
fn parse_entry(text: &[u8]) -> Option<(u16, u64, Vec<u8>)> {
    let mut words = text.splitn(3, |&byte| byte == b' ');
    let mode = std::str::from_utf8(words.next()?).ok()?;
    let mode = u16::from_str_radix(mode, 8).ok()? & 0o7777;
    let size = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let name = words.next()?;
    let bad = name.is_empty()
        || name.contains(&b'/')
        || name == b"."
        || name == b".."
        || name.contains(&0);
    (!bad).then(|| (mode, size, name.to_vec()))
}

/// `1700000000 0 1700000000 0`: written, read.
fn parse_times(text: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split(' ');
    let mut time = || {
        let secs = words.next()?.parse().ok()?;
        words.next()?;
        Some(Timestamp { secs, nanos: 0 })
    };
    Some((time()?, time()?))
}

/// `scp -f PATH…`.
pub(super) async fn source(proc: &mut Process, paths: &[Vec<u8>], wanted: Wanted) -> ExitStatus {
    let mut wire = Wire { buffer: Vec::new() };
    if wire.byte(proc).await.is_err() {
        return ExitStatus::FAILURE;
    }
    for path in paths {
        let mut waiting = Waiting::new(proc);
        waiting.push(proc, Some(path.clone()), path.len()).await;
        while let Some(next) = waiting.pop() {
            proc.tick().await;
            let given = match next {
                Some(path) => give(proc, &mut wire, &path, wanted, &mut waiting).await,
                None => line(proc, &mut wire, b"E\n").await.map(drop),
            };
            if given.is_err() {
                return ExitStatus::FAILURE;
            }
        }
    }
    proc.status()
}

/// Sends a line; whether it was taken.
async fn line(proc: &Process, wire: &mut Wire, text: &[u8]) -> Result<bool, Errno> {
    proc.write_all(STDOUT, text).await?;
    if wire.byte(proc).await? == 0 {
        return Ok(true);
    }
    wire.line(proc).await?;
    Ok(false)
}

/// One file, or a directory, whose content waits then.
async fn give(
    proc: &mut Process,
    wire: &mut Wire,
    path: &[u8],
    wanted: Wanted,
    waiting: &mut Waiting<Option<Vec<u8>>>,
) -> Result<(), Errno> {
    let metadata = match proc.stat(path) {
        Ok(metadata) => metadata,
        Err(errno) => return complain(proc, path, errno.message().as_bytes()).await,
    };
    if !(metadata.is_regular() || metadata.is_dir() && wanted.recursive) {
        return complain(proc, path, b"not a regular file").await;
    }
    if wanted.times {
        let times = format!("T{} 0 {} 0\n", metadata.mtime.secs, metadata.atime.secs);
        if !line(proc, wire, times.as_bytes()).await? {
            return Ok(());
        }
    }
    let name = path
        .rsplit(|&byte| byte == b'/')
        .find(|part| !part.is_empty());
    let name = name.unwrap_or(b"/");
    if metadata.is_dir() {
        let head = format!("D{:04o} 0 ", metadata.mode);
        if line(proc, wire, &[head.as_bytes(), name, b"\n"].concat()).await? {
            waiting.push(proc, None, 0).await;
            for entry in proc.read_directory(path).unwrap_or_default() {
                let below = [path, b"/", &entry.name].concat();
                let bytes = below.len();
                waiting.push(proc, Some(below), bytes).await;
            }
        }
        return Ok(());
    }
    let fd = match proc.open(path, OpenFlags::READ, 0).await {
        Ok(fd) => fd,
        Err(errno) => return complain(proc, path, errno.message().as_bytes()).await,
    };
    let head = format!("C{:04o} {} ", metadata.mode, metadata.size);
    if line(proc, wire, &[head.as_bytes(), name, b"\n"].concat()).await? {
        let mut left = metadata.size;
        let mut chunk = vec![0; CHUNK_BYTES];
        while left > 0 {
            let count = proc.read(fd, &mut chunk).await.unwrap_or(0);
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            // A file that has become shorter is filled up: so many bytes were announced.
            let count = if count == 0 { chunk.len() } else { count }.min(most);
            let piece = chunk.get(..count).unwrap_or_default();
            proc.write_all(STDOUT, piece).await?;
            left -= count as u64;
        }
        line(proc, wire, b"\0").await?;
    }
    // Opened above.
    let _open = proc.close(fd);
    Ok(())
}
