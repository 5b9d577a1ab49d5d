//! The program, serving a directory of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Size of the file that fills every buffer on its way.
const BIG_BYTES: u32 = 2_000_000;

/// Killed at the end.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) port: u16,
    pub(crate) root: TempDir,
    /// What a link leads to that leads out.
    outside: TempDir,
    _config: TempDir,
}

impl Daemon {
    pub(crate) fn start(options: &[&str], config: &str) -> Self {
        let (root, outside, files) = (directory(), directory(), directory());
        fs::write(outside.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
        fill(root.path());
        let file = files.path().join("ftpd.toml");
        fs::write(&file, config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
            .args(["--port", "0", "--config"])
            .arg(file)
            .args(options)
            .arg(root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(' ').next().unwrap();
        Self {
            child,
            port: port
                .parse()
                .expect("the port stands at the end of the line"),
            root,
            outside,
            _config: files,
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
        let secret = fs::read(self.outside.path().join("secret"));
        if !std::thread::panicking() {
            assert_eq!(secret.ok().as_deref(), Some(&b"secret"[..]));
            let count = fs::read_dir(&self.outside).map(Iterator::count);
            assert_eq!(count.ok(), Some(1), "something was put outside");
        }
    }
}

/// Names that have been trouble to one client or another.
pub(crate) const ODD_NAMES: [&str; 6] = ["#hash", "a b", "a'b", "a;b", "\u{e4}\u{f6}", "[x]"];

/// What every directory of a test holds.
pub(crate) fn fill(directory: &Path) {
    fs::create_dir_all(directory.join("odd")).unwrap();
    fs::write(directory.join("text"), "one\ntwo\n").unwrap();
    fs::write(directory.join("empty"), "").unwrap();
    fs::write(directory.join("big"), big()).unwrap();
    for name in ODD_NAMES {
        fs::write(directory.join("odd").join(name), name).unwrap();
    }
}

/// Bytes without a period that a buffer could hide in.
pub(crate) fn big() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let bytes = (0..BIG_BYTES).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]);
        bytes.collect()
    })
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A directory of fetched peers: `scripts/test` names it, or it is beside the sources.
pub(crate) fn peers(variable: &str, beside: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    std::env::var_os(variable).map_or_else(|| root.join(beside), PathBuf::from)
}
