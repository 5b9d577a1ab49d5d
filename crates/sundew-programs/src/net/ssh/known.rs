//! `known_hosts`: the keys of servers that were met before. sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sundew_kernel::Process;
use sundew_kernel::secure_shell::HostKey;

/// Bytes of the salt of a hashed name.
const SALT_BYTES: usize = 20;

/// Whether a name matches a list of patterns with `*`, `?` and `!`.
pub(super) fn matches_list(patterns: &[Vec<u8>], name: &[u8]) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix(b"!") {
            Some(not) if matches(not, name) => return false,
            Some(_) => {}
            None => found |= matches(pattern, name),
        }
    }
    found
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let (mut at, mut from, mut star) = (0, 0, None::<(usize, usize)>);
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == name.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|&byte| byte == b'*')
}

/// How a host stands in the file: its name, or `[name]:port`.
pub(crate) fn entry_name(host: &[u8], port: u16) -> Vec<u8> {
    let host = host.to_ascii_lowercase();
    if port == 22 {
        host
    } else {
        [b"[", host.as_slice(), format!("]:{port}").as_bytes()].concat()
    }
}

/// Whether a field of the file names this host.
pub(crate) fn names(field: &[u8], name: &[u8]) -> bool {
    if let Some(hashed) = field.strip_prefix(b"|1|") {
        let mut parts = hashed.splitn(2, |&byte| byte == b'|');
        let decoded = |part: Option<&[u8]>| STANDARD.decode(part?).ok();
        let (Some(salt), Some(hash)) = (decoded(parts.next()), decoded(parts.next())) else {
            return false;
        };
        return digest(&salt, name) == hash;
    }
    let patterns: Vec<Vec<u8>> = field
        .split(|&byte| byte == b',')
        .map(<[u8]>::to_vec)
        .collect();
    matches_list(&patterns, name)
}

fn digest(salt: &[u8], name: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
    hmac::sign(&key, name).as_ref().to_vec()
}

/// A name that only who knows it recognises.
pub(crate) fn hashed(proc: &Process, name: &[u8]) -> Vec<u8> {
    let mut salt = Vec::with_capacity(SALT_BYTES + 4);
    while salt.len() < SALT_BYTES {
        salt.extend(proc.random().to_le_bytes());
    }
    salt.truncate(SALT_BYTES);
    let (salt, hash) = (STANDARD.encode(&salt), STANDARD.encode(digest(&salt, name)));
    format!("|1|{salt}|{hash}").into_bytes()
}

/// `SHA256:…`, as OpenSSH shows a key.
pub(crate) fn fingerprint(blob: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// `ED25519`, as OpenSSH names a key of this algorithm.
pub(crate) fn kind(algorithm: &[u8]) -> &'static str {
    match algorithm {
        b"ssh-ed25519" => "ED25519",
        b"ssh-dss" => "DSA",
        other if other.starts_with(b"ecdsa") => "ECDSA",
        other if other.starts_with(b"sk-ssh") => "ED25519-SK",
        other if other.starts_with(b"sk-ecdsa") => "ECDSA-SK",
        _ => "RSA",
    }
}

/// What the files know of a host's key.
pub(super) enum Known {
    /// It is the one.
    Same,
    /// Another one of its kind: in which file, in which line.
    Changed(Vec<u8>, usize),
    /// Nothing; where the same key stands for another name.
    New(Vec<(Vec<u8>, usize, Vec<u8>)>),
}

/// One line: names, algorithm, key.
pub(crate) fn fields(line: &[u8]) -> Option<(&[u8], &[u8], Vec<u8>)> {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"@") {
        return None;
    }
    let mut words = line
        .split(|&byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty());
    let (names, algorithm) = (words.next()?, words.next()?);
    Some((names, algorithm, STANDARD.decode(words.next()?).ok()?))
}

/// Looks a key up.
pub(super) async fn look_up(
    proc: &Process,
    files: &[Vec<u8>],
    name: &[u8],
    key: &HostKey,
) -> Known {
    let (mut changed, mut elsewhere) = (None, Vec::new());
    for path in files {
        let text = crate::net::read_file(proc, path).await;
        for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
            proc.tick().await;
            let Some((field, algorithm, blob)) = fields(line) else {
                continue;
            };
            let same = blob == key.blob;
            if names(field, name) {
                if same {
                    return Known::Same;
                }
                if algorithm == key.algorithm {
                    changed.get_or_insert((path.clone(), number + 1));
                }
            } else if same {
                elsewhere.push((path.clone(), number + 1, field.to_vec()));
            }
        }
    }
    match changed {
        Some((path, line)) => Known::Changed(path, line),
        None => Known::New(elsewhere),
    }
}

/// The line that makes a key known.
pub(super) fn line(name: &[u8], key: &HostKey) -> Vec<u8> {
    let blob = STANDARD.encode(&key.blob);
    [name, b" ", &key.algorithm, b" ", blob.as_bytes(), b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_plain_by_pattern_and_hashed() {
        assert!(names(b"a,10.0.0.*", b"10.0.0.7"));
        assert!(!names(b"*.example.org,!b.example.org", b"b.example.org"));
        assert!(names(b"[h]:2222", &entry_name(b"H", 2222)));
        // Made by ssh-keygen -H of OpenSSH 9.2.
        let salt = STANDARD.encode([7; 20]);
        let hash = STANDARD.encode(digest(&[7; 20], b"host"));
        assert!(names(format!("|1|{salt}|{hash}").as_bytes(), b"host"));
        assert!(!names(format!("|1|{salt}|{hash}").as_bytes(), b"other"));
        assert!(!names(b"|1|x|y", b"host"));
    }
}
