//! `swapon`, `swapoff`, `losetup`, `blkid`, `hwclock`, `ipcs`: devices and what hangs on them.

use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;
use crate::time::{Shown, Zone};

/// What swapon(8) ends with when a device could not be used: minus one.
const SWAPON_FAILED: u8 = 255;
/// swapoff(8): no such device.
const SWAPOFF_FAILED: u8 = 4;
/// swapoff(8): a wrong command line.
const SWAPOFF_USAGE: u8 = 16;

async fn text(proc: &Process, path: &[u8]) -> Vec<u8> {
    let read = input::read_all(proc, path).await;
    read.map(|(text, _memory)| text).unwrap_or_default()
}

async fn put(proc: &mut Process, text: impl AsRef<[u8]>) -> ExitStatus {
    // The kernel reports a failed write at exit.
    let _reported = proc.print(text.as_ref()).await;
    proc.status()
}

pub(crate) async fn swapon(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "ad::efhp:sT:vV",
        &[
            ("all", Arity::No, "a"),
            ("help", Arity::No, "h"),
            ("summary", Arity::No, "s"),
            ("show", Arity::Optional, "show"),
            ("noheadings", Arity::No, "e"),
            ("version", Arity::No, "V"),
        ],
    );
    let mut summary = false;
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("s") => summary = true,
            Ok("h") => return super::help(proc, "swapon").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let table = text(proc, b"/proc/swaps").await;
    if summary {
        // Only a head is no table.
        let rows = table.iter().filter(|&&byte| byte == b'\n').count();
        return if rows > 1 {
            put(proc, table).await
        } else {
            proc.status()
        };
    }
    let operands = getopt.operands();
    for path in &operands {
        complain_about(proc, path, "swapon").await;
    }
    ExitStatus::Exited(if operands.is_empty() {
        0
    } else {
        SWAPON_FAILED
    })
}

pub(crate) async fn swapoff(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "ahvV",
        &[
            ("all", Arity::No, "a"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let mut all = false;
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("a") => all = true,
            Ok("h") => return super::help(proc, "swapoff").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let operands = getopt.operands();
    if operands.is_empty() && !all {
        super::bad_usage(proc).await;
        return ExitStatus::Exited(SWAPOFF_USAGE);
    }
    for path in &operands {
        complain_about(proc, path, "swapoff").await;
    }
    ExitStatus::Exited(if operands.is_empty() {
        0
    } else {
        SWAPOFF_FAILED
    })
}

async fn complain_about(proc: &mut Process, path: &[u8], what: &str) {
    let errno = proc
        .stat(path)
        .err()
        .unwrap_or(sundew_kernel::Errno::Einval);
    let text = if what == "swapon" && errno == sundew_kernel::Errno::Einval {
        [path, b": read swap header failed"].concat()
    } else if what == "swapon" {
        [b"cannot open ", path, b": ", errno.message().as_bytes()].concat()
    } else {
        [path, b": swapoff failed: ", errno.message().as_bytes()].concat()
    };
    proc.complain_text(text).await;
}

/// `losetup`: no loop device is in use.
pub(crate) async fn losetup(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        Some(b"-h" | b"--help") => super::help(proc, "losetup").await,
        Some(b"-V" | b"--version") => super::version(proc).await,
        Some(b"-f" | b"--find") if words.len() == 1 => put(proc, "/dev/loop0\n").await,
        Some(path) if !path.starts_with(b"-") => {
            let errno = proc.stat(path).err().unwrap_or(sundew_kernel::Errno::Enxio);
            let text = [
                path,
                b": failed to use device: ",
                errno.message().as_bytes(),
            ]
            .concat();
            proc.complain_text(text).await;
            proc.status()
        }
        _ => proc.status(),
    }
}

/// `blkid`: the root filesystem by what `/etc/fstab` calls it.
pub(crate) async fn blkid(proc: &mut Process) -> ExitStatus {
    const NOTHING: u8 = 2;
    let mut getopt = Getopt::new(&BLKID, proc.args());
    let (mut tags, mut format, mut sought) = (Vec::new(), b"full".to_vec(), None);
    while let Some(option) = getopt.next() {
        match option {
            Ok(option) => match option.key {
                "s" => tags.push(option.value),
                "o" => format = option.value,
                "U" => sought = Some(option.value),
                "h" => return super::help(proc, "blkid").await,
                "V" => return super::version(proc).await,
                _ => {}
            },
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let wanted = getopt.operands();
    let fstab = text(proc, b"/etc/fstab").await;
    let line = fstab.split(|&byte| byte == b'\n').find_map(|line| {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let uuid = words.next()?.strip_prefix(b"UUID=")?.to_vec();
        let target = words.next()?.to_vec();
        Some((uuid, target, words.next()?.to_vec()))
    });
    let mounts = text(proc, b"/proc/mounts").await;
    let device = line.as_ref().and_then(|(_, target, _)| {
        mounts.split(|&byte| byte == b'\n').find_map(|row| {
            let mut words = row.split(|&byte| byte == b' ');
            let source = words.next()?;
            (words.next()? == target).then(|| source.to_vec())
        })
    });
    let (Some((uuid, _, fs_type)), Some(device)) = (line, device) else {
        return ExitStatus::Exited(NOTHING);
    };
    if proc.credentials().uid != 0 || (!wanted.is_empty() && !wanted.contains(&device)) {
        return ExitStatus::Exited(NOTHING);
    }
    if let Some(sought) = sought {
        return if sought == uuid {
            put(proc, [device, b"\n".to_vec()].concat()).await
        } else {
            ExitStatus::Exited(NOTHING)
        };
    }
    let block = b"4096".to_vec();
    let mut found = vec![("UUID", uuid), ("BLOCK_SIZE", block), ("TYPE", fs_type)];
    found.retain(|(name, _)| tags.is_empty() || tags.iter().any(|tag| tag == name.as_bytes()));
    if found.is_empty() {
        return ExitStatus::Exited(NOTHING);
    }
    let mut out = match format.as_slice() {
        b"value" => Vec::new(),
        b"export" => [b"DEVNAME=".as_slice(), &device, b"\n"].concat(),
        _ => [device.as_slice(), b":"].concat(),
    };
    for (name, value) in &found {
        let name = name.as_bytes();
        let parts: [&[u8]; 3] = match format.as_slice() {
            b"value" => [b"", value, b"\n"],
            b"export" => [&[name, b"="].concat(), value, b"\n"],
            _ => [&[b" ", name, b"=\""].concat(), value, b"\""],
        };
        out.extend(parts.concat());
    }
    if !matches!(format.as_slice(), b"value" | b"export") {
        out.push(b'\n');
    }
    put(proc, out).await
}

const BLKID: Spec = Spec::new(
    "c:dghiklL:n:o:O:ps:S:t:u:U:Vw:",
    &[
        ("cache-file", Arity::Required, "c"),
        ("output", Arity::Required, "o"),
        ("match-tag", Arity::Required, "s"),
        ("match-token", Arity::Required, "t"),
        ("uuid", Arity::Required, "U"),
        ("label", Arity::Required, "L"),
        ("probe", Arity::No, "p"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

pub(crate) async fn hwclock(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "hVrswaDuvlf:",
        &[
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
            ("show", Arity::No, "r"),
            ("hctosys", Arity::No, "s"),
            ("systohc", Arity::No, "w"),
            ("utc", Arity::No, "u"),
            ("localtime", Arity::No, "l"),
            ("verbose", Arity::No, "v"),
        ],
    );
    let mut show = true;
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("s" | "w" | "a") => show = false,
            Ok("h") => return super::help(proc, "hwclock").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    if proc.credentials().uid != 0 {
        let text = b"hwclock: Cannot access the Hardware Clock via any known method.\nhwclock: Use the --verbose option to see the details of our search for an access method.\n";
        proc.print_error(text).await;
        return ExitStatus::FAILURE;
    }
    if !show {
        return proc.status();
    }
    let zone = Zone::of(proc).await;
    let line = Shown::new(proc.now(), &zone).format(b"%Y-%m-%d %H:%M:%S.%6N%:z\n");
    put(proc, line).await
}

/// `ipcs`: System V's queues, segments and semaphores; there are none.
pub(crate) async fn ipcs(proc: &mut Process) -> ExitStatus {
    const TABLES: [(char, &str); 3] = [
        (
            'q',
            "\n------ Message Queues --------\nkey        msqid      owner      perms      used-bytes   messages    \n",
        ),
        (
            'm',
            "\n------ Shared Memory Segments --------\nkey        shmid      owner      perms      bytes      nattch     status      \n",
        ),
        (
            's',
            "\n------ Semaphore Arrays --------\nkey        semid      owner      perms      nsems     \n",
        ),
    ];
    const SPEC: Spec = Spec::new(
        "qmsatpcluhVi:b",
        &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
    );
    let mut seen = String::new();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("h") => return super::help(proc, "ipcs").await,
            Ok("V") => return super::version(proc).await,
            Ok(key) => seen.push_str(key),
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let some = TABLES.iter().any(|table| seen.contains(table.0));
    let mut out = String::new();
    for (letter, table) in TABLES {
        if !some || seen.contains(letter) {
            out.push_str(table);
        }
    }
    out.push('\n');
    put(proc, out).await
}
