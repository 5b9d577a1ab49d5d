//! `dpkg` and `dpkg-query`: questions to `/var/lib/dpkg/status`.

use sundew_kernel::{ExitStatus, Process};
use sundew_posix::pattern::{Options, Pattern};

use super::{fail, lines, print, read};

mod action;
mod query;

/// One installed package: the lines of its paragraph.
struct Package(Vec<Vec<u8>>);

impl Package {
    fn field(&self, name: &str) -> String {
        let value = self
            .0
            .iter()
            .find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b": "));
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    }
}

/// `dpkg`.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let format = take_format(&mut words);
    let names: Vec<String> = words
        .iter()
        .filter(|word| !word.starts_with(b"-"))
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let has = |short: &[u8], long: &[u8]| words.iter().any(|word| word == short || word == long);
    let is_query = proc.base_name() == b"dpkg-query";
    if is_query && has(b"--version", b"--version") {
        return print(proc, "Debian dpkg-query package management program query tool version 1.21.23 (amd64).\nThis is free software; see the GNU General Public License version 2 or\nlater for copying conditions. There is NO warranty.\n").await;
    }
    if !is_query && words.iter().any(|word| action::is_archive(word)) {
        return action::archive(proc).await;
    }
    for (short, long, complaint) in ACTIONS {
        if names.is_empty() && has(short.as_bytes(), long.as_bytes()) {
            let own = is_query || matches!(*short, "-L" | "-S");
            return refuse(proc, own, &format!("{long} {complaint}")).await;
        }
    }
    if has(b"--version", b"--version") {
        return print(proc, "Debian 'dpkg' package management program version 1.21.23 (amd64).\nThis is free software; see the GNU General Public License version 2 or\nlater for copying conditions. There is NO warranty.\n").await;
    }
    if has(b"--help", b"-?") {
        return print(proc, super::help("dpkg")).await;
    }
    if has(b"--print-architecture", b"--print-architecture") {
        if !names.is_empty() {
            return refuse(proc, false, "--print-architecture takes no arguments").await;
        }
        return print(proc, "amd64\n").await;
    }
    if has(b"-L", b"--listfiles") {
        return query::list_files(proc, &names).await;
    }
    if has(b"-S", b"--search") {
        return query::search(proc, &names).await;
    }
    let text = read(proc, b"/var/lib/dpkg/status")
        .await
        .unwrap_or_default();
    let packages: Vec<Package> = lines(&text)
        .split(|line| line.is_empty())
        .filter(|lines| !lines.is_empty())
        .map(|lines| Package(lines.to_vec()))
        .collect();
    if has(b"-l", b"--list") {
        return list(proc, &packages, &names).await;
    }
    if has(b"-s", b"--status") {
        for name in &names {
            match packages.iter().find(|one| one.field("Package") == *name) {
                Some(one) => drop(print(proc, [super::joined(&one.0), b"\n".to_vec()].concat()).await),
                None => return fail(proc, format!("dpkg-query: package '{name}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n"), 1).await,
            }
        }
        return proc.status();
    }
    if has(b"-W", b"--show") {
        let format = format.unwrap_or_else(|| "${binary:Package}\t${Version}\n".to_owned());
        let fits = |one: &Package, name: &String| {
            let pattern = Pattern::from_bytes(name.as_bytes(), Options::default());
            let own = one.field("Package");
            pattern.matches(own.as_bytes()) || name.split(':').next() == Some(own.as_str())
        };
        let mut text = String::new();
        for one in &packages {
            if names.is_empty() || names.iter().any(|name| fits(one, name)) {
                text += &query::formatted(one, &format);
            }
            proc.tick().await;
        }
        for name in &names {
            if !packages.iter().any(|one| fits(one, name)) {
                let line = format!("dpkg-query: no packages found matching {name}\n");
                proc.print_error(line.as_bytes()).await;
                proc.set_status(1);
            }
        }
        return print(proc, text).await;
    }
    if has(b"--get-selections", b"--get-selections") {
        return selections(proc, &packages, &names).await;
    }
    if !is_query && has(b"--configure", b"--configure") && has(b"-a", b"--pending") {
        // Everything is configured.
        return proc.status();
    }
    let installs = ["-i", "--install", "--unpack", "-A", "--record-avail"];
    if installs
        .iter()
        .any(|option| has(option.as_bytes(), option.as_bytes()))
        && let Some(name) = names.first()
        && let Err(errno) = proc.stat(name.as_bytes())
    {
        let text = format!(
            "dpkg: error: cannot access archive '{name}': {}\n",
            errno.message()
        );
        return fail(proc, text, 2).await;
    }
    if has(b"-i", b"--install") {
        return refuse_archives(proc, &names).await;
    }
    if !is_query {
        for word in &words {
            let word = String::from_utf8_lossy(word).into_owned();
            if let Some(status) = action::run(proc, &word, &names, &packages).await {
                return status;
            }
        }
    }
    if has(b"-p", b"--print-avail") {
        for name in &names {
            match packages.iter().find(|one| one.field("Package") == *name) {
                Some(one) => {
                    let lines = one.0.iter().filter(|line| !line.starts_with(b"Status: "));
                    let lines: Vec<&[u8]> = lines.map(Vec::as_slice).collect();
                    let text = [lines.join(&b'\n'), b"\n\n".to_vec()].concat();
                    let _closed = proc.print(&text).await;
                }
                None => {
                    let text = format!("dpkg-query: package '{name}' is not available\n");
                    return fail(proc, text, 1).await;
                }
            }
        }
        return proc.status();
    }
    let unknown = words
        .iter()
        .find(|word| word.starts_with(b"-") && word.len() > 1);
    let known = |word: &[u8]| {
        OTHER_OPTIONS
            .iter()
            .any(|own| word.starts_with(own.as_bytes()))
    };
    match unknown.filter(|word| !known(word)) {
        Some(word) => {
            let text = format!("unknown option {}", String::from_utf8_lossy(word));
            refuse(proc, is_query, &text).await
        }
        None => refuse(proc, is_query, "need an action option").await,
    }
}

/// Options that are known and lead to nothing here.
const OTHER_OPTIONS: [&str; 40] = [
    "-A",
    "-B",
    "-C",
    "-D",
    "-E",
    "-G",
    "-O",
    "-R",
    "-V",
    "-X",
    "-a",
    "-b",
    "-c",
    "-e",
    "-p",
    "-x",
    "-I",
    "--abort",
    "--admindir",
    "--assert",
    "--audit",
    "--add-arch",
    "--auto",
    "--compare",
    "--configure",
    "--debug",
    "--force",
    "--ignore",
    "--instdir",
    "--log",
    "--no-",
    "--path",
    "--pending",
    "--purge",
    "--refuse",
    "--remove",
    "--root",
    "--status",
    "--unpack",
    "--verify",
];

/// Actions that need something to act on, and the words when there is nothing.
const ACTIONS: &[(&str, &str, &str)] = &[
    (
        "-i",
        "--install",
        "needs at least one package archive file argument",
    ),
    (
        "--unpack",
        "--unpack",
        "needs at least one package archive file argument",
    ),
    ("-r", "--remove", "needs at least one package name argument"),
    ("-P", "--purge", "needs at least one package name argument"),
    (
        "-L",
        "--listfiles",
        "needs at least one package name argument",
    ),
    (
        "-S",
        "--search",
        "needs at least one file name pattern argument",
    ),
];

/// A wrong command line in `dpkg`'s words, or in those of `dpkg-query`.
async fn refuse(proc: &mut Process, is_query: bool, complaint: &str) -> ExitStatus {
    let text = if is_query {
        format!("dpkg-query: error: {complaint}\n\nUse --help for help about querying packages.\n")
    } else {
        format!(
            "dpkg: error: {complaint}\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\nType dpkg -Dhelp for a list of dpkg debug flag values;\nType dpkg --force-help for a list of forcing options;\nType dpkg-deb --help for help about manipulating *.deb files;\n\nOptions marked [*] produce a lot of output - pipe it through 'less' or 'more' !\n"
        )
    };
    fail(proc, text, 2).await
}

/// Takes `-f FORMAT` in any of its forms out of the words; `-Wf` leaves its `-W`.
fn take_format(words: &mut Vec<Vec<u8>>) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for at in 0..words.len() {
        let word = words.get(at)?.clone();
        if word == b"-f" || word == b"-Wf" || word == b"--showformat" {
            words.remove(at);
            if word == b"-Wf" {
                words.insert(at, b"-W".to_vec());
            }
            let value = at + usize::from(word == b"-Wf");
            return (value < words.len()).then(|| text(&words.remove(value)));
        }
        let value = word
            .strip_prefix(b"--showformat=")
            .or_else(|| word.strip_prefix(b"-f="))
            .or_else(|| word.strip_prefix(b"-f"));
        if let Some(value) = value {
            words.remove(at);
            return Some(text(value));
        }
    }
    None
}

/// What `-i` makes of files that are no packages.
async fn refuse_archives(proc: &mut Process, names: &[String]) -> ExitStatus {
    let mut failed = String::new();
    for name in names {
        let text = format!(
            "dpkg-deb: error: '{name}' is not a Debian format archive\ndpkg: error processing archive {name} (--install):\n dpkg-deb --control subprocess returned error exit status 2\n"
        );
        proc.print_error(text.as_bytes()).await;
        failed += &format!(" {name}\n");
    }
    let text = format!("Errors were encountered while processing:\n{failed}");
    fail(proc, text, 1).await
}

/// Whether a name is meant by one of the patterns.
fn is_meant(own: &str, patterns: &[String]) -> bool {
    patterns.is_empty()
        || patterns.iter().any(|pattern| {
            let pattern = pattern.split(':').next().unwrap_or_default();
            Pattern::from_bytes(pattern.as_bytes(), Options::default()).matches(own.as_bytes())
        })
}

/// `--get-selections`.
async fn selections(proc: &mut Process, packages: &[Package], names: &[String]) -> ExitStatus {
    let mut text = String::new();
    let patterns: Vec<&[String]> = if names.is_empty() {
        vec![&[]]
    } else {
        names.chunks(1).collect()
    };
    // One pattern after the other.
    for pattern in patterns {
        let before = text.len();
        for one in packages {
            let name = one.field("Package");
            if is_meant(&name, pattern) {
                let tabs = "\t".repeat((6_usize).saturating_sub(name.len() / 8).max(1));
                let status = one.field("Status");
                let wanted = status.split(' ').next().unwrap_or_default();
                text += &format!("{name}{tabs}{wanted}\n");
            }
            proc.tick().await;
        }
        if let Some(pattern) = pattern.first()
            && text.len() == before
        {
            let line = format!("dpkg: no packages found matching {pattern}\n");
            proc.print_error(line.as_bytes()).await;
        }
    }
    print(proc, text).await
}

/// Packages that others only speak of, with nothing known about them.
fn mentioned(packages: &[Package], patterns: &[String]) -> Vec<String> {
    const FIELDS: [&str; 9] = [
        "Depends",
        "Pre-Depends",
        "Recommends",
        "Suggests",
        "Enhances",
        "Conflicts",
        "Breaks",
        "Replaces",
        "Provides",
    ];
    let mut names: Vec<String> = packages
        .iter()
        .flat_map(|one| FIELDS.map(|field| one.field(field)))
        .flat_map(|field| {
            let parts = field.split([',', '|']).map(|part| {
                let name = part.trim().split([' ', ':', '(']).next();
                name.unwrap_or_default().to_owned()
            });
            parts.collect::<Vec<_>>()
        })
        .filter(|name| !name.is_empty() && is_meant(name, patterns))
        .filter(|name| !packages.iter().any(|one| one.field("Package") == *name))
        .collect();
    names.sort();
    names.dedup();
    names
}

async fn list(proc: &mut Process, packages: &[Package], names: &[String]) -> ExitStatus {
    let found: Vec<&Package> = packages
        .iter()
        .filter(|one| is_meant(&one.field("Package"), names))
        .collect();
    let spoken_of = if names.is_empty() {
        Vec::new()
    } else {
        mentioned(packages, names)
    };
    let mut rows: Vec<[String; 5]> = found
        .iter()
        .map(|one| {
            let held = one.field("Status").starts_with("hold");
            [
                one.field("Package"),
                one.field("Version"),
                one.field("Architecture"),
                one.field("Description"),
                if held { "hi" } else { "ii" }.to_owned(),
            ]
        })
        .collect();
    rows.extend(spoken_of.into_iter().map(|name| {
        let none = "<none>".to_owned();
        let words = "(no description available)".to_owned();
        [name, none.clone(), none, words, "un".to_owned()]
    }));
    rows.sort();
    for pattern in names {
        let one = std::slice::from_ref(pattern);
        if !rows.iter().any(|row| is_meant(&row[0], one)) {
            let text = format!("dpkg-query: no packages found matching {pattern}\n");
            proc.print_error(text.as_bytes()).await;
            proc.set_status(1);
        }
    }
    if rows.is_empty() {
        return proc.status();
    }
    let width = |column: usize, least: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .max(least)
    };
    let (a, b, c, d) = (width(0, 14), width(1, 12), width(2, 12), width(3, 33));
    let mut text = String::from(
        "Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n",
    );
    text += &format!(
        "||/ {:<a$} {:<b$} {:<c$} Description\n",
        "Name", "Version", "Architecture"
    );
    text += &format!(
        "+++-{}-{}-{}-{}\n",
        "=".repeat(a),
        "=".repeat(b),
        "=".repeat(c),
        "=".repeat(d)
    );
    for [name, version, architecture, description, state] in rows {
        text += &format!("{state}  {name:<a$} {version:<b$} {architecture:<c$} {description}\n");
    }
    print(proc, text).await
}
