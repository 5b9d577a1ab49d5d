//! Commands: every verb of the FTP standards and drafts, with its argument as a type.
//!
//! RFC 959, RFC 1123 (X-forms), RFC 1639, RFC 2228, RFC 2389, RFC 2428, RFC 2640, RFC 3659,
//! RFC 4217, RFC 5797 (the registry), RFC 7151, the HASH, RANG, MFMT, MODE Z, AVBL, COMB, CLNT and
//! CSID drafts, and the verbs of well-known servers (PRET, SSCN, CPSV, ESTA, SPSV). Parsing and
//! writing are inverses. Whether a server *offers* a verb is not decided here.

mod operand;
mod site;

use std::fmt;

pub use self::operand::{
    Allocation, ByteRange, Checksum, ExtendedAddress, ExtendedPassive, Facts, FactsForPath,
    LongAddress, OptionSetting, Protection, Switch, TimedPath,
};
use self::operand::{Operand, OperandError};
pub use self::site::Site;
pub(crate) use self::site::{octal, quoted_words};
use crate::argument::Argument;
use crate::reply::Code;
use crate::time::Timestamp;
use crate::transfer::{Mode, Structure, Type};
use std::net::SocketAddrV4;

/// Why a line is no [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The line is empty; answered `500`. vsftpd ignores such lines.
    Empty,
    /// The line was longer than [`crate::line::MAX_LINE_BYTES`]; answered `500`.
    TooLong,
    /// No such verb; answered `500`.
    UnknownVerb,
    /// The verb is known and needs an argument; answered `501`.
    MissingArgument(Verb),
    /// The verb is known and takes no argument, but has one; answered `501`.
    Superfluous(Verb),
    /// The verb is known, its argument is malformed; answered `501`.
    BadArgument(Verb),
    /// The argument is well formed but names a parameter nobody defined; answered `504`.
    UnknownParameter(Verb),
    /// An address of a network protocol other than IPv4 and IPv6; answered `522`, LPRT `521`.
    UnknownProtocol(Verb),
    /// Said to be an IPv6 address and is none; answered `501`.
    UnreadableIpv6(Verb),
}

impl CommandError {
    /// The verb, if it was recognised: the command is known, only its argument is not acceptable.
    #[must_use]
    pub const fn verb(self) -> Option<Verb> {
        match self {
            Self::Empty | Self::TooLong | Self::UnknownVerb => None,
            Self::MissingArgument(verb)
            | Self::Superfluous(verb)
            | Self::BadArgument(verb)
            | Self::UnknownParameter(verb)
            | Self::UnknownProtocol(verb)
            | Self::UnreadableIpv6(verb) => Some(verb),
        }
    }

    /// The code of the standard answer.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Empty | Self::TooLong | Self::UnknownVerb => Code::SYNTAX_ERROR,
            Self::MissingArgument(_)
            | Self::Superfluous(_)
            | Self::BadArgument(_)
            | Self::UnreadableIpv6(_) => Code::BAD_ARGUMENT,
            Self::UnknownParameter(_) => Code::BAD_PARAMETER,
            Self::UnknownProtocol(Verb::Lprt) => Code::UNSUPPORTED,
            Self::UnknownProtocol(_) => Code::UNKNOWN_PROTOCOL,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty line"),
            Self::TooLong => f.write_str("line too long"),
            Self::UnknownVerb => f.write_str("unknown verb"),
            Self::MissingArgument(verb) => write!(f, "{verb} needs an argument"),
            Self::Superfluous(verb) => write!(f, "{verb} takes no argument"),
            Self::BadArgument(verb) => write!(f, "bad argument of {verb}"),
            Self::UnknownParameter(verb) => write!(f, "unknown parameter of {verb}"),
            Self::UnknownProtocol(verb) => write!(f, "unknown network protocol in {verb}"),
            Self::UnreadableIpv6(verb) => write!(f, "no IPv6 address in {verb}"),
        }
    }
}

impl std::error::Error for CommandError {}

impl Verb {
    /// The verb with this name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        let key = key(name)?;
        let place = KEYS.iter().position(|other| *other == key)?;
        Self::ALL.get(place).copied()
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Command {
    /// Reads one line without its end.
    ///
    /// Everything behind the first blank is the argument (RFC 3659 §2.2). Behind verbs that take no
    /// argument there may be blanks and nothing else.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the session can go on after every one of them.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        // Telnet's Synch before ABOR, sent as urgent data byte by byte, may lose the IAC it began with
        // on the way; no verb begins with such a byte.
        let is_telnet = |byte: &u8| *byte >= FIRST_TELNET_BYTE;
        let start = line.iter().position(|byte| !is_telnet(byte));
        let line = line.get(start.unwrap_or(line.len())..).unwrap_or_default();
        if line.is_empty() {
            return Err(CommandError::Empty);
        }
        let mut parts = line.splitn(2, |&byte| byte == b' ');
        let verb = parts
            .next()
            .and_then(Verb::parse)
            .ok_or(CommandError::UnknownVerb)?;
        let argument = parts.next().filter(|argument| !argument.is_empty());
        Self::read(verb, argument).map_err(|error| match error {
            OperandError::Missing => CommandError::MissingArgument(verb),
            OperandError::Superfluous => CommandError::Superfluous(verb),
            OperandError::Bad => CommandError::BadArgument(verb),
            OperandError::UnknownParameter => CommandError::UnknownParameter(verb),
            OperandError::UnknownProtocol => CommandError::UnknownProtocol(verb),
            OperandError::UnreadableIpv6 => CommandError::UnreadableIpv6(verb),
        })
    }

    /// Appends the line to `out`, without Telnet escapes and without its end; [`Command::parse`]
    /// reads the same command back.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.verb().name().bytes());
        self.write(out);
    }

    /// The command as it goes on the wire: [`Command::encode`], 255 doubled, CRLF.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        let (mut line, mut out) = (Vec::new(), Vec::new());
        self.encode(&mut line);
        crate::line::encode(&line, &mut out);
        out
    }
}

/// One table makes [`Command`], [`Verb`], and the two directions between them and bytes.
macro_rules! commands {
    ($( $(#[doc = $doc:literal])* $variant:ident $(($field:ident: $operand:ty))? = $name:literal, )*) => {
        /// One command with its argument.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Command {
            $( $(#[doc = $doc])* $variant $(($operand))?, )*
        }

        /// The verb of a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verb {
            $( $(#[doc = $doc])* $variant, )*
        }

        impl Verb {
            /// All verbs, in the order of the standards.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in capitals.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl Command {
            /// The verb.
            #[must_use]
            pub const fn verb(&self) -> Verb {
                match self { $(Self::$variant { .. } => Verb::$variant,)* }
            }

            fn read(verb: Verb, argument: Option<&[u8]>) -> Result<Self, OperandError> {
                match verb {
                    $(Verb::$variant => {
                        read_one!(Self::$variant, argument $(, $operand)?)
                    })*
                }
            }

            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($field))? => { $(Operand::write($field, out);)? })*
                }
            }
        }

        #[cfg(test)]
        mod any {
            use proptest::prelude::*;

            use super::*;

            /// Every command with every argument, evenly over the verbs.
            pub(super) fn command() -> impl Strategy<Value = Command> {
                let all: Vec<BoxedStrategy<Command>> = vec![
                    $(any_of!(Command::$variant $(, $operand)?)),*
                ];
                proptest::strategy::Union::new(all)
            }
        }
    };
}

/// A command with its operand, or one without, which then must not have any.
macro_rules! read_one {
    ($variant:path, $argument:ident) => {
        match $argument {
            Some(text) if !text.iter().all(|&byte| byte == b' ') => Err(OperandError::Superfluous),
            Some(_) | None => Ok($variant),
        }
    };
    ($variant:path, $argument:ident, $operand:ty) => {
        Ok($variant(<$operand as Operand>::read($argument)?))
    };
}

/// The first of Telnet's commands, SE. RFC 854.
const FIRST_TELNET_BYTE: u8 = 240;

/// A verb's name in capitals as one number; `None` if it is too long for any.
#[inline]
const fn key(name: &[u8]) -> Option<u64> {
    if name.is_empty() || name.len() > 8 {
        return None;
    }
    let mut key = 0;
    let mut rest = name;
    while let Some((byte, others)) = rest.split_first() {
        key = key << 8 | byte.to_ascii_uppercase() as u64;
        rest = others;
    }
    Some(key)
}

/// The keys of all verbs, in the order of [`Verb::ALL`].
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled, where an index out of bounds is an error"
)]
static KEYS: [u64; Verb::ALL.len()] = {
    let mut keys = [0; Verb::ALL.len()];
    let mut place = 0;
    while place < keys.len() {
        if let Some(key) = key(Verb::ALL[place].name().as_bytes()) {
            keys[place] = key;
        }
        place += 1;
    }
    keys
};

#[cfg(test)]
macro_rules! any_of {
    ($variant:path) => {
        Just($variant).boxed()
    };
    ($variant:path, $operand:ty) => {
        <$operand as operand::AnyOperand>::any()
            .prop_map($variant)
            .boxed()
    };
}

commands! {
    /// The user's name. RFC 959 §4.1.1.
    User(user: Argument) = "USER",
    /// The password; none is an empty one. RFC 959 §4.1.1.
    Pass(password: Option<Argument>) = "PASS",
    /// The account. RFC 959 §4.1.1.
    Acct(account: Argument) = "ACCT",
    /// Change the working directory. RFC 959 §4.1.1.
    Cwd(path: Argument) = "CWD",
    /// Change to the parent directory. RFC 959 §4.1.1.
    Cdup = "CDUP",
    /// Mount another file system. RFC 959 §4.1.1.
    Smnt(path: Argument) = "SMNT",
    /// Start the session anew. RFC 959 §4.1.1.
    Rein = "REIN",
    /// End the session. RFC 959 §4.1.1.
    Quit = "QUIT",
    /// Data connections go to this address. RFC 959 §4.1.2.
    Port(address: SocketAddrV4) = "PORT",
    /// Listen for the data connection. RFC 959 §4.1.2.
    Pasv = "PASV",
    /// The representation type. RFC 959 §4.1.2.
    Type(representation: Type) = "TYPE",
    /// The file structure. RFC 959 §4.1.2.
    Stru(structure: Structure) = "STRU",
    /// The transmission mode. RFC 959 §4.1.2.
    Mode(mode: Mode) = "MODE",
    /// Send a file. RFC 959 §4.1.3.
    Retr(path: Argument) = "RETR",
    /// Take a file. RFC 959 §4.1.3.
    Stor(path: Argument) = "STOR",
    /// Take a file under a name of the server's choice. RFC 959 §4.1.3.
    Stou(path: Option<Argument>) = "STOU",
    /// Take a file and append it. RFC 959 §4.1.3.
    Appe(path: Argument) = "APPE",
    /// Reserve space. RFC 959 §4.1.3.
    Allo(allocation: Allocation) = "ALLO",
    /// Begin the next transfer at this offset. RFC 3659 §5; the marker of RFC 959 is a decimal
    /// number here.
    Rest(offset: u64) = "REST",
    /// Rename: the old name. RFC 959 §4.1.3.
    Rnfr(path: Argument) = "RNFR",
    /// Rename: the new name. RFC 959 §4.1.3.
    Rnto(path: Argument) = "RNTO",
    /// Abort the transfer. RFC 959 §4.1.3.
    Abor = "ABOR",
    /// Delete a file. RFC 959 §4.1.3.
    Dele(path: Argument) = "DELE",
    /// Remove a directory. RFC 959 §4.1.3.
    Rmd(path: Argument) = "RMD",
    /// Make a directory. RFC 959 §4.1.3.
    Mkd(path: Argument) = "MKD",
    /// Print the working directory. RFC 959 §4.1.3.
    Pwd = "PWD",
    /// List for people. RFC 959 §4.1.3.
    List(path: Option<Argument>) = "LIST",
    /// List names. RFC 959 §4.1.3.
    Nlst(path: Option<Argument>) = "NLST",
    /// What only this site has; [`Site::parse`] reads the usual ones. RFC 959 §4.1.3.
    Site(command: Argument) = "SITE",
    /// The operating system. RFC 959 §4.1.3.
    Syst = "SYST",
    /// Status of the session, the transfer or a path. RFC 959 §4.1.3.
    Stat(path: Option<Argument>) = "STAT",
    /// Help. RFC 959 §4.1.3.
    Help(topic: Option<Argument>) = "HELP",
    /// Nothing. RFC 959 §4.1.3.
    Noop = "NOOP",

    /// Old form of CWD. RFC 775, RFC 1123 §4.1.3.1.
    Xcwd(path: Argument) = "XCWD",
    /// Old form of CDUP. RFC 775, RFC 1123 §4.1.3.1.
    Xcup = "XCUP",
    /// Old form of MKD. RFC 775, RFC 1123 §4.1.3.1.
    Xmkd(path: Argument) = "XMKD",
    /// Old form of RMD. RFC 775, RFC 1123 §4.1.3.1.
    Xrmd(path: Argument) = "XRMD",
    /// Old form of PWD. RFC 775, RFC 1123 §4.1.3.1.
    Xpwd = "XPWD",

    /// Address for data connections, any network. RFC 1639 §2.
    Lprt(address: LongAddress) = "LPRT",
    /// Listen, any network. RFC 1639 §3.
    Lpsv = "LPSV",

    /// The security mechanism. RFC 2228 §3, RFC 4217 §4.
    Auth(mechanism: Argument) = "AUTH",
    /// Security data, base 64. RFC 2228 §3.
    Adat(data: Argument) = "ADAT",
    /// Protection buffer size; 0 for TLS. RFC 2228 §3.
    Pbsz(bytes: u32) = "PBSZ",
    /// Protection of data connections. RFC 2228 §3.
    Prot(protection: Protection) = "PROT",
    /// Back to an unprotected control connection. RFC 2228 §3.
    Ccc = "CCC",
    /// An integrity-protected command, base 64. RFC 2228 §3.
    Mic(command: Argument) = "MIC",
    /// A confidentiality-protected command, base 64. RFC 2228 §3.
    Conf(command: Argument) = "CONF",
    /// A privacy-protected command, base 64. RFC 2228 §3.
    Enc(command: Argument) = "ENC",

    /// The features. RFC 2389 §3.
    Feat = "FEAT",
    /// Options of a command. RFC 2389 §4.
    Opts(setting: OptionSetting) = "OPTS",

    /// Address for data connections, IPv4 or IPv6. RFC 2428 §2.
    Eprt(address: ExtendedAddress) = "EPRT",
    /// Listen, and answer with the port only. RFC 2428 §3.
    Epsv(kind: ExtendedPassive) = "EPSV",

    /// Language of the texts. RFC 2640 §4.1.
    Lang(tag: Option<Argument>) = "LANG",

    /// Modification time. RFC 3659 §3. Some clients set it with a time before the path; that is left
    /// to the server.
    Mdtm(path: Argument) = "MDTM",
    /// Size as a transfer would send it. RFC 3659 §4.
    Size(path: Argument) = "SIZE",
    /// Facts about one path. RFC 3659 §7.
    Mlst(path: Option<Argument>) = "MLST",
    /// Facts about what a directory holds. RFC 3659 §7.
    Mlsd(path: Option<Argument>) = "MLSD",

    /// The host the client means. RFC 7151 §3.
    Host(host: Argument) = "HOST",

    /// Hash of a file or of the part set by RANG. HASH draft §3.
    Hash(path: Argument) = "HASH",
    /// CRC-32.
    Xcrc(checksum: Checksum) = "XCRC",
    /// MD5.
    Xmd5(checksum: Checksum) = "XMD5",
    /// MD5 of one file, another name.
    Md5(path: Argument) = "MD5",
    /// MD5 of several files.
    Mmd5(paths: Argument) = "MMD5",
    /// SHA-1, another name.
    Xsha(checksum: Checksum) = "XSHA",
    /// SHA-1.
    Xsha1(checksum: Checksum) = "XSHA1",
    /// SHA-256.
    Xsha256(checksum: Checksum) = "XSHA256",
    /// SHA-512.
    Xsha512(checksum: Checksum) = "XSHA512",
    /// Restrict the next command to a part of the file. RANG draft §3.
    Rang(range: ByteRange) = "RANG",
    /// Set the modification time. MFMT draft §3.
    Mfmt(setting: TimedPath) = "MFMT",
    /// Set the creation time. MFMT draft §4.
    Mfct(setting: TimedPath) = "MFCT",
    /// Set facts. MFMT draft §5.
    Mff(setting: FactsForPath) = "MFF",
    /// Free space. AVBL draft.
    Avbl(path: Option<Argument>) = "AVBL",
    /// Space used by a directory.
    Dsiz(path: Option<Argument>) = "DSIZ",
    /// Join files into one. COMB draft.
    Comb(paths: Argument) = "COMB",
    /// The client's name.
    Clnt(name: Argument) = "CLNT",
    /// The client's identity, and the server's in return. CSID draft.
    Csid(identity: Argument) = "CSID",

    /// Announces the command that will follow PASV, for distributed servers.
    Pret(command: Argument) = "PRET",
    /// Listen for TLS where the server dials as client. Secure FXP of RaidenFTPD, drftpd.
    Cpsv = "CPSV",
    /// Which side is the TLS client on data connections; without argument the state is asked.
    Sscn(state: Option<Switch>) = "SSCN",
    /// Listen, and answer with the port only; pure-ftpd's forerunner of EPSV.
    Spsv = "SPSV",
    /// Active-mode address asked by the client. pure-ftpd.
    Esta = "ESTA",
    /// Passive-mode address asked by the client. pure-ftpd.
    Estp = "ESTP",
    /// Remove a directory with all it holds.
    Rmda(path: Argument) = "RMDA",

    /// Mail to a user's mailbox. RFC 765; the registry of RFC 5797 calls this and the next ones "hist".
    Mail(user: Option<Argument>) = "MAIL",
    /// Mail over the data connection. RFC 765.
    Mlfl(user: Option<Argument>) = "MLFL",
    /// Mail to the terminal. RFC 765.
    Msnd(user: Option<Argument>) = "MSND",
    /// Mail to the terminal or the mailbox. RFC 765.
    Msom(user: Option<Argument>) = "MSOM",
    /// Mail to the terminal and the mailbox. RFC 765.
    Msam(user: Option<Argument>) = "MSAM",
    /// Scheme for mail to several recipients. RFC 765.
    Mrsq(scheme: Option<Argument>) = "MRSQ",
    /// A recipient. RFC 765.
    Mrcp(user: Argument) = "MRCP",
    /// MSND's forerunner. RFC 737.
    Xsen(user: Option<Argument>) = "XSEN",
    /// MSOM's forerunner. RFC 737.
    Xsem(user: Option<Argument>) = "XSEM",
    /// MSAM's forerunner. RFC 737.
    Xmas(user: Option<Argument>) = "XMAS",
}

#[cfg(test)]
mod tests;
