//! What most of these programs do with their operands: open, complain, refuse.

use sundew_kernel::budget::Memory;
use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN};

use crate::getopt::try_help;
use crate::quote;

/// Bytes read at once.
pub(crate) const CHUNK: usize = 32 * 1024;

/// Opens an operand for reading; `-` is standard input.
pub(crate) async fn open(proc: &Process, name: &[u8]) -> Result<Fd, Errno> {
    if name == b"-" {
        return Ok(STDIN);
    }
    proc.open(name, OpenFlags::READ, 0).await
}

/// Closes what [`open`] opened.
pub(crate) fn close(proc: &Process, fd: Fd) {
    if fd != STDIN {
        // It was open for reading: there is nothing to lose.
        let _closed = proc.close(fd);
    }
}

/// The operands, or `-` alone if there are none.
pub(crate) fn or_stdin(operands: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if operands.is_empty() {
        vec![b"-".to_vec()]
    } else {
        operands
    }
}

/// Opens and reads a whole operand; complains and answers `None` if that fails. Past the memory
/// budget it says `memory exhausted`, as gnulib's `xalloc_die` does.
pub(crate) async fn read_all(proc: &mut Process, name: &[u8]) -> Option<(Vec<u8>, Memory)> {
    let result = match open(proc, name).await {
        Ok(fd) => {
            let result = proc.read_to_end(fd).await;
            close(proc, fd);
            result
        }
        Err(errno) => Err(errno),
    };
    match result {
        Ok(read) => Some(read),
        Err(Errno::Enomem) => {
            exhausted(proc).await;
            None
        }
        Err(errno) => {
            complain(proc, name, errno).await;
            None
        }
    }
}

/// `NAME: memory exhausted`.
pub(crate) async fn exhausted(proc: &mut Process) {
    proc.complain_text("memory exhausted").await;
}

/// `NAME: FILE: REASON`, the file quoted if need be.
pub(crate) async fn complain(proc: &mut Process, file: &[u8], errno: Errno) {
    let file = quote::file(proc, file);
    proc.complain(&file, errno).await;
}

/// `NAME: TEXT 'FILE': REASON`.
pub(crate) async fn complain_about(proc: &mut Process, text: &str, file: &[u8], errno: Errno) {
    let file = quote::always(proc, file);
    let line = [
        text.as_bytes(),
        b" ",
        &file,
        b": ",
        errno.message().as_bytes(),
    ]
    .concat();
    proc.complain_text(line).await;
}

/// Complains of a file that could not be opened to be read, as GNU words it where it says so.
pub(crate) async fn complain_reading(proc: &mut Process, file: &[u8], errno: Errno) {
    let shown = quote::always(proc, file);
    proc.complain(
        &[b"cannot open ", shown.as_slice(), b" for reading"].concat(),
        errno,
    )
    .await;
}

/// `NAME: TEXT ‘WORD’`, without a pointer to `--help`; the status to end with.
pub(crate) async fn complain_word(proc: &mut Process, text: &str, word: &[u8]) -> ExitStatus {
    let word = quote::text(proc, word);
    proc.complain_text([text.as_bytes(), b" ", &word].concat())
        .await;
    proc.status()
}

/// `NAME: TEXT ‘WORD’` and the pointer to `--help`; the status to end with.
pub(crate) async fn refuse_word(proc: &mut Process, text: &str, word: &[u8]) -> ExitStatus {
    complain_word(proc, text, word).await;
    try_help(proc, 1).await
}

/// `NAME: TEXT` and the pointer to `--help`; the status to end with.
pub(crate) async fn refuse_text(proc: &mut Process, text: &str) -> ExitStatus {
    proc.complain_text(text).await;
    try_help(proc, 1).await
}

/// `NAME: missing operand` and the pointer; the status to end with.
pub(crate) async fn missing_operand(proc: &mut Process) -> ExitStatus {
    refuse_text(proc, "missing operand").await
}

/// `NAME: extra operand ‘WORD’` and the pointer; the status to end with.
pub(crate) async fn extra_operand(proc: &mut Process, word: &[u8]) -> ExitStatus {
    refuse_word(proc, "extra operand", word).await
}

/// One of a closed list of words, which may be cut short: gnulib's argmatch. Words of equal value
/// are synonyms. `None` after the complaint with the list.
pub(crate) async fn choose<T: Copy + PartialEq>(
    proc: &mut Process,
    option: &str,
    word: &[u8],
    words: &[(&str, T)],
) -> Option<T> {
    if let Some(row) = words.iter().find(|row| row.0.as_bytes() == word) {
        return Some(row.1);
    }
    let mut matching = words
        .iter()
        .filter(|row| row.0.as_bytes().starts_with(word));
    let first = matching.next();
    let ambiguous = first.is_some_and(|first| matching.any(|row| row.1 != first.1));
    if let Some(first) = first.filter(|_| !ambiguous) {
        return Some(first.1);
    }
    let kind = if ambiguous { "ambiguous" } else { "invalid" };
    let (word, option) = (
        quote::text(proc, word),
        quote::text(proc, option.as_bytes()),
    );
    let mut text = [
        kind.as_bytes(),
        b" argument ",
        &word,
        b" for ",
        &option,
        b"\nValid arguments are:",
    ]
    .concat();
    let mut last = None;
    for row in words {
        text.extend_from_slice(if last == Some(row.1) {
            b", "
        } else {
            b"\n  - "
        });
        text.extend(quote::text(proc, row.0.as_bytes()));
        last = Some(row.1);
    }
    proc.complain_text(text).await;
    try_help(proc, 1).await;
    None
}

/// A whole number without sign or unit.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `directory/name`, without doubling a slash.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.is_empty() || directory.ends_with(b"/") {
        b""
    } else {
        b"/"
    };
    [directory, slash, name].concat()
}

/// The last component, slashes behind it left out; `/` for a path of slashes.
pub(crate) fn base(path: &[u8]) -> &[u8] {
    let trimmed = trim_slashes(path);
    if trimmed == b"/" {
        return trimmed;
    }
    trimmed
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or(trimmed)
}

/// Without slashes at the end, but for the root itself.
pub(crate) fn trim_slashes(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let Some(shorter) = path
        .strip_suffix(b"/")
        .filter(|shorter| !shorter.is_empty())
    {
        path = shorter;
    }
    path
}
