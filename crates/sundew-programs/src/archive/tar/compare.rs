//! `tar -d`: members beside the files of their names.

use sundew_kernel::Process;
use sundew_vfs::FileType;

use super::header::Member;
use crate::text::input;

/// Prints how a member differs from the file of its name; whether it does.
pub(super) async fn run(proc: &mut Process, member: &Member, content: &[u8]) -> bool {
    let name = member.name.strip_suffix(b"/").unwrap_or(&member.name);
    let metadata = match proc.lstat(name) {
        Ok(metadata) => metadata,
        Err(errno) => {
            let reason = errno.message().as_bytes();
            let text = [name, b": Warning: Cannot stat: ", reason].concat();
            proc.complain_text(text).await;
            return true;
        }
    };
    let kind = match metadata.file_type {
        FileType::Directory => b'5',
        FileType::Symlink => b'2',
        FileType::CharDevice => b'3',
        FileType::BlockDevice => b'4',
        FileType::Fifo => b'6',
        FileType::Regular | FileType::Socket => b'0',
    };
    let regular = matches!(member.kind, b'0' | 0 | b'1');
    let mut said: Vec<&str> = Vec::new();
    if (regular && kind != b'0') || (!regular && member.kind != kind) {
        said.push("File type differs");
    } else {
        if member.kind != b'2' && metadata.mode & 0o7777 != member.mode & 0o7777 {
            said.push("Mode differs");
        }
        if metadata.uid != member.uid {
            said.push("Uid differs");
        }
        if metadata.gid != member.gid {
            said.push("Gid differs");
        }
        if matches!(member.kind, b'0' | 0) {
            if metadata.mtime.secs != member.mtime.secs {
                said.push("Mod time differs");
            }
            if metadata.size != content.len() as u64 {
                said.push("Size differs");
            } else if !input::read_all(proc, name)
                .await
                .is_ok_and(|(bytes, _)| bytes == content)
            {
                said.push("Contents differ");
            }
        }
        if member.kind == b'2' && proc.read_link(name).ok().as_ref() != Some(&member.link) {
            said.push("Symlink differs");
        }
    }
    for text in &said {
        let line = [&member.name, b": ".as_slice(), text.as_bytes(), b"\n"].concat();
        // The kernel reports a failed write at exit.
        let _reported = proc.print(&line).await;
    }
    !said.is_empty()
}
