//! `which` of debianutils.

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::{Access, FileType};

/// `which`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut all, mut names) = (false, Vec::new());
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    for word in words.by_ref() {
        match word.as_slice() {
            b"-a" => all = true,
            b"--" => break,
            option if option.starts_with(b"-") && option.len() > 1 => {
                let letter = option.get(1..2).unwrap_or_default().to_vec();
                let complaint = [b"Illegal option -".as_slice(), &letter, b"\n"].concat();
                proc.print_error(&complaint).await;
                let _closed = proc.print(b"Usage: /usr/bin/which [-a] args\n").await;
                return ExitStatus::Exited(2);
            }
            _ => {
                names.push(word);
                break;
            }
        }
    }
    names.extend(words);
    if names.is_empty() {
        return ExitStatus::FAILURE;
    }
    let path = proc.env().value(b"PATH").unwrap_or_default().to_vec();
    for name in names {
        let candidates: Vec<Vec<u8>> = if name.contains(&b'/') {
            vec![name]
        } else {
            let place = |directory: &[u8]| {
                if directory.is_empty() {
                    [b"./".as_slice(), &name].concat()
                } else {
                    [directory, b"/", &name].concat()
                }
            };
            path.split(|&byte| byte == b':').map(place).collect()
        };
        let runs = |path: &Vec<u8>| {
            proc.stat(path)
                .is_ok_and(|metadata| metadata.file_type == FileType::Regular)
                && proc.access(path, Access::Execute).is_ok()
        };
        let found: Vec<Vec<u8>> = candidates.into_iter().filter(runs).collect();
        if found.is_empty() {
            proc.set_status(1);
        }
        for path in found.into_iter().take(if all { usize::MAX } else { 1 }) {
            let _closed = proc.print(&[path.as_slice(), b"\n"].concat()).await;
        }
    }
    proc.status()
}
