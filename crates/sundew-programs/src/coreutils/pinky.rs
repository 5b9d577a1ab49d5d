//! pinky(1): who is here, in few words.

use sundew_kernel::{ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Getopt, Spec, refuse};
use crate::time::{Shown, Zone};
use crate::users::{Directory, User};
use crate::utmp;

const SPEC: Spec = Spec::gnu("sfwiqbhlp", &[]);

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each thing shown")]
struct Settings {
    heading: bool,
    full_name: bool,
    idle: bool,
    host: bool,
    home: bool,
    project: bool,
    plan: bool,
    long: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Settings {
        heading: true,
        full_name: true,
        idle: true,
        host: true,
        home: true,
        project: true,
        plan: true,
        long: false,
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("s") => settings.long = false,
            Ok("l") => settings.long = true,
            Ok("f") => settings.heading = false,
            Ok("w") => settings.full_name = false,
            Ok("i") => (settings.full_name, settings.host) = (false, false),
            Ok("q") => {
                (settings.full_name, settings.host, settings.idle) = (false, false, false);
            }
            Ok("h") => settings.project = false,
            Ok("p") => settings.plan = false,
            Ok("b") => settings.home = false,
            Ok(key) => return about::run(proc, key, "pinky").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let names = options.operands();
    if !settings.long {
        return short(proc, &settings, &names).await;
    }
    if names.is_empty() {
        return input::refuse_text(
            proc,
            "no username specified; at least one must be specified when using -l",
        )
        .await;
    }
    let users = Directory::load(proc).await;
    for name in &names {
        if !long(proc, &settings, &users, name).await {
            break;
        }
    }
    proc.status()
}

/// The full name: the comment up to its first comma, `&` being the login name.
fn full_name(user: &User) -> Vec<u8> {
    let mut name = Vec::new();
    for byte in user.gecos.iter().take_while(|byte| **byte != b',') {
        if *byte == b'&' {
            let mut login = user.name.clone();
            if let Some(first) = login.first_mut() {
                first.make_ascii_uppercase();
            }
            name.extend(login);
        } else {
            name.push(*byte);
        }
    }
    name
}

fn padded(text: &[u8], width: usize) -> Vec<u8> {
    let mut out = text.to_vec();
    out.resize(width.max(text.len()), b' ');
    out
}

async fn long(proc: &mut Process, settings: &Settings, users: &Directory, name: &[u8]) -> bool {
    let mut out = [
        b"Login name: ".as_slice(),
        &padded(name, 28),
        b"In real life: ",
    ]
    .concat();
    let Some(user) = users.user(name).cloned() else {
        out.extend_from_slice(b" ???\n");
        return proc.print(&out).await.is_ok();
    };
    out.extend([b" ".as_slice(), &full_name(&user), b"\n"].concat());
    if settings.home {
        out.extend(
            [
                b"Directory: ".as_slice(),
                &padded(&user.home, 29),
                b"Shell: ",
            ]
            .concat(),
        );
        out.extend([b" ".as_slice(), &user.shell, b"\n"].concat());
    }
    for (wanted, file, head) in [
        (
            settings.project,
            b".project".as_slice(),
            b"Project: ".as_slice(),
        ),
        (settings.plan, b".plan", b"Plan:\n"),
    ] {
        let path = input::join(&user.home, file);
        if wanted && let Ok((text, _memory)) = crate::text::input::read_all(proc, &path).await {
            out.extend([head, &text].concat());
        }
    }
    out.push(b'\n');
    proc.print(&out).await.is_ok()
}

async fn short(proc: &mut Process, settings: &Settings, names: &[Vec<u8>]) -> ExitStatus {
    let users = Directory::load(proc).await;
    let zone = Zone::of(proc).await;
    let mut out = Vec::new();
    if settings.heading {
        out.extend(padded(b"Login", 8));
        if settings.full_name {
            out.extend([b" ".as_slice(), &padded(b"Name", 19)].concat());
        }
        out.extend([b" ".as_slice(), &padded(b" TTY", 9)].concat());
        if settings.idle {
            out.extend_from_slice(b" Idle  ");
        }
        out.extend([b" ".as_slice(), &padded(b"When", 16)].concat());
        if settings.host {
            out.extend_from_slice(b" Where");
        }
        out.push(b'\n');
    }
    for record in utmp::present(proc).await {
        if !record.is_user() || (!names.is_empty() && !names.contains(&record.user)) {
            continue;
        }
        let tty = [b"/dev/".as_slice(), &record.line].concat();
        let metadata = proc.stat(&tty).ok();
        let mark = match &metadata {
            Some(metadata) if metadata.mode & 0o020 != 0 => b' ',
            Some(_) => b'*',
            None => b'?',
        };
        out.extend(padded(&record.user, 8));
        if settings.full_name {
            let name = match users.user(&record.user) {
                Some(user) => full_name(user),
                None => b"        ???".to_vec(),
            };
            let cut = name.get(..19).unwrap_or(&name);
            out.extend([b" ".as_slice(), &padded(cut, 19)].concat());
        }
        out.extend([b" ".as_slice(), &[mark], &padded(&record.line, 8)].concat());
        if settings.idle {
            let since = metadata.map(|metadata| metadata.atime.secs);
            let text = match since {
                Some(since) => idle(proc.now().secs - since),
                None => "?????".to_owned(),
            };
            out.extend(format!(" {text:<6}").into_bytes());
        }
        let moment = sundew_vfs::Timestamp {
            secs: record.at,
            nanos: 0,
        };
        out.push(b' ');
        out.extend(Shown::new(moment, &zone).format(b"%Y-%m-%d %H:%M"));
        if settings.host && !record.host.is_empty() {
            out.extend([b" ".as_slice(), &record.host].concat());
        }
        out.push(b'\n');
    }
    let _reported_at_exit = proc.print(&out).await;
    proc.status()
}

/// Minutes, hours and minutes, or days without a key.
fn idle(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match seconds {
        ..MINUTE => "     ".to_owned(),
        MINUTE..DAY => format!("{:02}:{:02}", seconds / HOUR, seconds % HOUR / MINUTE),
        _ => format!("{}d", seconds / DAY),
    }
}
