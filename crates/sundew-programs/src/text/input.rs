//! Opening what an operand names: a file, or standard input for `-`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, Fd, Process, STDIN};

/// Opens a file for reading; a directory is [`Errno::Eisdir`], as reading it would be.
///
/// # Errors
///
/// Whatever open(2) answers, and as said.
pub(crate) async fn open_file(proc: &Process, path: &[u8]) -> Result<Fd, Errno> {
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    if proc.fstat(fd).is_ok_and(|metadata| metadata.is_dir()) {
        close(proc, fd);
        return Err(Errno::Eisdir);
    }
    Ok(fd)
}

/// As [`open_file`], with `-` for standard input.
///
/// # Errors
///
/// As [`open_file`].
pub(crate) async fn open(proc: &Process, path: &[u8]) -> Result<Fd, Errno> {
    if path == b"-" {
        Ok(STDIN)
    } else {
        open_file(proc, path).await
    }
}

/// Closes what [`open`] opened; standard input stays.
pub(crate) fn close(proc: &Process, fd: Fd) {
    if fd != STDIN {
        // It was open; there is nobody to tell otherwise.
        let _closed = proc.close(fd);
    }
}

/// A whole file's bytes.
///
/// # Errors
///
/// As [`open`] and read(2).
pub(crate) async fn read_all(
    proc: &Process,
    path: &[u8],
) -> Result<(Vec<u8>, sundew_kernel::budget::Memory), Errno> {
    let fd = open(proc, path).await?;
    let result = proc.read_to_end(fd).await;
    close(proc, fd);
    result
}
