//! `dpkg` and `dpkg-query`: questions to `/var/lib/dpkg/status`.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, lines, print, read};

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
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let names: Vec<String> = words
        .iter()
        .filter(|word| !word.starts_with(b"-"))
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let has = |short: &[u8], long: &[u8]| words.iter().any(|word| word == short || word == long);
    if has(b"--version", b"--version") {
        return print(proc, "Debian 'dpkg' package management program version 1.21.22 (amd64).\nThis is free software; see the GNU General Public License version 2 or\nlater for copying conditions. There is NO warranty.\n").await;
    }
    if has(b"--help", b"-?") {
        return print(proc, super::help("dpkg")).await;
    }
    if has(b"--print-architecture", b"--print-architecture") {
        return print(proc, "amd64\n").await;
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
        let shown = |one: &Package| format!("{}\t{}\n", one.field("Package"), one.field("Version"));
        let mut text = String::new();
        for one in &packages {
            if names.is_empty() || names.contains(&one.field("Package")) {
                text += &shown(one);
            }
        }
        for name in &names {
            if !packages.iter().any(|one| one.field("Package") == *name) {
                let line = format!("dpkg-query: no packages found matching {name}\n");
                proc.print_error(line.as_bytes()).await;
                proc.set_status(1);
            }
        }
        return print(proc, text).await;
    }
    if has(b"--get-selections", b"--get-selections") {
        let rows: Vec<String> = packages
            .iter()
            .map(|one| {
                let name = one.field("Package");
                let tabs = "\t".repeat((6_usize).saturating_sub(name.len() / 8).max(1));
                format!("{name}{tabs}install\n")
            })
            .collect();
        return print(proc, rows.concat()).await;
    }
    if has(b"-i", b"--install") {
        let name = names.first().cloned().unwrap_or_default();
        return fail(
            proc,
            // tidy-allow(errno-word): part of a sentence that no system call answered
            format!("dpkg: error: cannot access archive '{name}': No such file or directory\n"),
            2,
        )
        .await;
    }
    fail(proc, "dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\nType dpkg -Dhelp for a list of dpkg debug flag values;\nType dpkg --force-help for a list of forcing options;\nType dpkg-deb --help for help about manipulating *.deb files;\n\nOptions marked [*] produce a lot of output - pipe it through 'less' or 'more' !\n", 2).await
}

async fn list(proc: &mut Process, packages: &[Package], names: &[String]) -> ExitStatus {
    let fits = |one: &&Package| {
        let own = one.field("Package");
        names.is_empty()
            || names.iter().any(|name| {
                name == &own
                    || name
                        .strip_suffix('*')
                        .is_some_and(|start| own.starts_with(start))
            })
    };
    let found: Vec<&Package> = packages.iter().filter(fits).collect();
    if found.is_empty() {
        return fail(
            proc,
            format!(
                "dpkg-query: no packages found matching {}\n",
                names.first().cloned().unwrap_or_default()
            ),
            1,
        )
        .await;
    }
    let rows: Vec<[String; 4]> = found
        .iter()
        .map(|one| {
            [
                one.field("Package"),
                one.field("Version"),
                one.field("Architecture"),
                one.field("Description"),
            ]
        })
        .collect();
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
    for [name, version, architecture, description] in rows {
        text += &format!("ii  {name:<a$} {version:<b$} {architecture:<c$} {description}\n");
    }
    print(proc, text).await
}
