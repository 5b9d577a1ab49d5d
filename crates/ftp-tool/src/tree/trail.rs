//! Where one is after links were followed, so that a loop is seen before it is walked.

use super::RelPath;

/// The links on the way to a directory, the first one first, and where each leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(Vec<(RelPath, Vec<u8>)>);

impl Trail {
    /// How many links were followed.
    #[must_use]
    pub const fn links(&self) -> usize {
        self.0.len()
    }

    /// Where a link of `directory` that says `text` leads, and whether that is a directory it is in, as far
    /// as that can be told without asking. `top` is the tree's, absolute.
    #[must_use]
    pub fn lead(&self, top: &[u8], directory: &RelPath, text: &[u8]) -> (Vec<u8>, bool) {
        let here = self.real(top, directory);
        let target = if text.starts_with(b"/") {
            normal(text)
        } else {
            normal(&[&here, &b"/"[..], text].concat())
        };
        let mut above = directory.clone();
        loop {
            if is_in(&self.real(top, &above), &target) {
                return (target, true);
            }
            if above.as_bytes().is_empty() {
                return (target, false);
            }
            above = above.parent();
        }
    }

    /// What a directory on the way is, links resolved.
    fn real(&self, top: &[u8], directory: &RelPath) -> Vec<u8> {
        let last = self
            .0
            .iter()
            .rev()
            .find(|(link, _)| directory.is_within(link));
        let (base, below) = match last {
            Some((link, real)) => (
                real.as_slice(),
                directory.as_bytes().get(link.as_bytes().len()..),
            ),
            None => (top, Some(directory.as_bytes())),
        };
        normal(&[base, b"/", below.unwrap_or_default()].concat())
    }
}

/// Whether a normal path is a directory or in it.
fn is_in(path: &[u8], directory: &[u8]) -> bool {
    match path.strip_prefix(directory) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/") || directory == b"/",
        None => false,
    }
}

/// An absolute path without `.`, `..` and doubled slashes.
fn normal(path: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    [&b"/"[..], &names.join(&b'/')].concat()
}

impl FromIterator<(RelPath, Vec<u8>)> for Trail {
    fn from_iter<I: IntoIterator<Item = (RelPath, Vec<u8>)>>(links: I) -> Self {
        Self(links.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        text.split('/').fold(RelPath::top(), |path, name| {
            path.join(name.as_bytes()).unwrap()
        })
    }

    fn lead(trail: &Trail, directory: &RelPath, text: &str) -> (String, bool) {
        let (real, is_loop) = trail.lead(b"/srv/ftp", directory, text.as_bytes());
        (String::from_utf8(real).unwrap(), is_loop)
    }

    #[test]
    fn a_link_to_where_it_is_or_above_is_a_loop() {
        let trail = Trail::default();
        for text in [
            ".",
            "..",
            "../../ftp",
            "/srv/ftp/a",
            "../../ftp/a/b/..",
            "../../..",
        ] {
            assert!(lead(&trail, &path("a"), text).1, "{text}");
        }
        let aside = lead(&trail, &path("a"), "../b//c/.");
        assert_eq!(aside, ("/srv/ftp/b/c".to_owned(), false));
        assert!(!lead(&trail, &path("ab"), "../a").1);
    }

    #[test]
    fn two_links_that_lead_to_each_other_are_a_loop() {
        // a/l is ../b, and b/m is ../a: seen from a/l.
        let trail: Trail = [(path("a/l"), b"/srv/ftp/b".to_vec())]
            .into_iter()
            .collect();
        let back = lead(&trail, &path("a/l"), "../a");
        assert_eq!(back, ("/srv/ftp/a".to_owned(), true));
        assert!(!lead(&trail, &path("a/l/x"), "../../c").1);
    }
}
