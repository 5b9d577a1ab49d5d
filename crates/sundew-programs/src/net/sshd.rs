//! `sshd` of OpenSSH 9.2: reading its configuration, for those who look at it or test it. The daemon that
//! answers runs already; another one would find its port taken.

use sundew_kernel::{ExitStatus, Process};

/// `sshd -T` without a configuration: a line per setting, in its order.
const DEFAULTS: &str = include_str!("sshd.txt");

const USAGE: &str = "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20 7 Apr 2026\nusage: sshd [-46DdeiqTtV] [-C connection_spec] [-c host_cert_file]\n            [-E log_file] [-f config_file] [-g login_grace_time]\n            [-h host_key_file] [-o option] [-p port] [-u len]\n";

/// Settings that `-T` does not show unless they are made.
const SILENT: &[&str] = &[
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostcertificate",
    "include",
    "logverbose",
    "match",
    "port",
    "listenaddress",
    "setenv",
    "subsystem",
    "rdomain",
    "trustedusercakeys",
    "challengeresponseauthentication",
    "skeyauthentication",
    "protocol",
    "useprivilegeseparation",
    "keyregenerationinterval",
    "serverkeybits",
    "rsaauthentication",
    "rhostsrsaauthentication",
    "uselogin",
    "dsaauthentication",
    "pubkeyacceptedkeytypes",
    "hostbasedacceptedkeytypes",
    "debianbanner",
    "ignorerhosts",
    "keepalive",
    "uselpk",
    "lpkldapconf",
];

/// Settings that may be made several times.
const REPEATED: &[&str] = &[
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostkey",
    "hostcertificate",
    "listenaddress",
    "port",
    "subsystem",
    "setenv",
    "logverbose",
];

/// What was read: settings in their order, and what is wrong.
#[derive(Default)]
struct Read {
    settings: Vec<(String, String)>,
    bad: Vec<String>,
    fatal: Option<String>,
}

#[expect(
    clippy::too_many_lines,
    reason = "the command line, then one thing after the other as the daemon does them"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut config = b"/etc/ssh/sshd_config".to_vec();
    let (mut test, mut show) = (false, false);
    let mut extra: Vec<String> = Vec::new();
    let mut words = proc.args().to_vec().into_iter().skip(1);
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            return refuse(proc, "").await;
        };
        let mut letters = letters.iter().copied();
        while let Some(letter) = letters.next() {
            match letter {
                b't' => test = true,
                b'T' => (test, show) = (true, true),
                b'V' => {
                    let text = "OpenSSH_9.2, OpenSSL 3.0.20 7 Apr 2026\n";
                    proc.print_error(text.as_bytes()).await;
                    return ExitStatus::SUCCESS;
                }
                b'4' | b'6' | b'D' | b'd' | b'e' | b'i' | b'q' | b'r' | b'R' => {}
                b'C' | b'c' | b'E' | b'f' | b'g' | b'h' | b'o' | b'p' | b'u' | b'b' | b'k' => {
                    let rest: Vec<u8> = letters.by_ref().collect();
                    let value = Some(rest)
                        .filter(|rest| !rest.is_empty())
                        .or_else(|| words.next());
                    let Some(value) = value else {
                        let text =
                            format!("option requires an argument -- {}\r\n", char::from(letter));
                        return refuse(proc, &text).await;
                    };
                    match letter {
                        b'f' => config = value,
                        b'p' => extra.push(format!("port {}", String::from_utf8_lossy(&value))),
                        b'o' => extra.push(String::from_utf8_lossy(&value).replacen('=', " ", 1)),
                        _ => {}
                    }
                }
                _ => {
                    let text = format!("unknown option -- {}\r\n", char::from(letter));
                    return refuse(proc, &text).await;
                }
            }
        }
    }
    if !test
        && !proc
            .args()
            .first()
            .is_some_and(|name| name.starts_with(b"/"))
    {
        let text = "sshd re-exec requires execution with an absolute path\r\n";
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(255);
    }
    let mut read = Read::default();
    for line in extra {
        setting(&mut read, &line, "command-line", 0);
    }
    if let Err(errno) = file(proc, &mut read, &config, 0).await {
        let name = String::from_utf8_lossy(&config).into_owned();
        return end(proc, format!("{name}: {}\r\n", errno.message())).await;
    }
    for line in std::mem::take(&mut read.bad) {
        proc.print_error(line.as_bytes()).await;
    }
    if let Some(text) = read.fatal.take() {
        return end(proc, text).await;
    }
    if proc.credentials().uid != 0 {
        let text = "sshd: no hostkeys available -- exiting.\r\n";
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::FAILURE;
    }
    if proc.stat(b"/run/sshd").is_err() {
        return end(
            proc,
            "Missing privilege separation directory: /run/sshd\r\n".to_owned(),
        )
        .await;
    }
    let unsafe_key = ["rsa", "ecdsa", "ed25519"].iter().all(|kind| {
        let path = format!("/etc/ssh/ssh_host_{kind}_key");
        proc.stat(path.as_bytes()).is_err()
    });
    if unsafe_key {
        proc.print_error(b"sshd: no hostkeys available -- exiting.\r\n")
            .await;
        return ExitStatus::FAILURE;
    }
    if show {
        let text = shown(&read.settings);
        let _reported = proc.print(text.as_bytes()).await;
    } else if !test {
        let ports: Vec<&str> = read
            .settings
            .iter()
            .filter(|setting| setting.0 == "port")
            .map(|setting| setting.1.as_str())
            .collect();
        let port = ports.first().copied().unwrap_or("22");
        let taken = proc
            .sockets()
            .iter()
            .any(|socket| socket.local.port().to_string() == port && socket.remote.is_none());
        // The real one says so to the log alone, as it has left the terminal.
        if taken {
            let text =
                format!("error: Bind to port {port} on 0.0.0.0 failed: Address already in use.");
            // tidy-allow(errno-word): a line of the log
            proc.log(10, 3, b"sshd", text.into_bytes());
            return ExitStatus::Exited(255);
        }
    }
    proc.status()
}

async fn refuse(proc: &mut Process, complaint: &str) -> ExitStatus {
    proc.print_error(format!("{complaint}{USAGE}").as_bytes())
        .await;
    ExitStatus::FAILURE
}

async fn end(proc: &mut Process, text: String) -> ExitStatus {
    proc.print_error(text.as_bytes()).await;
    ExitStatus::Exited(255)
}

/// Reads one file and those it includes.
async fn file(
    proc: &Process,
    read: &mut Read,
    path: &[u8],
    depth: u8,
) -> Result<(), sundew_kernel::Errno> {
    let (bytes, _memory) = crate::text::input::read_all(proc, path).await?;
    let name = String::from_utf8_lossy(path).into_owned();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut bad = 0;
    for (number, line) in (1..).zip(text.lines()) {
        proc.tick().await;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
        if word.eq_ignore_ascii_case("match") {
            // What follows holds for some connections only.
            break;
        }
        if word.eq_ignore_ascii_case("include") && depth < 16 {
            for path in included(proc, rest.trim()) {
                // A file that is gone is not one that was found.
                let _unread = Box::pin(file(proc, read, &path, depth + 1)).await;
            }
            continue;
        }
        let before = read.bad.len();
        setting(read, line, &name, number);
        bad += read.bad.len() - before;
        if read.fatal.is_some() {
            break;
        }
    }
    if bad > 0 && read.fatal.is_none() {
        read.fatal = Some(format!(
            "{name}: terminating, {bad} bad configuration options\r\n"
        ));
    }
    Ok(())
}

/// The files of a pattern whose last part may have a `*`.
fn included(proc: &Process, pattern: &str) -> Vec<Vec<u8>> {
    let pattern = if pattern.starts_with('/') {
        pattern.to_owned()
    } else {
        format!("/etc/ssh/{pattern}")
    };
    let Some((folder, name)) = pattern.rsplit_once('/') else {
        return Vec::new();
    };
    let Some((head, tail)) = name.split_once('*') else {
        return vec![pattern.into_bytes()];
    };
    let mut found: Vec<Vec<u8>> = proc
        .read_directory(folder.as_bytes())
        .unwrap_or_default()
        .iter()
        .filter(|entry| !entry.name.starts_with(b".") || head.starts_with('.'))
        .filter(|entry| {
            entry.name.starts_with(head.as_bytes()) && entry.name.ends_with(tail.as_bytes())
        })
        .map(|entry| [folder.as_bytes(), b"/", &entry.name].concat())
        .collect();
    found.sort();
    found
}

fn setting(read: &mut Read, line: &str, name: &str, number: u32) {
    let (word, rest) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
    let rest = rest.trim().trim_start_matches('=').trim().trim_matches('"');
    let rest = rest.split_once(" #").map_or(rest, |(rest, _)| rest.trim());
    let key = word.to_ascii_lowercase();
    let default = DEFAULTS
        .lines()
        .find_map(|line| line.strip_prefix(&key)?.strip_prefix(' '));
    if default.is_none() && !SILENT.contains(&key.as_str()) {
        read.bad.push(format!(
            "{name}: line {number}: Bad configuration option: {word}\r\n"
        ));
        return;
    }
    if rest.is_empty() {
        read.bad.push(format!(
            "{name} line {number}: no argument after keyword \"{word}\"\r\n"
        ));
        return;
    }
    if key == "port" && rest.parse::<u16>().is_err() {
        read.fatal = Some(format!(
            "{name} line {number}: Badly formatted port number.\r\n"
        ));
        return;
    }
    let switch = matches!(default, Some("yes" | "no"))
        && ![
            "compression",
            "gatewayports",
            "allowtcpforwarding",
            "allowstreamlocalforwarding",
            "ignorerhosts",
            "permituserenvironment",
        ]
        .contains(&key.as_str());
    let words: &[&str] = match key.as_str() {
        "permitrootlogin" => &[
            "yes",
            "no",
            "without-password",
            "prohibit-password",
            "forced-commands-only",
        ],
        "compression" => &["yes", "no", "delayed"],
        _ if switch => &["yes", "no"],
        _ => &[],
    };
    if !words.is_empty() && !words.contains(&rest.to_ascii_lowercase().as_str()) {
        read.fatal = Some(format!(
            "{name} line {number}: unsupported option \"{rest}\".\r\n"
        ));
        return;
    }
    let value = if key == "permitrootlogin" && rest == "prohibit-password" {
        "without-password"
    } else {
        rest
    };
    let value = if words.is_empty() {
        value.to_owned()
    } else {
        value.to_ascii_lowercase()
    };
    if REPEATED.contains(&key.as_str()) {
        if matches!(
            key.as_str(),
            "acceptenv" | "allowusers" | "allowgroups" | "denyusers" | "denygroups"
        ) {
            read.settings.extend(
                value
                    .split_whitespace()
                    .map(|one| (key.clone(), one.to_owned())),
            );
        } else {
            read.settings
                .push((key, value.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    } else if !read.settings.iter().any(|known| known.0 == key) {
        // The first one counts.
        read.settings.push((key, value));
    }
}

/// As `sshd -T` prints it.
fn shown(settings: &[(String, String)]) -> String {
    let values = |key: &str| -> Vec<&str> {
        settings
            .iter()
            .filter(|setting| setting.0 == key)
            .map(|setting| setting.1.as_str())
            .collect()
    };
    let mut ports = values("port");
    if ports.is_empty() {
        ports.push("22");
    }
    let mut out: String = ports.iter().map(|port| format!("port {port}\n")).collect();
    let mut done: Vec<&str> = vec!["port", "listenaddress"];
    let own = values("listenaddress");
    let addresses = if own.is_empty() {
        vec!["[::]", "0.0.0.0"]
    } else {
        own
    };
    for line in DEFAULTS.lines() {
        let Some((key, value)) = line.split_once(' ') else {
            continue;
        };
        if key == "listenaddress" && !out.contains("listenaddress") {
            for address in &addresses {
                for port in &ports {
                    let has_port = address.ends_with(|last: char| last.is_ascii_digit())
                        && address.contains(':')
                        && !address.starts_with('[');
                    out += &if has_port {
                        format!("listenaddress {address}\n")
                    } else {
                        format!("listenaddress {address}:{port}\n")
                    };
                }
            }
        }
        if done.contains(&key) {
            continue;
        }
        // What is only shown when it is set stands before these two.
        let before: &[&str] = match key {
            "authenticationmethods" => &[
                "allowusers",
                "denyusers",
                "allowgroups",
                "denygroups",
                "acceptenv",
            ],
            "maxstartups" => &["subsystem"],
            _ => &[],
        };
        for key in before {
            out.extend(values(key).iter().map(|value| format!("{key} {value}\n")));
        }
        let own = values(key);
        if own.is_empty() {
            out += &format!("{key} {value}\n");
            continue;
        }
        done.push(key);
        out.extend(own.iter().map(|value| format!("{key} {value}\n")));
    }
    out
}
