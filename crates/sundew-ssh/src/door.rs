//! The traits of `boundary` over the sensor's sessions: every call is passed on in
//! the words of `sundew-session`.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sundew_events::event::{Kex, KexLists, PublicKey, Target};
use sundew_events::{Lossy, Protocol};
use sundew_session::{Channel, Exit, Output, Sensor, Session, Start};
use tokio_util::sync::CancellationToken;

use crate::boundary::{
    self, BoxFuture, CloseReason, DirectTcpip, Ends, Forward, KexOffer, OfferedKey,
};

/// The SSH door of a sensor.
#[derive(Debug)]
pub struct SensorDoor(Arc<Sensor>);

impl SensorDoor {
    /// A door into this sensor.
    #[must_use]
    pub fn new(sensor: Arc<Sensor>) -> Arc<Self> {
        Arc::new(Self(sensor))
    }
}

impl boundary::Door for SensorDoor {
    fn open(&self, ends: Ends) -> Option<Arc<dyn boundary::Connection>> {
        let endpoint = |address: SocketAddr| (address.ip(), address.port());
        let session = self
            .0
            .open(Protocol::Ssh, endpoint(ends.client), endpoint(ends.server));
        Some(Arc::new(Guest(session)))
    }

    fn turned_away(&self, ends: Ends) {
        tracing::info!(client = %ends.client, "turned away: too many connections");
    }
}

/// One connection.
struct Guest(Arc<Session>);

impl boundary::Connection for Guest {
    fn identified(&self, line: &[u8]) {
        self.0.client_version(line);
    }

    fn key_exchange(&self, offer: &KexOffer) {
        self.0.client_kex(Kex::new(&KexLists {
            kex: offer.kex.as_bytes(),
            host_key: offer.host_key.as_bytes(),
            cipher: offer.cipher_in.as_bytes(),
            mac: offer.mac_in.as_bytes(),
            compression: offer.compression_in.as_bytes(),
            language: offer.language_in.as_bytes(),
        }));
    }

    fn none(&self, _user: &[u8]) {
        // Cowrie has an event only for those it lets in this way; every OpenSSH client asks it.
    }

    fn password<'a>(&'a self, user: &'a [u8], password: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(self.0.password(user, password))
    }

    fn public_key<'a>(&'a self, user: &'a [u8], key: &'a OfferedKey) -> BoxFuture<'a, bool> {
        let sha256 = digest::digest(&digest::SHA256, &key.blob);
        let permitted = self.0.public_key(
            user,
            PublicKey {
                fingerprint: key.md5_fingerprint(),
                fingerprint_sha256: format!("SHA256:{}", STANDARD_NO_PAD.encode(sha256)),
                key: Lossy::from(key.openssh()),
                algorithm: Lossy::from(key.algorithm.as_str()),
            },
        );
        Box::pin(std::future::ready(permitted))
    }

    fn channel(&self) -> Option<Arc<dyn boundary::Channel>> {
        Some(Arc::new(Line(self.0.channel())))
    }

    fn direct_tcpip(&self, request: &DirectTcpip) -> Forward {
        let origin = Target {
            host: Lossy::new(&request.originator_host),
            port: request.originator_port,
        };
        self.0.forward(target(request), origin);
        // What a client sends through it says what it is after.
        Forward::Swallow
    }

    fn direct_tcpip_data(&self, request: &DirectTcpip, data: &[u8]) {
        self.0.forwarded(target(request), request.id, data);
    }

    fn hangup(&self) -> CancellationToken {
        self.0.hangup()
    }

    fn closed(&self, reason: CloseReason) {
        tracing::debug!(session = %self.0.id(), %reason, "connection closed");
        self.0.closed();
    }
}

fn target(request: &DirectTcpip) -> Target {
    Target {
        host: Lossy::new(&request.host),
        port: request.port,
    }
}

/// One session channel.
struct Line(Arc<Channel>);

impl boundary::Channel for Line {
    fn env(&self, name: &[u8], value: &[u8]) -> bool {
        self.0.env(name, value)
    }

    fn pty(&self, request: boundary::PtyRequest) -> bool {
        self.0
            .pty(&request.term, request.columns, request.rows, &request.modes)
    }

    fn resize(&self, columns: u32, rows: u32) {
        self.0.resize(columns, rows);
    }

    fn start(&self, start: boundary::Start) -> Option<boundary::Started> {
        let start = match start {
            boundary::Start::Shell => Start::Shell,
            boundary::Start::Exec(command) => Start::Exec(command),
            boundary::Start::Subsystem(name) => Start::Subsystem(name),
        };
        let started = self.0.start(&start)?;
        Some(boundary::Started {
            input: started.input,
            output: started.output,
        })
    }

    fn signal(&self, name: &str) {
        self.0.signal(name);
    }
}

impl From<Output> for boundary::Output {
    fn from(output: Output) -> Self {
        match output {
            Output::Stdout(bytes) => Self::Stdout(bytes),
            Output::Stderr(bytes) => Self::Stderr(bytes),
            Output::Exit(Exit::Code(code)) => Self::Exit(boundary::ExitStatus::Code(code.into())),
            Output::Exit(Exit::Signal(name)) => {
                Self::Exit(boundary::ExitStatus::Signal { name, core: false })
            }
        }
    }
}
