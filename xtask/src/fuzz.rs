//! Builds and runs the fuzz targets on stable Rust.
//!
//! libFuzzer comes with the `libfuzzer-sys` crate; what cargo-fuzz would add on nightly is the
//! coverage instrumentation, which stable rustc gives through LLVM's own arguments. There is no
//! AddressSanitizer this way, which matters little without `unsafe`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, mem};

use anyhow::{Context as _, Result, bail};

use crate::{step, workspace};

/// How long CI runs each target, in seconds.
const CI_SECONDS: u32 = 60;

/// Longest input tried, in bytes: past every limit of the parsers, small enough to be quick.
const MAX_INPUT_BYTES: u32 = 16 * 1024;

/// Longest time one input may take, in seconds: everything fuzzed is linear.
const MAX_INPUT_SECONDS: u32 = 5;

/// Most memory a target may use, in MiB.
const MAX_MEMORY_MIB: u32 = 1024;

/// Lines shown of a crash.
const MAX_SHOWN_LINES: usize = 60;

/// How many targets run at once.
const AT_ONCE: usize = 2;

const RUSTFLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 --cfg fuzzing -Cdebug-assertions -Coverflow-checks";

/// Where a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// From the seeds alone with fixed dice: two runs of the same code try the same inputs, as far
    /// as their time goes. For CI, which should fail for what was changed and not by luck.
    Afresh,
    /// From everything found so far, with new dice. For finding more.
    Onward,
}

/// `cargo xtask fuzz [--afresh] [SECONDS] [TARGET]...`
pub(crate) fn command(words: &[&str]) -> Result<()> {
    let (start, words) = match words {
        ["--afresh", words @ ..] => (Start::Afresh, words),
        words => (Start::Onward, words),
    };
    match words {
        [first, targets @ ..] if first.parse::<u32>().is_ok() => {
            run(start, first.parse()?, targets)
        }
        targets => run(start, CI_SECONDS, targets),
    }
}

/// What CI runs: every target but those left out.
pub(crate) fn for_ci() -> Result<()> {
    let all = targets(&workspace::root().join("fuzz/Cargo.toml"))?;
    let chosen: Vec<&str> = all.iter().map(String::as_str).collect();
    run(Start::Afresh, CI_SECONDS, &chosen)
}

/// Runs the named targets, or all of them, each for so many seconds; a crash is an error.
fn run(from: Start, seconds: u32, only: &[&str]) -> Result<()> {
    let manifest = workspace::root().join("fuzz/Cargo.toml");
    let known = targets(&manifest)?;
    if let Some(unknown) = only
        .iter()
        .find(|name| !known.iter().any(|target| target == *name))
    {
        bail!("no fuzz target {unknown}; there are: {}", known.join(", "));
    }
    let chosen: Vec<&String> = known
        .iter()
        .filter(|name| only.is_empty() || only.contains(&name.as_str()))
        .collect();
    let binaries = build(&manifest)?;
    let mut running = Vec::new();
    let mut crashed = Vec::new();
    for name in chosen {
        running.push((name, start(&binaries, name, from, seconds)?));
        if running.len() == AT_ONCE {
            finish(&mut running, &mut crashed)?;
        }
    }
    finish(&mut running, &mut crashed)?;
    if !crashed.is_empty() {
        bail!("{}", crashed.join("\n"));
    }
    Ok(())
}

fn targets(manifest: &Path) -> Result<Vec<String>> {
    let metadata = workspace::metadata(manifest)?;
    let package = workspace::packages(&metadata)
        .find(|package| workspace::text(package, "name") == "sundew-fuzz")
        .context("fuzz/Cargo.toml is not sundew-fuzz")?;
    let targets = package.get("targets").and_then(serde_json::Value::as_array);
    let binaries = targets.into_iter().flatten().filter(|target| {
        target
            .pointer("/kind/0")
            .and_then(serde_json::Value::as_str)
            == Some("bin")
    });
    Ok(binaries
        .map(|target| workspace::text(target, "name").to_owned())
        .collect())
}

/// Builds all targets and says where the binaries are.
fn build(manifest: &Path) -> Result<PathBuf> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("cannot run rustc")?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc -vV names no host")?;
    let directory = workspace::target_directory().join("fuzz");
    let mut cargo = workspace::cargo();
    cargo
        .args(["build", "--release", "--bins", "--manifest-path"])
        .arg(manifest);
    // Not `--locked`: fuzz/Cargo.lock follows the crates it fuzzes, which know nothing of it.
    // With an explicit target, build scripts are not instrumented.
    cargo
        .args(["--target", host, "--target-dir"])
        .arg(&directory)
        .env("RUSTFLAGS", RUSTFLAGS);
    step::succeed(&mut cargo)?;
    Ok(directory.join(host).join("release"))
}

fn start(binaries: &Path, name: &str, from: Start, seconds: u32) -> Result<Child> {
    let root = workspace::root();
    let corpus = match from {
        Start::Afresh => workspace::target_directory().join("fuzz/corpus").join(name),
        Start::Onward => root.join("fuzz/corpus").join(name),
    };
    if from == Start::Afresh && corpus.exists() {
        fs::remove_dir_all(&corpus)?;
    }
    let artifacts = root.join("fuzz/artifacts").join(name);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let log = fs::File::create(log_of(name))?;
    println!("{name}: {seconds} s");
    let mut command = Command::new(binaries.join(name));
    command.arg(&corpus);
    let seeds = root.join("fuzz/seeds").join(name);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    if from == Start::Afresh {
        command.arg("-seed=1");
    }
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MAX_INPUT_BYTES}"))
        .arg(format!("-timeout={MAX_INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MAX_MEMORY_MIB}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot run the fuzz target {name}"))
}

/// Waits for the running targets and collects what went wrong.
fn finish(running: &mut Vec<(&String, Child)>, crashed: &mut Vec<String>) -> Result<()> {
    for (name, mut child) in mem::take(running) {
        let status = child.wait()?;
        let log = fs::read(log_of(name))?;
        let log = String::from_utf8_lossy(&log);
        if status.success() {
            println!("{name}: {}", summary(&log));
        } else {
            let tail: Vec<&str> = log.lines().filter(|line| !is_noise(line)).collect();
            let tail = tail
                .get(tail.len().saturating_sub(MAX_SHOWN_LINES)..)
                .unwrap_or_default();
            println!("{}", tail.join("\n"));
            crashed.push(format!(
                "{name}: {status}; the input is in fuzz/artifacts/{name}/"
            ));
        }
    }
    Ok(())
}

/// True for libFuzzer's progress and start-up lines and its dump of the input, which is in a file.
fn is_noise(line: &str) -> bool {
    ["#", "0x", "\tNEW_FUNC", "INFO:", "WARNING:"]
        .iter()
        .any(|start| line.starts_with(start))
}

fn log_of(name: &str) -> PathBuf {
    workspace::target_directory()
        .join("fuzz")
        .join(format!("{name}.log"))
}

/// Runs and coverage, from libFuzzer's last lines.
fn summary(log: &str) -> String {
    let executed = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let covered = log.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "cov:");
        words.nth(1)
    });
    let shown =
        |value: Option<&str>| value.map_or_else(|| "?".to_owned(), |text| text.trim().to_owned());
    format!(
        "no crash in {} runs, coverage {}",
        shown(executed),
        shown(covered)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_reads_libfuzzers_closing_lines() {
        let log = "#2048\tpulse  cov: 12 ft: 13 corp: 3/5b\n#4096\tDONE   cov: 17 ft: 20 corp: 4/9b\n\
                   stat::number_of_executed_units: 4096\n";
        assert_eq!(summary(log), "no crash in 4096 runs, coverage 17");
    }
}
