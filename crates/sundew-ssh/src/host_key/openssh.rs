//! OpenSSH's private key file (`PROTOCOL.key`) and public key line, unencrypted, written only.
//!
//! Input is what our own cryptographic library just made; still, a structure that is not as expected
//! gives `None`, not a panic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The first line of a private key file.
pub(super) const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";

/// A key pair as text.
pub(super) struct Written {
    pub(super) private: String,
    pub(super) public: String,
}

/// From a PKCS#8 document (RFC 5958, RFC 8017 A.1.2). A DER integer and an SSH mpint have the same
/// bytes.
pub(super) fn rsa(pkcs8: &[u8]) -> Option<Written> {
    let (info, _) = element(0x30, pkcs8)?;
    let (_version, info) = element(0x02, info)?;
    let (_algorithm, info) = element(0x30, info)?;
    let (key, _) = element(0x04, info)?;
    let (key, _) = element(0x30, key)?;
    let (_version, mut rest) = element(0x02, key)?;
    let mut integer = || {
        let (value, tail) = element(0x02, rest)?;
        rest = tail;
        Some(value)
    };
    let (n, e, d, p, q) = (integer()?, integer()?, integer()?, integer()?, integer()?);
    let (_d_p, _d_q, inverse) = (integer()?, integer()?, integer()?);
    Some(write("ssh-rsa", &[e, n], &[n, e, d, inverse, p, q]))
}

/// From an uncompressed point and a big-endian secret.
pub(super) fn ecdsa_p256(point: &[u8], secret: &[u8]) -> Written {
    let start = secret
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(secret.len());
    let mut number = Vec::with_capacity(secret.len().saturating_add(1));
    let digits = secret.get(start..).unwrap_or_default();
    if digits.first().is_some_and(|byte| byte & 0x80 != 0) {
        number.push(0);
    }
    number.extend_from_slice(digits);
    write(
        "ecdsa-sha2-nistp256",
        &[b"nistp256", point],
        &[b"nistp256", point, &number],
    )
}

/// From the two halves RFC 8032 names.
pub(super) fn ed25519(public: &[u8], seed: &[u8]) -> Written {
    write(
        "ssh-ed25519",
        &[public],
        &[public, &[seed, public].concat()],
    )
}

fn write(kind: &str, public: &[&[u8]], private: &[&[u8]]) -> Written {
    let mut blob = Vec::new();
    string(&mut blob, kind.as_bytes());
    public.iter().for_each(|field| string(&mut blob, field));

    // Two equal check integers, the key, a comment, then 1, 2, 3… up to the cipher's block of 8.
    let mut secret = vec![0x5a; 8];
    string(&mut secret, kind.as_bytes());
    private.iter().for_each(|field| string(&mut secret, field));
    string(&mut secret, b"");
    let mut padding = 0;
    while !secret.len().is_multiple_of(8) {
        padding += 1;
        secret.push(padding);
    }

    let mut file = b"openssh-key-v1\0".to_vec();
    for field in [&b"none"[..], b"none", b""] {
        string(&mut file, field);
    }
    file.extend_from_slice(&1_u32.to_be_bytes());
    string(&mut file, &blob);
    string(&mut file, &secret);

    let mut text = String::new();
    for (index, letter) in base64(&file).chars().enumerate() {
        if index.is_multiple_of(70) {
            text.push('\n');
        }
        text.push(letter);
    }
    Written {
        private: format!("{BEGIN}{text}\n-----END OPENSSH PRIVATE KEY-----\n"),
        public: format!("{kind} {}\n", base64(&blob)),
    }
}

/// An SSH string: length and bytes.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Keys are a few hundred bytes.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Splits one DER element of this tag off: its content and what follows.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                digits
                    .iter()
                    .fold(0, |length, digit| (length << 8) | usize::from(*digit)),
                rest,
            )
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// RFC 4648 §4, with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_der_is_no_key() {
        for length in 0..8 {
            assert!(rsa(&[0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30][..length]).is_none());
        }
    }
}
