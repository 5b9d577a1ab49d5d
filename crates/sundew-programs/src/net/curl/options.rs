//! curl's command line.

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
}

/// What reading it leads to.
pub(super) enum Read {
    Run(Options),
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
                if let Some(text) = options.apply(row.1, value) {
                    return Read::Print(text);
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
                if let Some(text) = options.apply(row.1, value) {
                    return Read::Print(text);
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
        Read::Run(options)
    }

    fn apply(&mut self, name: &str, value: Vec<u8>) -> Option<&'static [u8]> {
        match name {
            "help" => return Some(include_bytes!("help.txt")),
            "version" => return Some(include_bytes!("version.txt")),
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
            "data" | "data-binary" | "data-raw" => self.data = Some(value),
            "write-out" => self.write_out = Some(value),
            "url" => self.urls.push(value),
            _ => {}
        }
        None
    }
}
