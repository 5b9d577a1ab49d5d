//! An FTP client that does nothing but load a server: one thread, blocking calls, passive mode.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, SignatureScheme,
    StreamOwned,
};

/// Longest wait for anything; a server that is silent for so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes read at a time, and kept for the next line.
const READ_BYTES: usize = 16 * 1024;

/// A socket, perhaps with TLS.
pub(crate) enum Wire {
    Clear(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
    Lost,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer),
            Self::Secure(stream) => stream.read(buffer),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(bytes),
            Self::Secure(stream) => stream.write(bytes),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Secure(stream) => stream.flush(),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// A control connection.
pub(crate) struct Client {
    wire: Wire,
    /// Where it comes from, and its data connections too: servers look.
    from: Ipv4Addr,
    buffer: Vec<u8>,
    start: usize,
    tls: Option<Arc<ClientConfig>>,
    /// Data connections that have resumed the session of this one.
    pub(crate) resumed: usize,
}

impl Client {
    /// Connects and reads the greeting. `from` lets each come from another address of loopback.
    pub(crate) fn connect(port: u16, from: Ipv4Addr) -> Result<Self> {
        let stream = dial(from, port)?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            wire: Wire::Clear(stream),
            from,
            buffer: Vec::new(),
            start: 0,
            tls: None,
            resumed: 0,
        };
        client.expect(220).context("greeting")?;
        Ok(client)
    }

    /// Logs in as everybody may, for binary transfers.
    pub(crate) fn log_in(&mut self) -> Result<()> {
        self.say("USER anonymous")?;
        if self.reply()? == 331 {
            self.ask("PASS bench@example.org", 230)?;
        }
        Ok(())
    }

    /// [`Client::connect`], perhaps TLS, [`Client::log_in`] and TYPE I.
    pub(crate) fn ready(port: u16, from: Ipv4Addr, tls: bool) -> Result<Self> {
        let mut client = Self::connect(port, from)?;
        if tls {
            client.secure()?;
        }
        client.log_in()?;
        client.ask("TYPE I", 200)?;
        Ok(client)
    }

    fn secure(&mut self) -> Result<()> {
        self.ask("AUTH TLS", 234)?;
        let config = Arc::new(trusting());
        let Wire::Clear(stream) = std::mem::replace(&mut self.wire, Wire::Lost) else {
            bail!("TLS twice");
        };
        self.wire = Wire::Secure(Box::new(shake(stream, &config)?));
        self.tls = Some(config);
        self.ask("PBSZ 0", 200)?;
        self.ask("PROT P", 200)?;
        Ok(())
    }

    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        self.wire.write_all(format!("{line}\r\n").as_bytes())?;
        Ok(self.wire.flush()?)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.wire.write_all(bytes)?)
    }

    pub(crate) fn ask(&mut self, line: &str, code: u16) -> Result<()> {
        self.say(line)?;
        self.expect(code).with_context(|| line.to_owned())
    }

    pub(crate) fn expect(&mut self, code: u16) -> Result<()> {
        let found = self.reply()?;
        if found != code {
            bail!("{found} instead of {code}");
        }
        Ok(())
    }

    /// The code of the next reply, which may have many lines.
    pub(crate) fn reply(&mut self) -> Result<u16> {
        loop {
            let line = self.line()?;
            if let [a, b, c, b' ', ..] = line[..]
                && [a, b, c].iter().all(u8::is_ascii_digit)
            {
                return Ok(std::str::from_utf8(&[a, b, c])?.parse()?);
            }
        }
    }

    fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let line = rest[..end].to_vec();
                self.start += end + 1;
                return Ok(line);
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            let length = self.buffer.len();
            self.buffer.resize(length + READ_BYTES, 0);
            let count = self.wire.read(&mut self.buffer[length..]);
            self.buffer.truncate(length + *count.as_ref().unwrap_or(&0));
            if count? == 0 {
                bail!("closed");
            }
        }
    }

    /// Waits for the server to close.
    pub(crate) fn end(mut self) -> Result<()> {
        let mut rest = [0; 256];
        while self.wire.read(&mut rest)? > 0 {}
        Ok(())
    }

    /// Opens a data connection for a command and hears that it is to be used.
    pub(crate) fn data(&mut self, command: &str) -> Result<Wire> {
        self.say("EPSV")?;
        let port = loop {
            let line = self.line()?;
            let text = String::from_utf8_lossy(&line).into_owned();
            if let Some(text) = text.strip_prefix("229 ") {
                let port = text.split('|').nth(3).context("no port in a 229")?;
                break port.parse()?;
            }
            if text.as_bytes().get(3) == Some(&b' ') {
                bail!("EPSV: {text}");
            }
        };
        let stream = dial(self.from, port)?;
        self.say(command)?;
        let code = self.reply()?;
        if code != 150 && code != 125 {
            bail!("{command}: {code}");
        }
        let Some(config) = self.tls.clone() else {
            return Ok(Wire::Clear(stream));
        };
        let stream = shake(stream, &config)?;
        if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
            self.resumed += 1;
        }
        Ok(Wire::Secure(Box::new(stream)))
    }

    /// Fetches something and throws it away; gives its length.
    pub(crate) fn discard(&mut self, command: &str, buffer: &mut [u8]) -> Result<usize> {
        let mut wire = self.data(command)?;
        let mut length = 0;
        loop {
            let count = match &mut wire {
                // The kernel throws it away: what the client costs is not what is measured.
                Wire::Clear(stream) => {
                    let flags = rustix::net::RecvFlags::TRUNC;
                    rustix::net::recv(stream, &mut *buffer, flags)?.1
                }
                wire => wire.read(buffer)?,
            };
            if count == 0 {
                break;
            }
            length += count;
        }
        drop(wire);
        self.expect(226)?;
        Ok(length)
    }

    /// Fetches something.
    pub(crate) fn fetch(&mut self, command: &str, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.data(command)?.read_to_end(out)?;
        self.expect(226)
    }

    /// Stores a file of ours.
    pub(crate) fn store(&mut self, name: &str, file: &std::fs::File, length: usize) -> Result<()> {
        let wire = self.data(&format!("STOR {name}"))?;
        let Wire::Clear(stream) = &wire else {
            bail!("uploads are measured in clear");
        };
        let mut offset = 0;
        while offset < length as u64 {
            let left = length - usize::try_from(offset)?;
            if rustix::fs::sendfile(stream, file, Some(&mut offset), left)? == 0 {
                bail!("our file has become shorter");
            }
        }
        drop(wire);
        self.expect(226)
    }
}

fn dial(from: Ipv4Addr, port: u16) -> Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn shake(
    stream: TcpStream,
    config: &Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from("localhost")?;
    let mut tls = ClientConnection::new(Arc::clone(config), name)?;
    let mut stream = stream;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(tls, stream))
}

/// Each control connection has its own, and with it its own sessions to resume.
fn trusting() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let schemes = provider
        .signature_verification_algorithms
        .supported_schemes();
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // It fails for a provider without suites, which this one is not.
    let builder = builder.unwrap_or_else(|error| unreachable!("{error}"));
    builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting(schemes)))
        .with_no_client_auth()
}

/// Believes every certificate: whose it is, is not what is measured.
#[derive(Debug)]
struct Trusting(Vec<SignatureScheme>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
