//! `cargo xtask oracle FILE...`: is what the transcript says still what a real shell answers?

use std::path::Path;

use anyhow::{Result, bail};
use sundew_transcript::host;

use crate::{step, workspace};

/// Replays the files on this computer's bash; with `BLESS=1` in the environment, rewrites them.
pub(crate) fn run(files: &[&str]) -> Result<()> {
    let mut wrong = 0_usize;
    for file in files {
        let Some(check) = host::check_file(Path::new(file)) else {
            println!("{file}: left out, its head says `oracle: no`");
            continue;
        };
        print!("{}", check.report);
        println!("{file}: {check}");
        for file in &check.blessed {
            println!("{}: rewritten", file.display());
        }
        wrong += usize::from(!check.report.is_empty());
    }
    if wrong > 0 {
        bail!("{wrong} files differ from this computer's shell");
    }
    Ok(())
}

/// `cargo xtask oracle shell …`: random shell text on this computer's shell and on ours.
pub(crate) fn shell(arguments: &[&str]) -> Result<()> {
    example("shell_oracle", arguments)
}

/// `cargo xtask oracle pty …`: what `.terminal` files type, on this computer's shells and on ours.
pub(crate) fn pty(files: &[&str]) -> Result<()> {
    example("pty_oracle", files)
}

fn example(name: &str, arguments: &[&str]) -> Result<()> {
    step::succeed(
        workspace::cargo()
            .args(["run", "--quiet", "--locked", "-p", "sundew-testkit"])
            .args(["--example", name, "--"])
            .args(arguments),
    )
}
