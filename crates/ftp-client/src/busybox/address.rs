//! HOST, HOST:PORT, [IPV6]:PORT and `-P PORT` as BusyBox and the C library read them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::failure::Failure;

/// The port when none is given.
pub(super) const FTP: u16 = 21;

/// The HOST operand taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostPort<'a> {
    pub(super) host: &'a [u8],
    pub(super) port: Option<u16>,
}

/// Digits that make a port; anything else may still be the name of a service.
pub(super) fn parse_port(text: &[u8]) -> Option<u16> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Cuts off the port behind the last colon, unless there are several and no brackets.
pub(super) fn split(operand: &[u8]) -> Result<HostPort<'_>, Failure> {
    let bad_address = || Failure::BadAddress(operand.to_vec());
    let (host, port) = match operand.strip_prefix(b"[") {
        Some(inner) => {
            let end = inner.iter().position(|&byte| byte == b']');
            let (host, rest) = end
                .and_then(|end| inner.split_at_checked(end))
                .ok_or_else(bad_address)?;
            match rest {
                [b']'] => (host, None),
                [b']', b':', port @ ..] => (host, Some(port)),
                _ => return Err(bad_address()),
            }
        }
        None => {
            let mut parts = operand.splitn(3, |&byte| byte == b':');
            match (parts.next(), parts.next(), parts.next()) {
                (Some(host), Some(port), None) => (host, Some(port)),
                _ => (operand, None),
            }
        }
    };
    // Names of services are for `-P` only.
    let port = match port {
        None => None,
        Some(text) => Some(parse_port(text).ok_or_else(|| Failure::BadPort(text.to_vec()))?),
    };
    Ok(HostPort { host, port })
}

/// An address that needs no looking up.
pub(super) fn literal(host: &[u8]) -> Option<IpAddr> {
    match inet_aton(host) {
        Some(ip) => Some(ip.into()),
        None => {
            let ip: Ipv6Addr = std::str::from_utf8(host).ok()?.parse().ok()?;
            Some(ip.into())
        }
    }
}

/// `inet_aton(3)`: one to four numbers, each decimal, octal or hexadecimal, the last filling what is
/// left; whatever follows white space is ignored. Attackers use these forms to hide addresses.
fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let end = text
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || *byte == 0x0b)
        .unwrap_or(text.len());
    let parts: Vec<&[u8]> = text.get(..end)?.split(|&byte| byte == b'.').collect();
    let (last, before) = parts.split_last()?;
    if before.len() > 3 {
        return None;
    }
    let mut address: u32 = 0;
    for part in before {
        let byte = u8::try_from(c_number(part)?).ok()?;
        address = (address << 8) | u32::from(byte);
    }
    let rest = c_number(last)?;
    let bits = 32 - 8 * before.len();
    if bits < 32 && rest >> bits != 0 {
        return None;
    }
    let high = if bits < 32 { address << bits } else { 0 };
    Some(Ipv4Addr::from(high | rest))
}

/// A number as C writes it.
fn c_number(text: &[u8]) -> Option<u32> {
    let (digits, radix) = match text {
        [b'0', b'x' | b'X', hex @ ..] => (hex, 16),
        [b'0', octal @ ..] if !octal.is_empty() => (octal, 8),
        decimal => (decimal, 10),
    };
    // `from_str_radix` would take a sign.
    if digits.first()?.is_ascii_alphanumeric() {
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
    } else {
        None
    }
}

/// The TCP port of a service in the text of an `/etc/services`, by its name or an alias.
#[must_use]
pub fn service_port(services: &[u8], name: &[u8]) -> Option<u16> {
    services.split(|&byte| byte == b'\n').find_map(|line| {
        let line = line.split(|&byte| byte == b'#').next()?;
        let mut fields = line
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty());
        let first = fields.next()?;
        let port = fields.next()?.strip_suffix(b"/tcp")?;
        let known = first == name || fields.any(|alias| alias == name);
        known.then(|| parse_port(port)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Option<String> {
        inet_aton(text.as_bytes()).map(|ip| ip.to_string())
    }

    #[test]
    fn addresses_are_read_in_all_the_forms_of_inet_aton() {
        for text in [
            "127.1",
            "0x7f.1",
            "2130706433",
            "0177.1",
            "127.0.0.1 x",
            "127.0.0.1\t",
            "127.0.1",
            "0x7f000001",
            "127.0.0.01",
        ] {
            assert_eq!(v4(text).as_deref(), Some("127.0.0.1"), "{text}");
        }
        assert_eq!(v4("127.65537").as_deref(), Some("127.1.0.1"));
        assert_eq!(v4("0").as_deref(), Some("0.0.0.0"));
        assert_eq!(v4("4294967295").as_deref(), Some("255.255.255.255"));
        for text in [
            "",
            ".",
            "1.2.3.4.5",
            "256.1.1.1",
            "127.0.0.08",
            "127.0.0.1.",
            " 127.0.0.1",
            "a",
            "+1",
            "4294967296",
            "1.16777216",
            "1.2.65536",
            "1.2.3.256",
            "0x.1",
            "1.+2",
        ] {
            assert_eq!(v4(text), None, "{text}");
        }
    }

    #[test]
    fn a_port_is_cut_off_one_colon_and_behind_brackets() {
        let port =
            |text: &'static str| split(text.as_bytes()).map(|split| (split.host, split.port));
        assert!(matches!(port("h:21"), Ok((b"h", Some(21)))));
        assert!(matches!(port("::1"), Ok((b"::1", None))));
        assert!(matches!(port("[::1]:2"), Ok((b"::1", Some(2)))));
        assert!(matches!(port("[::1]"), Ok((b"::1", None))));
        assert!(matches!(port("[::1"), Err(Failure::BadAddress(_))));
        assert!(matches!(port("[::1]x"), Err(Failure::BadAddress(_))));
        assert!(matches!(port("h:"), Err(Failure::BadPort(_))));
        assert!(matches!(port("h:+1"), Err(Failure::BadPort(_))));
    }

    #[test]
    fn services_are_found_by_name_and_alias_for_tcp_only() {
        let text = b"# comment\nftp\t\t21/tcp\ntftp 69/udp\nhttp 80/tcp www # WWW\n";
        assert_eq!(service_port(text, b"ftp"), Some(21));
        assert_eq!(service_port(text, b"www"), Some(80));
        assert_eq!(service_port(text, b"tftp"), None);
        assert_eq!(service_port(text, b"#"), None);
    }
}
