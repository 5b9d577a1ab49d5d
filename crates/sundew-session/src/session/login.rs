//! What sshd prepares for a login: credentials, environment, the message of the day.

use sundew_events::Connection;
use sundew_kernel::Pid;
use sundew_kernel::environment::Environment;
use sundew_kernel::machine::{Login, Machine};
use sundew_kernel::socket::SocketInfo;
use sundew_persona::Persona;
use sundew_persona::accounting::LASTLOG_BYTES;
use sundew_persona::users::User;
use sundew_vfs::{Credentials, Timestamp};

fn credentials(persona: &Persona, user: &User) -> Credentials {
    let member = |group: &&sundew_persona::users::Group| group.members.contains(&user.name);
    let mut groups: Vec<u32> = persona
        .groups
        .iter()
        .filter(member)
        .map(|group| group.gid)
        .collect();
    // initgroups(3) puts the main group first.
    groups.insert(0, user.gid);
    Credentials {
        uid: user.uid,
        gid: user.gid,
        groups,
    }
}

/// What the client asked for that a login depends on.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// A program instead of a shell: a subsystem.
    pub(super) program: Option<&'a [u8]>,
    pub(super) command: Option<&'a [u8]>,
    pub(super) term: Option<&'a [u8]>,
    pub(super) tty: Option<&'a [u8]>,
    pub(super) env: &'a [(Vec<u8>, Vec<u8>)],
}

/// The login as sshd starts it.
pub(super) fn login(
    persona: &Persona,
    user: &User,
    connection: &Connection,
    wanted: &Wanted<'_>,
    parent: Pid,
) -> Login {
    let name = user
        .shell
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or_default();
    let args = match wanted.command {
        _ if wanted.program.is_some() => {
            // The shell that sshd starts for it becomes it at once.
            vec![wanted.program.unwrap_or_default().to_vec()]
        }
        Some(command) => vec![name.to_vec(), b"-c".to_vec(), command.to_vec()],
        None => vec![[b"-", name].concat()],
    };
    Login {
        path: wanted.program.unwrap_or(&user.shell).to_vec(),
        args,
        env: environment(persona, user, connection, wanted),
        directory: user.home.clone(),
        credentials: credentials(persona, user),
        parent,
        // sshd ignores it, and its children inherit that: `trap` lists it.
        ignored: vec![sundew_kernel::Signal::XFSZ],
    }
}

fn environment(
    persona: &Persona,
    user: &User,
    connection: &Connection,
    wanted: &Wanted<'_>,
) -> Environment {
    let mut env = persona.environment(user);
    let (src, dst) = (connection.src(), connection.dst());
    env.set("SSH_CLIENT", format!("{} {} {}", src.0, src.1, dst.1));
    env.set(
        "SSH_CONNECTION",
        format!("{} {} {} {}", src.0, src.1, dst.0, dst.1),
    );
    if let Some(tty) = wanted.tty {
        env.set("SSH_TTY", tty);
    }
    if let Some(term) = wanted.term {
        env.set("TERM", term);
    }
    for (name, value) in wanted.env {
        env.set(name.clone(), value.clone());
    }
    env
}

/// Adds the sshd that serves this login to the process table.
pub(super) fn daemon(
    machine: &Machine,
    persona: &Persona,
    user: &User,
    tty: Option<&[u8]>,
    up: std::time::Duration,
) -> Option<Pid> {
    let resident = persona.login_daemon(user, tty, up);
    machine.add_resident(resident).ok()
}

/// Adds the connection that this daemon serves to those the machine lists; it goes with the daemon.
pub(super) fn socket(machine: &Machine, connection: &Connection, pid: Pid) {
    let (src, dst) = (connection.src(), connection.dst());
    machine.add_socket(SocketInfo {
        protocol: sundew_kernel::socket::Protocol::Tcp,
        local: dst.into(),
        remote: Some(src.into()),
        uid: 0,
        inode: 0,
        pid,
    });
}

/// What pam_motd and sshd print before a login shell, as Debian 12 has it, with the terminal's line
/// ends.
pub(super) fn greeting(machine: &Machine, persona: &Persona, user: &User) -> Vec<u8> {
    let there = |name: &[u8]| machine.read_file(&[&user.home, name].concat(), 0).is_ok();
    if there(b"/.hushlogin") {
        return Vec::new();
    }
    let facts = &persona.facts;
    let mut text = [
        b"Linux ".as_slice(),
        &facts.hostname,
        b" ",
        &facts.kernel_release,
        b" ",
        &facts.kernel_version,
        b" ",
        &facts.machine,
        b"\n",
    ]
    .concat();
    text.extend(
        machine
            .read_file(b"/etc/motd", MAX_MOTD_BYTES)
            .unwrap_or_default(),
    );
    text.extend(last_login(machine, user.uid));
    let mut shown = Vec::with_capacity(text.len() + 32);
    for byte in text {
        if byte == b'\n' {
            shown.push(b'\r');
        }
        shown.push(byte);
    }
    shown
}

/// sshd's `Last login:` line, from lastlog(5).
fn last_login(machine: &Machine, uid: u32) -> Vec<u8> {
    let at = usize::try_from(uid)
        .unwrap_or(usize::MAX)
        .saturating_mul(LASTLOG_BYTES);
    let log = machine
        .read_file(b"/var/log/lastlog", MAX_LASTLOG_BYTES)
        .unwrap_or_default();
    let Some(record) = log.get(at..).and_then(|rest| rest.get(..LASTLOG_BYTES)) else {
        return Vec::new();
    };
    let Some((secs, rest)) = record.split_first_chunk::<4>() else {
        return Vec::new();
    };
    let secs = i64::from(u32::from_le_bytes(*secs));
    let Ok(time) = jiff::Timestamp::from_second(secs) else {
        return Vec::new();
    };
    if secs == 0 {
        return Vec::new();
    }
    // ctime(3) without the newline.
    let time = time.strftime("%a %b %e %H:%M:%S %Y");
    let host = rest.get(LASTLOG_LINE_BYTES..).unwrap_or_default();
    let host = host.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut line = format!("Last login: {time}").into_bytes();
    if !host.is_empty() {
        line.extend(b" from ");
        line.extend(host);
    }
    line.push(b'\n');
    line
}

/// What sshd says when the home is not there.
pub(super) fn no_home(user: &User) -> Vec<u8> {
    let home = String::from_utf8_lossy(&user.home);
    format!("Could not chdir to home directory {home}: No such file or directory\r\n").into_bytes()
}

/// Time since boot.
pub(crate) fn since_boot(boot: Timestamp, now: Timestamp) -> std::time::Duration {
    let secs = u64::try_from(now.secs.saturating_sub(boot.secs)).unwrap_or(0);
    std::time::Duration::from_secs(secs)
}

/// Length of the terminal's name in lastlog(5).
const LASTLOG_LINE_BYTES: usize = 32;
/// Bytes read of `/etc/motd`: pam_motd prints any, an attacker's own must not fill memory.
const MAX_MOTD_BYTES: usize = 64 * 1024;
/// Bytes read of `/var/log/lastlog`: users up to some thousands.
const MAX_LASTLOG_BYTES: usize = 1 << 20;
