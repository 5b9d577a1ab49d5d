//! What a machine costs: `cargo xtask bench machine [--write docs/performance.md]`.
//!
//! Prints a Markdown table: the start of a machine, its memory beyond the shared image, the first write,
//! and how many stay resident at once. One thread, medians of many; the figures are of this computer.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement: it reads the clock and the process table, starts itself for each persona, and prints"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sundew_kernel::budget;
use sundew_kernel::machine::admin::Owned;
use sundew_kernel::machine::{Config, Machine};
use sundew_kernel::network::NoNetwork;
use sundew_kernel::observe::NoObserver;
use sundew_kernel::program::ProgramTable;
use sundew_kernel::scheduler::Scheduler;
use sundew_kernel::testing::{ManualClock, SharedClock};
use sundew_persona::{Model, Origin, Persona};
use sundew_vfs::{Limits, Timestamp};

/// Machines that are resident at once.
const MACHINES: usize = 10_000;
/// What some of them change then, in bytes, and how many.
const CHANGED_BYTES: usize = 64 * 1024;
const CHANGED_MACHINES: usize = 1_000;
/// Machines of which the start and the first write are timed one by one.
const TIMED: usize = 2_000;
const MODELS: [(&str, Model); 2] = [("debian12", Model::Debian12), ("camera", Model::Camera)];
/// 2026-11-20 08:00:00 UTC.
const BORN: Timestamp = Timestamp {
    secs: 1_795_161_600,
    nanos: 0,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let programs = Arc::new(ProgramTable::new(
        sundew_shell::PROGRAMS
            .iter()
            .copied()
            .chain(sundew_programs::table::programs()),
    ));
    let mut table = format!(
        "| persona | image, ms | start, us (median / p99) | first write, us (median / p99) | bytes each | bytes more after {} KiB of changes | {MACHINES} machines, ms |\n|---|---|---|---|---|---|---|\n",
        CHANGED_BYTES / 1024
    );
    // Each in a process of its own: what one has freed would hold the other.
    if let [option, name] = arguments.as_slice()
        && option == "--only"
    {
        let model = MODELS.iter().find(|(known, _)| known == name);
        let (_, model) = model.expect("the name of a persona");
        print!("{}", row(*model, &programs));
        return;
    }
    for (name, _) in MODELS {
        let own = std::env::current_exe().expect("a path of our own");
        let child = std::process::Command::new(own)
            .args(["--only", name])
            .output()
            .expect("a process of our own");
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stderr)
        );
        table += &String::from_utf8_lossy(&child.stdout);
    }
    table += "| aim | | 100 | 10 | 30720 | | |\n";
    print!("{table}");
    if let [option, file] = arguments.as_slice()
        && option == "--write"
    {
        write_table(file, &table);
    }
}

fn row(model: Model, programs: &Arc<ProgramTable>) -> String {
    let runs = |name: &[u8]| programs.by_name(name).is_some();
    let began = Instant::now();
    let persona = Persona::new(model, &Origin::new([7; 32], BORN), &runs).expect("sound data");
    let built = began.elapsed();
    let mut starts = Vec::new();
    let mut writes = Vec::new();
    for _ in 0..TIMED {
        let began = Instant::now();
        let (machine, _scheduler) = machine(&persona, programs);
        starts.push(began.elapsed());
        let began = Instant::now();
        machine
            .make_file(b"/root/x", b"#!/bin/sh\n", Owned::ROOT)
            .expect("room for a file");
        writes.push(began.elapsed());
    }
    let before = resident_bytes();
    let began = Instant::now();
    let all: Vec<_> = (0..MACHINES).map(|_| machine(&persona, programs)).collect();
    let took = began.elapsed();
    let each = resident_bytes().saturating_sub(before) / MACHINES as u64;
    let before = resident_bytes();
    for (machine, _scheduler) in all.iter().take(CHANGED_MACHINES) {
        machine
            .make_file(b"/root/changed", &[b'x'; CHANGED_BYTES], Owned::ROOT)
            .expect("room for a file");
    }
    let more = resident_bytes().saturating_sub(before) / CHANGED_MACHINES as u64;
    drop(all);
    format!(
        "| {model:?} | {} | {} | {} | {each} | {more} | {} |\n",
        built.as_millis(),
        spread(&mut starts),
        spread(&mut writes),
        took.as_millis()
    )
}

/// Puts the table between its marks in a document.
fn write_table(file: &str, table: &str) {
    const BEGIN: &str = "<!-- bench machine: begin -->\n";
    const END: &str = "<!-- bench machine: end -->";
    let text = std::fs::read_to_string(file).expect("a document");
    let (before, rest) = text.split_once(BEGIN).expect("the mark of the beginning");
    let (_, after) = rest.split_once(END).expect("the mark of the end");
    let text = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    std::fs::write(file, text).expect("a document that can be written");
}

fn machine(persona: &Persona, programs: &Arc<ProgramTable>) -> (Machine, Scheduler) {
    let clock = ManualClock::starting_at(BORN.secs + 86_400, Duration::ZERO);
    let vfs = persona.filesystem(Limits::default()).expect("sound mounts");
    Machine::new(Config {
        vfs: Arc::new(Mutex::new(vfs)),
        programs: Arc::clone(programs),
        facts: Arc::clone(&persona.facts),
        clock: Arc::new(SharedClock(clock)),
        network: Arc::new(NoNetwork),
        observer: Arc::new(NoObserver),
        limits: budget::Limits::default(),
        seed: persona.seed,
        residents: persona.residents.clone(),
        sockets: persona.sockets.clone(),
        last_pid: persona.last_pid,
        heavy: None,
        source: None,
        aside: None,
        secure_shell: None,
    })
}

fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_nanos();
    let micros = |nanos: u128| format!("{}.{}", nanos / 1000, nanos / 100 % 10);
    format!("{} / {}", micros(at(50)), micros(at(99)))
}

/// Resident memory of this process; statm(5) counts pages of 4 KiB.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}
