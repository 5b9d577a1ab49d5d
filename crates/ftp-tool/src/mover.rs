//! Bytes between a clear socket and a file, with as little work for the processor as Linux allows.
//!
//! Downloads go from the socket through a pipe into the file with `splice(2)`: the data is copied
//! once, by the kernel, instead of twice through a buffer of ours. Uploads use `sendfile(2)`. What a
//! kind of file does not allow is done with a buffer. Everything here blocks, on a thread of the
//! runtime's blocking pool; waiting is bounded by the stall limit.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};

use crate::meter::Meter;

/// Bytes moved with one call at most: what a pipe holds that needs no privilege. Progress and the
/// rate limit are looked at between calls.
pub const PIECE_BYTES: usize = 1024 * 1024;

/// The buffer of those files that cannot be spliced, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// Where bytes go to.
#[derive(Debug)]
pub enum Place {
    /// A file, from this offset on.
    At(File, u64),
    /// A stream: a pipe, a terminal, a device.
    Stream(File),
    /// Nowhere: what is left when a thread took the place with it.
    Nowhere,
}

/// How a move ended.
#[derive(Debug)]
pub enum MoveError {
    /// The connection failed.
    Socket(io::Error),
    /// The file failed.
    File(io::Error),
    /// Nothing moved for so long.
    Stalled(Duration),
}

/// Reads a socket to its end, or until `limit` bytes have come, into a file. Returns how many came.
///
/// # Errors
///
/// [`MoveError`], with what came before it in the file, and in the meter.
pub fn download(
    socket: BorrowedFd<'_>,
    place: &mut Place,
    limit: u64,
    stall: Duration,
    meter: &Meter,
) -> Result<u64, MoveError> {
    let mut moved = 0;
    let mut pipe = Pipe::new().ok();
    let mut buffer = Vec::new();
    while moved < limit {
        let most = piece(limit - moved, meter);
        let count = match &mut pipe {
            Some(through) => match through.fill(socket, most, stall)? {
                0 => 0,
                count => {
                    let fell_back = through.drain(place, count).map_err(MoveError::File)?;
                    if fell_back {
                        pipe = None;
                    }
                    count
                }
            },
            None => {
                buffer.resize(BUFFER_BYTES, 0);
                let count = receive(socket, &mut buffer, most, stall)?;
                let bytes = buffer.get(..count).unwrap_or_default();
                place.write(bytes).map_err(MoveError::File)?;
                count
            }
        };
        if count == 0 {
            break;
        }
        moved += as_u64(count);
        meter.moved(count);
        let wait = meter.wait(count);
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
    }
    Ok(moved)
}

/// Sends a file from an offset to its end. Returns how many bytes went out.
///
/// # Errors
///
/// [`MoveError`].
pub fn upload(
    file: &File,
    offset: u64,
    socket: BorrowedFd<'_>,
    stall: Duration,
    meter: &Meter,
) -> Result<u64, MoveError> {
    let mut at = offset;
    loop {
        let most = piece(u64::MAX, meter);
        let before = at;
        match rustix::fs::sendfile(socket, file, Some(&mut at), most) {
            Ok(0) => return Ok(at - offset),
            Ok(count) => {
                at = before + as_u64(count);
                meter.moved(count);
                let wait = meter.wait(count);
                if !wait.is_zero() {
                    std::thread::sleep(wait);
                }
            }
            Err(Errno::AGAIN) => await_socket(socket, PollFlags::OUT, stall)?,
            Err(Errno::INTR) => {}
            // The file lives where sendfile cannot read: through a buffer then.
            Err(Errno::INVAL | Errno::NOSYS) => {
                let rest = send(file, at, socket, stall, meter)?;
                return Ok(at - offset + rest);
            }
            Err(errno) => return Err(MoveError::Socket(errno.into())),
        }
    }
}

fn send(
    file: &File,
    mut at: u64,
    socket: BorrowedFd<'_>,
    stall: Duration,
    meter: &Meter,
) -> Result<u64, MoveError> {
    let begin = at;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(at - begin),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(MoveError::File(error)),
        };
        let mut left = buffer.get(..count).unwrap_or_default();
        while !left.is_empty() {
            match rustix::io::write(socket, left) {
                Ok(sent) => left = left.get(sent..).unwrap_or_default(),
                Err(Errno::AGAIN) => await_socket(socket, PollFlags::OUT, stall)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(MoveError::Socket(errno.into())),
            }
        }
        at += as_u64(count);
        meter.moved(count);
        let wait = meter.wait(count);
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
    }
}

/// A pipe between the socket and the file; empty between calls of [`download`]'s loop.
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        // A smaller one works as well, with more calls.
        rustix::pipe::fcntl_setpipe_size(&write, PIECE_BYTES).ok();
        Ok(Self { read, write })
    }

    /// Moves what the socket has into the pipe; nought at its end.
    fn fill(
        &self,
        socket: BorrowedFd<'_>,
        most: usize,
        stall: Duration,
    ) -> Result<usize, MoveError> {
        loop {
            let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
            match splice(socket, None, &self.write, None, most, flags) {
                Ok(count) => return Ok(count),
                Err(Errno::AGAIN) => await_socket(socket, PollFlags::IN, stall)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(MoveError::Socket(errno.into())),
            }
        }
    }

    /// Moves the pipe's bytes into the file; says whether it had to be done with a buffer.
    fn drain(&self, place: &mut Place, count: usize) -> io::Result<bool> {
        let mut left = count;
        while left > 0 {
            let moved = match place {
                Place::At(file, offset) => {
                    let at = *offset;
                    let moved = splice(
                        &self.read,
                        None,
                        &*file,
                        Some(offset),
                        left,
                        SpliceFlags::MOVE,
                    );
                    if let Ok(moved) = moved {
                        *offset = at + as_u64(moved);
                    }
                    moved
                }
                Place::Stream(file) => {
                    splice(&self.read, None, &*file, None, left, SpliceFlags::MOVE)
                }
                Place::Nowhere => Err(Errno::BADF),
            };
            match moved {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(moved) => left = left.saturating_sub(moved),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if let Place::Stream(file) = place {
                        await_stream(file)?;
                    }
                }
                Err(Errno::INVAL) => {
                    let mut bytes = vec![0; left];
                    File::from(self.read.try_clone()?).read_exact(&mut bytes)?;
                    place.write(&bytes)?;
                    return Ok(true);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(false)
    }
}

impl Place {
    /// Writes bytes with a plain call.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::At(file, offset) => {
                file.write_all_at(bytes, *offset)?;
                *offset += as_u64(bytes.len());
                Ok(())
            }
            Self::Stream(file) => file.write_all(bytes),
            Self::Nowhere => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    most: usize,
    stall: Duration,
) -> Result<usize, MoveError> {
    let most = most.min(buffer.len());
    let space = buffer.get_mut(..most).unwrap_or_default();
    loop {
        match rustix::io::read(socket, &mut *space) {
            Ok(count) => return Ok(count),
            Err(Errno::AGAIN) => await_socket(socket, PollFlags::IN, stall)?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(MoveError::Socket(errno.into())),
        }
    }
}

fn await_socket(socket: BorrowedFd<'_>, what: PollFlags, stall: Duration) -> Result<(), MoveError> {
    let limit = Timespec::try_from(stall).map_err(|_| MoveError::Stalled(stall))?;
    loop {
        let mut fds = [PollFd::from_borrowed_fd(socket, what)];
        match poll(&mut fds, Some(&limit)) {
            Ok(0) => return Err(MoveError::Stalled(stall)),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(MoveError::Socket(errno.into())),
        }
    }
}

/// Whoever reads our output takes the time they want.
fn await_stream(file: &File) -> io::Result<()> {
    let mut fds = [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::OUT)];
    match poll(&mut fds, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn piece(left: u64, meter: &Meter) -> usize {
    let most = meter.piece().min(PIECE_BYTES);
    usize::try_from(left).map_or(most, |left| left.min(most))
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    const STALL: Duration = Duration::from_secs(20);

    fn body(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    /// A connected pair whose near end does not block, as the runtime's sockets do not.
    fn pair() -> (UnixStream, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        (near, far)
    }

    fn come(length: usize, place: &mut Place, limit: u64) -> u64 {
        let (near, mut far) = pair();
        let sender = thread::spawn(move || {
            // The reader may leave before the end.
            far.write_all(&body(length)).ok();
        });
        let moved = download(near.as_fd(), place, limit, STALL, &Meter::silent()).unwrap();
        drop(near);
        sender.join().unwrap();
        moved
    }

    #[test]
    fn a_body_arrives_whole_at_its_offset() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"head").unwrap();
        let mut place = Place::At(file.try_clone().unwrap(), 4);
        assert_eq!(come(3_000_000, &mut place, u64::MAX), 3_000_000);
        let mut found = vec![0; 3_000_004];
        file.read_exact_at(&mut found, 0).unwrap();
        assert!(found.starts_with(b"head") && found[4..] == body(3_000_000));
    }

    #[test]
    fn a_segment_ends_at_its_limit() {
        let file = tempfile::tempfile().unwrap();
        let mut place = Place::At(file.try_clone().unwrap(), 0);
        assert_eq!(come(500_000, &mut place, 123_456), 123_456);
        assert_eq!(file.metadata().unwrap().len(), 123_456);
    }

    #[test]
    fn what_cannot_be_spliced_is_written() {
        // splice(2) refuses files opened to append.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let file = File::options()
            .append(true)
            .create(true)
            .open(&path)
            .unwrap();
        let mut place = Place::Stream(file);
        assert_eq!(come(700_000, &mut place, u64::MAX), 700_000);
        assert!(std::fs::read(&path).unwrap() == body(700_000));
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let (near, _far) = pair();
        let mut place = Place::At(tempfile::tempfile().unwrap(), 0);
        let stall = Duration::from_millis(20);
        let result = download(near.as_fd(), &mut place, u64::MAX, stall, &Meter::silent());
        assert!(matches!(result, Err(MoveError::Stalled(_))));
    }

    #[test]
    fn a_file_is_sent_from_its_offset() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&body(2_000_000)).unwrap();
        let (near, mut far) = pair();
        let reader = thread::spawn(move || {
            let mut came = Vec::new();
            far.read_to_end(&mut came).unwrap();
            came
        });
        let sent = upload(&file, 10, near.as_fd(), STALL, &Meter::silent()).unwrap();
        drop(near);
        assert_eq!(sent, 1_999_990);
        assert!(reader.join().unwrap() == body(2_000_000)[10..]);
    }
}
