//! Hashes of passwords as `/etc/shadow` has them: crypt(5).
//!
//! New ones are yescrypt's, as Debian 12 makes them; those of SHA-crypt are read too. A stored hash may be
//! a stranger's, and says itself how much work it is: more than a real system asks for is refused.

use sha_crypt::ShaCrypt;
use yescrypt::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use yescrypt::{Params, Yescrypt};

/// Bytes of memory that one hash takes: Debian's cost, and the most that is computed.
pub const MEMORY_BYTES: usize = 16 << 20;
/// Bytes of a salt, before they are written as 22 letters.
pub const SALT_BYTES: usize = 16;
/// Longest password: `CRYPT_MAX_PASSPHRASE_SIZE`.
pub const MAX_PASSWORD_BYTES: usize = 512;
/// Rounds of SHA-crypt that are computed at most; 5000 are usual, and a hundred thousand take a tenth of a
/// second.
const MAX_ROUNDS: u32 = 100_000;
/// Longest hash that is looked at: `CRYPT_OUTPUT_SIZE`.
const MAX_HASH_BYTES: usize = 384;
/// Cost 5 of yescrypt, the default of Debian 12: 4096 blocks of 4 KiB.
const COST: &str = "j9T";

/// The yescrypt hash of a password; `None` for one that is too long, or that holds a NUL.
#[must_use]
pub fn hash(password: &[u8], salt: &[u8; SALT_BYTES]) -> Option<String> {
    if !is_password(password) {
        return None;
    }
    let cost: Params = COST.parse().ok()?;
    let hash = Yescrypt::default()
        .hash_password_customized(password, salt, None, None, cost)
        .ok()?;
    Some(hash.to_string())
}

/// Whether this is the password. An empty hash is matched by an empty password; what is locked, of a
/// method that is not known, or too much work is matched by none.
#[must_use]
pub fn verify(password: &[u8], hash: &[u8]) -> bool {
    if hash.is_empty() {
        return password.is_empty();
    }
    let Ok(text) = std::str::from_utf8(hash) else {
        return false;
    };
    if hash.len() > MAX_HASH_BYTES || !is_password(password) {
        return false;
    }
    let mut fields = text.split('$').skip(1);
    match (fields.next(), fields.next()) {
        (Some("y"), Some(cost)) => {
            is_affordable(cost) && Yescrypt::default().verify_password(password, text).is_ok()
        }
        (Some("5" | "6"), Some(first)) => {
            let rounds = first.strip_prefix("rounds=").map(str::parse::<u32>);
            let fits = rounds.is_none_or(|rounds| rounds.is_ok_and(|count| count <= MAX_ROUNDS));
            fits && ShaCrypt::SHA512.verify_password(password, text).is_ok()
        }
        _ => false,
    }
}

fn is_password(password: &[u8]) -> bool {
    password.len() <= MAX_PASSWORD_BYTES && !password.contains(&0)
}

fn is_affordable(cost: &str) -> bool {
    cost.parse::<Params>().is_ok_and(|cost| {
        let bytes = u64::from(cost.r())
            .saturating_mul(128)
            .saturating_mul(cost.n());
        // Time factors are written behind these three and are in nobody's default.
        bytes <= MEMORY_BYTES as u64 && cost.p() == 1 && cost.to_string().len() <= COST.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_is_verified() {
        let hash = hash(b"s3cret", &[7; SALT_BYTES]).unwrap();
        assert!(hash.starts_with("$y$j9T$"), "{hash}");
        assert_eq!(hash.len(), 3 + 3 + 1 + 22 + 1 + 43);
        assert!(verify(b"s3cret", hash.as_bytes()));
        assert!(!verify(b"s3creT", hash.as_bytes()));
    }

    #[test]
    fn hashes_of_the_real_libcrypt_are_verified() {
        for (password, hash) in [
            (REAL_PASSWORD, REAL_YESCRYPT),
            (REAL_PASSWORD, REAL_SHA512),
            (REAL_PASSWORD, REAL_SHA256),
        ] {
            assert!(verify(password, hash), "{}", String::from_utf8_lossy(hash));
            assert!(!verify(b"other", hash));
        }
    }

    #[test]
    fn what_is_locked_or_costs_too_much_matches_nothing() {
        for hash in [
            b"*".as_slice(),
            b"!",
            b"!$y$j9T$",
            b"x",
            b"$1$abcdefgh$0123456789012345678901",
            b"$6$rounds=999999999$salt$hash",
            b"$6$rounds=x$salt$hash",
            b"$y$jFT$e3MOuEoJzZ.FdKNVAuzdK.$x",
            b"$y$",
            b"$y$j9T",
            b"$6",
            b"\xff\xfe",
            &[b'$'; 5000],
        ] {
            assert!(!verify(b"", hash) && !verify(b"x", hash));
        }
        assert!(verify(b"", b"") && !verify(b"x", b""));
        assert!(hash(&[b'a'; 513], &[0; SALT_BYTES]).is_none());
        assert!(hash(b"a\0b", &[0; SALT_BYTES]).is_none());
    }

    /// Made by libcrypt 4.4.33.
    const REAL_PASSWORD: &[u8] = b"correct horse";
    const REAL_YESCRYPT: &[u8] =
        b"$y$j9T$e3MOuEoJzZ.FdKNVAuzdK.$TAlnyxXHhzpgeFu5Al7K6E4OReoFg/GNBMX59KHoIUB";
    const REAL_SHA512: &[u8] = b"$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0";
    const REAL_SHA256: &[u8] = b"$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/";
}
