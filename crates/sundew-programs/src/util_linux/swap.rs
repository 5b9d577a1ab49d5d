//! `mkswap` and `swaplabel`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::FileType;

use super::block::{device, is_mounted, look};
use super::spec;
use crate::getopt::{Arity, Spec};

/// Bytes of a page of swap.
const PAGE: u64 = 4096;
/// Fewest pages of a swap area.
const MIN_PAGES: u64 = 10;
/// Where a swap area has its mark.
const SWAP_MARK: (u64, &[u8]) = (PAGE - 10, b"SWAPSPACE2");

fn new_uuid(proc: &Process) -> (Vec<u8>, String) {
    let mut bytes: Vec<u8> = [proc.random(), proc.random()]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    if let [_, _, _, _, _, _, version, _, variant, ..] = bytes.as_mut_slice() {
        *version = *version & 0x0f | 0x40;
        *variant = *variant & 0x3f | 0x80;
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let parts = parts.map(|(start, end)| hex.get(start..end).unwrap_or_default());
    (bytes, parts.join("-"))
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn mkswap(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "cfp:qL:v:U:e:o:s:VF",
        &[
            ("check", Arity::No, "c"),
            ("force", Arity::No, "f"),
            ("quiet", Arity::No, "q"),
            ("pagesize", Arity::Required, "p"),
            ("label", Arity::Required, "L"),
            ("swapversion", Arity::Required, "v"),
            ("uuid", Arity::Required, "U"),
            ("endianness", Arity::Required, "e"),
            ("verbose", Arity::No, "verbose"),
            ("lock", Arity::Optional, "lock"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let line = match super::line(proc, "mkswap", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(path) = line.operands.first().cloned() else {
        return super::refuse_text(proc, "error: Nowhere to set up swap on?").await;
    };
    let metadata = match look(proc, &path) {
        Ok(metadata) => metadata,
        Err(errno) => return super::cannot(proc, "cannot open", &path, errno).await,
    };
    let regular = metadata.file_type == FileType::Regular;
    let bytes = if regular {
        metadata.size
    } else {
        device(proc, &path).map_or(0, |(_, kib)| kib * 1024)
    };
    let mut pages = bytes / PAGE;
    if let Some(word) = line.operands.get(1) {
        let Some(kib) = super::number::<u64>(word) else {
            return super::bad_argument(proc, "invalid block count argument", word).await;
        };
        let wanted = kib * 1024 / PAGE;
        if wanted > pages && !line.has("f") {
            let text = format!(
                "error: size {kib} KiB is larger than device size {} KiB",
                bytes / 1024
            );
            return super::fail(proc, text).await;
        }
        pages = wanted;
    }
    if pages < MIN_PAGES {
        return super::fail(proc, "error: swap area needs to be at least 40 KiB").await;
    }
    if !regular {
        if is_mounted(proc, &path) {
            let text = [
                b"error: ".as_slice(),
                &path,
                b" is mounted; will not make swapspace",
            ];
            return super::fail(proc, text.concat()).await;
        }
        return super::cannot(proc, "cannot open", &path, Errno::Ebusy).await;
    }
    let warn = metadata.mode & 0o077 != 0;
    if warn {
        let text = format!(
            ": insecure permissions {:04o}, fix with: chmod {:04o} ",
            metadata.mode & 0o7777,
            0o600
        );
        complain_softly(proc, [path.as_slice(), text.as_bytes(), &path].concat()).await;
    }
    if metadata.uid != 0 {
        let text = format!(
            ": insecure file owner {}, fix with: chown 0:0 ",
            metadata.uid
        );
        complain_softly(proc, [path.as_slice(), text.as_bytes(), &path].concat()).await;
    }
    let (uuid, shown) = new_uuid(proc);
    let label = line.value("L").unwrap_or_default().to_vec();
    if let Err(errno) = write_swap(proc, &path, pages, &uuid, &label).await {
        let subject = [path.as_slice(), b": unable to write signature page"].concat();
        proc.complain(&subject, errno).await;
        return ExitStatus::FAILURE;
    }
    let usable = (pages - 1) * PAGE;
    let size = long_size(usable);
    let label = if label.is_empty() {
        b"no label".to_vec()
    } else {
        [b"LABEL=".as_slice(), &label].concat()
    };
    let head = format!("Setting up swapspace version 1, size = {size} ({usable} bytes)\n");
    let tail = format!(", UUID={shown}\n");
    if line.has("q") {
        return proc.status();
    }
    super::put(proc, [head.as_bytes(), &label, tail.as_bytes()].concat()).await
}

pub(super) async fn complain_softly(proc: &mut Process, text: Vec<u8>) {
    let line = [proc.name(), b": ", &text, b"\n"].concat();
    proc.print_error(&line).await;
}

async fn write_swap(
    proc: &Process,
    path: &[u8],
    pages: u64,
    uuid: &[u8],
    label: &[u8],
) -> Result<(), Errno> {
    /// Version, last page, bad pages, UUID and label follow the boot block.
    const HEADER: u64 = 1024;
    let fd = proc.open(path, OpenFlags::READ_WRITE, 0).await?;
    let last = u32::try_from(pages - 1).unwrap_or(u32::MAX);
    let mut label = label.to_vec();
    label.resize(16, 0);
    let header = [
        1u32.to_le_bytes().as_slice(),
        &last.to_le_bytes(),
        &0u32.to_le_bytes(),
        uuid,
        &label,
    ]
    .concat();
    for (at, bytes) in [(HEADER, header.as_slice()), SWAP_MARK] {
        proc.seek(fd, sundew_kernel::process::Seek::Start(at))?;
        proc.write_all(fd, bytes).await?;
    }
    // Opened above.
    let _open = proc.close(fd);
    Ok(())
}

/// `1020 KiB`, `4.9 MiB`.
fn long_size(bytes: u64) -> String {
    let short = super::inventory::short_size(bytes);
    let (digits, letter) = short.split_at(short.len() - 1);
    if letter == "B" {
        format!("{digits} B")
    } else {
        format!("{digits} {letter}iB")
    }
}

pub(super) async fn swaplabel(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "swaplabel", &spec::SWAPLABEL).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(path) = line.operands.first() else {
        return super::refuse_text(proc, "no device specified").await;
    };
    let head = match read_head(proc, path).await {
        Ok(head) => head,
        Err(errno) => {
            let subject = [b"cannot open ".as_slice(), path].concat();
            proc.complain(&subject, errno).await;
            return ExitStatus::FAILURE;
        }
    };
    let start = usize::try_from(SWAP_MARK.0).unwrap_or(0);
    if head.get(start..start + SWAP_MARK.1.len()) != Some(SWAP_MARK.1) {
        let text = [path.as_slice(), b": not a valid swap partition"].concat();
        return super::fail(proc, text).await;
    }
    let uuid: String = head
        .get(1036..1052)
        .unwrap_or_default()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let parts = parts.map(|(start, end)| uuid.get(start..end).unwrap_or_default());
    let label: Vec<u8> = head
        .get(1052..1068)
        .unwrap_or_default()
        .iter()
        .copied()
        .take_while(|&byte| byte != 0)
        .collect();
    let mut out = Vec::new();
    if !label.is_empty() {
        out.extend([b"LABEL: ".as_slice(), &label, b"\n"].concat());
    }
    out.extend(format!("UUID:  {}\n", parts.join("-")).into_bytes());
    super::put(proc, out).await
}

async fn read_head(proc: &Process, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    let mut head = vec![0; usize::try_from(PAGE).unwrap_or(0)];
    let got = proc.read(fd, &mut head).await;
    // Opened above.
    let _open = proc.close(fd);
    head.truncate(got?);
    Ok(head)
}
