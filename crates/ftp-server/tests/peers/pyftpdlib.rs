//! The functional tests of pyftpdlib, run against `ftpd` in the place of their own server.
//!
//! `scripts/pyftpdlib_adapter.py` starts the program; `scripts/pyftpdlib_differs.txt` lists, with the
//! reasons, what is expected to fail. Anything else that fails, and anything of that list that does
//! not, fails here.

use std::path::Path;
use std::process::Command;

use crate::daemon::{directory, peers};

/// The release the list of differences was made for, also in `scripts/peers-python.txt`.
const SUITE: &str = "pyftpdlib-2.2.0";

#[test]
fn the_tests_of_pyftpdlib_pass_but_for_those_listed_with_a_reason() {
    let suite = peers("SUNDEW_PEERS_SOURCES", "sources").join(SUITE);
    let python = peers("SUNDEW_PEERS", "venv/bin").join("python");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
    // The suite serves the directory it runs in and writes there.
    let work = directory();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(suite.join("tests"))
        .arg(work.path())
        .status()
        .unwrap();
    assert!(copied.success(), "scripts/test --peers fetches the suite");
    let output = Command::new(python)
        .args(["-m", "pytest", "-c", "/dev/null", "--rootdir=.", "-q"])
        .args(["-p", "no:cacheprovider", "-p", "pyftpdlib_adapter"])
        .args(["-n", "4", "--tb=short", "-W", "ignore"])
        .args(["tests/test_functional.py", "tests/test_functional_ssl.py"])
        .env("FTPD", env!("CARGO_BIN_EXE_ftpd"))
        .env("PYTHONPATH", format!("{}:.", scripts.display()))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(work.path())
        .output()
        .expect("scripts/test --peers makes the Python environment");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let passed = text.split(" passed").next().unwrap_or_default();
    let passed = passed.split_whitespace().last().unwrap_or_default();
    let passed: u32 = passed.parse().unwrap();
    assert!(passed >= 200, "only {passed} were run: {text}");
}
