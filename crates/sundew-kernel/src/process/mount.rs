//! Mounts: mount(2), umount2(2), statfs(2).

use sundew_vfs::{Errno, InodeId, Making, Mount, MountRoot, Usage};

use super::Process;
use crate::descriptor::Kind;
use crate::procfs::{PROC_ROOT, PTS_ROOT};
use crate::{Pid, lock};

/// What is to be mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filesystem<'a> {
    /// An empty tree in memory with this mode and room for so many bytes (`u64::MAX`: half the
    /// machine's memory).
    Memory {
        /// Permission bits of its root.
        mode: u16,
        /// Bytes.
        room: u64,
    },
    /// `proc` once more.
    Proc,
    /// `devpts` once more.
    Terminals,
    /// What is at a path already: a bind mount.
    Bind(&'a [u8]),
}

/// A line of the mount table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountLine<'a> {
    /// `tmpfs`, `/dev/vda1`.
    pub source: &'a [u8],
    /// `tmpfs`, `ext4`.
    pub fs_type: &'a [u8],
    /// `rw,relatime`.
    pub options: &'a [u8],
}

/// Device numbers that belong to no device: major 0.
const ANONYMOUS: std::ops::Range<u64> = 1..256;

impl Process {
    /// Mounts something over `target`.
    ///
    /// # Errors
    ///
    /// [`Errno::Eperm`] unless root asks; [`Errno::Eloop`] for a bind mount into itself; whatever
    /// mount(2) answers.
    pub fn mount(
        &self,
        target: &[u8],
        filesystem: Filesystem<'_>,
        line: MountLine<'_>,
    ) -> Result<(), Errno> {
        if self.credentials().uid != 0 {
            return Err(Errno::Eperm);
        }
        let target = self.mount_point(target)?;
        let half = self.kernel.facts.memory_total_kib * 512;
        self.with_fs(|fs, cx| {
            let used: Vec<u64> = fs.mounts().iter().map(|mount| mount.dev).collect();
            let fresh = ANONYMOUS.rev().find(|dev| !used.contains(dev));
            let fresh = fresh.ok_or(Errno::Emfile)?;
            let mut making = Making {
                now: cx.now,
                ..Making::default()
            };
            let (root, dev) = match filesystem {
                Filesystem::Memory { mode, room } => {
                    making.mode = mode;
                    making.room = if room == u64::MAX { half } else { room };
                    (MountRoot::Tree, fresh)
                }
                Filesystem::Proc => (MountRoot::Synthetic(PROC_ROOT), fresh),
                Filesystem::Terminals => (MountRoot::Synthetic(PTS_ROOT), fresh),
                Filesystem::Bind(source) => {
                    let source = fs.resolve(cx, source, true)?;
                    (MountRoot::Bind(source), fs.metadata(cx, source)?.dev)
                }
            };
            let mount = Mount {
                source: line.source.into(),
                target: target.clone().into(),
                fs_type: line.fs_type.into(),
                options: line.options.into(),
                dev,
                root,
            };
            fs.mount_in(mount, making, cx.synthetic)
        })
    }

    /// Replaces the options of what is mounted at `target`.
    ///
    /// # Errors
    ///
    /// [`Errno::Eperm`] unless root asks, [`Errno::Einval`] when nothing is mounted there,
    /// [`Errno::Ebusy`] for `ro` where a file is open for writing.
    pub fn remount(&self, target: &[u8], options: &[u8]) -> Result<(), Errno> {
        if self.credentials().uid != 0 {
            return Err(Errno::Eperm);
        }
        let plain = self.absolute(target);
        let target = match self.mounts().iter().any(|mount| *mount.target == *plain) {
            true => plain,
            false => self.mount_point(target)?,
        };
        let read_only = options
            .split(|&byte| byte == b',')
            .any(|word| word == b"ro");
        let written: Vec<_> = if read_only {
            self.written_files()
        } else {
            Vec::new()
        };
        self.with_fs(|fs, cx| {
            let mounted = fs.mounts().iter().rfind(|mount| *mount.target == *target);
            let bound = mounted.is_some_and(|mount| matches!(mount.root, MountRoot::Bind(_)));
            let dev = mounted.map(|mount| mount.dev);
            let holds = |ino| fs.metadata(cx, ino).is_ok_and(|file| Some(file.dev) == dev);
            // The daemons have their logs open on the root file system.
            let busy = target == b"/" || written.into_iter().any(holds);
            if read_only && busy && !bound {
                return Err(Errno::Ebusy);
            }
            fs.remount(&target, options)
        })
    }

    /// The files that somebody has open for writing.
    fn written_files(&self) -> Vec<InodeId> {
        let states: Vec<_> = lock(&self.kernel.table)
            .processes
            .values()
            .cloned()
            .collect();
        let mut written = Vec::new();
        for state in states {
            let inner = lock(&state.inner);
            written.extend(inner.fds.iter().filter_map(
                |(_, entry)| match &entry.description.kind {
                    Kind::File(file) if entry.description.flags.write => Some(file.ino),
                    _ => None,
                },
            ));
        }
        written
    }

    /// Takes away what was mounted last at `target`, a path as the table has it; `lazy` even if
    /// something on it is in use.
    ///
    /// # Errors
    ///
    /// [`Errno::Eperm`] unless root asks, [`Errno::Einval`] when nothing is mounted there,
    /// [`Errno::Ebusy`] for what is in use and for what the machine needs.
    pub fn unmount(&self, target: &[u8], lazy: bool) -> Result<(), Errno> {
        if self.credentials().uid != 0 {
            return Err(Errno::Eperm);
        }
        self.with_fs(|fs, cx| {
            let mount = fs
                .mounts()
                .iter()
                .rfind(|mount| *mount.target == *target)
                .cloned()
                .ok_or(Errno::Einval)?;
            // What the machine came with is held by its daemons, but for shared memory.
            let started_with = self.kernel.mounts.contains(&mount);
            if started_with && &*mount.target != b"/dev/shm" {
                return Err(Errno::Ebusy);
            }
            let states: Vec<_> = lock(&self.kernel.table)
                .processes
                .values()
                .cloned()
                .collect();
            let inside = |directory| {
                mount.root == MountRoot::Tree
                    && fs
                        .metadata(cx, directory)
                        .is_ok_and(|metadata| metadata.dev == mount.dev)
            };
            let held = states.iter().any(|state| {
                let directory = lock(&state.inner).directory;
                !state.is_resident() && inside(directory)
            });
            if held && !lazy {
                return Err(Errno::Ebusy);
            }
            fs.unmount(target, lazy).map(drop)
        })
    }

    /// The path that the table has for a place: a directory's own, a file's in its directory.
    fn mount_point(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let absolute = self.absolute(path);
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            if let Some(path) = fs.path_in(cx, ino) {
                return Ok(path);
            }
            if fs.metadata(cx, ino)?.is_dir() {
                return crate::procfs::path_of(cx.synthetic, ino).ok_or(Errno::Einval);
            }
            let at = absolute.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            let (directory, name) = absolute.split_at(at);
            let directory = fs.resolve(cx, &[directory, b"/"].concat(), true)?;
            let mut path = fs.path_in(cx, directory).ok_or(Errno::Einval)?;
            if path == b"/" {
                path.clear();
            }
            path.extend_from_slice(name);
            Ok(path)
        })
    }

    /// The mount table.
    pub fn mounts(&self) -> Vec<Mount> {
        self.with_fs(|fs, _| fs.mounts().to_vec())
    }

    /// What was put onto the filesystem of this device number since the machine began, and the bytes
    /// it has room for; `u64::MAX` if nothing but the machine's limits says.
    pub fn usage_of(&self, dev: u64) -> (Usage, u64) {
        self.with_fs(|fs, _| fs.usage_of(dev))
    }

    /// Bytes that may still be written to disks, whatever these have free: what is left of the machine's limit
    /// and of those it shares.
    pub fn room_on_disks(&self) -> u64 {
        self.with_fs(|fs, _| {
            let own = fs.limits().max_bytes.saturating_sub(fs.usage().bytes);
            own.min(fs.shared_room())
        })
    }

    /// Whether something is mounted over `/proc/PID`, so that no tool finds the process.
    pub(super) fn covered_processes(&self) -> Vec<Pid> {
        self.with_fs(|fs, _| {
            let below_proc = |mount: &Mount| {
                let name = mount.target.strip_prefix(b"/proc/")?;
                std::str::from_utf8(name).ok()?.parse().ok()
            };
            fs.mounts().iter().filter_map(below_proc).collect()
        })
    }
}
