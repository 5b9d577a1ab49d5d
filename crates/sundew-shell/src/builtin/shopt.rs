//! `shopt`.

use sundew_kernel::Process;

use super::Answer;
use super::set::option_line;
use crate::option::{SET_OPTIONS, SHOPT_OPTIONS};
use crate::shell::Shell;

/// What the options ask for.
#[derive(Debug, Default)]
struct Wish {
    set: bool,
    unset: bool,
    print: bool,
    quiet: bool,
    /// `-o`: the options of `set`.
    of_set: bool,
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut wish = Wish::default();
    let mut names = args.get(1..).unwrap_or_default();
    while let Some((option, rest)) = names.split_first() {
        let Some(letters) = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        names = rest;
        if letters == b"-" {
            break;
        }
        for &letter in letters {
            match letter {
                b's' => wish.set = true,
                b'u' => wish.unset = true,
                b'p' => wish.print = true,
                b'q' => wish.quiet = true,
                b'o' => wish.of_set = true,
                _ => {
                    let usage = "shopt: usage: shopt [-pqsu] [-o] [optname ...]";
                    return Ok(shell
                        .invalid_option(proc, args, &[b'-', letter], usage)
                        .await);
                }
            }
        }
    }
    if wish.set && wish.unset {
        let text = "cannot set and unset shell options simultaneously";
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    }
    if names.is_empty() {
        let text = list(shell, &wish);
        if !wish.quiet {
            let _checked_at_flush = proc.print(text.as_bytes()).await;
        }
        return Ok(0);
    }
    let mut status = 0;
    for name in names {
        let Some(on) = state(shell, &wish, name) else {
            let text: &[u8] = if wish.of_set {
                b": invalid option name"
            } else {
                b": invalid shell option name"
            };
            let failed = shell
                .builtin_error(proc, args, [name.as_slice(), text].concat(), 1)
                .await;
            // As bash 5.2 has it: `-so` and `-uo` do not mind.
            if !(wish.of_set && (wish.set || wish.unset)) {
                status = failed;
            }
            continue;
        };
        if wish.set || wish.unset {
            change(shell, proc, args, &wish, name).await;
            continue;
        }
        status |= u8::from(!on);
        if !wish.quiet {
            let name = String::from_utf8_lossy(name);
            let _checked_at_flush = proc.print(line(&wish, &name, on).as_bytes()).await;
        }
    }
    Ok(status)
}

fn list(shell: &Shell, wish: &Wish) -> String {
    let all: Vec<(&str, bool)> = if wish.of_set {
        SET_OPTIONS
            .iter()
            .map(|option| (option.name, shell.options.is_set(option.name)))
            .collect()
    } else {
        SHOPT_OPTIONS
            .iter()
            .map(|option| (option.0, shell.options.shopt(option.0)))
            .collect()
    };
    let wanted = |on: bool| (!wish.set || on) && (!wish.unset || !on);
    all.into_iter()
        .filter(|(_, on)| wanted(*on))
        .map(|(name, on)| line(wish, name, on))
        .collect()
}

fn line(wish: &Wish, name: &str, on: bool) -> String {
    match (wish.print, wish.of_set) {
        (true, true) => option_line(name, on, false, true),
        (true, false) => format!("shopt -{} {name}\n", if on { 's' } else { 'u' }),
        (false, _) => option_line(name, on, true, true),
    }
}

/// Whether the option is on; `None` if there is none of this name.
fn state(shell: &Shell, wish: &Wish, name: &[u8]) -> Option<bool> {
    let name = std::str::from_utf8(name).ok()?;
    if wish.of_set {
        let option = SET_OPTIONS.iter().find(|option| option.name == name)?;
        Some(shell.options.is_set(option.name))
    } else {
        let option = SHOPT_OPTIONS.iter().find(|option| option.0 == name)?;
        Some(shell.options.shopt(option.0))
    }
}

async fn change(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>], wish: &Wish, name: &[u8]) {
    if wish.of_set {
        shell.switch(proc, args, name, wish.set).await;
        return;
    }
    // These two say what the shell is; bash takes the wish and does nothing.
    if !matches!(name, b"login_shell" | b"restricted_shell")
        && let Ok(name) = std::str::from_utf8(name)
    {
        shell.options.set_shopt(name, wish.set);
    }
}
