//! The client's KEXINIT and its HASSH, the MD5 of the algorithms it prefers.

use md5::{Digest as _, Md5};

use crate::text::Lossy;

/// The lists of a client's KEXINIT that tell clients apart, each comma-joined as it came.
///
/// Only client to server: the other direction is not part of the event.
#[derive(Debug, Clone, Copy, Default)]
pub struct KexLists<'a> {
    /// Key exchange.
    pub kex: &'a [u8],
    /// Host keys.
    pub host_key: &'a [u8],
    /// Ciphers.
    pub cipher: &'a [u8],
    /// Message authentication.
    pub mac: &'a [u8],
    /// Compression.
    pub compression: &'a [u8],
    /// Languages, normally empty.
    pub language: &'a [u8],
}

/// A client's KEXINIT with its HASSH, which [`Kex::new`] computes: the two always agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kex {
    pub(super) hassh: String,
    pub(super) algorithms: Lossy,
    pub(super) kex: Vec<Lossy>,
    pub(super) host_key: Vec<Lossy>,
    pub(super) cipher: Vec<Lossy>,
    pub(super) mac: Vec<Lossy>,
    pub(super) compression: Vec<Lossy>,
    pub(super) language: Vec<Lossy>,
}

impl Kex {
    /// Splits the lists and computes the HASSH over the bytes as they came.
    #[must_use]
    pub fn new(lists: &KexLists<'_>) -> Self {
        let algorithms = [lists.kex, lists.cipher, lists.mac, lists.compression].join(&b';');
        let digest = Md5::digest(&algorithms);
        Self {
            hassh: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            algorithms: Lossy::new(&algorithms),
            kex: split(lists.kex),
            host_key: split(lists.host_key),
            cipher: split(lists.cipher),
            mac: split(lists.mac),
            compression: split(lists.compression),
            language: split(lists.language),
        }
    }

    /// The HASSH: 32 lowercase hexadecimal digits.
    #[must_use]
    pub fn hassh(&self) -> &str {
        &self.hassh
    }
}

/// Most names kept of one list. OpenSSH 9.2 sends 16; a KEXINIT of 32 KiB could hold 16,000. What
/// is beyond is left out here and still counts in the HASSH.
const MAX_NAMES: usize = 256;

/// Splits a name-list. An empty one gives one empty name, as Cowrie has it.
fn split(list: &[u8]) -> Vec<Lossy> {
    list.split(|byte| *byte == b',')
        .take(MAX_NAMES)
        .map(Lossy::new)
        .collect()
}
