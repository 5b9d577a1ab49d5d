//! `help`: the list, usages and one line on each topic. The long texts of the real one are not shown.

mod topic;

use sundew_kernel::Process;
use sundew_posix::pattern::{Options as PatternOptions, Pattern};
use sundew_sh_syntax::Dialect;

use super::getopt::{Found, Options};
use super::{Answer, TABLE};
use crate::shell::Shell;
use topic::TOPICS;

const USAGE: &str = "help: usage: help [-dms] [pattern ...]";

const HEAD: &str = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)
These shell commands are defined internally.  Type `help' to see this list.
Type `help name' to find out more about the function `name'.
Use `info bash' to find out more about the shell in general.
Use `man -k' or `info' to find out more about commands not in this list.

A star (*) next to a name means that the command is disabled.

";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.dialect == Dialect::Ash {
        let _checked_at_flush = proc.print(ash_list().as_bytes()).await;
        return Ok(0);
    }
    let (mut describe, mut short) = (false, false);
    let mut options = Options::new(args, b"dms");
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'd', _) => describe = true,
            Found::Option(b's', _) => short = true,
            Found::Option(..) => {}
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    let patterns = options.operands();
    let Some(last) = patterns.last() else {
        let text = HEAD.to_owned() + &columns(shell);
        let _checked_at_flush = proc.print(text.as_bytes()).await;
        return Ok(0);
    };
    let mut any = false;
    for pattern in patterns {
        let has_glob =
            pattern.iter().any(|byte| b"*?[".contains(byte)) && pattern != b"[" && pattern != b"[[";
        if has_glob {
            let plural = if patterns.len() > 1 {
                "keywords"
            } else {
                "keyword"
            };
            let names = patterns.join(b", ".as_slice());
            let text = [
                format!("Shell commands matching {plural} `").as_bytes(),
                &names,
                b"'\n\n",
            ]
            .concat();
            let _checked_at_flush = proc.print(&text).await;
        }
        for (name, usage, description) in matching(pattern) {
            any = true;
            let text = match (describe, short) {
                (true, _) => format!("{name} - {description}\n"),
                (false, true) => format!("{name}: {usage}\n"),
                (false, false) => format!("{name}: {usage}\n    {description}\n"),
            };
            let _checked_at_flush = proc.print(text.as_bytes()).await;
        }
    }
    if any {
        return Ok(0);
    }
    let text = [
        b"no help topics match `".as_slice(),
        last,
        b"'.  Try `help help' or `man -k ",
        last,
        b"' or `info ",
        last,
        b"'.",
    ];
    Ok(shell.builtin_error(proc, args, text.concat(), 1).await)
}

/// The topics of this name or pattern; if there is none, those that begin with it.
fn matching(text: &[u8]) -> Vec<(&'static str, &'static str, &'static str)> {
    let pattern = Pattern::from_bytes(text, PatternOptions::default());
    let exact: Vec<_> = TOPICS
        .iter()
        .filter(|topic| topic.0.as_bytes() == text || pattern.matches(topic.0.as_bytes()))
        .copied()
        .collect();
    if !exact.is_empty() {
        return exact;
    }
    TOPICS
        .iter()
        .filter(|topic| topic.0.as_bytes().starts_with(text))
        .copied()
        .collect()
}

/// The list in two columns, cut to half the screen's width.
fn columns(shell: &Shell) -> String {
    let screen = shell
        .variables
        .scalar(b"COLUMNS")
        .and_then(super::getopt::integer)
        .unwrap_or(80);
    let width = usize::try_from(screen / 2)
        .ok()
        .filter(|width| (4..=128).contains(width))
        .unwrap_or(40);
    let height = TOPICS.len().div_ceil(2);
    let (left, right) = TOPICS.split_at(height);
    let mut text = String::new();
    for (row, topic) in left.iter().enumerate() {
        let first = cell(shell, topic.0, topic.1, width - 3);
        match right.get(row) {
            Some(topic) => {
                let second = cell(shell, topic.0, topic.1, width - 4);
                text.push_str(&format!("{first:width$}{second}\n"));
            }
            None => text.push_str(&format!("{first}\n")),
        }
    }
    text
}

fn cell(shell: &Shell, name: &str, usage: &str, most: usize) -> String {
    let star = if shell
        .disabled
        .iter()
        .any(|disabled| disabled == name.as_bytes())
    {
        '*'
    } else {
        ' '
    };
    if usage.len() < most {
        return format!("{star}{usage}");
    }
    let cut: String = usage.chars().take(most).collect();
    format!("{star}{cut}>")
}

/// BusyBox's list, filled to its width.
fn ash_list() -> String {
    let mut text = String::from("Built-in commands:\n------------------\n");
    let mut column = 0;
    // These two are no builtins here: `[[` is syntax, and `chdir` nobody types.
    let table = TABLE
        .iter()
        .filter(|builtin| builtin.dialects.contains(&Dialect::Ash));
    let mut names: Vec<&str> = table
        .map(|builtin| builtin.name)
        .chain(["[[", "chdir"])
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        if column == 0 {
            text.push('\t');
        } else {
            text.push(' ');
        }
        text.push_str(name);
        column += name.len() + 1;
        if column > 60 {
            text.push('\n');
            column = 0;
        }
    }
    if column > 0 {
        text.push('\n');
    }
    text
}
