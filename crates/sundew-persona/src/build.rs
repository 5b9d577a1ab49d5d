//! Everything of one machine in one value.

use std::sync::Arc;

use sundew_kernel::Pid;
use sundew_kernel::environment::Environment;
use sundew_kernel::facts::Facts;
use sundew_kernel::machine::Resident;
use sundew_kernel::procfs::{PROC_ROOT, PTS_ROOT};
use sundew_vfs::{Errno, Image, ImageError, Limits, Mount, MountRoot, Vfs};

use crate::facts::{self, Origin};
use crate::manifest::{self, ManifestError};
use crate::processes;
use crate::tree::{self, Data, Executable, Runs};
use crate::users::{self, Group, User};

/// One believable machine: what a kernel needs to be told, and what a front end must know.
#[derive(Debug)]
pub struct Persona {
    /// The filesystem, shared by all visitors.
    pub image: Arc<Image>,
    /// Its facts.
    pub facts: Arc<Facts>,
    /// `/etc/passwd` as it is in the image.
    pub users: Vec<User>,
    /// `/etc/group` as it is in the image.
    pub groups: Vec<Group>,
    /// The mount table in order.
    pub mounts: Vec<Mount>,
    /// The processes of the booted machine.
    pub residents: Vec<Resident>,
    /// The listening sshd: the parent of a login.
    pub sshd: Pid,
    /// The last process number given so far.
    pub last_pid: Pid,
    /// Where the machine's randomness starts.
    pub seed: u64,
    executables: Vec<Executable>,
}

/// Why a machine cannot be built. All of them are errors of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonaError {
    /// A line of this file does not parse.
    Manifest(&'static str, ManifestError),
    /// The tree promises this file a content that is nowhere.
    MissingContent(Vec<u8>),
    /// A node does not fit.
    Image(ImageError),
}

impl std::fmt::Display for PersonaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Manifest(file, error) => write!(f, "{file}: {error}"),
            Self::MissingContent(path) => {
                write!(
                    f,
                    "{}: in tree.txt, but without content",
                    String::from_utf8_lossy(path)
                )
            }
            Self::Image(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PersonaError {}

impl From<ImageError> for PersonaError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

/// The data of the Debian 12 persona, part of the program.
pub const DEBIAN12: Data<'static> = Data {
    tree: include_bytes!("../../../personas/debian12/tree.txt"),
    config: include_bytes!("../../../personas/debian12/config.txt"),
    own: include_bytes!("../../../personas/debian12/own.txt"),
};

impl Persona {
    /// A Debian 12 server; the same for the same origin.
    ///
    /// Takes some milliseconds: once for each sensor, not for each visitor.
    ///
    /// # Errors
    ///
    /// None with the data as it is in the repository; a test sees to that.
    pub fn debian12(origin: &Origin) -> Result<Self, PersonaError> {
        Self::build(DEBIAN12, origin, &|_| true)
    }

    /// The same without the commands for which `runs` answers no: the table of programs decides what
    /// the machine has.
    ///
    /// # Errors
    ///
    /// As [`Persona::debian12`].
    pub fn debian12_with(origin: &Origin, runs: Runs<'_>) -> Result<Self, PersonaError> {
        Self::build(DEBIAN12, origin, runs)
    }

    /// A machine of other data.
    ///
    /// # Errors
    ///
    /// What is wrong with the data.
    pub fn build(data: Data<'_>, origin: &Origin, runs: Runs<'_>) -> Result<Self, PersonaError> {
        let facts = facts::facts(origin);
        let tree = tree::build(data, origin, &facts, runs)?;
        let config = manifest::sections(data.config)
            .map_err(|error| PersonaError::Manifest("config.txt", error))?;
        let text = |path: &[u8]| config.get(path).copied().unwrap_or_default();
        Ok(Self {
            users: users::passwd(text(b"/etc/passwd")),
            groups: users::group(text(b"/etc/group")),
            mounts: mounts(&facts),
            residents: processes::residents(origin, &facts),
            sshd: processes::sshd_pid(origin),
            last_pid: processes::last_pid(origin),
            seed: origin.seed.number("machine"),
            image: tree.image,
            executables: tree.executables,
            facts: Arc::new(facts),
        })
    }

    /// Every executable file with the program it must run; the program table has to know them all.
    pub fn executables(&self) -> &[Executable] {
        &self.executables
    }

    /// The user of this name.
    pub fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The environment sshd gives a login before the shell adds its own; `SSH_CLIENT`,
    /// `SSH_CONNECTION`, `SSH_TTY` and `TERM` are the front end's.
    pub fn environment(&self, user: &User) -> Environment {
        let path: &[u8] = if user.uid == 0 {
            SUPERUSER_PATH
        } else {
            USER_PATH
        };
        [
            (b"USER".as_slice(), user.name.as_slice()),
            (b"LOGNAME", &user.name),
            (b"HOME", &user.home),
            (b"PATH", path),
            (b"SHELL", &user.shell),
            (b"LANG", b"C.UTF-8"),
        ]
        .into_iter()
        .collect()
    }

    /// A fresh filesystem for one visitor, with all mounts.
    ///
    /// # Errors
    ///
    /// A mount point that is missing in the image; a test sees to that.
    pub fn filesystem(&self, limits: Limits) -> Result<Vfs, Errno> {
        let mut vfs = Vfs::new(Arc::clone(&self.image), limits);
        for mount in &self.mounts {
            // FIXME: `/dev`, `/run` and `/sys` are part of the image and missing in the mount table
            // until the vfs lets a mount show what the image has there.
            if mount.root == MountRoot::Image && mount.target.as_ref() != b"/" {
                continue;
            }
            vfs.mount(mount.clone())?;
        }
        Ok(vfs)
    }
}

/// The mount table of systemd on Debian 12, without what only root's curiosity would find.
fn mounts(facts: &Facts) -> Vec<Mount> {
    let mut mounts = Vec::new();
    let mut add = |source: &[u8], target: &str, fs_type: &str, options: &str, root| {
        mounts.push(Mount {
            source: source.into(),
            target: target.as_bytes().into(),
            fs_type: fs_type.as_bytes().into(),
            options: options.as_bytes().into(),
            dev: 0,
            root,
        });
    };
    let memory = facts.memory_total_kib;
    let device = facts
        .disks
        .first()
        .map_or(b"/dev/root".as_slice(), |disk| &disk.device);
    let udev = format!(
        "rw,nosuid,relatime,size={}k,nr_inodes={},mode=755,inode64",
        memory / 2,
        memory / 8
    );
    let run = format!(
        "rw,nosuid,nodev,noexec,relatime,size={}k,mode=755,inode64",
        memory / 10
    );
    add(
        device,
        "/",
        "ext4",
        "rw,relatime,errors=remount-ro",
        MountRoot::Image,
    );
    add(
        b"sysfs",
        "/sys",
        "sysfs",
        "rw,nosuid,nodev,noexec,relatime",
        MountRoot::Image,
    );
    add(
        b"proc",
        "/proc",
        "proc",
        "rw,nosuid,nodev,noexec,relatime",
        MountRoot::Synthetic(PROC_ROOT),
    );
    add(b"udev", "/dev", "devtmpfs", &udev, MountRoot::Image);
    let pts = "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000";
    add(
        b"devpts",
        "/dev/pts",
        "devpts",
        pts,
        MountRoot::Synthetic(PTS_ROOT),
    );
    add(b"tmpfs", "/run", "tmpfs", &run, MountRoot::Image);
    add(
        b"tmpfs",
        "/dev/shm",
        "tmpfs",
        "rw,nosuid,nodev,inode64",
        MountRoot::Tree,
    );
    add(
        b"tmpfs",
        "/run/lock",
        "tmpfs",
        "rw,nosuid,nodev,noexec,relatime,size=5120k,inode64",
        MountRoot::Tree,
    );
    // The root file system has its real device number, the others count from where Linux does.
    for (number, mount) in (0..).zip(&mut mounts) {
        mount.dev = if number == 0 {
            root_device(device)
        } else {
            21 + number
        };
    }
    mounts
}

/// `st_dev` of the first partition.
fn root_device(device: &[u8]) -> u64 {
    let major: u64 = match device {
        b"/dev/vda1" => 254,
        b"/dev/xvda1" => 202,
        _ => 8,
    };
    major << 8 | 1
}

const SUPERUSER_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const USER_PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin:/usr/games";
