//! The client side of SFTP version 3 (draft-ietf-secsh-filexfer-02) over a child: `ssh` with the
//! subsystem, or a server started directly.

use std::collections::VecDeque;

use sundew_kernel::observe::{Download, DownloadEnd};
use sundew_kernel::{Errno, Fd, Pid, Process, STDERR, STDIN, STDOUT, Signal};

use crate::net::sftp_server::wire::{self, Attributes, Reader, Writer};

/// Bytes asked for at once.
const CHUNK_BYTES: u32 = 32 * 1024;
/// Requests that are under way at once.
const WINDOW: usize = 16;
/// Bytes kept of one directory's entries: some ten thousand.
const MAX_LIST_BYTES: usize = 2 << 20;
/// Bytes kept of an entry's line in a long listing.
const MAX_LONG_BYTES: usize = 512;

/// Why something did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum Fault {
    /// The server is gone.
    Gone,
    /// The server's status, as it goes over the wire.
    Status(u32),
    /// Something of this machine.
    Local(Errno),
}

impl Fault {
    /// As OpenSSH words it.
    pub(in crate::net) fn text(self) -> &'static str {
        match self {
            Self::Gone => "Connection lost",
            Self::Status(code) => match code {
                0 => "Success",
                1 => "End of file",
                2 => Errno::Enoent.message(),
                // tidy-allow(errno-word): what OpenSSH calls the status of a server
                3 => "Permission denied",
                4 => "Failure",
                5 => "Bad message",
                6 => "No connection",
                7 => "Connection lost",
                8 => "Operation unsupported",
                _ => "Unknown status",
            },
            Self::Local(errno) => errno.message(),
        }
    }
}

/// An entry of a directory.
#[derive(Debug)]
pub(in crate::net) struct Entry {
    pub(in crate::net) name: Vec<u8>,
    pub(in crate::net) long: Vec<u8>,
}

/// A connection to a server.
#[derive(Debug)]
pub(in crate::net) struct Link {
    to: Fd,
    from: Fd,
    child: Pid,
    buffer: Vec<u8>,
    next: u32,
}

impl Link {
    /// Starts the child and greets the server.
    pub(in crate::net) async fn open(
        proc: &Process,
        program: Vec<u8>,
        args: Vec<Vec<u8>>,
    ) -> Result<Self, Fault> {
        let (read_here, write_there) = proc.pipe().map_err(Fault::Local)?;
        let (read_there, write_here) = proc.pipe().map_err(Fault::Local)?;
        let child = proc
            .fork(move |mut child| {
                Box::pin(async move {
                    let turned = child
                        .duplicate_to(read_there, STDIN)
                        .and_then(|()| child.duplicate_to(write_there, STDOUT));
                    for fd in [read_here, write_there, read_there, write_here] {
                        // Made above.
                        let _open = child.close(fd);
                    }
                    if turned.is_err() {
                        return sundew_kernel::ExitStatus::FAILURE;
                    }
                    let env = child.env().clone();
                    let shown = String::from_utf8_lossy(&program).into_owned();
                    let errno = child.exec(&program, args, env).await;
                    let text = format!("exec: {shown}: {}\n", errno.message());
                    // Nobody is left to tell if that fails.
                    let _untold = child.write_all(STDERR, text.as_bytes()).await;
                    sundew_kernel::ExitStatus::FAILURE
                })
            })
            .map_err(Fault::Local)?;
        for fd in [read_there, write_there] {
            // Made above.
            let _open = proc.close(fd);
        }
        // A server that is gone is told by the answers that do not come.
        proc.set_disposition(Signal::PIPE, sundew_kernel::signal::Disposition::Ignore);
        let mut link = Self {
            to: write_here,
            from: read_here,
            child,
            buffer: Vec::new(),
            next: 0,
        };
        let mut hello = Writer::new(wire::INIT);
        hello.number(3);
        link.send(proc, &hello.finish()).await?;
        let answer = link.packet(proc).await?;
        match answer.first() {
            Some(&wire::VERSION) => Ok(link),
            _ => Err(Fault::Gone),
        }
    }

    /// Ends the connection and waits for the child.
    pub(in crate::net) async fn close(self, proc: &Process) {
        for fd in [self.to, self.from] {
            // Made when it was opened.
            let _open = proc.close(fd);
        }
        // Whatever its end was.
        let _end = proc
            .wait(
                sundew_kernel::process::WaitFor::Pid(self.child),
                false,
                true,
            )
            .await;
    }

    async fn send(&self, proc: &Process, packet: &[u8]) -> Result<(), Fault> {
        let sent = proc.write_all(self.to, packet).await;
        sent.map_err(|_gone| Fault::Gone)
    }

    async fn packet(&mut self, proc: &Process) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(packet) = wire::packet(&mut self.buffer) {
                return Ok(packet);
            }
            let announced = wire::announced(&self.buffer).unwrap_or(0);
            if announced > crate::net::sftp_server::MAX_PACKET_BYTES {
                return Err(Fault::Gone);
            }
            let mut chunk = vec![0; 16 * 1024];
            match proc.read(self.from, &mut chunk).await {
                Ok(0) | Err(_) => return Err(Fault::Gone),
                Ok(count) => {
                    let bytes = chunk.get(..count).unwrap_or_default();
                    self.buffer.extend_from_slice(bytes);
                }
            }
        }
    }

    fn request(&mut self, kind: u8) -> Writer {
        self.next = self.next.wrapping_add(1);
        Writer::answer(kind, self.next)
    }

    /// The kind of the next answer, its number, and the rest of it.
    async fn answer(&mut self, proc: &Process) -> Result<(u8, u32, Vec<u8>), Fault> {
        let packet = self.packet(proc).await?;
        let mut reader = Reader(&packet);
        let (Some(kind), Some(id)) = (reader.byte(), reader.number()) else {
            return Err(Fault::Gone);
        };
        Ok((kind, id, reader.0.to_vec()))
    }

    /// Asks and takes the one answer.
    async fn ask(&mut self, proc: &Process, request: Writer) -> Result<(u8, Vec<u8>), Fault> {
        self.send(proc, &request.finish()).await?;
        let (kind, _, rest) = self.answer(proc).await?;
        if kind == wire::STATUS {
            let code = Reader(&rest).number().ok_or(Fault::Gone)?;
            if code != 0 {
                return Err(Fault::Status(code));
            }
        }
        Ok((kind, rest))
    }

    async fn on_path(
        &mut self,
        proc: &Process,
        kind: u8,
        path: &[u8],
    ) -> Result<(u8, Vec<u8>), Fault> {
        let mut request = self.request(kind);
        request.string(path);
        self.ask(proc, request).await
    }

    /// What a path is really called.
    pub(in crate::net) async fn real_path(
        &mut self,
        proc: &Process,
        path: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let (_, rest) = self.on_path(proc, wire::REALPATH, path).await?;
        let mut reader = Reader(&rest);
        let _count = reader.number().ok_or(Fault::Gone)?;
        reader.string().ok_or(Fault::Gone)
    }

    /// What is at a path, links followed.
    pub(in crate::net) async fn stat(
        &mut self,
        proc: &Process,
        path: &[u8],
    ) -> Result<Attributes, Fault> {
        let (_, rest) = self.on_path(proc, wire::STAT, path).await?;
        Reader(&rest).attributes().ok_or(Fault::Gone)
    }

    /// Removes a file, or makes or removes a directory.
    pub(in crate::net) async fn change(
        &mut self,
        proc: &Process,
        kind: u8,
        path: &[u8],
    ) -> Result<(), Fault> {
        let mut request = self.request(kind);
        request.string(path);
        if kind == wire::MKDIR {
            request.number(wire::HAS_MODE);
            request.number(0o777);
        }
        self.ask(proc, request).await.map(drop)
    }

    /// Gives a file another name.
    pub(in crate::net) async fn rename(
        &mut self,
        proc: &Process,
        from: &[u8],
        to: &[u8],
        kind: u8,
    ) -> Result<(), Fault> {
        let mut request = self.request(kind);
        request.string(from);
        request.string(to);
        self.ask(proc, request).await.map(drop)
    }

    /// Sets a mode.
    pub(in crate::net) async fn set_mode(
        &mut self,
        proc: &Process,
        path: &[u8],
        mode: u16,
    ) -> Result<(), Fault> {
        let mut request = self.request(wire::SETSTAT);
        request.string(path);
        request.number(wire::HAS_MODE);
        request.number(mode.into());
        self.ask(proc, request).await.map(drop)
    }

    async fn handle(&mut self, proc: &Process, request: Writer) -> Result<Vec<u8>, Fault> {
        let (_, rest) = self.ask(proc, request).await?;
        Reader(&rest).string().ok_or(Fault::Gone)
    }

    async fn close_handle(&mut self, proc: &Process, handle: &[u8]) -> Result<(), Fault> {
        self.on_path(proc, wire::CLOSE, handle).await.map(drop)
    }

    /// All of a directory but itself and what it is in, by name.
    pub(in crate::net) async fn list(
        &mut self,
        proc: &Process,
        path: &[u8],
    ) -> Result<Vec<Entry>, Fault> {
        let mut request = self.request(wire::OPENDIR);
        request.string(path);
        let handle = self.handle(proc, request).await?;
        let mut entries = Vec::new();
        let mut room = MAX_LIST_BYTES;
        loop {
            let rest = match self.on_path(proc, wire::READDIR, &handle).await {
                Ok((_, rest)) => rest,
                Err(Fault::Status(1)) => break,
                Err(fault) => return Err(fault),
            };
            let mut reader = Reader(&rest);
            for _ in 0..reader.number().unwrap_or(0) {
                let (Some(name), Some(long), Some(_attributes)) =
                    (reader.string(), reader.string(), reader.attributes())
                else {
                    return Err(Fault::Gone);
                };
                // A server that names other places is not followed there.
                let here = !name.is_empty() && !name.contains(&b'/') && !name.contains(&0);
                if !here || name == b"." || name == b".." {
                    continue;
                }
                let long: Vec<u8> = long.into_iter().take(MAX_LONG_BYTES).collect();
                let bytes = name.len() + long.len() + size_of::<Entry>();
                if let Some(left) = room.checked_sub(bytes) {
                    room = left;
                    entries.push(Entry { name, long });
                }
            }
        }
        self.close_handle(proc, &handle).await?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Fetches a file into a descriptor, and tells whoever watches of it. `told` gets each new length.
    pub(in crate::net) async fn fetch(
        &mut self,
        proc: &Process,
        path: &[u8],
        to: Fd,
        download: Download,
        meter: &mut super::meter::Meter,
    ) -> Result<u64, Fault> {
        let mut capture = proc.capture(download);
        let result = self.fetch_into(proc, path, to, &mut *capture, meter).await;
        let end = match result {
            Ok(_) => DownloadEnd::Complete,
            Err(fault) => DownloadEnd::Incomplete(fault.text().to_owned()),
        };
        capture.end(end).await;
        result
    }

    async fn fetch_into(
        &mut self,
        proc: &Process,
        path: &[u8],
        to: Fd,
        capture: &mut dyn sundew_kernel::observe::Capture,
        meter: &mut super::meter::Meter,
    ) -> Result<u64, Fault> {
        let mut request = self.request(wire::OPEN);
        request.string(path);
        request.number(1);
        request.number(0);
        let handle = self.handle(proc, request).await?;
        // The requests under way: where each begins, and what came if it came too early.
        let mut waiting: VecDeque<(u32, Option<Vec<u8>>)> = VecDeque::new();
        let (mut asked, mut written, mut ended, mut short) = (0_u64, 0_u64, false, false);
        loop {
            while !ended && waiting.len() < WINDOW {
                let mut request = self.request(wire::READ);
                request.string(&handle);
                request.long(asked);
                request.number(CHUNK_BYTES);
                waiting.push_back((self.next, None));
                asked = asked.saturating_add(CHUNK_BYTES.into());
                self.send(proc, &request.finish()).await?;
            }
            if waiting.is_empty() {
                break;
            }
            let (kind, id, rest) = self.answer(proc).await?;
            let data = if kind == wire::DATA {
                Reader(&rest).string().ok_or(Fault::Gone)?
            } else {
                match Reader(&rest).number() {
                    Some(1) => ended = true,
                    Some(code) => return Err(Fault::Status(code)),
                    None => return Err(Fault::Gone),
                }
                Vec::new()
            };
            let Some(place) = waiting.iter_mut().find(|(known, _)| *known == id) else {
                return Err(Fault::Gone);
            };
            place.1 = Some(data);
            while let Some((_, Some(_))) = waiting.front() {
                let data = waiting.pop_front().and_then(|(_, data)| data);
                let data = data.unwrap_or_default();
                // What comes after a piece that is too short lies elsewhere than was thought.
                if short {
                    continue;
                }
                capture.write(&data).await;
                proc.write_all(to, &data).await.map_err(Fault::Local)?;
                written = written.saturating_add(data.len() as u64);
                meter.at(proc, written).await;
                short = data.len() < CHUNK_BYTES as usize;
                ended |= short;
            }
        }
        // The rest, a piece at a time: mostly the server says that there is none.
        loop {
            let mut request = self.request(wire::READ);
            request.string(&handle);
            request.long(written);
            request.number(CHUNK_BYTES);
            let data = match self.ask(proc, request).await {
                Ok((wire::DATA, rest)) => Reader(&rest).string().ok_or(Fault::Gone)?,
                Ok(_) => return Err(Fault::Gone),
                Err(Fault::Status(1)) => break,
                Err(fault) => return Err(fault),
            };
            if data.is_empty() {
                break;
            }
            capture.write(&data).await;
            proc.write_all(to, &data).await.map_err(Fault::Local)?;
            written = written.saturating_add(data.len() as u64);
            meter.at(proc, written).await;
        }
        self.close_handle(proc, &handle).await?;
        Ok(written)
    }

    /// Stores what a descriptor gives.
    pub(in crate::net) async fn store(
        &mut self,
        proc: &Process,
        from: Fd,
        path: &[u8],
        mode: u16,
        meter: &mut super::meter::Meter,
    ) -> Result<(), Fault> {
        let mut request = self.request(wire::OPEN);
        request.string(path);
        // For writing, made if it is not there, emptied.
        request.number(0x1a);
        request.number(wire::HAS_MODE);
        request.number(mode.into());
        let handle = self.handle(proc, request).await?;
        let mut offset = 0_u64;
        let mut chunk = vec![0; CHUNK_BYTES as usize];
        loop {
            let count = proc.read(from, &mut chunk).await.map_err(Fault::Local)?;
            if count == 0 {
                break;
            }
            let mut request = self.request(wire::WRITE);
            request.string(&handle);
            request.long(offset);
            request.string(chunk.get(..count).unwrap_or_default());
            self.ask(proc, request).await?;
            offset = offset.saturating_add(count as u64);
            meter.at(proc, offset).await;
        }
        self.close_handle(proc, &handle).await
    }
}
