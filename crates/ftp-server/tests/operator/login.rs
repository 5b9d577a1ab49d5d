//! Logins by certificate, and by a web service under TLS.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use ftp_server::tls::Identity;
use ftp_server::tls::rustls::pki_types::CertificateDer;
use ftp_server::tls::rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::daemon::Daemon;

/// A certificate and its key as files.
fn certificate(dir: &TempDir, name: &str) -> (String, String, String) {
    let (_, made) = Identity::self_signed(&[name.to_owned()]).unwrap();
    let path = |end: &str| {
        dir.path()
            .join(format!("{name}.{end}"))
            .display()
            .to_string()
    };
    let (certificate, key) = (path("pem"), path("key"));
    fs::write(&certificate, &made.certificate).unwrap();
    fs::write(&key, &made.key).unwrap();
    let der = CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap();
    let digest: String = Sha256::digest(&der)
        .iter()
        .map(|byte| format!("{byte:02X}:"))
        .collect();
    (certificate, key, digest.trim_end_matches(':').to_owned())
}

fn python(script: &str) -> Output {
    let mut command = Command::new("timeout");
    command
        .args(["60", "python3", "-c", script])
        .output()
        .unwrap()
}

#[test]
fn a_certificate_stands_for_the_password_of_its_user_and_of_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (annas, annas_key, print) = certificate(&dir, "anna.example");
    let (other, other_key, _) = certificate(&dir, "other.example");
    let authorities = dir.path().join("authorities.pem");
    let both = fs::read_to_string(&annas).unwrap() + &fs::read_to_string(&other).unwrap();
    fs::write(&authorities, both).unwrap();
    let server = Daemon::start(&format!(
        "[user.anna]\ncertificates = ['{print}']\n[user.bert]\ncertificates = ['{}']\n\
         [tls]\nself_signed = true\nclient_authorities = '{}'\n[bans]\ndelay = '1ms'\nfailures = 0\n",
        "00".repeat(32),
        authorities.display()
    ));
    let script = format!(
        "import ftplib, ssl\n\
         def answer(user, *pair):\n\
         \x20   c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n\
         \x20   if pair: c.load_cert_chain(*pair)\n\
         \x20   f = ftplib.FTP_TLS(context=c, timeout=20); f.connect('127.0.0.1', {port}); f.auth()\n\
         \x20   said = f.sendcmd('USER ' + user)[:3]\n\
         \x20   if said == '331':\n\
         \x20       try: said += ' ' + f.sendcmd('PASS x')[:3]\n\
         \x20       except ftplib.error_perm as e: said += ' ' + str(e)[:3]\n\
         \x20   else:\n\
         \x20       f.prot_p(); f.voidcmd('TYPE I'); said += ' ' + str(f.size('common'))\n\
         \x20   return said\n\
         print(answer('anna', '{annas}', '{annas_key}'))\n\
         print(answer('anna', '{other}', '{other_key}'))\n\
         print(answer('bert', '{annas}', '{annas_key}'))\n\
         print(answer('anna'))\n",
        port = server.port
    );
    let output = python(&script);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "232 7\n331 530\n331 530\n331 530\n",
        "{errors}"
    );
}

/// A web service that knows one password.
struct Service {
    child: Child,
    port: String,
}

impl Service {
    fn start(certificate: &str, key: &str) -> Self {
        let script = format!(
            "import http.server, json, ssl\n\
             class H(http.server.BaseHTTPRequestHandler):\n\
             \x20   def do_POST(self):\n\
             \x20       q = json.loads(self.rfile.read(int(self.headers['content-length'])))\n\
             \x20       good = self.path == '/login' and q['password'] == 'open sesame' and q['address'] == '127.0.0.1'\n\
             \x20       a = json.dumps({{'allow': good, 'permissions': 'el'}} if good else {{'allow': False}}).encode()\n\
             \x20       self.send_response(200); self.send_header('content-length', str(len(a))); self.end_headers()\n\
             \x20       self.wfile.write(a)\n\
             s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\n\
             c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('{certificate}', '{key}')\n\
             s.socket = c.wrap_socket(s.socket, server_side=True)\n\
             print(s.server_address[1], flush=True)\n\
             s.serve_forever()\n"
        );
        let mut child = Command::new("python3")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut port).unwrap();
        Self {
            child,
            port: port.trim().to_owned(),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[test]
fn a_web_service_is_asked_under_tls_and_only_if_its_certificate_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let (trusted, key, _) = certificate(&dir, "localhost");
    let (stranger, _, _) = certificate(&dir, "stranger.example");
    let service = Service::start(&trusted, &key);
    let config = |authorities: &str| {
        format!(
            "[login]\nurl = 'https://localhost:{}/login'\nauthorities = '{authorities}'\n\
             [bans]\ndelay = '1ms'\n",
            service.port
        )
    };
    let mut server = Daemon::start(&config(&trusted));
    let mut client = server.client();
    client.expect("220 ");
    client.ask("USER ali", "331 ");
    client.ask("PASS open barley", "530 ");
    client.log_in_now("ali", "open sesame");
    let data = client.data();
    client.ask("RETR common", "550 ");
    drop(data);
    // The directory of the authorities is read again, Landlock or not.
    server.reload(&config(&stranger));
    let mut client = server.client();
    client.expect("220 ");
    client.ask("USER ali", "331 ");
    client.ask("PASS open sesame", "530 ");
    server.log_line("no answer about a login");
    let told = server.reload(&config(&key));
    assert!(told.contains("there is no authority to trust"), "{told}");
}
