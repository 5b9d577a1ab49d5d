//! Servers with a directory each, and the program run against them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ftp_server::auth::{Accounts, Secret};
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::ftp_proto::server::TlsRules;
use ftp_server::tls::{ClientCertificates, Identity, Tls, TlsOptions};
use ftp_server::{Limits, Listener, Server};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Longest wait for a server to come up, and for a run of the program.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Vsftpd,
    Pyftpdlib,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Vsftpd, Self::Pyftpdlib];
}

/// A running server that lets anybody read and write; it ends with this.
pub(crate) struct Running {
    directory: TempDir,
    pub(crate) port: u16,
    _life: Life,
}

enum Life {
    Thread(CancellationToken, Option<JoinHandle<()>>),
    Process(Child),
}

impl Running {
    pub(crate) fn start(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["data", "here", "empty"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let root = directory.path().join("data");
        let (port, life) = match kind {
            Kind::Ours => ours(&root, None),
            Kind::Vsftpd => process(vsftpd(directory.path())),
            Kind::Pyftpdlib => process(pyftpdlib(&root)),
        };
        Self {
            directory,
            port,
            _life: life,
        }
    }

    /// Our own server under TLS, and its certificate.
    pub(crate) fn secured(implicit: bool, clients: ClientCertificates) -> (Self, String) {
        let directory = tempfile::tempdir().unwrap();
        for name in ["data", "here"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let (identity, made) = Identity::self_signed(&names).unwrap();
        let options = TlsOptions {
            client_certificates: clients,
            ..TlsOptions::default()
        };
        let tls = Tls::new(identity, &options).unwrap();
        let (port, life) = ours(&directory.path().join("data"), Some((tls, implicit)));
        let running = Self {
            directory,
            port,
            _life: life,
        };
        (running, made.certificate)
    }

    /// A path among the server's files.
    pub(crate) fn there(&self, path: &str) -> PathBuf {
        self.directory.path().join("data").join(path)
    }

    /// A path in the directory the program is run in.
    pub(crate) fn here(&self, path: &str) -> PathBuf {
        self.directory.path().join("here").join(path)
    }

    pub(crate) fn put_there(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.there(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("ftp://127.0.0.1:{}/{path}", self.port)
    }

    /// Runs the program; `URL/` in its words stands for the server.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        run(&self.here(""), &self.words(words))
    }

    fn words(&self, words: &[&str]) -> Vec<String> {
        let url = self.url("");
        words
            .iter()
            .map(|word| word.replace("URL/", &url))
            .collect()
    }

    /// Runs the program, which has to succeed; its output.
    pub(crate) fn good(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which has to fail with this status; what it says.
    pub(crate) fn bad(&self, status: i32, words: &[&str]) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{words:?}: {said}");
        said
    }
}

/// Runs the program in a directory, with nothing of ours in its environment.
pub(crate) fn run(directory: &Path, words: &[String]) -> Output {
    let child = command(directory, words).spawn().unwrap();
    finish(child)
}

pub(crate) fn command(directory: &Path, words: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sundew-ftp"));
    command
        .args(words)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Waits for a program within bounds.
pub(crate) fn finish(child: Child) -> Output {
    let (report, ended) = mpsc::channel();
    let id = child.id();
    thread::spawn(move || report.send(child.wait_with_output()));
    match ended.recv_timeout(PATIENCE) {
        Ok(output) => output.unwrap(),
        Err(_) => panic!("process {id} did not end"),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match &mut self._life {
            Life::Thread(stop, thread) => {
                stop.cancel();
                if let Some(thread) = thread.take() {
                    thread.join().ok();
                }
            }
            Life::Process(child) => {
                child.kill().ok();
                child.wait().ok();
            }
        }
    }
}

fn ours(root: &Path, tls: Option<(Tls, bool)>) -> (u16, Life) {
    let disk = Disk::open(root).unwrap();
    let (report, started) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
            let mut listener = Listener::bind(&[any]).unwrap();
            if matches!(tls, Some((_, true))) {
                listener = listener.implicit_tls();
            }
            let port = listener.addresses().unwrap()[0].port();
            let accounts = Accounts::new().with_anonymous(Rights::ALL);
            let accounts = accounts.with_user(
                "bob".try_into().unwrap(),
                Secret::new(*b"secret"),
                Rights::ALL,
            );
            let mut options = FileOptions::default();
            if let Some((_, implicit)) = tls {
                options.settings.tls = Some(TlsRules {
                    implicit,
                    ..TlsRules::default()
                });
            }
            let files = FileServer::new(accounts, disk, options);
            let mut server = Server::new(files, Limits::default());
            if let Some((tls, _)) = tls {
                server = server.with_tls(tls);
            }
            report.send((port, server.stop_token())).unwrap();
            server.serve(listener).await.unwrap();
        });
    });
    let (port, stop) = started.recv_timeout(PATIENCE).unwrap();
    (port, Life::Thread(stop, Some(thread)))
}

fn process((port, mut command): (u16, Command)) -> (u16, Life) {
    let program = format!("{:?}", command.get_program());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; run scripts/test --peers"));
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none() && Instant::now() < until,
            "{program}: {ended:?}"
        );
        thread::yield_now();
    }
    (port, Life::Process(child))
}

fn free_port() -> u16 {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    any.local_addr().unwrap().port()
}

fn vsftpd(at: &Path) -> (u16, Command) {
    let port = free_port();
    let shown = at.display();
    let text = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         run_as_launching_user=YES\nseccomp_sandbox=NO\nanonymous_enable=YES\n\
         anon_root={shown}/data\nwrite_enable=YES\nanon_upload_enable=YES\n\
         anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_umask=022\n\
         anon_world_readable_only=NO\nallow_writeable_chroot=YES\nxferlog_enable=NO\n\
         connect_from_port_20=NO\nascii_upload_enable=YES\nascii_download_enable=YES\n\
         secure_chroot_dir={shown}/empty\n"
    );
    let config = at.join("vsftpd.conf");
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("/usr/sbin/vsftpd");
    command.arg(config);
    (port, command)
}

fn pyftpdlib(root: &Path) -> (u16, Command) {
    let script = r#"
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
users = DummyAuthorizer()
users.add_anonymous(sys.argv[1], perm="elradfmwMT")
FTPHandler.authorizer = users
FTPServer(("127.0.0.1", int(sys.argv[2])), FTPHandler).serve_forever()
"#;
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/venv/bin");
    let peers = std::env::var_os("SUNDEW_PEERS").map_or_else(|| beside.into(), PathBuf::from);
    let port = free_port();
    let mut command = Command::new(peers.join("python"));
    command.args(["-c", script]).arg(root).arg(port.to_string());
    (port, command)
}
