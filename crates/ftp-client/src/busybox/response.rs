//! Server lines as BusyBox reads them: through `fgets(3)`, as C strings, without Telnet.
//!
//! Lines are skipped until one begins with a digit and has a blank in its fourth column; its first
//! three bytes had better be a number. Nothing here waits; `session` brings the bytes.

use super::failure::Failure;

/// Longest piece of a line `fgets(3)` hands over; the rest counts as the next line. Found by feeding
/// numbered bytes to BusyBox 1.35.
pub(super) const MAX_LINE_BYTES: usize = 981;

/// Most bytes of lines that are no reply, between two replies. The original would skip for ever;
/// the longest login messages seen stay under 16 KiB. Past the limit the server counts as closed.
pub const MAX_SKIPPED_BYTES: usize = 1024 * 1024;

/// One reply line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    line: Vec<u8>,
    pub(super) code: u32,
}

impl Response {
    /// The reply this line is; `None` for lines to be skipped.
    pub(super) fn read(line: &[u8]) -> Result<Option<Self>, Failure> {
        let [first, _, _, b' ', ..] = line else {
            return Ok(None);
        };
        if !first.is_ascii_digit() {
            return Ok(None);
        }
        let code = number(c_string(line.get(..3).unwrap_or(line)), u32::MAX)?;
        Ok(Some(Self {
            line: line.to_vec(),
            code,
        }))
    }

    /// What follows the code, to the end of the C string.
    pub(super) fn text(&self) -> &[u8] {
        c_string(&self.line).get(4..).unwrap_or_default()
    }

    /// The failure that quotes this reply.
    pub(super) fn unexpected(&self, to: Option<&'static str>) -> Failure {
        unexpected(to, &self.line)
    }

    /// The port of a 229: between the last two bars.
    pub(super) fn extended_port(&self) -> Result<u16, Failure> {
        let (line, _) = cut(chomp(&self.line), b'|').map_err(Self::no_address)?;
        let (_, port) = cut(line, b'|').map_err(Self::no_address)?;
        port_number(number(port, u32::from(u16::MAX))?)
    }

    /// The port of a 227: the last two of the numbers with commas between, before the last `)`.
    pub(super) fn passive_port(&self) -> Result<u16, Failure> {
        let line = chomp(&self.line);
        let line = cut(line, b')').map_or(line, |(before, _)| before);
        let (line, low) = cut(line, b',').map_err(Self::no_address)?;
        let low = number(low, u32::from(u8::MAX))?;
        let (_, high) = cut(line, b',').map_err(Self::no_address)?;
        port_number(number(high, u32::from(u8::MAX))? * 256 + low)
    }

    /// EPSV or PASV, the text says PASV, and quotes what was left of the line.
    fn no_address(rest: &[u8]) -> Failure {
        unexpected(Some("PASV"), rest)
    }
}

/// The failure when the server has closed; the command is not named then.
pub(super) fn closed() -> Failure {
    unexpected(None, b"EOF")
}

fn unexpected(to: Option<&'static str>, line: &[u8]) -> Failure {
    let line = line
        .iter()
        .copied()
        .take_while(|byte| matches!(byte, b' '..=b'~'))
        .collect();
    Failure::Unexpected { to, line }
}

/// Splits at the last `mark`; without one, gives the bytes back.
fn cut(bytes: &[u8], mark: u8) -> Result<(&[u8], &[u8]), &[u8]> {
    let mut parts = bytes.rsplitn(2, |&byte| byte == mark);
    match (parts.next(), parts.next()) {
        (Some(after), Some(before)) => Ok((before, after)),
        _ => Err(bytes),
    }
}

/// Digits, at most 32 bits of them, at most `maximum`.
fn number(text: &[u8], maximum: u32) -> Result<u32, Failure> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text)
        .ok()
        .filter(|_| digits)
        .and_then(|text| text.parse::<u32>().ok())
        .ok_or_else(|| Failure::InvalidNumber(text.to_vec()))?;
    if number > maximum {
        return Err(Failure::OutOfRange { number, maximum });
    }
    Ok(number)
}

fn port_number(number: u32) -> Result<u16, Failure> {
    u16::try_from(number).map_err(|_| Failure::OutOfRange {
        number,
        maximum: u32::from(u16::MAX),
    })
}

fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The C string without its LF or CRLF; other white space at its end belongs to it.
fn chomp(bytes: &[u8]) -> &[u8] {
    let line = c_string(bytes);
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(line: &[u8]) -> Response {
        Response::read(line).unwrap().unwrap()
    }

    fn complaint(result: Result<u16, Failure>) -> String {
        String::from_utf8(result.unwrap_err().text()).unwrap()
    }

    #[test]
    fn lines_are_skipped_until_a_digit_and_a_blank_in_column_four() {
        for line in [
            &b""[..],
            b"220",
            b"220-x\r\n",
            b" 220 x",
            b"a20 x",
            b"\xff\xfb\x01220 x",
        ] {
            assert_eq!(Response::read(line), Ok(None));
        }
        assert_eq!(response(b"000 x\r\n").code, 0);
        assert_eq!(response(b"999 x").code, 999);
        assert_eq!(response(b"42\0 x").code, 42);
        for code in [&b"4xx"[..], b"0x1", b"4-1", b"42\r"] {
            let line = [code, b" x"].concat();
            let expected = Failure::InvalidNumber(code.to_vec());
            assert_eq!(Response::read(&line), Err(expected));
        }
    }

    #[test]
    fn a_quoted_line_ends_before_the_first_byte_that_is_not_printable() {
        for line in [
            &b"421 a\tb\r\n"[..],
            b"421 a\xffb",
            b"421 a\0b",
            b"421 a\x7f",
        ] {
            let text = response(line).unexpected(None).text();
            assert_eq!(text, b"unexpected server response: 421 a");
        }
    }

    #[test]
    fn a_227_is_read_from_its_end() {
        let port = |text: &str| response(format!("227 p {text}\r\n").as_bytes()).passive_port();
        for text in ["(1,2,3,4,5,1)", "1,2,3,4,5,1", "x,5,01)y", "5,x,5,1"] {
            assert_eq!(port(text), Ok(1281), "{text}");
        }
        assert_eq!(port("(255,255)").ok(), None);
        assert_eq!(port("1,255,255"), Ok(65535));
        let quoted = |text| complaint(port(text));
        assert_eq!(
            quoted("(1,2)"),
            "unexpected server response to PASV: 227 p (1"
        );
        assert_eq!(
            quoted("(9)"),
            "unexpected server response to PASV: 227 p (9"
        );
        assert_eq!(quoted("(a,b)"), "invalid number 'b'");
        assert_eq!(quoted("(1,2,3,4,0,1) (x)"), "invalid number '1) (x'");
        assert_eq!(quoted("1,2,999"), "number 999 is not in 0..255 range");
        assert_eq!(quoted("1,2,3 "), "invalid number '3 '");
    }

    #[test]
    fn a_229_is_read_from_its_end() {
        let port = |text: &str| response(format!("229 p {text}\r\n").as_bytes()).extended_port();
        for text in ["(|||5|)", "|5|", "5|5|5|x"] {
            assert_eq!(port(text), Ok(5), "{text}");
        }
        let quoted = |text| complaint(port(text));
        assert_eq!(
            quoted("(!!!5!)"),
            "unexpected server response to PASV: 229 p (!!!5!)"
        );
        assert_eq!(
            quoted("foo|bar"),
            "unexpected server response to PASV: 229 p foo"
        );
        assert_eq!(
            quoted("(|||70000|)"),
            "number 70000 is not in 0..65535 range"
        );
        assert_eq!(quoted("(|||+5|)"), "invalid number '+5'");
        assert_eq!(quoted("(|||4294967297|)"), "invalid number '4294967297'");
    }
}
