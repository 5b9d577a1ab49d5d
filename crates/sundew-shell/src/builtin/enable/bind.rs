//! `bind`: shows and changes what keys do.

use std::sync::Arc;

use sundew_kernel::Process;

use super::super::Answer;
use super::super::getopt::{Found, Options};
use crate::readline::keymap::function::{self, FUNCTIONS, Function};
use crate::readline::keymap::{Action, Keymap, Settings, Which, inputrc, keymap_by_name};
use crate::shell::Shell;

const USAGE: &str = "bind: usage: bind [-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] [keyseq:readline-function or readline-command]";

/// Keys of a function that `bind -P` and `bind -q` name.
const NAMED_KEYS: usize = 5;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if !shell.for_person {
        shell
            .builtin_error(proc, args, "warning: line editing not enabled", 0)
            .await;
    }
    let vi = shell.options.is_set("vi");
    let mut which = if vi { Which::ViInsert } else { Which::Emacs };
    let mut named = None;
    let mut wishes = Vec::new();
    let mut options = Options::new(args, b"lvpVPsSXf:q:u:m:r:x:");
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'm', name) => match keymap_by_name(name) {
                Some(known) => {
                    which = known;
                    named = Some(known);
                }
                None => {
                    let text = [b"`".as_slice(), name, b"': invalid keymap name"].concat();
                    return Ok(shell.builtin_error(proc, args, text, 1).await);
                }
            },
            Found::Option(letter, value) => wishes.push((letter, value)),
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    if shell.interactive {
        shell.read_init_files(proc).await;
    }
    if let Some(size) = shell.variables.scalar(b"HISTSIZE").map(<[u8]>::to_vec) {
        let settings: &mut Settings = Arc::make_mut(&mut shell.keys);
        settings.set(b"history-size", &size);
    }
    let mut status = 0;
    for (letter, value) in wishes {
        let answer = match listing(&shell.keys, which, letter) {
            Some(text) => u8::from(proc.print(&text).await.is_err()),
            None => change(shell, proc, args, which, (letter, value)).await,
        };
        status = status.max(answer);
    }
    for text in options.operands() {
        match inputrc::parse(text) {
            Ok(line) => {
                if let Some(name) = shell.bind_line(line, named) {
                    let text = [
                        b"readline: ".as_slice(),
                        &name,
                        b": unknown variable name\n",
                    ];
                    proc.print_error(&text.concat()).await;
                }
            }
            Err(error) => {
                let text = [b"readline: ".as_slice(), &error.0, b"\n"].concat();
                proc.print_error(&text).await;
            }
        }
    }
    Arc::make_mut(&mut shell.keys).weigh();
    Ok(status)
}

/// What a letter lists, for the keys that dump the same.
pub(crate) fn bindings(settings: &Settings, which: Which, letter: u8) -> Vec<u8> {
    listing(settings, which, letter).unwrap_or_default()
}

/// What a letter lists, if it does.
fn listing(settings: &Settings, which: Which, letter: u8) -> Option<Vec<u8>> {
    let map = settings.keymap(which);
    let mut out = Vec::new();
    match letter {
        b'l' => {
            for function in FUNCTIONS {
                out.extend_from_slice(function.name.as_bytes());
                out.push(b'\n');
            }
        }
        b'p' | b'P' => {
            out.push(b'\n');
            for function in FUNCTIONS {
                list_function(&mut out, map, function, letter == b'p');
            }
        }
        b's' | b'S' => {
            for (keys, action) in map.iter() {
                let Action::Macro(text) = action else {
                    continue;
                };
                let (keys, text) = (inputrc::escape_keys(keys), inputrc::escape_macro(text));
                let parts: [&[u8]; 5] = if letter == b's' {
                    [b"\"", &keys, b"\": \"", &text, b"\"\n"]
                } else {
                    [b"", &keys, b" outputs ", &text, b"\n"]
                };
                out.extend_from_slice(&parts.concat());
            }
        }
        b'X' => {
            for (keys, action) in map.iter() {
                if let Action::Shell(text) = action {
                    let keys = inputrc::escape_keys(keys);
                    let text = inputrc::escape_macro(text);
                    out.extend_from_slice(&[b"\"", &keys[..], b"\": \"", &text, b"\"\n"].concat());
                }
            }
        }
        b'v' | b'V' => {
            for (name, value) in settings.variables() {
                let parts: [&[u8]; 5] = if letter == b'v' {
                    [b"set ", name.as_bytes(), b" ", value, b"\n"]
                } else {
                    [b"", name.as_bytes(), b" is set to `", value, b"'\n"]
                };
                out.extend_from_slice(&parts.concat());
            }
        }
        _ => return None,
    }
    Some(out)
}

fn keys_of(map: &Keymap, function: &Function) -> Vec<Vec<u8>> {
    map.iter()
        .filter(
            |(_, action)| matches!(action, Action::Run(bound) if bound.command == function.command),
        )
        .map(|(keys, _)| inputrc::escape_keys(keys))
        .collect()
}

fn list_function(out: &mut Vec<u8>, map: &Keymap, function: &Function, short: bool) {
    let keys = keys_of(map, function);
    let name = function.name.as_bytes();
    if !short {
        let how: &[u8] = if keys.is_empty() {
            b" is not bound to any keys\n"
        } else {
            b" can be found on "
        };
        out.extend_from_slice(name);
        out.extend_from_slice(how);
        return name_keys(out, &keys);
    }
    if keys.is_empty() {
        out.extend_from_slice(&[b"# ", name, b" (not bound)\n"].concat());
    }
    for key in keys {
        out.extend_from_slice(&[b"\"", &key[..], b"\": ", name, b"\n"].concat());
    }
}

/// `"\C-a", "\eOH".`
fn name_keys(out: &mut Vec<u8>, keys: &[Vec<u8>]) {
    for (index, key) in keys.iter().take(NAMED_KEYS).enumerate() {
        let last = index + 1 == keys.len();
        out.extend_from_slice(&[b"\"", &key[..], b"\""].concat());
        out.extend_from_slice(if last { b".\n" } else { b", " });
    }
    if keys.len() > NAMED_KEYS {
        out.extend_from_slice(b"...\n");
    }
}

async fn change(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    which: Which,
    (letter, value): (u8, &[u8]),
) -> u8 {
    match letter {
        b'q' | b'u' => {
            let Some(function) = function::by_name(value) else {
                let text = [b"`".as_slice(), value, b"': unknown function name"].concat();
                return shell.builtin_error(proc, args, text, 1).await;
            };
            if letter == b'u' {
                let settings: &mut Settings = Arc::make_mut(&mut shell.keys);
                settings.keymap_mut(which).unbind(function);
                return 0;
            }
            let keys = keys_of(shell.keys.keymap(which), function);
            let mut out = function.name.as_bytes().to_vec();
            if keys.is_empty() {
                out.extend_from_slice(b" is not bound to any keys.\n");
            } else {
                out.extend_from_slice(b" can be invoked via ");
                name_keys(&mut out, &keys);
            }
            let _checked_at_flush = proc.print(&out).await;
            u8::from(keys.is_empty())
        }
        b'r' => {
            let keys = inputrc::unescape(value);
            let settings: &mut Settings = Arc::make_mut(&mut shell.keys);
            settings.keymap_mut(which).bind(&keys, None);
            0
        }
        b'x' => bind_command(shell, proc, args, which, value).await,
        _ => {
            if shell.read_init_file(proc, value, 0).await {
                return 0;
            }
            let reason = sundew_kernel::Errno::Enoent.message().as_bytes();
            let text = [value, b": cannot read: ", reason].concat();
            shell.builtin_error(proc, args, text, 1).await
        }
    }
}

/// `bind -x '"keys": command'`
async fn bind_command(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    which: Which,
    value: &[u8],
) -> u8 {
    let text = value.trim_ascii_start();
    let Some(body) = text.strip_prefix(b"\"") else {
        let text = [value, b": first non-whitespace character is not `\"'"].concat();
        return shell.builtin_error(proc, args, text, 1).await;
    };
    let mut at = 0;
    while body.get(at).is_some_and(|byte| *byte != b'"') {
        at += if body.get(at) == Some(&b'\\') { 2 } else { 1 };
    }
    let keys = inputrc::unescape(body.get(..at).unwrap_or(body));
    let rest = body.get(at + 1..).unwrap_or_default();
    let Some(colon) = rest.iter().position(|&byte| byte == b':') else {
        let text = [value, b": missing colon separator"].concat();
        return shell.builtin_error(proc, args, text, 1).await;
    };
    let command = rest.get(colon + 1..).unwrap_or_default().trim_ascii_start();
    let command = command
        .strip_prefix(b"\"")
        .and_then(|command| command.strip_suffix(b"\""))
        .unwrap_or(command);
    let settings: &mut Settings = Arc::make_mut(&mut shell.keys);
    let action = Action::Shell(command.to_vec());
    settings.keymap_mut(which).bind(&keys, Some(action));
    0
}
