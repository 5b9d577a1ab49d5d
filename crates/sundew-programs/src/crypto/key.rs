//! Key pairs in OpenSSH's formats: the private key file (`PROTOCOL.key`), plain or under a passphrase, and
//! the public key line.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::encoding::{
    AsBigEndian as _, AsDer as _, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// Rounds of bcrypt that ssh-keygen asks for, and the most that are done: each takes some milliseconds.
const ROUNDS: u32 = 16;
const MAX_ROUNDS: u32 = 64;

/// Most bits of an RSA key that is made. A larger one takes some twenty seconds that nobody can interrupt, more
/// than a process may compute: who asks for one is killed, as it would be.
pub(crate) const MAX_RSA_BITS: u32 = 4096;

/// What kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// So many bits.
    Rsa(u32),
    /// On the curve of so many bits.
    Ecdsa(u32),
    Ed25519,
}

/// A key pair as the fields that go over the wire.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) algorithm: String,
    /// After the algorithm's name.
    public: Vec<Vec<u8>>,
    private: Vec<Vec<u8>>,
    pub(crate) comment: Vec<u8>,
}

/// Why a file holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyError {
    Format,
    Passphrase,
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (digits, tail) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*digits)).ok()?;
    let (text, tail) = tail.split_at_checked(length)?;
    *rest = tail;
    Some(text)
}

/// Splits one DER element of this tag off: its content and what follows.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let join = |length: usize, digit: &u8| (length << 8) | usize::from(*digit);
            (digits.iter().fold(0, join), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The integers of an RSA key in PKCS#8: n, e, d, p, q, and the inverse of q.
fn rsa_numbers(pkcs8: &[u8]) -> Option<[Vec<u8>; 6]> {
    let (info, _) = element(0x30, pkcs8)?;
    let (_version, info) = element(0x02, info)?;
    let (_algorithm, info) = element(0x30, info)?;
    let (key, _) = element(0x04, info)?;
    let (key, _) = element(0x30, key)?;
    let (_version, mut rest) = element(0x02, key)?;
    let mut integer = || {
        let (value, tail) = element(0x02, rest)?;
        rest = tail;
        Some(value.to_vec())
    };
    let (n, e, d, p, q) = (integer()?, integer()?, integer()?, integer()?, integer()?);
    let (_d_p, _d_q, inverse) = (integer()?, integer()?, integer()?);
    Some([n, e, d, p, q, inverse])
}

/// Makes an RSA key: its PKCS#8 document. Takes a tenth of a second or more.
pub(crate) fn rsa_document(bits: u32) -> Option<Vec<u8>> {
    let size = match bits {
        0..=2048 => KeySize::Rsa2048,
        2049..=3072 => KeySize::Rsa3072,
        _ => KeySize::Rsa4096,
    };
    let pair = aws_lc_rs::rsa::KeyPair::generate(size).ok()?;
    let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    Some(der.as_ref().to_vec())
}

impl Kind {
    /// Makes a key of this kind. Takes long for RSA.
    pub(crate) fn generate(self) -> Option<Key> {
        let (algorithm, public, private) = match self {
            Self::Rsa(bits) => {
                let [n, e, d, p, q, inverse] = rsa_numbers(&rsa_document(bits)?)?;
                let private = vec![n.clone(), e.clone(), d, inverse, p, q];
                ("ssh-rsa".to_owned(), vec![e, n], private)
            }
            Self::Ecdsa(bits) => {
                let curve = match bits {
                    256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
                    384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
                    _ => &ECDSA_P521_SHA512_ASN1_SIGNING,
                };
                let pair = EcdsaKeyPair::generate(curve).ok()?;
                let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
                let name = format!("nistp{bits}").into_bytes();
                let point = pair.public_key().as_ref().to_vec();
                let mut digits = secret.as_ref();
                while let [0, rest @ ..] = digits {
                    digits = rest;
                }
                let mut number = Vec::with_capacity(digits.len() + 1);
                if digits.first().is_some_and(|byte| byte & 0x80 != 0) {
                    number.push(0);
                }
                number.extend_from_slice(digits);
                let public = vec![name, point];
                let private = [public.clone(), vec![number]].concat();
                (format!("ecdsa-sha2-nistp{bits}"), public, private)
            }
            Self::Ed25519 => {
                let pair = Ed25519KeyPair::generate().ok()?;
                let seed: Curve25519SeedBin<'_> = pair.seed().ok()?.as_be_bytes().ok()?;
                let point = pair.public_key().as_ref().to_vec();
                let private = vec![point.clone(), [seed.as_ref(), &point].concat()];
                ("ssh-ed25519".to_owned(), vec![point], private)
            }
        };
        Some(Key {
            algorithm,
            public,
            private,
            comment: Vec::new(),
        })
    }
}

impl Key {
    /// The public key as it goes over the wire.
    pub(crate) fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        string(&mut blob, self.algorithm.as_bytes());
        self.public
            .iter()
            .for_each(|field| string(&mut blob, field));
        blob
    }

    /// The public key line, without a newline.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = format!("{} {}", self.algorithm, STANDARD.encode(self.blob())).into_bytes();
        if !self.comment.is_empty() {
            line.push(b' ');
            line.extend_from_slice(&self.comment);
        }
        line
    }

    /// The private key file. `random` gives the check number and the salt; an empty passphrase is none.
    /// A passphrase takes some tenths of a second.
    pub(crate) fn file(&self, passphrase: &[u8], random: &[u8; 20]) -> Option<String> {
        let (check, salt) = random.split_at(4);
        let mut secret = [check, check].concat();
        string(&mut secret, self.algorithm.as_bytes());
        self.private
            .iter()
            .for_each(|field| string(&mut secret, field));
        string(&mut secret, &self.comment);
        let block = if passphrase.is_empty() { 8 } else { 16 };
        let mut padding = 0;
        while !secret.len().is_multiple_of(block) {
            padding += 1;
            secret.push(padding);
        }
        let mut file = MAGIC.to_vec();
        if passphrase.is_empty() {
            for field in [&b"none"[..], b"none", b""] {
                string(&mut file, field);
            }
        } else {
            let (key, iv) = derive(passphrase, salt, ROUNDS)?;
            let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, &key).ok()?).ok()?;
            let context = EncryptionContext::Iv128(FixedLength::from(&iv));
            key.less_safe_encrypt(&mut secret, context).ok()?;
            let mut options = Vec::new();
            string(&mut options, salt);
            options.extend(ROUNDS.to_be_bytes());
            for field in [&b"aes256-ctr"[..], b"bcrypt", &options] {
                string(&mut file, field);
            }
        }
        file.extend(1_u32.to_be_bytes());
        string(&mut file, &self.blob());
        string(&mut file, &secret);
        let text = STANDARD.encode(&file);
        let mut out = format!("{BEGIN}\n");
        for (index, letter) in text.chars().enumerate() {
            if index > 0 && index.is_multiple_of(70) {
                out.push('\n');
            }
            out.push(letter);
        }
        out += &format!("\n{END}\n");
        Some(out)
    }

    /// Reads a private key file. [`KeyError::Passphrase`] if this one does not open it.
    pub(crate) fn read(file: &[u8], passphrase: &[u8]) -> Result<Self, KeyError> {
        Self::parse(file, passphrase).unwrap_or(Err(KeyError::Format))
    }

    fn parse(file: &[u8], passphrase: &[u8]) -> Option<Result<Self, KeyError>> {
        let bytes = body(file)?;
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let (cipher, kdf, options) = (take(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
        let (_count, tail) = rest.split_first_chunk::<4>()?;
        rest = tail;
        let _public = take(&mut rest)?;
        let mut secret = take(&mut rest)?.to_vec();
        if cipher != b"none" {
            if cipher != b"aes256-ctr" || kdf != b"bcrypt" {
                return None;
            }
            if passphrase.is_empty() {
                return Some(Err(KeyError::Passphrase));
            }
            let mut options = options;
            let salt = take(&mut options)?;
            let rounds = u32::from_be_bytes(*options.first_chunk::<4>()?);
            if rounds == 0 || rounds > MAX_ROUNDS || salt.is_empty() {
                return None;
            }
            let (key, iv) = derive(passphrase, salt, rounds)?;
            let key = DecryptingKey::ctr(UnboundCipherKey::new(&AES_256, &key).ok()?).ok()?;
            let context = DecryptionContext::Iv128(FixedLength::from(&iv));
            key.decrypt(&mut secret, context).ok()?;
        }
        let mut rest = secret.as_slice();
        let (first, tail) = rest.split_first_chunk::<4>()?;
        let (second, tail) = tail.split_first_chunk::<4>()?;
        if first != second {
            return Some(Err(KeyError::Passphrase));
        }
        rest = tail;
        let algorithm = String::from_utf8(take(&mut rest)?.to_vec()).ok()?;
        let fields = match algorithm.as_str() {
            "ssh-rsa" => 6,
            "ssh-ed25519" => 2,
            name if name.starts_with("ecdsa-sha2-") => 3,
            _ => return None,
        };
        let mut private = Vec::new();
        for _ in 0..fields {
            private.push(take(&mut rest)?.to_vec());
        }
        let public = match algorithm.as_str() {
            "ssh-rsa" => vec![private.get(1)?.clone(), private.first()?.clone()],
            "ssh-ed25519" => vec![private.first()?.clone()],
            _ => private.get(..2)?.to_vec(),
        };
        let comment = take(&mut rest)?.to_vec();
        Some(Ok(Self {
            algorithm,
            public,
            private,
            comment,
        }))
    }
}

/// What stands between the lines that begin and end a private key file.
fn body(file: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(file).ok()?;
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let letters: String = body
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    STANDARD.decode(letters).ok()
}

fn derive(passphrase: &[u8], salt: &[u8], rounds: u32) -> Option<([u8; 32], [u8; 16])> {
    let mut material = [0; 48];
    bcrypt_pbkdf::bcrypt_pbkdf(passphrase, salt, rounds, &mut material).ok()?;
    let (key, iv) = material.split_at(32);
    Some((key.try_into().ok()?, iv.try_into().ok()?))
}

/// How many bits the public key of this blob has.
pub(crate) fn bits(blob: &[u8]) -> usize {
    let mut rest = blob;
    let algorithm = take(&mut rest).unwrap_or_default();
    let number = match algorithm {
        b"ssh-rsa" => {
            let _exponent = take(&mut rest);
            take(&mut rest)
        }
        b"ssh-dss" => take(&mut rest),
        b"ecdsa-sha2-nistp384" => return 384,
        b"ecdsa-sha2-nistp521" => return 521,
        _ => return 256,
    };
    let mut digits = number.unwrap_or_default();
    while let [0, tail @ ..] = digits {
        digits = tail;
    }
    let first = digits
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    (digits.len() * 8).saturating_sub(first)
}

/// The picture of a key: the drunken bishop's walk.
pub(crate) fn picture(title: &str, digest: &[u8]) -> String {
    const LETTERS: &[u8] = b" .o+=*BOX@%&#/^SE";
    const WIDTH: usize = 17;
    const HEIGHT: usize = 9;
    let mut field = [[0_usize; WIDTH]; HEIGHT];
    let (mut x, mut y) = (WIDTH / 2, HEIGHT / 2);
    let last = LETTERS.len() - 1;
    for &byte in digest {
        let mut input = byte;
        for _ in 0..4 {
            x = if input & 1 == 1 {
                x + 1
            } else {
                x.saturating_sub(1)
            }
            .min(WIDTH - 1);
            y = if input & 2 == 2 {
                y + 1
            } else {
                y.saturating_sub(1)
            }
            .min(HEIGHT - 1);
            if let Some(place) = field.get_mut(y).and_then(|row| row.get_mut(x))
                && *place < last - 2
            {
                *place += 1;
            }
            input >>= 2;
        }
    }
    if let Some(place) = field
        .get_mut(HEIGHT / 2)
        .and_then(|row| row.get_mut(WIDTH / 2))
    {
        *place = last - 1;
    }
    if let Some(place) = field.get_mut(y).and_then(|row| row.get_mut(x)) {
        *place = last;
    }
    let frame = |text: &str| {
        let room = WIDTH.saturating_sub(text.len());
        let left = room / 2;
        format!("+{}{text}{}+\n", "-".repeat(left), "-".repeat(room - left))
    };
    let mut out = frame(&format!("[{title}]"));
    for row in field {
        out.push('|');
        for value in row {
            out.push(
                LETTERS
                    .get(value.min(last))
                    .map_or(' ', |&letter| char::from(letter)),
            );
        }
        out += "|\n";
    }
    out + frame("[SHA256]").trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_with_and_without_a_passphrase() {
        for kind in [Kind::Ed25519, Kind::Ecdsa(256), Kind::Ecdsa(521)] {
            let mut key = kind.generate().unwrap();
            key.comment = b"a@b".to_vec();
            // bcrypt is slow on purpose: once is enough.
            let passphrases = [&b""[..], b"secret"];
            let count = if kind == Kind::Ed25519 { 2 } else { 1 };
            for passphrase in passphrases.into_iter().take(count) {
                let file = key.file(passphrase, &[9; 20]).unwrap();
                let back = Key::read(file.as_bytes(), passphrase).unwrap();
                assert_eq!(
                    (back.blob(), back.private),
                    (key.blob(), key.private.clone())
                );
                assert_eq!(back.comment, b"a@b");
            }
        }
        assert_eq!(Key::read(b"hello", b"").err(), Some(KeyError::Format));
    }

    #[test]
    fn the_picture_is_the_one_openssh_draws() {
        let digest = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode("JevwwjOuPPkB+4101RX6rnanjIP+MWeXxYuIw8FC1LQ")
            .unwrap();
        let drawn = picture("ED25519 256", &digest);
        assert!(
            drawn.starts_with("+--[ED25519 256]--+\n|       .o.    .  |\n"),
            "{drawn}"
        );
        assert!(
            drawn.ends_with("|    o+= ...o+ooo |\n+----[SHA256]-----+"),
            "{drawn}"
        );
    }
}
