//! Passwords: asked for, changed, locked. passwd(1), chpasswd(8).

use super::*;
use crate::package::secret;

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

/// How often an empty password may be typed: pam_unix(8).
const PASSWORD_TRIES: u32 = 3;

/// Asks twice for a password and sets it; passwd's status.
pub(super) async fn new_password(proc: &mut Process, input: &mut LineReader, user: &[u8]) -> u8 {
    // PAM lets neither interrupt nor stop it while it asks.
    for signal in [Signal::INT, Signal::TSTP] {
        proc.set_disposition(signal, Disposition::Ignore);
    }
    let mut tries = 0;
    let complaint = loop {
        proc.print_error(b"New password: ").await;
        let Some(first) = ask(proc, input, true).await else {
            break "Password change has been aborted.\n";
        };
        proc.print_error(b"Retype new password: ").await;
        match ask(proc, input, true).await {
            Some(second) if second != first => break "Sorry, passwords do not match.\n",
            None => break "Password change has been aborted.\n",
            Some(_) => {}
        }
        if !first.is_empty() {
            if set_password(proc, user, &first).await {
                proc.print_error(b"passwd: password updated successfully\n")
                    .await;
                return 0;
            }
            break "";
        }
        tries += 1;
        if tries == PASSWORD_TRIES {
            break "No password has been supplied.\n";
        }
        proc.print_error(b"No password has been supplied.\n").await;
    };
    let text = format!(
        "{complaint}passwd: Authentication token manipulation error\npasswd: password unchanged\n"
    );
    proc.print_error(text.as_bytes()).await;
    10
}

/// Gives the user this password; whether it could be hashed and written.
pub(super) async fn set_password(proc: &mut Process, user: &[u8], password: &[u8]) -> bool {
    let done = match secret::hash(proc, password).await {
        Some(hash) => set_hash(proc, user, hash.as_bytes()).await,
        None => false,
    };
    if done {
        said::password(proc, user);
    }
    done
}

/// Puts a hash into the shadow file, of today.
pub(super) async fn set_hash(proc: &Process, user: &[u8], hash: &[u8]) -> bool {
    let today = (proc.now().secs / SECONDS_PER_DAY).to_string().into_bytes();
    edit(proc, SHADOW, |fields| {
        if fields.first().is_some_and(|name| name == user) {
            for (at, value) in [(1, hash), (2, &today)] {
                if let Some(field) = fields.get_mut(at) {
                    *field = value.to_vec();
                }
            }
        }
        true
    })
    .await
}

/// `passwd`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(in crate::package) async fn passwd(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let users = Directory::load(proc).await;
    let (uid, _) = proc.real_ids();
    let own = users.user_text(uid);
    let mut aging = Vec::new();
    let mut operands = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match AGES
            .iter()
            .find(|(short, long, _)| word == short || word == long)
        {
            Some((.., field)) => aging.push((*field, rest.next().cloned().unwrap_or_default())),
            None if word == b"-e" || word == b"--expire" => aging.push((2, b"0".to_vec())),
            None if !word.starts_with(b"-") => operands.push(word.clone()),
            None => {}
        }
    }
    if operands.len() > 1 {
        return fail(proc, help("passwd"), 2).await;
    }
    let operand = operands.pop();
    for (_, value) in &aging {
        let number = std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<i32>().ok());
        if number.is_none_or(|number| number < -1) {
            let text = b"passwd: invalid numeric argument '";
            let text = [text.as_slice(), value, b"'\n", help("passwd")];
            return fail(proc, text.concat(), 6).await;
        }
    }
    let name = operand.unwrap_or(own);
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
    if !aging.is_empty() {
        return set_ages(proc, &name, &aging).await;
    }
    if has(b"-S", b"--status") {
        let text = read(proc, SHADOW).await.unwrap_or_default();
        let row = lines(&text)
            .into_iter()
            .find(|line| line.starts_with(&[name.as_slice(), b":"].concat()));
        let fields: Vec<&[u8]> = row
            .as_ref()
            .map(|row| row.split(|&byte| byte == b':').collect())
            .unwrap_or_default();
        return print(proc, status_line(&name, &fields)).await;
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
        let current = ask(proc, &mut input, true).await.unwrap_or_default();
        if !secret::is_right(proc, &name, &current).await {
            let text =
                "passwd: Authentication token manipulation error\npasswd: password unchanged\n";
            return fail(proc, text, 10).await;
        }
    }
    let status = new_password(proc, &mut input, &name).await;
    ExitStatus::Exited(status)
}

/// Options that set a number of days, and the field of shadow(5) it stands in.
const AGES: [(&[u8], &[u8], usize); 4] = [
    (b"-n", b"--mindays", 3),
    (b"-x", b"--maxdays", 4),
    (b"-w", b"--warndays", 5),
    (b"-i", b"--inactive", 6),
];

async fn set_ages(proc: &mut Process, name: &[u8], ages: &[(usize, Vec<u8>)]) -> ExitStatus {
    if proc.real_ids().0 != 0 {
        return fail(proc, "passwd: Permission denied.\n", 1).await;
    }
    edit(proc, SHADOW, |fields| {
        if fields.first().is_some_and(|own| own == name) {
            for (at, value) in ages {
                if let Some(field) = fields.get_mut(*at) {
                    // -1 takes the limit away.
                    *field = if value.starts_with(b"-") {
                        Vec::new()
                    } else {
                        value.clone()
                    };
                }
            }
        }
        true
    })
    .await;
    print(proc, "passwd: password changed.\n").await
}

/// `passwd -S`: name, state, the day of the last change, and the ages.
fn status_line(name: &[u8], fields: &[&[u8]]) -> String {
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let hash = field(1);
    let state = if hash.is_empty() {
        "NP"
    } else if hash.starts_with(b"!") || hash.starts_with(b"*") {
        "L"
    } else {
        "P"
    };
    let age = |at| {
        let text = String::from_utf8_lossy(field(at)).into_owned();
        if text.is_empty() {
            "-1".to_owned()
        } else {
            text
        }
    };
    let days: i64 = age(2).parse().unwrap_or(0);
    let (year, month, day) = date_of(days);
    format!(
        "{} {state} {year}-{month:02}-{day:02} {} {} {} {}\n",
        String::from_utf8_lossy(name),
        age(3),
        age(4),
        age(5),
        age(6)
    )
}

/// The date so many days after 1970-01-01, by the rules of the proleptic Gregorian calendar.
fn date_of(days: i64) -> (i64, i64, i64) {
    // Counted from March of the year 0, so that leap days stand at the end of a year.
    let days = days.clamp(-700_000, 10_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// What `chpasswd -c` takes.
const METHODS: [&[u8]; 6] = [b"NONE", b"DES", b"MD5", b"SHA256", b"SHA512", b"YESCRYPT"];

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
    let given = |short: &[u8], long: &[u8]| {
        let mut words = proc.args().iter().skip(1);
        words.any(|word| word == short || word == long)
    };
    let is_hash = given(b"-e", b"--encrypted");
    let method = proc
        .args()
        .iter()
        .skip_while(|word| *word != b"-c" && *word != b"--crypt-method")
        .nth(1)
        .cloned();
    let ways =
        usize::from(is_hash) + usize::from(method.is_some()) + usize::from(given(b"-m", b"--md5"));
    if ways > 1 {
        let text = b"chpasswd: the -c, -e, and -m flags are exclusive\n";
        return fail(proc, [text.as_slice(), help("chpasswd")].concat(), 2).await;
    }
    if let Some(method) = method.filter(|method| !METHODS.contains(&method.as_slice())) {
        let text = b"chpasswd: unsupported crypt method: ";
        let text = [text.as_slice(), &method, b"\n", help("chpasswd")];
        return fail(proc, text.concat(), 2).await;
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
        let value = line.get(at + 1..).unwrap_or_default();
        let done = if is_hash {
            set_hash(proc, name, value).await
        } else {
            set_password(proc, name, value).await
        };
        if !done {
            let text = "chpasswd: error changing passwords; changes ignored\n";
            status = fail(proc, text, 1).await;
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::{date_of, status_line};

    #[test]
    fn the_status_shows_the_day_and_the_ages() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(20_778), (2026, 11, 21));
        assert_eq!(date_of(11_016), (2000, 2, 29));
        let fields = [
            b"bob".as_slice(),
            b"!x",
            b"20778",
            b"0",
            b"99999",
            b"7",
            b"",
            b"",
        ];
        assert_eq!(
            status_line(b"bob", &fields),
            "bob L 2026-11-21 0 99999 7 -1\n"
        );
        assert_eq!(status_line(b"x", &[]), "x NP 1969-12-31 -1 -1 -1 -1\n");
    }
}
