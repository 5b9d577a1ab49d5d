//! From a command line that was understood to the end of the transfer.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Applet;
use super::address::{self, FTP, HostPort};
use super::failure::Failure;
use super::host::{Host, Sink, Source, TransferEvent};
use super::option::Options;
use super::session::Session;
use crate::data::CHUNK_BYTES;
use crate::dial::{self, Dial};
use ftp_proto::client::answer::parse_size;

const DEFAULT_USER: &[u8] = b"anonymous";
const DEFAULT_PASSWORD: &[u8] = b"busybox";

/// What is transferred, as the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The host as typed, without port and brackets.
    pub host: Vec<u8>,
    /// The port that was used.
    pub port: u16,
    /// `-u`, if it was given.
    pub user: Option<Vec<u8>>,
    /// `-p`, if it was given.
    pub password: Option<Vec<u8>>,
    /// The remote path as typed.
    pub path: Vec<u8>,
}

impl Remote {
    /// `ftp://[USER[:PASSWORD]@]HOST[:PORT]/PATH`, nothing escaped: a path from the root makes two
    /// slashes, port 21 is left out.
    #[must_use]
    pub fn url(&self) -> Vec<u8> {
        let mut url = b"ftp://".to_vec();
        if let Some(user) = &self.user {
            url.extend(user);
            if let Some(password) = &self.password {
                url.push(b':');
                url.extend(password);
            }
            url.push(b'@');
        }
        if self.host.contains(&b':') {
            url.extend([b"[", &self.host[..], b"]"].concat());
        } else {
            url.extend(&self.host);
        }
        if self.port != FTP {
            url.extend(format!(":{}", self.port).into_bytes());
        }
        url.push(b'/');
        url.extend(&self.path);
        url
    }
}

/// How far the transfer has come: decides what a failure means for the sample.
///
/// ```text
/// Before ── server agrees, file open ──▶ Moving ── final reply ──▶ Settled
/// ```
enum Stage {
    Before,
    Moving {
        bytes: u64,
    },
    /// The end was told already; what happens now (QUIT) changes nothing.
    Settled,
}

pub(super) async fn run<D: Dial, H: Host>(
    applet: Applet,
    dial: &D,
    host: &mut H,
    options: Options,
) -> Result<(), Failure> {
    let port = match &options.port {
        None => FTP,
        Some(text) => match address::parse_port(text) {
            Some(port) => port,
            None => {
                let found = host.service(text).await;
                found.ok_or_else(|| Failure::BadPort(text.clone()))?
            }
        },
    };
    let HostPort {
        host: name,
        port: own,
    } = address::split(&options.host)?;
    let remote = Remote {
        host: name.to_vec(),
        port: own.unwrap_or(port),
        user: options.user.clone(),
        password: options.password.clone(),
        path: match applet {
            Applet::Ftpget => options.second.clone(),
            Applet::Ftpput => options.first.clone(),
        },
    };
    if matches!(applet, Applet::Ftpget) {
        let remote = &remote;
        host.transfer(TransferEvent::Asked { remote }).await;
    }
    let mut stage = Stage::Before;
    let mut job = Job {
        applet,
        options: &options,
        remote: &remote,
        stage: &mut stage,
    };
    let result = job.run(dial, host).await;
    if let Err(failure) = &result {
        let remote = &remote;
        match stage {
            Stage::Before => {
                host.transfer(TransferEvent::Failed { remote, failure })
                    .await
            }
            Stage::Moving { bytes } => {
                host.transfer(TransferEvent::Incomplete { bytes, failure })
                    .await;
            }
            Stage::Settled => {}
        }
    }
    result
}

struct Job<'a> {
    applet: Applet,
    options: &'a Options,
    remote: &'a Remote,
    stage: &'a mut Stage,
}

impl Job<'_> {
    async fn run<D: Dial, H: Host>(&mut self, dial: &D, host: &mut H) -> Result<(), Failure> {
        let server = self.locate(dial).await?;
        let options = self.options;
        if options.verbose {
            let typed = &options.host;
            let address = format!(" ({server})\n");
            let line = [b"Connecting to ", &typed[..], address.as_bytes()].concat();
            host.stdout(&line).await;
        }
        let mut session =
            Session::connect(self.applet, dial, host, options.verbose, server).await?;
        let user = options.user.as_deref().unwrap_or(DEFAULT_USER);
        let password = options.password.as_deref().unwrap_or(DEFAULT_PASSWORD);
        session.log_in(user, password).await?;
        match self.applet {
            Applet::Ftpget => self.download(&mut session).await?,
            Applet::Ftpput => self.upload(&mut session).await?,
        }
        *self.stage = Stage::Settled;
        // Whatever it answers, but it has to answer.
        session.ask("QUIT", None).await?;
        Ok(())
    }

    /// One address, the first: the original does not try the others.
    async fn locate<D: Dial>(&self, dial: &D) -> Result<SocketAddr, Failure> {
        let name = &self.remote.host;
        let found = match address::literal(name) {
            Some(ip) => Some(ip),
            None if name.is_empty() => None,
            None => match dial.resolve(name).await {
                Ok(addresses) => addresses.first().copied(),
                Err(dial::ResolveError::NotFound | dial::ResolveError::TimedOut) => None,
            },
        };
        let ip = found.ok_or_else(|| Failure::BadAddress(self.options.host.clone()))?;
        Ok(SocketAddr::new(ip, self.remote.port))
    }

    async fn download<D: Dial, H: Host>(
        &mut self,
        session: &mut Session<'_, D, H>,
    ) -> Result<(), Failure> {
        let (local, path) = (&self.options.first[..], &self.remote.path[..]);
        let mut data = session.open_data().await?;
        let response = session.ask("SIZE", Some(path)).await?;
        let sized = response.code == 213;
        let size = parse_size(response.text()).filter(|_| sized);

        let mut sink = match local {
            b"-" => Sink::Stdout,
            path => Sink::Create(path),
        };
        let mut offset = 0;
        if self.options.resume && sized && sink != Sink::Stdout {
            offset = session.host.size_of(local).await.map_err(Failure::Stat)?;
        }
        if offset > 0 {
            let restart = format!("REST {offset}");
            if session.ask(&restart, None).await?.code == 350 {
                sink = Sink::Append(local);
            } else {
                offset = 0;
            }
        }
        let response = session.ask("RETR", Some(path)).await?;
        if response.code > 150 {
            return Err(response.unexpected(Some("RETR")));
        }
        session
            .host
            .create(sink)
            .await
            .map_err(|words| open_failure(local, words))?;
        let event = TransferEvent::Downloading {
            remote: self.remote,
            sink,
            size,
            offset,
        };
        session.host.transfer(event).await;

        let bytes = self.receive(session.host, &mut data).await?;
        // Closed before the final reply is read: some servers wait for it.
        drop(data);
        session.confirm().await?;
        let event = match size.map(|size| size.saturating_sub(offset)) {
            Some(expected) if bytes < expected => TransferEvent::Short { bytes, expected },
            _ => TransferEvent::Complete { bytes },
        };
        session.host.transfer(event).await;
        Ok(())
    }

    async fn upload<D: Dial, H: Host>(
        &mut self,
        session: &mut Session<'_, D, H>,
    ) -> Result<(), Failure> {
        let local = &self.options.second[..];
        let source = match local {
            b"-" => Source::Stdin,
            path => Source::File(path),
        };
        let mut data = session.open_data().await?;
        session
            .host
            .open(source)
            .await
            .map_err(|words| open_failure(local, words))?;
        let response = session.ask("STOR", Some(&self.remote.path)).await?;
        if !matches!(response.code, 125 | 150) {
            return Err(response.unexpected(Some("STOR")));
        }
        let event = TransferEvent::Uploading {
            remote: self.remote,
            source,
        };
        session.host.transfer(event).await;

        let bytes = self.send(session.host, &mut data).await?;
        // A server that is gone says so on the control connection.
        data.shutdown().await.ok();
        drop(data);
        session.confirm().await?;
        session
            .host
            .transfer(TransferEvent::Complete { bytes })
            .await;
        Ok(())
    }

    async fn receive<H: Host>(
        &mut self,
        host: &mut H,
        data: &mut (impl AsyncReadExt + Unpin),
    ) -> Result<u64, Failure> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut bytes = 0;
        loop {
            *self.stage = Stage::Moving { bytes };
            let count = data
                .read(&mut buffer)
                .await
                .map_err(|error| Failure::Read(dial::words(&error)))?;
            if count == 0 {
                return Ok(bytes);
            }
            let chunk = buffer.get(..count).unwrap_or_default();
            host.body(chunk).await.map_err(Failure::Write)?;
            bytes += count as u64;
        }
    }

    async fn send<H: Host>(
        &mut self,
        host: &mut H,
        data: &mut (impl AsyncWriteExt + Unpin),
    ) -> Result<u64, Failure> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut bytes = 0;
        loop {
            *self.stage = Stage::Moving { bytes };
            let count = host.read(&mut buffer).await.map_err(Failure::Read)?;
            if count == 0 {
                return Ok(bytes);
            }
            let chunk = buffer.get(..count).unwrap_or_default();
            data.write_all(chunk)
                .await
                .map_err(|error| match error.kind() {
                    ErrorKind::BrokenPipe => Failure::BrokenPipe,
                    _ => Failure::Write(dial::words(&error)),
                })?;
            bytes += count as u64;
        }
    }
}

fn open_failure(path: &[u8], words: super::Words) -> Failure {
    Failure::Open {
        path: path.to_vec(),
        words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_what_was_typed_and_leaves_out_the_default_port() {
        let mut remote = Remote {
            host: b"h".to_vec(),
            port: 21,
            user: None,
            password: Some(b"p".to_vec()),
            path: b"a b".to_vec(),
        };
        assert_eq!(remote.url(), b"ftp://h/a b");
        remote.user = Some(b"u".to_vec());
        remote.port = 2121;
        remote.host = b"::1".to_vec();
        remote.path = b"/x".to_vec();
        assert_eq!(remote.url(), b"ftp://u:p@[::1]:2121//x");
    }
}
