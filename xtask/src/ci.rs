//! `cargo xtask ci`: every check, in the order in which a failure is cheapest to find.

use std::process::Command;

use anyhow::Result;

use crate::step::{self, Steps};
use crate::{fuzz, tidy, workspace};

/// How much of it to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Full,
    /// Everything but the fuzz targets.
    Quick,
}

/// Runs the checks, stopping at the first failure.
pub(crate) fn run(extent: Extent) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("fmt", || {
        cargo(&["fmt", "--all", "--check"])?;
        cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])
    })?;
    steps.run("clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    steps.run("test", || {
        cargo(&["test", "--workspace", "--locked", "--no-fail-fast"])
    })?;
    steps.run("doc", || {
        let mut command = workspace::cargo();
        command.args(["doc", "--workspace", "--no-deps", "--locked"]);
        step::succeed(command.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    steps.run("tidy", tidy::run)?;
    if extent == Extent::Full {
        steps.run("fuzz", fuzz::for_ci)?;
    }
    optional(&mut steps, "cargo-deny", &["cargo", "deny", "check"])?;
    optional(&mut steps, "cargo-machete", &["cargo", "machete"])?;
    optional(&mut steps, "typos", &["typos"])?;
    steps.summary();
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    step::succeed(workspace::cargo().args(arguments))
}

/// Runs a tool if it is there: a stranger's first run must not depend on it.
fn optional(steps: &mut Steps, program: &str, command: &[&str]) -> Result<()> {
    let [name, arguments @ ..] = command else {
        return Ok(());
    };
    if !step::is_installed(program) {
        println!("\n== {program}: not installed, left out");
        return Ok(());
    }
    steps.run(program, || {
        step::succeed(
            Command::new(name)
                .args(arguments)
                .current_dir(workspace::root()),
        )
    })
}
