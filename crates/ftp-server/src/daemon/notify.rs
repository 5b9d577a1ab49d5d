//! What is told to systemd, as sd_notify(3) says: ready, reading the configuration again, stopping,
//! and, where it wants that, that we are still alive.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The socket of whoever has started us, if it wants to be told anything.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// By `NOTIFY_SOCKET` and `WATCHDOG_USEC`. Call it before files are given up.
    #[must_use]
    pub fn from_environment() -> Self {
        let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
            return Self::default();
        };
        match connect(path.as_bytes()) {
            Ok(socket) => Self {
                socket: Some(socket),
                watchdog: watchdog(),
            },
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "NOTIFY_SOCKET");
                Self::default()
            }
        }
    }

    /// The ports are open.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The configuration is being read again; [`Notifier::ready`] comes after it.
    pub fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=transfers may finish");
    }

    /// Says from time to time that we are alive, if that was asked for; never ends.
    pub async fn stay_alive(&self) {
        let Some(time) = self.watchdog else {
            return std::future::pending().await;
        };
        let mut times = tokio::time::interval(time / 2);
        loop {
            times.tick().await;
            self.tell("WATCHDOG=1");
        }
    }

    fn tell(&self, text: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(text.as_bytes())
        {
            tracing::debug!(%error, "not told to systemd");
        }
    }
}

/// A path, or `@name` for one that is no file.
fn connect(path: &[u8]) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    let address = match path.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))?,
    };
    socket.connect_addr(&address)?;
    // A reader that does not read must not stop us.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn watchdog() -> Option<Duration> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    if number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id())) {
        return None;
    }
    let micros = number("WATCHDOG_USEC")?;
    (micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_one_datagram_each_to_a_path_or_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let reader = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier {
            socket: Some(connect(path.as_os_str().as_bytes()).unwrap()),
            watchdog: None,
        };
        let mut buffer = [0; 200];
        let mut said = || {
            let count = reader.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..count].to_vec()).unwrap()
        };
        notifier.ready("port 21");
        assert_eq!(said(), "READY=1\nSTATUS=port 21");
        notifier.reloading();
        assert!(said().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        notifier.stopping();
        assert!(said().starts_with("STOPPING=1\n"));

        let name = format!("@ftpd-test-{}", path.display());
        let address = SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
        let reader = UnixDatagram::bind_addr(&address).unwrap();
        connect(name.as_bytes()).unwrap().send(b"x").unwrap();
        assert_eq!(reader.recv(&mut buffer).unwrap(), 1);
    }
}
