//! Directories, with `-r` and `-R`, and which files are left out.

use sundew_kernel::Process;
use sundew_posix::pattern::Pattern;
use sundew_vfs::FileType;

use super::options::Directories;
use super::search::Grep;
use crate::waiting::Waiting;

impl Grep {
    /// Searches everything below `root`; without an operand names do not begin with `./`.
    pub(super) async fn walk(&mut self, proc: &mut Process, root: &[u8], implied: bool) {
        let follow = matches!(
            self.options.directories,
            Directories::Recurse { follow: true }
        );
        let mut waiting = Waiting::new(proc);
        waiting.push(proc, root.to_vec(), root.len()).await;
        while let Some(path) = waiting.pop() {
            proc.tick().await;
            if self.stop {
                return;
            }
            let metadata = if follow || path == root {
                proc.stat(&path)
            } else {
                proc.lstat(&path)
            };
            let metadata = match metadata {
                Ok(metadata) => metadata,
                Err(errno) => {
                    self.complain(proc, shown(&path, implied), errno).await;
                    continue;
                }
            };
            match metadata.file_type {
                FileType::Directory => {
                    let base = base_name(&path);
                    if path != root
                        && self
                            .options
                            .exclude_dir
                            .iter()
                            .any(|glob| glob.matches(base))
                    {
                        continue;
                    }
                    let mut entries = match proc.read_directory(&path) {
                        Ok(entries) => entries,
                        Err(errno) => {
                            self.complain(proc, shown(&path, implied), errno).await;
                            continue;
                        }
                    };
                    entries.reverse();
                    let slash: &[u8] = if path.ends_with(b"/") { b"" } else { b"/" };
                    for entry in entries {
                        let below = [&path, slash, &entry.name].concat();
                        let bytes = below.len();
                        waiting.push(proc, below, bytes).await;
                    }
                }
                FileType::Regular => {
                    let name = shown(&path, implied).to_vec();
                    if !self.is_excluded(&name) {
                        self.file(proc, &name).await;
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether `--include` and `--exclude` leave the file out.
    pub(super) fn is_excluded(&self, path: &[u8]) -> bool {
        let matches =
            |glob: &Pattern| glob.matches(path) || tails(path).any(|tail| glob.matches(tail));
        if self.options.exclude.iter().any(matches) {
            return true;
        }
        !self.options.include.is_empty() && !self.options.include.iter().any(matches)
    }
}

fn shown(path: &[u8], implied: bool) -> &[u8] {
    if implied {
        path.strip_prefix(b"./").unwrap_or(path)
    } else {
        path
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// What stands behind each slash.
fn tails(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .filter_map(|(at, _)| path.get(at + 1..))
}
