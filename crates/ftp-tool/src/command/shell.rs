//! `shell`: the other commands, typed line by line with paths instead of URLs.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};

use super::worker;
use crate::cli::Command;
use crate::context::Context;
use crate::failure::{Failure, Phase, reply_text};
use crate::session::{Session, Worker, failure, is_directory, join};
use crate::text::printable;
use crate::transfer::blocking;
use crate::url::Url;

mod complete;
mod history;
mod word;

use complete::{Helper, Names};

/// A typed line, read as the command line of the program is.
#[derive(Debug, Parser)]
#[command(name = "", no_binary_name = true, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// Where we are.
struct Place {
    worker: Worker,
    /// The directory, absolute if the server says so.
    url: Url,
    names: Arc<Mutex<Names>>,
    /// The status of the last command that failed.
    status: u8,
}

pub(super) async fn run(context: &Context, url: &Url) -> Result<u8, Failure> {
    let mut worker = worker(context, url)?;
    worker.server().keep_sessions();
    let session = worker.session().await?;
    if !url.path.is_empty() {
        session.change_directory(&url.path).await.map_err(failure)?;
    }
    let directory = session.working_directory().await.map_err(failure)?;
    let mut place = Place {
        worker,
        url: url.at(directory),
        names: Arc::default(),
        status: 0,
    };
    if io::stdin().is_terminal() {
        place.interact(context).await?;
        place.status = 0;
    } else {
        place.read(context).await?;
    }
    place.worker.end().await;
    Ok(place.status)
}

impl Place {
    /// Lines from a person.
    async fn interact(&mut self, context: &Context) -> Result<(), Failure> {
        let broken = |error: ReadlineError| Failure::new(Phase::Local, error.to_string());
        let config = Config::builder()
            .auto_add_history(false)
            .max_history_size(history::MAX_LINES)
            .map_err(broken)?
            .build();
        let mut editor = Editor::<Helper, MemHistory>::with_history(config, MemHistory::new())
            .map_err(broken)?;
        let file = history::path();
        for line in blocking(move || Ok(file.map(|file| history::read(&file)).unwrap_or_default()))
            .await
            .unwrap_or_default()
        {
            editor.add_history_entry(line).map_err(broken)?;
        }
        editor.set_helper(Some(Helper(Arc::clone(&self.names))));
        context.console.note("help lists the commands, exit leaves");
        loop {
            self.learn_names().await;
            let prompt = format!(
                "{}:{}> ",
                self.url.host.escape_debug(),
                printable(&self.url.path)
            );
            let (line, back) = blocking(move || {
                let line = editor.readline(&prompt);
                Ok((line, editor))
            })
            .await
            .map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
            editor = back;
            if let Ok(line) = &line
                && !history::is_secret(line)
                && editor.add_history_entry(line.as_str()).map_err(broken)?
            {
                // At once: an interrupted session keeps its history as well.
                let (file, line) = (history::path(), line.clone());
                let kept =
                    blocking(move || file.map_or(Ok(()), |file| history::append(&file, &line)));
                if let Err(error) = kept.await {
                    context
                        .console
                        .note(&format!("the history is not kept: {error}"));
                }
            }
            match line {
                Ok(line) if !self.line(context, &line).await => return Ok(()),
                Ok(_) | Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// Lines from a file or a pipe.
    async fn read(&mut self, context: &Context) -> Result<(), Failure> {
        loop {
            let (count, line) = blocking(|| {
                let mut line = String::new();
                let count = io::stdin().lock().read_line(&mut line)?;
                Ok((count, line))
            })
            .await
            .map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
            if count == 0 || !self.line(context, &line).await {
                return Ok(());
            }
        }
    }

    /// Does one line; says whether there may be another.
    async fn line(&mut self, context: &Context, line: &str) -> bool {
        let words = match word::split(line) {
            Ok(words) => words,
            Err(text) => {
                self.complain(context, &Failure::new(Phase::Usage, text));
                return true;
            }
        };
        let Some((verb, arguments)) = words.split_first() else {
            return true;
        };
        let result = match (verb.as_str(), arguments) {
            ("exit" | "quit" | "bye", _) => return false,
            ("help" | "?", _) => {
                context.console.say(HELP);
                Ok(())
            }
            ("pwd", _) => {
                context.console.say(&printable(&self.url.path));
                Ok(())
            }
            ("lpwd", _) => local_directory(context),
            ("lcd", [directory]) => std::env::set_current_dir(directory)
                .map_err(|error| Failure::local(directory.as_ref(), &error)),
            ("cd", []) => Ok(()),
            ("cd", [directory]) => self.change(directory).await,
            ("quote", words) if !words.is_empty() => self.quote(context, &words.join(" ")).await,
            (_, arguments) => self.command(context, verb, arguments).await,
        };
        if let Err(failure) = result {
            self.complain(context, &failure);
        }
        true
    }

    fn complain(&mut self, context: &Context, failure: &Failure) {
        context.console.failure(failure);
        self.status = failure.phase.status();
    }

    async fn change(&mut self, directory: &str) -> Result<(), Failure> {
        let path = self.resolve(directory);
        let session = self.worker.session().await?;
        session.change_directory(&path).await.map_err(failure)?;
        let path = session.working_directory().await.map_err(failure)?;
        self.url = self.url.at(path);
        Ok(())
    }

    async fn quote(&mut self, context: &Context, line: &str) -> Result<(), Failure> {
        let session = self.worker.session().await?;
        let reply = session.quote(line).await.map_err(failure)?;
        context.console.say(&reply_text(&reply));
        Ok(())
    }

    /// One of the program's own commands, its paths made URLs.
    async fn command(
        &mut self,
        context: &Context,
        verb: &str,
        arguments: &[String],
    ) -> Result<(), Failure> {
        let (options, paths): (Vec<&String>, Vec<&String>) =
            arguments.iter().partition(|word| word.starts_with('-'));
        let remote = |path: &str| self.url.at(self.resolve(path)).to_string();
        let mut words = vec![verb.to_owned()];
        words.extend(
            options
                .iter()
                .filter(|word| **word != "-R")
                .map(ToString::to_string),
        );
        match (verb, paths.as_slice()) {
            ("ls" | "tree", []) => words.push(remote("")),
            ("ls" | "tree" | "cat" | "get" | "rm" | "mkdir", paths) => {
                words.extend(paths.iter().map(|path| remote(path)));
            }
            ("put", files) => {
                words.extend(files.iter().map(ToString::to_string));
                words.push(self.url.at(join(&self.url.path, b"")).to_string() + "/");
            }
            ("mv", [from, to]) => {
                words.push(remote(from));
                words.push(String::from_utf8_lossy(&self.resolve(to)).into_owned());
            }
            ("mirror", [from, to]) if options.iter().any(|word| *word == "-R") => {
                words.extend([(*from).clone(), remote(to)]);
            }
            ("mirror", [from, to]) => words.extend([remote(from), (*to).clone()]),
            ("mv" | "mirror", _) => {
                return Err(Failure::new(
                    Phase::Usage,
                    format!("{verb} takes two paths"),
                ));
            }
            _ => {
                let what = format!("{}: no such command", verb.escape_debug());
                return Err(Failure::new(Phase::Usage, what).hint("help"));
            }
        }
        let line = Line::try_parse_from(words).map_err(|error| {
            Failure::new(Phase::Usage, first_words(&error.to_string())).hint("help")
        })?;
        // The session goes to the command, which gives it back.
        self.worker.quit().await;
        let status = Box::pin(super::run(&line.command, context)).await;
        if status != 0 {
            self.status = status;
        }
        Ok(())
    }

    /// A path as typed, seen from where we are.
    fn resolve(&self, path: &str) -> Vec<u8> {
        resolve(&self.url.path, path.as_bytes())
    }

    /// What is here, for completion. A server that does not say leaves it empty.
    async fn learn_names(&mut self) {
        let known = {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.directory == self.url.path && !names.directory.is_empty()
        };
        if known {
            return;
        }
        let found = match self.worker.session().await {
            Ok(session) => names(session, &self.url.path).await,
            Err(_) => Vec::new(),
        };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.directory.clone_from(&self.url.path);
        names.names = found;
    }
}

async fn names(session: &mut Session, path: &[u8]) -> Vec<String> {
    let Ok(listing) = session.list(path).await else {
        return Vec::new();
    };
    let entries = listing.entries.iter().filter(|entry| entry.is_plain_name());
    entries
        .filter_map(|entry| {
            let mut name = std::str::from_utf8(&entry.name).ok()?.to_owned();
            if is_directory(entry) {
                name.push('/');
            }
            Some(name)
        })
        .collect()
}

/// What `clap` complains of, without its usage: `… were not provided:` goes on in the next line.
fn first_words(complaint: &str) -> String {
    let mut lines = complaint.lines();
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    match lines.next() {
        Some(more) if first.ends_with(':') => format!("{first} {}", more.trim()),
        _ => first.to_owned(),
    }
}

fn local_directory(context: &Context) -> Result<(), Failure> {
    let path =
        std::env::current_dir().map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
    context.console.say(&printable(path.as_os_str().as_bytes()));
    Ok(())
}

/// `.` and `..` are taken out here, since not every server knows them in every verb.
fn resolve(directory: &[u8], path: &[u8]) -> Vec<u8> {
    let whole = if path.starts_with(b"/") {
        path.to_vec()
    } else {
        join(directory, path)
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in whole.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut resolved = parts.join(&b'/');
    if whole.starts_with(b"/") {
        resolved.insert(0, b'/');
    }
    resolved
}

const HELP: &str = "\
ls [-l] [PATH]          list                  cd PATH, pwd     where on the server
tree [PATH]             list with all below   lcd PATH, lpwd   where on this computer
cat PATH...             write out             rm [-r] PATH...  remove
get [-j4] PATH...       download              mv PATH NEW      rename
put FILE...             upload to here        mkdir [-p] PATH  make directories
mirror PATH LOCAL       directory, down       mirror -R LOCAL PATH   directory, up
quote WORDS             send a command as it is                exit";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line() {
        let text = "error: these were not provided:\n  <FILE>...\n  <URL>\n\nUsage: x";
        assert_eq!(first_words(text), "these were not provided: <FILE>...");
        assert_eq!(first_words("error: no -x\n\nUsage"), "no -x");
    }

    #[test]
    fn paths_are_seen_from_where_we_are() {
        for (path, expected) in [
            ("", "/a/b"),
            ("c", "/a/b/c"),
            ("..", "/a"),
            ("../../..", "/"),
            ("/x/./y", "/x/y"),
            ("c/", "/a/b/c"),
        ] {
            assert_eq!(
                resolve(b"/a/b", path.as_bytes()),
                expected.as_bytes(),
                "{path}"
            );
        }
        assert_eq!(resolve(b"", b"c"), b"c");
    }
}
