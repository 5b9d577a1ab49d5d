//! `blockdev`, `wipefs`, `findfs`, `partx`, `mkswap`, `mkfs`, `fsck` and their kin: block devices and
//! what is on them. The machine's devices are mounted or have nothing that could be changed.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::{FileType, Metadata};

use super::spec;
use super::swap::complain_softly;
use super::table::{Column, Table, left, number, right};
use crate::getopt::Spec;

/// Bytes of a sector.
const SECTOR: u64 = 512;
/// Where the first partition begins, in sectors.
const FIRST_SECTOR: u64 = 2048;

/// A row of `/proc/partitions`: name and KiB.
fn partitions(proc: &Process) -> Vec<(String, u64)> {
    let text = proc
        .read_small_file(b"/proc/partitions")
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let rows = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(2);
        let kib = words.next()?.parse().ok()?;
        Some((words.next()?.to_owned(), kib))
    });
    rows.collect()
}

/// The row of a device file.
pub(super) fn device(proc: &Process, path: &[u8]) -> Option<(String, u64)> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let mut rows = partitions(proc).into_iter();
    rows.find(|row| row.0.as_bytes() == name)
}

/// A path as open(2) would look at it for a program that needs a device.
pub(super) fn look(proc: &Process, path: &[u8]) -> Result<Metadata, Errno> {
    let metadata = proc.stat(path)?;
    if metadata.file_type == FileType::BlockDevice && proc.credentials().uid != 0 {
        return Err(Errno::Eacces);
    }
    Ok(metadata)
}

/// Whether a filesystem on the device is mounted.
pub(super) fn is_mounted(proc: &Process, path: &[u8]) -> bool {
    proc.mounts().iter().any(|mount| &*mount.source == path)
}

/// Commands of blockdev(8) that ask, and those that set; the last tells whether an argument follows.
const QUESTIONS: &[&str] = &[
    "--getsz",
    "--getro",
    "--getdiscardzeroes",
    "--getdiskseq",
    "--getss",
    "--getpbsz",
    "--getiomin",
    "--getioopt",
    "--getalignoff",
    "--getmaxsect",
    "--getbsz",
    "--getsize",
    "--getsize64",
    "--getra",
    "--getfra",
    "--getzonesz",
];
const ORDERS: &[(&str, bool)] = &[
    ("--setro", false),
    ("--setrw", false),
    ("--setbsz", true),
    ("--setra", true),
    ("--setfra", true),
    ("--flushbufs", false),
    ("--rereadpt", false),
];

pub(super) async fn blockdev(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        None => return super::refuse_text(proc, "not enough arguments").await,
        Some(b"-h" | b"--help") => return super::help(proc, "blockdev").await,
        Some(b"-V" | b"--version") => return super::version(proc).await,
        Some(b"--report") => return report(proc, words.get(1..).unwrap_or_default()).await,
        _ => {}
    }
    let mut verbose = false;
    let mut orders = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with(b"-")) {
        at += 1;
        let text = String::from_utf8_lossy(word).into_owned();
        match text.as_str() {
            "-v" => verbose = true,
            "-q" => verbose = false,
            "--" => break,
            _ => {
                if ORDERS.iter().any(|order| order.0 == text && order.1) {
                    at += 1;
                }
                orders.push(text);
            }
        }
    }
    let devices = words.get(at..).unwrap_or_default();
    if devices.is_empty() {
        return super::refuse_text(proc, "no device specified").await;
    }
    for path in devices {
        if let Err(errno) = look(proc, path) {
            return super::cannot(proc, "cannot open", path, errno).await;
        }
        for order in &orders {
            let known =
                QUESTIONS.contains(&order.as_str()) || ORDERS.iter().any(|known| known.0 == order);
            if !known {
                return super::refuse_text(proc, &format!("Unknown command: {order}")).await;
            }
            let Some((_, kib)) = device(proc, path) else {
                let text = format!("ioctl error on {}", order.trim_start_matches("--set"));
                let errno = Errno::Enotty.message();
                return super::fail(proc, format!("{text}: {errno}")).await;
            };
            let bytes = kib * 1024;
            let (answer, what) = match order.as_str() {
                "--getsz" | "--getsize" => (bytes / SECTOR, "get size in 512-byte sectors"),
                "--getsize64" => (bytes, "get size in bytes"),
                "--getss" => (SECTOR, "get logical block (sector) size"),
                "--getpbsz" => (SECTOR, "get physical block (sector) size"),
                "--getiomin" => (SECTOR, "get minimum I/O size"),
                "--getbsz" => (4096, "get blocksize"),
                "--getra" | "--getfra" => (256, "get readahead"),
                "--getmaxsect" => (2560, "get max sectors per request"),
                "--getro" => (0, "get read-only"),
                "--rereadpt" if is_busy(proc, path) => {
                    let text = "ioctl error on BLKRRPART";
                    return super::fail(proc, format!("{text}: {}", Errno::Ebusy.message())).await;
                }
                order if QUESTIONS.contains(&order) => (0, order),
                _ => continue,
            };
            let line = if verbose {
                format!("{what}: {answer}\n")
            } else {
                format!("{answer}\n")
            };
            super::put(proc, line).await;
        }
    }
    proc.status()
}

/// Whether the device or a partition of it is in use.
fn is_busy(proc: &Process, path: &[u8]) -> bool {
    proc.mounts()
        .iter()
        .any(|mount| mount.source.starts_with(path))
}

async fn report(proc: &mut Process, devices: &[Vec<u8>]) -> ExitStatus {
    let head = "RO    RA   SSZ   BSZ        StartSec            Size   Device\n";
    super::put(proc, head).await;
    for (name, kib) in partitions(proc) {
        let path = format!("/dev/{name}");
        if !devices.is_empty()
            && !devices
                .iter()
                .any(|device| device.as_slice() == path.as_bytes())
        {
            continue;
        }
        if let Err(errno) = look(proc, path.as_bytes()) {
            super::cannot(proc, "cannot open", path.as_bytes(), errno).await;
            continue;
        }
        let part = name.ends_with(|letter: char| letter.is_ascii_digit());
        let start = if part { FIRST_SECTOR } else { 0 };
        let row = format!(
            "rw {:>5} {:>5} {:>5} {start:>15} {:>15}   {path}\n",
            256,
            SECTOR,
            4096,
            kib * 1024
        );
        super::put(proc, row).await;
    }
    proc.status()
}

const SIGNATURES: &[Column] = &[
    left("DEVICE"),
    left("OFFSET"),
    left("TYPE"),
    left("UUID"),
    left("LABEL"),
];

pub(super) async fn wipefs(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "wipefs", &spec::WIPEFS).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("signatures", SIGNATURES);
    for option in &line.options {
        let key = match option.key {
            "J" => "J",
            "i" => "n",
            "O" => "o",
            _ => continue,
        };
        if let Err(name) = table.option(key, &option.value) {
            return super::unknown_column(proc, &name).await;
        }
    }
    if line.operands.is_empty() {
        return super::refuse_text(proc, "no device specified").await;
    }
    let erase = line.has("a") || line.has("o") || line.has("t");
    for path in &line.operands {
        let failure = match look(proc, path) {
            Err(errno) => Some(errno),
            Ok(_) if erase && is_busy(proc, path) && !line.has("f") => Some(Errno::Ebusy),
            Ok(_) => None,
        };
        if let Some(errno) = failure {
            let subject = [
                b"error: ".as_slice(),
                path,
                b": probing initialization failed",
            ];
            proc.complain(&subject.concat(), errno).await;
            continue;
        }
        let Some((name, _)) = device(proc, path) else {
            continue;
        };
        let row = if name.ends_with(|letter: char| letter.is_ascii_digit()) {
            let uuid = root_uuid(proc).unwrap_or_default();
            [
                name,
                "0x438".to_owned(),
                "ext4".to_owned(),
                uuid,
                String::new(),
            ]
        } else {
            [
                name,
                "0x1fe".to_owned(),
                "dos".to_owned(),
                String::new(),
                String::new(),
            ]
        };
        if !erase {
            table.rows.push(row.to_vec());
        }
    }
    table.print(proc).await
}

/// The root filesystem's UUID, as `/etc/fstab` has it.
pub(super) fn root_uuid(proc: &Process) -> Option<String> {
    let text = proc.read_small_file(b"/etc/fstab").ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let uuid = words.next()?.strip_prefix("UUID=")?.to_owned();
        (words.next()? == "/").then_some(uuid)
    })
}

pub(super) async fn findfs(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "findfs", &spec::FINDFS).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [word] = line.operands.as_slice() else {
        super::bad_usage(proc).await;
        return ExitStatus::Exited(2);
    };
    let is_tag = [b"UUID=".as_slice(), b"LABEL=", b"PARTUUID=", b"PARTLABEL="]
        .iter()
        .any(|tag| word.starts_with(tag));
    let found = if is_tag {
        let uuid = root_uuid(proc);
        let own = uuid.map(|uuid| format!("UUID={uuid}").into_bytes());
        let root = proc
            .mounts()
            .into_iter()
            .find(|mount| &*mount.target == b"/");
        root.filter(|_| own.as_ref() == Some(word))
            .map(|mount| mount.source.to_vec())
    } else {
        Some(word.clone())
    };
    match found {
        Some(path) => super::put(proc, [path.as_slice(), b"\n"].concat()).await,
        None => {
            let text = [b"unable to resolve '".as_slice(), word, b"'"].concat();
            super::fail(proc, text).await
        }
    }
}

const PARTITION_COLUMNS: &[Column] = &[
    number("NR"),
    number("START"),
    number("END"),
    number("SECTORS"),
    right("SIZE"),
    left("NAME"),
    left("UUID"),
];

pub(super) async fn partx(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "partx", &spec::PARTX).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(path) = line.operands.last() else {
        return super::bad_usage(proc).await;
    };
    if let Err(errno) = look(proc, path) {
        let subject = match errno {
            Errno::Eacces => [b"cannot open ".as_slice(), path].concat(),
            _ => [b"stat of ".as_slice(), path, b" failed"].concat(),
        };
        proc.complain(&subject, errno).await;
        return ExitStatus::FAILURE;
    }
    let Some((disk, _)) = device(proc, path) else {
        let text = [path.as_slice(), b": failed to initialize blkid prober"].concat();
        return super::fail(proc, text).await;
    };
    let mut table = Table::new("partitions", PARTITION_COLUMNS);
    for option in &line.options {
        let key = if option.key == "g" { "n" } else { option.key };
        if !matches!(key, "o" | "P" | "r" | "n") || (key == "n" && option.key == "n") {
            continue;
        }
        if let Err(name) = table.option(key, &option.value) {
            return super::unknown_column(proc, &name).await;
        }
    }
    if ["a", "d", "u"].iter().any(|key| line.has(key)) {
        let text = [path.as_slice(), b": error adding partition 1"].concat();
        return super::fail(proc, text).await;
    }
    for (name, kib) in partitions(proc) {
        let Some(digits) = name.strip_prefix(&disk).filter(|digits| !digits.is_empty()) else {
            continue;
        };
        let sectors = kib * 1024 / SECTOR;
        table.rows.push(vec![
            digits.to_owned(),
            FIRST_SECTOR.to_string(),
            (FIRST_SECTOR + sectors - 1).to_string(),
            sectors.to_string(),
            super::inventory::short_size(kib * 1024),
            String::new(),
            String::new(),
        ]);
    }
    if table.rows.is_empty() {
        let text = [path.as_slice(), b": failed to read partition table"].concat();
        return super::fail(proc, text).await;
    }
    table.print(proc).await
}

/// What the three programs that only tell the kernel of a partition do.
async fn tell(
    proc: &mut Process,
    name: &str,
    spec: &Spec,
    wanted: usize,
    text: &str,
) -> ExitStatus {
    let line = match super::line(proc, name, spec).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(path) = line
        .operands
        .first()
        .filter(|_| line.operands.len() >= wanted)
    else {
        return super::refuse_text(proc, "not enough arguments").await;
    };
    if let Err(errno) = look(proc, path) {
        return super::cannot(proc, "cannot open", path, errno).await;
    }
    for word in line.operands.iter().skip(1) {
        if super::number::<u64>(word).is_none() {
            return super::bad_argument(proc, "invalid partition number argument", word).await;
        }
    }
    let errno = if device(proc, path).is_some() {
        Errno::Ebusy
    } else {
        Errno::Enotty
    };
    proc.complain(text.as_bytes(), errno).await;
    ExitStatus::FAILURE
}

pub(super) async fn addpart(proc: &mut Process) -> ExitStatus {
    tell(
        proc,
        "addpart",
        &spec::ADDPART,
        4,
        "failed to add partition",
    )
    .await
}

pub(super) async fn delpart(proc: &mut Process) -> ExitStatus {
    tell(
        proc,
        "delpart",
        &spec::DELPART,
        2,
        "failed to remove partition",
    )
    .await
}

pub(super) async fn resizepart(proc: &mut Process) -> ExitStatus {
    let text = "failed to resize partition";
    tell(proc, "resizepart", &spec::RESIZEPART, 3, text).await
}

pub(super) async fn blkdiscard(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "blkdiscard", &spec::BLKDISCARD).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(path) = line.operands.first() else {
        return super::fail(proc, "no device specified").await;
    };
    if line.operands.len() > 1 {
        return super::refuse_text(proc, "unexpected number of arguments").await;
    }
    match look(proc, path) {
        Err(errno) => super::cannot(proc, "cannot open", path, errno).await,
        Ok(metadata) if metadata.file_type != FileType::BlockDevice => {
            super::fail(proc, [path.as_slice(), b": not a block device"].concat()).await
        }
        Ok(_) if is_busy(proc, path) && !line.has("f") => {
            super::cannot(proc, "cannot open", path, Errno::Ebusy).await
        }
        Ok(_) => {
            let subject = [path.as_slice(), b": BLKDISCARD ioctl failed"].concat();
            proc.complain(&subject, Errno::Eopnotsupp).await;
            ExitStatus::FAILURE
        }
    }
}

pub(super) async fn blkzone(proc: &mut Process) -> ExitStatus {
    const COMMANDS: [&[u8]; 6] = [
        b"report",
        b"capacity",
        b"reset",
        b"open",
        b"close",
        b"finish",
    ];
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        None => return super::fail(proc, "no command specified").await,
        Some(b"-h" | b"--help") => return super::help(proc, "blkzone").await,
        Some(b"-V" | b"--version") => return super::version(proc).await,
        Some(word) if !COMMANDS.contains(&word) => {
            let text = [word, b" is not valid command name"].concat();
            return super::fail(proc, text).await;
        }
        Some(_) => {}
    }
    let Some(path) = words.last().filter(|_| words.len() > 1) else {
        return super::fail(proc, "no device specified").await;
    };
    match look(proc, path) {
        Err(errno) => super::cannot(proc, "cannot open", path, errno).await,
        Ok(_) => {
            let text = [path.as_slice(), b": unable to determine zone size"].concat();
            super::fail(proc, text).await
        }
    }
}

pub(super) async fn isosize(proc: &mut Process) -> ExitStatus {
    const FAILED: u8 = 32;
    let line = match super::line(proc, "isosize", &spec::ISOSIZE).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        return super::refuse_text(proc, "no device specified").await;
    }
    for path in &line.operands {
        match look(proc, path) {
            Err(errno) => {
                super::cannot(proc, "cannot open", path, errno).await;
            }
            Ok(_) => {
                let text = [path.as_slice(), b": might not be an ISO filesystem"].concat();
                complain_softly(proc, text).await;
                // Short reads leave no reason of their own.
                let text = [
                    b"read error on ".as_slice(),
                    path,
                    b": ",
                    Errno::Enoent.message().as_bytes(),
                ];
                complain_softly(proc, text.concat()).await;
            }
        }
    }
    ExitStatus::Exited(FAILED)
}

pub(super) async fn zramctl(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "zramctl", &spec::ZRAMCTL).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("f") {
        return super::fail(proc, "no free zram device found").await;
    }
    match line.operands.first() {
        Some(path) => {
            let errno = look(proc, path).err().unwrap_or(Errno::Enodev);
            let subject = [path.as_slice()].concat();
            proc.complain(&subject, errno).await;
            ExitStatus::FAILURE
        }
        None => proc.status(),
    }
}
