//! Becoming somebody else: `su` of util-linux, `sudo` 1.9.13.

use sundew_kernel::observe::Observation;
use sundew_kernel::process::LineReader;
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::termios::ECHO;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN, Signal};
use sundew_vfs::Credentials;

use super::{fail, help, print, said, secret};
use crate::users::{Directory, User};

mod sudoers;

const PATH_OF_ROOT: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PATH_OF_OTHERS: &[u8] = b"/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";

/// `su`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn su(proc: &mut Process) -> ExitStatus {
    // runuser is the same but for the password.
    let own = String::from_utf8_lossy(proc.base_name()).into_owned();
    let (mut login, mut keep, mut command, mut shell, mut operands) =
        (false, false, None, None, Vec::new());
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-" | b"-l" | b"--login" => login = true,
            b"-h" | b"--help" => return print(proc, help(&own)).await,
            b"-V" | b"--version" => {
                return print(proc, format!("{own} from util-linux 2.38.1\n")).await;
            }
            b"-m" | b"-p" | b"--preserve-environment" => keep = true,
            b"-c" | b"-s" | b"--command" | b"--shell" | b"-lc" if words.len() == 0 => {
                let option = match word.strip_prefix(b"--") {
                    Some(name) => format!("option '--{}'", String::from_utf8_lossy(name)),
                    None => "option".to_owned(),
                };
                let letter = char::from(word.last().copied().unwrap_or(b'-'));
                let text = if word.starts_with(b"--") {
                    format!(
                        "{own}: {option} requires an argument\nTry '{own} --help' for more information.\n"
                    )
                } else {
                    format!(
                        "{own}: {option} requires an argument -- '{letter}'\nTry '{own} --help' for more information.\n"
                    )
                };
                return fail(proc, text, 1).await;
            }
            b"-c" | b"--command" => command = words.next(),
            b"-s" | b"--shell" => shell = words.next(),
            b"-lc" => (login, command) = (true, words.next()),
            b"-g" | b"-G" | b"-w" | b"--group" | b"--supp-group" => drop(words.next()),
            b"-f" | b"-P" | b"--" | b"--fast" | b"--pty" => {}
            long if long.starts_with(b"--") && long.len() > 2 => {
                let text = format!(
                    "{own}: unrecognized option '{}'\nTry '{own} --help' for more information.\n",
                    String::from_utf8_lossy(long)
                );
                return fail(proc, text, 1).await;
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                let letter = char::from(option.get(1).copied().unwrap_or(b'-'));
                return fail(
                    proc,
                    format!(
                        "{own}: invalid option -- '{letter}'\nTry '{own} --help' for more information.\n"
                    ),
                    1,
                )
                .await;
            }
            _ => operands.push(word),
        }
    }
    let name = operands
        .first()
        .cloned()
        .unwrap_or_else(|| b"root".to_vec());
    let users = Directory::load(proc).await;
    let Some(user) = users.user(&name).cloned() else {
        let text = [
            own.as_bytes(),
            b": user ",
            &name,
            b" does not exist or the user entry does not contain all the required fields\n",
        ]
        .concat();
        return fail(proc, text, 1).await;
    };
    if caller(proc) != 0 {
        let password = ask_password(proc, b"Password: ", true).await;
        let right = match password {
            Ok(Some(password)) => secret::is_right(proc, &user.name, &password).await,
            Ok(None) => false,
            Err(_interrupted) => return ExitStatus::Exited(130),
        };
        if !right {
            said::su_failed(proc, &users, &user);
            return fail(proc, "su: Authentication failure\n", 1).await;
        }
    }
    let shell = shell.unwrap_or_else(|| {
        if user.shell.is_empty() {
            b"/bin/sh".to_vec()
        } else {
            user.shell.clone()
        }
    });
    said::su(proc, &users, &user, login);
    become_user(proc, &users, &user);
    if !keep {
        environment(proc, &user, &shell, login);
    }
    if login {
        // A home that is not there leaves the directory as it was.
        if let Err(errno) = proc.change_directory(&user.home) {
            let text = [
                own.as_bytes(),
                b": warning: cannot change directory to ",
                &user.home,
                b": ",
                errno.message().as_bytes(),
                b"\n",
            ];
            proc.print_error(&text.concat()).await;
        }
    }
    let base = shell
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or(&shell)
        .to_vec();
    let mut args = vec![if login {
        [b"-".as_slice(), &base].concat()
    } else {
        base
    }];
    if let Some(command) = command {
        args.extend([b"-c".to_vec(), command]);
    }
    args.extend(operands.into_iter().skip(1));
    let env = proc.env().clone();
    let errno = proc.exec(&shell, args, env).await;
    let text = [
        own.as_bytes(),
        b": failed to execute ",
        &shell,
        b": ",
        errno.message().as_bytes(),
        b"\n",
    ]
    .concat();
    fail(proc, text, if errno == Errno::Enoent { 127 } else { 126 }).await
}

/// `runuser`: what root does as somebody else, with `-u` without a shell.
pub(super) async fn runuser(proc: &mut Process) -> ExitStatus {
    if caller(proc) != 0 {
        return fail(proc, "runuser: may not be used by non-root users\n", 1).await;
    }
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let (name, rest) = match words.split_first() {
        Some((word, rest)) if matches!(word.as_slice(), b"-u" | b"--user") => match rest {
            [name, rest @ ..] => (name.clone(), rest.to_vec()),
            [] => return fail(proc, "runuser: option requires an argument -- 'u'\nTry 'runuser --help' for more information.\n", 1).await,
        },
        Some((word, rest)) if word.starts_with(b"--user=") => {
            (word.get(7..).unwrap_or_default().to_vec(), rest.to_vec())
        }
        _ => return su(proc).await,
    };
    let users = Directory::load(proc).await;
    let Some(user) = users.user(&name).cloned() else {
        let text = [
            b"runuser: user ".as_slice(),
            &name,
            b" does not exist or the user entry does not contain all the required fields\n",
        ]
        .concat();
        return fail(proc, text, 1).await;
    };
    let command = match rest.split_first() {
        Some((first, rest)) if first == b"--" => rest.to_vec(),
        _ => rest,
    };
    let Some(first) = command.first().cloned() else {
        let text = "runuser: no command was specified\n";
        return fail(proc, text, 1).await;
    };
    become_user(proc, &users, &user);
    let errno = execute(proc, command).await;
    let shown = String::from_utf8_lossy(&first).into_owned();
    let text = format!("runuser: failed to execute {shown}: {}\n", errno.message());
    fail(proc, text, if errno == Errno::Enoent { 127 } else { 126 }).await
}

/// execvp(3).
async fn execute(proc: &mut Process, command: Vec<Vec<u8>>) -> Errno {
    let first = command.first().cloned().unwrap_or_default();
    let path = proc
        .env()
        .value(b"PATH")
        .unwrap_or(b"/usr/bin:/bin")
        .to_vec();
    let places: Vec<Vec<u8>> = if first.contains(&b'/') {
        vec![first]
    } else {
        path.split(|byte| *byte == b':')
            .map(|directory| [directory, b"/", first.as_slice()].concat())
            .collect()
    };
    let mut last = Errno::Enoent;
    for place in places {
        let env = proc.env().clone();
        let errno = proc.exec(&place, command.clone(), env).await;
        if errno != Errno::Enoent {
            last = errno;
        }
    }
    last
}

/// Who asks: the real user, which a set-user-id bit leaves as it is.
fn caller(proc: &Process) -> u32 {
    proc.real_ids().0
}

fn become_user(proc: &Process, users: &Directory, user: &User) {
    proc.set_credentials(Credentials {
        uid: user.uid,
        gid: user.gid,
        groups: users.groups_of(user),
    });
}

fn environment(proc: &mut Process, user: &User, shell: &[u8], login: bool) {
    let path = if user.uid == 0 {
        PATH_OF_ROOT
    } else {
        PATH_OF_OTHERS
    };
    if login {
        let term = proc.env().value(b"TERM").map(<[u8]>::to_vec);
        proc.env_mut().clear();
        if let Some(term) = term {
            proc.env_mut().set(*b"TERM", term);
        }
        proc.env_mut().set(*b"PATH", path);
        proc.env_mut().set(*b"LANG", *b"C.UTF-8");
    }
    proc.env_mut().set(*b"HOME", user.home.clone());
    proc.env_mut().set(*b"SHELL", shell);
    if login || user.uid != 0 {
        proc.env_mut().set(*b"USER", user.name.clone());
        proc.env_mut().set(*b"LOGNAME", user.name.clone());
    }
}

/// Asks for a password, without echo; `None` at the end of input.
///
/// # Errors
///
/// [`Errno::Eintr`] for `^C`.
async fn ask_password(
    proc: &mut Process,
    prompt: &[u8],
    newline: bool,
) -> Result<Option<Vec<u8>>, Errno> {
    proc.print_error(prompt).await;
    let settings = proc.termios(STDIN).ok();
    if let Some(mut quiet) = settings.clone() {
        quiet.local &= !ECHO;
        let _terminal = proc.set_termios(STDIN, quiet, false);
    }
    // An interrupt ends the question; the terminal has to show again what is typed.
    let before = proc.set_disposition(Signal::INT, Disposition::Catch);
    let mut input = LineReader::new(proc, STDIN);
    let line = input.next(proc, b'\n').await;
    proc.set_disposition(Signal::INT, before);
    let interrupted = line.as_ref().err().copied();
    let line = line.ok().flatten();
    if let Some(settings) = settings {
        let _terminal = proc.set_termios(STDIN, settings, false);
    }
    if newline {
        proc.print_error(b"\n").await;
    }
    if let Some(Errno::Eintr) = interrupted {
        return Err(Errno::Eintr);
    }
    let Some(mut text) = line else {
        return Ok(None);
    };
    while text
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        text.pop();
    }
    let program = proc.base_name().to_vec();
    proc.observe(Observation::ProgramInput {
        pid: proc.pid(),
        program,
        text: text.clone(),
    });
    Ok(Some(text))
}

/// `sudo`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn sudo(proc: &mut Process) -> ExitStatus {
    let (mut login, mut shell, mut list, mut silent, mut target) =
        (false, false, false, false, b"root".to_vec());
    let (mut from_input, mut group) = (false, None::<Vec<u8>>);
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    while words
        .first()
        .is_some_and(|word| word.starts_with(b"-") && word.len() > 1)
    {
        let word = words.remove(0);
        match word.as_slice() {
            b"--" => break,
            b"-i" | b"--login" => login = true,
            b"-s" | b"--shell" => shell = true,
            b"-l" | b"--list" | b"-ll" => list = true,
            b"-n" | b"--non-interactive" => silent = true,
            b"-S" | b"--stdin" => from_input = true,
            b"-Sn" | b"-nS" => (from_input, silent) = (true, true),
            b"-E" | b"-H" | b"-A" | b"-b" | b"-B" | b"-P" => {}
            b"-k" | b"-K" | b"-v" => return proc.status(),
            b"-V" | b"--version" => return print(proc, "Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\nSudoers file grammar version 50\nSudoers I/O plugin version 1.9.13p3\nSudoers audit plugin version 1.9.13p3\n").await,
            b"-h" | b"--help" => return print(proc, help("sudo")).await,
            b"-u" | b"--user" | b"-g" | b"--group" | b"-p" | b"-C" | b"-D" | b"-R" | b"-T" if !words.is_empty() => {
                let value = words.remove(0);
                match word.as_slice() {
                    b"-u" | b"--user" => target = value,
                    b"-g" | b"--group" => group = Some(value),
                    _ => {}
                }
            }
            b"-u" | b"-g" | b"-p" | b"-C" | b"-D" | b"-R" | b"-T" => {
                let letter = char::from(word.get(1).copied().unwrap_or(b'-'));
                let text = format!("option requires an argument -- '{letter}'");
                return usage(proc, Some(text)).await;
            }
            option if option.starts_with(b"--") => {
                let name = String::from_utf8_lossy(option).into_owned();
                return usage(proc, Some(format!("unrecognized option '{name}'"))).await;
            }
            option if option.starts_with(b"-u") => target = option.get(2..).unwrap_or_default().to_vec(),
            option => {
                let letter = char::from(option.get(1).copied().unwrap_or(b'-'));
                return usage(proc, Some(format!("invalid option -- '{letter}'"))).await;
            }
        }
    }
    let users = Directory::load(proc).await;
    let mut rule = sudoers::Rule::Password;
    if caller(proc) != 0 {
        let uid = caller(proc);
        let name = users.user_text(uid);
        rule = match users.user(&name) {
            Some(user) => sudoers::rule_for(proc, &users, user).await,
            None => sudoers::Rule::None,
        };
        let same = users.user(&target).is_some_and(|user| user.uid == uid);
        if rule != sudoers::Rule::Free
            && !same
            && let Some(status) = authenticate(proc, &name, silent, from_input).await
        {
            return status;
        }
        if rule == sudoers::Rule::None {
            let host = String::from_utf8_lossy(&proc.hostname()).into_owned();
            let name = String::from_utf8_lossy(&name).into_owned();
            let text = if list {
                format!("Sorry, user {name} may not run sudo on {host}.\n")
            } else {
                format!("{name} is not in the sudoers file.\n")
            };
            return fail(proc, text, 1).await;
        }
    }
    if list {
        let host = String::from_utf8_lossy(&proc.hostname()).into_owned();
        let path = String::from_utf8_lossy(PATH_OF_ROOT).replace(':', "\\:");
        let name = String::from_utf8_lossy(&users.user_text(caller(proc))).into_owned();
        let free = if rule == sudoers::Rule::Free {
            "NOPASSWD: "
        } else {
            ""
        };
        return print(proc, format!("Matching Defaults entries for {name} on {host}:\n    env_reset, mail_badpass,\n    secure_path={path},\n    use_pty\n\nUser {name} may run the following commands on {host}:\n    (ALL : ALL) {free}ALL\n")).await;
    }
    let Some(user) = users.user(&target).cloned().or_else(|| {
        users
            .user_by_id(
                std::str::from_utf8(target.strip_prefix(b"#")?)
                    .ok()?
                    .parse()
                    .ok()?,
            )
            .cloned()
    }) else {
        return fail(
            proc,
            [
                b"sudo: unknown user ".as_slice(),
                &target,
                b"\nsudo: error initializing audit plugin sudoers_audit\n",
            ]
            .concat(),
            1,
        )
        .await;
    };
    if let Some(name) = group.filter(|name| users.group(name).is_none() && !name.starts_with(b"#"))
    {
        let why = b"\nsudo: error initializing audit plugin sudoers_audit\n";
        return fail(
            proc,
            [b"sudo: unknown group ".as_slice(), &name, why].concat(),
            1,
        )
        .await;
    }
    // Settings of the environment stand before the command.
    while let Some((name, value)) = words.first().and_then(|word| {
        let at = word.iter().position(|&byte| byte == b'=')?;
        let (name, value) = word.split_at(at);
        name.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .then(|| (name.to_vec(), value.get(1..).unwrap_or_default().to_vec()))
    }) {
        proc.env_mut().set(name, value);
        words.remove(0);
    }
    if words.is_empty() && !login && !shell {
        return usage(proc, None).await;
    }
    run_as(proc, &users, &user, words, login, shell).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn run_as(
    proc: &mut Process,
    users: &Directory,
    user: &User,
    words: Vec<Vec<u8>>,
    login: bool,
    shell: bool,
) -> ExitStatus {
    let (uid, gid) = proc.real_ids();
    let (caller_uid, caller_gid) = (uid.to_string(), gid.to_string());
    let caller_name = users.user_text(uid);
    become_user(proc, users, user);
    let term = proc.env().value(b"TERM").map(<[u8]>::to_vec);
    let mut full = words.clone();
    if let Some(first) = full.first_mut().filter(|name| !name.contains(&b'/')) {
        let mut places = PATH_OF_ROOT.split(|&byte| byte == b':');
        let found = places.find_map(|directory| {
            let path = [directory, b"/", first.as_slice()].concat();
            proc.stat(&path)
                .is_ok_and(|meta| meta.is_regular())
                .then_some(path)
        });
        *first = found.unwrap_or_else(|| first.clone());
    }
    let command = words.join(&b' ');
    let shown = full.join(&b' ');
    let env = proc.env_mut();
    for name in [
        b"SSH_CLIENT".as_slice(),
        b"SSH_CONNECTION",
        b"SSH_TTY",
        b"OLDPWD",
    ] {
        env.unset(name);
    }
    for (name, value) in [
        (b"HOME".as_slice(), user.home.as_slice()),
        (b"LOGNAME", &user.name),
        (b"USER", &user.name),
        (b"SHELL", &user.shell),
        (b"PATH", PATH_OF_ROOT),
        (b"SUDO_COMMAND", &shown),
        (b"SUDO_USER", &caller_name),
        (b"SUDO_UID", caller_uid.as_bytes()),
        (b"SUDO_GID", caller_gid.as_bytes()),
    ] {
        env.set(name, value);
    }
    if let Some(term) = term {
        env.set(*b"TERM", term);
    }
    let args = if login || shell {
        if login {
            let _missing = proc.change_directory(&user.home);
        }
        let base = user
            .shell
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let mut args = vec![if login {
            [b"-".as_slice(), base].concat()
        } else {
            user.shell.clone()
        }];
        if !words.is_empty() {
            args.extend([b"-c".to_vec(), command]);
        }
        args
    } else {
        words
    };
    let name = if login || shell {
        user.shell.clone()
    } else {
        args.first().cloned().unwrap_or_default()
    };
    let paths: Vec<Vec<u8>> = if name.contains(&b'/') {
        vec![name.clone()]
    } else {
        PATH_OF_ROOT
            .split(|&byte| byte == b':')
            .map(|directory| [directory, b"/", &name].concat())
            .collect()
    };
    for path in paths {
        let env = proc.env().clone();
        if proc.stat(&path).is_ok_and(|meta| meta.is_regular()) {
            let line = [
                path.as_slice(),
                b" ",
                &args.get(1..).unwrap_or_default().join(&b' '),
            ];
            said::sudo(proc, &caller_name, user, line.concat().trim_ascii_end());
        }
        let errno = proc.exec(&path, args.clone(), env).await;
        if errno == Errno::Eacces || errno == Errno::Enoexec {
            return fail(
                proc,
                [
                    b"sudo: unable to execute ".as_slice(),
                    &path,
                    b": ",
                    errno.message().as_bytes(),
                    b"\n",
                ]
                .concat(),
                1,
            )
            .await;
        }
    }
    let mut text = [b"sudo: ".as_slice(), &name, b": command not found\n"].concat();
    if matches!(
        name.as_slice(),
        b"cd" | b"export" | b"source" | b"alias" | b"exit" | b"eval" | b"set" | b"unset"
    ) {
        let why = b"\" is a shell built-in command, it cannot be run directly.\nsudo: the -s option may be used to run a privileged shell.\nsudo: the -D option may be used to run a command in a specific directory.\n";
        text.extend([b"sudo: \"".as_slice(), &name, why].concat());
    }
    fail(proc, text, 1).await
}

/// Asks who called for their own password, three times at most; a status when it was not given.
async fn authenticate(
    proc: &mut Process,
    name: &[u8],
    silent: bool,
    from_input: bool,
) -> Option<ExitStatus> {
    const TRIES: u32 = 3;
    if silent {
        return Some(fail(proc, "sudo: a password is required\n", 1).await);
    }
    if !from_input && !proc.is_terminal(STDIN) {
        let text = "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n";
        return Some(fail(proc, text, 1).await);
    }
    let prompt = [b"[sudo] password for ".as_slice(), name, b": "].concat();
    for number in 1..=TRIES {
        let asked = ask_password(proc, &prompt, !from_input).await;
        if asked.is_err() {
            return Some(fail(proc, "sudo: a password is required\n", 1).await);
        }
        let Ok(Some(password)) = asked else {
            let text = match number {
                1 => "sudo: no password was provided\nsudo: a password is required\n".to_owned(),
                2 => "sudo: no password was provided\nsudo: 1 incorrect password attempt\n"
                    .to_owned(),
                _ => format!(
                    "sudo: no password was provided\nsudo: {} incorrect password attempts\n",
                    number - 1
                ),
            };
            return Some(fail(proc, text, 1).await);
        };
        if secret::is_right(proc, name, &password).await {
            return None;
        }
        if number < TRIES {
            proc.print_error(b"Sorry, try again.\n").await;
        }
    }
    Some(fail(proc, "sudo: 3 incorrect password attempts\n", 1).await)
}

async fn usage(proc: &mut Process, complaint: Option<String>) -> ExitStatus {
    let complaint = complaint
        .map(|text| format!("sudo: {text}\n"))
        .unwrap_or_default();
    let help = help("sudo");
    // The help's usage lines, without the head and the list of options.
    let start = help
        .windows(6)
        .position(|window| window == b"usage:")
        .unwrap_or(0);
    let end = help
        .windows(10)
        .position(|window| window == b"\n\nOptions:")
        .map_or(help.len(), |at| at + 1);
    fail(
        proc,
        [
            complaint.as_bytes(),
            help.get(start..end).unwrap_or_default(),
        ]
        .concat(),
        1,
    )
    .await
}
