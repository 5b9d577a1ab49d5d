//! curl's numbers of what went wrong, and its words for them.

use super::super::fetch::{CertificateFault, End, TlsFailure};

/// Number and words of a failure.
pub(super) struct Failure(pub(super) u8, pub(super) String);

/// How a transfer failed, as curl sees it.
pub(super) fn failure(end: End, host: &str, port: u16, waited: u128, missing: u64) -> Failure {
    match end {
        End::Unreachable => Failure(
            7,
            format!(
                "Failed to connect to {host} port {port} after {waited} ms: Couldn't connect to server"
            ),
        ),
        End::Tls(TlsFailure::NotTls) => Failure(
            35,
            "OpenSSL/3.0.20: error:0A00010B:SSL routines::wrong version number".to_owned(),
        ),
        End::Tls(TlsFailure::Refused) => Failure(
            35,
            "OpenSSL/3.0.20: error:0A000410:SSL routines::sslv3 alert handshake failure".to_owned(),
        ),
        End::Tls(TlsFailure::Closed | TlsFailure::Certificate) => Failure(
            35,
            format!(
                "OpenSSL SSL_connect: Connection reset by peer in connection to {host}:{port} "
            ),
        ),
        End::NoTunnel(status) => Failure(56, format!("CONNECT tunnel failed, response {status}")),
        End::Denied(code) => Failure(67, format!("Access denied: {code}")),
        End::NoDirectory(_) => Failure(
            9,
            "Server denied you to change to the given directory".to_owned(),
        ),
        End::NoFile(550) => Failure(78, "The file does not exist".to_owned()),
        End::NoFile(code) => Failure(19, format!("RETR response: {code:03}")),
        End::Refused(425) => Failure(
            7,
            format!(
                "Failed to connect to {host} port {port} after {waited} ms: Couldn't connect to server"
            ),
        ),
        End::Refused(code) => Failure(
            8,
            format!("Got a {code:03} ftp-server response when 220 was expected"),
        ),
        // Curl asks the wrong question after the answer; this is what its users see.
        End::Tftp(code, _) => {
            let number = match code {
                1 => 68,
                2 => 69,
                3 => 70,
                4 => 71,
                5 => 72,
                6 => 73,
                7 => 74,
                _ => 42,
            };
            Failure(number, NOT_CONNECTED.to_owned())
        }
        End::Silent => Failure(28, NOT_CONNECTED.to_owned()),
        End::Unsent(errno) => Failure(
            55,
            format!("Failed sending data to the peer: {}", errno.message()),
        ),
        End::NoResponse => Failure(52, "Empty reply from server".to_owned()),
        End::NotHttp => Failure(1, "Received HTTP/0.9 when not allowed".to_owned()),
        End::OverLimit => Failure(23, "Failure writing output to destination".to_owned()),
        End::Cut | End::Complete | End::Status(_) => Failure(
            18,
            format!("transfer closed with {missing} bytes remaining to read"),
        ),
    }
}

/// What curl 7.88 says of every TFTP transfer that fails.
const NOT_CONNECTED: &str =
    "getpeername() failed with errno 107: Transport endpoint is not connected";

/// What follows a complaint about a certificate.
const MORE: &str = "\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the web page mentioned above.";

/// A certificate that is not good enough, in OpenSSL's words.
pub(super) fn distrust(faults: &[CertificateFault], host: &str) -> Failure {
    let reason = match faults.first() {
        Some(CertificateFault::SelfSigned) => "self-signed certificate",
        Some(CertificateFault::Expired) => "certificate has expired",
        Some(CertificateFault::NotYetValid) => "certificate is not yet valid",
        Some(CertificateFault::WrongName) => {
            return Failure(
                60,
                format!(
                    "SSL: no alternative certificate subject name matches target host name '{host}'{MORE}"
                ),
            );
        }
        Some(CertificateFault::UnknownIssuer) | Some(CertificateFault::Other) | None => {
            "unable to get local issuer certificate"
        }
    };
    Failure(60, format!("SSL certificate problem: {reason}{MORE}"))
}
