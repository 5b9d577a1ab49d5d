//! `visudo` of sudo 1.9.13: an editor on sudoers(5), and a look at its grammar.

use sundew_kernel::process::Spawn;
use sundew_kernel::{ExitStatus, Process};

use crate::text::{command, shell};

const USAGE: &str = "usage: visudo [-chqsV] [[-f] sudoers ]\n";
const COPY: &str = ".tmp";

/// What is wrong with a line: where in it, and what.
struct Wrong {
    line: usize,
    column: usize,
    text: String,
}

pub(super) async fn visudo(proc: &mut Process) -> ExitStatus {
    let (mut check, mut quiet, mut no_includes) = (false, false, false);
    let mut file = None;
    let mut words = proc.args().to_vec().into_iter().skip(1);
    while let Some(word) = words.next() {
        let long: &[u8] = match word.as_slice() {
            b"--check" => b"-c",
            b"--quiet" => b"-q",
            b"--help" => b"-h",
            b"--version" => b"-V",
            b"--no-includes" => b"-I",
            b"--strict" => b"-s",
            b"--file" => b"-f",
            other => other,
        };
        let Some(letters) = long.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            if file.replace(word).is_some() {
                return super::fail(proc, USAGE, 1).await;
            }
            continue;
        };
        if letters.starts_with(b"-") {
            let text = format!(
                "visudo: unrecognized option '{}'\n{USAGE}",
                super::text(&word)
            );
            return super::fail(proc, text, 1).await;
        }
        let mut letters = letters.iter().copied();
        while let Some(letter) = letters.next() {
            match letter {
                b'c' => check = true,
                b'q' => quiet = true,
                b'I' => no_includes = true,
                b's' | b'O' | b'P' => {}
                b'h' => return super::put(proc, super::rare::text("visudo", "--help")).await,
                b'V' => return super::put(proc, super::rare::text("visudo", "-V")).await,
                b'f' => {
                    let rest: Vec<u8> = letters.by_ref().collect();
                    file = Some(rest)
                        .filter(|rest| !rest.is_empty())
                        .or_else(|| words.next());
                    if file.is_none() {
                        let text = format!("visudo: option requires an argument -- 'f'\n{USAGE}");
                        return super::fail(proc, text, 1).await;
                    }
                }
                _ => {
                    let letter = char::from(letter);
                    let text = format!("visudo: invalid option -- '{letter}'\n{USAGE}");
                    return super::fail(proc, text, 1).await;
                }
            }
        }
    }
    let own = file.is_none();
    let path = super::text(&file.unwrap_or_else(|| b"/etc/sudoers".to_vec()));
    if check {
        return checked(proc, &path, quiet, own, !no_includes).await;
    }
    edit(proc, &path).await
}

/// `visudo -c`.
async fn checked(
    proc: &mut Process,
    path: &str,
    quiet: bool,
    own: bool,
    includes: bool,
) -> ExitStatus {
    let mut good = true;
    let mut paths = vec![path.to_owned()];
    if own && includes {
        let mut more: Vec<String> = proc
            .read_directory(b"/etc/sudoers.d")
            .unwrap_or_default()
            .iter()
            .map(|entry| super::text(&entry.name))
            .filter(|name| !name.contains('.') && !name.ends_with('~'))
            .map(|name| format!("/etc/sudoers.d/{name}"))
            .collect();
        more.sort();
        paths.extend(more);
    }
    let mut fine = String::new();
    for path in paths {
        let bytes = match super::read(proc, path.as_bytes()).await {
            Ok(bytes) => bytes,
            Err(errno) => {
                let text = format!("visudo: unable to open {path}: {}\n", errno.message());
                return super::fail(proc, text, 1).await;
            }
        };
        let text = super::text(&bytes);
        let wrong = look(proc, &text).await;
        for one in &wrong {
            let shown = text
                .lines()
                .nth(one.line.saturating_sub(1))
                .unwrap_or_default();
            let said = format!(
                "{path}:{}:{}: {}\n{shown}\n{:>width$}\n",
                one.line,
                one.column,
                one.text,
                "^",
                width = one.column
            );
            if !quiet {
                proc.print_error(said.as_bytes()).await;
            }
            good = false;
        }
        if !wrong.is_empty() {
            // The real one stops at the file that does not parse.
            break;
        }
        if own && let Ok(meta) = proc.stat(path.as_bytes()) {
            if meta.mode & 0o7777 != 0o440 {
                let said = format!("{path}: bad permissions, should be mode 0440\n");
                proc.print_error(said.as_bytes()).await;
                good = false;
                continue;
            }
            if (meta.uid, meta.gid) != (0, 0) {
                let said = format!("{path}: wrong owner (uid, gid) should be (0, 0)\n");
                proc.print_error(said.as_bytes()).await;
                good = false;
                continue;
            }
        }
        fine += &format!("{path}: parsed OK\n");
    }
    if !quiet && (good || own) {
        super::put(proc, fine).await;
    }
    if good {
        proc.status()
    } else {
        ExitStatus::FAILURE
    }
}

/// The lines that are no sudoers lines.
async fn look(proc: &Process, text: &str) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, first)) = lines.next() {
        proc.tick().await;
        let mut line = first.to_owned();
        while line.ends_with('\\') {
            line.pop();
            match lines.next() {
                Some((_, next)) => line += next,
                None => break,
            }
        }
        if let Some(column) = fault(&line) {
            wrong.push(Wrong {
                line: number,
                column: column.min(first.len() + 1),
                text: "syntax error".to_owned(),
            });
        }
    }
    wrong
}

/// Where a line stops making sense, from 1.
fn fault(line: &str) -> Option<usize> {
    let body = line.trim_start();
    let start = line.len() - body.len();
    let ends = |word: &str| {
        ["#", "@"]
            .iter()
            .any(|sign| body.starts_with(&format!("{sign}{word}")))
    };
    let user_number = body
        .strip_prefix('#')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if body.is_empty()
        || (body.starts_with('#') && !user_number)
        || ends("include")
        || ends("includedir")
    {
        return None;
    }
    let word = body
        .split(|c: char| c.is_whitespace() || "=:,@!>".contains(c))
        .next()
        .unwrap_or_default();
    if word == "Defaults" {
        return None;
    }
    let has_sign = line.find('=');
    if [
        "User_Alias",
        "Runas_Alias",
        "Host_Alias",
        "Cmnd_Alias",
        "Cmd_Alias",
    ]
    .contains(&word)
    {
        return has_sign.is_none().then_some(line.len() + 1);
    }
    // USER HOST = COMMANDS; the first two are lists without blanks, or with one behind a comma.
    match has_sign {
        Some(at) => {
            let head = line.get(..at).unwrap_or_default().replace(", ", ",");
            let parts = head.split_whitespace().count();
            match parts {
                2 if line
                    .get(at + 1..)
                    .is_some_and(|rest| !rest.trim().is_empty()) =>
                {
                    None
                }
                2 => Some(line.len() + 1),
                0 | 1 => Some(at + 1),
                _ => Some(third_word(line)),
            }
        }
        None => {
            let colon = body.find(':').map(|at| start + at + 1);
            let third = third_word(line);
            Some(colon.map_or(third, |colon| colon.min(third)))
        }
    }
}

/// Where the third word begins, or the end.
fn third_word(line: &str) -> usize {
    let mut starts = line.char_indices().filter(|(at, c)| {
        !c.is_whitespace()
            && line
                .get(..*at)
                .is_none_or(|before| before.ends_with([' ', '\t']) || before.is_empty())
    });
    starts.nth(2).map_or(line.len() + 1, |(at, _)| at + 1)
}

async fn edit(proc: &mut Process, path: &str) -> ExitStatus {
    if proc.credentials().uid != 0 {
        let why = sundew_kernel::Errno::Eacces.message();
        return super::fail(proc, format!("visudo: {path}: {why}\n"), 1).await;
    }
    let copy = format!("{path}{COPY}");
    let before = super::read(proc, path.as_bytes()).await.unwrap_or_default();
    if let Err(errno) = super::write(proc, copy.as_bytes(), &before, 0o700).await {
        return super::fail(proc, format!("visudo: {copy}: {}\n", errno.message()), 1).await;
    }
    let editor = ["SUDO_EDITOR", "VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| proc.env().value(name.as_bytes()))
        .filter(|name| !name.is_empty())
        .map_or_else(|| b"/usr/bin/editor".to_vec(), <[u8]>::to_vec);
    let _flushed = proc.flush().await;
    if let Ok(path) = command::search(proc, &editor) {
        let spawn = Spawn {
            path,
            args: vec![editor, copy.clone().into_bytes()],
            env: proc.env().clone(),
        };
        if let Ok(pid) = proc.spawn(spawn) {
            shell::wait(proc, pid).await;
        }
    } else {
        let text = format!(
            "visudo: no editor found (editor path = {})\n",
            super::text(&editor)
        );
        let _gone = proc.unlink(copy.as_bytes());
        return super::fail(proc, text, 1).await;
    }
    let after = super::read(proc, copy.as_bytes()).await.unwrap_or_default();
    if after == before {
        let _gone = proc.unlink(copy.as_bytes());
        proc.print_error(format!("visudo: {copy} unchanged\n").as_bytes())
            .await;
        return ExitStatus::SUCCESS;
    }
    let text = super::text(&after);
    let wrong = look(proc, &text).await;
    for one in &wrong {
        let said = format!("{copy}:{}:{}: {}\n", one.line, one.column, one.text);
        proc.print_error(said.as_bytes()).await;
    }
    if !wrong.is_empty() {
        // What now? Nobody who answers: the file stays as it was.
        super::put(proc, "What now? ").await;
        let _gone = proc.unlink(copy.as_bytes());
        return ExitStatus::FAILURE;
    }
    let _mode = proc.change_mode(copy.as_bytes(), 0o440);
    match proc.rename(copy.as_bytes(), path.as_bytes()) {
        Ok(()) => proc.status(),
        Err(errno) => {
            super::fail(
                proc,
                format!("visudo: unable to rename: {}\n", errno.message()),
                1,
            )
            .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_sudoers_are_told_from_others() {
        for good in [
            "root\tALL=(ALL:ALL) ALL",
            "%sudo ALL = (ALL) NOPASSWD: ALL",
            "Defaults env_reset",
            "# x",
            "#include /x",
            "@includedir /etc/sudoers.d",
            "",
            "User_Alias A = b, c",
            "a, b ALL=ALL",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        assert_eq!(fault("x y z"), Some(5));
        assert_eq!(fault("root:x:0:0:root:/root:/bin/bash"), Some(5));
        assert_eq!(
            fault("list:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin"),
            Some(5)
        );
    }
}
