//! Starts real servers on loopback, each with a directory, a user `bob` and a certificate.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ftp_client::{Config, Login, Security, TlsOptions};

/// Longest time a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts before giving up.
const ATTEMPTS: usize = 5;

/// `openssl passwd -6 -salt sundew secret`.
const SECRET: &str = "$6$sundew$Gy7y4gccSFQHQlr0uLWSjFOD9oV8u1Wy5exgxQF2gVsdJY54dhLe5XiE05sDLxerELE7ErKvHN08DpqynGlob1";

/// Debian's `nobody` and `nogroup`.
const NOBODY: u32 = 65534;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Vsftpd,
    Proftpd,
    PureFtpd,
    Pyftpdlib,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] =
        [Self::Vsftpd, Self::Proftpd, Self::PureFtpd, Self::Pyftpdlib];
}

/// What is asked of a server beyond the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// TLS from the first byte.
    pub(crate) implicit: bool,
    /// A certificate of the client's, signed by `client.pem`.
    pub(crate) certificates: bool,
    /// A second host, `other.example`, on the same address; ProFTPD then wants a name that it knows under
    /// TLS too.
    pub(crate) hosts: bool,
}

/// A running server; dropping it ends it.
pub(crate) struct Server {
    child: Child,
    directory: tempfile::TempDir,
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    pub(crate) certificate: Vec<u8>,
    /// A certificate the server trusts its clients with, and its key.
    pub(crate) client: (Vec<u8>, Vec<u8>),
}

impl Server {
    /// Somebody else may take the port between our looking for one and the server's: then again.
    pub(crate) async fn start(kind: Kind) -> Self {
        Self::start_with(kind, Wish::default()).await
    }

    pub(crate) async fn start_with(kind: Kind, wish: Wish) -> Self {
        for _ in 0..ATTEMPTS {
            let mut server = Self::spawn(kind, wish);
            if server.listens().await {
                return server;
            }
        }
        panic!("{kind:?} does not start");
    }

    fn spawn(kind: Kind, wish: Wish) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Servers give up root before they look at the files.
        let readable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), readable).unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("data")).unwrap();
        std::fs::create_dir(root.join("empty")).unwrap();
        std::os::unix::fs::chown(root.join("data"), Some(NOBODY), Some(NOBODY)).ok();
        let (certificate, _) = write_certificate(root, "cert.pem", "key.pem");
        let client = write_certificate(root, "client.pem", "client.key");
        std::fs::create_dir(root.join("other")).unwrap();
        std::os::unix::fs::chown(root.join("other"), Some(NOBODY), Some(NOBODY)).ok();
        let port = free_port();
        let log = std::fs::File::create(root.join("log")).unwrap();
        let mut command = kind.command(root, port, wish);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let program = format!("{:?}", command.get_program());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; run scripts/test --peers"));
        Self {
            child,
            directory,
            kind,
            port,
            certificate,
            client,
        }
    }

    /// Whether the server came up; it may also have ended.
    async fn listens(&mut self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let listens = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    eprintln!("{:?} ended with {status}: {}", self.kind, self.log());
                    return false;
                }
                if tokio::net::TcpStream::connect(address).await.is_ok() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let listens = tokio::time::timeout(PATIENCE, listens).await;
        listens.unwrap_or_else(|_| panic!("{:?} does not listen", self.kind))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Where the server keeps the user's files.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Where ProFTPD keeps the files of its host `other.example`.
    pub(crate) fn other(&self) -> PathBuf {
        self.directory.path().join("other")
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new("127.0.0.1");
        config.port = Some(self.port);
        config.client_name = Some("sundew".into());
        config
    }

    /// Trusting the server's own certificate only.
    pub(crate) fn tls(&self) -> TlsOptions {
        TlsOptions::with_roots(&self.certificate).unwrap()
    }

    pub(crate) fn secured(&self, options: TlsOptions) -> Config {
        let mut config = self.config();
        config.host = "localhost".into();
        config.security = Security::Explicit(options);
        config
    }

    pub(crate) fn login(&self) -> Login {
        match self.kind {
            Kind::Vsftpd => Login::anonymous(),
            Kind::Proftpd | Kind::PureFtpd | Kind::Pyftpdlib => Login::new("bob", "secret"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Kind {
    fn command(self, root: &Path, port: u16, wish: Wish) -> Command {
        match self {
            Self::Vsftpd => vsftpd(root, port, wish),
            Self::Proftpd => proftpd(root, port, wish),
            Self::PureFtpd => pure_ftpd(root, port),
            Self::Pyftpdlib => pyftpdlib(root, port, wish),
        }
    }
}

fn vsftpd(root: &Path, port: u16, wish: Wish) -> Command {
    let at = root.display();
    let mut more = String::new();
    if wish.implicit {
        more += "implicit_ssl=YES\n";
    }
    if wish.certificates {
        more += &format!("require_cert=YES\nvalidate_cert=YES\nca_certs_file={at}/client.pem\n");
    }
    let text = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         run_as_launching_user=YES\nseccomp_sandbox=NO\nanonymous_enable=YES\nno_anon_password=NO\n\
         anon_root={at}/data\nwrite_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n\
         anon_other_write_enable=YES\nanon_umask=022\nanon_world_readable_only=NO\n\
         allow_writeable_chroot=YES\nxferlog_enable=NO\nsecure_chroot_dir={at}/empty\n\
         connect_from_port_20=NO\nasync_abor_enable=YES\nssl_enable=YES\nallow_anon_ssl=YES\n\
         require_ssl_reuse=YES\nforce_local_data_ssl=NO\nforce_local_logins_ssl=NO\nssl_ciphers=HIGH\n\
         rsa_cert_file={at}/cert.pem\nrsa_private_key_file={at}/key.pem\n{more}"
    );
    let config = write(root, "vsftpd.conf", &text);
    let mut command = Command::new("/usr/sbin/vsftpd");
    command.arg(config);
    command
}

fn proftpd(root: &Path, port: u16, wish: Wish) -> Command {
    let at = root.display();
    let mut tls = format!(
        "TLSEngine on\nTLSLog {at}/tls.log\nTLSRSACertificateFile {at}/cert.pem\n\
         TLSRSACertificateKeyFile {at}/key.pem\nTLSProtocol TLSv1.2 TLSv1.3\n"
    );
    if wish.implicit {
        tls += "TLSOptions UseImplicitSSL\n";
    }
    if wish.certificates {
        tls += &format!("TLSVerifyClient on\nTLSCACertificateFile {at}/client.pem\n");
    }
    let hosts = if wish.hosts {
        format!(
            "<VirtualHost 127.0.0.1>\nServerName other\nServerAlias other.example\nPort {port}\n\
             AuthOrder mod_auth_file.c\nAuthUserFile {at}/others\nRequireValidShell off\n\
             DefaultRoot ~\nWtmpLog off\nTransferLog none\n</VirtualHost>\n"
        )
    } else {
        String::new()
    };
    let modules = extracted("usr/lib/proftpd");
    let modules = modules.display();
    let text = format!(
        "ServerName test\nServerType standalone\nDefaultAddress 127.0.0.1\nSocketBindTight on\nPort {port}\nUseIPv6 off\n\
         User nobody\nGroup nogroup\nModulePath {modules}\nLoadModule mod_tls.c\n\
         LoadModule mod_digest.c\nPidFile {at}/pid\nScoreboardFile none\nDelayTable none\n\
         DelayEngine off\nWtmpLog off\nTransferLog none\nSystemLog {at}/log\n\
         AuthOrder mod_auth_file.c\nAuthUserFile {at}/users\nRequireValidShell off\nDefaultRoot ~\n\
         AllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\n{tls}\
         {hosts}"
    );
    let config = write(root, "proftpd.conf", &text);
    let users = format!("bob:{SECRET}:{NOBODY}:{NOBODY}::{at}/data:/bin/sh\n");
    let users = write(root, "users", &users);
    let others = format!("bob:{SECRET}:{NOBODY}:{NOBODY}::{at}/other:/bin/sh\n");
    let others = write(root, "others", &others);
    // ProFTPD refuses a list that others can read.
    for list in [users, others] {
        std::fs::set_permissions(list, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut command = with_libraries("usr/sbin/proftpd");
    command.args(["-n", "-q", "-c"]).arg(config);
    command
}

fn pure_ftpd(root: &Path, port: u16) -> Command {
    let at = root.display();
    // Format of the text puredb is made from: pure-pw(8).
    let user = format!("bob:{SECRET}:{NOBODY}:{NOBODY}::{at}/data/./::::::::::::\n");
    let passwords = write(root, "pure.passwd", &user);
    let database = root.join("pure.pdb");
    let made = with_libraries("usr/bin/pure-pw")
        .arg("mkdb")
        .arg(&database)
        .arg("-f")
        .arg(passwords)
        .status();
    assert!(made.unwrap().success(), "pure-pw");
    let both = [
        std::fs::read(root.join("key.pem")).unwrap(),
        std::fs::read(root.join("cert.pem")).unwrap(),
    ];
    std::fs::write(root.join("both.pem"), both.concat()).unwrap();
    let mut command = with_libraries("usr/sbin/pure-ftpd");
    command
        .args(["-S", &format!("127.0.0.1,{port}")])
        .args(["-l", &format!("puredb:{}", database.display())])
        .args(["-2", &format!("{at}/both.pem")])
        .args(["-g", &format!("{at}/pid")])
        // Every user, no reverse look-ups, TLS for who asks, no limit on system users' numbers.
        .args([
            "-A", "-E", "-H", "-Y", "1", "-u", "1", "-c", "50", "-C", "50",
        ]);
    command
}

fn pyftpdlib(root: &Path, port: u16, wish: Wish) -> Command {
    let script = r#"
import sys
from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer
root, port = sys.argv[1], int(sys.argv[2])
users = DummyAuthorizer()
users.add_user("bob", "secret", root + "/data", perm="elradfmwMT")
TLS_FTPHandler.authorizer = users
TLS_FTPHandler.certfile = root + "/cert.pem"
TLS_FTPHandler.keyfile = root + "/key.pem"
class Handler(TLS_FTPHandler):
    def handle(self):
        if "implicit" in sys.argv:
            self.secure_connection(self.ssl_context)
        super().handle()
    def handle_ssl_established(self):
        pass
context = Handler.get_ssl_context()
if "certificates" in sys.argv:
    context.load_verify_locations(root + "/client.pem")
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *said: said[-1])
    context.set_session_id(b"sundew")
Handler.ssl_context = context
FTPServer(("127.0.0.1", port), Handler).serve_forever()
"#;
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/venv/bin");
    let peers = std::env::var_os("SUNDEW_PEERS").map_or_else(|| beside.into(), PathBuf::from);
    let mut command = Command::new(peers.join("python"));
    command.args(["-c", script]).arg(root).arg(port.to_string());
    if wish.implicit {
        command.arg("implicit");
    }
    if wish.certificates {
        command.arg("certificates");
    }
    command
}

/// A file of the packages that are unpacked and not installed.
fn extracted(path: &str) -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/debian");
    let peers = std::env::var_os("SUNDEW_PEERS_DEBIAN");
    peers
        .map_or_else(|| beside.into(), PathBuf::from)
        .canonicalize()
        .expect("the unpacked peers are missing: run scripts/test --peers")
        .join(path)
}

/// A program of those packages, with the libraries that came with it.
fn with_libraries(path: &str) -> Command {
    let libraries = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new(extracted(path));
    command.env("LD_LIBRARY_PATH", extracted(&libraries));
    command
}

fn write(root: &Path, name: &str, text: &str) -> PathBuf {
    let path = root.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Key and certificate for `localhost` and 127.0.0.1; gives both.
fn write_certificate(root: &Path, certificate: &str, key: &str) -> (Vec<u8>, Vec<u8>) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (pem, secret) = (made.cert.pem(), made.signing_key.serialize_pem());
    write(root, certificate, &pem);
    write(root, key, &secret);
    (pem.into_bytes(), secret.into_bytes())
}

/// A port nobody listens on. Somebody else may take it first; these servers cannot be told to
/// choose one themselves.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
