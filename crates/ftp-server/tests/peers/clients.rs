//! Clients, each in a table of what it is told and what has to come of it.
//!
//! Every row runs in every way of its table: in clear and under TLS 1.2 and 1.3, where the data
//! connections have to resume the session of the control connection, over IPv4 and IPv6. Each run has
//! directories of its own on both sides.

mod table;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::daemon::{Daemon, big, directory, fill, peers};

/// Runs of clients at once.
const AT_ONCE: usize = 4;

/// One client and what it is to do.
pub(crate) struct Table<'a> {
    pub(crate) program: &'a str,
    /// Stands before the arguments of every row.
    pub(crate) first: &'a [&'a str],
    /// Stands before the input of every row.
    pub(crate) preamble: &'a str,
    pub(crate) ways: &'a [Way<'a>],
    pub(crate) rows: &'a [Row<'a>],
}

/// How the client gets to the server.
pub(crate) struct Way<'a> {
    pub(crate) name: &'a str,
    pub(crate) host: &'a str,
    pub(crate) server: Kind,
    /// What `{way}` in an argument stands for, or the arguments put in its place if it is all of one.
    pub(crate) options: &'a [&'a str],
}

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Clear,
    /// TLS is required, and data connections have to resume the session of their control connection.
    Resuming,
    /// TLS is required, for clients that cannot resume.
    Secure,
}

/// What a client is told. `{host}` (`{ip}` without the brackets of IPv6), `{port}`, `{there}` (the
/// directory on the server, no slash in front or behind), `{here}`, `{s}` (for `ftps:`) and `{way}` are
/// filled in.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a [&'a str],
    pub(crate) input: &'a str,
    pub(crate) wants: &'a [Want],
}

/// What has to be so in the end.
pub(crate) enum Want {
    /// The exit status; 0 if no row says so.
    Status(i32),
    /// Exactly this on standard output.
    Says(&'static str),
    /// This somewhere in what it prints.
    Mentions(&'static str),
    /// This file in the client's directory.
    Here(&'static str, Bytes),
    /// This file in the server's.
    There(&'static str, Bytes),
    /// Nothing of this name in the server's.
    Gone(&'static str),
}

/// The bytes of a file.
pub(crate) enum Bytes {
    Text(&'static str),
    Big,
}

impl Table<'_> {
    pub(crate) fn run(&self) {
        let servers = [Kind::Clear, Kind::Resuming, Kind::Secure].map(|kind| {
            let wanted = self.ways.iter().any(|way| way.server == kind);
            wanted.then(|| start(kind))
        });
        let runs: Vec<_> = self
            .ways
            .iter()
            .flat_map(|way| self.rows.iter().map(move |row| (way, row)))
            .collect();
        let (next, failures) = (AtomicUsize::new(0), Mutex::new(String::new()));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some((way, row)) = runs.get(number) else {
                            return;
                        };
                        let server = servers[way.server as usize].as_ref().unwrap();
                        if let Err(why) = self.run_one(server, way, row, number) {
                            let mut failures = failures.lock().unwrap();
                            writeln!(failures, "{} {}: {why}", way.name, row.name).unwrap();
                        }
                    }
                });
            }
        });
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{}:\n{failures}", self.program);
    }

    fn run_one(
        &self,
        server: &Daemon,
        way: &Way<'_>,
        row: &Row<'_>,
        number: usize,
    ) -> Result<(), String> {
        let there = format!("run{number}");
        let remote = server.root.path().join(&there);
        fill(&remote);
        let here = directory();
        fs::write(here.path().join("up"), "up\nand up\n").unwrap();
        fs::write(here.path().join("up-empty"), "").unwrap();
        fs::write(here.path().join("up-big"), big()).unwrap();
        fs::write(here.path().join("part"), "one\n").unwrap();
        let fill_in = |text: &str| -> String {
            let letter = if way.server == Kind::Clear { "" } else { "s" };
            text.replace("{host}", way.host)
                .replace("{ip}", way.host.trim_matches(['[', ']']))
                .replace("{s}", letter)
                .replace("{port}", &server.port.to_string())
                .replace("{there}", &there)
                .replace("{here}", here.path().to_str().unwrap())
                .replace("{way}", &way.options.join(" "))
        };
        let arguments = self.first.iter().chain(row.arguments).flat_map(|argument| {
            if *argument == "{way}" {
                way.options.iter().map(|option| fill_in(option)).collect()
            } else {
                vec![fill_in(argument)]
            }
        });
        let input = here.path().join(".input");
        let text = [self.preamble, row.input].map(fill_in).concat();
        fs::write(&input, text).unwrap();
        let output = Command::new("timeout")
            .arg("60")
            .arg(self.executable())
            .args(arguments)
            .current_dir(here.path())
            .env("HOME", here.path())
            .env("NODE_PATH", peers("SUNDEW_PEERS_NODE", "node"))
            .stdin(Stdio::from(fs::File::open(input).unwrap()))
            .output()
            .map_err(|error| format!("{}: {error}", self.program))?;
        check(row, &output, here.path(), &remote).map_err(|why| {
            format!(
                "{why}\n  {}\n  {}{}",
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }

    /// Programs written in this repository's tests are named by their path.
    fn executable(&self) -> PathBuf {
        if self.program != "node" {
            return self.program.into();
        }
        let fetched = peers("SUNDEW_PEERS", "venv/bin").join("node");
        if fetched.exists() {
            fetched
        } else {
            "node".into()
        }
    }
}

fn start(kind: Kind) -> Daemon {
    let options = ["--write", "--no-anonymous", "--user", "anna:secret"];
    let tls = "[tls]\nself_signed = true\nrequired = 'both'\n";
    match kind {
        Kind::Clear => Daemon::start(&options, ""),
        Kind::Secure => Daemon::start(&options, tls),
        Kind::Resuming => Daemon::start(&options, &format!("{tls}require_resumption = true\n")),
    }
}

fn check(row: &Row<'_>, output: &Output, here: &Path, there: &Path) -> Result<(), String> {
    let status = row.wants.iter().find_map(|want| match want {
        Want::Status(status) => Some(*status),
        _ => None,
    });
    if output.status.code() != Some(status.unwrap_or(0)) {
        return Err("another exit status".to_owned());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    for want in row.wants {
        match want {
            Want::Status(_) => {}
            Want::Says(text) if said == *text => {}
            Want::Says(text) => return Err(format!("does not say {text:?}")),
            Want::Mentions(text) if said.contains(text) || complained.contains(text) => {}
            Want::Mentions(text) => return Err(format!("does not mention {text:?}")),
            Want::Here(path, bytes) => same(&here.join(path), bytes)?,
            Want::There(path, bytes) => same(&there.join(path), bytes)?,
            Want::Gone(path) if !there.join(path).exists() => {}
            Want::Gone(path) => return Err(format!("{path} is there")),
        }
    }
    Ok(())
}

fn same(path: &Path, bytes: &Bytes) -> Result<(), String> {
    let found = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let wanted = match bytes {
        Bytes::Text(text) => text.as_bytes(),
        Bytes::Big => big(),
    };
    if found == wanted {
        return Ok(());
    }
    let start = found.get(..100).unwrap_or(&found).escape_ascii();
    Err(format!(
        "{}: {} bytes, {start}",
        path.display(),
        found.len()
    ))
}
