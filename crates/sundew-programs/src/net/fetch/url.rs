//! The parts of a URL that a download needs: RFC 3986, read as leniently as wget and curl do.

/// How to speak to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    Ftp,
    Tftp,
}

/// A URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// The whole, with its scheme.
    pub(crate) text: Vec<u8>,
    pub(crate) scheme: Scheme,
    /// Before `@`.
    pub(crate) userinfo: Option<Vec<u8>>,
    /// Without port and brackets.
    pub(crate) host: Vec<u8>,
    pub(crate) port: u16,
    /// Whether the port was written.
    pub(crate) has_port: bool,
    /// From the slash on, the query with it.
    pub(crate) path: Vec<u8>,
}

/// Why a text is no URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// Another scheme than ours.
    Scheme(Vec<u8>),
    /// The port is no number.
    Port,
    /// No host.
    Host,
}

impl Url {
    /// Takes a URL apart; without a scheme it is `http`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, UrlError> {
        let (scheme, rest) = match text.windows(3).position(|window| window == b"://") {
            Some(at) => {
                let (name, rest) = text.split_at(at);
                let scheme = match name.to_ascii_lowercase().as_slice() {
                    b"http" => Scheme::Http,
                    b"https" => Scheme::Https,
                    b"ftp" => Scheme::Ftp,
                    b"tftp" => Scheme::Tftp,
                    _ => return Err(UrlError::Scheme(name.to_vec())),
                };
                (scheme, rest.get(3..).unwrap_or_default())
            }
            None => (Scheme::Http, text),
        };
        let rest = rest.split(|&byte| byte == b'#').next().unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?'))
            .unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (userinfo, place) = match authority.iter().rposition(|&byte| byte == b'@') {
            Some(at) => (
                authority.get(..at).map(<[u8]>::to_vec),
                authority.get(at + 1..).unwrap_or_default(),
            ),
            None => (None, authority),
        };
        let (host, port) = split_port(place)?;
        if host.is_empty() || host.iter().any(|&byte| byte <= b' ' || byte == 127) {
            return Err(UrlError::Host);
        }
        // A line break in the path would be a second header.
        let mut path: Vec<u8> = path
            .iter()
            .filter(|&&byte| byte > b' ' && byte != 127)
            .copied()
            .collect();
        if !path.starts_with(b"/") {
            path.insert(0, b'/');
        }
        let usual = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Ftp => 21,
            Scheme::Tftp => 69,
        };
        let text = if text.windows(3).any(|window| window == b"://") {
            text.to_vec()
        } else {
            [b"http://".as_slice(), text].concat()
        };
        // As wget and curl show it: a host alone has a slash behind it.
        let text = if end == rest.len() && !text.ends_with(b"/") {
            [text.as_slice(), b"/"].concat()
        } else {
            text
        };
        Ok(Self {
            text,
            scheme,
            userinfo,
            host,
            port: port.unwrap_or(usual),
            has_port: port.is_some_and(|port| port != usual),
            path,
        })
    }

    /// Where a `Location` leads from here.
    pub(crate) fn join(&self, location: &[u8]) -> Result<Self, UrlError> {
        if location.windows(3).any(|window| window == b"://") {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix(b"//") {
            return Self::parse(&[self.scheme.name().as_bytes(), b"://", rest].concat());
        }
        let base = [self.scheme.name().as_bytes(), b"://", &self.authority()].concat();
        if location.starts_with(b"/") {
            return Self::parse(&[base.as_slice(), location].concat());
        }
        let end = self
            .path
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |at| at + 1);
        Self::parse(
            &[
                base.as_slice(),
                self.path.get(..end).unwrap_or(b"/"),
                location,
            ]
            .concat(),
        )
    }

    /// The whole with its password starred, as wget shows it.
    pub(crate) fn hidden(&self) -> Vec<u8> {
        let info = self.userinfo.as_deref().unwrap_or_default();
        let Some(colon) = info.iter().position(|&byte| byte == b':') else {
            return self.text.clone();
        };
        let user = info.get(..colon).unwrap_or_default();
        [
            self.scheme.name().as_bytes(),
            b"://",
            user,
            b":*password*@",
            &self.authority(),
            &self.path,
        ]
        .concat()
    }

    /// The path up to and with its last slash.
    pub(crate) fn folder(&self) -> &[u8] {
        let path = self.path.split(|&byte| byte == b'?').next();
        let path = path.unwrap_or_default();
        let end = path.iter().rposition(|&byte| byte == b'/');
        path.get(..=end.unwrap_or(0)).unwrap_or(b"/")
    }

    /// The same without `.` and `..`.
    pub(crate) fn plain(mut self) -> Self {
        let (path, query) = match self.path.iter().position(|&byte| byte == b'?') {
            Some(at) => self.path.split_at(at),
            None => (self.path.as_slice(), b"".as_slice()),
        };
        let mut parts: Vec<&[u8]> = Vec::new();
        let is_folder = path.ends_with(b"/") || path.ends_with(b"/..") || path.ends_with(b"/.");
        for part in path.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                other => parts.push(other),
            }
        }
        let mut plain = [b"/".as_slice(), &parts.join(&b'/')].concat();
        if is_folder && !parts.is_empty() {
            plain.push(b'/');
        }
        plain.extend_from_slice(query);
        let start = [self.scheme.name().as_bytes(), b"://", &self.authority()].concat();
        self.text = [start, plain.clone()].concat();
        self.path = plain;
        self
    }

    /// `host[:port]`, as in a `Host:` header.
    pub(crate) fn authority(&self) -> Vec<u8> {
        let mut out = if self.host.contains(&b':') {
            [b"[".as_slice(), &self.host, b"]"].concat()
        } else {
            self.host.clone()
        };
        if self.has_port {
            out.extend(format!(":{}", self.port).into_bytes());
        }
        out
    }

    /// The last part of the path without the query; empty for a directory.
    pub(crate) fn file_name(&self) -> Vec<u8> {
        let path = self
            .path
            .split(|&byte| byte == b'?')
            .next()
            .unwrap_or_default();
        path.rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default()
            .to_vec()
    }
}

impl Scheme {
    /// HTTP, secured or not.
    pub(crate) fn is_web(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ftp => "ftp",
            Self::Tftp => "tftp",
        }
    }
}

/// `%41` as `A`; a per cent sign without two digits stays.
pub(crate) fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let value = digits
            .filter(|_| first == b'%')
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        if value.is_some() {
            rest = after.get(2..).unwrap_or_default();
        }
        out.push(value.unwrap_or(first));
    }
    out
}

fn split_port(place: &[u8]) -> Result<(Vec<u8>, Option<u16>), UrlError> {
    let (host, port) = if let Some(rest) = place.strip_prefix(b"[") {
        let end = rest
            .iter()
            .position(|&byte| byte == b']')
            .ok_or(UrlError::Host)?;
        let (host, rest) = rest.split_at(end);
        (host, rest.get(1..).unwrap_or_default().strip_prefix(b":"))
    } else {
        match place.iter().position(|&byte| byte == b':') {
            Some(at) => (place.get(..at).unwrap_or_default(), place.get(at + 1..)),
            None => (place, None),
        }
    };
    let port = match port {
        None | Some(b"") => None,
        Some(digits) => {
            let text = std::str::from_utf8(digits).map_err(|_| UrlError::Port)?;
            Some(text.parse().map_err(|_| UrlError::Port)?)
        }
    };
    Ok((host.to_vec(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = Url::parse(b"http://u:p@1.2.3.4:8080/a/b.sh?x#y").unwrap();
        assert_eq!(
            (url.host.as_slice(), url.port, url.path.as_slice()),
            (b"1.2.3.4".as_slice(), 8080, b"/a/b.sh?x".as_slice())
        );
        assert_eq!(url.file_name(), b"b.sh");
        assert_eq!(url.userinfo.as_deref(), Some(b"u:p".as_slice()));
        let url = Url::parse(b"example.org").unwrap();
        assert_eq!(
            (url.text.as_slice(), url.path.as_slice(), url.port),
            (b"http://example.org/".as_slice(), b"/".as_slice(), 80)
        );
        assert_eq!(Url::parse(b"[::1]:81/x").unwrap().authority(), b"[::1]:81");
        assert_eq!(
            Url::parse(b"gopher://x/"),
            Err(UrlError::Scheme(b"gopher".to_vec()))
        );
        assert_eq!(Url::parse(b"http:///x"), Err(UrlError::Host));
        assert_eq!(Url::parse(b"http://h:99999/"), Err(UrlError::Port));
    }

    #[test]
    fn a_location_is_read_from_where_one_is() {
        let url = Url::parse(b"http://h:81/a/b").unwrap();
        assert_eq!(url.join(b"c").unwrap().text, b"http://h:81/a/c");
        assert_eq!(url.join(b"/c").unwrap().text, b"http://h:81/c");
        assert_eq!(url.join(b"//g/c").unwrap().text, b"http://g/c");
        assert_eq!(url.join(b"https://g/").unwrap().scheme, Scheme::Https);
    }

    #[test]
    fn a_path_cannot_smuggle_a_line() {
        assert_eq!(Url::parse(b"http://h/a\r\nX: y").unwrap().path, b"/aX:y");
    }
}
