//! What the texts of replies to a client mean: sizes, times, paths, names, hashes.
//!
//! RFC 3659 §3 and §4, RFC 959 §4.2, RFC 1123 §4.1.2.9, the HASH draft. Numbers are the server's
//! word, nothing more: nobody allocates by them.

use crate::address::parse_number;
use crate::reply::Reply;
use crate::time::Timestamp;

/// A hash as the server gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHash {
    /// `SHA-256`, `MD5`, … in capitals, as in the registry of hash names.
    pub algorithm: String,
    /// The bytes of the hash.
    pub value: Vec<u8>,
}

/// The size in the reply to SIZE.
#[must_use]
pub fn size(reply: &Reply) -> Option<u64> {
    parse_size(reply.text())
}

/// A size as text: digits, blanks around them ignored.
#[must_use]
pub fn parse_size(text: &[u8]) -> Option<u64> {
    parse_number(text.trim_ascii())
}

/// The time in the reply to MDTM.
///
/// Reads `19100…` too, which some servers of the last century write for 2000.
#[must_use]
pub fn modified(reply: &Reply) -> Option<Timestamp> {
    let text = reply.text().trim_ascii();
    Timestamp::parse(text).or_else(|| {
        let (whole, rest) = text.split_at_checked(15)?;
        let years = parse_number::<u16>(whole.get(2..5)?)?.checked_add(1900)?;
        let plausible = whole.starts_with(b"19") && (2000..2100).contains(&years);
        let text = [years.to_string().as_bytes(), whole.get(5..)?, rest].concat();
        plausible.then(|| Timestamp::parse(&text)).flatten()
    })
}

/// The name in the reply to STOU: behind `FILE:` in any line of the 150 or 125 (RFC 1123 §4.1.2.9),
/// or in quotes.
#[must_use]
pub fn unique_name(reply: &Reply) -> Option<Vec<u8>> {
    let by_word = reply.lines().find_map(|text| {
        let upper = text.to_ascii_uppercase();
        let at = upper.windows(5).position(|window| window == b"FILE:")?;
        let name = text.get(at + 5..)?.trim_ascii();
        (!name.is_empty()).then(|| name.to_vec())
    });
    by_word.or_else(|| crate::address::unquote(reply.text()).filter(|name| !name.is_empty()))
}

/// The byte count in the text of a 150, as `150 Opening … (1234 bytes).`: good for progress bars only.
#[must_use]
pub fn announced_size(reply: &Reply) -> Option<u64> {
    let text = reply.text();
    let end = text.windows(5).rposition(|window| window == b"bytes")?;
    let before = text.get(..end)?.trim_ascii_end();
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let start = before.len().checked_sub(digits.count())?;
    parse_number(before.get(start..)?)
}

/// The hash in the reply to HASH: `SHA-256 0-49 6169… name`.
#[must_use]
pub fn hash(reply: &Reply) -> Option<FileHash> {
    let mut words = reply
        .text()
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    let algorithm = words.next()?.to_ascii_uppercase();
    let range = words.next()?;
    let is_range = range.contains(&b'-') && range.iter().all(|b| b.is_ascii_digit() || *b == b'-');
    let value = unhex(words.next().filter(|_| is_range)?)?;
    Some(FileHash {
        algorithm: String::from_utf8(algorithm).ok()?,
        value,
    })
}

/// The hash in the reply to XMD5, XSHA1 and their kin: the first word that is nothing but the right
/// number of hexadecimal digits, since servers put the path before or behind it.
#[must_use]
pub fn bare_hash(reply: &Reply, bytes: usize) -> Option<Vec<u8>> {
    reply
        .text()
        .split(|&byte| byte == b' ')
        .find_map(|word| unhex(word).filter(|value| value.len() == bytes))
}

/// The algorithm the server will use, and all it knows: the parameters of `HASH` in the feature list.
#[must_use]
pub fn hash_algorithms(parameters: &[u8]) -> (Option<String>, Vec<String>) {
    let mut current = None;
    let mut all = Vec::new();
    for word in parameters.split(|&byte| byte == b';') {
        let (name, is_current) = match word.strip_suffix(b"*") {
            Some(name) => (name, true),
            None => (word, false),
        };
        let Ok(name) = std::str::from_utf8(name.trim_ascii()) else {
            continue;
        };
        if name.is_empty() {
            continue;
        }
        let name = name.to_ascii_uppercase();
        if is_current {
            current = Some(name.clone());
        }
        all.push(name);
    }
    (current, all)
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Code;

    fn said(text: &str) -> Reply {
        Reply::new(Code::FILE_STATUS, text)
    }

    #[test]
    fn sizes_and_times_are_read_and_nothing_else_is() {
        assert_eq!(size(&said(" 1234 ")), Some(1234));
        assert_eq!(size(&said("99999999999999999999")), None);
        assert_eq!(size(&said("-1")), None);
        let time = |text| modified(&said(text)).map(|time| time.to_string());
        assert_eq!(time("20240310120000.25").as_deref(), Some("20240310120000"));
        assert_eq!(time("191000310120000").as_deref(), Some("20000310120000"));
        assert_eq!(time("191240310120000").as_deref(), Some("20240310120000"));
        assert_eq!(time("yesterday"), None);
    }

    #[test]
    fn names_and_sizes_are_found_in_texts() {
        let name = |text| unique_name(&said(text));
        assert_eq!(name("FILE: a b.1").as_deref(), Some(&b"a b.1"[..]));
        assert_eq!(
            name("Opening data connection for \"x.2\"").as_deref(),
            Some(&b"x.2"[..])
        );
        assert_eq!(name("Transfer complete"), None);
        assert_eq!(
            announced_size(&said("Opening BINARY mode for a (1234 bytes).")),
            Some(1234)
        );
        assert_eq!(announced_size(&said("1234 bytes")), Some(1234));
        assert_eq!(announced_size(&said("bytes")), None);
    }

    #[test]
    fn hashes_are_read_in_the_forms_of_the_draft_and_of_the_x_verbs() {
        let read = hash(&said("sha-256 0-3 00fF name with blanks")).unwrap();
        assert_eq!(
            (read.algorithm.as_str(), read.value),
            ("SHA-256", vec![0, 255])
        );
        assert_eq!(hash(&said("SHA-256 00ff name")), None);
        assert_eq!(
            bare_hash(&said("/a/b deadBEEF"), 4),
            Some(vec![0xde, 0xad, 0xbe, 0xef])
        );
        assert_eq!(bare_hash(&said("deadbee"), 4), None);
        let (current, all) = hash_algorithms(b"SHA-1;sha-256*;MD5;");
        assert_eq!(current.as_deref(), Some("SHA-256"));
        assert_eq!(all, ["SHA-1", "SHA-256", "MD5"]);
    }
}
