//! TLS as curl, lftp and Python's ftplib speak it, and what nobody should get away with.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peers of this test are real programs and real files"
)]
#![expect(clippy::unwrap_used, reason = "helpers of a test fail the test")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::thread::{self, JoinHandle};

use ftp_server::auth::Accounts;
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::tls::{ClientCertificates, Identity, Tls, TlsOptions};
use ftp_server::{Limits, Listener, Server};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A server of its own for one test: explicit TLS on one port, implicit on another.
struct Running {
    root: TempDir,
    explicit: u16,
    implicit: u16,
    tls: Tls,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// A file large enough to need many records, and to fill every buffer on the way.
const BIG_BYTES: usize = 3_456_789;

impl Running {
    fn start(options: FileOptions, tls: &TlsOptions) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("text"), "one\ntwo\n").unwrap();
        let big: Vec<u8> = (0..BIG_BYTES).map(|index| (index % 251) as u8).collect();
        fs::write(root.path().join("big"), big).unwrap();
        let tls = Tls::new(identity("first.example"), tls).unwrap();
        let disk = Disk::open(root.path()).unwrap();
        let accounts = Accounts::new().with_anonymous(Rights::ALL);
        let limits = Limits::default();
        let server = Server::new(FileServer::new(accounts, disk, options), limits);
        let server = server.with_tls(tls.clone());
        let stop = server.stop_token();
        let (told, ports) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(async {
                let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
                let explicit = Listener::bind(&[any]).unwrap();
                let implicit = Listener::bind(&[any]).unwrap().implicit_tls();
                let listener = explicit.and(implicit);
                told.send(listener.addresses().unwrap()).unwrap();
                server.serve(listener).await.unwrap();
            });
        });
        let ports = ports.recv().unwrap();
        Self {
            root,
            explicit: ports[0].port(),
            implicit: ports[1].port(),
            tls,
            stop,
            thread: Some(thread),
        }
    }

    /// A server that wants data connections to resume their own control session.
    fn strict() -> Self {
        let mut options = FileOptions::default();
        options.data.resumed_tls = true;
        Self::start(options, &TlsOptions::default())
    }

    fn lenient() -> Self {
        Self::start(FileOptions::default(), &TlsOptions::default())
    }

    fn curl(&self, options: &[&str], url: &str) -> Output {
        let always = ["-sS", "--max-time", "30", "-k", "--no-progress-meter"];
        run("curl", &[&always[..], options, &[url]].concat())
    }

    /// Runs a script with `port`, `implicit` and `root` set, and what every script needs imported.
    fn python(&self, script: &str) -> String {
        let head = format!(
            "import socket, ssl, sys, ftplib, io\nport, implicit, root = {}, {}, {:?}\n\
             socket.setdefaulttimeout(20)\n\
             context = ssl.create_default_context()\ncontext.check_hostname = False\n\
             context.verify_mode = ssl.CERT_NONE\n",
            self.explicit,
            self.implicit,
            self.root.path().display().to_string()
        );
        let output = run("python3", &["-c", &(head + script)]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.root.path().join(name)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

fn identity(name: &str) -> Identity {
    Identity::self_signed(&[name.to_owned()]).unwrap().0
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["60", program])
        .args(arguments)
        .output()
        .unwrap()
}

fn good(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {errors}", output.status);
}

#[test]
fn curl_moves_files_in_both_versions_and_resumes_its_session() {
    let server = Running::strict();
    let upload = server.root.path().join("big").display().to_string();
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let base = format!("ftp://127.0.0.1:{}", server.explicit);
        let options = [version, &["--ssl-reqd"]].concat();
        let output = server.curl(&options, &format!("{base}/big"));
        good(&output);
        assert!(output.stdout == server.file("big"), "big arrived changed");
        good(&server.curl(
            &[&options[..], &["-T", &upload]].concat(),
            &format!("{base}/up"),
        ));
        assert!(
            server.file("up") == server.file("big"),
            "up was stored changed"
        );
        // Two files over one control connection.
        let both = server.curl(&options, &format!("{base}/{{text,text}}"));
        good(&both);
        assert!(String::from_utf8_lossy(&both.stdout).contains("two\n"));
        let listed = server.curl(
            &[&options[..], &["--list-only"]].concat(),
            &format!("{base}/"),
        );
        good(&listed);
        assert!(String::from_utf8_lossy(&listed.stdout).contains("text"));
        let implicit = format!("ftps://127.0.0.1:{}/text", server.implicit);
        assert_eq!(server.curl(version, &implicit).stdout, b"one\ntwo\n");
    }
}

#[test]
fn lftp_mirrors_both_ways_over_tls() {
    let server = Running::strict();
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(server.root.path().join("tree")).unwrap();
    fs::write(server.root.path().join("tree/a b"), "with a blank\n").unwrap();
    let script = format!(
        "set net:max-retries 1; set ftp:use-mode-z no; set net:timeout 10; set ssl:verify-certificate no; \
         set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ftp:ssl-protect-list yes; \
         open -u ftp,x ftp://127.0.0.1:{}; lcd {}; mirror /tree down; mirror -R down /up; \
         get big; cls -1 /up; quit",
        server.explicit,
        home.path().display()
    );
    let output = run("lftp", &["--norc", "-c", &script]);
    good(&output);
    assert_eq!(output.stdout, b"/up/a b\n");
    assert_eq!(server.file("up/a b"), b"with a blank\n");
    assert!(fs::read(home.path().join("big")).unwrap() == server.file("big"));
}

#[test]
fn ftplib_moves_files_and_goes_back_to_clear_with_ccc() {
    let server = Running::lenient();
    let output = server.python(
        "\
ftp = ftplib.FTP_TLS(context=context)
ftp.connect('127.0.0.1', port)
print(ftp.auth()[:3], ftp.sock.version())
ftp.login('ftp', 'x')
ftp.prot_p()
parts = []
ftp.retrbinary('RETR big', parts.append)
print(len(b''.join(parts)))
ftp.storbinary('STOR new', io.BytesIO(b'stored'))
ftp.storbinary('STOR empty', io.BytesIO(b''))
print(sorted(ftp.nlst()))
print(ftp.ccc()[:3], ftp.sock.version())
print(ftp.voidcmd('NOOP')[:3], ftp.quit()[:3])
",
    );
    assert_eq!(
        output,
        format!("234 TLSv1.3\n{BIG_BYTES}\n['big', 'empty', 'new', 'text']\n200 None\n200 221\n")
    );
    assert_eq!(
        (server.file("new"), server.file("empty")),
        (b"stored".to_vec(), Vec::new())
    );
}

/// A data connection of ftplib that resumes a session.
const RESUMING: &str = "\
class Resuming(ftplib.FTP_TLS):
    foreign = None
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        session = self.foreign or self.sock.session
        return self.context.wrap_socket(conn, session=session), size
def connect(kind, version):
    context.maximum_version = version
    ftp = kind(context=context)
    ftp.connect('127.0.0.1', port)
    ftp.login('ftp', 'x')
    ftp.prot_p()
    return ftp
def fetch(ftp):
    parts = []
    try:
        ftp.retrbinary('RETR text', parts.append)
        return b''.join(parts)
    except (ftplib.Error, OSError) as error:
        return type(error).__name__
";

#[test]
fn a_data_connection_has_to_resume_its_own_control_session() {
    let server = Running::strict();
    let output = server.python(
        &[
            RESUMING,
            "\
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    ftp = connect(Resuming, version)
    print([fetch(ftp) for _ in range(20)] == [b'one\\ntwo\\n'] * 20)
    other = connect(Resuming, version)
    print(fetch(other))
    other.foreign = ftp.sock.session
    print(fetch(other))
    print(fetch(connect(ftplib.FTP_TLS, version)))
",
        ]
        .concat(),
    );
    let each = "True\nb'one\\ntwo\\n'\nerror_perm\nerror_perm\n";
    assert_eq!(output.replace("error_temp", "error_perm"), each.repeat(2));
}

/// CVE-2011-0411, of which pyftpdlib 2.2.0 still has its own.
#[test]
fn cve_2011_0411_commands_injected_behind_auth_are_dropped() {
    let server = Running::lenient();
    let output = server.python(
        "\
raw = socket.create_connection(('127.0.0.1', port))
raw.recv(100)
raw.sendall(b'AUTH TLS\\r\\nUSER injected\\r\\nNOOP\\r\\n')
reply = b''
while not reply.endswith(b'\\r\\n'):
    reply += raw.recv(1)
tls = context.wrap_socket(raw)
tls.sendall(b'PASS x\\r\\n')
print(reply[:3], tls.recv(100)[:3])
",
    );
    assert_eq!(output, "b'234' b'503'\n");
}

#[test]
fn an_upload_cut_short_is_no_success() {
    let server = Running::lenient();
    let output = server.python(
        &[
            RESUMING,
            "\
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    ftp = connect(Resuming, version)
    conn, _ = ftp.ntransfercmd('STOR cut')
    conn.sendall(b'x' * 100000)
    # The TCP connection ends in order, TLS does not.
    socket.socket(fileno=conn.detach()).close()
    try:
        print(ftp.voidresp())
    except ftplib.error_temp as error:
        print(str(error)[:3], ftp.voidcmd('NOOP')[:3])
",
        ]
        .concat(),
    );
    assert_eq!(output, "426 200\n426 200\n");
}

#[test]
fn another_certificate_is_shown_after_reloading() {
    let server = Running::lenient();
    let subject = "\
def subject(port):
    tls = context.wrap_socket(socket.create_connection(('127.0.0.1', implicit)))
    return b'second.example' in tls.getpeercert(True)
print(subject(port))
";
    assert_eq!(server.python(subject), "False\n");
    let options = TlsOptions::default();
    server
        .tls
        .reload(identity("second.example"), &options)
        .unwrap();
    assert_eq!(server.python(subject), "True\n");
}

#[test]
fn a_client_certificate_can_be_required() {
    let (_, client) = Identity::self_signed(&["client.example".to_owned()]).unwrap();
    let authorities = client.certificate.clone().into_bytes();
    let tls = TlsOptions {
        client_certificates: ClientCertificates::Required(authorities),
        ..TlsOptions::default()
    };
    let server = Running::start(FileOptions::default(), &tls);
    let pair = server.root.path().join("pair.pem");
    fs::write(&pair, client.certificate + &client.key).unwrap();
    let output = server.python(
        &[
            RESUMING,
            "\
for certificate in (None, root + '/pair.pem'):
    if certificate:
        context.load_cert_chain(certificate)
    try:
        ftp = Resuming(context=context)
        ftp.connect('127.0.0.1', port)
        ftp.login('ftp', 'x')
        ftp.prot_p()
        print(fetch(ftp))
    except (OSError, EOFError):
        print('no')
",
        ]
        .concat(),
    );
    assert_eq!(output, "no\nb'one\\ntwo\\n'\n");
}

#[test]
fn garbage_instead_of_a_handshake_ends_that_connection_and_no_other() {
    let server = Running::lenient();
    let output = server.python(
        "\
raw = socket.create_connection(('127.0.0.1', implicit))
raw.sendall(b'USER anonymous\\r\\n' * 100)
try:
    while raw.recv(1000):
        pass
except OSError:
    pass
ftp = ftplib.FTP()
ftp.connect('127.0.0.1', port)
print(ftp.login('ftp', 'x')[:3])
",
    );
    assert_eq!(output, "230\n");
}

#[test]
fn two_servers_move_a_file_between_them_whichever_is_the_tls_client() {
    let server = Running::lenient();
    let output = server.python(
        "\
def session():
    ftp = ftplib.FTP_TLS(context=context)
    ftp.connect('127.0.0.1', port)
    ftp.login()
    ftp.prot_p()
    ftp.voidcmd('TYPE I')
    return ftp
source, target = session(), session()
def move(name, passive):
    reply = source.sendcmd(passive)
    target.voidcmd('PORT ' + reply[reply.index('(') + 1:reply.index(')')])
    target.putcmd('STOR ' + name)
    source.putcmd('RETR big')
    codes = [source.getresp()[:3], target.getresp()[:3]]
    print(*codes, source.getresp()[:3], target.getresp()[:3])
try:
    session().sendcmd('SSCN MAYBE')
except ftplib.error_perm as error:
    print(str(error)[:3])
print(source.sendcmd('SSCN'))
move('by_cpsv', 'CPSV')
print(source.sendcmd('SSCN ON'))
move('by_passive_side', 'PASV')
print(source.sendcmd('SSCN OFF'))
target.voidcmd('SSCN ON')
move('by_active_side', 'PASV')
clear = ftplib.FTP()
clear.connect('127.0.0.1', port)
for line in ['SSCN ON', 'CPSV']:
    try:
        clear.sendcmd(line)
    except ftplib.error_perm as error:
        print(str(error)[:3])
",
    );
    assert_eq!(
        output,
        "504\n200 SSCN:SERVER METHOD\n150 150 226 226\n200 SSCN:CLIENT METHOD\n\
         150 150 226 226\n200 SSCN:SERVER METHOD\n150 150 226 226\n530\n530\n"
    );
    for name in ["by_cpsv", "by_passive_side", "by_active_side"] {
        assert!(server.file(name) == server.file("big"), "{name}");
    }
}

#[test]
fn clear_text_where_tls_should_be_is_noticed_at_once() {
    let server = Running::lenient();
    let output = server.python(
        "\
import time
ftp = ftplib.FTP_TLS(context=context)
ftp.connect('127.0.0.1', port)
ftp.login()
ftp.prot_p()
began = time.monotonic()
host, data_port = ftplib.parse229(ftp.sendcmd('EPSV'), ftp.sock.getpeername())
data = socket.create_connection((host, data_port))
ftp.putcmd('RETR text')
print(ftp.getresp()[:3])
data.sendall(b'not t')
try:
    ftp.getresp()
except ftplib.error_temp as error:
    print(str(error)[:3])
# Back to clear without close_notify, as lftp does it.
ftp.voidcmd('CCC')
clear = socket.socket(fileno=ftp.sock.detach())
clear.sendall(b'PWD\\r\\n')
reply = b''
while b'257 ' not in reply:
    reply += clear.recv(1000)
print(time.monotonic() - began < 10)
",
    );
    assert_eq!(output, "150\n425\nTrue\n");
}
