//! A file that lines are appended to, by a thread of its own: no session waits for a disk.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// A log file.
#[derive(Debug)]
pub struct LogFile {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
    dropped: Arc<AtomicU64>,
}

enum Order {
    Line(Vec<u8>),
    Reopen,
}

impl LogFile {
    /// Opens a file, behind what it holds; a new one can be read by its owner and group.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = append(path)?;
        let (queue, orders) = sync_channel(MAX_WAITING_LINES);
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || work(&path, file, &orders))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            dropped: Arc::default(),
        })
    }

    /// Writes a line with its end; drops and counts it if the disk does not keep up.
    pub fn write(&self, line: Vec<u8>) {
        self.order(Order::Line(line));
    }

    /// Opens the file anew, which another program has moved away.
    pub fn reopen(&self) {
        self.order(Order::Reopen);
    }

    /// Lines that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn order(&self, order: Order) {
        let sent = self.queue.as_ref().map(|queue| queue.try_send(order));
        if !matches!(sent, Some(Ok(()))) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for LogFile {
    /// Waits until everything is written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a log's thread has panicked");
        }
    }
}

fn work(path: &Path, file: File, orders: &Receiver<Order>) {
    let mut file = BufWriter::new(file);
    let mut is_failing = false;
    while let Ok(first) = orders.recv() {
        let mut result = carry_out(path, &mut file, first);
        while result.is_ok()
            && let Ok(next) = orders.try_recv()
        {
            result = carry_out(path, &mut file, next);
        }
        let result = result.and_then(|()| file.flush());
        // Once, not for every line of a full disk.
        if let Err(error) = &result
            && !is_failing
        {
            tracing::error!(path = %path.display(), %error, "log not written");
        }
        is_failing = result.is_err();
    }
}

fn carry_out(path: &Path, file: &mut BufWriter<File>, order: Order) -> io::Result<()> {
    match order {
        Order::Line(line) => file.write_all(&line),
        Order::Reopen => {
            file.flush()?;
            *file = BufWriter::new(append(path)?);
            Ok(())
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o640).open(path)
}

/// Lines that may wait for the disk, a few hundred bytes each.
const MAX_WAITING_LINES: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_in_order_and_a_moved_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (path, moved) = (dir.path().join("log"), dir.path().join("log.1"));
        std::fs::write(&path, "before\n").unwrap();
        let log = LogFile::open(&path).unwrap();
        log.write(b"one\n".to_vec());
        drop(log);
        let log = LogFile::open(&path).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.reopen();
        log.write(b"two\n".to_vec());
        assert_eq!(log.dropped(), 0);
        drop(log);
        assert_eq!(std::fs::read(&moved).unwrap(), b"before\none\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"two\n");
    }

    #[test]
    fn a_disk_that_is_full_does_not_stop_anybody() {
        let log = LogFile::open(Path::new("/dev/full")).unwrap();
        for _ in 0..100 {
            log.write(vec![b'x'; 10_000]);
        }
    }
}
