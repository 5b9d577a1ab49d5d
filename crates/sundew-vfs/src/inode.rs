//! What an inode is to its users: an identity, a type, attributes.

use std::fmt;

/// Identity of a file, and the number `ls -i` prints.
///
/// Never reused within one machine, so a stale one answers `ENOENT` and cannot mean another file.
/// Bit 63 marks the nodes that a [`Synthetic`](crate::Synthetic) answers for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct InodeId(pub u64);

impl InodeId {
    /// The bit that marks synthetic nodes.
    pub const SYNTHETIC: u64 = 1 << 63;

    /// Whether the truth about this node lives outside the filesystem.
    #[must_use]
    pub const fn is_synthetic(self) -> bool {
        self.0 & Self::SYNTHETIC != 0
    }

    /// What `st_ino` says: for a synthetic node a number such as Linux gives on its own filesystems, whose
    /// roots have the 1.
    #[must_use]
    pub const fn number(self) -> u64 {
        if !self.is_synthetic() {
            return self.0;
        }
        // The kind in the top byte, a process, an index; see the kernel's `procfs`.
        let (of_process, index) = (self.0 & 0xff_ffff_ff00_0000, self.0 & 0xff_ffff);
        match (of_process, index) {
            (0, 0) => 1,
            (0, index) => FIRST_FIXED + index,
            (of_process, index) => (of_process >> 16) + index,
        }
    }
}

/// Where Linux begins to count what it has for good on procfs: `PROC_DYNAMIC_FIRST`, with its sign taken as
/// part of the number.
const FIRST_FIXED: u64 = 0xf000_0000;

impl fmt::Display for InodeId {
    /// As [`number`](Self::number) has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// The seven file types of Unix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileType {
    /// Bytes.
    Regular,
    /// Names.
    Directory,
    /// A path to go on with.
    Symlink,
    /// A terminal, `/dev/null`.
    CharDevice,
    /// A disk.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A name of a Unix-domain socket.
    Socket,
}

impl FileType {
    /// The `S_IFMT` bits of `st_mode`; see `inode(7)`.
    #[must_use]
    pub const fn mode_bits(self) -> u32 {
        match self {
            Self::Fifo => 0o010_000,
            Self::CharDevice => 0o020_000,
            Self::Directory => 0o040_000,
            Self::BlockDevice => 0o060_000,
            Self::Regular => 0o100_000,
            Self::Symlink => 0o120_000,
            Self::Socket => 0o140_000,
        }
    }
}

/// A moment, as inodes keep it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Timestamp {
    /// Seconds since 1970, negative before.
    pub secs: i64,
    /// Nanoseconds after `secs`, under 10⁹.
    pub nanos: u32,
}

/// What `stat(2)` answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// Which file.
    pub ino: InodeId,
    /// Which filesystem, as `st_dev`.
    pub dev: u64,
    /// What it is.
    pub file_type: FileType,
    /// Permission bits, `07777` at most.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names of it; for a directory 2 and its subdirectories.
    pub nlink: u32,
    /// Bytes; for a link the length of its target.
    pub size: u64,
    /// Allocated units of 512 bytes; holes have none.
    pub blocks: u64,
    /// Major and minor number of a device, zeros otherwise.
    pub rdev: (u32, u32),
    /// Last read.
    pub atime: Timestamp,
    /// Last change of the content.
    pub mtime: Timestamp,
    /// Last change of the inode.
    pub ctime: Timestamp,
    /// What `lsattr` shows.
    pub flags: FileFlags,
}

/// The attributes of `chattr(1)`, numbered as `FS_IOC_GETFLAGS` has them; see `ioctl_iflags(2)`.
///
/// [`IMMUTABLE`](Self::IMMUTABLE) and [`APPEND`](Self::APPEND) are enforced, the others are kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FileFlags(pub u32);

impl FileFlags {
    /// `i`: nobody changes, removes, renames or links it.
    pub const IMMUTABLE: Self = Self(0x10);
    /// `a`: it only grows.
    pub const APPEND: Self = Self(0x20);

    /// Whether any flag of `other` is set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether name and attributes must stay.
    #[must_use]
    pub fn is_pinned(self) -> bool {
        self.has(Self(Self::IMMUTABLE.0 | Self::APPEND.0))
    }
}

impl Metadata {
    /// Whether names can be looked up in it.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.file_type == FileType::Directory
    }

    /// Whether it has bytes of its own.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        self.file_type == FileType::Regular
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.file_type == FileType::Symlink
    }
}

/// A name in a directory; never `.` or `..`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirEntry {
    /// Any bytes but `/` and NUL.
    pub name: Box<[u8]>,
    /// What it names; under a mount point, the covered directory, as `readdir(3)` does.
    pub ino: InodeId,
    /// Its type, to spare callers a `stat`.
    pub file_type: FileType,
}
