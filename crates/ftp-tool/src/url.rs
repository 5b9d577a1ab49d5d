//! FTP URLs: RFC 1738 §3.2 and RFC 3986, as people paste them.
//!
//! A path is relative to the directory the login leads to; `ftp://host//etc` and `%2Fetc` name an
//! absolute one. `?` belongs to the path, for FTP has no queries. Nothing that could end a command
//! line gets through: CR, LF and NUL are refused whether written plainly or as `%0D`
//! (CVE-2018-1000120). The text of a URL never shows its password.

use std::fmt;

use crate::secret::Secret;

/// Whether and when the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `ftp://`: in the clear.
    Ftp,
    /// `ftps://`: TLS from the first byte, port 990.
    Ftps,
    /// `ftpes://`: port 21, then AUTH TLS before anything is said; never in the clear.
    Ftpes,
}

impl Scheme {
    /// What stands before `://`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
            Self::Ftpes => "ftpes",
        }
    }

    /// The port when the URL names none.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Ftp | Self::Ftpes => 21,
            Self::Ftps => 990,
        }
    }

    /// Whether TLS is asked for.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        !matches!(self, Self::Ftp)
    }
}

/// The `;type=` of a URL. RFC 1738 §3.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeCode {
    /// `a`: text, line ends converted.
    Ascii,
    /// `i`: bytes as they are.
    Image,
    /// `d`: the names in a directory.
    Directory,
}

/// A server, perhaps who to be there, and a path.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// Plain or TLS.
    pub scheme: Scheme,
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// Port of the control connection.
    pub port: u16,
    /// The user, if the URL says one.
    pub user: Option<Vec<u8>>,
    /// The password, if the URL says one.
    pub password: Option<Secret>,
    /// Decoded path, without the slash that separates it from the host; empty for the login directory.
    pub path: Vec<u8>,
    /// How it is to be transferred.
    pub type_code: Option<TypeCode>,
}

/// Why a text is no FTP URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// There is no `://`.
    NoScheme,
    /// Another scheme than `ftp`, `ftps`, `ftpes`.
    OtherScheme(String),
    /// The host is missing, or has a character no host has.
    BadHost,
    /// The port is no number from 1 to 65535.
    BadPort,
    /// A `%` without two hexadecimal digits behind it.
    BadEscape,
    /// CR, LF or NUL, plain or escaped.
    Forbidden {
        /// The byte.
        byte: u8,
    },
    /// A `;type=` that is not `a`, `i` or `d`.
    BadType,
    /// A `#`: FTP has no fragments; a name with one is written `%23`.
    Fragment,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`UrlError`]; none of them repeats what might be a password.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NoScheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "ftp" => Scheme::Ftp,
            "ftps" => Scheme::Ftps,
            "ftpes" => Scheme::Ftpes,
            other => return Err(UrlError::OtherScheme(other.escape_debug().collect())),
        };
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // The last `@`: people leave those of a password unescaped.
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let (user, password) = match login {
            None => (None, None),
            Some(login) => {
                let (user, password) = match login.split_once(':') {
                    Some((user, password)) => (user, Some(password)),
                    None => (login, None),
                };
                let password = password.map(decode).transpose()?;
                (Some(decode(user)?), password.map(Secret::new))
            }
        };
        let (host, port) = split_host(place)?;
        let (path, type_code) = split_type(path)?;
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or(scheme.port()),
            user: user.filter(|user| !user.is_empty()),
            password,
            path: decode(path)?,
            type_code,
        })
    }

    /// Whether the text is meant as a URL: it has a scheme we know.
    #[must_use]
    pub fn is_url(text: &str) -> bool {
        !matches!(
            Self::parse(text),
            Err(UrlError::NoScheme | UrlError::OtherScheme(_))
        )
    }

    /// Whether the path is written as that of a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.path.is_empty() || self.path.ends_with(b"/")
    }

    /// The last component of the path, if it has one.
    #[must_use]
    pub fn file_name(&self) -> Option<&[u8]> {
        self.path
            .rsplit(|byte| *byte == b'/')
            .next()
            .filter(|name| !name.is_empty())
    }

    /// The same server, another path.
    #[must_use]
    pub fn at(&self, path: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            type_code: None,
            ..self.clone()
        }
    }
}

impl fmt::Display for Url {
    /// A URL that leads to the same place, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name())?;
        if let Some(user) = &self.user {
            write!(f, "{}@", Encoded(user, b""))?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host.replace('%', "%25"))?;
        } else {
            f.write_str(&self.host)?;
        }
        if self.port != self.scheme.port() {
            write!(f, ":{}", self.port)?;
        }
        write!(f, "/{}", Encoded(&self.path, b"/"))?;
        match self.type_code {
            None => Ok(()),
            Some(TypeCode::Ascii) => f.write_str(";type=a"),
            Some(TypeCode::Image) => f.write_str(";type=i"),
            Some(TypeCode::Directory) => f.write_str(";type=d"),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScheme => f.write_str("not a URL; one begins with ftp://, ftps:// or ftpes://"),
            Self::OtherScheme(scheme) => write!(
                f,
                "{scheme}:// is not spoken here; ftp://, ftps:// and ftpes:// are"
            ),
            Self::BadHost => f.write_str("the URL has no usable host name"),
            Self::BadPort => f.write_str("the port of the URL is no number from 1 to 65535"),
            Self::BadEscape => {
                f.write_str("a % of the URL is not followed by two hexadecimal digits")
            }
            Self::Forbidden { byte } => write!(
                f,
                "byte {byte:#04x} cannot stand in an FTP command, escaped or not"
            ),
            Self::BadType => f.write_str("the ;type= of the URL is not a, i or d"),
            Self::Fragment => f.write_str("FTP URLs have no #part; write a # of a name as %23"),
        }
    }
}

impl std::error::Error for UrlError {}

fn split_host(place: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(UrlError::BadHost)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port),
            None if rest.is_empty() => None,
            None => return Err(UrlError::BadHost),
        };
        // RFC 6874: the `%` before a zone is escaped.
        let host = host.replace("%25", "%");
        if !host.contains(':') {
            return Err(UrlError::BadHost);
        }
        (host, port)
    } else {
        match place.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (place.to_owned(), None),
        }
    };
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '@' | '/' | '\\');
    if host.is_empty() || host.contains(odd) {
        return Err(UrlError::BadHost);
    }
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(0) | Err(_) => return Err(UrlError::BadPort),
            Ok(port) => Some(port),
        },
        Some(_) => return Err(UrlError::BadPort),
    };
    Ok((host, port))
}

/// Takes a `;type=X` off the end. Another `;` belongs to the name.
fn split_type(path: &str) -> Result<(&str, Option<TypeCode>), UrlError> {
    let Some((before, value)) = path.rsplit_once(';').and_then(|(before, parameter)| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("type").then_some((before, value))
    }) else {
        return Ok((path, None));
    };
    let code = match value {
        "a" | "A" => TypeCode::Ascii,
        "i" | "I" => TypeCode::Image,
        "d" | "D" => TypeCode::Directory,
        _ => return Err(UrlError::BadType),
    };
    Ok((before, Some(code)))
}

/// Undoes percent-encoding; refuses what would end a command line.
fn decode(text: &str) -> Result<Vec<u8>, UrlError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let high = bytes.next().and_then(hex).ok_or(UrlError::BadEscape)?;
            let low = bytes.next().and_then(hex).ok_or(UrlError::BadEscape)?;
            high << 4 | low
        } else {
            byte
        };
        if matches!(byte, b'\r' | b'\n' | 0) {
            return Err(UrlError::Forbidden { byte });
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Percent-encodes all but unreserved characters and those listed.
struct Encoded<'a>(&'a [u8], &'a [u8]);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes, also) = self;
        for &byte in *bytes {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_parts_are_told_apart() {
        let all = url("FTPES://anna:s%40cret@ftp.example.org:2121/pub/a%20b;x;type=A");
        assert_eq!(all.scheme, Scheme::Ftpes);
        assert_eq!(all.host, "ftp.example.org");
        assert_eq!(all.port, 2121);
        assert_eq!(all.user.as_deref(), Some(&b"anna"[..]));
        assert_eq!(all.password.as_ref().unwrap().expose(), b"s@cret");
        assert_eq!(all.path, b"pub/a b;x");
        assert_eq!(all.type_code, Some(TypeCode::Ascii));
        assert_eq!(all.file_name(), Some(&b"a b;x"[..]));
    }

    #[test]
    fn ports_follow_the_scheme() {
        assert_eq!(url("ftp://h").port, 21);
        assert_eq!(url("ftps://h").port, 990);
        assert_eq!(url("ftpes://h:/").port, 21);
        for bad in ["ftp://h:0/", "ftp://h:65536/", "ftp://h:+1/", "ftp://h:x/"] {
            assert_eq!(Url::parse(bad), Err(UrlError::BadPort), "{bad}");
        }
    }

    #[test]
    fn addresses_of_ipv6_stand_in_brackets() {
        assert_eq!(url("ftp://[::1]:2121/x").host, "::1");
        assert_eq!(url("ftp://[fe80::1%25eth0]/x").host, "fe80::1%eth0");
        for bad in [
            "ftp://[::1",
            "ftp://[::1]x",
            "ftp://[host]/",
            "ftp:///x",
            "ftp://a b/",
        ] {
            assert_eq!(Url::parse(bad), Err(UrlError::BadHost), "{bad}");
        }
    }

    #[test]
    fn a_double_slash_makes_the_path_absolute() {
        assert_eq!(url("ftp://h/etc/motd").path, b"etc/motd");
        assert_eq!(url("ftp://h//etc/motd").path, b"/etc/motd");
        assert_eq!(url("ftp://h/%2Fetc/motd").path, b"/etc/motd");
        assert_eq!(url("ftp://h/a?b=c").path, b"a?b=c");
        assert!(url("ftp://h").is_directory() && url("ftp://h/a/").is_directory());
    }

    #[test]
    fn what_ends_a_command_line_is_refused_however_it_is_written() {
        for (text, byte) in [
            ("ftp://h/a%0d%0aDELE%20x", b'\r'),
            ("ftp://h/a%0A", b'\n'),
            ("ftp://h/a%00.txt", 0),
            ("ftp://h/a\nb", b'\n'),
            ("ftp://us%0aer@h/", b'\n'),
            ("ftp://u:p%0d@h/", b'\r'),
        ] {
            assert_eq!(
                Url::parse(text),
                Err(UrlError::Forbidden { byte }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn mistakes_have_names() {
        assert_eq!(Url::parse("host/x"), Err(UrlError::NoScheme));
        assert!(matches!(
            Url::parse("http://h/"),
            Err(UrlError::OtherScheme(_))
        ));
        assert_eq!(Url::parse("ftp://h/%zz"), Err(UrlError::BadEscape));
        assert_eq!(Url::parse("ftp://h/%e"), Err(UrlError::BadEscape));
        assert_eq!(Url::parse("ftp://h/x;type=e"), Err(UrlError::BadType));
        assert_eq!(Url::parse("ftp://h/x#y"), Err(UrlError::Fragment));
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = url("ftp://anna:hunter2@h/x");
        assert_eq!(url.to_string(), "ftp://anna@h/x");
        assert!(!format!("{url:?}").contains("hunter2"));
        for bad in [
            "ftp://anna:hunter2@h:x/",
            "ftp://anna:hunter2@/",
            "anna:hunter2@h",
        ] {
            assert!(!Url::parse(bad).unwrap_err().to_string().contains("hunter2"));
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(
            user in prop::option::of("[a-z@:%]{1,8}"),
            path in prop::collection::vec(1_u8..=255, 0..20),
            port in 1_u16..,
        ) {
            prop_assume!(!path.contains(&b'\r') && !path.contains(&b'\n'));
            let url = Url {
                scheme: Scheme::Ftps,
                host: "::1".to_owned(),
                port,
                user: user.map(String::into_bytes),
                password: None,
                path,
                type_code: Some(TypeCode::Image),
            };
            prop_assert_eq!(Url::parse(&url.to_string()), Ok(url));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", rest in "[%#;:@/\\[\\]a-f0-9]{0,40}") {
            Url::parse(&text).ok();
            Url::parse(&format!("ftp://{rest}")).ok();
        }
    }
}
