//! Long files are listed as a question: is this one idea?

use super::Finding;
use super::source::Checkout;

/// Lines past which a file is asked about.
const MAX_LINES: usize = 800;

/// Lines past which a `lib.rs` is asked about: it holds description, module list, few re-exports.
const MAX_LIB_LINES: usize = 120;

pub(super) fn long_files(checkout: &Checkout) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in checkout.rust() {
        let lines = file.text.lines().count();
        let limit = if file.path.ends_with("/lib.rs") {
            MAX_LIB_LINES
        } else {
            MAX_LINES
        };
        if lines > limit {
            let text = format!("{lines} lines (over {limit}): is this one idea?");
            findings.push(Finding::question("size", &file.path, text));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_asked_about() {
        let long = "//\n".repeat(MAX_LINES + 1);
        let library = "//\n".repeat(MAX_LIB_LINES + 1);
        let checkout = Checkout::of(&[
            ("a/long.rs", &long),
            ("a/lib.rs", &library),
            ("a/fine.rs", &library),
        ]);
        let paths: Vec<_> = long_files(&checkout)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["a/long.rs", "a/lib.rs"]);
    }
}
