//! The page of capabilities names tests; all of them exist.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_page_of_capabilities_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/reference/ftp-capabilities.md")).unwrap();
    let mut code = String::new();
    for folder in ["ftp-server", "ftp-proto"] {
        for part in ["src", "tests"] {
            gather(&root.join("crates").join(folder).join(part), &mut code);
        }
    }
    let conformance = root.join("crates/ftp-server/tests/peers/conformance");
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let mut names = 0;
        for name in proof.split('`').skip(1).step_by(2) {
            let exists = match name.split_once(": ") {
                Some((file, title)) => {
                    let text = fs::read_to_string(conformance.join(format!("{file}.txt")));
                    let text = text.unwrap_or_default();
                    text.lines().any(|line| {
                        line.strip_prefix("## ")
                            .is_some_and(|found| found.split(" [").next() == Some(title))
                    })
                }
                None => code.contains(&format!("fn {name}(")),
            };
            assert!(exists, "there is no {name}, of the row {row}");
            names += 1;
        }
        assert!(names > 0, "nothing proves {row}");
        rows += 1;
    }
    assert!(rows >= 44, "only {rows} rows");
}

fn gather(directory: &Path, code: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, code);
        } else if path.extension().is_some_and(|end| end == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
