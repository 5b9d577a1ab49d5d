//! `tar --delete`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Process};

use super::header::{self, BLOCK, Block};
use super::{Options, fatal, finish};
use crate::text::input;

/// What archives are padded to: twenty blocks.
const RECORD: usize = 20 * BLOCK;

/// Writes the archive again without the members named.
pub(super) async fn run(proc: &mut Process, options: &Options) -> ExitStatus {
    let path = options.file.clone().unwrap_or_else(|| b"-".to_vec());
    let (bytes, _memory) = match input::read_all(proc, &path).await {
        Ok(read) => read,
        Err(errno) => return fatal(proc, &path, "Cannot open", errno).await,
    };
    let mut memory = proc.memory();
    if memory.grow(bytes.len()).is_err() {
        proc.out_of_memory().await;
    }
    let mut kept: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut found = vec![false; options.operands.len()];
    let (mut at, mut start) = (0usize, 0usize);
    // A long name stands in blocks of its own before its member.
    let mut long = None;
    while let Some(block) = bytes.get(at..at.saturating_add(BLOCK)) {
        proc.tick().await;
        let Block::Member(member) = header::read(block) else {
            break;
        };
        let body = if matches!(member.kind, b'1' | b'2' | b'5') {
            0
        } else {
            member.size
        };
        let content = at.saturating_add(BLOCK);
        at = content.saturating_add(body.div_ceil(BLOCK).saturating_mul(BLOCK));
        if member.kind == b'L' {
            let text = bytes.get(content..content.saturating_add(body));
            let text = text.unwrap_or_default();
            long = text.split(|&byte| byte == 0).next().map(<[u8]>::to_vec);
        }
        if matches!(member.kind, b'L' | b'K' | b'x' | b'g') {
            continue;
        }
        let name = long.take().unwrap_or(member.name);
        let plain = name.strip_suffix(b"/").unwrap_or(&name);
        let mut gone = false;
        for (operand, found) in options.operands.iter().zip(&mut found) {
            let operand = operand.strip_suffix(b"/").unwrap_or(operand);
            let below = plain
                .strip_prefix(operand)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
            *found |= below;
            gone |= below;
        }
        if !gone {
            kept.extend_from_slice(bytes.get(start..at.min(bytes.len())).unwrap_or_default());
        }
        start = at;
    }
    kept.resize((kept.len() + 2 * BLOCK).div_ceil(RECORD) * RECORD, 0);
    if options.file.is_some() {
        let written = match proc.open(&path, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => proc.write_all(fd, &kept).await,
            Err(errno) => Err(errno),
        };
        if let Err(errno) = written {
            return fatal(proc, &path, "Cannot write", errno).await;
        }
    } else {
        // The kernel reports a failed write at exit.
        let _reported = proc.print(&kept).await;
    }
    let mut failed = false;
    for (name, _) in options
        .operands
        .iter()
        .zip(&found)
        .filter(|(_, found)| !**found)
    {
        failed = true;
        proc.complain_text([name.as_slice(), b": Not found in archive"].concat())
            .await;
    }
    finish(proc, failed).await
}
