//! What the extensions of the backend need of the system.

use std::os::fd::OwnedFd;

use ftp_proto::server::Change;
use ftp_proto::time::Timestamp;
use rustix::fs::{AtFlags, Mode, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

/// Sets times and the mode of the entry itself, which may be a link.
pub(super) fn change(parent: &OwnedFd, name: &[u8], change: Change) -> Result<(), Errno> {
    if let Some(mode) = change.mode {
        // The system has no mode of links, and would change what they point to.
        let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink() {
            return Err(Errno::ACCESS);
        }
        let mode = Mode::from_raw_mode(mode.into());
        rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
    }
    if change.modified.is_some() || change.accessed.is_some() {
        let times = Timestamps {
            last_access: timespec(change.accessed),
            last_modification: timespec(change.modified),
        };
        rustix::fs::utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}

fn timespec(time: Option<Timestamp>) -> Timespec {
    Timespec {
        tv_sec: time.map_or(0, Timestamp::to_unix),
        tv_nsec: if time.is_some() { 0 } else { UTIME_OMIT },
    }
}
