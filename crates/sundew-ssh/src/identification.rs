//! The client's identification line (RFC 4253 §4.2), judged as OpenSSH 9.2 judges it.
//!
//! No I/O: bytes go in, a verdict comes out. The transport would end the connection in silence where
//! the real server answers with a line of text, so this runs in front of it.

/// Longest line that is read, in bytes without CR LF. OpenSSH's limit; a longer one is answered like
/// any other bad line.
pub const MAX_LINE_BYTES: usize = 8192;

/// Reads the first line byte by byte.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    /// A CR was seen: only an LF (or another CR) may follow.
    expect_newline: bool,
}

/// What the bytes so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The line is not complete.
    More,
    /// The line is complete and acceptable.
    Accepted {
        /// The line without CR LF.
        line: Vec<u8>,
        /// How many of the bytes given last belong to the line; the rest is packets.
        used: usize,
    },
    /// The connection ends here.
    Refused {
        /// What was read, without CR LF; evidence, not necessarily a whole line.
        line: Vec<u8>,
        /// What the client is told.
        refusal: Refusal,
    },
}

/// How a bad first line is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not `SSH-MAJOR.MINOR-SOFTWARE`.
    Invalid,
    /// Neither version 2 nor 1.99.
    Version,
    /// Known probes, which OpenSSH drops without an answer.
    Probe,
}

impl Refusal {
    /// The text the client gets, with its line end.
    pub const fn text(self) -> &'static [u8] {
        match self {
            Self::Invalid => b"Invalid SSH identification string.\r\n",
            Self::Version => b"Protocol major versions differ.\r\n",
            Self::Probe => b"",
        }
    }
}

impl Reader {
    /// Takes the next bytes; not to be called again after anything but [`Step::More`].
    pub fn feed(&mut self, bytes: &[u8]) -> Step {
        for (index, &byte) in bytes.iter().enumerate() {
            match byte {
                b'\r' => self.expect_newline = true,
                b'\n' => return self.verdict(index.saturating_add(1)),
                0 => return self.refuse(Refusal::Invalid),
                _ if self.expect_newline || self.line.len() >= MAX_LINE_BYTES => {
                    return self.refuse(Refusal::Invalid);
                }
                _ => self.line.push(byte),
            }
        }
        Step::More
    }

    fn verdict(&mut self, used: usize) -> Step {
        match judge(&self.line) {
            Ok(()) => Step::Accepted {
                line: std::mem::take(&mut self.line),
                used,
            },
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        Step::Refused {
            line: std::mem::take(&mut self.line),
            refusal,
        }
    }
}

fn judge(line: &[u8]) -> Result<(), Refusal> {
    let rest = line.strip_prefix(b"SSH-").ok_or(Refusal::Invalid)?;
    let (major, rest) = number(rest).ok_or(Refusal::Invalid)?;
    let rest = rest.strip_prefix(b".").ok_or(Refusal::Invalid)?;
    let (minor, rest) = number(rest).ok_or(Refusal::Invalid)?;
    let software = rest.strip_prefix(b"-").ok_or(Refusal::Invalid)?;
    if software.is_empty() {
        return Err(Refusal::Invalid);
    }
    if !(major == 2 || (major == 1 && minor == 99)) {
        return Err(Refusal::Version);
    }
    let mapper = b"SSH_Version_Mapper";
    if software.starts_with(b"Probe-") || software.windows(mapper.len()).any(|part| part == mapper)
    {
        return Err(Refusal::Probe);
    }
    Ok(())
}

/// A number as C's `%d` reads one: white space, a sign, digits, cut to 32 bits.
fn number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let trimmed = bytes.trim_ascii_start();
    let (negative, digits) = match trimmed.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, trimmed),
    };
    let length = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = digits.split_at_checked(length)?;
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit.saturating_sub(b'0')))
    });
    let value = if negative {
        value.saturating_neg()
    } else {
        value
    };
    let [a, b, c, d, ..] = value.to_le_bytes();
    Some((i32::from_le_bytes([a, b, c, d]), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> Refusal {
        match Reader::default().feed(bytes) {
            Step::Refused { refusal, .. } => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn accepted(bytes: &[u8]) -> (Vec<u8>, usize) {
        match Reader::default().feed(bytes) {
            Step::Accepted { line, used } => (line, used),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn usual_lines_are_accepted_and_end_where_the_first_packet_begins() {
        assert_eq!(
            accepted(b"SSH-2.0-Go\r\nrest"),
            (b"SSH-2.0-Go".to_vec(), 12)
        );
        assert_eq!(accepted(b"SSH-2.0-Go\n"), (b"SSH-2.0-Go".to_vec(), 11));
        assert_eq!(accepted(b"SSH-1.99-\xff x\r\n").0, b"SSH-1.99-\xff x");
        assert_eq!(accepted(b"SSH-2.0-a\r\r\n").0, b"SSH-2.0-a");
    }

    #[test]
    fn a_line_may_come_in_single_bytes() {
        let mut reader = Reader::default();
        for byte in b"SSH-2.0-x\r" {
            assert_eq!(reader.feed(&[*byte]), Step::More);
        }
        assert_eq!(
            reader.feed(b"\n"),
            Step::Accepted {
                line: b"SSH-2.0-x".to_vec(),
                used: 1
            }
        );
    }

    #[test]
    fn what_is_no_identification_is_called_invalid() {
        for line in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"\n",
            b"SSH-1337-OpenSSH_9.0\r\n",
            b"SSH-2.0-\r\n",
            b"SSH-2.0\r\n",
            b"SSH-x.0-y\r\n",
            b"SSH-2.0-a\rb",
            b"SSH-2.0-a\0",
        ] {
            assert_eq!(refusal(line), Refusal::Invalid, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        // OpenSSH 9.2 goes on with all of these.
        for line in [
            &b"SSH- 2.0-x\n"[..],
            b"SSH-+2. 0-x\n",
            b"SSH-02.0-x\n",
            b"SSH-4294967298.0-x\n",
            b"SSH-2.0- \n",
        ] {
            accepted(line);
        }
    }

    #[test]
    fn other_versions_differ() {
        for line in [
            &b"SSH-1.5-x\n"[..],
            b"SSH-3.0-x\n",
            b"SSH--2.0-x\n",
            b"SSH-99999999999999999999.0-x\n",
        ] {
            assert_eq!(refusal(line), Refusal::Version, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn known_probes_get_no_answer() {
        assert_eq!(refusal(b"SSH-2.0-Probe-x\n"), Refusal::Probe);
        assert_eq!(refusal(b"SSH-2.0-a SSH_Version_Mapper 1\n"), Refusal::Probe);
        assert!(Refusal::Probe.text().is_empty());
    }

    #[test]
    fn an_endless_line_is_refused_at_the_limit() {
        let line = vec![b'A'; MAX_LINE_BYTES.saturating_add(1)];
        assert_eq!(refusal(&line), Refusal::Invalid);
        assert_eq!(Reader::default().feed(&line[1..]), Step::More);
    }
}
