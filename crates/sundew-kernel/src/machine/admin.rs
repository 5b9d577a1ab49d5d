//! What the daemons of a machine do to its files: a login is recorded, an account is made.
//!
//! Everything here is done as root, under the machine's quota, and takes no process.

use sundew_vfs::{Context, Credentials, Errno, OpenOptions, Vfs};

use super::Machine;
use crate::lock;
use crate::procfs::View;

/// Mode and owner of something that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// Permission bits.
    pub mode: u16,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Owned {
    /// `0644`, root's.
    pub const ROOT: Self = Self {
        mode: 0o644,
        uid: 0,
        gid: 0,
    };
}

impl Machine {
    /// What switching the machine off and on again does to its files; see [`sundew_vfs::Vfs::power_cycle`].
    pub fn power_cycle(&self, emptied: &[&[u8]]) {
        lock(&self.kernel.fs).power_cycle(emptied);
    }

    fn as_root<T>(
        &self,
        call: impl FnOnce(&mut Vfs, &Context<'_>) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let root = Credentials::root();
        let view = View::new(&self.kernel, 1);
        let mut fs = lock(&self.kernel.fs);
        let cx = Context {
            creds: &root,
            synthetic: &view,
            cwd: fs.root(),
            now: self.kernel.clock.wall(),
        };
        call(&mut fs, &cx)
    }

    /// Writes into a file that is there; from its end on without `offset`.
    ///
    /// # Errors
    ///
    /// Whatever open(2) and write(2) answer; [`Errno::Enospc`] when not all of it fits.
    pub fn write_file(&self, path: &[u8], offset: Option<u64>, data: &[u8]) -> Result<(), Errno> {
        self.as_root(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            let offset = match offset {
                Some(offset) => offset,
                None => fs.size(ino)?,
            };
            let count = fs.write_at(ino, offset, data, cx.now)?;
            if count < data.len() {
                return Err(Errno::Enospc);
            }
            Ok(())
        })
    }

    /// Replaces what a file that is there holds.
    ///
    /// # Errors
    ///
    /// As for [`Machine::write_file`].
    pub fn replace_file(&self, path: &[u8], data: &[u8]) -> Result<(), Errno> {
        self.as_root(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            fs.truncate(ino, 0, cx.now)
        })?;
        self.write_file(path, Some(0), data)
    }

    /// Makes a file that is not there yet.
    ///
    /// # Errors
    ///
    /// [`Errno::Eexist`], and whatever open(2) and write(2) answer.
    pub fn make_file(&self, path: &[u8], data: &[u8], owned: Owned) -> Result<(), Errno> {
        self.as_root(|fs, cx| {
            let options = OpenOptions {
                write: true,
                create: true,
                exclusive: true,
                mode: owned.mode,
                ..OpenOptions::default()
            };
            let ino = fs.open(cx, path, options)?.ino;
            fs.write_at(ino, 0, data, cx.now)?;
            fs.chown(cx, ino, Some(owned.uid), Some(owned.gid))
        })
    }

    /// Makes a directory that is not there yet.
    ///
    /// # Errors
    ///
    /// Whatever mkdir(2) answers.
    pub fn make_directory(&self, path: &[u8], owned: Owned) -> Result<(), Errno> {
        self.as_root(|fs, cx| {
            let ino = fs.mkdir(cx, path, owned.mode)?;
            fs.chown(cx, ino, Some(owned.uid), Some(owned.gid))
        })
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// Whatever unlink(2) answers.
    pub fn remove_file(&self, path: &[u8]) -> Result<(), Errno> {
        self.as_root(|fs, cx| fs.unlink(cx, path))
    }

    /// The number of the first daemon of this name.
    #[must_use]
    pub fn resident_named(&self, name: &[u8]) -> Option<crate::Pid> {
        let table = lock(&self.kernel.table);
        let mut residents = table
            .processes
            .values()
            .filter_map(|state| state.as_resident());
        residents
            .find(|one| one.name == name.get(..name.len().min(15)).unwrap_or(name))
            .map(|one| one.pid)
    }

    /// The names in a directory.
    ///
    /// # Errors
    ///
    /// Whatever readdir(3) answers.
    pub fn list_directory(&self, path: &[u8]) -> Result<Vec<Box<[u8]>>, Errno> {
        self.as_root(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            let entries = fs.read_dir(cx, ino)?;
            Ok(entries.into_iter().map(|entry| entry.name).collect())
        })
    }
}
