//! `chattr` and `lsattr` of e2fsprogs. No flag has an effect; the filesystem keeps none.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, print};

const USAGE: &str =
    "Usage: chattr [-RVf] [-+=aAcCdDeijPsStTuFx] [-p project] [-v version] files...\n";

/// `chattr`.
pub(super) async fn chattr(proc: &mut Process) -> ExitStatus {
    let (mut mode, mut quiet, mut files) = (false, false, Vec::new());
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        let (sign, letters) = word
            .split_first()
            .map_or((0, b"".as_slice()), |(first, rest)| (*first, rest));
        if !files.is_empty() || !b"-+=".contains(&sign) {
            files.push(word);
            continue;
        }
        for letter in letters {
            match letter {
                b'R' | b'V' if sign == b'-' => {}
                b'f' if sign == b'-' => quiet = true,
                b'p' | b'v' if sign == b'-' => drop(words.next()),
                letter if b"aAcCdDeijPsStTuFx".contains(letter) => mode = true,
                _ => return fail(proc, USAGE, 1).await,
            }
        }
    }
    if !mode {
        let text = if files.is_empty() {
            USAGE
        } else {
            "Must use '-v', =, - or +\n"
        };
        return fail(proc, text, 1).await;
    }
    if files.is_empty() {
        return fail(proc, USAGE, 1).await;
    }
    for file in files {
        if let Err(errno) = proc.stat(&file) {
            proc.set_status(1);
            if !quiet {
                proc.print_error(
                    &[
                        b"chattr: ".as_slice(),
                        errno.message().as_bytes(),
                        b" while trying to stat ",
                        &file,
                        b"\n",
                    ]
                    .concat(),
                )
                .await;
            }
        }
    }
    proc.status()
}

/// `lsattr`.
pub(super) async fn lsattr(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let alone = words
        .iter()
        .any(|word| word.starts_with(b"-") && word.contains(&b'd'));
    let all = words
        .iter()
        .any(|word| word.starts_with(b"-") && word.contains(&b'a'));
    let mut files: Vec<Vec<u8>> = words
        .into_iter()
        .filter(|word| !word.starts_with(b"-"))
        .collect();
    if files.is_empty() {
        files.push(b".".to_vec());
    }
    for file in files {
        let metadata = match proc.lstat(&file) {
            Ok(metadata) => metadata,
            Err(errno) => {
                proc.set_status(1);
                proc.print_error(
                    &[
                        b"lsattr: ".as_slice(),
                        errno.message().as_bytes(),
                        b" while trying to stat ",
                        &file,
                        b"\n",
                    ]
                    .concat(),
                )
                .await;
                continue;
            }
        };
        if metadata.file_type != sundew_vfs::FileType::Directory || alone {
            print(
                proc,
                [b"--------------e------- ".as_slice(), &file, b"\n"].concat(),
            )
            .await;
            continue;
        }
        for entry in proc.read_directory(&file).unwrap_or_default() {
            if entry.name.starts_with(b".") && !all {
                continue;
            }
            let line = [
                b"--------------e------- ".as_slice(),
                &file,
                b"/",
                &entry.name,
                b"\n",
            ]
            .concat();
            if proc.print(&line).await.is_err() {
                return proc.status();
            }
        }
    }
    proc.status()
}
