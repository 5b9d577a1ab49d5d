//! Completion at the prompt: commands first, then names of the server's directory, or local ones
//! where the command takes those.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper as LineHelper};

use super::word;

/// What is in the directory.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Which directory.
    pub(super) directory: Vec<u8>,
    /// Names; those of directories end with a slash.
    pub(super) names: Vec<String>,
}

/// Completes from the names that were learned last.
#[derive(Debug)]
pub(super) struct Helper(pub(super) Arc<Mutex<Names>>);

const COMMANDS: [&str; 16] = [
    "ls", "tree", "cat", "get", "put", "mirror", "rm", "mv", "mkdir", "cd", "pwd", "lcd", "lpwd",
    "quote", "help", "exit",
];

/// Local names offered at most: a directory may hold very many.
const MAX_LOCAL_NAMES: usize = 1000;

impl Helper {
    fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let start = line.rfind(' ').map_or(0, |blank| blank + 1);
        let (before, typed) = line.split_at_checked(start).unwrap_or((line, ""));
        let mut found: Vec<String> = match before.split_whitespace().next() {
            None => COMMANDS.iter().map(|name| format!("{name} ")).collect(),
            Some("put" | "lcd") => local_names(),
            Some(_) => {
                let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                names.names.iter().map(|name| word::quote(name)).collect()
            }
        };
        found.retain(|name| name.starts_with(typed));
        found.sort();
        (start, found)
    }
}

fn local_names() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(".") else {
        return Vec::new();
    };
    let entries = entries.filter_map(Result::ok).take(MAX_LOCAL_NAMES);
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| word::quote(&name))
        .collect()
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.candidates(line.get(..position).unwrap_or(line));
        let pairs = found.into_iter().map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Helper {
    type Hint = String;
}

impl Highlighter for Helper {}
impl Validator for Helper {}
impl LineHelper for Helper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_first_and_then_names() {
        let names = Names {
            directory: b"/".to_vec(),
            names: vec!["pub/".to_owned(), "a b".to_owned(), "ab".to_owned()],
        };
        let helper = Helper(Arc::new(Mutex::new(names)));
        assert_eq!(helper.candidates("mi"), (0, vec!["mirror ".to_owned()]));
        assert_eq!(helper.candidates("cd p"), (3, vec!["pub/".to_owned()]));
        let both = vec!["a\\ b".to_owned(), "ab".to_owned()];
        assert_eq!(helper.candidates("get a"), (4, both));
    }
}
