//! The reply codes, each with the document that defines it.

use std::fmt;

/// A three-digit reply code, 100 to 699.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// What the first digit of a code says. RFC 959 §4.2; `6yz` is RFC 2228 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// `1yz`: begun; another reply follows.
    Preliminary,
    /// `2yz`: done.
    Completion,
    /// `3yz`: more is needed.
    Intermediate,
    /// `4yz`: refused, may work later.
    TransientFailure,
    /// `5yz`: refused.
    PermanentFailure,
    /// `6yz`: a reply wrapped by a security mechanism.
    Protected,
}

impl Code {
    /// The code, if it lies between 100 and 699.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            100..=699 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The three digits.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each is below ten, and so is a hundredth of a code"
    )]
    pub const fn digits(self) -> [u8; 3] {
        [
            b'0' + (self.0 / 100) as u8,
            b'0' + (self.0 / 10 % 10) as u8,
            b'0' + (self.0 % 10) as u8,
        ]
    }

    /// What the first digit says.
    #[must_use]
    pub const fn class(self) -> Class {
        match self.0 / 100 {
            1 => Class::Preliminary,
            2 => Class::Completion,
            3 => Class::Intermediate,
            4 => Class::TransientFailure,
            5 => Class::PermanentFailure,
            _ => Class::Protected,
        }
    }

    /// Reads exactly three digits.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] = digits else {
            return None;
        };
        let digit = |byte: &u8| u16::from(byte.wrapping_sub(b'0'));
        Self::new(digit(a) * 100 + digit(b) * 10 + digit(c))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// The codes by number. Section numbers without an RFC are of RFC 959.
impl Code {
    /// `110` Restart marker reply. §4.2.2.
    pub const RESTART_MARKER: Self = Self(110);
    /// `120` Service ready in some minutes. §4.2.2.
    pub const READY_SOON: Self = Self(120);
    /// `125` Data connection already open; transfer starting. §4.2.2.
    pub const TRANSFER_STARTING: Self = Self(125);
    /// `150` File status okay; about to open data connection. §4.2.2.
    pub const OPENING_DATA: Self = Self(150);
    /// `200` Command okay. §4.2.2.
    pub const OKAY: Self = Self(200);
    /// `202` Command superfluous at this site. §4.2.2.
    pub const SUPERFLUOUS: Self = Self(202);
    /// `211` System status, or system help reply; the list of features. §4.2.2, RFC 2389 §3.2.
    pub const SYSTEM_STATUS: Self = Self(211);
    /// `212` Directory status. §4.2.2.
    pub const DIRECTORY_STATUS: Self = Self(212);
    /// `213` File status; also the value of SIZE, MDTM, HASH. §4.2.2, RFC 3659 §2.1.
    pub const FILE_STATUS: Self = Self(213);
    /// `214` Help message. §4.2.2.
    pub const HELP: Self = Self(214);
    /// `215` Name of the system. §4.2.2.
    pub const SYSTEM_TYPE: Self = Self(215);
    /// `220` Service ready for new user. §4.2.2; also the answer to HOST, RFC 7151 §3.2.
    pub const READY: Self = Self(220);
    /// `221` Service closing control connection. §4.2.2.
    pub const CLOSING: Self = Self(221);
    /// `225` Data connection open; no transfer in progress. §4.2.2.
    pub const DATA_OPEN: Self = Self(225);
    /// `226` Closing data connection, action successful. §4.2.2.
    pub const TRANSFER_COMPLETE: Self = Self(226);
    /// `227` Entering Passive Mode. §4.2.2.
    pub const PASSIVE: Self = Self(227);
    /// `228` Entering Long Passive Mode. RFC 1639 §3.
    pub const LONG_PASSIVE: Self = Self(228);
    /// `229` Entering Extended Passive Mode. RFC 2428 §3.
    pub const EXTENDED_PASSIVE: Self = Self(229);
    /// `230` User logged in. §4.2.2.
    pub const LOGGED_IN: Self = Self(230);
    /// `232` User logged in, authorised by the security exchange. RFC 2228 §5.1.
    pub const LOGGED_IN_SECURED: Self = Self(232);
    /// `234` Security exchange complete or, for TLS, about to begin. RFC 2228 §5.1, RFC 4217 §4.
    pub const SECURITY_ACCEPTED: Self = Self(234);
    /// `235` Security exchange complete, with data. RFC 2228 §5.1.
    pub const SECURITY_COMPLETE: Self = Self(235);
    /// `250` Requested file action okay, completed. §4.2.2.
    pub const FILE_ACTION_OKAY: Self = Self(250);
    /// `251` The MD5 of one file. The MD5 draft, §3.1.
    pub const MD5: Self = Self(251);
    /// `252` The MD5 of several files. The MD5 draft, §3.2.
    pub const MMD5: Self = Self(252);
    /// `257` "PATHNAME" created. §4.2.2.
    pub const PATHNAME: Self = Self(257);
    /// `331` User name okay, need password. §4.2.2.
    pub const NEED_PASSWORD: Self = Self(331);
    /// `332` Need account for login. §4.2.2.
    pub const NEED_ACCOUNT: Self = Self(332);
    /// `334` Security mechanism accepted, more data wanted. RFC 2228 §5.1.
    pub const SECURITY_CONTINUES: Self = Self(334);
    /// `335` Security data accepted, more wanted. RFC 2228 §5.1.
    pub const SECURITY_DATA_CONTINUES: Self = Self(335);
    /// `336` User name okay, need password; challenge follows. RFC 2228 §5.1.
    pub const PASSWORD_CHALLENGE: Self = Self(336);
    /// `350` Requested file action pending further information. §4.2.2.
    pub const PENDING: Self = Self(350);
    /// `421` Service not available, closing control connection. §4.2.2.
    pub const SERVICE_UNAVAILABLE: Self = Self(421);
    /// `425` Can't open data connection. §4.2.2.
    pub const NO_DATA_CONNECTION: Self = Self(425);
    /// `426` Connection closed; transfer aborted. §4.2.2.
    pub const TRANSFER_ABORTED: Self = Self(426);
    /// `431` Need some unavailable resource to process security. RFC 2228 §5.1.
    pub const SECURITY_UNAVAILABLE: Self = Self(431);
    /// `450` Requested file action not taken: file unavailable, e.g. busy. §4.2.2.
    pub const FILE_BUSY: Self = Self(450);
    /// `451` Requested action aborted: local error in processing. §4.2.2.
    pub const LOCAL_ERROR: Self = Self(451);
    /// `452` Requested action not taken: insufficient storage space. §4.2.2.
    pub const NO_SPACE: Self = Self(452);
    /// `500` Syntax error, command unrecognized. §4.2.2.
    pub const SYNTAX_ERROR: Self = Self(500);
    /// `501` Syntax error in parameters or arguments. §4.2.2.
    pub const BAD_ARGUMENT: Self = Self(501);
    /// `502` Command not implemented. §4.2.2.
    pub const NOT_IMPLEMENTED: Self = Self(502);
    /// `503` Bad sequence of commands. §4.2.2.
    pub const BAD_SEQUENCE: Self = Self(503);
    /// `504` Command not implemented for that parameter. §4.2.2.
    pub const BAD_PARAMETER: Self = Self(504);
    /// `521` Data connection cannot be opened with this PROT setting, RFC 4217 §9; supported address
    /// families are, RFC 1639 §3; directory already exists, RFC 959 appendix II.
    pub const UNSUPPORTED: Self = Self(521);
    /// `522` Extended port failure: unknown network protocol. RFC 2428 §2.
    pub const UNKNOWN_PROTOCOL: Self = Self(522);
    /// `530` Not logged in. §4.2.2.
    pub const NOT_LOGGED_IN: Self = Self(530);
    /// `532` Need account for storing files. §4.2.2.
    pub const NEED_ACCOUNT_TO_STORE: Self = Self(532);
    /// `533` Command protection level denied for policy reasons. RFC 2228 §5.1.
    pub const PROTECTION_DENIED: Self = Self(533);
    /// `534` Request denied for policy reasons. RFC 2228 §5.1.
    pub const POLICY: Self = Self(534);
    /// `535` Failed security check. RFC 2228 §5.1.
    pub const SECURITY_FAILED: Self = Self(535);
    /// `536` Requested PROT level not supported by mechanism. RFC 2228 §5.1.
    pub const PROTECTION_UNSUPPORTED: Self = Self(536);
    /// `537` Command protection level not supported by mechanism. RFC 2228 §5.1.
    pub const COMMAND_PROTECTION_UNSUPPORTED: Self = Self(537);
    /// `550` Requested action not taken: file unavailable. §4.2.2.
    pub const FILE_UNAVAILABLE: Self = Self(550);
    /// `551` Requested action aborted: page type unknown. §4.2.2.
    pub const PAGE_TYPE_UNKNOWN: Self = Self(551);
    /// `552` Requested file action aborted: exceeded storage allocation. §4.2.2.
    pub const OVER_QUOTA: Self = Self(552);
    /// `553` Requested action not taken: file name not allowed. §4.2.2.
    pub const NAME_NOT_ALLOWED: Self = Self(553);
    /// `554` Requested action not taken: invalid REST parameter. RFC 3659 §5.3.
    pub const BAD_RESTART: Self = Self(554);
    /// `555` Requested action not taken: type or structure mismatch. RFC 3659 §5.3.
    pub const TYPE_MISMATCH: Self = Self(555);
    /// `556` Requested action not taken: the file cannot be hashed. HASH draft §3.
    pub const NOT_HASHED: Self = Self(556);
    /// `631` Integrity-protected reply. RFC 2228 §5.1.
    pub const INTEGRITY_PROTECTED: Self = Self(631);
    /// `632` Confidentiality- and integrity-protected reply. RFC 2228 §5.1.
    pub const PRIVATE: Self = Self(632);
    /// `633` Confidentiality-protected reply. RFC 2228 §5.1.
    pub const CONFIDENTIAL: Self = Self(633);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_digits_from_100_to_699_are_a_code() {
        assert_eq!(Code::parse(b"550"), Some(Code::FILE_UNAVAILABLE));
        for bad in [&b"099"[..], b"700", b"55", b"5500", b"5 0", b"+50", b""] {
            assert_eq!(Code::parse(bad), None);
        }
    }

    #[test]
    fn the_first_digit_is_the_class() {
        assert_eq!(Code::OPENING_DATA.class(), Class::Preliminary);
        assert_eq!(Code::LOGGED_IN.class(), Class::Completion);
        assert_eq!(Code::PENDING.class(), Class::Intermediate);
        assert_eq!(Code::SERVICE_UNAVAILABLE.class(), Class::TransientFailure);
        assert_eq!(Code::NOT_LOGGED_IN.class(), Class::PermanentFailure);
        assert_eq!(Code::PRIVATE.class(), Class::Protected);
    }
}
