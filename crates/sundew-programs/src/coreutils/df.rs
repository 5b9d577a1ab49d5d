//! df(1).

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Mount;

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;
use crate::size::Display;

const SPEC: Spec = Spec::gnu(
    "aB:iF:hHklmPTt:vx:",
    &[
        ("all", Arity::No, "a"),
        ("block-size", Arity::Required, "B"),
        ("inodes", Arity::No, "i"),
        ("human-readable", Arity::No, "h"),
        ("si", Arity::No, "H"),
        ("local", Arity::No, "l"),
        ("output", Arity::Optional, "output"),
        ("portability", Arity::No, "P"),
        ("print-type", Arity::No, "T"),
        ("sync", Arity::No, "sync"),
        ("no-sync", Arity::No, "sync"),
        ("total", Arity::No, "total"),
        ("type", Arity::Required, "t"),
        ("exclude-type", Arity::Required, "x"),
    ],
);

/// Room on one filesystem, in KiB and inodes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Space {
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) available: u64,
    pub(super) inodes: u64,
    pub(super) inodes_used: u64,
}

/// Columns of the table, by the names of `--output`.
const FIELDS: &[(&str, &str)] = &[
    ("source", "Filesystem"),
    ("fstype", "Type"),
    ("itotal", "Inodes"),
    ("iused", "IUsed"),
    ("iavail", "IFree"),
    ("ipcent", "IUse%"),
    ("size", "blocks"),
    ("used", "Used"),
    ("avail", "Available"),
    ("pcent", "Use%"),
    ("file", "File"),
    ("target", "Mounted on"),
];

/// The mount that an absolute path lies on.
pub(crate) fn mount_of(mounts: &[Mount], path: &[u8]) -> Option<Mount> {
    mounts
        .iter()
        .filter(|mount| {
            let target: &[u8] = &mount.target;
            target == b"/"
                || path == target
                || path
                    .strip_prefix(target)
                    .is_some_and(|rest| rest.starts_with(b"/"))
        })
        .max_by_key(|mount| mount.target.len())
        .cloned()
}

/// The room on a mount: a disk's from the facts and what was added since, tmpfs from the memory.
pub(super) fn space(proc: &Process, mount: Option<&Mount>) -> Space {
    let target = mount.map_or(b"/".as_slice(), |mount| &mount.target);
    let facts = proc.facts();
    if let Some(disk) = facts.disks.iter().find(|disk| disk.mount_point == target) {
        let added = mount.map_or_else(Default::default, |mount| proc.usage_of(mount.dev).0);
        let kib = added.bytes.div_ceil(1024);
        let used = disk.used_kib.saturating_add(kib).min(disk.total_kib);
        // ext4 keeps five percent for root.
        let available = (disk.total_kib - used).saturating_sub(disk.total_kib / 20);
        // A disk that takes nothing more is full.
        let (used, available) = if proc.room_on_disks() < FULL_BYTES {
            (disk.total_kib - disk.total_kib / 20, 0)
        } else {
            (used, available)
        };
        let inodes_used = disk.inodes_used.saturating_add(added.inodes);
        let inodes_used = inodes_used.min(disk.inodes);
        return Space {
            total: disk.total_kib,
            used,
            available,
            inodes: disk.inodes,
            inodes_used,
        };
    }
    let memory = facts.memory_total_kib;
    let (added, room) = mount.map_or_else(Default::default, |mount| proc.usage_of(mount.dev));
    let total = match (mount.map(|mount| &*mount.fs_type), target) {
        (Some(b"tmpfs"), _) if room != u64::MAX => room / 1024,
        (Some(b"devtmpfs"), _) => memory / 2 - memory / 100,
        (Some(b"tmpfs"), b"/run/lock") => 5120,
        (Some(b"tmpfs"), b"/dev/shm" | b"/tmp") => memory / 2,
        (Some(b"tmpfs"), _) => memory / 10,
        _ => 0,
    };
    let daemons = if target == b"/run" { 500 } else { 0 };
    let used = (daemons + added.bytes.div_ceil(1024)).min(total);
    let inodes = match mount.map(|mount| &*mount.fs_type) {
        _ if total == 0 => 0,
        // A page each.
        Some(b"devtmpfs") => total / 4,
        _ => memory / 8,
    };
    let of_system = match target {
        b"/dev" => 390,
        b"/run" => 480,
        _ => 0,
    };
    Space {
        total,
        used,
        available: total - used,
        inodes,
        inodes_used: if total == 0 {
            0
        } else {
            added.inodes.max(1) + of_system
        },
    }
}

/// Room at which a disk counts as full: less than a block of dd(1)'s usual megabyte.
const FULL_BYTES: u64 = 1 << 20;

struct Options {
    all: bool,
    display: Display,
    fields: Vec<&'static str>,
    portable: bool,
    total: bool,
    types: Vec<Vec<u8>>,
    excluded: Vec<Vec<u8>>,
    header: String,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut inodes, mut types) = (false, false);
    let mut output: Option<Vec<&'static str>> = None;
    let mut settings = Options {
        all: false,
        display: Display::Units(1024),
        fields: Vec::new(),
        portable: false,
        total: false,
        types: Vec::new(),
        excluded: Vec::new(),
        header: "1K-blocks".to_owned(),
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("a", _)) => settings.all = true,
            Ok(("i", _)) => inodes = true,
            Ok(("h", _)) => settings.display = Display::Human,
            Ok(("H", _)) => settings.display = Display::Si,
            Ok(("k", _)) => settings.display = Display::Units(1024),
            Ok(("m", _)) => settings.display = Display::Units(1 << 20),
            Ok(("B", value)) => match Display::parse(&value) {
                Ok(display) => settings.display = display,
                Err(_) => {
                    let shown = quote::always(proc, &value);
                    proc.complain_text([b"invalid -B argument ", shown.as_slice()].concat())
                        .await;
                    return proc.status();
                }
            },
            Ok(("l" | "sync" | "v", _)) => {}
            Ok(("P", _)) => settings.portable = true,
            Ok(("T", _)) => types = true,
            Ok(("total", _)) => settings.total = true,
            Ok(("t" | "F", value)) => settings.types.push(value),
            Ok(("x", value)) => settings.excluded.push(value),
            Ok(("output", value)) => {
                let chosen = output.get_or_insert_default();
                for word in value
                    .split(|&byte| byte == b',')
                    .filter(|word| !word.is_empty())
                {
                    let Some(field) = FIELDS.iter().find(|field| field.0.as_bytes() == word) else {
                        let shown = quote::text(proc, word);
                        let text =
                            [b"option --output: field ".as_slice(), &shown, b" unknown"].concat();
                        proc.complain_text(text).await;
                        return try_help(proc, 1).await;
                    };
                    chosen.push(field.0);
                }
                if chosen.is_empty() {
                    chosen.extend(FIELDS.iter().map(|field| field.0));
                }
            }
            Ok((key, _)) => return about::run(proc, key, "df").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    settings.fields = output.unwrap_or_else(|| {
        let mut fields = vec!["source"];
        if types {
            fields.push("fstype");
        }
        fields.extend(if inodes {
            ["itotal", "iused", "iavail", "ipcent"]
        } else {
            ["size", "used", "avail", "pcent"]
        });
        fields.push("target");
        fields
    });
    settings.header = match settings.display {
        Display::Human | Display::Si => "Size".to_owned(),
        Display::Units(1024) if settings.portable => "1024-blocks".to_owned(),
        Display::Units(unit) | Display::Named(unit) => {
            let name = match unit {
                1024 => "1K".to_owned(),
                0x10_0000 => "1M".to_owned(),
                0x4000_0000 => "1G".to_owned(),
                unit => format!("{unit}B"),
            };
            format!("{name}-blocks")
        }
    };
    let operands = options.operands();
    let Some(rows) = rows(proc, &operands, &settings).await else {
        return proc.status();
    };
    table(proc, rows, &settings).await;
    proc.status()
}

type Row = (Mount, Space, Vec<u8>);

async fn rows(proc: &mut Process, operands: &[Vec<u8>], settings: &Options) -> Option<Vec<Row>> {
    let mounts = proc.mounts();
    let mut mounts_shown: Vec<(Mount, Vec<u8>)> = Vec::new();
    if operands.is_empty() {
        mounts_shown.extend(mounts.iter().cloned().map(|mount| (mount, b"-".to_vec())));
        if !mounts_shown.iter().any(|(mount, _)| &*mount.target == b"/") {
            mounts_shown.insert(0, (root(proc), b"-".to_vec()));
        }
    }
    for operand in operands {
        let found = proc.stat(operand).and_then(|_| proc.real_path(operand));
        match found {
            Ok(path) => {
                let device = mounts
                    .iter()
                    .find(|mount| *mount.source == *path.as_slice())
                    .cloned();
                let mount = device
                    .or_else(|| mount_of(&mounts, &path))
                    .unwrap_or_else(|| root(proc));
                mounts_shown.push((mount, operand.clone()));
            }
            Err(errno) => input::complain(proc, operand, errno).await,
        }
    }
    let wanted = |mount: &Mount| {
        let named = |list: &[Vec<u8>]| list.iter().any(|kind| **kind == *mount.fs_type);
        (settings.types.is_empty() || named(&settings.types)) && !named(&settings.excluded)
    };
    let shown: Vec<Row> = mounts_shown
        .into_iter()
        .filter(|(mount, _)| wanted(mount))
        .map(|(mount, file)| {
            let space = space(proc, Some(&mount));
            (mount, space, file)
        })
        // Filesystems without room of their own are shown on request alone.
        .filter(|(_, space, _)| space.total > 0 || settings.all || !operands.is_empty())
        .collect();
    if shown.is_empty() {
        if proc.status() == ExitStatus::SUCCESS {
            proc.complain_text("no file systems processed").await;
        }
        return None;
    }
    Some(shown)
}

/// The root filesystem, where the mount table does not name it.
fn root(proc: &Process) -> Mount {
    let disk = proc
        .facts()
        .disks
        .iter()
        .find(|disk| disk.mount_point == b"/");
    Mount {
        source: disk
            .map_or(b"/dev/root".as_slice(), |disk| &disk.device)
            .into(),
        target: b"/".as_slice().into(),
        fs_type: disk.map_or(b"ext4".as_slice(), |disk| &disk.fs_type).into(),
        options: b"rw,relatime".as_slice().into(),
        dev: 0,
        root: sundew_vfs::MountRoot::Synthetic(sundew_vfs::InodeId(0)),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn table(proc: &mut Process, mut rows: Vec<Row>, settings: &Options) {
    if settings.total {
        let mut sum = Space::default();
        for (_, space, _) in &rows {
            sum.total += space.total;
            sum.used += space.used;
            sum.available += space.available;
            sum.inodes += space.inodes;
            sum.inodes_used += space.inodes_used;
        }
        let mount = Mount {
            source: b"total".as_slice().into(),
            target: b"-".as_slice().into(),
            fs_type: b"-".as_slice().into(),
            ..root(proc)
        };
        rows.push((mount, sum, b"-".to_vec()));
    }
    let human = matches!(settings.display, Display::Human | Display::Si);
    let mut cells: Vec<Vec<Vec<u8>>> = vec![
        settings
            .fields
            .iter()
            .map(|field| match *field {
                "size" => settings.header.clone().into_bytes(),
                "avail" if human => b"Avail".to_vec(),
                "pcent" if settings.portable => b"Capacity".to_vec(),
                field => FIELDS
                    .iter()
                    .find(|row| row.0 == field)
                    .map_or(b"".as_slice(), |row| row.1.as_bytes())
                    .to_vec(),
            })
            .collect(),
    ];
    for (mount, space, file) in &rows {
        cells.push(
            settings
                .fields
                .iter()
                .map(|field| cell(field, mount, space, file, settings.display))
                .collect(),
        );
    }
    let widths: Vec<usize> = (0..settings.fields.len())
        .map(|column| {
            let least = match settings.fields.get(column) {
                Some(&"source") => 14,
                Some(&"size" | &"used" | &"avail" | &"itotal" | &"iused" | &"iavail") => 5,
                Some(&"pcent" | &"ipcent" | &"fstype") => 4,
                _ => 0,
            };
            cells
                .iter()
                .filter_map(|row| row.get(column))
                .map(Vec::len)
                .max()
                .unwrap_or(0)
                .max(least)
        })
        .collect();
    for row in cells {
        let mut line = Vec::new();
        for (column, (text, width)) in row.iter().zip(&widths).enumerate() {
            let left = matches!(
                settings.fields.get(column),
                Some(&"source" | &"fstype" | &"target" | &"file")
            );
            let pad = width.saturating_sub(text.len());
            let is_last = column + 1 == row.len();
            if !left {
                line.extend(std::iter::repeat_n(b' ', pad));
            }
            line.extend_from_slice(text);
            if !is_last {
                if left {
                    line.extend(std::iter::repeat_n(b' ', pad));
                }
                line.push(b' ');
            }
        }
        line.push(b'\n');
        if proc.print(&line).await.is_err() {
            return;
        }
    }
}

fn cell(field: &str, mount: &Mount, space: &Space, file: &[u8], display: Display) -> Vec<u8> {
    let size = |kib: u64| display.show(kib.saturating_mul(1024));
    let percent = |used: u64, free: u64| match used + free {
        0 => "-".to_owned(),
        all => format!("{}%", (used * 100).div_ceil(all)),
    };
    match field {
        "source" => return mount.source.to_vec(),
        "fstype" => return mount.fs_type.to_vec(),
        "target" => return mount.target.to_vec(),
        "file" => return file.to_vec(),
        "size" => size(space.total),
        "used" => size(space.used),
        "avail" => size(space.available),
        "pcent" => percent(space.used, space.available),
        "itotal" => space.inodes.to_string(),
        "iused" => space.inodes_used.to_string(),
        "iavail" => (space.inodes - space.inodes_used).to_string(),
        _ => percent(space.inodes_used, space.inodes - space.inodes_used),
    }
    .into_bytes()
}
