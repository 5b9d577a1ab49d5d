//! `apt-mark`, `apt-config`, `apt-cdrom` of apt 2.6.1.

use sundew_kernel::{ExitStatus, Process};

use super::cli;

/// What `apt-config dump` prints.
const CONFIG: &str = include_str!("apt-config.txt");
/// Packages that somebody holds, and how.
const STATES: &[u8] = b"/var/lib/apt/extended_states";
const STATUS: &[u8] = b"/var/lib/dpkg/status";
/// What apt ends with when something is wrong.
const FAILED: u8 = 100;

/// Options, verb and its words; or the status to end with.
async fn read(proc: &mut Process, name: &str) -> Result<(Vec<String>, Vec<String>), ExitStatus> {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let (mut options, mut operands) = (Vec::new(), Vec::new());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" | "--help" => return Err(super::put(proc, cli::section(name)).await),
            "-v" | "--version" => {
                let text = cli::section(&format!("{name} version"));
                return Err(super::put(proc, text).await);
            }
            "-o" | "--option" | "-c" | "--config-file" | "-f" | "--file" => {
                options.push(word);
                options.extend(words.next());
            }
            "-q" | "-qq" | "--quiet" | "-s" | "--simulate" | "--dry-run" | "-y" | "--empty"
            | "--no-empty" | "-m" | "--no-mount" | "-r" | "-a" | "--no-act" | "--just-print" => {
                options.push(word);
            }
            option
                if option.starts_with("-o")
                    || option.starts_with("--format")
                    || option.starts_with("--cdrom")
                    || option.starts_with("-d") =>
            {
                options.push(word);
            }
            option if option.starts_with('-') && option.len() > 1 => {
                let text = format!(
                    "E: Command line option {option} is not understood in combination with the other options\n"
                );
                return Err(super::fail(proc, text, FAILED).await);
            }
            _ => operands.push(word),
        }
    }
    if operands.is_empty() {
        super::put(proc, cli::section(name)).await;
        return Err(ExitStatus::FAILURE);
    }
    Ok((options, operands))
}

/// Installed packages, and whether each is held.
async fn packages(proc: &Process) -> Vec<(String, bool)> {
    let text = super::read(proc, STATUS).await.unwrap_or_default();
    let text = super::text(&text);
    let mut all: Vec<(String, bool)> = text
        .split("\n\n")
        .filter_map(|paragraph| {
            let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
            let status = field("Status: ")?;
            let name = field("Package: ")?.to_owned();
            status
                .ends_with(" installed")
                .then(|| (name, status.starts_with("hold ")))
        })
        .collect();
    all.sort();
    all
}

/// Packages that were installed for others' sake.
async fn automatic(proc: &Process) -> Vec<String> {
    let text = super::read(proc, STATES).await.unwrap_or_default();
    let text = super::text(&text);
    let paragraphs = text.split("\n\n");
    let names = paragraphs.filter(|paragraph| paragraph.contains("Auto-Installed: 1"));
    names
        .filter_map(|paragraph| {
            let mut lines = paragraph.lines();
            lines
                .find_map(|line| line.strip_prefix("Package: "))
                .map(str::to_owned)
        })
        .collect()
}

const LOCK: &str = "E: Could not create temporary file for /var/lib/apt/extended_states - mkstemp (13: Permission denied)\nE: Failed to write temporary StateFile /var/lib/apt/extended_states\n";

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn mark(proc: &mut Process) -> ExitStatus {
    let (_options, operands) = match read(proc, "apt-mark").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let all = packages(proc).await;
    let verb = operands.first().cloned().unwrap_or_default();
    let names = operands.get(1..).unwrap_or_default();
    match verb.as_str() {
        "showhold" | "showholds" => {
            let held = all.iter().filter(|one| one.1);
            let rows = held.filter(|one| names.is_empty() || names.contains(&one.0));
            let out: String = rows.map(|one| format!("{}\n", one.0)).collect();
            return super::put(proc, out).await;
        }
        "showmanual" | "showauto" => {
            let auto = automatic(proc).await;
            let wanted = verb == "showauto";
            let rows = all.iter().filter(|one| auto.contains(&one.0) == wanted);
            let rows = rows.filter(|one| names.is_empty() || names.contains(&one.0));
            let out: String = rows.map(|one| format!("{}\n", one.0)).collect();
            return super::put(proc, out).await;
        }
        "minimize-manual" => return super::put(proc, "No changes necessary\n").await,
        "help" => return super::put(proc, cli::section("apt-mark")).await,
        "hold" | "unhold" | "auto" | "manual" | "install" | "remove" | "purge" | "deinstall" => {}
        verb => return super::fail(proc, format!("E: Invalid operation {verb}\n"), FAILED).await,
    }
    let mut missing = String::new();
    for name in names {
        if !all.iter().any(|one| one.0 == *name) {
            missing.push_str(&format!("E: Unable to locate package {name}\n"));
        }
    }
    if names.is_empty() || !missing.is_empty() {
        return super::fail(proc, format!("{missing}E: No packages found\n"), FAILED).await;
    }
    if proc.credentials().uid != 0 {
        return match verb.as_str() {
            "auto" | "manual" => super::fail(proc, LOCK, FAILED).await,
            _ => {
                let text = "dpkg: error: requested operation requires superuser privilege\nE: Executing dpkg failed. Are you root?\n";
                super::fail(proc, text, FAILED).await
            }
        };
    }
    if matches!(verb.as_str(), "auto" | "manual") {
        return set_automatic(proc, names, verb == "auto").await;
    }
    let hold = verb == "hold";
    let status = super::read(proc, STATUS).await.unwrap_or_default();
    let status = super::text(&status);
    let mut out = String::new();
    let mut changed: Vec<String> = status.split("\n\n").map(str::to_owned).collect();
    for name in names {
        let head = format!("Package: {name}");
        let held = all.iter().any(|one| one.0 == *name && one.1);
        if held == hold || !matches!(verb.as_str(), "hold" | "unhold") {
            let text = match verb.as_str() {
                "hold" => format!("{name} was already set on hold.\n"),
                "unhold" => format!("{name} was already not on hold.\n"),
                verb => format!("Selected {name} for {verb}.\n"),
            };
            out.push_str(&text);
            continue;
        }
        for paragraph in &mut changed {
            if paragraph.lines().any(|line| line == head) {
                let (from, to) = if hold {
                    ("install ", "hold ")
                } else {
                    ("hold ", "install ")
                };
                *paragraph =
                    paragraph.replacen(&format!("Status: {from}"), &format!("Status: {to}"), 1);
            }
        }
        let text = if hold {
            format!("{name} set on hold.\n")
        } else {
            format!("Canceled hold on {name}.\n")
        };
        out.push_str(&text);
    }
    if let Err(errno) = super::write(proc, STATUS, changed.join("\n\n").as_bytes(), 0o644).await {
        let text = format!("E: Executing dpkg failed: {}\n", errno.message());
        return super::fail(proc, text, FAILED).await;
    }
    super::put(proc, out).await
}

async fn set_automatic(proc: &mut Process, names: &[String], auto: bool) -> ExitStatus {
    let mut known = automatic(proc).await;
    let mut out = String::new();
    for name in names {
        let was = known.contains(name);
        let text = match (auto, was) {
            (true, true) => format!("{name} was already set to automatically installed.\n"),
            (false, false) => format!("{name} was already set to manually installed.\n"),
            (true, false) => format!("{name} set to automatically installed.\n"),
            (false, true) => format!("{name} set to manually installed.\n"),
        };
        out.push_str(&text);
        known.retain(|other| other != name);
        if auto {
            known.push(name.clone());
        }
    }
    let rows = known
        .iter()
        .map(|name| format!("Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n"));
    let text: String = rows.collect();
    if super::write(proc, STATES, text.as_bytes(), 0o644)
        .await
        .is_err()
    {
        return super::fail(proc, LOCK, FAILED).await;
    }
    super::put(proc, out).await
}

pub(super) async fn config(proc: &mut Process) -> ExitStatus {
    let (options, operands) = match read(proc, "apt-config").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut rows: Vec<(String, String)> = CONFIG
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            let value = value.strip_prefix('"')?.strip_suffix("\";")?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    for pair in options.windows(2) {
        if let [flag, text] = pair
            && flag == "-o"
            && let Some((name, value)) = text.split_once('=')
        {
            match rows.iter_mut().find(|row| row.0.eq_ignore_ascii_case(name)) {
                Some(row) => value.clone_into(&mut row.1),
                None => rows.push((name.to_owned(), value.to_owned())),
            }
        }
    }
    match operands.first().map(String::as_str) {
        Some("dump") => {
            let wanted = operands.get(1..).unwrap_or_default();
            let no_empty = options.iter().any(|option| option == "--no-empty");
            let shown = rows.iter().filter(|(name, value)| {
                let below = wanted.is_empty()
                    || wanted.iter().any(|root| {
                        let rest = name
                            .get(..root.len())
                            .filter(|head| head.eq_ignore_ascii_case(root));
                        let tail = name.get(root.len()..).unwrap_or_default();
                        rest.is_some() && (tail.is_empty() || tail.starts_with("::"))
                    });
                below && !(no_empty && value.is_empty())
            });
            let out: String = shown
                .map(|(name, value)| format!("{name} \"{value}\";\n"))
                .collect();
            super::put(proc, out).await
        }
        Some("shell") => {
            let words = operands.get(1..).unwrap_or_default();
            if words.is_empty() || words.len() % 2 == 1 {
                return super::fail(proc, "E: Arguments not in pairs\n", FAILED).await;
            }
            let mut out = String::new();
            for pair in words.chunks_exact(2) {
                let [variable, name] = pair else { continue };
                let (bare, suffix) = name.rsplit_once('/').unwrap_or((name, ""));
                let row = rows
                    .iter()
                    .find(|row| row.0.eq_ignore_ascii_case(bare) && !row.1.is_empty());
                if let Some((full, value)) = row {
                    // `/d` and `/f` ask for the whole path.
                    let value = match suffix {
                        "d" | "f" | "f/" | "d/" => directory(&rows, full, value, suffix == "d"),
                        _ => value.clone(),
                    };
                    out.push_str(&format!("{variable}='{value}'\n"));
                }
            }
            super::put(proc, out).await
        }
        Some(verb) => super::fail(proc, format!("E: Invalid operation {verb}\n"), FAILED).await,
        None => proc.status(),
    }
}

/// A path with those of the names above it in front.
fn directory(rows: &[(String, String)], name: &str, value: &str, slash: bool) -> String {
    let mut path = value.to_owned();
    let mut at = name;
    while !path.starts_with('/') {
        let Some((parent, _)) = at.rsplit_once("::") else {
            break;
        };
        at = parent;
        let above = rows
            .iter()
            .find(|row| row.0 == at)
            .map_or("", |row| row.1.as_str());
        if !above.is_empty() {
            path = format!("{}/{path}", above.trim_end_matches('/'));
        }
    }
    if slash && !path.ends_with('/') {
        path.push('/');
    }
    path
}

pub(super) async fn cdrom(proc: &mut Process) -> ExitStatus {
    let (_options, operands) = match read(proc, "apt-cdrom").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    match operands.first().map(String::as_str) {
        Some("add" | "ident") => {
            super::put(proc, "Using CD-ROM mount point /media/cdrom/\nUnmounting CD-ROM...\nWaiting for disc...\nPlease insert a Disc in the drive and press [Enter] ").await;
            let _flushed = proc.flush().await;
            let mut lines = sundew_kernel::process::LineReader::new(proc, sundew_kernel::STDIN);
            let _answer = lines.next(proc, b'\n').await;
            let text = "\nMounting CD-ROM...\nE: Failed to mount the cdrom.\nE: No CD-ROM could be auto-detected or found using the default mount point.\n   You may try the --cdrom option to set the CD-ROM mount point.\n   See 'man apt-cdrom' for more information about the CD-ROM auto-detection and mount point.\n";
            super::fail(proc, text, FAILED).await
        }
        Some("help") | None => super::put(proc, cli::section("apt-cdrom")).await,
        Some(verb) => super::fail(proc, format!("E: Invalid operation {verb}\n"), FAILED).await,
    }
}
