//! What the shell costs: `cargo xtask bench shell`.
//!
//! Prints two Markdown tables: parsing and typing, and loops beside this computer's own bash, both run in
//! turn. One thread, medians; the figures are of this computer.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement: it reads the clock, runs bash, and prints"
)]

use std::time::{Duration, Instant};

use sundew_sh_syntax::{Options, Outcome, Parser};
use sundew_testkit::machine::Emulated;
use sundew_testkit::terminal::Act;

/// Runs of each loop, of which the median is shown.
const RUNS: usize = 5;
/// Runs of each short measurement.
const SHORT_RUNS: usize = 101;
/// Lines typed in a session.
const TYPED: usize = 1000;

const LOOPS: &[&str] = &[
    "for i in $(seq 1 100000); do :; done",
    "for ((i = 0; i < 100000; i++)); do x=$i; done",
    "i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done",
    "f() { local y=$1; return 0; }; for i in {1..20000}; do f $i; done",
    "s=; for i in {1..20000}; do s+=x; done; echo ${#s}",
    "for i in {1..20000}; do case $i in *7) n=${i%7} ;; *) n=${i//1/2} ;; esac; done",
    "declare -A h; for i in {1..20000}; do h[k$i]=$i; done; echo ${#h[@]}",
    "for i in {1..500}; do x=$(echo $i); done",
    "for i in {1..200}; do /bin/true; done",
];

fn main() {
    println!("| | |\n|---|---:|");
    let line = repeated(
        "echo a \"$b\" ${c:-d} $((1 + 2)) | cat > /dev/null; ",
        16 << 10,
    );
    println!("| parsing a line of 16 KiB | {} |", shown(parsing(&line)));
    let nested = [b"(".repeat(8 << 10), b")".repeat(8 << 10)].concat();
    println!(
        "| parsing 16 KiB of nested parentheses | {} |",
        shown(parsing(&nested))
    );
    let lines = "if [ -f /etc/passwd ]; then\n  x=$(grep -c root /etc/passwd) # count\nfi\n";
    for kib in [256, 512, 1024] {
        let script = repeated(lines, kib << 10);
        println!(
            "| parsing a script of {kib} KiB | {} |",
            shown(parsing(&script))
        );
    }
    let start = median(SHORT_RUNS, || {
        let mut machine = Emulated::debian().unwrap();
        let began = Instant::now();
        machine.run_now(b":", b"").unwrap();
        began.elapsed()
    });
    println!("| `bash -c :` on a fresh machine | {} |", shown(start));
    let line = Act::Type(b"echo $((x += 1))\r".to_vec());
    let steps = vec![&line; TYPED];
    let mut machine = Emulated::debian().unwrap();
    let began = Instant::now();
    let answers = machine
        .converse(&[b"-bash"], &[(b"TERM", b"xterm")], &steps)
        .unwrap();
    let each = began.elapsed() / u32::try_from(TYPED).unwrap();
    assert_eq!(answers.len(), TYPED + 1);
    let rate = (1.0 / each.as_secs_f64()).round();
    println!(
        "| a line typed at a prompt, run, and the next prompt | {} ({rate} a second) |",
        shown(each)
    );

    println!("\n| loop | ours | bash | ratio |\n|---|---:|---:|---:|");
    for text in LOOPS {
        let mut ours = Vec::new();
        let mut bash = Vec::new();
        for _ in 0..RUNS {
            let mut machine = Emulated::debian().unwrap();
            let began = Instant::now();
            let output = machine.run_now(text.as_bytes(), b"").unwrap();
            ours.push(began.elapsed());
            assert_eq!(
                output.status,
                0,
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let began = Instant::now();
            let mut real = std::process::Command::new("bash");
            assert!(real.args(["-c", text]).output().unwrap().status.success());
            bash.push(began.elapsed());
        }
        let (ours, bash) = (middle(ours), middle(bash));
        let ratio = ours.as_secs_f64() / bash.as_secs_f64();
        println!(
            "| `{}` | {} | {} | {ratio:.2} |",
            text.replace('|', "\\|"),
            shown(ours),
            shown(bash)
        );
    }
}

fn repeated(part: &str, bytes: usize) -> Vec<u8> {
    part.repeat(bytes / part.len() + 1).into_bytes()
}

fn parsing(text: &[u8]) -> Duration {
    median(SHORT_RUNS, || {
        let began = Instant::now();
        let options = Options::default();
        let mut parser = Parser::new(text, &options);
        while let Outcome::Command(_) = parser.next_command() {}
        began.elapsed()
    })
}

fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    middle((0..runs).map(|_| run()).collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.001 => format!("{:.0} us", seconds * 1e6),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}
