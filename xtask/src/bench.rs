//! `cargo xtask bench …`: builds what is measured and what measures it, then runs the latter.
//!
//! The load generator is a program of its own (`sundew-bench`), so that xtask stays quick to build.

use anyhow::Result;

use crate::{step, workspace};

/// `cargo xtask bench nonblocking [OPTION]...`: the options are those of `sundew-bench nonblocking`.
pub(crate) fn nonblocking(options: &[&str]) -> Result<()> {
    let mut packages = vec!["-p", "sundew-bench"];
    // A peer is measured without our sensor, and so without building it.
    if !options.contains(&"--peer") && !options.contains(&"--help") {
        packages.extend(["-p", "sundew"]);
    }
    step::succeed(
        workspace::cargo()
            .args(["build", "--release", "--locked"])
            .args(packages),
    )?;
    let release = workspace::target_directory().join("release");
    let mut bench = std::process::Command::new(release.join("sundew-bench"));
    bench
        .arg("nonblocking")
        .args(["--sensor".as_ref(), release.join("sundew").as_os_str()]);
    step::succeed(bench.args(options).current_dir(workspace::root()))
}
