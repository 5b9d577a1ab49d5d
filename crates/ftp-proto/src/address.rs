//! Addresses and paths as text: the PORT, EPRT and LPRT arguments, the 227, 229 and 257 replies.
//!
//! RFC 959 §4.1.2 and appendix II, RFC 2428, RFC 1639, RFC 1123 §4.1.2.6. Reads the variants seen in
//! the wild (no parentheses, blanks after commas, any delimiter) and writes the standard one.
//! Deciding whether to *trust* an address is not done here: drivers dial the control peer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use crate::reply::{Code, Reply};

/// Why the argument of EPRT or LPRT is no address we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Not of the form the RFC gives.
    Malformed,
    /// Well formed, but of a network protocol other than IPv4 and IPv6.
    UnknownProtocol,
    /// Well formed and said to be of IPv6, but no address of it.
    UnreadableIpv6,
}

/// Reads `h1,h2,h3,h4,p1,p2`, the argument of PORT; blanks around numbers are ignored.
#[must_use]
pub fn parse_host_port(text: &[u8]) -> Option<SocketAddrV4> {
    let mut numbers = text.split(|&byte| byte == b',').map(parse_byte);
    let mut next = || numbers.next().flatten();
    let ip = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from_be_bytes([next()?, next()?]);
    numbers
        .next()
        .is_none()
        .then_some(SocketAddrV4::new(ip, port))
}

/// Appends `h1,h2,h3,h4,p1,p2` to `out`.
pub fn write_host_port(address: SocketAddrV4, out: &mut Vec<u8>) {
    let [a, b, c, d] = address.ip().octets();
    let [high, low] = address.port().to_be_bytes();
    out.extend(format!("{a},{b},{c},{d},{high},{low}").into_bytes());
}

/// Reads `|1|132.235.1.2|6275|`, the argument of EPRT, with any delimiter from 33 to 126.
///
/// # Errors
///
/// [`AddressError`].
pub fn parse_extended(text: &[u8]) -> Result<SocketAddr, AddressError> {
    let (&delimiter, rest) = text.split_first().ok_or(AddressError::Malformed)?;
    if !(33..=126).contains(&delimiter) {
        return Err(AddressError::Malformed);
    }
    let mut fields = rest.split(|&byte| byte == delimiter);
    let mut next = || fields.next().and_then(|f| std::str::from_utf8(f).ok());
    let (Some(protocol), Some(host), Some(port), Some(""), None) =
        (next(), next(), next(), next(), next())
    else {
        return Err(AddressError::Malformed);
    };
    let port = parse_number(port.as_bytes()).ok_or(AddressError::Malformed)?;
    let ip = match parse_number::<u16>(protocol.as_bytes()) {
        Some(1) => host.parse::<Ipv4Addr>().map(IpAddr::V4),
        Some(2) => match host.parse() {
            Ok(ip) => Ok(IpAddr::V6(ip)),
            Err(_) => return Err(AddressError::UnreadableIpv6),
        },
        Some(_) => return Err(AddressError::UnknownProtocol),
        None => return Err(AddressError::Malformed),
    };
    let ip = ip.map_err(|_| AddressError::Malformed)?;
    Ok(SocketAddr::new(ip, port))
}

/// Appends `|1|132.235.1.2|6275|` to `out`; the scope of an IPv6 address is left out.
pub fn write_extended(address: SocketAddr, out: &mut Vec<u8>) {
    let protocol = if address.is_ipv4() { 1 } else { 2 };
    out.extend(format!("|{protocol}|{}|{}|", address.ip(), address.port()).into_bytes());
}

/// Reads `af,hal,h1..hn,pal,p1..pn`, the argument of LPRT, for IPv4 (4) and IPv6 (6).
///
/// # Errors
///
/// [`AddressError`].
pub fn parse_long(text: &[u8]) -> Result<SocketAddr, AddressError> {
    let numbers: Option<Vec<u8>> = text.split(|&b| b == b',').map(parse_byte).collect();
    let numbers = numbers.ok_or(AddressError::Malformed)?;
    match numbers.as_slice() {
        &[4, 4, a, b, c, d, 2, high, low] => {
            let ip = Ipv4Addr::new(a, b, c, d);
            Ok((ip, u16::from_be_bytes([high, low])).into())
        }
        [6, 16, rest @ ..] => {
            let (octets, port) = rest
                .split_first_chunk::<16>()
                .ok_or(AddressError::Malformed)?;
            let &[2, high, low] = port else {
                return Err(AddressError::Malformed);
            };
            let ip = Ipv6Addr::from(*octets);
            Ok((ip, u16::from_be_bytes([high, low])).into())
        }
        [4 | 6, ..] => Err(AddressError::Malformed),
        _ => Err(AddressError::UnknownProtocol),
    }
}

/// Appends `af,hal,h1..hn,pal,p1..pn` to `out`.
pub fn write_long(address: SocketAddr, out: &mut Vec<u8>) {
    let octets = match address.ip() {
        IpAddr::V4(ip) => [&[4, 4][..], &ip.octets()].concat(),
        IpAddr::V6(ip) => [&[6, 16][..], &ip.octets()].concat(),
    };
    let [high, low] = address.port().to_be_bytes();
    let numbers = [&octets[..], &[2, high, low]].concat();
    let text: Vec<_> = numbers.iter().map(u8::to_string).collect();
    out.extend(text.join(",").into_bytes());
}

/// The reply to PASV.
#[must_use]
pub fn passive_reply(address: SocketAddrV4) -> Reply {
    let mut text = b"Entering Passive Mode (".to_vec();
    write_host_port(address, &mut text);
    text.extend(*b").");
    Reply::new(Code::PASSIVE, text)
}

/// Finds the address in the text of a 227: six numbers with commas between, wherever they stand.
///
/// RFC 1123 §4.1.2.6 tells clients to scan, since servers differ in parentheses and wording.
#[must_use]
pub fn scan_passive(text: &[u8]) -> Option<SocketAddrV4> {
    let mut before = b' ';
    text.iter().enumerate().find_map(|(at, &byte)| {
        let inside = before.is_ascii_digit() || before == b',';
        before = byte;
        if inside || !byte.is_ascii_digit() {
            return None;
        }
        take_host_port(text.get(at..)?)
    })
}

/// The reply to EPSV.
#[must_use]
pub fn extended_passive_reply(port: u16) -> Reply {
    Reply::new(
        Code::EXTENDED_PASSIVE,
        format!("Entering Extended Passive Mode (|||{port}|)"),
    )
}

/// The 228 reply. RFC 1639 §3.
#[must_use]
pub fn long_passive_reply(address: SocketAddr) -> Reply {
    let mut text = b"Entering Long Passive Mode (".to_vec();
    write_long(address, &mut text);
    text.extend(*b").");
    Reply::new(Code::LONG_PASSIVE, text)
}

/// Finds the port in the text of a 229: one delimiter three times, the port, the delimiter again.
#[must_use]
pub fn scan_extended_passive(text: &[u8]) -> Option<u16> {
    (0..text.len()).find_map(|at| {
        let rest = text.get(at..)?;
        let (&delimiter, after) = rest.split_first()?;
        if !(33..=126).contains(&delimiter) || delimiter.is_ascii_digit() {
            return None;
        }
        let port = after.strip_prefix(&[delimiter, delimiter])?;
        let end = port.iter().position(|&byte| byte == delimiter)?;
        parse_number(port.get(..end)?)
    })
}

/// The path between double quotes, inner quotes doubled: the beginning of a 257.
#[must_use]
pub fn quote(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 2);
    out.push(b'"');
    for &byte in path {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

/// Finds the quoted path in the text of a 257.
///
/// `None` without a quote and without the closing one: a client that read on past the end of a
/// truncated 257 was CVE-2017-1000254. Servers that do not double inner quotes cannot be told from
/// those that do; the standard wins.
#[must_use]
pub fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let start = text.iter().position(|&byte| byte == b'"')?;
    let mut rest = text.get(start + 1..)?.iter().peekable();
    let mut path = Vec::new();
    while let Some(&byte) = rest.next() {
        if byte != b'"' {
            path.push(byte);
        } else if rest.peek() == Some(&&b'"') {
            path.push(b'"');
            rest.next();
        } else {
            return Some(path);
        }
    }
    None
}

/// Reads six numbers at the start of `text`, whatever follows that cannot be a seventh.
fn take_host_port(text: &[u8]) -> Option<SocketAddrV4> {
    let mut rest = text;
    let mut numbers = [0_u8; 6];
    for (index, number) in numbers.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.trim_ascii_start().strip_prefix(b",")?;
        }
        rest = rest.trim_ascii_start();
        let end = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        *number = parse_number(digits)?;
        rest = after;
    }
    let [a, b, c, d, high, low] = numbers;
    let address = SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]));
    (rest.first() != Some(&b',')).then_some(address)
}

fn parse_byte(text: &[u8]) -> Option<u8> {
    parse_number(text.trim_ascii())
}

/// Digits only: `str::parse` alone would take a sign.
pub(crate) fn parse_number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_227_is_read_in_every_wording() {
        let expected = Some("10.0.0.1:1281".parse().unwrap());
        for text in [
            &b"Entering Passive Mode (10,0,0,1,5,1)."[..],
            b"Entering Passive Mode 10,0,0,1,5,1",
            b"=10,0,0,1,5,1",
            b"ok (10, 0, 0, 1, 5, 1)",
            b"Mode 2 10,0,0,1,5,1 7",
        ] {
            assert_eq!(scan_passive(text), expected, "{}", text.escape_ascii());
        }
        for text in [
            &b""[..],
            b"(10,0,0,1,5)",
            b"(256,0,0,1,5,1)",
            b"1,2,3,4,5,6,7",
            b",,,,,",
        ] {
            assert_eq!(scan_passive(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_229_is_read_with_any_delimiter() {
        for text in [
            &b"Entering Extended Passive Mode (|||6446|)"[..],
            b"!!!6446!",
            b"(|) |||6446|",
        ] {
            assert_eq!(scan_extended_passive(text), Some(6446));
        }
        for text in [
            &b"(||6446|)"[..],
            b"(|||66446|)",
            b"(|||6446)",
            b"(|1|h|5|)",
            b"1116446|",
        ] {
            assert_eq!(scan_extended_passive(text), None);
        }
    }

    #[test]
    fn an_eprt_of_another_protocol_is_told_from_a_malformed_one() {
        assert_eq!(
            parse_extended(b"|1|132.235.1.2|6275|"),
            Ok(address("132.235.1.2:6275"))
        );
        assert_eq!(parse_extended(b"$2$::1$5282$"), Ok(address("[::1]:5282")));
        assert_eq!(
            parse_extended(b"|3|x|1|"),
            Err(AddressError::UnknownProtocol)
        );
        for bad in [
            &b""[..],
            b"|1|::1|5|",
            b"|1|1.2.3.4|5",
            b"|1|1.2.3.4|+5|",
            b"|1|1.2.3.4|5||",
            b" 1 1.2.3.4 5 ",
        ] {
            assert_eq!(parse_extended(bad), Err(AddressError::Malformed));
        }
    }

    #[test]
    fn a_port_argument_needs_six_bytes() {
        assert_eq!(
            parse_host_port(b"127,0,0,1,4,1"),
            Some("127.0.0.1:1025".parse().unwrap())
        );
        for bad in [
            &b"127,0,0,1,4"[..],
            b"127,0,0,1,4,256",
            b"127,0,0,1,4,1,1",
            b"a",
            b"127,0,0,1,4,-1",
        ] {
            assert_eq!(parse_host_port(bad), None);
        }
    }

    #[test]
    fn an_lprt_of_wrong_length_is_malformed() {
        assert_eq!(parse_long(b"6,16,1,2"), Err(AddressError::Malformed));
        assert_eq!(parse_long(b"9,1,1,1,1"), Err(AddressError::UnknownProtocol));
        assert_eq!(parse_long(b"x"), Err(AddressError::Malformed));
    }

    #[test]
    fn a_257_needs_its_closing_quote() {
        assert_eq!(
            unquote(b"\"/a\"\"b\" is cwd \"x\""),
            Some(b"/a\"b".to_vec())
        );
        assert_eq!(unquote(b"\"/a"), None);
        assert_eq!(unquote(b"/a"), None);
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(v4 in any::<SocketAddrV4>(), ip in any::<IpAddr>(), port in any::<u16>(), path in prop::collection::vec(any::<u8>(), 0..40)) {
            let any = SocketAddr::new(ip, port);
            let mut out = Vec::new();
            write_host_port(v4, &mut out);
            prop_assert_eq!(parse_host_port(&out), Some(v4));
            out.clear();
            write_extended(any, &mut out);
            prop_assert_eq!(parse_extended(&out), Ok(any));
            out.clear();
            write_long(any, &mut out);
            prop_assert_eq!(parse_long(&out), Ok(any));
            prop_assert_eq!(scan_passive(passive_reply(v4).text()), Some(v4));
            prop_assert_eq!(scan_extended_passive(extended_passive_reply(port).text()), Some(port));
            prop_assert_eq!(unquote(&quote(&path)), Some(path));
        }

        #[test]
        fn foreign_bytes_are_read_without_panic(text in prop::collection::vec(prop::sample::select(&b"0123456789,,,|||::. \"()a\xff"[..]), 0..60)) {
            crate::fuzz::address(&text);
        }
    }
}
