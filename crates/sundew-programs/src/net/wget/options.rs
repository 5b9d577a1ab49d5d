//! Wget's command line.

use crate::getopt::{Arity, Getopt, Opt, Spec};

/// What is asked of wget.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) urls: Vec<Vec<u8>>,
    pub(super) quiet: bool,
    pub(super) terse: bool,
    pub(super) spider: bool,
    /// `--no-check-certificate`.
    pub(super) trusts_anybody: bool,
    pub(super) show_response: bool,
    pub(super) clobber: bool,
    pub(super) output: Option<Vec<u8>>,
    pub(super) directory: Option<Vec<u8>>,
    pub(super) log: Option<(Vec<u8>, bool)>,
    pub(super) agent: Option<Vec<u8>>,
    pub(super) headers: Vec<u8>,
    pub(super) post: Option<Vec<u8>>,
}

/// What reading it leads to.
pub(super) enum Read {
    Run(Options),
    Print(&'static [u8]),
    Refuse { text: Option<Vec<u8>>, status: u8 },
}

const SPEC: Spec = Spec::new(
    "hVbe:o:a:dqvni:Fc:B:O:NSt:T:w:Q:P:U:rl:kpmHLA:R:D:I:X:x46E:K",
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
        ("post-file", Arity::Required, "w"),
        ("no-check-certificate", Arity::No, "trust"),
        ("secure-protocol", Arity::Required, "w"),
        ("inet4-only", Arity::No, "4"),
        ("inet6-only", Arity::No, "6"),
        ("user", Arity::Required, "w"),
        ("password", Arity::Required, "w"),
        ("referer", Arity::Required, "w"),
        ("recursive", Arity::No, "r"),
        ("progress", Arity::Required, "w"),
        ("show-progress", Arity::No, "v"),
        ("no-cache", Arity::No, "k"),
        ("no-cookies", Arity::No, "k"),
        ("no-proxy", Arity::No, "k"),
        ("max-redirect", Arity::Required, "w"),
        ("limit-rate", Arity::Required, "w"),
        ("retry-connrefused", Arity::No, "k"),
        ("waitretry", Arity::Required, "w"),
        ("content-disposition", Arity::No, "k"),
        ("no-hsts", Arity::No, "k"),
        ("prefer-family", Arity::Required, "w"),
        ("mirror", Arity::No, "m"),
        ("no-parent", Arity::No, "k"),
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
                "q" => options.quiet = true,
                "nv" => options.terse = true,
                "spider" => options.spider = true,
                "trust" => options.trusts_anybody = true,
                "S" => options.show_response = true,
                "N" | "r" | "m" | "continue" => options.clobber = true,
                "O" => options.output = Some(value),
                "P" => options.directory = Some(value),
                "o" => options.log = Some((value, false)),
                "a" => options.log = Some((value, true)),
                "U" => options.agent = Some(value),
                "header" => options.headers.extend(value.into_iter().filter(|byte| !b"\r\n".contains(byte)).chain(*b"\r\n")),
                "post" => options.post = Some(value),
                _ => {}
            }
        }
        options.urls = words.operands();
        if options.urls.is_empty() {
            return Read::Refuse {
                text: Some(b"missing URL".to_vec()),
                status: 1,
            };
        }
        Read::Run(options)
    }
}

fn expand(word: &[u8]) -> Vec<u8> {
    let letters = word.strip_prefix(b"-").unwrap_or_default();
    match letters {
        b"nv" => b"--no-verbose".to_vec(),
        b"nc" | b"nd" | b"nH" | b"np" => b"--no-clobber".to_vec(),
        b"c" => b"--continue".to_vec(),
        // `-cq`, `-qc`: wget's -c takes nothing.
        [b'c', rest @ ..] if !letters.starts_with(b"-") => [b"-".as_slice(), rest].concat(),
        [b'q', b'c', rest @ ..] => [b"-q".as_slice(), rest].concat(),
        _ => word.to_vec(),
    }
}
