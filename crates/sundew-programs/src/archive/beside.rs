//! The file that a compressor writes beside its input.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, Process};
use sundew_vfs::Metadata;

use crate::text::input;

/// Writes a new file with the owner, mode and times of the old one.
pub(super) async fn write(
    proc: &mut Process,
    target: &[u8],
    out: &[u8],
    old: &Metadata,
) -> Result<(), Errno> {
    let fd = proc.open(target, OpenFlags::CREATE, 0o600).await?;
    let written = proc.write_all(fd, out).await;
    input::close(proc, fd);
    written?;
    // Whether these are allowed is not looked at, as in the originals.
    let _owner = proc.change_owner(target, Some(old.uid), Some(old.gid), true);
    let _mode = proc.change_mode(target, old.mode);
    let _times = proc.set_times(target, Some(old.atime), Some(old.mtime), true);
    Ok(())
}
