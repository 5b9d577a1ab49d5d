//! `crontab` of Debian's cron 3.0pl1. Nothing runs what is written there.

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Process, STDIN};

use super::{fail, print, read, write};
use crate::users::Directory;

/// `crontab`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let users = Directory::load(proc).await;
    let own = users.user_text(proc.credentials().uid);
    let (mut user, mut list, mut remove, mut edit, mut file) = (own, false, false, false, None);
    let (mut operations, mut asks) = (0, false);
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            letters
                if letters.len() > 1
                    && letters.starts_with(b"-")
                    && letters.iter().skip(1).all(|byte| b"lrein".contains(byte)) =>
            {
                for letter in letters.iter().skip(1) {
                    match letter {
                        b'l' => list = true,
                        b'r' => remove = true,
                        b'e' => edit = true,
                        b'i' => {
                            asks = true;
                            continue;
                        }
                        _ => continue,
                    }
                    operations += 1;
                    if operations > 1 {
                        return usage(proc, None, "only one operation permitted").await;
                    }
                }
            }
            b"-u" => {
                let Some(name) = words.next() else {
                    return usage(
                        proc,
                        Some("option requires an argument -- 'u'"),
                        "unrecognized option",
                    )
                    .await;
                };
                if users.user(&name).is_none() {
                    return fail(
                        proc,
                        [b"crontab:  user `".as_slice(), &name, b"' unknown\n"].concat(),
                        1,
                    )
                    .await;
                }
                user = name;
            }
            b"-h" => return usage(proc, None, None).await,
            option if option.starts_with(b"-") && option.len() > 1 => {
                let letter = char::from(option.get(1).copied().unwrap_or(b'-'));
                return usage(
                    proc,
                    Some(&format!("invalid option -- '{letter}'")),
                    "unrecognized option",
                )
                .await;
            }
            _ => file = file.or(Some(word)),
        }
    }
    if operations > 0 && file.is_some() {
        return usage(proc, None, "no arguments permitted after this option").await;
    }
    let path = [b"/var/spool/cron/crontabs/".as_slice(), &user].concat();
    let none = [b"no crontab for ".as_slice(), &user, b"\n"].concat();
    if list {
        return match read(proc, &path).await {
            Ok(text) => print(proc, text).await,
            Err(_) => fail(proc, none, 1).await,
        };
    }
    if remove {
        if asks && !confirmed(proc, &user).await {
            return proc.status();
        }
        return match proc.unlink(&path) {
            Ok(()) => proc.status(),
            Err(_) => fail(proc, none, 1).await,
        };
    }
    if edit {
        return self::edit(proc, &path, &none).await;
    }
    if let Some(name) = file.as_deref()
        && proc.stat(name).is_ok_and(|metadata| metadata.is_dir())
    {
        let text = [name, b": Not a regular file.\n"].concat();
        return fail(proc, text, 1).await;
    }
    let text = match file.as_deref() {
        // Without operands the table comes from standard input.
        None | Some(b"-") => proc.read_to_end(STDIN).await.map(|(text, _)| text),
        Some(name) => match read(proc, name).await {
            Ok(text) => Ok(text),
            Err(errno) => {
                return fail(
                    proc,
                    [name, b": ", errno.message().as_bytes(), b"\n"].concat(),
                    1,
                )
                .await;
            }
        },
    };
    let text = text.unwrap_or_default();
    if !text.is_empty() && !text.ends_with(b"\n") {
        let text = "new crontab file is missing newline before EOF, can't install.\n";
        return fail(proc, text, 1).await;
    }
    if let Some((number, complaint)) = wrong(&text) {
        let name = file.as_deref().unwrap_or(b"-").to_vec();
        let text = [
            b"\"".as_slice(),
            &name,
            format!("\":{number}: {complaint}\nerrors in crontab file, can't install.\n")
                .as_bytes(),
        ]
        .concat();
        return fail(proc, text, 1).await;
    }
    match write(proc, &path, &text, 0o600).await {
        Ok(()) => proc.status(),
        Err(errno) => {
            fail(
                proc,
                [path.as_slice(), b": ", errno.message().as_bytes(), b"\n"].concat(),
                1,
            )
            .await
        }
    }
}

/// `crontab -e`: a copy goes through the editor and is installed if it changed and is sound.
async fn edit(proc: &mut Process, path: &[u8], none: &[u8]) -> ExitStatus {
    let before = match read(proc, path).await {
        Ok(text) => text,
        Err(_) => {
            let text = [none.trim_ascii_end(), b" - using an empty one\n"].concat();
            proc.print_error(&text).await;
            Vec::new()
        }
    };
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| proc.env().value(name.as_bytes()))
        .unwrap_or(b"/usr/bin/sensible-editor")
        .to_vec();
    let directory = format!("/tmp/crontab.{}", letters(proc)).into_bytes();
    let copy = [directory.as_slice(), b"/crontab"].concat();
    let _shown_by_the_write = proc.make_directory(&directory, 0o700);
    if let Err(errno) = write(proc, &copy, &before, 0o600).await {
        let text = [copy.as_slice(), b": ", errno.message().as_bytes(), b"\n"].concat();
        return fail(proc, text, 1).await;
    }
    let command = [editor.as_slice(), b" ", &copy].concat();
    let status = loop {
        let ended = crate::text::shell::system(proc, &command).await;
        let code = ended.map_or(127, |status| status.code());
        if code != 0 {
            let status = format!("\" exited with status {code}\n");
            let text = [b"crontab: \"".as_slice(), &editor, status.as_bytes()];
            break fail(proc, text.concat(), 1).await;
        }
        let after = read(proc, &copy).await.unwrap_or_default();
        if after == before {
            proc.print_error(b"No modification made\n").await;
            break proc.status();
        }
        proc.print_error(b"crontab: installing new crontab\n").await;
        if let Some((number, complaint)) = wrong(&after) {
            let text = format!(
                "\"{}\":{number}: {complaint}\nerrors in crontab file, can't install.\n",
                String::from_utf8_lossy(&copy)
            );
            proc.print_error(text.as_bytes()).await;
            if again(proc).await {
                continue;
            }
            let text = format!(
                "crontab: edits left in {}\n",
                String::from_utf8_lossy(&copy)
            );
            return fail(proc, text, 1).await;
        }
        break match write(proc, path, &after, 0o600).await {
            Ok(()) => proc.status(),
            Err(errno) => {
                let text = [path, b": ", errno.message().as_bytes(), b"\n"].concat();
                fail(proc, text, 1).await
            }
        };
    };
    let _gone = proc.unlink(&copy);
    let _gone = proc.remove_directory(&directory);
    status
}

/// Whether the same edit shall be tried again.
async fn again(proc: &mut Process) -> bool {
    let mut answers = LineReader::new(proc, STDIN);
    let mut question = "Do you want to retry the same edit? (y/n) ";
    loop {
        let _shown = print(proc, question).await;
        let _closed = proc.flush().await;
        let answer = answers.next(proc, b'\n').await.ok().flatten();
        match answer.as_deref().and_then(<[u8]>::first) {
            Some(b'y' | b'Y') => return true,
            None | Some(b'n' | b'N') => return false,
            Some(_) => question = "Enter Y or N\nDo you want to retry the same edit? (y/n) ",
        }
    }
}

/// What `-i` asks before the table is removed, until the answer is one.
async fn confirmed(proc: &mut Process, user: &[u8]) -> bool {
    let question = [
        b"crontab: really delete ".as_slice(),
        user,
        b"'s crontab? (y/n) ",
    ]
    .concat();
    let mut answers = LineReader::new(proc, STDIN);
    let _closed = proc.print(&question).await;
    loop {
        let _closed = proc.flush().await;
        let Ok(Some(answer)) = answers.next(proc, b'\n').await else {
            return false;
        };
        match answer.first() {
            Some(b'y' | b'Y') => return true,
            Some(b'n' | b'N') => return false,
            _ => {
                let _closed = proc.print(b"Please enter Y or N: ").await;
            }
        }
    }
}

/// Six letters as mkstemp(3) makes them, from the time.
fn letters(proc: &Process) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let now = proc.now();
    let mut value = now.secs.unsigned_abs() * 1_000_000_007 + u64::from(now.nanos);
    let letter = |value: u64| {
        let at = usize::try_from(value % 62).unwrap_or(0);
        LETTERS.get(at).map_or('x', |letter| char::from(*letter))
    };
    (0..6)
        .map(|_| {
            value = value
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            letter(value >> 33)
        })
        .collect()
}

async fn usage<'a>(
    proc: &mut Process,
    option: Option<&str>,
    error: impl Into<Option<&'a str>>,
) -> ExitStatus {
    let mut text = option
        .map(|option| format!("crontab: {option}\n"))
        .unwrap_or_default();
    if let Some(error) = error.into() {
        text += &format!("crontab: usage error: {error}\n");
    }
    let help = super::help("crontab");
    // The help is the usage error for -h with another first line.
    let at = help
        .windows(6)
        .position(|window| window == b"usage:")
        .unwrap_or(0);
    fail(
        proc,
        [text.as_bytes(), help.get(at..).unwrap_or_default()].concat(),
        1,
    )
    .await
}

/// The first line that is no entry, as cron finds it: line number and complaint.
fn wrong(text: &[u8]) -> Option<(usize, &'static str)> {
    const FIELDS: [(&str, u32); 5] = [
        ("bad minute", 59),
        ("bad hour", 23),
        ("bad day-of-month", 31),
        ("bad month", 12),
        ("bad day-of-week", 7),
    ];
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        let first = line
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        if line.is_empty()
            || line.starts_with(b"#")
            || first.contains(&b'=')
            || line.starts_with(b"@")
        {
            continue;
        }
        if line
            .iter()
            .position(|&byte| byte == b'=')
            .is_some_and(|at| {
                line.get(..at).is_some_and(|name| {
                    name.trim_ascii()
                        .iter()
                        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                })
            })
        {
            continue;
        }
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        for (complaint, most) in FIELDS {
            // The original counts lines when it meets their ends.
            match words.next() {
                None => return Some((number + 1, complaint)),
                Some(word) if !fits(word, most) => {
                    let ends = line.ends_with(word) && words.next().is_none();
                    return Some((number + usize::from(ends), complaint));
                }
                Some(_) => {}
            }
        }
    }
    None
}

fn fits(word: &[u8], most: u32) -> bool {
    // Months and days of the week have names.
    let named = most == 12 || most == 7;
    word.split(|byte| b",-/".contains(byte)).all(|part| {
        let number = std::str::from_utf8(part)
            .ok()
            .and_then(|text| text.parse::<u32>().ok());
        part == b"*"
            || number.is_some_and(|number| number <= most)
            || named && part.len() == 3 && part.iter().all(u8::is_ascii_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_from_nonsense() {
        assert_eq!(
            wrong(b"# x\nMAILTO=x\n*/5 * * * * curl x | sh\n@reboot /tmp/x\n0 4 * * sun ls\n"),
            None
        );
        assert_eq!(wrong(b"bad line\n"), Some((0, "bad minute")));
        assert_eq!(wrong(b"\n1 99 * * * x\n"), Some((1, "bad hour")));
        assert_eq!(wrong(b"# c\nA=b\n* * * *\n"), Some((3, "bad day-of-week")));
        assert_eq!(wrong(b"* * * * *\n"), None);
    }
}
