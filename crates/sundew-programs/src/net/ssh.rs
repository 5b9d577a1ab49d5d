//! `ssh` of OpenSSH 9.2. What it speaks is the [`SecureShell`](sundew_kernel::secure_shell::SecureShell)
//! that the machine was given; this is what its user sees: options, the question about the host's key,
//! passwords, the terminal.
//!
//! - `option`: what it is told
//! - `known`: `known_hosts`
//! - `login`: from the connection to the moment somebody is let in
//! - `session`: what runs on the other side, and the bytes to and fro

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::observe::Observation;
use sundew_kernel::process::LineReader;
use sundew_kernel::tty::termios::ECHO;
use sundew_kernel::{ExitStatus, Process, STDIN};

use self::option::{Level, Refusal, WantsTerminal};

pub(super) mod helper;
pub(crate) mod known;
pub(crate) mod letters;
mod login;
mod option;
mod session;

/// Where a client gives up.
const FAILED: u8 = 255;
const USAGE: &str = include_str!("ssh/usage.txt");
/// What `ssh -Q` lists: sections `=== NAME`.
const QUERIES: &str = include_str!("ssh/query.txt");
/// What `-V` says.
pub(super) const VERSION: &str = "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20 7 Apr 2026";

/// The home of whoever runs this.
pub(crate) fn home(proc: &Process) -> Vec<u8> {
    let home = proc.env().value(b"HOME").filter(|home| !home.is_empty());
    home.unwrap_or(b"/").to_vec()
}

/// Asks on the terminal of the session; `None` without one, or at its end.
pub(crate) async fn ask(proc: &Process, prompt: &[u8], seen: bool) -> Option<Vec<u8>> {
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::READ
    };
    let tty = proc.open(b"/dev/tty", flags, 0).await.ok()?;
    let settings = proc.termios(tty).ok().filter(|_| !seen);
    if let Some(mut quiet) = settings.clone() {
        quiet.local &= !ECHO;
        // A terminal that does not take it shows what is typed.
        let _shown = proc.set_termios(tty, quiet, true);
    }
    let mut line = None;
    if proc.write_all(tty, prompt).await.is_ok() {
        let mut input = LineReader::new(proc, tty);
        line = input.next(proc, b'\n').await.ok().flatten();
    }
    if let Some(settings) = settings {
        // As above.
        let _shown = proc.set_termios(tty, settings, false);
        let _closed = proc.write_all(tty, b"\n").await;
    }
    // Opened above.
    let _open = proc.close(tty);
    let mut text = line?;
    while text.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        text.pop();
    }
    proc.observe(Observation::ProgramInput {
        pid: proc.pid(),
        program: proc.base_name().to_vec(),
        text: text.clone(),
    });
    Some(text)
}

/// `ssh`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut line = match option::read(proc.args()) {
        Ok(line) => line,
        Err(refusal) => {
            let text = match refusal {
                Refusal::Usage(complaint) => [complaint.as_str(), USAGE].concat(),
                Refusal::Plain(complaint) => complaint,
            };
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::Exited(FAILED);
        }
    };
    if line.version {
        proc.print_error(format!("{VERSION}\n").as_bytes()).await;
        return ExitStatus::SUCCESS;
    }
    if let Some(query) = &line.query {
        let query = String::from_utf8_lossy(query).into_owned();
        return answer(proc, &query).await;
    }
    let Some(destination) = line.destination.clone() else {
        proc.print_error(USAGE.as_bytes()).await;
        return ExitStatus::Exited(FAILED);
    };
    if let Some(path) = line.config.clone().filter(|path| path != b"none")
        && let Err(errno) = proc.stat(&path)
    {
        let text = format!(
            "Can't open user config file {}: {}\r\n",
            String::from_utf8_lossy(&path),
            errno.message()
        );
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(FAILED);
    }
    let host = place(&mut line, &destination);
    if host.starts_with(b"-") {
        proc.print_error(b"hostname contains invalid characters\r\n")
            .await;
        return ExitStatus::Exited(FAILED);
    }
    option::configure(proc, &mut line, &host).await;
    if line.said.level == Some(Level::Debug) {
        let text = format!(
            "{VERSION}\r\ndebug1: Reading configuration data /etc/ssh/ssh_config\r\ndebug1: /etc/ssh/ssh_config line 1: include /etc/ssh/ssh_config.d/*.conf matched no files\r\ndebug1: /etc/ssh/ssh_config line 3: Applying options for *\r\n"
        );
        proc.print_error(text.as_bytes()).await;
    }
    for path in &line.said.identities {
        if !path.starts_with(b"~")
            && let Err(errno) = proc.stat(path)
        {
            let text = format!(
                "Warning: Identity file {} not accessible: {}.\n",
                String::from_utf8_lossy(path),
                errno.message()
            );
            proc.print_error(text.as_bytes()).await;
        }
    }
    let shown = line.said.level.unwrap_or(Level::Info) >= Level::Info;
    let wants = line.said.terminal.unwrap_or(WantsTerminal::Auto);
    let has_command = !line.command.is_empty() || line.said.command.is_some();
    let asks = match wants {
        WantsTerminal::Auto => !has_command && !line.no_command,
        WantsTerminal::No => false,
        WantsTerminal::Yes | WantsTerminal::Force => true,
    };
    let terminal = asks
        && !line.subsystem
        && (wants == WantsTerminal::Force || proc.is_terminal(STDIN) && !line.no_input);
    if asks && !terminal && !line.subsystem && shown {
        proc.print_error(
            b"Pseudo-terminal will not be allocated because stdin is not a terminal.\r\n",
        )
        .await;
    }
    match login::log_in(proc, &line.said, &host).await {
        Some(connection) => session::run(proc, &line, connection, &host, terminal).await,
        None => ExitStatus::Exited(FAILED),
    }
}

/// Takes `user@host` or `ssh://user@host:port` apart; the host.
fn place(line: &mut option::Line, destination: &[u8]) -> Vec<u8> {
    let (mut rest, url) = match destination.strip_prefix(b"ssh://") {
        Some(rest) => (rest.strip_suffix(b"/").unwrap_or(rest), true),
        None => (destination, false),
    };
    if let Some(at) = rest.iter().rposition(|&byte| byte == b'@') {
        let (user, host) = rest.split_at(at);
        line.said.user.get_or_insert_with(|| user.to_vec());
        rest = host.get(1..).unwrap_or_default();
    }
    if url
        && let Some(at) = rest.iter().rposition(|&byte| byte == b':')
        && let Some(port) = rest.get(at + 1..)
        && let Some(port) = std::str::from_utf8(port)
            .ok()
            .and_then(|text| text.parse().ok())
    {
        line.said.port.get_or_insert(port);
        rest = rest.get(..at).unwrap_or_default();
    }
    rest.to_vec()
}

async fn answer(proc: &mut Process, query: &str) -> ExitStatus {
    let known = QUERIES
        .split("=== ")
        .find_map(|section| section.strip_prefix(query)?.strip_prefix('\n'));
    match known {
        Some(text) => {
            // Whoever does not want the text needs no complaint about it.
            let _closed = proc.print(text.as_bytes()).await;
            proc.status()
        }
        None => {
            let text = format!("Unsupported query \"{query}\"\r\n");
            proc.print_error(text.as_bytes()).await;
            ExitStatus::Exited(FAILED)
        }
    }
}
