//! A crate depends on crates of a lower level only.

use serde_json::Value;

use super::Finding;
use super::source::Checkout;
use crate::workspace;

/// The levels of `docs/architecture/layout.md`, lowest first. A new crate is added to both.
const LEVELS: &[&[&str]] = &[
    &[
        "ftp-proto",
        "telnet-proto",
        "ssh-proto",
        "sundew-map",
        "sundew-vfs",
        "sundew-sh-syntax",
        "sundew-posix",
        "sundew-events",
    ],
    &[
        "sundew-kernel",
        "sundew-capture",
        "ftp-server",
        "ftp-client",
    ],
    &[
        "sundew-shell",
        "sundew-programs",
        "sundew-egress",
        "sundew-sinks",
        "ftp-tool",
    ],
    &["sundew-persona"],
    &["sundew-session"],
    &[
        "sundew-ssh",
        "sundew-telnet",
        "sundew-ftp",
        "sundew-dashboard",
    ],
    &["sundew"],
    DEVELOPMENT,
];

/// Crates that nothing shipped depends on.
const DEVELOPMENT: &[&str] = &[
    "sundew-transcript",
    "sundew-testkit",
    "sundew-bench",
    "xtask",
];

/// Those of them that any crate's tests may use.
const TEST_HELPERS: &[&str] = &["sundew-transcript", "sundew-testkit"];

pub(super) fn levels(checkout: &Checkout) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in workspace::packages(&checkout.metadata) {
        let name = workspace::text(package, "name");
        let path = format!("crates/{name}/Cargo.toml");
        let Some(own) = level(name) else {
            findings.push(Finding::failure(
                "level",
                &path,
                0,
                "no level: add the crate to layout.md and xtask's table",
            ));
            continue;
        };
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            // Only our own crates are given by path.
            if dependency.get("path").is_none_or(Value::is_null) {
                continue;
            }
            let other = workspace::text(dependency, "name");
            let kind = workspace::text(dependency, "kind");
            if let Some(text) = judge(name, own, other, kind) {
                findings.push(Finding::failure("level", &path, 0, text));
            }
        }
    }
    findings
}

fn judge(name: &str, own: usize, other: &str, kind: &str) -> Option<String> {
    let theirs = level(other)?;
    if DEVELOPMENT.contains(&name) {
        // They may look at anything, and at each other.
        return None;
    }
    if kind == "dev" && (theirs < own || TEST_HELPERS.contains(&other)) {
        return None;
    }
    (theirs >= own).then(|| format!("level {own} depends on {other} of level {theirs}"))
}

fn level(name: &str) -> Option<usize> {
    LEVELS.iter().position(|crates| crates.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(name: &str, dependency: &Value) -> usize {
        let metadata = json!({ "packages": [{ "name": name, "dependencies": [dependency] }] });
        levels(&Checkout {
            metadata,
            ..Checkout::default()
        })
        .len()
    }

    fn ours(name: &str, kind: Option<&str>) -> Value {
        json!({ "name": name, "kind": kind, "path": format!("/x/crates/{name}") })
    }

    #[test]
    fn a_dependency_on_the_same_or_a_higher_level_is_found() {
        assert_eq!(found("sundew-kernel", &ours("sundew-vfs", None)), 0);
        assert_eq!(found("sundew-kernel", &ours("ftp-client", None)), 1);
        assert_eq!(found("sundew-vfs", &ours("sundew-kernel", None)), 1);
        assert_eq!(
            found("sundew-vfs", &ours("sundew-kernel", Some("build"))),
            1
        );
    }

    #[test]
    fn a_dev_dependency_may_be_lower_or_the_testkit() {
        assert_eq!(
            found("sundew-kernel", &ours("sundew-testkit", Some("dev"))),
            0
        );
        assert_eq!(found("sundew-kernel", &ours("sundew-testkit", None)), 1);
        assert_eq!(
            found("sundew-kernel", &ours("sundew-shell", Some("dev"))),
            1
        );
        assert_eq!(
            found("sundew-testkit", &ours("sundew-session", Some("dev"))),
            0
        );
    }

    #[test]
    fn other_peoples_crates_have_no_level() {
        assert_eq!(
            found(
                "ftp-proto",
                &json!({ "name": "bytes", "kind": null, "path": null })
            ),
            0
        );
    }

    #[test]
    fn a_crate_without_a_level_is_found() {
        assert_eq!(found("sundew-nowhere", &ours("sundew-vfs", None)), 1);
    }
}
