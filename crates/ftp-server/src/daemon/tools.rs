//! What `ftpd` does besides serving.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks to its terminal"
)]

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::IpAddr;
use std::path::Path;

use super::config::TEMPLATE;
use super::options::Which;
use super::who::{self, BanRow, Row};
use super::{Failure, FailureKind, login, run, usual_control};

/// `ftpd check`
pub(super) fn check(file: &Path) -> Result<(), Failure> {
    let config = run::read_config(file)?;
    let users = run::read_users(&config)?;
    run::look_at_files(&config, &users)?;
    let count = config.user.len() + users.len();
    let root = config.root.as_deref().map_or_else(
        || "no root of its own".to_owned(),
        |root| format!("root {}", root.display()),
    );
    let tls = if config.has_tls() { "TLS" } else { "no TLS" };
    say(&format!(
        "{}: good: {root}, users: {count}, {tls}\n",
        file.display()
    ))
}

/// `ftpd template`
pub(super) fn template() -> Result<(), Failure> {
    say(TEMPLATE)
}

/// `ftpd hash`
pub(super) fn hash() -> Result<(), Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        complain("Type the password, which is shown, and Enter:");
    }
    let mut line = Vec::new();
    stdin
        .lock()
        .read_until(b'\n', &mut line)
        .map_err(|error| Failure::new(FailureKind::System, error))?;
    let password = line.strip_suffix(b"\n").unwrap_or(&line);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::new(FailureKind::Usage, "no password was given"));
    }
    let hash = login::hash(password).map_err(|error| Failure::new(FailureKind::System, error))?;
    say(&format!("{hash}\n"))
}

/// `ftpd who`
pub(super) fn who(server: &Which, json: bool) -> Result<(), Failure> {
    let answer = ask(server, "who")?;
    if json {
        return say(&answer);
    }
    let rows: Vec<Row> = read(&answer)?;
    say(&who::table(&rows))
}

/// `ftpd kick`
pub(super) fn kick(server: &Which, questions: &[String], json: bool) -> Result<(), Failure> {
    let mut ended = 0;
    for question in questions {
        ended += show_ended(&ask(server, question)?, json)?;
    }
    match ended {
        0 => Err(Failure::new(FailureKind::Nobody, "no such session")),
        _ => Ok(()),
    }
}

/// `ftpd ban`
pub(super) fn ban(server: &Which, question: &str, json: bool) -> Result<(), Failure> {
    show_ended(&ask(server, question)?, json).map(|_| ())
}

/// Shows sessions that were ended; says how many.
fn show_ended(answer: &str, json: bool) -> Result<usize, Failure> {
    let rows: Vec<Row> = read(answer)?;
    if json {
        say(answer)?;
        return Ok(rows.len());
    }
    for row in &rows {
        let user = row.user.as_deref().unwrap_or("not logged in");
        say(&format!(
            "session {} ended: {user}, {}\n",
            row.session, row.address
        ))?;
    }
    Ok(rows.len())
}

/// `ftpd recount`
pub(super) fn recount(server: &Which, user: Option<&str>) -> Result<(), Failure> {
    let question = match user {
        Some(user) => format!("recount {user}"),
        None => "recount".to_owned(),
    };
    say(&ask(server, &question)?)
}

/// `ftpd bans`
pub(super) fn bans(server: &Which, json: bool) -> Result<(), Failure> {
    let answer = ask(server, "bans")?;
    if json {
        return say(&answer);
    }
    let rows: Vec<BanRow> = read(&answer)?;
    for row in rows {
        say(&format!(
            "{:<40} {}\n",
            row.address,
            who::span(row.left_seconds)
        ))?;
    }
    Ok(())
}

/// `ftpd unban`
pub(super) fn unban(server: &Which, address: IpAddr) -> Result<(), Failure> {
    let answer = ask(server, &format!("unban {address}"))?;
    say(&answer)
}

fn ask(server: &Which, question: &str) -> Result<String, Failure> {
    let socket = server
        .control
        .clone()
        .or_else(|| usual_control(server.port));
    let Some(socket) = socket else {
        let text =
            "no runtime directory here; say where the server's socket is with --control FILE";
        return Err(Failure::new(FailureKind::Usage, text));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FailureKind::System, error))?;
    runtime
        .block_on(who::ask(&socket, question))
        .map_err(|error| {
            let socket = socket.display();
            let text = format!(
                "no server answers at {socket}: {error} (another one: --port N or --control FILE)"
            );
            Failure::new(FailureKind::Unavailable, text)
        })
}

fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<Vec<T>, Failure> {
    let rows: Result<_, _> = answer.lines().map(serde_json::from_str).collect();
    rows.map_err(|error| {
        let text = format!("the server's answer cannot be read: {error}");
        Failure::new(FailureKind::Unavailable, text)
    })
}

/// Writes to standard output; a reader that has gone is no failure.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(FailureKind::System, error))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error.
pub(super) fn complain(line: &str) {
    // Where nobody reads, nobody is to be told.
    let _unread = writeln!(io::stderr(), "{line}");
}
