//! `cargo xtask bench …`: builds what is measured and what measures it, then runs the latter.
//!
//! The load generator is a program of its own (`sundew-bench`), so that xtask stays quick to build.

use std::path::PathBuf;

use anyhow::Result;

use crate::{step, workspace};

/// `cargo xtask bench machine [--write FILE]`: what a machine costs, printed as a table, which goes into the
/// file between its marks.
pub(crate) fn machine(options: &[&str]) -> Result<()> {
    step::succeed(
        workspace::cargo()
            .args([
                "run",
                "--release",
                "--locked",
                "-p",
                "sundew-testkit",
                "--example",
                "machine_cost",
                "--",
            ])
            .args(options),
    )
}

/// `cargo xtask bench shell`: parsing, typing, and loops beside real bash, printed as tables.
pub(crate) fn shell() -> Result<()> {
    step::succeed(workspace::cargo().args([
        "run",
        "--release",
        "--locked",
        "-p",
        "sundew-testkit",
        "--example",
        "shell_cost",
    ]))
}

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

/// `cargo xtask bench ftp [OPTION]...`: the options are those of `sundew-bench ftp`; with `--write` the
/// table goes into `docs/performance.md`.
pub(crate) fn ftp(options: &[&str]) -> Result<()> {
    let packages = ["-p", "sundew-bench", "-p", "ftp-server"];
    step::succeed(
        workspace::cargo()
            .args(["build", "--release", "--locked"])
            .args(packages),
    )?;
    let release = workspace::target_directory().join("release");
    let libunftp = build_peer("libunftp")?;
    let mut bench = std::process::Command::new(release.join("sundew-bench"));
    bench
        .arg("ftp")
        .args(["--ftpd".as_ref(), release.join("ftpd").as_os_str()])
        .arg("--libunftp")
        .arg(libunftp);
    step::succeed(bench.args(options).current_dir(workspace::root()))
}

/// `cargo xtask bench ftp-client [OPTION]...`: the options are those of `sundew-bench ftp-client`.
pub(crate) fn ftp_client(options: &[&str]) -> Result<()> {
    step::succeed(
        workspace::cargo()
            .args(["build", "--release", "--locked", "--bins"])
            .args(["-p", "sundew-bench", "-p", "ftp-tool", "-p", "ftp-client"]),
    )?;
    let release = workspace::target_directory().join("release");
    let suppaftp = build_peer("suppaftp")?;
    let mut bench = std::process::Command::new(release.join("sundew-bench"));
    bench
        .arg("ftp-client")
        .args(["--tool".as_ref(), release.join("sundew-ftp").as_os_str()])
        .args(["--ftpget".as_ref(), release.join("ftpget").as_os_str()])
        .args(["--ftpput".as_ref(), release.join("ftpput").as_os_str()])
        .arg("--suppaftp")
        .arg(suppaftp);
    step::succeed(bench.args(options).current_dir(workspace::root()))
}

/// Builds the little program around a peer's library, `bench/NAME`, and says where it lies.
///
/// Such a library is no dependency of ours, so it is built on its own and left out where it cannot be:
/// the comparison says that it was not found.
fn build_peer(name: &str) -> Result<PathBuf> {
    let directory = workspace::target_directory().join(format!("bench-{name}"));
    let built = workspace::cargo()
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(workspace::root().join(format!("bench/{name}/Cargo.toml")))
        .arg("--target-dir")
        .arg(&directory)
        .status()?;
    if !built.success() {
        eprintln!("bench/{name} could not be built; going on without it");
    }
    Ok(directory.join(format!("release/bench-{name}")))
}
