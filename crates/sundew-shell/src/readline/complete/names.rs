//! Users, hosts and what files are.

use std::collections::BTreeSet;

use sundew_kernel::Process;

use super::{MAX_MATCHES, Match};

/// Bytes of `/etc/passwd` that are looked at.
const MAX_PASSWD_BYTES: usize = 256 * 1024;

pub(super) async fn users_like(proc: &Process, prefix: &[u8]) -> BTreeSet<Match> {
    proc.tick().await;
    let passwd = passwd(proc).await;
    let users = passwd.split(|&byte| byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        Some((fields.next()?, fields.nth(4).unwrap_or_default()))
    });
    users
        .filter(|(name, _)| !name.is_empty() && name.starts_with(prefix))
        .take(MAX_MATCHES)
        .map(|(name, home)| Match {
            word: [b"~".as_slice(), name].concat(),
            directory: is_directory(proc, home),
            link: false,
            sign: None,
        })
        .collect()
}

/// The hosts of `/etc/hosts`, behind an `@` if the word has one.
pub(super) async fn hosts_like(proc: &Process, text: &[u8]) -> BTreeSet<Match> {
    proc.tick().await;
    let (at, prefix): (&[u8], &[u8]) = match text.strip_prefix(b"@") {
        Some(prefix) => (b"@", prefix),
        None => (b"", text),
    };
    let hosts = small_file(proc, b"/etc/hosts").await;
    let lines = hosts.split(|&byte| byte == b'\n');
    let names = lines
        .filter(|line| !line.starts_with(b"#"))
        .flat_map(|line| {
            line.split(|byte| byte.is_ascii_whitespace())
                .filter(|word| !word.is_empty())
                .skip(1)
                .take_while(|word| !word.starts_with(b"#"))
        });
    names
        .filter(|name| name.starts_with(prefix))
        .take(MAX_MATCHES)
        .map(|name| Match::plain([at, name].concat()))
        .collect()
}

pub(super) async fn passwd(proc: &Process) -> Vec<u8> {
    small_file(proc, b"/etc/passwd").await
}

pub(super) async fn small_file(proc: &Process, path: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let Ok(fd) = proc
        .open(path, sundew_kernel::descriptor::OpenFlags::READ, 0)
        .await
    else {
        return text;
    };
    let mut chunk = [0; 4096];
    while text.len() < MAX_PASSWD_BYTES {
        match proc.read(fd, &mut chunk).await {
            Ok(count) if count > 0 => {
                text.extend_from_slice(chunk.get(..count).unwrap_or_default())
            }
            _ => break,
        }
    }
    let _was_open = proc.close(fd);
    text
}

pub(super) fn home_of(proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
    // Reading files waits for nothing on this machine: the future is ready at once.
    let passwd = futures_util::FutureExt::now_or_never(passwd(proc))?;
    let line = passwd
        .split(|&byte| byte == b'\n')
        .find(|line| line.split(|&byte| byte == b':').next() == Some(name))?;
    line.split(|&byte| byte == b':').nth(5).map(<[u8]>::to_vec)
}

pub(super) fn is_directory(proc: &Process, path: &[u8]) -> bool {
    proc.stat(path)
        .is_ok_and(|data| data.file_type == sundew_vfs::FileType::Directory)
}

pub(super) fn is_executable(proc: &Process, path: &[u8]) -> bool {
    proc.stat(path)
        .is_ok_and(|data| data.file_type == sundew_vfs::FileType::Regular)
        && proc.access(path, sundew_vfs::Access::Execute).is_ok()
}
