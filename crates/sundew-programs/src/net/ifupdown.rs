//! `ifup`, `ifdown`, `ifquery` of ifupdown 0.8.41: interfaces(5) and what is up by `/run/network/ifstate`.

use std::net::Ipv4Addr;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process};

const STATE: &[u8] = b"/run/network/ifstate";

/// One `iface` of the file.
#[derive(Default)]
struct Stanza {
    name: String,
    method: String,
    options: Vec<(String, String)>,
}

/// The file and those it names.
#[derive(Default)]
struct Interfaces {
    auto: Vec<String>,
    allowed: Vec<(String, String)>,
    stanzas: Vec<Stanza>,
}

async fn load(proc: &Process, path: &str, known: &mut Interfaces, depth: u8) -> bool {
    let Ok((bytes, _memory)) = crate::text::input::read_all(proc, path.as_bytes()).await else {
        return false;
    };
    let text = String::from_utf8_lossy(&bytes).replace("\\\n", " ");
    for line in text.lines() {
        proc.tick().await;
        let mut words = line.split_whitespace();
        let Some(first) = words.next().filter(|word| !word.starts_with('#')) else {
            continue;
        };
        let rest: Vec<String> = words.map(str::to_owned).collect();
        match first {
            "auto" => known.auto.extend(rest),
            "iface" => {
                let mut rest = rest.into_iter();
                known.stanzas.push(Stanza {
                    name: rest.next().unwrap_or_default(),
                    method: rest.nth(1).unwrap_or_default(),
                    options: Vec::new(),
                });
            }
            "source" | "source-directory" if depth < 8 => {
                for pattern in rest {
                    let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", &pattern));
                    if name.contains('*') || first == "source-directory" {
                        let folder = if first == "source" {
                            folder
                        } else {
                            pattern.as_str()
                        };
                        let mut names: Vec<_> = proc
                            .read_directory(folder.as_bytes())
                            .unwrap_or_default()
                            .iter()
                            .map(|entry| String::from_utf8_lossy(&entry.name).into_owned())
                            .collect();
                        names.sort();
                        for name in names.iter().filter(|name| !name.starts_with('.')) {
                            Box::pin(load(proc, &format!("{folder}/{name}"), known, depth + 1))
                                .await;
                        }
                    } else {
                        Box::pin(load(proc, &pattern, known, depth + 1)).await;
                    }
                }
            }
            "mapping" | "no-auto-down" | "no-scripts" | "rename" | "template" | "source"
            | "source-directory" => {}
            _ => {
                if let Some(class) = first.strip_prefix("allow-") {
                    known
                        .allowed
                        .extend(rest.into_iter().map(|name| (class.to_owned(), name)));
                } else if let Some(stanza) = known.stanzas.last_mut() {
                    stanza.options.push((first.to_owned(), rest.join(" ")));
                }
            }
        }
    }
    true
}

/// The address with what follows from its prefix.
fn completed(stanza: &Stanza) -> Vec<(String, String)> {
    let mut options = stanza.options.clone();
    let address = options.iter_mut().find(|option| option.0 == "address");
    let Some((address, prefix)) = address.and_then(|option| {
        let (address, prefix) = option.1.split_once('/')?;
        let both: (Ipv4Addr, u32) = (address.parse().ok()?, prefix.parse().ok()?);
        option.1 = both.0.to_string();
        Some(both)
    }) else {
        return options;
    };
    let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
    let broadcast = Ipv4Addr::from(u32::from(address) | !mask);
    let mut add = |name: &str, value: String| {
        if !options.iter().any(|option| option.0 == name) {
            options.push((name.to_owned(), value));
        }
    };
    add("broadcast", broadcast.to_string());
    add("netmask", Ipv4Addr::from(mask).to_string());
    options
}

async fn states(proc: &Process) -> Vec<(String, String)> {
    let read = crate::text::input::read_all(proc, STATE).await;
    let text = read
        .map(|(bytes, _memory)| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, logical)| (name.to_owned(), logical.to_owned()))
        .collect()
}

async fn store(proc: &Process, states: &[(String, String)]) {
    let text: String = states
        .iter()
        .map(|(name, logical)| format!("{name}={logical}\n"))
        .collect();
    if let Ok(fd) = proc.open(STATE, OpenFlags::CREATE, 0o644).await {
        // Who may not write there has been told so before.
        let _written = proc.write_all(fd, text.as_bytes()).await;
        let _open = proc.close(fd);
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "three programs with one command line, in the order of the manual"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let own = String::from_utf8_lossy(proc.base_name()).into_owned();
    let (mut all, mut list, mut state, mut verbose, mut act, mut force) =
        (false, false, false, false, true, false);
    let (mut file, mut class) = ("/etc/network/interfaces".to_owned(), None);
    let mut names = Vec::new();
    let mut words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    words.reverse();
    while let Some(word) = words.pop() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => {
                (name.to_owned(), Some(value.to_owned()))
            }
            _ => (word.clone(), None),
        };
        match name.as_str() {
            "-h" | "--help" => return answer(proc, &own, "--help").await,
            "-V" | "--version" => return answer(proc, &own, "--version").await,
            "-a" | "--all" => all = true,
            "-l" | "--list" if own == "ifquery" => list = true,
            "--state" if own == "ifquery" => state = true,
            "-v" | "--verbose" => verbose = true,
            "-n" | "--no-act" => act = false,
            "-f" | "--force" => force = true,
            "--no-mappings" | "--no-scripts" | "--no-loopback" | "--ignore-errors"
            | "--read-environment" => {}
            "-i" | "--interfaces" => file = value.or_else(|| words.pop()).unwrap_or_default(),
            "--allow" => class = value.or_else(|| words.pop()),
            "-X" | "--exclude" | "-o" | "--option" | "--state-dir" => {
                if value.is_none() {
                    words.pop();
                }
            }
            _ if name.starts_with("--") => {
                let text =
                    format!("{own}: unrecognized option '{name}'\n{own}: Use --help for help\n");
                return fail(proc, &text).await;
            }
            _ if name.starts_with('-') && name.len() > 1 => {
                let mut letters = name.chars().skip(1);
                let bad = letters.find(|letter| !"anvfhV".contains(*letter));
                if let Some(letter) = bad {
                    let text = format!(
                        "{own}: invalid option -- '{letter}'\n{own}: Use --help for help\n"
                    );
                    return fail(proc, &text).await;
                }
                for letter in name.chars().skip(1) {
                    words.push(format!("-{letter}"));
                }
            }
            _ => names.push(word),
        }
    }
    let mut known = Interfaces::default();
    if !load(proc, &file, &mut known, 0).await {
        let text = format!("{own}: couldn't read interfaces file \"{file}\"\n");
        return fail(proc, &text).await;
    }
    let mut up = states(proc).await;
    if state {
        let shown: String = up
            .iter()
            .filter(|(name, _)| names.is_empty() || names.contains(name))
            .map(|(name, logical)| format!("{name}={logical}\n"))
            .collect();
        let missing = names
            .iter()
            .any(|name| !up.iter().any(|one| one.0 == *name));
        let _reported = proc.print(shown.as_bytes()).await;
        return if missing {
            ExitStatus::FAILURE
        } else {
            proc.status()
        };
    }
    if list || all {
        names = match &class {
            Some(class) => known
                .allowed
                .iter()
                .filter(|one| one.0 == *class)
                .map(|one| one.1.clone())
                .collect(),
            None => known.auto.clone(),
        };
        if own == "ifdown" && all {
            names.retain(|name| up.iter().any(|one| one.0 == *name));
        }
    } else if names.is_empty() {
        let text = format!("{own}: no interface(s) specified\n{own}: Use --help for help\n");
        return fail(proc, &text).await;
    }
    if list {
        let shown: String = names.iter().map(|name| format!("{name}\n")).collect();
        let _reported = proc.print(shown.as_bytes()).await;
        return proc.status();
    }
    if own != "ifquery" && act && proc.credentials().uid != 0 {
        let why = Errno::Eacces.message();
        let text = format!("{own}: failed to open lockfile /run/network/.ifstate.lock: {why}\n");
        return fail(proc, &text).await;
    }
    for name in names {
        let physical = name.split('=').next().unwrap_or(&name).to_owned();
        let stanza = known.stanzas.iter().find(|stanza| stanza.name == physical);
        let is_up = up.iter().any(|one| one.0 == physical);
        let Some(stanza) = stanza else {
            proc.print_error(format!("{own}: unknown interface {physical}\n").as_bytes())
                .await;
            proc.set_status(1);
            continue;
        };
        match own.as_str() {
            "ifquery" => {
                for (name, value) in completed(stanza) {
                    let _reported = proc.print(format!("{name}: {value}\n").as_bytes()).await;
                }
            }
            "ifup" if is_up && !force => {
                let text = format!("ifup: interface {physical} already configured\n");
                proc.print_error(text.as_bytes()).await;
            }
            "ifdown" if !is_up && !force => {
                let text = format!("ifdown: interface {physical} not configured\n");
                proc.print_error(text.as_bytes()).await;
            }
            "ifup" => {
                if verbose || !act {
                    let text = told(stanza);
                    proc.print_error(text.as_bytes()).await;
                }
                let exists = proc
                    .facts()
                    .interfaces
                    .iter()
                    .any(|one| one.name == physical.as_bytes());
                if act && !exists {
                    let text = format!(
                        "Cannot find device \"{physical}\"\nifup: failed to bring up {physical}\n"
                    );
                    proc.print_error(text.as_bytes()).await;
                    proc.set_status(1);
                } else if act && !is_up {
                    up.push((physical.clone(), physical));
                }
            }
            _ => {
                if act {
                    up.retain(|one| one.0 != physical);
                }
            }
        }
    }
    if act && own != "ifquery" {
        store(proc, &up).await;
    }
    proc.status()
}

/// What `ifup -v` says it does.
fn told(stanza: &Stanza) -> String {
    let name = &stanza.name;
    let mut out = format!(
        "\nifup: configuring interface {name}={name} (inet)\nrun-parts --exit-on-error --verbose /etc/network/if-pre-up.d\n"
    );
    let options = completed(stanza);
    let value = |key: &str| {
        options
            .iter()
            .find(|option| option.0 == key)
            .map(|option| option.1.as_str())
    };
    if stanza.method == "static" {
        out += &format!(
            "ip addr add {}/{} broadcast {} \t  dev {name} label {name}\nip link set dev {name}   up\n",
            value("address").unwrap_or_default(),
            value("netmask").unwrap_or_default(),
            value("broadcast").unwrap_or_default()
        );
        if let Some(gateway) = value("gateway") {
            out += &format!(" ip route add default via {gateway}  dev {name} onlink \n");
        }
    } else if stanza.method == "loopback" {
        out = out.replacen('\n', "ip link set up dev lo 2>/dev/null\n\n", 1);
    } else if stanza.method == "dhcp" {
        out += &format!(
            "/sbin/dhclient -4 -v -i -pf /run/dhclient.{name}.pid -lf /var/lib/dhcp/dhclient.{name}.leases -I -df /var/lib/dhcp/dhclient6.{name}.leases {name}\t\n"
        );
    }
    out + "run-parts --exit-on-error --verbose /etc/network/if-up.d\n"
}

async fn answer(proc: &mut Process, own: &str, what: &str) -> ExitStatus {
    let text = crate::system::rare::text("ifup", what).replace("ifup", own);
    let _reported = proc.print(text.as_bytes()).await;
    proc.status()
}

async fn fail(proc: &mut Process, text: &str) -> ExitStatus {
    proc.print_error(text.as_bytes()).await;
    ExitStatus::FAILURE
}
