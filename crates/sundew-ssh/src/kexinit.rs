//! The client's first KEXINIT (RFC 4253 §7.1), read on its way to the transport.
//!
//! No I/O. Until the first key exchange packets are clear, so a copy of the stream is enough to learn
//! what the client offers and its HASSH. This is a tap: what it cannot read it gives up on; only
//! packet lengths that OpenSSH answers by closing are reported as malformed.

use md5::{Digest, Md5};

/// Most bytes looked at before giving up, in bytes after the identification line. Real KEXINITs stay
/// under 4 KiB; OpenSSH allows packets of 256 KiB, which would be ours to hold for every connection.
pub const MAX_TAPPED_BYTES: usize = 64 * 1024;

/// Longest clear packet OpenSSH reads, in bytes of `packet_length` (its `PACKET_MAX_SIZE`).
const MAX_PACKET_BYTES: usize = 256 * 1024;
/// Fewest bytes of padding, RFC 4253 §6.
const MIN_PADDING_BYTES: u8 = 4;
/// `SSH_MSG_KEXINIT`.
const KEXINIT: u8 = 20;
/// Bytes of the random cookie that follows the message number.
const COOKIE_BYTES: usize = 16;

/// A comma-separated list of names, byte for byte as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameList(Vec<u8>);

impl NameList {
    /// The list as it was sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The names in the client's order; none for an empty list.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        let empty = self.0.is_empty();
        self.0.split(|byte| *byte == b',').filter(move |_| !empty)
    }
}

/// The ten lists of a KEXINIT, client to server before server to client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KexOffer {
    /// Key exchange methods.
    pub kex: NameList,
    /// Host key algorithms.
    pub host_key: NameList,
    /// Ciphers, client to server.
    pub cipher_in: NameList,
    /// Ciphers, server to client.
    pub cipher_out: NameList,
    /// MACs, client to server.
    pub mac_in: NameList,
    /// MACs, server to client.
    pub mac_out: NameList,
    /// Compression, client to server.
    pub compression_in: NameList,
    /// Compression, server to client.
    pub compression_out: NameList,
    /// Languages, client to server.
    pub language_in: NameList,
    /// Languages, server to client.
    pub language_out: NameList,
}

impl KexOffer {
    /// Reads the payload of a KEXINIT, from its message number on.
    ///
    /// What follows the ten lists is not looked at; `None` when one of them is cut short.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let rest = payload.strip_prefix(&[KEXINIT])?;
        let mut rest = rest.get(COOKIE_BYTES..)?;
        let mut next = || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (list, tail) =
                tail.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)?;
            rest = tail;
            Some(NameList(list.to_vec()))
        };
        Some(Self {
            kex: next()?,
            host_key: next()?,
            cipher_in: next()?,
            cipher_out: next()?,
            mac_in: next()?,
            mac_out: next()?,
            compression_in: next()?,
            compression_out: next()?,
            language_in: next()?,
            language_out: next()?,
        })
    }

    /// The text whose MD5 is the HASSH: four client lists joined by semicolons.
    pub fn hassh_algorithms(&self) -> Vec<u8> {
        [
            &self.kex,
            &self.cipher_in,
            &self.mac_in,
            &self.compression_in,
        ]
        .map(NameList::as_bytes)
        .join(&b';')
    }

    /// The HASSH: 32 lower-case hexadecimal digits.
    pub fn hassh(&self) -> String {
        md5(&self.hassh_algorithms())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Follows the clear packets of a connection until the first KEXINIT.
#[derive(Debug, Default)]
pub struct Scanner {
    seen: Vec<u8>,
}

/// What the bytes so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// Not there yet.
    More,
    /// The KEXINIT is complete; there is nothing left to scan for.
    Offer(Box<KexOffer>),
    /// Too much, or not readable; the transport may make of it what it likes.
    GaveUp,
    /// A packet length on which OpenSSH closes the connection.
    Malformed,
}

impl Scanner {
    /// Takes the next bytes; not to be called again after anything but [`Scan::More`].
    pub fn feed(&mut self, bytes: &[u8]) -> Scan {
        let room = MAX_TAPPED_BYTES.saturating_sub(self.seen.len());
        let overflow = bytes.len() > room;
        self.seen
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let mut rest = self.seen.as_slice();
        loop {
            match packet(rest) {
                Packet::Partial if overflow => return Scan::GaveUp,
                Packet::Partial => {
                    let gone = self.seen.len().saturating_sub(rest.len());
                    self.seen.drain(..gone);
                    return Scan::More;
                }
                Packet::BadLength => return Scan::Malformed,
                Packet::Whole {
                    payload,
                    rest: tail,
                } if payload.first() == Some(&KEXINIT) => {
                    let _ = tail;
                    return match KexOffer::parse(payload) {
                        Some(offer) => Scan::Offer(Box::new(offer)),
                        None => Scan::GaveUp,
                    };
                }
                // IGNORE and DEBUG may come first; the transport judges the others.
                Packet::Whole { rest: tail, .. } => rest = tail,
            }
        }
    }
}

enum Packet<'a> {
    Partial,
    BadLength,
    Whole { payload: &'a [u8], rest: &'a [u8] },
}

/// Splits one clear packet off: length, padding length, payload, padding (RFC 4253 §6).
fn packet(bytes: &[u8]) -> Packet<'_> {
    // OpenSSH waits for a cipher block, which is 8 bytes here, before it looks at the length.
    let (Some((length, rest)), Some(_block)) = (bytes.split_first_chunk::<4>(), bytes.get(..8))
    else {
        return Packet::Partial;
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if !(5..=MAX_PACKET_BYTES).contains(&length) || !length.saturating_add(4).is_multiple_of(8) {
        return Packet::BadLength;
    }
    let Some((body, rest)) = rest.split_at_checked(length) else {
        return Packet::Partial;
    };
    let padded = body.first() >= Some(&MIN_PADDING_BYTES);
    let payload = body.split_first().and_then(|(padding, body)| {
        let length = body.len().checked_sub(usize::from(*padding))?;
        body.get(..length)
    });
    match payload {
        Some(payload) if !payload.is_empty() && padded => Packet::Whole { payload, rest },
        _ => Packet::BadLength,
    }
}

pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kexinit(lists: [&str; 10]) -> Vec<u8> {
        let mut payload = vec![KEXINIT];
        payload.extend_from_slice(&[9; COOKIE_BYTES]);
        for list in lists {
            payload.extend_from_slice(&u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend_from_slice(list.as_bytes());
        }
        payload.extend_from_slice(&[0; 5]);
        payload
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        let mut padding = 8 - (payload.len() + 5) % 8;
        if padding < 4 {
            padding += 8;
        }
        let mut packet = u32::try_from(payload.len() + padding + 1)
            .unwrap()
            .to_be_bytes()
            .to_vec();
        packet.push(u8::try_from(padding).unwrap());
        packet.extend_from_slice(payload);
        packet.resize(packet.len() + padding, 0);
        packet
    }

    const LISTS: [&str; 10] = [
        "k1,k2",
        "h",
        "c1,c2",
        "d",
        "m1",
        "n",
        "none,zlib",
        "none",
        "",
        "",
    ];

    fn offer(scan: Scan) -> KexOffer {
        match scan {
            Scan::Offer(offer) => *offer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_hassh_is_the_md5_of_four_client_lists() {
        let offer = offer(Scanner::default().feed(&framed(&kexinit(LISTS))));
        assert_eq!(offer.hassh_algorithms(), b"k1,k2;c1,c2;m1;none,zlib");
        // From `printf 'k1,k2;c1,c2;m1;none,zlib' | md5sum`.
        assert_eq!(offer.hassh(), "9c03ba305df9f631233d3e77ad248675");
        assert_eq!(offer.kex.names().collect::<Vec<_>>(), [b"k1", b"k2"]);
        assert_eq!(offer.language_in.names().count(), 0);
    }

    #[test]
    fn single_bytes_and_earlier_packets_change_nothing() {
        let mut stream = framed(&[2, 0, 0, 0, 0]);
        stream.extend(framed(&kexinit(LISTS)));
        let (last, first) = stream.split_last().unwrap();
        let mut scanner = Scanner::default();
        for byte in first {
            assert_eq!(scanner.feed(&[*byte]), Scan::More);
        }
        assert_eq!(offer(scanner.feed(&[*last])).host_key.as_bytes(), b"h");
    }

    #[test]
    fn bad_lengths_are_malformed() {
        for length in [
            [0, 0, 0, 0],
            [0, 0, 0, 13],
            [0xff, 0xff, 0xff, 0xfc],
            [0, 4, 0, 4],
        ] {
            let mut scanner = Scanner::default();
            assert_eq!(scanner.feed(&length), Scan::More);
            assert_eq!(scanner.feed(&[4; 4]), Scan::Malformed, "{length:?}");
        }
        assert_eq!(
            Scanner::default().feed(&[0, 0, 0, 12, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            Scan::Malformed
        );
        // Padding longer than the packet, and a packet of padding only.
        assert_eq!(
            Scanner::default().feed(&[0, 0, 0, 12, 200, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            Scan::Malformed
        );
        assert_eq!(
            Scanner::default().feed(&[0, 0, 0, 12, 11, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            Scan::Malformed
        );
    }

    #[test]
    fn a_cut_kexinit_and_an_endless_preamble_are_given_up_on() {
        let whole = kexinit(LISTS);
        assert_eq!(Scanner::default().feed(&framed(&whole[..40])), Scan::GaveUp);
        let mut large = vec![0_u8, 2, 0, 4];
        large.resize(MAX_TAPPED_BYTES + 1, 4);
        assert_eq!(Scanner::default().feed(&large), Scan::GaveUp);
    }

    #[test]
    fn earlier_packets_do_not_pile_up() {
        let mut scanner = Scanner::default();
        let ignore = framed(&[2; 1000]);
        for _ in 0..200 {
            assert_eq!(scanner.feed(&ignore), Scan::More);
        }
        assert!(scanner.seen.is_empty());
    }
}
