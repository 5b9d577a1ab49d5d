//! Calls that change attributes: `chmod(2)`, `chown(2)`, `utimensat(2)`.

use super::{Context, Vfs};
use crate::permission::{Access, Credentials, SETGID, SETUID, check};
use crate::{Errno, FileFlags, InodeId, Metadata, Timestamp};

/// How old an access time may get before reading renews it, in seconds: a day, as `relatime` has it.
const RELATIME_SECS: i64 = 24 * 60 * 60;

impl Vfs {
    /// Sets the permission bits. Outside one's groups, set-group-ID is dropped silently.
    ///
    /// # Errors
    ///
    /// `EPERM` for all but owner and root and for synthetic nodes, `EOPNOTSUPP` for a link.
    pub fn chmod(&mut self, cx: &Context<'_>, ino: InodeId, mode: u16) -> Result<(), Errno> {
        let meta = self.owned(cx, ino)?;
        if meta.is_symlink() {
            return Err(Errno::Eopnotsupp);
        }
        if meta.flags.is_pinned() {
            return Err(Errno::Eperm);
        }
        let mut mode = mode & 0o7777;
        if !cx.creds.is_root() && !cx.creds.in_group(meta.gid) {
            mode &= !SETGID;
        }
        let node = self.overlay.change(ino)?;
        node.mode = mode;
        node.ctime = cx.now;
        Ok(())
    }

    /// Sets owner and group; `None` leaves one as it is. A program loses its set-ID bits, even when
    /// root does it.
    ///
    /// # Errors
    ///
    /// `EPERM` unless root, or the owner choosing one of his groups.
    pub fn chown(
        &mut self,
        cx: &Context<'_>,
        ino: InodeId,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> Result<(), Errno> {
        let meta = self.metadata(cx, ino)?;
        self.may_change(false, &meta)?;
        if !cx.creds.is_root() {
            let owner = cx.creds.uid == meta.uid;
            let uid_ok = uid.is_none_or(|uid| owner && uid == meta.uid);
            let gid_ok = gid.is_none_or(|gid| owner && (gid == meta.gid || cx.creds.in_group(gid)));
            if !uid_ok || !gid_ok {
                return Err(Errno::Eperm);
            }
        }
        if ino.is_synthetic() || meta.flags.is_pinned() {
            return Err(Errno::Eperm);
        }
        let node = self.overlay.change(ino)?;
        node.uid = uid.unwrap_or(node.uid);
        node.gid = gid.unwrap_or(node.gid);
        node.ctime = cx.now;
        if !meta.is_dir() {
            node.mode = without_set_id(node.mode, meta.gid, cx.creds);
        }
        Ok(())
    }

    /// Takes the set-ID bits of a program somebody wrote to; nothing happens when root did.
    ///
    /// [`open`](Self::open) does it when it truncates. Writing through a descriptor is up to the
    /// caller, who alone knows in whose name.
    pub fn strip_set_id(&mut self, cx: &Context<'_>, ino: InodeId) {
        let Ok(meta) = self.metadata(cx, ino) else {
            return;
        };
        let mode = without_set_id(meta.mode, meta.gid, cx.creds);
        if cx.creds.is_root() || !meta.is_regular() || mode == meta.mode {
            return;
        }
        if let Ok(node) = self.overlay.change(ino) {
            node.mode = mode;
        }
    }

    /// Sets the flags of `chattr(1)`.
    ///
    /// # Errors
    ///
    /// `EPERM` for all but owner and root, for all but root where immutable or append-only come or
    /// go, and for synthetic nodes; `EOPNOTSUPP` for what is neither file nor directory.
    pub fn set_flags(
        &mut self,
        cx: &Context<'_>,
        ino: InodeId,
        flags: FileFlags,
    ) -> Result<(), Errno> {
        let meta = self.owned(cx, ino)?;
        if !meta.is_dir() && !meta.is_regular() {
            return Err(Errno::Eopnotsupp);
        }
        let changed = FileFlags(meta.flags.0 ^ flags.0);
        if changed.is_pinned() && !cx.creds.is_root() {
            return Err(Errno::Eperm);
        }
        let node = self.overlay.change(ino)?;
        node.flags = flags;
        node.ctime = cx.now;
        Ok(())
    }

    /// Sets access and modification time; `None` leaves one as it is.
    ///
    /// Setting both to [`Context::now`] is `touch`: who may write may do that.
    ///
    /// # Errors
    ///
    /// `EPERM` for all but owner and root; `EACCES` for a `touch` without write permission.
    pub fn set_times(
        &mut self,
        cx: &Context<'_>,
        ino: InodeId,
        atime: Option<Timestamp>,
        mtime: Option<Timestamp>,
    ) -> Result<(), Errno> {
        let meta = self.metadata(cx, ino)?;
        self.may_change(false, &meta)?;
        if !cx.creds.owns(&meta) {
            if atime != Some(cx.now) || mtime != Some(cx.now) {
                return Err(Errno::Eperm);
            }
            check(&meta, cx.creds, Access::Write)?;
        }
        if ino.is_synthetic() || meta.flags.is_pinned() {
            return Err(Errno::Eperm);
        }
        let node = self.overlay.change(ino)?;
        node.atime = atime.unwrap_or(node.atime);
        node.mtime = mtime.unwrap_or(node.mtime);
        node.ctime = cx.now;
        Ok(())
    }

    /// Notes a read, as `relatime` does.
    ///
    /// A file of the image is not copied for it, and only so many are remembered.
    pub fn touch_atime(&mut self, ino: InodeId, now: Timestamp) {
        let Ok(meta) = self.overlay.metadata(ino) else {
            return;
        };
        let stale = meta.atime <= meta.mtime
            || meta.atime <= meta.ctime
            || now.secs.saturating_sub(meta.atime.secs) >= RELATIME_SECS;
        if !stale || self.has_option(meta.dev, b"noatime") {
            return;
        }
        match self.overlay.changed(ino) {
            Some(node) => node.atime = now,
            None => self.overlay.note_read(ino, now),
        }
    }

    /// The metadata, if the caller may change it.
    fn owned(&self, cx: &Context<'_>, ino: InodeId) -> Result<Metadata, Errno> {
        let meta = self.metadata(cx, ino)?;
        self.may_change(false, &meta)?;
        if !cx.creds.owns(&meta) || ino.is_synthetic() {
            return Err(Errno::Eperm);
        }
        Ok(meta)
    }
}

/// A mode after a change that could make a privileged program do something else.
fn without_set_id(mode: u16, gid: u32, creds: &Credentials) -> u16 {
    let mut mode = mode & !SETUID;
    // Without group execution the bit once meant mandatory locking, and may stay.
    if mode & 0o010 != 0 || !(creds.is_root() || creds.in_group(gid)) {
        mode &= !SETGID;
    }
    mode
}
