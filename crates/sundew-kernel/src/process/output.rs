//! Standard output as the C library keeps it, and complaints.

use sundew_vfs::Errno;

use super::Process;
use crate::{ExitStatus, STDERR, STDOUT, lock};

/// Bytes kept back before a write when standard output is a file or pipe; glibc's.
const BLOCK: usize = 4096;
/// The same on a terminal, where a newline sends them earlier.
const LINE: usize = 1024;

/// What was printed and not yet written.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    line_buffered: Option<bool>,
    error: Option<Errno>,
}

impl Process {
    /// Prints to standard output, buffered as the C library does: whole lines on a terminal, blocks
    /// elsewhere. An error is remembered for [`Process::flush`]; programs that loop should stop when
    /// this answers one.
    ///
    /// # Errors
    ///
    /// Whatever write(2) answered, now or before.
    pub async fn print(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if let Some(errno) = self.output.error {
            return Err(errno);
        }
        let line_buffered = match self.output.line_buffered {
            Some(known) => known,
            None => *self.output.line_buffered.insert(self.is_terminal(STDOUT)),
        };
        self.output.bytes.extend_from_slice(bytes);
        let full = if line_buffered { LINE } else { BLOCK };
        if self.output.bytes.len() >= full || (line_buffered && bytes.contains(&b'\n')) {
            return self.flush().await;
        }
        Ok(())
    }

    /// Writes what was printed.
    ///
    /// # Errors
    ///
    /// Whatever write(2) answered, now or before.
    pub async fn flush(&mut self) -> Result<(), Errno> {
        let bytes = std::mem::take(&mut self.output.bytes);
        if let Some(errno) = self.output.error {
            return Err(errno);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let result = self.write_all(STDOUT, &bytes).await;
        if let Err(errno) = result {
            self.output.error = Some(errno);
        }
        result
    }

    /// Forgets what was printed and not written: what a forked child does with its parent's buffer.
    pub fn discard_output(&mut self) {
        self.output.bytes.clear();
        self.output.line_buffered = None;
        self.output.error = None;
    }

    /// Prints to standard error, at once; standard output is flushed first, as error(3) does.
    pub async fn print_error(&mut self, bytes: &[u8]) {
        // A failed flush is reported when the program ends; who closed standard error wants no word.
        let _reported_at_exit = self.flush().await;
        let _nobody_to_tell = self.write_all(STDERR, bytes).await;
    }

    /// `NAME: TEXT` on standard error; the status becomes 1.
    pub async fn complain_text(&mut self, text: impl AsRef<[u8]> + Send) {
        let line = [self.name(), b": ", text.as_ref(), b"\n"].concat();
        self.status = 1;
        self.print_error(&line).await;
    }

    /// `NAME: SUBJECT: REASON` on standard error; the status becomes 1.
    pub async fn complain(&mut self, subject: &[u8], errno: Errno) {
        let text = [subject, b": ", errno.message().as_bytes()].concat();
        self.complain_text(text).await;
    }

    /// The status so far: 0, or what a complaint or [`Process::set_status`] made of it.
    pub fn status(&self) -> ExitStatus {
        ExitStatus::Exited(self.status)
    }

    /// Sets the status that [`Process::status`] returns.
    pub fn set_status(&mut self, status: u8) {
        self.status = status;
    }

    /// What the C library does at exit: flush, and complain if that fails.
    pub(crate) async fn finish_output(mut self, status: ExitStatus) -> ExitStatus {
        match self.flush().await {
            Ok(()) | Err(Errno::Epipe) => status,
            Err(errno) if lock(&self.state.inner).fatal.is_none() => {
                self.complain(b"write error", errno).await;
                ExitStatus::FAILURE
            }
            Err(_) => status,
        }
    }
}
