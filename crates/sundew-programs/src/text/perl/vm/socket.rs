//! Sockets: `Socket`'s subs and `IO::Socket::INET`, through the machine's network.

use std::net::{IpAddr, SocketAddr};

use super::super::format;
use super::super::value::FileState;
use super::file::file;
use super::*;

impl Vm<'_> {
    /// `socket`: a handle that `connect` will fill.
    pub(super) async fn socket(&mut self, values: &[Value]) -> Res<Value> {
        let Some(place) = values.first() else {
            return Ok(Value::Undef);
        };
        let state = FileState {
            unconnected: true,
            ..FileState::default()
        };
        self.give_file(place, state).await
    }

    /// `connect` to a packed address.
    pub(super) async fn connect(&mut self, values: &[Value]) -> Res<Value> {
        let address = values.get(1).map(Value::bytes).unwrap_or_default();
        let Some(own) = values.first().and_then(|value| self.handle_of(value)) else {
            return Ok(self.failed(Errno::Ebadf));
        };
        let Some(target) = unpacked(&address) else {
            return Ok(self.failed(Errno::Einval));
        };
        let _closed = self.proc.flush().await;
        let network = self.proc.network();
        let outcome = match self.proc.interruptible(network.connect(target)).await {
            Ok(Ok(stream)) => self.proc.add_stream(stream),
            Ok(Err(errno)) | Err(errno) => Err(errno),
        };
        Ok(match outcome {
            Ok(fd) => {
                let mut state = lock(&own.state);
                state.fd = Some(fd);
                state.unconnected = false;
                Value::Int(1)
            }
            Err(errno) => self.failed(errno),
        })
    }

    /// `gethostbyname`, `inet_aton`: an address as four bytes.
    pub(super) async fn resolve(&mut self, name: &Value) -> Value {
        let network = self.proc.network();
        let found = self
            .proc
            .interruptible(network.resolve(&name.bytes()))
            .await;
        let Ok(Ok(addresses)) = found else {
            return Value::Undef;
        };
        let first = addresses.into_iter().find_map(|ip| match ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        first.map_or(Value::Undef, |ip| Value::text(ip.octets()))
    }

    /// `IO::Socket::INET->new(PeerAddr => …, PeerPort => …)`.
    pub(super) async fn connect_new(&mut self, values: &[Value]) -> Res<Value> {
        let option = |wanted: &[&str]| {
            values.chunks(2).find_map(|pair| {
                let name = pair.first()?.string().to_ascii_lowercase();
                let name = name.trim_start_matches('-');
                wanted
                    .contains(&name)
                    .then(|| pair.get(1).map(Value::string))
                    .flatten()
            })
        };
        let host = option(&["peeraddr", "peerhost"]).or_else(|| match values {
            [one] => Some(one.string()),
            _ => None,
        });
        let Some(host) = host else {
            if option(&["listen", "localport"]).is_some() {
                // Nothing outside reaches this machine; what listens would wait for ever.
                return Ok(self.socket_failed(Errno::Eaddrinuse, "bind"));
            }
            return Ok(self.socket_failed(Errno::Einval, "connect"));
        };
        let (host, port) = match (host.rsplit_once(':'), option(&["peerport"])) {
            (Some((host, port)), None) => (host.to_owned(), port.to_owned()),
            (_, port) => (host, port.unwrap_or_default()),
        };
        let service = match port.split('(').next().unwrap_or_default() {
            "http" => "80",
            "https" => "443",
            "ircd" => "6667",
            "smtp" => "25",
            other => other,
        };
        let port = service.trim().parse().unwrap_or(0);
        if option(&["proto"]).is_some_and(|proto| proto == "udp") {
            return Ok(self.socket_failed(Errno::Enetunreach, "connect"));
        }
        let _closed = self.proc.flush().await;
        let network = self.proc.network();
        let resolved = self
            .proc
            .interruptible(network.resolve(host.as_bytes()))
            .await;
        let Ok(Ok(addresses)) = resolved else {
            let text = format!("IO::Socket::INET: Bad hostname '{host}'");
            self.set_global("@", Value::text(text));
            self.set_errno(Errno::Einval);
            return Ok(Value::Undef);
        };
        let mut last = Errno::Econnrefused;
        for ip in addresses {
            let target = SocketAddr::new(ip, port);
            let stream = match self.proc.interruptible(network.connect(target)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(errno)) | Err(errno) => {
                    last = errno;
                    continue;
                }
            };
            return Ok(match self.proc.add_stream(stream) {
                Ok(fd) => {
                    let own = file(FileState {
                        fd: Some(fd),
                        ..FileState::default()
                    });
                    Value::File(own)
                }
                Err(errno) => self.socket_failed(errno, "connect"),
            });
        }
        Ok(self.socket_failed(last, "connect"))
    }

    fn socket_failed(&mut self, errno: Errno, call: &str) -> Value {
        self.set_errno(errno);
        let text = format!("IO::Socket::INET: {call}: {}", errno.message());
        self.set_global("@", Value::text(text));
        Value::Undef
    }

    pub(super) async fn handle_method(
        &mut self,
        own: &Arc<File>,
        name: &str,
        values: &[Value],
        want: Want,
    ) -> Res<Vec<Value>> {
        Ok(vec![match name {
            "print" | "send" | "syswrite" | "write" | "say" => {
                let mut out: Vec<u8> = match name {
                    "print" | "say" => values.iter().flat_map(Value::bytes).collect(),
                    _ => values.first().map(Value::bytes).unwrap_or_default(),
                };
                if name == "say" {
                    out.push(b'\n');
                }
                let done = self.write(own, &out).await?;
                if done.is_true() && matches!(name, "send" | "syswrite") {
                    Value::count(out.len())
                } else {
                    done
                }
            }
            "printf" => {
                let form = values.first().map(Value::bytes).unwrap_or_default();
                let rest = values.get(1..).unwrap_or_default();
                let Some(out) = format::sprintf(&form, rest) else {
                    return Self::out_of_memory();
                };
                self.write(own, &out).await?
            }
            "close" => self.close(own).await?,
            "getline" | "getlines" => {
                let list = name == "getlines" && self.wants_list(want);
                return self.read_lines(&Value::File(Arc::clone(own)), list).await;
            }
            "recv" | "sysread" | "read" => {
                let count = values.get(1).map_or(0, Value::integer);
                let count = usize::try_from(count).unwrap_or(0);
                match values.first() {
                    Some(Value::Place(place)) => {
                        self.read_into(own, place, count, 0, false).await?
                    }
                    _ => Value::Undef,
                }
            }
            "eof" => Value::truth(self.at_end(own).await?),
            "fileno" => lock(&own.state)
                .fd
                .map_or(Value::Undef, |fd| Value::Int(i64::from(fd))),
            "connected" | "opened" => Value::truth(lock(&own.state).fd.is_some()),
            "fdopen" => self.fdopen(own, values).await,
            "autoflush" => Value::text(b""),
            _ => Value::Int(1),
        }])
    }

    /// `STDIN->fdopen($socket, "r")`: this handle becomes that descriptor.
    async fn fdopen(&mut self, own: &Arc<File>, values: &[Value]) -> Value {
        let other = values.first().and_then(|value| self.handle_of(value));
        let from = other
            .and_then(|file| lock(&file.state).fd)
            .or_else(|| u32::try_from(values.first()?.exact()?).ok());
        let to = lock(&own.state).fd;
        let _closed = self.proc.flush().await;
        let outcome = match (from, to) {
            (Some(from), Some(to)) => self.proc.duplicate_to(from, to),
            (Some(from), None) => self.proc.duplicate_from(from, 3).map(|fd| {
                lock(&own.state).fd = Some(fd);
            }),
            _ => Err(Errno::Ebadf),
        };
        match outcome {
            Ok(()) => {
                lock(&own.state).reader = None;
                Value::Int(1)
            }
            Err(errno) => self.failed(errno),
        }
    }
}

/// `sockaddr_in(port, address)`, and taken apart again.
pub(super) fn sockaddr(values: &[Value]) -> Vec<Value> {
    match values {
        [packed] => {
            let packed = packed.bytes();
            match unpacked(&packed) {
                Some(SocketAddr::V4(own)) => vec![
                    Value::Int(i64::from(own.port())),
                    Value::text(own.ip().octets()),
                ],
                _ => Vec::new(),
            }
        }
        [port, address, ..] => {
            let port = u16::try_from(port.integer() & 0xffff).unwrap_or(0);
            let mut address = address.bytes();
            address.resize(4, 0);
            let head = [2_u8, 0];
            vec![Value::text(
                [&head, port.to_be_bytes().as_slice(), &address, &[0; 8]].concat(),
            )]
        }
        [] => Vec::new(),
    }
}

fn unpacked(bytes: &[u8]) -> Option<SocketAddr> {
    let [2, 0, high, low, a, b, c, d, ..] = bytes else {
        return None;
    };
    let port = u16::from_be_bytes([*high, *low]);
    Some(SocketAddr::from(([*a, *b, *c, *d], port)))
}
