//! TFTP's packets: RFC 1350 §5, RFC 2347.

/// Bytes in a block unless something else is agreed: RFC 1350 §2.
pub(in crate::net::fetch) const USUAL_BLOCK: u16 = 512;
/// Options of one packet that are looked at.
const MAX_OPTIONS: usize = 16;

/// An option's name and value.
pub(super) type Option_ = (Vec<u8>, Vec<u8>);

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet {
    /// RRQ in octet mode.
    Read(Vec<u8>, Vec<Option_>),
    /// WRQ in octet mode.
    Write(Vec<u8>, Vec<Option_>),
    /// A block and its number.
    Data(u16, Vec<u8>),
    /// A block came.
    Acknowledge(u16),
    /// Code and words.
    Error(u16, Vec<u8>),
    /// OACK: what is agreed to.
    Options(Vec<Option_>),
}

impl Packet {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (code, rest) = number(bytes)?;
        Some(match code {
            1 | 2 => {
                let mut fields = fields(rest)?;
                if fields.len() < 2 {
                    return None;
                }
                let file = fields.remove(0);
                fields.remove(0);
                let options = pairs(fields);
                if code == 1 {
                    Self::Read(file, options)
                } else {
                    Self::Write(file, options)
                }
            }
            3 => {
                let (number, data) = number(rest)?;
                Self::Data(number, data.to_vec())
            }
            4 => Self::Acknowledge(number(rest)?.0),
            5 => {
                let (code, words) = number(rest)?;
                let words = words.split(|&byte| byte == 0).next().unwrap_or_default();
                Self::Error(code, words.to_vec())
            }
            6 => Self::Options(pairs(fields(rest)?)),
            _ => return None,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Read(file, options) => request(1, file, options),
            Self::Write(file, options) => request(2, file, options),
            Self::Data(number, data) => [&[0, 3], number.to_be_bytes().as_slice(), data].concat(),
            Self::Acknowledge(number) => [&[0, 4], number.to_be_bytes().as_slice()].concat(),
            Self::Error(code, words) => {
                [&[0, 5], code.to_be_bytes().as_slice(), words, &[0]].concat()
            }
            Self::Options(options) => {
                let mut out = vec![0, 6];
                write_pairs(options, &mut out);
                out
            }
        }
    }
}

fn request(code: u8, file: &[u8], options: &[Option_]) -> Vec<u8> {
    let mut out = [&[0, code], file, b"\0octet\0"].concat();
    write_pairs(options, &mut out);
    out
}

fn write_pairs(options: &[Option_], out: &mut Vec<u8>) {
    for (name, value) in options {
        out.extend_from_slice(name);
        out.push(0);
        out.extend_from_slice(value);
        out.push(0);
    }
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*digits), rest))
}

/// Fields that each end with a zero byte.
fn fields(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let bytes = bytes.strip_suffix(&[0])?;
    let fields = bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec);
    Some(fields.take(2 + 2 * MAX_OPTIONS).collect())
}

fn pairs(fields: Vec<Vec<u8>>) -> Vec<Option_> {
    let mut fields = fields.into_iter();
    let mut out = Vec::new();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        out.push((name, value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(1..=255_u8, 0..20)
    }

    fn any_packet() -> impl Strategy<Value = Packet> {
        let options = || proptest::collection::vec((text(), text()), 1..4);
        let data = proptest::collection::vec(any::<u8>(), 0..600);
        prop_oneof![
            (text(), options()).prop_map(|(file, options)| Packet::Read(file, options)),
            (text(), options()).prop_map(|(file, options)| Packet::Write(file, options)),
            (any::<u16>(), data).prop_map(|(number, data)| Packet::Data(number, data)),
            any::<u16>().prop_map(Packet::Acknowledge),
            (any::<u16>(), text()).prop_map(|(code, words)| Packet::Error(code, words)),
            options().prop_map(Packet::Options),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(packet in any_packet()) {
            prop_assert_eq!(Packet::parse(&packet.to_bytes()), Some(packet));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _any = Packet::parse(&bytes);
        }
    }

    #[test]
    fn a_request_is_what_busybox_sends() {
        let options = vec![(b"tsize".to_vec(), b"0".to_vec())];
        let packet = Packet::Read(b"bot".to_vec(), options);
        assert_eq!(packet.to_bytes(), b"\x00\x01bot\x00octet\x00tsize\x000\x00");
    }
}
