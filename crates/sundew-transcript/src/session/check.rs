//! Runs a transcript and compares, or rewrites it when asked to bless.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::parse::{Expected, Session, Step};
use super::{Command, Output, System, text};
use crate::present;

/// What came of running one file or one directory of them.
#[derive(Debug, Default)]
pub struct Check {
    /// Files read.
    pub files: usize,
    /// Commands run.
    pub steps: usize,
    /// Commands that answered otherwise than written.
    pub failed: usize,
    /// Every wrong answer in full: file, line, command, what was wanted, what came.
    pub report: String,
    /// Files rewritten because `BLESS=1` was set.
    pub blessed: Vec<PathBuf>,
}

impl Check {
    /// Panics with the whole report unless everything was as written: the last line of a test.
    ///
    /// # Panics
    ///
    /// When a step failed, a file could not be read, or no step was run at all.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub fn assert_passed(&self) {
        if self.failed > 0 || !self.report.is_empty() {
            panic!("{}\n{self}; BLESS=1 rewrites the files", self.report);
        }
        assert!(self.steps > 0, "no step was run: is the directory right?");
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            files,
            steps,
            failed,
            ..
        } = self;
        write!(f, "{failed} of {steps} steps failed in {files} files")
    }
}

/// Runs every `.session` file below a directory, in the order of their names, each on a new system.
///
/// With `BLESS=1` in the environment, files whose answers differ are rewritten instead of reported;
/// patterns that still hold, comments and heads are kept. `SESSION=TEXT` runs only files whose path
/// contains that text.
pub async fn check_directory<S: System>(
    directory: &Path,
    mut system: impl AsyncFnMut(&Session) -> io::Result<S>,
) -> Check {
    let mut check = Check::default();
    let only = std::env::var("SESSION").unwrap_or_default();
    let mut files = Vec::new();
    if let Err(error) = find(directory, &mut files) {
        check.problem(directory, &error);
    }
    files.sort();
    for file in files
        .iter()
        .filter(|file| file.to_string_lossy().contains(&only))
    {
        run_file(file, &mut system, bless(), &mut check).await;
    }
    check
}

/// Runs one `.session` file; see [`check_directory`].
pub async fn check_file<S: System>(
    file: &Path,
    mut system: impl AsyncFnMut(&Session) -> io::Result<S>,
) -> Check {
    let mut check = Check::default();
    run_file(file, &mut system, bless(), &mut check).await;
    check
}

fn bless() -> bool {
    std::env::var("BLESS").is_ok_and(|value| value == "1")
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "session")
        {
            files.push(path);
        }
    }
    Ok(())
}

async fn run_file<S: System>(
    file: &Path,
    system: &mut impl AsyncFnMut(&Session) -> io::Result<S>,
    bless: bool,
    check: &mut Check,
) {
    check.files += 1;
    let session = match fs::read(file) {
        Ok(bytes) => Session::parse(&bytes),
        Err(error) => return check.problem(file, &error),
    };
    let mut session = match session {
        Ok(session) => session,
        Err(error) => return check.problem(file, &error),
    };
    let mut system = match system(&session).await {
        Ok(system) => system,
        Err(error) => return check.problem(file, &error),
    };
    let mut changed = false;
    for step in &mut session.steps {
        check.steps += 1;
        let command = Command {
            text: &step.command,
            stdin: &step.stdin,
        };
        match system.run(command).await {
            Ok(output) if step.agrees(&output) => {}
            Ok(output) if bless => {
                step.bless(&output);
                changed = true;
            }
            Ok(output) => {
                check.failed += 1;
                check.report.push_str(&step.difference(file, &output));
            }
            Err(error) => {
                check.failed += 1;
                check.problem(
                    &file.with_extension(format!("session:{}", step.line)),
                    &error,
                );
            }
        }
    }
    if changed {
        match fs::write(file, session.encode()) {
            Ok(()) => check.blessed.push(file.to_owned()),
            Err(error) => check.problem(file, &error),
        }
    }
}

impl Check {
    fn problem(&mut self, place: &Path, error: &dyn std::fmt::Display) {
        // Writing to a String cannot fail.
        writeln!(self.report, "{}: {error}", place.display()).unwrap_or_default();
    }
}

impl Step {
    /// True when the command answered as written.
    #[must_use]
    pub fn agrees(&self, output: &Output) -> bool {
        self.status == output.status
            && present::agrees(&self.stdout, text::lines(&output.stdout))
            && present::agrees(&self.stderr, text::lines(&output.stderr))
    }

    /// Takes the answer over as the expected one; patterns that hold for their line stay.
    fn bless(&mut self, output: &Output) {
        self.stdout = take_over(&self.stdout, &output.stdout);
        self.stderr = take_over(&self.stderr, &output.stderr);
        self.status = output.status;
    }

    /// Says what was wanted and what came, as it would stand in the file.
    fn difference(&self, file: &Path, output: &Output) -> String {
        let mut out = format!(
            "{}:{}: $ {}\n",
            file.display(),
            self.line,
            String::from_utf8_lossy(&self.command)
        );
        let got = Self {
            stdout: take_over(&[], &output.stdout),
            stderr: take_over(&[], &output.stderr),
            status: output.status,
            ..self.clone()
        };
        present::block(&mut out, "want", &self.answer());
        present::block(&mut out, "got", &got.answer());
        out
    }

    /// The lines of the answer as they stand in a transcript.
    fn answer(&self) -> Vec<String> {
        let exact = |mark: &str, line: &[u8]| format!("{mark}{}", text::encode(line));
        let pattern =
            |mark: &str, pattern: &[u8]| format!("{mark}{}", String::from_utf8_lossy(pattern));
        let stdout = self.stdout.iter().map(|line| match line {
            Expected::Exact(line) => exact("", line),
            Expected::Pattern(text) => pattern("~ ", text),
        });
        let stderr = self.stderr.iter().map(|line| match line {
            Expected::Exact(line) => exact("! ", line),
            Expected::Pattern(text) => pattern("!~ ", text),
        });
        let status = (self.status != 0).then(|| format!("? {}", self.status));
        stdout.chain(stderr).chain(status).collect()
    }
}

fn take_over(old: &[Expected], got: &[u8]) -> Vec<Expected> {
    let keep = |(index, line): (usize, &[u8])| match old.get(index) {
        Some(pattern @ Expected::Pattern(_)) if present::line_agrees(pattern, line) => {
            pattern.clone()
        }
        _ => Expected::Exact(line.to_vec()),
    };
    text::lines(got).enumerate().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every command with the same output.
    struct Parrot(Output);

    impl System for Parrot {
        async fn run(&mut self, _command: Command<'_>) -> io::Result<Output> {
            Ok(self.0.clone())
        }
    }

    fn parrot() -> Parrot {
        Parrot(Output {
            stdout: b"pid 17\ntwo\n".to_vec(),
            stderr: b"oops".to_vec(),
            status: 3,
        })
    }

    async fn check_text(text: &str, bless: bool) -> (Check, String) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.session");
        fs::write(&file, text).unwrap();
        let mut check = Check::default();
        run_file(
            &file,
            &mut async |_: &Session| Ok(parrot()),
            bless,
            &mut check,
        )
        .await;
        (check, fs::read_to_string(&file).unwrap())
    }

    #[tokio::test]
    async fn an_answer_as_written_passes() {
        let (check, _) = check_text(
            "# origin: x\n\n$ a\n~ pid *\ntwo\n! \\oops\\c\n? 3\n",
            false,
        )
        .await;
        assert_eq!(
            (check.steps, check.failed, check.report.as_str()),
            (1, 0, "")
        );
        check.assert_passed();
    }

    #[tokio::test]
    async fn a_wrong_answer_shows_file_line_want_and_got() {
        let (check, _) = check_text("# origin: x\n\n$ a\nthree\n", false).await;
        assert_eq!(check.failed, 1);
        let want = "a.session:3: $ a\n  want\n    three\n  got\n    pid 17\n    two\n    ! \\oops\\c\n    ? 3\n";
        assert!(check.report.ends_with(want), "{}", check.report);
    }

    #[tokio::test]
    async fn every_wrong_step_of_a_file_is_reported() {
        let (check, _) = check_text("# origin: x\n\n$ a\n\n$ b\n", false).await;
        assert_eq!(check.failed, 2);
        assert!(check.report.contains(":3: $ a") && check.report.contains(":5: $ b"));
    }

    #[tokio::test]
    async fn blessing_rewrites_answers_and_keeps_patterns_and_comments() {
        let (check, text) = check_text("# origin: x\n\n# why\n$ a\n~ pid *\nthree\n", true).await;
        assert_eq!((check.failed, check.blessed.len()), (0, 1));
        assert_eq!(
            text,
            "# origin: x\n\n# why\n$ a\n~ pid *\ntwo\n! \\oops\\c\n? 3\n"
        );
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_parsed_fails_the_check() {
        let (check, _) = check_text("$ a\n", false).await;
        assert!(check.report.contains("origin"), "{}", check.report);
    }

    #[tokio::test]
    async fn a_missing_directory_fails_the_check() {
        let check =
            check_directory(Path::new("/nonexistent/sessions"), async |_| Ok(parrot())).await;
        assert!(!check.report.is_empty());
    }
}
