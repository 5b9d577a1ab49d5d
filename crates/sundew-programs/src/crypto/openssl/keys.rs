//! `openssl genrsa`, `genpkey`, and `rsa` and `pkey`, which show what those made.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sundew_kernel::{ExitStatus, Process, Signal};

use super::{Options, input, output, refuse, thread, usage};
use crate::crypto::key;

/// What stands before an Ed25519 secret in PKCS#8 (RFC 8410 §7), and before the public key (§4).
const ED25519_SECRET: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const ED25519_PUBLIC: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// Bits of an RSA key where none are named.
const BITS: u32 = 2048;

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = super::enc::lines(bytes);
    let text = String::from_utf8_lossy(&text);
    format!("-----BEGIN {label}-----\n{text}-----END {label}-----\n")
}

fn from_pem(text: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let letters: String = body
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    STANDARD.decode(letters).ok()
}

/// Makes a key.
pub(super) async fn generate(proc: &mut Process, name: &str, words: &[Vec<u8>]) -> ExitStatus {
    let flags = "3 f4 F4 primes verbose quiet traditional text genparam aes256 aes128 des3";
    let values = "out algorithm pkeyopt outform pass passout rand writerand engine paramfile";
    let options = match Options::read(name, words, flags, values, |_| false) {
        Ok(options) if options.wants_help() => return usage(proc, name).await,
        Ok(options) => options,
        Err(complaint) => return refuse(proc, name, &complaint).await,
    };
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut bits = BITS;
    let ed25519 = match options.value("algorithm").map(shown) {
        None if name == "genpkey" => return refuse(proc, name, "").await,
        None => false,
        Some(algorithm) => match algorithm.to_ascii_lowercase().as_str() {
            "rsa" => false,
            "ed25519" => true,
            _ => {
                let text = format!(
                    "Error initializing {algorithm} context\n{}",
                    super::digest::unsupported(proc, &algorithm)
                );
                proc.print_error(text.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
        },
    };
    if let Some(word) = options.operands.first() {
        let word = shown(word);
        match word.parse() {
            Ok(number) => bits = number,
            Err(_) => {
                let complaint = format!("{name}: Can't parse \"{word}\" as a number\n");
                return refuse(proc, name, &complaint).await;
            }
        }
    }
    for (_, value) in options
        .given
        .iter()
        .filter(|(option, _)| option == "pkeyopt")
    {
        if let Some(number) = shown(value).strip_prefix("rsa_keygen_bits:") {
            bits = number.parse().unwrap_or(bits);
        }
    }
    let bits = bits.max(BITS);
    if name == "genpkey" && !ed25519 && !options.has("quiet") {
        // How often a candidate was no prime.
        let mut dots = String::new();
        for draw in super::random(proc, 2) {
            dots += &".".repeat(usize::from(draw % 40) + 1);
            dots += "+++++++++++++++++++++++++++++++++++++++*";
            dots += &".".repeat(usize::from(draw / 8) + 1);
            dots += "+++++++++++++++++++++++++++++++++++++++*.......+\n";
        }
        proc.print_error(dots.as_bytes()).await;
    }
    if !ed25519 && bits > key::MAX_RSA_BITS {
        proc.die_of(Signal::KILL).await;
    }
    let document = proc
        .long_aside(move || {
            if ed25519 {
                let pair = Ed25519KeyPair::generate().ok()?;
                let seed = pair.seed().ok()?;
                let seed: aws_lc_rs::encoding::Curve25519SeedBin<'_> =
                    aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&seed).ok()?;
                Some([ED25519_SECRET, seed.as_ref()].concat())
            } else {
                key::rsa_document(bits)
            }
        })
        .await
        .flatten();
    let Some(document) = document else {
        return ExitStatus::FAILURE;
    };
    let text = pem("PRIVATE KEY", &document);
    output(proc, options.value("out"), text.as_bytes(), 0o600).await
}

/// The public key of a private one.
fn public(document: &[u8]) -> Option<Vec<u8>> {
    if let Some(seed) = document.strip_prefix(ED25519_SECRET) {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        return Some([ED25519_PUBLIC, pair.public_key().as_ref()].concat());
    }
    let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(document).ok()?;
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
    Some(der.as_ref().to_vec())
}

/// Shows a key.
pub(super) async fn show(proc: &mut Process, name: &str, words: &[Vec<u8>]) -> ExitStatus {
    let flags = "pubin pubout noout text check modulus traditional RSAPublicKey_in RSAPublicKey_out text_pub";
    let values = "in out inform outform passin passout engine";
    let options = match Options::read(name, words, flags, values, |_| false) {
        Ok(options) if options.wants_help() => return usage(proc, name).await,
        Ok(options) => options,
        Err(complaint) => return refuse(proc, name, &complaint).await,
    };
    let path = options.value("in").map(<[u8]>::to_vec);
    let what = if options.has("pubin") {
        "public key"
    } else {
        "private key"
    };
    let text = match input(proc, path.as_deref()).await {
        Ok(text) => text,
        Err(errno) => {
            let (path, thread) = (path.unwrap_or_default(), thread(proc));
            let (path, why) = (String::from_utf8_lossy(&path), errno.message());
            let text = format!(
                "Could not open file or uri for loading {what} from {path}\n{thread}:error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:../crypto/store/store_register.c:237:scheme=file\n{thread}:error:{:08X}:system library:file_open:{why}:../providers/implementations/storemgmt/file_store.c:268:calling stat({path})\n",
                0x8000_0000_u32 | errno.number().unsigned_abs()
            );
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
    };
    let found = if options.has("pubin") {
        from_pem(&text, "PUBLIC KEY").map(|spki| pem("PUBLIC KEY", &spki))
    } else {
        let document = from_pem(&text, "PRIVATE KEY");
        if options.has("pubout") {
            document
                .and_then(|document| public(&document))
                .map(|spki| pem("PUBLIC KEY", &spki))
        } else {
            document.map(|document| pem("PRIVATE KEY", &document))
        }
    };
    let Some(found) = found else {
        let path = path.map_or_else(
            || "<stdin>".to_owned(),
            |path| String::from_utf8_lossy(&path).into_owned(),
        );
        let text = format!(
            "Could not read {what} from {path}\n{}:error:1608010C:STORE routines:ossl_store_handle_load_result:unsupported:../crypto/store/store_result.c:151:\n",
            thread(proc)
        );
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::FAILURE;
    };
    if options.has("check") {
        super::print(proc, b"RSA key ok\n").await;
    }
    if options.has("noout") {
        return proc.status();
    }
    if name == "rsa" {
        proc.print_error(b"writing RSA key\n").await;
    }
    output(proc, options.value("out"), found.as_bytes(), 0o600).await
}
