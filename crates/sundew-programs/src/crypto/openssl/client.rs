//! `openssl s_client`: a line to a TLS server, and what reverse shells are made of.

use std::net::{IpAddr, SocketAddr};

use sundew_kernel::network::ResolveError;
use sundew_kernel::{Errno, ExitStatus, Process};

use super::{Options, refuse, thread, usage};
use crate::net::fetch::{CertificateFault, TlsFailure, secure};
use crate::net::pipe::{self, AtEnd};

const FLAGS: &str = "quiet ign_eof no_ign_eof brief showcerts state debug msg crlf tls1 tls1_1 tls1_2 tls1_3 no_tls1 \
                     no_tls1_1 no_tls1_2 no_tls1_3 4 6 verify_quiet verify_return_error noservername status nocommands \
                     prexit no_ticket reconnect security_debug nbio";
const VALUES: &str = "connect host port servername CAfile CApath cert key cipher ciphersuites starttls alpn verify proxy \
                      bind sess_out sess_in keylogfile groups curves sigalgs verify_hostname name";

/// `openssl s_client`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let options = match Options::read("s_client", words, FLAGS, VALUES, |_| false) {
        Ok(options) if options.wants_help() => return usage(proc, "s_client").await,
        Ok(options) => options,
        Err(complaint) => return refuse(proc, "s_client", &complaint).await,
    };
    let named = options
        .value("connect")
        .or_else(|| options.operands.first().map(Vec::as_slice));
    let named = String::from_utf8_lossy(named.unwrap_or(b"localhost:4433")).into_owned();
    let (mut host, mut port) = match named.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.to_owned()),
        None => (named.clone(), "4433".to_owned()),
    };
    if let Some(given) = options.value("host") {
        host = String::from_utf8_lossy(given).into_owned();
    }
    if let Some(given) = options.value("port") {
        port = String::from_utf8_lossy(given).into_owned();
    }
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let port: u16 = match port.as_str() {
        "https" => 443,
        "ssh" => 22,
        other => other.parse().unwrap_or(0),
    };
    let network = proc.network();
    let Ok(found) = proc.interruptible(network.resolve(host.as_bytes())).await else {
        return ExitStatus::FAILURE;
    };
    let thread = thread(proc);
    let addresses: Vec<IpAddr> = match found {
        Ok(addresses) => addresses,
        Err(error) => {
            let why = match error {
                ResolveError::NotFound => "Name or service not known",
                ResolveError::TimedOut => "Temporary failure in name resolution",
            };
            let text = format!(
                "{thread}:error:10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:738:{why}\nconnect:errno=0\n"
            );
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
    };
    let mut last = Errno::Econnrefused;
    for address in addresses {
        let target = SocketAddr::new(address, port);
        let stream = match proc.interruptible(network.connect(target)).await {
            Err(_) => return ExitStatus::FAILURE,
            Ok(Ok(stream)) => stream,
            Ok(Err(errno)) => {
                last = errno;
                let text = format!(
                    "{thread}:error:{:08X}:system library:BIO_connect:{}:../crypto/bio/bio_sock2.c:117:calling connect()\n{thread}:error:10000067:BIO routines:BIO_connect:connect error:../crypto/bio/bio_sock2.c:119:\n",
                    0x8000_0000_u32 | errno.number().unsigned_abs(),
                    errno.message()
                );
                proc.print_error(text.as_bytes()).await;
                continue;
            }
        };
        let quiet = options.has("quiet");
        if !quiet && !options.has("brief") {
            super::print(proc, b"CONNECTED(00000003)\n").await;
            let _closed = proc.flush().await;
        }
        let name = options
            .value("servername")
            .map_or_else(|| host.clone().into_bytes(), <[u8]>::to_vec);
        let securing = secure(stream, &name, false, proc.now());
        let Ok((secured, faults)) = proc.interruptible(securing).await else {
            return ExitStatus::FAILURE;
        };
        return match secured {
            Ok(stream) => {
                tell(proc, &host, &faults).await;
                let at_end = if quiet || options.has("ign_eof") {
                    AtEnd::KeepReading
                } else {
                    AtEnd::Close
                };
                pipe::run(proc, stream, at_end).await;
                proc.status()
            }
            Err(failure) => {
                let why = match failure {
                    TlsFailure::NotTls => format!(
                        "{thread}:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:\n"
                    ),
                    TlsFailure::Closed => "write:errno=0\n".to_owned(),
                    TlsFailure::Refused | TlsFailure::Certificate => format!(
                        "{thread}:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1593:SSL alert number 40\n"
                    ),
                };
                proc.print_error(why.as_bytes()).await;
                super::print(proc, b"---\nno peer certificate available\n---\nNo client certificate CA names sent\n---\n").await;
                ExitStatus::FAILURE
            }
        };
    }
    proc.print_error(format!("connect:errno={}\n", last.number()).as_bytes())
        .await;
    ExitStatus::FAILURE
}

/// What the check of the certificate found, on standard error as it does with `-quiet` too.
async fn tell(proc: &mut Process, host: &str, faults: &[CertificateFault]) {
    let mut text = String::new();
    for fault in faults {
        let (number, words) = match fault {
            CertificateFault::SelfSigned => (18, "self-signed certificate"),
            CertificateFault::UnknownIssuer => (20, "unable to get local issuer certificate"),
            CertificateFault::Expired => (10, "certificate has expired"),
            CertificateFault::NotYetValid => (9, "certificate is not yet valid"),
            // Names are not looked at unless that is asked for.
            CertificateFault::WrongName | CertificateFault::Other => continue,
        };
        text +=
            &format!("depth=0 CN = {host}\nverify error:num={number}:{words}\nverify return:1\n");
    }
    text += &format!("depth=0 CN = {host}\nverify return:1\n");
    proc.print_error(text.as_bytes()).await;
}
