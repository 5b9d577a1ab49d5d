//! Which paths of a tree are meant: `--include` and `--exclude`.
//!
//! A pattern without a slash is compared with the last component, one with a slash with the whole
//! relative path; `*` does not cross a slash, `**` does, a trailing slash means directories only.
//! Files are taken if no `--include` is given or one matches, and no `--exclude` matches. A directory
//! that is excluded is not entered; `--include` does not keep one from being entered.

use sundew_posix::pattern::{Options, Pattern};

/// The patterns of a command line.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Vec<Glob>,
    exclude: Vec<Glob>,
}

#[derive(Clone, Debug)]
struct Glob {
    parts: Vec<Part>,
    directories_only: bool,
}

#[derive(Clone, Debug)]
enum Part {
    /// `**`: any number of components.
    Any,
    One(Pattern),
}

impl Filter {
    /// Compiles the patterns.
    #[must_use]
    pub fn new<P: AsRef<[u8]>>(include: &[P], exclude: &[P]) -> Self {
        let compile = |globs: &[P]| globs.iter().map(|glob| Glob::new(glob.as_ref())).collect();
        Self {
            include: compile(include),
            exclude: compile(exclude),
        }
    }

    /// Whether a file of this relative path is meant.
    #[must_use]
    pub fn takes_file(&self, path: &[u8]) -> bool {
        let included = self.include.is_empty() || matches_any(&self.include, path, false);
        included && !matches_any(&self.exclude, path, false)
    }

    /// Whether the directory of this relative path is to be entered.
    #[must_use]
    pub fn enters(&self, path: &[u8]) -> bool {
        !matches_any(&self.exclude, path, true)
    }
}

impl Glob {
    fn new(text: &[u8]) -> Self {
        let (text, directories_only) = match text.strip_suffix(b"/") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let anchored = text.contains(&b'/');
        let mut parts: Vec<Part> = text
            .strip_prefix(b"/")
            .unwrap_or(text)
            .split(|byte| *byte == b'/')
            .map(|part| match part {
                b"**" => Part::Any,
                part => Part::One(Pattern::from_bytes(part, Options::default())),
            })
            .collect();
        if !anchored {
            parts.insert(0, Part::Any);
        }
        // Two in a row mean what one does and would double the work of matching.
        parts.dedup_by(|a, b| matches!((a, b), (Part::Any, Part::Any)));
        Self {
            parts,
            directories_only,
        }
    }

    fn matches(&self, path: &[u8], is_directory: bool) -> bool {
        if self.directories_only && !is_directory {
            return false;
        }
        let components: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        matches_parts(&self.parts, &components)
    }
}

fn matches_any(globs: &[Glob], path: &[u8], is_directory: bool) -> bool {
    globs.iter().any(|glob| glob.matches(path, is_directory))
}

/// Goes through the components once, remembering which parts may come next: no backtracking,
/// however many `**` there are.
fn matches_parts(parts: &[Part], components: &[&[u8]]) -> bool {
    let mut reached = vec![false; parts.len() + 1];
    reach(parts, &mut reached, 0);
    for component in components {
        let mut next = vec![false; parts.len() + 1];
        for (index, part) in parts.iter().enumerate() {
            if !reached.get(index).copied().unwrap_or_default() {
                continue;
            }
            match part {
                Part::Any => reach(parts, &mut next, index),
                Part::One(pattern) if pattern.matches(component) => {
                    reach(parts, &mut next, index + 1);
                }
                Part::One(_) => {}
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

/// Marks a position, and those behind it that `**` lets pass for nothing.
fn reach(parts: &[Part], reached: &mut [bool], from: usize) {
    for index in from..=parts.len() {
        if let Some(mark) = reached.get_mut(index) {
            *mark = true;
        }
        if !matches!(parts.get(index), Some(Part::Any)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        Filter::new(include, exclude)
    }

    #[test]
    fn without_patterns_everything_is_meant() {
        assert!(filter(&[], &[]).takes_file(b"a/b") && filter(&[], &[]).enters(b"a"));
    }

    #[test]
    fn a_name_counts_at_any_depth_a_path_from_the_top() {
        let f = filter(&[], &["*.tmp", "build/", "docs/*.pdf", "/top", "a/**/z"]);
        for path in ["x.tmp", "a/b/x.tmp", "docs/x.pdf", "top", "a/z", "a/b/c/z"] {
            assert!(!f.takes_file(path.as_bytes()), "{path}");
        }
        for path in [
            "x.tmp2",
            "sub/docs/x.pdf",
            "docs/a/x.pdf",
            "sub/top",
            "build",
            "z",
        ] {
            assert!(f.takes_file(path.as_bytes()), "{path}");
        }
        assert!(!f.enters(b"build") && !f.enters(b"sub/build") && f.enters(b"docs"));
    }

    #[test]
    fn includes_choose_files_and_excludes_take_away() {
        let f = filter(&["*.iso", "*.txt"], &["old*"]);
        assert!(f.takes_file(b"a/b.iso") && !f.takes_file(b"a/b.zip"));
        assert!(!f.takes_file(b"old.iso") && f.enters(b"a") && !f.enters(b"old"));
    }

    #[test]
    fn names_are_bytes() {
        assert!(!filter(&[], &["*"]).takes_file(b"\xff\xfe"));
    }

    #[test]
    fn many_stars_end_soon() {
        let glob = "**/a/".repeat(50) + "x";
        let path = "a/".repeat(400) + "y";
        assert!(filter(&[], &[glob.as_str()]).takes_file(path.as_bytes()));
    }
}
