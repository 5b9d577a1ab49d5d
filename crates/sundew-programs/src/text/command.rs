//! Finding programs: the search of execvp(3).

use sundew_kernel::{Errno, Process};
use sundew_vfs::Access;

/// Where the C library looks without a PATH.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// The path of the program `name`; a name with a slash is its own.
///
/// # Errors
///
/// [`Errno::Enoent`], or [`Errno::Eacces`] when only files that may not be run were found.
pub(crate) fn search(proc: &Process, name: &[u8]) -> Result<Vec<u8>, Errno> {
    if name.contains(&b'/') {
        return Ok(name.to_vec());
    }
    let mut error = Errno::Enoent;
    let path = proc.env().value(b"PATH").unwrap_or(DEFAULT_PATH);
    for directory in path.split(|&byte| byte == b':') {
        let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
        let candidate = [directory, slash, name].concat();
        if name.is_empty()
            || !proc
                .stat(&candidate)
                .is_ok_and(|metadata| metadata.is_regular())
        {
            continue;
        }
        match proc.access(&candidate, Access::Execute) {
            Ok(()) => return Ok(candidate),
            Err(errno) => error = errno,
        }
    }
    Err(error)
}
