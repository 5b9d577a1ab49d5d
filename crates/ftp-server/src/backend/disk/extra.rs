//! What the extensions of the backend need of the system.

use std::os::fd::{AsRawFd, OwnedFd};

use ftp_proto::server::{Change, FileError, Path};
use ftp_proto::time::Timestamp;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

/// Sets times and the mode of what is open, be it only as a place (`O_PATH`): nothing can be put under
/// its name meanwhile.
pub(super) fn change(file: &OwnedFd, change: Change) -> Result<(), Errno> {
    if let Some(mode) = change.mode {
        set_mode(file, Mode::from_raw_mode(mode.into()))?;
    }
    if change.modified.is_some() || change.accessed.is_some() {
        let times = Timestamps {
            last_access: timespec(change.accessed),
            last_modification: timespec(change.modified),
        };
        match rustix::fs::utimensat(file, c"", &times, AtFlags::EMPTY_PATH) {
            // Before Linux 5.8 a place has no times of its own.
            Err(Errno::INVAL | Errno::BADF) => {
                rustix::fs::utimensat(rustix::fs::CWD, magic(file), &times, AtFlags::empty())?;
            }
            result => result?,
        }
    }
    Ok(())
}

fn set_mode(file: &OwnedFd, mode: Mode) -> Result<(), Errno> {
    // What is open as a place only has no mode to the system but under this name.
    rustix::fs::chmod(magic(file), mode)
}

/// The name under which the system shows an open file, whatever its own has become.
fn magic(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

fn timespec(time: Option<Timestamp>) -> Timespec {
    Timespec {
        tv_sec: time.map_or(0, Timestamp::to_unix),
        tv_nsec: if time.is_some() { 0 } else { UTIME_OMIT },
    }
}

/// What a link has to say to lead from where it stands to where the client meant: an absolute path
/// is one of the client's, and becomes a relative one, since the host's root is another.
///
/// # Errors
///
/// [`FileError::Denied`] for a target that leads above the root.
pub(super) fn link_text(target: &[u8], link: &Path) -> Result<Vec<u8>, FileError> {
    let depth = link.parent().components().count();
    if target.starts_with(b"/") {
        let target = Path::root().join(target)?;
        let up = std::iter::repeat_n(&b".."[..], depth);
        let text = up
            .chain(target.components())
            .collect::<Vec<_>>()
            .join(&b'/');
        return Ok(if text.is_empty() { b".".to_vec() } else { text });
    }
    let mut depth = i64::try_from(depth).unwrap_or(0);
    for name in target.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return Err(FileError::Denied);
        }
    }
    Ok(target.to_vec())
}

/// The umask of the process, which can only be asked for by reading.
pub(super) fn process_umask() -> u16 {
    let read = || {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::open("/proc/self/status", flags, Mode::empty()).ok()?;
        let mut bytes = vec![0; 4096];
        let count = rustix::io::read(&file, &mut bytes[..]).ok()?;
        bytes.truncate(count);
        let text = String::from_utf8(bytes).ok()?;
        let mask = text.lines().find_map(|line| line.strip_prefix("Umask:"))?;
        u16::from_str_radix(mask.trim(), 8).ok()
    };
    read().unwrap_or(0o022)
}
