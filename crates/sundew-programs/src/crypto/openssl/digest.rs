//! `openssl dgst`, and the digests by their own names.

use aws_lc_rs::hmac;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_256};
use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN};

use super::{Options, hex, output, refuse, thread, usage};

/// Bytes read at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// A digest and how it is called before a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512To256,
}

impl Kind {
    fn tag(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA2-224",
            Self::Sha256 => "SHA2-256",
            Self::Sha384 => "SHA2-384",
            Self::Sha512 => "SHA2-512",
            Self::Sha512To256 => "SHA2-512/256",
        }
    }
}

/// The digest of this name.
pub(super) fn known(name: &str) -> Option<Kind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "md5" | "ssl3-md5" => Kind::Md5,
        "sha1" | "ssl3-sha1" | "sha-1" => Kind::Sha1,
        "sha224" | "sha2-224" => Kind::Sha224,
        "sha256" | "sha2-256" => Kind::Sha256,
        "sha384" | "sha2-384" => Kind::Sha384,
        "sha512" | "sha2-512" => Kind::Sha512,
        "sha512-256" => Kind::Sha512To256,
        _ => return None,
    })
}

/// One that is being computed.
enum Running {
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Sha512To256(Sha512_256),
    Keyed(Box<hmac::Context>),
}

impl Running {
    fn new(kind: Kind, key: Option<&[u8]>) -> Self {
        if let Some(key) = key {
            let algorithm = match kind {
                Kind::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                Kind::Sha384 => hmac::HMAC_SHA384,
                Kind::Sha512 => hmac::HMAC_SHA512,
                Kind::Sha224 => hmac::HMAC_SHA224,
                _ => hmac::HMAC_SHA256,
            };
            let key = hmac::Key::new(algorithm, key);
            return Self::Keyed(Box::new(hmac::Context::with_key(&key)));
        }
        match kind {
            Kind::Md5 => Self::Md5(Md5::new()),
            Kind::Sha1 => Self::Sha1(Sha1::new()),
            Kind::Sha224 => Self::Sha224(Sha224::new()),
            Kind::Sha256 => Self::Sha256(Sha256::new()),
            Kind::Sha384 => Self::Sha384(Sha384::new()),
            Kind::Sha512 => Self::Sha512(Sha512::new()),
            Kind::Sha512To256 => Self::Sha512To256(Sha512_256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha224(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
            Self::Sha512To256(hash) => hash.update(bytes),
            Self::Keyed(hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(hash) => hash.finalize().to_vec(),
            Self::Sha1(hash) => hash.finalize().to_vec(),
            Self::Sha224(hash) => hash.finalize().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
            Self::Sha384(hash) => hash.finalize().to_vec(),
            Self::Sha512(hash) => hash.finalize().to_vec(),
            Self::Sha512To256(hash) => hash.finalize().to_vec(),
            Self::Keyed(hash) => hash.sign().as_ref().to_vec(),
        }
    }
}

/// The digest of some bytes, for keys made from passwords.
pub(super) fn of(kind: Kind, parts: &[&[u8]]) -> Vec<u8> {
    let mut running = Running::new(kind, None);
    parts.iter().for_each(|part| running.update(part));
    running.finish()
}

async fn sum(proc: &Process, fd: Fd, mut running: Running) -> Result<Vec<u8>, Errno> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = proc.read(fd, &mut chunk).await?;
        if count == 0 {
            return Ok(running.finish());
        }
        running.update(chunk.get(..count).unwrap_or_default());
    }
}

/// What is said of an algorithm that there is not.
pub(super) fn unsupported(proc: &Process, name: &str) -> String {
    format!(
        "{}:error:0308010C:digital envelope routines:inner_evp_generic_fetch:unsupported:../crypto/evp/evp_fetch.c:386:Global default library context, Algorithm ({name} : 0), Properties (<null>)\n",
        thread(proc)
    )
}

/// `openssl dgst`, `openssl md5`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process, name: &str, words: &[Vec<u8>]) -> ExitStatus {
    let flags = "c r hex binary d debug non-fips-allow fips-fingerprint engine_impl list";
    let values =
        "out hmac sign verify prverify signature mac macopt sigopt passin keyform engine rand";
    let options = match Options::read(name, words, flags, values, |option| known(option).is_some())
    {
        Ok(options) if options.wants_help() => return usage(proc, "dgst").await,
        Ok(options) => options,
        Err(complaint) => {
            let option = complaint
                .trim_end()
                .rsplit('-')
                .next()
                .unwrap_or_default()
                .to_owned();
            if complaint.contains("Unknown option") {
                let text = format!(
                    "{name}: Unknown option or message digest: {option}\n{name}: Use -help for summary.\n{}",
                    unsupported(proc, &option)
                );
                proc.print_error(text.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
            return refuse(proc, name, &complaint).await;
        }
    };
    let mut kind = known(name).unwrap_or(Kind::Sha256);
    let named = options
        .given
        .iter()
        .rev()
        .find_map(|(option, _)| known(option));
    kind = named.unwrap_or(kind);
    let key = options.value("hmac").map(<[u8]>::to_vec);
    let stdin_tag = match kind {
        Kind::Md5 => "MD5",
        Kind::Sha1 => "SHA1",
        Kind::Sha224 => "SHA224",
        Kind::Sha256 => "SHA256",
        Kind::Sha384 => "SHA384",
        Kind::Sha512 => "SHA512",
        Kind::Sha512To256 => "SHA512-256",
    };
    let mut out = Vec::new();
    let paths: Vec<Option<Vec<u8>>> = if options.operands.is_empty() {
        vec![None]
    } else {
        options.operands.iter().cloned().map(Some).collect()
    };
    for path in paths {
        let shown = path
            .as_deref()
            .map(|path| String::from_utf8_lossy(path).into_owned());
        let fd = match &path {
            None => Ok(STDIN),
            Some(path) => proc.open(path, OpenFlags::READ, 0).await,
        };
        let running = Running::new(kind, key.as_deref());
        let hash = match fd {
            Ok(fd) => {
                let hash = sum(proc, fd, running).await;
                if fd != STDIN {
                    // Opened above.
                    let _open = proc.close(fd);
                }
                hash
            }
            Err(errno) => Err(errno),
        };
        let hash = match hash {
            Ok(hash) => hash,
            Err(errno) => {
                let (shown, why, thread) =
                    (shown.unwrap_or_default(), errno.message(), thread(proc));
                let text = if errno == Errno::Eisdir {
                    format!("Read error in {shown}\n")
                } else {
                    format!(
                        "{shown}: {why}\n{thread}:error:{:08X}:system library:file_ctrl:{why}:../crypto/bio/bss_file.c:297:calling fopen({shown}, r)\n{thread}:error:10080002:BIO routines:file_ctrl:system lib:../crypto/bio/bss_file.c:300:\n",
                        0x8000_0000_u32 | errno.number().unsigned_abs()
                    )
                };
                proc.print_error(text.as_bytes()).await;
                proc.set_status(1);
                continue;
            }
        };
        if options.has("binary") {
            out.extend(hash);
            continue;
        }
        let digits = if options.has("c") {
            let pairs: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            pairs.join(":")
        } else {
            hex(&hash)
        };
        let prefix = if key.is_some() { "HMAC-" } else { "" };
        let line = match shown {
            name if options.has("r") => {
                format!("{digits} *{}\n", name.as_deref().unwrap_or("stdin"))
            }
            Some(name) => format!("{prefix}{}({name})= {digits}\n", kind.tag()),
            None => format!("{prefix}{stdin_tag}(stdin)= {digits}\n"),
        };
        out.extend(line.into_bytes());
    }
    let failed = proc.status();
    let written = output(proc, options.value("out"), &out, 0o666).await;
    if failed.is_success() { written } else { failed }
}
