//! The client of the transcripts: a control connection that may be under TLS, and a data connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// Nothing here takes that long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Talk {
    control: Wire,
    data: Option<Wire>,
    listener: Option<TcpListener>,
    config: Arc<ClientConfig>,
    /// Bytes of the control connection that were read and not used.
    buffer: Vec<u8>,
}

enum Wire {
    Clear(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// Between the two.
    Neither,
}

impl Talk {
    pub(super) fn connect(port: u16) -> std::io::Result<Self> {
        let stream = open((Ipv4Addr::LOCALHOST, port).into())?;
        Ok(Self {
            control: Wire::Clear(stream),
            data: None,
            listener: None,
            config: Arc::new(trusting()),
            buffer: Vec::new(),
        })
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.control.write(bytes)
    }

    pub(super) fn send_urgent(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Wire::Clear(stream) = &self.control else {
            return Err("urgent data goes in clear".to_owned());
        };
        let sent = rustix::net::send(stream, bytes, rustix::net::SendFlags::OOB);
        sent.map(drop).map_err(|error| error.to_string())
    }

    pub(super) fn ask(&mut self, line: &str, wanted: &str) -> Result<(), String> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.expect(wanted).map_err(|why| format!("{line}: {why}"))
    }

    /// The next reply has one of these codes and holds this text.
    pub(super) fn expect(&mut self, wanted: &str) -> Result<(), String> {
        let (codes, text) = wanted.split_once(' ').unwrap_or((wanted, ""));
        let reply = self.reply()?;
        let code = reply.get(..3).unwrap_or_default();
        let text = text.replace("\\r\\n", "\r\n");
        if codes.split('|').any(|one| one == code) && reply.contains(&text) {
            return Ok(());
        }
        Err(format!("{reply:?} instead of {wanted:?}"))
    }

    fn reply(&mut self) -> Result<String, String> {
        let mut reply = String::new();
        loop {
            let line = self.line()?;
            reply.push_str(&line);
            let is_numbered = line.bytes().take(3).filter(u8::is_ascii_digit).count() == 3;
            if is_numbered && line.as_bytes().get(3) == Some(&b' ') {
                return Ok(reply);
            }
        }
    }

    fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if !line.ends_with(b"\r\n") {
                    return Err("a reply without CRLF".to_owned());
                }
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            let mut piece = [0; 4096];
            match self.control.read(&mut piece)? {
                0 => return Err("the server has closed".to_owned()),
                count => self.buffer.extend_from_slice(&piece[..count]),
            }
        }
    }

    pub(super) fn ends(&mut self) -> Result<(), String> {
        match self.control.read(&mut [0; 100]) {
            Ok(0) if self.buffer.is_empty() => Ok(()),
            Ok(_) => Err("there is more".to_owned()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn secure(&mut self) -> Result<(), String> {
        if !self.buffer.is_empty() {
            return Err("there are replies in clear behind the 234".to_owned());
        }
        self.control.secure(&self.config)
    }

    /// Says close_notify, waits for the server's and goes on in clear.
    pub(super) fn clear(&mut self) -> Result<(), String> {
        let Wire::Secure(mut stream) = std::mem::replace(&mut self.control, Wire::Neither) else {
            return Err("it is in clear".to_owned());
        };
        stream.conn.send_close_notify();
        stream.flush().map_err(|error| error.to_string())?;
        match stream.read(&mut [0]) {
            Ok(0) => {}
            other => return Err(format!("{other:?} instead of close_notify")),
        }
        self.control = Wire::Clear(stream.sock);
        Ok(())
    }

    pub(super) fn dial(&mut self) -> Result<(), String> {
        self.send(b"EPSV\r\n")?;
        let reply = self.reply()?;
        let port = reply.split('|').nth(3).and_then(|port| port.parse().ok());
        let port: u16 = port.ok_or(reply)?;
        let stream = open((Ipv4Addr::LOCALHOST, port).into()).map_err(|error| error.to_string())?;
        self.data = Some(Wire::Clear(stream));
        Ok(())
    }

    pub(super) fn listen(&mut self) -> Result<(), String> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let port = listener
            .local_addr()
            .map_err(|error| error.to_string())?
            .port();
        self.listener = Some(listener);
        self.send(format!("PORT 127,0,0,1,{},{}\r\n", port / 256, port % 256).as_bytes())?;
        self.expect("200")
    }

    fn data(&mut self) -> Result<Wire, String> {
        if let Some(data) = self.data.take() {
            return Ok(data);
        }
        let listener = self.listener.take().ok_or("no data connection")?;
        let (stream, _) = listener.accept().map_err(|error| error.to_string())?;
        stream
            .set_read_timeout(Some(PATIENCE))
            .map_err(|error| error.to_string())?;
        Ok(Wire::Clear(stream))
    }

    pub(super) fn secure_data(&mut self) -> Result<(), String> {
        let mut data = self.data()?;
        data.secure(&self.config)?;
        self.data = Some(data);
        Ok(())
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut data = self.data()?;
        data.write(bytes)?;
        match &mut data {
            Wire::Secure(stream) => {
                stream.conn.send_close_notify();
                stream.flush().map_err(|error| error.to_string())
            }
            Wire::Clear(stream) => stream
                .shutdown(Shutdown::Write)
                .map_err(|error| error.to_string()),
            Wire::Neither => Ok(()),
        }
    }

    pub(super) fn get(&mut self, wanted: &[u8]) -> Result<(), String> {
        let mut data = self.data()?;
        let mut found = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match data.read(&mut piece)? {
                0 => break,
                count => found.extend_from_slice(&piece[..count]),
            }
        }
        if found == wanted {
            return Ok(());
        }
        Err(format!("{} came", found.escape_ascii()))
    }
}

impl Wire {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let read = match self {
            Self::Clear(stream) => stream.read(buffer),
            Self::Secure(stream) => stream.read(buffer),
            Self::Neither => Ok(0),
        };
        read.map_err(|error| format!("reading: {error}"))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = match self {
            Self::Clear(stream) => stream.write_all(bytes),
            Self::Secure(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Self::Neither => Ok(()),
        };
        written.map_err(|error| format!("writing: {error}"))
    }

    fn secure(&mut self, config: &Arc<ClientConfig>) -> Result<(), String> {
        let Self::Clear(mut stream) = std::mem::replace(self, Self::Neither) else {
            return Err("TLS is on".to_owned());
        };
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)
                .map_err(|error| format!("handshake: {error}"))?;
        }
        *self = Self::Secure(Box::new(StreamOwned::new(tls, stream)));
        Ok(())
    }
}

fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A client that believes any certificate and keeps sessions for its data connections.
fn trusting() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let verifier = Arc::new(AnyCertificate(provider));
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    builder.with_no_client_auth()
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
