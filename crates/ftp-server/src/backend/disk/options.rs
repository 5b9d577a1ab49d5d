//! What the operator decides about directories of the host.

/// What the operator decides about directories of the host. The default follows links that stay inside
/// and writes uploads in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskOptions {
    /// Which symbolic links are followed.
    pub links: Links,
    /// How files are stored.
    pub uploads: Uploads,
    /// The permission bits that new files and directories do not get, until SITE UMASK says otherwise;
    /// `None` for those of the process.
    pub umask: Option<u16>,
    /// Bytes of the file system that uploads leave alone: if less is free, they are refused as on a
    /// full disk.
    pub keep_free: u64,
}

/// Which symbolic links are followed. None that leads out of the directory ever is, and absolute ones
/// lead out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// None; they are listed, removed and renamed, and none can be made.
    Never,
    /// Those that belong to the owner of what they lead to.
    Owner,
    /// All that stay inside.
    #[default]
    Inside,
}

/// How files are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// Whether an upload is written under a hidden name and takes its own when it is whole, so that
    /// nobody ever sees a part of a file. Uploads that go on with a file (APPE, REST, RANG), and those
    /// to a name that is a symbolic link, are written in place all the same.
    pub atomic: bool,
    /// What becomes of an upload that is cut or aborted.
    pub partial: Partial,
    /// What is on the disk when the client is told that its upload is complete.
    pub durability: Durability,
    /// Whether a file may take the place of another, by STOR, RNTO or a copy.
    pub overwrite: bool,
    /// Whether the room that ALLO announces is set aside when the upload begins.
    pub preallocate: bool,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            atomic: false,
            partial: Partial::default(),
            durability: Durability::default(),
            overwrite: true,
            preallocate: true,
        }
    }
}

/// What becomes of an upload that is cut or aborted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partial {
    /// What was written stays, so that the client can go on with REST or APPE. Of atomic uploads only
    /// that of a new file does: a part never replaces a whole.
    #[default]
    Keep,
    /// A file that was new or replaced is removed. One that was gone on with keeps what it has.
    Remove,
}

/// What is on the disk when the client is told that its upload is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Whatever the system has written so far.
    #[default]
    None,
    /// The bytes: `fsync(2)` of the file.
    File,
    /// The bytes and the name: of the directory as well.
    Directory,
}
