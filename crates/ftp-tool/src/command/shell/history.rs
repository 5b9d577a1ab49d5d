//! Lines typed earlier, kept between sessions in a file nobody else can read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Most lines kept; the file is cut to so many when it has grown to the double.
pub(super) const MAX_LINES: usize = 1000;

/// Longest line kept, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// Most bytes of the file that are read, from its end.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// `$XDG_STATE_HOME/sundew/ftp-history`, usually `~/.local/state/sundew/ftp-history`. `None` without a
/// home.
pub(super) fn path() -> Option<PathBuf> {
    let set = |variable: OsString| Some(PathBuf::from(variable)).filter(|path| path.is_absolute());
    let state = std::env::var_os("XDG_STATE_HOME").and_then(set);
    let state = state.or_else(|| Some(crate::context::home()?.join(".local/state")))?;
    Some(state.join("sundew/ftp-history"))
}

/// Lines that name a password: what is sent as it is may hold one, and so may a URL.
pub(super) fn is_secret(line: &str) -> bool {
    let words: Vec<String> = line
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let is_quoted = words.first().is_some_and(|verb| verb == "quote")
        && words
            .get(1)
            .is_some_and(|verb| matches!(verb.as_str(), "pass" | "acct"));
    let in_url = |word: &String| word.contains("://") && word.contains('@');
    is_quoted || words.iter().any(in_url)
}

/// The last lines, oldest first; none if there is no file.
pub(super) fn read(file: &Path) -> Vec<String> {
    let Ok(lines) = lines(file) else {
        return Vec::new();
    };
    let first = lines.len().saturating_sub(MAX_LINES);
    lines.into_iter().skip(first).collect()
}

/// Adds a line.
pub(super) fn append(file: &Path, line: &str) -> io::Result<()> {
    if line.len() > MAX_LINE_BYTES || line.contains(['\n', '\r']) || line.trim().is_empty() {
        return Ok(());
    }
    if let Some(directory) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    let mut options = File::options();
    let mut opened = options.append(true).create(true).mode(0o600).open(file)?;
    // One that was there before may be open to others.
    opened.set_permissions(Permissions::from_mode(0o600))?;
    opened.write_all(format!("{line}\n").as_bytes())?;
    if lines(file)?.len() > 2 * MAX_LINES {
        let kept = read(file).join("\n") + "\n";
        let fresh = file.with_extension("new");
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&fresh)?.write_all(kept.as_bytes())?;
        fs::rename(fresh, file)?;
    }
    Ok(())
}

fn lines(file: &Path) -> io::Result<Vec<String>> {
    let mut opened = File::open(file)?;
    let length = opened.metadata()?.len();
    if length > MAX_FILE_BYTES {
        io::Seek::seek(&mut opened, io::SeekFrom::End(-(MAX_FILE_BYTES as i64)))?;
    }
    let mut bytes = Vec::new();
    opened.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_in_a_file_for_its_owner_only_and_not_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/ftp-history");
        assert_eq!(read(&file), Vec::<String>::new());
        for number in 0..2 * MAX_LINES + 5 {
            append(&file, &format!("ls {number}")).unwrap();
        }
        let kept = read(&file);
        assert_eq!(kept.len(), MAX_LINES);
        assert_eq!(kept.last().unwrap(), &format!("ls {}", 2 * MAX_LINES + 4));
        assert!(lines(&file).unwrap().len() < 2 * MAX_LINES);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn passwords_are_not_kept() {
        assert!(is_secret("quote PASS hunter2") && is_secret("get ftp://u:p@h/x"));
        assert!(!is_secret("get a@b") && !is_secret("quote SITE CHMOD 644 x"));
    }
}
