//! Wget's command line.

use crate::getopt::{Arity, Getopt, Opt, Spec};

/// What is asked of wget.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) urls: Vec<Vec<u8>>,
    /// `-i`.
    pub(super) input: Option<Vec<u8>>,
    pub(super) quiet: bool,
    pub(super) terse: bool,
    pub(super) spider: bool,
    /// `-b`.
    pub(super) background: bool,
    /// `--no-check-certificate`.
    pub(super) trusts_anybody: bool,
    pub(super) show_response: bool,
    /// `-nc`.
    pub(super) keep: bool,
    /// `-c`.
    pub(super) go_on: bool,
    /// `-N`.
    pub(super) if_newer: bool,
    /// `-r`: how deep.
    pub(super) recursive: bool,
    pub(super) depth: Option<u32>,
    /// `-np`.
    pub(super) no_parent: bool,
    /// Whether files go into directories named as those of the URL, below one named as the host.
    pub(super) directories: Option<bool>,
    pub(super) no_host_directory: bool,
    /// `-A`: what names must end with.
    pub(super) accept: Vec<Vec<u8>>,
    /// `-R`.
    pub(super) reject: Vec<Vec<u8>>,
    /// `-e robots=off`.
    pub(super) no_robots: bool,
    pub(super) tries: Option<u32>,
    pub(super) retry_refused: bool,
    pub(super) max_redirect: Option<u32>,
    /// `--content-disposition`.
    pub(super) server_names: bool,
    pub(super) output: Option<Vec<u8>>,
    pub(super) directory: Option<Vec<u8>>,
    pub(super) log: Option<(Vec<u8>, bool)>,
    pub(super) agent: Option<Vec<u8>>,
    pub(super) referer: Option<Vec<u8>>,
    pub(super) headers: Vec<u8>,
    pub(super) method: Option<Vec<u8>>,
    pub(super) post: Option<Vec<u8>>,
    /// `--post-file`, `--body-file`.
    pub(super) post_file: Option<Vec<u8>>,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
}

/// What reading it leads to.
pub(super) enum Read {
    Run(Box<Options>),
    Print(&'static [u8]),
    Refuse { text: Option<Vec<u8>>, status: u8 },
}

const SPEC: Spec = Spec::new(
    "hVbe:o:a:dqvni:Fc:B:O:NSt:T:w:Q:P:U:rl:kpmHLA:R:D:I:X:x46E:KY:",
    &[
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
        ("background", Arity::No, "b"),
        ("execute", Arity::Required, "e"),
        ("output-file", Arity::Required, "o"),
        ("append-output", Arity::Required, "a"),
        ("quiet", Arity::No, "q"),
        ("verbose", Arity::No, "v"),
        ("no-verbose", Arity::No, "nv"),
        ("input-file", Arity::Required, "i"),
        ("tries", Arity::Required, "t"),
        ("no-clobber", Arity::No, "nc"),
        ("no-directories", Arity::No, "nd"),
        ("no-host-directories", Arity::No, "nH"),
        ("force-directories", Arity::No, "x"),
        ("level", Arity::Required, "l"),
        ("accept", Arity::Required, "A"),
        ("reject", Arity::Required, "R"),
        ("method", Arity::Required, "method"),
        ("body-data", Arity::Required, "post"),
        ("body-file", Arity::Required, "post-file"),
        ("http-user", Arity::Required, "user"),
        ("http-password", Arity::Required, "password"),
        ("ftp-user", Arity::Required, "user"),
        ("ftp-password", Arity::Required, "password"),
        ("page-requisites", Arity::No, "k"),
        ("convert-links", Arity::No, "k"),
        ("span-hosts", Arity::No, "k"),
        ("ca-certificate", Arity::Required, "w"),
        ("ca-directory", Arity::Required, "w"),
        ("save-cookies", Arity::Required, "w"),
        ("load-cookies", Arity::Required, "w"),
        ("keep-session-cookies", Arity::No, "k"),
        ("random-wait", Arity::No, "k"),
        ("no-iri", Arity::No, "k"),
        ("no-passive-ftp", Arity::No, "k"),
        ("no-remove-listing", Arity::No, "k"),
        ("no-glob", Arity::No, "k"),
        ("trust-server-names", Arity::No, "trust-names"),
        ("no-use-server-timestamps", Arity::No, "k"),
        ("continue", Arity::No, "continue"),
        ("output-document", Arity::Required, "O"),
        ("timestamping", Arity::No, "N"),
        ("server-response", Arity::No, "S"),
        ("spider", Arity::No, "spider"),
        ("timeout", Arity::Required, "T"),
        ("dns-timeout", Arity::Required, "T"),
        ("connect-timeout", Arity::Required, "T"),
        ("read-timeout", Arity::Required, "T"),
        ("wait", Arity::Required, "w"),
        ("quota", Arity::Required, "Q"),
        ("directory-prefix", Arity::Required, "P"),
        ("user-agent", Arity::Required, "U"),
        ("header", Arity::Required, "header"),
        ("post-data", Arity::Required, "post"),
        ("post-file", Arity::Required, "post-file"),
        ("no-check-certificate", Arity::No, "trust"),
        ("secure-protocol", Arity::Required, "w"),
        ("inet4-only", Arity::No, "4"),
        ("inet6-only", Arity::No, "6"),
        ("user", Arity::Required, "user"),
        ("password", Arity::Required, "password"),
        ("referer", Arity::Required, "referer"),
        ("recursive", Arity::No, "r"),
        ("progress", Arity::Required, "w"),
        ("show-progress", Arity::No, "v"),
        ("no-cache", Arity::No, "k"),
        ("no-cookies", Arity::No, "k"),
        ("no-proxy", Arity::No, "k"),
        ("max-redirect", Arity::Required, "max-redirect"),
        ("limit-rate", Arity::Required, "limit-rate"),
        ("proxy", Arity::Required, "Y"),
        ("retry-connrefused", Arity::No, "retry-refused"),
        ("waitretry", Arity::Required, "w"),
        ("content-disposition", Arity::No, "server-names"),
        ("no-hsts", Arity::No, "k"),
        ("prefer-family", Arity::Required, "w"),
        ("mirror", Arity::No, "m"),
        ("no-parent", Arity::No, "np"),
    ],
);

impl Options {
    pub(super) fn read(args: &[Vec<u8>]) -> Read {
        let mut options = Self::default();
        // `-nv`, `-nc`, `-nd`, `-nH`, `-np` are words of their own, and so is `-c` without a value.
        let args: Vec<Vec<u8>> = args.iter().map(|word| expand(word)).collect();
        let mut words = Getopt::new(&SPEC, &args);
        while let Some(option) = words.next() {
            let Opt { key, value, .. } = match option {
                Ok(option) => option,
                Err(error) => {
                    return Read::Refuse {
                        text: Some(error.text()),
                        status: 2,
                    };
                }
            };
            match key {
                "h" => return Read::Print(b"GNU Wget 1.21.3, a non-interactive network retriever.\nUsage: wget [OPTION]... [URL]...\n\nMandatory arguments to long options are mandatory for short options too.\n"),
                "V" => return Read::Print(b"GNU Wget 1.21.3 built on linux-gnu.\n\n-cares +digest -gpgme +https +ipv6 +iri +large-file -metalink +nls \n+ntlm +opie +psl +ssl/gnutls \n"),
                "T" => {
                    let number = std::str::from_utf8(&value).ok();
                    if number.is_none_or(|text| text.trim_end_matches(['s', 'm', 'h', 'd']).parse::<f64>().is_err()) {
                        let start = b"--timeout: Invalid time period \xe2\x80\x98".as_slice();
                        let text = [start, &value, b"\xe2\x80\x99"].concat();
                        return Read::Refuse { text: Some(text), status: 0 };
                    }
                }
                _ => {
                    if let Some(text) = misread(key, &value) {
                        return Read::Refuse { text: Some(text), status: 0 };
                    }
                    options.apply(key, value);
                }
            }
        }
        options.urls = words.operands();
        if options.urls.is_empty() && options.input.is_none() {
            return Read::Refuse {
                text: Some(b"missing URL".to_vec()),
                status: 1,
            };
        }
        Read::Run(Box::new(options))
    }

    fn apply(&mut self, key: &str, value: Vec<u8>) {
        match key {
            "q" => self.quiet = true,
            "nv" => self.terse = true,
            "spider" => self.spider = true,
            "b" => self.background = true,
            "trust" => self.trusts_anybody = true,
            "S" => self.show_response = true,
            "nc" => self.keep = true,
            "continue" => self.go_on = true,
            "N" => self.if_newer = true,
            "r" => self.recursive = true,
            "m" => {
                (self.recursive, self.if_newer) = (true, true);
                self.depth = Some(u32::MAX);
            }
            "l" if value == b"inf" || value == b"0" => self.depth = Some(u32::MAX),
            "l" => self.depth = number(&value),
            "np" => self.no_parent = true,
            "nd" => self.directories = Some(false),
            "x" => self.directories = Some(true),
            "nH" => self.no_host_directory = true,
            "A" => self.accept.extend(list(&value)),
            "R" => self.reject.extend(list(&value)),
            "e" => self.no_robots |= value.to_ascii_lowercase().starts_with(b"robots"),
            "t" => {
                self.tries = number(&value).map(|tries| if tries == 0 { u32::MAX } else { tries })
            }
            "retry-refused" => self.retry_refused = true,
            "max-redirect" => self.max_redirect = number(&value),
            "server-names" => self.server_names = true,
            "i" => self.input = Some(value),
            "O" => self.output = Some(value),
            "P" => self.directory = Some(value),
            "o" => self.log = Some((value, false)),
            "a" => self.log = Some((value, true)),
            "U" => self.agent = Some(value),
            "referer" => self.referer = Some(one_line(value)),
            "header" => self
                .headers
                .extend(one_line(value).into_iter().chain(*b"\r\n")),
            "method" => {
                self.method = Some(
                    value
                        .into_iter()
                        .filter(u8::is_ascii_graphic)
                        .collect::<Vec<u8>>()
                        .to_ascii_uppercase(),
                )
            }
            "post" => self.post = Some(value),
            "post-file" => self.post_file = Some(value),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            _ => {}
        }
    }
}

/// A line break would be a second header.
fn one_line(mut value: Vec<u8>) -> Vec<u8> {
    value.retain(|byte| !b"\r\n".contains(byte));
    value
}

fn number(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn list(value: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    value.split(|&byte| byte == b',').map(<[u8]>::to_vec)
}

fn expand(word: &[u8]) -> Vec<u8> {
    let letters = word.strip_prefix(b"-").unwrap_or_default();
    match letters {
        b"nv" => b"--no-verbose".to_vec(),
        b"nc" => b"--no-clobber".to_vec(),
        b"nd" => b"--no-directories".to_vec(),
        b"nH" => b"--no-host-directories".to_vec(),
        b"np" => b"--no-parent".to_vec(),
        b"c" => b"--continue".to_vec(),
        // `-cq`, `-qc`: wget's -c takes nothing.
        [b'c', rest @ ..] if !letters.starts_with(b"-") => [b"-".as_slice(), rest].concat(),
        [b'q', b'c', rest @ ..] => [b"-q".as_slice(), rest].concat(),
        _ => word.to_vec(),
    }
}

/// What is wrong with an option's value.
fn misread(key: &str, value: &[u8]) -> Option<Vec<u8>> {
    let quoted = |start: &str, end: &str| {
        let quotes = ["\u{2018}".as_bytes(), "\u{2019}".as_bytes()];
        [
            start.as_bytes(),
            quotes[0],
            value,
            quotes[1],
            end.as_bytes(),
        ]
        .concat()
    };
    match key {
        "header" if !value.contains(&b':') && !value.is_empty() => {
            Some(quoted("--header: Invalid header ", "."))
        }
        "limit-rate" => {
            let text = std::str::from_utf8(value).unwrap_or_default();
            let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G', '%']);
            let bad = digits.parse::<f64>().is_err();
            bad.then(|| quoted("--limit-rate: Invalid byte value ", ""))
        }
        "e" if !value.contains(&b'=') => Some(quoted("Invalid --execute command ", "")),
        _ => None,
    }
}
