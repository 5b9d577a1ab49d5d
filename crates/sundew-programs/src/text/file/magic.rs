//! What bytes are: archives, images, scripts, text.

use super::{Kind, elf};

/// Beginnings, words and MIME types of what needs no closer look.
const HEADS: &[(&[u8], &str, &str)] = &[
    (
        b"BZh9",
        "bzip2 compressed data, block size = 900k",
        "application/x-bzip2",
    ),
    (
        b"BZh1",
        "bzip2 compressed data, block size = 100k",
        "application/x-bzip2",
    ),
    (b"BZh", "bzip2 compressed data", "application/x-bzip2"),
    (
        b"\xfd7zXZ\0\0\x04",
        "XZ compressed data, checksum CRC64",
        "application/x-xz",
    ),
    (
        b"\xfd7zXZ\0\0\x01",
        "XZ compressed data, checksum CRC32",
        "application/x-xz",
    ),
    (b"\xfd7zXZ\0", "XZ compressed data", "application/x-xz"),
    (
        b"7z\xbc\xaf\x27\x1c",
        "7-zip archive data",
        "application/x-7z-compressed",
    ),
    (
        b"PK\x03\x04\x14\0",
        "Zip archive data, at least v2.0 to extract, compression method=deflate",
        "application/zip",
    ),
    (
        b"PK\x03\x04\x0a\0",
        "Zip archive data, at least v1.0 to extract, compression method=store",
        "application/zip",
    ),
    (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "PNG image data",
        "image/png",
    ),
    (b"\xff\xd8\xff", "JPEG image data", "image/jpeg"),
    (b"GIF89a", "GIF image data, version 89a", "image/gif"),
    (b"%PDF-", "PDF document", "application/pdf"),
    (
        b"!<arch>\ndebian",
        "Debian binary package (format 2.0)",
        "application/vnd.debian.binary-package",
    ),
    (b"!<arch>\n", "current ar archive", "application/x-archive"),
    (b"MZ", "MS-DOS executable", "application/x-dosexec"),
    (
        b"\xca\xfe\xba\xbe",
        "compiled Java class data",
        "application/x-java-applet",
    ),
    (
        b"SQLite format 3\0",
        "SQLite 3.x database",
        "application/vnd.sqlite3",
    ),
    (
        b"070701",
        "ASCII cpio archive (SVR4 with no CRC)",
        "application/x-cpio",
    ),
];

/// Interpreters: the word behind `#!`, what it is called, its MIME type.
const INTERPRETERS: &[(&str, &str, &str)] = &[
    ("/bin/sh", "POSIX shell script", "text/x-shellscript"),
    ("/bin/dash", "POSIX shell script", "text/x-shellscript"),
    (
        "/bin/bash",
        "Bourne-Again shell script",
        "text/x-shellscript",
    ),
    (
        "/usr/bin/bash",
        "Bourne-Again shell script",
        "text/x-shellscript",
    ),
    (
        "/bin/zsh",
        "Paul Falstad's zsh script",
        "text/x-shellscript",
    ),
    ("/bin/ksh", "Korn shell script", "text/x-shellscript"),
    ("/usr/bin/perl", "Perl script", "text/x-perl"),
    ("/usr/bin/awk", "awk script", "text/x-awk"),
    ("python", "Python script", "text/x-script.python"),
    ("perl", "Perl script", "text/x-perl"),
    ("bash", "Bourne-Again shell script", "text/x-shellscript"),
    ("ruby", "Ruby script", "text/x-ruby"),
    ("php", "PHP script", "text/x-php"),
    ("node", "Node.js script", "application/javascript"),
];

/// The kind of a file with these first bytes.
pub(super) fn of(bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::binary("empty", "inode/x-empty");
    }
    if bytes.starts_with(b"\x7fELF") {
        return elf::describe(bytes);
    }
    if let Some(kind) = gzip(bytes).or_else(|| tar(bytes)) {
        return kind;
    }
    if let Some((_, words, mime)) = HEADS.iter().find(|row| bytes.starts_with(row.0)) {
        return Kind::binary(*words, mime);
    }
    text(bytes).unwrap_or_else(|| Kind::binary("data", "application/octet-stream"))
}

fn gzip(bytes: &[u8]) -> Option<Kind> {
    let [0x1f, 0x8b, 8, flags, a, b, c, d, extra, system, ..] = *bytes else {
        return None;
    };
    let mut words = "gzip compressed data".to_owned();
    if flags & 8 != 0 {
        let name: Vec<u8> = bytes
            .iter()
            .skip(10)
            .copied()
            .take_while(|&byte| byte != 0)
            .collect();
        words.push_str(&format!(", was \"{}\"", String::from_utf8_lossy(&name)));
    }
    let time = u32::from_le_bytes([a, b, c, d]);
    if time != 0 {
        let moment = sundew_vfs::Timestamp {
            secs: i64::from(time),
            nanos: 0,
        };
        let shown = crate::time::Shown::new(moment, &crate::time::Zone::utc())
            .format(b"%a %b %e %H:%M:%S %Y");
        words.push_str(&format!(
            ", last modified: {}",
            String::from_utf8_lossy(&shown)
        ));
    }
    match extra {
        2 => words.push_str(", max compression"),
        4 => words.push_str(", max speed"),
        _ => {}
    }
    words.push_str(match system {
        0 => ", from FAT filesystem (MS-DOS, OS/2, NT)",
        3 => ", from Unix",
        _ => "",
    });
    if let Some(&[a, b, c, d]) = bytes
        .len()
        .checked_sub(4)
        .and_then(|at| bytes.get(at..))
        .and_then(|end| <&[u8; 4]>::try_from(end).ok())
    {
        words.push_str(&format!(
            ", original size modulo 2^32 {}",
            u32::from_le_bytes([a, b, c, d])
        ));
    }
    Some(Kind::binary(words, "application/gzip"))
}

fn tar(bytes: &[u8]) -> Option<Kind> {
    let words = match bytes.get(257..265)? {
        b"ustar  \0" => "POSIX tar archive (GNU)",
        [b'u', b's', b't', b'a', b'r', 0, ..] => "POSIX tar archive",
        _ => return None,
    };
    Some(Kind::binary(words, "application/x-tar"))
}

fn text(bytes: &[u8]) -> Option<Kind> {
    let (encoding, charset) = encoding(bytes)?;
    let ends = line_ends(bytes);
    if let Some(line) = bytes.strip_prefix(b"#!") {
        return Some(script(line, encoding, charset, &ends));
    }
    let trimmed = bytes.trim_ascii_start();
    if trimmed.starts_with(b"<?php") {
        return Some(Kind::new(
            format!("PHP script, {encoding}{ends}"),
            "text/x-php",
            charset,
        ));
    }
    if trimmed.starts_with(b"<?xml") {
        return Some(Kind::new(
            format!("XML 1.0 document, {encoding}{ends}"),
            "text/xml",
            charset,
        ));
    }
    let lower = trimmed
        .get(..trimmed.len().min(64))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return Some(Kind::new(
            format!("HTML document, {encoding}{ends}"),
            "text/html",
            charset,
        ));
    }
    if json(trimmed) {
        return Some(Kind::new("JSON text data", "application/json", charset));
    }
    if bytes.starts_with(b"#include") || bytes.windows(10).any(|window| window == b"\n#include ") {
        return Some(Kind::new(
            format!("C source, {encoding}{ends}"),
            "text/x-c",
            charset,
        ));
    }
    for (head, words) in [
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----".as_slice(),
            "OpenSSH private key",
        ),
        (b"-----BEGIN CERTIFICATE-----", "PEM certificate"),
        (b"-----BEGIN RSA PRIVATE KEY-----", "PEM RSA private key"),
        (b"ssh-rsa ", "OpenSSH RSA public key"),
    ] {
        if bytes.starts_with(head) {
            return Some(Kind::new(words, "text/plain", charset));
        }
    }
    Some(Kind::new(
        format!("{encoding}{ends}"),
        "text/plain",
        charset,
    ))
}

fn script(line: &[u8], encoding: &str, charset: &'static str, ends: &str) -> Kind {
    let line = line
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split_ascii_whitespace();
    let path = words.next().unwrap_or_default();
    let by_env = path.ends_with("/env");
    let name = if by_env {
        words.next().unwrap_or_default().to_owned()
    } else {
        path.to_owned()
    };
    let found = INTERPRETERS.iter().find(|row| {
        if row.0.starts_with('/') {
            name == row.0
        } else {
            name.rsplit('/')
                .next()
                .is_some_and(|base| base.starts_with(row.0))
        }
    });
    let (kind, mime) = found.map_or_else(
        || (format!("a {line} script"), "text/plain"),
        |row| (row.1.to_owned(), row.2),
    );
    // Perl is known by a rule that says nothing of the characters.
    if kind == "Perl script" {
        return Kind::new("Perl script text executable", mime, charset);
    }
    Kind::new(
        format!("{kind}, {encoding} executable{ends}"),
        mime,
        charset,
    )
}

/// What the characters are, or `None` for bytes that are no text.
fn encoding(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let plain = |byte: &u8| matches!(byte, 7..=13 | 27 | 32..=126);
    if bytes.iter().all(plain) {
        return Some(("ASCII text", "us-ascii"));
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if std::str::from_utf8(body).is_ok() && body.iter().all(|byte| plain(byte) || *byte >= 0x80) {
        let words = if body.len() < bytes.len() {
            "Unicode text, UTF-8 (with BOM) text"
        } else {
            "Unicode text, UTF-8 text"
        };
        return Some((words, "utf-8"));
    }
    if bytes.starts_with(b"\xff\xfe") {
        return Some(("Unicode text, UTF-16, little-endian text", "utf-16le"));
    }
    if bytes.iter().all(|byte| plain(byte) || *byte >= 0xa0) {
        return Some(("ISO-8859 text", "iso-8859-1"));
    }
    if bytes.iter().all(|byte| plain(byte) || *byte >= 0x80) {
        return Some(("Non-ISO extended-ASCII text", "unknown-8bit"));
    }
    None
}

fn line_ends(bytes: &[u8]) -> String {
    /// Longer lines are mentioned.
    const LONG: usize = 300;
    let mut out = String::new();
    let longest = bytes
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    if longest > LONG {
        out.push_str(&format!(", with very long lines ({longest})"));
    }
    let lf = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let crlf = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    let cr = bytes.iter().filter(|&&byte| byte == b'\r').count() - crlf;
    let mut kinds = Vec::new();
    if crlf > 0 {
        kinds.push("CRLF");
    }
    if cr > 0 {
        kinds.push("CR");
    }
    if lf > crlf && !kinds.is_empty() {
        kinds.push("LF");
    }
    if !kinds.is_empty() {
        out.push_str(&format!(", with {} line terminators", kinds.join(", ")));
    } else if lf == 0 {
        out.push_str(", with no line terminators");
    }
    if bytes.contains(&27) {
        out.push_str(", with escape sequences");
    }
    out
}

/// Whether it begins and ends as an object or array does, with a quoted word in it.
fn json(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let braces = text.starts_with(b"{") && text.ends_with(b"}");
    let brackets = text.starts_with(b"[") && text.ends_with(b"]");
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .unwrap_or_default()
        .trim_ascii();
    (braces && inner.starts_with(b"\"") && inner.contains(&b':'))
        || (brackets && (inner.starts_with(b"{") || inner.starts_with(b"\"")))
}
