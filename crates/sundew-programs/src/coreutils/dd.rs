//! dd(1).

use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::Seek;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN, STDOUT};

use super::{about, float, input};
use crate::getopt::{Getopt, Spec, refuse};
use crate::size::{Display, number};

/// Largest record of `cbs=`, in bytes: each line is filled up to it.
const MAX_RECORD: u64 = 1 << 30;
/// Largest block that is asked for, in bytes, as an address space would have it; memory sets the limit.
const MAX_BLOCK: u64 = 1 << 46;

#[derive(Default)]
struct Options {
    input: Option<Vec<u8>>,
    output: Option<Vec<u8>>,
    input_block: u64,
    output_block: u64,
    count: Option<u64>,
    count_bytes: bool,
    skip_bytes: bool,
    seek_bytes: bool,
    /// `cbs`: the length of a record.
    record: u64,
    skip: u64,
    seek: u64,
    status: Status,
    flags: Vec<Vec<u8>>,
    append: bool,
    full_block: bool,
    /// Whether `bs` was given: each read is written as it is, and mistakes are worded otherwise.
    one_block: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Status {
    #[default]
    All,
    NoTransfer,
    None,
}

#[derive(Default)]
struct Counts {
    whole_in: u64,
    part_in: u64,
    whole_out: u64,
    part_out: u64,
    bytes: u64,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "dd").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    let mut settings = Options {
        input_block: 512,
        output_block: 512,
        ..Options::default()
    };
    for word in options.operands() {
        if let Err(status) = operand(proc, &word, &mut settings).await {
            return status;
        }
    }
    for (first, second) in [
        ("ascii", "ebcdic"),
        ("ascii", "ibm"),
        ("ebcdic", "ibm"),
        ("block", "unblock"),
        ("lcase", "ucase"),
        ("excl", "nocreat"),
    ] {
        let given = |name: &str| settings.flags.iter().any(|flag| flag == name.as_bytes());
        // Without a length of records there is nothing to do for either.
        let idle = first == "block" && settings.record == 0;
        if given(first) && given(second) && !idle {
            proc.complain_text(format!("cannot combine {first} and {second}"))
                .await;
            return proc.status();
        }
    }
    let started = proc.monotonic();
    let source = match &settings.input {
        None => STDIN,
        Some(path) => match proc.open(path, OpenFlags::READ, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain_about(proc, "failed to open", path, errno).await;
                return proc.status();
            }
        },
    };
    let target = match open_output(proc, &settings).await {
        Ok(fd) => fd,
        Err(status) => return status,
    };
    let mut counts = Counts::default();
    if skip(proc, source, &settings).await {
        copy(proc, source, target, &settings, &mut counts).await;
    }
    report(
        proc,
        &counts,
        settings.status,
        proc.monotonic().saturating_sub(started),
    )
    .await;
    proc.status()
}

/// Reads one `NAME=VALUE`; `Err` is the status to end with.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
async fn operand(
    proc: &mut Process,
    word: &[u8],
    settings: &mut Options,
) -> Result<(), ExitStatus> {
    let at = word.iter().position(|&byte| byte == b'=');
    let (name, value) = word.split_at(at.unwrap_or(word.len()));
    let value = value.get(1..).unwrap_or_default();
    match (name, at) {
        (b"if", Some(_)) => settings.input = Some(value.to_vec()),
        (b"of", Some(_)) => settings.output = Some(value.to_vec()),
        (b"status", Some(_)) => match value {
            b"none" => settings.status = Status::None,
            b"noxfer" => settings.status = Status::NoTransfer,
            b"progress" => settings.status = Status::All,
            value => return Err(input::refuse_word(proc, "invalid status level:", value).await),
        },
        (b"conv", Some(_)) => {
            for flag in value.split(|&byte| byte == b',') {
                const KNOWN: &[&[u8]] = &[
                    b"notrunc",
                    b"sync",
                    b"noerror",
                    b"ucase",
                    b"lcase",
                    b"swab",
                    b"excl",
                    b"nocreat",
                    b"fsync",
                    b"fdatasync",
                    b"sparse",
                    b"ascii",
                    b"ebcdic",
                    b"ibm",
                    b"block",
                    b"unblock",
                ];
                if !KNOWN.contains(&flag) {
                    return Err(input::refuse_word(proc, "invalid conversion:", flag).await);
                }
                settings.flags.push(flag.to_vec());
            }
        }
        (b"iflag" | b"oflag", Some(_)) => {
            const FLAGS: &[&[u8]] = &[
                b"append",
                b"binary",
                b"cio",
                b"direct",
                b"directory",
                b"dsync",
                b"noatime",
                b"nocache",
                b"noctty",
                b"nofollow",
                b"nolinks",
                b"nonblock",
                b"sync",
                b"text",
                b"count_bytes",
                b"fullblock",
                b"skip_bytes",
                b"seek_bytes",
            ];
            for flag in value.split(|&byte| byte == b',') {
                if !FLAGS.contains(&flag) {
                    let what = if name == b"iflag" {
                        "invalid input flag:"
                    } else {
                        "invalid output flag:"
                    };
                    return Err(input::refuse_word(proc, what, flag).await);
                }
            }
            let has = |name: &[u8]| value.split(|&byte| byte == b',').any(|flag| flag == name);
            if name == b"oflag" {
                settings.seek_bytes |= has(b"seek_bytes");
                settings.append |= value.windows(6).any(|window| window == b"append");
                return Ok(());
            }
            settings.count_bytes |= value.windows(11).any(|window| window == b"count_bytes");
            settings.skip_bytes |= has(b"skip_bytes");
            settings.full_block |= value.windows(9).any(|window| window == b"fullblock");
        }
        (
            b"bs" | b"ibs" | b"obs" | b"count" | b"skip" | b"iseek" | b"seek" | b"oseek" | b"cbs",
            Some(_),
        ) => {
            let Some(amount) = amount(value) else {
                return Err(input::complain_word(proc, "invalid number:", value).await);
            };
            match name {
                b"bs" => {
                    settings.one_block = true;
                    (settings.input_block, settings.output_block) = (amount, amount);
                }
                b"ibs" => settings.input_block = amount,
                b"obs" => settings.output_block = amount,
                b"count" => {
                    settings.count = Some(amount);
                    settings.count_bytes |= value.ends_with(b"B");
                }
                b"skip" | b"iseek" => {
                    settings.skip = amount;
                    settings.skip_bytes |= value.ends_with(b"B");
                }
                b"seek" | b"oseek" => {
                    settings.seek = amount;
                    settings.seek_bytes |= value.ends_with(b"B");
                }
                _ => settings.record = amount,
            }
            if matches!(name, b"bs" | b"ibs" | b"obs") && (amount == 0 || amount > MAX_BLOCK) {
                return Err(input::complain_word(proc, "invalid number:", value).await);
            }
        }
        _ => return Err(input::refuse_word(proc, "unrecognized operand", word).await),
    }
    Ok(())
}

/// `512`, `1M`, `2x1024`; a `B` behind all of it says that bytes are meant.
fn amount(text: &[u8]) -> Option<u64> {
    let bytes = text.strip_suffix(b"B");
    let text = match bytes {
        Some(digits) if digits.last().is_some_and(u8::is_ascii_digit) => digits,
        _ => text,
    };
    let mut product: u64 = 1;
    for part in text.split(|&byte| byte == b'x') {
        product = product.checked_mul(number(part, b"bBcEGkKMPTwYZ0").ok()?)?;
    }
    Some(product)
}

async fn open_output(proc: &mut Process, settings: &Options) -> Result<Fd, ExitStatus> {
    let Some(path) = &settings.output else {
        return Ok(STDOUT);
    };
    let flag = |name: &[u8]| settings.flags.iter().any(|flag| flag == name);
    let keep = flag(b"notrunc") || settings.seek > 0 || settings.append;
    let flags = OpenFlags {
        truncate: !keep,
        create: !flag(b"nocreat"),
        exclusive: flag(b"excl"),
        append: settings.append,
        ..OpenFlags::CREATE
    };
    let fd = match proc.open(path, flags, 0o666).await {
        Ok(fd) => fd,
        Err(errno) => {
            input::complain_about(proc, "failed to open", path, errno).await;
            return Err(proc.status());
        }
    };
    if settings.seek > 0 {
        let unit = if settings.seek_bytes {
            1
        } else {
            settings.output_block
        };
        let offset = settings.seek.saturating_mul(unit);
        let cut = if flag(b"notrunc") {
            Ok(())
        } else {
            proc.truncate(fd, offset)
        };
        // What cannot be cut, a device, cannot be moved in either.
        if let Err(errno) = proc.seek(fd, Seek::Start(offset)).map(drop).and(cut)
            && errno != Errno::Einval
        {
            let shown = crate::quote::always(proc, path);
            proc.complain(&[shown.as_slice(), b": cannot seek"].concat(), errno)
                .await;
            return Err(proc.status());
        }
    }
    Ok(fd)
}

/// Leaves out the first blocks of the input, by moving or by reading.
async fn skip(proc: &mut Process, fd: Fd, settings: &Options) -> bool {
    let unit = if settings.skip_bytes {
        1
    } else {
        settings.input_block
    };
    let mut left = settings.skip.saturating_mul(unit);
    if left == 0
        || proc
            .seek(fd, Seek::Current(i64::try_from(left).unwrap_or(i64::MAX)))
            .is_ok()
    {
        return true;
    }
    let mut chunk = vec![0; input::CHUNK];
    while left > 0 {
        let most = usize::try_from(left)
            .unwrap_or(input::CHUNK)
            .min(input::CHUNK);
        match proc
            .read(fd, chunk.get_mut(..most).unwrap_or_default())
            .await
        {
            Ok(0) | Err(_) => return true,
            Ok(got) => left -= got as u64,
        }
    }
    true
}

/// How much of a large block is held at a time, in bytes: `bs=1G` on a small machine is common.
const PIECE: usize = 1 << 20;

/// Copies blocks that nothing changes, each in pieces.
async fn copy_pieces(
    proc: &mut Process,
    source: Fd,
    target: Fd,
    settings: &Options,
    counts: &mut Counts,
) {
    let mut memory = proc.memory();
    if memory.grow(PIECE).is_err() {
        proc.out_of_memory().await;
    }
    let mut buffer = vec![0; PIECE];
    let mut left = settings.count;
    while left != Some(0) {
        let want = match left {
            Some(bytes) if settings.count_bytes => bytes.min(settings.input_block),
            _ => settings.input_block,
        };
        let mut got = 0;
        while got < want {
            let most = usize::try_from(want - got).unwrap_or(PIECE).min(PIECE);
            let piece = buffer.get_mut(..most).unwrap_or_default();
            let count = match proc.read(source, piece).await {
                Ok(count) => count,
                Err(errno) => return complain_of_reading(proc, settings, errno).await,
            };
            let data = buffer.get(..count).unwrap_or_default();
            if !write(proc, target, data, settings, counts).await {
                counts.whole_in += 1;
                return;
            }
            got += count as u64;
            if count == 0 || count < most && !settings.full_block {
                break;
            }
        }
        if got == 0 {
            return;
        }
        let (records_in, records_out) = if got == settings.input_block {
            (&mut counts.whole_in, &mut counts.whole_out)
        } else {
            (&mut counts.part_in, &mut counts.part_out)
        };
        *records_in += 1;
        *records_out += 1;
        let taken = if settings.count_bytes { got } else { 1 };
        left = left.map(|left| left.saturating_sub(taken));
    }
}

async fn complain_of_reading(proc: &mut Process, settings: &Options, errno: Errno) {
    let input = settings.input.clone();
    let name = input.unwrap_or_else(|| b"standard input".to_vec());
    input::complain_about(proc, "error reading", &name, errno).await;
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn copy(proc: &mut Process, source: Fd, target: Fd, settings: &Options, counts: &mut Counts) {
    let block = usize::try_from(settings.input_block).unwrap_or(usize::MAX);
    let out_block = usize::try_from(settings.output_block).unwrap_or(usize::MAX);
    let changes: [&[u8]; 6] = [b"sync", b"ucase", b"lcase", b"swab", b"block", b"unblock"];
    let changed = changes
        .iter()
        .any(|change| settings.flags.iter().any(|flag| flag == change));
    if block == out_block && block > PIECE && !changed {
        copy_pieces(proc, source, target, settings, counts).await;
        return;
    }
    let mut memory = proc.memory();
    if memory.grow(block.saturating_add(out_block)).is_err() {
        let human = Display::Human.show(settings.input_block);
        let text = format!("memory exhausted by input buffer of size {block} bytes ({human})");
        proc.complain_text(text).await;
        return;
    }
    let flag = |name: &[u8]| settings.flags.iter().any(|flag| flag == name);
    let (sync, upper, lower, swab) = (flag(b"sync"), flag(b"ucase"), flag(b"lcase"), flag(b"swab"));
    let mut buffer = vec![0; block];
    let mut pending: Vec<u8> = Vec::new();
    let mut left_bytes = settings.count.filter(|_| settings.count_bytes);
    let mut records = Records::of(settings);
    loop {
        let blocks = counts.whole_in + counts.part_in;
        if !settings.count_bytes && settings.count.is_some_and(|count| blocks >= count) {
            break;
        }
        let want = left_bytes.map_or(block, |left| {
            usize::try_from(left).unwrap_or(block).min(block)
        });
        let mut got = 0;
        while got < want {
            match proc
                .read(source, buffer.get_mut(got..want).unwrap_or_default())
                .await
            {
                Ok(0) => break,
                Ok(count) => got += count,
                Err(errno) => return complain_of_reading(proc, settings, errno).await,
            }
            if !settings.full_block {
                break;
            }
        }
        if got == 0 {
            break;
        }
        if let Some(left) = &mut left_bytes {
            *left -= got as u64;
        }
        if got == block {
            counts.whole_in += 1
        } else {
            counts.part_in += 1
        }
        if sync && got < block {
            if let Some(rest) = buffer.get_mut(got..) {
                rest.fill(0);
            }
            got = block;
        }
        let data = buffer.get_mut(..got).unwrap_or_default();
        if upper {
            data.make_ascii_uppercase();
        } else if lower {
            data.make_ascii_lowercase();
        }
        if swab {
            data.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        // With one block size each read is a write; else whole output blocks are filled.
        let mut converted = Vec::new();
        let data = match &mut records {
            Some(records) => {
                records.take(data, &mut converted);
                converted.as_slice()
            }
            None => &*data,
        };
        if settings.input_block == settings.output_block && records.is_none() {
            let data = data.to_vec();
            if !put(proc, target, &data, out_block, settings, counts).await {
                return;
            }
            continue;
        }
        pending.extend_from_slice(data);
        while pending.len() >= out_block {
            let rest = pending.split_off(out_block);
            let full = std::mem::replace(&mut pending, rest);
            if !put(proc, target, &full, out_block, settings, counts).await {
                return;
            }
        }
    }
    if let Some(records) = records {
        records.end(&mut pending);
    }
    if !pending.is_empty() {
        put(proc, target, &pending, out_block, settings, counts).await;
    }
}

/// `conv=block` and `conv=unblock`: lines to records of one length, and back.
struct Records {
    length: usize,
    to_lines: bool,
    /// How far the record has got.
    column: usize,
    /// Blanks of the record that may be its padding.
    blanks: usize,
}

impl Records {
    fn of(settings: &Options) -> Option<Self> {
        let flag = |name: &[u8]| settings.flags.iter().any(|flag| flag == name);
        let length = usize::try_from(settings.record).unwrap_or(usize::MAX);
        let wanted =
            length > 0 && length as u64 <= MAX_RECORD && (flag(b"block") || flag(b"unblock"));
        wanted.then(|| Self {
            length,
            to_lines: flag(b"unblock"),
            column: 0,
            blanks: 0,
        })
    }

    fn take(&mut self, data: &[u8], out: &mut Vec<u8>) {
        for &byte in data {
            if self.to_lines {
                if self.column == self.length {
                    out.push(b'\n');
                    (self.column, self.blanks) = (0, 0);
                }
                self.column += 1;
                if byte == b' ' {
                    self.blanks += 1;
                } else {
                    out.extend(std::iter::repeat_n(b' ', std::mem::take(&mut self.blanks)));
                    out.push(byte);
                }
            } else if byte == b'\n' {
                out.extend(std::iter::repeat_n(
                    b' ',
                    self.length.saturating_sub(self.column),
                ));
                self.column = 0;
            } else {
                if self.column < self.length {
                    out.push(byte);
                }
                self.column = self.column.saturating_add(1);
            }
        }
    }

    /// What the last record lacks.
    fn end(self, out: &mut Vec<u8>) {
        if self.column == 0 {
            return;
        }
        if self.to_lines {
            out.push(b'\n');
        } else {
            out.extend(std::iter::repeat_n(
                b' ',
                self.length.saturating_sub(self.column),
            ));
        }
    }
}

async fn put(
    proc: &mut Process,
    target: Fd,
    data: &[u8],
    block: usize,
    settings: &Options,
    counts: &mut Counts,
) -> bool {
    if !write(proc, target, data, settings, counts).await {
        return false;
    }
    if data.len() == block {
        counts.whole_out += 1
    } else {
        counts.part_out += 1
    }
    true
}

async fn write(
    proc: &mut Process,
    target: Fd,
    data: &[u8],
    settings: &Options,
    counts: &mut Counts,
) -> bool {
    if let Err(errno) = proc.write_all(target, data).await {
        let name = settings
            .output
            .clone()
            .unwrap_or_else(|| b"standard output".to_vec());
        let what = if settings.one_block {
            "error writing"
        } else {
            "writing to"
        };
        input::complain_about(proc, what, &name, errno).await;
        return false;
    }
    counts.bytes += data.len() as u64;
    true
}

async fn report(proc: &mut Process, counts: &Counts, status: Status, time: Duration) {
    if status == Status::None {
        return;
    }
    let mut text = format!(
        "{}+{} records in\n{}+{} records out\n",
        counts.whole_in, counts.part_in, counts.whole_out, counts.part_out
    );
    if status == Status::All {
        let bytes = counts.bytes;
        text.push_str(&if bytes == 1 {
            "1 byte".to_owned()
        } else {
            format!("{bytes} bytes")
        });
        match (bytes >= 1000, bytes >= 1024) {
            (true, true) => text.push_str(&format!(
                " ({}, {})",
                rounded(bytes as f64, false),
                rounded(bytes as f64, true)
            )),
            (true, false) => text.push_str(&format!(" ({})", rounded(bytes as f64, false))),
            _ => {}
        }
        let seconds = time.as_secs_f64().max(1e-9);
        let shown = float::format(seconds, b'g', None, false);
        text.push_str(&format!(
            " copied, {shown} s, {}/s\n",
            // A rate is never told in single bytes.
            match bytes as f64 / seconds {
                rate if rate < 999.5 => format!("{:.1} kB", rate / 1000.0),
                rate => rounded(rate, false),
            }
        ));
    }
    proc.print_error(text.as_bytes()).await;
}

/// `1.4 MB`, `2.0 MiB`.
fn rounded(bytes: f64, binary: bool) -> String {
    let base = if binary { 1024.0 } else { 1000.0 };
    let units: &[&str] = if binary {
        &["B", "KiB", "MiB", "GiB", "TiB"]
    } else {
        &["B", "kB", "MB", "GB", "TB"]
    };
    let (mut value, mut unit) = (bytes, 0);
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or("B");
    if unit > 0 && value < 9.95 {
        format!("{value:.1} {name}")
    } else {
        format!("{value:.0} {name}")
    }
}
