//! Every crate we link is in the table of `docs/DEPENDENCIES.md`, with the reason for it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use super::source::Checkout;
use crate::workspace;

const TABLE: &str = "docs/DEPENDENCIES.md";

pub(super) fn reasons(checkout: &Checkout) -> Vec<Finding> {
    let Some(table) = checkout.file(TABLE) else {
        return vec![Finding::failure("dependency", TABLE, 0, "missing")];
    };
    let rows: BTreeSet<&str> = table.text.lines().filter_map(row).collect();
    let used: BTreeSet<&str> = workspace::packages(&checkout.metadata)
        .flat_map(theirs)
        .collect();
    let lacking = used.difference(&rows).map(|name| {
        Finding::failure(
            "dependency",
            TABLE,
            0,
            format!("no row for `{name}`: name who uses it and why"),
        )
    });
    let unused = rows.difference(&used).map(|name| {
        Finding::question(
            "dependency",
            TABLE,
            format!("nothing uses `{name}`: drop its row?"),
        )
    });
    lacking.chain(unused).collect()
}

fn theirs(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package
        .get("dependencies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let foreign =
        dependencies.filter(|dependency| dependency.get("path").is_none_or(Value::is_null));
    foreign.map(|dependency| workspace::text(dependency, "name"))
}

/// The crate of a table row whose first cell is a name in backquotes.
fn row(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?
        .split_once("` |")
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
        let table = "| crate | used by | why |\n|---|---|---|\n| `bytes` | all | x |\n| `gone` | none | x |\n";
        let mut checkout = Checkout::of(&[(TABLE, table)]);
        checkout.metadata = json!({ "packages": [{ "name": "a", "dependencies": [
            { "name": "bytes", "path": null },
            { "name": "nameless", "path": null },
            { "name": "sundew-vfs", "path": "/x" },
        ] }] });
        let texts: Vec<_> = reasons(&checkout)
            .into_iter()
            .map(|finding| finding.text)
            .collect();
        assert_eq!(texts.len(), 2);
        assert!(texts[0].contains("`nameless`") && texts[1].contains("`gone`"));
    }
}
