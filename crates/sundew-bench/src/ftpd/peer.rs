//! The servers: how each is configured to do the same, started, and ended.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Options;
use super::data::Data;
use super::meter::Group;

/// Longest wait for a server to listen, and then to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Limit,
    Ours,
    Vsftpd,
    PureFtpd,
    Proftpd,
    Busybox,
    Pyftpdlib,
    Libunftp,
}

/// How one is started.
pub(crate) struct Plan {
    name: &'static str,
    port: u16,
    command: Vec<String>,
    /// Where it looks for libraries besides the system's places.
    libraries: Option<PathBuf>,
}

impl Peer {
    pub(crate) const fn all() -> [Self; 8] {
        [
            Self::Limit,
            Self::Ours,
            Self::Vsftpd,
            Self::PureFtpd,
            Self::Proftpd,
            Self::Busybox,
            Self::Pyftpdlib,
            Self::Libunftp,
        ]
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Ours => "ours",
            Self::Vsftpd => "vsftpd",
            Self::PureFtpd => "pure-ftpd",
            Self::Proftpd => "proftpd",
            Self::Busybox => "busybox",
            Self::Pyftpdlib => "pyftpdlib",
            Self::Libunftp => "libunftp",
        }
    }

    pub(crate) const fn has_tls(self) -> bool {
        match self {
            Self::Limit | Self::Busybox => false,
            Self::Ours
            | Self::Vsftpd
            | Self::PureFtpd
            | Self::Proftpd
            | Self::Pyftpdlib
            | Self::Libunftp => true,
        }
    }

    /// How it is started here; `None` if it is not on this machine.
    pub(crate) fn plan(self, options: &Options, data: &Data) -> Result<Option<Plan>> {
        let port = free_port()?;
        let root = text(&data.root());
        let mut libraries = None;
        let command = match self {
            Self::Limit => {
                let this = std::env::current_exe()?;
                Some(words(&[
                    &text(&this),
                    "ftp-limit",
                    &root,
                    &port.to_string(),
                ]))
            }
            Self::Ours => {
                let program = find(&[&options.ftpd]);
                program.map(|program| ours(&program, port, &root, data))
            }
            Self::Vsftpd => {
                let program = find(&[Path::new("/usr/sbin/vsftpd")]);
                program
                    .map(|program| vsftpd(&program, port, data))
                    .transpose()?
            }
            Self::PureFtpd | Self::Proftpd => {
                let name = format!("usr/sbin/{}", self.name());
                let unpacked = options.unpacked.join(&name);
                let program = find(&[&Path::new("/").join(&name), &unpacked]);
                libraries = Some(options.unpacked.join("usr/lib/x86_64-linux-gnu"));
                match (program, self) {
                    (Some(program), Self::PureFtpd) => Some(pure_ftpd(&program, port, data)?),
                    (Some(program), _) => Some(proftpd(&program, port, data, options)?),
                    (None, _) => None,
                }
            }
            Self::Busybox => {
                let program = find(&[Path::new("/usr/bin/busybox"), Path::new("/bin/busybox")]);
                program.map(|program| busybox(&program, port, &root))
            }
            Self::Pyftpdlib => {
                let program = find(&[&options.python]);
                program
                    .map(|python| pyftpdlib(&python, port, &root, data))
                    .transpose()?
            }
            Self::Libunftp => {
                let program = find(&[&options.libunftp]);
                program.map(|program| {
                    let (cert, key) = (text(&data.file("cert.pem")), text(&data.file("key.pem")));
                    words(&[&text(&program), &root, &port.to_string(), &cert, &key])
                })
            }
        };
        Ok(command.map(|command| Plan {
            name: self.name(),
            port,
            command,
            libraries: libraries.map(|path| fs::canonicalize(&path).unwrap_or(path)),
        }))
    }
}

fn ours(program: &Path, port: u16, root: &str, data: &Data) -> Vec<String> {
    let (cert, key) = (text(&data.file("cert.pem")), text(&data.file("key.pem")));
    let port = port.to_string();
    let serve = [&*text(program), root, "--write", "--port", &port];
    let rest = ["--log", "error", "--tls", "--cert", &cert, "--key", &key];
    words(&[&serve[..], &rest].concat())
}

fn vsftpd(program: &Path, port: u16, data: &Data) -> Result<Vec<String>> {
    let path = data.file("vsftpd.conf");
    let (root, empty) = (text(&data.root()), text(&data.file("empty")));
    let both = text(&data.file("both.pem"));
    fs::write(
        &path,
        format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
             anonymous_enable=YES\nlocal_enable=NO\nwrite_enable=YES\nanon_upload_enable=YES\n\
             anon_other_write_enable=YES\nanon_umask=022\nanon_root={root}\nftp_username=ftp\n\
             nopriv_user=nobody\nsecure_chroot_dir={empty}\nmax_clients=0\nmax_per_ip=0\n\
             xferlog_enable=NO\nuse_sendfile=YES\nidle_session_timeout=3600\nssl_enable=YES\n\
             allow_anon_ssl=YES\nforce_anon_logins_ssl=NO\nforce_anon_data_ssl=NO\nssl_tlsv1=YES\n\
             ssl_ciphers=HIGH\nrsa_cert_file={both}\nrsa_private_key_file={both}\n"
        ),
    )?;
    Ok(words(&[&text(program), &text(&path)]))
}

fn proftpd(program: &Path, port: u16, data: &Data, options: &Options) -> Result<Vec<String>> {
    let path = data.file("proftpd.conf");
    let file = |name: &str| text(&data.file(name));
    let modules = options.unpacked.join("usr/lib/proftpd");
    let modules = fs::canonicalize(&modules).unwrap_or_else(|_| "/usr/lib/proftpd".into());
    let (root, modules) = (text(&data.root()), text(&modules));
    let (pid, board, socket) = (file("pid"), file("scoreboard"), file("controls"));
    let (cert, key, log) = (file("cert.pem"), file("key.pem"), file("proftpd.log"));
    fs::write(
        &path,
        format!(
            "ModulePath {modules}\nLoadModule mod_tls.c\nServerName bench\nServerType standalone\n\
             DefaultAddress 127.0.0.1\nPort {port}\nUseIPv6 off\nUser nobody\nGroup nogroup\n\
             MaxInstances 10000\nPidFile {pid}\nScoreboardFile {board}\nControlsSocket {socket}\n\
             UseReverseDNS off\nRequireValidShell off\nAuthPAM off\nWtmpLog off\nUseLastlog off\n\
             TransferLog none\nSystemLog {log}\nSyslogLevel error\nTimeoutIdle 3600\n\
             UseSendfile on\nAllowOverwrite on\n<IfModule mod_delay.c>\n  DelayEngine off\n\
             </IfModule>\nTLSEngine on\nTLSRequired off\nTLSProtocol TLSv1.2 TLSv1.3\n\
             TLSRSACertificateFile {cert}\nTLSRSACertificateKeyFile {key}\n\
             TLSECCertificateFile {cert}\nTLSECCertificateKeyFile {key}\n\
             <Anonymous {root}>\n  User ftp\n  Group nogroup\n  UserAlias anonymous ftp\n\
             AnonRequirePassword off\n  RequireValidShell off\n</Anonymous>\n"
        ),
    )?;
    Ok(words(&[&text(program), "-n", "-q", "-c", &text(&path)]))
}

/// It puts anonymous users into the home of `ftp`, so that one has to be given to it: in a mount space
/// of its own, where `/etc` is a copy.
fn pure_ftpd(program: &Path, port: u16, data: &Data) -> Result<Vec<String>> {
    let etc = data.file("etc");
    let copied = Command::new("cp").args(["-a", "/etc"]).arg(&etc).status()?;
    if !copied.success() {
        bail!("cannot copy /etc");
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let root = text(&data.root());
    let users: String = users
        .lines()
        .map(|line| {
            let mut fields: Vec<_> = line.split(':').collect();
            if let ["ftp", .., home, _] = fields.as_mut_slice() {
                *home = &root;
            }
            fields.join(":") + "\n"
        })
        .collect();
    fs::write(etc.join("passwd"), users)?;
    let script = "mount --bind \"$0\" /etc && exec \"$@\"";
    let start = [
        "unshare",
        "-m",
        "sh",
        "-c",
        script,
        &text(&etc),
        &text(program),
    ];
    let (both, pid) = (text(&data.file("both.pem")), text(&data.file("pure.pid")));
    let address = format!("127.0.0.1,{port}");
    let options = [
        "-S", &address, "-c", "10000", "-C", "10000", "-e", "-H", "-I", "60",
    ];
    let more = ["-L", "20000:10", "-Y", "1", "-2", &both, "-g", &pid];
    Ok(words(&[&start[..], &options, &more].concat()))
}

fn busybox(program: &Path, port: u16, root: &str) -> Vec<String> {
    let (program, port) = (text(program), port.to_string());
    let listen = [
        &*program,
        "tcpsvd",
        "-E",
        "-c",
        "10000",
        "-b",
        "4096",
        "127.0.0.1",
        &port,
    ];
    let serve = [
        &*program, "ftpd", "-w", "-a", "ftp", "-t", "3600", "-T", "3600", root,
    ];
    words(&[&listen[..], &serve].concat())
}

fn pyftpdlib(python: &Path, port: u16, root: &str, data: &Data) -> Result<Vec<String>> {
    let script = data.file("pyftpd.py");
    fs::write(&script, PYFTPD)?;
    let cert = text(&data.file("both.pem"));
    Ok(words(&[
        &text(python),
        &text(&script),
        root,
        &port.to_string(),
        &cert,
    ]))
}

const PYFTPD: &str = "\
import logging, sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.servers import FTPServer
root, port, cert = sys.argv[1], int(sys.argv[2]), sys.argv[3]
try:
    from pyftpdlib.handlers import TLS_FTPHandler as Handler
    Handler.certfile = cert
except ImportError:
    from pyftpdlib.handlers import FTPHandler as Handler
logging.basicConfig(level=logging.ERROR)
Handler.authorizer = DummyAuthorizer()
Handler.authorizer.add_anonymous(root, perm='elradfmwMT')
Handler.timeout = 3600
server = FTPServer(('127.0.0.1', port), Handler, backlog=1024)
server.max_cons = server.max_cons_per_ip = 0
server.serve_forever(handle_exit=False)
";

impl Plan {
    /// Starts it and waits until it greets.
    pub(crate) fn start(&self) -> Result<Running> {
        let group = Group::make(&format!(
            "sundew-bench-{}-{}",
            self.name,
            std::process::id()
        ));
        // It enters its group before it becomes the server, so that nothing is missed.
        let script =
            "[ -z \"$DOOR\" ] || echo $$ >\"$DOOR\"; ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).args(&self.command);
        command.env("DOOR", group.door().unwrap_or_default());
        // Nobody pays for what is not read; every server here writes no log.
        command.env("RUST_LOG", "error");
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("cannot start it")?;
        let mut running = Running {
            child,
            group,
            port: self.port,
        };
        running.wait_for_greeting()?;
        Ok(running)
    }
}

/// A server that runs; ended when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: Group,
    port: u16,
}

impl Running {
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Processor time it has used.
    pub(crate) fn cpu(&self) -> Duration {
        self.group.cpu(self.child.id())
    }

    pub(crate) fn memory_kib(&self) -> u64 {
        self.group.memory_kib(self.child.id())
    }

    fn wait_for_greeting(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("it has ended: {status}");
            }
            if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                stream.set_read_timeout(Some(PATIENCE))?;
                let mut code = [0; 3];
                stream.read_exact(&mut code)?;
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("it does not listen")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let start = Instant::now();
        loop {
            let left: Vec<_> = self.group.processes(self.child.id());
            let is_late = start.elapsed() > PATIENCE / 3;
            for pid in &left {
                let pid = i32::try_from(*pid)
                    .ok()
                    .and_then(rustix::process::Pid::from_raw);
                let signal = if is_late {
                    rustix::process::Signal::KILL
                } else {
                    rustix::process::Signal::TERM
                };
                if let Some(pid) = pid
                    && let Err(errno) = rustix::process::kill_process(pid, signal)
                    && errno != rustix::io::Errno::SRCH
                {
                    eprintln!("cannot end {pid:?}: {errno}");
                }
            }
            let has_ended = self.child.try_wait().is_ok_and(|status| status.is_some());
            let is_alone = self.group.door().is_none() || left.is_empty();
            if (has_ended && is_alone) || start.elapsed() > PATIENCE {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn find(places: &[&Path]) -> Option<PathBuf> {
    // A virtual environment's python3 is a link, and means another place when it is followed.
    let place = places.iter().find(|path| path.is_file())?;
    std::path::absolute(place).ok()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
