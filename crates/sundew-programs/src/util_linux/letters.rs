//! Characters one by one, as the filters of columns read them: wide characters of a UTF-8 text.

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, Fd, Process};
use sundew_posix::width;

/// One line, as characters.
pub(super) struct Letters {
    /// Its characters, the newline among them.
    pub(super) letters: Vec<char>,
    /// The byte behind them that is no character: getwc(3) fails there.
    pub(super) broken: Option<u8>,
}

/// The next line of a text; `None` at its end.
pub(super) async fn next(
    proc: &Process,
    reader: &mut LineReader,
) -> Result<Option<Letters>, Errno> {
    let line = match reader.next(proc, b'\n').await {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(None),
        Err(Errno::Enomem) => proc.out_of_memory().await,
        Err(errno) => return Err(errno),
    };
    let mut chunks = line.utf8_chunks();
    let first = chunks.next();
    Ok(Some(Letters {
        letters: first
            .as_ref()
            .map(|chunk| chunk.valid().chars().collect())
            .unwrap_or_default(),
        broken: first.and_then(|chunk| chunk.invalid().first().copied()),
    }))
}

/// Opens an operand as these programs do; `None` after the complaint.
pub(super) async fn open(proc: &mut Process, path: &[u8]) -> Option<Fd> {
    match proc
        .open(path, sundew_kernel::descriptor::OpenFlags::READ, 0)
        .await
    {
        Ok(fd) => Some(fd),
        Err(errno) => {
            let reason = errno.message().as_bytes();
            proc.complain_text([b"cannot open ", path, b": ", reason].concat())
                .await;
            None
        }
    }
}

/// Columns that a character takes; none for what does not print.
pub(super) fn columns(letter: char) -> usize {
    if letter.is_control() {
        0
    } else {
        width::columns(letter)
    }
}

/// Puts a character behind a text.
pub(super) fn push(out: &mut Vec<u8>, letter: char) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}
