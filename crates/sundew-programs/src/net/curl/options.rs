//! curl's command line.

use std::time::Duration;

/// What is asked of curl.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) urls: Vec<Vec<u8>>,
    pub(super) outputs: Vec<Vec<u8>>,
    pub(super) remote_name: bool,
    pub(super) silent: bool,
    pub(super) show_error: bool,
    pub(super) fail: bool,
    pub(super) follow: bool,
    pub(super) include: bool,
    pub(super) head: bool,
    pub(super) verbose: bool,
    pub(super) create_directories: bool,
    pub(super) agent: Option<Vec<u8>>,
    pub(super) headers: Vec<u8>,
    pub(super) data: Option<Vec<u8>>,
    pub(super) method: Option<Vec<u8>>,
    pub(super) write_out: Option<Vec<u8>>,
    /// `-k`.
    pub(super) insecure: bool,
    /// `-G`: the data goes into the URL.
    pub(super) data_in_url: bool,
    /// `-T`.
    pub(super) upload: Option<Vec<u8>>,
    /// `-x`: host and port.
    pub(super) proxy: Option<(Vec<u8>, u16)>,
    /// `-m`.
    pub(super) max_time: Option<Duration>,
    /// `--connect-timeout`.
    pub(super) connect_timeout: Option<Duration>,
    /// Pieces of `-d` in order: text, or `@` and a file's name.
    pub(super) pieces: Vec<Piece>,
    /// `-K` files that are to be read first.
    pub(super) configs: Vec<Vec<u8>>,
}

/// One `-d`.
#[derive(Debug)]
pub(super) struct Piece {
    /// What was given.
    pub(super) text: Vec<u8>,
    /// Whether `@name` means a file.
    pub(super) may_be_file: bool,
    /// Whether line ends of a file stay.
    pub(super) binary: bool,
}

/// What is wrong with an option's value.
const NO_NUMBER: &str = "expected a proper numerical parameter";
/// Port of a proxy for which none is given.
const PROXY_PORT: u16 = 1080;

/// What reading it leads to.
pub(super) enum Read {
    Run(Box<Options>),
    Print(&'static [u8]),
    Refuse(Option<Vec<u8>>),
}

/// Letter, name, whether it takes a value.
const TABLE: &[(u8, &str, bool)] = &[
    (b'o', "output", true),
    (b'O', "remote-name", false),
    (b's', "silent", false),
    (b'S', "show-error", false),
    (b'f', "fail", false),
    (b'L', "location", false),
    (b'i', "include", false),
    (b'I', "head", false),
    (b'v', "verbose", false),
    (b'k', "insecure", false),
    (b'A', "user-agent", true),
    (b'H', "header", true),
    (b'd', "data", true),
    (b'X', "request", true),
    (b'w', "write-out", true),
    (b'm', "max-time", true),
    (b'u', "user", true),
    (b'x', "proxy", true),
    (b'e', "referer", true),
    (b'b', "cookie", true),
    (b'c', "cookie-jar", true),
    (b'T', "upload-file", true),
    (b'F', "form", true),
    (b'C', "continue-at", true),
    (b'r', "range", true),
    (b'4', "ipv4", false),
    (b'6', "ipv6", false),
    (b'#', "progress-bar", false),
    (b'N', "no-buffer", false),
    (b'J', "remote-header-name", false),
    (b'R', "remote-time", false),
    (b'g', "globoff", false),
    (b'h', "help", false),
    (b'V', "version", false),
    (b'G', "get", false),
    (b'a', "append", false),
    (b'K', "config", true),
    (b'q', "disable", false),
    (b'0', "http1.0", false),
    (b'1', "tlsv1", false),
    (b'2', "sslv2", false),
    (b'3', "sslv3", false),
    (b'p', "proxytunnel", false),
    (b'y', "speed-time", true),
    (b'Y', "speed-limit", true),
    (b'z', "time-cond", true),
    (0, "connect-timeout", true),
    (0, "retry", true),
    (0, "retry-delay", true),
    (0, "retry-max-time", true),
    (0, "url", true),
    (0, "create-dirs", false),
    (0, "data-binary", true),
    (0, "data-raw", true),
    (0, "data-ascii", true),
    (0, "proxy-insecure", false),
    (0, "silent", false),
    (0, "preproxy", true),
    (0, "ssl", false),
    (0, "noproxy", true),
    (0, "globoff", false),
    (0, "dns-servers", true),
    (0, "ciphers", true),
    (0, "capath", true),
    (0, "key", true),
    (0, "remove-on-error", false),
    (0, "no-clobber", false),
    (0, "remote-name-all", false),
    (0, "remote-time", false),
    (0, "show-headers", false),
    (0, "tcp-nodelay", false),
    (0, "trace", true),
    (0, "trace-ascii", true),
    (0, "compressed", false),
    (0, "max-redirs", true),
    (0, "interface", true),
    (0, "limit-rate", true),
    (0, "output-dir", true),
    (0, "resolve", true),
    (0, "proto", true),
    (0, "tlsv1.2", false),
    (0, "tlsv1.3", false),
    (0, "cacert", true),
    (0, "cert", true),
    (0, "socks5", true),
    (0, "socks5-hostname", true),
    (0, "fail-with-body", false),
    (0, "no-progress-meter", false),
    (0, "retry-connrefused", false),
    (0, "http1.1", false),
    (0, "http2", false),
    (0, "doh-url", true),
    (0, "keepalive-time", true),
    (0, "stderr", true),
    (0, "path-as-is", false),
];

impl Options {
    pub(super) fn read(args: &[Vec<u8>]) -> Read {
        let mut options = Self::default();
        let mut words = args.iter().skip(1).cloned().collect::<Vec<_>>().into_iter();
        let mut only_urls = false;
        while let Some(word) = words.next() {
            if only_urls || !word.starts_with(b"-") || word == b"-" {
                options.urls.push(word);
                continue;
            }
            if word == b"--" {
                only_urls = true;
                continue;
            }
            if let Some(name) = word.strip_prefix(b"--") {
                let (name, negated) = (
                    name.strip_prefix(b"no-").unwrap_or(name),
                    name.starts_with(b"no-"),
                );
                let row = TABLE
                    .iter()
                    .find(|row| row.1.as_bytes() == name)
                    .or_else(|| TABLE.iter().find(|row| row.1.as_bytes().starts_with(name)));
                let Some(row) = row.or_else(|| {
                    TABLE
                        .iter()
                        .find(|row| negated && row.1 == "no-progress-meter")
                }) else {
                    return Read::Refuse(Some(
                        [b"option ".as_slice(), &word, b": is unknown"].concat(),
                    ));
                };
                let value = if row.2 {
                    words.next()
                } else {
                    Some(Vec::new())
                };
                let Some(value) = value else {
                    return Read::Refuse(Some(
                        [b"option ".as_slice(), &word, b": requires parameter"].concat(),
                    ));
                };
                match options.apply(row.1, value) {
                    Ok(None) => {}
                    Ok(Some(text)) => return Read::Print(text),
                    Err(reason) => return refuse_value(&word, reason),
                }
                continue;
            }
            let letters = word.get(1..).unwrap_or_default();
            for (at, letter) in letters.iter().enumerate() {
                let Some(row) = TABLE.iter().find(|row| row.0 == *letter) else {
                    return Read::Refuse(Some(
                        [b"option ".as_slice(), &word, b": is unknown"].concat(),
                    ));
                };
                let rest = letters.get(at + 1..).unwrap_or_default();
                let value = match (row.2, rest.is_empty()) {
                    (false, _) => Some(Vec::new()),
                    (true, false) => Some(rest.to_vec()),
                    (true, true) => words.next(),
                };
                let Some(value) = value else {
                    return Read::Refuse(Some(
                        [b"option ".as_slice(), &word, b": requires parameter"].concat(),
                    ));
                };
                match options.apply(row.1, value) {
                    Ok(None) => {}
                    Ok(Some(text)) => return Read::Print(text),
                    Err(reason) => return refuse_value(&word, reason),
                }
                if row.2 {
                    break;
                }
            }
        }
        if options.urls.is_empty() {
            let named = args.len() > 1;
            return Read::Refuse(named.then(|| b"no URL specified!".to_vec()));
        }
        Read::Run(Box::new(options))
    }

    fn apply(&mut self, name: &str, value: Vec<u8>) -> Result<Option<&'static [u8]>, &'static str> {
        match name {
            "help" => return Ok(Some(include_bytes!("help.txt"))),
            "version" => return Ok(Some(include_bytes!("version.txt"))),
            "output" => self.outputs.push(value),
            "remote-name" => self.remote_name = true,
            "silent" | "no-progress-meter" => self.silent = true,
            "show-error" => self.show_error = true,
            "fail" => self.fail = true,
            "location" => self.follow = true,
            "include" => self.include = true,
            "head" => self.head = true,
            "verbose" => self.verbose = true,
            "create-dirs" => self.create_directories = true,
            "user-agent" => self.agent = Some(value),
            "request" => {
                self.method = Some(value.into_iter().filter(u8::is_ascii_graphic).collect())
            }
            "header" => self.headers.extend(
                value
                    .into_iter()
                    .filter(|byte| !b"\r\n".contains(byte))
                    .chain(*b"\r\n"),
            ),
            "data" | "data-ascii" | "data-binary" | "data-raw" => {
                self.data = Some(Vec::new());
                self.pieces.push(Piece {
                    text: value,
                    may_be_file: name != "data-raw",
                    binary: name == "data-binary",
                });
            }
            "insecure" => self.insecure = true,
            "get" => self.data_in_url = true,
            "upload-file" => self.upload = Some(value),
            "config" => self.configs.push(value),
            "max-time" => self.max_time = Some(seconds(&value)?),
            "connect-timeout" => self.connect_timeout = Some(seconds(&value)?),
            "proxy" | "socks5" | "socks5-hostname" => self.proxy = proxy(&value),
            "user" => {
                use base64::Engine as _;
                let text = base64::engine::general_purpose::STANDARD.encode(&value);
                let line = format!("Authorization: Basic {text}\r\n");
                self.headers.extend(line.into_bytes());
            }
            "referer" => self.add_header(b"Referer", &value),
            "cookie" if value.contains(&b'=') => self.add_header(b"Cookie", &value),
            "range" => self.add_header(b"Range", &[b"bytes=".as_slice(), &value].concat()),
            "compressed" => self.add_header(b"Accept-Encoding", b"deflate, gzip, br, zstd"),
            "write-out" => self.write_out = Some(value),
            "url" => self.urls.push(value),
            _ => {}
        }
        Ok(None)
    }

    fn add_header(&mut self, name: &[u8], value: &[u8]) {
        let value = value.iter().copied().filter(|byte| !b"\r\n".contains(byte));
        self.headers.extend(name.iter().copied().chain(*b": "));
        self.headers.extend(value.chain(*b"\r\n"));
    }
}

fn refuse_value(word: &[u8], reason: &str) -> Read {
    let text = [b"option ".as_slice(), word, b": ", reason.as_bytes()].concat();
    Read::Refuse(Some(text))
}

/// A number of seconds, possibly with a fraction.
fn seconds(value: &[u8]) -> Result<Duration, &'static str> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<f64>().ok())
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or(NO_NUMBER)
}

/// `[scheme://][user@]host[:port]`.
fn proxy(value: &[u8]) -> Option<(Vec<u8>, u16)> {
    let text = std::str::from_utf8(value).ok()?;
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split('/').next()?;
    let text = text.rsplit('@').next()?;
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, PROXY_PORT),
    };
    (!host.is_empty()).then(|| (host.as_bytes().to_vec(), port))
}
