//! curl's command line.

use std::time::Duration;

/// What is asked of curl.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) urls: Vec<Vec<u8>>,
    /// `-o` and `-O`, each for the URL of the same number.
    pub(super) outputs: Vec<Output>,
    pub(super) remote_name_all: bool,
    /// `--output-dir`.
    pub(super) output_directory: Option<Vec<u8>>,
    /// `-J`.
    pub(super) server_names: bool,
    /// `-R`.
    pub(super) remote_time: bool,
    /// `-C`: at which byte, or where the file ends.
    pub(super) go_on: Option<Option<u64>>,
    /// `-D`.
    pub(super) dump_header: Option<Vec<u8>>,
    pub(super) fail_with_body: bool,
    pub(super) max_redirects: Option<u32>,
    pub(super) retry: u32,
    /// In seconds.
    pub(super) retry_delay: Option<u64>,
    pub(super) retry_refused: bool,
    pub(super) retry_all: bool,
    /// `-F`.
    pub(super) forms: Vec<Vec<u8>>,
    pub(super) content_type: Option<Vec<u8>>,
    pub(super) json: bool,
    pub(super) user: Option<Vec<u8>>,
    pub(super) range: Option<Vec<u8>>,
    pub(super) referer: Option<Vec<u8>>,
    pub(super) cookie: Option<Vec<u8>>,
    pub(super) since: Option<Vec<u8>>,
    pub(super) compressed: bool,
    pub(super) silent: bool,
    /// `-#`.
    pub(super) bar: bool,
    pub(super) show_error: bool,
    pub(super) fail: bool,
    pub(super) follow: bool,
    pub(super) include: bool,
    pub(super) head: bool,
    pub(super) verbose: bool,
    pub(super) create_directories: bool,
    pub(super) agent: Option<Vec<u8>>,
    /// `-H`, as given.
    headers: Vec<Vec<u8>>,
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

/// Where one body goes.
#[derive(Debug, Clone)]
pub(super) enum Output {
    /// `-o`.
    Name(Vec<u8>),
    /// `-O`: named as the URL's end.
    Remote,
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
    /// Whether it follows the one before without `&`.
    pub(super) json: bool,
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
    (b'D', "dump-header", true),
    (b'Z', "parallel", false),
    (b'l', "list-only", false),
    (b'Q', "quote", true),
    (b'P', "ftp-port", true),
    (b'E', "cert", true),
    (b't', "telnet-option", true),
    (b'U', "proxy-user", true),
    (b'n', "netrc", false),
    (b'j', "junk-session-cookies", false),
    (b'B', "use-ascii", false),
    (0, "json", true),
    (0, "data-urlencode", true),
    (0, "retry-all-errors", false),
    (0, "ftp-pasv", false),
    (0, "disable-epsv", false),
    (0, "max-filesize", true),
    (0, "basic", false),
    (0, "digest", false),
    (0, "anyauth", false),
    (0, "socks4", true),
    (0, "socks4a", true),
    (0, "location-trusted", false),
    (0, "progress-meter", false),
    (0, "form-string", true),
    (0, "tftp-blksize", true),
    (0, "http0.9", false),
    (0, "happy-eyeballs-timeout-ms", true),
    (0, "unix-socket", true),
    (0, "local-port", true),
    (0, "proto-redir", true),
    (0, "connect-to", true),
    (0, "trace-time", false),
    (0, "styled-output", false),
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
    #[expect(
        clippy::too_many_lines,
        reason = "one command line and what it leads to, read top-down"
    )]
    pub(super) fn read(args: &[Vec<u8>]) -> Read {
        let mut options = Self::default();
        let mut words = args.iter().skip(1).cloned().collect::<Vec<_>>().into_iter();
        let mut only_urls = false;
        while let Some(word) = words.next() {
            if only_urls || !word.starts_with(b"-") {
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
                if row.1 == "help" {
                    return Read::Print(help(words.next().as_deref()));
                }
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
            if letters.is_empty() {
                return Read::Refuse(Some(b"option -: is unknown".to_vec()));
            }
            for (at, letter) in letters.iter().enumerate() {
                let Some(row) = TABLE.iter().find(|row| row.0 == *letter) else {
                    return Read::Refuse(Some(
                        [b"option ".as_slice(), &word, b": is unknown"].concat(),
                    ));
                };
                let rest = letters.get(at + 1..).unwrap_or_default();
                if row.1 == "help" {
                    return Read::Print(help(words.next().as_deref()));
                }
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
        if options.urls.is_empty() && options.configs.is_empty() {
            let named = args.len() > 1;
            return Read::Refuse(named.then(|| b"no URL specified!".to_vec()));
        }
        Read::Run(Box::new(options))
    }

    fn apply(&mut self, name: &str, value: Vec<u8>) -> Result<Option<&'static [u8]>, &'static str> {
        match name {
            "version" => return Ok(Some(include_bytes!("version.txt"))),
            "silent" | "no-progress-meter" => self.silent = true,
            "show-error" => self.show_error = true,
            "fail" => self.fail = true,
            "location" | "location-trusted" => self.follow = true,
            "include" => self.include = true,
            "head" => self.head = true,
            "verbose" => self.verbose = true,
            "progress-bar" => self.bar = true,
            "create-dirs" => self.create_directories = true,
            "user-agent" => self.agent = Some(value),
            "request" => {
                self.method = Some(value.into_iter().filter(u8::is_ascii_graphic).collect())
            }
            "header" => self.headers.push(
                value
                    .into_iter()
                    .filter(|byte| !b"\r\n".contains(byte))
                    .collect(),
            ),
            "json" => {
                self.json = true;
                self.data = Some(Vec::new());
                self.pieces.push(Piece {
                    text: value,
                    may_be_file: true,
                    binary: true,
                    json: true,
                });
            }
            "data-urlencode" => {
                self.data = Some(Vec::new());
                self.pieces.push(Piece {
                    text: url_encoded(&value),
                    may_be_file: false,
                    binary: false,
                    json: false,
                });
            }
            "data" | "data-ascii" | "data-binary" | "data-raw" => {
                self.data = Some(Vec::new());
                self.pieces.push(Piece {
                    text: value,
                    may_be_file: name != "data-raw",
                    binary: name == "data-binary",
                    json: false,
                });
            }
            "insecure" => self.insecure = true,
            "get" => self.data_in_url = true,
            "upload-file" => self.upload = Some(value),
            "config" => self.configs.push(value),
            "max-time" => self.max_time = Some(seconds(&value)?),
            "connect-timeout" => self.connect_timeout = Some(seconds(&value)?),
            "proxy" | "socks5" | "socks5-hostname" => self.proxy = proxy(&value),
            "user" => self.user = Some(value),
            "referer" => self.referer = Some(value),
            "cookie" if value.contains(&b'=') => self.cookie = Some(value),
            "range" => self.range = Some(value),
            "compressed" => self.compressed = true,
            "write-out" => self.write_out = Some(value),
            "url" => self.urls.push(value),
            _ => self.apply_files(name, value)?,
        }
        Ok(None)
    }

    /// What is said of files, tries and the like.
    fn apply_files(&mut self, name: &str, value: Vec<u8>) -> Result<(), &'static str> {
        match name {
            "output" => self.outputs.push(Output::Name(value)),
            "remote-name" => self.outputs.push(Output::Remote),
            "remote-name-all" => self.remote_name_all = true,
            "output-dir" => self.output_directory = Some(value),
            "remote-header-name" => self.server_names = true,
            "remote-time" => self.remote_time = true,
            "continue-at" if value == b"-" => self.go_on = Some(None),
            "continue-at" => self.go_on = Some(Some(number(&value)?)),
            "dump-header" => self.dump_header = Some(value),
            "fail-with-body" => (self.fail, self.fail_with_body) = (true, true),
            "max-redirs" => self.max_redirects = number(&value)?.try_into().ok(),
            "retry" => self.retry = number(&value)?.try_into().unwrap_or(u32::MAX),
            "retry-delay" => self.retry_delay = Some(number(&value)?),
            "retry-connrefused" => self.retry_refused = true,
            "retry-all-errors" => self.retry_all = true,
            "form" | "form-string" => self.forms.push(value),
            "time-cond" => self.since = Some(value),
            _ => {}
        }
        Ok(())
    }

    /// What `-H` says instead of a header of curl's own; empty if it is to be left out.
    pub(super) fn replaced(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find_map(|line| {
            let at = line.iter().position(|byte| matches!(byte, b':' | b';'))?;
            let (key, value) = line.split_at(at);
            key.eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.get(1..).unwrap_or_default().trim_ascii())
        })
    }

    /// The headers of `-H` that are sent, but for the host's, which has its place.
    pub(super) fn custom(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for line in &self.headers {
            let Some(at) = line.iter().position(|byte| matches!(byte, b':' | b';')) else {
                continue;
            };
            let (key, value) = line.split_at(at);
            let bare = value == b";";
            if key.eq_ignore_ascii_case(b"host") || value.trim_ascii() == b":" {
                continue;
            }
            if bare {
                out.extend([key, b":\r\n"].concat());
            } else {
                out.extend([line.as_slice(), b"\r\n"].concat());
            }
        }
        out
    }

    /// Options out of a file: a line each, `name = value` or as on a command line; what is wrong.
    pub(super) fn read_config(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let ends = |byte: &u8| matches!(byte, b'=' | b':') || byte.is_ascii_whitespace();
            let at = line.iter().position(ends).unwrap_or(line.len());
            let (name, value) = line.split_at(at);
            let value = value.trim_ascii_start();
            let value = value
                .strip_prefix(b"=")
                .or_else(|| value.strip_prefix(b":"))
                .unwrap_or(value);
            let value = value.trim_ascii();
            let value = value.strip_prefix(b"\"").map_or(value, |inner| {
                inner.split(|&byte| byte == b'"').next().unwrap_or_default()
            });
            let long = name.strip_prefix(b"--").unwrap_or(name);
            let row = match name {
                [b'-', letter] => TABLE.iter().find(|row| row.0 == *letter),
                _ => TABLE.iter().find(|row| row.1.as_bytes() == long),
            };
            let Some(row) = row else {
                return Some([b"option ".as_slice(), name, b": is unknown"].concat());
            };
            if let Err(reason) = self.apply(row.1, value.to_vec()) {
                return Some([b"option ".as_slice(), name, b": ", reason.as_bytes()].concat());
            }
        }
        None
    }
}

/// `--data-urlencode`: `name=text` or `text`, escaped but for what RFC 3986 leaves alone.
fn url_encoded(value: &[u8]) -> Vec<u8> {
    let at = value.iter().position(|&byte| byte == b'=');
    let (name, text) = match at {
        Some(at) => value.split_at(at),
        None => (b"".as_slice(), value),
    };
    let mut out = name.to_vec();
    let text = match text.strip_prefix(b"=") {
        Some(text) => {
            if !name.is_empty() {
                out.push(b'=');
            }
            text
        }
        None => text,
    };
    for &byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'.' | b'_' | b'~' => out.push(byte),
            byte if byte.is_ascii_alphanumeric() => out.push(byte),
            byte => out.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    out
}

fn number(value: &[u8]) -> Result<u64, &'static str> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(NO_NUMBER)
}

/// `-h`, `-h CATEGORY`.
fn help(category: Option<&[u8]>) -> &'static [u8] {
    const CATEGORIES: &str = include_str!("categories.txt");
    let Some(name) = category else {
        return include_bytes!("help.txt");
    };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let section = |name: &str| {
        let mut all = CATEGORIES.split("=== ");
        all.find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'))
    };
    let found = section(&name).or_else(|| section("unknown"));
    found.unwrap_or_default().as_bytes()
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
