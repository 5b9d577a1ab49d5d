//! The server that is measured against, and the slow line to it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Ground;

/// vsftpd, the fastest of the servers Debian has.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// What clients are started with, to be at the other end of the line.
    prefix: Vec<String>,
}

impl Server {
    pub(crate) fn start(ground: &Ground, line: Option<&Line>) -> Result<Self> {
        let root = ground.served();
        let port = match line {
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                .local_addr()?
                .port(),
            Some(_) => 2121,
        };
        let config = root.with_file_name("vsftpd.conf");
        let text = format!(
            "listen=YES\nlisten_port={port}\nbackground=NO\nrun_as_launching_user=YES\n\
             anonymous_enable=YES\nno_anon_password=YES\nanon_root={}\nwrite_enable=YES\n\
             anon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n\
             anon_umask=022\nanon_world_readable_only=NO\nallow_writeable_chroot=YES\n\
             xferlog_enable=NO\nseccomp_sandbox=NO\nmax_per_ip=0\nmax_clients=0\n\
             secure_chroot_dir={}\n",
            root.display(),
            root.display()
        );
        fs::write(&config, text)?;
        let inside = |space: &str| ["ip", "netns", "exec", space].map(str::to_owned).to_vec();
        let (mut words, prefix, host) = match line {
            None => (Vec::new(), Vec::new(), Ipv4Addr::LOCALHOST),
            Some(_) => (inside("bench-far"), inside("bench-near"), FAR),
        };
        words.extend(["/usr/sbin/vsftpd".to_owned(), config.display().to_string()]);
        let (program, arguments) = words.split_first().context("no program")?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start vsftpd")?;
        let mut server = Self {
            child,
            address: SocketAddr::from((host, port)),
            prefix,
        };
        server.ready(line.is_some())?;
        Ok(server)
    }

    fn ready(&mut self, is_far: bool) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("vsftpd ended with {status}");
            }
            // From here a namespace is out of reach: there it gets the time it needs on loopback.
            if is_far || TcpStream::connect(self.address).is_ok() {
                thread::sleep(Duration::from_millis(300));
                return Ok(());
            }
            if Instant::now() > until {
                bail!("vsftpd does not answer");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        "vsftpd"
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn prefix(&self) -> &[String] {
        &self.prefix
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// The far end of the line, as `bench/latency.py` has it.
const FAR: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 2);

/// Two network namespaces with a slow line between them; they end with it.
#[derive(Debug)]
pub(crate) struct Line {
    child: Child,
    how: String,
}

impl Line {
    pub(crate) fn start(round_trip_ms: u32) -> Result<Self> {
        let mut child = Command::new("python3")
            .args(["bench/latency.py", "bench", &round_trip_ms.to_string()])
            .arg(std::env::current_exe()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start bench/latency.py")?;
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        match said.trim_end() {
            "" => bail!("the slow line needs root, iproute2 and netem or /dev/net/tun"),
            how => Ok(Self {
                child,
                how: how.to_owned(),
            }),
        }
    }

    /// `netem` or `tun`.
    pub(crate) fn how(&self) -> &str {
        &self.how
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().map(drop).unwrap_or_default();
    }
}
