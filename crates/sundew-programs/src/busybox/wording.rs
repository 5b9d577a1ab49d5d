//! What BusyBox says where the GNU program that stands in for an applet says something else.

/// What becomes of a line on standard error.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is said so.
    Line(Vec<u8>),
    /// BusyBox says nothing.
    Nothing,
    /// BusyBox prints its usage text, and fails with status 1.
    Usage,
}

/// Applet, what the GNU program says before the quoted name, what BusyBox says around it: `@` stands
/// for the name. What follows the name (`: REASON`) is kept.
const ROWS: &[(&str, &str, &str)] = &[
    ("chmod", "cannot access ", "@"),
    ("chown", "cannot access ", "@"),
    ("cp", "cannot create regular file ", "can't create '@'"),
    ("cp", "cannot open ", "can't open '@'"),
    ("cp", "cannot stat ", "can't stat '@'"),
    ("cut", "", "@"),
    ("dd", "failed to open ", "can't open '@'"),
    ("du", "cannot access ", "@"),
    ("find", "", "@"),
    ("head", "cannot open ", "@"),
    ("ln", "failed to create symbolic link ", "@"),
    ("ls", "cannot access ", "@"),
    ("ls", "cannot open directory ", "can't open '@'"),
    (
        "mkdir",
        "cannot create directory ",
        "can't create directory '@'",
    ),
    ("mv", "cannot stat ", "can't rename '@'"),
    ("rm", "cannot remove ", "can't remove '@'"),
    ("rmdir", "failed to remove ", "'@'"),
    ("sort", "cannot read: ", "@"),
    ("stat", "cannot statx ", "can't stat '@'"),
    ("tail", "cannot open ", "can't open '@'"),
    ("touch", "cannot touch ", "@"),
];

/// Applets that name a file they cannot open so.
const CANNOT_OPEN: &[&str] = &[
    "awk",
    "base64",
    "cat",
    "md5sum",
    "nl",
    "od",
    "paste",
    "rev",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "tac",
    "hexdump",
    "xxd",
    "strings",
];

/// One line of a program's complaints, in the applet's words.
pub(super) fn reword(applet: &[u8], line: &[u8]) -> Said {
    let name = std::str::from_utf8(applet).unwrap_or_default();
    let same = || Said::Line(line.to_vec());
    if line.starts_with(b"Try '") {
        return Said::Usage;
    }
    if applet == b"dd" && line.windows(7).any(|window| window == b"copied,") {
        return Said::Nothing;
    }
    let Some(text) = line
        .strip_prefix(applet)
        .and_then(|rest| rest.strip_prefix(b": "))
    else {
        return same();
    };
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.starts_with(b"missing ") || text.starts_with(b"extra operand") {
        return Said::Nothing;
    }
    let said = |before: &[u8]| Said::Line([applet, b": ", before, b"\n"].concat());
    if applet == b"id"
        && let Some((subject, rest)) = quoted(text)
        && rest == b": no such user"
    {
        return said(&[b"unknown user ".as_slice(), subject].concat());
    }
    if applet == b"tar" && text.starts_with(b"Error is not recoverable") {
        return Said::Nothing;
    }
    if applet == b"tar"
        && let Some(at) = find(text, b": Cannot open: ")
    {
        let (path, rest) = text.split_at(at);
        let reason = rest.strip_prefix(b": Cannot open: ").unwrap_or(rest);
        return said(&[b"can't open '".as_slice(), path, b"': ", reason].concat());
    }
    for (_, before, pattern) in ROWS.iter().filter(|row| row.0 == name) {
        if let Some(found) = text.strip_prefix(before.as_bytes()) {
            let Some((subject, rest)) = quoted(found) else {
                continue;
            };
            let rest = rest.strip_prefix(b" for reading").unwrap_or(rest);
            let mut out = Vec::new();
            for byte in pattern.bytes() {
                if byte == b'@' {
                    out.extend_from_slice(subject)
                } else {
                    out.push(byte)
                }
            }
            out.extend_from_slice(rest);
            return said(&out);
        }
    }
    let unopened = [
        // tidy-allow(errno-word): the words that are looked for and replaced
        b": No such file or directory".as_slice(),
        // tidy-allow(errno-word): the words that are looked for and replaced
        b": Permission denied",
    ];
    if CANNOT_OPEN.contains(&name)
        && let Some(reason) = unopened.into_iter().find(|reason| text.ends_with(reason))
    {
        let path = text.strip_suffix(reason).unwrap_or(text);
        return said(&[b"can't open '".as_slice(), path, b"'", reason].concat());
    }
    same()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// What stands in quotes at the front, of either kind, and what follows.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    for (open, close) in [("'", "'"), ("\u{2018}", "\u{2019}")] {
        if let Some(rest) = text.strip_prefix(open.as_bytes()) {
            let end = rest
                .windows(close.len())
                .rposition(|window| window == close.as_bytes())?;
            let (subject, rest) = rest.split_at(end);
            return Some((subject, rest.get(close.len()..).unwrap_or_default()));
        }
    }
    let end = find(text, b": ")?;
    Some(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(applet: &str, text: &str) -> String {
        match reword(applet.as_bytes(), text.as_bytes()) {
            Said::Line(line) => String::from_utf8(line).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn complaints_of_gnu_programs_are_put_into_busybox_words() {
        for (applet, gnu, busybox) in [
            (
                "ls",
                "ls: cannot access 'a b': No such file or directory\n",
                "ls: a b: No such file or directory\n",
            ),
            (
                "rm",
                "rm: cannot remove 'nope': No such file or directory\n",
                "rm: can't remove 'nope': No such file or directory\n",
            ),
            (
                "mkdir",
                "mkdir: cannot create directory ‘/a/b’: No such file or directory\n",
                "mkdir: can't create directory '/a/b': No such file or directory\n",
            ),
            (
                "cat",
                "cat: /nope: No such file or directory\n",
                "cat: can't open '/nope': No such file or directory\n",
            ),
            (
                "head",
                "head: cannot open 'nope' for reading: No such file or directory\n",
                "head: nope: No such file or directory\n",
            ),
            ("id", "id: ‘x’: no such user\n", "id: unknown user x\n"),
            (
                "tar",
                "tar: nope: Cannot open: No such file or directory\n",
                "tar: can't open 'nope': No such file or directory\n",
            ),
            (
                "cat",
                "cat: invalid option -- 'Z'\n",
                "cat: invalid option -- 'Z'\n",
            ),
            ("cat", "Try 'cat --help' for more information.\n", "Usage"),
            ("rm", "rm: missing operand\n", "Nothing"),
            ("dd", "10 bytes copied, 1 s, 10 B/s\n", "Nothing"),
        ] {
            assert_eq!(line(applet, gnu), busybox);
        }
    }
}
