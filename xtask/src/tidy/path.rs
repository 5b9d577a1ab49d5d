//! No path of the computer it was written on.

use super::Finding;
use super::source::Checkout;

/// Starts of paths that exist on some developer's computer only; in two parts, so that this file
/// does not hold one.
const FOREIGN: &[&str] = &[
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("/wo", "rk/."),
    concat!("/tmp/tar", "get"),
    concat!("/root/.car", "go"),
    concat!("/home/run", "ner"),
];

pub(super) fn machine_paths(checkout: &Checkout) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &checkout.files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(start) = FOREIGN.iter().find(|start| line.contains(*start)) {
                let text = format!("`{start}…` is a path of one computer");
                findings.push(Finding::failure("path", &file.path, index + 1, text));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_computer_is_found() {
        let bad = format!("see\n{}/docs\n", FOREIGN[0]);
        let checkout = Checkout::of(&[("a.md", &bad), ("b.md", "see docs/ and /tmp/x\n")]);
        let findings = machine_paths(&checkout);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("a.md", 2));
    }
}
