//! `help`: the list, and usage, line and text of each topic; and `NAME --help`, which shows the same.

mod topic;

use sundew_kernel::Process;
use sundew_posix::pattern::{Options as PatternOptions, Pattern};
use sundew_sh_syntax::Dialect;

use super::getopt::{Found, Options};
use super::{Answer, TABLE};
use crate::shell::Shell;
use topic::{Topic, topics};

const USAGE: &str = "help: usage: help [-dms] [pattern ...]";

const HEAD: &str = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)
These shell commands are defined internally.  Type `help' to see this list.
Type `help name' to find out more about the function `name'.
Use `info bash' to find out more about the shell in general.
Use `man -k' or `info' to find out more about commands not in this list.

A star (*) next to a name means that the command is disabled.

";

const MANUAL_END: &str = "SEE ALSO
    bash(1)

IMPLEMENTATION
    GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)
    Copyright (C) 2022 Free Software Foundation, Inc.
    License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>

";

/// What is shown of a topic.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Line,
    Usage,
    Manual,
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.dialect == Dialect::Ash {
        let _checked_at_flush = proc.print(ash_list().as_bytes()).await;
        return Ok(0);
    }
    let (mut describe, mut short, mut manual) = (false, false, false);
    let mut options = Options::new(args, b"dms");
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'd', _) => describe = true,
            Found::Option(b's', _) => short = true,
            Found::Option(b'm', _) => manual = true,
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    let form = match (describe, manual, short) {
        (true, ..) => Form::Line,
        (_, true, _) => Form::Manual,
        (_, _, true) => Form::Usage,
        _ => Form::Text,
    };
    let patterns = options.operands();
    let Some(last) = patterns.last() else {
        let text = HEAD.to_owned() + &columns(shell);
        let _checked_at_flush = proc.print(text.as_bytes()).await;
        return Ok(0);
    };
    // The first announces them all, if it is a pattern.
    if patterns.first().is_some_and(|pattern| has_glob(pattern)) {
        let plural = if patterns.len() > 1 { "s" } else { "" };
        let text = [
            format!("Shell commands matching keyword{plural} `").as_bytes(),
            &patterns.join(b", ".as_slice()),
            b"'\n\n",
        ]
        .concat();
        let _checked_at_flush = proc.print(&text).await;
    }
    let mut any = false;
    for pattern in patterns {
        for topic in matching(pattern) {
            any = true;
            let _checked_at_flush = proc.print(show(&topic, form).as_bytes()).await;
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

/// `NAME --help`, which bash's builtins understand as their first option; but not those that have
/// none.
pub(crate) async fn of_builtin(shell: &Shell, proc: &mut Process, args: &[Vec<u8>]) -> Option<u8> {
    let [name, option, ..] = args else {
        return None;
    };
    if option != b"--help" || !shell.is_bash() {
        return None;
    }
    let without: &[&[u8]] = &[b":", b"true", b"false", b"echo", b"test", b"["];
    let topic = topics().find(|topic| topic.name.as_bytes() == name)?;
    if without.contains(&name.as_slice()) {
        return None;
    }
    let _checked_at_flush = proc.print(show(&topic, Form::Text).as_bytes()).await;
    Some(2)
}

fn has_glob(pattern: &[u8]) -> bool {
    let open = pattern.iter().position(|&byte| byte == b'[');
    let set = open.is_some_and(|at| pattern.get(at..).is_some_and(|rest| rest.contains(&b']')));
    set || pattern.iter().any(|byte| b"*?".contains(byte))
}

fn show(topic: &Topic<'_>, form: Form) -> String {
    let Topic {
        name,
        usage,
        line,
        text,
    } = topic;
    match form {
        Form::Text => format!("{name}: {usage}\n{text}\n"),
        Form::Line => format!("{name} - {line}\n"),
        Form::Usage => format!("{name}: {usage}\n"),
        Form::Manual => format!(
            "NAME\n    {name} - {line}\n\nSYNOPSIS\n    {usage}\n\nDESCRIPTION\n{text}\n\n{MANUAL_END}"
        ),
    }
}

/// The topics of this name or pattern; if there is none, those that begin with it.
fn matching(text: &[u8]) -> Vec<Topic<'static>> {
    let pattern = Pattern::from_bytes(text, PatternOptions::default());
    let exact: Vec<_> = topics()
        .filter(|topic| topic.name.as_bytes() == text || pattern.matches(topic.name.as_bytes()))
        .collect();
    if !exact.is_empty() {
        return exact;
    }
    topics()
        .filter(|topic| topic.name.as_bytes().starts_with(text))
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
    let topics: Vec<_> = topics().collect();
    let height = topics.len().div_ceil(2);
    let (left, right) = topics.split_at(height);
    let mut text = String::new();
    for (row, topic) in left.iter().enumerate() {
        let first = cell(shell, topic.name, topic.usage, width - 3);
        match right.get(row) {
            Some(topic) => {
                let second = cell(shell, topic.name, topic.usage, width - 4);
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
