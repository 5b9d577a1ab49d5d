//! `cargo xtask bench …`: builds what is measured and what measures it, then runs the latter.
//!
//! The load generator is a program of its own (`sundew-bench`), so that xtask stays quick to build.

use anyhow::Result;

use crate::{step, workspace};

/// `cargo xtask bench machine`: what a machine costs, printed as a table.
pub(crate) fn machine() -> Result<()> {
    step::succeed(workspace::cargo().args([
        "run",
        "--release",
        "--locked",
        "-p",
        "sundew-testkit",
        "--example",
        "machine_cost",
    ]))
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
    let target = workspace::target_directory();
    let release = target.join("release");
    // libunftp is no dependency of ours: the little program around it is built on its own, if the
    // registry can be reached.
    let libunftp = target.join("bench-libunftp");
    let built = workspace::cargo()
        .args([
            "build",
            "--release",
            "--manifest-path",
            "bench/libunftp/Cargo.toml",
        ])
        .arg("--target-dir")
        .arg(&libunftp)
        .status()?;
    if !built.success() {
        eprintln!("bench/libunftp could not be built; going on without it");
    }
    let mut bench = std::process::Command::new(release.join("sundew-bench"));
    bench
        .arg("ftp")
        .args(["--ftpd".as_ref(), release.join("ftpd").as_os_str()])
        .arg("--libunftp")
        .arg(libunftp.join("release/bench-libunftp"));
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
    let suppaftp = workspace::target_directory().join("suppaftp");
    let built = workspace::cargo()
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(workspace::root().join("bench/suppaftp/Cargo.toml"))
        .arg("--target-dir")
        .arg(&suppaftp)
        .status()?;
    if !built.success() {
        eprintln!("bench/suppaftp could not be built; going on without it");
    }
    let mut bench = std::process::Command::new(release.join("sundew-bench"));
    bench
        .arg("ftp-client")
        .args(["--tool".as_ref(), release.join("sundew-ftp").as_os_str()])
        .args(["--ftpget".as_ref(), release.join("ftpget").as_os_str()])
        .args(["--ftpput".as_ref(), release.join("ftpput").as_os_str()])
        .arg("--suppaftp")
        .arg(suppaftp.join("release/bench-suppaftp"));
    step::succeed(bench.args(options).current_dir(workspace::root()))
}
