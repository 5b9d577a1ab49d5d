//! `shell_oracle SHELL SEED COUNT`: random shell text on this computer's shell and on ours; what
//! differs is cut down to the lines that matter and shown. `shell_oracle SHELL FILE`: the same for
//! the texts of a file, which lines of `%%` part, each in every mode.
//!
//! Both sides run in a directory of the same name with the same files and environment. The real
//! shell has no network and ten seconds. `camera` runs the text as the shell of a root directory with
//! nothing but BusyBox, a static one that `ORACLE_BUSYBOX` names, on the emulated camera too. Text is repeatable from its seed: what differed is run
//! again with `shell_oracle SHELL SEED 1`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a developer's tool"
)]

use std::fmt;
use std::io;
use std::process::ExitCode;

mod generate;
mod side;

use side::{Answer, Real};

/// Stack of the thread that runs our side, in bytes.
const STACK_BYTES: usize = 256 << 20;

/// How often a differing real answer is asked for again.
const RACES: usize = 2;

/// Lines of an answer that are shown.
const MAX_SHOWN_LINES: usize = 80;

/// Whose language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Dash,
    Ash,
    /// BusyBox alone, every applet with a link.
    Camera,
}

/// How a text reaches the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    CommandString,
    Script,
    Stdin,
}

const MODES: [Mode; 3] = [Mode::CommandString, Mode::Script, Mode::Stdin];

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommandString => "-c",
            Self::Script => "script",
            Self::Stdin => "stdin",
        })
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (shell, source) = match words.as_slice() {
        [shell, seed, count] => match (seed.parse(), count.parse()) {
            (Ok(first), Ok(count)) => (shell, Source::Random { first, count }),
            _ => return usage(),
        },
        [shell, file] => (shell, Source::File((*file).to_owned())),
        _ => return usage(),
    };
    let shell = match *shell {
        "bash" => Shell::Bash,
        "dash" => Shell::Dash,
        "ash" => Shell::Ash,
        "camera" => Shell::Camera,
        _ => return usage(),
    };
    let run = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || compare_all(shell, &source));
    match run.map(|thread| thread.join()) {
        Ok(Ok(Ok(0))) => ExitCode::SUCCESS,
        Ok(Ok(Ok(_))) => ExitCode::FAILURE,
        other => {
            eprintln!("shell_oracle: {other:?}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: shell_oracle bash|dash|ash|camera SEED COUNT|FILE");
    ExitCode::from(2)
}

/// Where texts come from.
enum Source {
    Random { first: u64, count: u64 },
    File(String),
}

impl Source {
    /// What a text is called, how it is run, its lines.
    fn texts(&self, shell: Shell) -> io::Result<Vec<(String, Mode, Vec<String>)>> {
        match self {
            Self::Random { first, count } => Ok((*first..first.saturating_add(*count))
                .map(|seed| {
                    let mode = MODES[usize::try_from(seed).unwrap_or(0) % MODES.len()];
                    (format!("seed {seed}"), mode, generate::text(seed, shell))
                })
                .collect()),
            Self::File(path) => {
                let all = std::fs::read_to_string(path)?;
                let texts = all.split("\n%%\n").map(|text| text.trim_end_matches('\n'));
                let lines = |text: &str| text.split('\n').map(str::to_owned).collect();
                if shell == Shell::Camera {
                    let one = |text| (path.clone(), Mode::CommandString, lines(text));
                    return Ok(texts.map(one).collect());
                }
                Ok(texts
                    .flat_map(|text| MODES.map(|mode| (path.clone(), mode, lines(text))))
                    .collect())
            }
        }
    }
}

/// How many texts differed.
fn compare_all(shell: Shell, source: &Source) -> io::Result<usize> {
    let real = Real::new(shell)?;
    let texts = source.texts(shell)?;
    let (mut bad, count) = (0, texts.len());
    for (name, mode, lines) in texts {
        if let Source::Random { count: 0..=1, .. } = source {
            // What makes one side hang is seen.
            eprintln!("{}", lines.join("\n"));
        }
        let Some(mut found) = difference(&real, shell, mode, &lines)? else {
            continue;
        };
        bad += 1;
        let mut lines = lines;
        if matches!(source, Source::Random { .. }) {
            (lines, found) = smallest(&real, shell, mode, lines, found)?;
        }
        println!("=== {name}, {shell:?} {mode}");
        println!("{}", lines.join("\n"));
        println!("{found}");
    }
    println!("{bad} of {count} differ");
    Ok(bad)
}

/// Both answers, where they are not the same.
struct Difference {
    want: Answer,
    got: Answer,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| {
            let text = bytes.escape_ascii().to_string().replace("\\\\", "\\");
            let lines: Vec<&str> = text.split("\\n").take(MAX_SHOWN_LINES).collect();
            lines.join("\n      ").replace("\\\'", "'")
        };
        for (name, want, got) in [
            ("out", &self.want.stdout, &self.got.stdout),
            ("err", &self.want.stderr, &self.got.stderr),
        ] {
            if want != got {
                writeln!(f, "  want {name}:\n      {}", shown(want))?;
                writeln!(f, "  got {name}:\n      {}", shown(got))?;
            }
        }
        if self.want.status != self.got.status {
            writeln!(
                f,
                "  status: want {} got {}",
                self.want.status, self.got.status
            )?;
        }
        Ok(())
    }
}

fn difference(
    real: &Real,
    shell: Shell,
    mode: Mode,
    lines: &[String],
) -> io::Result<Option<Difference>> {
    let text = lines.join("\n");
    let want = real.run(shell, mode, &text)?;
    let got = side::ours(real.directory(), shell, mode, &text);
    if want == got {
        return Ok(None);
    }
    // Members of a pipeline race: what the real one answers differently each time proves nothing.
    for _ in 0..RACES {
        let again = real.run(shell, mode, &text)?;
        if again == got || again != want {
            return Ok(None);
        }
    }
    if want.status == got.status && want.stdout == got.stdout && text.contains('|') {
        let sorted = |bytes: &[u8]| {
            let mut lines: Vec<Vec<u8>> = bytes
                .split(|&byte| byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            lines.sort();
            lines
        };
        if sorted(&want.stderr) == sorted(&got.stderr) {
            return Ok(None);
        }
    }
    Ok(Some(Difference { want, got }))
}

/// Leaves out lines as long as the answers still differ.
fn smallest(
    real: &Real,
    shell: Shell,
    mode: Mode,
    mut lines: Vec<String>,
    mut last: Difference,
) -> io::Result<(Vec<String>, Difference)> {
    let mut at = lines.len();
    while at > 0 && lines.len() > 1 {
        at -= 1;
        let mut fewer = lines.clone();
        fewer.remove(at);
        if let Some(found) = difference(real, shell, mode, &fewer)? {
            lines = fewer;
            last = found;
        }
    }
    Ok((lines, last))
}
