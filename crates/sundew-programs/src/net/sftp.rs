//! `sftp` of OpenSSH 9.2: a person at an SFTP server.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::observe::{Download, Observation};
use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Process, STDIN};
use sundew_posix::pattern::{Options, Pattern};
use sundew_vfs::Metadata;

use self::link::{Fault, Link};
use super::scp::{create, meter};
use super::sftp_server::wire::Attributes;
use super::ssh::letters::Alphabet;

mod command;
pub(super) mod link;
pub(super) mod meter;

const USAGE: &str = include_str!("sftp/usage.txt");
const LETTERS: Alphabet = Alphabet {
    with_value: b"BbcDFiJloPRSsX",
    alone: b"46AaCfNpqrv",
};
/// Lines of a batch.
const MAX_LINES: usize = 4096;

/// Where a file is on another machine.
#[derive(Debug, Clone)]
pub(super) struct Place {
    user: Option<Vec<u8>>,
    pub(super) host: Vec<u8>,
    port: Option<Vec<u8>>,
    pub(super) path: Vec<u8>,
}

impl Place {
    /// From `[user@]host` and a path.
    pub(super) fn new(host: &[u8], path: &[u8]) -> Self {
        let (user, host) = match host.iter().rposition(|&byte| byte == b'@') {
            Some(at) => {
                let (user, host) = host.split_at(at);
                (Some(user.to_vec()), host.get(1..).unwrap_or_default())
            }
            None => (None, host),
        };
        let bare = host
            .strip_prefix(b"[")
            .and_then(|host| host.strip_suffix(b"]"));
        Self {
            user,
            host: bare.unwrap_or(host).to_vec(),
            port: None,
            path: path.to_vec(),
        }
    }

    /// With this port, unless it names one itself.
    pub(super) fn or_port(&self, port: Option<&[u8]>) -> Self {
        let mut place = self.clone();
        place.port = place.port.or_else(|| port.map(<[u8]>::to_vec));
        place
    }

    /// From what follows `scp://` or `sftp://`.
    pub(super) fn of_url(rest: &[u8]) -> Option<Self> {
        let mut parts = rest.splitn(2, |&byte| byte == b'/');
        let (host, path) = (parts.next()?, parts.next().unwrap_or_default());
        let after_user = host.iter().rposition(|&byte| byte == b'@').unwrap_or(0);
        let colon = host.iter().rposition(|&byte| byte == b':');
        let (host, port) = match colon.filter(|at| *at > after_user) {
            Some(at) => (host.get(..at)?, host.get(at + 1..)),
            None => (host, None),
        };
        let mut place = Self::new(host, path);
        place.port = port.map(<[u8]>::to_vec);
        Some(place)
    }

    /// As events name a file of it.
    pub(super) fn url(&self, scheme: &[u8], path: &[u8]) -> Vec<u8> {
        let user = self
            .user
            .as_ref()
            .map(|user| [user.as_slice(), b"@"].concat());
        let port = self
            .port
            .as_ref()
            .map(|port| [b":", port.as_slice()].concat());
        let slash = if path.starts_with(b"/") { "" } else { "/" };
        [
            scheme,
            b"://",
            &user.unwrap_or_default(),
            &self.host,
            &port.unwrap_or_default(),
            slash.as_bytes(),
            path,
        ]
        .concat()
    }

    /// How ssh is started for it; the last [`tail`](Self::tail) words name the place.
    pub(super) fn ssh_args(&self, program: &[u8]) -> Vec<Vec<u8>> {
        let mut args: Vec<Vec<u8>> = vec![program.to_vec()];
        args.extend(
            [
                "-x",
                "-oPermitLocalCommand=no",
                "-oClearAllForwardings=yes",
                "-oRemoteCommand=none",
                "-oRequestTTY=no",
                "-oForwardAgent=no",
            ]
            .map(|word| word.as_bytes().to_vec()),
        );
        if let Some(user) = &self.user {
            args.extend([b"-l".to_vec(), user.clone()]);
        }
        if let Some(port) = &self.port {
            args.extend([b"-p".to_vec(), port.clone()]);
        }
        args.extend([
            b"-s".to_vec(),
            b"--".to_vec(),
            self.host.clone(),
            b"sftp".to_vec(),
        ]);
        args
    }

    /// How many words at the end name the place.
    pub(super) fn tail(&self) -> usize {
        4
    }
}

/// The paths there that a pattern means.
pub(super) async fn expand(
    proc: &Process,
    link: &mut Link,
    pattern: &[u8],
) -> Result<Vec<Vec<u8>>, Fault> {
    if !pattern.iter().any(|byte| b"*?[".contains(byte)) {
        return link
            .stat(proc, pattern)
            .await
            .map(|_| vec![pattern.to_vec()]);
    }
    let at = pattern.iter().rposition(|&byte| byte == b'/');
    let (directory, name) = pattern.split_at(at.map_or(0, |at| at + 1));
    let place = if directory.is_empty() {
        b".".as_slice()
    } else {
        directory
    };
    let entries = link.list(proc, place).await?;
    let pattern = Pattern::from_bytes(name, Options::default());
    let matching = entries.iter().filter(|entry| {
        // A dot at the start is named, not meant.
        pattern.matches(&entry.name) && (!entry.name.starts_with(b".") || name.starts_with(b"."))
    });
    Ok(matching
        .map(|entry| [directory, &entry.name].concat())
        .collect())
}

/// Fetches one file; what was being done when it failed, and why.
pub(super) async fn get_file(
    proc: &Process,
    link: &mut Link,
    from: &[u8],
    to: &[u8],
    attributes: &Attributes,
    download: Download,
    shown: bool,
) -> Result<(), (String, Fault)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mode = attributes.mode.unwrap_or(0o666) & 0o777 | 0o200;
    let fd = create(proc, to, mode)
        .await
        .map_err(|errno| (format!("open local \"{}\"", text(to)), Fault::Local(errno)))?;
    let mut meter = meter(proc, from, attributes.size.unwrap_or(0), shown).await;
    let fetched = link.fetch(proc, from, fd, download, &mut meter).await;
    // Opened above.
    let _open = proc.close(fd);
    let count = fetched.map_err(|fault| match fault {
        Fault::Local(_) => (format!("write local \"{}\"", text(to)), fault),
        _ => (format!("open \"{}\"", text(from)), fault),
    })?;
    meter.end(proc, count).await;
    Ok(())
}

/// Stores one file; what was being done when it failed, and why.
pub(super) async fn put_file(
    proc: &Process,
    link: &mut Link,
    from: &[u8],
    to: &[u8],
    metadata: &Metadata,
    shown: bool,
) -> Result<(), (String, Fault)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fd = proc.open(from, OpenFlags::READ, 0).await;
    let fd = fd.map_err(|errno| {
        (
            format!("open local \"{}\"", text(from)),
            Fault::Local(errno),
        )
    })?;
    let mut meter = meter(proc, from, metadata.size, shown).await;
    let stored = link
        .store(proc, fd, to, metadata.mode & 0o777, &mut meter)
        .await;
    // Opened above.
    let _open = proc.close(fd);
    stored.map_err(|fault| (format!("dest open \"{}\"", text(to)), fault))?;
    meter.end(proc, metadata.size).await;
    Ok(())
}

/// A command line.
#[derive(Default)]
struct Line {
    port: Option<Vec<u8>>,
    ssh: Vec<Vec<u8>>,
    program: Vec<u8>,
    server: Option<Vec<u8>>,
    batch: Option<Vec<u8>>,
    quiet: bool,
    operands: Vec<Vec<u8>>,
}

fn read(args: &[Vec<u8>]) -> Result<Line, String> {
    let mut line = Line {
        program: b"/usr/bin/ssh".to_vec(),
        ..Line::default()
    };
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let letters = word.strip_prefix(b"-").filter(|rest| !rest.is_empty());
        let Some(letters) = letters else {
            line.operands.push(word.clone());
            continue;
        };
        for (letter, value) in LETTERS.read(letters, &mut words)? {
            line.ssh
                .extend(super::ssh::letters::handed_on(letter, value.as_deref()));
            match (letter, value) {
                (b'P', value) => line.port = value,
                (b'S', Some(value)) => line.program = value,
                (b'D', value) => line.server = value,
                (b'b', value) => {
                    line.ssh.push(b"-obatchmode yes".to_vec());
                    line.batch = value;
                }
                (b'q', None) => line.quiet = true,
                _ => {}
            }
        }
    }
    Ok(line)
}

/// `sftp`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match read(proc.args()) {
        Ok(line) if line.server.is_some() || matches!(line.operands.len(), 1 | 2) => line,
        Ok(_) => {
            proc.print_error(USAGE.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
        Err(complaint) => {
            proc.print_error([complaint.as_str(), USAGE].concat().as_bytes())
                .await;
            return ExitStatus::FAILURE;
        }
    };
    let operand = line.operands.first().cloned().unwrap_or_default();
    let place = match operand.strip_prefix(b"sftp://") {
        Some(rest) => Place::of_url(rest),
        None => {
            let bracket = operand.iter().position(|&byte| byte == b']').unwrap_or(0);
            let colon = operand.iter().skip(bracket).position(|&byte| byte == b':');
            let (host, path) = operand.split_at(colon.map_or(operand.len(), |at| at + bracket));
            Some(Place::new(host, path.get(1..).unwrap_or_default()))
        }
    };
    let Some(place) = place.map(|place| place.or_port(line.port.as_deref())) else {
        proc.print_error(USAGE.as_bytes()).await;
        return ExitStatus::FAILURE;
    };
    let (program, args) = match &line.server {
        Some(server) => {
            let args: Vec<Vec<u8>> = server
                .split(|&byte| byte == b' ')
                .filter(|word| !word.is_empty())
                .map(<[u8]>::to_vec)
                .collect();
            (args.first().cloned().unwrap_or_default(), args)
        }
        None => {
            let mut args = place.ssh_args(&line.program);
            let end = args.len().saturating_sub(place.tail());
            args.splice(end..end, line.ssh.iter().cloned());
            (line.program.clone(), args)
        }
    };
    let Ok(mut link) = Link::open(proc, program, args).await else {
        proc.print_error(b"Connection closed\r\n").await;
        return ExitStatus::Exited(255);
    };
    if !line.quiet && line.batch.is_none() {
        let text = match &line.server {
            Some(server) => format!("Attached to {}.\n", String::from_utf8_lossy(server)),
            None => format!("Connected to {}.\n", String::from_utf8_lossy(&place.host)),
        };
        proc.print_error(text.as_bytes()).await;
    }
    let status = talk(proc, &line, &mut link, place).await;
    link.close(proc).await;
    status
}

/// Takes commands until there are no more.
async fn talk(proc: &mut Process, line: &Line, link: &mut Link, place: Place) -> ExitStatus {
    let Ok(directory) = link.real_path(proc, b".").await else {
        proc.print_error(b"Need cwd\r\n").await;
        return ExitStatus::FAILURE;
    };
    let asked_for = place.path.clone();
    let mut talk = command::Talk {
        link,
        place,
        directory,
        batch: line.batch.is_some() || line.quiet,
        shown: !line.quiet && line.batch.is_none(),
    };
    if !asked_for.is_empty() {
        let path = talk.there(&asked_for);
        let attributes = talk.link.stat(proc, &path).await;
        let directory = attributes
            .as_ref()
            .is_ok_and(|one| one.mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000));
        if directory && line.operands.len() < 2 {
            let text = format!("Changing to: {}\n", String::from_utf8_lossy(&path));
            proc.print_error(text.as_bytes()).await;
            talk.directory = path;
        } else {
            let to = line.operands.get(1).cloned();
            return talk.get(proc, &asked_for, to.as_deref(), directory).await;
        }
    }
    let input = match line.batch.as_deref() {
        None | Some(b"-") => STDIN,
        Some(path) => match proc.open(path, OpenFlags::READ, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                let text = format!(
                    "{} ({}).\r\n",
                    errno.message(),
                    String::from_utf8_lossy(path)
                );
                proc.print_error(text.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
        },
    };
    let typed = proc.is_terminal(input);
    let mut lines = LineReader::new(proc, input);
    for _ in 0..MAX_LINES {
        // Whoever does not read the prompt does not read what follows either.
        let _closed = proc.print(b"sftp> ").await;
        let _closed = proc.flush().await;
        let Ok(Some(text)) = lines.next(proc, b'\n').await else {
            let _closed = proc.print(b"\n").await;
            break;
        };
        let text = text.trim_ascii().to_vec();
        if !typed {
            let _closed = proc.print(&[text.as_slice(), b"\n"].concat()).await;
            let _closed = proc.flush().await;
        }
        proc.observe(Observation::ProgramInput {
            pid: proc.pid(),
            program: b"sftp".to_vec(),
            text: text.clone(),
        });
        match talk.run(proc, &text).await {
            command::Next::Go => {}
            command::Next::Failed if line.batch.is_some() => return ExitStatus::FAILURE,
            command::Next::Failed => {}
            command::Next::End => break,
        }
    }
    proc.status()
}
