//! What programs that change accounts or identities tell the journal: pam_unix(8), su(1), sudo(8), useradd(8).

use sundew_kernel::Process;
use sundew_kernel::journal::facility::AUTHPRIV;

use crate::users::{Directory, User};

/// The terminal without `/dev/`, or `none`.
fn terminal(proc: &Process) -> Vec<u8> {
    let path = place(proc);
    path.strip_prefix(b"/dev/").unwrap_or(&path).to_vec()
}

/// A session that `su` or `sudo` opens for a user.
fn opened(proc: &Process, service: &str, user: &User, by: &[u8], by_uid: u32) {
    let text = [
        format!("pam_unix({service}:session): session opened for user ").as_bytes(),
        &user.name,
        format!("(uid={}) by ", user.uid).as_bytes(),
        by,
        format!("(uid={by_uid})").as_bytes(),
    ]
    .concat();
    let name = service.trim_end_matches("-l");
    proc.log(AUTHPRIV, 6, name.as_bytes(), text);
}

/// `su` became somebody.
pub(super) fn su(proc: &Process, users: &Directory, user: &User, login: bool) {
    let caller = users.user_text(proc.real_ids().0);
    let tty = terminal(proc);
    let text = [
        b"(to ".as_slice(),
        &user.name,
        b") ",
        &caller,
        b" on ",
        &tty,
    ];
    proc.log(AUTHPRIV, 5, b"su", text.concat());
    let service = if login { "su-l" } else { "su" };
    opened(proc, service, user, &caller, proc.real_ids().0);
}

/// `su` was given a wrong password.
pub(super) fn su_failed(proc: &Process, users: &Directory, user: &User) {
    let uid = proc.real_ids().0;
    let caller = users.user_text(uid);
    let tty = terminal(proc);
    let head =
        format!("pam_unix(su:auth): authentication failure; logname= uid={uid} euid=0 tty=/dev/");
    let text = [
        head.as_bytes(),
        &tty,
        b" ruser=",
        &caller,
        b" rhost=  user=",
        &user.name,
    ];
    proc.log(AUTHPRIV, 5, b"su", text.concat());
    let text = [
        b"FAILED SU (to ".as_slice(),
        &user.name,
        b") ",
        &caller,
        b" on ",
        &tty,
    ];
    proc.log(AUTHPRIV, 5, b"su", text.concat());
}

/// `sudo` runs a command.
pub(super) fn sudo(proc: &Process, caller: &[u8], user: &User, command: &[u8]) {
    let directory = proc.directory().unwrap_or_default();
    let text = [
        caller,
        b" : TTY=",
        &terminal(proc),
        b" ; PWD=",
        &directory,
        b" ; USER=",
        &user.name,
        b" ; COMMAND=",
        command,
    ]
    .concat();
    let pad = vec![b' '; 8_usize.saturating_sub(caller.len())];
    proc.log(AUTHPRIV, 5, b"sudo", [pad, text].concat());
    opened(proc, "sudo", user, caller, proc.real_ids().0);
}

/// A password was changed.
pub(super) fn password(proc: &Process, user: &[u8]) {
    let name = proc.base_name().to_vec();
    let text = [
        format!(
            "pam_unix({}:chauthtok): password changed for ",
            String::from_utf8_lossy(&name)
        )
        .as_bytes(),
        user,
    ]
    .concat();
    proc.log(AUTHPRIV, 5, &name, text);
}

/// An account or group was made or removed: the words after the program's name.
pub(super) fn account(proc: &Process, program: &[u8], parts: &[&[u8]]) {
    proc.log(AUTHPRIV, 6, program, parts.concat());
}

/// Where somebody sits, for `useradd`.
pub(super) fn place(proc: &Process) -> Vec<u8> {
    let path = (0..3).find_map(|fd| proc.terminal_path(fd).ok());
    path.unwrap_or_else(|| b"none".to_vec())
}
