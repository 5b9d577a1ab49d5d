//! `apt` and `apt-get` on a machine whose mirrors do not answer.

use sundew_kernel::{ExitStatus, Process, STDOUT};

use super::{fail, lines, print, read};

mod options;

/// Status of a failed command.
const FAILED: u8 = 100;

const VERSION: &str = "apt 2.6.1 (amd64)\n";

/// What the front ends but `apt` print besides the version.
const MODULES: &str = "Supported modules:
*Ver: Standard .deb
*Pkg:  Debian dpkg interface (Priority 30)
 Pkg:  Debian APT solver interface (Priority -1000)
 Pkg:  Debian APT planner interface (Priority -1000)
 S.L: 'deb' Debian binary tree
 S.L: 'deb-src' Debian source tree
 Idx: Debian Source Index
 Idx: Debian Package Index
 Idx: Debian Translation Index
 Idx: Debian dpkg status file
 Idx: Debian deb file
 Idx: Debian dsc file
 Idx: Debian control file
 Idx: EDSP scenario file
 Idx: EIPP scenario file
";

/// What is printed while the packages are read.
fn reading(proc: &Process) -> String {
    if proc.is_terminal(STDOUT) {
        // Each line grows in place; the terminal adds another carriage return.
        let list = "Reading package lists...";
        let tree = "Building dependency tree...";
        let mut text = format!("\r{list} 0%\r\r{list} 100%\r\r{list} Done\r\n");
        text += &format!("\r{tree} 0%\r\r{tree} 0%\r\r{tree} 50%\r\r{tree} 50%\r\r{tree} Done\r\n");
        if proc.stat(b"/var/lib/apt/extended_states").is_ok() {
            let state = "Reading state information...";
            text += &format!("\r{state} 0% \r\r{state} 0%\r\r{state} Done\r\n");
        }
        return text;
    }
    let mut text = "Reading package lists...\nBuilding dependency tree...\n".to_owned();
    if proc.stat(b"/var/lib/apt/extended_states").is_ok() {
        text += "Reading state information...\n";
    }
    text
}

/// The line of an error, which `apt` colours for people.
fn error(proc: &Process, text: &[u8]) -> Vec<u8> {
    if proc.base_name() == b"apt" && proc.is_terminal(STDOUT) {
        [b"\x1b[1;31mE: \x1b[0m".as_slice(), text, b"\x1b[0m\n"].concat()
    } else {
        [b"E: ".as_slice(), text, b"\n"].concat()
    }
}

/// `apt list`: what is installed, for nothing else is known without mirrors.
async fn installed(proc: &mut Process, names: &[Vec<u8>]) -> ExitStatus {
    let text = read(proc, b"/var/lib/dpkg/status")
        .await
        .unwrap_or_default();
    let mut out = b"Listing...\n".to_vec();
    for stanza in lines(&text).split(|line| line.is_empty()) {
        let field = |name: &[u8]| {
            let mut values = stanza.iter();
            let found = values.find_map(|line| line.strip_prefix(name)?.strip_prefix(b": "));
            found.unwrap_or_default()
        };
        let name = field(b"Package");
        if name.is_empty() || !(names.is_empty() || names.iter().any(|wanted| wanted == name)) {
            continue;
        }
        for part in [
            name,
            b"/now ",
            field(b"Version"),
            b" ",
            field(b"Architecture"),
            b" [installed,local]\n",
        ] {
            out.extend_from_slice(part);
        }
        proc.tick().await;
    }
    print(proc, out).await
}

/// `apt`, `apt-get`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let is_apt = proc.base_name() == b"apt";
    let given = match options::read(proc) {
        Ok(words) => words,
        Err(text) => return fail(proc, [b"E: ".as_slice(), &text, b"\n"].concat(), FAILED).await,
    };
    if given.version {
        let modules = if is_apt { "" } else { MODULES };
        return print(proc, [VERSION, modules].concat()).await;
    }
    let words = given.operands;
    let Some(verb) = words.first().filter(|_| !given.help) else {
        print(proc, super::help(if is_apt { "apt" } else { "apt-get" })).await;
        return ExitStatus::Exited(u8::from(!given.help));
    };
    let verb = verb.clone();
    if is_apt && !proc.is_terminal(STDOUT) {
        proc.print_error(b"\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n").await;
    }
    if proc.credentials().uid != 0 && !matches!(verb.as_slice(), b"list" | b"search" | b"show") {
        let lock = if verb == b"update" {
            "lists/lock"
        } else {
            "lock-frontend"
        };
        let place = if verb == b"update" {
            "/var/lib/apt/"
        } else {
            "/var/lib/dpkg/"
        };
        return fail(proc, format!("E: Could not open lock file {place}{lock} - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock ({place}{lock}), are you root?\n"), FAILED).await;
    }
    match verb.as_slice() {
        b"update" => update(proc).await,
        b"install" | b"reinstall" => install(proc, words.get(1..).unwrap_or_default()).await,
        b"upgrade" | b"dist-upgrade" | b"full-upgrade" | b"autoremove" => {
            let calculating = if verb == b"autoremove" {
                ""
            } else {
                "Calculating upgrade...\n"
            };
            let reading = reading(proc);
            print(proc, format!("{reading}{calculating}0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")).await
        }
        b"remove" | b"purge" => remove(proc, words.get(1..).unwrap_or_default()).await,
        b"show" => cache(proc).await,
        b"source" if !is_apt || words.len() > 1 => {
            print(proc, "Reading package lists...\n").await;
            let text = "E: You must put some 'deb-src' URIs in your sources.list\n";
            fail(proc, text, FAILED).await
        }
        b"clean" | b"autoclean" | b"check" | b"search" => proc.status(),
        b"list" => installed(proc, words.get(1..).unwrap_or_default()).await,
        other => {
            let text = error(proc, &[b"Invalid operation ".as_slice(), other].concat());
            fail(proc, text, FAILED).await
        }
    }
}

async fn remove(proc: &mut Process, names: &[Vec<u8>]) -> ExitStatus {
    let reading = reading(proc);
    print(proc, reading).await;
    let status = read(proc, b"/var/lib/dpkg/status").await;
    let status = lines(&status.unwrap_or_default());
    let mut missing = false;
    for name in names {
        let header = [b"Package: ".as_slice(), name].concat();
        if !status.contains(&header) {
            let text = error(
                proc,
                &[b"Unable to locate package ".as_slice(), name].concat(),
            );
            proc.print_error(&text).await;
            missing = true;
        }
    }
    if missing {
        return ExitStatus::Exited(FAILED);
    }
    let text = "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n";
    print(proc, text).await
}

async fn update(proc: &mut Process) -> ExitStatus {
    let mut text = String::new();
    let suites = [
        ("deb.debian.org/debian", "bookworm"),
        ("deb.debian.org/debian-security", "bookworm-security"),
        ("deb.debian.org/debian", "bookworm-updates"),
    ];
    for (number, (place, suite)) in suites.iter().enumerate() {
        text += &format!("Ign:{} http://{place} {suite} InRelease\n", number + 1);
    }
    for (number, (place, suite)) in suites.iter().enumerate() {
        text += &format!(
            "Err:{} http://{place} {suite} InRelease\n  Temporary failure resolving 'deb.debian.org'\n",
            number + 1
        );
    }
    print(proc, text + "Reading package lists...\n").await;
    let mut warnings = String::new();
    for (place, suite) in suites {
        warnings += &format!(
            "W: Failed to fetch http://{place}/dists/{suite}/InRelease  Temporary failure resolving 'deb.debian.org'\n"
        );
    }
    proc.print_error((warnings + "W: Some index files failed to download. They have been ignored, or old ones used instead.\n").as_bytes()).await;
    proc.status()
}

async fn install(proc: &mut Process, names: &[Vec<u8>]) -> ExitStatus {
    let reading = reading(proc);
    print(proc, reading).await;
    let status = read(proc, b"/var/lib/dpkg/status")
        .await
        .unwrap_or_default();
    let status = lines(&status);
    let mut missing = false;
    for name in names {
        let header = [b"Package: ".as_slice(), name].concat();
        let Some(at) = status.iter().position(|line| *line == header) else {
            let text = error(
                proc,
                &[b"Unable to locate package ".as_slice(), name].concat(),
            );
            proc.print_error(&text).await;
            missing = true;
            continue;
        };
        let version = status
            .iter()
            .skip(at)
            .find_map(|line| line.strip_prefix(b"Version: "))
            .unwrap_or_default();
        print(
            proc,
            [
                name.as_slice(),
                b" is already the newest version (",
                version,
                b").\n",
            ]
            .concat(),
        )
        .await;
    }
    if missing {
        return ExitStatus::Exited(FAILED);
    }
    print(
        proc,
        "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n",
    )
    .await
}

/// `apt-cache`: what the package lists say. There are none but that of what is installed.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn cache(proc: &mut Process) -> ExitStatus {
    let given = match options::read(proc) {
        Ok(words) => words,
        Err(text) => return fail(proc, [b"E: ".as_slice(), &text, b"\n"].concat(), FAILED).await,
    };
    if given.version {
        return print(proc, VERSION).await;
    }
    let words = given.operands;
    let Some(verb) = words.first().filter(|_| !given.help).cloned() else {
        print(proc, super::help("apt-cache")).await;
        return ExitStatus::Exited(u8::from(!given.help));
    };
    let status = read(proc, b"/var/lib/dpkg/status")
        .await
        .unwrap_or_default();
    let stanzas: Vec<Vec<Vec<u8>>> = lines(&status)
        .split(|line| line.is_empty())
        .filter(|stanza| !stanza.is_empty())
        .map(<[Vec<u8>]>::to_vec)
        .collect();
    let field = |stanza: &[Vec<u8>], name: &[u8]| -> Vec<u8> {
        let found = stanza
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(b": "));
        found.map(<[u8]>::to_vec).unwrap_or_default()
    };
    let named = |name: &[u8]| {
        stanzas
            .iter()
            .find(|stanza| field(stanza, b"Package") == name)
    };
    let names = words.get(1..).unwrap_or_default();
    let mut out = Vec::new();
    match verb.as_slice() {
        b"pkgnames" => {
            for stanza in &stanzas {
                out.extend([field(stanza, b"Package"), b"\n".to_vec()].concat());
            }
        }
        b"search" if names.is_empty() => {
            return fail(
                proc,
                "E: You must give at least one search pattern\n",
                FAILED,
            )
            .await;
        }
        b"search" => {
            for stanza in &stanzas {
                let line = [
                    field(stanza, b"Package"),
                    b" - ".to_vec(),
                    field(stanza, b"Description"),
                ]
                .concat();
                let lower = line.to_ascii_lowercase();
                let has = |word: &Vec<u8>| {
                    let word = word.to_ascii_lowercase();
                    lower
                        .windows(word.len().max(1))
                        .any(|window| window == word)
                };
                if names.iter().all(has) {
                    out.extend(line);
                    out.push(b'\n');
                }
            }
        }
        b"policy" => {
            for name in names {
                if let Some(stanza) = named(name) {
                    let version = field(stanza, b"Version");
                    let parts: [&[u8]; 9] = [
                        name,
                        b":\n  Installed: ",
                        &version,
                        b"\n  Candidate: ",
                        &version,
                        b"\n  Version table:\n *** ",
                        &version,
                        b" 100\n        100 /var/lib/dpkg/status",
                        b"\n",
                    ];
                    out.extend(parts.concat());
                }
            }
        }
        b"show" => {
            for name in names {
                for line in named(name).into_iter().flatten() {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
                if named(name).is_some() {
                    out.push(b'\n');
                }
            }
            if out.is_empty() {
                return fail(proc, "E: No packages found\n", FAILED).await;
            }
        }
        b"depends" | b"rdepends" | b"showsrc" | b"stats" => {}
        other => {
            let text = [b"E: Invalid operation ", other, b"\n"].concat();
            return fail(proc, text, FAILED).await;
        }
    }
    print(proc, out).await
}
