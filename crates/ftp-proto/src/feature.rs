//! The feature list: the reply to FEAT, written and read.
//!
//! RFC 2389 §3. One line per feature between the first and the last line, beginning with one blank.

use crate::reply::{Code, Reply};

/// One feature, as `MLST type*;size*;` or `UTF8`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Feature {
    name: Box<[u8]>,
    parameters: Box<[u8]>,
}

impl Feature {
    /// Reads one line of the list; leading and trailing blanks are ignored. `None` for a blank line.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii();
        let mut parts = line.splitn(2, |&byte| byte == b' ');
        let name = parts.next().filter(|name| !name.is_empty())?;
        Some(Self {
            name: name.into(),
            parameters: parts.next().unwrap_or_default().trim_ascii().into(),
        })
    }

    /// Whether the feature has this name, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name as the server wrote it.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// What stands behind the name; empty if nothing does.
    #[must_use]
    pub fn parameters(&self) -> &[u8] {
        &self.parameters
    }

    fn line(&self) -> Vec<u8> {
        if self.parameters.is_empty() {
            [b" ", &*self.name].concat()
        } else {
            [b" ", &*self.name, b" ", &*self.parameters].concat()
        }
    }
}

/// The reply to FEAT.
#[must_use]
pub fn reply<'a>(features: impl IntoIterator<Item = &'a Feature>) -> Reply {
    let first = std::iter::once(b"Features:".to_vec());
    let lines = features.into_iter().map(Feature::line);
    Reply::multi(Code::SYSTEM_STATUS, first.chain(lines), "End")
}

/// The features in a reply to FEAT; none unless it is a `211`.
///
/// Their number is bounded by [`crate::reply::MAX_REPLY_LINES`].
#[must_use]
pub fn parse(reply: &Reply) -> Vec<Feature> {
    if reply.code() != Code::SYSTEM_STATUS {
        return Vec::new();
    }
    reply.inner_lines().filter_map(Feature::parse).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unknown_features_and_odd_blanks_are_read_without_complaint() {
        let reply = Reply::multi(
            Code::SYSTEM_STATUS,
            ["Extensions supported:", "  mlst type*;size*; ", "", " X"],
            "END",
        );
        let features = parse(&reply);
        assert_eq!(features.len(), 2);
        assert!(features[0].is("MLST"));
        assert_eq!(features[0].parameters(), b"type*;size*;");
        assert!(parse(&Reply::new(Code::NOT_IMPLEMENTED, "no")).is_empty());
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(lines in prop::collection::vec("[A-Z0-9]{1,8}( [a-z;*]{1,9})?", 0..6)) {
            let features: Vec<_> = lines.iter().filter_map(|line| Feature::parse(line.as_bytes())).collect();
            prop_assert_eq!(parse(&reply(&features)), features);
        }
    }
}
