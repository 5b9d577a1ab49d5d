//! What `mount` can attach: a tmpfs, `proc` and its kin once more, and what is there already.

use sundew_kernel::process::{Filesystem, MountLine};
use sundew_kernel::{Errno, Process};
use sundew_vfs::{FileType, Mount};

use super::Options;

/// Options of every filesystem, in the order in which the kernel shows them.
const GENERAL: [&[u8]; 3] = [b"nosuid", b"nodev", b"noexec"];
/// Filesystems that show the same wherever they are mounted.
const KERNELS: [&[u8]; 9] = [
    b"sysfs",
    b"devtmpfs",
    b"cgroup2",
    b"securityfs",
    b"debugfs",
    b"tracefs",
    b"pstore",
    b"bpf",
    b"mqueue",
];
/// What the kernel knows besides and finds nothing of on the devices of this machine.
const KNOWN: [&[u8]; 12] = [
    b"ext2",
    b"ext3",
    b"ext4",
    b"xfs",
    b"btrfs",
    b"vfat",
    b"iso9660",
    b"squashfs",
    b"overlay",
    b"fuse",
    b"udf",
    b"auto",
];

impl Options {
    fn has(&self, word: &[u8]) -> bool {
        self.words.iter().any(|known| known == word)
    }

    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.words
            .iter()
            .rev()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix(b"="))
    }

    fn binds(&self) -> bool {
        self.has(b"bind") || self.has(b"rbind")
    }

    /// `rw,nosuid,relatime`.
    fn general(&self) -> Vec<u8> {
        let access: &[u8] = if self.has(b"ro") { b"ro" } else { b"rw" };
        let mut words = vec![access];
        words.extend(GENERAL.into_iter().filter(|word| self.has(word)));
        words.push(if self.has(b"noatime") {
            b"noatime"
        } else {
            b"relatime"
        });
        words.join(&b',')
    }
}

/// What mount(8) says of a source before it asks the kernel.
pub(super) fn refused(proc: &Process, options: &Options, source: &[u8]) -> Option<Vec<u8>> {
    let device = !options.binds()
        && options
            .fs_type
            .as_deref()
            .is_none_or(|name| KNOWN.contains(&name) && name != b"overlay" && name != b"fuse");
    if !device {
        return None;
    }
    match proc.stat(source) {
        Err(_) => Some([b"special device ".as_slice(), source, b" does not exist."].concat()),
        Ok(metadata) if metadata.file_type != FileType::BlockDevice => {
            Some([source, b" is not a block device."].concat())
        }
        Ok(_) => None,
    }
}

/// Attaches `source` at `target`. [`Errno::Enodev`] for a filesystem nobody knows.
pub(super) fn attach(
    proc: &Process,
    options: &Options,
    source: &[u8],
    target: &[u8],
) -> Result<(), Errno> {
    let general = options.general();
    if options.binds() {
        let path = proc.real_path(source)?;
        let below = mount_of(proc, &path).ok_or(Errno::Einval)?;
        let line = MountLine {
            source: &below.source,
            fs_type: &below.fs_type,
            options: &below.options,
        };
        return proc.mount(target, Filesystem::Bind(&path), line);
    }
    let fs_type = options.fs_type.as_deref().unwrap_or(b"auto");
    let mut shown = general.clone();
    let filesystem = match fs_type {
        b"tmpfs" | b"ramfs" => {
            let (filesystem, own) = memory(proc, options)?;
            if fs_type == b"tmpfs" {
                shown.extend_from_slice(&own);
            }
            filesystem
        }
        b"proc" => Filesystem::Proc,
        b"devpts" => Filesystem::Terminals,
        kernels if KERNELS.contains(&kernels) => {
            let mounts = proc.mounts();
            let first = mounts.iter().find(|mount| &*mount.fs_type == kernels);
            let first = first.ok_or(Errno::Eperm)?;
            let line = MountLine {
                source,
                fs_type,
                options: &general,
            };
            return proc.mount(target, Filesystem::Bind(&first.target), line);
        }
        known if KNOWN.contains(&known) => {
            let used = proc.mounts().iter().any(|mount| *mount.source == *source);
            return Err(if used { Errno::Ebusy } else { Errno::Einval });
        }
        _ => return Err(Errno::Enodev),
    };
    let line = MountLine {
        source,
        fs_type,
        options: &shown,
    };
    proc.mount(target, filesystem, line)
}

/// Changes the options of what is mounted at `target`: those named, and no others.
pub(super) fn remount(proc: &Process, options: &Options, target: &[u8]) -> Result<(), Errno> {
    let mounts = proc.mounts();
    // The path as it is first: that of what is bound leads to its origin.
    let plain = proc.absolute(target);
    let real = proc.real_path(target)?;
    let mount = [plain, real]
        .into_iter()
        .find_map(|target| mounts.iter().rfind(|mount| *mount.target == target))
        .ok_or(Errno::Einval)?;
    let opposite = |word: &[u8]| -> Option<&'static [u8]> {
        Some(match word {
            b"ro" => b"rw",
            b"rw" => b"ro",
            b"exec" => b"noexec",
            b"suid" => b"nosuid",
            b"dev" => b"nodev",
            _ => return None,
        })
    };
    let mut words: Vec<&[u8]> = mount.options.split(|&byte| byte == b',').collect();
    for word in &options.words {
        if let Some(gone) = opposite(word)
            && let Some(at) = words.iter().position(|known| *known == gone)
        {
            if matches!(word.as_slice(), b"ro" | b"rw") {
                words[at] = word;
            } else {
                words.remove(at);
            }
        } else if GENERAL.contains(&word.as_slice()) && !words.contains(&word.as_slice()) {
            words.insert(1, word);
        }
    }
    proc.remount(&mount.target, &words.join(&b','))
}

/// A tmpfs: how large, with which mode, and what its line says of that.
fn memory(proc: &Process, options: &Options) -> Result<(Filesystem<'static>, Vec<u8>), Errno> {
    let mut shown = Vec::new();
    let mut room = u64::MAX;
    if let Some(size) = options.value(b"size") {
        room = bytes(size, proc.facts().memory_total_kib).ok_or(Errno::Einval)?;
        shown.extend_from_slice(format!(",size={}k", room / 1024).as_bytes());
    }
    let mut mode = 0o1777;
    if let Some(text) = options.value(b"mode") {
        let text = std::str::from_utf8(text).map_err(|_| Errno::Einval)?;
        mode = u16::from_str_radix(text, 8).map_err(|_| Errno::Einval)? & 0o7777;
        shown.extend_from_slice(format!(",mode={mode:o}").as_bytes());
    }
    shown.extend_from_slice(b",inode64");
    Ok((Filesystem::Memory { mode, room }, shown))
}

/// `64m`, `50%`; whole pages.
fn bytes(text: &[u8], memory_kib: u64) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let number: u64 = digits.parse().ok()?;
    let bytes = match text.get(digits.len()..)? {
        "" => number,
        "k" | "K" => number.checked_mul(1 << 10)?,
        "m" | "M" => number.checked_mul(1 << 20)?,
        "g" | "G" => number.checked_mul(1 << 30)?,
        "%" => memory_kib.checked_mul(1024)?.checked_mul(number)? / 100,
        _ => return None,
    };
    Some(bytes.div_ceil(4096).saturating_mul(4096))
}

/// The mount that `path` lies on.
fn mount_of(proc: &Process, path: &[u8]) -> Option<Mount> {
    crate::coreutils::mount_of(&proc.mounts(), path)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_whole_pages() {
        assert_eq!(bytes(b"64m", 0), Some(64 << 20));
        assert_eq!(bytes(b"1", 0), Some(4096));
        assert_eq!(bytes(b"50%", 1024), Some(512 << 10));
        assert_eq!(bytes(b"64q", 0), None);
        assert_eq!(bytes(b"99999999999999999999g", 0), None);
    }
}
