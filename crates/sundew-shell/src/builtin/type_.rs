//! `type`, and what `command -v` shares with it: what a name would run.

use sundew_kernel::Process;
use sundew_sh_syntax::{Dialect, unparse};
use sundew_vfs::{Access, FileType};

use super::Answer;
use super::getopt::{Found, Options};
use crate::builtin;
use crate::expand::transform::quote;
use crate::shell::{Function, Shell};

const USAGE: &str = "type: usage: type [-afptP] name [name ...]";

/// The reserved words, in the order in which `compgen -k` lists them.
pub(super) const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do",
    "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc",
];

/// One thing that a name stands for.
pub(super) enum Meaning {
    Alias(Vec<u8>),
    Keyword,
    Function(Function),
    Builtin {
        special: bool,
    },
    /// A program; whether `$PATH` was not searched because it is remembered.
    File {
        path: Vec<u8>,
        hashed: bool,
    },
}

/// Where to look, and how far.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope {
    /// Programs only: `-P`.
    pub(super) files_only: bool,
    /// `-f`
    pub(super) no_functions: bool,
    /// Not only the first: `-a`.
    pub(super) all: bool,
}

/// How it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `type`, `command -V`
    Sentence,
    /// `type -t`
    Word,
    /// `type -p`: nothing but paths.
    Path,
    /// `command -v`
    Reusable,
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut scope = Scope::default();
    let mut style = Style::Sentence;
    let names = match shell.dialect {
        Dialect::Bash => {
            let mut options = Options::new(args, b"aftpP");
            while let Some(found) = options.next() {
                match found {
                    Found::Option(b'a', _) => scope.all = true,
                    Found::Option(b'f', _) => scope.no_functions = true,
                    Found::Option(b't', _) => style = Style::Word,
                    Found::Option(letter, _) => {
                        style = Style::Path;
                        scope.files_only |= letter == b'P';
                    }
                    other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
                }
            }
            options.operands()
        }
        Dialect::Dash => args.get(1..).unwrap_or_default(),
        // BusyBox takes any option for bash's `-p` and `-t`, and answers as `command -v` does.
        Dialect::Ash => match args.get(1..).unwrap_or_default() {
            [first, rest @ ..] if first.starts_with(b"-") => {
                style = Style::Reusable;
                rest
            }
            rest => rest,
        },
    };
    let mut status = 0;
    for name in names {
        proc.tick().await;
        if tell(shell, proc, name, scope, style).await {
            continue;
        }
        status = not_found(shell, proc, args, name, style).await;
    }
    Ok(status)
}

/// Says that a name means nothing; the status.
pub(super) async fn not_found(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    name: &[u8],
    style: Style,
) -> u8 {
    if shell.is_bash() {
        if style == Style::Sentence {
            shell
                .builtin_error(proc, args, [name, b": not found"].concat(), 1)
                .await;
        }
        return 1;
    }
    if style == Style::Sentence {
        let _checked_at_flush = proc.print(&[name, b": not found\n"].concat()).await;
    }
    127
}

/// Tells what a name means; `false` if nothing.
pub(super) async fn tell(
    shell: &mut Shell,
    proc: &mut Process,
    name: &[u8],
    scope: Scope,
    style: Style,
) -> bool {
    let meanings = meanings(shell, proc, name, scope);
    for meaning in &meanings {
        let text = describe(shell, name, meaning, style);
        let _checked_at_flush = proc.print(&text).await;
        if let Meaning::File {
            path,
            hashed: false,
        } = meaning
            && shell.dialect == Dialect::Dash
            && !name.contains(&b'/')
        {
            // To look for it is to remember it.
            shell.hashed.insert(name.to_vec(), (path.clone(), 0));
        }
    }
    !meanings.is_empty()
}

fn meanings(shell: &Shell, proc: &Process, name: &[u8], scope: Scope) -> Vec<Meaning> {
    let mut found = Vec::new();
    let done = |found: &Vec<Meaning>| !found.is_empty() && !scope.all;
    if !scope.files_only {
        if let Some(text) = shell.aliases.get(name)
            && (!shell.is_bash() || shell.options.shopt("expand_aliases"))
        {
            found.push(Meaning::Alias(text.clone()));
        }
        if !done(&found) && is_keyword(name, shell.dialect) {
            found.push(Meaning::Keyword);
        }
        if !done(&found)
            && !scope.no_functions
            && let Some(function) = shell.functions.get(name)
        {
            found.push(Meaning::Function(function.clone()));
        }
        if !done(&found)
            && let Some(builtin) = builtin::find(shell, name)
        {
            found.push(Meaning::Builtin {
                special: builtin.special,
            });
        }
    }
    if !done(&found) {
        files(shell, proc, name, scope, &mut found);
    }
    found
}

fn files(shell: &Shell, proc: &Process, name: &[u8], scope: Scope, found: &mut Vec<Meaning>) {
    if name.contains(&b'/') {
        if is_program(proc, name) || !shell.is_bash() && proc.stat(name).is_ok() {
            found.push(Meaning::File {
                path: name.to_vec(),
                hashed: false,
            });
        }
        return;
    }
    if let Some((path, _)) = shell.hashed.get(name)
        && !scope.all
    {
        found.push(Meaning::File {
            path: path.clone(),
            hashed: true,
        });
        return;
    }
    let path = shell.variables.scalar(b"PATH").unwrap_or_default();
    for directory in path.split(|&byte| byte == b':') {
        let directory = if directory.is_empty() {
            b"."
        } else {
            directory
        };
        let candidate = [directory, b"/", name].concat();
        if !name.is_empty() && is_program(proc, &candidate) {
            // An applet is the shell's own program: it has no path.
            let applet = shell.dialect == Dialect::Ash
                && proc
                    .read_link(&candidate)
                    .is_ok_and(|target| target.ends_with(b"busybox"));
            found.push(Meaning::File {
                path: if applet { name.to_vec() } else { candidate },
                hashed: false,
            });
            if !scope.all {
                return;
            }
        }
    }
}

fn is_program(proc: &Process, path: &[u8]) -> bool {
    proc.stat(path)
        .is_ok_and(|metadata| metadata.file_type == FileType::Regular)
        && proc.access(path, Access::Execute).is_ok()
}

pub(crate) fn is_keyword(name: &[u8], dialect: Dialect) -> bool {
    let known = KEYWORDS.iter().any(|keyword| keyword.as_bytes() == name);
    let bash_only = matches!(name, b"select" | b"time" | b"[[" | b"]]" | b"coproc");
    let known = known && (dialect == Dialect::Bash || !bash_only);
    known && (name != b"function" || dialect != Dialect::Dash)
}

fn describe(shell: &Shell, name: &[u8], meaning: &Meaning, style: Style) -> Vec<u8> {
    let word = match meaning {
        Meaning::Alias(_) => "alias\n",
        Meaning::Keyword => "keyword\n",
        Meaning::Function(_) => "function\n",
        Meaning::Builtin { .. } => "builtin\n",
        Meaning::File { .. } => "file\n",
    };
    match (style, meaning) {
        (Style::Word, _) => word.into(),
        (Style::Path | Style::Reusable, Meaning::File { path, .. }) => {
            [path, b"\n".as_slice()].concat()
        }
        (Style::Path, _) => Vec::new(),
        (Style::Reusable, Meaning::Alias(text)) => {
            [b"alias ".as_slice(), name, b"=", &quote(text), b"\n"].concat()
        }
        (Style::Reusable, _) => [name, b"\n"].concat(),
        (Style::Sentence, _) => [name, b" is ", &sentence(shell, name, meaning), b"\n"].concat(),
    }
}

fn sentence(shell: &Shell, name: &[u8], meaning: &Meaning) -> Vec<u8> {
    let bash = shell.is_bash();
    match meaning {
        Meaning::Alias(text) if bash => [b"aliased to `".as_slice(), text, b"'"].concat(),
        Meaning::Alias(text) => [b"an alias for ".as_slice(), text].concat(),
        Meaning::Keyword => b"a shell keyword".to_vec(),
        Meaning::Function(function) if bash => [
            b"a function\n".as_slice(),
            &unparse::function(name, &function.body),
        ]
        .concat(),
        Meaning::Function(_) if shell.dialect == Dialect::Dash => b"a shell function".to_vec(),
        Meaning::Function(_) => b"a function".to_vec(),
        Meaning::Builtin { special: true } if !bash => b"a special shell builtin".to_vec(),
        Meaning::Builtin { .. } => b"a shell builtin".to_vec(),
        Meaning::File { path, hashed: true } if bash => {
            [b"hashed (".as_slice(), path, b")"].concat()
        }
        Meaning::File { path, hashed: true } => [b"a tracked alias for ".as_slice(), path].concat(),
        Meaning::File {
            path,
            hashed: false,
        } => path.clone(),
    }
}
