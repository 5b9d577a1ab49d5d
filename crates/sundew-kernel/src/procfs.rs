//! `/proc` and `/dev/pts`: names whose truth is the process table and the facts.
//!
//! A node is a number: its kind, a process and an index, packed into an [`InodeId`] with the
//! synthetic bit. Nothing is stored; `View` answers from the kernel's state at the time of asking.

mod content;
mod net;
mod process_files;
mod process_text;
mod system;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sundew_vfs::{
    Credentials, DirEntry, Errno, FileType, InodeId, Metadata, MountRoot, Synthetic, Timestamp,
};

use crate::descriptor::{Description, Kind};
use crate::machine::Kernel;
use crate::tty::Tty;
use crate::{Fd, Pid, lock};
pub use content::MemoryUse;
use content::{Entry, TREE};
use process_files::PROCESS_FILES;

/// The root of `/proc`, for the mount table.
pub const PROC_ROOT: InodeId = Node::Tree(0).id();
/// The root of `/dev/pts`, for the mount table.
pub const PTS_ROOT: InodeId = Node::PtsRoot.id();

/// The terminal that `/dev/pts/N` is.
pub(crate) fn terminal(kernel: &Kernel, id: InodeId) -> Option<Arc<Tty>> {
    match Node::from_id(id)? {
        Node::Pts(index) => kernel.tty(index),
        _ => None,
    }
}

const SYNTHETIC: u64 = 1 << 63;

/// Links of `/proc` besides those of the processes: the directories of Linux 6.1.
const PROC_LINKS: u32 = 12;

/// What a synthetic inode number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    /// Index into [`TREE`].
    Tree(u32),
    /// `/proc/PID`.
    Process(Pid),
    /// Index into [`PROCESS_FILES`].
    ProcessFile(Pid, u32),
    /// `/proc/PID/fd/N`: a link.
    Descriptor(Pid, Fd),
    /// What such a link leads to when it names no path: the open file itself.
    OpenFile(Pid, Fd),
    PtsRoot,
    Pts(u32),
    /// `/proc/PID/fdinfo/N`.
    DescriptorInfo(Pid, Fd),
    /// `/proc/PID/task/PID`, where a walk comes to an end: it has no `task`.
    Task(Pid),
}

impl Node {
    const fn id(self) -> InodeId {
        let (kind, pid, index) = match self {
            Self::Tree(index) => (0, 0, index),
            Self::Process(pid) => (1, pid, 0),
            Self::ProcessFile(pid, index) => (2, pid, index),
            Self::Descriptor(pid, fd) => (3, pid, fd),
            Self::OpenFile(pid, fd) => (4, pid, fd),
            Self::PtsRoot => (5, 0, 0),
            Self::Pts(index) => (6, 0, index),
            Self::DescriptorInfo(pid, fd) => (7, pid, fd),
            Self::Task(pid) => (8, pid, 0),
        };
        InodeId(SYNTHETIC | (kind as u64) << 56 | (pid as u64) << 24 | index as u64)
    }

    fn from_id(id: InodeId) -> Option<Self> {
        if id.0 & SYNTHETIC == 0 {
            return None;
        }
        let index = u32::try_from(id.0 & 0xff_ffff).ok()?;
        let pid = u32::try_from(id.0 >> 24 & 0xffff_ffff).ok()?;
        Some(match id.0 >> 56 & 0x7f {
            0 => Self::Tree(index),
            1 => Self::Process(pid),
            2 => Self::ProcessFile(pid, index),
            3 => Self::Descriptor(pid, index),
            4 => Self::OpenFile(pid, index),
            5 => Self::PtsRoot,
            6 => Self::Pts(index),
            7 => Self::DescriptorInfo(pid, index),
            8 => Self::Task(pid),
            _ => return None,
        })
    }
}

/// Whether this inode is one of ours.
pub(crate) fn is_synthetic(id: InodeId) -> bool {
    id.0 & SYNTHETIC != 0
}

/// What opening a synthetic inode leads to, besides directories.
pub(crate) enum Special {
    Content,
    Descriptor(Arc<Description>),
    Terminal(Arc<Tty>),
}

/// What opening this inode leads to, if it is a synthetic one that is not a directory.
pub(crate) fn special(kernel: &Kernel, id: InodeId) -> Option<Special> {
    match Node::from_id(id)? {
        Node::Tree(index) => matches!(
            TREE.get(index as usize)?.1,
            Entry::File(_) | Entry::Setting(_)
        )
        .then_some(Special::Content),
        Node::ProcessFile(_, index) => matches!(
            PROCESS_FILES.get(index as usize)?.1,
            process_files::Entry::File(_)
        )
        .then_some(Special::Content),
        Node::DescriptorInfo(..) => Some(Special::Content),
        Node::OpenFile(pid, fd) => descriptor(kernel, pid, fd).map(Special::Descriptor),
        Node::Pts(index) => kernel.tty(index).map(Special::Terminal),
        Node::Process(_) | Node::Task(_) | Node::Descriptor(..) | Node::PtsRoot => None,
    }
}

/// What a setting is now, by its path below `/proc`.
pub(crate) fn setting(kernel: &Kernel, path: &str) -> Vec<u8> {
    let found = TREE
        .iter()
        .zip(0_u32..)
        .find_map(|((name, entry), index)| match entry {
            Entry::Setting(value) if *name == path => Some((value, index)),
            _ => None,
        });
    found.map_or_else(Vec::new, |(value, index)| {
        let changed = lock(&kernel.settings).get(&index).cloned();
        changed.unwrap_or_else(|| value.as_bytes().to_vec())
    })
}

/// Writes to a file of `/proc`: only settings take anything.
pub(crate) fn write(kernel: &Kernel, id: InodeId, data: &[u8]) -> Result<usize, Errno> {
    let Some(Node::Tree(index)) = Node::from_id(id) else {
        return Err(Errno::Einval);
    };
    let Some((_, Entry::Setting(value))) = TREE.get(index as usize) else {
        return Err(Errno::Einval);
    };
    let text = data.trim_ascii();
    let is_number = |text: &[u8]| {
        text.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'\t')
    };
    let fits = !is_number(value.as_bytes())
        || text
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace() || *byte == b'-');
    if text.is_empty() || text.len() > MAX_SETTING_BYTES || !fits {
        return Err(Errno::Einval);
    }
    lock(&kernel.settings).insert(index, [text, b"\n"].concat());
    Ok(data.len())
}

/// Bytes of a setting that is written: a name or a few numbers.
const MAX_SETTING_BYTES: usize = 256;

/// What `readlink` shows for a descriptor's link; the resolver follows another text.
pub(crate) fn shown_link(kernel: &Kernel, id: InodeId) -> Option<Vec<u8>> {
    match Node::from_id(id)? {
        Node::Descriptor(pid, fd) => match descriptor(kernel, pid, fd) {
            Some(found) => Some(found.path.clone()),
            None if is_listing(kernel, pid, fd) => Some(format!("/proc/{pid}/fd").into_bytes()),
            None => None,
        },
        _ => None,
    }
}

/// Whether this is the directory of a process's own descriptors.
pub(crate) fn lists_own(pid: Pid, id: InodeId) -> bool {
    matches!(Node::from_id(id), Some(Node::ProcessFile(of, index)) if of == pid
        && PROCESS_FILES.get(index as usize).is_some_and(|(path, ..)| *path == "fd"))
}

/// Whether a process reads the directory of its descriptors by this one.
fn is_listing(kernel: &Kernel, pid: Pid, fd: Fd) -> bool {
    let state = kernel.process(pid);
    state.is_some_and(|state| lock(&state.inner).listing == Some(fd))
}

fn descriptor(kernel: &Kernel, pid: Pid, fd: Fd) -> Option<Arc<Description>> {
    let state = kernel.process(pid)?;
    let inner = lock(&state.inner);
    Some(Arc::clone(&inner.fds.get(fd).ok()?.description))
}

/// The absolute path of a synthetic directory.
pub(crate) fn path_of(_synthetic: &dyn Synthetic, id: InodeId) -> Option<Vec<u8>> {
    Some(match Node::from_id(id)? {
        Node::Tree(0) => b"/proc".to_vec(),
        Node::Tree(index) => [b"/proc/", TREE.get(index as usize)?.0.as_bytes()].concat(),
        Node::Process(pid) => format!("/proc/{pid}").into_bytes(),
        Node::Task(pid) => format!("/proc/{pid}/task/{pid}").into_bytes(),
        Node::ProcessFile(pid, index) => {
            format!("/proc/{pid}/{}", PROCESS_FILES.get(index as usize)?.0).into_bytes()
        }
        Node::PtsRoot => b"/dev/pts".to_vec(),
        _ => return None,
    })
}

/// Metadata of what has no name: a pipe, a socket.
pub(crate) fn anonymous(file_type: FileType, creds: &Credentials) -> Metadata {
    let zero = Timestamp::default();
    Metadata {
        ino: InodeId(SYNTHETIC),
        dev: 14,
        file_type,
        mode: 0o600,
        uid: creds.uid,
        gid: creds.gid,
        nlink: 1,
        size: 0,
        blocks: 0,
        rdev: (0, 0),
        atime: zero,
        mtime: zero,
        ctime: zero,
        flags: sundew_vfs::FileFlags::default(),
    }
}

impl Kernel {
    /// `st_dev` of a synthetic filesystem, by its root.
    fn device_of(&self, root: InodeId) -> u64 {
        self.mounts
            .iter()
            .find(|mount| mount.root == MountRoot::Synthetic(root))
            .map_or(0, |mount| mount.dev)
    }
}

/// Number of the last processor.
fn last_cpu(facts: &crate::facts::Facts) -> u32 {
    facts.cpu.count.saturating_sub(1)
}

/// The rows of a table of paths by their directories: a walk over `/proc` asks for each of thousands of names.
struct Names {
    by_name: HashMap<(&'static str, &'static [u8]), u32>,
    /// In the order of the table.
    by_parent: HashMap<&'static str, Vec<(&'static [u8], u32)>>,
}

impl Names {
    /// The root of a table, an empty path, is nobody's child.
    fn of(paths: impl Iterator<Item = &'static str>) -> Self {
        let mut names = Self {
            by_name: HashMap::new(),
            by_parent: HashMap::new(),
        };
        for (index, path) in (0_u32..).zip(paths).filter(|(_, path)| !path.is_empty()) {
            let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
            names.by_name.insert((above, last.as_bytes()), index);
            let row = (last.as_bytes(), index);
            names.by_parent.entry(above).or_default().push(row);
        }
        names
    }

    fn child(&self, parent: &str, name: &[u8]) -> Option<u32> {
        self.by_name.get(&(parent, name)).copied()
    }

    fn below(&self, parent: &str) -> impl Iterator<Item = (&'static [u8], u32)> {
        let rows = self.by_parent.get(parent).map(Vec::as_slice);
        rows.unwrap_or_default().iter().copied()
    }
}

/// Whether a name of `/proc/PID` is one of `/proc/PID/task/PID` too.
fn is_of_task(name: &[u8]) -> bool {
    const NOT: [&[u8]; 8] = [
        b"autogroup",
        b"coredump_filter",
        b"map_files",
        b"mountstats",
        b"task",
        b"timens_offsets",
        b"timers",
        b"timerslack_ns",
    ];
    !NOT.contains(&name)
}

static TREE_NAMES: LazyLock<Names> =
    LazyLock::new(|| Names::of(TREE.iter().map(|(path, _)| *path)));
static PROCESS_NAMES: LazyLock<Names> =
    LazyLock::new(|| Names::of(PROCESS_FILES.iter().map(|(path, ..)| *path)));

/// The synthetic filesystems as one process sees them (`/proc/self`).
#[derive(Debug)]
pub(crate) struct View<'a> {
    kernel: &'a Kernel,
    viewer: Pid,
}

impl<'a> View<'a> {
    pub(crate) fn new(kernel: &'a Kernel, viewer: Pid) -> Self {
        Self { kernel, viewer }
    }

    fn child_of_tree(parent: u32, name: &[u8]) -> Option<InodeId> {
        let (parent, _) = TREE.get(parent as usize)?;
        TREE_NAMES
            .child(parent, name)
            .map(|index| Node::Tree(index).id())
    }

    /// The row of `/proc/PID` with this name below `parent`, a path of the table.
    fn child_of_process(pid: Pid, parent: &str, name: &[u8]) -> Option<Node> {
        let index = PROCESS_NAMES.child(parent, name)?;
        Some(Node::ProcessFile(pid, index))
    }

    /// The rows below `parent`.
    fn children_of_process(pid: Pid, parent: &str) -> impl Iterator<Item = (Vec<u8>, Node)> {
        PROCESS_NAMES
            .below(parent)
            .map(move |(name, index)| (name.to_vec(), Node::ProcessFile(pid, index)))
    }

    /// Whether the viewer may look into a process: its user and root may, ptrace(2).
    fn may_look_into(&self, pid: Pid) -> Result<(), Errno> {
        let Some(viewer) = self.kernel.process(self.viewer) else {
            return Ok(());
        };
        let uid = lock(&viewer.inner).credentials.uid;
        if uid == 0 || uid == self.owner(pid).0 {
            Ok(())
        } else {
            Err(Errno::Eacces)
        }
    }

    fn process_exists(&self, pid: Pid) -> Result<(), Errno> {
        self.kernel.process(pid).map(drop).ok_or(Errno::Enoent)
    }

    fn owner(&self, pid: Pid) -> (u32, u32) {
        self.kernel.process(pid).map_or((0, 0), |state| {
            let inner = lock(&state.inner);
            (inner.credentials.uid, inner.credentials.gid)
        })
    }

    fn fd_numbers(&self, pid: Pid) -> Vec<Fd> {
        self.kernel
            .process(pid)
            .map(|state| {
                let inner = lock(&state.inner);
                let mut numbers: Vec<Fd> = inner.fds.iter().map(|(fd, _)| fd).collect();
                numbers.extend(inner.listing.filter(|_| pid == self.viewer));
                numbers.sort_unstable();
                numbers.dedup();
                numbers
            })
            .unwrap_or_default()
    }
}

/// Type, permission bits, owner of a node.
struct Shape {
    file_type: FileType,
    mode: u16,
    owner: (u32, u32),
    rdev: (u32, u32),
    nlink: u32,
}

impl Shape {
    fn new(file_type: FileType, mode: u16) -> Self {
        let nlink = if file_type == FileType::Directory {
            2
        } else {
            1
        };
        Self {
            file_type,
            mode,
            owner: (0, 0),
            rdev: (0, 0),
            nlink,
        }
    }

    fn owned_by(self, owner: (u32, u32)) -> Self {
        Self { owner, ..self }
    }
}

impl View<'_> {
    fn shape(&self, node: Node) -> Result<Shape, Errno> {
        Ok(match node {
            Node::Tree(0) => {
                let processes = lock(&self.kernel.table).processes.len();
                let nlink = u32::try_from(processes).unwrap_or(0) + PROC_LINKS;
                let shape = Shape::new(FileType::Directory, 0o555);
                Shape { nlink, ..shape }
            }
            Node::Tree(index) => match &TREE.get(index as usize).ok_or(Errno::Enoent)?.1 {
                Entry::Directory => Shape::new(FileType::Directory, 0o555),
                Entry::File(_) => Shape::new(FileType::Regular, 0o444),
                Entry::Setting(_) => Shape::new(FileType::Regular, 0o644),
                Entry::Link(_) => Shape::new(FileType::Symlink, 0o777),
            },
            Node::Process(pid) | Node::Task(pid) => {
                self.process_exists(pid)?;
                let shape = Shape::new(FileType::Directory, 0o555).owned_by(self.owner(pid));
                let nlink = if matches!(node, Node::Task(_)) { 7 } else { 9 };
                Shape { nlink, ..shape }
            }
            Node::ProcessFile(pid, index) => {
                self.process_exists(pid)?;
                let (_, entry, mode) = PROCESS_FILES.get(index as usize).ok_or(Errno::Enoent)?;
                let file_type = match entry {
                    process_files::Entry::File(_) => FileType::Regular,
                    process_files::Entry::Link(_) => FileType::Symlink,
                    process_files::Entry::Directory
                    | process_files::Entry::Descriptors
                    | process_files::Entry::DescriptorInfos
                    | process_files::Entry::Tasks => FileType::Directory,
                };
                Shape::new(file_type, *mode).owned_by(self.owner(pid))
            }
            Node::Descriptor(pid, fd) => {
                let flags = descriptor(self.kernel, pid, fd).map(|found| found.flags);
                let mode = flags.map_or(0o500, |flags| {
                    0o100 | if flags.read { 0o400 } else { 0 } | if flags.write { 0o200 } else { 0 }
                });
                Shape::new(FileType::Symlink, mode).owned_by(self.owner(pid))
            }
            Node::DescriptorInfo(pid, _) => {
                Shape::new(FileType::Regular, 0o400).owned_by(self.owner(pid))
            }
            Node::OpenFile(pid, fd) => {
                let description = descriptor(self.kernel, pid, fd).ok_or(Errno::Enoent)?;
                let file_type = match description.kind {
                    Kind::Tty(_) | Kind::Device(..) => FileType::CharDevice,
                    Kind::Socket(_) => FileType::Socket,
                    Kind::File(_) | Kind::Snapshot { .. } => FileType::Regular,
                    Kind::Directory(_) => FileType::Directory,
                    Kind::PipeRead(_) | Kind::PipeWrite(_) | Kind::PipeBoth(..) => FileType::Fifo,
                };
                Shape::new(file_type, 0o600).owned_by(self.owner(pid))
            }
            Node::PtsRoot => Shape::new(FileType::Directory, 0o755),
            Node::Pts(index) => {
                let tty = self.kernel.tty(index).ok_or(Errno::Enoent)?;
                let owner = (self.owner(tty.session()).0, 5);
                let shape = Shape::new(FileType::CharDevice, tty.mode()).owned_by(owner);
                Shape {
                    rdev: (136, index),
                    ..shape
                }
            }
        })
    }
}

impl Synthetic for View<'_> {
    fn metadata(&self, id: InodeId) -> Result<Metadata, Errno> {
        let node = Node::from_id(id).ok_or(Errno::Enoent)?;
        let shape = self.shape(node)?;
        let now = match node {
            // They were mounted then, and nothing that comes and goes in them is noted.
            Node::Tree(0) | Node::PtsRoot => self.kernel.facts.boot_time,
            _ => self.kernel.clock.wall(),
        };
        let pts = matches!(node, Node::PtsRoot | Node::Pts(_));
        Ok(Metadata {
            ino: id,
            dev: self
                .kernel
                .device_of(if pts { PTS_ROOT } else { PROC_ROOT }),
            file_type: shape.file_type,
            mode: shape.mode,
            uid: shape.owner.0,
            gid: shape.owner.1,
            nlink: shape.nlink,
            size: 0,
            blocks: 0,
            rdev: shape.rdev,
            atime: now,
            mtime: now,
            ctime: now,
            flags: sundew_vfs::FileFlags::default(),
        })
    }

    fn lookup(&self, dir: InodeId, name: &[u8]) -> Result<InodeId, Errno> {
        let number = || std::str::from_utf8(name).ok()?.parse::<u32>().ok();
        match Node::from_id(dir).ok_or(Errno::Enoent)? {
            Node::Tree(0) if name == b"self" || name == b"thread-self" => {
                Self::child_of_tree(0, name).ok_or(Errno::Enoent)
            }
            Node::Tree(0) if name.first().is_some_and(u8::is_ascii_digit) => {
                let pid = number().ok_or(Errno::Enoent)?;
                self.process_exists(pid)?;
                Ok(Node::Process(pid).id())
            }
            Node::Tree(parent) => Self::child_of_tree(parent, name).ok_or(Errno::Enoent),
            Node::Process(pid) => Self::child_of_process(pid, "", name)
                .map(Node::id)
                .ok_or(Errno::Enoent),
            Node::Task(pid) => Self::child_of_process(pid, "task", name)
                .or_else(|| Self::child_of_process(pid, "", name).filter(|_| is_of_task(name)))
                .map(Node::id)
                .ok_or(Errno::Enoent),
            Node::ProcessFile(pid, index) => {
                let (path, entry, _) = PROCESS_FILES.get(index as usize).ok_or(Errno::Enoent)?;
                match entry {
                    process_files::Entry::Directory => Self::child_of_process(pid, path, name)
                        .map(Node::id)
                        .ok_or(Errno::Enoent),
                    process_files::Entry::Tasks if number() == Some(pid) => {
                        Ok(Node::Task(pid).id())
                    }
                    process_files::Entry::DescriptorInfos => {
                        let fd = number().ok_or(Errno::Enoent)?;
                        descriptor(self.kernel, pid, fd).ok_or(Errno::Enoent)?;
                        Ok(Node::DescriptorInfo(pid, fd).id())
                    }
                    process_files::Entry::Descriptors => {
                        // A leading dot asks for what the link hides.
                        let (open, digits) = name
                            .strip_prefix(b".")
                            .map_or((false, name), |rest| (true, rest));
                        let fd = std::str::from_utf8(digits)
                            .ok()
                            .and_then(|text| text.parse().ok());
                        let fd: Fd = fd.ok_or(Errno::Enoent)?;
                        if open || !is_listing(self.kernel, pid, fd) {
                            descriptor(self.kernel, pid, fd).ok_or(Errno::Enoent)?;
                        }
                        Ok(if open {
                            Node::OpenFile(pid, fd).id()
                        } else {
                            Node::Descriptor(pid, fd).id()
                        })
                    }
                    _ => Err(Errno::Enoent),
                }
            }
            Node::PtsRoot => {
                let index = number().ok_or(Errno::Enoent)?;
                self.kernel.tty(index).ok_or(Errno::Enoent)?;
                Ok(Node::Pts(index).id())
            }
            Node::Descriptor(..) | Node::OpenFile(..) | Node::Pts(_) | Node::DescriptorInfo(..) => {
                Err(Errno::Enotdir)
            }
        }
    }

    fn parent(&self, dir: InodeId) -> Result<InodeId, Errno> {
        match Node::from_id(dir).ok_or(Errno::Enoent)? {
            Node::Tree(index) => {
                let (path, _) = TREE.get(index as usize).ok_or(Errno::Enoent)?;
                let (above, _) = path.rsplit_once('/').unwrap_or(("", path));
                let index = TREE
                    .iter()
                    .position(|(known, _)| *known == above)
                    .unwrap_or(0);
                Ok(Node::Tree(u32::try_from(index).unwrap_or(0)).id())
            }
            Node::ProcessFile(pid, index) => {
                let (path, ..) = PROCESS_FILES.get(index as usize).ok_or(Errno::Enoent)?;
                let above = path.rsplit_once('/').and_then(|(above, _)| {
                    PROCESS_FILES.iter().position(|(known, ..)| *known == above)
                });
                Ok(match above.and_then(|index| u32::try_from(index).ok()) {
                    Some(index) => Node::ProcessFile(pid, index).id(),
                    None => Node::Process(pid).id(),
                })
            }
            Node::Task(pid) => Self::child_of_process(pid, "", b"task")
                .map(Node::id)
                .ok_or(Errno::Enoent),
            _ => Ok(PROC_ROOT),
        }
    }

    fn read_dir(&self, dir: InodeId) -> Result<Vec<DirEntry>, Errno> {
        let mut nodes: Vec<(Vec<u8>, Node)> = Vec::new();
        match Node::from_id(dir).ok_or(Errno::Enoent)? {
            Node::Tree(parent) => {
                let (path, _) = TREE.get(parent as usize).ok_or(Errno::Enoent)?;
                let no_flash = self.kernel.facts.flash.is_empty();
                for (name, index) in TREE_NAMES.below(path) {
                    if !(no_flash && parent == 0 && name == b"mtd") {
                        nodes.push((name.to_vec(), Node::Tree(index)));
                    }
                }
                if parent == 0 {
                    let pids: Vec<Pid> =
                        lock(&self.kernel.table).processes.keys().copied().collect();
                    nodes.extend(
                        pids.into_iter()
                            .map(|pid| (pid.to_string().into_bytes(), Node::Process(pid))),
                    );
                }
            }
            Node::Process(pid) => nodes.extend(Self::children_of_process(pid, "")),
            Node::Task(pid) => {
                let own = Self::children_of_process(pid, "").filter(|(name, _)| is_of_task(name));
                nodes.extend(own.chain(Self::children_of_process(pid, "task")));
            }
            Node::ProcessFile(pid, index) => {
                let (path, entry, _) = PROCESS_FILES.get(index as usize).ok_or(Errno::Enoent)?;
                match entry {
                    process_files::Entry::Directory => {
                        nodes.extend(Self::children_of_process(pid, path));
                    }
                    process_files::Entry::Tasks => {
                        nodes.push((pid.to_string().into_bytes(), Node::Task(pid)));
                    }
                    process_files::Entry::Descriptors => {
                        for fd in self.fd_numbers(pid) {
                            nodes.push((fd.to_string().into_bytes(), Node::Descriptor(pid, fd)));
                        }
                    }
                    process_files::Entry::DescriptorInfos => {
                        for fd in self.fd_numbers(pid) {
                            let name = fd.to_string().into_bytes();
                            nodes.push((name, Node::DescriptorInfo(pid, fd)));
                        }
                    }
                    _ => return Err(Errno::Enotdir),
                }
            }
            Node::PtsRoot => {
                let indices: Vec<u32> = lock(&self.kernel.table)
                    .ttys
                    .iter()
                    .filter(|(_, tty)| tty.strong_count() > 0)
                    .map(|(&index, _)| index)
                    .collect();
                nodes.extend(
                    indices
                        .into_iter()
                        .map(|index| (index.to_string().into_bytes(), Node::Pts(index))),
                );
            }
            Node::Descriptor(..) | Node::OpenFile(..) | Node::Pts(_) | Node::DescriptorInfo(..) => {
                return Err(Errno::Enotdir);
            }
        }
        let entry = |(name, node): (Vec<u8>, Node)| {
            let file_type = self.shape(node).ok()?.file_type;
            Some(DirEntry {
                name: name.into(),
                ino: node.id(),
                file_type,
            })
        };
        Ok(nodes.into_iter().filter_map(entry).collect())
    }

    fn read_link(&self, id: InodeId) -> Result<Vec<u8>, Errno> {
        match Node::from_id(id).ok_or(Errno::Enoent)? {
            Node::Tree(index) => match &TREE.get(index as usize).ok_or(Errno::Enoent)?.1 {
                Entry::Link("self") => Ok(self.viewer.to_string().into_bytes()),
                Entry::Link("thread-self") => Ok(format!("{0}/task/{0}", self.viewer).into_bytes()),
                Entry::Link(target) => Ok(target.as_bytes().to_vec()),
                _ => Err(Errno::Einval),
            },
            Node::ProcessFile(pid, index) => {
                let (_, entry, _) = PROCESS_FILES.get(index as usize).ok_or(Errno::Enoent)?;
                let process_files::Entry::Link(target) = entry else {
                    return Err(Errno::Einval);
                };
                let state = self.kernel.process(pid).ok_or(Errno::Enoent)?;
                self.may_look_into(pid)?;
                target(&state).ok_or(Errno::Enoent)
            }
            Node::Descriptor(pid, fd) => {
                descriptor(self.kernel, pid, fd).ok_or(Errno::Enoent)?;
                Ok(format!("/proc/{pid}/fd/.{fd}").into_bytes())
            }
            _ => Err(Errno::Einval),
        }
    }

    fn content(&self, id: InodeId) -> Result<Vec<u8>, Errno> {
        match Node::from_id(id).ok_or(Errno::Enoent)? {
            Node::Tree(index) => match &TREE.get(index as usize).ok_or(Errno::Enoent)?.1 {
                Entry::File(content) => Ok(content(self.kernel)),
                Entry::Setting(value) => {
                    let changed = lock(&self.kernel.settings).get(&index).cloned();
                    Ok(changed.unwrap_or_else(|| [value.as_bytes(), b"\n"].concat()))
                }
                _ => Err(Errno::Einval),
            },
            Node::ProcessFile(pid, index) => {
                let (_, entry, _) = PROCESS_FILES.get(index as usize).ok_or(Errno::Enoent)?;
                let process_files::Entry::File(content) = entry else {
                    return Err(Errno::Eisdir);
                };
                let state = self.kernel.process(pid).ok_or(Errno::Esrch)?;
                // Whoever asks is running, though in our turn it may count as waiting.
                if pid == self.viewer {
                    return Ok(state.while_running(|| content(self.kernel, &state)));
                }
                Ok(content(self.kernel, &state))
            }
            Node::DescriptorInfo(pid, fd) => {
                let description = descriptor(self.kernel, pid, fd).ok_or(Errno::Enoent)?;
                Ok(process_text::descriptor_info(&description))
            }
            _ => Err(Errno::Einval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_its_number() {
        for node in [
            Node::Tree(7),
            Node::Process(4_194_304),
            Node::Task(812),
            Node::ProcessFile(812, 3),
            Node::Descriptor(9, 255),
            Node::OpenFile(9, 2),
            Node::DescriptorInfo(9, 2),
            Node::PtsRoot,
            Node::Pts(3),
        ] {
            assert_eq!(Node::from_id(node.id()), Some(node));
        }
        assert_eq!(Node::from_id(InodeId(5)), None);
    }
}
