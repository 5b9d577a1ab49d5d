//! `hostnamectl`, `timedatectl`, `loginctl` of systemd 252: what its daemons say of a booted machine.

use sundew_kernel::{Errno, ExitStatus, Process, STDOUT, Signal};

use super::bus::unknown_verb;
use super::cli::{self, Line, Order};
use super::systemd::{NOT_BOOTED, is_booted, no_authentication};
use crate::time::{Shown, Zone, parse};
use crate::users::Directory;

/// The first line of a file, without blanks around it.
async fn first_line(proc: &Process, path: &[u8]) -> String {
    let text = super::read(proc, path).await.unwrap_or_default();
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    super::text(line.trim_ascii())
}

/// Rows as systemd's tables without a head show them: names to the right, then the values.
fn rows(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    rows.iter()
        .map(|(name, value)| format!("{name:>width$} {value}\n"))
        .collect()
}

/// Reads the command line; `Err` is what has been answered already.
async fn begin(proc: &mut Process, name: &str) -> Result<Line, ExitStatus> {
    let line = cli::read(proc, name, 1, Order::Any).await?;
    if is_booted(proc) {
        Ok(line)
    } else {
        Err(super::fail(proc, NOT_BOOTED, 1).await)
    }
}

async fn too_many(proc: &mut Process) -> ExitStatus {
    super::fail(proc, "Too many arguments.\n", 1).await
}

async fn too_few(proc: &mut Process) -> ExitStatus {
    super::fail(proc, "Too few arguments.\n", 1).await
}

pub(super) async fn hostnamectl(proc: &mut Process) -> ExitStatus {
    let line = match begin(proc, "hostnamectl").await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let verb = line.operands.first().map(Vec::as_slice);
    let value = line.operands.get(1).cloned();
    let count = line.operands.len();
    match verb {
        Some(b"status") if count > 1 => too_many(proc).await,
        None | Some(b"status") => host_status(proc, &line).await,
        Some(b"help") => super::put(proc, cli::section("hostnamectl")).await,
        Some(
            b"hostname" | b"icon-name" | b"chassis" | b"deployment" | b"location" | b"set-hostname"
            | b"set-icon-name" | b"set-chassis" | b"set-deployment" | b"set-location",
        ) if count > 2 => too_many(proc).await,
        Some(b"hostname") if value.is_none() => {
            let name = [proc.facts().hostname.as_slice(), b"\n"].concat();
            super::put(proc, name).await
        }
        Some(b"icon-name") if value.is_none() => super::put(proc, "computer-vm\n").await,
        Some(b"chassis") if value.is_none() => super::put(proc, "vm\n").await,
        Some(b"deployment" | b"location") if value.is_none() => super::put(proc, "\n").await,
        Some(verb) if verb.starts_with(b"set-") && value.is_none() => too_few(proc).await,
        Some(b"hostname" | b"set-hostname") => {
            set_hostname(proc, &line, &value.unwrap_or_default()).await
        }
        Some(
            verb @ (b"icon-name" | b"chassis" | b"deployment" | b"location" | b"set-icon-name"
            | b"set-chassis" | b"set-deployment" | b"set-location"),
        ) => {
            let verb = super::text(verb.strip_prefix(b"set-").unwrap_or(verb));
            if proc.credentials().uid != 0 {
                let what = format!("Could not set {verb}");
                return no_authentication(proc, &what).await;
            }
            let key = verb.to_uppercase().replace('-', "_");
            let value = super::text(&value.unwrap_or_default());
            let known = super::read(proc, b"/etc/machine-info").await;
            let known = super::text(&known.unwrap_or_default());
            let others = known
                .lines()
                .filter(|line| !line.starts_with(&format!("{key}=")));
            let mut text: String = others.map(|line| format!("{line}\n")).collect();
            if !value.is_empty() {
                text += &format!("{key}={value}\n");
            }
            written(
                proc,
                b"/etc/machine-info",
                text.as_bytes(),
                "Could not set property",
            )
            .await
        }
        Some(verb) => unknown_verb(proc, verb).await,
    }
}

async fn written(proc: &mut Process, path: &[u8], text: &[u8], what: &str) -> ExitStatus {
    match super::write(proc, path, text, 0o644).await {
        Ok(()) => proc.status(),
        Err(errno) => super::fail(proc, format!("{what}: {}\n", errno.message()), 1).await,
    }
}

async fn set_hostname(proc: &mut Process, line: &Line, name: &[u8]) -> ExitStatus {
    if proc.credentials().uid != 0 {
        return no_authentication(proc, "Could not set static hostname").await;
    }
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    if name.len() > 64 || !name.iter().all(valid) {
        let text = format!(
            "Could not set property: Invalid static hostname '{}'\n",
            super::text(name)
        );
        return super::fail(proc, text, 1).await;
    }
    if line.has("pretty") {
        return proc.status();
    }
    if line.has("transient") && !line.has("static") {
        let path = b"/proc/sys/kernel/hostname";
        return written(proc, path, name, "Could not set transient hostname").await;
    }
    let text = [name, b"\n"].concat();
    let status = written(
        proc,
        b"/etc/hostname",
        &text,
        "Could not set static hostname",
    )
    .await;
    if status == ExitStatus::SUCCESS {
        // What a running kernel is called follows where it may be changed.
        let _kernel = super::write(proc, b"/proc/sys/kernel/hostname", name, 0o644).await;
    }
    status
}

#[expect(
    clippy::too_many_lines,
    reason = "a row after the other, as they are shown"
)]
async fn host_status(proc: &mut Process, line: &Line) -> ExitStatus {
    let fixed = first_line(proc, b"/etc/hostname").await;
    let current = super::text(&proc.facts().hostname);
    let own = [
        ("static", fixed.as_str()),
        ("transient", current.as_str()),
        ("pretty", ""),
    ];
    if let Some((_, name)) = own.iter().find(|one| line.has(one.0)) {
        return super::put(proc, format!("{name}\n")).await;
    }
    let mut all = vec![("Static hostname:", fixed.clone())];
    if fixed != current {
        all.push(("Transient hostname:", current));
    }
    let dmi = |name: &str| format!("/sys/class/dmi/id/{name}").into_bytes();
    let vendor = first_line(proc, &dmi("sys_vendor")).await;
    let model = first_line(proc, &dmi("product_name")).await;
    let firmware = first_line(proc, &dmi("bios_version")).await;
    let virt = crate::package::hypervisor(proc).await;
    let vm = virt != "none";
    let info = super::read(proc, b"/etc/machine-info")
        .await
        .unwrap_or_default();
    let info = super::text(&info);
    let said = |key: &str| {
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(str::to_owned)
    };
    let kind = if vm { "vm" } else { "server" };
    let chassis = said("CHASSIS").unwrap_or_else(|| kind.to_owned());
    all.push((
        "Icon name:",
        said("ICON_NAME").unwrap_or_else(|| format!("computer-{chassis}")),
    ));
    let picture = match chassis.as_str() {
        "vm" => " 🖴",
        "server" => " 🖳",
        "desktop" => " 🖥️",
        "laptop" => " 💻",
        "container" => " ☐",
        _ => "",
    };
    all.push(("Chassis:", format!("{chassis}{picture}")));
    all.extend(said("DEPLOYMENT").map(|value| ("Deployment:", value)));
    all.extend(said("LOCATION").map(|value| ("Location:", value)));
    all.push(("Machine ID:", first_line(proc, b"/etc/machine-id").await));
    let boot = first_line(proc, b"/proc/sys/kernel/random/boot_id").await;
    all.push(("Boot ID:", boot.replace('-', "")));
    if vm {
        all.push(("Virtualization:", virt.to_owned()));
    }
    let os = super::text(&proc.facts().os.pretty_name);
    let linked = proc.is_terminal(STDOUT)
        && proc
            .env()
            .value(b"TERM")
            .is_some_and(|term| term != b"dumb");
    all.push((
        "Operating System:",
        if linked {
            format!("\x1b]8;;https://www.debian.org/\x07{os}\x1b]8;;\x07")
        } else {
            os
        },
    ));
    let release = super::text(&proc.facts().kernel_release);
    all.push(("Kernel:", format!("Linux {release}")));
    all.push(("Architecture:", "x86-64".to_owned()));
    // As udev cleans what it takes from the firmware.
    let clean = |text: String| -> String {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "#+-.:=@_/ $%?,".contains(c);
        text.chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect()
    };
    for (name, value) in [
        ("Hardware Vendor:", clean(vendor)),
        ("Hardware Model:", clean(model)),
        ("Firmware Version:", firmware),
    ] {
        if !value.is_empty() {
            all.push((name, value));
        }
    }
    super::put(proc, rows(&all)).await
}

/// The name of the zone by the link that `/etc/localtime` is.
fn zone_name(proc: &Process) -> String {
    let target = proc.read_link(b"/etc/localtime").unwrap_or_default();
    let target = super::text(&target);
    target
        .rsplit_once("/zoneinfo/")
        .map_or_else(|| "UTC".to_owned(), |(_, name)| name.to_owned())
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn timedatectl(proc: &mut Process) -> ExitStatus {
    let line = match begin(proc, "timedatectl").await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let now = proc.now();
    let zone = Zone::of(proc).await;
    let form = |zone: &Zone, form: &[u8]| super::text(&Shown::new(now, zone).format(form));
    let root = proc.credentials().uid == 0;
    let value = line.operands.get(1).map(|value| super::text(value));
    let verb = line.operands.first().map(Vec::as_slice);
    match verb {
        None | Some(b"status") => {
            let name = zone_name(proc);
            let all = [
                ("Local time:", form(&zone, b"%a %Y-%m-%d %H:%M:%S %Z")),
                (
                    "Universal time:",
                    form(&Zone::utc(), b"%a %Y-%m-%d %H:%M:%S UTC"),
                ),
                ("RTC time:", form(&Zone::utc(), b"%a %Y-%m-%d %H:%M:%S")),
                ("Time zone:", format!("{name} ({})", form(&zone, b"%Z, %z"))),
                ("System clock synchronized:", "no".to_owned()),
                ("NTP service:", "n/a".to_owned()),
                ("RTC in local TZ:", "no".to_owned()),
            ];
            super::put(proc, rows(&all)).await
        }
        Some(b"show") => {
            let all = [
                ("Timezone", zone_name(proc)),
                ("LocalRTC", "no".to_owned()),
                ("CanNTP", "no".to_owned()),
                ("NTP", "no".to_owned()),
                ("NTPSynchronized", "no".to_owned()),
                ("TimeUSec", form(&zone, b"%a %Y-%m-%d %H:%M:%S %Z")),
                ("RTCTimeUSec", form(&zone, b"%a %Y-%m-%d %H:%M:%S %Z")),
            ];
            let out = properties(&line, &all);
            super::put(proc, out).await
        }
        Some(b"list-timezones") => {
            let out = zones(proc).join("\n") + "\n";
            super::put(proc, out).await
        }
        Some(b"set-time" | b"set-timezone" | b"set-local-rtc" | b"set-ntp") if value.is_none() => {
            too_few(proc).await
        }
        Some(b"set-timezone") => {
            let name = value.unwrap_or_default();
            let path = format!("/usr/share/zoneinfo/{name}");
            let known = !name.is_empty() && !name.contains("..") && !name.starts_with('/');
            if !known || proc.read_small_file(path.as_bytes()).is_err() {
                let text = format!(
                    "Failed to set time zone: Invalid or not installed time zone '{name}'\n"
                );
                return super::fail(proc, text, 1).await;
            }
            if !root {
                return no_authentication(proc, "Failed to set time zone").await;
            }
            let _old = proc.unlink(b"/etc/localtime");
            let target = format!("../usr/share/zoneinfo/{name}");
            if let Err(errno) = proc.symlink(target.as_bytes(), b"/etc/localtime") {
                let text = format!("Failed to set time zone: {}\n", errno.message());
                return super::fail(proc, text, 1).await;
            }
            let text = format!("{name}\n");
            written(
                proc,
                b"/etc/timezone",
                text.as_bytes(),
                "Failed to set time zone",
            )
            .await
        }
        Some(b"set-ntp") if !matches!(value.as_deref(), Some(word) if is_boolean(word)) => {
            let word = value.unwrap_or_default();
            let why = Errno::Einval.message();
            super::fail(
                proc,
                format!("Failed to parse NTP setting '{word}': {why}\n"),
                1,
            )
            .await
        }
        Some(b"set-ntp") => super::fail(proc, "Failed to set ntp: NTP not supported\n", 1).await,
        Some(b"set-time") => {
            let word = value.unwrap_or_default();
            if parse::parse(word.as_bytes(), now, &zone).is_none() {
                let why = Errno::Einval.message();
                let text = format!("Failed to parse time specification '{word}': {why}\n");
                return super::fail(proc, text, 1).await;
            }
            if !root {
                return no_authentication(proc, "Failed to set time").await;
            }
            // As in `date -s`: the clock is the host's.
            let why = Errno::Eperm.message();
            super::fail(
                proc,
                format!("Failed to set time: Failed to set local time: {why}\n"),
                1,
            )
            .await
        }
        Some(b"set-local-rtc") => {
            if root {
                proc.status()
            } else {
                no_authentication(proc, "Failed to set local RTC").await
            }
        }
        Some(verb @ (b"timesync-status" | b"show-timesync")) => {
            let what = if verb == b"timesync-status" {
                "query server"
            } else {
                "parse bus message"
            };
            let text = format!(
                "Failed to {what}: The name org.freedesktop.timesync1 was not provided by any .service files\n"
            );
            super::fail(proc, text, 1).await
        }
        Some(b"help") => super::put(proc, cli::section("timedatectl")).await,
        Some(verb) => unknown_verb(proc, verb).await,
    }
}

fn is_boolean(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    [
        "1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f", "off",
    ]
    .contains(&word.as_str())
}

/// `NAME=VALUE` lines, those asked for with `-p` or all.
fn properties(line: &Line, all: &[(&str, String)]) -> String {
    let asked: Vec<String> = line
        .options
        .iter()
        .filter(|option| option.0 == "property" || option.0 == "P")
        .flat_map(|option| {
            super::text(&option.1)
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let bare = line.has("value") || line.has("P");
    all.iter()
        .filter(|(name, _)| asked.is_empty() || asked.iter().any(|one| one == name))
        .map(|(name, value)| {
            if bare {
                format!("{value}\n")
            } else {
                format!("{name}={value}\n")
            }
        })
        .collect()
}

/// The zones that are installed, by their files.
fn zones(proc: &Process) -> Vec<String> {
    const ROOT: &str = "/usr/share/zoneinfo";
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = format!("{ROOT}{folder}");
        for entry in proc.read_directory(path.as_bytes()).unwrap_or_default() {
            let name = super::text(&entry.name);
            if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
                continue;
            }
            let below = format!("{folder}/{name}");
            let full = format!("{ROOT}{below}");
            let is_folder = proc
                .stat(full.as_bytes())
                .is_ok_and(|meta| meta.file_type == sundew_vfs::FileType::Directory);
            if is_folder && below.matches('/').count() < 4 {
                folders.push(below);
            } else if !is_folder {
                found.extend(below.strip_prefix('/').map(str::to_owned));
            }
        }
    }
    found.sort();
    found
}

/// A session as logind's file tells it.
struct Session {
    id: String,
    fields: Vec<(String, String)>,
}

impl Session {
    fn value(&self, key: &str) -> &str {
        let field = self.fields.iter().find(|field| field.0 == key);
        field.map_or("", |field| field.1.as_str())
    }

    fn leader(&self) -> Option<u32> {
        self.value("LEADER").parse().ok()
    }
}

async fn sessions(proc: &Process) -> Vec<Session> {
    let mut all = Vec::new();
    for entry in proc
        .read_directory(b"/run/systemd/sessions")
        .unwrap_or_default()
    {
        let id = super::text(&entry.name);
        if id.contains('.') {
            continue;
        }
        let path = format!("/run/systemd/sessions/{id}");
        let Ok(text) = super::read(proc, path.as_bytes()).await else {
            continue;
        };
        let text = super::text(&text);
        let fields = text.lines().filter_map(|line| line.split_once('='));
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned()));
        all.push(Session {
            id,
            fields: fields.collect(),
        });
    }
    all.sort_by_key(|session| (session.id.len(), session.id.clone()));
    all
}

/// A table: heads, cells, and which columns lean to the right.
fn table(heads: &[&str], right: &[bool], cells: &[Vec<String>], legend: bool) -> String {
    let width = |at: usize, head: &str| {
        let widest = cells
            .iter()
            .filter_map(|row| row.get(at))
            .map(String::len)
            .max();
        widest.unwrap_or(0).max(if legend { head.len() } else { 0 })
    };
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| width(at, head))
        .collect();
    let line = |row: &[String]| -> String {
        let columns = row.iter().zip(&widths).zip(right);
        let shown: Vec<String> = columns
            .map(|((cell, &width), &right)| {
                if right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        shown.join(" ") + "\n"
    };
    let mut out = String::new();
    if legend {
        out += &line(
            &heads
                .iter()
                .map(|head| (*head).to_owned())
                .collect::<Vec<_>>(),
        );
    }
    out.extend(cells.iter().map(|row| line(row)));
    out
}

#[expect(
    clippy::too_many_lines,
    reason = "an arm for each verb, in the order of the manual"
)]
pub(super) async fn loginctl(proc: &mut Process) -> ExitStatus {
    let line = match begin(proc, "loginctl").await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let all = sessions(proc).await;
    let legend = !line.has("no-legend");
    let verb = line.operands.first().map(Vec::as_slice);
    let names: Vec<String> = line
        .operands
        .iter()
        .skip(1)
        .map(|name| super::text(name))
        .collect();
    match verb {
        None | Some(b"list-sessions") => {
            if all.is_empty() && legend {
                return super::put(proc, "No sessions.\n").await;
            }
            let row = |session: &Session| {
                ["", "UID", "USER", "SEAT", "TTY"]
                    .map(|key| {
                        if key.is_empty() {
                            session.id.clone()
                        } else {
                            session.value(key).to_owned()
                        }
                    })
                    .to_vec()
            };
            let cells: Vec<_> = all.iter().map(row).collect();
            let heads = ["SESSION", "UID", "USER", "SEAT", "TTY"];
            let mut out = table(&heads, &[true, true, false, false, false], &cells, legend);
            if legend {
                out += &format!("\n{} sessions listed.\n", cells.len());
            }
            super::put(proc, out).await
        }
        Some(b"list-users") => {
            let mut cells: Vec<Vec<String>> = all
                .iter()
                .map(|session| {
                    vec![
                        session.value("UID").to_owned(),
                        session.value("USER").to_owned(),
                    ]
                })
                .collect();
            cells.sort();
            cells.dedup();
            if cells.is_empty() && legend {
                return super::put(proc, "No users.\n").await;
            }
            let mut out = table(&["UID", "USER"], &[true, false], &cells, legend);
            if legend {
                out += &format!("\n{} users listed.\n", cells.len());
            }
            super::put(proc, out).await
        }
        Some(b"list-seats") => {
            let mut out = table(&["SEAT"], &[false], &[vec!["seat0".to_owned()]], legend);
            if legend {
                out += "\n1 seats listed.\n";
            }
            super::put(proc, out).await
        }
        Some(b"session-status" | b"show-session") => {
            let own = proc.env().value(b"XDG_SESSION_ID").map(super::text);
            let names = if names.is_empty() {
                own.into_iter().collect()
            } else {
                names
            };
            let status = verb == Some(b"session-status");
            if names.is_empty() && !status {
                return super::put(proc, MANAGER).await;
            }
            for name in names {
                let Some(session) = all.iter().find(|session| session.id == name) else {
                    let text = format!("Failed to get session path: No session '{name}' known\n");
                    return super::fail(proc, text, 1).await;
                };
                let out = if status {
                    session_status(proc, session).await
                } else {
                    properties(&line, &session_properties(session))
                };
                super::put(proc, out).await;
            }
            proc.status()
        }
        Some(b"user-status" | b"show-user") => {
            let directory = Directory::load(proc).await;
            let uid = proc.credentials().uid.to_string();
            let names = if names.is_empty() { vec![uid] } else { names };
            for name in names {
                let user = match name.parse() {
                    Ok(uid) => directory.user_by_id(uid),
                    Err(_) => directory.user(name.as_bytes()),
                };
                let Some(user) = user else {
                    let why = if name.parse::<u32>().is_ok() {
                        format!(
                            "Failed to get user: User ID {name} is not logged in or lingering\n"
                        )
                    } else {
                        let why = Errno::Esrch.message();
                        format!("Failed to look up user {name}: {why}\n")
                    };
                    return super::fail(proc, why, 1).await;
                };
                let theirs: Vec<&Session> = all
                    .iter()
                    .filter(|session| session.value("UID") == user.uid.to_string())
                    .collect();
                if theirs.is_empty() {
                    let text = format!(
                        "Failed to get user: User ID {} is not logged in or lingering\n",
                        user.uid
                    );
                    return super::fail(proc, text, 1).await;
                }
                let ids: Vec<&str> = theirs.iter().map(|session| session.id.as_str()).collect();
                let name = super::text(&user.name);
                let out = if verb == Some(b"user-status") {
                    format!("{name} ({})\n", user.uid)
                        + &rows(&[
                            ("           State:", "active".to_owned()),
                            ("Sessions:", format!("*{}", ids.join(" "))),
                            ("Linger:", "no".to_owned()),
                            ("Unit:", format!("user-{}.slice", user.uid)),
                        ])
                } else {
                    let all = [
                        ("UID", user.uid.to_string()),
                        ("GID", user.gid.to_string()),
                        ("Name", name),
                        ("RuntimePath", format!("/run/user/{}", user.uid)),
                        ("Service", format!("user@{}.service", user.uid)),
                        ("Slice", format!("user-{}.slice", user.uid)),
                        (
                            "Display",
                            ids.first().map_or_else(String::new, |id| (*id).to_owned()),
                        ),
                        ("State", "active".to_owned()),
                        ("Sessions", ids.join(" ")),
                        ("IdleHint", "no".to_owned()),
                        ("Linger", "no".to_owned()),
                    ];
                    properties(&line, &all)
                };
                super::put(proc, out).await;
            }
            proc.status()
        }
        Some(b"seat-status" | b"show-seat") => {
            let out = if verb == Some(b"show-seat") {
                properties(
                    &line,
                    &[
                        ("Id", "seat0".to_owned()),
                        ("CanTTY", "yes".to_owned()),
                        ("CanGraphical", "no".to_owned()),
                        ("Sessions", String::new()),
                        ("IdleHint", "yes".to_owned()),
                    ],
                )
            } else {
                "seat0\n         Devices:\n                  n/a\n".to_owned()
            };
            super::put(proc, out).await
        }
        Some(
            verb @ (b"terminate-session" | b"kill-session" | b"terminate-user" | b"kill-user"
            | b"terminate-seat"),
        ) => {
            if names.is_empty() {
                return too_few(proc).await;
            }
            let users = verb.ends_with(b"user");
            for name in names {
                let theirs: Vec<u32> = all
                    .iter()
                    .filter(|session| {
                        if users {
                            session.value("USER") == name || session.value("UID") == name
                        } else {
                            session.id == name
                        }
                    })
                    .filter_map(Session::leader)
                    .collect();
                if theirs.is_empty() && verb != b"terminate-seat" {
                    let text = if users {
                        format!(
                            "Could not kill user: User ID {name} is not logged in or lingering\n"
                        )
                    } else {
                        format!(
                            "Could not {} session: No session '{name}' known\n",
                            if verb == b"kill-session" {
                                "kill"
                            } else {
                                "terminate"
                            }
                        )
                    };
                    return super::fail(proc, text, 1).await;
                }
                if proc.credentials().uid != 0 {
                    return no_authentication(proc, "Could not terminate session").await;
                }
                proc.flush().await.unwrap_or_default();
                for leader in theirs {
                    let _gone = proc.kill(leader, Some(Signal::TERM));
                }
            }
            proc.status()
        }
        Some(
            b"activate" | b"lock-session" | b"unlock-session" | b"lock-sessions"
            | b"unlock-sessions" | b"enable-linger" | b"disable-linger" | b"flush-devices",
        ) => proc.status(),
        Some(b"attach") if names.len() < 2 => too_few(proc).await,
        Some(b"help") => super::put(proc, cli::section("loginctl")).await,
        Some(verb) => unknown_verb(proc, verb).await,
    }
}

/// `show-session` without a session tells of the manager.
const MANAGER: &str = "EnableWallMessages=no\nNAutoVTs=6\nKillUserProcesses=no\nRebootToFirmwareSetup=no\nRebootToBootLoaderMenu=18446744073709551615\nIdleHint=no\nIdleSinceHint=0\nIdleSinceHintMonotonic=0\nInhibitDelayMaxUSec=5s\nUserStopDelayUSec=10s\nHandlePowerKey=poweroff\nHandlePowerKeyLongPress=ignore\nHandleRebootKey=reboot\nHandleRebootKeyLongPress=poweroff\nHandleSuspendKey=suspend\nHandleSuspendKeyLongPress=hibernate\nHandleHibernateKey=hibernate\nHandleHibernateKeyLongPress=ignore\nHandleLidSwitch=suspend\nHandleLidSwitchExternalPower=suspend\nHandleLidSwitchDocked=ignore\nHoldoffTimeoutUSec=30s\nIdleAction=ignore\nIdleActionUSec=30min\nPreparingForShutdown=no\nPreparingForSleep=no\nDocked=no\nLidClosed=no\nOnExternalPower=yes\nRemoveIPC=yes\nRuntimeDirectoryInodesMax=0\nInhibitorsMax=8192\nNCurrentInhibitors=0\nSessionsMax=8192\n";

fn began(session: &Session) -> i64 {
    let micros: i64 = session.value("REALTIME").parse().unwrap_or(0);
    micros / 1_000_000
}

fn session_properties(session: &Session) -> Vec<(&'static str, String)> {
    let at = sundew_vfs::Timestamp {
        secs: began(session),
        nanos: 0,
    };
    let shown = Shown::new(at, &Zone::utc()).format(b"%a %Y-%m-%d %H:%M:%S UTC");
    let own = |key: &str| session.value(key).to_owned();
    vec![
        ("Id", session.id.clone()),
        ("User", own("UID")),
        ("Name", own("USER")),
        ("Timestamp", super::text(&shown)),
        ("VTNr", "0".to_owned()),
        ("TTY", own("TTY")),
        ("Remote", "yes".to_owned()),
        ("RemoteHost", own("REMOTE_HOST")),
        ("Service", own("SERVICE")),
        ("Scope", own("SCOPE")),
        ("Leader", own("LEADER")),
        ("Audit", own("AUDIT")),
        ("Type", own("TYPE")),
        ("Class", own("CLASS")),
        ("Active", "yes".to_owned()),
        ("State", own("STATE")),
        ("IdleHint", "no".to_owned()),
        ("LockedHint", "no".to_owned()),
    ]
}

async fn session_status(proc: &Process, session: &Session) -> String {
    let zone = Zone::of(proc).await;
    let at = sundew_vfs::Timestamp {
        secs: began(session),
        nanos: 0,
    };
    let since = super::text(&Shown::new(at, &zone).format(b"%a %Y-%m-%d %H:%M:%S %Z"));
    let age = (proc.now().secs - at.secs).max(0);
    let ago = match age {
        0..60 => format!("{age}s ago"),
        60..3600 => format!("{}min {}s ago", age / 60, age % 60),
        _ => format!("{}h {}min ago", age / 3600, age % 3600 / 60),
    };
    let processes = proc.processes();
    let leader = session.leader();
    let name = processes.iter().find(|one| Some(one.pid) == leader);
    let name = name.map_or_else(String::new, |one| super::text(&one.name));
    let own = |key: &str| session.value(key).to_owned();
    let mut all = vec![
        ("           Since:", format!("{since}; {ago}")),
        ("Leader:", format!("{} ({name})", own("LEADER"))),
    ];
    if !own("TTY").is_empty() {
        all.push(("TTY:", own("TTY")));
    }
    all.extend([
        ("Remote:", own("REMOTE_HOST")),
        (
            "Service:",
            format!(
                "{}; type {}; class {}",
                own("SERVICE"),
                own("TYPE"),
                own("CLASS")
            ),
        ),
        ("State:", own("STATE")),
        ("Unit:", own("SCOPE")),
    ]);
    let mut out = format!("{} - {} ({})\n", session.id, own("USER"), own("UID")) + &rows(&all);
    // The leader and all that descends from it.
    let mut members: Vec<_> = Vec::new();
    for one in &processes {
        let below = members.iter().any(|member: &&_| {
            let member: &sundew_kernel::process::Summary = member;
            member.pid == one.ppid
        });
        if Some(one.pid) == leader || below {
            members.push(one);
        }
    }
    for (at, one) in members.iter().enumerate() {
        let branch = if at + 1 == members.len() {
            "└─"
        } else {
            "├─"
        };
        let words: Vec<String> = one.args.iter().map(|word| super::text(word)).collect();
        let command = words.join(" ");
        let shown = if words.len() == 1 && command.contains(' ') {
            format!("\"{command}\"")
        } else {
            command
        };
        out += &format!("                  {branch}{} {shown}\n", one.pid);
    }
    out
}
