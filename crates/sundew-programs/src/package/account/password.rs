//! Passwords: asked for, changed, locked. passwd(1), chpasswd(8).

use super::*;

/// One line from whoever types, without echo if it is secret; `None` at the end.
pub(super) async fn ask(
    proc: &mut Process,
    input: &mut LineReader,
    secret: bool,
) -> Option<Vec<u8>> {
    let settings = proc.termios(STDIN).ok().filter(|_| secret);
    if let Some(mut quiet) = settings.clone() {
        quiet.local &= !ECHO;
        let _terminal = proc.set_termios(STDIN, quiet, false);
    }
    let line = input.next(proc, b'\n').await.ok().flatten();
    if let Some(settings) = settings {
        let _terminal = proc.set_termios(STDIN, settings, false);
        proc.print_error(b"\n").await;
    }
    let text = line?
        .strip_suffix(b"\n")
        .map_or_else(Vec::new, <[u8]>::to_vec);
    let program = proc.base_name().to_vec();
    proc.observe(Observation::ProgramInput {
        pid: proc.pid(),
        program,
        text: text.clone(),
    });
    Some(text)
}

/// Asks twice for a password and sets it; passwd's status.
pub(super) async fn new_password(proc: &mut Process, input: &mut LineReader, user: &[u8]) -> u8 {
    proc.print_error(b"New password: ").await;
    let complaint = match ask(proc, input, true).await {
        None => "Password change has been aborted.\n",
        Some(first) if first.is_empty() => "No password has been supplied.\n",
        Some(first) => {
            proc.print_error(b"Retype new password: ").await;
            match ask(proc, input, true).await {
                Some(second) if second == first => {
                    set_password(proc, user).await;
                    proc.print_error(b"passwd: password updated successfully\n")
                        .await;
                    return 0;
                }
                Some(_) => "Sorry, passwords do not match.\n",
                None => "Password change has been aborted.\n",
            }
        }
    };
    let text = format!(
        "{complaint}passwd: Authentication token manipulation error\npasswd: password unchanged\n"
    );
    proc.print_error(text.as_bytes()).await;
    10
}

/// Gives the user another hash; nobody can tell that it is of nothing.
pub(super) async fn set_password(proc: &mut Process, user: &[u8]) {
    const LETTERS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let part = |count: usize| -> Vec<u8> {
        (0..count)
            .map(|_| {
                LETTERS
                    .get(usize::try_from(proc.random() % 64).unwrap_or(0))
                    .copied()
                    .unwrap_or(b'.')
            })
            .collect()
    };
    let hash = [b"$y$j9T$".as_slice(), &part(22), b"$", &part(43)].concat();
    let today = (proc.now().secs / SECONDS_PER_DAY).to_string().into_bytes();
    edit(proc, SHADOW, |fields| {
        if fields.first().is_some_and(|name| name == user) {
            for (at, value) in [(1, &hash), (2, &today)] {
                if let Some(field) = fields.get_mut(at) {
                    field.clone_from(value);
                }
            }
        }
        true
    })
    .await;
}

/// `passwd`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(in crate::package) async fn passwd(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let users = Directory::load(proc).await;
    let own = users.user_text(proc.credentials().uid);
    let name = words
        .iter()
        .find(|word| !word.starts_with(b"-"))
        .cloned()
        .unwrap_or(own);
    if words.iter().any(|word| word == b"-h" || word == b"--help") {
        return print(proc, help("passwd")).await;
    }
    let Some(user) = users.user(&name) else {
        return fail(
            proc,
            [b"passwd: user '".as_slice(), &name, b"' does not exist\n"].concat(),
            1,
        )
        .await;
    };
    let uid = proc.credentials().uid;
    if uid != 0 && user.uid != uid {
        let text = [
            b"passwd: You may not view or modify password information for ".as_slice(),
            &name,
            b".\n",
        ]
        .concat();
        return fail(proc, text, 1).await;
    }
    let has = |short: &[u8], long: &[u8]| words.iter().any(|word| word == short || word == long);
    for (option, change) in [
        (has(b"-d", b"--delete"), 'd'),
        (has(b"-l", b"--lock"), 'l'),
        (has(b"-u", b"--unlock"), 'u'),
    ] {
        if option {
            edit(proc, SHADOW, |fields| {
                if fields.first() == Some(&name)
                    && let Some(field) = fields.get_mut(1)
                {
                    match change {
                        'd' => field.clear(),
                        'l' if !field.starts_with(b"!") => field.insert(0, b'!'),
                        'u' if field.starts_with(b"!") => drop(field.remove(0)),
                        _ => {}
                    }
                }
                true
            })
            .await;
            return print(proc, "passwd: password changed.\n").await;
        }
    }
    if has(b"-S", b"--status") {
        let text = read(proc, SHADOW).await.unwrap_or_default();
        let row = lines(&text)
            .into_iter()
            .find(|line| line.starts_with(&[name.as_slice(), b":"].concat()));
        let hash = row
            .and_then(|row| row.split(|&byte| byte == b':').nth(1).map(<[u8]>::to_vec))
            .unwrap_or_default();
        let state = if hash.is_empty() {
            "NP"
        } else if hash.starts_with(b"!") || hash.starts_with(b"*") {
            "L"
        } else {
            "P"
        };
        return print(
            proc,
            format!(
                "{} {state} 2024-11-20 0 99999 7 -1\n",
                String::from_utf8_lossy(&name)
            ),
        )
        .await;
    }
    let mut input = LineReader::new(proc, STDIN);
    if uid != 0 {
        print(
            proc,
            format!(
                "Changing password for {}.\n",
                String::from_utf8_lossy(&name)
            ),
        )
        .await;
        proc.print_error(b"Current password: ").await;
        let _whatever = ask(proc, &mut input, true).await;
    }
    let status = new_password(proc, &mut input, &name).await;
    ExitStatus::Exited(status)
}

/// `chpasswd`.
pub(in crate::package) async fn chpasswd(proc: &mut Process) -> ExitStatus {
    if proc
        .args()
        .iter()
        .any(|word| word == b"-h" || word == b"--help")
    {
        return print(proc, help("chpasswd")).await;
    }
    if let Some(status) = not_root(proc, "chpasswd").await {
        return status;
    }
    let users = Directory::load(proc).await;
    let mut input = LineReader::new(proc, STDIN);
    let (mut number, mut status) = (0, ExitStatus::SUCCESS);
    while let Ok(Some(line)) = input.next(proc, b'\n').await {
        number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(&line).to_vec();
        proc.observe(Observation::ProgramInput {
            pid: proc.pid(),
            program: b"chpasswd".to_vec(),
            text: line.clone(),
        });
        let Some(at) = line.iter().position(|&byte| byte == b':') else {
            status = fail(
                proc,
                format!("chpasswd: line {number}: missing new password\n"),
                1,
            )
            .await;
            continue;
        };
        let name = line.get(..at).unwrap_or_default();
        if users.user(name).is_none() {
            let shown = String::from_utf8_lossy(name).into_owned();
            status = fail(proc, format!("chpasswd: (user {shown}) pam_chauthtok() failed, error:\nAuthentication token manipulation error\nchpasswd: (line {number}, user {shown}) password not changed\n"), 1).await;
            continue;
        }
        set_password(proc, name).await;
    }
    status
}
