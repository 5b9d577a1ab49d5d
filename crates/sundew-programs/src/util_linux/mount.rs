//! `mount`, `umount`, `findmnt`, `mountpoint`, `lsblk`: what is mounted where.
//!
//! What the table says is the kernel's; what can be mounted is in [`attach`].

mod attach;

use sundew_kernel::{Errno, ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;

/// What mount(8) ends with when the system call failed.
const FAILED: u8 = 32;

/// One line of `/proc/mounts`.
#[derive(Debug)]
struct Row {
    source: Vec<u8>,
    target: Vec<u8>,
    fs_type: Vec<u8>,
    options: Vec<u8>,
}

async fn rows(proc: &Process) -> Vec<Row> {
    let text = input::read_all(proc, b"/proc/mounts")
        .await
        .map(|(text, _memory)| text);
    text.unwrap_or_default()
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|&byte| byte == b' ').map(<[u8]>::to_vec);
            Some(Row {
                source: fields.next()?,
                target: fields.next()?,
                fs_type: fields.next()?,
                options: fields.next()?,
            })
        })
        .collect()
}

async fn complain(proc: &mut Process, subject: &[u8], text: &[u8], status: u8) -> ExitStatus {
    proc.complain_text([subject, b": ", text].concat()).await;
    ExitStatus::Exited(status)
}

const HINT: &[u8] = b"\n       dmesg(1) may have more information after failed mount system call.";

#[derive(Debug, Default)]
struct Options {
    words: Vec<Vec<u8>>,
    fs_type: Option<Vec<u8>>,
    all: bool,
    labels: bool,
    verbose: bool,
    moving: bool,
    sources: Vec<Vec<u8>>,
}

pub(crate) async fn mount(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "aBcfFhilL:MmnN:o:O:rRsT:t:U:vVw",
        &[
            ("all", Arity::No, "a"),
            ("bind", Arity::No, "B"),
            ("fake", Arity::No, "f"),
            ("fork", Arity::No, "F"),
            ("help", Arity::No, "h"),
            ("label", Arity::Required, "L"),
            ("show-labels", Arity::No, "l"),
            ("move", Arity::No, "M"),
            ("no-mtab", Arity::No, "n"),
            ("options", Arity::Required, "o"),
            ("test-opts", Arity::Required, "O"),
            ("read-only", Arity::No, "r"),
            ("rbind", Arity::No, "R"),
            ("source", Arity::Required, "source"),
            ("target", Arity::Required, "source"),
            ("types", Arity::Required, "t"),
            ("fstab", Arity::Required, "T"),
            ("uuid", Arity::Required, "U"),
            ("verbose", Arity::No, "v"),
            ("version", Arity::No, "V"),
            ("rw", Arity::No, "w"),
            ("make-shared", Arity::No, "make"),
            ("make-private", Arity::No, "make"),
            ("make-rprivate", Arity::No, "make"),
            ("make-slave", Arity::No, "make"),
        ],
    );
    let mut options = Options::default();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return super::refuse(proc, &error).await,
        };
        match option.key {
            "a" => options.all = true,
            "B" | "R" => options.words.push(b"bind".to_vec()),
            "M" | "make" => options.moving = true,
            "l" => options.labels = true,
            "r" => options.words.push(b"ro".to_vec()),
            "v" => options.verbose = true,
            "o" => options
                .words
                .extend(option.value.split(|&byte| byte == b',').map(<[u8]>::to_vec)),
            "t" => options.fs_type = Some(option.value),
            "source" => options.sources.push(option.value),
            "L" => options
                .sources
                .push([b"LABEL=".as_slice(), &option.value].concat()),
            "U" => options
                .sources
                .push([b"UUID=".as_slice(), &option.value].concat()),
            "h" => return super::help(proc, "mount").await,
            "V" => {
                let text = b"mount from util-linux 2.38.1 (libmount 2.38.1: selinux, smack, btrfs, verity, namespaces, assert, debug)\n";
                let _reported_at_exit = proc.print(text).await;
                return proc.status();
            }
            _ => {}
        }
    }
    let mut operands = std::mem::take(&mut options.sources);
    operands.extend(getopt.operands());
    match operands.as_slice() {
        [] if options.all => ExitStatus::SUCCESS,
        [] => list(proc, options.fs_type.as_deref()).await,
        [one] => change(proc, &options, None, one).await,
        [source, target] => change(proc, &options, Some(source), target).await,
        _ => super::bad_usage(proc).await,
    }
}

async fn list(proc: &mut Process, fs_types: Option<&[u8]>) -> ExitStatus {
    for row in rows(proc).await {
        let wanted = fs_types.is_none_or(|list| {
            list.split(|&byte| byte == b',')
                .any(|name| name == row.fs_type)
        });
        let line = [
            row.source.as_slice(),
            b" on ",
            &row.target,
            b" type ",
            &row.fs_type,
            b" (",
            &row.options,
            b")\n",
        ];
        if wanted && proc.print(&line.concat()).await.is_err() {
            break;
        }
    }
    proc.status()
}

async fn change(
    proc: &mut Process,
    options: &Options,
    source: Option<&[u8]>,
    target: &[u8],
) -> ExitStatus {
    if proc.credentials().uid != 0 {
        return complain(proc, target, b"must be superuser to use mount.", 1).await;
    }
    let mounted = rows(proc).await.iter().any(|row| row.target == target);
    let remount = options.words.iter().any(|word| word == b"remount");
    if proc.stat(target).is_err() {
        if source.is_none() && !remount {
            let text = b"can't find in /etc/fstab.";
            return complain(proc, target, text, 1).await;
        }
        let text = [b"mount point does not exist.".as_slice(), HINT].concat();
        return complain(proc, target, &text, FAILED).await;
    }
    if remount {
        let result = match mounted {
            true => attach::remount(proc, options, target),
            false => Err(Errno::Einval),
        };
        let reason: &[u8] = match result {
            Ok(()) => return ExitStatus::SUCCESS,
            Err(Errno::Ebusy) => b"mount point is busy.",
            Err(_) => b"mount point not mounted or bad option.",
        };
        let text = [reason, HINT].concat();
        return complain(proc, target, &text, FAILED).await;
    }
    let Some(source) = source else {
        if options.moving {
            return ExitStatus::SUCCESS;
        }
        return complain(proc, target, b"can't find in /etc/fstab.", 1).await;
    };
    if let Some(text) = attach::refused(proc, options, source) {
        return complain(proc, target, &[text.as_slice(), HINT].concat(), FAILED).await;
    }
    let result = attach::attach(proc, options, source, target);
    let text = match result {
        Ok(()) if options.verbose => {
            let text = [
                b"mount: ".as_slice(),
                source,
                b" mounted on ",
                target,
                b".\n",
            ]
            .concat();
            let _reported_at_exit = proc.print(&text).await;
            return proc.status();
        }
        Ok(()) => return ExitStatus::SUCCESS,
        Err(Errno::Enotdir) => b"mount point is not a directory.".to_vec(),
        Err(Errno::Enodev) => {
            let fs_type = options.fs_type.clone().unwrap_or_default();
            let text = [b"unknown filesystem type '".as_slice(), &fs_type, b"'."].concat();
            return complain(proc, target, &text, FAILED).await;
        }
        Err(Errno::Ebusy) => [source, b" already mounted on /."].concat(),
        Err(Errno::Enoent) => [b"special device ".as_slice(), source, b" does not exist."].concat(),
        Err(Errno::Einval) => [
            b"wrong fs type, bad option, bad superblock on ".as_slice(),
            source,
            b", missing codepage or helper program, or other error.",
        ]
        .concat(),
        Err(_) => b"permission denied.".to_vec(),
    };
    complain(proc, target, &[text.as_slice(), HINT].concat(), FAILED).await
}

pub(crate) async fn umount(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "AacdfhilnN:O:qRrt:vV",
        &[
            ("all", Arity::No, "a"),
            ("force", Arity::No, "f"),
            ("help", Arity::No, "h"),
            ("lazy", Arity::No, "l"),
            ("no-mtab", Arity::No, "n"),
            ("quiet", Arity::No, "q"),
            ("recursive", Arity::No, "R"),
            ("types", Arity::Required, "t"),
            ("verbose", Arity::No, "v"),
            ("version", Arity::No, "V"),
        ],
    );
    let (mut all, mut quiet, mut lazy, mut verbose) = (false, false, false, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("a" | "A") => all = true,
            Ok("q") => quiet = true,
            Ok("l") => lazy = true,
            Ok("v") => verbose = true,
            Ok("h") => return super::help(proc, "umount").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let operands = getopt.operands();
    if operands.is_empty() {
        return if all {
            ExitStatus::SUCCESS
        } else {
            super::bad_usage(proc).await
        };
    }
    let root = proc.credentials().uid == 0;
    let mut status = ExitStatus::SUCCESS;
    for operand in &operands {
        // The path as it is first: that of what is bound leads to its origin.
        let plain = proc.absolute(operand);
        let real = proc.real_path(operand).unwrap_or_else(|_| plain.clone());
        let rows = rows(proc).await;
        let place = rows
            .iter()
            .rfind(|row| row.target == plain || row.source == *operand)
            .or_else(|| rows.iter().rfind(|row| row.target == real))
            .map(|row| row.target.clone());
        let text: &[u8] = match (place, proc.stat(operand).is_ok()) {
            (None, false) => b"no mount point specified.",
            (None, true) if quiet => continue,
            (None, true) => b"not mounted.",
            (Some(_), _) if !root => b"must be superuser to unmount.",
            (Some(place), _) => match proc.unmount(&place, lazy) {
                Ok(()) => {
                    if verbose {
                        let text = [b"umount: ".as_slice(), operand, b" unmounted\n"].concat();
                        let _reported_at_exit = proc.print(&text).await;
                    }
                    continue;
                }
                Err(_) => b"target is busy.",
            },
        };
        status = complain(proc, operand, text, FAILED).await;
    }
    status
}

pub(crate) async fn mountpoint(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "qdxhV",
        &[
            ("quiet", Arity::No, "q"),
            ("fs-devno", Arity::No, "d"),
            ("devno", Arity::No, "x"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let mut quiet = false;
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("q") => quiet = true,
            Ok("h") => return super::help(proc, "mountpoint").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let operands = getopt.operands();
    let [path] = operands.as_slice() else {
        return super::bad_usage(proc).await;
    };
    if let Err(errno) = proc.stat(path) {
        if !quiet {
            proc.complain(path, errno).await;
        }
        return ExitStatus::FAILURE;
    }
    let real = proc.real_path(path).unwrap_or_else(|_| path.clone());
    let mounted = rows(proc).await.iter().any(|row| row.target == real);
    if !quiet {
        let text: &[u8] = if mounted {
            b" is a mountpoint\n"
        } else {
            b" is not a mountpoint\n"
        };
        let _reported_at_exit = proc.print(&[path.as_slice(), text].concat()).await;
    }
    ExitStatus::Exited(if mounted { 0 } else { FAILED })
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(crate) async fn findmnt(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "AabcDdeF:fhiJkLlmMnNo:O:PpRrst:S:T:uUvVyx",
        &[
            ("noheadings", Arity::No, "n"),
            ("output", Arity::Required, "o"),
            ("target", Arity::Required, "T"),
            ("source", Arity::Required, "S"),
            ("types", Arity::Required, "t"),
            ("list", Arity::No, "l"),
            ("raw", Arity::No, "r"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let (mut headings, mut tree, mut columns) =
        (true, true, b"TARGET,SOURCE,FSTYPE,OPTIONS".to_vec());
    let (mut fs_type, mut wanted, mut verify) = (None, Vec::new(), false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("n", _)) => headings = false,
            Ok(("l" | "r", _)) => tree = false,
            Ok(("o", value)) => columns = value,
            Ok(("t", value)) => fs_type = Some(value),
            Ok(("T" | "S", value)) => wanted.push(value),
            Ok(("x", _)) => verify = true,
            Ok(("h", _)) => return super::help(proc, "findmnt").await,
            Ok(("V", _)) => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    wanted.extend(getopt.operands());
    if verify {
        let text = b"Success, no errors or warnings detected\n";
        let _reported_at_exit = proc.print(text).await;
        return proc.status();
    }
    let names: Vec<Vec<u8>> = columns
        .split(|&byte| byte == b',')
        .map(<[u8]>::to_vec)
        .collect();
    // Of these nothing is known of a mount: their cells are empty.
    let known: [&[u8]; 8] = [
        b"TARGET",
        b"SOURCE",
        b"FSTYPE",
        b"OPTIONS",
        b"UUID",
        b"LABEL",
        b"PARTUUID",
        b"PARTLABEL",
    ];
    let is_known = |name: &Vec<u8>| known.contains(&name.to_ascii_uppercase().as_slice());
    let uuid = super::block::root_uuid(proc).unwrap_or_default();
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        proc.complain_text([b"unknown column: ", unknown.as_slice()].concat())
            .await;
        return ExitStatus::FAILURE;
    }
    let names: Vec<Vec<u8>> = names.iter().map(|name| name.to_ascii_uppercase()).collect();
    let rows: Vec<Row> = rows(proc)
        .await
        .into_iter()
        .filter(|row| {
            wanted.is_empty() || wanted.contains(&row.target) || wanted.contains(&row.source)
        })
        .filter(|row| fs_type.as_ref().is_none_or(|name| *name == row.fs_type))
        .collect();
    if rows.is_empty() {
        return ExitStatus::FAILURE;
    }
    let tree = tree && wanted.is_empty() && fs_type.is_none();
    let last = rows.len() - 1;
    let mut table: Vec<Vec<Vec<u8>>> = if headings {
        vec![names.clone()]
    } else {
        Vec::new()
    };
    for (number, row) in rows.iter().enumerate() {
        let branch: &[u8] = match (tree && number > 0, number == last) {
            (false, _) => b"",
            (true, false) => "├─".as_bytes(),
            (true, true) => "└─".as_bytes(),
        };
        let cell = |name: &Vec<u8>| match name.as_slice() {
            b"TARGET" => [branch, row.target.as_slice()].concat(),
            b"SOURCE" => row.source.clone(),
            b"FSTYPE" => row.fs_type.clone(),
            b"OPTIONS" => row.options.clone(),
            b"UUID" if row.target == b"/" => uuid.clone().into_bytes(),
            _ => Vec::new(),
        };
        table.push(names.iter().map(cell).collect());
    }
    let _reported_at_exit = proc.print(&aligned(&table, b" ")).await;
    proc.status()
}

/// Cells under each other, the last of a row as long as it is.
fn aligned(table: &[Vec<Vec<u8>>], gap: &[u8]) -> Vec<u8> {
    use crate::quote::{Locale, width};
    let count = table.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|at| {
            table
                .iter()
                .filter_map(|row| row.get(at))
                .map(|cell| width(cell, Locale::Utf8))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = Vec::new();
    for row in table {
        for (at, (cell, wide)) in row.iter().zip(&widths).enumerate() {
            out.extend_from_slice(cell);
            if at + 1 < row.len() {
                out.extend(std::iter::repeat_n(
                    b' ',
                    wide.saturating_sub(width(cell, Locale::Utf8)),
                ));
                out.extend_from_slice(gap);
            }
        }
        out.push(b'\n');
    }
    out
}

/// Whether lsblk's help names the column.
fn is_column(name: &[u8]) -> bool {
    let text = super::help_text("lsblk").as_bytes();
    let columns = text.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = line.trim_ascii_start();
        line.split(|&byte| byte == b' ').next()
    });
    let name = name.to_ascii_uppercase();
    let mut columns = columns.filter(|word| word.first().is_some_and(u8::is_ascii_uppercase));
    columns.any(|column| column == name)
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(crate) async fn lsblk(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "aAbdDzE:e:fhiI:JlT::MmnNo:OPprsStvVw:x:",
        &[
            ("all", Arity::No, "a"),
            ("bytes", Arity::No, "b"),
            ("nodeps", Arity::No, "d"),
            ("fs", Arity::No, "f"),
            ("help", Arity::No, "h"),
            ("list", Arity::No, "l"),
            ("noheadings", Arity::No, "n"),
            ("output", Arity::Required, "o"),
            ("paths", Arity::No, "p"),
            ("raw", Arity::No, "r"),
            ("version", Arity::No, "V"),
        ],
    );
    let (mut bytes, mut alone, mut list, mut headings, mut paths) =
        (false, false, false, true, false);
    let mut columns = b"NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS".to_vec();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("b", _)) => bytes = true,
            Ok(("d", _)) => alone = true,
            Ok(("l" | "r", _)) => list = true,
            Ok(("n", _)) => headings = false,
            Ok(("p", _)) => paths = true,
            Ok(("f", _)) => {
                columns = b"NAME,FSTYPE,FSVER,LABEL,UUID,FSAVAIL,FSUSE%,MOUNTPOINTS".to_vec()
            }
            Ok(("o", value)) => {
                let (more, given) = match value.strip_prefix(b"+") {
                    Some(given) => (true, given),
                    None => (false, value.as_slice()),
                };
                let mut names = given.split(|&byte| byte == b',');
                if let Some(unknown) = names.find(|name| !is_column(name)) {
                    let text = [b"unknown column: ".as_slice(), unknown].concat();
                    proc.complain_text(text).await;
                    return ExitStatus::FAILURE;
                }
                let given = given.to_ascii_uppercase();
                columns = if more {
                    [columns.as_slice(), b",", &given].concat()
                } else {
                    given
                };
            }
            Ok(("h", _)) => return super::help(proc, "lsblk").await,
            Ok(("V", _)) => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let names: Vec<Vec<u8>> = columns
        .split(|&byte| byte == b',')
        .map(<[u8]>::to_vec)
        .collect();
    let wanted: Vec<Vec<u8>> = getopt
        .operands()
        .iter()
        .map(|path| path.strip_prefix(b"/dev/").unwrap_or(path).to_vec())
        .collect();
    let table = blocks(proc).await;
    for name in &wanted {
        if !table.iter().any(|block| block.name == *name) {
            let path = [b"/dev/".as_slice(), name].concat();
            proc.complain_text([path.as_slice(), b": not a block device"].concat())
                .await;
            return ExitStatus::Exited(FAILED);
        }
    }
    let mounted = rows(proc).await;
    let mut shown: Vec<Vec<Vec<u8>>> = if headings {
        vec![names.clone()]
    } else {
        Vec::new()
    };
    for (number, block) in table.iter().enumerate() {
        if (alone && block.partition)
            || (!wanted.is_empty() && !wanted.iter().any(|name| block.name.starts_with(name)))
        {
            continue;
        }
        let more = table.get(number + 1).is_some_and(|next| next.partition);
        let branch = match (block.partition && !list, more) {
            (false, _) => "",
            (true, true) => "├─",
            (true, false) => "└─",
        };
        shown.push(
            names
                .iter()
                .map(|name| block.cell(name, branch, bytes, paths, &mounted))
                .collect(),
        );
    }
    let right: Vec<bool> = names
        .iter()
        .map(|name| {
            matches!(
                name.as_slice(),
                b"RM" | b"SIZE" | b"RO" | b"FSAVAIL" | b"FSUSE%"
            )
        })
        .collect();
    let _reported_at_exit = proc.print(&ranged(&shown, &right)).await;
    proc.status()
}

/// Cells under each other, some of them set to the right; blanks at the end stay.
fn ranged(table: &[Vec<Vec<u8>>], right: &[bool]) -> Vec<u8> {
    use crate::quote::{Locale, width};
    let widths: Vec<usize> = (0..right.len())
        .map(|at| {
            table
                .iter()
                .filter_map(|row| row.get(at))
                .map(|cell| width(cell, Locale::Utf8))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = Vec::new();
    for row in table {
        for (at, ((cell, wide), right)) in row.iter().zip(&widths).zip(right).enumerate() {
            let blanks = vec![b' '; wide.saturating_sub(width(cell, Locale::Utf8))];
            if at > 0 {
                out.push(b' ');
            }
            if *right {
                out.extend_from_slice(&blanks);
            }
            out.extend_from_slice(cell);
            if !*right && at + 1 < row.len() {
                out.extend_from_slice(&blanks);
            }
        }
        out.push(b'\n');
    }
    out
}

#[derive(Debug)]
struct Block {
    name: Vec<u8>,
    numbers: Vec<u8>,
    bytes: u64,
    partition: bool,
}

/// The block devices, each disk before its partitions.
async fn blocks(proc: &Process) -> Vec<Block> {
    let text = input::read_all(proc, b"/proc/partitions")
        .await
        .map(|(text, _memory)| text);
    let text = text.unwrap_or_default();
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.split(|&byte| byte == b'\n').skip(2) {
        let fields: Vec<&[u8]> = line
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty())
            .collect();
        let [major, minor, kib, name] = fields.as_slice() else {
            continue;
        };
        let kib: u64 = std::str::from_utf8(kib)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let partition = blocks
            .iter()
            .any(|disk| !disk.partition && name.starts_with(&disk.name));
        blocks.push(Block {
            name: name.to_vec(),
            numbers: [major, b":".as_slice(), minor].concat(),
            bytes: kib.saturating_mul(1024),
            partition,
        });
    }
    blocks
}

impl Block {
    fn cell(
        &self,
        name: &[u8],
        branch: &str,
        bytes: bool,
        paths: bool,
        mounted: &[Row],
    ) -> Vec<u8> {
        let path = [b"/dev/".as_slice(), &self.name].concat();
        let row = mounted.iter().find(|row| row.source == path);
        match name {
            b"NAME" | b"KNAME" => {
                let shown = if paths { &path } else { &self.name };
                [branch.as_bytes(), shown].concat()
            }
            b"PATH" => path,
            b"MAJ:MIN" => {
                let blanks = 3usize.saturating_sub(self.major_width());
                [vec![b' '; blanks], self.numbers.clone()].concat()
            }
            b"RM" | b"RO" => b"0".to_vec(),
            b"SIZE" if bytes => self.bytes.to_string().into_bytes(),
            b"SIZE" => human(self.bytes).into_bytes(),
            b"TYPE" => {
                if self.partition {
                    b"part".to_vec()
                } else {
                    b"disk".to_vec()
                }
            }
            b"MOUNTPOINT" | b"MOUNTPOINTS" => row.map(|row| row.target.clone()).unwrap_or_default(),
            b"FSTYPE" => row.map(|row| row.fs_type.clone()).unwrap_or_default(),
            b"FSVER" if row.is_some() => b"1.0".to_vec(),
            _ => Vec::new(),
        }
    }

    fn major_width(&self) -> usize {
        self.numbers
            .iter()
            .position(|&byte| byte == b':')
            .unwrap_or(0)
    }
}

/// `78.4G`: one place behind the point unless it is zero.
fn human(bytes: u64) -> String {
    let mut unit = 0;
    let mut size = bytes;
    let mut rest = 0;
    while size >= 1024 && unit < 6 {
        rest = size % 1024;
        size /= 1024;
        unit += 1;
    }
    let mut tenths = (rest * 10 + 512) / 1024;
    if tenths == 10 {
        size += 1;
        tenths = 0;
    }
    let letter = b"BKMGTPE"
        .get(unit)
        .map_or('B', |letter| char::from(*letter));
    if tenths == 0 {
        format!("{size}{letter}")
    } else {
        format!("{size}.{tenths}{letter}")
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_have_one_place_behind_the_point_or_none() {
        assert_eq!(human(0), "0B");
        assert_eq!(human(82_236_200 * 1024), "78.4G");
        assert_eq!(human(256 << 30), "256G");
    }
}
