//! From names to descriptors, by the kernel and below the root: `openat2(2)` with `RESOLVE_BENEATH`.
//!
//! Links that belong to somebody else than what they lead to are found by walking each part of a path
//! with a descriptor of its own, so that nothing can be exchanged between the look and the use.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use ftp_proto::server::Path;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::Links;

/// The kernel asks for another try when directories are being moved about; so many are enough.
const MAX_RESOLVE_TRIES: u32 = 16;

/// Links followed for one path, as many as Linux itself follows.
const MAX_LINKS: u32 = 40;

/// What the names of unfinished uploads begin and end with; nobody is shown them or can name them.
const HIDDEN_START: &[u8] = b".ftpd-";
const HIDDEN_END: &[u8] = b".part";

/// The name of an unfinished upload.
pub(super) fn hidden_name(middle: &[u8]) -> Vec<u8> {
    [HIDDEN_START, middle, HIDDEN_END].concat()
}

/// Whether this is a name of an unfinished upload.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(HIDDEN_START) && name.ends_with(HIDDEN_END)
}

/// Opens a path, its last link followed too if links are.
pub(super) fn open(
    root: &OwnedFd,
    path: &Path,
    flags: OFlags,
    mode: Mode,
    links: Links,
) -> Result<OwnedFd, Errno> {
    let name = relative(path)?;
    match links {
        Links::Inside => beneath(root, name, flags, mode, ResolveFlags::empty()),
        Links::Never => beneath(root, name, flags, mode, ResolveFlags::NO_SYMLINKS),
        Links::Owner => match beneath(root, name, flags, mode, ResolveFlags::NO_SYMLINKS) {
            Err(Errno::LOOP) => {
                let (parent, name) = by_owner(root, name)?;
                beneath(&parent, &name, flags, mode, ResolveFlags::NO_SYMLINKS)
            }
            result => result,
        },
    }
}

/// Opens a path like [`open`], if that needs no disk; `None` if it might (Linux 5.12 can tell).
pub(super) fn cached(
    root: &OwnedFd,
    path: &Path,
    flags: OFlags,
    links: Links,
) -> Option<Result<OwnedFd, Errno>> {
    let name = match relative(path) {
        Ok(name) => name,
        Err(errno) => return Some(Err(errno)),
    };
    let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::CACHED;
    if links != Links::Inside {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    let flags = flags | OFlags::CLOEXEC;
    match rustix::fs::openat2(root, name, flags, Mode::empty(), resolve) {
        Err(Errno::AGAIN | Errno::INVAL) => None,
        // There is a link, and whose it is takes a longer look.
        Err(Errno::LOOP) if links == Links::Owner => None,
        result => Some(result),
    }
}

/// The directory that holds a path, and its last component. The root has none.
pub(super) fn parent<'a>(
    root: &OwnedFd,
    path: &'a Path,
    links: Links,
) -> Result<(OwnedFd, &'a [u8]), Errno> {
    relative(path)?;
    let name = path.name().ok_or(Errno::ACCESS)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let parent = open(root, &path.parent(), flags, Mode::empty(), links)?;
    Ok((parent, name))
}

/// Opens a name in a directory, which must not be a link.
pub(super) fn open_in(
    directory: &OwnedFd,
    name: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    beneath(directory, name, flags, mode, ResolveFlags::NO_SYMLINKS)
}

/// What is known about a name in a directory, which may be a link.
pub(super) fn stat_in(directory: &OwnedFd, name: &[u8]) -> Result<Stat, Errno> {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
}

fn beneath(
    root: &OwnedFd,
    name: &[u8],
    flags: OFlags,
    mode: Mode,
    also: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | also;
    let flags = flags | OFlags::CLOEXEC;
    let mut result = Err(Errno::AGAIN);
    for _ in 0..MAX_RESOLVE_TRIES {
        result = rustix::fs::openat2(root, name, flags, mode, resolve);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    result
}

/// The path below the root; unfinished uploads do not exist.
fn relative(path: &Path) -> Result<&[u8], Errno> {
    if path.components().any(is_hidden) {
        return Err(Errno::NOENT);
    }
    Ok(match path.as_bytes() {
        b"/" => b".",
        path => path.strip_prefix(b"/").unwrap_or(path),
    })
}

/// One part of a path that is walked.
enum Step {
    Name(Vec<u8>),
    /// A link of this user has been followed up to here.
    Owned(u32),
}

/// Follows links of their targets' owners only. Gives the directory, and a name in it that was no link
/// when it was looked at; it may be one nobody has yet.
fn by_owner(root: &OwnedFd, path: &[u8]) -> Result<(OwnedFd, Vec<u8>), Errno> {
    let mut above = Vec::new();
    let mut here = root.try_clone().map_err(super::errno)?;
    let mut steps: VecDeque<_> = names(path).collect();
    let mut links = 0;
    while let Some(step) = steps.pop_front() {
        let name = match step {
            Step::Name(name) => name,
            Step::Owned(owner) => {
                owned(owner, &rustix::fs::fstat(&here)?)?;
                continue;
            }
        };
        if name == b".." {
            here = above.pop().ok_or(Errno::XDEV)?;
            continue;
        }
        let is_last = !steps.iter().any(|step| matches!(step, Step::Name(_)));
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = match rustix::fs::openat(&here, name.as_slice(), flags, Mode::empty()) {
            // One that is about to be made; a link to nothing has no owner to agree with.
            Err(Errno::NOENT) if is_last && steps.is_empty() => return Ok((here, name)),
            Err(Errno::NOENT) if is_last => return Err(Errno::ACCESS),
            found => found?,
        };
        let stat = rustix::fs::fstat(&found)?;
        if FileType::from_raw_mode(stat.st_mode).is_symlink() {
            links += 1;
            let target = rustix::fs::readlinkat(&found, c"", Vec::new())?.into_bytes();
            if links > MAX_LINKS || target.starts_with(b"/") {
                return Err(Errno::LOOP);
            }
            steps.push_front(Step::Owned(stat.st_uid));
            for step in names(&target).collect::<Vec<_>>().into_iter().rev() {
                steps.push_front(step);
            }
        } else if is_last {
            for step in steps {
                if let Step::Owned(owner) = step {
                    owned(owner, &stat)?;
                }
            }
            return Ok((here, name));
        } else {
            above.push(std::mem::replace(&mut here, found));
        }
    }
    Ok((here, b".".to_vec()))
}

fn names(path: &[u8]) -> impl Iterator<Item = Step> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| Step::Name(name.to_vec()))
}

fn owned(owner: u32, target: &Stat) -> Result<(), Errno> {
    if target.st_uid == owner {
        Ok(())
    } else {
        Err(Errno::ACCESS)
    }
}
