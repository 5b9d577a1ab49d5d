//! The checkout as the rules see it: files and their text, and what cargo says.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::workspace;

/// Everything the rules look at; tests build one by hand.
#[derive(Debug, Default)]
pub(crate) struct Checkout {
    /// Text files that are tracked, or new and not ignored, by path.
    pub(crate) files: Vec<File>,
    /// `cargo metadata --no-deps` of the workspace.
    pub(crate) metadata: Value,
}

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the top, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Checkout {
    pub(super) fn read() -> Result<Self> {
        let output = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(workspace::root())
            .output()
            .context("cannot run git, which tidy asks for the list of files")?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        }
        let mut files = Vec::new();
        for path in output
            .stdout
            .split(|&byte| byte == 0)
            .filter(|path| !path.is_empty())
        {
            let path = std::str::from_utf8(path).context("a path is not UTF-8")?;
            // A file may be listed and gone, or hold bytes that are no text: neither has lines.
            if let Ok(text) = fs::read_to_string(workspace::root().join(path)) {
                files.push(File {
                    path: path.to_owned(),
                    text,
                });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let metadata = workspace::metadata(&workspace::root().join("Cargo.toml"))?;
        Ok(Self { files, metadata })
    }

    /// A checkout of the given files.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
            metadata: Value::Null,
        }
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    /// The crate's folder name, for files under `crates/`.
    pub(super) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// True when the whole file is test code.
    pub(super) fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| part == "tests" || part.ends_with("tests.rs") || part == "benches")
    }

    /// Numbered lines of code that ships: no comments, nothing from the test module on.
    ///
    /// Lines that carry `tidy-allow(rule)` right above them are left out.
    pub(super) fn shipped_lines(&self, rule: &str) -> impl Iterator<Item = (usize, &str)> {
        let allow = format!("tidy-allow({rule}): ");
        let mut allowed = false;
        let lines = self
            .text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]");
        lines.enumerate().filter_map(move |(index, line)| {
            if line.trim_start().starts_with("//") {
                allowed = allowed || line.contains(&allow);
                return None;
            }
            (!std::mem::take(&mut allowed)).then_some((index + 1, line))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_lines_leave_out_comments_tests_and_allowed_lines() {
        let text = "//! head\na\n// tidy-allow(x): a reason\nb\nc\n#[cfg(test)]\nmod tests {}\n";
        let checkout = Checkout::of(&[("crates/a/src/lib.rs", text)]);
        let lines: Vec<_> = checkout.files[0].shipped_lines("x").collect();
        assert_eq!(lines, [(2, "a"), (5, "c")]);
        let lines: Vec<_> = checkout.files[0].shipped_lines("y").collect();
        assert_eq!(lines, [(2, "a"), (4, "b"), (5, "c")]);
    }
}
