//! Reading whole lines and whole files within the memory budget.

use sundew_vfs::Errno;

use super::Process;
use crate::Fd;
use crate::budget::Memory;

/// Longest line kept in memory, in bytes. A longer one is [`Errno::Enomem`], which ends the reader
/// as out of memory.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// Bytes asked of a descriptor at once.
const CHUNK: usize = 32 * 1024;

/// Splits what a descriptor delivers into lines. Reads ahead; do not share the descriptor.
#[derive(Debug)]
pub struct LineReader {
    fd: Fd,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    memory: Memory,
}

impl LineReader {
    /// A reader of `fd`.
    pub fn new(proc: &Process, fd: Fd) -> Self {
        Self {
            fd,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            memory: proc.memory(),
        }
    }

    /// The next line with its `delimiter`, which only the last may lack; `None` at the end.
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// Whatever read(2) answers; [`Errno::Enomem`] for a line over [`MAX_LINE_BYTES`] or past the
    /// machine's memory.
    pub async fn next(&mut self, proc: &Process, delimiter: u8) -> Result<Option<Vec<u8>>, Errno> {
        let mut searched = self.start;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|&byte| byte == delimiter) {
                proc.tick().await;
                return Ok(Some(self.take(searched + at + 1)));
            }
            searched = self.buffer.len();
            if self.ended {
                return Ok((self.start < searched).then(|| self.take(searched)));
            }
            if self.start > 0 {
                self.buffer.drain(..self.start);
                self.memory.shrink(self.start);
                searched -= self.start;
                self.start = 0;
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                return Err(Errno::Enomem);
            }
            let mut chunk = vec![0; CHUNK];
            let count = proc.read(self.fd, &mut chunk).await?;
            self.memory.grow(count)?;
            self.ended = count == 0;
            self.buffer
                .extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }

    /// What was read ahead, for who goes on without lines.
    pub fn take_rest(&mut self) -> Vec<u8> {
        self.take(self.buffer.len())
    }

    fn take(&mut self, end: usize) -> Vec<u8> {
        let line = self
            .buffer
            .get(self.start..end)
            .unwrap_or_default()
            .to_vec();
        self.start = end;
        line
    }
}

impl Process {
    /// Everything up to the end of the input, with the account that its memory is charged to.
    ///
    /// # Errors
    ///
    /// Whatever read(2) answers; [`Errno::Enomem`] past the machine's memory.
    pub async fn read_to_end(&self, fd: Fd) -> Result<(Vec<u8>, Memory), Errno> {
        let mut memory = self.memory();
        let mut all = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = self.read(fd, &mut chunk).await?;
            if count == 0 {
                return Ok((all, memory));
            }
            memory.grow(count)?;
            all.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }
}
