//! Every page of the book is in its contents, and the contents name pages that exist.

use super::Finding;
use super::source::Checkout;

const CONTENTS: &str = "docs/SUMMARY.md";

pub(super) fn summary(checkout: &Checkout) -> Vec<Finding> {
    let Some(contents) = checkout.file(CONTENTS) else {
        return vec![Finding::failure("book", CONTENTS, 0, "missing")];
    };
    let mut findings = Vec::new();
    let mut listed = Vec::new();
    for (index, line) in contents.text.lines().enumerate() {
        let target = line
            .split_once("](")
            .and_then(|(_, rest)| rest.split_once(')'));
        let Some((target, _)) = target else {
            continue;
        };
        let path = format!("docs/{target}");
        if checkout.file(&path).is_none() {
            findings.push(Finding::failure(
                "book",
                CONTENTS,
                index + 1,
                format!("{path} does not exist"),
            ));
        }
        listed.push(path);
    }
    for file in &checkout.files {
        let is_page =
            file.path.starts_with("docs/") && file.path.ends_with(".md") && file.path != CONTENTS;
        if is_page && !listed.contains(&file.path) {
            findings.push(Finding::failure(
                "book",
                &file.path,
                0,
                "not in docs/SUMMARY.md",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_entry_and_an_entry_without_page_are_found() {
        let contents = "# Summary\n\n- [Start](start.md)\n- [Gone](gone.md)\n";
        let files = [
            (CONTENTS, contents),
            ("docs/start.md", "x"),
            ("docs/lost.md", "x"),
            ("README.md", "x"),
        ];
        let findings = summary(&Checkout::of(&files));
        let places: Vec<_> = findings
            .iter()
            .map(|finding| (finding.path.as_str(), finding.line))
            .collect();
        assert_eq!(places, [(CONTENTS, 4), ("docs/lost.md", 0)]);
    }
}
