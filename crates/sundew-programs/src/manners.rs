//! Answers that a whole family of programs gives in one way: to an option it does not know, to
//! `--help` and to `--version`.
//!
//! A row states the options of a program as its original hands them to getopt_long(3); the texts
//! stand in `manners/texts.txt`. The command line is read before the program starts: what the
//! original would refuse is refused in its words, so that a program need only deal with options it
//! knows. Programs without a row answer for themselves.

use sundew_kernel::program::Program;
use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Getopt, Spec};

mod rows;

/// One program at whose door the command line is looked at.
pub(crate) struct Row {
    door: Program,
    spec: Spec,
    /// Keys of the options that print the help text and the version; `""` if there is none.
    help: &'static str,
    version: &'static str,
}

/// The program with its door in front, if it has one.
pub(crate) fn with_door(program: Program) -> Program {
    row(program.name).map_or(program, |row| row.door)
}

fn row(name: &str) -> Option<&'static Row> {
    rows::ROWS.iter().find(|row| row.door.name == name)
}

/// Answers for the program, or starts it.
async fn receive(proc: &mut Process, name: &str) -> ExitStatus {
    let asks = |word: &Vec<u8>| word.len() > 1 && word.starts_with(b"-");
    if proc.args().iter().skip(1).any(asks)
        && let Some(row) = row(name)
        && let Some(status) = answer(proc, row).await
    {
        return status;
    }
    match crate::table::without_doors().find(|program| program.name == name) {
        Some(program) => (program.run)(proc).await,
        None => ExitStatus::FAILURE,
    }
}

/// What the first option with an answer of its own leads to; `None` when the program is to go on.
async fn answer(proc: &mut Process, row: &Row) -> Option<ExitStatus> {
    let mut options = Getopt::new(&row.spec, proc.args());
    while let Some(option) = options.next() {
        let (what, complaint) = match option {
            Ok(option) if option.key.is_empty() => continue,
            Ok(option) if option.key == row.help => ("help", None),
            Ok(option) if option.key == row.version => ("version", None),
            Ok(_) => continue,
            Err(error) => ("refuse", Some(error.text())),
        };
        let text = Text::find(row.door.name, what)?;
        if let Some(complaint) = complaint {
            proc.complain_text(complaint).await;
        }
        return Some(text.print(proc).await);
    }
    None
}

/// Sections `=== NAME WHAT STREAM STATUS`, each followed by the text.
const TEXTS: &str = include_str!("manners/texts.txt");

/// One recorded answer.
pub(crate) struct Text {
    to_output: bool,
    status: u8,
    body: &'static str,
}

impl Text {
    fn find(name: &str, what: &str) -> Option<Self> {
        Self::find_in(TEXTS, name, what)
    }

    /// The section of this name among texts in the same form.
    pub(crate) fn find_in(texts: &'static str, name: &str, what: &str) -> Option<Self> {
        texts.split("=== ").find_map(|section| {
            let (head, body) = section.split_once('\n')?;
            let mut words = head.split(' ');
            if words.next() != Some(name) || words.next() != Some(what) {
                return None;
            }
            Some(Self {
                to_output: words.next()? == "out",
                status: words.next()?.parse().ok()?,
                body,
            })
        })
    }

    /// Prints it with the name that the program was started by; the status to end with.
    pub(crate) async fn print(&self, proc: &mut Process) -> ExitStatus {
        let own = String::from_utf8_lossy(proc.name()).into_owned();
        let base = String::from_utf8_lossy(proc.base_name()).into_owned();
        let text = self.body.replace("«argv0»", &own).replace("«name»", &base);
        proc.set_status(self.status);
        if self.to_output {
            // Reported when the program ends.
            let _closed = proc.print(text.as_bytes()).await;
        } else {
            proc.print_error(text.as_bytes()).await;
        }
        proc.status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_texts() {
        for row in rows::ROWS {
            let name = row.door.name;
            assert!(Text::find(name, "refuse").is_some(), "{name}");
            for (key, what) in [(row.help, "help"), (row.version, "version")] {
                assert!(
                    key.is_empty() || Text::find(name, what).is_some(),
                    "{name} {what}"
                );
            }
        }
    }

    #[test]
    fn a_section_says_where_its_text_goes() {
        let text = Text::find("blkid", "refuse").unwrap();
        assert!(!text.to_output);
        assert!(text.status > 0);
        assert!(Text::find("blkid", "nosuch").is_none());
    }
}
