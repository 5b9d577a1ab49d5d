//! dpkg-query(1): which package a file is of, which files a package has, and fields in a format.

use sundew_kernel::{ExitStatus, Process};
use sundew_posix::pattern::{Options, Pattern};

use super::{Package, print, read};

/// Where dpkg keeps what came with each package.
const INFO: &[u8] = b"/var/lib/dpkg/info";
/// Widest field of a format, as dpkg has it no bound.
const MAX_WIDTH: usize = 4096;

/// `dpkg -L`.
pub(super) async fn list_files(proc: &mut Process, names: &[String]) -> ExitStatus {
    for name in names {
        let mut text = None;
        for file in [name.clone(), format!("{name}:amd64")] {
            let path = [INFO, b"/", file.as_bytes(), b".list"].concat();
            if let Ok(found) = read(proc, &path).await {
                text = Some(found);
                break;
            }
        }
        match text {
            Some(text) => {
                if print(proc, text).await != ExitStatus::SUCCESS {
                    return proc.status();
                }
            }
            None => {
                let text = format!(
                    "dpkg-query: package '{name}' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n"
                );
                proc.print_error(text.as_bytes()).await;
                proc.set_status(1);
            }
        }
    }
    proc.status()
}

/// `dpkg -S`: the packages whose lists have a path that fits. A word without a slash in front and without
/// a wildcard fits anywhere in a path.
pub(super) async fn search(proc: &mut Process, words: &[String]) -> ExitStatus {
    let mut owners: Vec<(String, Vec<u8>)> = Vec::new();
    let mut files: Vec<Vec<u8>> = proc
        .read_directory(INFO)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| Some(entry.name.strip_suffix(b".list")?.to_vec()))
        .collect();
    files.sort();
    for file in files {
        let path = [INFO, b"/", file.as_slice(), b".list"].concat();
        let text = read(proc, &path).await.unwrap_or_default();
        proc.tick().await;
        owners.push((String::from_utf8_lossy(&file).into_owned(), text));
    }
    for word in words {
        // What starts neither at the root nor with a wildcard may stand anywhere.
        let whole = word.starts_with(['/', '*', '?', '[']);
        let anywhere = format!("*{word}*");
        let special = word.contains(['*', '?', '[', '\\']);
        let pattern = if whole { word } else { &anywhere };
        let pattern = Pattern::from_bytes(pattern.as_bytes(), Options::default());
        let fits = |path: &[u8]| match (special, whole) {
            (true, _) => pattern.matches(path),
            (false, true) => path == word.trim_end_matches('/').as_bytes(),
            (false, false) => path
                .windows(word.len().max(1))
                .any(|part| part == word.as_bytes()),
        };
        // Each path with all its owners, in the order in which they are met.
        let mut found: Vec<(&[u8], Vec<&str>)> = Vec::new();
        for (owner, text) in &owners {
            let paths = text.split(|&byte| byte == b'\n');
            for path in paths.filter(|path| !path.is_empty() && fits(path)) {
                match found.iter_mut().find(|(known, _)| *known == path) {
                    Some((_, all)) => all.push(owner),
                    None => found.push((path, vec![owner])),
                }
            }
            proc.tick().await;
        }
        if found.is_empty() {
            let text = format!("dpkg-query: no path found matching pattern {word}\n");
            proc.print_error(text.as_bytes()).await;
            proc.set_status(1);
        }
        for (path, all) in found {
            let line = [all.join(", ").as_bytes(), b": ", path, b"\n"].concat();
            if proc.print(&line).await.is_err() {
                return proc.status();
            }
        }
    }
    proc.status()
}

/// One package in a `--showformat`: `${Field}`, `${Field;WIDTH}`, `\n`, `\t`.
pub(super) fn formatted(package: &Package, format: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['$', '\\']) {
        let (before, after) = rest.split_at(at);
        out += before;
        if let Some((field, tail)) = after
            .strip_prefix("${")
            .and_then(|inside| inside.split_once('}'))
        {
            let (name, width) = field.split_once(';').unwrap_or((field, ""));
            out += &padded(&package.virtual_field(name), width);
            rest = tail;
            continue;
        }
        let mut letters = after.chars();
        let first = letters.next();
        rest = letters.as_str();
        if first != Some('\\') {
            out.extend(first);
            continue;
        }
        let escaped = letters.next();
        rest = letters.as_str();
        out.extend(match escaped {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            other => other,
        });
    }
    out + rest
}

/// To the right in a positive width, to the left in a negative one; longer than either stays whole.
fn padded(value: &str, width: &str) -> String {
    let digits = width.trim_start_matches('-');
    let columns = digits.parse::<usize>().unwrap_or(0).min(MAX_WIDTH);
    if width.starts_with('-') {
        format!("{value:<columns$}")
    } else {
        format!("{value:>columns$}")
    }
}

impl Package {
    /// A field of the status file, or one that dpkg-query makes up.
    fn virtual_field(&self, name: &str) -> String {
        let status = self.field("Status");
        match name {
            "binary:Package" => {
                let package = self.field("Package");
                if self.field("Multi-Arch") == "same" {
                    format!("{package}:{}", self.field("Architecture"))
                } else {
                    package
                }
            }
            "binary:Summary" => self.field("Description"),
            "db:Status-Status" => status.rsplit(' ').next().unwrap_or_default().to_owned(),
            "db:Status-Want" => status.split(' ').next().unwrap_or_default().to_owned(),
            "db:Status-Abbrev" => {
                let letter = |at: usize| {
                    let word = status.split(' ').nth(at).unwrap_or_default();
                    word.chars().next().unwrap_or('n')
                };
                format!("{}{} ", letter(0), letter(2))
            }
            "source:Package" => {
                let source = self.field("Source");
                let source = source.split(' ').next().unwrap_or_default().to_owned();
                if source.is_empty() {
                    self.field("Package")
                } else {
                    source
                }
            }
            "source:Version" | "source:Upstream-Version" => self.field("Version"),
            name => self.whole_field(name),
        }
    }

    /// A field with the lines that go on behind it.
    fn whole_field(&self, name: &str) -> String {
        let begins = |line: &&Vec<u8>| {
            line.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
                && line.get(name.len()) == Some(&b':')
        };
        let mut rest = self.0.iter().skip_while(|line| !begins(line));
        let Some(first) = rest.next() else {
            return String::new();
        };
        let mut value = first
            .get(name.len() + 1..)
            .unwrap_or_default()
            .trim_ascii()
            .to_vec();
        for line in rest.take_while(|line| line.starts_with(b" ")) {
            value.push(b'\n');
            value.extend_from_slice(line);
        }
        String::from_utf8_lossy(&value).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_shows_fields_in_their_width() {
        let text = b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nSource: glibc (2.36)\nDescription: one\n two\n";
        let lines = text.split(|&byte| byte == b'\n');
        let package = Package(lines.map(<[u8]>::to_vec).collect());
        let shown = |format| formatted(&package, format);
        assert_eq!(
            shown("${Package}\\t${binary:Package}\\n"),
            "libc6\tlibc6:amd64\n"
        );
        assert_eq!(
            shown("[${Package;8}][${Package;-8}][${nope}]"),
            "[   libc6][libc6   ][]"
        );
        assert_eq!(shown("${Description}"), "one\n two");
        assert_eq!(shown("${db:Status-Abbrev}|${source:Package}"), "ii |glibc");
        assert_eq!(shown("a$b${open \\q\\"), "a$b${open q");
    }
}
