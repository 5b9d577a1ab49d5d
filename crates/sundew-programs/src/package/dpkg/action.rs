//! Actions of dpkg(1) that are no questions: versions, architectures, selections, and what it says to
//! packages and archives that it cannot work on.

use std::cmp::Ordering;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Process};

use super::{Package, fail, refuse};
use crate::package::{print, read};

/// The foreign architectures, one a line behind the machine's own.
const ARCHITECTURES: &[u8] = b"/var/lib/dpkg/arch";

/// Options that `dpkg` hands over to `dpkg-deb`, as they are.
const ARCHIVE: [&str; 18] = [
    "-b",
    "--build",
    "-c",
    "--contents",
    "-e",
    "--control",
    "-f",
    "--field",
    "-x",
    "--extract",
    "-X",
    "--vextract",
    "-I",
    "--info",
    "-R",
    "--raw-extract",
    "--ctrl-tarfile",
    "--fsys-tarfile",
];

/// Whether the word asks for something that `dpkg-deb` does.
pub(super) fn is_archive(word: &[u8]) -> bool {
    ARCHIVE.iter().any(|option| option.as_bytes() == word)
}

/// Becomes `dpkg-deb`.
pub(super) async fn archive(proc: &mut Process) -> ExitStatus {
    let mut words = proc.args().to_vec();
    if let Some(name) = words.first_mut() {
        *name = b"dpkg-deb".to_vec();
    }
    let env = proc.env().clone();
    let errno = proc.exec(b"/usr/bin/dpkg-deb", words, env).await;
    let text = format!(
        "dpkg: error: unable to execute dpkg-deb (dpkg-deb): {}\n",
        errno.message()
    );
    fail(proc, text, 2).await
}

/// Any other action with its operands; nothing if the word is none.
pub(super) async fn run(
    proc: &mut Process,
    action: &str,
    names: &[String],
    packages: &[Package],
) -> Option<ExitStatus> {
    let needs_package = || format!("{action} needs at least one package name argument");
    Some(match action {
        "--compare-versions" => compare(proc, names).await,
        "--print-foreign-architectures" => {
            let text = foreign(proc).await;
            let text: String = text.iter().map(|name| format!("{name}\n")).collect();
            print(proc, text).await
        }
        "--add-architecture" | "--remove-architecture" => architecture(proc, action, names).await,
        "--set-selections" => select(proc, packages).await,
        "--configure" if names.is_empty() => refuse(proc, false, &needs_package()).await,
        "--configure" => {
            let why =
                |name: &str| format!(" no package named '{name}' is installed, cannot configure\n");
            unknown(proc, action, names, packages, why).await
        }
        "-V" | "--verify" => {
            for name in names {
                if !packages.iter().any(|one| one.field("Package") == *name) {
                    let text = format!("dpkg: package '{name}' is not installed\n");
                    proc.print_error(text.as_bytes()).await;
                    proc.set_status(1);
                }
            }
            proc.status()
        }
        "-C" | "--audit" => {
            for name in names {
                if !packages.iter().any(|one| one.field("Package") == *name) {
                    let text = format!("dpkg: package '{name}' is not installed\n");
                    proc.print_error(text.as_bytes()).await;
                }
            }
            proc.status()
        }
        "--clear-avail"
        | "--forget-old-unavail"
        | "--yet-to-unpack"
        | "--update-avail"
        | "--merge-avail"
        | "--predep-package"
        | "--validate-version"
        | "--validate-pkgname"
        | "--assert-multi-arch"
        | "--assert-support-predepends"
        | "--assert-working-epoch"
        | "--assert-long-filenames"
        | "--assert-multi-conrep"
        | "--assert-versioned-provides"
        | "--assert-protected-field" => ExitStatus::SUCCESS,
        _ if action.starts_with("--assert-") => {
            refuse(proc, false, "unknown --assert-<feature>").await
        }
        "-r" | "--remove" | "-P" | "--purge" => {
            let long = if matches!(action, "-r" | "--remove") {
                "--remove"
            } else {
                "--purge"
            };
            remove(proc, long, names, packages).await
        }
        _ => return None,
    })
}

/// `-r` and `-P`: what is essential stays, what is not there is no matter.
async fn remove(
    proc: &mut Process,
    action: &str,
    names: &[String],
    packages: &[Package],
) -> ExitStatus {
    let mut failed = String::new();
    for name in names {
        let text = match packages.iter().find(|one| one.field("Package") == *name) {
            None => {
                format!("dpkg: warning: ignoring request to remove {name} which isn't installed\n")
            }
            Some(one) if one.field("Essential") == "yes" => {
                failed += &format!(" {name}\n");
                format!(
                    "dpkg: error processing package {name} ({action}):\n this is an essential package; it should not be removed\n"
                )
            }
            Some(_) => continue,
        };
        proc.print_error(text.as_bytes()).await;
    }
    if failed.is_empty() {
        return proc.status();
    }
    let text = format!("Errors were encountered while processing:\n{failed}");
    fail(proc, text, 1).await
}

/// What cannot be done to packages that are not there, each with its reason.
async fn unknown(
    proc: &mut Process,
    action: &str,
    names: &[String],
    packages: &[Package],
    why: impl Fn(&str) -> String,
) -> ExitStatus {
    let mut failed = String::new();
    for name in names {
        if packages.iter().any(|one| one.field("Package") == *name) {
            continue;
        }
        let text = format!(
            "dpkg: error processing package {name} ({action}):\n{}",
            why(name)
        );
        proc.print_error(text.as_bytes()).await;
        failed += &format!(" {name}\n");
    }
    if failed.is_empty() {
        return proc.status();
    }
    let text = format!("Errors were encountered while processing:\n{failed}");
    fail(proc, text, 1).await
}

async fn foreign(proc: &Process) -> Vec<String> {
    let text = read(proc, ARCHITECTURES).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let names = text.lines().filter(|name| *name != "amd64");
    names.map(str::to_owned).collect()
}

async fn architecture(proc: &mut Process, action: &str, names: &[String]) -> ExitStatus {
    let [name] = names else {
        let text = format!("{action} takes exactly one argument");
        return refuse(proc, false, &text).await;
    };
    let mut known = foreign(proc).await;
    if action == "--add-architecture" {
        if name != "amd64" && !known.contains(name) {
            known.push(name.clone());
        }
    } else if known.contains(name) {
        known.retain(|one| one != name);
    } else {
        let text = format!("dpkg: warning: cannot remove non-foreign architecture '{name}'\n");
        proc.print_error(text.as_bytes()).await;
        return proc.status();
    }
    let text = format!("amd64\n{}\n", known.join("\n"));
    save(
        proc,
        ARCHITECTURES,
        [text.trim_end().as_bytes(), b"\n"].concat().as_slice(),
    )
    .await
}

async fn save(proc: &mut Process, path: &[u8], text: &[u8]) -> ExitStatus {
    let flags = OpenFlags::CREATE;
    let done = match proc.open(path, flags, 0o644).await {
        Ok(fd) => {
            let done = proc.write_all(fd, text).await;
            // Opened above.
            let _open = proc.close(fd);
            done
        }
        Err(errno) => Err(errno),
    };
    match done {
        Ok(()) => proc.status(),
        Err(errno) => {
            let path = String::from_utf8_lossy(path).into_owned();
            let text = format!(
                "dpkg: error: unable to open '{path}': {}\n",
                errno.message()
            );
            fail(proc, text, 2).await
        }
    }
}

/// `--set-selections`: `NAME STATE` lines change what the status file wants.
async fn select(proc: &mut Process, packages: &[Package]) -> ExitStatus {
    let Ok((wanted, _memory)) = proc.read_to_end(sundew_kernel::STDIN).await else {
        return proc.status();
    };
    let mut paragraphs: Vec<Vec<Vec<u8>>> = packages.iter().map(|one| one.0.clone()).collect();
    for (number, line) in String::from_utf8_lossy(&wanted).lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, state] = words.as_slice() else {
            continue;
        };
        let at = packages
            .iter()
            .position(|one| one.field("Package") == *name);
        let Some(paragraph) = at.and_then(|at| paragraphs.get_mut(at)) else {
            let line = number + 1;
            let text = format!(
                "dpkg: warning: package not in status nor available database at line {line}: {name}\n"
            );
            proc.print_error(text.as_bytes()).await;
            continue;
        };
        let status = paragraph
            .iter_mut()
            .find(|line| line.starts_with(b"Status: "));
        if let Some(status) = status {
            *status = format!("Status: {state} ok installed").into_bytes();
        }
        proc.tick().await;
    }
    let text: Vec<u8> = paragraphs
        .iter()
        .flat_map(|lines| [crate::package::joined(lines), b"\n".to_vec()].concat())
        .collect();
    save(proc, b"/var/lib/dpkg/status", &text).await
}

/// `--compare-versions A RELATION B`.
async fn compare(proc: &mut Process, words: &[String]) -> ExitStatus {
    let [one, relation, other] = words else {
        let text = "--compare-versions takes three arguments: <version> <relation> <version>";
        return refuse(proc, false, text).await;
    };
    // A version that is not there is older than any, except for the relations that end in `-nl`.
    let missing_last = relation.ends_with("-nl");
    let order = match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) if missing_last => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, true) if missing_last => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => version_order(one, other),
    };
    let fits = match relation.trim_end_matches("-nl") {
        "lt" | "<<" => order == Ordering::Less,
        "le" | "<=" | "<" => order != Ordering::Greater,
        "eq" | "=" => order == Ordering::Equal,
        "ne" => order != Ordering::Equal,
        "ge" | ">=" | ">" => order != Ordering::Less,
        "gt" | ">>" => order == Ordering::Greater,
        _ => return refuse(proc, false, "--compare-versions bad relation").await,
    };
    for version in [one, other] {
        let upstream = version
            .split_once(':')
            .map_or(version.as_str(), |(_, rest)| rest);
        if upstream.starts_with(|letter: char| !letter.is_ascii_digit()) {
            let text = format!(
                "dpkg: warning: version '{version}' has bad syntax: version number does not start with digit\n"
            );
            proc.print_error(text.as_bytes()).await;
        }
    }
    ExitStatus::Exited(u8::from(!fits))
}

/// deb-version(7): the epoch, the upstream version, the revision.
pub(super) fn version_order(one: &str, other: &str) -> Ordering {
    let split = |version: &str| {
        let (epoch, rest) = match version.split_once(':') {
            Some((epoch, rest)) => (epoch.parse::<u32>().unwrap_or(0), rest.to_owned()),
            None => (0, version.to_owned()),
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((upstream, revision)) => (upstream.to_owned(), revision.to_owned()),
            None => (rest, String::new()),
        };
        (epoch, upstream, revision)
    };
    let (one, other) = (split(one), split(other));
    one.0
        .cmp(&other.0)
        .then_with(|| part_order(one.1.as_bytes(), other.1.as_bytes()))
        .then_with(|| part_order(one.2.as_bytes(), other.2.as_bytes()))
}

/// Digits by their value; of the rest a tilde is before the end, letters before other signs.
fn part_order(one: &[u8], other: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let is_sign = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_digit());
    let (mut a, mut b) = (one.iter().peekable(), other.iter().peekable());
    while a.peek().is_some() || b.peek().is_some() {
        while is_sign(a.peek().copied()) || is_sign(b.peek().copied()) {
            let order = weight(a.peek().copied()).cmp(&weight(b.peek().copied()));
            if order != Ordering::Equal {
                return order;
            }
            a.next();
            b.next();
        }
        let mut digits = Ordering::Equal;
        while a.peek() == Some(&&b'0') {
            a.next();
        }
        while b.peek() == Some(&&b'0') {
            b.next();
        }
        loop {
            let one = a.next_if(|byte| byte.is_ascii_digit());
            let other = b.next_if(|byte| byte.is_ascii_digit());
            match (one, other) {
                (Some(one), Some(other)) => digits = digits.then(one.cmp(other)),
                (Some(_), None) => return Ordering::Greater,
                (None, Some(_)) => return Ordering::Less,
                (None, None) => break,
            }
        }
        if digits != Ordering::Equal {
            return digits;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_debians_order() {
        let ascending = [
            "1.0~rc1", "1.0", "1.0-1", "1.0-1+b1", "1.0-2", "1.0-10", "1.0a", "1.0+x", "1.2",
            "1.10", "1:0.1",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(version_order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(version_order("1.01", "1.1"), Ordering::Equal);
    }
}
